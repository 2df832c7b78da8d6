use super::*;
use SearchElement as E;

fn home() -> Domain {
    Domain::parse("im.example").unwrap()
}

fn pair(element: SearchElement, string: &str) -> SearchPair {
    SearchPair {
        element: NamedElement::Known(element),
        string: string.into(),
        id: None,
    }
}

fn search(pairs: Vec<SearchPair>, expression: Option<&str>) -> Search {
    Search {
        pairs,
        expression: expression.map(str::to_owned),
        page: Default::default(),
    }
}

fn ask(pairs: Vec<SearchPair>, expression: Option<&str>) -> Result<Wanted, u16> {
    let search = search(pairs, expression);
    wanted(&search, &SearchConfig::default(), &home()).map_err(|refusal| refusal.code.0)
}

/// What one pair asks of the store.
fn asked(element: SearchElement, string: &str, config: &SearchConfig) -> Result<Criteria, u16> {
    criterion(element, string, config, &home()).map_err(|refusal| refusal.code.0)
}

fn user(criterion: Criterion) -> Result<Criteria, u16> {
    Ok(Criteria::User(criterion))
}

fn name(part: &str, from_start: bool, to_end: bool) -> Result<Criteria, u16> {
    user(Criterion::UserName {
        part: part.into(),
        from_start,
        to_end,
    })
}

#[test]
fn each_element_is_matched_by_its_own_rule() {
    let config = SearchConfig::default();
    let contains = |text, string: &str| user(Criterion::Contains(text, string.into()));
    for (element, string, expected) in [
        (
            E::UserFirstName,
            " bo ",
            contains(SearchedText::FirstName, "bo"),
        ),
        (E::UserLastName, "b", Err(537)),
        (E::UserLastName, "  ", Err(537)),
        (E::UserAlias, "Mik", contains(SearchedText::Alias, "Mik")),
        (E::UserCountry, "FI", contains(SearchedText::Country, "FI")),
        (
            E::UserInterestsHobbies,
            "chess",
            contains(SearchedText::Interests, "chess"),
        ),
        (
            E::UserEmailAddress,
            "a@b",
            user(Criterion::Email("a@b".into())),
        ),
        (E::UserOnlineStatus, "t", Ok(Criteria::Online(true))),
        (E::UserOnlineStatus, "F", Ok(Criteria::Online(false))),
        (E::UserOnlineStatus, "yes", Err(402)),
        (E::UserAgeMin, "18", user(Criterion::AgeAtLeast(18))),
        (E::UserAgeMax, "18", user(Criterion::AgeAtMost(18))),
        (E::UserAgeMin, "+18", Err(402)),
        (E::UserAgeMin, "99999999999", Err(402)),
        (E::UserGender, "f", user(Criterion::Gender(Gender::Female))),
        (E::UserGender, "female", Err(402)),
        (
            E::UserMaritalStatus,
            "W",
            user(Criterion::MaritalStatus(MaritalStatus::Widowed)),
        ),
        (E::UserMaritalStatus, "X", Err(402)),
        (E::GroupName, "a", Err(537)),
        (E::GroupName, "football", Ok(nobody())),
        (E::GroupUserIdOwner, "wv:anna@im.example", Ok(nobody())),
        (E::GroupUserIdOwner, "wv:a b", Err(402)),
    ] {
        assert_eq!(
            asked(element, string, &config),
            expected,
            "{element:?} {string}"
        );
    }
}

#[test]
fn addresses_are_searched_in_the_part_that_differs() {
    let config = SearchConfig::default();
    for (string, expected) in [
        ("ann", name("ann", false, false)),
        ("ANN", name("ann", false, false)),
        ("a", Err(537)),
        ("wv:ann", name("ann", true, false)),
        ("nna@im", name("nna", false, true)),
        ("WV:anna@im.example", name("anna", true, true)),
        ("wv:a@im.example", name("a", true, true)),
        ("wv:", Err(537)),
        ("@im.example", Err(537)),
        ("anna@elsewhere", Ok(nobody())),
    ] {
        assert_eq!(asked(E::UserId, string, &config), expected, "{string}");
    }
}

#[test]
fn numbers_are_those_of_profiles_and_of_addresses() {
    let someone = |number: &str| UserId::parse(number, &home()).unwrap();
    let mut config = SearchConfig::default();
    let local = |config: &SearchConfig| asked(E::UserMobileNumber, "600 000-000", config);
    assert_eq!(
        local(&config),
        user(Criterion::Any(vec![
            Criterion::OneOf(vec![someone("600000000")]),
            Criterion::Mobile("600000000".into()),
        ]))
    );
    config.country_code = "34".into();
    assert_eq!(
        local(&config),
        user(Criterion::Any(vec![
            Criterion::OneOf(vec![someone("+34600000000"), someone("600000000")]),
            Criterion::Mobile("+34600000000".into()),
        ]))
    );
    assert_eq!(
        asked(E::UserMobileNumber, "anna", &config),
        user(Criterion::Any(vec![])),
        "nobody has that"
    );
    config.partial_contact_data = true;
    assert_eq!(
        asked(E::UserMobileNumber, "6000", &config),
        user(Criterion::Any(vec![
            Criterion::OneOf(vec![someone("+346000"), someone("6000")]),
            Criterion::Contains(SearchedText::Mobile, "6000".into()),
        ]))
    );
    assert_eq!(
        asked(E::UserEmailAddress, "@b", &config),
        user(Criterion::Contains(SearchedText::Email, "@b".into()))
    );
}

#[test]
fn a_search_is_checked_as_a_whole() {
    let city = || pair(E::UserCity, "Turku");
    let online = || pair(E::UserOnlineStatus, "T");
    let group = || pair(E::GroupName, "chess");
    let unknown = SearchPair {
        element: NamedElement::Unknown("USER_SHOE_SIZE".into()),
        ..city()
    };
    for (pairs, expression, expected) in [
        (vec![], None, Some(562)),
        (vec![city()], None, None),
        (vec![city(); 20], None, None),
        (vec![city(); 21], None, Some(402)),
        (vec![city(), unknown.clone()], None, Some(402)),
        (vec![city(), group()], None, Some(562)),
        (vec![city(), group()], Some("1"), None),
        (vec![online()], None, Some(562)),
        (vec![online(), online()], Some("1 OR NOT 2"), Some(562)),
        (vec![online(), city()], None, None),
        (vec![city(), pair(E::UserCity, "")], None, Some(537)),
        (vec![city(), pair(E::UserCity, "")], Some("1"), None),
        (vec![city(), city()], Some("1 AND 3"), Some(402)),
        (vec![city(), city()], Some("1 AND"), Some(402)),
        (
            vec![
                SearchPair {
                    id: Some(2),
                    ..city()
                },
                city(),
            ],
            Some("2"),
            Some(402),
        ),
        (vec![group()], None, None),
    ] {
        let got = ask(pairs.clone(), expression).err();
        assert_eq!(got, expected, "{pairs:?} {expression:?}");
    }
    assert!(matches!(ask(vec![group()], None), Ok(Wanted::Groups(_))));
    let refusal = wanted(
        &search(vec![unknown], None),
        &SearchConfig::default(),
        &home(),
    );
    assert_eq!(
        refusal.unwrap_err().details[0].search_elements,
        ["USER_SHOE_SIZE"]
    );
}

#[test]
fn pairs_are_combined_by_their_numbers_and_those_online_are_filled_in() {
    let numbered = |element, string, id| SearchPair {
        id: Some(id),
        ..pair(element, string)
    };
    let pairs = vec![
        numbered(E::UserAgeMin, "18", 7),
        numbered(E::UserOnlineStatus, "T", 3),
        numbered(E::UserOnlineStatus, "F", 4),
        numbered(E::UserCity, "ignored", 5),
    ];
    let Ok(Wanted::Users(criteria)) = ask(pairs, Some("7 AND (3 OR NOT 4)")) else {
        panic!("users are wanted");
    };
    assert!(criteria.asks_who_is_online());
    let user = |name: &str| vec![UserId::parse(name, &home()).unwrap()];
    let (anna, ben) = (user("anna"), user("ben"));
    assert_eq!(
        criteria.with_online(&anna, &ben),
        Criterion::All(vec![
            Criterion::AgeAtLeast(18),
            Criterion::Any(vec![
                Criterion::OneOf(anna.clone()),
                Criterion::Not(Box::new(Criterion::OneOf(ben.clone()))),
            ]),
        ])
    );
}
