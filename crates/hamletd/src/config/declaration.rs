//! Every key of the configuration, declared once: name, type, default in text form, and the
//! comment that the reference prints.

use super::public::{BaseUrl, Public};
use super::settings::{Key, Setting, configuration, default_value};
use super::value::{
    Listen, LogFilter, LogFormat, OptionalDuration, OptionalPath, Pse, RegisterBy, Size, StoreUrl,
    Unauthorized,
};
use hamlet_model::Domain;
use http::HeaderName;
use ipnet::IpNet;
use std::path::PathBuf;
use std::time::Duration;

configuration! {
    /// Everything that can be set.
    top {
        /// The domain that this server is home to: the part after `@` of its users' addresses.
        "domain" => domain: Domain = "localhost";
        /// The directory of everything that the server keeps: the embedded store, key and
        /// token files, the control socket. Made if it is not there, for the owner only.
        "data_dir" => data_dir: PathBuf = "data";
    }

    /// The durable state.
    store: StoreSection {
        /// Which store. Nothing: SQLite, in `hamlet.db` of the data directory.
        "store.url" => url: StoreUrl = "";
        /// Number of threads that read, each with a connection of its own.
        "store.readers" => readers: u32 = "4";
        /// Number of threads that write to PostgreSQL, each with a connection of its own.
        /// SQLite has one, whatever this says.
        "store.writers" => writers: u32 = "8";
    }

    /// The HTTP binding of CSP: where phones and other clients connect.
    http: Http {
        /// Address of plain HTTP.
        "http.listen" => listen: Listen = "127.0.0.1:8080";
        /// Address of HTTP over TLS; needs the certificate and its key.
        "http.tls.listen" => tls_listen: Listen = "off";
        /// Certificate chain in PEM, the server's own first. Read again at SIGHUP.
        "http.tls.certificate" => tls_certificate: OptionalPath = "";
        /// Private key in PEM. Read again at SIGHUP.
        "http.tls.key" => tls_key: OptionalPath = "";
        /// Largest body of a request; a larger one is answered 413.
        "http.max_body" => max_body: Size = "1MiB";
        /// Largest number of open connections; further ones wait for a free place.
        "http.max_connections" => max_connections: u32 = "10000";
        /// How long a connection may be without a request before it is closed.
        "http.idle_timeout" => idle_timeout: Duration = "5min";
        /// How long the head of a request, and then its body, may take to arrive.
        "http.read_timeout" => read_timeout: Duration = "30s";
        /// How long open exchanges may take to end when the server stops.
        "http.drain_timeout" => drain_timeout: Duration = "10s";
        /// Networks of proxies and gateways in front of this server. They are believed where a
        /// request comes from (X-Forwarded-For) and that it came encrypted
        /// (X-Forwarded-Proto: https).
        "http.trusted_proxies" => trusted_proxies: Vec<IpNet> = "";
        /// Path of the web form by which the clients of a Colibria server log in, such as
        /// `/tmelogin/tmelogin.jsp`. Passwords come in it as they are: use it over TLS or a
        /// private link only. Nothing: it is not served.
        "http.form_login" => form_login: String = "";
        /// Headers in which those of `http.trusted_proxies` give the telephone number of a
        /// client, for example `X-Network-MSISDN`. Name only what they set themselves and
        /// do not let through from clients.
        "http.msisdn_headers" => msisdn_headers: Vec<HeaderName> = "";
    }

    /// Health, metrics and administration.
    admin: Admin {
        /// Address of the admin interface. `/healthz` and `/metrics` are open to everybody
        /// while the address is a loopback one; beyond it they ask for the token too.
        "admin.listen" => listen: Listen = "127.0.0.1:8081";
        /// Whether the admin interface speaks TLS, with the certificate of `http.tls`.
        "admin.tls" => tls: bool = "false";
        /// File of the bearer token that the admin interface asks for; made at the first
        /// start. Nothing: `admin.token` in the data directory.
        "admin.token_file" => token_file: OptionalPath = "";
        /// File of the tokens for the HTTP API below `/api/v1`, a name and a token of at least
        /// 32 characters on each line; the audit log names who has a token by that name. Nothing:
        /// `api.tokens` in the data directory, if it is there. Without a token nobody can use
        /// the API. Read again at SIGHUP.
        "admin.api_tokens" => api_tokens: OptionalPath = "";
    }

    /// The log of what operators changed, by commands and by the HTTP API: one JSON object a
    /// line, without secrets.
    audit: AuditSection {
        /// The file. Nothing: `audit.log` in the data directory.
        "audit.file" => file: OptionalPath = "";
        /// Size at which the file is renamed, with a number behind its name, and begun anew.
        "audit.max_size" => max_size: Size = "10MiB";
        /// How many files are kept, the present one among them.
        "audit.files" => files: u32 = "10";
    }

    /// The interface to other servers.
    ssp: Ssp {
        /// Address of SSP. Not served yet.
        "ssp.listen" => listen: Listen = "127.0.0.1:8082";
    }

    /// The channel (CIR) by which clients are told at once that something waits for them,
    /// instead of polling from time to time. A client is offered what is served here.
    cir: Cir {
        /// Address of standalone TCP: an open connection for each client. Phones that are told
        /// an address that they cannot reach may not log in any more.
        "cir.tcp.listen" => tcp_listen: Listen = "off";
        /// What clients are told to connect to. Nothing: the host that they themselves call the
        /// server by over HTTP, with the port of `cir.tcp.listen`. Needed where HTTP comes
        /// through a proxy on another host, or the port is another from outside.
        "cir.tcp.address" => tcp_address: Public = "";
        /// Largest number of connections; further ones are closed, and clients are offered
        /// other ways. A quarter of them may be there without having said HELO.
        "cir.tcp.max_connections" => tcp_max_connections: u32 = "20000";
        /// How long a connection may take to say HELO.
        "cir.tcp.hello_timeout" => tcp_hello_timeout: Duration = "1min";
        /// How long a connection may be silent before it is closed, at least `1h`: phones ping
        /// every 15 to 20 minutes.
        "cir.tcp.idle_timeout" => tcp_idle_timeout: Duration = "2h";
        /// Address of standalone UDP: datagrams to the clients come from here.
        "cir.udp.listen" => udp_listen: Listen = "off";
        /// What clients of CSP 1.3 are told to send datagrams to. Nothing: as with
        /// `cir.tcp.address`.
        "cir.udp.address" => udp_address: Public = "";
        /// Whether standalone UDP is for clients with private addresses, too. Datagrams reach
        /// them only from the same network.
        "cir.udp.private" => udp_private: bool = "false";
        /// Whether standalone HTTP is offered: a request that the HTTP listener holds until
        /// something waits.
        "cir.http.enabled" => http_enabled: bool = "true";
        /// The URL at which clients reach the HTTP listener from outside, such as
        /// `https://im.example.org`; they are told it with a path behind it. Nothing: by the
        /// host and port that they themselves use.
        "cir.http.url" => http_url: BaseUrl = "";
        /// How long a request is held, at most `39s`.
        "cir.http.hold" => http_hold: Duration = "30s";
        /// Largest number of requests that are held at a time; further ones are answered at
        /// once. Each is one of `http.max_connections`, of which they take half at most.
        "cir.http.max_waiting" => http_max_waiting: u32 = "5000";
        /// Whether clients that have lost their TCP connection without noticing are told so by
        /// the CIR flag of CSP 1.2 and 1.3.
        "cir.flag" => flag: bool = "true";
    }

    /// Who may log in, and how.
    accounts: Accounts {
        /// Whether an unknown user's first login makes his account.
        "accounts.auto_register" => auto_register: bool = "false";
        /// What an unknown user needs for that: nothing (`anybody`); a code of `hamletd
        /// invitation-code`, with which the password begins (`code`); a telephone number in a
        /// header of `http.msisdn_headers`, once for each number (`msisdn`).
        "accounts.register_by" => register_by: RegisterBy = "anybody";
        /// Whether a telephone number in a header of `http.msisdn_headers` is enough to log
        /// in the user to whom the number belongs, without password.
        "accounts.msisdn_login" => msisdn_login: bool = "false";
        /// Whether an ApplicationID that is not registered (`hamletd app add`) is refused at login;
        /// else it names an application of the clients' own that nobody guards.
        "accounts.registered_applications_only" => registered_applications_only: bool = "false";
        /// Whether the server may ask for the password itself when the client proves it by
        /// no digest; it is needed to register at a 4-way login. Use it over TLS or a
        /// private link only.
        "accounts.allow_pwd_digest" => allow_pwd_digest: bool = "true";
        /// Whether digest (4-way) login is offered. It needs passwords that can be recovered,
        /// so they are stored encrypted under the key of `password.key_file`; without it
        /// new passwords are stored as Argon2id hashes, and phones that know digest login only
        /// cannot log in.
        "accounts.digest_login" => digest_login: bool = "true";
        /// How many failed logins of a user are allowed before further ones are refused for a
        /// while: first for `accounts.failure_window`, then each time twice as long, up to 32
        /// times. An address may fail ten times as often.
        "accounts.max_failures" => max_failures: u32 = "10";
        /// For how long a failed login counts.
        "accounts.failure_window" => failure_window: Duration = "10min";
    }

    /// The key that encrypts passwords at rest.
    password: Password {
        /// File of the key; made at the first start. Keep a copy apart from the store's:
        /// without it nobody can log in. Nothing: `password.key` in the data directory.
        "password.key_file" => key_file: OptionalPath = "";
    }

    /// Sessions of clients.
    session: Session {
        /// Shortest keep-alive time that is agreed.
        "session.ttl_min" => ttl_min: Duration = "30s";
        /// Longest keep-alive time that is agreed.
        "session.ttl_max" => ttl_max: Duration = "24h";
        /// Keep-alive time of a client that asks for none.
        "session.ttl_default" => ttl_default: Duration = "30min";
        /// How long after its keep-alive time a silent session is ended, at the least; a
        /// quarter of the keep-alive time if that is more.
        "session.grace" => grace: Duration = "60s";
        /// Largest number of sessions of one user at a time.
        "session.max_per_user" => max_per_user: u32 = "16";
        /// Largest number of sessions of the server at a time.
        "session.max_total" => max_total: u32 = "100000";
    }

    /// Polling by clients that no other channel tells about news.
    poll: Poll {
        /// Shortest time between two polls that a client is told to keep (ServerPollMin). A
        /// client that polls more often is served.
        "poll.min" => min: Duration = "30s";
        /// How long an answer to a message or notice is waited for before it is sent again.
        /// Nothing: 60 s, or twice the time between two polls that the client keeps if that is
        /// more.
        "poll.guard_time" => guard_time: OptionalDuration = "";
    }

    /// Instant messaging.
    im: Im {
        /// For how long a message is kept whose sender does not say.
        "im.validity_default" => validity_default: Duration = "7d";
        /// For how long a message is kept at most.
        "im.validity_max" => validity_max: Duration = "28d";
        /// Largest content of a message, as it is transferred.
        "im.max_content" => max_content: Size = "512KiB";
        /// Largest number of users that one message may address, contact lists expanded.
        "im.max_recipients" => max_recipients: u32 = "1000";
        /// Largest number of entries in the block list of a user, and in his grant list.
        "im.max_blocked" => max_blocked: u32 = "1000";
        /// Senders and inviters are not told that a user blocks them: they get 200, and nothing is
        /// delivered. Else they get 532.
        "im.silent_blocking" => silent_blocking: bool = "false";
        /// Largest number of messages that wait for a user; a sender to a full mailbox is
        /// answered 507.
        "im.quota_messages" => quota_messages: u32 = "1000";
        /// Largest sum of the contents that wait for a user.
        "im.quota_size" => quota_size: Size = "64MiB";
    }

    /// Presence and contact lists.
    presence: Presence {
        /// What a watcher sees of a user who has decided nothing that applies to him, neither
        /// for him nor for a contact list nor for everybody: `ask`, nothing, and the user is
        /// asked; `contacts`, everything if one of them has the other in a contact list, else
        /// as `ask`; `everyone`, everything.
        "presence.unauthorized" => unauthorized: Unauthorized = "ask";
        /// Whoever is on a user's block list, while he has it in use, sees nothing of his presence
        /// either, whatever else the user has decided. Else a block list is about messages,
        /// invitations and questions only.
        "presence.block_hides" => block_hides: bool = "false";
        /// Largest number of users for whom a user has decided singly what they may see.
        "presence.max_attribute_lists" => max_attribute_lists: u32 = "2000";
        /// How long it is remembered who has looked at a user's presence; the watcher list
        /// goes back no further.
        "presence.watcher_history" => watcher_history: Duration = "30d";
        /// Largest number of contact lists of a user.
        "presence.max_lists" => max_lists: u32 = "50";
        /// Largest number of members of one contact list.
        "presence.max_members" => max_members: u32 = "500";
        /// Largest number of members of all contact lists of a user.
        "presence.max_contacts" => max_contacts: u32 = "2000";
        /// Longest text of a presence attribute, characters.
        "presence.max_text" => max_text: u32 = "1024";
        /// Largest picture or business card in presence, as it is transferred.
        "presence.max_content" => max_content: Size = "64KiB";
        /// How long a client whose session ended without its doing is still shown online; one
        /// that logs in again at once does not seem to have been away.
        "presence.hold" => hold: Duration = "5s";
        /// How long after one notice of a user's presence a client gets the next one at the
        /// earliest; what changes meanwhile comes together.
        "presence.window" => window: Duration = "2s";
    }

    /// Searches for users.
    search: Search {
        /// Largest number of users that one search may find.
        "search.max_results" => max_results: u32 = "1000";
        /// Whether a search that would find more is answered with as many as it may find;
        /// else it is refused (536), and phones ask for a narrower one.
        "search.cut" => cut: bool = "false";
        /// Largest number of users in one answer, however many the client asks for; those
        /// above it come in further answers.
        "search.max_page" => max_page: u32 = "50";
        /// Fewest characters of a string to search for; shorter ones are refused (537). Strings
        /// of one or two characters are found only at the beginnings of words.
        "search.min_length" => min_length: u32 = "2";
        /// How long one search may take before it is given up (535).
        "search.time_limit" => time_limit: Duration = "5s";
        /// How long what was found is kept after the client has last asked for it.
        "search.keep" => keep: Duration = "5min";
        /// Whether a part of an e-mail address or phone number finds a user; else only the
        /// whole does.
        "search.partial_contact_data" => partial_contact_data: bool = "false";
        /// The country code, digits only, that completes phone numbers without one. Nothing:
        /// they are taken as they are.
        "search.country_code" => country_code: String = "";
    }

    /// What is said in groups.
    group_talk: GroupTalk {
        /// Most messages of a group that are kept for joined clients which do not fetch them;
        /// they miss older ones.
        "groups.max_waiting" => max_waiting: u32 = "5000";
        /// Most messages in the history of a group whose property History is on; 0 for none.
        "groups.history_messages" => history_messages: u32 = "100";
        /// For how long a message is part of the history.
        "groups.history_age" => history_age: Duration = "1d";
    }

    /// Invitations of users by users.
    invitations: Invitations {
        /// How long an invitation is good that does not say so itself.
        "invitations.validity_default" => validity_default: Duration = "1d";
        /// The longest time that an invitation is good, whatever it says.
        "invitations.validity_max" => validity_max: Duration = "7d";
        /// Largest number of users whom one invitation invites.
        "invitations.max_invitees" => max_invitees: u32 = "200";
        /// Largest number of invited users who have not answered an inviter; further
        /// invitations are refused (507).
        "invitations.max_open" => max_open: u32 = "2000";
        /// Largest number of invitations, answers and texts of the operator that wait for one
        /// user; who has so many is not invited (507).
        "invitations.max_waiting" => max_waiting: u32 = "200";
    }

    /// Groups.
    groups: GroupsSection {
        /// Largest number of groups that one user may own (814).
        "groups.max_owned" => max_owned: u32 = "100";
        /// Largest number of groups that one client may be joined in (814).
        "groups.max_joined" => max_joined: u32 = "100";
        /// Largest number of groups of the server (815).
        "groups.max_total" => max_total: u32 = "100000";
        /// Largest number of clients that may be joined in one group (817), whatever its own
        /// MaxActiveUsers says.
        "groups.max_active_users" => max_active_users: u32 = "10000";
        /// Largest number of members of one group, and of users whom it keeps out.
        "groups.max_members" => max_members: u32 = "10000";
        /// Largest welcome note (806).
        "groups.max_welcome_note" => max_welcome_note: Size = "8KiB";
    }

    /// The content store: what users keep under unguessable URLs of this server, to share it by
    /// invitations. Its octets lie in the store.
    content: ContentSection {
        /// Whether there is one. URLs with `/content` at the end of their path then lead to it.
        "content.enabled" => enabled: bool = "false";
        /// What its URLs begin with: how clients and browsers reach the HTTP listener.
        "content.base_url" => base_url: BaseUrl = "";
        /// The types of content that are kept, separated by commas; `image/*` is every kind of
        /// image, `*` anything.
        "content.types" => types: Vec<String> = "image/*,audio/*,video/*,text/plain,text/vcard,text/x-vcard,text/calendar,text/x-vcalendar";
        /// Largest piece of content; at most `16MiB`.
        "content.max_size" => max_size: Size = "1MiB";
        /// Largest sum of what one user keeps; further uploads are refused (507).
        "content.quota_user" => quota_user: Size = "20MiB";
        /// Largest number of pieces that one user keeps.
        "content.max_items" => max_items: u32 = "200";
        /// Largest sum of what all users keep.
        "content.quota_total" => quota_total: Size = "1GiB";
        /// How long content is kept whose owner does not say.
        "content.life_default" => life_default: Duration = "7d";
        /// How long content is kept at most.
        "content.life_max" => life_max: Duration = "30d";
    }

    /// Maps of where a user is, for those who may see it.
    map: Maps {
        /// Width of the maps that the server draws, pixels, 64 to 1024. A client that takes no
        /// picture of this size gets a smaller one, or a link.
        "map.width" => width: u32 = "240";
        /// Height of the maps, pixels, 64 to 1024.
        "map.height" => height: u32 = "240";
        /// How long a link to a map leads to it. Links begin with `cir.http.url`, if that is
        /// set.
        "map.link_life" => link_life: Duration = "10min";
        /// URL of maps on another server, to which clients get links instead of the server's
        /// own maps. `{latitude}` and `{longitude}` (degrees), `{accuracy}` (metres, 0 if it
        /// is not known), `{zoom}`, `{x}`, `{y}` (Mercator tile), `{width}` and `{height}`
        /// (pixels) in it are filled in.
        "map.url_template" => url_template: String = "";
    }

    /// Which service elements run here, and which in another domain (the Primary Service
    /// Element, PSE, of this domain's users).
    elements: Elements {
        /// Presence and contact lists: here, or in the domain named.
        "elements.presence" => presence: Pse = "local";
        /// The domains whose users have their presence and contact lists here.
        "elements.presence_of" => presence_of: Vec<Domain> = "";
    }

    /// The service relay to other domains.
    relay: Relay {
        /// First pause before what another domain has not answered is sent again; it doubles.
        "relay.retry_min" => retry_min: Duration = "2s";
        /// Longest such pause.
        "relay.retry_max" => retry_max: Duration = "10m";
        /// How long another domain may leave everything unanswered until its users are shown
        /// neither online nor offline.
        "relay.lost_after" => lost_after: Duration = "10m";
    }

    /// What clients are told about the service provider.
    provider: Provider {
        /// Name.
        "provider.name" => name: String = "Hamlet";
        /// Description.
        "provider.text" => text: String = "";
        /// Link for more.
        "provider.url" => url: String = "";
    }

    /// Call-detail records, for billing: one JSON object a line for each session and message,
    /// as docs/call-detail-records.md explains. No texts of messages.
    records: RecordsSection {
        /// The file; nothing: no records.
        "records.file" => file: OptionalPath = "";
        /// Size at which the file is renamed, with a number behind its name, and begun anew.
        "records.max_size" => max_size: Size = "100MiB";
        /// Whether it is also begun anew with each day (UTC).
        "records.daily" => daily: bool = "true";
        /// How many files are kept, the present one among them.
        "records.files" => files: u32 = "400";
        /// Records that may wait to be written; further ones are lost, and counted.
        "records.queue" => queue: u32 = "10000";
    }

    /// Recording of what clients and server say to each other.
    trace: Trace {
        /// Directory of the traces, one file a session; nothing: no trace. Passwords and
        /// digests are masked; messages are not, so keep it from other people's eyes.
        "trace.dir" => dir: OptionalPath = "";
    }

    /// The server's log, on standard error.
    log: Log {
        /// Which events are logged. Passwords, digests and texts of messages are not logged at
        /// `info` or below.
        "log.level" => level: LogFilter = "info";
        /// For people (`text`) or one JSON object a line (`json`).
        "log.format" => format: LogFormat = "text";
    }
}
