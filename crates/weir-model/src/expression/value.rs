//! Values of expressions: how they are read, written and compared.

mod address;
mod size;
mod when;

use std::{cmp::Ordering, fmt, str::FromStr};

use uuid::Uuid;

pub(super) use self::size::is_unit;
use self::size::{read_number, write_bytes};
pub use self::{
    address::AddressRange,
    when::{Age, AgeUnit, When},
};
use super::vocabulary::{Kind, Target, Unit};

/// A value of a term.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Value {
    /// An address or a range of them.
    Address(AddressRange),
    /// A moment.
    Instant(When),
    /// A number in the field's unit.
    Number(u64),
    /// Another thing.
    Reference(Reference),
    /// A text, or the number of an article.
    Text(Text),
    /// A version or the beginning of one.
    Version(VersionPrefix),
    /// A word, as its place in the field's list.
    Word(u8),
}

/// A text as it was written (without blanks around it), and as it is compared.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Text {
    shown: String,
    folded: String,
}

/// A version of four parts.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(pub [u32; 4]);

/// A version of which one to four parts are given; only those are compared.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct VersionPrefix {
    parts: [u32; 4],
    given: u8,
}

/// Another thing.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Reference {
    /// By its id.
    Id(Uuid),
    /// By its name, or an update by the number of its article.
    Name(Text),
}

/// Words that a field has, as bits by their place in the field's list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Words(pub u32);

impl Value {
    /// Reads a value of this kind. The error says what was expected.
    pub(super) fn read(kind: Kind, text: &str) -> Result<Self, String> {
        let text = text.trim();
        match kind {
            Kind::Address => text.parse().map(Self::Address),
            Kind::Article => Ok(Self::Text(Text::article(text))),
            Kind::Flag => Err("a yes-or-no field has no other value".to_owned()),
            Kind::Instant => text.parse().map(Self::Instant),
            Kind::Number(unit) => read_number(unit, text).map(Self::Number),
            Kind::Reference(target) => Reference::read(target, text).map(Self::Reference),
            Kind::Text => Ok(Self::Text(Text::new(text))),
            Kind::Version => text.parse().map(Self::Version),
            Kind::Words { words, also, .. } => {
                let lower = text.to_lowercase();
                let meant = also.iter().find(|(other, _)| *other == lower).map_or(lower.as_str(), |(_, word)| word);
                let at = words.iter().position(|word| *word == meant);
                at.and_then(|at| u8::try_from(at).ok()).map(Self::Word).ok_or_else(|| words.join(", "))
            }
        }
    }

    /// Writes a value of this kind, so that it is read again as the same.
    pub(super) fn write(&self, kind: Kind, f: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Address(range) => write!(f, "{range}"),
            Self::Instant(when) => write!(f, "{when}"),
            Self::Number(number) => match kind {
                Kind::Number(Unit::Bytes) => write_bytes(*number, f),
                Kind::Number(Unit::Minutes) => write!(f, "{number} minutes"),
                _ => write!(f, "{number}"),
            },
            Self::Reference(Reference::Id(id)) => write!(f, "{}", id.as_hyphenated()),
            Self::Reference(Reference::Name(text)) | Self::Text(text) => text.write(kind, f),
            Self::Version(version) => write!(f, "{version}"),
            Self::Word(at) => {
                let Kind::Words { words, .. } = kind else { return Err(fmt::Error) };
                f.write_str(words.get(usize::from(*at)).ok_or(fmt::Error)?)
            }
        }
    }
}

impl Text {
    /// A text as people write it.
    pub fn new(text: &str) -> Self {
        let shown = text.trim();
        Self { shown: shown.to_owned(), folded: shown.to_lowercase() }
    }

    /// The number of an article: people write KB5005112 and 5005112.
    fn article(text: &str) -> Self {
        let lower = text.trim().to_lowercase();
        let mut number = lower.as_str();
        while let Some(rest) = number.strip_prefix("kb") {
            number = rest.trim();
        }
        Self { shown: number.to_owned(), folded: number.to_owned() }
    }

    /// What is read from a value that a field of this kind is to contain.
    pub(super) fn part(kind: Kind, text: &str) -> Self {
        match kind {
            Kind::Article | Kind::Reference(Target::Article) => Self::article(text),
            _ => Self::new(text),
        }
    }

    /// As it was written, without blanks around it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// In lower case.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    pub(super) fn write(&self, kind: Kind, f: &mut dyn fmt::Write) -> fmt::Result {
        let plain = matches!(kind, Kind::Article | Kind::Reference(Target::Article))
            && !self.shown.is_empty()
            && self.shown.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if plain {
            return f.write_str(&self.shown);
        }
        f.write_char('"')?;
        for c in self.shown.chars() {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

impl Reference {
    fn read(target: Target, text: &str) -> Result<Self, String> {
        let id = if text.len() == 36 { Uuid::try_parse(text).ok() } else { None };
        match (id, target) {
            (Some(id), _) => Ok(Self::Id(id)),
            (None, Target::Guid) => Err("a GUID".to_owned()),
            (None, Target::Article) => Ok(Self::Name(Text::article(text))),
            (None, Target::Name) => Ok(Self::Name(Text::new(text))),
        }
    }
}

impl Words {
    /// One word; none if the list does not have it.
    pub fn of(kind: Kind, word: &str) -> Self {
        match Value::read(kind, word) {
            Ok(Value::Word(at)) => Self::at(at),
            _ => Self::default(),
        }
    }

    /// The word at this place of the list.
    pub fn at(place: u8) -> Self {
        Self(1_u32.checked_shl(u32::from(place)).unwrap_or_default())
    }

    /// Both together.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The places of its words.
    pub fn places(self) -> impl Iterator<Item = u8> {
        (0..32).filter(move |place| self.0 & (1 << place) != 0)
    }
}

impl Version {
    /// Reads one to four numbers with dots between; parts that are not given are 0.
    pub fn read(text: &str) -> Option<Self> {
        text.trim().parse::<VersionPrefix>().ok().map(|prefix| Self(prefix.parts))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        VersionPrefix { parts: self.0, given: 4 }.fmt(f)
    }
}

impl VersionPrefix {
    /// How a version stands to the parts that are given.
    pub fn compare(self, version: Version) -> Ordering {
        version
            .0
            .iter()
            .zip(&self.parts)
            .take(usize::from(self.given))
            .map(|(left, right)| left.cmp(right))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl FromStr for VersionPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a version such as 10.0.19045 of one to four numbers".to_owned();
        let mut version = Self { parts: [0; 4], given: 0 };
        for part in text.split('.') {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let slot = version.parts.get_mut(usize::from(version.given)).filter(|_| digits).ok_or_else(wrong)?;
            *slot = part.parse().map_err(|_| wrong())?;
            version.given += 1;
        }
        Ok(version)
    }
}

impl fmt::Display for VersionPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().take(usize::from(self.given)).enumerate() {
            write!(f, "{}{part}", if at == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}
