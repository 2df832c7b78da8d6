//! A primitive that is written once and put into many messages: what a group of thousands
//! gets differs in session and transaction only.

use crate::document::WriteOptions;
use crate::wbxml_write::WbxmlSink;
use crate::xml_write::XmlSink;
use crate::{Primitive, Syntax, Tag, Version};

/// A primitive in the octets of one form: version, syntax and options.
///
/// A message that holds it is, octet for octet, the one that holds the primitive itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub(crate) form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Xml(String),
    Wbxml(hamlet_wbxml::Part),
}

impl Written {
    /// Writes a primitive; `None` when that cannot be done by itself: in WBXML, when it
    /// holds names without tokens.
    pub fn new(
        primitive: &Primitive,
        syntax: Syntax,
        version: Version,
        options: &WriteOptions,
    ) -> Option<Self> {
        let form = match syntax {
            Syntax::Xml => {
                let mut sink = XmlSink::part(version, options);
                primitive.write(&mut sink);
                Form::Xml(sink.into_text())
            }
            Syntax::Wbxml => {
                // It will stand directly behind the start of this element.
                let (page, _) = Tag::TransactionContent.token(version)?;
                let mut sink = WbxmlSink::part(version, options, page);
                primitive.write(&mut sink);
                Form::Wbxml(sink.into_part(page)?)
            }
        };
        Some(Self { form })
    }

    /// Its octets.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Xml(text) => text.len(),
            Form::Wbxml(part) => part.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
