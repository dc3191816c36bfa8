//! `weir simulate` against servers of their own: some hundred computers, over real sockets.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Map, Value};
use weir_model::update::CategoryKind;
use weir_testkit::{Document, WeirProcess};

use super::{id, json, server, write_documents};

const TEN: &str = "<bar:WindowsVersion Comparison=\"GreaterThanOrEqualTo\" MajorVersion=\"10\" MinorVersion=\"0\" />";
const SERVERS: &str = "<bar:WindowsVersion ProductType=\"3\" />";
const OFFICE: &str =
    "<bar:RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Microsoft\\Office\\ClickToRun\\Configuration\" />";

/// A catalogue of a product, three detectoids and forty updates, imported.
fn fill(server: &WeirProcess, folder: &Path, from: u128) {
    let (company, classification, product) = (id(1), id(2), id(3));
    let mut documents = vec![
        Document::category(company, 1, CategoryKind::Company).title("A company"),
        Document::category(classification, 1, CategoryKind::UpdateClassification).title("A classification"),
        Document::category(product, 1, CategoryKind::Product).title("A product").in_category(company),
        Document::detectoid(id(4), 1).title("Windows 10 and later").installed_if(TEN).requires(product),
        Document::detectoid(id(5), 1).title("A server").installed_if(SERVERS).requires(product),
        Document::detectoid(id(6), 1).title("An office suite").installed_if(OFFICE).requires(id(4)),
    ];
    for number in from..from + 40 {
        let document = Document::software(id(number), 1).title(&format!("Update {number}"));
        let needs = id(4 + number % 3);
        documents.push(document.requires(needs).in_category(classification).in_category(product));
    }
    write_documents(folder, &documents);
    json(server, &["import", folder.to_str().expect("UTF-8")]);
}

fn filled() -> (WeirProcess, tempfile::TempDir) {
    let (server, folder) = (server(), tempfile::tempdir().expect("a folder"));
    fill(&server, folder.path(), 100);
    (server, folder)
}

fn simulate(server: &WeirProcess, arguments: &[&str]) -> (i32, Value) {
    let url = server.client_url();
    let all = [&["simulate", "--server", &url][..], arguments].concat();
    server.json_with_code(&all).unwrap_or_else(|error| panic!("{error:#}\n{}", server.log()))
}

fn compliance(server: &WeirProcess) -> Value {
    json(server, &["compliance", "summary"])
}

#[test]
fn everybody_scans_reports_and_agrees() {
    let (server, _folder) = filled();
    let (code, report) = simulate(&server, &["--computers", "300", "--speed", "full", "--connections", "40"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["measured"]["scans"], 300);
    assert_eq!((&report["convergence"]["checked"], &report["convergence"]["converged"]), (&300.into(), &300.into()));
    assert_eq!(report["measured"]["failed_scans"], 0);
    assert_eq!(report["rescan"]["revisions"]["new"], 0);
    // different computers are offered different things
    let new = report["measured"]["revisions"]["new"].as_u64().expect("a number");
    assert!((300 * 10..300 * 46).contains(&new), "{new}");
    let summary = compliance(&server);
    assert_eq!(summary["computers"], 300);
    let unknown = summary["counts"]["unknown"].as_u64().unwrap_or(0);
    assert_eq!(unknown, 0, "all have reported: {summary}");
    // the same seed gives the same computers, so nobody is new
    let again = ["--computers", "300", "--profile", "steady", "--state", "none", "--connections", "40"];
    let (code, report) = simulate(&server, &again);
    assert_eq!(code, 0, "{report}");
    let absent = report["absent_computers"].as_u64().expect("a number");
    assert_eq!(report["measured"]["scans"], 300 - absent);
    assert_eq!(compliance(&server)["computers"], 300);
}

#[test]
fn what_is_deployed_is_installed() {
    let (server, _folder) = filled();
    for number in 100..106 {
        let update = id(number).to_string();
        let arguments = ["deployments", "create", "--update", &update, "--collection", "All Computers"];
        json(&server, &[&arguments[..], &["--action", "install"]].concat());
    }
    let (code, report) = simulate(&server, &["--computers", "200", "--speed", "full", "--install"]);
    assert_eq!(code, 0, "{report}");
    let installed = report["measured"]["installed"].as_u64().expect("a number");
    let failed = report["measured"]["failed_installs"].as_u64().expect("a number");
    assert!(installed > 300 && failed > 0 && failed * 10 < installed, "{installed} installed, {failed} failed");
    let list = json(&server, &["compliance", "updates", "--all"]);
    let sum = |state: &str| {
        let counts = list["items"].as_array().into_iter().flatten().map(|update| update["counts"][state].as_u64());
        counts.map(|count| count.expect("a count")).sum::<u64>()
    };
    assert!(sum("installed") > 100, "{list}");
    assert!(sum("pending_restart") > 50, "half of all updates wait for a restart: {list}");
}

#[test]
fn acknowledged_events_are_written_down() {
    let (server, folder) = filled();
    let file = folder.path().join("events.jsonl");
    let name = file.to_str().expect("UTF-8");
    let (code, report) = simulate(&server, &["--computers", "20", "--speed", "full", "--acknowledged", name]);
    assert_eq!(code, 0, "{report}");
    let text = std::fs::read_to_string(&file).expect("the file");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    let of = |phase: &str| report[phase]["events"].as_u64().expect("a number");
    assert_eq!(events.len() as u64, of("measured") + of("rescan"));
    let distinct = |field: &str| {
        let values = events.iter().map(|event| event[field].as_str().expect("a text"));
        values.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!((distinct("computer"), distinct("instance")), (20, events.len()));
}

#[test]
fn computers_of_another_server_keep_what_they_have() {
    let ((here, _one), there) = (filled(), server());
    let folder = tempfile::tempdir().expect("a folder");
    // in another order, so under other numbers, and less than half of it
    fill(&there, folder.path(), 125);
    let from = there.client_url();
    let (code, report) = simulate(&here, &["--computers", "120", "--profile", "moved", "--from", &from]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["preparation"]["scans"], 120);
    let refreshes = report["measured"]["operations"].as_array().into_iter().flatten();
    let refreshes = refreshes.filter(|calls| calls["operation"] == "RefreshCache").map(|calls| calls["calls"].as_u64());
    assert_eq!(refreshes.collect::<Vec<_>>(), [Some(120)]);
    let known = report["preparation"]["revisions"]["new"].as_u64().expect("a number");
    let new = report["measured"]["revisions"]["new"].as_u64().expect("a number");
    assert!(new > 0 && new < known, "{new} new of {known} known");
    assert_eq!(report["convergence"]["converged"], 120);
    // and the same server, whose cookies they do not believe any more
    let (code, report) = simulate(&here, &["--computers", "50", "--profile", "moved"]);
    assert_eq!((code, &report["measured"]["revisions"]["new"]), (0, &0.into()), "{report}");
}

#[test]
fn a_bad_network_delays_and_nothing_else() {
    let (server, _folder) = filled();
    let (code, report) = simulate(&server, &["--computers", "150", "--profile", "flaky", "--speed", "full"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["failed_computers"], 0);
    // most cuts between two calls are met by a second connection, as HTTP clients do; the others fail a scan
    assert!(report["measured"]["retries"].as_u64().expect("a number") >= 3, "{report}");
    assert!(!report["measured"]["broken_calls"].as_object().expect("counts").is_empty(), "{report}");
    assert_eq!(report["convergence"]["converged"], 150);
    assert_eq!(compliance(&server)["computers"], 150);
}

#[test]
fn new_updates_reach_everybody_on_a_patch_tuesday() {
    let (server, _folder) = filled();
    let arguments =
        ["--computers", "100", "--profile", "patch-tuesday", "--speed", "full", "--groups", "Ring 1,Ring 2"];
    let (code, report) = simulate(&server, &arguments);
    assert_eq!(code, 0, "{report}");
    let new = report["measured"]["revisions"]["new"].as_u64().expect("a number");
    assert!((50..=300).contains(&new), "{new}");
    assert_eq!(report["convergence"]["converged"], 100);
}

#[test]
fn without_a_server_everybody_gives_up() {
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["simulate", "--server", "http://127.0.0.1:1", "--computers", "3", "--speed", "full", "--json"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    // each gives up in the scenario and once more in the rescan
    assert_eq!(report["measured"]["failed_computers"], 3);
    assert_eq!(report["measured"]["problems"]["0x80072EFD"], 12);
    assert_eq!(report["measured"]["broken_calls"]["refused"], 12);
}

#[test]
fn an_interrupt_ends_it_with_the_figures_so_far() {
    let (server, _folder) = filled();
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["simulate", "--server", &server.client_url(), "--computers", "60", "--speed", "0.05", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    // a line of progress says that it runs, and one of them that somebody scanned
    let scanned = |line: &String| line.starts_with("first-scan: ") && !line.starts_with("first-scan: 0 ");
    assert!(lines.by_ref().map_while(Result::ok).any(|line| scanned(&line)), "it ended early");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    drop(std::thread::spawn(move || lines.count()));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["ended"], "interrupted");
    assert!((1..60).contains(&report["measured"]["scans"].as_u64().expect("a number")), "{report}");
}

#[test]
fn the_report_has_a_stable_shape() {
    let (server, _folder) = filled();
    let (code, report) = simulate(&server, &["--computers", "20", "--profile", "moved"]);
    assert_eq!(code, 0, "{report}");
    insta::assert_json_snapshot!(redacted(&report));
}

/// The report without its figures.
fn redacted(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => "a fraction".into(),
        Value::Number(_) => "a count".into(),
        Value::Array(items) => items.iter().map(redacted).collect(),
        Value::Object(fields) => {
            let keep = |key: &str| matches!(key, "computers" | "seed");
            let field = |(key, value): (&String, &Value)| {
                let shown = match key.as_str() {
                    key if keep(key) => value.clone(),
                    "server" | "limited_by" => "a text".into(),
                    _ => redacted(value),
                };
                (key.clone(), shown)
            };
            Value::Object(fields.iter().map(field).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
