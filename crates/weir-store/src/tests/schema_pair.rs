//! The schemas of the two engines are one: whoever adds a migration to one of them adds it to the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use weir_testkit::{
    engine::{self, Direct},
    postgres::Database,
};

use super::Scratch;

/// The number of the migration that makes all at once on PostgreSQL.
const FIRST: u32 = 30;

/// What both engines must have of a table.
#[derive(Debug, Default, Eq, PartialEq)]
struct Table {
    /// Name, type, whether there must be a value, and the default, in order.
    columns: Vec<String>,
    /// Primary key, unique constraints without names, and indexes, with their columns in order.
    indexes: BTreeSet<String>,
    /// Foreign keys with what deletions do.
    references: BTreeSet<String>,
    triggers: BTreeSet<String>,
}

type Schema = BTreeMap<String, Table>;

/// The questions whose answers are a schema, of which the first column is the table.
struct Questions {
    /// Name, type, whether there must be a value, default.
    columns: &'static str,
    /// A row for each column of each index: what tells indexes apart, name or nothing, kind, column.
    indexes: &'static str,
    /// Column, table, column, action on deletion.
    references: &'static str,
    /// Name.
    triggers: &'static str,
}

const SQLITE: Questions = Questions {
    columns: "SELECT t.name, c.name, c.type, c.\"notnull\" OR c.pk > 0, coalesce(c.dflt_value, '')
              FROM sqlite_schema t JOIN pragma_table_info(t.name) c
              WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'refinery_schema_history'
              ORDER BY t.name, c.cid",
    // the key of a table may be its rowid, which is no index
    indexes: "SELECT t.name, 'key', '', 'primary', c.name, c.pk FROM sqlite_schema t JOIN pragma_table_info(t.name) c
              WHERE t.type = 'table' AND c.pk > 0 AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'refinery_schema_history'
              UNION ALL
              SELECT t.name, i.name, CASE i.origin WHEN 'c' THEN i.name ELSE '' END,
                  CASE i.\"unique\" WHEN 1 THEN 'unique' ELSE '' END || CASE i.partial WHEN 1 THEN ' partial' ELSE '' END,
                  c.name || CASE c.\"desc\" WHEN 1 THEN ' desc' ELSE '' END, c.seqno
              FROM sqlite_schema t JOIN pragma_index_list(t.name) i JOIN pragma_index_xinfo(i.name) c
              WHERE t.type = 'table' AND i.origin <> 'pk' AND c.key = 1 AND t.name <> 'refinery_schema_history'
              ORDER BY 1, 2, 6",
    references: "SELECT t.name, r.\"from\", r.\"table\", r.\"to\", r.on_delete
                 FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) r WHERE t.type = 'table'",
    triggers: "SELECT tbl_name, name FROM sqlite_schema WHERE type = 'trigger'",
};

const POSTGRES: Questions = Questions {
    columns: "SELECT table_name::TEXT, column_name::TEXT, data_type || coalesce(' ' || collation_name, ''),
                  is_nullable = 'NO', split_part(coalesce(column_default, ''), '::', 1)
              FROM information_schema.columns
              WHERE table_schema = current_schema() AND table_name <> 'refinery_schema_history'
              ORDER BY 1, ordinal_position",
    indexes: "SELECT t.relname::TEXT, i.relname::TEXT, CASE WHEN k.oid IS NULL THEN i.relname::TEXT ELSE '' END,
                  CASE WHEN x.indisprimary THEN 'primary' WHEN x.indisunique THEN 'unique' ELSE '' END
                      || CASE WHEN x.indpred IS NULL THEN '' ELSE ' partial' END,
                  a.attname::TEXT || CASE WHEN x.indoption[c.place::INTEGER - 1] & 1 = 1 THEN ' desc' ELSE '' END
              FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
              LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.contype IN ('p', 'u')
              CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY c (attribute, place)
              JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.attribute
              WHERE t.relnamespace = current_schema()::TEXT::REGNAMESPACE AND t.relname <> 'refinery_schema_history'
              ORDER BY 1, 2, c.place",
    references: "SELECT t.relname::TEXT, a.attname::TEXT, o.relname::TEXT, b.attname::TEXT,
                     CASE k.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' ELSE k.confdeltype::TEXT END
                 FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class o ON o.oid = k.confrelid
                 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
                 JOIN pg_attribute b ON b.attrelid = o.oid AND b.attnum = k.confkey[1]
                 WHERE k.contype = 'f' AND cardinality(k.conkey) = 1
                     AND t.relnamespace = current_schema()::TEXT::REGNAMESPACE",
    triggers: "SELECT t.relname::TEXT, g.tgname::TEXT FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
               WHERE NOT g.tgisinternal AND t.relnamespace = current_schema()::TEXT::REGNAMESPACE",
};

fn schema(direct: &Direct, questions: &Questions) -> Schema {
    let mut found = Schema::new();
    for row in direct.query(questions.columns, &[]) {
        let [table, name, kind, needed, default] = &row[..] else { panic!("{row:?}") };
        let kind = match kind.as_str() {
            "INTEGER" | "bigint" => "number",
            "TEXT" | "text C" => "text",
            "BLOB" | "bytea" => "bytes",
            "REAL" | "double precision" => "fraction",
            other => panic!("{table}.{name} has the type {other}"),
        };
        let needed = if needed == "1" { "needed" } else { "optional" };
        let column = format!("{name}: {kind}, {needed}, default {default:?}");
        found.entry(table.clone()).or_default().columns.push(column);
    }
    let mut indexes: BTreeMap<(String, String), (String, Vec<String>)> = BTreeMap::new();
    for row in direct.query(questions.indexes, &[]) {
        let (table, own, column) = (row[0].clone(), row[1].clone(), row[4].clone());
        let index = indexes.entry((table, own)).or_insert_with(|| (format!("{} {}", row[2], row[3]), Vec::new()));
        index.1.push(column);
    }
    for ((table, _), (what, columns)) in indexes {
        found.entry(table).or_default().indexes.insert(format!("{what} ({})", columns.join(", ")));
    }
    for row in direct.query(questions.references, &[]) {
        let reference = format!("{} is {}.{}, {}", row[1], row[2], row[3], row[4]);
        found.entry(row[0].clone()).or_default().references.insert(reference);
    }
    for row in direct.query(questions.triggers, &[]) {
        found.entry(row[0].clone()).or_default().triggers.insert(row[1].clone());
    }
    found
}

#[test]
fn both_engines_have_the_same_schema() {
    if !engine::is_postgres() {
        return;
    }
    let scratch = Scratch::sqlite();
    let sqlite = schema(&Direct::of(scratch.folder.path()), &SQLITE);
    let database = Database::fresh();
    let postgres = schema(&Direct::at(database.url()), &POSTGRES);
    assert!(sqlite.len() > 100, "they were read");
    let names: BTreeSet<&String> = sqlite.keys().chain(postgres.keys()).collect();
    let different: Vec<_> = names
        .into_iter()
        .map(|name| (name, sqlite.get(name), postgres.get(name)))
        .filter(|(_, sqlite, postgres)| sqlite != postgres)
        .collect();
    assert!(different.is_empty(), "table, on SQLite, on PostgreSQL: {different:#?}");
}

/// The numbers and names of the migrations in a folder, from the first that both engines have.
fn migrations(folder: &str) -> BTreeMap<u32, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = files.map(|file| file.expect("an entry").file_name().into_string().expect("a name in UTF-8"));
    let split = names.map(|name| {
        let (number, name) =
            name.strip_prefix('V').and_then(|rest| rest.split_once("__")).expect("V, number, __, name");
        (number.parse().expect("a number"), name.to_owned())
    });
    split.filter(|(number, _)| *number >= FIRST).collect()
}

#[test]
fn migrations_come_in_pairs() {
    let (mut sqlite, mut postgres) = (migrations("migrations"), migrations("migrations-postgres"));
    // all up to then at once
    assert!(sqlite.remove(&FIRST).is_some());
    assert_eq!(postgres.remove(&FIRST).as_deref(), Some("initial.sql"));
    assert_eq!(sqlite, postgres, "a migration for one engine only, or with another name");
}
