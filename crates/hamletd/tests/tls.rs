//! HTTP over TLS, and certificates that change while the server runs.

mod support;

use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use support::{DEADLINE, Daemon, complaint};

/// Writes a certificate for `localhost` and its key; answers the certificate.
fn make_certificate(directory: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// Sends a GET over TLS as somebody who trusts that one certificate.
fn get(address: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<String> {
    get_path(address, trusted, "/")
}

fn get_path(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    path: &str,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut stream = StreamOwned::new(connection, stream);
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        // A server may close without TLS's own farewell.
        Err(error) if text.is_empty() => Err(error),
        _ => Ok(text),
    }
}

fn sets(directory: &Path) -> [String; 3] {
    let directory = directory.display();
    [
        "http.tls.listen=127.0.0.1:0".to_owned(),
        format!("http.tls.certificate={directory}/cert.pem"),
        format!("http.tls.key={directory}/key.pem"),
    ]
}

#[test]
fn http_is_served_over_tls_and_a_new_certificate_is_taken_at_sighup() {
    let directory = tempfile::tempdir().unwrap();
    let first = make_certificate(directory.path());
    let sets = sets(directory.path());
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    let mut daemon = Daemon::start(&directory.path().join("data"), &sets);
    let https = daemon.https.unwrap();
    let answer = get(https, &first).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    // Plain HTTP stays beside it.
    assert_eq!(support::get(daemon.http.unwrap(), "/", "").0, 405);

    let second = make_certificate(directory.path());
    assert!(get(https, &second).is_err(), "not read yet");
    daemon.signal(Signal::HUP);
    daemon.wait_for_log(|line| line["message"] == "certificate read again");
    get(https, &second).unwrap();
    assert!(get(https, &first).is_err());

    std::fs::write(directory.path().join("key.pem"), "nonsense").unwrap();
    daemon.signal(Signal::HUP);
    let error = daemon.wait_for_log(|line| line["level"] == "ERROR");
    assert!(error.to_string().contains("key.pem"), "{error}");
    get(https, &second).unwrap();
    daemon.stop();
}

#[test]
fn tls_alone_can_be_served() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = make_certificate(directory.path());
    let sets = sets(directory.path());
    let mut sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    sets.push("http.listen=off");
    let daemon = Daemon::start(&directory.path().join("data"), &sets);
    assert_eq!(daemon.http, None);
    get(daemon.https.unwrap(), &certificate).unwrap();
    let stdout = daemon.stop();
    assert!(
        stdout.contains("clients connect to https://localhost"),
        "{stdout}"
    );
}

#[test]
fn the_admin_interface_speaks_tls_when_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = make_certificate(directory.path());
    let [_, cert, key] = sets(directory.path());
    let sets = [cert.as_str(), &key, "admin.tls=true"];
    let daemon = Daemon::start(&directory.path().join("data"), &sets);
    let admin = daemon.admin.unwrap();
    let answer = get_path(admin, &certificate, "/healthz").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // What is no TLS neither gets an answer nor hinders others.
    let mut plain = TcpStream::connect(admin).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    get_path(admin, &certificate, "/healthz").unwrap();
}

#[test]
fn a_certificate_that_cannot_be_read_is_named_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let sets = sets(directory.path()).map(|set| format!("--set={set}"));
    let mut arguments: Vec<&str> = sets.iter().map(String::as_str).collect();
    arguments.extend(["--set=http.listen=off", "--set=admin.listen=off"]);
    let text = complaint(&directory.path().join("data"), &arguments);
    assert!(
        text.contains("cannot read ") && text.contains("cert.pem"),
        "{text}"
    );
}
