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

/// White space between elements is no content.
pub(crate) fn drop_blank(nodes: &mut Vec<ExtensionNode>) {
    if nodes
        .iter()
        .any(|node| matches!(node, ExtensionNode::Element { .. }))
    {
        nodes.retain(|node| !matches!(node, ExtensionNode::Text(text) if text.trim().is_empty()));
    }
}

/// The local part of a name, fit to be written as XML: a WBXML literal can be any text, and
/// tokenisers take almost any; one with `>` or `/` in it must not become another element.
pub(crate) fn local_name(name: &str) -> String {
    let local = name.rsplit(':').next().unwrap_or(name);
    let fit = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins_well = local.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut out = String::with_capacity(local.len() + 1);
    if !begins_well {
        out.push('_');
    }
    out.extend(local.chars().map(|c| if fit(c) { c } else { '_' }));
    match crate::Tag::from_name(&out) {
        Some(tag) => tag.name().to_owned(),
        None => out,
    }
}
