//! Groups: roles, properties, screen names (csp-group 1; data-types 1.6, 4.2, 4.3).

use crate::Content;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest screen name, characters (csp-group 5.3 item 8).
pub const MAX_SCREEN_NAME: usize = 50;

/// PrivilegeLevel; a larger one has the rights of the smaller ones.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Role {
    /// An ordinary user.
    #[default]
    User,
    /// A moderator.
    Moderator,
    /// An administrator.
    Admin,
}

impl Role {
    /// All of them, from the least.
    pub const ALL: [Self; 3] = [Self::User, Self::Moderator, Self::Admin];

    /// As PrivilegeLevel is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Moderator => "Mod",
            Self::Admin => "Admin",
        }
    }

    /// Reads PrivilegeLevel in any case; `US` is what a token of WBXML reads (data-types 4.3).
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "user" | "us" => Some(Self::User),
            "mod" => Some(Self::Moderator),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// A name in a group: 1 to [`MAX_SCREEN_NAME`] characters, without control characters, not
/// blank at its ends. Shown as it was given, compared without case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScreenName(CompactString);

impl ScreenName {
    /// Takes a name; `None` for one that cannot be (402).
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let length = text.chars().count();
        let legal = (1..=MAX_SCREEN_NAME).contains(&length) && !text.contains(char::is_control);
        legal.then(|| Self(CompactString::new(text)))
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is compared.
    pub fn key(&self) -> String {
        self.as_str().to_lowercase()
    }
}

impl PartialEq for ScreenName {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ScreenName {}

impl fmt::Display for ScreenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// AccessType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum AccessType {
    /// Who is not rejected may join.
    #[default]
    Open,
    /// Only members may join.
    Restricted,
}

impl AccessType {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Restricted => "Restricted",
        }
    }
}

/// The common properties of a group that can be changed, with its welcome note.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupProperties {
    /// Name; empty for none.
    pub name: String,
    /// Topic; empty for none.
    pub topic: String,
    /// Who may join.
    pub access: AccessType,
    /// Messages to a screen name are allowed.
    pub private_messaging: bool,
    /// A search finds it.
    pub searchable: bool,
    /// Most joined clients; `None` for what the server allows.
    pub max_active_users: Option<u32>,
    /// It goes when the last joined user leaves.
    pub auto_delete: bool,
    /// Its life, seconds; `None` for ever.
    pub validity: Option<u32>,
    /// Messages are kept and can be read.
    pub history: bool,
    /// Only who is invited, a member or the owner may join.
    pub require_invitation: bool,
    /// Least age of who joins, years.
    pub minimum_age: Option<u32>,
    /// Shown to who joins.
    pub welcome_note: Option<Content>,
}

/// The own properties of a user in a group that he can change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnProperties {
    /// He takes private messages.
    pub private_messaging: bool,
    /// He is joined at login.
    pub auto_join: bool,
    /// His address is shown beside his screen name.
    pub show_id: bool,
    /// The screen name that he prefers.
    pub screen_name: Option<ScreenName>,
}

impl Default for OwnProperties {
    fn default() -> Self {
        Self {
            private_messaging: true,
            auto_join: false,
            show_id: false,
            screen_name: None,
        }
    }
}

macro_rules! property_names {
    ($(#[$doc:meta])* $kind:ident { $($(#[$item:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $kind { $($(#[$item])* $name,)* }

        impl $kind {
            /// All of them, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name as 1.3 writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The property of this name, in whatever case (data-types 4).
            pub fn parse(name: &str) -> Option<Self> {
                let all = Self::ALL.iter().copied();
                all.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name.trim()))
            }
        }
    };
}

property_names! {
    /// Names of common properties.
    GroupProperty {
        /// Display name.
        Name = "Name",
        /// Who may join.
        AccessType = "AccessType",
        /// Public or Private; read-only.
        Type = "Type",
        /// Private messages are allowed.
        PrivateMessaging = "PrivateMessaging",
        /// A search finds it.
        Searchable = "Searchable",
        /// What is talked about.
        Topic = "Topic",
        /// How many have joined; read-only.
        ActiveUsers = "ActiveUsers",
        /// Most that may join.
        MaxActiveUsers = "MaxActiveUsers",
        /// Since 1.2: goes with the last one.
        AutoDelete = "AutoDelete",
        /// Since 1.2: seconds.
        Validity = "Validity",
        /// Since 1.3: messages are kept.
        History = "History",
        /// Since 1.3: joining needs an invitation.
        RequireInvitation = "RequireInvitation",
        /// Since 1.3: years.
        MinimumAge = "MinimumAge",
    }
}

property_names! {
    /// Names of own properties.
    OwnProperty {
        /// Takes private messages.
        PrivateMessaging = "PrivateMessaging",
        /// On the member list; read-only.
        IsMember = "IsMember",
        /// Role; read-only.
        PrivilegeLevel = "PrivilegeLevel",
        /// Joined at login.
        AutoJoin = "AutoJoin",
        /// Since 1.2: address shown.
        ShowId = "ShowID",
        /// Preferred screen name.
        ScreenName = "ScreenName",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screen_names_are_compared_without_case_and_shown_as_given() {
        let name = ScreenName::new("  Anna Ö ").unwrap();
        assert_eq!(name.as_str(), "Anna Ö");
        assert_eq!(name, ScreenName::new("anna ö").unwrap());
        assert_ne!(name, ScreenName::new("anna").unwrap());
        for bad in ["", "   ", "a\nb", &"x".repeat(51)] {
            assert!(ScreenName::new(bad).is_none(), "{bad:?}");
        }
        assert!(ScreenName::new(&"ö".repeat(50)).is_some());
    }

    #[test]
    fn names_are_read_in_any_case() {
        // data-types 4: XML of 1.1 and 1.2 has Accesstype.
        assert_eq!(
            GroupProperty::parse("Accesstype"),
            Some(GroupProperty::AccessType)
        );
        assert_eq!(OwnProperty::parse("SHOWID"), Some(OwnProperty::ShowId));
        assert_eq!(GroupProperty::parse("IsMember"), None);
        for (text, role) in [
            ("US", Some(Role::User)),
            ("user", Some(Role::User)),
            ("MOD", Some(Role::Moderator)),
            ("Admin", Some(Role::Admin)),
            ("owner", None),
        ] {
            assert_eq!(Role::parse(text), role, "{text}");
        }
        assert!(Role::User < Role::Moderator && Role::Moderator < Role::Admin);
    }
}
