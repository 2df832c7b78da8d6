//! Places with names.

use crate::data::world;
use crate::geometry::distance;
use hamlet_model::Coordinates;

/// A town.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Its name, in letters of Latin-1.
    pub name: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// Inhabitants, thousands.
    pub thousands: u32,
    /// Its middle.
    pub coordinates: Coordinates,
}

impl Place {
    /// How far its edge is from its middle, metres: a guess from the number of inhabitants.
    pub fn radius(&self) -> f64 {
        (1000.0 * f64::from(self.thousands).sqrt() * 0.3).clamp(2_000.0, 25_000.0)
    }
}

/// The largest town of this name, in this country if one is given (ISO 3166-1 alpha-2).
pub fn find_place(country: Option<&str>, name: &str) -> Option<&'static Place> {
    let name = folded(name.trim());
    let here = |place: &Place| country.is_none_or(|code| code.eq_ignore_ascii_case(place.country));
    let mut places = world().places.iter();
    places.find(|place| here(place) && folded(place.name) == name)
}

/// Without case and without the accents that people leave out.
fn folded(name: &str) -> String {
    let plain = |letter: char| match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    };
    name.chars()
        .flat_map(char::to_lowercase)
        .map(plain)
        .collect()
}

/// The town that a person would say a place is at: near, or large; with its distance in metres.
pub(crate) fn nearest(place: Coordinates) -> Option<(&'static Place, f64)> {
    /// Metres.
    const FAR: f64 = 300_000.0;
    let degrees = FAR / crate::METRES_OF_DEGREE;
    world()
        .places
        .iter()
        .filter(|town| (town.coordinates.latitude - place.latitude).abs() <= degrees)
        .map(|town| (town, distance(town.coordinates, place)))
        .filter(|(_, metres)| *metres <= FAR)
        // Within a city its suburbs do not count.
        .min_by(|(a, x), (b, y)| (x / a.radius().sqrt()).total_cmp(&(y / b.radius().sqrt())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_are_found_by_name() {
        let place = |country, name| find_place(country, name).map(|place| place.country);
        assert_eq!(place(None, "Turku"), Some("FI"));
        assert_eq!(place(Some("us"), "PARIS"), Some("US"));
        assert_eq!(place(None, "paris"), Some("FR"));
        assert_eq!(place(None, "Malaga"), Some("ES"));
        assert_eq!(place(Some("FI"), "Atlantis"), None);
        assert_eq!(place(None, ""), None);
    }

    #[test]
    fn the_nearest_town_is_told() {
        let near = |latitude, longitude| {
            let place = Coordinates::new(latitude, longitude).unwrap();
            nearest(place).map(|(town, _)| town.name)
        };
        assert_eq!(near(60.455, 22.28), Some("Turku"));
        assert_eq!(near(48.85, 2.35), Some("Paris"));
        assert_eq!(near(-50.0, -120.0), None);
    }
}
