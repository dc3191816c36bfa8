//! What a simulation came to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{histogram::Histogram, tally::Tally};

/// The final report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The server.
    pub server: String,
    /// The scenario.
    pub profile: &'static str,
    /// The seed of the fleet.
    pub seed: u64,
    /// `full`, or by how much modelled time was faster than real time.
    pub speed: String,
    /// How it ended.
    pub ended: Ended,
    /// Computers of the fleet.
    pub computers: u64,
    /// Computers that are not on during the modelled day.
    pub absent_computers: u64,
    /// Computers that gave up.
    pub failed_computers: u64,
    /// Connections that may be open at one time.
    pub connections: usize,
    /// What came before the scenario: first scans of computers that are to have a state. None: nothing did.
    pub preparation: Option<Phase>,
    /// The scenario.
    pub measured: Phase,
    /// The second rescan, which shows whether computers and server agree. None: it was not reached.
    pub rescan: Option<Phase>,
    /// What the second rescan showed.
    pub convergence: Convergence,
    /// Memory of this process.
    pub memory: Memory,
    /// What this process can do, and what held it back.
    pub capacity: Capacity,
}

/// How a simulation ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Everything was done.
    Done,
    /// The time was over.
    Duration,
    /// Somebody stopped it.
    Interrupted,
}

/// A part of a simulation.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// From its start to its end.
    pub seconds: f64,
    /// Scans that ended well.
    pub scans: u64,
    /// Attempts that did not.
    pub failed_scans: u64,
    /// Attempts after a failed one.
    pub retries: u64,
    /// Computers that gave up.
    pub failed_computers: u64,
    /// Scans per second.
    pub scans_per_second: f64,
    /// Calls of a scan, its handshake counted, its report not.
    pub calls_per_scan: Spread,
    /// Bytes of the answers of a scan, as they came over the network.
    pub bytes_per_scan: Spread,
    /// Seconds that computers waited because all connections were in use.
    pub late_s: Spread,
    /// Revisions that were new, changed, taken back.
    pub revisions: Revisions,
    /// Calls by operation.
    pub operations: Vec<OperationFigures>,
    /// Faults by code; agents recover from most.
    pub faults: BTreeMap<String, u64>,
    /// HTTP statuses that are no answers.
    pub http_statuses: BTreeMap<u16, u64>,
    /// Calls without an answer: `refused`, `cut`, `timed_out`, `malformed`.
    pub broken_calls: BTreeMap<&'static str, u64>,
    /// Failed attempts by the code that a Windows Update Agent gives them.
    pub problems: BTreeMap<String, u64>,
    /// Some of them in words.
    pub examples: Vec<String>,
    /// Reports that the server took.
    pub reports: u64,
    /// Events in them.
    pub events: u64,
    /// Installations that succeeded.
    pub installed: u64,
    /// Installations that failed, as the model wants it.
    pub failed_installs: u64,
}

/// Revisions in the answers of all scans.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Revisions {
    /// In NewUpdates.
    pub new: u64,
    /// In ChangedUpdates.
    pub changed: u64,
    /// In OutOfScopeRevisionIDs, and known to the computer.
    pub out_of_scope: u64,
}

/// How values are spread.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: f64,
}

/// Calls of one operation.
#[derive(Clone, Debug, Serialize)]
pub struct OperationFigures {
    /// Its name.
    pub operation: &'static str,
    /// Calls, failed ones included.
    pub calls: u64,
    /// Faults, other statuses, and calls without an answer.
    pub failed: u64,
    /// Bytes of request bodies.
    pub sent_bytes: u64,
    /// Bytes of answers as they came over the network.
    pub received_bytes: u64,
    /// Bytes of answers, decoded.
    pub decoded_bytes: u64,
    /// Milliseconds from sending to the whole answer, read: median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Longest.
    pub max_ms: f64,
}

/// Whether computers and server agree.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Convergence {
    /// Computers that scanned once more.
    pub checked: u64,
    /// Those to which that scan brought nothing.
    pub converged: u64,
}

/// Memory of the simulating process.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// Resident at its highest, in bytes; 0 where the system does not tell.
    pub peak_bytes: u64,
    /// Resident at the end, divided by the computers.
    pub bytes_per_computer: u64,
    /// Different revisions that computers hold together.
    pub revisions: usize,
}

/// What the simulating process can do.
#[derive(Clone, Debug, Serialize)]
pub struct Capacity {
    /// Processor time of the measured part, in seconds.
    pub cpu_s: f64,
    /// Scans of the measured part for each second of processor time of this process.
    pub computers_per_core_second: f64,
    /// Share of the machine's processors that this process used.
    pub cpu_share: f64,
    /// Share of time that connections waited for the server.
    pub waiting_share: f64,
    /// What held it back, in words.
    pub limited_by: String,
}

fn spread(histogram: &Histogram, unit: f64) -> Spread {
    Spread {
        mean: histogram.mean() / unit,
        p50: histogram.quantile(0.5) as f64 / unit,
        p99: histogram.quantile(0.99) as f64 / unit,
        max: histogram.max() as f64 / unit,
    }
}

impl Phase {
    pub(super) fn new(tally: &Tally, seconds: f64) -> Self {
        let operations = tally.operations.iter().map(|(operation, calls)| {
            let at = |share| calls.latency.quantile(share) as f64 / 1e3;
            OperationFigures {
                operation: operation.name(),
                calls: calls.count,
                failed: calls.failed,
                sent_bytes: calls.sent,
                received_bytes: calls.received,
                decoded_bytes: calls.decoded,
                p50_ms: at(0.5),
                p95_ms: at(0.95),
                p99_ms: at(0.99),
                max_ms: calls.latency.max() as f64 / 1e3,
            }
        });
        Self {
            seconds,
            scans: tally.scans,
            failed_scans: tally.failed_scans,
            retries: tally.retries,
            failed_computers: tally.failed_computers,
            scans_per_second: tally.scans as f64 / seconds.max(1e-9),
            calls_per_scan: spread(&tally.calls_per_scan, 1.0),
            bytes_per_scan: spread(&tally.bytes_per_scan, 1.0),
            late_s: spread(&tally.late, 1e3),
            revisions: Revisions { new: tally.new, changed: tally.changed, out_of_scope: tally.out_of_scope },
            operations: operations.collect(),
            faults: tally.faults.clone(),
            http_statuses: tally.statuses.clone(),
            broken_calls: tally.broken.clone(),
            problems: tally.problems.clone(),
            examples: tally.examples.clone(),
            reports: tally.reports,
            events: tally.events,
            installed: tally.installed,
            failed_installs: tally.failed_installs,
        }
    }
}

impl Capacity {
    /// Judges a phase of `seconds` in which this process used `cpu` seconds of `cores` processors and its connections, of
    /// which `connections` may be open, waited as the tally says.
    pub(super) fn judge(tally: &Tally, seconds: f64, cpu: f64, cores: usize, connections: usize) -> Self {
        let seconds = seconds.max(1e-9);
        let cpu_share = cpu / seconds / cores.max(1) as f64;
        let waiting_share = tally.waiting.as_secs_f64() / seconds / connections.max(1) as f64;
        let late = tally.late.quantile(0.5) >= 1_000;
        let limited_by = if cpu_share >= 0.7 {
            "this process: it kept the processors busy; another machine, or a faster one, simulates more".to_owned()
        } else if late && waiting_share >= 0.5 {
            format!("the server or the network: {connections} connections waited for answers most of the time")
        } else if late {
            "the processors of this machine, which server and simulation may share".to_owned()
        } else {
            "the profile: computers came no faster".to_owned()
        };
        let computers_per_core_second = tally.scans as f64 / cpu.max(1e-9);
        Self { cpu_s: cpu, computers_per_core_second, cpu_share, waiting_share: waiting_share.min(1.0), limited_by }
    }
}
