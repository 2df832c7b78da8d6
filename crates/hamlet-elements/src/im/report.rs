//! Delivery reports (csp-im 8).

use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::im::group_send::fail;
use crate::im::mailbox::{entry, quota};
use crate::im::{Accepted, DeliverMessage, DeliveryReport, MailboxItem};
use crate::once;
use crate::outbox::Parcel;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{
    ClientId, Detail, GroupId, Message, MessageParty, Refusal, StatusCode, Timestamp, UserId,
};
use hamlet_store::{Put, StoreError, Tx};
use std::sync::Arc;
use std::time::Duration;

/// Life of a report that its receiver does not fetch.
const REPORT_LIFE: Duration = Duration::from_secs(7 * 86_400);

impl DeliveryReport {
    /// The report of `code` about a message to its recipient.
    pub(crate) fn about(
        message: &Message,
        code: StatusCode,
        now: Timestamp,
        origin: Option<ClientId>,
    ) -> Self {
        Self {
            message_id: message.id.clone(),
            code,
            delivered: (code == StatusCode::OK).then_some(now),
            sender: message.sender.clone(),
            origin,
            recipient: message.recipient.clone(),
            content_type: message.content.content_type.clone(),
            content_size: message.content_size(),
            sent: message.sent,
            expires: now.plus(REPORT_LIFE),
        }
    }

    /// The user that gets it.
    fn receiver(&self) -> Option<&UserId> {
        match &self.sender {
            MessageParty::User { user, .. } => Some(user),
            MessageParty::Group(_) | MessageParty::ScreenName { .. } => None,
        }
    }
}

/// Where a report went.
pub(crate) enum Posted {
    /// Into the mailbox of a user.
    Here(UserId, Arc<MailboxItem>),
    /// On its way to another domain.
    Elsewhere,
}

impl Posted {
    pub(crate) fn event(self) -> Event {
        match self {
            Self::Here(user, item) => Event::Mailbox { user, item },
            Self::Elsewhere => Event::Outbox,
        }
    }
}

/// Puts a report on its way inside the transaction that causes it.
pub(crate) fn post(
    tx: &mut Tx<'_>,
    shared: &Shared,
    report: DeliveryReport,
) -> Result<Option<Posted>, StoreError> {
    match report.receiver().cloned() {
        Some(receiver) => post_to(tx, shared, &receiver, report),
        None => Ok(None),
    }
}

/// As [`post`], to the user whom only this domain knows by the name that he sends under.
pub(crate) fn post_to(
    tx: &mut Tx<'_>,
    shared: &Shared,
    receiver: &UserId,
    mut report: DeliveryReport,
) -> Result<Option<Posted>, StoreError> {
    if receiver.domain_str() == shared.domain.as_str() {
        let item = MailboxItem::Report(Box::new(report));
        let put = tx.put_mailbox(&entry(&item, None, receiver)?, &quota(&shared.im))?;
        return Ok((put == Put::Stored).then(|| Posted::Here(receiver.clone(), Arc::new(item))));
    }
    let (requestor, destination) = match &report.recipient {
        MessageParty::User { user, .. } => (user.clone(), receiver.domain()),
        MessageParty::Group(group) | MessageParty::ScreenName { group, .. }
            if group.domain_str() == shared.domain.as_str() =>
        {
            (group.speaker(), receiver.domain())
        }
        // The group's domain knows the sender of a whisper by his name (csp-group 6 item 8).
        MessageParty::ScreenName { name, group } => {
            let target = whispered_to(tx, group, name)?;
            let of_domain = || UserId::parse(group.name(), &shared.domain).ok();
            match target.or_else(of_domain) {
                Some(user) => (user, group.domain()),
                None => return Ok(None),
            }
        }
        MessageParty::Group(_) => return Ok(None),
    };
    if report.receiver() != Some(receiver) {
        report.sender = MessageParty::user(receiver.clone());
    }
    let expires = report.expires;
    let request = Request::DeliveryReport(Box::new(report));
    tx.put_outbox(&Parcel::request(requestor, request).entry(destination, expires)?)?;
    Ok(Some(Posted::Elsewhere))
}

/// The user of this domain who has joined a group of another one under this name.
pub(crate) fn whispered_to(
    tx: &mut Tx<'_>,
    group: &GroupId,
    name: &str,
) -> Result<Option<UserId>, StoreError> {
    let key = name.trim().to_lowercase();
    let mut joined = tx.group_joined(group)?.into_iter();
    let found = joined.find(|joined| joined.name.key() == key);
    Ok(found.map(|joined| joined.user))
}

impl Inner {
    /// A report from the domain of the recipient, for a sender here; or about a whisper in a
    /// group of this domain, whose sender may be of a third one.
    pub(crate) async fn take_report(
        &self,
        requestor: &UserId,
        report: DeliveryReport,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let Some(receiver) = report.receiver().cloned() else {
            return Err(StatusCode::ADDRESS_ERROR.into());
        };
        let is_ours = match &report.recipient {
            MessageParty::ScreenName { name, group }
                if group.domain_str() == self.config.domain.as_str() =>
            {
                self.check_whispered_to(requestor, name, group).await?;
                true
            }
            _ => false,
        };
        if !self.directory.is_home(&receiver) {
            return match is_ours {
                true => self.post_once(receiver, report, key).await,
                false => Err(StatusCode::DOMAIN_NOT_SUPPORTED.into()),
            };
        }
        let unknown = self
            .directory
            .unknown(std::slice::from_ref(&receiver))
            .await;
        if !unknown.map_err(|error| refusal(&error))?.is_empty() {
            return Err(StatusCode::UNKNOWN_USER.into());
        }
        self.post_once(receiver, report, key).await
    }

    /// Whether a domain may report for whoever has this name in a group here: one of its own
    /// users has it, or had it until he left.
    async fn check_whispered_to(
        &self,
        requestor: &UserId,
        name: &str,
        group: &GroupId,
    ) -> Result<(), Refusal> {
        let room = self.room(group).await.map_err(|error| refusal(&error))?;
        let room = room.ok_or(StatusCode::NO_SUCH_GROUP)?;
        let is_own = |user: &UserId| user.domain_str() == requestor.domain_str();
        match room.named(name) {
            Some(joined) if !is_own(&joined.user) => Err(StatusCode::ADDRESS_ERROR.into()),
            _ => Ok(()),
        }
    }

    async fn post_once(
        &self,
        receiver: UserId,
        report: DeliveryReport,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let latest = Timestamp::now().plus(REPORT_LIFE);
        let report = DeliveryReport {
            expires: report.expires.min(latest),
            ..report
        };
        let shared = self.shared.clone();
        let done = Ok(Response::Done(Outcome::default()));
        let posted = self
            .store
            .write(move |tx| {
                if once::begin(tx, key.as_ref(), &done)?.is_some() {
                    return Ok(None);
                }
                post_to(tx, &shared, &receiver, report.clone())
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.emit(posted.map(Posted::event));
        Ok(Response::Done(Outcome::default()))
    }
}

/// What another domain's answer to DeliverMessage says about each of the recipients that it
/// was asked for.
pub(crate) fn failures_elsewhere(recipients: &[MessageParty], answer: &Answer) -> Vec<Detail> {
    let refusal = match answer {
        Ok(Response::Message(Accepted { outcome, .. })) => return outcome.details.clone(),
        Ok(_) => return Vec::new(),
        Err(refusal) => refusal,
    };
    let mut failures = Failures::new();
    let code = match refusal.code {
        StatusCode::PARTIAL_SUCCESS | StatusCode::MULTIPLE_ERRORS => StatusCode::UNABLE_TO_DELIVER,
        code => code,
    };
    for party in recipients {
        if !refusal.details.iter().any(|detail| names(detail, party)) {
            fail(&mut failures, code, party);
        }
    }
    failures.merge(refusal.details.clone());
    failures.into_details()
}

/// Whether a detail is about this recipient.
pub(crate) fn names(detail: &Detail, party: &MessageParty) -> bool {
    match party {
        MessageParty::User { user, .. } => detail.users.contains(user),
        MessageParty::Group(group) => detail.groups.contains(group),
        MessageParty::ScreenName { name, group } => detail
            .screen_names
            .iter()
            .any(|given| given.name == *name && given.group == group.as_str()),
    }
}

/// Reports failures that another domain tells when the sender does not wait any more
/// (csp-im 5.3 item 10).
pub(crate) fn report_late_failures(
    tx: &mut Tx<'_>,
    shared: &Shared,
    deliver: &DeliverMessage,
    answer: &Answer,
) -> Result<Vec<Event>, StoreError> {
    if !deliver.message.report {
        return Ok(Vec::new());
    }
    let details = failures_elsewhere(&deliver.recipients, answer);
    let mut events = Vec::new();
    for party in &deliver.recipients {
        let Some(detail) = details.iter().find(|detail| names(detail, party)) else {
            continue;
        };
        let message = Message {
            recipient: party.clone(),
            ..deliver.message.clone()
        };
        let report = DeliveryReport::about(&message, detail.code, Timestamp::now(), None);
        events.extend(post(tx, shared, report)?.map(Posted::event));
    }
    Ok(events)
}

/// The whole-request refusal for a message that nobody gets (csp-im 5.3 item 9).
pub(crate) fn nobody(failures: Failures) -> Refusal {
    let code = failures.overall(false);
    Refusal {
        code,
        description: code.description().to_owned(),
        details: failures.into_details(),
    }
}

/// The answer for a message that somebody gets.
pub(crate) fn accepted(message: &Message, failures: Failures) -> Answer {
    Ok(Response::Message(Accepted {
        message_id: message.id.clone(),
        outcome: Outcome {
            details: failures.into_details(),
        },
    }))
}
