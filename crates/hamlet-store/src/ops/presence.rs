//! Published presence attributes (csp-presence 3).

use crate::row::{to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::presence::Attribute;
use hamlet_model::{ClientId, Domain, UserId};
use std::collections::HashMap;

/// An attribute as it is stored: as it is published.
pub type StoredAttribute = Attribute;

/// The client in a key; `''` is the user himself, which no JSON text is.
fn client_key(client: Option<&ClientId>) -> Result<String, StoreError> {
    client.map_or(Ok(String::new()), to_json)
}

fn in_writing_order(mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    attributes.sort_by(|a, b| (a.name, &a.client).cmp(&(b.name, &b.client)));
    attributes
}

impl Tx<'_> {
    /// What a user has published, in writing order.
    pub fn presence(&mut self, user: &UserId) -> Result<Vec<StoredAttribute>, StoreError> {
        let attributes = self.query(
            "SELECT attribute FROM presence WHERE user_id = ?1",
            values![user],
            |row| row.json(0),
        )?;
        Ok(in_writing_order(attributes))
    }

    /// What several users have published; those who have published nothing are left out.
    pub fn all_presence_of(
        &mut self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, Vec<StoredAttribute>>, StoreError> {
        let sql = dialects(
            "SELECT user_id, attribute FROM presence
             WHERE user_id IN (SELECT value FROM json_each(?1))",
            "SELECT user_id, attribute FROM presence WHERE user_id IN
                 (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))",
        );
        let mut found: HashMap<UserId, Vec<Attribute>> = HashMap::with_capacity(users.len());
        self.for_each(sql, values![&to_json(users)?], |row| {
            found.entry(row.user(0)?).or_default().push(row.json(1)?);
            Ok(())
        })?;
        Ok(found
            .into_iter()
            .map(|(user, attributes)| (user, in_writing_order(attributes)))
            .collect())
    }

    /// Publishes attributes, each in place of the one with its name and client.
    pub fn put_presence(
        &mut self,
        user: &UserId,
        attributes: &[StoredAttribute],
    ) -> Result<(), StoreError> {
        for attribute in attributes {
            self.execute(
                "INSERT INTO presence (user_id, name, client, attribute)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (user_id, name, client)
                 DO UPDATE SET attribute = excluded.attribute",
                values![
                    user,
                    attribute.name.as_str(),
                    &client_key(attribute.client.as_ref())?,
                    &to_json(attribute)?
                ],
            )?;
        }
        self.follow_alias(user, attributes)
    }

    /// Whether a client of a user has a session.
    pub fn client_has_session(
        &mut self,
        user: &UserId,
        client: &ClientId,
    ) -> Result<bool, StoreError> {
        let found = self.query(
            "SELECT 1 FROM session WHERE user_id = ?1 AND client = ?2 LIMIT 1",
            values![user, &client_key(Some(client))?],
            |_| Ok(()),
        )?;
        Ok(!found.is_empty())
    }

    /// Removes the attributes about clients of a domain's users that have no session; how
    /// many.
    pub fn drop_absent_clients(&mut self, domain: &Domain) -> Result<u64, StoreError> {
        let sql = dialects(
            "DELETE FROM presence WHERE client <> '' AND substr(user_id, -length(?1)) = ?1
                 AND NOT EXISTS (SELECT 1 FROM session
                     WHERE session.user_id = presence.user_id AND session.client = presence.client)",
            "DELETE FROM presence WHERE client <> '' AND right(user_id, length(?1)) = ?1
                 AND NOT EXISTS (SELECT 1 FROM session
                     WHERE session.user_id = presence.user_id AND session.client = presence.client)",
        );
        self.execute(sql, values![&format!("@{domain}")])
    }

    /// Removes every attribute about one client of a user; how many.
    pub fn drop_client_presence(
        &mut self,
        user: &UserId,
        client: &ClientId,
    ) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM presence WHERE user_id = ?1 AND client = ?2",
            values![user, &client_key(Some(client))?],
        )
    }
}
