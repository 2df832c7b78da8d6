//! Groups on phones: the flows of csp-group 11, with the habits of clients.md.

use super::{GROUP, about, join, set, take};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};
use hamlet_tests::server::TestServer;

async fn android(server: &TestServer, version: Version, syntax: Syntax) -> Client {
    let mut client = Client::connect(server.address(), version, syntax).await;
    client
        .headers
        .push(("User-Agent".to_owned(), "Android-Imps/0.1".to_owned()));
    let login = client.login_with_password("wv:bob@h", "secret").await;
    login.expect_code(200);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn android_finds_who_is_there_and_who_comes_and_goes() {
    // 11.1; clients 3.14, AND-22: each child of the list has the name, in 1.2 and 1.3.
    for version in [Version::V1_2, Version::V1_3] {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let server = TestServer::with_users(&[], &["alice", "bob"]).await;
            let mut alice = server.client(Version::V1_2, Syntax::Xml, "alice").await;
            let made = super::create(&mut alice, GROUP, &[], Some("Ann")).await;
            made.expect_status(200);
            let mut bob = android(&server, version, syntax).await;
            let joined = join(&mut bob, GROUP, "bob").await;
            let joined = joined.expect("JoinGroup-Response");
            let mut names = joined.texts("UserMapList/Mapping/SName");
            names.sort_unstable();
            assert_eq!(names, ["Ann", "bob"], "{version:?} {syntax:?}");
            let all = joined.descendants();
            assert!(all.iter().all(|element| element.name != "UserMapping"));
            about(&mut alice, "LeaveGroup", GROUP)
                .await
                .expect_code(200);
            let told = take(&mut bob, "GroupChangeNotice").await;
            let left = told.text("Left/UserList/ScreenName/SName");
            assert_eq!(left, Some("Ann"));
            join(&mut alice, GROUP, "Ann")
                .await
                .expect("JoinGroup-Response");
            let told = take(&mut bob, "GroupChangeNotice").await;
            let came = told.texts("Joined/UserMapList/Mapping/SName");
            assert_eq!(came, ["Ann"], "{version:?} {syntax:?}");
            about(&mut alice, "DeleteGroup", GROUP)
                .await
                .expect_status(200);
            let out = take(&mut bob, "LeaveGroup-Response").await;
            assert_eq!(out.text("Result/Code"), Some("800"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s60_makes_fills_and_joins_its_group_in_its_own_order() {
    // 11.2; clients 4.9: everything before it has joined, Users before Mod, Validity as 1.2.
    for version in [Version::V1_1, Version::V1_2] {
        let server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
        let mut phone = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.client(Version::V1_2, Syntax::Xml, "bob").await;
        let properties = [
            ("Name", "Skiing"),
            ("Accesstype", "Restricted"),
            ("PrivateMessaging", "T"),
            ("Type", "Private"),
            ("Searchable", "F"),
            ("Topic", ""),
            ("MaxActiveUsers", "0"),
        ];
        let made = super::create(&mut phone, GROUP, &properties, None).await;
        made.expect_status(200);
        let again = super::create(&mut phone, GROUP, &properties, None).await;
        again.expect_status(801);
        let search = "<Search-Request><SearchPairList><SearchElement>GROUP_USER_ID_OWNER</SearchElement>\
                      <SearchString>wv:alice@h</SearchString></SearchPairList><SearchLimit>50</SearchLimit></Search-Request>";
        let found = phone.request(search).await;
        let found = found.expect("Search-Response");
        assert_eq!(found.texts("SearchResult/GroupList/GroupID"), [GROUP]);
        let list = |name: &str| format!("<UserList>{}</UserList>", user(name));
        let add = format!(
            "<AddGroupMembers-Request><GroupID>{GROUP}</GroupID>{}</AddGroupMembers-Request>",
            list("wv:bob@h")
        );
        phone.request(&add).await.expect_status(200);
        let access = format!(
            "<MemberAccess-Request><GroupID>{GROUP}</GroupID><Users>{}</Users></MemberAccess-Request>",
            list("wv:bob@h")
        );
        phone.request(&access).await.expect_status(200);
        let reject = format!(
            "<RejectList-Request><GroupID>{GROUP}</GroupID><AddList><UserID>wv:carl@h</UserID></AddList></RejectList-Request>"
        );
        phone.request(&reject).await.expect("RejectList-Response");
        let invite = format!(
            "<Invite-Request><InviteID>s60</InviteID><InviteType>GR</InviteType><Recipient>{}</Recipient>\
             <GroupID>{GROUP}</GroupID><Validity>3600</Validity></Invite-Request>",
            user("wv:bob@h")
        );
        phone.request(&invite).await.expect_status(200);
        take(&mut bob, "InviteUser-Request").await;
        join(&mut phone, GROUP, "alice")
            .await
            .expect("JoinGroup-Response");
        let props = about(&mut phone, "GetGroupProps", GROUP).await;
        let props = props.expect("GetGroupProps-Response");
        let level = super::value(props, "OwnProperties", "PrivilegeLevel");
        assert_eq!(level.as_deref(), Some("Admin"));
        // It gives back what it has read, what it cannot change included.
        let own = super::all_properties(&[
            ("PrivateMessaging", "T"),
            ("IsMember", "T"),
            ("PrivilegeLevel", "Admin"),
        ]);
        set(&mut phone, GROUP, None, Some(&own))
            .await
            .expect_status(200);
        join(&mut bob, GROUP, "bob")
            .await
            .expect("JoinGroup-Response");
        let told = take(&mut phone, "GroupChangeNotice").await;
        let came = told.at("Joined").expect("who came");
        assert_eq!(super::joined_names(came, version), ["bob"]);
    }
}
