//! The computers with their collections: what a server keeps in memory of them.

use std::ops::ControlFlow;

use weir_model::ids::{CollectionId, ComputerId};

use crate::{
    ReadTx, StoreError,
    codec::{Value, args},
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

    fn directory(
        &self,
        computers: &'static Statement,
        groups: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<DirectoryRow>, StoreError> {
        let mut rows = self.all(computers, values, |row| {
            let id = row.str(1)?;
            let id =
                id.parse().map_err(|error| StoreError::Corrupt { what: format!("computer id {id:?}: {error}") })?;
            Ok(DirectoryRow {
                no: row.int(0)?,
                id,
                registered: row.bool(2)?,
                site: row.int(3)?,
                time_zone: row.opt_text(4)?,
                groups: Vec::new(),
            })
        })?;
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
        Ok(rows)
    }
}
