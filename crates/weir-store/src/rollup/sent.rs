//! What is owed to the server above.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{ids::ComputerId, rollup::ComputerDetails};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// Of a computer, its row is owed.
pub const TODO_ROW: u8 = 1;
/// Its details are owed.
pub const TODO_DETAILS: u8 = 2;
/// Its status is owed.
pub const TODO_STATUS: u8 = 4;

/// A computer whose row is owed, with what only roll-ups know of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Telling {
    /// Its row number.
    pub no: u32,
    /// What is owed: [`TODO_ROW`], [`TODO_DETAILS`], [`TODO_STATUS`].
    pub todo: u8,
    /// Moves whenever more is owed.
    pub mark: u64,
    /// Its server: 1 for this one.
    pub site: u32,
    /// The GUID of that server, if it is another.
    pub server: Option<Uuid>,
    /// What it is, of computers of other servers.
    pub details: Option<ComputerDetails>,
    /// Its last inventory.
    pub last_inventory: Option<Timestamp>,
}

/// A computer whose status is owed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SentStatus {
    /// Its row number.
    pub no: u32,
    /// Its id.
    pub id: ComputerId,
    /// Its server: 1 for this one.
    pub site: u32,
    /// Moves whenever more is owed.
    pub mark: u64,
    /// `RollupNumber` of the last status that was sent.
    pub number: i32,
    /// The status that the server above has, as stored; none if it gets everything.
    pub told: Option<Vec<u8>>,
    /// The effective time that the server above has.
    pub told_effective: Option<Timestamp>,
    /// The status now, as stored.
    pub status: Vec<u8>,
    /// The effective time now, of computers of other servers.
    pub effective: Option<Timestamp>,
}

/// How much is owed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Owed {
    /// Computers whose row is.
    pub computers: u64,
    /// Computers whose status is.
    pub statuses: u64,
}

statements! {
    ROWS: "listing computers to be told of" =
        "SELECT s.computer_no, s.todo, s.mark, c.site_no, d.server_id, r.details, r.last_inventory_at
         FROM rollup_sent s INDEXED BY rollup_sent_rows JOIN computer c ON c.computer_no = s.computer_no
         LEFT JOIN rollup_computer r ON r.computer_no = s.computer_no
         LEFT JOIN downstream_server d ON d.server_no = c.site_no
         WHERE s.todo & 3 <> 0 AND s.withheld = 0 AND s.computer_no > ?1 ORDER BY s.computer_no LIMIT ?2",
        postgres "SELECT s.computer_no, s.todo, s.mark, c.site_no, d.server_id, r.details, r.last_inventory_at
         FROM rollup_sent s JOIN computer c ON c.computer_no = s.computer_no
         LEFT JOIN rollup_computer r ON r.computer_no = s.computer_no
         LEFT JOIN downstream_server d ON d.server_no = c.site_no
         WHERE s.todo & 3 <> 0 AND s.withheld = 0 AND s.computer_no > ?1 ORDER BY s.computer_no LIMIT ?2";
    STATUSES: "listing computers whose status is to be told" =
        "SELECT s.computer_no, c.computer_id, c.site_no, s.mark, s.number, s.status, s.effective_at, t.status,
             r.effective_at
         FROM rollup_sent s INDEXED BY rollup_sent_status JOIN computer c ON c.computer_no = s.computer_no
         LEFT JOIN computer_status t ON t.computer_no = s.computer_no
         LEFT JOIN rollup_computer r ON r.computer_no = s.computer_no
         WHERE s.todo & 4 <> 0 AND s.withheld = 0 AND s.computer_no > ?1 ORDER BY s.computer_no LIMIT ?2",
        postgres "SELECT s.computer_no, c.computer_id, c.site_no, s.mark, s.number, s.status, s.effective_at, t.status,
             r.effective_at
         FROM rollup_sent s JOIN computer c ON c.computer_no = s.computer_no
         LEFT JOIN computer_status t ON t.computer_no = s.computer_no
         LEFT JOIN rollup_computer r ON r.computer_no = s.computer_no
         WHERE s.todo & 4 <> 0 AND s.withheld = 0 AND s.computer_no > ?1 ORDER BY s.computer_no LIMIT ?2";
    NUMBERS: "listing the numbers of status that is to be told" =
        "SELECT s.computer_no, c.computer_id, s.number FROM rollup_sent s INDEXED BY rollup_sent_status
         JOIN computer c ON c.computer_no = s.computer_no
         WHERE s.todo & 4 <> 0 AND s.withheld = 0 AND s.status IS NOT NULL AND s.computer_no > ?1
         ORDER BY s.computer_no LIMIT ?2",
        postgres "SELECT s.computer_no, c.computer_id, s.number FROM rollup_sent s
         JOIN computer c ON c.computer_no = s.computer_no
         WHERE s.todo & 4 <> 0 AND s.withheld = 0 AND s.status IS NOT NULL AND s.computer_no > ?1
         ORDER BY s.computer_no LIMIT ?2";
    OWED_ROWS: "counting computers to be told of" =
        "SELECT count(*) FROM rollup_sent INDEXED BY rollup_sent_rows WHERE todo & 3 <> 0 AND withheld = 0",
        postgres "SELECT count(*) FROM rollup_sent WHERE todo & 3 <> 0 AND withheld = 0";
    OWED_STATUSES: "counting status to be told" =
        "SELECT count(*) FROM rollup_sent INDEXED BY rollup_sent_status WHERE todo & 4 <> 0 AND withheld = 0",
        postgres "SELECT count(*) FROM rollup_sent WHERE todo & 4 <> 0 AND withheld = 0";
    ROW_DONE: "noting that a computer was told of" =
        "UPDATE rollup_sent SET todo = todo & ~CAST(?3 AS BIGINT) WHERE computer_no = ?1 AND mark = ?2";
    STATUS_DONE: "noting that a status was told" =
        "UPDATE rollup_sent SET number = ?3, status = ?4, effective_at = ?5,
             todo = CASE WHEN mark = ?2 THEN todo & ~4 ELSE todo END
         WHERE computer_no = ?1";
    AGAIN: "owing the details of a computer" =
        "UPDATE rollup_sent SET todo = todo | 3, withheld = 0
         WHERE computer_no = (SELECT c.computer_no FROM computer c WHERE c.computer_id = ?1)";
    FULL: "owing the whole status of a computer" =
        "UPDATE rollup_sent SET todo = todo | 4, status = NULL, effective_at = NULL
         WHERE computer_no = (SELECT c.computer_no FROM computer c WHERE c.computer_id = ?1)";
    WITHHOLD: "withholding a computer" =
        "UPDATE rollup_sent SET todo = 7, withheld = 1, status = NULL, effective_at = NULL WHERE computer_no = ?1";
}

impl ReadTx<'_> {
    /// Computers whose row or details are owed, by row number.
    pub fn rollup_sent_rows(&self, after: u32, limit: u32) -> Result<Vec<Telling>, StoreError> {
        self.all(&ROWS, args![after, limit], |row| {
            let details = row.opt(5, Row::json)?.map(serde_json::from_value).transpose();
            Ok(Telling {
                no: row.int(0)?,
                todo: row.int(1)?,
                mark: row.int(2)?,
                site: row.int(3)?,
                server: row.opt(4, Row::uuid)?,
                details: details
                    .map_err(|error| StoreError::Corrupt { what: format!("details of a computer: {error}") })?,
                last_inventory: row.opt_time(6)?,
            })
        })
    }

    /// Computers whose status is owed, by row number.
    pub fn rollup_sent_statuses(&self, after: u32, limit: u32) -> Result<Vec<SentStatus>, StoreError> {
        self.all(&STATUSES, args![after, limit], |row| {
            Ok(SentStatus {
                no: row.int(0)?,
                id: id(row, 1)?,
                site: row.int(2)?,
                mark: row.int(3)?,
                number: row.int(4)?,
                told: row.opt(5, |row, column| Ok(row.bytes(column)?.to_vec()))?,
                told_effective: row.opt_time(6)?,
                status: row.opt(7, |row, column| Ok(row.bytes(column)?.to_vec()))?.unwrap_or_default(),
                effective: row.opt_time(8)?,
            })
        })
    }

    /// Computers of whose status only what changed is owed, by row number, with the number sent last.
    pub fn rollup_sent_numbers(&self, after: u32, limit: u32) -> Result<Vec<(u32, ComputerId, i32)>, StoreError> {
        self.all(&NUMBERS, args![after, limit], |row| Ok((row.int(0)?, id(row, 1)?, row.int(2)?)))
    }

    /// How much is owed.
    pub fn rollup_owed(&self) -> Result<Owed, StoreError> {
        let computers = self.one(&OWED_ROWS, args![], |row| row.int(0))?;
        Ok(Owed { computers, statuses: self.one(&OWED_STATUSES, args![], |row| row.int(0))? })
    }
}

fn id(row: &Row<'_>, column: usize) -> Result<ComputerId, StoreError> {
    let id = row.str(column)?;
    id.parse().map_err(|error| StoreError::Corrupt { what: format!("computer id {id:?}: {error}") })
}

impl WriteTx<'_> {
    /// Notes that something is owed no more, unless more came to be owed since `mark`.
    pub fn rollup_sent_done(&self, no: u32, mark: u64, done: u8) -> Result<(), StoreError> {
        self.send(&ROW_DONE, args![no, mark, done])?;
        Ok(())
    }

    /// Notes the status that the server above has now.
    pub fn rollup_sent_status_done(
        &self,
        no: u32,
        mark: u64,
        number: i32,
        status: &[u8],
        effective: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.send(&STATUS_DONE, args![no, mark, number, status, effective])?;
        Ok(())
    }

    /// The server above wants the details of a computer.
    pub fn rollup_sent_again(&self, id: &ComputerId) -> Result<(), StoreError> {
        self.send(&AGAIN, args![id.as_str()])?;
        Ok(())
    }

    /// The server above has another status of a computer than was told.
    pub fn rollup_sent_full(&self, id: &ComputerId) -> Result<(), StoreError> {
        self.send(&FULL, args![id.as_str()])?;
        Ok(())
    }

    /// Tells no more of a computer until it is heard of again, then everything.
    pub fn rollup_sent_withhold(&self, no: u32) -> Result<(), StoreError> {
        self.send(&WITHHOLD, args![no])?;
        Ok(())
    }
}
