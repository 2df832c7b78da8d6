//! Requests that are encoded once; only identifiers and text are filled in for each message.

use hamlet_client::{Syntax, Version};
use hamlet_csp::elements::{
    CspResult, MessageDelivered, MessageInfo, Recipient, SendMessageRequest, Sender, Status, User,
};
use hamlet_csp::{
    ContentData, Document, Message, Primitive, SessionDescriptor, Text, Transaction, WriteOptions,
    encode,
};

/// Stand-ins for what is filled in; nothing else in a request looks like them.
const SLOTS: [&str; 2] = ["SLOT-0-OF-HAMLET-BENCH", "SLOT-1-OF-HAMLET-BENCH"];

/// A request with up to two gaps.
#[derive(Debug, Clone)]
pub struct Template {
    /// What stands before each gap, and which of the values goes into it.
    parts: Vec<(Vec<u8>, usize)>,
    tail: Vec<u8>,
    syntax: Syntax,
}

/// All requests of one session.
#[derive(Debug, Clone)]
pub struct Templates {
    /// SendMessage-Request: TransactionID, text.
    pub send: Template,
    /// Polling-Request.
    pub poll: Template,
    /// MessageDelivered: TransactionID, MessageID.
    pub delivered: Template,
    /// Status 200: TransactionID.
    pub status: Template,
    /// Logout-Request: TransactionID.
    pub logout: Template,
}

impl Templates {
    /// For a session of `user` who writes to `to` texts of `size` octets.
    pub fn new(
        version: Version,
        syntax: Syntax,
        session: &str,
        user: &str,
        to: &str,
        size: usize,
    ) -> Self {
        let make = |transaction: Transaction| {
            let document = Document::Message(Message {
                session: SessionDescriptor::inband(session),
                transactions: vec![transaction],
                poll: None,
                cir: None,
            });
            Template::new(
                encode(&document, syntax, version, &WriteOptions::default()),
                syntax,
            )
        };
        let [first, second] = SLOTS;
        let named = |user: &str| User {
            user_id: Some(Text::new(user)),
            ..User::default()
        };
        let send = SendMessageRequest {
            delivery_report: Some(false),
            message_info: Some(MessageInfo {
                content_type: Some(Text::new("text/plain")),
                content_size: Some(u32::try_from(size).unwrap_or(u32::MAX)),
                recipient: Some(Recipient {
                    user: vec![named(to)],
                    ..Recipient::default()
                }),
                sender: Some(Sender {
                    user: Some(named(user)),
                    group: None,
                }),
                ..MessageInfo::default()
            }),
            content_data: Some(ContentData::Text(second.to_owned())),
        };
        let delivered = MessageDelivered {
            message_id: Some(Text::new(second)),
        };
        let status = Status {
            result: Some(CspResult {
                code: Some(200),
                ..CspResult::default()
            }),
            client_id: None,
        };
        Self {
            send: make(Transaction::request(first, send)),
            poll: make(Transaction::request("", Primitive::PollingRequest)),
            delivered: make(Transaction::response(first, delivered)),
            status: make(Transaction::response(first, status)),
            logout: make(Transaction::request(first, Primitive::LogoutRequest)),
        }
    }
}

impl Template {
    fn new(octets: Vec<u8>, syntax: Syntax) -> Self {
        let mut parts = Vec::new();
        let mut rest = octets.as_slice();
        while let Some((at, slot)) = next_slot(rest) {
            parts.push((rest[..at].to_vec(), slot));
            rest = &rest[at + SLOTS[slot].len()..];
        }
        Self {
            parts,
            tail: rest.to_vec(),
            syntax,
        }
    }

    /// Writes the request with `values` in its gaps.
    pub fn fill(&self, values: [&str; 2], out: &mut Vec<u8>) {
        out.clear();
        for (before, slot) in &self.parts {
            out.extend_from_slice(before);
            match self.syntax {
                Syntax::Wbxml => out.extend_from_slice(values[*slot].as_bytes()),
                Syntax::Xml => escape(values[*slot], out),
            }
        }
        out.extend_from_slice(&self.tail);
    }
}

fn next_slot(octets: &[u8]) -> Option<(usize, usize)> {
    let find = |slot: &str| {
        octets
            .windows(slot.len())
            .position(|window| window == slot.as_bytes())
    };
    SLOTS
        .iter()
        .enumerate()
        .filter_map(|(index, slot)| Some((find(slot)?, index)))
        .min()
}

fn escape(text: &str, out: &mut Vec<u8>) {
    for octet in text.bytes() {
        match octet {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            octet => out.push(octet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_csp::{Decoded, decode};

    #[test]
    fn a_filled_template_is_the_message_with_these_values() {
        for version in Version::ALL {
            for syntax in [Syntax::Xml, Syntax::Wbxml] {
                let templates = Templates::new(version, syntax, "s<1", "wv:a@x", "wv:b@x", 5);
                let mut out = Vec::new();
                templates.send.fill(["t&1", "<a>&b"], &mut out);
                let Decoded { document, .. } = decode(&out, syntax).unwrap();
                let Document::Message(message) = document else {
                    panic!("no message")
                };
                assert_eq!(message.session.session_id.as_deref(), Some("s<1"));
                let transaction = &message.transactions[0];
                assert_eq!(transaction.id.as_deref(), Some("t&1"));
                let Ok(Primitive::SendMessageRequest(send)) = &transaction.content else {
                    panic!("{transaction:?}")
                };
                assert_eq!(send.content_data, Some(ContentData::from("<a>&b")));
                templates.delivered.fill(["t2", "m"], &mut out);
                assert!(decode(&out, syntax).is_ok());
                templates.poll.fill(["", ""], &mut out);
                assert!(decode(&out, syntax).is_ok());
            }
        }
    }
}
