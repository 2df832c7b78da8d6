//! Makes `data/world.bin` of the packages that `cargo xtask map-data` fetches:
//! `make_data COUNTRIES_10M WATERS_50M CITIES OUT`, all but the last in JSON.
//!
//! The format is read and described by `src/data.rs`.

#![forbid(unsafe_code)]
// A tool that talks to the person at the terminal.
#![allow(clippy::print_stdout)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use unicode_normalization::UnicodeNormalization;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [countries, waters, cities, out] = arguments.as_slice() else {
        return Err("make_data COUNTRIES_10M WATERS_50M CITIES OUT".into());
    };
    let countries: Value = serde_json::from_slice(&fs::read(countries)?)?;
    let waters: Value = serde_json::from_slice(&fs::read(waters)?)?;
    let cities: Value = serde_json::from_slice(&fs::read(cities)?)?;
    let mut octets = b"HAMLETM1".to_vec();
    topology(&mut octets, &countries)?;
    lines(&mut octets, &rings(&countries["objects"]["land"])?);
    lines(
        &mut octets,
        &borders(&rings(&countries["objects"]["countries"])?),
    );
    topology(&mut octets, &waters)?;
    lines(&mut octets, &rings(&waters["objects"]["lakes"])?);
    lines(&mut octets, &rings(&waters["objects"]["rivers"])?);
    let count = places(&mut octets, &cities)?;
    fs::write(out, &octets)?;
    println!("{out}: {} octets, {count} places", octets.len());
    Ok(())
}

/// Scale and translation of the quantised coordinates, then the arcs.
fn topology(octets: &mut Vec<u8>, topology: &Value) -> Result<(), Box<dyn Error>> {
    for key in ["scale", "translate"] {
        for axis in 0..2 {
            let value = topology["transform"][key][axis].as_f64();
            octets.extend(value.ok_or("a topology without transform")?.to_le_bytes());
        }
    }
    let arcs = topology["arcs"].as_array().ok_or("no arcs")?;
    number(octets, arcs.len() as u64);
    for arc in arcs {
        let points = arc.as_array().ok_or("an arc without points")?;
        number(octets, points.len() as u64);
        for point in points {
            for axis in 0..2 {
                signed(octets, point[axis].as_i64().ok_or("a point without axis")?);
            }
        }
    }
    Ok(())
}

/// Every ring or line of an object, as the arcs that it is made of.
fn rings(object: &Value) -> Result<Vec<Vec<i64>>, Box<dyn Error>> {
    fn collect(arcs: &Value, into: &mut Vec<Vec<i64>>) -> Option<()> {
        let list = arcs.as_array()?;
        if list.iter().all(Value::is_i64) {
            into.push(list.iter().filter_map(Value::as_i64).collect());
            return Some(());
        }
        list.iter().try_for_each(|inner| collect(inner, into))
    }
    let mut found = Vec::new();
    for geometry in object["geometries"].as_array().ok_or("no geometries")? {
        // A country may be without a place of its own.
        if !geometry["arcs"].is_null() {
            collect(&geometry["arcs"], &mut found).ok_or("arcs that are none")?;
        }
    }
    Ok(found)
}

/// The arcs that two countries have in common.
fn borders(rings: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let mut uses: BTreeMap<i64, usize> = BTreeMap::new();
    for arc in rings.iter().flatten() {
        *uses.entry(if *arc < 0 { !arc } else { *arc }).or_default() += 1;
    }
    let common = uses.into_iter().filter(|(_, count)| *count > 1);
    common.map(|(arc, _)| vec![arc]).collect()
}

fn lines(octets: &mut Vec<u8>, lines: &[Vec<i64>]) {
    number(octets, lines.len() as u64);
    for line in lines {
        number(octets, line.len() as u64);
        line.iter().for_each(|arc| signed(octets, *arc));
    }
}

/// The places, the largest first.
fn places(octets: &mut Vec<u8>, cities: &Value) -> Result<usize, Box<dyn Error>> {
    let cities = cities.as_object().ok_or("cities that are none")?;
    let mut places: Vec<(i64, String, &str, f64, f64)> = Vec::new();
    for city in cities.values() {
        let text = |key: &str| city[key].as_str().ok_or("a city without name");
        let degrees = |key: &str| city[key].as_f64().ok_or("a city without place");
        let name = drawable(text("name")?);
        let country = text("countrycode")?;
        if name.is_empty() || name.len() > 60 || country.len() != 2 {
            continue;
        }
        let population = city["population"].as_i64().unwrap_or(0);
        let place = (degrees("latitude")?, degrees("longitude")?);
        places.push((population, name, country, place.0, place.1));
    }
    places.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    number(octets, places.len() as u64);
    for (population, name, country, latitude, longitude) in &places {
        for degrees in [latitude, longitude] {
            octets.extend(((degrees * 1e5).round() as i32).to_le_bytes());
        }
        number(octets, u64::try_from(*population / 1000)?);
        octets.extend(country.bytes());
        octets.push(u8::try_from(name.len())?);
        octets.extend(name.bytes());
    }
    Ok(places.len())
}

/// The name in the letters of Latin-1, which the letters of the maps are.
fn drawable(name: &str) -> String {
    let mut drawn = String::new();
    for letter in name.nfc() {
        match letter {
            '\u{2018}' | '\u{2019}' | '\u{2bb}' | '\u{2bc}' | '`' => drawn.push('\''),
            'ı' => drawn.push('i'),
            'ł' => drawn.push('l'),
            'Ł' => drawn.push('L'),
            'đ' => drawn.push('d'),
            'Đ' => drawn.push('D'),
            'ə' | 'Ə' => drawn.push('e'),
            'œ' => drawn.push_str("oe"),
            '\u{2013}' => drawn.push('-'),
            latin if u32::from(latin) < 256 => drawn.push(latin),
            other => drawn.extend([other].into_iter().nfd().filter(|c| u32::from(*c) < 256)),
        }
    }
    drawn.trim().to_owned()
}

fn number(octets: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        octets.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    octets.push(value as u8);
}

fn signed(octets: &mut Vec<u8>, value: i64) {
    number(octets, ((value << 1) ^ (value >> 63)) as u64);
}
