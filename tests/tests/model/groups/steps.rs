//! What clients do in groups, and the dice that choose it.

use crate::steps::{CLIENTS, CLIENTS_OF, Dice, Fault, fault};

/// The groups.
pub const GROUPS: usize = 2;

/// How a client answers what it was sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As it should: MessageDelivered to a message, Status to a notification.
    Well,
    /// By Status 200, whatever it was.
    ByStatus,
    /// By a request of its own.
    ByRequest,
    /// What it was sent before that, under the TransactionID that it had then.
    TheOneBefore,
    /// Another message.
    WrongMessage,
    /// An error that may pass.
    Error500,
    /// That it cannot take the type.
    Error415,
}

/// One step. As those of [`crate::steps`] it depends on no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A login; `fresh`: not with the cookie of the session that lives.
    Login { client: usize, fresh: bool },
    /// A logout.
    Logout { client: usize },
    /// The operator ends the sessions of a user.
    EndSessions { user: usize },
    /// So much time passes that all sessions end.
    AllSessionsExpire,
    /// The server is restarted.
    Restart,
    /// JoinGroup.
    Join {
        client: usize,
        group: usize,
        fault: Fault,
    },
    /// LeaveGroup.
    Leave {
        client: usize,
        group: usize,
        fault: Fault,
    },
    /// SendMessage to a group, or to the name that a client has in it.
    Say {
        client: usize,
        group: usize,
        only: Option<usize>,
        fault: Fault,
    },
    /// Several clients say something in a group at the same time.
    Together { clients: Vec<usize>, group: usize },
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
    /// SetDeliveryMethod, for one group or the session.
    Method {
        client: usize,
        group: Option<usize>,
        notify: bool,
    },
    /// GetMessageList.
    List { client: usize },
    /// GetMessage, and MessageDelivered if it is to be acknowledged.
    Pull {
        client: usize,
        nth: usize,
        acknowledge: bool,
        fault: Fault,
    },
    /// RejectMessage.
    Reject {
        client: usize,
        nth: usize,
        fault: Fault,
    },
    /// ForwardMessage to a group.
    Forward {
        client: usize,
        nth: usize,
        group: usize,
        fault: Fault,
    },
    /// A user blocks another one, or does not any more.
    Block {
        client: usize,
        user: usize,
        add: bool,
    },
    /// Everybody takes what waits for him: nothing is left.
    Settle,
}

/// A run.
pub fn steps(seed: u64, count: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let mut steps = Vec::new();
    for client in 0..CLIENTS {
        steps.push(Step::Login {
            client,
            fresh: true,
        });
        steps.push(Step::Join {
            client,
            group: client % GROUPS,
            fault: Fault::None,
        });
    }
    while steps.len() < count {
        steps.push(step(&mut dice));
    }
    steps.push(Step::Settle);
    steps
}

fn step(dice: &mut Dice) -> Step {
    let (client, group) = (dice.below(CLIENTS), dice.below(GROUPS));
    let (nth, user) = (dice.below(4), dice.below(CLIENTS_OF.len()));
    match dice.below(1000) {
        0..230 => Step::Say {
            client,
            group,
            only: dice.one_in(5).then(|| dice.below(CLIENTS)),
            fault: fault(dice, 4),
        },
        230..260 => Step::Together {
            clients: (0..2 + dice.below(3))
                .map(|more| (client + more) % CLIENTS)
                .collect(),
            group,
        },
        260..450 => Step::Poll {
            client,
            fault: heard(fault(dice, 5)),
        },
        450..680 => Step::Answer {
            client,
            how: how(dice),
            fault: heard(fault(dice, 4)),
        },
        680..720 => Step::Drain { client },
        720..770 => Step::Join {
            client,
            group,
            fault: fault(dice, 4),
        },
        770..790 => Step::Leave {
            client,
            group,
            fault: fault(dice, 4),
        },
        790..820 => Step::Login {
            client,
            fresh: dice.one_in(4),
        },
        820..826 => Step::Logout { client },
        826..829 => Step::EndSessions { user },
        829..830 => Step::AllSessionsExpire,
        830..845 => Step::Restart,
        845..885 => Step::Method {
            client,
            group: dice.one_in(2).then_some(group),
            notify: dice.one_in(2),
        },
        885..910 => Step::List { client },
        910..945 => Step::Pull {
            client,
            nth,
            acknowledge: dice.one_in(2),
            fault: heard(fault(dice, 4)),
        },
        945..960 => Step::Reject {
            client,
            nth,
            fault: fault(dice, 4),
        },
        960..975 => Step::Forward {
            client,
            nth,
            group,
            fault: fault(dice, 4),
        },
        975..990 => Step::Block {
            client,
            user,
            add: dice.one_in(2),
        },
        _ => Step::Settle,
    }
}

fn how(dice: &mut Dice) -> How {
    match dice.below(20) {
        0..11 => How::Well,
        11 | 12 => How::ByStatus,
        13 | 14 => How::ByRequest,
        15 | 16 => How::TheOneBefore,
        17 => How::WrongMessage,
        18 => How::Error500,
        _ => How::Error415,
    }
}

/// A poll, an answer or a GetMessage that is served late changes what is open, or told, then.
fn heard(fault: Fault) -> Fault {
    match fault {
        Fault::Gone => Fault::HalfRead,
        other => other,
    }
}
