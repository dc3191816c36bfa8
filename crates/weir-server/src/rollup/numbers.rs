//! The numbers by which status refers to updates.

use std::collections::HashMap;

use weir_model::{ids::UpdateId, status::UpdateNumber};
use weir_store::{StoreError, WriteTx};

use crate::live::Published;

/// Updates that nobody here ever heard of, and that roll-ups may name.
const UNHEARD: u32 = 200_000;

/// Numbers of updates; those that nobody here heard of get one, so that their state is there when they come.
pub(super) struct Numbers<'t, 'p> {
    tx: &'t WriteTx<'t>,
    published: &'p Published,
    found: HashMap<UpdateId, Option<UpdateNumber>>,
    /// How many more get one.
    room: Option<u32>,
}

impl<'t, 'p> Numbers<'t, 'p> {
    pub(super) fn new(tx: &'t WriteTx<'t>, published: &'p Published) -> Self {
        Self { tx, published, found: HashMap::new(), room: None }
    }

    /// None for an update that is new here when there are too many of those.
    pub(super) fn of(&mut self, update: UpdateId) -> Result<Option<UpdateNumber>, StoreError> {
        if let Some(number) = self.published.update_number(update) {
            return Ok(Some(number));
        }
        if let Some(number) = self.found.get(&update) {
            return Ok(*number);
        }
        let mut number = self.tx.update_no(update)?;
        if number.is_none() {
            let room = match self.room {
                Some(room) => room,
                None => UNHEARD.saturating_sub(self.tx.rollup_unheard()?),
            };
            self.room = Some(room.saturating_sub(1));
            if room > 0 {
                number = Some(self.tx.update_intern(update)?);
            } else {
                tracing::warn!(%update, "a roll-up names too many updates that are not known here");
            }
        }
        let number = number.map(UpdateNumber);
        self.found.insert(update, number);
        Ok(number)
    }
}
