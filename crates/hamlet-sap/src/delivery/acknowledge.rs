//! What clients answer to server transactions (csp-access 2.4, csp-im 6).

use crate::Sap;
use crate::delivery::group_out::me;
use crate::delivery::outbound::{Reaction, What, reaction};
use crate::delivery::pushes::Waiting;
use crate::mapping::{Facts, system_message};
use crate::session::Session;
use hamlet_csp::elements::Primitive;
use hamlet_elements::im::Acknowledged;
use hamlet_model::{MessageId, Refusal, StatusCode, Timestamp};

impl Sap {
    /// A Response of the client; what it closes is closed durably when this returns, be it by
    /// the same Response that came before over another connection. Whether there is an answer
    /// to it: only to the MessageDelivered of a message that the client has pulled, which should
    /// have been a Request (csp-im 7.2).
    pub(crate) async fn react(
        &self,
        session: &Session,
        id: Option<&str>,
        primitive: &Primitive,
        now: Timestamp,
    ) -> bool {
        let under_way = session.settling.begin();
        let open = id.and_then(|id| session.outbound.lock().answered(id));
        if let Some(what) = open {
            self.reaction(session, what, primitive, now).await;
            return false;
        }
        drop(under_way);
        // The transaction is forgotten, by time or by a restart; the message is not (csp-im 6
        // rule 1).
        let Some(message) = delivered(primitive) else {
            session.settling.settled().await;
            return false;
        };
        let mailbox = &session.user.mailbox;
        let pulled = mailbox.lock().is_pulled(message, &session.id) || {
            let mut groups = session.groups.lock();
            // What is not in memory may have been listed and fetched from the store.
            groups.is_notified(message, &me(session, now)) || !groups.knows_all()
        };
        if pulled {
            let known = Box::pin(self.acknowledge_by_name(session, message, now)).await;
            return known.is_ok_and(|known| known);
        }
        // One that comes again is answered again.
        !self.acknowledge_waiting(session, message, now).await
            && Box::pin(self.has_acknowledged(session, message)).await
    }

    /// A Status in mode Request closes the oldest transaction (csp-access 2.4).
    pub(crate) async fn react_to_status(
        &self,
        session: &Session,
        primitive: &Primitive,
        now: Timestamp,
    ) {
        let under_way = session.settling.begin();
        let open = session.outbound.lock().answered_oldest();
        if let Some(what) = open {
            return self.reaction(session, what, primitive, now).await;
        }
        drop(under_way);
        session.settling.settled().await;
    }

    /// MessageDelivered in mode Request: whether the message was waiting, or the user has
    /// acknowledged it before (csp-im 7.2).
    pub(crate) async fn deliver_by_request(
        &self,
        session: &Session,
        message: &str,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let under_way = session.settling.begin();
        let push = session.outbound.lock().answered_push(message);
        if let Some(What::Push(waiting)) = push {
            self.push_reaction(session, waiting, Reaction::Acknowledged)
                .await;
            return Ok(true);
        }
        drop(under_way);
        session.outbound.lock().answered_message(message);
        self.acknowledge_by_name(session, message, now).await
    }

    /// The same, once no transaction is open. The record that this makes has the answer ready
    /// when the client did not get it.
    async fn acknowledge_by_name(
        &self,
        session: &Session,
        message: &str,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        self.warm(&session.user).await;
        let under_way = session.settling.begin();
        let view = session.view(true);
        let waits = {
            let mailbox = session.user.mailbox.lock();
            if mailbox.is_cold() {
                // It could not be read.
                return Err(StatusCode::SERVICE_UNAVAILABLE.into());
            }
            mailbox.concerns(message, &view)
        };
        if !waits {
            drop(under_way);
            session.settling.settled().await;
        }
        let had = session.user.mailbox.lock().was_acknowledged(message);
        let settings = session.settings();
        let owed = waits.then(|| {
            self.with_asker(session, &settings, now, |asker, mailbox| {
                mailbox.acknowledged(message, asker)
            })
        });
        let id = MessageId::new(message);
        let acknowledged = self
            .elements
            .acknowledge_by_name(session.requestor(), id, owed);
        let acknowledged = match acknowledged.await {
            Ok(acknowledged) => acknowledged,
            Err(error) => {
                session.user.mailbox.lock().reload();
                return Err(self.store_failed("mailbox", &error));
            }
        };
        if acknowledged == Acknowledged::Now {
            self.metrics.delivered.inc();
            session.tally.received();
        }
        let of_group = self.done_in_groups(session, message, now).await;
        Ok(acknowledged != Acknowledged::Unknown || waits || had || of_group)
    }

    async fn has_acknowledged(&self, session: &Session, message: &str) -> bool {
        let id = MessageId::new(message);
        let has = self.elements.has_acknowledged(&session.id, &id).await;
        has.unwrap_or_else(|error| {
            self.store_failed("mailbox", &error);
            false
        })
    }

    /// A decision has come under the identifier of a server transaction, which it closes;
    /// whether that was open.
    pub(crate) async fn acknowledge_question(&self, session: &Session, id: &str) -> bool {
        let open = session.outbound.lock().answered(id);
        match open {
            Some(What::Push(waiting)) => {
                self.push_reaction(session, waiting, Reaction::Acknowledged)
                    .await;
                true
            }
            Some(_) => true,
            None => false,
        }
    }

    /// A poll of a client that never answers acknowledges everything (clients GEN-29).
    pub(crate) async fn acknowledge_by_poll(&self, session: &Session, now: Timestamp) {
        let all = session.outbound.lock().take_implicit();
        if !all.is_empty() {
            Box::pin(self.acknowledge_all(session, all, now)).await;
        }
    }

    async fn acknowledge_all(&self, session: &Session, all: Vec<What>, now: Timestamp) {
        for what in all {
            match what {
                What::Message(entry) | What::Report(entry) => {
                    self.acknowledge_entry(session, &entry, now).await;
                }
                What::Notification(entry) => self.notified(session, &entry, now),
                What::Push(waiting) => {
                    self.push_reaction(session, waiting, Reaction::Acknowledged)
                        .await;
                }
                What::Group(given) => {
                    let verdict = Reaction::Acknowledged;
                    self.group_reaction(session, given, verdict, false, now)
                        .await;
                }
                What::Presence(_) => {}
            }
        }
    }

    async fn reaction(&self, session: &Session, what: What, primitive: &Primitive, now: Timestamp) {
        let mut verdict = reaction(&what, primitive.tag(), status_code(primitive));
        if let (What::Message(entry), Some(message)) = (&what, delivered(primitive))
            && entry != message
        {
            verdict = Reaction::Wrong;
        }
        if let What::Group(given) = what {
            let named = delivered(primitive);
            if named.is_some_and(|named| named != given.message.message.id.as_str()) {
                verdict = Reaction::Wrong;
            }
            let reaction = self.group_reaction(session, given, verdict, named.is_some(), now);
            return Box::pin(reaction).await;
        }
        let entry = match what {
            What::Message(entry) | What::Report(entry) => entry,
            What::Notification(entry) => {
                return self.notification_reaction(session, &entry, verdict, now);
            }
            What::Push(waiting) => {
                return Box::pin(self.push_reaction(session, waiting, verdict)).await;
            }
            What::Presence(_) | What::Group(_) => return,
        };
        match verdict {
            Reaction::Acknowledged => self.acknowledge_entry(session, &entry, now).await,
            Reaction::Failed(code) => {
                tracing::info!(
                    session = session.id.short(),
                    code = code.0,
                    "a client refused a delivery"
                );
                // Else the mailbox has it marked as sent: it is repeated in time.
                if is_for_good(code) {
                    let settings = session.settings();
                    self.unfit(session, &settings, &entry, Some(code), now);
                }
            }
            Reaction::Wrong => session.user.mailbox.lock().missed(&entry, &session.id),
        }
    }

    /// What becomes of a message of which the client was told.
    fn notification_reaction(
        &self,
        session: &Session,
        entry: &str,
        verdict: Reaction,
        now: Timestamp,
    ) {
        match verdict {
            Reaction::Acknowledged => self.notified(session, entry, now),
            Reaction::Failed(
                code @ (StatusCode::SERVICE_NOT_SUPPORTED
                | StatusCode::NOT_IMPLEMENTED
                | StatusCode::SERVICE_NOT_AGREED),
            ) => {
                // csp-im 3.2 item 6: it is pushed what it can take.
                let short = session.id.short();
                tracing::info!(
                    session = short,
                    code = code.0,
                    "a client knows no notification"
                );
                session.outbound.lock().notice_answered(false);
                session.user.mailbox.lock().missed(entry, &session.id);
            }
            Reaction::Failed(code) => {
                let short = session.id.short();
                tracing::info!(
                    session = short,
                    code = code.0,
                    "a client refused a notification"
                );
            }
            Reaction::Wrong => session.user.mailbox.lock().missed(entry, &session.id),
        }
    }

    /// The client knows that a message waits for it.
    fn notified(&self, session: &Session, entry: &str, now: Timestamp) {
        session.outbound.lock().notice_answered(true);
        let settings = session.settings();
        self.with_asker(session, &settings, now, |asker, mailbox| {
            mailbox.told(entry, asker);
        });
    }

    /// What becomes of a push. One that a client does not understand is not sent to it again,
    /// but waits for another client if it is worth that.
    async fn push_reaction(&self, session: &Session, waiting: Waiting, verdict: Reaction) {
        let Waiting { push, .. } = &waiting;
        let (is_done, whole) = match verdict {
            Reaction::Acknowledged => (true, self.knows_system_messages(session)),
            Reaction::Wrong => {
                session.outbound.lock().pushes.put_back(waiting);
                return;
            }
            Reaction::Failed(
                code @ (StatusCode::SERVICE_NOT_SUPPORTED
                | StatusCode::NOT_IMPLEMENTED
                | StatusCode::SERVICE_NOT_AGREED),
            ) => {
                let session = session.id.short();
                tracing::info!(session, code = code.0, "a client does not know a request");
                (push.is_done_when_unknown(), false)
            }
            Reaction::Failed(code) => {
                let short = session.id.short();
                tracing::info!(session = short, code = code.0, "a client refused a request");
                session.outbound.lock().pushes.put_back(waiting);
                return;
            }
        };
        session.outbound.lock().pushes.finish(&push.id);
        if is_done
            && let Err(error) = self
                .elements
                .push_acknowledged(&session.user.id, push, whole)
                .await
        {
            // The store still has it: a client that comes later gets it again.
            self.store_failed("push", &error);
        }
    }

    fn knows_system_messages(&self, session: &Session) -> bool {
        system_message::knows(&Facts {
            version: session.version,
            home: &self.config.domain,
            profile: &session.settings().profile,
        })
    }

    async fn acknowledge_waiting(&self, session: &Session, entry: &str, now: Timestamp) -> bool {
        self.warm(&session.user).await;
        let under_way = session.settling.begin();
        if Box::pin(self.acknowledge_group_by_id(session, entry, now)).await {
            return true;
        }
        let view = session.view(true);
        let waits = session.user.mailbox.lock().concerns(entry, &view);
        if waits {
            self.acknowledge_entry(session, entry, now).await;
            return true;
        }
        drop(under_way);
        session.settling.settled().await;
        false
    }

    async fn acknowledge_entry(&self, session: &Session, entry: &str, now: Timestamp) {
        let settings = session.settings();
        let owed = self.with_asker(session, &settings, now, |asker, mailbox| {
            mailbox.acknowledged(entry, asker)
        });
        let (user, client) = (&session.user.id, &session.client);
        match self.elements.delivered(user, entry, client, owed).await {
            Ok(_) => {
                self.metrics.delivered.inc();
                session.tally.received();
            }
            Err(error) => {
                // The store still has it: it will be delivered again.
                self.store_failed("mailbox", &error);
                session.user.mailbox.lock().reload();
            }
        }
    }
}

/// Whether a client that answers NewMessage by this code will never take it (csp-im 6 rule 11);
/// other codes tell of a state that may pass.
pub(crate) fn is_for_good(code: StatusCode) -> bool {
    matches!(
        code,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::RESPONSE_TOO_LARGE
            | StatusCode::BAD_REQUEST
            | StatusCode::BAD_PARAMETER
            | StatusCode::SERVICE_NOT_SUPPORTED
            | StatusCode::NOT_IMPLEMENTED
            | StatusCode::SERVICE_NOT_AGREED
            | StatusCode::MESSAGE_REJECTED
    )
}

/// The message that the primitive acknowledges.
fn delivered(primitive: &Primitive) -> Option<&str> {
    match primitive {
        Primitive::MessageDelivered(delivered) => delivered.message_id.as_deref(),
        _ => None,
    }
}

/// The code of a Status; of another primitive none.
fn status_code(primitive: &Primitive) -> Option<StatusCode> {
    match primitive {
        Primitive::Status(status) => {
            let code = status.result.as_ref()?.code?;
            u16::try_from(code).ok().map(StatusCode)
        }
        _ => None,
    }
}
