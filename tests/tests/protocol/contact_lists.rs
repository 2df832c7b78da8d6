//! Contact lists (csp-presence 2, 18 items 1 to 3).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, escape};
use hamlet_tests::server::TestServer;
use hamletd::control::Request;

async fn village() -> TestServer {
    let settings = ["presence.max_lists=4", "presence.max_members=3"];
    TestServer::with_users(&settings, &["alice", "bob", "carol", "dan", "eve"]).await
}

async fn create(client: &mut Client, list: &str, rest: &str) -> Answer {
    client
        .request(&format!(
            "<CreateList-Request><ContactList>{list}</ContactList>{rest}</CreateList-Request>"
        ))
        .await
}

async fn manage(client: &mut Client, list: &str, rest: &str) -> Answer {
    client
        .request(&format!(
            "<ListManage-Request><ContactList>{list}</ContactList>{rest}</ListManage-Request>"
        ))
        .await
}

fn nick(name: &str, user: &str) -> String {
    format!(
        "<NickName><Name>{}</Name><UserID>{user}</UserID></NickName>",
        escape(name)
    )
}

fn property(name: &str, value: &str) -> String {
    format!(
        "<ContactListProperties><Property><Name>{name}</Name><Value>{value}</Value></Property></ContactListProperties>"
    )
}

/// 1.3 has a response of its own for full success (2.5); before, it is a Status.
#[track_caller]
fn expect_made(answer: &Answer) {
    if answer.primitive().name != "CreateList-Response" {
        answer.expect_status(200);
    }
}

/// All lists, and which is the default.
async fn lists(client: &mut Client) -> (Vec<String>, Option<String>) {
    let answer = client.request("<GetList-Request/>").await;
    let response = answer.expect("GetList-Response");
    let path = match client.version {
        Version::V1_3 => "ContactListIDList/ContactList",
        _ => "ContactList",
    };
    let mut names: Vec<String> = response
        .texts(path)
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    names.sort_unstable();
    (
        names,
        response.text("DefaultContactList").map(str::to_owned),
    )
}

fn members(answer: &Answer) -> Vec<(String, String)> {
    answer
        .primitive()
        .all("NickList/NickName")
        .iter()
        .map(|nick| {
            (
                nick.text("Name").unwrap_or("?").to_owned(),
                nick.text("UserID").unwrap().to_owned(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_always_one_default_list() {
    // 2.3, 2.4, 2.6; 18 item 1.
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        assert_eq!(
            lists(&mut alice).await,
            (vec![], Some("wv:alice/friends@h".into()))
        );
        expect_made(&create(&mut alice, "wv:alice/work@h", "").await);
        assert_eq!(
            lists(&mut alice).await,
            (
                vec!["wv:alice/work@h".into()],
                Some("wv:alice/friends@h".into())
            )
        );
        manage(&mut alice, "wv:alice/work@h", &property("Default", "T"))
            .await
            .expect_code(200);
        assert_eq!(
            lists(&mut alice).await,
            (
                vec!["wv:alice/friends@h".into()],
                Some("wv:alice/work@h".into())
            )
        );
        // F on the default is ignored, and the answer shows what holds.
        let answer = manage(&mut alice, "wv:alice/work@h", &property("Default", "F")).await;
        let shown = answer.primitive().all("ContactListProperties/Property");
        assert!(
            shown
                .iter()
                .any(|property| property.text("Name") == Some("Default")
                    && property.text("Value") == Some("T"))
        );
        let delete =
            "<DeleteList-Request><ContactList>wv:alice/work@h</ContactList></DeleteList-Request>";
        alice.request(delete).await.expect_status(200);
        assert_eq!(
            lists(&mut alice).await,
            (vec![], Some("wv:alice/friends@h".into()))
        );
        alice.request(delete).await.expect_status(700);
        let last = "<DeleteList-Request><ContactList>wv:alice/friends@h</ContactList></DeleteList-Request>";
        alice.request(last).await.expect_status(200);
        assert_eq!(lists(&mut alice).await, (vec![], None));
        expect_made(&create(&mut alice, "wv:alice/first@h", "").await);
        assert_eq!(
            lists(&mut alice).await,
            (vec![], Some("wv:alice/first@h".into()))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn list_names_are_compared_without_case() {
    // 2.2; 18 item 2; GEN-15.
    let server = village().await;
    let mut alice = server.xml("alice").await;
    expect_made(&create(&mut alice, "wv:alice/~PEP1.0_friendlist@h", "").await);
    assert_eq!(lists(&mut alice).await.0, ["wv:alice/~pep1.0_friendlist@h"]);
    manage(
        &mut alice,
        "WV:Alice/~Pep1.0_FriendList@H",
        "<ReceiveList>T</ReceiveList>",
    )
    .await
    .expect_code(200);
    // Prefix and domain may be left out.
    manage(
        &mut alice,
        "alice/~pep1.0_friendlist",
        "<ReceiveList>T</ReceiveList>",
    )
    .await
    .expect_code(200);
    create(&mut alice, "wv:alice/Friends@h", "")
        .await
        .expect_code(701);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_others_and_bad_names_are_refused() {
    // 2.5, 2.7, 2.6.
    let server = village().await;
    let mut alice = server.xml("alice").await;
    create(&mut alice, "wv:bob/mine@h", "")
        .await
        .expect_code(403);
    for bad in ["", "wv:alice/@h", "wv:alice/a b@h", "nonsense@@"] {
        let answer = create(&mut alice, bad, "").await;
        assert!(
            answer.code().is_some_and(|code| [400, 402].contains(&code)),
            "{bad:?}: {answer:?}"
        );
    }
    for list in ["wv:bob/friends@h", "wv:alice/none@h"] {
        manage(&mut alice, list, "<ReceiveList>T</ReceiveList>")
            .await
            .expect_code(700);
        let delete =
            format!("<DeleteList-Request><ContactList>{list}</ContactList></DeleteList-Request>");
        alice.request(&delete).await.expect_status(700);
    }
    let mut bob = server.xml("bob").await;
    assert_eq!(lists(&mut bob).await.1.as_deref(), Some("wv:bob/friends@h"));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_limits() {
    // 2.9: 753 lists, 754 members.
    let server = village().await;
    let mut alice = server.xml("alice").await;
    for name in ["a", "b", "c"] {
        expect_made(&create(&mut alice, &format!("wv:alice/{name}@h"), "").await);
    }
    create(&mut alice, "wv:alice/d@h", "")
        .await
        .expect_code(753);
    let four = ["bob", "carol", "dan", "eve"]
        .map(|name| nick(name, &format!("wv:{name}@h")))
        .concat();
    let answer = manage(
        &mut alice,
        "wv:alice/a@h",
        &format!("<AddNickList>{four}</AddNickList>"),
    )
    .await;
    answer.expect_code(201);
    assert_eq!(
        answer.primitive().text("Result/DetailedResult/Code"),
        Some("754")
    );
    assert_eq!(
        answer.primitive().texts("Result/DetailedResult/UserID"),
        ["wv:eve@h"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_depends_on_the_version() {
    // The table of 2.7; 18 item 3.
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let list = "wv:alice/friends@h";
        let is_1_1 = version == Version::V1_1;
        // Read.
        let answer = manage(&mut alice, list, "").await;
        let response = answer.expect("ListManage-Response");
        answer.expect_code(200);
        assert!(
            response.at("NickList").is_some() && response.at("ContactListProperties").is_some()
        );
        // Add: the list only in 1.1 or on request.
        let add = format!(
            "<AddNickList>{}</AddNickList>",
            nick("Bob & co", "wv:bob@h")
        );
        let answer = manage(&mut alice, list, &add).await;
        answer.expect_code(200);
        assert_eq!(
            answer.primitive().at("NickList").is_some(),
            is_1_1,
            "{version:?}"
        );
        if !is_1_1 {
            let answer = manage(
                &mut alice,
                list,
                &format!("{add}<ReceiveList>T</ReceiveList>"),
            )
            .await;
            assert_eq!(members(&answer), [("Bob & co".into(), "wv:bob@h".into())]);
        }
        // A member that is there gets the new name; one without gets an empty one.
        let add = format!(
            "<AddNickList>{}<UserID>wv:carol@h</UserID></AddNickList>",
            nick("Robert", "wv:BOB@h")
        );
        manage(&mut alice, list, &add).await.expect_code(200);
        let mut now = members(&manage(&mut alice, list, "").await);
        now.sort_unstable();
        assert_eq!(
            now,
            [
                (String::new(), "wv:carol@h".into()),
                ("Robert".into(), "wv:bob@h".into())
            ]
        );
        // Unknown users: 201 with details; all unknown: the code itself.
        let add = format!(
            "<AddNickList>{}{}</AddNickList>",
            nick("d", "wv:dan@h"),
            nick("n", "wv:nobody@h")
        );
        let answer = manage(&mut alice, list, &add).await;
        answer.expect_code(201);
        assert_eq!(
            answer.primitive().texts("Result/DetailedResult/UserID"),
            ["wv:nobody@h"]
        );
        let add = format!("<AddNickList>{}</AddNickList>", nick("n", "wv:nobody@h"));
        manage(&mut alice, list, &add).await.expect_code(531);
        // Removing is idempotent; empty is shown as empty.
        let remove = "<RemoveNickList><UserID>wv:bob@h</UserID><UserID>wv:carol@h</UserID><UserID>wv:dan@h</UserID></RemoveNickList>";
        for _ in 0..2 {
            manage(&mut alice, list, remove).await.expect_code(200);
        }
        let answer = manage(&mut alice, list, "").await;
        assert_eq!(members(&answer), []);
        assert!(answer.primitive().at("NickList").is_some());
        // Properties: effective values; an unknown one alone is 752.
        let answer = manage(&mut alice, list, &property("displayname", "Ystävät")).await;
        answer.expect_code(200);
        let shown = answer.primitive().all("ContactListProperties/Property");
        assert!(
            shown
                .iter()
                .any(|property| property.text("Value") == Some("Ystävät"))
        );
        manage(&mut alice, list, &property("Colour", "red"))
            .await
            .expect_code(752);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_made_with_members_and_properties() {
    // 2.5.
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let rest = format!(
            "<NickList>{}</NickList>{}",
            nick("Bob", "wv:bob@h"),
            property("DisplayName", "Chess club")
        );
        let answer = create(&mut alice, "wv:alice/chess@h", &rest).await;
        expect_made(&answer);
        if version == Version::V1_3 {
            assert_eq!(
                answer.primitive().text("ContactList"),
                Some("wv:alice/chess@h")
            );
        }
        let read = manage(&mut alice, "wv:alice/chess@h", "").await;
        assert_eq!(members(&read), [("Bob".into(), "wv:bob@h".into())]);
        // All contacts bad: the list is made all the same (2.5, S60-25).
        let rest = format!("<NickList>{}</NickList>", nick("n", "wv:nobody@h"));
        create(&mut alice, "wv:alice/empty@h", &rest)
            .await
            .expect_status(201);
        manage(&mut alice, "wv:alice/empty@h", "")
            .await
            .expect_code(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_seen_by_all_clients_of_their_owner_and_by_nobody_else() {
    let server = village().await;
    let mut phone = server.client(Version::V1_1, Syntax::Wbxml, "alice").await;
    let mut desk = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    desk.client_id = "WV:desk".into();
    desk.login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
    create(&mut phone, "wv:alice/work@h", "")
        .await
        .expect_code(200);
    assert_eq!(lists(&mut desk).await.0, ["wv:alice/work@h"]);
    let mut bob = server.xml("bob").await;
    assert_eq!(
        lists(&mut bob).await,
        (vec![], Some("wv:bob/friends@h".into()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_the_user_whose_it_is() {
    // csp-access 11.4.
    let server = village().await;
    for (user, number) in [("wv:bob@h", "+358 50 1234567"), ("wv:carol@h", "+35840999")] {
        let request = Request::UserMsisdn {
            user: user.into(),
            add: vec![number.into()],
            remove: Vec::new(),
        };
        server.operate(request).await;
    }
    let hide = Request::UserSet {
        user: "wv:carol@h".into(),
        fields: vec!["findable=no".into()],
    };
    server.operate(hide).await;
    for version in Version::ALL {
        let mut client = server.client(version, Syntax::Wbxml, "alice").await;
        create(&mut client, "wv:alice/n@h", "").await;
        if version == Version::V1_3 {
            let wanted = "<SubscribeNotification-Request><NotificationTypeList><NotificationType>CLC</NotificationType>\
                          </NotificationTypeList></SubscribeNotification-Request>";
            client.request(wanted).await.expect_status(200);
        }
        let add = "<AddNickList><NickName><Name>B</Name><UserID>wv:+358501234567</UserID></NickName>\
                   <UserID>wv:+35840999</UserID><UserID>wv:+4912345</UserID></AddNickList>";
        let answer = manage(&mut client, "wv:alice/n@h", add).await;
        answer.expect_code(201);
        let result = answer.primitive().at("Result").unwrap();
        let failed: Vec<_> = result
            .all("DetailedResult")
            .into_iter()
            .map(|detail| (detail.text("Code").unwrap(), detail.texts("UserID")))
            .collect();
        let code = if version == Version::V1_3 {
            "920"
        } else {
            "531"
        };
        let numbers = vec!["wv:+35840999@h", "wv:+4912345@h"];
        assert_eq!(failed, [(code, numbers)], "{version:?}");
        // It is the one that asked, but did not know.
        let told = client.drain().await;
        let pairs: Vec<_> = told
            .iter()
            .filter_map(|push| push.at("UserIDPair"))
            .collect();
        assert_eq!(pairs.len(), usize::from(version == Version::V1_3));
        for pair in pairs {
            assert_eq!(pair.text("UnrecognizedUserID"), Some("wv:+358501234567@h"));
            assert_eq!(pair.text("ValidUserID"), Some("wv:bob@h"));
        }
        let read = manage(&mut client, "wv:alice/n@h", "<ReceiveList>T</ReceiveList>").await;
        assert_eq!(members(&read), [("B".into(), "wv:bob@h".into())]);
        client
            .request(
                "<DeleteList-Request><ContactList>wv:alice/n@h</ContactList></DeleteList-Request>",
            )
            .await
            .expect_status(200);
    }
}
