//! What goes over a link: requests and answers of the service elements, with numbers.

use hamlet_elements::{Answer, Request};
use hamlet_model::UserId;
use serde::{Deserialize, Serialize};

/// One unit on a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Frame {
    /// A request to a service element of the receiver.
    Request {
        /// Whose numbers `id` is from.
        purpose: Purpose,
        /// Names the request among those of the sender and the purpose.
        id: i64,
        /// On whose behalf.
        requestor: UserId,
        /// What is asked.
        request: Box<Request>,
    },
    /// The answer to a request of the receiver.
    Answer {
        /// As in the request.
        purpose: Purpose,
        /// As in the request.
        id: i64,
        /// The answer.
        answer: Answer,
    },
}

/// Why a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// Somebody waits for the answer; it is sent once.
    Question,
    /// It is in the sender's outbox, and is sent until it is answered.
    Outbox,
}
