//! A client of CSP 1.2 in XML, of raw texts: just enough to log in and chat.

use super::DEADLINE;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// A session.
pub struct Phone {
    server: SocketAddr,
    pub user: String,
    pub session: String,
    transactions: u32,
}

impl Phone {
    /// Logs in by 2-way login and asks for all services; answers the refusal otherwise.
    pub fn log_in(server: SocketAddr, user: &str, password: &str) -> Result<Self, String> {
        let mut phone = Self {
            server,
            user: user.to_owned(),
            session: String::new(),
            transactions: 0,
        };
        let answer = phone.ask(&format!(
            "<Login-Request><UserID>{user}</UserID><ClientID><URL>test/{user}</URL></ClientID>\
             <Password>{password}</Password><TimeToLive>600</TimeToLive>\
             <SessionCookie>cookie</SessionCookie></Login-Request>"
        ));
        if code(&answer) != Some(200) {
            return Err(answer);
        }
        phone.session = between(&answer, "<SessionID>", "<")
            .expect("a session")
            .to_owned();
        phone.ask(
            "<Service-Request><Functions><WVCSPFeat><FundamentalFeat/><PresenceFeat/><IMFeat/>\
             </WVCSPFeat></Functions><AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>",
        );
        Ok(phone)
    }

    /// The same session at a server that has been started anew.
    pub fn at(mut self, server: SocketAddr) -> Self {
        self.server = server;
        self
    }

    /// Sends a text; answers the status code.
    pub fn send(&mut self, to: &str, text: &str) -> Option<u16> {
        let answer = self.ask(&format!(
            "<SendMessage-Request><DeliveryReport>F</DeliveryReport><MessageInfo>\
             <ContentType>text/plain</ContentType><ContentEncoding>None</ContentEncoding>\
             <ContentSize>{}</ContentSize><Recipient><User><UserID>{to}</UserID></User></Recipient>\
             <Sender><User><UserID>{}</UserID></User></Sender><Validity>600</Validity></MessageInfo>\
             <ContentData>{text}</ContentData></SendMessage-Request>",
            text.len(),
            self.user
        ));
        code(&answer)
    }

    /// What the server has for this session; empty for nothing.
    pub fn poll(&mut self) -> String {
        self.ask("<Polling-Request/>")
    }

    /// Keeps the session alive; answers the status code.
    pub fn keep_alive(&mut self) -> Option<u16> {
        code(&self.ask("<KeepAlive-Request/>"))
    }

    /// One request and its answer.
    fn ask(&mut self, primitive: &str) -> String {
        self.transactions += 1;
        let session = match self.session.as_str() {
            "" => "<SessionType>Outband</SessionType>".to_owned(),
            id => format!("<SessionType>Inband</SessionType><SessionID>{id}</SessionID>"),
        };
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <WV-CSP-Message xmlns=\"http://www.openmobilealliance.org/DTD/WV-CSP1.2\"><Session>\
             <SessionDescriptor>{session}</SessionDescriptor><Transaction><TransactionDescriptor>\
             <TransactionMode>Request</TransactionMode><TransactionID>{}</TransactionID>\
             </TransactionDescriptor>\
             <TransactionContent xmlns=\"http://www.openmobilealliance.org/DTD/WV-TRC1.2\">{primitive}\
             </TransactionContent></Transaction></Session></WV-CSP-Message>",
            self.transactions
        );
        let mut stream = TcpStream::connect(self.server).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: application/vnd.wv.csp.xml\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
        body.to_owned()
    }
}

/// The first status code of an answer.
pub fn code(answer: &str) -> Option<u16> {
    between(answer, "<Code>", "<")?.parse().ok()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(inner, _)| inner)
}
