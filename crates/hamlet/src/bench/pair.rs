//! One sender and one receiver in a closed loop.

use super::Stop;
use super::journal::Journal;
use super::peer::{Heard, Kind, Peer, Setup, Trouble};
use super::tally::Tally;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// First and longest pause after trouble, when the run rides over it.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// A sender and a receiver.
pub struct Pair {
    index: usize,
    setup: Arc<Setup>,
    sender: Peer,
    receiver: Peer,
    journal: Option<Arc<Journal>>,
    /// The newest message.
    sequence: u64,
    /// Accepted and not received yet: when they were sent.
    waiting: BTreeMap<u64, Instant>,
    /// The server answers always the same message, which stands for any.
    bare: bool,
}

/// Whether to go on.
type Going = Result<(), Ended>;

/// Trouble that this run does not ride over; counted already.
struct Ended;

impl Pair {
    /// Logs both in and empties the receiver's mailbox.
    pub async fn log_in(
        index: usize,
        setup: &Arc<Setup>,
        journal: Option<Arc<Journal>>,
    ) -> Result<Self, Failure> {
        let sender = Peer::log_in(setup, setup.user('s', index)).await?;
        let receiver = Peer::log_in(setup, setup.user('r', index)).await?;
        let mut pair = Self::new(index, setup.clone(), sender, receiver, journal);
        pair.empty_mailbox().await?;
        Ok(pair)
    }

    fn new(
        index: usize,
        setup: Arc<Setup>,
        sender: Peer,
        receiver: Peer,
        journal: Option<Arc<Journal>>,
    ) -> Self {
        Self {
            index,
            setup,
            sender,
            receiver,
            journal,
            sequence: 0,
            waiting: BTreeMap::new(),
            bare: false,
        }
    }

    /// The same pair before a bare server.
    pub fn aside(&self, sender: Peer, receiver: Peer) -> Self {
        Self {
            bare: true,
            ..Self::new(self.index, self.setup.clone(), sender, receiver, None)
        }
    }

    /// Both clients.
    pub fn peers(&mut self) -> (&mut Peer, &mut Peer) {
        (&mut self.sender, &mut self.receiver)
    }

    /// The text of a message: who, which, and something to fill it up.
    pub fn text(&self, sequence: u64) -> String {
        let mut text = self.marker(sequence);
        text.push(' ');
        let filling = ('a'..='z').cycle().skip((sequence % 26) as usize);
        let missing = self.setup.size.saturating_sub(text.len());
        text.extend(filling.take(missing));
        text
    }

    fn marker(&self, sequence: u64) -> String {
        format!("{:08x}.{:04}.{sequence:08}", self.setup.run, self.index)
    }

    /// Which of this pair's messages a text is, if it is one.
    fn sequence_of(&self, text: &str) -> Option<u64> {
        let rest = text.strip_prefix(&format!("{:08x}.{:04}.", self.setup.run, self.index))?;
        rest.get(..8)?.parse().ok()
    }

    /// Acknowledges what an earlier run has left.
    async fn empty_mailbox(&mut self) -> Result<(), Failure> {
        let mut scratch = Tally::new();
        for _ in 0..100_000 {
            let heard = self
                .receiver
                .poll(Kind::Poll)
                .await
                .map_err(Failure::said)?;
            if heard == Heard::Nothing {
                return Ok(());
            }
            if self.take(heard, &mut scratch).await.is_err() {
                break;
            }
        }
        Err(Failure::said(match scratch.first_error {
            Some(error) => error,
            None => "the mailbox does not get empty".to_owned(),
        }))
    }

    /// Ends both sessions.
    pub async fn log_out(mut self) {
        self.sender.log_out().await;
        self.receiver.log_out().await;
    }

    /// Sends, polls, acknowledges until told to stop; then waits for what is still missing.
    pub async fn chat(&mut self, stop: &Stop, tally: &mut Tally) {
        while stop.another() {
            if self.one_message(tally).await.is_err() {
                break;
            }
        }
        if !self.waiting.is_empty() {
            let _ = self.receive_all(tally).await;
        }
        tally.lost += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// Both poll until told to stop.
    pub async fn polls(&mut self, stop: &Stop, tally: &mut Tally) {
        while stop.another() {
            for at in [Role::Sender, Role::Receiver] {
                let began = Instant::now();
                match self.peer(at).poll(Kind::EmptyPoll).await {
                    Ok(Heard::Nothing) => tally.empty_polls += 1,
                    Ok(heard) => {
                        if self.take(heard, tally).await.is_err() {
                            return;
                        }
                    }
                    Err(trouble) => {
                        if self.overcome(at, trouble, &mut None, tally).await.is_err() {
                            return;
                        }
                    }
                }
                tally.requests += 1;
                tally.took(began.elapsed());
            }
        }
    }

    async fn one_message(&mut self, tally: &mut Tally) -> Going {
        self.sequence += 1;
        let sequence = self.sequence;
        let text = self.text(sequence);
        let id = self.sender.new_id();
        let mut pause = None;
        let began = Instant::now();
        loop {
            tally.requests += 1;
            // A repeat has the same octets and the same TransactionID.
            match self.sender.send(&id, &text).await {
                Ok(Heard::Result(200, message)) => {
                    tally.accepted += 1;
                    if let Some(journal) = &self.journal {
                        let message = message.as_deref().unwrap_or("-");
                        self.note(journal.sent(message, &self.marker(sequence)), tally)?;
                    }
                    break;
                }
                Ok(Heard::Result(code, _)) => {
                    tally.error(format!("a message was answered {code}"));
                    return Ok(());
                }
                Ok(_) => {
                    tally.error("a message was not answered");
                    return Ok(());
                }
                Err(trouble) => {
                    self.overcome(Role::Sender, trouble, &mut pause, tally)
                        .await?;
                }
            }
        }
        self.waiting.insert(sequence, began);
        self.receive_all(tally).await
    }

    /// Polls until nothing is missing any more, or patience ends.
    async fn receive_all(&mut self, tally: &mut Tally) -> Going {
        let deadline = Instant::now() + self.setup.patience;
        let mut pause = None;
        let mut empty = 0u32;
        while !self.waiting.is_empty() {
            tally.requests += 1;
            match self.receiver.poll(Kind::Poll).await {
                Ok(Heard::Nothing) => {
                    tally.empty_polls += 1;
                    if Instant::now() >= deadline {
                        return Ok(());
                    }
                    // The server is not that far yet: after the second time with a pause.
                    if empty > 0 {
                        let wait = Duration::from_millis(u64::from(empty.min(50)));
                        tokio::time::sleep(wait).await;
                    }
                    empty += 1;
                }
                Ok(heard) => self.take(heard, tally).await?,
                Err(trouble) => {
                    self.overcome(Role::Receiver, trouble, &mut pause, tally)
                        .await?;
                    if Instant::now() >= deadline && !self.setup.keep_going {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Acknowledges what the receiver has got, and what comes with the acknowledgement.
    async fn take(&mut self, first: Heard, tally: &mut Tally) -> Going {
        let mut heard = first;
        loop {
            let answer = match heard {
                Heard::Nothing | Heard::Result(200, _) => return Ok(()),
                Heard::Result(code, _) => {
                    tally.error(format!("an acknowledgement was answered {code}"));
                    return Ok(());
                }
                Heard::Message {
                    transaction,
                    id,
                    text,
                } => {
                    self.received(&id, &text, tally)?;
                    tally.requests += 1;
                    self.receiver.delivered(&transaction, &id).await
                }
                Heard::Other(transaction) => {
                    tally.requests += 1;
                    self.receiver.status(&transaction).await
                }
            };
            heard = match answer {
                Ok(heard) => heard,
                // The message comes again and is acknowledged then.
                Err(trouble) => {
                    return self
                        .overcome(Role::Receiver, trouble, &mut None, tally)
                        .await;
                }
            };
        }
    }

    fn received(&mut self, id: &str, text: &str, tally: &mut Tally) -> Going {
        let sequence = match self.bare {
            true => Some(self.sequence),
            false => self.sequence_of(text),
        };
        // Of an earlier run: only to be acknowledged.
        let Some(sequence) = sequence.filter(|sequence| *sequence <= self.sequence) else {
            return Ok(());
        };
        let intact = self.text(sequence) == text || self.bare;
        if let Some(journal) = &self.journal {
            let written = journal.received(id, &self.marker(sequence), intact);
            self.note(written, tally)?;
        }
        tally.altered += u64::from(!intact);
        match self.waiting.remove(&sequence) {
            Some(began) => {
                tally.delivered += 1;
                tally.took(began.elapsed());
            }
            None => tally.duplicates += 1,
        }
        Ok(())
    }

    /// Counts trouble and, when the run rides over it, does what it takes to go on.
    async fn overcome(
        &mut self,
        at: Role,
        trouble: Trouble,
        pause: &mut Option<Duration>,
        tally: &mut Tally,
    ) -> Going {
        tally.error(&trouble);
        if !self.setup.keep_going {
            return Err(Ended);
        }
        if let Trouble::Session(_) = trouble {
            let setup = self.setup.clone();
            if self.peer(at).log_in_again(&setup).await.is_ok() {
                tally.logins += 1;
                return Ok(());
            }
        }
        let wait = pause.map_or(PAUSES.0, |pause| (pause * 2).min(PAUSES.1));
        tokio::time::sleep(wait).await;
        *pause = Some(wait);
        Ok(())
    }

    /// A journal that cannot be written ends the run: it would miss what it is for.
    fn note(&self, written: std::io::Result<()>, tally: &mut Tally) -> Going {
        written.map_err(|error| {
            tally.error(format!("journal: {error}"));
            Ended
        })
    }

    fn peer(&mut self, role: Role) -> &mut Peer {
        match role {
            Role::Sender => &mut self.sender,
            Role::Receiver => &mut self.receiver,
        }
    }
}

#[derive(Clone, Copy)]
enum Role {
    Sender,
    Receiver,
}
