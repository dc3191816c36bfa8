//! `weir bench` with small figures: that suites run to their end, and what they write. What figures are is nothing to assert here.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use super::alone;

/// Runs `weir bench`; 3 is a budget that was missed, which a build without optimisation may.
fn bench(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("bench")
        .args(arguments)
        .env_remove("WEIR_URL")
        .env_remove("WEIR_TOKEN")
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{arguments:?}: {}: {errors}", output.status);
    output
}

fn told(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("UTF-8").to_owned()
}

/// A folder that other users may enter: root does not run PostgreSQL.
fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    folder
}

/// Whether there are programs of PostgreSQL; it is said if not.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is to know")]
fn has_postgresql() -> bool {
    let programs = weir_bench::postgres_programs();
    if let Err(error) = &programs {
        eprintln!("skipped: {error:#}");
    }
    programs.is_ok()
}

#[test]
fn a_server_is_killed_and_started_again() {
    let _turn = alone();
    recover(&[], "sqlite");
}

#[test]
fn a_server_on_postgresql_is_killed_and_started_again() {
    if has_postgresql() {
        let _turn = alone();
        recover(&["--postgres"], "postgresql");
    }
}

fn recover(more: &[&str], database: &str) {
    let folder = open_folder();
    let scratch = path(folder.path(), "");
    let arguments = ["recovery", "--computers", "100", "--updates", "1000", "--scratch", &scratch, "--json"];
    let output = bench(&[&arguments[..], more].concat());
    let figures = told(&output);
    let rows = figures["rows"].as_array().expect("rows");
    let row =
        |case: &str| rows.iter().find(|row| row["case"] == case).unwrap_or_else(|| panic!("no {case}: {figures}"));
    let lost = row("acknowledged reports lost");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((&lost["value"], &lost["met"]), (&Value::from(0.0), &Value::from(true)), "{lost}\n{said}");
    for case in ["killed, until it listens", "killed, until a scan is answered", "killed, until compliance is answered"]
    {
        let row = row(case);
        assert!(row["value"].as_f64().is_some_and(|seconds| seconds > 0.0), "{row}");
        assert_eq!((&row["size"], &row["size_of"]), (&Value::from(100), &Value::from("computers")), "{row}");
        assert!(row["ratio_null"].as_f64().is_some_and(|ratio| ratio > 0.0), "{row}");
        assert_eq!(row["database"], database, "{row}");
    }
    assert!(fs::read_dir(folder.path()).expect("there").next().is_none(), "data folders stay behind");
}

#[test]
fn a_report_is_written_drawn_and_planned_by() {
    let _turn = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let (out, plot) = (path(folder.path(), "figures"), path(folder.path(), "content.svg"));
    let output = bench(&["content", "--quick", "--out", &out, "--plot", &plot, "--json"]);
    let figures = told(&output);
    let sizes = figures["growth"][0]["points"].as_array().map(Vec::len);
    assert_eq!((&figures["growth"][0]["case"], sizes), (&Value::from("whole"), Some(3)), "{figures}");

    let written = |name: &str| fs::read_to_string(Path::new(&out).join(name)).expect("written");
    let report: Value = serde_json::from_str(&written("bench.json")).expect("JSON");
    assert_eq!((&report["format"], &report["quick"]), (&Value::from(1), &Value::from(true)));
    assert!(report["machine"]["cores"].as_u64().is_some_and(|cores| cores > 0), "{}", report["machine"]);
    assert_eq!(report["suites"][0]["suite"], "content");
    let downloads =
        report["budgets"].as_array().expect("budgets").iter().find(|budget| budget["what"] == "content download");
    assert!(downloads.is_some_and(|budget| budget["standing"] != "not_measured"), "{}", report["budgets"]);
    assert!(written("bench.txt").contains("\nCONTENT ON SQLITE ("), "{}", written("bench.txt"));
    for picture in [written("bench.svg"), fs::read_to_string(&plot).expect("drawn")] {
        assert!(picture.starts_with("<svg") && picture.contains("<polyline"), "{picture}");
    }

    let from = path(Path::new(&out), "bench.json");
    let output = bench(&["model", "--from", &from, "--computers", "700000", "--json"]);
    assert_eq!(output.status.code(), Some(3), "most was not measured");
    let plan = told(&output);
    let lines = plan["lines"].as_array().expect("lines");
    let line =
        |what: &str| lines.iter().find(|line| line["what"] == what).unwrap_or_else(|| panic!("no {what}: {plan}"));
    assert!(line("front ends for content")["value"].as_f64().is_some_and(|count| count >= 1.0), "{plan}");
    assert!(line("front ends for scans")["value"].is_null(), "{plan}");
    let text = String::from_utf8(bench(&["model", "--from", &from, "--computers", "700000"]).stdout).expect("UTF-8");
    assert!(text.contains("scans a day: 848485") && text.contains("not measured: weir bench scan"), "{text}");
}

/// What the design asks of PostgreSQL, and a plan by it.
#[test]
fn reports_are_stored_in_postgresql_and_planned_by() {
    if !has_postgresql() {
        return;
    }
    let _turn = alone();
    let folder = open_folder();
    let out = path(folder.path(), "figures");
    let scratch = path(folder.path(), "");
    let output = bench(&["report", "--postgres", "--quick", "--scratch", &scratch, "--out", &out, "--json"]);
    let figures = told(&output);
    let rows = figures["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "{figures}");
    for row in rows {
        let named = (&Value::from("reports_postgresql"), &Value::from("postgresql"));
        assert_eq!((&row["case"], &row["database"]), named, "{row}");
        assert!(row["value"].as_f64().is_some_and(|rate| rate > 0.0), "{row}");
        assert!(row["database_cpu_us"].as_f64().is_some_and(|time| time >= 0.0), "{row}");
    }
    assert_eq!(figures["growth"][0]["points"].as_array().map(Vec::len), Some(3), "{figures}");

    let from = path(Path::new(&out), "bench.json");
    let report: Value = serde_json::from_str(&fs::read_to_string(&from).expect("written")).expect("JSON");
    let settings = report["postgresql"].as_str().expect("what it was");
    assert!(settings.contains("fsync on, synchronous_commit on, full_page_writes on"), "{settings}");
    let budgets = report["budgets"].as_array().expect("budgets");
    let standing = |what: &str| budgets.iter().find(|budget| budget["what"] == what).map(|budget| &budget["standing"]);
    assert!(standing("the same on PostgreSQL on the same machine").is_some_and(|standing| standing != "not_measured"));
    assert_eq!(standing("status reports, durable, 64 connections"), Some(&Value::from("not_measured")));
    fs::remove_dir_all(&out).expect("removed");
    assert!(fs::read_dir(folder.path()).expect("there").next().is_none(), "the server stays behind");

    fs::create_dir_all(&out).expect("made");
    fs::write(&from, report.to_string()).expect("written");
    let text = String::from_utf8(bench(&["model", "--from", &from, "--computers", "700000"]).stdout).expect("UTF-8");
    for part in ["each region on PostgreSQL", "report: reports_postgresql, 1000 computers, on PostgreSQL"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

/// What somebody else has is left alone, and what may be a secret is not repeated.
#[test]
fn a_database_that_cannot_be_measured_on_is_refused() {
    let refused = |suite: &str, url: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["bench", suite, "--quick", "--database", url])
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{suite}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused("report", "postgres://weir:s3cret@h:port/weir");
    assert!(said.contains("the address of the database cannot be used") && !said.contains("s3cret"), "{said}");
    let said = refused("report", "postgres://weir:s3cret@127.0.0.1:1/weir?sslmode=disable");
    assert!(said.contains("postgres://weir@127.0.0.1:1/weir cannot be reached") && !said.contains("s3cret"), "{said}");
    let said = refused("rules", "postgres://weir@127.0.0.1:1/weir");
    assert!(said.contains("rules is measured in memory"), "{said}");
}

#[test]
fn three_front_ends_are_measured_against_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let scratch = path(folder.path(), "");
    let figures = told(&bench(&["front-ends", "--quick", "--scratch", &scratch, "--json"]));
    let rows = figures["rows"].as_array().expect("rows");
    for case in ["steady rescans", "status reports"] {
        let of_case: Vec<&Value> = rows.iter().filter(|row| row["case"] == case).collect();
        let sizes: Vec<&Value> = of_case.iter().map(|row| &row["size"]).collect();
        assert_eq!(sizes, [&Value::from(1), &Value::from(3)], "{figures}");
        assert!(of_case[1]["ratio_null"].as_f64().is_some_and(|ratio| ratio > 0.0), "{figures}");
        assert!(of_case.iter().all(|row| row["budget"].as_str().is_some_and(|text| text.contains("bound by"))));
        assert_eq!(of_case[0]["size_of"], "front_ends");
    }
    let approval = rows.iter().find(|row| row["case"] == "approval elsewhere").expect("a row");
    assert!(approval["value"].as_f64().is_some_and(|time| time > 0.0), "{approval}");
}

#[test]
fn a_model_needs_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = path(folder.path(), "bench.json");
    let refused = |expected: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["bench", "model", "--from", &from, "--computers", "10"])
            .output()
            .expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && errors.contains(expected), "{}: {errors}", output.status);
    };
    refused("`weir bench all --out DIR` writes DIR/bench.json");
    fs::write(&from, "{\"rows\": []}").expect("written");
    refused("this is no report of `weir bench all`");
}
