//! csp-access 2.4 and 5, csp-im 5 to 8, csp-presence 2 and 4.

use super::server::{Server, logged_in, message, status};
use crate::{
    AttributeName, AttributeSet, Availability, Client, Contact, Error, Incoming, ListChange,
    Outgoing, PresenceUpdate, Recipients, StatusCode, Syntax, Targets, Version,
};
use std::time::Duration;

async fn client(server: &Server) -> Client {
    server.answer(logged_in("c1"));
    let mut client = Client::builder(&server.url)
        .version(Version::V1_2)
        .syntax(Syntax::Xml)
        .user("wv:anna@im.example")
        .password("secret")
        .poll_min(Duration::ZERO)
        .connect()
        .await
        .unwrap();
    client.login().await.unwrap();
    client
}

fn new_message(transaction: &str, id: &str, text: &str, poll: &str) -> String {
    message(
        "Request",
        transaction,
        &format!(
            "<NewMessage><MessageInfo><MessageID>{id}</MessageID><ContentSize>2</ContentSize>\
             <Recipient><User><UserID>wv:anna@im.example</UserID></User></Recipient>\
             <Sender><User><UserID>wv:bob@im.example</UserID></User></Sender></MessageInfo>\
             <ContentData>{text}</ContentData></NewMessage>"
        ),
        poll,
    )
}

#[tokio::test]
async fn a_message_is_polled_acknowledged_and_followed_by_the_next() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    server.answer(new_message(
        "S1",
        "m1",
        "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442} \u{1f600}",
        "T",
    ));
    let first = client.poll().await.unwrap().unwrap();
    assert!(
        server.last().contains("<TransactionID/>")
            || server.last().contains("<TransactionID></TransactionID>")
    );
    let Incoming::Message(received) = &first else {
        panic!("{first:?}")
    };
    assert_eq!(
        received.text(),
        "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442} \u{1f600}"
    );
    assert_eq!(received.sender().as_deref(), Some("wv:bob@im.example"));
    assert!(!received.repeated && client.poll_flag());

    server.answer(new_message("S2", "m1", "again", "F"));
    client.acknowledge(&first).await.unwrap();
    let acknowledgement = server.last();
    for part in [
        "<TransactionMode>Response</TransactionMode><TransactionID>S1</TransactionID>",
        "<MessageDelivered><MessageID>m1</MessageID></MessageDelivered>",
    ] {
        assert!(acknowledgement.contains(part), "{part}");
    }
    let second = client.received().unwrap();
    assert!(matches!(&second, Incoming::Message(m) if m.repeated && m.text() == "again"));
    server.answer("");
    client.acknowledge(&second).await.unwrap();
    assert_eq!(client.received(), None);
}

#[tokio::test]
async fn next_polls_until_something_comes_and_stops_at_its_deadline() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    server.answer("");
    server.answer("");
    server.answer(new_message("S1", "m1", "hi", "F"));
    let incoming = client.next(Duration::from_secs(30)).await.unwrap();
    assert!(matches!(incoming, Some(Incoming::Message(_))));
    assert_eq!(server.asked().len(), 4);
    server.answer("");
    assert_eq!(client.next(Duration::ZERO).await.unwrap(), None);
}

#[tokio::test]
async fn an_announced_message_is_fetched_and_confirmed() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let info = "<MessageInfo><MessageID>m7</MessageID><ContentEncoding>BASE64</ContentEncoding><ContentSize>2</ContentSize></MessageInfo>";
    let notice = format!("<MessageNotification>{info}</MessageNotification>");
    server.answer(message("Request", "S1", &notice, "F"));
    let incoming = client.poll().await.unwrap().unwrap();
    let Incoming::Notification(notification) = &incoming else {
        panic!("{incoming:?}")
    };
    let id = notification.message_id().unwrap();
    server.answer("");
    client.acknowledge(&incoming).await.unwrap();
    let content =
        format!("<GetMessage-Response>{info}<ContentData>aGk=</ContentData></GetMessage-Response>");
    server.answer(message("Response", "c2", &content, "F"));
    let fetched = client.fetch(&id).await.unwrap();
    assert_eq!((fetched.text().as_str(), fetched.repeated), ("hi", false));
    server.answer(status("c3", 200));
    client.confirm(&id).await.unwrap();
    assert!(
        server
            .last()
            .contains("<TransactionMode>Request</TransactionMode>")
    );
}

#[tokio::test]
async fn the_own_interval_goes_before_the_agreed_one() {
    let server = Server::start().await;
    server.answer(logged_in("c1"));
    server.answer(message(
        "Response",
        "c2",
        "<ClientCapability-Response><AgreedCapabilityList><ServerPollMin>30</ServerPollMin></AgreedCapabilityList></ClientCapability-Response>",
        "F",
    ));
    let builder = Client::builder(&server.url)
        .version(Version::V1_2)
        .syntax(Syntax::Xml)
        .poll_every(Duration::ZERO);
    let mut client = builder.connect().await.unwrap();
    client.login().await.unwrap();
    client.negotiate_capabilities().await.unwrap();
    assert_eq!(client.poll_interval(), Duration::ZERO);
}

#[tokio::test]
async fn reports_presence_and_the_unknown_are_answered_with_a_status() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let report = "<DeliveryReport-Request><Result><Code>542</Code></Result><MessageInfo><MessageID>m9</MessageID><ContentSize>1</ContentSize></MessageInfo></DeliveryReport-Request>";
    let presence = "<PresenceNotification-Request><Presence><UserID>wv:bob@im.example</UserID>\
        <PresenceSubList xmlns=\"http://www.openmobilealliance.org/DTD/WV-PA1.2\"><OnlineStatus><Qualifier>T</Qualifier><PresenceValue>T</PresenceValue></OnlineStatus>\
        <UserAvailability><Qualifier>T</Qualifier><PresenceValue>DISCREET</PresenceValue></UserAvailability>\
        <StatusText><Qualifier>F</Qualifier><PresenceValue>old</PresenceValue></StatusText></PresenceSubList></Presence></PresenceNotification-Request>";
    let other = "<GroupChangeNotice><GroupID>wv:bob/ski@im.example</GroupID></GroupChangeNotice>";
    let answer = "<Invite-Response><InviteID>i</InviteID><Acceptance>T</Acceptance><Sender><User><UserID>wv:bob@im.example</UserID></User></Sender>\
        <ResponseNote>Fine</ResponseNote></Invite-Response>";
    let withdrawn = "<CancelInviteUser-Request><InviteID>j</InviteID><Sender><User><UserID>wv:bob@im.example</UserID></User></Sender></CancelInviteUser-Request>";
    for (transaction, content) in [
        ("S1", report),
        ("S2", presence),
        ("S3", other),
        ("S4", answer),
        ("S5", withdrawn),
    ] {
        server.answer(message("Request", transaction, content, "F"));
        let incoming = client.poll().await.unwrap().unwrap();
        match &incoming {
            Incoming::DeliveryReport(report) => {
                assert_eq!(report.result.code, StatusCode::MESSAGE_EXPIRED);
                assert_eq!(report.message_id().unwrap().as_str(), "m9");
            }
            Incoming::Presence(notice) => {
                let bob = &notice.presences[0];
                assert_eq!(bob.user, "wv:bob@im.example");
                assert_eq!(bob.online(), Some(true));
                assert_eq!(bob.availability(), Some(Availability::Discreet));
                assert_eq!(bob.status_text(), None);
            }
            Incoming::Other(other) => assert!(other.primitive.is_some()),
            Incoming::InvitationAnswer(answer) => {
                assert_eq!((answer.id.as_str(), answer.accepted), ("i", true));
                assert_eq!(answer.from.as_deref(), Some("wv:bob@im.example"));
                assert_eq!(answer.note.as_deref(), Some("Fine"));
            }
            Incoming::InvitationWithdrawn(withdrawn) => assert_eq!(withdrawn.id, "j"),
            other => panic!("{other:?}"),
        }
        server.answer("");
        client.acknowledge(&incoming).await.unwrap();
        let answer = server.last();
        assert!(answer.contains(&format!("<TransactionID>{transaction}</TransactionID>")));
        assert!(answer.contains("<Status><Result><Code>200</Code></Result></Status>"));
    }
}

#[tokio::test]
async fn questions_and_invitations_are_left_to_another_client_unless_they_are_shown() {
    // csp-presence 6.6, csp-access 10.2: acknowledged, they would not come to the user's phone
    // any more.
    let question = "<PresenceAuth-Request><UserID>wv:bob@im.example</UserID><PresenceSubList><Alias/></PresenceSubList></PresenceAuth-Request>";
    let notification = "<Notification-Request><NotificationType>ANU</NotificationType><PresenceSubList><Alias/></PresenceSubList>\
        <UserIDList><UserID>wv:bob@im.example</UserID></UserIDList></Notification-Request>";
    let invitation = "<InviteUser-Request><InviteID>i</InviteID><InviteType>GR</InviteType><Sender><User><UserID>wv:bob@im.example</UserID></User></Sender>\
        <GroupID>wv:bob/ski@im.example</GroupID><InviteNote>Come</InviteNote><Validity>60</Validity></InviteUser-Request>";
    for content in [question, notification, invitation] {
        let server = Server::start().await;
        let mut client = client(&server).await;
        for (transaction, shown, code) in [("S1", false, "501"), ("S2", true, "200")] {
            server.answer(message("Request", transaction, content, "F"));
            let incoming = client.poll().await.unwrap().unwrap();
            match &incoming {
                Incoming::Authorization(request) => {
                    assert_eq!(request.watchers, ["wv:bob@im.example"]);
                    let alias = AttributeSet::from_iter([AttributeName::Alias]);
                    assert_eq!(request.attributes, alias);
                }
                Incoming::Invitation(invitation) => {
                    assert_eq!(invitation.id, "i");
                    assert_eq!(invitation.group.as_deref(), Some("wv:bob/ski@im.example"));
                    assert_eq!(invitation.note.as_deref(), Some("Come"));
                    assert_eq!(invitation.validity, Some(Duration::from_secs(60)));
                }
                other => panic!("{other:?}"),
            }
            server.answer("");
            match shown {
                true => client.shown(&incoming).await.unwrap(),
                false => client.acknowledge(&incoming).await.unwrap(),
            }
            let answer = server.last();
            assert!(answer.contains(&format!("<Code>{code}</Code>")), "{answer}");
            assert!(answer.contains(&format!("<TransactionID>{transaction}</TransactionID>")));
        }
    }
}

#[tokio::test]
async fn a_disconnect_and_code_604_end_the_session() {
    let server = Server::start().await;
    let mut first = client(&server).await;
    server.answer(message(
        "Request",
        "S1",
        "<Disconnect><Result><Code>601</Code></Result></Disconnect>",
        "F",
    ));
    let incoming = first.poll().await.unwrap().unwrap();
    assert!(matches!(&incoming, Incoming::Disconnect(r) if r.code == StatusCode::FORCED_LOGOUT));
    first.acknowledge(&incoming).await.unwrap();
    assert!(first.session().is_none());

    for send in [true, false] {
        let mut second = client(&server).await;
        server.answer(status("c2", 604));
        let error = match send {
            true => second.send("wv:bob@im.example", "x").await.unwrap_err(),
            false => second.poll().await.unwrap_err(),
        };
        assert!(matches!(&error, Error::SessionEnded(r) if r.code == StatusCode::INVALID_SESSION));
        assert!(error.ends_session() && second.session().is_none());
    }
}

#[tokio::test]
async fn a_partial_success_names_the_recipients_that_failed() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    server.answer(message(
        "Response",
        "c2",
        "<SendMessage-Response><Result><Code>201</Code><DetailedResult><Code>531</Code><UserID>wv:x@im.example</UserID></DetailedResult></Result><MessageID>m1</MessageID></SendMessage-Response>",
        "F",
    ));
    let to = Recipients::new()
        .user("wv:bob@im.example")
        .user("wv:x@im.example")
        .contact_list("wv:anna/friends@im.example");
    let message = Outgoing::text("a < b")
        .report(true)
        .validity(Duration::from_secs(60));
    let result = client.send(to, message).await.unwrap();
    assert_eq!(result.message_id.as_ref().unwrap().as_str(), "m1");
    assert_eq!(
        result.code_of_user("wv:X@im.example"),
        Some(StatusCode::UNKNOWN_USER)
    );
    assert_eq!(result.code_of_user("wv:bob@im.example"), None);
    let asked = server.last();
    for part in [
        "<DeliveryReport>T</DeliveryReport>",
        "<ContentSize>5</ContentSize>",
        "<Validity>60</Validity>",
        "<ContactList>wv:anna/friends@im.example</ContactList>",
        "<ContentData>a &lt; b</ContentData>",
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
}

#[tokio::test]
async fn a_refusal_carries_its_details() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    server.answer(message(
        "Response",
        "c2",
        "<SendMessage-Response><Result><Code>532</Code><Description>blocked</Description><DetailedResult><Code>532</Code><UserID>wv:bob@im.example</UserID></DetailedResult></Result></SendMessage-Response>",
        "F",
    ));
    let error = client.send("wv:bob@im.example", "x").await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.code, StatusCode::BLOCKED);
    assert_eq!(
        refusal.code_of_user("wv:bob@im.example"),
        Some(StatusCode::BLOCKED)
    );
    assert_eq!(
        error.to_string(),
        "refused: 532 blocked; 532 wv:bob@im.example"
    );
    assert!(!error.ends_session());
}

#[tokio::test]
async fn contact_lists_are_read_and_changed() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    server.answer(message(
        "Response",
        "c2",
        "<GetList-Response><ContactList>wv:anna/work@im.example</ContactList><DefaultContactList>wv:anna/friends@im.example</DefaultContactList></GetList-Response>",
        "F",
    ));
    let lists = client.get_lists().await.unwrap();
    assert_eq!(
        lists.all().collect::<Vec<_>>(),
        ["wv:anna/friends@im.example", "wv:anna/work@im.example"]
    );
    server.answer(message(
        "Response",
        "c3",
        "<ListManage-Response><Result><Code>200</Code></Result><NickList><NickName><Name>Bob</Name><UserID>wv:bob@im.example</UserID></NickName><UserID>wv:eve@im.example</UserID></NickList>\
         <ContactListProperties><Property><Name>Default</Name><Value>T</Value></Property></ContactListProperties></ListManage-Response>",
        "F",
    ));
    let change = ListChange::Add(vec![Contact::named("wv:bob@im.example", "Bob")]);
    let list = client
        .manage_list("wv:anna/friends@im.example", change)
        .await
        .unwrap();
    assert_eq!(
        list.members,
        Some(vec![
            Contact::named("wv:bob@im.example", "Bob"),
            Contact::new("wv:eve@im.example")
        ])
    );
    assert_eq!(list.properties, [("Default".to_owned(), "T".to_owned())]);
    assert!(
        server
            .last()
            .contains("<AddNickList><NickName><Name>Bob</Name>")
    );
}

#[tokio::test]
async fn presence_is_asked_for_in_the_form_of_the_version() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    server.answer(status("c2", 200));
    let update = PresenceUpdate::new()
        .availability(Availability::Available)
        .status_text("here");
    client.update_presence(update).await.unwrap();
    assert!(
        server
            .last()
            .contains("<PresenceValue>AVAILABLE</PresenceValue>")
    );
    server.answer(status("c3", 200));
    let targets = Targets::new().contact_list("wv:anna/friends@im.example");
    client.subscribe(targets, None, true).await.unwrap();
    assert!(server.last().contains(
        "<SubscribePresence-Request><ContactList>wv:anna/friends@im.example</ContactList><AutoSubscribe>T</AutoSubscribe>"
    ));
    server.answer(message(
        "Response",
        "c4",
        "<GetPresence-Response><Result><Code>200</Code></Result><Presence><UserID>wv:bob@im.example</UserID><PresenceSubList xmlns=\"http://www.openmobilealliance.org/DTD/WV-PA1.2\"/></Presence></GetPresence-Response>",
        "F",
    ));
    let (presences, _) = client
        .get_presence("wv:bob@im.example", None)
        .await
        .unwrap();
    assert_eq!(presences[0].online(), None);
    assert!(
        server
            .last()
            .contains("<User><UserID>wv:bob@im.example</UserID></User>")
    );

    server.answer(logged_in("c1"));
    let mut newer = Client::builder(&server.url)
        .version(Version::V1_3)
        .syntax(Syntax::Xml)
        .build()
        .unwrap();
    newer.login().await.unwrap();
    server.answer(status("c2", 200));
    newer.unsubscribe("wv:bob@im.example").await.unwrap();
    assert!(
        server
            .last()
            .contains("<UserIDList><UserID>wv:bob@im.example</UserID></UserIDList>")
    );
}

#[tokio::test]
async fn the_server_says_who_runs_it_without_a_login() {
    let server = Server::start().await;
    server.answer(message(
        "Response",
        "c1",
        "<GetSPInfo-Response><Name>Example</Name><URL>http://example.org/</URL></GetSPInfo-Response>",
        "F",
    ));
    let mut client = Client::builder(&server.url)
        .version(Version::V1_2)
        .syntax(Syntax::Xml)
        .build()
        .unwrap();
    let info = client.sp_info().await.unwrap();
    assert_eq!(
        (info.name.as_str(), info.url.as_deref()),
        ("Example", Some("http://example.org/"))
    );
    assert!(server.last().contains("<SessionType>Outband</SessionType>"));
}

#[tokio::test]
async fn versions_are_discovered_newest_first() {
    let server = Server::start().await;
    server.answer(
        "<WV-CSP-VersionDiscovery-Response xmlns=\"http://www.openmobilealliance.org/DTD/WV-CSP1.2\"><VersionList>\
         <SessionNSName>http://www.wireless-village.org/CSP1.1</SessionNSName>\
         <SessionNSName>http://www.openmobilealliance.org/DTD/IMPS-CSP1.3</SessionNSName></VersionList></WV-CSP-VersionDiscovery-Response>",
    );
    let versions = crate::discover_versions(&server.url, Syntax::Xml, Default::default());
    assert_eq!(versions.await.unwrap(), [Version::V1_3, Version::V1_1]);
}
