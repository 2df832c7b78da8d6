//! A client for tests: requests are XML written by hand, in any version and syntax.

use crate::answer::Answer;
use crate::digest;
use crate::element::Element;
use crate::http::{Connection, HttpAnswer};
use hamlet_csp::{Syntax, Version, WriteOptions};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// A client on one connection.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    /// The version it speaks.
    pub version: Version,
    /// The syntax it speaks.
    pub syntax: Syntax,
    /// ClientID/URL.
    pub client_id: String,
    /// Empty before the login.
    pub session: String,
    /// Headers beside Host, Content-Type and Content-Length.
    pub headers: Vec<(String, String)>,
    /// The next server request, when it came with the answer to an acknowledgement.
    ahead: Option<Answer>,
}

impl Client {
    /// A client without session.
    pub async fn connect(server: SocketAddr, version: Version, syntax: Syntax) -> Self {
        Self {
            connection: Connection::open(server).await,
            version,
            syntax,
            client_id: "WV:a-test-client".into(),
            session: String::new(),
            headers: Vec::new(),
            ahead: None,
        }
    }

    /// A client that is logged in by 2-way login.
    pub async fn login(
        server: SocketAddr,
        version: Version,
        syntax: Syntax,
        user: &str,
        password: &str,
    ) -> Self {
        let mut client = Self::connect(server, version, syntax).await;
        let answer = client.login_with_password(user, password).await;
        answer.expect("Login-Response");
        answer.expect_code(200);
        client
    }

    /// A client of XML and 1.2 that is logged in.
    pub async fn xml_1_2(server: SocketAddr, user: &str, password: &str) -> Self {
        Self::login(server, Version::V1_2, Syntax::Xml, user, password).await
    }

    /// A 2-way login on this connection; keeps the session if one is opened.
    pub async fn login_with_password(&mut self, user: &str, password: &str) -> Answer {
        let password = format!("<Password>{}</Password>", escape(password));
        let login = self.login_step(user, &password, "");
        let answer = self.outband(&login).await;
        self.keep_session(&answer);
        answer
    }

    /// Both steps of a 4-way login; the answers to both. Keeps the session.
    pub async fn login_with_digest(
        &mut self,
        user: &str,
        password: &str,
        schemas: &[&str],
    ) -> (Answer, Answer) {
        let offered: String = schemas
            .iter()
            .map(|schema| format!("<DigestSchema>{schema}</DigestSchema>"))
            .collect();
        let challenge = self
            .outband_as("4way", &self.login_step(user, "", &offered))
            .await;
        let response = challenge.expect("Login-Response");
        let (Some(nonce), Some(schema)) = (response.text("Nonce"), response.text("DigestSchema"))
        else {
            return (challenge.clone(), challenge);
        };
        let (before, after) = match schema {
            "PWD" => (
                format!("<Password>{}</Password>", escape(password)),
                String::new(),
            ),
            _ => {
                let digest = digest::of(schema, nonce, password);
                (
                    String::new(),
                    format!("<DigestBytes>{digest}</DigestBytes>"),
                )
            }
        };
        let content = self.login_step(user, &before, &after);
        let done = self.outband_as("4way", &content).await;
        self.keep_session(&done);
        (challenge, done)
    }

    /// A Login-Request with what stands before and after TimeToLive and cookie.
    pub fn login_step(&self, user: &str, before: &str, after: &str) -> String {
        let client = escape(&self.client_id);
        format!(
            "<Login-Request><UserID>{}</UserID><ClientID><URL>{client}</URL></ClientID>{before}\
             <TimeToLive>600</TimeToLive><SessionCookie>cookie-{client}</SessionCookie>{after}</Login-Request>",
            escape(user),
        )
    }

    /// Keeps the session that an answer opens, if it does.
    pub fn keep_session(&mut self, answer: &Answer) {
        if let Some(session) = answer.primitive().text("SessionID") {
            self.session = session.to_owned();
        }
    }

    /// A request outside any session.
    pub async fn outband(&mut self, content: &str) -> Answer {
        let id = self.next_transaction();
        self.outband_as(&id, content).await
    }

    /// The same with this TransactionID.
    pub async fn outband_as(&mut self, id: &str, content: &str) -> Answer {
        let body = self.message("Outband", &[transaction("Request", Some(id), content)]);
        self.exchange(body).await
    }

    /// A request in the session.
    pub async fn request(&mut self, content: &str) -> Answer {
        let id = self.next_transaction();
        self.request_as(&id, content).await
    }

    /// A request with this TransactionID.
    pub async fn request_as(&mut self, id: &str, content: &str) -> Answer {
        let body = self.message("Inband", &[transaction("Request", Some(id), content)]);
        let answer = self.exchange(body).await;
        if !answer.is_empty() && answer.mode() == "Response" {
            assert_eq!(answer.transaction(), Some(id), "csp-access 2.1");
        }
        answer
    }

    /// The answer to a server request.
    pub async fn respond(&mut self, id: &str, content: &str) -> Answer {
        let body = self.message("Inband", &[transaction("Response", Some(id), content)]);
        self.exchange(body).await
    }

    /// Several transactions in one message.
    pub async fn batch(&mut self, transactions: &[String]) -> HttpAnswer {
        let body = self.message("Inband", transactions);
        self.post(&body).await
    }

    /// The next server request: one that has come already (transport 3.6 item 4), else what
    /// a poll brings.
    pub async fn poll(&mut self) -> Answer {
        if let Some(ahead) = self.ahead.take() {
            return ahead;
        }
        let body = self.message(
            "Inband",
            &[transaction("Request", None, "<Polling-Request/>")],
        );
        self.exchange(body).await
    }

    /// SendMessage of a plain text to one user.
    pub async fn send_text(&mut self, to: &str, text: &str) -> Answer {
        let content = send_message(&user(to), text, false);
        self.request(&content).await
    }

    /// Lets a watcher see everything, asked or not, as the client of its version does it: by
    /// PresenceAuth-User, in 1.3 by an attribute list (csp-presence 6).
    pub async fn accept(&mut self, watcher: &str) {
        let watcher = escape(watcher);
        let content = match self.version {
            Version::V1_3 => format!(
                "<CreateAttributeList-Request><PresenceSubList>{EVERY_ATTRIBUTE}</PresenceSubList>\
                 <UserIDList><UserID>{watcher}</UserID></UserIDList><DefaultList>F</DefaultList>\
                 </CreateAttributeList-Request>"
            ),
            _ => format!(
                "<PresenceAuth-User><UserID>{watcher}</UserID><Acceptance>T</Acceptance></PresenceAuth-User>"
            ),
        };
        self.request(&content).await.expect_status(200);
    }

    /// Polls for the next server request and acknowledges it; `None` when nothing waits.
    pub async fn take(&mut self) -> Option<Element> {
        let answer = self.poll().await;
        if answer.is_empty() {
            return None;
        }
        self.acknowledge(&answer).await;
        Some(answer.primitive().clone())
    }

    /// Acknowledges a server request: NewMessage by MessageDelivered, others by Status. What
    /// comes in return is kept for the next poll.
    pub async fn acknowledge(&mut self, push: &Answer) {
        assert_eq!(push.mode(), "Request", "{push:?}");
        let id = push.transaction().expect("a TransactionID").to_owned();
        let content = match push.primitive().text("MessageInfo/MessageID") {
            Some(message) if push.primitive().name == "NewMessage" => format!(
                "<MessageDelivered><MessageID>{}</MessageID></MessageDelivered>",
                escape(message)
            ),
            _ => STATUS_200.to_owned(),
        };
        let answer = self.respond(&id, &content).await;
        if !answer.is_empty() {
            assert_eq!(answer.mode(), "Request", "GEN-2: {answer:?}");
            self.ahead = Some(answer);
        }
    }

    /// Takes and acknowledges everything that waits.
    pub async fn drain(&mut self) -> Vec<Element> {
        let mut came = Vec::new();
        while let Some(primitive) = self.take().await {
            came.push(primitive);
            assert!(came.len() < 10_000, "the queue does not end");
        }
        came
    }

    /// The messages among what waits, all acknowledged.
    pub async fn messages(&mut self) -> Vec<Element> {
        let mut came = self.drain().await;
        came.retain(|primitive| primitive.name == "NewMessage");
        came
    }

    /// A message of this client's version, session and syntax.
    pub fn message(&self, session_type: &str, transactions: &[String]) -> Vec<u8> {
        let session = match session_type {
            "Outband" => String::new(),
            _ => format!("<SessionID>{}</SessionID>", escape(&self.session)),
        };
        let content_namespace = self.version.transaction_namespace();
        let xml = format!(
            "<WV-CSP-Message xmlns=\"{}\"><Session><SessionDescriptor><SessionType>{session_type}</SessionType>\
             {session}</SessionDescriptor>{}</Session></WV-CSP-Message>",
            self.version.session_namespace(),
            transactions.concat().replace(
                "<TransactionContent>",
                &format!("<TransactionContent xmlns=\"{content_namespace}\">")
            ),
        );
        let xml = xml.replace(
            "<PresenceSubList>",
            &format!(
                "<PresenceSubList xmlns=\"{}\">",
                self.version.presence_namespace()
            ),
        );
        match self.syntax {
            Syntax::Xml => xml.into_bytes(),
            Syntax::Wbxml => {
                let decoded = hamlet_csp::decode(xml.as_bytes(), Syntax::Xml).expect(&xml);
                let options = WriteOptions {
                    // Clients of 1.3 send them, though they are none of theirs (clients 3.12).
                    all_children: [
                        "<PresenceAuth-User>",
                        "<CancelAuth-Request>",
                        "<GetReactiveAuthStatus-Request>",
                    ]
                    .iter()
                    .any(|of_1_2| xml.contains(of_1_2)),
                    ..WriteOptions::default()
                };
                hamlet_csp::encode(&decoded.document, Syntax::Wbxml, self.version, &options)
            }
        }
    }

    /// POSTs a body as this client's syntax.
    pub async fn post(&mut self, body: &[u8]) -> HttpAnswer {
        let headers = self.all_headers();
        self.connection.post(&headers, body).await
    }

    /// Writes the first `part` octets of a POST of this body, or all of it.
    pub async fn write(&mut self, body: &[u8], part: Option<usize>) {
        let octets = self.connection.request(&self.all_headers(), body);
        let part = part.unwrap_or(octets.len()).min(octets.len());
        let written = self.connection.send(&octets[..part]).await;
        written.expect("an open connection");
    }

    /// Its connection.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Lets its connection go, with what was under way on it, and opens another.
    pub async fn reconnect(&mut self, server: SocketAddr) {
        self.ahead = None;
        self.connection = Connection::open(server).await;
    }

    fn all_headers(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        headers.push(("Content-Type".to_owned(), self.content_type().to_owned()));
        headers
    }

    /// Reads an HTTP answer as one to this client.
    pub fn read(&self, http: HttpAnswer) -> Answer {
        Answer::read(http, self.content_type(), self.syntax, self.version)
    }

    async fn exchange(&mut self, body: Vec<u8>) -> Answer {
        let http = self.post(&body).await;
        self.read(http)
    }

    fn content_type(&self) -> &'static str {
        self.syntax.media_type(self.version)
    }

    /// Never one that was used before: a client that resumes a session goes on counting.
    fn next_transaction(&mut self) -> String {
        static LAST: AtomicU64 = AtomicU64::new(0);
        format!("t{}", LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The names of all attributes that every version has.
pub const EVERY_ATTRIBUTE: &str = "<OnlineStatus/><Registration/><ClientInfo/><TimeZone/><GeoLocation/><Address/>\
<FreeTextLocation/><PLMN/><CommCap/><UserAvailability/><PreferredContacts/><PreferredLanguage/><StatusText/>\
<StatusMood/><Alias/><StatusContent/><ContactInfo/>";

/// Status 200, the answer to most server requests.
pub const STATUS_200: &str = "<Status><Result><Code>200</Code></Result></Status>";

/// A Transaction element.
pub fn transaction(mode: &str, id: Option<&str>, content: &str) -> String {
    let id = match id {
        Some(id) => format!("<TransactionID>{}</TransactionID>", escape(id)),
        None => "<TransactionID/>".to_owned(),
    };
    format!(
        "<Transaction><TransactionDescriptor><TransactionMode>{mode}</TransactionMode>{id}</TransactionDescriptor>\
         <TransactionContent>{content}</TransactionContent></Transaction>"
    )
}

/// A User element.
pub fn user(address: &str) -> String {
    format!("<User><UserID>{}</UserID></User>", escape(address))
}

/// SendMessage-Request of a plain text; `recipients` is what stands in Recipient.
pub fn send_message(recipients: &str, text: &str, report: bool) -> String {
    let report = if report { 'T' } else { 'F' };
    format!(
        "<SendMessage-Request><DeliveryReport>{report}</DeliveryReport><MessageInfo><ContentType>text/plain</ContentType>\
         <ContentSize>{}</ContentSize><Recipient>{recipients}</Recipient></MessageInfo>\
         <ContentData>{}</ContentData></SendMessage-Request>",
        text.len(),
        escape(text),
    )
}

/// A text as XML content.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\r' => write!(escaped, "&#13;").expect("a String takes all"),
            c => escaped.push(c),
        }
    }
    escaped
}
