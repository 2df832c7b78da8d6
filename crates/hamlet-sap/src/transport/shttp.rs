//! Standalone HTTP (transport 6.6): a GET on a URL that only the session's client knows,
//! held until something waits for it.

use crate::Sap;
use crate::cir::Cir;
use crate::negotiation::cir::URL_FOLDER;
use crate::session::Session;
use hamlet_model::Timestamp;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// The identifier in the path of an SHTTP URL, whatever comes before: a proxy may have cut
/// something off or not.
pub(crate) fn id_in(path: &str) -> Option<&str> {
    let (folder, id) = path.rsplit_once('/')?;
    let folder = folder.rsplit('/').next();
    (folder == Some(URL_FOLDER) && !id.is_empty()).then_some(id)
}

impl Sap {
    /// Answers a GET: 200 when a poll would bring something, 204 when not, 404 when the
    /// session is over. It does not count as a sign of life (transport 6.6).
    pub(crate) async fn long_poll(&self, id: &str) -> StatusCode {
        let cir = &self.hub.cir;
        let Some(session) = cir.session_of_url(id) else {
            return StatusCode::NOT_FOUND;
        };
        // Its place is taken first, so that nothing gets lost between look and wait.
        let held = cir.hold(&session);
        if self.waits(&session).await {
            return answered(cir);
        }
        let Some((_place, answer)) = held else {
            return StatusCode::NO_CONTENT;
        };
        let longest = session.settings().profile.longest_poll;
        let limit = cir.config.http_hold.min(longest.unwrap_or(Duration::MAX));
        match tokio::time::timeout(limit, answer).await {
            // Counted by who has answered it.
            Ok(Ok(())) => StatusCode::OK,
            // Another request of the client has taken its place, or the server stops.
            Ok(Err(_)) => StatusCode::NO_CONTENT,
            // What the client has been told by other ways it may not have heard.
            Err(_) if self.waits(&session).await => answered(cir),
            Err(_) => StatusCode::NO_CONTENT,
        }
    }

    async fn waits(&self, session: &Arc<Session>) -> bool {
        self.warm_session(session).await;
        self.poll_is_worth_while(session, Timestamp::now())
    }
}

fn answered(cir: &Cir) -> StatusCode {
    cir.metrics.cir_sent("SHTTP", false);
    StatusCode::OK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_is_the_last_part_of_the_path_in_its_folder() {
        for (path, id) in [
            ("/cir/7f3a", Some("7f3a")),
            ("/imps/cir/7f3a", Some("7f3a")),
            ("/cir/", None),
            ("/cir", None),
            ("/", None),
            ("/other/7f3a", None),
            ("cir/7f3a", Some("7f3a")),
        ] {
            assert_eq!(id_in(path), id, "{path}");
        }
    }
}
