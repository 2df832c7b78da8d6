//! `hamlet convert` with the messages of docs/protocol.

mod common;

use common::{fail, hamlet, succeed};

const EXAMPLES: &str = include_str!("../../../docs/protocol/examples-1.3.md");
const WBXML: &str = include_str!("../../../docs/protocol/wbxml.md");

/// The whole messages among the examples.
fn messages() -> Vec<&'static str> {
    EXAMPLES
        .split("```xml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().trim())
        .filter(|text| text.contains("<WV-CSP-"))
        .collect()
}

fn to_wbxml(xml: &[u8]) -> Vec<u8> {
    let output = hamlet(&["convert", "--from", "xml", "--to", "wbxml"], xml);
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn every_example_goes_to_wbxml_and_back() {
    let messages = messages();
    assert!(messages.len() > 60, "{}", messages.len());
    // A sample of them, as each is two processes; the codec's own tests have them all.
    for xml in messages.iter().step_by(5) {
        let plain = succeed(&["convert", "--from", "xml", "--to", "xml"], xml.as_bytes());
        let wbxml = to_wbxml(xml.as_bytes());
        assert!(wbxml.len() < plain.len() / 2);
        let doctype = &plain[..plain.find("<WV-CSP").unwrap()];
        let back = succeed(&["convert", "--from", "wbxml", "--to", "xml"], &wbxml);
        assert_eq!(
            back.trim_start_matches(doctype),
            plain.trim_start_matches(doctype)
        );
    }
}

#[test]
fn the_version_can_be_changed_and_the_namespaces_follow() {
    let poll = messages()
        .into_iter()
        .find(|xml| xml.contains("<Polling-Request/>"))
        .unwrap();
    let arguments = ["convert", "--from", "xml", "--to", "xml", "--csp", "1.1"];
    let old = succeed(&arguments, poll.as_bytes());
    assert!(
        old.contains("\"http://www.wireless-village.org/CSP1.1\""),
        "{old}"
    );
    assert!(old.contains("<Polling-Request"));
}

#[test]
fn a_primitive_that_the_version_lacks_is_refused() {
    let map = messages()
        .into_iter()
        .find(|xml| xml.contains("<SystemMessage-Request>"))
        .unwrap();
    let arguments = ["convert", "--from", "xml", "--to", "wbxml", "--csp", "1.1"];
    let line = fail(&arguments, map.as_bytes());
    assert_eq!(line, "hamlet: CSP 1.1 has no SystemMessage-Request");
}

#[test]
fn pretty_xml_has_a_line_for_each_element_and_the_same_content() {
    let login = messages()
        .into_iter()
        .find(|xml| xml.contains("<Login-Request>"))
        .unwrap();
    let pretty = succeed(
        &["convert", "--from", "xml", "--to", "xml", "--pretty"],
        login.as_bytes(),
    );
    assert!(
        pretty.contains("\n    <Login-Request>\n     <UserID>wv:"),
        "{pretty}"
    );
    assert_eq!(to_wbxml(pretty.as_bytes()), to_wbxml(login.as_bytes()));
}

#[test]
fn version_discovery_is_converted_too() {
    let discovery = messages()
        .into_iter()
        .find(|xml| xml.contains("<WV-CSP-VersionDiscovery-Request"))
        .unwrap();
    let wbxml = to_wbxml(discovery.as_bytes());
    let back = succeed(&["convert", "--from", "wbxml", "--to", "xml"], &wbxml);
    assert!(back.contains("<WV-CSP-VersionDiscovery-Request"));
    assert!(back.contains("<SessionNSName>"));
}

#[test]
fn bad_input_is_one_line_and_exit_code_1() {
    let to_xml = ["convert", "--from", "wbxml", "--to", "xml"];
    let from_xml = ["convert", "--from", "xml", "--to", "wbxml"];
    let login = messages()
        .into_iter()
        .find(|xml| xml.contains("<Login-Request>"))
        .unwrap();
    let wbxml = to_wbxml(login.as_bytes());
    fail(&to_xml, b"");
    fail(&to_xml, login.as_bytes());
    fail(&to_xml, &wbxml[..wbxml.len() / 2]);
    fail(&from_xml, &wbxml);
    fail(&from_xml, b"<html/>");
    let line = fail(
        &from_xml,
        login.replace("IMPS-CSP1.3", "IMPS-CSP9.9").as_bytes(),
    );
    assert!(line.contains("CSP 9.9"), "{line}");
    let line = fail(
        &from_xml,
        login.replace("Login-Request", "Login-Wish").as_bytes(),
    );
    assert!(line.contains("TransactionContent"), "{line}");
}

#[test]
fn what_is_not_there_yet_is_not_offered() {
    let output = hamlet(&["convert", "--from", "pts", "--to", "xml"], b"");
    assert_eq!(output.status.code(), Some(2));
    let help = succeed(&["convert", "--help"], b"");
    assert!(!help.contains("pts"), "{help}");
}

/// The octets of wbxml.md section 8 that are written in full.
#[test]
fn the_test_vectors_of_the_reference_are_read() {
    let mut read = 0;
    for block in WBXML.split("```").skip(1).step_by(2) {
        let digits: String = block.lines().map(hex_of).collect::<Vec<_>>().concat();
        if !digits.starts_with("0310") && !digits.starts_with("0311") && !digits.starts_with("0312")
        {
            continue;
        }
        let octets: Vec<u8> = (0..digits.len() / 2)
            .filter_map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).ok())
            .collect();
        let output = hamlet(&["convert", "--from", "wbxml", "--to", "xml"], &octets);
        if output.status.success() {
            read += 1;
        }
    }
    assert!(read > 0, "no vector was read");
}

/// The octets at the start of a line, up to what is no octet.
fn hex_of(line: &str) -> String {
    line.split_whitespace()
        .take_while(|word| word.len() == 2 && word.bytes().all(|b| b.is_ascii_hexdigit()))
        .collect()
}
