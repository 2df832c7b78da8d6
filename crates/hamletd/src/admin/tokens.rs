//! The bearer tokens of the operator's HTTP API, each with the name by which the audit log
//! knows who has it.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use subtle::ConstantTimeEq as _;

/// The file that is used when none is configured.
const NAME: &str = "api.tokens";

/// Longest file, octets.
const MAX_FILE: u64 = 64 << 10;

/// Fewest characters of a token: 32 hexadecimal digits cannot be guessed.
const SHORTEST: usize = 32;

/// Longest name of a token, characters.
const LONGEST_NAME: usize = 40;

/// Why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("cannot read the tokens in {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no token.
    #[error("line {line} of {}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
}

/// The tokens that are good now.
pub struct Tokens {
    path: PathBuf,
    /// The file must be there.
    required: bool,
    known: RwLock<Arc<Vec<Token>>>,
}

struct Token {
    name: String,
    text: String,
}

impl Tokens {
    /// Those of `file`; of `api.tokens` in `data_dir` when no file is configured, and none
    /// when that is not there.
    pub fn load(file: Option<&Path>, data_dir: &Path) -> Result<Self, TokensError> {
        let tokens = Self {
            path: file.map_or_else(|| data_dir.join(NAME), Path::to_owned),
            required: file.is_some(),
            known: RwLock::default(),
        };
        tokens.reload()?;
        Ok(tokens)
    }

    /// Reads the file again; after an error the old ones stay good.
    pub fn reload(&self) -> Result<(), TokensError> {
        let failed = |source| TokensError::Io {
            path: self.path.clone(),
            source,
        };
        let text = match read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.required => {
                String::new()
            }
            text => text.map_err(failed)?,
        };
        let tokens = parse(&text).map_err(|(line, why)| TokensError::Line {
            path: self.path.clone(),
            line,
            why,
        })?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
        Ok(())
    }

    /// The name of the token `given`. Every one is compared as a whole, so that the time
    /// tells nothing about them.
    pub fn name_of(&self, given: &str) -> Option<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.clone();
        let mut found = None;
        for token in known.iter() {
            if bool::from(token.text.as_bytes().ct_eq(given.as_bytes())) {
                found = Some(&token.name);
            }
        }
        found.cloned()
    }
}

fn read(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others than the owner may read or write these tokens; chmod 600 the file");
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text)
}

/// `NAME TOKEN` on each line, but for empty ones and those that begin with `#`.
fn parse(text: &str) -> Result<Vec<Token>, (usize, &'static str)> {
    let mut tokens: Vec<Token> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why| (number, why);
        let mut words = line.split_whitespace();
        let (Some(name), Some(text), None) = (words.next(), words.next(), words.next()) else {
            return Err(wrong("a name and a token are expected"));
        };
        if name.chars().count() > LONGEST_NAME {
            return Err(wrong("the name has more than 40 characters"));
        }
        if text.len() < SHORTEST || !text.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(wrong("a token has at least 32 printable ASCII characters"));
        }
        if tokens.iter().any(|token| token.name == name) {
            return Err(wrong("another token has this name"));
        }
        if tokens.iter().any(|token| token.text == text) {
            return Err(wrong("another name has this token"));
        }
        tokens.push(Token {
            name: name.to_owned(),
            text: text.to_owned(),
        });
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart_by_their_whole_text() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tokens");
        let (one, other) = ("a".repeat(32), "b".repeat(40));
        std::fs::write(
            &file,
            format!("# ours\nconsole {one}\n\n billing  {other} \n"),
        )
        .unwrap();
        let tokens = Tokens::load(Some(&file), directory.path()).unwrap();
        assert_eq!(tokens.name_of(&one).as_deref(), Some("console"));
        assert_eq!(tokens.name_of(&other).as_deref(), Some("billing"));
        for wrong in ["", "a", &one[1..], &format!("{one}a")] {
            assert_eq!(tokens.name_of(wrong), None, "{wrong}");
        }
        std::fs::write(&file, "console short\n").unwrap();
        assert!(tokens.reload().is_err());
        assert_eq!(tokens.name_of(&one).as_deref(), Some("console"), "it stays");
        std::fs::write(&file, format!("console {other}\n")).unwrap();
        tokens.reload().unwrap();
        assert_eq!(tokens.name_of(&one), None);
    }

    #[test]
    fn a_line_that_is_no_token_is_named() {
        let long = "x".repeat(32);
        for (text, expected) in [
            (String::new(), 0),
            (format!("a {long}"), 0),
            (format!("a {long}\nb {long}"), 2),
            (format!("a {long}\na {long}y"), 2),
            ("\na short".to_owned(), 2),
            (long.clone(), 1),
            (format!("a b {long}"), 1),
        ] {
            let line = parse(&text).err().map_or(0, |(line, _)| line);
            assert_eq!(line, expected, "{text:?}");
        }
    }

    #[test]
    fn without_a_file_nobody_has_a_token() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::load(None, directory.path()).unwrap();
        assert_eq!(tokens.name_of(""), None);
        let missing = directory.path().join("missing");
        assert!(Tokens::load(Some(&missing), directory.path()).is_err());
    }
}
