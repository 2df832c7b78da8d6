//! Groups (csp-group): over a socket, in every version.

mod client;
mod consistency;
mod content;
mod converse;
mod life;
mod members;
mod notices;
mod operator;
mod phones;
mod properties;
mod roles;

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
pub use hamlet_tests::group::*;
use hamlet_tests::server::TestServer;

pub const EACH: [(Version, Syntax); 4] = [
    (Version::V1_1, Syntax::Xml),
    (Version::V1_2, Syntax::Wbxml),
    (Version::V1_3, Syntax::Xml),
    (Version::V1_3, Syntax::Wbxml),
];

/// The group of most tests.
pub const GROUP: &str = "wv:alice/skiing@h";

/// A server where alice has made the group with these properties, and not joined it.
pub async fn with_group(users: &[&str], properties: &[(&str, &str)]) -> (TestServer, Client) {
    let server = TestServer::with_users(&[], users).await;
    let mut alice = server.client(Version::V1_2, Syntax::Xml, "alice").await;
    create(&mut alice, GROUP, properties, None)
        .await
        .expect_status(200);
    (server, alice)
}

/// ClientCapability, with what a client says there before 1.3, too.
pub async fn capable(client: &mut Client) {
    let capability = "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType></CapabilityList></ClientCapability-Request>";
    let answer = client.request(capability).await;
    answer.expect("ClientCapability-Response");
}

/// Service-Request for these functions; for all if there are none.
pub async fn serve(client: &mut Client, functions: &str) {
    let service = format!(
        "<Service-Request><Functions><WVCSPFeat>{functions}</WVCSPFeat></Functions>\
         <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>"
    );
    client.request(&service).await.expect("Service-Response");
}

/// Both, as after a login.
pub async fn negotiate(client: &mut Client, functions: &str) {
    capable(client).await;
    serve(client, functions).await;
}

/// A list of users as the version has it in requests about members.
pub fn users(version: Version, names: &[&str]) -> String {
    let (open, close, one): (_, _, fn(&str) -> String) = match version {
        Version::V1_3 => ("<UserIDList>", "</UserIDList>", |name| {
            format!("<UserID>wv:{name}@h</UserID>")
        }),
        _ => ("<UserList>", "</UserList>", |name| {
            format!("<User><UserID>wv:{name}@h</UserID></User>")
        }),
    };
    let all: String = names.iter().map(|name| one(name)).collect();
    format!("{open}{all}{close}")
}

pub async fn add_members(client: &mut Client, group: &str, names: &[&str]) -> Answer {
    let list = users(client.version, names);
    let content = format!(
        "<AddGroupMembers-Request><GroupID>{group}</GroupID>{list}</AddGroupMembers-Request>"
    );
    client.request(&content).await
}

/// The next server request, which must be this one; it is acknowledged.
pub async fn take(client: &mut Client, name: &str) -> Element {
    let came = client.take().await;
    let came = came.unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(came.name, name, "{came:#?}");
    came
}

pub async fn nothing(client: &mut Client) {
    let came = client.take().await;
    assert!(came.is_none(), "{came:#?}");
}
