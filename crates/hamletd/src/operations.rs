//! What an operator can do, by the control socket of a running server or without one.

mod system_message;

use crate::control::{Answer, InvitationCodeEntry, PAGE, Request, SessionEntry, UserEntry};
use hamlet_model::{
    Domain, Msisdn, ProfileField, Refusal, SessionId, StatusCode, Timestamp, UserId,
};
use hamlet_sap::{Sap, SessionSummary};
use hamlet_store::{AccountStatus, InvitationCode, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The operations on one server's state.
pub struct Operations {
    domain: Domain,
    store: Store,
    sap: Arc<Sap>,
}

/// Why an operation was not carried out, for people.
struct Failure(String);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl Operations {
    /// Operations through `sap`, which need not serve anybody.
    pub fn new(domain: Domain, store: Store, sap: Arc<Sap>) -> Self {
        Self { domain, store, sap }
    }

    /// Carries out one request.
    pub async fn execute(&self, request: Request) -> Answer {
        let outcome = match request {
            Request::UserAdd { user, password } => self.add(&user, &password).await,
            Request::UserList { after } => self.users(after.as_deref()).await,
            Request::UserPasswd { user, password } => self.passwd(&user, &password).await,
            Request::UserDelete { user } => self.delete(&user).await,
            Request::UserMsisdn { user, add, remove } => self.msisdns(&user, &add, &remove).await,
            Request::InvitationCodeAdd { uses, days } => self.add_code(uses, days).await,
            Request::InvitationCodeList { after } => self.codes(after).await,
            Request::InvitationCodeDelete { code } => self.delete_code(code).await,
            Request::UserShow { user } => self.show(&user).await,
            Request::UserSet { user, fields } => self.set(&user, &fields).await,
            Request::SessionList { after } => Ok(self.sessions(after.as_deref())),
            Request::SessionEnd { which } => self.end(&which).await,
            Request::SystemMessageSend { message, to } => {
                self.send_system_message(message, to).await
            }
            Request::SystemMessageAdd { number, users } => {
                self.add_to_system_message(number, &users).await
            }
            Request::SystemMessageList { after } => self.system_messages(after.unwrap_or(0)).await,
            Request::SystemMessageShow { number, after } => {
                self.system_message(number, after).await
            }
            Request::SystemMessageCancel { number } => self.cancel_system_message(number).await,
            Request::Stats => self.stats().await,
        };
        outcome.unwrap_or_else(|Failure(text)| Answer::Failed { text })
    }

    /// Whether nobody can log in yet.
    pub async fn has_no_accounts(&self) -> bool {
        let first = self.store.read(|tx| tx.accounts(None, 1)).await;
        first.is_ok_and(|accounts| accounts.is_empty())
    }

    async fn add(&self, user: &str, password: &str) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        check_password(password)?;
        let made = self.sap.create_account(&user, password).await;
        made.map_err(|refusal| refused(&user, refusal))?;
        tracing::info!(%user, "account made by the operator");
        done(format!("{user} can log in now"))
    }

    async fn passwd(&self, user: &str, password: &str) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        check_password(password)?;
        let sessions = self.sap.sessions(Some(&user)).len();
        let changed = self.sap.change_password(&user, password).await;
        changed.map_err(|refusal| refused(&user, refusal))?;
        tracing::info!(%user, "password changed by the operator");
        done(format!("{user} has a new password{}", and_ended(sessions)))
    }

    async fn delete(&self, user: &str) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        let sessions = self.sap.sessions(Some(&user)).len();
        let deleted = self.sap.delete_account(&user).await;
        deleted.map_err(|refusal| refused(&user, refusal))?;
        tracing::info!(%user, "account deleted by the operator");
        done(format!("{user} is deleted{}", and_ended(sessions)))
    }

    async fn show(&self, user: &str) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        let profile = self.sap.elements().profile(&user).await?;
        let profile = profile.ok_or_else(|| refused(&user, StatusCode::UNKNOWN_USER.into()))?;
        let fields = ProfileField::ALL.iter();
        let fields =
            fields.filter_map(|field| Some((field.name().to_owned(), profile.get(*field)?)));
        Ok(Answer::Profile {
            fields: fields.collect(),
        })
    }

    async fn set(&self, user: &str, fields: &[String]) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        let changes = fields.iter().map(|text| field(text));
        let changes = changes.collect::<Result<Vec<_>, Failure>>()?;
        let changed = self.sap.elements().set_profile(&user, changes).await;
        changed.map_err(|refusal| refused(&user, refusal))?;
        tracing::info!(%user, "profile changed by the operator");
        done(format!("the profile of {user} is changed"))
    }

    async fn users(&self, after: Option<&str>) -> Result<Answer, Failure> {
        let after = after.map(|user| self.user(user)).transpose()?;
        let read = self.store.read(move |tx| tx.accounts(after.as_ref(), PAGE));
        let accounts = read.await?;
        Ok(Answer::Users {
            more: accounts.len() == PAGE,
            users: accounts
                .into_iter()
                .map(|account| UserEntry {
                    user: account.user.to_string(),
                    active: account.status == AccountStatus::Active,
                    created: account.created,
                })
                .collect(),
        })
    }

    /// All of the changes or none.
    async fn msisdns(
        &self,
        user: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        let (add, remove) = (numbers(add)?, numbers(remove)?);
        let changes = !add.is_empty() || !remove.is_empty();
        let key = user.clone();
        let numbers = self
            .store
            .write(move |tx| {
                if tx.account(&key)?.is_none() {
                    return Ok(Err(format!("{key} has no account")));
                }
                let present = tx.msisdns_of(&key)?;
                if let Some(absent) = remove.iter().find(|number| !present.contains(number)) {
                    return Ok(Err(format!("{absent} is no number of {key}")));
                }
                for number in &add {
                    match tx.user_of_msisdn(number)? {
                        Some(other) if other != key => {
                            return Ok(Err(format!("{number} is the number of {other}")));
                        }
                        _ => {}
                    }
                }
                for number in &remove {
                    tx.unbind_msisdn(number)?;
                }
                for number in &add {
                    tx.bind_msisdn(number, &key)?;
                }
                tx.msisdns_of(&key).map(Ok)
            })
            .await?
            .map_err(Failure)?;
        if changes {
            tracing::info!(%user, "telephone numbers changed by the operator");
        }
        match numbers.as_slice() {
            [] => done(format!("{user} has no number")),
            numbers => {
                let lines: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                done(lines.join("\n"))
            }
        }
    }

    async fn add_code(&self, uses: u32, days: u32) -> Result<Answer, Failure> {
        if uses == 0 || days == 0 {
            return Err(Failure("a code needs at least one use and one day".into()));
        }
        let created = Timestamp::now();
        let code = InvitationCode {
            code: new_code().ok_or_else(|| Failure("the system has no randomness".into()))?,
            uses,
            created,
            expires: created.plus(Duration::from_secs(u64::from(days) * 86_400)),
        };
        let text = code.code.clone();
        let made = self.store.write(move |tx| tx.put_invitation_code(&code));
        match made.await? {
            true => done(text),
            false => Err(Failure("this code was there already; try again".into())),
        }
    }

    async fn codes(&self, after: Option<String>) -> Result<Answer, Failure> {
        let after = after.unwrap_or_default();
        let read = self.store.read(move |tx| tx.invitation_codes(&after, PAGE));
        let codes = read.await?;
        Ok(Answer::InvitationCodes {
            more: codes.len() == PAGE,
            codes: codes
                .into_iter()
                .map(|code| InvitationCodeEntry {
                    code: code.code,
                    uses: code.uses,
                    expires: code.expires,
                })
                .collect(),
        })
    }

    async fn delete_code(&self, code: String) -> Result<Answer, Failure> {
        let code = code.trim().to_ascii_uppercase();
        let key = code.clone();
        let gone = self.store.write(move |tx| tx.remove_invitation_code(&key));
        match gone.await? {
            true => done(format!("{code} is deleted")),
            false => Err(Failure(format!("there is no code {code}"))),
        }
    }

    fn sessions(&self, after: Option<&str>) -> Answer {
        let after = after.unwrap_or_default();
        let mut sessions = self.sap.sessions(None);
        sessions.retain(|session| session.id.as_str() > after);
        sessions.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let more = sessions.len() > PAGE;
        sessions.truncate(PAGE);
        Answer::Sessions {
            sessions: sessions.into_iter().map(entry).collect(),
            more,
        }
    }

    /// A session of that identifier, else the sessions of the user of that address.
    async fn end(&self, which: &str) -> Result<Answer, Failure> {
        if self.sap.disconnect(&SessionId::new(which)).await {
            tracing::info!("a session was ended by the operator");
            return done("the session has ended");
        }
        let Ok(user) = UserId::parse(which, &self.domain) else {
            return Err(Failure(format!(
                "`{which}` is neither a session nor a user"
            )));
        };
        let mut ended = 0;
        for session in self.sap.sessions(Some(&user)) {
            ended += usize::from(self.sap.disconnect(&session.id).await);
        }
        if ended == 0 {
            return Err(Failure(format!(
                "there is no such session, and {user} has none"
            )));
        }
        tracing::info!(%user, ended, "sessions were ended by the operator");
        done(format!("{user}{}", and_ended(ended)))
    }

    async fn stats(&self) -> Result<Answer, Failure> {
        let sessions = self.sap.sessions(None);
        let mut online: Vec<&UserId> = sessions.iter().map(|session| &session.user).collect();
        online.sort_unstable();
        online.dedup();
        let store = self.store.metrics();
        let figures = [
            ("accounts", self.count_accounts().await?),
            ("sessions", sessions.len() as u64),
            ("users online", online.len() as u64),
            ("store operations since the start", store.transactions),
            ("store writes since the start", store.writes),
            ("store commits since the start", store.commits),
            (
                "store operations that wait",
                store.read_queue + store.write_queue,
            ),
        ];
        Ok(Answer::Stats {
            figures: figures.map(|(name, value)| (name.to_owned(), value)).into(),
        })
    }

    async fn count_accounts(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut after = None;
        loop {
            let from = after.take();
            let read = self.store.read(move |tx| tx.accounts(from.as_ref(), PAGE));
            let page = read.await?;
            count += page.len() as u64;
            match page.into_iter().next_back() {
                Some(last) => after = Some(last.user),
                None => return Ok(count),
            }
        }
    }

    fn user(&self, text: &str) -> Result<UserId, Failure> {
        UserId::parse(text, &self.domain).map_err(|error| Failure(error.to_string()))
    }

    /// A user that may have an account here (csp-access 3.7).
    fn home_user(&self, text: &str) -> Result<UserId, Failure> {
        let user = self.user(text)?;
        if user.domain_str() != self.domain.as_str() {
            return Err(Failure(format!(
                "{user} is not a user of {}; `--set domain=…` sets this server's domain",
                self.domain
            )));
        }
        Ok(user)
    }
}

fn numbers(texts: &[String]) -> Result<Vec<Msisdn>, Failure> {
    let number = |text: &String| {
        let wrong = || Failure(format!("`{text}` is no telephone number"));
        Msisdn::parse(text).ok_or_else(wrong)
    };
    texts.iter().map(number).collect()
}

/// Ten letters and digits that are not taken for each other: 50 bits.
fn new_code() -> Option<String> {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut octets = [0; 10];
    getrandom::fill(&mut octets).ok()?;
    let letter = |octet: u8| char::from(ALPHABET[usize::from(octet) % ALPHABET.len()]);
    Some(octets.into_iter().map(letter).collect())
}

fn entry(session: SessionSummary) -> SessionEntry {
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

/// `FIELD=VALUE`.
fn field(text: &str) -> Result<(ProfileField, String), Failure> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Failure(format!("`{text}` is not of the form FIELD=VALUE")))?;
    match ProfileField::from_name(name) {
        Some(field) => Ok((field, value.to_owned())),
        None => {
            let names: Vec<&str> = ProfileField::ALL.iter().map(|field| field.name()).collect();
            let names = names.join(", ");
            Err(Failure(format!(
                "there is no field `{name}`; there are {names}"
            )))
        }
    }
}

fn check_password(password: &str) -> Result<(), Failure> {
    match password {
        "" => Err(Failure("the password is empty".to_owned())),
        // No phone could send it.
        odd if odd.contains(char::is_control) => Err(Failure(
            "the password contains a control character".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// In the words of somebody who manages accounts, not of somebody who logs in.
fn refused(user: &UserId, refusal: Refusal) -> Failure {
    Failure(match refusal.code {
        StatusCode::FORBIDDEN => format!("{user} has an account already"),
        StatusCode::UNKNOWN_USER => format!("{user} has no account"),
        _ => format!("{user}: {}", refusal.description),
    })
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
