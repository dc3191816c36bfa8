//! What runs here, and what to do next.

use jiff::Timestamp;
use weir_api::status::{Counts, SnapshotStatus, Status, Step};
use weir_model::ids::CollectionId;
use weir_store::{
    ReadTx, StoreError, computer::ComputerFilter, deployment::DeploymentFilter, list::UpdateFilter,
    selection::SelectionKind,
};

use super::{AdminError, App, list};

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The state of the server.
pub(crate) async fn show(app: &App) -> Result<Status, AdminError> {
    let published = app.state.live.current();
    let unresolved = published.snapshot.unresolved().len() as u64;
    let (mut counts, scanned) = app.read(read).await?;
    counts.unresolved = unresolved;
    Ok(Status {
        version: VERSION.to_owned(),
        server_id: app.state.server.0,
        started_at: app.started_at,
        as_of: Timestamp::now(),
        endpoints: app.endpoints(),
        counts,
        snapshot: SnapshotStatus {
            change: published.change().0,
            revisions: published.snapshot.len() as u64,
            live: published.snapshot.live_len() as u64,
        },
        steps: steps(&counts, scanned),
    })
}

fn read(tx: &ReadTx<'_>) -> Result<(Counts, bool), StoreError> {
    let facets = tx.update_facets(&UpdateFilter::default())?;
    let content = tx.content_file_totals()?;
    let mut deployments = 0;
    let mut cursor = None;
    loop {
        let page = tx.deployment_list(&DeploymentFilter::default(), cursor.as_deref(), list::LARGEST)?;
        deployments += page.items.len() as u64;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let (mut plain, mut reported) = (0, false);
    loop {
        let page = tx.computer_list(&ComputerFilter::default(), cursor.as_deref(), list::LARGEST)?;
        plain += page.items.iter().filter(|row| row.plain_http).count() as u64;
        reported |= page.items.iter().any(|row| row.last_report_at.is_some());
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let counts = Counts {
        revisions: facets.total(),
        updates: facets.updates,
        unresolved: 0,
        products_selected: tx.selection_list(SelectionKind::Products)?.len() as u64,
        classifications_selected: tx.selection_list(SelectionKind::Classifications)?.len() as u64,
        collections: tx.collection_list()?.len() as u64,
        deployments,
        computers: tx.computer_count()?,
        computers_plain_http: plain,
        content_files: content.files,
        content_bytes: content.bytes,
        content_waiting: tx.deployment_files_missing(&crate::content::policy(tx)?)?.len() as u64,
        alerts: tx.alert_list(false, list::LARGEST)?.len() as u64,
    };
    Ok((counts, reported))
}

/// The way from an empty server to a patched computer.
fn steps(counts: &Counts, scanned: bool) -> Vec<Step> {
    let own_collection =
        counts.collections > [CollectionId::ALL_COMPUTERS, CollectionId::UNASSIGNED_COMPUTERS].len() as u64;
    let step = |name: &str, title: &str, done: bool, command: &str| Step {
        name: name.to_owned(),
        title: title.to_owned(),
        done,
        command: command.to_owned(),
    };
    vec![
        step(
            "import",
            "Import a catalogue: a wsusutil package or a folder of update documents.",
            counts.revisions > 0,
            "weir import FILE.cab",
        ),
        step(
            "select",
            "Choose products and classifications.",
            counts.products_selected > 0 && counts.classifications_selected > 0,
            "weir products set --all && weir classifications set --all",
        ),
        step(
            "computers",
            "Point computers at this server (policy WUServer and WUStatusServer) and let them scan.",
            counts.computers > 0 && scanned,
            "weir computers list",
        ),
        step(
            "collection",
            "Make a collection for a first ring of computers.",
            own_collection,
            "weir collections create \"First ring\"",
        ),
        step(
            "deploy",
            "Deploy an update to it.",
            counts.deployments > 0,
            "weir deployments create --update ID --collection \"First ring\" --action install",
        ),
        step(
            "content",
            "Give the server the files that deployments wait for.",
            counts.deployments > 0 && counts.content_waiting == 0,
            "weir content add FOLDER",
        ),
    ]
}
