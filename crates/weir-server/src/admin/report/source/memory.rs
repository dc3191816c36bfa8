//! What a report has from memory, so that what it costs does not grow with rows of computers that it does not show: when computers were
//! heard of, what they are called, and what they said of failures.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use weir_model::{
    compliance::{Standing, deployment::Enforcement},
    ids::{CollectionId, UpdateId},
    report::Best,
    status::{Entry, State},
};
use weir_store::{StoreError, failure::FailedScan, freshness::HeardRow, report::ReportComputer};

use super::{Picked, Scope, Source, name_key};
use crate::admin::{
    enforcement::{Enforced, Zones},
    look::{Look, Stands},
    tally::Questions,
};

/// Fewer computers than these are put into the order of their names by what the database says.
const FEW: usize = 5_000;

impl Source<'_> {
    /// Of when the answer is: of the oldest that it was made from.
    pub(in super::super) fn as_of(&self) -> Timestamp {
        self.as_of.get()
    }

    /// Notes of when something is that the answer is made from.
    pub(super) fn is_of(&self, at: Timestamp) {
        self.as_of.set(self.as_of.get().min(at));
    }

    /// Hands every computer of a scope to `each`, ascending by number, with when it was heard of and its collections.
    pub(in super::super) fn each_heard(
        &self,
        scope: &Scope,
        each: &mut dyn FnMut(&HeardRow, &[CollectionId]),
    ) -> Result<(), StoreError> {
        let heard = self.live.heard(self.tx)?;
        self.is_of(heard.as_of);
        let placed = {
            let view = self.live.compliance(self.tx)?;
            heard.placed(&view, &self.members(&view, scope))
        };
        for (row, placed) in heard.matched(&placed) {
            each(row, &placed.collections);
        }
        Ok(())
    }

    /// The last scans of computers of a scope, of those that failed.
    pub(in super::super) fn failed_scans(&self, scope: &Scope) -> Result<Vec<FailedScan>, StoreError> {
        let mut scans = self.tx.failed_scans()?;
        let numbers: Vec<u32> = scans.iter().map(|scan| scan.no).collect();
        let held: HashSet<u32> = {
            let view = self.live.compliance(self.tx)?;
            let members = self.members(&view, scope);
            view.members_of(&members, &numbers).into_iter().map(|computer| computer.no).collect()
        };
        scans.retain(|scan| held.contains(&scan.no));
        Ok(scans)
    }

    /// The computers of a scope, ascending by number.
    pub(in super::super) fn numbers(&self, scope: &Scope) -> Result<Vec<u32>, StoreError> {
        let view = self.live.compliance(self.tx)?;
        Ok(view.numbers(&self.members(&view, scope)))
    }

    /// Those of computers that come first by name, as many as the report has rows, ascending by number; all of them if they are few.
    fn first(&self, numbers: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut numbers: Vec<u32> = numbers.into_iter().collect();
        numbers.sort_unstable();
        let Some(roster) = self.beside.roster.as_ref().filter(|_| numbers.len() > FEW) else { return numbers };
        self.is_of(roster.as_of());
        roster.first(&numbers, self.limit as usize)
    }

    /// The computers of these numbers by name, as many as the report has rows. Notes how many there are.
    pub(in super::super) fn named(
        &self,
        numbers: impl IntoIterator<Item = u32>,
    ) -> Result<Vec<ReportComputer>, StoreError> {
        let numbers: Vec<u32> = numbers.into_iter().collect();
        let all = numbers.len();
        let first = self.first(numbers);
        let left_out = (all - first.len()) as u64;
        let mut best = Best::new(self.limit);
        self.tx.report_computers_of(&first, false, &mut |computer, _| {
            best.offer(name_key(&computer), || computer);
            Ok(())
        })?;
        let (computers, total) = best.finish();
        self.total.set(total + left_out);
        Ok(computers)
    }

    /// Those of computers whose rows a report by name may have, and how many are left out.
    pub(in super::super) fn shown(&self, numbers: Vec<u32>) -> (HashSet<u32>, u64) {
        let all = numbers.len();
        let first = self.first(numbers);
        let left_out = (all - first.len()) as u64;
        (first.into_iter().collect(), left_out)
    }

    /// How far a deployment is on the computers of a scope.
    pub(in super::super) fn enforced(
        &self,
        enforced: &mut Enforced<'_>,
        scope: &Scope,
    ) -> Result<Vec<(Standing, Enforcement)>, StoreError> {
        enforced.members_by(self.tx, &Zones::default(), &|view| self.members(view, scope))
    }

    /// How the computers of a scope stand with each of these lists of updates, all in one look at the index.
    pub(in super::super) fn stands(
        &self,
        scope: &Scope,
        questions: &[Option<&HashSet<UpdateId>>],
    ) -> Result<Vec<Stands>, StoreError> {
        let look = Look::silent_after(self.tx, self.live, self.days()?)?;
        self.is_of(look.as_of());
        let members = self.members(look.view(), scope);
        Ok(look.sheets(questions).iter().map(|sheet| look.stands(sheet, &members)).collect())
    }

    /// Hands every update that a computer of a scope reports as failed to `each`, with what it said of it: of `only`, or of all that it
    /// is asked about, the computers ascending by number.
    pub(in super::super) fn each_failed(
        &self,
        scope: &Scope,
        only: Option<&HashSet<UpdateId>>,
        each: &mut dyn FnMut(u32, UpdateId, &Entry),
    ) -> Result<(), StoreError> {
        let mut picked = Picked::default();
        self.survey(scope, only, &mut |seen| {
            if seen.has(State::Failed) {
                picked.note(seen);
            }
        })?;
        let mut questions = Questions::new(self.live);
        for (no, entries) in self.beside.failures.entries(self.tx, &picked.numbers())? {
            let asked = questions.of(picked.groups(no));
            for entry in entries.iter().filter(|entry| entry.state == State::Failed) {
                let Ok(at) = asked.binary_search_by_key(&entry.update, |asked| asked.number) else { continue };
                let update = asked.get(at).map(|asked| asked.update);
                if let Some(update) = update.filter(|update| only.is_none_or(|only| only.contains(update))) {
                    each(no, update, entry);
                }
            }
        }
        Ok(())
    }

    /// Id, name and server of computers, by number.
    pub(in super::super) fn who_of(
        &self,
        numbers: impl IntoIterator<Item = u32>,
    ) -> Result<HashMap<u32, [weir_model::report::Cell; 3]>, StoreError> {
        let mut numbers: Vec<u32> = numbers.into_iter().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut who = HashMap::with_capacity(numbers.len());
        self.tx.report_computers_of(&numbers, false, &mut |computer, _| {
            who.insert(computer.no, self.who(&computer));
            Ok(())
        })?;
        Ok(who)
    }
}
