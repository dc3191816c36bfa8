//! The index of updates that lists are answered from, for the newest state of the catalogue.
//!
//! It follows the one before: revisions that came since are added to what documents say, and what moves (declines,
//! deployments, groups) is read anew. After each publish it is brought up to date off the request path; a request that comes
//! earlier waits for that, so that it sees what was just written.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use weir_api::{Reference, computer::StateCounts, update::UpdateKind, update::UpdateRow};
use weir_model::{
    ids::{ChangeNumber, RevisionId, UpdateId},
    search::{self, Base, Counts, Entry},
    update::{Severity, UpdateType},
};
use weir_store::{ReadTx, StoreError};

use super::{AdminError, App, list, tally, tally::Tally};
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

/// A count of all computers serves for so many times what counting took: at most a tenth of the time goes into counting.
const SERVES_TIMES: u32 = 10;
/// No count serves longer than this once something new was reported.
const LONGEST_SERVICE: Duration = Duration::from_secs(10);
/// Counting that takes no longer is not saved up: small sites see what was just reported.
const CHEAP: Duration = Duration::from_millis(50);

/// States of every update over all computers, of one moment.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Of the catalogue that was published.
    published: ChangeNumber,
    /// Of the computers and their collections.
    directory: u64,
    /// Of what computers reported.
    status: u64,
    /// When it was counted.
    ended: Instant,
    /// What counting took.
    took: Duration,
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
    /// What computers say now. It is counted again only if the catalogue, the computers or what they reported changed, by
    /// one request at a time. Computers report all the time: where counting takes long, what they report shows up only
    /// after ten times as long as counting took, ten seconds at most. A new catalogue, new computers and other collections
    /// show up at once.
    pub(crate) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let published = app.state.live.current().change();
        if app.state.live.directory.is_empty() {
            return Ok(Arc::new(Self {
                published,
                directory: 0,
                status: 0,
                ended: Instant::now(),
                took: Duration::ZERO,
                updates: HashMap::new(),
            }));
        }
        let (directory, status) =
            app.read(|tx| Ok((tx.computer_directory_version()?, tx.computer_status_version()?))).await?;
        let known = || app.shared().counted.lock().clone().filter(|known| known.serves(published, directory, status));
        if let Some(counted) = known() {
            return Ok(counted);
        }
        let _one_at_a_time = app.shared().counting.lock().await;
        if let Some(counted) = known() {
            return Ok(counted);
        }
        let published = app.state.live.current().change();
        let live = app.state.live.clone();
        let counted = app
            .read(move |tx| {
                let started = Instant::now();
                let (directory, status) = (tx.computer_directory_version()?, tx.computer_status_version()?);
                let updates = Tally::count(tx, &live, &|_| true)?.updates;
                Ok(Self { published, directory, status, ended: Instant::now(), took: started.elapsed(), updates })
            })
            .await?;
        let counted = Arc::new(counted);
        *app.shared().counted.lock() = Some(Arc::clone(&counted));
        Ok(counted)
    }

    /// Whether it still answers a request that found these versions.
    fn serves(&self, published: ChangeNumber, directory: u64, status: u64) -> bool {
        let moved = self.published < published || self.directory < directory;
        !moved && (self.status >= status || self.ended.elapsed() < service(self.took))
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

/// How long a count serves although computers reported something new, if counting took so long.
fn service(took: Duration) -> Duration {
    if took <= CHEAP { Duration::ZERO } else { took.saturating_mul(SERVES_TIMES).min(LONGEST_SERVICE) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_costly_to_count_serves_for_a_while() {
        let cases = [(0, 0), (50, 0), (51, 510), (400, 4_000), (1_000, 10_000), (60_000, 10_000)];
        for (took, serves) in cases {
            assert_eq!(service(Duration::from_millis(took)), Duration::from_millis(serves), "{took} ms");
        }
    }

    #[test]
    fn only_reports_may_wait() {
        let counted = |took| Counted {
            published: ChangeNumber(5),
            directory: 5,
            status: 5,
            ended: Instant::now(),
            took,
            updates: HashMap::new(),
        };
        let (slow, quick) = (counted(Duration::from_secs(30)), counted(Duration::ZERO));
        assert!(slow.serves(ChangeNumber(5), 5, 5) && slow.serves(ChangeNumber(5), 5, 9));
        assert!(!slow.serves(ChangeNumber(6), 5, 5) && !slow.serves(ChangeNumber(5), 6, 5));
        assert!(quick.serves(ChangeNumber(5), 5, 5) && !quick.serves(ChangeNumber(5), 5, 6));
    }
}
