//! Questions that wait for their answers.

use hamlet_elements::Answer;
use hamlet_model::Domain;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

type Waiting = HashMap<i64, (Domain, oneshot::Sender<Answer>)>;

/// Who waits for what. Numbers begin at random, so that a late answer to a question from
/// before a restart meets nobody.
pub(crate) struct Pending {
    waiting: Arc<Mutex<Waiting>>,
    next: Mutex<i64>,
    max: usize,
}

/// A place in the table; it is given up when this is dropped.
pub(crate) struct Place {
    id: i64,
    waiting: Arc<Mutex<Waiting>>,
    answer: oneshot::Receiver<Answer>,
}

impl Pending {
    pub(crate) fn new(max: usize) -> Self {
        let mut octets = [0; 8];
        // Without randomness they begin at 0, and old answers may be misunderstood; the
        // server does not get far without randomness anyway.
        let _ = getrandom::fill(&mut octets);
        Self {
            waiting: Arc::default(),
            next: Mutex::new(i64::from_be_bytes(octets) >> 1),
            max,
        }
    }

    /// A number for a question to `domain`, and where its answer arrives; `None` when too
    /// many wait.
    pub(crate) fn open(&self, domain: &Domain) -> Option<(i64, Place)> {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= self.max {
            return None;
        }
        let mut next = self.next.lock();
        let id = *next;
        *next = next.wrapping_add(1);
        let (sender, answer) = oneshot::channel();
        waiting.insert(id, (domain.clone(), sender));
        let waiting = self.waiting.clone();
        Some((
            id,
            Place {
                id,
                waiting,
                answer,
            },
        ))
    }

    /// An answer of `domain` has come; false when nobody waits for it (any more).
    pub(crate) fn settle(&self, domain: &Domain, id: i64, answer: Answer) -> bool {
        let mut waiting = self.waiting.lock();
        match waiting.get(&id) {
            // Another domain cannot answer in its name.
            Some((asked, _)) if asked == domain => {}
            _ => return false,
        }
        waiting
            .remove(&id)
            .is_some_and(|(_, sender)| sender.send(answer).is_ok())
    }
}

impl Place {
    /// The answer.
    pub(crate) async fn wait(mut self) -> Option<Answer> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::StatusCode;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    fn answer() -> Answer {
        Err(StatusCode::UNKNOWN_USER.into())
    }

    #[tokio::test]
    async fn an_answer_reaches_who_asked_once() {
        let pending = Pending::new(10);
        let (id, place) = pending.open(&domain("b")).unwrap();
        assert!(!pending.settle(&domain("c"), id, answer()), "not asked");
        assert!(pending.settle(&domain("b"), id, answer()));
        assert!(!pending.settle(&domain("b"), id, answer()), "a repetition");
        assert_eq!(place.wait().await, Some(answer()));
    }

    #[test]
    fn a_late_answer_meets_nobody_and_places_are_bounded() {
        let pending = Pending::new(1);
        let (id, place) = pending.open(&domain("b")).unwrap();
        assert!(pending.open(&domain("b")).is_none());
        drop(place);
        assert!(!pending.settle(&domain("b"), id, answer()));
        assert!(pending.open(&domain("b")).is_some());
    }
}
