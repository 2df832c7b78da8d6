//! Content that is shared with a group (csp-access 10.2; architecture document B.4).

use super::{EACH, GROUP, about, join, nothing, take};
use crate::content_store::{STORE, ask, basic, keep};
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;

async fn share(client: &mut Client, id: &str, to: &str, url: &str) -> u16 {
    let content = format!(
        "<Invite-Request><InviteID>{id}</InviteID><InviteType>SC</InviteType>\
         <Recipient><Group><GroupID>{to}</GroupID></Group></Recipient>\
         <URLList><URL>{url}</URL></URLList><Validity>600</Validity></Invite-Request>"
    );
    let answer = client.request(&content).await;
    answer.expect("Status");
    answer.code().expect("a code")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_shared_with_those_who_are_there_and_those_who_come() {
    for (version, syntax) in EACH {
        let server = TestServer::with_users(STORE, &["alice", "bob", "carl"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        super::create(&mut alice, GROUP, &[], Some("Ann"))
            .await
            .expect_status(200);
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        alice.drain().await;
        let path = keep(&server, &basic("alice"), b"a picture").await;
        let url = format!("http://im.example/x{path}");
        assert_eq!(
            share(&mut carl, "c", GROUP, &url).await,
            808,
            "he is not in it"
        );
        assert_eq!(share(&mut alice, "s1", GROUP, &url).await, 200);
        let came = take(&mut bob, "InviteUser-Request").await;
        assert_eq!(came.text("InviteType"), Some("SC"));
        assert_eq!(came.texts("URLList/URL"), [url.as_str()]);
        let got = ask(&server, "GET", &path, "", &[], b"").await;
        assert_eq!(got.body, b"a picture");

        join(&mut carl, GROUP, "Carl")
            .await
            .expect("JoinGroup-Response");
        let came = take(&mut carl, "InviteUser-Request").await;
        assert_eq!(came.text("InviteID"), Some("s1"));
        assert_eq!(came.texts("URLList/URL"), [url.as_str()]);
        // Once, however often he comes.
        about(&mut carl, "LeaveGroup", GROUP).await.expect_code(200);
        join(&mut carl, GROUP, "Carl")
            .await
            .expect("JoinGroup-Response");
        nothing(&mut carl).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_is_told_to_nobody_and_gone() {
    for (version, syntax) in EACH {
        let server = TestServer::with_users(STORE, &["alice", "bob", "carl"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        // Nobody else is there: those who come are told.
        super::create(&mut alice, GROUP, &[], Some("Ann"))
            .await
            .expect_status(200);
        let path = keep(&server, &basic("alice"), b"a picture").await;
        let url = format!("http://im.example/x{path}");
        assert_eq!(share(&mut alice, "s1", GROUP, &url).await, 200);
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        take(&mut bob, "InviteUser-Request").await;
        let cancel = "<CancelInvite-Request><InviteID>s1</InviteID></CancelInvite-Request>";
        alice.request(cancel).await.expect_status(200);
        let told = bob.drain().await;
        assert!(
            told.iter()
                .any(|came| came.name == "CancelInviteUser-Request"),
            "{told:#?}"
        );
        join(&mut carl, GROUP, "Carl")
            .await
            .expect("JoinGroup-Response");
        nothing(&mut carl).await;
        let gone = ask(&server, "GET", &path, "", &[], b"").await;
        assert_eq!(gone.status, 404, "nothing else shares it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_joined_at_his_login_is_told_what_was_shared_meanwhile() {
    // csp-group 9; csp-access 10.2.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        super::create(&mut alice, GROUP, &[], Some("Ann"))
            .await
            .expect_status(200);
        let mut bob = server.client(version, syntax, "bob").await;
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        let own = super::property("AutoJoin", "T");
        super::set(&mut bob, GROUP, None, Some(&own))
            .await
            .expect_status(200);
        bob.request("<Logout-Request/>").await.expect_code(200);
        let path = keep(&server, &basic("alice"), b"a picture").await;
        let url = format!("http://im.example/x{path}");
        assert_eq!(share(&mut alice, "s1", GROUP, &url).await, 200);

        let mut bob = server.client(version, syntax, "bob").await;
        super::negotiate(&mut bob, "").await;
        let told = bob.drain().await;
        let shared: Vec<_> = told
            .iter()
            .filter(|came| came.name == "InviteUser-Request")
            .collect();
        assert_eq!(shared.len(), 1, "{told:#?}");
        assert_eq!(shared[0].texts("URLList/URL"), [url.as_str()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_owner_has_removed_is_not_told_to_those_who_come() {
    let (version, syntax) = EACH[1];
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    let mut alice = server.client(version, syntax, "alice").await;
    let mut bob = server.client(version, syntax, "bob").await;
    super::create(&mut alice, GROUP, &[], Some("Ann"))
        .await
        .expect_status(200);
    let gone = keep(&server, &basic("alice"), b"a picture").await;
    let url = format!("http://im.example/x{gone}");
    assert_eq!(share(&mut alice, "s1", GROUP, &url).await, 200);
    let elsewhere = "http://other.example/content/abc.png";
    assert_eq!(share(&mut alice, "s2", GROUP, elsewhere).await, 200);
    let removed = ask(&server, "DELETE", &gone, &basic("alice"), &[], b"").await;
    assert_eq!(removed.status, 204);
    join(&mut bob, GROUP, "Bo")
        .await
        .expect("JoinGroup-Response");
    let came = take(&mut bob, "InviteUser-Request").await;
    assert_eq!(came.texts("URLList/URL"), [elsewhere]);
    nothing(&mut bob).await;
}
