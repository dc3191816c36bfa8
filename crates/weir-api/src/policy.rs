//! `policy`: the registry values by which Windows computers are pointed at a site.
//!
//! * `POST policy/render` takes a [`PolicyRender`] and answers a file, or with [`PolicyFormat::Json`] a [`Policy`].
//! * `POST policy/check` takes a [`PolicyCheck`] and answers a [`PolicyChecked`].
//! * `GET policy/values` answers a [`crate::List`] of [`PolicyKnown`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The form of a policy.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyFormat {
    /// The values with where each comes from (`application/json`).
    #[default]
    Json,
    /// A file of the registry editor, version 5, UTF-16 (`text/x-ms-regedit`).
    Reg,
    /// `Registry.pol` of a Group Policy object's computer half (`application/octet-stream`).
    Pol,
    /// A PowerShell script that sets and removes the values (`text/x-powershell`).
    Powershell,
    /// A custom profile of Intune, as Microsoft Graph takes it (`application/json`).
    Intune,
}

/// What policy to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyRender {
    /// Its form.
    pub format: PolicyFormat,
    /// Name or id of the site whose server is scanned; this one by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The client settings of computers in this collection; without it those of all computers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The address of the server, `http://HOST:PORT` or `https://HOST:PORT`, in place of what is known of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// true: with TLS or not at all. false: without. Default: with TLS if the site has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https: Option<bool>,
    /// Where reports go, if not to the same server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_url: Option<String>,
    /// Another server for files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternate_url: Option<String>,
    /// Collections that the computers ask to be in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Leave out the values that say for each class of updates that it comes from this server.
    pub no_sources: bool,
    /// Keep computers from public services of updates.
    pub no_internet: bool,
    /// Remove values of others that keep computers from scanning here, or make them scan elsewhere as well.
    pub remove_conflicts: bool,
    /// Registry values by name, in their text form; null removes the value. They replace what would be there otherwise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Option<String>>,
}

/// A value of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyValue {
    /// Its key, from the predefined key on.
    pub key: String,
    /// Its name.
    pub value: String,
    /// `REG_DWORD` or `REG_SZ`.
    pub kind: String,
    /// Its data; null: it is removed.
    pub data: Option<Value>,
    /// The policy that it belongs to.
    pub policy: String,
    /// Why it is there: `policy`, `asked`, or `setting KEY (SET)`.
    pub source: String,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// Name of the site.
    pub site: String,
    /// The address of its server in the policy.
    pub server: String,
    /// The values.
    pub values: Vec<PolicyValue>,
    /// What an administrator should know of it.
    pub notes: Vec<String>,
    /// What is wrong with it, if values were asked for that work against it.
    pub findings: Vec<PolicyFinding>,
    /// What a profile of Intune cannot hold of it.
    pub without_csp: Vec<String>,
}

/// The half of a Group Policy object that a `Registry.pol` is from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyScope {
    /// The computer's.
    #[default]
    Computer,
    /// The user's.
    User,
}

/// What policy to look at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyCheck {
    /// A `.reg` file or `Registry.pol`, in base64; at most 2 MiB of file.
    pub content: String,
    /// Which half a `Registry.pol` is from.
    pub scope: PolicyScope,
    /// Name or id of the site that the computers should scan at; this one by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The client settings of computers in this collection; without it those of all computers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The address of the server, in place of what is known of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyFinding {
    /// `error`: computers do not scan here; `warning`: something does not work as it seems; `note`.
    pub severity: String,
    /// Stable, for programs, such as `server.other`.
    pub code: String,
    /// The key, from the predefined key on.
    pub key: String,
    /// Name of the value; empty if it is about a key.
    pub value: String,
    /// What it is; null if it is absent.
    pub found: Option<String>,
    /// What it breaks.
    pub breaks: String,
    /// What to do.
    pub next_step: String,
}

/// What is wrong with a policy.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyChecked {
    /// The form of the file: `reg` or `pol`.
    pub format: PolicyFormat,
    /// Name of the site.
    pub site: String,
    /// Its addresses; empty if they are not known, so that those of the file were not compared.
    pub addresses: Vec<String>,
    /// Instructions in the file.
    pub instructions: u64,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// All findings; what matters most comes first.
    pub findings: Vec<PolicyFinding>,
}

/// A value that is known.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyKnown {
    /// Its name.
    pub name: String,
    /// Its key, from the predefined key on.
    pub key: String,
    /// `REG_DWORD` or `REG_SZ`.
    pub kind: String,
    /// Which data it takes.
    pub values: String,
    /// The policy that it belongs to.
    pub policy: String,
    /// What it does.
    pub meaning: String,
    /// From which Windows on, or until which; empty where that does not matter.
    pub windows: String,
    /// Its setting in Intune, as the address of the CSP.
    pub csp: Option<String>,
    /// Why it has none.
    pub without_csp: Option<String>,
    /// `documented` by Microsoft or `reported` by others.
    pub evidence: String,
}
