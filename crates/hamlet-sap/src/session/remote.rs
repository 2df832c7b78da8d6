//! A user ends his other sessions from the one at hand (csp-access 3.5): he publishes
//! OnlineStatus F for the client of another.

use crate::Sap;
use crate::session::Session;
use hamlet_elements::Request;
use hamlet_model::presence::{Attribute, AttributeName, AttributeValue};
use hamlet_model::{ClientId, StatusCode};
use std::sync::Arc;

impl Sap {
    /// The other sessions that end when `request` succeeds.
    pub(crate) fn ended_by(&self, request: &Request, own: &Session) -> Vec<Arc<Session>> {
        let Request::UpdatePresence(update) = request else {
            return Vec::new();
        };
        let mut sessions = own.user.sessions.read().clone();
        sessions.retain(|other| {
            other.id != own.id && is_ended(&update.attributes, &own.client, &other.client)
        });
        sessions
    }

    /// Ends them by 601.
    pub(crate) async fn end_others(&self, sessions: Vec<Arc<Session>>) {
        for session in sessions {
            tracing::info!(
                user = session.user.id.as_str(),
                session = session.id.short(),
                "ended by another session of the user"
            );
            self.end_session(&session, StatusCode::FORCED_LOGOUT).await;
        }
    }
}

/// Whether these attributes, published by a session of client `own`, end those of client
/// `other`. Of his own client a user only says that he does not want to be seen.
fn is_ended(attributes: &[Attribute], own: &ClientId, other: &ClientId) -> bool {
    own != other
        && attributes.iter().any(|attribute| {
            attribute.name == AttributeName::OnlineStatus
                && attribute.value == AttributeValue::Flag(false)
                && attribute.client.as_ref() == Some(other)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_offline_of_another_client_ends_a_session() {
        let client = |name: &str| ClientId {
            url: Some(name.into()),
            ..ClientId::default()
        };
        let (own, other) = (client("WV:own"), client("WV:other"));
        let attribute = |name, value, client: Option<&ClientId>| Attribute {
            name,
            qualifier: true,
            client: client.cloned(),
            value,
        };
        use AttributeName::{OnlineStatus, Registration};
        use AttributeValue::{Flag, None as Nothing};
        for (name, value, named, ends) in [
            (OnlineStatus, Flag(false), Some(&other), true),
            (OnlineStatus, Flag(true), Some(&other), false),
            (OnlineStatus, Nothing, Some(&other), false),
            (OnlineStatus, Flag(false), Some(&own), false),
            (OnlineStatus, Flag(false), None, false),
            (Registration, Flag(false), Some(&other), false),
        ] {
            let attributes = [attribute(name, value.clone(), named)];
            let got = is_ended(&attributes, &own, &other);
            assert_eq!(got, ends, "{name:?} {value:?} {named:?}");
            assert!(!is_ended(&attributes, &other, &other));
        }
    }
}
