//! What stands below a map: the place in numbers and words, and the scale.

use crate::draw::{BLACK, Map, WHITE, color, fill};
use crate::geometry::distance;
use crate::letters::Letters;
use crate::{places, scale};
use hamlet_model::Coordinates;
use tiny_skia::{PathBuilder, Pixmap, Rect};

/// Writes it; answers at which height it begins. The boxes that it takes above are added to
/// `taken`.
pub(crate) fn draw(pixels: &mut Pixmap, letters: Letters, map: &Map, taken: &mut Vec<Rect>) -> f32 {
    let (width, height) = map.size();
    let (width, height) = (width as f32, height as f32);
    let mut lines = vec![numbers(map)];
    lines.extend(words(map.center));
    let (_, line) = letters.size("");
    let floor = height - line * lines.len() as f32 - 2.0;
    rectangle(pixels, Rect::from_ltrb(0.0, floor, width, height), WHITE);
    for (index, text) in lines.iter().enumerate() {
        let top = floor + 1.0 + line * index as f32;
        letters.write(pixels, (2, top as i32), text, color(BLACK, 255));
    }
    taken.extend(bar(pixels, letters, map, floor));
    floor
}

/// A bar with its length, in the lower left corner.
fn bar(pixels: &mut Pixmap, letters: Letters, map: &Map, floor: f32) -> Option<Rect> {
    let (width, _) = map.size();
    let (length, label) = scale::bar(map.metres_per_pixel(), f64::from(width) / 3.0);
    let length = length as f32;
    let (text, line) = letters.size(&label);
    let room = Rect::from_ltrb(2.0, floor - line - 8.0, length.max(text) + 8.0, floor - 2.0)?;
    rectangle(pixels, Some(room), WHITE);
    let (left, base) = (5.0, room.bottom() - 2.0);
    for part in [
        Rect::from_ltrb(left, base - 2.0, left + length, base),
        Rect::from_ltrb(left, base - 5.0, left + 1.0, base),
        Rect::from_ltrb(left + length - 1.0, base - 5.0, left + length, base),
    ] {
        rectangle(pixels, part, BLACK);
    }
    let at = (left as i32 + 1, room.top() as i32);
    letters.write(pixels, at, &label, color(BLACK, 255));
    Some(room)
}

fn rectangle(pixels: &mut Pixmap, rect: Option<Rect>, shade: [u8; 3]) {
    if let Some(rect) = rect {
        fill(pixels, &PathBuilder::from_rect(rect), color(shade, 255));
    }
}

fn numbers(map: &Map) -> String {
    let Coordinates {
        latitude,
        longitude,
    } = map.center;
    let side = |value: f64, positive, negative| if value < 0.0 { negative } else { positive };
    let mut text = format!(
        "{:.4}{} {:.4}{}",
        latitude.abs(),
        side(latitude, 'N', 'S'),
        longitude.abs(),
        side(longitude, 'E', 'W'),
    );
    if let Some(accuracy) = map.accuracy {
        text.push_str(" \u{b1}");
        text.push_str(&scale::length(accuracy));
    }
    text
}

/// Such as `12 km NE of Turku`.
fn words(place: Coordinates) -> Option<String> {
    let (town, metres) = places::nearest(place)?;
    if metres < (town.radius() / 5.0).max(1000.0) {
        return Some(town.name.to_owned());
    }
    let wind = wind(town.coordinates, place);
    Some(format!("{} {wind} of {}", scale::length(metres), town.name))
}

/// In which of eight directions `to` lies.
fn wind(from: Coordinates, to: Coordinates) -> &'static str {
    const WINDS: [&str; 8] = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];
    let corner = Coordinates {
        latitude: from.latitude,
        longitude: to.longitude,
    };
    let mut across = to.longitude - from.longitude;
    if across.abs() > 180.0 {
        across -= 360.0_f64.copysign(across);
    }
    let east = distance(from, corner).copysign(across);
    let north = distance(corner, to).copysign(to.latitude - from.latitude);
    let eighths = (east.atan2(north).to_degrees() / 45.0).round() as i32;
    // Between 0 and 7.
    WINDS[eighths.rem_euclid(8) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Coordinates {
        Coordinates::new(latitude, longitude).unwrap()
    }

    #[test]
    fn winds_blow_the_right_way() {
        let turku = at(60.45, 22.27);
        for (to, wind) in [
            (at(61.0, 22.27), "N"),
            (at(60.45, 23.0), "E"),
            (at(60.2, 22.27), "S"),
            (at(60.45, 21.0), "W"),
            (at(60.55, 22.47), "NE"),
        ] {
            assert_eq!(super::wind(turku, to), wind);
        }
        assert_eq!(super::wind(at(0.0, 179.9), at(0.0, -179.9)), "E");
    }

    #[test]
    fn a_place_is_told_in_numbers_and_words() {
        let map = Map {
            center: at(-33.45, -70.66),
            accuracy: Some(1500.0),
            width: 200,
            height: 200,
        };
        assert_eq!(numbers(&map), "33.4500S 70.6600W \u{b1}1.5 km");
        assert_eq!(words(map.center).as_deref(), Some("Santiago"));
        assert_eq!(
            words(at(60.55, 22.47)).as_deref(),
            Some("4.4 km N of Lieto")
        );
    }
}
