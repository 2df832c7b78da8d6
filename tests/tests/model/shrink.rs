//! Makes a failing run shorter: whatever can be left out without saving it is left out.

use std::time::Instant;

/// The shortest run found before the deadline that still fails, and how.
pub async fn shrink<Step: Clone>(
    mut steps: Vec<Step>,
    mut failure: String,
    deadline: Instant,
    fails: impl AsyncFn(&[Step]) -> Option<String>,
) -> (Vec<Step>, String) {
    let mut piece = steps.len().div_ceil(2);
    while piece > 0 {
        let mut from = 0;
        while from < steps.len() {
            if Instant::now() > deadline {
                return (steps, failure);
            }
            let mut shorter = steps.clone();
            shorter.drain(from..(from + piece).min(steps.len()));
            match fails(&shorter).await {
                Some(how) => (steps, failure) = (shorter, how),
                None => from += piece,
            }
        }
        piece = match piece {
            1 => 0,
            _ => piece.div_ceil(2),
        };
    }
    (steps, failure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::Step;
    use std::time::Duration;

    #[tokio::test]
    async fn what_does_not_matter_is_left_out() {
        let poll = |client| Step::Drain { client };
        let run: Vec<_> = (0..100).map(poll).collect();
        // It takes 17 and, after it, 60.
        let fails = async |steps: &[Step]| {
            let at = |client| steps.iter().position(|step| *step == poll(client));
            (at(17)? < at(60)?).then(|| "it fails".to_owned())
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        let (short, how) = shrink(run, String::new(), deadline, fails).await;
        assert_eq!(short, [poll(17), poll(60)]);
        assert_eq!(how, "it fails");
    }
}
