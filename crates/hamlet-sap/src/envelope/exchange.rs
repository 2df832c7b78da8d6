//! One exchange: a message in, a message or nothing out, in the same syntax and version
//! (csp-access 1.1).

use crate::Sap;
use crate::client_profile::{ClientMarks, ClientProfile};
use crate::delivery::hand_out::Outgoing;
use crate::envelope::discovery;
use crate::envelope::segments::Part;
use crate::envelope::transaction::Done;
use crate::mapping::{Facts, result};
use crate::session::Session;
use hamlet_csp::elements::{
    GetSegmentResponse, Primitive, SegmentId, SegmentInfo, SessionType, Tag, TransactionMode,
};
use hamlet_csp::{
    DecodeError, Document, Message, SessionDescriptor, Syntax, Transaction, Version,
    decode_with_charset, encode, encode_primitive,
};
use hamlet_model::{Msisdn, StatusCode, Timestamp};
use sha1::{Digest, Sha1};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Most transactions of one message that are carried out; the others get 503.
const MAX_TRANSACTIONS: usize = 64;

/// A message as a transport received it.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// The octets.
    pub body: &'a [u8],
    /// Their media type, as it was given.
    pub content_type: Option<&'a str>,
    /// What the client calls itself.
    pub user_agent: Option<&'a str>,
    /// Where it comes from.
    pub peer: Option<IpAddr>,
    /// What the client calls the server: host and port.
    pub host: Option<&'a str>,
    /// The address at which it arrived.
    pub local: Option<SocketAddr>,
    /// Nobody else could read it on its way.
    pub secure: bool,
    /// Whose telephone the network vouches that it is.
    pub msisdn: Option<&'a Msisdn>,
}

/// What the transport sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A message of CSP.
    Message {
        /// The octets.
        body: Vec<u8>,
        /// Their media type, where the request gave none.
        media_type: &'static str,
    },
    /// Nothing: an empty body.
    Nothing,
    /// The octets are no message of CSP: HTTP 400.
    BadRequest,
    /// Neither media type nor octets are known: HTTP 415.
    UnsupportedMediaType,
}

/// What surrounds the transactions of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) inbound: &'a Inbound<'a>,
    pub(crate) syntax: Syntax,
    pub(crate) version: Version,
    pub(crate) doctype: bool,
    pub(crate) now: Timestamp,
}

impl Sap {
    /// Answers one message. Never fails; a fault of the program is a panic, which the
    /// transport confines to this exchange. It has to be polled to its end, whatever becomes
    /// of the client: the transport sees to that.
    pub async fn exchange(&self, inbound: &Inbound<'_>) -> Reply {
        if inbound.body.is_empty() {
            return Reply::BadRequest;
        }
        let Some(syntax) = Syntax::detect(inbound.content_type, inbound.body) else {
            return Reply::UnsupportedMediaType;
        };
        let charset = inbound.content_type.and_then(Syntax::charset);
        let decoded = match decode_with_charset(inbound.body, syntax, charset) {
            Ok(decoded) => decoded,
            Err(error) => return self.unreadable(&error, inbound, syntax),
        };
        let mut around = Around {
            inbound,
            syntax,
            version: decoded.version.unwrap_or(Version::V1_2),
            doctype: decoded.doctype,
            now: Timestamp::now(),
        };
        match decoded.document {
            Document::Message(message) => {
                let session = self.named(&message);
                // Without a version of its own the message has that of its session.
                if let (None, Some(session)) = (decoded.version, &session) {
                    around.version = session.version;
                }
                self.message(message, session, &around).await
            }
            Document::VersionDiscoveryRequest(request) => {
                let (response, version) = discovery::respond(&request);
                let document = Document::VersionDiscoveryResponse(response);
                around.version = version;
                written(&document, &around, &ClientProfile::default())
            }
            Document::VersionDiscoveryResponse(_) => Reply::BadRequest,
        }
    }

    fn named(&self, message: &Message) -> Option<Arc<Session>> {
        let id = message.session.session_id.as_deref()?;
        self.hub.registry.session(id)
    }

    /// A body that is no message, or not whole: a Status where it can be addressed.
    fn unreadable(&self, error: &DecodeError, inbound: &Inbound<'_>, syntax: Syntax) -> Reply {
        self.metrics.unreadable.inc();
        tracing::debug!(%error, "unreadable message");
        let salvage = &error.salvage;
        let unsupported = error.status == StatusCode::VERSION_NOT_SUPPORTED;
        let id = match (&salvage.transaction_id, unsupported) {
            (Some(id), _) if salvage.descriptor_read => id.as_str(),
            (_, true) => "",
            _ => return Reply::BadRequest,
        };
        let around = Around {
            inbound,
            syntax,
            version: error.version.unwrap_or(match unsupported {
                true => Version::V1_3,
                false => Version::V1_2,
            }),
            doctype: false,
            now: Timestamp::now(),
        };
        let profile = self.profile_of(None, &around);
        let facts = self.facts(&around, &profile);
        let status = result::status_with(error.status, &error.what, &[], &facts);
        let session = match &salvage.session_id {
            Some(session) => SessionDescriptor::inband(session),
            None => SessionDescriptor::outband(),
        };
        let message = Message {
            session,
            transactions: vec![Transaction::response(id, status)],
            poll: None,
            cir: None,
        };
        written(&Document::Message(message), &around, &profile)
    }

    async fn message(
        &self,
        message: Message,
        mut session: Option<Arc<Session>>,
        around: &Around<'_>,
    ) -> Reply {
        if let Some(session) = &session {
            let by_user = message.transactions.iter().any(is_of_user);
            session.heard(around.now, by_user);
            self.warm_session(session).await;
        }
        let mut exchange = session
            .as_ref()
            .map(|session| self.begin_exchange(session, around.inbound.peer));
        if let Some(session) = session.as_ref().filter(|_| self.hub.records.is_on()) {
            let count = message.transactions.len();
            session.tally.requested(count, around.inbound.secure);
        }
        // It counts as activity (csp-access 16).
        if message.transactions.is_empty() {
            return Reply::Nothing;
        }
        let profile = self.profile_of(session.as_deref(), around);
        let mut responses: Vec<Transaction> = Vec::new();
        let mut wants_news = false;
        let mut logged_in = false;
        for (index, transaction) in message.transactions.into_iter().enumerate() {
            let id = transaction.id.clone().unwrap_or_default();
            if index >= MAX_TRANSACTIONS {
                let facts = self.facts(around, &profile);
                let status = result::status(StatusCode::SERVICE_UNAVAILABLE, &facts);
                responses.push(Transaction::response(&id, status));
                continue;
            }
            let done = self
                .transaction(
                    transaction,
                    index,
                    session.as_ref(),
                    &message.session,
                    &profile,
                    around,
                )
                .await;
            match done {
                Done::Respond(primitive) => {
                    responses.push(Transaction::response(&id, *primitive));
                }
                Done::Segment(part) => responses.push(as_response(&id, part)),
                Done::Initiate(primitive) => {
                    let id = self.next_number().unwrap_or_default();
                    responses.push(Transaction::request(id, *primitive));
                }
                Done::LoggedIn(response, new) => {
                    responses.push(Transaction::response(&id, *response));
                    session = Some(new);
                    logged_in = true;
                }
                Done::News => wants_news = true,
                Done::Silence => {}
            }
        }
        let session = session.filter(|session| self.is_live(session));
        let composer = Composer {
            sap: self,
            // A login would hang by it (clients AND-6).
            cir: session
                .as_deref()
                .filter(|_| !logged_in)
                .and_then(|session| self.cir_flag(session, around.version, around.now)),
            session,
            descriptor: repeated(message.session),
            profile: &profile,
            around,
            told: Cell::new(false),
        };
        let mut reply = composer.compose(responses, wants_news);
        if let Some(session) = composer.session.clone() {
            let mut rounds = 0;
            // The next poll goes on where this ends. Rare, and of a size that the others need
            // no room for.
            while !session.wanted_links.lock().is_empty()
                && Box::pin(self.make_links(&session, around.now)).await
                && matches!(reply, Reply::Nothing)
                && rounds < MAX_ROUNDS
            {
                reply = composer.compose(Vec::new(), wants_news);
                rounds += 1;
            }
        }
        if let Some(exchange) = &mut exchange {
            exchange.told = composer.told.get();
        }
        if let (Some(session), Some(_), Reply::Message { .. }) =
            (&composer.session, composer.cir, &reply)
        {
            self.cir_flag_sent(session, around.now);
        }
        reply
    }

    /// How the client is treated: as its session knows it, else by its marks.
    fn profile_of(&self, session: Option<&Session>, around: &Around<'_>) -> ClientProfile {
        match session {
            Some(session) => session.settings().profile.clone(),
            None => ClientProfile::detect(&ClientMarks {
                user_agent: around.inbound.user_agent,
                client_id: None,
                cookie: None,
                transaction_id: None,
                version: around.version,
                syntax: around.syntax,
            }),
        }
    }

    pub(crate) fn facts<'a>(
        &'a self,
        around: &Around<'_>,
        profile: &'a ClientProfile,
    ) -> Facts<'a> {
        Facts {
            version: around.version,
            home: &self.config.domain,
            profile,
        }
    }

    fn is_live(&self, session: &Session) -> bool {
        self.hub.registry.session(session.id.as_str()).is_some()
    }
}

/// How often an answer is made anew because it was too large for its client.
const MAX_ROUNDS: usize = 64;

/// Server transactions were too large for their client, and have been taken back.
struct TooLarge {
    /// There were several.
    single: bool,
}

/// Puts an answer together.
struct Composer<'a> {
    sap: &'a Sap,
    session: Option<Arc<Session>>,
    descriptor: SessionDescriptor,
    profile: &'a ClientProfile,
    around: &'a Around<'a>,
    /// The CIR element.
    cir: Option<bool>,
    /// What has been written last says that the client should poll.
    told: Cell<bool>,
}

impl Composer<'_> {
    fn compose(&self, responses: Vec<Transaction>, wants_news: bool) -> Reply {
        let Some(session) = &self.session else {
            return match responses.is_empty() {
                true => Reply::Nothing,
                false => self.write(responses, false).0,
            };
        };
        let mut round = self.round(session, responses, wants_news, false);
        for _ in 0..MAX_ROUNDS {
            match round {
                Ok(reply) => return reply,
                Err(TooLarge { single }) => {
                    round = self.round(session, Vec::new(), true, single);
                }
            }
        }
        // The next poll goes on with it.
        Reply::Nothing
    }

    /// One attempt; `single`: with one server transaction at most.
    fn round(
        &self,
        session: &Session,
        responses: Vec<Transaction>,
        wants_news: bool,
        single: bool,
    ) -> Result<Reply, TooLarge> {
        let capabilities = &session.settings().capabilities;
        let room = match single {
            true => 1,
            false => (capabilities.multi_trans_per_message as usize).max(1),
        };
        let answered = responses.len();
        let mut transactions = responses;
        let mut outgoing: Vec<Outgoing> = Vec::new();
        let facts = self.sap.facts(self.around, self.profile);
        while wants_news && answered + outgoing.len() < room {
            let (syntax, now) = (self.around.syntax, self.around.now);
            match self.sap.next_outgoing(session, &facts, syntax, now) {
                Some(next) => outgoing.push(next),
                None => break,
            }
        }
        if answered == 0 && outgoing.is_empty() {
            return Ok(Reply::Nothing);
        }
        let ids: Vec<_> = outgoing.iter().map(|next| next.id.clone()).collect();
        transactions.extend(outgoing.into_iter().map(Outgoing::into_transaction));
        let poll = match ids.is_empty() {
            true => self.sap.poll_is_worth_while(session, self.around.now),
            false => self.sap.has_more(session, self.around.now),
        };
        let limit = capabilities.parser_size.unwrap_or(u32::MAX) as usize;
        let (mut reply, mut transactions) = self.write(transactions, poll);
        if size(&reply) <= limit {
            return Ok(reply);
        }
        // csp-im 3.2 item 4, transport 9 item 11.
        let alone = answered + ids.len() == 1;
        for id in &ids {
            self.sap.withdraw(session, id, alone, self.around.now);
        }
        transactions.truncate(answered);
        if !ids.is_empty() && answered == 0 {
            // It may become smaller, or something smaller may wait behind what can never be
            // sent; of several together the first may fit alone.
            return Err(TooLarge {
                single: single || !alone,
            });
        }
        (reply, transactions) = self.write(transactions, poll);
        if size(&reply) <= limit {
            return Ok(reply);
        }
        if self.segment(session, &mut transactions, limit) {
            (reply, transactions) = self.write(transactions, poll);
            if size(&reply) <= limit {
                return Ok(reply);
            }
        }
        for transaction in &mut transactions {
            transaction.segment_info = None;
            let too_large = result::status(StatusCode::RESPONSE_TOO_LARGE, &facts);
            transaction.content = Ok(too_large);
        }
        Ok(self.write(transactions, poll).0)
    }

    /// Puts first parts in place of the responses that are too large for their share of the
    /// message, and keeps the rest (csp-access 14). Whether it could.
    fn segment(&self, session: &Session, transactions: &mut [Transaction], limit: usize) -> bool {
        let version = self.around.version;
        if version != Version::V1_3 || !self.sap.segments(session) {
            return false;
        }
        let options = self.profile.write_options(false);
        let share = limit / transactions.len().max(1);
        for transaction in transactions {
            let Ok(primitive) = &transaction.content else {
                continue;
            };
            if transaction.segment_info.is_some() {
                continue;
            }
            let syntax = self.around.syntax;
            let octets = encode_primitive(primitive, syntax, version, &options);
            let id = transaction.id.clone().unwrap_or_default();
            let room = share.saturating_sub(self.surrounding(&id));
            if octets.len() <= room {
                continue;
            }
            let part = match syntax {
                Syntax::Xml => room / 4 * 3,
                Syntax::Wbxml => room,
            };
            let mut segments = session.segments.lock();
            let Some(first) = segments.keep(&id, octets, part, self.around.now) else {
                return false;
            };
            *transaction = as_response(&id, first);
        }
        true
    }

    /// Octets of a message with one part of a response, beside the part.
    fn surrounding(&self, id: &str) -> usize {
        let empty = Part {
            octets: Vec::new(),
            info: SegmentInfo {
                segment_count: Some(u32::MAX),
                segment_id: Some(SegmentId {
                    transaction_id: Some(id.into()),
                    segment_reference: Some(u32::MAX),
                }),
            },
        };
        let (reply, _) = self.write(vec![as_response(id, empty)], true);
        // The element's own start and end, and the length of its octets.
        size(&reply) + 48
    }

    /// The reply, and its transactions back in case that it is too large.
    fn write(&self, transactions: Vec<Transaction>, poll: bool) -> (Reply, Vec<Transaction>) {
        let document = Document::Message(Message {
            session: self.descriptor.clone(),
            transactions,
            poll: Some(poll),
            cir: self.cir,
        });
        self.told.set(poll);
        let reply = written(&document, self.around, self.profile);
        match document {
            Document::Message(message) => (reply, message.transactions),
            _ => (reply, Vec::new()),
        }
    }
}

fn as_response(id: &str, part: Part) -> Transaction {
    let response = GetSegmentResponse {
        segment_content: Some(part.octets),
    };
    Transaction {
        segment_info: Some(part.info),
        ..Transaction::response(id, response)
    }
}

fn size(reply: &Reply) -> usize {
    match reply {
        Reply::Message { body, .. } => body.len(),
        _ => 0,
    }
}

fn written(document: &Document, around: &Around<'_>, profile: &ClientProfile) -> Reply {
    let mut options = profile.write_options(around.doctype);
    if let Document::Message(message) = document {
        let contents = message.transactions.iter().map(|one| &one.content);
        let mut tags = contents.filter_map(|content| content.as_ref().ok().map(Primitive::tag));
        options.all_children = tags.any(|tag| {
            profile.takes_form_of_other_version(tag)
                || ClientProfile::is_of_another_version(tag, around.version)
        });
    }
    Reply::Message {
        body: encode(document, around.syntax, around.version, &options),
        media_type: around.syntax.media_type(around.version),
    }
}

/// The SessionDescriptor of an answer repeats that of the request (csp-access 1.4).
fn repeated(descriptor: SessionDescriptor) -> SessionDescriptor {
    match descriptor.session_type {
        SessionType::Undefined(_) if descriptor.session_id.is_some() => SessionDescriptor {
            session_type: SessionType::Inband,
            ..descriptor
        },
        SessionType::Undefined(_) => SessionDescriptor::outband(),
        _ => descriptor,
    }
}

/// Whether the user did something: polls, acknowledgements and keep-alives come by
/// themselves (csp-im 10.3 item 5).
fn is_of_user(transaction: &Transaction) -> bool {
    let by_itself = |primitive: &Primitive| {
        matches!(
            primitive.tag(),
            Tag::PollingRequest | Tag::KeepAliveRequest | Tag::Status
        )
    };
    transaction.mode == TransactionMode::Request
        && transaction
            .content
            .as_ref()
            .is_ok_and(|primitive| !by_itself(primitive))
}

/// Names the content of the transaction at `index` of a body: what is sent again is the
/// same octets (csp-access 2.3).
pub(crate) fn content_hash(body: &[u8], index: usize) -> i64 {
    let digest = Sha1::new()
        .chain_update(body)
        .chain_update((index as u64).to_be_bytes())
        .finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
