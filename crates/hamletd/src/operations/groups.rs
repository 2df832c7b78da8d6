//! Groups: public ones are the provider's to make (csp-group 1), and any one can be looked at,
//! changed and ended.

use super::{Actor, Failure, FailureKind, Operations, Page};
use hamlet_elements::group::{
    GivenProperties, GivenUsers, GroupMembers, GroupOverview, RejectList, RemoveGroupMembers,
};
use hamlet_elements::{Call, Request, Requestor};
use hamlet_model::{Content, GroupId, MessageId, Refusal, Role, StatusCode, UserId};

impl Operations {
    /// Makes a public group with these properties (`Name`, value) and administrators.
    pub async fn create_group(
        &self,
        by: &Actor,
        group: &str,
        properties: Vec<(String, String)>,
        admins: &[String],
    ) -> Result<GroupId, Failure> {
        let create = async {
            let id = self.group_id(group)?;
            let admins: Result<Vec<UserId>, _> =
                admins.iter().map(|user| self.user_id(user)).collect();
            let given = given(properties);
            let elements = self.sap.elements();
            let created = elements.create_public_group(id.clone(), given, admins?);
            created.await.map_err(|refusal| of_group(&id, refusal))?;
            Ok(id)
        };
        let target = self.group_target(group);
        self.audited(by, "group.create", &target, create).await
    }

    /// Groups in the order of their addresses, at most `limit` of them.
    pub async fn groups(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<GroupOverview>, Failure> {
        let after = after.map(|text| self.group_id(text)).transpose()?;
        let found = self.sap.elements().groups(after, limit.saturating_add(1));
        Ok(Page::of(found.await?, limit))
    }

    /// A group with its members.
    pub async fn group(&self, group: &str) -> Result<(GroupOverview, GroupMembers), Failure> {
        let id = self.group_id(group)?;
        let found = self.sap.elements().group(id.clone()).await?;
        found.ok_or_else(|| no_group(&id))
    }

    /// Changes common properties of a group; who is joined is told.
    pub async fn set_group(
        &self,
        by: &Actor,
        group: &str,
        properties: Vec<(String, String)>,
    ) -> Result<GroupId, Failure> {
        let set = async {
            let id = self.group_id(group)?;
            let elements = self.sap.elements();
            let set = elements.set_group_properties(id.clone(), given(properties));
            set.await.map_err(|refusal| of_group(&id, refusal))?;
            Ok(id)
        };
        let target = self.group_target(group);
        self.audited(by, "group.set", &target, set).await
    }

    /// Makes a user a member with a role, or (`None`) no member any more.
    pub async fn set_group_member(
        &self,
        by: &Actor,
        group: &str,
        user: &str,
        role: Option<Role>,
    ) -> Result<GroupId, Failure> {
        let target = self.member_target(group, user);
        let target = format!("{target} {}", role.map_or("none", Role::as_str));
        let set = async {
            let (id, user) = (self.group_id(group)?, self.user_id(user)?);
            let done = match role {
                Some(role) => {
                    let elements = self.sap.elements();
                    elements.set_group_role(id.clone(), user, role).await
                }
                None => {
                    let request = Request::RemoveGroupMembers(RemoveGroupMembers {
                        group: id.clone(),
                        users: only(user),
                    });
                    self.as_administrator(&id, request).await?
                }
            };
            done.map_err(|refusal| of_group(&id, refusal))?;
            Ok(id)
        };
        self.audited(by, "group.member", &target, set).await
    }

    /// Keeps a user out of a group, or lets him in again.
    pub async fn reject_from_group(
        &self,
        by: &Actor,
        group: &str,
        user: &str,
        out: bool,
    ) -> Result<GroupId, Failure> {
        let target = self.member_target(group, user);
        let operation = if out { "group.reject" } else { "group.readmit" };
        let reject = async {
            let (id, user) = (self.group_id(group)?, self.user_id(user)?);
            let (add, remove) = match out {
                true => (only(user), GivenUsers::default()),
                false => (GivenUsers::default(), only(user)),
            };
            let request = Request::RejectList(Box::new(RejectList {
                group: id.clone(),
                add,
                remove,
            }));
            let done = self.as_administrator(&id, request).await?;
            done.map_err(|refusal| of_group(&id, refusal))?;
            Ok(id)
        };
        self.audited(by, operation, &target, reject).await
    }

    /// The users whom a group keeps out, in the order of their addresses.
    pub async fn group_rejects(&self, group: &str) -> Result<Vec<UserId>, Failure> {
        let id = self.group_id(group)?;
        let key = id.clone();
        let read = self.store.read(move |tx| match tx.group(&key)? {
            Some(_) => tx.group_rejects(&key).map(Some),
            None => Ok(None),
        });
        read.await?.ok_or_else(|| no_group(&id))
    }

    /// Says something in the name of a group to everybody who is joined; the message.
    pub async fn announce_in_group(
        &self,
        by: &Actor,
        group: &str,
        text: String,
    ) -> Result<(GroupId, MessageId), Failure> {
        let announce = async {
            let id = self.group_id(group)?;
            if text.trim().is_empty() {
                return Err(Failure::invalid("the announcement is empty"));
            }
            let elements = self.sap.elements();
            let said = elements.announce_in_group(&id, Content::text(text)).await;
            let message = said.map_err(|refusal| of_group(&id, refusal))?;
            Ok((id, message))
        };
        let target = self.group_target(group);
        self.audited(by, "group.announce", &target, announce).await
    }

    /// Deletes a group; who is joined is told.
    pub async fn delete_group(&self, by: &Actor, group: &str) -> Result<GroupId, Failure> {
        let delete = async {
            let id = self.group_id(group)?;
            let deleted = self.sap.elements().delete_group(id.clone());
            deleted.await.map_err(|refusal| of_group(&id, refusal))?;
            Ok(id)
        };
        let target = self.group_target(group);
        self.audited(by, "group.delete", &target, delete).await
    }

    /// Does what an administrator of the group can do; what became of it.
    async fn as_administrator(
        &self,
        group: &GroupId,
        request: Request,
    ) -> Result<Result<(), Refusal>, Failure> {
        let (overview, members) = self.group(group.as_str()).await?;
        let first = members.admins.into_iter().next();
        let Some(user) = overview.owner.or(first) else {
            let why = format!("{group} has no administrator; make one first");
            return Err(Failure::conflict(why));
        };
        let call = Call {
            requestor: Requestor::user(user),
            request,
            key: None,
        };
        Ok(self.sap.elements().call(call).await.map(drop))
    }

    /// How the audit log names a group: by its whole address, if it is one.
    fn group_target(&self, group: &str) -> String {
        self.group_id(group)
            .map_or_else(|_| group.to_owned(), |id| id.to_string())
    }

    /// The same of somebody in a group.
    fn member_target(&self, group: &str, user: &str) -> String {
        format!("{} {}", self.group_target(group), self.target(user))
    }

    fn group_id(&self, text: &str) -> Result<GroupId, Failure> {
        GroupId::parse(text, &self.domain).map_err(|error| Failure::invalid(error.to_string()))
    }
}

/// `WelcomeNote` among the properties is a plain text.
fn given(properties: Vec<(String, String)>) -> GivenProperties {
    let (notes, properties): (Vec<_>, Vec<_>) = properties
        .into_iter()
        .partition(|(name, _)| name.eq_ignore_ascii_case("WelcomeNote"));
    GivenProperties {
        properties,
        welcome_note: notes
            .into_iter()
            .next_back()
            .map(|(_, text)| Content::text(text)),
    }
}

fn only(user: UserId) -> GivenUsers {
    GivenUsers {
        users: vec![user],
        ..GivenUsers::default()
    }
}

fn no_group(id: &GroupId) -> Failure {
    Failure::missing(format!("there is no group {id}"))
}

fn of_group(id: &GroupId, refusal: Refusal) -> Failure {
    let told = format!("{id}: {}", refusal.description);
    match refusal.code {
        StatusCode::NO_SUCH_GROUP => no_group(id),
        StatusCode::UNKNOWN_USER => Failure::missing(told),
        StatusCode::GROUP_EXISTS => Failure::conflict(format!("there is a group {id} already")),
        StatusCode::SERVICE_UNAVAILABLE => Failure::new(FailureKind::Unavailable, told),
        StatusCode::INTERNAL_ERROR => Failure::new(FailureKind::Internal, told),
        _ => Failure::invalid(told),
    }
}
