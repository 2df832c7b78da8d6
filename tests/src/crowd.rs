//! Many users of whom each has messages waiting, put into a server's store at once.

use crate::client::Client;
use crate::server::TestServer;
use hamlet_csp::{Syntax, Version};
use hamlet_model::{Domain, Timestamp, UserId};
use hamlet_store::{Account, AccountStatus, MailboxEntry, Quota, Store, StoreError};

/// Users of one transaction.
const BATCH: usize = 200;

/// Transactions at a time: PostgreSQL has several connections for them.
const CONCURRENT: usize = 8;

/// The address of a user of the crowd.
pub fn member(number: usize) -> String {
    format!("wv:member{number:06}@h")
}

/// Makes so many users of the domain `h`, without passwords, for each of whom as many
/// messages wait: copies of one that a user has really sent.
pub async fn gather(server: &TestServer, users: usize, each: usize) {
    let home = Domain::parse("h").expect("a domain");
    let user = |address: &str| UserId::parse(address, &home).expect("a user");
    let (sender, model) = ("wv:sender@h", member(0));
    server.add_user(sender, "secret").await;
    server.add_user(&model, "secret").await;
    let mut client = Client::login(
        server.address(),
        Version::V1_2,
        Syntax::Xml,
        sender,
        "secret",
    )
    .await;
    let sent = client
        .send_text(&model, "Shall we meet at eight at the station?")
        .await;
    sent.expect_code(200);
    let store = server.store().clone();
    let owner = user(&model);
    let taken = store.write(move |tx| {
        let found = tx.mailbox(&owner, 1)?.pop();
        let found = found.ok_or_else(|| StoreError::Database("no message".to_owned()))?;
        tx.take_mailbox(&owner, &found.id)
    });
    let taken = taken.await.expect("a store that works");
    let pattern = taken.expect("the message");
    let members: Vec<UserId> = (0..users).map(|number| user(&member(number))).collect();
    for some in members.chunks(BATCH * CONCURRENT) {
        let batches = some.chunks(BATCH).map(|batch| {
            let (store, pattern, batch) = (store.clone(), pattern.clone(), batch.to_vec());
            tokio::spawn(async move { fill(&store, pattern, batch, each).await })
        });
        for batch in batches.collect::<Vec<_>>() {
            batch.await.expect("no panic").expect("a store that works");
        }
    }
}

async fn fill(
    store: &Store,
    pattern: MailboxEntry,
    users: Vec<UserId>,
    each: usize,
) -> Result<(), StoreError> {
    let quota = Quota {
        messages: u32::MAX,
        bytes: u64::MAX,
    };
    let text = String::from_utf8(pattern.payload.clone()).expect("JSON");
    store
        .write(move |tx| {
            for user in &users {
                tx.create_account(&Account {
                    user: user.clone(),
                    credential: None,
                    status: AccountStatus::Active,
                    created: Timestamp::from_secs(1),
                })?;
                for number in 0..each {
                    let id = format!("{}-{}-{number}", pattern.id, user.user());
                    let text = text
                        .replace(&pattern.id, &id)
                        .replace(pattern.recipient.as_str(), user.as_str());
                    let entry = MailboxEntry {
                        recipient: user.clone(),
                        id,
                        payload: text.into_bytes(),
                        ..pattern.clone()
                    };
                    tx.put_mailbox(&entry, &quota)?;
                }
            }
            Ok(())
        })
        .await
}
