//! The command line.

use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// What was asked for, and the configuration to do it with.
#[derive(Debug)]
pub struct Invocation {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// Every `--set`, in the order of the command line.
    pub sets: Vec<String>,
    /// What to do; nothing is to serve.
    pub command: Option<Command>,
}

impl Invocation {
    /// Reads the arguments, the program's name first. The error prints itself: it is also
    /// how `--help` and `--version` come.
    pub fn parse(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let matches = with_settings(Arguments::command()).try_get_matches_from(arguments)?;
        let mut invocation = Self {
            config: None,
            sets: Vec::new(),
            command: Arguments::from_arg_matches(&matches)?.command,
        };
        invocation.collect(&matches);
        Ok(invocation)
    }

    fn collect(&mut self, matches: &ArgMatches) {
        if let Some(path) = matches.get_one::<PathBuf>("config") {
            self.config = Some(path.clone());
        }
        self.sets.extend(
            matches
                .get_many::<String>("set")
                .into_iter()
                .flatten()
                .cloned(),
        );
        if let Some((_, inner)) = matches.subcommand() {
            self.collect(inner);
        }
    }
}

/// `--config` and `--set` at every level. They are no global arguments in clap's sense, for
/// there the values after a subcommand would replace those before it.
fn with_settings(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|inner| inner.get_name().to_owned())
        .collect();
    let command = command
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Read the configuration from this TOML file"),
        )
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("Set one value of the configuration; can be repeated"),
        );
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, with_settings)
    })
}

/// Hamlet, a server for OMA IMPS (Wireless Village) presence and instant messaging.
///
/// Without a command it serves until SIGTERM. Without a configuration it serves the domain
/// `localhost` at http://127.0.0.1:8080/ and keeps everything in ./data.
#[derive(Debug, Parser)]
#[command(name = "hamletd", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make, list, change and delete accounts, through the running server or without it.
    #[command(subcommand)]
    User(UserCommand),
    /// Make, list and delete the codes with which new users register
    /// (accounts.register_by = code).
    #[command(subcommand)]
    InvitationCode(InvitationCodeCommand),
    /// Register, list, show, change and delete applications above IMPS.
    #[command(subcommand)]
    App(AppCommand),
    /// Make public groups; list, show, change and delete any group.
    #[command(subcommand)]
    Group(GroupCommand),
    /// List and end sessions.
    #[command(subcommand)]
    Session(SessionCommand),
    /// Send, list, show and cancel system messages.
    #[command(subcommand)]
    SystemMessage(SystemMessageCommand),
    /// Announce, list and withdraw messages that wait for users in other systems, such as mail.
    #[command(subcommand)]
    OutsideMessage(OutsideMessageCommand),
    /// Print figures of the server or of its store.
    Stats,
    /// Print the reference of the configuration in Markdown.
    ConfigReference,
    /// Print the list of the metrics in Markdown.
    MetricsReference,
    /// Print the description of the HTTP API (OpenAPI 3.1).
    ApiReference,
}

/// `hamletd user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account.
    Add {
        /// Address, such as wv:alice@localhost; the domain may be left out.
        user: String,
        /// Password; read from standard input when it is not given.
        #[arg(long)]
        password: Option<String>,
    },
    /// List the accounts.
    List,
    /// Give an account a new password; its sessions end.
    Passwd {
        /// Address of the account.
        user: String,
        /// Password; read from standard input when it is not given.
        #[arg(long)]
        password: Option<String>,
    },
    /// Let a user log in again who was kept out.
    Enable {
        /// Address of the account.
        user: String,
    },
    /// Keep a user out; his sessions end, and everything of his stays.
    Disable {
        /// Address of the account.
        user: String,
    },
    /// Show the telephone numbers of an account, add some or remove some. Who logs in by
    /// his number (accounts.msisdn_login), and who is looked for by it, is found by these.
    Msisdn {
        /// Address of the account.
        user: String,
        /// A number to add, in international form.
        #[arg(long, value_name = "NUMBER")]
        add: Vec<String>,
        /// A number to remove.
        #[arg(long, value_name = "NUMBER")]
        remove: Vec<String>,
    },
    /// Show what the mobile network says of a user, or tell it, until the server stops. Those
    /// who watch him see it instead of what his client publishes.
    Network {
        /// Address of the account.
        user: String,
        /// Fields with their new values; an empty value removes, as in `plmn=`. The fields are
        /// registration (yes or no), plmn, time-zone, longitude, latitude, altitude, accuracy,
        /// country, city, street, crossing1, crossing2, building, named-area and location.
        #[arg(value_name = "FIELD=VALUE")]
        fields: Vec<String>,
    },
    /// Show the profile of a user.
    Show {
        /// Address of the account.
        user: String,
    },
    /// Change the profile of a user: what others read of him and find him by.
    Set {
        /// Address of the account.
        user: String,
        /// Fields with their new values; an empty value removes, as in `city=`. The fields are
        /// friendly-name, age, gender, marital-status, country, city, intention, interests and
        /// free-text, which everybody can read; first-name, last-name, email and mobile, by which
        /// the user can only be found; and findable, `no` for one who does not want to be found.
        #[arg(value_name = "FIELD=VALUE", required = true)]
        fields: Vec<String>,
    },
    /// Show what a user is subscribed to, allows and prefers, or change it.
    UserProfile {
        /// Address of the account.
        user: String,
        /// Fields with their new values: service.NAME=active, inactive or unsubscribed, for the
        /// services Common, ContactList, Presence, IM, Group, Content; privacy.NAME=yes or no, for
        /// example privacy.Location=no; findable=yes or no; preference.NAME=TEXT. An empty value
        /// of the last two kinds of names removes.
        #[arg(value_name = "FIELD=VALUE")]
        fields: Vec<String>,
    },
    /// Delete an account with everything that belongs to it; its sessions end.
    Delete {
        /// Address of the account.
        user: String,
    },
}

/// `hamletd invitation-code …`
#[derive(Debug, Subcommand)]
pub enum InvitationCodeCommand {
    /// Make a code and print it. The first login of a new user needs it in front of the
    /// password: CODE or CODE/anything; the whole is the password from then on.
    Add {
        /// How many users may register with it.
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For how many days it is good.
        #[arg(long, default_value_t = 30)]
        days: u32,
    },
    /// List the codes, with the uses that are left.
    List,
    /// Delete a code.
    Delete {
        /// The code.
        code: String,
    },
}

/// `hamletd group …`
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Make a public group.
    Create {
        /// Address, such as wv:/skiing@localhost; the domain may be left out.
        group: String,
        /// Its properties, such as Name=Skiing, Topic=Snow, AccessType=Restricted or
        /// Searchable=T; WelcomeNote is a text.
        #[arg(value_name = "NAME=VALUE")]
        properties: Vec<String>,
        /// An administrator; can be repeated.
        #[arg(long = "admin", value_name = "USER")]
        admins: Vec<String>,
    },
    /// List the groups, public and private.
    List,
    /// Show a group with its members.
    Show {
        /// Address of the group.
        group: String,
    },
    /// Change properties of a group; who is joined is told.
    Set {
        /// Address of the group.
        group: String,
        /// The properties, as in `create`.
        #[arg(value_name = "NAME=VALUE", required = true)]
        properties: Vec<String>,
    },
    /// Make a user a member of a group, give him another role, or take him out.
    Member {
        /// Address of the group.
        group: String,
        /// Address of the user.
        user: String,
        /// His role.
        #[arg(long, value_enum, default_value_t = RoleName::User)]
        role: RoleName,
    },
    /// Keep a user out of a group; he is put out if he is joined.
    Reject {
        /// Address of the group.
        group: String,
        /// Address of the user.
        user: String,
        /// Let him in again.
        #[arg(long)]
        readmit: bool,
    },
    /// Say something in the name of a group to everybody who is joined.
    Announce {
        /// Address of the group.
        group: String,
        /// What is said.
        text: String,
    },
    /// Delete a group; who is joined is told.
    Delete {
        /// Address of the group.
        group: String,
    },
}

/// A role in a group.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum RoleName {
    /// Administrator.
    Admin,
    /// Moderator.
    Mod,
    /// Ordinary member.
    User,
    /// No member any more.
    None,
}

/// `hamletd app …`
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Register an application and make its account.
    Add {
        /// ApplicationID: printable ASCII without blanks.
        id: String,
        /// Its account; the identifier in this domain, if none is given.
        #[arg(long)]
        account: Option<String>,
        /// Password of the account; read from standard input when it is not given.
        #[arg(long)]
        password: Option<String>,
        /// What can be said of it.
        #[command(flatten)]
        settings: AppArguments,
    },
    /// List the applications.
    List,
    /// Show an application.
    Show {
        /// ApplicationID.
        id: String,
    },
    /// Change an application.
    Set {
        /// ApplicationID.
        id: String,
        /// What can be said of it.
        #[command(flatten)]
        settings: AppArguments,
        /// Switch it on or off; the sessions of one that is switched off end.
        #[arg(long)]
        active: Option<bool>,
        /// A user that it may act for; can be repeated.
        #[arg(long, value_name = "USER")]
        grant: Vec<String>,
        /// A user that it may not act for any more; can be repeated.
        #[arg(long, value_name = "USER")]
        revoke: Vec<String>,
    },
    /// Delete an application with its account; its sessions end.
    Delete {
        /// ApplicationID.
        id: String,
    },
}

/// What can be said of an application.
#[derive(Debug, clap::Args)]
pub struct AppArguments {
    /// What its sessions may use: Common, ContactList, Presence, IM, Group, Content.
    #[arg(long, value_delimiter = ',', value_name = "SERVICE,…")]
    pub services: Option<Vec<String>>,
    /// Whether every user may use it with his own password; else only those that it may act
    /// for.
    #[arg(long)]
    pub open: Option<bool>,
    /// Whether it may read and change the user profiles of those that it may act for.
    #[arg(long)]
    pub profiles: Option<bool>,
    /// The applications whose users may address it, beside its own.
    #[arg(long, value_delimiter = ',', value_name = "ID,…")]
    pub peers: Option<Vec<String>>,
}

/// `hamletd session …`
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List the sessions.
    List,
    /// End a session, or all sessions of a user.
    End {
        /// Session-ID, or address of a user.
        which: String,
    },
}

/// `hamletd system-message …`
#[derive(Debug, Subcommand)]
pub enum SystemMessageCommand {
    /// Send a text to users, with options to choose from or a question if wanted. Clients of
    /// CSP 1.3 show it; who is not online gets it later.
    Send(Box<SystemMessageSend>),
    /// List the system messages, with how many users have got or answered them.
    List,
    /// Show a system message, with what each user has answered.
    Show {
        /// Its number.
        number: i64,
    },
    /// Let nobody get a system message any more.
    Cancel {
        /// Its number.
        number: i64,
    },
}

/// `hamletd system-message send …`
#[derive(Debug, clap::Args)]
pub struct SystemMessageSend {
    /// What it says.
    pub text: String,
    /// Address of a user who gets it; can be repeated.
    #[arg(long, value_name = "USER")]
    pub to: Vec<String>,
    /// A file with addresses of users who get it, one a line.
    #[arg(long, value_name = "FILE")]
    pub to_file: Vec<PathBuf>,
    /// All users get it, also those who register later.
    #[arg(long, conflicts_with_all = ["to", "to_file", "online"])]
    pub everyone: bool,
    /// All users who have a session now get it.
    #[arg(long, conflicts_with_all = ["to", "to_file"])]
    pub online: bool,
    /// An option that can be chosen; can be repeated. They are numbered from 1.
    #[arg(long, value_name = "TEXT")]
    pub option: Vec<String>,
    /// An option with which the user refuses; with --at-login he does not get in then. It is
    /// numbered after the others.
    #[arg(long, value_name = "TEXT")]
    pub refusal: Vec<String>,
    /// A question that has to be answered by --key.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "key",
        conflicts_with = "picture"
    )]
    pub question: Option<String>,
    /// The URL of a picture that shows the --key.
    #[arg(long, value_name = "URL", requires = "key")]
    pub picture: Option<String>,
    /// The right answer; case does not matter.
    #[arg(long, value_name = "TEXT")]
    pub key: Option<String>,
    /// Users have to answer even if there is nothing to choose; until then it comes again
    /// at each login.
    #[arg(long)]
    pub must_answer: bool,
    /// It comes with the login; who has to answer does not get in before.
    #[arg(long)]
    pub at_login: bool,
    /// Clients that know no system messages (CSP 1.1 and 1.2) get the text as a message from
    /// this user.
    #[arg(long, value_name = "USER")]
    pub message_from: Option<String>,
    /// For how many days it is good.
    #[arg(long, default_value_t = 30)]
    pub days: u32,
}

/// `hamletd outside-message …`
#[derive(Debug, Subcommand)]
pub enum OutsideMessageCommand {
    /// Let a user know that a message waits for him: his client is notified of it and fetches a
    /// link to it, or gets the link if it knows no notification. Prints the MessageID.
    Announce(Box<OutsideMessageAnnounce>),
    /// List the messages that a user has been let know of and has not fetched or rejected.
    List {
        /// Address of the user.
        user: String,
    },
    /// A message need not be told of any more.
    Withdraw {
        /// Address of the user.
        user: String,
        /// MessageID.
        id: String,
    },
}

/// `hamletd outside-message announce …`
#[derive(Debug, clap::Args)]
pub struct OutsideMessageAnnounce {
    /// Address of the user.
    pub user: String,
    /// Who sent it, as an address of IMPS, such as wv:anna@mail.example.org.
    #[arg(long, value_name = "USER")]
    pub sender: String,
    /// Where the user finds it.
    #[arg(long, value_name = "URI")]
    pub uri: String,
    /// Its size, octets.
    #[arg(long, default_value_t = 0)]
    pub size: u32,
    /// Its MIME type.
    #[arg(long = "type", value_name = "TYPE")]
    pub content_type: Option<String>,
    /// Its subject, or the name of its file.
    #[arg(long)]
    pub name: Option<String>,
    /// A name for it: announced again under this name it is the same message.
    #[arg(long)]
    pub id: Option<String>,
    /// For how many hours it is worth telling of it.
    #[arg(long, default_value_t = 168)]
    pub hours: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_taken_at_every_level_in_their_order() {
        let invocation = Invocation::parse([
            "hamletd",
            "--set",
            "a=1",
            "user",
            "--set=b=2",
            "add",
            "alice",
            "--set",
            "c=3",
            "--password",
            "pw",
        ])
        .unwrap();
        assert_eq!(invocation.sets, ["a=1", "b=2", "c=3"]);
        let Some(Command::User(UserCommand::Add { user, password })) = invocation.command else {
            panic!("{:?}", invocation.command);
        };
        assert_eq!((user.as_str(), password.as_deref()), ("alice", Some("pw")));
    }

    #[test]
    fn the_command_line_is_consistent() {
        with_settings(Arguments::command()).debug_assert();
    }
}
