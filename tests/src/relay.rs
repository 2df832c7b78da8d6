//! A network between servers of one process, standing where SSP will stand: asynchronous,
//! passing bytes, able to lose, repeat, reorder and delay them.

use crate::server::TestServer;
use futures::FutureExt;
use futures::future::BoxFuture;
use hamlet_model::Domain;
use hamlet_sap::Sap;
use hamlet_sap::relay::Link;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use tokio::sync::{mpsc, watch};

/// Settings under which a server soon sends again what has been lost.
pub const IMPATIENT: &[&str] = &["relay.retry_min=50ms", "relay.retry_max=50ms"];

/// What goes wrong on each way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// So many of the first units are lost.
    pub lose: usize,
    /// Every unit arrives twice.
    pub repeat: bool,
    /// What waits together arrives last first.
    pub reverse: bool,
}

/// Joins servers; ends with itself.
pub struct Net {
    open: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Net {
    /// Joins two servers in both directions.
    pub fn join(left: (&str, &TestServer), right: (&str, &TestServer), faults: Faults) -> Self {
        let mut net = Self {
            open: watch::Sender::new(true),
            tasks: Vec::new(),
        };
        for ((from, sender), (to, receiver)) in [(left, right), (right, left)] {
            net.connect(
                domain(from),
                sender.sap(),
                domain(to),
                receiver.sap(),
                faults,
            );
        }
        net
    }

    /// Nothing arrives until [`Net::release`].
    pub fn hold(&self) {
        self.open.send_replace(false);
    }

    /// What was held arrives now.
    pub fn release(&self) {
        self.open.send_replace(true);
    }

    fn connect(
        &mut self,
        from: Domain,
        sender: &Arc<Sap>,
        to: Domain,
        receiver: &Arc<Sap>,
        faults: Faults,
    ) {
        let (units, way) = mpsc::unbounded_channel();
        sender.relay().connect(to, Arc::new(Wire { units }));
        let receiver = Arc::downgrade(receiver);
        let open = self.open.subscribe();
        self.tasks
            .push(tokio::spawn(carry(way, from, receiver, open, faults)));
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// The beginning of a way.
struct Wire {
    units: mpsc::UnboundedSender<Vec<u8>>,
}

impl Link for Wire {
    fn send(&self, octets: Vec<u8>) -> BoxFuture<'_, ()> {
        // A way that has ended loses what it is given.
        let _ = self.units.send(octets);
        async {}.boxed()
    }
}

/// A way from one server to the other.
async fn carry(
    mut way: mpsc::UnboundedReceiver<Vec<u8>>,
    from: Domain,
    receiver: Weak<Sap>,
    mut open: watch::Receiver<bool>,
    mut faults: Faults,
) {
    while let Some(first) = way.recv().await {
        if open.wait_for(|open| *open).await.is_err() {
            return;
        }
        let mut waiting = VecDeque::from([first]);
        while let Ok(octets) = way.try_recv() {
            match faults.reverse {
                true => waiting.push_front(octets),
                false => waiting.push_back(octets),
            }
        }
        for octets in waiting {
            if faults.lose > 0 {
                faults.lose -= 1;
                continue;
            }
            let Some(receiver) = receiver.upgrade() else {
                return;
            };
            let from = from.clone();
            // One unit does not wait for what another one causes.
            tokio::spawn(async move {
                receiver.receive(&from, &octets).await;
                if faults.repeat {
                    receiver.receive(&from, &octets).await;
                }
            });
        }
    }
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).expect("a domain")
}
