//! The envelope: WV-CSP-Message, Session, Transaction and their descriptors (csp-messages 1).

use crate::elements::{PresenceSubList, Primitive, SegmentInfo, SessionType, Tag, TransactionMode};
use crate::error::{Salvage, SyntaxError, Unreadable};
use crate::leaf::NonEmpty;
use crate::sink::Sink;
use crate::source::Source;
use crate::version::{Namespace, Version};
use crate::{Extension, Text, Written};
use hamlet_model::StatusCode;
use std::sync::Arc;

/// One WV-CSP-Message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Which session it belongs to.
    pub session: SessionDescriptor,
    /// Its transactions, in order.
    pub transactions: Vec<Transaction>,
    /// Server to client: something waits. In 1.1 it is written into each transaction.
    pub poll: Option<bool>,
    /// Server to client: state of the CIR channel (1.2 and later).
    pub cir: Option<bool>,
}

/// SessionDescriptor.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionDescriptor {
    /// Inside or outside a session.
    pub session_type: SessionType,
    /// The session.
    pub session_id: Option<Text>,
}

/// One Transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// Request or Response.
    pub mode: TransactionMode,
    /// Chosen by whoever opened the transaction; may be empty or absent for polling.
    pub id: Option<Text>,
    /// Segmentation (1.3).
    pub segment_info: Option<SegmentInfo>,
    /// The primitive, or why there is none.
    pub content: Result<Primitive, Unreadable>,
    /// Vendor extensions (1.2 and later).
    pub extensions: Vec<Extension>,
    /// To be written instead of `content`, in a message of its own form only.
    pub written: Option<Arc<Written>>,
}

impl SessionDescriptor {
    /// Inside the session of this identifier.
    pub fn inband(session_id: impl AsRef<str>) -> Self {
        Self {
            session_type: SessionType::Inband,
            session_id: Some(Text::new(session_id)),
        }
    }

    /// Outside any session.
    pub fn outband() -> Self {
        Self {
            session_type: SessionType::Outband,
            session_id: None,
        }
    }
}

impl Transaction {
    /// A request.
    pub fn request(id: impl AsRef<str>, primitive: impl Into<Primitive>) -> Self {
        Self::new(
            TransactionMode::Request,
            Some(Text::new(id)),
            primitive.into(),
        )
    }

    /// A response.
    pub fn response(id: impl AsRef<str>, primitive: impl Into<Primitive>) -> Self {
        Self::new(
            TransactionMode::Response,
            Some(Text::new(id)),
            primitive.into(),
        )
    }

    /// A request whose primitive has been written before.
    pub fn written_request(id: impl AsRef<str>, written: Arc<Written>) -> Self {
        Self {
            mode: TransactionMode::Request,
            id: Some(Text::new(id)),
            segment_info: None,
            content: Err(unreadable("it has been written", StatusCode::OK)),
            extensions: Vec::new(),
            written: Some(written),
        }
    }

    fn new(mode: TransactionMode, id: Option<Text>, primitive: Primitive) -> Self {
        Self {
            mode,
            id,
            segment_info: None,
            content: Ok(primitive),
            extensions: Vec::new(),
            written: None,
        }
    }
}

impl Message {
    /// Reads the content of WV-CSP-Message; on an error `salvage` holds what was understood.
    pub(crate) fn read(
        source: &mut dyn Source,
        salvage: &mut Salvage,
    ) -> Result<Self, SyntaxError> {
        let mut message = Self {
            session: SessionDescriptor::outband(),
            transactions: Vec::with_capacity(1),
            poll: None,
            cir: None,
        };
        let mut session_seen = false;
        while let Some(tag) = source.child()? {
            if tag != Tag::Session {
                source.skip()?;
                continue;
            }
            session_seen = true;
            while let Some(tag) = source.child()? {
                match tag {
                    Tag::SessionDescriptor => {
                        message.session = read_session_descriptor(source, salvage)?
                    }
                    Tag::Transaction => {
                        let transaction = message.read_transaction(source, salvage)?;
                        message.transactions.push(transaction);
                    }
                    Tag::Poll => message.poll = source.boolean()?,
                    Tag::CIR => message.cir = source.boolean()?,
                    _ => source.skip()?,
                }
            }
        }
        if !session_seen {
            return Err(SyntaxError::new("Session is missing", &[Tag::WVCSPMessage]));
        }
        Ok(message)
    }

    fn read_transaction(
        &mut self,
        source: &mut dyn Source,
        salvage: &mut Salvage,
    ) -> Result<Transaction, SyntaxError> {
        *salvage = Salvage {
            session_id: salvage.session_id.take(),
            ..Salvage::default()
        };
        let mut mode = TransactionMode::Undefined(Text::default());
        let (mut id, mut segment_info, mut content) = (None, None, None);
        let mut extensions = Vec::new();
        while let Some(tag) = source.child()? {
            match tag {
                Tag::TransactionDescriptor => {
                    while let Some(tag) = source.child()? {
                        match tag {
                            Tag::TransactionMode => {
                                mode = TransactionMode::parse(
                                    source.string()?.non_empty().unwrap_or_default(),
                                );
                            }
                            Tag::TransactionID => {
                                id = Some(source.string()?);
                                salvage.transaction_id.clone_from(&id);
                            }
                            Tag::SegmentInfo => segment_info = Some(SegmentInfo::read(source)?),
                            Tag::Poll => self.poll = source.boolean()?.or(self.poll),
                            Tag::CIR => self.cir = source.boolean()?.or(self.cir),
                            _ => source.skip()?,
                        }
                    }
                    salvage.descriptor_read = true;
                }
                Tag::TransactionContent => content = Some(read_content(source)?),
                Tag::ExtBlock => extensions.push(source.extension()?),
                _ => source.skip()?,
            }
        }
        Ok(Transaction {
            mode,
            id,
            segment_info,
            content: content.unwrap_or_else(|| {
                Err(unreadable(
                    "TransactionContent is missing",
                    StatusCode::BAD_REQUEST,
                ))
            }),
            extensions,
            written: None,
        })
    }

    pub(crate) fn write(&self, sink: &mut dyn Sink) {
        let version = sink.version();
        sink.start_in(Tag::WVCSPMessage, Namespace::Session);
        sink.start(Tag::Session);
        sink.start(Tag::SessionDescriptor);
        sink.token(Tag::SessionType, self.session.session_type.as_str());
        self.session
            .session_id
            .iter()
            .for_each(|id| sink.text(Tag::SessionID, id));
        sink.end(Tag::SessionDescriptor);
        for transaction in &self.transactions {
            sink.start(Tag::Transaction);
            sink.start(Tag::TransactionDescriptor);
            sink.token(Tag::TransactionMode, transaction.mode.as_str());
            transaction
                .id
                .iter()
                .for_each(|id| sink.text(Tag::TransactionID, id));
            match version {
                Version::V1_1 => self
                    .poll
                    .iter()
                    .for_each(|poll| sink.boolean(Tag::Poll, *poll)),
                Version::V1_2 | Version::V1_3 => {}
            }
            if shape(sink) == Version::V1_3 {
                transaction
                    .segment_info
                    .iter()
                    .for_each(|info| info.write(sink));
            }
            sink.end(Tag::TransactionDescriptor);
            sink.start_in(Tag::TransactionContent, Namespace::Transaction);
            match &transaction.written {
                Some(written) => sink.written(written),
                None => transaction
                    .content
                    .iter()
                    .for_each(|primitive| primitive.write(sink)),
            }
            sink.end(Tag::TransactionContent);
            if shape(sink) >= Version::V1_2 {
                transaction
                    .extensions
                    .iter()
                    .for_each(|extension| sink.extension(Tag::ExtBlock, extension));
            }
            sink.end(Tag::Transaction);
        }
        // Without a transaction there is no other place.
        if version >= Version::V1_2 || self.transactions.is_empty() {
            self.poll
                .iter()
                .for_each(|poll| sink.boolean(Tag::Poll, *poll));
        }
        if shape(sink) >= Version::V1_2 {
            self.cir.iter().for_each(|cir| sink.boolean(Tag::CIR, *cir));
        }
        sink.end(Tag::Session);
        sink.end(Tag::WVCSPMessage);
    }
}

/// The newest version when everything is to be written.
fn shape(sink: &dyn Sink) -> Version {
    sink.shape().unwrap_or(Version::V1_3)
}

fn unreadable(what: &str, status: StatusCode) -> Unreadable {
    Unreadable {
        what: what.into(),
        path: vec![Tag::TransactionContent],
        status,
        primitive: None,
    }
}

fn read_session_descriptor(
    source: &mut dyn Source,
    salvage: &mut Salvage,
) -> Result<SessionDescriptor, SyntaxError> {
    let (mut session_type, mut session_id) = (None, None);
    while let Some(tag) = source.child()? {
        match tag {
            Tag::SessionType => session_type = source.string()?.non_empty().map(SessionType::parse),
            Tag::SessionID => session_id = source.string()?.non_empty(),
            _ => source.skip()?,
        }
    }
    salvage.session_id.clone_from(&session_id);
    // The SessionID decides (csp-messages 7.2).
    let guess = if session_id.is_some() {
        SessionType::Inband
    } else {
        SessionType::Outband
    };
    Ok(SessionDescriptor {
        session_type: session_type.unwrap_or(guess),
        session_id,
    })
}

fn read_content(source: &mut dyn Source) -> Result<Result<Primitive, Unreadable>, SyntaxError> {
    let mut content: Option<Result<Primitive, Unreadable>> = None;
    source.take_fault();
    let unknown_before = source.unknown_elements();
    while let Some(tag) = source.child()? {
        match &mut content {
            None => {}
            // Some S60 code puts it behind the primitive (csp-presence 6.6).
            Some(Ok(Primitive::PresenceAuthUser(auth))) if tag == Tag::PresenceSubList => {
                auth.presence_sub_list = Some(PresenceSubList::read(source)?);
                continue;
            }
            Some(_) => {
                source.skip()?;
                continue;
            }
        }
        content = Some(match Primitive::read(tag, source)? {
            Some(primitive) => match source.take_fault() {
                None => Ok(primitive),
                Some(fault) => {
                    let at = fault.path.iter().position(|open| *open == tag).unwrap_or(0);
                    Err(Unreadable {
                        what: fault.what,
                        path: fault.path[at..].to_vec(),
                        status: fault.status,
                        primitive: Some(tag),
                    })
                }
            },
            None => {
                source.skip()?;
                Err(Unreadable {
                    what: format!("{tag} is no primitive"),
                    path: vec![Tag::TransactionContent, tag],
                    status: StatusCode::SERVICE_NOT_SUPPORTED,
                    primitive: None,
                })
            }
        });
    }
    Ok(
        content.unwrap_or_else(|| match source.unknown_elements() > unknown_before {
            true => Err(unreadable(
                "the primitive is not known to CSP",
                StatusCode::SERVICE_NOT_SUPPORTED,
            )),
            false => Err(unreadable(
                "TransactionContent is empty",
                StatusCode::BAD_REQUEST,
            )),
        }),
    )
}
