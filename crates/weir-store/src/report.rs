//! What reports read of computers, one after the other, so that no table of them is ever in memory.

use std::ops::ControlFlow;

use jiff::Timestamp;
use weir_model::ids::ComputerId;

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    sql::{Statement, statements},
};

/// A computer, as far as reports tell of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportComputer {
    /// Its row number.
    pub no: u32,
    /// What it calls itself.
    pub id: ComputerId,
    /// Its DNS name.
    pub dns_name: String,
    /// The server it scans against: 1 is this one.
    pub site: u32,
    /// IANA zone of its local time; none takes that of its collections, then the site's.
    pub time_zone: Option<String>,
    /// First contact.
    pub first_contact_at: Timestamp,
    /// Last call.
    pub last_contact_at: Timestamp,
    /// Last detection.
    pub last_sync_at: Option<Timestamp>,
    /// That detection succeeded.
    pub last_sync_succeeded: Option<bool>,
    /// HRESULT of a failed detection.
    pub last_sync_error: Option<i32>,
    /// Last status report.
    pub last_report_at: Option<Timestamp>,
}

statements! {
    COMPUTERS: "reading computers for a report" =
        "SELECT computer_no, computer_id, dns_name, site_no, first_contact_at, last_contact_at, last_sync_at,
             last_sync_succeeded, last_sync_error, last_report_at, time_zone
         FROM computer WHERE computer_no BETWEEN ?1 AND ?2 ORDER BY computer_no";
    // the status is looked up by key for each row: a range may be one computer or all of them, and the plan is made for neither
    STATUSES: "reading computers with what they reported for a report" =
        "SELECT c.computer_no, c.computer_id, c.dns_name, c.site_no, c.first_contact_at, c.last_contact_at, c.last_sync_at,
             c.last_sync_succeeded, c.last_sync_error, c.last_report_at, c.time_zone,
             (SELECT s.status FROM computer_status s WHERE s.computer_no = c.computer_no)
         FROM computer c WHERE c.computer_no BETWEEN ?1 AND ?2 ORDER BY c.computer_no";
}

/// Numbers that are no farther apart are read in one go: what lies between is passed over sooner than looked for anew.
const NEAR: u32 = 4;
/// Computers that are read with one statement: whoever asks for something else meanwhile makes a session keep what is left of its rows.
const PIECE: usize = 500;

fn computer(row: &Row<'_>) -> Result<ReportComputer, StoreError> {
    let id = row.str(1)?;
    Ok(ReportComputer {
        no: row.int(0)?,
        id: id.parse().map_err(|error| StoreError::Corrupt { what: format!("computer id {id:?}: {error}") })?,
        dns_name: row.text(2)?,
        site: row.int(3)?,
        first_contact_at: row.time(4)?,
        last_contact_at: row.time(5)?,
        last_sync_at: row.opt_time(6)?,
        last_sync_succeeded: row.opt(7, Row::bool)?,
        last_sync_error: row.opt_int(8)?,
        last_report_at: row.opt_time(9)?,
        time_zone: row.opt_text(10)?,
    })
}

/// What is done with each computer and its encoded status.
pub type EachReported<'e> = dyn FnMut(ReportComputer, &[u8]) -> Result<(), StoreError> + 'e;

impl ReadTx<'_> {
    /// Hands the computers of these row numbers, which ascend, to `each` in this order; those that are gone are left out.
    /// `with_status` adds the encoded [`weir_model::status::ComputerStatus`], which is empty for one that never reported and
    /// without it.
    pub fn report_computers_of(
        &self,
        numbers: &[u32],
        with_status: bool,
        each: &mut EachReported<'_>,
    ) -> Result<(), StoreError> {
        let statement: &'static Statement = if with_status { &STATUSES } else { &COMPUTERS };
        let near = numbers.chunk_by(|one, next| next.saturating_sub(*one) <= NEAR);
        for piece in near.flat_map(|near| near.chunks(PIECE)) {
            let (Some(first), Some(last)) = (piece.first(), piece.last()) else { continue };
            let mut wanted = piece.iter().peekable();
            self.each(statement, args![*first, *last], |row| {
                let no: u32 = row.int(0)?;
                while wanted.next_if(|wanted| **wanted < no).is_some() {}
                if wanted.next_if(|wanted| **wanted == no).is_some() {
                    let status = if with_status && !row.is_null(11)? { row.bytes(11)? } else { &[] };
                    each(computer(row)?, status)?;
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(())
    }
}
