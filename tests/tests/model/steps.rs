//! What the clients and the world around the server do: steps, and the dice that choose them.
//!
//! A step names its actors by number and never depends on what happened before it, so that
//! every part of a run is a run, and a failing one can be made shorter.

use hamlet_csp::{Syntax, Version};

/// The users: how many clients each has.
pub const CLIENTS_OF: [usize; 4] = [1, 1, 2, 3];

/// Clients of all users.
pub const CLIENTS: usize = 7;

/// To which user a client belongs.
pub fn user_of(client: usize) -> usize {
    let mut last = 0;
    for (user, count) in CLIENTS_OF.iter().enumerate() {
        last += count;
        if client < last {
            return user;
        }
    }
    panic!("there is no client {client}")
}

/// The clients of a user.
pub fn clients_of(user: usize) -> std::ops::Range<usize> {
    let first: usize = CLIENTS_OF[..user].iter().sum();
    first..first + CLIENTS_OF[user]
}

/// What a client speaks: all versions and syntaxes occur in every run.
pub fn dialect(client: usize, seed: u64) -> (Version, Syntax) {
    let turn = (client as u64).wrapping_add(seed) % 6;
    let version = Version::ALL[(turn % 3) as usize];
    let syntax = match turn < 3 {
        true => Syntax::Xml,
        false => Syntax::Wbxml,
    };
    (version, syntax)
}

/// A recipient of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// A user.
    User(usize),
    /// One client of a user.
    Client(usize),
    /// The contact list of the sender.
    OwnList,
    /// A user that does not exist.
    Nobody,
    /// A contact list of somebody else.
    StrangeList,
}

/// What becomes of the exchange that carries a step. The client then sends the same request
/// again, with the same TransactionID, until it has an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The connection ends in the middle of the request.
    HalfWritten,
    /// The client is gone as soon as it has written the request, and comes again when the
    /// server is done with it.
    Gone,
    /// The answer comes and is lost.
    AnswerLost,
    /// The connection ends in the middle of the answer.
    HalfRead,
    /// The server is killed, or where it cannot be, restarted, when the request has been
    /// written.
    Killed,
}

/// How a client answers what it was sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As it should: MessageDelivered to a message, Status to a report.
    Well,
    /// By Status 200, whatever it was.
    ByStatus,
    /// By a request of its own.
    ByRequest,
    /// By a Status in mode Request, which names nothing.
    ByNamelessStatus,
    /// What it was sent before that, under the TransactionID that it had then.
    TheOneBefore,
    /// Another message.
    WrongMessage,
    /// An error that may pass.
    Error500,
    /// That it cannot take the type.
    Error415,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A login; `fresh`: not with the cookie of the session that lives.
    Login { client: usize, fresh: bool },
    /// A logout.
    Logout { client: usize, fault: Fault },
    /// The operator ends the sessions of a user.
    EndSessions { user: usize },
    /// The client's connection is lost, and made anew.
    Reconnect { client: usize },
    /// The client (1.3) says whether all of its user's sessions shall have a copy.
    Handling { client: usize, fork: bool },
    /// SendMessage.
    Send {
        client: usize,
        to: Vec<To>,
        report: bool,
        short: bool,
        fault: Fault,
    },
    /// The last SendMessage once more: the same TransactionID, the same content.
    Repeat { client: usize },
    /// The same TransactionID with another content.
    RepeatOther { client: usize, to: To },
    /// Several clients send to one user at the same time, each three messages.
    Together { clients: Vec<usize>, to: usize },
    /// A poll.
    Poll { client: usize, fault: Fault },
    /// An answer to what came.
    Answer {
        client: usize,
        how: How,
        fault: Fault,
    },
    /// Polls and answers until nothing comes.
    Drain { client: usize },
    /// Somebody is put on the sender's contact list, or taken from it.
    Contact {
        client: usize,
        user: usize,
        add: bool,
    },
    /// A user's block list or grant list changes, and whether it is in use.
    Access {
        client: usize,
        grants: bool,
        user: usize,
        add: bool,
        in_use: bool,
    },
    /// SetDeliveryMethod: the client wants to be notified of messages, or to get them.
    Method { client: usize, notify: bool },
    /// GetMessageList.
    List { client: usize },
    /// GetMessage of one that waits, and MessageDelivered if it is to be acknowledged.
    Pull {
        client: usize,
        nth: usize,
        acknowledge: bool,
        fault: Fault,
    },
    /// RejectMessage of one that waits.
    Reject {
        client: usize,
        nth: usize,
        fault: Fault,
    },
    /// ForwardMessage of one that waits.
    Forward {
        client: usize,
        nth: usize,
        to: To,
        fault: Fault,
    },
    /// So much time passes that messages of short life expire.
    Expire,
    /// So much time passes that all sessions end.
    AllSessionsExpire,
    /// The server is restarted.
    Restart,
    /// Everybody comes and takes what waits for him: nothing is left.
    Settle,
}

/// A run: a seed and its steps.
pub fn steps(seed: u64, count: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let mut steps: Vec<Step> = (0..CLIENTS)
        .map(|client| Step::Login {
            client,
            fresh: true,
        })
        .collect();
    while steps.len() < count {
        steps.push(step(&mut dice));
    }
    steps.push(Step::Settle);
    steps
}

fn step(dice: &mut Dice) -> Step {
    let client = dice.below(CLIENTS);
    match dice.below(1200) {
        0..270 => Step::Send {
            client,
            to: recipients(dice),
            report: dice.one_in(2),
            short: dice.one_in(4),
            fault: fault(dice, 4),
        },
        270..300 => Step::Repeat { client },
        300..320 => Step::RepeatOther {
            client,
            to: recipient(dice),
        },
        320..350 => Step::Together {
            clients: some_clients(dice),
            to: dice.below(CLIENTS_OF.len()),
        },
        350..560 => Step::Poll {
            client,
            fault: fault(dice, 5),
        },
        560..800 => Step::Answer {
            client,
            how: how(dice),
            fault: fault(dice, 4),
        },
        800..850 => Step::Drain { client },
        850..890 => Step::Login {
            client,
            fresh: dice.one_in(2),
        },
        890..910 => Step::Logout {
            client,
            fault: fault(dice, 2),
        },
        910..930 => Step::Reconnect { client },
        930..940 => Step::EndSessions {
            user: dice.below(CLIENTS_OF.len()),
        },
        940..955 => Step::Handling {
            client,
            fork: dice.one_in(2),
        },
        955..965 => Step::Contact {
            client,
            user: dice.below(CLIENTS_OF.len()),
            add: dice.one_in(2),
        },
        965..977 => Step::Expire,
        977..980 => Step::AllSessionsExpire,
        980..990 => Step::Restart,
        990..1000 => Step::Settle,
        1000..1030 => Step::Access {
            client,
            grants: dice.one_in(4),
            user: dice.below(CLIENTS_OF.len()),
            add: dice.one_in(2),
            in_use: dice.one_in(2),
        },
        1030..1060 => Step::Method {
            client,
            notify: dice.one_in(2),
        },
        1060..1090 => Step::List { client },
        1090..1140 => Step::Pull {
            client,
            nth: dice.below(4),
            acknowledge: dice.one_in(2),
            fault: fault(dice, 4),
        },
        1140..1170 => Step::Reject {
            client,
            nth: dice.below(4),
            fault: fault(dice, 4),
        },
        _ => Step::Forward {
            client,
            nth: dice.below(4),
            to: recipient(dice),
            fault: fault(dice, 4),
        },
    }
}

fn recipients(dice: &mut Dice) -> Vec<To> {
    let count = match dice.below(10) {
        0..6 => 1,
        6..8 => 2,
        _ => 4,
    };
    (0..count).map(|_| recipient(dice)).collect()
}

fn recipient(dice: &mut Dice) -> To {
    match dice.below(20) {
        0..12 => To::User(dice.below(CLIENTS_OF.len())),
        12..15 => To::Client(dice.below(CLIENTS)),
        15..18 => To::OwnList,
        18 => To::Nobody,
        _ => To::StrangeList,
    }
}

fn some_clients(dice: &mut Dice) -> Vec<usize> {
    let first = dice.below(CLIENTS);
    (0..2 + dice.below(3))
        .map(|number| (first + number) % CLIENTS)
        .collect()
}

fn how(dice: &mut Dice) -> How {
    match dice.below(20) {
        0..10 => How::Well,
        10 | 11 => How::ByStatus,
        12 | 13 => How::ByRequest,
        14 => How::ByNamelessStatus,
        15 | 16 => How::TheOneBefore,
        17 => How::WrongMessage,
        18 => How::Error500,
        _ => How::Error415,
    }
}

/// One exchange in so many goes wrong.
pub fn fault(dice: &mut Dice, in_so_many: usize) -> Fault {
    if !dice.one_in(in_so_many) {
        return Fault::None;
    }
    match dice.below(16) {
        0..4 => Fault::HalfWritten,
        4..8 => Fault::Gone,
        8..12 => Fault::AnswerLost,
        12..15 => Fault::HalfRead,
        _ => Fault::Killed,
    }
}

/// Numbers that look random and come again with the same seed.
pub struct Dice(u64);

impl Dice {
    /// SplitMix64.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of 0, 1, … `bound` - 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}
