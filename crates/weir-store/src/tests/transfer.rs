//! All that a database has, moved to PostgreSQL and made a file of again.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, params, types::Value};
use serde_json::json;
use tempfile::TempDir;
use weir_model::ids::RevisionId;
use weir_testkit::postgres::Database;

use super::{Scratch, actor, software};
use crate::{
    Actor, Options, Store, StoreError,
    backup::{Inspection, copy_of, newest_schema},
    pg::Plain,
    transfer::{Moved, Phase, bring_up_to_date, has_data, into_postgres, out_of_postgres},
};

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

fn move_to(source: &Path, target: &str) -> Result<Option<Moved>, StoreError> {
    into_postgres(source, target, false, &mut |_| GO_ON)
}

fn file(scratch: &Scratch) -> PathBuf {
    scratch.folder.path().join("weir.db")
}

fn filled() -> Scratch {
    let scratch = Scratch::sqlite();
    super::revisions::fill(&scratch);
    super::computers::fill(&scratch);
    super::deployments::fill(&scratch);
    super::administration::fill(&scratch);
    scratch
}

fn connect(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
}

/// Every row of every table in words, and the numbers that were given.
fn contents(path: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = connect(path);
    let query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'refinery_schema_history'";
    let mut names = connection.prepare(query).expect("prepares");
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).expect("queries").map(|name| name.expect("a name")).collect();
    let mut all = BTreeMap::new();
    for name in names {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\"")).expect("prepares");
        let width = statement.column_count();
        let rows =
            statement.query_map([], |row| (0..width).map(|at| row.get::<_, Value>(at)).collect::<Result<Vec<_>, _>>());
        let mut rows: Vec<String> = rows.expect("queries").map(|row| format!("{:?}", row.expect("a row"))).collect();
        // a number of which none was given out says as much as none
        rows.retain(|row| name != "sqlite_sequence" || !row.ends_with("Integer(0)]"));
        rows.sort();
        all.insert(name, rows);
    }
    all
}

/// What makes the tables, indexes and triggers.
fn schema(path: &Path) -> Vec<String> {
    let connection = connect(path);
    let query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, name";
    let mut statement = connection.prepare(query).expect("prepares");
    statement.query_map([], |row| row.get(0)).expect("queries").map(|sql| sql.expect("a text")).collect()
}

fn open(folder: &Path, url: &str) -> Store {
    Store::open(folder, &Options { database: Some(url.to_owned()), ..Options::default() }).expect("opens")
}

fn refusal(moved: Result<Option<Moved>, StoreError>) -> String {
    match moved {
        Err(error @ StoreError::DatabaseRefused { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_site_moves_with_all_that_it_has_and_comes_back_the_same() {
    let schemas = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/schemas");
    let list = fs::read_to_string(schemas.join("releases")).expect("tests/schemas/releases");
    let mut sources = vec![(filled().folder, "filled".to_owned())];
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let name = line.rsplit(' ').next().expect("a name");
        let folder = TempDir::new().expect("a scratch folder");
        fs::copy(schemas.join(name), folder.path().join("weir.db")).expect("copies the database");
        bring_up_to_date(&folder.path().join("weir.db")).expect("brought up to date");
        sources.push((folder, name.to_owned()));
    }
    assert!(sources.len() > 5, "{sources:?}");
    for (folder, name) in sources {
        let path = folder.path().join("weir.db");
        let before = contents(&path);
        let database = Database::empty();
        let mut phases = Vec::new();
        let moved = into_postgres(&path, database.url(), false, &mut |told| {
            phases.push(told.phase);
            GO_ON
        });
        let moved = moved.unwrap_or_else(|error| panic!("{name}: {error}")).expect("whole");
        phases.dedup();
        assert_eq!(phases, [Phase::Copying, Phase::Finishing, Phase::Comparing], "{name}");
        assert!(moved.compared && moved.replaced.is_empty(), "{name}: {:?}", moved.replaced);
        assert_eq!(moved.schema_version, newest_schema());
        assert_eq!(moved.rows(), moved.tables.iter().map(|table| before[&table.name].len() as u64).sum::<u64>());
        assert_eq!(contents(&path), before, "{name}: the source is as it was");

        // what a server reads is the same
        let elsewhere = TempDir::new().expect("a scratch folder");
        let store = open(elsewhere.path(), database.url());
        let embedded = Inspection::open(&path).expect("opens");
        let revisions = embedded.read(|tx| tx.catalogue_revisions(RevisionId(0))).expect("reads");
        let there = store.read(|tx| tx.catalogue_revisions(RevisionId(0))).expect("reads");
        assert_eq!(format!("{there:?}"), format!("{revisions:?}"), "{name}");
        assert!(!revisions.is_empty(), "{name}");
        for revision in &revisions {
            let text = store.read(|tx| tx.document_text(revision.id)).expect("reads");
            assert_eq!(text, embedded.read(|tx| tx.document_text(revision.id)).expect("reads"), "{name}");
        }
        drop(store);

        let back = elsewhere.path().join("back.db");
        assert!(out_of_postgres(database.url(), &back, &mut |_| GO_ON).expect("copied"), "{name}");
        for (table, rows) in contents(&back) {
            assert_eq!(Some(&rows), before.get(&table), "{name}: what came back of {table} is what went");
        }
        assert_eq!(schema(&back), schema(&path), "{name}");
        let inspection = Inspection::still(&back).expect("opens");
        assert_eq!(inspection.schema_version().expect("reads"), Some(newest_schema()));
        assert_eq!(inspection.damage(true, 10).expect("checks"), Vec::<String>::new(), "{name}");
        assert!(inspection.dangling().expect("checks").is_empty(), "{name}");
    }
}

#[test]
fn strange_values_are_kept_and_a_character_that_cannot_be_is_told_of() {
    let scratch = filled();
    let path = file(&scratch);
    drop(scratch.store);
    let hand = Connection::open(&path).expect("a second connection");
    let texts = [
        "",
        " ",
        "\\N",
        "\\.",
        "a\tb\nc\r\\d",
        "\"quotes'\"",
        "🦀\u{10ffff}\u{e000}",
        "\u{fffd}",
        "NULL",
        "ß\u{301}",
        "\u{feff}",
        "\u{7f}\u{1}",
    ];
    for (at, text) in texts.iter().enumerate() {
        let sql = "INSERT INTO status_message (at, severity, component, code, text, parameters) VALUES (?1, ?2, ?3, 1, ?3, ?4)";
        hand.execute(sql, params![i64::MIN, i64::MAX, text, at.to_string()]).expect("stored");
    }
    let long = "long ".repeat(1 << 20);
    let sql =
        "INSERT INTO status_message (at, severity, component, code, text, parameters) VALUES (0, -1, 'c', 1, ?1, '')";
    hand.execute(sql, [&long]).expect("stored");
    for text in ["a\0b", "\0", "\0\0x"] {
        hand.execute(sql, [text]).expect("stored");
    }
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let sql = "INSERT INTO text_piece (revision_id, kind, part, piece, plain_len, data) VALUES (1, 9, ?1, 0, 0, ?2)";
    hand.execute(sql, params![0, bytes]).expect("stored");
    hand.execute(sql, params![1, Vec::<u8>::new()]).expect("stored");
    drop(hand);

    let database = Database::empty();
    let moved = move_to(&path, database.url()).expect("moved").expect("whole");
    let told: Vec<_> = moved.replaced.iter().map(|it| (it.table.as_str(), it.column.as_str(), it.rows)).collect();
    assert_eq!(told, [("status_message", "text", 3)]);
    let back = scratch.folder.path().join("back.db");
    assert!(out_of_postgres(database.url(), &back, &mut |_| GO_ON).expect("copied"));
    // the same is done by hand to what is compared
    let hand = Connection::open(&path).expect("a second connection");
    for text in ["a\0b", "\0", "\0\0x"] {
        let sql = "UPDATE status_message SET text = ?2 WHERE text = ?1";
        assert_eq!(hand.execute(sql, [text, &text.replace('\0', "\u{fffd}")]).expect("changed"), 1, "{text:?}");
    }
    drop(hand);
    assert_eq!(contents(&back), contents(&path));
}

#[test]
fn numbers_that_were_given_are_not_given_again() {
    let scratch = filled();
    let path = file(&scratch);
    drop(scratch.store);
    let hand = Connection::open(&path).expect("a second connection");
    // rows that went had these
    hand.execute_batch("UPDATE sqlite_sequence SET seq = 7000 WHERE name IN ('audit', 'revision')").expect("changed");
    drop(hand);
    let database = Database::empty();
    move_to(&path, database.url()).expect("moved").expect("whole");
    let elsewhere = TempDir::new().expect("a scratch folder");
    let store = open(elsewhere.path(), database.url());
    let packed = crate::revision::PackedRevision::pack(software(4711, 1)).expect("packs");
    store
        .write(&actor(0), |tx| {
            tx.revision_import(&[packed])?;
            tx.audit("test", "numbers", None, None)
        })
        .expect("writes");
    let newest = store.read(|tx| tx.catalogue_revisions(RevisionId(7000))).expect("reads");
    assert_eq!(newest.iter().map(|row| row.id).collect::<Vec<_>>(), [RevisionId(7001)]);
    drop(store);
    let back = elsewhere.path().join("back.db");
    assert!(out_of_postgres(database.url(), &back, &mut |_| GO_ON).expect("copied"));
    let last: i64 = connect(&back).query_row("SELECT max(audit_no) FROM audit", [], |row| row.get(0)).expect("asked");
    assert_eq!(last, 7001);
}

#[test]
fn triggers_and_references_work_again_afterwards() {
    let scratch = filled();
    let database = Database::empty();
    move_to(&file(&scratch), database.url()).expect("moved").expect("whole");
    let elsewhere = TempDir::new().expect("a scratch folder");
    let url = Some(database.url());
    let look = || Inspection::of(elsewhere.path(), url).expect("opens");
    let moved = look();
    assert!(moved.server().is_some_and(|place| place.starts_with("postgres://")));
    assert_eq!(moved.schema_version().expect("reads"), Some(newest_schema()));
    assert_eq!(moved.damage(true, 10).expect("checks"), Vec::<String>::new());
    assert!(moved.dangling().expect("checks").is_empty());
    assert_eq!(moved.read(|tx| tx.inspect_texts(&mut |_| GO_ON)).expect("reads").count, 0);
    assert_eq!(moved.read(|tx| tx.inspect_references()).expect("reads").count, 0);
    drop(moved);
    let plain = Plain::open(database.url()).expect("connects");
    let append = plain.batch("testing", "UPDATE audit SET actor = 'nobody'");
    assert!(matches!(append, Err(StoreError::Constraint { .. })), "{append:?}");
    let sql = "INSERT INTO computer_status (computer_no, anchor, status, recent_events) VALUES (4711, 0, '', '')";
    let reference = plain.batch("testing", sql);
    assert!(matches!(reference, Err(StoreError::Constraint { .. })), "{reference:?}");

    // and what somebody switched off is found
    let off = "ALTER TABLE audit DISABLE TRIGGER USER; ALTER TABLE computer_status DISABLE TRIGGER ALL";
    plain.batch("testing", &format!("{off}; {sql}")).expect("switched off");
    let damaged = look();
    let found = damaged.damage(false, 10).expect("checks");
    assert!(found.iter().any(|line| line.contains("of table audit is switched off")), "{found:?}");
    assert_eq!(damaged.dangling().expect("checks"), [("computer_status".to_owned(), "computer".to_owned(), 1)]);
}

#[test]
fn what_cannot_be_moved_is_refused_and_nothing_is_changed() {
    let scratch = filled();
    let path = file(&scratch);
    let elsewhere = TempDir::new().expect("a scratch folder");

    // a database that somebody uses, or has used
    let used = Database::empty();
    let store = open(elsewhere.path(), used.url());
    let busy = store.read(|tx| {
        tx.setting_list()?;
        Ok(refusal(move_to(&path, used.url())))
    });
    assert!(busy.expect("reads").contains("is in use by a server"));
    assert!(!has_data(used.url()).expect("looked"));
    store.write(&actor(0), |tx| tx.setting_put("content.mode", &json!("immediately"))).expect("writes");
    drop(store);
    assert!(has_data(used.url()).expect("looked"));
    let full = refusal(move_to(&path, used.url()));
    assert!(full.contains("is not empty: the table intent_object has rows, and another table has"), "{full}");

    // a file of another version
    let empty = Database::empty();
    let older = elsewhere.path().join("older.db");
    fs::copy(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/schemas/0.6.0.db"), &older).expect("copied");
    assert!(refusal(move_to(&older, empty.url())).contains("let its server start once"));
    bring_up_to_date(&older).expect("brought up to date");
    let newer =
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (9999, 'later', '', '0')";
    Connection::open(&older).expect("opens").execute_batch(newer).expect("stored");
    assert!(refusal(move_to(&older, empty.url())).contains("made by a later Weir"));
    let none = elsewhere.path().join("none.db");
    Connection::open(&none).expect("opens").execute_batch("CREATE TABLE t (a INTEGER)").expect("made");
    assert!(refusal(move_to(&none, empty.url())).contains("none of Weir"));

    // what is not what it should be
    let plain = Plain::open(empty.url()).expect("connects");
    assert_eq!(plain.ask("testing", "SELECT 1 FROM pg_class WHERE relname = 'setting'").expect("asked").len(), 0);
    drop(plain);
    drop(scratch.store);
    let hand = Connection::open(&path).expect("a second connection");
    let sql = "INSERT INTO status_message (at, severity, component, code, text, parameters)
         VALUES (0, 0, 'c', 1, CAST(x'ff' AS TEXT), '')";
    hand.execute(sql, []).expect("stored");
    drop(hand);
    let damaged = move_to(&path, empty.url());
    assert!(matches!(&damaged, Err(StoreError::Corrupt { what }) if what.contains("status_message")), "{damaged:?}");
    assert!(!has_data(empty.url()).expect("looked"));
    let nobody = move_to(&path, "postgres://weir@127.0.0.1:1/weir");
    assert!(matches!(nobody, Err(StoreError::Unreachable { .. })), "{nobody:?}");
}

#[test]
fn a_move_that_is_broken_off_or_rehearsed_leaves_nothing() {
    let scratch = filled();
    let path = file(&scratch);
    let database = Database::empty();
    let rehearsed = into_postgres(&path, database.url(), true, &mut |told| {
        assert_eq!(told.phase, Phase::Looking);
        GO_ON
    });
    let rehearsed = rehearsed.expect("looked").expect("whole");
    assert!(!rehearsed.compared && rehearsed.rows() > 100);
    let elsewhere = TempDir::new().expect("a scratch folder");
    let version = Inspection::of(elsewhere.path(), Some(database.url())).expect("opens").schema_version();
    assert_eq!(version.expect("reads"), None, "not even a schema");
    for phase in [Phase::Copying, Phase::Finishing, Phase::Comparing] {
        let broken = into_postgres(&path, database.url(), false, &mut |told| {
            if told.phase == phase { ControlFlow::Break(()) } else { GO_ON }
        });
        assert_eq!(broken.expect("broken off"), None, "{phase:?}");
        assert!(!has_data(database.url()).expect("looked"), "{phase:?}");
    }
    let moved = move_to(&path, database.url()).expect("moved").expect("whole");
    assert_eq!(moved.tables, rehearsed.tables);
}

#[test]
fn a_copy_is_of_one_moment_whatever_is_written_meanwhile() {
    let database = Database::empty();
    let folder = TempDir::new().expect("a scratch folder");
    let store = open(folder.path(), database.url());
    let put = |key: &str, value: serde_json::Value| {
        store.write(&Actor::system("test", super::time(0)), |tx| tx.setting_put(key, &value)).expect("writes");
    };
    for key in 0..6 {
        put(&format!("key{key}"), json!("x".repeat(6_000_000)));
    }
    let (mut steps, target) = (0, folder.path().join("copy.db"));
    let whole = copy_of(folder.path(), Some(database.url()), &target, &mut |_, _| {
        steps += 1;
        put("late", json!(steps));
        GO_ON
    });
    assert!(whole.expect("copies"));
    assert!(steps > 2, "{steps}");
    let inspection = Inspection::still(&target).expect("opens");
    assert_eq!(inspection.read(|tx| tx.setting_list()).expect("reads").len(), 6, "what was written later is not in it");
    assert_eq!(store.read(|tx| tx.setting_list()).expect("reads").len(), 7);
    drop(inspection);
    let beside: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_string_lossy().starts_with("copy.db-")), "no log beside it: {beside:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&target).expect("there").permissions().mode() & 0o777, 0o600);
    }
    // it overwrites nothing, and can be broken off
    let again = copy_of(folder.path(), Some(database.url()), &target, &mut |_, _| GO_ON);
    assert!(matches!(again, Err(StoreError::Open { .. })), "{again:?}");
    let other = folder.path().join("other.db");
    let broken = copy_of(folder.path(), Some(database.url()), &other, &mut |_, _| ControlFlow::Break(()));
    assert!(!broken.expect("breaks off"));
}
