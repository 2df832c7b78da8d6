//! Every row of csp-presence 7, every level of 6.5, in every combination.

use super::*;
use hamlet_model::presence::AttributeName as N;

fn set(names: &[N]) -> AttributeSet {
    names.iter().copied().collect()
}

/// The requested attribute A, and another one.
const A: N = N::StatusText;
const B: N = N::Alias;

#[test]
fn each_row_of_the_table() {
    let with_a = Some(set(&[A]));
    let without_a = Some(set(&[B]));
    let nothing = Applicable::default();
    let ask = |notify| Some(Signal::Ask { notify });
    let needed = |level| Some(Signal::Needed(level));
    use AuthorizationLevel::{ContactList, Default, User};
    #[rustfmt::skip]
    let rows: &[(&str, Applicable, AttributeSet, bool, Option<Signal>)] = &[
        ("2: oneself", Applicable { own: true, ..nothing }, set(&[A]), true, None),
        ("2: oneself, whatever is decided", Applicable { own: true, user: Some(AttributeSet::EMPTY), ..nothing }, set(&[A]), true, None),
        ("2a: on the block list that hides", Applicable { hidden: true, user: with_a, user_notify: true, otherwise: Some(AttributeSet::ALL), ..nothing }, set(&[A]), false, None),
        ("2a: and nothing is decided", Applicable { hidden: true, default_notify: true, ..nothing }, set(&[A]), false, None),
        ("2 before 2a: oneself", Applicable { own: true, hidden: true, ..nothing }, set(&[A]), true, None),
        ("3: A is not requested", Applicable { user: with_a, ..nothing }, set(&[B]), false, None),
        ("5: the user's list lacks A", Applicable { user: without_a, ..nothing }, set(&[A]), false, None),
        ("5: and UserNotify", Applicable { user: without_a, user_notify: true, ..nothing }, set(&[A]), false, needed(User)),
        ("5: only UserNotify counts", Applicable { user: without_a, contact_list_notify: true, default_notify: true, ..nothing }, set(&[A]), false, None),
        ("6: the user's list has A", Applicable { user: with_a, user_notify: true, ..nothing }, set(&[A]), true, None),
        ("7: a contact list has A", Applicable { contact_lists: with_a, contact_list_notify: true, ..nothing }, set(&[A]), true, None),
        ("8: none has A", Applicable { contact_lists: without_a, ..nothing }, set(&[A]), false, None),
        ("8: and ContactListNotify", Applicable { contact_lists: without_a, contact_list_notify: true, ..nothing }, set(&[A]), false, needed(ContactList)),
        ("9: the default list has A", Applicable { default: with_a, default_notify: true, ..nothing }, set(&[A]), true, None),
        ("10: the default list lacks A", Applicable { default: without_a, ..nothing }, set(&[A]), false, None),
        ("10: and DefaultNotify", Applicable { default: without_a, default_notify: true, ..nothing }, set(&[A]), false, needed(Default)),
        ("10: an empty default list is a decision", Applicable { default: Some(AttributeSet::EMPTY), ..nothing }, set(&[A]), false, None),
        ("11: nothing applies", nothing, set(&[A]), false, ask(false)),
        ("11: and DefaultNotify", Applicable { default_notify: true, ..nothing }, set(&[A]), false, ask(true)),
        ("11: the operator decides", Applicable { otherwise: Some(AttributeSet::ALL), default_notify: true, ..nothing }, set(&[A]), true, None),
        ("partly: the rest is missing", Applicable { user: with_a, user_notify: true, ..nothing }, set(&[A, B]), true, needed(User)),
    ];
    for (row, applies, requested, seen, signal) in rows {
        let decision = decide(applies, *requested);
        assert_eq!(decision.visible.contains(A), *seen, "{row}");
        assert_eq!(decision.signal, *signal, "{row}");
        let blocked = Applicable {
            refused: true,
            ..*applies
        };
        let silent = decide(&blocked, *requested);
        assert_eq!(
            silent.visible, decision.visible,
            "{row}: blocked sees the same"
        );
        assert_eq!(
            silent.signal, None,
            "{row}: but the publisher hears nothing"
        );
    }
}

#[test]
fn the_first_level_that_has_a_list_decides_alone() {
    // 6.5 in all combinations: each of the four levels has no list, an empty one, one with A;
    // with every flag, among them what block lists do (6.8).
    let choices = [None, Some(AttributeSet::EMPTY), Some(set(&[A]))];
    let flags = [false, true];
    let mut count = 0;
    for user in choices {
        for contact_lists in choices {
            for default in choices {
                for otherwise in choices {
                    for notify in 0..32 {
                        for own in flags {
                            let flag = |bit: u32| notify & (1 << bit) != 0;
                            let (refused, hidden) = (flag(3), flag(4));
                            let applies = Applicable {
                                own,
                                user,
                                user_notify: flag(0),
                                contact_lists,
                                contact_list_notify: flag(1),
                                default,
                                default_notify: flag(2),
                                otherwise,
                                refused,
                                hidden,
                            };
                            let decision = decide(&applies, set(&[A]));
                            let levels = [user, contact_lists, default, otherwise];
                            let first = levels.iter().position(Option::is_some);
                            let allowed = first.and_then(|level| levels[level]);
                            let expected = match own {
                                true => set(&[A]),
                                false if hidden => AttributeSet::EMPTY,
                                false => allowed.unwrap_or_default(),
                            };
                            assert_eq!(decision.visible, expected, "{applies:?}");
                            let told = match first {
                                _ if own || refused || hidden => false,
                                _ if !expected.is_empty() => false,
                                Some(3) => false,
                                Some(level) => flag(level as u32),
                                None => true,
                            };
                            assert_eq!(decision.signal.is_some(), told, "{applies:?}");
                            count += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(count, 3 * 3 * 3 * 3 * 32 * 2);
}
