//! Which revisions need not be kept (features SUPR-5, SUPR-7, SUPR-8).
//!
//! A revision is a *candidate* by what is known of its own update. Everything else stays, and so does every candidate that
//! something that stays needs, through any number of steps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Kept, Plan, Purge, Revision, Why,
    graph::Graph,
    rule::{Rules, passed},
};

/// Notes what is to be removed. `links` are updates that live ones are superseded through.
pub(super) fn plan(graph: &Graph<'_>, rules: &Rules, now: Timestamp, links: &BTreeMap<u32, u32>, plan: &mut Plan) {
    let candidates = candidates(graph, rules, now);
    if candidates.is_empty() {
        return;
    }
    let kept = reached(graph, &candidates, links);
    for revision in graph.updates() {
        let update = revision.update;
        for place in graph.of(update) {
            let (Some(why), Some(revision)) = (candidates.get(&place), graph.revision(place)) else { continue };
            match kept.get(&place) {
                Some(kept) => plan.keep(update, Some(revision.id), kept.clone()),
                None => plan.purge.push(Purge { id: revision.id, update, number: revision.number, why: *why }),
            }
        }
    }
}

/// What could go if nothing needs it.
fn candidates(graph: &Graph<'_>, rules: &Rules, now: Timestamp) -> BTreeMap<usize, Why> {
    let mut found = BTreeMap::new();
    for newest in graph.updates().filter(|newest| Graph::is_payload(newest)) {
        let declined = graph.flags(newest.update).declined_at;
        let whole = match declined {
            Some(since) if passed(rules.declined_days, since, now) => Some(Why::Declined(since)),
            _ if newest.expired && passed(rules.expired_days, newest.arrived_at, now) => {
                Some(Why::Expired(newest.arrived_at))
            }
            _ => None,
        };
        for place in graph.of(newest.update) {
            let Some(revision) = graph.revision(place) else { continue };
            let obsolete = revision.number != newest.number && passed(rules.obsolete_days, newest.arrived_at, now);
            let why = whole.or(obsolete.then_some(Why::Obsolete(newest.arrived_at)));
            found.extend(why.map(|why| (place, why)));
        }
    }
    orphans(graph, rules, &mut found);
    found
}

/// Members that only bundles have that are gone or could go. They are not offered by themselves.
fn orphans(graph: &Graph<'_>, rules: &Rules, found: &mut BTreeMap<usize, Why>) {
    if rules.declined_days == 0 && rules.expired_days == 0 && rules.obsolete_days == 0 {
        return;
    }
    let mut walk: Vec<usize> = found.keys().copied().collect();
    let former = graph.input.flags.iter().filter(|(_, flags)| flags.former_member).map(|(update, _)| *update);
    let mut named: Vec<u32> = former.collect();
    loop {
        while let Some(revision) = walk.pop().and_then(|place| graph.revision(place)) {
            named.extend(revision.members.iter().map(|(update, _)| *update));
        }
        let Some(update) = named.pop() else { return };
        let Some(newest) = graph.newest(update) else { continue };
        if newest.deployable || !Graph::is_payload(newest) || graph.flags(update).protected {
            continue;
        }
        for place in graph.of(update) {
            if let std::collections::btree_map::Entry::Vacant(place_of) = found.entry(place) {
                place_of.insert(Why::Orphan);
                walk.push(place);
            }
        }
    }
}

/// Candidates that must stay, with the reason.
fn reached(graph: &Graph<'_>, candidates: &BTreeMap<usize, Why>, links: &BTreeMap<u32, u32>) -> BTreeMap<usize, Kept> {
    let mut walk = Walk { graph, candidates, kept: BTreeMap::new(), open: Vec::new() };
    for deployment in &graph.input.deployments {
        match deployment.revision.map(|number| (number, graph.exact(deployment.update, number))) {
            Some((number, Some(place))) => walk.keep(place, &Kept::Pinned(number)),
            _ => walk.keep_newest(deployment.update, &Kept::Deployed),
        }
        walk.keep_newest(deployment.update, &Kept::Deployed);
    }
    for update in &graph.input.grouped {
        walk.keep_newest(*update, &Kept::Grouped);
    }
    for (update, number) in &graph.input.expected {
        if let Some(place) = graph.exact(*update, *number) {
            walk.keep(place, &Kept::Expected);
        }
        walk.keep_newest(*update, &Kept::Expected);
    }
    for (between, update) in links {
        walk.keep_newest(*between, &Kept::Reason(*update));
    }
    for place in 0..graph.input.revisions.len() {
        if !candidates.contains_key(&place) {
            walk.open.push(place);
        }
    }
    walk.run()
}

struct Walk<'w> {
    graph: &'w Graph<'w>,
    candidates: &'w BTreeMap<usize, Why>,
    kept: BTreeMap<usize, Kept>,
    /// Revisions that stay and whose needs were not looked at.
    open: Vec<usize>,
}

impl Walk<'_> {
    fn keep(&mut self, place: usize, why: &Kept) {
        if self.candidates.contains_key(&place) && !self.kept.contains_key(&place) {
            self.kept.insert(place, why.clone());
            self.open.push(place);
        }
    }

    fn keep_newest(&mut self, update: u32, why: &Kept) {
        if let Some(place) = self.graph.newest_place(update) {
            self.keep(place, why);
        }
    }

    fn run(mut self) -> BTreeMap<usize, Kept> {
        let mut looked: BTreeSet<usize> = BTreeSet::new();
        while let Some(place) = self.open.pop() {
            let Some(revision) = self.graph.revision(place).filter(|_| looked.insert(place)) else { continue };
            for needed in self.graph.needs(revision) {
                self.keep(needed, &Kept::NeededBy(revision.update));
            }
            if let Some(by) = self.declined_for(revision) {
                self.keep_newest(by, &Kept::Reason(revision.update));
            }
        }
        self.kept
    }

    /// What a declined update was declined for, as long as that is what it says.
    fn declined_for(&self, revision: &Revision) -> Option<u32> {
        let flags = self.graph.flags(revision.update);
        flags.declined_at.and(flags.declined_for)
    }
}
