//! Who may do what in a group (csp-group 4). Pure: the whole table is here.

use hamlet_model::{Role, StatusCode};

/// What a user is to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// He has made it.
    pub(crate) owner: bool,
    /// His role, by the member list.
    pub(crate) role: Role,
    /// He is on the member list.
    pub(crate) member: bool,
    /// The client that asks is joined.
    pub(crate) joined: bool,
}

impl Standing {
    /// His rights: an owner has those of an administrator, joined and listed or not.
    pub(crate) fn rank(self) -> Role {
        match self.owner {
            true => Role::Admin,
            false => self.role,
        }
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// End the group.
    Delete,
    /// Leave it.
    Leave,
    /// Read the member list.
    GetMembers,
    /// Read who is joined.
    GetJoinedUsers,
    /// See roles and addresses of who is joined.
    SeeEverybody,
    /// Put somebody of this role on the member list or take him off.
    ChangeMember(Role),
    /// Give somebody of the first role the second.
    SetRole(Role, Role),
    /// Read the common properties; of a group that is open or wants to be found.
    GetProperties { visible: bool },
    /// Change the common properties.
    SetProperties,
    /// Change the own properties.
    SetOwnProperties,
    /// Read and change the reject list.
    RejectList,
    /// Put somebody of this role on it.
    Reject(Role),
    /// Hear of changes.
    Notices,
    /// Say something.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "im/group_send.rs knows who is joined; with it the table is whole"
        )
    )]
    Send,
    /// Invite others to join.
    Invite,
    /// Invite others to become members.
    InviteMembers,
}

/// The code that refuses him: 808 where joining is missing, 810 where membership is, 816
/// where a higher role is.
pub(crate) fn may(standing: Standing, operation: Operation) -> Result<(), StatusCode> {
    use Operation as O;
    let rank = standing.rank();
    let (admin, moderator) = (rank >= Role::Admin, rank >= Role::Moderator);
    let related = standing.owner || standing.member || standing.joined;
    let (allowed, code) = match operation {
        O::Delete | O::SetProperties => (admin, StatusCode::INSUFFICIENT_GROUP_RIGHTS),
        O::Leave | O::GetJoinedUsers | O::Notices | O::Send => {
            (standing.joined, StatusCode::NOT_JOINED)
        }
        O::SetOwnProperties => (related, StatusCode::NOT_JOINED),
        O::GetMembers if !related => (false, StatusCode::NOT_A_MEMBER),
        O::GetMembers | O::SeeEverybody | O::RejectList => {
            (moderator, StatusCode::INSUFFICIENT_GROUP_RIGHTS)
        }
        O::ChangeMember(of) | O::Reject(of) => (
            admin || (moderator && of == Role::User),
            StatusCode::INSUFFICIENT_GROUP_RIGHTS,
        ),
        O::SetRole(from, to) => (
            admin || (moderator && from == Role::User && to == Role::User),
            StatusCode::INSUFFICIENT_GROUP_RIGHTS,
        ),
        O::GetProperties { visible } => (related || visible, StatusCode::INSUFFICIENT_GROUP_RIGHTS),
        O::Invite => (standing.joined || moderator, StatusCode::NOT_JOINED),
        O::InviteMembers if !standing.joined && !moderator => (false, StatusCode::NOT_JOINED),
        O::InviteMembers => (moderator, StatusCode::INSUFFICIENT_GROUP_RIGHTS),
    };
    if allowed { Ok(()) } else { Err(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody of csp-group 4, each alone.
    const PEOPLE: [(&str, Standing); 9] = {
        const NOBODY: Standing = Standing {
            owner: false,
            role: Role::User,
            member: false,
            joined: false,
        };
        const MEMBER: Standing = Standing {
            member: true,
            ..NOBODY
        };
        [
            (
                "owner",
                Standing {
                    owner: true,
                    ..NOBODY
                },
            ),
            (
                "owner, joined",
                Standing {
                    owner: true,
                    joined: true,
                    ..NOBODY
                },
            ),
            (
                "admin",
                Standing {
                    role: Role::Admin,
                    ..MEMBER
                },
            ),
            (
                "admin, joined",
                Standing {
                    role: Role::Admin,
                    joined: true,
                    ..MEMBER
                },
            ),
            (
                "moderator",
                Standing {
                    role: Role::Moderator,
                    ..MEMBER
                },
            ),
            (
                "moderator, joined",
                Standing {
                    role: Role::Moderator,
                    joined: true,
                    ..MEMBER
                },
            ),
            ("member", MEMBER),
            (
                "joined",
                Standing {
                    joined: true,
                    ..NOBODY
                },
            ),
            ("anybody", NOBODY),
        ]
    };

    #[test]
    fn roles_and_operations_are_as_the_table_says() {
        use Operation as O;
        use Role::{Admin, Moderator, User};
        // csp-group 4: owner, owner joined, admin, admin joined, moderator, moderator joined,
        // member, joined, anybody.
        let table: &[(O, [u16; 9])] = &[
            (O::Delete, [200, 200, 200, 200, 816, 816, 816, 816, 816]),
            (O::Leave, [808, 200, 808, 200, 808, 200, 808, 200, 808]),
            (O::GetMembers, [200, 200, 200, 200, 200, 200, 816, 816, 810]),
            (
                O::GetJoinedUsers,
                [808, 200, 808, 200, 808, 200, 808, 200, 808],
            ),
            (
                O::SeeEverybody,
                [200, 200, 200, 200, 200, 200, 816, 816, 816],
            ),
            (
                O::ChangeMember(User),
                [200, 200, 200, 200, 200, 200, 816, 816, 816],
            ),
            (
                O::ChangeMember(Moderator),
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (
                O::ChangeMember(Admin),
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (
                O::SetRole(User, User),
                [200, 200, 200, 200, 200, 200, 816, 816, 816],
            ),
            (
                O::SetRole(User, Moderator),
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (
                O::SetRole(User, Admin),
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (
                O::SetRole(Moderator, User),
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (
                O::SetRole(Admin, User),
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (
                O::GetProperties { visible: false },
                [200, 200, 200, 200, 200, 200, 200, 200, 816],
            ),
            (
                O::GetProperties { visible: true },
                [200, 200, 200, 200, 200, 200, 200, 200, 200],
            ),
            (
                O::SetProperties,
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (
                O::SetOwnProperties,
                [200, 200, 200, 200, 200, 200, 200, 200, 808],
            ),
            (O::RejectList, [200, 200, 200, 200, 200, 200, 816, 816, 816]),
            (
                O::Reject(User),
                [200, 200, 200, 200, 200, 200, 816, 816, 816],
            ),
            (
                O::Reject(Moderator),
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (
                O::Reject(Admin),
                [200, 200, 200, 200, 816, 816, 816, 816, 816],
            ),
            (O::Notices, [808, 200, 808, 200, 808, 200, 808, 200, 808]),
            (O::Send, [808, 200, 808, 200, 808, 200, 808, 200, 808]),
            (O::Invite, [200, 200, 200, 200, 200, 200, 808, 200, 808]),
            (
                O::InviteMembers,
                [200, 200, 200, 200, 200, 200, 808, 816, 808],
            ),
        ];
        for (operation, expected) in table {
            for ((who, standing), expected) in PEOPLE.iter().zip(expected) {
                let code = may(*standing, *operation).map_or_else(|code| code.0, |()| 200);
                assert_eq!(code, *expected, "{who}: {operation:?}");
            }
        }
    }
}
