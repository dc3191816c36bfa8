//! The verdicts on a batch of updates.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::{Action, Facts, Rule};
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
        let superseder = if by_supersedence.is_empty() { None } else { earliest(update, &gone) };
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

/// When the first update that supersedes this one, and stays, was created; none if there is none.
fn earliest(update: &Facts, gone: &HashSet<UpdateId>) -> Option<Option<Timestamp>> {
    let staying =
        update.superseded_by.iter().filter(|superseder| !superseder.withdrawn && !gone.contains(&superseder.update));
    // a time that is known comes before none
    staying.map(|superseder| superseder.created_at).min_by_key(|created| (created.is_none(), *created))
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
    let is_root = |update: &&Facts| {
        let follows = !update.judged && !update.stored && bundles.contains_key(&update.update);
        !follows && !is_skipped(verdicts, update.update)
    };
    let mut needed: BTreeSet<UpdateId> = facts.iter().filter(is_root).map(|update| update.update).collect();
    let mut waiting: Vec<UpdateId> = needed.iter().copied().collect();
    while let Some(update) = waiting.pop().and_then(|id| by_id.get(&id)) {
        for next in update.members.iter().chain(&update.prerequisites) {
            if by_id.contains_key(next) && needed.insert(*next) {
                waiting.push(*next);
            }
        }
    }
    // what follows from a skipped bundle is told that bundle's reason; bundles nest, so go on until nothing changes
    loop {
        let mut more = Vec::new();
        for update in facts.iter().filter(|update| !needed.contains(&update.update)) {
            let above = bundles.get(&update.update).into_iter().flatten();
            let reason = above.filter_map(|bundle| verdicts.get(bundle)).find_map(|verdict| match verdict {
                Verdict::Skip(matched) => Some(matched.clone()),
                _ => None,
            });
            if let (Some(reason), None) = (reason, verdicts.get(&update.update)) {
                more.push((update.update, Verdict::Skip(reason)));
            }
        }
        if more.is_empty() {
            break;
        }
        verdicts.extend(more);
    }
    verdicts.retain(|update, verdict| !(matches!(verdict, Verdict::Skip(_)) && needed.contains(update)));
}
