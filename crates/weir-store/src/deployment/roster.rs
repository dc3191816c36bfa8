//! What deployments are, in one compact pass: for lists that are narrowed and put into an order, and how the members of deployed
//! groups go out.

use std::ops::ControlFlow;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, DeploymentId, UpdateId},
    targeting::{DeploymentAction, DeploymentOrigin},
};

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    sql::statements,
};

/// Why an update is sent to nobody with an action, as far as the database tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Withheld {
    /// It is declined.
    Declined,
    /// It is expired.
    Expired,
    /// It is not in the catalogue.
    Missing,
    /// It is stopped.
    Stopped,
}

/// A deployment that people made, as lists know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeploymentRosterRow {
    /// Its number.
    pub id: DeploymentId,
    /// To whom.
    pub collection: CollectionId,
    /// The collection's name.
    pub collection_name: String,
    /// The update that is deployed; none for a group.
    pub update: Option<UpdateId>,
    /// The group that is deployed; none for an update.
    pub group: Option<Uuid>,
    /// Title of the update's newest revision, or the group's name.
    pub title: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// What for.
    pub action: DeploymentAction,
    /// Who made it.
    pub origin: DeploymentOrigin,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Install or uninstall not later than this.
    pub deadline_at: Option<Timestamp>,
    /// An administrator has not switched it off.
    pub enabled: bool,
    /// It goes out with its action. Of a group its members do.
    pub active: bool,
    /// Its times are those of each computer's clock.
    pub local_time: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why its update is not sent; none for a group, whose members tell.
    pub withheld: Option<Withheld>,
}

/// A member of a deployed group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeployedMember {
    /// The deployment of the group.
    pub of: DeploymentId,
    /// What follows from it for the member.
    pub id: DeploymentId,
    /// The member.
    pub update: UpdateId,
    /// It goes out with its action.
    pub active: bool,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Why it is not sent.
    pub withheld: Option<Withheld>,
}

statements! {
    DEPLOYMENT_ROSTER: "reading what deployments are" =
        "SELECT d.deployment_id, d.collection_id, c.name, u.update_id, d.group_id, coalesce(r.title, g.name, ''), coalesce(d.name, ''),
             d.action, d.origin, d.available_at, d.deadline_at, d.enabled, d.active, d.local_time, d.created_at,
             CASE WHEN d.update_no IS NULL THEN 0 WHEN s.update_no IS NOT NULL THEN 1 WHEN r.revision_id IS NULL THEN 2
                 WHEN u.declined_at IS NOT NULL THEN 3 WHEN r.expired <> 0 THEN 4 ELSE 0 END
         FROM deployment d LEFT JOIN collection c ON c.collection_id = d.collection_id
             LEFT JOIN updates u ON u.update_no = d.update_no
             LEFT JOIN revision r ON r.revision_id = u.newest_revision_id
             LEFT JOIN update_group g ON g.group_id = d.group_id
             LEFT JOIN update_stop s ON s.update_no = d.update_no
         WHERE d.deployment_id > ?1 AND d.expanded_from IS NULL ORDER BY d.deployment_id";
    DEPLOYED_MEMBERS: "reading how members of deployed groups go out" =
        "SELECT d.expanded_from, d.deployment_id, u.update_id, d.active, d.available_at,
             CASE WHEN s.update_no IS NOT NULL THEN 1 WHEN r.revision_id IS NULL THEN 2
                 WHEN u.declined_at IS NOT NULL THEN 3 WHEN r.expired <> 0 THEN 4 ELSE 0 END
         FROM deployment d LEFT JOIN updates u ON u.update_no = d.update_no
             LEFT JOIN revision r ON r.revision_id = u.newest_revision_id
             LEFT JOIN update_stop s ON s.update_no = d.update_no
         WHERE d.expanded_from > ?1";
    DEPLOYED_MEMBERS_OF: "reading how the members of one deployed group go out" =
        "SELECT d.expanded_from, d.deployment_id, u.update_id, d.active, d.available_at,
             CASE WHEN s.update_no IS NOT NULL THEN 1 WHEN r.revision_id IS NULL THEN 2
                 WHEN u.declined_at IS NOT NULL THEN 3 WHEN r.expired <> 0 THEN 4 ELSE 0 END
         FROM deployment d LEFT JOIN updates u ON u.update_no = d.update_no
             LEFT JOIN revision r ON r.revision_id = u.newest_revision_id
             LEFT JOIN update_stop s ON s.update_no = d.update_no
         WHERE d.expanded_from = ?1";
}

fn withheld(row: &Row<'_>, at: usize) -> Result<Option<Withheld>, StoreError> {
    Ok(match row.int::<u8>(at)? {
        0 => None,
        1 => Some(Withheld::Stopped),
        2 => Some(Withheld::Missing),
        3 => Some(Withheld::Declined),
        _ => Some(Withheld::Expired),
    })
}

fn member(row: &Row<'_>) -> Result<DeployedMember, StoreError> {
    Ok(DeployedMember {
        of: DeploymentId(row.int(0)?),
        id: DeploymentId(row.int(1)?),
        update: row.update_id(2)?,
        active: row.bool(3)?,
        available_at: row.time(4)?,
        withheld: withheld(row, 5)?,
    })
}

impl ReadTx<'_> {
    /// Every deployment that people made, by number.
    pub fn deployment_roster(&self) -> Result<Vec<DeploymentRosterRow>, StoreError> {
        self.all(&DEPLOYMENT_ROSTER, args![0_i32], |row| {
            Ok(DeploymentRosterRow {
                id: DeploymentId(row.int(0)?),
                collection: row.collection_id(1)?,
                collection_name: row.text(2)?,
                update: row.opt(3, Row::update_id)?,
                group: row.opt(4, Row::uuid)?,
                title: row.str(5)?.trim().to_owned(),
                name: row.text(6)?,
                action: row.coded(7)?,
                origin: row.coded(8)?,
                available_at: row.time(9)?,
                deadline_at: row.opt_time(10)?,
                enabled: row.bool(11)?,
                active: row.bool(12)?,
                local_time: row.bool(13)?,
                created_at: row.time(14)?,
                withheld: withheld(row, 15)?,
            })
        })
    }

    /// Hands every member of every deployed group to `each`, in no order.
    pub fn deployed_members_each(&self, each: &mut dyn FnMut(DeployedMember)) -> Result<(), StoreError> {
        self.each(&DEPLOYED_MEMBERS, args![0_i32], |row| {
            each(member(row)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// The members of one deployed group, in no order.
    pub fn deployed_members(&self, of: DeploymentId) -> Result<Vec<DeployedMember>, StoreError> {
        self.all(&DEPLOYED_MEMBERS_OF, args![of], member)
    }
}
