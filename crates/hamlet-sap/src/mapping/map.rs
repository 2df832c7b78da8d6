//! GetMap (csp-access 11.3).

use super::{Facts, presence_attributes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hamlet_csp::elements::{ContentEncoding, GetMapRequest, GetMapResponse, Map, Primitive};
use hamlet_csp::{ContentData, Text};
use hamlet_elements::Request;
use hamlet_elements::locate::Locate;
use hamlet_model::presence::AttributeValue;
use hamlet_model::{Refusal, UserId};

/// Reads GetMap-Request. A user is what the map is of, even where a place is named too.
pub fn request(request: GetMapRequest, facts: &Facts<'_>) -> Result<Request, Refusal> {
    if let Some(text) = request.user_id.filter(|text| !text.is_empty()) {
        return Ok(Request::Locate(match UserId::parse(&text, facts.home) {
            Ok(user) => Locate::User(user),
            Err(_) => Locate::Malformed(text.to_string()),
        }));
    }
    let list = request.presence_sub_list.unwrap_or_default();
    let (mut geo, mut address) = (None, None);
    for attribute in presence_attributes::values(list) {
        match attribute.value {
            AttributeValue::GeoLocation(place) if geo.is_none() => geo = Some(place),
            AttributeValue::Address(place) if address.is_none() => address = Some(place),
            _ => {}
        }
    }
    Ok(Request::Locate(Locate::Place { geo, address }))
}

/// GetMap-Response with the picture in it.
pub fn inline(media_type: &str, octets: &[u8]) -> Primitive {
    Primitive::GetMapResponse(Box::new(GetMapResponse {
        map: Some(Map {
            content_type: Some(Text::new(media_type)),
            content_encoding: Some(ContentEncoding::Base64),
            content_data: Some(ContentData::Text(STANDARD.encode(octets))),
        }),
        url: None,
    }))
}

/// GetMap-Response with a link to it.
pub fn link(url: &str) -> Primitive {
    Primitive::GetMapResponse(Box::new(GetMapResponse {
        map: None,
        url: Some(Text::new(url)),
    }))
}
