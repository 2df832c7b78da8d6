//! The messages that are measured: what a session consists of most of the time.

use hamlet_csp::{Document, Syntax, Version, WriteOptions, decode, encode};

/// A message in both syntaxes.
pub struct Sample {
    /// What it is.
    pub name: &'static str,
    /// As it is in memory.
    pub document: Document,
    /// As XML.
    pub xml: Vec<u8>,
    /// As binary XML.
    pub wbxml: Vec<u8>,
}

impl Sample {
    /// Its octets in a syntax.
    pub fn octets(&self, syntax: Syntax) -> &[u8] {
        match syntax {
            Syntax::Xml => &self.xml,
            Syntax::Wbxml => &self.wbxml,
        }
    }
}

/// The version of all of them: the newest that libwbxml knows.
pub const VERSION: Version = Version::V1_2;

/// Login, poll, a message on its way, presence, lists.
pub fn samples() -> Vec<Sample> {
    let login = "<Login-Request><UserID>wv:anna@example.net</UserID><ClientID><URL>WV:phone/1.0</URL></ClientID>\
        <DigestBytes>ktSj1nIHxh6tXya5KSnaEw==</DigestBytes><TimeToLive>7205</TimeToLive>\
        <SessionCookie>1795393329418462</SessionCookie></Login-Request>";
    let info = "<ContentType>text/plain</ContentType><ContentSize>41</ContentSize><Recipient><User>\
        <UserID>wv:bo@example.net</UserID></User></Recipient><Sender><User><UserID>wv:anna@example.net</UserID></User></Sender>";
    let text = "<ContentData>Shall we meet at the bridge at half past six?</ContentData>";
    let send = format!(
        "<SendMessage-Request><DeliveryReport>F</DeliveryReport><MessageInfo>{info}</MessageInfo>{text}</SendMessage-Request>"
    );
    let new = format!(
        "<NewMessage><MessageInfo><MessageID>m-7f3a91c2</MessageID>{info}<DateTime>20240501T120000Z</DateTime>\
         <Validity>86400</Validity></MessageInfo>{text}</NewMessage>"
    );
    [
        ("login", true, login.to_owned()),
        ("poll", true, "<Polling-Request/>".to_owned()),
        ("send message", true, send),
        ("new message", true, new),
        ("presence of 10", true, presence()),
        ("contact lists", false, lists()),
        ("list of 50", false, members()),
    ]
    .into_iter()
    .map(|(name, request, content)| sample(name, request, &content))
    .collect()
}

fn presence() -> String {
    let one = |n: usize| {
        format!(
            "<Presence><UserID>wv:friend{n}@example.net</UserID><PresenceSubList>\
             <OnlineStatus><Qualifier>T</Qualifier><PresenceValue>T</PresenceValue></OnlineStatus>\
             <ClientInfo><Qualifier>T</Qualifier><ClientType>MOBILE_PHONE</ClientType><ClientProducer>Hamlet</ClientProducer></ClientInfo>\
             <UserAvailability><Qualifier>T</Qualifier><PresenceValue>AVAILABLE</PresenceValue></UserAvailability>\
             <StatusText><Qualifier>T</Qualifier><PresenceValue>Back at eight, {n}</PresenceValue></StatusText>\
             <Alias><Qualifier>T</Qualifier><PresenceValue>Friend {n}</PresenceValue></Alias></PresenceSubList></Presence>"
        )
    };
    let all: String = (0..10).map(one).collect();
    format!("<PresenceNotification-Request>{all}</PresenceNotification-Request>")
}

fn lists() -> String {
    let one = |n: usize| format!("<ContactList>wv:anna/list{n}@example.net</ContactList>");
    let all: String = (0..5).map(one).collect();
    format!(
        "<GetList-Response>{all}<DefaultContactList>wv:anna/friends@example.net</DefaultContactList></GetList-Response>"
    )
}

fn members() -> String {
    let one = |n: usize| {
        format!(
            "<NickName><Name>Friend {n}</Name><UserID>wv:friend{n}@example.net</UserID></NickName>"
        )
    };
    let all: String = (0..50).map(one).collect();
    format!(
        "<ListManage-Response><Result><Code>200</Code></Result><NickList>{all}</NickList></ListManage-Response>"
    )
}

fn sample(name: &'static str, request: bool, content: &str) -> Sample {
    let (root, inner) = (VERSION.session_namespace(), VERSION.transaction_namespace());
    let mode = if request { "Request" } else { "Response" };
    let text = format!(
        "<WV-CSP-Message xmlns=\"{root}\"><Session><SessionDescriptor><SessionType>Inband</SessionType>\
         <SessionID>s-4821a7f0</SessionID></SessionDescriptor><Transaction><TransactionDescriptor>\
         <TransactionMode>{mode}</TransactionMode><TransactionID>nok4711</TransactionID></TransactionDescriptor>\
         <TransactionContent xmlns=\"{inner}\">{content}</TransactionContent></Transaction></Session></WV-CSP-Message>"
    );
    let decoded = decode(text.as_bytes(), Syntax::Xml);
    let document = decoded
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .document;
    let write = |syntax| encode(&document, syntax, VERSION, &WriteOptions::default());
    Sample {
        name,
        xml: write(Syntax::Xml),
        wbxml: write(Syntax::Wbxml),
        document,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_are_whole() {
        for sample in samples() {
            for syntax in [Syntax::Xml, Syntax::Wbxml] {
                let read = decode(sample.octets(syntax), syntax).unwrap();
                assert_eq!(read.document, sample.document, "{}", sample.name);
            }
            let Document::Message(message) = &sample.document else {
                panic!("no message")
            };
            assert!(message.transactions[0].content.is_ok(), "{}", sample.name);
        }
    }
}
