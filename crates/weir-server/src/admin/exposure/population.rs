//! What computers say of the updates that fix something: computers that say the same are one class.
//!
//! [`Population::gather`] is the one place where states of computers are read for exposure: from the index of compliance in memory.
//! Between questions a population follows the feed of changed computers and asks these alone again. A computer takes twelve bytes, a
//! class two bits for each update that matters; classes that no computer has any more are forgotten with the next look at everybody.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    compliance::Answer,
    exposure::{Exception, OsBuild, Place},
    ids::{ChangeNumber, CollectionId, ComputerId},
    rights::Scope,
};
use weir_store::{ReadTx, StoreError, exposure::ExceptionRow};

use super::{
    super::{AdminError, App, collection::Tree},
    base::Base,
    classes::{Class, Sets, Standing},
    judged::Verdicts,
    spread::Spreads,
};
use crate::live::Live;

/// What was read is followed no longer than this: traces of computers that left are kept for an hour at least.
const FOLLOWED_FOR: Duration = Duration::from_mins(30);
/// If more than this share of the computers changed, asking all of them is quicker.
const SHARE: usize = 4;
/// Fewer changed computers than that are always asked alone.
const FEW: usize = 2_000;
/// Classes and sets of collections without computers that are kept in any case.
const SPARE: usize = 1_000;

/// A computer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// Its row number.
    pub(super) no: u32,
    /// The number of its set of collections.
    set: u32,
    /// The number of its class.
    pub(super) class: u32,
}

/// All computers, by class.
#[derive(Debug)]
pub(crate) struct Population {
    base: Arc<Base>,
    /// The change of computers up to which it was read.
    version: u64,
    published: ChangeNumber,
    read: Instant,
    /// Exceptions that count.
    pub(super) exceptions: Vec<Exception>,
    exception_ids: Vec<Uuid>,
    standing: Arc<Standing>,
    sets: Arc<Sets>,
    /// Classes by number; some may be of no computer.
    pub(super) classes: Arc<[Class]>,
    /// Computers by number.
    pub(super) computers: Vec<Member>,
    /// Most of what it names is of no computer any more.
    worn: bool,
}

impl Population {
    /// What computers say now. Everybody is asked only if documents, catalogue or exceptions changed, else those that changed.
    pub(super) async fn current(app: &App, base: &Arc<Base>) -> Result<Arc<Self>, AdminError> {
        let now = Timestamp::now();
        let (version, exceptions) = app.read(move |tx| Ok((tx.feed_version()?, counting(tx, now)?))).await?;
        let ids: Vec<Uuid> = exceptions.iter().map(|row| row.id).collect();
        let published = app.state.live.current().change();
        let serves =
            |known: &Arc<Self>| known.is_about(base, &ids) && known.published >= published && known.version >= version;
        let kept = || app.shared().exposure.population.lock().clone();
        if let Some(population) = kept().filter(serves) {
            return Ok(population);
        }
        let _one_at_a_time = app.shared().exposure.turn.lock().await;
        let known = kept();
        if let Some(population) = known.clone().filter(serves) {
            return Ok(population);
        }
        let (live, base) = (app.state.live.clone(), Arc::clone(base));
        let gathered = app.read(move |tx| Self::gather(tx, &live, base, exceptions, known.as_deref(), None)).await?;
        let population = Arc::new(gathered);
        *app.shared().exposure.population.lock() = Some(Arc::clone(&population));
        Ok(population)
    }

    /// One computer alone.
    pub(super) async fn of_computer(
        app: &App,
        base: &Arc<Base>,
        scope: Scope,
        id: ComputerId,
    ) -> Result<Self, AdminError> {
        let (live, base, now) = (app.state.live.clone(), Arc::clone(base), Timestamp::now());
        let found = app
            .read(move |tx| {
                let Some(row) = tx.computer_find(&id)? else { return Ok(None) };
                if !Tree::within(tx, &scope)?.sees_any(&tx.computer_collections(row.no)?) {
                    return Ok(None);
                }
                let exceptions = counting(tx, now)?;
                Self::gather(tx, &live, base, exceptions, None, Some(row.no)).map(Some)
            })
            .await?;
        found.ok_or_else(|| AdminError::missing("computer", "of that id", "weir computers list"))
    }

    /// Asks computers: `only` one, or those that changed since `before`, or everybody.
    fn gather(
        tx: &ReadTx<'_>,
        live: &Live,
        base: Arc<Base>,
        exceptions: Vec<ExceptionRow>,
        before: Option<&Self>,
        only: Option<u32>,
    ) -> Result<Self, StoreError> {
        let read = Instant::now();
        let version = tx.feed_version()?;
        let exception_ids: Vec<Uuid> = exceptions.iter().map(|row| row.id).collect();
        let exceptions: Vec<Exception> = exceptions.into_iter().map(|row| row.exception).collect();
        let changed = match (only, before) {
            (Some(no), _) => Some(vec![no]),
            (None, Some(before)) => before.changed_since(tx)?,
            (None, None) => None,
        };
        let mut builds: HashMap<u32, OsBuild> = HashMap::new();
        let mut build = |no, build| {
            builds.insert(no, build);
        };
        match &changed {
            Some(changed) => tx.computer_builds_of(changed, &mut build)?,
            None => tx.computer_builds_each(&mut build)?,
        }
        let kept = before.filter(|before| before.is_about(&base, &exception_ids) && !before.worn);
        let (answers, published, followed) = {
            // the index is let go before anything else is done
            let view = live.compliance(tx)?;
            let published = view.published().change();
            let followed = kept.filter(|kept| kept.published == published);
            let some = changed.as_deref().filter(|_| only.is_some() || followed.is_some());
            match some {
                Some(some) => (view.answers_of(some, base.join.relevant()), published, followed),
                None => (view.answers(base.join.relevant()), published, None),
            }
        };
        let holding = Holding::read(tx, &exceptions)?;
        let fresh = || Arc::new(Standing::new(&base.known));
        let standing = kept.map_or_else(fresh, |kept| Arc::clone(&kept.standing));
        let mut sets = followed.map(|followed| Arc::clone(&followed.sets)).unwrap_or_default();
        let is_changed = |no: u32| changed.as_ref().is_none_or(|changed| changed.binary_search(&no).is_ok());
        let mut computers: Vec<Member> = match followed {
            Some(followed) => followed.computers.iter().copied().filter(|member| !is_changed(member.no)).collect(),
            None => Vec::with_capacity(answers.computers.len()),
        };
        let mut classes = standing.classes.lock();
        let said: Vec<(u32, Arc<Answer>)> = answers.answers.into_iter().map(|answer| classes.answer(answer)).collect();
        for (placed, answer) in answers.computers {
            let Some(said) = said.get(answer as usize) else { continue };
            let set = match sets.find(&placed.collections) {
                Some(set) => set,
                None => {
                    let excepted = holding.on_all(&placed.collections);
                    Arc::make_mut(&mut sets).add(placed.collections, excepted)
                }
            };
            // what registers anew is told by the feed, too
            let os = if is_changed(placed.no) {
                builds.get(&placed.no).copied()
            } else {
                before.and_then(|before| before.build(placed.no))
            };
            let excepted = holding.on(placed.no, sets.excepted(set));
            computers.push(Member { no: placed.no, set, class: classes.number(said, os, excepted) });
        }
        let all: Arc<[Class]> = match kept {
            Some(kept) if kept.classes.len() == classes.all().len() => Arc::clone(&kept.classes),
            _ => classes.all().into(),
        };
        drop(classes);
        // two ascending runs at most, or the order of the index
        computers.sort_by_key(|member| member.no);
        let worn = is_worn(all.len(), computers.iter().map(|member| member.class))
            || is_worn(sets.all().len(), computers.iter().map(|member| member.set));
        Ok(Self {
            base,
            version,
            published,
            read,
            exceptions,
            exception_ids,
            standing,
            sets,
            classes: all,
            computers,
            worn,
        })
    }

    fn is_about(&self, base: &Arc<Base>, exceptions: &[Uuid]) -> bool {
        Arc::ptr_eq(&self.base, base) && self.exception_ids == exceptions
    }

    /// The computers that changed since, ascending; none if they are too many, or not known any more.
    fn changed_since(&self, tx: &ReadTx<'_>) -> Result<Option<Vec<u32>>, StoreError> {
        let most = FEW.max(self.computers.len() / SHARE) as u64;
        if self.read.elapsed() > FOLLOWED_FOR || tx.feed_count(self.version)? > most {
            return Ok(None);
        }
        let mut changed = tx.feed_since(self.version)?;
        changed.sort_unstable();
        Ok(Some(changed))
    }

    /// The build of a computer, if it is here and registered.
    fn build(&self, no: u32) -> Option<OsBuild> {
        let at = self.computers.binary_search_by_key(&no, |member| member.no).ok()?;
        let class = self.computers.get(at)?.class;
        self.classes.get(class as usize)?.os
    }

    /// What is judged of classes.
    pub(super) fn verdicts(&self) -> &Verdicts {
        &self.standing.verdicts
    }

    /// What that counts to.
    pub(super) fn spreads(&self) -> &Spreads {
        &self.standing.spreads
    }

    /// The computers of a collection, or all, as far as the tree shows them, by number.
    pub(super) fn members(
        &self,
        tree: &Tree,
        collection: Option<&str>,
    ) -> Result<impl Iterator<Item = Member>, AdminError> {
        let within = collection.map(|name| tree.find(name)).transpose()?;
        let within = within.map_or(CollectionId::ALL_COMPUTERS, |row| row.id);
        let holds = |set: &[CollectionId]| tree.holds_any(within, set);
        let held: Vec<bool> = self.sets.all().map(holds).collect();
        let is_held = move |member: &Member| held.get(member.set as usize).copied().unwrap_or(false);
        Ok(self.computers.iter().copied().filter(is_held))
    }

    /// How many computers of a collection, as the tree shows it, are in each class.
    pub(super) fn weights(&self, tree: &Tree, collection: Option<&str>) -> Result<Vec<u64>, AdminError> {
        let mut weights = vec![0; self.classes.len()];
        for member in self.members(tree, collection)? {
            if let Some(weight) = weights.get_mut(member.class as usize) {
                *weight += 1;
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

/// Which exceptions hold on whom, by their places in the list of them.
struct Holding {
    /// The tree with those on collections; none if there are none.
    tree: Option<(Tree, Vec<(u16, CollectionId)>)>,
    /// Those on single computers, by row number.
    single: HashMap<u32, Vec<u16>>,
}

impl Holding {
    fn read(tx: &ReadTx<'_>, exceptions: &[Exception]) -> Result<Self, StoreError> {
        let (mut collections, mut single) = (Vec::new(), HashMap::<u32, Vec<u16>>::new());
        for (at, exception) in exceptions.iter().enumerate() {
            match &exception.place {
                Place::Collection(collection) => collections.push((at as u16, *collection)),
                Place::Computer(id) => {
                    if let Some(row) = tx.computer_find(id)? {
                        single.entry(row.no).or_default().push(at as u16);
                    }
                }
            }
        }
        let tree = if collections.is_empty() { None } else { Some((Tree::read(tx)?, collections)) };
        Ok(Self { tree, single })
    }

    /// Those on every computer with these collections.
    fn on_all(&self, collections: &[CollectionId]) -> Arc<[u16]> {
        let Some((tree, on_collections)) = &self.tree else { return Arc::default() };
        let holding = on_collections.iter().filter(|(_, collection)| tree.holds_any(*collection, collections));
        holding.map(|(at, _)| *at).collect()
    }

    /// Those on a computer, with those on all that have its collections.
    fn on(&self, no: u32, on_all: Option<&Arc<[u16]>>) -> Arc<[u16]> {
        let Some(single) = self.single.get(&no) else { return on_all.cloned().unwrap_or_default() };
        let on_all = on_all.map(|on_all| on_all.iter()).into_iter().flatten();
        let mut both: Vec<u16> = on_all.chain(single).copied().collect();
        both.sort_unstable();
        both.into()
    }
}

/// Whether most of what has a number is not used.
fn is_worn(all: usize, used: impl Iterator<Item = u32>) -> bool {
    let mut seen = vec![false; all];
    for number in used {
        if let Some(seen) = seen.get_mut(number as usize) {
            *seen = true;
        }
    }
    all > SPARE + 2 * seen.into_iter().filter(|seen| *seen).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_is_kept_for_a_while() {
        assert!(!is_worn(0, std::iter::empty()) && !is_worn(SPARE, std::iter::empty()));
        assert!(is_worn(SPARE + 1, std::iter::empty()));
        assert!(!is_worn(SPARE + 4, [3, 3, 1].into_iter()) && is_worn(SPARE + 5, [3, 3, 1].into_iter()));
    }
}
