//! Messages through groups over sockets: csp-group 6, csp-im 6.

use crate::support::{Heard, Phone, Server, home};
use hamlet_csp::Version::{V1_1, V1_2, V1_3};
use hamlet_csp::elements::{
    CapabilityList, Group, MessageDelivered, MessageInfo, Primitive, Recipient, ScreenName,
    SendMessageRequest,
};
use hamlet_csp::{Syntax, Tag, Transaction, Version};
use hamlet_elements::group::{CreateGroup, GivenProperties, JoinGroup, LeaveGroup};
use hamlet_elements::{Answer, Call, Request, Requestor};
use hamlet_model::{ClientId, Content, GroupId, Timestamp, UserId};

fn ski() -> GroupId {
    GroupId::parse("wv:anna/ski", &home()).unwrap()
}

/// Joins and the like, as if the phone had asked for it.
async fn ask(server: &Server, phone: &Phone, request: Request) -> Answer {
    let call = Call {
        requestor: Requestor {
            user: UserId::parse(&phone.name, &home()).unwrap(),
            session: Some(phone.session_id()),
            client: Some(ClientId::from_url(&phone.client)),
            application: None,
        },
        request,
        key: None,
    };
    server.sap.elements().call(call).await
}

async fn create(server: &Server, phone: &Phone) {
    let properties = GivenProperties {
        properties: vec![("PrivateMessaging".into(), "T".into())],
        welcome_note: None,
    };
    let request = Request::CreateGroup(Box::new(CreateGroup {
        group: ski(),
        properties,
        own: GivenProperties::default(),
        join: false,
        screen_name: None,
        subscribe: false,
    }));
    ask(server, phone, request).await.unwrap();
}

async fn join(server: &Server, phone: &Phone, name: &str) {
    let request = Request::JoinGroup(Box::new(JoinGroup {
        group: ski(),
        screen_name: Some(name.into()),
        list_joined: false,
        subscribe: false,
        own: GivenProperties::default(),
    }));
    ask(server, phone, request).await.unwrap();
}

async fn leave(server: &Server, phone: &Phone) {
    let request = Request::LeaveGroup(LeaveGroup { group: ski() });
    ask(server, phone, request).await.unwrap();
}

/// A phone that is logged in.
async fn phone(server: &Server, name: &str, version: Version, syntax: Syntax) -> Phone {
    server.account(name).await;
    let mut phone = Phone::new(server, name, version, syntax).await;
    phone.log_in_and_negotiate().await;
    phone
}

/// Says something to the group, or to one name in it.
async fn say(phone: &mut Phone, to: Option<&str>, text: &str) -> u32 {
    let group = Group {
        group_id: to.is_none().then(|| ski().as_str().into()),
        screen_name: to.map(|name| ScreenName {
            sname: Some(name.into()),
            group_id: Some(ski().as_str().into()),
        }),
    };
    let request = SendMessageRequest {
        delivery_report: Some(false),
        message_info: Some(MessageInfo {
            content_type: Some("text/plain".into()),
            content_size: Some(text.len() as u32),
            recipient: Some(Recipient {
                group: vec![group],
                ..Recipient::default()
            }),
            ..MessageInfo::default()
        }),
        content_data: Some(text.into()),
    };
    phone.ask(request).await.code()
}

/// Sender, recipient and text: `ann > * hello`, `ann > bo psst`, `= > * we close`.
fn shown(heard: &Heard) -> String {
    let Primitive::NewMessage(new) = heard.primitive() else {
        panic!("{heard:?}");
    };
    let info = new.message_info.as_ref().unwrap();
    let name = |group: &Group, whole: &str| match &group.screen_name {
        Some(name) => name.sname.as_deref().unwrap().to_owned(),
        None => whole.to_owned(),
    };
    let sender = info.sender.as_ref().unwrap();
    let sender = match (&sender.group, &sender.user) {
        (Some(group), None) => name(group, "="),
        (None, Some(user)) => user.user_id.as_deref().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let recipient = info.recipient.as_ref().unwrap();
    let recipient = match recipient.group.first() {
        Some(group) => name(group, "*"),
        None => "me".into(),
    };
    format!("{sender} > {recipient} {}", heard.content().unwrap())
}

/// Everything that waits for the phone, acknowledged one by one.
async fn hear(phone: &mut Phone) -> Vec<String> {
    let mut heard = Vec::new();
    let mut next = phone.poll().await;
    while let Some(message) = next {
        heard.push(shown(&message));
        next = phone.acknowledge(&message).await;
        if next.is_none() {
            next = phone.poll().await;
        }
    }
    heard
}

/// Arrivals are told apart by the millisecond.
async fn next_millisecond() {
    let before = Timestamp::now();
    while Timestamp::now() <= before {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_said_reaches_everybody_once_and_in_one_order_and_is_written_once_a_form() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_2, Syntax::Xml).await;
    create(&server, &anna).await;
    join(&server, &anna, "ann").await;
    let mut others = Vec::new();
    for version in [V1_1, V1_2, V1_3] {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            for copy in 1..=3 {
                let name = format!("u{}", others.len());
                let other = phone(&server, &name, version, syntax).await;
                join(&server, &other, &format!("{name} {copy}")).await;
                others.push(other);
            }
        }
    }
    for text in ["one", "zwei €", "три"] {
        assert_eq!(say(&mut anna, None, text).await, 200);
    }
    assert_eq!(say(&mut others[4], None, "from u4").await, 200);
    let expected = [
        "ann > * one",
        "ann > * zwei €",
        "ann > * три",
        "u4 2 > * from u4",
    ];
    for (at, other) in others.iter_mut().enumerate() {
        let heard = hear(other).await;
        let count = if at == 4 { 3 } else { 4 };
        assert_eq!(heard, expected[..count], "u{at}");
    }
    assert_eq!(hear(&mut anna).await, expected[3..]);
    // Three versions in two syntaxes, of four messages.
    assert_eq!(server.metric("group_messages_encoded_total"), 24);
    server.stop().await;
}

#[tokio::test]
async fn who_joins_later_hears_nothing_from_before_and_who_leaves_nothing_more() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_3, Syntax::Xml).await;
    let mut bob = phone(&server, "bob", V1_2, Syntax::Wbxml).await;
    create(&server, &anna).await;
    join(&server, &anna, "ann").await;
    assert_eq!(say(&mut anna, None, "before").await, 200);
    join(&server, &bob, "bo").await;
    assert_eq!(say(&mut anna, None, "while").await, 200);
    assert_eq!(hear(&mut bob).await, ["ann > * while"]);
    assert_eq!(say(&mut anna, None, "pending").await, 200);
    leave(&server, &bob).await;
    assert_eq!(say(&mut anna, None, "after").await, 200);
    assert!(hear(&mut bob).await.is_empty());
    join(&server, &bob, "bo").await;
    assert!(hear(&mut bob).await.is_empty());
    assert_eq!(say(&mut bob, None, "back").await, 200);
    assert_eq!(hear(&mut anna).await, ["bo > * back"]);
    server.stop().await;
}

#[tokio::test]
async fn another_client_of_the_sender_hears_it_and_the_sending_one_does_not() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_2, Syntax::Xml).await;
    let mut desk = Phone::new(&server, "anna", V1_3, Syntax::Wbxml).await;
    desk.client = "desk".into();
    desk.cookie = "other".into();
    desk.log_in_and_negotiate().await;
    create(&server, &anna).await;
    join(&server, &anna, "ann").await;
    join(&server, &desk, "ann at work").await;
    assert_eq!(say(&mut anna, None, "hello").await, 200);
    assert_eq!(hear(&mut desk).await, ["ann > * hello"]);
    assert!(hear(&mut anna).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_whisper_reaches_one_client_and_nobody_else() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_1, Syntax::Xml).await;
    let mut bob = phone(&server, "bob", V1_2, Syntax::Wbxml).await;
    let mut cy = phone(&server, "cy", V1_3, Syntax::Xml).await;
    create(&server, &anna).await;
    for (who, name) in [(&anna, "ann"), (&bob, "bo"), (&cy, "cy")] {
        join(&server, who, name).await;
    }
    assert_eq!(say(&mut anna, Some("BO"), "psst").await, 200);
    assert_eq!(say(&mut anna, None, "all").await, 200);
    assert_eq!(hear(&mut bob).await, ["ann > bo psst", "ann > * all"]);
    assert_eq!(hear(&mut cy).await, ["ann > * all"]);
    assert_eq!(say(&mut anna, Some("nobody"), "psst").await, 410);
    // He leaves before it is delivered.
    assert_eq!(say(&mut anna, Some("bo"), "too late").await, 200);
    leave(&server, &bob).await;
    join(&server, &bob, "bo").await;
    assert!(hear(&mut bob).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn an_announcement_comes_from_the_group_itself() {
    let server = Server::start().await;
    let anna = phone(&server, "anna", V1_1, Syntax::Xml).await;
    let mut bob = phone(&server, "bob", V1_2, Syntax::Wbxml).await;
    let mut cy = phone(&server, "cy", V1_3, Syntax::Xml).await;
    create(&server, &anna).await;
    join(&server, &bob, "bo").await;
    join(&server, &cy, "cy").await;
    let content = Content::text("we close");
    server
        .sap
        .elements()
        .announce_in_group(&ski(), content)
        .await
        .unwrap();
    // S60 discards a message from a mere group (csp-group 6 item 11).
    assert_eq!(hear(&mut bob).await, ["*ski* > * we close"]);
    assert_eq!(hear(&mut cy).await, ["= > * we close"]);
    server.stop().await;
}

#[tokio::test]
async fn personal_messages_and_those_of_groups_come_in_the_order_of_their_arrival() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_2, Syntax::Xml).await;
    let mut bob = phone(&server, "bob", V1_2, Syntax::Xml).await;
    create(&server, &anna).await;
    join(&server, &anna, "ann").await;
    join(&server, &bob, "bo").await;
    let mut expected = Vec::new();
    for turn in 0..3 {
        let text = format!("turn {turn}");
        assert_eq!(say(&mut anna, None, &text).await, 200);
        expected.push(format!("ann > * {text}"));
        next_millisecond().await;
        assert_eq!(anna.send("bob", &text, false).await.code(), 200);
        expected.push(format!("wv:anna@im.example > me {text}"));
        next_millisecond().await;
    }
    assert_eq!(hear(&mut bob).await, expected);
    server.stop().await;
}

#[tokio::test]
async fn after_a_restart_nothing_is_lost_and_nothing_acknowledged_comes_again() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_2, Syntax::Xml).await;
    let mut bob = phone(&server, "bob", V1_3, Syntax::Wbxml).await;
    bob.negotiate(CapabilityList {
        any_content: Some(true),
        multi_trans: Some(4),
        ..CapabilityList::default()
    })
    .await;
    create(&server, &anna).await;
    join(&server, &anna, "ann").await;
    join(&server, &bob, "bo").await;
    for text in ["1", "2", "3", "4", "5"] {
        assert_eq!(say(&mut anna, None, text).await, 200);
    }
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(bob.poll().await.expect("a message"));
    }
    // The second and the fourth are acknowledged, the others not.
    for at in [1, 3] {
        let id = open[at].message_id();
        let answer = MessageDelivered { message_id: id };
        let id = open[at].transaction_id().to_owned();
        let next = bob.exchange(Transaction::response(&id, answer)).await;
        if let Some(next) = next {
            assert_eq!(shown(&next), "ann > * 5");
        }
    }
    let server = server.restart().await;
    anna.reconnect(&server).await;
    bob.reconnect(&server).await;
    assert_eq!(say(&mut anna, None, "6").await, 200);
    let expected = ["1", "3", "5", "6"].map(|text| format!("ann > * {text}"));
    assert_eq!(hear(&mut bob).await, expected);
    let server = server.restart().await;
    bob.reconnect(&server).await;
    assert!(hear(&mut bob).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn an_acknowledgement_whose_transaction_is_forgotten_counts_all_the_same() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_2, Syntax::Xml).await;
    let mut bob = phone(&server, "bob", V1_2, Syntax::Wbxml).await;
    create(&server, &anna).await;
    join(&server, &anna, "ann").await;
    join(&server, &bob, "bo").await;
    assert_eq!(say(&mut anna, None, "hello").await, 200);
    let heard = bob.poll().await.expect("the message");
    assert_eq!(heard.tag(), Tag::NewMessage);
    let server = server.restart().await;
    bob.reconnect(&server).await;
    assert!(bob.acknowledge(&heard).await.is_none());
    assert!(bob.poll().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn whoever_ends_his_session_is_not_in_the_group_any_more() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_2, Syntax::Xml).await;
    let mut bob = phone(&server, "bob", V1_2, Syntax::Wbxml).await;
    create(&server, &anna).await;
    join(&server, &anna, "ann").await;
    join(&server, &bob, "bo").await;
    assert_eq!(say(&mut anna, None, "hello").await, 200);
    bob.log_out().await;
    bob.log_in_and_negotiate().await;
    assert!(hear(&mut bob).await.is_empty());
    assert_eq!(say(&mut bob, None, "x").await, 808);
    join(&server, &bob, "bo").await;
    assert_eq!(say(&mut anna, None, "again").await, 200);
    assert_eq!(hear(&mut bob).await, ["ann > * again"]);
    server.stop().await;
}

#[tokio::test]
async fn a_member_who_was_away_for_long_gets_everything() {
    let server = Server::start().await;
    let mut anna = phone(&server, "anna", V1_2, Syntax::Wbxml).await;
    let mut bob = phone(&server, "bob", V1_2, Syntax::Wbxml).await;
    create(&server, &anna).await;
    join(&server, &anna, "ann").await;
    join(&server, &bob, "bo").await;
    let texts: Vec<_> = (0..300).map(|n| n.to_string()).collect();
    for text in &texts {
        assert_eq!(say(&mut anna, None, text).await, 200);
    }
    let expected: Vec<_> = texts.iter().map(|n| format!("ann > * {n}")).collect();
    assert_eq!(hear(&mut bob).await, expected, "more than the memory holds");
    server.stop().await;
}
