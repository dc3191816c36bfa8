//! `deployment-templates`: settings of deployments under a name.
//!
//! * `GET deployment-templates` answers a [`crate::List`] of [`DeploymentTemplate`].
//! * `PUT deployment-templates/{name}` takes [`TemplateBody`], makes or replaces one, and answers [`DeploymentTemplate`].
//! * `GET deployment-templates/{name}` answers [`DeploymentTemplate`], `DELETE deployment-templates/{name}` 204.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::deployment::{Action, DeploymentSettings};

/// What a template says; what is absent is left to each deployment.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateBody {
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Name or id of the collection. It is kept by id, and shown with the name that it has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// From when, counted from the making of each deployment: `+3d4h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    /// Until when, in the same form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// How it is done.
    #[serde(default)]
    pub settings: DeploymentSettings,
}

/// A template.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentTemplate {
    /// Its id.
    pub id: Uuid,
    /// Its name: ASCII letters, digits, blanks, and `- _ . \\ '`.
    pub name: String,
    /// What it says.
    pub template: TemplateBody,
    /// Why it cannot be used as it is.
    pub problem: Option<String>,
    /// It came from the parent site.
    pub from_parent: bool,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}
