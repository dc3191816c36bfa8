//! Deployments.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId, ContentDigest, DeploymentId, RevisionNumber, UpdateId},
    targeting::{DeploymentAction, DeploymentOrigin},
};

use crate::{Page, ReadTx, StoreError, WriteTx};

/// What is deployed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deployed {
    /// An update group.
    Group(Uuid),
    /// One update, pinned to a revision or following the newest.
    Update {
        /// The update.
        id: UpdateId,
        /// Only this revision.
        revision: Option<RevisionNumber>,
    },
}

/// A deployment to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewDeployment {
    /// What.
    pub deployed: Deployed,
    /// To whom.
    pub collection: CollectionId,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Install or uninstall not later than this.
    pub deadline_at: Option<Timestamp>,
    /// Who made it.
    pub origin: DeploymentOrigin,
    /// It may go out at once (its files are here and its time has come); otherwise a later
    /// [`WriteTx::deployment_set_active`] says so.
    pub active: bool,
}

/// A deployment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeploymentRow {
    /// Its number.
    pub id: DeploymentId,
    /// What.
    pub deployed: Deployed,
    /// Title of the update's newest revision, or the group's name.
    pub title: String,
    /// To whom.
    pub collection: CollectionId,
    /// The collection's name.
    pub collection_name: String,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Install or uninstall not later than this.
    pub deadline_at: Option<Timestamp>,
    /// An administrator may switch it off.
    pub enabled: bool,
    /// It goes out with its action.
    pub active: bool,
    /// Who made it.
    pub origin: DeploymentOrigin,
    /// Its last change.
    pub change: ChangeNumber,
    /// When.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// A content file that a deployment needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NeededFile {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// Its SHA-256, if a document has it.
    pub sha256: Option<weir_model::ids::Sha256Digest>,
    /// Its length in bytes.
    pub size: u64,
    /// Its name.
    pub name: String,
    /// It is here and verified.
    pub verified: bool,
}

/// Which deployments to list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeploymentFilter {
    /// Of this update.
    pub update: Option<UpdateId>,
    /// To this collection.
    pub collection: Option<CollectionId>,
}

impl ReadTx<'_> {
    /// One deployment.
    pub fn deployment_show(&self, id: DeploymentId) -> Result<Option<DeploymentRow>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Deployments by number.
    pub fn deployment_list(
        &self,
        filter: &DeploymentFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<DeploymentRow>, StoreError> {
        let _ = (filter, cursor, limit);
        unimplemented!()
    }

    /// Distinct files (licence files included) of an update and, for a bundle, of every member in the catalogue, all
    /// alternatives, to any depth. `revision` none takes the newest.
    pub fn deployment_files(
        &self,
        update: UpdateId,
        revision: Option<RevisionNumber>,
    ) -> Result<Vec<NeededFile>, StoreError> {
        let _ = (update, revision);
        unimplemented!()
    }

    /// Files that enabled deployments for installation need and that are not verified here, each once.
    pub fn deployment_files_missing(&self) -> Result<Vec<NeededFile>, StoreError> {
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Makes a deployment. [`StoreError::DeploymentExists`] if the same is deployed to the same collection.
    pub fn deployment_create(&self, new: &NewDeployment) -> Result<DeploymentId, StoreError> {
        let _ = new;
        unimplemented!()
    }

    /// Activates or deactivates a deployment; takes a change number if that changes something. True if it did.
    pub fn deployment_set_active(&self, id: DeploymentId, active: bool) -> Result<bool, StoreError> {
        let _ = (id, active);
        unimplemented!()
    }

    /// Switches a deployment on or off. True if that changed something.
    pub fn deployment_set_enabled(&self, id: DeploymentId, enabled: bool) -> Result<bool, StoreError> {
        let _ = (id, enabled);
        unimplemented!()
    }

    /// Deletes a deployment and leaves a retired change behind.
    pub fn deployment_delete(&self, id: DeploymentId) -> Result<(), StoreError> {
        let _ = id;
        unimplemented!()
    }
}
