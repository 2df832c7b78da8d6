//! Who a message says it is from, when that may be a screen name or a group (csp-im 5.3
//! item 3; csp-group 6 item 11).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::check_sender;
use crate::service::Requestor;
use hamlet_model::{GroupId, MessageParty, Recipients, Refusal, Role, StatusCode};
use hamlet_store::StoreError;

/// The sender of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageSender {
    /// As he calls himself.
    pub(crate) party: MessageParty,
    /// He speaks for this group.
    pub(crate) announces: Option<GroupId>,
}

impl Inner {
    /// The sender as the recipients may know him, or why he is not who he says.
    pub(crate) async fn message_sender(
        &self,
        claimed: Option<MessageParty>,
        recipients: &Recipients,
        requestor: &Requestor,
    ) -> Result<MessageSender, Refusal> {
        let plain = |party| MessageSender {
            party,
            announces: None,
        };
        match claimed {
            Some(MessageParty::ScreenName { name, group }) if !name.trim().is_empty() => {
                let verdict = self.is_named(requestor, &name, &group).await;
                verdict.map_err(|error| refusal(&error))??;
                Ok(plain(MessageParty::ScreenName { name, group }))
            }
            Some(MessageParty::Group(group)) => {
                let only_it = recipients.contact_lists.is_empty()
                    && recipients.malformed.is_empty()
                    && recipients.parties == [MessageParty::Group(group.clone())];
                let may = self.may_announce(requestor, &group).await;
                if !only_it || !may.map_err(|error| refusal(&error))? {
                    let why = "Only administrators speak for a group, and only in it";
                    return Err(Refusal::because(StatusCode::INVALID_USER_ID, why));
                }
                Ok(MessageSender {
                    party: MessageParty::Group(group.clone()),
                    announces: Some(group),
                })
            }
            claimed => check_sender(claimed, requestor).map(plain),
        }
    }

    /// 800 without such a group, 808 for who is not in it under this name. Who is in a group of
    /// another domain is known here of the users of this one.
    async fn is_named(
        &self,
        requestor: &Requestor,
        name: &str,
        group: &GroupId,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let is_home = group.domain_str() == self.config.domain.as_str();
        if !is_home && !self.relay.reaches(group.domain_str()) {
            return Ok(Err(StatusCode::NO_SUCH_GROUP.into()));
        }
        let Some(room) = self.room(group).await? else {
            let code = match is_home {
                true => StatusCode::NO_SUCH_GROUP,
                false => StatusCode::NOT_JOINED,
            };
            return Ok(Err(code.into()));
        };
        let key = name.trim().to_lowercase();
        let is_he = room
            .of(requestor)
            .is_some_and(|joined| joined.name.key() == key);
        Ok(match is_he {
            true => Ok(()),
            false => Err(Refusal::because(
                StatusCode::NOT_JOINED,
                "The sender has not joined the group under this name",
            )),
        })
    }

    /// Owner and administrators speak for a group of this domain.
    async fn may_announce(
        &self,
        requestor: &Requestor,
        group: &GroupId,
    ) -> Result<bool, StoreError> {
        let Some(room) = self.room(group).await? else {
            return Ok(false);
        };
        let Some(stored) = &room.group else {
            return Ok(false);
        };
        if stored.owner.as_ref() == Some(&requestor.user) {
            return Ok(true);
        }
        let (group, user) = (group.clone(), requestor.user.clone());
        let member = self
            .store
            .read(move |tx| tx.group_member(&group, &user))
            .await?;
        Ok(member.is_some_and(|member| member.role == Role::Admin))
    }
}
