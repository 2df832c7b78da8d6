//! `kill -9` under load: what was accepted is delivered, unaltered, and sessions go on.
//!
//! `cargo xtask crash-test` does it twenty times; among the other tests it is three.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::process::{Hamletd, program};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PAIRS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn kill_dash_9_under_load_loses_nothing() {
    let kills =
        std::env::var("HAMLET_CRASHES").map_or(3, |number| number.parse().expect("a number"));
    let mut server = Hamletd::start(&["domain=h", "accounts.auto_register=true"]);
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal {
        path: folder.path().join("journal"),
    };
    let mut load = start_load(&server, &journal.path);
    // Somebody whose session spans all of it, and who never polls before the end.
    let mut witness = Client::xml_1_2(server.address(), "wv:witness@h", "secret").await;
    let mut dice = 0x2545_F491_4F6C_DD1Du64;
    for kill in 0..kills {
        // A moment that nobody chose: after so many further octets of the journal.
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        journal.grow(10_000 + dice % 200_000, &mut load).await;
        let answer = witness
            .send_text("wv:witness@h", &format!("kill {kill}"))
            .await;
        answer.expect_code(200);
        server.kill();
        server.start_again();
        let session = witness.session.clone();
        witness = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
        witness.session = session;
    }
    journal.grow(30_000, &mut load).await;
    end_load(load);

    let (sent, mut received, altered) = journal.read();
    assert!(altered.is_empty(), "altered: {altered:?}");
    assert!(
        sent.len() > kills * 100,
        "only {} messages were sent",
        sent.len()
    );
    // What the load had not fetched when it ended is still in the mailboxes; what was on its
    // way to it returns there when its session ends (csp-access 2.5).
    for pair in 0..PAIRS {
        let user = format!("wv:benchr{pair}@h");
        server.operate(&["session", "end", &user]);
        let mut client = Client::xml_1_2(server.address(), &user, "bench-password").await;
        for message in client.messages().await {
            received.insert(message.text("MessageInfo/MessageID").unwrap().to_owned());
        }
    }
    let lost: Vec<_> = sent.difference(&received).collect();
    assert!(
        lost.is_empty(),
        "{} of {} are lost: {lost:?}",
        lost.len(),
        sent.len()
    );
    let kept = witness.messages().await;
    let texts: Vec<_> = kept
        .iter()
        .map(|message| message.text("ContentData").unwrap().to_owned())
        .collect();
    let expected: Vec<_> = (0..kills).map(|kill| format!("kill {kill}")).collect();
    assert_eq!(texts, expected);
    eprintln!("{kills} kills, {} messages accepted, none lost", sent.len());
}

fn start_load(server: &Hamletd, journal: &Path) -> Child {
    let url = format!("http://{}/", server.address());
    Command::new(program("hamlet"))
        .args(["--server", &url, "--password", "bench-password", "bench"])
        .args(["--domain", "h", "--keep-going", "--seconds", "3600"])
        .args(["--pairs", &PAIRS.to_string()])
        .arg("--journal")
        .arg(journal)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the load starts")
}

/// The load is cut off like a client whose battery is empty.
fn end_load(mut load: Child) {
    load.kill().expect("a running load");
    load.wait().expect("its end");
}

struct Journal {
    path: PathBuf,
}

impl Journal {
    fn octets(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// Waits until the load has gone on for so long.
    async fn grow(&self, octets: u64, load: &mut Child) {
        let wanted = self.octets() + octets;
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut look = tokio::time::interval(Duration::from_millis(2));
        while self.octets() < wanted {
            assert!(Instant::now() < deadline, "the load stands still");
            assert!(
                load.try_wait().expect("a child").is_none(),
                "the load has ended"
            );
            look.tick().await;
        }
    }

    /// Identifiers of what was accepted and of what came, and the lines of what came altered.
    fn read(&self) -> (BTreeSet<String>, BTreeSet<String>, Vec<String>) {
        let (mut sent, mut received, mut altered) = Default::default();
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        // The last line may be cut.
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        for line in whole.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["sent", id, _] => insert(&mut sent, id),
                ["received", id, _, state] => {
                    insert(&mut received, id);
                    if *state != "intact" {
                        Vec::push(&mut altered, line.to_owned());
                    }
                }
                _ => panic!("the line {line:?}"),
            }
        }
        (sent, received, altered)
    }
}

fn insert(ids: &mut BTreeSet<String>, id: &str) {
    ids.insert(id.to_owned());
}
