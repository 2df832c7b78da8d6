//! The configuration: one table, three sources, errors that help.

use hamletd::config::{self, Listen, Pse, Size};
use hamletd::{Config, ConfigError, admin};
use std::path::Path;
use std::time::Duration;

fn error(sets: &[&str]) -> String {
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    Config::load(None, &sets).unwrap_err().to_string()
}

fn from_toml(text: &str) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    config.read_toml(text, Path::new("hamlet.toml"))?;
    Ok(config)
}

#[test]
fn every_default_fits_its_type_and_the_whole() {
    let config = Config::default();
    config.check().unwrap();
    for key in Config::keys() {
        let mut other = Config::default();
        other.set(key.name, key.default).unwrap();
        assert_eq!((key.show)(&other), (key.show)(&config), "{}", key.name);
        // What is shown can be set again.
        other.set(key.name, &(key.show)(&config)).unwrap();
        assert!(other.is_set(key.name) && !config.is_set(key.name));
        assert!(!key.doc.trim().is_empty(), "{}", key.name);
    }
}

#[test]
fn no_key_is_declared_twice() {
    let mut names: Vec<&str> = Config::keys().iter().map(|key| key.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_names_that_others_rely_on_exist() {
    for name in [
        "domain",
        "data_dir",
        "http.listen",
        "admin.listen",
        "ssp.listen",
        "cir.tcp.listen",
        "cir.udp.listen",
        "accounts.auto_register",
        "trace.dir",
        "store.url",
    ] {
        assert!(Config::keys().iter().any(|key| key.name == name), "{name}");
    }
}

#[test]
fn the_references_in_docs_are_up_to_date() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (name, now, command) in [
        ("configuration.md", config::reference(), "config-reference"),
        (
            "metrics.md",
            admin::metrics_reference(),
            "metrics-reference",
        ),
    ] {
        let text = std::fs::read_to_string(docs.join(name)).unwrap_or_default();
        assert!(
            text == now,
            "docs/{name} is old; run: cargo run --release -- {command} > docs/{name}"
        );
    }
}

#[test]
fn a_file_sets_values_of_every_kind() {
    let config = from_toml(
        r#"
        domain = "IM.Example.org"
        accounts.auto_register = true
        [http]
        listen = "[::1]:0"
        max_body = 65536
        [http.tls]
        certificate = "cert.pem"
        [session]
        ttl_min = "45s"
        [elements]
        presence = "pse.example"
        presence_of = ["a.example", "b.example"]
        "#,
    )
    .unwrap();
    assert_eq!(config.domain.as_str(), "im.example.org");
    assert!(config.accounts.auto_register);
    assert_eq!(config.http.listen, Listen(Some("[::1]:0".parse().unwrap())));
    assert_eq!(config.http.max_body, Size(65_536));
    assert_eq!(
        config.http.tls_certificate.as_deref(),
        Some(Path::new("cert.pem"))
    );
    assert_eq!(config.session.ttl_min, Duration::from_secs(45));
    assert!(
        matches!(config.elements.presence, Pse::Domain(domain) if domain.as_str() == "pse.example")
    );
}

#[test]
fn the_command_line_overrides_the_file_and_the_file_the_defaults() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hamlet.toml");
    std::fs::write(&path, "domain = \"file.example\"\nposted = 1\n").unwrap();
    let unknown = Config::load(Some(&path), &[]).unwrap_err().to_string();
    assert!(
        unknown.contains("hamlet.toml, line 2: unknown key `posted`"),
        "{unknown}"
    );

    std::fs::write(&path, "domain = \"file.example\"\n[poll]\nmin = \"10s\"\n").unwrap();
    let sets = [
        "domain=first.example".to_owned(),
        "domain=last.example".to_owned(),
    ];
    let config = Config::load(Some(&path), &sets).unwrap();
    assert_eq!(config.domain.as_str(), "last.example");
    assert_eq!(config.poll.min, Duration::from_secs(10));
    assert_eq!(config.log.format, config::LogFormat::Text);
}

#[test]
fn an_unknown_key_names_its_neighbours() {
    assert_eq!(
        error(&["http.lisen=127.0.0.1:1"]),
        "--set: unknown key `http.lisen`; did you mean `http.listen`?"
    );
    assert_eq!(
        error(&["nothing.like.it=1"]),
        "--set: unknown key `nothing.like.it`; `hamletd config-reference` lists the keys"
    );
}

#[test]
fn a_bad_value_says_what_is_expected() {
    for (set, message) in [
        (
            "http.listen=localhost",
            "--set: http.listen cannot be `localhost`; expected an IP address and a port such as \
             `127.0.0.1:8080`, `0.0.0.0:80` or `[::]:80`, or `off`",
        ),
        (
            "accounts.auto_register=yes",
            "--set: accounts.auto_register cannot be `yes`; expected `true` or `false`",
        ),
        (
            "poll.min=30",
            "--set: poll.min cannot be `30`; expected a time with its unit such as `500ms`, `30s`, \
             `5min`, `24h` or `7d`",
        ),
        ("domain", "--set domain: expected KEY=VALUE"),
    ] {
        assert_eq!(error(&[set]), message);
    }
    let leak = error(&["store.url=mysql://u:secret@h/d"]);
    assert!(
        leak.contains("mysql://u:***@h/d") && !leak.contains("secret"),
        "{leak}"
    );
}

#[test]
fn a_value_of_the_wrong_kind_in_a_file_is_refused_with_its_line() {
    for (text, line) in [
        ("http.max_body = [1, 2]", 1),
        ("\n\nprovider.name = [\"a\"]", 3),
        ("domain = 1.5e3\nprovider.url = \"a\\nb\"", 2),
        ("[im]\nvalidity_max = 1979-05-27", 2),
        ("[http\n", 1),
        ("domain = \"a\"\ndomain = \"b\"", 2),
    ] {
        let message = from_toml(text).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("hamlet.toml, line {line}: ")),
            "{text:?}: {message}"
        );
    }
}

#[test]
fn values_that_contradict_each_other_are_all_named() {
    let message = error(&[
        "session.ttl_min=2h",
        "http.tls.listen=127.0.0.1:0",
        "im.max_content=80MiB",
        "http.max_connections=0",
        "elements.presence=localhost",
    ]);
    for part in [
        "session.ttl_min",
        "http.tls.listen needs",
        "im.quota_size",
        "http.max_body",
        "http.max_connections",
        "elements.presence",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let message = error(&["http.listen=off"]);
    assert!(message.contains("no client could connect"), "{message}");
}
