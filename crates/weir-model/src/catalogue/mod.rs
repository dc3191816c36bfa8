//! The catalogue engine (design, section 5): an immutable compiled [`Snapshot`] of the whole catalogue that answers
//! scans (MS-WUSP 3.1.5.6 to 3.1.5.8, 3.1.5.12) without SQL, XML or clocks.
//!
//! A snapshot is compiled from [`CatalogueInput`], shared by all requests, and replaced when anything changes. A
//! [`Scope`] says what the computers of one set of collections are sent; the caller keeps scopes, one per distinct set,
//! for as long as the snapshot lives. Requests are then set operations over dense indexes: [`Snapshot::software`],
//! [`Snapshot::drivers`], [`Snapshot::printers`].
//!
//! *Invariant:* a scope, and a [`Related`] filter, is used only with the snapshot that made it.

mod input;
mod query;

pub use input::{CatalogueInput, Retired, RevisionFacts};
pub use query::{
    CategoryRelationship, CategoryScan, CategoryScanError, Device, DriverQuery, Entry, InstalledDriver,
    InstalledExtension, Lack, Offer, PageLimits, PrinterQuery, SoftwareQuery, Standing, SyncPlan, WireAction,
    WireDeployment,
};

use crate::{
    ids::{ChangeNumber, CollectionId, RevisionId, UpdateId, UpdateIdentity},
    targeting::Explanation,
    update::UpdateType,
};

/// The compiled catalogue. Holds no document text and no strings except those of drivers.
#[derive(Debug)]
pub struct Snapshot {}

/// What the computers of one set of collections are sent. Made by [`Snapshot::scope`]; valid with that snapshot only.
#[derive(Debug)]
pub struct Scope {}

/// The revisions a category scan is about (MS-WUSP 3.1.5.7, FilterCategoryIds). Made by [`Snapshot::related`]; the
/// caller keeps it per snapshot and set of categories.
#[derive(Debug)]
pub struct Related {}

/// Working memory of one request, reused from request to request by one thread at a time. Carries no state between them.
#[derive(Debug, Default)]
pub struct Scratch {}

impl Snapshot {
    /// Compiles the catalogue. Revisions that repeat an id or an identity, or whose id is not positive, are ignored after the first.
    pub fn compile(_input: &CatalogueInput) -> Self {
        unimplemented!()
    }

    /// The change number that scans against this snapshot carry away as their anchor.
    pub fn change(&self) -> ChangeNumber {
        unimplemented!()
    }

    /// How many revisions are present, live or not.
    pub fn len(&self) -> usize {
        unimplemented!()
    }

    /// Whether the catalogue is empty.
    pub fn is_empty(&self) -> bool {
        unimplemented!()
    }

    /// How many updates are live and resolved, so that scopes can hold them.
    pub fn live_len(&self) -> usize {
        unimplemented!()
    }

    /// What computers in exactly these collections are sent. Order and repeats do not matter, All Computers is always
    /// a member, unknown collections count as branches below it.
    pub fn scope(&self, _groups: &[CollectionId]) -> Scope {
        unimplemented!()
    }

    /// The software pass (SkipSoftwareSync false).
    pub fn software(
        &self,
        _scope: &Scope,
        _query: &SoftwareQuery<'_>,
        _limits: &PageLimits,
        _scratch: &mut Scratch,
    ) -> SyncPlan {
        unimplemented!()
    }

    /// The driver pass (SkipSoftwareSync true).
    pub fn drivers(
        &self,
        _scope: &Scope,
        _query: &DriverQuery<'_>,
        _limits: &PageLimits,
        _scratch: &mut Scratch,
    ) -> SyncPlan {
        unimplemented!()
    }

    /// SyncPrinterCatalog (MS-WUSP 3.1.5.12).
    pub fn printers(
        &self,
        _scope: &Scope,
        _query: &PrinterQuery<'_>,
        _limits: &PageLimits,
        _scratch: &mut Scratch,
    ) -> SyncPlan {
        unimplemented!()
    }

    /// Whether a driver pass with this filter can answer anything but out-of-scope ids. False lets the caller skip
    /// reading SystemSpec altogether.
    pub fn has_drivers(&self, _scope: &Scope, _filter: Option<&Related>) -> bool {
        unimplemented!()
    }

    /// StartCategoryScan (MS-WUSP 3.1.5.6).
    pub fn category_scan(&self, _requested: &[CategoryRelationship]) -> Result<CategoryScan, CategoryScanError> {
        unimplemented!()
    }

    /// The revisions that a filter by these categories lets through: the categories, those below them, what is in
    /// them, and the dependencies of all of that. Unknown ids add nothing.
    pub fn related(&self, _categories: &[UpdateId]) -> Related {
        unimplemented!()
    }

    /// RefreshCache (MS-WUSP 3.1.5.8): the entries of those revisions which the scope holds, in the order asked, Bundle
    /// ones left out as WSUS does.
    pub fn refresh(&self, _scope: &Scope, _ids: &[UpdateIdentity]) -> Vec<(UpdateIdentity, Entry)> {
        unimplemented!()
    }

    /// Whether the scope holds this very revision, software or driver.
    pub fn in_scope(&self, _scope: &Scope, _revision: RevisionId) -> bool {
        unimplemented!()
    }

    /// When this update last came into the scope: a report that follows an older anchor says nothing about it. None if it is
    /// not in the scope.
    pub fn entered(&self, _scope: &Scope, _update: UpdateId) -> Option<ChangeNumber> {
        unimplemented!()
    }

    /// Everything in the scope, in dense order.
    pub fn offers(&self, _scope: &Scope) -> Vec<Offer> {
        unimplemented!()
    }

    /// The identity of a present revision.
    pub fn identity(&self, _revision: RevisionId) -> Option<UpdateIdentity> {
        unimplemented!()
    }

    /// The type of a present revision.
    pub fn update_type(&self, _revision: RevisionId) -> Option<UpdateType> {
        unimplemented!()
    }

    /// The id of a present revision.
    pub fn revision(&self, _identity: UpdateIdentity) -> Option<RevisionId> {
        unimplemented!()
    }

    /// The newest present revision of an update, whatever its state.
    pub fn newest(&self, _update: UpdateId) -> Option<RevisionId> {
        unimplemented!()
    }

    /// The live revision of an update, resolved or not.
    pub fn live(&self, _update: UpdateId) -> Option<RevisionId> {
        unimplemented!()
    }

    /// Every present revision that is unresolved, by id, with what it lacks.
    pub fn unresolved(&self) -> Vec<(RevisionId, Vec<Lack>)> {
        unimplemented!()
    }

    /// Why computers in these collections get this update as they do.
    pub fn effective(&self, _groups: &[CollectionId], _update: UpdateId) -> Explanation {
        unimplemented!()
    }
}
