//! Many sessions that watch a few publishers, for measurements and, in small, for tests.

use crate::client::{Client, user};
use crate::element::Element;
use futures::StreamExt;
use hamlet_csp::{Syntax, Version};
use std::net::SocketAddr;

/// What is done at a time.
const CONCURRENT: usize = 16;

/// Watchers, each with a session, and the publishers that all of them watch.
pub struct Crowd {
    server: SocketAddr,
    /// Sessions of the watchers.
    pub sessions: Vec<String>,
    /// Addresses of the publishers.
    pub publishers: Vec<String>,
}

/// What watchers have fetched.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// PresenceNotification-Requests.
    pub primitives: usize,
    /// Presence elements in them.
    pub presences: usize,
    /// Watchers for whom the newest status text of every publisher that they were told of is
    /// the one that was looked for.
    pub right: usize,
}

impl Crowd {
    /// Logs in publishers, and watchers who have them in their list. The server makes accounts
    /// by itself, and lets contacts see each other (`CONTACTS`).
    pub async fn gather(server: SocketAddr, watchers: usize, publishers: usize) -> Self {
        let publishers: Vec<String> = (0..publishers).map(|n| format!("wv:p{n}@h")).collect();
        for publisher in &publishers {
            publisher_client(server, publisher).await;
        }
        let members: String = publishers
            .iter()
            .map(|publisher| format!("<UserID>{publisher}</UserID>"))
            .collect();
        let one = |number: usize| {
            let members = &members;
            async move {
                let name = format!("wv:w{number}@h");
                let mut client =
                    Client::login(server, Version::V1_2, Syntax::Wbxml, &name, "secret").await;
                let add = format!(
                    "<ListManage-Request><ContactList>wv:w{number}/friends@h</ContactList><AddNickList>{members}</AddNickList>\
                     </ListManage-Request>"
                );
                client.request(&add).await.expect_code(200);
                client.session
            }
        };
        let sessions = futures::stream::iter(0..watchers)
            .map(one)
            .buffered(CONCURRENT)
            .collect()
            .await;
        Self {
            server,
            sessions,
            publishers,
        }
    }

    /// Every watcher subscribes to online status and status text of every publisher.
    pub async fn subscribe(&self) {
        let targets: String = self.publishers.iter().map(|p| user(p)).collect();
        let request = format!(
            "<SubscribePresence-Request>{targets}<PresenceSubList><OnlineStatus/><StatusText/></PresenceSubList>\
             </SubscribePresence-Request>"
        );
        self.for_each(|mut client| {
            let request = &request;
            async move { client.request(request).await.expect_status(200) }
        })
        .await;
    }

    /// The publisher says something.
    pub async fn publish(&self, publisher: &mut Client, text: &str) {
        let update = format!(
            "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue>\
             </StatusText></PresenceSubList></UpdatePresence-Request>"
        );
        publisher.request(&update).await.expect_status(200);
    }

    /// Every watcher polls until nothing more comes, and acknowledges.
    pub async fn fetch(&self, text: &str) -> Fetched {
        let fetched = self
            .for_each(|mut client| async move {
                let came = client.drain().await;
                let presences: Vec<_> = came.iter().flat_map(|one| one.all("Presence")).collect();
                let said = |one: &&Element| {
                    one.text("PresenceSubList/StatusText/PresenceValue") == Some(text)
                };
                Fetched {
                    primitives: came.len(),
                    presences: presences.len(),
                    right: usize::from(presences.iter().any(said)),
                }
            })
            .await;
        fetched
            .into_iter()
            .fold(Fetched::default(), |all, one| Fetched {
                primitives: all.primitives + one.primitives,
                presences: all.presences + one.presences,
                right: all.right + one.right,
            })
    }

    async fn for_each<T, F: Future<Output = T>>(&self, work: impl Fn(Client) -> F) -> Vec<T> {
        let work = &work;
        let one = |session: &String| {
            let session = session.clone();
            async move {
                let mut client = Client::connect(self.server, Version::V1_2, Syntax::Wbxml).await;
                client.session = session;
                work(client).await
            }
        };
        futures::stream::iter(&self.sessions)
            .map(one)
            .buffered(CONCURRENT)
            .collect()
            .await
    }
}

/// A publisher's client.
pub async fn publisher_client(server: SocketAddr, publisher: &str) -> Client {
    Client::login(server, Version::V1_2, Syntax::Wbxml, publisher, "secret").await
}
