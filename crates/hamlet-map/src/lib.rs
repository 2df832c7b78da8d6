//! Maps that the server draws itself (csp-access 11.3): a place with its accuracy on a picture
//! of the world, in the formats that phones show.
//!
//! Nothing here does I/O; the data of the world is part of the program
//! (`data/README.md` says where it is from). What a picture costs is bounded by its size and by
//! that data. [`Map`] is what to draw, [`Picture`] what has been drawn.

#![forbid(unsafe_code)]

mod caption;
mod data;
mod draw;
mod encode;
mod geometry;
mod letters;
mod places;
mod scale;

pub use draw::{Map, Picture};
pub use encode::{EncodeError, Format};
pub use places::{Place, find_place};

/// Metres of a degree along a meridian.
pub(crate) const METRES_OF_DEGREE: f64 = EARTH_RADIUS * std::f64::consts::PI / 180.0;

/// Metres.
pub(crate) const EARTH_RADIUS: f64 = 6_371_008.8;
