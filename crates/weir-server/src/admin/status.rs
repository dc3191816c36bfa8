//! What runs here, and what to do next.

use jiff::Timestamp;
use weir_api::status::{Counts, SnapshotStatus, Status, Step};
use weir_model::ids::CollectionId;
use weir_store::{
    ReadTx, StoreError, computer::ComputerFilter, deployment::DeploymentFilter, list::UpdateFilter,
    selection::SelectionKind,
};

use super::{
    AdminError, App, alert, list,
    setting::{Current, SOURCE},
};
use crate::{sites, sync::history};

const SYNC: &str = "weir sync now";
const SELECT: &str = "weir products set --all && weir classifications set --all";

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The state of the server.
pub(crate) async fn show(app: &App) -> Result<Status, AdminError> {
    let published = app.state.live.current();
    let unresolved = published.snapshot.unresolved().len() as u64;
    let (mut counts, scanned, way) = app.read(read).await?;
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
        steps: steps(&counts, scanned, &way),
    })
}

fn read(tx: &ReadTx<'_>) -> Result<(Counts, bool, Way), StoreError> {
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
        alerts: alert::open_count(tx)?,
    };
    Ok((counts, reported, Way::read(tx)?))
}

/// Who decides what is synchronized.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Way {
    /// This server, and packages are imported.
    Import,
    /// This server, from a source.
    Own { source: String, synchronized: bool },
    /// Another one, which this one mirrors: in words who.
    Above { who: String, synchronized: bool },
}

impl Way {
    fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        if let Some(parent) = tx.sites_parent()? {
            return Ok(Self::Above {
                who: format!("the parent {}", parent.name),
                synchronized: parent.done_at.is_some(),
            });
        }
        let source = Current::read(tx)?.text(SOURCE);
        if source == "none" {
            return Ok(Self::Import);
        }
        let synchronized = history::last_success(tx)?.is_some();
        if sites::is_replica(tx)? {
            return Ok(Self::Above { who: format!("the upstream server {source}"), synchronized });
        }
        Ok(Self::Own { source, synchronized })
    }
}

/// The way from an empty server to a patched computer.
fn steps(counts: &Counts, scanned: bool, way: &Way) -> Vec<Step> {
    let own_collection =
        counts.collections > [CollectionId::ALL_COMPUTERS, CollectionId::UNASSIGNED_COMPUTERS].len() as u64;
    let step = |name: &str, title: &str, done: bool, command: &str| Step {
        name: name.to_owned(),
        title: title.to_owned(),
        done,
        command: command.to_owned(),
    };
    let selected = counts.products_selected > 0 && counts.classifications_selected > 0;
    let select =
        |command: &str| step("select", "Choose products and classifications.", selected, &format!("{SELECT}{command}"));
    let computers = step(
        "computers",
        "Point computers at this server (policy WUServer and WUStatusServer) and let them scan.",
        counts.computers > 0 && scanned,
        "weir computers list",
    );
    let mut steps = match way {
        Way::Import => vec![
            step(
                "import",
                "Import a catalogue: a wsusutil package or a folder of update documents.",
                counts.revisions > 0,
                "weir import FILE.cab",
            ),
            select(""),
        ],
        Way::Own { source, synchronized } => vec![
            step(
                "sync",
                &format!("Synchronize from {source}: products and classifications come first."),
                *synchronized,
                SYNC,
            ),
            select(&format!(" && {SYNC}")),
        ],
        Way::Above { who, synchronized } => {
            // collections and deployments come from there, too
            return vec![
                step(
                    "sync",
                    &format!("Synchronize for the first time; what is synchronized is decided at {who}."),
                    *synchronized,
                    SYNC,
                ),
                computers,
                step(
                    "content",
                    "Wait for the files of deployments, or give them to the server.",
                    *synchronized && counts.content_waiting == 0,
                    "weir content status",
                ),
            ];
        }
    };
    steps.extend([
        computers,
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
    ]);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(steps: &[Step]) -> Vec<&str> {
        steps.iter().map(|step| step.name.as_str()).collect()
    }

    #[test]
    fn a_server_that_mirrors_another_decides_nothing_itself() {
        let who = "the parent CEN".to_owned();
        let counts = Counts { revisions: 5, ..Counts::default() };
        for synchronized in [false, true] {
            let steps = steps(&counts, false, &Way::Above { who: who.clone(), synchronized });
            assert_eq!(names(&steps), ["sync", "computers", "content"]);
            assert_eq!((steps[0].done, steps[0].command.as_str()), (synchronized, "weir sync now"));
            assert!(steps[0].title.contains("decided at the parent CEN"), "{}", steps[0].title);
        }
    }

    #[test]
    fn a_server_with_a_source_synchronizes_first() {
        let way = Way::Own { source: "https://up.example".to_owned(), synchronized: false };
        let own = steps(&Counts::default(), false, &way);
        assert_eq!(names(&own), ["sync", "select", "computers", "collection", "deploy", "content"]);
        assert!(!own[0].done && own[0].command == "weir sync now" && own[0].title.contains("https://up.example"));
        let import = steps(&Counts::default(), false, &Way::Import);
        assert_eq!(names(&import)[..2], ["import", "select"]);
    }
}
