//! GetMap (csp-access 11.3, csp-presence 11): the map of a place, inline where the client takes
//! it, else by a link to it.
//!
//! Where the place is says a service element; how a map looks, `hamlet-map`. Here stands what
//! lies between: which form of it a client takes ([`room`]), links ([`link`]), and the bounds of
//! drawing ([`draw`]).

pub(crate) mod draw;
pub(crate) mod link;
mod room;
mod template;

use crate::Sap;
use crate::cir::address::{Reached, base_url};
use crate::envelope::exchange::Around;
use crate::mapping::{Facts, result};
use crate::negotiation::functions::Function;
use crate::session::Session;
use draw::Wanted;
use hamlet_csp::elements::{GetMapRequest, Primitive};
use hamlet_elements::locate::{Location, metres};
use hamlet_elements::{Call, Response};
use hamlet_map::{Format, find_place};
use hamlet_model::{Coordinates, Refusal, StatusCode, Timestamp};
use link::Link;
use room::Room;

impl Sap {
    /// Answers GetMap-Request.
    pub(crate) async fn get_map(
        &self,
        request: GetMapRequest,
        session: &Session,
        facts: &Facts<'_>,
        around: &Around<'_>,
    ) -> Primitive {
        let map = self.map_for(request, session, facts, around).await;
        map.unwrap_or_else(|refusal| result::refused(&refusal, facts))
    }

    async fn map_for(
        &self,
        request: GetMapRequest,
        session: &Session,
        facts: &Facts<'_>,
        around: &Around<'_>,
    ) -> Result<Primitive, Refusal> {
        let call = Call {
            requestor: session.requestor(),
            request: crate::mapping::map::request(request, facts)?,
            key: None,
        };
        let Response::Location(location) = self.elements.call(call).await? else {
            return Err(StatusCode::INTERNAL_ERROR.into());
        };
        let (center, accuracy) = place(&location).ok_or(StatusCode::NOT_FOUND)?;
        let config = &self.config.map;
        if let Some(template) = &config.url_template {
            let size = (config.width, config.height);
            let url = template::fill(template, center, accuracy, size);
            return Ok(crate::mapping::map::link(&url));
        }
        let settings = session.settings();
        let segments = settings
            .agreement
            .as_ref()
            .is_some_and(|agreed| agreed.allows(Function::SGMNT, around.version));
        let rooms = room::rooms(&settings.capabilities, around.syntax, segments);
        if let Some((format, octets)) = self.fitting(center, accuracy, &rooms).await? {
            return Ok(crate::mapping::map::inline(format.media_type(), &octets));
        }
        let reached = Reached {
            host: around.inbound.host,
            local: around.inbound.local,
            secure: around.inbound.secure,
        };
        let base = base_url(self.config.cir.http_url.as_deref(), reached);
        let format = rooms.first().map_or(Format::Png, |room| room.format);
        let link = Link {
            wanted: Wanted {
                format,
                ..Wanted::new(center, accuracy, (config.width, config.height))
            },
            until: Timestamp::now().plus(config.link_life),
        };
        let path = self.map_links.path(&link);
        match base.zip(path) {
            Some((base, path)) => Ok(crate::mapping::map::link(&format!("{base}/{path}"))),
            None => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into()),
        }
    }

    /// The largest picture that has room; `None` when none has.
    async fn fitting(
        &self,
        center: Coordinates,
        accuracy: Option<f64>,
        rooms: &[Room],
    ) -> Result<Option<(Format, bytes::Bytes)>, Refusal> {
        let config = &self.config.map;
        if rooms.is_empty() {
            return Ok(None);
        }
        for share in [4, 3, 2] {
            let size = (config.width * share / 4, config.height * share / 4);
            for room in rooms {
                let wanted = Wanted {
                    format: room.format,
                    ..Wanted::new(center, accuracy, size)
                };
                let octets = self.maps.draw(wanted).await?;
                if room.takes(octets.len()) {
                    return Ok(Some((room.format, octets)));
                }
            }
        }
        Ok(None)
    }
}

/// Where a location is, and how far the truth may be from that, metres.
fn place(location: &Location) -> Option<(Coordinates, Option<f64>)> {
    if let Some(center) = location.coordinates {
        return Some((center, location.accuracy));
    }
    let address = location.address.as_ref()?;
    let country = address.country.as_deref().filter(|code| !code.is_empty());
    let town = find_place(country, address.city.as_deref()?)?;
    // What is known is the town, not the place in it.
    let stated = metres(address.accuracy.as_deref()).unwrap_or(0.0);
    Some((town.coordinates, Some(stated.max(town.radius()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::presence::CivilAddress;

    #[test]
    fn an_address_is_as_accurate_as_its_town_is_small() {
        let at = |country: &str, city: &str| {
            place(&Location {
                coordinates: None,
                accuracy: None,
                address: Some(CivilAddress {
                    country: Some(country.into()),
                    city: Some(city.into()),
                    accuracy: Some("10".into()),
                    ..CivilAddress::default()
                }),
            })
        };
        let (turku, accuracy) = at("FI", "Turku").unwrap();
        assert!((turku.latitude - 60.45).abs() < 0.1, "{turku:?}");
        assert!(accuracy.unwrap() > 1000.0);
        assert!(at("", "Turku").is_some());
        assert_eq!(at("SE", "Turku"), None);
        assert_eq!(at("FI", ""), None);
    }
}
