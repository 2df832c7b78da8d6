//! What a watcher sees of a publisher, and whether the publisher hears of it: the decision
//! table of csp-presence 7. A pure function, which everything that shows presence follows.
//!
//! It knows nothing of values: which of the attributes that may be seen have one is decided
//! in `presence/render.rs` (rows 12 to 16), and which a version can name where it is written
//! (row 4).

use crate::notification::AuthorizationLevel;
use hamlet_model::presence::AttributeSet;

/// What a publisher has decided that applies to one watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Applicable {
    /// The watcher is the publisher.
    pub(crate) own: bool,
    /// The list for this user, even an empty one, and UserNotify.
    pub(crate) user: Option<AttributeSet>,
    /// UserNotify.
    pub(crate) user_notify: bool,
    /// The lists for contact lists that he is in, together.
    pub(crate) contact_lists: Option<AttributeSet>,
    /// ContactListNotify of any of them.
    pub(crate) contact_list_notify: bool,
    /// The default list.
    pub(crate) default: Option<AttributeSet>,
    /// DefaultNotify.
    pub(crate) default_notify: bool,
    /// What the operator lets be seen when nothing else applies; `None` for nothing.
    pub(crate) otherwise: Option<AttributeSet>,
    /// The publisher does not want to hear from the watcher.
    pub(crate) refused: bool,
    /// The watcher is on the publisher's block list, and the operator has that hide presence.
    pub(crate) hidden: bool,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The requested attributes that may be seen.
    pub(crate) visible: AttributeSet,
    /// What the publisher is told when somebody subscribes so.
    pub(crate) signal: Option<Signal>,
}

/// What a publisher is told about a watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Nothing applies to him: he is asked; and if he wants, notified (row 11).
    Ask {
        /// DefaultNotify.
        notify: bool,
    },
    /// What applies to him is not enough (rows 5, 8, 10).
    Needed(AuthorizationLevel),
}

/// The decision; an empty `requested` asks for nothing (csp-presence 6.5, 7).
pub(crate) fn decide(applies: &Applicable, requested: AttributeSet) -> Decision {
    let needed = |level, wanted: bool| wanted.then_some(Signal::Needed(level));
    let (authorized, signal) = match applies {
        Applicable { own: true, .. } => (AttributeSet::ALL, None),
        Applicable { hidden: true, .. } => (AttributeSet::EMPTY, None),
        Applicable {
            user: Some(set), ..
        } => {
            let level = AuthorizationLevel::User;
            (*set, needed(level, applies.user_notify))
        }
        Applicable {
            contact_lists: Some(set),
            ..
        } => {
            let level = AuthorizationLevel::ContactList;
            (*set, needed(level, applies.contact_list_notify))
        }
        Applicable {
            default: Some(set), ..
        } => {
            let level = AuthorizationLevel::Default;
            (*set, needed(level, applies.default_notify))
        }
        Applicable {
            otherwise: Some(set),
            ..
        } => (*set, None),
        _ => {
            let notify = applies.default_notify;
            (AttributeSet::EMPTY, Some(Signal::Ask { notify }))
        }
    };
    let is_enough = requested.without(authorized).is_empty();
    Decision {
        visible: authorized.intersection(requested),
        signal: signal.filter(|_| !is_enough && !applies.refused),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
