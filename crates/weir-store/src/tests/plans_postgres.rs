//! What PostgreSQL makes of every registered statement, on a database with the rows of a large site.
//!
//! Each is looked at twice, with the plan that serves whatever values it is given. Once as PostgreSQL likes it best: it reads no
//! table of very many rows from one end to the other. Once with nothing but look-ups in indexes allowed: no table of many rows lacks
//! the index that a statement needs, whatever PostgreSQL thinks of it on another day.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use weir_testkit::{
    engine::{self, Direct},
    postgres::Database,
};

use super::schema::WHOLE;
use crate::sql;

/// Rows that are very many.
const VERY_MANY: i64 = 50_000;
/// Rows that are many.
const MANY: i64 = 1_000;

/// Statements that read a table here as [`WHOLE`] ones do, though not on the other engine.
const ALSO_WHOLE: &[&str] = &[
    // nearly all computers scan here
    "counting computers by kind",
    // which is mostly this server; the others are asked of when one of them reports
    "loading the computers of a server",
    "loading the memberships of a server's computers",
    // all revisions, or those that came since: a range
    "loading descriptions for searches",
    // with the number of events known, which it is not for a plan of any values, they are looked up one by one
    "deleting old events",
    // which files have a source is found out at once for all
    "listing the files of an update group",
    // goes back from the newest and ends at those of the kind, which are some of them
    "listing jobs",
    "looking for the last job in a state",
    // what came since a version: a plan of any values takes a third of all for granted, and one of the real value looks up the few
    "loading computers that changed",
    "loading the memberships of computers that changed",
    "forgetting that computers left",
    // the next some that are owed to the server above
    "listing computers to be told of",
    "listing computers whose status is to be told",
];

/// A table, its rows, and columns with what they have.
type Filled = (&'static str, u32, &'static [(&'static str, &'static str)]);

/// Tables with so many rows, and what their columns have in the row `i`. Those that are not named are filled by their types, or empty
/// if they may be.
#[rustfmt::skip]
const FILL: &[Filled] = &[
    ("updates", 30_000, &[
        ("update_no", "i"), ("update_id", "pg_temp.id('u', i)"), ("newest_revision_id", "CASE WHEN i <= 20000 THEN i END"),
        ("declined_at", "CASE WHEN i % 20 = 0 THEN i END"), ("declined_change", "CASE WHEN i % 20 = 0 THEN i ELSE 0 END"),
        ("eula_id", "CASE WHEN i % 100 = 0 THEN 'e' || i END"),
    ]),
    ("revision", 20_000, &[
        ("revision_id", "i"), ("update_no", "i"), ("revision", "100"), ("update_type", "i % 4"),
        ("category_kind", "CASE WHEN i <= 500 THEN i % 3 END"), ("expired", "0"), ("change", "i"),
        ("eula_id", "CASE WHEN i % 100 = 0 THEN 'e' || i END"), ("content_facts", "CASE WHEN i % 1000 = 0 THEN 0 ELSE 1 END"),
    ]),
    ("text_piece", 40_000, &[
        ("revision_id", "1 + i % 20000"), ("kind", "i / 20000"), ("part", "i / 20000"), ("piece", "i / 20000"),
    ]),
    ("core_block", 20_000, &[("revision_id", "i"), ("row", "0")]),
    ("prerequisite", 40_000, &[
        ("revision_id", "1 + i % 20000"), ("clause", "i / 20000"), ("position", "i / 20000"), ("update_no", "1 + i % 500"),
    ]),
    ("bundle", 20_000, &[
        ("revision_id", "1 + i % 10000"), ("clause", "0"), ("position", "i / 10000"), ("update_no", "20000 + i % 10000"),
        ("revision", "100"),
    ]),
    ("superseded", 20_000, &[
        ("revision_id", "1 + i % 10000"), ("position", "i / 10000"), ("update_no", "1 + (i * 7) % 30000"),
    ]),
    ("revision_category", 40_000, &[("revision_id", "1 + i % 20000"), ("update_no", "1 + i / 20000 * 250 + i % 200")]),
    ("driver", 10_000, &[("revision_id", "1 + i % 2000"), ("position", "i / 2000")]),
    ("localized", 40_000, &[("revision_id", "1 + i % 20000"), ("position", "i / 20000")]),
    ("language", 40, &[]),
    ("revision_file", 20_000, &[
        ("revision_id", "i"), ("position", "0"), ("digest", "pg_temp.id('f', i)"),
        ("eula_language", "CASE WHEN i % 100 = 0 THEN 'en' END"),
    ]),
    ("file_source", 30_000, &[("digest", "pg_temp.id('f', i % 20000)")]),
    ("content_file", 15_000, &[("digest", "pg_temp.id('f', i)"), ("state", "i % 3")]),
    ("content_request", 2_000, &[("digest", "pg_temp.id('f', i)")]),
    ("content_rest", 1_000, &[("digest", "pg_temp.id('f', i)")]),
    ("file_key", 5_000, &[("digest", "pg_temp.id('f', i)")]),
    ("revision_language", 10_000, &[("revision_id", "i")]),
    ("collection", 200, &[
        ("collection_id", "pg_temp.id('c', i)"), ("parent_id", r"'\xa0a087464dbe4a379adf9e7652c0b421'::bytea"),
        ("kind", "i % 2"), ("change", "i"), ("limiting_id", "CASE WHEN i % 4 = 0 THEN pg_temp.id('c', 1) END"),
    ]),
    ("collection_reference", 100, &[
        ("collection_id", "pg_temp.id('c', i * 2)"), ("link", "0"), ("other_id", "pg_temp.id('c', i)"),
    ]),
    ("computer", 150_000, &[
        ("computer_no", "i"), ("computer_id", "md5('p' || i)"),
        ("site_no", "CASE WHEN i % 15 = 0 THEN 2 + i % 10 ELSE 1 END"),
        ("plain_http", "CASE WHEN i % 100 = 0 THEN 1 ELSE 0 END"), ("first_contact_at", "i"), ("last_contact_at", "i"),
        ("last_sync_at", "i"), ("last_sync_succeeded", "CASE WHEN i % 200 = 0 THEN 0 ELSE 1 END"), ("last_report_at", "i"),
        ("registered_at", "i"), ("time_zone", "CASE WHEN i % 1000 = 0 THEN 'Europe/Berlin' END"),
    ]),
    ("computer_status", 150_000, &[("computer_no", "i")]),
    ("collection_member", 150_000, &[
        ("computer_no", "1 + i % 150000"), ("collection_id", "pg_temp.id('c', 1 + (i * 31 + i / 150000) % 200)"),
        ("source", "i / 150000"),
    ]),
    ("collection_direct", 20_000, &[("computer_no", "i * 7"), ("collection_id", "pg_temp.id('c', 2 + 2 * (i % 99))")]),
    ("event", 100_000, &[
        ("event_no", "i"), ("instance_id", "pg_temp.id('e', i)"), ("computer_no", "1 + (i * 13) % 150000"),
        ("update_id", "pg_temp.id('u', 1 + i % 20000)"), ("received_at", "i"), ("at_target", "i"),
    ]),
    ("computer_event", 50_000, &[("computer_no", "1 + i % 150000"), ("event_id", "i / 150000")]),
    ("computer_feed", 50_000, &[("computer_no", "i"), ("version", "i")]),
    ("membership_todo", 1_000, &[("computer_no", "i")]),
    ("rollup_sent", 50_000, &[("computer_no", "i"), ("todo", "CASE WHEN i % 500 = 0 THEN 7 ELSE 0 END"), ("mark", "i")]),
    ("rollup_computer", 10_000, &[("computer_no", "i * 15")]),
    ("downstream_server", 10, &[("server_no", "1 + i")]),
    ("rollup_server", 10, &[("server_no", "1 + i")]),
    ("rollup_client", 200, &[("client_no", "i"), ("server_no", "1 + i % 11")]),
    ("rollup_activity", 20_000, &[
        ("client_no", "1 + i % 200"), ("update_id", "pg_temp.id('u', i)"),
        ("fresh_succeeded", "CASE WHEN i % 100 = 0 THEN 1 ELSE 0 END"), ("fresh_failed", "0"),
    ]),
    ("rollup_deleted", 2_000, &[("deleted_at", "i")]),
    ("rollup_sync", 2_000, &[("at", "i")]),
    ("update_group", 100, &[("group_id", "pg_temp.id('g', i)")]),
    ("update_group_member", 8_000, &[("group_id", "pg_temp.id('g', 1 + i % 100)"), ("update_no", "i")]),
    ("deployment", 10_000, &[
        ("deployment_id", "i"), ("update_no", "CASE WHEN i BETWEEN 2001 AND 2050 THEN NULL ELSE i END"),
        ("group_id", "CASE WHEN i BETWEEN 2001 AND 2050 THEN pg_temp.id('g', i - 2000) END"),
        ("expanded_from", "CASE WHEN i > 2050 THEN 2001 + i % 50 END"), ("collection_id", "pg_temp.id('c', 1 + i % 200)"),
        ("change", "i"), ("origin", "0"), ("guid", "pg_temp.id('d', i)"),
        ("name_key", "CASE WHEN i <= 2050 THEN 'd' || i END"),
        ("source_id", "CASE WHEN i % 100 = 0 THEN pg_temp.id('r', 1) END"),
    ]),
    ("retired_deployment", 5_000, &[("change", "i"), ("update_no", "i"), ("guid", "pg_temp.id('d', i)")]),
    ("audit", 50_000, &[("audit_no", "i"), ("at", "i"), ("actor", "'a' || i % 100"), ("action", "'x' || i % 50")]),
    ("job", 5_000, &[("job_no", "i"), ("state", "CASE WHEN i > 4990 THEN 1 ELSE 2 END"), ("kind", "'k' || i % 20")]),
    ("alert", 10_000, &[
        ("alert_no", "i"), ("kind", "'k' || i % 40"), ("subject", "'s' || i"), ("closed_at", "CASE WHEN i < 9950 THEN i END"),
    ]),
    ("alert_event", 20_000, &[("event_no", "i"), ("alert_no", "1 + i % 10000"), ("at", "i")]),
    ("subscription", 10, &[("subscription_id", "pg_temp.id('s', i)")]),
    ("alert_delivery", 10_000, &[
        ("delivery_no", "i"), ("delivery_id", "pg_temp.id('v', i)"), ("subscription_id", "pg_temp.id('s', 1 + i % 10)"),
        ("state", "CASE WHEN i > 9900 THEN 0 ELSE 1 END"), ("created_at", "i"), ("next_at", "i"),
    ]),
    ("alert_told", 10_000, &[("subscription_id", "pg_temp.id('s', 1 + i % 10)"), ("alert_no", "i")]),
    ("user_account", 300, &[("user_no", "1 + i"), ("built_in", "0")]),
    ("api_token", 200, &[("hash", "pg_temp.id('t', i)"), ("user_no", "1 + i")]),
    ("console_session", 2_000, &[
        ("session_id", "pg_temp.id('o', i)"), ("hash", "pg_temp.id('h', i)"), ("user_no", "1 + i % 300"), ("expires_at", "i"),
    ]),
    ("user_certificate", 300, &[("user_no", "1 + i")]),
    ("approval", 3_000, &[("approval_no", "i"), ("user_no", "1 + i % 300"), ("state", "CASE WHEN i > 2990 THEN 0 ELSE 1 END")]),
    ("group_mapping", 20, &[]),
    ("idempotency", 5_000, &[("principal", "'a' || i % 100"), ("created_at", "i")]),
    ("sign_in_code", 50, &[]),
    ("intent_object", 10_000, &[("kind", "i % 16"), ("id", "'o' || i"), ("change", "i"), ("deleted", "0")]),
    ("setting", 80, &[]),
    ("selection", 300, &[]),
    ("selection_change", 100, &[]),
    ("criterion", 50, &[]),
    ("saved_search", 200, &[]),
    ("rule", 50, &[("rule_id", "pg_temp.id('r', i)")]),
    ("rule_state", 50, &[("rule_id", "pg_temp.id('r', i)")]),
    ("rule_run", 10_000, &[("run_no", "i"), ("rule_id", "pg_temp.id('r', 1 + i % 50)")]),
    ("rule_template", 20, &[]),
    ("phased", 20, &[("phased_id", "pg_temp.id('q', i)")]),
    ("phased_state", 20, &[("phased_id", "pg_temp.id('q', i)")]),
    ("phased_start", 60, &[("phased_id", "pg_temp.id('q', 1 + i % 20)"), ("phase", "i / 20")]),
    ("phased_event", 5_000, &[("event_no", "i"), ("phased_id", "pg_temp.id('q', 1 + i % 20)")]),
    ("deployment_template", 50, &[]),
    ("client_settings", 50, &[("set_id", "pg_temp.id('l', i)")]),
    ("client_settings_collection", 200, &[("set_id", "pg_temp.id('l', 1 + i % 50)"), ("collection_id", "pg_temp.id('c', i)")]),
    ("maintenance_window", 200, &[("collection_id", "pg_temp.id('c', i)")]),
    ("update_stop", 20, &[("update_no", "i")]),
    ("computer_print", 10_000, &[("computer_no", "i")]),
    ("computer_retired", 10_000, &[("retired_no", "i"), ("retired_at", "i")]),
    ("compliance_subject", 6_000, &[("subject_no", "i"), ("kind", "i % 5")]),
    ("compliance_history", 18_000, &[("subject_no", "1 + i % 6000"), ("year", "2020 + i / 6000")]),
    ("history_roll_up", 5_000, &[("day", "i / 10"), ("server_no", "i % 10")]),
    ("exposure_document", 500, &[("document_no", "i"), ("kind", "i % 3")]),
    ("exposure_entry", 20_000, &[("document_no", "1 + i % 500"), ("cve", "'CVE-' || i")]),
    ("exposure_exception", 1_000, &[("cve", "'CVE-' || i"), ("collection_id", "pg_temp.id('c', 1 + i % 200)")]),
    ("status_message", 20_000, &[("message_no", "i"), ("at", "i")]),
    ("pending_revision", 5_000, &[("pending_no", "i"), ("kind", "i % 2")]),
    ("staged_revision", 3_000, &[
        ("staged_no", "i"), ("category_kind", "CASE WHEN i <= 50 THEN 1 END"),
        ("secured", "CASE WHEN i <= 20 THEN 1 ELSE 0 END"),
    ]),
    ("staged_source", 5_000, &[]),
    ("skipped_revision", 20_000, &[]),
    ("purged_revision", 9_000, &[("update_no", "20000 + i"), ("revision", "100")]),
    ("former_member", 5_000, &[("update_no", "i")]),
    ("cleanup_decline", 5_000, &[("update_no", "i")]),
    ("leaving_revision", 500, &[("revision_id", "i")]),
    ("run_time_due", 200, &[("update_no", "i")]),
    ("held_deployment", 500, &[]),
    ("report_schedule", 50, &[]),
    ("site", 1, &[("site_no", "i")]),
    ("site_node", 30, &[("site_id", "pg_temp.id('n', i)")]),
    ("site_code", 100, &[("site_id", "pg_temp.id('n', 1 + i % 30)")]),
    ("site_enrolment", 29, &[("site_id", "pg_temp.id('n', i)")]),
    ("site_status", 29, &[("site_id", "pg_temp.id('n', i)")]),
    ("bundle_issued", 100, &[("sequence", "i")]),
    ("bundle_issued_file", 10_000, &[("sequence", "1 + i % 100")]),
    ("bundle_received", 100, &[("bundle_id", "pg_temp.id('b', i)")]),
    ("bundle_part", 10_000, &[("bundle_id", "pg_temp.id('b', 1 + i % 100)"), ("number", "i / 100")]),
    ("sealing_key", 5, &[("secret", "decode(repeat('00', 32), 'hex')")]),
    ("retired_site", 5, &[("change", "i")]),
    ("bundle_trust", 5, &[("fingerprint", "decode(repeat('00', 31) || lpad(to_hex(i), 2, '0'), 'hex')")]),
];

/// What is made for the test alone, and goes with the connection.
const HELPERS: [&str; 2] = [
    "CREATE FUNCTION pg_temp.id(kind TEXT, number BIGINT) RETURNS BYTEA LANGUAGE sql IMMUTABLE AS
         $$ SELECT decode(md5(kind || number), 'hex') $$",
    "CREATE FUNCTION pg_temp.plan(question TEXT) RETURNS TEXT LANGUAGE plpgsql AS
         $$ DECLARE plan JSON; BEGIN EXECUTE question INTO plan; RETURN plan::TEXT; END $$",
];

fn set(direct: &Direct, name: &str, value: &str) {
    direct.execute(&format!("SET {name} = {value}"), &[]);
}

fn fill(direct: &Direct) {
    set(direct, "synchronous_commit", "off");
    for (table, rows, given) in FILL {
        let given: BTreeMap<&str, &str> = given.iter().copied().collect();
        let sql = "SELECT column_name::TEXT, data_type::TEXT, is_nullable = 'YES' OR column_default IS NOT NULL
                   FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?1";
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for column in direct.query(sql, &[(*table).into()]) {
            let value = match (given.get(column[0].as_str()), column[1].as_str(), column[2].as_str()) {
                (Some(value), ..) => *value,
                (None, _, "1") => continue,
                (None, "bigint", _) => "i",
                (None, "text", _) => "'x' || i",
                (None, "bytea", _) => "decode(md5(i::TEXT), 'hex')",
                (None, other, _) => panic!("{table} has a column of type {other}"),
            };
            columns.push(column[0].clone());
            values.push(value);
        }
        assert!(given.keys().all(|name| columns.iter().any(|column| column == name)), "{table} has other columns");
        // what follows from rows is not looked at
        direct.execute(&format!("ALTER TABLE {table} DISABLE TRIGGER USER"), &[]);
        let (columns, values) = (columns.join(", "), values.join(", "));
        let rows = format!("generate_series(1::BIGINT, {rows}) i");
        direct.execute(&format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {rows}"), &[]);
    }
    direct.execute("VACUUM ANALYZE", &[]);
}

/// Tables with their rows, and indexes with their tables and whether they have only some rows.
struct Known {
    tables: BTreeMap<String, i64>,
    indexes: BTreeMap<String, (String, bool)>,
}

impl Known {
    fn read(direct: &Direct) -> Self {
        let tables = "SELECT relname::TEXT, reltuples::BIGINT FROM pg_class
                      WHERE relkind = 'r' AND relnamespace = current_schema()::TEXT::REGNAMESPACE";
        let indexes = "SELECT i.relname::TEXT, t.relname::TEXT, x.indpred IS NOT NULL FROM pg_index x
                       JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid";
        let number = |text: &String| text.parse().expect("a number");
        Self {
            tables: direct.query(tables, &[]).iter().map(|row| (row[0].clone(), number(&row[1]))).collect(),
            indexes: direct
                .query(indexes, &[])
                .iter()
                .map(|row| (row[0].clone(), (row[1].clone(), row[2] == "1")))
                .collect(),
        }
    }

    /// The table of which a step of a plan reads everything; none if it does not.
    fn read_whole(&self, step: &Json) -> Option<&str> {
        match step["Node Type"].as_str()? {
            "Seq Scan" => self.tables.get_key_value(step["Relation Name"].as_str()?).map(|(table, _)| table.as_str()),
            "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" if step["Index Cond"].is_null() => {
                let (table, is_partial) = self.indexes.get(step["Index Name"].as_str()?)?;
                (!is_partial).then_some(table.as_str())
            }
            _ => None,
        }
    }

    fn find(&self, step: &Json, rows: i64, found: &mut Vec<String>) {
        if let Some(table) = self.read_whole(step)
            && self.tables.get(table).is_some_and(|has| *has >= rows)
        {
            found.push(format!("{} of {table}", step["Node Type"]));
        }
        for below in step["Plans"].as_array().into_iter().flatten() {
            self.find(below, rows, found);
        }
    }
}

/// The plan of a statement that serves any values.
fn plan(direct: &Direct, text: &str) -> Json {
    direct.execute(&format!("PREPARE looked_at AS {}", text.replace('?', "$")), &[]);
    let sql =
        "SELECT coalesce(cardinality(parameter_types), 0)::BIGINT FROM pg_prepared_statements WHERE name = 'looked_at'";
    let values = vec!["NULL"; usize::try_from(direct.number(sql, &[])).expect("a count")].join(", ");
    let values = if values.is_empty() { values } else { format!("({values})") };
    let question = format!("EXPLAIN (FORMAT JSON) EXECUTE looked_at{values}");
    let said = direct.query("SELECT pg_temp.plan(?1)", &[question.into()]).concat().concat();
    direct.execute("DEALLOCATE looked_at", &[]);
    let said: Json = serde_json::from_str(&said).expect("JSON");
    said[0]["Plan"].clone()
}

/// Steps of statements, apart from those that mean it, which read all of a table of so many rows.
fn found(direct: &Direct, known: &Known, rows: i64) -> Vec<String> {
    let mut all = Vec::new();
    for statement in sql::all() {
        let text = statement.for_postgres();
        let empties = text.starts_with("DELETE") && !text.contains("WHERE");
        if empties || WHOLE.contains(&statement.action) || ALSO_WHOLE.contains(&statement.action) {
            continue;
        }
        let mut steps = Vec::new();
        known.find(&plan(direct, text), rows, &mut steps);
        if !steps.is_empty() {
            all.push(format!("{}: {}\n{text}", statement.action, steps.join(", ")));
        }
    }
    all
}

#[test]
fn no_statement_reads_a_large_table_of_postgresql_unless_it_means_to() {
    if !engine::is_postgres() {
        return;
    }
    let database = Database::fresh();
    let direct = Direct::at(database.url());
    for helper in HELPERS {
        direct.execute(helper, &[]);
    }
    fill(&direct);
    let known = Known::read(&direct);
    assert!(known.tables.get("computer").is_some_and(|rows| *rows > 100_000), "the rows are known");
    set(&direct, "jit", "off");
    set(&direct, "max_parallel_workers_per_gather", "0");
    set(&direct, "plan_cache_mode", "force_generic_plan");
    let liked = found(&direct, &known, VERY_MANY);
    for way in ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"] {
        set(&direct, way, "off");
    }
    let looked_up = found(&direct, &known, MANY);
    assert!(liked.is_empty(), "{}", liked.join("\n\n"));
    assert!(looked_up.is_empty(), "without an index: {}", looked_up.join("\n\n"));
}

#[test]
fn the_list_of_what_postgresql_reads_whole_names_statements() {
    for action in ALSO_WHOLE {
        assert!(sql::all().any(|statement| statement.action == *action), "{action}");
        assert!(!WHOLE.contains(action), "{action} is named twice");
    }
}
