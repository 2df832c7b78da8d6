//! The service tree as sets of functions (csp-messages 5). Pure.

use hamlet_csp::elements::{
    AttListFunc, ContListFunc, FundamentalFeat, GroupAuthFunc, GroupFeat, GroupMgmtFunc,
    GroupUseFunc, IMAuthFunc, IMFeat, IMReceiveFunc, IMSendFunc, InviteFunc, PresenceAuthFunc,
    PresenceDeliverFunc, PresenceFeat, SearchFunc, ServiceFunc, VerifyIdFunc, WVCSPFeat,
};
use hamlet_csp::{Tag, Version};
use hamlet_model::Service;
use serde::{Deserialize, Serialize};

/// Declares the tree once: `field: Element, field of the mandatory-only mark { field:
/// Element { field = CODE versions } }`; versions as bits, 1.1 = 1, 1.2 = 2, 1.3 = 4.
macro_rules! service_tree {
    ($($feat_field:ident: $Feat:ident, $mandatory:ident {
        $($func_field:ident: $Func:ident { $($code_field:ident = $code:ident $versions:literal),* })*
    })*) => {
        /// A function of the service tree.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(clippy::upper_case_acronyms)]
        #[allow(missing_docs)] // csp-messages 5.1 says what each is.
        pub(crate) enum Function { $($($($code,)*)*)* }

        #[cfg(test)]
        const ALL: &[(Function, u8)] = &[$($($((Function::$code, $versions),)*)*)*];

        impl FunctionSet {
            /// Every function that `version` has.
            pub(crate) fn all(version: Version) -> Self {
                let mut set = Self::default();
                $($($(if has($versions, version) { set.insert(Function::$code) })*)*)*
                set
            }

            /// What a client asks for: an empty element stands for its whole branch, and the
            /// mark for mandatory functions only for what is `offered` in that feature, as
            /// those cannot be refused.
            pub(crate) fn requested(tree: &WVCSPFeat, version: Version, offered: Self) -> Self {
                let mut set = Self::default();
                if true $(&& tree.$feat_field.is_none())* {
                    return Self::all(version);
                }
                $(if let Some(feature) = &tree.$feat_field {
                    let mut whole = Self::default();
                    let mut named = Self::default();
                    $(
                        let mut branch = Self::default();
                        $(if has($versions, version) { branch.insert(Function::$code) })*
                        if let Some(function) = &feature.$func_field {
                            let mut codes = Self::default();
                            $(if function.$code_field { codes.insert(Function::$code) })*
                            named = named.union(if codes.is_empty() { branch } else { codes });
                        }
                        whole = whole.union(branch);
                    )*
                    let mandatory = whole.intersection(offered);
                    set = set.union(match () {
                        () if feature.$mandatory && !mandatory.is_empty() => mandatory,
                        () if feature.$mandatory => whole,
                        () if true $(&& feature.$func_field.is_none())* => whole,
                        () => named,
                    });
                })*
                set
            }

            /// The set as a tree of `version`: whole branches as empty elements.
            pub(crate) fn tree(self, version: Version) -> WVCSPFeat {
                let mut tree = WVCSPFeat::default();
                if self.intersection(Self::all(version)) == Self::all(version) {
                    return tree;
                }
                $({
                    let mut feature = $Feat::default();
                    let (mut some, mut every) = (false, true);
                    $({
                        let mut function = $Func::default();
                        let (mut any, mut all) = (false, true);
                        $(if has($versions, version) {
                            let included = self.contains(Function::$code);
                            function.$code_field = included;
                            any |= included;
                            all &= included;
                        })*
                        if any {
                            feature.$func_field = Some(if all { $Func::default() } else { function });
                        }
                        some |= any;
                        every &= all;
                    })*
                    if some {
                        tree.$feat_field = Some(if every { $Feat::default() } else { feature });
                    }
                })*
                tree
            }
        }
    };
}

service_tree! {
    fundamental_feat: FundamentalFeat, mf {
        service_func: ServiceFunc { getspi = GETSPI 7, getmap = GETMAP 4, sgmnt = SGMNT 4 }
        search_func: SearchFunc { srch = SRCH 7, advsr = ADVSR 4, stsrc = STSRC 7 }
        invite_func: InviteFunc { invit = INVIT 7, cainv = CAINV 7 }
        verify_id_func: VerifyIdFunc { vrid = VRID 6 }
    }
    presence_feat: PresenceFeat, mp {
        cont_list_func: ContListFunc { gcli = GCLI 7, ccli = CCLI 7, dcli = DCLI 7, mcls = MCLS 7 }
        presence_auth_func: PresenceAuthFunc {
            getwl = GETWL 7, react = REACT 3, caaut = CAAUT 3, getaut = GETAUT 2
        }
        presence_deliver_func: PresenceDeliverFunc { getpr = GETPR 7, updpr = UPDPR 7 }
        att_list_func: AttListFunc { cali = CALI 3, dali = DALI 3, gals = GALS 3 }
    }
    im_feat: IMFeat, mm {
        im_send_func: IMSendFunc { mdeliv = MDELIV 7, fwmsg = FWMSG 7 }
        im_receive_func: IMReceiveFunc {
            setd = SETD 7, getlm = GETLM 7, getm = GETM 7, rejcm = REJCM 7, notif = NOTIF 7,
            newm = NEWM 7, offnotif = OFFNOTIF 4
        }
        im_auth_func: IMAuthFunc { glblu = GLBLU 7, blent = BLENT 7 }
    }
    group_feat: GroupFeat, mg {
        group_mgmt_func: GroupMgmtFunc { creag = CREAG 7, delgr = DELGR 7, getgp = GETGP 7, setgp = SETGP 7 }
        group_use_func: GroupUseFunc { subgcn = SUBGCN 7, grchn = GRCHN 7, excon = EXCON 4 }
        group_auth_func: GroupAuthFunc {
            getgm = GETGM 7, addgm = ADDGM 7, rmvgm = RMVGM 7, mbrac = MBRAC 7, rejec = REJEC 7,
            getju = GETJU 6
        }
    }
}

fn has(versions: u8, version: Version) -> bool {
    versions & (1 << version.index()) != 0
}

/// A set of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FunctionSet(u64);

impl FunctionSet {
    /// What this server has.
    pub(crate) fn offered() -> Self {
        use Function::{ADDGM, GETGM, GETJU, MBRAC, REJEC, RMVGM};
        use Function::{ADVSR, CCLI, DCLI, GCLI, GETPR, GETSPI, MCLS, MDELIV, NEWM, SRCH, STSRC};
        use Function::{
            BLENT, CAAUT, CAINV, CALI, CREAG, DALI, DELGR, EXCON, FWMSG, GALS, GETAUT, GETGP,
            GETLM, GETM, GETMAP, GETWL, GLBLU, GRCHN, INVIT, NOTIF, REACT, REJCM, SETD, SETGP,
            SGMNT, SUBGCN, UPDPR, VRID,
        };
        let mut set = Self::default();
        [GETSPI, GCLI, CCLI, DCLI, MCLS, GETPR, UPDPR, MDELIV, NEWM]
            .into_iter()
            .chain([SRCH, ADVSR, STSRC, VRID, SGMNT, INVIT, CAINV, GETMAP])
            .chain([GETWL, REACT, CAAUT, GETAUT, CALI, DALI, GALS])
            .chain([GLBLU, BLENT])
            .chain([SETD, GETLM, GETM, REJCM, NOTIF, FWMSG])
            .chain([CREAG, DELGR, GETGP, SETGP, SUBGCN, GRCHN, EXCON])
            .chain([GETGM, ADDGM, RMVGM, MBRAC, REJEC, GETJU])
            .for_each(|function| set.insert(function));
        set
    }

    pub(crate) fn insert(&mut self, function: Function) {
        self.0 |= 1 << function as u8;
    }

    pub(crate) fn contains(self, function: Function) -> bool {
        self.0 & (1 << function as u8) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// The functions that somebody lacks who lacks `service`. What tells about the server, and
/// segmentation, belong to nobody's subscription.
pub(crate) fn functions_of(service: Service) -> FunctionSet {
    use Function::*;
    let functions: &[Function] = match service {
        Service::Common => &[GETMAP, SRCH, ADVSR, STSRC, INVIT, CAINV, VRID],
        Service::ContactList => &[GCLI, CCLI, DCLI, MCLS],
        Service::Presence => &[GETWL, REACT, CAAUT, GETAUT, GETPR, UPDPR, CALI, DALI, GALS],
        Service::Im => &[
            MDELIV, FWMSG, SETD, GETLM, GETM, REJCM, NOTIF, NEWM, OFFNOTIF, GLBLU, BLENT,
        ],
        Service::Group => &[
            CREAG, DELGR, GETGP, SETGP, SUBGCN, GRCHN, EXCON, GETGM, ADDGM, RMVGM, MBRAC, REJEC,
            GETJU,
        ],
        // Content is shared by invitations of a type of its own.
        Service::Content => &[],
    };
    let mut set = FunctionSet::default();
    functions.iter().for_each(|function| set.insert(*function));
    set
}

/// The function that a request of a client belongs to; `None` for those that are part of
/// every session or of their whole feature (csp-messages 5.3).
pub(crate) fn function_of(primitive: Tag) -> Option<Function> {
    Some(match primitive {
        Tag::GetSPInfoRequest => Function::GETSPI,
        Tag::GetSegmentRequest | Tag::DropSegmentRequest => Function::SGMNT,
        Tag::GetListRequest => Function::GCLI,
        Tag::CreateListRequest => Function::CCLI,
        Tag::DeleteListRequest => Function::DCLI,
        Tag::ListManageRequest => Function::MCLS,
        Tag::GetPresenceRequest => Function::GETPR,
        Tag::UpdatePresenceRequest => Function::UPDPR,
        Tag::GetWatcherListRequest => Function::GETWL,
        Tag::PresenceAuthUser => Function::REACT,
        Tag::CancelAuthRequest => Function::CAAUT,
        Tag::GetReactiveAuthStatusRequest => Function::GETAUT,
        Tag::CreateAttributeListRequest => Function::CALI,
        Tag::DeleteAttributeListRequest => Function::DALI,
        Tag::GetAttributeListRequest => Function::GALS,
        Tag::SearchRequest => Function::SRCH,
        Tag::StopSearchRequest => Function::STSRC,
        Tag::VerifyIDRequest => Function::VRID,
        Tag::InviteRequest | Tag::InviteUserResponse => Function::INVIT,
        Tag::CancelInviteRequest => Function::CAINV,
        Tag::GetMapRequest => Function::GETMAP,
        Tag::GetBlockedListRequest => Function::GLBLU,
        Tag::BlockEntityRequest => Function::BLENT,
        Tag::SetDeliveryMethodRequest => Function::SETD,
        Tag::GetMessageListRequest => Function::GETLM,
        Tag::GetMessageRequest => Function::GETM,
        Tag::RejectMessageRequest => Function::REJCM,
        Tag::ForwardMessageRequest => Function::FWMSG,
        Tag::CreateGroupRequest => Function::CREAG,
        Tag::DeleteGroupRequest => Function::DELGR,
        Tag::GetGroupPropsRequest => Function::GETGP,
        Tag::SetGroupPropsRequest => Function::SETGP,
        Tag::SubscribeGroupNoticeRequest => Function::SUBGCN,
        Tag::ExtendConversationRequest => Function::EXCON,
        Tag::GetGroupMembersRequest => Function::GETGM,
        Tag::AddGroupMembersRequest => Function::ADDGM,
        Tag::RemoveGroupMembersRequest => Function::RMVGM,
        Tag::MemberAccessRequest => Function::MBRAC,
        Tag::RejectListRequest => Function::REJEC,
        Tag::GetJoinedUsersRequest => Function::GETJU,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_functions_as_the_reference_lists() {
        let of = |version| FunctionSet::all(version).0.count_ones();
        assert_eq!(ALL.len(), 46);
        assert_eq!(of(Version::V1_1), 38);
        assert_eq!(of(Version::V1_2), 41);
        assert_eq!(of(Version::V1_3), 40);
    }

    #[test]
    fn an_empty_element_asks_for_its_whole_branch() {
        for version in Version::ALL {
            let offered = FunctionSet::offered();
            let all = FunctionSet::requested(&WVCSPFeat::default(), version, offered);
            assert_eq!(all, FunctionSet::all(version));
            let im = WVCSPFeat {
                im_feat: Some(IMFeat::default()),
                ..WVCSPFeat::default()
            };
            let requested = FunctionSet::requested(&im, version, offered);
            assert!(requested.contains(Function::NEWM) && requested.contains(Function::BLENT));
            assert!(!requested.contains(Function::GETPR));
            assert_eq!(requested.tree(version), im);
        }
    }

    #[test]
    fn single_functions_and_branches_are_told_apart() {
        // The S60 engine's request (clients 4.5), in part.
        let asked = WVCSPFeat {
            fundamental_feat: Some(FundamentalFeat {
                search_func: Some(SearchFunc::default()),
                ..FundamentalFeat::default()
            }),
            im_feat: Some(IMFeat {
                im_receive_func: Some(IMReceiveFunc {
                    newm: true,
                    ..IMReceiveFunc::default()
                }),
                im_auth_func: Some(IMAuthFunc::default()),
                ..IMFeat::default()
            }),
            ..WVCSPFeat::default()
        };
        let offered = FunctionSet::offered();
        let requested = FunctionSet::requested(&asked, Version::V1_2, offered);
        assert!(requested.contains(Function::SRCH) && requested.contains(Function::NEWM));
        assert!(!requested.contains(Function::NOTIF) && !requested.contains(Function::ADVSR));
        let denied = requested.without(offered).tree(Version::V1_2);
        assert_eq!(denied.im_feat, None, "NEWM, GLBLU and BLENT are there");
        assert_eq!(denied.presence_feat, None);
    }

    #[test]
    fn mandatory_functions_are_those_that_cannot_be_refused() {
        let marked = WVCSPFeat {
            im_feat: Some(IMFeat {
                mm: true,
                ..IMFeat::default()
            }),
            group_feat: Some(GroupFeat {
                mg: true,
                ..GroupFeat::default()
            }),
            ..WVCSPFeat::default()
        };
        let offered = FunctionSet::offered();
        let requested = FunctionSet::requested(&marked, Version::V1_3, offered);
        let denied = requested.without(offered).tree(Version::V1_3);
        assert_eq!(denied.im_feat, None);
        assert_eq!(denied.group_feat, None);
        // Who has no groups at all is denied even those.
        let none = offered.without(functions_of(Service::Group));
        let requested = FunctionSet::requested(&marked, Version::V1_3, none);
        let denied = requested.without(none).tree(Version::V1_3);
        assert_eq!(denied.group_feat, Some(GroupFeat::default()));
    }

    #[test]
    fn trees_and_sets_say_the_same() {
        for version in Version::ALL {
            for (function, versions) in ALL {
                if !has(*versions, version) {
                    continue;
                }
                let mut set = FunctionSet::default();
                set.insert(*function);
                let back = FunctionSet::requested(&set.tree(version), version, set);
                assert_eq!(back, set, "{function:?} in {version}");
                let rest = FunctionSet::all(version).without(set);
                let back = FunctionSet::requested(&rest.tree(version), version, rest);
                assert_eq!(back, rest, "all but {function:?} in {version}");
            }
        }
    }
}
