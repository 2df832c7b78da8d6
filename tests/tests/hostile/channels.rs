//! Half-open CIR connections.

use crate::{Attacked, free_address, log_in};
use hamlet_tests::channel::TcpChannel;

const AGREE: &str = "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
                     <SupportedBearer>HTTP</SupportedBearer><SupportedCIRMethod>STCP</SupportedCIRMethod>\
                     </CapabilityList></ClientCapability-Request>";

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_helo_make_way_for_each_other_and_for_nobody_else() {
    let cir = free_address();
    let listen = format!("cir.tcp.listen={cir}");
    let attacked = Attacked::start(&[&listen, "cir.tcp.max_connections=400"]).await;
    let mut carol = log_in(attacked.address(), "carol").await;
    carol
        .request(AGREE)
        .await
        .expect("ClientCapability-Response");
    let mut channel = TcpChannel::open(cir, &carol.session).await;

    // A quarter of the places is for those that have not said HELO.
    let mut half_open = Vec::new();
    for _ in 0..1000 {
        half_open.push(TcpChannel::connect(cir).await);
    }
    for mut closed in half_open.drain(..900) {
        assert!(closed.is_closed().await);
    }
    attacked
        .expect_one_line("a CIR connection without HELO")
        .await;
    // Each of these takes a place of the others while it lasts.
    for number in 0..300 {
        let mut stranger = TcpChannel::connect(cir).await;
        stranger.say(&format!("HELO {number:032x}\r\n")).await;
        assert!(stranger.is_closed().await);
    }
    attacked.expect_one_line("HELO of an unknown session").await;
    for _ in 0..100 {
        let mut babbler = TcpChannel::connect(cir).await;
        babbler.say(&"x".repeat(600)).await;
        assert!(babbler.is_closed().await);
    }
    attacked
        .expect_one_line("a CIR connection that sends too much")
        .await;

    // Carol is told of her message all the same, by the channel that she has had all along.
    let mut dave = log_in(attacked.address(), "dave").await;
    dave.send_text("wv:carol@h", "hello").await.expect_code(200);
    assert!(channel.hear().await.starts_with("WVCI 1.3"));
    let mut again = TcpChannel::open(cir, &carol.session).await;
    again.say("PING\r\n").await;
    assert_eq!(again.hear().await, "OK\r\n");
    // 100 connections of a few kilobytes.
    attacked.survives(32).await;
    drop(half_open);
}
