//! Writing objects.

use weir_store::{StoreError, WriteTx};

use super::{Applied, Object, Origin};

/// Applies objects in one transaction. Follow it with `App::reload_settings` and `App::publish` when the transaction is
/// committed. An error is the store's alone: objects that do not fit are reported in [`Applied`].
pub fn apply(tx: &WriteTx<'_>, objects: &[Object], origin: Origin) -> Result<Applied, StoreError> {
    let _ = (tx, objects, origin);
    unimplemented!("under way")
}
