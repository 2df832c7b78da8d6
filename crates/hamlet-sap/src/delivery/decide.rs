//! Push or notify (csp-im 3.2), and what is pulled (csp-im 7.2). Pure.

use crate::client_profile::ClientProfile;
use crate::negotiation::capability::{Accepted, Capabilities, Policy};
use crate::negotiation::functions::Function;
use crate::negotiation::service::Agreement;
use crate::session::Settings;
use hamlet_csp::{Tag, Version};
use hamlet_model::{Message, StatusCode};

/// What is done with a message for one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is sent whole.
    Push,
    /// The client is told that it waits.
    Notify,
    /// It is not for this client now: it waits in the mailbox.
    Keep,
    /// The client will never take it.
    Refuse(StatusCode),
}

impl Verdict {
    /// What is reported if no other client takes the message either.
    pub(crate) fn code(self) -> Option<StatusCode> {
        match self {
            Self::Refuse(code) => Some(code),
            Self::Push | Self::Notify | Self::Keep => None,
        }
    }
}

/// Which server requests bring messages to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ways {
    /// NewMessage.
    pub(crate) push: bool,
    /// MessageNotification.
    pub(crate) notice: bool,
}

impl Ways {
    /// What the server sends by itself the client must have agreed to (csp-im 1) and handle
    /// (clients AND-28, S60-17). Old clients that name neither function get NewMessage all the
    /// same, as csp-access 6.3 wants it of what they have not asked for.
    pub(crate) fn of(
        agreement: Option<&Agreement>,
        profile: &ClientProfile,
        version: Version,
    ) -> Self {
        let agrees = |function| agreement.is_none_or(|agreed| agreed.agrees(function));
        let notice = profile.takes_push(Tag::MessageNotification) && agrees(Function::NOTIF);
        let lenient = version < Version::V1_3 && !notice;
        let push = profile.takes_push(Tag::NewMessage) && (agrees(Function::NEWM) || lenient);
        Self { push, notice }
    }
}

/// How the messages of one kind are to be brought to a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) capabilities: &'a Capabilities,
    pub(crate) ways: Ways,
    /// DeliveryMethod is N.
    pub(crate) notify: bool,
    /// Largest content that is pushed, octets.
    pub(crate) limit: Option<u32>,
}

impl<'a> Terms<'a> {
    /// Item 1: a group's own setting, else that of the session.
    pub(crate) fn of(settings: &'a Settings, message: &Message, ways: Ways) -> Self {
        let capabilities = &settings.capabilities;
        let of_group = message
            .group()
            .and_then(|group| settings.group_delivery.get(group));
        Self {
            capabilities,
            ways,
            notify: of_group.map_or(capabilities.notify, |method| method.notify),
            limit: of_group
                .and_then(|method| method.limit)
                .or(capabilities.push_length),
        }
    }
}

/// What is to be brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Media type, as the client gets it.
    pub(crate) media_type: &'a str,
    /// Size before transfer encoding, octets.
    pub(crate) size: usize,
    /// Written, it exceeds ParserSize: that is seen when it has been written (item 4).
    pub(crate) oversize: bool,
    /// It lies in another system, and only a link to it can be sent (csp-im 7.7).
    pub(crate) outside: bool,
}

/// Decides for a message.
pub(crate) fn decide(terms: &Terms<'_>, subject: &Subject<'_>) -> Verdict {
    let Ways { push, notice } = terms.ways;
    if subject.outside {
        return match (notice, push && !subject.oversize) {
            (true, _) => Verdict::Notify,
            (false, true) => Verdict::Push,
            (false, false) => Verdict::Keep,
        };
    }
    let exceeds = |limit: Option<u32>| exceeds(subject.size, limit);
    let (mut too_long, mut costly) = (exceeds(terms.limit), false);
    match terms.capabilities.accepted_type(subject.media_type) {
        // csp-im 4.4 (3): whoever decides by himself may also reject or forward it.
        Accepted::Not if terms.notify && notice => return Verdict::Notify,
        Accepted::Not => return Verdict::Refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        Accepted::Any => {}
        Accepted::Listed(accepted) => {
            too_long |= exceeds(accepted.length);
            match accepted.policy {
                Policy::Reject if exceeds(accepted.policy_limit) => {
                    return Verdict::Refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE);
                }
                Policy::Cost => costly = exceeds(accepted.policy_limit),
                _ => {}
            }
        }
    }
    if is_text(subject.media_type) {
        too_long |= exceeds(terms.capabilities.text_length);
    }
    let fits = push && !too_long && !subject.oversize;
    match (fits && !terms.notify && !costly, notice) {
        (true, _) => Verdict::Push,
        (false, true) => Verdict::Notify,
        // Item 6: a client that knows no notification gets what it can take.
        (false, false) if fits => Verdict::Push,
        (false, false) => Verdict::Keep,
    }
}

/// Whether a link to its content may be brought in the place of a message (csp-im 4.4) for which
/// this is the verdict: where it is too long, or of a type that the client does not take; not
/// where the user has refused it. The link is a text that the client has to take.
pub(crate) fn link_helps(terms: &Terms<'_>, media_type: &str, verdict: Verdict) -> bool {
    let refused = match verdict {
        Verdict::Push | Verdict::Notify => return false,
        Verdict::Keep => StatusCode::RESPONSE_TOO_LARGE,
        Verdict::Refuse(code) => code,
    };
    terms.ways.push && pulled_link_helps(terms.capabilities, media_type, refused)
}

/// The same for a message that is pulled, and refused by this code.
pub(crate) fn pulled_link_helps(
    capabilities: &Capabilities,
    media_type: &str,
    refused: StatusCode,
) -> bool {
    let takes = |media_type: &str| {
        let accepted = capabilities.accepted_type(media_type);
        !matches!(accepted, Accepted::Not)
    };
    let is_too_long = refused == StatusCode::RESPONSE_TOO_LARGE;
    takes("text/plain") && (is_too_long || !takes(media_type))
}

/// Whether content may be pulled: 415 for what the client does not take, 432 for what is too
/// large for it. What it said about cost was for its user to decide, who has.
pub(crate) fn pull(
    capabilities: &Capabilities,
    media_type: &str,
    size: usize,
) -> Result<(), StatusCode> {
    let exceeds = |limit: Option<u32>| exceeds(size, limit);
    let mut too_long = exceeds(capabilities.pull_length);
    match capabilities.accepted_type(media_type) {
        Accepted::Not => return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        Accepted::Any => {}
        Accepted::Listed(accepted) => {
            if accepted.policy == Policy::Reject && exceeds(accepted.policy_limit) {
                return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            }
            too_long |= exceeds(accepted.length);
        }
    }
    if is_text(media_type) {
        too_long |= exceeds(capabilities.text_length);
    }
    match too_long {
        true => Err(StatusCode::RESPONSE_TOO_LARGE),
        false => Ok(()),
    }
}

fn exceeds(size: usize, limit: Option<u32>) -> bool {
    limit.is_some_and(|limit| size as u64 > u64::from(limit))
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::negotiation::capability::{AcceptedType, Offer};
    use Verdict::{Keep, Notify, Push, Refuse};
    use hamlet_csp::elements::{Functions, IMFeat, IMReceiveFunc, IMSendFunc, WVCSPFeat};
    use hamlet_model::ServiceSet;
    use std::time::Duration;

    const REFUSED: Verdict = Refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE);

    fn any() -> Capabilities {
        let offer = Offer {
            poll_min: Duration::ZERO,
            max_multi_trans: 1,
        };
        Capabilities::unknown(Version::V1_3, offer)
    }

    fn only(media_type: &str, length: Option<u32>, policy: Policy, limit: u32) -> Capabilities {
        Capabilities {
            content_types: Some(vec![AcceptedType {
                media_type: media_type.into(),
                length,
                policy,
                policy_limit: Some(limit),
            }]),
            ..any()
        }
    }

    const fn ways(push: bool, notice: bool) -> Ways {
        Ways { push, notice }
    }

    /// By NewMessage alone, by both, by MessageNotification alone, by neither.
    const WAYS: [Ways; 4] = [
        ways(true, false),
        ways(true, true),
        ways(false, true),
        ways(false, false),
    ];

    /// The verdicts for [`WAYS`], each with method P and with method N.
    fn verdicts(
        capabilities: &Capabilities,
        limit: Option<u32>,
        subject: Subject<'_>,
    ) -> [(Verdict, Verdict); 4] {
        WAYS.map(|ways| {
            [false, true]
                .map(|notify| {
                    let terms = Terms {
                        capabilities,
                        ways,
                        notify,
                        limit,
                    };
                    decide(&terms, &subject)
                })
                .into()
        })
    }

    fn of(media_type: &str, size: usize) -> Subject<'_> {
        Subject {
            media_type,
            size,
            oversize: false,
            outside: false,
        }
    }

    /// Nothing speaks against it.
    const FREE: [(Verdict, Verdict); 4] =
        [(Push, Push), (Push, Notify), (Notify, Notify), (Keep, Keep)];
    /// It must not be pushed.
    const LONG: [(Verdict, Verdict); 4] = [
        (Keep, Keep),
        (Notify, Notify),
        (Notify, Notify),
        (Keep, Keep),
    ];
    /// It had better not be pushed.
    const COSTLY: [(Verdict, Verdict); 4] = [
        (Push, Push),
        (Notify, Notify),
        (Notify, Notify),
        (Keep, Keep),
    ];
    /// The client never takes it.
    const NEVER: [(Verdict, Verdict); 4] = [(REFUSED, REFUSED); 4];
    /// The client does not take its type.
    const STRANGE: [(Verdict, Verdict); 4] = [
        (REFUSED, REFUSED),
        (REFUSED, Notify),
        (REFUSED, Notify),
        (REFUSED, REFUSED),
    ];

    #[test]
    fn the_table_of_decisions() {
        let short_text = Capabilities {
            text_length: Some(100),
            ..any()
        };
        let image = |length| only("image/*", length, Policy::None, 0);
        let policy = |policy| only("image/png", None, policy, 10);
        for (capabilities, limit, media_type, size, expected) in [
            // Item 3: AcceptedContentLength, AcceptedPushLength or that of the group.
            (&any(), None, "image/png", 1 << 20, FREE),
            (&any(), Some(100), "text/plain", 100, FREE),
            (&any(), Some(100), "text/plain", 101, LONG),
            (&any(), Some(100), "image/png", 101, LONG),
            // AcceptedTextContentLength, also where more could be pushed.
            (&short_text, None, "text/plain", 100, FREE),
            (&short_text, Some(1000), "text/plain", 101, LONG),
            (&short_text, None, "text/x-vcard", 101, LONG),
            (&short_text, None, "image/png", 101, FREE),
            // AcceptedRichContentLength: the smallest counts.
            (&image(Some(50)), None, "image/png", 50, FREE),
            (&image(Some(50)), Some(100), "image/png", 51, LONG),
            (&image(Some(50)), Some(20), "image/png", 21, LONG),
            // Item 5.
            (&policy(Policy::Reject), None, "image/png", 10, FREE),
            (&policy(Policy::Reject), None, "image/png", 11, NEVER),
            (&policy(Policy::Cost), None, "image/png", 10, FREE),
            (&policy(Policy::Cost), None, "image/png", 11, COSTLY),
            (&policy(Policy::Cost), Some(10), "image/png", 11, LONG),
            (&policy(Policy::None), None, "image/png", 11, FREE),
            // csp-im 4.4.
            (&image(None), None, "text/plain", 1, STRANGE),
        ] {
            let got = verdicts(capabilities, limit, of(media_type, size));
            assert_eq!(
                got, expected,
                "{media_type} {size} {limit:?} {capabilities:?}"
            );
        }
    }

    #[test]
    fn what_the_client_cannot_parse_is_not_pushed() {
        // Item 4.
        let oversize = Subject {
            oversize: true,
            ..of("text/plain", 10)
        };
        assert_eq!(verdicts(&any(), None, oversize), LONG);
        let image = only("image/*", None, Policy::None, 0);
        assert_eq!(verdicts(&image, None, oversize), STRANGE);
    }

    #[test]
    fn of_what_lies_outside_the_client_is_told_or_gets_a_link() {
        // csp-im 7.7: whatever its type and size.
        let outside = Subject {
            outside: true,
            ..of("message/rfc822", 1 << 30)
        };
        let told = [
            (Push, Push),
            (Notify, Notify),
            (Notify, Notify),
            (Keep, Keep),
        ];
        let text = only("text/plain", Some(1), Policy::Reject, 1);
        assert_eq!(verdicts(&text, Some(1), outside), told);
        let unwritable = Subject {
            oversize: true,
            ..outside
        };
        assert_eq!(verdicts(&text, Some(1), unwritable), LONG);
    }

    #[test]
    fn a_link_takes_the_place_of_what_is_too_long_or_strange_not_of_what_is_refused() {
        // csp-im 4.4.
        let refusing = only("text/plain", Some(1), Policy::Reject, 1);
        let pictures = only("image/*", None, Policy::Reject, 1);
        let pushed = ways(true, false);
        for (capabilities, ways, media_type, verdict, helps) in [
            (&any(), pushed, "image/png", Keep, true),
            (&any(), ways(false, false), "image/png", Keep, false),
            (&any(), pushed, "image/png", Push, false),
            (&any(), pushed, "image/png", Notify, false),
            // Its user does not want it.
            (&any(), pushed, "image/png", REFUSED, false),
            (&refusing, pushed, "text/plain", REFUSED, false),
            // It takes texts, and not this.
            (&refusing, pushed, "image/png", REFUSED, true),
            // It takes no link.
            (&pictures, pushed, "image/png", Keep, false),
            (&pictures, pushed, "audio/amr", REFUSED, false),
        ] {
            let terms = Terms {
                capabilities,
                ways,
                notify: false,
                limit: None,
            };
            let got = link_helps(&terms, media_type, verdict);
            assert_eq!(got, helps, "{media_type} {verdict:?} {ways:?}");
        }
    }

    #[test]
    fn a_pull_is_bounded_by_what_the_client_takes_not_by_what_is_pushed_to_it() {
        let can = Capabilities {
            push_length: Some(1),
            pull_length: Some(100),
            text_length: Some(50),
            ..any()
        };
        let image = |length, policy| only("image/*", length, policy, 10);
        for (capabilities, media_type, size, expected) in [
            (&any(), "image/png", 1 << 20, Ok(())),
            (&can, "image/png", 100, Ok(())),
            (&can, "image/png", 101, Err(432)),
            (&can, "text/plain", 50, Ok(())),
            (&can, "text/plain", 51, Err(432)),
            (&image(Some(20), Policy::None), "image/png", 20, Ok(())),
            (&image(Some(20), Policy::None), "image/png", 21, Err(432)),
            (&image(None, Policy::Cost), "image/png", 11, Ok(())),
            (&image(None, Policy::Reject), "image/png", 10, Ok(())),
            (&image(None, Policy::Reject), "image/png", 11, Err(415)),
            (&image(None, Policy::None), "text/plain", 1, Err(415)),
        ] {
            let got = pull(capabilities, media_type, size).map_err(|code| code.0);
            assert_eq!(got, expected, "{media_type} {size} {capabilities:?}");
        }
    }

    #[test]
    fn only_what_was_agreed_and_is_handled_is_sent() {
        let asking = |newm, notif| {
            let receive = (newm || notif).then(|| IMReceiveFunc {
                newm,
                notif,
                ..IMReceiveFunc::default()
            });
            let tree = WVCSPFeat {
                im_feat: Some(IMFeat {
                    im_send_func: Some(IMSendFunc::default()),
                    im_receive_func: receive,
                    ..IMFeat::default()
                }),
                ..WVCSPFeat::default()
            };
            Functions {
                wvcsp_feat: Some(tree),
            }
        };
        let (whole, nokia) = (Functions::default(), ClientFamily::Nokia);
        let standard = ClientFamily::Standard;
        for (functions, family, before, latest) in [
            (None, standard, ways(true, true), ways(true, true)),
            (Some(&whole), standard, ways(true, true), ways(true, true)),
            (
                Some(&asking(true, false)),
                standard,
                ways(true, false),
                ways(true, false),
            ),
            (
                Some(&asking(false, true)),
                standard,
                ways(false, true),
                ways(false, true),
            ),
            // An old client that names neither.
            (
                Some(&asking(false, false)),
                standard,
                ways(true, false),
                ways(false, false),
            ),
            // AND-28, S60-17: asked for as a whole, and not handled.
            (None, nokia, ways(true, false), ways(true, false)),
            (
                Some(&whole),
                ClientFamily::Android,
                ways(true, false),
                ways(true, false),
            ),
            (
                Some(&asking(true, false)),
                nokia,
                ways(true, false),
                ways(true, false),
            ),
        ] {
            let profile = ClientProfile::of(family);
            for (version, expected) in [
                (Version::V1_1, before),
                (Version::V1_2, before),
                (Version::V1_3, latest),
            ] {
                let agreed = functions.map(|functions| {
                    Agreement::negotiate(Some(functions), version, ServiceSet::ALL)
                });
                let got = Ways::of(agreed.as_ref(), &profile, version);
                assert_eq!(got, expected, "{functions:?} {family:?} {version}");
            }
        }
    }
}
