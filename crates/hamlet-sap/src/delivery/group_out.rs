//! Messages of groups on their way to a session (csp-group 6; csp-im 3.2): each is written
//! once for all sessions that take the same form.

use crate::Sap;
use crate::delivery::acknowledge::is_for_good;
use crate::delivery::adapt::{self, Adapted};
use crate::delivery::decide::{Subject, Terms, Verdict, decide};
use crate::delivery::group_joined::{Me, PAGE, Turn};
use crate::delivery::group_log::{Carried, Form, FormKey};
use crate::delivery::hand_out::Outgoing;
use crate::delivery::links::{Link, WantedLink};
use crate::delivery::outbound::{Given, Reaction, What};
use crate::mapping::{Facts, message};
use crate::session::{Session, Settings};
use hamlet_csp::{Syntax, Tag, Text, Written};
use hamlet_model::{Message, StatusCode, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// How many messages are read between two of the group's log that was not told of.
const FILL: usize = 200;

/// How many pages of the store are read for one exchange of a slow session.
const MAX_PAGES: usize = 8;

/// A message that a session gets now.
pub(crate) struct Ready {
    pub(crate) turn: Turn,
    notification: bool,
    /// The message, where the client does not take it as it is.
    adapted: Option<Box<Message>>,
}

impl Ready {
    /// When it came (csp-access 5.3).
    pub(crate) fn at(&self) -> Timestamp {
        self.turn.message().at
    }
}

pub(crate) fn me(session: &Session, now: Timestamp) -> Me<'_> {
    Me {
        user: &session.user.id,
        client: &session.client,
        now,
    }
}

impl Sap {
    /// The oldest message of its groups that the session gets now, and how.
    pub(crate) fn group_turn(
        &self,
        session: &Session,
        settings: &Settings,
        now: Timestamp,
    ) -> Option<Ready> {
        loop {
            let turn = session.groups.lock().find(&me(session, now))?;
            let message = &turn.message().message;
            let mut adapted = match adapt::adapt(message, &settings.capabilities) {
                Adapted::AsIs(_) => None,
                Adapted::Converted(message) => Some(message),
            };
            let fitted = adapted.as_deref().unwrap_or(message);
            let terms = Terms::of(settings, message, self.ways(session, settings));
            let verdict = decide(
                &terms,
                &Subject {
                    media_type: &fitted.content.media_type(),
                    size: fitted.content.size(),
                    oversize: turn.too_large > 0,
                    outside: message.is_outside(),
                },
            );
            let notification = match verdict {
                Verdict::Push => false,
                Verdict::Notify if turn.too_large < 2 => true,
                // csp-im 4.4 (2): what is too long for it may be a link away.
                Verdict::Keep
                    if turn.too_large < 2
                        && terms.ways.push
                        && adapt::takes_link(message, &settings.capabilities) =>
                {
                    adapted = Some(adapt::linked(message));
                    false
                }
                verdict => {
                    let link = turn.entry.link.get().map(String::as_str);
                    match self.link(&terms, message, verdict, turn.too_large, link) {
                        Link::Is(linked) => {
                            adapted = Some(linked);
                            false
                        }
                        Link::Wanted => {
                            let wanted = WantedLink::Said { turn, verdict };
                            wanted.note(session);
                            return None;
                        }
                        Link::No => {
                            self.not_brought(session, settings, &turn, verdict);
                            continue;
                        }
                    }
                }
            };
            return Some(Ready {
                turn,
                notification,
                adapted,
            });
        }
    }

    /// A message of a group cannot be brought to the client.
    pub(crate) fn not_brought(
        &self,
        session: &Session,
        settings: &Settings,
        turn: &Turn,
        verdict: Verdict,
    ) {
        match verdict {
            // csp-im 3.2 item 6: it is listed, and can be pulled until it expires.
            Verdict::Keep | Verdict::Notify
                if settings.profile.takes_push(Tag::MessageNotification) =>
            {
                let mut groups = session.groups.lock();
                groups.notified(&turn.message().group, turn.message().seq);
            }
            // Others have it; to this client it cannot be brought.
            _ => self.pass_group_message(session, turn, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        }
    }

    /// Opens the transaction that brings it.
    pub(crate) fn send_group_message(
        &self,
        session: &Session,
        ready: Ready,
        (facts, syntax): (&Facts<'_>, Syntax),
        id: Text,
        (now, guard): (Timestamp, Duration),
    ) -> Outgoing {
        let Ready {
            turn,
            notification,
            adapted,
        } = ready;
        let said = &turn.entry.message;
        let options = facts.profile.write_options(false);
        let key = FormKey {
            version: facts.version,
            syntax,
            options: options.clone(),
            notification,
            adapted: adapted.clone(),
        };
        let form = turn.entry.form(key, || {
            self.metrics.group_encoded.inc();
            let message = adapted.as_deref().unwrap_or(&said.message);
            // Validity as it was when the message was accepted: the same for all.
            let (primitive, extensions) = match notification {
                false => message::new_message(message, facts, said.at),
                true => (
                    message::message_notification(message, facts, said.at),
                    Vec::new(),
                ),
            };
            let carried = match Written::new(&primitive, syntax, facts.version, &options) {
                Some(written) => Carried::Written(Arc::new(written)),
                None => Carried::Primitive(primitive),
            };
            Form {
                carried,
                extensions,
            }
        });
        session
            .groups
            .lock()
            .sent(&said.group, said.seq, now, guard);
        self.metrics.sent("group message");
        let what = What::Group(Given {
            message: said.clone(),
            notification,
        });
        session
            .outbound
            .lock()
            .open(id.clone(), what, now.plus(guard));
        Outgoing {
            id,
            carried: form.carried,
            extensions: form.extensions,
        }
    }

    /// The session does not get a message. For a whisper there is nobody else.
    pub(crate) fn pass_group_message(&self, session: &Session, turn: &Turn, code: StatusCode) {
        let said = turn.entry.message.clone();
        session.groups.lock().done(&said.group, said.seq);
        if !said.is_private() {
            return;
        }
        self.metrics.failed.inc();
        self.aside(move |sap| async move {
            if let Err(error) = sap.elements.conclude_whisper(&said, code).await {
                sap.store_failed("group log", &error);
            }
        });
    }

    /// What the client has answered.
    pub(crate) async fn group_reaction(
        &self,
        session: &Session,
        given: Given,
        verdict: Reaction,
        delivered: bool,
        now: Timestamp,
    ) {
        let said = &given.message;
        match verdict {
            Reaction::Acknowledged if given.notification && !delivered => {
                session.outbound.lock().notice_answered(true);
                session.groups.lock().notified(&said.group, said.seq);
            }
            Reaction::Failed(
                StatusCode::SERVICE_NOT_SUPPORTED
                | StatusCode::NOT_IMPLEMENTED
                | StatusCode::SERVICE_NOT_AGREED,
            ) if given.notification => {
                // csp-im 3.2 item 6: it is pushed what it can take.
                session.outbound.lock().notice_answered(false);
                session.groups.lock().missed(&said.group, said.seq);
            }
            Reaction::Acknowledged => self.acknowledge_group(session, &given).await,
            Reaction::Failed(code) => {
                let short = session.id.short();
                tracing::info!(
                    session = short,
                    code = code.0,
                    "a client refused a delivery"
                );
                if is_for_good(code) {
                    let turn = session
                        .groups
                        .lock()
                        .by_id(said.message.id.as_str(), &me(session, now));
                    if let Some(turn) = turn {
                        self.pass_group_message(session, &turn, code);
                        self.keep_cursor(session, &said.group).await;
                    }
                }
            }
            Reaction::Wrong => session.groups.lock().missed(&said.group, said.seq),
        }
    }

    /// The client has the message; durable when this returns.
    pub(crate) async fn acknowledge_group(&self, session: &Session, given: &Given) {
        let said = &given.message;
        if !session.groups.lock().done(&said.group, said.seq) {
            return;
        }
        if said.is_private()
            && let Err(error) = self.elements.conclude_whisper(said, StatusCode::OK).await
        {
            self.store_failed("group log", &error);
        }
        self.keep_cursor(session, &said.group).await;
        self.metrics.delivered.inc();
        session.tally.received();
    }

    /// The session is done with a message, in whatever groups; whether it was not before. What
    /// it is done with is on the disk when this returns: places that were under way there may
    /// have been older.
    pub(crate) async fn done_in_groups(
        &self,
        session: &Session,
        message: &str,
        now: Timestamp,
    ) -> bool {
        let mut was_waiting = false;
        let next = || session.groups.lock().by_id(message, &me(session, now));
        while let Some(turn) = next() {
            let said = turn.message();
            if !session.groups.lock().done(&said.group, said.seq) {
                break;
            }
            was_waiting = true;
        }
        let untold = session.groups.lock().untold();
        for group in untold {
            self.keep_cursor(session, &group).await;
        }
        was_waiting
    }

    /// MessageDelivered for a message of a group whose transaction is not known (any more).
    pub(crate) async fn acknowledge_group_by_id(
        &self,
        session: &Session,
        message: &str,
        now: Timestamp,
    ) -> bool {
        let turn = session.groups.lock().by_id(message, &me(session, now));
        let Some(turn) = turn else {
            return false;
        };
        let given = Given {
            message: turn.entry.message.clone(),
            notification: false,
        };
        self.acknowledge_group(session, &given).await;
        true
    }

    /// Whether something of its groups is for the session now, or has to be looked for in the
    /// store.
    pub(crate) fn has_more_of_groups(&self, session: &Session, now: Timestamp) -> bool {
        let mut groups = session.groups.lock();
        !groups.is_idle() && (groups.find(&me(session, now)).is_some() || groups.lacks())
    }

    /// Reads what the memory of the groups' logs does not have.
    pub(crate) async fn warm_groups(&self, session: &Session, now: Timestamp) {
        let unsure = session.groups.lock().unsure();
        for (log, after) in unsure {
            match self.elements.group_log(&log.group, after, FILL).await {
                Ok(messages) => {
                    let is_all = messages.len() < FILL;
                    log.filled(messages, is_all);
                }
                Err(error) => drop(self.store_failed("group log", &error)),
            }
        }
        for _ in 0..MAX_PAGES {
            let lacking = session.groups.lock().lacking();
            if lacking.is_empty() {
                return;
            }
            for (group, from) in lacking {
                match self.elements.group_log(&group, from, PAGE).await {
                    Ok(messages) => session.groups.lock().read(&group, from, messages),
                    Err(error) => {
                        self.store_failed("group log", &error);
                        return;
                    }
                }
            }
            // What is not for it at all is passed by this.
            if session.groups.lock().find(&me(session, now)).is_some() {
                return;
            }
        }
    }

    /// Lets go of what everybody has, and tells the store how far those have come who only
    /// pass by.
    pub(crate) fn tend_groups(&self, now: Timestamp) {
        for log in self.hub.group_logs() {
            let mut slowest = log.last();
            for session in log.members() {
                let progress = session
                    .groups
                    .lock()
                    .progress(&log.group, &me(&session, now));
                let Some((position, untold)) = progress else {
                    continue;
                };
                slowest = slowest.min(position);
                if untold {
                    self.keep_cursor_later(&session, &log.group);
                }
            }
            log.release(slowest);
        }
    }

    /// Joined sessions after a restart.
    pub(crate) async fn restore_groups(&self) -> Result<(), hamlet_store::StoreError> {
        const PAGE: usize = 1000;
        let mut after = None;
        loop {
            let page = self.elements.joined_sessions(after.take(), PAGE).await?;
            let count = page.len();
            after = page.last().cloned();
            for joined in page {
                self.hub.join_group(
                    &joined.cursor,
                    joined.screen_name.trim().to_lowercase(),
                    Some(joined.last),
                );
            }
            if count < PAGE {
                return Ok(());
            }
        }
    }
}
