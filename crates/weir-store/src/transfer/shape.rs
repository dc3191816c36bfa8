//! Which tables there are, and whether both engines have the same.

use crate::StoreError;

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Bytes.
    Blob,
    /// Whole numbers.
    Int,
    /// Numbers with a fraction.
    Real,
    /// Texts.
    Text,
}

/// A column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A table, as an engine has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The column that the engine numbers, if it gives no number twice.
    pub(super) numbered: Option<Numbered>,
}

/// A column whose numbers the engine gives.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Numbered {
    /// Its name.
    pub(super) column: String,
    /// What counts, by the name that the engine takes.
    pub(super) by: String,
}

impl Table {
    /// The columns as a statement lists them.
    pub(super) fn list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        names.join(", ")
    }
}

/// A name as both engines take it, whatever it is.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Gathers the tables of rows (table, column, type, what counts), ordered by table.
pub(super) fn gather(
    rows: impl Iterator<Item = (String, String, String, Option<String>)>,
    place: &str,
) -> Result<Vec<Table>, StoreError> {
    let mut tables: Vec<Table> = Vec::new();
    for (table, column, kind, by) in rows {
        let kind = match kind.as_str() {
            "BLOB" | "bytea" => Kind::Blob,
            "INTEGER" | "INT" | "bigint" => Kind::Int,
            "REAL" | "double precision" => Kind::Real,
            "TEXT" | "text" => Kind::Text,
            other => {
                let why = format!("has a table {table} whose column {column} is {other}, which no table of Weir has");
                return Err(StoreError::DatabaseRefused { place: place.to_owned(), why });
            }
        };
        if tables.last().is_none_or(|last| last.name != table) {
            tables.push(Table { name: table, columns: Vec::new(), numbered: None });
        }
        if let Some(last) = tables.last_mut() {
            if let Some(by) = by {
                last.numbered = Some(Numbered { column: column.clone(), by });
            }
            last.columns.push(Column { name: column, kind });
        }
    }
    Ok(tables)
}

/// Each table of the embedded database with the one of PostgreSQL, which must have the same columns. What else is there is none of
/// ours.
pub(super) fn pair(embedded: Vec<Table>, postgres: Vec<Table>, place: &str) -> Result<Vec<(Table, Table)>, StoreError> {
    let refuse = |why: String| Err(StoreError::DatabaseRefused { place: place.to_owned(), why });
    let mut pairs = Vec::with_capacity(embedded.len());
    for table in embedded {
        let Some(other) = postgres.iter().find(|other| other.name == table.name) else {
            return refuse(format!("has no table {}", table.name));
        };
        let sorted = |table: &Table| {
            let mut columns = table.columns.clone();
            columns.sort_by(|a, b| a.name.cmp(&b.name));
            columns
        };
        if sorted(&table) != sorted(other) {
            return refuse(format!("has a table {} with other columns than this version makes", table.name));
        }
        pairs.push((table, other.clone()));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, &str)]) -> Vec<Table> {
        let rows = columns.iter().map(|(name, kind)| ("t".to_owned(), (*name).to_owned(), (*kind).to_owned(), None));
        gather(rows, "here").expect("a table")
    }

    #[test]
    fn tables_of_both_engines_are_the_same_in_any_order_of_columns() {
        let embedded = || table(&[("a", "INTEGER"), ("b", "BLOB"), ("c", "TEXT")]);
        let postgres = table(&[("c", "text"), ("a", "bigint"), ("b", "bytea")]);
        let pairs = pair(embedded(), postgres.clone(), "there").expect("the same");
        assert_eq!(pairs[0].0.list(), "\"a\", \"b\", \"c\"");
        for other in [&[("a", "bigint"), ("b", "bytea")][..], &[("a", "text"), ("b", "bytea"), ("c", "text")], &[]] {
            let refused = pair(embedded(), table(other), "there").expect_err("others").to_string();
            assert!(refused.starts_with("the database there has"), "{refused}");
        }
        assert!(pair(Vec::new(), postgres, "there").expect("nothing of ours").is_empty());
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn a_type_that_no_table_has_is_refused() {
        let rows = [("t".to_owned(), "a".to_owned(), "jsonb".to_owned(), None)];
        let refused = gather(rows.into_iter(), "there").expect_err("refused").to_string();
        assert!(refused.contains("column a is jsonb"), "{refused}");
    }
}
