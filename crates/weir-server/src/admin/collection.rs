//! Collections: the tree of target groups, collections that rules define, and who is in them.

mod counts;
pub(crate) mod definition;
mod members;
mod preview;
mod tree;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::{
    List,
    collection::{
        Collection, CollectionChange, CollectionCreate, CollectionCreated, CollectionKind as ApiKind, Evaluating,
    },
    list::ListQuery,
};
use weir_model::{
    ids::CollectionId,
    rights::Scope,
    rule::Rule,
    targeting::{CollectionKind, MAX_DEPTH, level},
};
use weir_store::{
    ReadTx, StoreError,
    collection::{CollectionRow, NewCollection},
    membership::CollectionDefinition,
};

use super::{AdminError, App, Caller, deployment, list, setting};
use crate::sites;
use definition::{RuleNames, Wanted, checked_description, checked_zone};

pub(crate) use members::{change as members_change, list as members, why};
pub(crate) use preview::preview;
pub(crate) use tree::{OUTSIDE, Tree};

/// Characters of a name.
const LONGEST_NAME: usize = 255;
/// Names that a refusal shows of each kind of thing that uses a collection.
const MOST_SHOWN: usize = 5;
/// How long an answer waits for members to be found; what takes longer goes on behind it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is told of collections beside their rows.
struct Describer<'t> {
    tree: &'t Tree,
    names: RuleNames<'t>,
    definitions: BTreeMap<CollectionId, CollectionDefinition>,
    version: u64,
    members: HashMap<CollectionId, counts::Members>,
    deployments: HashMap<CollectionId, u64>,
    app: App,
}

impl<'t> Describer<'t> {
    fn read(app: &App, tx: &ReadTx<'_>, tree: &'t Tree) -> Result<Self, StoreError> {
        let sizes = app.state.live.compliance(tx)?.sizes();
        Ok(Self {
            tree,
            names: RuleNames::read(tx, tree)?,
            definitions: tx.collection_definitions()?,
            version: tx.membership_version()?.0,
            members: counts::count(tree, sizes),
            deployments: tx.deployment_counts()?,
            app: app.clone(),
        })
    }

    fn describe(&self, tx: &ReadTx<'_>, row: &CollectionRow) -> Result<Collection, StoreError> {
        let tree = self.tree;
        let members = self.members.get(&row.id).copied().unwrap_or_default();
        let definition = self.definitions.get(&row.id);
        let evaluating = definition.and_then(|_| self.app.state.live.membership.evaluating(row.id, self.version));
        let of = |ids: fn(&CollectionDefinition) -> &std::collections::BTreeSet<CollectionId>| {
            definition.map(|known| definition::shown(tree, ids(known))).unwrap_or_default()
        };
        Ok(Collection {
            id: row.id.0,
            name: row.name.clone(),
            parent: row.parent.filter(|parent| tree.may_name(*parent)).map(|parent| tree.reference(parent)),
            built_in: row.built_in,
            approved_only: row.approved_only,
            members: members.direct,
            members_below: members.below,
            // of All Computers who is limited is told what is within, and what goes to all of them is not
            deployments: self.deployments.get(&row.id).copied().filter(|_| tree.sees(row.id)).unwrap_or_default(),
            kind: Some(match row.kind {
                CollectionKind::Rule => ApiKind::Rule,
                CollectionKind::TargetGroup => ApiKind::TargetGroup,
            }),
            rule: definition.and_then(|known| known.rule.as_deref()).map(|rule| self.names.shown(rule)),
            includes: of(|known| &known.includes),
            excludes: of(|known| &known.excludes),
            limiting: definition
                .and_then(|known| known.limiting)
                .filter(|id| tree.may_name(*id))
                .map(|id| tree.reference(id)),
            direct: if definition.is_some() { tx.collection_direct_count(row.id)? } else { 0 },
            time_zone: row.time_zone.clone(),
            description: row.description.clone(),
            evaluating: evaluating.map(|(done, total)| Evaluating { done, total }),
        })
    }
}

/// All collections, by name.
pub(crate) async fn list(app: &App, scope: Scope, query: ListQuery) -> Result<List<Collection>, AdminError> {
    let limit = list::limit(query.limit)?;
    let shared = app.clone();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let describer = Describer::read(&shared, tx, &tree)?;
        let rows = tree.rows.iter().filter(|row| tree.sees(row.id));
        let page = list::page(rows, |row| row.id.to_string(), query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|row| describer.describe(tx, row)).collect::<Result<_, _>>()?;
        Ok(List { items, next: page.next })
    })
    .await
}

/// One collection, by id or name.
pub(crate) async fn show(app: &App, scope: Scope, name: String) -> Result<Collection, AdminError> {
    let shared = app.clone();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let row = tree.find(&name)?;
        Ok(Describer::read(&shared, tx, &tree)?.describe(tx, row)?)
    })
    .await
}

/// Brings a change to scans, and waits a while for members to be found.
pub(crate) async fn settle(app: &App) -> Result<(), AdminError> {
    app.publish().await?;
    app.state.live.membership.settle(PATIENCE).await;
    Ok(())
}

fn checked_name(name: &str) -> Result<String, AdminError> {
    let name = name.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && weir_model::name::is_printable(name);
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
    let zone = new.time_zone.as_deref().map(checked_zone).transpose()?.flatten();
    let description = new.description.as_deref().map(checked_description).transpose()?.flatten();
    let given = |names: Vec<String>| (!names.is_empty()).then_some(names);
    let (includes, excludes) = (given(new.includes), given(new.excludes));
    let wanted = Wanted { rule: new.rule, includes, excludes, limiting: new.limiting };
    let scope = caller.scope().clone();
    let kind = match new.kind {
        None if wanted.is_nothing() => CollectionKind::TargetGroup,
        Some(ApiKind::TargetGroup) if wanted.is_nothing() => CollectionKind::TargetGroup,
        Some(ApiKind::TargetGroup) => return Err(no_rule("kind")),
        None | Some(ApiKind::Rule) => CollectionKind::Rule,
    };
    let id = CollectionId(Uuid::new_v4());
    let made = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Collections")?;
            let tree = Tree::within(tx, &scope)?;
            refuse_beyond(&tree, kind, new.parent.as_deref())?;
            refuse_drawing(tx, &tree)?;
            let parent = new.parent.as_deref().map(|parent| tree.find(parent)).transpose()?.map(|row| row.id);
            checked_parent(&tree, kind, parent)?;
            let row = tx.collection_create(&NewCollection { id, name, parent, kind })?;
            if kind == CollectionKind::Rule {
                let definition = definition::changed(tx, &tree, id, CollectionDefinition::default(), &wanted)?;
                tx.collection_define(id, &definition)?;
            }
            tx.collection_set_approved_only(id, new.approved_only)?;
            tx.collection_set_time_zone(id, zone.as_deref())?;
            tx.collection_set_description(id, description.as_deref())?;
            let after = audited(tx, id)?;
            tx.audit("collection.create", &id.to_string(), None, Some(&after))?;
            Ok(CollectionCreated { id: id.0, name: row.name })
        })
        .await?;
    settle(app).await?;
    Ok(made)
}

/// Who is limited makes target groups below those of the scope: a rule could hold any computer, and what lies below All Computers
/// is nobody's own.
fn refuse_beyond(tree: &Tree, kind: CollectionKind, parent: Option<&str>) -> Result<(), AdminError> {
    if !tree.is_limited() {
        return Ok(());
    }
    let own = parent.map(|parent| tree.find(parent)).transpose()?.filter(|row| tree.sees(row.id));
    if own.is_some() && kind == CollectionKind::TargetGroup {
        return Ok(());
    }
    Err(AdminError::Forbidden {
        code: "forbidden",
        detail: "who is limited to collections makes target groups below those, and no collections by rule".to_owned(),
        next_step: Some("give a parent: weir collections create NAME --parent COLLECTION".to_owned()),
    })
}

/// Refuses to let who is limited choose the name of a collection while computers say theirs themselves: the name would draw every
/// computer that asks for it into the scope.
fn refuse_drawing(tx: &ReadTx<'_>, tree: &Tree) -> Result<(), AdminError> {
    if !tree.is_limited() || setting::Current::read(tx)?.text("targeting") != "client" {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "targeting",
        detail: "computers say themselves which collections they belong to (targeting is client): a name that some ask for would \
                 draw them into the limit, so who is limited makes and renames no collections"
            .to_owned(),
        next_step: Some("ask an administrator who is not limited to make or rename it".to_owned()),
    })
}

fn no_rule(code: &'static str) -> AdminError {
    AdminError::Conflict {
        code,
        detail: "a target group gets its computers from administrators or from what they ask for; it has no rule, includes, \
                 excludes or limit"
            .to_owned(),
        next_step: Some("make a collection by rule, which may include this one".to_owned()),
    }
}

fn checked_parent(tree: &Tree, kind: CollectionKind, parent: Option<CollectionId>) -> Result<(), AdminError> {
    let Some(parent) = parent else { return Ok(()) };
    if parent == CollectionId::UNASSIGNED_COMPUTERS {
        return Err(AdminError::Conflict {
            code: "parent",
            detail: "Unassigned Computers cannot hold collections: its computers are in none".to_owned(),
            next_step: Some("choose another parent, or none for All Computers".to_owned()),
        });
    }
    if level(|id| tree.parents.get(&id).copied().flatten(), parent) >= MAX_DEPTH {
        return Err(AdminError::Conflict {
            code: "parent",
            detail: format!(
                "parent is {:?}, and target groups nest at most {MAX_DEPTH} levels deep",
                tree.name(parent)
            ),
            next_step: Some("choose a parent that is less deep, or none for All Computers".to_owned()),
        });
    }
    let rule = tree.rows.iter().any(|row| row.id == parent && row.kind == CollectionKind::Rule);
    if rule || (kind == CollectionKind::Rule && parent != CollectionId::ALL_COMPUTERS) {
        return Err(AdminError::Conflict {
            code: "parent",
            detail: "collections by rule do not nest: each lies directly below All Computers".to_owned(),
            next_step: Some("limit it to the other collection, or include it there".to_owned()),
        });
    }
    Ok(())
}

/// What the audit log keeps of a collection.
pub(crate) fn audited(tx: &ReadTx<'_>, id: CollectionId) -> Result<Value, StoreError> {
    let Some(row) = tx.collection_show(id)? else { return Ok(Value::Null) };
    let mut kept = json!({
        "name": row.name, "parent": row.parent, "approved_only": row.approved_only, "time_zone": row.time_zone,
        "description": row.description,
    });
    if let (Some(definition), Some(kept)) = (tx.collection_definition(id)?, kept.as_object_mut()) {
        kept.insert("rule".to_owned(), json!(definition.rule));
        kept.insert("includes".to_owned(), json!(definition.includes));
        kept.insert("excludes".to_owned(), json!(definition.excludes));
        kept.insert("limiting".to_owned(), json!(definition.limiting));
    }
    Ok(kept)
}

/// Changes a collection.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    change: CollectionChange,
) -> Result<Collection, AdminError> {
    let new_name = change.name.as_deref().map(checked_name).transpose()?;
    let zone = change.time_zone.as_deref().map(checked_zone).transpose()?;
    let description = change.description.as_deref().map(checked_description).transpose()?;
    let wanted =
        Wanted { rule: change.rule, includes: change.includes, excludes: change.excludes, limiting: change.limiting };
    let scope = caller.scope().clone();
    let shown = scope.clone();
    let id = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Collections")?;
            let tree = Tree::within(tx, &scope)?;
            let row = tree.find(&name)?;
            tree.check_target(row.id)?;
            let before = audited(tx, row.id)?;
            if !wanted.is_nothing() {
                refuse_beyond(&tree, CollectionKind::Rule, None)?;
                let known = tx.collection_definition(row.id)?.ok_or_else(|| no_rule("kind"))?;
                let definition = definition::changed(tx, &tree, row.id, known, &wanted)?;
                tx.collection_define(row.id, &definition)?;
            }
            if let Some(new_name) = &new_name {
                if *new_name != row.name {
                    refuse_drawing(tx, &tree)?;
                }
                deployment::templates_by_id(tx, &tree, row.id)?;
                tx.collection_rename(row.id, new_name)?;
            }
            if let Some(approved_only) = change.approved_only {
                tx.collection_set_approved_only(row.id, approved_only)?;
            }
            if let Some(zone) = &zone {
                tx.collection_set_time_zone(row.id, zone.as_deref())?;
            }
            if let Some(description) = &description {
                tx.collection_set_description(row.id, description.as_deref())?;
            }
            let after = audited(tx, row.id)?;
            if before != after {
                tx.audit("collection.change", &row.id.to_string(), Some(&before), Some(&after))?;
            }
            Ok(row.id)
        })
        .await?;
    settle(app).await?;
    show(app, shown, id.to_string()).await
}

/// Refuses to delete what maintenance windows and client settings would vanish with, or what rules, templates and phased
/// deployments would look for in vain. The store knows what else uses a collection.
fn refuse_used(tx: &ReadTx<'_>, tree: &Tree, row: &CollectionRow) -> Result<(), AdminError> {
    let (id, name) = (row.id, &row.name);
    let windows = tx.window_list()?.into_iter().filter(|one| one.collection == id);
    let sets = tx.client_settings_list()?.into_iter().filter(|one| one.set.collections.contains(&id));
    let deploys = |rule: &Rule| rule.deployments.iter().any(|target| target.collection == id);
    let rules = tx.rule_list()?.into_iter().filter(|one| deploys(&one.rule));
    let mut phased = Vec::new();
    for one in tx.phased_list()? {
        let Some(state) = tx.phased_state(one.id)?.map(|stored| stored.state) else { continue };
        let mut phases = one.plan.phases.iter().zip(&state.phases);
        let waits = phases.any(|(phase, progress)| phase.collection == id && progress.completed_at.is_none());
        if waits && !state.is_over() {
            phased.push(one.plan.name);
        }
    }
    let (of, remove) = (format!(" --collection {name:?}"), format!(" --remove-deploy {name:?}"));
    let of = of.as_str();
    let templates = deployment::templates_for(tx, tree, id)?.into_iter().map(|one| one.name).collect();
    let used: [(&str, Vec<String>, &str, &str); 5] = [
        ("maintenance windows", windows.map(|one| one.window.name().to_owned()).collect(), "weir windows delete", of),
        ("client settings", sets.map(|one| one.set.name).collect(), "weir client-settings unassign", of),
        ("rules", rules.map(|one| one.rule.name).collect(), "weir rules change", remove.as_str()),
        ("phased deployments", phased, "weir phased stop", ""),
        ("templates of deployments", templates, "weir deployments templates delete", ""),
    ];
    let (mut uses, mut next) = (Vec::new(), Vec::new());
    for (what, names, command, options) in used {
        if names.is_empty() {
            continue;
        }
        let shown: Vec<String> = names.iter().take(MOST_SHOWN).map(|name| format!("{name:?}")).collect();
        let more = names.len() - shown.len();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        uses.push(format!("{what} {}{more}", shown.join(", ")));
        next.extend(shown.iter().map(|name| format!("{command} {name}{options}")));
    }
    if uses.is_empty() {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "in_use",
        detail: format!("the collection {name:?} cannot be deleted while these use it: {}", uses.join("; ")),
        next_step: Some(next.join("; ")),
    })
}

/// A refusal without the names of what lies outside the limit of who asks.
fn unnamed(tree: &Tree, error: StoreError) -> AdminError {
    match error {
        StoreError::CollectionInUse { name, .. } if tree.is_limited() => AdminError::Conflict {
            code: "in_use",
            detail: format!(
                "the collection {name:?} cannot be deleted while deployments go to it, or other collections lie below it, refer to it or \
                 are limited by it; not all of these lie within the limit"
            ),
            next_step: Some("ask an administrator who is not limited".to_owned()),
        },
        error => error.into(),
    }
}

/// Deletes a collection that nothing hangs on.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Collections")?;
        let tree = Tree::within(tx, &scope)?;
        let row = tree.find(&name)?;
        tree.check_target(row.id)?;
        if !row.built_in {
            refuse_used(tx, &tree, row)?;
        }
        tx.collection_delete(row.id).map_err(|error| unnamed(&tree, error))?;
        tx.audit("collection.delete", &row.id.to_string(), Some(&json!({ "name": row.name })), None)?;
        Ok(())
    })
    .await?;
    settle(app).await
}
