//! What the service access point and the operator call of the Group element, beside
//! requests.

use super::types::{GivenProperties, GroupMembers, GroupOverview};
use crate::elements::{Elements, SessionFacts};
use hamlet_model::{GroupId, Refusal, Role, StatusCode, UserId};
use hamlet_store::StoreError;

impl Elements {
    /// A client has negotiated what it takes: its user is joined in the groups in which he
    /// has AutoJoin, and hears of it as the others do (csp-group 9). `hears`: the client
    /// takes notices. Answers how many groups of this domain he was joined in; those of others
    /// follow when their domains answer. To be called once for a session.
    pub async fn auto_join(
        &self,
        session: &SessionFacts,
        hears: bool,
    ) -> Result<usize, StoreError> {
        let (inner, facts) = (self.inner.clone(), session.clone());
        tokio::spawn(async move { inner.auto_join_elsewhere(&facts, hears).await });
        self.inner.auto_join(session, hears).await
    }

    /// Deletes the groups whose owners have no account any more; who is joined is told
    /// (csp-group 9). To be called when an account has been deleted.
    pub async fn end_orphaned_groups(&self) -> Result<(), StoreError> {
        self.inner.end_orphaned_groups().await
    }

    /// Makes a public group, for the operator: 805 for the address of a private one, 516 for
    /// one of another domain, 801 for one that exists, 806 and 822 for properties that cannot
    /// be, 531 for administrators that do not exist.
    pub async fn create_public_group(
        &self,
        group: GroupId,
        properties: GivenProperties,
        admins: Vec<UserId>,
    ) -> Result<(), Refusal> {
        self.inner
            .create_public_group(group, properties, admins)
            .await
    }

    /// Changes common properties of any group, for the operator: 800, 806, 822. Who is joined
    /// is told.
    pub async fn set_group_properties(
        &self,
        group: GroupId,
        properties: GivenProperties,
    ) -> Result<(), Refusal> {
        self.inner.operate_properties(group, properties).await
    }

    /// Makes a user a member of any group with a role, for the operator: 800, 531, 816 for
    /// its owner.
    pub async fn set_group_role(
        &self,
        group: GroupId,
        user: UserId,
        role: Role,
    ) -> Result<(), Refusal> {
        self.inner.operate_role(group, user, role).await
    }

    /// Deletes any group, for the operator: 800 without it. Who is joined is told.
    pub async fn delete_group(&self, group: GroupId) -> Result<(), Refusal> {
        match self.inner.end_group(group).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StatusCode::NO_SUCH_GROUP.into()),
            Err(error) => Err(crate::failure::refusal(&error)),
        }
    }

    /// Groups in the order of their addresses, for the operator; at most `limit` from the
    /// one after `after`.
    pub async fn groups(
        &self,
        after: Option<GroupId>,
        limit: usize,
    ) -> Result<Vec<GroupOverview>, StoreError> {
        self.inner.group_overviews(after, limit).await
    }

    /// A group with its members, for the operator.
    pub async fn group(
        &self,
        group: GroupId,
    ) -> Result<Option<(GroupOverview, GroupMembers)>, StoreError> {
        self.inner.group_overview(group).await
    }
}
