//! SendMessage to groups and to screen names in them (csp-group 6; csp-im 5.3 item 5, 5.4).

use crate::blocking::Initiator;
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::im::group_message::GroupMessage;
use crate::im::group_types::DeliverGroupMessage;
use crate::im::report::post_to;
use crate::im::rooms::Room;
use crate::im::{DeliveryReport, MessageSender};
use crate::outbox::Parcel;
use crate::service::{Event, Request, Requestor};
use hamlet_model::refusal::{Failures, GivenScreenName};
use hamlet_model::{
    ClientId, Domain, GroupId, Message, MessageParty, Refusal, StatusCode, Timestamp, UserId,
};
use hamlet_store::{NewOutboxEntry, StoreError, StoredJoined, Tx};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Groups of this domain that a message goes into, and those of others.
#[derive(Default)]
pub(crate) struct Through {
    pub(crate) here: Vec<Target>,
    pub(crate) foreign: BTreeMap<Domain, Vec<MessageParty>>,
    /// Whispers that are refused without a word (csp-im 11.4).
    pub(crate) silenced: usize,
}

/// One group, or one name in it.
pub(crate) struct Target {
    room: Arc<Room>,
    group: GroupId,
    /// The sender as the others in the group know him.
    shown: MessageParty,
    /// For one alone.
    only: Option<StoredJoined>,
    refusing: HashSet<UserId>,
}

impl Target {
    /// As the recipients read it (csp-im 5.4).
    pub(crate) fn party(&self) -> MessageParty {
        match &self.only {
            None => MessageParty::Group(self.group.clone()),
            Some(only) => MessageParty::ScreenName {
                name: only.name.to_string(),
                group: self.group.clone(),
            },
        }
    }
}

/// A message for a group, ready to be stored.
#[derive(Clone)]
pub(crate) struct Said {
    message: GroupMessage,
    history: bool,
    /// Somebody here gets it.
    here: bool,
    /// For those who have joined from other domains, one for each domain.
    parcels: Vec<NewOutboxEntry>,
    /// "It has reached the group", and for whom.
    report: Option<(UserId, DeliveryReport)>,
}

/// Takes groups and screen names out of the recipients.
pub(crate) fn take_groups(parties: &mut Vec<MessageParty>) -> Vec<MessageParty> {
    let is_user = |party: &MessageParty| matches!(party, MessageParty::User { .. });
    let (users, mut groups): (Vec<_>, Vec<_>) = parties.drain(..).partition(is_user);
    *parties = users;
    let mut seen = Vec::new();
    groups.retain(|party| {
        let is_new = !seen.contains(party);
        if is_new {
            seen.push(party.clone());
        }
        is_new
    });
    groups
}

/// Notes that a recipient failed.
pub(crate) fn fail(failures: &mut Failures, code: StatusCode, party: &MessageParty) {
    let block = failures.block(code);
    match party {
        MessageParty::User { user, .. } => block.users.push(user.clone()),
        MessageParty::Group(group) => block.groups.push(group.clone()),
        MessageParty::ScreenName { name, group } => block.screen_names.push(GivenScreenName {
            name: name.clone(),
            group: group.to_string(),
        }),
    }
}

impl Inner {
    /// What is reached through `parties`, which are groups and screen names; who is reached
    /// as a user already (`users`) gets no whisper as well.
    pub(crate) async fn resolve_groups(
        &self,
        requestor: &Requestor,
        sender: &MessageSender,
        parties: Vec<MessageParty>,
        users: &[(UserId, MessageParty)],
        failures: &mut Failures,
    ) -> Result<Through, StoreError> {
        let mut through = Through::default();
        for party in parties {
            let (MessageParty::Group(group) | MessageParty::ScreenName { group, .. }) = &party
            else {
                continue;
            };
            if group.domain_str() != self.config.domain.as_str() {
                let announces = sender.announces.as_ref() == Some(group);
                match () {
                    () if !self.relay.reaches(group.domain_str()) => {
                        fail(failures, StatusCode::DOMAIN_NOT_SUPPORTED, &party);
                    }
                    () if !announces && self.is_joined_with_another(requestor, group).await? => {
                        fail(failures, StatusCode::NOT_JOINED, &party);
                    }
                    () => {
                        let of_domain = through.foreign.entry(group.domain()).or_default();
                        of_domain.push(party);
                    }
                }
                continue;
            }
            match self.target(requestor, sender, group, &party).await? {
                Err(StatusCode::BLOCKED) if self.config.im.silent_blocking => {
                    through.silenced += 1;
                }
                Err(code) => fail(failures, code, &party),
                Ok(target) => {
                    let only = target.only.as_ref();
                    let reached =
                        |only: &StoredJoined| users.iter().any(|(user, _)| *user == only.user);
                    if !only.is_some_and(reached) {
                        through.here.push(target);
                    }
                }
            }
        }
        Ok(through)
    }

    /// Whether other clients of a user are joined in a group elsewhere, and the one that asks
    /// is not: that domain knows the user alone.
    async fn is_joined_with_another(
        &self,
        requestor: &Requestor,
        group: &GroupId,
    ) -> Result<bool, StoreError> {
        let room = self.room(group).await?;
        Ok(requestor.session.is_some()
            && room.is_some_and(|room| {
                room.users.contains(&requestor.user) && room.of(requestor).is_none()
            }))
    }

    /// The checks of csp-im 5.3 item 5 for one of them.
    async fn target(
        &self,
        requestor: &Requestor,
        sender: &MessageSender,
        group: &GroupId,
        party: &MessageParty,
    ) -> Result<Result<Target, StatusCode>, StoreError> {
        let Some(room) = self.room(group).await? else {
            return Ok(Err(StatusCode::NO_SUCH_GROUP));
        };
        let announces = sender.announces.as_ref() == Some(group);
        let shown = match room.of(requestor) {
            _ if announces => MessageParty::Group(group.clone()),
            None => return Ok(Err(StatusCode::NOT_JOINED)),
            Some(joined) => MessageParty::ScreenName {
                name: joined.name.to_string(),
                group: group.clone(),
            },
        };
        let only = match party {
            MessageParty::ScreenName { name, .. } => {
                let me = room.of(requestor);
                match self.whispers_to(&room, group, name, me).await? {
                    Ok(only) => Some(only),
                    Err(code) => return Ok(Err(code)),
                }
            }
            _ => None,
        };
        let asked = match &only {
            Some(only) if self.directory.is_home(&only.user) => std::slice::from_ref(&only.user),
            Some(_) => &[],
            None => room.users.as_slice(),
        };
        let refusing = match announces {
            // csp-group 6 item 11: whatever their block lists say.
            true => HashSet::new(),
            false => {
                let initiator = Initiator {
                    user: requestor.user.clone(),
                    application: requestor.application.clone(),
                    through: Some(shown.clone()),
                };
                self.refusing(&initiator, asked).await?
            }
        };
        if only
            .as_ref()
            .is_some_and(|only| refusing.contains(&only.user))
        {
            return Ok(Err(StatusCode::BLOCKED));
        }
        Ok(Ok(Target {
            room,
            group: group.clone(),
            shown,
            only,
            refusing,
        }))
    }

    /// Who has the name, if he and the group take private messages (csp-group 6 item 8).
    async fn whispers_to(
        &self,
        room: &Room,
        group: &GroupId,
        name: &str,
        sender: Option<&StoredJoined>,
    ) -> Result<Result<StoredJoined, StatusCode>, StoreError> {
        let target = room.named(name).filter(|target| {
            // Nothing comes back to the client that sends it.
            sender.is_none_or(|sender| target.name != sender.name)
        });
        let Some(target) = target else {
            return Ok(Err(StatusCode::UNABLE_TO_DELIVER));
        };
        let allowed = |stored: &hamlet_store::StoredGroup| stored.properties.private_messaging;
        if !room.group.as_ref().is_some_and(allowed) {
            return Ok(Err(StatusCode::NO_PRIVATE_MESSAGES));
        }
        let (asked, user) = (group.clone(), target.user.clone());
        let read = self.store.read(move |tx| tx.group_member(&asked, &user));
        // Who has set nothing takes them.
        if read
            .await?
            .is_some_and(|member| !member.own.private_messaging)
        {
            return Ok(Err(StatusCode::USER_TAKES_NO_PRIVATE_MESSAGES));
        }
        Ok(Ok(target.clone()))
    }

    /// The message for each of the groups. `reports`: where a report of the sender's goes.
    pub(crate) fn said(
        &self,
        message: &Message,
        sender: (&UserId, Option<&ClientId>),
        origin: &MessageParty,
        targets: Vec<Target>,
    ) -> Result<Vec<Said>, StoreError> {
        let said = |target: Target| {
            let party = target.party();
            let of_domains: Vec<Domain> = match &target.only {
                None => target.room.domains.iter().cloned().collect(),
                Some(only) if self.directory.is_home(&only.user) => Vec::new(),
                Some(only) => vec![only.user.domain()],
            };
            let is_private = target.only.is_some();
            let here = match is_private {
                true => of_domains.is_empty(),
                false => true,
            };
            let report = (message.report && !is_private).then(|| {
                let about = Message {
                    sender: origin.clone(),
                    recipient: party.clone(),
                    ..message.clone()
                };
                let client = sender.1.cloned();
                let report =
                    DeliveryReport::about(&about, StatusCode::OK, Timestamp::now(), client);
                (sender.0.clone(), report)
            });
            let properties = target.room.group.as_ref().map(|group| &group.properties);
            let message = GroupMessage {
                group: target.group.clone(),
                seq: 0,
                at: Timestamp::now(),
                sender: sender.0.clone(),
                sender_client: sender.1.cloned(),
                target: target
                    .only
                    .as_ref()
                    .map_or_else(String::new, |only| only.name.key()),
                refusing: target.refusing,
                message: Message {
                    sender: target.shown,
                    sender_name: None,
                    recipient: party,
                    // Of a message to all the group reports, and nobody else.
                    report: message.report && is_private,
                    ..message.clone()
                },
            };
            let speaker = target.group.speaker();
            let parcels = of_domains.into_iter().map(|domain| {
                let request = Request::DeliverGroupMessage(Box::new(DeliverGroupMessage {
                    group: message.group.clone(),
                    sender: message.sender.clone(),
                    sender_client: message.sender_client.clone(),
                    target: message.target.clone(),
                    message: message.message.clone(),
                }));
                let parcel = Parcel::request(speaker.clone(), request);
                parcel.entry(domain, message.message.expires)
            });
            Ok(Said {
                parcels: parcels.collect::<Result<_, StoreError>>()?,
                history: properties.is_some_and(|properties| properties.history),
                message,
                here,
                report,
            })
        };
        targets.into_iter().map(said).collect()
    }

    /// Sends to a group in its own name (csp-group 6 item 11): 800 without such a group here.
    pub(crate) async fn speak_in_group(
        &self,
        group: &GroupId,
        announcement: Message,
    ) -> Result<(), Refusal> {
        let room = self.room(group).await.map_err(|error| refusal(&error))?;
        let here = |room: &Arc<Room>| room.group.is_some();
        let Some(room) = room.filter(here) else {
            return Err(StatusCode::NO_SUCH_GROUP.into());
        };
        let shown = MessageParty::Group(group.clone());
        let target = Target {
            room,
            group: group.clone(),
            shown: shown.clone(),
            only: None,
            refusing: HashSet::new(),
        };
        let speaker = group.speaker();
        let said = self.said(&announcement, (&speaker, None), &shown, vec![target]);
        let said = said.map_err(|error| refusal(&error))?;
        let shared = self.shared.clone();
        let write = self.store.write(move |tx| put_said(tx, &shared, &said));
        let events = write.await.map_err(|error| refusal(&error))?;
        self.emit(events);
        Ok(())
    }
}

/// Appends to the logs, in the transaction of the sender's answer; the events to tell after
/// the commit.
pub(crate) fn put_said(
    tx: &mut Tx<'_>,
    shared: &Shared,
    all: &[Said],
) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    for said in all {
        if said.here {
            let entry = said.message.entry(said.history)?;
            let message = GroupMessage {
                seq: tx.append_group_log(&entry)?,
                ..said.message.clone()
            };
            events.push(Event::GroupMessage(Arc::new(message)));
        }
        for parcel in &said.parcels {
            tx.put_outbox(parcel)?;
        }
        if !said.parcels.is_empty() {
            events.push(Event::Outbox);
        }
        if let Some((receiver, report)) = &said.report {
            let posted = post_to(tx, shared, receiver, report.clone())?;
            events.extend(posted.map(super::report::Posted::event));
        }
    }
    Ok(events)
}
