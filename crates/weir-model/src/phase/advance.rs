//! What happens next by itself.

use jiff::{SignedDuration, Timestamp};

use super::{Amount, Counts, Event, Observation, Phase, Plan, Progress, Start, State, Status, Step};
use crate::skew::is_ahead;

/// Whether the next phase may start after this one, and if not, why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Gate {
    /// It may.
    Open {
        /// Why.
        reason: String,
    },
    /// Not yet.
    Closed {
        /// What is missing, in words.
        reason: String,
        /// When that may change by itself, if only time is missing.
        at: Option<Timestamp>,
    },
}

/// Looks at what computers reported and moves on. `observed` has one of each phase; what it says of phases that have not
/// started does not matter. Nothing happens while it is paused, failed or over. What a clock noted that has been set back since
/// counts from now on: a phase soaks again rather than too short a time, and does not wait for that clock.
pub fn advance(plan: &Plan, state: &State, observed: &[Observation], now: Timestamp) -> (State, Vec<Event>) {
    let mut next = state.clone();
    let mut events = Vec::new();
    if state.status != Status::Running || next.phases.len() != plan.phases.len() {
        return (next, events);
    }
    for progress in &mut next.phases {
        for at in [&mut progress.started_at, &mut progress.reached_at].into_iter().flatten() {
            if is_ahead(*at, now) {
                *at = now;
            }
        }
    }
    // failures first: they win over whatever else this moment brings
    for (at, (phase, progress)) in plan.phases.iter().zip(&next.phases).enumerate() {
        if progress.started_at.is_none() {
            continue;
        }
        let founders = founders(observed, at);
        if let Some(reason) = exceeds(phase, progress, &founders) {
            next.status = Status::Failed;
            events.push(Event { step: Step::ErrorStop { phase: at }, reason: format!("{}: {reason}", phase.name) });
            return (next, events);
        }
    }
    let Some(current) = next.current() else {
        begin(&mut next, &mut events, 0, now, "it is the first".to_owned());
        return (next, events);
    };
    let (Some(phase), Some(progress)) = (plan.phases.get(current), next.phases.get_mut(current)) else {
        return (next, events);
    };
    let founders = founders(observed, current);
    match (succeeded(phase, &founders), progress.reached_at) {
        (Ok(reason), None) => {
            progress.reached_at = Some(now);
            events.push(Event { step: Step::Reached { phase: current }, reason });
        }
        (Err(reason), Some(_)) if progress.completed_at.is_none() => {
            progress.reached_at = None;
            events.push(Event { step: Step::Lost { phase: current }, reason });
        }
        _ => {}
    }
    let Gate::Open { reason } = gate(plan, &next, current, &founders, now) else { return (next, events) };
    match plan.phases.get(current + 1) {
        None => {
            complete(&mut next, &mut events, current, now, reason);
            next.status = Status::Completed;
            events.push(Event { step: Step::Finish, reason: "every phase completed".to_owned() });
        }
        Some(following) if matches!(following.start, Start::Automatic { .. }) => {
            complete(&mut next, &mut events, current, now, reason.clone());
            begin(&mut next, &mut events, current + 1, now, reason);
        }
        Some(_) => {}
    }
    (next, events)
}

/// Whether what comes after a phase that has started may begin: the next phase, or the end. A phase that starts by hand
/// waits for nothing but the hand once this is open.
pub fn gate(plan: &Plan, state: &State, at: usize, founders: &Counts, now: Timestamp) -> Gate {
    let closed = |reason: String, at| Gate::Closed { reason, at };
    let (Some(phase), Some(progress)) = (plan.phases.get(at), state.phases.get(at)) else {
        return closed("there is no such phase".to_owned(), None);
    };
    let Some(started_at) = progress.started_at else { return closed("it has not started".to_owned(), None) };
    if let Some(reason) = exceeds(phase, progress, founders) {
        return closed(reason, None);
    }
    let reason = match succeeded(phase, founders) {
        Ok(reason) => reason,
        Err(reason) => return closed(reason, None),
    };
    let soaked_at = later(started_at, SignedDuration::from_hours(i64::from(phase.soak_hours)));
    if soaked_at > now {
        return closed(
            format!("{reason}, and it soaks for {} hours until {soaked_at}", phase.soak_hours),
            Some(soaked_at),
        );
    }
    if let Some(Phase { start: Start::Automatic { after_days }, .. }) = plan.phases.get(at + 1) {
        let days = SignedDuration::from_hours(24 * i64::from(*after_days));
        let from = progress.reached_at.map(|reached_at| later(reached_at, days));
        match from {
            Some(from) if from <= now => {}
            from => {
                let text = from.map_or_else(String::new, |from| format!(" until {from}"));
                return closed(format!("{reason}, and the next phase waits {after_days} days after that{text}"), from);
            }
        }
    }
    match &progress.approval {
        None if phase.approval => closed(format!("{reason}, and nobody approved it yet"), None),
        Some(approval) if phase.approval => Gate::Open { reason: format!("{reason}, approved by {}", approval.by) },
        _ => Gate::Open { reason },
    }
}

pub(super) fn begin(state: &mut State, events: &mut Vec<Event>, at: usize, now: Timestamp, reason: String) {
    if let Some(progress) = state.phases.get_mut(at) {
        progress.started_at = Some(now);
        events.push(Event { step: Step::Start { phase: at }, reason });
    }
}

pub(super) fn complete(state: &mut State, events: &mut Vec<Event>, at: usize, now: Timestamp, reason: String) {
    if let Some(progress) = state.phases.get_mut(at).filter(|progress| progress.completed_at.is_none()) {
        progress.completed_at = Some(now);
        events.push(Event { step: Step::Complete { phase: at }, reason });
    }
}

pub(super) fn founders(observed: &[Observation], at: usize) -> Counts {
    observed.get(at).map(|observation| observation.founders).unwrap_or_default()
}

/// Whether a phase has its success, and in what words. A phase of nobody has none: that an empty pilot went well says
/// nothing, and most often it is a mistake.
fn succeeded(phase: &Phase, founders: &Counts) -> Result<String, String> {
    let whole = founders.whole(phase.count_unknown);
    let (done, targeted) = (founders.succeeded, founders.targeted);
    if targeted == 0 {
        return Err("none of the computers that it started with is left in its collection".to_owned());
    }
    if whole == 0 {
        return Err(format!("nothing is known of any of {targeted} computers"));
    }
    let (enough, wanted) = match phase.success {
        Amount::Percent(percent) => (reaches(done, whole, percent), format!("{percent} %")),
        // a collection that is smaller than what is asked for is done when all of it is
        Amount::Count(count) => (done >= count.min(targeted), format!("{}", count.min(targeted))),
    };
    let text = format!("{done} of {whole} computers succeeded, {wanted} wanted");
    if enough { Ok(text) } else { Err(text) }
}

fn reaches(part: u32, whole: u32, percent: u8) -> bool {
    u64::from(part) * 100 >= u64::from(whole) * u64::from(percent)
}

/// Why the failures are too many, if they are.
pub(super) fn exceeds(phase: &Phase, progress: &Progress, founders: &Counts) -> Option<String> {
    let (failed, targeted) = (founders.failed, founders.targeted);
    if failed <= progress.accepted_failures {
        return None;
    }
    let (passed, limit) = match phase.error_limit? {
        Amount::Percent(percent) => {
            (u64::from(failed) * 100 > u64::from(targeted) * u64::from(percent), format!("{percent} %"))
        }
        Amount::Count(count) => (failed > count, count.to_string()),
    };
    passed.then(|| format!("{failed} of {targeted} computers failed, more than {limit}"))
}

fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}
