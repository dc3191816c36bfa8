//! The catalogue engine (design, section 5): an immutable compiled [`Snapshot`] of the whole catalogue that answers
//! scans (MS-WUSP 3.1.5.6 to 3.1.5.8, 3.1.5.12) without SQL, XML or clocks.
//!
//! A snapshot is compiled from [`CatalogueInput`], shared by all requests, and replaced when anything changes. A
//! [`Scope`] says what the computers of one set of collections are sent; the caller keeps scopes, one per distinct set,
//! for as long as the snapshot lives. Requests are then set operations over dense indexes: [`Snapshot::software`],
//! [`Snapshot::drivers`], [`Snapshot::printers`].
//!
//! *What is sent.* The newest revision of an update counts: if it is declined, nothing of the update is sent; if it is
//! expired, nothing unless it is a category or detectoid that something in scope names as a prerequisite. A deployment
//! of a certain revision puts that one in the place of the newest. Members come with their bundle in the exact
//! revision it names, unless they are declined, unresolved, or the scope has another revision of them.
//!
//! *Changes.* An entry counts as changed since an anchor if IsLeaf or its membership of a bundle changed, if any deployment of its
//! update on the computer's branches was made or changed, or if one was retired there ([`Retired`]). A change to a
//! deployment that another hides is thus announced too: which deployment won before is not known here. For a computer that moved
//! to other collections everything counts as changed, unless [`Decided`] shows that its changes are those since the anchor.
//!
//! *Invariant:* a scope, and a [`Related`] filter, is used only with the snapshot that made it.

mod agenda;
mod categories;
mod circles;
mod compile;
mod decided;
mod deployed;
pub(crate) mod drivers;
mod graph;
mod input;
mod lookup;
mod query;
pub(crate) mod ranking;
mod scope;
mod sets;
mod software;
#[cfg(test)]
mod tests;

pub use agenda::{Agenda, Known, Timed};
pub use categories::Related;
pub use decided::Decided;
pub use input::{CatalogueInput, Retired, RevisionFacts};
pub use query::{
    CategoryRelationship, CategoryScan, CategoryScanError, Device, DriverQuery, Entry, Explanation, InstalledDriver,
    InstalledExtension, Lack, Offer, PageLimits, PrinterQuery, SoftwareQuery, Standing, SyncPlan, WireAction,
    WireDeployment,
};
pub use scope::Scope;
pub use software::Scratch;

use self::{
    compile::{Revision, Update},
    deployed::Deployed,
    drivers::DriverIndex,
    sets::{FoldMap, IdTable, Lists},
};
use crate::ids::{ChangeNumber, CollectionId, UpdateId};

/// The compiled catalogue. Holds no document text and no strings except those of drivers.
///
/// Revisions have dense indexes in the order of pages: non-leaf, leaf, then by id. Updates, distinct prerequisite clauses, and
/// distinct sets of them ("signatures") have dense indexes of their own.
#[derive(Debug)]
pub struct Snapshot {
    change: ChangeNumber,
    revisions: Vec<Revision>,
    updates: Vec<Update>,
    index: FoldMap<UpdateId, u32>,
    ids: IdTable,
    /// Update to its revisions, ascending by number.
    revisions_of: Lists,
    /// Bundle to its present members.
    members: Lists,
    /// Clause to the updates it names.
    clauses: Lists,
    /// Update to the clauses that name it.
    clauses_of: Lists,
    /// Signature to its clauses.
    signatures: Lists,
    /// The signatures without clauses.
    free: Vec<u32>,
    /// Clause to the signatures filed under it.
    under: Lists,
    /// Signature to those revisions with it that a scope can hold, drivers aside.
    software: Lists,
    /// Category to the revisions with an IsCategory clause on it.
    in_category: Lists,
    /// Changes of IsLeaf and of membership, by time.
    changes: Vec<(u64, u32)>,
    lacks: Vec<(u32, Vec<Lack>)>,
    deployed: Deployed,
    drivers: DriverIndex,
}

impl Snapshot {
    /// Compiles the catalogue. A revision whose id is not positive, or that repeats an id or an identity, is left out.
    pub fn compile(input: &CatalogueInput) -> Self {
        Self::build(input)
    }

    /// The change number that scans against this snapshot carry away as their anchor.
    pub fn change(&self) -> ChangeNumber {
        self.change
    }

    /// How many revisions are present, live or not.
    pub fn len(&self) -> usize {
        self.revisions.len()
    }

    /// Whether the catalogue is empty.
    pub fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    /// How many updates are live and resolved, so that scopes start from them.
    pub fn live_len(&self) -> usize {
        self.updates.iter().filter(|it| it.root != sets::NONE).count()
    }

    /// What computers in exactly these collections are sent. Order and repeats do not matter; All Computers is always
    /// among them; unknown collections count as branches below it.
    pub fn scope(&self, groups: &[CollectionId]) -> Scope {
        self.compile_scope(groups)
    }

    /// The software pass (SkipSoftwareSync false). Depends on nothing but the arguments: the same request gets the same
    /// answer.
    pub fn software(
        &self,
        scope: &Scope,
        query: &SoftwareQuery<'_>,
        limits: &PageLimits,
        scratch: &mut Scratch,
    ) -> SyncPlan {
        self.software_pass(scope, query, limits, scratch)
    }

    /// The driver pass (SkipSoftwareSync true).
    pub fn drivers(
        &self,
        scope: &Scope,
        query: &DriverQuery<'_>,
        limits: &PageLimits,
        scratch: &mut Scratch,
    ) -> SyncPlan {
        self.driver_pass(scope, query, limits, scratch)
    }

    /// SyncPrinterCatalog (MS-WUSP 3.1.5.12): all printer drivers in scope whose prerequisites are met.
    pub fn printers(
        &self,
        scope: &Scope,
        query: &PrinterQuery<'_>,
        limits: &PageLimits,
        scratch: &mut Scratch,
    ) -> SyncPlan {
        self.printer_pass(scope, query, limits, scratch)
    }

    /// The revisions that a filter by these categories lets through: the categories, those below them, what is in
    /// them, and the dependencies of all of that. Unknown ids add nothing.
    pub fn related(&self, categories: &[UpdateId]) -> Related {
        self.related_revisions(categories)
    }
}
