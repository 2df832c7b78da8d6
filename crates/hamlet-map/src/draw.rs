//! Draws a map.

use crate::caption;
use crate::data::{Line, World, world};
use crate::geometry::View;
use crate::letters::Letters;
use crate::places::Place;
use crate::scale;
use hamlet_model::Coordinates;
use tiny_skia::{
    Color, FillRule, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Rect, Stroke, Transform,
};

/// Smallest and largest side, pixels.
const SIDES: std::ops::RangeInclusive<u32> = 64..=1024;
/// Below this nothing is seen of coasts and borders; a second, wider picture shows where it is.
/// Metres from the middle to the edge.
const CLOSE: f64 = 60_000.0;
/// The same for the second picture.
const AROUND: f64 = 400_000.0;
/// Most names of towns.
const MAX_NAMES: usize = 12;

/// What is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Map {
    /// The place in the middle.
    pub center: Coordinates,
    /// How far the truth may be from it, metres; it chooses the scale.
    pub accuracy: Option<f64>,
    /// Pixels; 64 to 1024.
    pub width: u32,
    /// Pixels; 64 to 1024.
    pub height: u32,
}

/// A drawn map.
pub struct Picture {
    pixels: Pixmap,
}

impl Map {
    /// Draws it. Some milliseconds of processor time, and memory for a few times the points
    /// that are in sight.
    ///
    /// `None` only when there is no memory for the picture.
    pub fn draw(&self) -> Option<Picture> {
        let (width, height) = self.size();
        let mut pixels = Pixmap::new(width, height)?;
        let world = world();
        let letters = Letters::for_width(width);
        let half = scale::half_of(self.accuracy);
        let view = self.view();
        chart(&mut pixels, world, &view, half);
        self.circle(&mut pixels);
        let mut taken: Vec<Rect> = self.marker_box().into_iter().collect();
        let captions = caption::draw(&mut pixels, letters, self, &mut taken);
        if half < CLOSE {
            taken.extend(self.surroundings(&mut pixels, world));
        }
        names(&mut pixels, letters, world, &view, captions, taken);
        self.marker(&mut pixels);
        Some(Picture { pixels })
    }

    /// Where a place is in the picture, pixels from the upper left corner, which it may be
    /// outside of; `None` for places on the other side of the Earth.
    pub fn pixel(&self, place: Coordinates) -> Option<(f32, f32)> {
        self.view().pixel(place.into())
    }

    /// The scale along lines through the middle.
    pub fn metres_per_pixel(&self) -> f64 {
        let (width, height) = self.size();
        2.0 * scale::half_of(self.accuracy) / f64::from(width.min(height))
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        let side = |pixels: u32| pixels.clamp(*SIDES.start(), *SIDES.end());
        (side(self.width), side(self.height))
    }

    fn view(&self) -> View {
        let (width, height) = self.size();
        let size = (f64::from(width), f64::from(height));
        View::new(self.center, self.metres_per_pixel(), size)
    }

    fn middle(&self) -> (f32, f32) {
        let (width, height) = self.size();
        (width as f32 / 2.0, height as f32 / 2.0)
    }

    /// The circle within which the place is.
    fn circle(&self, pixels: &mut Pixmap) {
        let Some(accuracy) = self.accuracy else {
            return;
        };
        let (x, y) = self.middle();
        let radius = (accuracy / self.metres_per_pixel()) as f32;
        // A circle beyond the picture says nothing.
        if !(2.0..4096.0).contains(&radius) {
            return;
        }
        if let Some(circle) = PathBuilder::from_circle(x, y, radius) {
            fill(pixels, &circle, color(ACCURACY, 40));
            stroke(pixels, &circle, color(ACCURACY, 255), 1.5);
        }
    }

    fn marker(&self, pixels: &mut Pixmap) {
        let (x, y) = self.middle();
        for (radius, shade) in [(4.5, color(WHITE, 255)), (3.5, color(ACCURACY, 255))] {
            if let Some(dot) = PathBuilder::from_circle(x, y, radius) {
                fill(pixels, &dot, shade);
            }
        }
    }

    fn marker_box(&self) -> Option<Rect> {
        let (x, y) = self.middle();
        Rect::from_xywh(x - 8.0, y - 8.0, 16.0, 16.0)
    }

    /// A smaller picture in the upper right corner, which shows where the larger one is.
    fn surroundings(&self, pixels: &mut Pixmap, world: &World) -> Option<Rect> {
        let (width, height) = self.size();
        let side = width.min(height) * 3 / 10;
        let mut small = Pixmap::new(side, side)?;
        let size = f64::from(side);
        let view = View::new(self.center, 2.0 * AROUND / size, (size, size));
        chart(&mut small, world, &view, AROUND);
        let middle = side as f32 / 2.0;
        let dot = PathBuilder::from_circle(middle, middle, 2.5)?;
        fill(&mut small, &dot, color(ACCURACY, 255));
        let frame = Rect::from_xywh(0.5, 0.5, side as f32 - 1.0, side as f32 - 1.0)?;
        stroke(
            &mut small,
            &PathBuilder::from_rect(frame),
            color(BLACK, 255),
            1.0,
        );
        let (left, top) = ((width - side) as f32, 0.0);
        pixels.draw_pixmap(
            left as i32,
            0,
            small.as_ref(),
            &PixmapPaint::default(),
            Transform::identity(),
            None,
        );
        Rect::from_xywh(left, top, side as f32, side as f32)
    }
}

impl Picture {
    /// Pixels.
    pub fn width(&self) -> u16 {
        // At most 1024.
        self.pixels.width() as u16
    }

    /// Pixels.
    pub fn height(&self) -> u16 {
        self.pixels.height() as u16
    }

    /// Three octets for each pixel, line by line.
    pub fn rgb(&self) -> Vec<u8> {
        // Maps are opaque, so that the colours are not multiplied by anything.
        let pixels = self.pixels.pixels().iter();
        pixels
            .flat_map(|p| [p.red(), p.green(), p.blue()])
            .collect()
    }
}

const SEA: [u8; 3] = [0xaa, 0xd3, 0xdf];
const LAND: [u8; 3] = [0xf2, 0xef, 0xe0];
const COAST: [u8; 3] = [0x5b, 0x7f, 0x95];
const BORDER: [u8; 3] = [0x9e, 0x7b, 0xa5];
const RIVER: [u8; 3] = [0x8f, 0xbd, 0xd2];
const ACCURACY: [u8; 3] = [0xd0, 0x00, 0x00];
pub(crate) const WHITE: [u8; 3] = [0xff, 0xff, 0xff];
pub(crate) const BLACK: [u8; 3] = [0x00, 0x00, 0x00];

pub(crate) fn color([red, green, blue]: [u8; 3], alpha: u8) -> Color {
    Color::from_rgba8(red, green, blue, alpha)
}

/// Land, waters, borders.
fn chart(pixels: &mut Pixmap, world: &World, view: &View, half: f64) {
    pixels.fill(color(SEA, 255));
    let mut land = PathBuilder::new();
    let mut coast = PathBuilder::new();
    rings(&mut land, view, &world.land);
    lines(&mut coast, view, &world.land);
    filled(pixels, land, LAND);
    // The waters of the data are coarser than its coasts: closer they would be wrong.
    if half >= CLOSE {
        let mut lakes = PathBuilder::new();
        let mut rivers = PathBuilder::new();
        rings(&mut lakes, view, &world.lakes);
        lines(&mut rivers, view, &world.rivers);
        filled(pixels, lakes, SEA);
        drawn(pixels, rivers, RIVER, 1.0);
    }
    let mut borders = PathBuilder::new();
    lines(&mut borders, view, &world.borders);
    drawn(pixels, borders, BORDER, 1.2);
    drawn(pixels, coast, COAST, 1.0);
}

fn rings(path: &mut PathBuilder, view: &View, rings: &[Line]) {
    for ring in rings.iter().filter(|r| view.may_show(r.middle, r.reach)) {
        trace(path, &view.ring(&ring.points));
        path.close();
    }
}

fn lines(path: &mut PathBuilder, view: &View, lines: &[Line]) {
    for line in lines.iter().filter(|l| view.may_show(l.middle, l.reach)) {
        for part in view.line(&line.points) {
            trace(path, &part);
        }
    }
}

/// Points closer than this to the last are left out: nobody sees them. Pixels.
const FINEST: f32 = 0.35;

fn trace(path: &mut PathBuilder, points: &[(f32, f32)]) {
    let Some((&first, rest)) = points.split_first() else {
        return;
    };
    path.move_to(first.0, first.1);
    let mut last = first;
    for (index, &point) in rest.iter().enumerate() {
        let is_far = (point.0 - last.0).abs() + (point.1 - last.1).abs() >= FINEST;
        if is_far || index + 1 == rest.len() {
            path.line_to(point.0, point.1);
            last = point;
        }
    }
}

fn filled(pixels: &mut Pixmap, path: PathBuilder, shade: [u8; 3]) {
    if let Some(path) = path.finish() {
        fill(pixels, &path, color(shade, 255));
    }
}

fn drawn(pixels: &mut Pixmap, path: PathBuilder, shade: [u8; 3], width: f32) {
    if let Some(path) = path.finish() {
        stroke(pixels, &path, color(shade, 255), width);
    }
}

pub(crate) fn fill(pixels: &mut Pixmap, path: &Path, shade: Color) {
    let paint = paint(shade);
    let as_is = Transform::identity();
    pixels.fill_path(path, &paint, FillRule::EvenOdd, as_is, None);
}

fn stroke(pixels: &mut Pixmap, path: &Path, shade: Color, width: f32) {
    let pen = Stroke {
        width,
        ..Stroke::default()
    };
    let paint = paint(shade);
    pixels.stroke_path(path, &paint, &pen, Transform::identity(), None);
}

fn paint(shade: Color) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color(shade);
    paint
}

/// The names of the largest towns that have room.
fn names(
    pixels: &mut Pixmap,
    letters: Letters,
    world: &World,
    view: &View,
    floor: f32,
    mut taken: Vec<Rect>,
) {
    let right = pixels.width() as f32;
    let visible = |place: &Place| {
        let (x, y) = view.pixel(place.coordinates.into())?;
        ((2.0..right - 2.0).contains(&x) && (2.0..floor - 2.0).contains(&y)).then_some((x, y))
    };
    let mut written = 0;
    for place in &world.places {
        let Some((x, y)) = visible(place) else {
            continue;
        };
        let (width, height) = letters.size(place.name);
        let left = if x + 5.0 + width < right {
            x + 4.0
        } else {
            x - 4.0 - width
        };
        let top = y - height / 2.0;
        let Some(room) = Rect::from_xywh(left.min(x - 3.0), top, width + 8.0, height) else {
            continue;
        };
        let collides = |other: &Rect| {
            other.left() < room.right()
                && room.left() < other.right()
                && other.top() < room.bottom()
                && room.top() < other.bottom()
        };
        if left < 0.0 || top < 0.0 || room.bottom() > floor || taken.iter().any(collides) {
            continue;
        }
        if let Some(dot) = PathBuilder::from_circle(x, y, 1.7) {
            fill(pixels, &dot, color(BLACK, 255));
        }
        let at = (left.round() as i32, top.round() as i32);
        for (across, down) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            let around = (at.0 + across, at.1 + down);
            letters.write(pixels, around, place.name, color(WHITE, 255));
        }
        letters.write(pixels, at, place.name, color(BLACK, 255));
        taken.push(room);
        written += 1;
        if written == MAX_NAMES {
            break;
        }
    }
}
