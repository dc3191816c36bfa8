//! Collections (target groups included) and who belongs to them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::{
    ids::{ChangeNumber, CollectionId},
    targeting::CollectionKind,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A collection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CollectionRow {
    /// Its id.
    pub id: CollectionId,
    /// Its name, unique without regard to case.
    pub name: String,
    /// The collection it is nested in; none for All Computers.
    pub parent: Option<CollectionId>,
    /// How it gets members.
    pub kind: CollectionKind,
    /// Its computers are sent deployed updates only.
    pub approved_only: bool,
    /// IANA zone of "client local time"; none inherits.
    pub time_zone: Option<String>,
    /// What it is for, in an administrator's words.
    pub description: Option<String>,
    /// It is All Computers or Unassigned Computers.
    pub built_in: bool,
    /// Change number of its last change.
    pub change: ChangeNumber,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// A collection to be made. The id comes from the caller's generator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewCollection {
    /// Its id.
    pub id: CollectionId,
    /// Its name, 1 to 255 characters after trimming.
    pub name: String,
    /// Where to nest it; All Computers if none.
    pub parent: Option<CollectionId>,
    /// How it gets members.
    pub kind: CollectionKind,
}

/// Why a computer is a member.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberSource {
    /// An administrator put it there.
    Manual,
    /// It asked to be there (client-side targeting).
    Requested,
    /// The collection's rule.
    Rule,
    /// Another collection is included.
    Include,
}

statements! {
    COLLECTION_LIST: "listing collections" =
        "SELECT c.collection_id, c.name, c.parent_id, c.kind, c.approved_only, c.time_zone, c.built_in, c.change,
             c.created_at, c.created_by, c.description
         FROM collection c ORDER BY c.name_key";
    COLLECTION_SHOW: "reading a collection" =
        "SELECT c.collection_id, c.name, c.parent_id, c.kind, c.approved_only, c.time_zone, c.built_in, c.change,
             c.created_at, c.created_by, c.description
         FROM collection c WHERE c.collection_id = ?1";
    COLLECTION_FIND: "looking for a collection by name" = "SELECT collection_id FROM collection WHERE name_key = ?1";
    COLLECTION_CREATE: "making a collection" =
        "INSERT INTO collection (collection_id, name, name_key, parent_id, kind, change, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    COLLECTION_APPROVED_ONLY: "changing a collection" =
        "UPDATE collection SET approved_only = ?2, change = ?3 WHERE collection_id = ?1 AND approved_only <> ?2";
    COLLECTION_RENAME: "renaming a collection" =
        "UPDATE collection SET name = ?2, name_key = ?3, change = ?4 WHERE collection_id = ?1";
    COLLECTION_CHILDREN: "listing collections below one" =
        "SELECT name FROM collection WHERE parent_id = ?1 AND kind = 1 ORDER BY name_key";
    COLLECTION_DESCRIBE: "describing a collection" =
        "UPDATE collection SET description = ?2, change = ?3 WHERE collection_id = ?1";
    COLLECTION_TIME_ZONE: "setting the time zone of a collection" =
        "UPDATE collection SET time_zone = ?2, change = ?3 WHERE collection_id = ?1";
    COLLECTION_DEPLOYMENTS: "counting deployments to a collection" =
        "SELECT count(*) FROM deployment WHERE collection_id = ?1 AND expanded_from IS NULL";
    COLLECTION_DELETE: "deleting a collection" = "DELETE FROM collection WHERE collection_id = ?1";
    MEMBERS: "listing members of a collection" =
        "SELECT DISTINCT computer_no FROM collection_member WHERE collection_id = ?1 ORDER BY computer_no";
    MEMBERS_UNASSIGNED: "listing unassigned computers" =
        "SELECT c.computer_no FROM computer c
         WHERE NOT EXISTS (SELECT 1 FROM collection_member m JOIN collection g ON g.collection_id = m.collection_id
             WHERE m.computer_no = c.computer_no AND g.kind = 1) ORDER BY c.computer_no";
    MEMBERS_ALL: "listing all computers" = "SELECT computer_no FROM computer ORDER BY computer_no";
    MEMBER_ADD: "adding a member" =
        "INSERT INTO collection_member (computer_no, collection_id, source) VALUES (?1, ?2, ?3)
         ON CONFLICT (computer_no, collection_id, source) DO NOTHING";
    MEMBER_REMOVE: "removing a member" =
        "DELETE FROM collection_member WHERE computer_no = ?1 AND collection_id = ?2 AND source = ?3";
    GROUPS_OF: "listing the collections of a computer" =
        "SELECT collection_id, source FROM collection_member WHERE computer_no = ?1 ORDER BY collection_id, source";
    COLLECTIONS_OF: "listing where a computer is" =
        "SELECT DISTINCT m.collection_id, c.kind FROM collection_member m JOIN collection c ON c.collection_id = m.collection_id
         WHERE m.computer_no = ?1 ORDER BY m.collection_id";
}

const LONGEST_NAME: usize = 255;
/// Names in the reason why something is refused.
const NAMED: usize = 5;

/// The first of several names.
fn some_names(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("{name:?}")).collect();
    if names.len() > NAMED {
        shown.push(format!("{} more", names.len() - NAMED));
    }
    shown.join(", ")
}

fn checked_name(name: &str) -> Result<&str, StoreError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(StoreError::CollectionName(name.chars().take(80).collect()));
    }
    Ok(name)
}

fn collection(row: &Row<'_>) -> Result<CollectionRow, StoreError> {
    Ok(CollectionRow {
        id: row.collection_id(0)?,
        name: row.text(1)?,
        parent: row.opt(2, Row::collection_id)?,
        kind: row.coded(3)?,
        approved_only: row.bool(4)?,
        time_zone: row.opt_text(5)?,
        built_in: row.bool(6)?,
        change: row.change(7)?,
        created_at: row.time(8)?,
        created_by: row.text(9)?,
        description: row.opt_text(10)?,
    })
}

impl ReadTx<'_> {
    /// All collections, by name.
    pub fn collection_list(&self) -> Result<Vec<CollectionRow>, StoreError> {
        self.all(&COLLECTION_LIST, args![], collection)
    }

    /// One collection.
    pub fn collection_show(&self, id: CollectionId) -> Result<Option<CollectionRow>, StoreError> {
        self.first(&COLLECTION_SHOW, args![id], collection)
    }

    /// The collection of that name, compared without regard to case and to blanks around it.
    pub fn collection_find(&self, name: &str) -> Result<Option<CollectionRow>, StoreError> {
        let id = self.first(&COLLECTION_FIND, args![&weir_model::name::key(name)], |row| row.collection_id(0))?;
        id.map_or(Ok(None), |id| self.collection_show(id))
    }

    /// Row numbers of the members of a collection, ascending. Built-in collections have no membership rows; for
    /// Unassigned Computers these are the computers without any, for All Computers everyone.
    pub fn collection_members(&self, id: CollectionId) -> Result<Vec<u32>, StoreError> {
        match id {
            CollectionId::ALL_COMPUTERS => self.all(&MEMBERS_ALL, args![], |row| row.int(0)),
            CollectionId::UNASSIGNED_COMPUTERS => self.all(&MEMBERS_UNASSIGNED, args![], |row| row.int(0)),
            id => self.all(&MEMBERS, args![id], |row| row.int(0)),
        }
    }

    /// Collections with a membership row of one computer with the sources, ascending.
    pub fn computer_groups(&self, computer: u32) -> Result<Vec<(CollectionId, MemberSource)>, StoreError> {
        self.all(&GROUPS_OF, args![computer], |row| Ok((row.collection_id(0)?, row.coded(1)?)))
    }

    /// Where a computer is, as [`crate::computer::DirectoryRow::groups`] says it.
    pub fn computer_collections(&self, computer: u32) -> Result<Vec<CollectionId>, StoreError> {
        let mut grouped = false;
        let mut groups = self.all(&COLLECTIONS_OF, args![computer], |row| {
            grouped |= row.coded::<CollectionKind>(1)? == CollectionKind::TargetGroup;
            row.collection_id(0)
        })?;
        if !grouped && !groups.is_empty() {
            groups.push(CollectionId::UNASSIGNED_COMPUTERS);
            groups.sort_unstable();
        }
        Ok(groups)
    }

    fn collection_required(&self, id: CollectionId) -> Result<CollectionRow, StoreError> {
        self.collection_show(id)?.ok_or(StoreError::UnknownCollection(id))
    }

    /// The collection, unless it is built in.
    fn collection_changeable(&self, id: CollectionId) -> Result<CollectionRow, StoreError> {
        let row = self.collection_required(id)?;
        if row.built_in { Err(StoreError::BuiltInCollection(row.name)) } else { Ok(row) }
    }
}

impl WriteTx<'_> {
    /// Makes a collection.
    pub fn collection_create(&self, new: &NewCollection) -> Result<CollectionRow, StoreError> {
        let name = checked_name(&new.name)?;
        if let Some(existing) = self.collection_find(name)? {
            return Err(StoreError::CollectionExists(existing.name));
        }
        let parent = new.parent.unwrap_or(CollectionId::ALL_COMPUTERS);
        if self.collection_required(parent)?.id == CollectionId::UNASSIGNED_COMPUTERS {
            return Err(StoreError::BuiltInCollection("Unassigned Computers".to_owned()));
        }
        let (key, actor, change) = (weir_model::name::key(name), self.actor(), self.change_next()?);
        let values = args![new.id, name, &key, parent, new.kind, change, actor.at, &actor.name];
        self.run(&COLLECTION_CREATE, values)?;
        self.collection_required(new.id)
    }

    /// Gives a collection another name; its own in other letters is another one, too.
    pub fn collection_rename(&self, id: CollectionId, name: &str) -> Result<(), StoreError> {
        let (name, row) = (checked_name(name)?, self.collection_changeable(id)?);
        if let Some(existing) = self.collection_find(name)?.filter(|existing| existing.id != id) {
            return Err(StoreError::CollectionExists(existing.name));
        }
        if row.name != name {
            self.run(&COLLECTION_RENAME, args![id, name, &weir_model::name::key(name), self.change_next()?])?;
        }
        Ok(())
    }

    /// Sets "approved only"; also for Unassigned Computers.
    pub fn collection_set_approved_only(&self, id: CollectionId, approved_only: bool) -> Result<(), StoreError> {
        if self.collection_required(id)?.approved_only != approved_only {
            self.run(&COLLECTION_APPROVED_ONLY, args![id, approved_only, self.change_next()?])?;
        }
        Ok(())
    }

    /// Says what a collection is for; also of built-in ones.
    pub fn collection_set_description(&self, id: CollectionId, description: Option<&str>) -> Result<(), StoreError> {
        if self.collection_required(id)?.description.as_deref() != description {
            self.run(&COLLECTION_DESCRIBE, args![id, description, self.change_next()?])?;
        }
        Ok(())
    }

    /// Sets the zone of "client local time", an IANA name that the caller has checked; also of built-in collections.
    pub fn collection_set_time_zone(&self, id: CollectionId, zone: Option<&str>) -> Result<(), StoreError> {
        if self.collection_required(id)?.time_zone.as_deref() != zone {
            self.run(&COLLECTION_TIME_ZONE, args![id, zone, self.change_next()?])?;
        }
        Ok(())
    }

    /// Deletes a collection that nothing uses: no deployments to it, no collections below it, no collection that includes or
    /// excludes it, is limited by it or names it in its rule. Its memberships go with it.
    pub fn collection_delete(&self, id: CollectionId) -> Result<(), StoreError> {
        let name = self.collection_changeable(id)?.name;
        let mut uses = Vec::new();
        let below = self.all(&COLLECTION_CHILDREN, args![id], |row| row.text(0))?;
        if !below.is_empty() {
            let plural = if below.len() == 1 { "" } else { "s" };
            uses.push(format!("has {} collection{plural} below it ({})", below.len(), some_names(&below)));
        }
        let deployments: u64 = self.one(&COLLECTION_DEPLOYMENTS, args![id], |row| row.int(0))?;
        if deployments > 0 {
            let plural = if deployments == 1 { "" } else { "s" };
            uses.push(format!("has {deployments} deployment{plural}"));
        }
        for (link, users) in self.collection_users(id)? {
            uses.push(format!("{} {}", link.of_users(), some_names(&users)));
        }
        if !uses.is_empty() {
            return Err(StoreError::CollectionInUse { name, what: uses.join(", ") });
        }
        self.change_next()?;
        self.run(&COLLECTION_DELETE, args![id])?;
        Ok(())
    }

    /// Makes a computer (by row number) a member. True if it was not one from this source. Built-in collections take
    /// no members: [`StoreError::BuiltInCollection`]. Whether one that an administrator puts into a collection by rule is a
    /// member is decided with its rule.
    pub fn collection_add(&self, id: CollectionId, computer: u32, source: MemberSource) -> Result<bool, StoreError> {
        match (self.collection_changeable(id)?.kind, source) {
            (CollectionKind::Rule, MemberSource::Manual) => self.collection_direct_add(id, computer),
            _ => self.member_put(computer, id, source),
        }
    }

    /// Takes a membership back. True if there was one from this source.
    pub fn collection_remove(&self, id: CollectionId, computer: u32, source: MemberSource) -> Result<bool, StoreError> {
        match (self.collection_changeable(id)?.kind, source) {
            (CollectionKind::Rule, MemberSource::Manual) => self.collection_direct_remove(id, computer),
            _ => self.member_take(computer, id, source),
        }
    }

    pub(crate) fn member_put(&self, computer: u32, id: CollectionId, source: MemberSource) -> Result<bool, StoreError> {
        Ok(self.run(&MEMBER_ADD, args![computer, id, source])? > 0)
    }

    pub(crate) fn member_take(
        &self,
        computer: u32,
        id: CollectionId,
        source: MemberSource,
    ) -> Result<bool, StoreError> {
        Ok(self.run(&MEMBER_REMOVE, args![computer, id, source])? > 0)
    }

    /// Puts a computer into a collection, or takes it out, whether that changes something or not.
    pub(crate) fn member_set(
        &self,
        computer: u32,
        id: CollectionId,
        source: MemberSource,
        member: bool,
    ) -> Result<(), StoreError> {
        self.send(if member { &MEMBER_ADD } else { &MEMBER_REMOVE }, args![computer, id, source])
    }

    /// Makes the memberships of a computer from one source exactly these; built-in collections among them are passed
    /// over. True if something changed.
    pub fn computer_set_groups(
        &self,
        computer: u32,
        source: MemberSource,
        groups: &[CollectionId],
    ) -> Result<bool, StoreError> {
        let wanted: BTreeSet<CollectionId> = groups
            .iter()
            .copied()
            .filter(|id| ![CollectionId::ALL_COMPUTERS, CollectionId::UNASSIGNED_COMPUTERS].contains(id))
            .collect();
        let present: BTreeSet<CollectionId> =
            self.computer_groups(computer)?.into_iter().filter(|(_, from)| *from == source).map(|(id, _)| id).collect();
        for id in wanted.difference(&present) {
            self.member_set(computer, *id, source, true)?;
        }
        for id in present.difference(&wanted) {
            self.member_set(computer, *id, source, false)?;
        }
        Ok(wanted != present)
    }
}
