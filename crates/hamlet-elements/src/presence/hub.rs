//! What the Presence element keeps in memory, so that a change reaches its watchers without
//! a query. The store is the truth.
//!
//! A transaction that changes any of it also reads the new state of the users concerned,
//! with a ticket that grows from one transaction to the next. Here that state replaces the
//! one with an older ticket, so the order in which transactions are noted does not matter.

use crate::authorization::{Grants, Unauthorized};
use crate::presence::state::State;
use hamlet_model::presence::Attribute;
use hamlet_model::{Domain, Timestamp, UserId};
use hamlet_store::{StoreError, Subscriber, Subscription, Tx};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The memory.
#[derive(Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    tickets: Arc<AtomicU64>,
    sequence: AtomicI64,
}

impl Hub {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn tickets(&self) -> Arc<AtomicU64> {
        self.tickets.clone()
    }

    /// A number for a notification to another domain: larger than all before, also those of
    /// earlier processes.
    pub(crate) fn next_sequence(&self) -> i64 {
        let now = Timestamp::now().millis();
        let last = self
            .sequence
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(now.max(last + 1))
            })
            .unwrap_or(now);
        now.max(last + 1)
    }

    /// Says whose presence is kept here.
    pub(crate) fn serve(&self, home: Domain, served: Vec<Domain>, policy: Unauthorized) {
        self.lock().serve(home, served, policy);
    }
}

/// What a transaction made of the state of some users.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(super) ticket: u64,
    pub(super) published: Vec<(UserId, Vec<Attribute>)>,
    /// May be added to as long as they were read in the same transaction, after all changes.
    pub(crate) grants: Vec<(UserId, Grants)>,
    pub(super) subscriptions: Vec<(Subscriber, Vec<Subscription>)>,
    /// Notifications that are due even though nothing changed.
    pub(crate) initial: Vec<(Subscriber, UserId)>,
}

impl Change {
    /// Reads the new state inside the transaction, after all that it changes.
    pub(crate) fn read(
        tx: &mut Tx<'_>,
        tickets: &AtomicU64,
        published: &[UserId],
        subscribers: &[Subscriber],
    ) -> Result<Self, StoreError> {
        let mut change = Self::default();
        for user in published {
            change.published.push((user.clone(), tx.presence(user)?));
        }
        for subscriber in subscribers {
            let subscriptions = tx.subscriptions_of(subscriber)?;
            change
                .subscriptions
                .push((subscriber.clone(), subscriptions));
        }
        // Last, so that of two transactions on the same rows the later has the larger one.
        change.ticket = tickets.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(change)
    }
}
