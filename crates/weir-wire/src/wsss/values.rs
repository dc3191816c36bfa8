//! Values with a form of their own in these messages.

use jiff::Timestamp;
use weir_model::ids::{ContentDigest, RevisionNumber, UpdateId, UpdateIdentity};

use crate::soap::{Binary, Content, Cursor, FieldValue, Item, Malformed, Xml, parse_date_time, write_date_time};

/// A list whose element is written even if it is empty, and which is empty if its element is absent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Present<T>(pub Vec<T>);

impl<T> Default for Present<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> From<Vec<T>> for Present<T> {
    fn from(list: Vec<T>) -> Self {
        Self(list)
    }
}

impl<T: Item> FieldValue for Present<T> {
    fn absent(_strict: bool) -> Option<Self> {
        Some(Self::default())
    }

    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Vec::read(cursor).map(Self)
    }

    fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
        xml.element(name, |xml| self.0.put(xml));
    }
}

/// A moment that is written as the end of the year 9999 if there is none, such as the deadline of a deployment without
/// one (MS-WSUSSS 2.2.4.13).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Until(pub Option<Timestamp>);

/// A moment that is written as the beginning of the year 1753 if there was none, such as the last synchronization of a
/// computer that never had one (MS-WSUSSS 3.2.4.5). Earlier moments, which other servers send for it, are read as none
/// too.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Since(pub Option<Timestamp>);

impl Since {
    const NEVER: &str = "1753-01-01T00:00:00";

    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let moment = parse_date_time(text)?;
        let year = jiff::tz::Offset::UTC.to_datetime(moment).year();
        Ok(Self((year > 1753).then_some(moment)))
    }

    pub(super) fn print(self, out: &mut String) {
        match self.0 {
            Some(moment) => write_date_time(out, moment),
            None => out.push_str(Self::NEVER),
        }
    }
}

impl Until {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let moment = parse_date_time(text)?;
        let year = jiff::tz::Offset::UTC.to_datetime(moment).year();
        Ok(Self((year < 9999).then_some(moment)))
    }

    fn print(self, out: &mut String) {
        write_date_time(out, self.0.unwrap_or(Timestamp::MAX));
    }
}

macro_rules! moments {
    ($($kind:ident,)*) => {
        $(
            impl From<Option<Timestamp>> for $kind {
                fn from(moment: Option<Timestamp>) -> Self {
                    Self(moment)
                }
            }

            impl Content for $kind {
                fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
                    cursor.value(Self::parse)
                }

                fn put(&self, xml: &mut Xml<'_>) {
                    self.print(xml.out);
                }
            }

            impl FieldValue for $kind {
                fn absent(_strict: bool) -> Option<Self> {
                    Some(Self(None))
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

moments! { Since, Until, }

impl Content for UpdateIdentity {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let own = cursor.mark();
        let (mut id, mut number) = (None::<UpdateId>, None::<RevisionNumber>);
        while let Some(name) = cursor.child()? {
            match name {
                "UpdateID" => cursor.field(&mut id)?,
                "RevisionNumber" => cursor.field(&mut number)?,
                name => cursor.unknown(name)?,
            }
        }
        Ok(Self {
            update_id: id.ok_or_else(|| cursor.missing(own, "UpdateID"))?,
            revision: number.ok_or_else(|| cursor.missing(own, "RevisionNumber"))?,
        })
    }

    fn put(&self, xml: &mut Xml<'_>) {
        self.update_id.write_field("UpdateID", xml);
        self.revision.write_field("RevisionNumber", xml);
    }
}

impl Item for UpdateIdentity {
    const NAME: &'static str = "UpdateIdentity";

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

impl FieldValue for UpdateIdentity {
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

impl Binary {
    /// The bytes as a digest, if they are as many as one has.
    pub fn digest(&self) -> Option<ContentDigest> {
        self.0.as_slice().try_into().ok().map(ContentDigest)
    }
}

impl From<ContentDigest> for Binary {
    fn from(digest: ContentDigest) -> Self {
        Self(digest.0.to_vec())
    }
}
