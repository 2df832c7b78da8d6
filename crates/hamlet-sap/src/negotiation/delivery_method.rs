//! SetDeliveryMethod (csp-im 3.3): how messages are brought to a session, all of them or those
//! of one group. Pure.

use crate::mapping::{Facts, address};
use crate::negotiation::capability::{Capabilities, positive};
use hamlet_csp::elements::{DeliveryMethod, SetDeliveryMethodRequest};
use hamlet_model::{GroupId, Refusal, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most groups that a session has settings for.
const MAX_GROUPS: usize = 1000;

/// The settings for single groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct GroupDelivery(BTreeMap<GroupId, GroupMethod>);

/// The setting for one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupMethod {
    /// Its messages are notified, not pushed.
    pub(crate) notify: bool,
    /// Largest content that is pushed, octets; `None`: that of the session.
    pub(crate) limit: Option<u32>,
}

impl GroupDelivery {
    pub(crate) fn get(&self, group: &GroupId) -> Option<&GroupMethod> {
        self.0.get(group)
    }

    pub(crate) fn remove(&mut self, group: &GroupId) {
        self.0.remove(group);
    }

    /// A setting takes the place of the earlier one; false when there is no room for more.
    pub(crate) fn set(&mut self, group: GroupId, method: GroupMethod) -> bool {
        if self.0.len() >= MAX_GROUPS && !self.0.contains_key(&group) {
            return false;
        }
        self.0.insert(group, method);
        true
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    notify: bool,
    push_length: Option<u32>,
    pull_length: Option<u32>,
    group_limit: Option<u32>,
    /// Only for messages of this group.
    pub(crate) group: Option<GroupId>,
}

/// Reads a request: 400 without a method, 402 for one that does not exist, 800 for what is no
/// group.
pub(crate) fn read(
    request: &SetDeliveryMethodRequest,
    facts: &Facts<'_>,
) -> Result<Change, Refusal> {
    let notify = match request.delivery_method {
        Some(DeliveryMethod::P) => false,
        Some(DeliveryMethod::N) => true,
        Some(DeliveryMethod::Undefined(_)) => {
            let why = "DeliveryMethod is neither P nor N";
            return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
        }
        None => {
            let why = "DeliveryMethod is missing";
            return Err(Refusal::because(StatusCode::BAD_REQUEST, why));
        }
    };
    let group = request.group_id.as_ref().filter(|id| !id.is_empty());
    let group = group.map(|id| address::group(id, facts)).transpose();
    Ok(Change {
        notify,
        push_length: positive(request.accepted_push_length)
            .or(positive(request.accepted_content_length)),
        pull_length: positive(request.accepted_pull_length),
        group_limit: positive(request.group_content_limit),
        group: group.map_err(|_| StatusCode::NO_SUCH_GROUP)?,
    })
}

impl Change {
    /// Makes it so; 402 when the session has settings for too many groups. What is not named
    /// stays, but for the limits of a group: its setting is replaced as a whole.
    pub(crate) fn apply(
        self,
        capabilities: &mut Capabilities,
        groups: &mut GroupDelivery,
    ) -> Result<(), Refusal> {
        let Some(group) = self.group else {
            capabilities.notify = self.notify;
            capabilities.push_length = self.push_length.or(capabilities.push_length);
            capabilities.pull_length = self.pull_length.or(capabilities.pull_length);
            return Ok(());
        };
        let method = GroupMethod {
            notify: self.notify,
            limit: self.group_limit.or(self.push_length),
        };
        match groups.set(group, method) {
            true => Ok(()),
            false => Err(Refusal::because(
                StatusCode::BAD_PARAMETER,
                format!("Settings for more than {MAX_GROUPS} groups"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::tests::{facts, home};
    use crate::negotiation::capability::Offer;
    use hamlet_csp::Version;
    use std::time::Duration;

    fn asked(request: SetDeliveryMethodRequest) -> Result<Change, u16> {
        let home = home();
        let facts = facts(Version::V1_3, &home, ClientFamily::Standard);
        read(&request, &facts).map_err(|refusal| refusal.code.0)
    }

    fn method(method: DeliveryMethod) -> SetDeliveryMethodRequest {
        SetDeliveryMethodRequest {
            delivery_method: Some(method),
            ..SetDeliveryMethodRequest::default()
        }
    }

    fn capabilities() -> Capabilities {
        let offer = Offer {
            poll_min: Duration::ZERO,
            max_multi_trans: 1,
        };
        Capabilities {
            push_length: Some(100),
            ..Capabilities::unknown(Version::V1_3, offer)
        }
    }

    #[test]
    fn what_is_missing_or_wrong_has_its_code() {
        let in_group = |id: &str| SetDeliveryMethodRequest {
            group_id: Some(id.into()),
            ..method(DeliveryMethod::P)
        };
        for (request, code) in [
            (SetDeliveryMethodRequest::default(), 400),
            (method(DeliveryMethod::Undefined("X".into())), 402),
            (in_group("wv:anna"), 800),
        ] {
            assert_eq!(asked(request), Err(code));
        }
        assert!(asked(in_group("wv:anna/chess")).unwrap().group.is_some());
        assert_eq!(asked(in_group("")).unwrap().group, None);
    }

    #[test]
    fn a_session_keeps_what_is_not_named() {
        let (mut can, mut groups) = (capabilities(), GroupDelivery::default());
        let quiet = asked(method(DeliveryMethod::N)).unwrap();
        quiet.apply(&mut can, &mut groups).unwrap();
        assert!(can.notify);
        assert_eq!((can.push_length, can.pull_length), (Some(100), None));
        let lengths = SetDeliveryMethodRequest {
            accepted_content_length: Some(50),
            accepted_pull_length: Some(70),
            ..method(DeliveryMethod::P)
        };
        let lengths = asked(lengths).unwrap();
        lengths.apply(&mut can, &mut groups).unwrap();
        assert!(!can.notify);
        assert_eq!((can.push_length, can.pull_length), (Some(50), Some(70)));
        assert_eq!(groups, GroupDelivery::default());
    }

    #[test]
    fn a_setting_of_a_group_takes_the_place_of_the_earlier_one() {
        let (mut can, mut groups) = (capabilities(), GroupDelivery::default());
        let before = can.clone();
        let chess = GroupId::parse("wv:anna/chess", &home()).unwrap();
        for (notify, limit, length, expected) in [
            (DeliveryMethod::N, Some(10), Some(20), Some(10)),
            (DeliveryMethod::P, None, Some(20), Some(20)),
            (DeliveryMethod::N, None, None, None),
        ] {
            let request = SetDeliveryMethodRequest {
                group_id: Some("wv:anna/chess".into()),
                group_content_limit: limit,
                accepted_content_length: length,
                ..method(notify.clone())
            };
            let change = asked(request).unwrap();
            change.apply(&mut can, &mut groups).unwrap();
            let setting = groups.get(&chess).unwrap();
            assert_eq!(setting.notify, notify == DeliveryMethod::N);
            assert_eq!(setting.limit, expected);
        }
        assert_eq!(can, before, "the session's own are not touched");
        groups.remove(&chess);
        assert_eq!(groups.get(&chess), None);
    }

    #[test]
    fn there_is_a_bound() {
        let mut groups = GroupDelivery::default();
        let group = |n: usize| GroupId::parse(&format!("wv:anna/g{n}"), &home()).unwrap();
        let quiet = GroupMethod {
            notify: true,
            limit: None,
        };
        assert!((0..MAX_GROUPS).all(|n| groups.set(group(n), quiet)));
        assert!(!groups.set(group(MAX_GROUPS), quiet));
        assert!(groups.set(group(0), quiet));
    }
}
