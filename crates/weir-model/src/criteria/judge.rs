//! The verdicts on a batch of updates.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::{Action, Facts, Rule, rule::Since};
use crate::ids::UpdateId;

/// Which rule matched, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Matched {
    /// The rule's name.
    pub rule: String,
    /// Why it matched, in words: `it is made for ia64`.
    pub reason: String,
}

/// What becomes of an update.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Verdict {
    /// It is stored and lives.
    #[default]
    Keep,
    /// It is not stored.
    Skip(Matched),
    /// It is stored and declined.
    Decline(Matched),
}

/// The verdict on each update of a batch that is not kept. Rules that skip go before rules that decline, each in the
/// order given.
///
/// An update that only declined or skipped updates supersede counts as not superseded, unless they are declined for being
/// superseded themselves. A member of bundles is skipped if all of them are; what a kept update has as a member or names
/// as a prerequisite is not skipped, nor is what is stored already.
pub fn judge(rules: &[Rule], facts: &[Facts], now: Timestamp) -> BTreeMap<UpdateId, Verdict> {
    let mut ordered: Vec<&Rule> = rules.iter().collect();
    ordered.sort_by_key(|rule| rule.action);
    let (by_supersedence, first): (Vec<&Rule>, Vec<&Rule>) =
        ordered.iter().partition(|rule| rule.condition.superseded.is_some());

    let gone: HashSet<UpdateId> = facts
        .iter()
        .filter(|update| update.judged && first.iter().any(|rule| rule.reason(update, None, now).is_some()))
        .map(|update| update.update)
        .collect();
    let mut verdicts = BTreeMap::new();
    for update in facts.iter().filter(|update| update.judged) {
        let superseder = if by_supersedence.is_empty() { None } else { superseded(update, &gone) };
        let matched = ordered.iter().find_map(|rule| {
            if update.stored && rule.action == Action::Skip {
                return None;
            }
            let reason = rule.reason(update, superseder, now)?;
            Some((rule.action, Matched { rule: rule.name.clone(), reason }))
        });
        match matched {
            Some((Action::Skip, matched)) => verdicts.insert(update.update, Verdict::Skip(matched)),
            Some((Action::Decline, matched)) => verdicts.insert(update.update, Verdict::Decline(matched)),
            None => None,
        };
    }
    keep_what_is_needed(facts, &mut verdicts);
    verdicts
}

/// Since when an update is superseded by one that stays; none if it is not.
fn superseded(update: &Facts, gone: &HashSet<UpdateId>) -> Option<Since> {
    let staying =
        update.superseded_by.iter().filter(|superseder| !superseder.withdrawn && !gone.contains(&superseder.update));
    // a time that is known comes before none
    staying.map(|superseder| superseder.created_at.map_or(Since::Unknown, Since::Known)).min()
}

/// Takes back what would be skipped although something kept needs it, and skips members that nothing kept needs.
fn keep_what_is_needed(facts: &[Facts], verdicts: &mut BTreeMap<UpdateId, Verdict>) {
    let is_skipped =
        |verdicts: &BTreeMap<UpdateId, Verdict>, update| matches!(verdicts.get(&update), Some(Verdict::Skip(_)));
    if !facts.iter().any(|update| is_skipped(verdicts, update.update)) {
        return;
    }
    let by_id: HashMap<UpdateId, &Facts> = facts.iter().map(|update| (update.update, update)).collect();
    let mut bundles: HashMap<UpdateId, Vec<UpdateId>> = HashMap::new();
    for update in facts {
        for member in &update.members {
            bundles.entry(*member).or_default().push(update.update);
        }
    }
    let follows = |update: &Facts| !update.judged && !update.stored && bundles.contains_key(&update.update);
    let skipped: BTreeMap<UpdateId, Matched> = verdicts
        .iter()
        .filter_map(|(update, verdict)| match verdict {
            Verdict::Skip(matched) => Some((*update, matched.clone())),
            _ => None,
        })
        .collect();
    let mut needed = BTreeSet::new();
    let roots = facts.iter().filter(|update| !follows(update) && !skipped.contains_key(&update.update));
    need(&by_id, roots.map(|update| update.update).collect(), &mut needed);
    let out = loop {
        let out = followers(&by_id, &skipped, &needed, &follows);
        // what no skipped bundle leads to stays, such as bundles in a circle
        let left = facts.iter().map(|update| update.update);
        let left: Vec<UpdateId> = left.filter(|update| !needed.contains(update) && !out.contains_key(update)).collect();
        if left.is_empty() {
            break out;
        }
        need(&by_id, left, &mut needed);
    };
    verdicts.retain(|_, verdict| !matches!(verdict, Verdict::Skip(_)));
    verdicts.extend(out.into_iter().map(|(update, matched)| (update, Verdict::Skip(matched))));
}

/// Adds updates, and what they have as members or name as prerequisites, to what is needed.
fn need(by_id: &HashMap<UpdateId, &Facts>, roots: Vec<UpdateId>, needed: &mut BTreeSet<UpdateId>) {
    let mut waiting = roots;
    while let Some(id) = waiting.pop() {
        let Some(update) = by_id.get(&id).filter(|_| needed.insert(id)) else { continue };
        waiting.extend(update.members.iter().chain(&update.prerequisites));
    }
}

/// The skipped updates that nothing needs, and below them the members that nothing needs, each with the reason of the
/// bundle that led to it.
fn followers(
    by_id: &HashMap<UpdateId, &Facts>,
    skipped: &BTreeMap<UpdateId, Matched>,
    needed: &BTreeSet<UpdateId>,
    follows: &dyn Fn(&Facts) -> bool,
) -> BTreeMap<UpdateId, Matched> {
    let mut out: BTreeMap<UpdateId, Matched> =
        skipped.iter().filter(|(id, _)| !needed.contains(id)).map(|(id, matched)| (*id, matched.clone())).collect();
    let mut waiting: Vec<UpdateId> = out.keys().copied().collect();
    while let Some(id) = waiting.pop() {
        let (Some(bundle), Some(matched)) = (by_id.get(&id), out.get(&id).cloned()) else { continue };
        for member in &bundle.members {
            let can = by_id.get(member).is_some_and(|member| follows(member));
            if can && !needed.contains(member) && !out.contains_key(member) {
                out.insert(*member, matched.clone());
                waiting.push(*member);
            }
        }
    }
    out
}
