//! Pictures as a client sees them: decoded again.

use hamlet_map::{Format, Map};
use hamlet_model::Coordinates;

fn at(latitude: f64, longitude: f64) -> Coordinates {
    Coordinates::new(latitude, longitude).unwrap()
}

/// A decoded picture.
struct Seen {
    width: usize,
    rgb: Vec<u8>,
}

impl Seen {
    fn of(map: &Map) -> Self {
        let png = map.draw().unwrap().encode(Format::Png).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        assert_eq!((info.width, info.height), (map.width, map.height));
        Self {
            width: info.width as usize,
            rgb,
        }
    }

    fn pixel(&self, (x, y): (f32, f32)) -> [u8; 3] {
        let at = 3 * (y as usize * self.width + x as usize);
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Sea is bluer than it is red; land is not.
    fn is_sea(&self, at: (f32, f32)) -> bool {
        let [red, _, blue] = self.pixel(at);
        blue > red
    }

    fn is_red(&self, at: (f32, f32)) -> bool {
        let [red, green, blue] = self.pixel(at);
        red > 180 && green < 60 && blue < 60
    }
}

fn map(center: Coordinates, accuracy: Option<f64>) -> Map {
    Map {
        center,
        accuracy,
        width: 240,
        height: 240,
    }
}

#[test]
fn land_and_sea_are_where_they_are_in_the_world() {
    let helsinki = at(60.17, 24.94);
    let lisbon = at(38.72, -9.14);
    let cape_town = at(-33.92, 18.42);
    let suva = at(-18.14, 178.44);
    let longyearbyen = at(78.22, 15.64);
    let mcmurdo = at(-77.85, 166.67);
    for (center, accuracy, land, sea) in [
        (helsinki, 60_000.0, at(61.1, 25.8), at(59.75, 24.9)),
        (lisbon, 60_000.0, at(39.2, -8.3), at(38.5, -10.2)),
        (cape_town, 60_000.0, at(-33.5, 19.6), at(-34.4, 17.6)),
        // Across the meridian of 180 degrees.
        (suva, 100_000.0, at(-16.5, 179.2), at(-18.6, -179.9)),
        (longyearbyen, 100_000.0, at(79.0, 17.2), at(77.6, 11.0)),
        // Antarctica goes around the pole.
        (mcmurdo, 200_000.0, at(-77.6, 161.0), at(-74.8, 172.0)),
        (at(-90.0, 0.0), 500_000.0, at(-83.0, 40.0), at(-74.5, -45.0)),
        (at(90.0, 0.0), 800_000.0, at(80.0, -40.0), at(84.0, 20.0)),
        // The whole front of the Earth.
        (at(10.0, 20.0), 1_500_000.0, at(25.0, 10.0), at(10.0, -30.0)),
    ] {
        let map = map(center, Some(accuracy));
        let seen = Seen::of(&map);
        let (on_land, at_sea) = (map.pixel(land).unwrap(), map.pixel(sea).unwrap());
        assert!(
            !seen.is_sea(on_land),
            "{land:?} at {on_land:?}: {:?}",
            seen.pixel(on_land)
        );
        assert!(
            seen.is_sea(at_sea),
            "{sea:?} at {at_sea:?}: {:?}",
            seen.pixel(at_sea)
        );
        assert!(seen.is_red((120.0, 120.0)), "the marker");
    }
}

#[test]
fn the_circle_has_the_size_of_the_accuracy_at_every_scale() {
    for accuracy in [20.0, 100.0, 2_500.0, 40_000.0, 700_000.0] {
        let map = map(at(60.45, 22.27), Some(accuracy));
        let seen = Seen::of(&map);
        let radius = accuracy / map.metres_per_pixel();
        assert!((39.0..41.0).contains(&radius), "{accuracy}: {radius}");
        // Left of the middle there is nothing else.
        let edge = (110..=120_u8).any(|row| {
            (-2..=2).any(|off| seen.is_red((120.0 - radius as f32 + off as f32, f32::from(row))))
        });
        assert!(edge, "{accuracy}");
        assert!(!seen.is_red((120.0 - radius as f32 - 6.0, 120.0)));
    }
}

#[test]
fn a_close_map_has_a_wider_one_in_its_corner() {
    // Sea around Mariehamn, of which 150 m around show nothing.
    let map = map(at(60.1, 19.94), Some(50.0));
    let seen = Seen::of(&map);
    let corner = || (170..238_u8).flat_map(|x| (2..70_u8).map(move |y| (x, y)));
    let at = |(x, y): (u8, u8)| (f32::from(x), f32::from(y));
    assert!(corner().map(at).any(|p| seen.is_sea(p)));
    assert!(corner().map(at).any(|p| !seen.is_sea(p)));
    assert!(seen.is_red((204.0, 36.0)), "and where it is");
}

#[test]
fn every_format_can_be_read_and_is_small_enough_for_a_phone() {
    let map = map(at(48.85, 2.35), Some(100_000.0));
    let picture = map.draw().unwrap();
    for format in Format::ALL {
        let octets = picture.encode(format).unwrap();
        assert!(octets.len() < 24_000, "{format:?}: {}", octets.len());
        let begins: &[u8] = match format {
            Format::Png => b"\x89PNG\r\n\x1a\n",
            Format::Gif => b"GIF89a",
            Format::Jpeg => b"\xff\xd8\xff",
        };
        assert!(octets.starts_with(begins));
        if format == Format::Gif {
            let mut decoder = gif::DecodeOptions::new().read_info(&octets[..]).unwrap();
            assert_eq!((decoder.width(), decoder.height()), (240, 240));
            let frame = decoder.read_next_frame().unwrap().unwrap();
            assert_eq!(frame.buffer.len(), 240 * 240);
        }
    }
}

#[test]
fn odd_requests_are_drawn_too() {
    for (latitude, longitude, accuracy, width, height) in [
        (90.0, 180.0, Some(0.0), 64, 64),
        (-90.0, -180.0, Some(f64::MAX), 1, 9999),
        (0.0, 0.0, Some(f64::INFINITY), 1024, 1024),
        (0.0, 180.0, Some(f64::NAN), 300, 70),
        (60.0, -180.0, None, 70, 300),
    ] {
        let map = Map {
            center: at(latitude, longitude),
            accuracy,
            width,
            height,
        };
        assert!(map.draw().unwrap().encode(Format::Png).is_ok(), "{map:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn any_place_can_be_drawn(
        latitude in -90.0..=90.0_f64,
        longitude in -180.0..=180.0_f64,
        magnitude in 0.0..8.0_f64,
    ) {
        let map = Map {
            center: at(latitude, longitude),
            accuracy: Some(10.0_f64.powf(magnitude)),
            width: 100,
            height: 80,
        };
        proptest::prop_assert!(map.draw().is_some());
    }
}
