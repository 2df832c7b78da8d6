//! What is agreed (transport 6.1; csp-access 6.2).

use super::{EVERYTHING, capability_list, negotiate, url, village};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;

const ALL: [&str; 6] = ["WAPSMS", "WAPUDP", "SHTTP", "SUDP", "STCP", "SSMS"];

#[tokio::test(flavor = "multi_thread")]
async fn each_version_is_told_in_its_own_elements_what_listens() {
    let server = village(&["alice"]).await;
    let tcp_port = server.cir_tcp().port().to_string();
    let udp_port = server.cir_udp().port().to_string();
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        for version in Version::ALL {
            let mut client = server.client(version, syntax, "alice").await;
            let more = "<UDPPort>4000</UDPPort>";
            let list = negotiate(&mut client, &ALL, more).await;
            // MOV-29, AND-10: the address is that by which the client came.
            assert_eq!(list.text("TCPAddress"), Some("127.0.0.1"));
            assert_eq!(list.text("TCPPort"), Some(&*tcp_port));
            let methods = list.texts("SupportedCIRMethod");
            match version {
                Version::V1_1 => {
                    assert_eq!(list.name, "CapabilityList");
                    assert_eq!(methods, ["STCP", "SUDP"]);
                    assert_eq!(list.text("UDPPort"), Some("4000"));
                }
                Version::V1_2 => {
                    assert_eq!(methods, ["STCP", "SUDP", "SHTTP"]);
                    assert!(list.at("UDPPort").is_none());
                    assert!(list.text("CIRURL/URL").is_some(), "AND-11");
                }
                Version::V1_3 => {
                    assert_eq!(methods, ["STCP", "SUDP", "SHTTP"]);
                    assert_eq!(list.text("UDPAddress"), Some("127.0.0.1"));
                    assert_eq!(list.text("UDPPort"), Some(&*udp_port));
                    assert!(list.text("CIRHTTPAddress/URL").is_some());
                }
            }
            if version != Version::V1_1 {
                let url = url(&list);
                let base = format!("http://{}/cir/", server.address());
                let id = url.strip_prefix(&base).expect("an absolute URL");
                assert!(id.len() >= 32 && !id.contains(&client.session), "{url}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_listen_is_not_offered() {
    // AND-10: a dead address would make the login fail.
    let server = TestServer::with_users(&["cir.http.enabled=false"], &["alice"]).await;
    for version in Version::ALL {
        let mut client = server.client(version, Syntax::Xml, "alice").await;
        let list = negotiate(&mut client, &ALL, "").await;
        for element in ["SupportedCIRMethod", "TCPAddress", "TCPPort", "CIRURL"] {
            assert!(list.at(element).is_none(), "{element} in {version:?}");
        }
    }
    // By the ordinary listener there is SHTTP.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut client = server.xml("alice").await;
    let list = negotiate(&mut client, &ALL, "").await;
    assert_eq!(list.texts("SupportedCIRMethod"), ["SHTTP"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_are_not_agreed_for_a_private_address_unless_the_operator_says_so() {
    let settings = ["cir.udp.listen=127.0.0.1:0"];
    let server = TestServer::with_users(&settings, &["alice"]).await;
    let mut client = server.client(Version::V1_1, Syntax::Wbxml, "alice").await;
    let list = negotiate(&mut client, &["SUDP"], "<UDPPort>4000</UDPPort>").await;
    assert!(list.at("SupportedCIRMethod").is_none());
    assert!(list.at("UDPPort").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_says_what_clients_are_told() {
    let mut settings = EVERYTHING.to_vec();
    settings.extend([
        "cir.tcp.address=cir.example:99",
        "cir.udp.address=udp.example",
        "cir.http.url=https://im.example/imps/",
    ]);
    let server = TestServer::with_users(&settings, &["alice"]).await;
    let mut client = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let list = negotiate(&mut client, &ALL, "").await;
    assert_eq!(list.text("TCPAddress"), Some("cir.example"));
    assert_eq!(list.text("TCPPort"), Some("99"));
    assert_eq!(list.text("UDPAddress"), Some("udp.example"));
    assert!(url(&list).starts_with("https://im.example/imps/cir/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_1_3_may_agree_on_them_by_itself() {
    // csp-access 6.1; examples 1.
    let server = village(&["alice"]).await;
    let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    let list = capability_list(&["STCP", "SHTTP"], "");
    let login = client.login_step("wv:alice@h", "<Password>secret</Password>", &list);
    let answer = client.outband(&login).await;
    answer.expect_code(200);
    let response = answer.expect("Login-Response");
    assert_eq!(response.text("CapabilityRequest"), Some("F"));
    let agreed = response.at("AgreedCapabilityList").expect("a list");
    assert_eq!(agreed.texts("SupportedCIRMethod"), ["STCP", "SHTTP"]);
    assert_eq!(agreed.text("TCPAddress"), Some("127.0.0.1"));
    assert!(agreed.text("CIRHTTPAddress/URL").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_negotiation_replaces_the_old() {
    let server = village(&["alice"]).await;
    let mut client = server.xml("alice").await;
    let first = negotiate(&mut client, &["SHTTP"], "").await;
    let again = negotiate(&mut client, &["STCP", "SHTTP"], "").await;
    assert_eq!(again.texts("SupportedCIRMethod"), ["STCP", "SHTTP"]);
    assert_eq!(url(&first), url(&again), "the client may go on with it");
    let none = negotiate(&mut client, &[], "").await;
    assert!(none.at("SupportedCIRMethod").is_none());
    assert!(none.at("CIRURL").is_none());
    let mut get = hamlet_tests::channel::HttpChannel::get(&url(&first)).await;
    assert_eq!(get.answer().await.status, 404);
}
