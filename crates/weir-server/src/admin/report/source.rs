//! Where reports have their data from. All that they know of compliance comes through [`Source::each`], which walks the computers one
//! after the other, and [`Source::counts`], which asks the index: what is in memory is a line for each computer and a line for each
//! update, never one for each pair.

use std::{
    cell::{Cell as Flag, RefCell},
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use weir_model::{
    ids::{CollectionId, UpdateId},
    report::{Arguments, Best, Row},
    status::{ComputerStatus, Counts, Entry, State, computer_state},
};
use weir_store::{
    ReadTx, StoreError,
    computer::{DirectoryRow, THIS_SERVER},
    deployment::{Deployed, DeploymentFilter, DeploymentRow, Rows},
    report::ReportComputer,
};

use super::super::{
    AdminError,
    collection::Tree,
    group,
    index::Index,
    list, rollup,
    tally::{self, Asked, Questions},
};
use crate::live::Live;

/// How a report knows this server among those below it.
pub(super) const THIS: &str = "this";

/// What is done with each computer: its collections, who it is, its encoded status.
type EachStored<'e> = dyn FnMut(&DirectoryRow, &ReportComputer, &[u8]) -> Result<(), StoreError> + 'e;

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
    /// Its collections.
    pub(super) row: &'m DirectoryRow,
    /// Who it is, and when it was here.
    pub(super) computer: &'m ReportComputer,
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

    /// Its states, counted.
    pub(super) fn counts(&self) -> Counts {
        self.states().map(|(_, state, _)| state).collect()
    }

    /// Its one state.
    pub(super) fn worst(&self) -> State {
        computer_state(self.status.reported.is_some(), self.states().map(|(_, state, _)| state))
    }

    /// By which it is sorted: name, id.
    pub(super) fn key(&self) -> (String, String) {
        (self.computer.dns_name.to_lowercase(), self.computer.id.to_string())
    }
}

/// How computers stand.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// By the one state of each.
    pub(super) computers: Counts,
    /// By update.
    pub(super) updates: HashMap<UpdateId, Counts>,
}

impl Counted {
    pub(super) fn of(&self, update: UpdateId) -> Counts {
        self.updates.get(&update).copied().unwrap_or_default()
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
}

impl<'s> Source<'s> {
    pub(super) fn new(
        tx: &'s ReadTx<'s>,
        live: &'s Live,
        index: &'s Index,
        asked: &'s Arguments,
        limit: u32,
    ) -> Result<Self, StoreError> {
        let mut servers = HashMap::from([(THIS_SERVER, (THIS.to_owned(), THIS.to_owned()))]);
        for (no, id, name, _) in tx.rollup_server_numbers()? {
            let name = if name.is_empty() { id.to_string() } else { name };
            servers.insert(no, (id.to_string(), name));
        }
        Ok(Self {
            tx,
            live,
            index,
            tree: Tree::read(tx)?,
            asked,
            limit,
            now: Timestamp::now(),
            servers,
            below: RefCell::default(),
            notes: RefCell::default(),
            total: Flag::new(0),
        })
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
        let row = row.ok_or_else(|| AdminError::missing("deployment", format!("{name:?}"), "weir deployments list"))?;
        self.whole(row).map(Some)
    }

    /// A deployment with its parts.
    pub(super) fn whole(&self, row: DeploymentRow) -> Result<Deployment, AdminError> {
        let rows = match row.deployed {
            Deployed::Update { .. } => vec![row.clone()],
            Deployed::Group(_) => self.deployments(Rows::Members(row.id), None)?,
        };
        let part = |part: DeploymentRow| match part.deployed {
            Deployed::Update { id, .. } => Some((id, part)),
            Deployed::Group(_) => None,
        };
        Ok(Deployment { row, parts: rows.into_iter().filter_map(part).collect() })
    }

    /// Deployments by number.
    pub(super) fn deployments(
        &self,
        rows: Rows,
        collection: Option<CollectionId>,
    ) -> Result<Vec<DeploymentRow>, StoreError> {
        let filter = DeploymentFilter { update: None, collection, rows };
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.tx.deployment_list(&filter, cursor.as_deref(), list::LARGEST)?;
            all.extend(page.items);
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

    /// Whether a computer is meant.
    fn holds(&self, scope: &Scope, row: &DirectoryRow) -> bool {
        scope.site.is_none_or(|site| row.site == site)
            && scope.collections.iter().flatten().all(|collection| self.tree.holds(*collection, row))
    }

    /// Hands every computer of a scope to `each`, ascending by number, with what it is asked about of `only`.
    pub(super) fn each(
        &self,
        scope: &Scope,
        only: Option<&HashSet<UpdateId>>,
        each: &mut dyn FnMut(&Member<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut questions = Questions::new(self.live);
        let mut narrowed: HashMap<*const Asked, Arc<[Asked]>> = HashMap::new();
        self.walk(scope, true, &mut |row, computer, status| {
            let whole = questions.of(&row.groups);
            let asked =
                match only {
                    None => whole,
                    // once for each set of collections: `questions` keeps what it points at
                    Some(only) => Arc::clone(narrowed.entry(whole.as_ptr()).or_insert_with(|| {
                        whole.iter().copied().filter(|asked| only.contains(&asked.update)).collect()
                    })),
                };
            each(&Member { row, computer, status: &tally::decode(status), asked: &asked })
        })
    }

    /// Hands the computer that `computer` names to `each`.
    pub(super) fn one(
        &self,
        only: Option<&HashSet<UpdateId>>,
        each: &mut dyn FnMut(&Member<'_>),
    ) -> Result<(), AdminError> {
        let Some(id) = self.asked.computer("computer") else {
            return Err(AdminError::invalid("parameter", "the parameter computer is absent"));
        };
        let found = self.tx.computer_find(id)?;
        let found = found.ok_or_else(|| AdminError::missing("computer", id, "weir computers list"))?;
        let row = DirectoryRow {
            no: found.no,
            id: found.id.clone(),
            registered: found.registration.is_some(),
            site: found.site,
            time_zone: self.tx.computer_time_zone(found.no)?,
            groups: self.tx.computer_collections(found.no)?,
        };
        if row.site != THIS_SERVER {
            self.below.borrow_mut().insert(row.site);
        }
        let computer = ReportComputer {
            no: found.no,
            id: found.id,
            dns_name: found.dns_name,
            site: found.site,
            first_contact_at: found.first_contact_at,
            last_contact_at: found.last_contact_at,
            last_sync_at: found.last_sync_at,
            last_sync_succeeded: found.last_sync_succeeded,
            last_sync_error: found.last_sync_error,
            last_report_at: found.last_report_at,
        };
        let status = tally::decode(&self.tx.computer_status(row.no)?.status);
        let whole = Questions::new(self.live).of(&row.groups);
        let asked = match only {
            None => whole,
            Some(only) => whole.iter().copied().filter(|asked| only.contains(&asked.update)).collect(),
        };
        each(&Member { row: &row, computer: &computer, status: &status, asked: &asked });
        Ok(())
    }

    /// The same as [`Source::each`] without what they reported.
    pub(super) fn each_computer(
        &self,
        scope: &Scope,
        each: &mut dyn FnMut(&DirectoryRow, &ReportComputer) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.walk(scope, false, &mut |row, computer, _| each(row, computer))
    }

    fn walk(&self, scope: &Scope, with_status: bool, each: &mut EachStored<'_>) -> Result<(), StoreError> {
        let directory = self.tx.computer_directory()?;
        let mut rows = directory.iter().peekable();
        let mut below = self.below.borrow_mut();
        // both ascend by number
        self.tx.report_computers_each(with_status, &mut |computer, status| {
            while rows.next_if(|row| row.no < computer.no).is_some() {}
            let Some(row) = rows.peek().filter(|row| row.no == computer.no && self.holds(scope, row)) else {
                return Ok(());
            };
            if row.site != THIS_SERVER {
                below.insert(row.site);
            }
            each(row, &computer, status)
        })
    }

    /// How the computers of a scope stand with these updates, or with all that they are asked about.
    pub(super) fn counts(&self, scope: &Scope, only: Option<&HashSet<UpdateId>>) -> Result<Counted, StoreError> {
        let view = self.live.compliance(self.tx)?;
        let members = view.members(scope.site, &|groups| {
            scope.collections.iter().flatten().all(|collection| self.tree.holds_any(*collection, groups))
        });
        self.below.borrow_mut().extend(view.sites(&members).into_iter().filter(|site| *site != THIS_SERVER));
        let tally = view.count(&members, only);
        let counted = tally.updates.iter().filter(|it| it.counts.total() > 0);
        let updates = counted.filter_map(|it| Some((view.update(it.update)?, it.counts))).collect();
        Ok(Counted { computers: tally.states, updates })
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
        let below = self.below.borrow();
        if below.is_empty() {
            return Ok(None);
        }
        let servers = self.tx.rollup_servers()?;
        Ok(servers.iter().filter(|row| below.contains(&row.no)).map(|row| row.received_at).min())
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

/// A state that was asked for.
pub(super) fn asked_state(arguments: &Arguments) -> Option<State> {
    arguments.choice("state").and_then(weir_model::report::states::state)
}

/// Something that a report has just because its parameter is required.
pub(super) fn required<T>(found: Option<T>, name: &'static str) -> Result<T, AdminError> {
    found.ok_or_else(|| AdminError::invalid("parameter", format!("the parameter {name} is absent")))
}
