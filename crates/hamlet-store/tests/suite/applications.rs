//! Applications and user profiles (architecture document 5.3.6.1, 5.3.6.3).

use crate::harness::{TestStore, at, on_both_engines, user};
use hamlet_model::user_profile::ServiceStatus;
use hamlet_model::{Application, ApplicationId, Service, ServiceSet, UserProfile};
use hamlet_store::{Account, AccountStatus, MAX_TERMINALS, Terminal};

pub fn application(id: &str) -> Application {
    Application {
        id: ApplicationId::new(id),
        account: user(id),
        active: true,
        services: [Service::Im, Service::Presence].into_iter().collect(),
        open: false,
        profiles: true,
        peers: vec![ApplicationId::new("peer")],
        created: at(3),
    }
}

/// Of somebody who has messages, but cannot use them.
pub fn inactive() -> UserProfile {
    let mut profile = UserProfile::default();
    let status = ServiceStatus {
        subscribed: true,
        active: false,
    };
    profile.services.insert(Service::Im, status);
    profile.privacy.insert("Location".into(), false);
    profile.preferences.insert("language".into(), "fi".into());
    profile
}

pub fn terminal(client: &str, seen: i64) -> Terminal {
    Terminal {
        client: client.into(),
        data: "{}".into(),
        seen: at(seen),
    }
}

fn account(name: &str) -> Account {
    Account {
        user: user(name),
        credential: None,
        status: AccountStatus::Active,
        created: at(1),
    }
}

on_both_engines! {
    async fn an_application_is_found_by_its_identifier_and_its_account(store: &TestStore) {
        store
            .write(|tx| {
                let (chess, go) = (application("chess"), application("go"));
                tx.put_application(&go)?;
                tx.put_application(&chess)?;
                assert_eq!(tx.application(&chess.id)?, Some(chess.clone()));
                assert_eq!(tx.application(&ApplicationId::new("Chess"))?, None);
                assert_eq!(tx.application_of(&user("go"))?, Some(go.clone()));
                assert_eq!(tx.application_of(&user("anna"))?, None);
                let found = tx.applications_of(&[user("anna"), user("go")])?;
                assert_eq!(found, [(user("go"), go.id.clone())]);
                assert_eq!(tx.applications("", 9)?, [chess.clone(), go.clone()]);
                assert_eq!(tx.applications("chess", 9)?, [go]);
                let off = Application { active: false, services: ServiceSet::NONE, ..chess };
                tx.put_application(&off)?;
                assert_eq!(tx.application(&off.id)?, Some(off.clone()));
                assert!(tx.delete_application(&off.id)?);
                assert!(!tx.delete_application(&off.id)?);
                Ok(())
            })
            .await;
    }

    async fn an_application_acts_for_users_until_one_of_both_is_gone(store: &TestStore) {
        store
            .write(|tx| {
                let (chess, go) = (application("chess"), application("go"));
                for name in ["anna", "ben", "chess"] {
                    tx.create_account(&account(name))?;
                }
                tx.put_application(&chess)?;
                tx.put_application(&go)?;
                for name in ["ben", "anna", "anna"] {
                    tx.grant_user(&chess.id, &user(name))?;
                }
                assert!(tx.is_granted(&chess.id, &user("anna"))?);
                assert!(!tx.is_granted(&go.id, &user("anna"))?);
                assert_eq!(tx.granted_users(&chess.id, "", 9)?, [user("anna"), user("ben")]);
                assert_eq!(tx.granted_users(&chess.id, "", 1)?, [user("anna")]);
                assert!(tx.revoke_user(&chess.id, &user("ben"))?);
                assert!(!tx.revoke_user(&chess.id, &user("ben"))?);
                tx.delete_account(&user("anna"))?;
                assert_eq!(tx.granted_users(&chess.id, "", 9)?, []);
                tx.grant_user(&chess.id, &user("ben"))?;
                // With its account an application is gone, and what it was granted.
                tx.delete_account(&user("chess"))?;
                assert_eq!(tx.application(&chess.id)?, None);
                assert!(!tx.is_granted(&chess.id, &user("ben"))?);
                Ok(())
            })
            .await;
    }

    async fn a_user_profile_says_who_may_get_messages(store: &TestStore) {
        store
            .write(|tx| {
                let (anna, ben) = (user("anna"), user("ben"));
                let both = [anna.clone(), ben.clone()];
                tx.create_account(&account("anna"))?;
                assert_eq!(tx.user_profile(&anna)?, UserProfile::default());
                assert!(tx.without_messages(&both)?.is_empty());
                tx.put_user_profile(&anna, &inactive())?;
                tx.put_user_profile(&ben, &UserProfile::default())?;
                assert_eq!(tx.user_profile(&anna)?, inactive());
                assert_eq!(tx.without_messages(&both)?, [anna.clone()].into());
                tx.delete_account(&anna)?;
                assert_eq!(tx.user_profile(&anna)?, UserProfile::default());
                Ok(())
            })
            .await;
    }

    async fn of_the_terminals_of_a_user_the_newest_are_kept(store: &TestStore) {
        store
            .write(|tx| {
                let anna = user("anna");
                let most = i64::try_from(MAX_TERMINALS).unwrap_or(0);
                for seen in 0..=most {
                    tx.put_terminal(&anna, &terminal(&format!("phone {seen:02}"), seen))?;
                }
                tx.put_terminal(&anna, &terminal("phone 01", 99))?;
                tx.put_terminal(&user("ben"), &terminal("phone 00", 0))?;
                let kept = tx.terminals(&anna)?;
                assert_eq!(kept.len(), MAX_TERMINALS);
                assert_eq!(kept[0], terminal("phone 01", 99));
                assert!(!kept.iter().any(|terminal| terminal.client == "phone 00"));
                Ok(())
            })
            .await;
    }
}
