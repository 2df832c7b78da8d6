//! General search (csp-access 9; data-types 5; csp-messages 2.2.1, 7.3).

use crate::profile::{befriend, set, set_fields};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, escape};
use hamlet_tests::server::{CONTACTS, TestServer};
use std::time::Duration;

const USERS: &[&str] = &[
    "alice", "bob", "carol", "dan", "eve", "frank", "gina", "hank",
];

/// Where seven of eight live in Turku, and hank does not want to be found.
async fn village(settings: &[&str]) -> TestServer {
    let server = TestServer::with_users(settings, USERS).await;
    for (user, fields) in [
        (
            "alice",
            "city=Turku age=31 friendly-name=Ally&Co email=alice@post.example",
        ),
        ("bob", "city=Turku age=18 first-name=Bo mobile=+34600000001"),
        ("carol", "city=Turku age=45 gender=F"),
        ("dan", "city=Turku last-name=Mäkinen marital-status=W"),
        ("eve", "city=Turku country=FI"),
        ("frank", "city=Turku intention=friendship"),
        ("gina", "city=Turku interests=chess"),
        ("hank", "city=Turku findable=no mobile=+34600000002"),
    ] {
        set(&server, user, fields).await;
    }
    server
}

fn pair(element: &str, string: &str) -> String {
    let string = escape(string);
    format!(
        "<SearchPairList><SearchElement>{element}</SearchElement><SearchString>{string}</SearchString></SearchPairList>"
    )
}

async fn search(client: &mut Client, content: &str) -> Answer {
    client
        .request(&format!("<Search-Request>{content}</Search-Request>"))
        .await
}

async fn go_on(client: &mut Client, id: &str, index: u32) -> Answer {
    let content = format!("<SearchID>{id}</SearchID><SearchIndex>{index}</SearchIndex>");
    search(client, &content).await
}

async fn stop(client: &mut Client, id: &str) -> Answer {
    let content = format!("<StopSearch-Request><SearchID>{id}</SearchID></StopSearch-Request>");
    client.request(&content).await
}

/// The users of a page, without scheme and domain.
#[track_caller]
fn found(answer: &Answer) -> Vec<String> {
    let response = answer.expect("Search-Response");
    let users = response.texts("SearchResult/UserList/User/UserID");
    let bare = |user: &&str| {
        let name = user
            .strip_prefix("wv:")
            .and_then(|user| user.strip_suffix("@h"));
        name.expect("GEN-16: a full address").to_owned()
    };
    users.iter().map(bare).collect()
}

/// SearchFindings, SearchIndex, CompletionFlag.
#[track_caller]
fn place(answer: &Answer) -> (&str, &str, &str) {
    let response = answer.expect("Search-Response");
    let text = |name| response.text(name).unwrap_or("-");
    (
        text("SearchFindings"),
        text("SearchIndex"),
        text("CompletionFlag"),
    )
}

fn id(answer: &Answer) -> String {
    let id = answer
        .primitive()
        .text("SearchID")
        .expect("a SearchID")
        .to_owned();
    assert!(
        id.parse::<u32>().is_ok_and(|id| id < 1 << 31),
        "data-types 1.8: {id}"
    );
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn hits_come_in_pages_whichever_index_the_client_gives() {
    // 9.2: seven hits in pages of three.
    let server = village(&[]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut alice = server.client(version, syntax, "alice").await;
            let turku = pair("USER_CITY", "TURKU");
            let first = search(&mut alice, &format!("{turku}<SearchLimit>3</SearchLimit>")).await;
            assert_eq!(found(&first), ["alice", "bob", "carol"], "{version}");
            assert_eq!(place(&first), ("7", "3", "F"));
            let search_id = id(&first);
            // The next hit, as the examples do.
            let second = go_on(&mut alice, &search_id, 4).await;
            assert_eq!(found(&second), ["dan", "eve", "frank"]);
            assert_eq!(place(&second), ("7", "6", "F"));
            assert_eq!(id(&second), search_id);
            // The index as it was received, as S60 does.
            let third = go_on(&mut alice, &search_id, 6).await;
            assert_eq!(found(&third), ["gina"]);
            assert_eq!(place(&third), ("7", "7", "T"));
            // Back to an earlier one.
            let again = go_on(&mut alice, &search_id, 2).await;
            assert_eq!(found(&again), ["bob", "carol", "dan"]);
            for (index, code) in [(0, 425), (9, 425), (u32::MAX, 425)] {
                go_on(&mut alice, &search_id, index)
                    .await
                    .expect_status(code);
            }
            stop(&mut alice, &search_id).await.expect_status(200);
            stop(&mut alice, &search_id).await.expect_status(424);
            go_on(&mut alice, &search_id, 1).await.expect_status(424);
            go_on(&mut alice, "1", 1).await.expect_status(424);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_five_hits_unless_the_client_says_so_and_fifty_at_most() {
    // 9.2: SearchLimit missing or 0 is the server's default.
    let server = village(&["search.max_page=6"]).await;
    let mut alice = server.xml("alice").await;
    for (limit, expected) in [
        ("", 5),
        ("<SearchLimit>0</SearchLimit>", 5),
        ("<SearchLimit>1</SearchLimit>", 1),
        ("<SearchLimit>4000000000</SearchLimit>", 6),
    ] {
        let answer = search(&mut alice, &(pair("USER_CITY", "turku") + limit)).await;
        assert_eq!(found(&answer).len(), expected, "{limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_what_old_phones_need() {
    // 9.2: SearchIndex in every response of 1.1 and 1.2, S60 4.9; FriendlyName in 1.3 only.
    let server = village(&[]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut bob = server.client(version, syntax, "bob").await;
            let answer = search(&mut bob, &pair("USER_ID", "alic")).await;
            let response = answer.expect("Search-Response");
            let expected = [
                "SearchFindings",
                "CompletionFlag",
                "SearchIndex",
                "SearchResult",
            ];
            assert_eq!(response.child_names(), expected, "{version}");
            assert_eq!(place(&answer), ("1", "1", "T"));
            let name = response.text("SearchResult/UserList/User/FriendlyName");
            assert_eq!(name, (version == Version::V1_3).then_some("Ally&Co"));
            let none = search(&mut bob, &pair("USER_ID", "nobody")).await;
            let response = none.expect("Search-Response");
            assert_eq!(response.text("SearchFindings"), Some("0"));
            assert_eq!(response.text("CompletionFlag"), Some("T"));
            assert_eq!(
                response.at("SearchIndex").is_some(),
                version != Version::V1_3
            );
            assert!(response.at("SearchResult").is_none());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_element_finds_by_its_own_rule() {
    // data-types 5.
    let server = village(&["search.country_code=34"]).await;
    let mut carol = server.client(Version::V1_3, Syntax::Xml, "carol").await;
    let alias = "<UpdatePresence-Request><PresenceSubList><Alias><Qualifier>T</Qualifier><PresenceValue>Kaarina</PresenceValue>\
         </Alias></PresenceSubList></UpdatePresence-Request>";
    carol.request(alias).await.expect_status(200);
    for (element, string, expected) in [
        ("USER_ID", "ALI", &["alice"][..]),
        ("USER_ID", "wv:alice@h", &["alice"]),
        ("USER_ID", "a", &[]),
        ("USER_FIRST_NAME", "bo", &["bob"]),
        ("USER_LAST_NAME", "MÄK", &["dan"]),
        ("USER_EMAIL_ADDRESS", "Alice@post.example", &["alice"]),
        ("USER_EMAIL_ADDRESS", "alice@post", &[]),
        ("USER_ALIAS", "aari", &["carol"]),
        ("USER_MOBILE_NUMBER", "600 000 001", &["bob"]),
        ("USER_MOBILE_NUMBER", "60000000", &[]),
        ("USER_MOBILE_NUMBER", "+34600000002", &[]),
        ("USER_FRIENDLY_NAME", "ally&c", &["alice"]),
        ("USER_COUNTRY", "fi", &["eve"]),
        ("USER_INTENTION", "friend", &["frank"]),
        ("USER_INTERESTS_HOBBIES", "hess", &["gina"]),
        ("USER_GENDER", "F", &["carol"]),
        ("USER_MARITAL_STATUS", "W", &["dan"]),
        ("USER_AGE_MIN", "31", &["alice", "carol"]),
        ("USER_AGE_MAX", "31", &["alice", "bob"]),
    ] {
        let answer = search(&mut carol, &pair(element, string)).await;
        if string == "a" {
            answer.expect_status(537);
            continue;
        }
        assert_eq!(found(&answer), expected, "{element} {string}");
    }
    // All must hold, also of one element.
    let both =
        pair("USER_AGE_MIN", "20") + &pair("USER_AGE_MAX", "40") + &pair("USER_CITY", "turku");
    assert_eq!(found(&search(&mut carol, &both).await), ["alice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_be_seen_is_found_online_or_offline() {
    // data-types 5 USER_ONLINE_STATUS; csp-presence 6.8.
    let server = village(&[CONTACTS]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    let _carol = server.xml("carol").await;
    befriend(&mut alice, "alice", &["bob", "dan"]).await;
    let online = |state: &str| pair("USER_CITY", "turku") + &pair("USER_ONLINE_STATUS", state);
    // Carol is online too, but a stranger.
    assert_eq!(
        found(&search(&mut alice, &online("T")).await),
        ["alice", "bob"]
    );
    assert_eq!(found(&search(&mut alice, &online("F")).await), ["dan"]);
    // Who is in somebody's list sees him.
    assert_eq!(
        found(&search(&mut bob, &online("T")).await),
        ["alice", "bob"]
    );
    search(&mut alice, &pair("USER_ONLINE_STATUS", "T"))
        .await
        .expect_status(402);
    search(&mut alice, &online("X")).await.expect_status(402);
    let example = pair("USER_FIRST_NAME", "bo") + &pair("USER_ONLINE_STATUS", "T");
    let answer = search(&mut alice, &(example + "<SearchLimit>5</SearchLimit>")).await;
    assert_eq!(found(&answer), ["bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_blocks_the_searcher_is_not_found_by_him() {
    // 9.2.
    let server = village(&[]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    let turku = pair("USER_CITY", "turku") + &pair("USER_FIRST_NAME", "bo");
    assert_eq!(found(&search(&mut alice, &turku).await), ["bob"]);
    let block = |in_use: char| {
        format!(
            "<BlockEntity-Request><BlockList><InUse>{in_use}</InUse><AddList><UserID>wv:alice@h</UserID></AddList>\
             </BlockList></BlockEntity-Request>"
        )
    };
    bob.request(&block('T')).await.expect_status(200);
    let nobody: [&str; 0] = [];
    assert_eq!(found(&search(&mut alice, &turku).await), nobody);
    let mut carol = server.xml("carol").await;
    assert_eq!(found(&search(&mut carol, &turku).await), ["bob"]);
    bob.request(&block('F')).await.expect_status(200);
    assert_eq!(found(&search(&mut alice, &turku).await), ["bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_that_make_no_sense_are_refused_by_their_codes() {
    // 9.2, in each version; 562 is 402 before 1.3 (data-types 10.1).
    let server = village(&[]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let invalid = if version == Version::V1_3 { 562 } else { 402 };
        let many = pair("USER_CITY", "turku").repeat(21);
        let mixed = pair("USER_CITY", "turku") + &pair("GROUP_NAME", "chess");
        for (content, code) in [
            ("", invalid),
            ("<SearchLimit>5</SearchLimit>", invalid),
            (&mixed, invalid),
            (&many, 402),
            (&pair("USER_CITY", ""), 537),
            (&pair("USER_CITY", " x "), 537),
            (&pair("USER_ID", "wv:"), 537),
            (&pair("USER_AGE_MIN", "old"), 402),
            (&pair("GROUP_USER_ID_OWNER", "a b"), 402),
        ] {
            search(&mut alice, content).await.expect_status(code);
        }
        let answer = search(&mut alice, &pair("USER_SHOE_SIZE", "42")).await;
        answer.expect_status(402);
        let detail = answer
            .primitive()
            .at("Result/DetailedResult")
            .expect("the reason");
        let named = match version {
            Version::V1_3 => detail.text("SearchElement"),
            _ => detail.text("Description"),
        };
        assert_eq!(named, Some("USER_SHOE_SIZE"));
        let missing = alice.request("<StopSearch-Request/>").await;
        missing.expect_status(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_searched_and_there_are_none() {
    // data-types 5; clients 4.9: S60 searches for the groups that it owns.
    let server = village(&[]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        for (element, string) in [
            ("GROUP_ID", "chess"),
            ("GROUP_NAME", "chess"),
            ("GROUP_TOPIC", "chess"),
            ("GROUP_USER_ID_JOINED", "wv:alice@h"),
            ("GROUP_USER_ID_OWNER", "wv:alice@h"),
        ] {
            let content = pair(element, string) + "<SearchLimit>50</SearchLimit>";
            let answer = search(&mut alice, &content).await;
            let response = answer.expect("Search-Response");
            assert_eq!(response.text("SearchFindings"), Some("0"), "{element}");
            assert_eq!(response.text("CompletionFlag"), Some("T"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn advanced_criteria_combine_pairs_in_all_forms() {
    // 9.3; csp-messages 7.3: pairs in one list, in several, and with the SearchPair tag.
    let server = village(&[]).await;
    let numbered = |element: &str, string: &str, id: u32| {
        format!(
            "<SearchElement>{element}</SearchElement><SearchString>{string}</SearchString><PairID>{id}</PairID>"
        )
    };
    let pairs = [
        numbered("USER_CITY", "Turku", 1),
        numbered("USER_AGE_MIN", "40", 2),
        numbered("USER_FRIENDLY_NAME", "all", 3),
        numbered("USER_GENDER", "F", 4),
    ];
    let one = format!("<SearchPairList>{}</SearchPairList>", pairs.concat());
    let several: String = pairs
        .iter()
        .map(|pair| format!("<SearchPairList>{pair}</SearchPairList>"))
        .collect();
    let tagged: String = pairs
        .iter()
        .map(|pair| format!("<SearchPair>{pair}</SearchPair>"))
        .collect();
    let tagged = format!("<SearchPairList>{tagged}</SearchPairList>");
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let mut alice = server.client(Version::V1_3, syntax, "alice").await;
        for form in [&one, &several, &tagged] {
            for (criteria, expected) in [
                ("1 AND (2 OR 3)", &["alice", "carol"][..]),
                ("1 AND (2 OR 3) AND NOT 4", &["alice"]),
                ("4 | 3 &amp; 1", &["alice", "carol"]),
                ("2", &["carol"]),
                (
                    "1 AND !2 AND !3 AND 1",
                    &["bob", "dan", "eve", "frank", "gina"],
                ),
            ] {
                let content = format!("{form}<AdvancedCriteria>{criteria}</AdvancedCriteria>");
                assert_eq!(
                    found(&search(&mut alice, &content).await),
                    expected,
                    "{criteria}"
                );
            }
        }
        for (criteria, code) in [
            ("1 AND", 402),
            ("1 AND 5", 402),
            ("(1", 402),
            ("NOT 1", 537),
            ("1 OR NOT 2", 537),
            (&"(".repeat(2000), 402),
        ] {
            let content = format!("{one}<AdvancedCriteria>{criteria}</AdvancedCriteria>");
            search(&mut alice, &content).await.expect_status(code);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_agreed_is_506() {
    // 1.5 item 8; csp-messages 5.1.
    let server = village(&[]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let service = |functions: &str| {
        format!(
            "<Service-Request><Functions><WVCSPFeat><FundamentalFeat>{functions}</FundamentalFeat></WVCSPFeat></Functions>\
             <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>"
        )
    };
    let answer = alice
        .request(&service("<SearchFunc><SRCH/></SearchFunc>"))
        .await;
    let response = answer.expect("Service-Response");
    assert!(response.at("Functions").is_none(), "nothing is denied");
    let city = pair("USER_CITY", "turku");
    assert_eq!(place(&search(&mut alice, &city).await).0, "7");
    let advanced = format!("{city}<AdvancedCriteria>1</AdvancedCriteria>");
    search(&mut alice, &advanced).await.expect_status(506);
    stop(&mut alice, "1").await.expect_status(506);
    alice
        .request(&service("<VerifyIDFunc/>"))
        .await
        .expect("Service-Response");
    search(&mut alice, &city).await.expect_status(506);
    alice
        .request(&service("<SearchFunc/>"))
        .await
        .expect("Service-Response");
    assert_eq!(place(&search(&mut alice, &advanced).await).0, "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_hits_are_refused_or_cut() {
    // 9.2: 536 or cut at the limit.
    let server = village(&["search.max_results=6"]).await;
    let mut alice = server.xml("alice").await;
    search(&mut alice, &pair("USER_CITY", "turku"))
        .await
        .expect_status(536);
    let server = village(&["search.max_results=6", "search.cut=true"]).await;
    let mut alice = server.xml("alice").await;
    assert_eq!(
        place(&search(&mut alice, &pair("USER_CITY", "turku")).await),
        ("6", "5", "F")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_keeps_three_searches_and_they_outlive_the_process() {
    // 9.2; csp-access 3.4.
    let mut server = village(&[]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    let turku = pair("USER_CITY", "turku");
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(id(&search(&mut alice, &turku).await));
    }
    // The one that was used longest ago made room.
    go_on(&mut alice, &ids[0], 6).await.expect_status(424);
    // Not another session's.
    go_on(&mut bob, &ids[3], 6).await.expect_status(424);
    stop(&mut bob, &ids[3]).await.expect_status(424);
    let session = alice.session.clone();
    server.restart().await;
    let mut alice = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    alice.session = session;
    let answer = go_on(&mut alice, &ids[3], 6).await;
    assert_eq!(found(&answer), ["frank", "gina"]);
    // Long unused it is forgotten.
    server.sweep_after(Duration::from_secs(299)).await;
    go_on(&mut alice, &ids[3], 6)
        .await
        .expect("Search-Response");
    server.sweep_after(Duration::from_secs(590)).await;
    go_on(&mut alice, &ids[3], 6)
        .await
        .expect("Search-Response");
    server.sweep_after(Duration::from_secs(610)).await;
    go_on(&mut alice, &ids[3], 6).await.expect_status(424);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_on_too_late_is_told_so() {
    // 9.2: result expired 535.
    let server = village(&["search.keep=0s"]).await;
    let mut alice = server.xml("alice").await;
    let answer = search(&mut alice, &pair("USER_CITY", "turku")).await;
    let search_id = id(&answer);
    go_on(&mut alice, &search_id, 6).await.expect_status(535);
    server.sweep_after(Duration::from_secs(10)).await;
    go_on(&mut alice, &search_id, 6).await.expect_status(424);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_continuation_is_answered_and_not_carried_out_again() {
    // 2.3: the phone did not get the first answer.
    let server = village(&[]).await;
    let mut alice = server.xml("alice").await;
    let first = pair("USER_CITY", "turku") + "<SearchLimit>2</SearchLimit>";
    let first = format!("<Search-Request>{first}</Search-Request>");
    let answer = alice.request_as("one", &first).await;
    let again = alice.request_as("one", &first).await;
    assert_eq!(id(&answer), id(&again));
    let next = format!(
        "<Search-Request><SearchID>{}</SearchID><SearchIndex>2</SearchIndex></Search-Request>",
        id(&answer)
    );
    for _ in 0..2 {
        let answer = alice.request_as("two", &next).await;
        assert_eq!(found(&answer), ["carol", "dan"]);
    }
    let stop = format!(
        "<StopSearch-Request><SearchID>{}</SearchID></StopSearch-Request>",
        id(&answer)
    );
    for _ in 0..2 {
        alice.request_as("three", &stop).await.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_fits_into_the_clients_parser() {
    // 9.2: reduce for ParserSize; S40-2.
    let server = village(&[]).await;
    for user in USERS {
        set_fields(
            &server,
            user,
            &[format!("friendly-name={}", "x".repeat(200))],
        )
        .await;
    }
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let capability = |size: u32| {
        format!(
            "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType><ParserSize>{size}</ParserSize>\
             <SupportedBearer>HTTP</SupportedBearer><MultiTrans>1</MultiTrans></CapabilityList></ClientCapability-Request>"
        )
    };
    for (size, expected) in [(1500, 1), (2000, 3), (8192, 7)] {
        alice
            .request(&capability(size))
            .await
            .expect("ClientCapability-Response");
        let content = pair("USER_CITY", "turku") + "<SearchLimit>50</SearchLimit>";
        let answer = search(&mut alice, &content).await;
        assert_eq!(found(&answer).len(), expected, "{size}");
        assert!(
            answer.http.body.len() <= size as usize,
            "{}",
            answer.http.body.len()
        );
        if expected == 7 {
            continue;
        }
        // What did not fit comes next.
        let next = go_on(&mut alice, &id(&answer), expected as u32).await;
        assert_eq!(found(&next)[0], USERS[expected]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_found_is_the_user_s_choice() {
    // 11.1 X_FINDABLE.
    let server = village(&[]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let mut bob = server.client(Version::V1_3, Syntax::Wbxml, "bob").await;
    let by_name = pair("USER_ID", "alice");
    for (findable, findings) in [("F", "0"), ("T", "1")] {
        let choice = format!(
            "<UpdatePublicProfile-Request><ClearPublicProfile>F</ClearPublicProfile><PublicProfile><Property>\
             <Name>x_findable</Name><Value>{findable}</Value></Property></PublicProfile></UpdatePublicProfile-Request>"
        );
        alice.request(&choice).await.expect_status(200);
        let clear = "<UpdatePublicProfile-Request><ClearPublicProfile>T</ClearPublicProfile></UpdatePublicProfile-Request>";
        alice.request(clear).await.expect_status(200);
        assert_eq!(place(&search(&mut bob, &by_name).await).0, findings);
        let look =
            "<GetPublicProfile-Request><UserID>wv:alice@h</UserID></GetPublicProfile-Request>";
        let shown = bob.request(look).await;
        assert!(shown.primitive().all("PublicProfile/Property").is_empty());
    }
}
