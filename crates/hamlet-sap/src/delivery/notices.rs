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
        if self
            .newest
            .insert(publisher.clone(), (attributes, 0))
            .is_some()
        {
            return true;
        }
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
