//! The types that values of the configuration may have, and their text forms.

use super::settings::Setting;
use hamlet_model::Domain;
use http::HeaderName;
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

impl Setting for Domain {
    const EXPECTED: &'static str = "a domain name such as `im.example.org`";

    fn parse(text: &str) -> Option<Self> {
        Domain::parse(text).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Vec<Domain> {
    const EXPECTED: &'static str = "domain names separated by commas, or nothing";
    const LIST: bool = true;

    fn parse(text: &str) -> Option<Self> {
        items(text, |name| Domain::parse(name).ok())
    }

    fn show(&self) -> String {
        joined(self)
    }
}

impl Setting for Vec<IpNet> {
    const EXPECTED: &'static str =
        "IP addresses or networks such as `10.0.0.0/8` separated by commas, or nothing";
    const LIST: bool = true;

    fn parse(text: &str) -> Option<Self> {
        items(text, |item| {
            let address = || item.parse::<IpAddr>().map(IpNet::from);
            item.parse().or_else(|_| address()).ok()
        })
    }

    fn show(&self) -> String {
        joined(self)
    }
}

impl Setting for Vec<HeaderName> {
    const EXPECTED: &'static str = "names of HTTP headers separated by commas, or nothing";
    const LIST: bool = true;

    fn parse(text: &str) -> Option<Self> {
        items(text, |item| item.parse().ok())
    }

    fn show(&self) -> String {
        joined(self)
    }
}

impl Setting for Vec<String> {
    const EXPECTED: &'static str = "texts separated by commas, or nothing";
    const LIST: bool = true;

    fn parse(text: &str) -> Option<Self> {
        items(text, |item| (!item.is_empty()).then(|| item.to_owned()))
    }

    fn show(&self) -> String {
        joined(self)
    }
}

/// The parts between commas.
fn items<T>(text: &str, parse: impl FnMut(&str) -> Option<T>) -> Option<Vec<T>> {
    match text {
        "" => Some(Vec::new()),
        items => items.split(',').map(str::trim).map(parse).collect(),
    }
}

fn joined(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(",")
}

impl Setting for bool {
    const EXPECTED: &'static str = "`true` or `false`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    const EXPECTED: &'static str = "a whole number, at most 4294967295";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "a text without line breaks";

    fn parse(text: &str) -> Option<Self> {
        (!text.contains(['\r', '\n', '\0'])).then(|| text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

/// A path, or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OptionalPath(pub Option<PathBuf>);

impl OptionalPath {
    /// The path, if there is one.
    pub fn as_deref(&self) -> Option<&Path> {
        self.0.as_deref()
    }
}

impl Setting for OptionalPath {
    const EXPECTED: &'static str = "a path, or nothing";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self(None)),
            path => PathBuf::parse(path).map(|path| Self(Some(path))),
        }
    }

    fn show(&self) -> String {
        self.as_deref()
            .map_or_else(String::new, |path| path.display().to_string())
    }
}

/// A time, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OptionalDuration(pub Option<Duration>);

impl Setting for OptionalDuration {
    const EXPECTED: &'static str =
        "a time with its unit such as `500ms`, `30s`, `5min`, `24h` or `7d`, or nothing";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self(None)),
            time => Duration::parse(time).map(|time| Self(Some(time))),
        }
    }

    fn show(&self) -> String {
        self.0.map_or_else(String::new, |time| time.show())
    }
}

/// An address to listen on, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

impl Setting for Listen {
    const EXPECTED: &'static str =
        "an IP address and a port such as `127.0.0.1:8080`, `0.0.0.0:80` or `[::]:80`, or `off`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self(None)),
            _ => text.parse().ok().map(|address| Self(Some(address))),
        }
    }

    fn show(&self) -> String {
        self.0
            .map_or_else(|| "off".to_owned(), |address| address.to_string())
    }
}

/// A number of octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// As a length in memory; saturates.
    pub fn octets(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

const SIZE_UNITS: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
    ("", 1),
];

impl Setting for Size {
    const EXPECTED: &'static str =
        "a number of octets such as `512`, `64KiB` or `1MiB` (B, kB, KiB, MB, MiB, GB, GiB)";

    fn parse(text: &str) -> Option<Self> {
        with_unit(text, SIZE_UNITS).map(Self)
    }

    fn show(&self) -> String {
        show_with_unit(self.0, &[SIZE_UNITS[0], SIZE_UNITS[1], SIZE_UNITS[2]], "")
    }
}

const TIME_UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("min", 60_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

impl Setting for Duration {
    const EXPECTED: &'static str =
        "a time with its unit such as `500ms`, `30s`, `5min`, `24h` or `7d`";

    fn parse(text: &str) -> Option<Self> {
        with_unit(text, TIME_UNITS).map(Duration::from_millis)
    }

    fn show(&self) -> String {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let units = [TIME_UNITS[5], TIME_UNITS[4], TIME_UNITS[2], TIME_UNITS[1]];
        show_with_unit(millis, &units, "ms")
    }
}

/// Digits followed by one of the units, blanks allowed between them.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The largest of the units that leaves a whole number; else the smallest.
fn show_with_unit(value: u64, units: &[(&str, u64)], smallest: &str) -> String {
    let fits = |&&(_, factor): &&(&str, u64)| value != 0 && value.is_multiple_of(factor);
    match units.iter().find(fits) {
        Some((unit, factor)) => format!("{}{unit}", value / factor),
        None => format!("{value}{smallest}"),
    }
}

/// Where the store is; `None`: in the data directory.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(pub Option<hamlet_store::StoreUrl>);

impl Setting for StoreUrl {
    const EXPECTED: &'static str =
        "nothing, `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self(None)),
            text => text.parse().ok().map(|url| Self(Some(url))),
        }
    }

    fn show(&self) -> String {
        self.0
            .as_ref()
            .map_or_else(String::new, ToString::to_string)
    }
}

impl fmt::Debug for StoreUrl {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({})", self.show())
    }
}

/// The text of a URL with its password, if it has one, replaced by `***`; other texts unchanged.
pub fn without_password(text: &str) -> String {
    let hide = || {
        let (scheme, rest) = text.split_once("://")?;
        let (user_info, host) = rest.rsplit_once('@')?;
        let (user, _) = user_info.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{host}"))
    };
    hide().unwrap_or_else(|| text.to_owned())
}

/// In which domain a service element of this domain's users runs (their PSE).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pse {
    /// Here.
    Local,
    /// In another domain, which is reached through the service relay.
    Domain(Domain),
}

impl Setting for Pse {
    const EXPECTED: &'static str = "`local` or the name of another domain";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "local" => Some(Self::Local),
            name => Domain::parse(name).ok().map(Self::Domain),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Local => "local".to_owned(),
            Self::Domain(domain) => domain.to_string(),
        }
    }
}

/// What is seen of a user who has decided nothing that applies to the watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unauthorized {
    /// Nothing, and he is asked.
    Ask,
    /// Everything, among contacts.
    Contacts,
    /// Everything.
    Everyone,
}

impl Setting for Unauthorized {
    const EXPECTED: &'static str = "`ask`, `contacts` or `everyone`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "ask" => Some(Self::Ask),
            "contacts" => Some(Self::Contacts),
            "everyone" => Some(Self::Everyone),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Ask => "ask",
            Self::Contacts => "contacts",
            Self::Everyone => "everyone",
        }
        .to_owned()
    }
}

/// What an unknown user needs to register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterBy {
    /// Nothing.
    Anybody,
    /// An invitation code.
    Code,
    /// A telephone number that a gateway gives.
    Msisdn,
}

impl Setting for RegisterBy {
    const EXPECTED: &'static str = "`anybody`, `code` or `msisdn`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "anybody" => Some(Self::Anybody),
            "code" => Some(Self::Code),
            "msisdn" => Some(Self::Msisdn),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Anybody => "anybody",
            Self::Code => "code",
            Self::Msisdn => "msisdn",
        }
        .to_owned()
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Setting for LogFormat {
    const EXPECTED: &'static str = "`text` or `json`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
        .to_owned()
    }
}

/// Which events are logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// For the `tracing` subscriber.
    pub fn filter(&self) -> tracing_subscriber::EnvFilter {
        tracing_subscriber::EnvFilter::new(&self.0)
    }
}

impl Setting for LogFilter {
    const EXPECTED: &'static str =
        "`error`, `warn`, `info`, `debug` or `trace`, or a list such as `info,hamlet_sap=debug`";

    fn parse(text: &str) -> Option<Self> {
        // A directive without `=` that is no level would name a target; that is more often
        // a misspelt level than meant.
        let level = |word: &str| word.parse::<tracing::Level>().is_ok() || word == "off";
        let directive = |part: &str| part.contains('=') || level(part);
        if text.is_empty() || !text.split(',').all(directive) {
            return None;
        }
        tracing_subscriber::EnvFilter::builder().parse(text).ok()?;
        Some(Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_with_their_units() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("30 s", 30_000),
            ("5min", 300_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
        ] {
            let read = Duration::parse(text);
            assert_eq!(read, Some(Duration::from_millis(millis)), "{text}");
            let again = Duration::parse(&read.unwrap().show());
            assert_eq!(again, read, "{text}");
        }
        for (text, octets) in [
            ("0", 0),
            ("512", 512),
            ("64KiB", 65_536),
            ("1MiB", 1 << 20),
            ("2MB", 2_000_000),
        ] {
            let read = Size::parse(text);
            assert_eq!(read, Some(Size(octets)), "{text}");
            assert_eq!(Size::parse(&read.unwrap().show()), read, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_or_size_is_refused() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5h",
            "30x",
            "99999999999999999999s",
            "999999999999999999d",
        ] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
        for text in ["", "MiB", "-1", "1 megabyte", "99999999999GiB"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        let url = StoreUrl::parse("postgres://hamlet:se@cr:et@db.example/hamlet").unwrap();
        assert!(!url.show().contains("cr:et"), "{}", url.show());
        assert!(!format!("{url:?}").contains("cr:et"));
        let mysql = without_password("mysql://hamlet:se@cr:et@db/hamlet");
        assert_eq!(mysql, "mysql://hamlet:***@db/hamlet");
        assert_eq!(without_password("postgres:///x"), "postgres:///x");
        assert_eq!(without_password("plain:text@here"), "plain:text@here");
    }

    #[test]
    fn a_misspelt_log_level_is_refused() {
        assert!(LogFilter::parse("info,hamlet_sap=debug").is_some());
        assert!(LogFilter::parse("off").is_some());
        for text in ["", "inof", "hamlet_sap=loud", "info,,debug"] {
            assert!(LogFilter::parse(text).is_none(), "{text}");
        }
    }
}
