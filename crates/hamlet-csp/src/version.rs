//! The protocol versions and what identifies them (csp-messages 1.2).

use crate::elements::PUBLIC_IDS;

/// A version of CSP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// CSP 1.1 (also read for 1.0).
    V1_1,
    /// CSP 1.2.
    V1_2,
    /// CSP 1.3.
    V1_3,
}

/// The xmlns value prefixes, in the order of their WBXML attribute tokens 05..0D; the
/// digits of the version follow (wbxml 4).
pub(crate) const NAMESPACE_PREFIXES: [&str; 9] = [
    "http://www.wireless-village.org/CSP",
    "http://www.wireless-village.org/PA",
    "http://www.wireless-village.org/TRC",
    "http://www.openmobilealliance.org/DTD/WV-CSP",
    "http://www.openmobilealliance.org/DTD/WV-PA",
    "http://www.openmobilealliance.org/DTD/WV-TRC",
    "http://www.openmobilealliance.org/DTD/IMPS-CSP",
    "http://www.openmobilealliance.org/DTD/IMPS-PA",
    "http://www.openmobilealliance.org/DTD/IMPS-TRC",
];

/// Which of the three namespaces of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// Of the root.
    Session = 0,
    /// Of PresenceSubList.
    Presence = 1,
    /// Of TransactionContent.
    Transaction = 2,
}

impl Version {
    /// Oldest first.
    pub const ALL: [Self; 3] = [Self::V1_1, Self::V1_2, Self::V1_3];

    /// Position in [`Version::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// `1.1`, `1.2`, `1.3`.
    pub fn as_str(self) -> &'static str {
        ["1.1", "1.2", "1.3"][self.index()]
    }

    /// Reads `1.1`, `1.2` or `1.3`; 1.0 is taken for 1.1 (transport 2.2).
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "1.0" | "1.1" => Some(Self::V1_1),
            "1.2" => Some(Self::V1_2),
            "1.3" => Some(Self::V1_3),
            _ => None,
        }
    }

    /// The number in the WBXML header (wbxml 1.1).
    pub fn public_id(self) -> u32 {
        [0x10, 0x11, 0x12][self.index()]
    }

    /// The public identifier of the DOCTYPE.
    pub fn public_id_text(self) -> &'static str {
        [
            "-//OMA//DTD WV-CSP 1.1//EN",
            "-//OMA//DTD WV-CSP 1.2//EN",
            "-//OMA//DTD IMPS-CSP 1.3//EN",
        ][self.index()]
    }

    /// The system identifier of the DOCTYPE; never fetched by anybody.
    pub fn system_id(self) -> &'static str {
        [
            "http://www.openmobilealliance.org/DTD/WV-CSP.XML",
            "http://www.openmobilealliance.org/DTD/WV-CSP.DTD",
            "http://www.openmobilealliance.org/DTD/IMPS-CSP.DTD",
        ][self.index()]
    }

    /// The namespace of the root element.
    pub fn session_namespace(self) -> String {
        self.namespace(Namespace::Session)
    }

    /// The namespace of TransactionContent.
    pub fn transaction_namespace(self) -> String {
        self.namespace(Namespace::Transaction)
    }

    /// The namespace of PresenceSubList.
    pub fn presence_namespace(self) -> String {
        self.namespace(Namespace::Presence)
    }

    pub(crate) fn namespace(self, which: Namespace) -> String {
        format!("{}{}", self.namespace_prefix(which), self.as_str())
    }

    pub(crate) fn namespace_prefix(self, which: Namespace) -> &'static str {
        NAMESPACE_PREFIXES[self.index() * 3 + which as usize]
    }

    /// Its bit in sets of versions: 1.1 = 1, 1.2 = 2, 1.3 = 4.
    pub(crate) fn bit(self) -> u8 {
        1 << self.index()
    }

    /// The version that a public identifier means.
    pub(crate) fn from_public_id(text: &str) -> Option<Self> {
        let of = |wanted: &str| {
            PUBLIC_IDS
                .iter()
                .find(|(_, known, _)| *known == wanted)
                .map(|(_, _, at)| Self::ALL[*at])
        };
        of(text).or(match text {
            "-//WIRELESSVILLAGE//DTD CSP 1.2//EN" => Some(Self::V1_2),
            "-//WIRELESSVILLAGE//DTD CSP 1.3//EN" => Some(Self::V1_3),
            _ => None,
        })
    }

    /// The version that the number of a WBXML header means.
    pub(crate) fn from_public_number(number: u32) -> Option<Self> {
        match number {
            0x0F | 0x10 => Some(Self::V1_1),
            0x11 => Some(Self::V1_2),
            0x12 => Some(Self::V1_3),
            _ => None,
        }
    }
}

/// What the namespace of a root says: the number after `CSP` (transport 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// No namespace, or one that names no version.
    Nothing,
    /// A version that is spoken here.
    Known(Version),
    /// A version that is not.
    Unknown(String),
}

impl Claim {
    pub(crate) fn of_namespace(namespace: Option<&str>) -> Self {
        let number = namespace.and_then(|text| {
            let at = text
                .as_bytes()
                .windows(3)
                .rposition(|part| part == b"CSP")?;
            text.get(at + 3..)
        });
        let Some(number) = number else {
            return Self::Nothing;
        };
        let end = number.find(|c: char| !(c.is_ascii_digit() || c == '.'));
        let digits = &number[..end.unwrap_or(number.len()).min(16)];
        match Version::parse(digits) {
            Some(version) => Self::Known(version),
            None if digits.is_empty() => Self::Nothing,
            None => Self::Unknown(digits.to_owned()),
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_after_csp_decides() {
        for version in Version::ALL {
            assert_eq!(
                Claim::of_namespace(Some(&version.session_namespace())),
                Claim::Known(version)
            );
        }
        for (text, claim) in [
            (
                "http://www.openmobilealliance.org/WV-CSP1.2",
                Claim::Known(Version::V1_2),
            ),
            (
                "http://www.wireless-village.org/CSP1.0",
                Claim::Known(Version::V1_1),
            ),
            ("http://example.org/", Claim::Nothing),
            (
                "http://www.openmobilealliance.org/DTD/IMPS-CSP2.0",
                Claim::Unknown("2.0".into()),
            ),
        ] {
            assert_eq!(Claim::of_namespace(Some(text)), claim, "{text}");
        }
        assert_eq!(Claim::of_namespace(None), Claim::Nothing);
    }
}
