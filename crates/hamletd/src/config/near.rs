//! Which known keys a misspelt one may have meant.

use super::Config;

/// At most three keys, the nearest first.
pub fn matches(given: &str) -> Vec<&'static str> {
    let given = given.to_ascii_lowercase().replace('-', "_");
    // What is longer than any key cannot be near one, and need not be compared at length.
    if given.len() > 64 {
        return Vec::new();
    }
    let mut near: Vec<(usize, &'static str)> = Config::keys()
        .iter()
        .filter_map(|key| distance(&given, key.name).map(|distance| (distance, key.name)))
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How far apart the two are; `None` if too far to have been meant.
fn distance(given: &str, key: &str) -> Option<usize> {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    // The right name in the wrong section, or without one.
    if last(given) == last(key) {
        return Some(1);
    }
    let edits = edits(given, key);
    (edits <= 1 + key.len() / 5).then_some(edits + 1)
}

/// Insertions, deletions and replacements of characters that lead from one to the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, c) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, d) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_finds_its_neighbours() {
        assert_eq!(matches("http.lisen")[0], "http.listen");
        assert_eq!(matches("auto_register"), ["accounts.auto_register"]);
        assert_eq!(
            matches("accounts.auto-register"),
            ["accounts.auto_register"]
        );
        assert_eq!(matches("doman"), ["domain"]);
        assert!(matches("wholly.different.thing").is_empty());
        assert!(matches(&"x".repeat(1_000_000)).is_empty());
    }

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "axc", 1),
            ("abc", "bc", 1),
        ] {
            assert_eq!(edits(from, to), count, "{from} {to}");
        }
    }
}
