//! Phased deployments: what administrators write, ask for and see. What computers say is counted in [`observe`], steps are
//! done in [`act`].

pub(crate) mod act;
pub(crate) mod observe;
mod show;

use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    deployment::Action,
    list::ListQuery,
    phased::{PhaseSpec, Phased, PhasedChange, PhasedCreate, PhasedEvent, PhasedNote},
};
use weir_model::{
    ids::UpdateId,
    phase::{self, Amount, Command, Deadline, Phase, Plan, PlanError, Refusal, Start, State},
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    ReadTx, WriteTx,
    deployment::Deployed,
    phased::{PhasedRow, PhasedStateRow},
};

use super::{
    AdminError, App, Caller,
    collection::Tree,
    deployment::{create::Around, settings_changed, template_find},
    group::{self, NewGroup},
    list,
};
use crate::sites;

/// Phased deployments that a site may have.
const MOST: usize = 1_000;
/// Characters of a note.
const LONGEST_NOTE: usize = 256;
/// What refusals call them.
const WHAT: &str = "Phased deployments";

/// Phased deployments, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<Phased>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let page = list::page(tx.phased_list()?, |row| row.id.to_string(), query.cursor.as_deref(), limit)?;
        let tree = Tree::read(tx)?;
        let items = page.items.into_iter().map(|row| show::phased(tx, &tree, row)).collect::<Result<_, _>>()?;
        Ok(List { items, next: page.next })
    })
    .await
}

/// One phased deployment.
pub(crate) async fn show(app: &App, name: String) -> Result<Phased, AdminError> {
    app.try_read(move |tx| Ok(show::phased(tx, &Tree::read(tx)?, find(tx, &name)?)?)).await
}

/// What happened, newest first.
pub(crate) async fn events(app: &App, name: String, query: ListQuery) -> Result<List<PhasedEvent>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let row = find(tx, &name)?;
        let page = tx.phased_events(row.id, query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|event| PhasedEvent {
            at: event.at,
            by: event.actor,
            step: event.step,
            phase: event.phase.map(|phase| phase + 1),
            reason: event.reason,
        });
        Ok(List { items: items.collect(), next: page.next })
    })
    .await
}

/// The one of that name or id.
pub(crate) fn find(tx: &ReadTx<'_>, name: &str) -> Result<PhasedRow, AdminError> {
    let found = match (tx.phased_find(name)?, name.trim().parse::<Uuid>()) {
        (None, Ok(id)) => tx.phased_show(id)?,
        (found, _) => found,
    };
    found.ok_or_else(|| AdminError::missing("phased deployment", format!("{name:?}"), "weir phased list"))
}

fn invalid(error: &PlanError) -> AdminError {
    let code = match error {
        PlanError::Active(_) => {
            return AdminError::Conflict {
                code: "active",
                detail: error.to_string(),
                next_step: Some("change what has not started, or stop it and make another".to_owned()),
            };
        }
        PlanError::Description => "description",
        PlanError::Name => "name",
        PlanError::Phase(..) => "phase",
        PlanError::Phases => "phases",
    };
    AdminError::Invalid { code, detail: error.to_string(), next_step: Some("weir phased create --help".to_owned()) }
}

fn refused(name: &str, refusal: &Refusal) -> AdminError {
    let (code, next) = match refusal {
        Refusal::Over(_) => ("over", format!("weir phased show {name:?}")),
        Refusal::Held(_) => ("held", format!("weir phased resume {name:?}")),
        Refusal::NotHeld => ("not_held", format!("weir phased show {name:?}")),
        Refusal::Already(_) => ("held", format!("weir phased show {name:?}")),
        Refusal::Errors(_) => {
            ("errors", format!("see what failed: weir phased show {name:?}; weir phased resume accepts it"))
        }
        Refusal::Last => ("last", format!("weir phased show {name:?}")),
        Refusal::Approval(_) => ("approval", format!("weir phased show {name:?}")),
    };
    AdminError::Conflict { code, detail: refusal.to_string(), next_step: Some(next) }
}

fn free(tx: &ReadTx<'_>, name: &str) -> Result<(), AdminError> {
    if tx.phased_find(name)?.is_none() {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "exists",
        detail: format!("a phased deployment named {name:?} exists already"),
        next_step: Some("give another name".to_owned()),
    })
}

/// Makes a phased deployment; its first phase starts at once.
pub(crate) async fn create(app: &App, caller: &Caller, new: PhasedCreate) -> Result<Phased, AdminError> {
    let around = Around::of(app);
    let id = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let tree = Tree::read(tx)?;
            let plan = Plan {
                name: new.name.trim().to_owned(),
                description: new.description.trim().to_owned(),
                phases: phases(tx, &tree, &new.phases)?,
            };
            plan.check().map_err(|error| invalid(&error))?;
            free(tx, &plan.name)?;
            if tx.phased_list()?.len() >= MOST {
                return Err(AdminError::Conflict {
                    code: "too_many",
                    detail: format!("there are {MOST} phased deployments already"),
                    next_step: Some("delete some that are over: weir phased delete NAME".to_owned()),
                });
            }
            let group = target(tx, &new, &plan.name)?;
            undeployed(tx, &tree, group, &plan)?;
            let id = Uuid::new_v4();
            tx.phased_put(id, &plan, group, DeploymentOrigin::Local)?;
            let state = State::new(plan.phases.len());
            let row = PhasedStateRow { state, observed: Vec::new(), observed_at: None };
            tx.phased_state_put(id, &row)?;
            tx.audit("phased.create", &plan.name, None, Some(&json!({ "plan": plan, "group": group })))?;
            let row = find(tx, &id.to_string())?;
            act::advance(tx, &around, &row, None, new.accept_eula)?;
            Ok(id)
        })
        .await?;
    published(app).await?;
    show(app, id.to_string()).await
}

/// Brings what was done to scans.
async fn published(app: &App) -> Result<(), AdminError> {
    app.publish().await?;
    app.shared().wanted.notify_one();
    Ok(())
}

/// The group that is deployed: the one that is named, or a new one of the updates.
fn target(tx: &WriteTx<'_>, new: &PhasedCreate, name: &str) -> Result<Uuid, AdminError> {
    match (&new.group, new.updates.as_slice()) {
        (Some(group), []) => Ok(group::find(tx, group)?.id),
        (None, updates @ [_, ..]) => {
            let updates = updates.iter().copied().map(UpdateId).collect();
            let description = format!("Of the phased deployment {name}");
            group::create_in(tx, &NewGroup { name: name.to_owned(), description, updates })
        }
        _ => Err(AdminError::invalid("group", "give either a group or updates")),
    }
}

/// A group is deployed once to a collection: a phase could not start where it is deployed already.
fn undeployed(tx: &ReadTx<'_>, tree: &Tree, group: Uuid, plan: &Plan) -> Result<(), AdminError> {
    for phase in &plan.phases {
        if let Some(id) = tx.deployment_of(Deployed::Group(group), phase.collection)? {
            return Err(AdminError::Conflict {
                code: "deployed",
                detail: format!("deployment {id} deploys the group to {} already", tree.name(phase.collection)),
                next_step: Some(format!("delete it first: weir deployments delete {id}")),
            });
        }
    }
    Ok(())
}

/// Changes name, description, and phases that have not started.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    change: PhasedChange,
) -> Result<Phased, AdminError> {
    let id = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let row = find(tx, &name)?;
            let state = state(tx, &row)?;
            let tree = Tree::read(tx)?;
            let mut plan = row.plan.clone();
            if let Some(name) = &change.name {
                name.trim().clone_into(&mut plan.name);
            }
            if let Some(description) = &change.description {
                description.trim().clone_into(&mut plan.description);
            }
            if let Some(wanted) = &change.phases {
                if state.state.is_over() {
                    return Err(refused(&row.plan.name, &Refusal::Over("its phases cannot change any more")));
                }
                plan.phases = phases(tx, &tree, wanted)?;
            }
            plan.check_change(&row.plan, &state.state).map_err(|error| invalid(&error))?;
            if weir_model::name::key(&plan.name) != weir_model::name::key(&row.plan.name) {
                free(tx, &plan.name)?;
            }
            let waiting = plan.phases.iter().skip(state.state.current().map_or(0, |at| at + 1)).cloned().collect();
            undeployed(tx, &tree, row.group, &Plan { phases: waiting, ..plan.clone() })?;
            if plan != row.plan {
                tx.phased_put(row.id, &plan, row.group, row.origin)?;
                if plan.name != row.plan.name {
                    // an alert is found by the name: nothing would close the one of the old name
                    tx.alert_close(act::FAILED, &row.plan.name)?;
                }
                let resized = state.state.clone().resized(plan.phases.len());
                tx.phased_state_put(row.id, &PhasedStateRow { state: resized, ..state })?;
                tx.audit("phased.change", &plan.name, Some(&json!(row.plan)), Some(&json!(plan)))?;
            }
            Ok(row.id)
        })
        .await?;
    show(app, id.to_string()).await
}

/// How far one is that this site runs.
fn state(tx: &ReadTx<'_>, row: &PhasedRow) -> Result<PhasedStateRow, AdminError> {
    tx.phased_state(row.id)?.ok_or_else(|| AdminError::Conflict {
        code: "above",
        detail: format!("{:?} is run by another server", row.plan.name),
        next_step: Some(format!(
            "change it there; if there is no server above any more: weir phased delete {:?}",
            row.plan.name
        )),
    })
}

/// Pauses, resumes, advances, approves or stops.
pub(crate) async fn command(
    app: &App,
    caller: &Caller,
    name: String,
    asked: Command,
    note: PhasedNote,
) -> Result<Phased, AdminError> {
    let note = note.note.trim().to_owned();
    if note.chars().count() > LONGEST_NOTE || note.chars().any(char::is_control) {
        return Err(AdminError::invalid("note", format!("note must have at most {LONGEST_NOTE} characters")));
    }
    let around = Around::of(app);
    let id = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let row = find(tx, &name)?;
            let before = state(tx, &row)?;
            let actor = tx.actor();
            let by = (actor.name.as_str(), note.as_str());
            let done = phase::command(&row.plan, &before.state, asked, &before.observed, by, actor.at);
            let (next, events) = done.map_err(|refusal| refused(&row.plan.name, &refusal))?;
            act::perform(tx, &around, &row, &PhasedStateRow { state: next, ..before }, &events, false)?;
            let what = format!("phased.{}", events.first().map_or("", |event| act::word(&event.step)));
            tx.audit(&what, &row.plan.name, None, Some(&json!({ "note": note })))?;
            Ok(row.id)
        })
        .await?;
    published(app).await?;
    app.shared().phases.nudge();
    show(app, id.to_string()).await
}

/// Looks at computers now, and moves on if that allows it.
pub(crate) async fn refresh(app: &App, caller: &Caller, name: String) -> Result<Phased, AdminError> {
    let row = app
        .try_read(move |tx| {
            sites::refuse_below(tx, WHAT)?;
            let row = find(tx, &name)?;
            state(tx, &row)?;
            Ok(row)
        })
        .await?;
    let id = row.id;
    act::turn(app, caller, vec![row]).await?;
    show(app, id.to_string()).await
}

/// Deletes one that is over or that another server ran, with its history. Its group and deployments stay.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, WHAT)?;
        let row = find(tx, &name)?;
        // one of a server that was above once has no state, and nothing of it runs here
        if tx.phased_state(row.id)?.is_some_and(|stored| !stored.state.is_over()) {
            return Err(AdminError::Conflict {
                code: "running",
                detail: format!("{:?} is not over", row.plan.name),
                next_step: Some(format!("stop it first: weir phased stop {:?}", row.plan.name)),
            });
        }
        tx.phased_delete(row.id)?;
        tx.alert_close(act::FAILED, &row.plan.name)?;
        tx.audit("phased.delete", &row.plan.name, Some(&json!(row.plan)), None)?;
        Ok(())
    })
    .await
}

fn phases(tx: &ReadTx<'_>, tree: &Tree, wanted: &[PhaseSpec]) -> Result<Vec<Phase>, AdminError> {
    wanted.iter().enumerate().map(|(at, spec)| phase_of(tx, tree, spec, at + 1)).collect()
}

fn phase_of(tx: &ReadTx<'_>, tree: &Tree, spec: &PhaseSpec, number: usize) -> Result<Phase, AdminError> {
    let both =
        |field: &str| invalid(&PlanError::Phase(number, format!("{field}: give a percentage or a count, not both")));
    let amount = |field: &str, percent: Option<u8>, count: Option<u32>| match (percent, count) {
        (Some(_), Some(_)) => Err(both(field)),
        (Some(percent), None) => Ok(Some(Amount::Percent(percent))),
        (None, Some(count)) => Ok(Some(Amount::Count(count))),
        (None, None) => Ok(None),
    };
    let collection = tree.find(&spec.collection)?;
    let action = match spec.action {
        None | Some(Action::Install) => DeploymentAction::Install,
        Some(Action::Optional) => DeploymentAction::Optional,
        Some(_) => return Err(invalid(&PlanError::Phase(number, "action must be install or optional".to_owned()))),
    };
    if spec.manual && spec.after_days.is_some() {
        return Err(invalid(&PlanError::Phase(number, "start: give manual or after_days, not both".to_owned())));
    }
    let template = match &spec.template {
        Some(name) => template_find(tx, name)?.template,
        None => weir_model::deployment::Template::default(),
    };
    let days = match (action, spec.deadline_days) {
        (DeploymentAction::Optional, None) => 0,
        (_, days) => days.unwrap_or(7),
    };
    Ok(Phase {
        name: spec.name.as_deref().unwrap_or(&collection.name).trim().to_owned(),
        collection: collection.id,
        action,
        start: if spec.manual { Start::Manual } else { Start::Automatic { after_days: spec.after_days.unwrap_or(1) } },
        success: amount("success", spec.success_percent, spec.success_count)?.unwrap_or(Amount::Percent(95)),
        count_unknown: !spec.ignore_unknown,
        error_limit: amount("max_failed", spec.max_failed_percent, spec.max_failed_count)?,
        soak_hours: spec.soak_hours,
        approval: spec.approval,
        spread_days: spec.spread_days,
        deadline: if days == 0 { Deadline::AsSoonAsPossible } else { Deadline::Days(days) },
        terms: settings_changed(&template.terms(), &spec.settings)?,
    })
}
