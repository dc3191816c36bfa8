//! Reading what changed.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use weir_model::{
    deployment::Terms,
    ids::{ChangeNumber, CollectionId, UpdateId},
};
use weir_store::{
    ReadTx, StoreError,
    collection::CollectionRow,
    deployment::Deployed,
    intent::{IntentKind, IntentRow},
    saved_search::SavedSearch,
};

use super::{Kind, Object, PAGE, TOP_SETTINGS, body, key, key::Key};

/// Objects that changed after a number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The objects, by change number.
    pub objects: Vec<Object>,
    /// Everything up to this number of the given kinds is in this page or came before it: pass it as `since` of the next.
    pub upto: u64,
    /// There is more.
    pub more: bool,
}

/// Objects of these kinds whose change number is above `since` (0 for all), ascending, with what was deleted; about
/// [`super::PAGE`] of them.
pub fn export_since(tx: &ReadTx<'_>, kinds: &[Kind], since: u64) -> Result<Page, StoreError> {
    let now = tx.catalogue_version()?.0;
    let (rows, more) = tx.intent_since(ChangeNumber(since), PAGE)?;
    let upto = match rows.last() {
        Some(last) if more => last.change.0,
        _ => now.max(since),
    };
    let mut objects = Vec::with_capacity(rows.len());
    for row in rows {
        let kind = key::kind(row.kind);
        if kinds.contains(&kind) {
            objects.extend(object(tx, kind, &row)?);
        }
    }
    Ok(Page { objects, upto, more })
}

/// One object; none if it does not travel.
pub(super) fn object(tx: &ReadTx<'_>, kind: Kind, row: &IntentRow) -> Result<Option<Object>, StoreError> {
    let Some(key) = Key::from_stored(kind, &row.id) else {
        // a selection that each site makes for itself, such as the languages of files
        if kind == Kind::Selection {
            return Ok(None);
        }
        return Err(StoreError::Corrupt { what: format!("the key of a {kind}: {:?}", row.id) });
    };
    if let Key::Text(key) = &key
        && !TOP_SETTINGS.contains(&key.as_str())
    {
        return Ok(None);
    }
    let body = if row.deleted { None } else { body(tx, &key, row.kind)? };
    // servers of an earlier version go on hearing of what version 1 can say, such as target groups
    let later = match kind {
        Kind::Collection => Some("more"),
        Kind::Deployment => Some("terms"),
        Kind::UpdateGroup => Some("description"),
        _ => None,
    };
    let plain = later.is_some_and(|field| body.as_ref().is_none_or(|body| body.get(field).is_none()));
    Ok(Some(Object {
        kind: kind.name().to_owned(),
        version: if plain { 1 } else { kind.version() },
        id: key.travelling(),
        change: row.change.0,
        // what is not there any more by another way is gone, too
        deleted: body.is_none(),
        body: body.unwrap_or_default(),
    }))
}

fn json(kind: IntentKind, body: impl Serialize) -> Result<Option<Value>, StoreError> {
    let value = serde_json::to_value(body);
    value.map(Some).map_err(|error| StoreError::Corrupt { what: format!("a decision ({kind:?}): {error}") })
}

/// What version 1 does not say of a collection; none if that is nothing.
fn more(tx: &ReadTx<'_>, row: &CollectionRow) -> Result<Option<body::CollectionMore>, StoreError> {
    let definition = tx.collection_definition(row.id)?;
    if definition.is_none() && row.description.is_none() {
        return Ok(None);
    }
    let definition = definition.unwrap_or_default();
    let ids = |ids: &BTreeSet<CollectionId>| ids.iter().map(|id| id.0).collect();
    Ok(Some(body::CollectionMore {
        description: row.description.clone(),
        includes: ids(&definition.includes),
        excludes: ids(&definition.excludes),
        limiting: definition.limiting.map(|id| id.0),
        rule: definition.rule,
    }))
}

pub(super) fn body(tx: &ReadTx<'_>, key: &Key, kind: IntentKind) -> Result<Option<Value>, StoreError> {
    match (kind, key) {
        (IntentKind::Setting, Key::Text(key)) => match tx.setting_show(key)? {
            Some(row) => json(kind, body::Setting { value: row.value }),
            None => Ok(None),
        },
        (IntentKind::Selection, Key::Selection(which)) => {
            json(kind, body::Selection { values: tx.selection_list(*which)? })
        }
        (IntentKind::Criterion, Key::Guid(id)) => match tx.criterion_show(*id)? {
            Some(row) => json(kind, body::Criterion { rule: row.rule }),
            None => Ok(None),
        },
        (IntentKind::SavedSearch, Key::Guid(id)) => match tx.saved_search_show(*id)? {
            Some(row) => {
                let SavedSearch { name, description, filter, text, sort } = row.search;
                json(kind, body::SavedSearch { name, description, filter, text, sort })
            }
            None => Ok(None),
        },
        (IntentKind::UpdateGroup, Key::Guid(id)) => match tx.update_group_show(*id)? {
            Some((name, updates)) => {
                let description = tx.update_group_row(*id)?.map(|row| row.description).unwrap_or_default();
                json(
                    kind,
                    body::UpdateGroup { name, description, updates: updates.into_iter().map(|id| id.0).collect() },
                )
            }
            None => Ok(None),
        },
        (IntentKind::UpdateStop, Key::Guid(id)) => match tx.update_stop_show(UpdateId(*id))? {
            Some(row) => json(kind, body::UpdateStop { reason: row.reason }),
            None => Ok(None),
        },
        (IntentKind::DeploymentTemplate, Key::Guid(id)) => match tx.template_show(*id)? {
            Some(row) => json(kind, body::DeploymentTemplate { name: row.name, template: row.template }),
            None => Ok(None),
        },
        (IntentKind::Rule, Key::Guid(id)) => match tx.rule_show(*id)? {
            Some(row) => json(kind, body::DeploymentRule { rule: row.rule }),
            None => Ok(None),
        },
        (IntentKind::Phased, Key::Guid(id)) => match tx.phased_show(*id)? {
            Some(row) => json(kind, body::Phased { plan: row.plan, group: row.group }),
            None => Ok(None),
        },
        (IntentKind::Collection, Key::Guid(id)) => match tx.collection_show(CollectionId(*id))? {
            Some(row) => {
                let more = more(tx, &row)?;
                let parent = row.parent.filter(|parent| *parent != CollectionId::ALL_COMPUTERS);
                json(
                    kind,
                    body::Collection {
                        name: row.name,
                        parent: parent.map(|parent| parent.0),
                        kind: row.kind,
                        approved_only: row.approved_only,
                        time_zone: row.time_zone,
                        more,
                    },
                )
            }
            None => Ok(None),
        },
        (IntentKind::MaintenanceWindow, Key::Guid(id)) => match tx.window_show(*id)? {
            Some(row) => json(
                kind,
                body::MaintenanceWindow {
                    collection: row.collection.0,
                    name: row.window.name().to_owned(),
                    recurrence: row.window.recurrence().to_string(),
                    minutes: row.window.minutes().into(),
                    kind: row.window.kind,
                    enabled: row.window.enabled,
                },
            ),
            None => Ok(None),
        },
        (IntentKind::ClientSettings, Key::Guid(id)) => match tx.client_settings_show(*id)? {
            Some(row) => json(
                kind,
                body::ClientSettings {
                    name: row.set.name,
                    description: row.set.description,
                    priority: row.set.priority,
                    settings: row.set.settings,
                    collections: row.set.collections.into_iter().map(|id| id.0).collect(),
                },
            ),
            None => Ok(None),
        },
        (IntentKind::Decline, Key::Guid(id)) => match tx.update_flags(UpdateId(*id))?.declined {
            Some(_) => json(kind, body::Decline {}),
            None => Ok(None),
        },
        (IntentKind::EulaAcceptance, Key::Guid(id)) => match tx.eula_accepted(UpdateId(*id))? {
            Some(eula_id) => json(kind, body::EulaAcceptance { eula_id }),
            None => Ok(None),
        },
        (IntentKind::UpdateSetting, Key::Guid(id)) => {
            let set = tx.update_setting(UpdateId(*id))?;
            if !set.run_time_set && set.custom_severity.is_none() {
                return Ok(None);
            }
            let run_time_minutes = set.run_time_set.then_some(set.run_time_minutes);
            json(kind, body::UpdateSetting { run_time_minutes, custom_severity: set.custom_severity })
        }
        (IntentKind::Deployment, Key::Deployment(deployed, collection)) => {
            let Some(id) = tx.deployment_of(*deployed, *collection)? else { return Ok(None) };
            let Some(row) = tx.deployment_show(id)? else { return Ok(None) };
            let revision = match row.deployed {
                Deployed::Update { revision, .. } => revision.map(|revision| revision.0),
                Deployed::Group(_) => None,
            };
            json(
                kind,
                body::Deployment {
                    guid: row.guid,
                    revision,
                    action: row.action,
                    available_at: row.available_at,
                    deadline_at: row.deadline_at,
                    enabled: row.enabled,
                    terms: Some(row.terms).filter(|terms| *terms != Terms::default()),
                },
            )
        }
        _ => Ok(None),
    }
}
