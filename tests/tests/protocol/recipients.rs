//! One message to recipients of every kind, in every version and syntax, pushed and pulled
//! (csp-im 2.3, 5.3, 5.4, 6, 7, 8).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::element::Element;
use hamlet_tests::http::DEADLINE;
use hamlet_tests::server::TestServer;
use std::collections::BTreeSet;
use tokio::time::Instant;

const SKI: &str = "wv:anna/ski@h";
const DEN: &str = "wv:anna/den@h";
const LIST: &str = "wv:anna/friends@h";

/// One receiver for each kind of address.
const KINDS: [&str; 6] = ["user", "client", "application", "list", "group", "name"];

/// All of them, and of each kind one that cannot be reached.
fn recipients() -> String {
    let named = |inside: &str| format!("<User><UserID>wv:{inside}</User>");
    [
        user("wv:user@h"),
        named("client@h</UserID><ClientID><URL>WV:client</URL></ClientID>"),
        named("application@h</UserID><ApplicationID>chess</ApplicationID>"),
        user("wv:nobody@h"),
        user("wv:refuser@h"),
        format!("<Group><GroupID>{SKI}</GroupID></Group>"),
        format!(
            "<Group><ScreenName><SName>name</SName><GroupID>{DEN}</GroupID></ScreenName></Group>"
        ),
        "<Group><GroupID>wv:anna/none@h</GroupID></Group>".to_owned(),
        format!(
            "<Group><ScreenName><SName>none</SName><GroupID>{DEN}</GroupID></ScreenName></Group>"
        ),
        format!("<ContactList>{LIST}</ContactList>"),
        "<ContactList>wv:anna/none@h</ContactList>".to_owned(),
    ]
    .concat()
}

async fn log_in(server: &TestServer, name: &str, (version, syntax): (Version, Syntax)) -> Client {
    let mut client = Client::connect(server.address(), version, syntax).await;
    client.client_id = format!("WV:{name}");
    let password = "<Password>secret</Password>";
    let login = client.login_step(&format!("wv:{name}@h"), password, "");
    let login = match name {
        "application" => login.replacen(
            "</ClientID>",
            "</ClientID><ApplicationID>chess</ApplicationID>",
            1,
        ),
        _ => login,
    };
    let answer = client.outband(&login).await;
    answer.expect_code(200);
    client.keep_session(&answer);
    client
}

async fn join(client: &mut Client, group: &str, name: &str) {
    let request = format!(
        "<JoinGroup-Request><GroupID>{group}</GroupID><ScreenName><SName>{name}</SName>\
         <GroupID>{group}</GroupID></ScreenName><JoinedRequest>F</JoinedRequest>\
         <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>"
    );
    client.request(&request).await.expect("JoinGroup-Response");
}

/// The groups and the contact list of the sender; and one who does not want to hear from her.
async fn prepare(server: &TestServer) {
    let mut anna = server.xml("anna").await;
    for group in [SKI, DEN] {
        let request = format!(
            "<CreateGroup-Request><GroupID>{group}</GroupID><GroupProperties><Property>\
             <Name>PrivateMessaging</Name><Value>T</Value></Property></GroupProperties>\
             <JoinGroup>F</JoinGroup><SubscribeNotification>F</SubscribeNotification>\
             </CreateGroup-Request>"
        );
        anna.request(&request).await.expect_code(200);
    }
    let request = format!(
        "<ListManage-Request><ContactList>{LIST}</ContactList><AddNickList>\
         <UserID>wv:list@h</UserID><UserID>wv:user@h</UserID></AddNickList></ListManage-Request>"
    );
    anna.request(&request).await.expect_code(200);
    let mut refuser = server.xml("refuser").await;
    let block = "<BlockEntity-Request><BlockList><InUse>T</InUse><AddList>\
                 <UserID>wv:anna@h</UserID></AddList></BlockList></BlockEntity-Request>";
    refuser.request(block).await.expect_status(200);
}

/// The message, as it comes to a client by its method; acknowledged.
async fn receive(client: &mut Client, notify: bool) -> Element {
    let came = client.poll().await;
    if !notify {
        let message = came.expect("NewMessage").clone();
        client.acknowledge(&came).await;
        return message;
    }
    let told = came.expect("MessageNotification").clone();
    client.acknowledge(&came).await;
    assert_eq!(told.text("ContentData"), None);
    let id = told.text("MessageInfo/MessageID").expect("an id");
    let list = client.request("<GetMessageList-Request/>").await;
    let path = match client.version {
        Version::V1_3 => "MessageInfoList/MessageInfo/MessageID",
        _ => "MessageInfo/MessageID",
    };
    let list = list.expect("GetMessageList-Response");
    assert_eq!(list.texts(path), [id]);
    let get = format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>");
    let answer = client.request(&get).await;
    let message = answer.expect("GetMessage-Response").clone();
    for _ in 0..2 {
        let delivered = format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>");
        client.request(&delivered).await.expect_status(200);
    }
    message
}

/// Whether the recipient is shown as he was addressed, and the sender as he is known to him.
#[track_caller]
fn is_rewritten(message: &Element, kind: &str, version: Version) {
    let info = |path: &str| message.text(&format!("MessageInfo/{path}"));
    let user_id = format!("wv:{kind}@h");
    let (sender, recipient) = ("Sender/Group/ScreenName/SName", "Recipient/Group");
    match kind {
        "group" => {
            assert_eq!(info("Recipient/Group/GroupID"), Some(SKI));
            assert_eq!(info(sender), Some("Ann"));
        }
        "name" => {
            let name = format!("{recipient}/ScreenName/SName");
            assert_eq!(info(&name), Some("name"));
            assert_eq!(info(sender), Some("Ann in den"));
        }
        _ => {
            assert_eq!(info("Recipient/User/UserID"), Some(user_id.as_str()));
            assert_eq!(info("Sender/User/UserID"), Some("wv:anna@h"));
        }
    }
    if kind == "application" && version == Version::V1_3 {
        assert_eq!(info("Recipient/User/ApplicationID"), Some("chess"));
    }
    // Nobody sees the others.
    let recipients = message.at("MessageInfo/Recipient").expect("a recipient");
    assert_eq!(recipients.children.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_recipient_gets_it_by_every_method_in_every_version() {
    let mut users = vec!["anna", "refuser"];
    users.extend(KINDS);
    let server = TestServer::with_users(&[], &users).await;
    prepare(&server).await;
    let forms: Vec<_> = Version::ALL
        .into_iter()
        .flat_map(|version| [Syntax::Xml, Syntax::Wbxml].map(|syntax| (version, syntax)))
        .collect();
    for (turn, form) in forms.iter().enumerate() {
        for notify in [false, true] {
            let mut anna = log_in(&server, "anna", (Version::V1_3, form.1)).await;
            join(&mut anna, SKI, "Ann").await;
            join(&mut anna, DEN, "Ann in den").await;
            let mut clients = Vec::new();
            for kind in KINDS {
                // Applications have sessions of their own in 1.3 alone.
                let form = match kind {
                    "application" => (Version::V1_3, form.1),
                    _ => *form,
                };
                let mut client = log_in(&server, kind, form).await;
                match kind {
                    "group" => join(&mut client, SKI, "group").await,
                    "name" => join(&mut client, DEN, "name").await,
                    _ => {}
                }
                if notify {
                    let of = match kind {
                        "group" => format!("<GroupID>{SKI}</GroupID>"),
                        _ => String::new(),
                    };
                    let quiet = format!(
                        "<SetDeliveryMethod-Request><DeliveryMethod>N</DeliveryMethod>{of}</SetDeliveryMethod-Request>"
                    );
                    client.request(&quiet).await.expect_status(200);
                }
                clients.push(client);
            }
            let text = format!("turn {turn} {notify} & <é>");
            let answer = anna
                .request(&send_message(&recipients(), &text, true))
                .await;
            answer.expect_code(201);
            let response = answer.expect("SendMessage-Response");
            let details = response.all("Result/DetailedResult");
            let failed: BTreeSet<(&str, &str)> = details
                .iter()
                .map(|detail| {
                    let code = detail.text("Code").expect("a code");
                    let address = detail.children.last().expect("an address");
                    (code, address.name.as_str())
                })
                .collect();
            let expected = [
                ("410", "ScreenName"),
                ("531", "UserID"),
                ("532", "UserID"),
                ("700", "ContactList"),
                ("800", "GroupID"),
            ];
            assert_eq!(failed, BTreeSet::from(expected), "csp-im 5.3 item 9");
            let id = response.text("MessageID").expect("an id").to_owned();
            for (kind, client) in KINDS.into_iter().zip(&mut clients) {
                let message = receive(client, notify).await;
                assert_eq!(message.text("ContentData"), Some(text.as_str()), "{kind}");
                assert_eq!(message.text("MessageInfo/MessageID"), Some(id.as_str()));
                is_rewritten(&message, kind, client.version);
                // Who is named and on the list as well has one copy.
                assert!(client.poll().await.is_empty(), "{kind}");
            }
            // One report for each, whether he, his name or the group has it.
            let deadline = Instant::now() + DEADLINE;
            let mut reported = Vec::new();
            while reported.len() < KINDS.len() {
                assert!(Instant::now() < deadline, "only {reported:?}");
                for report in anna.drain().await {
                    assert_eq!(report.text("Result/Code"), Some("200"));
                    let about = report.at("MessageInfo/Recipient").expect("a recipient");
                    let mut about = &about.children[0];
                    while let Some(first) = about.children.first() {
                        about = first;
                    }
                    reported.push(about.text.clone());
                }
            }
            reported.sort();
            let expected = [
                "name",
                SKI,
                "wv:application@h",
                "wv:client@h",
                "wv:list@h",
                "wv:user@h",
            ];
            assert_eq!(reported, expected);
            clients.push(anna);
            for client in &mut clients {
                client.request("<Logout-Request/>").await.expect_code(200);
            }
        }
    }
}
