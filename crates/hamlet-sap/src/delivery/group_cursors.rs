//! How far sessions have come in the logs of their groups, on its way to the store: what is
//! acknowledged while one write is under way goes into the next, all in one statement.

use crate::Sap;
use crate::session::Session;
use hamlet_model::{GroupId, SessionId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Most cursors of one write.
const BATCH: usize = 1000;

/// What is to be written.
#[derive(Default)]
pub(crate) struct Cursors {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    moved: HashMap<(SessionId, GroupId), Arc<Session>>,
    /// Those who wait until it is on the disk.
    waiting: Vec<oneshot::Sender<()>>,
    /// Somebody writes, and will take this, too.
    is_writing: bool,
}

impl Cursors {
    /// Whether the caller has to see to the writing.
    fn add(
        &self,
        session: &Arc<Session>,
        group: &GroupId,
        waiting: Option<oneshot::Sender<()>>,
    ) -> bool {
        let mut state = self.state.lock();
        let key = (session.id.clone(), group.clone());
        state.moved.insert(key, session.clone());
        state.waiting.extend(waiting);
        !std::mem::replace(&mut state.is_writing, true)
    }

    /// What is to be written next; `None` when nothing is, and nobody writes any more.
    fn take(&self) -> Option<State> {
        let mut state = self.state.lock();
        if state.moved.is_empty() {
            state.is_writing = false;
            return None;
        }
        Some(State {
            moved: std::mem::take(&mut state.moved),
            waiting: std::mem::take(&mut state.waiting),
            is_writing: true,
        })
    }
}

impl Sap {
    /// The session has come further in a group; on the disk when this returns, or the store
    /// has failed: then it gets again, after a restart, what it has had.
    pub(crate) async fn keep_cursor(&self, session: &Session, group: &GroupId) {
        // One that has ended is not joined any more.
        let Some(session) = self.hub.registry.session(session.id.as_str()) else {
            return;
        };
        let (told, written) = oneshot::channel();
        if self.hub.cursors.add(&session, group, Some(told)) {
            self.aside(|sap| async move { sap.write_cursors().await });
        }
        let _ = written.await;
    }

    /// As [`Sap::keep_cursor`], for what nobody waits for.
    pub(crate) fn keep_cursor_later(&self, session: &Arc<Session>, group: &GroupId) {
        if self.hub.cursors.add(session, group, None) {
            self.aside(|sap| async move { sap.write_cursors().await });
        }
    }

    async fn write_cursors(&self) {
        while let Some(State { moved, waiting, .. }) = self.hub.cursors.take() {
            // As they are now: so a later write never goes back.
            let cursors: Vec<_> = moved
                .into_iter()
                .filter_map(|((id, group), session)| session.groups.lock().cursor(&group, &id))
                .collect();
            for batch in cursors.chunks(BATCH) {
                let kept = self.elements.advance_group_cursors(batch.to_vec()).await;
                if let Err(error) = kept {
                    self.store_failed("group cursors", &error);
                }
            }
            for one in waiting {
                let _ = one.send(());
            }
        }
    }
}
