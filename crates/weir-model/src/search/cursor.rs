//! Where a page ended. It holds the sort key of its last row, so that the next page begins behind it also if rows came, went
//! or changed meanwhile.

use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

use super::Sort;
use crate::ids::RevisionId;

/// Characters of a sort key of text.
const LONGEST: usize = 100;

/// By what rows are compared; what is missing comes last in either direction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Key<'t> {
    Missing,
    Number(i64),
    Text(Cow<'t, str>),
}

impl<'t> Key<'t> {
    pub(super) fn text(text: &'t str) -> Self {
        if text.is_empty() {
            return Self::Missing;
        }
        let end = if text.len() <= LONGEST { None } else { text.char_indices().nth(LONGEST) };
        Self::Text(Cow::Borrowed(end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)))
    }

    /// The same without what it was taken from.
    pub(super) fn owned(self) -> Key<'static> {
        match self {
            Self::Missing => Key::Missing,
            Self::Number(number) => Key::Number(number),
            Self::Text(text) => Key::Text(Cow::Owned(text.into_owned())),
        }
    }

    pub(super) fn compare(&self, other: &Key<'_>, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Missing, Key::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, Key::Missing) => return Ordering::Less,
            (Self::Number(one), Key::Number(other)) => one.cmp(other),
            (Self::Text(one), Key::Text(other)) => one.cmp(other),
            (Self::Number(_), Key::Text(_)) => Ordering::Less,
            (Self::Text(_), Key::Number(_)) => Ordering::Greater,
        };
        if descending { order.reverse() } else { order }
    }
}

/// The last row of a page, as it was when the page was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor {
    pub(super) sort: Sort,
    pub(super) descending: bool,
    pub(super) key: Key<'static>,
    pub(super) revision: RevisionId,
}

/// A text that is no cursor, or one of another list.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not a cursor of this list")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "d" } else { "a" };
        write!(f, "{}.{direction}.{}.", self.sort.name(), self.revision)?;
        match &self.key {
            Key::Missing => Ok(()),
            Key::Number(number) => write!(f, "n{number}"),
            // letters that need no escapes in addresses
            Key::Text(text) => write!(f, "t{}", BASE64.encode(text.as_bytes())),
        }
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.splitn(4, '.');
        let mut next = || parts.next().ok_or(CursorError);
        let sort = Sort::named(next()?).ok_or(CursorError)?;
        let descending = match next()? {
            "a" => false,
            "d" => true,
            _ => return Err(CursorError),
        };
        let revision = RevisionId(next()?.parse().map_err(|_| CursorError)?);
        let key = next()?;
        let key = if key.is_empty() {
            Key::Missing
        } else if let Some(number) = key.strip_prefix('n') {
            Key::Number(number.parse().map_err(|_| CursorError)?)
        } else {
            let bytes = BASE64.decode(key.strip_prefix('t').ok_or(CursorError)?).map_err(|_| CursorError)?;
            let text = String::from_utf8(bytes).map_err(|_| CursorError)?;
            Key::Text(Some(text).filter(|text| text.chars().count() <= LONGEST).ok_or(CursorError)?.into())
        };
        Ok(Self { sort, descending, key, revision })
    }
}
