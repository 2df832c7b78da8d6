//! The limit of open files.

use hamlet_tests::process::Hamletd;
use std::ffi::OsStr;

/// Starts a server whose soft and hard limits are these.
fn limited(soft: u32, hard: u32, settings: &[&str]) -> Hamletd {
    let limits = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$@\"");
    let wrapper = ["sh", "-c", &limits, "sh"].map(OsStr::new);
    Hamletd::start_under(&wrapper, settings)
}

#[test]
fn the_server_raises_its_own_limit_of_open_files_and_says_when_it_is_too_low() {
    let enough = limited(200, 1000, &["domain=h", "http.max_connections=500"]);
    let lines = enough.logged("limit of open files");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains("before=\"200\" limit=\"1000\""),
        "{lines:?}"
    );

    let short = limited(200, 1000, &["domain=h", "http.max_connections=2000"]);
    let lines = short.logged("limit of open files is too low");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains("WARN") && lines[0].contains("needed=21"),
        "{lines:?}"
    );
}
