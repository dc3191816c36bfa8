//! Fetching updates by name: whatever is chosen, and whatever rules say. With them come the members of bundles and the
//! prerequisites that are not here, to any depth.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use weir_model::ids::{RevisionNumber, UpdateId, UpdateIdentity};
use weir_store::{ReadTx, StoreError, staging::ListKind};
use weir_wire::wsss::GetRevisionIdList;

use super::{Outcome, SyncError, fetch::Fetch, filter::Filter, outcome::Named, run::Run};
use crate::sync::{peer::Peer, progress::Phase};

/// How deep prerequisites are followed.
const DEPTH: usize = 32;
/// Revisions that one request may bring with it.
const MOST: usize = 20_000;

/// An update that is asked for by name; without a revision the newest that the upstream server lists.
pub type Wanted = (UpdateId, Option<RevisionNumber>);

/// The newest revision of each update that the upstream server has, asked for once.
struct Listed<'r> {
    peer: &'r Peer,
    known: Option<HashMap<UpdateId, RevisionNumber>>,
}

impl Listed<'_> {
    async fn newest(&mut self, update: UpdateId) -> Result<Option<RevisionNumber>, SyncError> {
        if self.known.is_none() {
            let mut known: HashMap<UpdateId, RevisionNumber> = HashMap::new();
            let request = GetRevisionIdList { cookie: None, filter: Some(Filter::default().request(None, None)) };
            for identity in self.peer.call(request).await?.result.new_revisions.0 {
                let newest = known.entry(identity.update_id).or_insert(identity.revision);
                *newest = (*newest).max(identity.revision);
            }
            self.known = Some(known);
        }
        Ok(self.known.as_ref().and_then(|known| known.get(&update).copied()))
    }

    /// The revisions that are meant, and the updates that are not listed.
    async fn resolve(&mut self, wanted: &[Wanted]) -> Result<(Vec<UpdateIdentity>, Vec<String>), SyncError> {
        let (mut names, mut absent) = (Vec::new(), Vec::new());
        for (update_id, revision) in wanted {
            let revision = match revision {
                Some(revision) => Some(*revision),
                None => self.newest(*update_id).await?,
            };
            match revision {
                Some(revision) => names.push(UpdateIdentity { update_id: *update_id, revision }),
                None => absent.push(update_id.to_string()),
            }
        }
        Ok((names, absent))
    }
}

/// What staged revisions name as prerequisites and is neither stored nor staged.
fn lacking(tx: &ReadTx<'_>) -> Result<BTreeSet<UpdateId>, StoreError> {
    let mut staged = BTreeSet::new();
    let mut named = BTreeSet::new();
    let mut after = 0;
    loop {
        let page = tx.staged_heads(after, 5_000)?;
        let Some(last) = page.last() else { break };
        after = last.no;
        for head in page {
            staged.insert(head.identity.update_id);
            named.extend(head.prerequisites);
        }
    }
    let mut lacking = BTreeSet::new();
    for update in named.difference(&staged) {
        if tx.update_show(*update)?.is_none() {
            lacking.insert(*update);
        }
    }
    Ok(lacking)
}

impl Run<'_> {
    /// Brings these into the catalogue. What the upstream server does not have of them is told; if it has none, that is a
    /// failure.
    pub(super) async fn named(&self, fetch: &Fetch<'_>, keys: usize, wanted: &[Wanted]) -> Result<Outcome, SyncError> {
        let mut outcome = Outcome::default();
        self.progress.begin(Phase::Updates, wanted.len() as u64);
        let mut listed = Listed { peer: self.peer, known: None };
        let (names, mut absent) = listed.resolve(wanted).await?;
        let mut asked: BTreeSet<UpdateIdentity> = BTreeSet::new();
        let mut next: Vec<UpdateIdentity> = Vec::new();
        next.extend(names.iter().copied());
        for _ in 0..DEPTH {
            next.retain(|identity| asked.insert(*identity));
            let open = self.not_stored(next.clone()).await?;
            if open.is_empty() || asked.len() > MOST {
                break;
            }
            self.progress.begin(Phase::Closure, open.len() as u64);
            let tried = self.app.read(|tx| tx.pending_last()).await?;
            let came = fetch.these(open).await;
            let came = match came {
                Err(error) if error.is_about_items() => Ok(()),
                other => other,
            };
            fetch.settle(came).await?;
            let members = fetch.later(ListKind::Members, tried).await;
            fetch.settle(members).await?;
            next.clear();
            for update in self.app.read(lacking).await? {
                if let Some(revision) = listed.newest(update).await? {
                    next.push(UpdateIdentity { update_id: update, revision });
                }
            }
        }
        self.keys(keys).await?;
        // rules are not asked: an administrator was
        outcome = self.store_unjudged(outcome).await?;
        let kept = self.protect(names.clone()).await?;
        let here: BTreeSet<UpdateIdentity> = kept.iter().map(|(identity, _)| *identity).collect();
        absent.extend(names.iter().filter(|it| !here.contains(it)).map(ToString::to_string));
        if here.is_empty() {
            return Err(SyncError::NotThere { names: absent.join(", ") });
        }
        for (identity, _) in kept.iter().filter(|(_, declined)| *declined) {
            let reason = format!("it is here and declined; weir updates undecline {}", identity.update_id);
            outcome.problems.push(Named { revision: *identity, reason });
        }
        if !absent.is_empty() {
            outcome.notes.push(format!("the upstream server does not have {}", absent.join(", ")));
        }
        Ok(outcome)
    }

    async fn not_stored(&self, revisions: Vec<UpdateIdentity>) -> Result<Vec<UpdateIdentity>, SyncError> {
        let read = move |tx: &ReadTx<'_>| {
            let mut open = Vec::new();
            for identity in revisions {
                if tx.revision_find(identity)?.is_none() {
                    open.push(identity);
                }
            }
            Ok(open)
        };
        Ok(self.app.read(read).await?)
    }

    /// No rule of a later synchronization leaves these out or declines them. Returns those that are here, and whether they are
    /// declined.
    async fn protect(&self, names: Vec<UpdateIdentity>) -> Result<Vec<(UpdateIdentity, bool)>, SyncError> {
        let write = move |tx: &weir_store::WriteTx<'_>| {
            let mut kept = Vec::new();
            for identity in names {
                if tx.revision_find(identity)?.is_none() {
                    continue;
                }
                tx.skipped_remove(identity)?;
                tx.update_protect(identity.update_id)?;
                tx.audit("update.fetch", &identity.to_string(), None, Some(&json!({ "fetched": true })))?;
                kept.push((identity, tx.update_flags(identity.update_id)?.declined.is_some()));
            }
            Ok(kept)
        };
        Ok(self.app.write(self.caller, write).await?)
    }
}
