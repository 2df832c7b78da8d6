//! Digests of a 4-way login (data-types 3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md4::Md4;
use md5::{Digest, Md5};
use sha1::Sha1;

/// DigestBytes: the hash of nonce and password, in base64.
pub fn of(schema: &str, nonce: &str, password: &str) -> String {
    let input = [nonce.as_bytes(), password.as_bytes()].concat();
    match schema {
        "MD4" => STANDARD.encode(Md4::digest(input)),
        "MD5" => STANDARD.encode(Md5::digest(input)),
        "SHA" => STANDARD.encode(Sha1::digest(input)),
        other => panic!("a client without {other}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_digest_is_the_recorded_one() {
        let digest = super::of("MD5", "abcNONCE", "secret");
        assert_eq!(digest, "ktSj1nIHxh6tXya5KSnaEw==");
    }

    #[test]
    fn digests_are_those_of_the_reference() {
        // data-types 3.2.
        for (schema, digest) in [
            ("MD4", "tjrrfxQ1B8M1MePc4Wb0ZQ=="),
            ("MD5", "3NFrDNDffcL78s6NWiJ17w=="),
            ("SHA", "rpg4uKTejo5bPpnlybqnDmF76I4="),
        ] {
            assert_eq!(super::of(schema, "N0nce-4711", "secret"), digest);
        }
    }
}
