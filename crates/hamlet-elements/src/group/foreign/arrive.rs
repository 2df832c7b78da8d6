//! What a group's domain says to those of the users who have joined it: what has changed, and
//! who is out.

use crate::elements::Inner;
use crate::failure::refusal;
use crate::group::change::done;
use crate::group::types::{ForeignGroupLeave, ForeignGroupNotice};
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Response};
use hamlet_model::{GroupId, StatusCode, UserId};

impl Inner {
    /// The group's domain says that the user is not joined, or that there is no such group,
    /// though he was: his clients hear of it.
    pub(crate) async fn notice_lost_join(&self, user: &UserId, group: &GroupId, answer: &Answer) {
        let lost = [StatusCode::NOT_JOINED, StatusCode::NO_SUCH_GROUP];
        let code = match answer {
            Err(refusal) if lost.contains(&refusal.code) => refusal.code,
            _ => return,
        };
        let leave = ForeignGroupLeave {
            group: group.clone(),
            users: vec![user.clone()],
            code,
        };
        if let Err(refusal) = self.take_group_leave(leave, None).await {
            tracing::warn!(%refusal, "a lost join could not be told");
        }
    }

    /// Something has changed in a group elsewhere.
    pub(crate) async fn take_group_notice(
        &self,
        notice: ForeignGroupNotice,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let ForeignGroupNotice {
            group,
            users,
            change,
        } = notice;
        let of = group.clone();
        let (repeated, sessions) = self
            .store
            .write(move |tx| {
                if once::recall(tx, key.as_ref())?.is_some() {
                    return Ok((true, Vec::new()));
                }
                once::settle(tx, key.as_ref(), &Ok(done()))?;
                let mut sessions = Vec::new();
                for user in &users {
                    let joined = tx.joined_of_user(&of, user)?;
                    let listening = joined
                        .into_iter()
                        .filter(|join| join.copy && join.subscribed);
                    sessions.extend(listening.filter_map(|joined| joined.session));
                }
                Ok((false, sessions))
            })
            .await
            .map_err(|error| refusal(&error))?;
        if !repeated {
            let change = std::sync::Arc::new(change);
            self.emit(sessions.into_iter().map(|session| Event::GroupNotice {
                session,
                group: group.clone(),
                change: change.clone(),
            }));
        }
        Ok(Response::Done(Outcome::default()))
    }

    /// Users are out of a group elsewhere.
    pub(crate) async fn take_group_leave(
        &self,
        leave: ForeignGroupLeave,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let ForeignGroupLeave { group, users, code } = leave;
        let of = group.clone();
        let sessions = self
            .store
            .write(move |tx| {
                if once::recall(tx, key.as_ref())?.is_some() {
                    return Ok(Vec::new());
                }
                once::settle(tx, key.as_ref(), &Ok(done()))?;
                let mut sessions = Vec::new();
                for user in &users {
                    if code == StatusCode::NO_SUCH_GROUP {
                        tx.set_auto_join_elsewhere(user, &of, false)?;
                    }
                    let joined = tx.joined_of_user(&of, user)?;
                    for joined in joined.into_iter().filter(|joined| joined.copy) {
                        tx.remove_group_joined(&of, user, &joined.client)?;
                        sessions.extend(joined.session);
                    }
                }
                if tx.count_group_joined(&of)? == 0 {
                    tx.forget_group(&of)?;
                }
                Ok(sessions)
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.rooms.forget(&group);
        self.emit(sessions.into_iter().map(|session| Event::GroupLeft {
            session,
            group: group.clone(),
            code,
        }));
        Ok(Response::Done(Outcome::default()))
    }
}
