//! Reading what changed.

use serde::Serialize;
use serde_json::Value;
use weir_model::ids::{ChangeNumber, CollectionId, UpdateId};
use weir_store::{
    ReadTx, StoreError,
    deployment::Deployed,
    intent::{IntentKind, IntentRow},
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
    Ok(Some(Object {
        kind: kind.name().to_owned(),
        version: kind.version(),
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
        (IntentKind::UpdateGroup, Key::Guid(id)) => match tx.update_group_show(*id)? {
            Some((name, updates)) => {
                json(kind, body::UpdateGroup { name, updates: updates.into_iter().map(|id| id.0).collect() })
            }
            None => Ok(None),
        },
        (IntentKind::Collection, Key::Guid(id)) => match tx.collection_show(CollectionId(*id))? {
            Some(row) => json(
                kind,
                body::Collection {
                    name: row.name,
                    parent: row.parent.filter(|parent| *parent != CollectionId::ALL_COMPUTERS).map(|parent| parent.0),
                    kind: row.kind,
                    approved_only: row.approved_only,
                    time_zone: row.time_zone,
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
                },
            )
        }
        _ => Ok(None),
    }
}
