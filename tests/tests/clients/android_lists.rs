//! The Android IM application's contact lists and presence (clients 3.12).

use crate::android::{ANDROIDS, logged_in, village};
use hamlet_tests::element::Element;
use hamlet_tests::phone::Phone;

/// The members of alice's default list: name and address.
async fn members(phone: &mut Phone) -> Vec<(String, String)> {
    let answer = phone.send("read-list").await;
    let response = answer.expect("ListManage-Response");
    answer.expect_code(200);
    response
        .all("NickList/NickName")
        .into_iter()
        // AND-16: both elements always stand.
        .map(|nick| {
            (
                nick.text("Name").unwrap().to_owned(),
                nick.text("UserID").unwrap().to_owned(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_come_and_go() {
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        assert_eq!(members(&mut phone).await, []);
        // AND-17: 200, nothing else.
        phone.send("add-contact").await.expect_code(200);
        assert_eq!(
            members(&mut phone).await,
            [("cat".to_owned(), "wv:cat@h".to_owned())]
        );
        // csp-presence 2.7: to remove who is not there is no error.
        phone.send("remove-contact").await.expect_code(200);
        assert_eq!(members(&mut phone).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_made_named_and_deleted() {
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        // AND-19: UserID inside a User.
        for request in ["create-list", "create-list-with-contact"] {
            let made = phone.send(request).await;
            // csp-presence 2.5: in 1.3 a response without Result, which counts as success.
            if made.primitive().name != "CreateList-Response" {
                made.expect_status(200);
            }
        }
        let lists = phone.send("get-list").await;
        let response = lists.expect("GetList-Response");
        let mut names = response.texts("ContactList");
        names.sort_unstable();
        assert_eq!(names, ["wv:alice/crew@h", "wv:alice/work@h"]);
        assert_eq!(response.texts("DefaultContactList"), ["wv:alice/friends@h"]);
        phone.send("rename-list").await.expect_code(200);
        let read = phone.send("read-list").await;
        let renamed = read.primitive().all("ContactListProperties/Property");
        assert!(
            renamed
                .iter()
                .any(|property| property.text("Value") == Some("Pals"))
        );
        phone.send("delete-list").await.expect_status(200);
        let lists = phone.send("get-list").await;
        assert_eq!(lists.primitive().texts("ContactList"), ["wv:alice/crew@h"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_added_is_subscribed_at_once() {
    // csp-presence 4.4: the list was subscribed with AutoSubscribe.
    for client in ANDROIDS {
        let server = village().await;
        let mut cat = server.xml("cat").await;
        cat.accept("wv:alice@h").await;
        let mut phone = logged_in(client, &server).await;
        phone.drain().await;
        phone.send("add-contact").await.expect_code(200);
        let came = phone.drain().await;
        let presence = newest(&came, "wv:cat@h").expect("presence of the new contact");
        // AND-14, GEN-25: a sublist, each attribute with Qualifier.
        let attributes = presence.at("PresenceSubList").unwrap();
        assert_eq!(attributes.text("OnlineStatus/PresenceValue"), Some("T"));
        for attribute in &attributes.children {
            assert!(attribute.at("Qualifier").is_some(), "{attribute:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_android_phone_publishes_is_seen_by_its_contacts() {
    for client in ANDROIDS {
        let server = village().await;
        let mut new = server.xml("new").await;
        add_contact(&mut new, "new", "alice").await;
        let subscribe = "<SubscribePresence-Request><ContactList>wv:new/friends@h</ContactList></SubscribePresence-Request>";
        new.request(subscribe).await.expect_status(200);
        let mut phone = logged_in(client, &server).await;
        // clients 3.12: the application asks its user, in 1.3 too.
        let asked = phone.drain().await;
        let question = asked
            .iter()
            .find(|asked| asked.name == "PresenceAuth-Request");
        assert_eq!(
            question.and_then(|asked| asked.text("UserID")),
            Some("wv:new@h")
        );
        phone.send("authorize").await.expect_status(200);
        new.drain().await;
        phone.send("set-presence").await.expect_status(200);
        let came = new.drain().await;
        let presence = newest(&came, "wv:alice@h").expect("a notification");
        let attributes = presence.at("PresenceSubList").unwrap();
        assert_eq!(attributes.text("OnlineStatus/PresenceValue"), Some("T"));
        assert_eq!(
            attributes.text("UserAvailability/PresenceValue"),
            Some("NOT_AVAILABLE")
        );
        assert_eq!(
            attributes.text("StatusText/PresenceValue"),
            Some("gone fishing")
        );
        phone.send("set-avatar").await.expect_status(200);
        let came = new.drain().await;
        let presence = newest(&came, "wv:alice@h").expect("a notification");
        // csp-presence 4.5: the whole set, not what changed.
        assert_eq!(
            presence.text("PresenceSubList/StatusContent/DirectContent"),
            Some("UE5HREFUQQ==")
        );
        assert_eq!(
            presence.text("PresenceSubList/StatusText/PresenceValue"),
            Some("gone fishing")
        );
    }
}

/// Puts `contact` into the default list of `owner`, whose client this is.
pub async fn add_contact(client: &mut hamlet_tests::client::Client, owner: &str, contact: &str) {
    let answer = client
        .request(&format!(
            "<ListManage-Request><ContactList>wv:{owner}/friends@h</ContactList><AddNickList><NickName><Name>{contact}</Name>\
             <UserID>wv:{contact}@h</UserID></NickName></AddNickList></ListManage-Request>"
        ))
        .await;
    answer.expect_code(200);
}

/// The newest presence of a user among what came.
pub fn newest<'a>(came: &'a [Element], user: &str) -> Option<&'a Element> {
    came.iter()
        .filter(|primitive| primitive.name == "PresenceNotification-Request")
        .flat_map(|primitive| primitive.all("Presence"))
        .rfind(|presence| presence.text("UserID") == Some(user))
}
