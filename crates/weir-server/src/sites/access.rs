//! What a server below another may do, and how it reaches that one.

use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use uuid::Uuid;
use weir_store::{ReadTx, StoreError, sites::SiteParentRow};

use super::tree;
use crate::{
    admin::{
        AdminError, App,
        setting::{Current, SOURCE, SYNC_REPLICA},
    },
    start::LINK_PROTOCOL,
    sync::outbound::{ClientTerms, Identity, Purpose, Trust},
};

/// The server above this one.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Where it is reached, the address that worked last first: `https://host:port`.
    pub urls: Vec<String>,
    /// Name of its site.
    pub name: String,
    /// Its identity.
    pub server_id: Uuid,
    trust: Trust,
    identity: Identity,
}

impl Parent {
    pub(super) fn new(row: &SiteParentRow) -> Result<Self, AdminError> {
        let key = PrivateKeyDer::try_from(row.private_key.clone());
        let key = key.map_err(|error| AdminError::Internal(format!("the key of the site link: {error}")))?;
        Ok(Self {
            urls: row.urls.clone(),
            name: row.name.clone(),
            server_id: row.server_id,
            trust: match &row.authority {
                Some(pem) => Trust::Authority(pem.clone()),
                None => Trust::Fingerprint(row.fingerprint.0),
            },
            identity: Identity { chain: vec![CertificateDer::from(row.certificate.clone())], key: Arc::new(key) },
        })
    }

    /// The address to try first.
    pub fn url(&self) -> &str {
        self.urls.first().map_or("", String::as_str)
    }

    /// How it is reached: the client shows this server's certificate, accepts the parent's alone, and asks for the site
    /// link by ALPN. On such connections all paths of the server plane exist, MS-WSUSSS and content, too.
    pub fn terms(&self, purpose: Purpose) -> ClientTerms {
        ClientTerms {
            purpose,
            trust: self.trust.clone(),
            identity: Some(self.identity.clone()),
            alpn: vec![LINK_PROTOCOL.to_vec()],
        }
    }
}

/// The server above this one, if this one is enrolled.
pub async fn parent(app: &App) -> Result<Option<Parent>, AdminError> {
    let row = app.read(|tx| tx.sites_parent()).await?;
    row.map(|row| Parent::new(&row)).transpose()
}

/// Whether this server mirrors the one above: enrolled below a Weir, or set to be a replica of a foreign server whose
/// address is the source. Criteria, collections, deployments, declines, source and schedule are read-only then, and a
/// synchronization takes what the server above has.
///
/// Microsoft's service has nobody's decisions to mirror, and without a source there is nothing above: with these the
/// setting waits, and this server decides for itself.
pub fn is_replica(tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    if tx.sites_parent()?.is_some() {
        return Ok(true);
    }
    let current = Current::read(tx)?;
    Ok(current.flag(SYNC_REPLICA) && !matches!(current.text(SOURCE).as_str(), "" | "none" | "microsoft"))
}

/// Refuses a change of what the top decides. `what` begins the sentence and is a plural: `"Deployments"`.
pub fn refuse_below(tx: &ReadTx<'_>, what: &str) -> Result<(), AdminError> {
    let (above, next_step) = match tx.sites_parent()? {
        Some(parent) => (
            format!("the site above this one, {}", parent.name),
            match tree::read(tx)?.top().filter(|top| top.name != parent.name) {
                Some(top) => format!(
                    "change it at the top of the tree, {}; the site above this one, {}, is at {}",
                    top.name,
                    parent.name,
                    parent.urls.join(", ")
                ),
                None => format!("change it there, at {}", parent.urls.join(", ")),
            },
        ),
        None if is_replica(tx)? => (
            "the upstream server that this one mirrors".to_owned(),
            format!("change it there, or stop mirroring: weir settings set {SYNC_REPLICA} false"),
        ),
        None => return Ok(()),
    };
    Err(AdminError::Conflict {
        code: "read_only",
        detail: format!("{what} cannot be changed here: they come from {above}"),
        next_step: Some(next_step),
    })
}
