//! Each step of each exchange, cut off in every way: no message is lost, none comes again to
//! a client that has acknowledged it, reports come once (csp-access 2.3, 2.4; csp-im 5.5, 6, 7,
//! 8). The table is [`CUTS`] × [`Loss`] × the points of each conversation.
//!
//! Where a client cannot know whether it was heard, either may be so: a request whose answer
//! it never saw, in a session that is over; and a Status, which names nothing, to a server
//! that was killed before it answered.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, STATUS_200, escape, send_message, transaction, user};
use hamlet_tests::cluster::Cluster;
use hamlet_tests::http::DEADLINE;
use hamlet_tests::metrics::quiet;
use hamlet_tests::process::Hamletd;
use hamlet_tests::server::AT_ONCE;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Where in an exchange the client is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// In the middle of its request.
    HalfWritten,
    /// When the request has been written.
    Written,
    /// When the server has begun to answer.
    HalfRead,
    /// When the server has answered; the answer is lost.
    AnswerLost,
    /// When it has the answer.
    After,
}

const CUTS: [Cut; 5] = [
    Cut::HalfWritten,
    Cut::Written,
    Cut::HalfRead,
    Cut::AnswerLost,
    Cut::After,
];

impl Cut {
    /// The server has carried the request out, and that is on the disk.
    fn is_answered(self) -> bool {
        matches!(self, Self::HalfRead | Self::AnswerLost | Self::After)
    }
}

/// What the cut takes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// The connection.
    Connection,
    /// The session: the client logs in anew.
    Session,
    /// The server: kill -9.
    Server,
}

const LOSSES: [Loss; 3] = [Loss::Connection, Loss::Session, Loss::Server];

/// A client of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Ann,
    Ben,
}

use Who::{Ann, Ben};

/// A part of a conversation.
enum Part {
    /// A request, and the codes of its answer: the first one, and the one that it has when it
    /// is repeated and was carried out before. `{id}` in it is the message that the client was
    /// notified of.
    Ask(Who, String, [u16; 2], Anew),
    /// GetMessage of that message, with its text.
    Fetch(Who, String),
    /// The operator's command that sends Ben a text.
    Announce(String),
    /// A server request: the poll that brings it, and the answer. With its name, a path to a
    /// text in it, and that text.
    Take(Who, &'static str, &'static str, String),
}

/// What a client does in a new session about a request of the one before whose answer it has
/// not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anew {
    /// Nothing, unless it knows that it was not carried out.
    Never,
    /// It asks again; this code says that it was carried out before.
    Again(u16),
}

/// Where in its conversation a cut is: a part of it, and if that is a server request, whether
/// in the poll or in the answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    part: usize,
    answer: bool,
}

fn messages(row: usize) -> Vec<Part> {
    let text = |number: usize| format!("number {number} of row {row}");
    let send = |number| {
        let content = send_message(&user("wv:ben@h"), &text(number), true);
        Part::Ask(Ann, content, [200; 2], Anew::Never)
    };
    let message = |number| Part::Take(Ben, "NewMessage", "ContentData", text(number));
    let report = || {
        let about = "MessageInfo/Recipient/User/UserID";
        Part::Take(Ann, "DeliveryReport-Request", about, "wv:ben@h".to_owned())
    };
    vec![send(1), send(2), message(1), message(2), report(), report()]
}

fn invitation(row: usize) -> Vec<Part> {
    let id = format!("i{row}");
    let invite = format!(
        "<Invite-Request><InviteID>{id}</InviteID><InviteType>IM</InviteType><Recipient>{}</Recipient></Invite-Request>",
        user("wv:ben@h")
    );
    let accept = format!(
        "<InviteUser-Response><InviteID>{id}</InviteID><Acceptance>T</Acceptance></InviteUser-Response>"
    );
    vec![
        Part::Ask(Ann, invite, [200; 2], Anew::Never),
        Part::Take(Ben, "InviteUser-Request", "InviteID", id.clone()),
        Part::Ask(Ben, accept, [200; 2], Anew::Never),
        Part::Take(Ann, "Invite-Response", "InviteID", id),
    ]
}

fn system_message(row: usize) -> Vec<Part> {
    let path = "SystemMessageList/SystemMessage/SystemMessageText";
    let text = format!("back at {row}");
    vec![
        Part::Announce(text.clone()),
        Part::Take(Ben, "SystemMessage-Request", path, text),
    ]
}

/// Ben is notified of a message and does something about it; then Ann hears of it.
fn notified(text: &str, what: Vec<Part>, report: (&'static str, &str)) -> Vec<Part> {
    let content = send_message(&user("wv:ben@h"), text, true);
    let size = text.len().to_string();
    let mut parts = vec![
        Part::Ask(Ann, content, [200; 2], Anew::Never),
        Part::Take(Ben, NOTIFICATION, "MessageInfo/ContentSize", size),
    ];
    parts.extend(what);
    let (path, value) = report;
    let report = Part::Take(Ann, "DeliveryReport-Request", path, value.to_owned());
    parts.push(report);
    parts
}

fn pulled(row: usize) -> Vec<Part> {
    let text = format!("row {row} waits");
    let delivered = "<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>".to_owned();
    let what = vec![
        Part::Fetch(Ben, text.clone()),
        Part::Ask(Ben, delivered, [200; 2], Anew::Again(426)),
    ];
    notified(&text, what, ("Result/Code", "200"))
}

fn rejected(row: usize) -> Vec<Part> {
    let reject = "<RejectMessage-Request><MessageID>{id}</MessageID></RejectMessage-Request>";
    let what = vec![Part::Ask(
        Ben,
        reject.to_owned(),
        [200; 2],
        Anew::Again(426),
    )];
    notified(&format!("row {row} waits"), what, ("Result/Code", "538"))
}

/// Back to Ann.
fn forwarded(row: usize) -> Vec<Part> {
    let text = format!("row {row} goes round");
    let forward = format!(
        "<ForwardMessage-Request><MessageID>{{id}}</MessageID><Recipient>{}</Recipient></ForwardMessage-Request>",
        user("wv:ann@h")
    );
    let what = vec![
        Part::Ask(Ben, forward, [200; 2], Anew::Again(426)),
        Part::Take(Ann, "NewMessage", "ContentData", text.clone()),
    ];
    let about = "MessageInfo/Recipient/User/UserID";
    notified(&text, what, (about, "wv:ben@h"))
}

const NOTIFICATION: &str = "MessageNotification";

/// What is said in a row of the table.
type Conversation = fn(usize) -> Vec<Part>;

/// The conversations, and which of their parts are cut off.
const CONVERSATIONS: [(Conversation, Range<usize>); 6] = [
    (messages, 0..6),
    (invitation, 0..4),
    (system_message, 0..2),
    (pulled, 1..4),
    (rejected, 2..3),
    (forwarded, 2..4),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_cut_off_nothing_is_lost_or_doubled_on_sqlite() {
    cut_everywhere(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_cut_off_nothing_is_lost_or_doubled_on_postgresql() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let made = tokio::task::spawn_blocking(|| cluster.database());
    cut_everywhere(Some(made.await.unwrap())).await;
}

async fn cut_everywhere(database: Option<String>) {
    let mut settings = vec!["domain=h".to_owned(), AT_ONCE.to_owned()];
    settings.extend(database.map(|url| format!("store.url={url}")));
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let mut server = Hamletd::start(&settings);
    server.add_user("wv:ann@h", "secret");
    server.add_user("wv:ben@h", "secret");
    let mut row = 0;
    for (conversation, which) in CONVERSATIONS {
        for point in points(&conversation(0), which) {
            for (cut, loss) in CUTS.iter().flat_map(|cut| LOSSES.map(|loss| (*cut, loss))) {
                row += 1;
                let parts = conversation(row);
                // Who logs in anew does not know what became of his request, and nobody does.
                let unknowable = matches!(parts[point.part], Part::Ask(.., Anew::Never))
                    && (cut, loss) == (Cut::Written, Loss::Session);
                if unknowable {
                    continue;
                }
                let (version, syntax) = dialect(&parts, row);
                eprintln!("{row}: {point:?} {cut:?} {loss:?} {version:?} {syntax:?}");
                let mut scene = Scene::open(&mut server, version, syntax, (point, cut, loss)).await;
                if parts
                    .iter()
                    .any(|part| matches!(part, Part::Take(_, NOTIFICATION, ..)))
                {
                    scene.ben.be_quiet().await;
                }
                scene.play(&parts).await;
            }
        }
    }
}

/// Each row in another one that has what its conversation needs.
fn dialect(parts: &[Part], row: usize) -> (Version, Syntax) {
    let syntax = [Syntax::Xml, Syntax::Wbxml][row / 3 % 2];
    match parts[0] {
        Part::Announce(_) => (Version::V1_3, syntax),
        _ => (Version::ALL[row % 3], syntax),
    }
}

fn points(conversation: &[Part], which: Range<usize>) -> Vec<Point> {
    let mut points = Vec::new();
    for part in which {
        let answers: &[bool] = match &conversation[part] {
            Part::Ask(..) | Part::Fetch(..) => &[false],
            Part::Announce(_) => &[],
            Part::Take(..) => &[false, true],
        };
        points.extend(answers.iter().map(|answer| Point {
            part,
            answer: *answer,
        }));
    }
    points
}

/// A client.
struct Side {
    client: Client,
    user: &'static str,
    logins: usize,
    /// It wants to be notified of messages.
    quiet: bool,
    /// The message that it was notified of last.
    told: String,
    /// A server request that came with an answer.
    ahead: Option<Answer>,
}

impl Side {
    async fn open(server: &Hamletd, user: &'static str, dialect: (Version, Syntax)) -> Self {
        let mut side = Self {
            client: Client::connect(server.address(), dialect.0, dialect.1).await,
            user,
            logins: 0,
            quiet: false,
            told: String::new(),
            ahead: None,
        };
        side.login().await;
        side
    }

    /// A new session in place of the one that it had.
    async fn login(&mut self) {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        self.logins = LAST.fetch_add(1, Ordering::Relaxed);
        let password = "<Password>secret</Password>";
        let login = self.client.login_step(self.user, password, "");
        let login = login.replace("cookie-", &format!("cookie{}-", self.logins));
        let answer = self.client.outband(&login).await;
        answer.expect_code(200);
        self.client.keep_session(&answer);
        self.ahead = None;
        if self.quiet {
            self.be_quiet().await;
        }
    }

    async fn be_quiet(&mut self) {
        self.quiet = true;
        let quiet = "<SetDeliveryMethod-Request><DeliveryMethod>N</DeliveryMethod></SetDeliveryMethod-Request>";
        let body = self.inband(("Request", Some("quiet")), quiet);
        self.exchange(&body).await.expect_status(200);
    }

    async fn exchange(&mut self, body: &[u8]) -> Answer {
        let http = self.client.post(body).await;
        self.client.read(http)
    }

    async fn poll(&mut self) -> Answer {
        match self.ahead.take() {
            Some(ahead) => ahead,
            None => {
                let body = self.inband(("Request", None), "<Polling-Request/>");
                self.exchange(&body).await
            }
        }
    }

    fn inband(&self, (mode, id): (&str, Option<&str>), content: &str) -> Vec<u8> {
        let transaction = transaction(mode, id, content);
        self.client.message("Inband", &[transaction])
    }
}

/// What came of an exchange.
enum Outcome {
    /// Its answer, the first one if it was repeated.
    Answered(Answer),
    /// Its answer, after it had been sent before.
    Repeated(Answer),
    /// The session is another.
    Unanswered,
}

/// One row of the table.
struct Scene<'s> {
    server: &'s mut Hamletd,
    ann: Side,
    ben: Side,
    cut: (Point, Cut, Loss),
}

impl<'s> Scene<'s> {
    async fn open(
        server: &'s mut Hamletd,
        version: Version,
        syntax: Syntax,
        cut: (Point, Cut, Loss),
    ) -> Self {
        let ann = Side::open(server, "wv:ann@h", (version, syntax)).await;
        let ben = Side::open(server, "wv:ben@h", (version, syntax)).await;
        Self {
            server,
            ann,
            ben,
            cut,
        }
    }

    fn side(&mut self, who: Who) -> &mut Side {
        match who {
            Ann => &mut self.ann,
            Ben => &mut self.ben,
        }
    }

    /// The conversation with its cut; in the end nothing is left for anybody.
    async fn play(&mut self, parts: &[Part]) {
        for (part, what) in parts.iter().enumerate() {
            match what {
                Part::Announce(text) => {
                    let words = ["system-message", "send", text, "--to", "wv:ben@h"];
                    self.server.operate(&words);
                }
                Part::Ask(who, content, codes, anew) => {
                    self.ask(part, *who, content, (codes, *anew)).await;
                }
                Part::Fetch(who, text) => {
                    let content =
                        "<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>";
                    let again = (&[200; 2], Anew::Again(200));
                    let answer = self
                        .ask(part, *who, content, again)
                        .await
                        .expect("an answer");
                    let message = answer.expect("GetMessage-Response");
                    assert_eq!(message.text("ContentData"), Some(text.as_str()));
                }
                Part::Take(who, name, path, text) => {
                    self.take(part, *who, (name, path, text)).await;
                }
            }
        }
        for who in [Ann, Ben] {
            self.nothing(who).await;
            self.side(who).login().await;
            self.nothing(who).await;
        }
    }

    /// The cut, if it is here.
    fn cut_at(&self, part: usize, answer: bool) -> Option<(Cut, Loss)> {
        let (point, cut, loss) = self.cut;
        (point == Point { part, answer }).then_some((cut, loss))
    }

    async fn ask(
        &mut self,
        part: usize,
        who: Who,
        content: &str,
        (codes, anew): (&[u16; 2], Anew),
    ) -> Option<Answer> {
        let cut = self.cut_at(part, false);
        let id = format!("ask-{part}");
        let request = ("Request", Some(id.as_str()));
        let side = self.side(who);
        let content = content.replace("{id}", &escape(&side.told));
        let body = side.inband(request, &content);
        let answer = match self.exchange(who, &body, cut).await {
            Outcome::Answered(answer) => {
                assert_eq!(code(&answer), codes[0], "{answer:?}");
                answer
            }
            Outcome::Repeated(answer) => {
                assert!(codes.contains(&code(&answer)), "{answer:?}");
                answer
            }
            Outcome::Unanswered => {
                let was_not_done = cut.is_some_and(|(cut, _)| cut == Cut::HalfWritten);
                let other = match anew {
                    _ if was_not_done => codes[0],
                    Anew::Again(before) => before,
                    Anew::Never => return None,
                };
                // In its new session.
                let body = self.side(who).inband(request, &content);
                let answer = self.side(who).exchange(&body).await;
                assert!([codes[0], other].contains(&code(&answer)), "{answer:?}");
                answer
            }
        };
        Some(answer)
    }

    async fn take(&mut self, part: usize, who: Who, expected: (&str, &str, &str)) {
        let mut push = None;
        if let Some((cut, loss)) = self.cut_at(part, false) {
            // One that is here already would not come by a poll.
            self.side(who).ahead = None;
            let body = self
                .side(who)
                .inband(("Request", None), "<Polling-Request/>");
            let polled = self.exchange(who, &body, Some((cut, loss))).await;
            let names_message = expected.0 == "NewMessage";
            push = match polled {
                Outcome::Repeated(answer) => Some(answer),
                // What it has got it may acknowledge by name to a server that was away.
                Outcome::Answered(answer) if names_message || loss == Loss::Connection => {
                    Some(answer)
                }
                _ => None,
            };
        }
        let push = match push.filter(|push| !push.is_empty()) {
            Some(push) => push,
            None => self.comes(who).await,
        };
        check(&push, expected);
        if expected.0 == NOTIFICATION {
            let told = push.primitive().text("MessageInfo/MessageID");
            told.expect("a MessageID")
                .clone_into(&mut self.side(who).told);
        }
        let cut = self.cut_at(part, true);
        let may_come_again = self.acknowledge(who, &push, cut).await;
        let again = match may_come_again {
            Again::Never => return,
            Again::Certainly => self.comes(who).await,
            Again::Perhaps => match self.side(who).poll().await {
                nothing if nothing.is_empty() => return,
                again if is_same(&again, &push) => again,
                // The next one.
                other => {
                    self.side(who).ahead = Some(other);
                    return;
                }
            },
        };
        assert!(is_same(&again, &push), "{:#?}", again.primitive());
        self.acknowledge(who, &again, None).await;
    }

    /// Answers a server request; whether it may come again after that.
    async fn acknowledge(&mut self, who: Who, push: &Answer, cut: Option<(Cut, Loss)>) -> Again {
        let id = push.transaction().expect("a TransactionID").to_owned();
        let message = match push.primitive().name.as_str() {
            "NewMessage" => push.primitive().text("MessageInfo/MessageID"),
            _ => None,
        };
        let content = message.map_or(STATUS_200.to_owned(), |id| {
            let id = escape(id);
            format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>")
        });
        let body = self.side(who).inband(("Response", Some(&id)), &content);
        let outcome = self.exchange(who, &body, cut).await;
        // What a server sends that is then killed is sent again under another TransactionID.
        let next = match outcome {
            Outcome::Answered(_) if cut.is_some_and(|(_, loss)| loss == Loss::Server) => None,
            Outcome::Answered(answer) | Outcome::Repeated(answer) => Some(answer),
            Outcome::Unanswered => None,
        };
        self.side(who).ahead = next.filter(|answer| !answer.is_empty());
        let is_named = message.is_some();
        let is_notification = push.primitive().name == NOTIFICATION;
        match cut {
            None => Again::Never,
            // What a client was told is forgotten with its session, and with the server.
            Some((_, Loss::Session | Loss::Server)) if is_notification => Again::Certainly,
            Some((cut, _)) if cut.is_answered() => Again::Never,
            Some((_, Loss::Connection)) => Again::Never,
            Some((Cut::HalfWritten, Loss::Session)) => Again::Certainly,
            Some((_, Loss::Session)) => Again::Perhaps,
            Some((_, Loss::Server)) if is_named => Again::Never,
            Some((Cut::HalfWritten, Loss::Server)) => Again::Certainly,
            Some((_, Loss::Server)) => Again::Perhaps,
        }
    }

    /// Sends a message, through its cut and until it is answered.
    async fn exchange(&mut self, who: Who, body: &[u8], cut: Option<(Cut, Loss)>) -> Outcome {
        let side = self.side(who);
        let Some((cut, loss)) = cut else {
            return Outcome::Answered(side.exchange(body).await);
        };
        let mut answered = None;
        match cut {
            Cut::HalfWritten => side.client.write(body, Some(body.len() / 2 + 80)).await,
            Cut::Written => side.client.write(body, None).await,
            Cut::HalfRead => {
                side.client.write(body, None).await;
                assert!(side.client.connection().begins_to_answer().await);
            }
            Cut::AnswerLost => drop(side.exchange(body).await),
            Cut::After => answered = Some(side.exchange(body).await),
        }
        if loss == Loss::Server {
            self.server.kill();
            self.server.start_again();
        }
        let address = self.server.address();
        for side in [Ann, Ben] {
            if loss == Loss::Server || side == who {
                self.side(side).client.reconnect(address).await;
                self.side(side).ahead = None;
            }
        }
        if cut == Cut::Written && loss != Loss::Server {
            // A copy that is served later would end the wait for what comes after it. The new
            // connection is known to the server when it has answered on it.
            let nothing = self.side(who).client.post(&[]).await;
            assert_eq!(nothing.status, 400);
            quiet(self.server.admin_address(), 2).await;
        }
        if loss == Loss::Session {
            self.side(who).login().await;
            return Outcome::Unanswered;
        }
        match answered {
            Some(answer) => Outcome::Answered(answer),
            None => Outcome::Repeated(self.side(who).exchange(body).await),
        }
    }

    /// Polls until something comes: a copy of an earlier request may be served late.
    async fn comes(&mut self, who: Who) -> Answer {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let push = self.side(who).poll().await;
            if !push.is_empty() {
                return push;
            }
            assert!(Instant::now() < deadline, "nothing comes");
        }
    }

    async fn nothing(&mut self, who: Who) {
        for _ in 0..2 {
            let push = self.side(who).poll().await;
            assert!(push.is_empty(), "{who:?} gets {:#?}", push.primitive());
        }
    }
}

/// The code of an answer; of one that stands for success itself 200.
fn code(answer: &Answer) -> u16 {
    match answer.code() {
        None if answer.primitive().name.ends_with("-Response") => 200,
        code => code.expect("a code"),
    }
}

/// Whether a server request that was answered comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Never,
    /// The answer was not heard.
    Certainly,
    /// Nobody knows whether it was.
    Perhaps,
}

fn is(push: &Answer, (name, path, text): (&str, &str, &str)) -> bool {
    push.primitive().name == name && push.primitive().text(path) == Some(text)
}

/// Whether it is the same thing that comes again.
fn is_same(again: &Answer, push: &Answer) -> bool {
    let (again, push) = (again.primitive(), push.primitive());
    let id = "MessageInfo/MessageID";
    again.name == push.name && again.text(id) == push.text(id)
}

fn check(push: &Answer, expected: (&str, &str, &str)) {
    assert!(is(push, expected), "{expected:?}: {:#?}", push.primitive());
}
