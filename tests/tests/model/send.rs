//! Steps that send messages.

use crate::driver::{Driver, brief, ensure};
use crate::phone::{Sending, Sent};
use crate::reference::{Message, address};
use crate::steps::{CLIENTS_OF, Fault, To, user_of};
use futures::future::join_all;
use hamlet_tests::client::{escape, send_message, user};
use hamlet_tests::element::Element;

impl Driver {
    pub(crate) async fn contact(
        &mut self,
        client: usize,
        user: usize,
        add: bool,
    ) -> Result<(), String> {
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
    pub(crate) async fn send(
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
        let sending = Sending {
            number,
            to: to.to_vec(),
            text,
            report,
            short,
            content,
        };
        self.first_sent(client, (id, None), sending, fault).await
    }

    /// SendMessage under an identifier under which nothing has been accepted; it may have been
    /// refused before.
    async fn first_sent(
        &mut self,
        client: usize,
        (id, refusal): (&str, Option<&Element>),
        sending: Sending,
        fault: Fault,
    ) -> Result<(), String> {
        let resolved = self.model.resolve(client, &sending.to);
        // A copy that is still under way could be accepted when nobody looks.
        let fault = match fault {
            Fault::Gone if resolved.reached.is_empty() => Fault::None,
            other => other,
        };
        let request = ("Request", Some(id));
        let answer = self
            .exchange(client, request, &sending.content, fault)
            .await?;
        // The refusal may have been remembered.
        if refusal == Some(answer.primitive()) {
            return Ok(());
        }
        ensure!(
            answer.code() == Some(resolved.code()),
            "to {:?}: expected {}, {}",
            sending.to,
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
                from: user_of(client),
                by: client,
                number: sending.number,
                text: sending.text.clone(),
                report: sending.report,
                short: sending.short,
                client: meant,
            };
            let message_id = message_id.as_deref().unwrap_or_default();
            self.model.accept(recipient, message_id, message);
        }
        self.phones[client].last = Some(Sent {
            id: id.to_owned(),
            sending,
            answer: answer.primitive().clone(),
            settled: !matches!(fault, Fault::Gone | Fault::HalfRead),
        });
        Ok(())
    }

    pub(crate) fn recipients(&self, sender: usize, to: &[To]) -> String {
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
    pub(crate) async fn repeat(&mut self, client: usize) -> Result<(), String> {
        if !self.is_live(client) {
            return Ok(());
        }
        let Some(sent) = self.phones[client].last.clone() else {
            return Ok(());
        };
        // What has failed for everybody before anything was stored is judged anew, and perhaps
        // otherwise.
        if sent.answer.at("MessageID").is_none() {
            let request = (sent.id.as_str(), Some(&sent.answer));
            let sending = sent.sending;
            return self.first_sent(client, request, sending, Fault::None).await;
        }
        let request = ("Request", Some(sent.id.as_str()));
        let content = &sent.sending.content;
        let answer = self.exchange(client, request, content, Fault::None).await?;
        ensure!(
            *answer.primitive() == sent.answer,
            "repeated, it is answered {:?} instead of {:?}",
            answer.primitive(),
            sent.answer
        );
        Ok(())
    }

    /// Several clients send at once: what is accepted is there, in the order of each.
    pub(crate) async fn together(&mut self, clients: &[usize], to: usize) -> Result<(), String> {
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
        // Who is kept out is told so.
        let (heard, refused): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .partition(|(client, ..)| self.model.lets_in(to, user_of(*client)));
        for (client, _, _, content, id) in refused {
            let request = ("Request", Some(id.as_str()));
            let answer = self.exchange(client, request, &content, Fault::None);
            let answer = answer.await?;
            ensure!(answer.code() == Some(532), "{}", brief(&answer));
        }
        let requests = heard;
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
}

/// The contact list that everybody has.
fn list(owner: usize) -> String {
    format!("wv:user{owner}/friends@h")
}

/// ListManage-Request that adds a user or removes him.
pub fn contact(owner: usize, user: usize, add: bool) -> String {
    let (list, user) = (list(owner), address(user));
    let change = match add {
        true => format!("<AddNickList><UserID>{user}</UserID></AddNickList>"),
        false => format!("<RemoveNickList><UserID>{user}</UserID></RemoveNickList>"),
    };
    format!("<ListManage-Request><ContactList>{list}</ContactList>{change}</ListManage-Request>")
}
