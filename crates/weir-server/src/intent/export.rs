//! Reading what changed.

use weir_store::{ReadTx, StoreError};

use super::{Kind, Object};

/// Objects that changed after a number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The objects, by change number.
    pub objects: Vec<Object>,
    /// Everything up to this number of the given kinds is in this page or came before it: pass it as `since` of the next.
    pub upto: u64,
    /// There is more.
    pub more: bool,
}

/// Objects of these kinds whose change number is above `since` (0 for all), ascending, with what was deleted; about
/// [`super::PAGE`] of them.
pub fn export_since(tx: &ReadTx<'_>, kinds: &[Kind], since: u64) -> Result<Page, StoreError> {
    let _ = (tx, kinds, since);
    unimplemented!("under way")
}
