//! The server on PostgreSQL.

#[path = "../../hamlet-store/tests/suite/cluster.rs"]
#[allow(dead_code)]
mod cluster;
mod support;

use support::{Daemon, get, hamletd};

#[test]
fn a_server_starts_on_postgresql_and_keeps_its_accounts_there() {
    let Some(cluster) = cluster::Cluster::shared() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let url = format!("store.url={}", cluster.database());
    let daemon = Daemon::start(directory.path(), &[&url]);
    assert_eq!(get(daemon.admin.unwrap(), "/healthz", "").0, 200);
    support::output(
        directory.path(),
        &["user", "add", "alice", "--password", "pw"],
    );
    daemon.stop();
    assert!(!directory.path().join("hamlet.db").exists());
    let set = format!("--set={url}");
    let list = support::output(directory.path(), &[&set, "user", "list"]);
    assert!(list.starts_with("wv:alice@localhost\t"), "{list}");
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    let directory = tempfile::tempdir().unwrap();
    let refused = hamletd()
        .args([
            format!("--set=data_dir={}", directory.path().display()),
            "--set=store.url=postgres://hamlet:s3cret@127.0.0.1:1/hamlet".to_owned(),
            "--set=http.listen=127.0.0.1:0".to_owned(),
        ])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(
        text.contains("127.0.0.1:1/hamlet cannot be opened"),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
}
