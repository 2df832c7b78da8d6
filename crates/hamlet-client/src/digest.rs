//! DigestSchema and DigestBytes (data-types 3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt;
use std::str::FromStr;

/// A digest schema that can be computed, or PWD, which is none: the password itself goes into
/// the second Login-Request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Digest {
    /// The password itself; offer it over TLS only.
    Pwd,
    /// SHA-1.
    Sha,
    /// RSA MD5.
    Md5,
    /// RSA MD4.
    Md4,
}

impl Digest {
    /// All of them, best first; the password last.
    pub const ALL: [Self; 4] = [Self::Sha, Self::Md5, Self::Md4, Self::Pwd];

    /// The value of DigestSchema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pwd => "PWD",
            Self::Sha => "SHA",
            Self::Md5 => "MD5",
            Self::Md4 => "MD4",
        }
    }

    /// Reads a DigestSchema value, in any letter case; MD6 is none (data-types 3.1).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::ALL
            .into_iter()
            .find(|digest| digest.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| format!("`{text}` is none of sha, md5, md4, pwd"))
    }
}

/// DigestBytes for a nonce (data-types 3.2); `None` for [`Digest::Pwd`], which has none.
///
/// A password of characters up to U+00FF counts as ISO-8859-1, as phones do it, any other as
/// UTF-8.
pub fn digest_bytes(digest: Digest, nonce: &str, password: &str) -> Option<String> {
    let mut input = nonce.as_bytes().to_vec();
    let latin1: Option<Vec<u8>> = password
        .chars()
        .map(|character| u8::try_from(u32::from(character)).ok())
        .collect();
    input.extend(latin1.unwrap_or_else(|| password.as_bytes().to_vec()));
    Some(match digest {
        Digest::Pwd => return None,
        Digest::Sha => BASE64.encode(<sha1::Sha1 as sha1::Digest>::digest(&input)),
        Digest::Md5 => BASE64.encode(<md5::Md5 as md5::Digest>::digest(&input)),
        Digest::Md4 => BASE64.encode(<md4::Md4 as md4::Digest>::digest(&input)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_vectors_of_the_reference_come_out() {
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
            for (digest, expected) in [(Digest::Md4, md4), (Digest::Md5, md5), (Digest::Sha, sha)] {
                assert_eq!(
                    digest_bytes(digest, nonce, password).as_deref(),
                    Some(expected),
                    "{digest}"
                );
            }
        }
        assert_eq!(digest_bytes(Digest::Pwd, "n", "p"), None);
        // examples-1.3 section 3.
        assert_eq!(
            digest_bytes(Digest::Sha, "6e1f09c2a4b34d70b6d1", "blue-heron-42").as_deref(),
            Some("b9lV6uYvQhIJheP0IfkxNMlvlZQ=")
        );
    }

    #[test]
    fn a_password_beyond_latin_1_counts_as_utf_8() {
        let latin = digest_bytes(Digest::Md5, "", "\u{e4}");
        assert_eq!(
            latin,
            Some(BASE64.encode(<md5::Md5 as md5::Digest>::digest([0xE4])))
        );
        let greek = digest_bytes(Digest::Md5, "", "\u{3b1}");
        let utf8 = <md5::Md5 as md5::Digest>::digest("\u{3b1}".as_bytes());
        assert_eq!(greek, Some(BASE64.encode(utf8)));
    }

    #[test]
    fn schemas_are_read_in_any_case_and_md6_is_none() {
        assert_eq!(Digest::parse(" sha "), Some(Digest::Sha));
        assert_eq!(Digest::parse("MD6"), None);
        assert!("md5".parse::<Digest>().is_ok());
    }
}
