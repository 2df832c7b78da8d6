//! Presence that waits for a session: the newest full set of each publisher, in the order
//! in which publishers first changed (csp-access 5.3; csp-presence 9). Bounded.

use hamlet_model::presence::{Attribute, AttributeName, AttributeValue, ContactInfo};
use hamlet_model::{Timestamp, UserId};
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

/// How often a notice is tried (csp-access 2.4).
const MAX_TRIES: u8 = 3;

/// How many publishers one PresenceNotification-Request has at most.
const MAX_PUBLISHERS: usize = 32;

/// Content above which a notice travels alone, octets.
const HEAVY: usize = 1024;

/// The presence of one publisher on its way to a session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    pub(crate) publisher: UserId,
    pub(crate) attributes: Arc<Vec<Attribute>>,
    /// How often it has been sent.
    pub(crate) tries: u8,
}

/// The notices of one session.
pub(crate) struct Notices {
    order: VecDeque<UserId>,
    newest: HashMap<UserId, (Arc<Vec<Attribute>>, u8)>,
    /// What was sent last about publishers, by the hashes of their addresses.
    sent: HashMap<u64, Sent>,
    /// How many publishers fit into one primitive, as far as is known.
    most: usize,
}

#[derive(Clone, Copy)]
struct Sent {
    at: Timestamp,
    fingerprint: u64,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            order: VecDeque::new(),
            newest: HashMap::new(),
            sent: HashMap::new(),
            most: MAX_PUBLISHERS,
        }
    }
}

impl Notices {
    /// Drops them all.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The client asks anew: what it was told already is told again, and at once.
    pub(crate) fn begin_anew(&mut self) {
        self.sent.clear();
    }

    /// Adds a notice, in place of an older one of the publisher. When there are `max`, the
    /// oldest is dropped: false.
    pub(crate) fn add(
        &mut self,
        publisher: UserId,
        attributes: Arc<Vec<Attribute>>,
        max: usize,
    ) -> bool {
        if let Some((waiting, tries)) = self.newest.get_mut(&publisher) {
            *waiting = with_the_gone_of(waiting, attributes);
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

    /// When the first of them may be sent: of one publisher none sooner than `window` after
    /// the one before (csp-presence 9).
    pub(crate) fn due(&self, window: Duration) -> Option<Timestamp> {
        let due = |publisher: &UserId| self.due_of(publisher, window);
        self.order.iter().map(due).min()
    }

    fn due_of(&self, publisher: &UserId, window: Duration) -> Timestamp {
        let sent = self.sent.get(&self.key(publisher));
        sent.map_or(Timestamp::default(), |sent| sent.at.plus(window))
    }

    /// Notices that are to be sent now in one primitive, at most `limit`.
    pub(crate) fn take(&mut self, limit: usize, now: Timestamp, window: Duration) -> Vec<Notice> {
        let limit = limit.min(self.most);
        let mut taken: Vec<Notice> = Vec::new();
        let mut at = 0;
        while taken.len() < limit
            && let Some(publisher) = self.order.get(at)
        {
            if self.due_of(publisher, window) > now {
                at += 1;
                continue;
            }
            let heavy = self
                .newest
                .get(publisher)
                .is_some_and(|(attributes, _)| is_heavy(attributes));
            if heavy && !taken.is_empty() {
                break;
            }
            let Some(publisher) = self.order.remove(at) else {
                break;
            };
            if let Some((attributes, tries)) = self.newest.remove(&publisher) {
                taken.push(Notice {
                    publisher,
                    attributes,
                    tries: tries + 1,
                });
            }
            if heavy {
                break;
            }
        }
        taken
    }

    /// A notice is sent now. Whether it says anything that the last one did not.
    pub(crate) fn is_news(&mut self, notice: &Notice, fingerprint: u64, now: Timestamp) -> bool {
        let sent = Sent {
            at: now,
            fingerprint,
        };
        let key = self.key(&notice.publisher);
        match self.sent.get_mut(&key) {
            Some(before) if before.fingerprint == fingerprint => false,
            Some(before) => {
                *before = sent;
                true
            }
            None => {
                self.sent.insert(key, sent);
                true
            }
        }
    }

    /// Nobody acknowledged these: those that are not outdated are tried again, first of
    /// all, unless they have been tried often enough.
    pub(crate) fn put_back(&mut self, notices: Vec<Notice>) {
        for notice in notices.into_iter().rev() {
            self.unsent(&notice.publisher);
            if let Some((newer, _)) = self.newest.get_mut(&notice.publisher) {
                *newer = with_the_gone_of(&notice.attributes, newer.clone());
            } else if notice.tries < MAX_TRIES {
                self.restore(notice);
            }
        }
    }

    /// These have not been sent after all: they are next.
    pub(crate) fn not_sent(&mut self, notices: Vec<Notice>) {
        for mut notice in notices.into_iter().rev() {
            self.unsent(&notice.publisher);
            if !self.newest.contains_key(&notice.publisher) {
                notice.tries = notice.tries.saturating_sub(1);
                self.restore(notice);
            }
        }
    }

    /// Together these were too large for the client: the next primitive has fewer of them,
    /// and one alone becomes what `lighter` makes of it. Those for which there is nothing
    /// lighter are given up: how many.
    pub(crate) fn too_large(
        &mut self,
        notices: Vec<Notice>,
        lighter: impl Fn(&[Attribute]) -> Option<Vec<Attribute>>,
    ) -> usize {
        let alone = notices.len() == 1;
        if !alone {
            self.most = (notices.len() / 2).max(1);
        }
        let mut given_up = 0;
        for mut notice in notices.into_iter().rev() {
            self.unsent(&notice.publisher);
            if self.newest.contains_key(&notice.publisher) {
                continue;
            }
            if alone {
                let Some(attributes) = lighter(&notice.attributes) else {
                    given_up += 1;
                    continue;
                };
                notice.attributes = Arc::new(attributes);
            }
            // It has not been tried.
            notice.tries = notice.tries.saturating_sub(1);
            self.restore(notice);
        }
        given_up
    }

    fn restore(&mut self, notice: Notice) {
        self.order.push_front(notice.publisher.clone());
        self.newest
            .insert(notice.publisher, (notice.attributes, notice.tries));
    }

    fn unsent(&mut self, publisher: &UserId) {
        let key = self.key(publisher);
        self.sent.remove(&key);
    }

    /// With the map's own secret, so that nobody can choose an address to meet another's.
    fn key(&self, publisher: &UserId) -> u64 {
        self.sent.hasher().hash_one(publisher)
    }
}

/// The newer of two sets, with what the older one was to say about attributes that are gone
/// and the newer does not mention: the client has not heard it yet (csp-presence 6.9, 7 row
/// 14). Nearly always there is nothing of that.
fn with_the_gone_of(older: &[Attribute], newer: Arc<Vec<Attribute>>) -> Arc<Vec<Attribute>> {
    let is_gone = |attribute: &&Attribute| {
        !attribute.qualifier
            || attribute.name == AttributeName::OnlineStatus
                && attribute.client.is_some()
                && attribute.value == AttributeValue::Flag(false)
    };
    let is_mentioned = |gone: &Attribute| {
        newer
            .iter()
            .any(|new| new.name == gone.name && new.client == gone.client)
    };
    let gone: Vec<Attribute> = older
        .iter()
        .filter(is_gone)
        .filter(|gone| !is_mentioned(gone))
        .cloned()
        .collect();
    if gone.is_empty() {
        return newer;
    }
    let mut all = newer.to_vec();
    all.extend(gone);
    all.sort_by_key(|attribute| attribute.name);
    Arc::new(all)
}

/// Whether a set is too large to travel with others (csp-presence 9).
fn is_heavy(attributes: &[Attribute]) -> bool {
    let weight = |attribute: &Attribute| match &attribute.value {
        AttributeValue::StatusContent(content) => content.direct.as_ref().map_or(0, String::len),
        AttributeValue::ContactInfo(ContactInfo::Contained(card)) => card.len(),
        AttributeValue::Extension(all) => all.iter().map(|one| one.content.len()).sum(),
        _ => 0,
    };
    attributes.iter().map(weight).sum::<usize>() > HEAVY
}

#[cfg(test)]
mod tests;
