//! Groups of one domain with users of another in them (csp-group 4, 6, 7, 9; ssp 11.3): alice
//! has made one in `a`, and carl of `a`, bob and bert of `b` come into it.

mod admin;
mod auto_join;
mod coming;
mod going;
mod history;
mod invitations;
mod lists;
mod lost;
mod sessions;
mod talk;
mod whispers;

use crate::{Domains, log_in, wait};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, send_message};
use hamlet_tests::element::Element;
use hamlet_tests::group::{create, join, joined_names};

const GROUP: &str = "wv:alice/ski@a";

const EACH: [(Version, Syntax); 4] = [
    (Version::V1_1, Syntax::Xml),
    (Version::V1_2, Syntax::Wbxml),
    (Version::V1_3, Syntax::Xml),
    (Version::V1_3, Syntax::Wbxml),
];

/// alice with the group, which she has joined as Ann.
async fn with_group(domains: &Domains, properties: &[(&str, &str)]) -> Client {
    let mut alice = domains.alice().await;
    create(&mut alice, GROUP, properties, Some("Ann"))
        .await
        .expect_status(200);
    alice
}

/// bert, with a client of 1.2.
async fn bert(domains: &Domains) -> Client {
    log_in(&domains.b, Version::V1_2, Syntax::Xml, "wv:bert@b").await
}

async fn joins(client: &mut Client, name: &str) -> Element {
    let answer = join(client, GROUP, name).await;
    answer.expect("JoinGroup-Response").clone()
}

/// Waits for the notice that somebody came (`Joined`) or went (`Left`).
async fn told(client: &mut Client, part: &str, name: &str) -> Element {
    let version = client.version;
    wait(client, &format!("{part} {name}"), |came| {
        let changed = came.at(part).filter(|_| came.name == "GroupChangeNotice")?;
        let names = match part {
            "Left" => changed.texts("UserList/ScreenName/SName"),
            _ => Vec::new(),
        };
        let came_or_went = match part {
            "Left" => names.contains(&name),
            _ => joined_names(changed, version).iter().any(|one| one == name),
        };
        came_or_went.then(|| came.clone())
    })
    .await
}

/// With what code the server tells a client that it is out of the group.
async fn put_out(client: &mut Client) -> String {
    wait(client, "leave", |came| {
        let code = came.text("Result/Code").map(str::to_owned);
        let of_group = came.text("GroupID") == Some(GROUP);
        code.filter(|_| came.name == "LeaveGroup-Response" && of_group)
    })
    .await
}

fn to_group() -> String {
    format!("<Group><GroupID>{GROUP}</GroupID></Group>")
}

fn to_name(name: &str) -> String {
    let name = hamlet_tests::group::screen_name(name, GROUP);
    format!("<Group>{name}</Group>")
}

async fn say(client: &mut Client, text: &str) -> Answer {
    let content = send_message(&to_group(), text, false);
    client.request(&content).await
}

async fn whisper(client: &mut Client, name: &str, text: &str) -> Answer {
    let content = send_message(&to_name(name), text, true);
    client.request(&content).await
}

/// A message as `sender > recipient: text`, where `*` is the whole group.
fn shown(message: &Element) -> String {
    let party = |of: &str| {
        let text = |path: &str| message.text(&format!("MessageInfo/{of}/{path}"));
        let name = text("Group/ScreenName/SName").or_else(|| text("User/UserID"));
        name.unwrap_or("*").to_owned()
    };
    let text = message.text("ContentData").unwrap_or_default();
    format!("{} > {}: {text}", party("Sender"), party("Recipient"))
}

/// Everything that a client hears up to the message with this text.
async fn heard(client: &mut Client, last: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let message = wait(client, last, |came| {
            (came.name == "NewMessage").then(|| came.clone())
        });
        let message = message.await;
        all.push(shown(&message));
        if message.text("ContentData") == Some(last) {
            return all;
        }
    }
}

/// Waits for a delivery report: its code and the name or group that it is about.
async fn report(client: &mut Client) -> (String, String) {
    wait(client, "delivery report", |came| {
        let about = |path: &str| came.text(&format!("MessageInfo/Recipient/{path}"));
        let about = about("Group/ScreenName/SName")
            .or_else(|| about("Group/GroupID"))
            .or_else(|| about("User/UserID"));
        let code = came.text("Result/Code").unwrap_or_default();
        (came.name == "DeliveryReport-Request")
            .then(|| (code.to_owned(), about.unwrap_or_default().to_owned()))
    })
    .await
}

/// Whether somebody's address stands anywhere in it.
fn discloses(element: &Element, address: &str) -> bool {
    let mut all = element.descendants().into_iter();
    all.any(|one| one.text.contains(address))
}

/// A list of users as the version has it in requests about members.
fn users(version: Version, addresses: &[&str]) -> String {
    let one = |address: &&str| match version {
        Version::V1_3 => format!("<UserID>{address}</UserID>"),
        _ => format!("<User><UserID>{address}</UserID></User>"),
    };
    let all: String = addresses.iter().map(one).collect();
    match version {
        Version::V1_3 => format!("<UserIDList>{all}</UserIDList>"),
        _ => format!("<UserList>{all}</UserList>"),
    }
}

/// AddGroupMembers or RemoveGroupMembers.
async fn members(client: &mut Client, what: &str, addresses: &[&str]) -> Answer {
    let list = users(client.version, addresses);
    let content = format!("<{what}-Request><GroupID>{GROUP}</GroupID>{list}</{what}-Request>");
    client.request(&content).await
}

/// MemberAccess for one level, `Admin` or `Mod`.
async fn access(client: &mut Client, level: &str, address: &str) -> Answer {
    let content = format!(
        "<MemberAccess-Request><GroupID>{GROUP}</GroupID><{level}><UserList><User><UserID>{address}</UserID>\
         </User></UserList></{level}></MemberAccess-Request>"
    );
    client.request(&content).await
}

/// RejectList with one more.
async fn reject(client: &mut Client, address: &str) -> Answer {
    let content = format!(
        "<RejectList-Request><GroupID>{GROUP}</GroupID><AddList><UserID>{address}</UserID></AddList>\
         </RejectList-Request>"
    );
    client.request(&content).await
}
