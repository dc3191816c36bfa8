//! Pages of lists. A cursor is the key of the last row given out, so that a list can go on whatever was added or
//! deleted meanwhile.

use std::str::FromStr;

use crate::StoreError;

/// One page of a list, with what to ask for the next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub items: Vec<T>,
    /// Cursor of the next page; none at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts the row off that was read only to see whether there is more.
    pub(crate) fn cut(mut items: Vec<T>, limit: u32, key: impl FnOnce(&T) -> String) -> Self {
        let limit = limit.max(1) as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(key);
        Self { items, next }
    }
}

/// Rows to read for a page: one more than it has.
pub(crate) fn page_rows(limit: u32) -> i64 {
    i64::from(limit.max(1)) + 1
}

/// The number in a cursor, or where to begin without one.
pub(crate) fn cursor_number<N: FromStr>(cursor: Option<&str>, begin: N) -> Result<N, StoreError> {
    match cursor {
        Some(text) => text.parse().map_err(|_| StoreError::Cursor(text.chars().take(80).collect())),
        None => Ok(begin),
    }
}
