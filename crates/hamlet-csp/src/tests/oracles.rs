//! Independent programs on our octets: `wbxml2xml` and `xml2wbxml` (Debian libwbxml2-utils)
//! for 1.1 and 1.2, `tshark` for 1.3 (docs/protocol/wbxml.md 9). `cargo xtask test`
//! installs them and sets HAMLET_REQUIRE_PEERS; without it a missing program skips its test.

use super::examples;
use super::sample::{Dice, primitives};
use crate::elements::Tag;
use crate::envelope::{Message, SessionDescriptor, Transaction};
use crate::extension::ExtensionNode;
use crate::{Document, Extension, Syntax, Version, WriteOptions, decode, encode};
use hamlet_wbxml::{Event, Limits, Reader, TagName};
use std::path::Path;
use std::process::Command;

/// Whether a program is there; else the test ends, or fails where peers are required.
fn tool(name: &str, package: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()));
    if !found {
        let what = format!("{name} is not installed: apt-get install {package}");
        assert!(std::env::var_os("HAMLET_REQUIRE_PEERS").is_none(), "{what}");
        eprintln!("skipped: {what}");
    }
    found
}

fn run(program: &str, arguments: &[&str], directory: &Path) -> (bool, String) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr),
    )
}

/// One message of each primitive of the version, and the examples of the reference.
fn documents(version: Version) -> Vec<Document> {
    let mut documents = Vec::new();
    for seed in [1, 2, 3] {
        let dice = &mut Dice::new(seed);
        documents.extend(primitives(dice, version).into_iter().map(|primitive| {
            Document::Message(Message {
                session: SessionDescriptor::inband("s7"),
                transactions: vec![Transaction::request("c1", primitive)],
                poll: Some(seed == 2),
                cir: None,
            })
        }));
    }
    documents.extend(
        examples::messages()
            .into_iter()
            .filter(|(_, of)| *of == version)
            .map(|(text, _)| decode(text.as_bytes(), Syntax::Xml).unwrap().document),
    );
    documents
}

/// The element tree with texts; names in the spelling that is written here.
fn tree(xml: &str) -> Vec<ExtensionNode> {
    let body = &xml[xml.find("<WV-CSP").expect("a root")..];
    fn plain(nodes: Vec<ExtensionNode>) -> Vec<ExtensionNode> {
        nodes
            .into_iter()
            .filter_map(|node| match node {
                ExtensionNode::Text(text) => {
                    Some(ExtensionNode::Text(text.trim().replace("\r\n", "\n")))
                }
                // Foreign content is ours to compare elsewhere: libwbxml drops attributes.
                ExtensionNode::Element { name, .. } if name == "ExtBlock" => None,
                ExtensionNode::Element { name, nodes, .. } => {
                    let name = Tag::from_name(&name).map_or(name, |tag| tag.name().to_owned());
                    Some(ExtensionNode::Element {
                        name,
                        namespace: None,
                        nodes: plain(nodes),
                    })
                }
            })
            .filter(|node| !matches!(node, ExtensionNode::Text(text) if text.is_empty()))
            .collect()
    }
    plain(
        Extension::from_xml(None, body)
            .unwrap_or_else(|| panic!("not well-formed: {xml}"))
            .nodes,
    )
}

/// What libwbxml cannot do (wbxml 9.1): foreign namespaces, CIRURL, and ContentData whose
/// octets it copies unescaped.
fn beyond_libwbxml(xml: &str) -> bool {
    ["<Extended-", "<CIRURL", "<ExtendedData", "VersionDiscovery"]
        .iter()
        .any(|name| xml.contains(name))
}

#[test]
fn libwbxml_reads_our_wbxml_of_1_1_and_1_2_as_our_xml() {
    if !tool("wbxml2xml", "libwbxml2-utils") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for version in [Version::V1_1, Version::V1_2] {
        let language = if version == Version::V1_1 {
            "CSP11"
        } else {
            "CSP12"
        };
        for document in documents(version) {
            let xml = String::from_utf8(encode(
                &document,
                Syntax::Xml,
                version,
                &WriteOptions::default(),
            ))
            .unwrap();
            if beyond_libwbxml(&xml) {
                continue;
            }
            let wbxml = encode(&document, Syntax::Wbxml, version, &WriteOptions::default());
            std::fs::write(directory.path().join("in.wbxml"), &wbxml).unwrap();
            let (done, said) = run(
                "wbxml2xml",
                &["-l", language, "-m", "0", "-o", "out.xml", "in.wbxml"],
                directory.path(),
            );
            assert!(done, "{said}\n{xml}");
            let out = std::fs::read_to_string(directory.path().join("out.xml")).unwrap();
            // It drops seconds that are zero; no other difference is known.
            assert_eq!(tree(&out), tree(&xml), "{out}\n{xml}");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared} compared");
}

#[test]
fn we_read_what_libwbxml_writes_as_our_xml() {
    if !tool("xml2wbxml", "libwbxml2-utils") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for version in [Version::V1_1, Version::V1_2] {
        for document in documents(version) {
            let doctype = WriteOptions {
                doctype: true,
                ..WriteOptions::default()
            };
            let text =
                String::from_utf8(encode(&document, Syntax::Xml, version, &doctype)).unwrap();
            if beyond_libwbxml(&text) || text.contains("<ExtBlock") {
                continue;
            }
            // Its names for three elements (wbxml 9.1); others it takes for literals.
            let theirs = text
                .replace("ReferredContent>", "PreferredContent>")
                .replace("ReferredvCard>", "PreferredvCard>")
                .replace("AutoSubscribe>", "Auto-Subscribe>");
            std::fs::write(directory.path().join("in.xml"), &theirs).unwrap();
            let (done, said) = run(
                "xml2wbxml",
                &["-n", "-o", "out.wbxml", "in.xml"],
                directory.path(),
            );
            assert!(done, "{said}\n{text}");
            let octets = std::fs::read(directory.path().join("out.wbxml")).unwrap();
            let decoded =
                decode(&octets, Syntax::Wbxml).unwrap_or_else(|error| panic!("{error}\n{text}"));
            let again = String::from_utf8(encode(
                &decoded.document,
                Syntax::Xml,
                version,
                &WriteOptions::default(),
            ))
            .unwrap();
            assert_eq!(tree(&again), tree(&text), "{text}");
        }
    }
}

/// The element names of our octets, in order, with the spelling that tshark has.
fn our_tags(octets: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(octets, Limits::default()).unwrap();
    let mut tags = Vec::new();
    while let Some(event) = reader.next().unwrap() {
        if let Event::Start { name, .. } = event {
            tags.push(match name {
                TagName::Token { page, token } => Tag::from_token(Version::V1_3, page, token)
                    .unwrap()
                    .name()
                    .to_owned(),
                TagName::Literal(name) => name.into_owned(),
            });
        }
    }
    tags
}

/// The element names that tshark prints, in order: its listing has six columns, the fifth
/// names the token and the last is `<Name>`, `<Name/>` or `<Name` with attributes below it.
fn tshark_tags(listing: &str) -> Vec<String> {
    listing
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.splitn(5, '|').collect();
            let [.., token, shown] = columns[..] else {
                return None;
            };
            let is_start = token.trim_start().starts_with("Known Tag");
            let name = shown.trim_start().strip_prefix('<').filter(|_| is_start)?;
            let end = name.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_')));
            Some(name[..end.unwrap_or(name.len())].to_owned())
        })
        .collect()
}

#[test]
fn tshark_lists_the_tags_of_our_wbxml_of_1_3() {
    if !tool("tshark", "tshark") || !tool("text2pcap", "wireshark-common") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    // tshark cuts long lines, shows AutoSubscribe as unknown in 1.3, calls the discovery
    // roots NSDiscovery and reports integers of no octets; literals have no name in a table.
    let documents: Vec<(String, Vec<u8>)> = documents(Version::V1_3)
        .iter()
        .map(|document| {
            let xml = encode(
                document,
                Syntax::Xml,
                Version::V1_3,
                &WriteOptions::default(),
            );
            (
                String::from_utf8(xml).unwrap(),
                encode(
                    document,
                    Syntax::Wbxml,
                    Version::V1_3,
                    &WriteOptions::default(),
                ),
            )
        })
        .filter(|(xml, _)| {
            ![
                "<AutoSubscribe",
                "VersionDiscovery",
                "<ExtBlock",
                "<Extended",
                "<AcceptedContentLength",
            ]
            .iter()
            .any(|name| xml.contains(name))
        })
        .filter(|(_, octets)| our_tags(octets).len() < 60)
        .collect();
    assert!(documents.len() > 200, "{} documents", documents.len());
    let mut dump = String::new();
    for (_, octets) in &documents {
        for (row, chunk) in octets.chunks(16).enumerate() {
            dump.push_str(&format!("{:06x}", row * 16));
            chunk
                .iter()
                .for_each(|octet| dump.push_str(&format!(" {octet:02x}")));
            dump.push('\n');
        }
    }
    std::fs::write(directory.path().join("in.txt"), dump).unwrap();
    let (done, said) = run(
        "text2pcap",
        &["-q", "-l", "147", "in.txt", "in.pcap"],
        directory.path(),
    );
    assert!(done, "{said}");
    let preference = "uat:user_dlts:\"User 0 (DLT=147)\",\"wbxml\",\"0\",\"\",\"0\",\"\"";
    let (done, listing) = run(
        "tshark",
        &["-r", "in.pcap", "-o", preference, "-V", "-O", "wbxml"],
        directory.path(),
    );
    assert!(done, "{listing}");
    assert!(
        !listing.contains("Malformed") && !listing.contains("Expert Info"),
        "{}",
        listing
            .lines()
            .filter(|l| l.contains("Malformed") || l.contains("Expert"))
            .take(5)
            .collect::<Vec<_>>()
            .join("\n")
    );
    let frames: Vec<&str> = listing.split("\nFrame ").collect();
    assert_eq!(frames.len(), documents.len());
    for ((xml, octets), frame) in documents.iter().zip(frames) {
        assert_eq!(tshark_tags(frame), our_tags(octets), "{xml}\n{frame}");
    }
}
