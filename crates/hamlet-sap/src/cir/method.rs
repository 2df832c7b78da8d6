//! The methods of the CIR channel (transport 6.1).

use hamlet_csp::Version;
use hamlet_csp::elements::SupportedCIRMethod;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One method. What is served today are the standalone ones over IP; the others have their
/// place here and wait for their bearers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Method {
    /// Standalone TCP.
    Stcp,
    /// Standalone UDP.
    Sudp,
    /// Standalone HTTP.
    Shttp,
    /// WAP push over UDP.
    WapUdp,
    /// WAP push over SMS.
    WapSms,
    /// Standalone SMS.
    Ssms,
}

impl Method {
    /// All, in the server's order of preference: what costs and loses least comes first.
    pub(crate) const ALL: [Self; 6] = [
        Self::Stcp,
        Self::Sudp,
        Self::Shttp,
        Self::WapUdp,
        Self::WapSms,
        Self::Ssms,
    ];

    /// Its name in CSP.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stcp => "STCP",
            Self::Sudp => "SUDP",
            Self::Shttp => "SHTTP",
            Self::WapUdp => "WAPUDP",
            Self::WapSms => "WAPSMS",
            Self::Ssms => "SSMS",
        }
    }

    /// Of a value that a client sent.
    pub(crate) fn read(value: &SupportedCIRMethod) -> Option<Self> {
        let name = value.as_str();
        Self::ALL
            .into_iter()
            .find(|method| method.name().eq_ignore_ascii_case(name))
    }

    /// As a value that a client gets.
    pub(crate) fn write(self) -> SupportedCIRMethod {
        match self {
            Self::Stcp => SupportedCIRMethod::Stcp,
            Self::Sudp => SupportedCIRMethod::Sudp,
            Self::Shttp => SupportedCIRMethod::Shttp,
            Self::WapUdp => SupportedCIRMethod::Wapudp,
            Self::WapSms => SupportedCIRMethod::Wapsms,
            Self::Ssms => SupportedCIRMethod::Ssms,
        }
    }

    /// Whether a version has it (transport 6.1).
    pub(crate) fn is_in(self, version: Version) -> bool {
        match self {
            Self::Stcp | Self::Sudp | Self::WapUdp | Self::WapSms => true,
            Self::Shttp => version >= Version::V1_2,
            Self::Ssms => version >= Version::V1_3,
        }
    }
}

/// How long the answer to a CIR is waited for before the next (transport 6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatTimes {
    /// Where a connection carries it, or a Poll flag did.
    pub connected: Duration,
    /// By datagram: the first time, then.
    pub datagram: [Duration; 2],
    /// By SMS: the first time, then.
    pub sms: [Duration; 2],
}

impl Default for RepeatTimes {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connected: seconds(30),
            datagram: [seconds(15), seconds(60)],
            sms: [seconds(120), seconds(600)],
        }
    }
}

impl RepeatTimes {
    /// After the CIR number `sent` by this method, or after a Poll flag.
    pub(crate) fn after(&self, method: Option<Method>, sent: u8) -> Duration {
        let nth = usize::from(sent > 1);
        match method {
            None | Some(Method::Stcp | Method::Shttp) => self.connected,
            Some(Method::Sudp | Method::WapUdp) => self.datagram[nth],
            Some(Method::WapSms | Method::Ssms) => self.sms[nth],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_read_by_name_and_written_as_they_are_called() {
        for method in Method::ALL {
            assert_eq!(Method::read(&method.write()), Some(method));
            let text = SupportedCIRMethod::Undefined(method.name().to_lowercase().into());
            assert_eq!(Method::read(&text), Some(method), "as plain text, too");
        }
        assert_eq!(
            Method::read(&SupportedCIRMethod::Undefined("PIGEON".into())),
            None
        );
    }

    #[test]
    fn repeat_times_are_those_of_the_reference() {
        let times = RepeatTimes::default();
        for (method, sent, seconds) in [
            (None, 0, 30),
            (Some(Method::Stcp), 1, 30),
            (Some(Method::Stcp), 3, 30),
            (Some(Method::Sudp), 1, 15),
            (Some(Method::Sudp), 2, 60),
            (Some(Method::WapUdp), 3, 60),
            (Some(Method::WapSms), 1, 120),
            (Some(Method::Ssms), 2, 600),
        ] {
            assert_eq!(
                times.after(method, sent).as_secs(),
                seconds,
                "{method:?} {sent}"
            );
        }
    }
}
