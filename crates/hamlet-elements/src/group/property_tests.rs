use super::*;

const AROUND: Surroundings = Surroundings {
    public: false,
    active: 3,
};

fn given(pairs: &[(&str, &str)]) -> GivenProperties {
    GivenProperties {
        properties: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        welcome_note: None,
    }
}

fn set(pairs: &[(&str, &str)]) -> Result<GroupProperties, u16> {
    let config = GroupConfig::default();
    changed(&GroupProperties::default(), &given(pairs), AROUND, &config)
        .map_err(|refusal| refusal.code.0)
}

fn set_own(pairs: &[(&str, &str)], standing: Standing) -> Result<OwnProperties, u16> {
    changed_own(&OwnProperties::default(), &given(pairs), standing)
        .map_err(|refusal| refusal.code.0)
}

/// The value of a property after it was set, or why it was not.
fn value_of(name: &str, value: &str) -> String {
    let config = GroupConfig::default();
    match set(&[(name, value), ("Name", "n")]) {
        Ok(properties) => {
            let shown = shown(&properties, AROUND, &config).properties;
            let property = GroupProperty::parse(name).unwrap();
            let found = shown.into_iter().find(|(known, _)| *known == property);
            found.map_or("-".into(), |(_, value)| value)
        }
        Err(code) => code.to_string(),
    }
}

#[test]
fn each_property_of_a_group_takes_its_values_in_any_case() {
    for (name, value, expected) in [
        ("Topic", " snow ", "snow"),
        ("Topic", "", ""),
        ("Topic", "a\nb", "806"),
        ("Topic", &"x".repeat(255), &"x".repeat(255)),
        ("Topic", &"x".repeat(256), "806"),
        // data-types 4: the S60 engine and Android write it so.
        ("Accesstype", "Restricted", "Restricted"),
        ("AccessType", "OPEN", "Open"),
        ("AccessType", "Closed", "Restricted"),
        ("AccessType", "Secret", "806"),
        ("privatemessaging", "t", "T"),
        ("PrivateMessaging", "yes", "806"),
        ("PrivateMessaging", "", "806"),
        ("Searchable", "T", "T"),
        ("AutoDelete", "T", "T"),
        ("History", "T", "T"),
        ("RequireInvitation", "F", "F"),
        ("MaxActiveUsers", "20", "20"),
        // S60 sends the number unconditionally: what is none is the server's.
        ("MaxActiveUsers", "0", "10000"),
        ("MaxActiveUsers", "-1", "10000"),
        ("MaxActiveUsers", "99999999999", "10000"),
        ("MaxActiveUsers", "many", "806"),
        ("Validity", "3600", "3600"),
        ("Validity", "0", "-"),
        ("Validity", "", "-"),
        ("MinimumAge", "18", "18"),
        ("MinimumAge", "old", "806"),
        // Read-only: the unchanged value is taken as an echo.
        ("Type", "private", "Private"),
        ("Type", "Public", "806"),
        ("ActiveUsers", "3", "3"),
        ("ActiveUsers", "4", "806"),
    ] {
        assert_eq!(value_of(name, value), expected, "{name}={value}");
    }
    assert_eq!(set(&[("Colour", "red")]), Err(806));
    assert_eq!(set(&[("IsMember", "T")]), Err(806), "an own one");
}

#[test]
fn defaults_are_those_of_the_reference() {
    let config = GroupConfig::default();
    let shown = shown(&set(&[]).unwrap(), AROUND, &config);
    let text: Vec<String> = shown
        .properties
        .iter()
        .map(|(property, value)| format!("{}={value}", property.as_str()))
        .collect();
    let expected = "Name= AccessType=Open Type=Private PrivateMessaging=F Searchable=F Topic= \
                    ActiveUsers=3 MaxActiveUsers=10000 AutoDelete=F History=F RequireInvitation=F";
    assert_eq!(text.join(" "), expected);
    let own = shown_own(&OwnProperties::default(), Standing::default());
    let text: Vec<String> = own
        .iter()
        .map(|(property, value)| format!("{}={value}", property.as_str()))
        .collect();
    let expected = "PrivateMessaging=T IsMember=F PrivilegeLevel=User AutoJoin=F ShowID=F";
    assert_eq!(text.join(" "), expected);
}

#[test]
fn a_searchable_group_has_something_to_be_found_by() {
    for (pairs, expected) in [
        (&[("Searchable", "T")][..], Some(822)),
        (&[("Searchable", "T"), ("Name", "n")], None),
        (&[("Topic", "t"), ("Searchable", "T")], None),
        (
            &[("Searchable", "T"), ("Name", "n"), ("Name", "")],
            Some(822),
        ),
    ] {
        assert_eq!(set(pairs).err(), expected, "{pairs:?}");
    }
}

#[test]
fn nothing_is_changed_by_what_cannot_be() {
    let (config, mut current) = (GroupConfig::default(), GroupProperties::default());
    current.topic = "before".into();
    let given = given(&[("Topic", "after"), ("Searchable", "perhaps")]);
    assert!(changed(&current, &given, AROUND, &config).is_err());
}

#[test]
fn a_welcome_note_is_set_kept_and_removed() {
    let config = GroupConfig::default();
    let note = |data: &str| GivenProperties {
        properties: Vec::new(),
        welcome_note: Some(Content::text(data)),
    };
    let with = changed(&GroupProperties::default(), &note("Hello"), AROUND, &config).unwrap();
    assert_eq!(with.welcome_note, Some(Content::text("Hello")));
    let kept = changed(&with, &given(&[("Topic", "x")]), AROUND, &config).unwrap();
    assert_eq!(kept.welcome_note, with.welcome_note);
    let gone = changed(&with, &note(""), AROUND, &config).unwrap();
    assert_eq!(gone.welcome_note, None);
    let long = note(&"x".repeat(config.max_welcome_note + 1));
    assert_eq!(
        changed(&with, &long, AROUND, &config).unwrap_err().code.0,
        806
    );
    let told = difference(&with, &gone, AROUND, &config);
    assert_eq!(told.welcome_note, Some(Content::text("")));
    assert!(told.properties.is_empty());
}

#[test]
fn only_what_differs_is_told() {
    let config = GroupConfig::default();
    let old = set(&[("Topic", "a"), ("Validity", "60")]).unwrap();
    let new = set(&[("Topic", "b"), ("AccessType", "Restricted")]).unwrap();
    let told = difference(&old, &new, AROUND, &config).properties;
    let expected = [
        (GroupProperty::AccessType, "Restricted".to_owned()),
        (GroupProperty::Topic, "b".to_owned()),
        (GroupProperty::Validity, "0".to_owned()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn each_own_property_takes_its_values_and_echoes() {
    let stranger = Standing::default();
    let moderator = Standing {
        role: Role::Moderator,
        member: true,
        ..stranger
    };
    let owner = Standing {
        owner: true,
        ..stranger
    };
    for (name, value, standing, expected) in [
        ("PrivateMessaging", "F", stranger, None),
        ("AutoJoin", "T", stranger, None),
        ("showid", "T", stranger, None),
        ("ShowID", "maybe", stranger, Some(806)),
        ("ScreenName", "Queen", stranger, None),
        ("ScreenName", "", stranger, None),
        ("ScreenName", &"x".repeat(51), stranger, Some(806)),
        // S60 echoes IsMember and PrivilegeLevel back.
        ("IsMember", "F", stranger, None),
        ("IsMember", "T", stranger, Some(806)),
        ("IsMember", "T", moderator, None),
        ("IsMember", "T", owner, None),
        ("PrivilegeLevel", "User", stranger, None),
        ("PrivilegeLevel", "US", stranger, None),
        ("PrivilegeLevel", "Mod", moderator, None),
        ("PrivilegeLevel", "Admin", owner, None),
        ("PrivilegeLevel", "Admin", moderator, Some(806)),
        ("Topic", "x", owner, Some(806)),
    ] {
        let code = set_own(&[(name, value)], standing).err();
        assert_eq!(code, expected, "{name}={value}");
    }
    let own = set_own(
        &[
            ("AutoJoin", "T"),
            ("ScreenName", " Queen "),
            ("ShowID", "t"),
        ],
        stranger,
    )
    .unwrap();
    assert!(own.auto_join && own.show_id && own.private_messaging);
    assert_eq!(own.screen_name.unwrap().as_str(), "Queen");
}
