//! What decides about the deployments of a scope, in two numbers that outlast a snapshot: computers carry them in their cookies.
//!
//! A computer that comes again in other collections must hear of every entry that is another one than it was told. Most moves change
//! none: so a scope has a number for each of two reasons why the changes since the last scan are enough.
//!
//! * *The same branches*, as far as something is deployed to their collections. What else lies on a branch decides nothing
//!   ([`crate::targeting::winner`]). An update for which these collections had the same deployments then and now has the same
//!   winner; where one came, changed or left since, the update has a change of that time in the scope of today. (Where one left a
//!   collection to which nothing is deployed any more, the number is another one.)
//! * *The same winners*: entries follow from the deployment that wins, whatever it won against.
//!
//! Whether only deployed updates are sent is part of both. Maintenance windows and zones are none of it; they have a mark of their
//! own ([`super::Known`]). What is global, such as IsLeaf, is announced by its changes to everybody.

use std::collections::BTreeSet;

use super::deployed::Deployed;
use crate::{fnv::Fnv, ids::CollectionId, targeting::Deployment};

/// See above.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Decided {
    /// Of the branches, as far as something is deployed there; 0 is unknown and the same as nothing.
    pub branches: u64,
    /// Of the deployments that win; 0 is unknown and the same as nothing.
    pub winners: u64,
}

impl Decided {
    /// `winners` in any order.
    pub(super) fn new<'d>(
        deployed: &Deployed,
        branches: &[Vec<CollectionId>],
        winners: impl Iterator<Item = &'d Deployment>,
        approved_only: bool,
    ) -> Self {
        let mut start = Fnv::default();
        start.bytes(&[u8::from(approved_only)]);
        let mut of_branches = start;
        let deciding = |path: &Vec<CollectionId>| -> Vec<CollectionId> {
            path.iter().copied().filter(|collection| deployed.is_deployed_to(*collection)).collect()
        };
        let paths: BTreeSet<Vec<CollectionId>> =
            branches.iter().map(deciding).filter(|path| !path.is_empty()).collect();
        for path in paths {
            for collection in path {
                of_branches.bytes(collection.0.as_bytes());
            }
            // no id is empty: here a branch ends
            of_branches.bytes(&[]);
        }
        let mut winners: Vec<&Deployment> = winners.collect();
        winners.sort_unstable_by_key(|it| it.id);
        let mut of_winners = start;
        for it in winners {
            take(&mut of_winners, it);
        }
        Self { branches: of_branches.0.max(1), winners: of_winners.0.max(1) }
    }

    /// Whether a computer of this scope that was told the entries of another one, `told`, has to hear of changes since then only.
    pub fn agrees(self, told: Self) -> bool {
        let same = |now: u64, then: u64| now != 0 && now == then;
        same(self.branches, told.branches) || same(self.winners, told.winners)
    }

    /// What is known of a computer that was told some entries of the one and some of the other.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        let both = |one: u64, other: u64| if one == other { one } else { 0 };
        Self { branches: both(self.branches, other.branches), winners: both(self.winners, other.winners) }
    }
}

/// All that an entry, or what the time of day makes of it, has of a deployment.
fn take(hash: &mut Fnv, deployment: &Deployment) {
    let Deployment {
        id,
        update_id,
        revision,
        collection,
        action,
        active,
        available,
        deadline,
        timing,
        run_minutes,
        changed,
        changed_at,
    } = deployment;
    hash.bytes(&id.0.to_le_bytes());
    hash.bytes(update_id.0.as_bytes());
    hash.bytes(&revision.map_or(-1, |it| i64::from(it.0)).to_le_bytes());
    hash.bytes(collection.0.as_bytes());
    let flags = [*active, timing.local_time, timing.outside_windows, timing.hold_until_window];
    hash.bytes(&[*action as u8]);
    hash.bytes(&flags.map(u8::from));
    hash.bytes(&available.as_nanosecond().to_le_bytes());
    match deadline {
        Some(deadline) => hash.bytes(&deadline.as_nanosecond().to_le_bytes()),
        None => hash.bytes(&[]),
    }
    hash.bytes(&run_minutes.to_le_bytes());
    hash.bytes(&changed.0.to_le_bytes());
    hash.bytes(&changed_at.as_nanosecond().to_le_bytes());
}
