//! What to synchronize: products, classifications, languages of metadata and of files.

use crate::{ReadTx, StoreError, WriteTx, codec::args, sql::statements};

/// A list that can be chosen from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum SelectionKind {
    /// Classifications, by GUID.
    Classifications,
    /// Languages whose files are kept, by short name. Without any they are the languages of the metadata.
    FileLanguages,
    /// Languages of the metadata, by short name.
    Languages,
    /// Products and families, by GUID.
    Products,
}

statements! {
    SELECTION_LIST: "listing what is chosen" = "SELECT value FROM selection WHERE kind = ?1 ORDER BY value";
    SELECTION_CLEAR: "choosing nothing" = "DELETE FROM selection WHERE kind = ?1";
    SELECTION_ADD: "choosing" = "INSERT INTO selection (kind, value) VALUES (?1, ?2) ON CONFLICT (kind, value) DO NOTHING";
    SELECTION_REMOVE: "choosing no longer" = "DELETE FROM selection WHERE kind = ?1 AND value = ?2";
}

impl ReadTx<'_> {
    /// What is chosen, ascending.
    pub fn selection_list(&self, kind: SelectionKind) -> Result<Vec<String>, StoreError> {
        self.all(&SELECTION_LIST, args![kind], |row| row.text(0))
    }
}

impl WriteTx<'_> {
    /// Chooses exactly these. The caller has checked that they exist; letters are kept in lower case.
    pub fn selection_set(&self, kind: SelectionKind, values: &[String]) -> Result<(), StoreError> {
        let before = self.selection_list(kind)?;
        self.run(&SELECTION_CLEAR, args![kind])?;
        for value in values {
            self.run(&SELECTION_ADD, args![kind, &value.to_lowercase()])?;
        }
        self.selection_note(kind, &before)
    }

    /// Chooses these, too.
    pub fn selection_add(&self, kind: SelectionKind, values: &[String]) -> Result<(), StoreError> {
        let before = self.selection_list(kind)?;
        for value in values {
            self.run(&SELECTION_ADD, args![kind, &value.to_lowercase()])?;
        }
        self.selection_note(kind, &before)
    }

    /// Chooses these no longer.
    pub fn selection_remove(&self, kind: SelectionKind, values: &[String]) -> Result<(), StoreError> {
        let before = self.selection_list(kind)?;
        for value in values {
            self.run(&SELECTION_REMOVE, args![kind, &value.to_lowercase()])?;
        }
        self.selection_note(kind, &before)
    }
}
