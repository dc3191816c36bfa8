//! Computers that were retired: their rows are gone, and what an administrator had said of them is kept in case they call
//! again.

use jiff::Timestamp;
use weir_model::{
    ids::{CollectionId, ComputerId},
    retirement::Reason,
};

use crate::{
    Page, ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    collection::MemberSource,
    computer::THIS_SERVER,
    page::{cursor_number, page_rows},
    sql::statements,
};

/// A retired computer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetiredRow {
    /// Number of the retirement.
    pub no: i64,
    /// What it called itself.
    pub id: ComputerId,
    /// Its DNS name.
    pub dns_name: String,
    /// First call.
    pub first_contact_at: Timestamp,
    /// Last call.
    pub last_contact_at: Timestamp,
    /// Last full report.
    pub last_report_at: Option<Timestamp>,
    /// The zone that an administrator gave it.
    pub time_zone: Option<String>,
    /// Collections that an administrator put it into.
    pub collections: Vec<CollectionId>,
    /// Why it was retired.
    pub reason: Reason,
    /// When.
    pub retired_at: Timestamp,
    /// By whom.
    pub retired_by: String,
}

statements! {
    DUE_COUNT: "counting computers that did not call" =
        "SELECT count(*) FROM computer WHERE site_no = ?1 AND last_contact_at < ?2";
    DUE: "listing computers that did not call" =
        "SELECT computer_no FROM computer WHERE computer_no > ?3 AND site_no = ?1 AND last_contact_at < ?2
         ORDER BY computer_no LIMIT ?4";
    PUT_INTO: "reading where an administrator put a computer" =
        "SELECT collection_id FROM collection_member WHERE computer_no = ?1 AND source = ?2
         UNION SELECT collection_id FROM collection_direct WHERE computer_no = ?1 ORDER BY 1";
    RETIRE: "retiring a computer" =
        "INSERT INTO computer_retired (computer_id, dns_name, first_contact_at, last_contact_at, last_report_at, time_zone,
             collections, reason, retired_at, retired_by)
         SELECT computer_id, dns_name, first_contact_at, last_contact_at, last_report_at, time_zone, ?2, ?3, ?4, ?5
         FROM computer WHERE computer_no = ?1
         ON CONFLICT (computer_id) DO UPDATE SET dns_name = excluded.dns_name,
             first_contact_at = excluded.first_contact_at, last_contact_at = excluded.last_contact_at,
             last_report_at = excluded.last_report_at, time_zone = excluded.time_zone,
             collections = excluded.collections, reason = excluded.reason, retired_at = excluded.retired_at,
             retired_by = excluded.retired_by";
    FIND: "looking for a retired computer" =
        "SELECT retired_no, computer_id, dns_name, first_contact_at, last_contact_at, last_report_at, time_zone, collections,
             reason, retired_at, retired_by
         FROM computer_retired WHERE computer_id = ?1";
    LIST: "listing retired computers" =
        "SELECT retired_no, computer_id, dns_name, first_contact_at, last_contact_at, last_report_at, time_zone, collections,
             reason, retired_at, retired_by
         FROM computer_retired WHERE retired_no < ?1 ORDER BY retired_no DESC LIMIT ?2";
    COUNT: "counting retired computers" = "SELECT count(*) FROM computer_retired WHERE retired_at >= ?1";
    FORGET: "forgetting a retired computer" = "DELETE FROM computer_retired WHERE computer_id = ?1";
    PRUNE: "forgetting retired computers" = "DELETE FROM computer_retired WHERE retired_at < ?1";
    FIRST_CONTACT: "restoring when a computer first called" =
        "UPDATE computer SET first_contact_at = ?2, time_zone = ?3 WHERE computer_no = ?1";
}

fn retired(row: &Row<'_>) -> Result<RetiredRow, StoreError> {
    let id = row.str(1)?;
    let id = id.parse().map_err(|error| StoreError::Corrupt { what: format!("computer id {id:?}: {error}") })?;
    let collections = serde_json::from_value::<Vec<uuid::Uuid>>(row.json(7)?)
        .map_err(|error| StoreError::Corrupt { what: format!("collections of a retired computer: {error}") })?;
    Ok(RetiredRow {
        no: row.int(0)?,
        id,
        dns_name: row.text(2)?,
        first_contact_at: row.time(3)?,
        last_contact_at: row.time(4)?,
        last_report_at: row.opt_time(5)?,
        time_zone: row.opt_text(6)?,
        collections: collections.into_iter().map(CollectionId).collect(),
        reason: row.coded(8)?,
        retired_at: row.time(9)?,
        retired_by: row.text(10)?,
    })
}

impl ReadTx<'_> {
    /// How many computers scan here, and how many of them did not call since `before`.
    pub fn computer_retirement_counts(&self, before: Timestamp) -> Result<(u64, u64), StoreError> {
        let all = self.membership_computers()?;
        Ok((all, self.one(&DUE_COUNT, args![THIS_SERVER, before], |row| row.int(0))?))
    }

    /// Row numbers of computers that scan here and did not call since `before`, above `after`; at most so many.
    pub fn computer_retirement_due(&self, before: Timestamp, after: u32, most: u32) -> Result<Vec<u32>, StoreError> {
        self.all(&DUE, args![THIS_SERVER, before, after, most], |row| row.int(0))
    }

    /// The retired computer of that id.
    pub fn computer_retired_find(&self, id: &ComputerId) -> Result<Option<RetiredRow>, StoreError> {
        self.first(&FIND, args![id.as_str()], retired)
    }

    /// Retired computers, the last one first.
    pub fn computer_retired_list(&self, cursor: Option<&str>, limit: u32) -> Result<Page<RetiredRow>, StoreError> {
        let before: i64 = cursor_number(cursor, i64::MAX)?;
        let rows = self.all(&LIST, args![before, page_rows(limit)], retired)?;
        Ok(Page::cut(rows, limit, |row| row.no.to_string()))
    }

    /// How many were retired since then and have not called again.
    pub fn computer_retired_count(&self, since: Timestamp) -> Result<u64, StoreError> {
        self.one(&COUNT, args![since], |row| row.int(0))
    }
}

impl WriteTx<'_> {
    /// Retires a computer that scans here and did not call since `before`: its row, its status and its events go, and what
    /// an administrator said of it is kept. Returns its id; none if it called meanwhile, or is gone.
    pub fn computer_retire(
        &self,
        no: u32,
        before: Timestamp,
        reason: Reason,
    ) -> Result<Option<ComputerId>, StoreError> {
        let Some(row) = self.computer_show(no)? else { return Ok(None) };
        if row.site != THIS_SERVER || row.last_contact_at >= before {
            return Ok(None);
        }
        let put: Vec<uuid::Uuid> =
            self.all(&PUT_INTO, args![no, MemberSource::Manual], |row| Ok(row.collection_id(0)?.0))?;
        let put = serde_json::json!(put).to_string();
        let actor = self.actor();
        self.run(&RETIRE, args![no, &put, reason, actor.at, &actor.name])?;
        self.computer_delete(no)?;
        Ok(Some(row.id))
    }

    /// Gives a computer that called again what it had: its first contact, its zone and the collections that still are there.
    /// Returns how many collections it is in again.
    pub fn computer_restore(&self, no: u32, retired: &RetiredRow) -> Result<usize, StoreError> {
        self.run(&FIRST_CONTACT, args![no, retired.first_contact_at, retired.time_zone.as_deref()])?;
        let mut again = 0;
        for id in &retired.collections {
            if self.collection_show(*id)?.is_some_and(|row| !row.built_in) {
                self.collection_add(*id, no, MemberSource::Manual)?;
                again += 1;
            }
        }
        self.run(&FORGET, args![retired.id.as_str()])?;
        Ok(again)
    }

    /// Forgets computers that were retired before. Returns how many.
    pub fn computer_retired_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.run(&PRUNE, args![before])? as u64)
    }
}
