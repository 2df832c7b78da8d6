//! What a user does with a server.

pub mod asked;
pub mod contacts;
pub mod groups;
pub mod invitation;
pub mod login;
pub mod presence;
pub mod receive;
pub mod send;
pub mod share;
pub mod waiting;
