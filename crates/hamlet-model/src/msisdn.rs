//! Telephone numbers (data-types 1.1, 1.9; transport 3.8). Pure.

use compact_str::CompactString;
use std::fmt;

/// Most digits of a number in international form.
pub const MAX_DIGITS: usize = 15;

/// The one form of a number: digits, after `+` when it is international.
///
/// Blanks, hyphens, dots, slashes and brackets are not looked at, and a leading `00` is `+`.
/// A number without either is a local one: it is completed with `country_code` (digits
/// only) if that is known, without the `0` that such numbers are dialled with. `None` for
/// what is no number.
pub fn normalise(text: &str, country_code: &str) -> Option<String> {
    let is_filling = |c: char| c.is_whitespace() || matches!(c, '-' | '.' | '/' | '(' | ')');
    let text: String = text.chars().filter(|c| !is_filling(*c)).collect();
    if text.is_empty() {
        return None;
    }
    let international = text.strip_prefix('+').or_else(|| text.strip_prefix("00"));
    let number = match international {
        Some(digits) => format!("+{digits}"),
        None if country_code.is_empty() => text,
        None => format!("+{country_code}{}", text.strip_prefix('0').unwrap_or(&text)),
    };
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_number = (1..=MAX_DIGITS).contains(&digits.len())
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some(number)
}

/// Fewest digits of a number by which somebody is known.
const MIN_DIGITS: usize = 3;

/// A telephone number in international form, by which somebody is known: 3 to 15 digits,
/// written with `+` in front.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(CompactString);

impl Msisdn {
    /// Reads a number as networks, gateways and people write it: `+358 50 1234567`,
    /// `00358501234567`, `358501234567`, `tel:+358-50-1234567`. A number without `+` or `00`
    /// is taken to be in international form already. `None` if it is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match text.split_at_checked(4) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest,
            _ => text,
        };
        let number = normalise(text, "")?;
        let digits = number.strip_prefix('+').unwrap_or(&number);
        (digits.len() >= MIN_DIGITS).then(|| Self(CompactString::new(digits)))
    }

    /// The digits, without `+`.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_brought_into_one_form() {
        for (given, country_code, normal) in [
            ("+358501234567", "", Some("+358501234567")),
            ("+358 (50) 123-45.67", "34", Some("+358501234567")),
            ("00358501234567", "", Some("+358501234567")),
            ("600000000", "", Some("600000000")),
            ("600000000", "34", Some("+34600000000")),
            ("050 1234567", "358", Some("+358501234567")),
            ("", "", None),
            ("+", "", None),
            ("", "358", None),
            ("1234567890123456", "", None),
            ("+12x", "", None),
            ("1+2", "", None),
        ] {
            let got = normalise(given, country_code);
            assert_eq!(got.as_deref(), normal, "{given} {country_code}");
        }
    }
    #[test]
    fn who_is_known_by_a_number_has_it_in_international_form() {
        for (text, number) in [
            ("+358501234567", Some("+358501234567")),
            ("00358501234567", Some("+358501234567")),
            ("358501234567", Some("+358501234567")),
            (" tel:+358-50-123 4567 ", Some("+358501234567")),
            ("Tel:+1 (425) 555.0100", Some("+14255550100")),
            ("112", Some("+112")),
            ("12", None),
            ("+", None),
            ("anna", None),
            ("1234567890123456", None),
            ("телефон", None),
        ] {
            let read = Msisdn::parse(text).map(|number| number.to_string());
            assert_eq!(read.as_deref(), number, "{text}");
        }
    }
}
