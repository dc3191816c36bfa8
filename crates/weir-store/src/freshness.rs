//! When computers were last heard of, of all of them in one pass.

use std::ops::ControlFlow;

use jiff::Timestamp;
use weir_model::freshness::{Detection, Facts, ScanState};

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    computer::ComputerRow,
    report::ReportComputer,
    sql::statements,
};

/// When one computer was heard of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeardRow {
    /// Row number.
    pub no: u32,
    /// The server it scans against: 1 is this one, others are numbers of downstream servers.
    pub site: u32,
    /// Its last call came without TLS; known of computers that scan at this server.
    pub plain_http: bool,
    /// When.
    pub facts: Facts,
}

/// A failed detection whose code is not stored counts with this one (E_FAIL).
const FAILED: i32 = 0x8000_4005_u32.cast_signed();

statements! {
    HEARD: "reading when computers were heard of" =
        "SELECT computer_no, site_no, first_contact_at, last_contact_at, last_sync_at, last_sync_succeeded,
             last_sync_error, last_report_at, plain_http
         FROM computer ORDER BY computer_no";
    HEARD_OF: "reading when a computer was heard of" =
        "SELECT computer_no, site_no, first_contact_at, last_contact_at, last_sync_at, last_sync_succeeded,
             last_sync_error, last_report_at, plain_http
         FROM computer WHERE computer_no = ?1";
}

/// A detection as its columns tell of it. A server below may tell when, and not how it ended.
pub(crate) fn detection(at: Option<Timestamp>, succeeded: Option<bool>, error: Option<i32>) -> Option<Detection> {
    let hresult = if succeeded == Some(false) { error.unwrap_or(FAILED) } else { 0 };
    Some(Detection { at: at?, hresult })
}

impl ReportComputer {
    /// When it was heard of.
    pub fn facts(&self) -> Facts {
        Facts {
            first_contact: self.first_contact_at,
            last_contact: self.last_contact_at,
            detection: detection(self.last_sync_at, self.last_sync_succeeded, self.last_sync_error),
            last_report: self.last_report_at,
        }
    }

    /// How its last scan ended.
    pub fn scan(&self) -> ScanState {
        ScanState::of(self.facts().detection)
    }
}

impl ComputerRow {
    /// When it was heard of.
    pub fn facts(&self) -> Facts {
        Facts {
            first_contact: self.first_contact_at,
            last_contact: self.last_contact_at,
            detection: detection(self.last_sync_at, self.last_sync_succeeded, self.last_sync_error),
            last_report: self.last_report_at,
        }
    }
}

fn heard(row: &Row<'_>) -> Result<HeardRow, StoreError> {
    Ok(HeardRow {
        no: row.int(0)?,
        site: row.int(1)?,
        plain_http: row.bool(8)?,
        facts: Facts {
            first_contact: row.time(2)?,
            last_contact: row.time(3)?,
            detection: detection(row.opt_time(4)?, row.opt(5, Row::bool)?, row.opt_int(6)?),
            last_report: row.opt_time(7)?,
        },
    })
}

impl ReadTx<'_> {
    /// Hands every computer to `each`, ascending by row number.
    pub fn computer_heard_each(&self, mut each: impl FnMut(HeardRow)) -> Result<(), StoreError> {
        self.each(&HEARD, args![], |row| {
            each(heard(row)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// One computer, by row number.
    pub fn computer_heard(&self, no: u32) -> Result<Option<HeardRow>, StoreError> {
        self.first(&HEARD_OF, args![no], heard)
    }
}
