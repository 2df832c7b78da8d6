//! Login and retrieval cost what waits for the user, not what the server holds (csp-im 9, 10).

use hamlet_tests::crowd::{gather, member};
use hamlet_tests::server::TestServer;

const EACH: usize = 5;

/// Users who log in.
const SAMPLES: usize = 8;

/// Statements, and rows that they scanned, from a user's login to his last acknowledgement:
/// the least of some users, because the server also does other things from time to time.
async fn cost(users: usize) -> (u64, u64) {
    let mut server = TestServer::with_users(&[], &[]).await;
    gather(&server, users, EACH).await;
    // Nothing is to be in memory.
    server.restart().await;
    let mut least = (u64::MAX, u64::MAX);
    for number in 0..SAMPLES {
        let user = member(number * users / SAMPLES);
        server.set_password(&user, "secret").await;
        let before = server.store().metrics();
        let mut client = server
            .xml(&user["wv:".len()..user.len() - "@h".len()])
            .await;
        assert_eq!(client.messages().await.len(), EACH);
        let after = server.store().metrics();
        least.0 = least.0.min(after.statements - before.statements);
        least.1 = least.1.min(after.scanned - before.scanned);
    }
    least
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_others_costs_a_login_nothing() {
    let few = cost(SAMPLES).await;
    let many = cost(1000).await;
    assert_eq!(few, many);
}
