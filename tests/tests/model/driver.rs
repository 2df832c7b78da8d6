//! Carries the steps of a run out, on the server and on the reference, and compares.
//!
//! A step has been carried out when its answer is here. Nothing waits for time to pass: the
//! server repeats what is not acknowledged at the next poll ([`AT_ONCE`]), and a request whose
//! answer was lost is sent again until it is answered.
//!
//! [`AT_ONCE`]: hamlet_tests::server::AT_ONCE

use crate::Run;
use crate::exchange::{carry, restart};
use crate::host::{Host, PASSWORD, Place};
use crate::phone::Phone;
use crate::reference::{Model, address};
use crate::send::contact;
use crate::steps::{CLIENTS, CLIENTS_OF, Fault, Step, dialect, steps};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::http::DEADLINE;
use std::time::Instant;

/// Fails the step unless this holds.
macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+));
        }
    };
}

pub(crate) use ensure;

/// A run of messages from user to user.
pub struct Driver {
    pub(crate) host: Host,
    pub(crate) model: Model,
    pub(crate) phones: Vec<Phone>,
    /// Numbers texts and transactions.
    pub(crate) last: u64,
    /// What came in an answer that was lost.
    lost: Option<Answer>,
}

impl Run for Driver {
    type Step = Step;

    fn steps(seed: u64, count: usize) -> Vec<Step> {
        steps(seed, count)
    }

    /// A server with its users, and their clients, none of which has a session.
    async fn start(place: Place, store: Option<&str>, seed: u64) -> Self {
        let host = Host::start(place, store).await;
        for owner in 0..CLIENTS_OF.len() {
            let mut client = Client::connect(host.address(), Version::V1_2, Syntax::Xml).await;
            client.client_id = "WV:setup".to_owned();
            let login = client.login_with_password(&address(owner), PASSWORD).await;
            login.expect_code(200);
            let contact = contact(owner, (owner + 1) % CLIENTS_OF.len(), true);
            client.request(&contact).await.expect_code(200);
            client.request("<Logout-Request/>").await.expect_code(200);
        }
        let mut phones = Vec::with_capacity(CLIENTS);
        for client in 0..CLIENTS {
            let (version, syntax) = dialect(client, seed);
            phones.push(Phone::new(client, host.address(), version, syntax).await);
        }
        Self {
            host,
            model: Model::new(),
            phones,
            last: 0,
            lost: None,
        }
    }

    /// Ends the server.
    async fn stop(mut self) {
        self.host.stop().await;
    }

    /// Carries out one step and compares.
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Login { client, fresh } => self.login(*client, *fresh).await?,
            Step::Logout { client, fault } => self.logout(*client, *fault).await?,
            Step::EndSessions { user } => self.end_sessions(*user).await,
            Step::Reconnect { client } => {
                let server = self.host.address();
                self.phones[*client].client.reconnect(server).await;
            }
            Step::Handling { client, fork } => self.handling(*client, *fork).await?,
            Step::Send {
                client,
                to,
                report,
                short,
                fault,
            } => {
                let id = self.next_id();
                self.send(*client, &id, to, (*report, *short), *fault)
                    .await?;
            }
            Step::Repeat { client } => self.repeat(*client).await?,
            Step::RepeatOther { client, to } => {
                // While a request may still be under way its identifier is not free.
                let last = self.phones[*client].last.as_ref();
                if let Some(id) = last.filter(|sent| sent.settled).map(|sent| sent.id.clone()) {
                    self.send(*client, &id, &[*to], (true, false), Fault::None)
                        .await?;
                }
            }
            Step::Together { clients, to } => self.together(clients, *to).await?,
            Step::Poll { client, fault } => self.poll(*client, *fault).await?,
            Step::Answer { client, how, fault } => self.answer(*client, *how, *fault).await?,
            Step::Drain { client } => self.drain(*client).await?,
            Step::Contact { client, user, add } => self.contact(*client, *user, *add).await?,
            Step::Access {
                client,
                grants,
                user,
                add,
                in_use,
            } => {
                let change = (*grants, *user, *add, *in_use);
                self.access(*client, change).await?;
            }
            Step::Method { client, notify } => self.method(*client, *notify).await?,
            Step::List { client } => self.list_messages(*client).await?,
            Step::Pull {
                client,
                nth,
                acknowledge,
                fault,
            } => self.pull(*client, *nth, *acknowledge, *fault).await?,
            Step::Reject { client, nth, fault } => self.reject(*client, *nth, *fault).await?,
            Step::Forward {
                client,
                nth,
                to,
                fault,
            } => self.forward(*client, *nth, *to, *fault).await?,
            Step::Expire => {
                if self.host.expire().await {
                    self.model.expire();
                }
            }
            Step::AllSessionsExpire => {
                if self.host.expire_sessions().await {
                    (0..CLIENTS).for_each(|client| self.model.session_ended(client));
                }
            }
            Step::Restart => self.restart().await,
            Step::Settle => self.settle().await?,
        }
        self.compare().await
    }
}

impl Driver {
    /// The store holds what the reference holds: what is done aside is waited for.
    pub(crate) async fn compare(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + DEADLINE;
        for user in 0..CLIENTS_OF.len() {
            loop {
                let Some(stored) = self.host.mailbox(user).await else {
                    return Ok(());
                };
                match self.model.compare(user, &stored) {
                    Ok(()) => break,
                    Err(_) if Instant::now() < deadline => tokio::task::yield_now().await,
                    Err(difference) => return Err(difference),
                }
            }
        }
        Ok(())
    }

    pub(crate) fn next_id(&mut self) -> String {
        self.last += 1;
        format!("r{}", self.last)
    }

    pub(crate) fn is_live(&self, client: usize) -> bool {
        self.model.live[client]
    }

    /// Sends one transaction until it is answered, through the fault.
    pub(crate) async fn exchange(
        &mut self,
        client: usize,
        transaction: (&str, Option<&str>),
        content: &str,
        fault: Fault,
    ) -> Result<Answer, String> {
        let answer = self.exchanged(client, transaction, content, fault).await?;
        self.check_lost(client)?;
        Ok(answer)
    }

    /// What has come in an answer that was lost is right.
    pub(crate) fn check_lost(&mut self, client: usize) -> Result<(), String> {
        match self.lost.take() {
            Some(lost) => self.check_push(client, &lost).map(drop),
            None => Ok(()),
        }
    }

    /// As [`Driver::exchange`]; what comes in an answer that is lost is still to be checked, by
    /// whoever first has to note what the request did.
    pub(crate) async fn exchanged(
        &mut self,
        client: usize,
        (mode, id): (&str, Option<&str>),
        content: &str,
        fault: Fault,
    ) -> Result<Answer, String> {
        let what = ((mode, id), content);
        let carried = carry(&mut self.host, &mut self.phones, client, what, fault).await;
        if carried.killed {
            self.model.restarted();
        }
        self.lost = self.lost.take().or(carried.lost);
        Ok(carried.answer)
    }

    pub(crate) async fn restart(&mut self) {
        restart(&mut self.host, &mut self.phones).await;
        self.model.restarted();
    }

    pub(crate) async fn login(&mut self, client: usize, fresh: bool) -> Result<(), String> {
        let was_live = self.is_live(client);
        let phone = &mut self.phones[client];
        let before = phone.client.session.clone();
        let answer = phone.login(fresh).await;
        ensure!(answer.code() == Some(200), "login: {}", brief(&answer));
        if phone.client.session == before {
            ensure!(was_live && !fresh, "a session that is over goes on");
            phone.lapse();
            return Ok(());
        }
        ensure!(
            !was_live || fresh,
            "a session with its cookie is not resumed"
        );
        phone.begin();
        self.model.session_began(client);
        Ok(())
    }

    pub(crate) async fn logout(&mut self, client: usize, fault: Fault) -> Result<(), String> {
        if !self.is_live(client) {
            return Ok(());
        }
        let id = self.next_id();
        let request = ("Request", Some(id.as_str()));
        let answer = self
            .exchange(client, request, "<Logout-Request/>", fault)
            .await?;
        ensure!(answer.code() == Some(200), "logout: {}", brief(&answer));
        self.model.session_ended(client);
        Ok(())
    }

    pub(crate) async fn end_sessions(&mut self, user: usize) {
        let clients = crate::steps::clients_of(user);
        if clients.clone().any(|client| self.is_live(client)) {
            self.host.end_sessions(user).await;
            clients.for_each(|client| self.model.session_ended(client));
        }
    }

    pub(crate) async fn handling(&mut self, client: usize, fork: bool) -> Result<(), String> {
        if !self.is_live(client) || self.phones[client].client.version != Version::V1_3 {
            return Ok(());
        }
        let id = self.next_id();
        let handling = if fork { "FORKALL" } else { "SERVERLOGIC" };
        let content = format!(
            "<ClientCapability-Request><CapabilityList><ClientType>COMPUTER</ClientType>\
             <OnlineETEMHandling>{handling}</OnlineETEMHandling></CapabilityList></ClientCapability-Request>"
        );
        let request = ("Request", Some(id.as_str()));
        let answer = self
            .exchange(client, request, &content, Fault::None)
            .await?;
        ensure!(
            answer.primitive().name == "ClientCapability-Response",
            "{answer:?}"
        );
        // Capabilities are agreed anew, and with them how messages are delivered.
        self.phones[client].quiet = false;
        self.model.reconsider(client);
        if fork {
            self.model.fork(client);
        }
        Ok(())
    }
}

/// An answer for a failure message.
pub fn brief(answer: &Answer) -> String {
    match answer.is_empty() {
        true => "nothing".to_owned(),
        false => format!("{} {:?}", answer.primitive().name, answer.code()),
    }
}
