//! csp-access 2.4, 10.2: what waits for clients beside messages, and invitations.

use crate::harness::{TestStore, at, on_both_engines, user};
use crate::profiles::account;
use hamlet_store::{InvitationState, StoredInvitation, StoredPush};

pub fn push(name: &str, id: &str, expires: i64) -> StoredPush {
    StoredPush {
        user: user(name),
        id: id.to_owned(),
        expires: at(expires),
        payload: id.as_bytes().to_vec(),
    }
}

pub fn invitation(inviter: &str, id: &str, invitee: &str) -> StoredInvitation {
    StoredInvitation {
        inviter: user(inviter),
        id: id.to_owned(),
        invitee: user(invitee),
        shown: id.to_owned(),
        state: InvitationState::Pending,
        expires: at(100),
        payload: b"invitation".to_vec(),
    }
}

on_both_engines! {
    async fn pushes_wait_in_their_order_until_they_are_acknowledged_or_expire(store: &TestStore) {
        store
            .write(|tx| {
                for (id, expires) in [("b", 100), ("a", 200), ("c", 300)] {
                    tx.put_push(&push("anna", id, expires))?;
                }
                tx.put_push(&push("bo", "a", 100))?;
                assert_eq!(tx.count_pushes(&user("anna"))?, 3);
                let all = tx.pushes(&user("anna"), at(99), 9)?;
                let ids: Vec<&str> = all.iter().map(|push| push.id.as_str()).collect();
                assert_eq!(ids, ["b", "a", "c"]);
                assert_eq!(all[0], push("anna", "b", 100));
                assert_eq!(tx.pushes(&user("anna"), at(100), 1)?, [push("anna", "a", 200)]);
                // The same name again is the same thing.
                let newer = StoredPush { payload: b"new".to_vec(), ..push("anna", "a", 250) };
                tx.put_push(&newer)?;
                assert_eq!(tx.pushes(&user("anna"), at(200), 1)?, [newer]);
                assert!(tx.remove_push(&user("anna"), "a")?);
                assert!(!tx.remove_push(&user("anna"), "a")?);
                assert_eq!(tx.purge_pushes(at(100))?, 2);
                assert_eq!(tx.count_pushes(&user("anna"))?, 1);
                assert_eq!(tx.count_pushes(&user("bo"))?, 0);
                Ok(())
            })
            .await;
    }

    async fn an_invitation_is_found_by_both_its_names(store: &TestStore) {
        store
            .write(|tx| {
                let kept = StoredInvitation {
                    shown: "i.2".into(),
                    ..invitation("anna", "i", "bo")
                };
                tx.put_invitation(&kept)?;
                tx.put_invitation(&invitation("anna", "i", "cy"))?;
                tx.put_invitation(&invitation("cy", "i", "bo"))?;
                assert_eq!(tx.invitation(&user("anna"), "i", &user("bo"))?, Some(kept.clone()));
                assert_eq!(tx.invitations(&user("anna"), "i")?.len(), 2);
                assert_eq!(tx.count_invitations(&user("anna"), at(99))?, 2);
                assert_eq!(tx.count_invitations(&user("anna"), at(100))?, 0);
                let shown = tx.invitation_shown(&user("bo"), "i.2", at(99))?;
                assert_eq!(shown, Some(kept.clone()));
                assert_eq!(tx.invitation_shown(&user("bo"), "i.2", at(100))?, None);
                assert_eq!(tx.invitation_shown(&user("anna"), "i", at(1))?, None);
                let (accepted, bo) = (InvitationState::Accepted, user("bo"));
                tx.set_invitation_state(&user("anna"), "i", &bo, accepted)?;
                assert_eq!(tx.invitation_shown(&bo, "i.2", at(1))?, None);
                let state = tx.invitation(&user("anna"), "i", &bo)?.map(|kept| kept.state);
                assert_eq!(state, Some(accepted));
                // A later one of the same name takes its place.
                tx.put_invitation(&kept)?;
                assert!(tx.invitation_shown(&bo, "i.2", at(1))?.is_some());
                assert_eq!(tx.purge_invitations(at(99))?, 0);
                assert_eq!(tx.purge_invitations(at(100))?, 3);
                assert_eq!(tx.invitations(&user("anna"), "i")?, []);
                Ok(())
            })
            .await;
    }

    async fn what_waits_for_a_user_goes_with_his_account(store: &TestStore) {
        store
            .write(|tx| {
                tx.create_account(&account("anna"))?;
                tx.put_push(&push("anna", "a", 100))?;
                tx.put_push(&push("bo", "a", 100))?;
                tx.put_invitation(&invitation("anna", "i", "bo"))?;
                tx.put_invitation(&invitation("bo", "i", "anna"))?;
                tx.put_invitation(&invitation("bo", "i", "cy"))?;
                assert!(tx.delete_account(&user("anna"))?);
                assert_eq!(tx.count_pushes(&user("anna"))?, 0);
                assert_eq!(tx.count_pushes(&user("bo"))?, 1);
                assert_eq!(tx.invitations(&user("anna"), "i")?, []);
                assert_eq!(tx.invitations(&user("bo"), "i")?.len(), 1);
                Ok(())
            })
            .await;
    }
}
