//! SessionPriority of several sessions of a user (csp-im 10.2). Pure.

/// What becomes of priorities that clients have asked for when one more does: its own, and
/// those of others that are not what they were, by their place in `others`.
///
/// Whoever asks last has what he asks for. Another one with the same priority goes to the
/// next free one below; where there is none, the new one goes to the next free one above.
pub(crate) fn settle(asked: u32, others: &[u32]) -> (u32, Vec<(usize, u32)>) {
    let is_free = |priority: &u32| *priority != asked && !others.contains(priority);
    let colliding: Vec<usize> = (0..others.len())
        .filter(|at| others[*at] == asked)
        .collect();
    let [first, ..] = colliding[..] else {
        return (asked, Vec::new());
    };
    match (0..asked).rev().find(is_free) {
        Some(below) => (asked, vec![(first, below)]),
        None => {
            let above = (asked..=u32::MAX).find(|priority| is_free(priority));
            (above.unwrap_or(asked), Vec::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_priorities_part() {
        for (asked, others, own, lowered) in [
            (5, &[][..], 5, &[][..]),
            (5, &[4, 6], 5, &[]),
            (5, &[5], 5, &[(0, 4)]),
            (5, &[7, 5], 5, &[(1, 4)]),
            (5, &[5, 4], 5, &[(0, 3)]),
            (1, &[1], 1, &[(0, 0)]),
            (0, &[0], 1, &[]),
            (1, &[0, 1, 2], 3, &[]),
        ] {
            let (mine, theirs) = settle(asked, others);
            assert_eq!((mine, &theirs[..]), (own, lowered), "{asked} {others:?}");
        }
    }
}
