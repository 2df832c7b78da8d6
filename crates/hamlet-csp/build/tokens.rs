//! Reads the token table (docs/protocol/wbxml-tokens.tsv) and writes `tags.rs`.

use crate::model::Model;
use std::collections::BTreeMap;
use std::fmt::Write;

pub struct Row {
    pub kind: String,
    pub page: u8,
    pub token: u16,
    pub name: String,
    /// 1.1, 1.2, 1.3.
    pub versions: [bool; 3],
}

pub struct Table {
    pub rows: Vec<Row>,
}

impl Table {
    pub fn parse(text: &str) -> Self {
        let hex = |text: &str| {
            u16::from_str_radix(text.trim_start_matches("0x"), 16)
                .unwrap_or_else(|_| panic!("not hex: {text}"))
        };
        let rows = text
            .lines()
            .skip(1)
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .map(|columns| Row {
                kind: columns[0].into(),
                page: if columns[1] == "-" {
                    0
                } else {
                    hex(columns[1]) as u8
                },
                token: hex(columns[2]),
                name: columns[3].into(),
                versions: [columns[5] == "1", columns[6] == "1", columns[7] == "1"],
            })
            .collect();
        Self { rows }
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.kind == kind)
    }
}

/// Names that also occur for an element (csp-messages 7.1), with the name that is sent.
const ALIASES: &[(&str, &str)] = &[
    ("PreferredContent", "ReferredContent"),
    ("PreferredvCard", "ReferredvCard"),
    ("Auto-Subscribe", "AutoSubscribe"),
    ("Extended-Data", "ExtendedData"),
    (
        "WV-CSP-NSDiscovery-Request",
        "WV-CSP-VersionDiscovery-Request",
    ),
    (
        "WV-CSP-NSDiscovery-Response",
        "WV-CSP-VersionDiscovery-Response",
    ),
    ("BlockUser-Request", "BlockEntity-Request"),
    ("PresenceAuth-Response", "PresenceAuth-User"),
    ("AcceptedCharSet", "AcceptedCharset"),
    ("PlainTextCharSet", "PlainTextCharset"),
    ("CName", "Cname"),
    ("AnswerOptionsText", "AnswerOptionText"),
];

/// Value texts that are written as text although the table has a token (wbxml 5.1, 5.6, 6).
const NEVER_WRITTEN: &[&str] = &[
    "History",
    "US",
    "DENIED",
    "GRANTED",
    "PENDING",
    "application/",
    "image/",
    "text/",
    "http://",
    "https://",
    "www.wireless-village.org",
    "www.openmobilealliance.org",
];

pub fn ident(name: &str) -> String {
    let mut out = String::new();
    let mut upper = true;
    for c in name.chars() {
        if c == '-' || c == '_' {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

pub fn emit(table: &Table, model: &Model) -> String {
    let current = |row: &&Row| row.versions.contains(&true);
    let sent = |name: &str| {
        ALIASES
            .iter()
            .find(|(alias, _)| *alias == name)
            .map_or(name, |(_, sent)| sent)
            .to_owned()
    };
    let mut names: BTreeMap<String, [Option<(u8, u8)>; 3]> = BTreeMap::new();
    for element in model
        .elements
        .values()
        .filter(|element| !element.flags.iter().any(|flag| flag == "leaf"))
    {
        names.entry(element.name.clone()).or_default();
    }
    let mut read: BTreeMap<(u8, u8), [Option<String>; 3]> = BTreeMap::new();
    for row in table.of_kind("tag").filter(current) {
        let token = u8::try_from(row.token).expect("a tag token");
        let name = sent(&row.name);
        let places = names.entry(name.clone()).or_default();
        for (version, place) in places.iter_mut().enumerate() {
            if row.versions[version] {
                let slot = &mut read.entry((row.page, token)).or_default()[version];
                assert!(slot.is_none(), "{}/{} twice", row.page, row.token);
                *slot = Some(name.clone());
                // ContentType has a second, draft place (05/36); the first is the one that is written.
                if place.is_none_or(|old| old > (row.page, token))
                    && !(row.page == 5 && token == 0x36)
                {
                    *place = Some((row.page, token));
                }
            }
        }
    }
    // 04/1E AutoSubscribe is sent in 1.3 too although the approved table dropped it (wbxml 7 item 13).
    let auto = names.get_mut("AutoSubscribe").expect("AutoSubscribe");
    auto[2] = auto[1];
    // 05/36 and the tokens of other versions are understood in every version (wbxml 0, 7).
    for slots in read.values_mut() {
        let newest = slots.iter().rev().flatten().next().cloned();
        for slot in slots.iter_mut() {
            if slot.is_none() {
                slot.clone_from(&newest);
            }
        }
    }

    let mut out = String::new();
    let w = &mut out;
    writeln!(w, "/// The element names of CSP 1.1, 1.2 and 1.3.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\n#[repr(u16)]\n#[allow(missing_docs, clippy::upper_case_acronyms, clippy::enum_variant_names)]\npub enum Tag {{").unwrap();
    for name in names.keys() {
        writeln!(w, "    {},", ident(name)).unwrap();
    }
    writeln!(w, "}}\n").unwrap();
    writeln!(
        w,
        "pub(crate) static TAG_NAMES: [&str; {}] = [",
        names.len()
    )
    .unwrap();
    for name in names.keys() {
        writeln!(w, "    {name:?},").unwrap();
    }
    writeln!(w, "];\n").unwrap();
    writeln!(w, "/// (page << 8 | token) per version; 0 where the version has no token.\npub(crate) static TAG_TOKENS: [[u16; 3]; {}] = [", names.len()).unwrap();
    for places in names.values() {
        let number = |place: Option<(u8, u8)>| {
            place.map_or(0, |(page, token)| u16::from(page) << 8 | u16::from(token))
        };
        writeln!(
            w,
            "    [{:#06x}, {:#06x}, {:#06x}],",
            number(places[0]),
            number(places[1]),
            number(places[2])
        )
        .unwrap();
    }
    writeln!(w, "];\n").unwrap();
    let pages = read.keys().map(|(page, _)| *page).max().expect("pages") + 1;
    writeln!(w, "/// Tag per version, page and token.\npub(crate) static TOKEN_TAGS: [[[Option<Tag>; 64]; {pages}]; 3] = [").unwrap();
    for version in 0..3 {
        writeln!(w, "    [").unwrap();
        for page in 0..pages {
            let cell = |token: u8| match read
                .get(&(page, token))
                .and_then(|slots| slots[version].as_ref())
            {
                Some(name) => format!("Some(Tag::{})", ident(name)),
                None => "None".into(),
            };
            writeln!(
                w,
                "        [{}],",
                (0..64).map(cell).collect::<Vec<_>>().join(", ")
            )
            .unwrap();
        }
        writeln!(w, "    ],").unwrap();
    }
    writeln!(w, "];\n").unwrap();

    let mut map = phf_codegen::Map::new();
    for name in names.keys() {
        map.entry(name.as_str(), format!("Tag::{}", ident(name)));
    }
    for (alias, name) in ALIASES
        .iter()
        .filter(|(alias, _)| !names.contains_key(*alias))
    {
        map.entry(alias, format!("Tag::{}", ident(name)));
    }
    writeln!(
        w,
        "pub(crate) static NAME_TAGS: phf::Map<&'static str, Tag> = {};\n",
        map.build()
    )
    .unwrap();

    emit_values(w, table);
    emit_public_ids(w, table);
    out
}

fn emit_values(w: &mut String, table: &Table) {
    // Reading: one text per index and version; an index of another version keeps that meaning.
    let mut texts: BTreeMap<u16, [Option<&str>; 3]> = BTreeMap::new();
    for row in table
        .of_kind("value")
        .filter(|row| row.versions.contains(&true))
    {
        let slots = texts.entry(row.token).or_default();
        for (slot, known) in slots.iter_mut().zip(row.versions) {
            // 0x3D is GROUP_ID and History: the element decides, GROUP_ID stands in the table.
            if known && row.name != "History" {
                *slot = Some(&row.name);
            }
        }
    }
    // 0x68 is IM in 1.2 too (wbxml 7 item 12).
    texts.get_mut(&0x68).expect("0x68")[1] = Some("IM");
    for slots in texts.values_mut() {
        let newest = slots.iter().rev().flatten().next().copied();
        for slot in slots.iter_mut() {
            if slot.is_none() {
                *slot = newest;
            }
        }
    }
    let size = texts.keys().max().expect("values") + 1;
    writeln!(w, "/// Text per version and EXT_T_0 index.\npub(crate) static VALUE_TEXTS: [[Option<&str>; {size}]; 3] = [").unwrap();
    for version in 0..3 {
        let cell = |index: u16| format!("{:?}", texts.get(&index).and_then(|slots| slots[version]));
        writeln!(
            w,
            "    [{}],",
            (0..size).map(cell).collect::<Vec<_>>().join(", ")
        )
        .unwrap();
    }
    writeln!(w, "];\n").unwrap();

    // Writing: index per text and version; IM and SMS are chosen by the element.
    let mut indexes: BTreeMap<&str, [u16; 3]> = BTreeMap::new();
    for row in table
        .of_kind("value")
        .filter(|row| row.versions.contains(&true))
    {
        if NEVER_WRITTEN.contains(&row.name.as_str())
            || matches!((row.name.as_str(), row.token), ("IM", 0x68) | ("SMS", 0x75))
        {
            continue;
        }
        let slots = indexes.entry(&row.name).or_insert([u16::MAX; 3]);
        for (version, slot) in slots.iter_mut().enumerate() {
            // SSMS and SHTTP go out as text in 1.2 (wbxml 5.1).
            let as_text = version == 1 && matches!(row.name.as_str(), "SSMS" | "SHTTP");
            if row.versions[version] && !as_text {
                *slot = row.token;
            }
        }
    }
    let mut map = phf_codegen::Map::new();
    for (text, slots) in &indexes {
        map.entry(*text, format!("{slots:?}"));
    }
    writeln!(
        w,
        "pub(crate) static VALUE_INDEXES: phf::Map<&'static str, [u16; 3]> = {};\n",
        map.build()
    )
    .unwrap();
}

fn emit_public_ids(w: &mut String, table: &Table) {
    writeln!(w, "/// Public identifiers with the version that they mean (index into Version::ALL).\npub(crate) static PUBLIC_IDS: &[(u32, &str, usize)] = &[").unwrap();
    for row in table.of_kind("public-id") {
        if let Some(version) = row.versions.iter().position(|known| *known) {
            writeln!(w, "    ({:#04x}, {:?}, {version}),", row.token, row.name).unwrap();
        }
    }
    writeln!(w, "];").unwrap();
}
