//! Reading trace files: what hamletd writes with `trace.dir`, one file for each session.
//!
//! An exchange begins with `== <time> <in|out> <content-type or -> <HTTP status or ->`; `in`
//! goes from client to server. `header: Name: value` lines, `hex:` lines with the raw body and
//! an informative `xml:` line follow. Lines that begin with `#` are comments. Passwords and
//! digests stand masked by asterisks of the same number.

use std::path::Path;

/// Largest file, octets.
const MAX_FILE: u64 = 256 << 20;

/// One body on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Line of the file, from 1.
    pub line: usize,
    /// ISO 8601, UTC.
    pub at: String,
    /// From client to server.
    pub is_request: bool,
    /// Content-Type.
    pub content_type: Option<String>,
    /// HTTP status of an answer.
    pub status: Option<u16>,
    /// HTTP headers that matter.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

/// A request and what it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The request.
    pub request: Exchange,
    /// The answer; `None` when the file ends before it.
    pub answer: Option<Exchange>,
}

/// What is wrong with a trace file.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line is none of the format's.
    #[error("line {line}: {what}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<Recorded>, TraceError> {
    if std::fs::metadata(path)?.len() > MAX_FILE {
        return Err(TraceError::Line {
            line: 0,
            what: format!("the file is larger than {MAX_FILE} octets"),
        });
    }
    Ok(pairs(parse(&std::fs::read_to_string(path)?)?))
}

/// The bodies, in the order of the file.
pub fn parse(text: &str) -> Result<Vec<Exchange>, TraceError> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (at, content) in text.lines().enumerate() {
        let line = at + 1;
        let fault = |what: &str| TraceError::Line {
            line,
            what: what.to_owned(),
        };
        if content.trim().is_empty() || content.starts_with('#') {
            continue;
        }
        if let Some(head) = content.strip_prefix("== ") {
            exchanges.push(start(line, head).ok_or_else(|| fault("no start of an exchange"))?);
            continue;
        }
        let exchange = exchanges
            .last_mut()
            .ok_or_else(|| fault("it belongs to no exchange"))?;
        let (key, value) = content
            .split_once(':')
            .ok_or_else(|| fault("it is none of ==, header:, hex:, xml:, #"))?;
        match key {
            "hex" => hex(value, &mut exchange.body).ok_or_else(|| fault("no hex digits"))?,
            "header" => {
                let (name, value) = value.split_once(':').ok_or_else(|| fault("no header"))?;
                let header = (name.trim().to_owned(), value.trim().to_owned());
                exchange.headers.push(header);
            }
            "xml" => {}
            _ => return Err(fault("it is none of ==, header:, hex:, xml:, #")),
        }
    }
    Ok(exchanges)
}

/// Answers stand in the order of their requests, also where several were open at a time.
pub fn pairs(exchanges: Vec<Exchange>) -> Vec<Recorded> {
    let mut recorded: Vec<Recorded> = Vec::new();
    for exchange in exchanges {
        if exchange.is_request {
            recorded.push(Recorded {
                request: exchange,
                answer: None,
            });
        } else if let Some(open) = recorded.iter_mut().find(|pair| pair.answer.is_none()) {
            open.answer = Some(exchange);
        }
    }
    recorded
}

fn start(line: usize, head: &str) -> Option<Exchange> {
    let mut words = head.split_whitespace();
    let at = words.next()?.to_owned();
    let is_request = match words.next()? {
        "in" => true,
        "out" => false,
        _ => return None,
    };
    // A Content-Type may hold blanks before its parameters; the status is the last word.
    let rest: Vec<&str> = words.collect();
    let (status, content_type) = rest.split_last()?;
    let status = match *status {
        "-" => None,
        status => Some(status.parse().ok()?),
    };
    let content_type = content_type.join(" ");
    Some(Exchange {
        line,
        at,
        is_request,
        content_type: Some(content_type).filter(|text| !text.is_empty() && text != "-"),
        status,
        ..Exchange::default()
    })
}

fn hex(digits: &str, into: &mut Vec<u8>) -> Option<()> {
    let mut high = None;
    for digit in digits.chars().filter(|digit| !digit.is_whitespace()) {
        let value = u8::try_from(digit.to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(value << 4),
            Some(high) => into.push(high | value),
        }
    }
    high.is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# a trace\n\
        == 2026-01-01T00:00:00.000Z in application/vnd.wv.csp.xml; charset=utf-8 -\n\
        header: User-Agent: Android-Imps/0.1\n\
        hex: 3c61\n\
        hex: 2f 3e\n\
        xml: <a/>\n\
        \n\
        == 2026-01-01T00:00:01.000Z in - -\n\
        == 2026-01-01T00:00:02.000Z out application/vnd.wv.csp.xml 200\n\
        hex: 3C622F3E\n\
        == 2026-01-01T00:00:03.000Z out - 415\n";

    #[test]
    fn exchanges_are_read_and_answers_find_their_requests() {
        let recorded = pairs(parse(FILE).unwrap());
        assert_eq!(recorded.len(), 2);
        let first = &recorded[0];
        assert_eq!(first.request.body, b"<a/>");
        assert_eq!(
            first.request.content_type.as_deref(),
            Some("application/vnd.wv.csp.xml; charset=utf-8")
        );
        assert_eq!(
            first.request.headers,
            [("User-Agent".to_owned(), "Android-Imps/0.1".to_owned())]
        );
        let answer = first.answer.as_ref().unwrap();
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (Some(200), &b"<b/>"[..])
        );
        let second = &recorded[1];
        assert!(second.request.body.is_empty() && second.request.content_type.is_none());
        assert_eq!(second.answer.as_ref().unwrap().status, Some(415));
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, line) in [
            ("hex: 00", 1),
            ("== x sideways - -", 1),
            ("== x in -", 0),
            ("== x in - -\nhex: 0", 2),
            ("== x in - -\nhex: zz", 2),
            ("== x in - -\nnonsense", 2),
            ("# ok\n\nwhat: x", 3),
        ] {
            match parse(text) {
                Err(TraceError::Line { line: at, .. }) => assert_eq!(at, line, "{text}"),
                Ok(_) => assert_eq!(line, 0, "{text}"),
                Err(error) => panic!("{error}"),
            }
        }
    }
}
