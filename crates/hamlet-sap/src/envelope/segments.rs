//! Responses that are larger than the client can parse, kept to be fetched in parts
//! (csp-access 14). Pure.

use hamlet_csp::Text;
use hamlet_csp::elements::{SegmentId, SegmentInfo};
use hamlet_model::{StatusCode, Timestamp};
use std::collections::VecDeque;
use std::time::Duration;

/// Most responses of one session that are kept.
const MAX_RESPONSES: usize = 4;

/// Most octets of them together.
const MAX_OCTETS: usize = 1 << 20;

/// Smallest part that is worth sending, octets.
const MIN_PART: usize = 64;

/// How long a response is kept after it was last asked for.
const KEEP: Duration = Duration::from_secs(300);

/// The segmented responses of a session, the oldest first.
#[derive(Default)]
pub(crate) struct Segments {
    responses: VecDeque<Segmented>,
}

struct Segmented {
    transaction: Text,
    octets: Vec<u8>,
    /// Octets of a part, but for the last.
    part: usize,
    used: Timestamp,
}

/// One part.
#[derive(Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) octets: Vec<u8>,
    pub(crate) info: SegmentInfo,
}

impl Segments {
    /// Keeps the response of a transaction, to be sent in parts of so many octets; its first
    /// part. `None` when it is too large, or the parts too small.
    pub(crate) fn keep(
        &mut self,
        transaction: &str,
        octets: Vec<u8>,
        part: usize,
        now: Timestamp,
    ) -> Option<Part> {
        if octets.len() > MAX_OCTETS || part < MIN_PART {
            return None;
        }
        self.remove(transaction);
        self.expire(now);
        let free = MAX_OCTETS - octets.len();
        while self.responses.len() >= MAX_RESPONSES || self.octets() > free {
            self.responses.pop_front();
        }
        let response = Segmented {
            transaction: transaction.into(),
            octets,
            part,
            used: now,
        };
        let first = response.part(1);
        self.responses.push_back(response);
        first
    }

    /// A part of a response; 404 when it is not kept, 402 when it has no such part.
    pub(crate) fn get(
        &mut self,
        transaction: &str,
        reference: u32,
        now: Timestamp,
    ) -> Result<Part, StatusCode> {
        self.expire(now);
        let mut responses = self.responses.iter_mut();
        let response = responses
            .find(|response| response.transaction == transaction)
            .ok_or(StatusCode::NOT_FOUND)?;
        response.used = now;
        response.part(reference).ok_or(StatusCode::BAD_PARAMETER)
    }

    /// Forgets a response; whether it was there.
    pub(crate) fn remove(&mut self, transaction: &str) -> bool {
        let before = self.responses.len();
        self.responses
            .retain(|response| response.transaction != transaction);
        self.responses.len() < before
    }

    fn octets(&self) -> usize {
        let lengths = self.responses.iter().map(|response| response.octets.len());
        lengths.sum()
    }

    /// Forgets what nobody has asked for in time.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.responses
            .retain(|response| now.since(response.used) < KEEP);
    }
}

impl Segmented {
    /// The part of this number, from 1.
    fn part(&self, reference: u32) -> Option<Part> {
        let index = (reference as usize).checked_sub(1)?;
        let octets = self.octets.chunks(self.part).nth(index)?.to_vec();
        let count = self.octets.len().div_ceil(self.part);
        Some(Part {
            octets,
            info: SegmentInfo {
                segment_count: u32::try_from(count).ok(),
                segment_id: Some(SegmentId {
                    transaction_id: Some(self.transaction.clone()),
                    segment_reference: Some(reference),
                }),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn the_parts_make_the_whole_again() {
        for length in [1u32, 99, 100, 101, 200, 250] {
            let whole: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut segments = Segments::default();
            let first = segments.keep("t1", whole.clone(), 100, at(0)).unwrap();
            let count = first.info.segment_count.unwrap();
            assert_eq!(count, length.div_ceil(100));
            let mut joined = first.octets;
            for reference in 2..=count {
                let part = segments.get("t1", reference, at(1)).unwrap();
                assert_eq!(part.info.segment_count, Some(count));
                joined.extend(part.octets);
            }
            assert_eq!(joined, whole);
            for outside in [0, count + 1, u32::MAX] {
                let refused = segments.get("t1", outside, at(1));
                assert_eq!(refused, Err(StatusCode::BAD_PARAMETER), "{outside}");
            }
        }
    }

    #[test]
    fn what_is_dropped_or_old_or_one_too_many_is_not_found() {
        let mut segments = Segments::default();
        let found = |segments: &mut Segments, id: &str, now| segments.get(id, 1, now).is_ok();
        for id in ["t1", "t2", "t3", "t4", "t5"] {
            assert!(segments.keep(id, vec![0; 200], 100, at(0)).is_some());
        }
        assert!(!found(&mut segments, "t1", at(0)), "four are kept");
        assert!(found(&mut segments, "t2", at(299)));
        assert!(!found(&mut segments, "t3", at(300)), "nobody asked for it");
        assert!(found(&mut segments, "t2", at(598)));
        assert!(segments.remove("t2") && !segments.remove("t2"));
        assert_eq!(segments.get("t2", 1, at(598)), Err(StatusCode::NOT_FOUND));
    }

    #[test]
    fn together_they_are_bounded() {
        let mut segments = Segments::default();
        for id in ["t1", "t2", "t3"] {
            segments.keep(id, vec![0; MAX_OCTETS / 2], 1000, at(0));
        }
        assert_eq!(segments.octets(), MAX_OCTETS);
        assert_eq!(segments.get("t1", 1, at(0)), Err(StatusCode::NOT_FOUND));
        assert!(
            segments
                .keep("t4", vec![0; MAX_OCTETS], 1000, at(0))
                .is_some()
        );
        assert_eq!(segments.responses.len(), 1);
    }

    #[test]
    fn nothing_is_kept_that_could_not_be_fetched_sensibly() {
        let mut segments = Segments::default();
        assert!(
            segments
                .keep("t", vec![0; 200], MIN_PART - 1, at(0))
                .is_none()
        );
        assert!(
            segments
                .keep("t", vec![0; MAX_OCTETS + 1], 1000, at(0))
                .is_none()
        );
        assert!(segments.responses.is_empty());
    }
}
