//! No 200 to a SendMessage leaves before the log that holds the message is on the disk.
//!
//! A killed process loses nothing that the kernel has, so the crash test cannot show this;
//! the order of the system calls does.

use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::process::{Hamletd, has_peer};
use std::collections::HashMap;
use std::ffi::OsStr;

const MESSAGES: usize = 20;
const SENDERS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_on_the_disk_before_it_is_acknowledged() {
    if !has_peer("strace") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let calls = "trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64,pwritev";
    let words = ["strace", "-f", "-y", "-s", "8192", "-e", calls, "-o"];
    let mut wrapper: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    wrapper.push(trace.as_os_str());
    let settings = ["domain=h", "accounts.auto_register=true", "log.level=info"];
    let mut server = Hamletd::start_under(&wrapper, &settings);
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let address = server.address();
            tokio::spawn(async move {
                let mut client =
                    Client::xml_1_2(address, &format!("wv:sender{sender}@h"), "secret").await;
                client
                    .send_text(&format!("wv:sender{sender}@h"), "warm")
                    .await
                    .expect_code(200);
                for number in 0..MESSAGES {
                    let marker = marker(sender, number);
                    let to = user(&format!("wv:sender{sender}@h"));
                    let content = send_message(&to, &format!("text-{marker}"), false);
                    client
                        .request_as(&format!("tid-{marker}"), &content)
                        .await
                        .expect_code(200);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    // strace passes the signal on and ends with its tracee.
    server.kill();
    let trace = std::fs::read_to_string(&trace).unwrap();
    let events = read(&trace);
    for sender in 0..SENDERS {
        for number in 0..MESSAGES {
            check(&events, &marker(sender, number));
        }
    }
}

fn marker(sender: usize, number: usize) -> String {
    format!("{sender}m{number:04}z")
}

/// A system call: the lines of the trace where it began and ended.
struct Call {
    name: String,
    text: String,
    began: usize,
    ended: usize,
}

impl Call {
    fn is_on_log(&self) -> bool {
        self.text.contains("-wal>")
    }
}

/// The calls of a trace of several threads, in the order in which they began.
fn read(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut unfinished: HashMap<&str, usize> = HashMap::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let rest = rest.trim_start();
        if rest.starts_with("<... ") {
            if let Some(index) = unfinished.remove(thread) {
                calls[index].ended = number;
            }
            continue;
        }
        let Some((name, _)) = rest.split_once('(') else {
            continue;
        };
        if rest.contains("<unfinished ...>") {
            unfinished.insert(thread, calls.len());
        }
        calls.push(Call {
            name: name.to_owned(),
            text: rest.to_owned(),
            began: number,
            ended: number,
        });
    }
    for (_, index) in unfinished {
        calls[index].ended = usize::MAX;
    }
    calls
}

/// write of the text to the log, then a sync of the log, then the answer on the socket.
fn check(calls: &[Call], marker: &str) {
    let text = format!("text-{marker}");
    let written = calls
        .iter()
        .find(|call| call.is_on_log() && call.name.contains("write") && call.text.contains(&text))
        .unwrap_or_else(|| panic!("{text} was never written to the log"));
    let id = format!("<TransactionID>tid-{marker}</TransactionID>");
    let answered = calls
        .iter()
        .find(|call| {
            !call.is_on_log() && call.text.contains("HTTP/1.1 200") && call.text.contains(&id)
        })
        .unwrap_or_else(|| panic!("{id} was never answered"));
    let synced = calls.iter().find(|call| {
        call.is_on_log()
            && call.name.ends_with("sync")
            && call.began > written.ended
            && call.ended < answered.began
    });
    assert!(
        synced.is_some(),
        "{marker}: written at {}, answered at {}, no sync between",
        written.ended,
        answered.began
    );
}
