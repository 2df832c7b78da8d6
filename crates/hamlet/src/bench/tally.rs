//! What was counted, and how it is shown.

use super::Mode;
use crate::failure::Failure;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Counters of one pair or of all.
pub struct Tally {
    /// How long it took; set on the sum only.
    pub span: Duration,
    /// HTTP exchanges.
    pub requests: u64,
    /// SendMessage answered 200.
    pub accepted: u64,
    /// Accepted and received.
    pub delivered: u64,
    /// Accepted and never received.
    pub lost: u64,
    /// Received again.
    pub duplicates: u64,
    /// Received with another text.
    pub altered: u64,
    /// Refusals, broken connections, unreadable answers.
    pub errors: u64,
    /// Sessions that had to be opened again.
    pub logins: u64,
    /// Polls that brought nothing.
    pub empty_polls: u64,
    /// The first error, in words.
    pub first_error: Option<String>,
    /// From the start of sending to receiving, or of single polls; microseconds.
    latency: Histogram<u64>,
}

/// Longest latency that is told apart, microseconds.
const LONGEST: u64 = 600_000_000;

impl Tally {
    /// Nothing counted.
    pub fn new() -> Self {
        Self {
            span: Duration::ZERO,
            requests: 0,
            accepted: 0,
            delivered: 0,
            lost: 0,
            duplicates: 0,
            altered: 0,
            errors: 0,
            logins: 0,
            empty_polls: 0,
            first_error: None,
            latency: Histogram::new_with_bounds(1, LONGEST, 3)
                .expect("bounds and digits are in range"),
        }
    }

    /// Counts an error and keeps the first in words.
    pub fn error(&mut self, what: impl std::fmt::Display) {
        self.errors += 1;
        if self.first_error.is_none() {
            self.first_error = Some(what.to_string());
        }
    }

    /// Records a latency.
    pub fn took(&mut self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(LONGEST);
        self.latency.saturating_record(micros.max(1));
    }

    /// Adds another's counters to this one's.
    pub fn add(&mut self, other: &Self) {
        self.span += other.span;
        self.requests += other.requests;
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.altered += other.altered;
        self.errors += other.errors;
        self.logins += other.logins;
        self.empty_polls += other.empty_polls;
        if self.first_error.is_none() {
            self.first_error.clone_from(&other.first_error);
        }
        // Both have the same bounds.
        let _ = self.latency.add(&other.latency);
    }

    /// HTTP exchanges in a second.
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.span.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Delivered messages in a second.
    pub fn delivered_per_second(&self) -> f64 {
        self.delivered as f64 / self.span.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// A latency in milliseconds.
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// For people.
    pub fn text(&self, mode: Mode) -> String {
        let mut text = String::new();
        if mode == Mode::Chat {
            text += &format!("delivered/s   {:.0}\n", self.delivered_per_second());
        }
        text += &format!(
            "requests/s    {:.0}\nlatency ms    p50 {:.2}  p99 {:.2}\n",
            self.requests_per_second(),
            self.latency_ms(0.5),
            self.latency_ms(0.99)
        );
        if mode == Mode::Chat {
            text += &format!(
                "accepted      {}\ndelivered     {}\nlost          {}\nduplicates    {}\naltered       {}\n",
                self.accepted, self.delivered, self.lost, self.duplicates, self.altered
            );
        }
        text += &format!("errors        {}", self.errors);
        if let Some(error) = &self.first_error {
            text += &format!(" ({})", crate::output::plain(error));
        }
        if self.logins > 0 {
            text += &format!("\nlogged in     {} times again", self.logins);
        }
        text
    }

    /// For programs.
    pub fn json(&self, mode: Mode) -> serde_json::Value {
        serde_json::json!({
            "mode": match mode { Mode::Chat => "chat", Mode::Polls => "polls" },
            "seconds": self.span.as_secs_f64(),
            "requests": self.requests,
            "requests_per_second": self.requests_per_second(),
            "accepted": self.accepted,
            "delivered": self.delivered,
            "delivered_per_second": self.delivered_per_second(),
            "lost": self.lost,
            "duplicates": self.duplicates,
            "altered": self.altered,
            "errors": self.errors,
            "first_error": self.first_error,
            "logins": self.logins,
            "empty_polls": self.empty_polls,
            "latency_ms": { "p50": self.latency_ms(0.5), "p99": self.latency_ms(0.99) },
        })
    }

    /// A failure when something accepted was lost or altered, or nothing worked.
    pub fn verdict(&self, mode: Mode) -> Result<(), Failure> {
        if self.lost > 0 || self.altered > 0 {
            return Err(Failure::said(format!(
                "{} messages lost, {} altered",
                self.lost, self.altered
            )));
        }
        let nothing = match mode {
            Mode::Chat => self.delivered == 0,
            Mode::Polls => self.requests == 0,
        };
        match (nothing, &self.first_error) {
            (true, Some(error)) => Err(Failure::said(error)),
            (true, None) => Err(Failure::said("nothing was delivered")),
            (false, _) => Ok(()),
        }
    }
}
