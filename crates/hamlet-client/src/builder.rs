//! What a client is made with.

use crate::client::Client;
use crate::digest::Digest;
use crate::error::Error;
use crate::transport::{Transport, TransportOptions};
use hamlet_csp::elements::{ClientId, ClientType};
use hamlet_csp::{Syntax, Text, Version};
use hamlet_model::ApplicationId;
use std::time::Duration;

/// Collects what a [`Client`] needs; begins with [`Client::builder`].
#[derive(Debug, Clone)]
pub struct Builder {
    url: String,
    transport: TransportOptions,
    config: Config,
}

/// What a client keeps of its builder.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub version: Version,
    pub syntax: Syntax,
    pub content_type: Option<String>,
    pub headers: Vec<(String, String)>,
    pub user: Text,
    pub password: Secret,
    pub client_id: ClientId,
    pub client_type: ClientType,
    pub application: Option<ApplicationId>,
    pub digests: Vec<Digest>,
    pub keep_alive: Duration,
    pub poll_min: Duration,
    pub negotiate_in_login: bool,
    pub notify: bool,
    pub poll_every: Option<Duration>,
    pub wake_up: bool,
}

/// A password, kept out of debug output.
#[derive(Clone)]
pub(crate) struct Secret(pub Text);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Builder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            transport: TransportOptions::default(),
            config: Config {
                version: Version::V1_3,
                syntax: Syntax::Wbxml,
                content_type: None,
                headers: Vec::new(),
                user: Text::default(),
                password: Secret(Text::default()),
                client_id: ClientId {
                    url: Some(Text::new("hamlet")),
                    msisdn: None,
                },
                client_type: ClientType::Computer,
                application: None,
                digests: Vec::new(),
                keep_alive: Duration::from_secs(1800),
                poll_min: Duration::from_secs(2),
                negotiate_in_login: false,
                notify: false,
                poll_every: None,
                wake_up: false,
            },
        }
    }

    /// CSP version; 1.3 if not set.
    pub fn version(mut self, version: Version) -> Self {
        self.config.version = version;
        self
    }

    /// XML or WBXML; WBXML if not set.
    pub fn syntax(mut self, syntax: Syntax) -> Self {
        self.config.syntax = syntax;
        self
    }

    /// Another Content-Type than the one of version and syntax (transport 2.1).
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.config.content_type = Some(content_type.into());
        self
    }

    /// A further HTTP header for every request.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.headers.push((name.into(), value.into()));
        self
    }

    /// The account, such as `wv:alice@localhost`.
    pub fn user(mut self, user: impl AsRef<str>) -> Self {
        self.config.user = Text::new(user);
        self
    }

    /// The password.
    pub fn password(mut self, password: impl AsRef<str>) -> Self {
        self.config.password = Secret(Text::new(password));
        self
    }

    /// ClientID/URL, which tells this client from the user's other ones (data-types 1.4).
    pub fn client_id(mut self, url: impl AsRef<str>) -> Self {
        self.config.client_id.url = Some(Text::new(url));
        self
    }

    /// ClientID/MSISDN.
    pub fn msisdn(mut self, msisdn: impl AsRef<str>) -> Self {
        self.config.client_id.msisdn = Some(Text::new(msisdn));
        self
    }

    /// ClientType in the capabilities; COMPUTER if not set.
    pub fn client_type(mut self, client_type: ClientType) -> Self {
        self.config.client_type = client_type;
        self
    }

    /// ApplicationID of the session (1.3, data-types 1.5).
    pub fn application(mut self, application: ApplicationId) -> Self {
        self.config.application = Some(application);
        self
    }

    /// Logs in by digest (4-way, csp-access 3.2) and offers this schema, after those offered
    /// before. Without any the password goes into the first request (2-way).
    pub fn digest(mut self, digest: Digest) -> Self {
        self.config.digests.push(digest);
        self
    }

    /// TimeToLive to ask for; 30 minutes if not set.
    pub fn keep_alive(mut self, span: Duration) -> Self {
        self.config.keep_alive = span;
        self
    }

    /// ServerPollMin to propose; 2 s if not set. The server may raise it.
    pub fn poll_min(mut self, span: Duration) -> Self {
        self.config.poll_min = span;
        self
    }

    /// Polls at this interval whatever ServerPollMin was agreed: servers do not punish it
    /// (csp-access 5.1), but it is for people who wait and for tests, not for every client.
    pub fn poll_every(mut self, span: Duration) -> Self {
        self.config.poll_every = Some(span);
        self
    }

    /// Offers standalone HTTP as a CIR method (1.2 and 1.3, transport 6.6), so that
    /// [`Client::next`] learns at once of what waits and need not poll at an interval. It takes a
    /// second connection while it waits.
    pub fn wake_up(mut self, on: bool) -> Self {
        self.config.wake_up = on;
        self
    }

    /// Puts capabilities and services into the Login-Request, for one round trip (1.3 only,
    /// csp-access 6.1).
    pub fn negotiate_in_login(mut self, on: bool) -> Self {
        self.config.negotiate_in_login = on;
        self
    }

    /// Has messages announced by MessageNotification instead of pushed (csp-im 3), for a
    /// client that leaves them to another one of the user.
    pub fn notify(mut self, on: bool) -> Self {
        self.config.notify = on;
        self
    }

    /// The User-Agent header.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.transport.user_agent = name.into();
        self
    }

    /// Longest wait for an answer; 45 s if not set.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.transport.timeout = limit;
        self
    }

    /// Largest answer that is read, octets; 1 MiB if not set. It is also the ParserSize.
    pub fn max_answer(mut self, octets: usize) -> Self {
        self.transport.max_answer = octets;
        self
    }

    /// Trusts the certificates of a PEM text beside the public authorities.
    pub fn trust_pem(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.transport.trust_pem(pem)?;
        Ok(self)
    }

    /// Connects; the login is [`Client::login`] or [`Client::open`].
    pub async fn connect(self) -> Result<Client, Error> {
        let mut client = self.build()?;
        client.transport_mut().connect().await?;
        Ok(client)
    }

    /// A client that connects with its first request.
    pub fn build(self) -> Result<Client, Error> {
        let transport = Transport::new(&self.url, self.transport)?;
        Ok(Client::new(transport, self.config))
    }
}
