//! A client whose session ended without its doing seems to be here for a moment longer: one
//! that logs in again at once was not away (csp-presence 8.2).

use crate::elements::{Inner, SessionFacts};
use crate::presence::state::State;
use hamlet_model::presence::ClientInfo;
use hamlet_model::{ClientId, UserId};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::time::Instant;

/// A client that is still shown although it has no session.
pub(super) struct Absent {
    pub(super) client: ClientId,
    pub(super) info: ClientInfo,
    number: u64,
}

/// When absent clients are no longer shown, the first first: all wait equally long.
#[derive(Default)]
pub(crate) struct Absences {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    due: VecDeque<Due>,
    /// Somebody waits for the first of them.
    is_watched: bool,
    next: u64,
}

struct Due {
    at: Instant,
    user: UserId,
    client: ClientId,
    number: u64,
}

impl State {
    /// The client of a session that is gone is shown as if it were not.
    pub(super) fn hold_client(&mut self, session: &SessionFacts, number: u64) {
        let absent = self.absent.entry(session.user.clone()).or_default();
        absent.retain(|known| known.client != session.client);
        absent.push(Absent {
            client: session.client.clone(),
            info: session.info.clone(),
            number,
        });
    }

    /// A client is not shown for its past any more: because it has a session, or because
    /// the time of this hold is over. False when it was not.
    pub(super) fn release_client(
        &mut self,
        user: &UserId,
        client: &ClientId,
        number: Option<u64>,
    ) -> bool {
        let Some(absent) = self.absent.get_mut(user) else {
            return false;
        };
        let before = absent.len();
        absent.retain(|known| {
            known.client != *client || number.is_some_and(|number| number != known.number)
        });
        let released = absent.len() < before;
        if absent.is_empty() {
            self.absent.remove(user);
        }
        released
    }

    /// No client of the user is held.
    pub(super) fn release_clients(&mut self, user: &UserId) {
        self.absent.remove(user);
    }

    /// The clients of a user that are only held.
    pub(super) fn absent_clients(&self, user: &UserId) -> impl Iterator<Item = &Absent> {
        self.absent.get(user).into_iter().flatten()
    }
}

impl Absences {
    /// A name for a hold.
    pub(super) fn number(&self) -> u64 {
        let mut queue = self.queue.lock();
        queue.next += 1;
        queue.next
    }

    pub(super) fn add(&self, at: Instant, user: UserId, client: ClientId, number: u64) {
        self.queue.lock().due.push_back(Due {
            at,
            user,
            client,
            number,
        });
    }

    /// When the next one is due, for one who is to wait for it; `None` when there is none,
    /// or somebody waits already.
    fn watch(&self) -> Option<Instant> {
        let mut queue = self.queue.lock();
        if queue.is_watched {
            return None;
        }
        let at = queue.due.front()?.at;
        queue.is_watched = true;
        Some(at)
    }

    /// The next one that is due; else when to come again, or that nobody has to.
    fn next(&self, now: Instant) -> Result<Due, Option<Instant>> {
        let mut queue = self.queue.lock();
        match queue.due.front() {
            Some(due) if due.at <= now => queue.due.pop_front().ok_or(None),
            Some(due) => Err(Some(due.at)),
            None => {
                queue.is_watched = false;
                Err(None)
            }
        }
    }
}

impl Inner {
    /// Sees to it that holds end. One task for all of them, while there are any.
    pub(crate) fn watch_absences(self: &Arc<Self>) {
        let Some(mut at) = self.absences.watch() else {
            return;
        };
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep_until(at).await;
                let Some(inner) = inner.upgrade() else { return };
                loop {
                    match inner.absences.next(Instant::now()) {
                        Ok(due) => inner.end_absence(due).await,
                        Err(Some(next)) => {
                            at = next;
                            break;
                        }
                        Err(None) => return,
                    }
                }
            }
        });
    }

    async fn end_absence(&self, due: Due) {
        let Due {
            user,
            client,
            number,
            ..
        } = due;
        if let Err(error) = self.client_left(user, client, Some(number)).await {
            tracing::error!(%error, "that a client has gone could not be stored");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::{Domain, SessionId};

    #[test]
    fn a_hold_ends_with_a_session_or_by_its_own_number() {
        let user = UserId::parse("anna", &Domain::parse("a").unwrap()).unwrap();
        let session = SessionFacts {
            id: SessionId::new("s"),
            user: user.clone(),
            client: ClientId::from_url("phone"),
            application: None,
            info: ClientInfo::default(),
        };
        let mut state = State::default();
        state.hold_client(&session, 1);
        state.hold_client(&session, 2);
        assert_eq!(state.absent_clients(&user).count(), 1);
        assert!(!state.release_client(&user, &session.client, Some(1)));
        assert!(state.release_client(&user, &session.client, Some(2)));
        state.hold_client(&session, 3);
        assert!(state.release_client(&user, &session.client, None));
        assert!(!state.release_client(&user, &session.client, None));
    }

    #[tokio::test]
    async fn one_waits_at_a_time_and_comes_when_the_first_is_due() {
        let absences = Absences::default();
        let user = UserId::parse("anna", &Domain::parse("a").unwrap()).unwrap();
        let now = Instant::now();
        let later = now + std::time::Duration::from_secs(5);
        assert_eq!(absences.watch(), None);
        for (at, number) in [(now, 1), (later, 2)] {
            absences.add(at, user.clone(), ClientId::from_url("phone"), number);
        }
        assert_eq!(absences.watch(), Some(now));
        assert_eq!(absences.watch(), None);
        assert_eq!(absences.next(now).map(|due| due.number), Ok(1));
        assert_eq!(absences.next(now).map(|due| due.number), Err(Some(later)));
        assert_eq!(absences.next(later).map(|due| due.number), Ok(2));
        assert_eq!(absences.next(later).map(|due| due.number), Err(None));
        absences.add(later, user, ClientId::from_url("phone"), 3);
        assert_eq!(absences.watch(), Some(later));
    }
}
