//! Tasks of the project: `cargo xtask test` runs all that CI runs.
//!
//! Nothing but the standard library is used, so that this builds in seconds from a fresh
//! clone. What each subcommand does, step by step, stands in [`SUBCOMMANDS`].

#![forbid(unsafe_code)]
// A task runner talks to the person at the terminal.
#![allow(clippy::print_stdout)]

mod map_data;
mod peers;
mod step;

use std::process::ExitCode;
use step::{Invocation, Run, Step, cargo};

/// A subcommand: its name with flags, what it is for, its steps in order.
type Subcommand = (&'static str, &'static str, fn() -> Vec<Step>);

const SUBCOMMANDS: &[Subcommand] = &[
    (
        "test",
        "everything that CI runs; installs the Debian packages that the peers come from",
        full_test,
    ),
    (
        "test --fast",
        "format, lints and tests; installs nothing, skips peers that are missing",
        fast_test,
    ),
    ("lint", "format and lints", lint),
    (
        "crash-test",
        "kill -9 of the server under load, twenty times",
        crash_test,
    ),
    (
        "model-test",
        "random steps against the reference of instant messaging, ten minutes on each engine",
        model_test,
    ),
    (
        "map-data",
        "makes the data of the maps anew, of packages of npm and PyPI",
        map_data,
    ),
];

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    match SUBCOMMANDS.iter().find(|(name, ..)| *name == wanted) {
        Some((_, _, steps)) => Run::of(&steps()),
        None => {
            println!("Usage: cargo xtask SUBCOMMAND\n");
            for (name, purpose, _) in SUBCOMMANDS {
                println!("  {name:<14} {purpose}");
            }
            ExitCode::from(if wanted.is_empty() { 0 } else { 2 })
        }
    }
}

fn full_test() -> Vec<Step> {
    let mut steps = vec![Step::call(
        "peers: the programs that the tests talk to",
        peers::install,
    )];
    steps.extend(lint());
    steps.extend([
        build(),
        Step::run("tests", tests().env("HAMLET_REQUIRE_PEERS", "1")),
        Step::run(
            "documentation",
            cargo(&["doc", "--profile", PROFILE, "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        ),
    ]);
    steps
}

fn fast_test() -> Vec<Step> {
    let mut steps = lint();
    steps.extend([build(), Step::run("tests", tests())]);
    steps
}

fn tests() -> Invocation {
    cargo(&["test", "--profile", PROFILE, "--workspace"]).env("HAMLET_BUILT", "1")
}

/// The same test with fewer kills is among the others.
fn crash_test() -> Vec<Step> {
    let test = [
        "test",
        "--profile",
        PROFILE,
        "--workspace",
        "--test",
        "durability",
    ];
    let filter = ["--", "--nocapture", "kill_dash_9"];
    vec![
        build(),
        Step::run(
            "crash test",
            cargo(&test)
                .args(&filter)
                .env("HAMLET_BUILT", "1")
                .env("HAMLET_CRASHES", "20"),
        ),
    ]
}

/// Fixed seeds of it are among the other tests.
fn model_test() -> Vec<Step> {
    let test = [
        "test",
        "--profile",
        PROFILE,
        "--workspace",
        "--test",
        "model",
    ];
    let engine = |name, filter| {
        Step::run(
            name,
            cargo(&test)
                .args(&["--", "--nocapture", filter])
                .env("HAMLET_BUILT", "1")
                .env("HAMLET_MODEL_SECONDS", "600"),
        )
    };
    vec![
        build(),
        engine("on SQLite", "on_sqlite"),
        engine("on PostgreSQL", "on_postgresql"),
    ]
}

fn map_data() -> Vec<Step> {
    vec![
        Step::call("packages", map_data::fetch),
        Step::call("conversion", map_data::convert),
    ]
}

/// The profile of everything here: it compiles in half the time of `release`.
const PROFILE: &str = "tested";

fn lint() -> Vec<Step> {
    vec![
        Step::run("format", cargo(&["fmt", "--all", "--check"])),
        Step::run(
            "lints",
            cargo(&["clippy", "--profile", PROFILE, "--workspace"]).args(&[
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
        ),
    ]
}

/// The end-to-end tests start the programs of the workspace, which `cargo test` alone
/// builds only for packages that have integration tests of their own. With the tests, so that
/// features which only they need do not make everything compile once more.
fn build() -> Step {
    Step::run(
        "build",
        cargo(&[
            "build",
            "--profile",
            PROFILE,
            "--workspace",
            "--all-targets",
        ]),
    )
}

#[cfg(test)]
mod tests {
    use crate::step::root;
    use std::collections::BTreeSet;

    #[test]
    fn every_dependency_has_a_line_that_says_why() {
        let read = |name| std::fs::read_to_string(root().join(name)).unwrap();
        let manifest = read("Cargo.toml");
        let (_, after) = manifest.split_once("[workspace.dependencies]\n").unwrap();
        let declared: BTreeSet<&str> = after
            .lines()
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| line.split_once(" = "))
            .filter(|(_, value)| !value.contains("path = "))
            .map(|(name, _)| name)
            .collect();
        let document = read("docs/dependencies.md");
        let explained: BTreeSet<&str> = document
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
            .map(|(name, _)| name)
            .filter(|name| *name != "Crate")
            .collect();
        assert_eq!(declared, explained);
    }
}
