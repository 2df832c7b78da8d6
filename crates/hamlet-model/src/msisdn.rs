//! Phone numbers (data-types 1.9). Pure.

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
}
