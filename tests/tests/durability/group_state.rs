//! `kill -9` while clients join, leave, log out and delete: afterwards nobody is joined without
//! a session, no name belongs to nobody, and nobody is in a group that is gone (csp-group 9).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use hamlet_tests::process::Hamletd;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const GROUP: &str = "wv:owner/den@h";

fn about(primitive: &str) -> String {
    format!("<{primitive}><GroupID>{GROUP}</GroupID></{primitive}>")
}

fn create() -> String {
    format!(
        "<CreateGroup-Request><GroupID>{GROUP}</GroupID><GroupProperties><Property><Name>Name</Name>\
         <Value>Den</Value></Property></GroupProperties><JoinGroup>F</JoinGroup>\
         <SubscribeNotification>F</SubscribeNotification></CreateGroup-Request>"
    )
}

fn join(name: &str) -> String {
    format!(
        "<JoinGroup-Request><GroupID>{GROUP}</GroupID><ScreenName><SName>{name}</SName>\
         <GroupID>{GROUP}</GroupID></ScreenName><JoinedRequest>F</JoinedRequest>\
         <SubscribeNotification>T</SubscribeNotification></JoinGroup-Request>"
    )
}

async fn log_in(server: SocketAddr, name: &str) -> Client {
    let user = format!("wv:{name}@h");
    Client::login(server, Version::V1_2, Syntax::Xml, &user, "secret").await
}

/// The same after the server has started again: a session that goes on is ended first, and
/// with it its joins.
async fn log_in_anew(server: SocketAddr, name: &str) -> Client {
    let mut client = log_in(server, name).await;
    client.request("<Logout-Request/>").await;
    log_in(server, name).await
}

/// Joins and leaves, and logs out now and then, until the server is gone.
async fn come_and_go(server: SocketAddr, name: &'static str, count: Arc<AtomicUsize>) {
    loop {
        let mut client = log_in(server, name).await;
        for _ in 0..3 {
            client.request(&join(name)).await;
            count.fetch_add(1, Ordering::Relaxed);
            client.request(&about("LeaveGroup-Request")).await;
        }
        client.request(&join(name)).await;
        client.request("<Logout-Request/>").await;
    }
}

/// Makes and deletes, until the server is gone.
async fn make_and_delete(mut owner: Client) {
    loop {
        owner.request(&create()).await;
        owner.request(&join("owner")).await;
        for _ in 0..5 {
            owner.request(&about("GetGroupProps-Request")).await;
        }
        owner.request(&about("DeleteGroup-Request")).await;
    }
}

/// Every name in an answer.
fn names(element: &Element, found: &mut BTreeSet<String>) {
    if element.name == "SName" {
        found.insert(element.text.clone());
    }
    element
        .children
        .iter()
        .for_each(|child| names(child, found));
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_dash_9_while_members_come_and_go_leaves_no_ghosts() {
    const MEMBERS: [&str; 3] = ["bo", "cy", "dan"];
    let mut server = Hamletd::start(&["domain=h", "accounts.auto_register=true"]);
    let address = server.address();
    let mut owner = log_in(address, "owner").await;
    for kill in 1..=3_usize {
        let count = Arc::new(AtomicUsize::new(0));
        let mut tasks = vec![tokio::spawn(make_and_delete(owner))];
        for name in MEMBERS {
            tasks.push(tokio::spawn(come_and_go(address, name, count.clone())));
        }
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut look = tokio::time::interval(Duration::from_millis(1));
        while count.load(Ordering::Relaxed) < 17 * kill {
            assert!(Instant::now() < deadline, "nobody comes and goes");
            look.tick().await;
        }
        server.kill();
        for task in tasks {
            // It ends by a lost connection.
            let _ = task.await;
        }
        server.start_again();
        owner = log_in_anew(address, "owner").await;
        let mut members = Vec::new();
        for name in MEMBERS {
            members.push((name, log_in_anew(address, name).await));
        }
        owner.request(&create()).await;
        owner
            .request(&join("owner"))
            .await
            .expect("JoinGroup-Response");
        let mut found = BTreeSet::new();
        let joined = owner.request(&about("GetJoinedUsers-Request")).await;
        names(joined.expect("GetJoinedUsers-Response"), &mut found);
        assert_eq!(found, BTreeSet::from(["owner".to_owned()]), "kill {kill}");
        // Each name is free for anybody.
        for (at, (_, client)) in members.iter_mut().enumerate() {
            let other = MEMBERS[(at + 1) % MEMBERS.len()];
            let answer = client.request(&join(other)).await;
            answer.expect("JoinGroup-Response");
            client
                .request(&about("LeaveGroup-Request"))
                .await
                .expect_code(200);
        }
        owner
            .request(&about("DeleteGroup-Request"))
            .await
            .expect_status(200);
    }
}
