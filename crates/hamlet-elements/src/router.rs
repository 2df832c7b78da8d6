//! From a request to the element that carries it out, here or in another domain
//! (architecture document 5.3.6.4, B.7).

use crate::elements::{ElementsConfig, Inner, PresenceHome};
use crate::notification::{Notification, Watchers};
use crate::service::{Answer, Call, Event, Request, Response, ServiceElement};
use hamlet_model::presence::{Attribute, AttributeSet};
use hamlet_model::{ContactListId, Domain, GroupId, MessageParty, Refusal, StatusCode, UserId};

/// Where the Primary Service Element of a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// Here.
    Here,
    /// In another domain.
    At(&'a Domain),
}

/// The place of `element` for `user`. `None`: a third domain, to which nothing is relayed
/// (csp-presence 10).
pub(crate) fn place<'a>(
    config: &'a ElementsConfig,
    element: ServiceElement,
    user: &UserId,
) -> Option<Place<'a>> {
    let is_home = user.domain_str() == config.domain.as_str();
    match (element, &config.presence_home) {
        // Where a group is its address says, not who asks: see `group`.
        (ServiceElement::InstantMessaging | ServiceElement::Common | ServiceElement::Group, _)
        | (_, PresenceHome::Local) => Some(Place::Here),
        (ServiceElement::Presence, PresenceHome::At(domain)) if is_home => Some(Place::At(domain)),
        (ServiceElement::Presence, PresenceHome::At(_)) => {
            serves(config, user.domain_str()).then_some(Place::Here)
        }
    }
}

/// Whether the presence of the users of a foreign domain is kept here.
pub(crate) fn serves(config: &ElementsConfig, domain: &str) -> bool {
    config
        .serves_presence_of
        .iter()
        .any(|served| served.as_str() == domain)
}

/// Whether another domain may ask this: only on behalf of its own users, and for no more
/// than is offered to them here.
pub(crate) fn admit(config: &ElementsConfig, domain: &Domain, call: &Call) -> Result<(), Refusal> {
    let own = |user: &UserId| user.domain_str() == domain.as_str();
    let requestor = &call.requestor.user;
    let is_pse = config.presence_home == PresenceHome::At(domain.clone());
    let not_own = || Refusal::new(StatusCode::ADDRESS_ERROR);
    if let Request::PresenceNotification(notification) = &call.request {
        // The domain that keeps our users' presence speaks for all publishers.
        let honest = is_pse || (own(requestor) && notification.publisher == *requestor);
        return if honest { Ok(()) } else { Err(not_own()) };
    }
    if let Request::AskPublisher(_) = &call.request {
        return if is_pse { Ok(()) } else { Err(not_own()) };
    }
    if !own(requestor) {
        return Err(not_own());
    }
    let speaks_for = |party: &MessageParty| match party {
        MessageParty::User { user, .. } => user == requestor,
        MessageParty::Group(group) | MessageParty::ScreenName { group, .. } => {
            group.domain_str() == domain.as_str()
        }
    };
    // A domain speaks of its own groups (ssp 5.4 item 6).
    let of_group = |group: &GroupId| match group.domain_str() == domain.as_str() {
        true => Ok(()),
        false => Err(Refusal::new(StatusCode::NO_SUCH_GROUP)),
    };
    // Whether he has that name in a group of ours is seen later (ssp 5.5 item 4).
    let names_himself_here = |party: &MessageParty| {
        matches!(party, MessageParty::ScreenName { group, .. }
            if group.domain_str() == config.domain.as_str())
    };
    match &call.request {
        Request::DeliverMessage(deliver) if speaks_for(&deliver.message.sender) => Ok(()),
        Request::DeliverMessage(deliver) if names_himself_here(&deliver.message.sender) => Ok(()),
        Request::DeliveryReport(report) if speaks_for(&report.recipient) => Ok(()),
        // About a whisper in a group of ours.
        Request::DeliveryReport(report) if names_himself_here(&report.recipient) => Ok(()),
        Request::DeliverMessage(_) | Request::DeliveryReport(_) => Err(not_own()),
        Request::DeliverInvitation(deliver) => {
            let invitation = &deliver.invitation;
            let sender = &invitation.sender;
            let honest = speaks_for(sender) || names_himself_here(sender);
            match invitation.inviter == *requestor && honest {
                true => Ok(()),
                false => Err(not_own()),
            }
        }
        Request::WithdrawInvitation(withdrawal)
            if withdrawal.invitation.inviter == *requestor
                && (speaks_for(&withdrawal.invitation.sender)
                    || names_himself_here(&withdrawal.invitation.sender)) =>
        {
            Ok(())
        }
        Request::InvitationAnswer(told) if told.invitee == *requestor => Ok(()),
        Request::WithdrawInvitation(_) | Request::InvitationAnswer(_) => Err(not_own()),
        Request::Notify(notify) => match &notify.notification {
            Notification::AddedToContactList(by) if by == requestor => Ok(()),
            Notification::AddedToContactList(_) => Err(not_own()),
            Notification::Group(_, group) => of_group(group),
            // All else is told to those who have done it themselves.
            _ => Err(Refusal::new(StatusCode::SERVICE_NOT_SUPPORTED)),
        },
        Request::GetPresence(_)
        | Request::SubscribePresence(_)
        | Request::UnsubscribePresence(_)
        | Request::PresenceNotification(_)
        | Request::GetPublicProfiles(_)
        | Request::VerifyIds(_) => Ok(()),
        Request::SendMessage(_)
        | Request::GetAccessLists
        | Request::ChangeAccessLists(_)
        | Request::RejectMessages(_)
        | Request::ForwardMessage(_)
        | Request::Search(_)
        | Request::ContinueSearch(_)
        | Request::StopSearch(_)
        | Request::UpdatePublicProfile(_)
        | Request::Invite(_)
        | Request::AnswerInvitation(_)
        | Request::CancelInvitation(_)
        | Request::AnswerSystemMessages(_)
        | Request::Locate(_)
        // A group is made where its owner is at home.
        | Request::CreateGroup(_)
        | Request::ExtendConversation(_) => {
            Err(Refusal::new(StatusCode::SERVICE_NOT_SUPPORTED))
        }
        // Only from where the publisher's presence is.
        Request::AskPublisher(_) => Err(not_own()),
        Request::ForeignGroupNotice(notice) => of_group(&notice.group),
        Request::DeliverGroupMessage(deliver) => of_group(&deliver.group),
        Request::ForeignGroupLeave(leave) => of_group(&leave.group),
        Request::DeleteGroup(_)
        | Request::JoinGroup(_)
        | Request::LeaveGroup(_)
        | Request::GetJoinedUsers(_)
        | Request::GetGroupMembers(_)
        | Request::AddGroupMembers(_)
        | Request::RemoveGroupMembers(_)
        | Request::MemberAccess(_)
        | Request::GetGroupProps(_)
        | Request::SetGroupProps(_)
        | Request::RejectList(_)
        | Request::SubscribeGroupNotice(_)
        | Request::GetHistory(_)
        | Request::GetHistoryMessage(_) => Ok(()),
        Request::UpdatePresence(_)
        | Request::ClientStatus(_)
        | Request::CreateAttributeList(_)
        | Request::DeleteAttributeList(_)
        | Request::GetAttributeLists(_)
        | Request::AuthorizeWatcher(_)
        | Request::CancelAuthorization(_)
        | Request::GetReactiveAuthorizations(_)
        | Request::GetWatchers(_)
        | Request::GetContactLists
        | Request::CreateContactList(_)
        | Request::DeleteContactList(_)
        | Request::ManageContactList(_)
        | Request::ExpandContactLists(_) => {
            if serves(config, domain.as_str()) {
                Ok(())
            } else {
                Err(Refusal::new(StatusCode::FORBIDDEN))
            }
        }
    }
}

impl Inner {
    /// Carries out a request where the requestor has his element. Elements call each other
    /// only through this.
    pub(crate) async fn route(&self, call: Call) -> Answer {
        let element = call.request.element();
        match place(&self.config, element, &call.requestor.user) {
            Some(Place::Here) => self.perform(call).await,
            Some(Place::At(domain)) => {
                let wait = self.config.presence.foreign_wait;
                let Call {
                    requestor, request, ..
                } = call;
                let request = with_client(request, requestor.client.as_ref());
                let notification =
                    list_notification(&request).or_else(|| authorization_notification(&request));
                let about_list = list_that_changes(&request);
                let granted = members_to_grant(&request);
                let user = requestor.user.clone();
                let answer = self.relay.ask(domain, requestor.user, request, wait).await;
                // The sessions are known here alone.
                if let (Ok(_), Some(notification)) = (&answer, notification) {
                    self.emit([Event::Notification {
                        user: user.clone(),
                        except: requestor.session.clone(),
                        notification,
                    }]);
                }
                if let (Ok(Response::ContactList(managed)), false) = (&answer, granted.is_empty()) {
                    let failed =
                        |user: &UserId| managed.details.iter().any(|d| d.users.contains(user));
                    let members = granted.into_iter().filter(|user| !failed(user)).collect();
                    self.grant_after(&user, requestor.session.clone(), members)
                        .await;
                }
                match (&answer, about_list) {
                    (Ok(_), Some((list, true))) => {
                        self.list_gone_elsewhere(&list, requestor.session).await;
                    }
                    (Ok(_), Some(_)) => self.recheck_or_warn(&user).await,
                    _ => {}
                }
                answer
            }
            None => Err(Refusal::new(StatusCode::DOMAIN_NOT_SUPPORTED)),
        }
    }

    /// As [`Inner::route`], for a request of another domain, which is not relayed further.
    pub(crate) async fn route_foreign(&self, domain: &Domain, mut call: Call) -> Answer {
        admit(&self.config, domain, &call)?;
        // Sessions are the business of the domain that has them.
        call.requestor.session = None;
        call.requestor.client = None;
        call.requestor.application = None;
        let arrives_for_home = matches!(
            call.request,
            Request::PresenceNotification(_)
                | Request::DeliveryReport(_)
                | Request::AskPublisher(_)
        );
        let element = call.request.element();
        match place(&self.config, element, &call.requestor.user) {
            Some(Place::Here) => self.perform(call).await,
            _ if arrives_for_home => self.perform(call).await,
            _ => Err(Refusal::new(StatusCode::DOMAIN_NOT_SUPPORTED)),
        }
    }

    async fn perform(&self, call: Call) -> Answer {
        let Call {
            requestor,
            request,
            key,
        } = call;
        match request {
            Request::SendMessage(request) => self.send_message(requestor, *request, key).await,
            Request::DeliverMessage(request) => {
                self.deliver_message(requestor, *request, key).await
            }
            Request::DeliverGroupMessage(request) => {
                self.deliver_group_message(*request, key).await
            }
            Request::DeliveryReport(report) => {
                self.take_report(&requestor.user, *report, key).await
            }
            Request::GetAccessLists => self.get_access_lists(requestor).await,
            Request::ChangeAccessLists(request) => {
                self.change_access_lists(requestor, *request, key).await
            }
            Request::RejectMessages(request) => self.reject_messages(requestor, request, key).await,
            Request::ForwardMessage(request) => {
                self.forward_message(requestor, *request, key).await
            }
            Request::GetHistory(request) => self.get_history(requestor, request).await,
            Request::GetHistoryMessage(id) => self.get_history_message(requestor, id).await,
            Request::UpdatePresence(request) => self.update_presence(requestor, request).await,
            Request::GetPresence(request) => self.get_presence(requestor, request).await,
            Request::SubscribePresence(request) => self.subscribe(requestor, request).await,
            Request::UnsubscribePresence(request) => self.unsubscribe(requestor, request).await,
            Request::PresenceNotification(notification) => {
                self.take_notification(notification).await
            }
            Request::ClientStatus(status) => self.take_client_status(requestor, status).await,
            Request::CreateAttributeList(request) => {
                self.create_attribute_list(requestor, request, key).await
            }
            Request::DeleteAttributeList(request) => {
                self.delete_attribute_list(requestor, request, key).await
            }
            Request::GetAttributeLists(request) => {
                self.get_attribute_lists(requestor, request).await
            }
            Request::AuthorizeWatcher(request) => {
                self.authorize_watcher(requestor, request, key).await
            }
            Request::CancelAuthorization(request) => {
                self.cancel_authorization(requestor, request, key).await
            }
            Request::GetReactiveAuthorizations(request) => {
                self.get_reactive_authorizations(requestor, request).await
            }
            Request::GetWatchers(request) => self.get_watchers(requestor, request).await,
            Request::AskPublisher(request) => self.take_question(*request, key).await,
            Request::GetContactLists => self.get_contact_lists(requestor).await,
            Request::CreateContactList(request) => {
                self.create_contact_list(requestor, request, key).await
            }
            Request::DeleteContactList(request) => {
                self.delete_contact_list(requestor, request, key).await
            }
            Request::ManageContactList(request) => {
                self.manage_contact_list(requestor, request, key).await
            }
            Request::ExpandContactLists(request) => self
                .expand_contact_lists(requestor, request)
                .await
                .map(Response::Members),
            Request::Search(request) => self.search(requestor, *request, key).await,
            Request::ContinueSearch(request) => self.continue_search(requestor, request, key).await,
            Request::StopSearch(request) => self.stop_search(requestor, request, key).await,
            Request::GetPublicProfiles(request) => {
                self.get_public_profiles(requestor, request).await
            }
            Request::UpdatePublicProfile(request) => {
                self.update_public_profile(requestor, request, key).await
            }
            Request::VerifyIds(request) => self.verify(requestor, request).await,
            Request::Invite(request) => self.invite(requestor, *request, key).await,
            Request::DeliverInvitation(request) => self.take_invitation(*request, key).await,
            Request::AnswerInvitation(request) => {
                self.answer_invitation(requestor, *request, key).await
            }
            Request::InvitationAnswer(told) => self.take_invitation_answer(*told, key).await,
            Request::CancelInvitation(request) => {
                self.cancel_invitation(requestor, *request, key).await
            }
            Request::WithdrawInvitation(request) => self.take_withdrawal(*request, key).await,
            Request::Notify(notify) => self.take_notify(&requestor.user, notify, key).await,
            Request::AnswerSystemMessages(answers) => {
                self.answer_system_messages(requestor.user, answers, key)
                    .await
            }
            Request::Locate(request) => self.locate(requestor, request).await,
            request @ (Request::CreateGroup(_)
            | Request::DeleteGroup(_)
            | Request::JoinGroup(_)
            | Request::LeaveGroup(_)
            | Request::GetJoinedUsers(_)
            | Request::GetGroupMembers(_)
            | Request::AddGroupMembers(_)
            | Request::RemoveGroupMembers(_)
            | Request::MemberAccess(_)
            | Request::GetGroupProps(_)
            | Request::SetGroupProps(_)
            | Request::RejectList(_)
            | Request::SubscribeGroupNotice(_)
            | Request::ExtendConversation(_)
            | Request::ForeignGroupNotice(_)
            | Request::ForeignGroupLeave(_)) => {
                self.group_with_content(requestor, request, key).await
            }
        }
    }
}

/// What a request about contact lists changes, if it is carried out.
fn list_notification(request: &Request) -> Option<Notification> {
    match request {
        Request::CreateContactList(create) => {
            Some(Notification::ContactListCreated(create.list.clone()))
        }
        Request::DeleteContactList(delete) => {
            Some(Notification::ContactListDeleted(delete.list.clone()))
        }
        Request::ManageContactList(manage) if !manage.is_read_only() => {
            Some(Notification::ContactListChanged(manage.list.clone()))
        }
        _ => None,
    }
}

/// The contact list whose members a request changes, and whether that is gone then: access
/// lists may name it (csp-im 11.3).
fn list_that_changes(request: &Request) -> Option<(ContactListId, bool)> {
    match request {
        Request::DeleteContactList(delete) => Some((delete.list.clone(), true)),
        Request::ManageContactList(manage) if !manage.is_read_only() => {
            Some((manage.list.clone(), false))
        }
        _ => None,
    }
}

/// What a request about authorization changes, if it is carried out.
fn authorization_notification(request: &Request) -> Option<Notification> {
    let (attributes, whom) = match request {
        Request::CreateAttributeList(create) => {
            let whom = Watchers {
                users: create.targets.users.clone(),
                contact_lists: create.targets.contact_lists.clone(),
                default: create.default || create.default_notify.is_some(),
            };
            (create.attributes.unwrap_or_default(), whom)
        }
        Request::DeleteAttributeList(delete) => {
            let whom = Watchers {
                users: delete.targets.users.clone(),
                contact_lists: delete.targets.contact_lists.clone(),
                default: delete.default,
            };
            (AttributeSet::EMPTY, whom)
        }
        Request::AuthorizeWatcher(authorize) => {
            let attributes = authorize.attributes.unwrap_or_default();
            (attributes, Watchers::user(&authorize.watcher))
        }
        Request::CancelAuthorization(cancel) => {
            (AttributeSet::EMPTY, Watchers::user(&cancel.watcher))
        }
        _ => return None,
    };
    Some(Notification::AuthorizationChanged { attributes, whom })
}

/// Whom a request lets get through (AuthorizeAndGrant, csp-presence 2.7): block and grant lists
/// are kept at home, wherever the contact list is.
fn members_to_grant(request: &Request) -> Vec<UserId> {
    match request {
        Request::ManageContactList(manage) if manage.authorize_and_grant => manage
            .add
            .iter()
            .map(|member| member.user.clone())
            .collect(),
        _ => Vec::new(),
    }
}

/// What is about a client says so before it leaves the domain that knows the session.
fn with_client(request: Request, client: Option<&hamlet_model::ClientId>) -> Request {
    let Request::UpdatePresence(mut update) = request else {
        return request;
    };
    let unnamed = |attribute: &&mut Attribute| {
        attribute.name.is_client_status() && attribute.client.is_none()
    };
    for attribute in update.attributes.iter_mut().filter(unnamed) {
        attribute.client = client.cloned();
    }
    Request::UpdatePresence(update)
}
