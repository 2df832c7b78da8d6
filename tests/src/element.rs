//! An answer as a tree, whatever its syntax, read by readers of the tests' own.

/// How WBXML carried the content of an element. In XML every text is `Text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Neither text nor children.
    Empty,
    /// Other elements.
    Children,
    /// STR_I, or text of XML.
    Text,
    /// EXT_T_0.
    Token,
    /// OPAQUE, read as an integer.
    Opaque,
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its xmlns attribute, whole.
    pub namespace: Option<String>,
    /// Its text; an integer in decimal digits.
    pub text: String,
    /// How the content was carried.
    pub form: Form,
    /// Its children, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first element at a path such as `Result/Code`.
    pub fn at(&self, path: &str) -> Option<&Element> {
        self.all(path).into_iter().next()
    }

    /// All elements at a path.
    pub fn all(&self, path: &str) -> Vec<&Element> {
        path.split('/').fold(vec![self], |found, name| {
            found
                .iter()
                .flat_map(|element| element.children.iter().filter(|child| child.name == name))
                .collect()
        })
    }

    /// The text at a path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path).map(|element| element.text.as_str())
    }

    /// The texts of all elements at a path.
    pub fn texts(&self, path: &str) -> Vec<&str> {
        self.all(path)
            .iter()
            .map(|element| element.text.as_str())
            .collect()
    }

    /// The names of the children, in order.
    pub fn child_names(&self) -> Vec<&str> {
        self.children
            .iter()
            .map(|child| child.name.as_str())
            .collect()
    }

    /// This element and all below it.
    pub fn descendants(&self) -> Vec<&Element> {
        let mut found = vec![self];
        for child in &self.children {
            found.extend(child.descendants());
        }
        found
    }
}
