//! The server of a run: in this process, where its clock and its store can be reached, or in
//! one of its own, where it can be killed.

use crate::reference::{QUOTA, address};
use crate::steps::CLIENTS_OF;
use hamlet_model::{Domain, GroupId};
use hamlet_tests::metrics::quiet;
use hamlet_tests::process::Hamletd;
use hamlet_tests::server::{AT_ONCE, TestServer};
use hamletd::control::Request;
use std::net::SocketAddr;
use std::time::Duration;

/// The password of everybody.
pub const PASSWORD: &str = "secret";

/// After this much time messages of short life have expired, and others have not.
const SHORT: Duration = Duration::from_secs(2 * 3600);

/// Where the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In this process.
    Here,
    /// In a process of its own.
    Apart,
}

/// The server.
pub enum Host {
    Here(Box<TestServer>),
    Apart(Hamletd),
}

impl Host {
    /// Starts one with its users; `store`: the URL of a PostgreSQL database, if it shall not
    /// be SQLite.
    pub async fn start(place: Place, store: Option<&str>) -> Self {
        let mut settings = vec![
            "domain=h".to_owned(),
            AT_ONCE.to_owned(),
            format!("im.quota_messages={QUOTA}"),
            "store.writers=2".to_owned(),
            "store.readers=2".to_owned(),
        ];
        settings.extend(store.map(|url| format!("store.url={url}")));
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        match place {
            Place::Here => {
                let server = TestServer::start(&settings).await;
                for user in 0..CLIENTS_OF.len() {
                    server.add_user(&address(user), PASSWORD).await;
                }
                Self::Here(Box::new(server))
            }
            Place::Apart => {
                let server = Hamletd::start(&settings);
                for user in 0..CLIENTS_OF.len() {
                    server.add_user(&address(user), PASSWORD);
                }
                Self::Apart(server)
            }
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Here(server) => server.address(),
            Self::Apart(server) => server.address(),
        }
    }

    /// Waits until the server has carried out everything that it was sent over connections that
    /// are closed by now, but for so many that are still open.
    pub async fn quiet(&self, open: usize) {
        let admin = match self {
            Self::Here(server) => server.admin_address(),
            Self::Apart(server) => server.admin_address(),
        };
        quiet(admin, open).await;
    }

    /// Ends the server, by kill -9 if it can be, and starts it again.
    pub async fn restart(&mut self) {
        match self {
            Self::Here(server) => server.restart().await,
            Self::Apart(server) => {
                server.kill();
                server.start_again();
            }
        }
    }

    /// The operator ends the sessions of a user who has some.
    pub async fn end_sessions(&self, user: usize) {
        let which = address(user);
        match self {
            Self::Here(server) => {
                server.operate(Request::SessionEnd { which }).await;
            }
            Self::Apart(server) => server.operate(&["session", "end", &which]),
        }
    }

    /// Messages of short life expire; false where time cannot be made to pass.
    pub async fn expire(&self) -> bool {
        match self {
            Self::Here(server) => {
                server.expire_after(SHORT).await;
                true
            }
            Self::Apart(_) => false,
        }
    }

    /// All sessions expire; false where time cannot be made to pass.
    pub async fn expire_sessions(&self) -> bool {
        match self {
            Self::Here(server) => {
                server.sweep_sessions_after(SHORT).await;
                true
            }
            Self::Apart(_) => false,
        }
    }

    /// The names of what the store holds for a user, oldest first, if that can be seen.
    pub async fn mailbox(&self, user: usize) -> Option<Vec<String>> {
        match self {
            Self::Here(server) => Some(server.mailbox(&address(user)).await),
            Self::Apart(_) => None,
        }
    }

    /// The names of what was said in a group, in the order of its log, if that can be seen.
    pub async fn said(&self, group: &str) -> Option<Vec<String>> {
        let Self::Here(server) = self else {
            return None;
        };
        let home = Domain::parse("h").expect("a domain");
        let group = GroupId::parse(group, &home).expect("a group");
        let read = server
            .store()
            .read(move |tx| tx.group_log(&group, 0, 10_000));
        let log = read.await.expect("a store that works");
        Some(log.iter().map(|said| said.message.to_string()).collect())
    }

    /// Ends the server.
    pub async fn stop(&mut self) {
        match self {
            Self::Here(server) => server.stop().await,
            Self::Apart(server) => server.kill(),
        }
    }
}
