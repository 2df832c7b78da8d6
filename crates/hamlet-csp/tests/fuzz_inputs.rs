//! What the fuzzers start from and what they have found, as an ordinary test.

#[path = "../../../fuzz/checks.rs"]
mod checks;

use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let mut seen = 0;
    for folder in ["seeds", "findings"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fuzz")
            .join(folder)
            .join(target);
        // A target that has found nothing has no folder of findings.
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            let octets = std::fs::read(&path).expect("a readable input");
            // Shown only when the check panics.
            eprintln!("{}", path.display());
            check(&octets);
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen} inputs for {target}");
}

#[test]
fn the_wbxml_reader_survives_what_was_fuzzed() {
    replay("wbxml_reader", checks::wbxml_reader);
}

#[test]
fn reading_xml_survives_what_was_fuzzed() {
    replay("xml_read", checks::xml_read);
}

#[test]
fn the_envelope_survives_what_was_fuzzed() {
    replay("envelope", checks::envelope);
}
