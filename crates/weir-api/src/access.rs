//! `POST sign-in-links` answers a [`SignInLink`] (201): a link that opens the status page in a browser, once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A link that signs the built-in administrator in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignInLink {
    /// Open it in a browser.
    pub url: String,
    /// It works once, and not after this.
    pub expires_at: Timestamp,
}
