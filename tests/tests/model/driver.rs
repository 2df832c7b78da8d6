//! Carries the steps of a run out, on the server and on the reference, and compares.
//!
//! A step has been carried out when its answer is here. Nothing waits for time to pass: the
//! server repeats what is not acknowledged at the next poll ([`AT_ONCE`]), and a request whose
//! answer was lost is sent again until it is answered.
//!
//! [`AT_ONCE`]: hamlet_tests::server::AT_ONCE

use crate::host::{Host, PASSWORD, Place};
use crate::phone::{Came, Phone, Sent};
use crate::reference::{Key, Message, Model, What, address};
use crate::steps::{CLIENTS, CLIENTS_OF, Fault, How, Step, To, dialect, user_of};
use futures::future::join_all;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, STATUS_200, escape, send_message, transaction, user};
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

/// Polls that bring nothing before a client with others beside it is taken to have all that
/// is for it: those whose turn it was are asked in between.
const PATIENCE: usize = 4;

/// A run.
pub struct Driver {
    host: Host,
    model: Model,
    phones: Vec<Phone>,
    /// Numbers texts and transactions.
    last: u64,
}

impl Driver {
    /// A server with its users, and their clients, none of which has a session.
    pub async fn start(place: Place, store: Option<&str>, seed: u64) -> Self {
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
        }
    }

    /// Ends the server.
    pub async fn stop(mut self) {
        self.host.stop().await;
    }

    /// Carries out one step and compares.
    pub async fn step(&mut self, step: &Step) -> Result<(), String> {
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

    /// The store holds what the reference holds: what is done aside is waited for.
    async fn compare(&mut self) -> Result<(), String> {
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

    fn next_id(&mut self) -> String {
        self.last += 1;
        format!("r{}", self.last)
    }

    fn is_live(&self, client: usize) -> bool {
        self.model.live[client]
    }

    /// Sends one transaction until it is answered, through the fault.
    async fn exchange(
        &mut self,
        client: usize,
        (mode, id): (&str, Option<&str>),
        content: &str,
        fault: Fault,
    ) -> Result<Answer, String> {
        let server = self.host.address();
        let phone = &mut self.phones[client];
        let body = phone
            .client
            .message("Inband", &[transaction(mode, id, content)]);
        match fault {
            Fault::None => {}
            Fault::HalfWritten => {
                let half = body.len() / 2 + 80;
                phone.client.write(&body, Some(half)).await;
                phone.client.reconnect(server).await;
            }
            Fault::Gone => {
                phone.client.write(&body, None).await;
                phone.client.reconnect(server).await;
            }
            Fault::AnswerLost => {
                let http = phone.client.post(&body).await;
                let lost = phone.client.read(http);
                phone.client.reconnect(server).await;
                if !lost.is_empty() && lost.mode() == "Request" {
                    self.check_push(client, &lost)?;
                }
            }
            Fault::HalfRead => {
                phone.client.write(&body, None).await;
                // An empty answer has octets, too.
                assert!(phone.client.connection().begins_to_answer().await);
                phone.client.reconnect(server).await;
            }
            Fault::Killed => {
                phone.client.write(&body, None).await;
                self.restart().await;
            }
        }
        let phone = &mut self.phones[client];
        phone.lapse();
        let http = phone.client.post(&body).await;
        Ok(phone.client.read(http))
    }

    /// The server dies and comes again; its clients connect anew and notice nothing else.
    async fn restart(&mut self) {
        self.host.restart().await;
        self.model.restarted();
        for phone in &mut self.phones {
            phone.server_restarted(self.host.address()).await;
        }
    }

    async fn login(&mut self, client: usize, fresh: bool) -> Result<(), String> {
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

    async fn logout(&mut self, client: usize, fault: Fault) -> Result<(), String> {
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

    async fn end_sessions(&mut self, user: usize) {
        let clients = crate::steps::clients_of(user);
        if clients.clone().any(|client| self.is_live(client)) {
            self.host.end_sessions(user).await;
            clients.for_each(|client| self.model.session_ended(client));
        }
    }

    async fn handling(&mut self, client: usize, fork: bool) -> Result<(), String> {
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
        if fork {
            self.model.fork(client);
        }
        Ok(())
    }

    async fn contact(&mut self, client: usize, user: usize, add: bool) -> Result<(), String> {
        if !self.is_live(client) || !self.model.contact(client, user, add) {
            return Ok(());
        }
        let id = self.next_id();
        let content = contact(user_of(client), user, add);
        let request = ("Request", Some(id.as_str()));
        let answer = self
            .exchange(client, request, &content, Fault::None)
            .await?;
        ensure!(
            answer.code() == Some(200),
            "contact list: {}",
            brief(&answer)
        );
        Ok(())
    }

    /// SendMessage under an identifier.
    async fn send(
        &mut self,
        client: usize,
        id: &str,
        to: &[To],
        (report, short): (bool, bool),
        fault: Fault,
    ) -> Result<(), String> {
        self.last += 1;
        let (from, number) = (user_of(client), self.last);
        let text = format!("no. {number} of user {from} & <é>");
        let mut content = send_message(&self.recipients(from, to), &text, report);
        if short {
            let validity = "<Validity>3600</Validity></MessageInfo>";
            content = content.replace("</MessageInfo>", validity);
        }
        if !self.is_live(client) {
            let request = ("Request", Some(id));
            let answer = self
                .exchange(client, request, &content, Fault::None)
                .await?;
            let refused = [600, 601, 604].map(Some).contains(&answer.code());
            ensure!(refused, "without a session: {}", brief(&answer));
            return Ok(());
        }
        let resolved = self.model.resolve(client, to);
        let request = ("Request", Some(id));
        let answer = self.exchange(client, request, &content, fault).await?;
        ensure!(
            answer.code() == Some(resolved.code()),
            "to {to:?}: expected {}, {}",
            resolved.code(),
            brief(&answer)
        );
        let message_id = answer.primitive().text("MessageID").map(str::to_owned);
        ensure!(
            message_id.is_some() != resolved.reached.is_empty(),
            "a MessageID for nothing, or none: {answer:?}"
        );
        for (recipient, meant) in resolved.reached {
            let message = Message {
                from,
                by: client,
                number,
                text: text.clone(),
                report,
                short,
                client: meant,
            };
            let message_id = message_id.as_deref().unwrap_or_default();
            self.model.accept(recipient, message_id, message);
        }
        self.phones[client].last = Some(Sent {
            id: id.to_owned(),
            content,
            answer: answer.primitive().clone(),
            settled: !matches!(fault, Fault::Gone | Fault::HalfRead),
        });
        Ok(())
    }

    fn recipients(&self, sender: usize, to: &[To]) -> String {
        let (mut users, mut lists) = (String::new(), String::new());
        for to in to {
            match to {
                To::User(recipient) => users += &user(&address(*recipient)),
                To::Nobody => users += &user("wv:nobody@h"),
                To::Client(client) => {
                    users += &format!(
                        "<User><UserID>{}</UserID><ClientID><URL>{}</URL></ClientID></User>",
                        address(user_of(*client)),
                        escape(&self.phones[*client].client.client_id),
                    );
                }
                To::OwnList => lists += &format!("<ContactList>{}</ContactList>", list(sender)),
                To::StrangeList => {
                    let stranger = (sender + 1) % CLIENTS_OF.len();
                    lists += &format!("<ContactList>{}</ContactList>", list(stranger));
                }
            }
        }
        users + &lists
    }

    /// csp-access 2.3: answered as before, done once.
    async fn repeat(&mut self, client: usize) -> Result<(), String> {
        if !self.is_live(client) {
            return Ok(());
        }
        let Some(sent) = self.phones[client].last.clone() else {
            return Ok(());
        };
        let request = ("Request", Some(sent.id.as_str()));
        let answer = self
            .exchange(client, request, &sent.content, Fault::None)
            .await?;
        // What has failed for everybody before anything was stored is judged anew.
        let reached = sent.answer.at("MessageID").is_some();
        ensure!(
            !reached || *answer.primitive() == sent.answer,
            "repeated, it is answered {answer:?} instead of {:?}",
            sent.answer
        );
        Ok(())
    }

    /// Several clients send at once: what is accepted is there, in the order of each.
    async fn together(&mut self, clients: &[usize], to: usize) -> Result<(), String> {
        let mut requests = Vec::new();
        for client in clients {
            if !self.is_live(*client) {
                continue;
            }
            for _ in 0..3 {
                self.last += 1;
                let number = self.last;
                let text = format!("no. {number}, together with others");
                let content = send_message(&user(&address(to)), &text, true);
                let id = self.next_id();
                requests.push((*client, number, text, content, id));
            }
        }
        let room = self.model.room(to);
        let mine = |client: usize| {
            let of_client =
                move |request: &&(usize, u64, String, String, String)| request.0 == client;
            requests.iter().filter(of_client)
        };
        let sending = self
            .phones
            .iter_mut()
            .enumerate()
            .map(async |(client, phone)| {
                let mut ids = Vec::new();
                for (_, number, text, content, id) in mine(client) {
                    phone.lapse();
                    let answer = phone.client.request_as(id, content).await;
                    ids.push((client, *number, text.clone(), answer));
                }
                ids
            });
        let answers: Vec<_> = join_all(sending).await.into_iter().flatten().collect();
        let accepted = answers.iter().filter(|(.., a)| a.code() == Some(200));
        let accepted = accepted.count();
        ensure!(
            accepted == room.min(answers.len()),
            "{accepted} of {} are accepted where {room} have room",
            answers.len()
        );
        for (client, number, text, answer) in answers {
            let Some(200) = answer.code() else {
                ensure!(answer.code() == Some(507), "{}", brief(&answer));
                continue;
            };
            let id = answer.primitive().text("MessageID").expect("an id");
            let message = Message {
                from: user_of(client),
                by: client,
                number,
                text,
                report: true,
                short: false,
                client: None,
            };
            self.model.accept(to, id, message);
        }
        Ok(())
    }

    async fn poll(&mut self, client: usize, fault: Fault) -> Result<(), String> {
        if !self.is_live(client) {
            return Ok(());
        }
        // A client that has never answered is not waited for long (clients GEN-29).
        let fault = match fault {
            Fault::None | Fault::HalfWritten | Fault::Killed => fault,
            other if self.phones[client].answers => other,
            _ => Fault::None,
        };
        let deadline = Instant::now() + DEADLINE;
        let mut fault = Some(fault);
        loop {
            let request = ("Request", None);
            let fault = fault.take().unwrap_or(Fault::None);
            let answer = self
                .exchange(client, request, "<Polling-Request/>", fault)
                .await?;
            if !answer.is_empty() {
                return self.came(client, &answer).await;
            }
            let Some(must) = self.model.must_come(client) else {
                return Ok(());
            };
            // An earlier exchange that nobody waited for may have been served just now.
            ensure!(Instant::now() < deadline, "{must:?} does not come");
        }
    }

    /// A server transaction has come: is it right?
    fn check_push(&self, client: usize, answer: &Answer) -> Result<Key, String> {
        ensure!(answer.mode() == "Request", "{}", brief(answer));
        let primitive = answer.primitive();
        let text = |path: &str| primitive.text(path).unwrap_or_default();
        let id = text("MessageInfo/MessageID").to_owned();
        let me = address(user_of(client));
        if primitive.name == "DeliveryReport-Request" {
            let recipient = text("MessageInfo/Recipient/User/UserID");
            let about = (0..CLIENTS_OF.len()).find(|user| address(*user) == recipient);
            let about = about.ok_or_else(|| format!("a report about {recipient}"))?;
            let key = Key::Report(id, about);
            let entry = self.model.may_come(client, &key)?;
            // csp-im 13: what 1.1 does not know.
            let old = self.phones[client].client.version == Version::V1_1;
            let told = |code: u16| if old && code == 542 { 410 } else { code };
            let What::Report(code) = entry.what else {
                return Err(format!("{key:?} is no report"));
            };
            let came = text("Result/Code");
            ensure!(
                came == told(code).to_string() && text("MessageInfo/Sender/User/UserID") == me,
                "{primitive:#?} for {entry:?}"
            );
            return Ok(key);
        }
        ensure!(primitive.name == "NewMessage", "{primitive:#?}");
        let key = Key::Message(id);
        let entry = self.model.may_come(client, &key)?;
        let What::Message(message) = &entry.what else {
            return Err(format!("{key:?} is a message"));
        };
        let is_it = text("ContentData") == message.text
            && text("MessageInfo/Sender/User/UserID") == address(message.from)
            && text("MessageInfo/Recipient/User/UserID") == me;
        ensure!(is_it, "{primitive:#?} for {message:?}");
        Ok(key)
    }

    /// Keeps what has come, to be answered.
    async fn came(&mut self, client: usize, answer: &Answer) -> Result<(), String> {
        let key = self.check_push(client, answer)?;
        let id = answer.transaction().unwrap_or_default().to_owned();
        let phone = &mut self.phones[client];
        let came = Came {
            id,
            key,
            open: true,
        };
        phone.before = phone.pending.replace(came);
        if !phone.answers {
            Box::pin(self.answer(client, How::Well, Fault::None)).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, client: usize, how: How, fault: Fault) -> Result<(), String> {
        let phone = &mut self.phones[client];
        if !self.model.live[client] || phone.pending.is_none() {
            return Ok(());
        }
        let came = match how {
            How::TheOneBefore => phone.before.take(),
            _ => phone
                .before
                .insert(phone.pending.take().expect("it is there"))
                .clone()
                .into(),
        };
        let Some(Came { id, key, open }) = came else {
            return Ok(());
        };
        let (how, fault) = sensible(how, fault, &key, phone.answers);
        let delivered = |key: &Key| match key {
            Key::Message(id) => format!(
                "<MessageDelivered><MessageID>{}</MessageID></MessageDelivered>",
                escape(id)
            ),
            Key::Report(..) => STATUS_200.to_owned(),
        };
        let status = |code: u16| STATUS_200.replace("200", &code.to_string());
        let (mode, content) = match how {
            How::Well | How::TheOneBefore => ("Response", delivered(&key)),
            How::ByStatus => ("Response", STATUS_200.to_owned()),
            How::ByRequest => ("Request", delivered(&key)),
            How::ByNamelessStatus => ("Request", STATUS_200.to_owned()),
            How::WrongMessage => ("Response", delivered(&Key::Message("nonsense".to_owned()))),
            How::Error500 => ("Response", status(500)),
            How::Error415 => ("Response", status(415)),
        };
        let id = match how {
            How::ByRequest => self.next_id(),
            _ => id,
        };
        let waited = self.model.waits(user_of(client), &key);
        let answer = self
            .exchange(client, (mode, Some(&id)), &content, fault)
            .await?;
        let named = matches!(key, Key::Message(_));
        match how {
            How::Well | How::TheOneBefore if named => self.model.acknowledge(client, &key),
            How::ByRequest => {
                let once = matches!(fault, Fault::None | Fault::HalfWritten);
                let expected: &[u16] = match (waited, once, self.model.forks(client)) {
                    (true, true, _) => &[200],
                    (false, _, false) => &[426],
                    _ => &[200, 426],
                };
                let code = answer.code().unwrap_or_default();
                ensure!(expected.contains(&code), "{key:?}: {}", brief(&answer));
                self.model.acknowledge(client, &key);
            }
            // A Status counts for the transaction, as long as that is open.
            How::Well | How::ByStatus | How::ByNamelessStatus if open => match fault {
                Fault::Killed => self.model.perhaps_acknowledge(client, &key),
                _ => self.model.acknowledge(client, &key),
            },
            How::Error415 if open => self.model.refuse(client, &key),
            _ => {}
        }
        if open && !matches!(how, How::ByRequest | How::TheOneBefore) && fault != Fault::Killed {
            self.phones[client].answers = true;
        }
        if !answer.is_empty() && answer.mode() == "Request" {
            self.came(client, &answer).await?;
        }
        Ok(())
    }

    async fn drain(&mut self, client: usize) -> Result<(), String> {
        let mut nothing = 0;
        let deadline = Instant::now() + DEADLINE;
        while self.is_live(client) && nothing < PATIENCE {
            if self.phones[client].pending.is_none() {
                self.poll(client, Fault::None).await?;
            }
            match self.phones[client].pending.is_some() {
                true => self.answer(client, How::Well, Fault::None).await?,
                false => nothing += 1,
            }
            ensure!(Instant::now() < deadline, "client {client} is never done");
        }
        Ok(())
    }

    /// Nobody has lost anything: everything comes to those who come for it.
    async fn settle(&mut self) -> Result<(), String> {
        for client in 0..CLIENTS {
            if !self.is_live(client) || self.model.has_refused(client) {
                self.login(client, true).await?;
            }
        }
        let deadline = Instant::now() + DEADLINE;
        loop {
            for client in 0..CLIENTS {
                self.drain(client).await?;
            }
            let left = (0..CLIENTS_OF.len()).find(|user| !self.model.is_empty(*user));
            let Some(user) = left else {
                return Ok(());
            };
            let left: Vec<_> = self.model.waiting(user).collect();
            ensure!(
                Instant::now() < deadline,
                "{left:?} for user {user} are lost"
            );
        }
    }
}

/// What of a way to answer, and of a fault, has an outcome that can be known.
fn sensible(how: How, fault: Fault, key: &Key, answers: bool) -> (How, Fault) {
    let is_report = matches!(key, Key::Report(..));
    let how = match how {
        // A report has no name by which it could be acknowledged.
        How::ByRequest | How::TheOneBefore if is_report => How::Well,
        How::Error415 if is_report => How::Error500,
        // Who does not answer soon is not waited for (clients GEN-29).
        How::ByRequest | How::TheOneBefore if !answers => How::Well,
        // Whether a Status was heard by a server that was killed shows only in the store.
        How::ByStatus if fault == Fault::Killed && !is_report => How::Well,
        how => how,
    };
    let fault = match (how, fault) {
        // It might be taken for the answer to something later.
        (How::ByNamelessStatus, Fault::Gone | Fault::HalfRead | Fault::Killed) => Fault::None,
        (How::Error415, Fault::Killed) => Fault::None,
        (_, fault) => fault,
    };
    (how, fault)
}

/// An answer for a failure message.
fn brief(answer: &Answer) -> String {
    match answer.is_empty() {
        true => "nothing".to_owned(),
        false => format!("{} {:?}", answer.primitive().name, answer.code()),
    }
}

/// The contact list that everybody has.
fn list(owner: usize) -> String {
    format!("wv:user{owner}/friends@h")
}

/// ListManage-Request that adds a user or removes him.
fn contact(owner: usize, user: usize, add: bool) -> String {
    let (list, user) = (list(owner), address(user));
    let change = match add {
        true => format!("<AddNickList><UserID>{user}</UserID></AddNickList>"),
        false => format!("<RemoveNickList><UserID>{user}</UserID></RemoveNickList>"),
    };
    format!("<ListManage-Request><ContactList>{list}</ContactList>{change}</ListManage-Request>")
}
