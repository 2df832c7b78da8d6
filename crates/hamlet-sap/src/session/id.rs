//! Identifiers that nobody can guess.

use hamlet_model::SessionId;

/// 32 digits of a 128-bit random number: short and plain enough for every client
/// (data-types 1.3). `None` when the system has no randomness.
pub(crate) fn new_session_id() -> Option<SessionId> {
    random_text().map(SessionId::new)
}

/// A nonce (data-types 3.2).
pub(crate) fn new_nonce() -> Option<String> {
    random_text()
}

/// A password for a user who did not choose one.
pub(crate) fn new_password() -> Option<String> {
    random_text().map(|text| text.chars().take(24).collect())
}

/// What names a session in its SHTTP URL (transport 6.6).
pub(crate) fn new_cir_id() -> Option<String> {
    random_text()
}

fn random_text() -> Option<String> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(octets)))
}
