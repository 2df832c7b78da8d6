//! Random messages, generated from the declaration.

use crate::custom::{
    AcceptedContentType, ClientId, NickMember, NickMembers, NickName, SearchPairList,
};
use crate::elements::*;
use crate::{ContentData, DateTime, Extension, ExtensionNode, Text, Version};
use hamlet_model::Timestamp;

/// A small generator with a printed seed (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.roll() >> 33) as usize % n.max(1)
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.roll() >> 63 == 1
    }

    pub(crate) fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// An identifier: no white space at the ends.
    pub(crate) fn string(&mut self) -> Text {
        const SOME: &[&str] = &[
            "wv:anna@example.net",
            "T",
            "Open",
            "x",
            "http://example.net/a?b=1&c=<2>",
            "s1",
            "日本",
            "a b",
            "Ünal",
            "😀",
            "0",
            "US-1",
        ];
        let count = 1 + self.below(2);
        (0..count)
            .map(|_| self.pick(SOME))
            .collect::<Vec<_>>()
            .join("-")
            .into()
    }

    /// Text for people: white space anywhere, but something else too.
    pub(crate) fn text(&mut self) -> Text {
        const SOME: &[&str] = &[
            "hello",
            " ",
            "\n",
            "a<b & c",
            "'\"",
            "]]>",
            "Ä€😀z",
            "&amp;",
            "\t",
            "\r\n",
            "Привет",
        ];
        let count = 1 + self.below(5);
        let middle: String = (0..count).map(|_| self.pick(SOME)).collect();
        format!("{middle}.").into()
    }

    pub(crate) fn number(&mut self) -> Text {
        self.integer().to_string().into()
    }

    pub(crate) fn integer(&mut self) -> u32 {
        match self.below(4) {
            0 => self.below(256) as u32,
            1 => self.below(65536) as u32,
            2 => 0,
            _ => self.roll() as u32,
        }
    }

    pub(crate) fn octets(&mut self) -> Vec<u8> {
        (0..self.below(40)).map(|_| self.roll() as u8).collect()
    }

    pub(crate) fn date_time(&mut self) -> DateTime {
        DateTime::from_timestamp(Timestamp::from_secs(self.below(2_000_000_000) as i64))
    }

    pub(crate) fn content(&mut self) -> ContentData {
        ContentData::Text(self.text().into())
    }
}

pub(crate) trait Sample: Sized {
    fn sample(dice: &mut Dice, version: Version) -> Self;
}

include!(concat!(env!("OUT_DIR"), "/sample.rs"));

impl Sample for ClientId {
    fn sample(dice: &mut Dice, _: Version) -> Self {
        let url = dice.flip();
        Self {
            url: url.then(|| dice.string()),
            msisdn: (!url || dice.flip()).then(|| dice.string()),
        }
    }
}

impl Sample for AcceptedContentType {
    fn sample(dice: &mut Dice, version: Version) -> Self {
        let content_type = Some(dice.pick(&["text/plain".into(), "image/jpeg".into()]));
        if version < Version::V1_3 {
            return Self {
                content_type,
                ..Self::default()
            };
        }
        Self {
            content_type,
            accepted_rich_content_length: dice.flip().then(|| dice.integer()),
            content_policy: dice.flip().then(|| dice.pick(ContentPolicy::ALL)),
            content_policy_limit: dice.flip().then(|| dice.integer()),
        }
    }
}

impl Sample for NickName {
    fn sample(dice: &mut Dice, _: Version) -> Self {
        Self {
            name: Some(dice.text()),
            user_id: Some(dice.string()),
        }
    }
}

impl Sample for NickMembers {
    fn sample(dice: &mut Dice, version: Version) -> Self {
        let one = |dice: &mut Dice| match dice.flip() {
            true => NickMember::Nick(NickName::sample(dice, version)),
            false => NickMember::User(dice.string()),
        };
        let count = 1 + dice.below(3);
        Self {
            members: (0..count).map(|_| one(dice)).collect(),
        }
    }
}

impl Sample for SearchPairList {
    fn sample(dice: &mut Dice, version: Version) -> Self {
        let count = if version == Version::V1_3 {
            1 + dice.below(3)
        } else {
            1
        };
        let pair = |dice: &mut Dice| SearchPair {
            search_element: Some(dice.pick(SearchElement::ALL)),
            search_string: Some(dice.string()),
            pair_id: (version == Version::V1_3).then(|| dice.integer()),
        };
        Self {
            pairs: (0..count).map(|_| pair(dice)).collect(),
        }
    }
}

impl Sample for Extension {
    fn sample(dice: &mut Dice, _: Version) -> Self {
        let element = ExtensionNode::Element {
            name: "X-Note".into(),
            namespace: None,
            nodes: vec![ExtensionNode::Text(dice.string().into())],
        };
        let empty = ExtensionNode::Element {
            name: "APIClient".into(),
            namespace: Some("www.example.net/x".into()),
            nodes: vec![],
        };
        Self {
            namespace: Some("www.example.net/ext".into()),
            nodes: dice.pick(&[vec![element.clone()], vec![element, empty], vec![]]),
        }
    }
}
