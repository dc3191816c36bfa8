//! How much what computers reported is worth.
//!
//! One pass over what is known of all computers at one moment, for any collection and site at once; see [`crate::live::Heard`]. Nothing
//! is written when a computer calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use weir_api::freshness::{
    ComputerFreshness, Freshness, FreshnessCounts, FreshnessQuery, FreshnessSummary, ScanCounts, ScanError, ScanState,
};
use weir_model::{
    compliance::percent,
    freshness::{self, Rule, SILENT_RANGE, Verdict, judge},
    ids::CollectionId,
    rights::Scope,
};
use weir_store::{ReadTx, StoreError, computer as stored, freshness::HeardRow};

use super::{AdminError, App, collection::Tree, rollup, servers, setting::Current, standing::hresult, tally::Who};

/// Codes of failed scans that a summary names.
const MOST_ERRORS: usize = 50;

/// The days that are asked for, or those of the site.
pub(super) fn days(tx: &ReadTx<'_>, asked: Option<u32>) -> Result<u32, AdminError> {
    match asked {
        None => Ok(Current::read(tx)?.silent_days()),
        Some(days) if SILENT_RANGE.contains(&days) => Ok(days),
        Some(days) => Err(AdminError::invalid(
            "silent_days",
            format!("silent_days is {days}; it must be {} to {}", SILENT_RANGE.start(), SILENT_RANGE.end()),
        )),
    }
}

/// Judges every computer, by row number.
pub(super) fn all(tx: &ReadTx<'_>, rule: &Rule, now: Timestamp) -> Result<HashMap<u32, Verdict>, StoreError> {
    let mut verdicts = HashMap::new();
    tx.computer_heard_each(|row| {
        verdicts.insert(row.no, judge(&row.facts, rule, now));
    })?;
    Ok(verdicts)
}

/// Judges one computer by its row.
pub(super) fn of(row: &stored::ComputerRow, rule: &Rule, now: Timestamp) -> ComputerFreshness {
    let verdict = judge(&row.facts(), rule, now);
    ComputerFreshness {
        class: class(verdict.class),
        since: verdict.since,
        scan: scan(verdict.scan),
        scan_error: verdict.error.map(hresult),
    }
}

/// Counts computers of a collection and of a site.
pub(crate) async fn summary(app: &App, scope: Scope, query: FreshnessQuery) -> Result<FreshnessSummary, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let days = days(tx, query.silent_days)?;
        let site = rollup::narrowed(tx, query.server.as_deref())?;
        let heard = live.heard(tx)?;
        let (rule, now) = (Rule::days(days), heard.as_of);
        let mut counts = freshness::Tally::default();
        let mut errors: BTreeMap<i32, u64> = BTreeMap::new();
        let mut servers: BTreeSet<u32> = BTreeSet::new();
        let mut add = |site: u32, row: &HeardRow| {
            servers.insert(site);
            let verdict = judge(&row.facts, &rule, now);
            counts.add(&verdict);
            if let Some(error) = verdict.error {
                *errors.entry(error).or_default() += 1;
            }
        };
        match query.collection.as_deref() {
            // who is where does not matter
            None if !scope.is_limited() => {
                for row in heard.rows.iter().filter(|row| site.is_none_or(|site| row.site == site)) {
                    add(row.site, row);
                }
            }
            named => {
                let tree = Tree::within(tx, &scope)?;
                let within = named.map_or(Ok(CollectionId::ALL_COMPUTERS), |name| tree.find(name).map(|row| row.id))?;
                let placed = {
                    let view = live.compliance(tx)?;
                    let members = Who::of(&tree, within, site).members(&view);
                    heard.placed(&view, &members)
                };
                for (row, placed) in heard.matched(&placed) {
                    add(placed.site, row);
                }
            }
        }
        let mut errors: Vec<(i32, u64)> = errors.into_iter().collect();
        errors.sort_by_key(|(error, count)| (std::cmp::Reverse(*count), *error));
        errors.truncate(MOST_ERRORS);
        Ok(FreshnessSummary {
            computers: counts.total(),
            silent_days: days,
            classes: classes(&counts),
            current_percent: percent(counts.of(freshness::Freshness::Current), counts.total()),
            scans: scans(&counts),
            errors: errors
                .into_iter()
                .map(|(error, computers)| ScanError { code: hresult(error), computers })
                .collect(),
            rolled_up: servers::oldest(tx, &servers)?,
            as_of: now,
        })
    })
    .await
}

fn classes(tally: &freshness::Tally) -> FreshnessCounts {
    use freshness::Freshness as Class;
    FreshnessCounts {
        silent: tally.of(Class::Silent),
        scan_failed: tally.of(Class::ScanFailed),
        never_scanned: tally.of(Class::NeverScanned),
        never_reported: tally.of(Class::NeverReported),
        not_reporting: tally.of(Class::NotReporting),
        current: tally.of(Class::Current),
    }
}

fn scans(tally: &freshness::Tally) -> ScanCounts {
    use freshness::ScanState as State;
    ScanCounts {
        unknown: tally.scans(State::Unknown),
        completed: tally.scans(State::Completed),
        completed_with_errors: tally.scans(State::CompletedWithErrors),
        failed: tally.scans(State::Failed),
    }
}

pub(super) fn class(class: freshness::Freshness) -> Freshness {
    match class {
        freshness::Freshness::Silent => Freshness::Silent,
        freshness::Freshness::ScanFailed => Freshness::ScanFailed,
        freshness::Freshness::NeverScanned => Freshness::NeverScanned,
        freshness::Freshness::NeverReported => Freshness::NeverReported,
        freshness::Freshness::NotReporting => Freshness::NotReporting,
        freshness::Freshness::Current => Freshness::Current,
    }
}

fn scan(state: freshness::ScanState) -> ScanState {
    match state {
        freshness::ScanState::Unknown => ScanState::Unknown,
        freshness::ScanState::Completed => ScanState::Completed,
        freshness::ScanState::CompletedWithErrors => ScanState::CompletedWithErrors,
        freshness::ScanState::Failed => ScanState::Failed,
    }
}
