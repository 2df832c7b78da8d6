//! Writes the structs of the elements, their reading and writing, checks and samples.

use crate::model::{Element, Kind, Model, Particle};
use crate::tokens::ident;
use std::fmt::Write;

/// The Rust type of a struct or enum for an element.
pub fn type_name(element: &Element) -> String {
    if let Some(name) = element.flag("type=") {
        return format!("crate::custom::{name}");
    }
    match element.name.as_str() {
        // `Result` would hide the standard one.
        "Result" => "CspResult".into(),
        "WV-CSP-VersionDiscovery-Request" => "VersionDiscoveryRequest".into(),
        "WV-CSP-VersionDiscovery-Response" => "VersionDiscoveryResponse".into(),
        // As in hamlet-model.
        name => ident(name).replace("ID", "Id"),
    }
}

/// `ContactListIDList` → `contact_list_id_list`.
pub fn field_name(element: &str) -> String {
    match element {
        "SName" => return "sname".into(),
        "CIRURL" => return "cir_url".into(),
        "CIRHTTPAddress" => return "cir_http_address".into(),
        "CIRSMSAddress" => return "cir_sms_address".into(),
        "WVCSPFeat" => return "wvcsp_feat".into(),
        "ContainedvCard" => return "contained_vcard".into(),
        "ReferredvCard" => return "referred_vcard".into(),
        "Mod" => return "mod_".into(),
        _ => {}
    }
    let chars: Vec<char> = element.chars().collect();
    let mut out = String::new();
    for (at, &c) in chars.iter().enumerate() {
        if c == '-' || c == '_' {
            out.push('_');
            continue;
        }
        if c.is_uppercase() && at > 0 {
            let after_lower = chars[at - 1].is_lowercase() || chars[at - 1].is_ascii_digit();
            let before_lower = chars.get(at + 1).is_some_and(|next| next.is_lowercase())
                && chars[at - 1].is_uppercase();
            if after_lower || before_lower {
                out.push('_');
            }
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn is_boolean_like(kind: &Kind) -> bool {
    *kind == Kind::Empty
}

/// Type of one value of a child.
fn value_type(target: &Element) -> String {
    match &target.kind {
        Kind::String | Kind::Text | Kind::Token | Kind::Number | Kind::List
            if target.flag("type=").is_none() =>
        {
            "Text".into()
        }
        Kind::Boolean | Kind::Empty => "bool".into(),
        Kind::Int => "u32".into(),
        Kind::DateTime => "DateTime".into(),
        Kind::Content => "ContentData".into(),
        Kind::Octets => "Vec<u8>".into(),
        Kind::Any => "Extension".into(),
        _ => type_name(target),
    }
}

fn read_call(target: &Element) -> String {
    if target.flag("type=").is_some() {
        return format!("Some({}::read(source)?)", type_name(target));
    }
    match &target.kind {
        Kind::String | Kind::Token => "Some(source.string()?)".into(),
        Kind::Text => "Some(source.text()?)".into(),
        Kind::Number => "Some(source.number()?)".into(),
        Kind::Boolean => "source.boolean()?".into(),
        Kind::Int => "source.integer()?".into(),
        Kind::DateTime => "source.date_time()?".into(),
        Kind::Content => "Some(source.content()?)".into(),
        Kind::List => "source.list()?".into(),
        Kind::Octets => "Some(source.octets()?)".into(),
        Kind::Any => "Some(source.extension()?)".into(),
        Kind::Enum(_) => format!(
            "source.string()?.non_empty().map({}::parse)",
            type_name(target)
        ),
        Kind::Empty => unreachable!("flags are handled by the caller"),
        Kind::Complex => format!("Some({}::read(source)?)", type_name(target)),
    }
}

fn write_call(target: &Element, tag: &str, value: &str) -> String {
    if target.flag("type=").is_some() {
        return format!("{value}.write(sink, {tag});");
    }
    match &target.kind {
        Kind::String | Kind::Text | Kind::List => format!("sink.text({tag}, {value});"),
        Kind::Token => format!("sink.token({tag}, {value});"),
        Kind::Enum(_) => format!("sink.token({tag}, {value}.as_str());"),
        Kind::Number => format!("sink.text({tag}, {value});"),
        Kind::Boolean => format!("sink.boolean({tag}, *{value});"),
        Kind::Int => format!("sink.integer({tag}, *{value});"),
        Kind::DateTime => format!("sink.date_time({tag}, *{value});"),
        Kind::Content => format!("sink.content({tag}, {value});"),
        Kind::Octets => format!("sink.octets({tag}, {value});"),
        Kind::Any => format!("sink.extension({tag}, {value});"),
        Kind::Empty => format!("sink.empty({tag});"),
        Kind::Complex => format!("{value}.write(sink);"),
    }
}

pub fn has_struct(element: &Element) -> bool {
    element.kind == Kind::Complex
        && element.flag("type=").is_none()
        && !element.flags.iter().any(|f| f == "envelope")
}

/// Whether it keeps children that it does not know.
fn is_open(element: &Element) -> bool {
    element.flags.iter().any(|flag| flag == "open")
}

pub fn elements(model: &Model) -> String {
    let mut out = String::new();
    for name in &model.order {
        let element = &model.elements[name];
        if has_struct(element) {
            emit_struct(&mut out, model, element);
        } else if let Kind::Enum(values) = &element.kind {
            emit_enum(&mut out, element, values);
        }
    }
    emit_primitive(&mut out, model);
    out
}

fn emit_struct(out: &mut String, model: &Model, element: &Element) {
    let name = type_name(element);
    let fields = element.fields();
    writeln!(
        out,
        "/// {}: {}",
        element.name,
        element.doc.replace('[', "\\[").replace(']', "\\]")
    )
    .unwrap();
    writeln!(
        out,
        "#[derive(Debug, Clone, PartialEq, Default)]\npub struct {name} {{"
    )
    .unwrap();
    for field in &fields {
        let target = model.target(field);
        let inner = value_type(target);
        let outer = match (field.many, is_boolean_like(&target.kind)) {
            (true, _) => format!("Vec<{inner}>"),
            (false, true) => inner,
            (false, false) => format!("Option<{inner}>"),
        };
        writeln!(
            out,
            "    /// Child `{}`.\n    pub {}: {outer},",
            field.child,
            field_name(&field.child)
        )
        .unwrap();
    }
    if is_open(element) {
        writeln!(
            out,
            "    /// Children that CSP does not have here, as they came.\n    pub foreign: Vec<ExtensionNode>,"
        )
        .unwrap();
    }
    writeln!(out, "}}\n").unwrap();
    writeln!(out, "#[allow(dead_code, clippy::single_match, clippy::collapsible_if)] // Some elements are only read, some never checked on their own.\nimpl {name} {{").unwrap();
    emit_read(out, model, element, &fields);
    emit_write(out, model, element);
    emit_check(out, model, element);
    writeln!(out, "}}\n").unwrap();
}

fn emit_read(out: &mut String, model: &Model, element: &Element, fields: &[Particle]) {
    writeln!(
        out,
        "    pub(crate) fn read(source: &mut dyn Source) -> Result<Self, SyntaxError> {{
        let mut element = Self::default();
        element.read_content(source)?;
        Ok(element)
    }}

    /// Reads into an element that already lies where it stays: some are large to move.
    pub(crate) fn read_content(&mut self, source: &mut dyn Source) -> Result<(), SyntaxError> {{"
    )
    .unwrap();
    let settle = fields.iter().any(|f| f.child == "ContentData");
    if fields.is_empty() {
        writeln!(out, "        source.skip()?;").unwrap();
    } else {
        let child = if is_open(element) {
            "child_or_foreign(&mut self.foreign)"
        } else {
            "child()"
        };
        writeln!(
            out,
            "        while let Some(tag) = source.{child}? {{\n            match tag {{"
        )
        .unwrap();
        for field in fields {
            let target = model.target(field);
            let place = format!("self.{}", field_name(&field.child));
            let action = match (field.many, is_boolean_like(&target.kind)) {
                (false, true) => format!("{{ source.skip()?; {place} = true; }}"),
                (many, false) if has_struct(target) => {
                    let method = if many { "push_mut" } else { "insert" };
                    let place = format!("{place}.{method}({}::default())", type_name(target));
                    format!("{place}.read_content(source)?,")
                }
                (false, false) => format!("{place} = {},", read_call(target)),
                (true, _) => format!("{place}.extend({}),", read_call(target)),
            };
            writeln!(
                out,
                "                Tag::{} => {action}",
                ident(&field.child)
            )
            .unwrap();
        }
        let other = if is_open(element) {
            "self.foreign.push(source.foreign(tag)?)"
        } else {
            "source.skip()?"
        };
        writeln!(
            out,
            "                _ => {other},\n            }}\n        }}"
        )
        .unwrap();
    }
    if settle {
        let info = fields.iter().any(|f| f.child == "MessageInfo");
        writeln!(
            out,
            "        crate::custom::{}(self);",
            if info {
                "settle_message"
            } else {
                "settle_content"
            }
        )
        .unwrap();
    }
    if let Some(settle) = element.flag("settle=") {
        writeln!(out, "        crate::custom::{settle}(self);").unwrap();
    }
    writeln!(out, "        Ok(())\n    }}\n").unwrap();
}

fn emit_write(out: &mut String, model: &Model, element: &Element) {
    let tag = format!("Tag::{}", ident(&element.name));
    writeln!(
        out,
        "    pub(crate) fn write(&self, sink: &mut dyn Sink) {{"
    )
    .unwrap();
    let namespace = match (element.flag("xmlns="), element.flag("root")) {
        (Some(_), _) => Some("Presence"),
        (_, Some(_)) => Some("Session"),
        _ => None,
    };
    match namespace {
        Some(namespace) => {
            writeln!(out, "        sink.start_in({tag}, Namespace::{namespace});").unwrap()
        }
        None => writeln!(out, "        sink.start({tag});").unwrap(),
    }
    let bodies = by_version(element, |particles| {
        write_children(model, element, particles)
    });
    let all = write_children(model, element, &element.merged());
    if let [(_, only)] = bodies.as_slice()
        && *only == all
    {
        out.push_str(&all);
    } else {
        writeln!(out, "        match sink.shape() {{").unwrap();
        writeln!(out, "            None => {{\n{all}            }}").unwrap();
        for (versions, body) in &bodies {
            let arms = version_arms(versions, |version| format!("Some({version})"));
            writeln!(out, "            {arms} => {{\n{body}            }}").unwrap();
        }
        writeln!(out, "        }}").unwrap();
    }
    if is_open(element) {
        writeln!(out, "        sink.foreign(&self.foreign);").unwrap();
    }
    writeln!(out, "        sink.end({tag});\n    }}\n").unwrap();
}

/// The statements that write these children of an element in this order.
fn write_children(model: &Model, element: &Element, particles: &[Particle]) -> String {
    let fields = element.fields();
    let mut body = String::new();
    for (at, particle) in particles.iter().enumerate() {
        // A child that stands in two alternatives is written once, where it comes last.
        if particles[at + 1..]
            .iter()
            .any(|later| later.child == particle.child)
        {
            continue;
        }
        let target = model.target(particle);
        let child = format!("Tag::{}", ident(&particle.child));
        let field = field_name(&particle.child);
        let many = fields.iter().any(|f| f.child == particle.child && f.many);
        let indent = "                ";
        if !many && is_boolean_like(&target.kind) {
            let write = write_call(target, &child, "");
            writeln!(body, "{indent}if self.{field} {{ {write} }}").unwrap();
        } else if target.kind == Kind::List {
            let one = versions_that_take_one(element, &particle.child);
            let each = write_call(target, &child, "value");
            writeln!(body, "{indent}if [{one}].contains(&sink.version()) {{ if !self.{field}.is_empty() {{ sink.text({child}, &self.{field}.join(\",\")); }} }} else {{ self.{field}.iter().for_each(|value| {{ {each} }}); }}").unwrap();
        } else {
            // A version that takes one gets the first of several.
            let one = if many && !particle.many {
                ".iter().take(1)"
            } else {
                ".iter()"
            };
            let write = write_call(target, &child, "value");
            writeln!(
                body,
                "{indent}self.{field}{one}.for_each(|value| {{ {write} }});"
            )
            .unwrap();
        }
    }
    body
}

/// As a list of Rust expressions.
fn versions_that_take_one(element: &Element, child: &str) -> String {
    let takes_one = |model: &Option<Vec<Particle>>| {
        model
            .iter()
            .flatten()
            .any(|particle| particle.child == child && !particle.many)
    };
    let of = |(at, _): (usize, _)| format!("Version::V1_{}", at + 1);
    let versions = element.models.iter().enumerate();
    versions
        .filter(|(_, model)| takes_one(model))
        .map(of)
        .collect::<Vec<_>>()
        .join(", ")
}

fn emit_check(out: &mut String, model: &Model, element: &Element) {
    writeln!(out, "    pub(crate) fn check(&self, version: Version, path: &mut Vec<Tag>) -> Result<(), MissingElement> {{").unwrap();
    writeln!(
        out,
        "        path.push(Tag::{});\n        let _ = version;",
        ident(&element.name)
    )
    .unwrap();
    let bodies = by_version(element, |particles| {
        check_children(model, element, particles)
    });
    match bodies.as_slice() {
        [(_, only)] => out.push_str(only),
        several => {
            writeln!(out, "        match version {{").unwrap();
            for (versions, body) in several {
                let arms = version_arms(versions, |version| version.to_owned());
                writeln!(out, "            {arms} => {{\n{body}            }}").unwrap();
            }
            writeln!(out, "        }}").unwrap();
        }
    }
    writeln!(out, "        path.pop();\n        Ok(())\n    }}").unwrap();
}

/// The statements that check these children of an element.
fn check_children(model: &Model, element: &Element, particles: &[Particle]) -> String {
    let fields = element.fields();
    let mut body = String::new();
    for particle in particles {
        let target = model.target(particle);
        let field = field_name(&particle.child);
        let many = fields.iter().any(|f| f.child == particle.child && f.many);
        if particle.required && !is_boolean_like(&target.kind) {
            let absent = if many { "is_empty" } else { "is_none" };
            writeln!(body, "            if self.{field}.{absent}() {{ return Err(MissingElement::new(path, Tag::{})); }}", ident(&particle.child)).unwrap();
        }
        if has_struct(target) {
            writeln!(
                body,
                "            self.{field}.iter().try_for_each(|child| child.check(version, path))?;"
            )
            .unwrap();
        }
    }
    body
}

/// What is generated for each version, versions with the same together.
fn by_version(
    element: &Element,
    body: impl Fn(&[Particle]) -> String,
) -> Vec<(Vec<usize>, String)> {
    let mut bodies: Vec<(Vec<usize>, String)> = Vec::new();
    for (version, particles) in element.models.iter().enumerate() {
        let body = body(particles.as_deref().unwrap_or_default());
        match bodies.iter_mut().find(|(_, known)| *known == body) {
            Some((versions, _)) => versions.push(version),
            None => bodies.push((vec![version], body)),
        }
    }
    bodies
}

/// A pattern for these versions.
fn version_arms(versions: &[usize], pattern: impl Fn(&str) -> String) -> String {
    let arms = versions.iter();
    arms.map(|version| pattern(&format!("Version::V1_{}", version + 1)))
        .collect::<Vec<_>>()
        .join(" | ")
}

fn emit_enum(out: &mut String, element: &Element, values: &[String]) {
    let name = type_name(element);
    let variant = |value: &String| {
        if value.len() > 1
            && value
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && value.contains('_')
        {
            value
                .split('_')
                .map(|word| word[..1].to_owned() + &word[1..].to_ascii_lowercase())
                .collect::<String>()
        } else if value.len() > 2
            && value
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        {
            value[..1].to_owned() + &value[1..].to_ascii_lowercase()
        } else {
            ident(value)
        }
    };
    writeln!(
        out,
        "/// {}: {}",
        element.name,
        element.doc.replace('[', "\\[").replace(']', "\\]")
    )
    .unwrap();
    writeln!(out, "#[derive(Debug, Clone, PartialEq, Eq, Hash)]\n#[allow(clippy::upper_case_acronyms)]\npub enum {name} {{").unwrap();
    for value in values {
        writeln!(out, "    /// `{value}`\n    {},", variant(value)).unwrap();
    }
    writeln!(
        out,
        "    /// A value that CSP does not define, as it was received.\n    Undefined(Text),\n}}\n"
    )
    .unwrap();
    writeln!(out, "impl {name} {{\n    /// The values that CSP defines.\n    pub const ALL: &'static [Self] = &[{}];\n", values.iter().map(|v| format!("Self::{}", variant(v))).collect::<Vec<_>>().join(", ")).unwrap();
    writeln!(out, "    /// Reads a value, in any letter case.\n    pub fn parse(text: Text) -> Self {{\n        match text.as_str() {{").unwrap();
    for value in values {
        writeln!(out, "            {value:?} => Self::{},", variant(value)).unwrap();
    }
    writeln!(out, "            _ => Self::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(&text)).cloned().unwrap_or(Self::Undefined(text)),\n        }}\n    }}\n").unwrap();
    writeln!(out, "    /// The value as it is written.\n    pub fn as_str(&self) -> &str {{\n        match self {{").unwrap();
    for value in values {
        writeln!(out, "            Self::{} => {value:?},", variant(value)).unwrap();
    }
    writeln!(
        out,
        "            Self::Undefined(text) => text,\n        }}\n    }}\n}}\n"
    )
    .unwrap();
}

fn emit_primitive(out: &mut String, model: &Model) {
    let primitives: Vec<&Element> = model
        .order
        .iter()
        .map(|name| &model.elements[name])
        .filter(|e| e.is_primitive())
        .collect();
    writeln!(out, "/// The content of a transaction: exactly one primitive (csp-messages 2).\n#[derive(Debug, Clone, PartialEq)]\npub enum Primitive {{").unwrap();
    for element in &primitives {
        let payload = match element.kind {
            Kind::Empty => String::new(),
            Kind::Any => "(Box<Extension>)".into(),
            _ => format!("(Box<{}>)", type_name(element)),
        };
        writeln!(
            out,
            "    /// {}\n    {}{payload},",
            element.name,
            ident(&element.name)
        )
        .unwrap();
    }
    writeln!(out, "}}\n\nimpl Primitive {{").unwrap();
    let pattern = |element: &Element, inner: &str| match element.kind {
        Kind::Empty => format!("Self::{}", ident(&element.name)),
        _ => format!("Self::{}({inner})", ident(&element.name)),
    };
    writeln!(
        out,
        "    /// The element name.\n    pub fn tag(&self) -> Tag {{\n        match self {{"
    )
    .unwrap();
    for element in &primitives {
        writeln!(
            out,
            "            {} => Tag::{},",
            pattern(element, "_"),
            ident(&element.name)
        )
        .unwrap();
    }
    writeln!(out, "        }}\n    }}\n").unwrap();
    writeln!(out, "    /// Reads the primitive whose start has just been read; `None` when the element is no primitive.").unwrap();
    writeln!(out, "    pub(crate) fn read(tag: Tag, source: &mut dyn Source) -> Result<Option<Self>, SyntaxError> {{\n        Ok(Some(match tag {{").unwrap();
    for element in &primitives {
        let id = ident(&element.name);
        match element.kind {
            Kind::Empty => writeln!(
                out,
                "            Tag::{id} => {{ source.skip()?; Self::{id} }}"
            )
            .unwrap(),
            Kind::Any => writeln!(
                out,
                "            Tag::{id} => Self::{id}(Box::new(source.extension()?)),"
            )
            .unwrap(),
            _ if has_struct(element) => writeln!(
                out,
                "            Tag::{id} => {{ let mut value = Box::<{}>::default(); value.read_content(source)?; Self::{id}(value) }}",
                type_name(element)
            )
            .unwrap(),
            _ => writeln!(
                out,
                "            Tag::{id} => Self::{id}(Box::new({}::read(source)?)),",
                type_name(element)
            )
            .unwrap(),
        }
    }
    writeln!(
        out,
        "            _ => return Ok(None),\n        }}))\n    }}\n"
    )
    .unwrap();
    writeln!(
        out,
        "    pub(crate) fn write(&self, sink: &mut dyn Sink) {{\n        match self {{"
    )
    .unwrap();
    for element in &primitives {
        let id = ident(&element.name);
        match element.kind {
            Kind::Empty => {
                writeln!(out, "            Self::{id} => sink.empty(Tag::{id}),").unwrap()
            }
            Kind::Any => writeln!(
                out,
                "            Self::{id}(value) => sink.extension(Tag::{id}, value),"
            )
            .unwrap(),
            _ => writeln!(out, "            Self::{id}(value) => value.write(sink),").unwrap(),
        }
    }
    writeln!(out, "        }}\n    }}\n").unwrap();
    writeln!(out, "    /// Whether every mandatory element of `version` is there.\n    pub fn check(&self, version: Version) -> Result<(), MissingElement> {{\n        match self {{").unwrap();
    for element in primitives.iter().filter(|e| e.kind == Kind::Complex) {
        writeln!(
            out,
            "            Self::{}(value) => value.check(version, &mut Vec::new()),",
            ident(&element.name)
        )
        .unwrap();
    }
    writeln!(out, "            _ => Ok(()),\n        }}\n    }}\n}}\n").unwrap();
    for element in primitives.iter().filter(|e| e.kind == Kind::Complex) {
        writeln!(out, "impl From<{0}> for Primitive {{\n    fn from(value: {0}) -> Self {{\n        Self::{1}(Box::new(value))\n    }}\n}}\n", type_name(element), ident(&element.name)).unwrap();
    }
    writeln!(out, "/// (tag, versions as bits 1.1 = 1, 1.2 = 2, 1.3 = 4, sent by clients, sent by servers)\npub(crate) static PRIMITIVES: &[(Tag, u8, bool, bool)] = &[").unwrap();
    for element in &primitives {
        let direction = element.flags.get(1).map_or("both", String::as_str);
        writeln!(
            out,
            "    (Tag::{}, {}, {}, {}),",
            ident(&element.name),
            element.versions,
            direction != "S>C",
            direction != "C>S"
        )
        .unwrap();
    }
    writeln!(out, "];").unwrap();
}
