//! Settings of sessions and of acts that a second person approves.

use serde_json::json;

use super::{definition::Definition, kind::Kind};
use crate::admin::access::approval::KINDS;

/// How long a session lives, in hours.
pub(crate) const SESSION_HOURS: &str = "sessions.hours";
/// How long a session may rest, in minutes.
pub(crate) const SESSION_IDLE: &str = "sessions.idle_minutes";
/// Which acts a second person approves.
pub(crate) const APPROVAL_REQUIRED: &str = "approval.required";
/// Deployments to more computers than this are such acts, and so is what comes to the same.
pub(crate) const APPROVAL_COMPUTERS: &str = "approval.computers";

/// They.
pub(super) fn definitions() -> Vec<Definition> {
    let define = |key, kind, default, description| Definition { key, kind, default, description };
    vec![
        define(
            APPROVAL_COMPUTERS,
            Kind::Number(0..=10_000_000),
            json!(1_000),
            "With deploy in approval.required: what deploys something to more computers than this, or brings computers to where it \
             then reaches more, waits for a second person; a deployment to All Computers always does.",
        ),
        define(
            APPROVAL_REQUIRED,
            Kind::Words(&KINDS),
            json!(""),
            "Acts that are done only when a second administrator approves them: weir approvals list.",
        ),
        define(SESSION_HOURS, Kind::Number(1..=168), json!(8), "How long a session of the console lives, in hours."),
        define(
            SESSION_IDLE,
            Kind::Number(5..=10_080),
            json!(60),
            "How long a session of the console may rest before it ends, in minutes.",
        ),
    ]
}
