//! Places on the Earth (csp-presence 3.4, 11).

use serde::{Deserialize, Serialize};

/// A place by its co-ordinates (WGS-84), degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coordinates {
    /// -90 to 90, north positive.
    pub latitude: f64,
    /// -180 to 180, east positive.
    pub longitude: f64,
}

impl Coordinates {
    /// A place; `None` where there is none.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_place = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        is_place.then_some(Self {
            latitude,
            longitude,
        })
    }

    /// Reads Latitude and Longitude: `12 36 22.5N`, or degrees with a sign (csp-presence 11);
    /// `None` for what is no place.
    pub fn parse(latitude: &str, longitude: &str) -> Option<Self> {
        Self::new(degrees(latitude, 'N', 'S')?, degrees(longitude, 'E', 'W')?)
    }
}

/// Degrees, minutes and seconds, as many of them as are there.
fn degrees(text: &str, positive: char, negative: char) -> Option<f64> {
    let text = text.trim();
    let last = text.chars().last()?.to_ascii_uppercase();
    let (text, hemisphere) = match last {
        _ if last == positive => (&text[..text.len() - 1], Some(1.0)),
        _ if last == negative => (&text[..text.len() - 1], Some(-1.0)),
        _ => (text, None),
    };
    let parts: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '°' | '\'' | '"'))
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() || parts.len() > 3 {
        return None;
    }
    let (mut sum, mut unit) = (0.0, 1.0);
    let mut sign = hemisphere.unwrap_or(1.0);
    for (index, part) in parts.iter().enumerate() {
        let digits = match (index, part.strip_prefix('-'), part.strip_prefix('+')) {
            // A sign stands for the hemisphere, not beside it.
            (0, Some(digits), _) if hemisphere.is_none() => {
                sign = -1.0;
                digits
            }
            (0, _, Some(digits)) if hemisphere.is_none() => digits,
            _ => part,
        };
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value: f64 = if plain {
            digits.parse().ok()?
        } else {
            return None;
        };
        if index > 0 && value >= 60.0 {
            return None;
        }
        sum += value * unit;
        unit /= 60.0;
    }
    Some(sign * sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_read_in_both_forms() {
        for (latitude, longitude, expected) in [
            ("12 36 22.5N", "35 24 15.652W", (12.60625, -35.404_347_78)),
            ("60.45", "+22.27", (60.45, 22.27)),
            ("-33.5", "-70", (-33.5, -70.0)),
            ("33 30S", "70w", (-33.5, -70.0)),
            (" 0N", "180 0 0E ", (0.0, 180.0)),
        ] {
            let place = Coordinates::parse(latitude, longitude).unwrap();
            assert!((place.latitude - expected.0).abs() < 1e-6, "{latitude}");
            assert!((place.longitude - expected.1).abs() < 1e-6, "{longitude}");
        }
    }

    #[test]
    fn what_is_no_place_is_not_read() {
        for (latitude, longitude) in [
            ("91", "0"),
            ("0", "181"),
            ("90 0 1N", "0"),
            ("", "0"),
            ("N", "0"),
            ("12 60N", "0"),
            ("1 2 3 4N", "0"),
            ("-12N", "0"),
            ("12E", "0"),
            ("1e1", "0"),
            ("inf", "nan"),
            ("ÄÖ", "0"),
            ("1 -2N", "0"),
        ] {
            assert_eq!(Coordinates::parse(latitude, longitude), None, "{latitude}");
        }
    }
}
