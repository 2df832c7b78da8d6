//! Messages from other domains for users of this one.

use crate::blocking::Initiator;
use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::group_send::{Target, put_said, take_groups};
use crate::im::mailbox::{entry, quota};
use crate::im::recipients::as_addressed;
use crate::im::record::MessageRecord;
use crate::im::report::{accepted, nobody};
use crate::im::{DeliverMessage, ImConfig, MailboxItem};
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Requestor};
use hamlet_model::refusal::Failures;
use hamlet_model::{ClientId, Message, MessageParty, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{MailboxEntry, Put, StoreError, Tx};
use std::sync::Arc;

impl Inner {
    /// Takes a message that the domain of its sender has accepted. Its answer is merged into
    /// that domain's own (csp-im 5.3 item 10).
    pub(crate) async fn deliver_message(
        &self,
        requestor: Requestor,
        request: DeliverMessage,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let DeliverMessage {
            mut message,
            mut recipients,
            client,
        } = request;
        check_size(&self.config.im, &message.content.data)?;
        if recipients.len() > self.config.im.max_recipients {
            return Err(too_many());
        }
        let now = Timestamp::now();
        message.expires = message.expires.min(now.plus(self.config.im.max_validity));
        let mut failures = Failures::new();
        let groups = take_groups(&mut recipients);
        let judged = self.directory.access_changes();
        let local = self
            .local_recipients(&message.sender, recipients, &mut failures)
            .await
            .map_err(|error| refusal(&error))?;
        let initiator = initiator(&requestor, &message.sender);
        let (local, silenced) = self
            .welcome(&initiator, local, &mut failures)
            .await
            .map_err(|error| refusal(&error))?;
        let local = self.reachable(local, &mut failures);
        let through = self
            .groups_for_domain(&requestor, &message, groups, &local, &mut failures)
            .await?;
        let (groups, silenced) = (through.here, silenced + through.silenced);
        if local.len() + silenced + groups.len() == 0 {
            return Err(nobody(failures));
        }
        let record = self.config.records.then(|| {
            let recipients = local.iter().map(|(_, party)| party.clone());
            let recipients = recipients.chain(groups.iter().map(Target::party)).collect();
            MessageRecord::accepted(&message, None, recipients)
        });
        let said = self
            .said(
                &message,
                (&requestor.user, client.as_ref()),
                &message.sender,
                groups,
            )
            .map_err(|error| refusal(&error))?;
        let shared = self.shared.clone();
        let copies = copies(&message, local, None).map_err(|error| refusal(&error))?;
        let expected = accepted(&message, failures.clone());
        let quota = quota(&self.config.im);
        let expires = message.expires;
        let (answer, events) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::begin(tx, key.as_ref(), &expected)? {
                    return Ok((earlier, Vec::new()));
                }
                let (mut events, full) = put_copies(tx, &copies, &quota)?;
                events.extend(put_said(tx, &shared, &said)?);
                if full.is_empty() {
                    return Ok((expected.clone(), events));
                }
                let anybody = events.len() + silenced > 0;
                let answer = answer(&message, failures.clone(), full, anybody);
                once::settle(tx, key.as_ref(), &answer)?;
                Ok((answer, events))
            })
            .await
            .map_err(|error| refusal(&error))?;
        let record = record.filter(|_| !events.is_empty());
        self.expiry.note(expires);
        let doubtful = self.judged_early(judged, &events);
        self.emit(events);
        self.recheck_mailboxes(doubtful).await;
        self.emit(record.and_then(|record| record.answered(&answer)));
        answer
    }

    async fn local_recipients(
        &self,
        sender: &MessageParty,
        recipients: Vec<MessageParty>,
        failures: &mut Failures,
    ) -> Result<Vec<(UserId, MessageParty)>, StoreError> {
        let mut users = Vec::new();
        for party in recipients {
            match party {
                MessageParty::User { ref user, .. } if self.directory.is_home(user) => {
                    if !users.iter().any(|(known, _)| known == user) {
                        users.push((user.clone(), party));
                    }
                }
                // Nothing is relayed to a third domain.
                MessageParty::User { user, .. } => {
                    failures.user(StatusCode::DOMAIN_NOT_SUPPORTED, user);
                }
                // They have been taken out.
                MessageParty::Group(_) | MessageParty::ScreenName { .. } => {}
            }
        }
        let users = self.whose(users, failures).await?.local;
        let mut local = Vec::with_capacity(users.len());
        for (user, party) in users {
            if self.directory.unusual(&user).mute {
                let named = as_addressed(user, &party);
                failures.user(StatusCode::RECIPIENT_UNAUTHORIZED, named);
            } else if self.takes_from(sender, &user, &party).await? {
                local.push((user, party));
            } else {
                failures.user(StatusCode::FORBIDDEN, as_addressed(user, &party));
            }
        }
        Ok(local)
    }

    /// Applications of other domains are not known here: their users come as such.
    async fn takes_from(
        &self,
        sender: &MessageParty,
        user: &UserId,
        party: &MessageParty,
    ) -> Result<bool, StoreError> {
        match sender {
            MessageParty::User { user: sender, .. } => {
                self.may_address(None, sender, user, party).await
            }
            _ => Ok(true),
        }
    }
}

/// Who of another domain has sent a message to users here, be it under a screen name.
fn initiator(requestor: &Requestor, sender: &MessageParty) -> Initiator {
    let through = match sender {
        MessageParty::User { .. } => None,
        MessageParty::Group(_) | MessageParty::ScreenName { .. } => Some(sender.clone()),
    };
    Initiator {
        user: requestor.user.clone(),
        application: None,
        through,
    }
}

/// A recipient's copy, ready to be stored.
#[derive(Clone)]
pub(crate) struct Copy {
    pub(crate) user: UserId,
    pub(crate) item: Arc<MailboxItem>,
    pub(crate) entry: MailboxEntry,
}

/// One for each recipient, addressed to him alone (csp-im 5.4).
pub(crate) fn copies(
    message: &Message,
    recipients: Vec<(UserId, MessageParty)>,
    origin: Option<&ClientId>,
) -> Result<Vec<Copy>, StoreError> {
    recipients
        .into_iter()
        .map(|(user, recipient)| {
            let item = MailboxItem::Message(Box::new(Message {
                recipient,
                ..message.clone()
            }));
            let entry = entry(&item, origin, &user)?;
            let item = Arc::new(item);
            Ok(Copy { user, item, entry })
        })
        .collect()
}

/// Stores the copies; the events to tell after the commit, and the users whose quota is
/// used up.
pub(crate) fn put_copies(
    tx: &mut Tx<'_>,
    copies: &[Copy],
    quota: &hamlet_store::Quota,
) -> Result<(Vec<Event>, Vec<UserId>), StoreError> {
    let mut events = Vec::with_capacity(copies.len());
    let mut full = Vec::new();
    for Copy { user, item, entry } in copies {
        match tx.put_mailbox(entry, quota)? {
            Put::Full => full.push(match &**item {
                MailboxItem::Message(message) => as_addressed(user.clone(), &message.recipient),
                MailboxItem::Report(_) => user.clone(),
            }),
            Put::Stored | Put::Duplicate => events.push(Event::Mailbox {
                user: user.clone(),
                item: item.clone(),
            }),
        }
    }
    Ok((events, full))
}

/// The answer when some mailboxes were full (507).
pub(crate) fn answer(
    message: &Message,
    mut failures: Failures,
    full: Vec<UserId>,
    anybody: bool,
) -> Answer {
    for user in full {
        failures.user(StatusCode::MESSAGE_QUEUE_FULL, user);
    }
    if anybody {
        accepted(message, failures)
    } else {
        Err(nobody(failures))
    }
}

/// csp-im 5.5.
pub(crate) fn check_size(config: &ImConfig, data: &str) -> Result<(), Refusal> {
    if data.len() > config.max_content {
        return Err(Refusal::because(
            StatusCode::BAD_PARAMETER,
            format!("The content is larger than {} octets", config.max_content),
        ));
    }
    Ok(())
}

pub(crate) fn too_many() -> Refusal {
    Refusal::because(StatusCode::BAD_PARAMETER, "Too many recipients")
}
