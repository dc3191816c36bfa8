//! What happened, counted: one tally per worker, put together at the end.

use std::{collections::BTreeMap, time::Duration};

use weir_wire::wusp::Operation;

use super::histogram::Histogram;
use crate::{
    failure::{Failure, Problem},
    link::Seen,
    scan::ScanOutcome,
};

/// Calls of one operation.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    pub(super) count: u64,
    pub(super) failed: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) decoded: u64,
    /// Microseconds from sending to the whole answer, read.
    pub(super) latency: Histogram,
}

/// Everything that is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) operations: BTreeMap<Operation, Calls>,
    /// Faults by their code.
    pub(super) faults: BTreeMap<String, u64>,
    /// HTTP statuses of answers that were none.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// Calls without an answer, by kind.
    pub(super) broken: BTreeMap<&'static str, u64>,
    /// Scans that ended badly, by the code that an agent gives it.
    pub(super) problems: BTreeMap<String, u64>,
    /// A few of their texts.
    pub(super) examples: Vec<String>,
    pub(super) scans: u64,
    pub(super) failed_scans: u64,
    pub(super) retries: u64,
    /// Computers that gave up.
    pub(super) failed_computers: u64,
    pub(super) calls_per_scan: Histogram,
    /// Bytes as they came over the network.
    pub(super) bytes_per_scan: Histogram,
    /// Milliseconds that computers waited because all connections were in use.
    pub(super) late: Histogram,
    pub(super) new: u64,
    pub(super) changed: u64,
    pub(super) out_of_scope: u64,
    /// Scans that brought nothing.
    pub(super) quiet: u64,
    pub(super) refreshed: u64,
    pub(super) reports: u64,
    pub(super) events: u64,
    pub(super) installed: u64,
    pub(super) failed_installs: u64,
    /// Time that all connections together waited for answers.
    pub(super) waiting: Duration,
    /// Calls and bytes of the scan under way.
    under_way: (u64, u64),
}

/// Texts of problems that are kept.
const EXAMPLES: usize = 5;

impl Tally {
    /// A call came to its end.
    pub(super) fn saw(&mut self, seen: &Seen<'_>) {
        let calls = self.operations.entry(seen.operation).or_default();
        calls.count += 1;
        calls.sent += seen.traffic.sent;
        calls.received += seen.traffic.received;
        calls.decoded += seen.traffic.decoded;
        calls.latency.add(u64::try_from(seen.traffic.time.as_micros()).unwrap_or(u64::MAX));
        self.waiting += seen.traffic.time;
        self.under_way.0 += 1;
        self.under_way.1 += seen.traffic.received;
        let Some(failure) = seen.failure else { return };
        calls.failed += 1;
        match failure {
            Failure::Fault(_, fault) => {
                let code = fault.error_code.clone().unwrap_or_else(|| "no code".to_owned());
                *self.faults.entry(code.chars().take(60).collect()).or_default() += 1;
            }
            Failure::Status { status, .. } => *self.statuses.entry(*status).or_default() += 1,
            Failure::Connect { .. } => *self.broken.entry("refused").or_default() += 1,
            Failure::Cut(_) => *self.broken.entry("cut").or_default() += 1,
            Failure::Malformed { .. } => *self.broken.entry("malformed").or_default() += 1,
            Failure::Timeout(_) => *self.broken.entry("timed_out").or_default() += 1,
        }
    }

    /// A scan begins.
    pub(super) fn begin(&mut self, late: Duration) {
        self.under_way = (0, 0);
        self.late.add(u64::try_from(late.as_millis()).unwrap_or(u64::MAX));
    }

    /// A scan ended.
    pub(super) fn scanned(&mut self, outcome: &ScanOutcome, result: &Result<(), Problem>) {
        self.new += outcome.new as u64;
        self.changed += outcome.changed as u64;
        self.out_of_scope += outcome.out_of_scope as u64;
        self.refreshed += u64::from(outcome.refreshed);
        match result {
            Ok(()) => {
                self.scans += 1;
                self.calls_per_scan.add(self.under_way.0);
                self.bytes_per_scan.add(self.under_way.1);
                self.quiet += u64::from(is_quiet(outcome));
            }
            Err(problem) => self.failed(problem),
        }
    }

    /// A scan or a report ended badly.
    pub(super) fn failed(&mut self, problem: &Problem) {
        self.failed_scans += 1;
        *self.problems.entry(problem.code.to_string()).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(problem.to_string());
        }
    }

    /// Takes in what another counted.
    pub(super) fn merge(&mut self, other: &Self) {
        for (operation, more) in &other.operations {
            let calls = self.operations.entry(*operation).or_default();
            calls.count += more.count;
            calls.failed += more.failed;
            calls.sent += more.sent;
            calls.received += more.received;
            calls.decoded += more.decoded;
            calls.latency.merge(&more.latency);
        }
        add(&mut self.faults, &other.faults);
        add(&mut self.statuses, &other.statuses);
        add(&mut self.broken, &other.broken);
        add(&mut self.problems, &other.problems);
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.iter().take(room).cloned());
        self.scans += other.scans;
        self.failed_scans += other.failed_scans;
        self.retries += other.retries;
        self.failed_computers += other.failed_computers;
        self.calls_per_scan.merge(&other.calls_per_scan);
        self.bytes_per_scan.merge(&other.bytes_per_scan);
        self.late.merge(&other.late);
        self.new += other.new;
        self.changed += other.changed;
        self.out_of_scope += other.out_of_scope;
        self.quiet += other.quiet;
        self.refreshed += other.refreshed;
        self.reports += other.reports;
        self.events += other.events;
        self.installed += other.installed;
        self.failed_installs += other.failed_installs;
        self.waiting += other.waiting;
    }
}

/// Whether a scan brought nothing that the computer did not have.
pub(super) fn is_quiet(outcome: &ScanOutcome) -> bool {
    outcome.new == 0 && outcome.changed == 0 && outcome.out_of_scope == 0
}

fn add<K: Clone + Ord>(own: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        *own.entry(key.clone()).or_default() += count;
    }
}
