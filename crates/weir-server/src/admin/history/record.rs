//! Taking the record of a day, and dropping what is too old.

use std::collections::HashSet;

use jiff::Timestamp;
use weir_api::history::HistoryRecorded;
use weir_model::{
    history::{Day, Recorded, Series, Subject, first_kept},
    status::Counts,
};
use weir_store::{ReadTx, StoreError, WriteTx};

use super::{Frame, wanted};
use crate::admin::{AdminError, App, Caller, counts};

/// Subjects of one transaction: other writers wait no longer than for these.
const AT_ONCE: usize = 200;

/// What is to be stored of a subject.
#[derive(Clone)]
struct Change {
    subject: Subject,
    name: String,
    counts: Counts,
}

/// What a look at everything found.
struct Looked {
    day: Day,
    now: Timestamp,
    subjects: u64,
    left_out: u64,
    changes: Vec<Change>,
    gone: Vec<i64>,
    /// Servers below with the arrival of their last roll-up, where that is not noted yet.
    roll_ups: Vec<(u32, Timestamp)>,
}

/// Takes the record of today: of everything in one pass, stored where it is other than what is there. Done again on the same
/// day it replaces that day's record, so that the last one counts.
pub(crate) async fn record(app: &App, caller: &Caller) -> Result<HistoryRecorded, AdminError> {
    let _one_at_a_time = app.shared().recording.lock().await;
    let live = app.state.live.clone();
    let looked = app
        .read(move |tx| {
            let frame = Frame::read(tx)?;
            let everything = wanted::everything(tx)?;
            let asked: Vec<_> = everything.wanted.iter().map(|it| it.asked.clone()).collect();
            let counted = counts::counts(tx, &live, &asked)?;
            let present: HashSet<Subject> = everything.wanted.iter().map(|it| it.subject).collect();
            let mut gone = Vec::new();
            for row in tx.history_subjects()? {
                let went = row.gone_at.is_none() && !present.contains(&row.subject);
                if went && !everything.exists(tx, &row.subject)? {
                    gone.push(row.no);
                }
            }
            let (subjects, left_out) = (everything.wanted.len() as u64, everything.left_out);
            let mut changes = Vec::new();
            for (it, counts) in everything.wanted.into_iter().zip(counted) {
                let Some(counts) = counts else { continue };
                let change = Change { subject: it.subject, name: it.name, counts };
                if differs(tx, frame.today, &change)? {
                    changes.push(change);
                }
            }
            let known = tx.history_roll_ups_of(frame.today)?;
            let rolled = tx.rollup_servers()?.into_iter().map(|row| (row.no, row.received_at));
            let roll_ups = rolled.filter(|roll_up| !known.contains(roll_up)).collect();
            Ok(Looked { day: frame.today, now: frame.now, subjects, left_out, changes, gone, roll_ups })
        })
        .await?;
    let Looked { day, now, subjects, left_out, changes, gone, roll_ups } = looked;
    let changed = changes.len() as u64;
    for some in changes.chunks(AT_ONCE) {
        let some = some.to_vec();
        app.write(caller, move |tx| {
            for change in &some {
                store(tx, day, change)?;
            }
            Ok(())
        })
        .await?;
    }
    if !gone.is_empty() || !roll_ups.is_empty() {
        app.write(caller, move |tx| {
            for no in gone {
                tx.history_subject_gone(no, now)?;
            }
            for (server, received_at) in roll_ups {
                tx.history_roll_up_put(day, server, received_at)?;
            }
            Ok(())
        })
        .await?;
    }
    if left_out > 0 {
        tracing::warn!(left_out, "history is kept of the first of each kind only: there are too many");
    }
    Ok(HistoryRecorded { day: day.date(), subjects, changed, left_out })
}

/// Whether storing it would change anything.
fn differs(tx: &ReadTx<'_>, day: Day, change: &Change) -> Result<bool, StoreError> {
    let Some(row) = tx.history_subject(&change.subject)? else { return Ok(true) };
    if row.name != change.name || row.gone_at.is_some() {
        return Ok(true);
    }
    let mut series = of_year(tx, row.no, day)?;
    Ok(series.record(day, change.counts) != Recorded::Same)
}

fn store(tx: &WriteTx<'_>, day: Day, change: &Change) -> Result<(), StoreError> {
    let no = tx.history_subject_put(&change.subject, &change.name)?;
    let mut series = of_year(tx, no, day)?;
    series.record(day, change.counts);
    tx.history_put(no, day.date().year(), &series.encode())
}

/// The year of a day. One that cannot be read begins anew, since it would keep its subject from being recorded until the end
/// of the year.
fn of_year(tx: &ReadTx<'_>, no: i64, day: Day) -> Result<Series, StoreError> {
    let year = day.date().year();
    let Some(bytes) = tx.history_part(no, year)? else { return Ok(Series::default()) };
    Ok(Series::decode(&bytes).unwrap_or_else(|error| {
        tracing::error!(subject = no, year, %error, "a year of history cannot be read and begins anew");
        Series::default()
    }))
}

/// Drops days that are too old, and subjects of which nothing is left. Returns how many years were changed or dropped.
pub(crate) async fn prune(app: &App, caller: &Caller) -> Result<u64, AdminError> {
    let _one_at_a_time = app.shared().recording.lock().await;
    let (first, old) = app
        .read(|tx| {
            let frame = Frame::read(tx)?;
            let first = first_kept(frame.today, frame.kept);
            let mut old = Vec::new();
            for (no, year, bytes) in tx.history_until(first.date().year())? {
                if year < first.date().year() {
                    old.push((no, year, None));
                    continue;
                }
                // what cannot be read goes with its year
                let Ok(mut series) = Series::decode(&bytes) else { continue };
                let before = series.points().len();
                series.trim(first);
                if series.is_empty() {
                    old.push((no, year, None));
                } else if series.points().len() < before {
                    old.push((no, year, Some(series.encode())));
                }
            }
            Ok((first, old))
        })
        .await?;
    let changed = old.len() as u64;
    for some in old.chunks(AT_ONCE) {
        let some = some.to_vec();
        app.write(caller, move |tx| {
            for (no, year, series) in &some {
                match series {
                    Some(series) => tx.history_put(*no, *year, series)?,
                    None => tx.history_delete(*no, *year)?,
                }
            }
            Ok(())
        })
        .await?;
    }
    if changed > 0 {
        app.write(caller, move |tx| {
            tx.history_roll_ups_prune(first)?;
            Ok(tx.history_subjects_prune()?)
        })
        .await?;
    }
    Ok(changed)
}
