//! What the mobile network says of users, as long as no adapter of a network tells it
//! (architecture document 5.2.4; csp-presence 3.7).

use super::{Actor, Failure, Operations};
use hamlet_elements::presence::{NETWORK_ATTRIBUTES, NetworkPresence};
use hamlet_model::presence::{AttributeName, AttributeValue, CivilAddress, GeoLocation};

/// A name for a value, with the attribute that it is a part of.
const FIELDS: [(&str, AttributeName); 15] = [
    ("registration", AttributeName::Registration),
    ("time-zone", AttributeName::TimeZone),
    ("longitude", AttributeName::GeoLocation),
    ("latitude", AttributeName::GeoLocation),
    ("altitude", AttributeName::GeoLocation),
    ("accuracy", AttributeName::GeoLocation),
    ("country", AttributeName::Address),
    ("city", AttributeName::Address),
    ("street", AttributeName::Address),
    ("crossing1", AttributeName::Address),
    ("crossing2", AttributeName::Address),
    ("building", AttributeName::Address),
    ("named-area", AttributeName::Address),
    ("location", AttributeName::FreeTextLocation),
    ("plmn", AttributeName::PLMN),
];

impl Operations {
    /// What the mobile network says of a user, by field.
    pub async fn network(&self, user: &str) -> Result<Vec<(String, String)>, Failure> {
        let user = self.home_user(user)?;
        let known = self.sap.elements().network_presence(&user).await;
        let known = known.map_err(|refusal| Failure::of(&user, refusal))?;
        Ok(fields(&known))
    }

    /// Changes what the mobile network says of a user until the server stops; an empty value
    /// removes. All of the changes or none; what is known then.
    pub async fn change_network(
        &self,
        by: &Actor,
        user: &str,
        changes: &[(String, String)],
    ) -> Result<Vec<(String, String)>, Failure> {
        let change = async {
            let user = self.home_user(user)?;
            let elements = self.sap.elements();
            let known = elements.network_presence(&user).await;
            let known = known.map_err(|refusal| Failure::of(&user, refusal))?;
            let changes = values(&known, changes)?;
            let changed = elements.report_network(&user, changes).await;
            let known = changed.map_err(|refusal| Failure::of(&user, refusal))?;
            Ok(fields(&known))
        };
        self.audited(by, "user.network", &self.target(user), change)
            .await
    }
}

fn fields(known: &NetworkPresence) -> Vec<(String, String)> {
    FIELDS
        .iter()
        .filter_map(|(field, name)| {
            let value = match known.value(*name)? {
                AttributeValue::Flag(true) => "yes".to_owned(),
                AttributeValue::Flag(false) => "no".to_owned(),
                AttributeValue::Text(text) | AttributeValue::Zone(text) => text.clone(),
                AttributeValue::GeoLocation(place) => {
                    of_place(&mut place.clone(), field)?.clone()?
                }
                AttributeValue::Address(address) => {
                    of_address(&mut address.clone(), field)?.clone()?
                }
                _ => return None,
            };
            Some(((*field).to_owned(), value))
        })
        .collect()
}

type Values = Vec<(AttributeName, Option<AttributeValue>)>;

/// The attributes that the changes are about, whole.
fn values(known: &NetworkPresence, changes: &[(String, String)]) -> Result<Values, Failure> {
    let mut flag = None;
    let mut texts: Vec<(AttributeName, &String)> = Vec::new();
    let mut place = match known.value(AttributeName::GeoLocation) {
        Some(AttributeValue::GeoLocation(place)) => (**place).clone(),
        _ => GeoLocation::default(),
    };
    let mut address = match known.value(AttributeName::Address) {
        Some(AttributeValue::Address(address)) => (**address).clone(),
        _ => CivilAddress::default(),
    };
    let mut changed = Vec::new();
    for (field, value) in changes {
        let name = attribute(field)?;
        changed.push(name);
        let part = (!value.is_empty()).then(|| value.clone());
        match name {
            AttributeName::Registration => flag = Some(is_registered(value)?),
            AttributeName::GeoLocation => {
                if let Some(place) = of_place(&mut place, field) {
                    *place = part;
                }
            }
            AttributeName::Address => {
                if let Some(address) = of_address(&mut address, field) {
                    *address = part;
                }
            }
            name => texts.push((name, value)),
        }
    }
    let text = |name| {
        let mut given = texts.iter().rev();
        let value = given.find(|(given, _)| *given == name)?.1;
        (!value.is_empty()).then(|| value.clone())
    };
    Ok(NETWORK_ATTRIBUTES
        .into_iter()
        .filter(|name| changed.contains(name))
        .map(|name| {
            let value = match name {
                AttributeName::Registration => flag.flatten().map(AttributeValue::Flag),
                AttributeName::TimeZone => text(name).map(AttributeValue::Zone),
                AttributeName::GeoLocation => (place != GeoLocation::default())
                    .then(|| AttributeValue::GeoLocation(Box::new(place.clone()))),
                AttributeName::Address => (address != CivilAddress::default())
                    .then(|| AttributeValue::Address(Box::new(address.clone()))),
                _ => text(name).map(AttributeValue::Text),
            };
            (name, value)
        })
        .collect())
}

fn attribute(field: &str) -> Result<AttributeName, Failure> {
    let found = FIELDS.iter().find(|(name, _)| *name == field);
    found.map(|(_, attribute)| *attribute).ok_or_else(|| {
        let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        Failure::invalid(format!("there is no field `{field}`; there are {names}"))
    })
}

fn is_registered(value: &str) -> Result<Option<bool>, Failure> {
    match value {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        _ => Err(Failure::invalid(format!(
            "registration is yes or no, not `{value}`"
        ))),
    }
}

fn of_place<'a>(place: &'a mut GeoLocation, field: &str) -> Option<&'a mut Option<String>> {
    Some(match field {
        "longitude" => &mut place.longitude,
        "latitude" => &mut place.latitude,
        "altitude" => &mut place.altitude,
        "accuracy" => &mut place.accuracy,
        _ => return None,
    })
}

fn of_address<'a>(address: &'a mut CivilAddress, field: &str) -> Option<&'a mut Option<String>> {
    Some(match field {
        "country" => &mut address.country,
        "city" => &mut address.city,
        "street" => &mut address.street,
        "crossing1" => &mut address.crossing1,
        "crossing2" => &mut address.crossing2,
        "building" => &mut address.building,
        "named-area" => &mut address.named_area,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(pairs: &[(&str, &str)]) -> Result<Values, Failure> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        values(&NetworkPresence::default(), &pairs)
    }

    #[test]
    fn fields_become_whole_attributes() {
        let changes = change(&[
            ("plmn", "24491"),
            ("latitude", "60.17"),
            ("registration", "no"),
            ("longitude", "24.94"),
            ("city", "Helsinki"),
            ("time-zone", ""),
        ])
        .unwrap();
        let place = GeoLocation {
            longitude: Some("24.94".into()),
            latitude: Some("60.17".into()),
            ..GeoLocation::default()
        };
        let address = CivilAddress {
            city: Some("Helsinki".into()),
            ..CivilAddress::default()
        };
        assert_eq!(
            changes,
            [
                (
                    AttributeName::Registration,
                    Some(AttributeValue::Flag(false))
                ),
                (AttributeName::TimeZone, None),
                (
                    AttributeName::GeoLocation,
                    Some(AttributeValue::GeoLocation(Box::new(place)))
                ),
                (
                    AttributeName::Address,
                    Some(AttributeValue::Address(Box::new(address)))
                ),
                (
                    AttributeName::PLMN,
                    Some(AttributeValue::Text("24491".into()))
                ),
            ]
        );
    }

    #[test]
    fn unknown_fields_and_values_are_refused() {
        for pair in [("shoes", "42"), ("registration", "maybe")] {
            assert!(change(&[pair]).is_err(), "{pair:?}");
        }
    }
}
