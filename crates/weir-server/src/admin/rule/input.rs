//! From what administrators write to rules.

use jiff::Timestamp;
use weir_api::rule::{RuleChange, RuleCreate, RuleDeployment, RuleLicences};
use weir_model::{
    expression::UpdateExpression,
    rule::{GroupChoice, Interval, Licences, Rule, RuleError, Schedule, Target, template},
    targeting::DeploymentAction,
};
use weir_store::ReadTx;

use super::facts::Categories;
use crate::admin::{
    AdminError,
    collection::Tree,
    deployment::{model_action, settings_changed, template_find},
    setting::Current,
};

pub(super) fn invalid(error: &RuleError) -> AdminError {
    let code = match error {
        RuleError::Action(_) => "action",
        RuleError::Criteria => "criteria",
        RuleError::Deadline(..) => "deadline",
        RuleError::Description => "description",
        RuleError::Duplicate(_) | RuleError::TooMany => "deployments",
        RuleError::Group(_) => "group",
        RuleError::Name => "name",
        RuleError::Terms(_, error) => error.field,
    };
    AdminError::Invalid { code, detail: error.to_string(), next_step: Some("weir rules create --help".to_owned()) }
}

/// A new rule, with what its template says where nothing else is said.
pub(super) fn rule(tx: &ReadTx<'_>, new: &RuleCreate) -> Result<Rule, AdminError> {
    let name = new.name.trim().to_owned();
    let mut rule = match &new.template {
        None => Rule {
            name: name.clone(),
            description: String::new(),
            enabled: true,
            criteria: String::new(),
            schedule: Schedule::Manual,
            group: GroupChoice::default(),
            deployments: Vec::new(),
            enable_deployments: true,
            licences: Licences::WithoutTerms,
            alert_on_failure: true,
        },
        Some(wanted) => from_template(tx, wanted, &name)?,
    };
    let change = RuleChange {
        name: Some(name),
        description: new.description.clone(),
        enabled: new.enabled,
        criteria: new.criteria.clone(),
        schedule: new.schedule.clone(),
        new_group: new.new_group.clone(),
        keep_group: new.keep_group.clone(),
        deployments: None,
        enable_deployments: new.enable_deployments,
        licences: new.licences,
        alert_on_failure: new.alert_on_failure,
    };
    if rule.criteria.is_empty() && new.criteria.is_none() {
        return Err(AdminError::Invalid {
            code: "criteria",
            detail: "criteria say which updates are meant, and are absent".to_owned(),
            next_step: Some("--criteria 'released < 1 month and not superseded', or --template NAME".to_owned()),
        });
    }
    // of a template only the deadline of its deployments is known
    let deadline = rule.deployments.first().and_then(|target| target.deadline);
    let tree = Tree::read(tx)?;
    let targets = new.deployments.iter().enumerate().map(|(at, wanted)| {
        let mut target = target(tx, &tree, wanted, at + 1)?;
        if wanted.deadline.is_none() && target.action == DeploymentAction::Install {
            target.deadline = deadline.map(|deadline| deadline.max(target.available));
        }
        Ok(target)
    });
    rule.deployments = targets.collect::<Result<_, AdminError>>()?;
    let rule = changed(tx, &rule, &change)?;
    rule.check().map_err(|error| invalid(&error))?;
    Ok(rule)
}

fn from_template(tx: &ReadTx<'_>, wanted: &str, name: &str) -> Result<Rule, AdminError> {
    if let Some(found) = template(wanted) {
        let target = Target {
            collection: weir_model::ids::CollectionId::ALL_COMPUTERS,
            action: DeploymentAction::Install,
            available: Interval::ZERO,
            deadline: Some(found.deadline),
            terms: weir_model::deployment::Terms::default(),
        };
        return Ok(Rule {
            name: name.to_owned(),
            description: found.description.to_owned(),
            enabled: true,
            criteria: found.criteria.to_owned(),
            schedule: found.schedule,
            group: found.group.named(name),
            deployments: vec![target],
            enable_deployments: true,
            licences: found.licences,
            alert_on_failure: true,
        });
    }
    let saved = tx.rule_template_find(wanted)?;
    let saved = saved.ok_or_else(|| AdminError::missing("template", format!("{wanted:?}"), "weir rules templates"))?;
    Ok(Rule { name: name.to_owned(), group: saved.rule.group.clone().named(name), ..saved.rule })
}

/// A rule with what a change says. The caller checks the whole.
pub(super) fn changed(tx: &ReadTx<'_>, before: &Rule, change: &RuleChange) -> Result<Rule, AdminError> {
    let mut rule = before.clone();
    if let Some(name) = &change.name {
        name.trim().clone_into(&mut rule.name);
    }
    if let Some(description) = &change.description {
        description.trim().clone_into(&mut rule.description);
    }
    rule.enabled = change.enabled.unwrap_or(rule.enabled);
    if let Some(criteria) = &change.criteria {
        rule.criteria = resolved(tx, criteria)?;
    }
    if let Some(text) = &change.schedule {
        rule.schedule = schedule(tx, text)?;
    }
    match (&change.new_group, &change.keep_group) {
        (None, None) => {}
        (Some(pattern), None) => rule.group = GroupChoice::New { pattern: pattern.trim().to_owned() },
        (None, Some(name)) => rule.group = GroupChoice::Kept { name: name.trim().to_owned() },
        (Some(_), Some(_)) => {
            return Err(AdminError::invalid("group", "give either new_group or keep_group, not both"));
        }
    }
    if let Some(deployments) = &change.deployments {
        let tree = Tree::read(tx)?;
        let targets = deployments.iter().enumerate().map(|(at, wanted)| target(tx, &tree, wanted, at + 1));
        rule.deployments = targets.collect::<Result<_, _>>()?;
    }
    rule.enable_deployments = change.enable_deployments.unwrap_or(rule.enable_deployments);
    rule.alert_on_failure = change.alert_on_failure.unwrap_or(rule.alert_on_failure);
    if let Some(licences) = change.licences {
        rule.licences = match licences {
            RuleLicences::WithoutTerms => Licences::WithoutTerms,
            RuleLicences::AcceptAll => Licences::AcceptAll,
        };
    }
    Ok(rule)
}

/// Criteria with ids in the place of names (ADR-10).
fn resolved(tx: &ReadTx<'_>, text: &str) -> Result<String, AdminError> {
    let wrong = |detail: String| AdminError::Invalid {
        code: "criteria",
        detail: format!("criteria: {detail}"),
        next_step: Some("write terms such as: classification = \"Security Updates\" and released < 1 month".to_owned()),
    };
    let parsed = UpdateExpression::parse(text).map_err(|error| wrong(error.to_string()))?;
    let categories = Categories::read(tx)?;
    let resolved = parsed
        .resolve(&categories)
        .map_err(|errors| wrong(errors.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    Ok(resolved.expression.to_string())
}

fn schedule(tx: &ReadTx<'_>, text: &str) -> Result<Schedule, AdminError> {
    let plain = text.trim().to_lowercase().replace(['-', '_'], " ");
    match plain.as_str() {
        "manual" => Ok(Schedule::Manual),
        "after sync" | "after synchronization" => Ok(Schedule::AfterSync),
        _ => {
            let recurrence: weir_model::schedule::Recurrence = text.parse().map_err(|error| AdminError::Invalid {
                code: "schedule",
                detail: format!("schedule is {text:?}: {error}"),
                next_step: Some(
                    "give manual, \"after sync\", or such as \"monthly second tuesday +1 at 02:00\"".to_owned(),
                ),
            })?;
            Ok(Schedule::Recurring(recurrence.anchored(Timestamp::now(), &Current::read(tx)?.zone())))
        }
    }
}

/// A deployment that each run makes, with what its template says where nothing else is said.
pub(super) fn target(
    tx: &ReadTx<'_>,
    tree: &Tree,
    wanted: &RuleDeployment,
    number: usize,
) -> Result<Target, AdminError> {
    let template = match &wanted.template {
        Some(name) => template_find(tx, name)?.template,
        None => weir_model::deployment::Template::default(),
    };
    let interval = |field: &'static str, text: Option<&String>| {
        let read = text.map(|text| text.parse::<Interval>()).transpose();
        read.map_err(|error| AdminError::invalid(field, format!("{field} of deployment {number}: {error}")))
    };
    let action = wanted.action.map(model_action).or(template.action);
    Ok(Target {
        collection: tree.find(&wanted.collection)?.id,
        action: action.ok_or_else(|| invalid(&RuleError::Action(number)))?,
        available: interval("available", wanted.available.as_ref().or(template.available.as_ref()))?
            .unwrap_or_default(),
        deadline: interval("deadline", wanted.deadline.as_ref().or(template.deadline.as_ref()))?,
        terms: settings_changed(&template.terms(), &wanted.settings)?,
    })
}
