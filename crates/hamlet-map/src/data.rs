//! The data file: topologies of arcs, the rings and lines that are made of them, and places.
//!
//! Numbers are LEB128; signed ones are zigzag. A topology is scale and translation (four
//! 64-bit floats), then the arcs: first point, then differences, in the quantised coordinates
//! of its source. A ring or line is a list of arcs; `!n` is arc `n` backwards.
//! `examples/make_data.rs` writes it.

use crate::geometry::Point;
use crate::places::Place;
use hamlet_model::Coordinates;
use std::sync::LazyLock;

/// Everything that maps are made of.
#[derive(Default)]
pub(crate) struct World {
    /// Rings around land.
    pub(crate) land: Vec<Line>,
    /// Where countries meet.
    pub(crate) borders: Vec<Line>,
    /// Rings around lakes.
    pub(crate) lakes: Vec<Line>,
    /// Rivers.
    pub(crate) rivers: Vec<Line>,
    /// Largest first.
    pub(crate) places: Vec<Place>,
}

/// A ring or a line on the sphere.
pub(crate) struct Line {
    pub(crate) points: Vec<Point>,
    /// All points lie within this of the middle.
    pub(crate) middle: Point,
    /// The cosine of that distance.
    pub(crate) reach: f64,
}

/// The world, read when it is first needed: a few megabytes.
pub(crate) fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        // The file is part of the program, and a test reads it whole.
        World::read(include_bytes!("../data/world.bin")).unwrap_or_default()
    });
    &WORLD
}

impl World {
    /// `None` for a file that is damaged.
    pub(crate) fn read(octets: &'static [u8]) -> Option<Self> {
        let mut reader = Reader {
            rest: octets.strip_prefix(b"HAMLETM1")?,
        };
        let coasts = reader.topology()?;
        let land = reader.lines(&coasts)?;
        let borders = reader.lines(&coasts)?;
        let waters = reader.topology()?;
        let lakes = reader.lines(&waters)?;
        let rivers = reader.lines(&waters)?;
        let places = reader.places()?;
        reader.rest.is_empty().then_some(Self {
            land,
            borders,
            lakes,
            rivers,
            places,
        })
    }
}

impl Line {
    fn new(points: Vec<Point>) -> Self {
        let sum = points.iter().fold(Point::ZERO, |sum, p| sum.plus(*p));
        let middle = sum.normalised().unwrap_or(Point::NORTH_POLE);
        let reach = points
            .iter()
            .map(|point| f64::from(point.dot(middle)))
            .fold(1.0, f64::min);
        Self {
            points,
            middle,
            reach,
        }
    }
}

/// Degrees, longitude first.
type Arc = Vec<(f64, f64)>;

struct Reader {
    rest: &'static [u8],
}

impl Reader {
    fn topology(&mut self) -> Option<Vec<Arc>> {
        let mut transform = [0.0; 4];
        for value in &mut transform {
            *value = f64::from_le_bytes(*self.take()?);
        }
        let [scale_x, scale_y, left, bottom] = transform;
        self.many(|reader| {
            let (mut x, mut y) = (0, 0);
            reader.many(|reader| {
                x += reader.signed()?;
                y += reader.signed()?;
                Some((x as f64 * scale_x + left, y as f64 * scale_y + bottom))
            })
        })
    }

    fn lines(&mut self, arcs: &[Arc]) -> Option<Vec<Line>> {
        self.many(|reader| {
            let mut points: Vec<Point> = Vec::new();
            for number in reader.many(Self::signed)? {
                let backwards = number < 0;
                let arc =
                    arcs.get(usize::try_from(if backwards { !number } else { number }).ok()?)?;
                let ordered: &mut dyn Iterator<Item = &(f64, f64)> = match backwards {
                    false => &mut arc.iter(),
                    true => &mut arc.iter().rev(),
                };
                let mut last: Option<(f64, f64)> = None;
                for &(x, y) in ordered {
                    match last {
                        // Where arcs meet, the point is in both.
                        None if !points.is_empty() => {}
                        None => points.push(Point::of(y, x)),
                        Some(from) => fill(&mut points, from, (x, y)),
                    }
                    last = Some((x, y));
                }
            }
            Some(Line::new(points))
        })
    }

    fn places(&mut self) -> Option<Vec<Place>> {
        self.many(|reader| {
            let latitude = f64::from(i32::from_le_bytes(*reader.take()?)) / 1e5;
            let longitude = f64::from(i32::from_le_bytes(*reader.take()?)) / 1e5;
            let thousands = reader.number()?;
            let country: &[u8; 2] = reader.take()?;
            let [length] = *reader.take()?;
            let (name, rest) = reader.rest.split_at_checked(usize::from(length))?;
            reader.rest = rest;
            Some(Place {
                name: std::str::from_utf8(name).ok()?,
                country: std::str::from_utf8(country).ok()?,
                thousands: u32::try_from(thousands).ok()?,
                coordinates: Coordinates::new(latitude, longitude)?,
            })
        })
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| one(self)).collect()
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let [octet] = *self.take()?;
            value |= u64::from(octet & 0x7f) << shift;
            if octet < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.number()? as i64;
        Some((value >> 1) ^ -(value & 1))
    }

    fn take<const N: usize>(&mut self) -> Option<&'static [u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(taken)
    }
}

/// Adds the point `to` and, where it is far from the last, some on the way: borders follow
/// parallels, which are no straight lines on a map.
fn fill(points: &mut Vec<Point>, from: (f64, f64), to: (f64, f64)) {
    const STEP: f64 = 0.5;
    // The short way, over the meridian of 180 degrees too.
    let mut across = to.0 - from.0;
    if across.abs() > 180.0 {
        across -= 360.0_f64.copysign(across);
    }
    let up = to.1 - from.1;
    let steps = (across.abs().max(up.abs()) / STEP).ceil().clamp(1.0, 720.0) as u32;
    for step in 1..=steps {
        let part = f64::from(step) / f64::from(steps);
        points.push(Point::of(from.1 + up * part, from.0 + across * part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_in_the_program_is_whole() {
        let world = World::read(include_bytes!("../data/world.bin")).unwrap();
        assert!(world.land.len() > 4000, "{}", world.land.len());
        assert!(world.borders.len() > 300, "{}", world.borders.len());
        assert!(world.lakes.len() > 200 && world.rivers.len() > 400);
        assert!(world.places.len() > 30_000, "{}", world.places.len());
        for line in world.land.iter().chain(&world.lakes) {
            let (first, last) = (line.points[0], line.points[line.points.len() - 1]);
            assert!(first.dot(last) > 0.999_999, "a ring is closed");
        }
    }

    #[test]
    fn a_damaged_file_is_not_read() {
        let whole: &'static [u8] = include_bytes!("../data/world.bin");
        for length in [0, 7, 8, 40, 1000, whole.len() - 1] {
            assert!(World::read(&whole[..length]).is_none(), "{length}");
        }
    }
}
