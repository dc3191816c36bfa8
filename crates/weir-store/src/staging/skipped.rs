//! Revisions that rules leave out of the catalogue.

use weir_model::ids::{UpdateId, UpdateIdentity};

use super::identity;
use crate::{ReadTx, StoreError, WriteTx, codec::args, sql::statements};

/// A revision that is left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Its title.
    pub title: String,
    /// The rule, in words.
    pub reason: String,
}

statements! {
    SKIPPED_ADD: "noting a revision that is left out" =
        "INSERT INTO skipped_revision (update_id, revision, title, reason, skipped_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (update_id, revision) DO UPDATE SET title = excluded.title, reason = excluded.reason,
             skipped_at = excluded.skipped_at";
    SKIPPED_REMOVE: "leaving a revision out no longer" =
        "DELETE FROM skipped_revision WHERE update_id = ?1 AND revision = ?2";
    SKIPPED_LIST: "listing revisions that are left out" =
        "SELECT update_id, revision, title, reason FROM skipped_revision
         WHERE (update_id, revision) > (?1, ?2) ORDER BY update_id, revision LIMIT ?3";
    SKIPPED_COUNT: "counting revisions that are left out" = "SELECT count(*) FROM skipped_revision";
    SKIPPED_RESTORE: "asking again for what was left out" =
        "INSERT INTO pending_revision (kind, update_id, revision) SELECT 1, update_id, revision FROM skipped_revision
         WHERE true ORDER BY update_id, revision ON CONFLICT (update_id, revision) DO NOTHING";
    SKIPPED_CLEAR: "leaving nothing out" = "DELETE FROM skipped_revision";
}

impl ReadTx<'_> {
    /// Revisions that are left out, by identity, from `after` (exclusive) on.
    pub fn skipped_list(&self, after: Option<UpdateIdentity>, limit: u32) -> Result<Vec<Skipped>, StoreError> {
        let (update, revision) =
            after.map_or((UpdateId(uuid::Uuid::nil()), -1), |after| (after.update_id, i64::from(after.revision.0)));
        self.all(&SKIPPED_LIST, args![update, revision, limit], |row| {
            Ok(Skipped { identity: identity(row, 0)?, title: row.text(2)?, reason: row.text(3)? })
        })
    }

    /// How many revisions are left out.
    pub fn skipped_count(&self) -> Result<u64, StoreError> {
        self.one(&SKIPPED_COUNT, args![], |row| row.int(0))
    }
}

impl WriteTx<'_> {
    /// Notes that a revision is left out.
    pub fn skipped_add(&self, skipped: &Skipped) -> Result<(), StoreError> {
        let Skipped { identity, title, reason } = skipped;
        let values = args![identity.update_id, identity.revision, title, reason, self.actor().at];
        self.run(&SKIPPED_ADD, values)?;
        Ok(())
    }

    /// A revision is left out no longer; it is part of the catalogue now.
    pub fn skipped_remove(&self, identity: UpdateIdentity) -> Result<(), StoreError> {
        self.run(&SKIPPED_REMOVE, args![identity.update_id, identity.revision])?;
        Ok(())
    }

    /// Rules changed: everything that was left out is fetched again by the next synchronization, which decides anew.
    /// Returns how many there are.
    pub fn skipped_restore(&self) -> Result<u64, StoreError> {
        self.run(&SKIPPED_RESTORE, args![])?;
        Ok(self.run(&SKIPPED_CLEAR, args![])? as u64)
    }
}
