//! Client settings: sets, where they are deployed, and what holds for a computer.

mod resulting;

pub(crate) use resulting::{of_collection, of_computer};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;
use weir_api::{
    List,
    client_settings::{
        ClientSettingDefinition, ClientSettingWarning, ClientSettingsChange, ClientSettingsCollections,
        ClientSettingsCreate, ClientSettingsSet,
    },
    list::ListQuery,
};
use weir_model::{
    client_settings::{
        DEFAULT_SET, DEFAULT_SET_ID, Definition, LONGEST_DESCRIPTION, LONGEST_NAME, MOST_SETS, Resultant, Set, Value,
        checked_description, checked_name, definition, definitions, refusal, reorder, resultant, warnings,
    },
    ids::CollectionId,
    targeting::DeploymentOrigin,
};
use weir_store::{
    ReadTx, StoreError, WriteTx,
    client_settings::{ClientSettings, ClientSettingsRow},
    window::WindowRow,
};

use super::{AdminError, App, Caller, collection::Tree, list, setting, window_fit};
use crate::{client_settings::typed, sites};

/// Collections of one change.
const MOST_COLLECTIONS: usize = 1_000;
const LIST: &str = "weir client-settings list";
const WHAT: &str = "Client settings";

/// All sets, the default one first.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<ClientSettingsSet>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let (tree, rows, windows) = (Tree::read(tx)?, rows(tx)?, tx.window_list()?);
        let page = list::page(&rows, |row| row.set.id.to_string(), query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|row| shown(&tree, &rows, &windows, row)).collect();
        Ok(List { items, next: page.next })
    })
    .await
}

/// The default set, if nobody changed it yet.
fn untouched() -> ClientSettingsRow {
    ClientSettingsRow {
        set: ClientSettings {
            id: DEFAULT_SET_ID,
            name: DEFAULT_SET.to_owned(),
            description: "Holds for every computer.".to_owned(),
            priority: 0,
            settings: BTreeMap::new(),
            collections: BTreeSet::new(),
        },
        origin: DeploymentOrigin::Local,
        change: weir_model::ids::ChangeNumber(0),
        changed_at: Timestamp::UNIX_EPOCH,
        changed_by: String::new(),
    }
}

fn rows(tx: &ReadTx<'_>) -> Result<Vec<ClientSettingsRow>, StoreError> {
    let mut rows = tx.client_settings_list()?;
    match rows.iter().position(|row| row.set.id == DEFAULT_SET_ID) {
        Some(at) => {
            let default = rows.remove(at);
            rows.insert(0, default);
        }
        None => rows.insert(0, untouched()),
    }
    Ok(rows)
}

/// One set.
pub(crate) async fn show(app: &App, name: String) -> Result<ClientSettingsSet, AdminError> {
    app.try_read(move |tx| described(tx, find(tx, &name)?.set.id)).await
}

fn find(tx: &ReadTx<'_>, text: &str) -> Result<ClientSettingsRow, AdminError> {
    let (key, id) = (weir_model::name::key(text), text.trim().parse::<Uuid>().ok());
    let found = rows(tx)?.into_iter().find(|row| Some(row.set.id) == id || weir_model::name::key(&row.set.name) == key);
    found.ok_or_else(|| AdminError::missing("set of client settings", format!("{text:?}"), LIST))
}

fn described(tx: &ReadTx<'_>, id: Uuid) -> Result<ClientSettingsSet, AdminError> {
    let (tree, rows, windows) = (Tree::read(tx)?, rows(tx)?, tx.window_list()?);
    let row = rows.iter().find(|row| row.set.id == id);
    let row = row.ok_or_else(|| AdminError::missing("set of client settings", id, LIST))?;
    Ok(shown(&tree, &rows, &windows, row))
}

fn shown(tree: &Tree, rows: &[ClientSettingsRow], windows: &[WindowRow], row: &ClientSettingsRow) -> ClientSettingsSet {
    let (set, is_default) = (typed(&row.set), row.set.id == DEFAULT_SET_ID);
    let default = rows.iter().find(|row| row.set.id == DEFAULT_SET_ID).map(|row| typed(&row.set));
    let touched = row.change.0 > 0;
    let reached = |there: CollectionId| {
        is_default || row.set.collections.iter().any(|to| tree.is_within(there, *to) || tree.is_within(*to, there))
    };
    ClientSettingsSet {
        id: row.set.id,
        name: row.set.name.clone(),
        description: row.set.description.clone(),
        default: is_default,
        priority: (!is_default).then_some(row.set.priority),
        settings: set.settings.iter().map(|(key, value)| (key.clone(), json_of(value))).collect(),
        collections: row.set.collections.iter().map(|id| tree.reference(*id)).collect(),
        from_parent: row.origin == DeploymentOrigin::Parent,
        changed_at: touched.then_some(row.changed_at),
        changed_by: touched.then(|| row.changed_by.clone()),
        warnings: warned(&alone(set, default), window_fit::shortest(windows, reached)),
    }
}

/// What would hold of a computer that has this set alone, over the default set.
fn alone(mut set: Set, default: Option<Set>) -> Resultant {
    if set.id == DEFAULT_SET_ID {
        return resultant(&[set], &BTreeSet::new());
    }
    set.collections = vec![CollectionId::ALL_COMPUTERS];
    let sets: Vec<Set> = default.into_iter().chain([set]).collect();
    resultant(&sets, &BTreeSet::from([CollectionId::ALL_COMPUTERS]))
}

fn warned(resultant: &Resultant, shortest_window: Option<u32>) -> Vec<ClientSettingWarning> {
    let warning = |one: weir_model::client_settings::Warning| ClientSettingWarning {
        key: one.key.to_owned(),
        message: one.message,
    };
    warnings(resultant, shortest_window).into_iter().map(warning).collect()
}

/// A value as JSON of its type.
fn json_of(value: &Value) -> Json {
    match value {
        Value::Flag(flag) => json!(flag),
        Value::Number(number) => json!(number),
        other => json!(other.to_string()),
    }
}

/// A value in its text form, checked.
fn text_of(definition: &Definition, value: &Json) -> Result<Value, AdminError> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => number.to_string(),
        other => other.to_string(),
    };
    definition.read(&text).map_err(|error| AdminError::Invalid {
        code: "client_setting_value",
        detail: super::chain(&error),
        next_step: Some(format!("{} takes {}", definition.key, definition.kind.describe())),
    })
}

fn known(key: &str) -> Result<&'static Definition, AdminError> {
    definition(key).map_err(|error| AdminError::Invalid {
        code: "client_setting",
        detail: error.to_string(),
        next_step: Some("see all of them: weir client-settings show".to_owned()),
    })
}

/// Every setting there is.
pub(crate) fn definition_list(query: &ListQuery) -> Result<List<ClientSettingDefinition>, AdminError> {
    let limit = list::limit(query.limit)?;
    let described = |known: &Definition| ClientSettingDefinition {
        key: known.key.to_owned(),
        id: known.id.to_owned(),
        values: known.kind.describe(),
        default: json_of(&known.default_value()),
        meaning: known.meaning.to_owned(),
        mark: known.mark.word().to_owned(),
        honoured: known.honoured.iter().map(ToString::to_string).collect(),
    };
    list::page(definitions().map(described), |row| row.key.clone(), query.cursor.as_deref(), limit)
}

fn name_of(text: &str) -> Result<String, AdminError> {
    checked_name(text).ok_or_else(|| AdminError::Invalid {
        code: "name",
        detail: format!("{:?} cannot name a set of client settings", text.chars().take(80).collect::<String>()),
        next_step: Some(format!("give 1 to {LONGEST_NAME} characters, no GUID, and not . or ..")),
    })
}

fn description_of(text: String) -> Result<String, AdminError> {
    if checked_description(&text) {
        return Ok(text);
    }
    Err(AdminError::invalid(
        "description",
        format!("description: give at most {LONGEST_DESCRIPTION} characters of text"),
    ))
}

fn free(tx: &ReadTx<'_>, name: &str, id: Uuid) -> Result<(), AdminError> {
    let key = weir_model::name::key(name);
    if rows(tx)?.iter().all(|row| row.set.id == id || weir_model::name::key(&row.set.name) != key) {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "exists",
        detail: format!("a set of client settings named {name:?} exists already"),
        next_step: Some("change that one: weir client-settings set KEY VALUE --name NAME".to_owned()),
    })
}

fn priority_of(priority: Option<u32>) -> Result<Option<u32>, AdminError> {
    match priority {
        Some(wrong) if !(1..=MOST_SETS as u32).contains(&wrong) => {
            Err(AdminError::invalid("priority", format!("priority is {wrong}; it must be 1 to {MOST_SETS}")))
        }
        priority => Ok(priority),
    }
}

fn collections_of(tree: &Tree, names: &[String]) -> Result<BTreeSet<CollectionId>, AdminError> {
    if names.len() > MOST_COLLECTIONS {
        return Err(AdminError::invalid("collections", format!("give at most {MOST_COLLECTIONS} collections")));
    }
    let mut ids = BTreeSet::new();
    for name in names {
        if !ids.insert(tree.find(name)?.id) {
            return Err(AdminError::invalid("collections", format!("collections names {:?} twice", name.trim())));
        }
    }
    Ok(ids)
}

/// Puts values into a set, and refuses what cannot hold together.
fn put_values(
    set: &mut ClientSettings,
    values: &BTreeMap<String, Json>,
    zone: &jiff::tz::TimeZone,
) -> Result<(), AdminError> {
    for (key, value) in values {
        let definition = known(key)?;
        let value = match text_of(definition, value)? {
            // a schedule that counts from a start gets one, so that it stays the same tomorrow
            Value::Schedule(schedule) => Value::Schedule(Box::new(schedule.anchored(Timestamp::now(), zone))),
            value => value,
        };
        set.settings.insert(definition.key.to_owned(), value.to_string());
    }
    if let Some(why) = refusal(&typed(set).settings) {
        return Err(AdminError::Invalid {
            code: "client_settings",
            detail: why,
            next_step: Some("change both of them at once: weir client-settings set KEY VALUE KEY VALUE".to_owned()),
        });
    }
    Ok(())
}

/// Numbers all custom sets anew, with one at a priority or behind all others.
fn place(tx: &WriteTx<'_>, id: Uuid, priority: Option<u32>) -> Result<(), StoreError> {
    let custom = tx.client_settings_list()?.into_iter().filter(|row| row.set.id != DEFAULT_SET_ID);
    let current: Vec<(Uuid, u32)> = custom.map(|row| (row.set.id, row.set.priority)).collect();
    for (id, priority) in reorder(&current, id, priority) {
        tx.client_settings_move(id, priority)?;
    }
    Ok(())
}

fn audited(set: &ClientSettings) -> Json {
    json!({
        "name": set.name,
        "description": set.description,
        "priority": set.priority,
        "settings": set.settings,
        "collections": set.collections,
    })
}

/// Makes a set.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    new: ClientSettingsCreate,
) -> Result<ClientSettingsSet, AdminError> {
    let (name, description) = (name_of(&new.name)?, description_of(new.description)?);
    let priority = priority_of(new.priority)?;
    let made = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let id = Uuid::new_v4();
            free(tx, &name, id)?;
            if tx.client_settings_list()?.len() > MOST_SETS {
                return Err(AdminError::Conflict {
                    code: "too_many",
                    detail: format!("there are {MOST_SETS} sets of client settings already"),
                    next_step: Some("delete some: weir client-settings delete NAME".to_owned()),
                });
            }
            let collections = collections_of(&Tree::read(tx)?, &new.collections)?;
            // behind all others until it is placed
            let last = u32::try_from(MOST_SETS + 1).unwrap_or(u32::MAX);
            let mut set =
                ClientSettings { id, name, description, priority: last, settings: BTreeMap::new(), collections };
            put_values(&mut set, &new.settings, &setting::Current::read(tx)?.zone())?;
            tx.client_settings_put(&set, DeploymentOrigin::Local)?;
            place(tx, id, priority)?;
            let after = tx.client_settings_show(id)?.map(|row| audited(&row.set));
            tx.audit("client_settings.create", &id.to_string(), None, after.as_ref())?;
            described(tx, id)
        })
        .await?;
    app.publish().await?;
    Ok(made)
}

/// Changes a set. The default one keeps name and place.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    change: ClientSettingsChange,
) -> Result<ClientSettingsSet, AdminError> {
    let new_name = change.name.as_deref().map(name_of).transpose()?;
    let description = change.description.map(description_of).transpose()?;
    let priority = priority_of(change.priority)?;
    let changed = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let row = find(tx, &name)?;
            let mut set = row.set.clone();
            if set.id == DEFAULT_SET_ID && (new_name.is_some() || priority.is_some()) {
                return Err(built_in("it holds for every computer: it has no priority and keeps its name"));
            }
            if let Some(new_name) = new_name {
                free(tx, &new_name, set.id)?;
                set.name = new_name;
            }
            set.description = description.unwrap_or(set.description);
            for key in &change.unset {
                let key = known(key)?.key;
                if change.set.keys().any(|set| set.eq_ignore_ascii_case(key)) {
                    return Err(AdminError::invalid("unset", format!("{key} is both set and unset")));
                }
                if set.settings.remove(key).is_none() {
                    return Err(AdminError::NotFound {
                        kind: "setting",
                        id: format!("{key} in {}", set.name),
                        next_step: Some(format!("see what it sets: weir client-settings show --name {:?}", set.name)),
                    });
                }
            }
            put_values(&mut set, &change.set, &setting::Current::read(tx)?.zone())?;
            tx.client_settings_put(&set, DeploymentOrigin::Local)?;
            if priority.is_some() {
                place(tx, set.id, priority)?;
            }
            record(tx, "client_settings.change", &row.set)?;
            described(tx, set.id)
        })
        .await?;
    app.publish().await?;
    Ok(changed)
}

/// Notes what became of a set, if anything did.
fn record(tx: &WriteTx<'_>, action: &str, before: &ClientSettings) -> Result<(), StoreError> {
    let after = tx.client_settings_show(before.id)?;
    if let Some(after) = after.filter(|after| after.set != *before) {
        tx.audit(action, &before.id.to_string(), Some(&audited(before)), Some(&audited(&after.set)))?;
    }
    Ok(())
}

fn built_in(why: &str) -> AdminError {
    AdminError::Conflict {
        code: "built_in",
        detail: format!("the default set cannot be changed so: {why}"),
        next_step: Some("make a set of your own: weir client-settings create NAME".to_owned()),
    }
}

/// Deploys a set to collections, or takes it back.
pub(crate) async fn collections_change(
    app: &App,
    caller: &Caller,
    name: String,
    change: ClientSettingsCollections,
    add: bool,
) -> Result<ClientSettingsSet, AdminError> {
    if change.collections.is_empty() {
        return Err(AdminError::invalid("collections", "collections: give at least one"));
    }
    let changed = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let row = find(tx, &name)?;
            if row.set.id == DEFAULT_SET_ID {
                return Err(built_in("it holds for every computer and is deployed to none"));
            }
            let tree = Tree::read(tx)?;
            let mut set = row.set.clone();
            for id in collections_of(&tree, &change.collections)? {
                if add {
                    set.collections.insert(id);
                } else if !set.collections.remove(&id) {
                    return Err(AdminError::NotFound {
                        kind: "collection",
                        id: format!("{} that {} is deployed to", tree.name(id), set.name),
                        next_step: Some(format!("see where it is: weir client-settings show --name {:?}", set.name)),
                    });
                }
            }
            if set.collections.len() > MOST_COLLECTIONS {
                let detail = format!("a set is deployed to at most {MOST_COLLECTIONS} collections");
                return Err(AdminError::invalid("collections", detail));
            }
            tx.client_settings_put(&set, DeploymentOrigin::Local)?;
            record(tx, if add { "client_settings.assign" } else { "client_settings.unassign" }, &row.set)?;
            described(tx, set.id)
        })
        .await?;
    app.publish().await?;
    Ok(changed)
}

/// Deletes a set. The others keep their order.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, WHAT)?;
        let row = find(tx, &name)?;
        if row.set.id == DEFAULT_SET_ID {
            return Err(built_in("it cannot be deleted; take its settings back one by one"));
        }
        tx.client_settings_delete(row.set.id)?;
        let custom = tx.client_settings_list()?.into_iter().filter(|row| row.set.id != DEFAULT_SET_ID);
        for (id, priority) in custom.map(|row| row.set.id).zip(1..).collect::<Vec<_>>() {
            tx.client_settings_move(id, priority)?;
        }
        tx.audit("client_settings.delete", &row.set.id.to_string(), Some(&audited(&row.set)), None)?;
        Ok(())
    })
    .await?;
    app.publish().await
}
