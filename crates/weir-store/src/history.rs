//! History of compliance: what it is kept of, and the encoded series of each year. The bytes are `weir_model::history`'s.

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_model::history::{Day, Subject};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// Something that history is kept of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SubjectRow {
    /// This server's own number of it.
    pub no: i64,
    /// What it is.
    pub subject: Subject,
    /// What it was last called.
    pub name: String,
    /// Since when there is no such thing any more; none if there is.
    pub gone_at: Option<Timestamp>,
}

statements! {
    SUBJECT_LIST: "listing what history is kept of" =
        "SELECT subject_no, kind, key, name, gone_at FROM compliance_subject ORDER BY kind, name, subject_no";
    SUBJECT_FIND: "looking for what history is kept of" =
        "SELECT subject_no, kind, key, name, gone_at FROM compliance_subject WHERE kind = ?1 AND key = ?2";
    SUBJECT_PUT: "noting what history is kept of" =
        "INSERT INTO compliance_subject (kind, key, name, gone_at) VALUES (?1, ?2, ?3, NULL)
         ON CONFLICT (kind, key) DO UPDATE SET name = excluded.name, gone_at = NULL RETURNING subject_no";
    SUBJECT_GONE: "noting that something with a history is gone" =
        "UPDATE compliance_subject SET gone_at = ?2 WHERE subject_no = ?1 AND gone_at IS NULL";
    SUBJECT_PRUNE: "forgetting what has no history any more" =
        "DELETE FROM compliance_subject WHERE NOT EXISTS
             (SELECT 1 FROM compliance_history h WHERE h.subject_no = compliance_subject.subject_no)";
    PARTS: "reading a history" = "SELECT year, series FROM compliance_history WHERE subject_no = ?1 ORDER BY year";
    PART: "reading a year of a history" =
        "SELECT series FROM compliance_history WHERE subject_no = ?1 AND year = ?2";
    PART_PUT: "storing a year of a history" =
        "INSERT INTO compliance_history (subject_no, year, series) VALUES (?1, ?2, ?3)
         ON CONFLICT (subject_no, year) DO UPDATE SET series = excluded.series";
    PART_DELETE: "deleting a year of a history" = "DELETE FROM compliance_history WHERE subject_no = ?1 AND year = ?2";
    OLD: "looking for history that is too old" =
        "SELECT subject_no, year, series FROM compliance_history WHERE year <= ?1 ORDER BY subject_no, year";
    ROLL_UPS: "reading how old roll-ups were on the days of history" =
        "SELECT day, min(received_at) FROM history_roll_up WHERE server_no = ?1 OR ?1 IS NULL GROUP BY day ORDER BY day";
    ROLL_UPS_OF: "reading how old roll-ups were on a day of history" =
        "SELECT server_no, received_at FROM history_roll_up WHERE day = ?1 ORDER BY server_no";
    ROLL_UP_PUT: "noting how old a roll-up was on a day of history" =
        "INSERT INTO history_roll_up (day, server_no, received_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (day, server_no) DO UPDATE SET received_at = excluded.received_at";
    ROLL_UP_PRUNE: "forgetting how old roll-ups were on days that are too old" =
        "DELETE FROM history_roll_up WHERE day < ?1";
    SIZE: "measuring history" =
        "SELECT count(DISTINCT subject_no), coalesce(sum(length(series)), 0) FROM compliance_history";
}

fn subject(row: &Row<'_>) -> Result<SubjectRow, StoreError> {
    let subject = Subject::from_stored(row.int(1)?, row.bytes(2)?)
        .map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    Ok(SubjectRow { no: row.int(0)?, subject, name: row.text(3)?, gone_at: row.opt_time(4)? })
}

impl ReadTx<'_> {
    /// All of them, by kind and name.
    pub fn history_subjects(&self) -> Result<Vec<SubjectRow>, StoreError> {
        self.all(&SUBJECT_LIST, args![], subject)
    }

    /// The row of a subject.
    pub fn history_subject(&self, of: &Subject) -> Result<Option<SubjectRow>, StoreError> {
        self.first(&SUBJECT_FIND, args![of.kind(), &of.key()], subject)
    }

    /// The encoded series of each year, oldest first.
    pub fn history_parts(&self, no: i64) -> Result<Vec<(i16, Vec<u8>)>, StoreError> {
        self.all(&PARTS, args![no], |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())))
    }

    /// The encoded series of a year.
    pub fn history_part(&self, no: i64, year: i16) -> Result<Option<Vec<u8>>, StoreError> {
        self.first(&PART, args![no, year], |row| Ok(row.bytes(0)?.to_vec()))
    }

    /// Series of this year and of earlier ones, by subject.
    pub fn history_until(&self, year: i16) -> Result<Vec<(i64, i16, Vec<u8>)>, StoreError> {
        self.all(&OLD, args![year], |row| Ok((row.int(0)?, row.int(1)?, row.bytes(2)?.to_vec())))
    }

    /// Of each day the arrival of the oldest roll-up that its last record knew: of one server below, or of all.
    pub fn history_roll_ups(&self, server: Option<u32>) -> Result<BTreeMap<Day, Timestamp>, StoreError> {
        let rows = self.all(&ROLL_UPS, args![server], |row| Ok((row.int::<i64>(0)?, row.time(1)?)))?;
        Ok(rows.into_iter().filter_map(|(day, at)| Some((Day::from_number(day)?, at))).collect())
    }

    /// Of a day, by server.
    pub fn history_roll_ups_of(&self, day: Day) -> Result<Vec<(u32, Timestamp)>, StoreError> {
        self.all(&ROLL_UPS_OF, args![day.number()], |row| Ok((row.int(0)?, row.time(1)?)))
    }

    /// Subjects with a history, and the bytes of all series.
    pub fn history_size(&self) -> Result<(u64, u64), StoreError> {
        self.one(&SIZE, args![], |row| Ok((row.int(0)?, row.int(1)?)))
    }
}

impl WriteTx<'_> {
    /// Notes a subject under its present name, and that it is there. Returns its number.
    pub fn history_subject_put(&self, of: &Subject, name: &str) -> Result<i64, StoreError> {
        self.one(&SUBJECT_PUT, args![of.kind(), &of.key(), name], |row| row.int(0))
    }

    /// Notes that there is no such thing any more, unless that is noted.
    pub fn history_subject_gone(&self, no: i64, at: Timestamp) -> Result<(), StoreError> {
        self.send(&SUBJECT_GONE, args![no, at])?;
        Ok(())
    }

    /// Stores the encoded series of a year in place of the one that there was.
    pub fn history_put(&self, no: i64, year: i16, series: &[u8]) -> Result<(), StoreError> {
        self.send(&PART_PUT, args![no, year, series])?;
        Ok(())
    }

    /// Notes when the roll-up of a server arrived that the record of a day knew.
    pub fn history_roll_up_put(&self, day: Day, server: u32, received_at: Timestamp) -> Result<(), StoreError> {
        self.send(&ROLL_UP_PUT, args![day.number(), server, received_at])?;
        Ok(())
    }

    /// Forgets roll-ups of the days before this one. Returns how many.
    pub fn history_roll_ups_prune(&self, first: Day) -> Result<u64, StoreError> {
        Ok(self.run(&ROLL_UP_PRUNE, args![first.number()])? as u64)
    }

    /// Deletes the series of a year.
    pub fn history_delete(&self, no: i64, year: i16) -> Result<(), StoreError> {
        self.run(&PART_DELETE, args![no, year])?;
        Ok(())
    }

    /// Forgets subjects of which no series is left. Returns how many.
    pub fn history_subjects_prune(&self) -> Result<u64, StoreError> {
        Ok(self.run(&SUBJECT_PRUNE, args![])? as u64)
    }
}
