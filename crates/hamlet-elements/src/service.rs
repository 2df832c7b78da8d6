//! What service elements are asked, what they answer, and what they tell others.
//!
//! The same types travel between domains, so that an element cannot tell whether it was
//! called by a session of its own domain or by another one.

use crate::notification::{Notification, Notify};
use crate::push::{Push, Pushed};
use crate::{
    authorization, blocking, contact_list, group, im, invitation, locate, presence, profile,
    search, system_message, verify,
};
use futures::future::BoxFuture;
use hamlet_model::presence::Attribute;
use hamlet_model::{
    AccessLists, ApplicationId, ClientId, Detail, Domain, GroupId, Message, MessageId, Refusal,
    SessionId, StatusCode, UserId,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requestor {
    /// The user.
    pub user: UserId,
    /// His session, when it is one of this server's.
    pub session: Option<SessionId>,
    /// The client of that session.
    pub client: Option<ClientId>,
    /// The application of that session (1.3).
    pub application: Option<ApplicationId>,
}

impl Requestor {
    /// A user of another domain, or one whose session does not matter.
    pub fn user(user: UserId) -> Self {
        Self {
            user,
            session: None,
            client: None,
            application: None,
        }
    }
}

/// Names a request so that it is carried out once (csp-access 2.3): the record of the
/// answer commits together with the effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotenceKey {
    /// The session, or `@domain` for requests of another domain.
    pub scope: String,
    /// The TransactionID with the primitive's name, or the other domain's number.
    pub id: String,
    /// Hash of the content: another content under the same identifier is another request.
    pub hash: i64,
}

/// A request with what surrounds it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub requestor: Requestor,
    /// What for.
    pub request: Request,
    /// For requests that must not be carried out twice.
    pub key: Option<IdempotenceKey>,
}

/// A request to a service element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// csp-im 5.
    SendMessage(Box<im::SendMessage>),
    /// A message for users of this domain, from the domain of its sender.
    DeliverMessage(Box<im::DeliverMessage>),
    /// A message in a group of another domain, for users of this one who have joined it.
    DeliverGroupMessage(Box<im::DeliverGroupMessage>),
    /// The outcome of a message, for its sender in this domain.
    DeliveryReport(Box<im::DeliveryReport>),
    /// csp-im 11.1.
    GetAccessLists,
    /// csp-im 11.2.
    ChangeAccessLists(Box<blocking::ChangeAccessLists>),
    /// csp-im 7.5.
    RejectMessages(im::RejectMessages),
    /// csp-im 7.6.
    ForwardMessage(Box<im::ForwardMessage>),
    /// csp-im 7.4.
    GetHistory(im::GetHistory),
    /// A message of the history of a group that the requestor has joined (csp-im 7.2).
    GetHistoryMessage(MessageId),
    /// csp-presence 4.1.
    UpdatePresence(presence::UpdatePresence),
    /// csp-presence 4.2.
    GetPresence(presence::GetPresence),
    /// csp-presence 4.3.
    SubscribePresence(presence::SubscribePresence),
    /// csp-presence 4.6.
    UnsubscribePresence(presence::UnsubscribePresence),
    /// Presence of a publisher elsewhere, for a subscriber of this domain.
    PresenceNotification(presence::PresenceNotification),
    /// A client of a user whose presence is kept here logged in or out elsewhere.
    ClientStatus(presence::ClientStatus),
    /// csp-presence 6.2.
    CreateAttributeList(authorization::CreateAttributeList),
    /// csp-presence 6.3.
    DeleteAttributeList(authorization::DeleteAttributeList),
    /// csp-presence 6.4.
    GetAttributeLists(authorization::GetAttributeLists),
    /// csp-presence 6.6.
    AuthorizeWatcher(authorization::AuthorizeWatcher),
    /// csp-presence 6.6.
    CancelAuthorization(authorization::CancelAuthorization),
    /// csp-presence 6.6.
    GetReactiveAuthorizations(authorization::GetReactiveAuthorizations),
    /// csp-presence 5.
    GetWatchers(presence::GetWatchers),
    /// A publisher of this domain is to be asked about a watcher: from the domain where his
    /// presence is kept.
    AskPublisher(Box<authorization::AskPublisher>),
    /// csp-presence 2.4.
    GetContactLists,
    /// csp-presence 2.5.
    CreateContactList(contact_list::CreateContactList),
    /// csp-presence 2.6.
    DeleteContactList(contact_list::DeleteContactList),
    /// csp-presence 2.7.
    ManageContactList(contact_list::ManageContactList),
    /// The members of the requestor's contact lists.
    ExpandContactLists(contact_list::ExpandContactLists),
    /// csp-access 9.
    Search(Box<search::Search>),
    /// csp-access 9.2.
    ContinueSearch(search::ContinueSearch),
    /// csp-access 9.2.
    StopSearch(search::StopSearch),
    /// csp-access 11.1.
    GetPublicProfiles(profile::GetPublicProfiles),
    /// csp-access 11.1.
    UpdatePublicProfile(profile::UpdatePublicProfile),
    /// csp-access 11.2.
    VerifyIds(verify::VerifyIds),
    /// csp-access 10.
    Invite(Box<invitation::Invite>),
    /// An invitation for users of this domain, from the domain of its inviter.
    DeliverInvitation(Box<invitation::DeliverInvitation>),
    /// csp-access 10.
    AnswerInvitation(Box<invitation::AnswerInvitation>),
    /// What an invitee elsewhere says to an invitation of this domain.
    InvitationAnswer(Box<invitation::AnswerShown>),
    /// csp-access 10.
    CancelInvitation(Box<invitation::CancelInvitation>),
    /// The withdrawal of an invitation, from the domain of its inviter.
    WithdrawInvitation(Box<invitation::WithdrawInvitation>),
    /// csp-access 12.
    AnswerSystemMessages(system_message::Answers),
    /// csp-access 11.3.
    Locate(locate::Locate),
    /// A notification for a user of this domain, from the domain of who caused it.
    Notify(Notify),
    /// csp-group 5.1.
    CreateGroup(Box<group::CreateGroup>),
    /// csp-group 5.2.
    DeleteGroup(group::DeleteGroup),
    /// csp-group 5.3.
    JoinGroup(Box<group::JoinGroup>),
    /// csp-group 5.4.
    LeaveGroup(group::LeaveGroup),
    /// csp-group 5.5.
    GetJoinedUsers(group::GetJoinedUsers),
    /// csp-group 5.6.
    GetGroupMembers(group::GetGroupMembers),
    /// csp-group 5.7.
    AddGroupMembers(group::AddGroupMembers),
    /// csp-group 5.7.
    RemoveGroupMembers(group::RemoveGroupMembers),
    /// csp-group 5.8.
    MemberAccess(Box<group::MemberAccess>),
    /// csp-group 5.9.
    GetGroupProps(group::GetGroupProps),
    /// csp-group 5.10.
    SetGroupProps(Box<group::SetGroupProps>),
    /// csp-group 5.11.
    RejectList(Box<group::RejectList>),
    /// csp-group 5.12.
    SubscribeGroupNotice(group::SubscribeGroupNotice),
    /// csp-group 8.
    ExtendConversation(Box<group::ExtendConversation>),
    /// What has changed in a group of another domain, for users of this one.
    ForeignGroupNotice(Box<group::ForeignGroupNotice>),
    /// Users of this domain are out of a group of another one.
    ForeignGroupLeave(group::ForeignGroupLeave),
}

/// Which service element a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceElement {
    /// Presence, with contact lists.
    Presence,
    /// Instant messaging.
    InstantMessaging,
    /// The common features, which every user has at home.
    Common,
    /// Groups: each is served by the domain of its address.
    Group,
}

impl Request {
    /// The element that carries it out.
    pub fn element(&self) -> ServiceElement {
        match self {
            Self::SendMessage(_)
            | Self::DeliverMessage(_)
            | Self::DeliverGroupMessage(_)
            | Self::DeliveryReport(_)
            | Self::GetAccessLists
            | Self::ChangeAccessLists(_)
            | Self::RejectMessages(_)
            | Self::ForwardMessage(_)
            | Self::GetHistory(_)
            | Self::GetHistoryMessage(_) => ServiceElement::InstantMessaging,
            Self::Search(_)
            | Self::ContinueSearch(_)
            | Self::StopSearch(_)
            | Self::GetPublicProfiles(_)
            | Self::UpdatePublicProfile(_)
            | Self::VerifyIds(_)
            | Self::Invite(_)
            | Self::DeliverInvitation(_)
            | Self::AnswerInvitation(_)
            | Self::InvitationAnswer(_)
            | Self::CancelInvitation(_)
            | Self::WithdrawInvitation(_)
            | Self::AnswerSystemMessages(_)
            | Self::Locate(_)
            | Self::Notify(_) => ServiceElement::Common,
            Self::CreateGroup(_)
            | Self::DeleteGroup(_)
            | Self::JoinGroup(_)
            | Self::LeaveGroup(_)
            | Self::GetJoinedUsers(_)
            | Self::GetGroupMembers(_)
            | Self::AddGroupMembers(_)
            | Self::RemoveGroupMembers(_)
            | Self::MemberAccess(_)
            | Self::GetGroupProps(_)
            | Self::SetGroupProps(_)
            | Self::RejectList(_)
            | Self::SubscribeGroupNotice(_)
            | Self::ExtendConversation(_)
            | Self::ForeignGroupNotice(_)
            | Self::ForeignGroupLeave(_) => ServiceElement::Group,
            _ => ServiceElement::Presence,
        }
    }
}

/// What a service element answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Response {
    /// Done, wholly or with the failures listed.
    Done(Outcome),
    /// SendMessage, DeliverMessage, ForwardMessage.
    Message(im::Accepted),
    /// GetAccessLists.
    AccessLists(AccessLists),
    /// GetHistory.
    History(Box<im::History>),
    /// GetHistoryMessage.
    HistoryMessage(Box<Message>),
    /// GetPresence.
    Presence(presence::PresenceValues),
    /// GetAttributeLists.
    AttributeLists(authorization::AttributeLists),
    /// GetReactiveAuthorizations.
    ReactiveAuthorizations(authorization::ReactiveAuthorizations),
    /// GetWatchers.
    Watchers(presence::Watchers),
    /// GetContactLists.
    ContactLists(contact_list::ContactLists),
    /// CreateContactList.
    ContactListCreated(contact_list::Created),
    /// ManageContactList.
    ContactList(Box<contact_list::Managed>),
    /// ExpandContactLists.
    Members(contact_list::Members),
    /// Search, ContinueSearch.
    SearchPage(search::Page),
    /// GetPublicProfiles.
    PublicProfiles(profile::PublicProfiles),
    /// Locate.
    Location(Box<locate::Location>),
    /// JoinGroup.
    GroupJoined(Box<group::Joined>),
    /// GetJoinedUsers.
    JoinedUsers(group::JoinedUsers),
    /// GetGroupMembers.
    GroupMembers(group::GroupMembers),
    /// GetGroupProps.
    GroupProps(Box<group::GroupProps>),
    /// RejectList: everybody who is on it now.
    RejectList(Vec<UserId>),
    /// SubscribeGroupNotice: whether the session gets notices.
    GroupNotices(bool),
    /// ExtendConversation.
    ConversationExtended(Box<group::Extended>),
}

/// Success, possibly partial: 200 without details, 201 with (csp-access 1.5).
///
/// When everything that a request addressed failed, the answer is a [`Refusal`] with the
/// same details instead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What failed; empty for full success.
    pub details: Vec<Detail>,
}

impl Outcome {
    /// 200 or 201.
    pub fn code(&self) -> StatusCode {
        if self.details.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::PARTIAL_SUCCESS
        }
    }
}

/// A response or a refusal.
pub type Answer = Result<Response, Refusal>;

/// Something for a session, which it has not asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An entry has been stored in the mailbox of a user.
    Mailbox {
        /// The user.
        user: UserId,
        /// What was stored.
        item: Arc<im::MailboxItem>,
    },
    /// A mailbox entry is gone (expired).
    MailboxRemoved {
        /// The user.
        user: UserId,
        /// The entries.
        ids: Vec<String>,
    },
    /// A session is done with a message of a group.
    GroupDone {
        /// The session.
        session: SessionId,
        /// The group.
        group: GroupId,
        /// The place of the message in its log.
        seq: i64,
    },
    /// The presence of a publisher, in full, for one subscribed session.
    Presence {
        /// The session.
        session: SessionId,
        /// Whose presence.
        publisher: UserId,
        /// Everything that it may see and asked for.
        attributes: Arc<Vec<Attribute>>,
    },
    /// As [`Event::Presence`], for all sessions of a user: his presence service is elsewhere.
    PresenceForUser {
        /// The subscriber.
        user: UserId,
        /// Whose presence.
        publisher: UserId,
        /// Everything that he may see and asked for.
        attributes: Arc<Vec<Attribute>>,
    },
    /// Something else for all sessions of a user.
    Push(Pushed),
    /// Something for all sessions of all users.
    PushToAll(Arc<Push>),
    /// A push of all users is gone, wherever it still waits.
    PushRemovedFromAll(String),
    /// A push of a user is gone, wherever it still waits.
    PushRemoved {
        /// The user.
        user: UserId,
        /// The push.
        id: String,
    },
    /// Something has changed; for those sessions of the user that want to know.
    Notification {
        /// The user.
        user: UserId,
        /// The session that changed it.
        except: Option<SessionId>,
        /// What.
        notification: Notification,
    },
    /// Something has changed about this session, without its doing.
    SessionNotification {
        /// The session.
        session: SessionId,
        /// What.
        notification: Notification,
    },
    /// Something has changed in a group that the session is joined in and hears of
    /// (GroupChangeNotice).
    GroupNotice {
        /// The session.
        session: SessionId,
        /// The group.
        group: GroupId,
        /// What.
        change: Arc<group::GroupChange>,
    },
    /// The session is not joined in the group any more, not by its own request
    /// (LeaveGroup-Response by the server). What waits for it of this group is of no use.
    GroupLeft {
        /// The session.
        session: SessionId,
        /// The group.
        group: GroupId,
        /// Why (csp-group 5.4).
        code: StatusCode,
    },
    /// A session has joined a group: from now on it gets what is said there.
    GroupJoined {
        /// The session.
        session: SessionId,
        /// The group.
        group: GroupId,
        /// Its name there, as names are compared.
        name: String,
        /// The place in the group's log up to which there is nothing for it.
        cursor: i64,
    },
    /// A session has left a group by itself, or with its end.
    GroupUnjoined {
        /// The session.
        session: SessionId,
        /// The group.
        group: GroupId,
    },
    /// Something was said in a group.
    GroupMessage(Arc<im::GroupMessage>),
    /// Something for another domain has been committed to the outbox.
    Outbox,
    /// Something happened to a message that is written down for billing; only with
    /// `ElementsConfig::records`.
    Message(Box<im::MessageRecord>),
    /// Something happened to a group that is written down for billing; only with
    /// `ElementsConfig::records`.
    Group(Box<group::GroupRecord>),
}

/// Takes events; never blocks.
pub trait Events: Send + Sync {
    /// Takes one.
    fn emit(&self, event: Event);
}

/// The way to other domains (architecture document 5.3.6.4).
pub trait ServiceRelay: Send + Sync {
    /// Asks another domain and waits for its answer, at most `wait`; 516 without a way to
    /// it, 504 without an answer in time.
    fn ask<'a>(
        &'a self,
        domain: &'a Domain,
        requestor: UserId,
        request: Request,
        wait: Duration,
    ) -> BoxFuture<'a, Answer>;

    /// Whether there is a way to this domain.
    fn reaches(&self, domain: &str) -> bool;
}
