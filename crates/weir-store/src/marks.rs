//! What moves when something was written that servers keep in memory: one look tells a server what it has to read again, whichever
//! server wrote it.

use std::ops::ControlFlow;

use jiff::Timestamp;
use weir_model::ids::ChangeNumber;

use crate::{ReadTx, StoreError, codec::args, sql::statements};

/// The numbers of one moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Marks {
    /// Of the one global order of changes: catalogue, targeting, settings.
    pub change: ChangeNumber,
    /// Of the computers that scan here and where they are.
    pub directory: u64,
    /// Of everything that is followed of computers.
    pub feed: u64,
    /// Of the definitions of collections, and of those whose members were found.
    pub membership: (u64, u64),
    /// Of documents about vulnerabilities.
    pub exposure: u64,
    /// The last act.
    pub audit: i64,
    /// The last event of an alert.
    pub alert: i64,
    /// The last job.
    pub job: i64,
    /// Jobs that wait or run.
    pub open: u64,
    /// The newest key of cookies, and how many there are.
    pub keys: (u32, u64),
    /// When a site below reported last.
    pub site: i64,
    /// The version of the catalogue that is offered to the sites below.
    pub offered: u64,
    /// Files that downstream servers asked for.
    pub requests: u64,
    /// When something changed last that computers are told with their configuration.
    pub configured: Option<Timestamp>,
}

statements! {
    MARKS_COUNTERS: "looking at the counters" = "SELECT name, value FROM counter";
    MARKS_ROWS: "looking for the last of what is added" =
        "SELECT (SELECT coalesce(max(a.audit_no), 0) FROM audit a), (SELECT coalesce(max(e.event_no), 0) FROM alert_event e),
             (SELECT coalesce(max(j.job_no), 0) FROM job j), (SELECT coalesce(max(k.key_id), 0) FROM sealing_key k),
             (SELECT count(*) FROM sealing_key k), (SELECT coalesce(max(s.received_at), 0) FROM site_status s),
             (SELECT count(*) FROM content_request r), (SELECT max(s.config_changed_at) FROM site s),
             (SELECT coalesce(max(h.catalogue_version), 0) FROM site_here h), (SELECT count(*) FROM job o WHERE o.state < 2)";
}

impl ReadTx<'_> {
    /// The numbers as this transaction sees them: two statements, a handful of look-ups.
    pub fn marks(&self) -> Result<Marks, StoreError> {
        let mut marks = self.one(&MARKS_ROWS, args![], |row| {
            Ok(Marks {
                audit: row.int(0)?,
                alert: row.int(1)?,
                job: row.int(2)?,
                keys: (row.int(3)?, row.int(4)?),
                site: row.int(5)?,
                requests: row.int(6)?,
                configured: row.opt_time(7)?,
                offered: row.int(8)?,
                open: row.int(9)?,
                ..Marks::default()
            })
        })?;
        self.each(&MARKS_COUNTERS, args![], |row| {
            let value: u64 = row.int(1)?;
            match row.str(0)? {
                "change" => marks.change = ChangeNumber(value),
                "directory" => marks.directory = value,
                "computer_feed" => marks.feed = value,
                "membership" => marks.membership.0 = value,
                "membership_done" => marks.membership.1 = value,
                "exposure" => marks.exposure = value,
                // counters of nothing that is kept in memory, and those of later versions
                _ => {}
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(marks)
    }
}
