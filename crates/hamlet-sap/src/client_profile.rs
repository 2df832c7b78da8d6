//! The one place for quirks of real clients: how a client is recognised and what it needs
//! beyond its version (clients 9).
//!
//! What serves all clients at once (clients 2) has no switch here: it is done for everybody.
//! So, for example, a Status in mode Request acknowledges the oldest open server
//! transaction of any session (csp-access 2.4), and pushes always get a new TransactionID.

use hamlet_csp::{Syntax, Tag, Version, WriteOptions};
use hamlet_model::ClientId;
use std::time::Duration;

/// What is known of a client when it logs in.
#[derive(Debug, Clone, Copy)]
pub struct ClientMarks<'a> {
    /// HTTP header User-Agent.
    pub user_agent: Option<&'a str>,
    /// ClientID of the Login-Request.
    pub client_id: Option<&'a ClientId>,
    /// SessionCookie of the Login-Request.
    pub cookie: Option<&'a str>,
    /// TransactionID of the Login-Request.
    pub transaction_id: Option<&'a str>,
    /// Version of the message.
    pub version: Version,
    /// Syntax of the message.
    pub syntax: Syntax,
}

/// A family of clients that is told apart (clients 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientFamily {
    /// The IM application of Android 1.x (clients 3).
    Android,
    /// The Nokia S60 engine, and Series 40 (clients 4, 7.1).
    Nokia,
    /// Movistar and other desktop clients of a Colibria server (clients 5).
    Colibria,
    /// Motorola phones (clients 6).
    Motorola,
    /// Anything else: the standard behaviour of its version.
    #[default]
    Standard,
}

/// What one client needs; the default needs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientProfile {
    /// Who it is, for logs and traces.
    pub family: ClientFamily,

    /// GetList-Response has ContactList children in 1.3 too: it does not look into
    /// ContactListIDList and would show no lists (clients AND-15).
    pub contact_lists_direct: bool,
    /// GetList is never answered by an error, else no message is shown any more in this
    /// session (clients 3.8, AND-15).
    pub get_list_never_fails: bool,
    /// The only success that it knows is 200: 201 and 202 are written as 200, without
    /// details (clients 3.11, AND-17).
    pub only_full_success: bool,
    /// The capability list is the first child of ClientCapability-Response in 1.1 as well:
    /// ClientID is left out (clients AND-9).
    pub capability_list_first: bool,
    /// 502 is never sent; it gets a new session instead (clients AND-29, GEN-21).
    pub never_session_not_recovered: bool,
    /// UserMapList holds Mapping directly, without UserMapping, in 1.2, and in notices of
    /// 1.2 and 1.3 (clients AND-22).
    pub flat_user_map_list: bool,
    /// PresenceAuth-Request is used in 1.3 too, where Notification-Request would be
    /// standard but is not understood (clients 3.12, csp-presence 14).
    pub presence_auth_request_in_1_3: bool,
    /// PresenceAuth-Request comes also when the client has not asked for it in its service
    /// negotiation: it names only GETWL of PresenceAuthFunc, and handles it all the same
    /// (clients 4.5, 4.7).
    pub asked_unrequested: bool,
    /// One publisher for each PresenceNotification-Request, which keeps pushes small and
    /// one bad value from costing the presence of others (clients AND-36, 3.12).
    pub one_presence_per_notification: bool,
    /// WBXML: no text may end at a multiple of this many octets (clients AND-36).
    pub no_text_end_at_multiple_of: Option<usize>,

    /// Texts are XML-escaped inside WBXML, both ways (clients S60-20).
    pub escape_texts: bool,
    /// After an offer of digest schemes it must be challenged, whatever is known of the
    /// user already (clients S60-5).
    pub always_challenge: bool,
    /// What its CIR element says when the channel is lost: `T` for Nokia, `F` for all
    /// others (csp-messages 1.5).
    pub cir_lost_is_true: bool,
    /// STCP: `OK` and every `WVCI` line go out in segments of their own (clients S60-18).
    pub cir_separate_segments: bool,

    /// It acknowledges no push: after two redeliveries its next poll counts as
    /// acknowledgement (clients GEN-29, MOV-18, MOV-19).
    pub implicit_acknowledgement: bool,
    /// CreateList of a list that exists merges the members and answers 200 (clients MOV-12).
    pub create_list_merges: bool,
    /// The lists `~pep1.0_privatelist` and `~pep1.0_subscriptions` are made on first use
    /// (clients MOV-10).
    pub pep_lists: bool,
    /// GetPresence-Response always has an Alias, before all other attributes (clients MOV-8).
    pub alias_first: bool,

    /// The longest that an answer to its poll may be held back, when the client sets a
    /// bound (clients AND-34, IV-4).
    pub longest_poll: Option<Duration>,
    /// The server requests that it handles and acknowledges; `None` for all of its version.
    pushes: Option<&'static [Tag]>,
}

/// Server requests that the Android client handles; it drops all others without an
/// acknowledgement (clients 3.4, csp-access 2.4).
const ANDROID_PUSHES: &[Tag] = &[
    Tag::NewMessage,
    Tag::DeliveryReportRequest,
    Tag::PresenceNotificationRequest,
    Tag::PresenceAuthRequest,
    Tag::GroupChangeNotice,
    Tag::LeaveGroupResponse,
    Tag::InviteUserRequest,
    Tag::InviteResponse,
    Tag::Disconnect,
];

/// Server requests that the Nokia engine handles; likewise (clients 4.7, csp-im 15).
const NOKIA_PUSHES: &[Tag] = &[
    Tag::NewMessage,
    Tag::DeliveryReportRequest,
    Tag::PresenceNotificationRequest,
    Tag::PresenceAuthRequest,
    Tag::GroupChangeNotice,
    Tag::LeaveGroupResponse,
    Tag::InviteUserRequest,
    Tag::InviteResponse,
    Tag::CancelInviteUserRequest,
    Tag::Disconnect,
];

impl ClientFamily {
    /// Recognises a client (clients 9, column 2).
    pub fn detect(marks: &ClientMarks<'_>) -> Self {
        let user_agent = marks.user_agent.unwrap_or("");
        let client_url = marks.client_id.and_then(|id| id.url.as_deref());
        if starts_with(user_agent, "Android-Imps/") {
            return Self::Android;
        }
        if client_url.is_some_and(|url| starts_with(url, "WV:InstantMessenger"))
            || marks.cookie.is_some_and(|c| starts_with(c, "ColibriaIMPS"))
        {
            return Self::Colibria;
        }
        // The engine speaks nothing but WBXML of 1.1 and 1.2 (clients 4).
        let nokia = marks.cookie.is_some_and(|c| starts_with(c, "wv:nokia."))
            || marks.transaction_id.is_some_and(is_nokia_transaction);
        if nokia && marks.syntax == Syntax::Wbxml && marks.version < Version::V1_3 {
            return Self::Nokia;
        }
        if user_agent.contains("MOT-") && marks.version == Version::V1_1 {
            return Self::Motorola;
        }
        Self::Standard
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// `nok` and digits (clients 4.4).
fn is_nokia_transaction(id: &str) -> bool {
    id.strip_prefix("nok")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

impl ClientProfile {
    /// The profile of the client with these marks.
    pub fn detect(marks: &ClientMarks<'_>) -> Self {
        Self::of(ClientFamily::detect(marks))
    }

    /// The profile of a family.
    pub fn of(family: ClientFamily) -> Self {
        let standard = Self {
            family,
            ..Self::default()
        };
        match family {
            ClientFamily::Standard => standard,
            ClientFamily::Android => Self {
                contact_lists_direct: true,
                get_list_never_fails: true,
                only_full_success: true,
                capability_list_first: true,
                never_session_not_recovered: true,
                flat_user_map_list: true,
                presence_auth_request_in_1_3: true,
                asked_unrequested: true,
                one_presence_per_notification: true,
                no_text_end_at_multiple_of: Some(1024),
                longest_poll: Some(Duration::from_secs(30)),
                pushes: Some(ANDROID_PUSHES),
                ..standard
            },
            ClientFamily::Nokia => Self {
                escape_texts: true,
                always_challenge: true,
                asked_unrequested: true,
                cir_lost_is_true: true,
                cir_separate_segments: true,
                pushes: Some(NOKIA_PUSHES),
                ..standard
            },
            ClientFamily::Colibria => Self {
                implicit_acknowledgement: true,
                create_list_merges: true,
                pep_lists: true,
                alias_first: true,
                ..standard
            },
            ClientFamily::Motorola => Self {
                longest_poll: Some(Duration::from_secs(10)),
                ..standard
            },
        }
    }

    /// Whether it handles and acknowledges a server request. What it does not handle must
    /// not be sent: it would block the queue (clients AND-28, S60-17).
    pub fn takes_push(&self, primitive: Tag) -> bool {
        self.pushes.is_none_or(|known| known.contains(&primitive))
    }

    /// How messages to it are written; `doctype` when its own have one.
    pub fn write_options(&self, doctype: bool) -> WriteOptions {
        WriteOptions {
            doctype,
            no_text_end_at_multiple_of: self.no_text_end_at_multiple_of,
            escape_texts: self.escape_texts,
            // Set only for a form that a client takes from another version.
            all_children: false,
        }
    }

    /// Whether a primitive is of another version than the session, and is therefore written
    /// with all the children that it has: 1.3 has no reactive authorization of its own.
    pub fn is_of_another_version(primitive: Tag, version: Version) -> bool {
        let reactive = matches!(
            primitive,
            Tag::PresenceAuthRequest | Tag::GetReactiveAuthStatusResponse
        );
        reactive && version == Version::V1_3
    }

    /// Whether the client takes this primitive in a form that its version does not have
    /// (clients AND-22).
    pub fn takes_form_of_other_version(&self, primitive: Tag) -> bool {
        let maps = [
            Tag::JoinGroupResponse,
            Tag::GetJoinedUsersResponse,
            Tag::GroupChangeNotice,
        ];
        self.flat_user_map_list && maps.contains(&primitive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks<'a>(version: Version, syntax: Syntax) -> ClientMarks<'a> {
        ClientMarks {
            user_agent: None,
            client_id: None,
            cookie: None,
            transaction_id: None,
            version,
            syntax,
        }
    }

    #[test]
    fn families_are_recognised_by_their_marks() {
        use ClientFamily::{Android, Colibria, Motorola, Nokia, Standard};
        let colibria = ClientId::from_url("WV:InstantMessenger-1.0.2309.16485@COLIBRIA.PC-CLIENT");
        let jimmy = ClientId::from_url("Jimmy");
        let (v11, v12, v13) = (Version::V1_1, Version::V1_2, Version::V1_3);
        let (xml, wbxml) = (Syntax::Xml, Syntax::Wbxml);
        for (user_agent, client_id, cookie, id, version, syntax, family) in [
            // clients 3.2, V-1.
            (
                Some("Android-Imps/0.1"),
                Some(&jimmy),
                Some("179"),
                Some("1"),
                v12,
                wbxml,
                Android,
            ),
            (Some("android-imps/2"), None, None, None, v13, xml, Android),
            // The User-Agent decides before the cookie does.
            (
                Some("Android-Imps/0.1"),
                None,
                Some("wv:nokia.1"),
                None,
                v12,
                wbxml,
                Android,
            ),
            // clients 4.4.
            (
                None,
                None,
                Some("wv:nokia.17"),
                Some("nok1"),
                v11,
                wbxml,
                Nokia,
            ),
            (
                Some("Nokia6630"),
                None,
                None,
                Some("nok12"),
                v12,
                wbxml,
                Nokia,
            ),
            // S60-20 asks for WBXML; another client may have chosen the same cookie.
            (None, None, Some("wv:nokia.17"), None, v12, xml, Standard),
            (None, None, Some("wv:nokia.17"), None, v13, wbxml, Standard),
            (None, None, None, Some("nokia"), v12, wbxml, Standard),
            (None, None, None, Some("nok"), v12, wbxml, Standard),
            // clients 5.1.
            (None, Some(&colibria), None, Some("1"), v12, xml, Colibria),
            (
                None,
                None,
                Some("ColibriaIMPS_367918656"),
                None,
                v12,
                xml,
                Colibria,
            ),
            // clients 9, row razr.
            (
                Some("MOT-V3/08.BD.43R"),
                None,
                None,
                None,
                v11,
                xml,
                Motorola,
            ),
            (
                Some("MOT-V3/08.BD.43R"),
                None,
                None,
                None,
                v12,
                xml,
                Standard,
            ),
            (Some("ä"), None, Some("é"), Some(""), v12, wbxml, Standard),
            (None, None, None, None, v13, xml, Standard),
        ] {
            let found = ClientFamily::detect(&ClientMarks {
                user_agent,
                client_id,
                cookie,
                transaction_id: id,
                ..marks(version, syntax)
            });
            assert_eq!(found, family, "{user_agent:?} {cookie:?} {id:?} {version}");
        }
    }

    #[test]
    fn each_family_has_the_switches_of_its_items() {
        let of = ClientProfile::of;
        let (android, nokia) = (of(ClientFamily::Android), of(ClientFamily::Nokia));
        let (colibria, motorola) = (of(ClientFamily::Colibria), of(ClientFamily::Motorola));
        let all = [
            &android,
            &nokia,
            &colibria,
            &motorola,
            &ClientProfile::default(),
        ];
        let only = |wanted: &ClientProfile, switch: fn(&ClientProfile) -> bool, item: &str| {
            for profile in all {
                assert_eq!(switch(profile), profile.family == wanted.family, "{item}");
            }
        };
        only(&android, |p| p.contact_lists_direct, "AND-15");
        only(&android, |p| p.get_list_never_fails, "AND-15");
        only(&android, |p| p.only_full_success, "AND-17");
        only(&android, |p| p.capability_list_first, "AND-9");
        only(&android, |p| p.never_session_not_recovered, "AND-29");
        only(&android, |p| p.flat_user_map_list, "AND-22");
        only(
            &android,
            |p| p.presence_auth_request_in_1_3,
            "csp-presence 14",
        );
        only(&android, |p| p.one_presence_per_notification, "AND-36");
        only(
            &android,
            |p| p.no_text_end_at_multiple_of == Some(1024),
            "AND-36",
        );
        only(&nokia, |p| p.escape_texts, "S60-20");
        only(&nokia, |p| p.always_challenge, "S60-5");
        only(&nokia, |p| p.cir_lost_is_true, "csp-messages 1.5");
        only(&nokia, |p| p.cir_separate_segments, "S60-18");
        only(&colibria, |p| p.implicit_acknowledgement, "MOV-18");
        only(&colibria, |p| p.create_list_merges, "MOV-12");
        only(&colibria, |p| p.pep_lists, "MOV-10");
        only(&colibria, |p| p.alias_first, "MOV-8");
        assert_eq!(motorola.longest_poll, Some(Duration::from_secs(10)), "IV-4");
    }

    #[test]
    fn pushes_that_a_client_drops_are_not_for_it() {
        let of = ClientProfile::of;
        for (family, primitive, taken) in [
            (ClientFamily::Android, Tag::MessageNotification, false),
            (ClientFamily::Android, Tag::NotificationRequest, false),
            (ClientFamily::Android, Tag::CancelInviteUserRequest, false),
            (ClientFamily::Android, Tag::NewMessage, true),
            (ClientFamily::Nokia, Tag::MessageNotification, false),
            (ClientFamily::Nokia, Tag::CancelInviteUserRequest, true),
            (ClientFamily::Standard, Tag::MessageNotification, true),
        ] {
            assert_eq!(
                of(family).takes_push(primitive),
                taken,
                "{family:?} {primitive}"
            );
        }
    }

    #[test]
    fn the_written_form_follows_the_profile() {
        let android = ClientProfile::of(ClientFamily::Android).write_options(false);
        assert_eq!(android.no_text_end_at_multiple_of, Some(1024));
        assert!(!android.escape_texts && !android.doctype);
        let of = ClientProfile::of;
        for (family, primitive, takes) in [
            (ClientFamily::Android, Tag::JoinGroupResponse, true),
            (ClientFamily::Android, Tag::GroupChangeNotice, true),
            (ClientFamily::Android, Tag::InviteUserRequest, false),
            (ClientFamily::Nokia, Tag::JoinGroupResponse, false),
        ] {
            let taken = of(family).takes_form_of_other_version(primitive);
            assert_eq!(taken, takes, "{family:?} {primitive}");
        }
        let nokia = ClientProfile::of(ClientFamily::Nokia).write_options(true);
        assert!(nokia.escape_texts && nokia.doctype);
        assert_eq!(
            ClientProfile::default().write_options(false),
            WriteOptions::default()
        );
    }
}
