//! What computers say of phases, asked of the index: nothing that is stored of them is read.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use weir_model::{
    compliance::Seen,
    ids::UpdateId,
    phase::{Counts, Observation},
    status::State,
};
use weir_store::{ReadTx, StoreError, phased::PhasedRow};

use crate::{
    admin::{collection::Tree, tally::Who},
    live::Live,
};

/// How computers stand with each phase that has started: of each phased deployment, one of each phase.
pub(crate) fn observe(
    tx: &ReadTx<'_>,
    live: &Live,
    rows: &[PhasedRow],
) -> Result<HashMap<Uuid, Vec<Observation>>, StoreError> {
    let tree = Tree::read(tx)?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let members = tx.update_group_show(row.group)?.map(|(_, members)| members).unwrap_or_default();
        let updates: HashSet<UpdateId> = members.into_iter().collect();
        let mut phases = vec![Observation::default(); row.plan.phases.len()];
        for start in tx.phased_starts(row.id)? {
            let at = start.phase as usize;
            let (Some(phase), Some(seen)) = (row.plan.phases.get(at), phases.get_mut(at)) else { continue };
            let founders: HashSet<u32> = start.founders.into_iter().collect();
            *seen = Observation::default();
            // the index is let go between phases: others change it and ask meanwhile
            let view = live.compliance(tx)?;
            view.survey(&Who::of(&tree, phase.collection, None).members(&view), Some(&updates), &mut |computer| {
                let counts = if founders.contains(&computer.no) { &mut seen.founders } else { &mut seen.late };
                Standing::of(computer).count(counts);
            });
        }
        found.insert(row.id, phases);
    }
    Ok(found)
}

/// How one computer stands with a group of updates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    Failed,
    Succeeded,
    Unknown,
    Working,
}

impl Standing {
    /// An update that the computer is not asked about (declined, expired or replaced since) decides nothing; if it is asked
    /// about none of them, nothing is known.
    fn of(computer: &Seen<'_>) -> Self {
        if computer.has(State::Failed) {
            Self::Failed
        } else if computer.has(State::Unknown) || computer.counts.total() == 0 {
            Self::Unknown
        } else if computer.counts.needed() > 0 {
            Self::Working
        } else {
            Self::Succeeded
        }
    }

    fn count(self, counts: &mut Counts) {
        counts.targeted += 1;
        match self {
            Self::Failed => counts.failed += 1,
            Self::Succeeded => counts.succeeded += 1,
            Self::Unknown => counts.unknown += 1,
            Self::Working => {}
        }
    }
}
