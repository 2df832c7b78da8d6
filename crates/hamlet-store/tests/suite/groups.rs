//! csp-group 1.0: groups, members, who is joined, who is kept out.

use crate::harness::{TestStore, at, on_both_engines, user};
use crate::profiles::account;
use hamlet_model::{
    ClientId, Domain, GroupId, GroupProperties, OwnProperties, Role, ScreenName, SessionId,
};
use hamlet_store::{
    GroupPermission, StoreError, StoredGroup, StoredJoined, StoredMember, StoredSession,
};

pub fn group_id(name: &str) -> GroupId {
    GroupId::parse(name, &Domain::parse("im.example").unwrap()).unwrap()
}

fn name(text: &str) -> ScreenName {
    ScreenName::new(text).unwrap()
}

fn group(id: &str) -> StoredGroup {
    let id = group_id(id);
    StoredGroup {
        owner: id.owner(),
        id,
        created: at(10),
        expires: None,
        properties: GroupProperties::default(),
    }
}

fn member(who: &str, role: Role) -> StoredMember {
    StoredMember {
        user: user(who),
        is_member: true,
        role,
        own: OwnProperties::default(),
    }
}

fn joined(group: &str, who: &str, client: &str) -> StoredJoined {
    StoredJoined {
        group: group_id(group),
        user: user(who),
        client: ClientId::from_url(client),
        session: Some(SessionId::new(format!("{who} {client}"))),
        copy: false,
        name: name(&format!("{who}-{client}")),
        subscribed: true,
        joined: at(20),
        cursor: 0,
    }
}

fn session(who: &str, client: &str) -> StoredSession {
    StoredSession {
        id: SessionId::new(format!("{who} {client}")),
        user: user(who),
        client: ClientId::from_url(client),
        application: None,
        data: Vec::new(),
        created: at(1),
        expires: at(1000),
    }
}

on_both_engines! {
    async fn where_somebody_wants_to_be_joined_elsewhere_is_noted_once(store: &TestStore) {
        let (anna, ben) = (user("anna"), user("ben"));
        let set = |who: &'static str, id: &'static str, wanted| {
            let who = user(who);
            store.write(move |tx| tx.set_auto_join_elsewhere(&who, &group_id(id), wanted))
        };
        for (who, id) in [("anna", "x/golf"), ("anna", "x/chess"), ("anna", "x/golf"), ("ben", "x/golf")] {
            set(who, id, true).await;
        }
        let of = |who: &hamlet_model::UserId, limit| {
            let who = who.clone();
            store.read(move |tx| tx.auto_join_elsewhere(&who, limit))
        };
        assert_eq!(of(&anna, 9).await, [group_id("x/chess"), group_id("x/golf")]);
        assert_eq!(of(&anna, 1).await, [group_id("x/chess")]);
        set("anna", "x/golf", false).await;
        assert_eq!(of(&anna, 9).await, [group_id("x/chess")]);
        assert_eq!(of(&ben, 9).await, [group_id("x/golf")]);
    }

    async fn a_group_is_kept_changed_and_gone_with_its_people(store: &TestStore) {
        store
            .write(|tx| {
                let mut group = group("wv:anna/g");
                assert!(tx.create_group(&group)?);
                assert!(!tx.create_group(&group)?, "it exists");
                assert_eq!(tx.group(&group.id)?, Some(group.clone()));
                group.properties.topic = "snow".into();
                group.expires = Some(at(50));
                assert!(tx.update_group(&group)?);
                assert_eq!(tx.group(&group.id)?, Some(group.clone()));
                assert_eq!(tx.expired_groups(at(49))?, []);
                assert_eq!(tx.expired_groups(at(50))?, [group.id.clone()]);
                assert_eq!(tx.groups_owned(&user("anna"))?, [group.id.clone()]);
                assert_eq!(tx.count_groups(&user("anna"))?, (1, 1));
                tx.put_group_member(&group.id, &member("bo", Role::Moderator))?;
                tx.put_group_joined(&joined("wv:anna/g", "bo", "phone"))?;
                tx.put_group_reject(&group.id, &user("cy"), &user("anna"))?;
                assert!(tx.delete_group(&group.id)?);
                assert!(!tx.delete_group(&group.id)?);
                assert_eq!(tx.group_member(&group.id, &user("bo"))?, None);
                assert_eq!(tx.group_joined(&group.id)?, []);
                assert!(!tx.is_group_rejected(&group.id, &user("cy"))?);
                Ok(())
            })
            .await;
    }

    async fn public_and_orphaned_groups_have_no_owner_here(store: &TestStore) {
        store
            .write(|tx| {
                tx.create_account(&account("anna"))?;
                for id in ["wv:anna/g", "wv:bo/g", "wv:/g"] {
                    tx.create_group(&group(id))?;
                }
                assert_eq!(tx.orphaned_groups()?, [group_id("wv:bo/g")]);
                let all = tx.groups(None, 9)?;
                let public: Vec<bool> = all.iter().map(|group| group.owner.is_none()).collect();
                assert_eq!(public, [true, false, false]);
                let rest = tx.groups(Some(&all[0].id), 1)?;
                assert_eq!(rest[0].id, all[1].id);
                Ok(())
            })
            .await;
    }

    async fn members_have_roles_and_own_properties(store: &TestStore) {
        store
            .write(|tx| {
                let id = group_id("wv:anna/g");
                tx.create_group(&group("wv:anna/g"))?;
                let mut bo = member("bo", Role::Moderator);
                tx.put_group_member(&id, &bo)?;
                bo.own = OwnProperties {
                    private_messaging: false,
                    auto_join: true,
                    show_id: true,
                    screen_name: Some(name("King")),
                };
                bo.role = Role::Admin;
                tx.put_group_member(&id, &bo)?;
                assert_eq!(tx.group_member(&id, &user("bo"))?, Some(bo.clone()));
                let mut guest = member("cy", Role::User);
                guest.is_member = false;
                tx.put_group_member(&id, &guest)?;
                assert_eq!(tx.group_members(&id)?, [bo.clone()]);
                assert_eq!(tx.count_group_members(&id)?, 1);
                assert_eq!(tx.group_members_among(&id, &[user("cy"), user("bo")])?.len(), 2);
                assert_eq!(tx.auto_join_groups(&user("bo"))?, std::slice::from_ref(&id));
                // The name is kept for him, whatever the case.
                assert!(tx.is_screen_name_taken(&id, &name("KING"), &user("cy"))?);
                assert!(!tx.is_screen_name_taken(&id, &name("KING"), &user("bo"))?);
                tx.remove_group_member(&id, &user("bo"))?;
                assert_eq!(tx.group_member(&id, &user("bo"))?, None);
                Ok(())
            })
            .await;
    }

    async fn who_is_joined_has_a_name_of_his_own(store: &TestStore) {
        store
            .write(|tx| {
                let id = group_id("wv:anna/g");
                tx.create_group(&group("wv:anna/g"))?;
                let bo = joined("wv:anna/g", "bo", "phone");
                let pc = StoredJoined {
                    joined: at(21),
                    subscribed: false,
                    ..joined("wv:anna/g", "bo", "pc")
                };
                tx.put_group_joined(&bo)?;
                tx.put_group_joined(&pc)?;
                let abroad = StoredJoined {
                    session: None,
                    client: ClientId::default(),
                    joined: at(22),
                    ..joined("wv:anna/g", "wv:eve@b", "")
                };
                tx.put_group_joined(&abroad)?;
                assert_eq!(tx.group_joined(&id)?, [bo.clone(), pc.clone(), abroad.clone()]);
                assert_eq!(tx.count_group_joined(&id)?, 3);
                assert_eq!(tx.joined_of_user(&id, &user("bo"))?, [bo.clone(), pc.clone()]);
                assert_eq!(tx.group_joined_as(&id, " BO-phone ")?, Some(bo.clone()));
                assert!(tx.is_screen_name_taken(&id, &name("Bo-Phone"), &user("cy"))?);
                let listeners = tx.group_listeners(&id)?;
                assert_eq!(listeners.len(), 1);
                assert_eq!(Some(&listeners[0].session), bo.session.as_ref());
                assert_eq!(tx.foreign_group_listeners(&id)?, [user("wv:eve@b")]);
                assert!(tx.set_group_subscribed(&id, &pc.user, &pc.client, true)?);
                assert_eq!(tx.group_listeners(&id)?.len(), 2);
                tx.put_group_member(&id, &member("bo", Role::Admin))?;
                let present = tx.group_presences(&id)?;
                assert_eq!(present[0].role, Role::Admin);
                assert!(present[0].is_member && !present[2].is_member);
                let session = bo.session.clone().unwrap();
                assert_eq!(tx.joined_of_session(&session)?, std::slice::from_ref(&bo));
                assert_eq!(tx.group_joined_session(&id, &session)?, Some(bo.clone()));
                assert_eq!(tx.count_joined_of_client(&bo.user, &bo.client)?, 1);
                assert_eq!(tx.groups_joined(&user("bo"))?, std::slice::from_ref(&id));
                assert!(tx.remove_group_joined(&id, &bo.user, &bo.client)?);
                assert!(!tx.remove_group_joined(&id, &bo.user, &bo.client)?);
                assert_eq!(tx.count_all_group_joined()?, 2);
                Ok(())
            })
            .await;
        let twice = store.store().write(|tx| {
            let thief = StoredJoined {
                name: name("BO-PC"),
                ..joined("wv:anna/g", "cy", "phone")
            };
            tx.put_group_joined(&thief)
        });
        assert!(matches!(twice.await, Err(StoreError::Constraint(_))));
        // Clients that are joined elsewhere share a name.
        store
            .write(|tx| {
                for client in ["phone", "pc"] {
                    tx.put_group_joined(&StoredJoined {
                        copy: true,
                        name: name("bo"),
                        ..joined("wv:eve/g@b", "bo", client)
                    })?;
                }
                assert_eq!(tx.joined_of_user(&group_id("wv:eve/g@b"), &user("bo"))?.len(), 2);
                assert_eq!(tx.group_joined_as(&group_id("wv:eve/g@b"), "bo")?, None);
                Ok(())
            })
            .await;
    }

    async fn who_has_lost_his_session_is_found(store: &TestStore) {
        store
            .write(|tx| {
                tx.create_group(&group("wv:anna/g"))?;
                tx.put_session(&session("bo", "phone"))?;
                tx.put_group_joined(&joined("wv:anna/g", "bo", "phone"))?;
                tx.put_group_joined(&joined("wv:anna/g", "cy", "phone"))?;
                let abroad = StoredJoined {
                    session: None,
                    ..joined("wv:anna/g", "wv:eve@b", "")
                };
                tx.put_group_joined(&abroad)?;
                let gone = tx.joined_without_session(9)?;
                assert_eq!(gone, [joined("wv:anna/g", "cy", "phone")]);
                Ok(())
            })
            .await;
    }

    async fn a_permission_lasts_until_it_is_used_revoked_or_expires(store: &TestStore) {
        store
            .write(|tx| {
                let id = group_id("wv:anna/g");
                tx.create_group(&group("wv:anna/g"))?;
                let by = |inviter: &str, restricted: bool, expires: i64| GroupPermission {
                    user: user("cy"),
                    inviter: user(inviter),
                    invitation: "i".into(),
                    restricted,
                    expires: at(expires),
                };
                assert_eq!(tx.group_permission(&id, &user("cy"), at(1))?, (false, false));
                tx.put_group_permission(&id, &by("bo", false, 100))?;
                assert_eq!(tx.group_permission(&id, &user("cy"), at(1))?, (true, false));
                tx.put_group_permission(&id, &by("anna", true, 50))?;
                assert_eq!(tx.group_permission(&id, &user("cy"), at(1))?, (true, true));
                assert_eq!(tx.group_permission(&id, &user("cy"), at(50))?, (true, false));
                assert_eq!(tx.group_permission(&id, &user("bo"), at(1))?, (false, false));
                tx.revoke_group_permission(&user("anna"), "i", &user("cy"))?;
                assert_eq!(tx.group_permission(&id, &user("cy"), at(1))?, (true, false));
                tx.use_group_permissions(&id, &user("cy"))?;
                assert_eq!(tx.group_permission(&id, &user("cy"), at(1))?, (false, false));
                tx.put_group_permission(&id, &by("anna", true, 50))?;
                tx.put_group_share(&id, &user("bo"), "s", at(60), b"content")?;
                assert!(!tx.has_expired_group_invitations(at(49))?);
                assert!(tx.has_expired_group_invitations(at(50))?);
                assert_eq!(tx.purge_group_invitations(at(50))?, 1);
                assert_eq!(tx.group_shares(&id, at(59), 9)?, [b"content".to_vec()]);
                assert!(tx.group_shares(&id, at(60), 9)?.is_empty());
                Ok(())
            })
            .await;
    }

    async fn a_deleted_account_leaves_no_trace_in_groups(store: &TestStore) {
        store
            .write(|tx| {
                tx.create_account(&account("bo"))?;
                let id = group_id("wv:anna/g");
                tx.create_group(&group("wv:anna/g"))?;
                tx.put_group_member(&id, &member("bo", Role::Admin))?;
                tx.put_group_reject(&id, &user("bo"), &user("anna"))?;
                tx.put_session(&session("bo", "phone"))?;
                tx.put_group_joined(&joined("wv:anna/g", "bo", "phone"))?;
                assert!(tx.put_conversation(&user("bo"), "c", &id)?);
                assert!(!tx.put_conversation(&user("bo"), "c", &id)?);
                assert!(tx.is_conversation(&id)?);
                tx.delete_account(&user("bo"))?;
                assert_eq!(tx.group_member(&id, &user("bo"))?, None);
                assert!(!tx.is_group_rejected(&id, &user("bo"))?);
                assert!(!tx.is_conversation(&id)?);
                // His session is gone: the element ends the join and tells the others.
                assert_eq!(tx.joined_without_session(9)?.len(), 1);
                Ok(())
            })
            .await;
    }
}
