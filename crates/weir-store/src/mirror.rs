//! Rows of a replica that mirror those of its parent: target groups, deployments, declines, accepted licences.

use std::cell::OnceCell;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    deployment::Terms,
    ids::{CollectionId, DeploymentId, RevisionNumber, UpdateId},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    deployment::{Deployed, NewDeployment},
    sql::statements,
};

/// Who declined what the parent declined.
pub const PARENT: &str = "parent";

/// A target group of the parent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MirroredGroup {
    /// Its id.
    pub id: CollectionId,
    /// Its name.
    pub name: String,
    /// What it is nested in: another group of the parent, or All Computers.
    pub parent: CollectionId,
}

/// A deployment of the parent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MirroredDeployment {
    /// By which every server knows it.
    pub guid: Uuid,
    /// The update.
    pub update: UpdateId,
    /// Its revision.
    pub revision: RevisionNumber,
    /// To whom.
    pub collection: CollectionId,
    /// What for.
    pub action: DeploymentAction,
    /// From when.
    pub available_at: Timestamp,
    /// Until when.
    pub deadline_at: Option<Timestamp>,
}

/// What became of the groups of the parent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MirroredGroups {
    /// Groups made or changed.
    pub changed: u64,
    /// Groups that the parent has no longer.
    pub removed: u64,
    /// Names of collections made here that became the parent's group of the same name, with their members.
    pub adopted: Vec<String>,
    /// Collections defined by rules that gave their name to a group of the parent, with the name they have now.
    pub renamed: Vec<(String, String)>,
}

statements! {
    GROUP_LIST: "listing collections of the parent" =
        "SELECT collection_id, name, parent_id FROM collection WHERE origin = 1 ORDER BY collection_id";
    GROUP_OTHER: "looking for a collection in the way" =
        "SELECT collection_id, name, kind FROM collection WHERE name_key = ?1 AND collection_id <> ?2";
    GROUP_KNOWN: "looking for a collection by its id" =
        "SELECT name, name_key, parent_id, origin FROM collection WHERE collection_id = ?1";
    GROUP_PUT: "storing a collection of the parent" =
        "INSERT INTO collection (collection_id, name, name_key, parent_id, kind, change, created_at, created_by, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1)
         ON CONFLICT (collection_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
             change = excluded.change, origin = 1";
    GROUP_NAME: "naming a collection anew" =
        "UPDATE collection SET name_key = ?3, name = ?2, change = ?4 WHERE collection_id = ?1";
    GROUP_NEST: "nesting a collection" =
        "UPDATE collection SET parent_id = ?2, change = ?3 WHERE collection_id = ?1";
    GROUP_CHILDREN_MOVE: "moving the collections below another one" =
        "UPDATE collection SET parent_id = ?2, change = ?3 WHERE parent_id = ?1";
    GROUP_DELETE: "deleting a collection of the parent" = "DELETE FROM collection WHERE collection_id = ?1 AND built_in = 0";
    GROUP_DEPLOYMENTS: "listing what is deployed to a collection" =
        "SELECT deployment_id FROM deployment WHERE collection_id = ?1 AND expanded_from IS NULL ORDER BY deployment_id DESC";
    MEMBERS_COPY: "adopting members" =
        "INSERT INTO collection_member (computer_no, collection_id, source)
             SELECT computer_no, ?2, source FROM collection_member WHERE collection_id = ?1
         ON CONFLICT (computer_no, collection_id, source) DO NOTHING";
    DEPLOYMENT_BY_GUID: "looking for a deployment by its guid" =
        "SELECT deployment_id FROM deployment WHERE guid = ?1";
    DEPLOYMENT_MIRROR: "changing a deployment of the parent" =
        "UPDATE deployment SET update_no = ?2, revision = ?3, group_id = NULL, collection_id = ?4, origin = ?5, change = ?6,
             changed_at = ?7, changed_by = ?8
         WHERE deployment_id = ?1";
    DEPLOYMENT_OTHERS: "listing deployments of one origin" =
        "SELECT deployment_id, guid FROM deployment WHERE deployment_id > ?1 AND origin = ?2 AND update_no IS NOT NULL
             AND expanded_from IS NULL
         ORDER BY deployment_id";
    DEPLOYMENT_OWN: "listing deployments made here" =
        "SELECT deployment_id FROM deployment WHERE origin <> ?1 AND expanded_from IS NULL ORDER BY deployment_id";
    PENDING_LAST: "looking at the end of the queue" = "SELECT coalesce(max(pending_no), 0) FROM pending_revision";
    DECLINED: "listing declined updates" =
        "SELECT update_id, declined_by FROM updates WHERE declined_change > 0 AND declined_by IS NOT NULL
         ORDER BY declined_change, update_no";
    LICENSED: "looking for the updates of a licence" =
        "SELECT u.update_id FROM updates u WHERE u.update_no IN (SELECT r.update_no FROM revision r WHERE r.eula_id = ?1)
         ORDER BY u.update_no";
}

impl ReadTx<'_> {
    /// The deployment that every server knows by this guid.
    pub fn deployment_by_guid(&self, guid: Uuid) -> Result<Option<DeploymentId>, StoreError> {
        self.first(&DEPLOYMENT_BY_GUID, args![guid], |row| Ok(DeploymentId(row.int(0)?)))
    }

    /// Deployments of single updates of one origin, with their guids.
    pub fn deployments_of_origin(&self, origin: DeploymentOrigin) -> Result<Vec<(DeploymentId, Uuid)>, StoreError> {
        self.all(&DEPLOYMENT_OTHERS, args![0_i64, origin], |row| Ok((DeploymentId(row.int(0)?), row.uuid(1)?)))
    }

    /// The place of the last revision that is to be fetched, of any list; 0 if there is none.
    pub fn pending_last(&self) -> Result<i64, StoreError> {
        self.one(&PENDING_LAST, args![], |row| row.int(0))
    }

    /// Deployments, of update groups too, that an administrator or a rule of this server made.
    pub fn deployments_made_here(&self) -> Result<Vec<DeploymentId>, StoreError> {
        self.all(&DEPLOYMENT_OWN, args![DeploymentOrigin::Parent], |row| Ok(DeploymentId(row.int(0)?)))
    }

    /// Updates that are declined, and by whom.
    pub fn declined_list(&self) -> Result<Vec<(UpdateId, String)>, StoreError> {
        self.all(&DECLINED, args![], |row| Ok((row.update_id(0)?, row.text(1)?)))
    }
}

impl WriteTx<'_> {
    /// Makes the groups of the parent exactly these. The built-in ones are everyone's and stay as they are. A collection
    /// made here that has the name of one of them becomes that group, with its members and what is nested in it; one
    /// defined by a rule gets another name. What is so already stays as it is, and no change is numbered for it.
    pub fn groups_mirror(&self, groups: &[MirroredGroup]) -> Result<MirroredGroups, StoreError> {
        let mut done = MirroredGroups::default();
        let numbered = OnceCell::new();
        let change = || match numbered.get() {
            Some(change) => Ok(*change),
            None => self.change_next().map(|change| *numbered.get_or_init(|| change)),
        };
        let built_in = [CollectionId::ALL_COMPUTERS, CollectionId::UNASSIGNED_COMPUTERS];
        let before = self.all(&GROUP_LIST, args![], |row| Ok((row.collection_id(0)?, row.text(1)?)))?;
        let gone = before.iter().filter(|(id, _)| !groups.iter().any(|group| group.id == *id));
        for (id, _) in gone {
            self.group_remove(*id)?;
            done.removed += 1;
        }
        let wanted: Vec<&MirroredGroup> = groups.iter().filter(|group| !built_in.contains(&group.id)).collect();
        // groups may have exchanged their names: first nobody has any of them
        for group in &wanted {
            let known = self.first(&GROUP_KNOWN, args![group.id], |row| row.text(0))?;
            if known.is_some_and(|name| name != group.name) {
                self.run(&GROUP_NAME, args![group.id, &group.name, &format!("\u{1}{}", group.id), change()?])?;
                done.changed += 1;
            }
        }
        for group in &wanted {
            let key = weir_model::name::key(&group.name);
            let other = self.first(&GROUP_OTHER, args![&key, group.id], |row| {
                Ok((row.collection_id(0)?, row.text(1)?, row.coded::<CollectionKind>(2)?))
            })?;
            let mut adopted = None;
            if let Some((id, name, kind)) = other {
                let free = self.free_name(&name)?;
                self.run(&GROUP_NAME, args![id, &free, &weir_model::name::key(&free), change()?])?;
                match kind {
                    CollectionKind::TargetGroup if !built_in.contains(&id) => {
                        done.adopted.push(name);
                        adopted = Some(id);
                    }
                    _ => done.renamed.push((name, free)),
                }
            }
            let known =
                self.first(&GROUP_KNOWN, args![group.id], |row| Ok((row.text(0)?, row.text(1)?, row.bool(3)?)))?;
            let is_mirrored = known.as_ref().is_some_and(|(.., is_mirrored)| *is_mirrored);
            done.changed += u64::from(!is_mirrored);
            if known.is_none_or(|known| known != (group.name.clone(), key.clone(), true)) {
                let (kind, actor) = (CollectionKind::TargetGroup, self.actor());
                let root = CollectionId::ALL_COMPUTERS;
                let values = args![group.id, &group.name, &key, root, kind, change()?, actor.at, &actor.name];
                self.run(&GROUP_PUT, values)?;
            }
            if let Some(old) = adopted {
                self.run(&MEMBERS_COPY, args![old, group.id])?;
                self.run(&GROUP_CHILDREN_MOVE, args![old, group.id, change()?])?;
                self.group_remove(old)?;
            }
        }
        for group in &wanted {
            let parent = self.first(&GROUP_KNOWN, args![group.id], |row| row.opt(2, Row::collection_id))?.flatten();
            if parent != Some(group.parent) {
                done.changed += self.run(&GROUP_NEST, args![group.id, group.parent, change()?])? as u64;
            }
        }
        Ok(done)
    }

    /// Deletes a collection with its deployments; what is nested in it moves to All Computers.
    fn group_remove(&self, id: CollectionId) -> Result<(), StoreError> {
        for deployment in self.all(&GROUP_DEPLOYMENTS, args![id], |row| Ok(DeploymentId(row.int(0)?)))? {
            self.deployment_delete(deployment)?;
        }
        self.run(&GROUP_CHILDREN_MOVE, args![id, CollectionId::ALL_COMPUTERS, self.change_next()?])?;
        self.run(&GROUP_DELETE, args![id])?;
        Ok(())
    }

    /// A name like this one that nobody has.
    fn free_name(&self, name: &str) -> Result<String, StoreError> {
        for number in 1_u32.. {
            let free = if number == 1 { format!("{name} (local)") } else { format!("{name} (local {number})") };
            if self.collection_find(&free)?.is_none() {
                return Ok(free);
            }
        }
        Err(StoreError::Exhausted("name for a collection"))
    }

    /// Makes a deployment of the parent exactly this. True if that changed something. Update and collection are known.
    pub fn deployment_mirror(&self, wanted: &MirroredDeployment) -> Result<bool, StoreError> {
        let deployed = Deployed::Update { id: wanted.update, revision: Some(wanted.revision) };
        let Some(id) = self.deployment_by_guid(wanted.guid)? else {
            self.deployment_create(&NewDeployment {
                deployed,
                collection: wanted.collection,
                action: wanted.action,
                available_at: wanted.available_at,
                deadline_at: wanted.deadline_at,
                origin: DeploymentOrigin::Parent,
                active: false,
                guid: wanted.guid,
                terms: Terms::default(),
            })?;
            return Ok(true);
        };
        let missing = || StoreError::Missing { kind: "deployment", id: id.to_string() };
        let row = self.deployment_show(id)?.ok_or_else(missing)?;
        let mut changed = false;
        if (row.deployed, row.collection, row.origin) != (deployed, wanted.collection, DeploymentOrigin::Parent) {
            let update_no = self.update_no(wanted.update)?.ok_or(StoreError::UnknownUpdate(wanted.update))?;
            if row.collection != wanted.collection {
                // who had it must hear that it is gone
                self.deployment_set_enabled(id, false)?;
            }
            let (actor, change) = (self.actor(), self.change_next()?);
            let origin = DeploymentOrigin::Parent;
            let values =
                args![id, update_no, wanted.revision, wanted.collection, origin, change, actor.at, &actor.name];
            self.run(&DEPLOYMENT_MIRROR, values)?;
            changed = true;
        }
        changed |= self.deployment_change(id, wanted.action, wanted.available_at, wanted.deadline_at)?;
        changed |= self.deployment_set_enabled(id, true)?;
        Ok(changed)
    }

    /// Declines an update because the parent declined it. True if it was not declined.
    pub fn update_decline_as_parent(&self, update: UpdateId) -> Result<bool, StoreError> {
        self.update_decline_by(update, PARENT)
    }

    /// Accepts a licence for every update here that has it. Returns for how many it was not accepted.
    pub fn eula_accept_everywhere(&self, eula_id: &str) -> Result<u64, StoreError> {
        let mut accepted = 0;
        for update in self.all(&LICENSED, args![eula_id], |row| row.update_id(0))? {
            accepted += u64::from(self.update_accept_eula(update, eula_id)?);
        }
        Ok(accepted)
    }
}
