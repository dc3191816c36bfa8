//! Synchronization: how it stands, its runs, its schedule.

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use uuid::Uuid;
use weir_api::{
    List,
    list::ListQuery,
    sync::{RolledUp, Schedule, ScheduleChange, SyncNext, SyncRun, SyncStart, SyncStarted, SyncStatus, SyncTrigger},
    update_edit::UpdatesFetch,
};
use weir_model::{
    criteria::{Branch, expand},
    ids::ChangeNumber,
};
use weir_store::{ReadTx, StoreError, selection::SelectionKind};

use super::{
    AdminError, App, Caller, list,
    setting::{self, Current, OFF, SYNC_SCHEDULE},
    update::Named,
};
use crate::{
    rollup::{self, RollupOutcome},
    sites,
    sync::{criteria, history, run},
};

/// Times of a schedule that are shown.
const TIMES: usize = 5;

/// How synchronization stands.
pub(crate) async fn status(app: &App) -> Result<SyncStatus, AdminError> {
    let now = Timestamp::now();
    let (current, last) = run::recent(app).await?;
    let shared = app.clone();
    let (mut status, chosen) = app.read(move |tx| read(tx, &shared.shared().branches, now)).await?;
    // while a run is open the next one is not what matters
    status.next = status.next.filter(|_| current.is_none());
    status.next_step = match (&current, &last) {
        (Some(_), _) => None,
        _ if status.source == "none" => Some("choose a source: weir settings set source microsoft".to_owned()),
        (None, Some(last)) if last.error.is_some() => last.next_step.clone(),
        (None, None) => Some("weir sync now".to_owned()),
        _ if !chosen && status.parent.is_none() => Some(run::CHOOSE.to_owned()),
        _ => None,
    };
    Ok(SyncStatus { current, last, ..status })
}

/// The product tree of one state of the catalogue: every page of the console asks how synchronization stands.
#[derive(Debug, Default)]
pub(super) struct Branches(Mutex<Option<(ChangeNumber, Arc<[Branch]>)>>);

impl Branches {
    fn of(&self, tx: &ReadTx<'_>) -> Result<Arc<[Branch]>, StoreError> {
        let change = tx.catalogue_version()?;
        let mut kept = self.0.lock();
        if let Some((_, tree)) = kept.as_ref().filter(|(of, _)| *of == change) {
            return Ok(Arc::clone(tree));
        }
        let tree: Arc<[Branch]> = criteria::tree(tx)?.into();
        *kept = Some((change, Arc::clone(&tree)));
        Ok(tree)
    }
}

fn read(tx: &ReadTx<'_>, branches: &Branches, now: Timestamp) -> Result<(SyncStatus, bool), StoreError> {
    let settings = Current::read(tx)?;
    let parent = tx.sites_parent()?;
    let tree = branches.of(tx)?;
    let count = |kind| -> Result<u64, StoreError> {
        let chosen = tx.selection_list(kind)?.iter().filter_map(|id| id.parse().ok()).collect();
        Ok(expand(&chosen, &tree).len() as u64)
    };
    let (products, classifications) = (count(SelectionKind::Products)?, count(SelectionKind::Classifications)?);
    let schedule = settings.schedule().filter(|_| parent.is_none());
    let status = SyncStatus {
        source: run::source(tx)?,
        parent: parent.map(|parent| parent.name),
        current: None,
        last: None,
        last_success: history::last_success(tx)?,
        schedule: schedule.map(|schedule| schedule.describe()),
        next: run::next(tx, now)?.map(|due| SyncNext { at: due.at, trigger: due.trigger }),
        products,
        classifications,
        next_step: None,
    };
    Ok((status, products > 0 && classifications > 0))
}

/// Starts a run, or gives the one that is under way.
pub(crate) async fn start(app: &App, caller: &Caller, start: SyncStart) -> Result<SyncStarted, AdminError> {
    run::request(app, caller, SyncTrigger::Manual, start.full).await
}

/// Updates that one request may fetch.
const MOST_FETCHED: usize = 100;

/// Starts a run that fetches these updates alone, whatever is chosen and whatever criteria say.
pub(crate) async fn fetch(app: &App, caller: &Caller, fetch: &UpdatesFetch) -> Result<SyncStarted, AdminError> {
    let count = fetch.updates.len();
    if !(1..=MOST_FETCHED).contains(&count) {
        return Err(AdminError::invalid("updates", format!("{count} updates are named; give 1 to {MOST_FETCHED}")));
    }
    let mut names = Vec::with_capacity(count);
    for text in &fetch.updates {
        let name = Named::parse(text)?;
        let text = name.revision.map_or_else(|| name.id.to_string(), |revision| format!("{}@{revision}", name.id));
        if !names.contains(&text) {
            names.push(text);
        }
    }
    app.try_read(|tx| {
        sites::refuse_below(tx, "The catalogue and what is in it")?;
        if run::source(tx)? == "none" {
            return Err(AdminError::Conflict {
                code: "no_source",
                detail: "there is nothing to fetch from: the source of this server is none".to_owned(),
                next_step: Some(
                    "weir settings set source microsoft (or the URL of an upstream server); a document that you have: weir \
                     import FILE"
                        .to_owned(),
                ),
            });
        }
        Ok(())
    })
    .await?;
    run::request_named(app, caller, names).await
}

/// Stops the run that is under way.
pub(crate) async fn cancel(app: &App, caller: &Caller) -> Result<SyncRun, AdminError> {
    run::cancel(app, caller).await
}

/// One run.
pub(crate) async fn show(app: &App, id: Uuid) -> Result<SyncRun, AdminError> {
    run::show(app, id).await
}

/// Tells the server above now.
pub(crate) async fn roll_up(app: &App, caller: &Caller) -> Result<RolledUp, AdminError> {
    let RollupOutcome { servers, detailed, computers, statuses, deleted, .. } =
        rollup::tell(app).await?.ok_or_else(|| AdminError::Conflict {
            code: "nothing_above",
            detail: "there is no server above to tell, or nothing was synchronized from it yet".to_owned(),
            next_step: Some("weir sync status shows the source; then weir sync now".to_owned()),
        })?;
    app.write(caller, |tx| Ok(tx.audit("sync.roll_up", "now", None, None)?)).await?;
    Ok(RolledUp { servers, detailed, computers, statuses, deleted })
}

/// Runs, newest first.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<SyncRun>, AdminError> {
    let limit = list::limit(query.limit)?;
    let page = app.read(move |tx| tx.job_page(history::KIND, query.cursor.as_deref(), limit)).await?;
    let items = page.items.into_iter().map(|row| run::shown(app, row)).collect();
    Ok(List { items, next: page.next })
}

/// The schedule.
pub(crate) async fn schedule(app: &App) -> Result<Schedule, AdminError> {
    let (settings, parent) = app.read(|tx| Ok((Current::read(tx)?, tx.sites_parent()?))).await?;
    let site = settings.zone();
    let schedule = settings.schedule().filter(|_| parent.is_none());
    let zone = match schedule.as_ref().and_then(|schedule| schedule.zone()) {
        Some(zone) => zone.name().to_owned(),
        None => site.iana_name().unwrap_or("the system's").to_owned(),
    };
    Ok(Schedule {
        text: schedule.as_ref().map_or_else(|| OFF.to_owned(), ToString::to_string),
        description: match (&schedule, parent) {
            (Some(schedule), _) => schedule.describe(),
            (None, Some(parent)) => format!("Whenever {} has synchronized", parent.name),
            (None, None) => "Off: synchronization runs when an administrator starts it".to_owned(),
        },
        zone,
        next: schedule.map(|schedule| schedule.next_times(Timestamp::now(), &site, TIMES)).unwrap_or_default(),
    })
}

/// Sets the schedule, or switches it off.
pub(crate) async fn schedule_set(app: &App, caller: &Caller, change: ScheduleChange) -> Result<Schedule, AdminError> {
    setting::set(app, caller, SYNC_SCHEDULE, &serde_json::Value::String(change.text), false).await?;
    schedule(app).await
}
