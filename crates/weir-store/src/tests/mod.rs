//! Tests of the crate as its users see it, on a database of their own each: the embedded one, or one of PostgreSQL if
//! `WEIR_TEST_ENGINE=postgres` says so. What is about the file of the embedded engine, or its plans, stays there.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a path to a method of a type with a lifetime is not general enough for units of work"
)]

mod administration;
mod alerts;
mod backup;
mod bundles;
mod cleanup;
mod client_settings;
mod computers;
mod content;
mod crash;
mod deployments;
mod exposure;
mod failures;
mod feed;
mod freshness;
mod front_ends;
mod groups;
mod history;
mod idempotency;
mod lists;
mod long_texts;
mod membership;
mod plans_postgres;
mod postgres;
mod pulse;
mod report_schedules;
mod revisions;
mod rules;
mod schema;
mod schema_pair;
mod staging;
mod totals;
mod transfer;
mod units_postgres;
mod windows;

use std::path::Path;

use jiff::Timestamp;
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{
    ids::{ContentDigest, UpdateId, UpdateIdentity},
    update::{BundleClause, CategoryKind, PrerequisiteClause, Relationships, UpdateType},
};
use weir_testkit::engine::{self, Value};

use crate::{
    Actor, Options, Store, StoreError, WriteTx,
    revision::{LocalizedText, NewRevision, PackedRevision, RevisionFile},
};

pub(crate) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + second).expect("in range")
}

pub(crate) fn actor(second: i64) -> Actor {
    Actor::principal("administrator", Some("192.0.2.1"), time(second))
}

pub(crate) fn update(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(0xfeed_0000_0000_0000_0000_0000_0000_0000 + number))
}

/// How to open the store of a folder, on the engine that was chosen for it.
pub(crate) fn options(folder: &Path) -> Options {
    Options { database: engine::database(folder), ..Options::default() }
}

/// A store in a folder of its own.
pub(crate) struct Scratch {
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::open(TempDir::new().expect("a scratch folder"))
    }

    /// One on the embedded engine, whatever was chosen.
    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().expect("a scratch folder");
        engine::keep_sqlite(folder.path());
        Self::open(folder)
    }

    fn open(folder: TempDir) -> Self {
        let store = Store::open(folder.path(), &options(folder.path())).expect("opens");
        Self { store, folder }
    }

    /// Changes something past the store; gives how many rows.
    pub(crate) fn execute(&self, sql: &str, values: &[Value]) -> u64 {
        engine::execute(self.folder.path(), sql, values)
    }

    pub(crate) fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>) -> T {
        self.store.write(&actor(0), work).expect("writes")
    }

    pub(crate) fn import(&self, revisions: Vec<NewRevision>) -> crate::revision::ImportCounts {
        let packed: Vec<_> = revisions.into_iter().map(|one| PackedRevision::pack(one).expect("packs")).collect();
        self.write(|tx| tx.revision_import(&packed))
    }

    /// Closes the database and opens it again.
    pub(crate) fn reopen(self) -> Self {
        let Self { store, folder } = self;
        drop(store);
        Self::open(folder)
    }
}

/// A software revision with a text of its own and nothing else.
pub(crate) fn software(number: u128, revision: u32) -> NewRevision {
    let identity = UpdateIdentity::new(update(number), revision);
    NewRevision {
        identity,
        text: format!("<upd:Update xmlns:upd=\"u\">{identity}\r\n</upd:Update>"),
        update_type: UpdateType::Software,
        category: None,
        expired: false,
        explicitly_deployable: true,
        default_language: "en".to_owned(),
        created_at: Some(time(-1000)),
        severity: None,
        kb_articles: vec![format!("{}", 5_000_000 + number)],
        bulletins: Vec::new(),
        eula_id: None,
        compatible_protocol: None,
        relationships: Relationships::default(),
        drivers: Vec::new(),
        localized: vec![
            LocalizedText { language: "de".to_owned(), title: format!(" Titel {number}"), description: None },
            LocalizedText {
                language: "en".to_owned(),
                title: format!(" Title {number} "),
                description: Some("What it does".to_owned()),
            },
        ],
        files: Vec::new(),
        core_escaped: format!("&lt;UpdateIdentity UpdateID=\"{identity}\" /&gt;"),
        core_plain_len: 50,
        core_blocks: Vec::new(),
        extended: format!("<ExtendedProperties Of=\"{identity}\" />"),
        localized_fragments: vec![
            ("de".to_owned(), "<LocalizedProperties>de</LocalizedProperties>".to_owned()),
            ("en".to_owned(), "<LocalizedProperties>en</LocalizedProperties>".to_owned()),
        ],
        architectures: std::collections::BTreeSet::new(),
        languages: Vec::new(),
        eula_fragments: Vec::new(),
    }
}

pub(crate) fn category(number: u128, kind: CategoryKind, parent: Option<u128>) -> NewRevision {
    let prerequisites = parent.map(in_category).into_iter().collect();
    NewRevision {
        update_type: UpdateType::Category,
        category: Some(kind),
        explicitly_deployable: false,
        kb_articles: Vec::new(),
        relationships: Relationships { prerequisites, ..Relationships::default() },
        ..software(number, 1)
    }
}

pub(crate) fn in_category(number: u128) -> PrerequisiteClause {
    PrerequisiteClause { alternatives: vec![update(number)], is_category: true, bare: false }
}

pub(crate) fn bundles(members: &[(u128, u32)]) -> Vec<BundleClause> {
    members
        .iter()
        .map(|(number, revision)| BundleClause { alternatives: vec![UpdateIdentity::new(update(*number), *revision)] })
        .collect()
}

pub(crate) fn file(seed: u8) -> RevisionFile {
    RevisionFile {
        digest: ContentDigest([seed; 20]),
        sha256: Some(weir_model::ids::Sha256Digest([seed; 32])),
        size: 1000 + u64::from(seed),
        name: format!("file{seed}.cab"),
        modified_at: Some(time(5)),
        eula_language: None,
        express: false,
    }
}
