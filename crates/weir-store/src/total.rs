//! What there is, counted: the status of the server has it on every page of the console, so that no row is read for it.

use crate::{ReadTx, StoreError, codec::args, sql::statements};

statements! {
    TOTAL_UPDATES: "counting updates" = "SELECT count(DISTINCT update_no) FROM revision";
    TOTAL_DEPLOYMENTS: "counting deployments" =
        "SELECT count(*) FROM deployment WHERE expanded_from IS NULL AND deployment_id > 0";
    TOTAL_PLAIN_HTTP: "counting computers without TLS" = "SELECT count(*) FROM computer WHERE plain_http = 1";
    TOTAL_REPORTED: "looking whether a computer reported" =
        "SELECT EXISTS (SELECT 1 FROM computer WHERE last_report_at IS NOT NULL)";
    TOTAL_HERE_PLAIN: "counting computers that scan here without TLS" =
        "SELECT count(*) FROM computer WHERE plain_http = 1 AND site_no = 1";
}

impl ReadTx<'_> {
    /// How many updates have a stored revision. Reads an index of all revisions: some milliseconds for 100,000 of them.
    pub fn update_count(&self) -> Result<u64, StoreError> {
        self.one(&TOTAL_UPDATES, args![], |row| row.int(0))
    }

    /// How many deployments people made: that of a group is one.
    pub fn deployment_count(&self) -> Result<u64, StoreError> {
        self.one(&TOTAL_DEPLOYMENTS, args![], |row| row.int(0))
    }

    /// How many computers, of this server and of those below it, made their last call without TLS.
    pub fn computer_count_plain_http(&self) -> Result<u64, StoreError> {
        self.one(&TOTAL_PLAIN_HTTP, args![], |row| row.int(0))
    }

    /// Whether any computer ever reported. Ends at the first that did; as long as none has, it reads all of them.
    pub fn computer_any_reported(&self) -> Result<bool, StoreError> {
        self.one(&TOTAL_REPORTED, args![], |row| row.bool(0))
    }

    /// Computers that scan at this server, and those of them whose last call came without TLS. Of others it is not known.
    pub fn computer_transport_share(&self) -> Result<(u64, u64), StoreError> {
        let all = self.membership_computers()?;
        Ok((all, self.one(&TOTAL_HERE_PLAIN, args![], |row| row.int(0))?))
    }
}
