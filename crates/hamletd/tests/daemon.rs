//! How the server starts and stops, over the real program.

mod support;

use rustix::process::Signal;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use support::{DEADLINE, Daemon, complaint, get, hamletd, mode, output};

#[test]
fn the_first_start_says_what_to_try_next_and_makes_its_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let daemon = Daemon::start(&data_dir, &["domain=im.example"]);
    let http = daemon.http.unwrap();
    assert_eq!(mode(&data_dir), 0o700);
    for file in [
        "password.key",
        "admin.token",
        "control.sock",
        "hamletd.lock",
    ] {
        assert_eq!(mode(data_dir.join(file)), 0o600, "{file}");
    }
    let stdout = daemon.stop();
    let data_dir = data_dir.display();
    for part in [
        "Hamlet serves the domain im.example".to_owned(),
        format!("hamletd user add --set data_dir={data_dir} wv:alice@im.example --password pw1"),
        format!("hamlet --server http://{http}/ --user wv:alice@im.example --password pw1 send"),
    ] {
        assert!(stdout.contains(&part), "{part}\n{stdout}");
    }
}

#[test]
fn sigterm_and_sigint_stop_cleanly() {
    let directory = tempfile::tempdir().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let mut daemon = Daemon::start(directory.path(), &[]);
        let http = daemon.http.unwrap();
        // An open connection without a request does not hold the server up.
        let _idle = TcpStream::connect(http).unwrap();
        daemon.signal(signal);
        let (status, _) = daemon.wait();
        assert!(status.success(), "{signal:?}: {status}");
        assert!(
            daemon.seen.iter().any(|line| line.contains("\"stopped\"")),
            "{:#?}",
            daemon.seen
        );
        assert!(TcpStream::connect(http).is_err());
        assert!(!directory.path().join("control.sock").exists());
        // Closed in order, the store has nothing left in its log.
        let log = std::fs::metadata(directory.path().join("hamlet.db-wal"));
        assert_eq!(log.map_or(0, |log| log.len()), 0);
    }
}

/// Begins a request; answers when the server waits for its body.
fn begin_request(server: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.wv.csp.xml\r\n\
              Content-Length: 8\r\nExpect: 100-continue\r\n\r\n",
        )
        .unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[test]
fn a_request_that_is_under_way_is_answered_before_the_server_stops() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(directory.path(), &[]);
    let mut stream = begin_request(daemon.http.unwrap());
    daemon.signal(Signal::TERM);
    daemon.wait_for_log(|line| line["message"] == "stopping");
    stream.write_all(b"nonsense").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(daemon.wait().0.success());
}

#[test]
fn a_request_that_never_ends_does_not_keep_the_server_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(directory.path(), &["http.drain_timeout=1s"]);
    let _stuck = begin_request(daemon.http.unwrap());
    daemon.signal(Signal::TERM);
    assert!(daemon.wait().0.success());
}

#[test]
fn a_second_server_on_the_same_data_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &[]);
    let text = complaint(
        directory.path(),
        &["--set=http.listen=127.0.0.1:0", "--set=admin.listen=off"],
    );
    let expected = format!(
        "hamletd: the data directory {} is in use by another hamletd (process {})",
        directory.path().display(),
        daemon.pid()
    );
    assert_eq!(text, expected);
    output(directory.path(), &["user", "list"]);
    drop(daemon);
}

#[test]
fn an_address_in_use_is_named_and_nothing_stays_behind() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for key in ["http.listen", "admin.listen"] {
        let output = hamletd()
            .args([
                format!("--set=data_dir={}", directory.path().display()),
                "--set=http.listen=127.0.0.1:0".to_owned(),
                format!("--set={key}={address}"),
            ])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.contains(&format!("{key}: cannot listen at {address}: ")),
            "{text}"
        );
    }
    Daemon::start(directory.path(), &[]).stop();
}

#[test]
fn a_killed_server_leaves_nothing_that_hinders() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(directory.path(), &[]);
    output(
        directory.path(),
        &["user", "add", "alice", "--password", "pw"],
    );
    daemon.signal(Signal::KILL);
    daemon.wait();
    assert!(directory.path().join("control.sock").exists());
    // The dead socket is not mistaken for a server.
    assert_eq!(
        output(directory.path(), &["user", "list"]).lines().count(),
        1
    );
    let daemon = Daemon::start(directory.path(), &[]);
    assert_eq!(
        output(directory.path(), &["user", "list"]).lines().count(),
        1
    );
    daemon.stop();
}

#[test]
fn a_data_directory_with_a_long_path_works() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d".repeat(100)).join("e".repeat(100));
    let daemon = Daemon::start(&data_dir, &[]);
    output(&data_dir, &["user", "add", "alice", "--password", "pw"]);
    daemon.stop();
    assert!(!data_dir.join("control.sock").exists());
}

#[test]
fn what_is_set_but_not_served_is_said_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let sets = [
        "elements.presence_of=other.example",
        "ssp.listen=127.0.0.1:0",
    ];
    let daemon = Daemon::start(directory.path(), &sets);
    for key in ["elements.presence_of", "ssp.listen"] {
        let warned = daemon
            .seen
            .iter()
            .any(|line| line.contains("\"WARN\"") && line.contains(key));
        assert!(warned, "{key}: {:#?}", daemon.seen);
    }
    daemon.stop();
    let daemon = Daemon::start(directory.path(), &[]);
    assert!(
        !daemon.seen.iter().any(|line| line.contains("\"WARN\"")),
        "{:#?}",
        daemon.seen
    );
}

#[test]
fn health_and_metrics_are_open_on_loopback_and_the_rest_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &[]);
    let admin = daemon.admin.unwrap();
    assert_eq!(get(admin, "/healthz", "").0, 200);
    let (status, text) = get(admin, "/metrics", "");
    assert_eq!(status, 200);
    assert!(text.contains("hamlet_build_info{version="), "{text}");
    for metric in hamletd::admin::METRICS {
        assert!(
            text.contains(&format!("# HELP {} {}", metric.name, metric.help)),
            "{}",
            metric.name
        );
    }
    assert!(text.contains("hamlet_store_writes_total "), "{text}");
    assert!(text.trim_end().ends_with("# EOF"));

    let token = std::fs::read_to_string(directory.path().join("admin.token")).unwrap();
    let right = format!("Authorization: Bearer {token}\r\n")
        .replace('\n', "")
        .replace('\r', "")
        + "\r\n";
    assert_eq!(get(admin, "/users", "").0, 401);
    assert_eq!(
        get(admin, "/users", "Authorization: Bearer wrong\r\n").0,
        401
    );
    assert_eq!(get(admin, "/users", &right).0, 404);
}

#[test]
fn beyond_loopback_the_admin_interface_asks_for_its_token() {
    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("token");
    let set = format!("admin.token_file={}", token_file.display());
    let daemon = Daemon::start(
        &directory.path().join("data"),
        &[&set, "admin.listen=0.0.0.0:0"],
    );
    let port = daemon.admin.unwrap().port();
    let admin = SocketAddr::from(([127, 0, 0, 1], port));
    let token = std::fs::read_to_string(&token_file).unwrap();
    let right = format!("Authorization: bearer {}\r\n", token.trim());
    for path in ["/healthz", "/metrics"] {
        let (status, text) = get(admin, path, "");
        assert_eq!(status, 401, "{path}");
        assert!(
            text.to_lowercase().contains("www-authenticate: bearer"),
            "{text}"
        );
        let shortened = &right[..right.len() - 3];
        assert_eq!(
            get(admin, path, &format!("{shortened}\r\n")).0,
            401,
            "{path}"
        );
        assert_eq!(get(admin, path, &right).0, 200, "{path}");
    }
}
