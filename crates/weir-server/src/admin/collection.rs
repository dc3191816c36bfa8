//! Collections: the tree of target groups and who is in them.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List, Reference,
    collection::{Collection, CollectionChange, CollectionCreate, CollectionCreated, MemberChange, MembersChanged},
    computer::ComputerRow,
    list::ListQuery,
};
use weir_model::{
    ids::{CollectionId, ComputerId},
    targeting::CollectionKind,
};
use weir_store::{
    ReadTx, StoreError,
    collection::{CollectionRow, MemberSource, NewCollection},
    computer::DirectoryRow,
    deployment::DeploymentFilter,
};

use super::{AdminError, App, Caller, computer, list};
use crate::sites;

/// Computers of one change of members.
const MOST_MEMBERS: usize = 10_000;
/// Characters of a name.
const LONGEST_NAME: usize = 255;

/// All collections with their places.
pub(crate) struct Tree {
    pub(crate) rows: Vec<CollectionRow>,
    parents: HashMap<CollectionId, Option<CollectionId>>,
}

impl Tree {
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let rows = tx.collection_list()?;
        let parents = rows.iter().map(|row| (row.id, row.parent)).collect();
        Ok(Self { rows, parents })
    }

    pub(crate) fn name(&self, id: CollectionId) -> String {
        self.rows.iter().find(|row| row.id == id).map_or_else(|| id.to_string(), |row| row.name.clone())
    }

    pub(crate) fn reference(&self, id: CollectionId) -> Reference {
        Reference { id: id.0, name: self.name(id) }
    }

    /// The collection of that id or name.
    pub(crate) fn find(&self, text: &str) -> Result<&CollectionRow, AdminError> {
        let text = text.trim();
        let id: Option<CollectionId> = text.parse().ok();
        let lower = text.to_lowercase();
        self.rows
            .iter()
            .find(|row| Some(row.id) == id)
            .or_else(|| self.rows.iter().find(|row| row.name.to_lowercase() == lower))
            .ok_or_else(|| AdminError::missing("collection", format!("{text:?}"), "weir collections list"))
    }

    /// Whether `inner` is `outer` or below it.
    pub(crate) fn is_within(&self, inner: CollectionId, outer: CollectionId) -> bool {
        let mut next = Some(inner);
        // parents form a tree; the bound only guards against damaged data
        for _ in 0..=self.rows.len() {
            match next {
                Some(id) if id == outer => return true,
                Some(id) => next = self.parents.get(&id).copied().flatten(),
                None => return false,
            }
        }
        false
    }

    /// Whether a computer is in a collection or in one below it.
    pub(crate) fn holds(&self, collection: CollectionId, computer: &DirectoryRow) -> bool {
        if collection == CollectionId::ALL_COMPUTERS {
            return true;
        }
        if computer.groups.is_empty() {
            return collection == CollectionId::UNASSIGNED_COMPUTERS;
        }
        computer.groups.iter().any(|group| self.is_within(*group, collection))
    }

    fn describe(
        &self,
        tx: &ReadTx<'_>,
        row: &CollectionRow,
        computers: &[DirectoryRow],
    ) -> Result<Collection, StoreError> {
        let direct = |computer: &&DirectoryRow| match row.id {
            CollectionId::ALL_COMPUTERS => true,
            CollectionId::UNASSIGNED_COMPUTERS => computer.groups.is_empty(),
            id => computer.groups.contains(&id),
        };
        let filter = DeploymentFilter { update: None, collection: Some(row.id) };
        let mut deployments = 0;
        let mut cursor = None;
        loop {
            let page = tx.deployment_list(&filter, cursor.as_deref(), list::LARGEST)?;
            deployments += page.items.len() as u64;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(Collection {
            id: row.id.0,
            name: row.name.clone(),
            parent: row.parent.map(|parent| self.reference(parent)),
            built_in: row.built_in,
            approved_only: row.approved_only,
            members: computers.iter().filter(direct).count() as u64,
            members_below: computers.iter().filter(|computer| self.holds(row.id, computer)).count() as u64,
            deployments,
        })
    }
}

/// All collections, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<Collection>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let (tree, computers) = (Tree::read(tx)?, tx.computer_directory()?);
        let page = list::page(&tree.rows, |row| row.id.to_string(), query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|row| tree.describe(tx, row, &computers)).collect::<Result<_, _>>()?;
        Ok(List { items, next: page.next })
    })
    .await
}

/// One collection, by id or name.
pub(crate) async fn show(app: &App, name: String) -> Result<Collection, AdminError> {
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let row = tree.find(&name)?;
        Ok(tree.describe(tx, row, &tx.computer_directory()?)?)
    })
    .await
}

fn checked_name(name: &str) -> Result<String, AdminError> {
    let name = name.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    // client-side targeting separates names with semicolons (MS-WUSP 2.2.2.1.1)
    if fits && !name.contains(';') && !matches!(name, "." | "..") && name.parse::<CollectionId>().is_err() {
        return Ok(name.to_owned());
    }
    Err(AdminError::Invalid {
        code: "name",
        detail: format!("{name:?} cannot be the name of a collection"),
        next_step: Some(format!("give 1 to {LONGEST_NAME} characters without semicolons, no GUID, and not . or ..")),
    })
}

/// Makes a collection.
pub(crate) async fn create(app: &App, caller: &Caller, new: CollectionCreate) -> Result<CollectionCreated, AdminError> {
    let name = checked_name(&new.name)?;
    let id = CollectionId(Uuid::new_v4());
    let made = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Collections")?;
            let tree = Tree::read(tx)?;
            let parent = new.parent.as_deref().map(|parent| tree.find(parent)).transpose()?.map(|row| row.id);
            if parent == Some(CollectionId::UNASSIGNED_COMPUTERS) {
                return Err(AdminError::Conflict {
                    code: "parent",
                    detail: "Unassigned Computers cannot hold collections: its computers are in none".to_owned(),
                    next_step: Some("choose another parent, or none for All Computers".to_owned()),
                });
            }
            let row = tx.collection_create(&NewCollection { id, name, parent, kind: CollectionKind::TargetGroup })?;
            if new.approved_only {
                tx.collection_set_approved_only(id, true)?;
            }
            let after = json!({ "name": row.name, "parent": row.parent, "approved_only": new.approved_only });
            tx.audit("collection.create", &id.to_string(), None, Some(&after))?;
            Ok(CollectionCreated { id: id.0, name: row.name })
        })
        .await?;
    app.publish().await?;
    Ok(made)
}

/// Changes a collection.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    change: CollectionChange,
) -> Result<Collection, AdminError> {
    let new_name = change.name.as_deref().map(checked_name).transpose()?;
    let id = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Collections")?;
            let tree = Tree::read(tx)?;
            let row = tree.find(&name)?;
            let before = json!({ "name": row.name, "approved_only": row.approved_only });
            if let Some(new_name) = &new_name {
                tx.collection_rename(row.id, new_name)?;
            }
            if let Some(approved_only) = change.approved_only {
                tx.collection_set_approved_only(row.id, approved_only)?;
            }
            if let Some(after) = tx.collection_show(row.id)? {
                let after = json!({ "name": after.name, "approved_only": after.approved_only });
                if before != after {
                    tx.audit("collection.change", &row.id.to_string(), Some(&before), Some(&after))?;
                }
            }
            Ok(row.id)
        })
        .await?;
    app.publish().await?;
    show(app, id.to_string()).await
}

/// Deletes a collection that nothing hangs on.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Collections")?;
        let tree = Tree::read(tx)?;
        let row = tree.find(&name)?;
        tx.collection_delete(row.id)?;
        tx.audit("collection.delete", &row.id.to_string(), Some(&json!({ "name": row.name })), None)?;
        Ok(())
    })
    .await?;
    app.publish().await
}

/// Computers of a collection and of those below it.
pub(crate) async fn members(app: &App, name: String, query: ListQuery) -> Result<List<ComputerRow>, AdminError> {
    computer::list_in(app, Some(name), None, query.cursor, query.limit).await
}

/// Adds computers to a collection, or removes them.
pub(crate) async fn members_change(
    app: &App,
    caller: &Caller,
    name: String,
    change: MemberChange,
    add: bool,
) -> Result<MembersChanged, AdminError> {
    if change.computers.is_empty() || change.computers.len() > MOST_MEMBERS {
        return Err(AdminError::invalid("computers", format!("give 1 to {MOST_MEMBERS} computers")));
    }
    let changed = app
        .write(caller, move |tx| {
            let tree = Tree::read(tx)?;
            let row = tree.find(&name)?;
            if row.built_in {
                return Err(AdminError::Conflict {
                    code: "built_in",
                    detail: format!("the members of {} follow from the other collections", row.name),
                    next_step: Some("add computers to a collection of your own, or remove them from it".to_owned()),
                });
            }
            let mut result = MembersChanged::default();
            let mut names = BTreeSet::new();
            for text in &change.computers {
                let id: ComputerId = text
                    .trim()
                    .parse()
                    .map_err(|error| AdminError::invalid("computer", format!("{text:?}: {error}")))?;
                let found = tx.computer_find(&id)?;
                let computer = found.ok_or_else(|| AdminError::missing("computer", &id, "weir computers list"))?;
                let is_new = if add {
                    tx.collection_add(row.id, computer.no, MemberSource::Manual)?
                } else {
                    tx.collection_remove(row.id, computer.no, MemberSource::Manual)?
                };
                if is_new {
                    result.changed += 1;
                    names.insert(id.to_string());
                } else {
                    result.unchanged += 1;
                }
            }
            if result.changed > 0 {
                let action = if add { "collection.add" } else { "collection.remove" };
                tx.audit(action, &row.id.to_string(), None, Some(&json!({ "computers": names })))?;
            }
            Ok(result)
        })
        .await?;
    app.publish().await?;
    Ok(changed)
}
