//! Notification-Request (csp-access 13, data-types 8).

use super::Facts;
use super::result::text_of;
use hamlet_csp::elements::{
    ContactListIdList, NotificationRequest, NotificationType, OnlineETEMHandling, PresenceSubList,
    Primitive, User, UserIdList, UserIdPair, UserList,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::im::OnlineHandling;
use hamlet_elements::notification::{Notification, Watchers};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{ContactListId, UserId};

/// The request; none before 1.3.
pub fn request(notification: &Notification, facts: &Facts<'_>) -> Option<Primitive> {
    if facts.version < Version::V1_3 {
        return None;
    }
    let code = Text::new(notification.kind().code());
    let mut request = NotificationRequest {
        notification_type: Some(NotificationType::parse(code)),
        ..NotificationRequest::default()
    };
    match notification {
        Notification::AuthorizationChanged { attributes, whom }
        | Notification::AuthorizationNeeded {
            attributes, whom, ..
        } => authorization(&mut request, *attributes, whom),
        Notification::AddedToContactList(by) => {
            request.user_list = Some(UserList {
                user: vec![User {
                    user_id: Some(text_of(by)),
                    ..User::default()
                }],
                screen_name: Vec::new(),
            });
        }
        Notification::BlockListUsage(in_use) => request.block_list_in_use = Some(*in_use),
        Notification::GrantListUsage(in_use) => request.grant_list_in_use = Some(*in_use),
        Notification::ContactListChanged(list)
        | Notification::ContactListCreated(list)
        | Notification::ContactListDeleted(list) => {
            request.contact_list_id_list = lists(std::slice::from_ref(list));
        }
        Notification::ValidUser { given, valid } => {
            request.user_id_pair = Some(UserIdPair {
                unrecognized_user_id: Some(given.into()),
                valid_user_id: Some(text_of(valid)),
            });
        }
        Notification::Group(_, group) => request.group_id = Some(text_of(group)),
        Notification::InvitationAccepted(id)
        | Notification::InvitationRejected(id)
        | Notification::InvitationCancelled(id) => request.invite_id = Some(id.into()),
        Notification::OnlineHandlingUpdated(handling) => {
            request.online_etem_handling = Some(online_handling(*handling));
        }
        Notification::SessionPriorityAdjusted(priority) => {
            request.session_priority = Some(*priority);
        }
        Notification::BlockListChanged
        | Notification::GrantListChanged
        | Notification::PublicProfileUpdated => {}
    }
    Some(Primitive::NotificationRequest(Box::new(request)))
}

fn authorization(request: &mut NotificationRequest, attributes: AttributeSet, whom: &Watchers) {
    request.presence_sub_list = Some(PresenceSubList::naming(attributes));
    request.user_id_list = users(&whom.users);
    request.contact_list_id_list = lists(&whom.contact_lists);
    request.default_list = whom.default.then_some(true);
}

fn users(users: &[UserId]) -> Option<UserIdList> {
    (!users.is_empty()).then(|| UserIdList {
        user_id: users.iter().map(text_of).collect(),
    })
}

fn lists(lists: &[ContactListId]) -> Option<ContactListIdList> {
    (!lists.is_empty()).then(|| ContactListIdList {
        contact_list: lists.iter().map(text_of).collect(),
    })
}

/// csp-im 10.2.
fn online_handling(handling: OnlineHandling) -> OnlineETEMHandling {
    match handling {
        OnlineHandling::ServerLogic => OnlineETEMHandling::Serverlogic,
        OnlineHandling::ForkAll => OnlineETEMHandling::Forkall,
        OnlineHandling::Detect => OnlineETEMHandling::Detect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::tests::{facts, home, list, user};
    use hamlet_csp::{Document, Message, SessionDescriptor, Syntax, Transaction, WriteOptions};
    use hamlet_elements::notification::{AuthorizationLevel, GroupNotice, NotificationKind};
    use hamlet_model::GroupId;
    use hamlet_model::presence::AttributeName;

    /// One of each type.
    fn all() -> Vec<Notification> {
        let group = GroupId::parse("wv:/chess@im.example", &home()).unwrap();
        let attributes: AttributeSet = [AttributeName::OnlineStatus].into_iter().collect();
        let whom = Watchers {
            users: vec![user("bo")],
            contact_lists: vec![list("wv:anna/work@im.example")],
            default: true,
        };
        let needed = |level| Notification::AuthorizationNeeded {
            level,
            attributes,
            whom: whom.clone(),
        };
        let groups = [
            GroupNotice::Created,
            GroupNotice::Deleted,
            GroupNotice::AccessUpdated,
            GroupNotice::MembershipGranted,
            GroupNotice::MembershipRevoked,
            GroupNotice::MembersUpdated,
            GroupNotice::Rejected,
        ];
        let mut all = vec![
            needed(AuthorizationLevel::User),
            needed(AuthorizationLevel::ContactList),
            needed(AuthorizationLevel::Default),
            Notification::AuthorizationChanged {
                attributes,
                whom: whom.clone(),
            },
            Notification::AddedToContactList(user("bo")),
            Notification::BlockListChanged,
            Notification::BlockListUsage(true),
            Notification::GrantListChanged,
            Notification::GrantListUsage(false),
            Notification::ContactListChanged(whom.contact_lists[0].clone()),
            Notification::ContactListCreated(whom.contact_lists[0].clone()),
            Notification::ContactListDeleted(whom.contact_lists[0].clone()),
            Notification::ValidUser {
                given: "wv:+358501234567".into(),
                valid: user("bo"),
            },
            Notification::InvitationAccepted("i".into()),
            Notification::InvitationRejected("i".into()),
            Notification::InvitationCancelled("i".into()),
            Notification::OnlineHandlingUpdated(OnlineHandling::Detect),
            Notification::PublicProfileUpdated,
            Notification::SessionPriorityAdjusted(3),
        ];
        all.extend(groups.map(|notice| Notification::Group(notice, group.clone())));
        all
    }

    #[test]
    fn every_type_is_written_for_1_3_with_what_it_is_about_and_read_back() {
        let home = home();
        let facts_of = |version| facts(version, &home, ClientFamily::Standard);
        for kind in NotificationKind::ALL {
            assert!(all().iter().any(|one| one.kind() == *kind), "{kind:?}");
        }
        for notification in all() {
            assert_eq!(request(&notification, &facts_of(Version::V1_2)), None);
            let written = request(&notification, &facts_of(Version::V1_3)).unwrap();
            let document = Document::Message(Message {
                session: SessionDescriptor::inband("s"),
                transactions: vec![Transaction::request("1", written.clone())],
                poll: None,
                cir: None,
            });
            for syntax in [Syntax::Xml, Syntax::Wbxml] {
                let options = WriteOptions::default();
                let octets = hamlet_csp::encode(&document, syntax, Version::V1_3, &options);
                if syntax == Syntax::Xml {
                    let text = String::from_utf8_lossy(&octets);
                    let lists = text.matches("<ContactListIDList>").count();
                    assert!(lists <= 1, "{text}");
                }
                let read = hamlet_csp::decode(&octets, syntax).unwrap();
                let Document::Message(message) = read.document else {
                    panic!("{notification:?}");
                };
                let back = message.transactions[0].content.as_ref().unwrap();
                assert_eq!(back, &written, "{notification:?}");
            }
        }
    }
}
