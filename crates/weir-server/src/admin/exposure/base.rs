//! What documents and the catalogue say together.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use weir_api::Reference;
use weir_model::{
    exposure::{Article, Join, Known, Update},
    ids::UpdateId,
    status::UpdateNumber,
    update::UpdateType,
};

use super::super::{AdminError, App, blocking, index::Index};

/// For one state of the documents and one of the catalogue.
#[derive(Debug)]
pub(crate) struct Base {
    /// Of the documents.
    version: u64,
    /// Of the catalogue.
    index: Arc<Index>,
    /// What documents say.
    pub(super) known: Known,
    /// Which updates fix what.
    pub(super) join: Join,
    /// Ids of updates that fix something.
    ids: BTreeMap<UpdateNumber, UpdateId>,
    /// When the first update of an article arrived here.
    arrived: HashMap<Article, Timestamp>,
    /// Articles of updates that fix something.
    articles: HashMap<UpdateNumber, Vec<Article>>,
}

impl Base {
    /// What holds now. It is put together again only if a document or the catalogue changed.
    pub(super) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let index = Index::current(app).await?;
        let version = app.read(|tx| tx.exposure_version()).await?;
        let fresh = |base: &Arc<Self>| base.version >= version && Arc::ptr_eq(&base.index, &index);
        let kept = || app.shared().exposure.base.lock().clone().filter(fresh);
        if let Some(base) = kept() {
            return Ok(base);
        }
        let _one_at_a_time = app.shared().exposure.turn.lock().await;
        if let Some(base) = kept() {
            return Ok(base);
        }
        let published = app.state.live.current();
        let store = app.state.store.clone();
        let base = blocking(move || {
            let (version, known) = store.read(|tx| Ok((tx.exposure_version()?, tx.exposure_known()?)))?;
            let number = |update| published.update_number(update);
            Ok(Self::new(version, known, index, &number))
        })
        .await?;
        let base = Arc::new(base);
        *app.shared().exposure.base.lock() = Some(Arc::clone(&base));
        Ok(base)
    }

    fn new(version: u64, known: Known, index: Arc<Index>, number: &dyn Fn(UpdateId) -> Option<UpdateNumber>) -> Self {
        let search = &index.search;
        let mut catalogue = Vec::new();
        let mut known_ids = BTreeMap::new();
        let mut first: HashMap<Article, Timestamp> = HashMap::new();
        for slot in search.slots() {
            let Some(entry) = search.entry(slot) else { continue };
            if !matches!(entry.update_type, UpdateType::Software | UpdateType::Driver) {
                continue;
            }
            let Some(own) = number(entry.identity.update_id) else { continue };
            let articles: Vec<Article> = entry.kb_articles.iter().filter_map(|article| article.parse().ok()).collect();
            let reported = entry.explicitly_deployable;
            if reported {
                let at = search.first_arrival(slot).unwrap_or(entry.arrived_at);
                for article in &articles {
                    first.entry(*article).and_modify(|known| *known = at.min(*known)).or_insert(at);
                }
            }
            known_ids.insert(own, entry.identity.update_id);
            catalogue.push(Update {
                number: own,
                articles,
                supersedes: entry.supersedes.iter().filter_map(|update| number(*update)).collect(),
                reported,
            });
        }
        let join = Join::new(&known, &catalogue);
        let relevant = |number: &UpdateNumber| join.relevant().binary_search(number).is_ok();
        known_ids.retain(|number, _| relevant(number));
        let articles = catalogue.into_iter().filter(|update| relevant(&update.number));
        let articles = articles.map(|update| (update.number, update.articles)).collect();
        Self { version, index, known, join, ids: known_ids, arrived: first, articles }
    }

    /// A reference to an update that fixes something.
    pub(super) fn reference(&self, number: UpdateNumber) -> Option<Reference> {
        self.ids.get(&number).map(|id| self.index.reference(*id))
    }

    /// A reference to any update.
    pub(super) fn named(&self, update: UpdateId) -> Reference {
        self.index.reference(update)
    }

    /// Whether the catalogue has an update.
    pub(super) fn has(&self, update: UpdateId) -> bool {
        self.index.find(update).is_some()
    }

    /// The id of an update that fixes something.
    pub(super) fn id(&self, number: UpdateNumber) -> Option<UpdateId> {
        self.ids.get(&number).copied()
    }

    /// When the first update of an article of this update arrived here: an update that was issued again does not start a
    /// clock anew.
    pub(super) fn offered(&self, number: UpdateNumber) -> Option<Timestamp> {
        let articles = self.articles.get(&number).into_iter().flatten();
        articles.filter_map(|article| self.arrived.get(article)).min().copied()
    }
}
