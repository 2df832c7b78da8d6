//! Two domains in one process, each with clients of its own over sockets, joined by a relay
//! that passes bytes (architecture document 5.3.6.4, Figures 5 and 6; csp-im 5.3 item 10, 8;
//! csp-presence 10).

mod authorization;
mod blocking;
mod expiry;
mod figure_6;
mod groups;
mod invitations;
mod maps;
mod messages;
mod presence;

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, escape};
use hamlet_tests::element::Element;
use hamlet_tests::relay::{Faults, IMPATIENT, Net};
use hamlet_tests::server::TestServer;
use std::time::Duration;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What can go wrong between the domains; nothing of it is seen by the users.
const WEATHER: &[Faults] = &[
    Faults {
        lose: 0,
        repeat: false,
        reverse: false,
    },
    Faults {
        lose: 2,
        repeat: false,
        reverse: false,
    },
    Faults {
        lose: 0,
        repeat: true,
        reverse: false,
    },
    Faults {
        lose: 1,
        repeat: true,
        reverse: true,
    },
];

/// The domains `a`, where alice and carl live, and `b`, where bob and bert do.
struct Domains {
    a: TestServer,
    b: TestServer,
    net: Net,
    faults: Faults,
}

impl Domains {
    async fn start(faults: Faults) -> Self {
        Self::start_with(&[], &[], faults).await
    }

    async fn start_with(a: &[&str], b: &[&str], faults: Faults) -> Self {
        let a = TestServer::start(&[&["domain=a"], IMPATIENT, a].concat()).await;
        let b = TestServer::start(&[&["domain=b"], IMPATIENT, b].concat()).await;
        // The accounts of a domain whose contact lists are kept elsewhere get theirs there.
        let net = Net::join(("a", &a), ("b", &b), faults);
        for (server, users) in [
            (&a, ["wv:alice@a", "wv:carl@a"]),
            (&b, ["wv:bob@b", "wv:bert@b"]),
        ] {
            for user in users {
                server.add_user(user, "secret").await;
            }
        }
        Self { a, b, net, faults }
    }

    /// Stops the server of one domain and starts it again; the way between them is a new one.
    async fn restart(&mut self, domain: &str) {
        match domain {
            "a" => self.a.restart().await,
            _ => self.b.restart().await,
        }
        self.net = Net::join(("a", &self.a), ("b", &self.b), self.faults);
    }

    /// alice, with a client of 1.1.
    async fn alice(&self) -> Client {
        log_in(&self.a, Version::V1_1, Syntax::Xml, "wv:alice@a").await
    }

    /// carl, with a client of 1.2.
    async fn carl(&self) -> Client {
        log_in(&self.a, Version::V1_2, Syntax::Wbxml, "wv:carl@a").await
    }

    /// bob, with a client of 1.3.
    async fn bob(&self) -> Client {
        log_in(&self.b, Version::V1_3, Syntax::Wbxml, "wv:bob@b").await
    }
}

async fn log_in(server: &TestServer, version: Version, syntax: Syntax, user: &str) -> Client {
    Client::login(server.address(), version, syntax, user, "secret").await
}

/// A further client of a user.
async fn log_in_as(
    client_id: &str,
    server: &TestServer,
    version: Version,
    syntax: Syntax,
    user: &str,
) -> Client {
    let mut client = Client::connect(server.address(), version, syntax).await;
    client.client_id = client_id.to_owned();
    let answer = client.login_with_password(user, "secret").await;
    answer.expect_code(200);
    client
}

/// Polls and acknowledges until a server request comes that `wanted` takes.
async fn wait<T>(client: &mut Client, what: &str, wanted: impl Fn(&Element) -> Option<T>) -> T {
    let polls = async {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            pause.tick().await;
            if let Some(found) = client.take().await.as_ref().and_then(&wanted) {
                return found;
            }
        }
    };
    match tokio::time::timeout(PATIENCE, polls).await {
        Ok(found) => found,
        Err(_) => panic!("no {what} came"),
    }
}

/// Waits for a message; its text and its sender.
async fn message(client: &mut Client) -> (String, String) {
    wait(client, "message", |primitive| {
        let text = |path| primitive.text(path).unwrap_or_default().to_owned();
        (primitive.name == "NewMessage").then(|| {
            let sender = text("MessageInfo/Sender/User/UserID");
            (text("ContentData"), sender)
        })
    })
    .await
}

/// Puts users into the contact list `friends` of the client's user, who is `owner`.
async fn add_friends(client: &mut Client, owner: &str, friends: &[&str]) {
    let list = owner.replace('@', "/friends@");
    let users: String = friends
        .iter()
        .map(|user| format!("<UserID>{}</UserID>", escape(user)))
        .collect();
    let content = format!(
        "<ListManage-Request><ContactList>{list}</ContactList><AddNickList>{users}</AddNickList></ListManage-Request>"
    );
    client.request(&content).await.expect_code(200);
}
