//! When a client is ready to be in groups without having asked (csp-group 9).

use crate::Sap;
use crate::negotiation::functions::Function;
use crate::session::{Session, Settings};
use hamlet_csp::{Tag, Version};
use hamlet_model::Service;
use std::sync::Arc;

/// Whether to join the user in his groups now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// What the client takes and does is not known yet.
    NotYet,
    /// It cannot learn that it is joined, or he is not subscribed to groups.
    No,
    /// The client hears of changes, or not.
    Join { hears: bool },
}

/// Once for a session, when capabilities and services are negotiated; a client that begins to
/// poll (`polls`) without having negotiated services has agreed to all of them. Clients before
/// 1.3 that take no notices cannot learn that they are joined, and are not. Pure.
fn decide(settings: &Settings, version: Version, polls: bool) -> Decision {
    let agreement = settings.agreement.as_ref();
    if !settings.capabilities.negotiated || (agreement.is_none() && !polls) {
        return Decision::NotYet;
    }
    let hears = agreement.is_none_or(|agreed| agreed.agrees(Function::GRCHN))
        && settings.profile.takes_push(Tag::GroupChangeNotice);
    match settings.services.contains(Service::Group) && (hears || version == Version::V1_3) {
        true => Decision::Join { hears },
        false => Decision::No,
    }
}

impl Sap {
    /// Something has been negotiated, or the client polls: once it is known what the client
    /// takes, the user is joined in the groups in which he has AutoJoin.
    pub(crate) async fn auto_join(&self, session: &Arc<Session>, polls: bool) {
        if session.is_auto_joined() {
            return;
        }
        let hears = match decide(&session.settings(), session.version, polls) {
            Decision::NotYet => return,
            // Two exchanges at once: one of them does it.
            _ if !session.take_auto_join() => return,
            Decision::No => return,
            Decision::Join { hears } => hears,
        };
        match self.elements.auto_join(&session.facts(), hears).await {
            Ok(0) => {}
            Ok(groups) => {
                self.metrics.auto_joined.inc_by(groups as u64);
                let session = session.id.short();
                tracing::debug!(session, groups, "joined automatically");
            }
            Err(error) => {
                self.store_failed("group", &error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::service::Agreement;
    use crate::session::tests::new_session;
    use hamlet_csp::elements::{Functions, GroupFeat, GroupUseFunc, WVCSPFeat};
    use hamlet_model::ServiceSet;

    fn settings(capabilities: bool, agreement: Option<Agreement>) -> Settings {
        let mut settings = new_session("s", "anna", "a").settings;
        settings.capabilities.negotiated = capabilities;
        settings.agreement = agreement;
        settings
    }

    /// A client that takes notices, or only goes in and out.
    fn agreed(notices: bool, version: Version) -> Agreement {
        let tree = Functions {
            wvcsp_feat: Some(WVCSPFeat {
                group_feat: Some(GroupFeat {
                    group_use_func: Some(GroupUseFunc {
                        grchn: notices,
                        subgcn: true,
                        ..GroupUseFunc::default()
                    }),
                    ..GroupFeat::default()
                }),
                ..WVCSPFeat::default()
            }),
        };
        Agreement::negotiate(Some(&tree), version, ServiceSet::ALL)
    }

    #[test]
    fn a_client_is_joined_when_all_is_negotiated_or_nothing_more_will_be() {
        for version in Version::ALL {
            let all = agreed(true, version);
            let joins = Decision::Join { hears: true };
            for (capabilities, agreement, polls, expected) in [
                (true, Some(all), false, joins),
                (true, Some(all), true, joins),
                (false, Some(all), true, Decision::NotYet),
                (true, None, false, Decision::NotYet),
                (true, None, true, joins),
                (false, None, true, Decision::NotYet),
            ] {
                let settings = settings(capabilities, agreement);
                let got = decide(&settings, version, polls);
                assert_eq!(got, expected, "{version:?} {capabilities} {polls}");
            }
        }
    }

    #[test]
    fn who_cannot_learn_of_it_is_not_joined() {
        for (version, expected) in [
            (Version::V1_1, Decision::No),
            (Version::V1_2, Decision::No),
            (Version::V1_3, Decision::Join { hears: false }),
        ] {
            let settings = settings(true, Some(agreed(false, version)));
            assert_eq!(decide(&settings, version, false), expected, "{version:?}");
        }
        let mut without = settings(true, Some(agreed(true, Version::V1_2)));
        let others = Service::ALL.iter().copied();
        without.services = others.filter(|one| *one != Service::Group).collect();
        assert_eq!(decide(&without, Version::V1_2, false), Decision::No);
    }
}
