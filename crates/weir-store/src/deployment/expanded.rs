//! What follows from the deployment of a group: one row per member, which is what computers are offered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use weir_model::{
    ids::{DeploymentId, UpdateId},
    targeting::{DeploymentAction, DeploymentOrigin},
};

use super::{Deployed, DeploymentRow};
use crate::{ReadTx, StoreError, WriteTx, codec::args, sql::statements};

statements! {
    EXPANDED: "reading what follows from the deployment of a group" =
        "SELECT d.deployment_id, u.update_id, d.guid, d.action, d.available_at, d.deadline_at, d.enabled, d.local_time,
             d.outside_windows, d.hold_until_window, d.origin
         FROM deployment d JOIN updates u ON u.update_no = d.update_no WHERE d.expanded_from = ?1
         ORDER BY d.deployment_id";
    EXPANDED_CREATE: "deploying a member of a group" =
        "INSERT INTO deployment (update_no, collection_id, action, available_at, deadline_at, enabled, active, origin,
             change, changed_at, changed_by, created_at, created_by, guid, expanded_from, local_time, outside_windows,
             hold_until_window)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?9, ?11, ?12, ?13, ?14, ?15, ?16)";
    EXPANDED_CHANGE: "changing what follows from the deployment of a group" =
        "UPDATE deployment SET action = ?2, available_at = ?3, deadline_at = ?4, enabled = ?5, local_time = ?6,
             outside_windows = ?7, hold_until_window = ?8, origin = ?9, change = ?10, changed_at = ?11, changed_by = ?12
         WHERE deployment_id = ?1";
    GROUP_DEPLOYMENTS: "listing deployments of a group" =
        "SELECT deployment_id FROM deployment WHERE group_id = ?1 ORDER BY deployment_id";
}

/// What became of the rows that follow from one deployment of a group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Expanded {
    /// Members that are deployed now and were not.
    pub made: u64,
    /// Members that were deployed and are not now.
    pub removed: u64,
    /// Rows that were made what the deployment says.
    pub changed: u64,
}

/// One such row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ExpandedRow {
    pub(crate) id: DeploymentId,
    update: UpdateId,
    guid: Uuid,
    says: Says,
}

/// What a row repeats of the deployment that it follows from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Says {
    action: DeploymentAction,
    available_at: Timestamp,
    deadline_at: Option<Timestamp>,
    enabled: bool,
    local_time: bool,
    outside_windows: bool,
    hold_until_window: bool,
    origin: DeploymentOrigin,
}

impl Says {
    fn of(row: &DeploymentRow) -> Self {
        Self {
            action: row.action,
            available_at: row.available_at,
            deadline_at: row.deadline_at,
            enabled: row.enabled,
            local_time: row.terms.local_time,
            outside_windows: row.terms.outside_windows,
            hold_until_window: row.terms.hold_until_window,
            origin: row.origin,
        }
    }
}

/// By which other servers know what follows from the deployment of a group for one member: the same on every server, and
/// again when the member comes back.
pub fn expanded_guid(deployment: Uuid, update: UpdateId) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(b"expanded deployment");
    hash.update(deployment.as_bytes());
    hash.update(update.0.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl ReadTx<'_> {
    /// The deployments of a group, by number.
    pub fn deployments_of_group(&self, group: Uuid) -> Result<Vec<DeploymentId>, StoreError> {
        self.all(&GROUP_DEPLOYMENTS, args![group], |row| Ok(DeploymentId(row.int(0)?)))
    }

    pub(crate) fn deployment_expanded(&self, id: DeploymentId) -> Result<Vec<ExpandedRow>, StoreError> {
        self.all(&EXPANDED, args![id], |row| {
            Ok(ExpandedRow {
                id: DeploymentId(row.int(0)?),
                update: row.update_id(1)?,
                guid: row.uuid(2)?,
                says: Says {
                    action: row.coded(3)?,
                    available_at: row.time(4)?,
                    deadline_at: row.opt_time(5)?,
                    enabled: row.bool(6)?,
                    local_time: row.bool(7)?,
                    outside_windows: row.bool(8)?,
                    hold_until_window: row.bool(9)?,
                    origin: row.coded(10)?,
                },
            })
        })
    }
}

impl WriteTx<'_> {
    /// Brings what follows from the deployment of a group in line with its group and with what it says itself; each row that
    /// changes takes a change number of its own. Nothing for a deployment of an update.
    pub fn deployment_expand(&self, id: DeploymentId) -> Result<Expanded, StoreError> {
        let row = self.deployment_required(id)?;
        let mut done = Expanded::default();
        let Deployed::Group(group) = row.deployed else { return Ok(done) };
        let members: BTreeSet<UpdateId> =
            self.update_group_show(group)?.map(|(_, members)| members).unwrap_or_default().into_iter().collect();
        let mut present = BTreeMap::new();
        for one in self.deployment_expanded(id)? {
            if members.contains(&one.update) && one.guid == expanded_guid(row.guid, one.update) {
                present.insert(one.update, one);
            } else {
                self.deployment_delete(one.id)?;
                done.removed += 1;
            }
        }
        let says = Says::of(&row);
        for update in members {
            match present.get(&update) {
                Some(one) if one.says == says => {}
                Some(one) => {
                    self.expanded_change(one, &says)?;
                    done.changed += 1;
                }
                None => {
                    self.expanded_create(&row, update, &says)?;
                    done.made += 1;
                }
            }
        }
        Ok(done)
    }

    /// The same for all deployments of a group.
    pub(crate) fn deployments_expand(&self, group: Uuid) -> Result<Expanded, StoreError> {
        let mut all = Expanded::default();
        for id in self.deployments_of_group(group)? {
            let Expanded { made, removed, changed } = self.deployment_expand(id)?;
            all.made += made;
            all.removed += removed;
            all.changed += changed;
        }
        Ok(all)
    }

    fn expanded_create(&self, of: &DeploymentRow, update: UpdateId, says: &Says) -> Result<(), StoreError> {
        let (actor, update_no, change) = (self.actor(), self.update_intern(update)?, self.change_next()?);
        let values = args![
            update_no,
            of.collection,
            says.action,
            says.available_at,
            says.deadline_at,
            says.enabled,
            says.origin,
            change,
            actor.at,
            &actor.name,
            &of.created_by,
            expanded_guid(of.guid, update),
            of.id,
            says.local_time,
            says.outside_windows,
            says.hold_until_window,
        ];
        self.run(&EXPANDED_CREATE, values)?;
        Ok(())
    }

    fn expanded_change(&self, one: &ExpandedRow, says: &Says) -> Result<(), StoreError> {
        let (actor, change) = (self.actor(), self.change_next()?);
        let values = args![
            one.id,
            says.action,
            says.available_at,
            says.deadline_at,
            says.enabled,
            says.local_time,
            says.outside_windows,
            says.hold_until_window,
            says.origin,
            change,
            actor.at,
            &actor.name,
        ];
        self.run(&EXPANDED_CHANGE, values)?;
        if one.says.enabled && !says.enabled {
            let row = self.deployment_required(one.id)?;
            self.deployment_retire(&row, change)?;
        }
        Ok(())
    }
}
