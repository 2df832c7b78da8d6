//! Whether a login takes up a session that there is (csp-access 3.8, 3.5). Pure.

use crate::login::respond::Login;
use crate::session::Session;
use hamlet_model::{Refusal, StatusCode};

/// The two places where a client may name its lost session.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// The SessionID element of Login-Request.
    pub(crate) element: Option<&'a str>,
    /// The SessionDescriptor.
    pub(crate) descriptor: Option<&'a str>,
}

/// What becomes of the login.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The session goes on.
    Resume,
    /// A new one is opened.
    Open,
}

/// `live` is the session that was named, `same` the one of the same user, client and
/// application, as far as they live.
pub(crate) fn decide(
    wanted: &Wanted<'_>,
    live: Option<&Session>,
    same: Option<&Session>,
    login: &Login<'_>,
) -> Result<Verdict, Refusal> {
    let around = login.around;
    if let Some(session) = live {
        let fits = session.user.id == login.user
            && session.client == login.client
            && session.application == login.application;
        // A session's version does not change (csp-access 1.2).
        return match (fits, session.version == around.version) {
            (false, _) => Err(StatusCode::USER_CLIENT_MISMATCH.into()),
            (true, true) => Ok(Verdict::Resume),
            (true, false) => Ok(Verdict::Open),
        };
    }
    let lost = wanted.element.is_some_and(|id| !id.is_empty());
    let inband = wanted.descriptor.is_some();
    if lost && !inband && !login.profile.never_session_not_recovered {
        return Err(StatusCode::SESSION_NOT_RECOVERED.into());
    }
    // clients GEN-21: the cookie tells that it is the login whose answer was lost.
    let repeated = same.is_some_and(|session| {
        let cookie = login.request.session_cookie.as_deref();
        session.version == around.version
            && cookie.is_some_and(|cookie| !cookie.is_empty())
            && session.settings().cookie.as_deref() == cookie
    });
    match repeated {
        true => Ok(Verdict::Resume),
        false => Ok(Verdict::Open),
    }
}
