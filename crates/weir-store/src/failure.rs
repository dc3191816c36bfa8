//! Which computers could not scan, and what they are, for groups of failures.

use jiff::Timestamp;
use weir_model::freshness::ScanState;

use crate::{ReadTx, StoreError, codec::args, freshness::detection, sql::statements};

/// The last scan of a computer, if it failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FailedScan {
    /// Row number of the computer.
    pub no: u32,
    /// When it scanned.
    pub at: Timestamp,
    /// The HRESULT, if it told one.
    pub error: Option<i32>,
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
    FAILED_SCANS: "listing computers that could not scan" =
        "SELECT computer_no, last_sync_at, last_sync_error FROM computer
         WHERE last_sync_succeeded = 0 AND last_sync_at IS NOT NULL ORDER BY computer_no";
    SYSTEMS_OF: "reading the operating systems of some computers" =
        "SELECT computer_no, coalesce(os_description, ''), os_major_version, os_minor_version, os_build_number FROM computer
         WHERE registered_at IS NOT NULL AND computer_no IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ORDER BY computer_no";
}

impl ReadTx<'_> {
    /// The computers whose last scan failed, by number.
    pub fn failed_scans(&self) -> Result<Vec<FailedScan>, StoreError> {
        let mut scans = self.all(&FAILED_SCANS, args![], |row| {
            Ok(FailedScan { no: row.int(0)?, at: row.time(1)?, error: row.opt_int(2)? })
        })?;
        // a code of success is no failure, whatever the event says
        scans.retain(|scan| ScanState::of(detection(Some(scan.at), Some(false), scan.error)) == ScanState::Failed);
        Ok(scans)
    }

    /// The operating systems of those of these computers that registered. Numbers and answers ascend.
    pub fn computer_systems_of(&self, computers: &[u32]) -> Result<Vec<(u32, OperatingSystem)>, StoreError> {
        let mut found = Vec::new();
        self.each_of(&SYSTEMS_OF, computers, |row| {
            let name = row.str(1)?.trim().to_owned();
            let system = OperatingSystem { name, major: row.int(2)?, minor: row.int(3)?, build: row.int(4)? };
            found.push((row.int(0)?, system));
            Ok(())
        })?;
        Ok(found)
    }
}
