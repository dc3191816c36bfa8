//! Retires computers that an administrator chose, however lately they called.
//!
//! The share that may go at once holds for them as for all others: more go only if somebody named the number. Who was retired before
//! stays retired, so that the same request may be sent again.

use std::collections::HashSet;

use jiff::Timestamp;
use weir_api::{
    bulk::{ChangedItem, ItemResult},
    retirement::{RetirementDone, RetirementPreview, RetirementRun},
};
use weir_model::{
    ids::ComputerId,
    retirement::{Decision, Reason, decide, most},
};
use weir_store::{ReadTx, computer::THIS_SERVER};

use super::{AT_ONCE, NAMED, retiring, share, step, unconfirmed};
use crate::admin::{AdminError, App, Caller, bulk, computer, tally};

/// Chosen computers, told apart.
#[derive(Default)]
struct Chosen {
    /// Row numbers of those that can be retired, each once.
    due: Vec<u32>,
    /// What would become of each, in the order in which they were named.
    items: Vec<ChangedItem>,
}

impl Chosen {
    fn read(tx: &ReadTx<'_>, ids: &[String]) -> Result<Self, AdminError> {
        let (mut chosen, mut seen) = (Self::default(), HashSet::new());
        for id in ids {
            let item = match Self::one(tx, id) {
                Ok(no) => {
                    chosen.due.extend(no.filter(|no| seen.insert(*no)));
                    let result = if no.is_some() { ItemResult::Changed } else { ItemResult::Unchanged };
                    ChangedItem { id: id.clone(), result, code: None, detail: None }
                }
                // the database's own troubles concern all of them
                Err(error) if error.problem().status >= 500 => return Err(error),
                Err(error) => bulk::failed(id, &error),
            };
            chosen.items.push(item);
        }
        Ok(chosen)
    }

    /// The row number of one that can be retired; none if it was.
    fn one(tx: &ReadTx<'_>, id: &str) -> Result<Option<u32>, AdminError> {
        let id = computer::parse(id)?;
        match tx.computer_find(&id)? {
            Some(row) if row.site == THIS_SERVER => Ok(Some(row.no)),
            Some(_) => Err(AdminError::Conflict {
                code: "other_server",
                detail: format!("computer {id} scans at another server, which decides when it is retired"),
                next_step: Some("retire it there".to_owned()),
            }),
            None if tx.computer_retired_find(&id)?.is_some() => Ok(None),
            None => Err(computer::missing(&id)),
        }
    }

    fn count(&self, result: ItemResult) -> u64 {
        self.items.iter().filter(|item| item.result == result).count() as u64
    }

    /// Says of those that were to go and did not that they called.
    fn settle(&mut self, gone: &HashSet<ComputerId>) {
        for item in self.items.iter_mut().filter(|item| item.result == ItemResult::Changed) {
            if computer::parse(&item.id).is_ok_and(|id| gone.contains(&id)) {
                continue;
            }
            let called = AdminError::Conflict {
                code: "called",
                detail: format!("computer {} called meanwhile, or somebody deleted it", item.id),
                next_step: None,
            };
            *item = bulk::failed(&item.id, &called);
        }
    }
}

/// The ids of a request that names some.
fn ids(run: &RetirementRun) -> Result<Vec<String>, AdminError> {
    if run.silent_days.is_some() || run.duplicates {
        let detail = "ids, silent_days and duplicates exclude each other: ask for one of them";
        return Err(AdminError::invalid("ids", detail));
    }
    bulk::distinct(&run.ids)
}

/// What retiring them would do. Nothing is changed.
pub(super) async fn preview(app: &App, run: &RetirementRun) -> Result<RetirementPreview, AdminError> {
    let ids = ids(run)?;
    app.try_read(move |tx| {
        let now = Timestamp::now();
        let chosen = Chosen::read(tx, &ids)?;
        let (computers, _) = tx.computer_retirement_counts(now)?;
        let (percent, recent) = share(tx, now)?;
        let (due, most) = (chosen.due.len() as u64, most(computers, recent, percent));
        let mut first = Vec::new();
        for no in chosen.due.iter().take(NAMED) {
            first.extend(retiring(tx, *no)?);
        }
        Ok(RetirementPreview {
            silent_days: None,
            computers,
            due,
            percent: tally::percent(due, computers),
            recent,
            most,
            needs_confirmation: due > most,
            by_rule: false,
            first,
            unchanged: chosen.count(ItemResult::Unchanged),
            failed: chosen.count(ItemResult::Failed),
            items: chosen.items,
            as_of: None,
        })
    })
    .await
}

/// Retires them, in small transactions.
pub(super) async fn create(app: &App, caller: &Caller, run: &RetirementRun) -> Result<RetirementDone, AdminError> {
    let ids = ids(run)?;
    // who calls from now on stays
    let now = Timestamp::now();
    let (mut chosen, computers, (percent, recent)) = app
        .try_read(move |tx| {
            let (computers, _) = tx.computer_retirement_counts(now)?;
            Ok((Chosen::read(tx, &ids)?, computers, share(tx, now)?))
        })
        .await?;
    let due = chosen.due.len() as u64;
    match decide(computers, due, recent, percent, run.confirm) {
        Decision::Ask { most } => return Err(unconfirmed(due, computers, most)),
        Decision::Nothing | Decision::Retire => {}
    }
    let mut gone: HashSet<ComputerId> = HashSet::new();
    for some in chosen.due.chunks(AT_ONCE as usize) {
        gone.extend(step(app, caller, Reason::Chosen, now, None, some.to_vec()).await?);
    }
    if !gone.is_empty() {
        tracing::info!(computers = gone.len(), reason = Reason::Chosen.word(), "computers were retired");
        // deployments, windows and counts are those of fewer computers now
        app.publish().await?;
    }
    chosen.settle(&gone);
    let computers = app.read(move |tx| Ok(tx.computer_retirement_counts(now)?.0)).await?;
    Ok(RetirementDone {
        retired: gone.len() as u64,
        computers,
        unchanged: chosen.count(ItemResult::Unchanged),
        failed: chosen.count(ItemResult::Failed),
        items: chosen.items,
    })
}
