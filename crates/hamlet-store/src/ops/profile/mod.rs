//! Profiles (data-types 4.4, 5), one for each account.

pub(crate) mod fold;

use self::fold::{stored, stored_user};
use crate::ops::account::Account;
use crate::row::{to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::presence::{Attribute, AttributeName, AttributeValue};
use hamlet_model::{Profile, UserId};
use std::collections::HashMap;

impl Tx<'_> {
    /// The profile of a user; `None` without such an account.
    pub fn profile(&mut self, user: &UserId) -> Result<Option<Profile>, StoreError> {
        self.query_one(
            "SELECT data FROM profile WHERE user_id = ?1",
            values![user],
            |row| row.json(0),
        )
    }

    /// The profiles of those of `users` that have an account.
    pub fn profiles(&mut self, users: &[UserId]) -> Result<HashMap<UserId, Profile>, StoreError> {
        let sql = dialects(
            "SELECT user_id, data FROM profile
             WHERE user_id IN (SELECT value FROM json_each(?1))",
            "SELECT user_id, data FROM profile WHERE user_id IN
                 (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))",
        );
        let mut found = HashMap::with_capacity(users.len());
        self.for_each(sql, values![&to_json(users)?], |row| {
            found.insert(row.user(0)?, row.json(1)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The friendly names of those of `users` that have one.
    pub fn friendly_names(
        &mut self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, String>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Named {
            friendly_name: Option<String>,
        }
        let sql = dialects(
            "SELECT user_id, data FROM profile WHERE friendly_name <> ''
                 AND user_id IN (SELECT value FROM json_each(?1))",
            "SELECT user_id, data FROM profile WHERE friendly_name <> '' AND user_id IN
                 (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))",
        );
        let mut found = HashMap::new();
        self.for_each(sql, values![&to_json(users)?], |row| {
            let named: Named = row.json(1)?;
            if let Some(name) = named.friendly_name {
                found.insert(row.user(0)?, name);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Replaces the profile of a user; `false` without such an account.
    pub fn put_profile(&mut self, user: &UserId, profile: &Profile) -> Result<bool, StoreError> {
        let columns = Columns::of(profile)?;
        let changed = self.execute(
            "UPDATE profile SET findable = ?2, data = ?3, first_name = ?4, last_name = ?5,
                 friendly_name = ?6, email = ?7, mobile = ?8, country = ?9, city = ?10,
                 intention = ?11, interests = ?12, gender = ?13, marital_status = ?14,
                 age = nullif(CAST(?15 AS BIGINT), -1)
             WHERE user_id = ?1",
            values![
                user,
                !profile.unfindable,
                &columns.data,
                &columns.first_name,
                &columns.last_name,
                &columns.friendly_name,
                &columns.email,
                &columns.mobile,
                &columns.country,
                &columns.city,
                &columns.intention,
                &columns.interests,
                columns.gender,
                columns.marital_status,
                columns.age
            ],
        )?;
        Ok(changed == 1)
    }

    /// Makes an account that has a profile from the start; `false` when the user has an
    /// account, which then stays as it is.
    pub fn create_account_with_profile(
        &mut self,
        account: &Account,
        profile: &Profile,
    ) -> Result<bool, StoreError> {
        let made = self.execute(
            "INSERT INTO account (user_id, credential, status, created)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (user_id) DO NOTHING",
            values![
                &account.user,
                account.credential.as_deref(),
                account.status.number(),
                account.created
            ],
        )?;
        if made == 1 {
            self.insert_profile(&account.user, profile)?;
        }
        Ok(made == 1)
    }

    fn insert_profile(&mut self, user: &UserId, profile: &Profile) -> Result<(), StoreError> {
        let columns = Columns::of(profile)?;
        self.execute(
            "INSERT INTO profile (user_id, findable, data, user_name, first_name, last_name,
                 friendly_name, email, mobile, country, city, intention, interests, gender,
                 marital_status, age)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
                 nullif(CAST(?16 AS BIGINT), -1))",
            values![
                user,
                !profile.unfindable,
                &columns.data,
                &stored_user(user),
                &columns.first_name,
                &columns.last_name,
                &columns.friendly_name,
                &columns.email,
                &columns.mobile,
                &columns.country,
                &columns.city,
                &columns.intention,
                &columns.interests,
                columns.gender,
                columns.marital_status,
                columns.age
            ],
        )?;
        Ok(())
    }

    /// Follows the Alias among attributes that are being published: it is searched as long
    /// as it is not withdrawn.
    pub(crate) fn follow_alias(
        &mut self,
        user: &UserId,
        attributes: &[Attribute],
    ) -> Result<(), StoreError> {
        let alias = attributes
            .iter()
            .rfind(|a| a.name == AttributeName::Alias && a.client.is_none());
        let Some(alias) = alias else { return Ok(()) };
        let text = match &alias.value {
            AttributeValue::Text(text) if alias.qualifier => stored(text),
            _ => String::new(),
        };
        self.execute(
            "UPDATE profile SET alias = ?2 WHERE user_id = ?1 AND alias <> ?2",
            values![user, &text],
        )?;
        Ok(())
    }

    /// Reads every Alias into the search columns, when these are made.
    pub(crate) fn follow_all_aliases(&mut self) -> Result<(), StoreError> {
        let published = self.query(
            "SELECT user_id, attribute FROM presence WHERE name = ?1 AND client = ''",
            values![AttributeName::Alias.as_str()],
            |row| Ok((row.user(0)?, row.json::<Attribute>(1)?)),
        )?;
        published
            .iter()
            .try_for_each(|(user, alias)| self.follow_alias(user, std::slice::from_ref(alias)))
    }
}

/// A profile as it is stored and searched.
struct Columns {
    data: String,
    first_name: String,
    last_name: String,
    friendly_name: String,
    email: String,
    mobile: String,
    country: String,
    city: String,
    intention: String,
    interests: String,
    gender: &'static str,
    marital_status: &'static str,
    /// -1: not said.
    age: i64,
}

impl Columns {
    fn of(profile: &Profile) -> Result<Self, StoreError> {
        let text = |text: &Option<String>| text.as_deref().map_or_else(String::new, stored);
        Ok(Self {
            data: to_json(profile)?,
            first_name: text(&profile.first_name),
            last_name: text(&profile.last_name),
            friendly_name: text(&profile.friendly_name),
            email: text(&profile.email),
            mobile: text(&profile.mobile),
            country: text(&profile.country),
            city: text(&profile.city),
            intention: text(&profile.intention),
            interests: text(&profile.interests),
            gender: profile.gender.map_or("", |gender| gender.letter()),
            marital_status: profile.marital_status.map_or("", |status| status.letter()),
            age: profile.age.map_or(-1, i64::from),
        })
    }
}
