//! What a server below another may do, and how it reaches that one.

use std::sync::Arc;

use uuid::Uuid;
use weir_store::{ReadTx, StoreError};

use crate::admin::{AdminError, App};

/// The setting by which a server without enrolment mirrors a foreign upstream server.
pub const REPLICA: &str = "sync.replica";

/// The server above this one.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Where it is reached, the preferred address first: `https://host:port`.
    pub urls: Vec<String>,
    /// Name of its site.
    pub name: String,
    /// Its identity.
    pub server_id: Uuid,
    /// The TLS settings of connections to it: they show this server's certificate, accept the parent's alone, and ask
    /// for the site link by ALPN. All paths of the server plane, MS-WSUSSS and content, exist on such connections, too.
    pub tls: Arc<rustls::ClientConfig>,
}

/// The server above this one, if this one is enrolled.
pub async fn parent(_app: &App) -> Result<Option<Parent>, AdminError> {
    unimplemented!()
}

/// Whether this server mirrors the one above: enrolled below a Weir, or set to be a replica of a foreign server.
/// Criteria, collections, deployments, declines, source and schedule are read-only then.
pub fn is_replica(tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    if tx.sites_parent()?.is_some() {
        return Ok(true);
    }
    Ok(tx.setting_show(REPLICA)?.is_some_and(|row| row.value == serde_json::Value::Bool(true)))
}

/// Refuses a change of what the top decides. `what` begins the sentence: `"Deployments"`, `"The schedule"`.
pub fn refuse_below(tx: &ReadTx<'_>, what: &str) -> Result<(), AdminError> {
    if !is_replica(tx)? {
        return Ok(());
    }
    let (above, next_step) = match tx.sites_parent()? {
        Some(parent) => (
            format!("the site above this one, {}", parent.name),
            format!("change it at the top of the tree; it is at {} from here", parent.urls.join(", ")),
        ),
        None => (
            "the upstream server that this one mirrors".to_owned(),
            format!("change it there, or stop mirroring: weir settings set {REPLICA} false"),
        ),
    };
    Err(AdminError::Conflict {
        code: "read_only",
        detail: format!("{what} cannot be changed here: they come from {above}"),
        next_step: Some(next_step),
    })
}
