//! Invitations to a group over the border of its domain (csp-group 7; csp-access 10.2).

use super::{EACH, GROUP, access, discloses, joins, members, with_group};
use crate::{Domains, WEATHER, log_in, wait};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};
use hamlet_tests::element::Element;
use hamlet_tests::group::{about, join, screen_name};

const RESTRICTED: &[(&str, &str)] = &[("Accesstype", "Restricted")];

/// Invite-Request to the group; `name` hides the inviter's address.
fn invite(version: Version, id: &str, to: &str, name: Option<&str>) -> String {
    let name = name.map(|name| screen_name(name, GROUP));
    let (sender, name) = match (version, name) {
        (_, None) => Default::default(),
        (Version::V1_3, Some(name)) => (
            format!("<Sender><Group>{name}</Group></Sender>"),
            String::new(),
        ),
        (_, Some(name)) => (String::new(), name),
    };
    format!(
        "<Invite-Request><InviteID>{id}</InviteID><InviteType>GR</InviteType>{sender}<Recipient>{}</Recipient>\
         <GroupID>{GROUP}</GroupID><InviteNote>come</InviteNote>{name}<Validity>600</Validity></Invite-Request>",
        user(to)
    )
}

async fn invited(client: &mut Client) -> Element {
    let came = wait(client, "invitation", |came| {
        (came.name == "InviteUser-Request").then(|| came.clone())
    })
    .await;
    assert_eq!(came.text("GroupID"), Some(GROUP));
    came
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_lets_a_user_of_another_domain_in_once() {
    for (version, syntax) in EACH {
        let domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, RESTRICTED).await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        join(&mut bob, GROUP, "Bo").await.expect_status(810);
        alice
            .request(&invite(alice.version, "i1", "wv:bob@b", Some("Ann")))
            .await
            .expect_status(200);
        let came = invited(&mut bob).await;
        assert!(!discloses(&came, "wv:alice@"), "{version:?}: {came:#?}");
        joins(&mut bob, "Bo").await;
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
        join(&mut bob, GROUP, "Bo").await.expect_status(810);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moderator_of_another_domain_invites_into_the_group_s_own() {
    for (version, syntax) in EACH {
        for name in [None, Some("Bo")] {
            let domains = Domains::start(WEATHER[0]).await;
            let mut alice = with_group(&domains, RESTRICTED).await;
            members(&mut alice, "AddGroupMembers", &["wv:bob@b", "wv:bert@b"])
                .await
                .expect_status(200);
            access(&mut alice, "Mod", "wv:bob@b")
                .await
                .expect_status(200);
            let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
            let mut carl = domains.carl().await;
            // Not yet in the group.
            let early = bob.request(&invite(version, "i0", "wv:carl@a", None)).await;
            early.expect_status(808);
            joins(&mut bob, "Bo").await;
            bob.request(&invite(version, "i1", "wv:carl@a", name))
                .await
                .expect_status(200);
            let came = invited(&mut carl).await;
            assert_eq!(discloses(&came, "wv:bob@"), name.is_none(), "{came:#?}");
            joins(&mut carl, "Carl").await;
            about(&mut carl, "LeaveGroup", GROUP).await.expect_code(200);
            join(&mut carl, GROUP, "Carl").await.expect_status(810);

            // What is taken back allows nothing.
            bob.request(&invite(version, "i2", "wv:carl@a", name))
                .await
                .expect_status(200);
            invited(&mut carl).await;
            let cancel = "<CancelInvite-Request><InviteID>i2</InviteID></CancelInvite-Request>";
            bob.request(cancel).await.expect_status(200);
            wait(&mut carl, "withdrawal", |came| {
                (came.name == "CancelInviteUser-Request").then_some(())
            })
            .await;
            join(&mut carl, GROUP, "Carl").await.expect_status(810);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_moderator_lets_nobody_into_a_restricted_group() {
    let domains = Domains::start(WEATHER[0]).await;
    let mut alice = with_group(&domains, RESTRICTED).await;
    members(&mut alice, "AddGroupMembers", &["wv:bob@b"])
        .await
        .expect_status(200);
    let mut bob = log_in(&domains.b, Version::V1_2, Syntax::Xml, "wv:bob@b").await;
    joins(&mut bob, "Bo").await;
    let mut carl = domains.carl().await;
    bob.request(&invite(Version::V1_2, "i1", "wv:carl@a", Some("Bo")))
        .await
        .expect_status(200);
    invited(&mut carl).await;
    join(&mut carl, GROUP, "Carl").await.expect_status(810);
}
