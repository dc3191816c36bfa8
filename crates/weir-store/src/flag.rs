//! Flags of updates: declined, licence accepted.

use jiff::Timestamp;
use weir_model::ids::{ChangeNumber, UpdateId};

use crate::{ReadTx, StoreError, WriteTx};

/// The flags of an update.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UpdateFlags {
    /// Declined, by whom and when.
    pub declined: Option<(String, Timestamp)>,
    /// Licence accepted, by whom and when.
    pub eula_accepted: Option<(String, Timestamp)>,
    /// Change number of the last change of a flag.
    pub change: ChangeNumber,
}

impl ReadTx<'_> {
    /// The flags of an update; default if it has none.
    pub fn update_flags(&self, update: UpdateId) -> Result<UpdateFlags, StoreError> {
        let _ = update;
        unimplemented!()
    }

    /// The licence of that id was accepted for some update.
    pub fn eula_is_accepted(&self, eula_id: &str) -> Result<bool, StoreError> {
        let _ = eula_id;
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Declines an update. True if it was not declined.
    pub fn update_decline(&self, update: UpdateId) -> Result<bool, StoreError> {
        let _ = update;
        unimplemented!()
    }

    /// Takes a decline back. True if it was declined.
    pub fn update_undecline(&self, update: UpdateId) -> Result<bool, StoreError> {
        let _ = update;
        unimplemented!()
    }

    /// Accepts the licence of an update. True if it was not accepted.
    pub fn update_accept_eula(&self, update: UpdateId, eula_id: &str) -> Result<bool, StoreError> {
        let _ = (update, eula_id);
        unimplemented!()
    }
}
