//! WBXML 1.1 to 1.3: tokens in, tokens out. Knows nothing of IMPS.
//!
//! [`Reader`] is a streaming pull reader that borrows from its input and bounds depth,
//! string table and text lengths; no input makes it panic or allocate more than it holds.
//! [`Writer`] writes UTF-8 documents of version 1.3. (docs/protocol/wbxml.md 1-5)

#![forbid(unsafe_code)]

mod charset;
mod event;
mod number;
mod reader;
mod writer;

pub use charset::Charset;
pub use event::{AttributeName, Error, Event, Header, Limits, PublicId, Start, Step, TagName};
pub use number::{integer_octets, parse_integer, read_mb_u_int32, write_mb_u_int32};
pub use reader::Reader;
pub use writer::{Part, Writer};
