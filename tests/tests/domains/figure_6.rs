//! Figure 6 of the architecture document: domain `a` runs without a presence element, the
//! primary service element of its users for presence is `b`.

use crate::{Domains, WEATHER, message};
use hamlet_tests::client::{send_message, user};

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
