//! A large group over mixed versions and syntaxes, against a server in a process of its own:
//! every message reaches everybody, once and in one order; and what that costs.
//!
//! `cargo run --release -p hamlet-tests --example group_talk -- [MEMBERS [MESSAGES]]`: without
//! more, 5,000 members and 20 messages.

use futures::StreamExt;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::metrics::Metrics;
use hamlet_tests::process::Hamletd;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::time::Instant;

/// Clients that do something at a time.
const CONCURRENT: usize = 16;

const GROUP: &str = "wv:owner/large@h";

/// The forms that members speak, in turn.
const FORMS: [(Version, Syntax); 6] = [
    (Version::V1_1, Syntax::Xml),
    (Version::V1_1, Syntax::Wbxml),
    (Version::V1_2, Syntax::Xml),
    (Version::V1_2, Syntax::Wbxml),
    (Version::V1_3, Syntax::Xml),
    (Version::V1_3, Syntax::Wbxml),
];

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let mut number = |usual| {
        let word = words.next();
        word.map_or(usual, |word| word.parse().expect("a number"))
    };
    let (members, messages): (usize, usize) = (number(5000), number(20));
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a limit of open files that can be raised");
    let server = Hamletd::start(&[
        "domain=h",
        "accounts.auto_register=true",
        "log.level=warn,hamletd=info",
        &format!("http.max_connections={}", members + 1000),
        &format!("session.max_total={}", members + 1000),
    ]);
    let address = server.address();
    let mut owner = client(address, "owner", (Version::V1_2, Syntax::Xml)).await;
    owner.request(&create()).await.expect_code(200);
    let start = Instant::now();
    let joined: Vec<Client> = futures::stream::iter(0..members)
        .map(|at| member(address, at))
        .buffered(CONCURRENT)
        .collect()
        .await;
    let memory = server.resident_octets();
    say(&format!(
        "{members} members in six forms joined in {:.1} s; resident {} MiB",
        start.elapsed().as_secs_f64(),
        memory >> 20
    ));

    let before = Figures::of(&server).await;
    let start = Instant::now();
    for number in 0..messages {
        let answer = owner.request(&message(number)).await;
        answer.expect_code(200);
    }
    let sent = start.elapsed();
    let after_sending = Figures::of(&server).await;
    let expected: Vec<String> = (0..messages).map(text).collect();
    let start = Instant::now();
    let mut fetching = futures::stream::iter(joined)
        .map(fetch)
        .buffer_unordered(CONCURRENT);
    while let Some(heard) = fetching.next().await {
        assert!(heard == expected, "one order, each once: {heard:?}");
    }
    let taken = start.elapsed();
    let after = Figures::of(&server).await;

    let deliveries = (members * messages) as f64;
    say(&format!(
        "{messages} messages sent in {:.2} s, {:.2} ms CPU each, {:.1} statements each; all {} copies fetched and \
         acknowledged in {:.1} s",
        sent.as_secs_f64(),
        (after_sending.cpu - before.cpu) * 1000.0 / messages as f64,
        (after_sending.statements - before.statements) / messages as f64,
        members * messages,
        taken.as_secs_f64(),
    ));
    say(&format!(
        "a recipient and message: {:.0} us CPU, {:.3} statements, {:.3} commits; written {} times in all, of {} copies; \
         resident {} MiB",
        (after.cpu - after_sending.cpu) * 1e6 / deliveries,
        (after.statements - after_sending.statements) / deliveries,
        (after.commits - after_sending.commits) / deliveries,
        after.written - before.written,
        deliveries,
        server.resident_octets() >> 20,
    ));
}

fn create() -> String {
    format!(
        "<CreateGroup-Request><GroupID>{GROUP}</GroupID><GroupProperties><Property><Name>Name</Name>\
         <Value>Large</Value></Property></GroupProperties><JoinGroup>T</JoinGroup>\
         <ScreenName><SName>owner</SName><GroupID>{GROUP}</GroupID></ScreenName>\
         <SubscribeNotification>F</SubscribeNotification></CreateGroup-Request>"
    )
}

fn text(number: usize) -> String {
    format!("message {number}: the quick brown fox jumps over the lazy dog, says “Grüße”")
}

fn message(number: usize) -> String {
    let text = text(number);
    format!(
        "<SendMessage-Request><DeliveryReport>F</DeliveryReport><MessageInfo>\
         <ContentType>text/plain</ContentType><ContentSize>{}</ContentSize>\
         <Recipient><Group><GroupID>{GROUP}</GroupID></Group></Recipient>\
         <Sender><User><UserID>wv:owner@h</UserID></User></Sender></MessageInfo>\
         <ContentData>{text}</ContentData></SendMessage-Request>",
        text.len(),
    )
}

async fn client(server: SocketAddr, name: &str, form: (Version, Syntax)) -> Client {
    let user = format!("wv:{name}@h");
    Client::login(server, form.0, form.1, &user, "secret").await
}

async fn member(server: SocketAddr, at: usize) -> Client {
    let mut client = client(server, &format!("u{at}"), FORMS[at % FORMS.len()]).await;
    let join = format!(
        "<JoinGroup-Request><GroupID>{GROUP}</GroupID><ScreenName><SName>u{at}</SName>\
         <GroupID>{GROUP}</GroupID></ScreenName><JoinedRequest>F</JoinedRequest>\
         <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>"
    );
    let answer = client.request(&join).await;
    answer.expect("JoinGroup-Response");
    client
}

/// Everything that waits for a member, each acknowledged; the texts.
async fn fetch(mut member: Client) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let answer: Answer = member.poll().await;
        if answer.is_empty() {
            return heard;
        }
        member.acknowledge(&answer).await;
        let new = answer.expect("NewMessage");
        let text = new.text("ContentData").expect("a text");
        heard.push(text.to_owned());
    }
}

/// What the server has used and counted so far.
struct Figures {
    /// Seconds.
    cpu: f64,
    statements: f64,
    commits: f64,
    written: u64,
}

impl Figures {
    async fn of(server: &Hamletd) -> Self {
        let metrics = Metrics::of(server.admin_address()).await;
        Self {
            cpu: server.cpu_seconds(),
            statements: metrics.value("hamlet_store_statements_total"),
            commits: metrics.value("hamlet_store_commits_total"),
            written: metrics.value("hamlet_group_messages_encoded_total") as u64,
        }
    }
}

#[allow(clippy::print_stdout)] // It is what the program is for.
fn say(line: &str) {
    println!("{line}");
}
