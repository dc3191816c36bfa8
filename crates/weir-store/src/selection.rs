//! What to synchronize: products, classifications, languages.

use crate::{ReadTx, StoreError, WriteTx};

/// A list that can be chosen from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum SelectionKind {
    /// Classifications, by GUID.
    Classifications,
    /// Languages, by short name.
    Languages,
    /// Products and families, by GUID.
    Products,
}

impl ReadTx<'_> {
    /// What is chosen, ascending.
    pub fn selection_list(&self, kind: SelectionKind) -> Result<Vec<String>, StoreError> {
        let _ = kind;
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Chooses exactly these. The caller has checked that they exist; letters are kept in lower case.
    pub fn selection_set(&self, kind: SelectionKind, values: &[String]) -> Result<(), StoreError> {
        let _ = (kind, values);
        unimplemented!()
    }

    /// Chooses these, too.
    pub fn selection_add(&self, kind: SelectionKind, values: &[String]) -> Result<(), StoreError> {
        let _ = (kind, values);
        unimplemented!()
    }

    /// Chooses these no longer.
    pub fn selection_remove(&self, kind: SelectionKind, values: &[String]) -> Result<(), StoreError> {
        let _ = (kind, values);
        unimplemented!()
    }
}
