//! Recorded requests of real clients: tests/fixtures, whose make.py says what they hold.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A request as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// Headers beside Host and Content-Length.
    pub headers: Vec<(String, String)>,
    /// Recorded texts, each with the name of the value that takes its place.
    pub replacements: Vec<(String, String)>,
    body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    Wbxml(Vec<u8>),
    Xml(String),
}

/// The folder of one client's fixtures.
pub fn folder(client: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(client)
}

/// The names of a client's fixtures, with their numbers, in order.
pub fn names(client: &str) -> Vec<String> {
    let folder = folder(client);
    let mut names: Vec<String> = folder
        .read_dir()
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".txt").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

impl Fixture {
    /// The fixture of this name, with or without its number.
    pub fn load(client: &str, name: &str) -> Self {
        let known = names(client);
        let file = known
            .iter()
            .find(|known| *known == name || known.get(3..) == Some(name))
            .unwrap_or_else(|| panic!("no fixture {name} among {known:?}"));
        let path = folder(client).join(format!("{file}.txt"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text).unwrap_or_else(|what| panic!("{}: {what}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut headers = Vec::new();
        let mut replacements = Vec::new();
        let mut body = None;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (kind, rest) = line.split_once(' ').ok_or(line)?;
            let pair = |separator| {
                let (left, right) = rest.split_once(separator).ok_or(line)?;
                Ok::<_, String>((left.to_owned(), right.to_owned()))
            };
            match kind {
                "header" => headers.push(pair(": ")?),
                "replace" => replacements.push(pair(" = ")?),
                "hex" => body = Some(Body::Wbxml(octets(rest).ok_or(line)?)),
                "text" => body = Some(Body::Xml(rest.to_owned())),
                _ => return Err(format!("the line {line:?}")),
            }
        }
        Ok(Self {
            headers,
            replacements,
            body: body.ok_or("no body")?,
        })
    }

    /// The body, with `values` in the place of what was recorded. A text is replaced where
    /// it is a whole inline string, which keeps WBXML valid whatever the new length.
    pub fn body(&self, values: &HashMap<String, String>) -> Vec<u8> {
        let mut body = self.body.clone();
        for (recorded, name) in &self.replacements {
            let value = values
                .get(name)
                .unwrap_or_else(|| panic!("the server gave no {name} yet"));
            body = body.replaced(recorded, value);
        }
        match body {
            Body::Wbxml(octets) => octets,
            Body::Xml(text) => text.into_bytes(),
        }
    }
}

impl Body {
    fn replaced(self, recorded: &str, value: &str) -> Self {
        let before = self.clone();
        let after = match self {
            Self::Wbxml(octets) => Self::Wbxml(replace(&octets, &inline(recorded), &inline(value))),
            Self::Xml(text) => {
                Self::Xml(text.replace(&format!(">{recorded}<"), &format!(">{value}<")))
            }
        };
        assert!(
            after != before || recorded == value,
            "the fixture does not hold {recorded}"
        );
        after
    }
}

fn inline(text: &str) -> Vec<u8> {
    [&[3], text.as_bytes(), &[0]].concat()
}

fn replace(octets: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = octets;
    while let Some(at) = rest.windows(old.len()).position(|window| window == old) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Octets from hexadecimal digits.
pub fn octets(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Fixture, names};
    use std::collections::HashMap;

    const CLIENTS: [&str; 6] = [
        "android-1.1",
        "android-1.2",
        "android-1.3",
        "s60-1.1",
        "s60-1.2",
        "movistar-1.2",
    ];

    #[test]
    fn every_fixture_takes_values_of_another_length() {
        let values = ["session", "transaction", "message", "digest"]
            .map(|name| (name.to_owned(), format!("a-longer-{name}")))
            .into();
        for client in CLIENTS {
            for name in names(client) {
                let fixture = Fixture::load(client, &name);
                let body = fixture.body(&values);
                let ill_formed = ["15-create-ill-formed", "16-create-without-start-tag"];
                let syntax = if client.starts_with("movistar") {
                    hamlet_csp::Syntax::Xml
                } else {
                    hamlet_csp::Syntax::Wbxml
                };
                let decoded = hamlet_csp::decode(&body, syntax);
                let expected = !ill_formed.contains(&name.as_str());
                assert_eq!(decoded.is_ok(), expected, "{client}/{name}: {decoded:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "no session yet")]
    fn a_value_that_was_not_given_is_missed() {
        Fixture::load("android-1.2", "poll").body(&HashMap::new());
    }
}
