//! Which of the messages that wait are a session's to decide on, and where they wait for it:
//! in the user's mailbox, as a copy for one client, in the logs of groups (csp-im 7.2, 10.3).

use crate::elements::{Inner, Shared};
use crate::im::group_message::GroupMessage;
use crate::im::group_trim::take_whisper;
use crate::im::mailbox::{Stored, conclude_entry};
use crate::service::{Event, Requestor};
use hamlet_model::{Message, MessageId, MessageParty, StatusCode, Timestamp, UserId};
use hamlet_store::{
    GroupCursor, GroupLogEntry, MailboxEntry, MailboxKind, StoreError, StoredJoined, Tx,
};
use std::sync::Arc;

/// Who decides on messages that wait.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    requestor: Requestor,
    /// It is its application itself, which gets what is for its account, too.
    own: bool,
}

/// A message that waits for a session, in one place.
enum Place {
    Mailbox(Box<Message>),
    /// Another client of the user has it.
    Copy(Box<Message>),
    /// Behind the session's place in the log of a group, which is this.
    Group(Box<GroupMessage>, GroupCursor),
}

impl Place {
    fn message(self) -> Message {
        match self {
            Self::Mailbox(message) | Self::Copy(message) => *message,
            Self::Group(said, _) => said.message,
        }
    }
}

/// A message that waits for a session no more.
#[derive(Default)]
pub(crate) struct Taken {
    /// What to tell.
    pub(crate) events: Vec<Event>,
    /// As it was in the mailbox, if it was there.
    pub(crate) entry: Option<MailboxEntry>,
}

impl Holder {
    pub(crate) fn user(&self) -> &UserId {
        &self.requestor.user
    }

    /// Whether a message to `recipient` is for this session (csp-im 10.3 items 1 and 2).
    fn is_addressed(&self, recipient: &MessageParty) -> bool {
        let MessageParty::User {
            client,
            application,
            ..
        } = recipient
        else {
            return true;
        };
        match client {
            Some(_) => *client == self.requestor.client,
            None => {
                *application == self.requestor.application || (application.is_none() && self.own)
            }
        }
    }

    /// The message of this name that waits for the session, if there is one. What has expired
    /// by `at` is not there, even before it is removed (csp-im 9).
    pub(crate) fn message(
        &self,
        tx: &mut Tx<'_>,
        id: &MessageId,
        at: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        let places = self.places(tx, id, at)?;
        Ok(places.into_iter().next().map(Place::message))
    }

    /// Whether there is one.
    pub(crate) fn waits(
        &self,
        tx: &mut Tx<'_>,
        id: &MessageId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(!self.places(tx, id, at)?.is_empty())
    }

    /// Takes the message away from the session wherever it waits for it; its sender is told
    /// `code`, if he wants to know. `None` when it does not wait.
    pub(crate) fn take(
        &self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        (id, at): (&MessageId, Timestamp),
        code: StatusCode,
    ) -> Result<Option<Taken>, StoreError> {
        let places = self.places(tx, id, at)?;
        self.take_from(tx, shared, id, places, code)
    }

    /// As [`Holder::take`], but what is in the mailbox stays there.
    pub(crate) fn take_beside_mailbox(
        &self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        (id, at): (&MessageId, Timestamp),
        code: StatusCode,
    ) -> Result<Option<Taken>, StoreError> {
        let mut places = self.places(tx, id, at)?;
        places.retain(|place| !matches!(place, Place::Mailbox(_)));
        self.take_from(tx, shared, id, places, code)
    }

    fn take_from(
        &self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        id: &MessageId,
        places: Vec<Place>,
        code: StatusCode,
    ) -> Result<Option<Taken>, StoreError> {
        if places.is_empty() {
            return Ok(None);
        }
        let mut taken = Taken::default();
        for place in places {
            match place {
                Place::Mailbox(_) => {
                    if let Some(entry) = tx.take_mailbox(self.user(), id.as_str())? {
                        let events = conclude_entry(tx, shared, &entry, code, false)?;
                        taken.events.extend(events);
                        taken.entry = Some(entry);
                    }
                }
                // That another client has it is what its sender has been told.
                Place::Copy(_) => {
                    if let Some(client) = &self.requestor.client {
                        tx.remove_mailbox_copy(self.user(), id.as_str(), client)?;
                    }
                }
                Place::Group(said, mut cursor) => {
                    taken.events.push(Event::GroupDone {
                        session: cursor.session.clone(),
                        group: said.group.clone(),
                        seq: said.seq,
                    });
                    cursor.beyond.push(said.seq);
                    tx.advance_group_cursors(&[cursor])?;
                    if said.is_private() {
                        let told = take_whisper(tx, shared, &said, code)?;
                        taken.events.extend(told.flatten());
                    }
                }
            }
        }
        Ok(Some(taken))
    }

    fn places(
        &self,
        tx: &mut Tx<'_>,
        id: &MessageId,
        at: Timestamp,
    ) -> Result<Vec<Place>, StoreError> {
        let mut places = Vec::new();
        let entry = tx.mailbox_entry(self.user(), id.as_str())?;
        let entry = entry.filter(|e| e.kind == MailboxKind::Message && e.expires > at);
        if let Some(Stored::Message { message, .. }) = entry.as_ref().and_then(Stored::of)
            && self.is_addressed(&message.recipient)
        {
            places.push(Place::Mailbox(message));
        }
        if let Some(client) = &self.requestor.client {
            let copy = tx.mailbox_copy(self.user(), id.as_str(), client)?;
            let copy = copy.filter(|copy| copy.expires > at);
            if let Some(Stored::Message { message, .. }) = copy.as_ref().and_then(Stored::of_copy) {
                places.push(Place::Copy(message));
            }
        }
        let of_groups = waiting_in_groups(tx, &self.requestor, id, at)?.into_iter();
        places.extend(of_groups.map(|(said, cursor)| Place::Group(Box::new(said), cursor)));
        Ok(places)
    }
}

/// The messages of this name that a session has not had from its groups, each with the
/// session's place in that group's log.
pub(crate) fn waiting_in_groups(
    tx: &mut Tx<'_>,
    requestor: &Requestor,
    id: &MessageId,
    at: Timestamp,
) -> Result<Vec<(GroupMessage, GroupCursor)>, StoreError> {
    let mut waiting = Vec::new();
    if let Some(session) = &requestor.session {
        for entry in tx.group_log_entries(id)? {
            if let Some(joined) = tx.group_joined_session(&entry.group, session)?
                && let Some(cursor) = tx.group_cursor(&entry.group, session)?
                && let Some(said) = not_had(entry, requestor, &joined, &cursor, at)
            {
                waiting.push((said, cursor));
            }
        }
    }
    Ok(waiting)
}

/// What is in the log of a group, if it is for a session that has joined so and has not had
/// it.
fn not_had(
    entry: GroupLogEntry,
    requestor: &Requestor,
    joined: &StoredJoined,
    cursor: &GroupCursor,
    at: Timestamp,
) -> Option<GroupMessage> {
    let client = requestor.client.as_ref()?;
    let had = entry.seq <= cursor.position || cursor.beyond.contains(&entry.seq);
    if had || entry.expires <= at {
        return None;
    }
    let said = GroupMessage::of(entry)?;
    said.is_for(&requestor.user, client, &joined.name.key())
        .then_some(said)
}

impl Inner {
    pub(crate) async fn waiting_in_groups(
        &self,
        requestor: Requestor,
    ) -> Result<Vec<Arc<GroupMessage>>, StoreError> {
        let most = self.config.group_talk.max_waiting as usize;
        let read = self.store.read(move |tx| {
            let (mut waiting, now) = (Vec::new(), Timestamp::now());
            let Some(session) = &requestor.session else {
                return Ok(waiting);
            };
            for joined in tx.joined_of_session(session)? {
                let Some(cursor) = tx.group_cursor(&joined.group, session)? else {
                    continue;
                };
                let log = tx.group_log(&joined.group, cursor.position, most)?;
                let not_had = |entry| not_had(entry, &requestor, &joined, &cursor, now);
                waiting.extend(log.into_iter().filter_map(not_had).map(Arc::new));
            }
            Ok(waiting)
        });
        read.await
    }

    pub(crate) async fn holder(&self, requestor: Requestor) -> Result<Holder, StoreError> {
        let own = match &requestor.application {
            None => false,
            application => {
                let user = std::slice::from_ref(&requestor.user);
                self.directory.unknown(user).await?;
                self.directory.unusual(&requestor.user).application == *application
            }
        };
        Ok(Holder { requestor, own })
    }
}
