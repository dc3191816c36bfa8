//! Pages and orders of lists that are made in memory, and limits of all lists.

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

/// Reads an order, `FIELD`, `FIELD:asc` or `FIELD:desc`, of lists of these things. Of `fields` each has its name, what it stands for, and
/// whether it descends unless that is said. True is descending.
pub(crate) fn order<T: Copy>(things: &str, text: &str, fields: &[(&str, T, bool)]) -> Result<(T, bool), AdminError> {
    let (name, direction) = text.split_once(':').map_or((text, None), |(name, direction)| (name, Some(direction)));
    let found = fields.iter().find(|(known, ..)| *known == name);
    match (found, direction) {
        (Some((_, field, descends)), None) => Ok((*field, *descends)),
        (Some((_, field, _)), Some("asc")) => Ok((*field, false)),
        (Some((_, field, _)), Some("desc")) => Ok((*field, true)),
        _ => {
            let names: Vec<&str> = fields.iter().map(|(name, ..)| *name).collect();
            Err(AdminError::Invalid {
                code: "sort",
                detail: format!("{things} cannot be sorted by {text:?}"),
                next_step: Some(format!("use one of {}, with :asc or :desc", names.join(", "))),
            })
        }
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
            return Err(strange(cursor));
        }
    }
    let mut rows = rows.peekable();
    let items: Vec<T> = rows.by_ref().take(limit as usize).collect();
    let next = if rows.peek().is_some() { items.last().map(&key) } else { None };
    Ok(List { items, next })
}

/// The same of things with numbers, in the order of their keys and then of their numbers: the cursor is the number of the last one
/// before. Only those of the page are sorted.
pub(crate) fn page_of_numbers<K: Copy + Ord>(
    mut rows: Vec<(K, u32)>,
    cursor: Option<&str>,
    limit: u32,
) -> Result<List<u32>, AdminError> {
    if let Some(cursor) = cursor {
        let number = cursor.parse::<u32>().ok().filter(|number| number.to_string() == cursor);
        let last = number.and_then(|number| rows.iter().copied().find(|(_, own)| *own == number));
        let last = last.ok_or_else(|| strange(cursor))?;
        rows.retain(|row| *row > last);
    }
    let limit = limit as usize;
    let more = rows.len() > limit;
    if more {
        rows.select_nth_unstable(limit);
        rows.truncate(limit);
    }
    rows.sort_unstable();
    let items: Vec<u32> = rows.into_iter().map(|(_, number)| number).collect();
    let next = if more { items.last().map(ToString::to_string) } else { None };
    Ok(List { items, next })
}

fn strange(cursor: &str) -> AdminError {
    AdminError::Invalid {
        code: "cursor",
        detail: format!("{cursor:?} is not a cursor of this list"),
        next_step: Some("begin without a cursor".to_owned()),
    }
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
    fn pages_of_numbers_are_those_of_the_sorted_list() {
        let rows: Vec<(u32, u32)> = (1..=40).map(|number| (number * 7 % 5, number)).collect();
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        for limit in [1, 3, 39, 40, 41] {
            let (mut cursor, mut found) = (None, Vec::new());
            loop {
                let own = page_of_numbers(rows.clone(), cursor.as_deref(), limit).expect("page");
                let expected = page(sorted.clone(), |row| row.1.to_string(), cursor.as_deref(), limit).expect("page");
                assert_eq!(own.items, expected.items.iter().map(|row| row.1).collect::<Vec<_>>());
                assert_eq!(own.next, expected.next);
                found.extend(own.items);
                cursor = own.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, sorted.iter().map(|row| row.1).collect::<Vec<_>>());
        }
        for strange in ["41", "+1", "01", "", "x"] {
            assert!(page_of_numbers(rows.clone(), Some(strange), 2).is_err(), "{strange:?}");
        }
    }

    #[test]
    fn orders_name_a_field_and_a_direction() {
        let fields = [("name", 1, false), ("created", 2, true)];
        let read = |text: &str| order("groups", text, &fields).ok();
        assert_eq!([read("name"), read("created")], [Some((1, false)), Some((2, true))]);
        assert_eq!([read("name:desc"), read("created:asc")], [Some((1, true)), Some((2, false))]);
        assert_eq!([read(""), read("colour"), read("name:"), read("name:up")], [None; 4]);
        let problem = order("groups", "colour", &fields).expect_err("unknown").problem();
        assert_eq!((problem.code.as_str(), problem.detail.as_str()), ("sort", "groups cannot be sorted by \"colour\""));
        assert_eq!(problem.next_step.as_deref(), Some("use one of name, created, with :asc or :desc"));
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
