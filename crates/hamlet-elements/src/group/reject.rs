//! Who may not join (csp-group 5.11).

use super::change::{Changed, View, outcome};
use super::effects::Effects;
use super::leave::{Reason, take_out};
use super::members::Named;
use super::rights::{Operation, may};
use super::types::RejectList;
use crate::elements::{Inner, Shared};
use crate::notification::GroupNotice;
use crate::service::{Answer, IdempotenceKey, Requestor, Response};
use hamlet_model::{StatusCode, UserId};
use hamlet_store::Tx;

impl Inner {
    pub(crate) async fn reject_list(
        &self,
        requestor: Requestor,
        request: RejectList,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let RejectList { group, add, remove } = request;
        let none = Default::default();
        if add == none && remove == none {
            return self
                .read_group(move |tx| {
                    let view = View::read(tx, &group, &requestor)?;
                    view.check(&requestor.user, Operation::RejectList)?;
                    Ok(Response::RejectList(tx.group_rejects(&group)?))
                })
                .await;
        }
        let (add, remove) = (self.named(add).await?, self.named(remove).await?);
        let shared = self.shared.clone();
        self.change_group(key, move |tx| {
            let view = View::read(tx, &group, &requestor)?;
            view.check(&requestor.user, Operation::RejectList)?;
            change(tx, &shared, &view, &requestor, &add, &remove)
        })
        .await
    }
}

fn change(
    tx: &mut Tx<'_>,
    shared: &Shared,
    view: &View,
    requestor: &Requestor,
    add: &Named,
    remove: &Named,
) -> Changed {
    let group = &view.group;
    let mut effects = Effects::of(&group.id);
    let (users, mut failures) = add.resolve(tx, group)?;
    let mut something = false;
    for user in users {
        // The owner cannot be kept out of his group: nothing happens.
        if group.owner.as_ref() == Some(&user) {
            something = true;
            continue;
        }
        let role = tx.group_member(&group.id, &user)?.map(|member| member.role);
        let reject = Operation::Reject(role.unwrap_or_default());
        if let Err(code) = may(view.standing(&requestor.user), reject) {
            failures.user(code, user);
            continue;
        }
        let count = tx.group_rejects(&group.id)?.len();
        if count >= shared.groups.max_members {
            failures.user(StatusCode::INSUFFICIENT_GROUP_RIGHTS, user);
            continue;
        }
        something = true;
        if tx.put_group_reject(&group.id, &user, &requestor.user)? {
            effects.notify(shared, &user, None, GroupNotice::Rejected);
        }
        let joined = tx.joined_of_user(&group.id, &user)?;
        take_out(
            tx,
            group,
            &joined,
            Reason::Others(StatusCode::REJECTED),
            &mut effects,
        )?;
    }
    // Who is not on the list, whoever that is, is off it.
    let (users, _) = remove.resolve(tx, group)?;
    let gone: Vec<&UserId> = users.iter().chain(&remove.unknown).collect();
    for user in gone {
        tx.remove_group_reject(&group.id, user)?;
        something = true;
    }
    something |= !remove.screen_names.is_empty() || !remove.malformed.is_empty();
    let response = match failures.is_empty() {
        true => Response::RejectList(tx.group_rejects(&group.id)?),
        false => outcome(failures, something)?,
    };
    Ok((response, vec![effects.seal(tx, shared)?]))
}
