//! Two phones chat over real sockets: csp-access 3-6, csp-im 5, 6, 8.

use crate::support::{self, Phone, Server};
use hamlet_csp::Version::{V1_1, V1_2, V1_3};
use hamlet_csp::elements::Primitive;
use hamlet_csp::{Syntax, Tag};

#[tokio::test]
async fn a_1_1_xml_phone_and_a_1_3_wbxml_phone_chat() {
    let server = Server::start().await;
    server.account("anna").await;
    server.account("bob").await;
    let mut anna = Phone::new(&server, "anna", V1_1, Syntax::Xml).await;
    let mut bob = Phone::new(&server, "bob", V1_3, Syntax::Wbxml).await;
    anna.log_in_and_negotiate().await;
    bob.log_in_and_negotiate().await;

    for (sender, receiver, text) in [
        (0, 1, "Привет, Боб 😀 <&>\"'"),
        (1, 0, "こんにちは、アンナ"),
    ] {
        let phones = [&mut anna, &mut bob];
        let names = ["anna", "bob"];
        let sent = phones[sender].send(names[receiver], text, true).await;
        assert_eq!(sent.code(), 200);
        let pushed = phones[receiver].poll().await.expect("the message");
        assert_eq!(pushed.content().as_deref(), Some(text));
        assert!(phones[receiver].acknowledge(&pushed).await.is_none());
        assert!(phones[receiver].poll().await.is_none(), "nothing is left");
        let report = phones[sender].poll().await.expect("the report");
        assert_eq!(report.tag(), Tag::DeliveryReportRequest);
        assert!(phones[sender].acknowledge(&report).await.is_none());
    }
    anna.log_out().await;
    bob.log_out().await;
    server.stop().await;
}

#[tokio::test]
async fn messages_for_a_user_who_is_away_come_after_his_login_one_by_one() {
    let server = Server::start().await;
    server.account("anna").await;
    server.account("bob").await;
    let mut anna = Phone::new(&server, "anna", V1_2, Syntax::Wbxml).await;
    anna.log_in_and_negotiate().await;
    for text in ["one", "two", "three"] {
        assert_eq!(anna.send("bob", text, false).await.code(), 200);
    }
    let mut bob = Phone::new(&server, "bob", V1_2, Syntax::Xml).await;
    bob.log_in_and_negotiate().await;
    let mut pushed = bob.poll().await;
    for text in ["one", "two", "three"] {
        let message = pushed.expect("a message");
        assert_eq!(message.content().as_deref(), Some(text));
        assert_eq!(message.poll_flag(), text != "three");
        assert!(bob.poll().await.is_none(), "one is open at a time");
        // The answer to the acknowledgement is the next one.
        pushed = bob.acknowledge(&message).await;
    }
    assert!(pushed.is_none());
    server.stop().await;
}

#[tokio::test]
async fn a_phone_does_not_notice_a_restart() {
    let server = Server::start().await;
    server.account("anna").await;
    server.account("bob").await;
    let mut anna = Phone::new(&server, "anna", V1_2, Syntax::Wbxml).await;
    let mut bob = Phone::new(&server, "bob", V1_3, Syntax::Xml).await;
    anna.log_in_and_negotiate().await;
    bob.log_in_and_negotiate().await;
    assert_eq!(anna.send("bob", "before", false).await.code(), 200);
    let open = bob.poll().await.expect("handed out, not acknowledged");

    let server = server.restart().await;
    anna.reconnect(&server).await;
    bob.reconnect(&server).await;
    assert_eq!(anna.send("bob", "after", false).await.code(), 200);
    let again = bob.poll().await.expect("the first one again");
    assert_eq!(again.content().as_deref(), Some("before"));
    assert_ne!(again.transaction_id(), open.transaction_id(), "GEN-11");
    let next = bob.acknowledge(&again).await.expect("the second one");
    assert_eq!(next.content().as_deref(), Some("after"));
    assert!(bob.acknowledge(&next).await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn a_message_sent_again_is_answered_again_and_delivered_once() {
    let server = Server::start().await;
    server.account("anna").await;
    server.account("bob").await;
    let mut anna = Phone::new(&server, "anna", V1_2, Syntax::Wbxml).await;
    let mut bob = Phone::new(&server, "bob", V1_2, Syntax::Wbxml).await;
    anna.log_in_and_negotiate().await;
    bob.log_in_and_negotiate().await;
    let first = anna.send("bob", "once", false).await;
    let second = anna.repeat().await.expect("the same answer");
    assert_eq!(first.primitive(), second.primitive());
    let pushed = bob.poll().await.expect("the message");
    assert!(bob.acknowledge(&pushed).await.is_none());
    assert!(bob.poll().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn the_digests_of_4_way_login_are_checked_in_every_version() {
    let server = Server::start().await;
    server.account("anna").await;
    for version in [V1_1, V1_2, V1_3] {
        for schema in ["SHA", "MD5", "MD4"] {
            let mut phone = Phone::new(&server, "anna", version, Syntax::Wbxml).await;
            let wrong = phone.log_in_by_digest(schema, "wrong").await;
            assert_eq!(wrong, 409, "{version} {schema}");
            let right = phone.log_in_by_digest(schema, support::PASSWORD).await;
            assert_eq!(right, 200, "{version} {schema}");
            phone.log_out().await;
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_whole_or_not_alive_gets_its_code() {
    let server = Server::start().await;
    server.account("anna").await;
    let mut phone = Phone::new(&server, "anna", V1_2, Syntax::Xml).await;
    let lost = phone.ask(Primitive::GetListRequest).await;
    assert_eq!(lost.code(), 604);
    phone.log_in_and_negotiate().await;
    let empty = phone.ask(Primitive::JoinGroupRequest(Box::default())).await;
    assert_eq!(empty.code(), 400);
    assert!(server.sap.disconnect(&phone.session_id()).await);
    let forced = phone.ask(Primitive::GetListRequest).await;
    assert_eq!(forced.code(), 601);
    let told = phone.poll().await.expect("Disconnect");
    assert_eq!(told.tag(), Tag::Disconnect);
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_user_registers_at_login_where_that_is_open() {
    let server = Server::open_to_all().await;
    for version in [V1_1, V1_2, V1_3] {
        let name = format!("new{}", version.as_str().replace('.', ""));
        let mut phone = Phone::new(&server, &name, version, Syntax::Wbxml).await;
        assert_eq!(phone.log_in(support::PASSWORD).await, 200);
        phone.log_out().await;
        assert_eq!(phone.log_in("wrong").await, 409);
        let name = format!("digest{}", version.as_str().replace('.', ""));
        let mut phone = Phone::new(&server, &name, version, Syntax::Wbxml).await;
        // The server asks for the password itself (csp-access 3.7).
        assert_eq!(phone.log_in_by_digest("PWD", support::PASSWORD).await, 200);
        phone.log_out().await;
    }
    server.stop().await;
}
