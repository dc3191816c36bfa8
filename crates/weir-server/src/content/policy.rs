//! What this site keeps of the files that updates name, from its settings.

use std::collections::BTreeSet;

use weir_model::content::{ContentMode, ContentPolicy};
use weir_store::{ReadTx, StoreError, selection::SelectionKind};

use crate::admin::{
    AdminError, App, Caller,
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

/// To be called when a setting changed that says what is fetched, from where or how: what could not be fetched is tried
/// anew, the run under way goes on as the settings now are, and what waits for content may not wait any more.
pub(crate) async fn settings_changed(app: &App, caller: &Caller) -> Result<(), AdminError> {
    app.write(caller, |tx| Ok(tx.content_rest_clear_all()?)).await?;
    app.shared().downloads.interrupt();
    app.publish().await
}
