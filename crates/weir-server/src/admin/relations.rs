//! Who bundles an update: the bundles of the catalogue, read backwards.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use weir_model::ids::{RevisionId, UpdateId, UpdateIdentity};
use weir_store::{ReadTx, StoreError};

use super::{AdminError, App};

/// The bundles backwards, of all stored revisions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relations {
    last: RevisionId,
    revisions: usize,
    bundled_in: HashMap<UpdateId, BTreeSet<UpdateIdentity>>,
}

impl Relations {
    /// The bundles as they are now: what arrived since the last time is added, and everything is read again if
    /// something was deleted.
    pub(crate) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let before = app.shared().relations.lock().clone().unwrap_or_default();
        let relations = app.read(move |tx| Self::extend(tx, before)).await?;
        *app.shared().relations.lock() = Some(Arc::clone(&relations));
        Ok(relations)
    }

    fn extend(tx: &ReadTx<'_>, before: Arc<Self>) -> Result<Arc<Self>, StoreError> {
        let stored = tx.catalogue_revision_ids()?;
        let last = stored.last().copied().unwrap_or_default();
        if stored.len() == before.revisions && last == before.last {
            return Ok(before);
        }
        let kept = stored.iter().filter(|id| **id <= before.last).count();
        let mut relations = if kept == before.revisions { (*before).clone() } else { Self::default() };
        for row in tx.catalogue_revisions(relations.last)? {
            for member in row.relationships.bundled.iter().flat_map(|clause| &clause.alternatives) {
                relations.bundled_in.entry(member.update_id).or_default().insert(row.identity);
            }
        }
        relations.last = last;
        relations.revisions = stored.len();
        Ok(Arc::new(relations))
    }

    /// Bundles with some revision of this update as a member.
    pub(crate) fn bundled_in(&self, update: UpdateId) -> impl Iterator<Item = &UpdateIdentity> {
        self.bundled_in.get(&update).into_iter().flatten()
    }
}
