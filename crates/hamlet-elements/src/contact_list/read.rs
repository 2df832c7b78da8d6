//! GetList, and what a list stands for (csp-presence 2.4; csp-im 5.3 item 5).

use crate::contact_list::{ContactLists, ExpandContactLists, Members};
use crate::elements::Inner;
use crate::failure::refusal;
use crate::presence::each_once;
use crate::service::{Answer, Requestor, Response};
use hamlet_model::{ContactListId, Refusal};

impl Inner {
    pub(crate) async fn get_contact_lists(&self, requestor: Requestor) -> Answer {
        let lists = self
            .store
            .read(move |tx| tx.contact_lists(&requestor.user))
            .await
            .map_err(|error| refusal(&error))?;
        let mut answer = ContactLists::default();
        for list in lists {
            // csp-presence 2.4: not repeated among the others.
            if list.default {
                answer.default = Some(list.id);
            } else {
                answer.others.push(list.id);
            }
        }
        Ok(Response::ContactLists(answer))
    }

    /// The members of the requestor's lists.
    pub(crate) async fn expand_contact_lists(
        &self,
        requestor: Requestor,
        request: ExpandContactLists,
    ) -> Result<Members, Refusal> {
        let (own, unknown): (Vec<ContactListId>, Vec<ContactListId>) = each_once(request.lists)
            .into_iter()
            .partition(|list| list.owner() == requestor.user);
        let mut members = self
            .store
            .read(move |tx| {
                let mut members = Members::default();
                for list in &own {
                    if tx.contact_list(list)?.is_none() {
                        members.unknown.push(list.clone());
                        continue;
                    }
                    let users = tx.members(list)?.into_iter().map(|member| member.user);
                    members.users.extend(users);
                }
                Ok(members)
            })
            .await
            .map_err(|error| refusal(&error))?;
        members.users = each_once(members.users);
        members.unknown.extend(unknown);
        Ok(members)
    }
}
