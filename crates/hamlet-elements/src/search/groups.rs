//! Searches for groups (data-types 5; csp-group 9): from pairs to what the store is asked, and
//! what is told of what it finds.

use super::expression::Expression;
use super::types::{Hits, Page, SearchConfig, SearchElement, SearchPair};
use hamlet_model::{Domain, GroupId, Refusal, StatusCode, UserId};
use hamlet_store::{GroupCriterion, GroupText};

/// What the pairs ask for, combined by the expression, else all of them. Pure.
pub(super) fn group_criterion(
    elements: &[SearchElement],
    pairs: &[SearchPair],
    expression: Option<&Expression>,
    home: &Domain,
) -> Result<GroupCriterion, Refusal> {
    let mut criteria = Vec::with_capacity(pairs.len());
    for (element, pair) in elements.iter().zip(pairs) {
        criteria.push(criterion(*element, pair.string.trim(), home)?);
    }
    let criterion = match expression {
        Some(expression) => combined(expression, &criteria),
        None => Some(GroupCriterion::All(
            criteria.iter().flatten().cloned().collect(),
        )),
    };
    match criterion {
        Some(criterion) if criterion.is_selective() => Ok(criterion),
        Some(_) => Err(Refusal::because(
            StatusCode::TOO_BROAD,
            "The search asks only for what groups are not",
        )),
        None => Err(StatusCode::INVALID_SEARCH.into()),
    }
}

/// `None` for a pair about users, which the expression does not use.
fn criterion(
    element: SearchElement,
    string: &str,
    home: &Domain,
) -> Result<Option<GroupCriterion>, Refusal> {
    use SearchElement as E;
    let part = |text| Some(GroupCriterion::Contains(text, string.to_owned()));
    let user = || {
        UserId::parse(string, home).map_err(|_| {
            let why = format!("`{string}` is nothing to search {} for", element.as_str());
            Refusal::because(StatusCode::BAD_PARAMETER, why)
        })
    };
    Ok(match element {
        E::GroupId => part(GroupText::Id),
        E::GroupName => part(GroupText::Name),
        E::GroupTopic => part(GroupText::Topic),
        E::GroupUserIdJoined => Some(GroupCriterion::Joined(user()?)),
        E::GroupUserIdOwner => Some(GroupCriterion::Owner(user()?)),
        E::GroupUserIdAutojoin => Some(GroupCriterion::AutoJoin(user()?)),
        _ => None,
    })
}

fn combined(
    expression: &Expression,
    criteria: &[Option<GroupCriterion>],
) -> Option<GroupCriterion> {
    let all = |parts: &[Expression]| {
        let parts = parts.iter().map(|part| combined(part, criteria));
        parts.collect::<Option<Vec<_>>>()
    };
    Some(match expression {
        Expression::Pair(place) => criteria.get(*place as usize)?.clone()?,
        Expression::Not(inner) => GroupCriterion::Not(Box::new(combined(inner, criteria)?)),
        Expression::And(parts) => GroupCriterion::All(all(parts)?),
        Expression::Or(parts) => GroupCriterion::Any(all(parts)?),
    })
}

/// Groups from hit `first` on, counted from 1: at most `most`, and as many as fit into a
/// client's parser.
pub(super) fn group_page(groups: &[GroupId], first: u32, most: u32, octets: Option<usize>) -> Page {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let rest = groups.get(first as usize - 1..).unwrap_or_default();
    let rest = &rest[..rest.len().min(most as usize)];
    let told = super::pages::fitting_groups(rest, octets);
    let (index, total) = (first - 1 + number(told.len()), number(groups.len()));
    Page {
        id: None,
        findings: total,
        index,
        complete: index >= total,
        hits: Hits::Groups(told.to_vec()),
    }
}

/// 536 for too many, unless they are cut.
pub(super) fn bounded(
    mut groups: Vec<GroupId>,
    config: &SearchConfig,
) -> Result<Vec<GroupId>, Refusal> {
    if groups.len() > config.max_results && !config.cut_at_limit {
        return Err(StatusCode::TOO_MANY_HITS.into());
    }
    groups.truncate(config.max_results);
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::types::NamedElement;

    fn home() -> Domain {
        Domain::parse("a").unwrap()
    }

    fn ask(
        pairs: &[(SearchElement, &str)],
        expression: Option<Expression>,
    ) -> Result<GroupCriterion, u16> {
        let elements: Vec<SearchElement> = pairs.iter().map(|(element, _)| *element).collect();
        let pairs: Vec<SearchPair> = pairs
            .iter()
            .map(|(element, string)| SearchPair {
                element: NamedElement::Known(*element),
                string: (*string).to_owned(),
                id: None,
            })
            .collect();
        group_criterion(&elements, &pairs, expression.as_ref(), &home())
            .map_err(|refusal| refusal.code.0)
    }

    #[test]
    fn pairs_become_criteria() {
        use GroupCriterion as C;
        use SearchElement as E;
        let name = C::Contains(GroupText::Name, "snow".into());
        let own = C::Owner(UserId::parse("anna", &home()).unwrap());
        assert_eq!(
            ask(
                &[(E::GroupName, " snow "), (E::GroupUserIdOwner, "anna")],
                None
            ),
            Ok(C::All(vec![name.clone(), own.clone()]))
        );
        assert_eq!(ask(&[(E::GroupUserIdJoined, "a b")], None), Err(402));
        let not_own = Expression::And(vec![
            Expression::Pair(0),
            Expression::Not(Box::new(Expression::Pair(1))),
        ]);
        let pairs = [(E::GroupName, "snow"), (E::GroupUserIdOwner, "anna")];
        assert_eq!(
            ask(&pairs, Some(not_own)),
            Ok(C::All(vec![name, C::Not(Box::new(own))]))
        );
        let only_not = Expression::Not(Box::new(Expression::Pair(0)));
        assert_eq!(ask(&pairs, Some(only_not)), Err(537));
    }

    #[test]
    fn groups_are_told_page_by_page() {
        let groups: Vec<GroupId> = (1..=7)
            .map(|number| GroupId::parse(&format!("/g{number}"), &home()).unwrap())
            .collect();
        let page = group_page(&groups, 1, 5, None);
        assert_eq!((page.findings, page.index, page.complete), (7, 5, false));
        let page = group_page(&groups, 6, 5, None);
        assert_eq!((page.index, page.complete), (7, true));
        assert_eq!(page.hits, Hits::Groups(groups[5..].to_vec()));
        assert_eq!(group_page(&groups, 1, 5, Some(1)).index, 1, "one at least");
        assert!(group_page(&[], 1, 5, None).complete);
    }
}
