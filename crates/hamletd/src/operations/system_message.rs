//! System messages (csp-access 12).

use super::{Actor, Failure, FailureKind, Operations, Page};
use crate::control::{SystemMessageDraft, SystemMessageTo};
use hamlet_elements::system_message::{
    AnswerOption, Audience, Overview, Question, SystemMessage, Verification,
};
use hamlet_model::{Refusal, StatusCode, UserId};
use std::collections::BTreeSet;
use std::time::Duration;

/// Most users of one request.
const MAX_USERS: usize = 10_000;

impl Operations {
    /// Sends a system message; its number, and to how many users, `None` for everyone.
    pub async fn send_system_message(
        &self,
        by: &Actor,
        draft: SystemMessageDraft,
        to: SystemMessageTo,
    ) -> Result<(i64, Option<usize>), Failure> {
        let target = match &to {
            SystemMessageTo::Everyone => "everyone".to_owned(),
            SystemMessageTo::Online => "everyone online".to_owned(),
            SystemMessageTo::Users(users) => self.targets(users),
        };
        let send = async {
            if draft.days == 0 {
                return Err(Failure::invalid("it needs at least one day"));
            }
            let life = Duration::from_secs(u64::from(draft.days) * 86_400);
            let message = self.system_message_of(draft)?;
            let users = match to {
                SystemMessageTo::Everyone => None,
                SystemMessageTo::Online => {
                    let sessions = self.sap.sessions(None);
                    let users: BTreeSet<UserId> =
                        sessions.into_iter().map(|session| session.user).collect();
                    Some(users.into_iter().collect())
                }
                SystemMessageTo::Users(users) => Some(self.home_users(&users)?),
            };
            let count = users.as_ref().map(Vec::len);
            if count == Some(0) {
                return Err(Failure::invalid("there is nobody to send it to"));
            }
            let audience = users.map_or(Audience::Everyone, Audience::Users);
            let elements = self.sap.elements();
            let sent = elements.send_system_message(message, audience, life).await;
            Ok((sent.map_err(said)?, count))
        };
        self.audited(by, "system-message.send", &target, send).await
    }

    /// Sends a system message to more users; to how many.
    pub async fn add_to_system_message(
        &self,
        by: &Actor,
        number: i64,
        users: &[String],
    ) -> Result<usize, Failure> {
        let target = format!("{number} to {}", self.targets(users));
        let add = async {
            let users = self.home_users(users)?;
            let count = users.len();
            let elements = self.sap.elements();
            let added = elements.add_to_system_message(number, users).await;
            added.map_err(said)?;
            Ok(count)
        };
        self.audited(by, "system-message.add", &target, add).await
    }

    /// System messages in the order of their numbers, without their users.
    pub async fn system_messages(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Page<Overview>, Failure> {
        let elements = self.sap.elements();
        let found = elements.system_messages(after, limit.saturating_add(1));
        Ok(Page::of(found.await?, limit))
    }

    /// A system message with its users, in the order of their addresses; whether there are
    /// more of them.
    pub async fn system_message(
        &self,
        number: i64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Overview, bool), Failure> {
        let elements = self.sap.elements();
        let after = after.unwrap_or_default().to_owned();
        let found = elements.system_message(number, after, limit.saturating_add(1));
        let mut found = found.await?.ok_or_else(|| none(number))?;
        let Page { entries, more } = Page::of(std::mem::take(&mut found.users), limit);
        found.users = entries;
        Ok((found, more))
    }

    /// Nobody gets a system message from now on.
    pub async fn cancel_system_message(&self, by: &Actor, number: i64) -> Result<(), Failure> {
        let cancel = async {
            match self.sap.elements().cancel_system_message(number).await? {
                true => Ok(()),
                false => Err(none(number)),
            }
        };
        let target = number.to_string();
        self.audited(by, "system-message.cancel", &target, cancel)
            .await
    }

    /// How the audit log names several users.
    fn targets(&self, users: &[String]) -> String {
        match users {
            [user] => self.target(user),
            users => format!("{} users", users.len()),
        }
    }

    fn home_users(&self, users: &[String]) -> Result<Vec<UserId>, Failure> {
        if users.len() > MAX_USERS {
            let why = format!("more than {MAX_USERS} users at a time");
            return Err(Failure::invalid(why));
        }
        users.iter().map(|user| self.home_user(user)).collect()
    }

    fn system_message_of(&self, draft: SystemMessageDraft) -> Result<SystemMessage, Failure> {
        let options = draft.options.into_iter().map(|text| (text, false));
        let refusals = draft.refusals.into_iter().map(|text| (text, true));
        let options: Vec<AnswerOption> = options
            .chain(refusals)
            .map(|(text, refuses)| AnswerOption { text, refuses })
            .collect();
        let question = match (draft.question, draft.picture) {
            (Some(text), None) => Some(Question::Text(text)),
            (None, Some(url)) => Some(Question::Picture(url)),
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(Failure::invalid(
                    "there is a question or a picture, not both",
                ));
            }
        };
        let verification = match (question, draft.key) {
            (Some(question), Some(key)) => Some(Verification { question, key }),
            (None, None) => None,
            _ => {
                let why = "a question or picture and the key belong together";
                return Err(Failure::invalid(why));
            }
        };
        let from = draft.message_from.as_deref();
        Ok(SystemMessage {
            text: draft.text,
            requires_response: draft.must_answer || !options.is_empty() || verification.is_some(),
            options,
            verification,
            at_login: draft.at_login,
            as_message_from: from.map(|user| self.home_user(user)).transpose()?,
        })
    }
}

fn none(number: i64) -> Failure {
    Failure::missing(format!("there is no system message {number}"))
}

fn said(refusal: Refusal) -> Failure {
    let kind = match refusal.code {
        StatusCode::NOT_FOUND | StatusCode::UNKNOWN_USER => FailureKind::Missing,
        StatusCode::SERVICE_UNAVAILABLE => FailureKind::Unavailable,
        StatusCode::INTERNAL_ERROR => FailureKind::Internal,
        _ => FailureKind::Invalid,
    };
    Failure::new(kind, refusal.description)
}
