//! What both writers offer to the generated code.

use crate::extension::{Extension, ExtensionNode};
use crate::leaf::ContentData;
use crate::version::Namespace;
use crate::written::Written;
use crate::{DateTime, Tag, Version};

/// A writer of one version.
pub(crate) trait Sink {
    fn version(&self) -> Version;
    /// The version whose children are written; `None` when all are.
    fn shape(&self) -> Option<Version>;
    /// Opens an element that may have children.
    fn start(&mut self, tag: Tag);
    /// Opens an element that names its namespace.
    fn start_in(&mut self, tag: Tag, namespace: Namespace);
    fn end(&mut self, tag: Tag);
    fn empty(&mut self, tag: Tag);
    /// Free text and identifiers.
    fn text(&mut self, tag: Tag, text: &str);
    /// Text that is one of a set: a value token where the version has one.
    fn token(&mut self, tag: Tag, text: &str);
    fn boolean(&mut self, tag: Tag, value: bool);
    fn integer(&mut self, tag: Tag, value: u32);
    fn content(&mut self, tag: Tag, data: &ContentData);
    fn octets(&mut self, tag: Tag, octets: &[u8]);
    fn extension(&mut self, tag: Tag, extension: &Extension);
    /// A primitive that was written in this form before.
    fn written(&mut self, written: &Written);
    /// Children that CSP does not have here.
    fn foreign(&mut self, nodes: &[ExtensionNode]);

    fn date_time(&mut self, tag: Tag, at: DateTime) {
        let text = compact_str::format_compact!("{at}");
        self.text(tag, &text);
    }
}
