//! What a group remembers, for those who have joined it (csp-im 7.3, 7.4; csp-group 6 item
//! 10). Expired messages, whispers and what is older than the policy allows are not part of
//! it.

use crate::im::History;
use crate::im::group_message::GroupMessage;
use crate::im::holder::waiting_in_groups;
use crate::service::Requestor;
use hamlet_model::{Domain, GroupId, Message, MessageId, StatusCode, Timestamp};
use hamlet_store::{StoreError, Tx};

/// Most messages that are told at a time.
const MOST: usize = 1000;

/// 800 without such a group here, 808 for one who has not joined it in his session. Of groups
/// elsewhere it is known who has joined.
pub(crate) fn check_joined(
    tx: &mut Tx<'_>,
    home: &Domain,
    requestor: &Requestor,
    group: &GroupId,
) -> Result<Result<(), StatusCode>, StoreError> {
    let is_home = group.domain_str() == home.as_str();
    if is_home && tx.group(group)?.is_none() {
        return Ok(Err(StatusCode::NO_SUCH_GROUP));
    }
    let joined = match &requestor.session {
        Some(session) => tx.group_joined_session(group, session)?.is_some(),
        None => !tx.joined_of_user(group, &requestor.user)?.is_empty(),
    };
    Ok(match joined {
        true => Ok(()),
        false => Err(StatusCode::NOT_JOINED),
    })
}

/// The newest messages of a group's history: as [`check_joined`], and 821 where none is kept.
pub(crate) fn history(
    tx: &mut Tx<'_>,
    home: &Domain,
    requestor: &Requestor,
    group: &GroupId,
    newest: Option<usize>,
    since: Timestamp,
) -> Result<Result<History, StatusCode>, StoreError> {
    if let Err(code) = check_joined(tx, home, requestor, group)? {
        return Ok(Err(code));
    }
    if !tx
        .group(group)?
        .is_some_and(|group| group.properties.history)
    {
        return Ok(Err(StatusCode::NO_HISTORY));
    }
    let newest = newest.unwrap_or(MOST).min(MOST);
    let (entries, total) = tx.group_history(group, Timestamp::now(), since, newest)?;
    let said = entries.into_iter().filter_map(GroupMessage::of);
    Ok(Ok(History {
        messages: said.map(|said| said.message).collect(),
        total,
    }))
}

/// A message that waits for the session in a group, or of some group's history: 426 when there
/// is none, 808 for one who has not joined the group whose history has it.
pub(crate) fn history_message(
    tx: &mut Tx<'_>,
    home: &Domain,
    requestor: &Requestor,
    id: &MessageId,
) -> Result<Result<Message, StatusCode>, StoreError> {
    let now = Timestamp::now();
    if let Some((said, _)) = waiting_in_groups(tx, requestor, id, now)?.pop() {
        return Ok(Ok(said.message));
    }
    let entries = tx.group_log_entries(id)?.into_iter();
    let mut code = StatusCode::INVALID_MESSAGE_ID;
    for entry in entries.filter(|entry| entry.history && entry.expires > now) {
        let joined = check_joined(tx, home, requestor, &entry.group)?;
        match (joined, GroupMessage::of(entry)) {
            (Ok(()), Some(said)) => return Ok(Ok(said.message)),
            (Ok(()), None) => {}
            (Err(not_joined), _) => code = not_joined,
        }
    }
    Ok(Err(code))
}
