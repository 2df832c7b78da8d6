//! Elements whose reading or writing is not a plain list of children.

use crate::elements::{
    ContentEncoding, ContentPolicy, GetMessageResponse, Logo, Map, NewMessage, Property,
    SendMessageRequest, UserAvailability, WelcomeNote,
};
use crate::error::SyntaxError;
use crate::leaf::{ContentData, NonEmpty, from_base64};
use crate::sink::Sink;
use crate::source::Source;
use crate::{Tag, Text, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// ClientID (csp-messages 3.2): text without a child is taken for the URL (data-types 1.4).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClientId {
    /// Child `URL`.
    pub url: Option<Text>,
    /// Child `MSISDN`.
    pub msisdn: Option<Text>,
}

impl ClientId {
    pub(crate) fn read(source: &mut dyn Source) -> Result<Self, SyntaxError> {
        let mut element = Self::default();
        while let Some(tag) = source.child()? {
            match tag {
                Tag::URL => element.url = Some(source.string()?),
                Tag::MSISDN => element.msisdn = Some(source.string()?),
                _ => source.skip()?,
            }
        }
        if let (None, None, Some(text)) = (&element.url, &element.msisdn, source.stray()) {
            element.url = Some(text);
        }
        Ok(element)
    }

    pub(crate) fn write(&self, sink: &mut dyn Sink, tag: Tag) {
        sink.start(tag);
        self.url.iter().for_each(|url| sink.text(Tag::URL, url));
        self.msisdn
            .iter()
            .for_each(|msisdn| sink.text(Tag::MSISDN, msisdn));
        sink.end(tag);
    }
}

/// AcceptedContentType: text up to 1.2, a structure in 1.3; either form is read in every
/// version (csp-messages 6.1).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AcceptedContentType {
    /// MIME type.
    pub content_type: Option<Text>,
    /// Largest content of this type, octets (1.3).
    pub accepted_rich_content_length: Option<u32>,
    /// Policy (1.3).
    pub content_policy: Option<ContentPolicy>,
    /// Size from which the policy applies, octets (1.3).
    pub content_policy_limit: Option<u32>,
}

impl AcceptedContentType {
    pub(crate) fn read(source: &mut dyn Source) -> Result<Self, SyntaxError> {
        let mut element = Self::default();
        while let Some(tag) = source.child()? {
            match tag {
                Tag::ContentType => element.content_type = Some(source.string()?),
                Tag::AcceptedRichContentLength => {
                    element.accepted_rich_content_length = source.integer()?
                }
                Tag::ContentPolicy => {
                    element.content_policy = source.string()?.non_empty().map(ContentPolicy::parse)
                }
                Tag::ContentPolicyLimit => element.content_policy_limit = source.integer()?,
                _ => source.skip()?,
            }
        }
        if element.content_type.is_none() {
            element.content_type = source.stray();
        }
        Ok(element)
    }

    fn has_limits(&self) -> bool {
        self.accepted_rich_content_length.is_some()
            || self.content_policy.is_some()
            || self.content_policy_limit.is_some()
    }

    pub(crate) fn write(&self, sink: &mut dyn Sink, tag: Tag) {
        let structured = match sink.shape() {
            Some(version) => version == Version::V1_3,
            None => self.has_limits(),
        };
        if !structured {
            sink.token(tag, self.content_type.as_deref().unwrap_or(""));
            return;
        }
        sink.start(tag);
        self.content_type
            .iter()
            .for_each(|text| sink.token(Tag::ContentType, text));
        self.accepted_rich_content_length
            .iter()
            .for_each(|n| sink.integer(Tag::AcceptedRichContentLength, *n));
        self.content_policy
            .iter()
            .for_each(|policy| sink.token(Tag::ContentPolicy, policy.as_str()));
        self.content_policy_limit
            .iter()
            .for_each(|n| sink.integer(Tag::ContentPolicyLimit, *n));
        sink.end(tag);
    }
}

/// NickName: the Android client wraps the UserID of a new list in a User (clients AND-19).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NickName {
    /// Child `Name`.
    pub name: Option<Text>,
    /// Child `UserID`.
    pub user_id: Option<Text>,
}

impl NickName {
    pub(crate) fn read(source: &mut dyn Source) -> Result<Self, SyntaxError> {
        let mut element = Self::default();
        while let Some(tag) = source.child()? {
            match tag {
                Tag::Name => element.name = Some(source.text()?),
                Tag::UserID => element.user_id = Some(source.string()?),
                Tag::User => {
                    while let Some(tag) = source.child()? {
                        match tag {
                            Tag::UserID => element.user_id = Some(source.string()?),
                            _ => source.skip()?,
                        }
                    }
                }
                _ => source.skip()?,
            }
        }
        Ok(element)
    }

    pub(crate) fn write(&self, sink: &mut dyn Sink, tag: Tag) {
        sink.start(tag);
        self.name.iter().for_each(|name| sink.text(Tag::Name, name));
        self.user_id
            .iter()
            .for_each(|user| sink.text(Tag::UserID, user));
        sink.end(tag);
    }
}

/// One entry of NickList or AddNickList.
#[derive(Debug, Clone, PartialEq)]
pub enum NickMember {
    /// With a nickname.
    Nick(NickName),
    /// A bare UserID.
    User(Text),
}

/// NickList and AddNickList: NickName and UserID in any mix, order kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NickMembers {
    /// The entries.
    pub members: Vec<NickMember>,
}

impl NickMembers {
    pub(crate) fn read(source: &mut dyn Source) -> Result<Self, SyntaxError> {
        let mut members = Vec::new();
        while let Some(tag) = source.child()? {
            match tag {
                Tag::NickName => members.push(NickMember::Nick(NickName::read(source)?)),
                Tag::UserID => members.push(NickMember::User(source.string()?)),
                _ => source.skip()?,
            }
        }
        Ok(Self { members })
    }

    pub(crate) fn write(&self, sink: &mut dyn Sink, tag: Tag) {
        sink.start(tag);
        for member in &self.members {
            match member {
                NickMember::Nick(nick) => nick.write(sink, Tag::NickName),
                NickMember::User(user) => sink.text(Tag::UserID, user),
            }
        }
        sink.end(tag);
    }
}

/// SearchPairList in its three forms (csp-messages 7.3): a new pair starts at each
/// SearchElement; the SearchPair tag is read and never written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SearchPairList {
    /// The criteria.
    pub pairs: Vec<crate::elements::SearchPair>,
}

impl SearchPairList {
    pub(crate) fn read(source: &mut dyn Source) -> Result<Self, SyntaxError> {
        let mut pairs: Vec<crate::elements::SearchPair> = Vec::new();
        while let Some(tag) = source.child()? {
            if tag == Tag::SearchPair {
                pairs.push(crate::elements::SearchPair::read(source)?);
                continue;
            }
            if tag == Tag::SearchElement || pairs.is_empty() {
                pairs.push(crate::elements::SearchPair::default());
            }
            let Some(pair) = pairs.last_mut() else {
                continue;
            };
            match tag {
                Tag::SearchElement => {
                    pair.search_element = source
                        .string()?
                        .non_empty()
                        .map(crate::elements::SearchElement::parse);
                }
                Tag::SearchString => pair.search_string = Some(source.string()?),
                Tag::PairID => pair.pair_id = source.integer()?,
                _ => source.skip()?,
            }
        }
        Ok(Self { pairs })
    }

    pub(crate) fn write(&self, sink: &mut dyn Sink, tag: Tag) {
        sink.start(tag);
        for pair in &self.pairs {
            pair.search_element
                .iter()
                .for_each(|element| sink.token(Tag::SearchElement, element.as_str()));
            pair.search_string
                .iter()
                .for_each(|text| sink.text(Tag::SearchString, text));
            if sink.shape().is_none_or(|version| version == Version::V1_3) {
                pair.pair_id
                    .iter()
                    .for_each(|id| sink.integer(Tag::PairID, *id));
            }
        }
        sink.end(tag);
    }
}

/// Turns raw octets into what every syntax can carry (wbxml 5.5): text when the type is
/// text and nothing else was announced, else base64 with its ContentEncoding.
fn settle(
    data: &mut Option<ContentData>,
    content_type: Option<&str>,
    encoding: &mut Option<ContentEncoding>,
) {
    let Some(ContentData::Octets(octets)) = data else {
        return;
    };
    let octets = std::mem::take(octets);
    let announced = matches!(encoding, Some(ContentEncoding::Base64));
    let text = String::from_utf8(octets);
    *data = Some(ContentData::Text(match text {
        Ok(text) if announced && from_base64(&text).is_some() => text,
        Ok(text)
            if !announced
                && content_type.is_none_or(|kind| {
                    kind.trim_start().to_ascii_lowercase().starts_with("text/")
                }) =>
        {
            text
        }
        other => {
            *encoding = Some(ContentEncoding::Base64);
            BASE64.encode(match other {
                Ok(text) => text.into_bytes(),
                Err(error) => error.into_bytes(),
            })
        }
    }));
}

/// An element with ContentType, ContentEncoding and ContentData of its own.
pub(crate) trait HasContent {
    fn content(
        &mut self,
    ) -> (
        &mut Option<ContentData>,
        Option<&str>,
        &mut Option<ContentEncoding>,
    );
}

macro_rules! has_content {
    ($($name:ident),*) => {$(
        impl HasContent for $name {
            fn content(&mut self) -> (&mut Option<ContentData>, Option<&str>, &mut Option<ContentEncoding>) {
                (&mut self.content_data, self.content_type.as_deref(), &mut self.content_encoding)
            }
        }
    )*};
}

has_content!(Logo, Map, WelcomeNote);

macro_rules! has_message {
    ($($name:ident),*) => {$(
        impl HasContent for $name {
            fn content(&mut self) -> (&mut Option<ContentData>, Option<&str>, &mut Option<ContentEncoding>) {
                let info = self.message_info.get_or_insert_default();
                (&mut self.content_data, info.content_type.as_deref(), &mut info.content_encoding)
            }
        }
    )*};
}

has_message!(NewMessage, SendMessageRequest, GetMessageResponse);

pub(crate) fn settle_content(element: &mut impl HasContent) {
    let (data, content_type, encoding) = element.content();
    settle(data, content_type, encoding);
}

/// As [`settle_content`], for content whose header is a MessageInfo beside it.
pub(crate) fn settle_message<T: HasContent + MessageContent>(element: &mut T) {
    if element.has_octets() {
        settle_content(element);
    }
}

/// Whether there are octets to settle: a missing MessageInfo must stay missing.
pub(crate) trait MessageContent {
    fn has_octets(&self) -> bool;
}

macro_rules! message_content {
    ($($name:ident),*) => {$(
        impl MessageContent for $name {
            fn has_octets(&self) -> bool {
                matches!(self.content_data, Some(ContentData::Octets(_)))
            }
        }
    )*};
}

message_content!(NewMessage, SendMessageRequest, GetMessageResponse);

/// The Nokia presence adapter publishes NOTAVAILABLE (csp-messages 4.2, 7.1).
pub(crate) fn availability(element: &mut UserAvailability) {
    if let Some(value) = &mut element.presence_value
        && value.eq_ignore_ascii_case("NOTAVAILABLE")
    {
        *value = Text::const_new("NOT_AVAILABLE");
    }
}

/// One property has two spellings (csp-messages 7.1); the writers choose by version.
pub(crate) fn property(element: &mut Property) {
    if let Some(name) = &mut element.name
        && name.eq_ignore_ascii_case("AccessType")
    {
        *name = Text::const_new("AccessType");
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn octets_become_text_or_base64() {
        let base64 = Some(ContentEncoding::Base64);
        for (octets, content_type, encoding, text, after) in [
            (&b"hello"[..], None, None, "hello", None),
            (b"hello", Some("Text/Plain"), None, "hello", None),
            (
                b"\xFF\x00",
                Some("text/plain"),
                None,
                "/wA=",
                base64.clone(),
            ),
            (
                b"hello",
                Some("image/png"),
                None,
                "aGVsbG8=",
                base64.clone(),
            ),
            (
                b"aGVsbG8=",
                Some("image/png"),
                base64.clone(),
                "aGVsbG8=",
                base64.clone(),
            ),
            (
                b"not base64!",
                Some("image/png"),
                base64.clone(),
                "bm90IGJhc2U2NCE=",
                base64.clone(),
            ),
        ] {
            let mut data = Some(ContentData::Octets(octets.to_vec()));
            let mut encoding = encoding;
            settle(&mut data, content_type, &mut encoding);
            assert_eq!(data, Some(ContentData::Text(text.into())), "{octets:?}");
            assert_eq!(encoding, after, "{octets:?}");
        }
    }
}
