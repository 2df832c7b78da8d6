//! One exchange of a client with the server, through what goes wrong in it.

use crate::host::Host;
use crate::phone::Phone;
use crate::steps::Fault;
use hamlet_tests::answer::Answer;
use hamlet_tests::client::transaction;

/// What came of it.
pub struct Carried {
    pub answer: Answer,
    /// A server transaction that came in an answer which was lost.
    pub lost: Option<Answer>,
    /// The server was killed, or restarted.
    pub killed: bool,
}

/// Sends one transaction until it is answered.
pub async fn carry(
    host: &mut Host,
    phones: &mut [Phone],
    client: usize,
    ((mode, id), content): ((&str, Option<&str>), &str),
    fault: Fault,
) -> Carried {
    let (server, open) = (host.address(), phones.len());
    let phone = &mut phones[client];
    let body = phone
        .client
        .message("Inband", &[transaction(mode, id, content)]);
    let mut lost = None;
    match fault {
        Fault::None => {}
        Fault::HalfWritten => {
            let half = body.len() / 2 + 80;
            phone.client.write(&body, Some(half)).await;
            phone.client.reconnect(server).await;
        }
        Fault::Gone => {
            phone.client.write(&body, None).await;
            phone.client.reconnect(server).await;
            // The new connection is there for the server, and the old one is not: a copy that
            // came after the second one would end the wait for what that brings.
            let nothing = phone.client.post(&[]).await;
            assert_eq!(nothing.status, 400);
            host.quiet(open).await;
        }
        Fault::AnswerLost => {
            let http = phone.client.post(&body).await;
            let answer = phone.client.read(http);
            phone.client.reconnect(server).await;
            lost = Some(answer).filter(|lost| !lost.is_empty() && lost.mode() == "Request");
        }
        Fault::HalfRead => {
            phone.client.write(&body, None).await;
            // An empty answer has octets, too.
            assert!(phone.client.connection().begins_to_answer().await);
            phone.client.reconnect(server).await;
        }
        Fault::Killed => {
            phone.client.write(&body, None).await;
            restart(host, phones).await;
        }
    }
    let phone = &mut phones[client];
    // A notification may have been lost with an answer.
    phone.deaf |= phone.quiet && !matches!(fault, Fault::None | Fault::HalfWritten);
    phone.lapse();
    let http = phone.client.post(&body).await;
    let answer = phone.client.read(http);
    Carried {
        answer,
        lost,
        killed: fault == Fault::Killed,
    }
}

/// The server dies and comes again; its clients connect anew and notice nothing else.
pub async fn restart(host: &mut Host, phones: &mut [Phone]) {
    host.restart().await;
    for phone in phones {
        phone.server_restarted(host.address()).await;
    }
}
