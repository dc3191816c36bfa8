//! Loading what the catalogue engine compiles, in one fast pass.

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::ControlFlow,
};

use jiff::Timestamp;
use weir_model::{
    ids::{ChangeNumber, CollectionId, DeploymentId, RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    targeting::{Collection, Deployment, Timing},
    update::{CategoryKind, DriverMetadata, Relationships, UpdateType},
};

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    revision::{add_bundled, add_prerequisite},
    sql::{Statement, statements},
};

/// What the engine needs of a revision, less what flags say of its update.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionFactsRow {
    /// Its number.
    pub id: RevisionId,
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// For categories, what kind of node.
    pub category: Option<CategoryKind>,
    /// It can be deployed.
    pub explicitly_deployable: bool,
    /// It is expired.
    pub expired: bool,
    /// Its prerequisites and bundled updates. What it supersedes is not loaded: the engine does not read it.
    pub relationships: Relationships,
    /// Hardware ids of a driver.
    pub drivers: Vec<DriverMetadata>,
    /// Bytes of the Core fragment in wire form.
    pub core_len: u64,
    /// Change number of its arrival.
    pub changed: ChangeNumber,
    /// When it arrived.
    pub changed_at: Timestamp,
}

/// A decline or its withdrawal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeclineRow {
    /// The update.
    pub update_id: UpdateId,
    /// It is declined; false if that was taken back.
    pub declined: bool,
    /// Change number of the last decline or withdrawal.
    pub changed: ChangeNumber,
}

/// A deployment that was deleted or switched off: computers that had it must hear of the change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetiredChange {
    /// The deployment's number.
    pub deployment: DeploymentId,
    /// What was deployed.
    pub update_id: UpdateId,
    /// To whom.
    pub collection: CollectionId,
    /// Change number of the deletion or switch.
    pub changed: ChangeNumber,
    /// When.
    pub changed_at: Timestamp,
}

/// Everything but revisions: small, loaded as a whole.
#[derive(Clone, Debug)]
pub struct TargetingRows {
    /// The last change number given out.
    pub change: ChangeNumber,
    /// Enabled deployments of updates.
    pub deployments: Vec<Deployment>,
    /// All collections, built-in ones included.
    pub collections: Vec<Collection>,
    /// Declines and withdrawals.
    pub declines: Vec<DeclineRow>,
    /// Deleted and switched-off deployments.
    pub retired: Vec<RetiredChange>,
}

statements! {
    REVISIONS: "loading revisions" =
        "SELECT revision_id, update_no, revision, update_type, category_kind, explicitly_deployable, expired,
             core_escaped_len, change, arrived_at
         FROM revision WHERE revision_id > ?1 ORDER BY revision_id";
    REVISION_IDS: "loading the numbers of revisions" = "SELECT revision_id FROM revision ORDER BY revision_id";
    PREREQUISITES: "loading prerequisites" =
        "SELECT revision_id, clause, is_category, bare, update_no FROM prerequisite WHERE revision_id > ?1
         ORDER BY revision_id, clause, position";
    BUNDLES: "loading bundled updates" =
        "SELECT revision_id, clause, update_no, revision FROM bundle WHERE revision_id > ?1
         ORDER BY revision_id, clause, position";
    DRIVERS: "loading drivers" =
        "SELECT revision_id, facts FROM driver WHERE revision_id > ?1 ORDER BY revision_id, position";
    UPDATE_ID: "looking up the number of an update" = "SELECT update_id FROM updates WHERE update_no = ?1";
    DEPLOYMENTS: "loading deployments" =
        "SELECT d.deployment_id, u.update_id, d.revision, d.collection_id, d.action,
             CASE WHEN EXISTS (SELECT 1 FROM update_stop s WHERE s.update_no = d.update_no) THEN 0 ELSE d.active END,
             d.deadline_at, d.change, d.changed_at, d.available_at, d.local_time, d.outside_windows, d.hold_until_window,
             u.run_time_minutes
         FROM deployment d JOIN updates u ON u.update_no = d.update_no WHERE d.enabled = 1 ORDER BY d.deployment_id";
    COLLECTIONS: "loading collections" =
        "SELECT collection_id, parent_id, kind, approved_only FROM collection ORDER BY collection_id";
    DECLINES: "loading declines" =
        "SELECT update_id, CASE WHEN declined_at IS NULL THEN 0 ELSE 1 END, declined_change FROM updates
         WHERE declined_change > 0 ORDER BY declined_change, update_no";
    RETIRED: "loading deleted deployments" =
        "SELECT r.deployment_id, u.update_id, r.collection_id, r.change, r.retired_at
         FROM retired_deployment r JOIN updates u ON u.update_no = r.update_no ORDER BY r.change";
}

/// Above so many new revisions it is quicker to load all update ids at once.
const MANY: usize = 500;

/// Update ids by number: all of them, or those that were learnt.
enum Names {
    All(Vec<Option<UpdateId>>),
    Some(HashMap<u32, UpdateId>),
}

impl Names {
    fn load(tx: &ReadTx<'_>, revisions: usize) -> Result<Self, StoreError> {
        if revisions < MANY {
            return Ok(Self::Some(HashMap::new()));
        }
        let mut all = Vec::new();
        for (number, id) in tx.update_numbers(0)? {
            all.resize(number as usize, None);
            all.push(Some(id));
        }
        Ok(Self::All(all))
    }

    /// Looks up the ids of numbers, unless all are known.
    fn learn(&mut self, tx: &ReadTx<'_>, numbers: impl IntoIterator<Item = u32>) -> Result<(), StoreError> {
        let Self::Some(known) = self else { return Ok(()) };
        for number in numbers {
            if let Entry::Vacant(place) = known.entry(number)
                && let Some(id) = tx.first(&UPDATE_ID, args![number], |row| row.update_id(0))?
            {
                place.insert(id);
            }
        }
        Ok(())
    }

    /// Learns what a column of the rows of a statement names, before these rows are read: an engine over a network would have to
    /// gather them all for a statement that runs in between.
    fn learn_of(
        &mut self,
        tx: &ReadTx<'_>,
        statement: &'static Statement,
        after: RevisionId,
        column: usize,
    ) -> Result<(), StoreError> {
        if matches!(self, Self::All(_)) {
            return Ok(());
        }
        let numbers = tx.all(statement, args![after], |row| row.opt_int(column))?;
        self.learn(tx, numbers.into_iter().flatten())
    }

    fn find(&self, number: u32) -> Result<UpdateId, StoreError> {
        let found = match self {
            Self::All(all) => all.get(number as usize).copied().flatten(),
            Self::Some(known) => known.get(&number).copied(),
        };
        found.ok_or_else(|| StoreError::Corrupt { what: format!("update number {number} is nobody's") })
    }
}

/// Walks along revisions that ascend, for rows that ascend with them.
fn seek(rows: &mut [RevisionFactsRow], at: &mut usize, id: RevisionId) -> Result<usize, StoreError> {
    while rows.get(*at).is_some_and(|row| row.id < id) {
        *at += 1;
    }
    match rows.get(*at) {
        Some(row) if row.id == id => Ok(*at),
        _ => Err(StoreError::Corrupt { what: format!("rows of revision {id}, which is not stored") }),
    }
}

impl ReadTx<'_> {
    /// Facts of every revision whose number is above `after`, ascending by number. `RevisionId(0)` loads all.
    pub fn catalogue_revisions(&self, after: RevisionId) -> Result<Vec<RevisionFactsRow>, StoreError> {
        let mut numbers: Vec<u32> = Vec::new();
        let mut rows = self.all(&REVISIONS, args![after], |row| {
            numbers.push(row.int(1)?);
            Ok(RevisionFactsRow {
                id: row.revision_id(0)?,
                // The update is filled in below.
                identity: UpdateIdentity {
                    update_id: UpdateId(uuid::Uuid::nil()),
                    revision: RevisionNumber(row.int(2)?),
                },
                update_type: row.coded(3)?,
                category: row.opt(4, Row::coded)?,
                explicitly_deployable: row.bool(5)?,
                expired: row.bool(6)?,
                relationships: Relationships::default(),
                drivers: Vec::new(),
                core_len: row.int(7)?,
                changed: row.change(8)?,
                changed_at: row.time(9)?,
            })
        })?;
        let mut names = Names::load(self, rows.len())?;
        names.learn(self, numbers.iter().copied())?;
        names.learn_of(self, &PREREQUISITES, after, 4)?;
        names.learn_of(self, &BUNDLES, after, 2)?;
        for (row, number) in rows.iter_mut().zip(numbers) {
            row.identity.update_id = names.find(number)?;
        }
        let mut at = 0;
        self.each(&PREREQUISITES, args![after], |row| {
            let index = seek(&mut rows, &mut at, row.revision_id(0)?)?;
            let update = row.opt_int(4)?.map(|number| names.find(number)).transpose()?;
            add_prerequisite(&mut rows[index].relationships, row.int(1)?, row.bool(2)?, row.bool(3)?, update);
            Ok(ControlFlow::Continue(()))
        })?;
        at = 0;
        self.each(&BUNDLES, args![after], |row| {
            let index = seek(&mut rows, &mut at, row.revision_id(0)?)?;
            let update = row.opt_int(2)?.map(|number| names.find(number)).transpose()?;
            add_bundled(&mut rows[index].relationships, row.int(1)?, update.zip(row.opt_int(3)?));
            Ok(ControlFlow::Continue(()))
        })?;
        at = 0;
        self.each(&DRIVERS, args![after], |row| {
            let id = row.revision_id(0)?;
            let index = seek(&mut rows, &mut at, id)?;
            let facts: DriverMetadata = serde_json::from_str(row.str(1)?)
                .map_err(|error| StoreError::Corrupt { what: format!("driver facts of revision {id}: {error}") })?;
            rows[index].drivers.push(facts);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    /// Numbers of all stored revisions, ascending: with it an incremental loader sees what was deleted.
    pub fn catalogue_revision_ids(&self) -> Result<Vec<RevisionId>, StoreError> {
        self.all(&REVISION_IDS, args![], |row| row.revision_id(0))
    }

    /// Deployments, collections, declines and retired changes.
    pub fn catalogue_targeting(&self) -> Result<TargetingRows, StoreError> {
        Ok(TargetingRows {
            change: self.catalogue_version()?,
            deployments: self.all(&DEPLOYMENTS, args![], |row| {
                Ok(Deployment {
                    id: DeploymentId(row.int(0)?),
                    update_id: row.update_id(1)?,
                    revision: row.opt_int(2)?.map(RevisionNumber),
                    collection: row.collection_id(3)?,
                    action: row.coded(4)?,
                    active: row.bool(5)?,
                    available: row.time(9)?,
                    deadline: row.opt_time(6)?,
                    timing: Timing {
                        local_time: row.bool(10)?,
                        outside_windows: row.bool(11)?,
                        hold_until_window: row.bool(12)?,
                    },
                    run_minutes: row.int(13)?,
                    changed: row.change(7)?,
                    changed_at: row.time(8)?,
                })
            })?,
            collections: self.all(&COLLECTIONS, args![], |row| {
                Ok(Collection {
                    id: row.collection_id(0)?,
                    parent: row.opt(1, Row::collection_id)?,
                    kind: row.coded(2)?,
                    approved_only: row.bool(3)?,
                })
            })?,
            declines: self.all(&DECLINES, args![], |row| {
                Ok(DeclineRow { update_id: row.update_id(0)?, declined: row.bool(1)?, changed: row.change(2)? })
            })?,
            retired: self.all(&RETIRED, args![], |row| {
                Ok(RetiredChange {
                    deployment: DeploymentId(row.int(0)?),
                    update_id: row.update_id(1)?,
                    collection: row.collection_id(2)?,
                    changed: row.change(3)?,
                    changed_at: row.time(4)?,
                })
            })?,
        })
    }
}
