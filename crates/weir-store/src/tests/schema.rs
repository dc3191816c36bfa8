//! The schema, its migrations, and every registered statement.

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use rusqlite::Connection;

use super::{Scratch, options};
use crate::{Options, Store, StoreError, sql};

fn schemas() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/schemas")
}

fn connect(scratch: &Scratch) -> Connection {
    Connection::open(scratch.folder.path().join("weir.db")).expect("a second connection")
}

/// Tables, indexes and triggers as SQL, in a fixed order.
fn dump(connection: &Connection) -> String {
    let query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
                 AND name <> 'refinery_schema_history' ORDER BY tbl_name, type DESC, name";
    let mut statement = connection.prepare(query).expect("prepares");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("queries");
    rows.fold(String::new(), |mut dump, sql| {
        writeln!(dump, "{};\n", sql.expect("text")).expect("a string takes it");
        dump
    })
}

#[test]
fn a_fresh_schema_is_the_recorded_one() {
    let path = schemas().join(concat!(env!("CARGO_PKG_VERSION"), ".sql"));
    let dump = dump(&connect(&Scratch::sqlite()));
    if std::env::var_os("WEIR_UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &dump).expect("writes the schema");
    }
    let recorded = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; set WEIR_UPDATE_SCHEMAS=1 to write it", path.display()));
    assert!(dump == recorded, "the schema changed: set WEIR_UPDATE_SCHEMAS=1 to record it, and look at the difference");
}

/// `tests/schemas/releases` has a line `version commit schema-dump database` for each release.
#[test]
fn every_released_database_is_brought_up_to_date() {
    let list = std::fs::read_to_string(schemas().join("releases")).expect("tests/schemas/releases");
    let fresh = dump(&connect(&Scratch::sqlite()));
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [version, _commit, schema, database] = fields[..] else { panic!("not four fields: {line}") };
        assert!(schemas().join(schema).is_file(), "{version}: {schema} is absent");
        let folder = tempfile::TempDir::new().expect("a scratch folder");
        std::fs::copy(schemas().join(database), folder.path().join("weir.db")).expect("copies the database");
        let store =
            Store::open(folder.path(), &Options::default()).unwrap_or_else(|error| panic!("{version}: {error}"));
        let revisions = store.read(|tx| tx.catalogue_revisions(weir_model::ids::RevisionId(0))).expect("reads");
        assert!(!revisions.is_empty(), "{version}: the sample database has a catalogue");
        assert!(store.read(|tx| tx.document_text(revisions[0].id)).expect("reads").is_some());
        assert!(store.read(|tx| tx.computer_count()).expect("reads") > 0, "{version}: and computers");
        drop(store);
        let connection = Connection::open(folder.path().join("weir.db")).expect("opens");
        assert_eq!(dump(&connection), fresh, "{version}: migrated and fresh schema differ");
        let damage: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
        assert_eq!(damage, "ok", "{version}");
    }
}

#[test]
fn opening_twice_migrates_once() {
    let scratch = Scratch::sqlite();
    let before = dump(&connect(&scratch));
    let scratch = scratch.reopen();
    assert_eq!(dump(&connect(&scratch)), before);
    let versions: i64 = connect(&scratch)
        .query_row("SELECT count(*) FROM refinery_schema_history", [], |row| row.get(0))
        .expect("counts");
    assert_eq!(
        versions,
        std::fs::read_dir(schemas().join("../../crates/weir-store/migrations")).expect("migrations").count() as i64
    );
}

#[test]
fn a_folder_is_locked_while_open() {
    let scratch = Scratch::new();
    let open = Store::open(scratch.folder.path(), &options(scratch.folder.path()));
    assert!(matches!(open, Err(StoreError::Locked(_))), "{open:?}");
    assert!(matches!(Store::lock(scratch.folder.path()), Err(StoreError::Locked(_))));
    let Scratch { store, folder } = scratch;
    drop(store);
    drop(Store::lock(folder.path()).expect("free again"));
    Store::open(folder.path(), &options(folder.path())).expect("opens");
}

#[test]
fn a_file_that_is_no_database_is_said_to_be_damaged() {
    let folder = tempfile::TempDir::new().expect("a scratch folder");
    std::fs::write(folder.path().join("weir.db"), "this is no database".repeat(100)).expect("writes");
    let open = Store::open(folder.path(), &Options::default());
    assert!(matches!(open, Err(StoreError::Corrupt { .. })), "{open:?}");
}

#[test]
fn every_statement_prepares() {
    let scratch = Scratch::sqlite();
    let connection = connect(&scratch);
    let mut texts = BTreeSet::new();
    for statement in sql::all() {
        connection.prepare(statement.text).unwrap_or_else(|error| panic!("{}: {error}", statement.text));
        assert!(!statement.text.contains('$'), "{}", statement.text);
        assert!(texts.insert(statement.text), "registered twice: {}", statement.text);
    }
    assert!(texts.len() > 100, "the registry is whole");
    assert!(texts.len() < 1_024, "all statements fit the cache of a connection");
}

/// Statements that mean to read a whole table: lists that are small, loads at start, searches by text, counts.
pub(super) const WHOLE: &[&str] = &[
    // as many rows as there are servers and kinds of work: a handful
    "listing front ends",
    "forgetting front ends that are gone",
    "listing duties",
    "prolonging duties",
    "giving duties up",
    // counters, keys, requests of downstream servers: a handful of rows each, once a second at most
    "looking at the counters",
    "looking for the last of what is added",
    // a row for each migration
    "reading the version of the schema",
    // what is asked once by an administrator who suspects damage
    "looking at the texts of revisions",
    "comparing the counter of changes with what it counted",
    "looking for updates whose newest revision is not there",
    "looking for relationships of updates that are not there",
    "looking for categories that are not there",
    // once when a server starts
    "loading what all computers reported",
    // exposure: what documents say is put together when one of them changes, and all builds are read once
    "listing exposure documents",
    "loading exposure documents",
    "loading the builds of all computers",
    "listing exceptions from service levels",
    "loading revisions for clean-up",
    "loading prerequisites for clean-up",
    "loading members of bundles for clean-up",
    "loading supersedence for clean-up",
    "loading categories for clean-up",
    "loading classifications for clean-up",
    "loading declines for clean-up",
    "loading former members of bundles",
    "loading deployments for clean-up",
    "loading deployments of groups for clean-up",
    "loading members of update groups for clean-up",
    "loading the tree of collections for clean-up",
    "listing revisions that leave",
    "listing what is set of updates",
    "asking again for what was left out",
    "counting all revisions to fetch",
    "counting revisions that are left out",
    "counting staged revisions",
    "giving revisions up",
    "listing deployments held back",
    "listing deployments made here",
    "listing stopped updates",
    "listing templates",
    "listing update groups",
    "looking what deployments wait for",
    "listing revisions that are given up",
    "noting that no revision could be fetched",
    "listing staged categories",
    "noting staged sources of files",
    "reading how old roll-ups were on the days of history",
    "reading lists under way",
    "comparing open alerts with what was told",
    "counting computers",
    // one compact pass over every computer, for searches by name, at most every few seconds
    "reading what computers are called",
    // one compact pass over every computer, for all freshness at once
    "reading when computers were heard of",
    // pairs of rows with one name are looked for among all
    "reading who computers are",
    "counting computers that did not call",
    // rows exist only for computers that changed within the last months
    "listing prints of computers",
    "forgetting old prints",
    "counting retired computers",
    "forgetting retired computers",
    "counting computers that stopped reporting",
    "naming computers that stopped reporting",
    "listing deployments that ask for compliance",
    "listing subscriptions",
    "counting computers to be told of",
    "counting content files",
    "counting events",
    "counting status to be told",
    "counting updates without a revision",
    // an index of all revisions, once for each state of the catalogue
    "counting updates",
    // ends at the first that did
    "looking whether a computer reported",
    "freezing installations that are sent",
    "listing API tokens",
    "listing users",
    "listing mapped groups",
    "listing all computers",
    "listing installations that are sent",
    "listing categories",
    "listing phased deployments",
    "listing rules",
    "listing updates that wait for a run time",
    "listing templates of rules",
    "listing client settings",
    "listing collections",
    "listing computers to look at",
    // one compact pass; few have one
    "listing computers with a time zone of their own",
    "listing definitions of collections",
    "listing references of collections",
    "listing target groups",
    "listing the articles of updates",
    "listing the collections by rule",
    "listing criteria",
    "listing deployments in local time",
    "listing maintenance windows",
    "listing settings",
    "listing languages",
    "listing enrolled servers",
    "listing sites",
    "making the parent's client settings this site's own",
    "making the parent's criteria this site's own",
    "making the parent's decisions this site's own",
    "making the parent's deployments this site's own",
    "making the parent's maintenance windows this site's own",
    "making the parent's phased deployments this site's own",
    "making the parent's rules this site's own",
    "making the parent's saved searches this site's own",
    "making the parent's templates this site's own",
    "listing the status of update points",
    "listing sealing keys",
    "listing alerts",
    "listing open alerts",
    "listing unassigned computers",
    "loading all computers",
    "loading all memberships",
    "loading collections",
    "loading deleted deployments",
    "loading deployments",
    "loading the numbers of revisions",
    "loading the status of all computers",
    "listing content of deployments",
    "listing content of live updates",
    "listing content that deployments wait for",
    "listing bundles that came",
    "listing the whole catalogue",
    "listing all prerequisites",
    "listing all members of bundles",
    "listing licence files",
    "listing trusted signers",
    "listing deployments with the content that each waits for",
    "listing files that downstream servers asked for",
    "listing files that rest",
    "listing files that were asked for",
    "listing licence files of live updates",
    "counting stored revisions",
    "listing groups for searches",
    "listing members of all groups",
    // few rows
    "listing schedules of reports",
    // once, at the start of the process
    "giving scheduled reports of an earlier process back",
    "listing saved searches",
    "loading what administrators set of updates",
    // history has a row for each subject and year: some thousands, of which old ones are looked for once a day
    "listing what history is kept of",
    "forgetting what has no history any more",
    "looking for history that is too old",
    "measuring history",
];

#[test]
fn no_statement_scans_a_table_unless_it_means_to() {
    let scratch = Scratch::sqlite();
    let connection = connect(&scratch);
    let mut found = Vec::new();
    for statement in sql::all().filter(|statement| !WHOLE.contains(&statement.action)) {
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text)).expect("prepares");
        let mut plan = explain.raw_query();
        while let Some(row) = plan.next().expect("explains") {
            let step: String = row.get(3).expect("text");
            // A recursive query scans its own queue.
            let scan = step.starts_with("SCAN") && step != "SCAN n" && !step.contains("CONSTANT ROW");
            if scan || step.contains("AUTOMATIC") {
                found.push(format!("{}: {step}\n{}", statement.action, statement.text));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

#[test]
fn the_list_of_whole_scans_names_statements() {
    let actions: BTreeSet<&str> = sql::all().map(|statement| statement.action).collect();
    for action in WHOLE {
        assert!(actions.contains(action), "{action}");
    }
}

#[test]
fn every_transaction_is_durable_and_checked() {
    let scratch = Scratch::sqlite();
    scratch.store.write(&super::actor(0), |tx| tx.site_create(uuid::Uuid::nil())).expect("writes");
    let mode: String = connect(&scratch).query_row("PRAGMA journal_mode", [], |row| row.get(0)).expect("reads");
    assert_eq!(mode, "wal");
    assert_eq!(scratch.store.pragma("synchronous"), 2, "FULL");
    assert_eq!(scratch.store.pragma("foreign_keys"), 1);
}

/// The log of a store that writes without a pause stays bounded, and reading it back finds everything.
#[test]
fn the_write_ahead_log_is_bounded() {
    let scratch = Scratch::sqlite();
    let log = scratch.folder.path().join("weir.db-wal");
    let value = serde_json::Value::String("x".repeat(1_000_000));
    for round in 0..150 {
        scratch.write(|tx| tx.setting_put(&format!("key{}", round % 5), &serde_json::json!([round, value])));
        let bytes = std::fs::metadata(&log).expect("there is a log").len();
        assert!(bytes < 80 << 20, "the log has {bytes} bytes after {round} rounds");
    }
    let settings = scratch.reopen().store.read(|tx| tx.setting_list()).expect("reads");
    assert_eq!(settings.iter().map(|row| row.value[0].clone()).collect::<Vec<_>>(), [145, 146, 147, 148, 149]);
}

/// Writes the sample database of a release: `WEIR_SAMPLE_DATABASE=FILE cargo test -p weir-store sample -- --ignored`.
#[test]
#[ignore = "writes a file; run it when a release is made"]
fn sample_database() {
    let target = std::env::var_os("WEIR_SAMPLE_DATABASE").expect("WEIR_SAMPLE_DATABASE names the file to write");
    let scratch = Scratch::sqlite();
    super::revisions::fill(&scratch);
    super::computers::fill(&scratch);
    super::deployments::fill(&scratch);
    super::administration::fill(&scratch);
    let connection = connect(&scratch);
    connection.execute("VACUUM INTO ?1", [target.to_str().expect("a UTF-8 name")]).expect("writes");
}
