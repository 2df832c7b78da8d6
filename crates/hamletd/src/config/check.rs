//! What the values must satisfy together.

use super::{Config, ConfigError, Pse, RegisterBy};
use std::time::Duration;

impl Config {
    /// Fails with everything that is wrong, not only the first.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rules = self.rules().into_iter();
        let wrong: Vec<String> = rules
            .filter_map(|(holds, what)| (!holds).then_some(what))
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Contradiction(wrong))
        }
    }

    /// Each rule: whether it holds, and what to say if not.
    fn rules(&self) -> Vec<(bool, String)> {
        let (session, im, http, cir) = (&self.session, &self.im, &self.http, &self.cir);
        let has_certificate = http.tls_certificate.0.is_some();
        let has_key = http.tls_key.0.is_some();
        let foreign = match &self.elements.presence {
            Pse::Local => true,
            Pse::Domain(domain) => *domain != self.domain,
        };
        let country_code = &self.search.country_code;
        let map_url = &self.map.url_template;
        let second = Duration::from_secs(1);
        let positive = [
            ("http.max_connections", http.max_connections),
            ("cir.tcp.max_connections", cir.tcp_max_connections),
            ("store.readers", self.store.readers),
            ("store.writers", self.store.writers),
            ("audit.files", self.audit.files),
            ("records.files", self.records.files),
            ("records.queue", self.records.queue),
            ("session.max_per_user", session.max_per_user),
            ("session.max_total", session.max_total),
            ("im.max_recipients", im.max_recipients),
            ("im.max_blocked", im.max_blocked),
            ("im.quota_messages", im.quota_messages),
            ("accounts.max_failures", self.accounts.max_failures),
            ("groups.max_waiting", self.group_talk.max_waiting),
            ("invitations.max_invitees", self.invitations.max_invitees),
            ("invitations.max_open", self.invitations.max_open),
            ("invitations.max_waiting", self.invitations.max_waiting),
            ("groups.max_owned", self.groups.max_owned),
            ("groups.max_joined", self.groups.max_joined),
            ("groups.max_total", self.groups.max_total),
            ("groups.max_active_users", self.groups.max_active_users),
            ("groups.max_members", self.groups.max_members),
            ("content.max_items", self.content.max_items),
            ("search.max_results", self.search.max_results),
            ("search.max_page", self.search.max_page),
            ("search.min_length", self.search.min_length),
        ];
        let at_least_a_second = [
            ("http.idle_timeout", http.idle_timeout),
            ("http.read_timeout", http.read_timeout),
            ("cir.tcp.hello_timeout", cir.tcp_hello_timeout),
            ("session.ttl_min", session.ttl_min),
            ("im.validity_default", im.validity_default),
            (
                "invitations.validity_default",
                self.invitations.validity_default,
            ),
            ("search.time_limit", self.search.time_limit),
            ("map.link_life", self.map.link_life),
        ];
        let rule = |holds: bool, what: &str| (holds, what.to_owned());
        let mut rules = vec![
            rule(
                session.ttl_min <= session.ttl_default && session.ttl_default <= session.ttl_max,
                "session.ttl_min, session.ttl_default and session.ttl_max must not decrease in this order",
            ),
            rule(
                // KeepAliveTime and Validity are written as 32-bit seconds.
                session.ttl_max.as_secs() <= u64::from(u32::MAX)
                    && im.validity_max.as_secs() <= u64::from(u32::MAX),
                "session.ttl_max and im.validity_max must be below 49710 days",
            ),
            rule(
                self.invitations.validity_default <= self.invitations.validity_max
                    && self.invitations.validity_max.as_secs() <= u64::from(u32::MAX),
                "invitations.validity_default must not exceed invitations.validity_max, nor that 49710 days",
            ),
            rule(
                im.validity_default <= im.validity_max,
                "im.validity_default must not exceed im.validity_max",
            ),
            rule(
                im.max_content <= im.quota_size,
                "im.max_content must not exceed im.quota_size, or the largest messages would never be accepted",
            ),
            rule(
                im.max_content <= http.max_body,
                "im.max_content must not exceed http.max_body, or the largest messages would never arrive",
            ),
            rule(
                http.max_body.0 >= 1024,
                "http.max_body must be at least 1KiB",
            ),
            rule(
                http.listen.0.is_some() || http.tls_listen.0.is_some(),
                "http.listen and http.tls.listen are both off, so no client could connect",
            ),
            rule(
                http.form_login.is_empty() || http.form_login.starts_with('/'),
                "http.form_login must begin with a slash",
            ),
            rule(
                has_certificate == has_key,
                "http.tls.certificate and http.tls.key belong together: set both or none",
            ),
            rule(
                http.tls_listen.0.is_none() || (has_certificate && has_key),
                "http.tls.listen needs http.tls.certificate and http.tls.key",
            ),
            rule(
                !self.admin.tls || (has_certificate && has_key),
                "admin.tls needs http.tls.certificate and http.tls.key",
            ),
            rule(
                !has_certificate || http.tls_listen.0.is_some() || self.admin.tls,
                "http.tls.certificate is set, but http.tls.listen and admin.tls are off",
            ),
            rule(
                http.msisdn_headers.is_empty() || !http.trusted_proxies.is_empty(),
                "http.msisdn_headers is set, but http.trusted_proxies names nobody to be believed",
            ),
            rule(
                !self.accounts.msisdn_login || !http.msisdn_headers.is_empty(),
                "accounts.msisdn_login needs http.msisdn_headers",
            ),
            rule(
                self.accounts.register_by != RegisterBy::Msisdn || !http.msisdn_headers.is_empty(),
                "accounts.register_by = msisdn needs http.msisdn_headers",
            ),
            rule(
                self.accounts.register_by == RegisterBy::Anybody || self.accounts.auto_register,
                "accounts.register_by is set, but accounts.auto_register is off",
            ),
            rule(
                country_code.len() <= 3 && country_code.bytes().all(|b| b.is_ascii_digit()),
                "search.country_code must be at most three digits",
            ),
            rule(
                // Android pings every 20 minutes, S60 every 15 (transport 6.3).
                cir.tcp_idle_timeout >= Duration::from_secs(3600),
                "cir.tcp.idle_timeout must be at least 1h, or connections of phones would break",
            ),
            rule(
                // Of 40 s, with something for the way (clients AND-34).
                cir.http_hold < Duration::from_secs(40),
                "cir.http.hold must be below 40s, or clients would give the request up",
            ),
            rule(
                [self.map.width, self.map.height]
                    .iter()
                    .all(|side| (64..=1024).contains(side)),
                "map.width and map.height must be 64 to 1024",
            ),
            rule(
                map_url.is_empty()
                    || map_url.starts_with("http://")
                    || map_url.starts_with("https://"),
                "map.url_template must begin with http:// or https://",
            ),
            rule(
                !self.content.enabled || self.content.base_url.0.is_some(),
                "content.enabled needs content.base_url, or no URL could be told to anybody",
            ),
            rule(
                self.content.max_size <= self.content.quota_user
                    && self.content.quota_user <= self.content.quota_total,
                "content.max_size, content.quota_user and content.quota_total must not decrease in this order",
            ),
            rule(
                self.content.max_size.0 <= 16 << 20,
                "content.max_size must be at most 16MiB: a piece is in memory while it is sent",
            ),
            rule(
                self.content.life_default <= self.content.life_max,
                "content.life_default must not exceed content.life_max",
            ),
            rule(
                foreign,
                "elements.presence names this domain itself; `local` says that",
            ),
        ];
        rules.extend(positive.map(|(key, value)| (value > 0, format!("{key} must be at least 1"))));
        rules.extend(
            at_least_a_second
                .map(|(key, value)| (value >= second, format!("{key} must be at least 1s"))),
        );
        rules
    }
}
