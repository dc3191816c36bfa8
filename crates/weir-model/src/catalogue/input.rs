//! What a snapshot is compiled from.

use jiff::Timestamp;

use crate::{
    ids::{ChangeNumber, CollectionId, RevisionId, UpdateId, UpdateIdentity},
    targeting::{Collection, Deployment},
    update::{CategoryKind, DriverMetadata, Relationships, UpdateType},
};

/// One stored revision. Every stored revision is given, also older, expired and declined ones: their ids still
/// satisfy prerequisites of computers that report them.
#[derive(Clone, Debug)]
pub struct RevisionFacts {
    /// Its number on this server; positive.
    pub id: RevisionId,
    /// Its identity in documents.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// `CategoryInformation/@CategoryType` of a category.
    pub category: Option<CategoryKind>,
    /// `Properties/@ExplicitlyDeployable`.
    pub explicitly_deployable: bool,
    /// `Properties/@PublicationState` is Expired.
    pub expired: bool,
    /// The update was declined. The flag of the newest revision counts for the update; a declined older revision is
    /// not sent even if a deployment names it.
    pub declined: bool,
    /// Its relationships; `superseded` is not read and may be left empty.
    pub relationships: Relationships,
    /// Its hardware ids, if it is a driver.
    pub drivers: Vec<DriverMetadata>,
    /// Length of its escaped Core fragment, in bytes.
    pub core_len: u32,
    /// When it entered the catalogue, in the order of all changes.
    pub changed: ChangeNumber,
    /// The instant of the same: the LastChangeTime of its entries while no deployment gives one.
    pub changed_at: Timestamp,
}

/// A change to an update that left nothing behind which could carry its change number: a deployment deleted or
/// disabled, an update declined and accepted again. Only the latest change per update and collection is needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retired {
    /// The update.
    pub update_id: UpdateId,
    /// Where the deployment was; none for a change that concerns every computer (decline and its undoing).
    pub collection: Option<CollectionId>,
    /// When.
    pub changed: ChangeNumber,
}

/// Everything the engine knows.
#[derive(Clone, Debug, Default)]
pub struct CatalogueInput {
    /// All stored revisions, in any order.
    pub revisions: Vec<RevisionFacts>,
    /// All enabled deployments, expanded to one update each, in any order.
    pub deployments: Vec<Deployment>,
    /// All collections.
    pub collections: Vec<Collection>,
    /// Changes without another carrier.
    pub retired: Vec<Retired>,
    /// The highest change number of the store when this was read.
    pub change: ChangeNumber,
}
