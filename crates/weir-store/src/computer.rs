//! Computers: who they are, when they were here, and what they reported in compact form. What the server keeps in memory of them is
//! in `directory`.

mod directory;
#[cfg(test)]
pub(crate) use directory::STATEMENTS as DIRECTORY_STATEMENTS;
pub use directory::{DirectoryChanges, DirectoryRow};

use std::ops::ControlFlow;

use jiff::Timestamp;
use weir_model::{
    exposure::Build,
    ids::{ChangeNumber, CollectionId, ComputerId},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{Page, cursor_number, page_rows},
    sql::statements,
};

/// The `site` of computers that scan against this server.
pub const THIS_SERVER: u32 = 1;

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
    /// The server it scans against: 1 is this one, others are numbers of downstream servers.
    pub site: u32,
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
    /// The exact build of its operating system, as its last scan told it; none if it told none.
    pub exact_build: Option<Build>,
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

statements! {
    COMPUTER_FIND: "looking for a computer" =
        "SELECT computer_no, computer_id, dns_name, ip_address, plain_http, requested_groups, first_contact_at,
             last_contact_at, last_sync_at, last_sync_succeeded, last_sync_error, last_report_at, last_reboot_at,
             registered_at, os_major_version, os_minor_version, os_build_number, os_service_pack_major_number,
             os_service_pack_minor_number, os_locale, computer_manufacturer, computer_model, bios_version, bios_name,
             bios_release_date, processor_architecture, suite_mask, old_product_type, new_product_type, system_metrics,
             client_version_major_number, client_version_minor_number, client_version_build_number,
             client_version_qfe_number, os_description, oem, device_type, firmware_version, mobile_operator, site_no,
             exact_build
         FROM computer WHERE computer_id = ?1";
    COMPUTER_SHOW: "reading a computer" =
        "SELECT computer_no, computer_id, dns_name, ip_address, plain_http, requested_groups, first_contact_at,
             last_contact_at, last_sync_at, last_sync_succeeded, last_sync_error, last_report_at, last_reboot_at,
             registered_at, os_major_version, os_minor_version, os_build_number, os_service_pack_major_number,
             os_service_pack_minor_number, os_locale, computer_manufacturer, computer_model, bios_version, bios_name,
             bios_release_date, processor_architecture, suite_mask, old_product_type, new_product_type, system_metrics,
             client_version_major_number, client_version_minor_number, client_version_build_number,
             client_version_qfe_number, os_description, oem, device_type, firmware_version, mobile_operator, site_no,
             exact_build
         FROM computer WHERE computer_no = ?1";
    COMPUTER_SCAN: "searching computers" =
        "SELECT computer_no, search FROM computer WHERE computer_no > ?1 ORDER BY computer_no";
    COMPUTER_SCAN_GROUP: "listing computers of a collection" =
        "SELECT DISTINCT m.computer_no, c.search FROM collection_member m JOIN computer c ON c.computer_no = m.computer_no
         WHERE m.collection_id = ?2 AND m.computer_no > ?1 ORDER BY m.computer_no";
    COMPUTER_COUNT: "counting computers" = "SELECT count(*) FROM computer";
    COMPUTER_COUNT_SINCE: "counting new computers" = "SELECT count(*) FROM computer WHERE first_contact_at >= ?1 AND site_no = 1";
    STATUS_SHOW: "reading a computer's status" =
        "SELECT status, anchor, recent_events FROM computer_status WHERE computer_no = ?1";
    REPORTED: "reading a computer that reports" =
        "SELECT s.status, s.anchor, s.recent_events, c.site_no
         FROM computer c LEFT JOIN computer_status s ON s.computer_no = c.computer_no WHERE c.computer_no = ?1";
    STATUS_EACH: "loading the status of all computers" =
        "SELECT status, anchor, recent_events, computer_no FROM computer_status ORDER BY computer_no";
    STATUS_PUT: "storing a computer's status" =
        "INSERT INTO computer_status (computer_no, status, anchor, recent_events) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (computer_no) DO UPDATE SET status = excluded.status, anchor = excluded.anchor,
             recent_events = excluded.recent_events";
    CONTACT_UPDATE: "noting a call" =
        "UPDATE computer SET dns_name = ?2, cookie_name = ?2, search = ?3, ip_address = ?4, plain_http = ?5, requested_groups = ?6,
             last_contact_at = ?7, site_no = 1
         WHERE computer_id = ?1 RETURNING computer_no";
    CONTACT_INSERT: "adding a computer" =
        "INSERT INTO computer (computer_id, dns_name, cookie_name, search, ip_address, plain_http, requested_groups,
             first_contact_at, last_contact_at)
         VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?7) RETURNING computer_no";
    REGISTER: "registering a computer" =
        "UPDATE computer SET registered_at = ?2, dns_name = ?3, search = ?4, os_major_version = ?5,
             os_minor_version = ?6, os_build_number = ?7, os_service_pack_major_number = ?8,
             os_service_pack_minor_number = ?9, os_locale = ?10, computer_manufacturer = ?11, computer_model = ?12,
             bios_version = ?13, bios_name = ?14, bios_release_date = ?15, processor_architecture = ?16,
             suite_mask = ?17, old_product_type = ?18, new_product_type = ?19, system_metrics = ?20,
             client_version_major_number = ?21, client_version_minor_number = ?22, client_version_build_number = ?23,
             client_version_qfe_number = ?24, os_description = ?25, oem = ?26, device_type = ?27,
             firmware_version = ?28, mobile_operator = ?29
         WHERE computer_no = ?1 RETURNING computer_id";
    TOUCH: "noting what a computer reported" =
        "UPDATE computer SET site_no = 1, last_contact_at = coalesce(?2, last_contact_at),
             last_sync_at = coalesce(?3, last_sync_at),
             last_sync_succeeded = CASE WHEN ?3 IS NULL THEN last_sync_succeeded ELSE ?4 END,
             last_sync_error = CASE WHEN ?3 IS NULL THEN last_sync_error ELSE ?5 END,
             last_report_at = coalesce(?6, last_report_at), last_reboot_at = coalesce(?7, last_reboot_at)
         WHERE computer_no = ?1";
    TIME_ZONE_SHOW: "reading the time zone of a computer" = "SELECT time_zone FROM computer WHERE computer_no = ?1";
    TIME_ZONES: "listing computers with a time zone of their own" =
        "SELECT computer_no, time_zone FROM computer WHERE time_zone IS NOT NULL ORDER BY computer_no";
    TIME_ZONE_SET: "setting the time zone of a computer" = "UPDATE computer SET time_zone = ?2 WHERE computer_no = ?1";
    COMPUTER_DELETE: "deleting a computer" = "DELETE FROM computer WHERE computer_no = ?1";
}

/// What is searched: the name and the id in lower case.
pub(crate) fn search_key(dns_name: &str, id: &str) -> String {
    format!("{}\n{id}", dns_name.to_lowercase())
}

pub(crate) fn computer(row: &Row<'_>) -> Result<ComputerRow, StoreError> {
    let id = row.str(1)?;
    let id = id.parse().map_err(|error| StoreError::Corrupt { what: format!("computer id {id:?}: {error}") })?;
    let dns_name = row.text(2)?;
    let registration = if row.is_null(13)? { None } else { Some(registration(row, dns_name.clone())?) };
    Ok(ComputerRow {
        no: row.int(0)?,
        site: row.int(39)?,
        id,
        dns_name,
        registration,
        ip_address: row.opt_text(3)?,
        plain_http: row.bool(4)?,
        requested_groups: row.opt_text(5)?,
        first_contact_at: row.time(6)?,
        last_contact_at: row.time(7)?,
        last_sync_at: row.opt_time(8)?,
        last_sync_succeeded: row.opt(9, Row::bool)?,
        last_sync_error: row.opt_int(10)?,
        last_report_at: row.opt_time(11)?,
        last_reboot_at: row.opt_time(12)?,
        exact_build: row.opt_text(40)?.and_then(|text| text.parse().ok()),
    })
}

fn registration(row: &Row<'_>, dns_name: String) -> Result<Registration, StoreError> {
    Ok(Registration {
        dns_name,
        os_major_version: row.int(14)?,
        os_minor_version: row.int(15)?,
        os_build_number: row.int(16)?,
        os_service_pack_major_number: row.int(17)?,
        os_service_pack_minor_number: row.int(18)?,
        os_locale: row.opt_text(19)?,
        computer_manufacturer: row.opt_text(20)?,
        computer_model: row.opt_text(21)?,
        bios_version: row.opt_text(22)?,
        bios_name: row.opt_text(23)?,
        bios_release_date: row.opt_time(24)?,
        processor_architecture: row.opt_text(25)?,
        suite_mask: row.int(26)?,
        old_product_type: row.int(27)?,
        new_product_type: row.int(28)?,
        system_metrics: row.int(29)?,
        client_version_major_number: row.int(30)?,
        client_version_minor_number: row.int(31)?,
        client_version_build_number: row.int(32)?,
        client_version_qfe_number: row.int(33)?,
        os_description: row.opt_text(34)?,
        oem: row.opt_text(35)?,
        device_type: row.opt_text(36)?,
        firmware_version: row.opt_text(37)?,
        mobile_operator: row.opt_text(38)?,
    })
}

pub(crate) fn status(row: &Row<'_>) -> Result<StatusRow, StoreError> {
    Ok(StatusRow { status: row.bytes(0)?.to_vec(), anchor: row.change(1)?, recent_events: row.bytes(2)?.to_vec() })
}

fn missing(no: u32) -> StoreError {
    StoreError::Missing { kind: "computer number", id: no.to_string() }
}

impl ReadTx<'_> {
    /// The computer of that id.
    pub fn computer_find(&self, id: &ComputerId) -> Result<Option<ComputerRow>, StoreError> {
        self.first(&COMPUTER_FIND, args![id.as_str()], computer)
    }

    /// The computer of that row number.
    pub fn computer_show(&self, no: u32) -> Result<Option<ComputerRow>, StoreError> {
        self.first(&COMPUTER_SHOW, args![no], computer)
    }

    /// Computers by row number.
    pub fn computer_list(
        &self,
        filter: &ComputerFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ComputerRow>, StoreError> {
        let after: u32 = cursor_number(cursor, 0)?;
        let wanted = filter.text.as_deref().map(|text| text.trim().to_lowercase());
        let rows = page_rows(limit) as usize;
        let mut found: Vec<u32> = Vec::new();
        let take = |row: &Row<'_>| {
            if wanted.as_deref().is_none_or(|wanted| row.str(1).is_ok_and(|key| key.contains(wanted))) {
                found.push(row.int(0)?);
            }
            Ok(if found.len() < rows { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        };
        match filter.collection {
            Some(collection) => self.each(&COMPUTER_SCAN_GROUP, args![after, collection], take)?,
            None => self.each(&COMPUTER_SCAN, args![after], take)?,
        }
        let page = Page::cut(found, limit, u32::to_string);
        let items = page.items.into_iter().map(|no| self.computer_show(no)?.ok_or_else(|| missing(no)));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: page.next })
    }

    /// The IANA zone of a computer's local time, if an administrator set one.
    pub fn computer_time_zone(&self, no: u32) -> Result<Option<String>, StoreError> {
        Ok(self.first(&TIME_ZONE_SHOW, args![no], |row| row.opt_text(0))?.flatten())
    }

    /// The computers with an IANA zone of their own, ascending by row number.
    pub fn computer_time_zones(&self) -> Result<Vec<(u32, String)>, StoreError> {
        self.all(&TIME_ZONES, args![], |row| Ok((row.int(0)?, row.text(1)?)))
    }

    /// How many computers there are.
    pub fn computer_count(&self) -> Result<u64, StoreError> {
        self.one(&COMPUTER_COUNT, args![], |row| row.int(0))
    }

    /// How many computers first came at or after `since` (new computers per hour are limited).
    pub fn computer_count_since(&self, since: Timestamp) -> Result<u64, StoreError> {
        self.one(&COMPUTER_COUNT_SINCE, args![since], |row| row.int(0))
    }

    /// The compact status of a computer; default if it never reported.
    pub fn computer_status(&self, no: u32) -> Result<StatusRow, StoreError> {
        Ok(self.first(&STATUS_SHOW, args![no], status)?.unwrap_or_default())
    }

    /// What a report of a computer meets: the server that it scanned against last, and its compact status (default if it never
    /// reported). None if it is not there.
    pub fn computer_reported(&self, no: u32) -> Result<Option<(u32, StatusRow)>, StoreError> {
        self.first(&REPORTED, args![no], |row| {
            let before = if row.is_null(0)? { StatusRow::default() } else { status(row)? };
            Ok((row.int(3)?, before))
        })
    }

    /// Hands the status of every computer that reported to `each`, ascending by row number.
    pub fn computer_status_each(
        &self,
        each: &mut dyn FnMut(u32, StatusRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(&STATUS_EACH, args![], |row| {
            each(row.int(3)?, status(row)?)?;
            Ok(ControlFlow::Continue(()))
        })
    }
}

impl WriteTx<'_> {
    /// Notes a call at the actor's time: makes the computer if it is new, else updates its contact columns. Returns its
    /// row number, which is never given again, and whether it is new.
    pub fn computer_contact(&self, contact: &Contact) -> Result<(u32, bool), StoreError> {
        let id = contact.id.as_str();
        let search = search_key(&contact.dns_name, id);
        let values = args![
            id,
            &contact.dns_name,
            &search,
            contact.ip_address.as_deref(),
            contact.plain_http,
            contact.requested_groups.as_deref(),
            self.actor().at,
        ];
        if let Some(no) = self.first(&CONTACT_UPDATE, values, |row| row.int(0))? {
            return Ok((no, false));
        }
        Ok((self.one(&CONTACT_INSERT, values, |row| row.int(0))?, true))
    }

    /// Stores what a computer registered. It carries its name only if that is not empty.
    pub fn computer_register(&self, no: u32, registration: &Registration) -> Result<(), StoreError> {
        let known = self.computer_show(no)?.ok_or_else(|| missing(no))?;
        let r = registration;
        let dns_name = if r.dns_name.is_empty() { &known.dns_name } else { &r.dns_name };
        let search = search_key(dns_name, known.id.as_str());
        let values = args![
            no,
            self.actor().at,
            dns_name,
            &search,
            r.os_major_version,
            r.os_minor_version,
            r.os_build_number,
            r.os_service_pack_major_number,
            r.os_service_pack_minor_number,
            r.os_locale.as_deref(),
            r.computer_manufacturer.as_deref(),
            r.computer_model.as_deref(),
            r.bios_version.as_deref(),
            r.bios_name.as_deref(),
            r.bios_release_date,
            r.processor_architecture.as_deref(),
            r.suite_mask,
            r.old_product_type,
            r.new_product_type,
            r.system_metrics,
            r.client_version_major_number,
            r.client_version_minor_number,
            r.client_version_build_number,
            r.client_version_qfe_number,
            r.os_description.as_deref(),
            r.oem.as_deref(),
            r.device_type.as_deref(),
            r.firmware_version.as_deref(),
            r.mobile_operator.as_deref(),
        ];
        self.first(&REGISTER, values, |_| Ok(()))?;
        Ok(())
    }

    /// Stores what an event batch says about the computer itself, if it is there; it scans here from now on.
    pub fn computer_touch(&self, no: u32, times: &ContactTimes) -> Result<(), StoreError> {
        let values = args![
            no,
            times.last_contact_at,
            times.last_sync.map(|(at, _, _)| at),
            times.last_sync.map(|(_, succeeded, _)| succeeded),
            times.last_sync.and_then(|(_, _, error)| error),
            times.last_report_at,
            times.last_reboot_at,
        ];
        self.send(&TOUCH, values)
    }

    /// Sets the zone of a computer's local time, an IANA name that the caller has checked; none takes that of its collections.
    pub fn computer_set_time_zone(&self, no: u32, zone: Option<&str>) -> Result<(), StoreError> {
        if self.run(&TIME_ZONE_SET, args![no, zone])? == 0 { Err(missing(no)) } else { Ok(()) }
    }

    /// Replaces the compact status.
    pub fn computer_status_put(&self, no: u32, row: &StatusRow) -> Result<(), StoreError> {
        self.send(&STATUS_PUT, args![no, &row.status, row.anchor, &row.recent_events])?;
        Ok(())
    }

    /// Forgets a computer with its memberships, status and events. True if there was one.
    pub fn computer_delete(&self, no: u32) -> Result<bool, StoreError> {
        Ok(self.run(&COMPUTER_DELETE, args![no])? > 0)
    }
}
