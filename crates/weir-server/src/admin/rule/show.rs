//! From rules to what administrators read.

use weir_api::{
    Reference,
    rule::{Rule as Shown, RuleDeployment, RuleLicences, RuleRun, RuleRunState, RuleTemplate},
};
use weir_model::{
    expression::UpdateExpression,
    rule::{GroupChoice, Licences, Rule, Schedule, Target, Template, Trigger},
    targeting::DeploymentOrigin,
};
use weir_store::{
    ReadTx, StoreError,
    rule::{RuleRow, RuleRunResult, RuleRunRow, RuleTemplateRow},
};

use super::{facts::Categories, next_run, run::Summary};
use crate::admin::{
    AdminError,
    collection::Tree,
    deployment::{api_action, settings_shown},
};

/// Names of what rules name by id.
pub(super) struct Context {
    categories: Categories,
    tree: Tree,
}

impl Context {
    pub(super) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        Ok(Self { categories: Categories::read(tx)?, tree: Tree::read(tx)? })
    }

    /// Criteria with names in the place of ids.
    fn named(&self, criteria: &str) -> String {
        match UpdateExpression::parse(criteria) {
            Ok(parsed) => parsed.with_names(&self.categories).to_string(),
            Err(_) => criteria.to_owned(),
        }
    }

    pub(super) fn rule(&self, tx: &ReadTx<'_>, row: RuleRow) -> Result<Shown, AdminError> {
        let from_parent = row.origin == DeploymentOrigin::Parent;
        let next_run = if from_parent { None } else { next_run(tx, &row.rule)? };
        let last_run = tx.rule_run_list(row.id, None, 1)?.items.into_iter().next().map(run);
        let criteria_text = self.named(&row.rule.criteria);
        let (new_group, keep_group) = group(&row.rule.group);
        let Rule { name, description, enabled, criteria, schedule, deployments, enable_deployments, .. } = row.rule;
        Ok(Shown {
            id: row.id,
            name,
            description,
            enabled,
            criteria,
            criteria_text,
            schedule: schedule_text(&schedule),
            next_run,
            new_group,
            keep_group,
            deployments: deployments.iter().map(|target| self.target(target)).collect(),
            enable_deployments,
            licences: licences(row.rule.licences),
            alert_on_failure: row.rule.alert_on_failure,
            from_parent,
            last_run,
            changed_at: row.changed_at,
            changed_by: row.changed_by,
        })
    }

    fn target(&self, target: &Target) -> RuleDeployment {
        RuleDeployment {
            collection: self.tree.name(target.collection),
            action: Some(api_action(target.action)),
            available: Some(target.available.to_string()),
            deadline: target.deadline.map(|deadline| deadline.to_string()),
            template: None,
            settings: settings_shown(&target.terms),
        }
    }

    pub(super) fn built_in(&self, template: &Template) -> RuleTemplate {
        let (new_group, keep_group) = group(&template.group);
        RuleTemplate {
            name: template.name.to_owned(),
            description: template.description.to_owned(),
            built_in: true,
            criteria: template.criteria.to_owned(),
            criteria_text: self.named(template.criteria),
            schedule: schedule_text(&template.schedule),
            new_group,
            keep_group,
            deadline: Some(template.deadline.to_string()),
            licences: licences(template.licences),
        }
    }

    pub(super) fn template(&self, row: RuleTemplateRow) -> RuleTemplate {
        let (new_group, keep_group) = group(&row.rule.group);
        RuleTemplate {
            name: row.name,
            description: row.rule.description,
            built_in: false,
            criteria_text: self.named(&row.rule.criteria),
            criteria: row.rule.criteria,
            schedule: schedule_text(&row.rule.schedule),
            new_group,
            keep_group,
            deadline: None,
            licences: licences(row.rule.licences),
        }
    }
}

fn group(choice: &GroupChoice) -> (Option<String>, Option<String>) {
    match choice {
        GroupChoice::New { pattern } => (Some(pattern.clone()), None),
        GroupChoice::Kept { name } => (None, Some(name.clone())),
    }
}

fn licences(licences: Licences) -> RuleLicences {
    match licences {
        Licences::WithoutTerms => RuleLicences::WithoutTerms,
        Licences::AcceptAll => RuleLicences::AcceptAll,
    }
}

fn schedule_text(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Manual => "manual".to_owned(),
        Schedule::AfterSync => "after sync".to_owned(),
        Schedule::Recurring(recurrence) => recurrence.to_string(),
    }
}

pub(super) fn run(row: RuleRunRow) -> RuleRun {
    let summary: Summary = serde_json::from_value(row.summary).unwrap_or_default();
    RuleRun {
        no: row.no,
        trigger: match row.trigger {
            Trigger::Manual => "manual",
            Trigger::Schedule => "schedule",
            Trigger::Synchronization => "synchronization",
        }
        .to_owned(),
        base: row.base_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        by: row.actor,
        result: match row.result {
            RuleRunResult::Done => RuleRunState::Done,
            RuleRunResult::Nothing => RuleRunState::Nothing,
            RuleRunResult::Failed => RuleRunState::Failed,
            RuleRunResult::Skipped => RuleRunState::Skipped,
        },
        matched: row.matched,
        rejected: row.rejected,
        group: summary.group.map(|(id, name)| Reference { id, name }),
        deployments: summary.deployments,
        accepted_terms: summary.accepted_terms,
        warnings: summary.warnings,
        error: summary.error,
        next_step: summary.next_step,
        detailed: row.detailed,
    }
}
