//! Update groups: named lists of updates, which can be deployed as one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{RevisionId, UpdateId, UpdateIdentity};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{Page, page_rows},
    sql::statements,
};

/// An update group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpdateGroupRow {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What people should know of it.
    pub description: String,
    /// How many updates are in it.
    pub members: u64,
    /// How often it is deployed.
    pub deployments: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// A member of an update group, as the catalogue knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpdateGroupMember {
    /// The update.
    pub update: UpdateId,
    /// Its newest revision; none if it is not in the catalogue.
    pub newest: Option<(RevisionId, UpdateIdentity)>,
    /// Its title.
    pub title: String,
    /// It is declined.
    pub declined: bool,
    /// It is expired.
    pub expired: bool,
    /// It is stopped.
    pub stopped: bool,
}

statements! {
    GROUP_LIST: "listing update groups" =
        "SELECT g.group_id, g.name, g.description, g.created_at, g.created_by,
             (SELECT count(*) FROM update_group_member m WHERE m.group_id = g.group_id),
             (SELECT count(*) FROM deployment d WHERE d.group_id = g.group_id)
         FROM update_group g ORDER BY g.name_key";
    GROUP_ROW: "reading what an update group is" =
        "SELECT g.group_id, g.name, g.description, g.created_at, g.created_by,
             (SELECT count(*) FROM update_group_member m WHERE m.group_id = g.group_id),
             (SELECT count(*) FROM deployment d WHERE d.group_id = g.group_id)
         FROM update_group g WHERE g.group_id = ?1";
    GROUP_SHOW: "reading an update group" = "SELECT name FROM update_group WHERE group_id = ?1";
    GROUP_FIND: "looking for an update group by name" = "SELECT group_id FROM update_group WHERE name_key = ?1";
    GROUP_MEMBERS: "listing the members of an update group" =
        "SELECT u.update_id FROM update_group_member m JOIN updates u ON u.update_no = m.update_no
         WHERE m.group_id = ?1 ORDER BY u.update_id";
    GROUP_MEMBERS_PAGE: "listing members of an update group with their state" =
        "SELECT u.update_id, r.revision_id, r.revision, coalesce(r.title, ''),
             CASE WHEN u.declined_at IS NULL THEN 0 ELSE 1 END, coalesce(r.expired, 0),
             CASE WHEN s.update_no IS NULL THEN 0 ELSE 1 END
         FROM update_group_member m JOIN updates u ON u.update_no = m.update_no
             LEFT JOIN revision r ON r.revision_id = u.newest_revision_id
             LEFT JOIN update_stop s ON s.update_no = m.update_no
         WHERE m.group_id = ?1 AND u.update_id > ?2 ORDER BY u.update_id LIMIT ?3";
    GROUPS_OF: "listing update groups with an update" =
        "SELECT m.group_id FROM updates u JOIN update_group_member m ON m.update_no = u.update_no
         WHERE u.update_id = ?1 ORDER BY m.group_id";
    GROUP_PUT: "storing an update group" =
        "INSERT INTO update_group (group_id, name, name_key, change, created_at, created_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (group_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, change = excluded.change";
    GROUP_DESCRIBE: "describing an update group" =
        "UPDATE update_group SET description = ?2, change = ?3 WHERE group_id = ?1";
    GROUP_MEMBER_ADD: "adding to an update group" =
        "INSERT INTO update_group_member (group_id, update_no) VALUES (?1, ?2) ON CONFLICT (group_id, update_no) DO NOTHING";
    GROUP_MEMBER_REMOVE: "removing from an update group" =
        "DELETE FROM update_group_member WHERE group_id = ?1 AND update_no = ?2";
    GROUP_DEPLOYED: "counting deployments of an update group" = "SELECT count(*) FROM deployment WHERE group_id = ?1";
    GROUP_DELETE: "deleting an update group" = "DELETE FROM update_group WHERE group_id = ?1";
}

fn group(row: &Row<'_>) -> Result<UpdateGroupRow, StoreError> {
    Ok(UpdateGroupRow {
        id: row.uuid(0)?,
        name: row.text(1)?,
        description: row.text(2)?,
        created_at: row.time(3)?,
        created_by: row.text(4)?,
        members: row.int(5)?,
        deployments: row.int(6)?,
    })
}

impl ReadTx<'_> {
    /// All update groups, by name.
    pub fn update_group_list(&self) -> Result<Vec<UpdateGroupRow>, StoreError> {
        self.all(&GROUP_LIST, args![], group)
    }

    /// One update group, without its members.
    pub fn update_group_row(&self, id: Uuid) -> Result<Option<UpdateGroupRow>, StoreError> {
        self.first(&GROUP_ROW, args![id], group)
    }

    /// Name and members of an update group.
    pub fn update_group_show(&self, group: Uuid) -> Result<Option<(String, Vec<UpdateId>)>, StoreError> {
        let Some(name) = self.first(&GROUP_SHOW, args![group], |row| row.text(0))? else { return Ok(None) };
        Ok(Some((name, self.all(&GROUP_MEMBERS, args![group], |row| row.update_id(0))?)))
    }

    /// The update group of that name, without regard to case.
    pub fn update_group_find(&self, name: &str) -> Result<Option<Uuid>, StoreError> {
        self.first(&GROUP_FIND, args![&weir_model::name::key(name)], |row| row.uuid(0))
    }

    /// The groups that an update is in.
    pub fn update_groups_of(&self, update: UpdateId) -> Result<Vec<Uuid>, StoreError> {
        self.all(&GROUPS_OF, args![update], |row| row.uuid(0))
    }

    /// Members of a group by id.
    pub fn update_group_members(
        &self,
        group: Uuid,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<UpdateGroupMember>, StoreError> {
        let after = match cursor {
            Some(text) => text.parse().map_err(|_| StoreError::Cursor(text.chars().take(80).collect()))?,
            None => UpdateId(Uuid::nil()),
        };
        let rows = self.all(&GROUP_MEMBERS_PAGE, args![group, after, page_rows(limit)], |row| {
            let update = row.update_id(0)?;
            let newest = row.opt_int(1)?.zip(row.opt_int(2)?).map(|(id, revision): (i32, u32)| {
                (
                    RevisionId(id),
                    UpdateIdentity { update_id: update, revision: weir_model::ids::RevisionNumber(revision) },
                )
            });
            Ok(UpdateGroupMember {
                update,
                newest,
                title: row.str(3)?.trim().to_owned(),
                declined: row.bool(4)?,
                expired: row.bool(5)?,
                stopped: row.bool(6)?,
            })
        })?;
        Ok(Page::cut(rows, limit, |member| member.update.to_string()))
    }
}

impl WriteTx<'_> {
    /// Makes or changes an update group so that it is exactly this; its description stays. The caller has checked that no
    /// other has the name. Where it is deployed, its members are deployed from now on.
    pub fn update_group_put(&self, group: Uuid, name: &str, updates: &[UpdateId]) -> Result<bool, StoreError> {
        let before = self.update_group_show(group)?;
        let wanted: BTreeSet<UpdateId> = updates.iter().copied().collect();
        let present: BTreeSet<UpdateId> = before.iter().flat_map(|(_, members)| members.iter().copied()).collect();
        if before.as_ref().is_some_and(|(known, _)| known == name) && wanted == present {
            return Ok(false);
        }
        let (actor, change) = (self.actor(), self.change_next()?);
        let key = weir_model::name::key(name);
        self.run(&GROUP_PUT, args![group, name, &key, change, actor.at, &actor.name])?;
        for update in wanted.difference(&present) {
            self.run(&GROUP_MEMBER_ADD, args![group, self.update_intern(*update)?])?;
        }
        for update in present.difference(&wanted) {
            self.run(&GROUP_MEMBER_REMOVE, args![group, self.update_intern(*update)?])?;
        }
        self.deployments_expand(group)?;
        Ok(true)
    }

    /// Gives a group another description. True if that changed something.
    pub fn update_group_describe(&self, group: Uuid, description: &str) -> Result<bool, StoreError> {
        let row = self.update_group_row(group)?;
        let row = row.ok_or_else(|| StoreError::Missing { kind: "update group", id: group.to_string() })?;
        let changed = row.description != description;
        if changed {
            self.run(&GROUP_DESCRIBE, args![group, description, self.change_next()?])?;
        }
        Ok(changed)
    }

    /// Deletes an update group that is not deployed. False if there is none, or if it is.
    pub fn update_group_delete(&self, group: Uuid) -> Result<bool, StoreError> {
        let deployed: u64 = self.one(&GROUP_DEPLOYED, args![group], |row| row.int(0))?;
        if deployed > 0 || self.first(&GROUP_SHOW, args![group], |_| Ok(()))?.is_none() {
            return Ok(false);
        }
        self.change_next()?;
        Ok(self.run(&GROUP_DELETE, args![group])? > 0)
    }
}
