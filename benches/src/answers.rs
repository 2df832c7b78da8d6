//! The answers of the bare HTTP server: files of octets, chosen by octets in the request.

use bytes::Bytes;
use std::io;
use std::path::Path;

/// Needles with the response to each, in the order in which they are tried.
#[derive(Debug, Clone, Default)]
pub struct Answers(Vec<(Vec<u8>, Bytes)>);

impl Answers {
    /// Reads a directory of pairs `<n>.request-needle` and `<n>.response`, n counting from
    /// the pair that is tried first. Files of other names are ignored.
    ///
    /// # Errors
    /// When the directory or one of a pair cannot be read.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let mut numbers: Vec<u32> = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(NEEDLE));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        let pair = |number: &u32| -> io::Result<(Vec<u8>, Bytes)> {
            let file = |suffix: &str| std::fs::read(directory.join(format!("{number}{suffix}")));
            Ok((file(NEEDLE)?, Bytes::from(file(".response")?)))
        };
        numbers
            .iter()
            .map(pair)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// The response whose needle occurs in the request first in the list; else no octets.
    pub fn to(&self, request: &[u8]) -> Bytes {
        self.0
            .iter()
            .find(|(needle, _)| contains(request, needle))
            .map(|(_, response)| response.clone())
            .unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every request is answered by no octets.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const NEEDLE: &str = ".request-needle";

fn contains(octets: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || octets.windows(needle.len()).any(|part| part == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_needle_that_occurs_decides() {
        let directory = tempfile::tempdir().unwrap();
        for (name, octets) in [
            ("2.request-needle", &b"\x22\x01"[..]),
            ("2.response", b"two"),
            ("10.request-needle", b""),
            ("10.response", b"ten"),
            ("1.request-needle", b"Send"),
            ("1.response", b"one"),
            ("notes.txt", b"x"),
        ] {
            std::fs::write(directory.path().join(name), octets).unwrap();
        }
        let answers = Answers::read(directory.path()).unwrap();
        assert_eq!(answers.len(), 3);
        assert_eq!(&answers.to(b"<SendMessage>\x22\x01")[..], b"one");
        assert_eq!(&answers.to(b"\x00\x22\x01")[..], b"two");
        assert_eq!(&answers.to(b"")[..], b"ten");
        std::fs::remove_file(directory.path().join("10.request-needle")).unwrap();
        assert!(Answers::read(directory.path()).unwrap().to(b"").is_empty());
        std::fs::remove_file(directory.path().join("2.response")).unwrap();
        assert!(Answers::read(directory.path()).is_err());
        assert!(Answers::default().is_empty());
    }
}
