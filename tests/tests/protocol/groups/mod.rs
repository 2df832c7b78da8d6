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
use hamlet_tests::client::{Client, escape};
use hamlet_tests::element::Element;
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

pub fn property(name: &str, value: &str) -> String {
    let (name, value) = (escape(name), escape(value));
    format!("<Property><Name>{name}</Name><Value>{value}</Value></Property>")
}

pub fn all_properties(properties: &[(&str, &str)]) -> String {
    let one = |(name, value): &(&str, &str)| property(name, value);
    properties.iter().map(one).collect()
}

/// CreateGroup-Request; joins under `name` if there is one.
pub async fn create(
    client: &mut Client,
    group: &str,
    properties: &[(&str, &str)],
    name: Option<&str>,
) -> Answer {
    let joins = if name.is_some() { 'T' } else { 'F' };
    let name = name.map_or_else(String::new, |name| screen_name(name, group));
    let properties = all_properties(properties);
    let content = format!(
        "<CreateGroup-Request><GroupID>{group}</GroupID><GroupProperties>{properties}</GroupProperties>\
         <JoinGroup>{joins}</JoinGroup>{name}<SubscribeNotification>T</SubscribeNotification></CreateGroup-Request>"
    );
    client.request(&content).await
}

pub fn screen_name(name: &str, group: &str) -> String {
    let name = escape(name);
    format!("<ScreenName><SName>{name}</SName><GroupID>{group}</GroupID></ScreenName>")
}

/// JoinGroup-Request for the list of who is there, with notices.
pub async fn join(client: &mut Client, group: &str, name: &str) -> Answer {
    join_with(client, group, &screen_name(name, group), "T", "").await
}

/// The same with all its parts.
pub async fn join_with(
    client: &mut Client,
    group: &str,
    name: &str,
    subscribe: &str,
    more: &str,
) -> Answer {
    let content = format!(
        "<JoinGroup-Request><GroupID>{group}</GroupID>{name}<JoinedRequest>T</JoinedRequest>\
         <SubscribeNotification>{subscribe}</SubscribeNotification>{more}</JoinGroup-Request>"
    );
    client.request(&content).await
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

/// A request that has nothing but the GroupID, such as `LeaveGroup`.
pub async fn about(client: &mut Client, what: &str, group: &str) -> Answer {
    let content = format!("<{what}-Request><GroupID>{group}</GroupID></{what}-Request>");
    client.request(&content).await
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

/// SetGroupProps-Request.
pub async fn set(
    client: &mut Client,
    group: &str,
    common: Option<&str>,
    own: Option<&str>,
) -> Answer {
    let part = |name: &str, content: Option<&str>| {
        content.map_or_else(String::new, |content| format!("<{name}>{content}</{name}>"))
    };
    let (common, own) = (part("GroupProperties", common), part("OwnProperties", own));
    let content = format!(
        "<SetGroupProps-Request><GroupID>{group}</GroupID>{common}{own}</SetGroupProps-Request>"
    );
    client.request(&content).await
}

/// The screen names of JoinGroup-Response or Joined, in the form of the version.
pub fn joined_names(element: &Element, version: Version) -> Vec<String> {
    let path = match (version, element.name.as_str()) {
        (Version::V1_1, _) => "UserList/ScreenName/SName",
        (Version::V1_3, "JoinGroup-Response") => "Joined/UserMapList/UserMapping/Mapping/SName",
        _ => "UserMapList/UserMapping/Mapping/SName",
    };
    let mut names: Vec<String> = element.texts(path).into_iter().map(String::from).collect();
    names.sort();
    names
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

/// The values of the properties below `path`, by name.
pub fn value(element: &Element, part: &str, name: &str) -> Option<String> {
    let all = element.all(&format!("{part}/Property"));
    let of = |property: &&&Element| {
        let known = property.text("Name").unwrap_or_default();
        known.eq_ignore_ascii_case(name)
    };
    let property = all.iter().find(of)?;
    Some(property.text("Value").unwrap_or_default().to_owned())
}
