//! One modelled computer.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use weir_model::{
    applicability::{Bounds, Change, Context, Facts, refute, satisfy},
    ids::{ComputerId, UpdateId},
};

use super::{
    Fleet,
    archetype::Archetype,
    dice::{Dice, Purpose},
    habits::{Failure, Habits},
    identity::Identity,
    layer::{Layer, Layered},
    software::Role,
    systems::{Architecture, Kind},
};
use crate::{
    computer::{Computer, Description, Installable, Installed},
    library::{Update, Verdict},
};

/// E_NOTIMPL: the rules of the update ask for something that no change of facts brings about.
const NOT_MODELLED: u32 = 0x8000_4001;

/// A modelled computer: facts, and what installing does to them. Without changes of its own it takes some hundred bytes.
#[derive(Clone, Debug)]
pub struct FleetComputer {
    fleet: Arc<Fleet>,
    number: u64,
    kind: Kind,
    facts: Layered,
    /// Hashes of what differs from the archetype, sorted.
    changed: Box<[u32]>,
    rest: Option<Box<Rest>>,
    now: Option<Timestamp>,
}

/// What few computers have.
#[derive(Clone, Debug, Default)]
struct Rest {
    /// Becomes effective with the next restart.
    waiting: Option<Layer>,
    /// When it restarts, if it waits for it and knows the time.
    restart_at: Option<Timestamp>,
    /// Failed attempts by update.
    attempts: BTreeMap<UpdateId, u32>,
}

impl FleetComputer {
    pub(super) fn new(fleet: Arc<Fleet>, number: u64, kind: Kind, archetype: Arc<Archetype>) -> Self {
        let facts = Layered { archetype, layer: Layer::default() };
        Self { fleet, number, kind, facts, changed: Box::default(), rest: None, now: None }
    }

    /// Its number in the fleet.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What it is used for.
    pub fn role(&self) -> Role {
        self.archetype().role
    }

    /// Its processor architecture.
    pub fn architecture(&self) -> Architecture {
        self.archetype().architecture
    }

    /// Its operating system as people call it, such as `Windows 11 Enterprise 24H2`.
    pub fn system_name(&self) -> String {
        let system = self.archetype().system;
        format!("{} {} {}", system.name, self.archetype().edition.suffix, system.release).trim_end().to_owned()
    }

    /// Who it is.
    pub fn identity(&self) -> Identity {
        self.fleet.identity(self.number, self.kind)
    }

    /// How it and its user behave.
    pub fn habits(&self) -> Habits {
        self.fleet.habits(self.number, self.kind)
    }

    /// Tells it the time. Without one it restarts whenever it is asked to.
    pub fn set_time(&mut self, now: Timestamp) {
        self.now = Some(now);
    }

    /// Whether something that was installed waits for a restart.
    pub fn waits_for_restart(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.waiting.is_some())
    }

    /// When it restarts, if it waits for that and knows the time.
    pub fn restart_at(&self) -> Option<Timestamp> {
        self.rest.as_ref()?.restart_at
    }

    pub(super) fn archetype(&self) -> &Archetype {
        &self.facts.archetype
    }

    /// Whether this attempt fails; counts it.
    fn fails(&mut self, update: UpdateId) -> Option<Failure> {
        let attempt = self.rest.as_ref().and_then(|rest| rest.attempts.get(&update)).copied().unwrap_or(0);
        let failure = self.habits().failure(update, attempt)?;
        self.rest.get_or_insert_default().attempts.insert(update, attempt.saturating_add(1));
        Some(failure)
    }

    /// Whether an update wants a restart. All computers agree which do.
    fn wants_restart(&self, update: UpdateId) -> bool {
        let (high, low) = update.0.as_u64_pair();
        Dice::new(high ^ low, Purpose::Other, 0).chance(self.fleet.profile().restart_share)
    }

    /// Makes the rules of the parts of an update say `wanted`.
    fn change(&mut self, update: &Installable<'_>, wanted: bool) -> Installed {
        let deployed = update.identity().update_id;
        if let Some(failure) = self.fails(deployed) {
            return Installed::Failed(failure.hresult.cast_signed());
        }
        let restart = self.wants_restart(deployed);
        // what becomes effective with a restart stands on what waits for it already
        let waiting = self.rest.as_ref().and_then(|rest| rest.waiting.clone());
        let mut facts = Layered {
            archetype: Arc::clone(&self.facts.archetype),
            layer: waiting.filter(|_| restart).unwrap_or_else(|| self.facts.layer.clone()),
        };
        let mut all = Vec::new();
        for part in update.parts() {
            let Some(changes) = satisfied(part, wanted, &facts) else {
                return Installed::Failed(NOT_MODELLED.cast_signed());
            };
            facts.apply(changes.iter().cloned());
            all.extend(changes);
        }
        if restart {
            let restart_at = self.now.map(|now| self.habits().restart_after(now));
            let rest = self.rest.get_or_insert_default();
            rest.waiting = Some(facts.layer);
            rest.restart_at = restart_at;
            return Installed::AfterRestart;
        }
        if let Some(waiting) = self.rest.as_mut().and_then(|rest| rest.waiting.as_mut()) {
            for change in all {
                waiting.apply(&self.facts.archetype, change);
            }
        }
        self.become_effective(facts.layer);
        Installed::Done
    }

    fn become_effective(&mut self, layer: Layer) {
        self.changed = layer.changed();
        self.facts.layer = layer;
    }
}

impl Computer for FleetComputer {
    fn description(&self) -> Cow<'_, Description> {
        let identity = self.identity();
        let archetype = self.archetype();
        let (major, minor, build) = self.facts.system().version.unwrap_or(archetype.system.version);
        let version = [major, minor, build, archetype.revision].map(|number| i32::try_from(number).unwrap_or(i32::MAX));
        let mut description = Description::new(ComputerId::from(identity.client_id), identity.dns_name, version);
        description.target_group = identity.target_group;
        description.service_pack = [archetype.system.service_pack.cast_signed(), 0];
        archetype.language.1.clone_into(&mut description.locale);
        description.locale_id = i32::from(archetype.language.2);
        archetype.model.manufacturer.clone_into(&mut description.manufacturer);
        archetype.model.name.clone_into(&mut description.model);
        archetype.model.bios_version.clone_into(&mut description.bios_version);
        archetype.model.manufacturer.clone_into(&mut description.bios_name);
        let midnight = archetype.model.bios_date.to_zoned(TimeZone::UTC);
        description.bios_date = midnight.map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp());
        description.architecture = Cow::Borrowed(archetype.architecture.name());
        description.suite_mask = archetype.edition.suite_mask.cast_signed();
        description.product_type = archetype.facts.product_type.and_then(|kind| u8::try_from(kind).ok()).unwrap_or(1);
        description.edition = archetype.edition.product_info;
        description.os_name = archetype.system.product_name(&archetype.edition);
        Cow::Owned(description)
    }

    fn facts(&self) -> &dyn Facts {
        &self.facts
    }

    fn evaluate(&self, update: &Update) -> Verdict {
        self.fleet.memo.verdict(update, &self.changed, &self.facts)
    }

    fn install(&mut self, update: &Installable<'_>) -> Installed {
        self.change(update, true)
    }

    fn uninstall(&mut self, update: &Installable<'_>) -> Installed {
        self.change(update, false)
    }

    fn restart(&mut self) -> bool {
        let Some(rest) = &mut self.rest else { return true };
        if let (Some(now), Some(at)) = (self.now, rest.restart_at)
            && now < at
        {
            return false;
        }
        rest.restart_at = None;
        if let Some(layer) = rest.waiting.take() {
            self.become_effective(layer);
        }
        true
    }
}

/// What has to change for the IsInstalled rule of an update to say `wanted`; none if nothing brings that about. A bundle
/// has no rule: its members say it all.
fn satisfied(part: &Update, wanted: bool, facts: &Layered) -> Option<Vec<Change>> {
    let core = part.core();
    let mut changes = Vec::new();
    if let Some(rule) = &core.rules.is_installed {
        let context = Context::from(core);
        let solve = if wanted { satisfy } else { refute };
        changes = solve(rule.expr()?, facts, &context, &Bounds::default()).ok()?;
    }
    if wanted {
        changes.push(Change::SetInstalledOnce(core.identity.update_id));
    }
    Some(changes)
}
