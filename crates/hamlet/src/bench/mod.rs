//! `hamlet bench`: a closed loop of senders and receivers against any CSP server.
//!
//! Each pair sends a message, polls for it, acknowledges it, and goes on with the next. The
//! generator is kept cheap, so that the server is what is measured: requests are encoded once
//! and only their identifiers filled in, HTTP is written and read by hand, one connection for
//! each client, two threads. `--baseline` measures the generator itself against a bare HTTP
//! server that answers the same octets, which gives figures that do not depend on the machine.

pub mod bare;
mod baseline;
mod journal;
mod pair;
mod peer;
mod tally;
mod template;
mod wire;

use crate::cli::{Account, Bench};
use crate::failure::Failure;
use crate::output::line;
use journal::Journal;
use pair::Pair;
use peer::Setup;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tally::Tally;
use tokio::task::JoinSet;

/// Logs everybody in, puts the load on, prints what came of it.
pub async fn run(account: Account, options: Bench) -> Result<(), Failure> {
    if options.pairs == 0 {
        return Err(Failure::said("no pairs, no load"));
    }
    let setup = Arc::new(Setup::new(&account, &options)?);
    let mut pairs = log_in(&setup, &options).await?;
    let outcome = if options.baseline {
        baseline::run(&mut pairs, &options, account.version()).await
    } else {
        let stop = Stop::new(options.seconds, options.messages);
        let mode = match options.polls {
            true => Mode::Polls,
            false => Mode::Chat,
        };
        let tally = measure(&mut pairs, mode, stop).await?;
        print(&tally, mode, options.json)
    };
    log_out(pairs).await;
    outcome
}

/// What the pairs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Send, poll, acknowledge.
    Chat,
    /// Poll with nothing to fetch.
    Polls,
}

/// When to stop; shared by all pairs.
#[derive(Debug, Clone)]
pub struct Stop {
    deadline: Option<Instant>,
    left: Option<Arc<AtomicU64>>,
}

impl Stop {
    /// After a span, or after so many messages when a number is given.
    pub fn new(span: Duration, messages: Option<u64>) -> Self {
        Self {
            deadline: messages.is_none().then(|| Instant::now() + span),
            left: messages.map(|count| Arc::new(AtomicU64::new(count))),
        }
    }

    /// Whether one more message may be sent, which is then counted.
    pub fn another(&self) -> bool {
        if self.deadline.is_some_and(|at| Instant::now() >= at) {
            return false;
        }
        match &self.left {
            None => true,
            Some(left) => left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok(),
        }
    }
}

/// Runs all pairs at once and adds up what they counted.
pub async fn measure(pairs: &mut Vec<Pair>, mode: Mode, stop: Stop) -> Result<Tally, Failure> {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for mut pair in pairs.drain(..) {
        let stop = stop.clone();
        running.spawn(async move {
            let mut tally = Tally::new();
            match mode {
                Mode::Chat => pair.chat(&stop, &mut tally).await,
                Mode::Polls => pair.polls(&stop, &mut tally).await,
            }
            (pair, tally)
        });
    }
    let mut total = Tally::new();
    while let Some(done) = running.join_next().await {
        let (pair, tally) = done.map_err(Failure::said)?;
        total.add(&tally);
        pairs.push(pair);
    }
    total.span = began.elapsed();
    Ok(total)
}

async fn log_in(setup: &Arc<Setup>, options: &Bench) -> Result<Vec<Pair>, Failure> {
    let journal = match &options.journal {
        Some(path) => Some(Arc::new(Journal::open(path)?)),
        None => None,
    };
    let mut logins = JoinSet::new();
    for index in 0..options.pairs {
        let (setup, journal) = (setup.clone(), journal.clone());
        logins.spawn(async move {
            let deadline = Instant::now() + setup.patience;
            loop {
                match Pair::log_in(index, &setup, journal.clone()).await {
                    // A run that rides over restarts may begin in one.
                    Err(_) if setup.keep_going && Instant::now() < deadline => {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    other => return other,
                }
            }
        });
    }
    let mut pairs = Vec::new();
    while let Some(done) = logins.join_next().await {
        pairs.push(done.map_err(Failure::said)??);
    }
    Ok(pairs)
}

async fn log_out(pairs: Vec<Pair>) {
    let mut farewells = JoinSet::new();
    for pair in pairs {
        farewells.spawn(pair.log_out());
    }
    while farewells.join_next().await.is_some() {}
}

fn print(tally: &Tally, mode: Mode, json: bool) -> Result<(), Failure> {
    match json {
        true => line(tally.json(mode))?,
        false => line(tally.text(mode))?,
    }
    tally.verdict(mode)
}
