//! Login and retrieval cost what waits for the user, not what the server holds (csp-im 9, 10).

use hamlet_tests::crowd::{gather, member};
use hamlet_tests::server::TestServer;

const EACH: usize = 5;

/// Statements, and rows that they scanned, from a user's login to his last acknowledgement.
async fn cost(users: usize) -> (u64, u64) {
    let mut server = TestServer::with_users(&[], &[]).await;
    gather(&server, users, EACH).await;
    // Nothing is to be in memory.
    server.restart().await;
    let user = member(users / 2);
    server.set_password(&user, "secret").await;
    let before = server.store().metrics();
    let mut client = server
        .xml(&user["wv:".len()..user.len() - "@h".len()])
        .await;
    assert_eq!(client.messages().await.len(), EACH);
    let after = server.store().metrics();
    (
        after.statements - before.statements,
        after.scanned - before.scanned,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_others_costs_a_login_nothing() {
    let few = cost(2).await;
    let many = cost(1000).await;
    assert_eq!(few, many);
}
