//! UpdatePublicProfile (csp-access 11.1), and what the operator does to profiles.

use super::UpdatePublicProfile;
use crate::elements::Inner;
use crate::failure::refusal;
use crate::notification::Notification;
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::{Profile, ProfileField, Refusal, SessionId, StatusCode, UserId};
use hamlet_store::StoreError;

impl Inner {
    /// Clears, then sets; if one of the values cannot be, nothing is changed.
    pub(crate) async fn update_public_profile(
        &self,
        requestor: Requestor,
        request: UpdatePublicProfile,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (user, session) = (requestor.user, requestor.session);
        let told = user.clone();
        if request.user.as_ref().is_some_and(|named| *named != user) {
            let why = "The profile is another user's";
            return Err(Refusal::because(StatusCode::UNAUTHORIZED, why));
        }
        if !request.unknown.is_empty() {
            let why = format!("There is no {}", request.unknown.join(", "));
            return Err(Refusal::because(StatusCode::INVALID_USER_PROPERTY, why));
        }
        let hidden = request
            .changes
            .iter()
            .find(|(field, _)| field.property().is_none() && *field != ProfileField::Findable);
        if let Some((field, _)) = hidden {
            let why = format!("{} is not public", field.name());
            return Err(Refusal::because(StatusCode::INVALID_USER_PROPERTY, why));
        }
        let country_code = self.config.search.country_code.clone();
        let (answer, is_new) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, false));
                }
                let Some(mut profile) = tx.profile(&user)? else {
                    return Ok((Err(StatusCode::UNKNOWN_USER.into()), false));
                };
                if request.clear {
                    profile.clear_public();
                }
                if let Err(refusal) = change(&mut profile, &request.changes, &country_code) {
                    return Ok((Err(refusal), false));
                }
                tx.put_profile(&user, &profile)?;
                let answer = Ok(Response::Done(Outcome::default()));
                once::settle(tx, key.as_ref(), &answer)?;
                Ok((answer, true))
            })
            .await
            .map_err(|error| refusal(&error))?;
        if is_new {
            // He may have another friendly name.
            self.directory.forget(&told);
            self.profile_updated(told, session);
        }
        answer
    }

    /// The user's sessions hear of it, but for the one that did it.
    fn profile_updated(&self, user: UserId, except: Option<SessionId>) {
        self.emit([Event::Notification {
            user,
            except,
            notification: Notification::PublicProfileUpdated,
        }]);
    }

    /// The whole profile of a user, for the operator.
    pub(crate) async fn profile(&self, user: &UserId) -> Result<Option<Profile>, StoreError> {
        let user = user.clone();
        self.store.read(move |tx| tx.profile(&user)).await
    }

    /// Changes any fields of a profile, for the operator: 531 without such a user, 702 for a
    /// value that cannot be.
    pub(crate) async fn set_profile(
        &self,
        user: &UserId,
        changes: Vec<(ProfileField, String)>,
    ) -> Result<(), Refusal> {
        let told = changes
            .iter()
            .any(|(field, _)| field.property().is_some())
            .then(|| user.clone());
        let named = user.clone();
        let (user, country_code) = (user.clone(), self.config.search.country_code.clone());
        let done = self
            .store
            .write(move |tx| {
                let Some(mut profile) = tx.profile(&user)? else {
                    return Ok(Err(StatusCode::UNKNOWN_USER.into()));
                };
                if let Err(refusal) = change(&mut profile, &changes, &country_code) {
                    return Ok(Err(refusal));
                }
                tx.put_profile(&user, &profile)?;
                Ok(Ok(()))
            })
            .await;
        done.map_err(|error| refusal(&error))??;
        self.directory.forget(&named);
        if let Some(user) = told {
            self.profile_updated(user, None);
        }
        Ok(())
    }
}

fn change(
    profile: &mut Profile,
    changes: &[(ProfileField, String)],
    country_code: &str,
) -> Result<(), Refusal> {
    for (field, text) in changes {
        profile
            .set(*field, text, country_code)
            .map_err(|bad| Refusal::because(StatusCode::INVALID_USER_PROPERTY, bad.to_string()))?;
    }
    Ok(())
}
