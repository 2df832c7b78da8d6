//! The URL of a map on a server of the operator's choice. Pure.

use hamlet_model::Coordinates;

/// Names that stand in braces in a template.
pub(crate) const NAMES: [&str; 8] = [
    "latitude",
    "longitude",
    "accuracy",
    "zoom",
    "x",
    "y",
    "width",
    "height",
];

/// Fills a template: `{latitude}` and `{longitude}` in degrees, `{accuracy}` in metres (0 when
/// it is not known), `{zoom}`, `{x}` and `{y}` of the tile of the usual (Mercator) scheme in
/// which the place is, `{width}` and `{height}` in pixels.
pub(crate) fn fill(
    template: &str,
    center: Coordinates,
    accuracy: Option<f64>,
    (width, height): (u32, u32),
) -> String {
    let zoom = zoom(center, accuracy, width.min(height));
    let (x, y) = tile(center, zoom);
    let values = [
        format!("{:.6}", center.latitude),
        format!("{:.6}", center.longitude),
        format!("{:.0}", accuracy.unwrap_or(0.0)),
        zoom.to_string(),
        x.to_string(),
        y.to_string(),
        width.to_string(),
        height.to_string(),
    ];
    NAMES
        .iter()
        .zip(values)
        .fold(template.to_owned(), |url, (name, value)| {
            url.replace(&format!("{{{name}}}"), &value)
        })
}

/// The closest at which three times the accuracy is in the picture on each side.
fn zoom(center: Coordinates, accuracy: Option<f64>, pixels: u32) -> u32 {
    /// Metres of a pixel at the equator at zoom 0.
    const WHOLE: f64 = 156_543.034;
    let shown = accuracy.map_or(50_000.0, |metres| metres * 6.0).max(1.0);
    let at_zero = WHOLE * center.latitude.to_radians().cos().max(0.01) * f64::from(pixels);
    (at_zero / shown).log2().floor().clamp(0.0, 18.0) as u32
}

fn tile(center: Coordinates, zoom: u32) -> (u32, u32) {
    let tiles = f64::from(1_u32 << zoom);
    let latitude = center.latitude.clamp(-85.05, 85.05).to_radians();
    let x = (center.longitude + 180.0) / 360.0;
    let y = (1.0 - latitude.tan().asinh() / std::f64::consts::PI) / 2.0;
    let number = |part: f64| (part * tiles).floor().clamp(0.0, tiles - 1.0) as u32;
    (number(x), number(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled() {
        let turku = Coordinates::new(60.45, 22.27).unwrap();
        let template = "https://maps.example/{zoom}/{x}/{y}.png?at={latitude},{longitude}&r={accuracy}&s={width}x{height}&{other}";
        assert_eq!(
            fill(template, turku, Some(2000.0), (240, 200)),
            "https://maps.example/10/575/294.png?at=60.450000,22.270000&r=2000&s=240x200&{other}"
        );
        for (latitude, longitude) in [(90.0, 180.0), (-90.0, -180.0), (0.0, 0.0)] {
            let place = Coordinates::new(latitude, longitude).unwrap();
            for accuracy in [None, Some(1e-9), Some(1e12)] {
                fill(template, place, accuracy, (1, 1));
            }
        }
    }
}
