//! Handing out: the next server transaction of a session (csp-access 2.4, 5.3; csp-im 6,
//! 10.3).

use crate::Sap;
use crate::client_profile::ClientProfile;
use crate::delivery::adapt;
use crate::delivery::decide::{Subject, Terms, Verdict, Ways, decide};
use crate::delivery::group_log::Carried;
use crate::delivery::group_out::Ready;
use crate::delivery::links::{Link, WantedLink};
use crate::delivery::mailbox::{Asker, Found, Mailbox};
use crate::delivery::outbound::What;
use crate::delivery::pushes::Waiting;
use crate::mapping::{self, Facts, message, presence, presence_merge};
use crate::negotiation::functions::Function;
use crate::session::{Session, Settings};
use hamlet_csp::elements::Primitive;
use hamlet_csp::{Extension, Syntax, Tag, Text, Transaction, Version};
use hamlet_elements::im::{MailboxItem, SessionView};
use hamlet_elements::push::Push;
use hamlet_model::{StatusCode, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Shortest default guard time (csp-access 2.4).
const GUARD: Duration = Duration::from_secs(60);

/// A server transaction that is about to be written.
pub(crate) struct Outgoing {
    pub(crate) id: Text,
    pub(crate) carried: Carried,
    pub(crate) extensions: Vec<Extension>,
}

impl Outgoing {
    pub(crate) fn into_transaction(self) -> Transaction {
        let transaction = match self.carried {
            Carried::Primitive(primitive) => Transaction::request(self.id, primitive),
            Carried::Written(written) => Transaction::written_request(self.id, written),
        };
        Transaction {
            extensions: self.extensions,
            ..transaction
        }
    }
}

impl Sap {
    /// Opens the next server transaction of the session, if there is something for it and
    /// it may have another one open. Needs no database.
    pub(crate) fn next_outgoing(
        &self,
        session: &Session,
        facts: &Facts<'_>,
        syntax: Syntax,
        now: Timestamp,
    ) -> Option<Outgoing> {
        let settings = session.settings();
        let guard = self.guard_time(&settings);
        self.lapse(session, now);
        // The usual poll ends here, and has cost two locks.
        let nothing = {
            let outbound = session.outbound.lock();
            outbound.notices.is_empty() && outbound.pushes.is_empty()
        };
        let nothing = nothing && session.user.mailbox.lock().len() == 0;
        if nothing && session.groups.lock().is_idle() {
            return None;
        }
        // A client may ask again over another connection before it is answered over the first.
        let _one_at_a_time = session.handing_out.lock();
        let multi_trans = settings.capabilities.multi_trans;
        if !session.outbound.lock().has_room(multi_trans) {
            return None;
        }
        let id = self.next_number()?;
        let of_group = self.group_turn(session, &settings, now);
        let is_first = |ready: &Ready| {
            let other = self.first_of_both(session, &settings, facts, now);
            other.is_none_or(|other| ready.at() < other)
        };
        let (form, times) = ((facts, syntax), (now, guard));
        let of_group = match of_group {
            Some(ready) if nothing || is_first(&ready) => {
                return Some(self.send_group_message(session, ready, form, id, times));
            }
            later => later,
        };
        let next = self.next_of_both(session, &settings, facts, now);
        if next.is_none()
            && let Some(ready) = of_group
        {
            return Some(self.send_group_message(session, ready, form, id, times));
        }
        let next = next.or_else(|| self.next_presence(session, facts, now));
        let (what, primitive, extensions) = next?;
        if let What::Message(entry) | What::Notification(entry) | What::Report(entry) = &what {
            let mut mailbox = session.user.mailbox.lock();
            mailbox.sent(entry, &session.id, now, guard);
        }
        self.metrics.sent(match what {
            What::Message(_) => "message",
            What::Notification(_) => "notification",
            What::Report(_) => "report",
            What::Presence(_) => "presence",
            What::Push(_) => "request",
            What::Group(_) => "group message",
        });
        session
            .outbound
            .lock()
            .open(id.clone(), what, now.plus(guard));
        Some(Outgoing {
            id,
            carried: Carried::Primitive(primitive),
            extensions,
        })
    }

    /// When the first of mailbox and pushes came.
    fn first_of_both(
        &self,
        session: &Session,
        settings: &Settings,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let push = first_push(session, settings, facts, now).map(|(push, _)| push.since);
        let found = self.with_asker(session, settings, now, |asker, mailbox| mailbox.find(asker));
        let found = found.map(|found| arrived(&found.item));
        push.into_iter().chain(found).min()
    }

    /// The mailbox and what waits beside it, in order of arrival (csp-access 5.3).
    fn next_of_both(
        &self,
        session: &Session,
        settings: &Settings,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Option<(What, Primitive, Vec<Extension>)> {
        if let Some((push, primitive)) = first_push(session, settings, facts, now) {
            let found =
                self.with_asker(session, settings, now, |asker, mailbox| mailbox.find(asker));
            let is_first = found.is_none_or(|found| arrived(&found.item) > push.since);
            if is_first && let Some(waiting) = take_push(session, &push) {
                return Some((What::Push(waiting), primitive, Vec::new()));
            }
        }
        let entry = self.next_entry(session, settings, facts, now);
        entry.or_else(|| {
            // What was found in the mailbox turned out not to be for this session.
            let (push, primitive) = first_push(session, settings, facts, now)?;
            let waiting = take_push(session, &push)?;
            Some((What::Push(waiting), primitive, Vec::new()))
        })
    }

    /// The oldest message or report that is for this session now.
    fn next_entry(
        &self,
        session: &Session,
        settings: &Settings,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Option<(What, Primitive, Vec<Extension>)> {
        loop {
            let Found {
                id,
                item,
                too_large,
                link,
            } = self.with_asker(session, settings, now, |asker, mailbox| mailbox.find(asker))?;
            let message = match &*item {
                MailboxItem::Report(_) if !takes_reports(session, settings) => {
                    self.unfit(session, settings, &id, None, now);
                    continue;
                }
                MailboxItem::Report(report) => {
                    let primitive = message::delivery_report(report, facts, now);
                    return Some((What::Report(id), primitive, Vec::new()));
                }
                MailboxItem::Message(message) => message,
            };
            let adapted = adapt::adapt(message, &settings.capabilities);
            let fitted = adapted.message();
            let terms = Terms::of(settings, message, self.ways(session, settings));
            let verdict = decide(
                &terms,
                &Subject {
                    media_type: &fitted.content.media_type(),
                    // Of what lies elsewhere only the link is sent.
                    size: fitted.content.size(),
                    oversize: too_large > 0,
                    outside: message.is_outside(),
                },
            );
            match verdict {
                Verdict::Push => {
                    let (primitive, extensions) = message::new_message(fitted, facts, now);
                    return Some((What::Message(id), primitive, extensions));
                }
                Verdict::Notify if too_large < 2 => {
                    let form = if message.is_outside() {
                        message
                    } else {
                        fitted
                    };
                    let primitive = message::message_notification(form, facts, now);
                    return Some((What::Notification(id), primitive, Vec::new()));
                }
                // csp-im 4.4 (2): what is too long for it may be a link away.
                Verdict::Keep
                    if too_large < 2
                        && terms.ways.push
                        && adapt::takes_link(message, &settings.capabilities) =>
                {
                    let linked = adapt::linked(message);
                    let (primitive, extensions) = message::new_message(&linked, facts, now);
                    return Some((What::Message(id), primitive, extensions));
                }
                verdict => match self.link(&terms, message, verdict, too_large, link.as_deref()) {
                    Link::Is(linked) => {
                        let (primitive, extensions) = message::new_message(&linked, facts, now);
                        return Some((What::Message(id), primitive, extensions));
                    }
                    Link::Wanted => {
                        // What came after it waits, too: nothing overtakes it.
                        let wanted = WantedLink::Waiting { id, item, verdict };
                        wanted.note(session);
                        return None;
                    }
                    // It waits for being pulled, or for a client that can take it.
                    Link::No => self.unfit(session, settings, &id, verdict.code(), now),
                },
            }
        }
    }

    /// Whether answers to the session may be segmented (csp-access 14).
    pub(crate) fn segments(&self, session: &Session) -> bool {
        let settings = session.settings();
        let agreed = settings.agreement.as_ref();
        session.version == Version::V1_3
            && agreed.is_some_and(|agreed| agreed.allows(Function::SGMNT, session.version))
    }

    /// By which requests messages are brought to the session.
    pub(crate) fn ways(&self, session: &Session, settings: &Settings) -> Ways {
        let agreement = settings.agreement.as_ref();
        let ways = Ways::of(agreement, &settings.profile, session.version);
        Ways {
            notice: ways.notice && session.outbound.lock().takes_notices(),
            ..ways
        }
    }

    /// The session cannot take an entry. When no other session can and there is a `code`
    /// for that, it has failed for good (csp-im 6 rule 11).
    pub(crate) fn unfit(
        &self,
        session: &Session,
        settings: &Settings,
        entry: &str,
        code: Option<StatusCode>,
        now: Timestamp,
    ) {
        let others = self.with_asker(session, settings, now, |asker, mailbox| {
            mailbox.unfit(entry, asker)
        });
        if others {
            self.hub.raise_all(&session.user);
        }
        let Some(code) = code.filter(|_| !others) else {
            return;
        };
        self.metrics.failed.inc();
        let (user, entry) = (session.user.id.clone(), entry.to_owned());
        session.user.mailbox.lock().removed(&entry);
        self.aside(move |sap| async move {
            if let Err(error) = sap.elements.fail(&user, &entry, code).await {
                sap.store_failed("mailbox", &error);
            }
        });
    }

    /// A server transaction was too large to be written. `alone`: it can never be.
    pub(crate) fn withdraw(&self, session: &Session, id: &str, alone: bool, now: Timestamp) {
        let what = session.outbound.lock().withdraw(id);
        match what {
            // csp-im 3.2 item 4: perhaps a smaller form of it fits.
            Some(What::Message(entry) | What::Notification(entry)) if alone => {
                session.user.mailbox.lock().too_large(&entry, &session.id);
            }
            Some(What::Message(entry) | What::Notification(entry)) => {
                session.user.mailbox.lock().missed(&entry, &session.id);
            }
            Some(What::Report(entry)) => match alone {
                true => self.unfit(session, &session.settings(), &entry, None, now),
                false => session.user.mailbox.lock().missed(&entry, &session.id),
            },
            Some(What::Presence(notices)) => {
                let mut outbound = session.outbound.lock();
                if !alone && notices.len() == 1 {
                    // It was too large beside something else.
                    outbound.notices.not_sent(notices);
                } else if outbound.notices.too_large(notices, presence::lighter) > 0 {
                    self.metrics.notices_dropped.inc();
                    let session = session.id.short();
                    tracing::warn!(
                        session,
                        "presence is too large for its client even without pictures"
                    );
                }
            }
            Some(What::Push(waiting)) => {
                let mut outbound = session.outbound.lock();
                match alone {
                    true => outbound.pushes.finish(&waiting.push.id),
                    false => outbound.pushes.put_back(waiting),
                }
            }
            Some(What::Group(given)) => {
                let said = &given.message;
                let mut groups = session.groups.lock();
                match alone {
                    // csp-im 3.2 item 4: perhaps a smaller form of it fits.
                    true => groups.too_large(&said.group, said.seq),
                    false => groups.missed(&said.group, said.seq),
                }
            }
            None => {}
        }
    }

    /// Whether the client should poll: there is something for it, and it may have it.
    pub(crate) fn has_more(&self, session: &Session, now: Timestamp) -> bool {
        let settings = session.settings();
        if self
            .presence_due(session, &settings)
            .is_some_and(|due| due <= now)
        {
            return true;
        }
        if !session.outbound.lock().pushes.is_empty() {
            let facts = Facts {
                version: session.version,
                home: &self.config.domain,
                profile: &settings.profile,
            };
            if first_push(session, &settings, &facts, now).is_some() {
                return true;
            }
        }
        if self.has_more_of_groups(session, now) {
            return true;
        }
        if session.user.mailbox.lock().len() == 0 {
            return false;
        }
        self.with_asker(session, &settings, now, |asker, mailbox| mailbox.has(asker))
    }

    /// When presence that waits for the session may be sent.
    pub(crate) fn presence_due(&self, session: &Session, settings: &Settings) -> Option<Timestamp> {
        if !takes_presence(&settings.profile) {
            return None;
        }
        let window = self.config.delivery.presence_window;
        session.outbound.lock().notices.due(window)
    }

    /// Presence that is to be sent now, as far as it says anything new.
    fn next_presence(
        &self,
        session: &Session,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Option<(What, Primitive, Vec<Extension>)> {
        if !takes_presence(facts.profile) {
            return None;
        }
        let limit = match facts.profile.one_presence_per_notification {
            true => 1,
            false => usize::MAX,
        };
        let window = self.config.delivery.presence_window;
        loop {
            let mut notices = session.outbound.lock().notices.take(limit, now, window);
            if notices.is_empty() {
                return None;
            }
            notices.retain(|notice| {
                let fingerprint = presence_merge::fingerprint(&notice.attributes, facts.version);
                let mut outbound = session.outbound.lock();
                outbound.notices.is_news(notice, fingerprint, now)
            });
            if notices.is_empty() {
                continue;
            }
            let publishers = notices
                .iter()
                .map(|notice| (&notice.publisher, notice.attributes.as_slice()));
            let primitive = presence::notification(publishers, facts);
            return Some((What::Presence(notices), primitive, Vec::new()));
        }
    }

    /// As [`Sap::has_more`], for answers without a server transaction: while the client owes
    /// answers, a poll would bring it nothing.
    pub(crate) fn poll_is_worth_while(&self, session: &Session, now: Timestamp) -> bool {
        let multi_trans = session.settings().capabilities.multi_trans;
        self.lapse(session, now);
        let room = session.outbound.lock().has_room(multi_trans);
        room && self.has_more(session, now)
    }

    /// Closes what was not answered in time.
    fn lapse(&self, session: &Session, now: Timestamp) {
        let after = self.config.delivery.implicit_after;
        let missed = session.outbound.lock().lapse(now, after);
        if missed.is_empty() {
            return;
        }
        let mut mailbox = session.user.mailbox.lock();
        for entry in &missed {
            self.metrics.repeated.inc();
            mailbox.missed(entry, &session.id);
        }
        drop(mailbox);
        // It may be the turn of another session now.
        self.hub.raise_all(&session.user);
    }

    pub(crate) fn with_asker<T>(
        &self,
        session: &Session,
        settings: &Settings,
        now: Timestamp,
        ask: impl FnOnce(&Asker<'_>, &mut Mailbox) -> T,
    ) -> T {
        let mut mailbox = session.user.mailbox.lock();
        // The same for all entries: one that ends meanwhile must not let a later entry overtake.
        let sessions = session.user.sessions.read();
        let views = |item: &MailboxItem| -> Vec<SessionView> {
            let view = |other: &Arc<Session>| other.view(accepts(other, item));
            sessions.iter().map(view).collect()
        };
        let asker = Asker {
            session: &session.id,
            now,
            guard: self.guard_time(settings),
            views: &views,
        };
        ask(&asker, &mut mailbox)
    }

    /// How long an answer of the client is waited for (csp-access 2.4).
    pub(crate) fn guard_time(&self, settings: &Settings) -> Duration {
        let twice = Duration::from_secs(u64::from(settings.capabilities.poll_min) * 2);
        self.config.delivery.guard_time.unwrap_or(GUARD.max(twice))
    }

    pub(crate) fn next_number(&self) -> Option<Text> {
        if self.numbers.is_low() {
            self.aside(|sap| async move {
                if sap.numbers.is_low()
                    && let Err(error) = sap.numbers.refill().await
                {
                    sap.store_failed("numbers", &error);
                }
            });
        }
        self.numbers.next()
    }
}

/// Whether the session takes the content of a message; reports are for everybody.
fn accepts(session: &Session, item: &MailboxItem) -> bool {
    match item {
        MailboxItem::Message(message) => adapt::accepts(message, &session.settings().capabilities),
        MailboxItem::Report(_) => true,
    }
}

/// Whether it wants to hear what became of messages. Old clients that do not name the function
/// have agreed all the same (csp-access 6.3).
pub(crate) fn takes_reports(session: &Session, settings: &Settings) -> bool {
    let agreement = settings.agreement.as_ref();
    agreement.is_none_or(|agreed| agreed.allows(Function::MDELIV, session.version))
}

/// When it came, as far as that is known.
fn arrived(item: &MailboxItem) -> Timestamp {
    match item {
        MailboxItem::Message(message) => message.sent,
        MailboxItem::Report(report) => report.delivered.unwrap_or(report.sent),
    }
}

/// The first of the pushes; those before it that are nothing for this session are passed
/// over.
fn first_push(
    session: &Session,
    settings: &Settings,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Option<(Arc<Push>, Primitive)> {
    loop {
        let mut outbound = session.outbound.lock();
        let Waiting { push, .. } = outbound.pushes.first(now)?;
        match mapping::push::primitive(
            push,
            facts,
            settings.agreement.as_ref(),
            |notification| {
                let kind = notification.kind();
                settings.notifications.wants(kind, session.version)
            },
            &session.user.id,
            now,
        ) {
            Some(primitive) => return Some((push.clone(), primitive)),
            None => outbound.pushes.skip_first(),
        }
    }
}

/// It goes out, unless another exchange of the session has taken it.
fn take_push(session: &Session, push: &Push) -> Option<Waiting> {
    session.outbound.lock().pushes.take(&push.id)
}

fn takes_presence(profile: &ClientProfile) -> bool {
    profile.takes_push(Tag::PresenceNotificationRequest)
}
