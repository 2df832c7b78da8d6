//! What the terminal says when a server starts that has no accounts yet.

use crate::Server;
use crate::config::{Config, RegisterBy};
use std::net::SocketAddr;

/// What to try next, for somebody who has never seen Hamlet. `by_cargo`: the server was
/// started by `cargo run`, so its companions are too.
pub fn welcome(config: &Config, server: &Server, by_cargo: bool) -> String {
    let domain = &config.domain;
    let (hamletd, hamlet) = match by_cargo {
        true => ("cargo run --release --", "cargo run --release -p hamlet --"),
        false => ("hamletd", "hamlet"),
    };
    let data_dir = match config.is_set("data_dir") {
        true => format!(" --set data_dir={}", config.data_dir.display()),
        false => String::new(),
    };
    // A certificate is for a name, not for the address that is listened at.
    let port = server.https_addr().map_or(443, |address| address.port());
    let url = server.http_addr().map_or_else(
        || format!("https://{domain}:{port}/"),
        |address| format!("http://{}/", reachable(address)),
    );
    let anybody = config.accounts.register_by == RegisterBy::Anybody;
    let accounts = match config.accounts.auto_register && anybody {
        true => "Anybody who logs in gets an account (accounts.auto_register).".to_owned(),
        false => format!(
            "Make two accounts, in another terminal:\n\n  \
             {hamletd} user add{data_dir} wv:alice@{domain} --password pw1\n  \
             {hamletd} user add{data_dir} wv:bob@{domain} --password pw2"
        ),
    };
    format!(
        "\
Hamlet serves the domain {domain}; clients connect to {url}

{accounts}

Then let them talk:

  {hamlet} --server {url} --user wv:bob@{domain} --password pw2 receive
  {hamlet} --server {url} --user wv:alice@{domain} --password pw1 send wv:bob@{domain} 'Hello Bob'

A phone wants {url} as its server address (see \"Set up a phone\" in README.md).
`{hamletd} --help` shows what else there is. Stop with Ctrl-C.
"
    )
}

/// An address that can be connected to from this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
