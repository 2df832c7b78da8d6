//! Status codes (docs/protocol/status-codes.tsv).

use serde::{Deserialize, Serialize};
use std::fmt;

/// A three-digit status code of a Result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusCode(pub u16);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl StatusCode {
            $($(#[$doc])* #[doc = $text] pub const $name: Self = Self($code);)*

            /// A short English text for the code, for Result/Description.
            pub fn description(self) -> &'static str {
                match self.0 {
                    $($code => $text,)*
                    _ => "Error",
                }
            }
        }
    };
}

codes! {
    OK = 200, "Successful";
    PARTIAL_SUCCESS = 201, "Partially successful";
    ACCEPTED = 202, "Accepted";
    BAD_REQUEST = 400, "Bad request";
    UNAUTHORIZED = 401, "Unauthorized";
    BAD_PARAMETER = 402, "Bad parameter";
    FORBIDDEN = 403, "Forbidden";
    NOT_FOUND = 404, "Not found";
    SERVICE_NOT_SUPPORTED = 405, "Service not supported";
    INVALID_PASSWORD = 409, "Invalid password";
    UNABLE_TO_DELIVER = 410, "Unable to deliver";
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported media type";
    INVALID_TRANSACTION_ID = 420, "Invalid transaction ID";
    USER_CLIENT_MISMATCH = 422, "User ID and client ID do not match";
    INVALID_INVITATION_ID = 423, "Invalid invitation ID";
    INVALID_SEARCH_ID = 424, "Invalid search ID";
    INVALID_SEARCH_INDEX = 425, "Invalid search index";
    INVALID_MESSAGE_ID = 426, "Invalid message ID";
    INVALID_USER_ID = 427, "Invalid user ID";
    CLIENT_ID_MISMATCH = 428, "Client ID mismatch";
    INVALID_GROUP_ID = 429, "Invalid or missing group ID";
    RESPONSE_TOO_LARGE = 432, "Response too large";
    INVALID_APPLICATION_ID = 450, "Invalid application ID";
    INTERNAL_ERROR = 500, "Internal server error";
    NOT_IMPLEMENTED = 501, "Not implemented";
    SESSION_NOT_RECOVERED = 502, "Session could not be recovered";
    SERVICE_UNAVAILABLE = 503, "Service unavailable";
    TIMEOUT = 504, "Timeout";
    VERSION_NOT_SUPPORTED = 505, "Version not supported";
    SERVICE_NOT_AGREED = 506, "Service not agreed";
    MESSAGE_QUEUE_FULL = 507, "Message queue is full";
    DOMAIN_NOT_SUPPORTED = 516, "Domain not supported";
    UNKNOWN_USER = 531, "Unknown user";
    BLOCKED = 532, "Recipient blocked the sender";
    NOT_LOGGED_IN = 533, "Recipient is not logged in";
    RECIPIENT_UNAUTHORIZED = 534, "Message recipient unauthorized";
    SEARCH_TIMED_OUT = 535, "Search timed out";
    TOO_MANY_HITS = 536, "Too many hits";
    TOO_BROAD = 537, "Too broad search criteria";
    MESSAGE_REJECTED = 538, "Message has been rejected";
    MESSAGE_FORWARDED = 541, "Message forwarded";
    MESSAGE_EXPIRED = 542, "Message expired";
    NO_DIGEST_SCHEMA = 543, "No matching digest scheme supported";
    INVALID_SEARCH = 562, "Invalid search request";
    SESSION_EXPIRED = 600, "Session expired";
    FORCED_LOGOUT = 601, "Forced logout";
    ALREADY_LOGGED_IN = 603, "Already logged in";
    INVALID_SESSION = 604, "Invalid session";
    NEW_VALUE_NOT_ACCEPTED = 605, "New value not accepted";
    NO_SUCH_CONTACT_LIST = 700, "Contact list does not exist";
    CONTACT_LIST_EXISTS = 701, "Contact list already exists";
    INVALID_USER_PROPERTY = 702, "Invalid or unsupported user properties";
    INVALID_PRESENCE_ATTRIBUTE = 750, "Invalid or unsupported presence attribute";
    INVALID_PRESENCE_VALUE = 751, "Invalid or unsupported presence value";
    INVALID_LIST_PROPERTY = 752, "Invalid or unsupported contact list property";
    TOO_MANY_LISTS = 753, "Maximum number of contact lists reached";
    TOO_MANY_CONTACTS = 754, "Maximum number of contacts reached";
    TOO_MANY_ATTRIBUTE_LISTS = 755, "Maximum number of attribute lists reached";
    NO_SUCH_GROUP = 800, "Group does not exist";
    GROUP_EXISTS = 801, "Group already exists";
    GROUP_IS_OPEN = 802, "Group is open";
    GROUP_IS_RESTRICTED = 803, "Group is restricted";
    GROUP_IS_PUBLIC = 804, "Group is public";
    GROUP_IS_PRIVATE = 805, "Group is private";
    INVALID_GROUP_PROPERTY = 806, "Invalid or unsupported group properties";
    ALREADY_JOINED = 807, "Group is already joined";
    NOT_JOINED = 808, "Group is not joined";
    REJECTED = 809, "Rejected from the group";
    NOT_A_MEMBER = 810, "Not a member of the group";
    SCREEN_NAME_IN_USE = 811, "Screen name already in use";
    NO_PRIVATE_MESSAGES = 812, "Private messaging is disabled for the group";
    USER_TAKES_NO_PRIVATE_MESSAGES = 813, "Private messaging is disabled for the user";
    TOO_MANY_GROUPS = 814, "Maximum number of groups of the user reached";
    SERVER_HAS_TOO_MANY_GROUPS = 815, "Maximum number of groups of the server reached";
    INSUFFICIENT_GROUP_RIGHTS = 816, "Insufficient group privileges";
    GROUP_IS_FULL = 817, "Maximum number of joined users reached";
    NO_HISTORY = 821, "History is not supported";
    NOT_SEARCHABLE = 822, "A searchable group needs a name or a topic";
    LEFT_BY_SESSION_END = 824, "Left because the session ended";
    MULTIPLE_ERRORS = 900, "Multiple errors";
    ADDRESS_ERROR = 901, "General address error";
    MSISDN_ERROR = 920, "MSISDN error";
}

impl StatusCode {
    /// 200, 201 and 202.
    pub fn is_success(self) -> bool {
        (200..300).contains(&self.0)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
