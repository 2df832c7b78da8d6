//! What becomes of what was said in groups: read, expired, or history (csp-group 6 items 7
//! and 10; csp-im 7.4).

use crate::content::unlink_said;
use crate::elements::{Inner, Shared};
use crate::im::DeliveryReport;
use crate::im::EXPIRE_BATCH;
use crate::im::deliver::check_size;
use crate::im::group_message::GroupMessage;
use crate::im::report::{Posted, post_to};
use crate::service::Event;
use hamlet_model::{
    Content, GroupId, Message, MessageId, MessageParty, Refusal, StatusCode, Timestamp, UserId,
};
use hamlet_store::{LogPolicy, StoreError, Tx};
use std::time::Duration;

/// What is kept of what is said in groups.
#[derive(Debug, Clone)]
pub struct GroupTalkConfig {
    /// Most messages of a group that wait for joined sessions which do not fetch them.
    pub max_waiting: u32,
    /// Most messages of a group's history (1.3).
    pub history_messages: u32,
    /// For how long a message is history.
    pub history_age: Duration,
}

impl Default for GroupTalkConfig {
    fn default() -> Self {
        Self {
            max_waiting: 5000,
            history_messages: 100,
            history_age: Duration::from_secs(86_400),
        }
    }
}

impl Inner {
    /// Removes a whisper, telling its sender what became of it.
    pub(crate) async fn conclude_whisper(
        &self,
        message: &GroupMessage,
        code: StatusCode,
    ) -> Result<bool, StoreError> {
        let (message, shared) = (message.clone(), self.shared.clone());
        let write = self
            .store
            .write(move |tx| take_whisper(tx, &shared, &message, code));
        let concluded = write.await?;
        let was_there = concluded.is_some();
        self.emit(concluded.flatten());
        Ok(was_there)
    }

    /// Removes what has expired; senders of whispers are told. How many went.
    pub(crate) async fn expire_group_logs(&self, now: Timestamp) -> Result<usize, StoreError> {
        let shared = self.shared.clone();
        let write = self.store.write(move |tx| {
            let expired = tx.take_expired_group_log(now, EXPIRE_BATCH)?;
            let count = expired.len();
            let mut events = Vec::new();
            for entry in expired.into_iter().filter(|entry| !entry.target.is_empty()) {
                let message = GroupMessage::of(entry);
                let report = message.and_then(|m| report_of(&m, StatusCode::MESSAGE_EXPIRED));
                if let Some((to, report)) = report {
                    events.extend(post_to(tx, &shared, &to, report)?.map(Posted::event));
                }
            }
            Ok((count, events))
        });
        let (count, events) = write.await?;
        self.emit(events);
        Ok(count)
    }

    /// Removes what everybody has and is no history any more.
    pub(crate) async fn trim_group_logs(&self, now: Timestamp) -> Result<(), StoreError> {
        let config = &self.config.group_talk;
        let groups = match self.rooms.logs() {
            Some(groups) => groups,
            None => {
                // What is said from now on is noted, and what was before is read.
                self.rooms.look_after(Vec::new());
                let groups = self.store.read(|tx| tx.groups_with_log()).await?;
                self.rooms.look_after(groups.clone());
                groups
            }
        };
        for group in groups {
            // Before it is looked at: what is said meanwhile counts.
            self.rooms.is_silent(&group);
            let trimmed = group.clone();
            let policy = LogPolicy {
                waiting: config.max_waiting,
                history: config.history_messages,
                history_since: now.minus(config.history_age),
            };
            let write = self.store.write(move |tx| {
                tx.trim_group_log(&group, &policy)?;
                tx.has_group_log(&group)
            });
            if write.await? {
                self.rooms.has_said(&trimmed);
            }
        }
        Ok(())
    }

    /// An announcement of the operator.
    pub(crate) async fn announce_in_group(
        &self,
        group: &GroupId,
        content: Content,
    ) -> Result<MessageId, Refusal> {
        check_size(&self.config.im, &content.data)?;
        let id = self.message_ids.next(&self.store).await;
        let id = id.map_err(|error| crate::failure::refusal(&error))?;
        let now = Timestamp::now();
        let message = Message {
            id: id.clone(),
            sender: MessageParty::Group(group.clone()),
            sender_name: None,
            recipient: MessageParty::Group(group.clone()),
            content,
            content_name: None,
            uri: None,
            elsewhere: None,
            sent: now,
            expires: now.plus(self.config.im.default_validity),
            font: None,
            extensions: Vec::new(),
            transaction_extensions: Vec::new(),
            report: false,
        };
        self.speak_in_group(group, message).await?;
        Ok(id)
    }
}

/// Removes a whisper: what its sender is told, if he wanted to know; `None` when it was gone.
pub(crate) fn take_whisper(
    tx: &mut Tx<'_>,
    shared: &Shared,
    message: &GroupMessage,
    code: StatusCode,
) -> Result<Option<Option<Event>>, StoreError> {
    if !tx.remove_group_log(&message.group, message.seq)? {
        return Ok(None);
    }
    if code != StatusCode::OK {
        unlink_said(tx, shared, message)?;
    }
    let posted = match report_of(message, code) {
        Some((to, report)) => post_to(tx, shared, &to, report)?,
        None => None,
    };
    Ok(Some(posted.map(Posted::event)))
}

/// What the sender of a whisper is told, if he wanted to know.
pub(crate) fn report_of(
    message: &GroupMessage,
    code: StatusCode,
) -> Option<(UserId, DeliveryReport)> {
    let wanted = message.is_private() && message.message.report;
    wanted.then(|| {
        let client = message.sender_client.clone();
        let report = DeliveryReport::about(&message.message, code, Timestamp::now(), client);
        (message.sender.clone(), report)
    })
}
