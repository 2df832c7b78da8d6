//! Profiles, and which users a search finds by them (data-types 4.4, 5).

use crate::harness::{TestStore, at, on_both_engines, user};
use hamlet_model::presence::{Attribute, AttributeName, AttributeValue};
use hamlet_model::profile::{Gender, MaritalStatus};
use hamlet_model::{Profile, ProfileField, UserId};
use hamlet_store::{
    Account, AccountStatus, Criterion, Found, Search, SearchedText, StoreError, Tx,
};
use std::collections::HashSet;
use std::time::{Duration, Instant};

pub fn account(name: &str) -> Account {
    Account {
        user: user(name),
        credential: None,
        status: AccountStatus::Active,
        created: at(1),
    }
}

/// A profile from its fields, such as `city=Turku`.
pub fn profile(fields: &[&str]) -> Profile {
    let mut profile = Profile::default();
    for field in fields {
        let (name, value) = field.split_once('=').expect("a field");
        let field = ProfileField::from_name(name).expect("a field's name");
        profile.set(field, value, "").expect("a value");
    }
    profile
}

const VILLAGE: &[(&str, &[&str])] = &[
    (
        "anna",
        &[
            "first-name=Anna Maria",
            "last-name=Mäkinen",
            "friendly-name=Annie",
            "city=Turku",
            "country=FI",
            "age=31",
            "gender=F",
            "marital-status=S",
            "email=Anna@Post.example",
            "mobile=+358501234567",
            "interests=chess, cooking",
        ],
    ),
    (
        "ben",
        &[
            "first-name=Ben",
            "last-name=O'Neill \"Bo\"",
            "city=Oulu",
            "country=FI",
            "age=18",
            "gender=M",
        ],
    ),
    (
        "carl",
        &[
            "city=Port Turku",
            "age=64",
            "intention=100% friend_ship \\o/",
        ],
    ),
    (
        "dan",
        &["city=Turku", "findable=no", "email=dan@post.example"],
    ),
    ("li", &["friendly-name=李明", "city=北京"]),
    ("+358509999999", &[]),
    ("annabel", &[]),
];

fn settle(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for (name, fields) in VILLAGE {
        assert!(tx.create_account_with_profile(&account(name), &profile(fields))?);
    }
    Ok(())
}

fn search(criterion: Criterion) -> Search {
    Search {
        criterion,
        hidden: HashSet::new(),
        limit: 100,
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

/// The names of those who are found.
fn found(tx: &mut Tx<'_>, criterion: Criterion) -> Result<Vec<String>, StoreError> {
    let found = tx.search(&search(criterion))?;
    assert!(!found.more);
    Ok(found
        .users
        .iter()
        .map(|user| user.user().to_owned())
        .collect())
}

fn contains(text: SearchedText, string: &str) -> Criterion {
    Criterion::Contains(text, string.to_owned())
}

fn name(part: &str, from_start: bool, to_end: bool) -> Criterion {
    Criterion::UserName {
        part: part.to_owned(),
        from_start,
        to_end,
    }
}

fn alias(qualifier: bool, value: AttributeValue) -> Attribute {
    Attribute {
        name: AttributeName::Alias,
        qualifier,
        client: None,
        value,
    }
}

on_both_engines! {
    async fn a_profile_comes_back_whole_and_can_be_replaced(store: &TestStore) {
        store.write(settle).await;
        let anna = profile(VILLAGE[0].1);
        assert_eq!(store.read(|tx| tx.profile(&user("anna"))).await, Some(anna.clone()));
        assert_eq!(store.read(|tx| tx.profile(&user("annabel"))).await, Some(Profile::default()));
        assert_eq!(store.read(|tx| tx.profile(&user("zoe"))).await, None);
        let asked = ["anna", "dan", "zoe"].map(user);
        let several = store.read(move |tx| tx.profiles(&asked)).await;
        assert_eq!(several.len(), 2);
        assert_eq!(several[&user("anna")], anna);
        store
            .write(|tx| {
                let moved = profile(&["city=Oulu"]);
                assert!(tx.put_profile(&user("anna"), &moved)?);
                assert!(!tx.put_profile(&user("zoe"), &moved)?);
                assert_eq!(tx.profile(&user("anna"))?, Some(moved));
                assert_eq!(found(tx, contains(SearchedText::City, "turku"))?, ["carl"]);
                assert_eq!(found(tx, contains(SearchedText::City, "oulu"))?, ["anna", "ben"]);
                assert_eq!(found(tx, Criterion::Email("anna@post.example".into()))?, [""; 0]);
                assert_eq!(found(tx, Criterion::AgeAtLeast(31))?, ["carl"]);
                Ok(())
            })
            .await;
    }

    async fn who_is_gone_is_not_found(store: &TestStore) {
        store.write(settle).await;
        store
            .write(|tx| {
                assert!(tx.delete_account(&user("anna"))?);
                assert_eq!(found(tx, name("ann", false, false))?, ["annabel"]);
                assert_eq!(found(tx, contains(SearchedText::City, "turku"))?, ["carl"]);
                assert_eq!(tx.profile(&user("anna"))?, None);
                // The next one of this name begins anew.
                assert!(tx.create_account(&account("anna"))?);
                assert_eq!(found(tx, name("ann", false, false))?, ["anna", "annabel"]);
                assert_eq!(found(tx, contains(SearchedText::City, "turku"))?, ["carl"]);
                Ok(())
            })
            .await;
    }

    async fn parts_of_texts_are_found_in_any_case(store: &TestStore) {
        store.write(settle).await;
        use SearchedText as T;
        for (criterion, expected) in [
            (contains(T::FirstName, "nna"), &["anna"][..]),
            (contains(T::FirstName, "ANNA mar"), &["anna"]),
            (contains(T::FirstName, "annamaria"), &[]),
            (contains(T::LastName, "mäk"), &["anna"]),
            (contains(T::LastName, "MÄKINEN"), &["anna"]),
            (contains(T::LastName, "o'neill"), &["ben"]),
            (contains(T::LastName, "\"bo\""), &["ben"]),
            // One or two characters: only at the beginning of a word.
            (contains(T::FirstName, "ma"), &["anna"]),
            (contains(T::FirstName, "m"), &["anna"]),
            (contains(T::FirstName, "na"), &[]),
            (contains(T::FirstName, "b"), &["ben"]),
            (contains(T::Country, "fi"), &["anna", "ben"]),
            (contains(T::City, "Turku"), &["anna", "carl"]),
            (contains(T::City, "北"), &["li"]),
            (contains(T::FriendlyName, "李明"), &["li"]),
            (contains(T::Interests, "cook"), &["anna"]),
            // What has a meaning in patterns has none here.
            (contains(T::Intention, "100%"), &["carl"]),
            (contains(T::Intention, "d_s"), &["carl"]),
            (contains(T::Intention, "dxs"), &[]),
            (contains(T::Intention, "\\o/"), &["carl"]),
            (contains(T::Interests, "%%%"), &[]),
            (contains(T::Interests, "___"), &[]),
            (contains(T::City, "turku\" OR city : \"oul"), &[]),
            (contains(T::Email, "post"), &["anna"]),
            (contains(T::Mobile, "0123"), &["anna"]),
        ] {
            let asked = criterion.clone();
            let names = store.read(move |tx| found(tx, asked.clone())).await;
            assert_eq!(names, expected, "{criterion:?}");
        }
    }

    async fn parts_of_addresses_are_found_where_they_are_meant(store: &TestStore) {
        store.write(settle).await;
        for (part, from_start, to_end, expected) in [
            ("ann", false, false, &["anna", "annabel"][..]),
            ("nna", false, false, &["anna", "annabel"]),
            ("ann", true, false, &["anna", "annabel"]),
            ("nna", true, false, &[]),
            ("nna", false, true, &["anna"]),
            ("anna", true, true, &["anna"]),
            ("li", true, true, &["li"]),
            ("an", false, false, &["anna", "annabel"]),
            ("a", false, false, &["anna", "annabel"]),
            ("35850", false, false, &["+358509999999"]),
            ("+358", true, false, &["+358509999999"]),
            // The domain is everybody's and finds nobody.
            ("im.example", false, false, &[]),
        ] {
            let names = store.read(move |tx| found(tx, name(part, from_start, to_end))).await;
            assert_eq!(names, expected, "{part} {from_start} {to_end}");
        }
    }

    async fn values_are_compared_as_values(store: &TestStore) {
        store.write(settle).await;
        for (criterion, expected) in [
            (Criterion::Email("anna@POST.example".into()), &["anna"][..]),
            (Criterion::Email("anna@post".into()), &[]),
            (Criterion::Mobile("+358501234567".into()), &["anna"]),
            (Criterion::Mobile("358501234567".into()), &[]),
            (Criterion::AgeAtLeast(18), &["anna", "ben", "carl"]),
            (Criterion::AgeAtLeast(19), &["anna", "carl"]),
            (Criterion::AgeAtMost(31), &["anna", "ben"]),
            (Criterion::Gender(Gender::Male), &["ben"]),
            (Criterion::Gender(Gender::Undisclosed), &[]),
            (Criterion::MaritalStatus(MaritalStatus::Single), &["anna"]),
            (Criterion::OneOf(["anna", "dan", "zoe"].map(user).into()), &["anna"]),
            (Criterion::OneOf(vec![]), &[]),
        ] {
            let asked = criterion.clone();
            let names = store.read(move |tx| found(tx, asked.clone())).await;
            assert_eq!(names, expected, "{criterion:?}");
        }
    }

    async fn criteria_are_combined(store: &TestStore) {
        store.write(settle).await;
        let turku = || contains(SearchedText::City, "turku");
        let oulu = || contains(SearchedText::City, "oulu");
        let adult = || Criterion::AgeAtLeast(30);
        let male = || Criterion::Gender(Gender::Male);
        let not = |inner| Criterion::Not(Box::new(inner));
        for (criterion, expected) in [
            (Criterion::All(vec![turku(), adult()]), &["anna", "carl"][..]),
            (Criterion::All(vec![turku(), oulu()]), &[]),
            (Criterion::Any(vec![turku(), oulu()]), &["anna", "ben", "carl"]),
            (Criterion::All(vec![turku(), not(contains(SearchedText::City, "port"))]), &["anna"]),
            (Criterion::Any(vec![male(), turku(), adult()]), &["anna", "ben", "carl"]),
            // Who does not say his gender is not male.
            (Criterion::All(vec![turku(), not(male())]), &["anna", "carl"]),
            (not(not(turku())), &["anna", "carl"]),
            (Criterion::All(vec![adult(), Criterion::Any(vec![male(), turku()])]), &["anna", "carl"]),
            (Criterion::Any(vec![]), &[]),
            // No index leads to these; they are not carried out.
            (not(turku()), &[]),
            (Criterion::Any(vec![turku(), not(oulu())]), &[]),
        ] {
            let asked = criterion.clone();
            let names = store.read(move |tx| found(tx, asked.clone())).await;
            assert_eq!(names, expected, "{criterion:?}");
        }
        assert!(!not(turku()).is_selective());
        assert!(Criterion::All(vec![not(turku()), oulu()]).is_selective());
    }

    async fn more_than_is_wanted_is_told(store: &TestStore) {
        store.write(settle).await;
        let limited = |limit, hidden: HashSet<UserId>| Search {
            limit,
            hidden,
            ..search(Criterion::Any(vec![
                Criterion::AgeAtLeast(18),
                contains(SearchedText::Country, "fi"),
            ]))
        };
        for (limit, hidden, count, more) in [
            (3, HashSet::new(), 3, false),
            (2, HashSet::new(), 2, true),
            (0, HashSet::new(), 0, true),
            (2, HashSet::from([user("ben")]), 2, false),
        ] {
            let asked = limited(limit, hidden.clone());
            let Found { users, more: told } = store.read(move |tx| tx.search(&asked)).await;
            assert_eq!((users.len(), told), (count, more), "{limit} {hidden:?}");
            assert!(users.iter().all(|user| !hidden.contains(user)));
        }
    }

    async fn a_search_ends_at_its_deadline(store: &TestStore) {
        store.write(settle).await;
        let late = Search {
            deadline: Instant::now(),
            ..search(contains(SearchedText::City, "turku"))
        };
        let asked = store.store().read(move |tx| tx.search(&late)).await;
        assert_eq!(asked, Err(StoreError::TimedOut));
    }

    async fn the_alias_is_found_as_long_as_it_is_published(store: &TestStore) {
        store.write(settle).await;
        store
            .write(|tx| {
                let ben = user("ben");
                let by_alias = || contains(SearchedText::Alias, "benny");
                let text = || AttributeValue::Text("Benny  B".into());
                tx.put_presence(&ben, &[alias(true, text())])?;
                assert_eq!(found(tx, by_alias())?, ["ben"]);
                assert_eq!(found(tx, contains(SearchedText::Alias, "benny b"))?, ["ben"]);
                tx.put_profile(&ben, &profile(&["city=Oulu"]))?;
                assert_eq!(found(tx, by_alias())?, ["ben"]);
                tx.put_presence(&ben, &[alias(false, text())])?;
                assert_eq!(found(tx, by_alias())?, [""; 0]);
                Ok(())
            })
            .await;
    }

    async fn an_operation_that_is_undone_leaves_the_index_as_it_was(store: &TestStore) {
        store.write(settle).await;
        let failed = store.store().write(|tx| {
            tx.put_profile(&user("anna"), &profile(&["city=Oulu"]))?;
            tx.delete_account(&user("carl"))?;
            Err::<(), _>(StoreError::Closed)
        });
        assert!(failed.await.is_err());
        let names = store.read(|tx| found(tx, contains(SearchedText::City, "turku"))).await;
        assert_eq!(names, ["anna", "carl"]);
    }
}
