//! What has been committed for other domains and waits to be sent (csp-im 5.3 item 10).

use crate::service::Request;
use hamlet_model::{Domain, Timestamp, UserId};

/// One request for another domain: to be sent until it is answered or expires.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxItem {
    /// Names it; the receiving domain recognises a repetition by it. Never given twice.
    pub id: i64,
    /// Where it goes.
    pub destination: Domain,
    /// On whose behalf.
    pub requestor: UserId,
    /// What is asked there.
    pub request: Request,
    /// How often it has been sent.
    pub attempts: u32,
    /// When it stops being worth sending.
    pub expires: Timestamp,
}
