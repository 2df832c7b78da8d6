//! Messages that wait, as clients ask for them (csp-im 7), and how they want to hear of them
//! (csp-im 3.3).
//!
//! What waits for a user, and which session has what of it, is in his mailbox in memory; there
//! it is listed and fetched. What takes a message away is done in the store by the element.

use crate::Sap;
use crate::delivery::group_joined::Turn;
use crate::delivery::group_out::me;
use crate::delivery::{adapt, decide};
use crate::mapping::{Facts, pull, result};
use crate::negotiation::delivery_method;
use crate::session::Session;
use hamlet_csp::elements::Primitive;
use hamlet_csp::encode_primitive;
use hamlet_elements::im::{GetHistory, GroupMessage, MailboxItem, RejectMessages};
use hamlet_elements::{Answer, Call, IdempotenceKey, Request, Response};
use hamlet_model::{GroupId, Message, MessageId, Refusal, StatusCode, Timestamp, UserId};
use std::sync::Arc;

/// What the envelope of a message takes of ParserSize, octets, at most.
const ENVELOPE: usize = 600;

impl Sap {
    /// Answers a request about messages that wait; `key` makes the record of its answer.
    pub(crate) async fn about_waiting(
        &self,
        request: Primitive,
        key: IdempotenceKey,
        session: &Arc<Session>,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Primitive {
        let answer = match request {
            Primitive::SetDeliveryMethodRequest(request) => {
                let change = delivery_method::read(&request, facts);
                match change {
                    Ok(change) => self.set_delivery_method(change, session).await,
                    Err(refusal) => Err(refusal),
                }
                .map(|()| result::status(StatusCode::OK, facts))
            }
            Primitive::GetMessageListRequest(request) => match pull::list(&request, facts) {
                Ok((group, count)) => self.list(group, count, session, facts, now).await,
                Err(refusal) => Err(refusal),
            },
            Primitive::GetMessageRequest(request) => match pull::message(&request) {
                Ok(id) => self.fetch(&id, session, facts, now).await,
                Err(refusal) => Err(refusal),
            },
            Primitive::RejectMessageRequest(request) => match pull::reject(&request) {
                Ok(reject) => self.reject(reject, key, session, facts, now).await,
                Err(refusal) => Err(refusal),
            },
            Primitive::ForwardMessageRequest(request) => match pull::forward(&request, facts) {
                Ok(forward) => {
                    self.warm(&session.user).await;
                    let id = forward.message.clone();
                    let request = Request::ForwardMessage(Box::new(forward));
                    let answer = self.ask(session, request, Some(key)).await;
                    if answer.is_ok() {
                        self.let_go(session, &id, now).await;
                    }
                    Ok(pull::forwarded(&answer, facts))
                }
                Err(refusal) => Err(refusal),
            },
            _ => Err(StatusCode::NOT_IMPLEMENTED.into()),
        };
        answer.unwrap_or_else(|refusal| result::refused(&refusal, facts))
    }

    /// csp-im 3.3: the group is looked at last. What already waits is decided anew.
    async fn set_delivery_method(
        &self,
        change: delivery_method::Change,
        session: &Arc<Session>,
    ) -> Result<(), Refusal> {
        if let Some(group) = &change.group {
            self.elements.joined(&session.requestor(), group).await?;
        }
        let mut applied = Ok(());
        session.change(|settings| {
            applied = change.apply(&mut settings.capabilities, &mut settings.group_delivery);
        });
        applied?;
        self.persist(session).await?;
        self.reconsider(session);
        Ok(())
    }

    /// What the client can take, or how it wants it, has changed.
    pub(crate) fn reconsider(&self, session: &Arc<Session>) {
        session.user.mailbox.lock().reconsider(&session.id);
        session.groups.lock().reconsider();
        self.hub.cir.raise(session);
    }

    /// csp-im 7.3.
    async fn list(
        &self,
        group: Option<GroupId>,
        count: Option<usize>,
        session: &Session,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Result<Primitive, Refusal> {
        if let Some(group) = group {
            let request = Request::GetHistory(GetHistory {
                group,
                newest: count,
            });
            let Response::History(history) = self.ask(session, request, None).await? else {
                return Err(StatusCode::INTERNAL_ERROR.into());
            };
            let messages: Vec<&Message> = history.messages.iter().collect();
            let fitting = self.page(&messages, history.total, session, facts, now);
            // The newest of them, in their order.
            let from = messages.len() - fitting;
            return Ok(pull::list_response(
                messages[from..].iter().copied(),
                history.total,
                facts,
                now,
            ));
        }
        self.warm(&session.user).await;
        let items = session
            .user
            .mailbox
            .lock()
            .messages(&session.view(true), now);
        let of_groups = self.waiting_in_groups(session, now).await?;
        let of_groups = of_groups.iter().map(|said| &said.message);
        let waiting = items.iter().filter_map(|item| message_of(item));
        let mut waiting: Vec<&Message> = waiting.chain(of_groups).collect();
        waiting.sort_by_key(|message| message.sent);
        let total = waiting.len();
        let capabilities = &session.settings().capabilities;
        let adapted: Vec<_> = waiting
            .into_iter()
            .take(count.unwrap_or(usize::MAX))
            .map(|message| match message.is_outside() {
                true => adapt::Adapted::AsIs(message),
                false => adapt::adapt(message, capabilities),
            })
            .collect();
        let messages: Vec<&Message> = adapted.iter().map(adapt::Adapted::message).collect();
        let fitting = self.page(&messages, total, session, facts, now);
        let messages = messages[..fitting].iter().copied();
        Ok(pull::list_response(messages, total, facts, now))
    }

    /// What the session has not had from its groups.
    async fn waiting_in_groups(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<Vec<Arc<GroupMessage>>, Refusal> {
        let known = {
            let mut groups = session.groups.lock();
            groups
                .knows_all()
                .then(|| groups.waiting(&me(session, now)))
        };
        if let Some(turns) = known {
            let message = |turn: &Turn| turn.entry.message.clone();
            return Ok(turns.iter().map(message).collect());
        }
        let waiting = self.elements.waiting_in_groups(session.requestor()).await;
        waiting.map_err(|error| self.store_failed("group log", &error))
    }

    /// How many of the descriptions fit into ParserSize, where the answer cannot be segmented:
    /// a smaller page rather than none (csp-access 6.2).
    fn page(
        &self,
        messages: &[&Message],
        total: usize,
        session: &Session,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> usize {
        let settings = session.settings();
        let Some(parser_size) = settings.capabilities.parser_size else {
            return messages.len();
        };
        if self.segments(session) {
            return messages.len();
        }
        let room = (parser_size as usize).saturating_sub(ENVELOPE);
        let options = settings.profile.write_options(false);
        let length = |count: usize| {
            let part = messages[..count].iter().copied();
            let list = pull::list_response(part, total, facts, now);
            encode_primitive(&list, settings.syntax, facts.version, &options).len()
        };
        let mut count = messages.len();
        while count > 1 {
            let octets = length(count);
            if octets <= room {
                break;
            }
            count = (count * room / octets).clamp(1, count - 1);
        }
        count
    }

    /// csp-im 7.2.
    async fn fetch(
        &self,
        id: &MessageId,
        session: &Session,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Result<Primitive, Refusal> {
        self.warm(&session.user).await;
        let view = session.view(true);
        let item = session.user.mailbox.lock().message(id.as_str(), &view, now);
        let settings = session.settings();
        let of_group = session.groups.lock().by_id(id.as_str(), &me(session, now));
        if let (None, Some(turn)) = (&item, of_group) {
            let said = turn.message();
            let pulled = self.pulled(session, &said.sender, &said.message, facts, now);
            let response = pulled.await?;
            session.groups.lock().notified(&said.group, said.seq);
            return Ok(response);
        }
        let Some(message) = item.as_deref().and_then(message_of) else {
            let request = Request::GetHistoryMessage(id.clone());
            let Response::HistoryMessage(message) = self.ask(session, request, None).await? else {
                return Err(StatusCode::INTERNAL_ERROR.into());
            };
            return pulled(&message, &settings.capabilities, facts, now);
        };
        let pulled = self.pulled(session, &session.user.id, message, facts, now);
        let response = pulled.await?;
        self.with_asker(session, &settings, now, |asker, mailbox| {
            mailbox.pulled(id.as_str(), asker);
        });
        Ok(response)
    }

    /// Whether an answer fits into ParserSize, or can be cut into segments.
    fn can_be_read(&self, session: &Session, answer: &Primitive, facts: &Facts<'_>) -> bool {
        let settings = session.settings();
        let Some(parser_size) = settings.capabilities.parser_size else {
            return true;
        };
        let length = || {
            let options = settings.profile.write_options(false);
            encode_primitive(answer, settings.syntax, facts.version, &options).len()
        };
        self.segments(session) || length() <= (parser_size as usize).saturating_sub(ENVELOPE)
    }

    /// The answer to GetMessage. What the client must not get is perhaps a link away, at the
    /// expense of `owner`.
    async fn pulled(
        &self,
        session: &Session,
        owner: &UserId,
        message: &Message,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Result<Primitive, Refusal> {
        let capabilities = &session.settings().capabilities;
        let refusal = match pulled(message, capabilities, facts, now) {
            Ok(response) if self.can_be_read(session, &response, facts) => return Ok(response),
            Ok(_) if adapt::takes_link(message, capabilities) => {
                return Ok(pull::message_response(&adapt::linked(message), facts, now));
            }
            Ok(_) => StatusCode::RESPONSE_TOO_LARGE.into(),
            Err(refusal) => refusal,
        };
        let link = self.link_for_pull(session, owner, message, refusal.code);
        match link.await {
            Some(linked) => Ok(pull::message_response(&linked, facts, now)),
            None => Err(refusal),
        }
    }

    /// csp-im 7.5.
    async fn reject(
        &self,
        request: RejectMessages,
        key: IdempotenceKey,
        session: &Session,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Result<Primitive, Refusal> {
        self.warm(&session.user).await;
        let ids = request.messages.clone();
        let request = Request::RejectMessages(request);
        let Response::Done(outcome) = self.ask(session, request, Some(key)).await? else {
            return Err(StatusCode::INTERNAL_ERROR.into());
        };
        let unknown = |id: &MessageId| outcome.details.iter().any(|d| d.messages.contains(id));
        for id in ids.iter().filter(|id| !unknown(id)) {
            self.let_go(session, id, now).await;
        }
        let code = outcome.code();
        Ok(result::status_with(code, "", &outcome.details, facts))
    }

    /// The store has a message for the session no more: nor has what is in memory. (Of the
    /// user's mailbox and of places in groups events tell.)
    async fn let_go(&self, session: &Session, id: &MessageId, now: Timestamp) {
        session.outbound.lock().answered_message(id.as_str());
        session
            .user
            .mailbox
            .lock()
            .drop_copy(id.as_str(), &session.client);
        self.done_in_groups(session, id.as_str(), now).await;
    }

    /// Whether a message that is acknowledged by a request of its own is one of a history, which
    /// needs no acknowledgement and stays (csp-im 7.2).
    pub(crate) async fn is_in_history(&self, session: &Session, id: &str) -> bool {
        let request = Request::GetHistoryMessage(MessageId::new(id));
        self.ask(session, request, None).await.is_ok()
    }

    async fn ask(
        &self,
        session: &Session,
        request: Request,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let call = Call {
            requestor: session.requestor(),
            request,
            key,
        };
        self.elements.call(call).await
    }
}

/// The answer to GetMessage for a client that can do this: what it cannot take is converted
/// (csp-im 4.4), or stays a link where it is too large.
fn pulled(
    message: &Message,
    capabilities: &crate::negotiation::capability::Capabilities,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Result<Primitive, Refusal> {
    if message.is_outside() {
        // 1.3 has MessageURI for it; before that the link stands in the text.
        return Ok(pull::message_response(message, facts, now));
    }
    let adapted = adapt::adapt(message, capabilities);
    let fitted = adapted.message();
    let content = &fitted.content;
    match decide::pull(capabilities, &content.media_type(), content.size()) {
        Ok(()) => Ok(pull::message_response(fitted, facts, now)),
        Err(StatusCode::RESPONSE_TOO_LARGE) if adapt::takes_link(message, capabilities) => {
            Ok(pull::message_response(&adapt::linked(message), facts, now))
        }
        Err(code) => Err(code.into()),
    }
}

fn message_of(item: &MailboxItem) -> Option<&Message> {
    match item {
        MailboxItem::Message(message) => Some(message),
        MailboxItem::Report(_) => None,
    }
}
