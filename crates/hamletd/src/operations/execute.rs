//! The operations in the words of the control socket and of the commands.

use super::{Actor, ApplicationSettings, Failure, Operations, Page};
use crate::control::{
    Answer, AppSettings, GroupEntry, InvitationCodeEntry, PAGE, Request, SessionEntry,
    SystemMessageEntry, SystemMessageUserEntry, UserEntry,
};
use hamlet_elements::group::{GroupMembers, GroupOverview};
use hamlet_elements::system_message::Overview;
use hamlet_model::{
    Application, ApplicationId, GroupProperty, Msisdn, ProfileField, Role, Service, UserId,
};
use hamlet_sap::{SessionSummary, WholeUserProfile};
use hamlet_store::{Account, AccountStatus, InvitationCode};

/// System messages of one answer: their texts may be long.
const FEW: usize = 200;

impl Operations {
    /// Carries out one request.
    pub async fn execute(&self, by: &Actor, request: Request) -> Answer {
        let outcome = self.answer(by, request).await;
        outcome.unwrap_or_else(|failure| Answer::failed(failure.text))
    }

    async fn answer(&self, by: &Actor, request: Request) -> Result<Answer, Failure> {
        match request {
            Request::UserAdd { user, password } => {
                let user = self.add_user(by, &user, &password).await?;
                done(format!("{user} can log in now"))
            }
            Request::UserList { after } => Ok(accounts(self.users(after.as_deref(), PAGE).await?)),
            Request::UserPasswd { user, password } => {
                let (user, ended) = self.change_password(by, &user, &password).await?;
                done(format!("{user} has a new password{}", and_ended(ended)))
            }
            Request::UserEnable { user } => {
                let (user, _) = self.set_active(by, &user, true).await?;
                done(format!("{user} can log in"))
            }
            Request::UserDisable { user } => {
                let (user, ended) = self.set_active(by, &user, false).await?;
                done(format!("{user} cannot log in any more{}", and_ended(ended)))
            }
            Request::UserDelete { user } => {
                let (user, ended) = self.delete_user(by, &user).await?;
                done(format!("{user} is deleted{}", and_ended(ended)))
            }
            Request::UserMsisdn { user, add, remove } => {
                let numbers = match add.is_empty() && remove.is_empty() {
                    true => self.msisdns(&user).await?,
                    false => self.change_msisdns(by, &user, &add, &remove).await?,
                };
                let user = self.target(&user);
                done(lines(&numbers).unwrap_or_else(|| format!("{user} has no number")))
            }
            Request::UserNetwork { user, fields } => {
                let fields: Result<Vec<_>, _> = fields.iter().map(|text| pair(text)).collect();
                let fields = fields?;
                let fields = match fields.is_empty() {
                    true => self.network(&user).await?,
                    false => self.change_network(by, &user, &fields).await?,
                };
                Ok(Answer::Profile { fields })
            }
            Request::InvitationCodeAdd { uses, days } => {
                done(self.add_code(by, uses, days).await?.code)
            }
            Request::InvitationCodeList { after } => {
                Ok(codes(self.codes(after.as_deref(), PAGE).await?))
            }
            Request::InvitationCodeDelete { code } => {
                let code = self.delete_code(by, &code).await?;
                done(format!("{code} is deleted"))
            }
            Request::UserShow { user } => {
                let profile = self.profile(&user).await?;
                let field =
                    |field: &ProfileField| Some((field.name().to_owned(), profile.get(*field)?));
                let fields = ProfileField::ALL.iter().filter_map(field).collect();
                Ok(Answer::Profile { fields })
            }
            Request::UserSet { user, fields } => {
                let fields: Result<Vec<_>, _> = fields.iter().map(|text| pair(text)).collect();
                let user = self.set_profile(by, &user, &fields?).await?;
                done(format!("the profile of {user} is changed"))
            }
            Request::UserProfileShow { user } => {
                let fields = user_profile(self.user_profile(&user).await?);
                Ok(Answer::Profile { fields })
            }
            Request::UserProfileSet {
                user,
                change,
                findable,
            } => {
                let changed = self.change_user_profile(by, &user, change, findable);
                let user = changed.await?;
                done(format!("the user profile of {user} is changed"))
            }
            Request::AppAdd {
                id,
                account,
                password,
                settings,
            } => {
                let (account, settings) = (account.as_deref(), settings.into());
                let added = self.add_application(by, &id, account, &password, settings);
                let account = added.await?.account;
                done(format!("application {id} can log in now as {account}"))
            }
            Request::AppList { after } => {
                let Page { entries, more } = self.applications(after.as_deref(), PAGE).await?;
                let entry =
                    |app: &Application| (app.id.to_string(), app.account.to_string(), app.active);
                let apps = entries.iter().map(entry).collect();
                Ok(Answer::Apps { apps, more })
            }
            Request::AppShow { id } => {
                let application = self.application(&id).await?;
                let users = self.application_users(&id, None, PAGE).await?;
                let fields = application_fields(&application, &users);
                Ok(Answer::Profile { fields })
            }
            Request::AppSet {
                id,
                settings,
                grant,
                revoke,
            } => {
                if !grant.is_empty() || !revoke.is_empty() {
                    let changed = self.change_application_users(by, &id, &grant, &revoke);
                    changed.await?;
                }
                if settings != AppSettings::default() {
                    self.change_application(by, &id, settings.into()).await?;
                }
                done(format!("application {id} is changed"))
            }
            Request::AppDelete { id } => {
                self.delete_application(by, &id).await?;
                done(format!("application {id} is deleted"))
            }
            Request::GroupCreate {
                group,
                properties,
                admins,
            } => {
                let group = self.create_group(by, &group, properties, &admins).await?;
                done(format!("{group} can be joined now"))
            }
            Request::GroupList { after } => {
                let Page { entries, more } = self.groups(after.as_deref(), PAGE).await?;
                let groups = entries.iter().map(group_entry).collect();
                Ok(Answer::Groups { groups, more })
            }
            Request::GroupShow { group } => {
                let (overview, members) = self.group(&group).await?;
                let fields = group_fields(&overview, &members);
                Ok(Answer::Profile { fields })
            }
            Request::GroupSet { group, properties } => {
                let group = self.set_group(by, &group, properties).await?;
                done(format!("{group} is changed"))
            }
            Request::GroupMember { group, user, role } => {
                let role = role.map(|text| {
                    let known = Role::parse(&text);
                    known.ok_or_else(|| Failure::invalid(format!("there is no role {text}")))
                });
                let role = role.transpose()?;
                let group = self.set_group_member(by, &group, &user, role).await?;
                let user = self.target(&user);
                done(match role {
                    Some(role) => format!("{user} is a member of {group} ({})", role.as_str()),
                    None => format!("{user} is no member of {group}"),
                })
            }
            Request::GroupReject { group, user, out } => {
                let group = self.reject_from_group(by, &group, &user, out).await?;
                let user = self.target(&user);
                done(match out {
                    true => format!("{user} cannot join {group} any more"),
                    false => format!("{user} can join {group}"),
                })
            }
            Request::GroupAnnounce { group, text } => {
                let (group, id) = self.announce_in_group(by, &group, text).await?;
                done(format!("message {id} is said in {group}"))
            }
            Request::GroupDelete { group } => {
                let group = self.delete_group(by, &group).await?;
                done(format!("{group} is deleted"))
            }
            Request::SessionList { after } => {
                let Page { entries, more } = self.sessions(None, after.as_deref(), PAGE)?;
                let sessions = entries.into_iter().map(session).collect();
                Ok(Answer::Sessions { sessions, more })
            }
            Request::SessionEnd { which } => self.end(by, &which).await,
            Request::SystemMessageSend { message, to } => {
                let (number, count) = self.send_system_message(by, message, to).await?;
                let text = format!("system message {number} is sent to {}", whom(count));
                Ok(Answer::SystemMessageSent { number, text })
            }
            Request::SystemMessageAdd { number, users } => {
                let count = self.add_to_system_message(by, number, &users).await?;
                let whom = whom(Some(count));
                done(format!("system message {number} is sent to {whom}"))
            }
            Request::SystemMessageList { after } => {
                let page = self.system_messages(after.unwrap_or(0), FEW).await?;
                let messages = page.entries.into_iter().map(system_message);
                Ok(Answer::SystemMessages {
                    messages: messages.collect(),
                    more: page.more,
                })
            }
            Request::SystemMessageShow { number, after } => {
                let shown = self.system_message(number, after.as_deref(), PAGE);
                let (found, more) = shown.await?;
                Ok(shown_system_message(found, more))
            }
            Request::SystemMessageCancel { number } => {
                self.cancel_system_message(by, number).await?;
                done(format!("nobody gets system message {number} any more"))
            }
            Request::OutsideAnnounce { user, message } => {
                let (id, new) = self.announce(by, &user, message).await?;
                let user = self.target(&user);
                done(match new {
                    true => format!("{id} is announced to {user}"),
                    false => format!("{id} waits for {user} already"),
                })
            }
            Request::OutsideList { user } => {
                let messages = self.outside_messages(&user).await?;
                let messages = messages.into_iter().map(Into::into).collect();
                Ok(Answer::OutsideMessages { messages })
            }
            Request::OutsideWithdraw { user, id } => {
                self.withdraw_outside(by, &user, &id).await?;
                done(format!("{id} is withdrawn"))
            }
            Request::Stats => {
                let figures = self.stats().await?.into_iter();
                let figures = figures.map(|(name, value)| (name.to_owned(), value));
                let figures = figures.collect();
                Ok(Answer::Stats { figures })
            }
        }
    }

    /// A session of that identifier, else the sessions of the user of that address.
    async fn end(&self, by: &Actor, which: &str) -> Result<Answer, Failure> {
        if self.is_session(which) {
            self.end_session(by, which).await?;
            return done("the session has ended");
        }
        if self.user_id(which).is_err() {
            let why = format!("`{which}` is neither a session nor a user");
            return Err(Failure::invalid(why));
        }
        match self.end_sessions_of(by, which).await? {
            (user, 0) => Err(Failure::missing(format!(
                "there is no such session, and {user} has none"
            ))),
            (user, ended) => done(format!("{user}{}", and_ended(ended))),
        }
    }
}

impl From<AppSettings> for ApplicationSettings {
    fn from(settings: AppSettings) -> Self {
        Self {
            active: settings.active,
            services: settings.services,
            open: settings.open,
            profiles: settings.profiles,
            peers: settings.peers,
        }
    }
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn user_profile(whole: WholeUserProfile) -> Vec<(String, String)> {
    let profile = whole.profile;
    let mut fields = Vec::new();
    for service in Service::ALL {
        let status = profile.status(*service);
        let text = match (status.subscribed, status.active) {
            (false, _) => "unsubscribed",
            (true, false) => "inactive",
            (true, true) => "active",
        };
        fields.push((format!("service.{}", service.name()), text.to_owned()));
    }
    fields.push(("findable".to_owned(), yes_or_no(whole.findable)));
    for (name, allowed) in profile.privacy {
        fields.push((format!("privacy.{name}"), yes_or_no(allowed)));
    }
    for (name, value) in profile.preferences {
        fields.push((format!("preference.{name}"), value));
    }
    for (client, _, can) in whole.terminals {
        let agent = can.user_agent.unwrap_or_default();
        fields.push((
            format!("terminal.{}", client.escape_debug()),
            format!("CSP {} {agent}", can.version),
        ));
    }
    fields
}

fn application_fields(app: &Application, users: &Page<UserId>) -> Vec<(String, String)> {
    let services: Vec<&str> = app.services.iter().map(Service::name).collect();
    let peers: Vec<&str> = app.peers.iter().map(ApplicationId::as_str).collect();
    let mut fields: Vec<(String, String)> = [
        ("account", app.account.to_string()),
        ("active", yes_or_no(app.active)),
        ("services", services.join(",")),
        ("open", yes_or_no(app.open)),
        ("profiles", yes_or_no(app.profiles)),
        ("peers", peers.join(",")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let user = |user: &UserId| ("user".to_owned(), user.to_string());
    fields.extend(users.entries.iter().map(user));
    if users.more {
        fields.push(("user".to_owned(), "… and more".to_owned()));
    }
    fields
}

fn accounts(page: Page<Account>) -> Answer {
    let entry = |account: Account| UserEntry {
        user: account.user.to_string(),
        active: account.status == AccountStatus::Active,
        created: account.created,
    };
    Answer::Users {
        users: page.entries.into_iter().map(entry).collect(),
        more: page.more,
    }
}

fn codes(page: Page<InvitationCode>) -> Answer {
    let entry = |code: InvitationCode| InvitationCodeEntry {
        code: code.code,
        uses: code.uses,
        expires: code.expires,
    };
    Answer::InvitationCodes {
        codes: page.entries.into_iter().map(entry).collect(),
        more: page.more,
    }
}

fn session(session: SessionSummary) -> SessionEntry {
    SessionEntry {
        id: session.id.to_string(),
        user: session.user.to_string(),
        client: session.client,
        version: session.version.to_owned(),
        user_agent: session.user_agent,
        created: session.created,
        seen: session.seen,
        cir: session.cir.map(str::to_owned),
        waiting: session.waiting as u64,
    }
}

fn shown_system_message(mut found: Overview, more: bool) -> Answer {
    let users = std::mem::take(&mut found.users).into_iter();
    let options = std::mem::take(&mut found.message.options).into_iter();
    Answer::SystemMessage {
        options: options.map(|option| option.text).collect(),
        users: users
            .map(|user| SystemMessageUserEntry {
                user: user.user.to_string(),
                state: user.state.name().to_owned(),
                choice: user.choice,
                changed: user.changed,
            })
            .collect(),
        more,
        message: system_message(found),
    }
}

fn system_message(found: Overview) -> SystemMessageEntry {
    let states = found.states.into_iter();
    SystemMessageEntry {
        number: found.number,
        text: found.message.text,
        everyone: found.everyone,
        created: found.created,
        expires: found.expires,
        states: states
            .map(|(state, count)| (state.name().to_owned(), count as u64))
            .collect(),
    }
}

/// For whom a system message is: so many users, or everyone.
fn whom(count: Option<usize>) -> String {
    match count {
        None => "everyone".to_owned(),
        Some(1) => "one user".to_owned(),
        Some(count) => format!("{count} users"),
    }
}

/// One a line; `None` when there is none.
fn lines(numbers: &[Msisdn]) -> Option<String> {
    let lines: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// `FIELD=VALUE`.
fn pair(text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(Failure::invalid(format!(
            "`{text}` is not of the form FIELD=VALUE"
        ))),
    }
}

fn and_ended(sessions: usize) -> String {
    match sessions {
        0 => String::new(),
        1 => "; one session has ended".to_owned(),
        count => format!("; {count} sessions have ended"),
    }
}

fn done(text: impl Into<String>) -> Result<Answer, Failure> {
    Ok(Answer::Done { text: text.into() })
}

fn group_entry(group: &GroupOverview) -> GroupEntry {
    let properties = &group.properties.properties;
    let name = properties
        .iter()
        .find(|(name, _)| *name == GroupProperty::Name);
    GroupEntry {
        group: group.group.to_string(),
        name: name.map_or_else(String::new, |(_, value)| value.clone()),
        members: group.members,
        joined: group.joined,
    }
}

fn group_fields(group: &GroupOverview, members: &GroupMembers) -> Vec<(String, String)> {
    let mut fields = vec![("group".to_owned(), group.group.to_string())];
    let owner = group.owner.as_ref();
    fields.extend(owner.map(|owner| ("owner".to_owned(), owner.to_string())));
    let properties = group.properties.properties.iter();
    fields.extend(properties.map(|(name, value)| (name.as_str().to_owned(), value.clone())));
    if let Some(note) = &group.properties.welcome_note {
        fields.push(("WelcomeNote".to_owned(), note.data.clone()));
    }
    for (role, users) in [
        ("admin", &members.admins),
        ("mod", &members.moderators),
        ("user", &members.users),
    ] {
        fields.extend(users.iter().map(|user| (role.to_owned(), user.to_string())));
    }
    fields
}
