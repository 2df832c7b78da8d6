//! System messages (csp-access 12): what the operator has to say to users, and what they
//! answer: an announcement, terms of use, a question that only a human being can answer.
//!
//! One may be for certain users, or for everybody, also for those who register later. It is
//! kept until it expires; who has got or answered it does not get it again.

mod answer;
mod deliver;
mod operate;
mod types;

pub use types::{
    AnswerOption, Answers, Audience, Given, Overview, Question, SystemMessage, SystemMessageShown,
    Verification,
};
