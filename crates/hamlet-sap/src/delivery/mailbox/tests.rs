//! Whose turn it is, over several sessions, losses and restarts.

use super::*;
use crate::session::tests::user_id;
use hamlet_model::{ClientId, Content, MessageId, MessageParty};

const GUARD: Duration = Duration::from_secs(60);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + seconds)
}

fn item(id: &str) -> Arc<MailboxItem> {
    Arc::new(MailboxItem::Message(Box::new(Message {
        id: MessageId::new(id),
        sender: MessageParty::user(user_id("anna")),
        sender_name: None,
        recipient: MessageParty::user(user_id("bob")),
        content: Content::text("x"),
        content_name: None,
        uri: None,
        elsewhere: None,
        sent: at(0),
        expires: at(100_000),
        font: None,
        extensions: Vec::new(),
        transaction_extensions: Vec::new(),
        report: false,
    })))
}

/// Sessions with their priorities.
struct World(Vec<(SessionId, u32)>);

impl World {
    fn new(sessions: &[(&str, u32)]) -> Self {
        Self(
            sessions
                .iter()
                .map(|(id, p)| (SessionId::new(id), *p))
                .collect(),
        )
    }

    fn ask<T>(
        &self,
        mailbox: &mut Mailbox,
        session: &str,
        now: i64,
        ask: impl FnOnce(&mut Mailbox, &Asker<'_>) -> T,
    ) -> T {
        let views = |_: &MailboxItem| -> Vec<SessionView> {
            let view = |(id, priority): &(SessionId, u32)| SessionView {
                id: id.clone(),
                client: ClientId::from_url(id.as_str()),
                application: None,
                own: false,
                priority: *priority,
                active: at(0),
                accepts: true,
            };
            self.0.iter().map(view).collect()
        };
        let asker = Asker {
            session: &SessionId::new(session),
            now: at(now),
            guard: GUARD,
            views: &views,
        };
        ask(mailbox, &asker)
    }

    /// Finds and sends.
    fn take(&self, mailbox: &mut Mailbox, session: &str, now: i64) -> Option<String> {
        let found = self.ask(mailbox, session, now, |mailbox, asker| mailbox.find(asker))?;
        mailbox.sent(&found.id, &SessionId::new(session), at(now), GUARD);
        Some(found.id)
    }

    /// The clients that get a copy.
    fn acknowledge(&self, mailbox: &mut Mailbox, session: &str, id: &str) -> Vec<String> {
        let owed = self.ask(mailbox, session, 1, |mailbox, asker| {
            mailbox.acknowledged(id, asker)
        });
        let name = |client: &ClientId| client.url.as_deref().unwrap_or_default().to_owned();
        owed.iter().map(name).collect()
    }
}

fn view(session: &str) -> SessionView {
    SessionView {
        id: SessionId::new(session),
        client: ClientId::from_url(session),
        application: None,
        own: false,
        priority: 0,
        active: at(0),
        accepts: true,
    }
}

fn shown(mailbox: &Mailbox, session: &str, now: i64) -> Vec<String> {
    let messages = mailbox.messages(&view(session), at(now));
    messages.iter().map(|item| item.id()).collect()
}

#[test]
fn who_has_been_told_is_not_told_again_but_may_see_and_pull() {
    // csp-im 7.1, 7.3.
    let world = World::new(&[("p", 0)]);
    let mut mailbox = holding(&["m", "n"]);
    assert_eq!(world.take(&mut mailbox, "p", 0).as_deref(), Some("m"));
    world.ask(&mut mailbox, "p", 1, |mailbox, asker| {
        mailbox.told("m", asker)
    });
    assert_eq!(world.take(&mut mailbox, "p", 2).as_deref(), Some("n"));
    assert_eq!(world.take(&mut mailbox, "p", 10_000).as_deref(), Some("n"));
    assert_eq!(shown(&mailbox, "p", 10_000), ["m", "n"]);
    assert!(mailbox.message("m", &view("p"), at(10_000)).is_some());
    assert!(
        mailbox.message("m", &view("p"), at(100_000)).is_none(),
        "expired"
    );
    assert!(!mailbox.is_pulled("m", &SessionId::new("p")));
    world.ask(&mut mailbox, "p", 3, |mailbox, asker| {
        mailbox.pulled("m", asker)
    });
    assert!(mailbox.is_pulled("m", &SessionId::new("p")));
    assert!(world.acknowledge(&mut mailbox, "p", "m").is_empty());
    assert_eq!(shown(&mailbox, "p", 4), ["n"]);
}

#[test]
fn another_session_gets_what_the_told_one_does_not_fetch_in_time() {
    // csp-im 10.3 item 6.
    let world = World::new(&[("p", 9), ("q", 0)]);
    let mut mailbox = holding(&["m"]);
    assert_eq!(world.take(&mut mailbox, "p", 0).as_deref(), Some("m"));
    world.ask(&mut mailbox, "p", 1, |mailbox, asker| {
        mailbox.told("m", asker)
    });
    assert_eq!(world.take(&mut mailbox, "q", 2), None);
    assert_eq!(world.take(&mut mailbox, "q", 62).as_deref(), Some("m"));
    // And again, because the first one knows.
    assert_eq!(world.take(&mut mailbox, "q", 200).as_deref(), Some("m"));
    assert_eq!(world.take(&mut mailbox, "p", 900), None);
}

#[test]
fn another_way_of_delivery_lets_everything_be_decided_anew() {
    // csp-im 3.3.
    let world = World::new(&[("p", 0)]);
    let mut mailbox = holding(&["told", "unfit", "sent", "large"]);
    let p = SessionId::new("p");
    world.ask(&mut mailbox, "p", 0, |mailbox, asker| {
        mailbox.told("told", asker);
        mailbox.unfit("unfit", asker);
    });
    mailbox.sent("sent", &p, at(0), GUARD);
    mailbox.too_large("large", &p);
    let found = world.ask(&mut mailbox, "p", 1, |mailbox, asker| mailbox.find(asker));
    assert_eq!(found.map(|found| found.too_large), Some(1));
    mailbox.reconsider(&p);
    for expected in ["told", "unfit", "large"] {
        let found = world.ask(&mut mailbox, "p", 1, |mailbox, asker| mailbox.find(asker));
        assert_eq!(found.map(|found| found.too_large), Some(0));
        assert_eq!(world.take(&mut mailbox, "p", 1).as_deref(), Some(expected));
    }
    assert_eq!(world.take(&mut mailbox, "p", 1), None);
}

#[test]
fn a_copy_can_be_pulled_and_dropped_by_whom_it_is_for() {
    // csp-im 10.3 item 5.
    let world = World::new(&[("p", 0), ("q", 0)]);
    let mut mailbox = holding(&["m"]);
    mailbox.handling = OnlineHandling::ForkAll;
    for session in ["p", "q"] {
        assert_eq!(world.take(&mut mailbox, session, 0).as_deref(), Some("m"));
    }
    world.ask(&mut mailbox, "q", 1, |mailbox, asker| {
        mailbox.told("m", asker)
    });
    assert!(
        !mailbox.drop_copy("m", &ClientId::from_url("q")),
        "the store has it"
    );
    assert_eq!(world.acknowledge(&mut mailbox, "p", "m"), ["q"]);
    assert_eq!(shown(&mailbox, "p", 2), Vec::<String>::new());
    assert_eq!(shown(&mailbox, "q", 2), ["m"]);
    mailbox.reconsider(&SessionId::new("q"));
    assert_eq!(world.take(&mut mailbox, "q", 2).as_deref(), Some("m"));
    assert!(mailbox.drop_copy("m", &ClientId::from_url("q")));
    assert!(!mailbox.drop_copy("m", &ClientId::from_url("q")));
    assert_eq!(mailbox.len(), 0);
}

#[test]
fn a_session_sees_what_is_addressed_to_it() {
    // csp-im 10.3 item 1.
    let mut mailbox = holding(&["m"]);
    let MailboxItem::Message(message) = &*item("n") else {
        panic!("a message");
    };
    let mut message = message.clone();
    message.recipient = MessageParty::User {
        user: user_id("bob"),
        client: Some(ClientId::from_url("q")),
        application: None,
    };
    mailbox.arrived(Arc::new(MailboxItem::Message(message)));
    assert_eq!(shown(&mailbox, "p", 0), ["m"]);
    assert_eq!(shown(&mailbox, "q", 0), ["m", "n"]);
}

fn holding(ids: &[&str]) -> Mailbox {
    let mut mailbox = Mailbox::default();
    mailbox.begin_load();
    mailbox.loaded(ids.iter().map(|id| item(id)).collect(), Vec::new());
    mailbox
}

#[test]
fn entries_go_out_in_order_and_once_until_they_are_due_again() {
    let one = World::new(&[("s", 0)]);
    let mut mailbox = holding(&["a", "b"]);
    assert_eq!(one.take(&mut mailbox, "s", 0).as_deref(), Some("a"));
    assert_eq!(one.take(&mut mailbox, "s", 1).as_deref(), Some("b"));
    assert_eq!(one.take(&mut mailbox, "s", 2), None);
    assert_eq!(one.take(&mut mailbox, "s", 60).as_deref(), Some("a"));
    // The second time it is waited for twice as long.
    assert_eq!(one.take(&mut mailbox, "s", 61).as_deref(), Some("b"));
    assert_eq!(one.take(&mut mailbox, "s", 179), None);
    assert_eq!(one.take(&mut mailbox, "s", 180).as_deref(), Some("a"));
    assert!(one.acknowledge(&mut mailbox, "s", "a").is_empty());
    assert_eq!(mailbox.len(), 1);
    assert!(mailbox.was_acknowledged("a") && !mailbox.was_acknowledged("b"));
    mailbox.removed("b");
    assert!(!mailbox.was_acknowledged("b"), "nobody has it");
}

#[test]
fn what_happens_while_the_store_is_read_is_not_lost() {
    let mut mailbox = Mailbox::default();
    mailbox.arrived(item("before"));
    assert_eq!(mailbox.len(), 0, "the store has it");
    mailbox.begin_load();
    mailbox.arrived(item("during"));
    mailbox.arrived(item("both"));
    mailbox.removed("gone");
    mailbox.begin_load();
    mailbox.loaded(vec![item("before"), item("both"), item("gone")], Vec::new());
    let ids: Vec<_> = mailbox.entries.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids, ["before", "both", "during"]);
    // A second reading that ends later changes nothing.
    mailbox.loaded(vec![], Vec::new());
    assert_eq!(mailbox.len(), 3);
    assert!(!mailbox.is_cold());
}

#[test]
fn what_is_told_late_does_not_bring_back_what_was_acknowledged() {
    let one = World::new(&[("s", 0)]);
    // It was read from the store, sent and acknowledged before its arrival was told.
    let mut mailbox = holding(&["a"]);
    one.take(&mut mailbox, "s", 0);
    assert!(one.acknowledge(&mut mailbox, "s", "a").is_empty());
    mailbox.arrived(item("a"));
    assert_eq!(one.take(&mut mailbox, "s", 100), None);
    // The store is read while it still has what was acknowledged a moment ago.
    assert!(mailbox.cool(at(200)));
    mailbox.begin_load();
    mailbox.loaded(vec![item("a"), item("b")], Vec::new());
    assert_eq!(one.take(&mut mailbox, "s", 201).as_deref(), Some("b"));
    // It could not be removed there: it waits.
    mailbox.reload();
    mailbox.begin_load();
    mailbox.loaded(vec![item("a"), item("b")], Vec::new());
    assert_eq!(one.take(&mut mailbox, "s", 500).as_deref(), Some("a"));
}

#[test]
fn a_failed_reading_is_repeated() {
    let mut mailbox = Mailbox::default();
    mailbox.begin_load();
    mailbox.load_failed();
    assert!(mailbox.is_cold());
    mailbox.begin_load();
    mailbox.loaded(vec![item("a")], Vec::new());
    assert!(!mailbox.is_cold());
}

#[test]
fn a_mailbox_cools_only_when_nothing_is_under_way() {
    let one = World::new(&[("s", 0)]);
    let mut mailbox = holding(&["a"]);
    one.take(&mut mailbox, "s", 0);
    assert!(!mailbox.cool(at(59)));
    assert!(mailbox.cool(at(60)));
    assert!(mailbox.is_cold());
}

#[test]
fn the_preferred_session_gets_it_and_the_next_one_when_that_stays_silent() {
    let two = World::new(&[("low", 1), ("high", 9)]);
    let mut mailbox = holding(&["a"]);
    assert_eq!(
        two.take(&mut mailbox, "low", 0),
        None,
        "it is the other's turn"
    );
    assert_eq!(two.take(&mut mailbox, "low", 59), None);
    assert_eq!(two.take(&mut mailbox, "low", 60).as_deref(), Some("a"));
    // Now low has it; high comes late and waits.
    assert_eq!(two.take(&mut mailbox, "high", 61), None);
    assert_eq!(two.take(&mut mailbox, "high", 121).as_deref(), Some("a"));
}

#[test]
fn two_silent_sessions_take_turns() {
    let two = World::new(&[("low", 1), ("high", 9)]);
    let mut mailbox = holding(&["a"]);
    let mut takers = Vec::new();
    for now in 0..2000 {
        for session in ["low", "high"] {
            if two.take(&mut mailbox, session, now).is_some() {
                takers.push(session);
            }
        }
    }
    takers.truncate(4);
    assert_eq!(takers, ["high", "low", "high", "low"]);
}

#[test]
fn a_session_that_cannot_take_it_leaves_it_to_others() {
    let two = World::new(&[("low", 1), ("high", 9)]);
    let mut mailbox = holding(&["a"]);
    let unfit = |mailbox: &mut Mailbox, session| {
        two.ask(mailbox, session, 0, |mailbox, asker| {
            mailbox.unfit("a", asker)
        })
    };
    assert!(unfit(&mut mailbox, "high"), "low may");
    assert_eq!(two.take(&mut mailbox, "high", 0), None);
    assert_eq!(two.take(&mut mailbox, "low", 0).as_deref(), Some("a"));
    assert!(!unfit(&mut mailbox, "low"), "nobody may");
}

#[test]
fn when_all_shall_have_it_every_client_gets_its_copy_once() {
    let two = World::new(&[("s", 1), ("t", 9)]);
    let mut mailbox = holding(&["a"]);
    mailbox.handling = OnlineHandling::ForkAll;
    assert_eq!(two.take(&mut mailbox, "s", 0).as_deref(), Some("a"));
    assert_eq!(two.acknowledge(&mut mailbox, "s", "a"), ["t"]);
    assert_eq!(two.take(&mut mailbox, "s", 0), None);
    assert_eq!(two.take(&mut mailbox, "t", 0).as_deref(), Some("a"));
    assert!(two.acknowledge(&mut mailbox, "t", "a").is_empty());
    assert_eq!(mailbox.len(), 0);
}

#[test]
fn a_copy_waits_for_its_client_and_nobody_else() {
    let both = World::new(&[("s", 1), ("t", 9)]);
    let mut mailbox = Mailbox::default();
    mailbox.begin_load();
    let owed = vec![ClientId::from_url("t")];
    mailbox.loaded(vec![item("b")], vec![(item("a"), owed)]);
    // Nobody shares it any more, but this copy was promised.
    assert_eq!(both.take(&mut mailbox, "s", 0), None);
    assert_eq!(both.take(&mut mailbox, "t", 0).as_deref(), Some("a"));
    mailbox.session_ended(&SessionId::new("t"));
    assert_eq!(both.take(&mut mailbox, "t", 1).as_deref(), Some("a"));
    assert!(both.acknowledge(&mut mailbox, "t", "a").is_empty());
    assert_eq!(both.take(&mut mailbox, "t", 2).as_deref(), Some("b"));
}

#[test]
fn what_was_acknowledged_late_is_not_missed_by_a_later_sending() {
    let two = World::new(&[("s", 1), ("t", 9)]);
    let mut mailbox = holding(&["a"]);
    mailbox.handling = OnlineHandling::ForkAll;
    assert_eq!(two.take(&mut mailbox, "s", 0).as_deref(), Some("a"));
    assert_eq!(two.take(&mut mailbox, "s", 60).as_deref(), Some("a"));
    // The acknowledgement of the first, then the end of the wait for the second.
    assert_eq!(two.acknowledge(&mut mailbox, "s", "a"), ["t"]);
    mailbox.missed("a", &SessionId::new("s"));
    assert_eq!(two.take(&mut mailbox, "s", 200), None);
    assert_eq!(two.take(&mut mailbox, "t", 200).as_deref(), Some("a"));
}

#[test]
fn a_session_that_ends_gives_back_what_it_had() {
    let two = World::new(&[("s", 9), ("t", 1)]);
    let mut mailbox = holding(&["a"]);
    two.take(&mut mailbox, "s", 0);
    mailbox.session_ended(&SessionId::new("s"));
    let rest = World::new(&[("t", 1)]);
    assert_eq!(rest.take(&mut mailbox, "t", 0).as_deref(), Some("a"));
}

#[test]
fn a_session_that_is_gone_holds_nothing_back() {
    // csp-im 6 rule 9: its end has not been told here yet.
    let both = World::new(&[("a", 1), ("b", 0)]);
    let alone = World::new(&[("b", 0)]);
    let mut mailbox = holding(&["m"]);
    assert_eq!(both.take(&mut mailbox, "b", 0), None, "it is a's turn");
    mailbox.arrived(item("n"));
    assert_eq!(alone.take(&mut mailbox, "b", 1).as_deref(), Some("m"));
}
