//! A process that is killed: what it acknowledged is there, and was on the disk before it
//! was acknowledged. The process is this test program once more, running [`child`] only.

use crate::harness::{runtime, user};
use crate::mailbox::message;
use hamlet_store::{Quota, Store, StoreConfig, StoreError};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Tells the child where its database is.
const DATABASE: &str = "HAMLET_STORE_TEST_DATABASE";

/// Tells the child how many writes to do; without it, it does not stop.
const WRITES: &str = "HAMLET_STORE_TEST_WRITES";

const QUOTA: Quota = Quota {
    messages: u32::MAX,
    bytes: u64::MAX,
};

#[test]
#[ignore = "run by the other tests"]
fn child() {
    let Some(path) = std::env::var_os(DATABASE) else {
        return;
    };
    let store = Store::open(&StoreConfig::sqlite(path)).expect("open");
    match std::env::var(WRITES) {
        Ok(number) => runtime().block_on(write_one_by_one(&store, number.parse().expect("number"))),
        Err(_) => runtime().block_on(write_for_ever(&store)),
    }
}

async fn put(store: &Store, id: String) {
    let entry = message("anna", &id);
    store
        .write(move |tx| tx.put_mailbox(&entry, &QUOTA))
        .await
        .expect("put");
    // One system call, so that a line is whole or missing.
    let line = format!("ack {id}\n");
    std::io::stdout().write_all(line.as_bytes()).expect("write");
    std::io::stdout().flush().expect("flush");
}

async fn write_one_by_one(store: &Store, number: u32) {
    for number in 0..number {
        put(store, number.to_string()).await;
    }
    store.close().await;
}

async fn write_for_ever(store: &Store) {
    let writers = (0..8).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0.. {
                put(&store, format!("{writer}-{number}")).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("task");
    }
}

/// The command that runs the child, to be put behind that of a tracer.
fn child_command(tracer: Option<&mut Command>, database: &Path) -> Command {
    let program = std::env::current_exe().expect("own path");
    let mut command = match tracer {
        None => Command::new(program),
        Some(tracer) => {
            tracer.arg(program);
            std::mem::replace(tracer, Command::new("true"))
        }
    };
    command
        .args(["--exact", "crash::child", "--ignored", "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::piped());
    command
}

fn acknowledged(line: &str) -> Option<String> {
    // The test runner's own output may stand before it on the line.
    line.split_once("ack ").map(|(_, id)| id.to_owned())
}

#[test]
fn what_a_killed_process_acknowledged_is_there() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("store.db");
    let config = StoreConfig::sqlite(&path);
    let mut acks = HashSet::new();
    for round in 1..=5 {
        let mut child = child_command(None, &path).spawn().expect("spawn");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut more = 100 * round;
        let mut text = String::new();
        while more > 0 {
            text.clear();
            assert!(
                output.read_line(&mut text).expect("read") > 0,
                "the child ended"
            );
            if let Some(id) = acknowledged(text.trim_end()) {
                acks.insert(format!("{round}/{id}"));
                more -= 1;
            }
        }
        // A second process is kept out while the first lives.
        assert_eq!(
            Store::open(&config).err(),
            Some(StoreError::InUse(path.clone()))
        );
        child.kill().expect("kill");
        text.clear();
        output.read_to_string(&mut text).expect("read the rest");
        let rest = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        acks.extend(
            rest.filter_map(|line| acknowledged(line.trim_end()))
                .map(|id| format!("{round}/{id}")),
        );
        child.wait().expect("wait");
        let found = emptied(&config);
        let missing: Vec<_> = acks
            .iter()
            .filter_map(|ack| ack.strip_prefix(&format!("{round}/")))
            .filter(|id| !found.contains(*id))
            .collect();
        assert!(missing.is_empty(), "lost: {missing:?}");
    }
    assert!(acks.len() >= 1500);
}

/// Opens the store, takes everything out of the mailbox and returns the names; each entry
/// must be whole.
fn emptied(config: &StoreConfig) -> HashSet<String> {
    let store = Store::open(config).expect("open after the kill");
    let entries = runtime().block_on(async {
        let entries = store
            .write(|tx| {
                let entries = tx.mailbox(&user("anna"), usize::MAX)?;
                for entry in &entries {
                    tx.take_mailbox(&entry.recipient, &entry.id)?;
                }
                Ok(entries)
            })
            .await;
        store.close().await;
        entries.expect("empty the mailbox")
    });
    let whole = |entry: &hamlet_store::MailboxEntry| *entry == message("anna", &entry.id);
    assert!(entries.iter().all(whole));
    entries.into_iter().map(|entry| entry.id).collect()
}

#[test]
fn nothing_is_acknowledged_before_it_is_on_the_disk() {
    if !Command::new("strace")
        .arg("-V")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        let required = std::env::var_os("HAMLET_REQUIRE_PEERS").is_some();
        assert!(!required, "strace is required and not installed");
        eprintln!("skipped: strace is not installed");
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let trace = directory.path().join("trace");
    let mut strace = Command::new("strace");
    strace
        .args([
            "-f",
            "-y",
            "-s",
            "40",
            "-e",
            "trace=pwrite64,fsync,fdatasync,write",
        ])
        .arg("-o")
        .arg(&trace);
    let output = child_command(Some(&mut strace), &directory.path().join("store.db"))
        .env(WRITES, "25")
        .output()
        .expect("run strace");
    assert!(output.status.success(), "{output:?}");
    let trace = std::fs::read_to_string(trace).expect("trace");
    assert_eq!(acknowledgements_in_order(&trace), 25);
}

/// Checks that before each acknowledgement the log was written and then synchronised;
/// how many there were.
fn acknowledgements_in_order(trace: &str) -> usize {
    let (mut written, mut synced, mut acks) = (false, false, 0);
    let mut under_way: HashMap<&str, bool> = HashMap::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        let on_log = call.contains("-wal>");
        let synchronises = call.starts_with("fsync(") || call.starts_with("fdatasync(");
        if call.starts_with("pwrite64(") && on_log {
            (written, synced) = (true, false);
        } else if synchronises && call.contains("<unfinished") {
            under_way.insert(thread, on_log);
        } else if synchronises {
            synced |= on_log && call.ends_with("= 0");
        } else if call.starts_with("<... f") && call.contains("sync resumed") {
            synced |= under_way.remove(thread).unwrap_or(false) && call.ends_with("= 0");
        } else if call.starts_with("write(1") && call.contains("ack ") {
            assert!(written && synced, "acknowledged too early: {line}");
            (written, synced, acks) = (false, false, acks + 1);
        }
    }
    acks
}
