//! Digests of 4-way login (data-types 3). Pure.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md4::Md4;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// DigestSchema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Schema {
    Sha,
    Md5,
    Md4,
    /// The password itself.
    Pwd,
}

impl Schema {
    /// In the server's order of preference (data-types 3.1).
    const BY_PREFERENCE: [Self; 4] = [Self::Sha, Self::Md5, Self::Md4, Self::Pwd];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sha => "SHA",
            Self::Md5 => "MD5",
            Self::Md4 => "MD4",
            Self::Pwd => "PWD",
        }
    }

    /// The preferred one of those offered; an element may hold a comma separated list.
    /// `pwd` says whether the password itself may be asked for.
    pub(crate) fn choose(offered: &[impl AsRef<str>], pwd: bool) -> Option<Self> {
        let offers = |schema: Self| {
            offered
                .iter()
                .flat_map(|element| element.as_ref().split(','))
                .any(|name| name.trim().eq_ignore_ascii_case(schema.as_str()))
        };
        Self::BY_PREFERENCE
            .into_iter()
            .filter(|schema| pwd || *schema != Self::Pwd)
            .find(|schema| offers(*schema))
    }

    fn hash(self, nonce: &str, password: &[u8]) -> Vec<u8> {
        fn of<D: Digest>(nonce: &str, password: &[u8]) -> Vec<u8> {
            D::new()
                .chain_update(nonce.as_bytes())
                .chain_update(password)
                .finalize()
                .to_vec()
        }
        match self {
            Self::Sha => of::<Sha1>(nonce, password),
            Self::Md5 => of::<Md5>(nonce, password),
            Self::Md4 => of::<Md4>(nonce, password),
            Self::Pwd => password.to_vec(),
        }
    }
}

/// Whether `digest_bytes`, base64 with or without padding and line breaks, proves the
/// knowledge of the password (data-types 3.2).
pub(crate) fn proves(schema: Schema, nonce: &str, password: &str, digest_bytes: &str) -> bool {
    if schema == Schema::Pwd {
        return false;
    }
    let text: String = digest_bytes.split_ascii_whitespace().collect();
    let lenient = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let Ok(given) = lenient.decode(text) else {
        return false;
    };
    let matches = |password: &[u8]| bool::from(schema.hash(nonce, password).ct_eq(&given));
    matches(password.as_bytes()) || latin1(password).is_some_and(|password| matches(&password))
}

/// Compares without telling by the time how much agrees.
pub(crate) fn same(left: &str, right: &str) -> bool {
    let hash = |text: &str| Sha1::digest(text.as_bytes());
    // Hashes of equal length hide the length of the password, too.
    hash(left).ct_eq(&hash(right)).into() && left == right
}

/// What Android and S60 hash: characters narrowed to 8 bits; `None` when they do not fit or
/// are the same octets as UTF-8.
fn latin1(text: &str) -> Option<Vec<u8>> {
    if text.is_ascii() {
        return None;
    }
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_reference_are_met() {
        for (nonce, password, md4, md5, sha) in [
            (
                "N0nce-4711",
                "secret",
                "tjrrfxQ1B8M1MePc4Wb0ZQ==",
                "3NFrDNDffcL78s6NWiJ17w==",
                "rpg4uKTejo5bPpnlybqnDmF76I4=",
            ),
            (
                "a1b2c3d4e5f60718293a4b5c6d7e8f90",
                "Pa ss+word9",
                "eLH7Xur/HieTtyYEEm3b9w==",
                "IRHd3z30Gfl1QiUPekb57A==",
                "P+kLQvWynmhEPCU0sZMwukHRg8A=",
            ),
        ] {
            for (schema, digest) in [(Schema::Md4, md4), (Schema::Md5, md5), (Schema::Sha, sha)] {
                assert!(proves(schema, nonce, password, digest));
                assert!(proves(
                    schema,
                    nonce,
                    password,
                    digest.trim_end_matches('=')
                ));
                assert!(proves(schema, nonce, password, &format!(" {digest}\r\n")));
                assert!(!proves(schema, nonce, "wrong", digest));
                assert!(!proves(schema, "other", password, digest));
            }
        }
        assert!(proves(
            Schema::Md5,
            "abcNONCE",
            "secret",
            "ktSj1nIHxh6tXya5KSnaEw=="
        ));
        for bad in ["", "=", "not base64!", "AAAA"] {
            assert!(!proves(Schema::Md5, "abcNONCE", "secret", bad), "{bad}");
        }
        assert!(!proves(Schema::Pwd, "n", "secret", "c2VjcmV0"));
    }

    #[test]
    fn a_password_beyond_ascii_may_be_hashed_in_either_charset() {
        let engine = base64::engine::general_purpose::STANDARD;
        let utf8 = engine.encode(Md5::digest("n\u{fc}".as_bytes()));
        let latin = engine.encode(Md5::digest(b"n\xfc"));
        assert!(proves(Schema::Md5, "n", "\u{fc}", &utf8));
        assert!(proves(Schema::Md5, "n", "\u{fc}", &latin));
    }

    #[test]
    fn the_schema_is_the_servers_choice_among_the_clients() {
        let choose = |offered: &[&str], pwd| Schema::choose(offered, pwd).map(Schema::as_str);
        assert_eq!(choose(&["MD5"], true), Some("MD5"));
        assert_eq!(choose(&["MD5", "SHA"], true), Some("SHA"));
        assert_eq!(choose(&["PWD,SHA,MD4,MD5,MD6"], true), Some("SHA"));
        assert_eq!(choose(&["PWD", "md4"], true), Some("MD4"));
        assert_eq!(choose(&["PWD"], true), Some("PWD"));
        assert_eq!(choose(&["PWD"], false), None);
        assert_eq!(choose(&["MD6"], true), None);
        assert_eq!(choose(&[], true), None);
    }

    #[test]
    fn texts_are_the_same_only_when_equal() {
        assert!(same("secret", "secret"));
        assert!(!same("secret", "secreT"));
        assert!(!same("", "x"));
    }
}
