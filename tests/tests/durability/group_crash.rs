//! `kill -9` while a group talks: what was accepted reaches everybody, in one order, and what
//! a client has acknowledged does not come again (csp-group 6).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::process::Hamletd;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const GROUP: &str = "wv:owner/talk@h";

const FORMS: [(Version, Syntax); 4] = [
    (Version::V1_1, Syntax::Xml),
    (Version::V1_2, Syntax::Wbxml),
    (Version::V1_3, Syntax::Xml),
    (Version::V1_3, Syntax::Wbxml),
];

/// What a client has seen, by the numbers of the messages.
#[derive(Default)]
struct Seen {
    /// It was accepted, or has come.
    heard: Vec<usize>,
    /// The server has answered the acknowledgement.
    done: Vec<usize>,
}

/// A client that goes on in its session after the server has been killed.
struct Member {
    form: (Version, Syntax),
    session: String,
    seen: Arc<Mutex<Seen>>,
}

impl Member {
    async fn join(server: SocketAddr, name: &str, form: (Version, Syntax), how: &str) -> Self {
        let user = format!("wv:{name}@h");
        let mut client = Client::login(server, form.0, form.1, &user, "secret").await;
        let answer = client.request(how).await;
        assert!(!answer.is_empty());
        Self {
            form,
            session: client.session.clone(),
            seen: Arc::default(),
        }
    }

    async fn again(&self, server: SocketAddr) -> Client {
        let mut client = Client::connect(server, self.form.0, self.form.1).await;
        client.session.clone_from(&self.session);
        client
    }
}

fn join(name: &str) -> String {
    format!(
        "<JoinGroup-Request><GroupID>{GROUP}</GroupID><ScreenName><SName>{name}</SName>\
         <GroupID>{GROUP}</GroupID></ScreenName><JoinedRequest>F</JoinedRequest>\
         <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>"
    )
}

fn create() -> String {
    format!(
        "<CreateGroup-Request><GroupID>{GROUP}</GroupID><GroupProperties><Property><Name>Name</Name>\
         <Value>Talk</Value></Property></GroupProperties><JoinGroup>T</JoinGroup>\
         <SubscribeNotification>F</SubscribeNotification></CreateGroup-Request>"
    )
}

fn message(number: usize) -> String {
    format!(
        "<SendMessage-Request><DeliveryReport>F</DeliveryReport><MessageInfo>\
         <ContentType>text/plain</ContentType><ContentSize>4</ContentSize>\
         <Recipient><Group><GroupID>{GROUP}</GroupID></Group></Recipient></MessageInfo>\
         <ContentData>{number}</ContentData></SendMessage-Request>"
    )
}

/// Talks until the server is gone; its numbers are never used twice.
async fn talk(mut client: Client, seen: Arc<Mutex<Seen>>, from: usize) {
    for number in from.. {
        let answer = client.request(&message(number)).await;
        answer.expect_code(200);
        seen.lock().unwrap().heard.push(number);
    }
}

/// Takes what comes; until the server is gone, or nothing more comes.
async fn listen(mut client: Client, seen: Arc<Mutex<Seen>>, for_ever: bool) {
    loop {
        let answer = client.poll().await;
        if answer.is_empty() {
            if !for_ever {
                return;
            }
            tokio::task::yield_now().await;
            continue;
        }
        let text = answer.expect("NewMessage").text("ContentData");
        let number: usize = text.expect("a text").parse().expect("a number");
        seen.lock().unwrap().heard.push(number);
        client.acknowledge(&answer).await;
        seen.lock().unwrap().done.push(number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_dash_9_while_a_group_talks_loses_and_repeats_nothing() {
    let kills: usize =
        std::env::var("HAMLET_CRASHES").map_or(3, |number| number.parse().expect("a number"));
    let mut server = Hamletd::start(&["domain=h", "accounts.auto_register=true"]);
    let address = server.address();
    let owner = Member::join(address, "owner", FORMS[1], &create()).await;
    let mut members = Vec::new();
    for (at, form) in FORMS.into_iter().enumerate() {
        let name = format!("m{at}");
        members.push(Member::join(address, &name, form, &join(&name)).await);
    }
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    for kill in 0..kills {
        let first = (kill + 1) * 1_000_000;
        let mut tasks = vec![tokio::spawn(talk(
            owner.again(address).await,
            owner.seen.clone(),
            first,
        ))];
        for member in &members {
            let client = member.again(address).await;
            tasks.push(tokio::spawn(listen(client, member.seen.clone(), true)));
        }
        // A moment that nobody chose: after so many further messages.
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let said = || owner.seen.lock().unwrap().heard.len();
        let wanted = said() + 20 + (dice % 100) as usize;
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut look = tokio::time::interval(Duration::from_millis(1));
        while said() < wanted {
            assert!(Instant::now() < deadline, "the talk stands still");
            look.tick().await;
        }
        server.kill();
        for task in tasks {
            // It ends by a lost connection.
            let _ = task.await;
        }
        server.start_again();
    }
    let accepted: BTreeSet<usize> = owner.seen.lock().unwrap().heard.iter().copied().collect();
    for (at, member) in members.iter().enumerate() {
        listen(member.again(address).await, member.seen.clone(), false).await;
        let seen = member.seen.lock().unwrap();
        // In order, and nothing again whose acknowledgement was answered.
        assert!(
            seen.done.is_sorted_by(|a, b| a < b),
            "m{at}: {:?}",
            seen.done
        );
        let heard: BTreeSet<usize> = seen.heard.iter().copied().collect();
        let lost: Vec<_> = accepted.difference(&heard).collect();
        assert!(lost.is_empty(), "m{at} has not heard {lost:?}");
    }
    eprintln!(
        "{kills} kills, {} messages accepted, none lost",
        accepted.len()
    );
}
