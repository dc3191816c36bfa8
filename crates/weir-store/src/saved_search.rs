//! Searches that people keep.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{ids::ChangeNumber, targeting::DeploymentOrigin};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// What a search says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SavedSearch {
    /// Its name, unique without regard to case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The filter in its canonical text, by ids; none leaves all.
    pub filter: Option<String>,
    /// Words that are looked for.
    pub text: Option<String>,
    /// By what it is sorted: `FIELD`, `FIELD:asc` or `FIELD:desc`.
    pub sort: Option<String>,
}

/// A stored search.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SavedSearchRow {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// What it says.
    pub search: SavedSearch,
    /// Who made it: an administrator here, or the parent.
    pub origin: DeploymentOrigin,
    /// Change number.
    pub change: ChangeNumber,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

statements! {
    SAVED_SEARCH_LIST: "listing saved searches" =
        "SELECT search_id, name, description, filter, text, sort, origin, change, changed_at, changed_by
         FROM saved_search ORDER BY name_key";
    SAVED_SEARCH_SHOW: "reading a saved search" =
        "SELECT search_id, name, description, filter, text, sort, origin, change, changed_at, changed_by
         FROM saved_search WHERE search_id = ?1";
    SAVED_SEARCH_FIND: "looking for a saved search" =
        "SELECT search_id, name, description, filter, text, sort, origin, change, changed_at, changed_by
         FROM saved_search WHERE name_key = ?1";
    SAVED_SEARCH_PUT: "storing a saved search" =
        "INSERT INTO saved_search (search_id, name, name_key, description, filter, text, sort, origin, change, changed_at,
             changed_by, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?10, ?11)
         ON CONFLICT (search_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
             description = excluded.description, filter = excluded.filter, text = excluded.text, sort = excluded.sort,
             origin = excluded.origin, change = excluded.change, changed_at = excluded.changed_at,
             changed_by = excluded.changed_by";
    SAVED_SEARCH_DELETE: "deleting a saved search" = "DELETE FROM saved_search WHERE search_id = ?1";
}

fn saved_search(row: &Row<'_>) -> Result<SavedSearchRow, StoreError> {
    Ok(SavedSearchRow {
        id: row.uuid(0)?,
        search: SavedSearch {
            name: row.text(1)?,
            description: row.text(2)?,
            filter: row.opt_text(3)?,
            text: row.opt_text(4)?,
            sort: row.opt_text(5)?,
        },
        origin: row.coded(6)?,
        change: row.change(7)?,
        changed_at: row.time(8)?,
        changed_by: row.text(9)?,
    })
}

impl ReadTx<'_> {
    /// All saved searches, by name.
    pub fn saved_search_list(&self) -> Result<Vec<SavedSearchRow>, StoreError> {
        self.all(&SAVED_SEARCH_LIST, args![], saved_search)
    }

    /// The saved search of that id.
    pub fn saved_search_show(&self, id: Uuid) -> Result<Option<SavedSearchRow>, StoreError> {
        self.first(&SAVED_SEARCH_SHOW, args![id], saved_search)
    }

    /// The saved search of that name, without regard to case.
    pub fn saved_search_find(&self, name: &str) -> Result<Option<SavedSearchRow>, StoreError> {
        self.first(&SAVED_SEARCH_FIND, args![&weir_model::name::key(name)], saved_search)
    }
}

impl WriteTx<'_> {
    /// Stores a search under its id, in place of the one that had it. The caller has checked that no other has the name.
    pub fn saved_search_put(&self, id: Uuid, search: &SavedSearch, origin: DeploymentOrigin) -> Result<(), StoreError> {
        let (actor, change) = (self.actor(), self.change_next()?);
        let key = weir_model::name::key(&search.name);
        self.run(
            &SAVED_SEARCH_PUT,
            args![
                id,
                &search.name,
                &key,
                &search.description,
                search.filter.as_deref(),
                search.text.as_deref(),
                search.sort.as_deref(),
                origin,
                change,
                actor.at,
                &actor.name
            ],
        )?;
        Ok(())
    }

    /// Deletes a saved search. True if it was there.
    pub fn saved_search_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&SAVED_SEARCH_DELETE, args![id])? > 0)
    }
}
