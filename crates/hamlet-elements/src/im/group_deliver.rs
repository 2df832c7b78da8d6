//! Messages through groups between domains: a sender elsewhere, and a group elsewhere
//! (csp-group 6; csp-im 5.3 item 10).

use crate::blocking::Initiator;
use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::MessageSender;
use crate::im::deliver::check_size;
use crate::im::group_message::GroupMessage;
use crate::im::group_send::{Through, fail};
use crate::im::group_trim::report_of;
use crate::im::group_types::DeliverGroupMessage;
use crate::im::report::{Posted, post_to, whispered_to};
use crate::im::rooms::Room;
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{Message, MessageParty, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, Tx};
use std::collections::HashSet;
use std::sync::Arc;

impl Inner {
    /// The groups of this domain that a user of another one sends to.
    pub(crate) async fn groups_for_domain(
        &self,
        requestor: &Requestor,
        message: &Message,
        mut parties: Vec<MessageParty>,
        users: &[(UserId, MessageParty)],
        failures: &mut Failures,
    ) -> Result<Through, Refusal> {
        parties.retain(|party| {
            let (MessageParty::Group(group) | MessageParty::ScreenName { group, .. }) = party
            else {
                return false;
            };
            // Nothing is relayed to a third domain.
            let is_home = group.domain_str() == self.config.domain.as_str();
            if !is_home {
                fail(failures, StatusCode::DOMAIN_NOT_SUPPORTED, party);
            }
            is_home
        });
        let claimed = match &message.sender {
            name @ MessageParty::ScreenName { group, .. }
                if group.domain_str() == self.config.domain.as_str() =>
            {
                Some(name.clone())
            }
            _ => None,
        };
        let recipients = Default::default();
        let sender = match claimed {
            Some(name) => {
                self.message_sender(Some(name), &recipients, requestor)
                    .await?
            }
            None => MessageSender {
                party: message.sender.clone(),
                announces: None,
            },
        };
        let through = self.resolve_groups(requestor, &sender, parties, users, failures);
        through.await.map_err(|error| refusal(&error))
    }

    /// A message in a group of another domain, for all users here who have joined it.
    pub(crate) async fn deliver_group_message(
        &self,
        request: DeliverGroupMessage,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        check_size(&self.config.im, &request.message.content.data)?;
        let done = || Ok(Response::Done(Outcome::default()));
        let message = self.foreign_group_message(request).await;
        let Some(message) = message.map_err(|error| refusal(&error))? else {
            // They have all left meanwhile.
            return done();
        };
        let expected = done();
        let (shared, silent) = (self.shared.clone(), self.config.im.silent_blocking);
        let write = self.store.write(move |tx| {
            if once::begin(tx, key.as_ref(), &expected)?.is_some() {
                return Ok(None);
            }
            // The last of them may have left since he was looked for; who whispered to him is told.
            if !message.is_private() && tx.count_group_joined(&message.group)? == 0 {
                return Ok(None);
            }
            if let Some(code) = refused(tx, &message)? {
                let told = code != StatusCode::BLOCKED || !silent;
                let report = report_of(&message, code).filter(|_| told);
                return Ok(match report {
                    Some((to, report)) => post_to(tx, &shared, &to, report)?.map(Posted::event),
                    None => None,
                });
            }
            let seq = tx.append_group_log(&message.entry(false)?)?;
            Ok(Some(Event::GroupMessage(Arc::new(GroupMessage {
                seq,
                ..message.clone()
            }))))
        });
        let event = write.await.map_err(|error| refusal(&error))?;
        self.emit(event);
        done()
    }

    async fn foreign_group_message(
        &self,
        request: DeliverGroupMessage,
    ) -> Result<Option<GroupMessage>, StoreError> {
        let DeliverGroupMessage {
            group,
            sender,
            sender_client,
            target,
            mut message,
        } = request;
        let now = Timestamp::now();
        message.expires = message.expires.min(now.plus(self.config.im.max_validity));
        let anybody = |room: &Arc<Room>| !room.joined.is_empty();
        let mut room = self.room(&group).await?.filter(anybody);
        if room.is_none() {
            // What is remembered may be from just before somebody came.
            self.rooms.forget(&group);
            room = self.room(&group).await?.filter(anybody);
        }
        if room.is_none() && target.is_empty() {
            return Ok(None);
        }
        let refusing = match (&message.sender, &room) {
            (MessageParty::Group(_), _) | (_, None) => HashSet::new(),
            (shown, Some(room)) => {
                let initiator = Initiator {
                    user: sender.clone(),
                    application: None,
                    through: Some(shown.clone()),
                };
                self.refusing(&initiator, &room.users).await?
            }
        };
        Ok(Some(GroupMessage {
            group,
            seq: 0,
            at: now,
            sender,
            sender_client,
            target,
            refusing,
            message,
        }))
    }
}

/// Why the target of a whisper does not get it: he has left (410), or does not want to hear from
/// its sender (532). The group's domain could not know that.
fn refused(tx: &mut Tx<'_>, message: &GroupMessage) -> Result<Option<StatusCode>, StoreError> {
    if !message.is_private() {
        return Ok(None);
    }
    Ok(match whispered_to(tx, &message.group, &message.target)? {
        None => Some(StatusCode::UNABLE_TO_DELIVER),
        Some(user) if message.refusing.contains(&user) => Some(StatusCode::BLOCKED),
        Some(_) => None,
    })
}
