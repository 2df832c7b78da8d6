//! Which groups a search finds (data-types 5). What each part of it finds is a set of
//! addresses, and these are combined: a server has few groups beside its users.

use super::condition::{expression, pattern};
use crate::ops::profile::fold::sought;
use crate::row::values;
use crate::tx::Engine;
use crate::{StoreError, Tx};
use hamlet_model::{GroupId, UserId};
use std::collections::BTreeSet;
use std::time::Instant;

/// What a group has to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupCriterion {
    /// A text has this in it, whatever the case; only of groups that want to be found.
    Contains(GroupText, String),
    /// The user is joined in it.
    Joined(UserId),
    /// The user owns it.
    Owner(UserId),
    /// The user joins it automatically.
    AutoJoin(UserId),
    /// Everything of this.
    All(Vec<GroupCriterion>),
    /// Anything of this.
    Any(Vec<GroupCriterion>),
    /// Not this; only beside something else that must be.
    Not(Box<GroupCriterion>),
}

/// A text that can be searched for its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupText {
    /// The address.
    Id,
    /// The name.
    Name,
    /// The topic.
    Topic,
}

impl GroupText {
    fn column(self) -> &'static str {
        match self {
            Self::Id => "id_text",
            Self::Name => "name_text",
            Self::Topic => "topic_text",
        }
    }
}

impl GroupCriterion {
    /// Whether it says what a group is like, not only what it is not.
    pub fn is_selective(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(Self::is_selective),
            Self::Any(parts) => parts.iter().all(Self::is_selective),
            Self::Not(inner) => match &**inner {
                Self::Not(criterion) => criterion.is_selective(),
                _ => false,
            },
            _ => true,
        }
    }
}

impl Tx<'_> {
    /// The groups that are found by `searcher`, in the order of their addresses: those that
    /// want to be found, and those that he is joined in, owns or joins automatically when he
    /// asks for that. Fails with [`StoreError::TimedOut`] at the deadline; what is not
    /// selective finds nothing.
    pub fn search_groups(
        &mut self,
        criterion: &GroupCriterion,
        searcher: &UserId,
        deadline: Instant,
    ) -> Result<Vec<GroupId>, StoreError> {
        self.hurry(deadline)?;
        let mut finder = Finder {
            tx: self,
            searcher,
            deadline,
        };
        let found = finder.found(criterion)?;
        Ok(found.unwrap_or_default().into_iter().collect())
    }
}

struct Finder<'a, 'c> {
    tx: &'a mut Tx<'c>,
    searcher: &'a UserId,
    deadline: Instant,
}

impl Finder<'_, '_> {
    /// `None`: all but some.
    fn found(
        &mut self,
        criterion: &GroupCriterion,
    ) -> Result<Option<BTreeSet<GroupId>>, StoreError> {
        if Instant::now() >= self.deadline {
            return Err(StoreError::TimedOut);
        }
        Ok(match criterion {
            GroupCriterion::Contains(text, part) => Some(self.containing(*text, part)?),
            GroupCriterion::Joined(user) => Some(self.of(
                user,
                "SELECT DISTINCT j.group_id FROM group_joined AS j
                 JOIN chat_group AS g ON g.id = j.group_id
                 WHERE j.user_id = ?1 AND (?2 = 1 OR g.id_text <> '')",
            )?),
            GroupCriterion::Owner(user) => Some(self.of(
                user,
                "SELECT id FROM chat_group WHERE owner = ?1 AND (?2 = 1 OR id_text <> '')",
            )?),
            GroupCriterion::AutoJoin(user) => Some(self.of(
                user,
                "SELECT m.group_id FROM group_member AS m
                 JOIN chat_group AS g ON g.id = m.group_id
                 WHERE m.user_id = ?1 AND m.auto_join = 1 AND (?2 = 1 OR g.id_text <> '')",
            )?),
            GroupCriterion::All(parts) => self.all(parts)?,
            GroupCriterion::Any(parts) => {
                let mut any = BTreeSet::new();
                for part in parts {
                    match self.found(part)? {
                        Some(found) => any.extend(found),
                        None => return Ok(None),
                    }
                }
                Some(any)
            }
            GroupCriterion::Not(inner) => match &**inner {
                GroupCriterion::Not(criterion) => self.found(criterion)?,
                _ => None,
            },
        })
    }

    fn all(&mut self, parts: &[GroupCriterion]) -> Result<Option<BTreeSet<GroupId>>, StoreError> {
        let mut all: Option<BTreeSet<GroupId>> = None;
        for part in parts {
            if let Some(found) = self.found(part)? {
                all = Some(match all {
                    Some(all) => all.intersection(&found).cloned().collect(),
                    None => found,
                });
            }
        }
        let Some(mut all) = all else {
            return Ok(None);
        };
        for part in parts {
            if let GroupCriterion::Not(inner) = part
                && let Some(found) = self.found(inner)?
            {
                all.retain(|group| !found.contains(group));
            }
        }
        Ok(Some(all))
    }

    fn of(&mut self, user: &UserId, sql: &'static str) -> Result<BTreeSet<GroupId>, StoreError> {
        let is_own = user == self.searcher;
        let found = self
            .tx
            .query(sql, values![user, is_own], |row| row.group(0))?;
        Ok(found.into_iter().collect())
    }

    fn containing(&mut self, text: GroupText, part: &str) -> Result<BTreeSet<GroupId>, StoreError> {
        let (column, part) = (text.column(), sought(part));
        if part.is_empty() {
            return Ok(BTreeSet::new());
        }
        let found = match self.tx.engine() {
            Engine::Sqlite => {
                // Only in this order does the index lead.
                let sql = match text {
                    GroupText::Id => {
                        "SELECT g.id FROM chat_group_text AS f CROSS JOIN chat_group AS g
                         ON g.seq = f.rowid
                         WHERE f.chat_group_text MATCH ?1 AND instr(g.id_text, ?2) > 0"
                    }
                    GroupText::Name => {
                        "SELECT g.id FROM chat_group_text AS f CROSS JOIN chat_group AS g
                         ON g.seq = f.rowid
                         WHERE f.chat_group_text MATCH ?1 AND instr(g.name_text, ?2) > 0"
                    }
                    GroupText::Topic => {
                        "SELECT g.id FROM chat_group_text AS f CROSS JOIN chat_group AS g
                         ON g.seq = f.rowid
                         WHERE f.chat_group_text MATCH ?1 AND instr(g.topic_text, ?2) > 0"
                    }
                };
                let trigrams = expression(&[(column, part.clone())]);
                self.tx
                    .query(sql, values![&trigrams, &part], |row| row.group(0))?
            }
            Engine::Postgres => {
                let sql = match text {
                    GroupText::Id => "SELECT id FROM chat_group WHERE id_text LIKE ?1",
                    GroupText::Name => "SELECT id FROM chat_group WHERE name_text LIKE ?1",
                    GroupText::Topic => "SELECT id FROM chat_group WHERE topic_text LIKE ?1",
                };
                self.tx
                    .query(sql, values![&pattern(&part)], |row| row.group(0))?
            }
        };
        Ok(found.into_iter().collect())
    }
}
