//! Digests of a 4-way login (data-types 3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha1::Sha1;

/// DigestBytes: the hash of nonce and password, in base64.
pub fn of(schema: &str, nonce: &str, password: &str) -> String {
    let input = [nonce.as_bytes(), password.as_bytes()].concat();
    match schema {
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
}
