//! Segmentation (csp-access 14).

use hamlet_csp::elements::SegmentInfo;
use hamlet_csp::{Document, Primitive, Syntax, Transaction, Version, decode, decode_primitive};
use hamlet_tests::client::{Client, transaction};
use hamlet_tests::server::TestServer;
use std::fmt::Write as _;

/// Less than half of the response.
fn parser_size(syntax: Syntax) -> usize {
    match syntax {
        Syntax::Xml => 1500,
        Syntax::Wbxml => 700,
    }
}

/// Everything, and so SGMNT too.
const ALL: &str = "<Functions><WVCSPFeat/></Functions>";

async fn log_in(server: &TestServer, version: Version, syntax: Syntax, functions: &str) -> Client {
    let mut client = Client::connect(server.address(), version, syntax).await;
    client
        .login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
    if !functions.is_empty() {
        let request = format!(
            "<Service-Request>{functions}<AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>"
        );
        client.request(&request).await.expect("Service-Response");
    }
    client
}

async fn bound(client: &mut Client) {
    let size = parser_size(client.syntax);
    let answer = client
        .request(&format!(
            "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
             <ParserSize>{size}</ParserSize><MultiTrans>2</MultiTrans>\
             <MultiTransPerMessage>2</MultiTransPerMessage></CapabilityList></ClientCapability-Request>"
        ))
        .await;
    answer.expect("ClientCapability-Response");
}

/// The transactions of the answer to these, and its size.
async fn send(client: &mut Client, transactions: &[String]) -> (Vec<Transaction>, usize) {
    let body = client.message("Inband", transactions);
    let http = client.post(&body).await;
    let decoded = decode(&http.body, client.syntax).expect("a message");
    let Document::Message(message) = decoded.document else {
        panic!("{decoded:?}");
    };
    (message.transactions, http.body.len())
}

async fn one(client: &mut Client, id: &str, content: &str) -> (Transaction, usize) {
    let request = transaction("Request", Some(id), content);
    let (mut transactions, size) = send(client, &[request]).await;
    assert_eq!(transactions.len(), 1);
    (transactions.remove(0), size)
}

fn part(transaction: &Transaction) -> (SegmentInfo, Vec<u8>) {
    let Ok(Primitive::GetSegmentResponse(response)) = &transaction.content else {
        panic!("{transaction:?}");
    };
    let info = transaction.segment_info.clone().expect("SegmentInfo");
    let octets = response.segment_content.clone();
    (info, octets.expect("SegmentContent"))
}

fn segment(primitive: &str, of: &str, reference: u32) -> String {
    format!(
        "<{primitive}><SegmentID><TransactionID>{of}</TransactionID>\
         <SegmentReference>{reference}</SegmentReference></SegmentID></{primitive}>"
    )
}

fn code(transaction: &Transaction) -> Option<u32> {
    match &transaction.content {
        Ok(Primitive::Status(status)) => status.result.as_ref()?.code,
        _ => None,
    }
}

async fn server() -> TestServer {
    let server = TestServer::with_users(&[], &["alice"]).await;
    for number in 0..30 {
        server
            .add_user(&format!("wv:somebody{number}@h"), "secret")
            .await;
    }
    server
}

/// Answered by a list of thirty members.
async fn make_list(client: &mut Client) {
    let mut members = String::new();
    for number in 0..30 {
        let _ = write!(
            members,
            "<NickName><Name>Somebody of the name of {number}</Name>\
             <UserID>wv:somebody{number}@h</UserID></NickName>"
        );
    }
    let answer = client
        .request(&format!(
            "<CreateList-Request><ContactList>wv:alice/many@h</ContactList><NickList>{members}</NickList>\
             </CreateList-Request>"
        ))
        .await;
    // 1.3 answers with the list and has no Result there.
    assert!(answer.code().is_none_or(|code| code == 200), "{answer:?}");
}

const LARGE: &str = "<ListManage-Request><ContactList>wv:alice/many@h</ContactList>\
                     <ReceiveList>T</ReceiveList></ListManage-Request>";

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_too_large_comes_in_parts() {
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let server = server().await;
        let limit = parser_size(syntax);
        let mut client = log_in(&server, Version::V1_3, syntax, ALL).await;
        make_list(&mut client).await;
        let (whole, size) = one(&mut client, "whole", LARGE).await;
        assert!(size > 2 * limit, "{size}");
        bound(&mut client).await;
        let (first, size) = one(&mut client, "c1", LARGE).await;
        assert!(size <= limit, "{size}");
        let (info, mut octets) = part(&first);
        let count = info.segment_count.expect("SegmentCount");
        assert!(count > 2, "{count}");
        for reference in 2..=count {
            let request = segment("GetSegment-Request", "c1", reference);
            let id = format!("g{reference}");
            let (next, size) = one(&mut client, &id, &request).await;
            assert_eq!(next.id.as_deref(), Some(id.as_str()));
            assert!(size <= limit, "{size}");
            let (info, more) = part(&next);
            let id = info.segment_id.expect("SegmentID");
            assert_eq!(info.segment_count, Some(count));
            assert_eq!(id.transaction_id.as_deref(), Some("c1"));
            assert_eq!(id.segment_reference, Some(reference));
            octets.extend(more);
        }
        let joined = decode_primitive(&octets, syntax, Version::V1_3).expect("a primitive");
        assert_eq!(Ok(joined), whole.content);

        for (reference, expected) in [(0, 402), (count + 1, 402)] {
            let request = segment("GetSegment-Request", "c1", reference);
            let (refused, _) = one(&mut client, &format!("r{reference}"), &request).await;
            assert_eq!(code(&refused), Some(expected), "{reference}");
        }
        for (id, request, expected) in [
            ("u1", segment("GetSegment-Request", "nothing", 1), 404),
            ("u2", segment("DropSegment-Request", "nothing", 1), 404),
            ("u3", segment("DropSegment-Request", "c1", 1), 200),
            ("u4", segment("GetSegment-Request", "c1", 1), 404),
        ] {
            let (answer, _) = one(&mut client, id, &request).await;
            assert_eq!(code(&answer), Some(expected), "{request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_responses_share_the_room_of_one_message() {
    let server = server().await;
    let mut client = log_in(&server, Version::V1_3, Syntax::Wbxml, ALL).await;
    make_list(&mut client).await;
    bound(&mut client).await;
    let large = transaction("Request", Some("c1"), LARGE);
    let small = transaction("Request", Some("c2"), "<KeepAlive-Request/>");
    let (answers, size) = send(&mut client, &[large, small]).await;
    assert!(size <= parser_size(Syntax::Wbxml), "{size}");
    assert_eq!(answers.len(), 2);
    part(&answers[0]);
    assert!(matches!(
        answers[1].content,
        Ok(Primitive::KeepAliveResponse(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_agreement_the_response_is_too_large() {
    let server = server().await;
    let without = "<Functions><WVCSPFeat><PresenceFeat/></WVCSPFeat></Functions>";
    for (index, (version, functions)) in [
        (Version::V1_2, ALL),
        (Version::V1_3, without),
        (Version::V1_3, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = log_in(&server, version, Syntax::Wbxml, functions).await;
        // The list stays with the account.
        if index == 0 {
            make_list(&mut client).await;
        }
        bound(&mut client).await;
        let (answer, size) = one(&mut client, "c1", LARGE).await;
        assert!(size <= parser_size(Syntax::Wbxml), "{size}");
        assert_eq!(code(&answer), Some(432), "{version} {functions}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_belong_to_their_session() {
    let server = server().await;
    let mut client = log_in(&server, Version::V1_3, Syntax::Wbxml, ALL).await;
    make_list(&mut client).await;
    bound(&mut client).await;
    let (first, _) = one(&mut client, "c1", LARGE).await;
    part(&first);
    let mut other = Client::connect(server.address(), Version::V1_3, Syntax::Wbxml).await;
    other.client_id = "another".into();
    other
        .login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
    let request = segment("GetSegment-Request", "c1", 1);
    let (answer, _) = one(&mut other, "o1", &request).await;
    assert_eq!(code(&answer), Some(404), "another session's");
}
