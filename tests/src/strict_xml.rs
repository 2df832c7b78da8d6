//! A reader of XML as strict as the clients that search strings (clients GEN-3).

use crate::element::{Element, Form};

/// Reads a document, which must be one line without white space between elements, without
/// prefixes, CDATA, comments, processing instructions and DOCTYPE, with no other attribute
/// than xmlns and no other entities than the five predefined ones.
pub fn read(body: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let mut reader = Reader { rest: text };
    let root = reader.element()?;
    if reader.rest.is_empty() {
        Ok(root)
    } else {
        Err(format!("after the root: {:?}", reader.rest))
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn element(&mut self) -> Result<Element, String> {
        self.expect("<")?;
        let (inside, rest) = self
            .rest
            .split_once('>')
            .ok_or("a tag that is not closed")?;
        self.rest = rest;
        let (inside, is_empty) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!("the tag name {name:?}"));
        }
        let mut element = Element {
            name: name.to_owned(),
            namespace: namespace(attributes)?,
            text: String::new(),
            form: Form::Empty,
            children: Vec::new(),
        };
        if is_empty {
            return Ok(element);
        }
        let end = format!("</{name}>");
        while !self.rest.starts_with(&end) {
            if self.rest.starts_with('<') {
                element.children.push(self.element()?);
                element.form = Form::Children;
            } else {
                let (text, _) = self.rest.split_once('<').ok_or("text at the end")?;
                self.rest = &self.rest[text.len()..];
                element.text.push_str(&unescape(text)?);
                element.form = Form::Text;
            }
        }
        if !element.children.is_empty() && !element.text.is_empty() {
            return Err(format!(
                "text beside elements in {name}: {:?}",
                element.text
            ));
        }
        self.expect(&end)?;
        Ok(element)
    }

    fn expect(&mut self, what: &str) -> Result<(), String> {
        self.rest = self
            .rest
            .strip_prefix(what)
            .ok_or_else(|| format!("{what} expected before {:.40}", self.rest))?;
        Ok(())
    }
}

fn namespace(attributes: &str) -> Result<Option<String>, String> {
    if attributes.is_empty() {
        return Ok(None);
    }
    attributes
        .strip_prefix("xmlns=\"")
        .and_then(|value| value.strip_suffix('"'))
        .filter(|value| !value.contains('"'))
        .map(|value| Some(value.to_owned()))
        .ok_or_else(|| format!("the attributes {attributes:?}"))
}

fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';').ok_or("an entity without end")?;
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            // Otherwise a parser makes a line feed of it.
            "#13" => '\r',
            other => return Err(format!("the entity {other:?}")),
        });
        rest = after;
    }
    plain.push_str(rest);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_document_that_clients_can_read_is_read() {
        let root = read(b"<A xmlns=\"urn:a\"><B>x &amp; y</B><C/></A>").unwrap();
        assert_eq!(root.namespace.as_deref(), Some("urn:a"));
        assert_eq!(root.text("B"), Some("x & y"));
        assert_eq!(root.child_names(), ["B", "C"]);
    }

    #[test]
    fn what_such_clients_stumble_over_is_refused() {
        for bad in [
            "<?xml version=\"1.0\"?><A/>",
            "<A><!-- x --></A>",
            "<A><![CDATA[x]]></A>",
            "<a:A/>",
            "<A> <B/></A>",
            "<A x=\"1\"/>",
            "<A>&#65;</A>",
            "<A/>\n",
            "<A></B>",
            "<A>",
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
