//! Every transaction of csp-access in every version that has it: its success, and the checks
//! of 1.5 in their order. What only one of them checks is in the file of its topic.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, transaction};
use hamlet_tests::server::TestServer;
use hamletd::control::Request;
use std::time::Duration;

use Version::{V1_1, V1_2, V1_3};

const ALL: &[Version] = &[V1_1, V1_2, V1_3];

/// One request transaction.
struct Case {
    request: &'static str,
    versions: &'static [Version],
    /// A complete request.
    good: &'static str,
    /// What answers it, and its code if it has one.
    answer: (&'static str, Option<u16>),
    /// Requests that lack something or hold something wrong, with their codes.
    bad: &'static [(&'static str, u16)],
    /// Whether it is part of a function that can be left out of a service negotiation.
    negotiable: bool,
}

const CASES: &[Case] = &[
    Case {
        request: "KeepAlive-Request",
        versions: ALL,
        good: "<KeepAlive-Request><TimeToLive>600</TimeToLive></KeepAlive-Request>",
        answer: ("KeepAlive-Response", Some(200)),
        bad: &[(
            "<KeepAlive-Request><TimeToLive>0</TimeToLive></KeepAlive-Request>",
            605,
        )],
        negotiable: false,
    },
    Case {
        request: "ClientCapability-Request",
        versions: ALL,
        good: "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType></CapabilityList></ClientCapability-Request>",
        answer: ("ClientCapability-Response", None),
        bad: &[],
        negotiable: false,
    },
    Case {
        request: "Service-Request",
        versions: ALL,
        good: "<Service-Request><Functions><WVCSPFeat/></Functions><AllFunctionsRequest>T</AllFunctionsRequest></Service-Request>",
        answer: ("Service-Response", None),
        bad: &[],
        negotiable: false,
    },
    Case {
        request: "GetSPInfo-Request",
        versions: ALL,
        good: "<GetSPInfo-Request/>",
        answer: ("GetSPInfo-Response", None),
        bad: &[],
        negotiable: true,
    },
    Case {
        request: "Search-Request",
        versions: ALL,
        good: "<Search-Request><SearchPairList><SearchElement>USER_ID</SearchElement><SearchString>bob</SearchString></SearchPairList><SearchLimit>5</SearchLimit></Search-Request>",
        answer: ("Search-Response", None),
        bad: &[
            // 562 in 1.3.
            ("<Search-Request/>", 402),
            (
                "<Search-Request><SearchPairList><SearchElement>USER_ID</SearchElement><SearchString/></SearchPairList><SearchLimit>5</SearchLimit></Search-Request>",
                537,
            ),
            (
                "<Search-Request><SearchID>77777</SearchID><SearchIndex>1</SearchIndex></Search-Request>",
                424,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "StopSearch-Request",
        versions: ALL,
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<StopSearch-Request/>", 400),
            (
                "<StopSearch-Request><SearchID>77777</SearchID></StopSearch-Request>",
                424,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "GetPublicProfile-Request",
        versions: &[V1_3],
        good: "<GetPublicProfile-Request><UserID>wv:bob@h</UserID></GetPublicProfile-Request>",
        answer: ("GetPublicProfile-Response", Some(200)),
        bad: &[
            ("<GetPublicProfile-Request/>", 400),
            (
                "<GetPublicProfile-Request><UserID>wv:nobody@h</UserID></GetPublicProfile-Request>",
                531,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "UpdatePublicProfile-Request",
        versions: &[V1_3],
        good: "<UpdatePublicProfile-Request><PublicProfile><Property><Name>PP_CITY</Name><Value>Turku</Value></Property></PublicProfile></UpdatePublicProfile-Request>",
        answer: ("Status", Some(200)),
        bad: &[("<UpdatePublicProfile-Request/>", 400)],
        negotiable: false,
    },
    Case {
        request: "VerifyID-Request",
        versions: &[V1_2, V1_3],
        good: "<VerifyID-Request><IDList><UserID>wv:bob@h</UserID></IDList></VerifyID-Request>",
        answer: ("Status", Some(200)),
        bad: &[
            ("<VerifyID-Request/>", 400),
            (
                "<VerifyID-Request><IDList><UserID>wv:nobody@h</UserID></IDList></VerifyID-Request>",
                531,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "GetSegment-Request",
        versions: &[V1_3],
        good: "",
        answer: ("GetSegment-Response", None),
        bad: &[(
            "<GetSegment-Request><SegmentID><TransactionID>none</TransactionID><SegmentReference>1</SegmentReference></SegmentID></GetSegment-Request>",
            404,
        )],
        negotiable: true,
    },
    Case {
        request: "DropSegment-Request",
        versions: &[V1_3],
        good: "",
        answer: ("Status", Some(200)),
        bad: &[(
            "<DropSegment-Request><SegmentID><TransactionID>none</TransactionID><SegmentReference>1</SegmentReference></SegmentID></DropSegment-Request>",
            404,
        )],
        negotiable: true,
    },
    Case {
        request: "Invite-Request",
        versions: ALL,
        good: "<Invite-Request><InviteID>checked</InviteID><InviteType>IM</InviteType><Recipient><User><UserID>wv:bob@h</UserID></User></Recipient></Invite-Request>",
        answer: ("Status", Some(200)),
        bad: &[
            (
                "<Invite-Request><InviteType>IM</InviteType><Recipient><User><UserID>wv:bob@h</UserID></User></Recipient></Invite-Request>",
                400,
            ),
            (
                "<Invite-Request><InviteID>i</InviteID><InviteType>IM</InviteType></Invite-Request>",
                400,
            ),
            (
                "<Invite-Request><InviteID>i</InviteID><InviteType>IM</InviteType><Recipient><User><UserID>wv:nobody@h</UserID></User></Recipient></Invite-Request>",
                531,
            ),
            (
                "<Invite-Request><InviteID>i</InviteID><InviteType>GR</InviteType><Recipient><User><UserID>wv:bob@h</UserID></User></Recipient><GroupID>wv:alice/none@h</GroupID></Invite-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "InviteUser-Response",
        versions: ALL,
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            (
                "<InviteUser-Response><InviteID>i</InviteID></InviteUser-Response>",
                400,
            ),
            (
                "<InviteUser-Response><InviteID>i</InviteID><Acceptance>T</Acceptance></InviteUser-Response>",
                423,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "CancelInvite-Request",
        versions: ALL,
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<CancelInvite-Request/>", 400),
            (
                "<CancelInvite-Request><InviteID>none</InviteID></CancelInvite-Request>",
                423,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "GetMap-Request",
        versions: &[V1_3],
        good: "<GetMap-Request><PresenceSubList><GeoLocation><Longitude>24 56 15E</Longitude><Latitude>60 10 15N</Latitude></GeoLocation></PresenceSubList></GetMap-Request>",
        answer: ("GetMap-Response", None),
        bad: &[
            ("<GetMap-Request/>", 400),
            (
                "<GetMap-Request><UserID>wv:bob@h</UserID></GetMap-Request>",
                404,
            ),
        ],
        negotiable: true,
    },
    // csp-im 3.3, 7.
    Case {
        request: "SetDeliveryMethod-Request",
        versions: ALL,
        good: "<SetDeliveryMethod-Request><DeliveryMethod>N</DeliveryMethod></SetDeliveryMethod-Request>",
        answer: ("Status", Some(200)),
        bad: &[
            ("<SetDeliveryMethod-Request/>", 400),
            (
                "<SetDeliveryMethod-Request><DeliveryMethod>X</DeliveryMethod><GroupID>wv:alice/none@h</GroupID></SetDeliveryMethod-Request>",
                402,
            ),
            (
                "<SetDeliveryMethod-Request><DeliveryMethod>N</DeliveryMethod><GroupID>wv:alice/none@h</GroupID></SetDeliveryMethod-Request>",
                800,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "GetMessageList-Request",
        versions: ALL,
        good: "<GetMessageList-Request/>",
        answer: ("GetMessageList-Response", None),
        bad: &[(
            "<GetMessageList-Request><GroupID>wv:alice/none@h</GroupID></GetMessageList-Request>",
            800,
        )],
        negotiable: false,
    },
    Case {
        request: "GetMessage-Request",
        versions: ALL,
        good: "",
        answer: ("GetMessage-Response", None),
        bad: &[
            ("<GetMessage-Request/>", 400),
            (
                "<GetMessage-Request><MessageID>none</MessageID></GetMessage-Request>",
                426,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "RejectMessage-Request",
        versions: ALL,
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<RejectMessage-Request/>", 400),
            (
                "<RejectMessage-Request><MessageID>none</MessageID></RejectMessage-Request>",
                426,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "ForwardMessage-Request",
        versions: ALL,
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            (
                "<ForwardMessage-Request><Recipient><User><UserID>wv:bob@h</UserID></User></Recipient></ForwardMessage-Request>",
                400,
            ),
            (
                "<ForwardMessage-Request><MessageID>none</MessageID></ForwardMessage-Request>",
                400,
            ),
            (
                "<ForwardMessage-Request><MessageID>none</MessageID><Recipient/></ForwardMessage-Request>",
                402,
            ),
            (
                "<ForwardMessage-Request><MessageID>none</MessageID><Recipient><User><UserID>wv:bob@h</UserID></User></Recipient></ForwardMessage-Request>",
                426,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "CreateAttributeList-Request",
        versions: ALL,
        good: "<CreateAttributeList-Request><PresenceSubList><OnlineStatus/></PresenceSubList><DefaultList>T</DefaultList></CreateAttributeList-Request>",
        answer: ("Status", Some(200)),
        bad: &[
            (
                "<CreateAttributeList-Request><DefaultList>T</DefaultList></CreateAttributeList-Request>",
                400,
            ),
            (
                "<CreateAttributeList-Request><PresenceSubList><OnlineStatus/></PresenceSubList><DefaultList>F</DefaultList></CreateAttributeList-Request>",
                400,
            ),
            (
                "<CreateAttributeList-Request><PresenceSubList><OnlineStatus/></PresenceSubList><DefaultList>maybe</DefaultList></CreateAttributeList-Request>",
                402,
            ),
        ],
        // In 1.3 they are part of every session: see `authorization`.
        negotiable: false,
    },
    Case {
        request: "DeleteAttributeList-Request",
        versions: ALL,
        good: "<DeleteAttributeList-Request><DefaultList>T</DefaultList></DeleteAttributeList-Request>",
        answer: ("Status", Some(200)),
        bad: &[(
            "<DeleteAttributeList-Request><DefaultList>F</DefaultList></DeleteAttributeList-Request>",
            400,
        )],
        negotiable: false,
    },
    Case {
        request: "GetAttributeList-Request",
        versions: ALL,
        good: "<GetAttributeList-Request><DefaultList>T</DefaultList></GetAttributeList-Request>",
        answer: ("GetAttributeList-Response", Some(200)),
        bad: &[(
            "<GetAttributeList-Request><DefaultList>maybe</DefaultList></GetAttributeList-Request>",
            402,
        )],
        negotiable: false,
    },
    Case {
        request: "GetWatcherList-Request",
        versions: ALL,
        good: "<GetWatcherList-Request/>",
        answer: ("GetWatcherList-Response", None),
        bad: &[],
        negotiable: true,
    },
    Case {
        request: "PresenceAuth-User",
        versions: ALL,
        good: "<PresenceAuth-User><UserID>wv:bob@h</UserID><Acceptance>T</Acceptance></PresenceAuth-User>",
        answer: ("Status", Some(200)),
        bad: &[
            (
                "<PresenceAuth-User><Acceptance>T</Acceptance></PresenceAuth-User>",
                400,
            ),
            (
                "<PresenceAuth-User><UserID>wv:bob@h</UserID></PresenceAuth-User>",
                400,
            ),
            (
                "<PresenceAuth-User><UserID>wv:nobody@h</UserID><Acceptance>T</Acceptance></PresenceAuth-User>",
                531,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "CancelAuth-Request",
        versions: ALL,
        good: "<CancelAuth-Request><UserID>wv:bob@h</UserID></CancelAuth-Request>",
        answer: ("Status", Some(200)),
        bad: &[
            ("<CancelAuth-Request/>", 400),
            (
                "<CancelAuth-Request><UserID>wv:nobody@h</UserID></CancelAuth-Request>",
                531,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "GetReactiveAuthStatus-Request",
        versions: &[V1_2, V1_3],
        good: "<GetReactiveAuthStatus-Request/>",
        answer: ("GetReactiveAuthStatus-Response", None),
        bad: &[(
            "<GetReactiveAuthStatus-Request><UserID>wv:nobody@h</UserID></GetReactiveAuthStatus-Request>",
            531,
        )],
        negotiable: false,
    },
    Case {
        request: "SystemMessage-User",
        versions: &[V1_3],
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<SystemMessage-User/>", 400),
            (
                "<SystemMessage-User><SystemMessageResponseList><SystemMessageResponse><SystemMessageID>none</SystemMessageID></SystemMessageResponse></SystemMessageResponseList></SystemMessage-User>",
                404,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "SubscribeNotification-Request",
        versions: &[V1_3],
        good: "<SubscribeNotification-Request><NotificationTypeList><NotificationType>CLC</NotificationType></NotificationTypeList></SubscribeNotification-Request>",
        answer: ("Status", Some(200)),
        bad: &[
            ("<SubscribeNotification-Request/>", 400),
            (
                "<SubscribeNotification-Request><NotificationTypeList><NotificationType>XYZ</NotificationType></NotificationTypeList></SubscribeNotification-Request>",
                402,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "UnsubscribeNotification-Request",
        versions: &[V1_3],
        good: "<UnsubscribeNotification-Request><NotificationTypeList/></UnsubscribeNotification-Request>",
        answer: ("Status", Some(200)),
        bad: &[(
            "<UnsubscribeNotification-Request><NotificationTypeList><NotificationType>XYZ</NotificationType></NotificationTypeList></UnsubscribeNotification-Request>",
            402,
        )],
        negotiable: false,
    },
    Case {
        request: "CreateGroup-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<CreateGroup-Request/>", 400),
            (
                "<CreateGroup-Request><GroupID>wv:bob/g@h</GroupID><GroupProperties/><JoinGroup>F</JoinGroup><SubscribeNotification>F</SubscribeNotification></CreateGroup-Request>",
                806,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "DeleteGroup-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<DeleteGroup-Request/>", 400),
            (
                "<DeleteGroup-Request><GroupID>wv:alice/none@h</GroupID></DeleteGroup-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "JoinGroup-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<JoinGroup-Request/>", 400),
            (
                "<JoinGroup-Request><GroupID>wv:alice/none@h</GroupID><JoinedRequest>F</JoinedRequest><SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>",
                800,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "LeaveGroup-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<LeaveGroup-Request/>", 400),
            (
                "<LeaveGroup-Request><GroupID>wv:alice/none@h</GroupID></LeaveGroup-Request>",
                800,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "GetJoinedUsers-Request",
        versions: &[V1_2, V1_3],
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<GetJoinedUsers-Request/>", 400),
            (
                "<GetJoinedUsers-Request><GroupID>wv:alice/none@h</GroupID></GetJoinedUsers-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "GetGroupMembers-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<GetGroupMembers-Request/>", 400),
            (
                "<GetGroupMembers-Request><GroupID>wv:alice/none@h</GroupID></GetGroupMembers-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "AddGroupMembers-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<AddGroupMembers-Request/>", 400),
            (
                "<AddGroupMembers-Request><GroupID>wv:alice/none@h</GroupID><UserList><User><UserID>wv:bob@h</UserID></User></UserList></AddGroupMembers-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "RemoveGroupMembers-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<RemoveGroupMembers-Request/>", 400),
            (
                "<RemoveGroupMembers-Request><GroupID>wv:alice/none@h</GroupID><UserList><User><UserID>wv:bob@h</UserID></User></UserList></RemoveGroupMembers-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "MemberAccess-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<MemberAccess-Request/>", 400),
            (
                "<MemberAccess-Request><GroupID>wv:alice/none@h</GroupID><Mod><UserList><User><UserID>wv:bob@h</UserID></User></UserList></Mod></MemberAccess-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "GetGroupProps-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<GetGroupProps-Request/>", 400),
            (
                "<GetGroupProps-Request><GroupID>wv:alice/none@h</GroupID></GetGroupProps-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "SetGroupProps-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<SetGroupProps-Request/>", 400),
            (
                "<SetGroupProps-Request><GroupID>wv:alice/none@h</GroupID><OwnProperties><Property><Name>AutoJoin</Name><Value>F</Value></Property></OwnProperties></SetGroupProps-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "RejectList-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<RejectList-Request/>", 400),
            (
                "<RejectList-Request><GroupID>wv:alice/none@h</GroupID></RejectList-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "SubscribeGroupNotice-Request",
        versions: ALL,
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<SubscribeGroupNotice-Request/>", 400),
            (
                "<SubscribeGroupNotice-Request><GroupID>wv:alice/none@h</GroupID><SubscribeType>X</SubscribeType></SubscribeGroupNotice-Request>",
                402,
            ),
            (
                "<SubscribeGroupNotice-Request><GroupID>wv:alice/none@h</GroupID><SubscribeType>G</SubscribeType></SubscribeGroupNotice-Request>",
                800,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "ExtendConversation-Request",
        versions: &[V1_3],
        // groups/ has what it answers.
        good: "",
        answer: ("Status", Some(200)),
        bad: &[
            ("<ExtendConversation-Request/>", 400),
            (
                "<ExtendConversation-Request><ExtendConversationID>x</ExtendConversationID><ExtendConversationUser><UserID>wv:nobody@h</UserID></ExtendConversationUser></ExtendConversation-Request>",
                531,
            ),
        ],
        negotiable: true,
    },
    Case {
        request: "GetBlockedList-Request",
        versions: ALL,
        good: "<GetBlockedList-Request/>",
        answer: ("GetBlockedList-Response", None),
        bad: &[],
        negotiable: false,
    },
    Case {
        request: "BlockEntity-Request",
        versions: ALL,
        good: "<BlockEntity-Request><BlockList><AddList><UserID>wv:bob@h</UserID></AddList></BlockList></BlockEntity-Request>",
        answer: ("Status", Some(200)),
        bad: &[
            (
                "<BlockEntity-Request><BlockList><AddList><UserID>wv:nobody@h</UserID></AddList></BlockList></BlockEntity-Request>",
                531,
            ),
            (
                "<BlockEntity-Request><GrantList><AddList><GroupID>wv:bob/none@h</GroupID></AddList></GrantList></BlockEntity-Request>",
                800,
            ),
        ],
        negotiable: false,
    },
    Case {
        request: "Logout-Request",
        versions: ALL,
        good: "<Logout-Request/>",
        // 3.9: in 1.1 it is a Disconnect.
        answer: ("Status", Some(200)),
        bad: &[],
        negotiable: false,
    },
];

impl Case {
    /// Any request of its kind.
    fn any(&self) -> &'static str {
        match self.good {
            "" => self.bad.last().expect("a request").0,
            good => good,
        }
    }

    /// Whether it needs a session.
    fn is_inband(&self) -> bool {
        self.request != "GetSPInfo-Request"
    }
}

async fn village() -> TestServer {
    TestServer::with_users(&[], &["alice", "bob"]).await
}

/// A transaction as it stands in the message.
async fn send(client: &mut Client, transaction: String) -> Answer {
    let body = client.message("Inband", &[transaction]);
    let http = client.post(&body).await;
    client.read(http)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transaction_succeeds_in_every_version_that_has_it() {
    // What needs preparation is in search.rs, segmentation.rs, invitations.rs and
    // system_messages.rs, in all its versions, too.
    let server = village().await;
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        for case in CASES.iter().filter(|case| !case.good.is_empty()) {
            for version in case.versions {
                if (case.request, *version, syntax)
                    == ("GetReactiveAuthStatus-Request", V1_3, Syntax::Wbxml)
                {
                    // Its answer has no tokens in 1.3.
                    continue;
                }
                let mut client = server.client(*version, syntax, "alice").await;
                let answer = client.request(case.good).await;
                let (name, code) = match (case.request, version) {
                    ("Logout-Request", V1_1) => ("Disconnect", Some(200)),
                    _ => case.answer,
                };
                answer.expect(name);
                assert_eq!(answer.mode(), "Response", "{}", case.request);
                if code.is_some() {
                    assert_eq!(answer.code(), code, "{}", case.request);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_request_has_its_code() {
    // 1.5 items 8 and 10.
    let server = village().await;
    for case in CASES {
        for version in case.versions {
            let mut client = server.client(*version, Syntax::Xml, "alice").await;
            for (request, code) in case.bad {
                let answer = client.request(request).await;
                let code = match (code, version) {
                    (402, V1_3) if case.request == "Search-Request" => 562,
                    _ => *code,
                };
                assert_eq!(answer.code(), Some(code), "{version:?} {request}");
                assert_eq!(answer.mode(), "Response");
            }
            // None of them has cost the session.
            let alive = client.request("<KeepAlive-Request/>").await;
            alive.expect_code(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mode_and_identifier_come_before_the_session_and_it_before_the_rest() {
    // 1.5 items 1, 2, 3, 6; 16.
    let server = village().await;
    for version in Version::ALL {
        let mut client = server.client(version, Syntax::Xml, "alice").await;
        let session = client.session.clone();
        for case in CASES {
            let exists = case.versions.contains(&version);
            for known in [true, false] {
                client.session = match known {
                    true => session.clone(),
                    false => "no-such-session".into(),
                };
                let at = format!("{version:?} {} {known}", case.request);
                let without_mode = transaction("Perhaps", Some("1"), case.any());
                let answer = send(&mut client, without_mode).await;
                assert_eq!(answer.code(), Some(400), "{at}");
                let without_id = transaction("Request", None, case.any());
                let answer = send(&mut client, without_id).await;
                assert_eq!(answer.code(), Some(420), "{at}");
                if !known && case.is_inband() {
                    let answer = client.request(case.any()).await;
                    assert_eq!(answer.code(), Some(604), "{at}");
                }
            }
            client.session = session.clone();
            if !exists {
                let answer = client.request(case.any()).await;
                assert_eq!(answer.code(), Some(405), "{version:?} {}", case.request);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_has_ended_says_how() {
    // 1.5 item 3; 3.10, 3.11.
    let server = village().await;
    for version in Version::ALL {
        for case in CASES.iter().filter(|case| case.is_inband()) {
            let mut forced = server.client(version, Syntax::Xml, "alice").await;
            let end = Request::SessionEnd {
                which: forced.session.clone(),
            };
            server.operate(end).await;
            let answer = forced.request(case.any()).await;
            assert_eq!(answer.code(), Some(601), "{version:?} {}", case.request);

            let mut left = server.client(version, Syntax::Xml, "alice").await;
            left.request("<Logout-Request/>").await.expect_code(200);
            if case.request != "Logout-Request" {
                let answer = left.request(case.any()).await;
                assert_eq!(answer.code(), Some(604), "{version:?} {}", case.request);
            }
        }
        let mut expired = server.client(version, Syntax::Xml, "alice").await;
        server.sweep_after(Duration::from_secs(100_000)).await;
        for case in CASES.iter().filter(|case| case.is_inband()) {
            let answer = expired.request(case.any()).await;
            assert_eq!(answer.code(), Some(600), "{version:?} {}", case.request);
        }
        let told = expired.poll().await;
        told.expect("Disconnect");
        assert_eq!((told.mode(), told.code()), ("Request", Some(600)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_agreed_is_506_before_its_content_is_looked_at() {
    // 1.5 items 7 and 8: strict in 1.3, lenient before (6.3).
    let server = village().await;
    let only_messages = "<Service-Request><Functions><WVCSPFeat><IMFeat/></WVCSPFeat></Functions>\
                         <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";
    for case in CASES {
        for version in case.versions {
            let mut client = server.client(*version, Syntax::Xml, "alice").await;
            let agreed = client.request(only_messages).await;
            agreed.expect("Service-Response");
            let requests = case.bad.iter().map(|(request, _)| *request);
            for request in requests.chain([case.any()]) {
                let refused = client.request(request).await.code() == Some(506);
                let expected = case.negotiable && *version == V1_3;
                assert_eq!(refused, expected, "{version:?} {request}");
            }
        }
    }
}
