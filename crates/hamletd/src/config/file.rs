//! The configuration file: TOML, whose dotted names are the keys of `--set`.

use super::{Config, ConfigError, Place};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

impl Config {
    /// Takes the values of a TOML text; `path` is for messages.
    pub fn read_toml(&mut self, text: &str, path: &Path) -> Result<(), ConfigError> {
        let file = Source { text, path };
        let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: file.place(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        self.read_table("", table.get_ref(), &file)
    }

    fn read_table(
        &mut self,
        prefix: &str,
        table: &DeTable<'_>,
        file: &Source<'_>,
    ) -> Result<(), ConfigError> {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            if let DeValue::Table(inner) = value.get_ref() {
                self.read_table(&format!("{key}."), inner, file)?;
            } else {
                let place = file.place(name.span().start);
                self.set_at(&key, &text_form(&key, value), &place)?;
            }
        }
        Ok(())
    }
}

struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.as_bytes().iter().take(offset);
        Place::File {
            path: self.path.to_owned(),
            line: 1 + before.filter(|&&octet| octet == b'\n').count(),
        }
    }
}

/// The value as one would write it after `--set KEY=`. What the key does not take (dates,
/// fractions, an array where one value belongs) becomes a text that it does not take.
fn text_form(key: &str, value: &Spanned<DeValue<'_>>) -> String {
    match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| number.to_string(), |number| number.to_string()),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) if takes_list(key) => {
            let items: Vec<String> = items.iter().map(|item| text_form("", item)).collect();
            items.join(",")
        }
        DeValue::Array(_) => "[…]\n".to_owned(),
        DeValue::Table(_) => "{…}\n".to_owned(),
    }
}

fn takes_list(key: &str) -> bool {
    Config::keys()
        .iter()
        .any(|known| known.name == key && known.list)
}
