//! What computers say of the updates that fix something: computers that say the same are one class.
//!
//! [`Population::gather`] is the one place where states of computers are read for exposure; an index of compliance that is kept
//! in memory takes its place there.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    exposure::{Exception, OsBuild, Place},
    ids::{ChangeNumber, ComputerId},
    status::{ComputerStatus, State, UpdateNumber},
};
use weir_store::{ReadTx, StoreError, computer::DirectoryRow, exposure::ExceptionRow};

use super::{
    super::{
        AdminError, App,
        collection::Tree,
        tally::{self, Questions},
    },
    base::Base,
    judged::Verdicts,
};
use crate::live::Live;

/// What was read of computers serves for so many times what reading took, as counts of updates do.
const SERVES_TIMES: u32 = 10;
/// It serves no longer than this once something new was reported.
const LONGEST_SERVICE: Duration = Duration::from_secs(10);
/// Reading that takes no longer is not saved up.
const CHEAP: Duration = Duration::from_millis(50);

/// Computers of which the same is known.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Class {
    /// It reported.
    pub(super) reported: bool,
    /// Its build, if it registered.
    pub(super) os: Option<OsBuild>,
    /// Its states of the updates that matter, in the order of [`weir_model::exposure::Join::relevant`].
    pub(super) states: Box<[State]>,
    /// Places in [`Population::exceptions`] of those that hold on it.
    pub(super) excepted: Box<[u16]>,
}

/// All computers, by class.
#[derive(Debug)]
pub(crate) struct Population {
    base: Arc<Base>,
    directory: u64,
    status: u64,
    published: ChangeNumber,
    ended: Instant,
    took: Duration,
    /// When it was read.
    pub(super) at: Timestamp,
    /// Exceptions that count.
    pub(super) exceptions: Vec<Exception>,
    exception_ids: Vec<Uuid>,
    /// Classes.
    pub(super) classes: Vec<Class>,
    /// Computers with the place of their class.
    pub(super) computers: Vec<(DirectoryRow, u32)>,
    /// What is judged of classes.
    pub(super) verdicts: Verdicts,
}

impl Population {
    /// What computers say now. It is read again only if documents, catalogue, computers, exceptions or reports changed;
    /// where reading takes long, reports alone wait for ten times as long, ten seconds at most.
    pub(super) async fn current(app: &App, base: &Arc<Base>) -> Result<Arc<Self>, AdminError> {
        let now = Timestamp::now();
        let (directory, status, exceptions) = app
            .read(move |tx| {
                let exceptions = counting(tx, now)?;
                Ok((tx.computer_directory_version()?, tx.computer_status_version()?, exceptions))
            })
            .await?;
        let ids: Vec<Uuid> = exceptions.iter().map(|row| row.id).collect();
        let published = app.state.live.current().change();
        let serves = |known: &Arc<Self>| {
            let same = Arc::ptr_eq(&known.base, base) && known.exception_ids == ids;
            let moved = known.published < published || known.directory < directory;
            let service = if known.took <= CHEAP { Duration::ZERO } else { known.took * SERVES_TIMES };
            same && !moved && (known.status >= status || known.ended.elapsed() < service.min(LONGEST_SERVICE))
        };
        let kept = || app.shared().exposure.population.lock().clone().filter(serves);
        if let Some(population) = kept() {
            return Ok(population);
        }
        let _one_at_a_time = app.shared().exposure.turn.lock().await;
        if let Some(population) = kept() {
            return Ok(population);
        }
        let (live, base) = (app.state.live.clone(), Arc::clone(base));
        let population = app.read(move |tx| Self::gather(tx, &live, base, exceptions, now, None)).await?;
        let population = Arc::new(population);
        *app.shared().exposure.population.lock() = Some(Arc::clone(&population));
        Ok(population)
    }

    /// One computer alone.
    pub(super) async fn of_computer(app: &App, base: &Arc<Base>, id: ComputerId) -> Result<Self, AdminError> {
        let (live, base, now) = (app.state.live.clone(), Arc::clone(base), Timestamp::now());
        let found = app
            .read(move |tx| {
                let Some(row) = tx.computer_find(&id)? else { return Ok(None) };
                let exceptions = counting(tx, now)?;
                Self::gather(tx, &live, base, exceptions, now, Some(row.no)).map(Some)
            })
            .await?;
        found.ok_or_else(|| AdminError::missing("computer", "of that id", "weir computers list"))
    }

    /// Reads states of computers.
    fn gather(
        tx: &ReadTx<'_>,
        live: &Live,
        base: Arc<Base>,
        exceptions: Vec<ExceptionRow>,
        now: Timestamp,
        only: Option<u32>,
    ) -> Result<Self, StoreError> {
        let started = Instant::now();
        let (directory, status) = (tx.computer_directory_version()?, tx.computer_status_version()?);
        let mut rows = tx.computer_directory()?;
        rows.retain(|row| only.is_none_or(|only| row.no == only));
        let mut questions = Questions::new(live);
        let published = questions.published().change();
        let tree = Tree::read(tx)?;
        let exception_ids = exceptions.iter().map(|row| row.id).collect();
        let exceptions: Vec<Exception> = exceptions.into_iter().map(|row| row.exception).collect();
        let mut builds = HashMap::new();
        tx.computer_builds_each(&mut |no, build| {
            builds.insert(no, build);
        })?;
        let relevant = base.join.relevant();
        let mut reader = Reader { relevant, entered: HashMap::new() };
        let mut places: HashMap<Class, u32> = HashMap::new();
        let mut computers = Vec::with_capacity(rows.len());
        let mut take = |row: DirectoryRow, status: &ComputerStatus| {
            let excepted = exceptions.iter().enumerate().filter(|(_, it)| holds(&tree, it, &row));
            let class = Class {
                reported: status.reported.is_some(),
                os: builds.get(&row.no).copied(),
                states: reader.states(&row, status, &mut questions),
                excepted: excepted.map(|(at, _)| at as u16).collect(),
            };
            let next = places.len() as u32;
            let class = *places.entry(class).or_insert(next);
            computers.push((row, class));
        };
        // both are in the order of row numbers
        let mut rows = rows.into_iter().peekable();
        let silent = ComputerStatus::default();
        match only {
            Some(no) => {
                let status = tally::decode(&tx.computer_status(no)?.status);
                rows.by_ref().for_each(|row| take(row, &status));
            }
            None => tx.computer_status_each(&mut |no, stored| {
                while let Some(row) = rows.next_if(|row| row.no < no) {
                    take(row, &silent);
                }
                if let Some(row) = rows.next_if(|row| row.no == no) {
                    take(row, &tally::decode(&stored.status));
                }
                Ok(())
            })?,
        }
        rows.for_each(|row| take(row, &silent));
        let mut classes: Vec<(Class, u32)> = places.into_iter().collect();
        classes.sort_unstable_by_key(|(_, place)| *place);
        let classes: Vec<Class> = classes.into_iter().map(|(class, _)| class).collect();
        let verdicts = Verdicts::new(&base.known, classes.len());
        Ok(Self {
            base,
            directory,
            status,
            published,
            ended: Instant::now(),
            took: started.elapsed(),
            at: now,
            exceptions,
            exception_ids,
            classes,
            computers,
            verdicts,
        })
    }

    /// How many computers of a collection are in each class.
    pub(super) fn weights(&self, tree: &Tree, collection: Option<&str>) -> Result<Vec<u64>, AdminError> {
        let within = collection.map(|name| tree.find(name)).transpose()?.map(|row| row.id);
        let mut weights = vec![0; self.classes.len()];
        for (row, class) in &self.computers {
            if within.is_none_or(|within| tree.holds(within, row)) {
                if let Some(weight) = weights.get_mut(*class as usize) {
                    *weight += 1;
                }
            }
        }
        Ok(weights)
    }
}

/// Exceptions that count now. More than a class can name do not occur: making them is bounded.
fn counting(tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<ExceptionRow>, StoreError> {
    let mut rows = tx.exposure_exceptions()?;
    rows.retain(|row| row.exception.counts(now));
    rows.truncate(usize::from(u16::MAX));
    Ok(rows)
}

fn holds(tree: &Tree, exception: &Exception, computer: &DirectoryRow) -> bool {
    match &exception.place {
        Place::Collection(collection) => tree.holds(*collection, computer),
        Place::Computer(id) => *id == computer.id,
    }
}

/// Reads the states of the updates that matter out of a status.
struct Reader<'r> {
    relevant: &'r [UpdateNumber],
    /// When each of them came into the scope of computers with the same collections.
    entered: HashMap<*const tally::Asked, Box<[Option<ChangeNumber>]>>,
}

impl Reader<'_> {
    fn states(&mut self, row: &DirectoryRow, status: &ComputerStatus, questions: &mut Questions) -> Box<[State]> {
        let asked = questions.of(&row.groups);
        let relevant = self.relevant;
        // `questions` keeps what it points at
        let entered = self.entered.entry(asked.as_ptr()).or_insert_with(|| {
            let entered = |number: &UpdateNumber| {
                let at = asked.binary_search_by_key(number, |asked| asked.number).ok()?;
                asked.get(at).map(|asked| asked.entered)
            };
            relevant.iter().map(entered).collect()
        });
        let mut entries = status.entries().iter().peekable();
        let states = relevant.iter().zip(entered.iter()).map(|(number, entered)| {
            while entries.next_if(|entry| entry.update < *number).is_some() {}
            match entries.next_if(|entry| entry.update == *number) {
                Some(entry) => entry.state,
                // not listed: the status says whether it could have been
                None => status.state_of(*number, *entered),
            }
        });
        states.collect()
    }
}
