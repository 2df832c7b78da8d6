//! From the pairs of a search to what the store is asked (data-types 5, csp-access 9.2, 9.3).
//! Pure.

use super::expression::{Expression, parse};
use super::groups::group_criterion;
use super::types::{NamedElement, Search, SearchConfig, SearchElement, SearchPair};
use hamlet_model::profile::{Gender, MaritalStatus};
use hamlet_model::{Detail, Domain, Refusal, StatusCode, UserId, msisdn};
use hamlet_store::{Criterion, GroupCriterion, SearchedText};

/// What a search is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    Users(Criteria),
    Groups(GroupCriterion),
}

/// What is sought of users; who is online is found out elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Criteria {
    User(Criterion),
    Online(bool),
    All(Vec<Criteria>),
    Any(Vec<Criteria>),
    Not(Box<Criteria>),
}

impl Criteria {
    /// Whether it matters who is online.
    pub(crate) fn asks_who_is_online(&self) -> bool {
        match self {
            Self::User(_) => false,
            Self::Online(_) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_who_is_online),
            Self::Not(inner) => inner.asks_who_is_online(),
        }
    }

    /// As the store is asked, with those whom the requestor may see on- or offline.
    pub(crate) fn with_online(self, online: &[UserId], offline: &[UserId]) -> Criterion {
        let all = |parts: Vec<Self>| {
            let parts = parts.into_iter();
            parts
                .map(|part| part.with_online(online, offline))
                .collect()
        };
        match self {
            Self::User(criterion) => criterion,
            Self::Online(true) => Criterion::OneOf(online.to_vec()),
            Self::Online(false) => Criterion::OneOf(offline.to_vec()),
            Self::All(parts) => Criterion::All(all(parts)),
            Self::Any(parts) => Criterion::Any(all(parts)),
            Self::Not(inner) => Criterion::Not(Box::new(inner.with_online(online, offline))),
        }
    }
}

/// Checks a search, in the order of csp-access 9.2.
pub(crate) fn wanted(
    search: &Search,
    config: &SearchConfig,
    home: &Domain,
) -> Result<Wanted, Refusal> {
    let invalid = |why: &str| Err(Refusal::because(StatusCode::INVALID_SEARCH, why));
    if search.pairs.is_empty() {
        return invalid("The search has no criterion");
    }
    if search.pairs.len() > config.max_pairs {
        return Err(Refusal::because(
            StatusCode::BAD_PARAMETER,
            format!("A search has at most {} criteria", config.max_pairs),
        ));
    }
    let elements = elements(&search.pairs)?;
    let expression = match &search.expression {
        Some(text) => Some(expression(text, &search.pairs)?),
        None => None,
    };
    let used: Vec<usize> = match &expression {
        Some(expression) => named(expression),
        None => (0..search.pairs.len()).collect(),
    };
    let groups = used
        .iter()
        .filter(|at| elements[**at].finds_groups())
        .count();
    if groups > 0 && groups < used.len() {
        return invalid("A search is for users or for groups");
    }
    if used
        .iter()
        .all(|at| elements[*at] == SearchElement::UserOnlineStatus)
    {
        return invalid("USER_ONLINE_STATUS only narrows down another criterion");
    }
    let mut criteria = Vec::with_capacity(search.pairs.len());
    for (element, pair) in elements.iter().zip(&search.pairs) {
        criteria.push(criterion(*element, &pair.string, config, home));
    }
    for at in &used {
        criteria[*at].as_ref().map_err(Clone::clone)?;
    }
    if groups > 0 {
        let criterion = group_criterion(&elements, &search.pairs, expression.as_ref(), home)?;
        return Ok(Wanted::Groups(criterion));
    }
    let criteria: Vec<Option<Criteria>> = criteria.into_iter().map(Result::ok).collect();
    let wanted = match expression {
        Some(expression) => combined(&expression, &criteria),
        None => Some(Criteria::All(criteria.into_iter().flatten().collect())),
    };
    wanted
        .map(Wanted::Users)
        .ok_or_else(|| StatusCode::INVALID_SEARCH.into())
}

/// 402 names those that there are not.
fn elements(pairs: &[SearchPair]) -> Result<Vec<SearchElement>, Refusal> {
    let mut unknown = Detail::new(StatusCode::BAD_PARAMETER);
    let mut elements = Vec::with_capacity(pairs.len());
    for pair in pairs {
        match &pair.element {
            NamedElement::Known(element) => elements.push(*element),
            NamedElement::Unknown(name) => unknown.search_elements.push(name.clone()),
        }
    }
    if unknown.search_elements.is_empty() {
        return Ok(elements);
    }
    let names = unknown.search_elements.join(", ");
    Err(Refusal {
        details: vec![unknown],
        ..Refusal::because(
            StatusCode::BAD_PARAMETER,
            format!("There is no search by {names}"),
        )
    })
}

/// The expression over places in the list of pairs. Pairs without a number are numbered by
/// their places.
fn expression(text: &str, pairs: &[SearchPair]) -> Result<Expression, Refusal> {
    let bad = |why: String| Refusal::because(StatusCode::BAD_PARAMETER, why);
    let mut ids: Vec<u32> = Vec::with_capacity(pairs.len());
    for (pair, place) in pairs.iter().zip(1..) {
        let id = pair.id.unwrap_or(place);
        if ids.contains(&id) {
            return Err(bad(format!("PairID {id} is there twice")));
        }
        ids.push(id);
    }
    let expression = parse(text).map_err(|fault| bad(fault.to_string()))?;
    placed(expression, &ids).map_err(|id| bad(format!("There is no PairID {id}")))
}

fn placed(expression: Expression, ids: &[u32]) -> Result<Expression, u32> {
    let all = |parts: Vec<Expression>| {
        let parts = parts.into_iter().map(|part| placed(part, ids));
        parts.collect::<Result<Vec<_>, u32>>()
    };
    Ok(match expression {
        Expression::Pair(id) => {
            let place = ids.iter().position(|known| *known == id).ok_or(id)?;
            Expression::Pair(u32::try_from(place).map_err(|_| id)?)
        }
        Expression::Not(inner) => Expression::Not(Box::new(placed(*inner, ids)?)),
        Expression::And(parts) => Expression::And(all(parts)?),
        Expression::Or(parts) => Expression::Or(all(parts)?),
    })
}

/// The places that an expression names, each once.
fn named(expression: &Expression) -> Vec<usize> {
    fn collect(expression: &Expression, found: &mut Vec<usize>) {
        match expression {
            Expression::Pair(place) => found.push(*place as usize),
            Expression::Not(inner) => collect(inner, found),
            Expression::And(parts) | Expression::Or(parts) => {
                parts.iter().for_each(|part| collect(part, found));
            }
        }
    }
    let mut found = Vec::new();
    collect(expression, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn combined(expression: &Expression, criteria: &[Option<Criteria>]) -> Option<Criteria> {
    let all = |parts: &[Expression]| {
        let parts = parts.iter().map(|part| combined(part, criteria));
        parts.collect::<Option<Vec<_>>>()
    };
    Some(match expression {
        Expression::Pair(place) => criteria.get(*place as usize)?.clone()?,
        Expression::Not(inner) => Criteria::Not(Box::new(combined(inner, criteria)?)),
        Expression::And(parts) => Criteria::All(all(parts)?),
        Expression::Or(parts) => Criteria::Any(all(parts)?),
    })
}

/// What one pair asks for. Pairs for groups are only checked.
fn criterion(
    element: SearchElement,
    string: &str,
    config: &SearchConfig,
    home: &Domain,
) -> Result<Criteria, Refusal> {
    use SearchElement as E;
    let string = string.trim();
    let bad = || {
        let why = format!("`{string}` is nothing to search {} for", element.as_str());
        Refusal::because(StatusCode::BAD_PARAMETER, why)
    };
    if string.is_empty() {
        return Err(StatusCode::TOO_BROAD.into());
    }
    let part = |text| {
        long_enough(string, config)?;
        Ok(Criteria::User(Criterion::Contains(text, string.to_owned())))
    };
    let years = || {
        let digits = string.bytes().all(|digit| digit.is_ascii_digit());
        string
            .parse::<u32>()
            .ok()
            .filter(|_| digits)
            .ok_or_else(bad)
    };
    Ok(match element {
        E::UserId => return user_id(string, config, home),
        E::UserFirstName => return part(SearchedText::FirstName),
        E::UserLastName => return part(SearchedText::LastName),
        E::UserAlias => return part(SearchedText::Alias),
        E::UserFriendlyName => return part(SearchedText::FriendlyName),
        E::UserCity => return part(SearchedText::City),
        E::UserCountry => return part(SearchedText::Country),
        E::UserIntention => return part(SearchedText::Intention),
        E::UserInterestsHobbies => return part(SearchedText::Interests),
        E::UserEmailAddress if config.partial_contact_data => return part(SearchedText::Email),
        E::UserEmailAddress => Criteria::User(Criterion::Email(string.to_owned())),
        E::UserMobileNumber => return mobile(string, config, home),
        E::UserOnlineStatus => match string {
            "T" | "t" => Criteria::Online(true),
            "F" | "f" => Criteria::Online(false),
            _ => return Err(bad()),
        },
        E::UserAgeMin => Criteria::User(Criterion::AgeAtLeast(years()?)),
        E::UserAgeMax => Criteria::User(Criterion::AgeAtMost(years()?)),
        E::UserGender => {
            let gender = Gender::from_letter(string).ok_or_else(bad)?;
            Criteria::User(Criterion::Gender(gender))
        }
        E::UserMaritalStatus => {
            let status = MaritalStatus::from_letter(string).ok_or_else(bad)?;
            Criteria::User(Criterion::MaritalStatus(status))
        }
        E::GroupId | E::GroupName | E::GroupTopic => {
            long_enough(string, config)?;
            nobody()
        }
        E::GroupUserIdJoined | E::GroupUserIdOwner | E::GroupUserIdAutojoin => {
            UserId::parse(string, home).map_err(|_| bad())?;
            nobody()
        }
    })
}

fn nobody() -> Criteria {
    Criteria::User(Criterion::OneOf(Vec::new()))
}

fn long_enough(string: &str, config: &SearchConfig) -> Result<(), Refusal> {
    match string.chars().count() {
        length if length < config.min_length.max(1) => Err(StatusCode::TOO_BROAD.into()),
        _ => Ok(()),
    }
}

/// A part of the address `wv:user@domain`. The scheme and the domain are the same for all,
/// so it is the user part that is searched; where the string reaches into the others, the
/// user part begins or ends with what is sought.
fn user_id(string: &str, config: &SearchConfig, home: &Domain) -> Result<Criteria, Refusal> {
    let lower = string.to_lowercase();
    let (part, from_start) = match lower.strip_prefix("wv:") {
        Some(part) => (part, true),
        None => (lower.as_str(), false),
    };
    let (part, to_end) = match part.split_once('@') {
        Some((_, domain)) if !home.as_str().starts_with(domain) => return Ok(nobody()),
        Some((part, _)) => (part, true),
        None => (part, false),
    };
    if part.is_empty() {
        return Err(StatusCode::TOO_BROAD.into());
    }
    if !(from_start && to_end) {
        long_enough(part, config)?;
    }
    Ok(Criteria::User(Criterion::UserName {
        part: part.to_owned(),
        from_start,
        to_end,
    }))
}

/// A phone number: that of the profile, or one that is a user's address.
fn mobile(string: &str, config: &SearchConfig, home: &Domain) -> Result<Criteria, Refusal> {
    let normal = msisdn::normalise(string, &config.country_code);
    let as_typed = msisdn::normalise(string, "");
    let mut ways = Vec::new();
    let numbers = [normal.clone(), as_typed.clone()];
    let users = numbers.iter().flatten();
    let mut users: Vec<UserId> = users
        .filter_map(|number| UserId::parse(number, home).ok())
        .collect();
    users.dedup();
    if !users.is_empty() {
        ways.push(Criterion::OneOf(users));
    }
    if config.partial_contact_data {
        if let Some(part) = as_typed {
            long_enough(&part, config)?;
            ways.push(Criterion::Contains(SearchedText::Mobile, part));
        }
    } else if let Some(number) = normal {
        ways.push(Criterion::Mobile(number));
    }
    Ok(Criteria::User(Criterion::Any(ways)))
}

#[cfg(test)]
#[path = "criteria_tests.rs"]
mod tests;
