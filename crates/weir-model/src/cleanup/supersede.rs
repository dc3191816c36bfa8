//! Which updates are declined because newer ones replace them (features SUPR-1, SUPR-3).
//!
//! What counts as a replacement of an update is live, is not replaced by it in turn, and names it, or names something that
//! names it and is itself not live: a chain does not break because its middle was declined.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Decline, Kept, Plan, Revision,
    graph::Graph,
    rule::{Rules, Wait},
};
use crate::ids::{CollectionId, RevisionId};

/// What makes an update superseded.
struct Found {
    /// Live updates that replace it, with when they were made, earliest first.
    by: Vec<(Timestamp, u32)>,
    /// Updates between it and them that are not live.
    between: Vec<u32>,
    /// One that it shares a circle with.
    circle: Option<u32>,
}

/// Notes what is to be declined. Returns updates that must stay for the sake of another one, which is beside it: what is
/// declined is declined for them, or what stays is superseded through them.
pub(super) fn plan(graph: &Graph<'_>, rules: &Rules, now: Timestamp, plan: &mut Plan) -> BTreeMap<u32, u32> {
    let circles = graph.circles();
    let live: Vec<&Revision> =
        graph.updates().filter(|it| Graph::is_payload(it) && it.deployable && graph.is_live(it.update)).collect();
    plan.processed = live.len() as u64;
    let wait = |newest: &Revision| {
        let feature = newest.categories.iter().any(|it| graph.input.feature_classifications.contains(it));
        (if feature { rules.features } else { rules.others }, feature)
    };
    let superseded = || live.iter().filter(|it| wait(it).0 != Wait::Off && !graph.superseders(it.update).is_empty());
    let mut wanted: BTreeMap<u32, Decline> = BTreeMap::new();
    // what others need stays, and with it what it replaces may stay
    let mut needed_by: BTreeMap<u32, u32> = BTreeMap::new();
    // a site that follows another one declines nothing itself
    let mut settled = graph.input.follows;
    while !settled {
        wanted.clear();
        // what is declined makes room for what replaces it in turn, which may replace more
        loop {
            let before = wanted.len();
            for newest in superseded() {
                let update = newest.update;
                if wanted.contains_key(&update) || needed_by.contains_key(&update) {
                    continue;
                }
                let (wait, feature) = wait(newest);
                let due = due(&find(graph, &circles, &wanted, update), wait, now);
                if let Some((since, by)) = due.first().copied()
                    && objection(graph, rules, newest, &due).is_none()
                {
                    wanted.insert(update, Decline { update, by, since, feature });
                }
            }
            if wanted.len() == before {
                break;
            }
        }
        let more = needed(graph, &wanted);
        settled = more.is_empty();
        needed_by.extend(more);
    }
    for newest in superseded().filter(|it| !graph.input.follows && !wanted.contains_key(&it.update)) {
        let found = find(graph, &circles, &wanted, newest.update);
        let (wait, _) = wait(newest);
        let due = due(&found, wait, now);
        let why = match (needed_by.get(&newest.update), found.by.first(), found.circle) {
            (Some(by), ..) => Some(Kept::NeededBy(*by)),
            (None, Some(_), _) if !due.is_empty() => objection(graph, rules, newest, &due),
            (None, Some((since, by)), _) => wait.due(*since).map(|until| Kept::Until(*by, until)),
            (None, None, circle) => circle.map(Kept::Circle),
        };
        if let Some(why) = why {
            plan.keep(newest.update, None, why);
        }
    }
    // as things will be when they are declined
    let mut links: BTreeMap<u32, u32> = wanted.values().map(|it| (it.by, it.update)).collect();
    let staying = || superseded().filter(|it| !wanted.contains_key(&it.update));
    for newest in staying() {
        let Found { by, between, .. } = find(graph, &circles, &wanted, newest.update);
        let ends = by.into_iter().map(|(_, by)| by);
        links.extend(ends.chain(between).map(|other| (other, newest.update)));
    }
    // a circle stays one, whatever becomes of what is in it
    let live_in: BTreeMap<u32, u32> = staying().filter_map(|it| Some((*circles.get(&it.update)?, it.update))).collect();
    for (update, circle) in &circles {
        links.extend(live_in.get(circle).map(|live| (*update, *live)));
    }
    plan.decline.extend(wanted.into_values());
    links
}

/// What has replaced an update for long enough.
fn due(found: &Found, wait: Wait, now: Timestamp) -> Vec<(Timestamp, u32)> {
    found.by.iter().copied().filter(|(since, _)| wait.due(*since).is_some_and(|due| due <= now)).collect()
}

/// What replaces an update, when these are declined.
fn find(graph: &Graph<'_>, circles: &BTreeMap<u32, u32>, gone: &BTreeMap<u32, Decline>, update: u32) -> Found {
    let is_live = |update: u32| graph.is_live(update) && !gone.contains_key(&update);
    let mut found = Found { by: Vec::new(), between: Vec::new(), circle: None };
    // each that the walk came to, with what it came from
    let mut from: BTreeMap<u32, u32> = graph.superseders(update).iter().map(|by| (*by, update)).collect();
    let mut walk: Vec<u32> = graph.superseders(update).to_vec();
    let mine = circles.get(&update);
    let mut direct = false;
    while let Some(by) = walk.pop() {
        let Some(newest) = graph.newest(by).filter(|_| by != update) else { continue };
        let in_circle = mine.is_some() && circles.get(&by) == mine;
        if is_live(by) && !in_circle {
            found.by.push((newest.created_at.unwrap_or(newest.arrived_at), by));
            direct |= from.get(&by) == Some(&update);
            continue;
        }
        if in_circle {
            found.circle = found.circle.or(Some(by));
        }
        for above in graph.superseders(by) {
            if !from.contains_key(above) {
                from.insert(*above, by);
                walk.push(*above);
            }
        }
    }
    if !direct {
        // while a live one names it itself, nothing between them is needed to tell
        for (_, by) in &found.by {
            let mut next = from.get(by).copied().filter(|it| *it != update);
            while let Some(between) = next {
                if !is_live(between) && !found.between.contains(&between) {
                    found.between.push(between);
                }
                next = from.get(&between).copied().filter(|it| *it != update);
            }
        }
    }
    found.by.sort_unstable();
    found
}

/// Why an update stays although it is due.
fn objection(graph: &Graph<'_>, rules: &Rules, newest: &Revision, due: &[(Timestamp, u32)]) -> Option<Kept> {
    let update = newest.update;
    if graph.flags(update).protected {
        return Some(Kept::Protected);
    }
    let deployments = graph.deployments(update);
    if let Some(number) = deployments.iter().find_map(|it| it.revision) {
        return Some(Kept::Pinned(number));
    }
    if rules.keep_until_deployed {
        let mine: BTreeSet<CollectionId> =
            deployments.iter().filter(|it| it.installs).map(|it| it.collection).collect();
        let theirs: BTreeSet<CollectionId> = due
            .iter()
            .flat_map(|(_, by)| graph.deployments(*by))
            .filter(|it| it.installs)
            .map(|it| it.collection)
            .collect();
        let mut open = mine.iter().filter(|collection| !covered(graph, **collection, &theirs));
        if let Some(first) = open.next() {
            return Some(Kept::NotDeployed(1 + open.count() as u64, *first));
        }
    }
    if rules.keep_narrower {
        let theirs: BTreeSet<u32> = due
            .iter()
            .filter_map(|(_, by)| graph.newest(*by))
            .flat_map(|newest| newest.categories.iter().copied())
            .collect();
        // what it is said to be, such as a security update, may differ: only products are compared
        let products = newest.categories.iter().filter(|it| !graph.input.classifications.contains(it));
        let mut open = products.filter(|it| !theirs.contains(it));
        if let Some(first) = open.next() {
            return Some(Kept::Narrower(1 + open.count() as u64, *first));
        }
    }
    None
}

/// A collection is covered by a deployment to it or to one that it is nested in.
fn covered(graph: &Graph<'_>, collection: CollectionId, by: &BTreeSet<CollectionId>) -> bool {
    let mut next = Some(collection);
    for _ in 0..=graph.input.parents.len() {
        match next {
            Some(here) if by.contains(&here) => return true,
            Some(here) => next = graph.input.parents.get(&here).copied(),
            None => return false,
        }
    }
    false
}

/// Which of the updates to be declined others need that stay, each with one of those. What cannot be deployed by itself
/// needs nothing unless something else needs it.
fn needed(graph: &Graph<'_>, wanted: &BTreeMap<u32, Decline>) -> BTreeMap<u32, u32> {
    let mut needed = BTreeMap::new();
    if wanted.is_empty() {
        return needed;
    }
    let stays = |it: &&Revision| {
        graph.is_live(it.update) && !wanted.contains_key(&it.update) && (it.deployable || !Graph::is_payload(it))
    };
    let mut walk: Vec<&Revision> = graph.updates().filter(stays).collect();
    let mut seen: BTreeSet<RevisionId> = walk.iter().map(|it| it.id).collect();
    while let Some(revision) = walk.pop() {
        for other in graph.needs(revision).into_iter().filter_map(|place| graph.revision(place)) {
            if other.update != revision.update && wanted.contains_key(&other.update) {
                needed.entry(other.update).or_insert(revision.update);
            }
            if seen.insert(other.id) {
                walk.push(other);
            }
        }
    }
    needed
}
