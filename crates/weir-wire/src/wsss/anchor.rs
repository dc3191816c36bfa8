//! Anchors and protocol versions: the two texts that are compared.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, tz::Offset};

use crate::soap::{Content, Cursor, FieldValue, Malformed, Xml, parse_date_time, trim};

/// How far a downstream server has synchronized, in the form that Windows servers use: `number,yyyy-MM-dd HH:mm:ss.fff`
/// in UTC (MS-WSUSSS 3.1.1; the milliseconds are always there in recorded answers).
///
/// Only the server that made an anchor reads it; for its peer it is an [`AnchorText`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Anchor {
    /// A number that rises with every change.
    pub number: i64,
    /// When it was made. Only whole milliseconds are written.
    pub time: Timestamp,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = Offset::UTC.to_datetime(self.time);
        let (date, time) = (local.date(), local.time());
        write!(f, "{},{:04}-{:02}-{:02} ", self.number, date.year(), date.month(), date.day())?;
        let millis = local.subsec_nanosecond() / 1_000_000;
        write!(f, "{:02}:{:02}:{:02}.{millis:03}", time.hour(), time.minute(), time.second())
    }
}

/// Not an anchor of the form that [`Anchor`] describes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an anchor of the form number,yyyy-MM-dd HH:mm:ss.fff")]
pub struct InvalidAnchor;

impl FromStr for Anchor {
    type Err = InvalidAnchor;

    /// Reads an anchor; any number of fractional digits, none included.
    fn from_str(text: &str) -> Result<Self, InvalidAnchor> {
        let (number, moment) = text.split_once(',').ok_or(InvalidAnchor)?;
        let plain = (1..=19).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        let (date, time) = moment.split_once(' ').ok_or(InvalidAnchor)?;
        let zoned = time.bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.'));
        if !plain || zoned || date.len() != 10 || time.len() > 24 {
            return Err(InvalidAnchor);
        }
        let number = number.parse().map_err(|_| InvalidAnchor)?;
        let time = parse_date_time(&format!("{date}T{time}")).map_err(|_| InvalidAnchor)?;
        Ok(Self { number, time })
    }
}

/// An anchor as its holder keeps it: a text that it stores and gives back verbatim, and never reads.
///
/// Absent and empty are the same (from the beginning), and an empty one is never written.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AnchorText(Option<String>);

impl AnchorText {
    /// From what was stored.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Some(text.into()).filter(|text| !text.is_empty()))
    }

    /// The text; `None` means from the beginning.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Reads an own anchor; `None` means from the beginning.
    pub fn anchor(&self) -> Result<Option<Anchor>, InvalidAnchor> {
        self.text().map(str::parse).transpose()
    }

    /// The text, to store.
    pub fn into_text(self) -> Option<String> {
        self.0
    }
}

impl From<Anchor> for AnchorText {
    fn from(anchor: Anchor) -> Self {
        Self(Some(anchor.to_string()))
    }
}

impl From<Option<String>> for AnchorText {
    fn from(text: Option<String>) -> Self {
        Self(text.filter(|text| !text.is_empty()))
    }
}

impl FieldValue for AnchorText {
    fn absent(_strict: bool) -> Option<Self> {
        Some(Self(None))
    }

    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        String::read(cursor).map(Self::new)
    }

    fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
        self.0.write_field(name, xml);
    }
}

/// A version of the protocol, `major.minor`, ordered by number: 1.20 is above 1.8.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProtocolVersion {
    /// 1 in every server there is.
    pub major: u32,
    /// What counts.
    pub minor: u32,
}

impl ProtocolVersion {
    /// WSUS 2.0: 63 languages, no roll-ups.
    pub const V1_1: Self = Self { major: 1, minor: 1 };
    /// WSUS 3.0: roll-ups and the language filter.
    pub const V1_3: Self = Self { major: 1, minor: 3 };
    /// WSUS 3.0 SP2 to Windows Server 2012 R2.
    pub const V1_8: Self = Self { major: 1, minor: 8 };
    /// Windows Server 2016 to 2025: what this server speaks.
    pub const V1_20: Self = Self { major: 1, minor: 20 };
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Not a version `x.y`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a version of the form x.y")]
pub struct InvalidVersion;

impl FromStr for ProtocolVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let (major, minor) = trim(text).split_once('.').ok_or(InvalidVersion)?;
        let number = |text: &str| {
            let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if plain { text.parse().map_err(|_| InvalidVersion) } else { Err(InvalidVersion) }
        };
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}
