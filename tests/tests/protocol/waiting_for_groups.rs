//! Messages of groups, and copies, that wait for a client: fetched, acknowledged, rejected,
//! forwarded, and each of these once more when its answer was lost (csp-im 7, 10.3;
//! csp-access 2.3).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::element::Element;
use hamlet_tests::http::DEADLINE;
use hamlet_tests::server::{AT_ONCE, TestServer};
use tokio::time::Instant;

const GROUP: &str = "wv:anna/ski@h";
const QUIET: &str =
    "<SetDeliveryMethod-Request><DeliveryMethod>N</DeliveryMethod></SetDeliveryMethod-Request>";

fn get(id: &str) -> String {
    format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>")
}

fn delivered(id: &str) -> String {
    format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>")
}

fn reject(id: &str) -> String {
    format!("<RejectMessage-Request><MessageID>{id}</MessageID></RejectMessage-Request>")
}

fn forward(id: &str, recipients: &str) -> String {
    format!(
        "<ForwardMessage-Request><MessageID>{id}</MessageID><Recipient>{recipients}</Recipient></ForwardMessage-Request>"
    )
}

fn to_group() -> String {
    format!("<Group><GroupID>{GROUP}</GroupID></Group>")
}

fn to_name(name: &str) -> String {
    format!(
        "<Group><ScreenName><SName>{name}</SName><GroupID>{GROUP}</GroupID></ScreenName></Group>"
    )
}

async fn create(anna: &mut Client, history: bool) {
    let history = if history { "T" } else { "F" };
    let request = format!(
        "<CreateGroup-Request><GroupID>{GROUP}</GroupID><GroupProperties>\
         <Property><Name>PrivateMessaging</Name><Value>T</Value></Property>\
         <Property><Name>History</Name><Value>{history}</Value></Property></GroupProperties>\
         <JoinGroup>T</JoinGroup><ScreenName><SName>Ann</SName><GroupID>{GROUP}</GroupID></ScreenName>\
         <SubscribeNotification>F</SubscribeNotification></CreateGroup-Request>"
    );
    anna.request(&request).await.expect_code(200);
}

async fn join(client: &mut Client, name: &str) {
    let request = format!(
        "<JoinGroup-Request><GroupID>{GROUP}</GroupID><ScreenName><SName>{name}</SName>\
         <GroupID>{GROUP}</GroupID></ScreenName><JoinedRequest>F</JoinedRequest>\
         <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>"
    );
    client.request(&request).await.expect("JoinGroup-Response");
}

/// Sends a text with a wish for a report; the MessageID.
async fn sent(client: &mut Client, recipients: &str, text: &str) -> String {
    let answer = client.request(&send_message(recipients, text, true)).await;
    answer.expect_code(200);
    answer
        .primitive()
        .text("MessageID")
        .expect("an id")
        .to_owned()
}

async fn listed(client: &mut Client) -> Vec<String> {
    let answer = client.request("<GetMessageList-Request/>").await;
    let list = answer.expect("GetMessageList-Response");
    let path = match client.version {
        Version::V1_3 => "MessageInfoList/MessageInfo/MessageID",
        _ => "MessageInfo/MessageID",
    };
    list.texts(path).into_iter().map(str::to_owned).collect()
}

/// Success of ForwardMessage, in the form of the version.
#[track_caller]
fn forwarded(answer: &Answer, version: Version) {
    match version {
        Version::V1_3 => drop(answer.expect("ForwardMessage-Response")),
        _ => answer.expect_status(200),
    }
}

/// The code of the next delivery report, whatever comes before it.
async fn reported(client: &mut Client) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(came) = client.take().await
            && came.name == "DeliveryReport-Request"
        {
            return came.text("Result/Code").expect("a code").to_owned();
        }
        assert!(Instant::now() < deadline, "no report");
    }
}

fn text(message: &Element) -> &str {
    message.text("ContentData").unwrap_or_default()
}

/// The same client after the server was restarted.
async fn restarted(server: &mut TestServer, clients: &mut [&mut Client]) {
    server.restart().await;
    for client in clients {
        client.reconnect(server.address()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_through_a_group_can_be_forwarded() {
    // csp-im 7.6: notified, fetched, or pushed and not acknowledged.
    let mut server = TestServer::with_users(&[], &["anna", "bob", "carol", "dora"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    create(&mut anna, false).await;
    let mut dora = server.xml("dora").await;
    join(&mut dora, "Do").await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let mut carol = server.client(version, Syntax::Wbxml, "carol").await;
        join(&mut bob, "Bob").await;
        for way in ["notified", "fetched", "pushed"] {
            let words = format!("{way} in {version}");
            if way != "pushed" {
                bob.request(QUIET).await.expect_status(200);
            }
            let id = sent(&mut anna, &to_group(), &words).await;
            let came = bob.poll().await;
            match way {
                "pushed" => drop(came.expect("NewMessage")),
                _ => {
                    came.expect("MessageNotification");
                    bob.acknowledge(&came).await;
                }
            }
            if way == "fetched" {
                bob.request(&get(&id)).await.expect("GetMessage-Response");
            }
            let nobody = bob.request(&forward(&id, &user("wv:nobody@h"))).await;
            nobody.expect_status(531);
            assert_eq!(listed(&mut bob).await, [id.as_str()], "it waits on");
            // csp-access 2.3: the answer was lost; it is forwarded once.
            let request = forward(&id, &user("wv:carol@h"));
            for _ in 0..2 {
                let answer = bob.request_as(&words, &request).await;
                forwarded(&answer, version);
            }
            let messages = carol.messages().await;
            assert_eq!(messages.len(), 1);
            assert_eq!(text(&messages[0]), words);
            let info = |path: &str| messages[0].text(&format!("MessageInfo/{path}"));
            assert_eq!(info("Sender/User/UserID"), Some("wv:bob@h"));
            assert_eq!(info("Recipient/User/UserID"), Some("wv:carol@h"));
            assert_ne!(info("MessageID"), Some(id.as_str()));
            // It waits for bob no more, also after a restart, and for the others as before.
            bob.request(&request).await.expect_status(426);
            bob.request(&get(&id)).await.expect_status(426);
            bob.request(QUIET.replace(">N<", ">P<").as_str())
                .await
                .expect_status(200);
            let all = &mut [&mut bob, &mut anna, &mut carol, &mut dora];
            restarted(&mut server, all).await;
            assert!(bob.poll().await.is_empty());
            assert_eq!(listed(&mut bob).await, Vec::<String>::new());
            let others = dora.messages().await;
            assert_eq!(text(&others[0]), words);
            assert_eq!(reported(&mut anna).await, "200", "it had reached the group");
            assert_eq!(anna.drain().await, []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whisper_that_is_forwarded_or_rejected_is_reported_once() {
    // csp-im 7.5, 7.6, 8.
    let server = TestServer::with_users(&[], &["anna", "bob", "carol"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    create(&mut anna, false).await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let mut carol = server.client(version, Syntax::Wbxml, "carol").await;
        join(&mut bob, "Bob").await;
        bob.request(QUIET).await.expect_status(200);
        let first = sent(&mut anna, &to_name("Bob"), "psst").await;
        let second = sent(&mut anna, &to_name("Bob"), "no!").await;
        for _ in 0..2 {
            let answer = bob
                .request_as("forward", &forward(&first, &user("wv:carol@h")))
                .await;
            forwarded(&answer, version);
            let answer = bob.request_as("reject", &reject(&second)).await;
            answer.expect_status(200);
        }
        assert_eq!(reported(&mut anna).await, "541");
        assert_eq!(reported(&mut anna).await, "538");
        assert_eq!(anna.drain().await, []);
        assert_eq!(text(&carol.messages().await[0]), "psst");
        bob.request(&reject(&second)).await.expect_status(426);
        assert_eq!(bob.drain().await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_group_remembers_can_be_forwarded_and_stays() {
    let server = TestServer::with_users(&[], &["anna", "bob", "carol", "stranger"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    create(&mut anna, true).await;
    let id = sent(&mut anna, &to_group(), "long ago").await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let mut carol = server.client(version, Syntax::Xml, "carol").await;
        let mut stranger = server.client(version, Syntax::Xml, "stranger").await;
        let request = forward(&id, &user("wv:carol@h"));
        stranger.request(&request).await.expect_status(808);
        join(&mut bob, "Bob").await;
        for _ in 0..2 {
            forwarded(&bob.request(&request).await, version);
        }
        let messages = carol.messages().await;
        assert_eq!(
            messages.iter().map(text).collect::<Vec<_>>(),
            ["long ago"; 2]
        );
        // Only what waits for him is his to reject.
        bob.request(&reject(&id)).await.expect_status(426);
        bob.request(&get(&id)).await.expect("GetMessage-Response");
    }
}

/// A client of bob's, who wants a copy for each.
async fn forking(server: &TestServer, name: &str) -> Client {
    let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    client.client_id = name.into();
    let login = client.login_with_password("wv:bob@h", "secret").await;
    login.expect_code(200);
    let request = "<ClientCapability-Request><CapabilityList><ClientType>COMPUTER</ClientType>\
        <OnlineETEMHandling>FORKALL</OnlineETEMHandling></CapabilityList></ClientCapability-Request>";
    let answer = client.request(request).await;
    answer.expect("ClientCapability-Response");
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_can_be_forwarded_and_rejected_after_another_client_has_it() {
    // csp-im 10.3 item 5: it waits for its client until that is done with it.
    let mut server = TestServer::with_users(&[], &["anna", "bob", "carol"]).await;
    let mut anna = server.xml("anna").await;
    let mut carol = server.xml("carol").await;
    let mut one = forking(&server, "WV:one").await;
    let mut two = forking(&server, "WV:two").await;
    let first = sent(&mut anna, &user("wv:bob@h"), "to hand on").await;
    let second = sent(&mut anna, &user("wv:bob@h"), "unwanted").await;
    assert_eq!(one.messages().await.len(), 2);
    for code in ["200", "200"] {
        assert_eq!(reported(&mut anna).await, code);
    }
    let request = forward(&first, &user("wv:carol@h"));
    one.request(&request).await.expect_status(426);
    for _ in 0..2 {
        forwarded(&two.request_as("forward", &request).await, Version::V1_3);
        let rejected = two.request_as("reject", &reject(&second)).await;
        rejected.expect_status(200);
    }
    assert_eq!(text(&carol.messages().await[0]), "to hand on");
    assert_eq!(listed(&mut two).await, Vec::<String>::new());
    restarted(
        &mut server,
        &mut [&mut anna, &mut carol, &mut one, &mut two],
    )
    .await;
    for client in [&mut one, &mut two, &mut carol] {
        assert_eq!(client.drain().await, []);
    }
    // Its sender knew before that somebody has it.
    assert_eq!(anna.drain().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_whose_answer_was_lost_is_answered_again() {
    // csp-im 7.2; csp-access 2.3: Nokia repeats under the same TransactionID, Android under
    // another one.
    let mut server = TestServer::with_users(&[], &["anna", "bob"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    create(&mut anna, false).await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        join(&mut bob, "Bob").await;
        bob.request(QUIET).await.expect_status(200);
        for recipients in [user("wv:bob@h"), to_group(), to_name("Bob")] {
            let id = sent(&mut anna, &recipients, "hello").await;
            bob.request(&get(&id)).await.expect("GetMessage-Response");
            for name in ["same", "same", "other"] {
                let answer = bob
                    .request_as(&format!("{name} {id}"), &delivered(&id))
                    .await;
                answer.expect_status(200);
            }
            restarted(&mut server, &mut [&mut anna, &mut bob]).await;
            for name in ["same", "another"] {
                let answer = bob
                    .request_as(&format!("{name} {id}"), &delivered(&id))
                    .await;
                answer.expect_status(200);
            }
            bob.request(&get(&id)).await.expect_status(426);
            assert_eq!(reported(&mut anna).await, "200");
            assert_eq!(anna.drain().await, [], "once");
        }
        // In mode Response (csp-im 7.2), too.
        let id = sent(&mut anna, &to_group(), "hello").await;
        bob.request(&get(&id)).await.expect("GetMessage-Response");
        for name in ["mine", "mine", "mine as well"] {
            let answer = bob.respond(name, &delivered(&id)).await;
            answer.expect_status(200);
        }
        anna.drain().await;
        // What nobody has acknowledged is unknown, as it was.
        bob.request(&delivered("nonsense")).await.expect_status(426);
        let id = sent(&mut anna, &user("wv:bob@h"), "hello").await;
        bob.request(&reject(&id)).await.expect_status(200);
        bob.request(&delivered(&id)).await.expect_status(426);
        assert_eq!(reported(&mut anna).await, "538");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_client_has_acknowledged_is_no_error() {
    // csp-im 7.2: two clients have fetched it. What is addressed to the other one is unknown.
    let server = TestServer::with_users(&[], &["anna", "bob"]).await;
    let mut anna = server.xml("anna").await;
    let mut clients = Vec::new();
    for name in ["WV:one", "WV:two"] {
        let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
        client.client_id = name.into();
        client
            .login_with_password("wv:bob@h", "secret")
            .await
            .expect_code(200);
        client.request(QUIET).await.expect_status(200);
        clients.push(client);
    }
    let id = sent(&mut anna, &user("wv:bob@h"), "hello").await;
    for client in &mut clients {
        client
            .request(&get(&id))
            .await
            .expect("GetMessage-Response");
    }
    for client in &mut clients {
        client.request(&delivered(&id)).await.expect_status(200);
    }
    let to_one = "<User><UserID>wv:bob@h</UserID><ClientID><URL>WV:one</URL></ClientID></User>";
    let id = sent(&mut anna, to_one, "for one").await;
    clients[1].request(&delivered(&id)).await.expect_status(426);
    assert_eq!(listed(&mut clients[0]).await, [id.as_str()]);
    clients[0].request(&delivered(&id)).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_waits_in_a_group_is_told_listed_and_fetched_after_a_restart() {
    // csp-im 7: more than are in memory then.
    let mut server = TestServer::with_users(&[], &["anna", "bob"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    create(&mut anna, false).await;
    let mut bob = server.client(Version::V1_2, Syntax::Xml, "bob").await;
    join(&mut bob, "Bob").await;
    bob.request(QUIET).await.expect_status(200);
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(sent(&mut anna, &to_group(), &format!("no. {number}")).await);
    }
    assert_eq!(listed(&mut bob).await, ids);
    for _ in &ids {
        let told = bob.poll().await;
        told.expect("MessageNotification");
        bob.acknowledge(&told).await;
    }
    restarted(&mut server, &mut [&mut anna, &mut bob]).await;
    // He is told of all of them again, though he fetches none.
    for id in &ids {
        let told = bob.poll().await;
        let told_id = told.expect("MessageNotification");
        assert_eq!(told_id.text("MessageInfo/MessageID"), Some(id.as_str()));
        bob.acknowledge(&told).await;
    }
    assert_eq!(listed(&mut bob).await, ids);
    restarted(&mut server, &mut [&mut anna, &mut bob]).await;
    assert_eq!(listed(&mut bob).await, ids);
    for (number, id) in ids.iter().enumerate().rev() {
        let answer = bob.request(&get(id)).await;
        let message = answer.expect("GetMessage-Response");
        assert_eq!(text(message), format!("no. {number}"));
        bob.request(&delivered(id)).await.expect_status(200);
    }
    assert_eq!(listed(&mut bob).await, Vec::<String>::new());
    assert_eq!(bob.drain().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_notifications_of_a_group_unanswered_is_pushed_to_from_then_on() {
    // csp-im 3.2 item 6: silence says that it does not know them.
    let server = TestServer::with_users(&[AT_ONCE], &["anna", "bob"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    create(&mut anna, false).await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        join(&mut bob, "Bob").await;
        bob.request(QUIET).await.expect_status(200);
        sent(&mut anna, &to_group(), "first").await;
        for _ in 0..2 {
            bob.poll().await.expect("MessageNotification");
        }
        let messages = bob.messages().await;
        assert_eq!(messages.iter().map(text).collect::<Vec<_>>(), ["first"]);
        // What must not be pushed waits, and is listed.
        bob.request(&short(version)).await.expect_status(200);
        let long = sent(&mut anna, &to_group(), "longer than it wants").await;
        sent(&mut anna, &to_group(), "second").await;
        let messages = bob.messages().await;
        assert_eq!(messages.iter().map(text).collect::<Vec<_>>(), ["second"]);
        assert_eq!(listed(&mut bob).await, [long.as_str()]);
        let answer = bob.request(&get(&long)).await;
        assert_eq!(
            text(answer.expect("GetMessage-Response")),
            "longer than it wants"
        );
        bob.request(&delivered(&long)).await.expect_status(200);
        assert_eq!(listed(&mut bob).await, Vec::<String>::new());
        anna.drain().await;
    }
}

/// SetDeliveryMethod: of the group ten octets at most.
fn short(version: Version) -> String {
    let limit = match version {
        Version::V1_3 => {
            format!("<GroupID>{GROUP}</GroupID><GroupContentLimit>10</GroupContentLimit>")
        }
        _ => format!("<AcceptedContentLength>10</AcceptedContentLength><GroupID>{GROUP}</GroupID>"),
    };
    format!(
        "<SetDeliveryMethod-Request><DeliveryMethod>P</DeliveryMethod>{limit}</SetDeliveryMethod-Request>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_has_a_method_and_a_limit_of_its_own() {
    // csp-im 3.2 item 1, 3.3.
    let mut server = TestServer::with_users(&[], &["anna", "bob"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    create(&mut anna, false).await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        bob.request(&short(version)).await.expect_status(808);
        join(&mut bob, "Bob").await;
        bob.request(&short(version)).await.expect_status(200);
        restarted(&mut server, &mut [&mut anna, &mut bob]).await;
        for (recipients, words, comes) in [
            (to_group(), "ten octets", "NewMessage"),
            (to_group(), "eleven them", "MessageNotification"),
            (to_name("Bob"), "eleven them", "MessageNotification"),
            (user("wv:bob@h"), "eleven them", "NewMessage"),
        ] {
            let id = sent(&mut anna, &recipients, words).await;
            let came = bob.poll().await;
            came.expect(comes);
            bob.acknowledge(&came).await;
            if comes == "MessageNotification" {
                let answer = bob.request(&get(&id)).await;
                assert_eq!(text(answer.expect("GetMessage-Response")), words);
                bob.request(&delivered(&id)).await.expect_status(200);
            }
        }
        // The session's method is another matter.
        bob.request(QUIET).await.expect_status(200);
        sent(&mut anna, &to_group(), "pushed").await;
        assert_eq!(text(&bob.messages().await[0]), "pushed");
        // With the group it is left.
        let leave = format!("<LeaveGroup-Request><GroupID>{GROUP}</GroupID></LeaveGroup-Request>");
        bob.request(&leave).await.expect_code(200);
        restarted(&mut server, &mut [&mut anna, &mut bob]).await;
        join(&mut bob, "Bob").await;
        restarted(&mut server, &mut [&mut anna, &mut bob]).await;
        sent(&mut anna, &to_group(), "told").await;
        bob.poll().await.expect("MessageNotification");
        anna.drain().await;
    }
}
