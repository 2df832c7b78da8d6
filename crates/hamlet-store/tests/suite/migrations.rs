//! Databases of earlier versions, of later ones, and of none.
//!
//! `tests/fixtures` holds for each engine and each schema version a database with one of
//! everything. When a version is added, `record_the_present_schema` adds its fixtures.

use crate::applications::{application, inactive, terminal};
use crate::authorizations::{asked, attribute_list};
use crate::cluster::Cluster;
use crate::contact_lists::contact_list;
use crate::groups::group_id;
use crate::harness::{DEADLINE, at, list, postgres_config, runtime, session, user};
use crate::mailbox::message;
use crate::pushes::{invitation, push};
use crate::registration::{code, number};
use crate::searches::cursor;
use crate::sessions::stored_session;
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue};
use hamlet_model::{Domain, Profile, UserProfile};
use hamlet_store::*;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

fn fixture(engine: &str, version: u32) -> PathBuf {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    PathBuf::from(format!("{directory}/{engine}-{version}.sql"))
}

fn load(engine: &str, version: u32) -> String {
    let path = fixture(engine, version);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn account() -> Account {
    Account {
        user: user("anna"),
        credential: Some(vec![1, 2, 3]),
        status: AccountStatus::Barred,
        created: at(7),
    }
}

fn challenge() -> Challenge {
    Challenge {
        key: "key".into(),
        nonce: "nonce".into(),
        data: vec![9],
        expires: at(8),
    }
}

fn member() -> Member {
    Member {
        user: user("ben"),
        nickname: Some("Bén'".into()),
    }
}

fn attribute() -> Attribute {
    Attribute {
        name: AttributeName::StatusText,
        qualifier: true,
        client: None,
        value: AttributeValue::Text("away \"now\"".into()),
    }
}

fn alias() -> Attribute {
    Attribute {
        name: AttributeName::Alias,
        value: AttributeValue::Text("ÄNNI".into()),
        ..attribute()
    }
}

fn subscription() -> Subscription {
    Subscription {
        subscriber: Subscriber::Session {
            id: session("s1"),
            user: user("anna"),
        },
        publisher: user("ben"),
        attributes: AttributeSet::STANDARD,
        via: Some(list("anna/friends")),
    }
}

fn outgoing() -> NewOutboxEntry {
    NewOutboxEntry {
        destination: Domain::parse("other.example").expect("domain"),
        payload: vec![0, 255],
        expires: at(90),
        next_attempt: at(4),
    }
}

const QUOTA: Quota = Quota {
    messages: 2,
    bytes: 1000,
};

fn described() -> Profile {
    Profile {
        first_name: Some("Änna Maria".into()),
        age: Some(31),
        ..Profile::default()
    }
}

fn for_ben() -> AttributeList {
    let target = AttributeTarget::User(user("ben"));
    attribute_list(target, Some(AttributeSet::EMPTY), true)
}

fn about_ben() -> ReactiveAuthorization {
    asked("ben", ReactiveState::Denied, 5)
}

/// Puts one of everything into an empty store.
fn furnish(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.create_account(&account())?;
    tx.put_session(&stored_session("s0", "anna"))?;
    tx.put_session(&stored_session("s1", "anna"))?;
    tx.end_session(&session("s0"), 600, at(3))?;
    tx.put_challenge(&challenge())?;
    tx.reserve("tid", 41)?;
    tx.remember("s1", "send 1", -5, b"\0answer", at(6))?;
    tx.put_mailbox(&message("anna", "m1"), &QUOTA)?;
    tx.create_contact_list(&contact_list("anna/friends"))?;
    tx.set_default_list(&list("anna/friends"))?;
    tx.put_member(&list("anna/friends"), &member())?;
    tx.put_presence(&user("anna"), &[attribute()])?;
    tx.put_subscriptions(&[subscription()])?;
    tx.put_auto_subscription(
        &session("s1"),
        &list("anna/friends"),
        AttributeSet::STANDARD,
    )?;
    tx.put_outbox(&outgoing())?;
    tx.put_presence(&user("anna"), &[alias()])?;
    tx.put_profile(&user("anna"), &described())?;
    tx.put_search(&cursor("s1", 9, 70), b"hits", 3)?;
    tx.bind_msisdn(&number("+3581"), &user("anna"))?;
    tx.put_invitation_code(&code("AB", 2))?;
    tx.put_user_profile(&user("anna"), &inactive())?;
    tx.put_terminal(&user("anna"), &terminal("phone", 5))?;
    tx.put_application(&application("chess"))?;
    tx.grant_user(&application("chess").id, &user("anna"))?;
    tx.put_push(&push("anna", "p", 80))?;
    tx.put_invitation(&invitation("anna", "i", "ben"))?;
    let number = tx.put_system_message(false, at(1), at(80), b"text")?;
    tx.address_system_message(number, &user("anna"), at(2))?;
    tx.set_auto_join_elsewhere(&user("anna"), &group_id("ben/chess"), true)?;
    authorize(tx)
}

fn authorize(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.put_attribute_list(&user("anna"), &for_ben())?;
    tx.put_reactive_authorization(&user("anna"), &about_ben())?;
    tx.note_access(&user("ben"), &[user("anna")], at(5))
}

/// Finds what [`furnish`] has put there, and that the store works.
fn inspect(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let friends = list("anna/friends");
    assert_eq!(tx.account(&user("anna"))?, Some(account()));
    assert_eq!(tx.sessions(None, 9)?, [stored_session("s1", "anna")]);
    assert_eq!(tx.ended_session(&session("s0"))?, Some(600));
    assert_eq!(tx.reserve("tid", 1)?, 42);
    let answer = (-5, b"\0answer".to_vec());
    assert_eq!(tx.remembered("s1", "send 1")?, Some(answer));
    assert_eq!(tx.mailbox(&user("anna"), 9)?, [message("anna", "m1")]);
    let default = ContactList {
        default: true,
        ..contact_list("anna/friends")
    };
    assert_eq!(tx.contact_lists(&user("anna"))?, [default]);
    assert_eq!(tx.members(&friends)?, [member()]);
    let published = tx.presence(&user("anna"))?;
    assert!(published.contains(&attribute()));
    assert_eq!(tx.subscribers_of(&user("ben"))?, [subscription()]);
    let marks = [(session("s1"), AttributeSet::STANDARD)];
    assert_eq!(tx.auto_subscriptions(&friends)?, marks);
    let first = tx.outbox_due(at(4), 9)?.pop().map(|entry| entry.id);
    assert!(first < Some(tx.put_outbox(&outgoing())?));
    assert_eq!(tx.take_challenge("key")?, Some(challenge()));
    inspect_profile(tx)?;
    inspect_registration(tx)?;
    inspect_applications(tx)?;
    inspect_pushes(tx)?;
    inspect_authorizations(tx)?;
    inspect_groups(tx)?;
    // The quota counts what was there before.
    assert_eq!(tx.put_mailbox(&message("anna", "m2"), &QUOTA)?, Put::Stored);
    assert_eq!(tx.put_mailbox(&message("anna", "m3"), &QUOTA)?, Put::Full);
    Ok(())
}

/// Numbers and codes, where they are not younger than the database.
fn inspect_registration(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let codes = tx.invitation_codes("", 9)?;
    if let Some(anna) = tx.user_of_msisdn(&number("+3581"))? {
        assert_eq!((anna, codes), (user("anna"), vec![code("AB", 2)]));
    } else {
        assert_eq!(codes, []);
        tx.bind_msisdn(&number("+3581"), &user("anna"))?;
        assert!(tx.put_invitation_code(&code("AB", 2))?);
    }
    Ok(())
}

/// User profiles and applications, likewise.
fn inspect_applications(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let (anna, chess) = (user("anna"), application("chess"));
    if let Some(kept) = tx.application(&chess.id)? {
        assert_eq!(kept, chess);
        assert!(tx.is_granted(&chess.id, &anna)?);
        assert_eq!(tx.user_profile(&anna)?, inactive());
        assert_eq!(tx.terminals(&anna)?, [terminal("phone", 5)]);
    } else {
        assert_eq!(tx.user_profile(&anna)?, UserProfile::default());
        tx.put_user_profile(&anna, &inactive())?;
        tx.put_application(&chess)?;
        tx.grant_user(&chess.id, &anna)?;
    }
    Ok(())
}

/// What waits for clients, where that is not younger than the database.
fn inspect_pushes(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let waiting = tx.pushes(&user("anna"), at(1), 9)?;
    let invited = tx.invitation(&user("anna"), "i", &user("ben"))?;
    let messages = tx.system_messages_for(&user("anna"), at(2), 9)?;
    if waiting.is_empty() {
        assert_eq!((invited, messages), (None, vec![]));
        tx.put_push(&push("anna", "p", 80))?;
        return tx.put_invitation(&invitation("anna", "i", "ben"));
    }
    assert_eq!(waiting, [push("anna", "p", 80)]);
    assert_eq!(invited, Some(invitation("anna", "i", "ben")));
    let payloads: Vec<&[u8]> = messages.iter().map(|one| one.payload.as_slice()).collect();
    assert_eq!(payloads, [b"text"]);
    Ok(())
}

/// Who may see whom, where that is not younger than the database.
fn inspect_authorizations(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let lists = tx.attribute_lists(&user("anna"))?;
    if lists.is_empty() {
        return authorize(tx);
    }
    assert_eq!(lists, [for_ben()]);
    let asked = tx.reactive_authorization(&user("anna"), &user("ben"))?;
    assert_eq!(asked, Some(about_ben()));
    assert_eq!(tx.former_watchers(&user("anna"), at(5), 9)?.len(), 1);
    Ok(())
}

/// Where somebody wants to be joined, where that is not younger than the database.
fn inspect_groups(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let (anna, chess) = (user("anna"), group_id("ben/chess"));
    match tx.auto_join_elsewhere(&anna, 9)?.as_slice() {
        [] => tx.set_auto_join_elsewhere(&anna, &chess, true),
        wanted => {
            assert_eq!(wanted, [chess]);
            Ok(())
        }
    }
}

/// Of accounts that are older than profiles, address and Alias are found.
fn inspect_profile(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let criteria = [
        Criterion::UserName {
            part: "anna".into(),
            from_start: true,
            to_end: true,
        },
        Criterion::Contains(SearchedText::Alias, "änni".into()),
        Criterion::Contains(SearchedText::FirstName, "änn".into()),
    ];
    let published = tx.presence(&user("anna"))?;
    let profile = tx.profile(&user("anna"))?;
    assert!(
        [described(), Profile::default()]
            .map(Some)
            .contains(&profile)
    );
    let expected = [
        true,
        published.contains(&alias()),
        profile == Some(described()),
    ];
    for (criterion, found) in criteria.into_iter().zip(expected) {
        let search = Search {
            criterion,
            hidden: HashSet::new(),
            limit: 9,
            deadline: Instant::now() + DEADLINE,
        };
        let users = if found { vec![user("anna")] } else { vec![] };
        assert_eq!(tx.search(&search)?.users, users, "{search:?}");
    }
    if let Some((kept, hits)) = tx.search_cursor(&session("s1"), 9)? {
        assert_eq!((kept, hits), (cursor("s1", 9, 70), b"hits".to_vec()));
    }
    tx.put_profile(&user("anna"), &described()).map(drop)
}

fn open_and_run(config: &StoreConfig, op: fn(&mut Tx<'_>) -> Result<(), StoreError>) {
    let store = Store::open(config).expect("open");
    runtime().block_on(async {
        let done = store.write(op).await;
        store.close().await;
        done.expect("operate");
    });
}

#[test]
fn every_earlier_sqlite_database_is_brought_up_to_date() {
    let fresh = tempfile::tempdir().expect("temporary directory");
    let fresh = StoreConfig::sqlite(fresh.path().join("store.db"));
    open_and_run(&fresh, furnish);
    open_and_run(&fresh, inspect);
    for version in 1..=SCHEMA_VERSION {
        let directory = tempfile::tempdir().expect("temporary directory");
        let config = StoreConfig::sqlite(directory.path().join("store.db"));
        sqlite(&config)
            .execute_batch(&load("sqlite", version))
            .expect("load the fixture");
        open_and_run(&config, inspect);
        assert_eq!(sqlite_schema(&config), sqlite_schema(&fresh), "{version}");
    }
}

#[test]
fn every_earlier_postgres_database_is_brought_up_to_date() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = postgres_config(cluster);
    open_and_run(&fresh, furnish);
    open_and_run(&fresh, inspect);
    for version in 1..=SCHEMA_VERSION {
        let config = postgres_config(cluster);
        postgres(&config)
            .batch_execute(&load("postgres", version))
            .expect("load the fixture");
        open_and_run(&config, inspect);
        assert_eq!(
            postgres_schema(&config),
            postgres_schema(&fresh),
            "{version}"
        );
    }
}

/// An Alias in a database that is older than searches.
const OLD_ALIAS: &str = "INSERT INTO presence (user_id, name, client, attribute) VALUES
    ('wv:anna@im.example', 'Alias', '',
     '{\"name\":\"Alias\",\"qualifier\":true,\"client\":null,\"value\":{\"Text\":\"ÄNNI\"}}')";

#[test]
fn an_alias_that_was_published_before_there_were_searches_is_found() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let config = StoreConfig::sqlite(directory.path().join("store.db"));
    let old = format!("{}\n{OLD_ALIAS}", load("sqlite", 3));
    sqlite(&config).execute_batch(&old).expect("load");
    open_and_run(&config, inspect_profile);
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let config = postgres_config(cluster);
    let mut client = postgres(&config);
    client.batch_execute(&load("postgres", 3)).expect("load");
    let into_public = OLD_ALIAS.replace("INTO presence", "INTO public.presence");
    client.batch_execute(&into_public).expect("an alias");
    drop(client);
    open_and_run(&config, inspect_profile);
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let newer = StoreError::Newer {
        found: 99,
        known: SCHEMA_VERSION,
    };
    let directory = tempfile::tempdir().expect("temporary directory");
    let config = StoreConfig::sqlite(directory.path().join("store.db"));
    open_and_run(&config, furnish);
    let mark = "INSERT INTO migration (version, applied) VALUES (99, 0)";
    sqlite(&config).execute_batch(mark).expect("mark");
    assert_eq!(Store::open(&config).err(), Some(newer.clone()));
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let config = postgres_config(cluster);
    open_and_run(&config, furnish);
    postgres(&config).batch_execute(mark).expect("mark");
    assert_eq!(Store::open(&config).err(), Some(newer));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("store.db");
    let text = "This is a letter to my landlord.\n".repeat(200);
    std::fs::write(&path, &text).expect("write");
    let refused = Store::open(&StoreConfig::sqlite(&path)).err();
    assert!(
        matches!(refused, Some(StoreError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
}

#[test]
#[ignore = "writes the fixtures of a new schema version"]
fn record_the_present_schema() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let config = StoreConfig::sqlite(directory.path().join("store.db"));
    open_and_run(&config, furnish);
    let dump = dump_sqlite(&sqlite(&config));
    std::fs::write(fixture("sqlite", SCHEMA_VERSION), dump).expect("write");
    let cluster = Cluster::shared().expect("PostgreSQL");
    let config = postgres_config(cluster);
    open_and_run(&config, furnish);
    let StoreUrl::Postgres(url) = &config.url else {
        unreachable!("the configuration is PostgreSQL's");
    };
    let dump = cluster.dump(url);
    std::fs::write(fixture("postgres", SCHEMA_VERSION), dump).expect("write");
}

fn sqlite(config: &StoreConfig) -> rusqlite::Connection {
    let StoreUrl::Sqlite(path) = &config.url else {
        unreachable!("the configuration is SQLite's");
    };
    rusqlite::Connection::open(path).expect("open the file")
}

fn postgres(config: &StoreConfig) -> postgres::Client {
    let StoreUrl::Postgres(url) = &config.url else {
        unreachable!("the configuration is PostgreSQL's");
    };
    postgres::Client::connect(url, postgres::NoTls).expect("connect")
}

/// The statements that make a copy: tables, rows, then the rest, so that no trigger runs. What
/// an index of texts consists of is made anew.
fn dump_sqlite(connection: &rusqlite::Connection) -> String {
    let tables = "SELECT s.name, s.sql FROM sqlite_schema AS s
                  JOIN pragma_table_list AS l ON l.name = s.name WHERE l.type = 'table'
                  AND s.name NOT LIKE 'sqlite_%' ORDER BY s.rowid";
    let indices = "SELECT s.name, s.sql FROM sqlite_schema AS s
                   JOIN pragma_table_list AS l ON l.name = s.name WHERE l.type = 'virtual'";
    let others = "SELECT name, sql FROM sqlite_schema WHERE type <> 'table'
                  AND sql IS NOT NULL ORDER BY rowid";
    let mut dump = String::new();
    let tables = texts(connection, tables, 2);
    for table in &tables {
        writeln!(dump, "{};", table[1]).expect("text");
    }
    for table in &tables {
        let columns = texts(
            connection,
            &format!("SELECT name FROM pragma_table_info('{}')", table[0]),
            1,
        );
        let quoted: Vec<_> = columns
            .iter()
            .map(|name| format!("quote({})", name[0]))
            .collect();
        let rows = format!("SELECT {} FROM {}", quoted.join(" || ', ' || "), table[0]);
        for row in texts(connection, &rows, 1) {
            writeln!(dump, "INSERT INTO {} VALUES ({});", table[0], row[0]).expect("text");
        }
    }
    for index in texts(connection, indices, 2) {
        let (name, sql) = (&index[0], &index[1]);
        writeln!(
            dump,
            "{sql};\nINSERT INTO {name} ({name}) VALUES ('rebuild');"
        )
        .expect("text");
    }
    for other in texts(connection, others, 2) {
        writeln!(dump, "{};", other[1]).expect("text");
    }
    dump
}

/// Columns, indices and triggers, however they came to be.
fn sqlite_schema(config: &StoreConfig) -> Vec<Vec<String>> {
    let connection = sqlite(config);
    let mut schema = texts(
        &connection,
        "SELECT s.name, c.name, c.type || c.\"notnull\" || c.pk FROM sqlite_schema AS s,
             pragma_table_info(s.name) AS c ORDER BY s.name, c.name",
        3,
    );
    let others = "SELECT type, name, tbl_name FROM sqlite_schema ORDER BY type, name";
    schema.extend(texts(&connection, others, 3));
    schema
}

fn postgres_schema(config: &StoreConfig) -> Vec<String> {
    let rows = postgres(config)
        .query(
            "SELECT concat_ws(' ', table_name, column_name, data_type, collation_name,
                        is_nullable, is_identity)
             FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL SELECT concat_ws(' ', trigger_name, event_object_table)
             FROM information_schema.triggers ORDER BY 1",
            &[],
        )
        .expect("schema");
    rows.iter().map(|row| row.get(0)).collect()
}

/// The first columns of all rows, as text.
fn texts(connection: &rusqlite::Connection, sql: &str, columns: usize) -> Vec<Vec<String>> {
    let mut statement = connection.prepare(sql).expect("prepare");
    let rows = statement.query_map([], |row| {
        (0..columns).map(|column| row.get(column)).collect()
    });
    rows.expect("query").map(|row| row.expect("row")).collect()
}
