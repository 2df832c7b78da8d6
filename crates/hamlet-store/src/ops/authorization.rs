//! Who may see whose presence: attribute lists, and what publishers were asked
//! (csp-presence 6).

use crate::ops::PURGE;
use crate::row::{Row, Value, values};
use crate::{StoreError, Tx};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{ContactListId, Timestamp, UserId};

/// To whom an attribute list applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeTarget {
    /// A user.
    User(UserId),
    /// The members of a contact list of the owner.
    ContactList(ContactListId),
    /// Everybody else.
    Default,
}

impl AttributeTarget {
    fn key(&self) -> &str {
        match self {
            Self::User(user) => user.as_str(),
            Self::ContactList(list) => list.as_str(),
            Self::Default => "",
        }
    }
}

/// An attribute list, with whether its owner wants to know of watchers who want more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeList {
    /// To whom it applies.
    pub target: AttributeTarget,
    /// What they may see; `None` when only `notify` has been set.
    pub attributes: Option<AttributeSet>,
    /// UserNotify, ContactListNotify or DefaultNotify.
    pub notify: bool,
}

/// How far a question about a watcher has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReactiveState {
    /// The publisher has only been told that the watcher wants more than he may see.
    Told,
    /// Asked, not answered.
    Pending,
    /// The publisher lets him see something.
    Granted,
    /// He does not.
    Denied,
}

impl ReactiveState {
    fn number(self) -> i64 {
        match self {
            Self::Told => 0,
            Self::Pending => 1,
            Self::Granted => 2,
            Self::Denied => 3,
        }
    }

    fn from_number(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Told),
            1 => Ok(Self::Pending),
            2 => Ok(Self::Granted),
            3 => Ok(Self::Denied),
            other => Err(StoreError::Corrupt(format!("reactive state {other}"))),
        }
    }
}

/// What a publisher was asked about a watcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactiveAuthorization {
    /// Who asks.
    pub watcher: UserId,
    /// How far it has come.
    pub state: ReactiveState,
    /// What he asks for.
    pub requested: AttributeSet,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When the publisher was last told that he asks for more than he may see; the beginning
    /// of time for never.
    pub told: Timestamp,
    /// What that was.
    pub missing: AttributeSet,
    /// The push by which the publisher's clients are asked.
    pub push: Option<String>,
}

fn attribute_list(row: &Row<'_>) -> Result<AttributeList, StoreError> {
    let target = match row.text(0)? {
        "" => AttributeTarget::Default,
        text if text.contains('/') => AttributeTarget::ContactList(row.contact_list(0)?),
        _ => AttributeTarget::User(row.user(0)?),
    };
    Ok(AttributeList {
        target,
        // -1: no column of theirs is ever below 0.
        attributes: match row.int(1)? {
            -1 => None,
            _ => Some(AttributeSet::from_bits(row.number(1)?)),
        },
        notify: row.flag(2)?,
    })
}

fn reactive(row: &Row<'_>) -> Result<ReactiveAuthorization, StoreError> {
    Ok(ReactiveAuthorization {
        watcher: row.user(0)?,
        state: ReactiveState::from_number(row.int(1)?)?,
        requested: AttributeSet::from_bits(row.number(2)?),
        since: row.time(3)?,
        told: row.time(4)?,
        missing: AttributeSet::from_bits(row.number(5)?),
        push: row.opt_text(6)?.map(str::to_owned),
    })
}

impl Tx<'_> {
    /// All attribute lists of an owner.
    pub fn attribute_lists(&mut self, owner: &UserId) -> Result<Vec<AttributeList>, StoreError> {
        self.query(
            "SELECT target, coalesce(attributes, -1), notify FROM attribute_list
             WHERE owner = ?1 ORDER BY target",
            values![owner],
            attribute_list,
        )
    }

    /// One of them.
    pub fn attribute_list(
        &mut self,
        owner: &UserId,
        target: &AttributeTarget,
    ) -> Result<Option<AttributeList>, StoreError> {
        self.query_one(
            "SELECT target, coalesce(attributes, -1), notify FROM attribute_list
             WHERE owner = ?1 AND target = ?2",
            values![owner, target.key()],
            attribute_list,
        )
    }

    /// Keeps one, in place of the one with its target.
    pub fn put_attribute_list(
        &mut self,
        owner: &UserId,
        list: &AttributeList,
    ) -> Result<(), StoreError> {
        let notify = Value::from(list.notify);
        let (owner, target) = (Value::from(owner), Value::from(list.target.key()));
        // A parameter that is NULL has no type of its own.
        let (sql, values): (&'static str, Vec<Value<'_>>) = match list.attributes {
            Some(set) => (
                "INSERT INTO attribute_list (owner, target, notify, attributes)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (owner, target) DO UPDATE
                 SET notify = excluded.notify, attributes = excluded.attributes",
                vec![owner, target, notify, Value::from(set.bits())],
            ),
            None => (
                "INSERT INTO attribute_list (owner, target, notify, attributes)
                 VALUES (?1, ?2, ?3, NULL) ON CONFLICT (owner, target) DO UPDATE
                 SET notify = excluded.notify, attributes = NULL",
                vec![owner, target, notify],
            ),
        };
        self.execute(sql, &values).map(drop)
    }

    /// Removes one; `false` when there was none.
    pub fn remove_attribute_list(
        &mut self,
        owner: &UserId,
        target: &AttributeTarget,
    ) -> Result<bool, StoreError> {
        let removed = self.execute(
            "DELETE FROM attribute_list WHERE owner = ?1 AND target = ?2",
            values![owner, target.key()],
        )?;
        Ok(removed == 1)
    }

    /// The owners who let a user see something, or expressly nothing, by a list of his own.
    pub fn authorizers_of(&mut self, user: &UserId) -> Result<Vec<UserId>, StoreError> {
        self.query(
            "SELECT owner FROM attribute_list WHERE target = ?1 ORDER BY owner",
            values![user],
            |row| row.user(0),
        )
    }

    /// The members of all contact lists of an owner, list by list.
    pub fn memberships(
        &mut self,
        owner: &UserId,
    ) -> Result<Vec<(ContactListId, UserId)>, StoreError> {
        self.query(
            "SELECT list, user_id FROM contact WHERE list IN
                 (SELECT id FROM contact_list WHERE owner = ?1) ORDER BY list",
            values![owner],
            |row| Ok((row.contact_list(0)?, row.user(1)?)),
        )
    }

    /// What a publisher was asked about a watcher.
    pub fn reactive_authorization(
        &mut self,
        publisher: &UserId,
        watcher: &UserId,
    ) -> Result<Option<ReactiveAuthorization>, StoreError> {
        self.query_one(
            "SELECT watcher, state, requested, since, told, missing, push FROM reactive_authorization
             WHERE publisher = ?1 AND watcher = ?2",
            values![publisher, watcher],
            reactive,
        )
    }

    /// At most `limit` of what a publisher was asked, the latest first.
    pub fn reactive_authorizations(
        &mut self,
        publisher: &UserId,
        limit: usize,
    ) -> Result<Vec<ReactiveAuthorization>, StoreError> {
        self.query(
            "SELECT watcher, state, requested, since, told, missing, push FROM reactive_authorization
             WHERE publisher = ?1 AND state > 0 ORDER BY since DESC, watcher LIMIT ?2",
            values![publisher, limit],
            reactive,
        )
    }

    /// How much a publisher was asked or told that is not answered.
    pub fn count_unanswered(&mut self, publisher: &UserId) -> Result<usize, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM reactive_authorization WHERE publisher = ?1 AND state <= 1",
            values![publisher],
            |row| row.number(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Keeps what a publisher was asked about a watcher.
    pub fn put_reactive_authorization(
        &mut self,
        publisher: &UserId,
        row: &ReactiveAuthorization,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO reactive_authorization
                 (publisher, watcher, state, requested, since, told, missing, push)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (publisher, watcher) DO UPDATE
             SET state = excluded.state, requested = excluded.requested,
                 since = excluded.since, told = excluded.told, missing = excluded.missing,
                 push = excluded.push",
            values![
                publisher,
                &row.watcher,
                row.state.number(),
                row.requested.bits(),
                row.since,
                row.told,
                row.missing.bits(),
                row.push.as_deref()
            ],
        )
        .map(drop)
    }

    /// Forgets what a publisher was asked about a watcher; what it was.
    pub fn remove_reactive_authorization(
        &mut self,
        publisher: &UserId,
        watcher: &UserId,
    ) -> Result<Option<ReactiveAuthorization>, StoreError> {
        let known = self.reactive_authorization(publisher, watcher)?;
        if known.is_some() {
            self.execute(
                "DELETE FROM reactive_authorization WHERE publisher = ?1 AND watcher = ?2",
                values![publisher, watcher],
            )?;
        }
        Ok(known)
    }

    /// Forgets questions that nobody has answered since `before`, at most some thousands; how
    /// many.
    pub fn purge_unanswered(
        &mut self,
        told_before: Timestamp,
        asked_before: Timestamp,
    ) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM reactive_authorization WHERE (publisher, watcher) IN
                 (SELECT publisher, watcher FROM reactive_authorization
                  WHERE (state = 0 AND since <= ?1) OR (state = 1 AND since <= ?2)
                  ORDER BY since LIMIT ?3)",
            values![told_before, asked_before, PURGE],
        )
    }
}
