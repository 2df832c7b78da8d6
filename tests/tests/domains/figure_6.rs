//! Figure 6 of the architecture document: domain `a` runs without a presence element, the
//! primary service element of its users for presence is `b`.

use crate::{Domains, WEATHER, message, wait};
use hamlet_tests::client::{Client, send_message, user};
use hamletd::control::{Answer, Request};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_contact_list_is_expanded_where_the_list_is_kept() {
    for faults in [WEATHER[0], WEATHER[2]] {
        let domains = Domains::start_with(
            &["elements.presence=b"],
            &["elements.presence_of=a"],
            faults,
        )
        .await;
        let mut alice = domains.alice().await;
        let (mut carl, mut bob) = (domains.carl().await, domains.bob().await);
        let create = "<CreateList-Request><ContactList>wv:alice/gang@a</ContactList>\
                      <NickList><NickName><Name>Carl</Name><UserID>wv:carl@a</UserID></NickName></NickList>\
                      </CreateList-Request>";
        alice.request(create).await.expect_status(200);
        let add = "<ListManage-Request><ContactList>wv:alice/gang@a</ContactList><AddNickList>\
                   <UserID>wv:bob@b</UserID></AddNickList></ListManage-Request>";
        let answer = alice.request(add).await;
        answer.expect_code(200);
        let lists = alice.request("<GetList-Request/>").await;
        let lists = lists.expect("GetList-Response");
        let mut names = lists.texts("ContactList");
        names.extend(lists.texts("DefaultContactList"));
        assert!(names.contains(&"wv:alice/gang@a"), "{names:?}");

        // The lists of its users are not in the store of `a`.
        let own = domains.a.contact_lists("wv:alice@a").await;
        assert_eq!(own, Vec::<String>::new());
        let there = domains.b.contact_lists("wv:alice@a").await;
        assert!(there.contains(&"wv:alice/gang@a".to_owned()), "{there:?}");

        let list = "<ContactList>wv:alice/gang@a</ContactList>";
        alice
            .request(&send_message(list, "to all", false))
            .await
            .expect_code(200);
        for client in [&mut carl, &mut bob] {
            let came = message(client).await;
            assert_eq!(came, ("to all".to_owned(), "wv:alice@a".to_owned()));
        }

        // Messages of single users do not need the other domain's presence element.
        let answer = alice
            .request(&send_message(&user("wv:carl@a"), "to one", false))
            .await;
        answer.expect_code(200);
        assert_eq!(message(&mut carl).await.0, "to one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_of_users_whose_element_is_elsewhere_is_kept_and_told_there() {
    let domains = Domains::start_with(
        &["elements.presence=b"],
        &["elements.presence_of=a"],
        WEATHER[0],
    )
    .await;
    let mut alice = domains.alice().await;
    let mut bob = domains.bob().await;
    // Her decision is kept where her presence is.
    alice.accept("wv:bob@b").await;
    let get = "<GetPresence-Request><UserIDList><UserID>wv:alice@a</UserID></UserIDList></GetPresence-Request>";
    let publish = "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier>\
                   <PresenceValue>tässä</PresenceValue></StatusText></PresenceSubList></UpdatePresence-Request>";
    alice.request(publish).await.expect_status(200);
    let answer = bob.request(get).await;
    answer.expect_code(200);
    let text = "Presence/PresenceSubList/StatusText/PresenceValue";
    assert_eq!(answer.primitive().text(text), Some("tässä"));
}

/// The operator of `a` tells what the mobile network says of alice; all that is known then.
async fn network(domains: &Domains, fields: &[&str]) -> Vec<(String, String)> {
    let request = Request::UserNetwork {
        user: "wv:alice@a".into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    match domains.a.operate(request).await {
        Answer::Profile { fields } => fields,
        other => panic!("{other:?}"),
    }
}

/// Waits until a notification about alice has this of an attribute.
async fn shows(client: &mut Client, attribute: &str, child: &str, value: &str) {
    let path = format!("Presence/PresenceSubList/{attribute}/{child}");
    wait(client, &path, |came| {
        (came.text(&path) == Some(value)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mobile_network_knows_is_told_where_presence_is_kept() {
    // csp-presence 3.7: the network is that of the home domain, the presence is elsewhere.
    for faults in [WEATHER[0], WEATHER[2]] {
        let everyone = "presence.unauthorized=everyone";
        let domains = Domains::start_with(
            &["elements.presence=b"],
            &["elements.presence_of=a", everyone],
            faults,
        )
        .await;
        let known = network(&domains, &["plmn=24491", "registration=yes"]).await;
        assert_eq!(known.len(), 2);
        let (mut bob, mut carl) = (domains.bob().await, domains.carl().await);
        let asked = "<PresenceSubList><OnlineStatus/><Registration/><PLMN/></PresenceSubList>";
        let of_3 = "<UserIDList><UserID>wv:alice@a</UserID></UserIDList>".to_owned();
        for (client, whom) in [(&mut bob, of_3), (&mut carl, user("wv:alice@a"))] {
            let watch =
                format!("<SubscribePresence-Request>{whom}{asked}</SubscribePresence-Request>");
            client.request(&watch).await.expect_status(200);
        }
        // It comes with her client, and when it changes.
        let mut alice = domains.alice().await;
        for watcher in [&mut bob, &mut carl] {
            shows(watcher, "PLMN", "PresenceValue", "24491").await;
        }
        network(&domains, &["plmn=24405"]).await;
        for watcher in [&mut bob, &mut carl] {
            shows(watcher, "PLMN", "PresenceValue", "24405").await;
        }
        // What she publishes herself counts when the network knows nothing.
        let update = |content: &str| {
            format!(
                "<UpdatePresence-Request><PresenceSubList><PLMN>{content}</PLMN></PresenceSubList></UpdatePresence-Request>"
            )
        };
        let own = "<Qualifier>T</Qualifier><PresenceValue>Sonera</PresenceValue>";
        alice.request(&update(own)).await.expect_status(200);
        let left = network(&domains, &["plmn="]).await;
        assert_eq!(left, [("registration".to_owned(), "yes".to_owned())]);
        for watcher in [&mut bob, &mut carl] {
            shows(watcher, "PLMN", "PresenceValue", "Sonera").await;
        }
        // Nobody tells what she has withdrawn.
        let withdrawn = "<Qualifier>F</Qualifier>";
        alice.request(&update(withdrawn)).await.expect_status(200);
        network(&domains, &["plmn=24406", "registration=no"]).await;
        let seen = wait(&mut bob, "registration", |came| {
            let seen = came.at("Presence/PresenceSubList")?;
            (seen.text("Registration/PresenceValue") == Some("F")).then(|| seen.clone())
        });
        assert_eq!(seen.await.text("PLMN/Qualifier"), Some("F"));
        alice.request("<Logout-Request/>").await.expect_code(200);
        for watcher in [&mut bob, &mut carl] {
            shows(watcher, "OnlineStatus", "PresenceValue", "F").await;
        }
    }
}
