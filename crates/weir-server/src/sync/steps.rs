//! What one run does, in order. What goes wrong after the catalogue is complete makes a warning, not a failure.

use jiff::Timestamp;
use weir_model::ids::{RevisionNumber, UpdateIdentity};

use super::{
    criteria,
    engine::{self, Order, Outcome, SyncError, Wanted},
    peer::{Peer, Upstream},
    progress::{Phase, Progress},
};
use crate::{
    admin::{App, Caller, chain},
    rollup, sites,
};

/// What a run brought.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) outcome: Outcome,
    pub(super) warnings: Vec<String>,
    pub(super) next_step: Option<String>,
}

/// What to do when nothing is chosen.
pub(crate) const CHOOSE: &str = "choose products and classifications, then synchronize again: weir products list, \
                                 weir products set --id ID..., weir classifications set --id ID..., weir sync now";

/// Names as they are kept in the row of a run.
pub(super) fn names(texts: &[String]) -> Vec<Wanted> {
    let read = |text: &String| {
        let (id, revision) = text.split_once('@').map_or((text.as_str(), None), |(id, rest)| (id, Some(rest)));
        let revision = match revision {
            Some(revision) => Some(RevisionNumber(revision.parse().ok()?)),
            None => None,
        };
        Some((id.parse().ok()?, revision))
    };
    texts.iter().filter_map(read).collect()
}

pub(super) async fn run(
    app: &App,
    caller: &Caller,
    full: bool,
    named: Vec<Wanted>,
    progress: &Progress,
) -> Result<Report, SyncError> {
    let started = Timestamp::now();
    sites::begin(app);
    let mut order = Order::load(app).await?;
    order.full = full;
    let is_named = !named.is_empty();
    order.named = named;
    let outcome = if order.upstream.is_some() {
        engine::synchronize(app, caller, &order, progress).await?
    } else {
        // fed by packages: what was imported goes on to the sites below
        Outcome::default()
    };
    let is_replica = order.upstream.as_ref().is_some_and(|upstream| upstream.replica);
    let mut report = Report { outcome, ..Report::default() };
    if !is_replica {
        if !is_named && (order.products.is_empty() || order.classifications.is_empty()) {
            report.next_step = Some(CHOOSE.to_owned());
        }
        progress.begin(Phase::Criteria, 0);
        match criteria::apply(app, caller, None).await {
            Ok(applied) => report.outcome.declined += applied.declined(),
            Err(error) => report.warn("criteria could not be applied to the catalogue", &error),
        }
    }
    progress.begin(Phase::Publish, 0);
    if let Err(error) = app.publish().await {
        report.warn("the catalogue is stored and reaches computers later", &error);
    }
    if let Some(upstream) = order.upstream.as_ref().filter(|upstream| rollup::is_wanted(upstream)) {
        progress.begin(Phase::RollUp, 0);
        report_up(app, upstream, started, progress, &mut report).await;
    }
    // the content job looks for what the new revisions need
    app.shared().wanted.notify_one();
    // what came may supersede what is here, or may be withdrawn
    app.shared().cleanup.notify_one();
    if is_named {
        report.warnings.extend(report.outcome.notes.iter().cloned());
    }
    report.warnings.extend(report.outcome.problems.iter().map(|named| format!("{}: {}", named.revision, named.reason)));
    report.warnings.extend(waiting(report.outcome.held, &report.outcome.waiting));
    progress.begin(Phase::Announce, 0);
    if let Err(error) = sites::announce(app).await {
        report.warn("the sites below could not be told", &error);
    }
    let unnamed = report.outcome.dropped.saturating_sub(report.outcome.problems.len() as u64);
    if unnamed > 0 {
        report.warnings.push(format!("{unnamed} more revisions could not be taken"));
    }
    Ok(report)
}

/// Says that deployments of the parent wait, and for what.
fn waiting(held: u64, revisions: &[UpdateIdentity]) -> Option<String> {
    const NAMED: usize = 5;
    if held == 0 {
        return None;
    }
    let who = if held == 1 { "1 deployment waits".to_owned() } else { format!("{held} deployments wait") };
    if revisions.is_empty() {
        return Some(format!(
            "{who} for a target group that the parent does not list; see its groups there, and whether the deployment is \
             still wanted"
        ));
    }
    let mut named: Vec<String> = revisions.iter().take(NAMED).map(ToString::to_string).collect();
    if revisions.len() > NAMED {
        named.push(format!("{} more", revisions.len() - NAMED));
    }
    Some(format!(
        "{who} for revisions that the parent deploys and does not send: {}; see whether they are still stored there, or \
         deploy another revision there. The next run asks again",
        named.join(", ")
    ))
}

/// Tells the server above about computers and status.
async fn report_up(app: &App, upstream: &Upstream, started: Timestamp, progress: &Progress, report: &mut Report) {
    const WHAT: &str = "the server above was not told about computers";
    match Peer::connect(app, upstream, progress).await {
        Ok(peer) => {
            if let Err(error) = rollup::send(app, &peer, started).await {
                report.warn(WHAT, &error);
            }
        }
        Err(error) => report.warn(WHAT, &error),
    }
}

impl Report {
    fn warn(&mut self, what: &str, error: &dyn std::error::Error) {
        tracing::warn!(error = chain(error), what, "a synchronization goes on although a step of it failed");
        self.warnings.push(format!("{what}: {}", chain(error)));
    }
}
