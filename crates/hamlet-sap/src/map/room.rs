//! How large a picture may be, and in which formats, for one client. Pure.

use crate::negotiation::capability::{Accepted, Capabilities, Policy};
use hamlet_csp::Syntax;
use hamlet_map::Format;

/// A format that a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) format: Format,
    /// Most octets, before transfer encoding.
    limit: Option<usize>,
}

impl Room {
    pub(crate) fn takes(self, octets: usize) -> bool {
        self.limit.is_none_or(|limit| octets <= limit)
    }
}

/// The formats that the client takes, best first. `segments`: what exceeds ParserSize may come
/// in parts.
pub(crate) fn rooms(capabilities: &Capabilities, syntax: Syntax, segments: bool) -> Vec<Room> {
    // What is around the picture: session, transaction, the other elements.
    let around = match syntax {
        Syntax::Xml => 1000,
        _ => 400,
    };
    let parser = capabilities.parser_size.filter(|_| !segments);
    let parser = parser.map(|size| (size as usize).saturating_sub(around) / 4 * 3);
    let pushed = capabilities.push_length.map(|length| length as usize);
    let room = |format: Format| {
        let own = match capabilities.accepted_type(format.media_type()) {
            Accepted::Not => return None,
            Accepted::Any => None,
            Accepted::Listed(accepted) => {
                let rejected = accepted
                    .policy_limit
                    .filter(|_| accepted.policy == Policy::Reject);
                accepted.length.into_iter().chain(rejected).min()
            }
        };
        let own = own.map(|length| length as usize);
        Some(Room {
            format,
            limit: [own, parser, pushed].into_iter().flatten().min(),
        })
    };
    Format::ALL.into_iter().filter_map(room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::capability::{AcceptedType, Offer};
    use hamlet_csp::Version;

    fn any() -> Capabilities {
        let offer = Offer {
            poll_min: std::time::Duration::ZERO,
            max_multi_trans: 1,
        };
        Capabilities::unknown(Version::V1_3, offer)
    }

    fn taking(types: &[(&str, Option<u32>)]) -> Capabilities {
        let accepted = |(media_type, length): &(&str, Option<u32>)| AcceptedType {
            media_type: (*media_type).into(),
            length: *length,
            policy: Policy::None,
            policy_limit: Some(1),
        };
        Capabilities {
            content_types: Some(types.iter().map(accepted).collect()),
            ..any()
        }
    }

    fn shown(capabilities: &Capabilities, segments: bool) -> Vec<(Format, Option<usize>)> {
        let rooms = rooms(capabilities, Syntax::Xml, segments);
        rooms.iter().map(|room| (room.format, room.limit)).collect()
    }

    #[test]
    fn every_limit_of_the_client_counts() {
        use Format::{Gif, Jpeg, Png};
        let all = shown(&any(), false);
        assert_eq!(all, [(Png, None), (Gif, None), (Jpeg, None)]);
        let phone = taking(&[
            ("text/plain", None),
            ("image/gif", Some(5000)),
            ("image/jpeg", None),
        ]);
        assert_eq!(shown(&phone, false), [(Gif, Some(5000)), (Jpeg, None)]);
        assert_eq!(shown(&taking(&[("text/plain", None)]), false), []);
        assert_eq!(shown(&taking(&[("image/*", Some(9))]), false).len(), 3);
        let small = Capabilities {
            parser_size: Some(5000),
            push_length: Some(4000),
            ..taking(&[("image/png", Some(8000))])
        };
        assert_eq!(shown(&small, false), [(Png, Some(3000))]);
        assert_eq!(shown(&small, true), [(Png, Some(4000))]);
        let mut picky = taking(&[("image/png", Some(8000))]);
        if let Some([png]) = picky.content_types.as_deref_mut() {
            png.policy = Policy::Reject;
            png.policy_limit = Some(2000);
        }
        assert_eq!(shown(&picky, false), [(Png, Some(2000))]);
    }
}
