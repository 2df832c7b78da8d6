//! What waits for a user, until he has it (csp-im 6).

use crate::content::unlink;
use crate::elements::{Inner, Shared};
use crate::failure::encoding;
use crate::im::record::MessageRecord;
use crate::im::report::{Posted, post};
use crate::im::{DeliveryReport, ImConfig, MailboxItem, OnlineHandling, Waiting};
use crate::service::Event;
use hamlet_model::{ClientId, Message, StatusCode, Timestamp, UserId};
use hamlet_store::{MailboxCopy, MailboxEntry, MailboxKind, Quota, StoreError, Tx};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// Most entries that are handed over at a time; what is acknowledged makes room for more.
const PAGE: usize = 10_000;

/// An entry as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) enum Stored {
    /// A message, with the client that sent it if that was one of this server's.
    Message {
        message: Box<Message>,
        origin: Option<ClientId>,
    },
    /// A delivery report.
    Report(Box<DeliveryReport>),
}

/// What [`report_on`] needs to know of a [`Stored`].
#[derive(Deserialize)]
enum Brief {
    Message { message: ReportWish },
    Report(IgnoredAny),
}

#[derive(Deserialize)]
struct ReportWish {
    #[serde(default)]
    report: bool,
}

impl Stored {
    /// Reads a stored entry; one that cannot be read is logged and passed over.
    pub(crate) fn of(entry: &MailboxEntry) -> Option<Self> {
        Self::read(&entry.payload, &entry.id)
    }

    /// The same for a copy.
    pub(crate) fn of_copy(copy: &MailboxCopy) -> Option<Self> {
        Self::read(&copy.payload, &copy.id)
    }

    fn read(payload: &[u8], id: &str) -> Option<Self> {
        serde_json::from_slice(payload)
            .map_err(|error| tracing::error!(%error, id, "a mailbox entry is unreadable"))
            .ok()
    }

    pub(crate) fn item(self) -> MailboxItem {
        match self {
            Self::Message { message, .. } => MailboxItem::Message(message),
            Self::Report(report) => MailboxItem::Report(report),
        }
    }
}

/// The form in which an item is stored for `recipient`.
pub(crate) fn entry(
    item: &MailboxItem,
    origin: Option<&ClientId>,
    recipient: &UserId,
) -> Result<MailboxEntry, StoreError> {
    /// [`Stored`] without owning the message.
    #[derive(Serialize)]
    enum Storing<'a> {
        Message {
            message: &'a Message,
            origin: Option<&'a ClientId>,
        },
        Report(&'a DeliveryReport),
    }
    let (kind, size, storing) = match item {
        MailboxItem::Message(message) => (
            MailboxKind::Message,
            message.content.data.len(),
            Storing::Message { message, origin },
        ),
        MailboxItem::Report(report) => (MailboxKind::Report, 0, Storing::Report(report)),
    };
    Ok(MailboxEntry {
        recipient: recipient.clone(),
        id: item.id(),
        kind,
        expires: item.expires(),
        size: u32::try_from(size).unwrap_or(u32::MAX),
        payload: serde_json::to_vec(&storing).map_err(encoding)?,
    })
}

pub(crate) fn quota(config: &ImConfig) -> Quota {
    Quota {
        messages: config.max_waiting,
        bytes: config.max_waiting_bytes,
    }
}

impl Inner {
    /// All that waits for a user.
    pub(crate) async fn waiting(&self, user: &UserId) -> Result<Waiting, StoreError> {
        let items = self.mailbox(user).await?;
        let owner = user.clone();
        let read = self.store.read(move |tx| {
            let copies = tx.mailbox_copies(&owner, PAGE)?;
            Ok((copies, tx.online_handling(&owner)?))
        });
        let (kept, handling) = read.await?;
        let now = Timestamp::now();
        let mut copies = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for copy in kept.into_iter().filter(|copy| copy.expires > now) {
            if let Some(at) = places.get(&copy.id) {
                let (_, clients): &mut (_, Vec<ClientId>) = &mut copies[*at];
                clients.push(copy.client);
            } else if let Some(stored) = Stored::of_copy(&copy) {
                places.insert(copy.id, copies.len());
                copies.push((Arc::new(stored.item()), vec![copy.client]));
            }
        }
        Ok(Waiting {
            items,
            copies,
            handling: handling.map_or_else(OnlineHandling::default, OnlineHandling::of_number),
        })
    }

    /// A client of the user has an entry, or its copy of one; the clients that are `owed` one
    /// get theirs until they have it, too. False when there is no such entry.
    pub(crate) async fn delivered(
        &self,
        user: &UserId,
        id: &str,
        client: &ClientId,
        owed: Vec<ClientId>,
    ) -> Result<bool, StoreError> {
        let (user, id, client) = (user.clone(), id.to_owned(), client.clone());
        let shared = self.shared.clone();
        let concluded = self
            .store
            .write(move |tx| {
                let Some(entry) = tx.take_mailbox(&user, &id)? else {
                    let had = tx.remove_mailbox_copy(&user, &id, &client)?;
                    return Ok(had.then(Vec::new));
                };
                for other in &owed {
                    tx.put_mailbox_copy(&MailboxCopy {
                        recipient: user.clone(),
                        id: id.clone(),
                        client: other.clone(),
                        expires: entry.expires,
                        payload: entry.payload.clone(),
                    })?;
                }
                conclude_entry(tx, &shared, &entry, StatusCode::OK, false).map(Some)
            })
            .await?;
        let Some(events) = concluded else {
            return Ok(false);
        };
        self.emit(events);
        Ok(true)
    }

    pub(crate) async fn mailbox(&self, user: &UserId) -> Result<Vec<Arc<MailboxItem>>, StoreError> {
        self.recheck_mailbox(user).await?;
        let user = user.clone();
        let entries = self.store.read(move |tx| tx.mailbox(&user, PAGE)).await?;
        let now = Timestamp::now();
        // csp-im 9: what has expired is not fetched, even before it is removed.
        Ok(entries
            .iter()
            .filter(|entry| entry.expires > now)
            .filter_map(|entry| Some(Arc::new(Stored::of(entry)?.item())))
            .collect())
    }

    /// Removes an entry for good, with what its sender is told, in one transaction.
    pub(crate) async fn conclude(
        &self,
        user: &UserId,
        id: &str,
        code: StatusCode,
    ) -> Result<bool, StoreError> {
        let (user, id, shared) = (user.clone(), id.to_owned(), self.shared.clone());
        let concluded = self
            .store
            .write(move |tx| {
                let Some(entry) = tx.take_mailbox(&user, &id)? else {
                    return Ok(None);
                };
                conclude_entry(tx, &shared, &entry, code, false).map(Some)
            })
            .await?;
        let Some(events) = concluded else {
            return Ok(false);
        };
        self.emit(events);
        Ok(true)
    }
}

/// An entry is out of the mailbox: what to tell. `silent`: not its sender.
pub(crate) fn conclude_entry(
    tx: &mut Tx<'_>,
    shared: &Shared,
    entry: &MailboxEntry,
    code: StatusCode,
    silent: bool,
) -> Result<Vec<Event>, StoreError> {
    if code != StatusCode::OK {
        unlink(tx, shared, entry)?;
    }
    let mut events = match silent {
        true => Vec::new(),
        false => report_on(tx, shared, entry, code)?,
    };
    if shared.records {
        events.extend(MessageRecord::concluded(entry, code));
    }
    Ok(events)
}

/// Tells the sender of an entry what became of it, if he wants to know.
pub(crate) fn report_on(
    tx: &mut Tx<'_>,
    shared: &Shared,
    entry: &MailboxEntry,
    code: StatusCode,
) -> Result<Vec<Event>, StoreError> {
    // Most messages ask for none; those are not read whole.
    let brief = serde_json::from_slice(&entry.payload);
    if let Ok(
        Brief::Report(_)
        | Brief::Message {
            message: ReportWish { report: false },
        },
    ) = brief
    {
        return Ok(Vec::new());
    }
    let Some(Stored::Message { message, origin }) = Stored::of(entry) else {
        return Ok(Vec::new());
    };
    let report = DeliveryReport::about(&message, code, Timestamp::now(), origin);
    Ok(post(tx, shared, report)?
        .map(Posted::event)
        .into_iter()
        .collect())
}
