//! Tests over the whole declaration.

mod bad_input;
mod declaration;
mod examples;
mod oracles;
mod round_trip;
mod sample;
mod tolerance;
mod vectors;
