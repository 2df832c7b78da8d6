//! One transaction of a client: checked, carried out, answered.

use crate::Sap;
use crate::client_profile::ClientProfile;
use crate::delivery::hand_out::takes_reports;
use crate::envelope::check::{SessionState, Subject, Verdict, check};
use crate::envelope::exchange::{Around, content_hash};
use crate::envelope::segments::Part;
use crate::mapping::{self, Facts, Reply, result};
use crate::negotiation::capability::Capabilities;
use crate::negotiation::capability_answer::{self, Surroundings};
use crate::negotiation::notifications::Subscriptions;
use crate::negotiation::{cir, keep_alive, provider, service};
use crate::session::Session;
use crate::suspicion::Suspicion;
use hamlet_csp::elements::{
    ClientCapabilityRequest, KeepAliveRequest, KeepAliveResponse, Primitive, SegmentId,
    ServiceRequest, TransactionMode,
};
use hamlet_csp::{SessionDescriptor, Tag, Text, Transaction, Version};
use hamlet_elements::contact_list::ManageContactList;
use hamlet_elements::{Call, IdempotenceKey, Request, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{Refusal, ServiceSet, StatusCode};
use std::sync::Arc;

/// What comes of a transaction.
pub(crate) enum Done {
    /// A response in the same transaction.
    Respond(Box<Primitive>),
    /// A part of an earlier response.
    Segment(Part),
    /// A server transaction in its place.
    Initiate(Box<Primitive>),
    /// A response, and the session that begins with it.
    LoggedIn(Box<Primitive>, Arc<Session>),
    /// No response at all.
    Silence,
    /// No response; if something waits for the client, it may come now.
    News,
}

impl Done {
    fn respond(primitive: impl Into<Primitive>) -> Self {
        Self::Respond(Box::new(primitive.into()))
    }
}

impl Sap {
    /// Carries out the transaction at `index` of its message.
    pub(crate) async fn transaction(
        &self,
        transaction: Transaction,
        index: usize,
        session: Option<&Arc<Session>>,
        descriptor: &SessionDescriptor,
        profile: &ClientProfile,
        around: &Around<'_>,
    ) -> Done {
        let facts = self.facts(around, profile);
        let tag = match &transaction.content {
            Ok(primitive) => Some(primitive.tag()),
            Err(unreadable) => unreadable.primitive,
        };
        let state = self.session_state(session, descriptor).await;
        let settings = session.map(|session| session.settings());
        let agreement = settings.as_ref().and_then(|s| s.agreement.as_ref());
        // csp-presence 6.6: clients send their decision in either mode.
        let decides = transaction.mode == TransactionMode::Response
            && matches!(&transaction.content, Ok(Primitive::PresenceAuthUser(_)));
        let mode = match decides {
            true => &TransactionMode::Request,
            false => &transaction.mode,
        };
        let verdict = check(&Subject {
            mode,
            id: transaction.id.as_deref(),
            content: transaction.content.as_ref().map(Primitive::tag),
            version: around.version,
            session: state,
            agreement,
            services: settings.as_ref().map_or(ServiceSet::ALL, |s| s.services),
            advanced_search: matches!(
                &transaction.content,
                Ok(Primitive::SearchRequest(search)) if mapping::search::is_advanced(search)
            ),
        });
        let done = match (verdict, transaction.content) {
            (Verdict::Reaction, content) => {
                let mut answered = false;
                if let (Some(session), Ok(primitive)) = (session, content) {
                    let id = transaction.id.as_deref();
                    answered = self.react(session, id, &primitive, around.now).await;
                }
                match answered {
                    true => Done::respond(result::status(StatusCode::OK, &facts)),
                    false => Done::News,
                }
            }
            (Verdict::Refuse(code), content) => {
                let why = content.err().filter(|unreadable| unreadable.status == code);
                let why = why.map_or(String::new(), |unreadable| unreadable.to_string());
                let refusal = Refusal::because(code, why);
                if state == SessionState::Unknown && code == StatusCode::INVALID_SESSION {
                    let about = tag.map_or("none", Tag::name);
                    let peer = around.inbound.peer;
                    self.suspicions.note(peer, Suspicion::UnknownSession, about);
                }
                self.refuse(tag, state, &refusal, &facts)
            }
            (Verdict::Serve, Err(unreadable)) => {
                Done::respond(result::status(unreadable.status, &facts))
            }
            (Verdict::Serve, Ok(primitive)) => {
                let id = transaction.id.unwrap_or_default();
                let key = || (id.as_str(), index);
                match session {
                    Some(session) if decides => {
                        let key = key();
                        Box::pin(self.decision(primitive, key, session, &facts, around)).await
                    }
                    Some(session) if primitive.tag() != Tag::LoginRequest => {
                        let extensions = &transaction.extensions;
                        self.serve_inband(primitive, extensions, key(), session, &facts, around)
                            .await
                    }
                    _ => {
                        // Rare and large: the tasks of the others need no room for it.
                        Box::pin(self.serve_outband(primitive, &id, descriptor, &facts, around))
                            .await
                    }
                }
            }
        };
        self.metrics
            .request(tag, around.version, around.syntax, done.status());
        done
    }

    async fn session_state(
        &self,
        session: Option<&Arc<Session>>,
        descriptor: &SessionDescriptor,
    ) -> SessionState {
        match (session, descriptor.session_id.as_deref()) {
            (Some(_), _) => SessionState::Live,
            (None, Some(id)) if !id.is_empty() => match Box::pin(self.how_ended(id)).await {
                Some(code) => SessionState::Ended(code),
                None => SessionState::Unknown,
            },
            _ => SessionState::Unknown,
        }
    }

    fn refuse(
        &self,
        tag: Option<Tag>,
        state: SessionState,
        refusal: &Refusal,
        facts: &Facts<'_>,
    ) -> Done {
        match (tag, state) {
            // The answer to the logout was lost and it comes again.
            (Some(Tag::LogoutRequest), SessionState::Ended(StatusCode::OK)) => logged_out(facts),
            // A session that was logged out is no session.
            (_, SessionState::Ended(StatusCode::OK)) if refusal.code == StatusCode::OK => {
                Done::respond(result::status(StatusCode::INVALID_SESSION, facts))
            }
            // csp-access 3.10, 3.11: to a poll the server speaks by itself.
            (
                Some(Tag::PollingRequest),
                SessionState::Ended(
                    code @ (StatusCode::FORCED_LOGOUT | StatusCode::SESSION_EXPIRED),
                ),
            ) => Done::Initiate(Box::new(result::disconnect(code, "", facts))),
            // A client may not survive an error here (clients AND-15).
            (Some(Tag::GetListRequest), SessionState::Live) => {
                let refusal = Err(refusal.clone());
                Done::respond(mapping::answer(Reply::GetList, refusal, facts))
            }
            _ => Done::respond(result::refused(refusal, facts)),
        }
    }

    /// A request inside a live session.
    async fn serve_inband(
        &self,
        primitive: Primitive,
        extensions: &[hamlet_csp::Extension],
        (id, index): (&str, usize),
        session: &Arc<Session>,
        facts: &Facts<'_>,
        around: &Around<'_>,
    ) -> Done {
        let now = around.now;
        match primitive {
            Primitive::PollingRequest => {
                self.acknowledge_by_poll(session, now).await;
                if !session.is_auto_joined() {
                    Box::pin(self.auto_join(session, true)).await;
                }
                Done::News
            }
            Primitive::Status(_) => {
                // Clients that do this look into no answer (csp-access 2.4).
                Box::pin(self.react_to_status(session, &primitive, now)).await;
                Done::Silence
            }
            Primitive::MessageDelivered(delivered) => {
                let message = delivered.message_id.unwrap_or_default();
                let known = Box::pin(self.deliver_by_request(session, &message, now)).await;
                let known = match known {
                    Ok(known) => known || Box::pin(self.is_in_history(session, &message)).await,
                    Err(refusal) => return Done::respond(result::refused(&refusal, facts)),
                };
                let code = match known {
                    true => StatusCode::OK,
                    false => StatusCode::INVALID_MESSAGE_ID,
                };
                Done::respond(result::status(code, facts))
            }
            Primitive::KeepAliveRequest(request) => self.keep_alive(&request, session, facts).await,
            Primitive::LogoutRequest => {
                Box::pin(self.end_session(session, StatusCode::OK)).await;
                logged_out(facts)
            }
            Primitive::ClientCapabilityRequest(request) => {
                Box::pin(self.capability(*request, session, facts, around)).await
            }
            Primitive::ServiceRequest(request) => {
                Box::pin(self.service(*request, session, facts, around)).await
            }
            Primitive::GetSPInfoRequest(request) => {
                Done::respond(provider::respond(*request, &self.config.provider))
            }
            Primitive::GetSegmentRequest(request) => {
                let (id, reference) = named(request.segment_id);
                let part = session.segments.lock().get(&id, reference, now);
                match part {
                    Ok(part) => Done::Segment(part),
                    Err(code) => Done::respond(result::status(code, facts)),
                }
            }
            Primitive::DropSegmentRequest(request) => {
                let (id, _) = named(request.segment_id);
                let code = match session.segments.lock().remove(&id) {
                    true => StatusCode::OK,
                    false => StatusCode::NOT_FOUND,
                };
                Done::respond(result::status(code, facts))
            }
            Primitive::SubscribeNotificationRequest(request) => {
                let list = request.notification_type_list.as_ref();
                let change = |all: &mut Subscriptions| all.subscribe(list);
                self.notifications(change, session, facts).await
            }
            Primitive::UnsubscribeNotificationRequest(request) => {
                let list = request.notification_type_list.as_ref();
                let change = |all: &mut Subscriptions| all.unsubscribe(list);
                self.notifications(change, session, facts).await
            }
            Primitive::GetMapRequest(request) => {
                let map = Box::pin(self.get_map(*request, session, facts, around));
                Done::respond(map.await)
            }
            request @ (Primitive::SetDeliveryMethodRequest(_)
            | Primitive::GetMessageListRequest(_)
            | Primitive::GetMessageRequest(_)
            | Primitive::RejectMessageRequest(_)
            | Primitive::ForwardMessageRequest(_)) => {
                let name = request.tag();
                let key = idempotence_key(session, id, name, around, index);
                // Rare, next to messages.
                let answer = self.about_waiting(request, key, session, facts, now);
                Done::respond(Box::pin(answer).await)
            }
            other => {
                let name = other.tag();
                let asked = mapping::request(other, extensions, facts);
                let (mut request, reply) = match asked {
                    Some(Ok(asked)) => asked,
                    Some(Err(refusal)) if name == Tag::GetListRequest => {
                        let refusal = Err(refusal);
                        return Done::respond(mapping::answer(Reply::GetList, refusal, facts));
                    }
                    Some(Err(refusal)) => {
                        return Done::respond(result::refused(&refusal, facts));
                    }
                    None => {
                        return Done::respond(result::status(StatusCode::NOT_IMPLEMENTED, facts));
                    }
                };
                if let Request::SendMessage(message) = &mut request
                    && !takes_reports(session, &session.settings())
                {
                    // csp-im 5.5.
                    message.report = false;
                }
                if matches!(reply, Reply::Search) {
                    let parser_size = session.settings().capabilities.parser_size;
                    mapping::search::fit(&mut request, parser_size);
                }
                let key = changes_something(&request)
                    .then(|| idempotence_key(session, id, name, around, index));
                let instead = match &request {
                    Request::CreateContactList(create) => {
                        mapping::contact_list::merge_instead(create, facts)
                    }
                    _ => None,
                };
                let ended = self.ended_by(&request, session);
                if may_subscribe(&request) {
                    // csp-presence 4.4: it is told even what it knows.
                    session.outbound.lock().notices.begin_anew();
                }
                let requestor = session.requestor();
                let call = Call {
                    requestor: requestor.clone(),
                    request,
                    key,
                };
                if let Reply::JoinGroup(group) = &reply {
                    // That it was put out before is no news any more.
                    session.outbound.lock().pushes.forget_leave(group);
                }
                let answer = self.elements.call(call).await;
                if let (Reply::LeaveGroup(group), Ok(_)) = (&reply, &answer) {
                    session.outbound.lock().pushes.forget_group(group);
                }
                if let (Reply::LeaveGroup(_) | Reply::JoinGroup(_), Ok(_)) = (&reply, &answer)
                    && session.take_unsaved()
                    && self.persist(session).await.is_err()
                {
                    session.mark_unsaved();
                }
                if answer.is_ok() && !ended.is_empty() {
                    Box::pin(self.end_others(ended)).await;
                }
                if let (Reply::Search, Err(refusal)) = (&reply, &answer)
                    && refusal.code == StatusCode::SERVICE_UNAVAILABLE
                {
                    let (peer, about) = (around.inbound.peer, session.id.short());
                    self.suspicions
                        .note(peer, Suspicion::TooManySearches, about);
                }
                match (instead, &answer) {
                    (Some(manage), Err(refusal))
                        if refusal.code == StatusCode::CONTACT_LIST_EXISTS =>
                    {
                        Box::pin(self.merge_into_list(manage, requestor, facts)).await
                    }
                    _ => Done::respond(mapping::answer(reply, answer, facts)),
                }
            }
        }
    }

    /// PresenceAuth-User in mode Response: if it answers the question itself, that is closed
    /// by it and nothing comes back; with an identifier of its own it is a request.
    async fn decision(
        &self,
        primitive: Primitive,
        (id, index): (&str, usize),
        session: &Arc<Session>,
        facts: &Facts<'_>,
        around: &Around<'_>,
    ) -> Done {
        let answers = self.acknowledge_question(session, id).await;
        let key = (id, index);
        let done = self
            .serve_inband(primitive, &[], key, session, facts, around)
            .await;
        match answers {
            true => Done::News,
            false => done,
        }
    }

    /// Instead of refusing to create a list that exists (clients MOV-12). Done twice it is
    /// the same, so it needs no record of its own.
    async fn merge_into_list(
        &self,
        manage: ManageContactList,
        requestor: Requestor,
        facts: &Facts<'_>,
    ) -> Done {
        let call = Call {
            requestor,
            request: Request::ManageContactList(manage),
            key: None,
        };
        match self.elements.call(call).await {
            Ok(Response::ContactList(managed)) => Done::respond(result::status_with(
                managed.code,
                "",
                &managed.details,
                facts,
            )),
            Ok(_) => Done::respond(result::status(StatusCode::OK, facts)),
            Err(refusal) => Done::respond(result::refused(&refusal, facts)),
        }
    }

    /// What needs no session.
    async fn serve_outband(
        &self,
        primitive: Primitive,
        id: &str,
        descriptor: &SessionDescriptor,
        facts: &Facts<'_>,
        around: &Around<'_>,
    ) -> Done {
        match primitive {
            Primitive::LoginRequest(request) => {
                let named = descriptor.session_id.as_deref();
                let (response, session) = self.login(*request, named, id, around).await;
                match session {
                    Some(session) => {
                        self.make_lists_of_client(&session).await;
                        Done::LoggedIn(Box::new(response.into()), session)
                    }
                    None => Done::respond(response),
                }
            }
            Primitive::GetSPInfoRequest(request) => {
                Done::respond(provider::respond(*request, &self.config.provider))
            }
            _ => Done::respond(result::status(StatusCode::INVALID_SESSION, facts)),
        }
    }

    /// csp-access 4.
    async fn keep_alive(
        &self,
        request: &KeepAliveRequest,
        session: &Session,
        facts: &Facts<'_>,
    ) -> Done {
        let before = session.settings().keep_alive;
        let (code, agreed) = keep_alive::renew(request.time_to_live, before, &self.config.session);
        if agreed != before {
            session.change(|settings| settings.keep_alive = agreed);
            if let Err(refusal) = self.persist(session).await {
                return Done::respond(result::refused(&refusal, facts));
            }
        }
        Done::respond(KeepAliveResponse {
            result: Some(result::result(code, "", &[], facts)),
            keep_alive_time: u32::try_from(agreed.as_secs()).ok(),
            time_to_live: None,
        })
    }

    /// csp-access 13: changes which notifications the session gets.
    async fn notifications(
        &self,
        change: impl FnOnce(&mut Subscriptions) -> Result<Failures, Refusal>,
        session: &Session,
        facts: &Facts<'_>,
    ) -> Done {
        let mut all = session.settings().notifications;
        let failures = match change(&mut all) {
            Ok(failures) => failures,
            Err(refusal) => return Done::respond(result::refused(&refusal, facts)),
        };
        session.change(|settings| settings.notifications = all);
        if let Err(refusal) = self.persist(session).await {
            return Done::respond(result::refused(&refusal, facts));
        }
        let (code, details) = (failures.overall(true), failures.into_details());
        Done::respond(result::status_with(code, "", &details, facts))
    }

    /// csp-access 6.2.
    async fn capability(
        &self,
        request: ClientCapabilityRequest,
        session: &Arc<Session>,
        facts: &Facts<'_>,
        around: &Around<'_>,
    ) -> Done {
        let list = request.capability_list.clone().unwrap_or_default();
        let mut agreed = Capabilities::negotiate(&list, around.version, self.offer());
        let before = session.settings();
        let (cir_agreed, cir_offer) = self.agree_cir(
            &list,
            around.version,
            before.cookie.as_deref(),
            around.inbound,
            &before.capabilities.cir,
        );
        agreed.cir = cir_agreed;
        if let Err(refusal) = self.adopt_handling(session, &agreed).await {
            return Done::respond(result::refused(&refusal, facts));
        }
        self.adopt_priority(session, &mut agreed).await;
        session.change(|settings| settings.capabilities = agreed.clone());
        self.adopt_cir(session);
        self.reconsider(session);
        if let Err(refusal) = self.persist(session).await {
            return Done::respond(result::refused(&refusal, facts));
        }
        if let Err(error) = self.elements.session_changed(&session.facts()).await {
            // Watchers see the client's type late; the negotiation stands.
            self.store_failed("session", &error);
        }
        self.auto_join(session, false).await;
        let version = around.version;
        let around = Surroundings {
            version,
            secure: around.inbound.secure,
            list_first: facts.profile.capability_list_first,
            session_limit: self.config.session.max_per_user,
        };
        let mut response = capability_answer::response(request, &agreed, around);
        cir::announce(&mut response, version, &agreed.cir, &cir_offer);
        Done::respond(response)
    }

    /// csp-access 6.3.
    async fn service(
        &self,
        request: ServiceRequest,
        session: &Arc<Session>,
        facts: &Facts<'_>,
        around: &Around<'_>,
    ) -> Done {
        let before = session.settings();
        let (response, agreement) = service::respond(request, around.version, before.services);
        session.change(|settings| settings.agreement = Some(agreement));
        if let Err(refusal) = self.persist(session).await {
            return Done::respond(result::refused(&refusal, facts));
        }
        self.auto_join(session, false).await;
        Done::respond(response)
    }
}

impl Done {
    /// The status code of the response, for the metrics.
    fn status(&self) -> Option<u32> {
        let primitive = match self {
            Self::Respond(primitive) | Self::LoggedIn(primitive, _) => primitive,
            Self::Segment(_) => return Some(200),
            Self::Initiate(_) | Self::News | Self::Silence => return None,
        };
        let result = match &**primitive {
            Primitive::Status(status) => status.result.as_ref(),
            Primitive::LoginResponse(response) => response.result.as_ref(),
            Primitive::SendMessageResponse(response) => response.result.as_ref(),
            Primitive::KeepAliveResponse(response) => response.result.as_ref(),
            Primitive::GetPresenceResponse(response) => response.result.as_ref(),
            Primitive::ListManageResponse(response) => response.result.as_ref(),
            Primitive::GetPublicProfileResponse(response) => response.result.as_ref(),
            Primitive::LeaveGroupResponse(response) => response.result.as_ref(),
            Primitive::ExtendConversationResponse(response) => response.result.as_ref(),
            Primitive::GetAttributeListResponse(response) => response.result.as_ref(),
            _ => None,
        };
        result.map_or(Some(200), |result| result.code)
    }
}

/// The transaction and the number of a segment; nobody has number 0.
fn named(segment: Option<SegmentId>) -> (Text, u32) {
    let segment = segment.unwrap_or_default();
    let transaction = segment.transaction_id.unwrap_or_default();
    (transaction, segment.segment_reference.unwrap_or(0))
}

/// csp-access 3.9.
fn logged_out(facts: &Facts<'_>) -> Done {
    Done::respond(match facts.version {
        Version::V1_1 => result::disconnect(StatusCode::OK, "", facts),
        _ => result::status(StatusCode::OK, facts),
    })
}

/// Names a request of a session (csp-access 2.3).
fn idempotence_key(
    session: &Session,
    id: &str,
    name: Tag,
    around: &Around<'_>,
    index: usize,
) -> IdempotenceKey {
    IdempotenceKey {
        scope: session.id.to_string(),
        id: format!("{id} {name}"),
        hash: content_hash(around.inbound.body, index),
    }
}

/// Whether it may begin to watch somebody.
fn may_subscribe(request: &Request) -> bool {
    matches!(
        request,
        Request::SubscribePresence(_)
            | Request::CreateContactList(_)
            | Request::ManageContactList(_)
    )
}

/// Whether carrying it out again would not be the same as answering it again.
fn changes_something(request: &Request) -> bool {
    !matches!(
        request,
        Request::GetPresence(_)
            | Request::GetAccessLists
            | Request::GetContactLists
            | Request::GetAttributeLists(_)
            | Request::GetReactiveAuthorizations(_)
            | Request::GetWatchers(_)
            | Request::ExpandContactLists(_)
            | Request::GetPublicProfiles(_)
            | Request::VerifyIds(_)
            | Request::GetJoinedUsers(_)
            | Request::GetGroupMembers(_)
            | Request::GetGroupProps(_)
    )
}
