//! What the certificates of a server's listeners are worth: how long they last, which Windows versions can use them, and what a
//! client makes of what it is shown.

mod check;
mod facts;
mod windows;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

pub use check::{Finding, Grade, check};
pub use facts::{CertificateFacts, Key, Observation, Signature, Trust};
pub use windows::{Fit, TABLE, Windows};

/// Days before the end of a certificate at which administrators are told, the first one first.
pub const STAGES: [i64; 3] = [30, 14, 3];

/// What computers may use, and whether the server's plain listener answers them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ClientHttps {
    /// Policy names the address without TLS.
    Off,
    /// Policy names the address with TLS; those that come without it are answered as well.
    #[default]
    On,
    /// Policy names the address with TLS; without it only files are answered.
    Required,
}

impl ClientHttps {
    /// Every word.
    pub const WORDS: [&'static str; 3] = ["off", "on", "required"];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Required => "required",
        }
    }

    /// Reads the word; anything else is the default.
    pub fn read(word: &str) -> Self {
        match word {
            "off" => Self::Off,
            "required" => Self::Required,
            _ => Self::On,
        }
    }
}

/// The lowest version of TLS that is spoken. Older ones than 1.2 never are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Minimum {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12,
    /// TLS 1.3 alone, which Windows 10 and Server 2019 do not speak.
    Tls13,
}

impl Minimum {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }

    /// Reads `1.2` or `1.3`.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Tls12, Self::Tls13].into_iter().find(|minimum| minimum.word() == text.trim())
    }
}

/// How near the end of a certificate is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// It lasts.
    Fine,
    /// It ends within so many days: one of [`STAGES`].
    Within(i64),
    /// It has ended.
    Over,
}

impl Stage {
    /// How near the end is at a time.
    pub fn of(not_after: Timestamp, now: Timestamp) -> Self {
        let left = not_after.duration_since(now);
        if left <= SignedDuration::ZERO {
            return Self::Over;
        }
        let reached = STAGES.iter().rev().find(|days| left <= SignedDuration::from_hours(24 * **days));
        reached.map_or(Self::Fine, |days| Self::Within(*days))
    }
}

/// Whole days from `now` to the end of a certificate, negative when it has ended.
pub fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    not_after.duration_since(now).as_hours().div_euclid(24)
}
