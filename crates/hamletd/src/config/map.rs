//! What the layers below are told: their own structures, which know no configuration file.

use super::{Config, Pse, RegisterBy, Unauthorized};
use crate::data_dir::DataDir;
use hamlet_elements::PresenceHome;
use hamlet_elements::contact_list::ContactListConfig;
use hamlet_elements::content::ContentConfig;
use hamlet_elements::group::GroupConfig;
use hamlet_elements::im::{GroupTalkConfig, ImConfig};
use hamlet_elements::invitation::InvitationConfig;
use hamlet_elements::presence::PresenceConfig;
use hamlet_elements::search::SearchConfig;
use hamlet_sap::journal::JournalLimits;
use hamlet_sap::{
    AccountsConfig, CirConfig, DeliveryConfig, GatewayConfig, HttpConfig, MapConfig,
    ProviderConfig, RecordsConfig, Registration, RelayConfig, SapConfig, SessionConfig,
};
use hamlet_store::{StoreConfig, StoreUrl};

impl Config {
    /// For the store.
    pub fn store(&self, data_dir: &DataDir) -> StoreConfig {
        let url = self.store.url.0.clone();
        StoreConfig {
            readers: self.store.readers as usize,
            writers: self.store.writers as usize,
            ..StoreConfig::new(url.unwrap_or_else(|| StoreUrl::Sqlite(data_dir.store_file())))
        }
    }

    /// For the audit log.
    pub fn audit_limits(&self) -> JournalLimits {
        JournalLimits {
            size: self.audit.max_size.0,
            files: self.audit.files,
            daily: false,
        }
    }

    /// For the service access point and the service elements behind it.
    pub fn sap(&self) -> SapConfig {
        let (accounts, http, im, presence) = (&self.accounts, &self.http, &self.im, &self.presence);
        let usual = SapConfig::new(self.domain.clone());
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let records = self.records.file.as_deref().map(|file| RecordsConfig {
            file: file.to_owned(),
            limits: JournalLimits {
                size: self.records.max_size.0,
                files: self.records.files,
                daily: self.records.daily,
            },
            queue: self.records.queue as usize,
        });
        SapConfig {
            records,
            provider: ProviderConfig {
                name: self.provider.name.clone(),
                description: given(&self.provider.text),
                url: given(&self.provider.url),
            },
            accounts: AccountsConfig {
                registration: match (accounts.auto_register, accounts.register_by) {
                    (false, _) => Registration::Off,
                    (true, RegisterBy::Anybody) => Registration::Open,
                    (true, RegisterBy::Code) => Registration::Code,
                    (true, RegisterBy::Msisdn) => Registration::Msisdn,
                },
                msisdn_login: accounts.msisdn_login,
                allow_pwd_digest: accounts.allow_pwd_digest,
                digest_login: accounts.digest_login,
                max_failures: accounts.max_failures,
                failure_window: accounts.failure_window,
                registered_applications_only: accounts.registered_applications_only,
                ..usual.accounts
            },
            session: SessionConfig {
                ttl_min: self.session.ttl_min,
                ttl_max: self.session.ttl_max,
                ttl_default: self.session.ttl_default,
                grace: self.session.grace,
                max_per_user: self.session.max_per_user as usize,
                max_sessions: self.session.max_total as usize,
                ..usual.session
            },
            cir: self.cir(usual.cir),
            relay: RelayConfig {
                retry_min: self.relay.retry_min,
                retry_max: self.relay.retry_max,
                lost_after: self.relay.lost_after,
                ..usual.relay
            },
            delivery: DeliveryConfig {
                poll_min: self.poll.min,
                guard_time: self.poll.guard_time.0,
                presence_window: presence.window,
                ..usual.delivery
            },
            http: HttpConfig {
                max_body: http.max_body.octets(),
                max_connections: http.max_connections as usize,
                read_timeout: http.read_timeout,
                idle_timeout: http.idle_timeout,
                drain_timeout: http.drain_timeout,
                form_login: given(&http.form_login),
                gateways: GatewayConfig {
                    trusted: http.trusted_proxies.clone(),
                    msisdn_headers: http.msisdn_headers.clone(),
                },
            },
            im: ImConfig {
                default_validity: im.validity_default,
                max_validity: im.validity_max,
                max_waiting: im.quota_messages,
                max_waiting_bytes: im.quota_size.0,
                max_content: im.max_content.octets(),
                max_recipients: im.max_recipients as usize,
                max_access_entities: im.max_blocked as usize,
                silent_blocking: im.silent_blocking,
                ..usual.im
            },
            contact_lists: ContactListConfig {
                max_lists: presence.max_lists as usize,
                max_members: presence.max_members as usize,
                max_contacts: presence.max_contacts as usize,
                ..usual.contact_lists
            },
            presence: PresenceConfig {
                unauthorized: match presence.unauthorized {
                    Unauthorized::Ask => hamlet_elements::authorization::Unauthorized::Ask,
                    Unauthorized::Contacts => {
                        hamlet_elements::authorization::Unauthorized::Contacts
                    }
                    Unauthorized::Everyone => {
                        hamlet_elements::authorization::Unauthorized::Everyone
                    }
                },
                block_hides: presence.block_hides,
                max_attribute_lists: presence.max_attribute_lists as usize,
                watcher_history: presence.watcher_history,
                max_text: presence.max_text as usize,
                max_content: presence.max_content.octets(),
                hold: presence.hold,
                ..usual.presence
            },
            search: SearchConfig {
                max_results: self.search.max_results as usize,
                cut_at_limit: self.search.cut,
                max_page: self.search.max_page,
                min_length: self.search.min_length as usize,
                time_limit: self.search.time_limit,
                keep: self.search.keep,
                partial_contact_data: self.search.partial_contact_data,
                country_code: self.search.country_code.clone(),
                ..usual.search
            },
            invitations: InvitationConfig {
                default_validity: self.invitations.validity_default,
                max_validity: self.invitations.validity_max,
                max_invitees: self.invitations.max_invitees as usize,
                max_invited: self.invitations.max_open as usize,
                max_waiting: self.invitations.max_waiting as usize,
                ..usual.invitations
            },
            groups: GroupConfig {
                max_owned: self.groups.max_owned as usize,
                max_joined: self.groups.max_joined as usize,
                max_groups: self.groups.max_total as usize,
                max_active_users: self.groups.max_active_users,
                max_members: self.groups.max_members as usize,
                max_welcome_note: self.groups.max_welcome_note.octets(),
                ..usual.groups
            },
            group_talk: GroupTalkConfig {
                max_waiting: self.group_talk.max_waiting,
                history_messages: self.group_talk.history_messages,
                history_age: self.group_talk.history_age,
            },
            content: self.content(),
            map: MapConfig {
                width: self.map.width,
                height: self.map.height,
                link_life: self.map.link_life,
                url_template: given(&self.map.url_template),
            },
            presence_home: match &self.elements.presence {
                Pse::Local => PresenceHome::Local,
                Pse::Domain(domain) => PresenceHome::At(domain.clone()),
            },
            serves_presence_of: self.elements.presence_of.clone(),
            trace_dir: self.trace.dir.0.clone(),
            ..usual
        }
    }

    fn content(&self) -> Option<ContentConfig> {
        let content = &self.content;
        let base_url = content.base_url.0.as_ref().filter(|_| content.enabled)?;
        Some(ContentConfig {
            base_url: base_url.trim_end_matches('/').to_owned(),
            types: content.types.clone(),
            max_size: content.max_size.octets(),
            quota_user: content.quota_user.0,
            max_items: u64::from(content.max_items),
            quota_total: content.quota_total.0,
            default_life: content.life_default,
            max_life: content.life_max,
        })
    }

    fn cir(&self, usual: CirConfig) -> CirConfig {
        let cir = &self.cir;
        CirConfig {
            tcp_address: cir.tcp_address.0.clone(),
            tcp_max_connections: cir.tcp_max_connections as usize,
            tcp_hello_timeout: cir.tcp_hello_timeout,
            tcp_idle_timeout: cir.tcp_idle_timeout,
            udp_address: cir.udp_address.0.clone(),
            udp_private: cir.udp_private,
            http: cir.http_enabled,
            http_url: cir.http_url.0.clone(),
            http_hold: cir.http_hold,
            http_max_waiting: cir.http_max_waiting as usize,
            flag: cir.flag,
            ..usual
        }
    }

    /// Keys that were given a value although the service that they belong to is not part of
    /// this version.
    pub fn not_served(&self) -> Vec<&'static str> {
        let elsewhere = matches!(self.elements.presence, Pse::Domain(_));
        let mut keys = vec![];
        keys.extend(elsewhere.then_some("elements.presence"));
        for key in ["ssp.listen", "elements.presence_of"] {
            keys.extend(self.is_set(key).then_some(key));
        }
        keys
    }
}
