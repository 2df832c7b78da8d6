//! Sessions: how they are taken up again, replaced, ended (csp-access 3).

use crate::support::{PASSWORD, Phone, Server, config};
use hamlet_csp::Syntax::{Wbxml, Xml};
use hamlet_csp::Version::{V1_1, V1_2, V1_3};
use hamlet_csp::elements::{
    CapabilityList, Functions, IMFeat, KeepAliveRequest, LoginRequest, Primitive, WVCSPFeat,
};
use hamlet_csp::{SessionDescriptor, Tag};
use hamlet_model::Timestamp;
use std::time::Duration;

#[tokio::test]
async fn a_session_is_taken_up_again_from_either_place_of_its_id() {
    let server = Server::start().await;
    server.account("anna").await;
    for version in [V1_1, V1_2, V1_3] {
        let mut phone = Phone::new(&server, "anna", version, Wbxml).await;
        phone.cookie = format!("cookie {version}");
        phone.log_in_and_negotiate().await;
        let session = phone.session_id();
        // In the descriptor (clients 3.10): an Inband Login-Request.
        let inband = phone.login_request().await;
        let (code, answer) = phone.log_in_with(inband).await;
        assert_eq!((code, answer.capability_request), (200, Some(false)));
        assert_eq!(phone.session_id(), session);
        if version == V1_3 {
            let request = LoginRequest {
                session_id: Some(session.as_str().into()),
                ..phone.login_request().await
            };
            phone.forget_session();
            let (code, answer) = phone.log_in_with(request).await;
            assert_eq!((code, answer.capability_request), (200, Some(false)));
            assert_eq!(phone.session_id(), session);
        }
        // The cookie alone (clients GEN-21).
        phone.forget_session();
        assert_eq!(phone.log_in(PASSWORD).await, 200);
        assert_eq!(phone.session_id(), session);
        phone.log_out().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_lost_session_is_replaced_by_a_new_one_or_told_by_502() {
    let server = Server::start().await;
    server.account("anna").await;
    let mut phone = Phone::new(&server, "anna", V1_3, Xml).await;
    phone.set_session("gone");
    let inband = phone.login_request().await;
    let (code, answer) = phone.log_in_with(inband).await;
    assert_eq!(
        (code, answer.capability_request),
        (200, Some(true)),
        "clients AND-29"
    );
    phone.log_out().await;
    let request = LoginRequest {
        session_id: Some("gone".into()),
        ..phone.login_request().await
    };
    assert_eq!(phone.log_in_with(request).await.0, 502);
    server.stop().await;
}

#[tokio::test]
async fn a_session_id_of_somebody_else_gets_422() {
    let server = Server::start().await;
    server.account("anna").await;
    server.account("bob").await;
    let mut anna = Phone::new(&server, "anna", V1_3, Xml).await;
    assert_eq!(anna.log_in(PASSWORD).await, 200);
    let mut bob = Phone::new(&server, "bob", V1_3, Xml).await;
    bob.set_session(anna.session_id().as_str());
    let request = bob.login_request().await;
    assert_eq!(bob.log_in_with(request).await.0, 422);
    assert_eq!(
        anna.ask(Primitive::GetListRequest).await.tag(),
        Tag::GetListResponse
    );
    server.stop().await;
}

#[tokio::test]
async fn a_new_login_of_the_same_client_ends_the_old_session_by_601() {
    let server = Server::start().await;
    server.account("anna").await;
    let mut old = Phone::new(&server, "anna", V1_2, Xml).await;
    assert_eq!(old.log_in(PASSWORD).await, 200);
    let mut new = Phone::new(&server, "anna", V1_2, Xml).await;
    new.cookie = "another".into();
    assert_eq!(new.log_in(PASSWORD).await, 200);
    assert_ne!(old.session_id(), new.session_id());
    assert_eq!(old.ask(Primitive::GetListRequest).await.code(), 601);
    // Another client of the user lives beside it.
    let mut other = Phone::new(&server, "anna", V1_1, Wbxml).await;
    other.client = "other".into();
    assert_eq!(other.log_in(PASSWORD).await, 200);
    assert_eq!(
        new.ask(Primitive::GetListRequest).await.tag(),
        Tag::GetListResponse
    );
    server.stop().await;
}

#[tokio::test]
async fn a_silent_session_expires_and_is_remembered_as_that() {
    let server = Server::start().await;
    server.account("anna").await;
    let mut phone = Phone::new(&server, "anna", V1_2, Wbxml).await;
    assert_eq!(phone.log_in(PASSWORD).await, 200);
    let after = |seconds| Timestamp::now().plus(Duration::from_secs(seconds));
    server.sap.sweep(after(3600 + 890)).await;
    assert_eq!(
        phone.ask(Primitive::GetListRequest).await.tag(),
        Tag::GetListResponse
    );
    server.sap.sweep(after(3600 + 910)).await;
    assert_eq!(phone.ask(Primitive::GetListRequest).await.code(), 600);
    let server = server.restart().await;
    phone.reconnect(&server).await;
    assert_eq!(phone.ask(Primitive::GetListRequest).await.code(), 600);
    phone.set_session("never there");
    assert_eq!(phone.ask(Primitive::GetListRequest).await.code(), 604);
    server.stop().await;
}

#[tokio::test]
async fn a_logout_whose_answer_was_lost_is_answered_again() {
    let server = Server::start().await;
    server.account("anna").await;
    for version in [V1_1, V1_2] {
        let mut phone = Phone::new(&server, "anna", version, Xml).await;
        assert_eq!(phone.log_in(PASSWORD).await, 200);
        let first = phone.ask(Primitive::LogoutRequest).await;
        let again = phone.repeat().await.expect("an answer");
        assert_eq!(first.0, again.0);
        assert_eq!(phone.ask(Primitive::GetListRequest).await.code(), 604);
    }
    server.stop().await;
}

#[tokio::test]
async fn keep_alive_times_are_agreed() {
    let server = Server::start().await;
    server.account("anna").await;
    let mut phone = Phone::new(&server, "anna", V1_1, Xml).await;
    assert_eq!(phone.log_in(PASSWORD).await, 200);
    for (wish, code, agreed) in [
        (None, 200, 3600),
        (Some(0), 605, 3600),
        (Some(120), 200, 120),
        (Some(1_000_000), 200, 86_400),
    ] {
        let heard = phone.ask(KeepAliveRequest { time_to_live: wish }).await;
        let Primitive::KeepAliveResponse(response) = heard.primitive() else {
            panic!("{heard:?}");
        };
        let got = response.result.as_ref().unwrap().code.unwrap();
        assert_eq!(
            (got, response.keep_alive_time),
            (code, Some(agreed)),
            "{wish:?}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn ten_wrong_passwords_bar_the_account_for_a_while() {
    let server = Server::start().await;
    server.account("anna").await;
    server.account("bob").await;
    let mut phone = Phone::new(&server, "anna", V1_2, Xml).await;
    for _ in 0..10 {
        assert_eq!(phone.log_in("wrong").await, 409);
    }
    assert_eq!(phone.log_in(PASSWORD).await, 403);
    let mut bob = Phone::new(&server, "bob", V1_2, Xml).await;
    assert_eq!(bob.log_in(PASSWORD).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn logins_are_refused_by_the_code_of_what_is_wrong() {
    let server = Server::start().await;
    server.account("anna").await;
    for (name, version, code) in [
        ("nobody", V1_2, 531),
        ("anna@elsewhere.example", V1_2, 516),
        ("a b", V1_2, 531),
        ("", V1_3, 531),
    ] {
        let mut phone = Phone::new(&server, name, version, Xml).await;
        assert_eq!(phone.log_in(PASSWORD).await, code, "{name}");
    }
    for (version, code) in [(V1_1, 402), (V1_2, 543), (V1_3, 543)] {
        let mut phone = Phone::new(&server, "anna", version, Xml).await;
        let request = LoginRequest {
            password: None,
            digest_schema: vec!["MD6".into()],
            ..phone.login_request().await
        };
        assert_eq!(phone.log_in_with(request).await.0, code, "{version}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_challenge_is_good_for_one_answer() {
    let server = Server::start().await;
    server.account("anna").await;
    let mut phone = Phone::new(&server, "anna", V1_2, Wbxml).await;
    assert_eq!(phone.log_in_by_digest("SHA", PASSWORD).await, 200);
    let answered = phone.last_login.clone().unwrap();
    phone.log_out().await;
    // The same digest again meets a new challenge.
    assert_eq!(phone.log_in_with(answered).await.0, 401);
    server.stop().await;
}

#[tokio::test]
async fn where_passwords_are_hashed_only_the_password_itself_lets_in() {
    let mut config = config();
    config.accounts.digest_login = false;
    let server = Server::with(config).await;
    server.account("anna").await;
    let mut phone = Phone::new(&server, "anna", V1_2, Wbxml).await;
    assert_eq!(phone.log_in(PASSWORD).await, 200);
    phone.log_out().await;
    assert_eq!(phone.log_in("wrong").await, 409);
    assert_eq!(phone.log_in_by_digest("PWD", PASSWORD).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn in_1_3_one_round_trip_negotiates_everything() {
    let server = Server::start().await;
    server.account("anna").await;
    let mut phone = Phone::new(&server, "anna", V1_3, Wbxml).await;
    let request = LoginRequest {
        capability_list: Some(CapabilityList {
            multi_trans: Some(3),
            session_priority: Some(7),
            ..CapabilityList::default()
        }),
        functions: Some(Functions {
            wvcsp_feat: Some(WVCSPFeat {
                im_feat: Some(IMFeat::default()),
                ..WVCSPFeat::default()
            }),
        }),
        ..phone.login_request().await
    };
    let (code, answer) = phone.log_in_with(request).await;
    assert_eq!((code, answer.capability_request), (200, Some(false)));
    let agreed = answer.agreed_capability_list.unwrap();
    assert_eq!(
        (agreed.multi_trans, agreed.session_priority),
        (Some(3), Some(7))
    );
    let denied = answer.functions.unwrap().wvcsp_feat.unwrap();
    assert!(denied.im_feat.unwrap().im_receive_func.unwrap().offnotif);
    // Contact lists were not asked for.
    assert_eq!(phone.ask(Primitive::GetListRequest).await.code(), 506);
    server.stop().await;
}

#[tokio::test]
async fn everything_but_login_and_provider_data_needs_a_session() {
    let server = Server::start().await;
    let mut phone = Phone::new(&server, "anna", V1_2, Xml).await;
    let heard = phone.ask(Primitive::GetListRequest).await;
    assert_eq!(heard.code(), 604);
    assert_eq!(heard.0.session, SessionDescriptor::outband());
    let info = phone
        .ask(hamlet_csp::elements::GetSPInfoRequest::default())
        .await;
    assert_eq!(info.tag(), Tag::GetSPInfoResponse);
    server.stop().await;
}
