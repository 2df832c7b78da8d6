//! How a service access point is set up. hamletd maps its configuration file to this.

use crate::cir::address::PublicAddress;
use crate::cir::method::RepeatTimes;
use crate::records::RecordsConfig;
use crate::transport::gateway::GatewayConfig;
use hamlet_elements::contact_list::ContactListConfig;
use hamlet_elements::content::ContentConfig;
use hamlet_elements::group::GroupConfig;
use hamlet_elements::im::{GroupTalkConfig, ImConfig};
use hamlet_elements::invitation::InvitationConfig;
use hamlet_elements::presence::PresenceConfig;
use hamlet_elements::search::SearchConfig;
use hamlet_elements::{ElementsConfig, PresenceHome};
use hamlet_model::Domain;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct SapConfig {
    /// The home domain of the server's users.
    pub domain: Domain,
    /// What GetSPInfo answers.
    pub provider: ProviderConfig,
    /// Who may log in, and how.
    pub accounts: AccountsConfig,
    /// Sessions.
    pub session: SessionConfig,
    /// Delivery to clients.
    pub delivery: DeliveryConfig,
    /// The HTTP binding.
    pub http: HttpConfig,
    /// The CIR channel.
    pub cir: CirConfig,
    /// The service relay.
    pub relay: RelayConfig,
    /// Instant messaging.
    pub im: ImConfig,
    /// Contact lists.
    pub contact_lists: ContactListConfig,
    /// Presence.
    pub presence: PresenceConfig,
    /// Searches.
    pub search: SearchConfig,
    /// Invitations.
    pub invitations: InvitationConfig,
    /// Groups.
    pub groups: GroupConfig,
    /// What is said in groups.
    pub group_talk: GroupTalkConfig,
    /// The content store; `None`: there is none.
    pub content: Option<ContentConfig>,
    /// Maps.
    pub map: MapConfig,
    /// Where the users of this domain have their presence.
    pub presence_home: PresenceHome,
    /// Domains whose users have their presence here.
    pub serves_presence_of: Vec<Domain>,
    /// Where exchanges are written for people to read; `None` for nowhere.
    pub trace_dir: Option<PathBuf>,
    /// Where call-detail records go; `None` for nowhere.
    pub records: Option<RecordsConfig>,
}

/// The service provider's data (csp-access 7).
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// Name.
    pub name: String,
    /// A text about it.
    pub description: Option<String>,
    /// Its home page.
    pub url: Option<String>,
}

/// Accounts and login (csp-access 3).
#[derive(Debug, Clone)]
pub struct AccountsConfig {
    /// Whether, and with what proof, the first login of an unknown user makes his account
    /// (csp-access 3.7).
    pub registration: Registration,
    /// The network's word for a telephone number is proof enough of who logs in
    /// (csp-access 3.6).
    pub msisdn_login: bool,
    /// The server may ask for the password itself in a 4-way login (data-types 3.1), which
    /// registration at a 4-way login needs.
    pub allow_pwd_digest: bool,
    /// Digest login is offered: passwords are then kept encrypted. Without it new ones are
    /// kept as Argon2id hashes.
    pub digest_login: bool,
    /// How long a challenge may be answered.
    pub challenge_life: Duration,
    /// Failed logins of a user, and of an address, before further ones are refused.
    pub max_failures: u32,
    /// For how long a failed login counts.
    pub failure_window: Duration,
    /// An ApplicationID that the operator has not registered is refused.
    pub registered_applications_only: bool,
    /// How many Argon2id computations may run at a time.
    pub concurrent_hashes: usize,
}

/// Who may register by logging in (csp-access 3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Nobody.
    Off,
    /// Everybody.
    Open,
    /// Who begins his password with a code of the operator.
    Code,
    /// Whose telephone number the network gives, once for each number.
    Msisdn,
}

/// Sessions (csp-access 3, 4).
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Shortest keep-alive time that is agreed.
    pub ttl_min: Duration,
    /// Longest.
    pub ttl_max: Duration,
    /// What a client gets that asks for none.
    pub ttl_default: Duration,
    /// A silent session lives on for this, or for a quarter of its keep-alive time if that
    /// is more (csp-access 3.11).
    pub grace: Duration,
    /// Most sessions of one user.
    pub max_per_user: usize,
    /// Most sessions of the server.
    pub max_sessions: usize,
    /// How long an ended session is answered by its own code (csp-access 1.5).
    pub remember_ended: Duration,
    /// How often expired sessions are looked for.
    pub sweep: Duration,
}

/// Delivery to clients (csp-access 2.4, 5; csp-im 6).
#[derive(Debug, Clone)]
pub struct DeliveryConfig {
    /// ServerPollMin, at least.
    pub poll_min: Duration,
    /// How long an answer to a server transaction is waited for before it is repeated;
    /// `None`: 60 s or twice the ServerPollMin, whichever is more.
    pub guard_time: Option<Duration>,
    /// After how many unanswered repetitions the next poll of a client that never answers
    /// counts as the answer (csp-access 2.4).
    pub implicit_after: u32,
    /// Most presence notices that wait for one session.
    pub max_notices: usize,
    /// How long after one presence notice of a publisher the next one is sent, at least
    /// (csp-presence 9).
    pub presence_window: Duration,
    /// Most transactions that are open at a time, whatever the client offers.
    pub max_multi_trans: u32,
    /// Mailboxes of users that have not been heard of for this long leave the memory.
    pub cool_after: Duration,
}

/// The HTTP binding (transport 3).
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Largest body of a request, octets.
    pub max_body: usize,
    /// Most open connections.
    pub max_connections: usize,
    /// How long the head of a request, and then its body, may take.
    pub read_timeout: Duration,
    /// How long a connection may be without a request.
    pub idle_timeout: Duration,
    /// How long open exchanges may take to end at shutdown.
    pub drain_timeout: Duration,
    /// The path of the web form by which clients of a Colibria server log in (clients 5.1);
    /// `None`: it is not served.
    pub form_login: Option<String>,
    /// Gateways and proxies in front of the server.
    pub gateways: GatewayConfig,
}

/// The CIR channel (transport 6). What is served is what [`Sap::serve_cir_tcp`] and
/// [`Sap::serve_cir_udp`] have a socket for, and standalone HTTP.
///
/// [`Sap::serve_cir_tcp`]: crate::Sap::serve_cir_tcp
/// [`Sap::serve_cir_udp`]: crate::Sap::serve_cir_udp
#[derive(Debug, Clone)]
pub struct CirConfig {
    /// Where clients find standalone TCP; `None`: at the host by which they came.
    pub tcp_address: Option<PublicAddress>,
    /// Most connections of standalone TCP.
    pub tcp_max_connections: usize,
    /// How long a connection may take to say HELO.
    pub tcp_hello_timeout: Duration,
    /// How long a connection may be silent. Phones ping every 20 minutes.
    pub tcp_idle_timeout: Duration,
    /// Where clients find standalone UDP; `None`: at the host by which they came.
    pub udp_address: Option<PublicAddress>,
    /// Standalone UDP is for clients with private addresses, too.
    pub udp_private: bool,
    /// Standalone HTTP is offered.
    pub http: bool,
    /// The URL, without a path of its own, by which clients reach the HTTP listener;
    /// `None`: that by which they came.
    pub http_url: Option<String>,
    /// How long a request is held.
    pub http_hold: Duration,
    /// Most requests that are held at a time; half of the HTTP connections if that is less.
    pub http_max_waiting: usize,
    /// Whether clients are told by the CIR flag that their channel is lost (csp-access 8.5).
    pub flag: bool,
    /// How long a channel has to be lost for that: a client that notices opens it again.
    pub flag_after: Duration,
    /// How often they are told at most.
    pub flag_every: Duration,
    /// How long after an OK nothing else is written (transport 6.3).
    pub pause: Duration,
    /// How long a poll is waited for before the next CIR.
    pub repeat: RepeatTimes,
}

/// Maps (csp-access 11.3).
#[derive(Debug, Clone)]
pub struct MapConfig {
    /// Of a picture, pixels; smaller where the client takes no such one.
    pub width: u32,
    /// The same.
    pub height: u32,
    /// How long a link to a map leads to it.
    pub link_life: Duration,
    /// The URL of maps elsewhere, with names in braces for the place (see the operator's
    /// guide): clients get links to them instead of the server's own maps.
    pub url_template: Option<String>,
}

/// The service relay (csp-im 5.3 item 10).
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// First pause before an unanswered entry of the outbox is sent again; doubles.
    pub retry_min: Duration,
    /// Longest such pause.
    pub retry_max: Duration,
    /// Most questions that wait for answers of other domains.
    pub max_pending: usize,
    /// How long a domain may leave everything unanswered until it is not known any more
    /// whether its users are online (csp-presence 10).
    pub lost_after: Duration,
}

impl SapConfig {
    /// The usual values.
    pub fn new(domain: Domain) -> Self {
        Self {
            provider: ProviderConfig {
                name: domain.to_string(),
                description: None,
                url: None,
            },
            domain,
            accounts: AccountsConfig::default(),
            session: SessionConfig::default(),
            delivery: DeliveryConfig::default(),
            http: HttpConfig::default(),
            cir: CirConfig::default(),
            relay: RelayConfig::default(),
            im: ImConfig::default(),
            contact_lists: ContactListConfig::default(),
            presence: PresenceConfig::default(),
            search: SearchConfig::default(),
            invitations: InvitationConfig::default(),
            groups: GroupConfig::default(),
            group_talk: GroupTalkConfig::default(),
            content: None,
            map: MapConfig::default(),
            presence_home: PresenceHome::Local,
            serves_presence_of: Vec::new(),
            trace_dir: None,
            records: None,
        }
    }

    pub(crate) fn elements(&self) -> ElementsConfig {
        ElementsConfig {
            im: self.im.clone(),
            contact_lists: self.contact_lists.clone(),
            presence: self.presence.clone(),
            search: self.search.clone(),
            invitations: self.invitations.clone(),
            groups: self.groups.clone(),
            group_talk: self.group_talk.clone(),
            content: self.content.clone(),
            presence_home: self.presence_home.clone(),
            serves_presence_of: self.serves_presence_of.clone(),
            records: self.records.is_some(),
            ..ElementsConfig::new(self.domain.clone())
        }
    }
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            registration: Registration::Off,
            msisdn_login: false,
            allow_pwd_digest: true,
            digest_login: true,
            challenge_life: Duration::from_secs(120),
            max_failures: 10,
            failure_window: Duration::from_secs(600),
            registered_applications_only: false,
            concurrent_hashes: 2,
        }
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            ttl_min: Duration::from_secs(30),
            ttl_max: Duration::from_secs(86_400),
            ttl_default: Duration::from_secs(1800),
            grace: Duration::from_secs(60),
            max_per_user: 16,
            max_sessions: 100_000,
            remember_ended: Duration::from_secs(3600),
            sweep: Duration::from_secs(5),
        }
    }
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            poll_min: Duration::from_secs(30),
            guard_time: None,
            implicit_after: 2,
            max_notices: 2000,
            presence_window: Duration::from_secs(2),
            max_multi_trans: 4,
            cool_after: Duration::from_secs(600),
        }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            max_body: 1 << 20,
            max_connections: 10_000,
            read_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            drain_timeout: Duration::from_secs(10),
            form_login: None,
            gateways: GatewayConfig::default(),
        }
    }
}

impl Default for CirConfig {
    fn default() -> Self {
        Self {
            tcp_address: None,
            tcp_max_connections: 20_000,
            tcp_hello_timeout: Duration::from_secs(60),
            tcp_idle_timeout: Duration::from_secs(7200),
            udp_address: None,
            udp_private: false,
            http: true,
            http_url: None,
            http_hold: Duration::from_secs(30),
            http_max_waiting: 5000,
            flag: true,
            flag_after: Duration::from_secs(10),
            flag_every: Duration::from_secs(60),
            pause: Duration::from_secs(1),
            repeat: RepeatTimes::default(),
        }
    }
}

impl Default for MapConfig {
    fn default() -> Self {
        Self {
            width: 240,
            height: 240,
            link_life: Duration::from_secs(600),
            url_template: None,
        }
    }
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            retry_min: Duration::from_secs(2),
            retry_max: Duration::from_secs(600),
            max_pending: 10_000,
            lost_after: Duration::from_secs(600),
        }
    }
}
