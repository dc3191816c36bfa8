//! Synchronization from the command line, against a scripted upstream server.

use std::process::{Command, Stdio};

use weir_model::update::CategoryKind;
use weir_testkit::{
    Document, WeirProcess,
    upstream::{At, Served, Trouble, Upstream},
};
use weir_wire::wsss::Operation;

use super::{id, json, server, telemetry::line};

fn served() -> Served {
    let of = |document: Document| document.in_category(id(2)).in_category(id(3));
    Served::new().with([
        Document::category(id(1), 1, CategoryKind::ProductFamily).title("Family"),
        Document::category(id(2), 1, CategoryKind::Product).title("Product").in_category(id(1)),
        Document::category(id(3), 1, CategoryKind::UpdateClassification).title("Security"),
        of(Document::software(id(10), 1).title("Update for x64-based Systems")),
        of(Document::software(id(11), 1).title("Update for Itanium-based Systems")),
    ])
}

/// What a command prints, which must succeed.
fn said(server: &WeirProcess, arguments: &[&str]) -> String {
    let output = server.weir(arguments).expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_new_administrator_is_led_from_nothing_to_a_catalogue() {
    let upstream = Upstream::start(served());
    let server = server();
    let refused = server.weir(&["sync", "now"]).expect("it runs");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("weir settings set source"));
    assert!(said(&server, &["sync", "history"]).contains("weir sync now"));

    said(&server, &["settings", "set", "source", &upstream.url()]);
    let first = said(&server, &["sync", "now", "--wait"]);
    assert!(first.contains("3 added") && first.contains("Next: choose products and classifications"), "{first}");
    said(&server, &["criteria", "add", "Itanium", "--action", "skip", "--architecture", "ia64"]);
    let family = id(1).to_string();
    let preview = said(&server, &["products", "set", "--id", &family, "--preview"]);
    assert!(preview.contains("1, now 0") && preview.contains("Product"), "{preview}");
    assert_eq!(json(&server, &["products", "set", "--id", &family])["selected"], serde_json::json!([family]));
    said(&server, &["classifications", "set", "--all"]);

    let run = json(&server, &["sync", "now", "--wait"]);
    assert_eq!((&run["result"], run["added"].as_u64()), (&"done".into(), Some(1)), "{run}");
    assert_eq!(
        (run["revised"].as_u64(), run["expired"].as_u64(), run["skipped"].as_u64()),
        (Some(0), Some(0), Some(1))
    );
    assert!(run["seconds"].is_f64());
    let status = said(&server, &["sync", "status"]);
    for part in ["last             done", "1 skipped", "1 products, 1 classifications", "schedule         off"] {
        assert!(status.contains(part), "{part} is not in\n{status}");
    }
    let listed = said(&server, &["products", "list"]);
    assert!(listed.lines().any(|line| line.starts_with('X') && line.contains("Family")), "{listed}");

    upstream.trouble(At::Every(Operation::GetCookie), Trouble::Fault("InternalServerError".to_owned()));
    let (code, failed) = server.json_with_code(&["sync", "now", "--wait"]).expect("it answers");
    assert_eq!((code, &failed["result"]), (1, &"failed".into()), "{failed}");
    let status = said(&server, &["sync", "status"]);
    assert!(status.contains("error: ") && status.contains("(retry)"), "{status}");
}

#[test]
fn ctrl_c_leaves_the_run_going_and_cancel_ends_it() {
    let upstream = Upstream::start(served());
    let log = ["--log", "info,weir_server::telemetry=debug"];
    let server = WeirProcess::start_with(env!("CARGO_BIN_EXE_weir"), None, &log).expect("a server");
    said(&server, &["settings", "set", "source", &upstream.url()]);
    upstream.trouble(At::Operation(Operation::GetConfigData, 1), Trouble::Hang);
    let mut command = server.command(&["sync", "now", "--wait"]);
    let follower = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a command");
    let is_there = |status: &serde_json::Value| status["current"]["progress"]["phase"] == "configuration";
    let running = server.wait_for(&["sync", "status"], is_there).expect("it runs");
    // nobody else asks for a run: the follower does, and hears of interrupts
    line(&server, &["/sync/runs/{id}", "answered"]);
    let interrupt = Command::new("kill").args(["-INT", &follower.id().to_string()]).status().expect("kill");
    assert!(interrupt.success());
    let output = follower.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("goes on at the server"), "{told}");
    let now = json(&server, &["sync", "status"]);
    assert_eq!(now["current"]["id"], running["current"]["id"]);

    let stopped = json(&server, &["sync", "cancel"]);
    assert_eq!((&stopped["id"], &stopped["result"]), (&running["current"]["id"], &"cancelled".into()));
    assert_eq!(json(&server, &["sync", "now", "--wait"])["result"], "done");
}
