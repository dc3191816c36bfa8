//! Templates of deployments.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{deployment::Template, targeting::DeploymentOrigin};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TemplateRow {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it says.
    pub template: Template,
    /// Who made it: an administrator here, or the parent.
    pub origin: DeploymentOrigin,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

statements! {
    TEMPLATE_LIST: "listing templates" =
        "SELECT template_id, name, body, origin, changed_at, changed_by FROM deployment_template ORDER BY name_key";
    TEMPLATE_SHOW: "reading a template" =
        "SELECT template_id, name, body, origin, changed_at, changed_by FROM deployment_template WHERE template_id = ?1";
    TEMPLATE_FIND: "looking for a template" =
        "SELECT template_id, name, body, origin, changed_at, changed_by FROM deployment_template WHERE name_key = ?1";
    TEMPLATE_PUT: "storing a template" =
        "INSERT INTO deployment_template (template_id, name, name_key, body, origin, change, changed_at, changed_by,
             created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8)
         ON CONFLICT (template_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
             body = excluded.body, origin = excluded.origin, change = excluded.change,
             changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    TEMPLATE_DELETE: "deleting a template" = "DELETE FROM deployment_template WHERE template_id = ?1";
}

fn template(row: &Row<'_>) -> Result<TemplateRow, StoreError> {
    let body = serde_json::from_str(row.str(2)?)
        .map_err(|error| StoreError::Corrupt { what: format!("a template of deployments: {error}") })?;
    Ok(TemplateRow {
        id: row.uuid(0)?,
        name: row.text(1)?,
        template: body,
        origin: row.coded(3)?,
        changed_at: row.time(4)?,
        changed_by: row.text(5)?,
    })
}

impl ReadTx<'_> {
    /// All templates, by name.
    pub fn template_list(&self) -> Result<Vec<TemplateRow>, StoreError> {
        self.all(&TEMPLATE_LIST, args![], template)
    }

    /// One template.
    pub fn template_show(&self, id: Uuid) -> Result<Option<TemplateRow>, StoreError> {
        self.first(&TEMPLATE_SHOW, args![id], template)
    }

    /// The template of that name, without regard to case.
    pub fn template_find(&self, name: &str) -> Result<Option<TemplateRow>, StoreError> {
        self.first(&TEMPLATE_FIND, args![&name.trim().to_lowercase()], template)
    }
}

impl WriteTx<'_> {
    /// Makes or changes a template. The caller has checked that no other has the name. True if that changed something.
    pub fn template_put(
        &self,
        id: Uuid,
        name: &str,
        template: &Template,
        origin: DeploymentOrigin,
    ) -> Result<bool, StoreError> {
        let known = self.template_show(id)?;
        if known.is_some_and(|row| row.name == name && row.template == *template && row.origin == origin) {
            return Ok(false);
        }
        let body = serde_json::to_string(template)
            .map_err(|error| StoreError::Corrupt { what: format!("a template of deployments: {error}") })?;
        let (actor, key) = (self.actor(), name.trim().to_lowercase());
        let values = args![id, name, &key, &body, origin, self.change_next()?, actor.at, &actor.name];
        self.run(&TEMPLATE_PUT, values)?;
        Ok(true)
    }

    /// Deletes a template. False if there is none.
    pub fn template_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&TEMPLATE_DELETE, args![id])? > 0)
    }
}
