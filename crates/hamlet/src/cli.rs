//! What the command line can say.

use clap::{Args, Parser, Subcommand, ValueEnum};
use hamlet_client::{AttributeName, Availability, Digest, Mood, Syntax, Version};
use std::path::PathBuf;
use std::time::Duration;

/// A client of the Client-Server Protocol (OMA IMPS, Wireless Village) for the terminal.
#[derive(Debug, Parser)]
#[command(name = "hamlet", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub account: Account,
    #[command(subcommand)]
    pub command: Command,
}

/// Which server, who, and how to speak to it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server and account")]
pub struct Account {
    /// The server's URL
    #[arg(long, global = true, default_value = "http://127.0.0.1:8080/")]
    pub server: String,
    /// The account, such as wv:alice@localhost
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub user: Option<String>,
    /// The password; else the environment variable HAMLET_PASSWORD
    #[arg(long, global = true)]
    pub password: Option<String>,
    /// CSP version: 1.1, 1.2 or 1.3 [default: 1.3]
    #[arg(long, global = true, value_parser = version, value_name = "VERSION")]
    pub csp: Option<Version>,
    /// How messages are written [default: wbxml]
    #[arg(long, global = true)]
    pub syntax: Option<SyntaxName>,
    /// Login digest: sha, md5, md4, pwd, or none for a login in two steps; repeat it to offer
    /// several [default: none over TLS and to this machine, else sha and md5]
    #[arg(long, global = true, value_name = "SCHEMA")]
    pub digest: Vec<DigestName>,
    /// Which client of the user this is
    #[arg(long, global = true, default_value = "hamlet", value_name = "TEXT")]
    pub client_id: String,
    /// Trust the certificates of this PEM file too
    #[arg(long, global = true, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Poll at this interval, seconds, not at the one that the server wants
    #[arg(long, global = true, value_parser = seconds, value_name = "SECONDS")]
    pub poll_every: Option<Duration>,
    /// Longest wait for an answer, seconds
    #[arg(long, global = true, default_value = "45", value_parser = seconds, value_name = "SECONDS")]
    pub answer_timeout: Duration,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in, print what was agreed, log out
    Login,
    /// Send a message
    Send(Send),
    /// Print the messages that wait, invitations, and who asks to see your presence
    Receive(Receive),
    /// List, fetch, reject or forward messages that wait
    #[command(subcommand)]
    Waiting(Waiting),
    /// Show, publish or watch presence, and say who may see it
    #[command(subcommand)]
    Presence(Presence),
    /// Show and change contact lists
    #[command(subcommand)]
    Contacts(Contacts),
    /// Answer invitations, which `receive` shows
    #[command(subcommand)]
    Invitation(Invitations),
    /// Make, join and show groups
    #[command(subcommand)]
    Group(Groups),
    /// Keep a file in the server's content store and invite others to fetch it
    Share(Share),
    /// Convert a message from standard input to standard output
    Convert(Convert),
    /// Play a trace file of a server against a server and compare the answers
    Replay(Replay),
    /// Measure a server under load
    Bench(Bench),
    /// Answer requests with recorded bytes, for `bench --baseline`
    #[command(hide = true)]
    BenchBare(BenchBare),
}

#[derive(Debug, Args)]
pub struct Send {
    /// Address of the recipient
    pub to: String,
    /// The text; `-` reads it from standard input
    pub text: String,
    /// TO is an own contact list
    #[arg(long, conflicts_with = "group")]
    pub list: bool,
    /// TO is a group
    #[arg(long)]
    pub group: bool,
    /// Ask for a delivery report and wait for it
    #[arg(long)]
    pub report: bool,
    /// How long to wait for the delivery report, seconds
    #[arg(long, default_value = "30", value_parser = seconds, value_name = "SECONDS")]
    pub wait: Duration,
    /// How long the message is worth delivering, seconds
    #[arg(long, value_parser = seconds, value_name = "SECONDS")]
    pub validity: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct Receive {
    /// Go on until interrupted
    #[arg(long, conflicts_with_all = ["count", "timeout"])]
    pub follow: bool,
    /// Wait for this many messages
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Wait at most this long, seconds
    #[arg(long, value_parser = seconds, value_name = "SECONDS")]
    pub timeout: Option<Duration>,
    /// Let messages be announced, and print what waits without fetching it
    #[arg(long)]
    pub announce: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Waiting {
    /// Print what waits: MessageID, sender, type and size of each message
    List {
        /// The newest messages of this group's history instead
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
        /// So many at most
        #[arg(long, value_name = "N")]
        count: Option<u32>,
    },
    /// Print a message; after that the server forgets it
    Get {
        /// MessageID
        id: String,
        /// Let it wait on
        #[arg(long)]
        keep: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Do not take messages; their senders are told
    Reject {
        /// MessageIDs
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Hand a message on without fetching it
    Forward {
        /// MessageID
        id: String,
        /// Address of the recipient
        to: String,
        /// TO is an own contact list
        #[arg(long, conflicts_with = "group")]
        list: bool,
        /// TO is a group
        #[arg(long)]
        group: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Presence {
    /// Print the presence of users
    Get {
        /// Addresses
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Publish own presence
    Set(PresenceSet),
    /// Print every change of the presence of users
    Watch {
        /// Addresses
        #[arg(required_unless_present = "list")]
        users: Vec<String>,
        /// And everybody in this own contact list
        #[arg(long, value_name = "LIST")]
        list: Option<String>,
        /// End after this many notices
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// End after this long, seconds
        #[arg(long, value_parser = seconds, value_name = "SECONDS")]
        timeout: Option<Duration>,
    },
    /// Ask users to let you see their presence
    Ask {
        /// Addresses
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Let users see your presence
    Authorize {
        /// Addresses
        #[arg(required = true)]
        users: Vec<String>,
        /// Only these attributes, such as OnlineStatus,StatusText [default: what they have
        /// asked for; in CSP 1.3 everything]
        #[arg(long, value_delimiter = ',', value_parser = attribute, value_name = "ATTRIBUTES")]
        only: Vec<AttributeName>,
    },
    /// Let users see nothing of your presence
    Deny {
        /// Addresses
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Take back what you have decided about users; you are asked about them again
    Forget {
        /// Addresses
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Print who looks or has looked at your presence, and what you have decided about him
    Watchers,
}

#[derive(Debug, Subcommand)]
pub enum Invitations {
    /// Come; a group is then joined by `hamlet group join`
    Accept(InvitationAnswer),
    /// Do not come
    Decline(InvitationAnswer),
}

#[derive(Debug, Args)]
pub struct InvitationAnswer {
    /// The invitation, as `receive` has named it
    pub id: String,
    /// Words to whoever invites
    #[arg(long)]
    pub note: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct PresenceSet {
    /// available, discreet or not_available
    #[arg(long, value_parser = availability)]
    pub availability: Option<Availability>,
    /// Free text; an empty one takes it back
    #[arg(long)]
    pub text: Option<String>,
    /// angry, anxious, ashamed, bored, excited, happy, in_love, invincible, jealous, sad or
    /// sleepy
    #[arg(long, value_parser = mood)]
    pub mood: Option<Mood>,
    /// Display name
    #[arg(long)]
    pub alias: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Contacts {
    /// Print all lists, or the members of one
    List {
        /// Name or address of a list
        list: Option<String>,
    },
    /// Add a user, or change the nickname
    Add {
        /// Address
        contact: String,
        /// Nickname
        #[arg(long)]
        name: Option<String>,
        /// Name or address of the list [default: the default list]
        #[arg(long)]
        list: Option<String>,
    },
    /// Take a user off
    Remove {
        /// Address
        contact: String,
        /// Name or address of the list [default: the default list]
        #[arg(long)]
        list: Option<String>,
    },
    /// Make a list
    Create {
        /// Name or address of the list
        list: String,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        /// Make it the default list
        #[arg(long)]
        default: bool,
    },
    /// Delete a list
    Delete {
        /// Name or address of the list
        list: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Groups {
    /// Print the own groups
    List,
    /// Make a group
    Create {
        /// Name or address of the group
        group: String,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        /// What is talked about
        #[arg(long)]
        topic: Option<String>,
        /// Only members may join
        #[arg(long)]
        restricted: bool,
        /// Searches find it; needs a name or topic
        #[arg(long)]
        searchable: bool,
    },
    /// Join a group and print what is said in it, until interrupted
    Join {
        /// Name or address of the group
        group: String,
        /// Screen name
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// Leave after this long, seconds
        #[arg(long, value_parser = seconds, value_name = "SECONDS")]
        timeout: Option<Duration>,
    },
    /// Say something in a group
    Say {
        /// Name or address of the group
        group: String,
        /// The text
        text: String,
        /// Screen name
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
    },
    /// Print the members of a group
    Members {
        /// Name or address of the group
        group: String,
    },
    /// Invite users to a group
    Invite {
        /// Name or address of the group
        group: String,
        /// Addresses
        #[arg(required = true)]
        users: Vec<String>,
        /// Words to them
        #[arg(long)]
        note: Option<String>,
    },
    /// Delete a group
    Delete {
        /// Name or address of the group
        group: String,
    },
}

#[derive(Debug, Args)]
pub struct Share {
    /// The file
    pub file: PathBuf,
    /// Address of a user to share it with; can be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub with: Vec<String>,
    /// Name or address of a group to share it with, which is joined for that; can be repeated
    #[arg(long = "group", value_name = "ADDRESS")]
    pub groups: Vec<String>,
    /// Words to them
    #[arg(long)]
    pub note: Option<String>,
    /// Type of the file [default: by its ending]
    #[arg(long = "type", value_name = "TYPE")]
    pub media_type: Option<String>,
}

#[derive(Debug, Args)]
pub struct Convert {
    /// Syntax of the input
    #[arg(long)]
    pub from: SyntaxName,
    /// Syntax of the output
    #[arg(long)]
    pub to: SyntaxName,
    /// XML with a line for each element
    #[arg(long)]
    pub pretty: bool,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// The trace file
    pub file: PathBuf,
    /// Print every exchange, not only those that differ
    #[arg(long)]
    pub verbose: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Bench {
    /// Pairs of a sender and a receiver
    #[arg(long, default_value_t = 20)]
    pub pairs: usize,
    /// Length of a measurement
    #[arg(long, default_value = "10", value_parser = seconds, value_name = "SECONDS")]
    pub seconds: Duration,
    /// End after this many delivered messages instead
    #[arg(long, value_name = "N")]
    pub messages: Option<u64>,
    /// Octets of text in a message
    #[arg(long, default_value_t = 64, value_name = "OCTETS")]
    pub size: usize,
    /// Accounts are PREFIXs0, PREFIXr0, PREFIXs1 and so on
    #[arg(long, default_value = "bench", value_name = "PREFIX")]
    pub users: String,
    /// Domain of the accounts
    #[arg(long, default_value = "localhost")]
    pub domain: String,
    /// Only polls with nothing to fetch
    #[arg(long)]
    pub polls: bool,
    /// Measure a bare HTTP server too, which answers the same bytes, and print the ratio
    #[arg(long, conflicts_with_all = ["polls", "messages", "keep_going", "journal"])]
    pub baseline: bool,
    /// Rounds of both in turn, for --baseline
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// How long a message may take before it counts as lost
    #[arg(long, default_value = "10", value_parser = seconds, value_name = "SECONDS")]
    pub patience: Duration,
    /// Append a line for each accepted and each received message to this file
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Ride over lost connections and sessions
    #[arg(long)]
    pub keep_going: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct BenchBare {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub listen: std::net::SocketAddr,
    /// Directory with the recorded answers
    #[arg(long, value_name = "DIRECTORY")]
    pub answers: PathBuf,
}

/// A syntax on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SyntaxName {
    /// XML.
    Xml,
    /// Binary XML.
    Wbxml,
}

impl From<SyntaxName> for Syntax {
    fn from(name: SyntaxName) -> Self {
        match name {
            SyntaxName::Xml => Self::Xml,
            SyntaxName::Wbxml => Self::Wbxml,
        }
    }
}

/// A digest on the command line; `None` is a login in two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestName(pub Option<Digest>);

impl std::str::FromStr for DigestName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        text.parse()
            .map(|digest| Self(Some(digest)))
            .map_err(|_| "one of sha, md5, md4, pwd, none".to_owned())
    }
}

fn version(text: &str) -> Result<Version, String> {
    Version::ALL
        .into_iter()
        .find(|version| version.as_str() == text)
        .ok_or_else(|| "one of 1.1, 1.2, 1.3".to_owned())
}

fn availability(text: &str) -> Result<Availability, String> {
    Availability::parse(text).ok_or_else(|| "one of available, discreet, not_available".to_owned())
}

fn mood(text: &str) -> Result<Mood, String> {
    Mood::parse(text).ok_or_else(|| "no mood that presence knows".to_owned())
}

fn attribute(text: &str) -> Result<AttributeName, String> {
    AttributeName::ALL
        .iter()
        .copied()
        .filter(|name| *name != AttributeName::Extension)
        .find(|name| name.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| "no attribute of presence".to_owned())
}

/// Seconds, with a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|secs| Duration::try_from_secs_f64(secs).ok())
        .ok_or_else(|| "a number of seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declaration_holds_together() {
        Cli::command().debug_assert();
    }

    /// clap knows arguments by their field's name alone: the positional argument `user` of a
    /// command would be taken for the global `--user`.
    #[test]
    fn no_argument_of_a_command_has_the_name_of_an_account_option() {
        fn check(command: &clap::Command, global: &[String]) {
            for inner in command.get_subcommands() {
                for argument in inner.get_arguments().filter(|a| !a.is_global_set()) {
                    let id = argument.get_id().to_string();
                    assert!(!global.contains(&id), "{id} of {}", inner.get_name());
                }
                check(inner, global);
            }
        }
        let command = Cli::command();
        let global: Vec<String> = command
            .get_arguments()
            .map(|argument| argument.get_id().to_string())
            .collect();
        assert!(global.contains(&"user".to_owned()));
        check(&command, &global);
    }

    #[test]
    fn account_options_stand_before_and_after_the_command() {
        for line in [
            "hamlet --user wv:a@b --csp 1.1 send wv:c@d hi",
            "hamlet send --user wv:a@b wv:c@d hi --csp 1.1",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.account.user.as_deref(), Some("wv:a@b"));
            assert_eq!(cli.account.csp, Some(Version::V1_1));
        }
        assert!(
            Cli::try_parse_from(["hamlet", "convert", "--from", "pts", "--to", "xml"]).is_err()
        );
    }
}
