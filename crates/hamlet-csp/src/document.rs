//! Whole documents: octets to messages and back.

use crate::elements::{Primitive, Tag, VersionDiscoveryRequest, VersionDiscoveryResponse};
use crate::envelope::Message;
use crate::error::{DecodeError, Salvage, SyntaxError};
use crate::sink::Sink;
use crate::source::{Source, clip};
use crate::version::Claim;
use crate::wbxml_read::WbxmlSource;
use crate::wbxml_write::WbxmlSink;
use crate::xml_read::{XmlSource, to_utf8};
use crate::xml_write::XmlSink;
use crate::{Syntax, Version};
use hamlet_model::StatusCode;

/// A document of CSP.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// WV-CSP-Message.
    Message(Message),
    /// Version discovery, client to server (csp-messages 1.6).
    VersionDiscoveryRequest(VersionDiscoveryRequest),
    /// Version discovery, server to client.
    VersionDiscoveryResponse(VersionDiscoveryResponse),
}

/// A document with what its answer has to repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The document.
    pub document: Document,
    /// Its version; `None` when nothing in it says one.
    pub version: Option<Version>,
    /// XML only: it had a DOCTYPE, so that the answer gets one.
    pub doctype: bool,
}

/// What a peer's client needs of the written form beyond its version; all off by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// XML: with declaration and DOCTYPE.
    pub doctype: bool,
    /// WBXML: no text ends directly before an offset that is a multiple of this many
    /// octets (clients AND-36: 1024).
    pub no_text_end_at_multiple_of: Option<usize>,
    /// WBXML: texts that hold something like an entity are escaped, for a client that
    /// un-escapes what it has decoded (clients S60-20).
    pub escape_texts: bool,
    /// Children that the version does not have are written too: a captured message is shown
    /// whole, and a client gets the form of another version that it insists on (clients
    /// AND-15 and AND-22: fill in `contact_list` or `mapping` and set this).
    pub all_children: bool,
}

/// Reads a document.
///
/// Fails when the octets are not well-formed, exceed a bound (depth 32, 32,768 elements),
/// have another root, or claim a version that is not spoken (505). What is wrong inside one
/// primitive is reported by that transaction's content instead.
pub fn decode(body: &[u8], syntax: Syntax) -> Result<Decoded, DecodeError> {
    decode_with_charset(body, syntax, None)
}

/// As [`decode`], with the charset parameter of the transport's media type, which counts
/// when the document itself names none (csp-messages 0.1). An unknown one is UTF-8.
pub fn decode_with_charset(
    body: &[u8],
    syntax: Syntax,
    charset: Option<&str>,
) -> Result<Decoded, DecodeError> {
    let early = |error| failure(error, None, Salvage::default());
    match syntax {
        Syntax::Xml => {
            let text = to_utf8(body, charset).map_err(|what| early(SyntaxError::new(what, &[])))?;
            let mut source = XmlSource::new(&text);
            let root = source.root().map_err(early)?;
            let hint = root.public_id.as_deref().and_then(Version::from_public_id);
            let version = claimed(root.tag, root.namespace.as_deref(), hint)?;
            let document = read_root(&mut source, root.tag, &root.name)
                .map_err(|(error, salvage)| failure(error, version, salvage))?;
            Ok(Decoded {
                document,
                version,
                doctype: root.doctype,
            })
        }
        Syntax::Wbxml => {
            let mut source = WbxmlSource::new(body, charset).map_err(early)?;
            let root = source.root().map_err(early)?;
            let version = claimed(root.tag, root.namespace.as_deref(), root.public_id)?;
            source.set_version(version.unwrap_or(Version::V1_2));
            let document = read_root(&mut source, root.tag, &root.name)
                .map_err(|(error, salvage)| failure(error, version, salvage))?;
            Ok(Decoded {
                document,
                version,
                doctype: false,
            })
        }
    }
}

/// Writes a document for `version`.
pub fn encode(
    document: &Document,
    syntax: Syntax,
    version: Version,
    options: &WriteOptions,
) -> Vec<u8> {
    written(document.root(), syntax, version, options, |sink| {
        document.write(sink);
    })
}

/// Writes a primitive as a document of its own: what is cut into segments (csp-access 14).
pub fn encode_primitive(
    primitive: &Primitive,
    syntax: Syntax,
    version: Version,
    options: &WriteOptions,
) -> Vec<u8> {
    let options = WriteOptions {
        doctype: false,
        ..options.clone()
    };
    written(primitive.tag(), syntax, version, &options, |sink| {
        primitive.write(sink);
    })
}

fn written(
    root: Tag,
    syntax: Syntax,
    version: Version,
    options: &WriteOptions,
    write: impl FnOnce(&mut dyn Sink),
) -> Vec<u8> {
    match syntax {
        Syntax::Xml => {
            let mut sink = XmlSink::new(version, root, options);
            write(&mut sink);
            sink.finish()
        }
        Syntax::Wbxml => {
            let mut sink = WbxmlSink::new(version, options);
            write(&mut sink);
            sink.finish()
        }
    }
}

/// Reads what [`encode_primitive`] has written: the segments of a response put together.
pub fn decode_primitive(
    octets: &[u8],
    syntax: Syntax,
    version: Version,
) -> Result<Primitive, DecodeError> {
    let failed = |error| failure(error, Some(version), Salvage::default());
    match syntax {
        Syntax::Xml => {
            let text = to_utf8(octets, None);
            let text = text.map_err(|what| failed(SyntaxError::new(what, &[])))?;
            let mut source = XmlSource::new(&text);
            let root = source.root().map_err(failed)?;
            read_primitive(&mut source, root.tag, &root.name).map_err(failed)
        }
        Syntax::Wbxml => {
            let mut source = WbxmlSource::new(octets, None).map_err(failed)?;
            let root = source.root().map_err(failed)?;
            source.set_version(version);
            read_primitive(&mut source, root.tag, &root.name).map_err(failed)
        }
    }
}

fn read_primitive(
    source: &mut dyn Source,
    tag: Option<Tag>,
    name: &str,
) -> Result<Primitive, SyntaxError> {
    let none = || {
        let what = format!("`{}` is no primitive of CSP", clip(name));
        SyntaxError::new(what, tag.as_slice())
    };
    let primitive = Primitive::read(tag.ok_or_else(none)?, source)?;
    match source.take_fault() {
        None => primitive.ok_or_else(none),
        Some(fault) => Err(SyntaxError::new(fault.what, &fault.path)),
    }
}

impl Document {
    fn write(&self, sink: &mut dyn Sink) {
        match self {
            Self::Message(message) => message.write(sink),
            Self::VersionDiscoveryRequest(element) => element.write(sink),
            Self::VersionDiscoveryResponse(element) => element.write(sink),
        }
    }

    fn root(&self) -> Tag {
        match self {
            Self::Message(_) => Tag::WVCSPMessage,
            Self::VersionDiscoveryRequest(_) => Tag::WVCSPVersionDiscoveryRequest,
            Self::VersionDiscoveryResponse(_) => Tag::WVCSPVersionDiscoveryResponse,
        }
    }
}

/// The namespace decides, then the public identifier (wbxml 1.2, transport 2.2). Version
/// discovery is there for clients that claim what is not known here.
fn claimed(
    root: Option<Tag>,
    namespace: Option<&str>,
    hint: Option<Version>,
) -> Result<Option<Version>, DecodeError> {
    match Claim::of_namespace(namespace) {
        Claim::Known(version) => Ok(Some(version)),
        Claim::Unknown(number) if root == Some(Tag::WVCSPMessage) => Err(DecodeError {
            what: format!("CSP {number} is not spoken here"),
            path: Vec::new(),
            status: StatusCode::VERSION_NOT_SUPPORTED,
            version: None,
            salvage: Salvage::default(),
        }),
        Claim::Nothing | Claim::Unknown(_) => Ok(hint),
    }
}

fn read_root(
    source: &mut dyn Source,
    tag: Option<Tag>,
    name: &str,
) -> Result<Document, (SyntaxError, Salvage)> {
    let mut salvage = Salvage::default();
    let document = match tag {
        Some(Tag::WVCSPMessage) => Message::read(source, &mut salvage).map(Document::Message),
        Some(Tag::WVCSPVersionDiscoveryRequest) => {
            VersionDiscoveryRequest::read(source).map(Document::VersionDiscoveryRequest)
        }
        Some(Tag::WVCSPVersionDiscoveryResponse) => {
            VersionDiscoveryResponse::read(source).map(Document::VersionDiscoveryResponse)
        }
        other => {
            let what = format!("the root `{}` is no CSP message", clip(name));
            Err(SyntaxError::new(what, other.as_slice()))
        }
    };
    document.map_err(|error| (error, salvage))
}

fn failure(error: SyntaxError, version: Option<Version>, salvage: Salvage) -> DecodeError {
    let (what, path) = error.into_parts();
    DecodeError {
        what,
        path,
        status: StatusCode::BAD_REQUEST,
        version,
        salvage,
    }
}
