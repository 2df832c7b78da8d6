//! Ten thousand searches that nobody ends.

use crate::{Attacked, log_in};
use futures::future::join_all;

/// A search that leaves some of what it found to be asked for.
const SEARCH: &str = "<Search-Request><SearchPairList><SearchElement>USER_ID</SearchElement>\
                      <SearchString>attacker</SearchString></SearchPairList><SearchLimit>1</SearchLimit></Search-Request>";

const SESSIONS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_searches_are_forgotten_one_for_the_other() {
    let attacked = Attacked::start(&[]).await;
    let server = attacked.address();
    let names: Vec<String> = (0..SESSIONS).map(|n| format!("attacker{n}")).collect();
    let mut attackers = join_all(names.iter().map(|name| log_in(server, name))).await;
    let searching = attackers.iter_mut().map(|attacker| async move {
        let mut answered = 0;
        for _ in 0..10_000 / SESSIONS {
            let answer = attacker.request(SEARCH).await;
            answered += usize::from(answer.primitive().text("SearchID").is_some());
        }
        answered
    });
    let answered: usize = join_all(searching).await.into_iter().sum();
    assert!(answered > 0, "searches find the attackers");
    // One session that searches on many connections at once is served what it may have.
    let session = attackers[0].session.clone();
    let many = (0..30).map(|number| {
        let session = session.clone();
        async move {
            let mut attacker = hamlet_tests::client::Client::connect(
                server,
                hamlet_csp::Version::V1_3,
                hamlet_csp::Syntax::Wbxml,
            )
            .await;
            attacker.session = session;
            let mut refused = 0;
            for turn in 0..20 {
                let id = format!("s{number}-{turn}");
                let answer = attacker.request_as(&id, SEARCH).await;
                refused += usize::from(answer.code() == Some(503));
            }
            refused
        }
    });
    let refused: usize = join_all(many).await.into_iter().sum();
    if refused > 0 {
        attacked
            .expect_one_line("too many searches at a time")
            .await;
    }
    // Kept are three searches of a session, on disk; in memory the caches of the store and
    // of the answers to repeated requests, which are bounded.
    attacked.survives(96).await;
}
