//! One publisher with many online subscribers: what a change of his status costs. Then many
//! subscriptions: how soon a server is back with them.
//!
//! `cargo run --release -p hamlet-tests --example presence_fan_out -- [SUBSCRIBERS [SESSIONS PUBLISHERS]]`:
//! without more, 10,000 subscribers, and then 1000 sessions that watch 100 publishers each.

use hamlet_tests::fan_out::{Crowd, publisher_client};
use hamlet_tests::process::Hamletd;
use hamlet_tests::server::CONTACTS;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() {
    let words: Vec<usize> = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("a number"))
        .collect();
    let word = |at: usize, usual: usize| words.get(at).copied().unwrap_or(usual);
    fan_out(word(0, 10_000)).await;
    restart(word(1, 1000), word(2, 100)).await;
}

fn settings() -> [&'static str; 6] {
    [
        "domain=h",
        "accounts.auto_register=true",
        "log.level=warn,hamletd=info",
        CONTACTS,
        "presence.window=0s",
        "session.ttl_default=1h",
    ]
}

async fn fan_out(count: usize) {
    let server = Hamletd::start(&settings());
    let crowd = Crowd::gather(server.address(), count, 1).await;
    let mut publisher = publisher_client(server.address(), &crowd.publishers[0]).await;
    let before = server.resident_octets();
    crowd.subscribe().await;
    crowd.fetch("").await;
    let after = server.resident_octets();
    say(&format!(
        "{count} subscribers: resident {} MiB with their sessions, {} MiB with the subscriptions, {} octets a subscription",
        before >> 20,
        after >> 20,
        after.saturating_sub(before) / count as u64,
    ));
    let empty = timed(&server, || crowd.fetch("")).await;
    let told = {
        let (cpu, start) = (server.cpu_seconds(), Instant::now());
        crowd.publish(&mut publisher, "once").await;
        (start.elapsed(), server.cpu_seconds() - cpu)
    };
    let once = timed(&server, || crowd.fetch("once")).await;
    assert_eq!(
        (once.0.presences, once.0.right),
        (count, count),
        "fetchable"
    );
    let each = |seconds: f64| seconds * 1e6 / count as f64;
    say(&format!(
        "one change: answered after {:.1} ms; CPU of the server {:.1} µs a subscriber to queue, {:.1} µs to fetch and \
         acknowledge (an empty poll: {:.1} µs, ratio {:.1}); all fetched after {:.1} s",
        told.0.as_secs_f64() * 1e3,
        each(told.1),
        each(once.2),
        each(empty.2),
        each(once.2) / each(empty.2),
        once.1.as_secs_f64(),
    ));
    let (cpu, start) = (server.cpu_seconds(), Instant::now());
    for number in 0..10 {
        crowd
            .publish(&mut publisher, &format!("ten times, {number}"))
            .await;
    }
    let (changes, cpu) = (start.elapsed(), server.cpu_seconds() - cpu);
    let ten = timed(&server, || crowd.fetch("ten times, 9")).await;
    assert_eq!((ten.0.presences, ten.0.right), (count, count), "coalesced");
    say(&format!(
        "ten changes: {:.1} ms, CPU {:.1} µs a subscriber for all of them; one notice each, {:.1} µs to fetch",
        changes.as_secs_f64() * 1e3,
        each(cpu),
        each(ten.2),
    ));
}

/// What it does, how long, and with how much of the server's CPU time.
async fn timed<T, F: Future<Output = T>>(
    server: &Hamletd,
    work: impl FnOnce() -> F,
) -> (T, Duration, f64) {
    let (cpu, start) = (server.cpu_seconds(), Instant::now());
    let done = work().await;
    (done, start.elapsed(), server.cpu_seconds() - cpu)
}

async fn restart(sessions: usize, publishers: usize) {
    let mut server = Hamletd::start(&settings());
    let crowd = Crowd::gather(server.address(), sessions, publishers).await;
    let before = server.resident_octets();
    crowd.subscribe().await;
    let count = sessions * publishers;
    let grown = server.resident_octets().saturating_sub(before);
    server.kill();
    let start = Instant::now();
    server.start_again();
    let back = start.elapsed();
    let told = crowd.fetch("").await;
    assert_eq!(told.presences, count, "everybody hears how it is");
    say(&format!(
        "{count} subscriptions of {sessions} sessions: {} octets each; killed, serving again after {:.2} s, resident {} \
         MiB; every session has been told everything again after {:.1} s",
        grown / count as u64,
        back.as_secs_f64(),
        server.resident_octets() >> 20,
        start.elapsed().as_secs_f64(),
    ));
}

#[allow(clippy::print_stdout)] // It is what the program is for.
fn say(line: &str) {
    println!("{line}");
}
