//! What a server's database says, and data folders to begin from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use tempfile::TempDir;
use weir_model::ids::{UpdateId, UpdateIdentity};
use weir_testkit::engine::{self, Direct};

use crate::support::Downstream;

/// Tables that a run may write before it is complete: nothing shows them to computers, and the audit log and status messages
/// are about the attempt.
const UNDER_WAY: &[&str] = &[
    "audit",
    "held_deployment",
    "pending_revision",
    "staged_revision",
    "staged_source",
    "status_message",
    "sync_list",
    "sync_source",
];

/// Every row of every table, but for what a run may write before it is complete, with the anchors of lists and
/// deployments.
pub(crate) type Rows = BTreeMap<String, BTreeSet<String>>;

fn rows(data: &Path, is_left_out: impl Fn(&str) -> bool) -> Rows {
    let database = Direct::of(data);
    let mut found = Rows::new();
    let query = |what: &str| -> BTreeSet<String> {
        let (columns, rows) = database.named(what, &[]);
        let shown = |row: Vec<String>| {
            let mut text = String::new();
            for (column, value) in columns.iter().zip(row).filter(|(column, _)| !is_left_out(column)) {
                text.push_str(&format!("{column}={value} "));
            }
            text
        };
        rows.into_iter().map(shown).collect()
    };
    for table in database.tables().into_iter().filter(|table| !UNDER_WAY.contains(&table.as_str())) {
        let mut rows: BTreeSet<String> = query(&format!("SELECT * FROM {table}"));
        // how far the members of collections were evaluated moves by itself, after the start
        rows.retain(|row| !row.contains("name=membership_"));
        found.insert(table, rows);
    }
    let anchors = "SELECT category_anchor, update_anchor, update_filter, deployment_anchor FROM sync_source
         WHERE coalesce(category_anchor, update_anchor, deployment_anchor) IS NOT NULL";
    found.insert("anchors".to_owned(), query(anchors));
    found
}

/// All of it, moments included: two of these are equal if nothing at all happened between them.
pub(crate) fn exactly(downstream: &Downstream) -> Rows {
    rows(downstream.data.path(), |_| false)
}

/// Without the moments and what each server has of its own: equal for two servers that came to the same by different ways.
pub(crate) fn settled(downstream: &Downstream) -> Rows {
    let mut rows = rows(downstream.data.path(), |column| column.ends_with("_at"));
    rows.retain(|table, _| !matches!(table.as_str(), "sealing_key" | "setting" | "refinery_schema_history"));
    // addresses of files name the proxy, if that was asked
    if let Some(sources) = rows.get_mut("file_source") {
        *sources = sources.iter().map(|row| row.replace(|c: char| c.is_ascii_digit(), "")).collect();
    }
    rows
}

/// The first difference, in few words.
pub(crate) fn difference(one: &Rows, two: &Rows) -> Option<String> {
    one.iter().zip(two).find(|(one, two)| one != two).map(|((table, one), (_, two))| {
        let only = |one: &BTreeSet<String>, two: &BTreeSet<String>| {
            one.difference(two).take(3).map(|row| row.chars().take(400).collect::<String>()).collect::<Vec<_>>()
        };
        format!("{table}: {:#?} against {:#?}", only(one, two), only(two, one))
    })
}

/// What is on disk: stored or staged. Whatever is there was acknowledged and need not be fetched again.
pub(crate) fn durable(downstream: &Downstream) -> BTreeSet<UpdateIdentity> {
    let staged = downstream.read(|tx| tx.staged_heads(0, 1_000));
    let mut durable = downstream.stored();
    durable.extend(staged.into_iter().map(|head| head.identity));
    durable
}

/// A folder in memory where that is possible: hundreds of servers are made.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder")
}

/// A server that is where `downstream` is.
pub(crate) async fn copy(downstream: &Downstream) -> Downstream {
    let folder = folder();
    engine::copy(downstream.data.path(), folder.path());
    for file in fs::read_dir(downstream.data.path()).expect("a folder").filter_map(Result::ok) {
        let is_database = file.file_name().to_string_lossy().starts_with("weir.db");
        if !is_database && file.file_type().expect("a type").is_file() {
            fs::copy(file.path(), folder.path().join(file.file_name())).expect("copied");
        }
    }
    let mut copy = Downstream::open(folder).await;
    copy.replica = downstream.replica;
    copy
}

/// The newest revision of an update.
pub(crate) fn newest(downstream: &Downstream, id: UpdateId) -> u32 {
    let query = "SELECT revision FROM revision JOIN updates ON newest_revision_id = revision_id WHERE update_id = ?1";
    let number = Direct::of(downstream.data.path()).number(query, &[id.0.as_bytes().to_vec().into()]);
    u32::try_from(number).expect("a revision")
}
