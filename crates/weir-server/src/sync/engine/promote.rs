//! What was staged becomes part of the catalogue, in one transaction with the anchors of the lists that named it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use weir_model::{
    criteria::Verdict,
    ids::{UpdateId, UpdateIdentity},
};
use weir_store::{
    Actor, ReadTx, Store, StoreError, WriteTx,
    revision::Inserted,
    staging::{Skipped, StagedHead},
};

use super::{
    SyncError,
    arrange::arrange,
    mirror::{self, Decisions},
    outcome::Outcome,
    tally::Tally,
};
use crate::{
    admin::AdminError,
    front,
    sync::{
        criteria::{Judge, Verdicts},
        progress::Progress,
    },
};

/// Rows read at once.
const PAGE: u32 = 5_000;
/// Revisions stored between two looks at the cancellation.
const LOOK: usize = 500;

/// Promotes everything that is staged, with what the parent of a replica decided about it, and counts into `outcome`. Rules
/// judge it if it is to be `judged`: not on a replica, whose parent has judged, since the catalogues are to be the same, and
/// not what an administrator named. Blocks.
pub(super) fn promote(
    store: &Store,
    actor: &Actor,
    judged: bool,
    progress: &Progress,
    tally: &Tally,
    decisions: Option<Decisions>,
    outcome: &mut Outcome,
) -> Result<(), SyncError> {
    let order = store.try_read(|tx| Ok::<_, StoreError>(arrange(&heads(tx)?))).map_err(AdminError::Store)?;
    let counted = store.try_write(actor, |tx| -> Result<Outcome, Failure> {
        front::keep(tx)?;
        let mut counted = Outcome::default();
        // all that is staged is cleared below: what a run that was broken off staged since goes in, too
        let order = if tx.staged_count()? == order.len() as u64 { order } else { arrange(&heads(tx)?) };
        let verdicts = if judged { verdicts(tx, &order, actor.at)? } else { Verdicts::default() };
        let mut import = tx.import();
        let skipped_before = tx.skipped_count()? > 0;
        let mut declined: BTreeMap<UpdateId, String> = BTreeMap::new();
        for (index, no) in order.iter().enumerate() {
            if index % LOOK == 0 {
                progress.check()?;
                progress.advance(if index == 0 { 0 } else { LOOK as u64 });
            }
            let packed = tx.staged_show(*no)?;
            let identity = packed.identity();
            match verdicts.of(identity.update_id) {
                Verdict::Keep => {}
                Verdict::Skip(matched) => {
                    let reason = format!("{}: {}", matched.rule, matched.reason);
                    tx.skipped_add(&Skipped { identity, title: packed.title().to_owned(), reason })?;
                    counted.skipped += 1;
                    continue;
                }
                Verdict::Decline(matched) => {
                    declined.insert(identity.update_id, matched.rule.clone());
                }
            }
            let before = tx.update_newest_is_expired(identity.update_id)?;
            match import.revision(&packed) {
                Ok(Inserted::Added(_)) => {
                    match before {
                        None => counted.added += 1,
                        Some(_) => counted.revised += 1,
                    }
                    let expires = packed.facts().expired && before != Some(true);
                    if expires && tx.update_newest_is_expired(identity.update_id)? == Some(true) {
                        counted.expired += 1;
                    }
                }
                Ok(Inserted::Unchanged(_)) => {}
                // nothing of it was written
                Err(error @ StoreError::DifferentText(_)) => conflict(tally, identity, &error)?,
                Err(error) => return Err(error.into()),
            }
            if skipped_before {
                tx.skipped_remove(identity)?;
            }
        }
        for (update, by) in &declined {
            counted.declined += u64::from(tx.update_decline_by_rule(*update, by)?);
        }
        tx.staged_finish()?;
        tx.sync_lists_promote()?;
        if !order.is_empty() {
            let counts = json!({
                "added": counted.added, "revised": counted.revised, "expired": counted.expired,
                "skipped": counted.skipped, "declined": counted.declined,
            });
            tx.audit("sync", "catalogue", None, Some(&counts))?;
        }
        if let Some(decisions) = decisions {
            let decided = mirror::apply(tx, decisions).map_err(|error| Failure(error.into()))?;
            counted.deployments = decided.deployments;
            counted.retired = decided.retired;
            counted.held = decided.held;
            counted.declined += decided.declined;
            counted.undeclined = decided.undeclined;
            counted.notes = decided.notes;
        }
        Ok(counted)
    });
    let counted = counted.map_err(|Failure(error)| error)?;
    outcome.added += counted.added;
    outcome.revised += counted.revised;
    outcome.expired += counted.expired;
    outcome.skipped += counted.skipped;
    outcome.declined += counted.declined;
    outcome.undeclined += counted.undeclined;
    outcome.deployments += counted.deployments;
    outcome.retired += counted.retired;
    outcome.held += counted.held;
    outcome.notes.extend(counted.notes);
    Ok(())
}

/// Why the transaction fails.
struct Failure(SyncError);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(AdminError::Store(error).into())
    }
}

impl<E: Into<SyncError>> From<Box<E>> for Failure {
    fn from(error: Box<E>) -> Self {
        Self((*error).into())
    }
}

impl From<crate::sync::progress::Cancelled> for Failure {
    fn from(error: crate::sync::progress::Cancelled) -> Self {
        Self(error.into())
    }
}

fn conflict(tally: &Tally, identity: UpdateIdentity, error: &StoreError) -> Result<(), Failure> {
    tally.dropped(identity, error.to_string()).map_err(Failure)
}

fn heads(tx: &ReadTx<'_>) -> Result<Vec<StagedHead>, StoreError> {
    let mut heads: Vec<StagedHead> = Vec::new();
    loop {
        let page = tx.staged_heads(heads.last().map_or(0, |head| head.no), PAGE)?;
        if page.is_empty() {
            return Ok(heads);
        }
        heads.extend(page);
    }
}

fn verdicts(tx: &WriteTx<'_>, order: &[i64], now: Timestamp) -> Result<Verdicts, StoreError> {
    let Some(mut judge) = Judge::load(tx)? else { return Ok(Verdicts::default()) };
    for no in order {
        judge.add(tx.staged_facts(*no)?.facts());
    }
    judge.decide(tx, now)
}
