//! Relationships read backwards, for one update at a time.

use weir_model::ids::{RevisionNumber, UpdateId, UpdateIdentity};

use crate::{ReadTx, StoreError, codec::args, sql::statements};

statements! {
    // in the order in which they were stored; the embedded database comes upon them so, and ends at the limit
    REQUIRING: "listing what requires an update" =
        "SELECT DISTINCT n.update_id FROM updates u JOIN prerequisite p ON p.update_no = u.update_no
             JOIN revision r ON r.revision_id = p.revision_id
             JOIN updates n ON n.update_no = r.update_no AND n.newest_revision_id = r.revision_id
         WHERE u.update_id = ?1 LIMIT ?2",
        postgres "SELECT n.update_id FROM updates u JOIN prerequisite p ON p.update_no = u.update_no
             JOIN revision r ON r.revision_id = p.revision_id
             JOIN updates n ON n.update_no = r.update_no AND n.newest_revision_id = r.revision_id
         WHERE u.update_id = ?1 GROUP BY n.update_id ORDER BY min(r.revision_id) LIMIT ?2";
    SUPERSEDING: "listing what supersedes an update" =
        "SELECT DISTINCT n.update_id FROM updates u JOIN superseded s ON s.update_no = u.update_no
             JOIN revision r ON r.revision_id = s.revision_id
             JOIN updates n ON n.update_no = r.update_no AND n.newest_revision_id = r.revision_id
         WHERE u.update_id = ?1 LIMIT ?2",
        postgres "SELECT n.update_id FROM updates u JOIN superseded s ON s.update_no = u.update_no
             JOIN revision r ON r.revision_id = s.revision_id
             JOIN updates n ON n.update_no = r.update_no AND n.newest_revision_id = r.revision_id
         WHERE u.update_id = ?1 GROUP BY n.update_id ORDER BY min(r.revision_id) LIMIT ?2";
    BUNDLED_IN: "listing what bundles an update" =
        "SELECT DISTINCT n.update_id, r.revision FROM updates u JOIN bundle b ON b.update_no = u.update_no
             JOIN revision r ON r.revision_id = b.revision_id JOIN updates n ON n.update_no = r.update_no
         WHERE u.update_id = ?1 ORDER BY n.update_id, r.revision";
}

impl ReadTx<'_> {
    /// Updates whose newest revision has this one among its prerequisites, at most so many.
    pub fn update_requiring(&self, update: UpdateId, most: u32) -> Result<Vec<UpdateId>, StoreError> {
        self.all(&REQUIRING, args![update, most], |row| row.update_id(0))
    }

    /// Updates whose newest revision says that it replaces this one, at most so many.
    pub fn update_superseding(&self, update: UpdateId, most: u32) -> Result<Vec<UpdateId>, StoreError> {
        self.all(&SUPERSEDING, args![update, most], |row| row.update_id(0))
    }

    /// Stored revisions with some revision of this update as a member, in their order.
    pub fn update_bundled_in(&self, update: UpdateId) -> Result<Vec<UpdateIdentity>, StoreError> {
        self.all(&BUNDLED_IN, args![update], |row| {
            Ok(UpdateIdentity { update_id: row.update_id(0)?, revision: RevisionNumber(row.int(1)?) })
        })
    }
}
