//! What a login that has proved itself may do: the user's subscription, and the application
//! that it uses or is (architecture document 5.3.6.1, 5.3.6.3; data-types 1.5).

use crate::Sap;
use crate::login::credentials::Secret;
use crate::login::respond::Login;
use hamlet_model::{Application, ApplicationId, Refusal, ServiceSet, StatusCode};
use hamlet_store::AccountStatus;

/// What a session is opened with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Its application; `None` is the standard IMPS application.
    pub(crate) application: Option<ApplicationId>,
    /// It is the application itself, not a user of it.
    pub(crate) own: bool,
    /// What it may use.
    pub(crate) services: ServiceSet,
}

/// What is known of the application that a login names, and of its user's relation to it.
struct Relation {
    /// The application whose own account the user is.
    own: Option<Application>,
    /// The one that is named, if it is registered.
    named: Option<Application>,
    /// Whether that may act for the user.
    granted: bool,
}

impl Sap {
    /// Decides about a user who has proved who he is.
    pub(crate) async fn admit(&self, login: &Login<'_>) -> Result<Admission, Refusal> {
        let (user, named) = (login.user.clone(), login.application.clone());
        let read = self.store.read(move |tx| {
            let own = tx.application_of(&user)?;
            let application = match &named {
                Some(id) => tx.application(id)?,
                None => None,
            };
            let granted = match &application {
                Some(application) => tx.is_granted(&application.id, &user)?,
                None => false,
            };
            let relation = Relation {
                own,
                named: application,
                granted,
            };
            Ok((relation, tx.user_profile(&user)?))
        });
        let read = read.await;
        let (relation, profile) = read.map_err(|error| self.store_failed("admission", &error))?;
        let named = login.application.as_ref();
        let registered_only = self.config.accounts.registered_applications_only;
        let admission = decide(named, relation, registered_only)?;
        Ok(Admission {
            services: admission.services.intersection(profile.usable()),
            ..admission
        })
    }

    /// The secret of the application that a login names, if that may act for the user: then
    /// it proves itself in his place.
    pub(crate) async fn secret_of_application(
        &self,
        login: &Login<'_>,
    ) -> Result<Option<Secret>, Refusal> {
        let Some(id) = login.application.clone() else {
            return Ok(None);
        };
        let user = login.user.clone();
        let read = self.store.read(move |tx| {
            let Some(application) = tx.application(&id)?.filter(|found| found.active) else {
                return Ok(None);
            };
            match tx.is_granted(&id, &user)? {
                true => tx.account(&application.account),
                false => Ok(None),
            }
        });
        let account = read.await;
        let account = account.map_err(|error| self.store_failed("application", &error))?;
        let active = account.filter(|account| account.status == AccountStatus::Active);
        Ok(active.and_then(|account| {
            let stored = account.credential?;
            Some(self.credentials.open(&account.user, &stored))
        }))
    }
}

fn decide(
    named: Option<&ApplicationId>,
    relation: Relation,
    registered_only: bool,
) -> Result<Admission, Refusal> {
    let refuse = |code, why: &str| Err(Refusal::because(code, why));
    let is_active = |application: &Application| application.active;
    if let Some(application) = relation.own {
        // An application is nobody else, and may leave out what it is.
        if named.is_some_and(|id| *id != application.id) {
            let why = "The account belongs to another application";
            return refuse(StatusCode::INVALID_APPLICATION_ID, why);
        }
        if !is_active(&application) {
            return refuse(StatusCode::FORBIDDEN, "The application is switched off");
        }
        return Ok(Admission {
            application: Some(application.id),
            own: true,
            services: application.services,
        });
    }
    let usual = Admission {
        application: named.cloned(),
        own: false,
        services: ServiceSet::ALL,
    };
    match (named, relation.named) {
        (None, _) => Ok(usual),
        (Some(_), None) if registered_only => refuse(
            StatusCode::INVALID_APPLICATION_ID,
            "There is no such application",
        ),
        (Some(_), None) => Ok(usual),
        (Some(_), Some(application)) if !is_active(&application) => {
            refuse(StatusCode::FORBIDDEN, "The application is switched off")
        }
        (Some(_), Some(application)) if !application.open && !relation.granted => refuse(
            StatusCode::FORBIDDEN,
            "The user may not use the application",
        ),
        (Some(_), Some(application)) => Ok(Admission {
            services: application.services,
            ..usual
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::user_id;
    use hamlet_model::{Service, Timestamp};

    fn chess() -> Application {
        Application {
            id: ApplicationId::new("chess"),
            account: user_id("chess"),
            active: true,
            services: [Service::Im].into_iter().collect(),
            open: false,
            profiles: false,
            peers: Vec::new(),
            created: Timestamp::default(),
        }
    }

    #[test]
    fn an_application_is_used_by_those_who_may_and_an_account_has_one() {
        let off = Application {
            active: false,
            ..chess()
        };
        let open = Application {
            open: true,
            ..chess()
        };
        let (some, all) = (chess().services, ServiceSet::ALL);
        for (named, own, registered, granted, only, expected) in [
            (None, None, None, false, true, Ok((None, false, all))),
            (
                Some("x"),
                None,
                None,
                false,
                false,
                Ok((Some("x"), false, all)),
            ),
            (Some("x"), None, None, false, true, Err(450)),
            (Some("chess"), None, Some(chess()), false, false, Err(403)),
            (
                Some("chess"),
                None,
                Some(chess()),
                true,
                false,
                Ok((Some("chess"), false, some)),
            ),
            (
                Some("chess"),
                None,
                Some(open),
                false,
                false,
                Ok((Some("chess"), false, some)),
            ),
            (
                Some("chess"),
                None,
                Some(off.clone()),
                true,
                false,
                Err(403),
            ),
            (
                None,
                Some(chess()),
                None,
                false,
                true,
                Ok((Some("chess"), true, some)),
            ),
            (
                Some("chess"),
                Some(chess()),
                Some(chess()),
                false,
                true,
                Ok((Some("chess"), true, some)),
            ),
            (Some("x"), Some(chess()), None, false, false, Err(450)),
            (None, Some(off), None, false, false, Err(403)),
        ] {
            let named = named.map(ApplicationId::new);
            let relation = Relation {
                own,
                named: registered,
                granted,
            };
            let found = decide(named.as_ref(), relation, only)
                .map(|a| (a.application, a.own, a.services))
                .map_err(|refusal| refusal.code.0);
            let expected = expected.map(|(id, own, set)| (id.map(ApplicationId::new), own, set));
            assert_eq!(found, expected, "{named:?}");
        }
    }
}
