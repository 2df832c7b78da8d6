//! Links to maps: everything that the map needs is in the link itself, encrypted, so that any
//! server of the domain can draw it, nobody can guess one, and none outlives its time.

use super::draw::Wanted;
use crate::login::credentials::KEY_LENGTH;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce, XChaCha20Poly1305, XNonce};
use hamlet_map::Format;
use hamlet_model::Timestamp;

/// The folder of links on the HTTP listener.
const FOLDER: &str = "map";
const NONCE_LENGTH: usize = 24;
/// Two places, accuracy, size, format, time.
const PLAIN_LENGTH: usize = 4 + 4 + 4 + 2 + 2 + 1 + 8;

/// A map until a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) wanted: Wanted,
    pub(crate) until: Timestamp,
}

/// Makes and reads links.
pub(crate) struct Links(XChaCha20Poly1305);

/// The link in a path, whatever comes before it: a proxy may have cut something off or not.
pub(crate) fn token_in(path: &str) -> Option<&str> {
    let (folder, file) = path.rsplit_once('/')?;
    let folder = folder.rsplit('/').next();
    let (token, _) = file.split_once('.')?;
    (folder == Some(FOLDER)).then_some(token)
}

impl Links {
    /// Under a key that is derived from the server's.
    pub(crate) fn new(key: &[u8; KEY_LENGTH]) -> Self {
        // The octets that a cipher makes of nothing but a nonce of our own are a key of our own.
        let cipher = ChaCha20Poly1305::new(&Key::from(*key));
        let derived = cipher.encrypt(&Nonce::from(*b"links to map"), &[0; KEY_LENGTH][..]);
        let mut own = [0; KEY_LENGTH];
        if let Some((octets, _)) = derived.ok().as_deref().and_then(<[u8]>::split_first_chunk) {
            own = *octets;
        }
        Self(XChaCha20Poly1305::new(&own.into()))
    }

    /// Path and file name; `None` when the system has no randomness.
    pub(crate) fn path(&self, link: &Link) -> Option<String> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).ok()?;
        let Wanted {
            latitude,
            longitude,
            accuracy,
            width,
            height,
            format,
        } = link.wanted;
        let (format, suffix) = match format {
            Format::Png => (0, "png"),
            Format::Gif => (1, "gif"),
            Format::Jpeg => (2, "jpg"),
        };
        let mut plain = Vec::with_capacity(PLAIN_LENGTH);
        plain.extend(latitude.to_le_bytes());
        plain.extend(longitude.to_le_bytes());
        plain.extend(accuracy.to_le_bytes());
        plain.extend(width.to_le_bytes());
        plain.extend(height.to_le_bytes());
        plain.push(format);
        plain.extend(link.until.millis().to_le_bytes());
        let payload = Payload {
            msg: &plain,
            aad: &[],
        };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).ok()?;
        let token = URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat());
        Some(format!("{FOLDER}/{token}.{suffix}"))
    }

    /// What a link leads to; `None` for one that is none, or whose time is over.
    pub(crate) fn open(&self, token: &str, now: Timestamp) -> Option<Wanted> {
        let octets = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = octets.split_first_chunk::<NONCE_LENGTH>()?;
        let plain = self.0.decrypt(&XNonce::from(*nonce), sealed).ok()?;
        let mut rest = plain.as_slice();
        let latitude = i32::from_le_bytes(take(&mut rest)?);
        let longitude = i32::from_le_bytes(take(&mut rest)?);
        let accuracy = u32::from_le_bytes(take(&mut rest)?);
        let width = u16::from_le_bytes(take(&mut rest)?);
        let height = u16::from_le_bytes(take(&mut rest)?);
        let [format] = take(&mut rest)?;
        let until = Timestamp::from_millis(i64::from_le_bytes(take(&mut rest)?));
        let wanted = Wanted {
            latitude,
            longitude,
            accuracy,
            width,
            height,
            format: *Format::ALL.get(usize::from(format))?,
        };
        (now <= until).then_some(wanted)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::Coordinates;
    use std::time::Duration;

    #[test]
    fn a_link_leads_to_its_map_until_its_time() {
        let now = Timestamp::from_millis(1_000_000);
        let center = Coordinates::new(-33.45, -70.66).unwrap();
        for format in Format::ALL {
            let link = Link {
                wanted: Wanted {
                    format,
                    ..Wanted::new(center, Some(50.0), (240, 200))
                },
                until: now.plus(Duration::from_secs(600)),
            };
            let links = Links::new(&[7; KEY_LENGTH]);
            let path = links.path(&link).unwrap();
            assert!(path.len() < 120, "{path}");
            let below = format!("/imps/{path}");
            let token = token_in(&below).unwrap();
            assert_eq!(links.open(token, now), Some(link.wanted));
            assert_eq!(links.open(token, link.until), Some(link.wanted));
            let late = link.until.plus(Duration::from_millis(1));
            assert_eq!(links.open(token, late), None);
            assert_ne!(links.path(&link).unwrap(), path, "each is another");
            assert_eq!(Links::new(&[8; KEY_LENGTH]).open(token, now), None);
            let mut forged = token.to_owned();
            forged.replace_range(40..41, if token[40..41] == *"A" { "B" } else { "A" });
            assert_eq!(links.open(&forged, now), None);
        }
    }

    #[test]
    fn other_paths_are_no_links() {
        for path in [
            "/",
            "/map",
            "/map/",
            "/map/abc",
            "/cir/abc.png",
            "/maps/a.png",
        ] {
            assert_eq!(token_in(path), None, "{path}");
        }
        assert_eq!(token_in("/map/abc.png"), Some("abc"));
        let links = Links::new(&[7; KEY_LENGTH]);
        for token in ["", "abc", "%", &"A".repeat(100)] {
            assert_eq!(links.open(token, Timestamp::now()), None);
        }
    }
}
