//! What changed of the computers, for an index of them in memory: their reported states, their servers, their collections.
//!
//! Triggers number every change (V19), so that no writer can forget it, and a follower reads only what came since.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use weir_model::{ids::CollectionId, targeting::CollectionKind};

use crate::{ReadTx, StoreError, WriteTx, codec::args, sql::statements};

/// A computer as an index in memory needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FedComputer {
    /// Its row number.
    pub no: u32,
    /// The server it scans against; 1 is this one.
    pub site: u32,
    /// Its collections, as [`crate::computer::DirectoryRow::groups`] says them.
    pub groups: Vec<CollectionId>,
    /// The encoded `ComputerStatus`; empty if it never reported.
    pub status: Vec<u8>,
}

statements! {
    FEED_VERSION: "looking for changes of what computers reported" = "SELECT value FROM counter WHERE name = 'computer_feed'";
    FEED_SINCE: "listing computers that changed" =
        "SELECT computer_no FROM computer_feed WHERE version > ?1 ORDER BY version, computer_no";
    FEED_COUNT: "counting computers that changed" = "SELECT count(*) FROM computer_feed WHERE version > ?1";
    FEED_COMPUTERS: "reading computers that changed" =
        "SELECT c.computer_no, c.site_no, (SELECT s.status FROM computer_status s WHERE s.computer_no = c.computer_no)
         FROM computer c
         WHERE c.computer_no IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ORDER BY c.computer_no";
    FEED_COLLECTIONS: "reading where computers that changed are" =
        "SELECT DISTINCT m.computer_no, m.collection_id, c.kind
         FROM collection_member m JOIN collection c ON c.collection_id = m.collection_id
         WHERE m.computer_no IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ORDER BY m.computer_no, m.collection_id";
    FEED_STATUS: "loading what all computers reported" =
        "SELECT computer_no, status FROM computer_status ORDER BY computer_no";
    FEED_STATUS_OF: "reading what some computers reported" =
        "SELECT computer_no, status FROM computer_status
         WHERE computer_no IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ORDER BY computer_no";
    FEED_PRUNE: "forgetting that computers left" =
        "DELETE FROM computer_feed WHERE version <= ?1
             AND NOT EXISTS (SELECT 1 FROM computer c WHERE c.computer_no = computer_feed.computer_no)";
}

impl ReadTx<'_> {
    /// The number of the last change.
    pub fn feed_version(&self) -> Result<u64, StoreError> {
        self.one(&FEED_VERSION, args![], |row| row.int(0))
    }

    /// How many computers changed after that number.
    pub fn feed_count(&self, after: u64) -> Result<u64, StoreError> {
        self.one(&FEED_COUNT, args![after], |row| row.int(0))
    }

    /// The computers that changed after that number; they may be gone.
    pub fn feed_since(&self, after: u64) -> Result<Vec<u32>, StoreError> {
        self.all(&FEED_SINCE, args![after], |row| row.int(0))
    }

    /// A computer as it is now; none if it is gone.
    pub fn feed_computer(&self, no: u32) -> Result<Option<FedComputer>, StoreError> {
        Ok(self.feed_computers(&[no])?.remove(&no))
    }

    /// Those of these computers that are not gone, as they are now.
    pub fn feed_computers(&self, numbers: &[u32]) -> Result<HashMap<u32, FedComputer>, StoreError> {
        let mut found: HashMap<u32, FedComputer> = HashMap::with_capacity(numbers.len());
        self.each_of(&FEED_COMPUTERS, numbers, |row| {
            let (no, site) = (row.int(0)?, row.int(1)?);
            let status = row.opt(2, |row, column| Ok(row.bytes(column)?.to_vec()))?.unwrap_or_default();
            found.insert(no, FedComputer { no, site, groups: Vec::new(), status });
            Ok(())
        })?;
        let mut grouped: HashSet<u32> = HashSet::new();
        self.each_of(&FEED_COLLECTIONS, numbers, |row| {
            let no = row.int(0)?;
            if row.coded::<CollectionKind>(2)? == CollectionKind::TargetGroup {
                grouped.insert(no);
            }
            if let Some(computer) = found.get_mut(&no) {
                computer.groups.push(row.collection_id(1)?);
            }
            Ok(())
        })?;
        let by_rule = |computer: &&mut FedComputer| !computer.groups.is_empty() && !grouped.contains(&computer.no);
        for computer in found.values_mut().filter(by_rule) {
            computer.groups.push(CollectionId::UNASSIGNED_COMPUTERS);
            computer.groups.sort_unstable();
        }
        Ok(found)
    }

    /// Hands the encoded status of every computer that reported to `each`, ascending by row number.
    pub fn feed_status_each(&self, each: &mut dyn FnMut(u32, &[u8])) -> Result<(), StoreError> {
        self.each(&FEED_STATUS, args![], |row| {
            each(row.int(0)?, row.bytes(1)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Hands the encoded status of those of these computers that reported to `each`. Numbers and answers ascend.
    #[expect(clippy::type_complexity, reason = "a function that is handed rows")]
    pub fn feed_status_of(
        &self,
        computers: &[u32],
        each: &mut dyn FnMut(u32, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each_of(&FEED_STATUS_OF, computers, |row| each(row.int(0)?, row.bytes(1)?))
    }
}

impl WriteTx<'_> {
    /// Forgets computers that left up to that number. No follower may still be behind it. Returns how many they were.
    pub fn feed_prune(&self, up_to: u64) -> Result<u64, StoreError> {
        Ok(self.run(&FEED_PRUNE, args![up_to])? as u64)
    }
}
