//! Computers: who they are, when they were here, and what they reported in compact form.

use jiff::Timestamp;
use weir_model::ids::{ChangeNumber, CollectionId, ComputerId};

use crate::{Page, ReadTx, StoreError, WriteTx};

/// The 26 fields of RegisterComputer's ComputerInfo (MS-WUSP 2.2.2.2.3), as the computer sent them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the protocol document")]
pub struct Registration {
    pub dns_name: String,
    pub os_major_version: i32,
    pub os_minor_version: i32,
    pub os_build_number: i32,
    pub os_service_pack_major_number: i16,
    pub os_service_pack_minor_number: i16,
    pub os_locale: Option<String>,
    pub computer_manufacturer: Option<String>,
    pub computer_model: Option<String>,
    pub bios_version: Option<String>,
    pub bios_name: Option<String>,
    pub bios_release_date: Option<Timestamp>,
    pub processor_architecture: Option<String>,
    pub suite_mask: i16,
    pub old_product_type: u8,
    pub new_product_type: i32,
    pub system_metrics: i32,
    pub client_version_major_number: i16,
    pub client_version_minor_number: i16,
    pub client_version_build_number: i16,
    pub client_version_qfe_number: i16,
    pub os_description: Option<String>,
    pub oem: Option<String>,
    pub device_type: Option<String>,
    pub firmware_version: Option<String>,
    pub mobile_operator: Option<String>,
}

/// A computer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComputerRow {
    /// This server's own number of it, given once.
    pub no: u32,
    /// What it calls itself.
    pub id: ComputerId,
    /// Its DNS name, from registration or the authorization cookie.
    pub dns_name: String,
    /// What it registered; none before.
    pub registration: Option<Registration>,
    /// Address of its last call.
    pub ip_address: Option<String>,
    /// Its last call came over plain HTTP.
    pub plain_http: bool,
    /// Groups it asked for, separated by `;`.
    pub requested_groups: Option<String>,
    /// First valid cookie.
    pub first_contact_at: Timestamp,
    /// Last call.
    pub last_contact_at: Timestamp,
    /// Last detection (event 147 or 148).
    pub last_sync_at: Option<Timestamp>,
    /// That detection succeeded.
    pub last_sync_succeeded: Option<bool>,
    /// HRESULT of a failed detection.
    pub last_sync_error: Option<i32>,
    /// Last status report (event 156).
    pub last_report_at: Option<Timestamp>,
    /// Last restart reported (event 202).
    pub last_reboot_at: Option<Timestamp>,
}

/// What a call tells about the computer that made it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contact {
    /// What it calls itself.
    pub id: ComputerId,
    /// Its DNS name as in the cookie.
    pub dns_name: String,
    /// Address of the call.
    pub ip_address: Option<String>,
    /// The call came over plain HTTP.
    pub plain_http: bool,
    /// Groups it asked for, separated by `;`.
    pub requested_groups: Option<String>,
}

/// A computer's compact status as stored. The bytes are `weir_model::status`'s.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StatusRow {
    /// The encoded `ComputerStatus`.
    pub status: Vec<u8>,
    /// Software anchor of the scan that the last full report follows.
    pub anchor: ChangeNumber,
    /// Ring of recent event ids, 16 bytes each, oldest first.
    pub recent_events: Vec<u8>,
}

/// One line of the directory that the server keeps in memory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DirectoryRow {
    /// Row number.
    pub no: u32,
    /// Its id.
    pub id: ComputerId,
    /// It has registered.
    pub registered: bool,
    /// Its collections with a membership row, ascending; empty means Unassigned Computers.
    pub groups: Vec<CollectionId>,
}

/// What an event batch changes in the row of its computer; none leaves a column as it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ContactTimes {
    /// Last call.
    pub last_contact_at: Option<Timestamp>,
    /// Last detection: when, success, error.
    pub last_sync: Option<(Timestamp, bool, Option<i32>)>,
    /// Last status report.
    pub last_report_at: Option<Timestamp>,
    /// Last restart.
    pub last_reboot_at: Option<Timestamp>,
}

/// Which computers to list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ComputerFilter {
    /// Part of the DNS name or id, compared without regard to case.
    pub text: Option<String>,
    /// With a membership row in this collection; the server resolves nesting.
    pub collection: Option<CollectionId>,
}

impl ReadTx<'_> {
    /// The computer of that id.
    pub fn computer_find(&self, id: &ComputerId) -> Result<Option<ComputerRow>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// The computer of that row number.
    pub fn computer_show(&self, no: u32) -> Result<Option<ComputerRow>, StoreError> {
        let _ = no;
        unimplemented!()
    }

    /// Computers by row number.
    pub fn computer_list(
        &self,
        filter: &ComputerFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ComputerRow>, StoreError> {
        let _ = (filter, cursor, limit);
        unimplemented!()
    }

    /// How many computers there are.
    pub fn computer_count(&self) -> Result<u64, StoreError> {
        unimplemented!()
    }

    /// How many computers first came at or after `since` (rule: new computers per hour are limited).
    pub fn computer_count_since(&self, since: Timestamp) -> Result<u64, StoreError> {
        let _ = since;
        unimplemented!()
    }

    /// Everything the server keeps of all computers, ascending by row number.
    pub fn computer_directory(&self) -> Result<Vec<DirectoryRow>, StoreError> {
        unimplemented!()
    }

    /// Collections of one computer with the sources, ascending.
    pub fn computer_groups(&self, no: u32) -> Result<Vec<(CollectionId, crate::collection::MemberSource)>, StoreError> {
        let _ = no;
        unimplemented!()
    }

    /// The compact status of a computer; default if it never reported.
    pub fn computer_status(&self, no: u32) -> Result<StatusRow, StoreError> {
        let _ = no;
        unimplemented!()
    }

    /// Hands the status of every computer to `each`, ascending by row number.
    pub fn computer_status_each(
        &self,
        each: &mut dyn FnMut(u32, StatusRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let _ = each;
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Notes a call: makes the computer if it is new, else updates its contact columns. Returns its row number and
    /// whether it is new.
    pub fn computer_contact(&self, contact: &Contact) -> Result<(u32, bool), StoreError> {
        let _ = contact;
        unimplemented!()
    }

    /// Stores what a computer registered.
    pub fn computer_register(&self, no: u32, registration: &Registration) -> Result<(), StoreError> {
        let _ = (no, registration);
        unimplemented!()
    }

    /// Stores what an event batch says about the computer itself.
    pub fn computer_touch(&self, no: u32, times: &ContactTimes) -> Result<(), StoreError> {
        let _ = (no, times);
        unimplemented!()
    }

    /// Replaces the compact status.
    pub fn computer_status_put(&self, no: u32, row: &StatusRow) -> Result<(), StoreError> {
        let _ = (no, row);
        unimplemented!()
    }

    /// Forgets a computer with its memberships, status and events.
    pub fn computer_delete(&self, no: u32) -> Result<(), StoreError> {
        let _ = no;
        unimplemented!()
    }
}
