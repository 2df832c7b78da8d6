//! Keep-alive times (csp-access 4). Pure.

use crate::config::SessionConfig;
use hamlet_model::StatusCode;
use std::time::Duration;

/// The keep-alive time for a login that wishes `wish` seconds.
pub(crate) fn at_login(wish: Option<u32>, config: &SessionConfig) -> Duration {
    let wish = wish.filter(|seconds| *seconds > 0);
    wish.map_or(config.ttl_default, seconds)
        .clamp(config.ttl_min, config.ttl_max.max(config.ttl_min))
}

/// The answer to KeepAlive-Request: its code and the keep-alive time from now on.
pub(crate) fn renew(
    wish: Option<u32>,
    now: Duration,
    config: &SessionConfig,
) -> (StatusCode, Duration) {
    match wish {
        None => (StatusCode::OK, now),
        Some(0) => (StatusCode::NEW_VALUE_NOT_ACCEPTED, now),
        Some(_) => (StatusCode::OK, at_login(wish, config)),
    }
}

/// How long after its last message a session is over (csp-access 3.11).
pub(crate) fn life(keep_alive: Duration, grace: Duration) -> Duration {
    keep_alive + grace.max(keep_alive / 4)
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_met_within_the_limits() {
        let config = SessionConfig::default();
        for (wish, granted) in [
            (None, 1800),
            (Some(0), 1800),
            (Some(1), 30),
            (Some(7205), 7205),
            (Some(u32::MAX), 86_400),
        ] {
            assert_eq!(at_login(wish, &config).as_secs(), granted, "{wish:?}");
        }
    }

    #[test]
    fn a_renewal_without_or_with_an_unusable_wish_changes_nothing() {
        let config = SessionConfig::default();
        let now = Duration::from_secs(7205);
        for (wish, code, after) in [
            (None, 200, 7205),
            (Some(0), 605, 7205),
            (Some(60), 200, 60),
            (Some(100_000), 200, 86_400),
        ] {
            let (got, then) = renew(wish, now, &config);
            assert_eq!((got.0, then.as_secs()), (code, after), "{wish:?}");
        }
    }

    #[test]
    fn the_grace_is_a_minute_or_a_quarter() {
        let minute = Duration::from_secs(60);
        for (ttl, life_) in [(30, 90), (240, 300), (3600, 4500)] {
            assert_eq!(life(Duration::from_secs(ttl), minute).as_secs(), life_);
        }
    }
}
