//! System messages (csp-access 12).

use super::{Failure, Operations, done};
use crate::control::{
    Answer, PAGE, SystemMessageDraft, SystemMessageEntry, SystemMessageTo, SystemMessageUserEntry,
};
use hamlet_elements::system_message::{
    AnswerOption, Audience, Overview, Question, SystemMessage, Verification,
};
use hamlet_model::{Refusal, UserId};
use hamlet_store::SystemMessageState;
use std::collections::BTreeSet;
use std::time::Duration;

/// Messages of one answer: their texts may be long.
const FEW: usize = 200;

impl Operations {
    pub(super) async fn send_system_message(
        &self,
        draft: SystemMessageDraft,
        to: SystemMessageTo,
    ) -> Result<Answer, Failure> {
        if draft.days == 0 {
            return Err(Failure("it needs at least one day".into()));
        }
        let life = Duration::from_secs(u64::from(draft.days) * 86_400);
        let message = self.system_message_of(draft)?;
        let (audience, whom) = match to {
            SystemMessageTo::Everyone => (Audience::Everyone, "everyone".to_owned()),
            SystemMessageTo::Online => {
                let sessions = self.sap.sessions(None);
                let users: BTreeSet<UserId> =
                    sessions.into_iter().map(|session| session.user).collect();
                let users: Vec<UserId> = users.into_iter().collect();
                let whom = count(users.len());
                (Audience::Users(users), whom)
            }
            SystemMessageTo::Users(users) => {
                let users = self.home_users(&users)?;
                let whom = count(users.len());
                (Audience::Users(users), whom)
            }
        };
        if audience == Audience::Users(Vec::new()) {
            return Err(Failure("there is nobody to send it to".into()));
        }
        let elements = self.sap.elements();
        let sent = elements.send_system_message(message, audience, life).await;
        let number = sent.map_err(said)?;
        tracing::info!(number, to = whom, "system message sent by the operator");
        Ok(Answer::SystemMessageSent {
            number,
            text: format!("system message {number} is sent to {whom}"),
        })
    }

    pub(super) async fn add_to_system_message(
        &self,
        number: i64,
        users: &[String],
    ) -> Result<Answer, Failure> {
        let users = self.home_users(users)?;
        let whom = count(users.len());
        let elements = self.sap.elements();
        let added = elements.add_to_system_message(number, users).await;
        added.map_err(said)?;
        done(format!("system message {number} is sent to {whom}"))
    }

    pub(super) async fn system_messages(&self, after: i64) -> Result<Answer, Failure> {
        let messages = self.sap.elements().system_messages(after, FEW).await?;
        Ok(Answer::SystemMessages {
            more: messages.len() == FEW,
            messages: messages.into_iter().map(entry).collect(),
        })
    }

    pub(super) async fn system_message(
        &self,
        number: i64,
        after: Option<String>,
    ) -> Result<Answer, Failure> {
        let elements = self.sap.elements();
        let after = after.unwrap_or_default();
        let found = elements.system_message(number, after, PAGE).await?;
        let mut found = found.ok_or_else(|| none(number))?;
        let users = std::mem::take(&mut found.users);
        let options = std::mem::take(&mut found.message.options);
        Ok(Answer::SystemMessage {
            options: options.into_iter().map(|option| option.text).collect(),
            more: users.len() == PAGE,
            users: users
                .into_iter()
                .map(|user| SystemMessageUserEntry {
                    user: user.user.to_string(),
                    state: state(user.state).to_owned(),
                    choice: user.choice,
                    changed: user.changed,
                })
                .collect(),
            message: entry(found),
        })
    }

    pub(super) async fn cancel_system_message(&self, number: i64) -> Result<Answer, Failure> {
        match self.sap.elements().cancel_system_message(number).await? {
            true => {
                tracing::info!(number, "system message cancelled by the operator");
                done(format!("nobody gets system message {number} any more"))
            }
            false => Err(none(number)),
        }
    }

    fn home_users(&self, users: &[String]) -> Result<Vec<UserId>, Failure> {
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
                return Err(Failure("there is a question or a picture, not both".into()));
            }
        };
        let verification = match (question, draft.key) {
            (Some(question), Some(key)) => Some(Verification { question, key }),
            (None, None) => None,
            _ => {
                let why = "a question or picture and the key belong together";
                return Err(Failure(why.into()));
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

fn entry(found: Overview) -> SystemMessageEntry {
    let states = found.states.into_iter();
    SystemMessageEntry {
        number: found.number,
        text: found.message.text,
        everyone: found.everyone,
        created: found.created,
        expires: found.expires,
        states: states
            .map(|(of, count)| (state(of).to_owned(), count as u64))
            .collect(),
    }
}

fn state(state: SystemMessageState) -> &'static str {
    match state {
        SystemMessageState::Waiting => "waiting",
        SystemMessageState::Shown => "shown",
        SystemMessageState::Answered => "answered",
        SystemMessageState::Delivered => "delivered",
    }
}

fn count(users: usize) -> String {
    match users {
        1 => "one user".to_owned(),
        count => format!("{count} users"),
    }
}

fn none(number: i64) -> Failure {
    Failure(format!("there is no system message {number}"))
}

fn said(refusal: Refusal) -> Failure {
    Failure(refusal.description)
}
