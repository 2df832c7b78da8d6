//! A relay that joins servers in one process, standing where SSP will stand: asynchronous,
//! passing bytes, able to drop, repeat, reorder and answer late.

use crate::common::{Recorder, Server};
use hamlet_elements::{
    Answer, Call, Elements, Event, Events, IdempotenceKey, OutboxItem, Request, Requestor,
    ServiceRelay,
};
use hamlet_model::{Domain, Refusal, StatusCode, Timestamp, UserId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How soon something unanswered is sent again.
const RETRY: Duration = Duration::from_millis(30);

/// What goes wrong on the way.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// So many requests are lost.
    pub lose_requests: usize,
    /// So many answers are lost.
    pub lose_answers: usize,
    /// Every request arrives twice.
    pub repeat: bool,
    /// What waits together is sent last first.
    pub reverse: bool,
}

/// The network.
pub struct Net {
    servers: Mutex<HashMap<Domain, Elements>>,
    faults: Mutex<Faults>,
    /// Requests are sent while it is open.
    sending: watch::Sender<bool>,
    /// Answers come back while it is open.
    answering: watch::Sender<bool>,
}

impl Net {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            servers: Mutex::default(),
            faults: Mutex::default(),
            sending: watch::Sender::new(true),
            answering: watch::Sender::new(true),
        })
    }

    pub fn set_faults(&self, faults: Faults) {
        *self.faults.lock() = faults;
    }

    pub fn let_send(&self, open: bool) {
        self.sending.send_replace(open);
    }

    pub fn let_answer(&self, open: bool) {
        self.answering.send_replace(open);
    }

    /// The relay of a domain's server.
    pub fn relay(self: &Arc<Self>, own: &Domain) -> Arc<dyn ServiceRelay> {
        Arc::new(Wire {
            own: own.clone(),
            net: self.clone(),
        })
    }

    /// Connects a server, whose outbox is sent from now on.
    pub fn join(self: &Arc<Self>, server: &Server) {
        self.servers
            .lock()
            .insert(server.domain.clone(), server.elements.clone());
        let driver = Driver {
            own: server.domain.clone(),
            elements: server.elements.clone(),
            told: server.told.clone(),
            net: self.clone(),
        };
        tokio::spawn(driver.run());
    }

    /// Carries a request there as bytes, and the answer back.
    async fn carry(
        &self,
        from: &Domain,
        to: &Domain,
        requestor: &UserId,
        request: &Request,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let octets = serde_json::to_vec(&(requestor, request)).unwrap();
        let (user, request): (UserId, Request) = serde_json::from_slice(&octets).unwrap();
        let Some(target) = self.servers.lock().get(to).cloned() else {
            return Err(Refusal::new(StatusCode::DOMAIN_NOT_SUPPORTED));
        };
        let call = Call {
            requestor: Requestor::user(user),
            request,
            key,
        };
        let answer = target.call_from_domain(from, call).await;
        let octets = serde_json::to_vec(&answer).unwrap();
        serde_json::from_slice(&octets).unwrap()
    }
}

struct Wire {
    own: Domain,
    net: Arc<Net>,
}

impl ServiceRelay for Wire {
    fn ask<'a>(
        &'a self,
        domain: &'a Domain,
        requestor: UserId,
        request: Request,
        wait: Duration,
    ) -> futures::future::BoxFuture<'a, Answer> {
        Box::pin(async move {
            let carried = self
                .net
                .carry(&self.own, domain, &requestor, &request, None);
            let answer = tokio::time::timeout(wait, carried).await;
            answer.unwrap_or_else(|_| Err(Refusal::new(StatusCode::TIMEOUT)))
        })
    }

    fn reaches(&self, domain: &str) -> bool {
        let servers = self.net.servers.lock();
        domain != self.own.as_str() && servers.keys().any(|known| known.as_str() == domain)
    }
}

/// Sends what is in the outbox of a server until it is answered.
struct Driver {
    own: Domain,
    elements: Elements,
    told: Arc<Recorder>,
    net: Arc<Net>,
}

impl Driver {
    async fn run(self) {
        let this = Arc::new(self);
        loop {
            // Either something is new, or something is due again.
            let _ = tokio::time::timeout(RETRY, this.told.outbox.notified()).await;
            if this
                .net
                .sending
                .subscribe()
                .wait_for(|open| *open)
                .await
                .is_err()
            {
                return;
            }
            // The store of a server that was restarted is closed.
            let Ok(mut due) = this.elements.outbox_due(Timestamp::now(), 100).await else {
                return;
            };
            let faults = this.net.faults.lock().clone();
            if faults.reverse {
                due.reverse();
            }
            for item in due {
                let next = Timestamp::now().plus(RETRY);
                if this.elements.outbox_sent(item.id, next).await.is_err() {
                    return;
                }
                if faults.reverse {
                    this.clone().send(item).await;
                } else {
                    tokio::spawn(this.clone().send(item));
                }
            }
        }
    }

    async fn send(self: Arc<Self>, item: OutboxItem) {
        let (lost, repeat, mute) = {
            let mut faults = self.net.faults.lock();
            let lost = take_one(&mut faults.lose_requests);
            (
                lost,
                faults.repeat,
                !lost && take_one(&mut faults.lose_answers),
            )
        };
        if lost {
            return;
        }
        let carry = || {
            let key = IdempotenceKey {
                scope: format!("@{}", self.own),
                id: item.id.to_string(),
                hash: 0,
            };
            let to = &item.destination;
            self.net
                .carry(&self.own, to, &item.requestor, &item.request, Some(key))
        };
        let answer = carry().await;
        if repeat {
            assert_eq!(carry().await, answer);
        }
        let mut answering = self.net.answering.subscribe();
        if mute || answering.wait_for(|open| *open).await.is_err() {
            return;
        }
        if self.elements.outbox_settle(item.id, answer).await.is_err() {
            return;
        }
        self.told.emit(Event::MailboxRemoved {
            user: item.requestor,
            ids: vec![SETTLED.into()],
        });
    }
}

/// In place of a mailbox entry, tells the test that something has been settled.
const SETTLED: &str = "settled";

fn take_one(count: &mut usize) -> bool {
    let any = *count > 0;
    *count = count.saturating_sub(1);
    any
}

/// Waits until a server's outbox is empty.
pub async fn drained(server: &Server) {
    loop {
        let left = server.store.read(|tx| tx.outbox_destinations()).await;
        if left.unwrap().is_empty() {
            return;
        }
        let settled = server.told.wait("settled entry", |event| match event {
            Event::MailboxRemoved { ids, .. } if ids[..] == [SETTLED.to_owned()] => Some(()),
            _ => None,
        });
        // An entry may also have gone because a newer one made it useless.
        let _ = tokio::time::timeout(RETRY, settled).await;
    }
}
