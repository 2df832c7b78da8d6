//! What the operator does with groups (csp-group 1: public groups are the provider's).

use super::{EACH, GROUP, about, join, nothing, take, value, with_group};
use hamlet_tests::server::TestServer;
use hamletd::control::{Answer, Request};

const PUBLIC: &str = "wv:/skiing@h";

async fn done(server: &TestServer, request: Request) -> String {
    match server.operate(request).await {
        Answer::Done { text } => text,
        other => panic!("{other:?}"),
    }
}

async fn refused(server: &TestServer, request: Request) -> String {
    match server.operate(request).await {
        Answer::Failed { text } => text,
        other => panic!("{other:?}"),
    }
}

fn create(group: &str, properties: &[(&str, &str)]) -> Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Request::GroupCreate {
        group: group.to_owned(),
        properties: properties.iter().map(owned).collect(),
        admins: vec!["wv:alice@h".to_owned()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_makes_changes_and_ends_public_groups() {
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let made = create("/skiing", &[("Name", "Skiing"), ("WelcomeNote", "Hello")]);
        assert!(done(&server, made.clone()).await.contains(PUBLIC));
        assert!(refused(&server, made).await.contains("already"));
        refused(&server, create("wv:alice/private@h", &[])).await;
        refused(&server, create("/other", &[("Shoes", "42")])).await;
        let mut bob = server.client(version, syntax, "bob").await;
        let joined = join(&mut bob, PUBLIC, "Bo").await;
        let joined = joined.expect("JoinGroup-Response");
        assert_eq!(joined.text("WelcomeNote/ContentData"), Some("Hello"));
        let set = Request::GroupSet {
            group: PUBLIC.to_owned(),
            properties: vec![("Topic".to_owned(), "Snow".to_owned())],
        };
        done(&server, set).await;
        let told = take(&mut bob, "GroupChangeNotice").await;
        assert_eq!(
            value(&told, "GroupProperties", "Topic").as_deref(),
            Some("Snow")
        );
        let list = server.operate(Request::GroupList { after: None }).await;
        let Answer::Groups { groups, more } = list else {
            panic!("{list:?}");
        };
        assert!(!more && groups.len() == 1);
        let entry = &groups[0];
        assert_eq!(
            (entry.group.as_str(), entry.name.as_str()),
            (PUBLIC, "Skiing")
        );
        assert_eq!((entry.members, entry.joined), (1, 1));
        let reject = |out| Request::GroupReject {
            group: PUBLIC.to_owned(),
            user: "wv:bob@h".to_owned(),
            out,
        };
        done(&server, reject(true)).await;
        let out = take(&mut bob, "LeaveGroup-Response").await;
        assert_eq!(out.text("Result/Code"), Some("809"));
        join(&mut bob, PUBLIC, "Bo").await.expect_status(809);
        done(&server, reject(false)).await;
        join(&mut bob, PUBLIC, "Bo")
            .await
            .expect("JoinGroup-Response");
        let delete = Request::GroupDelete {
            group: PUBLIC.to_owned(),
        };
        done(&server, delete.clone()).await;
        let out = take(&mut bob, "LeaveGroup-Response").await;
        assert_eq!(out.text("Result/Code"), Some("800"));
        assert!(refused(&server, delete).await.contains("no group"));
        nothing(&mut bob).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_looks_at_private_groups_and_gives_roles() {
    let (server, mut alice) = with_group(&["alice", "bob"], &[("Name", "Private")]).await;
    let member = |role: Option<&str>| Request::GroupMember {
        group: GROUP.to_owned(),
        user: "wv:bob@h".to_owned(),
        role: role.map(str::to_owned),
    };
    done(&server, member(Some("Mod"))).await;
    let show = Request::GroupShow {
        group: GROUP.to_owned(),
    };
    let Answer::Profile { fields } = server.operate(show).await else {
        panic!("a group");
    };
    for (name, shown) in [
        ("owner", "wv:alice@h"),
        ("Name", "Private"),
        ("admin", "wv:alice@h"),
        ("mod", "wv:bob@h"),
    ] {
        let pair = (name.to_owned(), shown.to_owned());
        assert!(fields.contains(&pair), "{pair:?} in {fields:?}");
    }
    refused(&server, member(Some("King"))).await;
    done(&server, member(None)).await;
    let answer = about(&mut alice, "GetGroupMembers", GROUP).await;
    let answer = answer.expect("GetGroupMembers-Response");
    assert!(answer.at("Mod").is_none() && answer.at("Users").is_none());
}
