//! Values of attributes and elements.

use jiff::{Timestamp, civil, tz::TimeZone};
use uuid::Uuid;

use super::{
    DocumentError, Fault,
    source::{Attribute, Ns, Sink, Source, cut},
};
use crate::ids::{ContentDigest, Sha256Digest, UpdateId};

/// A type that attributes and elements hold.
pub(super) trait Value: Sized {
    /// What a text must be, for messages: "`x` is not ...".
    const EXPECTED: &'static str;

    /// Reads the type; none if the text is something else. Blanks around it are ignored (XML Schema, `whiteSpace`).
    fn read(text: &str) -> Option<Self>;
}

macro_rules! number {
    ($($number:ident: $expected:literal),*) => {$(
        impl Value for $number {
            const EXPECTED: &'static str = $expected;

            fn read(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }
        }
    )*};
}

number! {
    i32: "a whole number of 32 bits",
    i64: "a whole number of 64 bits",
    u8: "a number from 0 to 255",
    u16: "a number from 0 to 65535",
    u32: "a number of 32 bits",
    u64: "a number of 64 bits"
}

impl Value for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "true" | "True" | "1" => Some(true),
            "false" | "False" | "0" => Some(false),
            _ => None,
        }
    }
}

impl Value for String {
    const EXPECTED: &'static str = "a text";

    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Value for Uuid {
    const EXPECTED: &'static str = "a GUID";

    /// Accepts braces, in which Windows Installer writes its codes.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        if bare.len() == 36 { Self::try_parse(bare).ok() } else { None }
    }
}

impl Value for UpdateId {
    const EXPECTED: &'static str = "a GUID";

    fn read(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }
}

impl Value for ContentDigest {
    const EXPECTED: &'static str = "the base64 text of a SHA-1 digest of 20 bytes";

    fn read(text: &str) -> Option<Self> {
        Self::from_base64(text).ok()
    }
}

impl Value for Sha256Digest {
    const EXPECTED: &'static str = "the base64 text of a SHA-256 digest of 32 bytes";

    fn read(text: &str) -> Option<Self> {
        Self::from_base64(text).ok()
    }
}

impl Value for Timestamp {
    const EXPECTED: &'static str = "a date and time";

    /// An XML Schema dateTime or date; without zone it is UTC. The end of the year 9999, which some software writes for
    /// "never", is beyond what is kept and becomes the last instant there is.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        // jiff takes forms that XML Schema does not have.
        if text.contains(['[', ' ']) {
            return None;
        }
        if let Ok(instant) = text.parse() {
            return Some(instant);
        }
        if text.starts_with("9999-12-31T") {
            return Some(Self::MAX);
        }
        let civil: civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }
}

/// The value of an attribute without prefix.
pub(super) fn find<'a>(attributes: &'a [Attribute<'_>], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|attribute| attribute.local == name && attribute.ns == Ns::NONE)
        .map(|attribute| &*attribute.value)
}

/// Reads a value of an element or attribute called `what`.
pub(super) fn read<T: Value>(what: &'static str, text: &str) -> Result<T, Fault> {
    T::read(text).ok_or_else(|| Fault::Value { what, value: cut(text), expected: T::EXPECTED })
}

impl<'t, S: Sink<'t>> Source<'t, S> {
    /// An attribute of the element that began last, if it is there.
    pub(super) fn optional<T: Value>(&self, name: &'static str) -> Result<Option<T>, DocumentError> {
        find(self.attributes(), name).map(|text| read(name, text)).transpose().map_err(|fault| self.error(fault))
    }

    /// An attribute of the element that began last, which must be there.
    pub(super) fn required<T: Value>(&self, name: &'static str) -> Result<T, DocumentError> {
        self.optional(name)?.ok_or_else(|| self.error(Fault::MissingAttribute(name)))
    }

    /// A flag of the element that began last, false if absent.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, DocumentError> {
        Ok(self.optional(name)?.unwrap_or(false))
    }
}
