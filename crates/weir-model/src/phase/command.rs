//! What people ask for.

use jiff::Timestamp;

use super::{
    Approval, Event, Observation, Plan, State, Status, Step,
    advance::{begin, complete, exceeds, founders},
};

/// What somebody asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Command {
    /// Start the next phase whatever its gate says.
    Advance,
    /// Say that the current phase went well.
    Approve,
    /// Hold everything.
    Pause,
    /// Go on; failures so far are accepted.
    Resume,
    /// End it for good.
    Stop,
}

/// Why something asked for is not done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("it is over: {0}")]
    Over(&'static str),
    /// It is held.
    #[error("it is {0}; resume it first")]
    Held(&'static str),
    /// It is not held.
    #[error("it is running")]
    NotHeld,
    /// It is held already.
    #[error("it is {0} already")]
    Already(&'static str),
    /// Too many failures.
    #[error("the error limit is passed: {0}")]
    Errors(String),
    /// There is no phase after this one.
    #[error("the last phase has started already")]
    Last,
    /// Nothing to approve.
    #[error("{0}")]
    Approval(&'static str),
}

/// Does what somebody asks for. `by` and `note` go into the history.
pub fn command(
    plan: &Plan,
    state: &State,
    asked: Command,
    observed: &[Observation],
    (by, note): (&str, &str),
    now: Timestamp,
) -> Result<(State, Vec<Event>), Refusal> {
    let mut next = state.clone();
    let mut events = Vec::new();
    let reason = if note.is_empty() { format!("by {by}") } else { format!("by {by}: {note}") };
    match state.status {
        Status::Completed => return Err(Refusal::Over("every phase completed")),
        Status::Stopped => return Err(Refusal::Over("it was stopped")),
        _ => {}
    }
    let held = match state.status {
        Status::Paused => Some("paused"),
        Status::Failed => Some("stopped by errors"),
        _ => None,
    };
    match (asked, held) {
        (Command::Stop, _) => {
            next.status = Status::Stopped;
            events.push(Event { step: Step::Stop, reason });
        }
        (Command::Pause, Some(how)) => return Err(Refusal::Already(how)),
        (Command::Pause, None) => {
            next.status = Status::Paused;
            events.push(Event { step: Step::Pause, reason });
        }
        (Command::Resume, None) => return Err(Refusal::NotHeld),
        (Command::Resume, Some(_)) => {
            next.status = Status::Running;
            for (at, progress) in next.phases.iter_mut().enumerate().filter(|(_, phase)| phase.started_at.is_some()) {
                progress.accepted_failures = progress.accepted_failures.max(founders(observed, at).failed);
            }
            events.push(Event { step: Step::Resume, reason });
        }
        (Command::Advance | Command::Approve, Some(how)) => return Err(Refusal::Held(how)),
        (Command::Advance, None) => {
            let started = plan.phases.iter().zip(&state.phases).enumerate();
            for (at, (phase, progress)) in started.filter(|(_, (_, progress))| progress.started_at.is_some()) {
                if let Some(reason) = exceeds(phase, progress, &founders(observed, at)) {
                    return Err(Refusal::Errors(reason));
                }
            }
            let current = state.current();
            let following = current.map_or(0, |at| at + 1);
            if following >= plan.phases.len() {
                return Err(Refusal::Last);
            }
            if let Some(current) = current {
                complete(&mut next, &mut events, current, now, reason.clone());
            }
            begin(&mut next, &mut events, following, now, reason);
        }
        (Command::Approve, None) => {
            let current = state.current().ok_or(Refusal::Approval("no phase has started"))?;
            if !plan.phases.get(current).is_some_and(|phase| phase.approval) {
                return Err(Refusal::Approval("the current phase needs no approval"));
            }
            let progress = next.phases.get_mut(current).ok_or(Refusal::Approval("no phase has started"))?;
            if progress.approval.is_some() {
                return Err(Refusal::Approval("the current phase is approved already"));
            }
            progress.approval = Some(Approval { by: by.to_owned(), at: now, note: note.to_owned() });
            events.push(Event { step: Step::Approve { phase: current }, reason });
        }
    }
    Ok((next, events))
}
