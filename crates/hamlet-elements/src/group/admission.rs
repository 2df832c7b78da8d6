//! Whether somebody may join (csp-group 5.3). Pure.

use hamlet_model::{AccessType, StatusCode};

/// Whether the client is in the group already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Present {
    /// It is not.
    No,
    /// By a session that has ended: the new one takes its place.
    Dead,
    /// It is.
    Yes,
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applicant {
    /// He has made the group.
    pub(crate) owner: bool,
    /// He is owner or administrator.
    pub(crate) admin: bool,
    /// He is on the member list.
    pub(crate) member: bool,
    /// He is on the reject list.
    pub(crate) rejected: bool,
    /// An invitation is there for him.
    pub(crate) invited: bool,
    /// One by somebody who may let others into a restricted group.
    pub(crate) admitted: bool,
    /// His age, if it is known.
    pub(crate) age: Option<u32>,
    /// Whether he is there.
    pub(crate) present: Present,
    /// How many groups this client is joined in.
    pub(crate) joined_groups: usize,
}

/// What it depends on of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entrance {
    /// Who may join.
    pub(crate) access: AccessType,
    /// Only who is invited.
    pub(crate) require_invitation: bool,
    /// Least age.
    pub(crate) minimum_age: Option<u32>,
    /// How many are joined.
    pub(crate) active: usize,
    /// Most that may be.
    pub(crate) max_active: usize,
    /// Most groups that a client may be joined in.
    pub(crate) max_joined: usize,
}

/// Goes through the reasons in the order of the reference: the first counts.
pub(crate) fn admit(who: &Applicant, group: &Entrance) -> Result<(), StatusCode> {
    if who.rejected && !who.owner {
        return Err(StatusCode::REJECTED);
    }
    let listed = who.member || who.owner;
    if group.access == AccessType::Restricted && !listed && !who.admitted {
        return Err(StatusCode::NOT_A_MEMBER);
    }
    if group.require_invitation && !listed && !who.invited {
        return Err(StatusCode::INSUFFICIENT_GROUP_RIGHTS);
    }
    if let Some(least) = group.minimum_age
        && !who.owner
        && who.age.is_none_or(|age| age < least)
    {
        return Err(StatusCode::INSUFFICIENT_GROUP_RIGHTS);
    }
    match who.present {
        Present::Yes => return Err(StatusCode::ALREADY_JOINED),
        Present::Dead => return Ok(()),
        Present::No => {}
    }
    if group.active >= group.max_active && !who.admin {
        return Err(StatusCode::GROUP_IS_FULL);
    }
    if who.joined_groups >= group.max_joined {
        return Err(StatusCode::TOO_MANY_GROUPS);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANYBODY: Applicant = Applicant {
        owner: false,
        admin: false,
        member: false,
        rejected: false,
        invited: false,
        admitted: false,
        age: None,
        present: Present::No,
        joined_groups: 0,
    };

    const OPEN: Entrance = Entrance {
        access: AccessType::Open,
        require_invitation: false,
        minimum_age: None,
        active: 3,
        max_active: 10,
        max_joined: 5,
    };

    fn code(who: Applicant, group: Entrance) -> u16 {
        admit(&who, &group).map_or_else(|code| code.0, |()| 200)
    }

    #[test]
    fn the_first_reason_in_the_order_of_the_reference_counts() {
        // csp-group 5.3: from the last reason to the first, each hides those before it here.
        let (mut who, mut group) = (ANYBODY, OPEN);
        assert_eq!(code(who, group), 200);
        who.joined_groups = 5;
        assert_eq!(code(who, group), 814);
        group.active = 10;
        assert_eq!(code(who, group), 817);
        who.present = Present::Yes;
        assert_eq!(code(who, group), 807);
        group.minimum_age = Some(18);
        assert_eq!(code(who, group), 816);
        group.minimum_age = None;
        group.require_invitation = true;
        assert_eq!(code(who, group), 816);
        group.access = AccessType::Restricted;
        assert_eq!(code(who, group), 810);
        who.rejected = true;
        assert_eq!(code(who, group), 809);
    }

    #[test]
    fn each_exception_is_for_those_who_have_it() {
        let restricted = Entrance {
            access: AccessType::Restricted,
            ..OPEN
        };
        let invited_only = Entrance {
            require_invitation: true,
            ..OPEN
        };
        let adults = Entrance {
            minimum_age: Some(18),
            ..OPEN
        };
        let full = Entrance { active: 10, ..OPEN };
        let owner = Applicant {
            owner: true,
            admin: true,
            ..ANYBODY
        };
        let member = Applicant {
            member: true,
            ..ANYBODY
        };
        let admin = Applicant {
            admin: true,
            ..member
        };
        let invited = Applicant {
            invited: true,
            ..ANYBODY
        };
        let admitted = Applicant {
            admitted: true,
            ..invited
        };
        let aged = |age| Applicant {
            age: Some(age),
            ..ANYBODY
        };
        for (what, who, group, expected) in [
            ("a member of a restricted group", member, restricted, 200),
            ("its owner", owner, restricted, 200),
            ("invited by an ordinary user", invited, restricted, 810),
            ("invited by who may", admitted, restricted, 200),
            ("invited", invited, invited_only, 200),
            ("a member", member, invited_only, 200),
            ("neither", ANYBODY, invited_only, 816),
            ("old enough", aged(18), adults, 200),
            ("too young", aged(17), adults, 816),
            ("of unknown age", member, adults, 816),
            ("the owner of unknown age", owner, adults, 200),
            ("the owner of a full group", owner, full, 200),
            ("an administrator", admin, full, 200),
            ("a member of a full group", member, full, 817),
        ] {
            assert_eq!(code(who, group), expected, "{what}");
        }
        // The owner cannot be kept out; a rejected member is.
        let rejected = |who: Applicant| Applicant {
            rejected: true,
            ..who
        };
        assert_eq!(code(rejected(owner), OPEN), 200);
        assert_eq!(code(rejected(admin), OPEN), 809);
        // Who takes the place of his dead session needs no new one.
        let dead = Applicant {
            present: Present::Dead,
            joined_groups: 5,
            ..ANYBODY
        };
        assert_eq!(code(dead, full), 200);
    }
}
