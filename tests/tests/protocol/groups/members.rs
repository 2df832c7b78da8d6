//! Members, roles, reject list, joined users (csp-group 5.5 to 5.8, 5.11).

use super::{EACH, GROUP, about, add_members, join, nothing, set, take, users, value, with_group};
use super::{join_with, property};
use hamlet_csp::Version;
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;

/// MemberAccess-Request with the ordinary users as the version has them.
async fn access(client: &mut Client, moderators: &[&str], ordinary: &[&str]) -> u16 {
    let list = |names: &[&str]| users(Version::V1_2, names);
    let moderators = match moderators {
        [] => String::new(),
        names => format!("<Mod>{}</Mod>", list(names)),
    };
    let ordinary = match (ordinary, client.version) {
        ([], _) => String::new(),
        (names, Version::V1_3) => list(names),
        (names, _) => format!("<Users>{}</Users>", list(names)),
    };
    let content = format!(
        "<MemberAccess-Request><GroupID>{GROUP}</GroupID>{moderators}{ordinary}</MemberAccess-Request>"
    );
    let answer = client.request(&content).await;
    answer.expect("Status");
    answer.code().expect("a code")
}

async fn reject(client: &mut Client, what: &str, name: &str) -> hamlet_tests::answer::Answer {
    let content = format!(
        "<RejectList-Request><GroupID>{GROUP}</GroupID><{what}><UserID>wv:{name}@h</UserID></{what}></RejectList-Request>"
    );
    client.request(&content).await
}

fn members(answer: &Element, version: Version) -> [Vec<String>; 3] {
    let ordinary = match version {
        Version::V1_3 => "UserList/User/UserID",
        _ => "Users/UserList/User/UserID",
    };
    [
        "Admin/UserList/User/UserID",
        "Mod/UserList/User/UserID",
        ordinary,
    ]
    .map(|path| {
        let mut ids: Vec<String> = answer.texts(path).into_iter().map(String::from).collect();
        ids.sort();
        ids
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_added_given_roles_and_removed() {
    // 5.6, 5.7, 5.8. The owner has his rights without having joined (clients 4.9).
    for (version, syntax) in EACH {
        let (server, _) = with_group(&["alice", "bob", "carl"], &[]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        about(&mut bob, "GetGroupMembers", GROUP)
            .await
            .expect_status(810);
        add_members(&mut alice, GROUP, &["bob", "carl"])
            .await
            .expect_status(200);
        about(&mut bob, "GetGroupMembers", GROUP)
            .await
            .expect_status(816);
        let partly = add_members(&mut alice, GROUP, &["bob", "nobody"]).await;
        partly.expect_status(201);
        let block = partly.primitive().at("Result/DetailedResult").expect("why");
        assert_eq!(block.text("Code"), Some("531"));
        assert_eq!(block.text("UserID"), Some("wv:nobody@h"));
        assert_eq!(access(&mut alice, &["bob"], &[]).await, 200);
        let answer = about(&mut bob, "GetGroupMembers", GROUP).await;
        let got = members(answer.expect("GetGroupMembers-Response"), version);
        assert_eq!(
            got,
            [vec!["wv:alice@h"], vec!["wv:bob@h"], vec!["wv:carl@h"]]
        );
        // A moderator does not make others what he is not, nor undo the owner.
        assert_eq!(access(&mut bob, &["carl"], &[]).await, 816);
        assert_eq!(access(&mut bob, &[], &["alice"]).await, 816);
        assert_eq!(access(&mut alice, &[], &["bob"]).await, 200);
        let list = users(version, &["carl"]);
        let remove = format!(
            "<RemoveGroupMembers-Request><GroupID>{GROUP}</GroupID>{list}</RemoveGroupMembers-Request>"
        );
        alice.request(&remove).await.expect_status(200);
        let answer = about(&mut alice, "GetGroupMembers", GROUP).await;
        let got = members(answer.expect("GetGroupMembers-Response"), version);
        assert_eq!(got, [vec!["wv:alice@h"], vec![], vec!["wv:bob@h"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_rejected_is_out_and_does_not_come_back() {
    // 5.11, 11.4.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob", "carl"], &[]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        join(&mut carl, GROUP, "Carl")
            .await
            .expect("JoinGroup-Response");
        bob.drain().await;
        reject(&mut bob, "AddList", "carl").await.expect_status(816);
        let list = reject(&mut alice, "AddList", "carl").await;
        let list = list.expect("RejectList-Response");
        assert_eq!(list.texts("UserList/User/UserID"), ["wv:carl@h"]);
        let out = take(&mut carl, "LeaveGroup-Response").await;
        assert_eq!(out.text("Result/Code"), Some("809"));
        let told = take(&mut bob, "GroupChangeNotice").await;
        assert_eq!(told.text("Left/UserList/ScreenName/SName"), Some("Carl"));
        join(&mut carl, GROUP, "Carl").await.expect_status(809);
        nothing(&mut carl).await;
        // The list again, then without him.
        let list = about(&mut alice, "RejectList", GROUP).await;
        let list = list.expect("RejectList-Response");
        assert_eq!(list.texts("UserList/User/UserID"), ["wv:carl@h"]);
        let list = reject(&mut alice, "RemoveList", "carl").await;
        assert_eq!(list.expect("RejectList-Response").at("UserList"), None);
        join(&mut carl, GROUP, "Carl")
            .await
            .expect("JoinGroup-Response");
        reject(&mut alice, "AddList", "nobody")
            .await
            .expect_code(531);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_group_is_for_its_members() {
    // 5.3 item 3, 11.6.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob", "carl"], &[]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        for (client, name) in [(&mut bob, "Bo"), (&mut carl, "Carl")] {
            join(client, GROUP, name).await.expect("JoinGroup-Response");
        }
        add_members(&mut alice, GROUP, &["bob"])
            .await
            .expect_status(200);
        bob.drain().await;
        let restricted = property("Accesstype", "Restricted");
        set(&mut alice, GROUP, Some(&restricted), None)
            .await
            .expect_status(200);
        let out = take(&mut carl, "LeaveGroup-Response").await;
        assert_eq!(out.text("Result/Code"), Some("803"));
        let told = bob.drain().await;
        let left: Vec<&str> = told
            .iter()
            .flat_map(|notice| notice.texts("Left/UserList/ScreenName/SName"))
            .collect();
        assert_eq!(left, ["Carl"]);
        let shown = told
            .iter()
            .find_map(|notice| value(notice, "GroupProperties", "AccessType"));
        assert_eq!(shown.as_deref(), Some("Restricted"));
        join(&mut carl, GROUP, "Carl").await.expect_status(810);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_joined_is_told_as_far_as_he_shows_himself() {
    // 5.5; in 1.1 there is no such request.
    for (version, syntax) in EACH
        .into_iter()
        .filter(|(version, _)| *version > Version::V1_1)
    {
        let (server, mut alice) = with_group(&["alice", "bob", "carl"], &[]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        about(&mut bob, "GetJoinedUsers", GROUP)
            .await
            .expect_status(808);
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        let shown = format!("<OwnProperties>{}</OwnProperties>", property("ShowID", "T"));
        let name = super::screen_name("Carl", GROUP);
        join_with(&mut carl, GROUP, &name, "F", &shown)
            .await
            .expect("JoinGroup-Response");
        join(&mut alice, GROUP, "Ann")
            .await
            .expect("JoinGroup-Response");
        let pairs = |answer: &Element, path: &str| -> Vec<(String, Option<String>)> {
            let pair = |mapping: &&Element| {
                let text = |name| mapping.text(name).map(str::to_owned);
                (text("SName").unwrap_or_default(), text("UserID"))
            };
            let mut all: Vec<_> = answer.all(path).iter().map(pair).collect();
            all.sort();
            all
        };
        let answer = about(&mut bob, "GetJoinedUsers", GROUP).await;
        let answer = answer.expect("GetJoinedUsers-Response");
        let got = pairs(answer, "UserMapList/UserMapping/Mapping");
        let known = |name: &str, id: Option<&str>| (name.to_owned(), id.map(str::to_owned));
        assert_eq!(
            got,
            [
                known("Ann", None),
                known("Bo", None),
                known("Carl", Some("wv:carl@h"))
            ]
        );
        // The owner sees everybody: he has to be able to reject them.
        let answer = about(&mut alice, "GetJoinedUsers", GROUP).await;
        let answer = answer.expect("GetJoinedUsers-Response");
        let admins = pairs(answer, "AdminMapList/AdminMapping/Mapping");
        assert_eq!(admins, [known("Ann", Some("wv:alice@h"))]);
        let ordinary = pairs(answer, "AdminMapList/UserMapping/Mapping");
        assert_eq!(
            ordinary,
            [
                known("Bo", Some("wv:bob@h")),
                known("Carl", Some("wv:carl@h"))
            ]
        );
    }
}
