//! Instant messages, version-neutral (csp-im 2).

use crate::{
    ApplicationId, ClientId, ContactListId, Content, GroupId, MessageId, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};

/// One end of a message: a user, or somebody in a group (csp-im 2.2, 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageParty {
    /// A user, optionally narrowed to one client or application.
    User {
        /// The user.
        user: UserId,
        /// Only this client.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client: Option<ClientId>,
        /// Only sessions of this application.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        application: Option<ApplicationId>,
    },
    /// A whole group.
    Group(GroupId),
    /// One user of a group by screen name.
    ScreenName {
        /// The name in the group.
        name: String,
        /// The group.
        group: GroupId,
    },
}

impl Message {
    /// Size of the content, octets before transfer encoding, wherever it is (csp-im 4.3).
    pub fn content_size(&self) -> usize {
        match self.elsewhere {
            Some(elsewhere) => elsewhere.size as usize,
            None => self.content.size(),
        }
    }

    /// The group that it came through, to all of it or to a screen name.
    pub fn group(&self) -> Option<&GroupId> {
        self.recipient.group().or_else(|| self.sender.group())
    }

    /// Its content waits in another system.
    pub fn is_outside(&self) -> bool {
        self.elsewhere.is_some_and(|elsewhere| elsewhere.outside)
    }
}

impl MessageParty {
    /// The group of a group or screen name.
    pub fn group(&self) -> Option<&GroupId> {
        match self {
            Self::User { .. } => None,
            Self::Group(group) | Self::ScreenName { group, .. } => Some(group),
        }
    }

    /// A user without restriction.
    pub fn user(user: UserId) -> Self {
        Self::User {
            user,
            client: None,
            application: None,
        }
    }
}

/// Whom a message is for, as its sender addressed it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recipients {
    /// Users, groups and screen names.
    pub parties: Vec<MessageParty>,
    /// The sender's own contact lists.
    pub contact_lists: Vec<ContactListId>,
    /// Addresses that could not be parsed, as they were given; each is an unknown user.
    pub malformed: Vec<String>,
}

impl Recipients {
    /// They name nobody at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Text rendering hint (csp-im 12.2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Font {
    /// Tiny, Small, Medium, Big or Huge.
    pub size: Option<String>,
    /// Any of Bold, Italic, Underline.
    pub styles: Vec<String>,
    /// One of the 16 HTML colour names.
    pub color: Option<String>,
}

/// A vendor's extension that is carried without being understood: an XML fragment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Extension {
    /// Namespace of the extension.
    pub namespace: Option<String>,
    /// Its content as XML text.
    pub xml: String,
}

/// Content that is not in its message but where the message's `uri` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Its size as its sender states it, octets.
    pub size: u32,
    /// It lies in another system, such as mail, whose gateway lets a user know of it: he is
    /// told that it waits rather than sent a link (csp-im 7.7).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
}

/// A message as it waits for one recipient: addressed to him alone. In its stored form what is
/// absent takes no room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Made by the server that accepted the message first; the same for all recipients.
    pub id: MessageId,
    /// Who sent it, as the recipient may know it.
    pub sender: MessageParty,
    /// The name by which its sender wants to be known, if he sends it as himself (1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// The one address by which this recipient was reached (csp-im 5.4).
    pub recipient: MessageParty,
    /// The content.
    pub content: Content,
    /// Original file name of the content (1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_name: Option<String>,
    /// Where the content can be fetched instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What is known of content that is only there; `content` has its type and no data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// When it was sent.
    pub sent: Timestamp,
    /// When it stops being worth delivering.
    pub expires: Timestamp,
    /// Rendering hint (1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font: Option<Font>,
    /// End-to-end extensions inside MessageInfo (1.3, csp-im 12.3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// Extensions beside the primitive that travel end to end (csp-im 12.3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transaction_extensions: Vec<Extension>,
    /// The sender asked for a delivery report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report: bool,
}
