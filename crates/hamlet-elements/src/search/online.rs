//! Who is online, as far as one user may know (csp-access 9.2; csp-presence 6.8).

use crate::contact_list::ExpandContactLists;
use crate::elements::{Inner, PresenceHome};
use crate::failure::refusal;
use crate::presence::{GetPresence, Targets, each_once};
use crate::service::{Answer, Call, Request, Requestor, Response};
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue};
use hamlet_model::{Refusal, UserId};

impl Inner {
    /// Those of the home domain whom the requestor sees online, and whom he sees offline.
    /// Others are neither: an answer must not tell what presence does not.
    pub(super) async fn seen_online(
        &self,
        requestor: &Requestor,
    ) -> Result<(Vec<UserId>, Vec<UserId>), Refusal> {
        let mut users = self.acquaintances(requestor).await?;
        users.push(requestor.user.clone());
        users.retain(|user| self.directory.is_home(user));
        let request = Request::GetPresence(GetPresence {
            targets: Targets {
                users: each_once(users),
                ..Targets::default()
            },
            attributes: AttributeSet::from_iter([AttributeName::OnlineStatus]),
        });
        let Response::Presence(values) = self.ask_element(requestor, request).await? else {
            return Ok(Default::default());
        };
        let (mut online, mut offline) = (Vec::new(), Vec::new());
        for presence in values.users {
            match is_online(&presence.attributes) {
                Some(true) => online.push(presence.user),
                Some(false) => offline.push(presence.user),
                None => {}
            }
        }
        Ok((online, offline))
    }

    /// Whose presence the requestor might see.
    async fn acquaintances(&self, requestor: &Requestor) -> Result<Vec<UserId>, Refusal> {
        if self.config.presence_home == PresenceHome::Local {
            let user = requestor.user.clone();
            let read = self.store.read(move |tx| {
                let mut users = tx.contacts_of(&user)?;
                users.extend(tx.lists_with(&user)?.iter().map(|list| list.owner()));
                users.extend(tx.authorizers_of(&user)?);
                Ok(users)
            });
            return read.await.map_err(|error| refusal(&error));
        }
        let answer = self
            .ask_element(requestor, Request::GetContactLists)
            .await?;
        let Response::ContactLists(lists) = answer else {
            return Ok(Vec::new());
        };
        let lists = lists.others.into_iter().chain(lists.default).collect();
        let request = Request::ExpandContactLists(ExpandContactLists { lists });
        match self.ask_element(requestor, request).await? {
            Response::Members(members) => Ok(members.users),
            _ => Ok(Vec::new()),
        }
    }

    /// Asks another element for the requestor.
    pub(crate) async fn ask_element(&self, requestor: &Requestor, request: Request) -> Answer {
        let call = Call {
            requestor: requestor.clone(),
            request,
            key: None,
        };
        // The way leads back to where searches are carried out.
        Box::pin(self.route(call)).await
    }
}

/// Whether any client is online; `None` when that is not said.
fn is_online(attributes: &[Attribute]) -> Option<bool> {
    let states = attributes
        .iter()
        .filter(|a| a.name == AttributeName::OnlineStatus && a.qualifier);
    let flags = states.filter_map(|attribute| match attribute.value {
        AttributeValue::Flag(flag) => Some(flag),
        _ => None,
    });
    flags.max()
}
