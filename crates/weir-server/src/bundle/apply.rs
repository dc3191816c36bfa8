//! Applying a bundle: documents and decisions in one transaction, then content, part by part.

mod content;
mod metadata;
mod part;

use std::sync::mpsc::{Receiver, sync_channel};

use jiff::Timestamp;
use uuid::Uuid;
use weir_api::bundle::{Bundle, BundlePhase, BundleResult, RefusedObject};
use weir_store::{Actor, WriteTx, bundle::BundleState, revision::FileSource};
use weir_wire::bundle::Manifest;

use self::{content::content, metadata::Reader};
use super::receive::{Running, find, folder, in_order, manifest, remove, show, trusted};
use crate::{
    admin::{AdminError, App, Caller, blocking, chain},
    import::Ready,
    intent::{self, Applied, Object, Origin},
    telemetry::{self, Job},
};

/// Groups that are parsed ahead of the one that is stored.
const AHEAD: usize = 2;
/// Refusals that an answer gives.
const MOST_REFUSED: usize = 1_000;

/// Begins to apply a bundle whose parts are all here.
pub(crate) async fn begin(app: &App, caller: &Caller, id: Uuid, force: bool) -> Result<Bundle, AdminError> {
    let row = find(app, id).await?;
    if row.state == BundleState::Applied {
        return show(app, id).await;
    }
    let described = show(app, id).await?;
    if let Some(first) = described.missing.first() {
        return Err(AdminError::Conflict {
            code: "bundle_incomplete",
            detail: format!("{} parts of the bundle are not here, the first of them {first}", described.missing.len()),
            next_step: Some("weir import the folder that has them".to_owned()),
        });
    }
    if !start(app, id) {
        return show(app, id).await;
    }
    // the work goes on when the caller goes away
    let (work_app, work_caller) = (app.clone(), caller.clone());
    tokio::spawn(async move {
        let _turn = work_app.shared().bundles.turn.lock().await;
        let outcome = telemetry::job(Job::Bundle, run(&work_app, &work_caller, id, force)).await;
        if let Err(error) = &outcome {
            tracing::error!(bundle = %id, error = chain(error), "a bundle could not be applied");
        }
        let error = outcome.err().map(|error| match error {
            AdminError::Internal(_) => error.problem().detail,
            error => chain(&error),
        });
        if let Some(running) = work_app.shared().bundles.running.lock().get_mut(&id) {
            (running.at_work, running.error) = (false, error);
        }
    });
    show(app, id).await
}

/// Notes that it is at work. False if it was already.
fn start(app: &App, id: Uuid) -> bool {
    let mut running = app.shared().bundles.running.lock();
    if running.get(&id).is_some_and(|running| running.at_work) {
        return false;
    }
    let fresh = Running { at_work: true, phase: BundlePhase::Verify, done: 0, total: 0, error: None };
    running.insert(id, fresh);
    true
}

/// Says how far it is.
fn progress(app: &App, id: Uuid, phase: BundlePhase, done: u64, total: u64) {
    if let Some(running) = app.shared().bundles.running.lock().get_mut(&id) {
        (running.phase, running.done, running.total) = (phase, done, total);
    }
}

async fn run(app: &App, caller: &Caller, id: Uuid, force: bool) -> Result<(), AdminError> {
    let row = find(app, id).await?;
    let manifest = manifest(&row)?;
    if row.state == BundleState::Receiving {
        let (work_app, work_caller, work_manifest) = (app.clone(), caller.clone(), manifest.clone());
        let signer = row.signer;
        blocking(move || commit(&work_app, &work_caller, id, signer, &work_manifest, force)).await?;
    }
    progress(app, id, BundlePhase::Publish, 0, 0);
    app.reload_settings().await?;
    app.publish().await?;
    let (work_app, work_caller) = (app.clone(), caller.clone());
    let runtime = tokio::runtime::Handle::current();
    let (added, unchanged) = blocking(move || content(&work_app, &work_caller, id, &manifest, &runtime)).await?;
    app.publish().await?;
    app.shared().wanted.notify_one();
    let unresolved = app.state.live.current().snapshot.unresolved_len() as u64;
    app.write(caller, move |tx| {
        let mut result: BundleResult =
            tx.bundle_received_show(id)?.and_then(|row| serde_json::from_value(row.result?).ok()).unwrap_or_default();
        // what an attempt before this one put in counts, too
        result.files_added += added;
        result.files_unchanged += unchanged;
        result.unresolved = unresolved;
        let value = serde_json::to_value(&result).map_err(|error| AdminError::Internal(error.to_string()))?;
        tx.bundle_set_state(id, BundleState::Applied, Some(&value))?;
        tx.audit("bundle.apply", &id.to_string(), None, Some(&value))?;
        Ok(())
    })
    .await?;
    remove(&folder(app, id));
    Ok(())
}

/// What the reading thread hands to the transaction.
enum Step {
    Documents(Vec<Ready>),
    Object(Box<Object>),
    Sources(Vec<FileSource>),
}

/// Documents and decisions, all or nothing. Reading and parsing go ahead of the one writer.
fn commit(
    app: &App,
    caller: &Caller,
    id: Uuid,
    signer: weir_model::ids::Sha256Digest,
    manifest: &Manifest,
    force: bool,
) -> Result<(), AdminError> {
    let actor = Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now());
    let own = app.state.server.0;
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut reader = Reader { app, id, manifest, sender: &sender, unknown: Vec::new() };
            let outcome = reader.metadata();
            outcome.map(|()| reader.unknown)
        });
        app.state.store.try_write(&actor, |tx| {
            crate::admin::import_allowed(tx, force)?;
            // its signer may have lost the trust since it came, and another one may have been applied
            trusted(tx, signer)?;
            in_order(tx, manifest, signer, own, force)?;
            let mut result = store(tx, receiver, |done| {
                progress(app, id, BundlePhase::Documents, done, manifest.counts.revisions);
            })?;
            match reading.join() {
                Ok(Ok(unknown)) => result.unknown.extend(unknown),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(AdminError::Internal("reading a bundle panicked".to_owned())),
            }
            let value = serde_json::to_value(&result).map_err(|error| AdminError::Internal(error.to_string()))?;
            tx.bundle_set_state(id, BundleState::Committed, Some(&value))?;
            tx.audit("bundle.commit", &id.to_string(), None, Some(&value))?;
            Ok(())
        })
    })
}

/// Writes what comes. Ends when the sender is gone; whether that was the end is for the caller to ask.
fn store(tx: &WriteTx<'_>, steps: Receiver<Step>, told: impl Fn(u64)) -> Result<BundleResult, AdminError> {
    let mut import = tx.import();
    let mut objects = Vec::new();
    for step in steps {
        match step {
            Step::Documents(documents) => {
                for document in documents {
                    import.revision(&document.packed)?;
                    tx.file_source_add(&document.sources)?;
                }
                let counts = import.counts();
                told(counts.added + counts.unchanged);
            }
            Step::Object(object) => objects.push(*object),
            Step::Sources(sources) => tx.file_source_add(&sources)?,
        }
    }
    let counts = import.counts();
    drop(import);
    let Applied { applied, unchanged, unknown_kinds, refused } = intent::apply(tx, &objects, Origin::Bundle)?;
    Ok(BundleResult {
        added: counts.added,
        unchanged: counts.unchanged,
        objects_applied: applied,
        objects_unchanged: unchanged,
        objects_refused: refused
            .into_iter()
            .take(MOST_REFUSED)
            .map(|one| RefusedObject { kind: one.kind, id: one.id, reason: one.reason })
            .collect(),
        unknown: unknown_kinds
            .into_iter()
            .map(|one| format!("{} decisions of kind {} version {}", one.objects, one.kind, one.version))
            .collect(),
        ..BundleResult::default()
    })
}
