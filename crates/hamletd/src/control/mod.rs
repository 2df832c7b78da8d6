//! The control socket: how `hamletd user …` and its like reach the running server.
//!
//! A Unix socket in the data directory; JSON, one request a line, one answer a line. Only the
//! server's own user and root get an answer.

mod client;
mod listener;

pub use client::{Connection, ControlError};
pub use listener::Control;

use hamlet_model::{MessageParty, Timestamp, UserProfileChange};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Longest request, octets with the line end.
pub const MAX_REQUEST: usize = 16 << 10;

/// Longest answer, octets with the line end.
pub const MAX_ANSWER: usize = 4 << 20;

/// Most entries of a listing in one answer; the rest is asked for with `after`.
pub const PAGE: usize = 1000;

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Make an account.
    UserAdd {
        /// Address.
        user: String,
        /// Password.
        password: String,
    },
    /// List accounts in the order of their addresses.
    UserList {
        /// Begin after this one.
        after: Option<String>,
    },
    /// Replace a password and end the user's sessions.
    UserPasswd {
        /// Address.
        user: String,
        /// The new password.
        password: String,
    },
    /// Let a user log in again.
    UserEnable {
        /// Address.
        user: String,
    },
    /// Keep a user out and end his sessions.
    UserDisable {
        /// Address.
        user: String,
    },
    /// Delete an account, its belongings and its sessions.
    UserDelete {
        /// Address.
        user: String,
    },
    /// Add and remove telephone numbers of an account, and list what it has then.
    UserMsisdn {
        /// Address.
        user: String,
        /// To add.
        add: Vec<String>,
        /// To remove.
        remove: Vec<String>,
    },
    /// Show or change what the mobile network says of a user.
    UserNetwork {
        /// Address.
        user: String,
        /// `FIELD=VALUE`, in the order in which they are to be set.
        fields: Vec<String>,
    },
    /// Make an invitation code.
    InvitationCodeAdd {
        /// How many users may register with it.
        uses: u32,
        /// For how many days it is good.
        days: u32,
    },
    /// List invitation codes in the order of their texts.
    InvitationCodeList {
        /// Begin after this one.
        after: Option<String>,
    },
    /// Delete an invitation code.
    InvitationCodeDelete {
        /// The code.
        code: String,
    },
    /// Show a profile.
    UserShow {
        /// Address.
        user: String,
    },
    /// Change a profile.
    UserSet {
        /// Address.
        user: String,
        /// `FIELD=VALUE`, in the order in which they are to be set.
        fields: Vec<String>,
    },
    /// Show a user profile.
    UserProfileShow {
        /// Address.
        user: String,
    },
    /// Change a user profile.
    UserProfileSet {
        /// Address.
        user: String,
        /// The changes.
        change: UserProfileChange,
        /// Whether searches find him.
        findable: Option<bool>,
    },
    /// Register an application.
    AppAdd {
        /// ApplicationID.
        id: String,
        /// Its account, if not the identifier in this domain.
        account: Option<String>,
        /// Password of the account.
        password: String,
        /// Everything else.
        settings: AppSettings,
    },
    /// List applications in the order of their identifiers.
    AppList {
        /// Begin after this one.
        after: Option<String>,
    },
    /// Show an application and the users that it may act for.
    AppShow {
        /// ApplicationID.
        id: String,
    },
    /// Change an application.
    AppSet {
        /// ApplicationID.
        id: String,
        /// What is changed.
        settings: AppSettings,
        /// Users that it may act for.
        grant: Vec<String>,
        /// Users that it may not act for any more.
        revoke: Vec<String>,
    },
    /// Remove an application with its account.
    AppDelete {
        /// ApplicationID.
        id: String,
    },
    /// Make a public group.
    GroupCreate {
        /// Address.
        group: String,
        /// Its properties.
        properties: Vec<(String, String)>,
        /// Its administrators.
        admins: Vec<String>,
    },
    /// List groups in the order of their addresses.
    GroupList {
        /// Begin after this one.
        after: Option<String>,
    },
    /// Show a group with its members.
    GroupShow {
        /// Address.
        group: String,
    },
    /// Change properties of a group.
    GroupSet {
        /// Address.
        group: String,
        /// The properties.
        properties: Vec<(String, String)>,
    },
    /// Make a user a member, or no member any more.
    GroupMember {
        /// Address.
        group: String,
        /// The user.
        user: String,
        /// PrivilegeLevel; nothing for no member.
        role: Option<String>,
    },
    /// Keep a user out of a group, or let him in again.
    GroupReject {
        /// Address.
        group: String,
        /// The user.
        user: String,
        /// Out.
        out: bool,
    },
    /// Say something in the name of a group.
    GroupAnnounce {
        /// Address.
        group: String,
        /// What is said.
        text: String,
    },
    /// Delete a group.
    GroupDelete {
        /// Address.
        group: String,
    },
    /// List sessions in the order of their identifiers.
    SessionList {
        /// Begin after this one.
        after: Option<String>,
    },
    /// End a session or all sessions of a user.
    SessionEnd {
        /// Session-ID or address.
        which: String,
    },
    /// Send a system message.
    SystemMessageSend {
        /// What it says and asks.
        message: SystemMessageDraft,
        /// For whom.
        to: SystemMessageTo,
    },
    /// Send a system message to more users.
    SystemMessageAdd {
        /// Its number.
        number: i64,
        /// Addresses.
        users: Vec<String>,
    },
    /// List system messages in the order of their numbers.
    SystemMessageList {
        /// Begin after this one.
        after: Option<i64>,
    },
    /// Show a system message with its users in the order of their addresses.
    SystemMessageShow {
        /// Its number.
        number: i64,
        /// Begin after this user.
        after: Option<String>,
    },
    /// Let nobody get a system message any more.
    SystemMessageCancel {
        /// Its number.
        number: i64,
    },
    /// Announce a message that waits in another system.
    OutsideAnnounce {
        /// Address of the user.
        user: String,
        /// What is said of it.
        message: OutsideDraft,
    },
    /// List the messages of other systems that wait for a user.
    OutsideList {
        /// Address of the user.
        user: String,
    },
    /// Withdraw a message of another system.
    OutsideWithdraw {
        /// Address of the user.
        user: String,
        /// MessageID.
        id: String,
    },
    /// Figures.
    Stats,
}

/// A message of another system as it is announced (csp-im 7.7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideDraft {
    /// How the gateway names it; announced again under this name it is the same message.
    pub id: Option<String>,
    /// Address of the sender.
    pub sender: String,
    /// Where the user finds it.
    pub uri: String,
    /// Its MIME type.
    pub content_type: Option<String>,
    /// Its size, octets.
    pub size: u32,
    /// Its subject, or the name of its file.
    pub name: Option<String>,
    /// For how many hours it is worth telling of it.
    pub hours: u32,
}

/// A system message as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemMessageDraft {
    /// What it says.
    pub text: String,
    /// What can be chosen.
    pub options: Vec<String>,
    /// What can be chosen to be kept out; numbered after the others.
    pub refusals: Vec<String>,
    /// A question with only one right answer.
    pub question: Option<String>,
    /// The address of a picture that shows the right answer.
    pub picture: Option<String>,
    /// The right answer.
    pub key: Option<String>,
    /// Who gets it has to answer.
    pub must_answer: bool,
    /// It comes with the login; who has to answer does not get in before.
    pub at_login: bool,
    /// Clients that know no system messages get it as a message from this user.
    pub message_from: Option<String>,
    /// For how many days it is good.
    pub days: u32,
}

/// For whom a system message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemMessageTo {
    /// All users, also those who register later.
    Everyone,
    /// All users who have a session.
    Online,
    /// These addresses.
    Users(Vec<String>),
}

/// What can be said of an application; `None` is the usual or stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSettings {
    /// Whether anybody may use it.
    pub active: Option<bool>,
    /// Names of services.
    pub services: Option<Vec<String>>,
    /// Every user may use it with his own password.
    pub open: Option<bool>,
    /// It may read and change user profiles.
    pub profiles: Option<bool>,
    /// Applications whose users may address it.
    pub peers: Option<Vec<String>>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// It has been done.
    Done {
        /// What, for people.
        text: String,
    },
    /// It has not been done.
    Failed {
        /// Why, for people.
        text: String,
    },
    /// Some accounts.
    Users {
        /// At most [`PAGE`].
        users: Vec<UserEntry>,
        /// Whether there may be more after the last.
        more: bool,
    },
    /// Some invitation codes.
    InvitationCodes {
        /// At most [`PAGE`].
        codes: Vec<InvitationCodeEntry>,
        /// Whether there may be more after the last.
        more: bool,
    },
    /// Some applications.
    Apps {
        /// At most [`PAGE`]: identifier, account, and whether it is active.
        apps: Vec<(String, String, bool)>,
        /// Whether there may be more after the last.
        more: bool,
    },
    /// Some groups.
    Groups {
        /// At most [`PAGE`].
        groups: Vec<GroupEntry>,
        /// Whether there may be more after the last.
        more: bool,
    },
    /// Some sessions.
    Sessions {
        /// At most [`PAGE`].
        sessions: Vec<SessionEntry>,
        /// Whether there may be more after the last.
        more: bool,
    },
    /// A system message has been sent.
    SystemMessageSent {
        /// Its number.
        number: i64,
        /// To whom, for people.
        text: String,
    },
    /// Some system messages.
    SystemMessages {
        /// At most [`PAGE`].
        messages: Vec<SystemMessageEntry>,
        /// Whether there may be more after the last.
        more: bool,
    },
    /// A system message with some of its users.
    SystemMessage {
        /// The message.
        message: SystemMessageEntry,
        /// What can be chosen, in the order of the numbers.
        options: Vec<String>,
        /// At most [`PAGE`].
        users: Vec<SystemMessageUserEntry>,
        /// Whether there may be more after the last.
        more: bool,
    },
    /// Messages of other systems that wait for a user.
    OutsideMessages {
        /// Oldest first.
        messages: Vec<OutsideEntry>,
    },
    /// A profile.
    Profile {
        /// Fields that are set, with their values.
        fields: Vec<(String, String)>,
    },
    /// Figures by name.
    Stats {
        /// In the order in which they are to be shown.
        figures: Vec<(String, u64)>,
    },
}

impl Answer {
    /// A failure with a reason.
    pub fn failed(text: impl ToString) -> Self {
        Self::Failed {
            text: text.to_string(),
        }
    }
}

/// An account in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserEntry {
    /// Address.
    pub user: String,
    /// Whether he may log in.
    pub active: bool,
    /// When the account was made.
    pub created: Timestamp,
}

/// An invitation code in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationCodeEntry {
    /// The code.
    pub code: String,
    /// How many users may still register with it.
    pub uses: u32,
    /// From when it is worth nothing.
    pub expires: Timestamp,
}

/// A group of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEntry {
    /// Its address.
    pub group: String,
    /// Its name.
    pub name: String,
    /// How many are members.
    pub members: usize,
    /// How many clients are joined.
    pub joined: usize,
}

/// A system message in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemMessageEntry {
    /// Its number.
    pub number: i64,
    /// What it says.
    pub text: String,
    /// It is for all users.
    pub everyone: bool,
    /// When it was sent.
    pub created: Timestamp,
    /// From when nobody gets it any more.
    pub expires: Timestamp,
    /// How many users are in which state.
    pub states: Vec<(String, u64)>,
}

/// A user of a system message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemMessageUserEntry {
    /// Address.
    pub user: String,
    /// waiting, shown, answered or delivered.
    pub state: String,
    /// The number of the option that he chose.
    pub choice: Option<u32>,
    /// Since when.
    pub changed: Timestamp,
}

/// A message of another system in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideEntry {
    /// MessageID.
    pub id: String,
    /// Address of the sender.
    pub sender: String,
    /// Where the user finds it.
    pub uri: String,
    /// Its MIME type.
    pub content_type: String,
    /// Its size, octets.
    pub size: u64,
    /// Its subject, or the name of its file.
    pub name: Option<String>,
    /// From when nobody is told of it any more.
    pub expires: Timestamp,
}

impl From<hamlet_model::Message> for OutsideEntry {
    fn from(message: hamlet_model::Message) -> Self {
        Self {
            id: message.id.to_string(),
            sender: match &message.sender {
                MessageParty::User { user, .. } => user.to_string(),
                MessageParty::Group(group) | MessageParty::ScreenName { group, .. } => {
                    group.to_string()
                }
            },
            content_type: message.content.media_type(),
            size: message.content_size() as u64,
            uri: message.uri.unwrap_or_default(),
            name: message.content_name,
            expires: message.expires,
        }
    }
}

/// A session in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    /// Session-ID. Who knows it can act as the user.
    pub id: String,
    /// Address of the user.
    pub user: String,
    /// The client, as one text of its own choice.
    pub client: String,
    /// 1.1, 1.2 or 1.3.
    pub version: String,
    /// What the client says that it is.
    pub user_agent: Option<String>,
    /// When it began.
    pub created: Timestamp,
    /// When the client was last heard of.
    pub seen: Timestamp,
    /// The CIR channel that is open: STCP, SUDP or SHTTP.
    #[serde(default)]
    pub cir: Option<String>,
    /// Messages and reports that wait for the user.
    pub waiting: u64,
}

/// A path to a socket that fits into the kernel's 108 octets also when the directory's own
/// path is long; the directory is held open for as long as the path is used.
struct SocketPath {
    path: PathBuf,
    _directory: Option<std::fs::File>,
}

impl SocketPath {
    fn new(path: &Path) -> std::io::Result<Self> {
        use std::os::fd::AsRawFd as _;
        const LONGEST: usize = 107;
        let parts = (path.parent(), path.file_name());
        let (Some(parent), Some(name)) = parts else {
            return Err(std::io::ErrorKind::InvalidInput.into());
        };
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self {
                path: path.to_owned(),
                _directory: None,
            });
        }
        let directory = std::fs::File::open(parent)?;
        let through = format!("/proc/self/fd/{}", directory.as_raw_fd());
        Ok(Self {
            path: Path::new(&through).join(name),
            _directory: Some(directory),
        })
    }
}
