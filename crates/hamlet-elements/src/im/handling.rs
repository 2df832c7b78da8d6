//! What users want done with messages (csp-im 10.2): OnlineETEMHandling is one setting of the
//! user, OfflineETEMHandling one of each client, kept beyond its sessions.

use super::recipients::as_addressed;
use super::{OfflineHandling, OnlineHandling};
use crate::directory::Unusual;
use crate::elements::{Inner, SessionFacts};
use hamlet_model::refusal::Failures;
use hamlet_model::{ClientId, MessageParty, StatusCode, Timestamp, UserId};
use hamlet_store::{OfflineWish, StoreError};

/// What becomes of a message at the time of its submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits for whom it is addressed to.
    Keep,
    /// It goes to any session of the user.
    Redirect,
    /// Its sender is told 533.
    Refuse,
}

/// The table of csp-im 10.2. `addressed`: a session that the message is addressed to is
/// online; `any`: another session of the user is. There is no bearer for clients that are
/// offline.
pub(super) fn fate(handling: OfflineHandling, addressed: bool, any: bool) -> Fate {
    use OfflineHandling::{PriorityReject, PriorityStore, Reject, SendReject, SendStore};
    match handling {
        _ if addressed => Fate::Keep,
        SendStore => Fate::Keep,
        Reject | SendReject => Fate::Refuse,
        PriorityReject if any => Fate::Redirect,
        PriorityReject => Fate::Refuse,
        PriorityStore => Fate::Redirect,
    }
}

impl OfflineHandling {
    fn number(self) -> i64 {
        match self {
            Self::SendStore => 0,
            Self::Reject => 1,
            Self::SendReject => 2,
            Self::PriorityReject => 3,
            Self::PriorityStore => 4,
        }
    }

    pub(crate) fn of_number(number: i64) -> Self {
        match number {
            1 => Self::Reject,
            2 => Self::SendReject,
            3 => Self::PriorityReject,
            4 => Self::PriorityStore,
            _ => Self::SendStore,
        }
    }
}

impl OnlineHandling {
    fn number(self) -> i64 {
        match self {
            Self::ServerLogic => 0,
            Self::ForkAll => 1,
            Self::Detect => 2,
        }
    }

    pub(crate) fn of_number(number: i64) -> Self {
        match number {
            1 => Self::ForkAll,
            2 => Self::Detect,
            _ => Self::ServerLogic,
        }
    }
}

impl Inner {
    /// A client has negotiated. Whether the user's OnlineETEMHandling is another one now.
    pub(crate) async fn handling_negotiated(
        &self,
        user: &UserId,
        client: &ClientId,
        online: Option<OnlineHandling>,
        offline: Option<OfflineHandling>,
    ) -> Result<bool, StoreError> {
        if online.is_none() && offline.is_none() {
            return Ok(false);
        }
        let wish = offline.map(|offline| OfflineWish {
            user: user.clone(),
            client: client.clone(),
            handling: offline.number(),
        });
        let owner = user.clone();
        let changed = self
            .store
            .write(move |tx| {
                if let Some(wish) = &wish {
                    tx.put_offline_wish(wish, Timestamp::now())?;
                }
                let Some(online) = online else {
                    return Ok(false);
                };
                let before = tx.online_handling(&owner)?.unwrap_or(0);
                if before != online.number() {
                    tx.set_online_handling(&owner, online.number())?;
                }
                Ok(before != online.number())
            })
            .await?;
        if offline.is_some() {
            self.directory.forget(user);
        }
        Ok(changed)
    }

    /// Of the recipients those who get the message, now or later, as they are addressed then;
    /// the others do not want it while they are offline (533).
    pub(super) fn reachable(
        &self,
        recipients: Vec<(UserId, MessageParty)>,
        failures: &mut Failures,
    ) -> Vec<(UserId, MessageParty)> {
        let mut reached = Vec::with_capacity(recipients.len());
        for (user, party) in recipients {
            let unusual = self.directory.unusual(&user);
            if unusual.offline.is_empty() {
                reached.push((user, party));
                continue;
            }
            match self.fate_of(&user, &party, &unusual) {
                Fate::Keep => reached.push((user, party)),
                Fate::Redirect => {
                    let party = MessageParty::user(as_addressed(user.clone(), &party));
                    reached.push((user, party));
                }
                Fate::Refuse => {
                    let named = as_addressed(user, &party);
                    failures.user(StatusCode::NOT_LOGGED_IN, named);
                }
            }
        }
        reached
    }

    fn fate_of(&self, user: &UserId, party: &MessageParty, unusual: &Unusual) -> Fate {
        let MessageParty::User {
            client,
            application,
            ..
        } = party
        else {
            return Fate::Keep;
        };
        let is_addressed = |session: &SessionFacts| match client {
            Some(client) => *client == session.client,
            None => {
                let own = application.is_none() && unusual.application == session.application;
                *application == session.application || own
            }
        };
        let state = self.hub.lock();
        let any = state.sessions_of(user).next().is_some();
        let addressed = state.sessions_of(user).any(is_addressed);
        drop(state);
        // Without a client's own wish, that of the client which negotiated last.
        let wishes = &unusual.offline;
        let handling = match client {
            Some(client) => wishes
                .iter()
                .find(|(of, _)| of == client)
                .map_or(OfflineHandling::default(), |(_, wish)| *wish),
            None => wishes
                .first()
                .map_or(OfflineHandling::default(), |(_, wish)| *wish),
        };
        fate(handling, addressed, any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Fate::{Keep, Redirect, Refuse};
    use OfflineHandling::{PriorityReject, PriorityStore, Reject, SendReject, SendStore};

    #[test]
    fn what_becomes_of_a_message_follows_the_handling_and_who_is_online() {
        // Nobody online, another session, the addressed one.
        for (handling, nobody, another, addressed) in [
            (Reject, Refuse, Refuse, Keep),
            (SendReject, Refuse, Refuse, Keep),
            (SendStore, Keep, Keep, Keep),
            (PriorityReject, Refuse, Redirect, Keep),
            (PriorityStore, Redirect, Redirect, Keep),
        ] {
            assert_eq!(fate(handling, false, false), nobody, "{handling:?}");
            assert_eq!(fate(handling, false, true), another, "{handling:?}");
            assert_eq!(fate(handling, true, true), addressed, "{handling:?}");
        }
    }

    #[test]
    fn handlings_are_stored_as_numbers() {
        for handling in [Reject, SendReject, SendStore, PriorityReject, PriorityStore] {
            assert_eq!(OfflineHandling::of_number(handling.number()), handling);
        }
        for handling in [
            OnlineHandling::ServerLogic,
            OnlineHandling::ForkAll,
            OnlineHandling::Detect,
        ] {
            assert_eq!(OnlineHandling::of_number(handling.number()), handling);
        }
        assert_eq!(
            OfflineHandling::default().number(),
            0,
            "as the store takes it"
        );
    }
}
