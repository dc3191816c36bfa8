//! Which computers come without TLS.

use crate::{ReadTx, StoreError, codec::args, sql::statements};

statements! {
    PLAIN_HTTP: "listing computers that come without TLS" =
        "SELECT computer_no FROM computer WHERE plain_http = 1 AND site_no = 1 ORDER BY computer_no";
}

impl ReadTx<'_> {
    /// The computers that scan at this server and made their last call without TLS, ascending by row number. Of others it is not known.
    pub fn computers_plain_http(&self) -> Result<Vec<u32>, StoreError> {
        self.all(&PLAIN_HTTP, args![], |row| row.int(0))
    }
}
