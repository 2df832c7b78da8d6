//! Messages of the Client-Server Protocol, CSP 1.1, 1.2 and 1.3, in XML and in WBXML.
//!
//! `model/csp.model` declares every element once; the structs in [`elements`], both
//! directions of both syntaxes and the checks follow from it (build.rs). Reading is
//! tolerant (any order, unknown elements skipped, either version's forms), writing is
//! strict and shaped for one version. No I/O, no sessions, no service logic.

#![forbid(unsafe_code)]

mod custom;
mod date_time;
mod document;
pub mod elements;
mod envelope;
mod error;
mod extension;
mod leaf;
mod selection;
mod sink;
mod source;
mod syntax;
mod version;
mod wbxml_read;
mod wbxml_write;
mod written;
mod xml_read;
mod xml_write;

#[cfg(test)]
mod tests;

pub use date_time::DateTime;
pub use document::{
    Decoded, Document, WriteOptions, decode, decode_primitive, decode_with_charset, encode,
    encode_primitive,
};
pub use elements::{Primitive, Tag};
pub use envelope::{Message, SessionDescriptor, Transaction};
pub use error::{DecodeError, MissingElement, Salvage, Unreadable};
pub use extension::{Extension, ExtensionNode};
pub use leaf::ContentData;
pub use syntax::Syntax;
pub use version::Version;
pub use written::Written;

/// Short strings live inside the value, without an allocation.
pub use compact_str::CompactString as Text;
