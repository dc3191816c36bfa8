//! From phased deployments to what administrators read.

use jiff::Timestamp;
use weir_api::phased::{Phase as Shown, PhaseCounts, PhaseSpec, PhaseStatus, Phased, PhasedStatus};
use weir_model::phase::{Amount, Counts, Deadline, Gate, Phase, Progress, Start, Status, gate};
use weir_store::{ReadTx, StoreError, phased::PhasedRow};

use crate::admin::{
    collection::Tree,
    deployment::{api_action, settings_shown},
    rule::run::group_reference,
};

/// A phased deployment as answers give it.
pub(super) fn phased(tx: &ReadTx<'_>, tree: &Tree, row: PhasedRow) -> Result<Phased, StoreError> {
    let stored = tx.phased_state(row.id)?;
    let starts = tx.phased_starts(row.id)?;
    let now = Timestamp::now();
    let mut phases = Vec::with_capacity(row.plan.phases.len());
    for (at, phase) in row.plan.phases.iter().enumerate() {
        let progress = stored.as_ref().and_then(|stored| stored.state.phases.get(at)).cloned().unwrap_or_default();
        let observed = stored.as_ref().and_then(|stored| stored.observed.get(at)).copied().unwrap_or_default();
        let status = status(&progress);
        let open = stored.as_ref().filter(|stored| status == PhaseStatus::Active && !stored.state.is_over());
        let gate = open.map(|stored| match gate(&row.plan, &stored.state, at, &observed.founders, now) {
            Gate::Open { reason } if row.plan.phases.get(at + 1).is_some_and(|next| next.start == Start::Manual) => {
                format!("{reason}; the next phase starts by hand: weir phased advance {:?}", row.plan.name)
            }
            Gate::Open { reason } | Gate::Closed { reason, .. } => reason,
        });
        phases.push(Shown {
            number: at as u32 + 1,
            spec: spec(tree, phase),
            status,
            started_at: progress.started_at,
            reached_at: progress.reached_at,
            completed_at: progress.completed_at,
            approved_by: progress.approval.map(|approval| approval.by),
            deployment: starts.iter().find(|start| start.phase as usize == at).map(|start| start.deployment.0),
            computers: counts(observed.founders),
            late: counts(observed.late),
            gate,
        });
    }
    let mut warnings = Vec::new();
    if row.plan.phases.iter().any(|phase| phase.spread_days > 0) {
        warnings.push(
            "gradual availability (spread_days) is kept and not applied yet: a phase becomes available to all its \
             computers at once"
                .to_owned(),
        );
    }
    Ok(Phased {
        id: row.id,
        group: group_reference(tx, row.group)?,
        status: match stored.as_ref().map(|stored| stored.state.status) {
            None => PhasedStatus::Above,
            Some(Status::Running) => PhasedStatus::Running,
            Some(Status::Paused) => PhasedStatus::Paused,
            Some(Status::Failed) => PhasedStatus::Failed,
            Some(Status::Stopped) => PhasedStatus::Stopped,
            Some(Status::Completed) => PhasedStatus::Completed,
        },
        name: row.plan.name,
        description: row.plan.description,
        phases,
        observed_at: stored.and_then(|stored| stored.observed_at),
        warnings,
        created_at: row.created_at,
        created_by: row.created_by,
    })
}

fn status(progress: &Progress) -> PhaseStatus {
    match (progress.started_at, progress.completed_at) {
        (None, _) => PhaseStatus::Waiting,
        (Some(_), None) => PhaseStatus::Active,
        (Some(_), Some(_)) => PhaseStatus::Completed,
    }
}

fn counts(counts: Counts) -> PhaseCounts {
    let Counts { targeted, succeeded, failed, unknown } = counts;
    PhaseCounts { targeted, succeeded, failed, unknown }
}

fn spec(tree: &Tree, phase: &Phase) -> PhaseSpec {
    let split = |amount: Option<Amount>| match amount {
        Some(Amount::Percent(percent)) => (Some(percent), None),
        Some(Amount::Count(count)) => (None, Some(count)),
        None => (None, None),
    };
    let ((success_percent, success_count), (max_failed_percent, max_failed_count)) =
        (split(Some(phase.success)), split(phase.error_limit));
    PhaseSpec {
        name: Some(phase.name.clone()),
        collection: tree.name(phase.collection),
        action: Some(api_action(phase.action)),
        manual: phase.start == Start::Manual,
        after_days: match phase.start {
            Start::Automatic { after_days } => Some(after_days),
            Start::Manual => None,
        },
        success_percent,
        success_count,
        ignore_unknown: !phase.count_unknown,
        max_failed_percent,
        max_failed_count,
        soak_hours: phase.soak_hours,
        approval: phase.approval,
        spread_days: phase.spread_days,
        deadline_days: match (api_action(phase.action), phase.deadline) {
            (weir_api::deployment::Action::Optional, _) => None,
            (_, Deadline::AsSoonAsPossible) => Some(0),
            (_, Deadline::Days(days)) => Some(days),
        },
        template: None,
        settings: settings_shown(&phase.terms),
    }
}
