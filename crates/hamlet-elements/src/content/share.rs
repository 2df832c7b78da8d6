//! Content that is shared by invitations (csp-access 10.2; architecture document B.4): into a
//! group, also for those who join later, until the invitation is withdrawn.

use crate::blocking::Initiator;
use crate::content::ContentConfig;
use crate::elements::Inner;
use crate::failure::encoding;
use crate::invitation::{DeliverInvitation, Invitation, InviteType, invite_later};
use crate::outbox::Parcel;
use crate::service::{Answer, Event, IdempotenceKey, Request, Requestor};
use hamlet_model::{GroupId, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, Tx};
use std::collections::BTreeMap;

/// Most that is told to one who joins: the newest.
const MAX_TOLD: usize = 20;

/// Most that is read for that.
const MAX_READ: usize = 500;

/// Most that one user shares into a group at a time.
const MAX_SHARED: usize = 50;

/// What an invitation shares, beside telling its invitees.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sharing {
    /// The groups into which it shares content.
    pub(crate) groups: Vec<GroupId>,
    /// The content among it that is kept here.
    contents: Vec<String>,
}

impl Sharing {
    /// What `urls` share into `groups`; nothing for an invitation to something else.
    pub(crate) fn of(
        inner: &Inner,
        kind: InviteType,
        urls: &[String],
        groups: Vec<GroupId>,
    ) -> Self {
        if kind != InviteType::SharedContent {
            return Self::default();
        }
        let kept = inner.config.content.as_ref().map(|config| {
            let ids = urls.iter().filter_map(|url| config.id_in(url));
            ids.map(str::to_owned).collect()
        });
        Self {
            groups,
            contents: kept.unwrap_or_default(),
        }
    }

    /// Notes it; 507 when the inviter shares as much with one of the groups as he may.
    pub(crate) fn note(
        &self,
        tx: &mut Tx<'_>,
        invitation: &Invitation,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let Invitation {
            inviter, id, made, ..
        } = invitation;
        for group in &self.groups {
            if tx.count_group_shares(group, inviter, *made)? >= MAX_SHARED {
                let why = "Too much content is shared with the group";
                return Ok(Err(Refusal::because(StatusCode::MESSAGE_QUEUE_FULL, why)));
            }
        }
        for group in &self.groups {
            let payload = serde_json::to_vec(invitation).map_err(encoding)?;
            tx.put_group_share(group, inviter, id, invitation.expires, &payload)?;
        }
        for content in &self.contents {
            if tx
                .content(content)?
                .is_some_and(|kept| kept.owner == *inviter)
            {
                tx.share_content(content, id)?;
            }
        }
        Ok(Ok(()))
    }
}

/// An invitation is withdrawn, wholly or (`groups`) from groups: they do not tell of it any
/// more, and what is kept here and is not shared otherwise goes. Whether it was in a group.
pub(crate) fn unshare(
    tx: &mut Tx<'_>,
    inviter: &UserId,
    id: &str,
    groups: Option<&[GroupId]>,
) -> Result<bool, StoreError> {
    match groups {
        None => {
            let was_in_group = tx.unshare_with_groups(inviter, id, None)?;
            tx.unshare_content(inviter, id)?;
            Ok(was_in_group)
        }
        Some(groups) => {
            let mut was_in_group = false;
            for group in groups {
                was_in_group |= tx.unshare_with_groups(inviter, id, Some(group))?;
            }
            Ok(was_in_group)
        }
    }
}

impl Inner {
    /// Carries out a request of the Group element. Who has joined a group of this domain is
    /// told what is shared with it.
    pub(crate) async fn group_with_content(
        &self,
        requestor: Requestor,
        request: Request,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let joins = match &request {
            Request::JoinGroup(join) => Some((join.group.clone(), requestor.user.clone())),
            _ => None,
        };
        let answer = self.group(requestor, request, key).await;
        if let (Some((group, user)), Ok(_)) = (joins, &answer)
            && group.domain_str() == self.config.domain.as_str()
        {
            self.tell_shared_content(&group, &user).await;
        }
        answer
    }

    /// A user has joined a group: he is told what was shared with it before. A failure costs
    /// him that, not his joining.
    pub(crate) async fn tell_shared_content(&self, group: &GroupId, user: &UserId) {
        if let Err(error) = self.try_tell_shared_content(group, user).await {
            tracing::warn!(%error, %group, "shared content could not be told to who joined");
        }
    }

    async fn try_tell_shared_content(
        &self,
        group: &GroupId,
        user: &UserId,
    ) -> Result<(), StoreError> {
        let (of, now) = (group.clone(), Timestamp::now());
        let config = self.config.content.clone();
        let shared = self.store.read(move |tx| {
            let read = |payload: Vec<u8>| {
                serde_json::from_slice::<Invitation>(&payload)
                    .map_err(|error| tracing::error!(%error, "shared content is unreadable"))
                    .ok()
            };
            let shared = tx.group_shares(&of, now, MAX_READ)?;
            let mut worth = Vec::new();
            for invitation in shared.into_iter().filter_map(read) {
                if leads_somewhere(tx, config.as_ref(), &invitation.urls, now)? {
                    worth.push(invitation);
                }
            }
            Ok(worth)
        });
        let mut shared = shared.await?;
        shared.sort_by_key(|invitation| invitation.made);
        shared.drain(..shared.len().saturating_sub(MAX_TOLD));
        if shared.is_empty() {
            return Ok(());
        }
        let is_home = self.shared.is_home(user);
        let mut welcome: BTreeMap<UserId, bool> = BTreeMap::new();
        for inviter in shared.iter().map(|shared| &shared.inviter) {
            if inviter == user || welcome.contains_key(inviter) {
                continue;
            }
            let initiator = Initiator::user(inviter.clone());
            // Those elsewhere are asked there.
            let refused = is_home
                && !self
                    .refusing(&initiator, std::slice::from_ref(user))
                    .await?
                    .is_empty();
            welcome.insert(inviter.clone(), !refused);
        }
        shared.retain(|invitation| welcome.get(&invitation.inviter) == Some(&true));
        let (joined, config) = (user.clone(), self.config.invitations.clone());
        let events = self
            .store
            .write(move |tx| {
                let mut events = Vec::new();
                for invitation in &shared {
                    let Invitation { inviter, id, .. } = invitation;
                    if tx.invitation(inviter, id, &joined)?.is_some() {
                        continue;
                    }
                    if is_home {
                        events.extend(invite_later(tx, invitation, &joined, &config)?);
                    } else {
                        events.push(deliver(tx, invitation, &joined)?);
                    }
                }
                Ok(events)
            })
            .await?;
        self.emit(events);
        Ok(())
    }
}

/// Whether one of the URLs is that of another server, or of content that is still kept here.
fn leads_somewhere(
    tx: &mut Tx<'_>,
    config: Option<&ContentConfig>,
    urls: &[String],
    now: Timestamp,
) -> Result<bool, StoreError> {
    for url in urls {
        let lives = match config.and_then(|config| config.id_in(url)) {
            None => true,
            Some(id) => tx.content(id)?.is_some_and(|kept| kept.expires > now),
        };
        if lives {
            return Ok(true);
        }
    }
    Ok(urls.is_empty())
}

/// Sends an invitation to who has joined from another domain.
fn deliver(tx: &mut Tx<'_>, invitation: &Invitation, to: &UserId) -> Result<Event, StoreError> {
    let invitees = vec![to.clone()];
    crate::invitation::put_foreign(tx, invitation, &invitees)?;
    let request = Request::DeliverInvitation(Box::new(DeliverInvitation {
        invitation: invitation.clone(),
        invitees,
    }));
    let parcel = Parcel::request(invitation.inviter.clone(), request);
    tx.put_outbox(&parcel.entry(to.domain(), invitation.expires)?)?;
    Ok(Event::Outbox)
}
