//! Result and DetailedResult as values (csp-messages 3.1).

use hamlet_csp::elements::{CspResult, DetailedResult};
use hamlet_model::StatusCode;
use std::fmt;
use std::time::Duration;

/// Status code, description and the failed identifiers, as the server gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The overall code; 500 when the server sent none.
    pub code: StatusCode,
    /// Human-readable; empty when the server sent none.
    pub description: String,
    /// One block per code of the entities that failed.
    pub details: Vec<Detail>,
    /// When to try again (1.3).
    pub try_again: Option<Duration>,
}

/// The entities that failed with one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Their code.
    pub code: StatusCode,
    /// Human-readable; empty when the server sent none.
    pub description: String,
    /// Users.
    pub users: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Screen names, each with its group.
    pub screen_names: Vec<(String, String)>,
    /// Messages.
    pub messages: Vec<String>,
    /// Contact lists.
    pub contact_lists: Vec<String>,
    /// Domains.
    pub domains: Vec<String>,
}

impl Refusal {
    pub(crate) fn new(code: StatusCode, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            details: Vec::new(),
            try_again: None,
        }
    }

    /// The code that a user failed with, looked up in the details without regard to case.
    pub fn code_of_user(&self, user: &str) -> Option<StatusCode> {
        code_of_user(&self.details, user)
    }
}

/// The code of `user` in `details`.
pub(crate) fn code_of_user(details: &[Detail], user: &str) -> Option<StatusCode> {
    let is_user = |given: &String| given.eq_ignore_ascii_case(user);
    details
        .iter()
        .find(|detail| detail.users.iter().any(is_user))
        .map(|detail| detail.code)
}

/// `None` for a missing Result is an internal error of the server.
impl From<Option<CspResult>> for Refusal {
    fn from(result: Option<CspResult>) -> Self {
        let Some(result) = result else {
            return Self::new(StatusCode::INTERNAL_ERROR, "the answer has no Result");
        };
        Self {
            code: code(result.code),
            description: result.description.map(String::from).unwrap_or_default(),
            details: result
                .detailed_result
                .into_iter()
                .map(Detail::from)
                .collect(),
            try_again: result
                .try_again_timeout
                .map(|secs| Duration::from_secs(secs.into())),
        }
    }
}

impl From<DetailedResult> for Detail {
    fn from(detail: DetailedResult) -> Self {
        let texts = |list: Vec<hamlet_csp::Text>| list.into_iter().map(String::from).collect();
        Self {
            code: code(detail.code),
            description: detail.description.map(String::from).unwrap_or_default(),
            users: texts(detail.user_id),
            groups: texts(detail.group_id),
            screen_names: detail
                .screen_name
                .into_iter()
                .map(|name| {
                    (
                        name.sname.map(String::from).unwrap_or_default(),
                        name.group_id.map(String::from).unwrap_or_default(),
                    )
                })
                .collect(),
            messages: texts(detail.message_id),
            contact_lists: texts(detail.contact_list),
            domains: texts(detail.domain),
        }
    }
}

pub(crate) fn code(code: Option<u32>) -> StatusCode {
    code.and_then(|code| u16::try_from(code).ok())
        .map_or(StatusCode::INTERNAL_ERROR, StatusCode)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.description.as_str() {
            "" => self.code.description(),
            text => text,
        };
        write!(f, "{} {text}", self.code)?;
        self.details
            .iter()
            .try_for_each(|detail| write!(f, "; {detail}"))
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if !self.description.is_empty() {
            write!(f, " {}", self.description)?;
        }
        let lists = [
            &self.users,
            &self.groups,
            &self.messages,
            &self.contact_lists,
            &self.domains,
        ];
        lists
            .into_iter()
            .flatten()
            .try_for_each(|entity| write!(f, " {entity}"))?;
        self.screen_names
            .iter()
            .try_for_each(|(name, group)| write!(f, " {name} in {group}"))
    }
}
