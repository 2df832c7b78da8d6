//! How fast messages go through the store: N tasks, each of which puts a message into a
//! mailbox together with its idempotence record, waits for the commit, takes the message
//! out again, waits, and so on, as sender and receiver of a chat do.
//!
//! `cargo run --release -p hamlet-store --example writes -- [STORE [TASKS [SECONDS]]]`;
//! STORE is a path or a `postgres://` URL, a new file by default.

#![allow(clippy::print_stdout)]

use hamlet_model::{Domain, Timestamp, UserId};
use hamlet_store::{MailboxEntry, MailboxKind, Quota, Store, StoreConfig, StoreError, StoreUrl};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const QUOTA: Quota = Quota {
    messages: 1000,
    bytes: 10_000_000,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = tempfile::tempdir()?;
    let url = match arguments.next() {
        Some(url) => url.parse::<StoreUrl>()?,
        None => StoreUrl::Sqlite(directory.path().join("store.db")),
    };
    let tasks: u64 = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;

    let store = tokio::task::block_in_place(|| Store::open(&StoreConfig::new(url)))?;
    let (done, before) = (Arc::new(AtomicU64::new(0)), store.metrics());
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let running: Vec<_> = (0..tasks)
        .map(|task| tokio::spawn(chat(store.clone(), task, end, done.clone())))
        .collect();
    for task in running {
        task.await??;
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let (messages, after) = (done.load(Relaxed), store.metrics());
    let (writes, commits) = (after.writes - before.writes, after.commits - before.commits);
    println!("{tasks} tasks, {elapsed:.1} s");
    println!("{:10.0} messages/s", messages as f64 / elapsed);
    println!("{:10.0} writes/s", writes as f64 / elapsed);
    println!("{:10.0} commits/s", commits as f64 / elapsed);
    let statements = (after.statements - before.statements) as f64;
    println!("{:10.2} statements/message", statements / messages as f64);
    println!(
        "{:10.2} writes/commit, {} at most",
        writes as f64 / commits as f64,
        after.batch_max
    );
    println!("{:10} transactions run again", after.retries);
    store.close().await;
    Ok(())
}

/// Sends and receives until the end.
async fn chat(
    store: Store,
    task: u64,
    end: Instant,
    done: Arc<AtomicU64>,
) -> Result<(), StoreError> {
    let home = Domain::parse("im.example").expect("a domain");
    let recipient = UserId::parse(&format!("user{task}"), &home).expect("a user");
    let expires = Timestamp::now().plus(Duration::from_secs(86_400));
    let mut number = 0;
    while Instant::now() < end {
        number += 1;
        let entry = MailboxEntry {
            recipient: recipient.clone(),
            id: format!("{task:x}-{number:x}-{}", expires.millis()),
            kind: MailboxKind::Message,
            expires,
            size: 100,
            payload: vec![b'x'; 600],
        };
        let (taken, scope) = (entry.clone(), format!("session-{task}"));
        store
            .write(move |tx| {
                tx.put_mailbox(&entry, &QUOTA)?;
                tx.remember(&scope, &entry.id, 7, entry.id.as_bytes(), expires)
            })
            .await?;
        store
            .write(move |tx| tx.take_mailbox(&taken.recipient, &taken.id))
            .await?;
        done.fetch_add(1, Relaxed);
    }
    Ok(())
}
