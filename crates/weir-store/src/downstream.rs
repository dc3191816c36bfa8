//! Servers that synchronize from this one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::ChangeNumber;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// Whether a server may synchronize from here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Admission {
    /// It may.
    Allowed,
    /// It may not.
    Refused,
    /// Another server reported it; it never asked here. If it does, it is as if it were unknown.
    Reported,
    /// It asked, and nobody has decided.
    Waiting,
}

/// A downstream server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DownstreamRow {
    /// Its number here, from 2 on: the `site_no` of the computers that it reports. Never given again.
    pub no: u32,
    /// The GUID it made for itself.
    pub id: Uuid,
    /// Its host name, as it said last.
    pub name: String,
    /// Where it called from last.
    pub address: String,
    /// Whether it may synchronize.
    pub admission: Admission,
    /// When that was decided, or when it first asked.
    pub admission_at: Timestamp,
    /// Who decided.
    pub admission_by: String,
    /// It is a Weir.
    pub is_weir: bool,
    /// It mirrors deployments; none if it has not said or shown so.
    pub is_replica: Option<bool>,
    /// Protocol version it speaks, such as `1.20`.
    pub protocol: Option<String>,
    /// Version of its software, as it reported.
    pub software_version: Option<String>,
    /// First call.
    pub first_contact_at: Timestamp,
    /// Last call that was noted.
    pub last_contact_at: Timestamp,
    /// Last time it was authorized.
    pub authorized_at: Option<Timestamp>,
    /// Last time it was given a list of updates.
    pub last_sync_at: Option<Timestamp>,
    /// The change up to which that list went.
    pub sync_change: Option<ChangeNumber>,
    /// The change up to which it was given deployments.
    pub deployment_change: Option<ChangeNumber>,
}

/// What a server says and shows of itself when it asks for authorization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DownstreamContact<'c> {
    /// Its GUID.
    pub id: Uuid,
    /// Its host name.
    pub name: &'c str,
    /// Where it calls from.
    pub address: &'c str,
    /// It says that it is a Weir.
    pub is_weir: bool,
}

statements! {
    DOWNSTREAM_FIND: "looking for a downstream server" =
        "SELECT server_no, server_id, name, address, admission, admission_at, admission_by, is_weir, is_replica, protocol,
             software_version, first_contact_at, last_contact_at, authorized_at, last_sync_at, sync_change,
             deployment_change
         FROM downstream_server WHERE server_id = ?1";
    DOWNSTREAM_SHOW: "reading a downstream server" =
        "SELECT server_no, server_id, name, address, admission, admission_at, admission_by, is_weir, is_replica, protocol,
             software_version, first_contact_at, last_contact_at, authorized_at, last_sync_at, sync_change,
             deployment_change
         FROM downstream_server WHERE server_no = ?1";
    DOWNSTREAM_LIST: "listing downstream servers" =
        "SELECT server_no, server_id, name, address, admission, admission_at, admission_by, is_weir, is_replica, protocol,
             software_version, first_contact_at, last_contact_at, authorized_at, last_sync_at, sync_change,
             deployment_change
         FROM downstream_server WHERE server_no > ?1 ORDER BY server_no";
    DOWNSTREAM_COUNT: "counting downstream servers of a kind" =
        "SELECT count(*) FROM downstream_server WHERE admission = ?1";
    DOWNSTREAM_ADD: "noting a downstream server" =
        "INSERT INTO downstream_server (server_id, name, address, admission, admission_at, admission_by, is_weir,
             first_contact_at, last_contact_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?5, ?5) RETURNING server_no";
    DOWNSTREAM_CONTACT: "noting a call of a downstream server" =
        "UPDATE downstream_server SET name = ?2, address = ?3, is_weir = ?4, last_contact_at = ?5 WHERE server_no = ?1";
    DOWNSTREAM_AUTHORIZED: "noting an authorization" =
        "UPDATE downstream_server SET authorized_at = ?2, last_contact_at = ?2 WHERE server_no = ?1";
    DOWNSTREAM_PROTOCOL: "noting the protocol of a downstream server" =
        "UPDATE downstream_server SET protocol = ?2, last_contact_at = ?3 WHERE server_no = ?1";
    DOWNSTREAM_SYNCHRONIZED: "noting a synchronization of a downstream server" =
        "UPDATE downstream_server SET sync_change = ?2, last_sync_at = ?3, last_contact_at = ?3 WHERE server_no = ?1";
    DOWNSTREAM_DEPLOYMENTS: "noting that a downstream server took deployments" =
        "UPDATE downstream_server SET deployment_change = ?2, is_replica = 1, last_contact_at = ?3 WHERE server_no = ?1";
    DOWNSTREAM_DESCRIBED: "noting what a downstream server reports of itself" =
        "UPDATE downstream_server SET software_version = coalesce(?2, software_version),
             is_replica = coalesce(?3, is_replica), last_contact_at = ?4 WHERE server_no = ?1";
    DOWNSTREAM_ADMIT: "admitting a downstream server" =
        "UPDATE downstream_server SET admission = ?2, admission_at = ?3, admission_by = ?4 WHERE server_no = ?1";
    DOWNSTREAM_REMOVE: "removing a downstream server" = "DELETE FROM downstream_server WHERE server_no = ?1";
    DOWNSTREAM_BELOW: "listing the servers below a downstream server" =
        "SELECT server_no FROM rollup_server WHERE parent_no = ?1";
    DOWNSTREAM_COMPUTERS: "counting the computers of a downstream server" =
        "SELECT count(*) FROM computer WHERE site_no = ?1";
    DOWNSTREAM_COMPUTERS_REMOVE: "removing the computers of a downstream server" =
        "DELETE FROM computer WHERE site_no = ?1";
    DOWNSTREAM_PRUNE: "removing servers that nobody decided about" =
        "DELETE FROM downstream_server WHERE admission = 0 AND server_no > 0 AND last_sync_at IS NULL
             AND last_contact_at < ?1";
}

fn downstream(row: &Row<'_>) -> Result<DownstreamRow, StoreError> {
    Ok(DownstreamRow {
        no: row.int(0)?,
        id: row.uuid(1)?,
        name: row.text(2)?,
        address: row.text(3)?,
        admission: row.coded(4)?,
        admission_at: row.time(5)?,
        admission_by: row.text(6)?,
        is_weir: row.bool(7)?,
        is_replica: row.opt(8, Row::bool)?,
        protocol: row.opt_text(9)?,
        software_version: row.opt_text(10)?,
        first_contact_at: row.time(11)?,
        last_contact_at: row.time(12)?,
        authorized_at: row.opt_time(13)?,
        last_sync_at: row.opt_time(14)?,
        sync_change: row.opt(15, Row::change)?,
        deployment_change: row.opt(16, Row::change)?,
    })
}

/// What went with a downstream server.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Removed {
    /// It, and the servers below it.
    pub servers: u64,
    /// The computers that they reported.
    pub computers: u64,
}

impl ReadTx<'_> {
    /// The downstream server with that GUID.
    pub fn downstream_find(&self, id: Uuid) -> Result<Option<DownstreamRow>, StoreError> {
        self.first(&DOWNSTREAM_FIND, args![id], downstream)
    }

    /// The downstream server of that number.
    pub fn downstream_show(&self, no: u32) -> Result<Option<DownstreamRow>, StoreError> {
        self.first(&DOWNSTREAM_SHOW, args![no], downstream)
    }

    /// All downstream servers by number. They are few: what unknown servers can add is bounded.
    pub fn downstream_list(&self) -> Result<Vec<DownstreamRow>, StoreError> {
        self.all(&DOWNSTREAM_LIST, args![0_u32], downstream)
    }

    /// How many computers a server reports.
    pub fn downstream_computers(&self, no: u32) -> Result<u64, StoreError> {
        self.one(&DOWNSTREAM_COMPUTERS, args![no], |row| row.int(0))
    }

    /// How many servers there are of an admission.
    pub fn downstream_count(&self, admission: Admission) -> Result<u32, StoreError> {
        self.one(&DOWNSTREAM_COUNT, args![admission], |row| row.int(0))
    }
}

impl WriteTx<'_> {
    /// Notes a server that was never seen before, with what it may do until somebody decides; returns its number.
    pub fn downstream_add(&self, contact: &DownstreamContact<'_>, admission: Admission) -> Result<u32, StoreError> {
        let actor = self.actor();
        let values =
            args![contact.id, contact.name, contact.address, admission, actor.at, &actor.name, contact.is_weir];
        self.one(&DOWNSTREAM_ADD, values, |row| row.int(0))
    }

    /// Notes that a known server called.
    pub fn downstream_contact(&self, no: u32, contact: &DownstreamContact<'_>) -> Result<(), StoreError> {
        let values = args![no, contact.name, contact.address, contact.is_weir, self.actor().at];
        self.run(&DOWNSTREAM_CONTACT, values)?;
        Ok(())
    }

    /// Notes that a server was authorized now.
    pub fn downstream_authorized(&self, no: u32) -> Result<(), StoreError> {
        self.run(&DOWNSTREAM_AUTHORIZED, args![no, self.actor().at])?;
        Ok(())
    }

    /// Notes what protocol a server speaks, such as `1.20`.
    pub fn downstream_protocol(&self, no: u32, protocol: &str) -> Result<(), StoreError> {
        self.run(&DOWNSTREAM_PROTOCOL, args![no, protocol, self.actor().at])?;
        Ok(())
    }

    /// Notes that a server was given the list of updates up to a change.
    pub fn downstream_synchronized(&self, no: u32, change: ChangeNumber) -> Result<(), StoreError> {
        self.run(&DOWNSTREAM_SYNCHRONIZED, args![no, change, self.actor().at])?;
        Ok(())
    }

    /// Notes that a server was given deployments up to a change, as replicas are.
    pub fn downstream_deployments(&self, no: u32, change: ChangeNumber) -> Result<(), StoreError> {
        self.run(&DOWNSTREAM_DEPLOYMENTS, args![no, change, self.actor().at])?;
        Ok(())
    }

    /// Notes what a server reports of itself in its roll-up; none leaves what is known.
    pub fn downstream_described(
        &self,
        no: u32,
        software_version: Option<&str>,
        is_replica: Option<bool>,
    ) -> Result<(), StoreError> {
        self.run(&DOWNSTREAM_DESCRIBED, args![no, software_version, is_replica, self.actor().at])?;
        Ok(())
    }

    /// Decides whether a server may synchronize. True if that changed something.
    pub fn downstream_admit(&self, no: u32, admission: Admission) -> Result<bool, StoreError> {
        let row = self.downstream_required(no)?;
        if row.admission == admission {
            return Ok(false);
        }
        let actor = self.actor();
        self.run(&DOWNSTREAM_ADMIT, args![no, admission, actor.at, &actor.name])?;
        Ok(true)
    }

    /// Forgets a server, the servers below it, and the computers that they reported. If it calls again it is a new one.
    pub fn downstream_remove(&self, no: u32) -> Result<Removed, StoreError> {
        self.downstream_required(no)?;
        let (mut walk, mut seen) = (vec![no], BTreeSet::new());
        while let Some(no) = walk.pop() {
            if no > 1 && seen.insert(no) {
                walk.extend(self.all(&DOWNSTREAM_BELOW, args![no], |row| row.int::<u32>(0))?);
            }
        }
        let mut removed = Removed::default();
        for no in seen {
            removed.computers += self.run(&DOWNSTREAM_COMPUTERS_REMOVE, args![no])? as u64;
            removed.servers += self.run(&DOWNSTREAM_REMOVE, args![no])? as u64;
        }
        Ok(removed)
    }

    /// Forgets servers that nobody decided about, that were never served and that have not called since then; returns how
    /// many.
    pub fn downstream_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.run(&DOWNSTREAM_PRUNE, args![before])? as u64)
    }

    fn downstream_required(&self, no: u32) -> Result<DownstreamRow, StoreError> {
        self.downstream_show(no)?.ok_or_else(|| StoreError::Missing { kind: "downstream server", id: no.to_string() })
    }
}
