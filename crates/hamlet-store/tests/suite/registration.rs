//! csp-access 3.6, 3.7.

use crate::harness::{TestStore, at, on_both_engines, user};
use hamlet_model::Msisdn;
use hamlet_store::{Account, AccountStatus, InvitationCode};

pub fn number(text: &str) -> Msisdn {
    Msisdn::parse(text).expect("a number")
}

pub fn code(text: &str, uses: u32) -> InvitationCode {
    InvitationCode {
        code: text.into(),
        uses,
        created: at(1),
        expires: at(10),
    }
}

on_both_engines! {
    async fn a_number_has_one_user_and_a_user_several_numbers(store: &TestStore) {
        store
            .write(|tx| {
                let (anna, ben) = (user("anna"), user("ben"));
                assert_eq!(tx.bind_msisdn(&number("+3582"), &anna)?, None);
                assert_eq!(tx.bind_msisdn(&number("+3581"), &anna)?, None);
                assert_eq!(tx.bind_msisdn(&number("+3581"), &ben)?, Some(anna.clone()));
                assert_eq!(tx.user_of_msisdn(&number("003581"))?, Some(anna.clone()));
                assert_eq!(tx.user_of_msisdn(&number("+3583"))?, None);
                assert_eq!(tx.msisdns_of(&anna)?, [number("+3581"), number("+3582")]);
                assert!(tx.unbind_msisdn(&number("+3581"))?);
                assert!(!tx.unbind_msisdn(&number("+3581"))?);
                assert_eq!(tx.bind_msisdn(&number("+3581"), &ben)?, None);
                Ok(())
            })
            .await;
    }

    async fn a_deleted_account_gives_its_numbers_back(store: &TestStore) {
        store
            .write(|tx| {
                let anna = user("anna");
                tx.create_account(&Account {
                    user: anna.clone(),
                    credential: None,
                    status: AccountStatus::Active,
                    created: at(1),
                })?;
                tx.bind_msisdn(&number("+3581"), &anna)?;
                tx.delete_account(&anna)?;
                assert_eq!(tx.user_of_msisdn(&number("+3581"))?, None);
                Ok(())
            })
            .await;
    }

    async fn a_code_is_good_for_its_uses_and_its_time(store: &TestStore) {
        store
            .write(|tx| {
                assert!(tx.put_invitation_code(&code("AB", 2))?);
                assert!(!tx.put_invitation_code(&code("AB", 9))?);
                assert!(tx.put_invitation_code(&code("CD", 1))?);
                assert!(tx.use_invitation_code("AB", at(9))?);
                assert!(!tx.use_invitation_code("AB", at(10))?);
                assert!(tx.use_invitation_code("AB", at(9))?);
                assert!(!tx.use_invitation_code("AB", at(9))?);
                assert!(!tx.use_invitation_code("ab", at(9))?);
                assert_eq!(tx.invitation_codes("", 9)?, [code("AB", 0), code("CD", 1)]);
                assert_eq!(tx.invitation_codes("AB", 9)?, [code("CD", 1)]);
                assert!(tx.remove_invitation_code("AB")?);
                assert!(!tx.remove_invitation_code("AB")?);
                Ok(())
            })
            .await;
    }
}
