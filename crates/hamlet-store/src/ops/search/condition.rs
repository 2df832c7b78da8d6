//! The statement of a search.

use super::Criterion;
use super::anchor::{Anchor, part};
use crate::StoreError;
use crate::ops::profile::fold::{stored, trigrams};
use crate::row::{Value, to_json};
use crate::tx::Engine;
use std::fmt::Write as _;

/// A statement under construction, with what stands for its `?1`, `?2`, …
pub(super) struct Statement {
    engine: Engine,
    sql: String,
    parameters: Vec<Parameter>,
}

/// A value of the statement.
pub(super) enum Parameter {
    Number(i64),
    Text(String),
}

impl Parameter {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
        }
    }
}

impl Statement {
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            engine,
            sql: String::new(),
            parameters: Vec::new(),
        }
    }

    pub(super) fn finished(self) -> (String, Vec<Parameter>) {
        (self.sql, self.parameters)
    }

    /// Those whom `anchor` finds: user, and whether he fits. PostgreSQL sends only who does,
    /// and at most `enough`, as it sends all at once; SQLite everybody, one by one, so that
    /// it can be told to stop.
    pub(super) fn search(
        &mut self,
        anchor: &Anchor<'_>,
        criterion: &Criterion,
        enough: usize,
    ) -> Result<(), StoreError> {
        match self.engine {
            Engine::Sqlite => {
                self.sql += "SELECT p.user_id, ";
                self.condition(criterion)?;
                self.sql += match anchor {
                    // Only in this order does the index lead.
                    Anchor::Text(_) => {
                        " FROM profile_text AS f CROSS JOIN profile AS p ON p.seq = f.rowid WHERE "
                    }
                    Anchor::Column(_) => " FROM profile AS p WHERE ",
                };
                self.anchor(anchor)?;
                self.sql += " AND p.findable = 1";
            }
            Engine::Postgres => {
                self.sql += "SELECT p.user_id, CAST(1 AS BIGINT) FROM profile AS p WHERE ";
                self.anchor(anchor)?;
                self.sql += " AND p.findable = 1 AND ";
                self.condition(criterion)?;
                self.sql += " LIMIT ";
                self.number(i64::try_from(enough).unwrap_or(i64::MAX));
            }
        }
        Ok(())
    }

    fn anchor(&mut self, anchor: &Anchor<'_>) -> Result<(), StoreError> {
        match (anchor, self.engine) {
            (Anchor::Text(parts), Engine::Sqlite) => {
                self.sql += "f.profile_text MATCH ";
                self.text(expression(parts));
            }
            (Anchor::Text(parts), Engine::Postgres) => {
                for (number, (column, string)) in parts.iter().enumerate() {
                    let and = if number > 0 { " AND " } else { "" };
                    write!(self.sql, "{and}p.{column} LIKE ").map_err(StoreError::corrupt)?;
                    self.text(pattern(string));
                }
            }
            (Anchor::Column(criterion), _) => match criterion {
                // The conditions of the indices are repeated, else they would not be used.
                Criterion::Email(_) => self.indexed(criterion, "email <> ''")?,
                Criterion::Mobile(_) => self.indexed(criterion, "mobile <> ''")?,
                Criterion::Gender(_) => self.indexed(criterion, "gender <> ''")?,
                Criterion::MaritalStatus(_) => self.indexed(criterion, "marital_status <> ''")?,
                Criterion::AgeAtLeast(years) => {
                    self.sql += "p.age >= ";
                    self.number(i64::from(*years));
                }
                Criterion::AgeAtMost(years) => {
                    self.sql += "p.age <= ";
                    self.number(i64::from(*years));
                }
                other => self.condition(other)?,
            },
        }
        Ok(())
    }

    fn indexed(&mut self, criterion: &Criterion, index: &str) -> Result<(), StoreError> {
        self.condition(criterion)?;
        self.sql += " AND p.";
        self.sql += index;
        Ok(())
    }

    /// True or false for every row, also where nothing is said.
    fn condition(&mut self, criterion: &Criterion) -> Result<(), StoreError> {
        if let Some((column, string)) = part(criterion) {
            let position = match self.engine {
                Engine::Sqlite => "instr",
                Engine::Postgres => "strpos",
            };
            write!(self.sql, "({position}(p.{column}, ").map_err(StoreError::corrupt)?;
            self.text(string);
            self.sql += ") > 0)";
            return Ok(());
        }
        match criterion {
            Criterion::All(parts) => self.combined(parts, " AND ", "(1 = 1"),
            Criterion::Any(parts) => self.combined(parts, " OR ", "(1 = 0"),
            Criterion::Not(inner) => {
                self.sql += "(NOT ";
                self.condition(inner)?;
                self.sql += ")";
                Ok(())
            }
            Criterion::Email(address) => self.equal("email", stored(address)),
            Criterion::Mobile(number) => self.equal("mobile", stored(number)),
            Criterion::Gender(gender) => self.equal("gender", gender.letter().to_owned()),
            Criterion::MaritalStatus(status) => {
                self.equal("marital_status", status.letter().to_owned())
            }
            Criterion::AgeAtLeast(years) => self.age(">=", *years),
            Criterion::AgeAtMost(years) => self.age("<=", *years),
            Criterion::OneOf(users) => {
                let (before, after) = match self.engine {
                    Engine::Sqlite => ("(p.user_id IN (SELECT value FROM json_each(", ")))"),
                    Engine::Postgres => (
                        "(p.user_id IN (SELECT jsonb_array_elements_text(CAST(",
                        " AS text)::jsonb)))",
                    ),
                };
                self.sql += before;
                self.text(to_json(users)?);
                self.sql += after;
                Ok(())
            }
            // These two are parts of texts.
            Criterion::Contains(..) | Criterion::UserName { .. } => Ok(()),
        }
    }

    fn combined(
        &mut self,
        parts: &[Criterion],
        operator: &str,
        neutral: &str,
    ) -> Result<(), StoreError> {
        self.sql += neutral;
        for part in parts {
            self.sql += operator;
            self.condition(part)?;
        }
        self.sql += ")";
        Ok(())
    }

    fn equal(&mut self, column: &str, text: String) -> Result<(), StoreError> {
        write!(self.sql, "(p.{column} = ").map_err(StoreError::corrupt)?;
        self.text(text);
        self.sql += ")";
        Ok(())
    }

    fn age(&mut self, operator: &str, years: u32) -> Result<(), StoreError> {
        write!(self.sql, "(p.age IS NOT NULL AND p.age {operator} ")
            .map_err(StoreError::corrupt)?;
        self.number(i64::from(years));
        self.sql += ")";
        Ok(())
    }

    fn text(&mut self, text: String) {
        self.push(Parameter::Text(text));
    }

    fn number(&mut self, number: i64) {
        self.push(Parameter::Number(number));
    }

    fn push(&mut self, parameter: Parameter) {
        self.parameters.push(parameter);
        self.sql += "?";
        self.sql += &self.parameters.len().to_string();
    }
}

/// FTS5's way to ask for rows that have all trigrams of all strings.
pub(super) fn expression(parts: &[(&'static str, String)]) -> String {
    let mut expression = String::new();
    for (column, string) in parts {
        for trigram in trigrams(string) {
            let and = if expression.is_empty() { "" } else { " AND " };
            let quoted = trigram.replace('"', "\"\"");
            expression += &format!("{and}{column} : \"{quoted}\"");
        }
    }
    expression
}

/// A pattern of LIKE for rows that have the string somewhere.
pub(super) fn pattern(string: &str) -> String {
    let mut pattern = String::from("%");
    for letter in string.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
