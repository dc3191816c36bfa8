//! Default maximum run times of updates that have just arrived (features, CRI-9).

use std::collections::HashMap;

use weir_model::{ids::UpdateId, run_time};
use weir_store::{StoreError, WriteTx};

use super::{
    AdminError, App, Caller,
    setting::{Current, RUN_TIME_FEATURE, RUN_TIME_OTHER, RUN_TIME_WINDOWS},
};

/// Updates that get theirs in one transaction: other writers wait no longer than for these.
const AT_ONCE: u32 = 400;

/// Gives what has arrived its run time. Before a publish, since windows are found by it.
pub(crate) async fn assign(app: &App) -> Result<(), AdminError> {
    if app.read(|tx| tx.run_time_due(1)).await?.is_empty() {
        return Ok(());
    }
    let titles: HashMap<UpdateId, String> =
        app.read(|tx| Ok(tx.category_list("en")?.into_iter().map(|row| (row.id, row.title)).collect())).await?;
    let titles = std::sync::Arc::new(titles);
    let caller = Caller::system("updates");
    loop {
        let titles = std::sync::Arc::clone(&titles);
        if app.write(&caller, move |tx| Ok(some(tx, &titles)?)).await? < AT_ONCE as usize {
            return Ok(());
        }
    }
}

fn some(tx: &WriteTx<'_>, titles: &HashMap<UpdateId, String>) -> Result<usize, StoreError> {
    let current = Current::read(tx)?;
    let due = tx.run_time_due(AT_ONCE)?;
    for (number, _, newest) in &due {
        let categories = match newest {
            Some(revision) => tx.revision_categories(*revision)?,
            None => Vec::new(),
        };
        let ids: Vec<_> = categories.iter().map(|id| id.0).collect();
        let products = categories.iter().filter_map(|id| titles.get(id)).map(String::as_str);
        let key = match run_time::class(&ids, products) {
            run_time::Class::Feature => RUN_TIME_FEATURE,
            run_time::Class::Windows => RUN_TIME_WINDOWS,
            run_time::Class::Other => RUN_TIME_OTHER,
        };
        tx.run_time_give(*number, u32::try_from(current.number(key)).unwrap_or(run_time::MOST))?;
    }
    Ok(due.len())
}
