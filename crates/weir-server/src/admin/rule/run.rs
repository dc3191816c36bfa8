//! Evaluating rules, and what follows from it.
//!
//! An evaluation reads; its effects (group, deployments, accepted terms, the run in the history) are one transaction.
//! One evaluation of this process goes on at a time, and a scheduled start that the transaction finds done with already is
//! left alone: so each takes effect once, whoever evaluates.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;
use weir_api::{
    Reference,
    rule::{RulePlannedDeployment, RulePreview, RulePreviewQuery, RuleRejection, RuleRun, RuleRunUpdate},
};
use weir_model::{
    deployment::Terms as DeploymentTerms,
    expression::UpdateExpression,
    ids::{DeploymentId, UpdateId},
    rule::{Candidate, Judge, PlannedDeployment, Rule, RunPlan, Terms, Trigger, decide, free_name},
    targeting::DeploymentOrigin,
};
use weir_store::{
    ReadTx, StoreError, WriteTx,
    alert::AlertSeverity,
    deployment::Deployed,
    rule::{NewRuleRun, RuleRow, RuleRunResult},
};

use super::{
    facts::{Catalogue, Update},
    find, input,
};
use crate::{
    admin::{
        AdminError, App, Caller, chain,
        collection::Tree,
        deployment::{
            api_action,
            create::{Around, NewDeploymentSpec, What, create_in},
            is_metadata_only,
        },
        index::{Counted, Index},
        list,
        setting::Current,
    },
    sites,
};

/// Kind of the alert about a run that failed; its subject is the rule's name.
pub(crate) const FAILED: &str = "rule.failed";
/// Characters of the name of a deployment.
const LONGEST_DEPLOYMENT: usize = 240;
/// Reasons of a preview.
const MOST_REASONS: usize = 100;

/// What a run made, or why it did not, as it is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) group: Option<(Uuid, String)>,
    pub(super) deployments: Vec<i32>,
    pub(super) accepted_terms: u64,
    pub(super) warnings: Vec<String>,
    pub(super) error: Option<String>,
    pub(super) next_step: Option<String>,
}

/// What an evaluation came to.
struct Evaluated {
    plan: RunPlan,
    criteria_text: String,
    titles: HashMap<UpdateId, String>,
    numbers: HashMap<UpdateId, u32>,
}

fn expression(rule: &Rule) -> Result<UpdateExpression, AdminError> {
    UpdateExpression::parse(&rule.criteria)
        .map_err(|error| AdminError::invalid("criteria", format!("the criteria are not understood: {error}")))
}

/// Evaluates a rule over the catalogue as it is.
async fn evaluate(app: &App, rule: Rule, base: Timestamp) -> Result<Evaluated, AdminError> {
    let criteria = expression(&rule)?;
    let index = Index::current(app).await?;
    let counted = if criteria.depends().status { Some(Counted::current(app).await?) } else { None };
    app.try_read(move |tx| {
        let catalogue = Catalogue::read(tx, index, counted)?;
        let zone = Current::read(tx)?.zone();
        let shown = criteria.with_names(catalogue.categories());
        // ages count from the scheduled start, as the times of deployments do
        let judge = Judge::new(&criteria, &shown, base);
        let mut titles = HashMap::new();
        let mut candidates = Vec::new();
        for update in catalogue.updates() {
            candidates.push(candidate(tx, &judge, &update, &mut titles)?);
        }
        let plan = decide(&rule, candidates, base, &zone);
        // they never change, so that reading them need not hold up writers
        let numbers = tx.update_numbers(0)?.into_iter().map(|(number, update)| (update, number)).collect();
        Ok(Evaluated { plan, criteria_text: shown.to_string(), titles, numbers })
    })
    .await
}

fn candidate(
    tx: &ReadTx<'_>,
    judge: &Judge,
    update: &Update<'_>,
    titles: &mut HashMap<UpdateId, String>,
) -> Result<Candidate, StoreError> {
    let verdict = judge.verdict(&update.facts);
    let mut barred = update.barred();
    let mut terms = Terms::Settled;
    if verdict.is_ok()
        && barred.is_none()
        && let Some(revision) = tx.revision_show(update.revision_id())?
        && is_metadata_only(tx, &revision)?
    {
        barred = Some("only its metadata is here: it names no file to install");
    }
    // reading what a bundle is made of takes time: only of what may be deployed
    if verdict.is_ok() && barred.is_none() {
        titles.insert(update.id(), update.title().to_owned());
        if !tx.rule_open_terms(update.id())?.is_empty() {
            terms = Terms::Open;
        }
    }
    Ok(Candidate { update: update.id(), verdict, barred, terms })
}

/// What a run would come to now.
pub(crate) async fn preview(app: &App, query: RulePreviewQuery) -> Result<RulePreview, AdminError> {
    let limit = list::limit(query.limit)?;
    let rule = match (query.name, query.rule) {
        (Some(name), None) => app.try_read(move |tx| Ok(find(tx, &name)?.rule)).await?,
        (None, Some(new)) => app.try_read(move |tx| input::rule(tx, &new)).await?,
        _ => return Err(AdminError::invalid("name", "give either the name of a rule or a rule")),
    };
    let Evaluated { plan, criteria_text, titles, .. } = evaluate(app, rule, Timestamp::now()).await?;
    app.try_read(move |tx| {
        let (mut files, mut bytes, mut bytes_here) = (std::collections::HashSet::new(), 0, 0);
        if plan.problem.is_none() {
            for noted in &plan.matched {
                for (digest, size, here) in tx.criterion_files(noted.update)? {
                    if files.insert(digest) {
                        bytes += size;
                        bytes_here += if here { size } else { 0 };
                    }
                }
            }
        }
        let reason = |number: u32| plan.reasons.get(number as usize).cloned().unwrap_or_default();
        let mut rejected: BTreeMap<u32, u64> = BTreeMap::new();
        for noted in &plan.rejected {
            *rejected.entry(noted.reason).or_default() += 1;
        }
        let mut rejected: Vec<RuleRejection> =
            rejected.into_iter().map(|(number, updates)| RuleRejection { reason: reason(number), updates }).collect();
        rejected.sort_by(|one, other| other.updates.cmp(&one.updates).then_with(|| one.reason.cmp(&other.reason)));
        rejected.truncate(MOST_REASONS);
        let tree = Tree::read(tx)?;
        let updates = plan.matched.iter().take(limit as usize).map(|noted| RuleRunUpdate {
            id: noted.update.0,
            title: list::short(titles.get(&noted.update).map_or("", String::as_str)),
            matched: true,
            reason: reason(noted.reason),
        });
        Ok(RulePreview {
            criteria_text,
            looked_at: (plan.matched.len() + plan.rejected.len()) as u64,
            matched: plan.matched.len() as u64,
            updates: updates.collect(),
            rejected,
            files: files.len() as u64,
            bytes,
            bytes_here,
            accepts_terms: plan.accept_terms.len() as u64,
            group: plan.group.map(|group| group.name),
            deployments: plan
                .deployments
                .iter()
                .map(|planned| RulePlannedDeployment {
                    collection: tree.reference(planned.collection),
                    action: api_action(planned.action),
                    available: planned.available_at,
                    deadline: planned.deadline_at,
                    enabled: planned.enabled,
                })
                .collect(),
            problem: plan.problem.map(|problem| problem.to_string()),
        })
    })
    .await
}

/// Runs a rule now, because somebody asks for it. Whether it is switched on does not matter.
pub(crate) async fn now(app: &App, caller: &Caller, name: String) -> Result<RuleRun, AdminError> {
    let row = app
        .try_read(move |tx| {
            sites::refuse_below(tx, super::WHAT)?;
            find(tx, &name)
        })
        .await?;
    let done = execute(app, caller, row.clone(), Trigger::Manual, Timestamp::now()).await?;
    let no = done.ok_or_else(|| AdminError::missing("rule", format!("{:?}", row.rule.name), "weir rules list"))?;
    super::run_show(app, no).await
}

/// Runs a rule and keeps the run; its number, or none if the rule is gone or this start was done by another. A run that
/// fails is kept, too, and opens an alert.
pub(crate) async fn execute(
    app: &App,
    caller: &Caller,
    row: RuleRow,
    trigger: Trigger,
    base: Timestamp,
) -> Result<Option<i64>, AdminError> {
    let _one_at_a_time = app.shared().rules.running.lock().await;
    let started = Timestamp::now();
    let evaluated = evaluate(app, row.rule.clone(), base).await;
    let around = Around::of(app);
    let outcome = match evaluated {
        Ok(Evaluated { plan, numbers, .. }) => {
            let row = row.clone();
            app.write(caller, move |tx| {
                if !still_due(tx, &row, trigger, base)? {
                    return Ok(None);
                }
                let (result, summary) = match &plan.problem {
                    Some(problem) => (RuleRunResult::Failed, failure(&row.rule, &problem.to_string())),
                    None if plan.group.is_none() => (RuleRunResult::Nothing, Summary::default()),
                    None => (RuleRunResult::Done, apply(tx, &around, &row, &plan)?),
                };
                keep(tx, &row, (trigger, base, started), result, summary, Some((plan, numbers))).map(Some)
            })
            .await
        }
        Err(error) => Err(error),
    };
    let no = match outcome {
        Ok(None) => return Ok(None),
        Ok(Some((no, changed))) => {
            if changed {
                app.publish().await?;
                app.shared().wanted.notify_one();
                app.shared().phases.nudge();
            }
            no
        }
        Err(error) => {
            tracing::warn!(rule = row.rule.name, error = chain(&error), "a run of a rule failed");
            let summary = failure(&row.rule, &chain(&error));
            let kept = app.write(caller, move |tx| {
                if !still_due(tx, &row, trigger, base)? {
                    return Ok(None);
                }
                keep(tx, &row, (trigger, base, started), RuleRunResult::Failed, summary, None).map(Some)
            });
            match kept.await? {
                Some((no, _)) => no,
                None => return Ok(None),
            }
        }
    };
    Ok(Some(no))
}

/// Notes that a start was due and is not run.
pub(crate) async fn skip(
    app: &App,
    caller: &Caller,
    row: RuleRow,
    trigger: Trigger,
    base: Timestamp,
    reason: String,
) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        if still_due(tx, &row, trigger, base)? {
            let next_step = Some(format!("weir rules run {:?} runs it now", row.rule.name));
            let summary = Summary { error: Some(reason), next_step, ..Summary::default() };
            keep(tx, &row, (trigger, base, tx.actor().at), RuleRunResult::Skipped, summary, None)?;
        }
        Ok(())
    })
    .await
}

/// The rule is there still and was not switched off since, and nobody else did this start.
fn still_due(tx: &ReadTx<'_>, row: &RuleRow, trigger: Trigger, base: Timestamp) -> Result<bool, StoreError> {
    let Some(stored) = tx.rule_show(row.id)? else { return Ok(false) };
    if trigger == Trigger::Manual {
        return Ok(true);
    }
    Ok(stored.rule.enabled && tx.rule_state(row.id)?.is_some_and(|state| state.since < base))
}

fn failure(rule: &Rule, why: &str) -> Summary {
    Summary {
        error: Some(why.to_owned()),
        next_step: Some(format!(
            "see what it matches: weir rules preview {:?}; narrow it, then weir rules run",
            rule.name
        )),
        ..Summary::default()
    }
}

/// Keeps a run, moves on, and opens or closes the alert. True beside its number if something was changed.
fn keep(
    tx: &WriteTx<'_>,
    row: &RuleRow,
    (trigger, base_at, started_at): (Trigger, Timestamp, Timestamp),
    result: RuleRunResult,
    summary: Summary,
    plan: Option<(RunPlan, HashMap<UpdateId, u32>)>,
) -> Result<(i64, bool), AdminError> {
    if trigger != Trigger::Manual {
        tx.rule_done_until(row.id, base_at)?;
    }
    let name = &row.rule.name;
    match (result, &summary.error) {
        (RuleRunResult::Failed, Some(error)) if row.rule.alert_on_failure => {
            let next = summary.next_step.as_deref().unwrap_or("weir rules list");
            let message = format!("The rule {name:?} failed and changed nothing: {error}. Next: {next}");
            tx.alert_open(FAILED, name, AlertSeverity::Warning, &message)?;
        }
        (RuleRunResult::Done | RuleRunResult::Nothing, _) => {
            tx.alert_close(FAILED, name)?;
        }
        _ => {}
    }
    let (matched, rejected, reasons, numbers) =
        plan.map(|(plan, numbers)| (plan.matched, plan.rejected, plan.reasons, numbers)).unwrap_or_default();
    let (count, summary) = (matched.len(), json!(summary));
    if result == RuleRunResult::Done || trigger == Trigger::Manual {
        tx.audit("rule.run", name, None, Some(&json!({ "matched": count, "outcome": &summary })))?;
    }
    let new = NewRuleRun {
        rule: row.id,
        trigger,
        base_at,
        started_at,
        ended_at: Timestamp::now().max(started_at),
        result,
        summary,
        matched,
        rejected,
        reasons,
    };
    Ok((tx.rule_run_put(new, &numbers)?, result == RuleRunResult::Done))
}

/// Makes the group and its deployments.
fn apply(tx: &WriteTx<'_>, around: &Around, row: &RuleRow, plan: &RunPlan) -> Result<Summary, AdminError> {
    let mut summary = Summary::default();
    let Some(wanted) = &plan.group else { return Ok(summary) };
    for update in &plan.accept_terms {
        for (of, eula) in tx.rule_open_terms(*update)? {
            if tx.update_accept_eula(of, &eula)? {
                tx.audit("eula.accept", &of.to_string(), None, Some(&json!({ "eula": eula, "rule": row.rule.name })))?;
            }
        }
        summary.accepted_terms += 1;
    }
    let members: Vec<UpdateId> = plan.matched.iter().map(|noted| noted.update).collect();
    let (group, name) = if wanted.kept {
        kept_group(tx, row, &wanted.name)?
    } else {
        (Uuid::new_v4(), free_name(&wanted.name, |name| Ok::<_, StoreError>(tx.update_group_find(name)?.is_some()))?)
    };
    let changed = tx.update_group_put(group, &name, &members)?;
    if wanted.kept {
        tx.rule_keep_group(row.id, group)?;
    }
    let tree = Tree::read(tx)?;
    for planned in &plan.deployments {
        let Some(collection) = tree.rows.iter().find(|one| one.id == planned.collection) else {
            return Err(AdminError::Conflict {
                code: "collection",
                detail: format!("the collection {} of one of its deployments is gone", planned.collection.0),
                next_step: Some(format!("weir rules change {:?} --deploy ...", row.rule.name)),
            });
        };
        match tx.deployment_of(Deployed::Group(group), planned.collection)? {
            Some(id) => again(tx, row, (id, changed), planned, &mut summary)?,
            None => {
                let plain: String = format!("{name} - {}", collection.name).chars().take(LONGEST_DEPLOYMENT).collect();
                let own = free_name(&plain, |name| Ok::<_, StoreError>(tx.deployment_named(name)?.is_some()))?;
                let made = create_in(tx, around, &spec(row, group, own, planned))?;
                summary.deployments.push(made.id);
                summary.warnings.extend(made.warnings);
            }
        }
    }
    if !row.rule.enable_deployments {
        prepare(tx, row, &members)?;
    }
    summary.group = Some((group, name));
    Ok(summary)
}

/// Asks for the files of updates whose deployments are made switched off: whoever switches them on is not to wait.
fn prepare(tx: &WriteTx<'_>, row: &RuleRow, members: &[UpdateId]) -> Result<(), StoreError> {
    let mut missing = std::collections::BTreeSet::new();
    for update in members {
        let files = tx.criterion_files(*update)?;
        missing.extend(files.into_iter().filter(|(_, _, here)| !here).map(|(digest, _, _)| digest));
    }
    let missing: Vec<_> = missing.into_iter().collect();
    tx.content_request_add(&missing, &format!("rule {}", row.rule.name))?;
    Ok(())
}

/// The group that a rule keeps, whatever it is called by now; else the one of that name; else a new one.
fn kept_group(tx: &ReadTx<'_>, row: &RuleRow, name: &str) -> Result<(Uuid, String), StoreError> {
    if let Some(id) = tx.rule_state(row.id)?.and_then(|state| state.group)
        && let Some((known, _)) = tx.update_group_show(id)?
    {
        return Ok((id, known));
    }
    match tx.update_group_find(name)? {
        Some(id) => Ok((id, tx.update_group_show(id)?.map_or_else(|| name.to_owned(), |(known, _)| known))),
        None => Ok((Uuid::new_v4(), name.to_owned())),
    }
}

/// A deployment of a kept group that is there already. Its times move only when the members did: a rule that runs each
/// day must not move the deadline of the same updates each day, or it would never come.
fn again(
    tx: &WriteTx<'_>,
    row: &RuleRow,
    (id, changed): (DeploymentId, bool),
    planned: &PlannedDeployment,
    summary: &mut Summary,
) -> Result<(), AdminError> {
    let Some(known) = tx.deployment_show(id)? else { return Ok(()) };
    if known.terms.source_id != Some(row.id) {
        summary.warnings.push(format!("deployment {id} of the group was not made by this rule and is left as it is"));
        return Ok(());
    }
    if changed {
        tx.deployment_change(id, planned.action, planned.available_at, planned.deadline_at)?;
    }
    summary.deployments.push(id.0);
    Ok(())
}

fn spec(row: &RuleRow, group: Uuid, name: String, planned: &PlannedDeployment) -> NewDeploymentSpec {
    NewDeploymentSpec {
        what: What::Group(group),
        collection: planned.collection,
        action: planned.action,
        available_at: planned.available_at,
        deadline_at: planned.deadline_at,
        terms: DeploymentTerms {
            name: Some(name),
            description: format!("Made by the rule {}", row.rule.name),
            source_id: Some(row.id),
            ..planned.terms.clone()
        },
        origin: DeploymentOrigin::Rule,
        enabled: planned.enabled,
        // terms that are not accepted have left their update out
        accept_eula: false,
        // nobody is there to make room: it waits, and says so
        force: true,
    }
}

/// A reference to a group, by its id.
pub(crate) fn group_reference(tx: &ReadTx<'_>, id: Uuid) -> Result<Reference, StoreError> {
    Ok(Reference { id, name: tx.update_group_show(id)?.map(|(name, _)| name).unwrap_or_default() })
}
