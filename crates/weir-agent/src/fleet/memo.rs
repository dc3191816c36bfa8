//! What rules say of archetypes, remembered.
//!
//! Equal computers get equal answers, so that each rule is evaluated once for an archetype and not once for a computer. An
//! answer for an archetype holds for a computer with changes of its own as long as the rule asked for nothing that
//! changed. So each update keeps the *footprint* of its rules: hashes of every fact that they asked for on any archetype.
//! A collision of hashes costs an evaluation, never a wrong answer.

use std::{
    cell::RefCell,
    hash::{BuildHasher as _, Hash},
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    layer::{Layer, Layered},
    record::Recorder,
};
use crate::library::{Holds, Update, Verdict};

/// A footprint longer than this counts as "everything": it costs more to compare than to evaluate.
const LONGEST: usize = 2_048;

/// Facts that rules asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Footprint {
    /// Nothing yet.
    #[default]
    Nothing,
    /// These hashes, sorted.
    Some(Arc<[u32]>),
    /// So many that they are not kept.
    Everything,
}

impl Footprint {
    fn add(&mut self, asked: Vec<u32>) {
        let mut all = asked;
        match self {
            Self::Everything => return,
            Self::Nothing => {}
            Self::Some(known) if all.iter().all(|hash| known.binary_search(hash).is_ok()) => return,
            Self::Some(known) => all.extend_from_slice(known),
        }
        all.sort_unstable();
        all.dedup();
        *self = if all.len() > LONGEST { Self::Everything } else { Self::Some(all.into()) };
    }

    /// Whether one of the changed facts, sorted, was asked for.
    pub(super) fn touches(&self, changed: &[u32]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Some(known) if known.len() < changed.len() => {
                known.iter().any(|hash| changed.binary_search(hash).is_ok())
            }
            Self::Some(known) => changed.iter().any(|hash| known.binary_search(hash).is_ok()),
            Self::Everything => true,
        }
    }
}

/// The memory of a fleet.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// By archetype, then by number of the update: a packed verdict.
    verdicts: RwLock<Vec<Arc<RwLock<Vec<u8>>>>>,
    /// By number of the update.
    footprints: RwLock<Vec<Footprint>>,
}

impl Memo {
    /// The verdict of an update for a computer: from memory, or by evaluating. `changed` are the sorted hashes of what
    /// differs from its archetype.
    pub(super) fn verdict(&self, update: &Update, changed: &[u32], facts: &Layered) -> Verdict {
        let number = update.number() as usize;
        let row = self.row(facts.archetype.number as usize);
        let known = row.read().unwrap_or_else(PoisonError::into_inner).get(number).copied().and_then(unpack);
        let shared = known.unwrap_or_else(|| {
            let base = Layered { archetype: Arc::clone(&facts.archetype), layer: Layer::default() };
            let asked = RefCell::new(Vec::new());
            let verdict = update.evaluate(&Recorder { facts: &base, asked: &asked });
            {
                let mut footprints = self.footprints.write().unwrap_or_else(PoisonError::into_inner);
                grow(&mut footprints, number).add(asked.into_inner());
            }
            // after its footprint, so that whoever sees the verdict sees the footprint
            *grow(&mut row.write().unwrap_or_else(PoisonError::into_inner), number) = pack(verdict);
            verdict
        });
        if changed.is_empty() {
            return shared;
        }
        let touched = {
            let footprints = self.footprints.read().unwrap_or_else(PoisonError::into_inner);
            footprints.get(number).is_none_or(|footprint| footprint.touches(changed))
        };
        if touched { update.evaluate(facts) } else { shared }
    }

    fn row(&self, archetype: usize) -> Arc<RwLock<Vec<u8>>> {
        if let Some(row) = self.verdicts.read().unwrap_or_else(PoisonError::into_inner).get(archetype) {
            return Arc::clone(row);
        }
        let mut rows = self.verdicts.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(grow(&mut rows, archetype))
    }
}

/// The element at `index`, which comes into being if it is not there.
fn grow<T: Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize_with(index + 1, T::default);
    }
    // it was made just now
    #[expect(clippy::indexing_slicing, reason = "the line above makes it long enough")]
    &mut list[index]
}

/// Two truths in four bits each: 0 is not asked yet, then no rule, false, true, unknown.
fn pack(verdict: Verdict) -> u8 {
    let bits = |truth: Option<Holds>| match truth {
        None => 1,
        Some(Holds::No) => 2,
        Some(Holds::Yes) => 3,
        Some(Holds::Unknown) => 4,
    };
    bits(verdict.installed) << 4 | bits(verdict.installable)
}

fn unpack(packed: u8) -> Option<Verdict> {
    let truth = |bits: u8| match bits {
        1 => None,
        2 => Some(Holds::No),
        3 => Some(Holds::Yes),
        _ => Some(Holds::Unknown),
    };
    (packed != 0).then(|| Verdict { installed: truth(packed >> 4), installable: truth(packed & 0xf) })
}

/// A hash that is the same for the whole run.
pub(super) fn hash(fact: impl Hash) -> u32 {
    // the lower half is as good as the upper
    std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default().hash_one(fact) as u32
}
