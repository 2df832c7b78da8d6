//! Where a user is (csp-access 11.3, csp-presence 11): for the map of a friend.
//!
//! What he has published of his place as the Presence element tells it, so that whoever may not
//! see it learns nothing. The map is the business of who asks.

use crate::elements::Inner;
use crate::failure::refusal;
use crate::presence::{GetPresence, Targets};
use crate::service::{Answer, Request, Requestor, Response};
use hamlet_model::presence::{Attribute, AttributeName, AttributeValue, CivilAddress, GeoLocation};
use hamlet_model::{Coordinates, Refusal, StatusCode, UserId};
use serde::{Deserialize, Serialize};

/// Asks for a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Locate {
    /// Where this user is.
    User(UserId),
    /// A user's address that cannot be parsed (531).
    Malformed(String),
    /// A place that the asker names himself.
    Place {
        /// By co-ordinates.
        geo: Option<Box<GeoLocation>>,
        /// By address.
        address: Option<Box<CivilAddress>>,
    },
}

/// A place, in one way or in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// By co-ordinates.
    pub coordinates: Option<Coordinates>,
    /// How far the truth may be from them, metres; positive.
    pub accuracy: Option<f64>,
    /// By address.
    pub address: Option<CivilAddress>,
}

impl Inner {
    /// 531 for an unknown user; 404 when nothing is known, or nothing that the requestor may
    /// see; 402 for co-ordinates of his own that are none; 400 when nothing is named.
    pub(crate) async fn locate(&self, requestor: Requestor, request: Locate) -> Answer {
        let user = match request {
            Locate::User(user) => user,
            Locate::Malformed(text) => {
                let mut failures = hamlet_model::refusal::Failures::new();
                let block = failures.block(StatusCode::UNKNOWN_USER);
                block.malformed.push(text);
                return Err(Refusal {
                    details: failures.into_details(),
                    ..Refusal::new(StatusCode::UNKNOWN_USER)
                });
            }
            Locate::Place { geo, address } => return given(geo.as_deref(), address),
        };
        if user != requestor.user && !self.may_be_located(&user).await? {
            return Err(StatusCode::NOT_FOUND.into());
        }
        let request = Request::GetPresence(GetPresence {
            targets: Targets {
                users: vec![user.clone()],
                ..Targets::default()
            },
            attributes: LOCATION.into_iter().collect(),
        });
        let Response::Presence(values) = self.ask_element(&requestor, request).await? else {
            return Err(StatusCode::INTERNAL_ERROR.into());
        };
        let presence = values.users.into_iter().find(|found| found.user == user);
        published(presence.map(|found| found.attributes).unwrap_or_default())
    }
}

impl Inner {
    /// Whether the user profile lets services say where he is; that of a user elsewhere is
    /// his domain's business.
    async fn may_be_located(&self, user: &UserId) -> Result<bool, Refusal> {
        if !self.directory.is_home(user) {
            return Ok(true);
        }
        let user = user.clone();
        let profile = self.store.read(move |tx| tx.user_profile(&user)).await;
        let profile = profile.map_err(|error| refusal(&error))?;
        Ok(profile.allows(LOCATION_PRIVACY))
    }
}

/// The item of a user profile's privacy that is about places.
const LOCATION_PRIVACY: &str = "Location";

/// What tells where somebody is.
const LOCATION: [AttributeName; 2] = [AttributeName::GeoLocation, AttributeName::Address];

/// The location in published attributes, of which those of the latest client come first.
fn published(attributes: Vec<Attribute>) -> Answer {
    let mut location = Location {
        coordinates: None,
        accuracy: None,
        address: None,
    };
    // A client may publish what is no place.
    for attribute in attributes.into_iter().filter(|a| a.qualifier) {
        match attribute.value {
            AttributeValue::GeoLocation(geo) if location.coordinates.is_none() => {
                location.coordinates = coordinates(&geo);
                location.accuracy = metres(geo.accuracy.as_deref());
            }
            AttributeValue::Address(address) if location.address.is_none() => {
                location.address = Some(*address);
            }
            _ => {}
        }
    }
    match &location {
        // Who may not see it is told the same (csp-presence 11).
        Location {
            coordinates: None,
            address: None,
            ..
        } => Err(StatusCode::NOT_FOUND.into()),
        _ => Ok(Response::Location(Box::new(location))),
    }
}

fn given(geo: Option<&GeoLocation>, address: Option<Box<CivilAddress>>) -> Answer {
    if geo.is_none() && address.is_none() {
        let why = "Neither a user nor a place is named";
        return Err(Refusal::because(StatusCode::BAD_REQUEST, why));
    }
    let place = match geo {
        Some(geo) => Some(coordinates(geo).ok_or_else(|| {
            Refusal::because(StatusCode::BAD_PARAMETER, "There is no such place")
        })?),
        None => None,
    };
    Ok(Response::Location(Box::new(Location {
        coordinates: place,
        accuracy: geo.and_then(|geo| metres(geo.accuracy.as_deref())),
        address: address.map(|address| *address),
    })))
}

fn coordinates(geo: &GeoLocation) -> Option<Coordinates> {
    Coordinates::parse(geo.latitude.as_deref()?, geo.longitude.as_deref()?)
}

/// An Accuracy; what is no length says nothing.
pub fn metres(text: Option<&str>) -> Option<f64> {
    let metres: f64 = text?.trim().parse().ok()?;
    (metres.is_finite() && metres > 0.0).then_some(metres)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: AttributeName, value: AttributeValue, qualifier: bool) -> Attribute {
        Attribute {
            name,
            qualifier,
            client: None,
            value,
        }
    }

    fn geo(latitude: &str, longitude: &str, accuracy: &str) -> GeoLocation {
        GeoLocation {
            latitude: Some(latitude.into()),
            longitude: Some(longitude.into()),
            altitude: None,
            accuracy: Some(accuracy.into()),
        }
    }

    fn at(latitude: &str, longitude: &str, accuracy: &str, qualifier: bool) -> Attribute {
        let value = AttributeValue::GeoLocation(Box::new(geo(latitude, longitude, accuracy)));
        attribute(AttributeName::GeoLocation, value, qualifier)
    }

    #[test]
    fn the_first_valid_location_counts() {
        let attributes = vec![
            at("1", "1", "1", false),
            at("somewhere", "2", "2", true),
            at("60 27 0N", "22 16 12E", "50", true),
            at("4", "4", "4", true),
        ];
        let Ok(Response::Location(location)) = published(attributes) else {
            panic!("a location");
        };
        assert_eq!(location.coordinates, Coordinates::new(60.45, 22.27));
        assert_eq!(location.accuracy, Some(50.0));
    }

    #[test]
    fn no_location_and_none_that_may_be_seen_are_the_same() {
        for attributes in [vec![], vec![at("1", "1", "1", false)]] {
            assert_eq!(published(attributes), Err(StatusCode::NOT_FOUND.into()));
        }
    }

    #[test]
    fn places_of_the_asker_are_checked() {
        let code = |geo: Option<GeoLocation>| match given(geo.as_ref(), None) {
            Ok(_) => 200,
            Err(refusal) => refusal.code.0,
        };
        assert_eq!(code(None), 400);
        assert_eq!(code(Some(GeoLocation::default())), 402);
        assert_eq!(code(Some(geo("91", "0", ""))), 402);
        assert_eq!(code(Some(geo("60", "22", "x"))), 200);
        assert!(given(None, Some(Box::default())).is_ok());
    }

    #[test]
    fn accuracies_are_positive_numbers() {
        let read = |text| metres(Some(text));
        assert_eq!(read(" 12.5 "), Some(12.5));
        for none in ["0", "-3", "NaN", "inf", "10 m", ""] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
