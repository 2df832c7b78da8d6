//! SubscribePresence (csp-presence 4.3, 4.4).

use crate::authorization::Unauthorized;
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::outbox::{PRESENCE_LIFE, Parcel};
use crate::presence::fetch::all_if_empty;
use crate::presence::notify::presence_parcel;
use crate::presence::targets::Resolved;
use crate::presence::{Change, SubscribePresence, Targets, UnsubscribePresence};
use crate::service::{Answer, Event, Outcome, Request, Requestor, Response};
use hamlet_model::presence::AttributeSet;
use hamlet_model::refusal::Failures;
use hamlet_model::{ContactListId, Domain, Refusal, SessionId, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, Subscriber, Subscription, Tx};
use std::collections::BTreeMap;

/// One subscriber's interest in some publishers, from one source.
#[derive(Debug, Clone)]
pub(crate) struct Interest {
    pub(crate) subscriber: Subscriber,
    pub(crate) publishers: Vec<UserId>,
    pub(crate) attributes: AttributeSet,
    pub(crate) via: Option<ContactListId>,
}

impl Inner {
    pub(crate) async fn subscribe(
        &self,
        requestor: Requestor,
        request: SubscribePresence,
    ) -> Answer {
        if request.targets.is_empty() {
            return Err(Refusal::because(StatusCode::BAD_REQUEST, "Nobody is named"));
        }
        let subscriber = subscriber(&requestor);
        let Resolved {
            users,
            lists,
            mut failures,
        } = self
            .resolve_targets(&requestor.user, request.targets)
            .await
            .map_err(|error| refusal(&error))?;
        if !request.unknown.is_empty() {
            failures.describe(StatusCode::INVALID_PRESENCE_ATTRIBUTE, &request.unknown);
            if request.attributes.is_empty() {
                // Nothing that there is was asked for, which must not become everything.
                return done(failures, false);
            }
        }
        let any_user = !users.is_empty();
        let any_list = lists.len();
        let missing = self
            .store_subscriptions(Asked {
                subscriber,
                users,
                lists,
                attributes: all_if_empty(request.attributes),
                follow: request.auto_subscribe,
            })
            .await
            .map_err(|error| refusal(&error))?;
        let succeeded = any_user || missing.len() < any_list;
        for list in missing {
            failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
        }
        done(failures, succeeded)
    }

    /// Answers which lists do not exist.
    async fn store_subscriptions(&self, asked: Asked) -> Result<Vec<ContactListId>, StoreError> {
        let (shared, tickets) = (self.shared.clone(), self.hub.tickets());
        let subscriber = asked.subscriber.clone();
        let watcher = subscriber.user().clone();
        let (missing, publishers, mut change, told_relay) = self
            .store
            .write(move |tx| {
                let (interests, missing) = asked.interests(tx)?;
                let mut publishers = Vec::new();
                for interest in &interests {
                    asked.replace(tx, interest)?;
                    publishers.extend(interest.publishers.iter().cloned());
                }
                publishers.sort_unstable();
                publishers.dedup();
                let told_relay = announce(tx, &shared, &asked.subscriber, &publishers)?;
                let subscribers = std::slice::from_ref(&asked.subscriber);
                let change = Change::read(tx, &tickets, &[], subscribers)?;
                Ok((missing, publishers, change, told_relay))
            })
            .await?;
        self.load_for(&watcher, &publishers).await?;
        let made: Vec<(Subscriber, UserId)> = publishers
            .into_iter()
            .map(|publisher| (subscriber.clone(), publisher))
            .collect();
        change.initial = made.clone();
        self.note(change);
        self.emit(told_relay.then_some(Event::Outbox));
        self.ask_publishers(&made).await?;
        Ok(missing)
    }

    /// Loads what decides what `watcher` sees of `publishers`.
    pub(crate) async fn load_for(
        &self,
        watcher: &UserId,
        publishers: &[UserId],
    ) -> Result<(), StoreError> {
        let mut grants = publishers.to_vec();
        if self.config.presence.unauthorized == Unauthorized::Contacts {
            grants.push(watcher.clone());
        }
        self.load(publishers, &grants).await
    }
}

/// A request to subscribe, resolved.
struct Asked {
    subscriber: Subscriber,
    users: Vec<UserId>,
    lists: Vec<ContactListId>,
    attributes: AttributeSet,
    follow: bool,
}

impl Asked {
    /// By source: named users, and the present members of each list that exists.
    fn interests(
        &self,
        tx: &mut Tx<'_>,
    ) -> Result<(Vec<Interest>, Vec<ContactListId>), StoreError> {
        let interest = |publishers, via| Interest {
            subscriber: self.subscriber.clone(),
            publishers,
            attributes: self.attributes,
            via,
        };
        let (mut interests, mut missing) = (Vec::new(), Vec::new());
        if !self.users.is_empty() {
            interests.push(interest(self.users.clone(), None));
        }
        for list in &self.lists {
            if tx.contact_list(list)?.is_none() {
                missing.push(list.clone());
                continue;
            }
            let members = tx.members(list)?.into_iter().map(|member| member.user);
            interests.push(interest(members.collect(), Some(list.clone())));
        }
        Ok((interests, missing))
    }

    /// A later subscription to the same target replaces the earlier one.
    fn replace(&self, tx: &mut Tx<'_>, interest: &Interest) -> Result<(), StoreError> {
        if let Some(list) = &interest.via {
            tx.remove_list_subscriptions(&interest.subscriber, list)?;
            let session = session_of(&interest.subscriber);
            if self.follow {
                tx.put_auto_subscription(&session, list, self.attributes)?;
            } else {
                tx.remove_auto_subscription(&session, list)?;
            }
        }
        interest.store(tx)
    }
}

impl Interest {
    pub(crate) fn store(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let rows: Vec<Subscription> = self
            .publishers
            .iter()
            .map(|publisher| Subscription {
                subscriber: self.subscriber.clone(),
                publisher: publisher.clone(),
                attributes: self.attributes,
                via: self.via.clone(),
            })
            .collect();
        tx.put_subscriptions(&rows)
    }
}

/// Sees to it that other domains hear of new subscriptions: as publishers' domains, or as
/// the subscriber's, which gets the first notification. Whether there is anything to send.
pub(crate) fn announce(
    tx: &mut Tx<'_>,
    shared: &Shared,
    subscriber: &Subscriber,
    publishers: &[UserId],
) -> Result<bool, StoreError> {
    let user = subscriber.user();
    if shared.is_home(user) {
        return subscribe_elsewhere(tx, shared, user, publishers);
    }
    for publisher in publishers {
        tx.put_outbox(&presence_parcel(publisher, user)?)?;
    }
    Ok(!publishers.is_empty())
}

/// Subscribes a user of this domain to publishers of others, one request for each domain and
/// set: there the user is the subscriber, whatever sessions he has (csp-presence 10).
pub(crate) fn subscribe_elsewhere(
    tx: &mut Tx<'_>,
    shared: &Shared,
    user: &UserId,
    publishers: &[UserId],
) -> Result<bool, StoreError> {
    let mut groups: BTreeMap<(Domain, u32), Vec<UserId>> = BTreeMap::new();
    for publisher in publishers.iter().filter(|p| shared.is_reachable(p)) {
        let mut set = AttributeSet::EMPTY;
        for subscription in tx.subscribers_of(publisher)? {
            if subscription.subscriber.user() == user {
                set = set.union(subscription.attributes);
            }
        }
        let key = (publisher.domain(), set.bits());
        groups.entry(key).or_default().push(publisher.clone());
    }
    let any = !groups.is_empty();
    for ((domain, bits), users) in groups {
        let request = Request::SubscribePresence(SubscribePresence {
            targets: Targets {
                users,
                ..Targets::default()
            },
            attributes: AttributeSet::from_bits(bits),
            unknown: Vec::new(),
            auto_subscribe: false,
        });
        put(tx, user, domain, request)?;
    }
    Ok(any)
}

/// Ends, in other domains, the subscriptions that no session of the user needs any more.
pub(crate) fn unsubscribe_elsewhere(
    tx: &mut Tx<'_>,
    shared: &Shared,
    user: &UserId,
    publishers: &[UserId],
) -> Result<bool, StoreError> {
    if !shared.is_home(user) {
        return Ok(false);
    }
    let mut groups: BTreeMap<Domain, Vec<UserId>> = BTreeMap::new();
    for publisher in publishers.iter().filter(|p| shared.is_reachable(p)) {
        let remaining = tx.subscribers_of(publisher)?;
        if !remaining.iter().any(|s| s.subscriber.user() == user) {
            let users = groups.entry(publisher.domain()).or_default();
            users.push(publisher.clone());
        }
    }
    let any = !groups.is_empty();
    for (domain, users) in groups {
        let request = Request::UnsubscribePresence(UnsubscribePresence {
            targets: Targets {
                users,
                ..Targets::default()
            },
        });
        put(tx, user, domain, request)?;
    }
    Ok(any)
}

fn put(tx: &mut Tx<'_>, user: &UserId, domain: Domain, request: Request) -> Result<(), StoreError> {
    let expires = Timestamp::now().plus(PRESENCE_LIFE);
    tx.put_outbox(&Parcel::request(user.clone(), request).entry(domain, expires)?)?;
    Ok(())
}

/// Who is told: the session, or the domain of a user whose sessions are elsewhere.
pub(crate) fn subscriber(requestor: &Requestor) -> Subscriber {
    let user = requestor.user.clone();
    match &requestor.session {
        Some(id) => Subscriber::Session {
            id: id.clone(),
            user,
        },
        None => Subscriber::Domain { user },
    }
}

/// The session in the key of an auto-subscription; empty for a user of another domain.
pub(crate) fn session_of(subscriber: &Subscriber) -> SessionId {
    match subscriber {
        Subscriber::Session { id, .. } => id.clone(),
        Subscriber::Domain { .. } => SessionId::new(""),
    }
}

/// 200, 201, or the code that everything failed with.
pub(crate) fn done(failures: Failures, succeeded: bool) -> Answer {
    let code = failures.overall(succeeded);
    let details = failures.into_details();
    if code.is_success() {
        return Ok(Response::Done(Outcome { details }));
    }
    Err(Refusal {
        code,
        description: code.description().to_owned(),
        details,
    })
}
