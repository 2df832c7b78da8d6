//! A session as the store keeps it: what is not in a column of its own is JSON.

use crate::client_profile::{ClientMarks, ClientProfile};
use crate::negotiation::capability::Capabilities;
use crate::negotiation::delivery_method::GroupDelivery;
use crate::negotiation::notifications::Subscriptions;
use crate::negotiation::service::Agreement;
use crate::session::{NewSession, Session, Settings};
use hamlet_csp::{Syntax, Version};
use hamlet_model::ServiceSet;
use hamlet_store::StoredSession;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Data {
    version: String,
    wbxml: bool,
    cookie: Option<String>,
    user_agent: Option<String>,
    /// The TransactionID of the login: one of the marks that a client is recognised by.
    login: Option<String>,
    keep_alive: u64,
    capabilities: Capabilities,
    #[serde(default)]
    group_delivery: GroupDelivery,
    agreement: Option<Agreement>,
    #[serde(default)]
    notifications: Subscriptions,
    #[serde(default)]
    services: ServiceSet,
    #[serde(default)]
    own: bool,
}

/// The row of a session with these settings.
pub(crate) fn to_row(session: &Session, settings: &Settings, grace: Duration) -> StoredSession {
    let data = Data {
        version: session.version.as_str().to_owned(),
        wbxml: settings.syntax == Syntax::Wbxml,
        cookie: settings.cookie.clone(),
        user_agent: settings.user_agent.clone(),
        login: settings.login.clone(),
        keep_alive: settings.keep_alive.as_secs(),
        capabilities: settings.capabilities.clone(),
        group_delivery: settings.group_delivery.clone(),
        agreement: settings.agreement,
        notifications: settings.notifications,
        services: settings.services,
        own: settings.own,
    };
    StoredSession {
        id: session.id.clone(),
        user: session.user.id.clone(),
        client: session.client.clone(),
        application: session.application.clone(),
        // Texts, numbers and lists of them always make JSON.
        data: serde_json::to_vec(&data).unwrap_or_default(),
        created: session.created,
        expires: session.expires(grace),
    }
}

/// The session of a row; `None` when it cannot be understood.
pub(crate) fn from_row(row: StoredSession) -> Option<NewSession> {
    let data: Data = serde_json::from_slice(&row.data).ok()?;
    let version = Version::parse(&data.version)?;
    let syntax = match data.wbxml {
        true => Syntax::Wbxml,
        false => Syntax::Xml,
    };
    let profile = ClientProfile::detect(&ClientMarks {
        user_agent: data.user_agent.as_deref(),
        client_id: Some(&row.client),
        cookie: data.cookie.as_deref(),
        transaction_id: data.login.as_deref(),
        version,
        syntax,
    });
    Some(NewSession {
        id: row.id,
        user: row.user,
        client: row.client,
        application: row.application,
        version,
        created: row.created,
        settings: Settings {
            cookie: data.cookie,
            syntax,
            user_agent: data.user_agent,
            login: data.login,
            profile,
            keep_alive: Duration::from_secs(data.keep_alive),
            capabilities: data.capabilities,
            group_delivery: data.group_delivery,
            agreement: data.agreement,
            notifications: data.notifications,
            services: data.services,
            own: data.own,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::delivery_method::GroupMethod;
    use crate::session::User;
    use crate::session::tests::{new_session, user_id};
    use hamlet_model::Timestamp;
    use std::sync::Arc;

    #[test]
    fn a_session_survives_the_store() {
        let mut new = new_session("s1", "anna", "Jimmy");
        new.settings.user_agent = Some("Android-Imps/0.1".into());
        new.settings.agreement = Some(Agreement::negotiate(None, Version::V1_2, ServiceSet::ALL));
        new.settings.capabilities.poll_min = 77;
        let home = hamlet_model::Domain::parse("im.example").unwrap();
        let group = hamlet_model::GroupId::parse("wv:anna/chess", &home).unwrap();
        let method = GroupMethod {
            notify: true,
            limit: Some(5),
        };
        assert!(new.settings.group_delivery.set(group, method));
        let user = Arc::new(User::new(user_id("anna")));
        let session = Session::new(new, user, Timestamp::from_secs(5));
        let settings = session.settings();
        let back = from_row(to_row(&session, &settings, Duration::ZERO)).unwrap();
        assert_eq!(back.id, session.id);
        assert_eq!(back.client, session.client);
        assert_eq!(back.version, session.version);
        assert_eq!(back.settings.capabilities, settings.capabilities);
        assert_eq!(back.settings.group_delivery, settings.group_delivery);
        assert_eq!(back.settings.agreement, settings.agreement);
        assert!(back.settings.profile.only_full_success, "recognised again");
    }

    #[test]
    fn a_row_that_makes_no_sense_is_no_session() {
        let user = Arc::new(User::new(user_id("anna")));
        let session = Session::new(new_session("s", "anna", "a"), user, Timestamp::default());
        let mut row = to_row(&session, &session.settings(), Duration::ZERO);
        row.data = b"{}".to_vec();
        assert!(from_row(row).is_none());
    }
}
