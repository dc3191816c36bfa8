//! Templates of deployments.

use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    deployment_template::{DeploymentTemplate, TemplateBody},
    list::ListQuery,
};
use weir_model::{
    deployment::{Template, check_times, template_name},
    ids::CollectionId,
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::{ReadTx, StoreError, WriteTx, collection::CollectionRow, template::TemplateRow};

use super::{api_action, model_action, settings};
use crate::{
    admin::{AdminError, App, Caller, collection::Tree, list, when},
    sites,
};

/// Templates that a site may have.
const MOST: usize = 1_000;

/// The template of that name or id.
pub(crate) fn find(tx: &ReadTx<'_>, name: &str) -> Result<TemplateRow, AdminError> {
    let found = match tx.template_find(name)? {
        None => match name.trim().parse::<Uuid>() {
            Ok(id) => tx.template_show(id)?,
            Err(_) => None,
        },
        found => found,
    };
    found.ok_or_else(|| AdminError::missing("template", format!("{name:?}"), "weir deployments templates list"))
}

/// The collection that a template is for, if it is here. Older versions stored its name.
fn collection<'t>(tree: &'t Tree, template: &Template) -> Option<&'t CollectionRow> {
    tree.find(template.collection.as_deref()?).ok()
}

/// The collection that a template says, or why that is none.
pub(super) fn collection_of(tree: &Tree, name: &str, template: &Template) -> Result<Option<CollectionId>, AdminError> {
    match (collection(tree, template), &template.collection) {
        (Some(row), _) => Ok(Some(row.id)),
        (None, None) => Ok(None),
        (None, Some(gone)) => Err(AdminError::Conflict {
            code: "collection",
            detail: format!("the template {name:?} is for the collection {gone:?}, which is not here"),
            next_step: Some(
                "give --collection NAME, or save the template anew: weir deployments templates save".to_owned(),
            ),
        }),
    }
}

/// Templates that are for a collection, by name.
pub(crate) fn for_collection(tx: &ReadTx<'_>, tree: &Tree, id: CollectionId) -> Result<Vec<TemplateRow>, StoreError> {
    let is_for = |row: &TemplateRow| collection(tree, &row.template).is_some_and(|found| found.id == id);
    Ok(tx.template_list()?.into_iter().filter(is_for).collect())
}

/// Before a collection gets another name: templates in which an older version stored its name keep it by id.
pub(crate) fn keep_by_id(tx: &WriteTx<'_>, tree: &Tree, id: CollectionId) -> Result<(), StoreError> {
    for row in for_collection(tx, tree, id)? {
        let template = Template { collection: Some(id.to_string()), ..row.template };
        tx.template_put(row.id, &row.name, &template, row.origin)?;
    }
    Ok(())
}

fn shown(tree: &Tree, row: TemplateRow) -> DeploymentTemplate {
    let named = collection(tree, &row.template).map(|found| found.name.clone());
    let problem = match (&named, &row.template.collection) {
        (None, Some(gone)) => Some(format!("the collection {gone:?} is not here")),
        _ => None,
    };
    let it = row.template;
    let settings = settings::shown(&it.terms());
    DeploymentTemplate {
        id: row.id,
        name: row.name,
        template: TemplateBody {
            action: it.action.map(api_action),
            collection: named.or(it.collection),
            available: it.available,
            deadline: it.deadline,
            settings,
        },
        problem,
        from_parent: row.origin == DeploymentOrigin::Parent,
        changed_at: row.changed_at,
        changed_by: row.changed_by,
    }
}

/// Templates, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<DeploymentTemplate>, AdminError> {
    let limit = list::limit(query.limit)?;
    let rows = app.read(|tx| {
        let tree = Tree::read(tx)?;
        let rows = tx.template_list()?.into_iter().map(|row| shown(&tree, row));
        Ok(rows.collect::<Vec<DeploymentTemplate>>())
    });
    list::page(rows.await?, |row| row.id.to_string(), query.cursor.as_deref(), limit)
}

/// One template.
pub(crate) async fn show(app: &App, name: String) -> Result<DeploymentTemplate, AdminError> {
    app.try_read(move |tx| Ok(shown(&Tree::read(tx)?, find(tx, &name)?))).await
}

/// Makes a template, or replaces what one says.
pub(crate) async fn put(
    app: &App,
    caller: &Caller,
    name: String,
    body: TemplateBody,
) -> Result<DeploymentTemplate, AdminError> {
    let mut template = read(&body)?;
    let name = template_name(&name).map_err(|error| AdminError::invalid("name", error.to_string()))?.to_owned();
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Templates of deployments")?;
        let tree = Tree::read(tx)?;
        if let Some(collection) = &mut template.collection {
            *collection = tree.find(collection)?.id.to_string();
        }
        let known = tx.template_find(&name)?;
        if known.is_none() && tx.template_list()?.len() >= MOST {
            return Err(AdminError::Conflict {
                code: "too_many",
                detail: format!("there are {MOST} templates already"),
                next_step: Some("delete some: weir deployments templates delete NAME".to_owned()),
            });
        }
        let id = known.as_ref().map_or_else(Uuid::new_v4, |row| row.id);
        if tx.template_put(id, &name, &template, DeploymentOrigin::Local)? {
            let before = known.map(|row| json!(row.template));
            tx.audit("template.put", &name, before.as_ref(), Some(&json!(template)))?;
        }
        Ok(shown(&tree, find(tx, &name)?))
    })
    .await
}

/// Deletes a template; deployments that were made from it stay as they are.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Templates of deployments")?;
        let row = find(tx, &name)?;
        tx.template_delete(row.id)?;
        tx.audit("template.delete", &row.name, Some(&json!(row.template)), None)?;
        Ok(())
    })
    .await
}

fn read(body: &TemplateBody) -> Result<Template, AdminError> {
    let (mut offsets, mut moments) = ([None, None], [None, None]);
    for ((offset, moment), (field, text)) in
        offsets.iter_mut().zip(&mut moments).zip([("available", &body.available), ("deadline", &body.deadline)])
    {
        let Some(text) = text else { continue };
        let text = text.trim();
        if !text.starts_with('+') {
            return Err(AdminError::Invalid {
                code: "time",
                detail: format!("{field} is {text:?}: a template cannot name a moment"),
                next_step: Some("give a time from then on, such as +3d4h".to_owned()),
            });
        }
        *moment = Some(when::parse(field, text, jiff::Timestamp::UNIX_EPOCH)?);
        *offset = Some(text.to_owned());
    }
    // whatever it is for: only what is required has a deadline
    if let [available, Some(deadline)] = moments {
        check_times(DeploymentAction::Install, available, Some(deadline))?;
    }
    let [available, deadline] = offsets;
    let terms = settings::changed(&weir_model::deployment::Terms::default(), &body.settings)?;
    let template = Template {
        action: body.action.map(model_action),
        collection: body.collection.as_deref().map(str::trim).map(str::to_owned),
        available,
        deadline,
        local_time: terms.local_time,
        outside_windows: terms.outside_windows,
        hold_until_window: terms.hold_until_window,
        settings: terms.settings,
    };
    template.check()?;
    Ok(template)
}
