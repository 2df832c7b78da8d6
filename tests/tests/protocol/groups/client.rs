//! The client library in groups.

use super::GROUP;
use crate::content_store::{STORE, ask, basic, keep};
use hamlet_client::{Client, Incoming, Recipients, Syntax, Version};
use hamlet_tests::server::TestServer;
use std::time::Duration;

async fn client(server: &TestServer, name: &str, version: Version) -> Client {
    let url = format!("http://{}/", server.address());
    let builder = Client::builder(&url)
        .user(format!("wv:{name}@h"))
        .password("secret")
        .version(version)
        .syntax(Syntax::Wbxml);
    let mut client = builder.connect().await.expect("a server");
    client.open().await.expect("a session");
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_library_makes_joins_shares_and_leaves_groups() {
    for version in Version::ALL {
        let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
        let mut alice = client(&server, "alice", version).await;
        let mut bob = client(&server, "bob", version).await;
        let properties = vec![("Topic".to_owned(), "Snow".to_owned())];
        let made = alice
            .create_group(GROUP, properties)
            .await
            .expect("a group");
        assert!(made.details.is_empty());
        assert_eq!(alice.own_groups().await.expect("groups"), [GROUP]);
        let members = alice.group_members(GROUP).await.expect("members");
        assert_eq!(members.admins, ["wv:alice@h"]);
        alice.join_group(GROUP, Some("Ann")).await.expect("joined");
        let joined = bob.join_group(GROUP, Some("Bo")).await.expect("joined");
        let mut present = joined.present.clone();
        present.sort();
        assert_eq!(present, ["Ann", "Bo"], "{version:?}");
        bob.join_group(GROUP, Some("Bo")).await.expect_err("807");
        let path = keep(&server, &basic("alice"), b"a picture").await;
        let url = format!("http://im.example/x{path}");
        let to = Recipients::new().group(GROUP);
        alice
            .share("s1", vec![url.clone()], to, None, None)
            .await
            .expect("shared");
        let came = bob.next(Duration::from_secs(20)).await.expect("a session");
        let came = came.expect("an invitation");
        let Incoming::Invitation(invitation) = &came else {
            panic!("{came:?}");
        };
        assert_eq!(invitation.from.as_deref(), Some("wv:alice@h"));
        assert_eq!(invitation.urls, [url]);
        assert_eq!(ask(&server, "GET", &path, "", &[], b"").await.status, 200);
        bob.shown(&came).await.expect("acknowledged");
        let answered = bob.answer_invitation(&invitation.id, true, Some("Nice"));
        answered.await.expect("answered");
        // After the notices of who has come.
        let answer = loop {
            let came = alice.next(Duration::from_secs(20)).await;
            let came = came.expect("a session").expect("an answer");
            alice.acknowledge(&came).await.expect("acknowledged");
            if let Incoming::InvitationAnswer(answer) = came {
                break answer;
            }
        };
        assert_eq!((answer.id.as_str(), answer.accepted), ("s1", true));
        assert_eq!(answer.note.as_deref(), Some("Nice"));
        let invited = bob.invite_to_group("i", GROUP, "wv:alice@h", Some("Come"));
        invited.await.expect("invited");
        bob.leave_group(GROUP).await.expect("left");
        bob.leave_group(GROUP).await.expect_err("808");
        alice.delete_group(GROUP).await.expect("deleted");
    }
}
