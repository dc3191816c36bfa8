//! Synchronization under way: the upstream server and its anchors, what is still to be fetched, and what was fetched and
//! waits for promotion.
//!
//! *Invariant:* an anchor of [`SyncSource`] is never ahead of the catalogue, and one of [`SyncList`] never ahead of what is
//! stored, staged or pending: both move in the transaction that brings what they stand for.
//!
//! What rules leave out is in `skipped`.

mod skipped;
#[cfg(test)]
pub(crate) use skipped::STATEMENTS as SKIPPED_STATEMENTS;
pub use skipped::Skipped;

use serde_json::Value as Json;
use weir_model::{
    ids::{ContentDigest, UpdateId, UpdateIdentity},
    update::{CategoryKind, UpdateType},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args, row},
    revision::{PackedRevision, is_address},
    sql::statements,
    staged_form::{self, Form, Needs},
};

/// What a list of revisions is of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ListKind {
    /// Categories, classifications and detectoids.
    Categories,
    /// Software and drivers.
    Updates,
    /// Members of bundles that no list named.
    Members,
}

/// The server that the catalogue is synchronized from. Anchors are that server's own texts, kept as they came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyncSource {
    /// Which server: anchors of one mean nothing to another.
    pub identity: String,
    /// Of its configuration.
    pub config_anchor: Option<String>,
    /// What it last said of itself.
    pub configuration: Option<Json>,
    /// Of the list of categories.
    pub category_anchor: Option<String>,
    /// Of the list of updates.
    pub update_anchor: Option<String>,
    /// The filter that `update_anchor` holds for.
    pub update_filter: Option<Json>,
    /// Of deployments.
    pub deployment_anchor: Option<String>,
}

/// A list that was received and whose revisions are not all promoted yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyncList {
    /// Of what.
    pub kind: ListKind,
    /// The anchor that came with it.
    pub anchor: String,
    /// The filter that it was asked with.
    pub filter: Option<Json>,
}

/// A revision still to be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pending {
    /// Its place in the queue.
    pub no: i64,
    /// Which list named it.
    pub kind: ListKind,
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Runs that could not fetch it.
    pub attempts: u32,
}

/// A staged revision, as far as the order of promotion needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StagedHead {
    /// Its number among the staged.
    pub no: i64,
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// For categories, what kind of node.
    pub category: Option<CategoryKind>,
    /// Updates that its prerequisites name.
    pub prerequisites: Vec<UpdateId>,
    /// Revisions that it bundles.
    pub bundled: Vec<UpdateIdentity>,
}

statements! {
    SOURCE_SHOW: "reading the source of synchronization" =
        "SELECT identity, config_anchor, category_anchor, update_anchor, update_filter, deployment_anchor, configuration
         FROM sync_source WHERE source_no = 1";
    SOURCE_BEGIN: "noting the source of synchronization" =
        "INSERT INTO sync_source (source_no, identity, changed_at) VALUES (1, ?1, ?2)
         ON CONFLICT (source_no) DO UPDATE SET identity = excluded.identity, config_anchor = NULL, configuration = NULL,
             category_anchor = NULL, update_anchor = NULL, update_filter = NULL, deployment_anchor = NULL, changed_at = excluded.changed_at";
    SOURCE_CONFIG: "noting the anchor of the configuration" =
        "UPDATE sync_source SET config_anchor = ?1, configuration = ?2, changed_at = ?3 WHERE source_no = 1";
    SOURCE_DEPLOYMENTS: "noting the anchor of deployments" =
        "UPDATE sync_source SET deployment_anchor = ?1, changed_at = ?2 WHERE source_no = 1";
    SOURCE_CATEGORIES: "noting the anchor of categories" =
        "UPDATE sync_source SET category_anchor = ?1, changed_at = ?2 WHERE source_no = 1";
    SOURCE_UPDATES: "noting the anchor of updates" =
        "UPDATE sync_source SET update_anchor = ?1, update_filter = ?2, changed_at = ?3 WHERE source_no = 1";
    LISTS: "reading lists under way" = "SELECT kind, anchor, filter FROM sync_list ORDER BY kind";
    LIST_PUT: "noting a list under way" =
        "INSERT INTO sync_list (kind, anchor, filter, received_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind) DO UPDATE SET anchor = excluded.anchor, filter = excluded.filter,
             received_at = excluded.received_at";
    LISTS_CLEAR: "ending lists under way" = "DELETE FROM sync_list";
    PENDING_ADD: "noting a revision to fetch" =
        "INSERT INTO pending_revision (kind, update_id, revision) SELECT ?1, ?2, ?3
         WHERE NOT EXISTS (SELECT 1 FROM updates u JOIN revision r ON r.update_no = u.update_no AND r.revision = ?3
                 WHERE u.update_id = ?2)
             AND NOT EXISTS (SELECT 1 FROM staged_revision s WHERE s.update_id = ?2 AND s.revision = ?3)
             AND NOT EXISTS (SELECT 1 FROM skipped_revision k
                 WHERE k.update_id = ?2 AND k.revision = ?3 AND CAST(?1 AS BIGINT) <> 2)
             AND NOT EXISTS (SELECT 1 FROM updates u JOIN purged_revision g ON g.update_no = u.update_no AND g.revision = ?3
                 WHERE u.update_id = ?2 AND CAST(?1 AS BIGINT) <> 2)
         ON CONFLICT (update_id, revision) DO NOTHING";
    PENDING_LIST: "listing revisions to fetch" =
        "SELECT pending_no, kind, update_id, revision, attempts FROM pending_revision
         WHERE kind = ?1 AND pending_no > ?2 AND CASE WHEN attempts > 0 THEN 1 ELSE 0 END = ?3
         ORDER BY pending_no LIMIT ?4";
    PENDING_COUNT: "counting revisions to fetch" = "SELECT count(*) FROM pending_revision WHERE kind = ?1";
    PENDING_REMOVE: "ending the wait for a revision" =
        "DELETE FROM pending_revision WHERE update_id = ?1 AND revision = ?2";
    PENDING_FAILED: "noting that a revision could not be fetched" =
        "UPDATE pending_revision SET attempts = attempts + 1, reason = ?3 WHERE update_id = ?1 AND revision = ?2
         RETURNING attempts";
    PENDING_COUNT_ALL: "counting all revisions to fetch" = "SELECT count(*) FROM pending_revision";
    PENDING_FAILED_ALL: "noting that no revision could be fetched" =
        "UPDATE pending_revision SET attempts = attempts + 1, reason = ?1";
    PENDING_OVER: "listing revisions that are given up" =
        "SELECT update_id, revision FROM pending_revision WHERE attempts >= ?1 ORDER BY pending_no";
    PENDING_OVER_REMOVE: "giving revisions up" = "DELETE FROM pending_revision WHERE attempts >= ?1";
    PENDING_LISTED_CLEAR: "ending the wait for revisions that a list named" =
        "DELETE FROM pending_revision WHERE kind IN (0, 1)";
    PENDING_CLEAR: "ending the wait for all revisions" = "DELETE FROM pending_revision";
    STAGED_ADD: "staging a revision" =
        "INSERT INTO staged_revision (update_id, revision, update_type, category_kind, secured, needs, facts_len, facts,
             texts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (update_id, revision) DO NOTHING";
    STAGED_COUNT: "counting staged revisions" = "SELECT count(*) FROM staged_revision";
    STAGED_HEADS: "listing staged revisions" =
        "SELECT staged_no, update_id, revision, update_type, category_kind, needs FROM staged_revision
         WHERE staged_no > ?1 ORDER BY staged_no LIMIT ?2";
    STAGED_CATEGORIES: "listing staged categories" =
        "SELECT staged_no, update_id, revision, update_type, category_kind, needs FROM staged_revision
         WHERE category_kind IS NOT NULL ORDER BY category_kind, staged_no";
    STAGED_SECURED: "listing staged revisions with encrypted files" =
        "SELECT staged_no, update_id, revision FROM staged_revision WHERE secured > 0 AND staged_no > ?1
         ORDER BY staged_no LIMIT ?2";
    STAGED_UNSECURE: "noting that keys of a staged revision are here" =
        "UPDATE staged_revision SET secured = 0 WHERE staged_no = ?1";
    STAGED_FACTS: "reading the facts of a staged revision" =
        "SELECT facts, facts_len FROM staged_revision WHERE staged_no = ?1";
    STAGED_SHOW: "reading a staged revision" =
        "SELECT facts, facts_len, texts FROM staged_revision WHERE staged_no = ?1";
    STAGED_CLEAR: "ending the staging" = "DELETE FROM staged_revision";
    STAGED_SOURCE_ADD: "staging a source of a file" =
        "INSERT INTO staged_source (digest, url) VALUES (?1, ?2) ON CONFLICT (digest, url) DO NOTHING";
    STAGED_SOURCES_PROMOTE: "noting staged sources of files" =
        "INSERT INTO file_source (digest, url, origin) SELECT digest, url, 'upstream' FROM staged_source WHERE true
         ON CONFLICT (digest, url) DO NOTHING";
    STAGED_SOURCES_CLEAR: "ending the staging of sources" = "DELETE FROM staged_source";
    HELD_PUT: "holding a deployment back" =
        "INSERT INTO held_deployment (guid, body, held_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (guid) DO UPDATE SET body = excluded.body";
    HELD_REMOVE: "holding a deployment back no longer" = "DELETE FROM held_deployment WHERE guid = ?1";
    HELD_LIST: "listing deployments held back" = "SELECT guid, body FROM held_deployment ORDER BY guid";
    HELD_CLEAR: "holding nothing back" = "DELETE FROM held_deployment";
    UPDATE_NEWEST: "looking at the newest revision of an update" =
        "SELECT r.expired FROM updates u JOIN revision r ON r.revision_id = u.newest_revision_id WHERE u.update_id = ?1";
}

fn identity(row: &Row<'_>, column: usize) -> Result<UpdateIdentity, StoreError> {
    Ok(UpdateIdentity::new(row.update_id(column)?, row.int(column + 1)?))
}

fn head(row: &Row<'_>) -> Result<StagedHead, StoreError> {
    let Needs { prerequisites, bundled } = Needs::read(row.bytes(5)?)?;
    Ok(StagedHead {
        no: row.int(0)?,
        identity: identity(row, 1)?,
        update_type: row.coded(3)?,
        category: row.opt(4, Row::coded)?,
        prerequisites,
        bundled,
    })
}

impl ReadTx<'_> {
    /// The source, if there was a synchronization.
    pub fn sync_source(&self) -> Result<Option<SyncSource>, StoreError> {
        self.first(&SOURCE_SHOW, args![], |row| {
            Ok(SyncSource {
                identity: row.text(0)?,
                config_anchor: row.opt_text(1)?,
                category_anchor: row.opt_text(2)?,
                update_anchor: row.opt_text(3)?,
                update_filter: row.opt(4, Row::json)?,
                deployment_anchor: row.opt_text(5)?,
                configuration: row.opt(6, Row::json)?,
            })
        })
    }

    /// Lists that were received and not promoted.
    pub fn sync_lists(&self) -> Result<Vec<SyncList>, StoreError> {
        self.all(&LISTS, args![], |row| {
            Ok(SyncList { kind: row.coded(0)?, anchor: row.text(1)?, filter: row.opt(2, Row::json)? })
        })
    }

    /// Revisions of one list that are to be fetched, in the order of the list, from `after` (exclusive) on: those that no
    /// run failed to fetch, or the others (`tried`).
    pub fn pending_list(
        &self,
        kind: ListKind,
        after: i64,
        tried: bool,
        limit: u32,
    ) -> Result<Vec<Pending>, StoreError> {
        self.all(&PENDING_LIST, args![kind, after, tried, limit], |row| {
            Ok(Pending { no: row.int(0)?, kind: row.coded(1)?, identity: identity(row, 2)?, attempts: row.int(4)? })
        })
    }

    /// How many revisions of one list are to be fetched.
    pub fn pending_count(&self, kind: ListKind) -> Result<u64, StoreError> {
        self.one(&PENDING_COUNT, args![kind], |row| row.int(0))
    }

    /// How many revisions are to be fetched in all.
    pub fn pending_count_all(&self) -> Result<u64, StoreError> {
        self.one(&PENDING_COUNT_ALL, args![], |row| row.int(0))
    }

    /// How many revisions wait for promotion.
    pub fn staged_count(&self) -> Result<u64, StoreError> {
        self.one(&STAGED_COUNT, args![], |row| row.int(0))
    }

    /// Staged revisions in the order in which they came, from `after` (exclusive) on.
    pub fn staged_heads(&self, after: i64, limit: u32) -> Result<Vec<StagedHead>, StoreError> {
        self.all(&STAGED_HEADS, args![after, limit], head)
    }

    /// Staged products, families, companies and classifications.
    pub fn staged_categories(&self) -> Result<Vec<StagedHead>, StoreError> {
        self.all(&STAGED_CATEGORIES, args![], head)
    }

    /// Staged revisions with encrypted files whose keys were not asked for yet.
    pub fn staged_secured(&self, after: i64, limit: u32) -> Result<Vec<(i64, UpdateIdentity)>, StoreError> {
        self.all(&STAGED_SECURED, args![after, limit], |row| Ok((row.int(0)?, identity(row, 1)?)))
    }

    /// A staged revision without its texts: for decisions, not for storing.
    pub fn staged_facts(&self, no: i64) -> Result<PackedRevision, StoreError> {
        let found = self.first(&STAGED_FACTS, args![no], |row| staged_form::read(row.bytes(0)?, row.int(1)?, None))?;
        found.ok_or_else(|| StoreError::Missing { kind: "staged revision", id: no.to_string() })
    }

    /// A staged revision as it was staged.
    pub fn staged_show(&self, no: i64) -> Result<PackedRevision, StoreError> {
        let found = self
            .first(&STAGED_SHOW, args![no], |row| staged_form::read(row.bytes(0)?, row.int(1)?, Some(row.bytes(2)?)))?;
        found.ok_or_else(|| StoreError::Missing { kind: "staged revision", id: no.to_string() })
    }

    /// Deployments of the parent that wait for their revision: guid and what the parent sent.
    pub fn held_list(&self) -> Result<Vec<(uuid::Uuid, Json)>, StoreError> {
        self.all(&HELD_LIST, args![], |row| Ok((row.uuid(0)?, row.json(1)?)))
    }

    /// Whether the newest stored revision of an update is expired; none if no revision is stored.
    pub fn update_newest_is_expired(&self, update: UpdateId) -> Result<Option<bool>, StoreError> {
        self.first(&UPDATE_NEWEST, args![update], |row| row.bool(0))
    }
}

impl WriteTx<'_> {
    /// Says which server the catalogue is synchronized from. If it was another one, everything of that one that is not
    /// part of the catalogue is dropped; returns whether it was.
    pub fn sync_source_begin(&self, identity: &str) -> Result<bool, StoreError> {
        let before = self.sync_source()?;
        if before.as_ref().is_some_and(|before| before.identity == identity) {
            return Ok(false);
        }
        self.run(&SOURCE_BEGIN, args![identity, self.actor().at])?;
        self.staging_clear()?;
        Ok(before.is_some())
    }

    /// Forgets every anchor of the source, the lists under way, and what they named and is still to be fetched: whole lists
    /// name it again, unless the server has it no longer. Members of bundles that wait, and what is staged, stay.
    pub fn sync_anchors_forget(&self) -> Result<(), StoreError> {
        if let Some(source) = self.sync_source()? {
            self.run(&SOURCE_BEGIN, args![&source.identity, self.actor().at])?;
        }
        self.run(&LISTS_CLEAR, args![])?;
        self.run(&PENDING_LISTED_CLEAR, args![])?;
        Ok(())
    }

    /// Notes what the source says of itself, with its anchor.
    pub fn sync_configuration_set(&self, anchor: Option<&str>, configuration: &Json) -> Result<(), StoreError> {
        self.run(&SOURCE_CONFIG, args![anchor, &configuration.to_string(), self.actor().at])?;
        Ok(())
    }

    /// Sets the anchor of deployments, in the transaction that applies them.
    pub fn sync_deployment_anchor_set(&self, anchor: Option<&str>) -> Result<(), StoreError> {
        self.run(&SOURCE_DEPLOYMENTS, args![anchor, self.actor().at])?;
        Ok(())
    }

    /// Notes that a list was received whose revisions are all stored, staged, skipped or pending now.
    pub fn sync_list_put(&self, list: &SyncList) -> Result<(), StoreError> {
        let filter = list.filter.as_ref().map(Json::to_string);
        self.run(&LIST_PUT, args![list.kind, &list.anchor, filter.as_deref(), self.actor().at])?;
        Ok(())
    }

    /// Makes the anchors of the lists under way those of the source and ends the lists. In the transaction that promotes.
    pub fn sync_lists_promote(&self) -> Result<(), StoreError> {
        let at = self.actor().at;
        for list in self.sync_lists()? {
            let filter = list.filter.as_ref().map(Json::to_string);
            match list.kind {
                ListKind::Categories => self.run(&SOURCE_CATEGORIES, args![&list.anchor, at])?,
                ListKind::Updates => self.run(&SOURCE_UPDATES, args![&list.anchor, filter.as_deref(), at])?,
                ListKind::Members => 0,
            };
        }
        self.run(&LISTS_CLEAR, args![])?;
        Ok(())
    }

    /// Notes a revision to fetch, unless it is stored, staged, left out, removed by clean-up or noted already. True if it was
    /// noted now. What was left out or removed is fetched again as a member of a bundle, since it is judged with its bundles.
    pub fn pending_add(&self, kind: ListKind, identity: UpdateIdentity) -> Result<bool, StoreError> {
        Ok(self.run(&PENDING_ADD, args![kind, identity.update_id, identity.revision])? > 0)
    }

    /// Ends the wait for a revision that will never be taken.
    pub fn pending_remove(&self, identity: UpdateIdentity) -> Result<(), StoreError> {
        self.send(&PENDING_REMOVE, args![identity.update_id, identity.revision])?;
        Ok(())
    }

    /// Notes that a revision could not be fetched in this run; after `most` runs it is waited for no longer. True if so.
    pub fn pending_failed(&self, identity: UpdateIdentity, reason: &str, most: u32) -> Result<bool, StoreError> {
        let values = args![identity.update_id, identity.revision, reason];
        let attempts: Option<u32> = self.first(&PENDING_FAILED, values, |row| row.int(0))?;
        if attempts.is_some_and(|attempts| attempts < most) {
            return Ok(false);
        }
        self.pending_remove(identity)?;
        Ok(true)
    }

    /// Notes that none of the revisions to fetch could be fetched in this run. Those of which that is true for `most` runs
    /// are waited for no longer, and returned.
    pub fn pending_failed_all(&self, reason: &str, most: u32) -> Result<Vec<UpdateIdentity>, StoreError> {
        self.run(&PENDING_FAILED_ALL, args![reason])?;
        let over = self.all(&PENDING_OVER, args![most], |row| identity(row, 0))?;
        self.run(&PENDING_OVER_REMOVE, args![most])?;
        Ok(over)
    }

    /// Stages a revision, ends the wait for it, and notes members of it that are to be fetched; `secured`: keys of its
    /// files are to be asked for. Returns how many members were noted; none if the revision was staged before.
    pub fn staged_add(&self, packed: &PackedRevision, secured: bool) -> Result<Option<u64>, StoreError> {
        let (facts, form) = (packed.facts(), Form::new(packed)?);
        let identity = facts.identity;
        let values = args![
            identity.update_id,
            identity.revision,
            facts.update_type,
            facts.category,
            secured,
            &form.needs,
            form.facts_len,
            &form.facts,
            &form.texts,
        ];
        let added = self.run(&STAGED_ADD, values)? > 0;
        self.pending_remove(identity)?;
        if !added {
            return Ok(None);
        }
        let members = facts.relationships.bundled.iter().flat_map(|clause| &clause.alternatives);
        let rows = members.map(|member| row![ListKind::Members, member.update_id, member.revision]);
        Ok(Some(self.run_many(&PENDING_ADD, rows)? as u64))
    }

    /// Stages a place where a file can be fetched, unless its address is [too long](crate::revision::LONGEST_ADDRESS).
    pub fn staged_source_add(&self, digest: ContentDigest, url: &str) -> Result<(), StoreError> {
        if is_address(digest, url) {
            self.send(&STAGED_SOURCE_ADD, args![digest, url])?;
        }
        Ok(())
    }

    /// Notes that the keys of a staged revision were asked for.
    pub fn staged_keys_known(&self, no: i64) -> Result<(), StoreError> {
        self.send(&STAGED_UNSECURE, args![no])?;
        Ok(())
    }

    /// Ends the staging in the transaction that promotes: the sources of files become known, staged rows go.
    pub fn staged_finish(&self) -> Result<(), StoreError> {
        for statement in [&STAGED_SOURCES_PROMOTE, &STAGED_SOURCES_CLEAR, &STAGED_CLEAR] {
            self.run(statement, args![])?;
        }
        Ok(())
    }

    /// Drops lists, pending and staged revisions and deployments held back: they belong to another server.
    pub fn staging_clear(&self) -> Result<(), StoreError> {
        for statement in [&LISTS_CLEAR, &PENDING_CLEAR, &STAGED_CLEAR, &STAGED_SOURCES_CLEAR, &HELD_CLEAR] {
            self.run(statement, args![])?;
        }
        Ok(())
    }

    /// Holds a deployment of the parent back until its revision is here.
    pub fn held_put(&self, guid: uuid::Uuid, body: &Json) -> Result<(), StoreError> {
        self.send(&HELD_PUT, args![guid, &body.to_string(), self.actor().at])?;
        Ok(())
    }

    /// A deployment of the parent is held back no longer.
    pub fn held_remove(&self, guid: uuid::Uuid) -> Result<(), StoreError> {
        self.run(&HELD_REMOVE, args![guid])?;
        Ok(())
    }
}
