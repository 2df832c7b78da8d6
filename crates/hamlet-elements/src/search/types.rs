//! What is asked of the search and answered (csp-access 9).

use hamlet_model::{GroupId, UserId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

macro_rules! search_elements {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a search pair is about (data-types 5).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum SearchElement { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl SearchElement {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in the protocol.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

search_elements! {
    /// Part of the address.
    UserId = "USER_ID",
    /// Part of the first name.
    UserFirstName = "USER_FIRST_NAME",
    /// Part of the last name.
    UserLastName = "USER_LAST_NAME",
    /// The e-mail address.
    UserEmailAddress = "USER_EMAIL_ADDRESS",
    /// Part of the presence attribute Alias.
    UserAlias = "USER_ALIAS",
    /// Whether the user is online, as far as the requestor may know.
    UserOnlineStatus = "USER_ONLINE_STATUS",
    /// The phone number.
    UserMobileNumber = "USER_MOBILE_NUMBER",
    /// Part of the group's address.
    GroupId = "GROUP_ID",
    /// Part of the group's name.
    GroupName = "GROUP_NAME",
    /// Part of the group's topic.
    GroupTopic = "GROUP_TOPIC",
    /// Groups that the user is joined to.
    GroupUserIdJoined = "GROUP_USER_ID_JOINED",
    /// Groups that the user owns.
    GroupUserIdOwner = "GROUP_USER_ID_OWNER",
    /// Groups that the user joins automatically (1.2).
    GroupUserIdAutojoin = "GROUP_USER_ID_AUTOJOIN",
    /// Least age (1.3).
    UserAgeMin = "USER_AGE_MIN",
    /// Largest age (1.3).
    UserAgeMax = "USER_AGE_MAX",
    /// Part of the city (1.3).
    UserCity = "USER_CITY",
    /// Part of the country (1.3).
    UserCountry = "USER_COUNTRY",
    /// Part of the friendly name (1.3).
    UserFriendlyName = "USER_FRIENDLY_NAME",
    /// Gender (1.3).
    UserGender = "USER_GENDER",
    /// Part of the intention (1.3).
    UserIntention = "USER_INTENTION",
    /// Part of interests and hobbies (1.3).
    UserInterestsHobbies = "USER_INTERESTS_HOBBIES",
    /// Marital status (1.3).
    UserMaritalStatus = "USER_MARITAL_STATUS",
}

impl SearchElement {
    /// Whether it finds groups, not users.
    pub fn finds_groups(self) -> bool {
        self.as_str().starts_with("GROUP_")
    }
}

/// The element of a pair, as far as it is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NamedElement {
    /// One of those that there are.
    Known(SearchElement),
    /// Anything else, as it was written.
    Unknown(String),
}

/// A criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPair {
    /// What it is about.
    pub element: NamedElement,
    /// What it has to be.
    pub string: String,
    /// Its number for the expression (1.3).
    pub id: Option<u32>,
}

/// How much is told at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageSize {
    /// Most hits; `None` for the usual number.
    pub hits: Option<u32>,
    /// What the client can take, octets; a page has one hit at least.
    pub octets: Option<usize>,
}

/// A new search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The criteria; all must hold, unless there is an expression.
    pub pairs: Vec<SearchPair>,
    /// How the pairs are combined (csp-access 9.3).
    pub expression: Option<String>,
    /// The size of its pages.
    pub page: PageSize,
}

/// Asks for more of what a search has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContinueSearch {
    /// Which search.
    pub id: u32,
    /// From which hit on, by the rule of csp-access 9.2; `None` to go on.
    pub index: Option<u32>,
    /// The size of the page, where it differs from the first.
    pub page: PageSize,
}

/// Ends a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopSearch {
    /// Which search.
    pub id: u32,
}

/// A part of what a search has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The search; `None` when all is told at once and nothing can follow.
    pub id: Option<u32>,
    /// How many hits there are.
    pub findings: u32,
    /// The number of the last hit in this page, from 1; 0 if there is none.
    pub index: u32,
    /// These were the last ones.
    pub complete: bool,
    /// The hits.
    pub hits: Hits,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hits {
    /// Users.
    Users(Vec<FoundUser>),
    /// Groups.
    Groups(Vec<GroupId>),
}

/// A user who was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundUser {
    /// The user.
    pub user: UserId,
    /// His friendly name.
    pub friendly_name: Option<String>,
}

/// Limits (csp-access 9.2).
#[derive(Debug, Clone)]
pub struct SearchConfig {
    /// Hits in a page when the client does not say.
    pub default_page: u32,
    /// Most hits in a page.
    pub max_page: u32,
    /// Most hits of a search.
    pub max_results: usize,
    /// A search that finds more is cut, instead of being refused (536).
    pub cut_at_limit: bool,
    /// Fewest characters of a string that may be part of something (537).
    pub min_length: usize,
    /// How long a search may take (535).
    pub time_limit: Duration,
    /// How long what was found is kept after it was last asked for.
    pub keep: Duration,
    /// Searches of a session that are kept, and that may run, at a time.
    pub max_per_session: usize,
    /// Searches that run at a time; others wait.
    pub max_running: usize,
    /// Most pairs of a search.
    pub max_pairs: usize,
    /// Parts of e-mail addresses and phone numbers find too, not only the whole.
    pub partial_contact_data: bool,
    /// Digits that complete local phone numbers; empty when there are none.
    pub country_code: String,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            default_page: 5,
            max_page: 50,
            max_results: 1000,
            cut_at_limit: false,
            min_length: 2,
            time_limit: Duration::from_secs(5),
            keep: Duration::from_secs(300),
            max_per_session: 3,
            max_running: 2,
            max_pairs: 20,
            partial_contact_data: false,
            country_code: String::new(),
        }
    }
}
