//! Which users a search finds (data-types 5). A statement is made for each search: what it
//! asks for becomes a condition on the rows of `profile`, and a part of it that an index
//! answers, its anchor, leads to them. What a search costs is therefore what its anchor
//! finds, not the size of the table.

mod anchor;
mod condition;
pub(crate) mod groups;

use self::anchor::{Anchor, anchors};
use self::condition::Statement;
use crate::{StoreError, Tx};
use hamlet_model::UserId;
use hamlet_model::profile::{Gender, MaritalStatus};
use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::time::Instant;

/// What a user has to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criterion {
    /// A text has this in it, whatever the case; a string of one or two characters counts at
    /// the beginnings of words only.
    Contains(SearchedText, String),
    /// The user part of the address has this in it, possibly at its start or end.
    UserName {
        /// The part.
        part: String,
        /// Nothing may be before it.
        from_start: bool,
        /// Nothing may be after it.
        to_end: bool,
    },
    /// The e-mail address, whatever the case.
    Email(String),
    /// The phone number, in the form of [`hamlet_model::msisdn::normalise`].
    Mobile(String),
    /// One of these.
    OneOf(Vec<UserId>),
    /// At least so many years old.
    AgeAtLeast(u32),
    /// At most so many years old.
    AgeAtMost(u32),
    /// Of this gender.
    Gender(Gender),
    /// Of this marital status.
    MaritalStatus(MaritalStatus),
    /// Everything of this.
    All(Vec<Criterion>),
    /// Anything of this.
    Any(Vec<Criterion>),
    /// Not this.
    Not(Box<Criterion>),
}

/// A text that can be searched for its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchedText {
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// Friendly name.
    FriendlyName,
    /// The published presence attribute Alias.
    Alias,
    /// E-mail address.
    Email,
    /// Phone number.
    Mobile,
    /// Country.
    Country,
    /// Town.
    City,
    /// Intention.
    Intention,
    /// Interests and hobbies.
    Interests,
}

impl Criterion {
    /// Whether an index leads to what it asks for. A search for everybody who is not
    /// something has none, and is not carried out.
    pub fn is_selective(&self) -> bool {
        anchors(self).is_some()
    }
}

/// A search.
#[derive(Debug, Clone)]
pub struct Search {
    /// What is sought.
    pub criterion: Criterion,
    /// Users that are not found.
    pub hidden: HashSet<UserId>,
    /// Most users that are wanted.
    pub limit: usize,
    /// When to give up.
    pub deadline: Instant,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The users, in the order of their addresses.
    pub users: Vec<UserId>,
    /// There are more than were wanted.
    pub more: bool,
}

impl Tx<'_> {
    /// Carries out a search among the users who want to be found. Fails with
    /// [`StoreError::TimedOut`] at its deadline; what is not selective finds nobody.
    pub fn search(&mut self, search: &Search) -> Result<Found, StoreError> {
        let mut found = BTreeSet::new();
        self.hurry(search.deadline)?;
        for anchor in anchors(&search.criterion).unwrap_or_default() {
            self.follow(&anchor, search, &mut found)?;
            if found.len() > search.limit {
                break;
            }
        }
        let more = found.len() > search.limit;
        Ok(Found {
            users: found.into_iter().take(search.limit).collect(),
            more,
        })
    }

    fn follow(
        &mut self,
        anchor: &Anchor<'_>,
        search: &Search,
        found: &mut BTreeSet<UserId>,
    ) -> Result<(), StoreError> {
        let mut statement = Statement::new(self.engine());
        // Of what is hidden or known already as many as there are may come in between.
        let enough = search.limit + 1 + search.hidden.len() + found.len();
        statement.search(anchor, &search.criterion, enough)?;
        let (sql, values) = statement.finished();
        let values: Vec<_> = values.iter().map(condition::Parameter::value).collect();
        self.scan(&sql, &values, |row| {
            if Instant::now() >= search.deadline {
                return Err(StoreError::TimedOut);
            }
            if row.flag(1)? {
                let user = row.user(0)?;
                if !search.hidden.contains(&user) {
                    found.insert(user);
                }
            }
            Ok(match found.len() > search.limit {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })
    }
}
