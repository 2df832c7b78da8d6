//! DateTime and DeliveryTime (data-types 2.1, wbxml 5.4).

use hamlet_model::Timestamp;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// A point in time, to the second, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(OffsetDateTime);

impl DateTime {
    /// From milliseconds; the fraction of a second is dropped. Years outside 0-9999 become 1970.
    pub fn from_timestamp(at: Timestamp) -> Self {
        let at =
            OffsetDateTime::from_unix_timestamp(at.secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self(if (0..=9999).contains(&at.year()) {
            at
        } else {
            OffsetDateTime::UNIX_EPOCH
        })
    }

    /// The same point in time.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_secs(self.0.unix_timestamp())
    }

    /// Reads every form of data-types 2.1: basic and extended format, with or without
    /// seconds, fraction and zone; no zone is UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let date_end = text.bytes().position(|b| matches!(b, b'T' | b't' | b' '))?;
        let (date, rest) = (&text[..date_end], &text[date_end + 1..]);
        let zone_at = rest
            .bytes()
            .position(|b| b.is_ascii_alphabetic() || matches!(b, b'+' | b'-'))
            .unwrap_or(rest.len());
        let (clock, zone) = rest.split_at(zone_at);
        let second_end = clock.bytes().position(|b| matches!(b, b'.' | b','));
        let clock = &clock[..second_end.unwrap_or(clock.len())];
        let (date, clock) = (digits(date, b'-')?, digits(clock, b':')?);
        let ([y1, y2, y3, y4, m1, m2, d1, d2], 8) = date else {
            return None;
        };
        let ([h1, h2, min1, min2, s1, s2, ..], 4 | 6) = clock else {
            return None;
        };
        let month = Month::try_from(m1 * 10 + m2).ok()?;
        let year = i32::from(y1) * 1000 + i32::from(y2) * 100 + i32::from(y3 * 10 + y4);
        let date = Date::from_calendar_date(year, month, d1 * 10 + d2).ok()?;
        let second = (s1 * 10 + s2).min(59);
        let time = Time::from_hms(h1 * 10 + h2, min1 * 10 + min2, second).ok()?;
        Self::checked(PrimitiveDateTime::new(date, time).assume_offset(parse_zone(zone)?))
    }

    /// Reads the packed six octets; impossible dates are `None`.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        let octets: [u8; 6] = octets.try_into().ok()?;
        let bits = octets
            .iter()
            .fold(0u64, |sum, octet| sum << 8 | u64::from(*octet));
        let field = |at: u32, width: u32| ((bits >> at) & ((1 << width) - 1)) as u16;
        let month = Month::try_from(field(30, 4) as u8).ok()?;
        let date =
            Date::from_calendar_date(i32::from(field(34, 12)), month, field(25, 5) as u8).ok()?;
        let time =
            Time::from_hms(field(20, 5) as u8, field(14, 6) as u8, field(8, 6) as u8).ok()?;
        let zone = military_zone(field(0, 8) as u8).unwrap_or(UtcOffset::UTC);
        Self::checked(PrimitiveDateTime::new(date, time).assume_offset(zone))
    }

    /// In UTC; `None` for what the written form cannot hold.
    fn checked(at: OffsetDateTime) -> Option<Self> {
        let at = at.checked_to_offset(UtcOffset::UTC)?;
        (0..=9999).contains(&at.year()).then_some(Self(at))
    }
}

/// `YYYYMMDDThhmmssZ`.
impl std::fmt::Display for DateTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.0;
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        write!(
            f,
            "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
            at.hour(),
            at.minute(),
            at.second()
        )
    }
}

/// At most eight digits without the separators between them, and how many; others are 0.
fn digits(text: &str, separator: u8) -> Option<([u8; 8], usize)> {
    let mut out = [0; 8];
    let mut count = 0;
    for octet in text.bytes().filter(|octet| *octet != separator) {
        *out.get_mut(count)? = octet.is_ascii_digit().then(|| octet - b'0')?;
        count += 1;
    }
    Some((out, count))
}

fn parse_zone(zone: &str) -> Option<UtcOffset> {
    let mut octets = zone.bytes();
    match (octets.next(), zone.len()) {
        (None, _) => Some(UtcOffset::UTC),
        (Some(letter), 1) => military_zone(letter.to_ascii_uppercase()),
        (Some(sign @ (b'+' | b'-')), _) => {
            let digits: String = octets.filter(|b| *b != b':').map(char::from).collect();
            let (hours, minutes) = digits.split_at(digits.len().min(2));
            let minutes: i8 = if minutes.is_empty() {
                0
            } else {
                minutes.parse().ok()?
            };
            let hours: i8 = hours.parse().ok()?;
            let factor = if sign == b'-' { -1 } else { 1 };
            UtcOffset::from_hms(factor * hours, factor * minutes, 0).ok()
        }
        _ => None,
    }
}

/// A = +1 .. I = +9, K = +10 .. M = +12, N = -1 .. Y = -12, Z = 0; J is no zone.
fn military_zone(letter: u8) -> Option<UtcOffset> {
    let hours = match letter {
        b'A'..=b'I' => i8::try_from(letter - b'A').ok()? + 1,
        b'K'..=b'M' => i8::try_from(letter - b'K').ok()? + 10,
        b'N'..=b'Y' => -(i8::try_from(letter - b'N').ok()? + 1),
        b'Z' => 0,
        _ => return None,
    };
    UtcOffset::from_hms(hours, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_form_is_read() {
        for (text, written) in [
            ("20010925T134013Z", "20010925T134013Z"),
            ("20010925T134013", "20010925T134013Z"),
            ("20010925T1340Z", "20010925T134000Z"),
            ("2001-09-25T13:40:13Z", "20010925T134013Z"),
            ("2001-09-25T13:40:13+01:00", "20010925T124013Z"),
            ("2001-09-25T13:40:13+0100", "20010925T124013Z"),
            ("2001-09-25T13:40:13+01", "20010925T124013Z"),
            ("2001-09-25T13:40:13-05:00", "20010925T184013Z"),
            ("20010925T134013A", "20010925T124013Z"),
            ("20010925T134013Y", "20010926T014013Z"),
            ("2024-05-01T12:00:00.123456", "20240501T120000Z"),
        ] {
            assert_eq!(
                DateTime::parse(text).map(|at| at.to_string()).as_deref(),
                Some(written),
                "{text}"
            );
        }
        for text in [
            "",
            "T",
            "20010925",
            "20011325T000000Z",
            "20010925T254013Z",
            "20010925T134013J",
            "2001092ST134013Z",
        ] {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_packed_form_is_read() {
        let octets = [0x1F, 0x46, 0x73, 0x0E, 0xBB, 0x5A];
        assert_eq!(
            DateTime::from_octets(&octets).unwrap().to_string(),
            "20010925T165859Z"
        );
        let octets = [0x1F, 0x46, 0xA6, 0x9C, 0x9F, 0x5A];
        assert_eq!(
            DateTime::from_octets(&octets).unwrap().to_string(),
            "20011019T095031Z"
        );
        assert_eq!(DateTime::from_octets(&[0; 6]), None);
        assert_eq!(DateTime::from_octets(&[0xFF; 6]), None);
        assert_eq!(DateTime::from_octets(&[0x1F; 5]), None);
    }

    #[test]
    fn milliseconds_go_and_the_range_holds() {
        assert_eq!(
            DateTime::from_timestamp(Timestamp::from_millis(1_600_000_000_999)).to_string(),
            "20200913T122640Z"
        );
        assert_eq!(
            DateTime::from_timestamp(Timestamp::from_millis(i64::MAX)).to_string(),
            "19700101T000000Z"
        );
    }
}
