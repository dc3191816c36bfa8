//! Pages of lists that are made in memory, and limits of all lists.

use weir_api::List;

use super::AdminError;

/// Rows of a page unless asked otherwise.
const DEFAULT: u32 = 100;
/// Rows of the largest page.
pub(crate) const LARGEST: u32 = 1_000;

/// Characters of a title in lists. The longest genuine one has 250; a document is kept as it is, however long its texts are.
const TITLE: usize = 1_000;

/// A title as lists and references give it: whole unless nobody could read it.
pub(crate) fn short(title: &str) -> String {
    match title.char_indices().nth(TITLE) {
        Some((end, _)) => format!("{}\u{2026}", title.get(..end).unwrap_or_default()),
        None => title.to_owned(),
    }
}

/// How many rows to give.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, AdminError> {
    match asked {
        None => Ok(DEFAULT),
        Some(limit @ 1..=LARGEST) => Ok(limit),
        Some(limit) => Err(AdminError::invalid("limit", format!("limit is {limit}; it must be 1 to {LARGEST}"))),
    }
}

/// Cuts a page out of a list that is complete and has a stable order: the cursor is the key of the last row before.
pub(crate) fn page<T>(
    rows: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    cursor: Option<&str>,
    limit: u32,
) -> Result<List<T>, AdminError> {
    let mut rows = rows.into_iter();
    if let Some(cursor) = cursor {
        if !rows.by_ref().any(|row| key(&row) == cursor) {
            return Err(AdminError::Invalid {
                code: "cursor",
                detail: format!("{cursor:?} is not a cursor of this list"),
                next_step: Some("begin without a cursor".to_owned()),
            });
        }
    }
    let mut rows = rows.peekable();
    let items: Vec<T> = rows.by_ref().take(limit as usize).collect();
    let next = if rows.peek().is_some() { items.last().map(&key) } else { None };
    Ok(List { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let rows = || 1..=5;
        let mut cursor = None;
        let mut seen = Vec::new();
        loop {
            let page = page(rows(), ToString::to_string, cursor.as_deref(), 2).expect("page");
            seen.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
        assert!(page(rows(), ToString::to_string, Some("9"), 2).is_err());
    }

    #[test]
    fn only_unreadable_titles_are_cut() {
        let long = "\u{fc}".repeat(TITLE);
        assert_eq!(short(&long), long);
        assert_eq!(short(&format!("{long}x")), format!("{long}\u{2026}"));
    }

    #[test]
    fn limits_are_bounded() {
        assert_eq!(limit(None).expect("default"), 100);
        assert!(limit(Some(0)).is_err() && limit(Some(1_001)).is_err());
    }
}
