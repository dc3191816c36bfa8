//! What computers say of phases: one pass over all of them for everything that runs.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, UpdateId},
    phase::{Counts, Observation},
    status::{ComputerStatus, State, UpdateNumber},
};
use weir_store::{ReadTx, StoreError, phased::PhasedRow};

use crate::{
    admin::{
        collection::Tree,
        tally::{Asked, Questions, decode},
    },
    live::Live,
};

/// A phase that has started.
struct Watched {
    of: Uuid,
    at: usize,
    collection: CollectionId,
    founders: HashSet<u32>,
    updates: HashSet<UpdateNumber>,
    seen: Observation,
}

/// How computers stand with each phase that has started: of each phased deployment, one of each phase.
pub(crate) fn observe(
    tx: &ReadTx<'_>,
    live: &Live,
    rows: &[PhasedRow],
) -> Result<HashMap<Uuid, Vec<Observation>>, StoreError> {
    let tree = Tree::read(tx)?;
    let mut questions = Questions::new(live);
    let mut watched = Vec::new();
    for row in rows {
        let members = tx.update_group_show(row.group)?.map(|(_, members)| members).unwrap_or_default();
        let updates = numbers(&questions, &members);
        for start in tx.phased_starts(row.id)? {
            let at = start.phase as usize;
            let Some(phase) = row.plan.phases.get(at) else { continue };
            watched.push(Watched {
                of: row.id,
                at,
                collection: phase.collection,
                founders: start.founders.into_iter().collect(),
                updates: updates.clone(),
                seen: Observation::default(),
            });
        }
    }
    if !watched.is_empty() {
        let mut statuses = HashMap::new();
        tx.computer_status_each(&mut |no, row| {
            statuses.insert(no, row.status.clone());
            Ok(())
        })?;
        for computer in tx.computer_directory()? {
            let mut known: Option<(std::sync::Arc<[Asked]>, ComputerStatus)> = None;
            for phase in &mut watched {
                if !tree.holds(phase.collection, &computer) {
                    continue;
                }
                let (asked, status) = known.get_or_insert_with(|| {
                    let status = statuses.remove(&computer.no).map(|bytes| decode(&bytes)).unwrap_or_default();
                    (questions.of(&computer.groups), status)
                });
                let stands = standing(asked, status, &phase.updates);
                let founder = phase.founders.contains(&computer.no);
                let counts = if founder { &mut phase.seen.founders } else { &mut phase.seen.late };
                stands.count(counts);
            }
        }
    }
    let mut found: HashMap<Uuid, Vec<Observation>> =
        rows.iter().map(|row| (row.id, vec![Observation::default(); row.plan.phases.len()])).collect();
    for phase in watched {
        if let Some(slot) = found.get_mut(&phase.of).and_then(|list| list.get_mut(phase.at)) {
            *slot = phase.seen;
        }
    }
    Ok(found)
}

fn numbers(questions: &Questions, members: &[UpdateId]) -> HashSet<UpdateNumber> {
    members.iter().filter_map(|update| questions.published().status_number(*update)).collect()
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

/// An update that the computer is not asked about (declined, expired or replaced since) decides nothing; if it is asked
/// about none of them, nothing is known.
fn standing(asked: &[Asked], status: &ComputerStatus, updates: &HashSet<UpdateNumber>) -> Standing {
    let mut found = None;
    for asked in asked.iter().filter(|asked| updates.contains(&asked.number)) {
        let one = match status.state_of(asked.number, Some(asked.entered)) {
            State::Failed => return Standing::Failed,
            State::Unknown => Standing::Unknown,
            State::Installed | State::NotApplicable => Standing::Succeeded,
            State::Required | State::Downloaded | State::PendingRestart => Standing::Working,
        };
        found = Some(match (found, one) {
            (Some(Standing::Unknown), _) | (_, Standing::Unknown) => Standing::Unknown,
            (Some(Standing::Working), _) | (_, Standing::Working) => Standing::Working,
            _ => Standing::Succeeded,
        });
    }
    found.unwrap_or(Standing::Unknown)
}
