#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code)] // Each target uses one of the checks.
mod checks;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| checks::xml_read(octets));
