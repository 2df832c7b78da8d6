//! User profiles (architecture document 5.3.6.3): what a user is not subscribed to is not agreed,
//! not carried out, and not delivered.

use crate::support::{Api, server};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, send_message, user};
use serde_json::{Value, json};

/// Asks for every function; the names of the features that are denied.
async fn negotiate(client: &mut Client) -> (Vec<String>, Value) {
    let content = match client.version {
        Version::V1_1 => {
            "<Service-Request><ClientID><URL>WV:a-test-client</URL></ClientID><Functions><WVCSPFeat/></Functions>\
             <AllFunctionsRequest>T</AllFunctionsRequest></Service-Request>"
        }
        _ => {
            "<Service-Request><Functions><WVCSPFeat/></Functions>\
             <AllFunctionsRequest>T</AllFunctionsRequest></Service-Request>"
        }
    };
    let answer = client.request(content).await;
    let response = answer.expect("Service-Response");
    let names = |path: &str| -> Vec<String> {
        let tree = response.at(path);
        let names = tree.map(|tree| tree.child_names()).unwrap_or_default();
        names.iter().map(ToString::to_string).collect()
    };
    let offered = json!(names("AllFunctions/WVCSPFeat"));
    (names("Functions/WVCSPFeat"), offered)
}

async fn set(api: &Api, user: &str, service: &str, status: Value) {
    let update = json!({"services": {service: status}});
    let path = format!("/users/{user}/user-profile");
    api.done("PATCH", &path, update).await;
}

fn get_presence(version: Version) -> &'static str {
    match version {
        Version::V1_3 => {
            "<GetPresence-Request><UserIDList><UserID>wv:anna@h</UserID></UserIDList></GetPresence-Request>"
        }
        _ => "<GetPresence-Request><User><UserID>wv:anna@h</UserID></User></GetPresence-Request>",
    }
}

#[tokio::test]
async fn a_service_without_subscription_is_denied_and_refused_in_every_version() {
    for version in Version::ALL {
        let (server, api) = server(&[], &["anna"]).await;
        set(&api, "anna", "Presence", json!({"subscribed": false})).await;
        let mut anna = server.client(version, Syntax::Xml, "anna").await;
        // Without negotiation this server does not offer it to this user.
        anna.request(get_presence(version)).await.expect_status(405);
        let (denied, offered) = negotiate(&mut anna).await;
        assert!(denied.contains(&"PresenceFeat".to_owned()), "{denied:?}");
        assert!(!denied.contains(&"IMFeat".to_owned()) || !offered.is_null());
        anna.request(get_presence(version)).await.expect_status(506);
        // Contact lists stand in the same branch and are another service.
        anna.request("<GetList-Request/>")
            .await
            .expect("GetList-Response");
        anna.send_text("wv:anna@h", "to myself")
            .await
            .expect_code(200);
        assert_eq!(anna.messages().await.len(), 1);
    }
}

#[tokio::test]
async fn a_change_takes_effect_in_the_session_and_survives_a_restart() {
    let (mut server, api) = server(&[], &["anna"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Wbxml, "anna").await;
    negotiate(&mut anna).await;
    anna.request(get_presence(Version::V1_3))
        .await
        .expect("GetPresence-Response");
    set(&api, "anna", "Presence", json!({"active": false})).await;
    anna.request(get_presence(Version::V1_3))
        .await
        .expect_status(506);
    let session = anna.session.clone();
    server.restart().await;
    let mut again = Client::connect(server.address(), Version::V1_3, Syntax::Wbxml).await;
    again.session = session;
    again
        .request(get_presence(Version::V1_3))
        .await
        .expect_status(506);
    let api = api.at(&server);
    set(&api, "anna", "Presence", json!({"active": true})).await;
    again
        .request(get_presence(Version::V1_3))
        .await
        .expect("GetPresence-Response");
}

#[tokio::test]
async fn the_tree_of_1_3_inside_the_login_denies_likewise() {
    let (server, api) = server(&[], &["anna"]).await;
    set(&api, "anna", "IM", json!({"subscribed": false})).await;
    let mut anna = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    let functions = "<Functions><WVCSPFeat><IMFeat/></WVCSPFeat></Functions>";
    let login = anna.login_step("wv:anna@h", "<Password>secret</Password>", functions);
    let answer = anna.outband(&login).await;
    answer.expect_code(200);
    anna.keep_session(&answer);
    let response = answer.expect("Login-Response");
    assert!(
        response.at("Functions/WVCSPFeat/IMFeat").is_some(),
        "{answer:?}"
    );
    anna.send_text("wv:anna@h", "no").await.expect_status(506);
}

#[tokio::test]
async fn who_is_not_subscribed_to_messages_gets_none() {
    let (server, api) = server(&[], &["anna", "bob"]).await;
    let mut anna = server.xml("anna").await;
    anna.send_text("wv:bob@h", "first").await.expect_code(200);
    set(&api, "bob", "IM", json!({"subscribed": false})).await;
    let refused = anna.send_text("wv:bob@h", "second").await;
    refused.expect_code(534);
    let both = user("wv:bob@h") + &user("wv:anna@h");
    let partly = anna.request(&send_message(&both, "third", false)).await;
    partly.expect_code(201);
    // What had been accepted is delivered all the same.
    let mut bob = server.xml("bob").await;
    assert_eq!(bob.messages().await.len(), 1);
    bob.send_text("wv:anna@h", "no").await.expect_status(405);
    set(&api, "bob", "IM", json!({"subscribed": true})).await;
    anna.send_text("wv:bob@h", "fourth").await.expect_code(200);
    assert_eq!(bob.messages().await.len(), 1);
}

#[tokio::test]
async fn findable_is_the_same_as_in_the_searched_profile_and_terminals_are_known() {
    let (server, api) = server(&[], &["anna"]).await;
    let update = json!({"findable": false});
    api.done("PATCH", "/users/anna/user-profile", update).await;
    let profile = api.done("GET", "/users/anna/profile", Value::Null).await;
    assert_eq!(profile["findable"], false);
    api.done("PATCH", "/users/anna/profile", json!({"findable": true}))
        .await;
    let whole = api
        .done("GET", "/users/anna/user-profile", Value::Null)
        .await;
    assert_eq!(whole["findable"], true);
    assert_eq!(whole["terminals"], json!([]));

    let mut anna = server.client(Version::V1_2, Syntax::Xml, "anna").await;
    let capabilities = "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
         <AcceptedContentType>text/plain</AcceptedContentType><InitialDeliveryMethod>P</InitialDeliveryMethod>\
         <MultiTrans>1</MultiTrans><ParserSize>5000</ParserSize><SupportedBearer>HTTP</SupportedBearer>\
         <DefaultLanguage>FIN</DefaultLanguage></CapabilityList></ClientCapability-Request>";
    anna.request(capabilities)
        .await
        .expect("ClientCapability-Response");
    anna.request("<Logout-Request/>").await.expect_status(200);
    let whole = api
        .done("GET", "/users/anna/user-profile", Value::Null)
        .await;
    let terminal = &whole["terminals"][0];
    assert_eq!(terminal["client"], "WV:a-test-client");
    assert_eq!(terminal["version"], "1.2");
    assert_eq!(terminal["client_type"], "MOBILE_PHONE");
    assert_eq!(terminal["parser_size"], 5000);
    assert_eq!(terminal["language"], "FIN");
    assert_eq!(terminal["content_types"], json!(["text/plain"]));
}
