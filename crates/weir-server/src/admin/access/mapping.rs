//! What groups of an identity provider may do.

use serde_json::{Value, json};
use weir_api::{
    List,
    list::ListQuery,
    user::{Granted, GroupMapping},
};
use weir_model::rights::Grant;
use weir_store::user::MappingRow;

use super::{Caller, scope};
use crate::admin::{AdminError, App, collection::Tree, list};

/// Characters of the name of a group.
const LONGEST: usize = 512;

fn shown(tree: &Tree, row: MappingRow) -> GroupMapping {
    let (collections, limited) = scope::shown(tree, &row.grant.scope);
    GroupMapping {
        group: row.group,
        role: row.grant.role.into(),
        collections,
        limited,
        created_at: row.created_at,
        created_by: row.created_by,
    }
}

fn audited(tree: &Tree, grant: &Grant) -> Value {
    let (collections, limited) = scope::shown(tree, &grant.scope);
    let names: Vec<String> = collections.into_iter().map(|collection| collection.name).collect();
    json!({ "role": grant.role.word(), "collections": limited.then_some(names) })
}

/// All mappings, by group.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<GroupMapping>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let page = list::page(tx.group_mapping_list()?, |row| row.group.clone(), query.cursor.as_deref(), limit)?;
        Ok(List { items: page.items.into_iter().map(|row| shown(&tree, row)).collect(), next: page.next })
    })
    .await
}

/// Decides what members of a group may do, from their next sign-in on.
pub(crate) async fn put(
    app: &App,
    caller: &Caller,
    group: String,
    granted: Granted,
) -> Result<GroupMapping, AdminError> {
    if group.trim().is_empty() || group.chars().count() > LONGEST || group.chars().any(char::is_control) {
        return Err(AdminError::invalid("group", format!("a group has 1 to {LONGEST} characters that can be printed")));
    }
    app.write(caller, move |tx| {
        let tree = Tree::read(tx)?;
        let grant = Grant { role: granted.role.into(), scope: scope::named(&tree, &granted.collections)? };
        let before = tx.group_mapping_list()?.into_iter().find(|row| row.group == group);
        let before = before.map(|row| audited(&tree, &row.grant));
        tx.group_mapping_put(&group, &grant)?;
        tx.audit("group_mapping.set", &group, before.as_ref(), Some(&audited(&tree, &grant)))?;
        let row = tx.group_mapping_list()?.into_iter().find(|row| row.group == group);
        let row = row.ok_or_else(|| AdminError::Internal("a mapping that was just made is not there".to_owned()))?;
        Ok(shown(&tree, row))
    })
    .await
}

/// Forgets what members of a group may do.
pub(crate) async fn delete(app: &App, caller: &Caller, group: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        let tree = Tree::read(tx)?;
        let row = tx.group_mapping_list()?.into_iter().find(|row| row.group == group);
        let row = row
            .ok_or_else(|| AdminError::missing("mapping of the group", format!("{group:?}"), "weir users mappings"))?;
        tx.group_mapping_delete(&group)?;
        tx.audit("group_mapping.delete", &group, Some(&audited(&tree, &row.grant)), None)?;
        Ok(())
    })
    .await
}
