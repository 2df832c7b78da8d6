//! `hamlet convert`: a message between XML and WBXML, so that a captured one can be read.
//!
//! Reading is as tolerant as a server's: unknown elements are left out. What cannot be
//! carried over whole is an error.

use crate::cli::Convert;
use crate::failure::Failure;
use crate::pretty::pretty;
use hamlet_client::{Syntax, Version};
use hamlet_csp::{Document, WriteOptions, decode, encode};
use std::io::{Read, Write};

/// Largest input, octets.
const MAX_INPUT: u64 = 16 << 20;

/// Converts standard input to standard output.
pub fn run(options: &Convert, csp: Option<Version>) -> Result<(), Failure> {
    let mut input = Vec::new();
    std::io::stdin()
        .lock()
        .take(MAX_INPUT + 1)
        .read_to_end(&mut input)?;
    if input.len() as u64 > MAX_INPUT {
        return Err(Failure::said(format!(
            "the input is larger than {MAX_INPUT} octets"
        )));
    }
    let output = convert(
        &input,
        options.from.into(),
        options.to.into(),
        csp,
        options.pretty,
    )?;
    let mut out = std::io::stdout().lock();
    out.write_all(&output)?;
    out.flush()?;
    Ok(())
}

/// One message; `csp` is the version to write, the message's own when it is `None`.
pub fn convert(
    input: &[u8],
    from: Syntax,
    to: Syntax,
    csp: Option<Version>,
    readable: bool,
) -> Result<Vec<u8>, Failure> {
    let decoded = decode(input, from).map_err(Failure::said)?;
    // What names no version is read as 1.2 (transport 2.2).
    let version = csp.or(decoded.version).unwrap_or(Version::V1_2);
    if let Document::Message(message) = &decoded.document {
        for transaction in &message.transactions {
            let primitive = transaction.content.as_ref().map_err(Failure::said)?;
            let tag = primitive.tag();
            if !tag.is_sent_by_clients(version) && !tag.is_sent_by_servers(version) {
                return Err(Failure::said(format!("CSP {version} has no {tag}")));
            }
        }
    } else if version == Version::V1_1 {
        return Err(Failure::said("CSP 1.1 has no version discovery"));
    }
    let options = WriteOptions {
        doctype: decoded.doctype,
        ..WriteOptions::default()
    };
    let mut output = encode(&decoded.document, to, version, &options);
    if readable && to == Syntax::Xml {
        output = pretty(&String::from_utf8_lossy(&output)).into_bytes();
    }
    Ok(output)
}
