//! AutoJoin in groups of other domains (csp-group 9): here is noted in which of them a user wants
//! to be joined, and their domains say whether he still does and may.

use super::join::Note;
use crate::elements::{Inner, SessionFacts};
use crate::group::types::{GetGroupProps, GivenProperties, GroupChange, JoinGroup, JoinedUser};
use crate::service::{Event, Request, Requestor, Response};
use hamlet_model::{GroupId, OwnProperty, Role, StatusCode};
use hamlet_store::StoreError;
use std::sync::Arc;

impl Inner {
    /// Joins a client in the groups of other domains in which its user wants it. Where he may
    /// not, or the domain does not answer in time, nothing happens.
    pub(crate) async fn auto_join_elsewhere(&self, session: &SessionFacts, hears: bool) {
        let (user, most) = (session.user.clone(), self.config.groups.max_joined);
        let wanted = self
            .store
            .read(move |tx| tx.auto_join_elsewhere(&user, most))
            .await;
        let joining = match wanted {
            Ok(groups) => groups
                .into_iter()
                .map(|group| self.auto_join_in(session, group, hears)),
            Err(error) => {
                tracing::warn!(%error, "a user is not joined automatically elsewhere");
                return;
            }
        };
        // Side by side, so that a domain that is silent does not hold up the others.
        futures::future::join_all(joining).await;
    }

    async fn auto_join_in(&self, session: &SessionFacts, group: GroupId, hears: bool) {
        let read = Request::GetGroupProps(GetGroupProps {
            group: group.clone(),
        });
        let answer = self
            .ask_surely(&session.user, &group, read, None, Note::Nothing)
            .await;
        let own = match answer {
            Ok(Response::GroupProps(props)) => props.own,
            Err(refusal) if refusal.code == StatusCode::NO_SUCH_GROUP => Vec::new(),
            _ => return,
        };
        let says = |property: OwnProperty| {
            let mut own = own.iter();
            own.find(|(name, _)| *name == property)
                .map(|(_, value)| value.as_str())
        };
        if says(OwnProperty::AutoJoin) != Some("T") {
            // Others have taken it from him, or the group is gone.
            if let Err(error) = self.forget_auto_join(session, &group).await {
                tracing::warn!(%error, "an AutoJoin that is gone could not be forgotten");
            }
            return;
        }
        let requestor = Requestor {
            user: session.user.clone(),
            session: Some(session.id.clone()),
            client: Some(session.client.clone()),
            application: session.application.clone(),
        };
        let request = JoinGroup {
            group: group.clone(),
            screen_name: None,
            list_joined: false,
            subscribe: hears,
            own: GivenProperties::default(),
        };
        let joined = match self.join_elsewhere(requestor, request, None).await {
            Ok(Response::GroupJoined(joined)) => joined,
            answer => {
                tracing::debug!(?answer, "a user is not joined automatically");
                return;
            }
        };
        if hears {
            let role = says(OwnProperty::PrivilegeLevel).and_then(Role::parse);
            let himself = JoinedUser {
                name: joined.screen_name,
                user: (says(OwnProperty::ShowId) == Some("T")).then(|| session.user.clone()),
                role: role.unwrap_or_default(),
            };
            self.emit([Event::GroupNotice {
                session: session.id.clone(),
                group,
                change: Arc::new(GroupChange {
                    joined: vec![himself],
                    ..GroupChange::default()
                }),
            }]);
        }
    }

    async fn forget_auto_join(
        &self,
        session: &SessionFacts,
        group: &GroupId,
    ) -> Result<(), StoreError> {
        let (user, group) = (session.user.clone(), group.clone());
        let write = self
            .store
            .write(move |tx| tx.set_auto_join_elsewhere(&user, &group, false));
        write.await
    }
}
