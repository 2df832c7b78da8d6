//! `hamlet bench` against a server in the test.

mod common;

use common::{Faults, Server, hamlet, succeed};
use serde_json::Value;
use std::collections::HashSet;

fn bench<'a>(server: &'a Server, rest: &[&'a str]) -> Vec<&'a str> {
    let mut line = vec![
        "bench",
        "--server",
        &server.url,
        "--password",
        "secret",
        "--json",
    ];
    line.extend(rest);
    line
}

fn figures(line: &[&str]) -> Value {
    serde_json::from_str(&succeed(line, b"")).unwrap()
}

#[test]
fn every_message_is_delivered_in_every_version_and_syntax() {
    for csp in ["1.1", "1.2", "1.3"] {
        for syntax in ["xml", "wbxml"] {
            let server = Server::start();
            let line = bench(
                &server,
                &[
                    "--pairs",
                    "3",
                    "--messages",
                    "60",
                    "--csp",
                    csp,
                    "--syntax",
                    syntax,
                ],
            );
            let figures = figures(&line);
            assert_eq!(figures["delivered"], 60, "{figures}");
            for none in ["lost", "duplicates", "altered", "errors"] {
                assert_eq!(figures[none], 0, "{none} in {figures}");
            }
            // Send, poll, acknowledge.
            assert_eq!(figures["requests"], 180, "{figures}");
        }
    }
}

#[test]
fn lost_and_altered_messages_are_counted_and_fail() {
    let server = Server::with(Faults {
        lose_every: Some(10),
        alter_every: Some(15),
        ..Faults::default()
    });
    let line = bench(
        &server,
        &["--pairs", "1", "--messages", "29", "--patience", "0"],
    );
    let output = hamlet(&line, b"");
    assert_eq!(output.status.code(), Some(1));
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&figures["lost"], &figures["altered"]),
        (&2.into(), &1.into())
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.trim(), "hamlet: 2 messages lost, 1 altered");
}

#[test]
fn the_journal_shows_that_nothing_was_lost_over_errors_and_lost_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("journal");
    let server = Server::with(Faults {
        fail_every: Some(13),
        forget_every: Some(29),
        ..Faults::default()
    });
    let path = journal.to_str().unwrap();
    let line = bench(
        &server,
        &[
            "--pairs",
            "2",
            "--messages",
            "40",
            "--keep-going",
            "--journal",
            path,
        ],
    );
    let figures = figures(&line);
    assert_eq!(figures["lost"], 0, "{figures}");
    assert!(figures["logins"].as_u64() > Some(0), "{figures}");
    let text = std::fs::read_to_string(journal).unwrap();
    let ids = |kind: &str| -> HashSet<String> {
        let of_kind = text.lines().filter(|line| line.starts_with(kind));
        of_kind
            .map(|line| line.split(' ').nth(1).unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("sent").len(), 40);
    assert!(ids("sent").is_subset(&ids("received")));
    assert!(!text.contains("altered"));
}

#[test]
fn without_keep_going_an_error_ends_a_pair_and_is_told() {
    let server = Server::with(Faults {
        fail_every: Some(40),
        ..Faults::default()
    });
    let line = bench(&server, &["--pairs", "1", "--messages", "100"]);
    let output = hamlet(&line, b"");
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["first_error"], "HTTP 500", "{figures}");
}

#[test]
fn empty_polls_are_measured() {
    let server = Server::start();
    let line = bench(&server, &["--pairs", "2", "--polls", "--seconds", "0.2"]);
    let figures = figures(&line);
    assert_eq!(figures["mode"], "polls");
    assert_eq!(figures["requests"], figures["empty_polls"]);
    assert!(figures["requests"].as_u64() > Some(0));
}

#[test]
fn the_baseline_is_measured_in_the_same_run() {
    let server = Server::start();
    let line = bench(
        &server,
        &[
            "--pairs",
            "2",
            "--seconds",
            "0.2",
            "--rounds",
            "2",
            "--baseline",
        ],
    );
    let figures = figures(&line);
    for mode in ["chat", "polls"] {
        assert!(figures[mode]["ratio"].as_f64() > Some(0.0), "{figures}");
        assert_eq!(figures[mode]["bare"]["errors"], 0, "{figures}");
    }
    assert!(figures["chat"]["bare"]["delivered"].as_u64() > Some(0));
}
