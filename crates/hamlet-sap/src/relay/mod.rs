//! The service relay (architecture document 5.3.6.4): requests to service elements of
//! other domains and from them.
//!
//! A [`Link`] carries octets to one domain; what comes back is given to [`Sap::receive`](crate::Sap::receive).
//! Links may delay, lose, repeat and reorder. Requests that must not be lost are in the
//! outbox, and are sent until they are answered or expire; questions are asked once.

mod frame;
mod health;
mod outbox;
mod pending;
mod receive;

use crate::Sap;
use crate::config::RelayConfig;
use crate::metrics::Metrics;
use frame::{Frame, Purpose};
use futures::FutureExt;
use futures::future::BoxFuture;
use hamlet_elements::presence::{GetPresence, Targets};
use hamlet_elements::{Answer, Request, ServiceRelay};
use hamlet_model::presence::{AttributeName, AttributeSet};
use hamlet_model::{Domain, Refusal, StatusCode, Timestamp, UserId};
use health::Health;
use parking_lot::{Mutex, RwLock};
use pending::Pending;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A way to another domain. Nothing is promised: what is sent may come late, twice, in
/// another order, or not at all.
pub trait Link: Send + Sync {
    /// Sends octets; returns when they are on their way or lost.
    fn send(&self, octets: Vec<u8>) -> BoxFuture<'_, ()>;
}

/// The relay of one server.
pub struct Relay {
    metrics: Arc<Metrics>,
    links: RwLock<HashMap<Domain, Arc<dyn Link>>>,
    pending: Pending,
    /// Entries of the outbox that have been sent, and where to.
    outstanding: Mutex<HashMap<i64, Domain>>,
    /// Which domains answer.
    health: Health,
}

impl Relay {
    pub(crate) fn new(config: &RelayConfig, metrics: Arc<Metrics>) -> Self {
        let pending = Pending::new(config.max_pending);
        Self {
            metrics,
            links: RwLock::new(HashMap::new()),
            pending,
            outstanding: Mutex::new(HashMap::new()),
            health: Health::default(),
        }
    }

    /// Makes a domain reachable, in place of an earlier way.
    pub fn connect(&self, domain: Domain, link: Arc<dyn Link>) {
        self.links.write().insert(domain, link);
    }

    /// Makes a domain unreachable.
    pub fn disconnect(&self, domain: &Domain) {
        self.links.write().remove(domain);
    }

    fn link(&self, domain: &Domain) -> Option<Arc<dyn Link>> {
        self.links.read().get(domain).cloned()
    }

    /// Sends a frame; false without a way.
    async fn send(&self, domain: &Domain, frame: &Frame) -> bool {
        if matches!(frame, Frame::Request { .. }) {
            self.health.asked(domain, Timestamp::now());
        }
        let Some(link) = self.link(domain) else {
            return false;
        };
        let Ok(octets) = serde_json::to_vec(frame) else {
            return false;
        };
        link.send(octets).await;
        true
    }
}

impl ServiceRelay for Relay {
    fn ask<'a>(
        &'a self,
        domain: &'a Domain,
        requestor: UserId,
        request: Request,
        wait: Duration,
    ) -> BoxFuture<'a, Answer> {
        async move {
            let (id, answer) = self
                .pending
                .open(domain)
                .ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
            let frame = Frame::Request {
                purpose: Purpose::Question,
                id,
                requestor,
                request: Box::new(request),
            };
            self.metrics.relay_sent.inc();
            if !self.send(domain, &frame).await {
                return Err(Refusal::new(StatusCode::DOMAIN_NOT_SUPPORTED));
            }
            match tokio::time::timeout(wait, answer.wait()).await {
                Ok(Some(answer)) => answer,
                _ => Err(StatusCode::TIMEOUT.into()),
            }
        }
        .boxed()
    }

    fn reaches(&self, domain: &str) -> bool {
        self.links
            .read()
            .keys()
            .any(|known| known.as_str() == domain)
    }
}

/// How long the answer to a question that only asks for a sign of life is waited for.
const PROBE: Duration = Duration::from_secs(30);

impl Sap {
    /// Looks after the domains whose users are watched from here: those that have been quiet
    /// are asked for a sign of life, and those that do not answer for long are lost
    /// (csp-presence 10).
    pub(crate) fn check_domains(&self, now: Timestamp) {
        if self.relay.links.read().is_empty() {
            return;
        }
        let span = self.config.relay.lost_after;
        let health = &self.relay.health;
        for (domain, watcher, publisher) in self.elements.watched_domains() {
            if !health.is_quiet(&domain, now, span / 2) {
                continue;
            }
            health.asked(&domain, now.min(Timestamp::now()));
            let request = Request::GetPresence(GetPresence {
                targets: Targets {
                    users: vec![publisher],
                    ..Targets::default()
                },
                attributes: AttributeSet::from_iter([AttributeName::OnlineStatus]),
            });
            self.aside(move |sap| async move {
                // Whatever it answers, it answers.
                let _ = sap.relay.ask(&domain, watcher, request, PROBE).await;
            });
        }
        for domain in health.lose(now, span) {
            tracing::warn!(
                domain = domain.as_str(),
                "a domain does not answer any more"
            );
            self.metrics.domains_lost.inc();
            self.elements.domain_lost(&domain);
        }
    }

    /// A domain has sent something.
    pub(crate) async fn domain_heard(&self, domain: &Domain) {
        if !self.relay.health.heard(domain, Timestamp::now()) {
            return;
        }
        tracing::info!(
            domain = domain.as_str(),
            "a domain that was lost answers again"
        );
        if let Err(error) = self.elements.domain_found(domain).await {
            self.store_failed("presence", &error);
        }
    }
}
