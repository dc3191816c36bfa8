//! `GET alerts`: a [`crate::List`] of [`Alert`], open ones first.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that an administrator should see to. It opens and closes by itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Kind and subject, such as `content.mismatch:86542C97261C46D5B379A43EC895F97EAF409BA2`.
    pub key: String,
    /// `information`, `warning` or `critical`.
    pub severity: String,
    /// What is wrong and what to do.
    pub message: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it closed; null while open.
    pub closed_at: Option<Timestamp>,
}
