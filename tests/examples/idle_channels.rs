//! Many idle CIR channels against a server in a process of its own: what memory each costs,
//! and how long a message takes to one of them.
//!
//! `cargo run --release -p hamlet-tests --example idle_channels -- [COUNT [tcp|http]]`: without
//! more, 10,000 by standalone TCP and then 10,000 by standalone HTTP.

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::channel::{HttpChannel, TcpChannel};
use hamlet_tests::client::Client;
use hamlet_tests::process::Hamletd;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// Logins at a time.
const CONCURRENT: usize = 16;

/// Messages whose time is taken, and empty polls.
const SAMPLES: usize = 500;

/// One client: its session, and the URL of standalone HTTP.
struct Session {
    id: String,
    url: String,
}

enum Channel {
    Tcp(TcpChannel),
    Http(HttpChannel),
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let count = words.next();
    let count = count.map_or(10_000, |word| word.parse().expect("a number"));
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a limit of open files that can be raised");
    match words.next().as_deref() {
        Some("tcp") => measure(count, false).await,
        Some("http") => measure(count, true).await,
        _ => {
            measure(count, false).await;
            measure(count, true).await;
        }
    }
}

/// One server with so many channels.
async fn measure(count: usize, http: bool) {
    let tcp = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    let server = Hamletd::start(&[
        "domain=h",
        "accounts.auto_register=true",
        "log.level=warn,hamletd=info",
        &format!("cir.tcp.listen={tcp}"),
        &format!("cir.tcp.max_connections={}", count + 100),
        &format!("cir.http.max_waiting={}", count + 100),
        &format!("http.max_connections={}", 2 * count + 1000),
        "cir.http.hold=39s",
    ]);
    let sessions = sessions(server.address(), count).await;
    let before = server.resident_octets();
    let start = Instant::now();
    let mut channels: Vec<Channel> = opened(&sessions, tcp, http).await;
    let taken = start.elapsed();
    let after = server.resident_octets();
    let method = if http { "SHTTP" } else { "STCP" };
    say(&format!(
        "{count} idle channels by {method}, opened in {:.1} s: resident {} MiB with the sessions, {} MiB with the \
         channels, {} octets a channel",
        taken.as_secs_f64(),
        before >> 20,
        after >> 20,
        after.saturating_sub(before) / count as u64,
    ));

    let mut bob = client(server.address(), "bob").await;
    let mut poller = Client::connect(server.address(), Version::V1_2, Syntax::Wbxml).await;
    let mut empty = Vec::new();
    let mut announced = Vec::new();
    let mut fetched = Vec::new();
    for sample in 0..SAMPLES {
        let at = sample * 7919 % count;
        poller.session.clone_from(&sessions[at].id);
        let start = Instant::now();
        assert!(poller.poll().await.is_empty());
        empty.push(start.elapsed());
        let start = Instant::now();
        bob.send_text(&format!("wv:u{at}@h"), "hello").await;
        match &mut channels[at] {
            Channel::Tcp(channel) => assert!(channel.hear().await.starts_with("WVCI")),
            Channel::Http(channel) => {
                // It may have been answered before, when nothing had come for so long.
                while channel.answer().await.status != 200 {
                    *channel = HttpChannel::get(&sessions[at].url).await;
                }
            }
        }
        announced.push(start.elapsed());
        assert!(poller.take().await.is_some());
        fetched.push(start.elapsed());
        if http {
            channels[at] = Channel::Http(HttpChannel::get(&sessions[at].url).await);
        }
    }
    let [empty, announced, fetched] = [empty, announced, fetched].map(percentiles);
    say(&format!(
        "p50 / p99 of {SAMPLES}: empty poll {:.2} / {:.2} ms; from sending to the CIR {:.2} / {:.2} ms; to the message \
         {:.2} / {:.2} ms; ratio of the last to an empty poll {:.1} / {:.1}",
        empty.0,
        empty.1,
        announced.0,
        announced.1,
        fetched.0,
        fetched.1,
        fetched.0 / empty.0,
        fetched.1 / empty.1,
    ));
}

async fn client(server: SocketAddr, name: &str) -> Client {
    let user = format!("wv:{name}@h");
    Client::login(server, Version::V1_2, Syntax::Wbxml, &user, "secret").await
}

async fn sessions(server: SocketAddr, count: usize) -> Vec<Session> {
    let one = |number: usize| async move {
        let mut client = client(server, &format!("u{number}")).await;
        let request = "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
                       <SupportedBearer>HTTP</SupportedBearer><SupportedCIRMethod>STCP</SupportedCIRMethod>\
                       <SupportedCIRMethod>SHTTP</SupportedCIRMethod></CapabilityList></ClientCapability-Request>";
        let answer = client.request(request).await;
        let url = answer.primitive().text("AgreedCapabilityList/CIRURL/URL");
        Session {
            url: url.expect("a URL").to_owned(),
            id: client.session,
        }
    };
    futures::stream::iter(0..count)
        .map(one)
        .buffered(CONCURRENT)
        .collect()
        .await
}

async fn opened(sessions: &[Session], tcp: SocketAddr, http: bool) -> Vec<Channel> {
    let open = |session: &Session| {
        let (id, url) = (session.id.clone(), session.url.clone());
        async move {
            match http {
                true => Channel::Http(HttpChannel::get(&url).await),
                false => Channel::Tcp(TcpChannel::open(tcp, &id).await),
            }
        }
    };
    let mut channels = Vec::with_capacity(sessions.len());
    for some in sessions.chunks(CONCURRENT) {
        let opening: FuturesOrdered<_> = some.iter().map(open).collect();
        channels.extend(opening.collect::<Vec<_>>().await);
    }
    channels
}

/// p50 and p99, milliseconds.
fn percentiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    (at(50).as_secs_f64() * 1000.0, at(99).as_secs_f64() * 1000.0)
}

#[allow(clippy::print_stdout)] // It is what the program is for.
fn say(line: &str) {
    println!("{line}");
}
