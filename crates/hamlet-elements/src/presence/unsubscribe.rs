//! UnsubscribePresence (csp-presence 4.6).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::presence::subscribe::{done, session_of, subscriber, unsubscribe_elsewhere};
use crate::presence::targets::Resolved;
use crate::presence::{Change, UnsubscribePresence};
use crate::service::{Answer, Event, Requestor};
use hamlet_model::{ContactListId, Refusal, StatusCode, UserId};
use hamlet_store::{StoreError, Subscriber};

impl Inner {
    pub(crate) async fn unsubscribe(
        &self,
        requestor: Requestor,
        request: UnsubscribePresence,
    ) -> Answer {
        if request.targets.is_empty() {
            return Err(Refusal::because(StatusCode::BAD_REQUEST, "Nobody is named"));
        }
        let Resolved {
            users,
            lists,
            mut failures,
        } = self
            .resolve_targets(&requestor.user, request.targets)
            .await
            .map_err(|error| refusal(&error))?;
        let (any_user, any_list) = (!users.is_empty(), lists.len());
        let missing = self
            .remove_subscriptions(subscriber(&requestor), users, lists)
            .await
            .map_err(|error| refusal(&error))?;
        let succeeded = any_user || missing.len() < any_list;
        for list in missing {
            failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
        }
        done(failures, succeeded)
    }

    /// Ends every subscription to the users, and those that a list stands for: through it,
    /// and to its members one by one. Answers which lists do not exist.
    async fn remove_subscriptions(
        &self,
        subscriber: Subscriber,
        users: Vec<UserId>,
        lists: Vec<ContactListId>,
    ) -> Result<Vec<ContactListId>, StoreError> {
        let (shared, tickets) = (self.shared.clone(), self.hub.tickets());
        let (missing, change, told_relay) = self
            .store
            .write(move |tx| {
                let before = tx.subscriptions_of(&subscriber)?;
                let mut missing = Vec::new();
                tx.remove_subscriptions(&subscriber, &users)?;
                for list in &lists {
                    if tx.contact_list(list)?.is_none() {
                        missing.push(list.clone());
                        continue;
                    }
                    let members: Vec<UserId> =
                        tx.members(list)?.into_iter().map(|m| m.user).collect();
                    tx.remove_list_subscriptions(&subscriber, list)?;
                    tx.remove_subscriptions_via(&subscriber, &members, None)?;
                    tx.remove_auto_subscription(&session_of(&subscriber), list)?;
                }
                let mut publishers: Vec<UserId> = before.into_iter().map(|s| s.publisher).collect();
                publishers.dedup();
                let user = subscriber.user();
                let told_relay = unsubscribe_elsewhere(tx, &shared, user, &publishers)?;
                let subscribers = std::slice::from_ref(&subscriber);
                let change = Change::read(tx, &tickets, &[], subscribers)?;
                Ok((missing, change, told_relay))
            })
            .await?;
        self.note(change);
        self.emit(told_relay.then_some(Event::Outbox));
        Ok(missing)
    }
}
