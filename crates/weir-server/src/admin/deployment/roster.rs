//! What all deployments that people made are, in memory, so that lists narrow, order and count them without a look at each.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use weir_api::deployment::DeploymentStage;
use weir_model::{
    deployment::{Going, Outgoing, Stage},
    ids::{ChangeNumber, DeploymentId, UpdateId},
    targeting::DeploymentAction,
};
use weir_store::{
    ReadTx, StoreError,
    deployment::{DeployedMember, DeploymentRosterRow},
};

use crate::{
    admin::{AdminError, App},
    live::Published,
};

/// All deployments, for one state of the database and of what is published.
#[derive(Debug)]
pub(crate) struct Roster {
    version: ChangeNumber,
    published: ChangeNumber,
    pub(super) rows: Vec<Listed>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) row: DeploymentRosterRow,
    /// How the members of the group that it deploys go out; none of an update.
    pub(super) members: Vec<DeployedMember>,
    outgoing: Outgoing,
    /// Name, title and collection in lower case, each on a line.
    key: String,
}

impl Roster {
    /// Brings what is kept up to date on a task of its own, if anybody uses it.
    pub(crate) fn refresh(app: &App) {
        if app.shared().deployments.lock().is_none() {
            return;
        }
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = Self::current(&app).await {
                // the next list says so
                tracing::warn!(
                    error = crate::admin::chain(&error),
                    "the list of deployments could not be brought up to date"
                );
            }
        });
    }

    /// The deployments as they are.
    pub(crate) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let published = app.state.live.current();
        let version = app.read(|tx| tx.catalogue_version()).await?;
        let fresh = |roster: &Arc<Self>| roster.version >= version && roster.published >= published.change();
        if let Some(roster) = app.shared().deployments.lock().clone().filter(fresh) {
            return Ok(roster);
        }
        let roster = app.read(move |tx| Ok(Arc::new(Self::read(tx, &published)?))).await?;
        *app.shared().deployments.lock() = Some(Arc::clone(&roster));
        Ok(roster)
    }

    fn read(tx: &ReadTx<'_>, published: &Published) -> Result<Self, StoreError> {
        let version = tx.catalogue_version()?;
        let lacking = published.lacking();
        let mut groups: HashMap<DeploymentId, Vec<DeployedMember>> = HashMap::new();
        tx.deployed_members_each(&mut |member| groups.entry(member.of).or_default().push(member))?;
        let rows = tx.deployment_roster()?.into_iter().map(|row| {
            let members = groups.remove(&row.id).unwrap_or_default();
            let going = match row.update {
                Some(update) => {
                    let sent = row.withheld.is_none() && !lacking.contains(&update);
                    Going::of(sent, row.active, row.available_at)
                }
                None => members.iter().fold(Going::Nowhere, |going, member| {
                    let sent = member.withheld.is_none() && !lacking.contains(&member.update);
                    going.with(Going::of(sent, member.active, member.available_at))
                }),
            };
            Listed::new(row, members, going)
        });
        Ok(Self { version, published: published.change(), rows: rows.collect() })
    }
}

impl Listed {
    fn new(row: DeploymentRosterRow, members: Vec<DeployedMember>, going: Going) -> Self {
        let acts = !matches!(row.action, DeploymentAction::Block | DeploymentAction::Detect);
        let outgoing = Outgoing {
            enabled: row.enabled,
            going,
            waits_in_zones: row.local_time && acts,
            deadline: row.deadline_at.map(|at| (at, row.local_time)),
        };
        let key = format!("{}\n{}\n{}", row.name, row.title, row.collection_name).to_lowercase();
        Self { row, members, outgoing, key }
    }

    /// What it deploys: the update, or the members of the group that it was made for.
    pub(super) fn updates(&self) -> HashSet<UpdateId> {
        self.row.update.into_iter().chain(self.members.iter().map(|member| member.update)).collect()
    }

    /// What it is doing at this moment.
    pub(super) fn stage(&self, now: Timestamp) -> DeploymentStage {
        match self.outgoing.stage(now) {
            Stage::Active => DeploymentStage::Active,
            Stage::Waiting => DeploymentStage::Waiting,
            Stage::Expired => DeploymentStage::Expired,
            Stage::Disabled => DeploymentStage::Disabled,
            Stage::NotSent => DeploymentStage::NotSent,
        }
    }

    /// Whether name, title or collection have a text that is in lower case.
    pub(super) fn has(&self, text: &str) -> bool {
        self.key.contains(text)
    }

    /// What people call it: its name, else what it deploys.
    pub(super) fn called(&self) -> &str {
        if self.row.name.trim().is_empty() { &self.row.title } else { &self.row.name }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use weir_model::{ids::CollectionId, targeting::DeploymentOrigin};

    use super::*;

    #[test]
    fn deployments_are_found_by_what_people_call_them() {
        let row = DeploymentRosterRow {
            id: DeploymentId(7),
            collection: CollectionId(Uuid::from_u128(1)),
            collection_name: "Pilot".to_owned(),
            update: None,
            group: Some(Uuid::from_u128(2)),
            title: "2026-11 Security".to_owned(),
            name: String::new(),
            action: DeploymentAction::Install,
            origin: DeploymentOrigin::Local,
            available_at: Timestamp::UNIX_EPOCH,
            deadline_at: None,
            enabled: true,
            active: false,
            local_time: false,
            created_at: Timestamp::UNIX_EPOCH,
            withheld: None,
        };
        let named = DeploymentRosterRow { name: "Ring 1".to_owned(), ..row.clone() };
        let (plain, named) =
            (Listed::new(row, Vec::new(), Going::Nowhere), Listed::new(named, Vec::new(), Going::Waiting));
        assert_eq!((plain.called(), named.called()), ("2026-11 Security", "Ring 1"));
        assert!(named.has("ring 1") && named.has("security") && named.has("pilot"));
        assert_eq!(plain.stage(Timestamp::UNIX_EPOCH), DeploymentStage::NotSent, "an empty group");
        assert_eq!(named.stage(Timestamp::UNIX_EPOCH), DeploymentStage::Waiting);
    }
}
