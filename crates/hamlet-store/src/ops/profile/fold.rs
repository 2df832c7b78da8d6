//! The form in which texts are searched: lower case, two blanks before each word. A string of
//! one or two letters is so found by its trigram at the beginning of a word, and parts of
//! words of three letters and more anywhere, by the same index on both engines.

use hamlet_model::UserId;

/// A text as it is stored for searches; nothing for nothing.
pub(crate) fn stored(text: &str) -> String {
    let lower = text.to_lowercase();
    words(&lower).flat_map(|word| ["  ", word]).collect()
}

/// The user part of an address: it ends with the `@`, so that its end can be searched for.
pub(crate) fn stored_user(user: &UserId) -> String {
    format!("  {}@", user.user())
}

/// A string that is sought; one of less than three characters at the beginnings of words.
pub(crate) fn sought(text: &str) -> String {
    let lower = text.to_lowercase();
    padded(words(&lower).collect::<Vec<_>>().join("  "))
}

/// A part of the user part of addresses.
pub(crate) fn sought_user(part: &str, from_start: bool, to_end: bool) -> String {
    let start = if from_start { "  " } else { "" };
    let end = if to_end { "@" } else { "" };
    padded(format!("{start}{}{end}", part.to_lowercase()))
}

/// Some of the trigrams of a sought string that cover it: whoever has it has them all.
pub(crate) fn trigrams(sought: &str) -> Vec<String> {
    /// What more would find is hardly less.
    const MOST: usize = 24;
    let letters: Vec<char> = sought.chars().collect();
    let Some(last) = letters.len().checked_sub(3) else {
        return Vec::new();
    };
    let starts = (0..last).step_by(3).take(MOST).chain([last]);
    starts
        .map(|at| letters[at..at + 3].iter().collect())
        .collect()
}

/// What is between blanks and what else has no shape.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
}

fn padded(text: String) -> String {
    match text.chars().count() {
        0 | 3.. => text,
        1 => format!("  {text}"),
        _ => format!(" {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_any_part_and_short_strings_by_their_beginning() {
        for (text, string, found) in [
            ("Anna Maria", "anna", true),
            ("Anna Maria", "NNA", true),
            ("Anna Maria", "anna maria", true),
            ("Anna Maria", "na\tma", true),
            ("Anna Maria", "am", false),
            ("Anna Maria", "ma", true),
            ("Anna Maria", "m", true),
            ("Anna Maria", "ri", false),
            ("Anna Maria", "annamaria", false),
            ("ÄNNE", "änn", true),
            ("李明", "李明", true),
            ("李明", "明", false),
            ("a", "a", true),
        ] {
            let sought = sought(string);
            assert_eq!(stored(text).contains(&sought), found, "{text} {string}");
            let all = trigrams(&sought).iter().all(|t| stored(text).contains(t));
            assert!(all || !found, "{text} {string}");
        }
        assert_eq!(stored(" \u{0} "), "");
        assert_eq!(sought(" "), "");
    }

    #[test]
    fn trigrams_cover_a_string_and_are_not_too_many() {
        assert_eq!(trigrams("ann"), ["ann"]);
        assert_eq!(trigrams("anna"), ["ann", "nna"]);
        assert_eq!(trigrams("annama"), ["ann", "ama"]);
        assert_eq!(trigrams("an"), Vec::<String>::new());
        assert_eq!(trigrams(&"x".repeat(1000)).len(), 25);
    }
}
