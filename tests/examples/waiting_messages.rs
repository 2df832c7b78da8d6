//! What login and retrieval cost on a server with few and on one with many stored messages.
//! Each user of either has ten; the same number of users logs in and fetches his, on the one
//! and on the other in turns.
//!
//! `cargo run --release -p hamlet-tests --example waiting_messages -- [ENGINE [FEW [MANY]]]`:
//! ENGINE is `sqlite` or `postgres` (a private one, in a temporary directory); 1,000 and
//! 1,000,000 messages without more.

// It talks to the person at the terminal.
#![allow(clippy::print_stdout)]

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::cluster::Cluster;
use hamlet_tests::crowd::{gather, member};
use hamlet_tests::server::TestServer;
use std::time::{Duration, Instant};

/// Messages of each user.
const EACH: usize = 10;

/// Users who log in on each server.
const SAMPLES: usize = 100;

/// One who logs in, and what it took.
#[derive(Default, Clone)]
struct Figures {
    login: Vec<Duration>,
    retrieval: Vec<Duration>,
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let engine = words.next().unwrap_or_else(|| "sqlite".to_owned());
    let mut number = |otherwise: usize| {
        let word = words.next();
        word.map_or(otherwise, |word| word.parse().expect("a number"))
    };
    let sizes = [number(1000), number(1_000_000)];
    let mut servers = Vec::new();
    for size in sizes {
        let database = match engine.as_str() {
            "sqlite" => None,
            "postgres" => Some(new_database().await),
            other => panic!("{other} is neither `sqlite` nor `postgres`"),
        };
        let store = database.map(|url| format!("store.url={url}"));
        let mut settings = vec!["domain=h"];
        settings.extend(store.as_deref());
        let mut server = TestServer::start(&settings).await;
        let begun = Instant::now();
        gather(&server, size / EACH, EACH).await;
        let loaded = begun.elapsed();
        // Nothing is to be in memory.
        let begun = Instant::now();
        server.restart().await;
        println!(
            "{size} messages for {} users: loaded in {:.0} s, restarted in {:.2} s",
            size / EACH,
            loaded.as_secs_f64(),
            begun.elapsed().as_secs_f64()
        );
        for user in 0..SAMPLES.min(size / EACH) {
            server
                .set_password(&member(spread(user, size)), "secret")
                .await;
        }
        servers.push((size, server, Figures::default()));
    }
    for user in 0..SAMPLES {
        for (size, server, figures) in &mut servers {
            if user < *size / EACH {
                fetch(server, &member(spread(user, *size)), figures).await;
            }
        }
    }
    println!("{:32} {:>12} {:>12}  ratio", engine, sizes[0], sizes[1]);
    let (few, many) = (servers[0].2.clone(), servers[1].2.clone());
    let share = |share: usize| move |times: &[Duration]| times[times.len() * share / 100];
    for (name, few, many) in [
        ("login", few.login, many.login),
        ("retrieval of 10 messages", few.retrieval, many.retrieval),
    ] {
        let (mut few, mut many) = (few, many);
        few.sort_unstable();
        many.sort_unstable();
        for (which, pick) in [("p50", share(50)), ("p90", share(90))] {
            let (few, many) = (pick(&few), pick(&many));
            println!(
                "{:32} {:>9.2} ms {:>9.2} ms {:>6.2}",
                format!("{name}, {which}"),
                few.as_secs_f64() * 1e3,
                many.as_secs_f64() * 1e3,
                many.as_secs_f64() / few.as_secs_f64()
            );
        }
    }
    for (_, mut server, _) in servers {
        server.stop().await;
    }
}

/// Users here and there, not those whose rows lie together.
fn spread(user: usize, size: usize) -> usize {
    user * (size / EACH / SAMPLES.min(size / EACH))
}

async fn new_database() -> String {
    let made = tokio::task::spawn_blocking(|| {
        static ONLY: std::sync::OnceLock<Option<Cluster>> = std::sync::OnceLock::new();
        let cluster = ONLY.get_or_init(|| Cluster::start("on"));
        cluster.as_ref().expect("PostgreSQL").database()
    });
    made.await.expect("a database")
}

/// One user logs in and takes all that waits for him.
async fn fetch(server: &TestServer, user: &str, figures: &mut Figures) {
    let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Wbxml).await;
    let begun = Instant::now();
    client
        .login_with_password(user, "secret")
        .await
        .expect_code(200);
    figures.login.push(begun.elapsed());
    let begun = Instant::now();
    let messages = client.messages().await;
    figures.retrieval.push(begun.elapsed());
    assert_eq!(messages.len(), EACH, "{user}");
}
