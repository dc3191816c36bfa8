//! Rows of answers, read by position, whatever engine gave them.

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use uuid::Uuid;
use weir_model::ids::{ChangeNumber, CollectionId, ContentDigest, RevisionId, Sha256Digest, UpdateId};

use crate::{StoreError, codec::Coded};

/// What is in a column of a row, in whatever engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'r> {
    /// Nothing.
    Null,
    /// A number without a fraction.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(&'r str),
    /// Bytes.
    Blob(&'r [u8]),
}

impl std::fmt::Display for Cell<'_> {
    /// What kind of value it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "nothing",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a number with a fraction",
            Self::Text(_) => "a text",
            Self::Blob(_) => "bytes",
        })
    }
}

/// One row of an answer. Columns are read by position; a value of the wrong kind means a damaged database.
pub(crate) struct Row<'r> {
    answer: Answer<'r>,
    action: &'static str,
}

enum Answer<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    pub(crate) fn sqlite(row: &'r rusqlite::Row<'r>, action: &'static str) -> Self {
        Self { answer: Answer::Sqlite(row), action }
    }

    pub(crate) fn postgres(row: &'r tokio_postgres::Row, action: &'static str) -> Self {
        Self { answer: Answer::Postgres(row), action }
    }
}

impl Row<'_> {
    fn corrupt(&self, column: usize, why: impl std::fmt::Display) -> StoreError {
        StoreError::Corrupt { what: format!("column {column} while {}: {why}", self.action) }
    }

    fn cell(&self, column: usize) -> Result<Cell<'_>, StoreError> {
        match self.answer {
            Answer::Sqlite(row) => {
                let value = row.get_ref(column).map_err(|error| self.corrupt(column, error))?;
                Ok(match value {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(number) => Cell::Int(number),
                    ValueRef::Real(number) => Cell::Real(number),
                    ValueRef::Text(_) => Cell::Text(value.as_str().map_err(|error| self.corrupt(column, error))?),
                    ValueRef::Blob(bytes) => Cell::Blob(bytes),
                })
            }
            Answer::Postgres(row) => row.try_get(column).map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                self.corrupt(column, cause.unwrap_or_else(|| error.to_string()))
            }),
        }
    }

    fn other(&self, column: usize, found: Cell<'_>, wanted: &str) -> StoreError {
        self.corrupt(column, format_args!("{found} instead of {wanted}"))
    }

    fn number(&self, column: usize) -> Result<i64, StoreError> {
        match self.cell(column)? {
            Cell::Int(number) => Ok(number),
            found => Err(self.other(column, found, "an integer")),
        }
    }

    fn narrow<T: TryFrom<i64>>(&self, column: usize, number: i64) -> Result<T, StoreError> {
        T::try_from(number).map_err(|_| self.corrupt(column, format_args!("{number} is out of range")))
    }

    /// An integer of any width.
    pub(crate) fn int<T: TryFrom<i64>>(&self, column: usize) -> Result<T, StoreError> {
        let number = self.number(column)?;
        self.narrow(column, number)
    }

    pub(crate) fn opt_int<T: TryFrom<i64>>(&self, column: usize) -> Result<Option<T>, StoreError> {
        self.opt(column, Self::int)
    }

    pub(crate) fn bool(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.number(column)? != 0)
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, StoreError> {
        self.str(column).map(str::to_owned)
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        self.opt(column, Self::text)
    }

    /// Lines of a text column; none for an empty one.
    pub(crate) fn lines(&self, column: usize) -> Result<Vec<String>, StoreError> {
        Ok(self.str(column)?.lines().map(str::to_owned).collect())
    }

    pub(crate) fn str(&self, column: usize) -> Result<&str, StoreError> {
        match self.cell(column)? {
            Cell::Text(text) => Ok(text),
            found => Err(self.other(column, found, "a text")),
        }
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.cell(column)? {
            Cell::Blob(bytes) => Ok(bytes),
            found => Err(self.other(column, found, "bytes")),
        }
    }

    fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        let bytes = self.bytes(column)?;
        bytes.try_into().map_err(|_| self.corrupt(column, format_args!("{} bytes instead of {N}", bytes.len())))
    }

    pub(crate) fn is_null(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.cell(column)? == Cell::Null)
    }

    pub(crate) fn uuid(&self, column: usize) -> Result<Uuid, StoreError> {
        Ok(Uuid::from_bytes(self.array(column)?))
    }

    pub(crate) fn update_id(&self, column: usize) -> Result<UpdateId, StoreError> {
        Ok(UpdateId(self.uuid(column)?))
    }

    pub(crate) fn collection_id(&self, column: usize) -> Result<CollectionId, StoreError> {
        Ok(CollectionId(self.uuid(column)?))
    }

    pub(crate) fn digest(&self, column: usize) -> Result<ContentDigest, StoreError> {
        Ok(ContentDigest(self.array(column)?))
    }

    pub(crate) fn sha256(&self, column: usize) -> Result<Sha256Digest, StoreError> {
        Ok(Sha256Digest(self.array(column)?))
    }

    pub(crate) fn secret(&self, column: usize) -> Result<[u8; 32], StoreError> {
        self.array(column)
    }

    pub(crate) fn opt<T>(
        &self,
        column: usize,
        read: impl FnOnce(&Self, usize) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.is_null(column)? { Ok(None) } else { read(self, column).map(Some) }
    }

    pub(crate) fn change(&self, column: usize) -> Result<ChangeNumber, StoreError> {
        Ok(ChangeNumber(self.int(column)?))
    }

    pub(crate) fn revision_id(&self, column: usize) -> Result<RevisionId, StoreError> {
        Ok(RevisionId(self.int(column)?))
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        Timestamp::from_microsecond(self.number(column)?).map_err(|error| self.corrupt(column, error))
    }

    pub(crate) fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        self.opt(column, Self::time)
    }

    pub(crate) fn coded<T: Coded>(&self, column: usize) -> Result<T, StoreError> {
        let code = self.number(column)?;
        let known = T::CODES.iter().find(|(_, known)| *known == code);
        known.map(|(value, _)| *value).ok_or_else(|| self.corrupt(column, format_args!("{code} has no meaning")))
    }

    pub(crate) fn json(&self, column: usize) -> Result<serde_json::Value, StoreError> {
        serde_json::from_str(self.str(column)?).map_err(|error| self.corrupt(column, error))
    }
}
