//! Content that a client cannot be sent, and is not told of, in the content store: the client
//! gets a link to it (csp-im 4.4).
//!
//! Nothing is written while something is handed out: the session notes what it needs
//! ([`WantedLink`]). When the answer to its client has been put together, the content is kept,
//! and the client is given the link in the same answer or the next. It is kept once for each
//! message; whoever needs it later finds it by the message's name, also after a restart.

use crate::Sap;
use crate::content::note_refusal;
use crate::delivery::adapt;
use crate::delivery::decide::{self, Subject, Terms, Verdict};
use crate::delivery::group_joined::Turn;
use crate::mapping::content;
use crate::session::Session;
use hamlet_elements::content::ContentError;
use hamlet_elements::im::MailboxItem;
use hamlet_model::{Message, StatusCode, Timestamp, UserId};
use std::sync::Arc;

/// What a session needs a link to.
pub(crate) enum WantedLink {
    /// A message of the mailbox.
    Waiting {
        /// Its name there.
        id: String,
        item: Arc<MailboxItem>,
        /// What becomes of it if there is no link.
        verdict: Verdict,
    },
    /// What was said in a group.
    Said {
        turn: Turn,
        /// What becomes of it if there is no link.
        verdict: Verdict,
    },
}

impl WantedLink {
    /// The session needs it; once, however often it is looked at what the client gets.
    pub(crate) fn note(self, session: &Session) {
        let mut wanted = session.wanted_links.lock();
        if wanted.iter().all(|other| other.message() != self.message()) {
            wanted.push(self);
        }
    }

    fn message(&self) -> (&str, bool) {
        match self {
            Self::Waiting { id, .. } => (id, false),
            Self::Said { turn, .. } => (turn.message().message.id.as_str(), true),
        }
    }
}

/// What a client gets in the place of a message that cannot be brought to it.
pub(crate) enum Link {
    /// This, with the link.
    Is(Box<Message>),
    /// The link, when the content lies where it leads.
    Wanted,
    /// Nothing.
    No,
}

/// What came of keeping the content of a message.
enum Kept {
    At(String),
    /// It is not kept.
    Not,
    /// The store failed; it may do so no more when the client comes again.
    Failed,
}

impl Sap {
    /// What a client gets in the place of a message for which this is the verdict, of which
    /// `too_large` forms were too large for it, and whose content lies at `url` if that is known.
    pub(crate) fn link(
        &self,
        terms: &Terms<'_>,
        message: &Message,
        verdict: Verdict,
        too_large: u8,
        url: Option<&str>,
    ) -> Link {
        let may = self.may_link(message)
            && too_large < 2
            && decide::link_helps(terms, &message.content.media_type(), verdict);
        match url {
            _ if !may => Link::No,
            None => Link::Wanted,
            Some(url) => {
                let linked = adapt::linked_to(message, url);
                let form = Subject {
                    media_type: "text/plain",
                    size: linked.content.size(),
                    oversize: false,
                    outside: false,
                };
                match decide::decide(terms, &form) {
                    Verdict::Push => Link::Is(linked),
                    _ => Link::No,
                }
            }
        }
    }

    /// Keeps what the session needs links to. Whether there was anything, so that it has to be
    /// looked at again what its client gets.
    pub(crate) async fn make_links(&self, session: &Session, now: Timestamp) -> bool {
        let wanted = std::mem::take(&mut *session.wanted_links.lock());
        let mut is_news = false;
        for wanted in wanted {
            is_news |= match wanted {
                WantedLink::Waiting { id, item, verdict } => {
                    self.link_waiting(session, &id, &item, verdict, now).await
                }
                WantedLink::Said { turn, verdict } => self.link_said(session, &turn, verdict).await,
            };
        }
        is_news
    }

    async fn link_waiting(
        &self,
        session: &Session,
        id: &str,
        item: &MailboxItem,
        verdict: Verdict,
        now: Timestamp,
    ) -> bool {
        let MailboxItem::Message(message) = item else {
            return false;
        };
        match self.keep_linked(&session.user.id, message).await {
            Kept::At(url) => session.user.mailbox.lock().linked(id, &url),
            Kept::Not => self.unfit(session, &session.settings(), id, verdict.code(), now),
            Kept::Failed => return false,
        }
        true
    }

    async fn link_said(&self, session: &Session, turn: &Turn, verdict: Verdict) -> bool {
        let said = turn.message();
        match self.keep_linked(&said.sender, &said.message).await {
            // Another session may have been faster: it is the same link.
            Kept::At(url) => drop(turn.entry.link.set(url)),
            Kept::Not => self.not_brought(session, &session.settings(), turn, verdict),
            Kept::Failed => return false,
        }
        true
    }

    /// The message with a link, for a client that pulls it and must not get it itself, which is
    /// told by `refused`.
    pub(crate) async fn link_for_pull(
        &self,
        session: &Session,
        owner: &UserId,
        message: &Message,
        refused: StatusCode,
    ) -> Option<Box<Message>> {
        let capabilities = &session.settings().capabilities;
        let media_type = message.content.media_type();
        let may =
            self.may_link(message) && decide::pulled_link_helps(capabilities, &media_type, refused);
        if !may {
            return None;
        }
        match self.keep_linked(owner, message).await {
            Kept::At(url) => Some(adapt::linked_to(message, &url)),
            Kept::Not | Kept::Failed => None,
        }
    }

    /// Whether content is kept here, and the message has some that has no link yet.
    fn may_link(&self, message: &Message) -> bool {
        self.config.content.is_some() && message.uri.is_none() && !message.is_outside()
    }

    async fn keep_linked(&self, owner: &UserId, message: &Message) -> Kept {
        let Some(octets) = content::octets(&message.content) else {
            return Kept::Not;
        };
        match self.elements.link_message(owner, message, octets).await {
            Ok(kept) => {
                self.metrics.content_linked.inc();
                Kept::At(kept.url)
            }
            Err(error) => {
                note_refusal(self, &error);
                match error {
                    ContentError::Failed(_) => Kept::Failed,
                    _ => Kept::Not,
                }
            }
        }
    }
}
