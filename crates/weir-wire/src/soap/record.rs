//! Messages as records: a struct whose fields name their elements is read and written by the same description.

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{CollectionId, DeploymentId, RevisionId, RevisionNumber, UpdateId};

use super::{Cursor, Malformed, Xml, values};

/// The content of an element.
pub(crate) trait Content: Sized {
    /// Reads the open element to its end.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed>;
    /// Appends the content, without the element's tags.
    fn put(&self, xml: &mut Xml<'_>);

    /// Appends the attributes of the element, each with a blank in front. Few have any.
    fn attributes(&self, _out: &mut String) {}
}

/// What can be an entry of a list.
pub(crate) trait Item: Content {
    /// The element's name.
    const NAME: &'static str;

    /// Appends as many entries as are plainly written. Only lists of numbers know how.
    fn read_plain(_cursor: &mut Cursor<'_>, _list: &mut Vec<Self>, _limit: usize) {}

    /// Whether an element of this name is an entry.
    fn is(name: &str) -> bool {
        name == Self::NAME
    }

    /// How many entries are accepted.
    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().list
    }
}

/// A field of a record: an element that may be absent, or a list.
pub(crate) trait FieldValue: Sized {
    /// The value when the element is absent (or nil), if there is one.
    fn absent(strict: bool) -> Option<Self>;
    /// Reads the open element, which is not nil.
    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed>;
    /// Appends the element, or nothing.
    fn write_field(&self, name: &str, xml: &mut Xml<'_>);
}

/// Bytes, on the wire in base64.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Binary(pub Vec<u8>);

/// A value that is written with `xsi:nil` when there is none, in the form of the native agent.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Nillable<T>(pub Option<T>);

/// An element that native agents send and no server needs: written, and skipped in reading.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientOnly<T>(pub Option<T>);

macro_rules! simple {
    ($($kind:ty: $read:expr, $write:expr;)*) => {
        $(
            impl Content for $kind {
                fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
                    // The open element is still needed for the path of an error.
                    let parse: fn(&str) -> Result<Self, values::ValueProblem> = $read;
                    cursor.value(parse)
                }

                fn put(&self, xml: &mut Xml<'_>) {
                    let write: fn(&Self, &mut Xml<'_>) = $write;
                    write(self, xml);
                }
            }

            impl FieldValue for $kind {
                fn absent(strict: bool) -> Option<Self> {
                    (!strict).then(Self::default)
                }

                fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
                    Self::read(cursor)
                }

                fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
                    xml.element(name, |xml| self.put(xml));
                }
            }
        )*
    };
}

fn number(value: i64, xml: &mut Xml<'_>) {
    let mut buffer = [0_u8; 20];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        if let Some(place) = buffer.get_mut(at) {
            *place = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        xml.raw("-");
    }
    xml.raw(buffer.get(at..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default());
}

simple! {
    bool: values::parse_bool, |value, xml| xml.raw(if *value { "true" } else { "false" });
    u8: values::parse_int, |value, xml| number(i64::from(*value), xml);
    i16: values::parse_int, |value, xml| number(i64::from(*value), xml);
    i32: values::parse_int, |value, xml| number(i64::from(*value), xml);
    i64: values::parse_int, |value, xml| number(*value, xml);
    String: |text| Ok(text.to_owned()), |value, xml| xml.text(value);
    Uuid: values::parse_guid, |value, xml| guid(*value, xml);
    Binary: |text| values::parse_base64(text).map(Binary), |value, xml| values::write_base64(xml.out, &value.0);
    RevisionId: |text| values::parse_int(text).map(RevisionId), |value, xml| number(i64::from(value.0), xml);
    DeploymentId: |text| values::parse_int(text).map(DeploymentId), |value, xml| number(i64::from(value.0), xml);
    Timestamp: values::parse_date_time, |value, xml| values::write_date_time(xml.out, *value);
}

fn guid(value: Uuid, xml: &mut Xml<'_>) {
    let mut buffer = Uuid::encode_buffer();
    xml.raw(value.as_hyphenated().encode_lower(&mut buffer));
}

macro_rules! required {
    ($($kind:ty: $read:expr, $write:expr;)*) => {
        $(
            impl Content for $kind {
                fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
                    let parse: fn(&str) -> Result<Self, values::ValueProblem> = $read;
                    cursor.value(parse)
                }

                fn put(&self, xml: &mut Xml<'_>) {
                    let write: fn(&Self, &mut Xml<'_>) = $write;
                    write(self, xml);
                }
            }

            impl FieldValue for $kind {
                fn absent(_strict: bool) -> Option<Self> {
                    None
                }

                fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
                    Self::read(cursor)
                }

                fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
                    xml.element(name, |xml| self.put(xml));
                }
            }
        )*
    };
}

required! {
    UpdateId: |text| values::parse_guid(text).map(UpdateId), |value, xml| guid(value.0, xml);
    CollectionId: |text| values::parse_guid(text).map(CollectionId), |value, xml| guid(value.0, xml);
    RevisionNumber: |text| values::parse_int(text).map(RevisionNumber), |value, xml| number(i64::from(value.0), xml);
}

macro_rules! items {
    ($($kind:ty = $name:literal,)*) => {
        $(
            impl Item for $kind {
                const NAME: &'static str = $name;
            }
        )*
    };
}

items! {
    i32 = "int",
    String = "string",
    Uuid = "guid",
    CollectionId = "guid",
    UpdateId = "guid",
    Binary = "base64Binary",
}

impl Item for RevisionId {
    const NAME: &'static str = "int";

    fn read_plain(cursor: &mut Cursor<'_>, list: &mut Vec<Self>, limit: usize) {
        if list.is_empty() {
            // A guess that spares growing step by step: an entry takes about 17 bytes.
            list.reserve((cursor.remaining() / 17).min(2_048));
        }
        cursor.plain_numbers(|number| {
            let fits = list.len() < limit;
            if fits {
                list.push(Self(number));
            }
            fits
        });
    }

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

impl<T: Content> FieldValue for Option<T> {
    fn absent(_strict: bool) -> Option<Self> {
        Some(None)
    }

    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        T::read(cursor).map(Some)
    }

    fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
        if let Some(value) = self {
            xml.content(name, value);
        }
    }
}

impl<T: Content> FieldValue for ClientOnly<T> {
    fn absent(_strict: bool) -> Option<Self> {
        Some(Self(None))
    }

    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        cursor.skip()?;
        Ok(Self(None))
    }

    fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
        self.0.write_field(name, xml);
    }
}

impl<T: Content> FieldValue for Nillable<T> {
    fn absent(_strict: bool) -> Option<Self> {
        Some(Self(None))
    }

    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        T::read(cursor).map(|value| Self(Some(value)))
    }

    fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
        const NIL: &str = " a:nil=\"true\" xmlns:a=\"http://www.w3.org/2001/XMLSchema-instance\"";
        match &self.0 {
            Some(value) => xml.element(name, |xml| value.put(xml)),
            None => xml.element_with(name, NIL, |_| {}),
        }
    }
}

impl<T: Item> FieldValue for Vec<T> {
    fn absent(_strict: bool) -> Option<Self> {
        Some(Self::new())
    }

    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Self::read(cursor)
    }

    /// An empty list is left out.
    fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
        if !self.is_empty() {
            xml.element(name, |xml| self.put(xml));
        }
    }
}

impl<T: Item> Content for Vec<T> {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let limit = T::limit(cursor);
        let mut list = Self::new();
        loop {
            T::read_plain(cursor, &mut list, limit);
            match cursor.child()? {
                None => return Ok(list),
                Some(name) if T::is(name) => {
                    if list.len() >= limit {
                        cursor.leave_item();
                        return Err(cursor.too_many("entries", limit));
                    }
                    // A nil entry says nothing.
                    if cursor.is_nil() {
                        cursor.skip()?;
                    } else {
                        list.push(T::read(cursor)?);
                    }
                }
                Some(name) => cursor.unknown(name)?,
            }
        }
    }

    fn put(&self, xml: &mut Xml<'_>) {
        for item in self {
            xml.content(T::NAME, item);
        }
    }
}

impl<'a> Cursor<'a> {
    /// The value of the open element's text.
    pub(crate) fn value<T>(&mut self, parse: fn(&str) -> Result<T, values::ValueProblem>) -> Result<T, Malformed> {
        let name = self.open_name();
        let text: Cow<'a, str> = self.text()?;
        parse(&text).map_err(|problem| self.wrong_child(local(name), problem))
    }

    /// Meets a child that the schema does not know: skipped, unless the reader is strict.
    pub(crate) fn unknown(&mut self, name: &str) -> Result<(), Malformed> {
        if self.is_strict() {
            return Err(self.wrong(if name.is_empty() {
                "an element of another namespace"
            } else {
                "unknown element"
            }));
        }
        self.skip()
    }

    /// Reads a field into its place. An element that comes twice is refused: the two readings of such a message are how
    /// one check is told one thing and another check another.
    pub(crate) fn field<T: FieldValue>(&mut self, place: &mut Option<T>) -> Result<(), Malformed> {
        if place.is_some() {
            return Err(self.wrong("given twice"));
        }
        if self.is_nil() {
            self.skip()?;
            *place = T::absent(false);
        } else {
            *place = Some(T::read_field(self)?);
        }
        Ok(())
    }

    /// Remembers the open element for [`Cursor::missing`]; `None` for the operation itself, which is in no path.
    pub(crate) fn mark(&self) -> Option<&'a str> {
        self.is_parameter().then(|| local(self.open_name()))
    }

    /// Refuses an element, closed by now, for lack of a child.
    pub(crate) fn missing(&self, own: Option<&str>, child: &str) -> Malformed {
        match own {
            Some(own) => self.wrong_child(&format!("{own}.{child}"), "missing"),
            None => self.wrong_child(child, "missing"),
        }
    }

    /// Checks the order of the schema, for a strict reader.
    pub(crate) fn in_order(&self, name: &str, names: &[&str], last: &mut usize) -> Result<(), Malformed> {
        if !self.is_strict() {
            return Ok(());
        }
        let place = names.iter().position(|known| *known == name).map_or(0, |place| place + 1);
        if place < *last {
            return Err(self.wrong("out of the order of the schema"));
        }
        *last = place;
        Ok(())
    }
}

fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// Declares a struct together with the elements of its fields, in the order of the schema.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $kind:ty = $element:literal $(| $alias:literal)*,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $($(#[$field_meta])* pub $field: $kind,)*
        }

        impl $crate::soap::Content for $name {
            fn read(cursor: &mut $crate::soap::Cursor<'_>) -> Result<Self, $crate::soap::Malformed> {
                const NAMES: &[&str] = &[$($element),*];
                let mut last = 0;
                let own = cursor.mark();
                // Unused by a record without fields.
                let _ = own;
                $(let mut $field: Option<$kind> = None;)*
                while let Some(name) = cursor.child()? {
                    cursor.in_order(name, NAMES, &mut last)?;
                    match name {
                        $($element $(| $alias)* => cursor.field(&mut $field)?,)*
                        name => cursor.unknown(name)?,
                    }
                }
                Ok(Self {
                    $($field: match $field {
                        Some(value) => value,
                        None => <$kind as $crate::soap::FieldValue>::absent(cursor.is_strict())
                            .ok_or_else(|| cursor.missing(own, $element))?,
                    },)*
                })
            }

            fn put(&self, xml: &mut $crate::soap::Xml<'_>) {
                let _ = &xml;
                $($crate::soap::FieldValue::write_field(&self.$field, $element, xml);)*
            }
        }
    };
}
pub(crate) use record;

/// Makes records fields of other records that must be there.
macro_rules! nested {
    ($($name:ty,)*) => {
        $(
            impl $crate::soap::FieldValue for $name {
                fn absent(_strict: bool) -> Option<Self> {
                    None
                }

                fn read_field(cursor: &mut $crate::soap::Cursor<'_>) -> Result<Self, $crate::soap::Malformed> {
                    $crate::soap::Content::read(cursor)
                }

                fn write_field(&self, name: &str, xml: &mut $crate::soap::Xml<'_>) {
                    xml.content(name, self);
                }
            }
        )*
    };
}
pub(crate) use nested;
