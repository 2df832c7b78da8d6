//! Push or notify (csp-im 3.2). Pure.

use crate::negotiation::capability::{Accepted, Capabilities, Policy};
use hamlet_model::StatusCode;

/// What is done with a message for one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is sent whole.
    Push,
    /// The client is told that it waits.
    Notify,
    /// It is not for this client now: it waits in the mailbox.
    Keep,
    /// The client will never take it.
    Refuse(StatusCode),
}

/// Decides for content of `size` octets before transfer encoding; `notification` says
/// whether the session has agreed to be notified. Whether the written message fits
/// ParserSize is seen when it has been written.
pub(crate) fn decide(
    capabilities: &Capabilities,
    media_type: &str,
    size: usize,
    notification: bool,
) -> Verdict {
    let accepted = capabilities.accepted_type(media_type);
    let exceeds = |limit: Option<u32>| limit.is_some_and(|limit| size as u64 > u64::from(limit));
    let (mut too_long, mut costly) = (exceeds(capabilities.push_length), false);
    match accepted {
        Accepted::Not => return Verdict::Refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        Accepted::Any => {}
        Accepted::Listed(accepted) => {
            too_long |= exceeds(accepted.length);
            match accepted.policy {
                Policy::Reject if exceeds(accepted.policy_limit) => {
                    return Verdict::Refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE);
                }
                Policy::Cost => costly = exceeds(accepted.policy_limit),
                _ => {}
            }
        }
    }
    if media_type.starts_with("text/") {
        too_long |= exceeds(capabilities.text_length);
    }
    match (capabilities.notify || too_long || costly, notification) {
        (false, _) => Verdict::Push,
        (true, true) => Verdict::Notify,
        // A client that knows no notification gets what it can take.
        (true, false) if too_long => Verdict::Keep,
        (true, false) => Verdict::Push,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::capability::{AcceptedType, Offer};
    use Verdict::{Keep, Notify, Push, Refuse};
    use hamlet_csp::Version;
    use std::time::Duration;

    fn any() -> Capabilities {
        let offer = Offer {
            poll_min: Duration::ZERO,
            max_multi_trans: 1,
        };
        Capabilities::unknown(Version::V1_3, offer)
    }

    fn only(media_type: &str, length: Option<u32>, policy: Policy, limit: u32) -> Capabilities {
        Capabilities {
            content_types: Some(vec![AcceptedType {
                media_type: media_type.into(),
                length,
                policy,
                policy_limit: Some(limit),
            }]),
            ..any()
        }
    }

    #[test]
    fn the_table_of_decisions() {
        let short = Capabilities {
            push_length: Some(100),
            ..any()
        };
        let short_text = Capabilities {
            text_length: Some(100),
            ..any()
        };
        let quiet = Capabilities {
            notify: true,
            ..any()
        };
        let quiet_short = Capabilities {
            notify: true,
            ..short.clone()
        };
        let refused = Refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        for (capabilities, media_type, size, without, with) in [
            (&any(), "image/png", 1 << 20, Push, Push),
            (&short, "text/plain", 100, Push, Push),
            (&short, "text/plain", 101, Keep, Notify),
            (&short_text, "text/plain", 101, Keep, Notify),
            (&short_text, "image/png", 101, Push, Push),
            (&quiet, "text/plain", 1, Push, Notify),
            (&quiet_short, "text/plain", 101, Keep, Notify),
            (
                &only("text/plain", None, Policy::None, 0),
                "image/png",
                1,
                refused,
                refused,
            ),
            (
                &only("image/*", Some(50), Policy::None, 0),
                "image/png",
                50,
                Push,
                Push,
            ),
            (
                &only("image/*", Some(50), Policy::None, 0),
                "image/png",
                51,
                Keep,
                Notify,
            ),
            (
                &only("image/png", None, Policy::Reject, 10),
                "image/png",
                11,
                refused,
                refused,
            ),
            (
                &only("image/png", None, Policy::Reject, 10),
                "image/png",
                10,
                Push,
                Push,
            ),
            (
                &only("image/png", None, Policy::Cost, 10),
                "image/png",
                11,
                Push,
                Notify,
            ),
        ] {
            assert_eq!(
                decide(capabilities, media_type, size, false),
                without,
                "{capabilities:?} {size}"
            );
            assert_eq!(
                decide(capabilities, media_type, size, true),
                with,
                "{capabilities:?} {size}"
            );
        }
    }
}
