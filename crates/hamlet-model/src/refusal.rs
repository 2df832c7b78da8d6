//! What a service element answers when it does not, or only partly, do what was asked.

use crate::{ContactListId, Domain, GroupId, MessageId, StatusCode, UserId};
use serde::{Deserialize, Serialize};

/// Why some of the addressed entities failed: one block per code (csp-messages 3.1
/// DetailedResult; csp-access 1.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// The code that all listed entities share.
    pub code: StatusCode,
    /// Human-readable, English; empty for the code's own text.
    pub description: String,
    /// Users that failed, as full addresses.
    pub users: Vec<UserId>,
    /// Addresses that could not even be parsed, as they were given.
    pub malformed: Vec<String>,
    /// Groups that failed.
    pub groups: Vec<GroupId>,
    /// Messages that failed.
    pub messages: Vec<MessageId>,
    /// Contact lists that failed.
    pub contact_lists: Vec<ContactListId>,
    /// Domains that failed.
    pub domains: Vec<Domain>,
    /// Screen names that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub screen_names: Vec<GivenScreenName>,
    /// Search elements that failed, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search_elements: Vec<String>,
    /// Names that are no groups, contact lists or domains, as they were given.
    #[serde(default, skip_serializing_if = "Malformed::is_empty")]
    pub malformed_others: Malformed,
}

/// A screen name as it was given (data-types 1.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenScreenName {
    /// SName.
    pub name: String,
    /// The group that it would be valid in.
    pub group: String,
}

/// Addresses other than users' that could not be parsed, as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Malformed {
    /// Groups.
    pub groups: Vec<String>,
    /// Contact lists.
    pub contact_lists: Vec<String>,
    /// Domains.
    pub domains: Vec<String>,
}

impl Malformed {
    /// There are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Detail {
    /// A block without entities.
    pub fn new(code: StatusCode) -> Self {
        Self {
            code,
            description: String::new(),
            users: Vec::new(),
            malformed: Vec::new(),
            groups: Vec::new(),
            messages: Vec::new(),
            contact_lists: Vec::new(),
            domains: Vec::new(),
            screen_names: Vec::new(),
            search_elements: Vec::new(),
            malformed_others: Malformed::default(),
        }
    }
}

/// A refusal: status code, description and the offending identifiers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code} {description}")]
pub struct Refusal {
    /// The overall code.
    pub code: StatusCode,
    /// Human-readable, English.
    pub description: String,
    /// One block per code of the entities that failed.
    pub details: Vec<Detail>,
}

impl Refusal {
    /// A refusal with the code's own description and no details.
    pub fn new(code: StatusCode) -> Self {
        Self {
            code,
            description: code.description().to_owned(),
            details: Vec::new(),
        }
    }

    /// A refusal that says more than its code.
    pub fn because(code: StatusCode, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            details: Vec::new(),
        }
    }
}

impl From<StatusCode> for Refusal {
    fn from(code: StatusCode) -> Self {
        Self::new(code)
    }
}

/// Collects the failures of a request that addresses several entities, one block per code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    details: Vec<Detail>,
}

impl Failures {
    /// No failure yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The block for `code`, made if it is the first failure of that kind.
    pub fn block(&mut self, code: StatusCode) -> &mut Detail {
        let at = match self.details.iter().position(|d| d.code == code) {
            Some(at) => at,
            None => {
                self.details.push(Detail::new(code));
                self.details.len() - 1
            }
        };
        &mut self.details[at]
    }

    /// Notes that `user` failed with `code`.
    pub fn user(&mut self, code: StatusCode, user: UserId) {
        self.block(code).users.push(user);
    }

    /// Notes that `list` failed with `code`.
    pub fn contact_list(&mut self, code: StatusCode, list: ContactListId) {
        self.block(code).contact_lists.push(list);
    }

    /// Notes that what has these names failed with `code`; they are in its description.
    pub fn describe(&mut self, code: StatusCode, names: &[impl AsRef<str>]) {
        let description = &mut self.block(code).description;
        for name in names {
            if !description.is_empty() {
                description.push_str(", ");
            }
            description.push_str(name.as_ref());
        }
    }

    /// Takes over the blocks of another collection, merged by code.
    pub fn merge(&mut self, details: Vec<Detail>) {
        for detail in details {
            let block = self.block(detail.code);
            if block.description.is_empty() {
                block.description = detail.description;
            }
            block.users.extend(detail.users);
            block.malformed.extend(detail.malformed);
            block.groups.extend(detail.groups);
            block.messages.extend(detail.messages);
            block.contact_lists.extend(detail.contact_lists);
            block.domains.extend(detail.domains);
            block.screen_names.extend(detail.screen_names);
            block.search_elements.extend(detail.search_elements);
            let (all, more) = (&mut block.malformed_others, detail.malformed_others);
            all.groups.extend(more.groups);
            all.contact_lists.extend(more.contact_lists);
            all.domains.extend(more.domains);
        }
    }

    /// Whether a failure of `user` has been noted.
    pub fn names(&self, user: &UserId) -> bool {
        self.details
            .iter()
            .any(|detail| detail.users.contains(user))
    }

    /// Nothing failed.
    pub fn is_empty(&self) -> bool {
        self.details.is_empty()
    }

    /// The overall code (csp-im 5.3 item 9): 200 when nothing failed, 201 when something
    /// succeeded, the one code when all failures share it, else 900.
    pub fn overall(&self, something_succeeded: bool) -> StatusCode {
        match self.details.as_slice() {
            [] => StatusCode::OK,
            _ if something_succeeded => StatusCode::PARTIAL_SUCCESS,
            [only] => only.code,
            _ => StatusCode::MULTIPLE_ERRORS,
        }
    }

    /// The blocks.
    pub fn into_details(self) -> Vec<Detail> {
        self.details
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overall_code_follows_what_failed() {
        let user = |name: &str| UserId::parse(name, &Domain::parse("a").unwrap()).unwrap();
        let mut failures = Failures::new();
        assert_eq!(failures.overall(false), StatusCode::OK);
        failures.user(StatusCode::UNKNOWN_USER, user("x"));
        failures.user(StatusCode::UNKNOWN_USER, user("y"));
        assert_eq!(failures.overall(false), StatusCode::UNKNOWN_USER);
        assert_eq!(failures.overall(true), StatusCode::PARTIAL_SUCCESS);
        failures.user(StatusCode::BLOCKED, user("z"));
        assert_eq!(failures.overall(false), StatusCode::MULTIPLE_ERRORS);
        let details = failures.into_details();
        assert_eq!(details.len(), 2);
        assert_eq!(details[0].users.len(), 2);
    }
}
