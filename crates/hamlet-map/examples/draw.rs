//! Draws a map to look at: `draw LATITUDE LONGITUDE ACCURACY SIDE OUT.png`.

#![forbid(unsafe_code)]

use hamlet_map::{Format, Map};
use hamlet_model::Coordinates;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [latitude, longitude, accuracy, side, out] = arguments.as_slice() else {
        return Err("draw LATITUDE LONGITUDE ACCURACY SIDE OUT.png".into());
    };
    let map = Map {
        center: Coordinates::parse(latitude, longitude).ok_or("no place")?,
        accuracy: accuracy.parse().ok(),
        width: side.parse()?,
        height: side.parse()?,
    };
    let picture = map.draw().ok_or("no memory")?;
    std::fs::write(out, picture.encode(Format::Png)?)?;
    Ok(())
}
