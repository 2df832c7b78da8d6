//! Service negotiation (csp-access 6.3).

use crate::negotiation::entitlement;
use crate::negotiation::functions::{Function, FunctionSet};
use hamlet_csp::Version;
use hamlet_csp::elements::{AllFunctions, Functions, ServiceRequest, ServiceResponse};
use hamlet_model::ServiceSet;
use serde::{Deserialize, Serialize};

/// What a session has agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agreement {
    requested: FunctionSet,
    offered: FunctionSet,
}

impl Agreement {
    /// The outcome of a request for `functions` of somebody who has these services; without a
    /// tree everything is asked for.
    pub(crate) fn negotiate(
        functions: Option<&Functions>,
        version: Version,
        services: ServiceSet,
    ) -> Self {
        let offered = entitlement::offered(services);
        let tree = functions.and_then(|functions| functions.wvcsp_feat.as_ref());
        Self {
            requested: match tree {
                Some(tree) => FunctionSet::requested(tree, version, offered),
                None => FunctionSet::all(version),
            },
            offered,
        }
    }

    /// The part of the request that is not available; `None` when all of it is.
    pub(crate) fn denied(&self, version: Version) -> Option<Functions> {
        let denied = self.requested.without(self.offered);
        (!denied.is_empty()).then(|| Functions {
            wvcsp_feat: Some(denied.tree(version)),
        })
    }

    /// Whether both sides have said that `function` is used: the server sends nothing by itself
    /// that the client has not asked for (csp-im 1).
    pub(crate) fn agrees(&self, function: Function) -> bool {
        self.requested.contains(function) && self.offered.contains(function)
    }

    /// Whether the session may use `function`: one that was denied never, one that was not
    /// requested only where old clients expect it.
    pub(crate) fn allows(&self, function: Function, version: Version) -> bool {
        let denied = self.requested.without(self.offered);
        match version {
            Version::V1_3 => self.requested.contains(function) && !denied.contains(function),
            _ => !denied.contains(function),
        }
    }
}

/// The response, with what the session has agreed on from now on.
pub(crate) fn respond(
    request: ServiceRequest,
    version: Version,
    services: ServiceSet,
) -> (ServiceResponse, Agreement) {
    let agreement = Agreement::negotiate(request.functions.as_ref(), version, services);
    let all_functions = request
        .all_functions_request
        .unwrap_or(false)
        .then(|| AllFunctions {
            wvcsp_feat: Some(agreement.offered.tree(version)),
        });
    let response = ServiceResponse {
        functions: agreement.denied(version),
        all_functions,
        client_id: request.client_id.filter(|_| version == Version::V1_1),
    };
    (response, agreement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_csp::elements::{
        FundamentalFeat, GroupFeat, IMFeat, IMReceiveFunc, PresenceFeat, WVCSPFeat,
    };

    fn request(tree: WVCSPFeat, all: bool) -> ServiceRequest {
        ServiceRequest {
            functions: Some(Functions {
                wvcsp_feat: Some(tree),
            }),
            all_functions_request: Some(all),
            client_id: None,
        }
    }

    #[test]
    fn what_is_asked_and_not_built_is_denied() {
        let four = WVCSPFeat {
            fundamental_feat: Some(FundamentalFeat::default()),
            presence_feat: Some(PresenceFeat::default()),
            im_feat: Some(IMFeat::default()),
            group_feat: Some(GroupFeat::default()),
        };
        for version in Version::ALL {
            let (response, agreement) =
                respond(request(four.clone(), true), version, ServiceSet::ALL);
            let denied = response.functions.and_then(|denied| denied.wvcsp_feat);
            let denied = denied.unwrap_or_default();
            assert_eq!(denied.group_feat, None);
            assert_eq!(denied.presence_feat, None);
            let receive = denied.im_feat.and_then(|im| im.im_receive_func);
            let offline = receive.is_some_and(|receive| receive.offnotif);
            assert_eq!(offline, version == Version::V1_3);
            let all = response.all_functions.unwrap().wvcsp_feat.unwrap();
            match version {
                Version::V1_3 => {
                    assert_eq!(all.group_feat, Some(GroupFeat::default()));
                    assert_eq!(all.presence_feat, Some(PresenceFeat::default()));
                }
                // Nothing is missing.
                _ => assert_eq!(all, WVCSPFeat::default()),
            }
            assert!(agreement.allows(Function::NEWM, version));
            assert!(agreement.allows(Function::SRCH, version));
            assert!(agreement.allows(Function::INVIT, version));
            assert!(agreement.allows(Function::BLENT, version));
        }
    }

    #[test]
    fn nothing_denied_leaves_functions_out() {
        let messages = WVCSPFeat {
            im_feat: Some(IMFeat {
                im_receive_func: Some(IMReceiveFunc {
                    newm: true,
                    ..IMReceiveFunc::default()
                }),
                ..IMFeat::default()
            }),
            ..WVCSPFeat::default()
        };
        let (response, agreement) =
            respond(request(messages, false), Version::V1_3, ServiceSet::ALL);
        assert_eq!(response, ServiceResponse::default());
        assert!(agreement.allows(Function::NEWM, Version::V1_3));
        assert!(
            !agreement.allows(Function::GETPR, Version::V1_3),
            "not requested"
        );
        assert!(
            agreement.allows(Function::GETPR, Version::V1_2),
            "old clients may"
        );
    }
}
