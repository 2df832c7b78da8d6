use super::*;
use crate::delivery::group_log::tests::{group, said};
use crate::session::tests::user_id;

const GUARD: Duration = Duration::from_secs(60);

struct World {
    log: Arc<GroupLog>,
    groups: JoinedGroups,
    user: UserId,
    client: ClientId,
    now: Timestamp,
}

impl World {
    /// bo has joined a group whose log has `last` places.
    fn new(last: i64, beyond: &[i64]) -> Self {
        let log = Arc::new(GroupLog::new(group(), last, false));
        let mut groups = JoinedGroups::default();
        let cursor = GroupCursor {
            group: group(),
            session: SessionId::new("s"),
            position: last - beyond.len() as i64 * 2,
            beyond: beyond.to_vec(),
        };
        groups.join(log.clone(), "bo".into(), &cursor);
        Self {
            log,
            groups,
            user: user_id("bo"),
            client: ClientId::from_url("phone"),
            now: Timestamp::from_secs(1_000_000),
        }
    }

    fn say(&self, seqs: std::ops::RangeInclusive<i64>) {
        seqs.for_each(|seq| self.log.arrived(Arc::new(said(seq))));
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    /// What comes next; it is then sent.
    fn next(&mut self) -> Option<i64> {
        let me = Me {
            user: &self.user,
            client: &self.client,
            now: self.now,
        };
        let seq = self.groups.find(&me)?.message().seq;
        self.groups.sent(&group(), seq, self.now, GUARD);
        Some(seq)
    }

    fn done(&mut self, seq: i64) -> bool {
        self.groups.done(&group(), seq)
    }

    fn cursor(&mut self) -> (i64, Vec<i64>) {
        let session = SessionId::new("s");
        let cursor = self.groups.cursor(&group(), &session).unwrap();
        (cursor.position, cursor.beyond)
    }

    fn read(&mut self) -> Vec<(GroupId, i64)> {
        self.groups.lacking()
    }
}

#[test]
fn messages_come_in_order_each_until_it_is_acknowledged() {
    let mut world = World::new(10, &[]);
    assert!(world.groups.is_idle());
    assert_eq!(world.next(), None, "nothing from before the join");
    world.say(11..=13);
    assert!(!world.groups.is_idle());
    assert_eq!(world.next(), Some(11));
    assert_eq!(world.next(), Some(12), "several may be open");
    assert!(world.done(12));
    assert!(!world.done(12), "acknowledged twice");
    assert_eq!(world.cursor(), (10, vec![12]));
    world.wait(GUARD);
    assert_eq!(world.next(), Some(11), "again, and before all others");
    assert!(world.done(11));
    assert_eq!(world.cursor(), (12, vec![]));
    assert_eq!(world.next(), Some(13));
    assert!(world.done(13));
    assert!(world.groups.is_idle());
    assert_eq!(world.cursor(), (13, vec![]));
}

#[test]
fn every_repetition_waits_longer() {
    let mut world = World::new(0, &[]);
    world.say(1..=1);
    for turn in 0..4 {
        assert_eq!(world.next(), Some(1));
        world.wait(GUARD * (1 << turn) - Duration::from_secs(1));
        assert_eq!(world.next(), None);
        world.wait(Duration::from_secs(1));
    }
}

#[test]
fn what_is_not_for_the_session_is_passed() {
    let mut world = World::new(4, &[]);
    for (seq, from, target, refusing) in [
        (5, "bo", "", None),
        (6, "anna", "cy", None),
        (7, "anna", "", Some("bo")),
        (8, "anna", "bo", None),
        (9, "bo", "", None),
    ] {
        let message = GroupMessage {
            sender: user_id(from),
            target: target.into(),
            refusing: refusing.map(user_id).into_iter().collect(),
            ..said(seq)
        };
        world.log.arrived(Arc::new(message));
    }
    assert_eq!(world.next(), Some(8), "the whisper");
    assert!(world.done(8));
    assert_eq!(world.next(), None);
    assert!(world.groups.is_idle());
    assert_eq!(world.cursor(), (9, vec![]));
}

#[test]
fn what_has_expired_is_passed() {
    let mut world = World::new(4, &[]);
    world.say(5..=5);
    world.now = Timestamp::from_secs(2_000_000);
    assert_eq!(world.next(), None);
    assert!(world.groups.is_idle());
}

#[test]
fn after_a_restart_the_store_is_read_and_nothing_comes_twice() {
    // 19 was acknowledged before 17 and 18, and 20 not at all.
    let mut world = World::new(20, &[19]);
    assert_eq!(world.next(), None);
    assert_eq!(world.read(), [(group(), 18)]);
    let me = (world.user.clone(), world.client.clone(), world.now);
    world.groups.read(&group(), 18, vec![said(19), said(20)]);
    assert_eq!(world.read(), []);
    world.say(21..=21);
    assert_eq!(world.next(), Some(20));
    assert_eq!(world.next(), Some(21));
    let me = Me {
        user: &me.0,
        client: &me.1,
        now: me.2,
    };
    assert!(world.groups.by_id("m19", &me).is_none());
    assert!(world.groups.by_id("m20", &me).is_some());
    assert!(world.done(21) && world.done(20));
    assert_eq!(world.cursor(), (21, vec![]));
}

#[test]
fn a_slow_session_reads_page_by_page_what_the_memory_has_lost() {
    let mut world = World::new(0, &[]);
    world.say(1..=300);
    let floor = world.log.floor();
    assert!(floor > PAGE as i64);
    let mut got = Vec::new();
    while got.len() < 300 {
        if let [(_, from)] = world.read()[..] {
            let to = from + PAGE as i64;
            let page = (from + 1..=to).map(said).collect();
            world.groups.read(&group(), from, page);
        }
        let seq = world.next().unwrap();
        got.push(seq);
        assert!(world.done(seq));
    }
    assert_eq!(got, (1..=300).collect::<Vec<_>>());
    assert_eq!(world.cursor(), (300, vec![]));
}

#[test]
fn who_was_told_of_a_page_and_fetches_nothing_is_told_of_the_next() {
    let mut world = World::new(600, &[]);
    world.groups.leave(&group());
    let cursor = GroupCursor {
        group: group(),
        session: SessionId::new("s"),
        position: 0,
        beyond: Vec::new(),
    };
    world
        .groups
        .join(world.log.clone(), "bo".to_owned(), &cursor);
    assert!(!world.groups.knows_all());
    let mut told = 0;
    while let [(_, from)] = world.read()[..] {
        let page = (from + 1..=from + PAGE as i64).map(said).collect();
        world.groups.read(&group(), from, page);
        while let Some(seq) = world.next() {
            told += 1;
            assert_eq!(seq, told);
            world.groups.notified(&group(), seq);
        }
    }
    assert_eq!(told, MOST_BEHIND as i64, "but not for ever");
    // What it acknowledges makes room.
    for seq in 1..=20 {
        assert!(world.done(seq));
    }
    assert_eq!(world.read(), [(group(), MOST_BEHIND as i64)]);
}

#[test]
fn what_a_client_never_comes_for_is_given_up() {
    let mut world = World::new(0, &[]);
    world.say(1..=2);
    assert_eq!(world.next(), Some(1));
    world.groups.notified(&group(), 1);
    for seq in 2..=400 {
        world.say(seq..=seq);
        assert!(world.done(seq));
    }
    let (position, beyond) = world.cursor();
    assert!(
        position > 1 && beyond.len() <= MAX_BEYOND,
        "{position} {beyond:?}"
    );
}

#[test]
fn who_leaves_gets_nothing_more() {
    let mut world = World::new(0, &[]);
    world.say(1..=3);
    assert_eq!(world.next(), Some(1));
    assert!(world.groups.leave(&group()).is_some());
    assert_eq!(world.next(), None);
    assert!(!world.done(1));
    assert!(world.groups.is_empty());
}

#[test]
fn what_a_client_was_told_of_waits_until_it_fetches_it() {
    let mut world = World::new(0, &[]);
    world.say(1..=2);
    assert_eq!(world.next(), Some(1));
    world.groups.notified(&group(), 1);
    world.wait(GUARD * 100);
    assert_eq!(world.next(), Some(2), "not told again");
    world.groups.notified(&group(), 2);
    assert_eq!(world.next(), None);
    world.groups.reconsider();
    assert_eq!(world.next(), Some(1), "now it may be pushed");
    assert!(world.done(2) && world.done(1));
    assert!(world.groups.is_idle());
}
