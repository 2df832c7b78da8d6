//! Who may see the user's presence (csp-presence 5, 6).

use crate::client::{Client, refusal, unexpected};
use crate::error::Error;
use crate::refusal::Refusal;
use hamlet_csp::elements::{
    CancelAuthRequest, CreateAttributeListRequest, DeleteAttributeListRequest,
    GetAttributeListRequest, GetWatcherListRequest, NotificationRequest, NotificationType,
    PresenceAuthRequest, PresenceAuthUser, PresenceSubList, UserIdList, Watcher as WatcherElement,
    WatcherStatus,
};
use hamlet_csp::{Primitive, Text, Version};
use hamlet_model::TransactionId;
use hamlet_model::presence::AttributeSet;

/// How far back watchers are asked for, seconds.
const HISTORY: u32 = 30 * 86_400;

/// Somebody asks to see the user's presence (csp-presence 6.6, 6.7).
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorizationRequest {
    /// Names the transaction that [`Client::shown`] answers.
    pub transaction: Option<TransactionId>,
    /// Who.
    pub watchers: Vec<String>,
    /// What he asks for and may not see; empty when it is not said.
    pub attributes: AttributeSet,
}

/// Somebody who looks at the user's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// Who.
    pub user: String,
    /// How.
    pub status: WatcherStatus,
}

impl Client {
    /// Lets a watcher see these attributes; `None` for what he has asked for, or everything
    /// where that cannot be said (1.3).
    pub async fn authorize(
        &mut self,
        watcher: &str,
        attributes: Option<AttributeSet>,
    ) -> Result<Refusal, Error> {
        if attributes.is_none() && self.version() < Version::V1_3 {
            return self.decide(watcher, true).await;
        }
        let attributes = attributes.unwrap_or(AttributeSet::STANDARD);
        self.put_attribute_list(watcher, attributes).await
    }

    /// Lets a watcher see nothing, whatever others may see.
    pub async fn deny(&mut self, watcher: &str) -> Result<Refusal, Error> {
        match self.version() {
            Version::V1_3 => self.put_attribute_list(watcher, AttributeSet::EMPTY).await,
            _ => self.decide(watcher, false).await,
        }
    }

    /// Takes back what was decided about a watcher: he is asked about when he subscribes again.
    pub async fn forget_decision(&mut self, watcher: &str) -> Result<Refusal, Error> {
        match self.version() {
            Version::V1_3 => {
                let request = DeleteAttributeListRequest {
                    user_id_list: Some(one(watcher)),
                    default_list: Some(false),
                    ..DeleteAttributeListRequest::default()
                };
                self.ask_status(request).await
            }
            _ => {
                let request = CancelAuthRequest {
                    user_id: Some(Text::new(watcher)),
                };
                self.ask_status(request).await
            }
        }
    }

    /// Who watches the user's presence, and from 1.2 on who did within the last 30 days
    /// (csp-presence 5).
    pub async fn watchers(&mut self) -> Result<Vec<Watcher>, Error> {
        let request = GetWatcherListRequest {
            history_period: (self.version() > Version::V1_1).then_some(HISTORY),
            max_watcher_list: None,
        };
        match self.ask(request).await? {
            Primitive::GetWatcherListResponse(response) => {
                let current = response.user.into_iter().filter_map(|user| user.user_id);
                let current = current.map(|user| Watcher {
                    user: user.into(),
                    status: WatcherStatus::CurrentSubscriber,
                });
                let listed = response.watcher.into_iter().filter_map(watcher);
                Ok(current.chain(listed).collect())
            }
            other => Err(unexpected(&other)),
        }
    }

    /// What single users may see, as far as the user has decided about them (csp-presence 6.4).
    pub async fn decisions(&mut self) -> Result<Vec<(String, AttributeSet)>, Error> {
        let request = GetAttributeListRequest {
            default_list: Some(false),
            ..GetAttributeListRequest::default()
        };
        match self.ask(request).await? {
            Primitive::GetAttributeListResponse(response) => {
                if refusal(response.result.as_ref()).is_some() {
                    return Err(Error::Refused(Refusal::from(response.result)));
                }
                let lists = response.presence.into_iter().filter_map(|list| {
                    let attributes = list.presence_sub_list.first()?.named();
                    Some((String::from(list.user_id?), attributes))
                });
                Ok(lists.collect())
            }
            other => Err(unexpected(&other)),
        }
    }

    /// PresenceAuth-User (csp-presence 6.6).
    async fn decide(&mut self, watcher: &str, accept: bool) -> Result<Refusal, Error> {
        self.ask_status(PresenceAuthUser {
            user_id: Some(Text::new(watcher)),
            acceptance: Some(accept),
            presence_sub_list: None,
        })
        .await
    }

    /// CreateAttributeList for one user (csp-presence 6.2).
    async fn put_attribute_list(
        &mut self,
        watcher: &str,
        attributes: AttributeSet,
    ) -> Result<Refusal, Error> {
        let request = CreateAttributeListRequest {
            presence_sub_list: Some(PresenceSubList::naming(attributes)),
            default_list: Some(false),
            ..CreateAttributeListRequest::default()
        };
        self.ask_status(match self.version() {
            Version::V1_3 => CreateAttributeListRequest {
                user_id_list: Some(one(watcher)),
                ..request
            },
            _ => CreateAttributeListRequest {
                user_id: vec![Text::new(watcher)],
                ..request
            },
        })
        .await
    }
}

impl AuthorizationRequest {
    /// As clients of 1.1 and 1.2 are asked.
    pub(crate) fn asked(transaction: Option<TransactionId>, request: PresenceAuthRequest) -> Self {
        Self {
            transaction,
            watchers: request.user_id.map(String::from).into_iter().collect(),
            attributes: named(request.presence_sub_list),
        }
    }

    /// As those of 1.3 are told; `None` for a notification of something else.
    pub(crate) fn told(
        transaction: Option<TransactionId>,
        notification: &NotificationRequest,
    ) -> Option<Self> {
        let is_about_watchers = matches!(
            notification.notification_type,
            Some(NotificationType::Anu | NotificationType::Anc | NotificationType::And)
        );
        let users = notification.user_id_list.iter();
        let users = users.flat_map(|list| &list.user_id);
        is_about_watchers.then(|| Self {
            transaction,
            watchers: users.map(ToString::to_string).collect(),
            attributes: named(notification.presence_sub_list.clone()),
        })
    }
}

fn named(list: Option<PresenceSubList>) -> AttributeSet {
    list.map(|list| list.named()).unwrap_or_default()
}

fn one(user: &str) -> UserIdList {
    UserIdList {
        user_id: vec![Text::new(user)],
    }
}

fn watcher(element: WatcherElement) -> Option<Watcher> {
    let user = element.user_id.or(element.user.and_then(|u| u.user_id))?;
    Some(Watcher {
        user: user.into(),
        status: element
            .watcher_status
            .unwrap_or(WatcherStatus::CurrentSubscriber),
    })
}
