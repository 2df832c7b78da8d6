//! What a system message is.

use hamlet_model::{Timestamp, UserId};
use hamlet_store::{SystemMessageState, SystemMessageUser};
use serde::{Deserialize, Serialize};

/// A text of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemMessage {
    /// What it says.
    pub text: String,
    /// What can be chosen; numbers from 1.
    pub options: Vec<AnswerOption>,
    /// A question that has to be answered rightly.
    pub verification: Option<Verification>,
    /// Whoever gets it has to answer.
    pub requires_response: bool,
    /// Who does not answer it does not get in (csp-access 3.3 item 15).
    pub at_login: bool,
    /// Clients that know no system messages get the text as a message of this user.
    pub as_message_from: Option<UserId>,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerOption {
    /// What it says.
    pub text: String,
    /// Who chooses it does not get in.
    pub refuses: bool,
}

/// A question with its only right answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The question.
    pub question: Question,
    /// The right answer; case does not matter.
    pub key: String,
}

/// What only a human being can answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// In words.
    Text(String),
    /// A picture that shows the answer, by its address.
    Picture(String),
}

/// For whom a system message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// All users, also those who register later.
    Everyone,
    /// These.
    Users(Vec<UserId>),
}

/// A system message as users get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemMessageShown {
    /// Its number.
    pub number: i64,
    /// The message.
    pub message: SystemMessage,
}

impl SystemMessageShown {
    /// SystemMessageID; also the name of the push that brings it.
    pub fn id(&self) -> String {
        id_of(self.number)
    }

    /// The number in a SystemMessageID.
    pub(crate) fn number_of(id: &str) -> Option<i64> {
        id.strip_prefix("sm-")?.parse().ok()
    }
}

pub(super) fn id_of(number: i64) -> String {
    format!("sm-{number}")
}

/// What a user answers to one system message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// SystemMessageID.
    pub id: String,
    /// The number of the option chosen.
    pub choice: Option<u32>,
    /// The answer to the question.
    pub key: Option<String>,
}

/// What a user answers to system messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// One for each message.
    pub given: Vec<Given>,
}

/// A system message for the operator's eyes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Its number.
    pub number: i64,
    /// The message.
    pub message: SystemMessage,
    /// It is for all users.
    pub everyone: bool,
    /// When it was made.
    pub created: Timestamp,
    /// From when nobody gets it any more.
    pub expires: Timestamp,
    /// How many users are in which state; of one that is for everyone, only who has got it.
    pub states: Vec<(SystemMessageState, usize)>,
    /// Some of them, in the order of their addresses.
    pub users: Vec<SystemMessageUser>,
}
