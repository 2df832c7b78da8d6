//! What clients say on STCP and SUDP (transport 6.3, 6.4). Pure.

/// A line, or a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// `HELO` and the SessionID.
    Helo(&'a str),
    /// `PING`, with a SessionID if the client adds one.
    Ping(Option<&'a str>),
    /// Blank.
    Nothing,
    /// Anything else.
    Other,
}

/// Reads a line without its LF. Commands are compared without case, blanks at the end do not
/// count (Android pings with one); a SessionID may contain blanks.
pub(crate) fn parse(line: &[u8]) -> Line<'_> {
    let Ok(text) = std::str::from_utf8(line) else {
        return Line::Other;
    };
    let text = text.trim_end_matches([' ', '\t', '\r', '\n', '\0']);
    let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
    if text.is_empty() {
        Line::Nothing
    } else if command.eq_ignore_ascii_case("HELO") {
        Line::Helo(rest)
    } else if command.eq_ignore_ascii_case("PING") {
        Line::Ping((!rest.is_empty()).then_some(rest))
    } else {
        Line::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_clients_write_them() {
        for (line, read) in [
            (
                &b"HELO im.user.com#48815@server.com\r"[..],
                Line::Helo("im.user.com#48815@server.com"),
            ),
            (b"helo a b \r", Line::Helo("a b")),
            (b"HELO", Line::Helo("")),
            (b"HELO s\r\n", Line::Helo("s")),
            (b"PING\r", Line::Ping(None)),
            // Android.
            (b"PING \r", Line::Ping(None)),
            (b"ping s", Line::Ping(Some("s"))),
            (b"", Line::Nothing),
            (b"\r", Line::Nothing),
            (b"HELOs", Line::Other),
            (b"GET / HTTP/1.1\r", Line::Other),
            (b"\xff\xfe", Line::Other),
        ] {
            assert_eq!(parse(line), read, "{line:?}");
        }
    }
}
