//! What computers are called and when they were here, in one compact pass: for searches by name and for sorting.

use jiff::Timestamp;

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    sql::statements,
};

/// A computer as searches know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RosterRow {
    /// Its row number.
    pub no: u32,
    /// The server it scans against: 1 is this one.
    pub site: u32,
    /// What it calls itself.
    pub id: String,
    /// Its DNS name; empty until it is known.
    pub dns_name: String,
    /// Address of its last call.
    pub ip_address: Option<String>,
    /// First valid cookie.
    pub first_contact_at: Timestamp,
    /// Last call.
    pub last_contact_at: Timestamp,
    /// Last status report.
    pub last_report_at: Option<Timestamp>,
}

statements! {
    ROSTER: "reading what computers are called" =
        "SELECT computer_no, computer_id, dns_name, ip_address, first_contact_at, last_contact_at, last_report_at, site_no
         FROM computer ORDER BY computer_no";
    ROSTER_OF: "reading what some computers are called" =
        "SELECT computer_no, computer_id, dns_name, ip_address, first_contact_at, last_contact_at, last_report_at, site_no
         FROM computer
         WHERE computer_no IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ORDER BY computer_no";
}

fn listed(row: &Row<'_>) -> Result<RosterRow, StoreError> {
    Ok(RosterRow {
        no: row.int(0)?,
        site: row.int(7)?,
        id: row.text(1)?,
        dns_name: row.text(2)?,
        ip_address: row.opt_text(3)?,
        first_contact_at: row.time(4)?,
        last_contact_at: row.time(5)?,
        last_report_at: row.opt_time(6)?,
    })
}

impl ReadTx<'_> {
    /// Every computer, ascending by row number.
    pub fn computer_roster(&self) -> Result<Vec<RosterRow>, StoreError> {
        self.all(&ROSTER, args![], listed)
    }

    /// Those of these computers that are here. Numbers and rows ascend.
    pub fn computer_roster_of(&self, computers: &[u32]) -> Result<Vec<RosterRow>, StoreError> {
        let mut rows = Vec::with_capacity(computers.len());
        self.each_of(&ROSTER_OF, computers, |row| {
            rows.push(listed(row)?);
            Ok(())
        })?;
        Ok(rows)
    }
}
