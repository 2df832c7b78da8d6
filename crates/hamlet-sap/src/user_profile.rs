//! User Profile Management (architecture document 5.3.6.3, B.7.5; ssp 8): what a user is
//! subscribed to, allows and prefers, and what his terminals can do.

use crate::Sap;
use crate::session::{Session, Settings};
use hamlet_model::{
    Profile, Refusal, Service, StatusCode, Timestamp, UserId, UserProfile, UserProfileChange,
};
use hamlet_store::Terminal;
use serde::{Deserialize, Serialize};

/// Everything of the user profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeUserProfile {
    /// What is set.
    pub profile: UserProfile,
    /// Whether searches find the user.
    pub findable: bool,
    /// His clients as they last negotiated, the newest first.
    pub terminals: Vec<(String, Timestamp, TerminalCapabilities)>,
}

/// What a client last negotiated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TerminalCapabilities {
    /// Version of CSP.
    pub version: String,
    /// What the client says that it is.
    pub user_agent: Option<String>,
    /// ClientType.
    pub client_type: Option<String>,
    /// DefaultLanguage.
    pub language: Option<String>,
    /// The content types that it takes; `None` for any.
    pub content_types: Option<Vec<String>>,
    /// Largest content that is pushed to it, octets.
    pub push_length: Option<u32>,
    /// Largest message that it can parse, octets.
    pub parser_size: Option<u32>,
    /// It wants to be notified of messages, not to be pushed to.
    pub notify: bool,
    /// SessionPriority.
    pub priority: u32,
}

impl Sap {
    /// The user profile of a user; 531 without such a user.
    pub async fn user_profile(&self, user: &UserId) -> Result<WholeUserProfile, Refusal> {
        let key = user.clone();
        let read = self.store.read(move |tx| {
            let Some(profile) = tx.profile(&key)? else {
                return Ok(None);
            };
            Ok(Some((profile, tx.user_profile(&key)?, tx.terminals(&key)?)))
        });
        let found = read.await;
        let found = found.map_err(|error| self.store_failed("user profile", &error))?;
        let (public, profile, terminals) = found.ok_or(StatusCode::UNKNOWN_USER)?;
        let terminal = |terminal: Terminal| {
            let capabilities = serde_json::from_str(&terminal.data).unwrap_or_default();
            (terminal.client, terminal.seen, capabilities)
        };
        Ok(WholeUserProfile {
            profile,
            findable: !public.unfindable,
            terminals: terminals.into_iter().map(terminal).collect(),
        })
    }

    /// Changes the user profile of a user, wholly or not at all: 531 without such a user, 402
    /// for a change that cannot be. Takes effect in his sessions at once.
    pub async fn change_user_profile(
        &self,
        user: &UserId,
        change: UserProfileChange,
        findable: Option<bool>,
    ) -> Result<(), Refusal> {
        let key = user.clone();
        let write = self.store.write(move |tx| {
            let Some(public) = tx.profile(&key)? else {
                return Ok(Err(StatusCode::UNKNOWN_USER.into()));
            };
            let mut profile = tx.user_profile(&key)?;
            if let Err(bad) = profile.apply(&change) {
                let refusal = Refusal::because(StatusCode::BAD_PARAMETER, bad.to_string());
                return Ok(Err(refusal));
            }
            tx.put_user_profile(&key, &profile)?;
            if let Some(findable) = findable {
                let public = Profile {
                    unfindable: !findable,
                    ..public
                };
                tx.put_profile(&key, &public)?;
            }
            Ok(Ok(profile))
        });
        let changed = write.await;
        changed.map_err(|error| self.store_failed("user profile", &error))??;
        self.elements.forget_recipient(user);
        self.entitle_sessions_of(user).await
    }

    /// Tells live sessions what their user and their application may use now.
    pub(crate) async fn entitle_sessions_of(&self, user: &UserId) -> Result<(), Refusal> {
        for session in self.hub.registry.sessions_of(user) {
            let (key, application) = (user.clone(), session.application.clone());
            let read = self.store.read(move |tx| {
                let application = match &application {
                    Some(id) => tx.application(id)?,
                    None => None,
                };
                Ok((tx.user_profile(&key)?, application))
            });
            let read = read.await;
            let (profile, application) =
                read.map_err(|error| self.store_failed("user profile", &error))?;
            let granted = application.map(|application| application.services);
            let services = profile.usable().intersection(granted.unwrap_or_default());
            let before = session.settings().services;
            if services != before {
                session.change(|settings| settings.services = services);
                self.persist(&session).await?;
            }
            if before.contains(Service::Presence) && !services.contains(Service::Presence) {
                session.outbound.lock().notices.clear();
            }
        }
        Ok(())
    }
}

/// What is remembered of a session's client; `None` before it has negotiated.
pub(crate) fn terminal(session: &Session, settings: &Settings) -> Option<Terminal> {
    let capabilities = &settings.capabilities;
    if !capabilities.negotiated {
        return None;
    }
    let types = capabilities.content_types.as_ref();
    let known = TerminalCapabilities {
        version: session.version.as_str().to_owned(),
        user_agent: settings.user_agent.clone(),
        client_type: capabilities.client_type.clone(),
        language: capabilities.language.clone(),
        content_types: types.map(|types| types.iter().map(|one| one.media_type.clone()).collect()),
        push_length: capabilities.push_length,
        parser_size: capabilities.parser_size,
        notify: capabilities.notify,
        priority: capabilities.priority,
    };
    Some(Terminal {
        client: session.client.key(),
        // Texts and numbers always make JSON.
        data: serde_json::to_string(&known).unwrap_or_default(),
        seen: session.seen(),
    })
}
