//! Flags of updates: declined, licence accepted.

use jiff::Timestamp;
use weir_model::ids::{ChangeNumber, UpdateId};

use crate::{ReadTx, StoreError, WriteTx, codec::args, criterion::RULE, sql::statements};

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

statements! {
    FLAGS_SHOW: "reading the flags of an update" =
        "SELECT declined_at, declined_by, eula_accepted_at, eula_accepted_by, flags_change FROM updates
         WHERE update_id = ?1";
    EULA_ACCEPTED: "looking for an accepted licence" = "SELECT 1 FROM updates WHERE eula_id = ?1 LIMIT 1";
    EULA_ACCEPTED_FOR: "looking for the accepted licence of an update" =
        "SELECT 1 FROM updates WHERE update_id = ?1 AND eula_id = ?2 AND eula_accepted_at IS NOT NULL";
    DECLINE: "declining an update" =
        "UPDATE updates SET declined_at = ?2, declined_by = ?3, flags_change = ?4, declined_change = ?4
         WHERE update_id = ?1";
    ACCEPT: "accepting a licence" =
        "UPDATE updates SET eula_id = ?2, eula_accepted_at = ?3, eula_accepted_by = ?4, flags_change = ?5
         WHERE update_id = ?1";
}

impl ReadTx<'_> {
    /// The flags of an update; default if it has none.
    pub fn update_flags(&self, update: UpdateId) -> Result<UpdateFlags, StoreError> {
        let found = self.first(&FLAGS_SHOW, args![update], |row| {
            Ok(UpdateFlags {
                declined: row.opt_time(0)?.zip(row.opt_text(1)?).map(|(at, by)| (by, at)),
                eula_accepted: row.opt_time(2)?.zip(row.opt_text(3)?).map(|(at, by)| (by, at)),
                change: row.change(4)?,
            })
        })?;
        Ok(found.unwrap_or_default())
    }

    /// The licence of that id was accepted for some update.
    pub fn eula_is_accepted(&self, eula_id: &str) -> Result<bool, StoreError> {
        Ok(self.first(&EULA_ACCEPTED, args![eula_id], |_| Ok(()))?.is_some())
    }
}

impl WriteTx<'_> {
    /// Declines an update, known or not yet. True if it was not declined.
    pub fn update_decline(&self, update: UpdateId) -> Result<bool, StoreError> {
        self.set_declined(update, true, &self.actor().name)
    }

    /// Declines an update in the name of a rule. True if it was not declined.
    pub fn update_decline_by_rule(&self, update: UpdateId, rule: &str) -> Result<bool, StoreError> {
        self.set_declined(update, true, &format!("{RULE}{rule}"))
    }

    /// Declines an update in the name of someone who is not the actor. True if it was not declined.
    pub(crate) fn update_decline_by(&self, update: UpdateId, by: &str) -> Result<bool, StoreError> {
        self.set_declined(update, true, by)
    }

    /// Takes a decline back. True if it was declined. If clean-up has removed it since, the next synchronization brings it
    /// back.
    pub fn update_undecline(&self, update: UpdateId) -> Result<bool, StoreError> {
        self.set_declined(update, false, "")
    }

    fn set_declined(&self, update: UpdateId, declined: bool, by: &str) -> Result<bool, StoreError> {
        if self.update_flags(update)?.declined.is_some() == declined {
            return Ok(false);
        }
        self.update_intern(update)?;
        let actor = self.actor();
        let (at, by) = (declined.then_some(actor.at), declined.then_some(by));
        self.run(&DECLINE, args![update, at, by, self.change_next()?])?;
        self.cleanup_forget(update)?;
        if !declined {
            self.purged_restore(update)?;
        }
        Ok(true)
    }

    /// Accepts the licence of an update, in place of another one of an older revision. True if it was not accepted.
    pub fn update_accept_eula(&self, update: UpdateId, eula_id: &str) -> Result<bool, StoreError> {
        if self.first(&EULA_ACCEPTED_FOR, args![update, eula_id], |_| Ok(()))?.is_some() {
            return Ok(false);
        }
        self.update_intern(update)?;
        let actor = self.actor();
        self.run(&ACCEPT, args![update, eula_id, actor.at, &actor.name, self.change_next()?])?;
        Ok(true)
    }
}
