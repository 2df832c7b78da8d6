//! csp-access 12: texts of the operator.

use crate::harness::{TestStore, at, on_both_engines, user};
use hamlet_store::SystemMessageState::{Answered, Delivered, Shown, Waiting};
use hamlet_store::{SystemMessageState, SystemMessageUser, Tx};

fn became(name: &str, state: SystemMessageState, choice: Option<u32>) -> SystemMessageUser {
    SystemMessageUser {
        user: user(name),
        state,
        choice,
        changed: at(50),
    }
}

fn numbers(tx: &mut Tx<'_>, name: &str, now: i64) -> Vec<i64> {
    let found = tx
        .system_messages_for(&user(name), at(now), 9)
        .expect("read");
    found.iter().map(|message| message.number).collect()
}

on_both_engines! {
    async fn a_text_waits_for_those_whom_it_is_for_until_they_have_it(store: &TestStore) {
        store
            .write(|tx| {
                let all = tx.put_system_message(true, at(1), at(100), b"all")?;
                let some = tx.put_system_message(false, at(2), at(200), b"some")?;
                assert!(some > all);
                assert!(tx.address_system_message(some, &user("anna"), at(2))?);
                assert!(!tx.address_system_message(some, &user("anna"), at(3))?);
                assert_eq!(numbers(tx, "anna", 99), [all, some]);
                assert_eq!(numbers(tx, "bo", 99), [all]);
                assert_eq!(numbers(tx, "anna", 100), [some]);
                // Who owes an answer is asked again.
                tx.set_system_message_user(all, &became("bo", Shown, None))?;
                assert_eq!(numbers(tx, "bo", 9), [all]);
                tx.set_system_message_user(all, &became("bo", Answered, Some(2)))?;
                assert_eq!(numbers(tx, "bo", 9), Vec::<i64>::new());
                tx.set_system_message_user(some, &became("anna", Delivered, None))?;
                assert_eq!(numbers(tx, "anna", 9), [all]);
                let known = tx.system_message_user(all, &user("bo"))?;
                assert_eq!(known, Some(became("bo", Answered, Some(2))));
                assert_eq!(tx.system_message_user(all, &user("anna"))?, None);
                Ok(())
            })
            .await;
    }

    async fn the_operator_sees_what_became_of_a_text_and_ends_it(store: &TestStore) {
        store
            .write(|tx| {
                let number = tx.put_system_message(false, at(1), at(100), b"text")?;
                for (name, state) in [("c", Waiting), ("a", Answered), ("b", Waiting)] {
                    tx.set_system_message_user(number, &became(name, state, None))?;
                }
                let page = tx.system_message_users(number, user("a").as_str(), 9)?;
                assert_eq!(page, [became("b", Waiting, None), became("c", Waiting, None)]);
                assert_eq!(tx.count_system_message_users(number)?, [(Waiting, 2), (Answered, 1)]);
                let kept = tx.system_message(number)?.expect("the text");
                assert_eq!((kept.everyone, kept.expires), (false, at(100)));
                assert_eq!(kept.payload, b"text");
                assert_eq!(tx.system_messages(0, 9)?, [kept]);
                assert_eq!(tx.system_messages(number, 9)?, []);
                assert!(tx.cancel_system_message(number, at(50))?);
                assert!(!tx.cancel_system_message(number, at(60))?);
                assert!(!tx.cancel_system_message(number + 1, at(60))?);
                assert_eq!(numbers(tx, "c", 51), Vec::<i64>::new());
                assert_eq!(tx.purge_system_messages(at(50))?, 0);
                assert_eq!(tx.purge_system_messages(at(51))?, 3);
                assert_eq!(tx.purge_system_messages(at(51))?, 1);
                assert_eq!(tx.system_message(number)?, None);
                Ok(())
            })
            .await;
    }
}
