//! csp-presence 3.

use crate::harness::{TestStore, on_both_engines, user};
use hamlet_model::ClientId;
use hamlet_model::presence::{Attribute, AttributeName, AttributeValue, ClientInfo, CommC};

fn attribute(name: AttributeName, client: Option<&str>, value: AttributeValue) -> Attribute {
    Attribute {
        name,
        qualifier: true,
        client: client.map(ClientId::from_url),
        value,
    }
}

fn text(name: AttributeName, value: &str) -> Attribute {
    attribute(name, None, AttributeValue::Text(value.into()))
}

on_both_engines! {
    async fn attributes_come_back_whole_and_in_writing_order(store: &TestStore) {
        let info = ClientInfo { model: Some("3310".into()), im_priority: Some(7), ..ClientInfo::default() };
        let commc = CommC { cap: "IM".into(), status: "OPEN".into(), ..CommC::default() };
        let sorted = vec![
            attribute(AttributeName::OnlineStatus, None, AttributeValue::Flag(true)),
            attribute(AttributeName::OnlineStatus, Some("pc"), AttributeValue::Flag(false)),
            attribute(AttributeName::ClientInfo, Some("pc"), AttributeValue::ClientInfo(Box::new(info))),
            attribute(AttributeName::CommCap, Some("pc"), AttributeValue::CommCap(vec![commc])),
            Attribute { qualifier: false, ..attribute(AttributeName::StatusMood, None, AttributeValue::None) },
            text(AttributeName::Alias, "Änna \"<>' 😀"),
        ];
        let mut put = sorted.clone();
        put.reverse();
        store.write(move |tx| tx.put_presence(&user("anna"), &put)).await;
        assert_eq!(store.read(|tx| tx.presence(&user("anna"))).await, sorted);
    }

    async fn an_attribute_replaces_the_one_of_its_name_and_client_only(store: &TestStore) {
        let flag = |client, value| attribute(AttributeName::OnlineStatus, client, AttributeValue::Flag(value));
        store
            .write(move |tx| {
                let first = [flag(Some("pc"), true), flag(Some("phone"), true), flag(None, true), flag(Some(""), true)];
                tx.put_presence(&user("anna"), &first)?;
                tx.put_presence(&user("anna"), &[flag(Some("pc"), false)])
            })
            .await;
        let found = store.read(|tx| tx.presence(&user("anna"))).await;
        assert_eq!(found, [flag(None, true), flag(Some(""), true), flag(Some("pc"), false), flag(Some("phone"), true)]);
    }

    async fn what_is_about_one_client_can_be_dropped(store: &TestStore) {
        let flag = |client, name| attribute(name, client, AttributeValue::Flag(true));
        store
            .write(move |tx| {
                let both = [AttributeName::OnlineStatus, AttributeName::Registration];
                let put: Vec<_> = both.iter().flat_map(|name| [flag(Some("pc"), *name), flag(Some("phone"), *name)]).collect();
                tx.put_presence(&user("anna"), &put)?;
                tx.put_presence(&user("anna"), &[text(AttributeName::Alias, "a")])?;
                tx.put_presence(&user("ben"), &put)?;
                assert_eq!(tx.drop_client_presence(&user("anna"), &ClientId::from_url("pc"))?, 2);
                Ok(())
            })
            .await;
        assert_eq!(store.read(|tx| tx.presence(&user("anna"))).await.len(), 3);
        assert_eq!(store.read(|tx| tx.presence(&user("ben"))).await.len(), 4);
    }

    async fn the_presence_of_several_users_is_read_at_once(store: &TestStore) {
        store
            .write(|tx| {
                for name in ["anna", "ben", "carl"] {
                    let attributes = [text(AttributeName::Alias, name), text(AttributeName::StatusText, name)];
                    tx.put_presence(&user(name), &attributes)?;
                }
                Ok(())
            })
            .await;
        let asked = ["anna", "carl", "zoe"].map(user);
        let found = store.read(move |tx| tx.all_presence_of(&asked)).await;
        assert_eq!(found.len(), 2);
        let carl = [text(AttributeName::StatusText, "carl"), text(AttributeName::Alias, "carl")];
        assert_eq!(found[&user("carl")], carl);
    }
}
