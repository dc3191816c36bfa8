//! A downstream server of a test's own, and a small catalogue for the upstream.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;
use weir_api::status::Endpoints;
use weir_model::{
    ids::{RevisionId, Sha256Digest, UpdateId, UpdateIdentity},
    update::CategoryKind,
};
use weir_server::{
    Options,
    admin::{App, Caller, Parts, Secrets},
    config,
    state::{AppState, ClientSettings},
    sync::{
        engine::{Order, Outcome, SyncError, synchronize},
        peer::{Peer, PeerError, Upstream as Source},
        progress::Progress,
    },
};
use weir_store::{Actor, ReadTx, Store, StoreError, WriteTx, content::ContentStore};
use weir_testkit::{
    Document, engine,
    upstream::{Received, Served, Upstream},
};
use weir_wire::wsss::{Operation, Request, ServerSyncFilter};

/// An update id that reads well in failures.
pub(crate) fn id(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 | number))
}

pub(crate) fn identity(number: u128, revision: u32) -> UpdateIdentity {
    UpdateIdentity::new(id(number), revision)
}

pub(crate) const PRODUCT: u128 = 3;
pub(crate) const OTHER_PRODUCT: u128 = 4;
pub(crate) const CLASSIFICATION: u128 = 5;
pub(crate) const DETECTOID: u128 = 6;
pub(crate) const FAMILY: u128 = 2;

/// Company 1, family 2, products 3 and 4, classification 5, detectoid 6.
pub(crate) fn categories() -> Vec<Document> {
    vec![
        Document::category(id(1), 1, CategoryKind::Company).title("Company"),
        Document::category(id(FAMILY), 1, CategoryKind::ProductFamily).title("Family").in_category(id(1)),
        Document::category(id(PRODUCT), 1, CategoryKind::Product).title("Product").in_category(id(FAMILY)),
        Document::category(id(OTHER_PRODUCT), 1, CategoryKind::Product).title("Other").in_category(id(FAMILY)),
        Document::category(id(CLASSIFICATION), 1, CategoryKind::UpdateClassification).title("Security"),
        Document::detectoid(id(DETECTOID), 1),
    ]
}

/// A software update of the product.
pub(crate) fn software(number: u128, revision: u32) -> Document {
    of_product(Document::software(id(number), revision).title(&format!("Update {number}")), PRODUCT)
}

pub(crate) fn of_product(document: Document, product: u128) -> Document {
    document.requires(id(DETECTOID)).in_category(id(product)).in_category(id(CLASSIFICATION))
}

/// The categories and these.
pub(crate) fn served(documents: impl IntoIterator<Item = Document>) -> Served {
    Served::new().with(categories()).with(documents)
}

/// A running downstream server without listeners.
pub(crate) struct Downstream {
    pub(crate) app: App,
    pub(crate) products: BTreeSet<Uuid>,
    pub(crate) classifications: BTreeSet<Uuid>,
    pub(crate) languages: BTreeSet<u32>,
    pub(crate) replica: bool,
    pub(crate) data: TempDir,
}

impl Downstream {
    /// Wants the product and the classification; tries nothing twice.
    pub(crate) async fn new() -> Self {
        Self::open(tempfile::tempdir().expect("folder")).await
    }

    pub(crate) async fn open(data: TempDir) -> Self {
        let options = Options { data: Some(data.path().to_owned()), ..Options::default() };
        let process = config::load(&options, &|_| None).expect("settings");
        let database = engine::database(data.path());
        let options = weir_store::Options { database, ..weir_store::Options::default() };
        let store = Store::open(data.path(), &options).expect("store");
        let content = ContentStore::open(&data.path().join("content")).expect("content");
        let state = AppState::open(store, content, ClientSettings::default()).await.expect("state");
        let parts = Parts {
            state,
            process: Arc::new(process),
            secrets: Secrets { token: Sha256Digest([0; 32]) },
            endpoints: Endpoints::default(),
            started_at: Timestamp::now(),
        };
        let downstream = Self {
            app: App::new(parts),
            products: [id(PRODUCT).0].into(),
            classifications: [id(CLASSIFICATION).0].into(),
            languages: BTreeSet::new(),
            replica: false,
            data,
        };
        downstream.set("sync.retries", json!(0));
        downstream.set("server.name", json!("child.example"));
        downstream
    }

    pub(crate) fn caller() -> Caller {
        Caller::named("test")
    }

    pub(crate) fn set(&self, key: &str, value: Value) {
        self.write(|tx| tx.setting_put(key, &value));
    }

    pub(crate) fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>) -> T {
        self.app.state.store.write(&Actor::system("test", Timestamp::now()), work).expect("writes")
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> T {
        self.app.state.store.read(work).expect("reads")
    }

    pub(crate) fn order(&self, url: &str) -> Order {
        let mut source = Source::at(url).expect("an address");
        // the proxy that cuts is the same server at another address
        "scripted".clone_into(&mut source.identity);
        source.replica = self.replica;
        Order {
            upstream: Some(source),
            products: self.products.clone(),
            classifications: self.classifications.clone(),
            languages: self.languages.clone(),
            connections: 2,
            memory: 16 << 20,
            full: false,
            named: Vec::new(),
        }
    }

    pub(crate) async fn try_sync(&self, url: &str) -> Result<Outcome, SyncError> {
        synchronize(&self.app, &Self::caller(), &self.order(url), &Progress::new()).await
    }

    /// A synchronization that must succeed without losing an item.
    #[track_caller]
    pub(crate) fn sync<'a>(&'a self, upstream: &'a Upstream) -> impl Future<Output = Outcome> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let outcome = self.try_sync(&upstream.url()).await;
            let outcome = outcome.unwrap_or_else(|error| panic!("{caller}: {error:?}"));
            assert_eq!((outcome.dropped, outcome.problems.as_slice()), (0, &[][..]), "{caller}");
            outcome
        }
    }

    pub(crate) async fn connect(&self, upstream: &Upstream) -> Result<Peer, PeerError> {
        Peer::connect(&self.app, &Source::at(&upstream.url())?, &Progress::new()).await
    }

    /// Everything that is part of the catalogue.
    pub(crate) fn stored(&self) -> BTreeSet<UpdateIdentity> {
        let rows = self.read(|tx| tx.catalogue_revisions(RevisionId(0)));
        rows.into_iter().map(|row| row.identity).collect()
    }

    /// The document of a stored revision.
    pub(crate) fn text(&self, identity: UpdateIdentity) -> String {
        let found = self.read(|tx| match tx.revision_find(identity)? {
            Some(row) => tx.document_text(row.id),
            None => Ok(None),
        });
        found.unwrap_or_else(|| panic!("{identity} is not stored"))
    }

    pub(crate) fn staged(&self) -> u64 {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "a method is not general enough here")]
        self.read(|tx| tx.staged_count())
    }
}

/// The identities that an upstream serves.
pub(crate) fn all_of(upstream: &Upstream) -> BTreeSet<UpdateIdentity> {
    upstream.change(|served| served.revisions.keys().copied().collect())
}

/// How often an operation was called.
pub(crate) fn count(upstream: &Upstream, operation: Operation) -> usize {
    upstream.operations().into_iter().filter(|called| *called == operation).count()
}

/// The filters of the lists that were asked for, in order.
pub(crate) fn filters(upstream: &Upstream) -> Vec<ServerSyncFilter> {
    let filter = |received: Received| match received.request {
        Some(Request::GetRevisionIdList(request)) => request.filter,
        _ => None,
    };
    upstream.log().into_iter().filter_map(filter).collect()
}

/// How many revisions each GetUpdateData named, in order.
pub(crate) fn batches(upstream: &Upstream) -> Vec<Vec<UpdateIdentity>> {
    let ids = |received: Received| match received.request {
        Some(Request::GetUpdateData(request)) => request.update_ids,
        _ => None,
    };
    upstream.log().into_iter().filter_map(ids).collect()
}
