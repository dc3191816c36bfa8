//! The rows of update lists in memory, for one state of the catalogue: what filters are decided on.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use weir_api::{
    Reference,
    computer::StateCounts,
    update::{UpdateKind, UpdateRow},
};
use weir_model::{
    ids::{ChangeNumber, RevisionId, UpdateId},
    update::{CategoryKind, Severity, UpdateType},
};
use weir_store::{
    ReadTx, StoreError,
    deployment::{Deployed, DeploymentFilter},
    list,
};

use super::{
    AdminError, App,
    filter::{Facts, Flag, NumberField, TextField},
    tally,
};
use crate::live::Published;

/// Rows read at once.
const PAGE: u32 = 1_000;

/// All updates.
#[derive(Debug)]
pub(crate) struct Index {
    change: ChangeNumber,
    /// Newest arrival first.
    pub(crate) rows: Vec<Row>,
    by_id: HashMap<UpdateId, usize>,
    categories: HashMap<UpdateId, list::CategoryRow>,
}

/// One update.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) stored: list::UpdateRow,
    /// Stored revisions.
    pub(crate) revisions: u64,
    pub(crate) unresolved: bool,
    pub(crate) deployments: u64,
    /// Lower-case ids and titles of its products and of what is above them.
    products: Vec<String>,
    classifications: Vec<String>,
    title: String,
}

impl Index {
    /// The index of what is published now.
    pub(crate) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let published = app.state.live.current();
        let fresh = |change| app.shared().index.lock().clone().filter(|index| index.change == change);
        if let Some(index) = fresh(published.change()) {
            return Ok(index);
        }
        let _one_at_a_time = app.shared().indexing.lock().await;
        if let Some(index) = fresh(published.change()) {
            return Ok(index);
        }
        let index = Arc::new(app.read(move |tx| Self::build(tx, &published)).await?);
        *app.shared().index.lock() = Some(Arc::clone(&index));
        Ok(index)
    }

    fn build(tx: &ReadTx<'_>, published: &Published) -> Result<Self, StoreError> {
        let snapshot = &published.snapshot;
        let unresolved: HashSet<RevisionId> = snapshot.unresolved().into_iter().map(|(id, _)| id).collect();
        let mut revisions: HashMap<UpdateId, u64> = HashMap::new();
        for id in tx.catalogue_revision_ids()? {
            if let Some(identity) = snapshot.identity(id) {
                *revisions.entry(identity.update_id).or_default() += 1;
            }
        }
        let mut deployments: HashMap<UpdateId, u64> = HashMap::new();
        let mut cursor = None;
        loop {
            let page = tx.deployment_list(&DeploymentFilter::default(), cursor.as_deref(), PAGE)?;
            for row in page.items {
                if let Deployed::Update { id, .. } = row.deployed {
                    *deployments.entry(id).or_default() += 1;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let categories: HashMap<UpdateId, list::CategoryRow> =
            tx.category_list("en")?.into_iter().map(|row| (row.id, row)).collect();
        let mut rows = Vec::new();
        loop {
            let page = tx.update_list(&list::UpdateFilter::default(), cursor.as_deref(), PAGE)?;
            for stored in page.items {
                let id = stored.identity.update_id;
                let (products, classifications) = texts(&categories, &stored.categories);
                rows.push(Row {
                    revisions: revisions.get(&id).copied().unwrap_or(1),
                    unresolved: unresolved.contains(&stored.revision_id),
                    deployments: deployments.get(&id).copied().unwrap_or_default(),
                    title: stored.title.to_lowercase(),
                    products,
                    classifications,
                    stored,
                });
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let by_id = rows.iter().enumerate().map(|(at, row)| (row.stored.identity.update_id, at)).collect();
        Ok(Self { change: published.change(), rows, by_id, categories })
    }

    /// One update.
    pub(crate) fn find(&self, update: UpdateId) -> Option<&Row> {
        self.rows.get(*self.by_id.get(&update)?)
    }

    /// The title of an update in its default language, as lists give it; empty if it is not in the catalogue.
    pub(crate) fn title(&self, update: UpdateId) -> String {
        self.find(update).map(|row| super::list::short(&row.stored.title)).unwrap_or_default()
    }

    /// A reference to an update.
    pub(crate) fn reference(&self, update: UpdateId) -> Reference {
        Reference { id: update.0, name: self.title(update) }
    }

    /// Its products, or its classifications.
    pub(crate) fn categories<'a>(
        &'a self,
        row: &'a Row,
        classification: bool,
    ) -> impl Iterator<Item = &'a list::CategoryRow> {
        row.stored
            .categories
            .iter()
            .filter_map(|id| self.categories.get(id))
            .filter(move |category| (category.kind == CategoryKind::UpdateClassification) == classification)
    }

    /// A row as lists give it.
    pub(crate) fn row(&self, row: &Row, title: Option<String>, counts: &StateCounts) -> UpdateRow {
        let reference =
            |category: &list::CategoryRow| Reference { id: category.id.0, name: super::list::short(&category.title) };
        let stored = &row.stored;
        UpdateRow {
            id: stored.identity.update_id.0,
            revision: stored.identity.revision.0,
            revision_id: stored.revision_id.0,
            kind: kind(stored.update_type),
            title: super::list::short(title.as_ref().unwrap_or(&stored.title)),
            classification: self.categories(row, true).next().map(reference),
            products: self.categories(row, false).map(reference).collect(),
            kb: stored.kb_articles.clone(),
            severity: stored.severity.map(|severity| severity_word(severity).to_owned()),
            created_at: stored.created_at,
            is_bundle: stored.is_bundle,
            deployable: stored.explicitly_deployable,
            declined: stored.declined,
            expired: stored.expired,
            unresolved: row.unresolved,
            deployments: row.deployments,
            needed: tally::needed(counts),
            installed: counts.installed,
            failed: counts.failed,
        }
    }
}

/// Ids and titles of the products (with what is above them) and of the classifications among these categories.
fn texts(categories: &HashMap<UpdateId, list::CategoryRow>, ids: &[UpdateId]) -> (Vec<String>, Vec<String>) {
    let (mut products, mut classifications) = (Vec::new(), Vec::new());
    for id in ids {
        let mut next = Some(*id);
        // the tree has three levels; the bound only guards against damaged data
        for _ in 0..8 {
            let Some(id) = next else { break };
            let category = categories.get(&id);
            let is_classification = category.is_some_and(|row| row.kind == CategoryKind::UpdateClassification);
            let texts = if is_classification { &mut classifications } else { &mut products };
            texts.push(id.to_string());
            if let Some(row) = category {
                texts.push(row.title.to_lowercase());
            }
            next = category.and_then(|row| row.parent);
        }
    }
    (products, classifications)
}

/// The kind that lists name.
pub(crate) fn kind(update_type: UpdateType) -> UpdateKind {
    match update_type {
        UpdateType::Category => UpdateKind::Category,
        UpdateType::Detectoid => UpdateKind::Detectoid,
        UpdateType::Driver => UpdateKind::Driver,
        UpdateType::Software => UpdateKind::Software,
    }
}

/// The word of a kind, in filters and facets.
pub(crate) fn kind_word(update_type: UpdateType) -> &'static str {
    match update_type {
        UpdateType::Category => "category",
        UpdateType::Detectoid => "detectoid",
        UpdateType::Driver => "driver",
        UpdateType::Software => "software",
    }
}

/// The word of a severity.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Moderate => "moderate",
        Severity::Important => "important",
        Severity::Critical => "critical",
    }
}

/// A row with what computers say of it.
pub(crate) struct Known<'a> {
    pub(crate) row: &'a Row,
    pub(crate) counts: StateCounts,
}

impl Facts for Known<'_> {
    fn flag(&self, flag: Flag) -> bool {
        match flag {
            Flag::Bundle => self.row.stored.is_bundle,
            Flag::Declined => self.row.stored.declined,
            Flag::Deployed => self.row.deployments > 0,
            Flag::Expired => self.row.stored.expired,
            Flag::Unresolved => self.row.unresolved,
        }
    }

    fn number(&self, field: NumberField) -> u64 {
        match field {
            NumberField::Failed => self.counts.failed,
            NumberField::Installed => self.counts.installed,
            NumberField::Needed => tally::needed(&self.counts),
            NumberField::Revision => u64::from(self.row.stored.identity.revision.0),
        }
    }

    fn any_text(&self, field: TextField, each: &mut dyn FnMut(&str) -> bool) -> bool {
        let stored = &self.row.stored;
        match field {
            TextField::Classification => self.row.classifications.iter().any(|text| each(text)),
            TextField::Id => each(&stored.identity.update_id.to_string()),
            TextField::Kb => stored.kb_articles.iter().any(|article| each(article)),
            TextField::Product => self.row.products.iter().any(|text| each(text)),
            TextField::Severity => each(stored.severity.map_or("none", severity_word)),
            TextField::Title => each(&self.row.title),
            TextField::Type => each(kind_word(stored.update_type)),
        }
    }
}
