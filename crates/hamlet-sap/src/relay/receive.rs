//! What comes over links.

use super::frame::{Frame, Purpose};
use crate::Sap;
use hamlet_elements::{Answer, Call, IdempotenceKey, Request, Requestor};
use hamlet_model::{Domain, Refusal, StatusCode, UserId};

impl Sap {
    /// Takes octets that the domain `from` sent over its link. Who may call this has made
    /// sure that they come from there. What is no frame is dropped.
    pub async fn receive(&self, from: &Domain, octets: &[u8]) {
        let frame = match serde_json::from_slice::<Frame>(octets) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::warn!(domain = from.as_str(), %error, "unreadable frame");
                return;
            }
        };
        self.domain_heard(from).await;
        match frame {
            Frame::Request {
                purpose,
                id,
                requestor,
                request,
            } => {
                self.metrics.relay_received.inc();
                let answer = self.carry_out(from, purpose, id, requestor, *request).await;
                if purpose == Purpose::Outbox && is_passing(&answer) {
                    // Not answered: it will come again.
                    return;
                }
                let answer = Frame::Answer {
                    purpose,
                    id,
                    answer,
                };
                self.relay.send(from, &answer).await;
            }
            Frame::Answer {
                purpose,
                id,
                answer,
            } => self.settle_answer(from, purpose, id, answer).await,
        }
    }

    async fn carry_out(
        &self,
        from: &Domain,
        purpose: Purpose,
        id: i64,
        requestor: UserId,
        request: Request,
    ) -> Answer {
        let key = match purpose {
            Purpose::Question => None,
            Purpose::Outbox => Some(IdempotenceKey {
                scope: format!("@{from}"),
                id: id.to_string(),
                hash: 0,
            }),
        };
        let call = Call {
            requestor: Requestor::user(requestor),
            request,
            key,
        };
        self.elements.call_from_domain(from, call).await
    }

    async fn settle_answer(&self, from: &Domain, purpose: Purpose, id: i64, answer: Answer) {
        match purpose {
            Purpose::Question => {
                if !self.relay.pending.settle(from, id, answer) {
                    self.metrics.relay_late.inc();
                }
            }
            Purpose::Outbox => self.settle_outbox(from, id, answer).await,
        }
    }
}

/// Whether the same request may fare better later.
fn is_passing(answer: &Answer) -> bool {
    matches!(
        answer,
        Err(Refusal {
            code: StatusCode::INTERNAL_ERROR
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::TIMEOUT,
            ..
        })
    )
}
