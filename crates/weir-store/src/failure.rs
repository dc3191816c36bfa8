//! What every computer is and how its last detection ended, for groups of failures.

use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::{ReadTx, StoreError, codec::args, sql::statements};

/// A computer as failures are grouped by.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FailingComputer {
    /// Row number.
    pub no: u32,
    /// Name and version of its operating system; empty version parts before it registered.
    pub os: Option<OperatingSystem>,
    /// Its last detection failed: when, and the HRESULT.
    pub detection: Option<(Timestamp, Option<i32>)>,
}

/// An operating system as registered.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct OperatingSystem {
    /// What the computer calls it; empty if it said nothing.
    pub name: String,
    /// Major version.
    pub major: i32,
    /// Minor version.
    pub minor: i32,
    /// Build.
    pub build: i32,
}

statements! {
    EACH: "listing what computers are and how they scanned" =
        "SELECT computer_no, registered_at IS NOT NULL, coalesce(os_description, ''), os_major_version, os_minor_version,
             os_build_number, last_sync_at, coalesce(last_sync_succeeded, 1), last_sync_error
         FROM computer ORDER BY computer_no";
}

impl ReadTx<'_> {
    /// Every computer, by number.
    pub fn failing_computer_each(
        &self,
        each: &mut dyn FnMut(FailingComputer) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(&EACH, args![], |row| {
            let os = if row.bool(1)? {
                Some(OperatingSystem {
                    name: row.str(2)?.trim().to_owned(),
                    major: row.int(3)?,
                    minor: row.int(4)?,
                    build: row.int(5)?,
                })
            } else {
                None
            };
            let failed = !row.bool(7)?;
            let detection = match row.opt_time(6)?.filter(|_| failed) {
                Some(at) => Some((at, row.opt_int(8)?)),
                None => None,
            };
            each(FailingComputer { no: row.int(0)?, os, detection })?;
            Ok(ControlFlow::Continue(()))
        })
    }
}
