//! Screen names that the server gives (csp-group 5.3 item 8). Pure.

use hamlet_model::group::MAX_SCREEN_NAME;
use hamlet_model::{ScreenName, UserId};

/// How many names are tried for somebody who gives none.
const TRIES: usize = 100;

/// Encloses the names under which a group itself speaks.
const MARK: char = '*';

/// Whether nobody may have the name: it looks like one under which a group speaks
/// (csp-group 6 item 11).
pub(crate) fn is_reserved(name: &ScreenName) -> bool {
    name.as_str().starts_with(MARK)
}

/// Names for somebody who gives none, the best first: the one that he prefers, else his
/// address without scheme and domain, then with a number behind.
pub(crate) fn proposals(
    preferred: Option<&ScreenName>,
    user: &UserId,
) -> impl Iterator<Item = ScreenName> {
    let base = preferred.map_or(user.user(), ScreenName::as_str);
    let base: String = base.trim_start_matches(MARK).to_owned();
    (1..=TRIES).filter_map(move |number| {
        let suffix = match number {
            1 => String::new(),
            _ => format!("-{number}"),
        };
        let room = MAX_SCREEN_NAME.saturating_sub(suffix.len());
        let start: String = base.chars().take(room).collect();
        ScreenName::new(&format!("{start}{suffix}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::Domain;

    #[test]
    fn who_gives_no_name_gets_one_that_can_be_told_apart() {
        let user = UserId::parse("anna", &Domain::parse("a").unwrap()).unwrap();
        let names = |preferred: Option<&str>| {
            let preferred = preferred.map(|name| ScreenName::new(name).unwrap());
            let proposals = proposals(preferred.as_ref(), &user).take(3);
            proposals.map(|name| name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["anna", "anna-2", "anna-3"]);
        assert_eq!(names(Some("Queen")), ["Queen", "Queen-2", "Queen-3"]);
        let long = names(Some(&"x".repeat(50)));
        assert_eq!(long[1], format!("{}-2", "x".repeat(48)));
        assert_eq!(names(Some("*Skiing*"))[0], "Skiing*");
    }

    #[test]
    fn nobody_speaks_as_the_group() {
        assert!(is_reserved(&ScreenName::new("*Skiing*").unwrap()));
        assert!(!is_reserved(&ScreenName::new("Skiing*").unwrap()));
    }
}
