//! What came from a parent, when there is none any more.

use weir_model::targeting::DeploymentOrigin;

use crate::{StoreError, WriteTx, codec::args, intent::IntentOrigin, sql::statements};

statements! {
    SITES_DEPLOYMENTS_OWN: "making the parent's deployments this site's own" =
        "UPDATE deployment SET origin = ?1 WHERE origin = ?2";
    SITES_WINDOWS_OWN: "making the parent's maintenance windows this site's own" =
        "UPDATE maintenance_window SET origin = ?1, change = ?3 WHERE origin = ?2";
    SITES_RULES_OWN: "making the parent's rules this site's own" =
        "UPDATE rule SET origin = ?1, change = ?3 WHERE origin = ?2";
    SITES_PHASED_OWN: "making the parent's phased deployments this site's own" =
        "UPDATE phased SET origin = ?1, change = ?3 WHERE origin = ?2";
    SITES_SEARCHES_OWN: "making the parent's saved searches this site's own" =
        "UPDATE saved_search SET origin = ?1, change = ?3 WHERE origin = ?2";
    SITES_TEMPLATES_OWN: "making the parent's templates this site's own" =
        "UPDATE deployment_template SET origin = ?1, change = ?3 WHERE origin = ?2";
    SITES_CRITERIA_OWN: "making the parent's criteria this site's own" =
        "UPDATE criterion SET origin = ?1, change = ?3 WHERE origin = ?2";
    SITES_CLIENT_SETTINGS_OWN: "making the parent's client settings this site's own" =
        "UPDATE client_settings SET origin = ?1, change = ?3 WHERE origin = ?2";
    SITES_INTENT_OWN: "making the parent's decisions this site's own" =
        "UPDATE intent_object SET origin = ?1 WHERE origin = ?2";
}

impl WriteTx<'_> {
    /// Makes deployments that came from a parent this site's own.
    pub fn sites_deployments_own(&self) -> Result<(), StoreError> {
        self.run(&SITES_DEPLOYMENTS_OWN, args![DeploymentOrigin::Local, DeploymentOrigin::Parent])?;
        Ok(())
    }

    /// Makes everything else that the parent decided this site's own. Its rules run here from now on, not for what was due
    /// before.
    pub fn sites_decisions_own(&self) -> Result<(), StoreError> {
        let (own, parent) = (DeploymentOrigin::Local, DeploymentOrigin::Parent);
        for row in self.rule_list()?.into_iter().filter(|row| row.origin == parent) {
            self.rule_done_until(row.id, self.actor().at)?;
        }
        let change = self.change_next()?;
        for statement in [
            &SITES_WINDOWS_OWN,
            &SITES_RULES_OWN,
            &SITES_PHASED_OWN,
            &SITES_SEARCHES_OWN,
            &SITES_TEMPLATES_OWN,
            &SITES_CRITERIA_OWN,
            &SITES_CLIENT_SETTINGS_OWN,
        ] {
            self.run(statement, args![own, parent, change])?;
        }
        self.run(&SITES_INTENT_OWN, args![IntentOrigin::Local, IntentOrigin::Parent])?;
        Ok(())
    }
}
