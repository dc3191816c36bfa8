//! Retires computers that do not call any more: by rule, or when an administrator asks. Those that an administrator chose are in
//! [`chosen`].
//!
//! *Invariant:* more than the site lets go at once goes only if somebody named the number. *Invariant:* a computer that called
//! after it was counted stays: each step looks again in its own transaction.

mod chosen;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use weir_api::{
    List,
    list::ListQuery,
    retirement::{
        RetiredComputer, RetirementDone, RetirementPreview, RetirementQuery, RetirementRun, RetiringComputer,
    },
};
use weir_model::{
    identity::{Member, QUIET_DAYS},
    ids::ComputerId,
    retirement::{DAYS, Decision, PROPOSED_DAYS, Reason, WITHIN_DAYS, decide, most},
};
use weir_store::{Actor, ReadTx, StoreError, computer::THIS_SERVER};

use super::{
    AdminError, App, Caller,
    app::blocking,
    collection::Tree,
    identity::{self, Alike},
    list,
    setting::{Current, DUPLICATES, RETIRE_DAYS, RETIRE_OLDER, RETIRE_PERCENT},
    tally,
};
use crate::{front, live::Heard};

/// Computers that one transaction retires: other writers, among them whatever computers report, wait no longer than for these.
const AT_ONCE: u32 = 100;
/// Computers that a preview names.
const NAMED: usize = 20;

/// Which computers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Which {
    /// That did not call for so many days.
    Silent(u32),
    /// That machines left behind.
    Duplicates,
}

/// Whom a run would retire.
struct Foreseen {
    computers: u64,
    /// Ascending by row number.
    due: Vec<u32>,
    as_of: Timestamp,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ran {
    /// So many were retired.
    Retired(u64),
    /// Nobody was: so many of so many are due, which is more than may go at once.
    Asks { due: u64, computers: u64, most: u64 },
}

impl Which {
    const fn reason(self) -> Reason {
        match self {
            Self::Silent(_) => Reason::Silent,
            Self::Duplicates => Reason::Duplicate,
        }
    }

    /// One that called since then stays.
    fn before(self, now: Timestamp) -> Timestamp {
        let days = match self {
            Self::Silent(days) => days,
            Self::Duplicates => QUIET_DAYS,
        };
        now - SignedDuration::from_hours(24 * i64::from(days))
    }

    /// How many computers scan here, and how many of them are due.
    fn counts(self, tx: &ReadTx<'_>, now: Timestamp) -> Result<(u64, u64), StoreError> {
        let (computers, silent) = tx.computer_retirement_counts(self.before(now))?;
        match self {
            Self::Silent(_) => Ok((computers, silent)),
            Self::Duplicates => Ok((computers, self.due(tx, now, 0, u32::MAX)?.len() as u64)),
        }
    }

    /// How many computers scan here, how many of them are due, the row numbers of the first of these, and when that was if not now:
    /// what a preview tells, which may be of some seconds ago. What is retired is looked for in [`Which::due`].
    fn foreseen(
        self,
        tx: &ReadTx<'_>,
        heard: &Heard,
        alike: Option<&Alike>,
        now: Timestamp,
    ) -> Result<Foreseen, StoreError> {
        let here = || heard.rows.iter().filter(|row| row.site == THIS_SERVER);
        let mut due: Vec<u32> = match alike {
            None => {
                let before = self.before(now);
                here().filter(|row| row.facts.last_contact < before).map(|row| row.no).collect()
            }
            Some(alike) => {
                let members = alike.duplicated(tx, now)?.into_iter().flat_map(|found| found.members);
                members.filter(Member::retires).map(|member| member.no).collect()
            }
        };
        due.sort_unstable();
        let as_of = alike.and_then(Alike::as_of).map_or(heard.as_of, |at| at.min(heard.as_of));
        Ok(Foreseen { computers: here().count() as u64, due, as_of })
    }

    /// Row numbers of some that are due, above `after`.
    fn due(self, tx: &ReadTx<'_>, now: Timestamp, after: u32, most: u32) -> Result<Vec<u32>, StoreError> {
        match self {
            Self::Silent(_) => tx.computer_retirement_due(self.before(now), after, most),
            Self::Duplicates => {
                let found = identity::duplicated(tx, now)?;
                let members = found.into_iter().flat_map(|found| found.members);
                let mut due: Vec<u32> =
                    members.filter(|member| member.retires() && member.no > after).map(|member| member.no).collect();
                due.sort_unstable();
                due.truncate(most as usize);
                Ok(due)
            }
        }
    }
}

/// What the rule of this site retires by itself.
pub(crate) fn by_rule(tx: &ReadTx<'_>) -> Result<Vec<Which>, StoreError> {
    let current = Current::read(tx)?;
    let days = u32::try_from(current.number(RETIRE_DAYS)).unwrap_or_default();
    let silent = (days > 0).then(|| Which::Silent(days.max(*DAYS.start())));
    let duplicates = (current.text(DUPLICATES) == RETIRE_OLDER).then_some(Which::Duplicates);
    Ok(silent.into_iter().chain(duplicates).collect())
}

/// The share that may go at once, in percent, and how many went lately.
fn share(tx: &ReadTx<'_>, now: Timestamp) -> Result<(u32, u64), StoreError> {
    let percent = u32::try_from(Current::read(tx)?.number(RETIRE_PERCENT)).unwrap_or_default();
    let since = now - SignedDuration::from_hours(24 * i64::from(WITHIN_DAYS));
    Ok((percent, tx.computer_retired_count(since)?))
}

fn which(silent_days: Option<u32>, duplicates: bool, otherwise: Option<u32>) -> Result<Which, AdminError> {
    match (silent_days, duplicates) {
        (Some(_), true) => {
            Err(AdminError::invalid("duplicates", "silent_days and duplicates exclude each other: ask for one of them"))
        }
        (None, true) => Ok(Which::Duplicates),
        (Some(days), false) if DAYS.contains(&days) => Ok(Which::Silent(days)),
        (Some(days), false) => Err(AdminError::Invalid {
            code: "silent_days",
            detail: format!("silent_days is {days}; it must be {} to {}", DAYS.start(), DAYS.end()),
            next_step: Some(format!("{PROPOSED_DAYS} is proposed: people are away for shorter")),
        }),
        (None, false) => otherwise.map(Which::Silent).ok_or_else(|| AdminError::Invalid {
            code: "silent_days",
            detail: format!("silent_days is missing, and {RETIRE_DAYS} is off"),
            next_step: Some(format!(
                "see first who would go: weir computers retire --silent-days {PROPOSED_DAYS} --dry-run"
            )),
        }),
    }
}

/// Who would be retired. Nothing is changed.
pub(crate) async fn preview(app: &App, query: RetirementQuery) -> Result<RetirementPreview, AdminError> {
    let alike = if query.duplicates { Some(Alike::current(app).await?) } else { None };
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let now = Timestamp::now();
        let rules = by_rule(tx)?;
        let set = rules.iter().find_map(|which| if let Which::Silent(days) = which { Some(*days) } else { None });
        let which = which(query.silent_days, query.duplicates, Some(set.unwrap_or(PROPOSED_DAYS)))?;
        let heard = live.heard(tx)?;
        let foreseen = which.foreseen(tx, &heard, alike.as_ref(), now)?;
        let (computers, due) = (foreseen.computers, foreseen.due.len() as u64);
        let (percent, recent) = share(tx, now)?;
        let most = most(computers, recent, percent);
        let mut first = Vec::new();
        for no in foreseen.due.into_iter().take(NAMED) {
            first.extend(retiring(tx, no)?);
        }
        Ok(RetirementPreview {
            silent_days: if let Which::Silent(days) = which { Some(days) } else { None },
            computers,
            due,
            percent: tally::percent(due, computers),
            recent,
            most,
            needs_confirmation: due > most,
            by_rule: rules.contains(&which),
            first,
            unchanged: 0,
            failed: 0,
            items: Vec::new(),
            as_of: Some(foreseen.as_of).filter(|at| *at < now),
        })
    })
    .await
}

/// The same of a request to retire.
pub(crate) async fn preview_run(app: &App, run: RetirementRun) -> Result<RetirementPreview, AdminError> {
    if run.ids.is_empty() {
        return preview(app, RetirementQuery { silent_days: run.silent_days, duplicates: run.duplicates }).await;
    }
    chosen::preview(app, &run).await
}

/// Retires because an administrator asks.
pub(crate) async fn create(app: &App, caller: &Caller, run: RetirementRun) -> Result<RetirementDone, AdminError> {
    if !run.ids.is_empty() {
        return chosen::create(app, caller, &run).await;
    }
    let which = app
        .try_read(move |tx| {
            let rules = by_rule(tx)?;
            let set = rules.iter().find_map(|which| if let Which::Silent(days) = which { Some(*days) } else { None });
            which(run.silent_days, run.duplicates, set)
        })
        .await?;
    match retire(app, caller, which, run.confirm).await? {
        Ran::Retired(retired) => {
            let computers = app.read(move |tx| Ok(tx.computer_retirement_counts(Timestamp::now())?.0)).await?;
            Ok(RetirementDone { retired, computers, ..RetirementDone::default() })
        }
        Ran::Asks { due, computers, most } => Err(unconfirmed(due, computers, most)),
    }
}

/// Refuses what is more than may go at once.
fn unconfirmed(due: u64, computers: u64, most: u64) -> AdminError {
    AdminError::Conflict {
        code: "confirm",
        detail: format!(
            "{due} of {computers} computers would be retired; without being confirmed {most} may go now \
             ({RETIRE_PERCENT} of all within {WITHIN_DAYS} days)"
        ),
        next_step: Some(format!("look who they are, then confirm the number: --confirm {due}")),
    }
}

/// The computer of a row number, as previews name it; none if it is gone.
fn retiring(tx: &ReadTx<'_>, no: u32) -> Result<Option<RetiringComputer>, StoreError> {
    let row = tx.computer_show(no)?;
    Ok(row.map(|row| RetiringComputer {
        id: row.id.to_string(),
        name: row.dns_name,
        last_contact: row.last_contact_at,
    }))
}

/// Retires in small transactions, as far as may be.
pub(crate) async fn retire(
    app: &App,
    caller: &Caller,
    which: Which,
    confirmed: Option<u64>,
) -> Result<Ran, AdminError> {
    let now = Timestamp::now();
    let (computers, due, (percent, recent)) = app
        .read(move |tx| {
            let (computers, due) = which.counts(tx, now)?;
            Ok((computers, due, share(tx, now)?))
        })
        .await?;
    match decide(computers, due, recent, percent, confirmed) {
        Decision::Nothing => return Ok(Ran::Retired(0)),
        Decision::Ask { most } => return Ok(Ran::Asks { due, computers, most }),
        Decision::Retire => {}
    }
    let (mut retired, mut after) = (0, 0);
    while retired < due {
        let room = u32::try_from(due - retired).unwrap_or(AT_ONCE).min(AT_ONCE);
        // duplicates are looked for once for all of their steps
        let some = match which {
            Which::Silent(_) => room,
            Which::Duplicates => u32::try_from(due - retired).unwrap_or(u32::MAX),
        };
        let nos = app.read(move |tx| which.due(tx, now, after, some)).await?;
        let Some(last) = nos.last() else { break };
        after = *last;
        for some in nos.chunks(AT_ONCE as usize) {
            let days = if let Which::Silent(days) = which { Some(days) } else { None };
            let (reason, before) = (which.reason(), which.before(now));
            retired += step(app, caller, reason, before, days, some.to_vec()).await?.len() as u64;
        }
    }
    if retired > 0 {
        tracing::info!(computers = retired, reason = which.reason().word(), "computers were retired");
        // deployments, windows and counts are those of fewer computers now
        app.publish().await?;
    }
    Ok(Ran::Retired(retired))
}

/// One transaction: retires those of these computers that did not call since `before`, and says who went. The directory in memory
/// follows it before anybody else writes.
async fn step(
    app: &App,
    caller: &Caller,
    reason: Reason,
    before: Timestamp,
    silent_days: Option<u32>,
    nos: Vec<u32>,
) -> Result<Vec<ComputerId>, AdminError> {
    let (store, live) = (app.state.store.clone(), app.state.live.clone());
    let actor = Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now());
    blocking(move || {
        let _lock = live.directory.lock();
        let done = store.try_write(&actor, |tx| {
            front::keep(tx)?;
            let version = tx.computer_directory_version()?;
            let mut gone: Vec<ComputerId> = Vec::new();
            for no in nos {
                gone.extend(tx.computer_retire(no, before, reason)?);
            }
            if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
                let (first, last) = (first.to_string(), last.to_string());
                let mut what = json!({
                    "computers": gone.len(), "silent_days": silent_days, "first": first, "last": last,
                });
                // nothing else says who they were
                if let Some(fields) = what.as_object_mut().filter(|_| reason == Reason::Chosen) {
                    fields.insert("ids".to_owned(), gone.iter().map(ToString::to_string).collect());
                }
                tx.audit("computer.retire", reason.word(), None, Some(&what))?;
            }
            Ok::<_, AdminError>((gone, version, tx.computer_directory_version()?))
        });
        let (gone, before, after) = done?;
        for id in &gone {
            live.directory.remove(id);
        }
        live.directory.advance(before, after);
        Ok(gone)
    })
    .await
}

/// Retired computers, the last one first.
pub(crate) async fn retired(app: &App, query: ListQuery) -> Result<List<RetiredComputer>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let page = tx.computer_retired_list(query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|row| RetiredComputer {
            id: row.id.to_string(),
            name: row.dns_name,
            first_seen: row.first_contact_at,
            last_contact: row.last_contact_at,
            last_report: row.last_report_at,
            reason: row.reason.word().to_owned(),
            collections: row.collections.iter().map(|id| tree.reference(*id)).collect(),
            retired: row.retired_at,
            by: row.retired_by,
        });
        Ok(List { items: items.collect(), next: page.next })
    })
    .await
}
