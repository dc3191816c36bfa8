//! Modelled computers: a Windows fleet from a seed.
//!
//! A [`Fleet`] is a company's computers: operating systems, hardware, products, patch age, habits. Computer `n` of a seed
//! is always the same, whatever the size of the fleet. Installing an update on a [`FleetComputer`] changes its facts so
//! that the update's rules hold.
//!
//! Facts that many computers have in common are *archetypes* ([`archetype`]): an image of a system on a model of a
//! computer, so many months behind. Some thousand of them make a fleet of any size. A computer holds a reference to one,
//! and a layer of what changed since ([`layer`]). What rules say of an archetype is remembered ([`memo`]).
//!
//! The tables of distributions stand beside what they are about, each with its reason: [`systems`], [`hardware`],
//! [`software`], [`patches`], [`habits`], [`identity`]. They are plausible, not measured.

mod apply;
mod archetype;
mod computer;
mod dice;
mod draft;
mod habits;
mod hardware;
mod identity;
#[cfg(test)]
mod install_tests;
mod layer;
mod memo;
mod patches;
mod record;
mod sheet;
mod software;
mod systems;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

pub(crate) use self::dice::{Dice, Purpose};
use self::{
    archetype::{Archetype, VARIANTS},
    memo::Memo,
    systems::SYSTEMS,
};
pub use self::{
    computer::FleetComputer,
    habits::{Failure, Habits, Hours, Restarts},
    identity::Identity,
    software::Role,
    systems::{Architecture, Kind},
};

/// What a fleet is like, beyond its tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Target groups that computers ask for, one each; empty: those of the model, which most computers do without.
    pub groups: Vec<String>,
    /// Share of first installations that fail, 0 to 1. One in thirty is what managed fleets see.
    pub failure_rate: f64,
    /// Share of updates that want a restart, 0 to 1. Half of what a month brings does.
    pub restart_share: f64,
}

impl Default for Profile {
    fn default() -> Self {
        Self { groups: Vec::new(), failure_rate: 0.03, restart_share: 0.5 }
    }
}

/// A modelled fleet.
#[derive(Debug)]
pub struct Fleet {
    seed: u64,
    size: u64,
    profile: Profile,
    archetypes: Vec<OnceLock<Arc<Archetype>>>,
    memo: Memo,
}

impl Fleet {
    /// The fleet of a seed with so many computers.
    pub fn new(seed: u64, size: u64, profile: Profile) -> Arc<Self> {
        let archetypes = std::iter::repeat_with(OnceLock::new).take(archetypes()).collect();
        Arc::new(Self { seed, size, profile, archetypes, memo: Memo::default() })
    }

    /// How many computers it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What it is like.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Computer `number`, as it was before anything was installed; from 0 on. Numbers beyond the size are computers that
    /// a larger fleet has.
    pub fn computer(self: &Arc<Self>, number: u64) -> FleetComputer {
        let mut dice = Dice::new(self.seed, Purpose::Archetype, number);
        let drawn = dice.weighted_index(SYSTEMS, |system| system.share);
        let (position, system) = drawn.and_then(|at| Some((at, SYSTEMS.get(at)?))).unwrap_or((0, systems::FIRST));
        // few images are on many computers: the smaller of two draws
        let variant = dice.below(VARIANTS).min(dice.below(VARIANTS));
        let kind = match (system.server, dice.chance(0.58)) {
            (true, _) => Kind::Server,
            (false, true) => Kind::Laptop,
            (false, false) => Kind::Desktop,
        };
        let (age, behind) = patches::months_behind(&mut dice, system.server);
        let place =
            ((position * VARIANTS as usize + variant as usize) * KINDS + kind as usize) * patches::AGES.len() + age;
        let place_number = u32::try_from(place).unwrap_or(u32::MAX);
        let build = || Arc::new(Archetype::build(self.seed, place_number, system, variant, kind, behind));
        let archetype = self.archetypes.get(place).map_or_else(build, |slot| Arc::clone(slot.get_or_init(build)));
        FleetComputer::new(Arc::clone(self), number, kind, archetype)
    }

    fn identity(&self, number: u64, kind: Kind) -> Identity {
        identity::identity(self.seed, number, kind, &self.profile.groups)
    }

    fn habits(&self, number: u64, kind: Kind) -> Habits {
        Habits::draw(self.seed, number, kind, self.profile.failure_rate)
    }
}

/// Kinds of computers.
const KINDS: usize = 3;

/// How many archetypes there may be.
fn archetypes() -> usize {
    SYSTEMS.len() * VARIANTS as usize * KINDS * patches::AGES.len()
}
