//! Which index leads to the users that a criterion may mean.

use super::{Criterion, SearchedText};
use crate::ops::profile::fold::{sought, sought_user};

/// A part of a criterion that an index answers: everybody who is sought is among those whom
/// one of the anchors finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Anchor<'a> {
    /// The index of parts of words: column and string, all of them.
    Text(Vec<(&'static str, String)>),
    /// The index of the column that this is about.
    Column(&'a Criterion),
}

/// The column that a text is searched in.
pub(super) fn column(text: SearchedText) -> &'static str {
    match text {
        SearchedText::FirstName => "first_name",
        SearchedText::LastName => "last_name",
        SearchedText::FriendlyName => "friendly_name",
        SearchedText::Alias => "alias",
        SearchedText::Email => "email",
        SearchedText::Mobile => "mobile",
        SearchedText::Country => "country",
        SearchedText::City => "city",
        SearchedText::Intention => "intention",
        SearchedText::Interests => "interests",
    }
}

/// Column and string of a criterion that is about a part of a text.
pub(super) fn part(criterion: &Criterion) -> Option<(&'static str, String)> {
    match criterion {
        Criterion::Contains(text, string) => Some((column(*text), sought(string))),
        Criterion::UserName {
            part,
            from_start,
            to_end,
        } => Some(("user_name", sought_user(part, *from_start, *to_end))),
        _ => None,
    }
}

/// The anchors of a criterion; `None` where no index helps.
pub(super) fn anchors(criterion: &Criterion) -> Option<Vec<Anchor<'_>>> {
    if let Some((column, string)) = part(criterion) {
        // Nothing is a part of everything.
        return (!string.is_empty()).then(|| vec![Anchor::Text(vec![(column, string)])]);
    }
    match criterion {
        Criterion::All(parts) => best(parts.iter().filter_map(anchors)),
        Criterion::Any(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(anchors).collect();
            parts.map(|parts| parts.into_iter().flatten().collect())
        }
        Criterion::Not(inner) => match &**inner {
            Criterion::Not(criterion) => anchors(criterion),
            _ => None,
        },
        column => Some(vec![Anchor::Column(column)]),
    }
}

/// Of several ways of which each leads to all that is sought, the one that promises least.
/// Single texts narrow down each other.
fn best<'a>(ways: impl Iterator<Item = Vec<Anchor<'a>>>) -> Option<Vec<Anchor<'a>>> {
    let mut texts = Vec::new();
    let mut others = Vec::new();
    for mut way in ways {
        match way.as_mut_slice() {
            [Anchor::Text(parts)] => texts.append(parts),
            _ => others.push(way),
        }
    }
    if !texts.is_empty() {
        others.push(vec![Anchor::Text(texts)]);
    }
    others.into_iter().min_by_key(|way| {
        let worst = way.iter().map(promise).max().unwrap_or(0);
        (worst, way.len())
    })
}

/// The less, the fewer users it is likely to find.
fn promise(anchor: &Anchor<'_>) -> u8 {
    match anchor {
        Anchor::Column(Criterion::Email(_) | Criterion::Mobile(_)) => 0,
        Anchor::Column(Criterion::OneOf(_)) => 1,
        Anchor::Text(_) => 2,
        Anchor::Column(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::profile::Gender;

    fn city(string: &str) -> Criterion {
        Criterion::Contains(SearchedText::City, string.into())
    }

    fn text(parts: &[&str]) -> Anchor<'static> {
        Anchor::Text(
            parts
                .iter()
                .map(|part| ("city", (*part).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn the_narrowest_index_leads_and_texts_narrow_each_other() {
        let (email, old) = (Criterion::Email("a@b".into()), Criterion::AgeAtLeast(30));
        let all = |parts: &[&Criterion]| {
            Criterion::All(parts.iter().map(|part| (*part).clone()).collect())
        };
        let any = |parts: &[&Criterion]| {
            Criterion::Any(parts.iter().map(|part| (*part).clone()).collect())
        };
        let not = |part: &Criterion| Criterion::Not(Box::new(part.clone()));
        let (turku, oulu) = (city("turku"), city("oulu"));
        let gender = Criterion::Gender(Gender::Female);
        let column = Anchor::Column;
        for (criterion, expected) in [
            (turku.clone(), Some(vec![text(&["turku"])])),
            (city(""), None),
            (
                all(&[&turku, &oulu, &old]),
                Some(vec![text(&["turku", "oulu"])]),
            ),
            (all(&[&turku, &email]), Some(vec![column(&email)])),
            (all(&[&old, &not(&turku)]), Some(vec![column(&old)])),
            (
                any(&[&turku, &old]),
                Some(vec![text(&["turku"]), column(&old)]),
            ),
            (any(&[&turku, &not(&old)]), None),
            (not(&turku), None),
            (not(&not(&turku)), Some(vec![text(&["turku"])])),
            (
                all(&[&gender, &any(&[&turku, &oulu])]),
                Some(vec![text(&["turku"]), text(&["oulu"])]),
            ),
            (any(&[]), Some(vec![])),
            (all(&[]), None),
        ] {
            assert_eq!(anchors(&criterion), expected, "{criterion:?}");
        }
    }
}
