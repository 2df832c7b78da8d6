//! The client library with messages that wait (csp-im 3.3, 7), in all versions and syntaxes.

use hamlet_client::{Client, Delivery, Digest, Error, Incoming, Outgoing};
use hamlet_csp::{Syntax, Version};
use hamlet_model::{MessageId, StatusCode};
use hamlet_tests::server::TestServer;

async fn client(server: &TestServer, user: &str, version: Version, syntax: Syntax) -> Client {
    let mut client = Client::builder(&format!("http://{}/", server.address()))
        .version(version)
        .syntax(syntax)
        .user(format!("wv:{user}@h"))
        .password("secret")
        .digest(Digest::Sha)
        .connect()
        .await
        .expect("a connection");
    client.open().await.expect("a session");
    client
}

fn code(outcome: Result<impl std::fmt::Debug, Error>) -> StatusCode {
    match outcome {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_listed_fetched_rejected_and_forwarded() {
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut alice = client(&server, "alice", version, syntax).await;
            let mut bob = client(&server, "bob", version, syntax).await;
            let mut carol = client(&server, "carol", version, syntax).await;
            alice.set_delivery(Delivery::announce()).await.unwrap();
            let mut ids = Vec::new();
            for text in ["one", "two", "three"] {
                let sent = bob.send("wv:alice@h", Outgoing::text(text)).await.unwrap();
                ids.push(sent.message_id.expect("an id"));
            }
            let found = alice.waiting(None, Some(2)).await.unwrap();
            let listed: Vec<_> = found
                .messages
                .iter()
                .map(|info| MessageId::new(info.message_id.as_ref().unwrap()))
                .collect();
            assert_eq!(listed, ids[..2]);
            assert_eq!(found.total, (version == Version::V1_3).then_some(3));
            let incoming = alice.poll().await.unwrap().expect("an announcement");
            let Incoming::Notification(notice) = &incoming else {
                panic!("{incoming:?}");
            };
            assert_eq!(notice.message_id().as_ref(), Some(&ids[0]));
            alice.acknowledge(&incoming).await.unwrap();
            assert_eq!(alice.fetch(&ids[0]).await.unwrap().text(), "one");
            alice.confirm(&ids[0]).await.unwrap();
            assert_eq!(
                code(alice.fetch(&ids[0]).await),
                StatusCode::INVALID_MESSAGE_ID
            );
            let unknown = MessageId::new("unknown");
            let details = alice.reject(&[ids[1].clone(), unknown]).await.unwrap();
            assert_eq!(details.len(), 1);
            let forwarded = alice.forward(&ids[2], "wv:carol@h").await.unwrap();
            assert_eq!(forwarded.code, StatusCode::OK);
            assert_eq!(forwarded.message_id.is_some(), version == Version::V1_3);
            let incoming = carol.poll().await.unwrap().expect("a message");
            let Incoming::Message(message) = &incoming else {
                panic!("{incoming:?}");
            };
            assert_eq!(message.text(), "three");
            assert_eq!(message.sender().as_deref(), Some("wv:alice@h"));
            carol.acknowledge(&incoming).await.unwrap();
            assert!(alice.waiting(None, None).await.unwrap().messages.is_empty());
            // And pushed again.
            alice.set_delivery(Delivery::push().limit(5)).await.unwrap();
            for (text, pushed) in [("short", true), ("longer", false)] {
                bob.send("wv:alice@h", text).await.unwrap();
                let mut incoming = alice.poll().await.unwrap();
                while let Some(Incoming::Notification(notice)) = &incoming
                    && ids.contains(&notice.message_id().unwrap())
                {
                    incoming = alice.poll().await.unwrap();
                }
                let incoming = incoming.expect("something");
                let is_message = matches!(&incoming, Incoming::Message(_));
                assert_eq!(is_message, pushed, "{text} {incoming:?}");
                alice.acknowledge(&incoming).await.unwrap();
            }
            let group = Delivery::announce().group("wv:alice/none@h");
            assert_eq!(
                code(alice.set_delivery(group).await),
                StatusCode::NO_SUCH_GROUP
            );
            let history = alice.waiting(Some("wv:alice/none@h"), None).await;
            assert_eq!(code(history), StatusCode::NO_SUCH_GROUP);
            let left = alice.waiting(None, None).await.unwrap();
            for info in left.messages {
                let id = MessageId::new(info.message_id.unwrap());
                alice.reject(&[id]).await.unwrap();
            }
            for mut client in [alice, bob, carol] {
                client.logout().await.unwrap();
            }
        }
    }
}
