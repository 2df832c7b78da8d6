//! Who a message says it is from (csp-im 5.3 item 3).

use crate::service::Requestor;
use hamlet_model::{ClientId, MessageParty, Refusal, StatusCode};

/// The sender as the recipients may know him, or why he is not who he says.
pub(crate) fn check_sender(
    claimed: Option<MessageParty>,
    requestor: &Requestor,
) -> Result<MessageParty, Refusal> {
    match claimed {
        None => Ok(MessageParty::User {
            user: requestor.user.clone(),
            // The grammar has room for one of the two (csp-im 2.2).
            client: match requestor.application {
                Some(_) => None,
                None => requestor
                    .client
                    .clone()
                    .filter(|id| *id != ClientId::default()),
            },
            application: requestor.application.clone(),
        }),
        Some(MessageParty::User {
            user,
            client,
            application,
        }) => {
            let client = client.filter(|id| *id != ClientId::default());
            if user != requestor.user {
                return Err(refuse(
                    StatusCode::INVALID_USER_ID,
                    "The sender is not the user of the session",
                ));
            }
            if client.is_some() && client != requestor.client {
                return Err(refuse(
                    StatusCode::CLIENT_ID_MISMATCH,
                    "The sender names another client than that of the session",
                ));
            }
            if application.is_some() && application != requestor.application {
                return Err(refuse(
                    StatusCode::INVALID_APPLICATION_ID,
                    "The sender names another application than that of the session",
                ));
            }
            Ok(MessageParty::User {
                user,
                client,
                application,
            })
        }
        Some(MessageParty::ScreenName { name, .. }) if name.trim().is_empty() => Err(refuse(
            StatusCode::INVALID_USER_ID,
            "The sender has no screen name",
        )),
        Some(MessageParty::ScreenName { .. }) => Err(StatusCode::NO_SUCH_GROUP.into()),
        Some(MessageParty::Group(_)) => Err(refuse(
            StatusCode::INVALID_USER_ID,
            "A group cannot be the sender",
        )),
    }
}

fn refuse(code: StatusCode, why: &str) -> Refusal {
    Refusal::because(code, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::{ApplicationId, Domain, GroupId, UserId};

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("a").unwrap()).unwrap()
    }

    fn party(name: &str, client: Option<&str>, application: Option<&str>) -> MessageParty {
        MessageParty::User {
            user: user(name),
            client: client.map(ClientId::from_url),
            application: application.map(ApplicationId::new),
        }
    }

    #[test]
    fn a_sender_may_only_be_the_user_of_the_session() {
        let phone = Requestor {
            client: Some(ClientId::from_url("phone")),
            ..Requestor::user(user("anna"))
        };
        let game = Requestor {
            application: Some(ApplicationId::new("chess")),
            ..phone.clone()
        };
        let group = GroupId::parse("wv:/g@a", &Domain::parse("a").unwrap()).unwrap();
        let named = |name: &str| MessageParty::ScreenName {
            name: name.into(),
            group: group.clone(),
        };
        let cases = [
            (&phone, None, Ok(party("anna", Some("phone"), None))),
            (&game, None, Ok(party("anna", None, Some("chess")))),
            (
                &phone,
                Some(party("anna", None, None)),
                Ok(party("anna", None, None)),
            ),
            (
                &phone,
                Some(party("anna", Some("phone"), None)),
                Ok(party("anna", Some("phone"), None)),
            ),
            (&phone, Some(party("bo", None, None)), Err(427)),
            (&phone, Some(party("anna", Some("other"), None)), Err(428)),
            (&phone, Some(party("anna", None, Some("chess"))), Err(450)),
            (&game, Some(party("anna", None, Some("go"))), Err(450)),
            (&phone, Some(named(" ")), Err(427)),
            (&phone, Some(named("cy")), Err(800)),
            (&phone, Some(MessageParty::Group(group.clone())), Err(427)),
        ];
        for (requestor, claimed, expected) in cases {
            let got = check_sender(claimed.clone(), requestor).map_err(|r| r.code.0);
            assert_eq!(got, expected, "{claimed:?}");
        }
    }
}
