//! csp-presence 5: who has looked.

use crate::harness::{TestStore, at, on_both_engines, session, user};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{Profile, Timestamp};
use hamlet_store::{Account, AccountStatus, FormerWatcher, Subscriber, Subscription};
use std::time::Duration;

fn by_session(name: &str) -> Subscriber {
    Subscriber::Session {
        id: session(name),
        user: user(name),
    }
}

fn subscription(subscriber: Subscriber, publisher: &str) -> Subscription {
    Subscription {
        subscriber,
        publisher: user(publisher),
        attributes: AttributeSet::ALL,
        via: None,
    }
}

on_both_engines! {
    async fn accesses_are_kept_once_with_their_last_time(store: &TestStore) {
        store
            .write(|tx| {
                let (anna, ben) = (user("anna"), user("ben"));
                tx.note_access(&ben, &[anna.clone(), user("carl")], at(10))?;
                tx.note_access(&ben, std::slice::from_ref(&anna), at(20))?;
                tx.note_access(&user("carl"), std::slice::from_ref(&anna), at(15))?;
                let watcher = |name: &str, secs| FormerWatcher {
                    watcher: user(name),
                    subscribed: false,
                    last: at(secs),
                };
                let all = tx.former_watchers(&anna, at(0), 9)?;
                assert_eq!(all, [watcher("ben", 20), watcher("carl", 15)]);
                assert_eq!(tx.former_watchers(&anna, at(16), 9)?, all[..1]);
                assert_eq!(tx.former_watchers(&anna, at(0), 1)?, all[..1]);
                assert_eq!(tx.purge_watchers(at(15))?, 1, "that of carl by ben");
                assert_eq!(tx.former_watchers(&anna, at(0), 9)?, all);
                assert_eq!(tx.purge_watchers(at(21))?, 2);
                Ok(())
            })
            .await;
    }

    async fn a_subscription_that_ends_is_noted_in_whatever_way_it_ends(store: &TestStore) {
        let before = Timestamp::now().minus(Duration::from_secs(60));
        store
            .write(move |tx| {
                let anna = user("anna");
                let other = Subscriber::Domain { user: user("zoe@other.example") };
                let all = [
                    subscription(by_session("ben"), "anna"),
                    subscription(by_session("carl"), "anna"),
                    subscription(by_session("anna"), "anna"),
                    subscription(other.clone(), "anna"),
                ];
                tx.put_subscriptions(&all)?;
                tx.put_subscriptions(&all)?;
                assert!(tx.former_watchers(&anna, at(0), 9)?.is_empty());
                let elsewhere = tx.subscribers_elsewhere(&anna)?;
                assert_eq!(elsewhere, all[3..]);
                let publisher = std::slice::from_ref(&anna);
                tx.remove_subscriptions(&by_session("ben"), publisher)?;
                tx.remove_session_subscriptions(&session("carl"))?;
                tx.remove_session_subscriptions(&session("anna"))?;
                tx.remove_subscriptions(&other, publisher)?;
                let former = tx.former_watchers(&anna, before, 9)?;
                let mut names: Vec<_> = former.iter().map(|one| one.watcher.user()).collect();
                names.sort_unstable();
                assert_eq!(names, ["ben", "carl", "zoe"], "nobody watches himself");
                assert!(former.iter().all(|one| one.subscribed));
                let later = Timestamp::now().plus(Duration::from_secs(60));
                assert!(former.iter().all(|one| one.last < later));
                Ok(())
            })
            .await;
    }

    async fn names_are_those_of_the_profiles(store: &TestStore) {
        store
            .write(|tx| {
                for (name, friendly) in [("anna", Some("Änni")), ("ben", None)] {
                    let account = Account {
                        user: user(name),
                        credential: None,
                        status: AccountStatus::Active,
                        created: at(1),
                    };
                    let profile = Profile {
                        friendly_name: friendly.map(str::to_owned),
                        ..Profile::default()
                    };
                    tx.create_account_with_profile(&account, &profile)?;
                }
                let all = [user("anna"), user("ben"), user("carl")];
                let names = tx.friendly_names(&all)?;
                assert_eq!(names.len(), 1);
                assert_eq!(names[&user("anna")], "Änni");
                Ok(())
            })
            .await;
    }
}
