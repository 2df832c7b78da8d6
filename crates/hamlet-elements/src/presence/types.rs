//! What the Presence element is asked and answers (csp-presence 4).

use crate::authorization::Unauthorized;
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue, ClientInfo};
use hamlet_model::{ClientId, ContactListId, Detail, UserId};
use serde::{Deserialize, Serialize};

/// Users, named one by one or by contact lists of the requestor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Targets {
    /// The users.
    pub users: Vec<UserId>,
    /// Contact lists.
    pub contact_lists: Vec<ContactListId>,
    /// User addresses that cannot be parsed; each is an unknown user (531).
    pub malformed_users: Vec<String>,
    /// Contact list addresses that cannot be parsed (700).
    pub malformed_lists: Vec<String>,
}

/// csp-presence 4.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdatePresence {
    /// The attributes to replace, each as a whole.
    pub attributes: Vec<Attribute>,
    /// Names that are no attributes (750).
    #[serde(default)]
    pub unknown: Vec<String>,
}

/// csp-presence 4.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPresence {
    /// Whose.
    pub targets: Targets,
    /// Which attributes; empty for all.
    pub attributes: AttributeSet,
}

/// csp-presence 4.3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscribePresence {
    /// Whose.
    pub targets: Targets,
    /// Which attributes; empty for all.
    pub attributes: AttributeSet,
    /// Names that are no attributes (750).
    #[serde(default)]
    pub unknown: Vec<String>,
    /// The subscription of the lists follows their members.
    pub auto_subscribe: bool,
}

/// csp-presence 4.6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsubscribePresence {
    /// Whose.
    pub targets: Targets,
}

/// The presence of a publisher of another domain, in full, for a subscriber of this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PresenceNotification {
    /// Who gets it.
    pub subscriber: UserId,
    /// Whose presence.
    pub publisher: UserId,
    /// Everything that he may see and asked for.
    pub attributes: Vec<Attribute>,
    /// Only what has changed is among them.
    #[serde(default)]
    pub partial: bool,
    /// Counts up per publisher, so that a late notification does not hide a newer one.
    pub sequence: i64,
}

/// A client of a user logged in, changed or went (csp-presence 8.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientStatus {
    /// Which client.
    pub client: ClientId,
    /// It has a session.
    pub online: bool,
    /// What the server knows of the client from login and negotiation.
    pub info: ClientInfo,
    /// Everything that the mobile network says of the user (csp-presence 3.7).
    #[serde(default)]
    pub network: Vec<(AttributeName, AttributeValue)>,
    /// Counts up per client, so that a late notice does not undo a newer one.
    pub sequence: i64,
}

/// Presence of one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserPresence {
    /// Whose.
    pub user: UserId,
    /// What the asker may see, in writing order; possibly nothing.
    pub attributes: Vec<Attribute>,
}

/// Answer to GetPresence.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PresenceValues {
    /// One for each user that could be resolved.
    pub users: Vec<UserPresence>,
    /// The others.
    pub details: Vec<Detail>,
}

/// Bounds of published values (csp-presence 3.6).
#[derive(Debug, Clone)]
pub struct PresenceConfig {
    /// Longest text value, characters.
    pub max_text: usize,
    /// Largest DirectContent or ContainedvCard as it is transferred, octets.
    pub max_content: usize,
    /// Most CommC.
    pub max_comm_caps: usize,
    /// Most AddrPref.
    pub max_contacts: usize,
    /// Most Inf_link.
    pub max_links: usize,
    /// What a watcher sees of a publisher who has decided nothing that applies to him.
    pub unauthorized: Unauthorized,
    /// Whoever is on a publisher's block list sees nothing of him (csp-presence 6.8).
    pub block_hides: bool,
    /// Most attribute lists for single users that one user has (csp-presence 2.9).
    pub max_attribute_lists: usize,
    /// How long it is remembered who has looked at somebody's presence (csp-presence 5).
    pub watcher_history: std::time::Duration,
    /// Most attributes of other namespaces.
    pub max_extensions: usize,
    /// Longest content of one of them, octets as XML.
    pub max_extension: usize,
    /// How long the answer to GetPresence waits for another domain (csp-presence 10).
    pub foreign_wait: std::time::Duration,
    /// How long a client whose session ended without its doing is shown as if it were still
    /// there (csp-presence 8.2).
    pub hold: std::time::Duration,
}

impl Default for PresenceConfig {
    fn default() -> Self {
        Self {
            max_text: 1024,
            max_content: 64 << 10,
            max_comm_caps: 20,
            max_contacts: 20,
            max_links: 10,
            unauthorized: Unauthorized::Ask,
            block_hides: false,
            max_attribute_lists: 2000,
            watcher_history: std::time::Duration::from_secs(30 * 86_400),
            max_extensions: 8,
            max_extension: 4 << 10,
            foreign_wait: std::time::Duration::from_secs(10),
            hold: std::time::Duration::from_secs(5),
        }
    }
}
