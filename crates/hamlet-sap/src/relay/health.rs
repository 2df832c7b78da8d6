//! Which domains answer (csp-presence 10). Pure.

use hamlet_model::{Domain, Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;

/// What is known of each domain that was ever asked or heard of.
#[derive(Default)]
pub(crate) struct Health {
    domains: Mutex<HashMap<Domain, State>>,
}

#[derive(Default)]
struct State {
    /// When it was heard of last.
    heard: Timestamp,
    /// When it was first asked something since.
    asked: Option<Timestamp>,
    lost: bool,
}

impl Health {
    /// Something has been sent to a domain.
    pub(crate) fn asked(&self, domain: &Domain, now: Timestamp) {
        let mut domains = self.domains.lock();
        match domains.get_mut(domain) {
            Some(state) => {
                state.asked.get_or_insert(now);
            }
            None => {
                let state = State {
                    asked: Some(now),
                    ..State::default()
                };
                domains.insert(domain.clone(), state);
            }
        }
    }

    /// Something has come from a domain. Whether it had been lost.
    pub(crate) fn heard(&self, domain: &Domain, now: Timestamp) -> bool {
        let mut domains = self.domains.lock();
        let Some(state) = domains.get_mut(domain) else {
            let state = State {
                heard: now,
                ..State::default()
            };
            domains.insert(domain.clone(), state);
            return false;
        };
        state.heard = now;
        state.asked = None;
        std::mem::take(&mut state.lost)
    }

    /// Whether a domain has not been heard of for so long, nor been asked since.
    pub(crate) fn is_quiet(&self, domain: &Domain, now: Timestamp, span: Duration) -> bool {
        let domains = self.domains.lock();
        domains
            .get(domain)
            .is_none_or(|state| state.asked.is_none() && state.heard.plus(span) <= now)
    }

    /// The domains that have just been silent for `span` since they were asked; each once.
    pub(crate) fn lose(&self, now: Timestamp, span: Duration) -> Vec<Domain> {
        let mut domains = self.domains.lock();
        domains
            .iter_mut()
            .filter_map(|(domain, state)| {
                let silent = state.asked.is_some_and(|asked| asked.plus(span) <= now);
                let is_new = silent && !std::mem::replace(&mut state.lost, true);
                is_new.then(|| domain.clone())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn a_domain_is_lost_once_when_it_does_not_answer_for_long_and_found_by_any_word() {
        let health = Health::default();
        let domain = Domain::parse("b").unwrap();
        assert!(health.is_quiet(&domain, at(0), SPAN));
        health.asked(&domain, at(0));
        assert!(!health.is_quiet(&domain, at(9999), SPAN), "it is asked");
        health.asked(&domain, at(500));
        assert!(health.lose(at(599), SPAN).is_empty());
        assert_eq!(health.lose(at(600), SPAN), std::slice::from_ref(&domain));
        assert!(health.lose(at(700), SPAN).is_empty());
        assert!(health.heard(&domain, at(800)));
        assert!(!health.heard(&domain, at(801)));
        assert!(!health.is_quiet(&domain, at(1400), SPAN));
        assert!(health.is_quiet(&domain, at(1401), SPAN));
        assert!(health.lose(at(9999), SPAN).is_empty(), "nobody asked");
    }
}
