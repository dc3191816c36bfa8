//! Templates of deployments.

use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    deployment_template::{DeploymentTemplate, TemplateBody},
    list::ListQuery,
};
use weir_model::{
    deployment::{Template, template_name},
    targeting::DeploymentOrigin,
};
use weir_store::{ReadTx, template::TemplateRow};

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

fn shown(row: TemplateRow) -> DeploymentTemplate {
    let it = row.template;
    let settings = settings::shown(&it.terms());
    DeploymentTemplate {
        id: row.id,
        name: row.name,
        template: TemplateBody {
            action: it.action.map(api_action),
            collection: it.collection,
            available: it.available,
            deadline: it.deadline,
            settings,
        },
        from_parent: row.origin == DeploymentOrigin::Parent,
        changed_at: row.changed_at,
        changed_by: row.changed_by,
    }
}

/// Templates, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<DeploymentTemplate>, AdminError> {
    let limit = list::limit(query.limit)?;
    let rows = app.read(|tx| tx.template_list()).await?;
    list::page(rows.into_iter().map(shown), |row| row.id.to_string(), query.cursor.as_deref(), limit)
}

/// One template.
pub(crate) async fn show(app: &App, name: String) -> Result<DeploymentTemplate, AdminError> {
    app.try_read(move |tx| find(tx, &name)).await.map(shown)
}

/// Makes a template, or replaces what one says.
pub(crate) async fn put(
    app: &App,
    caller: &Caller,
    name: String,
    body: TemplateBody,
) -> Result<DeploymentTemplate, AdminError> {
    let template = read(&body)?;
    let name = template_name(&name).map_err(|error| AdminError::invalid("name", error.to_string()))?.to_owned();
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Templates of deployments")?;
        if let Some(collection) = &template.collection {
            Tree::read(tx)?.find(collection)?;
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
        find(tx, &name)
    })
    .await
    .map(shown)
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
    let mut offsets = [None, None];
    for (offset, (field, text)) in
        offsets.iter_mut().zip([("available", &body.available), ("deadline", &body.deadline)])
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
        when::parse(field, text, jiff::Timestamp::UNIX_EPOCH)?;
        *offset = Some(text.to_owned());
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
