//! How a change of a group is carried out: once, in one transaction, told after the commit.

use super::effects::Telling;
use super::rights::{Operation, Standing, may};
use crate::elements::Inner;
use crate::failure::refusal;
use crate::once;
use crate::service::{Answer, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{ClientId, GroupId, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, StoredGroup, StoredJoined, StoredMember, Tx};

/// Why a change is not made: it is refused before anything is written, or the store fails.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    Store(StoreError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StatusCode> for Failure {
    fn from(code: StatusCode) -> Self {
        Self::Refused(code.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a change answers, and what is told of it.
pub(crate) type Changed = Result<(Response, Vec<Telling>), Failure>;

impl Inner {
    /// Carries out a change, or answers as before to who repeats his request.
    pub(crate) async fn change_group<F>(&self, key: Option<IdempotenceKey>, mut change: F) -> Answer
    where
        F: FnMut(&mut Tx<'_>) -> Changed + Send + 'static,
    {
        let done = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, Vec::new()));
                }
                match change(tx) {
                    Ok((response, tellings)) => {
                        let answer = Ok(response);
                        once::settle(tx, key.as_ref(), &answer)?;
                        Ok((answer, tellings))
                    }
                    Err(Failure::Refused(refusal)) => Ok((Err(refusal), Vec::new())),
                    Err(Failure::Store(error)) => Err(error),
                }
            })
            .await;
        let (answer, tellings) = done.map_err(|error| refusal(&error))?;
        self.tell_groups(tellings).await;
        answer
    }

    /// Reads something of a group.
    pub(crate) async fn read_group<T, F>(&self, mut read: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let found = self.store.read(move |tx| match read(tx) {
            Ok(found) => Ok(Ok(found)),
            Err(Failure::Refused(refusal)) => Ok(Err(refusal)),
            Err(Failure::Store(error)) => Err(error),
        });
        found.await.map_err(|error| refusal(&error))?
    }
}

/// A group, and what the requestor is to it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) group: StoredGroup,
    /// What is kept of the requestor.
    pub(crate) member: Option<StoredMember>,
    /// The join of his client.
    pub(crate) joined: Option<StoredJoined>,
}

impl View {
    /// 800 without such a group.
    pub(crate) fn read(
        tx: &mut Tx<'_>,
        id: &GroupId,
        requestor: &Requestor,
    ) -> Result<Self, Failure> {
        let group = tx.group(id)?.ok_or(StatusCode::NO_SUCH_GROUP)?;
        let member = tx.group_member(id, &requestor.user)?;
        let client = client_of(requestor);
        let joined = tx.group_joined_client(id, &requestor.user, &client)?;
        let joined = joined.filter(|joined| joined.session == requestor.session);
        Ok(Self {
            group,
            member,
            joined,
        })
    }

    pub(crate) fn standing(&self, user: &UserId) -> Standing {
        Standing {
            joined: self.joined.is_some(),
            ..standing(&self.group, user, self.member.as_ref())
        }
    }

    /// Refuses what the requestor may not do.
    pub(crate) fn check(&self, user: &UserId, operation: Operation) -> Result<(), Failure> {
        may(self.standing(user), operation).map_err(Failure::from)
    }
}

/// What a user is to a group, joined or not.
pub(crate) fn standing(
    group: &StoredGroup,
    user: &UserId,
    member: Option<&StoredMember>,
) -> Standing {
    Standing {
        owner: group.owner.as_ref() == Some(user),
        role: member.map(|member| member.role).unwrap_or_default(),
        member: member.is_some_and(|member| member.is_member),
        joined: false,
    }
}

/// What is kept of somebody of whom nothing is kept.
pub(crate) fn nothing(user: &UserId) -> StoredMember {
    StoredMember {
        user: user.clone(),
        is_member: false,
        role: hamlet_model::Role::User,
        own: hamlet_model::OwnProperties::default(),
    }
}

/// Keeps what a user is to a group as long as it is worth keeping: of who is neither member
/// nor joins automatically only while he is joined, and only what differs from the usual.
pub(crate) fn keep_member(
    tx: &mut Tx<'_>,
    group: &GroupId,
    member: &StoredMember,
) -> Result<(), StoreError> {
    let is_usual = *member == nothing(&member.user);
    let is_lasting = member.is_member || member.own.auto_join;
    let is_joined = is_lasting || !tx.joined_of_user(group, &member.user)?.is_empty();
    match is_usual || !is_joined {
        true => tx.remove_group_member(group, &member.user),
        false => tx.put_group_member(group, member),
    }
}

/// The client by which a join is known: none of users of other domains.
pub(crate) fn client_of(requestor: &Requestor) -> ClientId {
    requestor.client.clone().unwrap_or_default()
}

/// When the validity of a group ends that is set now.
pub(crate) fn ends(validity: Option<u32>) -> Option<Timestamp> {
    let life = std::time::Duration::from_secs(validity?.into());
    Some(Timestamp::now().plus(life))
}

/// Success with nothing more to say.
pub(crate) fn done() -> Response {
    Response::Done(Outcome::default())
}

/// 200 or 201; when everything has failed, the refusal.
pub(crate) fn outcome(failures: Failures, something: bool) -> Result<Response, Failure> {
    let code = failures.overall(something);
    let details = failures.into_details();
    match code.is_success() {
        true => Ok(Response::Done(Outcome { details })),
        false => Err(Failure::Refused(Refusal {
            details,
            ..Refusal::new(code)
        })),
    }
}
