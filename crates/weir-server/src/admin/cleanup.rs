//! Clean-up for administrators: its rules, what it would do, its runs.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List, Reference,
    cleanup::{
        Cleanup, CleanupAction, CleanupItem, CleanupPreview, CleanupPreviewQuery, CleanupRules, CleanupRun,
        CleanupState, RemovedRevision,
    },
    list::ListQuery,
};
use weir_model::{
    cleanup::{self, Kept, MOST_DAYS, Plan, Rules, Wait, WaitError},
    ids::{RevisionId, RevisionNumber},
    rights::Scope,
};
use weir_store::{
    ReadTx, StoreError,
    job::{JobRow, JobState},
};

use super::{AdminError, App, Caller, blocking, collection::Tree, list, setting::Current};
use crate::{
    jobs::cleanup::{self as job, KIND, reason},
    sites,
};

fn described(rules: &Rules) -> CleanupRules {
    CleanupRules {
        superseded: rules.others.to_string(),
        superseded_features: rules.features.to_string(),
        keep_until_deployed: rules.keep_until_deployed,
        keep_narrower: rules.keep_narrower,
        expired_days: rules.expired_days,
        declined_days: rules.declined_days,
        obsolete_days: rules.obsolete_days,
    }
}

/// A row as a run.
fn run(row: JobRow) -> CleanupRun {
    let error = row.result.as_ref().and_then(|result| result.get("error")?.as_str().map(str::to_owned));
    CleanupRun {
        counts: job::counts(&row),
        id: row.id,
        state: match row.state {
            JobState::Cancelled => CleanupState::Cancelled,
            JobState::Done => CleanupState::Done,
            JobState::Failed => CleanupState::Failed,
            JobState::Running => CleanupState::Running,
            JobState::Waiting => CleanupState::Waiting,
        },
        asked_by: row.created_by,
        asked_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        error,
    }
}

/// How clean-up stands.
pub(crate) async fn show(app: &App) -> Result<Cleanup, AdminError> {
    let store = app.state.store.clone();
    let (unused_bytes, can_give_back) = blocking(move || Ok(store.free()?)).await?;
    app.read(move |tx| {
        let rules = job::rules(&Current::read(tx)?);
        let current = job::open(tx)?;
        let ended = [JobState::Cancelled, JobState::Done, JobState::Failed];
        let last = ended.into_iter().map(|state| tx.job_last_of(KIND, state)).collect::<Result<Vec<_>, _>>()?;
        let last = last.into_iter().flatten().max_by_key(|row| row.no);
        let follows = sites::is_replica(tx)?;
        let off = rules.others == Wait::Off && rules.features == Wait::Off && !follows;
        let next_step = off.then(|| {
            "superseded updates are not declined; see what would be: weir cleanup preview --superseded months:3, then weir \
             settings set cleanup.superseded months:3"
                .to_owned()
        });
        Ok(Cleanup {
            rules: described(&rules),
            follows,
            current: current.map(run),
            last: last.map(run),
            unused_bytes,
            can_give_back,
            next_step,
        })
    })
    .await
}

fn wait(field: &str, text: Option<&String>, otherwise: Wait) -> Result<Wait, AdminError> {
    text.map_or(Ok(otherwise), |text| {
        text.parse().map_err(|error: WaitError| AdminError::invalid("rule", format!("{field}: {error}")))
    })
}

fn days(field: &str, given: Option<u32>, otherwise: u32) -> Result<u32, AdminError> {
    match given {
        None => Ok(otherwise),
        Some(days) if days <= MOST_DAYS => Ok(days),
        Some(days) => Err(AdminError::invalid("rule", format!("{field} is {days}; it must be 0 to {MOST_DAYS}"))),
    }
}

/// What a run would do now. It does exactly this if it begins before anything else is decided.
pub(crate) async fn preview(app: &App, scope: Scope, query: CleanupPreviewQuery) -> Result<CleanupPreview, AdminError> {
    let limit = list::limit(query.limit)? as usize;
    let from: usize = match &query.cursor {
        None => 0,
        Some(text) => {
            text.parse().map_err(|_| AdminError::invalid("cursor", format!("{text:?} is not a cursor of this list")))?
        }
    };
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let set = job::rules(&Current::read(tx)?);
        let rules = Rules {
            others: wait("superseded", query.superseded.as_ref(), set.others)?,
            features: wait("superseded_features", query.superseded_features.as_ref(), set.features)?,
            keep_until_deployed: query.keep_until_deployed.unwrap_or(set.keep_until_deployed),
            keep_narrower: query.keep_narrower.unwrap_or(set.keep_narrower),
            expired_days: days("expired_days", query.expired_days, set.expired_days)?,
            declined_days: days("declined_days", query.declined_days, set.declined_days)?,
            obsolete_days: days("obsolete_days", query.obsolete_days, set.obsolete_days)?,
        };
        let (input, _) = job::load(tx)?;
        let plan = cleanup::plan(&input, &rules, Timestamp::now());
        let numbers: HashMap<RevisionId, RevisionNumber> =
            input.revisions.iter().map(|it| (it.id, it.number)).collect();
        let mut newest: HashMap<u32, (RevisionNumber, RevisionId)> = HashMap::new();
        for it in &input.revisions {
            let entry = newest.entry(it.update).or_insert((it.number, it.id));
            *entry = (*entry).max((it.number, it.id));
        }
        let last: HashSet<RevisionId> = newest.into_values().map(|(_, id)| id).collect();
        let mut bytes = 0;
        for it in &plan.purge {
            bytes += tx.revision_bytes(it.id)?;
        }
        let wanted = |action| query.action.is_none_or(|only| only == action);
        let places = places(&plan, &wanted);
        let items = places.iter().skip(from).take(limit).map(|place| item(tx, &tree, &plan, *place, &numbers));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        let reached = from.saturating_add(items.len());
        Ok(CleanupPreview {
            rules: described(&rules),
            processed: plan.processed,
            declines: plan.decline.len() as u64,
            updates: plan.purge.iter().filter(|it| last.contains(&it.id)).count() as u64,
            revisions: plan.purge.len() as u64,
            bytes,
            kept: plan.kept,
            next: (reached < places.len() && !items.is_empty()).then(|| reached.to_string()),
            items,
        })
    })
    .await
}

/// A place in one of the lists of a plan.
type Place = (CleanupAction, usize);

fn places(plan: &Plan, wanted: &dyn Fn(CleanupAction) -> bool) -> Vec<Place> {
    let lists = [
        (CleanupAction::Decline, plan.decline.len()),
        (CleanupAction::Remove, plan.purge.len()),
        (CleanupAction::Keep, plan.keep.len()),
    ];
    let lists = lists.into_iter().filter(|(action, _)| wanted(*action));
    lists.flat_map(|(action, len)| (0..len).map(move |at| (action, at))).collect()
}

fn item(
    tx: &ReadTx<'_>,
    tree: &Tree,
    plan: &Plan,
    (action, at): Place,
    numbers: &HashMap<RevisionId, RevisionNumber>,
) -> Result<CleanupItem, StoreError> {
    let gone = || StoreError::Corrupt { what: "an update without a row".to_owned() };
    let (update, revision, reason, other) = match action {
        CleanupAction::Decline => {
            let it = plan.decline.get(at).ok_or_else(gone)?;
            (it.update, None, reason::decline(it.since, it.feature), Some(it.by))
        }
        CleanupAction::Remove => {
            let it = plan.purge.get(at).ok_or_else(gone)?;
            (it.update, Some(it.number), reason::remove(it.why), None)
        }
        CleanupAction::Keep => {
            let it = plan.keep.get(at).ok_or_else(gone)?;
            let named = match &it.why {
                Kept::NotDeployed(_, id) => Some(tree.shown_name(*id)),
                Kept::Narrower(_, id) => tx.cleanup_name(*id)?.map(|(_, title)| title.trim().to_owned()),
                _ => None,
            };
            let (reason, other) = reason::keep(&it.why, &named.unwrap_or_default());
            (it.update, it.revision.and_then(|id| numbers.get(&id).copied()), reason, other)
        }
    };
    let (id, title) = tx.cleanup_name(update)?.ok_or_else(gone)?;
    let other = match other {
        Some(other) => tx.cleanup_name(other)?,
        None => None,
    };
    Ok(CleanupItem {
        action,
        id: id.0,
        revision: revision.map(|number| number.0),
        title: list::short(title.trim()),
        reason,
        other: other.map(|(id, title)| Reference { id: id.0, name: list::short(title.trim()) }),
    })
}

/// Starts a run, or gives the one that is under way.
pub(crate) async fn start(app: &App, caller: &Caller) -> Result<CleanupRun, AdminError> {
    let id = app
        .write(caller, |tx| {
            if let Some(open) = job::open(tx)? {
                return Ok(open.id);
            }
            let id = Uuid::new_v4();
            tx.job_create(id, KIND, &json!({}))?;
            tx.audit("cleanup.start", &id.to_string(), None, None)?;
            Ok(id)
        })
        .await?;
    app.shared().cleanup.notify_one();
    one(app, id).await
}

fn missing(id: Uuid) -> AdminError {
    AdminError::missing("clean-up", id, "weir cleanup history")
}

/// One run.
pub(crate) async fn one(app: &App, id: Uuid) -> Result<CleanupRun, AdminError> {
    let row = app.read(move |tx| tx.job_show(id)).await?.filter(|row| row.kind == KIND);
    row.map(run).ok_or_else(|| missing(id))
}

/// Stops a run; what it did stays.
pub(crate) async fn cancel(app: &App, caller: &Caller, id: Uuid) -> Result<CleanupRun, AdminError> {
    app.write(caller, move |tx| {
        tx.job_show(id)?.filter(|row| row.kind == KIND).ok_or_else(|| missing(id))?;
        if tx.job_cancel(id)? {
            tx.audit("cleanup.cancel", &id.to_string(), None, None)?;
        }
        Ok(())
    })
    .await?;
    one(app, id).await
}

/// Runs, newest first.
pub(crate) async fn runs(app: &App, query: ListQuery) -> Result<List<CleanupRun>, AdminError> {
    let limit = list::limit(query.limit)?;
    let page = app.read(move |tx| tx.job_page(KIND, query.cursor.as_deref(), limit)).await?;
    Ok(List { items: page.items.into_iter().map(run).collect(), next: page.next })
}

/// Revisions that were removed.
pub(crate) async fn removed(app: &App, query: ListQuery) -> Result<List<RemovedRevision>, AdminError> {
    let limit = list::limit(query.limit)?;
    let page = app.read(move |tx| tx.purged_list(query.cursor.as_deref(), limit)).await?;
    let items = page.items.into_iter().map(|row| RemovedRevision {
        id: row.identity.update_id.0,
        revision: row.identity.revision.0,
        title: list::short(row.title.trim()),
        removed_at: row.purged_at,
    });
    Ok(List { items: items.collect(), next: page.next })
}
