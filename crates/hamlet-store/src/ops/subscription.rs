//! Presence subscriptions, and the lists whose members are subscribed as they come
//! (csp-presence 4.3, 4.4).

use crate::row::{Row, to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{ContactListId, SessionId, UserId};
use std::collections::BTreeMap;

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subscriber {
    /// A session of this server.
    Session {
        /// The session.
        id: SessionId,
        /// Whose it is.
        user: UserId,
    },
    /// A user of another domain, which distributes to his sessions.
    Domain {
        /// The user.
        user: UserId,
    },
}

impl Subscriber {
    /// The user.
    pub fn user(&self) -> &UserId {
        match self {
            Self::Session { user, .. } | Self::Domain { user } => user,
        }
    }

    /// The session's text; `''` for another domain's user.
    fn session(&self) -> &str {
        match self {
            Self::Session { id, .. } => id.as_str(),
            Self::Domain { .. } => "",
        }
    }
}

/// One subscriber's interest in one publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Who is told.
    pub subscriber: Subscriber,
    /// Of whom.
    pub publisher: UserId,
    /// Which attributes were asked for.
    pub attributes: AttributeSet,
    /// The contact list through which he subscribed; `None` when he named the publisher.
    pub via: Option<ContactListId>,
}

fn subscription(row: &Row<'_>) -> Result<Subscription, StoreError> {
    let user = row.user(1)?;
    let subscriber = match row.text(0)? {
        "" => Subscriber::Domain { user },
        id => Subscriber::Session {
            id: SessionId::new(id),
            user,
        },
    };
    let via = match row.text(3)? {
        "" => None,
        _ => Some(row.contact_list(3)?),
    };
    Ok(Subscription {
        subscriber,
        publisher: row.user(2)?,
        attributes: attribute_set(row, 4)?,
        via,
    })
}

fn attribute_set(row: &Row<'_>, column: usize) -> Result<AttributeSet, StoreError> {
    Ok(AttributeSet::from_bits(row.number(column)?))
}

fn via(subscription: &Subscription) -> &str {
    subscription.via.as_ref().map_or("", ContactListId::as_str)
}

/// The beginning of the statements whose rows [`subscription`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT session, user_id, publisher, list, attributes FROM subscription ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Stores subscriptions, each in place of the one with its subscriber, publisher and
    /// list. Of two such in one call the last counts.
    pub fn put_subscriptions(&mut self, subscriptions: &[Subscription]) -> Result<(), StoreError> {
        // PostgreSQL refuses to write one row twice in one statement.
        let rows: BTreeMap<_, u32> = subscriptions
            .iter()
            .map(|each| {
                let (subscriber, publisher) = (&each.subscriber, each.publisher.as_str());
                let key = (
                    subscriber.session(),
                    subscriber.user().as_str(),
                    publisher,
                    via(each),
                );
                (key, each.attributes.bits())
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = rows
            .into_iter()
            .map(|((session, user, publisher, list), bits)| (session, user, publisher, list, bits))
            .collect();
        let sql = dialects(
            "INSERT INTO subscription (session, user_id, publisher, list, attributes)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
             FROM json_each(?1) WHERE true
             ON CONFLICT (session, user_id, publisher, list)
             DO UPDATE SET attributes = excluded.attributes",
            "INSERT INTO subscription (session, user_id, publisher, list, attributes)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, (value ->> 4)::bigint
             FROM jsonb_array_elements(CAST(?1 AS text)::jsonb) AS given (value)
             ON CONFLICT (session, user_id, publisher, list)
             DO UPDATE SET attributes = excluded.attributes",
        );
        self.execute(sql, values![&to_json(&rows)?])?;
        Ok(())
    }

    /// Ends a subscriber's subscriptions to some publishers, direct ones and those through
    /// lists (csp-presence 4.6); how many.
    pub fn remove_subscriptions(
        &mut self,
        subscriber: &Subscriber,
        publishers: &[UserId],
    ) -> Result<u64, StoreError> {
        let sql = dialects(
            "DELETE FROM subscription WHERE session = ?1 AND user_id = ?2
                 AND publisher IN (SELECT value FROM json_each(?3))",
            "DELETE FROM subscription WHERE session = ?1 AND user_id = ?2 AND publisher IN
                 (SELECT jsonb_array_elements_text(CAST(?3 AS text)::jsonb))",
        );
        self.execute(
            sql,
            values![
                subscriber.session(),
                subscriber.user(),
                &to_json(publishers)?
            ],
        )
    }

    /// Ends a subscriber's subscriptions to some publishers through one list, or only the
    /// direct ones; how many.
    pub fn remove_subscriptions_via(
        &mut self,
        subscriber: &Subscriber,
        publishers: &[UserId],
        list: Option<&ContactListId>,
    ) -> Result<u64, StoreError> {
        let sql = dialects(
            "DELETE FROM subscription WHERE session = ?1 AND user_id = ?2 AND list = ?4
                 AND publisher IN (SELECT value FROM json_each(?3))",
            "DELETE FROM subscription WHERE session = ?1 AND user_id = ?2 AND list = ?4
                 AND publisher IN
                     (SELECT jsonb_array_elements_text(CAST(?3 AS text)::jsonb))",
        );
        self.execute(
            sql,
            values![
                subscriber.session(),
                subscriber.user(),
                &to_json(publishers)?,
                list.map_or("", ContactListId::as_str)
            ],
        )
    }

    /// Ends a subscriber's subscriptions through one list; how many.
    pub fn remove_list_subscriptions(
        &mut self,
        subscriber: &Subscriber,
        list: &ContactListId,
    ) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM subscription WHERE session = ?1 AND user_id = ?2 AND list = ?3",
            values![subscriber.session(), subscriber.user(), list],
        )
    }

    /// Ends all subscriptions of a session, auto-subscriptions included; how many
    /// subscriptions.
    pub fn remove_session_subscriptions(&mut self, session: &SessionId) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM auto_subscription WHERE session = ?1",
            values![session],
        )?;
        // An empty identifier would mean all subscribers of other domains.
        self.execute(
            "DELETE FROM subscription WHERE session = ?1 AND session <> ''",
            values![session],
        )
    }

    /// What a subscriber has subscribed to.
    pub fn subscriptions_of(
        &mut self,
        subscriber: &Subscriber,
    ) -> Result<Vec<Subscription>, StoreError> {
        self.query(
            select!("WHERE session = ?1 AND user_id = ?2 ORDER BY publisher, list"),
            values![subscriber.session(), subscriber.user()],
            subscription,
        )
    }

    /// Who has subscribed to a publisher.
    pub fn subscribers_of(&mut self, publisher: &UserId) -> Result<Vec<Subscription>, StoreError> {
        self.query(
            select!("WHERE publisher = ?1 ORDER BY session, user_id, list"),
            values![publisher],
            subscription,
        )
    }

    /// Those of them that other domains made for their users.
    pub fn subscribers_elsewhere(
        &mut self,
        publisher: &UserId,
    ) -> Result<Vec<Subscription>, StoreError> {
        self.query(
            select!("WHERE publisher = ?1 AND session = '' ORDER BY user_id, list"),
            values![publisher],
            subscription,
        )
    }

    /// Hands over every subscription, as they come from the database. When the whole
    /// operation is run again, so is this.
    pub fn all_subscriptions(
        &mut self,
        mut each: impl FnMut(Subscription),
    ) -> Result<(), StoreError> {
        self.for_each(select!(""), values![], |row| {
            each(subscription(row)?);
            Ok(())
        })
    }

    /// Marks a list: its future members are to be subscribed by this session. Replaces the
    /// attributes of an earlier mark.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when there is no such list.
    pub fn put_auto_subscription(
        &mut self,
        session: &SessionId,
        list: &ContactListId,
        attributes: AttributeSet,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO auto_subscription (list, session, attributes) VALUES (?1, ?2, ?3)
             ON CONFLICT (list, session) DO UPDATE SET attributes = excluded.attributes",
            values![list, session, attributes.bits()],
        )?;
        Ok(())
    }

    /// Takes the mark away; `false` when there was none.
    pub fn remove_auto_subscription(
        &mut self,
        session: &SessionId,
        list: &ContactListId,
    ) -> Result<bool, StoreError> {
        let removed = self.execute(
            "DELETE FROM auto_subscription WHERE list = ?1 AND session = ?2",
            values![list, session],
        )?;
        Ok(removed == 1)
    }

    /// The sessions that have marked a list.
    pub fn auto_subscriptions(
        &mut self,
        list: &ContactListId,
    ) -> Result<Vec<(SessionId, AttributeSet)>, StoreError> {
        self.query(
            "SELECT session, attributes FROM auto_subscription WHERE list = ?1 ORDER BY session",
            values![list],
            |row| Ok((SessionId::new(row.text(0)?), attribute_set(row, 1)?)),
        )
    }

    /// Every mark.
    pub fn all_auto_subscriptions(
        &mut self,
    ) -> Result<Vec<(SessionId, ContactListId, AttributeSet)>, StoreError> {
        self.query(
            "SELECT session, list, attributes FROM auto_subscription ORDER BY list, session",
            values![],
            |row| {
                Ok((
                    SessionId::new(row.text(0)?),
                    row.contact_list(1)?,
                    attribute_set(row, 2)?,
                ))
            },
        )
    }
}
