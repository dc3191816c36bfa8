//! The index of updates that lists are answered from, for the newest state of the catalogue.
//!
//! It follows the one before: revisions that came since are added to what documents say, and what moves (declines,
//! deployments, groups) is read anew. After each publish it is brought up to date off the request path; a request that comes
//! earlier waits for that, so that it sees what was just written.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};

use weir_api::{Reference, computer::StateCounts, update::UpdateKind, update::UpdateRow};
use weir_model::{
    ids::{ChangeNumber, CollectionId, RevisionId, UpdateId},
    rights::Scope,
    search::{self, Base, Counts, Entry},
    update::{Severity, UpdateType},
};
use weir_store::{ReadTx, StoreError};

use super::{
    AdminError, App,
    collection::Tree,
    list,
    tally::{self, Who},
};
use crate::live::Published;

/// All updates.
#[derive(Debug)]
pub(crate) struct Index {
    /// Of the catalogue that was published.
    published: ChangeNumber,
    /// Of the database.
    version: ChangeNumber,
    /// Revisions that need what is not here, as of `published`.
    unresolved: Arc<HashSet<RevisionId>>,
    /// What answers questions.
    pub(crate) search: search::Index,
}

/// States of every update over all computers, of one moment.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Of the catalogue that was published.
    published: Weak<Published>,
    /// The change of computers that it knows.
    version: u64,
    updates: HashMap<UpdateId, StateCounts>,
}

impl Index {
    /// The index of what is stored and published now.
    pub(crate) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let published = app.state.live.current();
        let version = app.read(|tx| tx.catalogue_version()).await?;
        let known = || app.shared().index.lock().clone();
        let fresh = |index: &Arc<Self>| index.version >= version && index.published >= published.change();
        if let Some(index) = known().filter(fresh) {
            return Ok(index);
        }
        let _one_at_a_time = app.shared().indexing.lock().await;
        let before = known();
        if let Some(index) = before.clone().filter(fresh) {
            return Ok(index);
        }
        let published = app.state.live.current();
        let index = app.read(move |tx| Self::build(tx, &published, before.as_deref())).await?;
        let index = Arc::new(index);
        *app.shared().index.lock() = Some(Arc::clone(&index));
        Ok(index)
    }

    /// Brings the index up to date on a task of its own, if anybody uses it.
    pub(crate) fn refresh(app: &App) {
        if app.shared().index.lock().is_none() {
            return;
        }
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = Self::current(&app).await {
                // the next list says so
                tracing::warn!(error = super::chain(&error), "the index of updates could not be brought up to date");
            }
        });
    }

    fn build(tx: &ReadTx<'_>, published: &Published, before: Option<&Self>) -> Result<Self, StoreError> {
        let version = tx.catalogue_version()?;
        let stored = tx.search_count()?;
        let kept = before.map(|index| index.search.base()).filter(|base| !base.is_sparse());
        let followed = match kept {
            None => None,
            Some(base) => {
                let additions = tx.search_additions(base.last())?;
                // fewer than that: something was deleted
                let whole = base.revisions() + additions.len() as u64 == stored;
                whole.then(|| if additions.is_empty() { Arc::clone(base) } else { Arc::new(base.with(additions)) })
            }
        };
        let base = match followed {
            Some(base) => base,
            None => Arc::new(Base::default().with(tx.search_additions(RevisionId(0))?)),
        };
        let unresolved = match before.filter(|index| index.published == published.change()) {
            Some(index) => Arc::clone(&index.unresolved),
            None => Arc::new(published.snapshot.unresolved().into_iter().map(|(id, _)| id).collect()),
        };
        let mut moving = tx.search_moving()?;
        moving.unresolved.clone_from(&unresolved);
        let search = search::Index::new(base, moving);
        Ok(Self { published: published.change(), version, unresolved, search })
    }

    /// The newest revision of an update.
    pub(crate) fn find(&self, update: UpdateId) -> Option<&Entry> {
        self.search.entry(self.search.slot(update)?)
    }

    /// The title of an update in its default language, as lists give it; empty if it is not in the catalogue.
    pub(crate) fn title(&self, update: UpdateId) -> String {
        self.find(update).map(|entry| list::short(&entry.title)).unwrap_or_default()
    }

    /// A reference to an update.
    pub(crate) fn reference(&self, update: UpdateId) -> Reference {
        Reference { id: update.0, name: self.title(update) }
    }

    /// A row as lists give it; none if there is no such slot.
    pub(crate) fn row(&self, slot: u32, title: Option<String>, counts: &StateCounts) -> Option<UpdateRow> {
        let reference =
            |category: &search::Category| Reference { id: category.id.0, name: list::short(&category.title) };
        let (entry, state) = (self.search.entry(slot)?, self.search.state(slot)?);
        Some(UpdateRow {
            id: entry.identity.update_id.0,
            revision: entry.identity.revision.0,
            revision_id: entry.revision_id.0,
            kind: kind(entry.update_type),
            title: list::short(title.as_ref().unwrap_or(&entry.title)),
            classification: self.search.classifications(slot).next().map(reference),
            products: self.search.products(slot).map(reference).collect(),
            kb: entry.kb_articles.clone(),
            severity: entry.severity.map(|severity| severity_word(severity).to_owned()),
            created_at: entry.created_at,
            is_bundle: entry.is_bundle,
            deployable: entry.explicitly_deployable,
            declined: state.flags.declined,
            expired: entry.expired,
            unresolved: state.unresolved,
            superseded: state.superseded,
            custom_severity: state.flags.custom_severity.map(|severity| severity_word(severity).to_owned()),
            max_run_time_minutes: state.flags.run_time_minutes,
            size: self.search.size(slot).unwrap_or_default(),
            revised_at: Some(entry.arrived_at),
            deployments: u64::from(state.deployments),
            needed: tally::needed(counts),
            installed: counts.installed,
            failed: counts.failed,
        })
    }
}

impl Counted {
    /// What computers say now. It is put together again only if the catalogue, the computers or what they reported changed.
    pub(crate) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let live = app.state.live.clone();
        let known = app.shared().counted.lock().clone();
        let counted = app
            .read(move |tx| {
                let view = live.compliance(tx)?;
                let published = Arc::downgrade(view.published());
                let serves = |known: &Arc<Self>| known.version == view.version() && known.published.ptr_eq(&published);
                if let Some(known) = known.filter(serves) {
                    return Ok(known);
                }
                let everybody = view.everybody();
                let counts = everybody.updates.iter().filter(|it| it.counts.total() > 0);
                let shown = |counts| tally::shown(&everybody.over_all(counts));
                let updates = counts.filter_map(|it| Some((view.update(it.update)?, shown(&it.counts)))).collect();
                Ok(Arc::new(Self { published, version: view.version(), updates }))
            })
            .await?;
        *app.shared().counted.lock() = Some(Arc::clone(&counted));
        Ok(counted)
    }

    /// What computers within a scope say now.
    pub(crate) async fn within(app: &App, scope: Scope) -> Result<Arc<Self>, AdminError> {
        if !scope.is_limited() {
            return Self::current(app).await;
        }
        let live = app.state.live.clone();
        app.read(move |tx| {
            let (tree, view) = (Tree::within(tx, &scope)?, live.compliance(tx)?);
            let tally = tally::count(&view, &Who::of(&tree, CollectionId::ALL_COMPUTERS, None), None);
            let counts = tally.updates.iter().filter(|it| it.counts.total() > 0);
            let shown = |counts| tally::shown(&tally.over_all(counts));
            let updates = counts.filter_map(|it| Some((view.update(it.update)?, shown(&it.counts)))).collect();
            Ok(Arc::new(Self { published: Arc::downgrade(view.published()), version: view.version(), updates }))
        })
        .await
    }

    /// What they say of one update.
    pub(crate) fn of(&self, update: UpdateId) -> StateCounts {
        self.updates.get(&update).copied().unwrap_or_default()
    }

    /// The same as the index compares it.
    pub(crate) fn compared(&self, update: UpdateId) -> Counts {
        let counts = self.of(update);
        Counts {
            needed: tally::needed(&counts),
            installed: counts.installed,
            failed: counts.failed,
            not_applicable: counts.not_applicable,
            unknown: counts.unknown,
        }
    }
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

/// The word of a kind, in messages.
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
