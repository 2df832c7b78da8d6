//! What a PresenceSubList holds beside the attributes of CSP: attributes of other namespaces,
//! which are carried, and names that CSP does not have, which are refused (csp-presence 3.6).

use hamlet_csp::elements::PresenceSubList;
use hamlet_csp::{Extension, ExtensionNode};
use hamlet_model::presence::ExtensionAttribute;

/// The beginnings of the namespaces of CSP, whatever the version.
const STANDARD: [&str; 2] = [
    "http://www.wireless-village.org/",
    "http://www.openmobilealliance.org/DTD/",
];

/// Longest name of an unknown attribute that is told back, characters.
const MAX_NAME: usize = 64;

/// The attributes of other namespaces.
pub fn carried(list: &PresenceSubList) -> Vec<ExtensionAttribute> {
    list.foreign
        .iter()
        .filter_map(|node| match node {
            ExtensionNode::Element {
                name,
                namespace: Some(namespace),
                nodes,
            } if !is_standard(namespace) => Some(ExtensionAttribute {
                namespace: namespace.clone(),
                name: name.clone(),
                content: Extension {
                    namespace: None,
                    nodes: nodes.clone(),
                }
                .to_xml(),
            }),
            _ => None,
        })
        .collect()
}

/// The names that claim to be attributes of CSP and are none (750).
pub fn unknown(list: &PresenceSubList) -> Vec<String> {
    list.foreign
        .iter()
        .filter_map(|node| match node {
            ExtensionNode::Element {
                name, namespace, ..
            } if namespace.as_deref().is_none_or(is_standard) => {
                Some(name.chars().take(MAX_NAME).collect())
            }
            _ => None,
        })
        .collect()
}

/// The elements that carry these attributes.
pub fn elements(attributes: &[ExtensionAttribute]) -> Vec<ExtensionNode> {
    attributes
        .iter()
        .filter_map(|attribute| {
            let content = Extension::from_xml(None, &attribute.content)?;
            Some(ExtensionNode::Element {
                name: attribute.name.clone(),
                namespace: Some(attribute.namespace.clone()),
                nodes: content.nodes,
            })
        })
        .collect()
}

fn is_standard(namespace: &str) -> bool {
    STANDARD
        .iter()
        .any(|beginning| namespace.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(name: &str, namespace: Option<&str>, text: &str) -> ExtensionNode {
        ExtensionNode::Element {
            name: name.into(),
            namespace: namespace.map(str::to_owned),
            nodes: vec![ExtensionNode::Text(text.into())],
        }
    }

    #[test]
    fn foreign_attributes_are_carried_and_false_ones_named() {
        let vendor = element("Weather", Some("urn:vendor"), "rain & wind");
        let list = PresenceSubList {
            foreign: vec![
                vendor.clone(),
                element("Shoes", None, "x"),
                element(
                    "Hat",
                    Some("http://www.openmobilealliance.org/DTD/WV-PA1.2"),
                    "x",
                ),
                ExtensionNode::Text("stray".into()),
            ],
            ..PresenceSubList::default()
        };
        assert_eq!(unknown(&list), ["Shoes", "Hat"]);
        let carried = carried(&list);
        assert_eq!(carried.len(), 1);
        assert_eq!(carried[0].content, "rain &amp; wind");
        assert_eq!(elements(&carried), [vendor]);
    }
}
