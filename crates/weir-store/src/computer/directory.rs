//! The computers with their collections: what a server keeps in memory of them.

use std::ops::ControlFlow;

use weir_model::ids::{CollectionId, ComputerId};

use crate::{
    ReadTx, StoreError,
    codec::{Row, Value, args},
    sql::{Statement, statements},
};

/// One line of the directory that the server keeps in memory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DirectoryRow {
    /// Row number.
    pub no: u32,
    /// Its id.
    pub id: ComputerId,
    /// It has registered.
    pub registered: bool,
    /// The server it scans against: 1 is this one, others are numbers of downstream servers.
    pub site: u32,
    /// IANA zone of its local time; none takes that of its collections, then the site's.
    pub time_zone: Option<String>,
    /// Its collections with a membership row, ascending, and Unassigned Computers if all of these are defined by rules; empty
    /// means Unassigned Computers alone.
    pub groups: Vec<CollectionId>,
}

statements! {
    DIRECTORY_VERSION: "looking for changes of the computers" = "SELECT value FROM counter WHERE name = 'directory'";
    DIRECTORY: "loading all computers" =
        "SELECT computer_no, computer_id, registered_at IS NOT NULL, site_no, time_zone FROM computer ORDER BY computer_no";
    DIRECTORY_GROUPS: "loading all memberships" =
        "SELECT DISTINCT computer_no, collection_id FROM collection_member ORDER BY computer_no, collection_id";
    DIRECTORY_RULES: "listing the collections by rule" = "SELECT collection_id FROM collection WHERE kind = 0 ORDER BY collection_id";
    DIRECTORY_OF: "loading the computers of a server" =
        "SELECT computer_no, computer_id, registered_at IS NOT NULL, site_no, time_zone FROM computer WHERE site_no = ?1
         ORDER BY computer_no";
    DIRECTORY_GROUPS_OF: "loading the memberships of a server's computers" =
        "SELECT DISTINCT m.computer_no, m.collection_id FROM computer c
         JOIN collection_member m ON m.computer_no = c.computer_no
         WHERE c.site_no = ?1 ORDER BY m.computer_no, m.collection_id";
    DIRECTORY_SINCE: "loading computers that changed" =
        "SELECT f.computer_no, c.computer_id, c.registered_at IS NOT NULL, c.site_no, c.time_zone
         FROM computer_feed f INDEXED BY computer_feed_by_version LEFT JOIN computer c ON c.computer_no = f.computer_no
         WHERE f.version > ?1 ORDER BY f.computer_no",
        postgres "SELECT f.computer_no, c.computer_id, c.registered_at IS NOT NULL, c.site_no, c.time_zone
         FROM computer_feed f LEFT JOIN computer c ON c.computer_no = f.computer_no
         WHERE f.version > ?1 ORDER BY f.computer_no";
    DIRECTORY_GROUPS_SINCE: "loading the memberships of computers that changed" =
        "SELECT DISTINCT m.computer_no, m.collection_id FROM computer_feed f INDEXED BY computer_feed_by_version
         CROSS JOIN collection_member m ON m.computer_no = f.computer_no
         WHERE f.version > ?1 ORDER BY m.computer_no, m.collection_id",
        postgres "SELECT DISTINCT m.computer_no, m.collection_id FROM computer_feed f
         JOIN collection_member m ON m.computer_no = f.computer_no
         WHERE f.version > ?1 ORDER BY m.computer_no, m.collection_id";
}

/// Computers of which something may be another, with what is told of them in memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DirectoryChanges {
    /// Those that are there, ascending by row number, whichever server they scan against.
    pub rows: Vec<DirectoryRow>,
    /// Row numbers of those that are gone.
    pub gone: Vec<u32>,
}

impl ReadTx<'_> {
    /// Moves whenever [`ReadTx::computer_directory_of`] would give something else for this server.
    pub fn computer_directory_version(&self) -> Result<u64, StoreError> {
        self.one(&DIRECTORY_VERSION, args![], |row| row.int(0))
    }

    /// Every computer of this server and of those below it, ascending by row number.
    pub fn computer_directory(&self) -> Result<Vec<DirectoryRow>, StoreError> {
        self.directory(&DIRECTORY, &DIRECTORY_GROUPS, args![])
    }

    /// The computers of one server, ascending by row number; 1 is this server.
    pub fn computer_directory_of(&self, site: u32) -> Result<Vec<DirectoryRow>, StoreError> {
        self.directory(&DIRECTORY_OF, &DIRECTORY_GROUPS_OF, args![site])
    }

    /// The computers that changed after a number of the feed ([`ReadTx::feed_version`]): in whatever else than where they are, too,
    /// such as in what they reported.
    pub fn computer_directory_since(&self, feed: u64) -> Result<DirectoryChanges, StoreError> {
        let mut gone = Vec::new();
        let mut rows = Vec::new();
        self.each(&DIRECTORY_SINCE, args![feed], |row| {
            if row.is_null(1)? {
                gone.push(row.int(0)?);
            } else {
                rows.push(directory_row(row)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.directory_groups(&mut rows, &DIRECTORY_GROUPS_SINCE, args![feed])?;
        Ok(DirectoryChanges { rows, gone })
    }

    fn directory(
        &self,
        computers: &'static Statement,
        groups: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<DirectoryRow>, StoreError> {
        let mut rows = self.all(computers, values, directory_row)?;
        self.directory_groups(&mut rows, groups, values)?;
        Ok(rows)
    }

    /// Adds their collections to computers, which ascend by row number.
    fn directory_groups(
        &self,
        rows: &mut [DirectoryRow],
        groups: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<(), StoreError> {
        let by_rule = self.all(&DIRECTORY_RULES, args![], |row| row.collection_id(0))?;
        let mut at = rows.iter_mut().peekable();
        self.each(groups, values, |row| {
            let no: u32 = row.int(0)?;
            while at.next_if(|computer| computer.no < no).is_some() {}
            if let Some(computer) = at.peek_mut().filter(|computer| computer.no == no) {
                computer.groups.push(row.collection_id(1)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if !by_rule.is_empty() {
            let only_rules = |groups: &[CollectionId]| groups.iter().all(|id| by_rule.binary_search(id).is_ok());
            for row in rows.iter_mut().filter(|row| !row.groups.is_empty() && only_rules(&row.groups)) {
                row.groups.push(CollectionId::UNASSIGNED_COMPUTERS);
                row.groups.sort_unstable();
            }
        }
        Ok(())
    }
}

fn directory_row(row: &Row<'_>) -> Result<DirectoryRow, StoreError> {
    let id = row.str(1)?;
    let id = id.parse().map_err(|error| StoreError::Corrupt { what: format!("computer id {id:?}: {error}") })?;
    Ok(DirectoryRow {
        no: row.int(0)?,
        id,
        registered: row.bool(2)?,
        site: row.int(3)?,
        time_zone: row.opt_text(4)?,
        groups: Vec::new(),
    })
}
