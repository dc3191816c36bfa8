//! One scan as a machine without I/O: [`Scan::next`] says which request to send, [`Scan::answered`] and [`Scan::failed`]
//! take what came of it. The order is that of native agents (MS-WUSP 3.1.5, 3.2.5): configuration, cookie and registration
//! as far as they are missing, StartCategoryScan for category scans, the software loop, one driver pass, extended
//! information.
//!
//! *Invariant:* every scan ends. At most [`TRIPS`] calls of the software loop, one driver pass, each revision asked for
//! once, and a bounded number of recoveries ([`crate::session::RECOVERIES`]) of a bounded number of calls each.

mod apply;
mod extended;
mod lists;
mod spec;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use weir_model::ids::{ContentDigest, UpdateId};
use weir_wire::{
    soap::ErrorCode,
    wusp::{CategoryRelationship, Operation, StartCategoryScan},
};

use crate::{
    computer::Computer,
    exchange::{Answer, Request},
    failure::{Code, Failure, Problem},
    library::Library,
    session::Session,
    state::State,
};

/// SyncUpdates calls of the software loop after which an agent gives up (0x80244010), keeping its cache.
pub const TRIPS: u32 = 200;
/// How many installed revisions are named at most: what a WSUS accepts (400 raw entries).
pub const INSTALLED_LIMIT: usize = 400;

/// Of which revisions title and files are asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Extended {
    /// Of none.
    None,
    /// Of those that are to be installed or removed here, with their members, as native agents do.
    #[default]
    Offered,
    /// Of those and of everything that is required, installed or not known, so that it can be shown by title.
    Shown,
}

/// How to scan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Options {
    /// Categories to scan for; empty: everything. Different categories are alternatives.
    pub categories: Vec<UpdateId>,
    /// What to ask titles and files of.
    pub extended: Extended,
    /// How many installed revisions are named.
    pub installed_limit: usize,
    /// Who asks, in CallerAttributes.
    pub caller: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            categories: Vec::new(),
            extended: Extended::default(),
            installed_limit: INSTALLED_LIMIT,
            caller: "AutomaticUpdates",
        }
    }
}

/// What a scan brought, beside what is in the state afterwards.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScanOutcome {
    /// SyncUpdates calls of the software loop.
    pub trips: u32,
    /// Revisions in NewUpdates.
    pub new: usize,
    /// Revisions in ChangedUpdates.
    pub changed: usize,
    /// Revisions that the server took back.
    pub out_of_scope: usize,
    /// Revisions outside the filter of this scan.
    pub deployed_out_of_scope: usize,
    /// Whether the server has drivers in scope, as it said last.
    pub driver_sync_needed: bool,
    /// Categories that the server filtered by; empty: it gave everything.
    pub filter: Vec<UpdateId>,
    /// Categories that the server does not know.
    pub unknown_categories: Vec<UpdateId>,
    /// Installed revisions that were not named because there are too many; most over all calls.
    pub unnamed: usize,
    /// Revisions of this scan that cannot be read, with the reason.
    pub unreadable: Vec<(i32, String)>,
    /// Faults that the agent recovered from.
    pub recovered: Vec<ErrorCode>,
    /// Where files are, by digest.
    pub locations: BTreeMap<ContentDigest, String>,
    /// Whether the server of before was left or replaced, so that RevisionIDs were asked for anew.
    pub refreshed: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Stage {
    Categories,
    Software,
    Drivers,
    /// RevisionIDs whose extended information is still to be asked for.
    Extended(Vec<i32>),
    Done,
}

/// One scan.
#[derive(Debug)]
pub struct Scan {
    session: Session,
    options: Arc<Options>,
    stage: Stage,
    outcome: ScanOutcome,
}

impl Scan {
    /// Begins a scan: the rules of everything that is known are evaluated.
    pub fn begin<C: Computer + ?Sized>(options: Arc<Options>, state: &mut State, computer: &C) -> Self {
        state.cache.evaluate(|update| computer.evaluate(update));
        for own in state.cache.own_mut() {
            own.hidden = false;
        }
        let stage = if options.categories.is_empty() { Stage::Software } else { Stage::Categories };
        Self { session: Session::default(), options, stage, outcome: ScanOutcome::default() }
    }

    /// Which request to send next; none when the scan is done.
    ///
    /// # Errors
    ///
    /// The scan would go on for too long.
    pub fn next<C: Computer + ?Sized>(
        &mut self,
        state: &State,
        computer: &C,
        now: Timestamp,
    ) -> Result<Option<Request>, Problem> {
        if self.stage == Stage::Done {
            return Ok(None);
        }
        let description = computer.description();
        if let Some(request) = self.session.next(state, &description, now) {
            return Ok(Some(request));
        }
        let attributes = || spec::attributes(&description, &self.options, state.server.as_deref());
        Ok(match &self.stage {
            Stage::Categories => {
                let categories = self.options.categories.iter().zip(0..);
                let requested_categories = categories
                    .map(|(id, index)| CategoryRelationship { index_of_and_group: index, category_id: *id })
                    .collect();
                Some(StartCategoryScan { requested_categories }.into())
            }
            Stage::Software => {
                if self.outcome.trips >= TRIPS {
                    let text = format!("the scan did not end within {TRIPS} calls; what came is kept");
                    return Err(Problem::new(Code::TOO_MANY_TRIPS, text));
                }
                self.outcome.trips += 1;
                let (request, unnamed) =
                    lists::software(state, &self.outcome.filter, self.options.installed_limit, attributes());
                self.outcome.unnamed = self.outcome.unnamed.max(unnamed);
                Some(request.into())
            }
            Stage::Drivers => {
                let limit = self.options.installed_limit;
                let request = lists::drivers(state, &self.outcome.filter, limit, attributes(), computer);
                Some(request.into())
            }
            Stage::Extended(queue) => {
                let size = state.config.as_ref().map_or(50, |config| usize::from(config.max_extended)).max(1);
                let chunk = queue.get(..size.min(queue.len())).unwrap_or_default();
                Some(extended::request(state, chunk, &description, attributes()).into())
            }
            Stage::Done => None,
        })
    }

    /// Takes the answer to the last request.
    ///
    /// # Errors
    ///
    /// The answer makes no sense; the scan is over.
    pub fn answered<C: Computer + ?Sized>(
        &mut self,
        state: &mut State,
        library: &Library,
        computer: &C,
        answer: Answer,
    ) -> Result<(), Problem> {
        let refreshed = matches!(answer, Answer::RefreshCache(_));
        let Some(answer) = self.session.answered(state, library, answer)? else {
            self.outcome.refreshed |= refreshed;
            return Ok(());
        };
        match (answer, &mut self.stage) {
            (Answer::StartCategoryScan(answer), Stage::Categories) => {
                self.outcome.filter = answer.preferred_category_ids;
                self.outcome.unknown_categories = answer.requested_category_ids_in_error;
                self.stage = Stage::Software;
            }
            (Answer::SyncUpdates(answer), Stage::Software) => {
                let info = answer.result.ok_or_else(|| apply::nonsense("it has no SyncUpdatesResult"))?;
                let again = info.truncated || info.new_updates.iter().any(|update| !update.is_leaf);
                apply::apply(state, library, computer, info, &mut self.outcome)?;
                if !again {
                    self.stage = Stage::Drivers;
                }
            }
            (Answer::SyncUpdates(answer), Stage::Drivers) => {
                let info = answer.result.ok_or_else(|| apply::nonsense("it has no SyncUpdatesResult"))?;
                apply::apply(state, library, computer, info, &mut self.outcome)?;
                self.stage = Stage::Extended(extended::wanted(state, self.options.extended));
                self.close_if_done();
            }
            (Answer::GetExtendedUpdateInfo(answer), Stage::Extended(queue)) => {
                let size = state.config.as_ref().map_or(50, |config| usize::from(config.max_extended)).max(1);
                let rest = queue.split_off(size.min(queue.len()));
                let asked = std::mem::replace(queue, rest);
                let info = answer.result.ok_or_else(|| {
                    Problem::new(Code::INVALID_ANSWER, "GetExtendedUpdateInfo was answered with nothing")
                })?;
                extended::apply(state, &asked, info, &computer.description().locale, &mut self.outcome);
                self.close_if_done();
            }
            (other, _) => {
                let text = format!("an answer to {} was not asked for", other.operation());
                return Err(Problem::new(Code::INVALID_ANSWER, text));
            }
        }
        Ok(())
    }

    /// Takes the failure of the last request.
    ///
    /// # Errors
    ///
    /// It is not one to recover from; the scan is over.
    pub fn failed(&mut self, state: &mut State, operation: Operation, failure: Failure) -> Result<(), Problem> {
        self.session.failed(state, operation, failure)?;
        if state.stale {
            // what was to be asked names RevisionIDs of before
            match &self.stage {
                Stage::Extended(_) | Stage::Drivers => self.stage = Stage::Software,
                Stage::Categories | Stage::Software | Stage::Done => {}
            }
        }
        Ok(())
    }

    /// What it brought so far.
    pub fn outcome(&self) -> &ScanOutcome {
        &self.outcome
    }

    /// Ends it: what the state holds too much of is given up, and what it brought is given.
    pub fn finish(mut self, state: &mut State, library: &Library) -> ScanOutcome {
        state.cache.settle(library);
        self.outcome.recovered = self.session.recovered().to_vec();
        self.outcome
    }

    fn close_if_done(&mut self) {
        if matches!(&self.stage, Stage::Extended(queue) if queue.is_empty()) {
            self.stage = Stage::Done;
        }
    }
}

#[cfg(test)]
mod tests;
