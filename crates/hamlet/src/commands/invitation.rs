//! `hamlet invitation`.

use crate::account::finish;
use crate::cli::{Account, Invitations};
use crate::failure::Failure;
use hamlet_client::Client;

/// Answers an invitation.
pub async fn run(account: Account, command: Invitations) -> Result<(), Failure> {
    let mut client = account.open_aside().await?;
    let outcome = perform(&mut client, command).await;
    finish(client, outcome).await
}

async fn perform(client: &mut Client, command: Invitations) -> Result<(), Failure> {
    let (answer, accept) = match command {
        Invitations::Accept(answer) => (answer, true),
        Invitations::Decline(answer) => (answer, false),
    };
    let note = answer.note.as_deref();
    Ok(client.answer_invitation(&answer.id, accept, note).await?)
}
