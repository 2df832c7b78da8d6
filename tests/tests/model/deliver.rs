//! Steps in which clients get what waits for them.

use crate::driver::{Driver, brief, ensure};
use crate::phone::Came;
use crate::reference::{Key, What, address};
use crate::steps::{CLIENTS, CLIENTS_OF, Fault, How, user_of};
use hamlet_csp::Version;
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{STATUS_200, escape};
use hamlet_tests::http::DEADLINE;
use std::time::Instant;

/// Polls that bring nothing before a client with others beside it is taken to have all that
/// is for it: those whose turn it was are asked in between.
const PATIENCE: usize = 4;

impl Driver {
    pub(crate) async fn poll(&mut self, client: usize, fault: Fault) -> Result<(), String> {
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
    pub(crate) fn check_push(&self, client: usize, answer: &Answer) -> Result<Key, String> {
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
            let told = |code: u16| {
                if old && [541, 542].contains(&code) {
                    410
                } else {
                    code
                }
            };
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
        let notified = primitive.name == "MessageNotification";
        ensure!(notified || primitive.name == "NewMessage", "{primitive:#?}");
        ensure!(
            notified == self.phones[client].quiet || (!notified && self.phones[client].deaf),
            "a client that wants {} gets {}",
            if notified {
                "messages"
            } else {
                "notifications"
            },
            primitive.name
        );
        let key = Key::Message(id);
        let entry = self.model.may_come(client, &key)?;
        let What::Message(message) = &entry.what else {
            return Err(format!("{key:?} is a message"));
        };
        let content = if notified { "" } else { message.text.as_str() };
        let is_it = text("ContentData") == content
            && text("MessageInfo/Sender/User/UserID") == address(message.from)
            && text("MessageInfo/Recipient/User/UserID") == me;
        ensure!(is_it, "{primitive:#?} for {message:?}");
        Ok(key)
    }

    /// Keeps what has come, to be answered.
    pub(crate) async fn came(&mut self, client: usize, answer: &Answer) -> Result<(), String> {
        let key = self.check_push(client, answer)?;
        let id = answer.transaction().unwrap_or_default().to_owned();
        let phone = &mut self.phones[client];
        let came = Came {
            id,
            key,
            notified: answer.primitive().name == "MessageNotification",
            open: true,
        };
        phone.before = phone.pending.replace(came);
        if !phone.answers {
            Box::pin(self.answer(client, How::Well, Fault::None)).await?;
        }
        Ok(())
    }

    pub(crate) async fn answer(
        &mut self,
        client: usize,
        how: How,
        fault: Fault,
    ) -> Result<(), String> {
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
        let Some(came) = came else {
            return Ok(());
        };
        let (how, fault) = sensible(how, fault, &came, phone.answers);
        let Came {
            id,
            key,
            notified,
            open,
        } = came;
        let delivered = |key: &Key| match key {
            Key::Message(id) => format!(
                "<MessageDelivered><MessageID>{}</MessageID></MessageDelivered>",
                escape(id)
            ),
            Key::Report(..) => STATUS_200.to_owned(),
        };
        let status = |code: u16| STATUS_200.replace("200", &code.to_string());
        let (mode, content) = match how {
            How::Well | How::TheOneBefore if notified => ("Response", STATUS_200.to_owned()),
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
            .exchanged(client, (mode, Some(&id)), &content, fault)
            .await?;
        let named = matches!(key, Key::Message(_));
        match how {
            // It knows that the message waits.
            _ if notified && open && !matches!(how, How::WrongMessage | How::Error500) => {
                self.model.tell(client, &key);
            }
            // The server has forgotten that it told the client, and tells it again.
            _ if notified => {}
            How::Well | How::TheOneBefore if named => self.model.acknowledge(client, &key),
            How::ByRequest => {
                let before = self.phones[client].requested.contains(&key);
                let user = user_of(client);
                let expected: &[u16] = match waited || before {
                    true => &[200],
                    // A copy may wait, and the server does not remember for ever.
                    false if self.model.forks(client) || self.model.has(user, &key) => &[200, 426],
                    false => &[426],
                };
                let code = answer.code().unwrap_or_default();
                ensure!(expected.contains(&code), "{key:?}: {}", brief(&answer));
                self.model.acknowledge(client, &key);
                if code == 200 && waited {
                    self.phones[client].requested.insert(key.clone());
                }
            }
            // A Status counts for the transaction, as long as that is open.
            How::Well | How::ByStatus | How::ByNamelessStatus if open => match fault {
                Fault::Killed => self.model.perhaps_acknowledge(client, &key),
                _ => self.model.acknowledge(client, &key),
            },
            How::Error415 if open => self.model.refuse(client, &key),
            _ => {}
        }
        self.check_lost(client)?;
        if open && !matches!(how, How::ByRequest | How::TheOneBefore) && fault != Fault::Killed {
            self.phones[client].answers = true;
        }
        if !answer.is_empty() && answer.mode() == "Request" {
            self.came(client, &answer).await?;
        }
        Ok(())
    }

    pub(crate) async fn drain(&mut self, client: usize) -> Result<(), String> {
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
    pub(crate) async fn settle(&mut self) -> Result<(), String> {
        for client in 0..CLIENTS {
            let quiet = self.phones[client].quiet;
            if quiet || !self.is_live(client) || self.model.has_refused(client) {
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
fn sensible(how: How, fault: Fault, came: &Came, answers: bool) -> (How, Fault) {
    let is_report = matches!(came.key, Key::Report(..));
    let how = match how {
        // What became of a notification is not known where the server is killed.
        _ if came.notified && fault == Fault::Killed => How::Error500,
        How::ByRequest | How::TheOneBefore | How::Error415 if came.notified => How::Well,
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
