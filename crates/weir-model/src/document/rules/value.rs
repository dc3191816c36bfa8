//! Values that several vocabularies share.

use std::{cmp::Ordering, fmt, str::FromStr};

use crate::document::value::Value;

/// `ScalarComparison`. Read without regard to case: `greaterthan` occurs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scalar {
    /// `EqualTo`, also the meaning of an absent comparison.
    EqualTo,
    /// `GreaterThan`.
    GreaterThan,
    /// `GreaterThanOrEqualTo`.
    GreaterThanOrEqualTo,
    /// `LessThan`.
    LessThan,
    /// `LessThanOrEqualTo`.
    LessThanOrEqualTo,
}

impl Scalar {
    /// Whether an order of found value to stated value satisfies the comparison.
    pub fn admits(self, order: Ordering) -> bool {
        match self {
            Self::EqualTo => order.is_eq(),
            Self::GreaterThan => order.is_gt(),
            Self::GreaterThanOrEqualTo => order.is_ge(),
            Self::LessThan => order.is_lt(),
            Self::LessThanOrEqualTo => order.is_le(),
        }
    }
}

impl Value for Scalar {
    const EXPECTED: &'static str = "a comparison of numbers";

    fn read(text: &str) -> Option<Self> {
        const ALL: [(&str, Scalar); 5] = [
            ("EqualTo", Scalar::EqualTo),
            ("GreaterThan", Scalar::GreaterThan),
            ("GreaterThanOrEqualTo", Scalar::GreaterThanOrEqualTo),
            ("LessThan", Scalar::LessThan),
            ("LessThanOrEqualTo", Scalar::LessThanOrEqualTo),
        ];
        find(&ALL, text)
    }
}

/// `StringComparison`. Read without regard to case.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StringMatch {
    /// `BeginsWith`.
    BeginsWith,
    /// `Contains`.
    Contains,
    /// `EndsWith`.
    EndsWith,
    /// `EqualTo`.
    EqualTo,
}

impl Value for StringMatch {
    const EXPECTED: &'static str = "a comparison of texts";

    fn read(text: &str) -> Option<Self> {
        const ALL: [(&str, StringMatch); 4] = [
            ("BeginsWith", StringMatch::BeginsWith),
            ("Contains", StringMatch::Contains),
            ("EndsWith", StringMatch::EndsWith),
            ("EqualTo", StringMatch::EqualTo),
        ];
        find(&ALL, text)
    }
}

/// Looks a token up without regard to case.
pub(super) fn find<T: Copy>(table: &[(&str, T)], text: &str) -> Option<T> {
    let text = text.trim();
    table.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|&(_, value)| value)
}

/// A version of one to four numbers, such as `10.0.19041.1`. Missing numbers are zero, and two versions that differ only
/// in how many numbers were written are equal.
#[derive(Clone, Copy, Default)]
pub struct Version {
    /// The numbers, most significant first.
    pub parts: [u32; 4],
    /// How many were written, 1 to 4. Windows Installer compares three.
    pub written: u8,
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        for part in self.parts.iter().take(usize::from(self.written.max(1))) {
            write!(f, "{dot}{part}")?;
            dot = ".";
        }
        Ok(())
    }
}

/// Not one to four numbers with dots between them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a version is one to four numbers with dots between them")]
pub struct VersionError;

impl Value for Version {
    const EXPECTED: &'static str = "one to four numbers with dots between them";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut version = Self::default();
        for number in text.trim().split('.') {
            if number.is_empty() || number.len() > 10 || !number.bytes().all(|b| b.is_ascii_digit()) {
                return Err(VersionError);
            }
            let slot = version.parts.get_mut(usize::from(version.written)).ok_or(VersionError)?;
            *slot = number.parse().map_err(|_| VersionError)?;
            version.written += 1;
        }
        Ok(version)
    }
}
