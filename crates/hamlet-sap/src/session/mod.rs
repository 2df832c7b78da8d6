//! Sessions (csp-access 3.4): what is fixed at login, what is negotiated, when it was last
//! heard of, and what waits for it.

pub(crate) mod expiry;
pub(crate) mod id;
pub(crate) mod lifecycle;
pub(crate) mod registry;
pub(crate) mod remote;
pub(crate) mod stored;
pub(crate) mod sweep;
pub(crate) mod wishes;

use crate::cir::session::SessionCir;
use crate::client_profile::ClientProfile;
use crate::delivery::group_joined::JoinedGroups;
use crate::delivery::links::WantedLink;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::outbound::Outbound;
use crate::delivery::settling::Settling;
use crate::envelope::segments::Segments;
use crate::negotiation::capability::Capabilities;
use crate::negotiation::delivery_method::GroupDelivery;
use crate::negotiation::keep_alive;
use crate::negotiation::notifications::Subscriptions;
use crate::negotiation::service::Agreement;
use crate::records::Tally;
use hamlet_csp::{Syntax, Version};
use hamlet_elements::im::SessionView;
use hamlet_elements::notification::Notification;
use hamlet_elements::{Requestor, SessionFacts};
use hamlet_model::{ApplicationId, ClientId, GroupId, ServiceSet, SessionId, Timestamp, UserId};
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

/// One session. Identity never changes; what is negotiated is replaced as a whole.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) user: Arc<User>,
    pub(crate) client: ClientId,
    pub(crate) application: Option<ApplicationId>,
    pub(crate) version: Version,
    pub(crate) created: Timestamp,
    settings: RwLock<Arc<Settings>>,
    /// When anything was last received, milliseconds.
    seen: AtomicI64,
    /// When the user last did something by himself, milliseconds.
    active: AtomicI64,
    /// `seen` as the store knows it.
    persisted: AtomicI64,
    /// The store does not know all of the settings yet.
    unsaved: AtomicBool,
    /// It lived before the server started, and its client has not come since.
    resumes: AtomicBool,
    pub(crate) outbound: Mutex<Outbound>,
    /// Held while a server transaction is chosen and opened.
    pub(crate) handing_out: Mutex<()>,
    pub(crate) settling: Settling,
    /// What it can only be sent a link to that is not known yet.
    pub(crate) wanted_links: Mutex<Vec<WantedLink>>,
    /// The groups that it has joined.
    pub(crate) groups: Mutex<JoinedGroups>,
    pub(crate) segments: Mutex<Segments>,
    /// Its user has been joined where he wants to be without asking, or is not to be.
    auto_joined: AtomicBool,
    pub(crate) cir: SessionCir,
    pub(crate) tally: Tally,
}

/// What login and negotiation have settled.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) cookie: Option<String>,
    pub(crate) syntax: Syntax,
    pub(crate) user_agent: Option<String>,
    /// TransactionID of the login.
    pub(crate) login: Option<String>,
    pub(crate) profile: ClientProfile,
    pub(crate) keep_alive: Duration,
    pub(crate) capabilities: Capabilities,
    /// How messages of single groups are brought to it.
    pub(crate) group_delivery: GroupDelivery,
    /// `None` until a service negotiation: then everything is allowed.
    pub(crate) agreement: Option<Agreement>,
    pub(crate) notifications: Subscriptions,
    /// What its user, and its application if it has one, are subscribed to.
    pub(crate) services: ServiceSet,
    /// It is its application itself, not a user of it.
    pub(crate) own: bool,
}

/// A user with at least one session. His mailbox is kept here while he has.
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) sessions: RwLock<Vec<Arc<Session>>>,
    pub(crate) mailbox: Mutex<Mailbox>,
}

/// What a new session is made of.
pub(crate) struct NewSession {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) client: ClientId,
    pub(crate) application: Option<ApplicationId>,
    pub(crate) version: Version,
    pub(crate) created: Timestamp,
    pub(crate) settings: Settings,
}

impl User {
    pub(crate) fn new(id: UserId) -> Self {
        Self {
            id,
            sessions: RwLock::new(Vec::new()),
            mailbox: Mutex::new(Mailbox::default()),
        }
    }

    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        self.sessions.read().clone()
    }
}

impl Session {
    /// Who asks when the client of this session does.
    pub(crate) fn requestor(&self) -> Requestor {
        Requestor {
            user: self.user.id.clone(),
            session: Some(self.id.clone()),
            client: Some(self.client.clone()),
            application: self.application.clone(),
        }
    }

    pub(crate) fn new(new: NewSession, user: Arc<User>, now: Timestamp) -> Self {
        let outbound = Outbound::new(new.settings.profile.implicit_acknowledgement);
        Self {
            id: new.id,
            user,
            client: new.client,
            application: new.application,
            version: new.version,
            created: new.created,
            settings: RwLock::new(Arc::new(new.settings)),
            seen: AtomicI64::new(now.millis()),
            active: AtomicI64::new(now.millis()),
            persisted: AtomicI64::new(now.millis()),
            unsaved: AtomicBool::new(false),
            resumes: AtomicBool::new(false),
            outbound: Mutex::new(outbound),
            handing_out: Mutex::default(),
            settling: Settling::default(),
            wanted_links: Mutex::default(),
            groups: Mutex::default(),
            segments: Mutex::new(Segments::default()),
            auto_joined: AtomicBool::new(false),
            cir: SessionCir::default(),
            tally: Tally::new(now),
        }
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.read().clone()
    }

    /// Whether it is to be told this (csp-access 13).
    pub(crate) fn wants(&self, notification: &Notification) -> bool {
        let all = self.settings.read().notifications;
        all.wants(notification.kind(), self.version)
    }

    /// Changes what is negotiated; answers the new state.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Settings)) -> Arc<Settings> {
        let mut settings = self.settings.write();
        change(Arc::make_mut(&mut settings));
        settings.clone()
    }

    /// Something was received (csp-access 3.11); `by_user` when it was not a mere poll, an
    /// acknowledgement or a keep-alive.
    pub(crate) fn heard(&self, now: Timestamp, by_user: bool) {
        self.seen.store(now.millis(), Ordering::Relaxed);
        if by_user {
            self.active.store(now.millis(), Ordering::Relaxed);
        }
    }

    /// It goes on after a restart, until `expires` as the store has it, and at least for the
    /// time by which a session outlives its keep-alive time.
    pub(crate) fn restore(&self, expires: Timestamp, now: Timestamp, grace: Duration) {
        self.resumes.store(true, Ordering::Relaxed);
        // He may have left since.
        let settled = self.settings.read().capabilities.negotiated;
        self.auto_joined.store(settled, Ordering::Relaxed);
        let keep_alive = self.settings.read().keep_alive;
        let life = keep_alive::life(keep_alive, grace);
        let least = now.plus(life.saturating_sub(keep_alive));
        let seen = expires.max(least).minus(life).min(now);
        self.seen.store(seen.millis(), Ordering::Relaxed);
        self.persisted.store(seen.millis(), Ordering::Relaxed);
    }

    /// Whether its client is here for the first time since a restart.
    pub(crate) fn take_resumed(&self) -> bool {
        self.resumes.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn seen(&self) -> Timestamp {
        Timestamp::from_millis(self.seen.load(Ordering::Relaxed))
    }

    /// When it ends unless it is heard of.
    pub(crate) fn expires(&self, grace: Duration) -> Timestamp {
        let life = keep_alive::life(self.settings.read().keep_alive, grace);
        self.seen().plus(life)
    }

    /// Whether the store's idea of the expiry lags behind by more than a quarter of the
    /// keep-alive time; if so it is taken to be told.
    pub(crate) fn take_untold(&self) -> bool {
        let seen = self.seen.load(Ordering::Relaxed);
        let lag = seen.saturating_sub(self.persisted.load(Ordering::Relaxed));
        let quarter = self.settings.read().keep_alive.as_millis() / 4;
        let untold = u128::try_from(lag).is_ok_and(|lag| lag > quarter);
        if untold {
            self.persisted.store(seen, Ordering::Relaxed);
        }
        untold
    }

    /// Whether it has been settled that its user is joined without asking, or not.
    pub(crate) fn is_auto_joined(&self) -> bool {
        self.auto_joined.load(Ordering::Relaxed)
    }

    /// Settles that; false when it has been before.
    pub(crate) fn take_auto_join(&self) -> bool {
        !self.auto_joined.swap(true, Ordering::Relaxed)
    }

    /// A membership has ended, and with it what was agreed about messages of that group
    /// (csp-im 3.3). The store is told before a leave or a join is answered, else with the next
    /// sweep: until then, after a restart, the agreement would only meet a group that the
    /// session is not in.
    pub(crate) fn group_left(&self, group: &GroupId) {
        if self.settings.read().group_delivery.get(group).is_none() {
            return;
        }
        self.change(|settings| settings.group_delivery.remove(group));
        self.mark_unsaved();
    }

    /// The store is to be told of the settings with the next sweep.
    pub(crate) fn mark_unsaved(&self) {
        self.unsaved.store(true, Ordering::Relaxed);
    }

    /// Whether the settings have changed since the store was told; then they are taken to be
    /// told now.
    pub(crate) fn take_unsaved(&self) -> bool {
        self.unsaved.swap(false, Ordering::Relaxed)
    }

    /// As the choice of sessions sees it (csp-im 10.3), for content that it `accepts`.
    pub(crate) fn view(&self, accepts: bool) -> SessionView {
        let settings = self.settings();
        SessionView {
            id: self.id.clone(),
            client: self.client.clone(),
            application: self.application.clone(),
            own: settings.own,
            priority: settings.capabilities.priority,
            active: Timestamp::from_millis(self.active.load(Ordering::Relaxed)),
            accepts,
        }
    }

    /// As the elements see it.
    pub(crate) fn facts(&self) -> SessionFacts {
        let settings = self.settings();
        SessionFacts {
            id: self.id.clone(),
            user: self.user.id.clone(),
            client: self.client.clone(),
            application: self.application.clone(),
            info: settings.capabilities.client_info(self.application.clone()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::negotiation::capability::Offer;
    use hamlet_model::Domain;

    pub(crate) fn user_id(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("im.example").unwrap()).unwrap()
    }

    pub(crate) fn new_session(id: &str, user: &str, client: &str) -> NewSession {
        let offer = Offer {
            poll_min: Duration::from_secs(30),
            max_multi_trans: 4,
        };
        NewSession {
            id: SessionId::new(id),
            user: user_id(user),
            client: ClientId::from_url(client),
            application: None,
            version: Version::V1_2,
            created: Timestamp::from_secs(1),
            settings: Settings {
                cookie: None,
                syntax: Syntax::Xml,
                user_agent: None,
                login: None,
                profile: ClientProfile::default(),
                keep_alive: Duration::from_secs(1800),
                capabilities: Capabilities::unknown(Version::V1_2, offer),
                group_delivery: GroupDelivery::default(),
                agreement: None,
                notifications: Subscriptions::default(),
                services: ServiceSet::ALL,
                own: false,
            },
        }
    }

    #[test]
    fn a_silent_session_does_not_gain_more_than_its_grace_by_a_restart() {
        let now = Timestamp::from_secs(1_000_000);
        let (life, grace) = (1800 + 450, Duration::from_secs(60));
        let user = Arc::new(User::new(user_id("anna")));
        let session = Session::new(new_session("s", "anna", "a"), user, now);
        let in_seconds = |seconds: i64| Timestamp::from_secs(1_000_000 + seconds);
        for (stored, after) in [
            (in_seconds(2000), in_seconds(2000)),
            (in_seconds(500), in_seconds(500)),
            (in_seconds(100), in_seconds(450)),
            (in_seconds(-9000), in_seconds(450)),
            // The clock has been set back.
            (in_seconds(99_000), in_seconds(life)),
        ] {
            session.restore(stored, now, grace);
            assert_eq!(session.expires(grace), after, "{stored:?}");
        }
        assert!(session.take_resumed());
        assert!(!session.take_resumed());
    }

    #[test]
    fn the_store_is_told_when_a_quarter_of_the_time_has_passed() {
        let start = Timestamp::from_secs(1_000_000);
        let user = Arc::new(User::new(user_id("anna")));
        let session = Session::new(new_session("s", "anna", "a"), user, start);
        session.heard(start.plus(Duration::from_secs(449)), false);
        assert!(!session.take_untold());
        session.heard(start.plus(Duration::from_secs(451)), false);
        assert!(session.take_untold());
        assert!(!session.take_untold(), "it has been told now");
        let expiry = session.expires(Duration::from_secs(60));
        assert_eq!(expiry, start.plus(Duration::from_secs(451 + 1800 + 450)));
    }

    #[test]
    fn the_setting_of_a_group_ends_with_the_membership() {
        // csp-im 3.3.
        use crate::negotiation::delivery_method::GroupMethod;
        let user = Arc::new(User::new(user_id("anna")));
        let session = Session::new(new_session("s", "anna", "a"), user, Timestamp::default());
        let home = Domain::parse("im.example").unwrap();
        let [left, kept] =
            ["wv:anna/left", "wv:anna/kept"].map(|id| GroupId::parse(id, &home).unwrap());
        session.change(|settings| {
            for group in [&left, &kept] {
                let method = GroupMethod {
                    notify: true,
                    limit: None,
                };
                assert!(settings.group_delivery.set(group.clone(), method));
            }
        });
        session.group_left(&left);
        let settings = session.settings();
        assert_eq!(settings.group_delivery.get(&left), None);
        assert!(settings.group_delivery.get(&kept).is_some());
        // The store hears of it once.
        assert!(session.take_unsaved());
        assert!(!session.take_unsaved());
        session.group_left(&left);
        assert!(!session.take_unsaved());
    }
}
