//! The CIR channel (transport 6): what is agreed, and each of its methods.

mod agree;
mod http;
mod tcp;
mod trace;
mod udp;

use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;

/// Everything that can be served, on this machine.
pub const EVERYTHING: [&str; 3] = [
    "cir.tcp.listen=127.0.0.1:0",
    "cir.udp.listen=127.0.0.1:0",
    "cir.udp.private=true",
];

/// A server with everything, and these users.
pub async fn village(users: &[&str]) -> TestServer {
    TestServer::with_users(&EVERYTHING, users).await
}

/// Negotiates these methods; the list of the answer.
pub async fn negotiate(client: &mut Client, methods: &[&str], more: &str) -> Element {
    let answer = client.request(&capability(methods, more)).await;
    let response = answer.expect("ClientCapability-Response");
    let list = response
        .at("CapabilityList")
        .or_else(|| response.at("AgreedCapabilityList"));
    list.expect("a list").clone()
}

/// A ClientCapability-Request.
pub fn capability(methods: &[&str], more: &str) -> String {
    format!(
        "<ClientCapability-Request>{}</ClientCapability-Request>",
        capability_list(methods, more)
    )
}

/// Its list.
pub fn capability_list(methods: &[&str], more: &str) -> String {
    let methods: String = methods
        .iter()
        .map(|method| format!("<SupportedCIRMethod>{method}</SupportedCIRMethod>"))
        .collect();
    format!(
        "<CapabilityList><ClientType>MOBILE_PHONE</ClientType><SupportedBearer>HTTP</SupportedBearer>\
         {methods}<ParserSize>131072</ParserSize><ServerPollMin>8</ServerPollMin>{more}</CapabilityList>"
    )
}

/// The URL of standalone HTTP in a list.
pub fn url(list: &Element) -> String {
    let url = list.text("CIRURL/URL").or(list.text("CIRHTTPAddress/URL"));
    url.expect("a URL").to_owned()
}

/// The next message of a client, fetched and acknowledged.
pub async fn fetch(client: &mut Client) -> String {
    let message = client.take().await.expect("what it was told of");
    message.text("ContentData").expect("a message").to_owned()
}
