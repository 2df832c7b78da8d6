//! Presence that waits for a session: the newest full set of each publisher, in the order
//! in which publishers first changed (csp-access 5.3). Bounded.

use hamlet_model::UserId;
use hamlet_model::presence::Attribute;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How often a notice is tried (csp-access 2.4).
const MAX_TRIES: u8 = 3;

/// The presence of one publisher on its way to a session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    pub(crate) publisher: UserId,
    pub(crate) attributes: Arc<Vec<Attribute>>,
    /// How often it has been sent.
    pub(crate) tries: u8,
}

/// The notices of one session.
#[derive(Default)]
pub(crate) struct Notices {
    order: VecDeque<UserId>,
    newest: HashMap<UserId, (Arc<Vec<Attribute>>, u8)>,
}

impl Notices {
    /// Drops them all.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Adds a notice, in place of an older one of the publisher. When there are `max`, the
    /// oldest is dropped: false.
    pub(crate) fn add(
        &mut self,
        publisher: UserId,
        attributes: Arc<Vec<Attribute>>,
        max: usize,
    ) -> bool {
        if let Some((older, tries)) = self.newest.get_mut(&publisher) {
            *older = with_withdrawals(older, attributes);
            *tries = 0;
            return true;
        }
        self.newest.insert(publisher.clone(), (attributes, 0));
        self.order.push_back(publisher);
        if self.order.len() <= max.max(1) {
            return true;
        }
        if let Some(oldest) = self.order.pop_front() {
            self.newest.remove(&oldest);
        }
        false
    }

    /// Up to `count` notices that are to be sent now.
    pub(crate) fn take(&mut self, count: usize) -> Vec<Notice> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let Some(publisher) = self.order.pop_front() else {
                break;
            };
            if let Some((attributes, tries)) = self.newest.remove(&publisher) {
                taken.push(Notice {
                    publisher,
                    attributes,
                    tries: tries + 1,
                });
            }
        }
        taken
    }

    /// Nobody acknowledged these: those that are not outdated are tried again, first of
    /// all, unless they have been tried often enough.
    pub(crate) fn put_back(&mut self, notices: Vec<Notice>) {
        for notice in notices.into_iter().rev() {
            if notice.tries < MAX_TRIES && !self.newest.contains_key(&notice.publisher) {
                self.order.push_front(notice.publisher.clone());
                self.newest
                    .insert(notice.publisher, (notice.attributes, notice.tries));
            }
        }
    }
}

/// The newer set, and what only the older one said to be unknown: that is said once, and a
/// client keeps what it has not been told to forget (csp-presence 6.9).
fn with_withdrawals(older: &[Attribute], newer: Arc<Vec<Attribute>>) -> Arc<Vec<Attribute>> {
    let is_said = |attribute: &&Attribute| {
        let same = |other: &Attribute| {
            other.name == attribute.name
                && (other.client == attribute.client || other.client.is_none())
        };
        newer.iter().any(same)
    };
    let unsaid: Vec<Attribute> = older
        .iter()
        .filter(|attribute| !attribute.qualifier && !is_said(attribute))
        .cloned()
        .collect();
    if unsaid.is_empty() {
        return newer;
    }
    let mut all = Arc::unwrap_or_clone(newer);
    all.extend(unsaid);
    // In writing order; of one attribute the known clients come first.
    all.sort_by_key(|attribute| attribute.name);
    Arc::new(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::user_id;

    fn nothing() -> Arc<Vec<Attribute>> {
        Arc::new(Vec::new())
    }

    fn publishers(notices: &[Notice]) -> Vec<&str> {
        notices.iter().map(|n| n.publisher.user()).collect()
    }

    #[test]
    fn only_the_newest_set_of_a_publisher_waits() {
        let mut notices = Notices::default();
        let newest = nothing();
        for name in ["anna", "bob", "anna"] {
            assert!(notices.add(user_id(name), newest.clone(), 10));
        }
        let taken = notices.take(10);
        assert_eq!(publishers(&taken), ["anna", "bob"]);
        assert!(notices.is_empty());
    }

    #[test]
    fn what_was_withdrawn_is_told_even_if_news_come_before_the_poll() {
        use hamlet_model::presence::{AttributeName as N, AttributeValue};
        let attribute = |name, qualifier| Attribute {
            name,
            qualifier,
            client: None,
            value: AttributeValue::None,
        };
        let mut notices = Notices::default();
        let lost = vec![
            attribute(N::OnlineStatus, true),
            attribute(N::StatusText, false),
            attribute(N::Alias, false),
        ];
        let newer = vec![attribute(N::OnlineStatus, true), attribute(N::Alias, true)];
        notices.add(user_id("a"), Arc::new(lost), 9);
        notices.add(user_id("a"), Arc::new(newer), 9);
        let taken = notices.take(1);
        let said: Vec<_> = taken[0]
            .attributes
            .iter()
            .map(|attribute| (attribute.name, attribute.qualifier))
            .collect();
        let expected = [
            (N::OnlineStatus, true),
            (N::StatusText, false),
            (N::Alias, true),
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut notices = Notices::default();
        assert!(notices.add(user_id("a"), nothing(), 2));
        assert!(notices.add(user_id("b"), nothing(), 2));
        assert!(!notices.add(user_id("c"), nothing(), 2));
        assert_eq!(publishers(&notices.take(9)), ["b", "c"]);
    }

    #[test]
    fn what_is_not_acknowledged_is_tried_three_times() {
        let mut notices = Notices::default();
        notices.add(user_id("a"), nothing(), 9);
        notices.add(user_id("b"), nothing(), 9);
        for _ in 0..3 {
            let taken = notices.take(1);
            assert_eq!(publishers(&taken), ["a"]);
            notices.put_back(taken);
        }
        assert_eq!(publishers(&notices.take(9)), ["b"]);
    }

    #[test]
    fn an_outdated_notice_does_not_come_back() {
        let mut notices = Notices::default();
        notices.add(user_id("a"), nothing(), 9);
        let old = notices.take(1);
        let newer = nothing();
        notices.add(user_id("a"), newer.clone(), 9);
        notices.put_back(old);
        let taken = notices.take(9);
        assert_eq!(taken.len(), 1);
        assert!(Arc::ptr_eq(&taken[0].attributes, &newer));
    }
}
