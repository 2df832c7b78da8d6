//! Foreign content: ExtBlock, ExtBlockETEM, ExtendedData, Extended-Request, -Response.

/// An element's foreign content with its namespace; carried, not understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extension {
    /// The xmlns of the element.
    pub namespace: Option<String>,
    /// Its content; attributes other than a child's xmlns are not kept.
    pub nodes: Vec<ExtensionNode>,
}

/// A piece of foreign content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionNode {
    /// Character data.
    Text(String),
    /// A child element.
    Element {
        /// Local name.
        name: String,
        /// Its own xmlns, if it has one.
        namespace: Option<String>,
        /// Its content.
        nodes: Vec<ExtensionNode>,
    },
}

impl Extension {
    /// The content as XML text, for keeping.
    pub fn to_xml(&self) -> String {
        let mut out = String::new();
        crate::xml_write::write_nodes(&mut out, &self.nodes);
        out
    }

    /// The inverse of [`Extension::to_xml`]; `None` for what is not well-formed.
    pub fn from_xml(namespace: Option<String>, xml: &str) -> Option<Self> {
        let nodes = crate::xml_read::read_fragment(xml)?;
        Some(Self { namespace, nodes })
    }
}
