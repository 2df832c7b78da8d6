//! Invitations between domains as the service sees them (csp-access 10.2).

use crate::common::*;
use crate::relay::Net;
use hamlet_elements::invitation::{
    AnswerShown, DeliverInvitation, Invitation, InviteType, WithdrawInvitation,
};
use hamlet_elements::notification::{Notification, Notify};
use hamlet_elements::push::PushContent;
use hamlet_elements::{Call, Event, Request, Requestor};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{GroupId, MessageParty, Timestamp, UserId};
use std::time::Duration;

/// An invitation to a group of domain `b`.
fn invitation(inviter: &UserId, sender: MessageParty) -> Invitation {
    Invitation {
        id: "i1".into(),
        inviter: inviter.clone(),
        sender,
        kind: InviteType::Group,
        application: None,
        group: Some(group("wv:bob/chess@b")),
        attributes: AttributeSet::EMPTY,
        urls: Vec::new(),
        note: None,
        made: Timestamp::now(),
        expires: Timestamp::now().plus(Duration::from_secs(60)),
    }
}

fn group(name: &str) -> GroupId {
    GroupId::parse(name, &domain("a")).unwrap()
}

/// A server of domain `a`, where alice lives, which knows a way to `b`.
async fn server() -> Server {
    let net = Net::new();
    let config = among_contacts(domain("a"));
    let relay = net.relay(&config.domain);
    Server::with(config, &["alice"], relay).await
}

async fn ask(server: &Server, by: &UserId, request: Request) -> String {
    let call = Call {
        requestor: Requestor::user(by.clone()),
        request,
        key: None,
    };
    let answer = server.elements.call_from_domain(&domain("b"), call).await;
    outcome(&answer)
}

#[tokio::test]
async fn a_domain_invites_answers_and_withdraws_only_for_its_own_users() {
    let server = server().await;
    let (alice, carl, bob) = (user("alice"), user("carl"), user("bob@b"));
    let party = |user: &UserId| MessageParty::user(user.clone());
    let deliver = |invitation: Invitation, invitee: &UserId| {
        Request::DeliverInvitation(Box::new(DeliverInvitation {
            invitation,
            invitees: vec![invitee.clone()],
        }))
    };
    let withdraw = |invitation: Invitation| {
        Request::WithdrawInvitation(Box::new(WithdrawInvitation {
            invitation,
            invitees: vec![alice.clone()],
            note: None,
        }))
    };
    let answer = |invitee: &UserId| {
        Request::InvitationAnswer(Box::new(AnswerShown {
            id: "i1".into(),
            inviter: alice.clone(),
            invitee: invitee.clone(),
            accepted: true,
            note: None,
            screen_name: None,
        }))
    };
    let notify = |notification| {
        Request::Notify(Notify {
            user: alice.clone(),
            notification,
        })
    };
    let by_name = |group| MessageParty::ScreenName {
        name: "rook".into(),
        group,
    };
    let honest = invitation(&bob, party(&bob));
    for (request, expected) in [
        (deliver(invitation(&carl, party(&carl)), &alice), "901"),
        (deliver(invitation(&bob, party(&carl)), &alice), "901"),
        (
            deliver(invitation(&bob, by_name(group("wv:/g@a"))), &alice),
            "808",
        ),
        (deliver(honest.clone(), &alice), "200"),
        (
            deliver(
                Invitation {
                    id: "i2".into(),
                    ..invitation(&bob, by_name(group("wv:/g@b")))
                },
                &alice,
            ),
            "200",
        ),
        (deliver(honest.clone(), &user("x")), "531 531:wv:x@a"),
        (deliver(honest.clone(), &user("z@c")), "516 516:wv:z@c"),
        (withdraw(invitation(&carl, party(&carl))), "901"),
        (withdraw(honest), "200"),
        (answer(&carl), "901"),
        // Nobody has invited him.
        (answer(&bob), "423"),
        (notify(Notification::AddedToContactList(bob.clone())), "200"),
        (
            notify(Notification::AddedToContactList(carl.clone())),
            "901",
        ),
        (notify(Notification::BlockListChanged), "405"),
    ] {
        assert_eq!(
            ask(&server, &bob, request.clone()).await,
            expected,
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn an_invitation_to_a_group_of_another_domain_reaches_the_invitee_and_waits() {
    let server = server().await;
    let (alice, bob) = (user("alice"), user("bob@b"));
    let honest = invitation(&bob, MessageParty::user(bob.clone()));
    let request = Request::DeliverInvitation(Box::new(DeliverInvitation {
        invitation: honest.clone(),
        invitees: vec![alice.clone()],
    }));
    assert_eq!(ask(&server, &bob, request).await, "200");
    let pushed = server
        .told
        .wait("invitation", |event| match event {
            Event::Push(pushed) if pushed.user == alice => Some(pushed.push.clone()),
            _ => None,
        })
        .await;
    let PushContent::Invitation(shown) = &pushed.content else {
        panic!("{pushed:?}");
    };
    assert_eq!(shown.invitation, honest);
    let (waiting, more) = server.elements.pushes(&alice).await.unwrap();
    assert_eq!(
        (waiting.as_slice(), more),
        ([pushed.clone()].as_slice(), false)
    );
    let done = server.elements.push_acknowledged(&alice, &pushed, true);
    done.await.unwrap();
    assert!(server.elements.pushes(&alice).await.unwrap().0.is_empty());
}
