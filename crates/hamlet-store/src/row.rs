//! Values going into a statement and columns coming out, for both engines.

use crate::StoreError;
use hamlet_model::{ContactListId, Timestamp, UserId};
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as DeError, StrDeserializer};

/// A parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Int(i64),
    OptInt(Option<i64>),
    Text(&'a str),
    OptText(Option<&'a str>),
    Blob(&'a [u8]),
    OptBlob(Option<&'a [u8]>),
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Int(number) | Self::OptInt(Some(number)) => ValueRef::Integer(number),
            Self::Text(text) | Self::OptText(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Blob(octets) | Self::OptBlob(Some(octets)) => ValueRef::Blob(octets),
            Self::OptInt(None) | Self::OptText(None) | Self::OptBlob(None) => ValueRef::Null,
        }))
    }
}

impl Value<'_> {
    /// As PostgreSQL's client takes it.
    pub(crate) fn as_postgres(&self) -> &(dyn postgres::types::ToSql + Sync) {
        match self {
            Self::Int(number) => number,
            Self::OptInt(number) => number,
            Self::Text(text) => text,
            Self::OptText(text) => text,
            Self::Blob(octets) => octets,
            Self::OptBlob(octets) => octets,
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

/// For limits and counts: what is too large for the column is its largest value.
impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// As for `usize`.
impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Option<Timestamp>> for Value<'_> {
    fn from(time: Option<Timestamp>) -> Self {
        Self::OptInt(time.map(Timestamp::millis))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Int(time.millis())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::OptText(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(octets: &'a [u8]) -> Self {
        Self::Blob(octets)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(octets: &'a Vec<u8>) -> Self {
        Self::Blob(octets)
    }
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(octets: Option<&'a [u8]>) -> Self {
        Self::OptBlob(octets)
    }
}

macro_rules! value_of_identifier {
    ($($name:ident)*) => {
        $(impl<'a> From<&'a hamlet_model::$name> for Value<'a> {
            fn from(id: &'a hamlet_model::$name) -> Self {
                Self::Text(id.as_str())
            }
        })*
    };
}

value_of_identifier!(UserId ContactListId GroupId Domain SessionId ApplicationId);

/// The parameters of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::row::Value::from($value)),*] };
}
pub(crate) use values;

/// A row of a result; columns are numbered from 0.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, StoreError> {
        let number = self.int(column)?;
        T::try_from(number).map_err(|_| StoreError::Corrupt(format!("number {number}")))
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(self.int(column)?))
    }

    pub(crate) fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        let millis: Option<i64> = match self {
            Self::Sqlite(row) => row.get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        };
        Ok(millis.map(Timestamp::from_millis))
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(column)?
                .as_str_or_null()
                .map_err(StoreError::corrupt),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.opt_text(column)?
            .ok_or_else(|| StoreError::corrupt("text is missing"))
    }

    pub(crate) fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(column)?
                .as_blob_or_null()
                .map(|octets| octets.map(<[u8]>::to_vec))
                .map_err(StoreError::corrupt),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.opt_blob(column)?
            .ok_or_else(|| StoreError::corrupt("octets are missing"))
    }

    pub(crate) fn user(&self, column: usize) -> Result<UserId, StoreError> {
        user(self.text(column)?)
    }

    pub(crate) fn contact_list(&self, column: usize) -> Result<ContactListId, StoreError> {
        contact_list(self.text(column)?)
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        serde_json::from_str(self.text(column)?).map_err(StoreError::corrupt)
    }
}

/// A user address as it was stored: normalised then, so it is not parsed again.
pub(crate) fn user(text: &str) -> Result<UserId, StoreError> {
    if !(text.starts_with("wv:") && text.contains('@')) {
        return Err(StoreError::Corrupt(format!("`{text}` as a user")));
    }
    as_stored(text)
}

/// As [`user`], for a contact list.
pub(crate) fn contact_list(text: &str) -> Result<ContactListId, StoreError> {
    if !(text.starts_with("wv:") && text.contains('/') && text.contains('@')) {
        return Err(StoreError::Corrupt(format!("`{text}` as a contact list")));
    }
    as_stored(text)
}

/// An identifier from its text, without the work of its parser.
pub(crate) fn as_stored<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, StoreError> {
    T::deserialize(StrDeserializer::<DeError>::new(text)).map_err(StoreError::corrupt)
}

/// A value as JSON text.
pub(crate) fn to_json(value: &(impl serde::Serialize + ?Sized)) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::corrupt)
}
