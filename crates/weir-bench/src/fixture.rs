//! Data folders with a synthetic catalogue, and the computers that scan it.

use std::{
    collections::{HashMap, HashSet},
    io::Cursor,
    path::Path,
    sync::Arc,
};

use anyhow::ensure;
use jiff::Timestamp;
use weir_model::{
    catalogue::{PageLimits, Scratch, SoftwareQuery},
    ids::{CollectionId, RevisionId, UpdateId},
    update::UpdateType,
};
use weir_server::{
    import::{Batch, Input},
    live::{Live, Published},
};
use weir_store::{Actor, Options, Store};
use weir_testkit::{
    Document, Random,
    catalogue::{Catalogue, Shape},
};

/// Documents imported in one transaction.
const TOGETHER: usize = 2_000;
/// Bytes of documents imported in one transaction.
const TOGETHER_BYTES: usize = 128 << 20;

/// What was built.
pub(crate) struct Fixture {
    /// The plan of the documents.
    pub(crate) catalogue: Catalogue,
    /// The compiled state that the server will have, too.
    pub(crate) published: Arc<Published>,
    /// Bytes of all documents.
    pub(crate) document_bytes: u64,
    core_lens: HashMap<RevisionId, u32>,
}

/// Imports a synthetic catalogue into an empty data folder, through the same code as any import.
pub(crate) async fn build(data: &Path, shape: Shape) -> anyhow::Result<Fixture> {
    build_on(data, shape, None).await
}

/// The same into an empty database of PostgreSQL, if one is named.
pub(crate) async fn build_on(data: &Path, shape: Shape, database: Option<String>) -> anyhow::Result<Fixture> {
    let store = Store::open(data, &Options { database, ..Options::default() })?;
    let catalogue = Catalogue::generate(shape);
    let document_bytes = import(&store, catalogue.documents())?;
    let rows = store.read(|tx| tx.catalogue_revisions(RevisionId(0)))?;
    let core_lens = rows.iter().map(|row| (row.id, u32::try_from(row.core_len).unwrap_or(u32::MAX))).collect();
    let published = Live::new(store).republish().await?;
    released(data).await?;
    Ok(Fixture { catalogue, published, document_bytes, core_lens })
}

/// Waits until nobody holds a data folder: the thread that published lets go of the database a moment after it answered.
pub(crate) async fn released(data: &Path) -> anyhow::Result<()> {
    let mut patience = 500;
    while let Err(error) = Store::lock(data) {
        patience -= 1;
        ensure!(patience > 0, error);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Imports documents, through the same code as any import. Returns how many bytes they have.
pub(crate) fn import(store: &Store, documents: impl Iterator<Item = Document>) -> anyhow::Result<u64> {
    let mut documents = documents.peekable();
    let mut document_bytes = 0;
    while documents.peek().is_some() {
        let (mut inputs, mut bytes) = (Vec::new(), 0);
        while inputs.len() < TOGETHER && bytes < TOGETHER_BYTES {
            let Some(document) = documents.next() else { break };
            let text = document.to_xml();
            bytes += text.len();
            inputs.push(Input {
                name: document.identity().to_string(),
                source: Box::new(Cursor::new(text.into_bytes())),
            });
        }
        document_bytes += bytes as u64;
        let mut batch = Batch::read(inputs, &|_, _, _| {})?;
        ensure!(batch.result.rejected == 0, "a synthetic document was rejected: {:?}", batch.result.errors.first());
        store.try_write(&Actor::system("bench", Timestamp::now()), |tx| batch.store(tx, &|_, _, _| {}))?;
    }
    Ok(document_bytes)
}

/// A data folder with what another one has.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// What a computer has in its cache after a whole scan, by the lists of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settled {
    /// Installed revisions that others depend on.
    pub(crate) installed: Vec<RevisionId>,
    /// Everything else.
    pub(crate) other: Vec<RevisionId>,
}

impl Settled {
    fn len(&self) -> usize {
        self.installed.len() + self.other.len()
    }
}

impl Fixture {
    /// Runs the protocol against the compiled catalogue until nothing new arrives. Each detectoid and product holds on
    /// the computer with probability `share`, decided by `seed`; everything else that others depend on holds.
    pub(crate) fn settle(&self, share: f64, seed: u64) -> Settled {
        self.walk(share, seed, &mut |_| {})
    }

    /// What the requests of a first scan name, call by call, the first one nothing. As [`Fixture::settle`] otherwise.
    pub(crate) fn first_scan(&self, share: f64, seed: u64) -> Vec<Settled> {
        let mut calls = Vec::new();
        self.walk(share, seed, &mut |settled| calls.push(settled.clone()));
        calls
    }

    /// The protocol until nothing new arrives; `each` sees what the computer has before each call.
    fn walk(&self, share: f64, seed: u64, each: &mut dyn FnMut(&Settled)) -> Settled {
        let varies: HashSet<UpdateId> =
            self.catalogue.detectoids.iter().chain(&self.catalogue.products).copied().collect();
        let snapshot = &self.published.snapshot;
        let scope = snapshot.scope(&[CollectionId::UNASSIGNED_COMPUTERS]);
        let mut settled = Settled::default();
        let mut scratch = Scratch::default();
        loop {
            each(&settled);
            let query = SoftwareQuery {
                installed: &settled.installed,
                other: &settled.other,
                anchor: Some(snapshot.change()),
                ..SoftwareQuery::default()
            };
            let plan = snapshot.software(&scope, &query, &PageLimits::default(), &mut scratch);
            let mut again = plan.truncated;
            for entry in &plan.new {
                again |= !entry.is_leaf;
                let identity = snapshot.identity(entry.id);
                let holds = identity.is_none_or(|identity| {
                    let dice =
                        Random::new(seed ^ u64::from(entry.id.0.unsigned_abs()).wrapping_mul(0x9e37_79b9)).fraction();
                    !varies.contains(&identity.update_id) || dice < share
                });
                let pseudo =
                    matches!(snapshot.update_type(entry.id), Some(UpdateType::Category | UpdateType::Detectoid));
                if pseudo && holds && !entry.is_leaf {
                    settled.installed.push(entry.id);
                } else {
                    settled.other.push(entry.id);
                }
            }
            if !again {
                return settled;
            }
        }
    }

    /// Finds the share at which computers have about `cached` revisions in their cache.
    pub(crate) fn share_for(&self, cached: usize) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..12 {
            let middle = f64::midpoint(low, high);
            let mean = (0..3).map(|seed| self.settle(middle, seed).len()).sum::<usize>() / 3;
            if mean < cached { low = middle } else { high = middle }
        }
        high
    }

    /// Length of the escaped Core fragment of a revision, if it is one of this catalogue.
    pub(crate) fn core_len(&self, id: RevisionId) -> Option<u32> {
        self.core_lens.get(&id).copied()
    }

    /// The longest of them.
    pub(crate) fn largest_core(&self) -> u32 {
        self.core_lens.values().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use weir_testkit::catalogue::Sizes;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_first_scan_begins_with_nothing_and_ends_settled() {
        let folder = tempfile::tempdir().expect("a folder");
        let shape = Shape { revisions: 400, sizes: Sizes::Small, seed: 2 };
        let fixture = build(folder.path(), shape).await.expect("built");
        let (calls, settled) = (fixture.first_scan(0.5, 1), fixture.settle(0.5, 1));
        assert!(calls.len() > 1 && calls[0].len() == 0, "{} calls", calls.len());
        let sizes: Vec<usize> = calls.iter().map(Settled::len).collect();
        assert!(sizes.is_sorted() && sizes.iter().all(|size| *size <= settled.len()), "{sizes:?}");
        assert!(settled.len() > sizes[0], "{} in the cache", settled.len());
    }
}
