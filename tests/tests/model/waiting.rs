//! Steps in which clients ask for what waits for them, and say how and from whom they want it
//! (csp-im 3.3, 7, 11).

use crate::driver::{Driver, brief, ensure};
use crate::reference::{Key, Message, address};
use crate::steps::{Fault, To, user_of};
use hamlet_csp::Version;
use hamlet_tests::client::escape;
use std::collections::BTreeSet;

impl Driver {
    /// BlockEntity: the list of its kind changes by one user, and is in use or not.
    pub(crate) async fn access(
        &mut self,
        client: usize,
        change: (bool, usize, bool, bool),
    ) -> Result<(), String> {
        if !self.is_live(client) {
            return Ok(());
        }
        let (grants, user, add, in_use) = change;
        let list = if grants { "GrantList" } else { "BlockList" };
        let in_use = if in_use { "T" } else { "F" };
        let change_of = if add { "AddList" } else { "RemoveList" };
        let user_id = format!("<UserID>{}</UserID>", address(user));
        let entities = format!("<{change_of}>{user_id}</{change_of}>");
        let content = match self.phones[client].client.version {
            Version::V1_3 => {
                format!("<{list}>{entities}</{list}><{list}InUse>{in_use}</{list}InUse>")
            }
            _ => format!("<{list}><InUse>{in_use}</InUse>{entities}</{list}>"),
        };
        let content = format!("<BlockEntity-Request>{content}</BlockEntity-Request>");
        self.simple(client, &content, Fault::None, &[200]).await?;
        self.model.access(user_of(client), change);
        Ok(())
    }

    /// SetDeliveryMethod for the whole session.
    pub(crate) async fn method(&mut self, client: usize, notify: bool) -> Result<(), String> {
        if !self.is_live(client) {
            return Ok(());
        }
        let method = if notify { "N" } else { "P" };
        let content = format!(
            "<SetDeliveryMethod-Request><DeliveryMethod>{method}</DeliveryMethod></SetDeliveryMethod-Request>"
        );
        self.simple(client, &content, Fault::None, &[200]).await?;
        self.phones[client].quiet = notify;
        self.model.reconsider(client);
        Ok(())
    }

    /// GetMessageList tells what waits for the client, and all of it.
    pub(crate) async fn list_messages(&mut self, client: usize) -> Result<(), String> {
        if !self.is_live(client) {
            return Ok(());
        }
        let id = self.next_id();
        let request = ("Request", Some(id.as_str()));
        let content = "<GetMessageList-Request/>";
        let answer = self.exchange(client, request, content, Fault::None).await?;
        ensure!(
            answer.primitive().name == "GetMessageList-Response",
            "{}",
            brief(&answer)
        );
        let path = match self.phones[client].client.version {
            Version::V1_3 => "MessageInfoList/MessageInfo/MessageID",
            _ => "MessageInfo/MessageID",
        };
        let told = answer.primitive().texts(path);
        let told: BTreeSet<Key> = told
            .iter()
            .map(|id| Key::Message((*id).to_owned()))
            .collect();
        let waiting = self.model.for_client(client);
        let waiting: BTreeSet<Key> = waiting.iter().map(|(key, _)| (*key).clone()).collect();
        let missing: Vec<_> = waiting.difference(&told).collect();
        ensure!(missing.is_empty(), "{missing:?} are not listed");
        for key in told.difference(&waiting) {
            // A copy that is the client's may be among them.
            self.model.may_come(client, key)?;
        }
        Ok(())
    }

    /// GetMessage, and perhaps MessageDelivered as a request of its own.
    pub(crate) async fn pull(
        &mut self,
        client: usize,
        nth: usize,
        acknowledge: bool,
        fault: Fault,
    ) -> Result<(), String> {
        let Some((key, message)) = self.nth(client, nth) else {
            return Ok(());
        };
        let Key::Message(id) = &key else {
            return Ok(());
        };
        let id = escape(id);
        let content =
            format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>");
        let request_id = self.next_id();
        let request = ("Request", Some(request_id.as_str()));
        // Nothing changes by it, so it may be lost like anything.
        let answer = self.exchange(client, request, &content, fault).await?;
        let primitive = answer.primitive();
        let is_it = primitive.name == "GetMessage-Response"
            && primitive.text("ContentData") == Some(message.text.as_str())
            && primitive.text("MessageInfo/Sender/User/UserID") == Some(&address(message.from));
        ensure!(is_it, "{primitive:#?} for {message:?}");
        if acknowledge {
            let content =
                format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>");
            self.simple(client, &content, fault, &[200]).await?;
            self.model.acknowledge(client, &key);
            self.phones[client].requested.insert(key.clone());
        }
        Ok(())
    }

    /// RejectMessage.
    pub(crate) async fn reject(
        &mut self,
        client: usize,
        nth: usize,
        fault: Fault,
    ) -> Result<(), String> {
        let Some((Key::Message(id), _)) = self.nth(client, nth) else {
            return Ok(());
        };
        let named = escape(&id);
        let content = format!(
            "<RejectMessage-Request><MessageID>{named}</MessageID></RejectMessage-Request>"
        );
        self.simple(client, &content, fault, &[200]).await?;
        self.model.remove(user_of(client), &Key::Message(id), 538);
        Ok(())
    }

    /// ForwardMessage, by clients that are told the name of the new message (1.3).
    pub(crate) async fn forward(
        &mut self,
        client: usize,
        nth: usize,
        to: To,
        fault: Fault,
    ) -> Result<(), String> {
        let Some((key, original)) = self.nth(client, nth) else {
            return Ok(());
        };
        let Key::Message(id) = &key else {
            return Ok(());
        };
        let me = user_of(client);
        let resolved = self.model.resolve(client, &[to]);
        // To oneself, and to several of whom some cannot be reached: other tests.
        if self.phones[client].client.version != Version::V1_3
            || resolved.code() == 201
            || resolved.reached.iter().any(|(user, _)| *user == me)
        {
            return Ok(());
        }
        let content = format!(
            "<ForwardMessage-Request><MessageID>{}</MessageID><Recipient>{}</Recipient></ForwardMessage-Request>",
            escape(id),
            self.recipients(me, &[to])
        );
        let request_id = self.next_id();
        let request = ("Request", Some(request_id.as_str()));
        let answer = self.exchange(client, request, &content, fault).await?;
        let new = answer.primitive().text("MessageID").map(str::to_owned);
        let Some(new) = new else {
            ensure!(
                resolved.reached.is_empty() && answer.code() == Some(resolved.code()),
                "forwarded to {to:?}: {}, not {}",
                brief(&answer),
                resolved.code()
            );
            return Ok(());
        };
        self.last += 1;
        for (recipient, meant) in resolved.reached {
            let message = Message {
                from: me,
                by: client,
                number: self.last,
                report: false,
                client: meant,
                ..original.clone()
            };
            self.model.accept(recipient, &new, message);
        }
        self.model.remove(me, &key, 541);
        Ok(())
    }

    /// One of the messages that wait for a client that has a session.
    fn nth(&self, client: usize, nth: usize) -> Option<(Key, Message)> {
        if !self.is_live(client) {
            return None;
        }
        let waiting = self.model.for_client(client);
        let (key, message) = *waiting.get(nth.min(waiting.len().checked_sub(1)?))?;
        Some((key.clone(), message.clone()))
    }

    /// A request that is answered by its code: the first of these, or another one where it
    /// was repeated.
    async fn simple(
        &mut self,
        client: usize,
        content: &str,
        fault: Fault,
        codes: &[u16],
    ) -> Result<(), String> {
        let id = self.next_id();
        let request = ("Request", Some(id.as_str()));
        let answer = self.exchange(client, request, content, fault).await?;
        let code = answer.code().unwrap_or_default();
        let once = matches!(fault, Fault::None | Fault::HalfWritten);
        let expected = if once { &codes[..1] } else { codes };
        ensure!(
            expected.contains(&code),
            "{content}: {} instead of {expected:?}",
            brief(&answer)
        );
        Ok(())
    }
}
