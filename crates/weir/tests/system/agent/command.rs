//! The command line of the agent, with facts from a file.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json as value};
use weir_testkit::{WeirProcess, process::PATIENCE};

use super::deploying::{deploy, publish, update};
use crate::{id, json, server};

fn facts(folder: &Path) -> PathBuf {
    let path = folder.join("pc.json");
    let facts = value!({
        "weir_facts": 1,
        "computer": {"name": "pc.example.test", "os_name": "Windows 10 Pro", "locale": "en-US"},
        "system": {"version": "10.0.19045", "product_type": "workstation", "architecture": "x64", "language": "en"},
        "registry": {"complete": true, "entries": {}},
    });
    fs::write(&path, facts.to_string()).expect("written");
    path
}

fn agent(server: &WeirProcess, arguments: &[&str], facts: &Path) -> Output {
    let mut command = Command::new(server.binary());
    command.arg("agent").args(arguments).args(["--server", &server.client_url()]).arg("--facts").arg(facts);
    command.stdin(Stdio::null()).output().expect("it runs")
}

fn scan(server: &WeirProcess, facts: &Path, more: &[&str]) -> (i32, Value) {
    let output = agent(server, &[&["scan", "--json"][..], more].concat(), facts);
    let printed = serde_json::from_slice(&output.stdout);
    let printed = printed.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("it ended"), printed)
}

#[test]
fn a_scan_from_facts_shows_downloads_and_remembers() {
    let server = server();
    let (deployed, detected) = (update(1, "Deployed"), update(2, "Only detected"));
    publish(&server, &[&deployed, &detected]);
    deploy(&server, &deployed, "install", &["--deadline", "2020-01-01T00:00:00Z"]);
    let folder = tempfile::tempdir().expect("a folder");
    let facts = facts(folder.path());

    let (code, dry) = scan(&server, &facts, &["--dry-run"]);
    assert_eq!((code, &dry["counts"]["required"]), (0, &value!(2)), "{dry}");
    assert_eq!(json(&server, &["computers", "list"])["items"][0]["last_status"], Value::Null);
    assert!(!folder.path().join("pc.json.agent-state").exists(), "nothing is remembered");

    let files = folder.path().join("files");
    let (code, first) = scan(&server, &facts, &["--download", files.to_str().expect("UTF-8")]);
    assert_eq!(code, 0, "{first}");
    let found =
        |title: &str| first["updates"].as_array().expect("a list").iter().find(|update| update["title"] == title);
    let shown = found("Deployed").expect("it is shown");
    assert_eq!(
        (&shown["state"], &shown["action"], &shown["due"]),
        (&value!("downloaded"), &value!("Install"), &value!("now"))
    );
    assert_eq!(shown["install"], "cannot install here");
    assert_eq!(found("Only detected").expect("it is shown")["state"], "required");
    let payload = deployed.payloads().next().expect("a file");
    assert_eq!(fs::read(files.join(format!("{}.cab", payload.sha1()))).expect("it is here"), payload.bytes);
    assert_eq!((&first["unreported"], &first["problems"]), (&value!(0), &value!([])));

    // the same computer, which knows everything already
    let (code, second) = scan(&server, &facts, &[]);
    assert_eq!((code, &second["scan"]["new"], &second["computer"]["id"]), (0, &value!(0), &first["computer"]["id"]));
    assert_eq!(second["total"]["calls"], 3);
    let computers = json(&server, &["computers", "list"]);
    assert_eq!(computers["items"].as_array().map(Vec::len), Some(2), "the dry run was another: {computers}");

    // a damaged state is set aside, and a full scan follows
    let state = folder.path().join("pc.json.agent-state");
    fs::write(&state, "nonsense").expect("written");
    let output = agent(&server, &["scan"], &facts);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("a full scan follows"), "{output:?}");
    assert_eq!(fs::read(folder.path().join("pc.json.agent-state.damaged-1")).expect("kept"), b"nonsense");
}

#[test]
fn bad_input_is_told_with_the_next_step() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let good = facts(folder.path());
    let run = |arguments: &[&str]| {
        let output = Command::new(server.binary()).args(arguments).stdin(Stdio::null()).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let facts = good.to_str().expect("UTF-8");
    let (code, text) = run(&["agent", "scan", "--server", "updates", "--facts", facts]);
    assert!(code == Some(1) && text.contains("http://updates.example.com:8530"), "{text}");
    let (code, text) = run(&["agent", "scan", "--server", &server.client_url(), "--facts", "/nowhere/pc.json"]);
    assert!(code == Some(1) && text.contains("/nowhere/pc.json"), "{text}");
    let (code, text) = run(&["agent", "scan", "--server", &server.client_https_url(), "--facts", facts, "--ca", facts]);
    assert!(code == Some(1) && text.contains("no certificate"), "{text}");
    // with the right authority it is spoken to
    let ca = server.data().join("tls/ca.pem");
    let ca = ca.to_str().expect("UTF-8");
    let (code, text) = run(&["agent", "scan", "--server", &server.client_https_url(), "--facts", facts, "--ca", ca]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn run_does_one_round_now_and_stops_when_asked() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let facts = facts(folder.path());
    let fix = update(1, "Fix");
    publish(&server, &[&fix]);
    deploy(&server, &fix, "install", &[]);
    let output = agent(&server, &["run", "--now"], &facts);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("online scan"), "{output:?}");
    let shown = json(&server, &["compliance", "updates"]);
    assert!(shown.to_string().contains(&id(1).to_string()), "{shown}");

    let mut command = Command::new(server.binary());
    command.args(["agent", "run", "--server", &server.client_url()]).arg("--facts").arg(&facts);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("the next scan is at"), "{line}");
    // it has the state while it waits, so that nobody else gets it
    let output = agent(&server, &["scan"], &facts);
    assert!(String::from_utf8_lossy(&output.stderr).contains("another agent"), "{output:?}");
    let deadline = Instant::now() + PATIENCE;
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("asked");
    assert!(asked.success());
    loop {
        if let Some(status) = child.try_wait().expect("looked") {
            assert!(status.success(), "{status}");
            break;
        }
        if Instant::now() > deadline {
            child.kill().expect("killed");
            panic!("it does not stop");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(agent(&server, &["scan"], &facts).status.success(), "the state is free again");
}
