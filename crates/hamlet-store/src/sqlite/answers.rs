//! Where the remembered answers lie. An index in the file would have most pages of a commit
//! for itself, because each session's records are in another place of it; so the table is
//! only appended to, and what an index would know is kept in memory.

use crate::StoreError;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// Scope and identifier, each as its hash. A collision would make the older record of the two
/// be forgotten; it is not to be expected, and the hash has a random key.
type Key = (u64, u64);

/// The row number of each record, as of the transaction that is open. Some 40 octets a record.
#[derive(Default)]
pub(crate) struct Answers {
    hasher: RandomState,
    rows: BTreeMap<Key, i64>,
    /// What was there before each change of this transaction.
    changes: Vec<(Key, Option<i64>)>,
}

impl Answers {
    /// Reads the whole table.
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut answers = Self::default();
        let mut statement = connection.prepare("SELECT scope, id, seq FROM remembered")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |column| {
                let text = row.get_ref(column)?.as_str();
                text.map_err(|error| StoreError::Corrupt(error.to_string()))
            };
            let key = answers.key(text(0)?, text(1)?);
            answers.rows.insert(key, row.get(2)?);
        }
        Ok(answers)
    }

    pub(crate) fn find(&self, scope: &str, id: &str) -> Option<i64> {
        self.rows.get(&self.key(scope, id)).copied()
    }

    /// Removes a scope; its rows.
    pub(crate) fn take_scope(&mut self, scope: &str) -> Vec<i64> {
        let scope = self.hasher.hash_one(scope);
        let keys = (scope, 0)..=(scope, u64::MAX);
        let taken: Vec<(Key, i64)> = self.rows.extract_if(keys, |_, _| true).collect();
        let before = taken.iter().map(|(key, row)| (*key, Some(*row)));
        self.changes.extend(before);
        taken.into_iter().map(|(_, row)| row).collect()
    }

    pub(crate) fn put(&mut self, scope: &str, id: &str, row: i64) {
        let key = self.key(scope, id);
        let before = self.rows.insert(key, row);
        self.changes.push((key, before));
    }

    pub(crate) fn remove(&mut self, scope: &str, id: &str) {
        let key = self.key(scope, id);
        let before = self.rows.remove(&key);
        self.changes.push((key, before));
    }

    /// A place in the transaction to which [`Answers::undo`] can return.
    pub(super) fn mark(&self) -> usize {
        self.changes.len()
    }

    /// Undoes what has been changed since the mark; 0 is the beginning of the transaction.
    pub(super) fn undo(&mut self, mark: usize) {
        for (key, before) in self.changes.drain(mark..).rev() {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    /// The transaction is committed.
    pub(super) fn keep(&mut self) {
        self.changes.clear();
    }

    fn key(&self, scope: &str, id: &str) -> Key {
        (self.hasher.hash_one(scope), self.hasher.hash_one(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        let mut answers = Answers::default();
        answers.put("s1", "1", 1);
        answers.put("s1", "2", 2);
        answers.put("s2", "1", 3);
        answers.keep();
        answers
    }

    #[test]
    fn a_change_is_undone_to_its_mark() {
        let mut answers = answers();
        let unchanged = answers.rows.clone();
        answers.put("s1", "1", 4);
        answers.put("s3", "1", 5);
        let (mark, marked) = (answers.mark(), answers.rows.clone());
        answers.remove("s1", "1");
        answers.put("s3", "1", 6);
        answers.remove("s9", "unknown");
        assert_eq!(answers.find("s1", "1"), None);
        answers.undo(mark);
        assert_eq!(answers.rows, marked);
        assert_eq!(answers.find("s1", "1"), Some(4));
        answers.undo(0);
        assert_eq!(answers.rows, unchanged);
        assert!(answers.changes.is_empty());
    }

    #[test]
    fn a_scope_has_its_own_rows() {
        let mut answers = answers();
        let mut taken = answers.take_scope("s1");
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
        assert_eq!(
            (answers.find("s1", "1"), answers.find("s2", "1")),
            (None, Some(3))
        );
        assert_eq!(answers.take_scope("s9"), [0; 0]);
        answers.undo(0);
        assert_eq!(answers.find("s1", "2"), Some(2));
    }
}
