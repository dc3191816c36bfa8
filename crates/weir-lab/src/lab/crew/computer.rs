//! A modelled computer that says by policy to which collection it belongs.

use std::{borrow::Cow, ops::Deref};

use jiff::Timestamp;
use weir_agent::{
    computer::{Computer, Description, Installable, Installed},
    fleet::{FleetComputer, Kind},
    library::{Update, Verdict},
};
use weir_model::applicability::Facts;

/// The collection of servers.
pub(super) const SERVERS: &str = "Servers";
/// The collection of what people work at.
pub(super) const WORKSTATIONS: &str = "Workstations";

/// A computer of the lab.
#[derive(Debug)]
pub(super) struct LabComputer(FleetComputer);

impl LabComputer {
    pub(super) fn new(computer: FleetComputer) -> Self {
        Self(computer)
    }

    pub(super) fn set_time(&mut self, now: Timestamp) {
        self.0.set_time(now);
    }
}

impl Deref for LabComputer {
    type Target = FleetComputer;

    fn deref(&self) -> &FleetComputer {
        &self.0
    }
}

impl Computer for LabComputer {
    fn description(&self) -> Cow<'_, Description> {
        let mut description = self.0.description().into_owned();
        let group = if self.0.kind() == Kind::Server { SERVERS } else { WORKSTATIONS };
        description.target_group = Some(group.to_owned());
        Cow::Owned(description)
    }

    fn facts(&self) -> &dyn Facts {
        self.0.facts()
    }

    fn evaluate(&self, update: &Update) -> Verdict {
        self.0.evaluate(update)
    }

    fn install(&mut self, update: &Installable<'_>) -> Installed {
        self.0.install(update)
    }

    fn uninstall(&mut self, update: &Installable<'_>) -> Installed {
        self.0.uninstall(update)
    }

    fn restart(&mut self) -> bool {
        self.0.restart()
    }
}
