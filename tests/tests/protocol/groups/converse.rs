//! Invitations to groups, and conversations that become groups (csp-group 7, 8).

use super::{EACH, GROUP, create, join, joined_names, nothing, property, set, take, with_group};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};

async fn invite(client: &mut Client, id: &str, to: &str) -> hamlet_tests::answer::Answer {
    let to = user(to);
    let content = format!(
        "<Invite-Request><InviteID>{id}</InviteID><InviteType>GR</InviteType><Recipient>{to}</Recipient>\
         <GroupID>{GROUP}</GroupID><InviteNote>Come!</InviteNote><Validity>600</Validity></Invite-Request>"
    );
    client.request(&content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_joins_and_says_so() {
    // 11.7. The owner invites before he joins (clients 4.9).
    for (version, syntax) in EACH {
        let (server, _) = with_group(&["alice", "bob", "carl"], &[]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        invite(&mut carl, "i", "wv:bob@h").await.expect_status(808);
        invite(&mut alice, "i1", "wv:bob@h")
            .await
            .expect_status(200);
        let came = take(&mut bob, "InviteUser-Request").await;
        assert_eq!(came.text("InviteType"), Some("GR"));
        assert_eq!(came.text("GroupID"), Some(GROUP));
        assert_eq!(came.text("InviteNote"), Some("Come!"));
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        let yes = "<InviteUser-Response><InviteID>i1</InviteID><Acceptance>T</Acceptance></InviteUser-Response>";
        bob.request(yes).await.expect_status(200);
        let told = take(&mut alice, "Invite-Response").await;
        assert_eq!(told.text("Acceptance"), Some("T"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_lets_a_stranger_into_a_restricted_group_once() {
    // 5.3 item 3, 7.
    for (version, syntax) in EACH {
        let (server, mut alice) =
            with_group(&["alice", "bob"], &[("Accesstype", "Restricted")]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        join(&mut bob, GROUP, "Bo").await.expect_status(810);
        invite(&mut alice, "i1", "wv:bob@h")
            .await
            .expect_status(200);
        take(&mut bob, "InviteUser-Request").await;
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        super::about(&mut bob, "LeaveGroup", GROUP)
            .await
            .expect_code(200);
        join(&mut bob, GROUP, "Bo").await.expect_status(810);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_can_ask_for_an_invitation() {
    // 5.3 item 4 (1.3).
    let (server, _) = with_group(&["alice", "bob"], &[]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Wbxml, "alice").await;
    let mut bob = server.client(Version::V1_2, Syntax::Xml, "bob").await;
    let needs = property("RequireInvitation", "T");
    set(&mut alice, GROUP, Some(&needs), None)
        .await
        .expect_status(200);
    join(&mut bob, GROUP, "Bo").await.expect_status(816);
    invite(&mut alice, "i1", "wv:bob@h")
        .await
        .expect_status(200);
    take(&mut bob, "InviteUser-Request").await;
    join(&mut bob, GROUP, "Bo")
        .await
        .expect("JoinGroup-Response");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_becomes_a_group() {
    // 8, 11.10: older clients are invited to a group like any other.
    for (version, syntax) in EACH {
        let server =
            hamlet_tests::server::TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
        let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        let extend = "<ExtendConversation-Request><ExtendConversationID>x1</ExtendConversationID>\
                      <UserIDList><UserID>wv:carl@h</UserID></UserIDList>\
                      <ExtendConversationUser><UserID>wv:bob@h</UserID></ExtendConversationUser>\
                      <SubscribeNotification>T</SubscribeNotification></ExtendConversation-Request>";
        let answer = alice.request(extend).await;
        let answer = answer.expect("ExtendConversation-Response");
        assert_eq!(answer.text("ExtendConversationID"), Some("x1"));
        assert_eq!(answer.text("Result/Code"), Some("200"));
        let group = answer.text("GroupID").expect("a group").to_owned();
        for client in [&mut bob, &mut carl] {
            let came = take(client, "InviteUser-Request").await;
            let kind = match version {
                Version::V1_3 => "EC",
                _ => "GR",
            };
            assert_eq!(came.text("InviteType"), Some(kind));
            assert_eq!(came.text("GroupID"), Some(group.as_str()));
            let joined = super::join_with(client, &group, "", "T", "").await;
            joined.expect("JoinGroup-Response");
        }
        let told = alice.drain().await;
        assert!(
            told.iter().any(|notice| notice.at("Joined").is_some()),
            "{told:#?}"
        );
        let again = alice.request(extend).await;
        assert_eq!(again.code(), Some(402), "the identifier is used");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_with_nobody_becomes_no_group() {
    let server = hamlet_tests::server::TestServer::with_users(&[], &["alice"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Wbxml, "alice").await;
    let extend = "<ExtendConversation-Request><ExtendConversationID>x1</ExtendConversationID>\
                  <ExtendConversationUser><UserID>wv:nobody@h</UserID></ExtendConversationUser></ExtendConversation-Request>";
    let answer = alice.request(extend).await;
    answer.expect("ExtendConversation-Response");
    assert_eq!(answer.code(), Some(531));
    nothing(&mut alice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_creator_who_joins_at_once_is_alone_in_it() {
    // 5.1, 11.1: a Status and nothing else.
    for (version, syntax) in EACH {
        let (server, _) = with_group(&["alice", "bob"], &[]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let made = create(&mut alice, "wv:alice/other@h", &[], Some("Ann")).await;
        made.expect_status(200);
        nothing(&mut alice).await;
        let mut bob = server.client(version, syntax, "bob").await;
        let joined = join(&mut bob, "wv:alice/other@h", "Bo").await;
        let joined = joined.expect("JoinGroup-Response");
        assert_eq!(joined_names(joined, version), ["Ann", "Bo"]);
    }
}
