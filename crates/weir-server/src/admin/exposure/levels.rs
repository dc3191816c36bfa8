//! Service levels.

use serde_json::json;
use weir_api::exposure_level::{Levels as Shown, LevelsChange};
use weir_model::exposure::Levels;
use weir_store::{ReadTx, StoreError, exposure::LevelsRow};

use super::super::{AdminError, App, Caller};

/// Those that hold.
pub(super) fn current(tx: &ReadTx<'_>) -> Result<Levels, StoreError> {
    Ok(tx.exposure_levels()?.map(|row| row.levels).unwrap_or_default())
}

fn shown(row: Option<LevelsRow>) -> Shown {
    let (changed_at, changed_by) = match &row {
        Some(row) => (Some(row.changed_at), Some(row.changed_by.clone())),
        None => (None, None),
    };
    let proposed = row.is_none();
    let Levels { critical, important, moderate, low, unrated, exploited, due_soon } =
        row.map(|row| row.levels).unwrap_or_default();
    Shown { critical, important, moderate, low, unrated, exploited, due_soon, proposed, changed_at, changed_by }
}

/// Those that hold.
pub(crate) async fn show(app: &App) -> Result<Shown, AdminError> {
    app.read(|tx| Ok(shown(tx.exposure_levels()?))).await
}

/// Changes some of them.
pub(crate) async fn change(app: &App, caller: &Caller, change: LevelsChange) -> Result<Shown, AdminError> {
    app.write(caller, move |tx| {
        let before = current(tx)?;
        let days = |wanted: Option<u16>, known: Option<u16>| match wanted {
            None => known,
            Some(0) => None,
            Some(days) => Some(days),
        };
        let after = Levels {
            critical: days(change.critical, before.critical),
            important: days(change.important, before.important),
            moderate: days(change.moderate, before.moderate),
            low: days(change.low, before.low),
            unrated: days(change.unrated, before.unrated),
            exploited: days(change.exploited, before.exploited),
            due_soon: change.due_soon.unwrap_or(before.due_soon),
        };
        after.check().map_err(|error| AdminError::invalid(error.field, error.to_string()))?;
        tx.exposure_levels_put(Some(&after))?;
        if after != before {
            tx.audit("exposure.levels", "levels", Some(&json!(before)), Some(&json!(after)))?;
        }
        Ok(shown(tx.exposure_levels()?))
    })
    .await
}

/// Goes back to the proposed ones.
pub(crate) async fn propose(app: &App, caller: &Caller) -> Result<Shown, AdminError> {
    app.write(caller, |tx| {
        if let Some(row) = tx.exposure_levels()? {
            tx.exposure_levels_put(None)?;
            tx.audit("exposure.levels", "levels", Some(&json!(row.levels)), Some(&json!(Levels::default())))?;
        }
        Ok(shown(None))
    })
    .await
}
