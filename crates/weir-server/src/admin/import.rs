//! Imports: taking the upload, following the work, telling the outcome.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use axum::extract::Multipart;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::import::{Import, ImportPhase, ImportQuery, ImportState};
use weir_model::{
    ids::{UpdateId, UpdateIdentity},
    message::{IMPORT_DONE, IMPORT_FAILED, IMPORT_PARTLY},
};
use weir_store::{
    Actor, ReadTx, StoreError,
    job::{JobRow, JobState},
};

use super::{
    AdminError, App, Caller,
    app::blocking,
    chain,
    changes::mixed,
    setting::{Current, SOURCE},
    spool::{Kept, Spool},
    upload,
};
use crate::{
    import::{Batch, Catalogue, Input, Step, StoreFailure},
    live::Published,
    sites,
    telemetry::{self, Job},
};

/// Kind of the rows of imports, where there are several front ends.
pub(crate) const KIND: &str = "import";
/// Imports that can still be asked about.
const KEPT: usize = 100;
/// How often the row of an import tells how far it is.
const TELL: Duration = Duration::from_secs(1);
/// An import whose row was not told for so long has no process any more.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// Rows of imports that ended are kept for so long.
const ROWS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Imports of this process.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    known: Mutex<BTreeMap<u64, Import>>,
    /// One import works at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Imports {
    fn begin(&self, now: Timestamp, id: Option<u64>) -> Import {
        let mut known = self.known.lock();
        let id = id.unwrap_or_else(|| known.keys().next_back().map_or(1, |last| last + 1));
        let import = Import {
            id,
            state: ImportState::Running,
            phase: ImportPhase::Read,
            done: 0,
            total: 0,
            started_at: now,
            finished_at: None,
            result: None,
        };
        known.insert(id, import.clone());
        while known.len() > KEPT {
            // a running one may be asked about, however many came after it
            let oldest = known.iter().find(|(_, import)| import.state != ImportState::Running).map(|(id, _)| *id);
            match oldest {
                Some(oldest) => known.remove(&oldest),
                None => break,
            };
        }
        import
    }

    /// All that can still be asked about, oldest first.
    pub(super) fn all(&self) -> Vec<Import> {
        self.known.lock().values().cloned().collect()
    }

    /// A number that differs when one of them went on.
    pub(super) fn pulse(&self) -> u64 {
        let known = self.known.lock();
        let numbers = known.values().flat_map(|it| [it.id, it.state as u64, it.phase as u64, it.done, it.total]);
        mixed(&numbers.collect::<Vec<_>>())
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Import)) {
        if let Some(import) = self.known.lock().get_mut(&id) {
            change(import);
        }
    }
}

/// Refuses what would be refused after an upload, before it: a replica has what its parent has, and an import beside an
/// upstream goes only by force (export-format.md 6).
pub(crate) fn allowed(tx: &ReadTx<'_>, force: bool) -> Result<(), AdminError> {
    if sites::is_replica(tx)? {
        let parent = tx.sites_parent()?.map_or_else(|| "its upstream server".to_owned(), |parent| parent.name);
        return Err(AdminError::Conflict {
            code: "is_replica",
            detail: format!("this site is a replica of {parent} and takes its catalogue from there"),
            next_step: Some(format!("import at {parent}; this site follows with the next synchronization")),
        });
    }
    let source = Current::read(tx)?.text(SOURCE);
    if source == "none" || force {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "has_upstream",
        detail: format!(
            "this server synchronizes from {source}; an import beside that confuses its downstream servers"
        ),
        next_step: Some("set the source to none (weir settings set source none), or repeat with --force".to_owned()),
    })
}

/// Takes an upload and starts to work on it.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    query: ImportQuery,
    mut form: Multipart,
) -> Result<Import, AdminError> {
    app.try_read(move |tx| allowed(tx, query.force)).await?;
    let inputs = spool(app, &mut form).await?;
    if inputs.is_empty() {
        return Err(AdminError::invalid("upload", "the upload has no file"));
    }
    let row = if app.state.is_shared() { Some(Row::begin(app, caller).await?) } else { None };
    let import = app.shared().imports.begin(Timestamp::now(), row.as_ref().map(|row| row.no));
    let id = import.id;
    // the work goes on when the caller goes away: the upload is complete
    let (work_app, work_caller) = (app.clone(), caller.clone());
    let work = tokio::spawn(async move {
        let work = work(&work_app, &work_caller, id, inputs, query);
        match &row {
            None => work.await,
            Some(row) => {
                tokio::select! {
                    () = work => {}
                    () = row.tell(&work_app, &work_caller) => {}
                }
                row.end(&work_app, &work_caller).await;
            }
        }
    });
    if query.wait {
        work.await.map_err(|error| AdminError::Internal(format!("the import ended: {error}")))?;
        return show(app, id).await;
    }
    Ok(import)
}

/// One import.
pub(crate) async fn show(app: &App, id: u64) -> Result<Import, AdminError> {
    let known = app.shared().imports.known.lock().get(&id).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let no = i64::try_from(id).unwrap_or(i64::MAX);
    let row = if app.state.is_shared() { app.read(move |tx| tx.job_of_no(no, KIND)).await? } else { None };
    row.and_then(|row| told(&row, Timestamp::now())).ok_or_else(|| AdminError::NotFound {
        kind: "import",
        id: id.to_string(),
        next_step: Some("imports are forgotten when the server stops; `weir status` shows the catalogue".to_owned()),
    })
}

/// Imports that can still be asked about, those of other front ends among them.
pub(super) async fn all(app: &App) -> Result<Vec<Import>, AdminError> {
    let mut all = app.shared().imports.all();
    if app.state.is_shared() {
        let now = Timestamp::now();
        let rows = app.read(|tx| tx.job_list(KIND, KEPT as u32)).await?;
        let others: Vec<Import> = rows.iter().filter_map(|row| told(row, now)).collect();
        all.extend(others.into_iter().filter(|other| !app.shared().imports.known.lock().contains_key(&other.id)));
        all.sort_by_key(|import| import.id);
    }
    Ok(all)
}

/// What the row of an import of another front end tells.
fn told(row: &JobRow, now: Timestamp) -> Option<Import> {
    let text = row.result.clone().or_else(|| row.progress.clone())?;
    let mut import: Import = serde_json::from_value(text).ok()?;
    if import.state == ImportState::Running && (row.state != JobState::Running || is_left(row, now)) {
        // its process is gone: what it had not committed did not happen
        import.state = ImportState::Failed;
        import.finished_at = row.ended_at.or(row.lease_until);
    }
    Some(import)
}

/// Whether the process of an import is gone.
fn is_left(row: &JobRow, now: Timestamp) -> bool {
    row.state == JobState::Running && row.lease_until.is_none_or(|until| until <= now)
}

/// The row of an import that this front end works on, for those who ask another one.
struct Row {
    no: u64,
    job: Uuid,
    owner: String,
}

impl Row {
    async fn begin(app: &App, caller: &Caller) -> Result<Self, AdminError> {
        let (job, owner, now) = (Uuid::new_v4(), app.state.live.duties.owner(), Timestamp::now());
        let mine = owner.clone();
        let no = app.write(caller, move |tx| {
            // nobody else ends those whose process is gone
            for left in tx.job_list(KIND, KEPT as u32)?.iter().filter(|row| is_left(row, now)) {
                tx.job_interrupt(left.id, &json!(told(left, now)))?;
            }
            tx.job_prune(KIND, now - ROWS_KEPT, KEPT as u32)?;
            tx.job_create(job, KIND, &json!({}))?;
            tx.job_hold(job, &mine, now + LEASE)?;
            let row =
                tx.job_show(job)?.ok_or_else(|| AdminError::Internal("the row of an import is gone".to_owned()))?;
            u64::try_from(row.no).map_err(|_| AdminError::Internal("the number of an import".to_owned()))
        });
        Ok(Self { no: no.await?, job, owner })
    }

    fn import(&self, app: &App) -> Value {
        let known = app.shared().imports.known.lock().get(&self.no).cloned();
        known.and_then(|import| serde_json::to_value(import).ok()).unwrap_or_default()
    }

    /// Tells again and again how far it is.
    async fn tell(&self, app: &App, caller: &Caller) {
        loop {
            let (job, owner, import) = (self.job, self.owner.clone(), self.import(app));
            let until = Timestamp::now() + LEASE;
            let told = app.write(caller, move |tx| Ok(tx.job_renew(job, &owner, until, &import)?));
            if let Err(error) = told.await {
                tracing::debug!(error = chain(&error), "how far an import is could not be told");
            }
            tokio::time::sleep(TELL).await;
        }
    }

    /// Tells how it ended.
    async fn end(&self, app: &App, caller: &Caller) {
        let (job, owner, import) = (self.job, self.owner.clone(), self.import(app));
        let good = import.get("state").and_then(Value::as_str) == Some("done");
        let state = if good { JobState::Done } else { JobState::Failed };
        let ended = app.write(caller, move |tx| Ok(tx.job_end(job, &owner, state, &import)?));
        if let Err(error) = ended.await {
            tracing::warn!(error = chain(&error), "how an import ended could not be told to other front ends");
        }
    }
}

/// Keeps the parts of an upload until it is whole.
async fn spool(app: &App, form: &mut Multipart) -> Result<Vec<Input>, AdminError> {
    let failed = |error: std::io::Error| AdminError::Internal(format!("keeping an upload failed: {error}"));
    let mut spool = Spool::new(&app.process.data.join("incoming"));
    let mut inputs = Vec::new();
    let mut seen = 0;
    while let Some(mut part) = upload::next(form, &mut seen).await? {
        let mut kept = Kept::default();
        while let Some(bytes) = part.chunk().await? {
            if spool.stays(&kept, bytes.len()) {
                spool.take(&mut kept, &bytes).map_err(failed)?;
            } else {
                (spool, kept) = blocking(move || {
                    spool.take(&mut kept, &bytes).map_err(failed)?;
                    Ok((spool, kept))
                })
                .await?;
            }
        }
        inputs.push(Input { name: part.name, source: spool.finish(kept) });
    }
    Ok(inputs)
}

async fn work(app: &App, caller: &Caller, id: u64, inputs: Vec<Input>, query: ImportQuery) {
    let _turn = Arc::clone(&app.shared().imports.turn).lock_owned().await;
    let ran = async {
        match run(app, caller, id, inputs, query).await {
            Ok(batch) if !batch.failed => Ok(Ok(batch)),
            failed => Err(failed),
        }
    };
    let outcome = match telemetry::job(Job::Import, ran).await.unwrap_or_else(|failed| failed) {
        Ok(batch) => batch,
        Err(error) => {
            tracing::error!(import = id, error = chain(&error), "an import failed");
            let mut batch = Batch::default();
            batch.fail(String::new(), None, error.problem().detail);
            batch
        }
    };
    tracing::info!(
        import = id,
        added = outcome.result.added,
        unchanged = outcome.result.unchanged,
        rejected = outcome.result.rejected,
        skipped = outcome.result.skipped,
        failed = outcome.failed,
        "an import is over"
    );
    metrics::counter!("weir_import_revisions_total").increment(outcome.result.added);
    tell(app, caller, id, &outcome).await;
    app.shared().imports.change(id, |import| {
        import.state = if outcome.failed { ImportState::Failed } else { ImportState::Done };
        import.finished_at = Some(Timestamp::now());
        import.result = Some(outcome.result);
    });
}

/// Says in a status message how an import ended.
async fn tell(app: &App, caller: &Caller, id: u64, outcome: &Batch) {
    let result = &outcome.result;
    let first = result.errors.first().map(|error| error.message.clone()).unwrap_or_default();
    let meaning = match (outcome.failed, result.rejected > 0) {
        (true, _) => &IMPORT_FAILED,
        (false, true) => &IMPORT_PARTLY,
        (false, false) => &IMPORT_DONE,
    };
    let parameters = [
        ("import", id.to_string()),
        ("added", result.added.to_string()),
        ("unchanged", result.unchanged.to_string()),
        ("rejected", result.rejected.to_string()),
        ("skipped", result.skipped.to_string()),
        ("reason", first),
    ];
    let about = id.to_string();
    let said = app.write(caller, move |tx| Ok(tx.status_message(meaning, &parameters, Some(("import", &about)))?));
    if let Err(error) = said.await {
        tracing::warn!(error = chain(&error), "the status message about an import could not be stored");
    }
}

async fn run(app: &App, caller: &Caller, id: u64, inputs: Vec<Input>, query: ImportQuery) -> Result<Batch, AdminError> {
    let (work_app, work_caller) = (app.clone(), caller.clone());
    let mut batch = blocking(move || commit(&work_app, &work_caller, id, inputs, query)).await?;
    if batch.failed || batch.is_empty() {
        return Ok(batch);
    }
    app.shared().imports.change(id, |import| import.phase = ImportPhase::Publish);
    app.publish().await?;
    app.shared().rules.imported(Timestamp::now());
    let published = app.state.live.current();
    let unresolved = published.snapshot.unresolved().into_iter();
    let unresolved: HashSet<UpdateIdentity> =
        unresolved.filter_map(|(id, _)| published.snapshot.identity(id)).collect();
    let offered: HashSet<UpdateIdentity> = batch.identities().collect();
    batch.result.unresolved = offered.intersection(&unresolved).count() as u64;
    // a deployment that follows the newest revision may need other files now
    app.shared().wanted.notify_one();
    Ok(batch)
}

fn commit(app: &App, caller: &Caller, id: u64, inputs: Vec<Input>, query: ImportQuery) -> Result<Batch, AdminError> {
    let imports = &app.shared().imports;
    let report = |step: Step, done: u64, total: u64| {
        imports.change(id, |import| {
            import.phase = match step {
                Step::Parse => ImportPhase::Parse,
                Step::Store => ImportPhase::Store,
            };
            (import.done, import.total) = (done, total);
        });
    };
    let read = Batch::read(inputs, &report);
    let mut batch = read.map_err(|error| AdminError::Internal(format!("reading an upload failed: {error}")))?;
    if query.strict && !batch.failed {
        batch.require_resolved(&Known(app.state.live.current()));
    }
    if batch.failed || batch.is_empty() {
        if batch.failed {
            batch.refuse_all();
        }
        return Ok(batch);
    }
    let actor = Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now());
    let written = app.state.store.try_write(&actor, |tx| -> Result<(), StoreFailure> {
        batch.store(tx, &report)?;
        if batch.result.added > 0 {
            let counts = json!({ "added": batch.result.added, "unchanged": batch.result.unchanged });
            tx.audit("import", &id.to_string(), None, Some(&counts))?;
        }
        Ok(())
    });
    match written {
        Ok(()) => Ok(batch),
        Err(StoreFailure { file, record, source: source @ StoreError::DifferentText(_) }) => {
            batch.fail(file.into(), record, source.to_string());
            Ok(batch)
        }
        Err(failure) => Err(failure.source.into()),
    }
}

/// The catalogue as published: every committed revision is in it.
struct Known(Arc<Published>);

impl Catalogue for Known {
    fn has_update(&self, update: UpdateId) -> bool {
        self.0.snapshot.newest(update).is_some()
    }

    fn has_revision(&self, identity: UpdateIdentity) -> bool {
        self.0.snapshot.revision(identity).is_some()
    }
}
