//! GetWatcherList (csp-presence 5).

use crate::common::*;
use hamlet_elements::presence::{GetPresence, GetWatchers, UnsubscribePresence, WatcherStatus};
use hamlet_elements::{Request, Requestor, Response};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{Timestamp, UserId};
use std::time::Duration;

const ALL: AttributeSet = AttributeSet::EMPTY;
const DAY: Duration = Duration::from_secs(86_400);

async fn watchers(
    server: &Server,
    of: &Requestor,
    history: Option<u32>,
    max: Option<u32>,
) -> (Vec<String>, u32, Option<u32>) {
    let request = Request::GetWatchers(GetWatchers { history, max });
    let Ok(Response::Watchers(all)) = server.ask(of, request).await else {
        panic!("no watchers");
    };
    let one = |watcher: &hamlet_elements::presence::Watcher| {
        let status = match watcher.status {
            WatcherStatus::Current => "now",
            WatcherStatus::Former => "before",
            WatcherStatus::Access => "asked",
        };
        format!("{} {status}", watcher.user)
    };
    let told = all.watchers.iter().map(one).collect();
    (told, all.total, all.history)
}

async fn watch(server: &Server, watcher: &Requestor, publisher: &UserId) {
    let answer = server.subscribe(watcher, users(&[publisher]), ALL, false);
    assert_eq!(outcome(&answer.await), "200");
}

async fn leave(server: &Server, watcher: &Requestor, publisher: &UserId) {
    let request = UnsubscribePresence {
        targets: users(&[publisher]),
    };
    let answer = server.ask(watcher, Request::UnsubscribePresence(request));
    assert_eq!(outcome(&answer.await), "200");
}

async fn fetch(server: &Server, watcher: &Requestor, publisher: &UserId) {
    let request = Request::GetPresence(GetPresence {
        targets: users(&[publisher]),
        attributes: ALL,
    });
    server.ask(watcher, request).await.unwrap();
}

#[tokio::test]
async fn watchers_of_now_and_before_are_told_whatever_they_see() {
    // 18 item 12; unauthorized ones too.
    let server = Server::asking(&["anna", "bo", "cy", "di", "ed"]).await;
    let anna = server.log_in("anna", "phone").await;
    let desk = server.log_in("anna", "desk").await;
    let bo = server.log_in("bo", "phone").await;
    let bo_too = server.log_in("bo", "desk").await;
    let cy = server.log_in("cy", "phone").await;
    let di = server.log_in("di", "phone").await;
    let ed = server.log_in("ed", "phone").await;
    for watcher in [&bo, &bo_too, &cy, &di, &desk] {
        watch(&server, watcher, &anna.user).await;
    }
    fetch(&server, &ed, &anna.user).await;
    fetch(&server, &anna, &anna.user).await;
    fetch(&server, &bo, &anna.user).await;
    let now = ["wv:bo@a now", "wv:cy@a now", "wv:di@a now"];
    let (told, total, history) = watchers(&server, &anna, None, None).await;
    assert_eq!(
        (told, total, history),
        (now.map(String::from).to_vec(), 3, None)
    );
    // One of two sessions goes: he still watches. The only one goes: he has watched.
    server.log_out(&bo_too).await;
    server.log_out(&cy).await;
    leave(&server, &di, &anna.user).await;
    let (told, total, history) = watchers(&server, &anna, Some(3600), None).await;
    assert_eq!(told[0], "wv:bo@a now");
    let mut former = told[1..].to_vec();
    former.sort_unstable();
    assert_eq!(
        former,
        ["wv:cy@a before", "wv:di@a before", "wv:ed@a asked"]
    );
    assert_eq!((total, history), (4, Some(3600)));
    // Truncated, not emptied; counted whole.
    let (told, total, _) = watchers(&server, &anna, Some(3600), Some(2)).await;
    assert_eq!((told.len(), total), (2, 4));
    assert_eq!(told[0], "wv:bo@a now");
    let (told, ..) = watchers(&server, &anna, None, None).await;
    assert_eq!(told, ["wv:bo@a now"]);
    // Who watches again is not what he was.
    watch(&server, &di, &anna.user).await;
    let (told, ..) = watchers(&server, &anna, Some(3600), None).await;
    assert!(told.contains(&"wv:di@a now".to_owned()), "{told:?}");
    assert!(!told.contains(&"wv:di@a before".to_owned()), "{told:?}");
}

#[tokio::test]
async fn the_history_outlives_the_server_and_ends_after_its_time() {
    let server = Server::asking(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    watch(&server, &bo, &anna.user).await;
    watch(&server, &cy, &anna.user).await;
    leave(&server, &bo, &anna.user).await;
    let server = server.restart().await;
    let (told, ..) = watchers(&server, &anna, Some(3600), None).await;
    assert_eq!(told, ["wv:cy@a now", "wv:bo@a before"]);
    // It goes back no further than 30 days, and says so.
    let (_, _, history) = watchers(&server, &anna, Some(u32::MAX), None).await;
    assert_eq!(history, Some(30 * 86_400));
    let now = Timestamp::now();
    server.elements.expire(now.plus(29 * DAY)).await.unwrap();
    let (told, ..) = watchers(&server, &anna, Some(3600), None).await;
    assert_eq!(told.len(), 2);
    server.elements.expire(now.plus(31 * DAY)).await.unwrap();
    let (told, ..) = watchers(&server, &anna, Some(3600), None).await;
    assert_eq!(told, ["wv:cy@a now"], "who watches stays");
}
