//! Passwords at rest: encrypted under a key that is not in the database, because digest
//! login needs them back (data-types 3.2), or hashed where digest login is switched off.

use crate::login::digest;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};
use hamlet_model::UserId;
use tokio::sync::Semaphore;

/// Length of the key, octets.
pub const KEY_LENGTH: usize = 32;

const ENCRYPTED: u8 = 1;
const HASHED: u8 = 2;
const NONCE_LENGTH: usize = 12;

/// Makes and reads the stored form of passwords. The first octet of that form tells its
/// kind, so that a server may change from one to the other.
pub(crate) struct Credentials {
    cipher: ChaCha20Poly1305,
    hash_new: bool,
    hashing: Semaphore,
}

/// What is known of a user's password.
pub(crate) enum Secret {
    Password(String),
    /// Argon2id, in the PHC string format.
    Hash(String),
    /// It cannot be read: another key, or damaged.
    Unreadable,
}

impl Credentials {
    /// `hash_new`: new passwords are hashed, at most `concurrent_hashes` at a time.
    pub(crate) fn new(key: &[u8; KEY_LENGTH], hash_new: bool, concurrent_hashes: usize) -> Self {
        Self {
            cipher: ChaCha20Poly1305::new(&Key::from(*key)),
            hash_new,
            hashing: Semaphore::new(concurrent_hashes.max(1)),
        }
    }

    /// The stored form of a new password; `None` when the system has no randomness or no
    /// memory for it.
    pub(crate) async fn seal(&self, user: &UserId, password: &str) -> Option<Vec<u8>> {
        if self.hash_new {
            let password = password.to_owned();
            let hash = self.hashed(move || hash(&password)).await??;
            return Some([&[HASHED][..], hash.as_bytes()].concat());
        }
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).ok()?;
        let payload = Payload {
            msg: password.as_bytes(),
            aad: user.as_str().as_bytes(),
        };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload).ok()?;
        Some([&[ENCRYPTED][..], &nonce, &sealed].concat())
    }

    /// Reads the stored form.
    pub(crate) fn open(&self, user: &UserId, stored: &[u8]) -> Secret {
        match stored.split_first() {
            Some((&ENCRYPTED, rest)) => self.decrypt(user, rest).unwrap_or(Secret::Unreadable),
            Some((&HASHED, hash)) => match String::from_utf8(hash.to_vec()) {
                Ok(hash) => Secret::Hash(hash),
                Err(_) => Secret::Unreadable,
            },
            _ => Secret::Unreadable,
        }
    }

    fn decrypt(&self, user: &UserId, rest: &[u8]) -> Option<Secret> {
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LENGTH>()?;
        let payload = Payload {
            msg: sealed,
            aad: user.as_str().as_bytes(),
        };
        let password = self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()?;
        String::from_utf8(password).ok().map(Secret::Password)
    }

    /// Whether `password` is the one.
    pub(crate) async fn verify(&self, secret: &Secret, password: &str) -> bool {
        match secret {
            Secret::Password(known) => digest::same(known, password),
            Secret::Hash(hash) => {
                let (hash, password) = (hash.clone(), password.to_owned());
                self.hashed(move || matches(&hash, &password))
                    .await
                    .unwrap_or(false)
            }
            Secret::Unreadable => false,
        }
    }

    /// Runs costly work on a thread of its own, when it is its turn.
    async fn hashed<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _turn = self.hashing.acquire().await.ok()?;
        tokio::task::spawn_blocking(work).await.ok()
    }
}

fn hash(password: &str) -> Option<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).ok()?;
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .ok()
        .map(|hash| hash.to_string())
}

fn matches(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|parsed| {
        Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::Domain;

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("im.example").unwrap()).unwrap()
    }

    #[tokio::test]
    async fn an_encrypted_password_comes_back_for_its_user_and_key_only() {
        let credentials = Credentials::new(&[7; 32], false, 1);
        let stored = credentials.seal(&user("anna"), "secret").await.unwrap();
        assert!(!stored.windows(6).any(|w| w == b"secret"));
        let secret = credentials.open(&user("anna"), &stored);
        assert!(matches!(&secret, Secret::Password(p) if p == "secret"));
        assert!(credentials.verify(&secret, "secret").await);
        assert!(!credentials.verify(&secret, "Secret").await);

        let other_key = Credentials::new(&[8; 32], false, 1);
        for secret in [
            credentials.open(&user("bob"), &stored),
            other_key.open(&user("anna"), &stored),
            credentials.open(&user("anna"), &stored[..9]),
            credentials.open(&user("anna"), &[]),
        ] {
            assert!(matches!(secret, Secret::Unreadable));
            assert!(!credentials.verify(&secret, "secret").await);
        }
    }

    #[tokio::test]
    async fn a_hashed_password_can_only_be_checked() {
        let credentials = Credentials::new(&[7; 32], true, 1);
        let stored = credentials.seal(&user("anna"), "secret").await.unwrap();
        let secret = credentials.open(&user("anna"), &stored);
        assert!(matches!(secret, Secret::Hash(_)));
        assert!(credentials.verify(&secret, "secret").await);
        assert!(!credentials.verify(&secret, "wrong").await);
    }
}
