//! What runs here, and what to do next.
//!
//! Every page of the console asks for it. So nothing in it reads a row for each computer or update, and what is counted in more than
//! a few milliseconds is kept for as long as it is true, or for some seconds; see [`Kept`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use weir_api::status::{Counts, SnapshotStatus, Status, Step};
use weir_model::{
    content::ContentPolicy,
    ids::{ChangeNumber, CollectionId},
};
use weir_store::{ReadTx, StoreError, content_file::ContentTotals, selection::SelectionKind};

use super::{
    AdminError, App, alert,
    setting::{Current, SOURCE},
    warm,
};
use crate::{sites, sync::history};

const SYNC: &str = "weir sync now";
const SELECT: &str = "weir products set --all && weir classifications set --all";

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is kept of the catalogue is counted again after this, whatever was written.
const AGE: Duration = Duration::from_secs(10);
/// While more files than this are awaited, each that comes does not have them counted again.
const MANY_FILES: u64 = 1_000;
/// They are counted again after this.
const FILES_AGE: Duration = Duration::from_secs(5);
/// Where there are so many revisions, and counting took longer than [`QUICK`], requests are answered from what is kept, with its time,
/// while it is counted again.
const MANY_REVISIONS: u64 = 10_000;
/// See there.
const QUICK: Duration = Duration::from_millis(20);
/// Older than this nothing is answered from it.
const OLDEST: Duration = Duration::from_secs(60);

/// The state of the server.
pub(crate) async fn show(app: &App) -> Result<Status, AdminError> {
    let published = app.state.live.current();
    let unresolved = published.snapshot.unresolved_len() as u64;
    let shared = app.clone();
    let (mut counts, scanned, way, counted) = app.read(move |tx| read(tx, &shared.shared().status)).await?;
    counts.unresolved = unresolved;
    if counted.is_over {
        renew(app);
    }
    warm::somebody_looks(app);
    Ok(Status {
        version: VERSION.to_owned(),
        server_id: app.state.server.0,
        started_at: app.started_at,
        as_of: counted.as_of,
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

fn read(tx: &ReadTx<'_>, kept: &Kept) -> Result<(Counts, bool, Way, Counted), StoreError> {
    let content = tx.content_file_totals()?;
    let counted = kept.counted(tx, content)?;
    let counts = Counts {
        revisions: counted.revisions,
        updates: counted.updates,
        unresolved: 0,
        products_selected: tx.selection_list(SelectionKind::Products)?.len() as u64,
        classifications_selected: tx.selection_list(SelectionKind::Classifications)?.len() as u64,
        collections: tx.collection_list()?.len() as u64,
        deployments: tx.deployment_count()?,
        computers: tx.computer_count()?,
        computers_plain_http: tx.computer_count_plain_http()?,
        content_files: counted.content.files,
        content_bytes: counted.content.bytes,
        content_waiting: counted.waiting,
        alerts: alert::open_count(tx)?,
    };
    Ok((counts, tx.computer_any_reported()?, Way::read(tx)?, counted))
}

/// Counts again on a task of its own, unless somebody does.
fn renew(app: &App) {
    let Ok(turn) = Arc::clone(&app.shared().status.renewal).try_lock_owned() else { return };
    let app = app.clone();
    tokio::spawn(async move {
        let counted = app.read(|tx| {
            let (change, policy) = (tx.catalogue_version()?, crate::content::policy(tx)?);
            Counted::read(tx, change, policy, tx.content_file_totals()?)
        });
        match counted.await {
            Ok(counted) => *app.shared().status.known.lock() = Some(counted),
            // the next request says so
            Err(error) => {
                tracing::warn!(error = super::chain(&error), "the catalogue and the content could not be counted");
            }
        }
        drop(turn);
    });
}

/// Counts again after something was published, where requests would not.
pub(super) fn refresh(app: &App) {
    if app.shared().status.known.lock().as_ref().is_some_and(Counted::is_slow) {
        renew(app);
    }
}

/// What was counted last of catalogue, deployments and content.
///
/// It is true while neither the catalogue nor the totals of content nor what is kept of it are others. While many files are awaited,
/// the totals are others with each file that comes: then totals and what is awaited are those of a few seconds ago, together, and the
/// answer has the time of these. So it has where counting takes long: it is counted again beside the request then.
#[derive(Debug, Default)]
pub(super) struct Kept {
    known: Mutex<Option<Counted>>,
    /// The turn to count beside requests.
    renewal: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Debug)]
struct Counted {
    change: ChangeNumber,
    policy: ContentPolicy,
    content: ContentTotals,
    read_at: Instant,
    as_of: Timestamp,
    /// How long counting took.
    took: Duration,
    /// It is to be counted again.
    is_over: bool,
    revisions: u64,
    updates: u64,
    /// Files that deployments wait for.
    waiting: u64,
}

impl Kept {
    /// What there is now, or was a few seconds ago. One request counts, others wait for it.
    fn counted(&self, tx: &ReadTx<'_>, content: ContentTotals) -> Result<Counted, StoreError> {
        let (change, policy) = (tx.catalogue_version()?, crate::content::policy(tx)?);
        let mut kept = self.known.lock();
        if let Some(known) = kept.as_ref().and_then(|known| known.serves(change, &policy, content, Timestamp::now())) {
            return Ok(known);
        }
        let counted = Counted::read(tx, change, policy, content)?;
        *kept = Some(counted.clone());
        Ok(counted)
    }
}

impl Counted {
    fn read(
        tx: &ReadTx<'_>,
        change: ChangeNumber,
        policy: ContentPolicy,
        content: ContentTotals,
    ) -> Result<Self, StoreError> {
        let (read_at, as_of) = (Instant::now(), Timestamp::now());
        let (revisions, updates) = (tx.search_count()?, tx.update_count()?);
        let waiting = tx.deployment_files_missing(&policy)?.len() as u64;
        let took = read_at.elapsed();
        Ok(Self { change, policy, content, read_at, as_of, took, is_over: false, revisions, updates, waiting })
    }

    /// Whether requests do not wait for counting.
    fn is_slow(&self) -> bool {
        self.took >= QUICK && self.revisions >= MANY_REVISIONS
    }

    /// What to answer from it in this state of the database; none if it is to be counted again.
    fn serves(
        &self,
        change: ChangeNumber,
        policy: &ContentPolicy,
        content: ContentTotals,
        now: Timestamp,
    ) -> Option<Self> {
        let age = self.read_at.elapsed();
        let is_same = self.change == change && self.policy == *policy && age < AGE;
        if is_same && self.content == content {
            return Some(Self { as_of: now, ..self.clone() });
        }
        if is_same && self.waiting > MANY_FILES && age < FILES_AGE {
            return Some(self.clone());
        }
        (self.is_slow() && age < OLDEST).then(|| Self { is_over: true, ..self.clone() })
    }
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
    fn counts_serve_while_they_are_true() {
        let now = Timestamp::UNIX_EPOCH;
        let few = Counted {
            change: ChangeNumber(5),
            policy: ContentPolicy::default(),
            content: ContentTotals { files: 1, bytes: 10, ..ContentTotals::default() },
            read_at: Instant::now(),
            as_of: now,
            took: Duration::ZERO,
            is_over: false,
            revisions: 3,
            updates: 2,
            waiting: 7,
        };
        let later = now + jiff::SignedDuration::from_secs(1);
        let same = |of: &Counted| of.serves(of.change, &of.policy, of.content, later);
        assert_eq!(same(&few).map(|it| (it.as_of, it.waiting)), Some((later, 7)), "it is still so");
        assert!(few.serves(ChangeNumber(6), &few.policy, few.content, later).is_none());
        let other = ContentPolicy { express: true, ..ContentPolicy::default() };
        assert!(few.serves(few.change, &other, few.content, later).is_none());
        let more = ContentTotals { files: 2, ..few.content };
        assert!(few.serves(few.change, &few.policy, more, later).is_none(), "few are counted at once");
        let many = Counted { waiting: MANY_FILES + 1, ..few.clone() };
        let found = many.serves(many.change, &many.policy, more, later).expect("many are not");
        assert_eq!((found.as_of, found.content.files), (now, 1), "and the answer says of when it is");
        // what takes long is counted beside the request, and the answer says of when it is
        let slow = Counted { took: QUICK, revisions: MANY_REVISIONS, ..few.clone() };
        assert!(!Counted { took: QUICK, ..few.clone() }.is_slow(), "few are counted while somebody waits");
        assert_eq!(same(&slow).map(|it| (it.as_of, it.is_over)), Some((later, false)), "it is still so");
        let found = slow.serves(ChangeNumber(6), &slow.policy, more, later).expect("it serves meanwhile");
        assert_eq!((found.as_of, found.is_over, found.waiting), (now, true, 7));
        if let Some(before) = Instant::now().checked_sub(AGE) {
            assert!(same(&Counted { read_at: before, ..few.clone() }).is_none());
        }
        if let Some(before) = Instant::now().checked_sub(OLDEST) {
            assert!(same(&Counted { read_at: before, ..slow }).is_none());
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
