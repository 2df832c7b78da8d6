//! When a client is ready to be in groups without having asked (csp-group 9).

use crate::Sap;
use crate::negotiation::functions::Function;
use crate::session::{Session, Settings};
use hamlet_csp::{Tag, Version};
use hamlet_model::Service;
use std::sync::Arc;

/// Whether it has been negotiated what the client takes and does.
pub(crate) fn is_ready(settings: &Settings) -> bool {
    settings.capabilities.negotiated && settings.agreement.is_some()
}

/// Whether to join the user in his groups now, and if so, whether the client hears of
/// changes. Pure.
///
/// Once for a session, when all is negotiated. Clients before 1.3 that take no notices cannot
/// learn that they are joined, and are not.
fn decide(was_ready: bool, settings: &Settings, version: Version) -> Option<bool> {
    if was_ready || !is_ready(settings) || !settings.services.contains(Service::Group) {
        return None;
    }
    let agreement = settings.agreement.as_ref()?;
    let hears =
        agreement.agrees(Function::GRCHN) && settings.profile.takes_push(Tag::GroupChangeNotice);
    (hears || version == Version::V1_3).then_some(hears)
}

impl Sap {
    /// Something has been negotiated: once that is all, the user is joined in the groups in
    /// which he has AutoJoin.
    pub(crate) async fn auto_join(&self, session: &Arc<Session>, was_ready: bool) {
        let Some(hears) = decide(was_ready, &session.settings(), session.version) else {
            return;
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
    fn a_client_is_joined_once_when_all_is_negotiated() {
        for version in Version::ALL {
            let all = agreed(true, version);
            for (was_ready, capabilities, agreement, expected) in [
                (false, true, Some(all), Some(true)),
                (true, true, Some(all), None),
                (false, false, Some(all), None),
                (false, true, None, None),
            ] {
                let settings = settings(capabilities, agreement);
                assert_eq!(
                    decide(was_ready, &settings, version),
                    expected,
                    "{version:?}"
                );
            }
        }
    }

    #[test]
    fn who_cannot_learn_of_it_is_not_joined() {
        for (version, expected) in [
            (Version::V1_1, None),
            (Version::V1_2, None),
            (Version::V1_3, Some(false)),
        ] {
            let settings = settings(true, Some(agreed(false, version)));
            assert_eq!(decide(false, &settings, version), expected, "{version:?}");
        }
        let mut without = settings(true, Some(agreed(true, Version::V1_2)));
        let others = Service::ALL.iter().copied();
        without.services = others.filter(|one| *one != Service::Group).collect();
        assert_eq!(decide(false, &without, Version::V1_2), None);
    }
}
