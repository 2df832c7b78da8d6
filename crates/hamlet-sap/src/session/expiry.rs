//! Expires messages when their time has come (csp-im 8, 9): their senders hear of it at once.

use crate::Sap;
use hamlet_model::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at least, however much expires.
const PAUSE: Duration = Duration::from_millis(250);

/// At most: another process may have stored what expires earlier.
const NAP: Duration = Duration::from_secs(60);

impl Sap {
    /// Works until the server stops.
    pub(crate) async fn expire_promptly(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let elements = self.elements.clone();
        let sap = Arc::downgrade(&self);
        drop(self);
        loop {
            let now = Timestamp::now();
            let nap = match elements.expire_due(now).await {
                Ok(next) => next.map_or(NAP, |next| next.since(now).clamp(PAUSE, NAP)),
                Err(error) => {
                    let Some(sap) = sap.upgrade() else { return };
                    sap.store_failed("expiry", &error);
                    NAP
                }
            };
            let is_earlier = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(nap) => false,
                () = elements.expires_earlier() => true,
            };
            if is_earlier {
                // Many may come together.
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            if sap.strong_count() == 0 {
                return;
            }
        }
    }
}
