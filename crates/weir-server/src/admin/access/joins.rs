//! Which computers a request brings to collections to which something is deployed.
//!
//! It is looked at as it would be, in one view of the database: who is put into a group may thereby be in what includes it, and who is
//! taken out of one may no longer be excluded elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use weir_model::{ids::CollectionId, membership::Assigned, targeting::CollectionKind};
use weir_store::{
    ReadTx, StoreError,
    collection::{CollectionRow, MemberSource},
    membership::{CollectionDefinition, MembershipRow},
};

use super::deploying::Deploying;
use crate::{
    admin::collection::Tree,
    live::{
        Live,
        membership::{self, Compiled, StatusView},
    },
};

/// Computers that are read at once.
const PAGE: u32 = 2_000;

/// What moves computers.
#[derive(Clone, Debug)]
pub(super) enum Moves {
    /// Computers, by number, are put into a collection.
    Into(CollectionRow, Vec<u32>),
    /// They are taken out of one where an administrator put them.
    OutOf(CollectionRow, Vec<u32>),
    /// A collection goes, with everybody's place in it.
    Gone(CollectionRow),
    /// A collection by rule is defined anew.
    Defined(CollectionId, CollectionDefinition),
    /// A computer is given another zone, or none of its own.
    Zoned(u32, Option<String>),
    /// Computers ask by this key for the name of a target group; it is that one, or will be below it.
    Asked(String, CollectionId),
}

/// Computers by the collections, something is deployed to, that they come to.
pub(super) type Coming = BTreeMap<CollectionId, BTreeSet<u32>>;

struct Look<'a> {
    tx: &'a ReadTx<'a>,
    tree: &'a Tree,
    found: Coming,
}

/// The computers that come.
pub(super) fn coming(
    tx: &ReadTx<'_>,
    live: &Live,
    tree: &Tree,
    deploying: &Deploying,
    moves: &[Moves],
) -> Result<Coming, StoreError> {
    let mut look = Look { tx, tree, found: Coming::new() };
    for moved in moves {
        match moved {
            Moves::Into(row, computers) => {
                look.placed(
                    live,
                    computers,
                    &|computer| {
                        put(&mut computer.assigned, row.kind, row.id);
                        Ok(())
                    },
                    &|at| at.push(row.id),
                )?;
            }
            Moves::OutOf(row, computers) => {
                let stays = |no| tx.member_sources(row.id, no).map(|of| of.contains(&MemberSource::Requested));
                look.placed(
                    live,
                    computers,
                    &|computer| {
                        // a group that the computer asks for has it all the same
                        if row.kind == CollectionKind::Rule || !stays(computer.computer.no)? {
                            take(&mut computer.assigned, row.id);
                        }
                        Ok(())
                    },
                    &|at| at.retain(|id| *id != row.id),
                )?;
            }
            Moves::Gone(row) => {
                let computers = tx.collection_members(row.id)?;
                look.placed(
                    live,
                    &computers,
                    &|computer| {
                        take(&mut computer.assigned, row.id);
                        Ok(())
                    },
                    &|at| at.retain(|id| *id != row.id),
                )?;
            }
            Moves::Defined(id, definition) => look.defined(live, deploying, *id, definition)?,
            Moves::Zoned(no, zone) => look.placed(
                live,
                &[*no],
                &|computer| {
                    computer.time_zone.clone_from(zone);
                    Ok(())
                },
                &|_| {},
            )?,
            Moves::Asked(key, place) => look.asked(live, key, *place)?,
        }
    }
    let mut found = Coming::new();
    for (id, computers) in look.found {
        if deploying.goes_to(tx, id)? {
            found.insert(id, computers);
        }
    }
    Ok(found)
}

fn put(assigned: &mut Assigned, kind: CollectionKind, id: CollectionId) {
    let of = match kind {
        CollectionKind::Rule => &mut assigned.direct,
        CollectionKind::TargetGroup => &mut assigned.groups,
    };
    if !of.contains(&id) {
        of.push(id);
        of.sort_unstable();
    }
}

fn take(assigned: &mut Assigned, id: CollectionId) {
    assigned.groups.retain(|of| *of != id);
    assigned.direct.retain(|of| *of != id);
}

/// Where a computer is: in target groups, or else in Unassigned Computers, and in collections by rule.
fn places(groups: &[CollectionId], ruled: &[(CollectionId, MemberSource)]) -> Vec<CollectionId> {
    let mut places = groups.to_vec();
    if places.is_empty() {
        places.push(CollectionId::UNASSIGNED_COMPUTERS);
    }
    places.extend(ruled.iter().map(|(id, _)| *id));
    places
}

impl Look<'_> {
    /// Computers are placed otherwise. `elsewhere`: what becomes of the places of those that scan at servers below, which decide about
    /// their collections by rule.
    fn placed(
        &mut self,
        live: &Live,
        computers: &[u32],
        change: &dyn Fn(&mut MembershipRow) -> Result<(), StoreError>,
        elsewhere: &dyn Fn(&mut Vec<CollectionId>),
    ) -> Result<(), StoreError> {
        let (compiled, view, now) = (Compiled::read(self.tx)?, live.membership.view(), Timestamp::now());
        for no in computers {
            let Some(row) = self.tx.membership_of(*no, compiled.depends.status)? else {
                let before = self.tx.computer_collections(*no)?;
                let before = if before.is_empty() { places(&[], &[]) } else { before };
                let mut after = before.clone();
                elsewhere(&mut after);
                let after = if after.is_empty() { places(&[], &[]) } else { after };
                self.compare(*no, &before, &after);
                continue;
            };
            self.moved(&compiled, &view, row, now, change)?;
        }
        Ok(())
    }

    /// What a computer comes to when it is placed otherwise.
    fn moved(
        &mut self,
        compiled: &Compiled,
        view: &StatusView,
        mut row: MembershipRow,
        now: Timestamp,
        change: &dyn Fn(&mut MembershipRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let before = places(&row.assigned.groups, &compiled.evaluate(&row, view, now).members);
        change(&mut row)?;
        let after = places(&row.assigned.groups, &compiled.evaluate(&row, view, now).members);
        self.compare(row.computer.no, &before, &after);
        Ok(())
    }

    /// A collection is defined otherwise. Every computer is looked at only if something is deployed where that matters.
    fn defined(
        &mut self,
        live: &Live,
        deploying: &Deploying,
        id: CollectionId,
        definition: &CollectionDefinition,
    ) -> Result<(), StoreError> {
        let known = Compiled::read(self.tx)?;
        let compiled = known.with(membership::definition(id, definition));
        let mut matters = false;
        for of in compiled.affected_since(&known) {
            matters = matters || deploying.goes_to(self.tx, of)?;
        }
        if !matters {
            return Ok(());
        }
        let view = if compiled.depends.status {
            StatusView::read(self.tx, &live.current(), &live.directory, compiled.needs)?
        } else {
            StatusView::default()
        };
        let now = Timestamp::now();
        self.each(compiled.depends.status, &mut |look, row| {
            let before = places(&row.assigned.groups, &row.decided);
            let after = places(&row.assigned.groups, &compiled.evaluate(&row, &view, now).members);
            look.compare(row.computer.no, &before, &after);
            Ok(())
        })
    }

    /// A name is given that computers may ask for.
    fn asked(&mut self, live: &Live, key: &str, place: CollectionId) -> Result<(), StoreError> {
        let (compiled, view, now) = (Compiled::read(self.tx)?, live.membership.view(), Timestamp::now());
        self.each(compiled.depends.status, &mut |look, row| {
            let names = row.computer.requested_groups.as_deref().unwrap_or_default();
            if !names.split(';').any(|name| weir_model::name::key(name) == key) {
                return Ok(());
            }
            look.moved(&compiled, &view, row, now, &|computer| {
                put(&mut computer.assigned, CollectionKind::TargetGroup, place);
                Ok(())
            })
        })
    }

    /// Every computer that scans here.
    fn each(
        &mut self,
        status: bool,
        work: &mut dyn FnMut(&mut Self, MembershipRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let rows = self.tx.membership_page(after, PAGE, status)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.computer.no;
            for row in rows {
                work(self, row)?;
            }
        }
    }

    fn compare(&mut self, computer: u32, before: &[CollectionId], after: &[CollectionId]) {
        for id in held(self.tree, after).difference(&held(self.tree, before)) {
            self.found.entry(*id).or_default().insert(computer);
        }
    }
}

/// The collections that hold a computer which is in these. All Computers holds everybody, before and after.
fn held(tree: &Tree, places: &[CollectionId]) -> BTreeSet<CollectionId> {
    let above = places.iter().flat_map(|id| tree.path(*id));
    above.filter(|id| *id != CollectionId::ALL_COMPUTERS).collect()
}
