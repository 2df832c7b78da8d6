//! What users answer to system messages (csp-access 12).

use super::operate::{push_name, read};
use super::{Answers, Given, SystemMessage, SystemMessageShown};
use crate::elements::Inner;
use crate::failure::refusal;
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Response};
use hamlet_model::{Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, SystemMessageState, SystemMessageUser, Tx};

/// Most answers of one request.
const MOST: usize = 50;

impl Inner {
    /// Takes all answers or none: 404 for a message that does not wait for this user, 402
    /// for a choice that is not offered or missing, 409 for a wrong key.
    pub(crate) async fn answer_system_messages(
        &self,
        user: UserId,
        answers: Answers,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        match answers.given.len() {
            0 => {
                return Err(Refusal::because(
                    StatusCode::BAD_REQUEST,
                    "Nothing is answered",
                ));
            }
            1..=MOST => {}
            _ => return Err(StatusCode::BAD_PARAMETER.into()),
        }
        let (answer, events) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, Vec::new()));
                }
                let answered = match take(tx, &user, &answers)? {
                    Ok(answered) => answered,
                    Err(refusal) => return Ok((Err(refusal), Vec::new())),
                };
                let answer = Ok(Response::Done(Outcome::default()));
                once::settle(tx, key.as_ref(), &answer)?;
                let gone = answered.into_iter().map(|number| Event::PushRemoved {
                    user: user.clone(),
                    id: push_name(number),
                });
                Ok((answer, gone.collect()))
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.emit(events);
        answer
    }

    /// The same at a login: 403 when a choice means that he does not get in, which is then
    /// noted but not final.
    pub(crate) async fn answer_at_login(
        &self,
        user: &UserId,
        answers: Answers,
    ) -> Result<(), Refusal> {
        if answers.given.is_empty() || answers.given.len() > MOST {
            return Err(StatusCode::BAD_PARAMETER.into());
        }
        let user = user.clone();
        let taken = self.store.write(move |tx| {
            let answered = match take(tx, &user, &answers)? {
                Ok(answered) => answered,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let mut refused = false;
            for (number, given) in answered.iter().zip(&answers.given) {
                let kept = tx.system_message(*number)?;
                let shown = kept.as_ref().and_then(read);
                if shown.is_some_and(|shown| refuses(&shown.message, given)) {
                    refused = true;
                    tx.set_system_message_user(
                        *number,
                        &SystemMessageUser {
                            user: user.clone(),
                            state: SystemMessageState::Shown,
                            choice: given.choice,
                            changed: Timestamp::now(),
                        },
                    )?;
                }
            }
            Ok(match refused {
                true => Err(Refusal::new(StatusCode::FORBIDDEN)),
                false => Ok(()),
            })
        });
        taken.await.map_err(|error| refusal(&error))?
    }
}

/// Notes the answers; the numbers of their messages, in their order.
fn take(
    tx: &mut Tx<'_>,
    user: &UserId,
    answers: &Answers,
) -> Result<Result<Vec<i64>, Refusal>, StoreError> {
    let now = Timestamp::now();
    let mut right = Vec::with_capacity(answers.given.len());
    for given in &answers.given {
        let number = SystemMessageShown::number_of(&given.id);
        let waits = match number {
            Some(number) => waiting(tx, user, number, now)?,
            None => None,
        };
        let Some(shown) = waits else {
            return Ok(Err(StatusCode::NOT_FOUND.into()));
        };
        if let Err(code) = judge(&shown.message, given) {
            return Ok(Err(code.into()));
        }
        right.push((shown.number, given.choice));
    }
    for (number, choice) in &right {
        tx.set_system_message_user(
            *number,
            &SystemMessageUser {
                user: user.clone(),
                state: SystemMessageState::Answered,
                choice: *choice,
                changed: now,
            },
        )?;
    }
    Ok(Ok(right.into_iter().map(|(number, _)| number).collect()))
}

/// The message, if it waits for an answer of this user.
fn waiting(
    tx: &mut Tx<'_>,
    user: &UserId,
    number: i64,
    now: Timestamp,
) -> Result<Option<SystemMessageShown>, StoreError> {
    let Some(kept) = tx.system_message(number)?.filter(|kept| kept.expires > now) else {
        return Ok(None);
    };
    let state = tx
        .system_message_user(number, user)?
        .map(|known| known.state);
    let waits = match state {
        None => kept.everyone,
        Some(state) => {
            matches!(
                state,
                SystemMessageState::Waiting | SystemMessageState::Shown
            )
        }
    };
    Ok(read(&kept).filter(|shown| waits && shown.message.requires_response))
}

/// Whether this is an answer to the message.
fn judge(message: &SystemMessage, given: &Given) -> Result<(), StatusCode> {
    let offered = |choice: u32| {
        usize::try_from(choice).is_ok_and(|choice| (1..=message.options.len()).contains(&choice))
    };
    match given.choice {
        None if !message.options.is_empty() => return Err(StatusCode::BAD_PARAMETER),
        Some(choice) if !offered(choice) => return Err(StatusCode::BAD_PARAMETER),
        _ => {}
    }
    let Some(verification) = &message.verification else {
        return Ok(());
    };
    let key = given.key.as_deref().unwrap_or("").trim();
    match key.to_lowercase() == verification.key.trim().to_lowercase() {
        true => Ok(()),
        false => Err(StatusCode::INVALID_PASSWORD),
    }
}

/// Whether the choice means that the user does not get in.
fn refuses(message: &SystemMessage, given: &Given) -> bool {
    let choice = given.choice.and_then(|choice| usize::try_from(choice).ok());
    let option = choice.and_then(|choice| message.options.get(choice.checked_sub(1)?));
    option.is_some_and(|option| option.refuses)
}

#[cfg(test)]
mod tests {
    use super::super::{AnswerOption, Question, Verification};
    use super::*;

    #[test]
    fn the_table_of_answers() {
        let option = |text: &str, refuses| AnswerOption {
            text: text.into(),
            refuses,
        };
        let asking = SystemMessage {
            text: "Do you accept?".into(),
            options: vec![option("Yes", false), option("No", true)],
            verification: Some(Verification {
                question: Question::Text("Which place do ships lie in?".into()),
                key: "Harbour".into(),
            }),
            requires_response: true,
            at_login: true,
            as_message_from: None,
        };
        let plain = SystemMessage {
            options: Vec::new(),
            verification: None,
            ..asking.clone()
        };
        for (message, choice, key, expected) in [
            (&asking, Some(1), Some("HARBOUR "), Ok(())),
            (&asking, Some(2), Some("harbour"), Ok(())),
            (&asking, Some(3), Some("harbour"), Err(402)),
            (&asking, Some(0), Some("harbour"), Err(402)),
            (&asking, None, Some("harbour"), Err(402)),
            (&asking, Some(1), Some("port"), Err(409)),
            (&asking, Some(1), None, Err(409)),
            (&plain, None, None, Ok(())),
            (&plain, None, Some("x"), Ok(())),
            (&plain, Some(1), None, Err(402)),
        ] {
            let given = Given {
                id: "sm-1".into(),
                choice,
                key: key.map(str::to_owned),
            };
            let got = judge(message, &given).map_err(|code| code.0);
            assert_eq!(got, expected, "{choice:?} {key:?}");
        }
        let chose = |choice| Given {
            id: "sm-1".into(),
            choice,
            key: None,
        };
        for (choice, refused) in [
            (Some(1), false),
            (Some(2), true),
            (Some(0), false),
            (None, false),
        ] {
            assert_eq!(refuses(&asking, &chose(choice)), refused);
        }
    }
}
