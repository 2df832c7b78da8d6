//! MessageIDs: short, and never given twice (csp-im 2.6).

use hamlet_model::MessageId;
use hamlet_store::{Store, StoreError};
use parking_lot::Mutex;
use std::ops::Range;

/// Numbers that are reserved at a time; those not used by a process are lost.
const BLOCK: u64 = 1 << 16;

/// Makes them: a tag that differs from other servers', and a counter of the store's.
pub(crate) struct MessageIds {
    tag: String,
    numbers: Mutex<Range<u64>>,
}

impl MessageIds {
    pub(crate) fn new() -> Self {
        let mut tag = [0; 4];
        // Without randomness the counter alone still keeps them apart in this domain.
        let _ = getrandom::fill(&mut tag);
        Self {
            tag: base36(u64::from(u32::from_le_bytes(tag))),
            numbers: Mutex::new(0..0),
        }
    }

    pub(crate) async fn next(&self, store: &Store) -> Result<MessageId, StoreError> {
        let ready = self.numbers.lock().next();
        let number = match ready {
            Some(number) => number,
            None => {
                let first = store.write(|tx| tx.reserve("message", BLOCK)).await?;
                *self.numbers.lock() = first + 1..first + BLOCK;
                first
            }
        };
        Ok(MessageId::new(format!("{}-{}", self.tag, base36(number))))
    }
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_short() {
        for (number, text) in [(0, "0"), (35, "z"), (36, "10"), (u64::MAX, "3w5e11264sgsf")] {
            assert_eq!(base36(number), text);
        }
    }
}
