//! Public profile and VerifyID (csp-access 11.1, 11.2; data-types 4.4).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, escape};
use hamlet_tests::server::TestServer;
use hamletd::control::{Answer as Operated, Request};

/// Sets fields of a profile as the operator does, separated by blanks.
pub async fn set(server: &TestServer, user: &str, fields: &str) {
    let fields: Vec<String> = fields.split(' ').map(str::to_owned).collect();
    set_fields(server, user, &fields).await;
}

/// The same, one by one.
pub async fn set_fields(server: &TestServer, user: &str, fields: &[String]) {
    let request = Request::UserSet {
        user: format!("wv:{user}@h"),
        fields: fields.to_vec(),
    };
    let answer = server.operate(request).await;
    assert!(matches!(answer, Operated::Done { .. }), "{answer:?}");
}

/// Puts users into the first list of one.
pub async fn befriend(client: &mut Client, owner: &str, contacts: &[&str]) {
    let members: String = contacts
        .iter()
        .map(|user| format!("<UserID>wv:{user}@h</UserID>"))
        .collect();
    let content = format!(
        "<ListManage-Request><ContactList>wv:{owner}/friends@h</ContactList><AddNickList>{members}</AddNickList></ListManage-Request>"
    );
    client.request(&content).await.expect_code(200);
}

async fn get(client: &mut Client, users: &[&str]) -> Answer {
    let users: String = users
        .iter()
        .map(|user| format!("<UserID>{user}</UserID>"))
        .collect();
    let content = format!("<GetPublicProfile-Request>{users}</GetPublicProfile-Request>");
    client.request(&content).await
}

/// UpdatePublicProfile with properties such as `PP_CITY=Turku`.
async fn update(client: &mut Client, before: &str, properties: &[&str]) -> Answer {
    let properties: String = properties
        .iter()
        .map(|property| {
            let (name, value) = property.split_once('=').expect("a property");
            let value = escape(value);
            format!("<Property><Name>{name}</Name><Value>{value}</Value></Property>")
        })
        .collect();
    let (clear, user) = match before {
        "T" | "F" => (
            format!("<ClearPublicProfile>{before}</ClearPublicProfile>"),
            "",
        ),
        user => (String::new(), user),
    };
    let user = match user {
        "" => String::new(),
        user => format!("<UserID>{user}</UserID>"),
    };
    let content = format!(
        "<UpdatePublicProfile-Request>{clear}<PublicProfile>{user}{properties}</PublicProfile></UpdatePublicProfile-Request>"
    );
    client.request(&content).await
}

/// The properties of the one profile of an answer.
#[track_caller]
fn properties(answer: &Answer) -> Vec<String> {
    let response = answer.expect("GetPublicProfile-Response");
    assert_eq!(response.all("PublicProfile").len(), 1);
    response
        .all("PublicProfile/Property")
        .iter()
        .map(|p| {
            format!(
                "{}={}",
                p.text("Name").unwrap_or("?"),
                p.text("Value").unwrap_or("?")
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_writes_his_profile_and_everybody_reads_it() {
    // 11.1.
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        set(&server, "alice", "first-name=Alice mobile=+34600000001").await;
        let mut alice = server.client(Version::V1_3, syntax, "alice").await;
        let mut bob = server.client(Version::V1_3, syntax, "bob").await;
        let all = [
            "PP_FRIENDLY_NAME=Ally & Co",
            "PP_AGE=31",
            "PP_GENDER=F",
            "PP_MARITAL_STATUS=S",
            "PP_COUNTRY=FI",
            "PP_CITY=Turku",
            "PP_INTENTION=chat",
            "PP_INTERESTS=chess",
            "PP_FREE_TEXT=Moi <kaikki>!",
        ];
        update(&mut alice, "", &all).await.expect_status(200);
        let answer = get(&mut bob, &["wv:alice@h"]).await;
        answer.expect_code(200);
        // Only what is public.
        assert_eq!(properties(&answer), all);
        // An empty value removes, others stay.
        update(&mut alice, "wv:alice@h", &["PP_CITY=", "PP_AGE=32"])
            .await
            .expect_status(200);
        let now = properties(&get(&mut bob, &["alice"]).await);
        assert!(
            now.contains(&"PP_AGE=32".to_owned()) && !now.iter().any(|p| p.starts_with("PP_CITY"))
        );
        assert_eq!(now.len(), 8);
        // Cleared first, then set.
        update(&mut alice, "T", &["PP_CITY=Oulu"])
            .await
            .expect_status(200);
        assert_eq!(
            properties(&get(&mut bob, &["wv:alice@h"]).await),
            ["PP_CITY=Oulu"]
        );
        let clear = "<UpdatePublicProfile-Request><ClearPublicProfile>T</ClearPublicProfile></UpdatePublicProfile-Request>";
        alice.request(clear).await.expect_status(200);
        assert_eq!(properties(&get(&mut bob, &["wv:alice@h"]).await), [""; 0]);
        // What is not public was not cleared, and searches know the new state.
        let search = "<Search-Request><SearchPairList><SearchElement>USER_FIRST_NAME</SearchElement><SearchString>alice</SearchString></SearchPairList></Search-Request>";
        let answer = bob.request(search).await;
        assert_eq!(answer.primitive().text("SearchFindings"), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_that_cannot_be_are_refused_and_nothing_changes() {
    // 11.1: 401 for another's, 702 for names and values.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    update(&mut alice, "", &["PP_CITY=Turku"])
        .await
        .expect_status(200);
    let long = format!("PP_CITY={}", "x".repeat(256));
    for (before, properties, code) in [
        ("wv:bob@h", &["PP_CITY=Oulu"][..], 401),
        ("wv:a b", &["PP_CITY=Oulu"], 401),
        ("T", &["PP_CITY=Oulu", "PP_SHOE_SIZE=42"], 702),
        ("T", &["PP_CITY=Oulu", "PP_AGE=old"], 702),
        ("F", &["PP_CITY=Oulu", "PP_GENDER=X"], 702),
        ("F", &["PP_MARITAL_STATUS=Q"], 702),
        ("F", &[&long], 702),
    ] {
        update(&mut alice, before, properties)
            .await
            .expect_status(code);
        let kept = get(&mut alice, &["wv:alice@h"]).await;
        assert_eq!(self::properties(&kept), ["PP_CITY=Turku"], "{properties:?}");
    }
    alice
        .request("<UpdatePublicProfile-Request/>")
        .await
        .expect_status(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_of_several_users_and_of_unknown_ones() {
    // 11.1: 531 in DetailedResult or alone; foreign users without a way 516.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let answer = get(
        &mut alice,
        &["wv:bob@h", "wv:alice@h", "wv:nobody@h", "wv:bob@h"],
    )
    .await;
    answer.expect_code(201);
    let response = answer.expect("GetPublicProfile-Response");
    assert_eq!(
        response.texts("PublicProfile/UserID"),
        ["wv:bob@h", "wv:alice@h"]
    );
    assert_eq!(response.texts("Result/DetailedResult/Code"), ["531"]);
    assert_eq!(
        response.texts("Result/DetailedResult/UserID"),
        ["wv:nobody@h"]
    );
    for (users, code) in [
        (&["wv:nobody@h"][..], 531),
        (&["wv:a b"], 531),
        (&["wv:bob@elsewhere.example"], 516),
        (&["wv:nobody@h", "wv:bob@elsewhere.example"], 900),
    ] {
        get(&mut alice, users).await.expect_code(code);
    }
    get(&mut alice, &[]).await.expect_code(400);
    let crowd = vec!["wv:bob@h"; 101];
    get(&mut alice, &crowd).await.expect_code(402);
    // The primitives are of 1.3 only (csp-access 1.5 item 6).
    for version in [Version::V1_1, Version::V1_2] {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        get(&mut bob, &["wv:alice@h"]).await.expect_status(405);
        update(&mut bob, "", &["PP_CITY=Oulu"])
            .await
            .expect_status(405);
    }
}

async fn verify(client: &mut Client, ids: &str) -> Answer {
    let content = format!("<VerifyID-Request><IDList>{ids}</IDList></VerifyID-Request>");
    client.request(&content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_are_verified_by_kind() {
    // 11.2, in 1.2 and 1.3; 405 in 1.1.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in [Version::V1_2, Version::V1_3] {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut alice = server.client(version, syntax, "alice").await;
            let good = "<UserID>wv:bob@h</UserID><UserID>alice</UserID><ContactList>wv:alice/friends@h</ContactList><Domain>h</Domain>";
            verify(&mut alice, good).await.expect_status(200);
            let bad = "<UserID>wv:nobody@h</UserID><UserID>wv:a b</UserID><ContactList>wv:alice/none@h</ContactList>\
                 <ContactList>wv:bob/friends@h</ContactList><GroupID>wv:/chess@h</GroupID>\
                 <ScreenName><SName>Al</SName><GroupID>wv:/chess@h</GroupID></ScreenName><Domain>elsewhere.example</Domain>";
            let answer = verify(&mut alice, &good.replace("<Domain>h</Domain>", "")).await;
            answer.expect_status(200);
            let mixed = format!("<UserID>wv:bob@h</UserID>{bad}");
            let answer = verify(&mut alice, &mixed).await;
            answer.expect_status(201);
            let details = answer.primitive().all("Result/DetailedResult");
            let failed = |code: &str, name: &str| {
                let detail = details.iter().find(|d| d.text("Code") == Some(code));
                detail.map(|d| d.texts(name).join(" ")).unwrap_or_default()
            };
            assert_eq!(failed("531", "UserID"), "wv:nobody@h wv:a b");
            assert_eq!(
                failed("700", "ContactList"),
                "wv:alice/none@h wv:bob/friends@h"
            );
            assert_eq!(failed("800", "GroupID"), "wv:/chess@h");
            assert_eq!(failed("901", "ScreenName/SName"), "Al");
            assert_eq!(failed("404", "Domain"), "elsewhere.example");
            verify(&mut alice, bad).await.expect_status(900);
            for (ids, code) in [
                ("<UserID>wv:nobody@h</UserID>", 531),
                ("<ContactList>wv:alice/none@h</ContactList>", 700),
                ("<GroupID>wv:/chess@h</GroupID>", 800),
                ("<Domain>elsewhere.example</Domain>", 404),
                ("<Domain>not a domain</Domain>", 404),
                ("<UserID>wv:bob@elsewhere.example</UserID>", 516),
                ("", 400),
                (&"<UserID>wv:bob@h</UserID>".repeat(51), 402),
            ] {
                verify(&mut alice, ids).await.expect_status(code);
            }
        }
    }
    let mut alice = server.client(Version::V1_1, Syntax::Xml, "alice").await;
    verify(&mut alice, "<UserID>wv:bob@h</UserID>")
        .await
        .expect_status(405);
}
