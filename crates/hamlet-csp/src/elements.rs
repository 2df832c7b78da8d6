//! The elements and primitives, generated from `model/csp.model` and from
//! docs/protocol/wbxml-tokens.tsv.
//!
//! Every child is an `Option` or a `Vec`, whatever its cardinality: reading is tolerant,
//! [`Primitive::check`] names what a version makes mandatory. EMPTY children are flags.

use crate::Text;
use crate::date_time::DateTime;
use crate::error::{MissingElement, SyntaxError};
use crate::extension::{Extension, ExtensionNode};
use crate::leaf::{ContentData, NonEmpty};
use crate::sink::Sink;
use crate::source::Source;
use crate::version::{Namespace, Version};

pub use crate::custom::{
    AcceptedContentType, ClientId, NickMember, NickMembers, NickName, SearchPairList,
};

include!(concat!(env!("OUT_DIR"), "/tags.rs"));
include!(concat!(env!("OUT_DIR"), "/elements.rs"));

impl Tag {
    /// The element's name as it is written in XML.
    pub fn name(self) -> &'static str {
        TAG_NAMES[self as usize]
    }

    /// The element of this name or of one of its variant spellings (csp-messages 7.1).
    pub fn from_name(name: &str) -> Option<Self> {
        NAME_TAGS.get(name).copied()
    }

    /// (page, token) in the table of `version`, if that has one.
    pub fn token(self, version: Version) -> Option<(u8, u8)> {
        match TAG_TOKENS[self as usize][version.index()] {
            0 => None,
            place => Some(((place >> 8) as u8, (place & 0xFF) as u8)),
        }
    }

    /// The element that a token means in `version`.
    pub fn from_token(version: Version, page: u8, token: u8) -> Option<Self> {
        *TOKEN_TAGS[version.index()]
            .get(usize::from(page))?
            .get(usize::from(token))?
    }

    /// Whether its content is foreign and its xmlns therefore counts.
    pub(crate) fn carries_extension(self) -> bool {
        use Tag::{ExtBlock, ExtBlockETEM, ExtendedData, ExtendedRequest, ExtendedResponse};
        matches!(
            self,
            ExtBlock | ExtBlockETEM | ExtendedData | ExtendedRequest | ExtendedResponse
        )
    }

    /// For a primitive: (versions as bits, sent by clients, sent by servers).
    fn primitive(self) -> Option<(u8, bool, bool)> {
        PRIMITIVES
            .iter()
            .find(|(tag, ..)| *tag == self)
            .map(|(_, versions, client, server)| (*versions, *client, *server))
    }

    /// Whether it is a primitive of `version` that clients send.
    pub fn is_sent_by_clients(self, version: Version) -> bool {
        self.primitive()
            .is_some_and(|(versions, client, _)| client && versions & version.bit() != 0)
    }

    /// Whether it is a primitive of `version` that servers send.
    pub fn is_sent_by_servers(self, version: Version) -> bool {
        self.primitive()
            .is_some_and(|(versions, _, server)| server && versions & version.bit() != 0)
    }

    /// Whether it is a primitive of any version.
    pub fn is_primitive(self) -> bool {
        self.primitive().is_some()
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
