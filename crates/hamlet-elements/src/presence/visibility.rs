//! Who sees whose presence.

use hamlet_model::UserId;

/// Whether `watcher` sees the attributes of `publisher`: always his own, and those of users
/// with whom he shares a contact list in either direction. What he does not see he is not
/// told about either (csp-presence 6.8).
pub(crate) fn may_see(
    publisher: &UserId,
    watcher: &UserId,
    publisher_lists_watcher: bool,
    watcher_lists_publisher: bool,
) -> bool {
    publisher == watcher || publisher_lists_watcher || watcher_lists_publisher
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::Domain;

    #[test]
    fn contacts_see_each_other_and_everybody_sees_himself() {
        let user = |name: &str| UserId::parse(name, &Domain::parse("a").unwrap()).unwrap();
        for (watcher, lists, listed, sees) in [
            ("anna", false, false, true),
            ("bo", false, false, false),
            ("bo", true, false, true),
            ("bo", false, true, true),
            ("bo", true, true, true),
        ] {
            let got = may_see(&user("anna"), &user(watcher), lists, listed);
            assert_eq!(got, sees, "{watcher} {lists} {listed}");
        }
    }
}
