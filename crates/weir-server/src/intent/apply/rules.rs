//! Rules and phased deployments of the parent: shown here, run there.

use uuid::Uuid;
use weir_model::{phase::Plan, rule::Rule, targeting::DeploymentOrigin};
use weir_store::phased::PhasedRow;

use super::{Done, Outcome, Work, chain, free_name, same_name};
use crate::intent::{Origin, body};

impl Work<'_> {
    /// A rule of the parent is shown here and run there.
    pub(super) fn rule(&self, id: Uuid, body: body::DeploymentRule) -> Done {
        let rule = body.rule;
        if let Err(error) = rule.check() {
            return Ok(Outcome::Refused(chain(&error)));
        }
        let known = self.tx.rule_show(id)?;
        if known.is_some_and(|row| row.rule == rule && row.origin == DeploymentOrigin::Parent) {
            return Ok(Outcome::Same);
        }
        if let Some(other) = self.tx.rule_find(&rule.name)?.filter(|other| other.id != id) {
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("a rule", &rule.name))),
                Origin::Parent => {
                    let short: String = other.rule.name.chars().take(150).collect();
                    let name = free_name(&short, |name| Ok(self.tx.rule_find(name)?.is_some()))?;
                    self.tx.rule_put(other.id, &Rule { name, ..other.rule }, other.origin)?;
                }
            }
        }
        self.tx.rule_put(id, &rule, DeploymentOrigin::Parent)?;
        Ok(Outcome::Changed)
    }

    /// The same with a phased deployment.
    pub(super) fn phased(&self, id: Uuid, body: body::Phased) -> Done {
        let plan = body.plan;
        if let Err(error) = plan.check() {
            return Ok(Outcome::Refused(chain(&error)));
        }
        let same =
            |row: PhasedRow| row.plan == plan && row.group == body.group && row.origin == DeploymentOrigin::Parent;
        if self.tx.phased_show(id)?.is_some_and(same) {
            return Ok(Outcome::Same);
        }
        if let Some(other) = self.tx.phased_find(&plan.name)?.filter(|other| other.id != id) {
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("a phased deployment", &plan.name))),
                Origin::Parent => {
                    let short: String = other.plan.name.chars().take(150).collect();
                    let name = free_name(&short, |name| Ok(self.tx.phased_find(name)?.is_some()))?;
                    let renamed = Plan { name, ..other.plan };
                    self.tx.phased_put(other.id, &renamed, other.group, other.origin)?;
                }
            }
        }
        self.tx.phased_put(id, &plan, body.group, DeploymentOrigin::Parent)?;
        Ok(Outcome::Changed)
    }
}
