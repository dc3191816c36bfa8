//! Retires computers that do not call any more: by rule, or when an administrator asks.
//!
//! *Invariant:* more than the site lets go at once goes only if somebody named the number. *Invariant:* a computer that called
//! after it was counted stays: each step looks again in its own transaction.

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
    identity::QUIET_DAYS,
    ids::ComputerId,
    retirement::{DAYS, Decision, PROPOSED_DAYS, Reason, WITHIN_DAYS, decide, most},
};
use weir_store::{Actor, ReadTx, StoreError};

use super::{
    AdminError, App, Caller,
    app::blocking,
    collection::Tree,
    identity, list,
    setting::{Current, DUPLICATES, RETIRE_DAYS, RETIRE_OLDER, RETIRE_PERCENT},
    tally,
};

/// Computers that one transaction retires: other writers, among them whatever computers report, wait no longer than for these.
const AT_ONCE: u32 = 100;
/// Computers that a preview names.
const NAMED: u32 = 20;

/// Which computers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Which {
    /// That did not call for so many days.
    Silent(u32),
    /// That machines left behind.
    Duplicates,
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
    app.try_read(move |tx| {
        let now = Timestamp::now();
        let rules = by_rule(tx)?;
        let set = rules.iter().find_map(|which| if let Which::Silent(days) = which { Some(*days) } else { None });
        let which = which(query.silent_days, query.duplicates, Some(set.unwrap_or(PROPOSED_DAYS)))?;
        let (computers, due) = which.counts(tx, now)?;
        let (percent, recent) = share(tx, now)?;
        let most = most(computers, recent, percent);
        let mut first = Vec::new();
        for no in which.due(tx, now, 0, NAMED)? {
            if let Some(row) = tx.computer_show(no)? {
                let (id, last_contact) = (row.id.to_string(), row.last_contact_at);
                first.push(RetiringComputer { id, name: row.dns_name, last_contact });
            }
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
        })
    })
    .await
}

/// Retires because an administrator asks.
pub(crate) async fn create(app: &App, caller: &Caller, run: RetirementRun) -> Result<RetirementDone, AdminError> {
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
            Ok(RetirementDone { retired, computers })
        }
        Ran::Asks { due, computers, most } => Err(AdminError::Conflict {
            code: "confirm",
            detail: format!(
                "{due} of {computers} computers would be retired; without being confirmed {most} may go now \
                 ({RETIRE_PERCENT} of all within {WITHIN_DAYS} days)"
            ),
            next_step: Some(format!("look who they are, then confirm the number: --confirm {due}")),
        }),
    }
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
            retired += step(app, caller, which, some.to_vec(), now).await?;
        }
    }
    if retired > 0 {
        tracing::info!(computers = retired, reason = which.reason().word(), "computers were retired");
        // deployments, windows and counts are those of fewer computers now
        app.publish().await?;
    }
    Ok(Ran::Retired(retired))
}

/// One transaction. The directory in memory follows it before anybody else writes.
async fn step(app: &App, caller: &Caller, which: Which, nos: Vec<u32>, now: Timestamp) -> Result<u64, AdminError> {
    let (store, live) = (app.state.store.clone(), app.state.live.clone());
    let actor = Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now());
    blocking(move || {
        let _lock = live.directory.lock();
        let done = store.try_write(&actor, |tx| {
            let before = tx.computer_directory_version()?;
            let mut gone: Vec<ComputerId> = Vec::new();
            for no in nos {
                gone.extend(tx.computer_retire(no, which.before(now), which.reason())?);
            }
            if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
                let days = if let Which::Silent(days) = which { Some(days) } else { None };
                let (first, last) = (first.to_string(), last.to_string());
                let what = json!({ "computers": gone.len(), "silent_days": days, "first": first, "last": last });
                tx.audit("computer.retire", which.reason().word(), None, Some(&what))?;
            }
            Ok::<_, AdminError>((gone, before, tx.computer_directory_version()?))
        });
        let (gone, before, after) = done?;
        for id in &gone {
            live.directory.remove(id);
        }
        live.directory.advance(before, after);
        Ok(gone.len() as u64)
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
