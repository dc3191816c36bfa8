//! Making deployments: from a request, and inside a transaction for whatever else makes them.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;
use weir_api::deployment::{DeploymentCreate, DeploymentCreated, DeploymentPreview};
use weir_model::{
    deployment::{MOST_UPDATES, Terms, check_times, default_name},
    ids::{CollectionId, DeploymentId, UpdateId},
    rights::Scope,
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    ReadTx, StoreError, WriteTx,
    content::ContentStore,
    content_need::NeededFile,
    deployment::{Deployed, NewDeployment},
    update_group::UpdateGroupMember,
};

use super::{
    installs, model_action,
    parts::{self, Parts, deployable},
    refuse_metadata_only, refuse_metadata_only_members, settings,
};
use crate::{
    admin::{AdminError, App, Caller, collection::Tree, content, group, update::Named, when},
    live::Live,
    sites,
};

/// Rows read at once.
const PAGE: u32 = 1_000;
/// A wall-clock time of now is over, or here, in every zone when it is read as so much earlier.
const WESTERNMOST: SignedDuration = SignedDuration::from_hours(12);

/// What is deployed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum What {
    /// An update, or one revision of it.
    Update(Named),
    /// An update group.
    Group(Uuid),
}

/// A deployment to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewDeploymentSpec {
    /// What.
    pub(crate) what: What,
    /// To whom.
    pub(crate) collection: CollectionId,
    /// What for.
    pub(crate) action: DeploymentAction,
    /// Offered from then on.
    pub(crate) available_at: Timestamp,
    /// Not later than this.
    pub(crate) deadline_at: Option<Timestamp>,
    /// Its name, its settings. Without a name it gets one.
    pub(crate) terms: Terms,
    /// Who makes it.
    pub(crate) origin: DeploymentOrigin,
    /// Switched on.
    pub(crate) enabled: bool,
    /// Accepts licences.
    pub(crate) accept_eula: bool,
    /// Deploys even if there is no room for the content.
    pub(crate) force: bool,
}

/// What making a deployment looks at besides the database.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) live: Live,
    pub(crate) files: ContentStore,
}

impl Around {
    pub(crate) fn of(app: &App) -> Self {
        Self { live: app.state.live.clone(), files: app.state.content.clone() }
    }
}

/// Makes a deployment. It goes out as soon as its time has come and its content is here.
pub(crate) async fn create(app: &App, caller: &Caller, new: DeploymentCreate) -> Result<DeploymentCreated, AdminError> {
    let around = Around::of(app);
    let scope = caller.scope().clone();
    let made = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Deployments")?;
            let spec = resolve(tx, &scope, &new, tx.actor().at)?;
            if spec.accept_eula {
                refuse_accepting(tx, &scope, spec.what)?;
            }
            create_in(tx, &around, &spec)
        })
        .await?;
    app.publish().await?;
    app.shared().wanted.notify_one();
    Ok(made)
}

/// Refuses to let who is limited accept licences of an update or a group.
fn refuse_accepting(tx: &ReadTx<'_>, scope: &Scope, what: What) -> Result<(), AdminError> {
    match what {
        What::Update(name) => {
            let found = Parts::read(tx, &deployable(tx, name)?, false)?;
            parts::refuse_accepting(tx, scope, found.eulas.iter().map(|(_, eula)| eula))
        }
        What::Group(group) => {
            parts::refuse_accepting(tx, scope, tx.update_group_licences(group)?.iter().map(|(_, eula, _)| eula))
        }
    }
}

/// What a deployment would need. Nothing is deployed.
pub(crate) async fn preview(app: &App, scope: Scope, new: DeploymentCreate) -> Result<DeploymentPreview, AdminError> {
    let files = app.state.content.clone();
    app.try_read(move |tx| {
        let spec = resolve(tx, &scope, &new, Timestamp::now())?;
        if let What::Update(name) = spec.what {
            deployable(tx, name)?;
        }
        Ok(content::of_files(tx, &files, &needed(tx, &spec)?)?)
    })
    .await
}

/// The files that a deployment needs; none if it installs nothing.
pub(crate) fn needed(tx: &ReadTx<'_>, spec: &NewDeploymentSpec) -> Result<Vec<NeededFile>, StoreError> {
    let policy = crate::content::policy(tx)?;
    match (spec.action, spec.what) {
        (DeploymentAction::Block | DeploymentAction::Detect | DeploymentAction::Uninstall, _) => Ok(Vec::new()),
        (_, What::Update(name)) => tx.deployment_files(name.id, name.revision, &policy),
        (_, What::Group(group)) => tx.update_group_files(group, &policy),
    }
}

/// A request as a deployment to be made, with what its template says, to a collection of the scope.
pub(crate) fn resolve(
    tx: &ReadTx<'_>,
    scope: &Scope,
    new: &DeploymentCreate,
    now: Timestamp,
) -> Result<NewDeploymentSpec, AdminError> {
    let template = match &new.template {
        Some(name) => Some(super::templates::find(tx, name)?.template),
        None => None,
    };
    let what = match (&new.update, &new.group) {
        (Some(update), None) => What::Update(Named::parse(update)?),
        (None, Some(name)) => What::Group(group::find(tx, name)?.id),
        _ => {
            return Err(AdminError::Invalid {
                code: "update",
                detail: "give either an update or a group".to_owned(),
                next_step: Some("--update ID, or --group NAME".to_owned()),
            });
        }
    };
    let of_template =
        |field: fn(&weir_model::deployment::Template) -> Option<&String>| template.as_ref().and_then(field);
    let lacks = |field: &'static str, option: &str| AdminError::Invalid {
        code: field,
        detail: format!("there is no {field}, and no template that says it"),
        next_step: Some(format!("give {option}")),
    };
    let tree = Tree::within(tx, scope)?;
    let collection = match (&new.collection, &new.template, &template) {
        (Some(name), ..) => Some(tree.find(name)?.id),
        (None, Some(name), Some(template)) => super::templates::collection_of(&tree, name, template)?,
        _ => None,
    };
    let collection = collection.ok_or_else(|| lacks("collection", "--collection NAME"))?;
    tree.check_target(collection)?;
    let action = new.action.map(model_action).or_else(|| template.as_ref().and_then(|it| it.action));
    let action = action.ok_or_else(|| lacks("action", "--action install"))?;

    let mut terms = template.as_ref().map(weir_model::deployment::Template::terms).unwrap_or_default();
    terms = settings::changed(&terms, &new.settings)?;
    terms.name = new.name.as_deref().map(str::trim).map(str::to_owned);
    new.description.as_deref().unwrap_or_default().trim().clone_into(&mut terms.description);

    let available = new.available.as_ref().or_else(|| of_template(|it| it.available.as_ref()));
    let available =
        available.filter(|text| !is_soon(text)).map(|text| when::parse("available", text, now)).transpose()?;
    let at_once = if terms.local_time { now.checked_sub(WESTERNMOST).unwrap_or(now) } else { now };
    let available_at = available.unwrap_or(at_once);
    let deadline = new.deadline.as_ref().or_else(|| of_template(|it| it.deadline.as_ref()));
    let deadline = match deadline.map(String::as_str) {
        Some(text) if text.trim().eq_ignore_ascii_case("none") => None,
        Some(text) if is_soon(text) => Some(available_at),
        Some(text) => Some(when::parse("deadline", text, now)?),
        None => None,
    };
    // a deadline in the past means installation at the next contact: only one before a stated time is a mistake
    check_times(action, available, deadline)?;
    terms.check(action, deadline)?;
    Ok(NewDeploymentSpec {
        what,
        collection,
        action,
        available_at,
        deadline_at: deadline,
        terms,
        origin: DeploymentOrigin::Local,
        enabled: new.enabled.unwrap_or(true),
        accept_eula: new.accept_eula,
        force: new.force,
    })
}

fn is_soon(text: &str) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case("asap") || text.eq_ignore_ascii_case("as soon as possible")
}

/// Makes a deployment in a transaction of the caller's, who publishes when it is committed. It is checked, audited, and
/// refused if no room is left for its content, unless forced.
pub(crate) fn create_in(
    tx: &WriteTx<'_>,
    around: &Around,
    spec: &NewDeploymentSpec,
) -> Result<DeploymentCreated, AdminError> {
    check_times(spec.action, None, spec.deadline_at)?;
    spec.terms.check(spec.action, spec.deadline_at)?;
    let mut terms = spec.terms.clone();
    terms.name = Some(name(tx, terms.name.as_deref(), None)?);
    let mut warnings = match spec.what {
        What::Update(update) => check_update(tx, around, spec, update)?,
        What::Group(group) => check_group(tx, spec, group)?,
    };
    let preview = content::of_files(tx, &around.files, &needed(tx, spec)?)?;
    if !spec.force && spec.enabled {
        content::problem(&preview)?;
    }
    warnings.extend(preview.room.problem.map(|problem| format!("it waits for room: {problem}")));
    let deployed = match spec.what {
        What::Update(Named { id, revision }) => Deployed::Update { id, revision },
        What::Group(group) => Deployed::Group(group),
    };
    let id = tx.deployment_create(&NewDeployment {
        guid: Uuid::new_v4(),
        deployed,
        collection: spec.collection,
        action: spec.action,
        available_at: spec.available_at,
        deadline_at: spec.deadline_at,
        origin: spec.origin,
        // the publish that follows decides
        active: false,
        terms: terms.clone(),
    })?;
    if !spec.enabled {
        tx.deployment_set_enabled(id, false)?;
    }
    let row = tx.deployment_show(id)?;
    let (title, collection) = row.map(|row| (row.title, row.collection_name)).unwrap_or_default();
    let what = match spec.what {
        What::Update(Named { id, revision: Some(revision) }) => json!({ "update": format!("{id}@{revision}") }),
        What::Update(Named { id, .. }) => json!({ "update": id }),
        What::Group(group) => json!({ "group": group, "title": title }),
    };
    let after = json!({
        "what": what, "collection": collection, "action": super::api_action(spec.action), "enabled": spec.enabled,
        "available": spec.available_at, "deadline": spec.deadline_at, "terms": terms,
    });
    tx.audit("deployment.create", &id.to_string(), None, Some(&after))?;
    Ok(DeploymentCreated { id: id.0, warnings })
}

/// A name that nobody else has: the one given, or one made up.
pub(super) fn name(tx: &WriteTx<'_>, given: Option<&str>, own: Option<DeploymentId>) -> Result<String, AdminError> {
    let Some(given) = given else {
        let now = tx.actor().at;
        let plain = default_name(now, &std::collections::BTreeSet::new());
        return Ok(default_name(now, &tx.deployment_names(&plain)?));
    };
    match tx.deployment_named(given)?.filter(|id| Some(*id) != own) {
        None => Ok(given.trim().to_owned()),
        Some(other) => Err(AdminError::Conflict {
            code: "name",
            detail: format!("deployment {other} has the name {given:?} already"),
            next_step: Some("give another name, or none".to_owned()),
        }),
    }
}

fn check_update(
    tx: &WriteTx<'_>,
    around: &Around,
    spec: &NewDeploymentSpec,
    update: Named,
) -> Result<Vec<String>, AdminError> {
    let revision = deployable(tx, update)?;
    refuse_metadata_only(tx, &revision, spec.action)?;
    let removal = spec.action == DeploymentAction::Uninstall;
    let found = Parts::read(tx, &revision, removal)?;
    parts::accept(tx, &found, &revision, spec.accept_eula)?;
    let mut warnings = Vec::new();
    if removal && !found.removable {
        warnings.push(format!("{} does not say that it can be removed; computers may fail to", revision.title.trim()));
    }
    let current = around.live.current();
    if !current.snapshot.lacks(revision.id).is_empty() {
        warnings.push(format!(
            "the update lacks something and is not sent until that arrives: weir updates show {}",
            revision.identity.update_id
        ));
    }
    warnings.extend(stopped(tx, update.id)?);
    Ok(warnings)
}

fn stopped(tx: &ReadTx<'_>, update: UpdateId) -> Result<Option<String>, StoreError> {
    let stop = tx.update_stop_show(update)?;
    Ok(stop.map(|stop| format!("the update is stopped ({}) and is not sent until it is resumed", stop.reason)))
}

/// All members of a group, with their state.
pub(crate) fn members(tx: &ReadTx<'_>, group: Uuid) -> Result<Vec<UpdateGroupMember>, StoreError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = tx.update_group_members(group, cursor.as_deref(), PAGE)?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Refuses a deployed group with more updates than it may have (DEP-26).
pub(crate) fn check_size(name: &str, updates: usize) -> Result<(), AdminError> {
    if updates <= MOST_UPDATES {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "too_many_updates",
        detail: format!(
            "the group {name:?} would deploy {updates} updates; a deployed group has at most {MOST_UPDATES}"
        ),
        next_step: Some(
            "make several groups, or remove what is superseded: weir groups remove NAME --filter EXPR".to_owned(),
        ),
    })
}

fn check_group(tx: &WriteTx<'_>, spec: &NewDeploymentSpec, group: Uuid) -> Result<Vec<String>, AdminError> {
    let row =
        tx.update_group_row(group)?.ok_or_else(|| AdminError::missing("update group", group, "weir groups list"))?;
    let members = members(tx, group)?;
    check_size(&row.name, members.len())?;
    if installs(spec.action) {
        let newest = members.iter().filter_map(|member| member.newest.map(|(_, identity)| identity));
        refuse_metadata_only_members(tx, &row.name, newest)?;
    }
    parts::accept_all(tx, &tx.update_group_licences(group)?, spec.accept_eula)?;
    let mut warnings = Vec::new();
    if members.is_empty() {
        warnings.push(format!("the group {:?} is empty: what is added to it is deployed", row.name));
    }
    let counted = |holds: fn(&UpdateGroupMember) -> bool| members.iter().filter(|member| holds(member)).count();
    for (count, why) in [
        (counted(|it| it.newest.is_none()), "not in the catalogue"),
        (counted(|it| it.declined), "declined"),
        (counted(|it| it.expired), "expired"),
        (counted(|it| it.stopped), "stopped"),
    ] {
        if count > 0 {
            warnings.push(format!("{count} of {} updates are {why} and not sent", members.len()));
        }
    }
    if spec.action == DeploymentAction::Uninstall {
        warnings.push("whether each update of the group can be removed was not looked at".to_owned());
    }
    Ok(warnings)
}
