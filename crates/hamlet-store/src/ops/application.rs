//! Applications (architecture document 5.3.6.1).

use crate::row::{to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{Application, ApplicationId, UserId};

impl Tx<'_> {
    /// The application of this identifier.
    pub fn application(&mut self, id: &ApplicationId) -> Result<Option<Application>, StoreError> {
        self.query_one(
            "SELECT data FROM application WHERE id = ?1",
            values![id.as_str()],
            |row| row.json(0),
        )
    }

    /// The application whose own account this is.
    pub fn application_of(&mut self, account: &UserId) -> Result<Option<Application>, StoreError> {
        self.query_one(
            "SELECT data FROM application WHERE account = ?1",
            values![account],
            |row| row.json(0),
        )
    }

    /// Those of `users` that are accounts of applications, with these.
    pub fn applications_of(
        &mut self,
        users: &[UserId],
    ) -> Result<Vec<(UserId, ApplicationId)>, StoreError> {
        let sql = dialects(
            "SELECT account, id FROM application
             WHERE account IN (SELECT value FROM json_each(?1))",
            "SELECT account, id FROM application WHERE account IN
                 (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))",
        );
        self.query(sql, values![&to_json(users)?], |row| {
            Ok((row.user(0)?, ApplicationId::new(row.text(1)?)))
        })
    }

    /// Stores an application, new or changed; its identifier and account never change.
    pub fn put_application(&mut self, application: &Application) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO application (id, account, data) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET data = excluded.data",
            values![
                application.id.as_str(),
                &application.account,
                &to_json(application)?
            ],
        )?;
        Ok(())
    }

    /// Removes an application with what it may act for; its account stays. `false` when there
    /// is none.
    pub fn delete_application(&mut self, id: &ApplicationId) -> Result<bool, StoreError> {
        let gone = self.execute(
            "DELETE FROM application WHERE id = ?1",
            values![id.as_str()],
        )?;
        Ok(gone == 1)
    }

    /// At most `limit` applications in the order of their identifiers, from the one after
    /// `after`.
    pub fn applications(
        &mut self,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Application>, StoreError> {
        self.query(
            "SELECT data FROM application WHERE id > ?1 ORDER BY id LIMIT ?2",
            values![after, limit],
            |row| row.json(0),
        )
    }

    /// Lets an application act for a user.
    pub fn grant_user(&mut self, id: &ApplicationId, user: &UserId) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO application_user (application, user_id) VALUES (?1, ?2)
             ON CONFLICT (application, user_id) DO NOTHING",
            values![id.as_str(), user],
        )?;
        Ok(())
    }

    /// Takes that back; whether it was so.
    pub fn revoke_user(&mut self, id: &ApplicationId, user: &UserId) -> Result<bool, StoreError> {
        let gone = self.execute(
            "DELETE FROM application_user WHERE application = ?1 AND user_id = ?2",
            values![id.as_str(), user],
        )?;
        Ok(gone == 1)
    }

    /// Whether an application may act for a user.
    pub fn is_granted(&mut self, id: &ApplicationId, user: &UserId) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT 1 FROM application_user WHERE application = ?1 AND user_id = ?2",
            values![id.as_str(), user],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// At most `limit` users that an application may act for, in the order of their
    /// addresses, from the one after `after`.
    pub fn granted_users(
        &mut self,
        id: &ApplicationId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError> {
        self.query(
            "SELECT user_id FROM application_user WHERE application = ?1 AND user_id > ?2
             ORDER BY user_id LIMIT ?3",
            values![id.as_str(), after, limit],
            |row| row.user(0),
        )
    }
}
