//! What an administrator should know of a window: what does not fit into it.

use jiff::{SignedDuration, Timestamp};
use weir_model::{
    ids::CollectionId,
    targeting::DeploymentAction,
    window::{Window, WindowKind},
};
use weir_store::{ReadTx, StoreError, window::WindowRow};

use super::collection::Tree;
use crate::{client_settings::Table, live::Hours};

/// The maximum run time of updates that nobody gave another, in minutes.
const RUN_TIME: u32 = 60;

/// Deployments that do not fit into the windows of the collection, and restarts that do not fit into this one.
pub(super) fn warnings(tx: &ReadTx<'_>, tree: &Tree, row: &WindowRow) -> Result<Vec<String>, StoreError> {
    let window = &row.window;
    if !is_for_updates(window) {
        return Ok(Vec::new());
    }
    let mut warnings = Vec::new();
    let longest = longest(tx, tree, row)?;
    let here = |collection| tree.is_within(row.collection, collection) || tree.is_within(collection, row.collection);
    let required = |action| matches!(action, DeploymentAction::Install | DeploymentAction::Uninstall);
    let deployments = tx.catalogue_targeting()?.deployments.into_iter();
    let needs: Vec<u32> = deployments
        .filter(|it| required(it.action) && !it.timing.outside_windows && here(it.collection))
        .map(|it| it.run_minutes)
        .collect();
    let long = needs.iter().filter(|minutes| **minutes > longest).count();
    if let Some(least) = needs.iter().min()
        && long == needs.len()
    {
        warnings.push(format!(
            "None of the {} required deployments to these computers fits: the shortest maximum run time is {least} \
             minutes, the longest window {longest}. They will never install until a window is longer.",
            needs.len()
        ));
    } else if long > 0 {
        warnings.push(format!(
            "{long} of the {} required deployments to these computers do not fit into any window: the longest maximum run \
             time is {} minutes, the longest window {longest}.",
            needs.len(),
            needs.iter().max().copied().unwrap_or_default()
        ));
    } else if needs.is_empty() && longest < RUN_TIME {
        warnings.push(format!(
            "Updates have a maximum run time of {RUN_TIME} minutes unless another is set: none of those fits into \
             {longest} minutes."
        ));
    }
    // both must be shorter than the window (MW-5, features 18.3)
    let clients = Table::read(tx)?.resultant(&[row.collection]);
    let wait = clients.number("restart.minutes").max(clients.number("restart.countdown_minutes"));
    if clients.flag("restart.force") && u32::from(window.minutes()) <= wait {
        warnings.push(format!(
            "Restarts do not fit: computers wait {wait} minutes after an installation before they restart, by \
             restart.minutes and restart.countdown_minutes of their client settings, and the window has {}.",
            window.minutes()
        ));
    }
    Ok(warnings)
}

/// Whether it counts for updates at all.
fn is_for_updates(window: &Window) -> bool {
    window.enabled && window.kind != WindowKind::TaskSequences
}

/// Minutes of the shortest window that counts for updates in the collections that are meant.
pub(super) fn shortest(windows: &[WindowRow], is_meant: impl Fn(CollectionId) -> bool) -> Option<u32> {
    let meant = windows.iter().filter(|row| is_for_updates(&row.window) && is_meant(row.collection));
    meant.map(|row| u32::from(row.window.minutes())).min()
}

/// The longest stretch in the weeks to come in which computers of the collection may install, in minutes.
fn longest(tx: &ReadTx<'_>, tree: &Tree, row: &WindowRow) -> Result<u32, StoreError> {
    let mut path = vec![row.collection];
    while let Some(parent) = path.last().and_then(|last| tree.rows.iter().find(|it| it.id == *last)?.parent)
        && path.len() <= tree.rows.len()
    {
        path.push(parent);
    }
    let calendar = Hours::read(tx)?.calendar(&[path], None);
    let now = Timestamp::now();
    let until = now.checked_add(SignedDuration::from_hours(400 * 24)).unwrap_or(Timestamp::MAX);
    let joined = calendar.spans(now, until, 500).into_iter().map(|span| span.duration()).max();
    let longest = joined.max(calendar.longest()).unwrap_or_default();
    Ok(u32::try_from(longest.as_mins()).unwrap_or(u32::MAX))
}
