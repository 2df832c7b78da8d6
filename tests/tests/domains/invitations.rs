//! Invitations between domains (csp-access 10.2; ssp 10).

use crate::{Domains, WEATHER, wait};
use hamlet_tests::client::{Client, user};
use hamlet_tests::element::Element;

async fn invite(client: &mut Client, id: &str, users: &[&str]) -> hamlet_tests::answer::Answer {
    let users: String = users.iter().copied().map(user).collect();
    let content = format!(
        "<Invite-Request><InviteID>{id}</InviteID><InviteType>IM</InviteType><Recipient>{users}</Recipient>\
         <InviteNote>come</InviteNote><Validity>600</Validity></Invite-Request>"
    );
    client.request(&content).await
}

async fn respond(client: &mut Client, id: &str, accept: &str) -> hamlet_tests::answer::Answer {
    let content = format!(
        "<InviteUser-Response><InviteID>{id}</InviteID><Acceptance>{accept}</Acceptance>\
         <ResponseNote>well</ResponseNote></InviteUser-Response>"
    );
    client.request(&content).await
}

/// Waits for this server request.
async fn came(client: &mut Client, name: &'static str) -> Element {
    wait(client, name, |primitive| {
        (primitive.name == name).then(|| primitive.clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_goes_to_another_domain_and_the_answer_comes_back() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let mut bob = domains.bob().await;
        invite(&mut alice, "i1", &["wv:bob@b"])
            .await
            .expect_status(200);
        let shown = came(&mut bob, "InviteUser-Request").await;
        assert_eq!(shown.text("InviteID"), Some("i1"), "{faults:?}");
        assert_eq!(shown.text("Sender/User/UserID"), Some("wv:alice@a"));
        assert_eq!(shown.text("InviteNote"), Some("come"));
        respond(&mut bob, "i1", "T").await.expect_status(200);
        let told = came(&mut alice, "Invite-Response").await;
        assert_eq!(told.text("InviteID"), Some("i1"));
        assert_eq!(told.text("Acceptance"), Some("T"));
        assert_eq!(told.text("Sender/User/UserID"), Some("wv:bob@b"));
        respond(&mut bob, "i1", "F").await.expect_status(423);
        // Nothing came twice.
        assert!(alice.drain().await.is_empty(), "{faults:?}");
        assert!(bob.drain().await.is_empty(), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_domains_say_goes_into_the_answer() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let (mut carl, mut bob) = (domains.carl().await, domains.bob().await);
        let all = ["wv:carl@a", "wv:x@a", "wv:bob@b", "wv:y@b", "wv:z@c"];
        let answer = invite(&mut alice, "i1", &all).await;
        answer.expect_status(201);
        let blocks = answer.primitive().all("Result/DetailedResult");
        let mut failed: Vec<(&str, Vec<&str>)> = blocks
            .into_iter()
            .map(|detail| (detail.text("Code").unwrap_or("?"), detail.texts("UserID")))
            .collect();
        failed.sort();
        let expected = [("516", vec!["wv:z@c"]), ("531", vec!["wv:x@a", "wv:y@b"])];
        assert_eq!(failed, expected, "{faults:?}");
        for client in [&mut carl, &mut bob] {
            came(client, "InviteUser-Request").await;
        }
        invite(&mut alice, "i2", &["wv:y@b"])
            .await
            .expect_status(531);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_withdrawn_in_another_domain() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let mut bob = domains.bob().await;
        invite(&mut alice, "i1", &["wv:bob@b"])
            .await
            .expect_status(200);
        came(&mut bob, "InviteUser-Request").await;
        let cancel = "<CancelInvite-Request><InviteID>i1</InviteID><InviteNote>no</InviteNote></CancelInvite-Request>";
        alice.request(cancel).await.expect_status(200);
        let told = came(&mut bob, "CancelInviteUser-Request").await;
        assert_eq!(told.text("InviteID"), Some("i1"), "{faults:?}");
        assert_eq!(told.text("InviteNote"), Some("no"));
        respond(&mut bob, "i1", "T").await.expect_status(423);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_may_overtake_its_invitation() {
    let domains = Domains::start(hamlet_tests::relay::Faults {
        reverse: true,
        ..WEATHER[0]
    })
    .await;
    let mut alice = domains.alice().await;
    let mut bob = domains.bob().await;
    domains.net.hold();
    // The other domain is not waited for longer than the inviter's patience lasts.
    invite(&mut alice, "i1", &["wv:bob@b"])
        .await
        .expect_status(200);
    let cancel = "<CancelInvite-Request><InviteID>i1</InviteID></CancelInvite-Request>";
    alice.request(cancel).await.expect_status(200);
    domains.net.release();
    // This one comes after both.
    invite(&mut alice, "i2", &["wv:bob@b"])
        .await
        .expect_status(200);
    loop {
        let shown = came(&mut bob, "InviteUser-Request").await;
        if shown.text("InviteID") == Some("i2") {
            break;
        }
        came(&mut bob, "CancelInviteUser-Request").await;
    }
    respond(&mut bob, "i1", "T").await.expect_status(423);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_added_to_a_list_in_another_domain_may_hear_of_it() {
    // csp-presence 12, ssp 10.
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let mut bob = domains.bob().await;
        let subscribe = "<SubscribeNotification-Request><NotificationTypeList><NotificationType>ATCL</NotificationType>\
                         </NotificationTypeList></SubscribeNotification-Request>";
        bob.request(subscribe).await.expect_status(200);
        crate::add_friends(&mut alice, "wv:alice@a", &["wv:bob@b"]).await;
        let told = came(&mut bob, "Notification-Request").await;
        assert_eq!(
            told.text("UserList/User/UserID"),
            Some("wv:alice@a"),
            "{faults:?}"
        );
        assert!(bob.drain().await.is_empty(), "{faults:?}");
    }
}
