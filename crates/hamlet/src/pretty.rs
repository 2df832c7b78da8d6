//! XML with a line for each element.
//!
//! Works on what hamlet-csp writes: well-formed, no comments, no CDATA. An element that holds
//! text stays on one line as it is, so that nothing of its content changes.

/// Indents by one space a level.
pub fn pretty(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len() * 2);
    let mut depth = 0usize;
    let mut rest = xml;
    while let Some((piece, after)) = next_piece(rest) {
        rest = after;
        match piece {
            Piece::Text(text) if text.trim().is_empty() => {}
            Piece::Text(text) => put(&mut out, depth, text.trim()),
            Piece::Tag(tag) if tag.starts_with("</") => {
                depth = depth.saturating_sub(1);
                put(&mut out, depth, tag);
            }
            Piece::Tag(tag) if tag.starts_with("<?") || tag.starts_with("<!") => {
                put(&mut out, depth, tag);
            }
            Piece::Tag(tag) if tag.ends_with("/>") => put(&mut out, depth, tag),
            Piece::Tag(tag) => match length_if_text(rest) {
                Some(length) => {
                    let element = format!("{tag}{}", &rest[..length]);
                    put(&mut out, depth, &element);
                    rest = &rest[length..];
                }
                None => {
                    put(&mut out, depth, tag);
                    depth += 1;
                }
            },
        }
    }
    out
}

enum Piece<'x> {
    Tag(&'x str),
    Text(&'x str),
}

fn put(out: &mut String, depth: usize, piece: &str) {
    out.extend(std::iter::repeat_n(' ', depth));
    out.push_str(piece);
    out.push('\n');
}

fn next_piece(xml: &str) -> Option<(Piece<'_>, &str)> {
    if xml.is_empty() {
        return None;
    }
    if !xml.starts_with('<') {
        let end = xml.find('<').unwrap_or(xml.len());
        return Some((Piece::Text(&xml[..end]), &xml[end..]));
    }
    let end = tag_end(xml);
    Some((Piece::Tag(&xml[..end]), &xml[end..]))
}

/// Behind the `>` that closes the tag; a `>` in a quoted attribute does not.
fn tag_end(xml: &str) -> usize {
    let mut quote = None;
    for (at, octet) in xml.bytes().enumerate() {
        match (quote, octet) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(octet),
            (Some(open), octet) if open == octet => quote = None,
            _ => {}
        }
    }
    xml.len()
}

/// For an element with text of its own, or with none but white space between its tags: the
/// length of its content with the end tag.
fn length_if_text(content: &str) -> Option<usize> {
    let (mut depth, mut at) = (1usize, 0usize);
    let (mut mixed, mut children) = (false, false);
    while depth > 0 {
        let (piece, after) = next_piece(&content[at..])?;
        at = content.len() - after.len();
        match piece {
            Piece::Text(text) => mixed |= depth == 1 && !text.trim().is_empty(),
            Piece::Tag(tag) if tag.starts_with("</") => depth -= 1,
            Piece::Tag(tag) => {
                children = true;
                if depth == 1 && !mixed && !tag.ends_with("/>") {
                    // Only elements so far: text may still follow, which is rare, but the
                    // look ahead must stay short for what is only structure.
                    return None;
                }
                depth += usize::from(!tag.ends_with("/>"));
            }
        }
    }
    (mixed || !children).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn structure_is_indented_and_text_is_left_alone() {
        let xml = "<?xml version=\"1.0\"?><a x=\"1>2\"><b>  two\n words </b><c/><d><e></e><f>&lt;</f></d><g>mixed <h/> up</g></a>";
        assert_eq!(
            pretty(xml),
            "<?xml version=\"1.0\"?>\n<a x=\"1>2\">\n <b>  two\n words </b>\n <c/>\n <d>\n  <e></e>\n  <f>&lt;</f>\n </d>\n <g>mixed <h/> up</g>\n</a>\n"
        );
    }

    #[test]
    fn what_is_not_well_formed_ends_too() {
        for xml in ["", "<a", "<a>", "</a>", "<a><b>", "x", "<a>x", "<<<>>>"] {
            pretty(xml);
        }
    }
}
