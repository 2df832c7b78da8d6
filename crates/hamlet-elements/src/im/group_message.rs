//! What is said in groups: each message is kept once, and each joined session remembers how
//! far it has come (csp-group 6).

use crate::elements::Inner;
use crate::failure::encoding;
use hamlet_model::{ClientId, GroupId, Message, Timestamp, UserId};
use hamlet_store::{GroupCursor, GroupLogEntry, JoinedSession, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A message in a group, as all who have joined it get it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupMessage {
    /// The group.
    pub group: GroupId,
    /// Its place in the log of the group: later ones have larger numbers.
    pub seq: i64,
    /// When it was accepted.
    pub at: Timestamp,
    /// Who said it. Receivers know him by `message.sender` only.
    pub sender: UserId,
    /// With which client: it does not come back to that one.
    pub sender_client: Option<ClientId>,
    /// For whom alone, by the key of his screen name; empty for all.
    pub target: String,
    /// Those who do not want to hear from the sender (csp-group 6 item 3).
    pub refusing: HashSet<UserId>,
    /// The message.
    pub message: Message,
}

/// What the store keeps beside the columns.
#[derive(Serialize, Deserialize)]
struct Payload<M> {
    message: M,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refusing: Vec<UserId>,
}

impl GroupMessage {
    /// Whether a client that has joined under `name`, given by its key, gets it.
    pub fn is_for(&self, user: &UserId, client: &ClientId, name: &str) -> bool {
        let said_it = self.sender_client.as_ref() == Some(client) && self.sender == *user;
        let meant = self.target.is_empty() || self.target == name;
        !said_it && meant && !self.refusing.contains(user)
    }

    /// Whether it is for one user alone.
    pub fn is_private(&self) -> bool {
        !self.target.is_empty()
    }

    /// As it is stored.
    pub(crate) fn entry(&self, history: bool) -> Result<GroupLogEntry, StoreError> {
        let payload = Payload {
            message: &self.message,
            refusing: self.refusing.iter().cloned().collect(),
        };
        Ok(GroupLogEntry {
            group: self.group.clone(),
            seq: self.seq,
            message: self.message.id.clone(),
            sender: self.sender.clone(),
            sender_client: self.sender_client.clone(),
            target: self.target.clone(),
            history: history && !self.is_private(),
            sent: self.at,
            expires: self.message.expires,
            payload: serde_json::to_vec(&payload).map_err(encoding)?,
        })
    }

    /// Reads a stored one; one that cannot be read is logged and passed over.
    pub(crate) fn of(entry: GroupLogEntry) -> Option<Self> {
        let payload: Payload<Message> = serde_json::from_slice(&entry.payload)
            .map_err(|error| {
                let group = entry.group.as_str();
                tracing::error!(%error, group, seq = entry.seq, "a group's message is unreadable");
            })
            .ok()?;
        Some(Self {
            group: entry.group,
            seq: entry.seq,
            at: entry.sent,
            sender: entry.sender,
            sender_client: entry.sender_client,
            target: entry.target,
            refusing: payload.refusing.into_iter().collect(),
            message: payload.message,
        })
    }
}

impl Inner {
    pub(crate) async fn group_log(
        &self,
        group: &GroupId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<GroupMessage>, StoreError> {
        let group = group.clone();
        let read = self
            .store
            .read(move |tx| tx.group_log(&group, after, limit));
        Ok(read
            .await?
            .into_iter()
            .filter_map(GroupMessage::of)
            .collect())
    }

    pub(crate) async fn joined_sessions(
        &self,
        after: Option<JoinedSession>,
        limit: usize,
    ) -> Result<Vec<JoinedSession>, StoreError> {
        let after = after.map(|last| (last.cursor.session, last.cursor.group));
        let read = self
            .store
            .read(move |tx| tx.joined_sessions(after.as_ref(), limit));
        read.await
    }

    pub(crate) async fn advance_group_cursors(
        &self,
        cursors: Vec<GroupCursor>,
    ) -> Result<(), StoreError> {
        let write = self
            .store
            .write(move |tx| tx.advance_group_cursors(&cursors));
        write.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::{Content, Domain, MessageId, MessageParty};

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("a").unwrap()).unwrap()
    }

    fn said(client: Option<&str>, target: &str) -> GroupMessage {
        let group = GroupId::parse("/ski", &Domain::parse("a").unwrap()).unwrap();
        GroupMessage {
            group: group.clone(),
            seq: 5,
            at: Timestamp::from_secs(9),
            sender: user("anna"),
            sender_client: client.map(ClientId::from_url),
            target: target.into(),
            refusing: [user("cy")].into(),
            message: Message {
                sender_name: None,
                id: MessageId::new("m"),
                sender: MessageParty::ScreenName {
                    name: "Ann".into(),
                    group: group.clone(),
                },
                recipient: MessageParty::Group(group),
                content: Content::text("hi"),
                content_name: None,
                elsewhere: None,
                uri: None,
                sent: Timestamp::from_secs(9),
                expires: Timestamp::from_secs(99),
                font: None,
                extensions: Vec::new(),
                transaction_extensions: Vec::new(),
                report: true,
            },
        }
    }

    #[test]
    fn who_gets_a_message_of_a_group() {
        // csp-group 6 items 2, 3 and 8.
        for (client, target, who, with, name, expected) in [
            (Some("phone"), "", "bo", "phone", "bo", true),
            (Some("phone"), "", "anna", "phone", "ann", false),
            (Some("phone"), "", "anna", "desk", "ann 2", true),
            (None, "", "anna", "phone", "ann", true),
            (Some("phone"), "", "cy", "phone", "cy", false),
            (Some("phone"), "bo", "bo", "phone", "bo", true),
            (Some("phone"), "bo", "di", "phone", "di", false),
            (Some("phone"), "cy", "cy", "phone", "cy", false),
        ] {
            let said = said(client, target);
            let got = said.is_for(&user(who), &ClientId::from_url(with), name);
            assert_eq!(got, expected, "{client:?} {target} {who} {with}");
        }
    }

    #[test]
    fn a_message_survives_the_store() {
        for target in ["", "bo"] {
            let said = said(Some("phone"), target);
            let entry = said.entry(true).unwrap();
            assert_eq!(entry.history, target.is_empty(), "whispers are no history");
            assert_eq!(GroupMessage::of(entry), Some(said));
        }
    }
}
