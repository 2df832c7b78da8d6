//! Invitations (csp-access 10; architecture document B.4, B.8): somebody asks others to join
//! a group, to talk, to share presence or content, and hears what they say to it.
//!
//! An invitation is kept until it is answered, withdrawn or expires, for each invitee by
//! itself; who is not online gets it later. Invitees of other domains get it through the
//! service relay. To accept does nothing but say so: the clients do the rest.

mod answer;
mod arrive;
mod cancel;
mod check;
mod groups;
mod send;
mod types;

pub(crate) use arrive::invite_later;
pub(crate) use groups::Groups;
pub(crate) use send::{forget_refused, put_foreign};
pub use types::{
    AnswerInvitation, AnswerShown, CancelInvitation, CancellationShown, DeliverInvitation,
    Invitation, InvitationConfig, InvitationShown, Invite, InviteType, WithdrawInvitation,
};
