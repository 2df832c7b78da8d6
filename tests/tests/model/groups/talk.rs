//! Steps in which something is said, and in which it comes to the others.

use crate::driver::{brief, ensure};
use crate::groups::reference::Said;
use crate::groups::steps::{GROUPS, How};
use crate::groups::{Groups, group_id, screen_name};
use crate::phone::Came;
use crate::reference::Key;
use crate::steps::{CLIENTS, Fault};
use futures::future::join_all;
use hamlet_csp::Version;
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{STATUS_200, escape, send_message};
use hamlet_tests::element::Element;
use hamlet_tests::http::DEADLINE;
use std::collections::BTreeSet;
use std::time::Instant;

/// Most messages of a group that wait for a client: more than the server reads at a time, and
/// fewer than it keeps for one that fetches nothing.
const MOST: usize = 40;

fn recipient(group: usize, only: Option<usize>) -> String {
    match only {
        Some(only) => format!("<Group>{}</Group>", screen_name(only, group)),
        None => format!("<Group><GroupID>{}</GroupID></Group>", group_id(group)),
    }
}

fn delivered(id: &str) -> String {
    let id = escape(id);
    format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>")
}

/// Where it was said, and whether that is all as it should be.
fn is_it(primitive: &Element, group: usize, said: &Said, with_content: bool) -> bool {
    let of = group_id(group);
    let info = |path: &str| primitive.text(&format!("MessageInfo/{path}"));
    let name = format!("c{}", said.by);
    let meant = match said.only {
        Some(only) => {
            let name = format!("c{only}");
            info("Recipient/Group/ScreenName/SName") == Some(&name)
                && info("Recipient/Group/ScreenName/GroupID") == Some(&of)
        }
        None => info("Recipient/Group/GroupID") == Some(&of),
    };
    let content = with_content.then_some(said.text.as_str());
    meant
        && info("Sender/Group/ScreenName/SName") == Some(&name)
        && primitive.text("ContentData") == content
}

impl Groups {
    fn said(&mut self, by: usize, only: Option<usize>) -> Said {
        self.last += 1;
        Said {
            id: String::new(),
            by,
            text: format!("no. {} of c{by} & <é>", self.last),
            only,
        }
    }

    pub(super) async fn say(
        &mut self,
        client: usize,
        group: usize,
        only: Option<usize>,
        fault: Fault,
    ) -> Result<(), String> {
        if !self.model.live[client] || self.model.most(group) >= MOST {
            return Ok(());
        }
        let mut said = self.said(client, only);
        let content = send_message(&recipient(group, only), &said.text, false);
        let code = self.model.code(client, group, only);
        let answer = self.request(client, &content, fault).await?;
        ensure!(
            answer.code() == Some(code),
            "to {group}, {only:?}: {} instead of {code}",
            brief(&answer)
        );
        if code == 200 {
            let id = answer.primitive().text("MessageID");
            id.expect("an id").clone_into(&mut said.id);
            self.model.say(group, &said);
            self.arrives(fault).await?;
        }
        Ok(())
    }

    /// The copy of a request that nobody waited for may have been carried out, and not yet told
    /// of.
    async fn arrives(&mut self, fault: Fault) -> Result<(), String> {
        for client in 0..CLIENTS {
            if fault == Fault::Gone {
                self.list(client).await?;
            }
        }
        Ok(())
    }

    /// The order of what is said at the same time is that of the log, where it can be seen.
    pub(super) async fn together(&mut self, clients: &[usize], group: usize) -> Result<(), String> {
        let room = self.model.most(group) + clients.len() <= MOST;
        if self.host.said(&group_id(group)).await.is_none() || !room {
            return Ok(());
        }
        let speaks = |client: &usize| self.model.has_joined(*client, group);
        let speakers: Vec<usize> = (0..CLIENTS)
            .filter(|client| clients.contains(client) && speaks(client))
            .collect();
        let mut all: Vec<Said> = Vec::new();
        for speaker in &speakers {
            all.push(self.said(*speaker, None));
        }
        let id = self.next_id();
        let phones = self.phones.iter_mut().enumerate();
        let speaking = phones.filter(|(client, _)| speakers.contains(client));
        let sent = speaking.zip(&mut all).map(|((_, phone), said)| {
            let content = send_message(&recipient(group, None), &said.text, false);
            let id = &id;
            async move {
                let answer = phone.client.request_as(id, &content).await;
                phone.lapse();
                let id = answer.primitive().text("MessageID");
                id.unwrap_or_default().clone_into(&mut said.id);
                answer.code()
            }
        });
        let codes = join_all(sent).await;
        ensure!(
            codes.iter().all(|code| *code == Some(200)),
            "at the same time: {codes:?}"
        );
        let log = self.host.said(&group_id(group)).await.unwrap_or_default();
        all.sort_by_key(|said| log.iter().position(|id| *id == said.id));
        for said in all {
            ensure!(log.contains(&said.id), "{said:?} is not in the log");
            self.model.say(group, &said);
        }
        Ok(())
    }

    pub(super) async fn poll(&mut self, client: usize, fault: Fault) -> Result<(), String> {
        if !self.model.live[client] {
            return Ok(());
        }
        // A client that has never answered is not waited for long (clients GEN-29).
        let fault = match fault {
            Fault::None | Fault::HalfWritten | Fault::Killed => fault,
            other if self.phones[client].answers => other,
            _ => Fault::None,
        };
        let poll = ("Request", None);
        let answer = self
            .exchange(client, poll, "<Polling-Request/>", fault, |_| ())
            .await?;
        match answer.is_empty() {
            false => self.came(client, &answer).await,
            true => {
                let next = self.model.next(client);
                ensure!(next.is_empty(), "{next:?} do not come");
                Ok(())
            }
        }
    }

    /// A server transaction has come: is it right?
    pub(super) fn check(&self, client: usize, answer: &Answer) -> Result<String, String> {
        ensure!(answer.mode() == "Request", "{}", brief(answer));
        let primitive = answer.primitive();
        let notified = primitive.name == "MessageNotification";
        ensure!(notified || primitive.name == "NewMessage", "{primitive:#?}");
        let id = primitive.text("MessageInfo/MessageID").unwrap_or_default();
        let next = self.model.next(client);
        let (group, said) = next
            .iter()
            .find(|(_, said)| said.id == id)
            .ok_or_else(|| format!("{primitive:#?} instead of one of {next:?}"))?;
        let wanted = self.model.notifies(client, *group);
        ensure!(
            notified == wanted || (!notified && self.phones[client].deaf),
            "{} to a client whose wish to be notified is {wanted}",
            primitive.name
        );
        ensure!(
            is_it(primitive, *group, said, !notified),
            "{primitive:#?} for {said:?}"
        );
        Ok(id.to_owned())
    }

    async fn came(&mut self, client: usize, answer: &Answer) -> Result<(), String> {
        let key = Key::Message(self.check(client, answer)?);
        let phone = &mut self.phones[client];
        let came = Came {
            id: answer.transaction().unwrap_or_default().to_owned(),
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

    pub(super) async fn answer(
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
            _ => {
                phone.before = phone.pending.take();
                phone.before.clone()
            }
        };
        let Some(came) = came else {
            return Ok(());
        };
        let answers = phone.answers;
        let Came {
            id,
            key: Key::Message(message),
            notified,
            open,
        } = came
        else {
            return Ok(());
        };
        let how = match how {
            // What became of a Status is not known where the server is killed.
            How::ByStatus | How::Error415 if fault == Fault::Killed => How::Well,
            How::ByRequest | How::TheOneBefore if !answers => How::Well,
            How::Error500 | How::WrongMessage => how,
            _ if notified => How::Well,
            how => how,
        };
        let status = |code: u16| STATUS_200.replace("200", &code.to_string());
        let (mode, content) = match how {
            How::Well | How::TheOneBefore if notified => ("Response", STATUS_200.to_owned()),
            How::Well | How::TheOneBefore => ("Response", delivered(&message)),
            How::ByStatus => ("Response", STATUS_200.to_owned()),
            How::ByRequest => ("Request", delivered(&message)),
            How::WrongMessage => ("Response", delivered("nonsense")),
            How::Error500 => ("Response", status(500)),
            How::Error415 => ("Response", status(415)),
        };
        let id = match how {
            How::ByRequest => self.next_id(),
            _ => id,
        };
        let waited = self
            .model
            .due(client)
            .any(|(_, due)| due.said.id == message);
        let answer = self
            .exchange(
                client,
                (mode, Some(id.as_str())),
                &content,
                fault,
                |model| match how {
                    // After a restart the Status closes nothing.
                    How::Well if notified && open && fault != Fault::Killed => {
                        model.tell(client, &message);
                    }
                    How::Well | How::TheOneBefore | How::ByRequest if !notified => {
                        model.done(client, &message);
                    }
                    How::ByStatus | How::Error415 if open => model.done(client, &message),
                    _ => {}
                },
            )
            .await?;
        if how == How::ByRequest {
            // One that it had acknowledged otherwise is not remembered.
            let expected: &[u16] = if waited { &[200] } else { &[200, 426] };
            let code = answer.code().unwrap_or_default();
            ensure!(expected.contains(&code), "{message}: {}", brief(&answer));
        }
        if open && !matches!(how, How::ByRequest | How::TheOneBefore) && fault != Fault::Killed {
            self.phones[client].answers = true;
        }
        if !answer.is_empty() && answer.mode() == "Request" {
            self.came(client, &answer).await?;
        }
        Ok(())
    }

    pub(super) async fn drain(&mut self, client: usize) -> Result<(), String> {
        let deadline = Instant::now() + DEADLINE;
        while self.model.live[client] {
            if self.phones[client].pending.is_none() {
                self.poll(client, Fault::None).await?;
            }
            if self.phones[client].pending.is_none() {
                return Ok(());
            }
            self.answer(client, How::Well, Fault::None).await?;
            ensure!(Instant::now() < deadline, "client {client} is never done");
        }
        Ok(())
    }

    /// GetMessageList tells all that waits.
    pub(super) async fn list(&mut self, client: usize) -> Result<(), String> {
        if !self.model.live[client] {
            return Ok(());
        }
        let content = "<GetMessageList-Request/>";
        let due = self.model.due(client).map(|(_, due)| due.said.id.clone());
        let due: BTreeSet<String> = due.collect();
        let deadline = Instant::now() + DEADLINE;
        loop {
            let answer = self.request(client, content, Fault::None).await?;
            let path = match self.phones[client].client.version {
                Version::V1_3 => "MessageInfoList/MessageInfo/MessageID",
                _ => "MessageInfo/MessageID",
            };
            let told = answer.primitive().texts(path).into_iter();
            let told: BTreeSet<String> = told.map(str::to_owned).collect();
            if told == due {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{told:?} are listed instead of {due:?}"
            );
        }
    }

    /// One of the messages that wait for a client.
    fn nth(&self, client: usize, nth: usize) -> Option<(usize, Said)> {
        let due: Vec<_> = self.model.due(client).collect();
        let (group, due) = due.get(nth.min(due.len().checked_sub(1)?))?;
        Some((*group, due.said.clone()))
    }

    pub(super) async fn pull(
        &mut self,
        client: usize,
        nth: usize,
        acknowledge: bool,
        fault: Fault,
    ) -> Result<(), String> {
        let Some((group, said)) = self.nth(client, nth) else {
            return Ok(());
        };
        let id = escape(&said.id);
        let content =
            format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>");
        let answer = self.request(client, &content, fault).await?;
        let primitive = answer.primitive();
        ensure!(
            primitive.name == "GetMessage-Response" && is_it(primitive, group, &said, true),
            "{primitive:#?} for {said:?}"
        );
        self.model.tell(client, &said.id);
        if acknowledge {
            self.simple(client, &delivered(&said.id), fault, 200)
                .await?;
            self.model.done(client, &said.id);
            // The answer may have been lost (csp-im 7.2).
            self.simple(client, &delivered(&said.id), Fault::None, 200)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn reject(
        &mut self,
        client: usize,
        nth: usize,
        fault: Fault,
    ) -> Result<(), String> {
        let Some((_, said)) = self.nth(client, nth) else {
            return Ok(());
        };
        let id = escape(&said.id);
        let content =
            format!("<RejectMessage-Request><MessageID>{id}</MessageID></RejectMessage-Request>");
        self.simple(client, &content, fault, 200).await?;
        self.model.done(client, &said.id);
        Ok(())
    }

    /// By clients that are told the name of the new message (1.3).
    pub(super) async fn forward(
        &mut self,
        client: usize,
        nth: usize,
        group: usize,
        fault: Fault,
    ) -> Result<(), String> {
        let Some((_, original)) = self.nth(client, nth) else {
            return Ok(());
        };
        let speaks = self.phones[client].client.version == Version::V1_3;
        if !speaks || self.model.most(group) >= MOST {
            return Ok(());
        }
        let content = format!(
            "<ForwardMessage-Request><MessageID>{}</MessageID><Recipient>{}</Recipient></ForwardMessage-Request>",
            escape(&original.id),
            recipient(group, None)
        );
        if !self.model.has_joined(client, group) {
            return self.simple(client, &content, fault, 808).await;
        }
        let answer = self.request(client, &content, fault).await?;
        let new = answer.primitive().text("MessageID");
        let new = new.ok_or_else(|| format!("forwarded: {}", brief(&answer)))?;
        let said = Said {
            id: new.to_owned(),
            by: client,
            only: None,
            ..original.clone()
        };
        self.model.say(group, &said);
        self.model.done(client, &original.id);
        self.arrives(fault).await
    }

    /// Everything comes to those who come for it.
    pub(super) async fn settle(&mut self) -> Result<(), String> {
        for client in 0..CLIENTS {
            for group in 0..GROUPS {
                if self.model.has_joined(client, group) {
                    self.method(client, Some(group), false).await?;
                }
            }
            self.drain(client).await?;
            let left: Vec<_> = self.model.due(client).collect();
            ensure!(left.is_empty(), "{left:?} for client {client} are lost");
        }
        Ok(())
    }
}
