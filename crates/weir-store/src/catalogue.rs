//! Loading what the catalogue engine compiles, in one fast pass.

use jiff::Timestamp;
use weir_model::{
    ids::{ChangeNumber, CollectionId, DeploymentId, RevisionId, UpdateId, UpdateIdentity},
    targeting::{Collection, Deployment},
    update::{CategoryKind, DriverMetadata, Relationships, UpdateType},
};

use crate::{ReadTx, StoreError};

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
    /// Its relationships.
    pub relationships: Relationships,
    /// Hardware ids of a driver.
    pub drivers: Vec<DriverMetadata>,
    /// Bytes of the Core fragment in wire form.
    pub core_len: u64,
    /// Change number of its arrival.
    pub changed: ChangeNumber,
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

/// A deployment that is no more: computers that had it must hear of the change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetiredChange {
    /// The deployment's number.
    pub deployment: DeploymentId,
    /// What was deployed.
    pub update_id: UpdateId,
    /// To whom.
    pub collection: CollectionId,
    /// Change number of the deletion.
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
    /// Deleted deployments.
    pub retired: Vec<RetiredChange>,
}

impl ReadTx<'_> {
    /// Facts of every revision whose number is above `after`, ascending by number. `RevisionId(0)` loads all.
    pub fn catalogue_revisions(&self, after: RevisionId) -> Result<Vec<RevisionFactsRow>, StoreError> {
        let _ = after;
        unimplemented!()
    }

    /// Numbers of all stored revisions, ascending: with it an incremental loader sees what was deleted.
    pub fn catalogue_revision_ids(&self) -> Result<Vec<RevisionId>, StoreError> {
        unimplemented!()
    }

    /// Deployments, collections, declines and retired changes.
    pub fn catalogue_targeting(&self) -> Result<TargetingRows, StoreError> {
        unimplemented!()
    }
}
