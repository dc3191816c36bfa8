//! Lists of updates for administrators.

use jiff::Timestamp;
use weir_model::{
    ids::{RevisionId, UpdateId, UpdateIdentity},
    update::{CategoryKind, Severity, UpdateType},
};

use crate::{Page, ReadTx, StoreError};

/// Which updates to list; everything given must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UpdateFilter {
    /// Words that titles, KB articles or bulletins contain, compared without regard to case, or an update id.
    pub text: Option<String>,
    /// Of this type.
    pub update_type: Option<UpdateType>,
    /// Category revisions of this kind.
    pub category_kind: Option<CategoryKind>,
    /// In one of these categories; the server resolves families to their products. Empty does not filter.
    pub categories: Vec<UpdateId>,
    /// Declined, or not.
    pub declined: Option<bool>,
    /// Expired, or not.
    pub expired: Option<bool>,
    /// Deployable, or not.
    pub explicitly_deployable: Option<bool>,
    /// One of these (what the server works out itself: unresolved, needed). None does not filter.
    pub ids: Option<Vec<UpdateId>>,
}

/// A row per update: its newest revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpdateRow {
    /// Number of the newest revision.
    pub revision_id: RevisionId,
    /// Which revision that is.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// For categories, what kind of node.
    pub category_kind: Option<CategoryKind>,
    /// Title in the default language, trimmed for display.
    pub title: String,
    /// Categories it says it belongs to.
    pub categories: Vec<UpdateId>,
    /// Knowledge-base articles.
    pub kb_articles: Vec<String>,
    /// Security bulletins.
    pub bulletins: Vec<String>,
    /// MSRC severity.
    pub severity: Option<Severity>,
    /// When the publisher made it.
    pub created_at: Option<Timestamp>,
    /// When it arrived here.
    pub arrived_at: Timestamp,
    /// It is expired.
    pub expired: bool,
    /// It is declined.
    pub declined: bool,
    /// It can be deployed.
    pub explicitly_deployable: bool,
    /// It has bundled updates.
    pub is_bundle: bool,
}

/// Counts of stored revisions, and of distinct updates.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Facets {
    /// Category revisions.
    pub category: u64,
    /// Detectoid revisions.
    pub detectoid: u64,
    /// Driver revisions.
    pub driver: u64,
    /// Software revisions.
    pub software: u64,
    /// Distinct update ids.
    pub updates: u64,
}

impl Facets {
    /// All revisions.
    pub fn total(&self) -> u64 {
        self.category + self.detectoid + self.driver + self.software
    }
}

/// A category for the product tree and the list of classifications.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CategoryRow {
    /// Its id.
    pub id: UpdateId,
    /// Number of its newest revision.
    pub revision_id: RevisionId,
    /// What kind of node.
    pub kind: CategoryKind,
    /// The node above it: its product family or company.
    pub parent: Option<UpdateId>,
    /// Title in the wanted language, else in the default language, trimmed.
    pub title: String,
}

impl ReadTx<'_> {
    /// Updates, newest arrival first.
    pub fn update_list(
        &self,
        filter: &UpdateFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<UpdateRow>, StoreError> {
        let _ = (filter, cursor, limit);
        unimplemented!()
    }

    /// Counts of all stored revisions that match.
    pub fn update_facets(&self, filter: &UpdateFilter) -> Result<Facets, StoreError> {
        let _ = filter;
        unimplemented!()
    }

    /// One update's row.
    pub fn update_show(&self, update: UpdateId) -> Result<Option<UpdateRow>, StoreError> {
        let _ = update;
        unimplemented!()
    }

    /// The newest revision of every category, by title.
    pub fn category_list(&self, language: &str) -> Result<Vec<CategoryRow>, StoreError> {
        let _ = language;
        unimplemented!()
    }

    /// Languages in which some revision has a title, ascending.
    pub fn language_list(&self) -> Result<Vec<String>, StoreError> {
        unimplemented!()
    }
}
