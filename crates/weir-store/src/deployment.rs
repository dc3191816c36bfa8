//! Deployments. What follows from the deployment of a group is in [`expanded`], lists of them are in `list`, and what lists are narrowed
//! by in `roster`.

mod expanded;
mod list;
mod roster;
#[cfg(test)]
pub(crate) use expanded::STATEMENTS as EXPANDED_STATEMENTS;
pub use expanded::{Expanded, expanded_guid};
#[cfg(test)]
pub(crate) use list::STATEMENTS as LIST_STATEMENTS;
pub use list::{DeploymentFilter, Rows};
#[cfg(test)]
pub(crate) use roster::STATEMENTS as ROSTER_STATEMENTS;
pub use roster::{DeployedMember, DeploymentRosterRow, Withheld};

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    deployment::{Settings, Terms},
    ids::{ChangeNumber, CollectionId, DeploymentId, RevisionNumber, UpdateId},
    targeting::{DeploymentAction, DeploymentOrigin},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// What is deployed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deployed {
    /// An update group.
    Group(Uuid),
    /// One update, pinned to a revision or following the newest.
    Update {
        /// The update.
        id: UpdateId,
        /// Only this revision.
        revision: Option<RevisionNumber>,
    },
}

/// A deployment to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewDeployment {
    /// By which other servers know it: new and random, or that of the parent's deployment.
    pub guid: Uuid,
    /// What.
    pub deployed: Deployed,
    /// To whom.
    pub collection: CollectionId,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Install or uninstall not later than this.
    pub deadline_at: Option<Timestamp>,
    /// Who made it.
    pub origin: DeploymentOrigin,
    /// It may go out at once (its files are here and its time has come); otherwise a later
    /// [`WriteTx::deployment_set_active`] says so.
    pub active: bool,
    /// Its name, its settings.
    pub terms: Terms,
}

/// A deployment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeploymentRow {
    /// Its number.
    pub id: DeploymentId,
    /// By which other servers know it.
    pub guid: Uuid,
    /// What.
    pub deployed: Deployed,
    /// Title of the update's newest revision, or the group's name.
    pub title: String,
    /// To whom.
    pub collection: CollectionId,
    /// The collection's name.
    pub collection_name: String,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Install or uninstall not later than this.
    pub deadline_at: Option<Timestamp>,
    /// An administrator may switch it off.
    pub enabled: bool,
    /// It goes out with its action.
    pub active: bool,
    /// Who made it.
    pub origin: DeploymentOrigin,
    /// Its last change.
    pub change: ChangeNumber,
    /// When.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// The deployment of a group that it follows from; its terms are that one's, times apart.
    pub expanded_from: Option<DeploymentId>,
    /// Its name, its settings.
    pub terms: Terms,
}

/// What decides whether a deployment goes out, without names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeploymentDue {
    /// Which.
    pub id: DeploymentId,
    /// An administrator has not switched it off.
    pub enabled: bool,
    /// It goes out with its action.
    pub active: bool,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Its update is stopped.
    pub stopped: bool,
}

statements! {
    DEPLOYMENT_SHOW: "reading a deployment" =
        "SELECT d.deployment_id, u.update_id, d.revision, d.group_id, coalesce(r.title, g.name, ''), d.collection_id,
             c.name, d.action, d.available_at, d.deadline_at, d.enabled, d.active, d.origin, d.change, d.changed_at,
             d.changed_by, d.created_at, d.created_by, d.guid, d.expanded_from, d.name, d.description, d.source_id,
             d.local_time, d.outside_windows, d.hold_until_window, d.settings
         FROM deployment d JOIN collection c ON c.collection_id = d.collection_id
             LEFT JOIN updates u ON u.update_no = d.update_no
             LEFT JOIN revision r ON r.revision_id = u.newest_revision_id
             LEFT JOIN update_group g ON g.group_id = d.group_id
         WHERE d.deployment_id = ?1";
    DEPLOYMENT_DUE: "looking what deployments wait for" =
        "SELECT d.deployment_id, d.enabled, d.active, d.action, d.available_at,
             CASE WHEN s.update_no IS NULL THEN 0 ELSE 1 END
         FROM deployment d LEFT JOIN update_stop s ON s.update_no = d.update_no
         WHERE d.update_no IS NOT NULL ORDER BY d.deployment_id";
    DEPLOYMENT_NAMED: "looking for a deployment by name" =
        "SELECT deployment_id FROM deployment WHERE name_key = ?1 ORDER BY deployment_id LIMIT 1";
    DEPLOYMENT_NAMES: "listing names of deployments" =
        "SELECT name_key FROM deployment WHERE name_key >= ?1 AND name_key < ?2";
    DEPLOYMENT_SOURCED: "listing deployments that a rule made" =
        "SELECT deployment_id FROM deployment WHERE source_id = ?1 AND expanded_from IS NULL ORDER BY deployment_id";
    DEPLOYMENT_EXISTING: "looking for a deployment of the same update" =
        "SELECT deployment_id FROM deployment WHERE update_no = ?1 AND collection_id = ?2 AND expanded_from IS NULL
         ORDER BY deployment_id";
    DEPLOYMENT_EXISTING_GROUP: "looking for a deployment of the same group" =
        "SELECT deployment_id FROM deployment WHERE group_id = ?1 AND collection_id = ?2";
    DEPLOYMENT_CREATE: "making a deployment" =
        "INSERT INTO deployment (update_no, revision, group_id, collection_id, action, available_at, deadline_at,
             enabled, active, origin, change, changed_at, changed_by, created_at, created_by, guid, name, name_key,
             description, source_id, local_time, outside_windows, hold_until_window, settings)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11, ?12, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
             ?21)
         RETURNING deployment_id";
    DEPLOYMENT_ACTIVE: "activating a deployment" =
        "UPDATE deployment SET active = ?2, change = ?3, changed_at = ?4, changed_by = ?5 WHERE deployment_id = ?1";
    DEPLOYMENT_ENABLED: "switching a deployment" =
        "UPDATE deployment SET enabled = ?2, change = ?3, changed_at = ?4, changed_by = ?5 WHERE deployment_id = ?1";
    DEPLOYMENT_CHANGE: "changing a deployment" =
        "UPDATE deployment SET action = ?2, available_at = ?3, deadline_at = ?4, change = ?5, changed_at = ?6,
             changed_by = ?7
         WHERE deployment_id = ?1";
    DEPLOYMENT_TERMS: "changing the terms of a deployment" =
        "UPDATE deployment SET name = ?2, name_key = ?3, description = ?4, source_id = ?5, local_time = ?6,
             outside_windows = ?7, hold_until_window = ?8, settings = ?9, change = ?10, changed_at = ?11, changed_by = ?12
         WHERE deployment_id = ?1";
    DEPLOYMENT_DELETE: "deleting a deployment" = "DELETE FROM deployment WHERE deployment_id = ?1";
    DEPLOYMENT_RETIRE: "noting a deleted deployment" =
        "INSERT INTO retired_deployment (change, deployment_id, update_no, collection_id, retired_at, retired_by,
             guid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
}

/// Settings as they are stored.
pub(crate) fn settings_text(settings: &Settings) -> Result<String, StoreError> {
    serde_json::to_string(settings)
        .map_err(|error| StoreError::Corrupt { what: format!("the settings of a deployment: {error}") })
}

fn terms(row: &Row<'_>, at: usize) -> Result<Terms, StoreError> {
    let settings = serde_json::from_str(row.str(at + 6)?)
        .map_err(|error| StoreError::Corrupt { what: format!("the settings of a deployment: {error}") })?;
    Ok(Terms {
        name: row.opt_text(at)?,
        description: row.opt_text(at + 1)?.unwrap_or_default(),
        source_id: row.opt(at + 2, Row::uuid)?,
        local_time: row.bool(at + 3)?,
        outside_windows: row.bool(at + 4)?,
        hold_until_window: row.bool(at + 5)?,
        settings,
    })
}

/// A name as it is compared.
fn name_key(terms: &Terms) -> Option<String> {
    terms.name.as_deref().map(weir_model::name::key)
}

/// Deployment ids share the wire's number space with what is derived from revision numbers (from 0x4000_0000 on).
const LAST_ID: i32 = 0x3FFF_FFFF;

fn deployment(row: &Row<'_>) -> Result<DeploymentRow, StoreError> {
    let deployed = match row.opt(1, Row::update_id)? {
        Some(id) => Deployed::Update { id, revision: row.opt_int(2)?.map(RevisionNumber) },
        None => Deployed::Group(row.uuid(3)?),
    };
    Ok(DeploymentRow {
        id: DeploymentId(row.int(0)?),
        guid: row.uuid(18)?,
        deployed,
        title: row.str(4)?.trim().to_owned(),
        collection: row.collection_id(5)?,
        collection_name: row.text(6)?,
        action: row.coded(7)?,
        available_at: row.time(8)?,
        deadline_at: row.opt_time(9)?,
        enabled: row.bool(10)?,
        active: row.bool(11)?,
        origin: row.coded(12)?,
        change: row.change(13)?,
        changed_at: row.time(14)?,
        changed_by: row.text(15)?,
        created_at: row.time(16)?,
        created_by: row.text(17)?,
        expanded_from: row.opt_int(19)?.map(DeploymentId),
        terms: terms(row, 20)?,
    })
}

impl ReadTx<'_> {
    /// One deployment.
    pub fn deployment_show(&self, id: DeploymentId) -> Result<Option<DeploymentRow>, StoreError> {
        self.first(&DEPLOYMENT_SHOW, args![id], deployment)
    }

    pub(crate) fn deployment_required(&self, id: DeploymentId) -> Result<DeploymentRow, StoreError> {
        self.deployment_show(id)?.ok_or_else(|| StoreError::Missing { kind: "deployment", id: id.to_string() })
    }

    /// What decides of each deployment of an update whether it goes out, by number.
    pub fn deployments_due(&self) -> Result<Vec<DeploymentDue>, StoreError> {
        self.all(&DEPLOYMENT_DUE, args![], |row| {
            Ok(DeploymentDue {
                id: DeploymentId(row.int(0)?),
                enabled: row.bool(1)?,
                active: row.bool(2)?,
                action: row.coded(3)?,
                available_at: row.time(4)?,
                stopped: row.bool(5)?,
            })
        })
    }

    /// The deployment of that name, without regard to case.
    pub fn deployment_named(&self, name: &str) -> Result<Option<DeploymentId>, StoreError> {
        let key = weir_model::name::key(name);
        self.first(&DEPLOYMENT_NAMED, args![&key], |row| Ok(DeploymentId(row.int(0)?)))
    }

    /// Names of deployments that begin with this, in lower case.
    pub fn deployment_names(&self, beginning: &str) -> Result<BTreeSet<String>, StoreError> {
        let key = beginning.to_lowercase();
        let end = format!("{key}\u{10ffff}");
        Ok(self.all(&DEPLOYMENT_NAMES, args![&key, &end], |row| row.text(0))?.into_iter().collect())
    }

    /// Deployments that a rule or a phased deployment made, by number.
    pub fn deployments_of_source(&self, source: Uuid) -> Result<Vec<DeploymentId>, StoreError> {
        self.all(&DEPLOYMENT_SOURCED, args![source], |row| Ok(DeploymentId(row.int(0)?)))
    }
}

impl WriteTx<'_> {
    /// Makes a deployment; of a group, with what follows from it for each member. [`StoreError::DeploymentExists`] if the
    /// same is deployed to the same collection.
    pub fn deployment_create(&self, new: &NewDeployment) -> Result<DeploymentId, StoreError> {
        let collection = self.collection_show(new.collection)?.ok_or(StoreError::UnknownCollection(new.collection))?;
        let (update_no, revision, group, existing) = match new.deployed {
            Deployed::Group(group) => {
                let values = args![group, new.collection];
                (None, None, Some(group), self.first(&DEPLOYMENT_EXISTING_GROUP, values, |row| row.int(0))?)
            }
            Deployed::Update { id, revision } => {
                let update_no = self.update_no(id)?.ok_or(StoreError::UnknownUpdate(id))?;
                let values = args![update_no, new.collection];
                (Some(update_no), revision, None, self.first(&DEPLOYMENT_EXISTING, values, |row| row.int(0))?)
            }
        };
        // a parent may have several for one update and collection
        if let Some(existing) = existing.filter(|_| new.origin != DeploymentOrigin::Parent) {
            return Err(StoreError::DeploymentExists { existing: DeploymentId(existing), collection: collection.name });
        }
        let (actor, key, settings) = (self.actor(), name_key(&new.terms), settings_text(&new.terms.settings)?);
        // what goes out of a group are its members
        let active = new.active && group.is_none();
        let values = args![
            update_no,
            revision,
            group,
            new.collection,
            new.action,
            new.available_at,
            new.deadline_at,
            active,
            new.origin,
            self.change_next()?,
            actor.at,
            &actor.name,
            new.guid,
            new.terms.name.as_deref(),
            key.as_deref(),
            &new.terms.description,
            new.terms.source_id,
            new.terms.local_time,
            new.terms.outside_windows,
            new.terms.hold_until_window,
            &settings,
        ];
        let id: i32 = self.one(&DEPLOYMENT_CREATE, values, |row| row.int(0))?;
        if id > LAST_ID {
            return Err(StoreError::Exhausted("deployment number"));
        }
        if group.is_some() {
            self.deployment_expand(DeploymentId(id))?;
        }
        Ok(DeploymentId(id))
    }

    /// Gives a deployment another name, other settings. True if that changed something.
    pub fn deployment_terms_put(&self, id: DeploymentId, terms: &Terms) -> Result<bool, StoreError> {
        if self.deployment_required(id)?.terms == *terms {
            return Ok(false);
        }
        let (actor, change) = (self.actor(), self.change_next()?);
        let (key, settings) = (name_key(terms), settings_text(&terms.settings)?);
        let values = args![
            id,
            terms.name.as_deref(),
            key.as_deref(),
            &terms.description,
            terms.source_id,
            terms.local_time,
            terms.outside_windows,
            terms.hold_until_window,
            &settings,
            change,
            actor.at,
            &actor.name,
        ];
        self.run(&DEPLOYMENT_TERMS, values)?;
        self.deployment_expand(id)?;
        Ok(true)
    }

    /// Changes what a deployment asks for and when; takes a change number if that changes something. True if it did.
    /// Whether it is active is for [`WriteTx::deployment_set_active`] to say.
    pub fn deployment_change(
        &self,
        id: DeploymentId,
        action: DeploymentAction,
        available_at: Timestamp,
        deadline_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let row = self.deployment_required(id)?;
        let changed = (row.action, row.available_at, row.deadline_at) != (action, available_at, deadline_at);
        if changed {
            let (actor, change) = (self.actor(), self.change_next()?);
            let values = args![id, action, available_at, deadline_at, change, actor.at, &actor.name];
            self.run(&DEPLOYMENT_CHANGE, values)?;
            self.deployment_expand(id)?;
        }
        Ok(changed)
    }

    /// Activates or deactivates a deployment; takes a change number if that changes something. True if it did.
    pub fn deployment_set_active(&self, id: DeploymentId, active: bool) -> Result<bool, StoreError> {
        let changed = self.deployment_required(id)?.active != active;
        if changed {
            let actor = self.actor();
            self.run(&DEPLOYMENT_ACTIVE, args![id, active, self.change_next()?, actor.at, &actor.name])?;
        }
        Ok(changed)
    }

    /// Switches a deployment on or off. True if that changed something.
    pub fn deployment_set_enabled(&self, id: DeploymentId, enabled: bool) -> Result<bool, StoreError> {
        let row = self.deployment_required(id)?;
        if row.enabled == enabled {
            return Ok(false);
        }
        let (actor, change) = (self.actor(), self.change_next()?);
        self.run(&DEPLOYMENT_ENABLED, args![id, enabled, change, actor.at, &actor.name])?;
        if !enabled {
            self.deployment_retire(&row, change)?;
        }
        self.deployment_expand(id)?;
        Ok(true)
    }

    /// Deletes a deployment, with what follows from it, and leaves a retired change behind.
    pub fn deployment_delete(&self, id: DeploymentId) -> Result<(), StoreError> {
        let row = self.deployment_required(id)?;
        for member in self.deployment_expanded(id)? {
            self.deployment_delete(member.id)?;
        }
        let change = self.change_next()?;
        self.deployment_retire(&row, change)?;
        self.run(&DEPLOYMENT_DELETE, args![id])?;
        Ok(())
    }

    /// Computers that had the deployment must hear that it is gone.
    pub(crate) fn deployment_retire(&self, row: &DeploymentRow, change: ChangeNumber) -> Result<(), StoreError> {
        let Deployed::Update { id, .. } = row.deployed else { return Ok(()) };
        let update_no = self.update_no(id)?.ok_or(StoreError::UnknownUpdate(id))?;
        let actor = self.actor();
        let values = args![change, row.id, update_no, row.collection, actor.at, &actor.name, row.guid];
        self.run(&DEPLOYMENT_RETIRE, values)?;
        Ok(())
    }
}
