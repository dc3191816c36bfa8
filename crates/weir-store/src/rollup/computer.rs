//! Computers of servers below.

use jiff::Timestamp;
use weir_model::{
    ids::ComputerId,
    rollup::{ComputerDetails, ComputerEntry, SyncOutcome},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    collection::MemberSource,
    computer::{StatusRow, search_key},
    sql::statements,
};

/// A computer as roll-ups see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownComputer {
    /// Its row number.
    pub no: u32,
    /// Its server: 1 for this one.
    pub site: u32,
    /// Its last detection.
    pub last_sync: Option<Timestamp>,
    /// Its last call here; only of interest for own computers.
    pub last_contact: Timestamp,
    /// What it is was told.
    pub described: bool,
    /// `RollupNumber` of its last status.
    pub number: i32,
    /// What it has evaluated.
    pub effective: Option<Timestamp>,
}

/// A computer that was deleted here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Forgotten {
    /// Its last detection that was known then.
    pub last_sync: Option<Timestamp>,
}

statements! {
    FIND: "looking for a computer in a roll-up" =
        "SELECT c.computer_no, c.site_no, c.last_sync_at, c.last_contact_at, r.details IS NOT NULL,
             coalesce(r.number, 0), r.effective_at
         FROM computer c LEFT JOIN rollup_computer r ON r.computer_no = c.computer_no WHERE c.computer_id = ?1";
    ADD: "adding a computer of another server" =
        "INSERT INTO computer (computer_id, site_no, dns_name, search, plain_http, first_contact_at, last_contact_at)
         VALUES (?1, ?2, '', ?3, 0, ?4, ?4) RETURNING computer_no";
    ADD_BESIDE: "adding what is known of a computer of another server" =
        "INSERT INTO rollup_computer (computer_no) VALUES (?1) ON CONFLICT (computer_no) DO NOTHING";
    TIMES: "storing what a server reports of a computer" =
        "UPDATE computer SET site_no = ?2, last_sync_at = ?3, last_sync_succeeded = ?4, last_report_at = ?5,
             last_reboot_at = ?6, last_contact_at = coalesce(?3, ?5, first_contact_at)
         WHERE computer_no = ?1";
    INVENTORY: "storing when a computer was inventoried" =
        "UPDATE rollup_computer SET last_inventory_at = ?2 WHERE computer_no = ?1";
    DETAILS: "storing what a computer of another server is" =
        "UPDATE computer SET registered_at = coalesce(registered_at, ?2), dns_name = ?3, search = ?4, ip_address = ?5,
             requested_groups = ?6, os_major_version = ?7, os_minor_version = ?8, os_build_number = ?9,
             os_service_pack_major_number = ?10, os_service_pack_minor_number = ?11, os_locale = ?12,
             computer_manufacturer = ?13, computer_model = ?14, bios_version = ?15, bios_name = ?16,
             bios_release_date = ?17, processor_architecture = ?18, suite_mask = ?19, old_product_type = ?20,
             new_product_type = ?21, system_metrics = ?22, client_version_major_number = ?23,
             client_version_minor_number = ?24, client_version_build_number = ?25, client_version_qfe_number = ?26,
             os_description = ?27
         WHERE computer_no = ?1";
    DETAILS_BESIDE: "keeping what a computer of another server is" =
        "UPDATE rollup_computer SET details = ?2 WHERE computer_no = ?1";
    MOVED: "noting that a computer came from another server" =
        "UPDATE rollup_computer SET details = NULL, number = 0, effective_at = NULL WHERE computer_no = ?1";
    RENEW: "asking anew for the computers of a server" =
        "UPDATE rollup_computer SET details = NULL, number = 0, effective_at = NULL
         WHERE computer_no IN (SELECT computer_no FROM computer WHERE site_no = ?1)";
    STATUS: "storing how far the status of a computer goes" =
        "UPDATE rollup_computer SET number = ?2, effective_at = ?3 WHERE computer_no = ?1";
    DELETED_FIND: "looking for a deleted computer" =
        "SELECT last_sync_at FROM rollup_deleted WHERE computer_id = ?1";
    DELETED_PUT: "noting that a computer of another server was deleted" =
        "INSERT INTO rollup_deleted (computer_id, last_sync_at, deleted_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (computer_id) DO UPDATE SET last_sync_at = excluded.last_sync_at, deleted_at = excluded.deleted_at";
    DELETED_FORGET: "forgetting that a computer was deleted" = "DELETE FROM rollup_deleted WHERE computer_id = ?1";
    DELETED_PRUNE: "forgetting computers that were deleted long ago" = "DELETE FROM rollup_deleted WHERE deleted_at < ?1";
    UNHEARD: "counting updates without a revision" = "SELECT count(*) FROM updates WHERE newest_revision_id IS NULL";
}

/// Numbers that rows keep in 16 bits.
fn narrow(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(if number < 0 { i16::MIN } else { i16::MAX })
}

/// The four numbers of a version; what is not there is 0.
fn version(text: &str) -> [i16; 4] {
    let mut parts = text.split('.').map(|part| part.trim().parse::<i32>().map_or(0, narrow));
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

impl ReadTx<'_> {
    /// The computer of that id.
    pub fn rollup_computer_find(&self, id: &ComputerId) -> Result<Option<KnownComputer>, StoreError> {
        self.first(&FIND, args![id.as_str()], |row: &Row<'_>| {
            Ok(KnownComputer {
                no: row.int(0)?,
                site: row.int(1)?,
                last_sync: row.opt_time(2)?,
                last_contact: row.time(3)?,
                described: row.bool(4)?,
                number: row.int(5)?,
                effective: row.opt_time(6)?,
            })
        })
    }

    /// Whether a computer of that id was deleted here.
    pub fn rollup_deleted_find(&self, id: &ComputerId) -> Result<Option<Forgotten>, StoreError> {
        self.first(&DELETED_FIND, args![id.as_str()], |row| Ok(Forgotten { last_sync: row.opt_time(0)? }))
    }

    /// How many updates are named somewhere and not in the catalogue.
    pub fn rollup_unheard(&self) -> Result<u32, StoreError> {
        self.one(&UNHEARD, args![], |row| row.int(0))
    }
}

impl WriteTx<'_> {
    /// Adds a computer of another server and returns its row number.
    pub fn rollup_computer_add(&self, id: &ComputerId, server: u32) -> Result<u32, StoreError> {
        let search = search_key("", id.as_str());
        self.one(&ADD, args![id.as_str(), server, &search, self.actor().at], |row| row.int(0))
    }

    /// Stores what a server reports of a computer, but for its details. `moved`: it came from another server, which makes
    /// what was known of it stale.
    pub fn rollup_computer_put(
        &self,
        no: u32,
        server: u32,
        entry: &ComputerEntry,
        moved: bool,
    ) -> Result<(), StoreError> {
        self.send(&ADD_BESIDE, args![no])?;
        if moved {
            self.send(&MOVED, args![no])?;
        }
        let succeeded = match entry.outcome {
            SyncOutcome::Unknown => None,
            SyncOutcome::Succeeded => Some(true),
            SyncOutcome::Failed => Some(false),
        };
        self.send(&TIMES, args![no, server, entry.last_sync, succeeded, entry.last_report, entry.last_reboot])?;
        self.send(&INVENTORY, args![no, entry.last_inventory])?;
        Ok(())
    }

    /// Has the details and the whole status of every computer of a server told again, by whoever tells of it now.
    pub fn rollup_computers_renew(&self, server: u32) -> Result<(), StoreError> {
        self.run(&RENEW, args![server])?;
        Ok(())
    }

    /// Stores what a computer of another server is. Groups that are not known here are kept for passing on.
    pub fn rollup_computer_describe(
        &self,
        no: u32,
        id: &ComputerId,
        details: &ComputerDetails,
    ) -> Result<(), StoreError> {
        let os = &details.os;
        let client = version(&details.client_version);
        let requested = (!details.requested_groups.is_empty()).then(|| details.requested_groups.join(";"));
        let search = search_key(&details.name, id.as_str());
        let address = (!details.ip_address.is_empty()).then_some(details.ip_address.as_str());
        let values = args![
            no,
            self.actor().at,
            &details.name,
            &search,
            address,
            requested.as_deref(),
            os.os_major_version,
            os.os_minor_version,
            os.os_build_number,
            narrow(os.os_service_pack_major_number),
            narrow(os.os_service_pack_minor_number),
            &os.os_locale,
            &details.make,
            &details.model,
            &details.bios_version,
            &details.bios_name,
            details.bios_release_date,
            &os.processor_architecture,
            os.suite_mask,
            os.old_product_type,
            os.new_product_type,
            os.system_metrics,
            client[0],
            client[1],
            client[2],
            client[3],
            &details.os_description,
        ];
        self.send(&DETAILS, values)?;
        let mut known = Vec::with_capacity(details.groups.len());
        for group in &details.groups {
            if self.collection_show(*group)?.is_some() {
                known.push(*group);
            }
        }
        // Which groups they are is decided where the computer scans, as if it had asked for them.
        self.computer_set_groups(no, MemberSource::Requested, &known)?;
        let kept = serde_json::to_string(details)
            .map_err(|error| StoreError::Corrupt { what: format!("details of a computer: {error}") })?;
        self.send(&DETAILS_BESIDE, args![no, &kept])?;
        Ok(())
    }

    /// Stores the status of a computer of another server, and which roll-up brought it.
    pub fn rollup_status_put(
        &self,
        no: u32,
        number: i32,
        effective: Option<Timestamp>,
        status: &StatusRow,
    ) -> Result<(), StoreError> {
        self.computer_status_put(no, status)?;
        self.send(&STATUS, args![no, number, effective])?;
        Ok(())
    }

    /// Notes that a computer of another server was deleted here, so that the server can be told.
    pub fn rollup_deleted_put(&self, id: &ComputerId, last_sync: Option<Timestamp>) -> Result<(), StoreError> {
        self.run(&DELETED_PUT, args![id.as_str(), last_sync, self.actor().at])?;
        Ok(())
    }

    /// Forgets that a computer was deleted.
    pub fn rollup_deleted_forget(&self, id: &ComputerId) -> Result<(), StoreError> {
        self.run(&DELETED_FORGET, args![id.as_str()])?;
        Ok(())
    }

    /// Forgets computers that were deleted before `before`.
    pub fn rollup_deleted_prune(&self, before: Timestamp) -> Result<(), StoreError> {
        self.run(&DELETED_PRUNE, args![before])?;
        Ok(())
    }
}
