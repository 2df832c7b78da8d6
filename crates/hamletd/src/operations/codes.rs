//! Invitation codes.

use super::{Actor, Failure, FailureKind, Operations, Page};
use hamlet_model::Timestamp;
use hamlet_store::InvitationCode;
use std::time::Duration;

impl Operations {
    /// Makes a code with which so many users may register within so many days.
    pub async fn add_code(
        &self,
        by: &Actor,
        uses: u32,
        days: u32,
    ) -> Result<InvitationCode, Failure> {
        let target = format!("{uses} uses, {days} days");
        let add = async {
            if uses == 0 || days == 0 {
                return Err(Failure::invalid(
                    "a code needs at least one use and one day",
                ));
            }
            let created = Timestamp::now();
            let no_randomness =
                || Failure::new(FailureKind::Internal, "the system has no randomness");
            let code = InvitationCode {
                code: new_code().ok_or_else(no_randomness)?,
                uses,
                created,
                expires: created.plus(Duration::from_secs(u64::from(days) * 86_400)),
            };
            let row = code.clone();
            let made = self.store.write(move |tx| tx.put_invitation_code(&row));
            match made.await? {
                true => Ok(code),
                false => Err(Failure::conflict("this code was there already; try again")),
            }
        };
        self.audited(by, "invitation-code.add", &target, add).await
    }

    /// Codes in the order of their texts, at most `limit` of them.
    pub async fn codes(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<InvitationCode>, Failure> {
        let after = after.unwrap_or_default().to_owned();
        let codes = self
            .store
            .read(move |tx| tx.invitation_codes(&after, limit.saturating_add(1)))
            .await?;
        Ok(Page::of(codes, limit))
    }

    /// Deletes a code; its text as it was kept.
    pub async fn delete_code(&self, by: &Actor, code: &str) -> Result<String, Failure> {
        let code = code.trim().to_ascii_uppercase();
        // The whole would let its reader register.
        let target: String = code.chars().take(3).chain(['…']).collect();
        let delete = async {
            let key = code.clone();
            let gone = self.store.write(move |tx| tx.remove_invitation_code(&key));
            match gone.await? {
                true => Ok(code),
                false => Err(Failure::missing("there is no such code")),
            }
        };
        self.audited(by, "invitation-code.delete", &target, delete)
            .await
    }
}

/// Ten letters and digits that are not taken for each other: 50 bits.
fn new_code() -> Option<String> {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut octets = [0; 10];
    getrandom::fill(&mut octets).ok()?;
    let letter = |octet: u8| char::from(ALPHABET[usize::from(octet) % ALPHABET.len()]);
    Some(octets.into_iter().map(letter).collect())
}
