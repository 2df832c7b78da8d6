//! Two Android phones and a Nokia of one user at once (csp-access 3.5, csp-im 10.3).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;

/// An Android phone: it is known by its User-Agent.
async fn android(server: &TestServer, version: Version, id: &str) -> Client {
    let mut phone = Client::connect(server.address(), version, Syntax::Wbxml).await;
    phone.client_id = id.into();
    let agent = ("User-Agent".to_owned(), "Android-Imps/0.1".to_owned());
    phone.headers.push(agent);
    let (challenge, done) = phone
        .login_with_digest("wv:alice@h", "secret", &["PWD", "MD5", "SHA"])
        .await;
    challenge.expect_code(401);
    done.expect_code(200);
    negotiate(&mut phone, "").await;
    phone
}

/// A Nokia: it is known by its cookie.
async fn nokia(server: &TestServer, id: &str) -> Client {
    let mut phone = Client::connect(server.address(), Version::V1_2, Syntax::Wbxml).await;
    phone.client_id = id.into();
    let login = phone.login_step("wv:alice@h", "<Password>secret</Password>", "");
    let cookie = login.replace("cookie-", "wv:nokia.");
    let answer = phone.outband(&cookie).await;
    answer.expect_code(200);
    phone.keep_session(&answer);
    negotiate(&mut phone, "").await;
    phone
}

async fn negotiate(phone: &mut Client, more: &str) {
    let capabilities = format!(
        "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
         <InitialDeliveryMethod>P</InitialDeliveryMethod>{more}<SupportedBearer>HTTP</SupportedBearer>\
         <MultiTrans>1</MultiTrans><ParserSize>32768</ParserSize></CapabilityList></ClientCapability-Request>"
    );
    phone
        .request(&capabilities)
        .await
        .expect("ClientCapability-Response");
    let service = "<Service-Request><Functions><WVCSPFeat/></Functions><AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";
    phone.request(service).await.expect("Service-Response");
}

async fn texts(phone: &mut Client) -> Vec<String> {
    let messages = phone.messages().await;
    let text = |message: &Element| message.text("ContentData").unwrap().to_owned();
    messages.iter().map(text).collect()
}

/// Which clients of alice are online, as a session of hers sees it.
async fn online(phone: &mut Client) -> Vec<String> {
    let whom = match phone.version {
        Version::V1_3 => "<UserIDList><UserID>wv:alice@h</UserID></UserIDList>",
        _ => "<User><UserID>wv:alice@h</UserID></User>",
    };
    let content = format!(
        "<GetPresence-Request>{whom}<PresenceSubList><OnlineStatus/></PresenceSubList></GetPresence-Request>"
    );
    let answer = phone.request(&content).await;
    let mut clients: Vec<String> = answer
        .expect("GetPresence-Response")
        .all("Presence/PresenceSubList/OnlineStatus")
        .into_iter()
        .filter(|status| status.text("PresenceValue") == Some("T"))
        .map(|status| status.text("ClientID/URL").unwrap().to_owned())
        .collect();
    clients.sort();
    clients
}

/// Publishes that a client is offline.
async fn end(phone: &mut Client, client: &str) {
    let content = format!(
        "<UpdatePresence-Request><PresenceSubList><OnlineStatus><Qualifier>T</Qualifier>\
         <ClientID><URL>{client}</URL></ClientID><PresenceValue>F</PresenceValue></OnlineStatus>\
         </PresenceSubList></UpdatePresence-Request>"
    );
    phone.request(&content).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_androids_and_a_nokia_share_what_comes() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut old = android(&server, Version::V1_2, "WV:ImpsClient-1").await;
    let mut new = android(&server, Version::V1_3, "WV:ImpsClient-2").await;
    let mut nokia = nokia(&server, "WV:Nokia-6630").await;
    assert!(old.session != new.session && new.session != nokia.session);
    let mut bob = server.xml("bob").await;
    bob.accept("wv:alice@h").await;

    // SERVERLOGIC: 1.3 begins with priority 10, before with 0 (csp-im 10.2).
    bob.send_text("wv:alice@h", "to whom?")
        .await
        .expect_code(200);
    assert_eq!(texts(&mut old).await, [""; 0]);
    assert_eq!(texts(&mut nokia).await, [""; 0]);
    assert_eq!(texts(&mut new).await, ["to whom?"]);

    // Rule 1: one client is meant.
    let to_nokia =
        "<User><UserID>wv:alice@h</UserID><ClientID><URL>WV:Nokia-6630</URL></ClientID></User>";
    bob.request(&send_message(to_nokia, "in the car", false))
        .await
        .expect_code(200);
    assert_eq!(texts(&mut new).await, [""; 0]);
    assert_eq!(texts(&mut old).await, [""; 0]);
    assert_eq!(texts(&mut nokia).await, ["in the car"]);

    // FORKALL, which the newest negotiation asks for, holds for all of the user's sessions;
    // the sender hears once that it arrived.
    negotiate(&mut new, "<OnlineETEMHandling>FORKALL</OnlineETEMHandling>").await;
    let asked = bob
        .request(&send_message(&user("wv:alice@h"), "everywhere", true))
        .await;
    asked.expect_code(200);
    for phone in [&mut nokia, &mut old, &mut new] {
        assert_eq!(texts(phone).await, ["everywhere"]);
    }
    let told = bob.drain().await;
    let reports = told.iter().filter(|p| p.name == "DeliveryReport-Request");
    assert_eq!(reports.count(), 1, "{told:?}");

    // Each has subscriptions of its own.
    for phone in [&mut old, &mut nokia] {
        phone
            .request("<SubscribePresence-Request><User><UserID>wv:bob@h</UserID></User></SubscribePresence-Request>")
            .await
            .expect_status(200);
    }
    let told = |came: Vec<Element>| {
        let mut came = came.into_iter();
        came.any(|primitive| primitive.name == "PresenceNotification-Request")
    };
    assert!(told(old.drain().await) && told(nokia.drain().await));
    assert!(!told(new.drain().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_his_other_sessions_and_ends_them() {
    // csp-access 3.5, 3.10.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut old = android(&server, Version::V1_2, "WV:ImpsClient-1").await;
    let mut new = android(&server, Version::V1_3, "WV:ImpsClient-2").await;
    let mut lost = nokia(&server, "WV:Nokia-6630").await;
    let all = ["WV:ImpsClient-1", "WV:ImpsClient-2", "WV:Nokia-6630"];
    assert_eq!(online(&mut new).await, all);

    // What waits for the one that is lost goes to the others.
    let mut bob = server.xml("bob").await;
    let to_lost =
        "<User><UserID>wv:alice@h</UserID><ClientID><URL>WV:Nokia-6630</URL></ClientID></User>";
    bob.request(&send_message(to_lost, "where are you?", false))
        .await
        .expect_code(200);
    end(&mut new, "WV:Nokia-6630").await;
    assert_eq!(online(&mut new).await, all[..2]);
    let told = lost.poll().await;
    told.expect("Disconnect");
    assert_eq!((told.mode(), told.code()), ("Request", Some(601)));
    let told = lost.request("<KeepAlive-Request/>").await;
    assert_eq!(told.code(), Some(601));

    // A client that is not one of his: nothing ends, and of himself he only says that he
    // does not want to be seen.
    end(&mut old, "WV:of-somebody-else").await;
    end(&mut old, "WV:ImpsClient-1").await;
    for phone in [&mut old, &mut new] {
        phone.request("<KeepAlive-Request/>").await.expect_code(200);
    }
    // He who was ended comes back, and is seen.
    nokia(&server, "WV:Nokia-6630").await;
    assert_eq!(online(&mut new).await, all);

    // Another user ends nobody.
    end(&mut bob, "WV:ImpsClient-2").await;
    new.request("<KeepAlive-Request/>").await.expect_code(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ending_that_is_repeated_ends_nothing_more() {
    // csp-access 2.3.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut new = android(&server, Version::V1_3, "WV:ImpsClient-2").await;
    nokia(&server, "WV:Nokia-6630").await;
    let content = "<UpdatePresence-Request><PresenceSubList><OnlineStatus><Qualifier>T</Qualifier>\
         <ClientID><URL>WV:Nokia-6630</URL></ClientID><PresenceValue>F</PresenceValue></OnlineStatus>\
         </PresenceSubList></UpdatePresence-Request>";
    for _ in 0..2 {
        new.request_as("once", content).await.expect_status(200);
    }
    assert_eq!(online(&mut new).await, ["WV:ImpsClient-2"], "and is seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_several_phones_to_answer_decides_for_all() {
    // csp-presence 6.6: all are asked; clients 3.12, 4.8: by the same primitive in any version.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut android = android(&server, Version::V1_3, "WV:ImpsClient-2").await;
    let mut nokia = nokia(&server, "WV:Nokia-6630").await;
    let update = "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier><PresenceValue>hi</PresenceValue>\
                  </StatusText></PresenceSubList></UpdatePresence-Request>";
    nokia.request(update).await.expect_status(200);
    let mut bob = server.xml("bob").await;
    let watch = "<SubscribePresence-Request><User><UserID>wv:alice@h</UserID></User></SubscribePresence-Request>";
    bob.request(watch).await.expect_status(200);
    for phone in [&mut android, &mut nokia] {
        let asked = phone.take().await.expect("a question");
        assert_eq!(asked.name, "PresenceAuth-Request");
        assert_eq!(asked.text("UserID"), Some("wv:bob@h"));
    }
    // S60: with the attributes that it grants (clients 4.8).
    let some = "<PresenceAuth-User><UserID>wv:bob@h</UserID><Acceptance>T</Acceptance><PresenceSubList><StatusText/></PresenceSubList></PresenceAuth-User>";
    nokia.request(some).await.expect_status(200);
    let came = bob.drain().await;
    let seen = came
        .iter()
        .rfind(|came| came.name == "PresenceNotification-Request");
    let list = seen.and_then(|seen| seen.at("Presence/PresenceSubList"));
    assert_eq!(list.expect("presence").child_names(), ["StatusText"]);
    // The later answer overwrites.
    let all = "<PresenceAuth-User><UserID>wv:bob@h</UserID><Acceptance>T</Acceptance></PresenceAuth-User>";
    android.request(all).await.expect_status(200);
    let came = bob.drain().await;
    let seen = came
        .iter()
        .rfind(|came| came.name == "PresenceNotification-Request");
    let list = seen.and_then(|seen| seen.at("Presence/PresenceSubList"));
    let names = list.expect("presence").child_names();
    assert!(names.contains(&"OnlineStatus") && names.contains(&"StatusText"));
}
