//! Reads `model/csp.model`.

use std::collections::BTreeMap;

/// Versions as bits: 1.1 = 1, 1.2 = 2, 1.3 = 4.
pub type Versions = u8;

#[derive(Debug, Clone, PartialEq)]
pub struct Particle {
    pub child: String,
    /// Name of the leaf type when the parent overrides it.
    pub leaf: Option<String>,
    pub many: bool,
    /// Exactly one, outside any alternative.
    pub required: bool,
    /// Alternatives of one choice share a number.
    pub choice: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    String,
    Text,
    Token,
    Enum(Vec<String>),
    Boolean,
    Int,
    Number,
    DateTime,
    Content,
    /// Text, several of them in one element with commas where a version takes one.
    List,
    Octets,
    Empty,
    Any,
    Complex,
}

#[derive(Debug, Clone)]
pub struct Element {
    pub name: String,
    pub doc: String,
    pub flags: Vec<String>,
    pub kind: Kind,
    pub versions: Versions,
    /// For complex elements: content per version (index 0 = 1.1).
    pub models: [Option<Vec<Particle>>; 3],
    pub reads: Vec<Particle>,
}

impl Element {
    pub fn flag(&self, prefix: &str) -> Option<&str> {
        self.flags.iter().find_map(|flag| flag.strip_prefix(prefix))
    }

    pub fn is_primitive(&self) -> bool {
        self.flags.iter().any(|flag| flag == "primitive")
    }

    /// All children over all versions, in the order of the newest version first.
    pub fn fields(&self) -> Vec<Particle> {
        let mut fields: Vec<Particle> = Vec::new();
        for model in self
            .models
            .iter()
            .rev()
            .flatten()
            .chain(std::iter::once(&self.reads))
        {
            for particle in model {
                match fields
                    .iter_mut()
                    .find(|field| field.child == particle.child)
                {
                    Some(field) => field.many |= particle.many,
                    None => fields.push(particle.clone()),
                }
            }
        }
        fields
    }
}

impl Element {
    /// The children of all versions in one order that agrees with every version's as far as
    /// they agree with each other: that of the newest, and each other child before the next
    /// sibling of its own version that is there.
    pub fn merged(&self) -> Vec<Particle> {
        let fields = self.fields();
        let mut order: Vec<String> = Vec::new();
        for model in self
            .models
            .iter()
            .rev()
            .flatten()
            .chain(std::iter::once(&self.reads))
        {
            for (at, particle) in model.iter().enumerate() {
                if order.contains(&particle.child) {
                    continue;
                }
                let place = model[at..]
                    .iter()
                    .find_map(|later| order.iter().position(|known| *known == later.child));
                order.insert(place.unwrap_or(order.len()), particle.child.clone());
            }
        }
        order
            .iter()
            .filter_map(|child| fields.iter().find(|field| field.child == *child).cloned())
            .collect()
    }
}

pub struct Model {
    pub elements: BTreeMap<String, Element>,
    pub order: Vec<String>,
}

impl Model {
    pub fn parse(text: &str) -> Self {
        let mut model = Self {
            elements: BTreeMap::new(),
            order: Vec::new(),
        };
        let mut doc = String::new();
        let mut current: Option<Element> = None;
        for (number, line) in text.lines().enumerate() {
            let fail = |what: &str| -> ! { panic!("csp.model:{}: {what}: {line}", number + 1) };
            if line.starts_with("  ") {
                let Some(element) = current.as_mut() else {
                    fail("content without an element")
                };
                let (range, content) = line
                    .trim()
                    .split_once(char::is_whitespace)
                    .unwrap_or_else(|| fail("no content"));
                element.add(range, content.trim());
            } else if let Some(comment) = line.strip_prefix('#') {
                model.close(current.take());
                doc = comment.trim().to_owned();
            } else if !line.trim().is_empty() {
                model.close(current.take());
                let mut words = line.split_whitespace().map(str::to_owned);
                current = Some(Element {
                    name: words.next().unwrap_or_else(|| fail("no name")),
                    doc: std::mem::take(&mut doc),
                    flags: words.collect(),
                    kind: Kind::Complex,
                    versions: 0,
                    models: [None, None, None],
                    reads: Vec::new(),
                });
            }
        }
        model.close(current.take());
        model.check();
        model
    }

    fn close(&mut self, element: Option<Element>) {
        if let Some(element) = element {
            self.order.push(element.name.clone());
            let name = element.name.clone();
            assert!(
                self.elements.insert(name.clone(), element).is_none(),
                "{name} is declared twice"
            );
        }
    }

    fn check(&self) {
        for element in self.elements.values() {
            for particle in element.fields() {
                assert!(
                    self.elements.contains_key(&particle.child),
                    "{}: {} is not declared",
                    element.name,
                    particle.child
                );
                if let Some(leaf) = &particle.leaf {
                    assert!(
                        self.elements.contains_key(leaf),
                        "{}: {leaf} is not declared",
                        element.name
                    );
                }
            }
        }
    }

    /// The element whose leaf kind or struct a particle has.
    pub fn target<'a>(&'a self, particle: &Particle) -> &'a Element {
        &self.elements[particle.leaf.as_deref().unwrap_or(&particle.child)]
    }
}

impl Element {
    fn add(&mut self, range: &str, content: &str) {
        if range == "reads" {
            self.reads = Parser::new(content).parse();
            return;
        }
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let index = |text: &str| -> usize {
            let minor: usize = text
                .strip_prefix("1.")
                .and_then(|m| m.parse().ok())
                .unwrap_or_else(|| panic!("{}: {range}", self.name));
            minor - 1
        };
        let (low, high) = (index(low), index(high));
        for version in low..=high {
            self.versions |= 1 << version;
        }
        if self
            .flags
            .iter()
            .any(|flag| flag == "envelope" || flag.starts_with("type="))
        {
            return;
        }
        self.kind = match content {
            "string" => Kind::String,
            "text" => Kind::Text,
            "token" => Kind::Token,
            "boolean" => Kind::Boolean,
            "int" => Kind::Int,
            "number" => Kind::Number,
            "dateTime" => Kind::DateTime,
            "content" => Kind::Content,
            "list" => Kind::List,
            "octets" => Kind::Octets,
            "any" => Kind::Any,
            "EMPTY" => {
                for version in low..=high {
                    self.models[version] = Some(Vec::new());
                }
                if self.kind == Kind::Complex && self.models.iter().flatten().any(|m| !m.is_empty())
                {
                    Kind::Complex
                } else {
                    Kind::Empty
                }
            }
            _ => match content.strip_prefix("enum ") {
                Some(values) => Kind::Enum(
                    values
                        .split('|')
                        .map(|value| value.trim().to_owned())
                        .collect(),
                ),
                None => {
                    let particles = Parser::new(content).parse();
                    for version in low..=high {
                        self.models[version] = Some(particles.clone());
                    }
                    Kind::Complex
                }
            },
        };
    }
}

/// A content model, flattened to its children in order.
struct Parser<'a> {
    rest: &'a str,
    choices: usize,
    out: Vec<Particle>,
}

impl<'a> Parser<'a> {
    fn new(content: &'a str) -> Self {
        Self {
            rest: content,
            choices: 0,
            out: Vec::new(),
        }
    }

    fn parse(mut self) -> Vec<Particle> {
        self.group(None);
        assert!(self.rest.is_empty(), "left over: {}", self.rest);
        self.out
    }

    fn group(&mut self, outer_choice: Option<usize>) {
        let start = self.out.len();
        let mut choice = outer_choice;
        loop {
            self.rest = self.rest.trim_start();
            let item_start = self.out.len();
            if let Some(rest) = self.rest.strip_prefix('(') {
                self.rest = rest;
                self.group(None);
                self.rest = self
                    .rest
                    .trim_start()
                    .strip_prefix(')')
                    .unwrap_or_else(|| panic!("no ) at {}", self.rest));
            } else {
                let end = self
                    .rest
                    .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '=')))
                    .unwrap_or(self.rest.len());
                let (name, rest) = self.rest.split_at(end);
                assert!(!name.is_empty(), "no name at {}", self.rest);
                self.rest = rest;
                let (child, leaf) = match name.split_once('=') {
                    Some((child, leaf)) => (child, Some(leaf.to_owned())),
                    None => (name, None),
                };
                self.out.push(Particle {
                    child: child.into(),
                    leaf,
                    many: false,
                    required: true,
                    choice: None,
                });
            }
            let mark = self.rest.chars().next();
            if let Some(mark @ ('?' | '*' | '+')) = mark {
                self.rest = &self.rest[1..];
                let single = self.out.len() == item_start + 1;
                for particle in &mut self.out[item_start..] {
                    particle.many |= mark != '?';
                    particle.required &= mark == '+' && single;
                }
            }
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix('|') {
                self.rest = rest;
                if choice.is_none() {
                    self.choices += 1;
                    choice = Some(self.choices);
                }
            } else {
                break;
            }
        }
        if choice.is_some() {
            for particle in &mut self.out[start..] {
                particle.required = false;
                particle.choice = choice;
            }
        }
    }
}
