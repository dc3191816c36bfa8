//! Automatic deployment rules: what administrators write, and what they see of it. Evaluation and its effects are in
//! [`run`], what criteria look at in [`facts`].

pub(crate) mod facts;
mod input;
pub(crate) mod run;
mod show;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    list::ListQuery,
    rule::{
        Rule as Shown, RuleChange, RuleCreate, RuleDeployment, RuleRun, RuleRunUpdate, RuleRunUpdatesQuery,
        RuleTemplate, RuleTemplateCreate,
    },
};
use weir_model::targeting::DeploymentOrigin;
use weir_store::{ReadTx, WriteTx, rule::RuleRow};

use super::{AdminError, App, Caller, collection::Tree, list, setting::Current};
use crate::sites;

/// Rules that a site may have.
const MOST: usize = 1_000;
/// What refusals call them.
const WHAT: &str = "Rules";

/// Rules, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<Shown>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let page = list::page(tx.rule_list()?, |row| row.id.to_string(), query.cursor.as_deref(), limit)?;
        let context = show::Context::read(tx)?;
        let items = page.items.into_iter().map(|row| context.rule(tx, row)).collect::<Result<_, _>>()?;
        Ok(List { items, next: page.next })
    })
    .await
}

/// One rule.
pub(crate) async fn show(app: &App, name: String) -> Result<Shown, AdminError> {
    app.try_read(move |tx| {
        let row = find(tx, &name)?;
        show::Context::read(tx)?.rule(tx, row)
    })
    .await
}

/// The rule of that name or id.
pub(crate) fn find(tx: &ReadTx<'_>, name: &str) -> Result<RuleRow, AdminError> {
    let found = match (tx.rule_find(name)?, name.trim().parse::<Uuid>()) {
        (None, Ok(id)) => tx.rule_show(id)?,
        (found, _) => found,
    };
    found.ok_or_else(|| AdminError::missing("rule", format!("{name:?}"), "weir rules list"))
}

fn free(tx: &ReadTx<'_>, name: &str) -> Result<(), AdminError> {
    if tx.rule_find(name)?.is_none() {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "exists",
        detail: format!("a rule named {name:?} exists already"),
        next_step: Some("change that one: weir rules change NAME".to_owned()),
    })
}

/// Makes a rule, and runs it if asked to. A run that fails is kept with its reason; the rule is there nevertheless.
pub(crate) async fn create(app: &App, caller: &Caller, new: RuleCreate) -> Result<Shown, AdminError> {
    let runs = new.run;
    let row = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let rule = input::rule(tx, &new)?;
            free(tx, &rule.name)?;
            if tx.rule_list()?.len() >= MOST {
                return Err(AdminError::Conflict {
                    code: "too_many",
                    detail: format!("there are {MOST} rules already"),
                    next_step: Some("delete some: weir rules delete NAME".to_owned()),
                });
            }
            let id = Uuid::new_v4();
            tx.rule_put(id, &rule, DeploymentOrigin::Local)?;
            tx.rule_done_until(id, tx.actor().at)?;
            tx.audit("rule.create", &rule.name, None, Some(&json!(rule)))?;
            find(tx, &id.to_string())
        })
        .await?;
    app.shared().rules.nudge();
    if runs {
        run::now(app, caller, row.id.to_string()).await?;
    }
    show(app, row.id.to_string()).await
}

/// Changes a rule. With another schedule, starts that were missed before are not made up for.
pub(crate) async fn change(app: &App, caller: &Caller, name: String, change: RuleChange) -> Result<Shown, AdminError> {
    edit(app, caller, name, move |tx, row| input::changed(tx, &row.rule, &change)).await
}

/// Adds a deployment to those that each run makes (ADR-8).
pub(crate) async fn deployment_add(
    app: &App,
    caller: &Caller,
    name: String,
    new: RuleDeployment,
) -> Result<Shown, AdminError> {
    edit(app, caller, name, move |tx, row| {
        let mut rule = row.rule.clone();
        let number = rule.deployments.len() + 1;
        rule.deployments.push(input::target(tx, &Tree::read(tx)?, &new, number)?);
        Ok(rule)
    })
    .await
}

/// Takes a deployment away from those that each run makes. What earlier runs made stays.
pub(crate) async fn deployment_remove(
    app: &App,
    caller: &Caller,
    name: String,
    collection: String,
) -> Result<Shown, AdminError> {
    edit(app, caller, name, move |tx, row| {
        let mut rule = row.rule.clone();
        let id = Tree::read(tx)?.find(&collection)?.id;
        rule.deployments.retain(|target| target.collection != id);
        if rule.deployments.len() == row.rule.deployments.len() {
            let list = format!("weir rules show {:?}", row.rule.name);
            return Err(AdminError::missing("deployment to the collection", format!("{collection:?}"), &list));
        }
        Ok(rule)
    })
    .await
}

async fn edit(
    app: &App,
    caller: &Caller,
    name: String,
    edit: impl FnOnce(&WriteTx<'_>, &RuleRow) -> Result<weir_model::rule::Rule, AdminError> + Send + 'static,
) -> Result<Shown, AdminError> {
    let id = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let row = find(tx, &name)?;
            let rule = edit(tx, &row)?;
            rule.check().map_err(|error| input::invalid(&error))?;
            if weir_model::name::key(&rule.name) != weir_model::name::key(&row.rule.name) {
                free(tx, &rule.name)?;
            }
            if rule != row.rule {
                tx.rule_put(row.id, &rule, row.origin)?;
                if rule.name != row.rule.name {
                    // an alert is found by the name: nothing would close the one of the old name
                    tx.alert_close(run::FAILED, &row.rule.name)?;
                }
                if (&rule.schedule, rule.enabled) != (&row.rule.schedule, row.rule.enabled) {
                    tx.rule_done_until(row.id, tx.actor().at)?;
                }
                tx.audit("rule.change", &rule.name, Some(&json!(row.rule)), Some(&json!(rule)))?;
            }
            Ok(row.id)
        })
        .await?;
    app.shared().rules.nudge();
    show(app, id.to_string()).await
}

/// Deletes a rule with its history. Groups and deployments that it made stay.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, WHAT)?;
        let row = find(tx, &name)?;
        tx.rule_delete(row.id)?;
        tx.alert_close(run::FAILED, &row.rule.name)?;
        tx.audit("rule.delete", &row.rule.name, Some(&json!(row.rule)), None)?;
        Ok(())
    })
    .await
}

/// Runs of a rule, newest first.
pub(crate) async fn runs(app: &App, name: String, query: ListQuery) -> Result<List<RuleRun>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let row = find(tx, &name)?;
        let page = tx.rule_run_list(row.id, query.cursor.as_deref(), limit)?;
        Ok(List { items: page.items.into_iter().map(show::run).collect(), next: page.next })
    })
    .await
}

fn run_missing(no: i64) -> AdminError {
    AdminError::missing("run", no, "weir rules history NAME")
}

/// One run.
pub(crate) async fn run_show(app: &App, no: i64) -> Result<RuleRun, AdminError> {
    app.try_read(move |tx| Ok(show::run(tx.rule_run_show(no)?.ok_or_else(|| run_missing(no))?))).await
}

/// What a run said of updates: those that matched first.
pub(crate) async fn run_updates(
    app: &App,
    no: i64,
    query: RuleRunUpdatesQuery,
) -> Result<List<RuleRunUpdate>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        tx.rule_run_show(no)?.ok_or_else(|| run_missing(no))?;
        let page = tx.rule_run_updates(no, query.matched, query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|row| RuleRunUpdate {
            id: row.update.0,
            title: list::short(&row.title),
            matched: row.matched,
            reason: row.reason,
        });
        Ok(List { items: items.collect(), next: page.next })
    })
    .await
}

/// Templates: those that came with the program, then saved ones.
pub(crate) async fn templates(app: &App, query: ListQuery) -> Result<List<RuleTemplate>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let context = show::Context::read(tx)?;
        let mut all: Vec<RuleTemplate> =
            weir_model::rule::templates().into_iter().map(|template| context.built_in(&template)).collect();
        all.extend(tx.rule_template_list()?.into_iter().map(|row| context.template(row)));
        list::page(all, |template| template.name.to_lowercase(), query.cursor.as_deref(), limit)
    })
    .await
}

/// Saves a template, made of a rule.
pub(crate) async fn template_create(
    app: &App,
    caller: &Caller,
    new: RuleTemplateCreate,
) -> Result<RuleTemplate, AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, WHAT)?;
        let row = find(tx, &new.rule)?;
        let name = new.name.trim();
        let template = weir_model::rule::Rule { name: name.to_owned(), deployments: Vec::new(), ..row.rule };
        template.check().map_err(|error| input::invalid(&error))?;
        if tx.rule_template_find(name)?.is_some() || weir_model::rule::template(name).is_some() {
            return Err(AdminError::Conflict {
                code: "exists",
                detail: format!("a template named {name:?} exists already"),
                next_step: Some("give another name: weir rules templates".to_owned()),
            });
        }
        tx.rule_template_put(Uuid::new_v4(), name, &template)?;
        tx.audit("rule_template.create", name, None, Some(&json!(template)))?;
        let row = tx.rule_template_find(name)?;
        let row = row.ok_or_else(|| AdminError::Internal("a template that was saved is gone".to_owned()))?;
        Ok(show::Context::read(tx)?.template(row))
    })
    .await
}

/// Deletes a saved template.
pub(crate) async fn template_delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, WHAT)?;
        if weir_model::rule::template(&name).is_some() {
            return Err(AdminError::Conflict {
                code: "built_in",
                detail: format!("{name:?} came with the program"),
                next_step: None,
            });
        }
        if !tx.rule_template_delete(&name)? {
            return Err(AdminError::missing("template", format!("{name:?}"), "weir rules templates"));
        }
        tx.audit("rule_template.delete", &name, None, None)?;
        Ok(())
    })
    .await
}

/// When the schedule of a rule says so next.
fn next_run(tx: &ReadTx<'_>, rule: &weir_model::rule::Rule) -> Result<Option<Timestamp>, AdminError> {
    Ok(weir_model::rule::next_run(rule, Timestamp::now(), &Current::read(tx)?.zone()))
}
