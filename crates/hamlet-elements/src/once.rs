//! Requests that are carried out once, however often they arrive (csp-access 2.3).

use crate::failure::encoding;
use crate::service::{Answer, IdempotenceKey};
use hamlet_model::Timestamp;
use hamlet_store::{Remembered, StoreError, Tx};

/// Records `answer` as what the request is going to be answered. `Some` is the answer given
/// earlier to the same request, which must not be carried out again.
///
/// The same identifier with another content is another request, whose record replaces the
/// earlier one: clients count anew after a restart.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    key: Option<&IdempotenceKey>,
    answer: &Answer,
) -> Result<Option<Answer>, StoreError> {
    let Some(key) = key else { return Ok(None) };
    let now = Timestamp::now();
    let octets = serde_json::to_vec(answer).map_err(encoding)?;
    match tx.remember(&key.scope, &key.id, key.hash, &octets, now)? {
        Remembered::New => Ok(None),
        Remembered::Known { hash, answer } if hash == key.hash => {
            serde_json::from_slice(&answer).map(Some).map_err(encoding)
        }
        Remembered::Known { .. } => {
            tx.replace_remembered(&key.scope, &key.id, key.hash, &octets, now)?;
            Ok(None)
        }
    }
}

/// The answer given earlier to the same request, for those whose answer is known only after
/// they have been carried out.
pub(crate) fn recall(
    tx: &mut Tx<'_>,
    key: Option<&IdempotenceKey>,
) -> Result<Option<Answer>, StoreError> {
    let Some(key) = key else { return Ok(None) };
    match tx.remembered(&key.scope, &key.id)? {
        Some((hash, answer)) if hash == key.hash => {
            serde_json::from_slice(&answer).map(Some).map_err(encoding)
        }
        _ => Ok(None),
    }
}

/// Records the answer in place of what [`begin`] foresaw.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    key: Option<&IdempotenceKey>,
    answer: &Answer,
) -> Result<(), StoreError> {
    let Some(key) = key else { return Ok(()) };
    let octets = serde_json::to_vec(answer).map_err(encoding)?;
    tx.replace_remembered(&key.scope, &key.id, key.hash, &octets, Timestamp::now())
}
