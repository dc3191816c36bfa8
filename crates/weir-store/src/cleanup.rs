//! Clean-up: what it looks at, declining what newer updates replace, and removing what need not be kept.

use std::{collections::HashMap, ops::ControlFlow};

use jiff::Timestamp;
use weir_model::{
    cleanup::{Deployed, Flags, Input, Revision, Why},
    ids::{CollectionId, RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    targeting::DeploymentAction,
    update::CategoryKind,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{Page, page_rows},
    sql::statements,
};

/// Who declines what newer updates replace.
pub const CLEANUP: &str = "cleanup: superseded";

/// A revision that was removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PurgedRow {
    /// Which.
    pub identity: UpdateIdentity,
    /// Its title.
    pub title: String,
    /// When.
    pub purged_at: Timestamp,
}

statements! {
    CLEANUP_REVISIONS: "loading revisions for clean-up" =
        "SELECT revision_id, update_no, revision, update_type, expired, explicitly_deployable, created_at, arrived_at
         FROM revision ORDER BY revision_id";
    CLEANUP_PREREQUISITES: "loading prerequisites for clean-up" =
        "SELECT revision_id, update_no FROM prerequisite WHERE update_no IS NOT NULL
         ORDER BY revision_id, clause, position";
    CLEANUP_MEMBERS: "loading members of bundles for clean-up" =
        "SELECT revision_id, update_no, revision FROM bundle WHERE update_no IS NOT NULL AND revision IS NOT NULL
         ORDER BY revision_id, clause, position";
    CLEANUP_SUPERSEDED: "loading supersedence for clean-up" =
        "SELECT revision_id, update_no FROM superseded ORDER BY revision_id, position";
    CLEANUP_CATEGORIES: "loading categories for clean-up" =
        "SELECT revision_id, update_no FROM revision_category ORDER BY revision_id, update_no";
    CLEANUP_CLASSIFICATIONS: "loading classifications for clean-up" =
        "SELECT DISTINCT update_no FROM revision WHERE update_type = 0 AND category_kind = ?1";
    CLEANUP_DECLINED: "loading declines for clean-up" =
        "SELECT u.update_no, u.declined_at, d.superseded_by
         FROM updates u LEFT JOIN cleanup_decline d ON d.update_no = u.update_no
         WHERE u.declined_change > 0 ORDER BY u.declined_change, u.update_no";
    CLEANUP_FORMER: "loading former members of bundles" = "SELECT update_no FROM former_member";
    CLEANUP_DEPLOYMENTS: "loading deployments for clean-up" =
        "SELECT update_no, revision, collection_id, action, enabled FROM deployment WHERE update_no IS NOT NULL
         ORDER BY update_no, collection_id, deployment_id";
    CLEANUP_GROUP_DEPLOYMENTS: "loading deployments of groups for clean-up" =
        "SELECT m.update_no, CAST(NULL AS BIGINT), d.collection_id, d.action, d.enabled
         FROM deployment d JOIN update_group_member m ON m.group_id = d.group_id WHERE d.group_id IS NOT NULL";
    CLEANUP_GROUPED: "loading members of update groups for clean-up" = "SELECT update_no FROM update_group_member";
    CLEANUP_COLLECTIONS: "loading the tree of collections for clean-up" =
        "SELECT collection_id, parent_id FROM collection";
    CLEANUP_NAME: "naming an update by its number" =
        "SELECT u.update_id, coalesce(r.title, '') FROM updates u LEFT JOIN revision r ON r.revision_id = u.newest_revision_id
         WHERE u.update_no = ?1";
    CLEANUP_BYTES: "counting the bytes of a revision" =
        "SELECT (SELECT coalesce(sum(length(t.data)), 0) FROM text_piece t WHERE t.revision_id = ?1)
             + (SELECT coalesce(sum(r.core_blocks_len), 0) FROM revision r WHERE r.revision_id = ?1)";
    CLEANUP_NOTE: "noting for which update one is declined" =
        "INSERT INTO cleanup_decline (update_no, superseded_by) VALUES (?1, ?2)
         ON CONFLICT (update_no) DO UPDATE SET superseded_by = excluded.superseded_by";
    CLEANUP_FORGET: "forgetting for which update one was declined" =
        "DELETE FROM cleanup_decline WHERE update_no = (SELECT u.update_no FROM updates u WHERE u.update_id = ?1)";
    PURGE_NOTE: "noting a revision that is removed" =
        "INSERT INTO purged_revision (update_no, revision, title, reason, purged_at)
             SELECT update_no, revision, title, ?2, ?3 FROM revision WHERE revision_id = ?1
         ON CONFLICT (update_no, revision) DO NOTHING";
    PURGE_MEMBERS: "noting members of a bundle that is removed" =
        "INSERT INTO former_member (update_no) SELECT update_no FROM bundle WHERE revision_id = ?1 AND update_no IS NOT NULL
         ON CONFLICT (update_no) DO NOTHING";
    PURGE_SOURCES: "forgetting where the files of a revision are" =
        "DELETE FROM file_source WHERE digest IN (SELECT f.digest FROM revision_file f WHERE f.revision_id = ?1
             AND NOT EXISTS (SELECT 1 FROM revision_file o WHERE o.digest = f.digest AND o.revision_id <> ?1))";
    PURGE_REVISION: "removing a revision" = "DELETE FROM revision WHERE revision_id = ?1 RETURNING update_no";
    PURGE_NEWEST: "finding the newest revision that stays" =
        "UPDATE updates SET newest_revision_id =
             (SELECT r.revision_id FROM revision r WHERE r.update_no = updates.update_no ORDER BY r.revision DESC LIMIT 1)
         WHERE update_no = ?1";
    PURGED_OF: "listing removed revisions of an update" =
        "SELECT u.update_id, p.revision, p.title, p.purged_at FROM updates u JOIN purged_revision p ON p.update_no = u.update_no
         WHERE u.update_id = ?1 ORDER BY p.revision";
    PURGED_LIST: "listing removed revisions" =
        "SELECT u.update_id, p.revision, p.title, p.purged_at, p.update_no FROM purged_revision p
             JOIN updates u ON u.update_no = p.update_no
         WHERE (p.update_no, p.revision) > (?1, ?2) ORDER BY p.update_no, p.revision LIMIT ?3";
    PURGED_RESTORE: "asking again for the newest revision that was removed" =
        "INSERT INTO pending_revision (kind, update_id, revision)
             SELECT 1, u.update_id, max(p.revision) FROM updates u JOIN purged_revision p ON p.update_no = u.update_no
             WHERE u.update_id = ?1 GROUP BY u.update_id
         ON CONFLICT (update_id, revision) DO NOTHING";
    PURGED_CLEAR: "forgetting removed revisions of an update" =
        "DELETE FROM purged_revision WHERE update_no = (SELECT u.update_no FROM updates u WHERE u.update_id = ?1)";
    LEAVING_LIST: "listing revisions that leave" = "SELECT revision_id, since FROM leaving_revision";
    LEAVING_ADD: "noting that a revision leaves" =
        "INSERT INTO leaving_revision (revision_id, since) VALUES (?1, ?2) ON CONFLICT (revision_id) DO NOTHING";
    LEAVING_REMOVE: "noting that a revision stays" = "DELETE FROM leaving_revision WHERE revision_id = ?1";
    PROTECT: "protecting an update from rules" =
        "UPDATE updates SET declined_change = ?2 WHERE update_id = ?1 AND declined_at IS NULL AND declined_change = 0";
}

fn why_code(why: Why) -> i64 {
    match why {
        Why::Declined(_) => 0,
        Why::Expired(_) => 1,
        Why::Obsolete(_) => 2,
        Why::Orphan => 3,
    }
}

fn purged(row: &Row<'_>) -> Result<PurgedRow, StoreError> {
    let identity = UpdateIdentity::new(row.update_id(0)?, row.int(1)?);
    Ok(PurgedRow { identity, title: row.text(2)?, purged_at: row.time(3)? })
}

fn deployed(row: &Row<'_>) -> Result<Deployed, StoreError> {
    let action: DeploymentAction = row.coded(3)?;
    Ok(Deployed {
        update: row.int(0)?,
        revision: row.opt_int(1)?.map(RevisionNumber),
        collection: row.collection_id(2)?,
        installs: row.bool(4)? && matches!(action, DeploymentAction::Install | DeploymentAction::Optional),
    })
}

impl ReadTx<'_> {
    /// Everything that a plan of clean-up depends on in the database. `features` are classifications of feature updates;
    /// `expected` and `follows` are for the caller to say.
    pub fn cleanup_input(&self, features: &[UpdateId]) -> Result<Input, StoreError> {
        let mut revisions = self.all(&CLEANUP_REVISIONS, args![], |row| {
            Ok(Revision {
                id: row.revision_id(0)?,
                update: row.int(1)?,
                number: RevisionNumber(row.int(2)?),
                update_type: row.coded(3)?,
                expired: row.bool(4)?,
                deployable: row.bool(5)?,
                created_at: row.opt_time(6)?,
                arrived_at: row.time(7)?,
                prerequisites: Vec::new(),
                members: Vec::new(),
                supersedes: Vec::new(),
                categories: Vec::new(),
            })
        })?;
        let places: HashMap<RevisionId, usize> = revisions.iter().enumerate().map(|(at, it)| (it.id, at)).collect();
        let mut add = |statement, put: fn(&mut Revision, &Row<'_>) -> Result<(), StoreError>| {
            self.each(statement, args![], |row| {
                if let Some(found) = places.get(&row.revision_id(0)?).and_then(|at| revisions.get_mut(*at)) {
                    put(found, row)?;
                }
                Ok(ControlFlow::Continue(()))
            })
        };
        add(&CLEANUP_PREREQUISITES, |it, row| {
            it.prerequisites.push(row.int(1)?);
            Ok(())
        })?;
        add(&CLEANUP_MEMBERS, |it, row| {
            it.members.push((row.int(1)?, RevisionNumber(row.int(2)?)));
            Ok(())
        })?;
        add(&CLEANUP_SUPERSEDED, |it, row| {
            it.supersedes.push(row.int(1)?);
            Ok(())
        })?;
        add(&CLEANUP_CATEGORIES, |it, row| {
            it.categories.push(row.int(1)?);
            Ok(())
        })?;
        let mut input = Input { revisions, ..Input::default() };
        self.each(&CLEANUP_DECLINED, args![], |row| {
            let declined_at = row.opt_time(1)?;
            let flags = Flags {
                declined_at,
                protected: declined_at.is_none(),
                declined_for: row.opt_int(2)?.filter(|_| declined_at.is_some()),
                former_member: false,
            };
            input.flags.insert(row.int(0)?, flags);
            Ok(ControlFlow::Continue(()))
        })?;
        for update in self.all(&CLEANUP_FORMER, args![], |row| row.int::<u32>(0))? {
            input.flags.entry(update).or_default().former_member = true;
        }
        input.deployments = self.all(&CLEANUP_DEPLOYMENTS, args![], deployed)?;
        input.deployments.extend(self.all(&CLEANUP_GROUP_DEPLOYMENTS, args![], deployed)?);
        input.grouped = self.all(&CLEANUP_GROUPED, args![], |row| row.int(0))?.into_iter().collect();
        self.each(&CLEANUP_COLLECTIONS, args![], |row| {
            let id = row.collection_id(0)?;
            // a collection by rule stands directly below the root
            let parent = row.opt(1, Row::collection_id)?.unwrap_or(CollectionId::ALL_COMPUTERS);
            if id != CollectionId::ALL_COMPUTERS {
                input.parents.insert(id, parent);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let kind = CategoryKind::UpdateClassification;
        input.classifications =
            self.all(&CLEANUP_CLASSIFICATIONS, args![kind], |row| row.int(0))?.into_iter().collect();
        for feature in features {
            input.feature_classifications.extend(self.update_no(*feature)?);
        }
        Ok(input)
    }

    /// Id and title of an update by its number; the title is empty if no revision of it is stored.
    pub fn cleanup_name(&self, update: u32) -> Result<Option<(UpdateId, String)>, StoreError> {
        self.first(&CLEANUP_NAME, args![update], |row| Ok((row.update_id(0)?, row.text(1)?)))
    }

    /// Bytes that the texts of a revision take.
    pub fn revision_bytes(&self, id: RevisionId) -> Result<u64, StoreError> {
        self.one(&CLEANUP_BYTES, args![id], |row| row.int(0))
    }

    /// Removed revisions of an update, oldest first.
    pub fn purged_of(&self, update: UpdateId) -> Result<Vec<PurgedRow>, StoreError> {
        self.all(&PURGED_OF, args![update], purged)
    }

    /// Removed revisions.
    pub fn purged_list(&self, cursor: Option<&str>, limit: u32) -> Result<Page<PurgedRow>, StoreError> {
        let wrong = |text: &str| StoreError::Cursor(text.chars().take(80).collect());
        let (update, revision): (u32, i64) = match cursor {
            None => (0, -1),
            Some(text) => {
                let parts = text.split_once('-').and_then(|(no, at)| Some((no.parse().ok()?, at.parse().ok()?)));
                parts.ok_or_else(|| wrong(text))?
            }
        };
        let rows = self.all(&PURGED_LIST, args![update, revision, page_rows(limit)], |row| {
            Ok((purged(row)?, row.int::<u32>(4)?))
        })?;
        let page = Page::cut(rows, limit, |(row, no)| format!("{no}-{}", row.identity.revision.0));
        Ok(Page { items: page.items.into_iter().map(|(row, _)| row).collect(), next: page.next })
    }

    /// Revisions that no downstream server is told of any more, with since when.
    pub fn leaving_list(&self) -> Result<HashMap<RevisionId, Timestamp>, StoreError> {
        let rows = self.all(&LEAVING_LIST, args![], |row| Ok((row.revision_id(0)?, row.time(1)?)))?;
        Ok(rows.into_iter().collect())
    }
}

impl WriteTx<'_> {
    /// Declines an update because a newer one replaces it. True if it was not declined.
    pub fn cleanup_decline(&self, update: u32, by: u32) -> Result<bool, StoreError> {
        let Some((id, _)) = self.cleanup_name(update)? else { return Ok(false) };
        let declined = self.update_decline_by(id, CLEANUP)?;
        if declined {
            self.run(&CLEANUP_NOTE, args![update, by])?;
        }
        Ok(declined)
    }

    /// What an earlier run noted about the decline of an update does not hold any more.
    pub(crate) fn cleanup_forget(&self, update: UpdateId) -> Result<(), StoreError> {
        self.run(&CLEANUP_FORGET, args![update])?;
        Ok(())
    }

    /// Removes a revision with its texts; its update keeps its row and its flags, and lists that name the revision do not
    /// bring it back. Its number is never given again. False if it was gone.
    pub fn revision_purge(&self, id: RevisionId, why: Why) -> Result<bool, StoreError> {
        self.run(&PURGE_NOTE, args![id, why_code(why), self.actor().at])?;
        self.run(&PURGE_MEMBERS, args![id])?;
        self.run(&PURGE_SOURCES, args![id])?;
        let Some(update) = self.first(&PURGE_REVISION, args![id], |row| row.int::<u32>(0))? else { return Ok(false) };
        self.run(&PURGE_NEWEST, args![update])?;
        Ok(true)
    }

    /// Removed revisions of an update may come back: the newest of them is fetched by the next synchronization. True if there
    /// were some.
    pub fn purged_restore(&self, update: UpdateId) -> Result<bool, StoreError> {
        self.run(&PURGED_RESTORE, args![update])?;
        Ok(self.run(&PURGED_CLEAR, args![update])? > 0)
    }

    /// No downstream server is told of a revision from now on.
    pub fn leaving_add(&self, id: RevisionId) -> Result<(), StoreError> {
        self.run(&LEAVING_ADD, args![id, self.actor().at])?;
        Ok(())
    }

    /// Downstream servers are told of a revision again.
    pub fn leaving_remove(&self, id: RevisionId) -> Result<(), StoreError> {
        self.run(&LEAVING_REMOVE, args![id])?;
        Ok(())
    }

    /// No rule declines an update from now on, as if a decline of it had been taken back.
    pub fn update_protect(&self, update: UpdateId) -> Result<bool, StoreError> {
        self.update_intern(update)?;
        Ok(self.run(&PROTECT, args![update, self.change_next()?])? > 0)
    }
}
