//! Figures.

use super::{Failure, Operations};
use hamlet_model::UserId;
use hamlet_store::StoreError;

/// Accounts that are read at a time.
const PAGE: usize = 1000;

impl Operations {
    /// Figures by name, in the order in which they are to be shown.
    pub async fn stats(&self) -> Result<Vec<(&'static str, u64)>, Failure> {
        let sessions = self.sap.sessions(None);
        let mut online: Vec<&UserId> = sessions.iter().map(|session| &session.user).collect();
        online.sort_unstable();
        online.dedup();
        let store = self.store.metrics();
        Ok(vec![
            ("accounts", self.count_accounts().await?),
            ("sessions", sessions.len() as u64),
            ("users online", online.len() as u64),
            ("store operations since the start", store.transactions),
            ("store writes since the start", store.writes),
            ("store commits since the start", store.commits),
            (
                "store operations that wait",
                store.read_queue + store.write_queue,
            ),
        ])
    }

    async fn count_accounts(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut after = None;
        loop {
            let from = after.take();
            let read = self.store.read(move |tx| tx.accounts(from.as_ref(), PAGE));
            let page = read.await?;
            count += page.len() as u64;
            match page.into_iter().next_back() {
                Some(last) => after = Some(last.user),
                None => return Ok(count),
            }
        }
    }
}
