//! What waits for a session beside messages and presence, in the order in which it came
//! (csp-access 5.3). Bounded. Pure.

use hamlet_elements::group::GroupChange;
use hamlet_elements::push::{Push, PushContent};
use hamlet_model::{GroupId, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;

/// How often one is tried (csp-access 2.4).
const MAX_TRIES: u8 = 3;

/// How many of those that are done with are remembered, so that one that is read from the
/// store at this moment does not come twice.
const REMEMBERED: usize = 32;

/// A push on its way to a session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) push: Arc<Push>,
    /// How often it has been sent.
    pub(crate) tries: u8,
}

/// The pushes of one session.
pub(crate) struct Pushes {
    queue: VecDeque<Waiting>,
    /// The names of those that came last and are done with.
    done: VecDeque<String>,
    /// The store has been read.
    is_loaded: bool,
    /// The store may have more than is here.
    more_stored: bool,
}

/// Most people and properties in one change of a group that others were taken into.
const MAX_ENTRIES: usize = 20;

fn entries(change: &GroupChange) -> usize {
    change.joined.len() + change.left.len() + change.properties.properties.len() + change.own.len()
}

impl Default for Pushes {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            done: VecDeque::new(),
            is_loaded: false,
            more_stored: true,
        }
    }
}

impl Pushes {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the store has to be asked; if so it is taken to be asked now.
    pub(crate) fn begin_load(&mut self) -> bool {
        let is_time = self.queue.is_empty() || !self.is_loaded;
        let begins = is_time && std::mem::take(&mut self.more_stored);
        self.is_loaded |= begins;
        begins
    }

    /// Whether what the store had is, or has been, here.
    pub(crate) fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// The store has, or may have, more than is here.
    pub(crate) fn expect_more(&mut self) {
        self.more_stored = true;
    }

    /// Adds one, unless it is known already. When there are `max`, the oldest makes way:
    /// false if it is lost by that.
    pub(crate) fn add(&mut self, push: Arc<Push>, max: usize) -> bool {
        if self.done.contains(&push.id) || self.queue.iter().any(|other| other.push.id == push.id) {
            return true;
        }
        // What says the same need not be said twice.
        if !push.durable
            && self
                .queue
                .iter()
                .any(|other| !other.push.durable && other.push.content == push.content)
        {
            return true;
        }
        // What is read from the store may be older than what came meanwhile.
        let is_before = |other: &Waiting| other.tries > 0 || other.push.since <= push.since;
        let at = self.queue.iter().rposition(is_before);
        let at = at.map_or(0, |at| at + 1);
        self.queue.insert(at, Waiting { push, tries: 0 });
        if self.queue.len() <= max.max(1) {
            return true;
        }
        match self.queue.pop_front() {
            Some(oldest) if oldest.push.durable => {
                self.more_stored = true;
                true
            }
            _ => false,
        }
    }

    /// Takes a change of a group into one of the same group that waits already, which then is
    /// worth sending until `expires`; false when there is none that has room for it. A change
    /// tells of no more than a small phone can read.
    pub(crate) fn absorb_change(
        &mut self,
        group: &GroupId,
        later: &GroupChange,
        expires: Timestamp,
    ) -> bool {
        let mut of_group = self.queue.iter_mut().rev();
        let last = of_group.find(|waiting| waiting.push.content.is_about(group));
        let Some(waiting) = last else {
            return false;
        };
        let push = Arc::make_mut(&mut waiting.push);
        let PushContent::GroupChange { change, .. } = &mut push.content else {
            return false;
        };
        if entries(change) + entries(later) > MAX_ENTRIES {
            return false;
        }
        Arc::make_mut(change).absorb(later);
        push.expires = expires;
        true
    }

    /// Nothing of this group is for the session any more.
    pub(crate) fn forget_group(&mut self, group: &GroupId) {
        self.queue
            .retain(|waiting| !waiting.push.content.is_about(group));
    }

    /// It may be in the group again: that it was put out is not told any more.
    pub(crate) fn forget_leave(&mut self, group: &GroupId) {
        let is_leave = |waiting: &Waiting| matches!(&waiting.push.content, PushContent::GroupLeft { group: of, .. } if of == group);
        self.queue.retain(|waiting| !is_leave(waiting));
    }

    /// The next one that is worth sending at `now`.
    pub(crate) fn first(&mut self, now: Timestamp) -> Option<&Waiting> {
        while self
            .queue
            .front()
            .is_some_and(|next| next.push.expires <= now)
        {
            self.queue.pop_front();
        }
        self.queue.front()
    }

    /// The first one goes out, if it is this one.
    pub(crate) fn take(&mut self, id: &str) -> Option<Waiting> {
        let mut next = self.queue.pop_front_if(|next| next.push.id == id)?;
        next.tries += 1;
        Some(next)
    }

    /// The first one is nothing for this session.
    pub(crate) fn skip_first(&mut self) {
        if let Some(next) = self.queue.pop_front() {
            self.finish(&next.push.id);
        }
    }

    /// Nobody acknowledged it: it comes next, unless it has been tried often enough, or has
    /// been taken back meanwhile.
    pub(crate) fn put_back(&mut self, waiting: Waiting) {
        match waiting.tries < MAX_TRIES && !self.done.contains(&waiting.push.id) {
            true => self.queue.push_front(waiting),
            false => self.finish(&waiting.push.id),
        }
    }

    /// It is done with.
    pub(crate) fn finish(&mut self, id: &str) {
        if self.done.iter().any(|done| done == id) {
            return;
        }
        if self.done.len() == REMEMBERED {
            self.done.pop_front();
        }
        self.done.push_back(id.to_owned());
    }

    /// Takes one back; whether it still waited. It does not come any more, even if it only
    /// arrives later: two changes need not be told in the order of their commits.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let before = self.queue.len();
        self.queue.retain(|other| other.push.id != id);
        self.finish(id);
        self.queue.len() < before
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hamlet_elements::notification::Notification;
    use hamlet_elements::push::PushContent;

    pub(crate) fn push(id: &str, durable: bool) -> Arc<Push> {
        let content = Notification::InvitationAccepted(id.to_owned());
        Arc::new(Push {
            id: id.to_owned(),
            since: Timestamp::from_secs(1),
            expires: Timestamp::from_secs(100),
            durable,
            content: PushContent::Notification(content),
        })
    }

    fn now() -> Timestamp {
        Timestamp::from_secs(2)
    }

    fn take_any(pushes: &mut Pushes) -> Option<Waiting> {
        let id = pushes.first(now())?.push.id.clone();
        pushes.take(&id)
    }

    fn drain(pushes: &mut Pushes) -> Vec<String> {
        std::iter::from_fn(|| take_any(pushes))
            .map(|waiting| waiting.push.id.clone())
            .collect()
    }

    #[test]
    fn pushes_come_in_their_order_and_once() {
        let mut pushes = Pushes::default();
        for id in ["a", "b", "a"] {
            pushes.add(push(id, true), 9);
        }
        assert_eq!(
            pushes.first(now()).map(|next| next.push.id.as_str()),
            Some("a")
        );
        assert_eq!(drain(&mut pushes), ["a", "b"]);
        pushes.finish("a");
        pushes.add(push("a", true), 9);
        assert!(pushes.is_empty(), "it came from the store meanwhile");
    }

    #[test]
    fn what_was_taken_back_does_not_come_any_more() {
        let mut pushes = Pushes::default();
        pushes.add(push("waiting", true), 9);
        assert!(pushes.remove("waiting"));
        pushes.add(push("sent", true), 9);
        let sent = take_any(&mut pushes).unwrap();
        assert!(!pushes.remove("sent"));
        pushes.put_back(sent);
        assert!(!pushes.remove("late"), "it is still on its way");
        for id in ["waiting", "sent", "late"] {
            pushes.add(push(id, true), 9);
        }
        assert!(pushes.is_empty());
    }

    #[test]
    fn of_too_many_the_oldest_makes_way_and_the_store_is_asked_for_it_again() {
        let mut pushes = Pushes::default();
        assert!(pushes.begin_load(), "a new session knows nothing");
        assert!(!pushes.begin_load());
        for id in ["a", "b", "c"] {
            assert!(pushes.add(push(id, true), 2));
        }
        assert!(!pushes.begin_load(), "not before there is room");
        assert_eq!(drain(&mut pushes), ["b", "c"]);
        assert!(pushes.begin_load());
        pushes.add(push("x", false), 1);
        assert!(!pushes.add(push("y", false), 1), "a mere notice is lost");
    }

    #[test]
    fn what_the_store_had_comes_before_what_came_meanwhile() {
        let mut pushes = Pushes::default();
        let newer = Push {
            since: Timestamp::from_secs(2),
            ..(*push("new", true)).clone()
        };
        pushes.add(Arc::new(newer), 9);
        assert!(!pushes.is_loaded() && pushes.begin_load() && pushes.is_loaded());
        pushes.add(push("old", true), 9);
        assert_eq!(drain(&mut pushes), ["old", "new"]);
    }

    #[test]
    fn what_is_not_acknowledged_is_tried_three_times() {
        let mut pushes = Pushes::default();
        pushes.add(push("a", false), 9);
        pushes.add(push("b", false), 9);
        for turn in 1..=3 {
            let next = take_any(&mut pushes).unwrap();
            assert_eq!((next.push.id.as_str(), next.tries), ("a", turn));
            pushes.put_back(next);
        }
        assert_eq!(drain(&mut pushes), ["b"]);
    }

    #[test]
    fn what_has_expired_is_not_sent_and_what_waits_can_be_taken_back() {
        let mut pushes = Pushes::default();
        for id in ["a", "b"] {
            pushes.add(push(id, true), 9);
        }
        assert!(pushes.remove("a"));
        assert!(!pushes.remove("a"));
        assert!(pushes.first(now()).is_some());
        assert!(pushes.first(Timestamp::from_secs(100)).is_none());
    }

    fn group(name: &str) -> GroupId {
        let home = hamlet_model::Domain::parse("h").unwrap();
        GroupId::parse(name, &home).unwrap()
    }

    fn left(names: std::ops::Range<usize>) -> Arc<GroupChange> {
        let name = |n: usize| hamlet_model::ScreenName::new(&format!("n{n}")).unwrap();
        Arc::new(GroupChange {
            left: names.map(name).collect(),
            ..GroupChange::default()
        })
    }

    fn of_group(id: &str, content: PushContent) -> Arc<Push> {
        Arc::new(Push {
            content,
            ..(*push(id, false)).clone()
        })
    }

    fn change(id: &str, of: &str, names: std::ops::Range<usize>) -> Arc<Push> {
        let change = PushContent::GroupChange {
            group: group(of),
            change: left(names),
        };
        of_group(id, change)
    }

    #[test]
    fn changes_of_a_group_wait_as_one_for_a_slow_member() {
        // csp-group 5.13.
        let mut pushes = Pushes::default();
        let later = Timestamp::from_secs(900);
        let one = group("wv:/one");
        assert!(
            !pushes.absorb_change(&one, &left(0..1), later),
            "none waits"
        );
        pushes.add(change("a", "wv:/one", 0..1), 9);
        pushes.add(change("b", "wv:/two", 0..1), 9);
        assert!(pushes.absorb_change(&one, &left(1..19), later));
        let first = pushes.first(now()).unwrap();
        assert_eq!((first.push.id.as_str(), first.push.expires), ("a", later));
        let PushContent::GroupChange { change, .. } = &first.push.content else {
            panic!("a change");
        };
        assert_eq!(change.left.len(), 19);
        assert!(
            !pushes.absorb_change(&one, &left(19..21), later),
            "it is full"
        );
        assert!(pushes.absorb_change(&one, &left(19..20), later));
        assert_eq!(drain(&mut pushes), ["a", "b"]);
    }

    #[test]
    fn who_is_out_of_a_group_hears_nothing_of_it_but_that() {
        let mut pushes = Pushes::default();
        let one = group("wv:/one");
        pushes.add(change("a", "wv:/one", 0..1), 9);
        pushes.add(change("b", "wv:/two", 0..1), 9);
        pushes.forget_group(&one);
        let code = hamlet_model::StatusCode::REJECTED;
        let out = PushContent::GroupLeft {
            group: one.clone(),
            code,
        };
        pushes.add(of_group("out", out.clone()), 9);
        assert!(
            !pushes.absorb_change(&one, &left(0..1), Timestamp::from_secs(9)),
            "what comes later comes after it"
        );
        assert_eq!(drain(&mut pushes), ["b", "out"]);
        pushes.add(of_group("again", out), 9);
        pushes.forget_leave(&group("wv:/two"));
        assert!(!pushes.is_empty());
        pushes.forget_leave(&one);
        assert!(pushes.is_empty(), "he is in it again");
    }

    #[test]
    fn the_same_notice_waits_once() {
        let mut pushes = Pushes::default();
        let other = |id: &str| {
            Arc::new(Push {
                id: id.to_owned(),
                ..(*push("same", false)).clone()
            })
        };
        pushes.add(other("1"), 9);
        pushes.add(other("2"), 9);
        assert_eq!(drain(&mut pushes), ["1"]);
    }
}
