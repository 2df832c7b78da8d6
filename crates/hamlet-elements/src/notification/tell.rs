//! How users hear of what others have done.

use super::{Notification, Notify};
use crate::blocking::Initiator;
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::once;
use crate::outbox::Parcel;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Response};
use hamlet_model::{ContactListId, SessionId, Timestamp, UserId};
use hamlet_store::{StoreError, Tx};
use std::time::Duration;

/// How long a notification for another domain is worth sending.
const LIFE: Duration = Duration::from_secs(3600);

/// What a change of a contact list is worth telling (csp-presence 12).
#[derive(Debug, Default)]
pub(crate) struct ListNotices {
    /// For the other sessions of the owner.
    own: Option<(SessionId, Notification)>,
    /// Users of this domain who have been added.
    added: Vec<UserId>,
}

impl ListNotices {
    /// What the other sessions of the list's owner are told. Of a session of another domain
    /// that one knows more.
    pub(crate) fn changed(&mut self, session: Option<SessionId>, notification: Notification) {
        self.own = session.map(|session| (session, notification));
    }

    /// Who has been added hears of it: here after the commit, elsewhere by the outbox.
    /// Whether something goes there.
    pub(crate) fn added(
        &mut self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        list: &ContactListId,
        members: &[UserId],
    ) -> Result<bool, StoreError> {
        let owner = list.owner();
        let mut outbox = false;
        for member in members.iter().filter(|member| **member != owner) {
            if shared.is_home(member) {
                self.added.push(member.clone());
            } else if shared.is_home(&owner) && shared.is_reachable(member) {
                let notify = Request::Notify(Notify {
                    user: member.clone(),
                    notification: Notification::AddedToContactList(owner.clone()),
                });
                let parcel = Parcel::request(owner.clone(), notify);
                let expires = Timestamp::now().plus(LIFE);
                tx.put_outbox(&parcel.entry(member.domain(), expires)?)?;
                outbox = true;
            }
        }
        Ok(outbox)
    }
}

impl Inner {
    /// After the commit.
    pub(crate) async fn tell_of_list(&self, owner: &UserId, notices: ListNotices) {
        if let Some((session, notification)) = notices.own {
            self.emit([Event::Notification {
                user: owner.clone(),
                except: Some(session),
                notification,
            }]);
        }
        let adder = Initiator::user(owner.clone());
        let refusing = match self.refusing(&adder, &notices.added).await {
            Ok(refusing) => refusing,
            Err(error) => {
                tracing::warn!(%error, "added users are not told, because it is not known who minds");
                return;
            }
        };
        let added = notices.added.into_iter();
        let welcome = added.filter(|user| !refusing.contains(user));
        self.emit(welcome.map(|user| Event::Notification {
            user,
            except: None,
            notification: Notification::AddedToContactList(owner.clone()),
        }));
    }

    /// A user of another domain has done something that concerns one of this.
    pub(crate) async fn take_notify(
        &self,
        by: &UserId,
        notify: Notify,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let Notify { user, notification } = notify;
        let answer = Ok(Response::Done(Outcome::default()));
        let foreseen = answer.clone();
        let before = self
            .store
            .write(move |tx| once::begin(tx, key.as_ref(), &foreseen))
            .await
            .map_err(|error| refusal(&error))?;
        let by = Initiator::user(by.clone());
        let refused = self.refusing(&by, std::slice::from_ref(&user)).await;
        let refused = refused.map_err(|error| refusal(&error))?;
        if before.is_none() && refused.is_empty() {
            self.emit([Event::Notification {
                user,
                except: None,
                notification,
            }]);
        }
        answer
    }
}
