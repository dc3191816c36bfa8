//! What a round of the agent did, as JSON and as tables.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use weir_agent::{
    agent::{Round, Work},
    assess::{Assessment, Standing},
    computer::{Computer, Installed},
    deploy::Due,
    link::Traffic,
    state::{Condition, State},
};
use weir_model::ids::UpdateId;
use weir_wire::wusp::Operation;

use crate::print::{self, Page};

/// How many reasons are shown of what is not known.
const REASONS: usize = 5;

/// The whole.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    server: String,
    computer: Identity,
    scan: Scan,
    counts: Counts,
    updates: Vec<Update>,
    traffic: BTreeMap<String, Figures>,
    total: Figures,
    reported: usize,
    unreported: usize,
    /// Updates that are not known; while there are any, the server is told of no update.
    withheld_for: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart_at: Option<Timestamp>,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct Identity {
    id: String,
    name: String,
}

#[derive(Debug, Serialize)]
struct Scan {
    online: bool,
    calls: u32,
    new: usize,
    changed: usize,
    out_of_scope: usize,
    known: usize,
    installed_not_named: usize,
    unreadable: usize,
    drivers_in_scope: bool,
    refreshed: bool,
    recovered: Vec<String>,
    filter: Vec<UpdateId>,
    unknown_categories: Vec<UpdateId>,
    seconds: f64,
}

#[derive(Debug, Default, Serialize)]
struct Counts {
    installed: usize,
    required: usize,
    not_applicable: usize,
    unknown: usize,
}

#[derive(Debug, Serialize)]
struct Update {
    id: UpdateId,
    revision: u32,
    title: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    action: &'static str,
    deadline: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    download: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    install: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Figures {
    calls: u64,
    sent_bytes: u64,
    received_bytes: u64,
    decoded_bytes: u64,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Problem {
    what: &'static str,
    code: String,
    text: String,
}

/// What there is to tell of a round.
pub(super) struct Told<'a, C: ?Sized> {
    pub(super) server: String,
    pub(super) computer: &'a C,
    pub(super) state: &'a State,
    pub(super) round: &'a Round,
    pub(super) online: bool,
    pub(super) traffic: &'a BTreeMap<Operation, Traffic>,
    pub(super) time: Duration,
    /// Whether what is not applicable is listed too.
    pub(super) all: bool,
}

impl Report {
    pub(super) fn of<C: Computer + ?Sized>(told: &Told<'_, C>) -> Self {
        let (state, round) = (told.state, told.round);
        let mut traffic = BTreeMap::new();
        let mut total = Traffic::default();
        for (operation, calls) in told.traffic {
            total += *calls;
            traffic.insert(operation.to_string(), Figures::from(*calls));
        }
        let description = told.computer.description();
        let scan = &round.scan;
        let mut counts = Counts::default();
        for (standing, count) in Assessment::new(&state.cache).counts() {
            match standing {
                Standing::Installed => counts.installed = count,
                Standing::NotApplicable => counts.not_applicable = count,
                Standing::Required => counts.required = count,
                Standing::Unknown => counts.unknown = count,
            }
        }
        Self {
            server: told.server.clone(),
            computer: Identity { id: description.client_id.to_string(), name: description.dns_name.clone() },
            scan: Scan {
                online: told.online,
                calls: scan.trips,
                new: scan.new,
                changed: scan.changed,
                out_of_scope: scan.out_of_scope,
                known: state.cache.len(),
                installed_not_named: scan.unnamed,
                unreadable: scan.unreadable.len(),
                drivers_in_scope: scan.driver_sync_needed,
                refreshed: scan.refreshed,
                recovered: scan.recovered.iter().map(ToString::to_string).collect(),
                filter: scan.filter.clone(),
                unknown_categories: scan.unknown_categories.clone(),
                seconds: told.time.as_secs_f64(),
            },
            counts,
            updates: updates(told),
            traffic,
            total: total.into(),
            reported: round.reported,
            unreported: state.events.len(),
            withheld_for: state.status().unknown.len(),
            restart_at: state.restart_at,
            problems: problems(round),
        }
    }

    /// Whether something other than the scan went wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    pub(super) fn show(&self, page: &mut Page) {
        page.field("computer", format!("{} ({})", self.computer.name, self.computer.id));
        page.field("server", &self.server);
        let scan = &self.scan;
        page.field(
            "scan",
            format!(
                "{} calls, {} sent, {} received, {:.1} s",
                self.total.calls,
                print::bytes(self.total.sent_bytes),
                print::bytes(self.total.received_bytes),
                scan.seconds
            ),
        );
        page.field(
            "revisions",
            format!(
                "{} known, {} new, {} changed, {} taken back",
                scan.known, scan.new, scan.changed, scan.out_of_scope
            ),
        );
        let counts = &self.counts;
        page.field(
            "updates",
            format!(
                "{} required, {} installed, {} not applicable, {} not known",
                counts.required, counts.installed, counts.not_applicable, counts.unknown
            ),
        );
        if scan.installed_not_named > 0 {
            page.field(
                "left out",
                format!("{} installed revisions: the server takes no more", scan.installed_not_named),
            );
        }
        if !scan.recovered.is_empty() {
            page.field("recovered from", scan.recovered.join(", "));
        }
        if self.withheld_for > 0 {
            page.field(
                "status",
                format!(
                    "not told to the server, which would take the {} updates that are not known for not applicable",
                    self.withheld_for
                ),
            );
        }
        page.field("reported", format!("{} events, {} wait", self.reported, self.unreported));
        if let Some(at) = self.restart_at {
            page.field("restart", print::time(at));
        }
        page.line("");
        let rows = self.updates.iter().map(Update::row).collect();
        page.table(
            &["Title", "Update", "State", "Action", "Deadline", "Done"],
            rows,
            "Nothing that this computer has or needs is deployed to it.",
        );
        for update in self.updates.iter().filter(|update| !update.reasons.is_empty()) {
            page.line(format!("not known: {}: {}", update.name(), update.reasons.join("; ")));
        }
        for problem in &self.problems {
            page.line(format!("{} failed: {} ({})", problem.what, problem.text, problem.code));
        }
    }
}

impl Update {
    fn name(&self) -> String {
        if self.title.is_empty() { self.id.to_string() } else { self.title.clone() }
    }

    fn row(&self) -> Vec<String> {
        let done = [&self.download, &self.install].into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
        vec![
            self.title.clone(),
            format!("{}@{}", self.id, self.revision),
            self.state.replace('_', " "),
            self.action.to_owned(),
            print::time_or(self.deadline, ""),
            done,
        ]
    }
}

impl From<Traffic> for Figures {
    fn from(traffic: Traffic) -> Self {
        Self {
            calls: traffic.calls,
            sent_bytes: traffic.sent,
            received_bytes: traffic.received,
            decoded_bytes: traffic.decoded,
            seconds: traffic.time.as_secs_f64(),
        }
    }
}

fn updates<C: Computer + ?Sized>(told: &Told<'_, C>) -> Vec<Update> {
    let state = told.state;
    let assessment = Assessment::new(&state.cache);
    let mut updates = Vec::new();
    for (at, (entry, own)) in state.cache.iter().enumerate() {
        let standing = assessment.standing(at);
        if own.hidden || !entry.is_reported() || (standing == Standing::NotApplicable && !told.all) {
            continue;
        }
        let identity = entry.identity();
        let gaps = if standing == Standing::Unknown { entry.update.gaps(told.computer.facts()) } else { Vec::new() };
        let work = told.round.work.iter().find(|work| work.identity == identity);
        updates.push(Update {
            id: identity.update_id,
            revision: identity.revision.0,
            title: entry.update.details().map(|details| details.title.clone()).unwrap_or_default(),
            state: match (state.condition(identity.update_id), standing) {
                (Some(Condition::PendingRestart), _) => "pending_restart",
                (_, Standing::Installed) => "installed",
                (_, Standing::NotApplicable) => "not_applicable",
                (Some(Condition::Failed(_)), Standing::Required) => "failed",
                (Some(Condition::Downloaded), Standing::Required) => "downloaded",
                (None, Standing::Required) => "required",
                (_, Standing::Unknown) => "unknown",
            },
            reasons: gaps.iter().take(REASONS).map(ToString::to_string).collect(),
            action: entry.deployed.action.name(),
            deadline: entry.deployed.deadline,
            due: work.map(due),
            download: work.and_then(|work| work.download.as_ref()).map(|download| match download {
                Ok(bytes) => format!("{bytes} bytes downloaded"),
                Err(problem) => problem.to_string(),
            }),
            install: work.and_then(|work| work.installed).map(installed),
        });
    }
    updates.sort_by(|a, b| (a.state, &a.title, a.id).cmp(&(b.state, &b.title, b.id)));
    updates
}

fn due(work: &Work) -> String {
    match work.due {
        Due::Now => "now".to_owned(),
        Due::At(at) => at.to_string(),
        Due::Offered => "offered".to_owned(),
    }
}

fn installed(installed: Installed) -> String {
    match installed {
        Installed::Done => "installed".to_owned(),
        Installed::AfterRestart => "installed, waits for a restart".to_owned(),
        Installed::Failed(code) => format!("failed with 0x{code:08X}"),
        Installed::Cannot => "cannot install here".to_owned(),
    }
}

fn problems(round: &Round) -> Vec<Problem> {
    let problem = |what, problem: &weir_agent::failure::Problem| Problem {
        what,
        code: problem.code.to_string(),
        text: problem.text.clone(),
    };
    let mut problems = Vec::new();
    problems.extend(round.problem.as_ref().map(|found| problem("scan", found)));
    for work in &round.work {
        if let Some(Err(found)) = &work.download {
            problems.push(Problem { what: "download", code: found.code().to_string(), text: found.to_string() });
        }
    }
    problems.extend(round.report_problem.as_ref().map(|found| problem("report", found)));
    problems
}
