//! What goes over the API.

use crate::operations::{AccountDetails, Page};
use hamlet_model::{Profile, ProfileField, Timestamp};
use hamlet_sap::SessionSummary;
use hamlet_sap::journal::iso;
use hamlet_store::{Account, AccountStatus, InvitationCode};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// Address.
    #[schema(example = "wv:alice@example.org")]
    user: String,
    /// Whether he may log in.
    active: bool,
    /// When the account was made.
    #[schema(format = DateTime)]
    created: String,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            user: account.user.to_string(),
            active: account.status == AccountStatus::Active,
            created: iso(account.created),
        }
    }
}

/// An account with what belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserDetails {
    /// Address.
    #[schema(example = "wv:alice@example.org")]
    user: String,
    /// Whether he may log in.
    active: bool,
    /// When the account was made.
    #[schema(format = DateTime)]
    created: String,
    /// His telephone numbers, in international form.
    msisdns: Vec<String>,
    /// How many sessions he has.
    sessions: usize,
}

impl From<AccountDetails> for UserDetails {
    fn from(details: AccountDetails) -> Self {
        let User {
            user,
            active,
            created,
        } = details.account.into();
        Self {
            user,
            active,
            created,
            msisdns: details.msisdns.iter().map(ToString::to_string).collect(),
            sessions: details.sessions,
        }
    }
}

/// Some accounts, in the order of their addresses.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserList {
    users: Vec<User>,
    /// Where the next page begins; null after the last one.
    next: Option<String>,
}

impl From<Page<Account>> for UserList {
    fn from(page: Page<Account>) -> Self {
        let next = next(&page, |account| account.user.to_string());
        Self {
            users: page.entries.into_iter().map(Into::into).collect(),
            next,
        }
    }
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Address; the domain may be left out.
    #[schema(example = "wv:alice@example.org")]
    pub user: String,
    /// At most 255 characters, none of them a control character.
    pub password: String,
}

/// What is to become of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Whether he may log in. His sessions end when he may not.
    pub active: bool,
}

/// A password to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// At most 255 characters, none of them a control character.
    pub password: String,
}

/// What ended with it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ended {
    /// How many sessions have ended.
    pub sessions_ended: usize,
}

/// Telephone numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Msisdns {
    /// In international form.
    #[schema(example = json!(["+358501234567"]))]
    pub msisdns: Vec<String>,
}

/// Numbers to be added and removed, all of them or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MsisdnChange {
    /// In international form.
    #[serde(default)]
    #[schema(example = json!(["+358501234567"]))]
    pub add: Vec<String>,
    /// In international form.
    #[serde(default)]
    pub remove: Vec<String>,
}

macro_rules! profile {
    ($($(#[$doc:meta])* $name:ident: $field:ident,)*) => {
        /// What others read of a user and find him by; null is what is not said. First and last
        /// name, e-mail address and telephone number are searched and never shown.
        #[derive(Debug, Serialize, ToSchema)]
        #[schema(as = Profile)]
        pub struct ProfileBody {
            $($(#[$doc])* $name: Option<String>,)*
            /// Years.
            age: Option<u32>,
            /// Whether searches find him.
            findable: bool,
        }

        /// Changes of a profile: what is not named stays, null removes.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct ProfileChange {
            $(
                $(#[$doc])*
                #[serde(default, deserialize_with = "given")]
                #[schema(value_type = Option<String>)]
                $name: Option<Option<String>>,
            )*
            /// Years.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = Option<u32>)]
            age: Option<Option<u32>>,
            /// Whether searches find him.
            findable: Option<bool>,
        }

        impl From<Profile> for ProfileBody {
            fn from(profile: Profile) -> Self {
                Self {
                    $($name: profile.get(ProfileField::$field),)*
                    age: profile.age,
                    findable: !profile.unfindable,
                }
            }
        }

        impl ProfileChange {
            /// Names of fields with their new values.
            pub fn changes(self) -> Vec<(String, String)> {
                let mut changes = Vec::new();
                let mut change = |field: ProfileField, value: String| {
                    changes.push((field.name().to_owned(), value));
                };
                $(if let Some(value) = self.$name {
                    change(ProfileField::$field, value.unwrap_or_default());
                })*
                if let Some(age) = self.age {
                    let age = age.map_or_else(String::new, |age| age.to_string());
                    change(ProfileField::Age, age);
                }
                if let Some(findable) = self.findable {
                    let findable = if findable { "yes" } else { "no" };
                    change(ProfileField::Findable, findable.to_owned());
                }
                changes
            }
        }
    };
}

profile! {
    /// The name that others see.
    friendly_name: FriendlyName,
    /// M (male), F (female) or U (undisclosed).
    gender: Gender,
    /// C (cohabitant), D (divorced), E (engaged), M (married), S (single), U (undisclosed) or
    /// W (widowed).
    marital_status: MaritalStatus,
    /// ISO 3166 code, or a text.
    country: Country,
    /// Town.
    city: City,
    /// What he looks for.
    intention: Intention,
    /// Interests and hobbies.
    interests: Interests,
    /// Anything.
    free_text: FreeText,
    /// First name; searched, never shown.
    first_name: FirstName,
    /// Last name; searched, never shown.
    last_name: LastName,
    /// E-mail address; searched, never shown.
    email: Email,
    /// Telephone number; searched, never shown.
    mobile: Mobile,
}

/// Tells null from what is not there.
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// A session of a client.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// SessionID. Who knows it can act as the user.
    id: String,
    /// Address of the user.
    user: String,
    /// The client, as one text of its own choice.
    client: String,
    /// Version of CSP.
    #[schema(example = "1.3")]
    version: String,
    /// What the client says that it is.
    user_agent: Option<String>,
    /// When it began.
    #[schema(format = DateTime)]
    created: String,
    /// When the client was last heard of.
    #[schema(format = DateTime)]
    seen: String,
    /// When it ends unless the client is heard of.
    #[schema(format = DateTime)]
    expires: String,
    /// The wake-up channel that is open: STCP, SUDP or SHTTP.
    cir: Option<String>,
    /// Messages and reports that wait for the user.
    waiting: usize,
}

impl From<SessionSummary> for Session {
    fn from(session: SessionSummary) -> Self {
        Self {
            id: session.id.to_string(),
            user: session.user.to_string(),
            client: session.client,
            version: session.version.to_owned(),
            user_agent: session.user_agent,
            created: iso(session.created),
            seen: iso(session.seen),
            expires: iso(session.expires),
            cir: session.cir.map(str::to_owned),
            waiting: session.waiting,
        }
    }
}

/// Some sessions, in the order of their identifiers.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    sessions: Vec<Session>,
    /// Where the next page begins; null after the last one.
    next: Option<String>,
}

impl From<Page<SessionSummary>> for SessionList {
    fn from(page: Page<SessionSummary>) -> Self {
        let next = next(&page, |session| session.id.to_string());
        Self {
            sessions: page.entries.into_iter().map(Into::into).collect(),
            next,
        }
    }
}

/// A code with which new users may register.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvitationCode)]
pub struct Code {
    code: String,
    /// How many users may still register with it.
    uses: u32,
    /// When it was made.
    #[schema(format = DateTime)]
    created: String,
    /// From when it is worth nothing.
    #[schema(format = DateTime)]
    expires: String,
}

impl From<InvitationCode> for Code {
    fn from(code: InvitationCode) -> Self {
        let time = |time: Timestamp| iso(time);
        Self {
            uses: code.uses,
            created: time(code.created),
            expires: time(code.expires),
            code: code.code,
        }
    }
}

/// Some codes, in the order of their texts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvitationCodeList)]
pub struct CodeList {
    codes: Vec<Code>,
    /// Where the next page begins; null after the last one.
    next: Option<String>,
}

impl From<Page<InvitationCode>> for CodeList {
    fn from(page: Page<InvitationCode>) -> Self {
        let next = next(&page, |code| code.code.clone());
        Self {
            codes: page.entries.into_iter().map(Into::into).collect(),
            next,
        }
    }
}

/// A code to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitationCode)]
pub struct NewCode {
    /// How many users may register with it.
    #[serde(default = "one")]
    #[schema(default = 1, minimum = 1)]
    pub uses: u32,
    /// For how many days it is good.
    #[serde(default = "month")]
    #[schema(default = 30, minimum = 1)]
    pub days: u32,
}

fn one() -> u32 {
    1
}

fn month() -> u32 {
    30
}

/// Figures by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    #[schema(example = json!({"accounts": 2, "sessions": 1}))]
    pub figures: std::collections::BTreeMap<String, u64>,
}

fn next<T>(page: &Page<T>, name: impl Fn(&T) -> String) -> Option<String> {
    page.entries.last().filter(|_| page.more).map(name)
}
