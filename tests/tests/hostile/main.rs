//! Hostile clients against a server in a process of its own: others keep their service, the
//! memory of the server stays bounded, and its log says what happened without being filled.

mod bodies;
mod channels;
mod files;
mod logins;
mod searches;

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::http::DEADLINE;
use hamlet_tests::process::Hamletd;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A server and a well-behaved pair that chats throughout.
struct Attacked {
    server: Hamletd,
    stop: Arc<AtomicBool>,
    chat: JoinHandle<()>,
    /// Messages that the pair has exchanged.
    exchanged: watch::Receiver<usize>,
    /// Octets, when nothing had happened.
    before: u64,
}

/// Messages that the pair exchanges at least under what an attack has left behind.
const LEAST: usize = 30;

impl Attacked {
    async fn start(settings: &[&str]) -> Self {
        let settings = [&["domain=h", "accounts.auto_register=true"], settings].concat();
        let server = Hamletd::start(&settings);
        let alice = log_in(server.address(), "alice").await;
        let bob = log_in(server.address(), "bob").await;
        let stop = Arc::new(AtomicBool::new(false));
        let (count, mut exchanged) = watch::channel(0);
        let chat = tokio::spawn(chat(alice, bob, stop.clone(), count));
        let first = exchanged.wait_for(|count| *count > 0).await;
        first.expect("a pair that chats");
        let before = server.resident_octets();
        Self {
            server,
            stop,
            chat,
            exchanged,
            before,
        }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Waits until this has been logged, and checks that it was once.
    async fn expect_one_line(&self, text: &str) {
        let logged = async {
            let mut pause = tokio::time::interval(Duration::from_millis(10));
            while self.server.logged(text).is_empty() {
                pause.tick().await;
            }
        };
        let logged = tokio::time::timeout(DEADLINE, logged).await;
        assert!(logged.is_ok(), "{text:?} was not logged");
        let lines = self.server.logged(text);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains("127.0.0.1"), "{lines:?}");
    }

    /// The pair has lost nothing, and the server has not taken more than `mebi` MiB more
    /// memory than at the start.
    async fn survives(mut self, mebi: u64) {
        let after = self.server.resident_octets();
        let enough = *self.exchanged.borrow() + LEAST;
        let served = self.exchanged.wait_for(|count| *count >= enough);
        let served = tokio::time::timeout(DEADLINE, served).await;
        assert!(
            served.is_ok_and(|served| served.is_ok()),
            "the pair has no service"
        );
        self.stop.store(true, Ordering::Relaxed);
        let ended = tokio::time::timeout(DEADLINE, self.chat).await;
        ended.expect("the pair ends").expect("no loss");
        let exchanged = *self.exchanged.borrow();
        let more = after.saturating_sub(self.before) >> 20;
        eprintln!("{exchanged} messages of the pair, {more} MiB more");
        assert!(more <= mebi, "{more} MiB more, of {mebi} allowed");
        // A line is a few hundred octets; those of logins are the pair's and the attackers'.
        let length = self.server.log_length();
        assert!(length < 100_000, "a log of {length} octets");
    }
}

async fn log_in(server: SocketAddr, name: &str) -> Client {
    let user = format!("wv:{name}@h");
    Client::login(server, Version::V1_3, Syntax::Wbxml, &user, "secret").await
}

/// Each message is sent when the one before has arrived; `count` is told how many there were.
async fn chat(
    mut alice: Client,
    mut bob: Client,
    stop: Arc<AtomicBool>,
    count: watch::Sender<usize>,
) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let text = format!("message {number}");
        alice.send_text("wv:bob@h", &text).await.expect_code(200);
        let came = loop {
            if let Some(push) = bob.take().await {
                break push;
            }
        };
        assert_eq!(came.text("ContentData"), Some(text.as_str()));
        number += 1;
        count.send_replace(number);
    }
    assert!(bob.take().await.is_none(), "nothing came twice");
}

/// An address at which nobody listens.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
}
