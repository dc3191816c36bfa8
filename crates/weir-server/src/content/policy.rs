//! What this site keeps of the files that updates name, from its settings.

use std::collections::BTreeSet;

use weir_model::content::{ContentMode, ContentPolicy};
use weir_store::{ReadTx, StoreError, selection::SelectionKind};

use crate::admin::{
    App,
    setting::{CONTENT_EXPRESS, CONTENT_MODE, Current},
};

/// The policy that holds now. [`ContentPolicy::catalog_only`], [`ContentPolicy::lazy`] and
/// [`ContentPolicy::hosts_express`] are what GetConfigData of MS-WSUSSS tells downstream servers.
pub(crate) fn policy(tx: &ReadTx<'_>) -> Result<ContentPolicy, StoreError> {
    let settings = Current::read(tx)?;
    let mut languages: BTreeSet<String> = tx.selection_list(SelectionKind::FileLanguages)?.into_iter().collect();
    if languages.is_empty() {
        languages.extend(tx.selection_list(SelectionKind::Languages)?);
    }
    Ok(ContentPolicy {
        mode: ContentMode::from_word(&settings.text(CONTENT_MODE)).unwrap_or_default(),
        express: settings.flag(CONTENT_EXPRESS),
        languages,
        upstream_serves: super::upstream::serves(tx)?,
    })
}

/// Waits until something may be wanted that was not: another catalogue, other deployments or settings, a request of a
/// downstream server.
pub(crate) async fn wanted(app: &App) {
    tokio::select! {
        () = app.shared().wanted.notified() => {}
        () = app.state.upstream.requested.notified() => {}
    }
}
