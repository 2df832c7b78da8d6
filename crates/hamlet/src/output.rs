//! Writing to the terminal.

use std::io::Write;

/// Writes one line to standard output.
pub fn line(text: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// A text from elsewhere, without what a terminal would obey: control characters but line
/// feed and tab become U+FFFD.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_message_cannot_command_the_terminal() {
        assert_eq!(
            super::plain("a\u{1b}[2Jb\n\u{9b}c"),
            "a\u{FFFD}[2Jb\n\u{FFFD}c"
        );
    }
}
