//! csp-group 6: the log of a group and the cursors of its joined sessions.

use crate::harness::{TestStore, at, home, on_both_engines, session, user};
use hamlet_model::{ClientId, GroupId, MessageId, ScreenName, Timestamp};
use hamlet_store::{GroupCursor, GroupLogEntry, JoinedSession, LogPolicy, StoredJoined};

fn group(name: &str) -> GroupId {
    GroupId::parse(name, &home()).expect("group")
}

fn said(group_name: &str, id: &str) -> GroupLogEntry {
    GroupLogEntry {
        group: group(group_name),
        seq: 0,
        message: MessageId::new(id),
        sender: user("anna"),
        sender_client: Some(ClientId::from_url("phone")),
        target: String::new(),
        history: false,
        sent: at(100),
        expires: at(1000),
        payload: id.as_bytes().to_vec(),
    }
}

async fn append(store: &TestStore, entry: GroupLogEntry) -> i64 {
    store.write(move |tx| tx.append_group_log(&entry)).await
}

async fn ids(store: &TestStore, group_name: &str, after: i64) -> String {
    let group = group(group_name);
    let entries = store.read(move |tx| tx.group_log(&group, after, 100)).await;
    let ids: Vec<_> = entries.iter().map(|e| e.message.to_string()).collect();
    ids.join(" ")
}

const KEEP_NOTHING: LogPolicy = LogPolicy {
    waiting: 1000,
    history: 0,
    history_since: Timestamp::from_millis(0),
};

on_both_engines! {
    async fn messages_lie_in_the_order_in_which_they_came(store: &TestStore) {
        let mut entry = said("/ski", "m1");
        entry.target = "bo".into();
        entry.seq = append(store, entry.clone()).await;
        append(store, said("/chess", "m1")).await;
        let second = append(store, said("/ski", "m2")).await;
        assert_eq!(second, entry.seq + 1);
        assert_eq!(ids(store, "/ski", 0).await, "m1 m2");
        assert_eq!(ids(store, "/ski", entry.seq).await, "m2");
        let ski = group("/ski");
        let read = store.read(move |tx| tx.group_log(&ski, 0, 1)).await;
        assert_eq!(read, [entry.clone()]);
        let both = store.read(|tx| tx.group_log_entries(&MessageId::new("m1"))).await;
        assert_eq!(both.len(), 2);
        let ski = group("/ski");
        let end = store.read(move |tx| tx.group_log_end(&ski)).await;
        assert_eq!(end, second);
        let (ski, seq) = (group("/ski"), entry.seq);
        assert!(store.write(move |tx| tx.remove_group_log(&ski, seq)).await);
        assert_eq!(ids(store, "/ski", 0).await, "m2");
    }

    async fn what_has_expired_goes(store: &TestStore) {
        append(store, said("/ski", "m1")).await;
        append(store, GroupLogEntry { expires: at(500), ..said("/ski", "m2") }).await;
        let gone = store.write(|tx| tx.take_expired_group_log(at(500), 10)).await;
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].message.as_str(), "m2");
        assert_eq!(ids(store, "/ski", 0).await, "m1");
    }

    async fn without_joined_sessions_only_the_history_is_kept(store: &TestStore) {
        for n in 1..=4 {
            let entry = GroupLogEntry { history: true, sent: at(n), ..said("/ski", &format!("h{n}")) };
            append(store, entry).await;
        }
        append(store, said("/ski", "m1")).await;
        let groups = store.read(|tx| tx.groups_with_log()).await;
        assert_eq!(groups, [group("/ski")]);
        let policy = LogPolicy { history: 3, history_since: at(3), ..KEEP_NOTHING };
        let trimmed = store.write(move |tx| tx.trim_group_log(&group("/ski"), &policy)).await;
        assert_eq!(trimmed, 3);
        assert_eq!(ids(store, "/ski", 0).await, "h3 h4");
        let (history, count) = store.read(|tx| tx.group_history(&group("/ski"), at(5), at(4), 1)).await;
        assert_eq!((history[0].message.as_str(), count), ("h4", 1));
        let policy = LogPolicy { history: 1, ..KEEP_NOTHING };
        store.write(move |tx| tx.trim_group_log(&group("/ski"), &policy)).await;
        assert_eq!(ids(store, "/ski", 0).await, "h4");
        store.write(move |tx| tx.trim_group_log(&group("/ski"), &KEEP_NOTHING)).await;
        assert_eq!(ids(store, "/ski", 0).await, "");
    }

    async fn a_cursor_of_who_has_not_joined_is_passed_over(store: &TestStore) {
        let cursor = GroupCursor {
            group: group("/ski"),
            session: session("s"),
            position: 7,
            beyond: vec![9, 11],
        };
        store.write(move |tx| tx.advance_group_cursors(std::slice::from_ref(&cursor))).await;
        assert_eq!(store.read(|tx| tx.joined_sessions(None, 9)).await, []);
    }

    async fn cursors_move_together_and_keep_the_log_from_being_trimmed(store: &TestStore) {
        let mut places = Vec::new();
        for n in 1..=4 {
            places.push(append(store, said("/ski", &format!("m{n}"))).await);
        }
        for (name, cursor) in [("anna", places[0] - 1), ("bo", places[0] - 1)] {
            let joined = StoredJoined {
                group: group("/ski"),
                user: user(name),
                client: ClientId::from_url("phone"),
                session: Some(session(name)),
                copy: false,
                name: ScreenName::new(name).expect("name"),
                subscribed: true,
                joined: at(1),
                cursor,
            };
            store.write(move |tx| tx.put_group_joined(&joined)).await;
        }
        let cursor = |name: &str, position: i64, beyond: &[i64]| GroupCursor {
            group: group("/ski"),
            session: session(name),
            position,
            beyond: beyond.to_vec(),
        };
        let both = [
            cursor("anna", places[0], &[places[2], places[3]]),
            cursor("bo", places[1], &[]),
        ];
        let moved = both.clone();
        store.write(move |tx| tx.advance_group_cursors(&moved)).await;
        let of = async |name: &str| {
            let name = session(name);
            store.read(move |tx| tx.group_cursor(&group("/ski"), &name)).await
        };
        assert_eq!(of("anna").await.as_ref(), Some(&both[0]));
        assert_eq!(of("cy").await, None);
        let after = (session("anna"), group("/ski"));
        let read = store.read(|tx| tx.joined_sessions(None, 1)).await;
        let rest = store.read(move |tx| tx.joined_sessions(Some(&after), 9)).await;
        let found = [read, rest].concat();
        let expected = both.map(|cursor| JoinedSession {
            screen_name: cursor.session.to_string(),
            cursor,
            last: places[3],
        });
        assert_eq!(found, expected);
        store.write(move |tx| tx.trim_group_log(&group("/ski"), &KEEP_NOTHING)).await;
        assert_eq!(ids(store, "/ski", 0).await, "m2 m3 m4");
        let policy = LogPolicy { waiting: 1, ..KEEP_NOTHING };
        store.write(move |tx| tx.trim_group_log(&group("/ski"), &policy)).await;
        assert_eq!(ids(store, "/ski", 0).await, "m4", "nobody is waited for for ever");
    }
}
