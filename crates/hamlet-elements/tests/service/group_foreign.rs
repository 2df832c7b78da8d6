//! csp-group 4, ssp 11.3: users of another domain in a group.

use crate::common::{Server, domain, outcome, user};
use crate::groups::{
    add, create, delete, group, join, joined, leave, people, reject, set, summary,
};
use crate::relay::{Faults, Net, drained};
use hamlet_elements::group::{
    ForeignGroupLeave, ForeignGroupNotice, GetJoinedUsers, GroupChange, SubscribeGroupNotice,
    SubscribeType,
};
use hamlet_elements::{Call, ElementsConfig, Event, Request, Requestor, Response};
use hamlet_model::{ScreenName, SessionId, StatusCode};
use std::sync::Arc;
use std::time::Duration;

const G: &str = "wv:anna/g@a";

/// `anna` of domain `a`, `bob` and `bea` of domain `b`.
async fn two(net: &Arc<Net>) -> (Server, Server) {
    two_waiting(net, Duration::from_secs(15)).await
}

async fn two_waiting(net: &Arc<Net>, wait: Duration) -> (Server, Server) {
    let config = |name: &str| {
        let mut config = ElementsConfig::new(domain(name));
        config.groups.foreign_wait = wait;
        config
    };
    let (a, b) = (config("a"), config("b"));
    let (a_relay, b_relay) = (net.relay(&a.domain), net.relay(&b.domain));
    let a = Server::with(a, &["anna", "al"], a_relay).await;
    let b = Server::with(b, &["bob", "bea"], b_relay).await;
    net.join(&a);
    net.join(&b);
    (a, b)
}

async fn code(server: &Server, who: &Requestor, request: Request) -> String {
    outcome(&server.ask(who, request).await)
}

/// The next notice for a session.
async fn notice(server: &Server, of: &Requestor) -> String {
    let id = of.session.clone().unwrap();
    let notice = server.told.wait("notice", |event| match event {
        Event::GroupNotice {
            session, change, ..
        } if *session == id => Some(summary(change)),
        _ => None,
    });
    notice.await
}

/// With what code a session is put out.
async fn put_out(server: &Server, of: &Requestor) -> StatusCode {
    let id = of.session.clone().unwrap();
    let out = server.told.wait("leave", |event| match event {
        Event::GroupLeft { session, code, .. } if *session == id => Some(*code),
        _ => None,
    });
    out.await
}

async fn names(server: &Server, who: &Requestor) -> String {
    let request = Request::GetJoinedUsers(GetJoinedUsers { group: group(G) });
    match server.ask(who, request).await {
        Ok(Response::JoinedUsers(joined)) => people(&joined.users),
        Err(refusal) => refusal.code.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn users_of_another_domain_join_hear_and_leave_whatever_happens_on_the_way() {
    for faults in [
        Faults::default(),
        Faults {
            repeat: true,
            ..Faults::default()
        },
        Faults {
            lose_requests: 2,
            ..Faults::default()
        },
        Faults {
            lose_answers: 2,
            ..Faults::default()
        },
    ] {
        let net = Net::new();
        let (a, b) = two(&net).await;
        let anna = a.log_in("anna", "phone").await;
        let bob = b.log_in("bob", "phone").await;
        code(&a, &anna, create(G, &[], Some("Anna"))).await;
        net.set_faults(faults.clone());
        let answer = b.ask(&bob, join(G, Some("Bob"))).await;
        let joined = joined(&answer);
        assert_eq!(joined.screen_name.as_str(), "Bob", "{faults:?}");
        assert_eq!(people(&joined.users.unwrap()), "Anna Bob");
        assert_eq!(notice(&a, &anna).await, "+Bob");
        assert_eq!(code(&b, &bob, join(G, None)).await, "807");
        assert_eq!(code(&a, &anna, set(G, &[("Topic", "snow")])).await, "200");
        assert_eq!(notice(&b, &bob).await, "Topic=snow", "{faults:?}");
        assert_eq!(code(&a, &anna, add(G, &["wv:bob@b"])).await, "200");
        assert_eq!(notice(&b, &bob).await, "own IsMember=T", "{faults:?}");
        assert_eq!(code(&b, &bob, leave(G)).await, "200");
        assert_eq!(notice(&a, &anna).await, "-Bob", "{faults:?}");
        drained(&b).await;
        assert_eq!(names(&a, &anna).await, "Anna=wv:anna@a");
    }
}

#[tokio::test]
async fn a_user_of_another_domain_is_kept_out_and_put_out() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let anna = a.log_in("anna", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    let bea = b.log_in("bea", "phone").await;
    code(&a, &anna, create(G, &[], Some("Anna"))).await;
    for who in [&bob, &bea] {
        assert_eq!(code(&b, who, join(G, None)).await, "200");
    }
    assert_eq!(code(&b, &bob, join("wv:anna/none@a", None)).await, "800");
    assert_eq!(code(&b, &bob, set(G, &[("Topic", "x")])).await, "816");
    assert_eq!(code(&b, &bob, delete(G)).await, "816");
    let answer = a.ask(&anna, reject(G, &["wv:bob@b"], &[])).await;
    assert_eq!(answer, Ok(Response::RejectList(vec![user("wv:bob@b")])));
    assert_eq!(put_out(&b, &bob).await.0, 809);
    assert_eq!(code(&b, &bob, join(G, None)).await, "809");
    assert_eq!(code(&b, &bob, leave(G)).await, "808");
    assert_eq!(code(&a, &anna, delete(G)).await, "200");
    assert_eq!(put_out(&b, &bea).await.0, 800);
    assert_eq!(code(&b, &bea, leave(G)).await, "808");
}

#[tokio::test]
async fn a_group_is_administered_from_another_domain() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let anna = a.log_in("anna", "phone").await;
    let al = a.log_in("al", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    code(&a, &anna, create(G, &[], None)).await;
    code(&a, &anna, crate::groups::access(G, &["wv:bob@b"], &[], &[])).await;
    code(&a, &al, join(G, None)).await;
    assert_eq!(code(&b, &bob, set(G, &[("Topic", "snow")])).await, "200");
    assert_eq!(notice(&a, &al).await, "Topic=snow");
    let answer = b.ask(&bob, reject(G, &["wv:al@a"], &[])).await;
    assert_eq!(answer, Ok(Response::RejectList(vec![user("al")])));
    assert_eq!(put_out(&a, &al).await.0, 809);
    assert_eq!(code(&b, &bob, add(G, &["wv:bea@b"])).await, "200");
    assert_eq!(code(&b, &bob, create("wv:bob/x@a", &[], None)).await, "516");
}

#[tokio::test]
async fn all_clients_of_a_user_share_one_join_elsewhere() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let anna = a.log_in("anna", "phone").await;
    let phone = b.log_in("bob", "phone").await;
    let desk = b.log_in("bob", "desk").await;
    code(&a, &anna, create(G, &[], Some("Anna"))).await;
    assert_eq!(code(&b, &phone, join(G, Some("Bob"))).await, "200");
    assert_eq!(names(&b, &desk).await, "808");
    assert_eq!(code(&b, &desk, join(G, Some("Robert"))).await, "811");
    let answer = b.ask(&desk, join(G, None)).await;
    assert_eq!(joined(&answer).screen_name.as_str(), "Bob");
    assert_eq!(people(&joined(&answer).users.unwrap()), "Anna Bob");
    let notices = |kind| {
        let group = group(G);
        Request::SubscribeGroupNotice(SubscribeGroupNotice { group, kind })
    };
    assert_eq!(code(&b, &phone, notices(SubscribeType::Unset)).await, "200");
    let listens = b.ask(&phone, notices(SubscribeType::Get)).await;
    assert_eq!(listens, Ok(Response::GroupNotices(false)));
    b.told.take();
    code(&a, &anna, set(G, &[("Topic", "snow")])).await;
    assert_eq!(notice(&b, &desk).await, "Topic=snow");
    let phone_heard = b.told.take().into_iter().any(|event| {
        matches!(event, Event::GroupNotice { session, .. } if Some(&session) == phone.session.as_ref())
    });
    assert!(!phone_heard);
    // He leaves with the last of his clients.
    a.told.take();
    assert_eq!(code(&b, &phone, leave(G)).await, "200");
    assert_eq!(names(&b, &desk).await, "Anna Bob");
    b.log_out(&desk).await;
    assert_eq!(notice(&a, &anna).await, "-Bob");
    assert_eq!(names(&a, &anna).await, "Anna=wv:anna@a");
}

#[tokio::test]
async fn who_waits_too_long_is_told_so_and_is_not_joined_behind_his_back() {
    // csp-group 4: 504; what succeeds later is undone.
    let net = Net::new();
    let (a, b) = two_waiting(&net, Duration::from_millis(100)).await;
    let anna = a.log_in("anna", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    code(&a, &anna, create(G, &[], Some("Anna"))).await;
    net.let_answer(false);
    assert_eq!(code(&b, &bob, join(G, Some("Bob"))).await, "504");
    assert_eq!(notice(&a, &anna).await, "+Bob");
    net.let_answer(true);
    assert_eq!(notice(&a, &anna).await, "-Bob");
    assert_eq!(names(&a, &anna).await, "Anna=wv:anna@a");
    drained(&b).await;
    assert_eq!(code(&b, &bob, leave(G)).await, "808");
    // A domain to which there is no way.
    assert_eq!(code(&b, &bob, join("wv:x/g@c", None)).await, "516");
}

#[tokio::test]
async fn a_join_that_is_lost_there_is_told_here() {
    // csp-group 5.4: 808, the server lost the join.
    let net = Net::new();
    let (a, b) = two(&net).await;
    let anna = a.log_in("anna", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    code(&a, &anna, create(G, &[], Some("Anna"))).await;
    assert_eq!(code(&b, &bob, join(G, None)).await, "200");
    let lost = a.store.write(|tx| {
        let bob = user("wv:bob@b");
        tx.remove_group_joined(&group(G), &bob, &Default::default())
    });
    assert!(lost.await.unwrap());
    assert_eq!(names(&b, &bob).await, "808");
    assert_eq!(put_out(&b, &bob).await.0, 808);
    assert_eq!(code(&b, &bob, join(G, None)).await, "200");
    // Known there, and not here: he joins anew.
    let forgotten = b.store.write(|tx| tx.forget_group(&group(G)));
    forgotten.await.unwrap();
    assert_eq!(code(&b, &bob, join(G, None)).await, "200");
    assert_eq!(names(&a, &anna).await, "Anna=wv:anna@a bob=wv:bob@b");
}

#[tokio::test]
async fn a_domain_speaks_of_its_own_groups_and_for_its_own_users_alone() {
    // ssp 5.4.
    let net = Net::new();
    let (a, b) = two(&net).await;
    let anna = a.log_in("anna", "phone").await;
    code(&a, &anna, create(G, &[], Some("Anna"))).await;
    let from_b = async |requestor: &str, request: Request| {
        let call = Call {
            requestor: Requestor {
                session: Some(SessionId::new("wv:anna@a/phone")),
                ..Requestor::user(user(requestor))
            },
            request,
            key: None,
        };
        outcome(&a.elements.call_from_domain(&b.domain, call).await)
    };
    let left = GroupChange {
        left: vec![ScreenName::new("Anna").unwrap()],
        ..GroupChange::default()
    };
    let notice = |id: &str| {
        Request::ForeignGroupNotice(Box::new(ForeignGroupNotice {
            group: group(id),
            users: vec![user("anna")],
            change: left.clone(),
        }))
    };
    let out = |id: &str| {
        Request::ForeignGroupLeave(ForeignGroupLeave {
            group: group(id),
            users: vec![user("anna")],
            code: StatusCode::REJECTED,
        })
    };
    a.told.take();
    assert_eq!(from_b("wv:bob@b", notice(G)).await, "800");
    assert_eq!(from_b("wv:bob@b", out(G)).await, "800");
    assert_eq!(from_b("wv:anna@a", delete(G)).await, "901");
    assert_eq!(from_b("wv:bob@b", join("wv:x/g@c", None)).await, "516");
    assert_eq!(
        from_b("wv:bob@b", create("wv:bob/g@b", &[], None)).await,
        "405"
    );
    assert_eq!(from_b("wv:bob@b", delete(G)).await, "816");
    // About a group of its own that nobody here has joined there is nobody to tell.
    assert_eq!(from_b("wv:bob@b", notice("wv:bob/g@b")).await, "200");
    assert_eq!(from_b("wv:bob@b", out("wv:bob/g@b")).await, "200");
    let told = a.told.take();
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(names(&a, &anna).await, "Anna=wv:anna@a");
}
