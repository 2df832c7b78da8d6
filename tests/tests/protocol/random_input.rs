//! Bad input: the right answer, a server that goes on, bounded memory, nothing lost.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, send_message, transaction, user};
use hamlet_tests::http::Connection;
use hamlet_tests::process::Hamletd;
use hamlet_tests::server::TestServer;

/// The session goes on.
async fn still_serves(client: &mut Client) {
    client
        .request("<GetList-Request/>")
        .await
        .expect("GetList-Response");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_cut_anywhere_is_refused_and_the_session_goes_on() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let mut client = server.client(Version::V1_2, syntax, "alice").await;
        let content = send_message(&user("wv:bob@h"), "never whole", false);
        let whole = client.message("Inband", &[transaction("Request", Some("cut"), &content)]);
        for length in 1..whole.len() {
            let http = client.post(&whole[..length]).await;
            match http.status {
                400 => assert!(http.body.is_empty()),
                // The envelope was there (csp-access 1.1).
                200 => client.read(http).expect_status(400),
                status => panic!("{status} at {length}"),
            }
        }
        still_serves(&mut client).await;
    }
    assert!(server.xml("bob").await.messages().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_size_and_number_are_bounded() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut client = server.xml("alice").await;
    let deep = format!("{}{}", "<A>".repeat(1000), "</A>".repeat(1000));
    let wide = "<A/>".repeat(200_000);
    let bomb = format!("<UserID>{}</UserID>", "x".repeat(1 << 19));
    for content in [
        deep,
        wide,
        format!("<GetPresence-Request><User>{bomb}</User></GetPresence-Request>"),
    ] {
        let body = client.message("Inband", &[transaction("Request", Some("1"), &content)]);
        let http = client.post(&body).await;
        match http.status {
            400 | 413 => {}
            200 => assert!(client.read(http).code().is_some_and(|code| code >= 400)),
            status => panic!("{status}"),
        }
        still_serves(&mut client).await;
    }
    // Entities of a document's own are refused, so they cannot grow.
    let lol = "<?xml version=\"1.0\"?><!DOCTYPE WV-CSP-Message [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>";
    let mut body = lol.as_bytes().to_vec();
    body.extend(client.message(
        "Inband",
        &[transaction("Request", Some("1"), "<GetList-Request/>")],
    ));
    let http = client.post(&body).await;
    assert!(http.status == 400 || client.read(http).code() == Some(400));
    still_serves(&mut client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_charsets_are_read_or_refused_but_never_garbled() {
    // wbxml 1.1, transport 2.1.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    let content = send_message(&user("wv:bob@h"), "päivää", false);
    let xml =
        String::from_utf8(alice.message("Inband", &[transaction("Request", Some("l1"), &content)]))
            .unwrap();
    // ISO-8859-1, said in the declaration.
    let latin: Vec<u8> = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{xml}")
        .chars()
        .map(|c| c as u8)
        .collect();
    let http = alice.post(&latin).await;
    alice.read(http).expect_code(200);
    // UTF-16 with a byte order mark.
    let wide = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>{}",
        xml.replace("l1", "u16")
    );
    let octets: Vec<u8> = [0xFEFFu16]
        .into_iter()
        .chain(wide.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    let http = alice.post(&octets).await;
    alice.read(http).expect_code(200);
    let texts: Vec<_> = bob
        .messages()
        .await
        .iter()
        .map(|message| message.text("ContentData").unwrap().to_owned())
        .collect();
    assert_eq!(texts, ["päivää", "päivää"]);
    // Octets that are no UTF-8, and a charset that nobody knows.
    let mut broken = xml.replace("l1", "bad").into_bytes();
    let at = broken
        .windows(2)
        .position(|pair| pair == "ä".as_bytes())
        .unwrap();
    broken[at] = 0xFF;
    let unknown = format!(
        "<?xml version=\"1.0\" encoding=\"KLINGON\"?>{}",
        xml.replace("l1", "kl")
    );
    for body in [broken, unknown.into_bytes()] {
        let http = alice.post(&body).await;
        assert!(http.status == 400 || alice.read(http).code() == Some(400));
    }
    still_serves(&mut alice).await;
    assert!(bob.messages().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_random_bodies_change_nothing() {
    // In a process of its own, so that its memory can be watched.
    let server = Hamletd::start(&["domain=h"]);
    for name in ["alice", "bob", "mallory"] {
        server.add_user(&format!("wv:{name}@h"), "secret");
    }
    let mut bob = Client::xml_1_2(server.address(), "wv:bob@h", "secret").await;
    let mut alice = Client::xml_1_2(server.address(), "wv:alice@h", "secret").await;
    bob.send_text("wv:alice@h", "before the storm")
        .await
        .expect_code(200);
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let mallory = Client::login(
            server.address(),
            Version::V1_2,
            syntax,
            "wv:mallory@h",
            "secret",
        )
        .await;
        seeds.extend(seed_messages(&mallory));
    }
    let storm = |connections: u64, bodies: u64| {
        let address = server.address();
        let seeds = seeds.clone();
        let workers: Vec<_> = (0..connections)
            .map(|number| {
                let seeds = seeds.clone();
                tokio::spawn(async move {
                    let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (number << 32) ^ bodies);
                    let mut connection = Connection::open(address).await;
                    for _ in 0..bodies {
                        let body = dice.body(&seeds);
                        let kind = ["wbxml", "xml"][dice.below(2)];
                        let headers = [(
                            "Content-Type".to_owned(),
                            format!("application/vnd.wv.csp.{kind}"),
                        )];
                        let answer = connection.post(&headers, &body).await;
                        assert!([200, 400, 413, 415].contains(&answer.status), "{answer:?}");
                        if answer.header("connection") == Some("close") {
                            connection = Connection::open(address).await;
                        }
                    }
                })
            })
            .collect();
        async move {
            for worker in workers {
                worker.await.expect("no answer was wrong");
            }
        }
    };
    // What the first bodies take is buffers and caches; the others must not add to it.
    storm(4, 2_500).await;
    let before = server.resident_octets();
    storm(4, 22_500).await;
    let after = server.resident_octets();
    assert!(
        after < before + (32 << 20),
        "the server grew from {before} to {after} octets"
    );
    let messages = alice.messages().await;
    let texts: Vec<_> = messages
        .iter()
        .map(|message| message.text("ContentData").unwrap())
        .collect();
    assert_eq!(texts, ["before the storm"]);
    bob.send_text("wv:alice@h", "after it")
        .await
        .expect_code(200);
    assert_eq!(alice.messages().await.len(), 1);
}

/// What the random bodies are made from: requests of a third person, to that person.
fn seed_messages(mallory: &Client) -> Vec<Vec<u8>> {
    let login = mallory.login_step("wv:mallory@h", "<Password>guess</Password>", "");
    let inband = [
        send_message(&user("wv:mallory@h"), "noise", true),
        "<Polling-Request/>".to_owned(),
        "<GetList-Request/>".to_owned(),
        "<ListManage-Request><ContactList>wv:mallory/friends@h</ContactList><ReceiveList>T</ReceiveList></ListManage-Request>".to_owned(),
        "<GetPresence-Request><User><UserID>wv:mallory@h</UserID></User></GetPresence-Request>".to_owned(),
        "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier><PresenceValue>x</PresenceValue></StatusText>\
         </PresenceSubList></UpdatePresence-Request>"
            .to_owned(),
        "<KeepAlive-Request><TimeToLive>600</TimeToLive></KeepAlive-Request>".to_owned(),
    ];
    let mut seeds = vec![mallory.message("Outband", &[transaction("Request", Some("1"), &login)])];
    for (number, content) in inband.iter().enumerate() {
        let id = number.to_string();
        seeds.push(mallory.message("Inband", &[transaction("Request", Some(&id), content)]));
    }
    seeds
}

/// Random numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// Noise, or a seed with something changed, cut, doubled or put into another.
    fn body(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        if self.below(4) == 0 {
            let length = self.below(600);
            return (0..length).map(|_| self.next() as u8).collect();
        }
        let mut body = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(body.len());
            match self.below(5) {
                0 => body.truncate(at),
                1 => body.insert(at, self.next() as u8),
                2 => {
                    let end = at + self.below(body.len() - at);
                    let part = body[at..end].to_vec();
                    body.splice(at..at, part);
                }
                3 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len());
                    let part = other[from..].to_vec();
                    body.splice(at.., part);
                }
                _ => {
                    if let Some(octet) = body.get_mut(at) {
                        *octet = self.next() as u8;
                    }
                }
            }
        }
        body
    }
}
