//! Requests about groups, in the form of each version, and what their answers say.

use crate::answer::Answer;
use crate::client::{Client, escape};
use crate::element::Element;
use hamlet_csp::Version;

/// A Property.
pub fn property(name: &str, value: &str) -> String {
    let (name, value) = (escape(name), escape(value));
    format!("<Property><Name>{name}</Name><Value>{value}</Value></Property>")
}

/// Several of them.
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

/// A ScreenName.
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

/// A request that has nothing but the GroupID, such as `LeaveGroup`.
pub async fn about(client: &mut Client, what: &str, group: &str) -> Answer {
    let content = format!("<{what}-Request><GroupID>{group}</GroupID></{what}-Request>");
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
