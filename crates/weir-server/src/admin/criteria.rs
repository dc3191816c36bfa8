//! Rules by which updates are skipped or declined.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    criteria::{
        Criterion, CriterionAction, CriterionApplied, CriterionChange, CriterionCondition, CriterionPreview,
        CriterionRule, CriterionSample,
    },
    list::ListQuery,
};
use weir_model::{
    criteria::{Action, Condition, Rule, RuleError, Superseded},
    ids::UpdateId,
    targeting::DeploymentOrigin,
    update::CategoryKind,
};
use weir_store::{ReadTx, StoreError, criterion::CriterionRow, list::CategoryRow};

use super::{AdminError, App, Caller, list};
use crate::{sites, sync::criteria};

/// Rules that a site may have.
const MOST: usize = 1_000;

/// Rules, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<Criterion>, AdminError> {
    let limit = list::limit(query.limit)?;
    let rows = app.read(|tx| tx.criterion_list()).await?;
    list::page(rows.into_iter().map(shown), |row| row.rule.name.to_lowercase(), query.cursor.as_deref(), limit)
}

/// One rule.
pub(crate) async fn show(app: &App, name: String) -> Result<Criterion, AdminError> {
    app.try_read(move |tx| find(tx, &name)).await.map(shown)
}

/// The rule of that name or id.
pub(super) fn find(tx: &ReadTx<'_>, name: &str) -> Result<CriterionRow, AdminError> {
    let found = match tx.criterion_find(name)? {
        None => match name.parse::<Uuid>() {
            Ok(id) => tx.criterion_list()?.into_iter().find(|row| row.id == id),
            Err(_) => None,
        },
        found => found,
    };
    found.ok_or_else(|| AdminError::missing("rule", name, "weir criteria list"))
}

/// Adds a rule.
pub(crate) async fn create(app: &App, caller: &Caller, new: CriterionRule) -> Result<Criterion, AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Criteria")?;
        let rule = rule(tx, new)?;
        free(tx, &rule.name)?;
        if tx.criterion_list()?.len() >= MOST {
            return Err(AdminError::Conflict {
                code: "too_many",
                detail: format!("there are {MOST} rules already"),
                next_step: Some("remove some: weir criteria remove NAME".to_owned()),
            });
        }
        tx.criterion_put(Uuid::new_v4(), &rule, DeploymentOrigin::Local)?;
        tx.audit("criteria.add", &rule.name, None, Some(&json!(rule)))?;
        find(tx, &rule.name)
    })
    .await
    .map(shown)
}

fn free(tx: &ReadTx<'_>, name: &str) -> Result<(), AdminError> {
    if tx.criterion_find(name)?.is_none() {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "exists",
        detail: format!("a rule named {name:?} exists already"),
        next_step: Some("change that one: weir criteria change NAME".to_owned()),
    })
}

/// Changes a rule.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    change: CriterionChange,
) -> Result<Criterion, AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Criteria")?;
        let row = find(tx, &name)?;
        if let Some(name) = &change.name {
            if weir_model::name::key(name) != weir_model::name::key(&row.rule.name) {
                free(tx, name)?;
            }
        }
        let rule = changed(tx, &row.rule, change)?;
        if rule != row.rule {
            tx.criterion_put(row.id, &rule, row.origin)?;
            tx.audit("criteria.change", &rule.name, Some(&json!(row.rule)), Some(&json!(rule)))?;
        }
        find(tx, &rule.name)
    })
    .await
    .map(shown)
}

/// A rule as a change makes it, checked. That its name is free is for the caller to check.
pub(super) fn changed(tx: &ReadTx<'_>, rule: &Rule, change: CriterionChange) -> Result<Rule, AdminError> {
    let mut rule = rule.clone();
    rule.name = change.name.unwrap_or(rule.name);
    if let Some(action) = change.action {
        rule.action = read_action(action);
    }
    if let Some(wanted) = change.condition {
        rule.condition = condition(tx, wanted)?;
    }
    rule.enabled = change.enabled.unwrap_or(rule.enabled);
    for text in &change.add_except {
        let exception = text.parse().map_err(|error| invalid(&error))?;
        if !rule.except.contains(&exception) {
            rule.except.push(exception);
        }
    }
    for text in &change.remove_except {
        let exception = text.parse().map_err(|error| invalid(&error))?;
        let before = rule.except.len();
        rule.except.retain(|known| *known != exception);
        if rule.except.len() == before {
            return Err(AdminError::missing("exception", text, "weir criteria list"));
        }
    }
    rule.check().map_err(|error| invalid(&error))?;
    Ok(rule)
}

/// Deletes a rule; what it declined stays declined.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Criteria")?;
        let row = find(tx, &name)?;
        tx.criterion_delete(row.id)?;
        tx.audit("criteria.remove", &row.rule.name, Some(&json!(row.rule)), None)?;
        Ok(())
    })
    .await
}

/// What a rule would do to the catalogue as it is.
pub(crate) async fn preview(app: &App, new: CriterionRule) -> Result<CriterionPreview, AdminError> {
    app.try_read(move |tx| previewed(tx, &rule(tx, new)?)).await
}

/// The same for a stored one.
pub(crate) async fn preview_stored(app: &App, name: String) -> Result<CriterionPreview, AdminError> {
    app.try_read(move |tx| previewed(tx, &find(tx, &name)?.rule)).await
}

fn previewed(tx: &ReadTx<'_>, rule: &Rule) -> Result<CriterionPreview, AdminError> {
    let found = criteria::preview(tx, rule, Timestamp::now())?;
    let note = match rule.action {
        Action::Decline => "What has not been synchronized yet is not counted.",
        Action::Skip => {
            "What is stored already stays; the rule leaves such updates out when they come for the first time. What has \
             not been synchronized yet is not counted."
        }
    };
    Ok(CriterionPreview {
        description: describe(tx, rule)?,
        looked_at: found.looked_at,
        matched: found.matched,
        declined: found.declined,
        taken_back: found.taken_back,
        files: found.files,
        bytes: found.bytes,
        bytes_here: found.bytes_here,
        samples: found
            .samples
            .into_iter()
            .map(|(id, title, reason)| CriterionSample { id: id.0, title: list::short(&title), reason })
            .collect(),
        note: note.to_owned(),
    })
}

/// Declines what a stored rule declines in the catalogue as it is. Scans see it when this returns.
pub(crate) async fn apply(app: &App, caller: &Caller, name: String) -> Result<CriterionApplied, AdminError> {
    let row = app
        .try_read(move |tx| {
            sites::refuse_below(tx, "Criteria")?;
            find(tx, &name)
        })
        .await?;
    let Rule { name, action, enabled, .. } = row.rule;
    if action == Action::Skip || !enabled {
        let why = if enabled { "skips updates that come for the first time" } else { "is switched off" };
        return Err(AdminError::Conflict {
            code: "not_applicable",
            detail: format!("the rule {name:?} {why}, so there is nothing to decline"),
            next_step: Some("change it first: weir criteria change NAME --action decline --enable".to_owned()),
        });
    }
    let applied = criteria::apply(app, caller, Some(name)).await?;
    if applied.declined() > 0 {
        app.publish().await?;
    }
    Ok(CriterionApplied { declined: applied.declined(), before: applied.before, taken_back: applied.taken_back })
}

fn invalid(error: &RuleError) -> AdminError {
    AdminError::Invalid {
        code: "rule",
        detail: error.to_string(),
        next_step: Some("weir criteria add --help".to_owned()),
    }
}

fn read_action(action: CriterionAction) -> Action {
    match action {
        CriterionAction::Decline => Action::Decline,
        CriterionAction::Skip => Action::Skip,
    }
}

/// A new rule, checked.
pub(super) fn rule(tx: &ReadTx<'_>, new: CriterionRule) -> Result<Rule, AdminError> {
    let except = new.except.iter().map(|text| text.parse()).collect::<Result<_, RuleError>>();
    let rule = Rule {
        name: new.name,
        action: read_action(new.action),
        condition: condition(tx, new.condition)?,
        except: except.map_err(|error| invalid(&error))?,
        enabled: new.enabled,
    };
    rule.check().map_err(|error| invalid(&error))?;
    Ok(rule)
}

fn condition(tx: &ReadTx<'_>, wanted: CriterionCondition) -> Result<Condition, AdminError> {
    fn parsed<T: std::str::FromStr<Err = RuleError>, C: FromIterator<T>>(texts: &[String]) -> Result<C, AdminError> {
        texts.iter().map(|text| text.parse()).collect::<Result<C, RuleError>>().map_err(|error| invalid(&error))
    }
    let named = !wanted.products.is_empty() || !wanted.classifications.is_empty();
    let rows = if named { tx.category_list("en")? } else { Vec::new() };
    Ok(Condition {
        architectures: parsed(&wanted.architectures)?,
        editions: parsed(&wanted.editions)?,
        titles: parsed(&wanted.titles)?,
        preview: wanted.preview,
        languages: languages(&wanted.languages)?,
        other_languages_than: languages(&wanted.other_languages_than)?,
        older_than_days: wanted.older_than_days,
        superseded: wanted.superseded_for_days.map(|days| Superseded { days }),
        products: categories(&rows, &wanted.products, false)?,
        classifications: categories(&rows, &wanted.classifications, true)?,
    })
}

fn languages(texts: &[String]) -> Result<BTreeSet<String>, AdminError> {
    texts.iter().map(|text| super::selection::known_language(Some(text))).collect()
}

/// Categories by GUID or title.
fn categories(rows: &[CategoryRow], texts: &[String], classifications: bool) -> Result<BTreeSet<UpdateId>, AdminError> {
    let (kind, list) = if classifications {
        ("classification", "weir classifications list")
    } else {
        ("product", "weir products list")
    };
    let fits = |row: &&CategoryRow| (row.kind == CategoryKind::UpdateClassification) == classifications;
    let mut found = BTreeSet::new();
    for text in texts {
        let text = text.trim();
        let id: Option<UpdateId> = text.parse().ok();
        let is = |row: &&CategoryRow| Some(row.id) == id || row.title.to_lowercase() == text.to_lowercase();
        let before = found.len();
        // several nodes can have one title: a family and its product, mostly
        found.extend(rows.iter().filter(fits).filter(is).map(|row| row.id));
        if found.len() == before && !rows.iter().filter(fits).any(|row| is(&row)) {
            return Err(AdminError::missing(kind, text, list));
        }
    }
    Ok(found)
}

/// What a rule asks for in words, with the titles of categories.
fn describe(tx: &ReadTx<'_>, rule: &Rule) -> Result<String, StoreError> {
    let ids = rule.condition.products.iter().chain(&rule.condition.classifications);
    let rows = if ids.clone().next().is_some() { tx.category_list("en")? } else { Vec::new() };
    let title =
        |id: &UpdateId| rows.iter().find(|row| row.id == *id).map_or_else(|| id.to_string(), |row| row.title.clone());
    Ok(rule.describe(&title))
}

fn shown(row: CriterionRow) -> Criterion {
    let description = row.rule.describe(&|id: &UpdateId| id.to_string());
    let Condition {
        architectures,
        editions,
        titles,
        preview,
        languages,
        other_languages_than,
        older_than_days,
        superseded,
        products,
        classifications,
    } = row.rule.condition;
    let ids = |ids: BTreeSet<UpdateId>| ids.iter().map(ToString::to_string).collect();
    Criterion {
        id: row.id,
        rule: CriterionRule {
            name: row.rule.name,
            action: match row.rule.action {
                Action::Decline => CriterionAction::Decline,
                Action::Skip => CriterionAction::Skip,
            },
            condition: CriterionCondition {
                architectures: architectures.iter().map(ToString::to_string).collect(),
                editions: editions.iter().map(ToString::to_string).collect(),
                titles: titles.iter().map(ToString::to_string).collect(),
                preview,
                languages: languages.into_iter().collect(),
                other_languages_than: other_languages_than.into_iter().collect(),
                older_than_days,
                superseded_for_days: superseded.map(|superseded| superseded.days),
                products: ids(products),
                classifications: ids(classifications),
            },
            except: row.rule.except.iter().map(ToString::to_string).collect(),
            enabled: row.rule.enabled,
        },
        description,
        from_parent: row.origin == DeploymentOrigin::Parent,
        changed_at: row.changed_at,
        changed_by: row.changed_by,
    }
}
