//! Block and grant lists between domains (csp-im 11; csp-access 10.2).

use crate::{Domains, WEATHER, add_friends, message, wait};
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::group::{create, screen_name};

/// bob, whose client speaks 1.3, blocks somebody.
async fn block(bob: &mut Client, whom: &str) {
    let content = format!(
        "<BlockEntity-Request><BlockList><AddList><UserID>{whom}</UserID></AddList></BlockList>\
         <BlockListInUse>T</BlockListInUse><GrantListInUse>F</GrantListInUse></BlockEntity-Request>"
    );
    bob.request(&content).await.expect_status(200);
}

fn invite(id: &str, to: &str) -> String {
    format!(
        "<Invite-Request><InviteID>{id}</InviteID><InviteType>IM</InviteType><Recipient>{}</Recipient></Invite-Request>",
        user(to)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blocked_in_another_domain_sees_no_presence_where_that_hides_it() {
    // csp-presence 6.8, 6.9, 10.
    let hides = [
        "presence.block_hides=true",
        "presence.unauthorized=everyone",
    ];
    for faults in WEATHER {
        let domains = Domains::start_with(&[], &hides, *faults).await;
        let (mut alice, mut bob) = (domains.alice().await, domains.bob().await);
        let watch = format!(
            "<SubscribePresence-Request>{}</SubscribePresence-Request>",
            user("wv:bob@b")
        );
        alice.request(&watch).await.expect_status(200);
        let says = |text: &'static str| {
            move |came: &hamlet_tests::element::Element| {
                let path = "Presence/PresenceSubList/OnlineStatus";
                let seen = came.text(&format!("{path}/PresenceValue"));
                let unknown = came.text(&format!("{path}/Qualifier")) == Some("F");
                (if unknown { Some("?") } else { seen } == Some(text)).then_some(())
            }
        };
        wait(&mut alice, "presence", says("T")).await;
        block(&mut bob, "wv:alice@a").await;
        wait(&mut alice, "withdrawal", says("?")).await;
        let off = "<BlockEntity-Request><BlockListInUse>F</BlockListInUse></BlockEntity-Request>";
        bob.request(off).await.expect_status(200);
        wait(&mut alice, "presence again", says("T")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_sender_and_inviter_of_another_domain_gets_532() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let (mut alice, mut carl) = (domains.alice().await, domains.carl().await);
        let mut bob = domains.bob().await;
        block(&mut bob, "wv:alice@a").await;
        let answer = alice.send_text("wv:bob@b", "hi").await;
        assert_eq!(answer.code(), Some(532), "{faults:?}");
        assert_eq!(
            answer.primitive().text("Result/DetailedResult/UserID"),
            Some("wv:bob@b")
        );
        // Nor under a screen name: her domain does not know his list.
        let group = "wv:alice/ski@a";
        let created = create(&mut alice, group, &[], Some("Al")).await;
        created.expect_status(200);
        let sender = format!(
            "<Sender><Group>{}</Group></Sender>",
            screen_name("Al", group)
        );
        let named = send_message(&user("wv:bob@b"), "it is me", false);
        let named = named.replace("</Recipient>", &format!("</Recipient>{sender}"));
        assert_eq!(alice.request(&named).await.code(), Some(532), "{faults:?}");
        let answer = alice.request(&invite("i1", "wv:bob@b")).await;
        answer.expect_status(532);
        carl.send_text("wv:bob@b", "ho").await.expect_code(200);
        let came = message(&mut bob).await;
        assert_eq!(came, ("ho".to_owned(), "wv:carl@a".to_owned()));
        carl.request(&invite("i2", "wv:bob@b"))
            .await
            .expect_status(200);
        let from = wait(&mut bob, "invitation", |came| {
            let sender = came.text("Sender/User/UserID").map(str::to_owned);
            sender.filter(|_| came.name == "InviteUser-Request")
        });
        assert_eq!(from.await, "wv:carl@a");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_of_another_domain_is_reported_when_its_sender_is_blocked() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let wanted = send_message(&user("wv:bob@b"), "waits", true);
        alice.request(&wanted).await.expect_code(200);
        let mut bob = domains.bob().await;
        block(&mut bob, "wv:alice@a").await;
        assert!(bob.messages().await.is_empty());
        let told = wait(&mut alice, "report", |came| {
            let code = came.text("Result/Code").map(str::to_owned);
            code.filter(|_| came.name == "DeliveryReport-Request")
        });
        assert_eq!(told.await, "532", "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_list_may_name_a_contact_list_that_another_domain_keeps() {
    // Figure 6: the presence of the users of b is served by a.
    let domains = Domains::start_with(
        &["elements.presence_of=b"],
        &["elements.presence=a"],
        WEATHER[0],
    )
    .await;
    let mut alice = domains.alice().await;
    let mut bob = domains.bob().await;
    let friends = "<BlockEntity-Request><GrantList><AddList><ContactList>wv:bob/friends@b</ContactList></AddList>\
                   </GrantList><GrantListInUse>T</GrantListInUse></BlockEntity-Request>";
    add_friends(&mut bob, "wv:bob@b", &["wv:carl@a"]).await;
    bob.request(friends).await.expect_status(200);
    let answer = alice.send_text("wv:bob@b", "hi").await;
    assert_eq!(answer.code(), Some(532));
    add_friends(&mut bob, "wv:bob@b", &["wv:alice@a"]).await;
    alice.send_text("wv:bob@b", "hi").await.expect_code(200);
    assert_eq!(message(&mut bob).await.0, "hi");
    let delete =
        "<DeleteList-Request><ContactList>wv:bob/friends@b</ContactList></DeleteList-Request>";
    bob.request(delete).await.expect_code(200);
    let told = bob.request("<GetBlockedList-Request/>").await;
    assert!(told.primitive().at("GrantList/EntityList").is_none());
}
