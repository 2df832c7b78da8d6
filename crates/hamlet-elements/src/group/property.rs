//! The rules of properties (csp-group 1.2; data-types 4.2, 4.3). Pure.

use super::Standing;
use super::types::{GivenProperties, GroupConfig, ShownOwnProperties, ShownProperties};
use hamlet_model::{
    AccessType, Content, GroupProperties, GroupProperty, OwnProperties, OwnProperty, Refusal, Role,
    ScreenName, StatusCode,
};

/// What a property of a group is beside what can be set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    /// It is a public group.
    pub(crate) public: bool,
    /// How many are joined.
    pub(crate) active: usize,
}

/// The properties with what is given put in: 806 for names and values that cannot be, 822 for
/// a group that cannot be found. Nothing is changed then.
pub(crate) fn changed(
    current: &GroupProperties,
    given: &GivenProperties,
    around: Surroundings,
    config: &GroupConfig,
) -> Result<GroupProperties, Refusal> {
    use GroupProperty as P;
    let mut new = current.clone();
    for (name, value) in &given.properties {
        let property = GroupProperty::parse(name).ok_or_else(|| invalid(name))?;
        let value = value.trim();
        let refused = || invalid(property.as_str());
        let flag = || flag(value).ok_or_else(refused);
        let number = || number(value).ok_or_else(refused);
        match property {
            P::Name => new.name = text(value, config).ok_or_else(refused)?,
            P::Topic => new.topic = text(value, config).ok_or_else(refused)?,
            P::AccessType => new.access = access(value).ok_or_else(refused)?,
            P::PrivateMessaging => new.private_messaging = flag()?,
            P::Searchable => new.searchable = flag()?,
            P::MaxActiveUsers => {
                new.max_active_users = number()?.map(|most| most.min(config.max_active_users));
            }
            P::AutoDelete => new.auto_delete = flag()?,
            P::Validity => new.validity = number()?,
            P::History => new.history = flag()?,
            P::RequireInvitation => new.require_invitation = flag()?,
            P::MinimumAge => new.minimum_age = number()?,
            // Clients echo what they have read.
            P::Type if value.eq_ignore_ascii_case(kind(around)) => {}
            P::ActiveUsers if value.parse() == Ok(around.active) => {}
            P::Type | P::ActiveUsers => return Err(refused()),
        }
    }
    if let Some(note) = &given.welcome_note {
        if note.data.len() > config.max_welcome_note {
            return Err(invalid("WelcomeNote"));
        }
        new.welcome_note = (!note.data.is_empty()).then(|| note.clone());
    }
    if new.searchable && new.name.is_empty() && new.topic.is_empty() {
        return Err(StatusCode::NOT_SEARCHABLE.into());
    }
    Ok(new)
}

/// The own properties with what is given put in: 806 for names and values that cannot be.
pub(crate) fn changed_own(
    current: &OwnProperties,
    given: &GivenProperties,
    standing: Standing,
) -> Result<OwnProperties, Refusal> {
    use OwnProperty as P;
    let mut new = current.clone();
    for (name, value) in &given.properties {
        let property = OwnProperty::parse(name).ok_or_else(|| invalid(name))?;
        let value = value.trim();
        let refused = || invalid(property.as_str());
        let flag = || flag(value).ok_or_else(refused);
        match property {
            P::PrivateMessaging => new.private_messaging = flag()?,
            P::AutoJoin => new.auto_join = flag()?,
            P::ShowId => new.show_id = flag()?,
            P::ScreenName if value.is_empty() => new.screen_name = None,
            P::ScreenName => new.screen_name = Some(ScreenName::new(value).ok_or_else(refused)?),
            // Clients echo what they have read.
            P::IsMember if self::flag(value) == Some(standing.member || standing.owner) => {}
            P::PrivilegeLevel if Role::parse(value) == Some(standing.rank()) => {}
            P::IsMember | P::PrivilegeLevel => return Err(refused()),
        }
    }
    Ok(new)
}

/// All common properties with their values.
pub(crate) fn shown(
    properties: &GroupProperties,
    around: Surroundings,
    config: &GroupConfig,
) -> ShownProperties {
    let shown = GroupProperty::ALL.iter().filter_map(|property| {
        let value = value(properties, *property, around, config)?;
        Some((*property, value))
    });
    ShownProperties {
        properties: shown.collect(),
        welcome_note: properties.welcome_note.clone(),
    }
}

/// Those that differ, with their new values; a welcome note that is gone is an empty one.
pub(crate) fn difference(
    old: &GroupProperties,
    new: &GroupProperties,
    around: Surroundings,
    config: &GroupConfig,
) -> ShownProperties {
    let differing = GroupProperty::ALL.iter().filter_map(|property| {
        let before = value(old, *property, around, config);
        let after = value(new, *property, around, config);
        // A number that is taken back is 0.
        (before != after).then(|| (*property, after.unwrap_or_else(|| "0".to_owned())))
    });
    ShownProperties {
        properties: differing.collect(),
        welcome_note: (old.welcome_note != new.welcome_note).then(|| {
            new.welcome_note
                .clone()
                .unwrap_or_else(|| Content::text(""))
        }),
    }
}

/// All own properties with their values.
pub(crate) fn shown_own(own: &OwnProperties, standing: Standing) -> ShownOwnProperties {
    let mut shown = vec![
        (OwnProperty::PrivateMessaging, letter(own.private_messaging)),
        is_member(standing.member || standing.owner),
        privilege_level(standing.rank()),
        (OwnProperty::AutoJoin, letter(own.auto_join)),
        (OwnProperty::ShowId, letter(own.show_id)),
    ];
    if let Some(name) = &own.screen_name {
        shown.push((OwnProperty::ScreenName, name.to_string()));
    }
    shown
}

/// What is told to who has nothing to do with the group (csp-group 5.9).
pub(crate) fn shown_to_strangers() -> ShownOwnProperties {
    vec![is_member(false), privilege_level(Role::User)]
}

/// The property IsMember.
pub(crate) fn is_member(member: bool) -> (OwnProperty, String) {
    (OwnProperty::IsMember, letter(member))
}

/// The property PrivilegeLevel.
pub(crate) fn privilege_level(role: Role) -> (OwnProperty, String) {
    (OwnProperty::PrivilegeLevel, role.as_str().to_owned())
}

fn value(
    properties: &GroupProperties,
    property: GroupProperty,
    around: Surroundings,
    config: &GroupConfig,
) -> Option<String> {
    use GroupProperty as P;
    Some(match property {
        P::Name => properties.name.clone(),
        P::AccessType => properties.access.as_str().to_owned(),
        P::Type => kind(around).to_owned(),
        P::PrivateMessaging => letter(properties.private_messaging),
        P::Searchable => letter(properties.searchable),
        P::Topic => properties.topic.clone(),
        P::ActiveUsers => around.active.to_string(),
        P::MaxActiveUsers => most(properties, config).to_string(),
        P::AutoDelete => letter(properties.auto_delete),
        P::Validity => properties.validity?.to_string(),
        P::History => letter(properties.history),
        P::RequireInvitation => letter(properties.require_invitation),
        P::MinimumAge => properties.minimum_age?.to_string(),
    })
}

/// Most clients that may be joined.
pub(crate) fn most(properties: &GroupProperties, config: &GroupConfig) -> u32 {
    let server = config.max_active_users;
    properties
        .max_active_users
        .map_or(server, |most| most.min(server))
}

fn kind(around: Surroundings) -> &'static str {
    match around.public {
        true => "Public",
        false => "Private",
    }
}

fn letter(flag: bool) -> String {
    if flag { "T" } else { "F" }.to_owned()
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "T" | "t" => Some(true),
        "F" | "f" => Some(false),
        _ => None,
    }
}

/// Nothing, 0 and less are no number; what is larger than the largest is the largest.
fn number(value: &str) -> Option<Option<u32>> {
    if value.is_empty() {
        return Some(None);
    }
    let number: i64 = value.parse().ok()?;
    let number = u32::try_from(number.max(0)).unwrap_or(u32::MAX);
    Some((number > 0).then_some(number))
}

fn text(value: &str, config: &GroupConfig) -> Option<String> {
    let fits = value.chars().count() <= config.max_property;
    (fits && !value.contains(char::is_control)).then(|| value.to_owned())
}

fn access(value: &str) -> Option<AccessType> {
    match value.to_ascii_lowercase().as_str() {
        "open" => Some(AccessType::Open),
        "restricted" | "closed" => Some(AccessType::Restricted),
        _ => None,
    }
}

fn invalid(name: &str) -> Refusal {
    let name: String = name.chars().take(50).collect();
    let why = format!("The property {name} is unknown or cannot be set to this");
    Refusal::because(StatusCode::INVALID_GROUP_PROPERTY, why)
}

#[cfg(test)]
#[path = "property_tests.rs"]
mod tests;
