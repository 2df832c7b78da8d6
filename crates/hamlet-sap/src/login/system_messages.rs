//! What a user is told or asked before he gets in (csp-access 3.3 item 15, 12).

use crate::Sap;
use crate::login::respond::Login;
use crate::mapping::{Facts, system_message};
use crate::session::Session;
use hamlet_elements::system_message::SystemMessageShown;
use hamlet_model::{Refusal, StatusCode};

/// What the operator has to say to a user who logs in.
pub(crate) enum Messages {
    /// He is told it as he gets in.
    Told(Vec<SystemMessageShown>),
    /// He has to answer first.
    ToBeAnswered(Vec<SystemMessageShown>),
}

impl Sap {
    /// Takes the answers of a login that has proved who it is, and sees what is left to be
    /// answered. Clients that know no system messages are not kept out by them.
    pub(crate) async fn system_messages(&self, login: &Login<'_>) -> Result<Messages, Refusal> {
        let facts = Facts {
            version: login.around.version,
            home: &self.config.domain,
            profile: &login.profile,
        };
        if !system_message::knows(&facts) {
            return Ok(Messages::Told(Vec::new()));
        }
        if let Some(answers) = system_message::answers_at_login(login.request) {
            let taken = self.elements.answer_at_login(&login.user, answers).await;
            taken.inspect_err(|refusal| {
                // Keys can be guessed as passwords can.
                if refusal.code == StatusCode::INVALID_PASSWORD {
                    let peer = login.around.inbound.peer;
                    self.throttle.failed(&login.user, peer, login.now);
                }
            })?;
        }
        let waiting = self.elements.system_messages_at_login(&login.user).await;
        let waiting = waiting.map_err(|error| self.store_failed("system message", &error))?;
        let (asked, told): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|shown| shown.message.requires_response);
        Ok(match asked.is_empty() {
            true => Messages::Told(told),
            false => Messages::ToBeAnswered(asked),
        })
    }

    /// They ride in the answer to the login, which nobody acknowledges.
    pub(crate) async fn have_been_told(&self, session: &Session, messages: &[SystemMessageShown]) {
        for shown in messages {
            session.outbound.lock().pushes.remove(&shown.id());
            let told = self.elements.system_message_told(&session.user.id, shown);
            if let Err(error) = told.await {
                // It comes again at the next login.
                self.store_failed("system message", &error);
            }
        }
    }
}
