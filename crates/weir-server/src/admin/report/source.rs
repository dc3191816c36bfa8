//! Where reports have their data from. All that they know of compliance comes from the index: [`Source::counts`] adds up,
//! [`Source::survey`] looks at one computer after the other and so picks those that a report is about. Rows of the database are read of
//! these alone, by their keys, and what they reported only where times and errors are shown. What is in memory is a line for each
//! computer and a line for each update, never one for each pair.

mod memory;
mod picked;

use std::{
    cell::{Cell as Flag, RefCell},
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use weir_model::{
    compliance::{Members, Seen, Tally},
    freshness::{Freshness, Rule, UnknownReason, judge},
    ids::{CollectionId, UpdateId},
    report::{Arguments, Best, Cell, Row},
    rights,
    status::{ComputerStatus, Counts, Entry, State},
};
use weir_store::{
    ReadTx, StoreError,
    computer::THIS_SERVER,
    deployment::{DeploymentFilter, DeploymentRow, Rows},
    report::ReportComputer,
};

use self::picked::Picked;
use super::super::{
    AdminError,
    collection::Tree,
    computer_roster::Roster,
    enforcement, failure, group,
    index::Index,
    list, rollup,
    servers::{self, Servers},
    setting::Current,
    tally::{self, Asked, Questions},
};
use crate::live::{Live, View};

/// How a report knows this server among those below it.
pub(super) const THIS: &str = "this";

/// Which computers are meant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scope {
    /// In these collections, all of them, or in one below each.
    pub(super) collections: [Option<CollectionId>; 2],
    /// Of this server.
    pub(super) site: Option<u32>,
}

/// One computer with what it reported.
pub(super) struct Member<'m> {
    /// Who it is, and when it was here.
    pub(super) computer: &'m ReportComputer,
    /// Its collections; one without any is in Unassigned Computers.
    pub(super) groups: &'m [CollectionId],
    /// What it reported.
    pub(super) status: &'m ComputerStatus,
    /// What it is asked about, of what the report is about.
    pub(super) asked: &'m Arc<[Asked]>,
}

impl Member<'_> {
    /// The state of each update that it is asked about, and what it said of it. Both lists ascend by number.
    pub(super) fn states(&self) -> impl Iterator<Item = (&Asked, State, Option<&Entry>)> {
        let mut entries = self.status.entries().iter().peekable();
        let (reported, anchor) = (self.status.reported.is_some(), self.status.anchor);
        self.asked.iter().map(move |asked| {
            while entries.next_if(|entry| entry.update < asked.number).is_some() {}
            match entries.peek().filter(|entry| entry.update == asked.number) {
                Some(entry) => (asked, entry.state, Some(*entry)),
                None if reported && asked.entered <= anchor => (asked, State::NotApplicable, None),
                None => (asked, State::Unknown, None),
            }
        })
    }
}

impl Member<'_> {
    /// Its states, counted.
    pub(super) fn counts(&self) -> Counts {
        self.states().map(|(_, state, _)| state).collect()
    }

    /// Its collections, and the zone of its own.
    pub(super) fn place(&self) -> (&[CollectionId], Option<&str>) {
        (self.groups, self.computer.time_zone.as_deref())
    }
}

/// The state of a computer of the one update that it was looked at for; unknown if it is not asked about it.
pub(super) fn one_state(seen: &Seen<'_>) -> State {
    State::ALL.into_iter().find(|state| seen.has(*state)).unwrap_or(State::Unknown)
}

/// How computers stand.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// All of them.
    pub(super) tally: Tally,
    /// Those that are asked about an update, by update.
    pub(super) updates: HashMap<UpdateId, Counts>,
    /// Of the compliant ones, those whose reports are current.
    pub(super) compliant_current: u64,
}

impl Counted {
    /// All computers by their state of an update; those that are not asked about it are unknown.
    pub(super) fn of(&self, update: UpdateId) -> Counts {
        self.tally.over_all(&self.updates.get(&update).copied().unwrap_or_default())
    }

    /// Compliant ones of all; there is no share of an update that nobody is asked about.
    pub(super) fn percent(&self, update: UpdateId) -> Cell {
        let asked = self.updates.get(&update);
        asked.and_then(|asked| self.tally.percent_of(asked)).map_or(Cell::Absent, Cell::Percent)
    }
}

/// A deployment that people made, with what follows from it for each update.
pub(super) struct Deployment {
    pub(super) row: DeploymentRow,
    pub(super) parts: Vec<(UpdateId, DeploymentRow)>,
}

impl Deployment {
    pub(super) fn updates(&self) -> HashSet<UpdateId> {
        self.parts.iter().map(|(update, _)| *update).collect()
    }
}

/// Everything that a report is made from, in one transaction.
pub(super) struct Source<'s> {
    pub(super) tx: &'s ReadTx<'s>,
    pub(super) live: &'s Live,
    pub(super) index: &'s Index,
    pub(super) tree: Tree,
    pub(super) asked: &'s Arguments,
    pub(super) limit: u32,
    pub(super) now: Timestamp,
    /// Servers by number: id and name.
    pub(super) servers: HashMap<u32, (String, String)>,
    /// Servers below whose computers were looked at.
    below: RefCell<BTreeSet<u32>>,
    /// What a reader should know of the answer.
    notes: RefCell<Vec<String>>,
    /// Rows that there would be, if that is not what was collected.
    pub(super) total: Flag<u64>,
    /// Of when the oldest is that it was made from.
    as_of: Flag<Timestamp>,
    beside: Beside<'s>,
}

/// What is kept in memory beside the index.
#[derive(Clone, Debug)]
pub(super) struct Beside<'s> {
    /// What computers are called, for reports by name, where there are many.
    pub(super) roster: Option<Arc<Roster>>,
    /// What computers said of failures.
    pub(super) failures: &'s failure::Kept,
}

impl<'s> Source<'s> {
    pub(super) fn new(
        tx: &'s ReadTx<'s>,
        live: &'s Live,
        index: &'s Index,
        asked: &'s Arguments,
        limit: u32,
        within: &rights::Scope,
        beside: Beside<'s>,
    ) -> Result<Self, StoreError> {
        let mut servers = HashMap::from([(THIS_SERVER, (THIS.to_owned(), THIS.to_owned()))]);
        let below = Servers::read(tx)?;
        servers.extend(below.iter().map(|(no, server)| (no, (server.id.to_string(), server.name.clone()))));
        let note = within
            .is_limited()
            .then(|| "Of the computers that you may see: you are limited to collections.".to_owned());
        let now = Timestamp::now();
        Ok(Self {
            tx,
            live,
            index,
            tree: Tree::within(tx, within)?,
            asked,
            limit,
            now,
            as_of: Flag::new(now),
            beside,
            servers,
            below: RefCell::default(),
            notes: RefCell::new(note.into_iter().collect()),
            total: Flag::new(0),
        })
    }

    /// Days after which a computer is silent: those that are asked for, else those of the site.
    fn days(&self) -> Result<u32, StoreError> {
        match self.asked.count("days") {
            Some(days) => Ok(days),
            None => Ok(Current::read(self.tx)?.silent_days()),
        }
    }

    /// When a computer is silent.
    pub(super) fn rule(&self) -> Result<Rule, StoreError> {
        self.days().map(Rule::days)
    }

    /// What is asked for by `collection` and `site`.
    pub(super) fn scope(&self) -> Result<Scope, AdminError> {
        let collection = self.asked.text("collection").map(|name| self.tree.find(name)).transpose()?;
        Ok(Scope { collections: [collection.map(|row| row.id), None], site: self.site()? })
    }

    /// The server that `site` names.
    pub(super) fn site(&self) -> Result<Option<u32>, AdminError> {
        rollup::narrowed(self.tx, self.asked.text("site"))
    }

    /// The update that `update` names, which is in the catalogue.
    pub(super) fn update(&self) -> Result<UpdateId, AdminError> {
        let update = self.asked.update("update").unwrap_or(UpdateId(uuid::Uuid::nil()));
        match self.index.find(update) {
            Some(_) => Ok(update),
            None => Err(AdminError::missing("update", update, "weir updates list")),
        }
    }

    /// Id, name and members of the group that `group` names, if it is given.
    pub(super) fn group(&self) -> Result<Option<(uuid::Uuid, String, Vec<UpdateId>)>, AdminError> {
        let Some(name) = self.asked.text("group") else { return Ok(None) };
        let row = group::find(self.tx, name)?;
        let members = self.tx.update_group_show(row.id)?.map(|(_, members)| members).unwrap_or_default();
        Ok(Some((row.id, row.name, members)))
    }

    /// The deployment that `deployment` names, if it is given: that of people, where what follows from it is named.
    pub(super) fn deployment(&self) -> Result<Option<Deployment>, AdminError> {
        let Some(name) = self.asked.text("deployment") else { return Ok(None) };
        let mut row = match name.parse().ok() {
            Some(number) => self.tx.deployment_show(weir_model::ids::DeploymentId(number))?,
            None => None,
        };
        if row.is_none() {
            row = self.tx.deployment_named(name)?.map(|id| self.tx.deployment_show(id)).transpose()?.flatten();
        }
        if let Some(from) = row.as_ref().and_then(|row| row.expanded_from) {
            row = self.tx.deployment_show(from)?;
        }
        let row = row.filter(|row| self.tree.sees(row.collection));
        let row = row.ok_or_else(|| AdminError::missing("deployment", format!("{name:?}"), "weir deployments list"))?;
        self.whole(row).map(Some)
    }

    /// A deployment with its parts.
    pub(super) fn whole(&self, row: DeploymentRow) -> Result<Deployment, AdminError> {
        let parts = enforcement::parts(self.tx, &row)?;
        Ok(Deployment { row, parts })
    }

    /// Deployments by number; of people, those within the scope of who asks. What computers get is computed from all.
    pub(super) fn deployments(
        &self,
        rows: Rows,
        collection: Option<CollectionId>,
    ) -> Result<Vec<DeploymentRow>, StoreError> {
        let people = matches!(rows, Rows::People);
        let filter = DeploymentFilter { update: None, collection, rows };
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.tx.deployment_list(&filter, cursor.as_deref(), list::LARGEST)?;
            all.extend(page.items.into_iter().filter(|row| !people || self.tree.sees(row.collection)));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Members of a deployment's collection, of those that are asked for.
    pub(super) fn targets(&self, deployment: &Deployment) -> Result<Scope, AdminError> {
        let mut scope = self.scope()?;
        scope.collections[1] = Some(deployment.row.collection);
        Ok(scope)
    }

    /// The computers of a scope as the index looks for them: of those that may be seen.
    fn members(&self, view: &View<'_>, scope: &Scope) -> Members {
        let members = view.members(scope.site, &|groups| {
            self.tree.sees_any(groups)
                && scope.collections.iter().flatten().all(|collection| self.tree.holds_any(*collection, groups))
        });
        self.below.borrow_mut().extend(view.sites(&members).into_iter().filter(|site| *site != THIS_SERVER));
        members
    }

    /// Hands every computer of a scope to `tell`, in no order, with what it says of `only`, or of all that it is asked about. The
    /// index is held meanwhile: nothing is to be read, and nothing else asked of it.
    pub(super) fn survey(
        &self,
        scope: &Scope,
        only: Option<&HashSet<UpdateId>>,
        tell: &mut dyn FnMut(&Seen<'_>),
    ) -> Result<(), StoreError> {
        let view = self.live.compliance(self.tx)?;
        view.survey(&self.members(&view, scope), only, tell);
        Ok(())
    }

    /// Hands those computers of a scope that `pick` takes to `each`, ascending by number, with what they reported.
    pub(super) fn each(
        &self,
        scope: &Scope,
        only: Option<&HashSet<UpdateId>>,
        pick: &dyn Fn(&Seen<'_>) -> bool,
        each: &mut dyn FnMut(&Member<'_>),
    ) -> Result<(), StoreError> {
        let mut picked = Picked::default();
        self.survey(scope, only, &mut |seen| {
            if pick(seen) {
                picked.note(seen);
            }
        })?;
        let mut questions = Questions::new(self.live);
        let mut narrowed: HashMap<*const Asked, Arc<[Asked]>> = HashMap::new();
        self.tx.report_computers_of(&picked.numbers(), true, &mut |computer, status| {
            let groups = picked.groups(computer.no);
            let whole = questions.of(groups);
            let asked =
                match only {
                    None => whole,
                    // once for each set of collections: `questions` keeps what it points at
                    Some(only) => Arc::clone(narrowed.entry(whole.as_ptr()).or_insert_with(|| {
                        whole.iter().copied().filter(|asked| only.contains(&asked.update)).collect()
                    })),
                };
            each(&Member { computer: &computer, groups, status: &tally::decode(status), asked: &asked });
            Ok(())
        })
    }

    /// Hands the computer that `computer` names to `each`.
    pub(super) fn one(&self, each: &mut dyn FnMut(&Member<'_>)) -> Result<(), AdminError> {
        let Some(id) = self.asked.computer("computer") else {
            return Err(AdminError::invalid("parameter", "the parameter computer is absent"));
        };
        let found = self.tx.computer_find(id)?;
        let found = found.ok_or_else(|| AdminError::missing("computer", id, "weir computers list"))?;
        let mut groups = self.tx.computer_collections(found.no)?;
        self.tree.check_computer(id, &groups)?;
        if found.site != THIS_SERVER {
            self.below.borrow_mut().insert(found.site);
        }
        if groups.is_empty() {
            groups.push(CollectionId::UNASSIGNED_COMPUTERS);
        }
        let asked = Questions::new(self.live).of(&groups);
        self.tx.report_computers_of(&[found.no], true, &mut |computer, status| {
            each(&Member { computer: &computer, groups: &groups, status: &tally::decode(status), asked: &asked });
            Ok(())
        })?;
        Ok(())
    }

    /// What computers reported, by their numbers, which ascend.
    pub(super) fn statuses(
        &self,
        numbers: &[u32],
        each: &mut dyn FnMut(&ReportComputer, &ComputerStatus),
    ) -> Result<(), StoreError> {
        self.tx.report_computers_of(numbers, true, &mut |computer, status| {
            each(&computer, &tally::decode(status));
            Ok(())
        })
    }

    /// How the computers of a scope stand with these updates, or with all that they are asked about.
    pub(super) fn counts(&self, scope: &Scope, only: Option<&HashSet<UpdateId>>) -> Result<Counted, StoreError> {
        let others = self.live.not_current(self.tx, self.days()?)?;
        self.is_of(others.as_of);
        let view = self.live.compliance(self.tx)?;
        let members = self.members(&view, scope);
        let tally = view.count(&members, only);
        let counted = tally.updates.iter().filter(|it| it.counts.total() > 0);
        let updates = counted.filter_map(|it| Some((view.update(it.update)?, it.counts))).collect();
        let others = view.states_in(&members, only, others.keys().copied());
        let compliant_current = tally.compliant().saturating_sub(others.compliant());
        Ok(Counted { tally, updates, compliant_current })
    }

    /// How many computers of a scope are silent, and how many call and do not report.
    pub(super) fn unheard(&self, scope: &Scope) -> Result<(u64, u64), StoreError> {
        let others = self.live.not_current(self.tx, self.days()?)?;
        self.is_of(others.as_of);
        let view = self.live.compliance(self.tx)?;
        let numbers: Vec<u32> = others.keys().copied().collect();
        let members = view.members_of(&self.members(&view, scope), &numbers);
        let count = |class: Freshness| {
            let own = members.iter().filter(|it| others.get(&it.no).is_some_and(|verdict| verdict.class == class));
            own.count() as u64
        };
        Ok((count(Freshness::Silent), count(Freshness::NotReporting)))
    }

    /// Why a computer whose state is `state` is unknown, and the code of the scan that failed; nothing if it is known. `asked` and
    /// `reported` as of [`UnknownReason::of`].
    pub(super) fn why(
        &self,
        computer: &ReportComputer,
        (state, asked, reported): (State, bool, bool),
        rule: &Rule,
    ) -> (Cell, Option<i32>) {
        if state != State::Unknown {
            return (Cell::Absent, None);
        }
        let verdict = judge(&computer.facts(), rule, self.now);
        let reason = UnknownReason::of(asked, reported, &verdict);
        (Cell::State(reason.word()), verdict.error.filter(|_| reason == UnknownReason::ScanFailed))
    }

    /// Says something of the answer that a reader should know.
    pub(super) fn note(&self, note: impl Into<String>) {
        self.notes.borrow_mut().push(note.into());
    }

    /// What was said so.
    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    /// When the oldest of what servers below reported, of those that were looked at, arrived.
    pub(super) fn rolled_up(&self) -> Result<Option<Timestamp>, StoreError> {
        servers::oldest(self.tx, &self.below.borrow())
    }

    /// Collects the first rows of an order.
    pub(super) fn best<K: Clone + Ord>(&self) -> Best<K> {
        Best::new(self.limit)
    }

    /// The rows of an order, and how many there were.
    pub(super) fn finish<K: Clone + Ord>(&self, best: Best<K>) -> Vec<Row> {
        let (rows, total) = best.finish();
        self.total.set(total);
        rows
    }

    /// Rows that are all of them: few, as states and collections are.
    pub(super) fn all(&self, mut rows: Vec<Row>) -> Vec<Row> {
        self.total.set(rows.len() as u64);
        rows.truncate(self.limit as usize);
        rows
    }
}

/// By which computers are sorted: name, id.
pub(super) fn name_key(computer: &ReportComputer) -> (String, String) {
    (computer.dns_name.to_lowercase(), computer.id.to_string())
}

/// A state that was asked for.
pub(super) fn asked_state(arguments: &Arguments) -> Option<State> {
    arguments.choice("state").and_then(weir_model::report::states::state)
}

/// Something that a report has just because its parameter is required.
pub(super) fn required<T>(found: Option<T>, name: &'static str) -> Result<T, AdminError> {
    found.ok_or_else(|| AdminError::invalid("parameter", format!("the parameter {name} is absent")))
}
