//! What the time of day makes of deployments: local times and maintenance windows, on the wire.
//!
//! A [`Scope`] does not depend on the time. What does, the action and the deadline of *timed* deployments, is an
//! [`Agenda`] beside it: one per scope and [`Calendar`] (windows and zone), valid until the first of its answers changes,
//! then made anew from the same scope. Making one is a walk over the deployments of the scope, not over its revisions,
//! and nothing is published for it.
//!
//! *Changes.* A computer that comes again must hear of every answer that is another one now. Each answer says since when it
//! holds ([`crate::window::Resolved::since`]), which follows from the windows and the instant alone: no server has to
//! remember what it said before. The computer's cookie carries the instant of its last scan and the mark of the calendar
//! that was resolved then: answers that began later are changed updates. With another mark (a window or a zone was
//! changed) the deployments of the scope are all announced again, and nothing else is.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{Scope, Snapshot, deployed::Placed};
use crate::{
    ids::{DeploymentId, UpdateId},
    window::{Ask, Calendar, Reason, Resolved},
};

/// What the timed deployments of a scope are, to computers with one calendar, for a while. Used only with the scope it was
/// made from.
#[derive(Clone, Debug)]
pub struct Agenda {
    /// By revision, with the place of the answer: deployments of a month share theirs.
    answers: Vec<(u32, u32)>,
    distinct: Vec<Resolved>,
    /// Deployments that no window can ever hold.
    never: Vec<(DeploymentId, UpdateId, u32)>,
    /// When the last of the answers began: all of them have held since then.
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    mark: u64,
}

impl Agenda {
    /// Whether it says what holds at that instant.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// The mark of its calendar ([`Calendar::mark`]).
    pub fn mark(&self) -> u64 {
        self.mark
    }

    /// When it ends to hold, if it does.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The required deployments that no window can ever hold: deployment, update, maximum run time in minutes.
    pub fn never(&self) -> &[(DeploymentId, UpdateId, u32)] {
        &self.never
    }

    pub(super) fn answer(&self, revision: u32) -> Option<&Resolved> {
        let found = self.answers.binary_search_by_key(&revision, |(revision, _)| *revision).ok()?;
        self.distinct.get(self.answers.get(found)?.1 as usize)
    }

    /// The revisions whose answers began after an instant.
    fn since(&self, at: Timestamp) -> Vec<u32> {
        if self.from.is_none_or(|from| from <= at) {
            return Vec::new();
        }
        let later = |place: u32| self.distinct.get(place as usize).and_then(|it| it.since).is_some_and(|it| it > at);
        self.answers.iter().filter(|(_, place)| later(*place)).map(|(revision, _)| *revision).collect()
    }
}

/// What a computer was told of timed deployments before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Known {
    /// All that there is: there were no timed deployments, and there are none.
    #[default]
    Everything,
    /// What held at this instant, with the same calendar.
    At(Timestamp),
    /// Nothing that helps: the calendar was another one.
    Nothing,
}

/// The part of a request that depends on the time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timed<'a> {
    /// What holds now; none if the scope has no timed deployments.
    pub agenda: Option<&'a Agenda>,
    /// What the computer knows.
    pub known: Known,
}

impl Timed<'_> {
    /// The revisions whose deployments are others than the computer knows because of the time.
    pub(super) fn changes(&self, scope: &Scope) -> Vec<u32> {
        match (self.known, self.agenda) {
            (Known::Nothing, _) => scope.deployed().collect(),
            (Known::At(at), Some(agenda)) => agenda.since(at),
            (Known::At(_), None) | (Known::Everything, _) => Vec::new(),
        }
    }

    /// Whether [`Timed::changes`] has this revision.
    pub(super) fn is_changed(&self, scope: &Scope, revision: u32) -> bool {
        match (self.known, self.agenda) {
            (Known::Nothing, _) => scope.is_deployed(revision),
            (Known::At(at), Some(agenda)) => {
                agenda.answer(revision).and_then(|answer| answer.since).is_some_and(|since| since > at)
            }
            (Known::At(_), None) | (Known::Everything, _) => false,
        }
    }
}

impl Snapshot {
    /// Whether the time of day matters to a deployment of the scope; `open`: no maintenance window counts for the computers.
    /// Without any, computers are told what [`Scope`] says and no [`Agenda`] is needed.
    pub fn is_timed(&self, scope: &Scope, open: bool) -> bool {
        scope.placed(self).any(|(_, placed)| placed.deployment.active && ask(placed).is_timed(open))
    }

    /// What the deployments of a scope are at `now` to computers with this calendar.
    pub fn agenda(&self, scope: &Scope, calendar: &Calendar, now: Timestamp) -> Agenda {
        let open = calendar.is_open();
        // most deployments of a month share all that matters
        let mut places: HashMap<Ask, u32> = HashMap::new();
        let mut agenda = Agenda {
            answers: Vec::new(),
            distinct: Vec::new(),
            never: Vec::new(),
            from: None,
            until: None,
            mark: calendar.mark(),
        };
        for (revision, placed) in scope.placed(self) {
            let ask = ask(placed);
            if !placed.deployment.active || !ask.is_timed(open) {
                continue;
            }
            let place = *places.entry(ask).or_insert_with(|| {
                let answer = calendar.resolve(&ask, now);
                agenda.from = agenda.from.max(answer.since);
                agenda.until = agenda.until.into_iter().chain(answer.next_change).min();
                agenda.distinct.push(answer);
                agenda.distinct.len() as u32 - 1
            });
            agenda.answers.push((revision, place));
            if agenda.distinct.get(place as usize).is_some_and(|answer| answer.reason == Reason::Never) {
                let deployment = &placed.deployment;
                agenda.never.push((deployment.id, deployment.update_id, deployment.run_minutes));
            }
        }
        agenda
    }
}

fn ask(placed: &Placed) -> Ask {
    let deployment = &placed.deployment;
    Ask {
        timing: deployment.timing,
        action: deployment.action,
        available: deployment.available,
        deadline: deployment.deadline,
        run_time: SignedDuration::from_mins(deployment.run_minutes.into()),
    }
}
