//! Settings that are kept under a name, for deployments to come (DEP-3).

use serde::{Deserialize, Serialize};

use super::{Settings, Terms, TermsError};
use crate::targeting::DeploymentAction;

/// Characters of a template's name.
const LONGEST_NAME: usize = 128;

/// What a template says; what is none is left to each deployment.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Template {
    /// What for.
    pub action: Option<DeploymentAction>,
    /// Id of the collection; its name, where an older version stored it.
    pub collection: Option<String>,
    /// From when, counted from the making of the deployment: `+3d4h`.
    pub available: Option<String>,
    /// Until when, in the same form.
    pub deadline: Option<String>,
    /// See [`Terms::local_time`].
    pub local_time: bool,
    /// See [`Terms::outside_windows`].
    pub outside_windows: bool,
    /// See [`Terms::hold_until_window`].
    pub hold_until_window: bool,
    /// The rest.
    pub settings: Settings,
}

/// Not a name for a template.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} cannot name a template: use 1 to {LONGEST_NAME} ASCII letters, digits, blanks, and - _ . \\ '")]
pub struct TemplateNameError(pub String);

/// A name of a template, trimmed, if it may be one (DEP-3: alphanumeric ASCII, backslash, single quote; blanks and the
/// signs that names of files have are taken, too).
pub fn template_name(name: &str) -> Result<&str, TemplateNameError> {
    let trimmed = name.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '\\' | '\'');
    if (1..=LONGEST_NAME).contains(&trimmed.len()) && trimmed.chars().all(fits) && !matches!(trimmed, "." | "..") {
        Ok(trimmed)
    } else {
        Err(TemplateNameError(name.chars().take(200).collect()))
    }
}

impl Template {
    /// The terms that a deployment gets from it.
    pub fn terms(&self) -> Terms {
        Terms {
            local_time: self.local_time,
            outside_windows: self.outside_windows,
            hold_until_window: self.hold_until_window,
            settings: self.settings.clone(),
            ..Terms::default()
        }
    }

    /// Whether its settings go together, as far as the action is known. Whether there is a deadline may be decided when it
    /// is used.
    pub fn check(&self) -> Result<(), TermsError> {
        let Some(action) = self.action else { return Ok(()) };
        let some = jiff::Timestamp::UNIX_EPOCH;
        super::check_times(action, None, self.deadline.as_ref().map(|_| some))?;
        self.terms().check(action, Some(some))
    }
}
