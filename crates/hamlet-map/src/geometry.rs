//! The sphere and its picture: points as unit vectors, polygons cut to what a picture shows,
//! the azimuthal equidistant projection, in which distances from the middle are true.

use crate::EARTH_RADIUS;
use hamlet_model::Coordinates;

/// A point of the unit sphere; x towards 0 N 0 E, z towards the north pole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) z: f32,
}

impl Point {
    pub(crate) const ZERO: Self = Self {
        x: 0.0,
        y: 0.0,
        z: 0.0,
    };
    pub(crate) const NORTH_POLE: Self = Self {
        x: 0.0,
        y: 0.0,
        z: 1.0,
    };

    /// Degrees.
    pub(crate) fn of(latitude: f64, longitude: f64) -> Self {
        let (sin_lat, cos_lat) = latitude.to_radians().sin_cos();
        let (sin_lon, cos_lon) = longitude.to_radians().sin_cos();
        Self {
            x: (cos_lat * cos_lon) as f32,
            y: (cos_lat * sin_lon) as f32,
            z: sin_lat as f32,
        }
    }

    pub(crate) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            x: self.x + other.x,
            y: self.y + other.y,
            z: self.z + other.z,
        }
    }

    /// The point of the sphere in this direction.
    pub(crate) fn normalised(self) -> Option<Self> {
        let length = self.dot(self).sqrt();
        (length > 1e-6).then(|| Self {
            x: self.x / length,
            y: self.y / length,
            z: self.z / length,
        })
    }
}

impl From<Coordinates> for Point {
    fn from(place: Coordinates) -> Self {
        Self::of(place.latitude, place.longitude)
    }
}

/// Metres between two places.
pub(crate) fn distance(from: Coordinates, to: Coordinates) -> f64 {
    let (a, b) = (from.latitude.to_radians(), to.latitude.to_radians());
    let half = ((b - a) / 2.0).sin();
    let half_across = ((to.longitude - from.longitude).to_radians() / 2.0).sin();
    let chord = half * half + a.cos() * b.cos() * half_across * half_across;
    2.0 * EARTH_RADIUS * chord.sqrt().min(1.0).asin()
}

/// Looks at the sphere from above a point: east is right, north is up.
pub(crate) struct View {
    east: Point,
    north: Point,
    up: Point,
    /// Where the point is in the picture, pixels.
    middle: (f64, f64),
    /// Pixels of a radian.
    scale: f64,
    /// The tangent of the angle at which polygons are cut: beyond the corners.
    edge: f32,
    /// The cosine and the sine of that angle, for what lies wholly beyond.
    reach: (f64, f64),
}

impl View {
    /// `scale`: metres of a pixel; `size`: pixels.
    pub(crate) fn new(center: Coordinates, scale: f64, size: (f64, f64)) -> Self {
        let (sin_lon, cos_lon) = center.longitude.to_radians().sin_cos();
        let (sin_lat, cos_lat) = center.latitude.to_radians().sin_cos();
        let vector = |x: f64, y: f64, z: f64| Point {
            x: x as f32,
            y: y as f32,
            z: z as f32,
        };
        let scale = EARTH_RADIUS / scale;
        // The scales of maps keep this below a right angle.
        let angle = (size.0.hypot(size.1) / 2.0 * 1.1 / scale).min(1.4);
        Self {
            east: vector(-sin_lon, cos_lon, 0.0),
            north: vector(-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat),
            up: vector(cos_lat * cos_lon, cos_lat * sin_lon, sin_lat),
            middle: (size.0 / 2.0, size.1 / 2.0),
            scale,
            edge: angle.tan() as f32,
            reach: (angle.cos(), angle.sin()),
        }
    }

    /// Whether something all of which lies around `middle` may be in the picture; `reach`: the
    /// cosine of the distance at which its last point is.
    pub(crate) fn may_show(&self, middle: Point, reach: f64) -> bool {
        // The cosine of the sum of both angles; from a right angle on, look.
        let sine = (1.0 - reach * reach).max(0.0).sqrt();
        let (cos, sin) = self.reach;
        reach <= 0.0 || f64::from(self.up.dot(middle)) >= cos * reach - sin * sine - 1e-6
    }

    /// Where a place is in the picture, pixels; `None` on the other side of the Earth.
    pub(crate) fn pixel(&self, place: Point) -> Option<(f32, f32)> {
        let turned = self.turned(place);
        (turned.z > 0.0).then(|| self.projected(turned))
    }

    /// A ring, cut to what is around the picture, in pixels.
    pub(crate) fn ring(&self, points: &[Point]) -> Vec<(f32, f32)> {
        let mut ring: Vec<Point> = points.iter().map(|point| self.turned(*point)).collect();
        // The half of the sphere in front first, so that the others cut a plane.
        ring = cut(&ring, |p| p.z);
        let edge = self.edge;
        ring = cut(&ring, |p| edge * p.z - p.x);
        ring = cut(&ring, |p| edge * p.z + p.x);
        ring = cut(&ring, |p| edge * p.z - p.y);
        ring = cut(&ring, |p| edge * p.z + p.y);
        ring.into_iter()
            .map(|point| self.projected(point))
            .collect()
    }

    /// The parts of a line that are in or near the picture, in pixels.
    pub(crate) fn line(&self, points: &[Point]) -> Vec<Vec<(f32, f32)>> {
        let (cos, _) = self.reach;
        let mut parts = Vec::new();
        let mut part: Vec<(f32, f32)> = Vec::new();
        let mut before: Option<Point> = None;
        for point in points {
            let turned = self.turned(*point);
            // Points are near each other, so one beyond the edge on each side is enough.
            if f64::from(turned.z) >= cos {
                if let Some(before) = before.take().filter(|before| before.z > 0.0) {
                    part.push(self.projected(before));
                }
                part.push(self.projected(turned));
            } else {
                if !part.is_empty() {
                    if turned.z > 0.0 {
                        part.push(self.projected(turned));
                    }
                    parts.push(std::mem::take(&mut part));
                }
                before = Some(turned);
            }
        }
        if part.len() > 1 {
            parts.push(part);
        }
        parts
    }

    /// x east, y north, z towards the eye.
    fn turned(&self, point: Point) -> Point {
        Point {
            x: point.dot(self.east),
            y: point.dot(self.north),
            z: point.dot(self.up),
        }
    }

    /// Of a vector of any length in front of the eye.
    fn projected(&self, point: Point) -> (f32, f32) {
        let (x, y, z) = (f64::from(point.x), f64::from(point.y), f64::from(point.z));
        let across = x.hypot(y);
        let stretch = match across > 0.0 {
            true => across.atan2(z) / across * self.scale,
            false => 0.0,
        };
        (
            (self.middle.0 + x * stretch) as f32,
            (self.middle.1 - y * stretch) as f32,
        )
    }
}

/// The part of a polygon for which `inside` is not negative (Sutherland and Hodgman).
fn cut(ring: &[Point], inside: impl Fn(&Point) -> f32) -> Vec<Point> {
    let Some(mut before) = ring.last().copied() else {
        return Vec::new();
    };
    let mut depth_before = inside(&before);
    let mut part = Vec::with_capacity(ring.len() + 4);
    for point in ring {
        let depth = inside(point);
        if (depth < 0.0) != (depth_before < 0.0) {
            let share = depth_before / (depth_before - depth);
            part.push(Point {
                x: before.x + (point.x - before.x) * share,
                y: before.y + (point.y - before.y) * share,
                z: before.z + (point.z - before.z) * share,
            });
        }
        if depth >= 0.0 {
            part.push(*point);
        }
        (before, depth_before) = (*point, depth);
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Coordinates {
        Coordinates::new(latitude, longitude).unwrap()
    }

    #[test]
    fn distances_from_the_middle_are_true_in_every_direction() {
        let turku = at(60.45, 22.27);
        let view = View::new(turku, 1000.0, (400.0, 400.0));
        for other in [
            at(60.17, 24.94),
            at(59.33, 18.07),
            at(61.5, 23.77),
            at(59.44, 24.75),
        ] {
            let (x, y) = view.pixel(other.into()).unwrap();
            let pixels = f64::from(x - 200.0).hypot(f64::from(y - 200.0));
            let error = pixels * 1000.0 - distance(turku, other);
            assert!(error.abs() < 200.0, "{error}");
        }
        // Stockholm is left, Tampere above.
        assert!(view.pixel(at(59.33, 18.07).into()).unwrap().0 < 100.0);
        assert!(view.pixel(at(61.5, 23.77).into()).unwrap().1 < 100.0);
    }

    #[test]
    fn a_ring_around_everything_fills_the_picture() {
        // 10 degrees around, the picture shows a few kilometres.
        let ring: Vec<Point> = (0..36)
            .map(|step| f64::from(step).to_radians() * 10.0)
            .map(|angle| Point::of(10.0 * angle.sin(), 10.0 * angle.cos()))
            .collect();
        let view = View::new(at(1.0, 1.0), 100.0, (100.0, 100.0));
        let cut = view.ring(&ring);
        for corner in [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)] {
            assert!(holds(&cut, corner), "{corner:?} {cut:?}");
        }
        assert!(cut.iter().all(|(x, y)| x.abs() < 400.0 && y.abs() < 400.0));
        // From the other side of the Earth nothing is left.
        let behind = View::new(at(-1.0, -179.0), 100.0, (100.0, 100.0));
        assert!(behind.ring(&ring).is_empty());
    }

    fn holds(ring: &[(f32, f32)], (x, y): (f32, f32)) -> bool {
        let mut inside = false;
        for (index, a) in ring.iter().enumerate() {
            let b = ring[(index + 1) % ring.len()];
            if (a.1 > y) != (b.1 > y) && x < (b.0 - a.0) * (y - a.1) / (b.1 - a.1) + a.0 {
                inside = !inside;
            }
        }
        inside
    }
}
