//! `hamlet share`: keeps a file in the server's content store and invites others to fetch it.

use super::groups::{check, invite_id};
use crate::account::{finish, list_address};
use crate::cli::{Account, Share};
use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::{Client, Recipients, Transport};
use std::fmt::Write as _;

/// Uploads the file, prints its URL, and invites.
pub async fn run(account: Account, options: Share) -> Result<(), Failure> {
    let octets = std::fs::read(&options.file)?;
    let name = options.file.file_name();
    let name = name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let media_type = match &options.media_type {
        Some(given) => given.clone(),
        None => media_type(&name)
            .ok_or_else(|| Failure::said("what is it? say so with --type, such as image/png"))?
            .to_owned(),
    };
    let target = format!(
        "{}/content?name={}",
        account.server.trim_end_matches('/'),
        encoded(&name)
    );
    let http = Transport::new(&target, account.transport()?)?;
    let mut client = account.open().await?;
    let outcome = share(&mut client, &options, http, &media_type, octets).await;
    finish(client, outcome).await
}

async fn share(
    client: &mut Client,
    options: &Share,
    mut http: Transport,
    media_type: &str,
    octets: Vec<u8>,
) -> Result<(), Failure> {
    let session = client.session().map(|session| session.id.to_string());
    let session = session.unwrap_or_default();
    let who = ("Authorization".to_owned(), format!("Bearer {session}"));
    let reply = http.post(media_type, &[who], octets.into()).await?;
    if reply.status != 201 {
        let why = match (reply.status, reply.body.is_empty()) {
            // It took the file for a message of CSP.
            (400 | 404 | 415, true) => "(has it a content store? see content.enabled)".into(),
            _ => String::from_utf8_lossy(&reply.body),
        };
        let text = format!("the server does not keep it: {} {why}", reply.status);
        return Err(Failure::said(plain(text.trim()).to_string()));
    }
    let kept: serde_json::Value = serde_json::from_slice(&reply.body)
        .map_err(|_| Failure::said("the server does not say where it keeps the file"))?;
    let url = kept["url"].as_str().unwrap_or_default().to_owned();
    line(plain(&url))?;
    let mut to = Recipients::new();
    for user in &options.with {
        to = to.user(user);
    }
    if options.with.is_empty() && options.groups.is_empty() {
        return Ok(());
    }
    // Only who is in a group reaches those who are (csp-access 10.2).
    let mut joined = Vec::with_capacity(options.groups.len());
    for group in &options.groups {
        let group = list_address(client.user(), group);
        client.join_group(&group, None).await?;
        to = to.group(&group);
        joined.push(group);
    }
    let note = options.note.as_deref();
    let shared = client.share(&invite_id(), vec![url], to, note, None).await;
    for group in &joined {
        client.leave_group(group).await?;
    }
    check(&shared?)
}

/// By the ending of the name.
fn media_type(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "bmp" => "image/bmp",
        "wbmp" => "image/vnd.wap.wbmp",
        "txt" => "text/plain; charset=utf-8",
        "vcf" => "text/x-vcard",
        "vcs" => "text/x-vcalendar",
        "amr" => "audio/amr",
        "mid" | "midi" => "audio/midi",
        "mp3" => "audio/mpeg",
        "wav" => "audio/x-wav",
        "3gp" => "video/3gpp",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

/// As a value in a query.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                text.push(char::from(octet));
            }
            // A String takes all.
            other => drop(write!(text, "%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_name_tells_its_type() {
        assert_eq!(media_type("cat.JPG"), Some("image/jpeg"));
        assert_eq!(media_type("cat"), None);
        assert_eq!(media_type("cat.exe"), None);
        assert_eq!(encoded("Kätz chen.png"), "K%C3%A4tz%20chen.png");
    }
}
