//! AuthorizeAndGrant (csp-presence 2.7): who is added to a contact list is let see the
//! owner's presence.

use super::change::settle;
use crate::elements::Shared;
use hamlet_model::presence::{AttributeName, AttributeSet};
use hamlet_model::{ContactListId, UserId};
use hamlet_store::{AttributeList, AttributeTarget, StoreError, Tx};

/// What an owner without any list lets those see whom he authorizes so.
const USUAL: [AttributeName; 6] = [
    AttributeName::OnlineStatus,
    AttributeName::ClientInfo,
    AttributeName::CommCap,
    AttributeName::UserAvailability,
    AttributeName::StatusText,
    AttributeName::Alias,
];

/// Lets the members see what the list lets be seen, or else the default list, or the usual
/// attributes. Where the list does it, a member needs no list of his own, but one that he has
/// is widened. Questions that are answered by it.
pub(crate) fn authorize_added(
    tx: &mut Tx<'_>,
    shared: &Shared,
    list: &ContactListId,
    members: &[UserId],
) -> Result<Vec<String>, StoreError> {
    let owner = list.owner();
    let through_list = AttributeTarget::ContactList(list.clone());
    let of_list = tx
        .attribute_list(&owner, &through_list)?
        .and_then(|found| found.attributes);
    let default = tx.attribute_list(&owner, &AttributeTarget::Default)?;
    let default = default
        .and_then(|found| found.attributes)
        .filter(|set| !set.is_empty());
    let fallback = default.unwrap_or_else(|| USUAL.into_iter().collect());
    let lists = tx.attribute_lists(&owner)?;
    let of_users = lists
        .iter()
        .filter(|list| matches!(list.target, AttributeTarget::User(_)));
    let mut count = of_users.count();
    let mut settled = Vec::new();
    for member in members {
        let target = AttributeTarget::User(member.clone());
        let own = tx.attribute_list(&owner, &target)?;
        let granted = of_list.unwrap_or(fallback);
        let before = own.as_ref().and_then(|own| own.attributes);
        let needs_own = of_list.is_none() || before.is_some();
        if needs_own && (own.is_some() || count < shared.presence.max_attribute_lists) {
            count += usize::from(own.is_none());
            let attributes = before.unwrap_or(AttributeSet::EMPTY).union(granted);
            let list = AttributeList {
                target,
                attributes: Some(attributes),
                notify: own.is_some_and(|own| own.notify),
            };
            tx.put_attribute_list(&owner, &list)?;
        }
        settled.extend(settle(tx, &owner, member, granted)?);
    }
    Ok(settled)
}
