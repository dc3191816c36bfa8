//! What a lab lacks for every screen to have something to show, and texts that would do harm if a page took them for markup.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use jiff::{ToSpan as _, Zoned};
use reqwest::{Certificate, Client};
use serde_json::{Value, json as value};
use uuid::Uuid;
use weir_model::update::CategoryKind;
use weir_testkit::{Computer, Document, Payload, ScriptedAgent, agent::Installation};

use super::{
    super::{id, lab::Lab, run, write_documents},
    value_at,
};

/// The name of a computer.
const COMPUTER: &str =
    "\"'><script data-escaped>escaped='computer'</script><img data-escaped src=x onerror=\"escaped='computer'\">";
/// The title of an update, with a word that nothing else has.
const TITLE: &str = "Xylophone </title></textarea><script data-escaped>escaped='update'</script><b data-escaped onclick='escaped=1'>&amp;{{7*7}}";
/// The text of an event.
const EVENT: &str =
    "</td></table><script data-escaped>escaped='event'</script><img data-escaped src=x onerror=\"escaped='event'\">";
/// "Fatal error during installation".
const FAILURE: i32 = 0x8007_0643_u32.cast_signed();

/// Runs a command on a server of the lab, which must end with one of these codes.
fn ended(lab: &Lab, site: &str, arguments: &[&str], codes: &[i32]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.args(arguments).arg("--json").arg("--data").arg(lab.data(site)).stdin(Stdio::null());
    let output = command.output().expect("it runs");
    let code = output.status.code().expect("a code");
    assert!(
        codes.contains(&code),
        "weir {} ended with {code}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

fn made(lab: &Lab, arguments: &[&str]) -> Value {
    ended(lab, "CEN", arguments, &[0])
}

/// A text at a place of an answer.
fn text(value: &Value, place: &str) -> String {
    value.pointer(place).and_then(Value::as_str).unwrap_or_else(|| panic!("no {place} in {value}")).to_owned()
}

/// Furnishes the site at the top. Gives what the module `escape` is told of the texts.
pub(super) fn furnish(lab: &Lab) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    catalogue(lab, folder.path());
    administration(lab);
    exposure(lab, folder.path());
    transport(lab, folder.path());
    let computer = computers(lab);
    access(lab);
    trouble(lab);
    value!({
        "computer": { "id": computer, "name": COMPUTER },
        "update": { "id": id(20), "title": TITLE, "word": "Xylophone" },
        "event": EVENT,
    })
}

/// Updates of every kind that a page shows in another way.
fn catalogue(lab: &Lab, folder: &Path) {
    let (file, licence) = (Payload::random("xylophone.cab", 30_000, 7), Payload::random("licence.rtf", 200, 8));
    let of = |document: Document| document.in_category(id(2)).in_category(id(3));
    let member = Document::member(id(22), 1).title("A member").requires(id(2)).file(&file);
    let documents = [
        Document::category(id(1), 1, CategoryKind::ProductFamily).title("Orchestra family"),
        Document::category(id(2), 1, CategoryKind::Product).title("Orchestra").in_category(id(1)),
        Document::category(id(3), 1, CategoryKind::UpdateClassification).title("Scores"),
        of(Document::software(id(20), 1)
            .localized("en", TITLE, Some(TITLE))
            .property_child("SupportUrl", "javascript:escaped='link'")
            .file(&file)),
        of(Document::software(id(21), 1).title("Xylophone of last month")).supersedes(id(23)),
        of(Document::software(id(23), 1).title("Xylophone of the month before")),
        of(Document::software(id(24), 1).title("Xylophones in a bundle").bundles([member.identity()])),
        of(Document::software(id(25), 1).title("Xylophone that is withdrawn").expired()),
        of(Document::software(id(26), 1).title("Xylophone of unknown needs").requires(id(99))),
        of(Document::software(id(27), 1).title("Xylophone with terms"))
            .eula(Uuid::from_u128(0x0b5e_0001), "en", None, &licence)
            .file(&file),
        member,
    ];
    write_documents(&folder.join("documents"), &documents);
    for payload in [&file, &licence] {
        payload.write_to(&folder.join("content")).expect("a file");
    }
    let path = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    // the top synchronizes: what is beside that is insisted on
    let imported = made(lab, &["import", "--force", &path("documents")]);
    assert_eq!(imported["added"], documents.len(), "{imported}");
    made(lab, &["content", "add", &path("content")]);
    made(lab, &["content", "verify"]);
    made(lab, &["updates", "decline", &id(23).to_string()]);
    let update = id(20).to_string();
    made(lab, &["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "install"]);
}

/// One of each thing that administrators make.
fn administration(lab: &Lab) {
    let groups = made(lab, &["groups", "list"]);
    let group = value_at(&groups, |group| text(group, "/name").starts_with("Needed"));
    let group = text(&group, "/name");
    let needed = made(lab, &["updates", "list", "--filter", "needed > 0 and deployable and not superseded"]);
    let stopped = text(&needed, "/items/0/id");
    let things: &[&[&str]] = &[
        &["collections", "create", "Pilot", "--parent", "Managed computers", "--description", "A few of each kind"],
        &["collections", "create", "Ring 1", "--rule", "os ~ \"Windows\""],
        &["windows", "create", "Nightly", "--collection", "Ring 1", "--schedule", "daily at 22:00"],
        &["searches", "create", "Needed now", "--filter", "needed > 0"],
        &["deployments", "templates", "save", "Two days", "--action", "install", "--deadline", "+2d"],
        &[
            "rules",
            "create",
            "Monthly",
            "--template",
            "patch-tuesday",
            "--deploy",
            "Pilot,install,deadline=3d",
            "--run",
        ],
        &["rules", "templates", "--save-from", "Monthly", "--name", "Ours"],
        &["client-settings", "create", "Branch", "--collection", "Ring 1"],
        &[
            "reports",
            "schedules",
            "create",
            "Each day",
            "--report",
            "compliance-overall",
            "--schedule",
            "daily at 05:30",
            "--folder",
            "daily",
        ],
        &["alerts", "subscriptions", "create", "Operators", "--url", "http://127.0.0.1:9/hook", "--allow-http"],
        &[
            "phased",
            "create",
            "Careful",
            "--group",
            &group,
            "--phase",
            "Pilot,success=90%",
            "--phase",
            "Ring 1,manual",
            "--accept-eula",
        ],
        // one that is over can be deleted
        &[
            "phased",
            "create",
            "Ring of last year",
            "--group",
            &group,
            "--phase",
            "Servers",
            "--phase",
            "Workstations,manual",
        ],
        &["phased", "stop", "Ring of last year"],
        &["updates", "stop", &stopped, "--reason", "Printers stop"],
        &["sites", "add", "PRI9", "--kind", "primary"],
        &["sites", "enrol", "PRI9"],
        &["cleanup", "run"],
    ];
    for arguments in things {
        made(lab, arguments);
    }
}

/// Vulnerabilities of last year, and an exception from their service levels.
fn exposure(lab: &Lab, folder: &Path) {
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/exposure");
    let year = Zoned::now().year();
    for name in ["msrc-form.xml", "kev.json"] {
        let text = fs::read_to_string(documents.join(name)).expect("a document");
        // what is dated in the future is refused
        let text = text.replace("2031", &(year - 1).to_string()).replace("2030", &(year - 2).to_string());
        let path = folder.join(name);
        fs::write(&path, text).expect("written");
        made(lab, &["exposure", "import", path.to_str().expect("UTF-8")]);
    }
    let cves = made(lab, &["exposure", "cves", "list"]);
    let cve = text(&cves, "/items/0/cve");
    let end = Zoned::now().date().saturating_add(300.days()).to_string();
    made(
        lab,
        &[
            "exposure",
            "exceptions",
            "add",
            "--cve",
            &cve,
            "--collection",
            "Ring 1",
            "--owner",
            "Desk",
            "--reason",
            "Not reachable",
            "--expires",
            &end,
        ],
    );
}

/// An export that can be fetched, and a bundle that came.
fn transport(lab: &Lab, folder: &Path) {
    begin_export(lab);
    let bundle = folder.join("in.weir");
    let bundle = bundle.to_str().expect("UTF-8");
    let sent = ended(lab, "upstream", &["export", bundle, "--bundle"], &[0]);
    made(lab, &["bundle", "trust", "add", &text(&sent, "/signer"), "--name", "Upstream"]);
    made(lab, &["import", "--force", bundle]);
}

/// What `weir export` begins; that command fetches all and leaves nothing to be looked at.
fn begin_export(lab: &Lab) {
    let (data, endpoints) = (lab.data("CEN"), endpoints(lab));
    let token = fs::read_to_string(data.join("admin.token")).expect("a token");
    let certificate =
        Certificate::from_pem(&fs::read(data.join("tls/ca.pem")).expect("ca.pem")).expect("a certificate");
    // another test of this process may have been first
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http = Client::builder().tls_certs_only([certificate]).no_proxy().build().expect("a client");
    let begin = http
        .post(format!("{}/api/v1/exports?format=bundle", text(&endpoints, "/admin")))
        .header("content-type", "application/octet-stream")
        .bearer_auth(token.trim());
    let status = run(async { begin.send().await.expect("an answer").status() });
    assert!(status.is_success(), "{status}");
}

/// Where the site at the top listens.
fn endpoints(lab: &Lab) -> Value {
    let text = fs::read(lab.data("CEN").join("endpoints.json")).expect("it listens");
    serde_json::from_slice(&text).expect("JSON")
}

/// Two machines of one name that would do harm; the first fails to install and tells why. Gives its id.
fn computers(lab: &Lab) -> String {
    let address = text(&endpoints(lab), "/client_http");
    let mut agents = [901, 902].map(|number| {
        let mut computer = Computer { dns_name: COMPUTER.to_owned(), ..Computer::numbered(number) };
        computer.outcomes.insert(id(20), Installation::Fails(FAILURE));
        ScriptedAgent::new(&address, computer).expect("an agent")
    });
    run(async {
        for agent in &mut agents {
            agent.scan().await.expect("a scan");
            agent.report_scan().await.expect("a report");
        }
        let agent = &mut agents[0];
        agent.install_offered().await.expect("an installation");
        let update = agent.state.cache.values().map(|cached| cached.identity).find(|cached| cached.update_id == id(20));
        let told = agent.event(182, update, FAILURE, vec![format!("0x{FAILURE:08x}"), EVENT.to_owned()], Vec::new());
        agent.report(vec![told]).await.expect("a report");
        agent.scan().await.expect("a scan");
        agent.report_scan().await.expect("a report");
    });
    agents[0].computer.client_id.clone()
}

/// People, tokens, and an act that waits for a second person.
fn access(lab: &Lab) {
    made(lab, &["users", "create", "olga", "--role", "operator", "--collection", "Pilot"]);
    made(lab, &["users", "create", "anna", "--role", "full-administrator"]);
    let certificate = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/person-certificate.pem");
    made(lab, &["users", "certificate", "add", "anna", certificate.to_str().expect("UTF-8")]);
    made(lab, &["users", "map", "patch-team", "--role", "operator"]);
    made(lab, &["tokens", "create", "watch", "--role", "read-only-analyst", "--days", "30"]);
    made(lab, &["collections", "create", "Old"]);
    made(lab, &["settings", "set", "approval.required", "delete-collection"]);
    // it waits for a second person, and says so as a failure
    ended(lab, "CEN", &["collections", "delete", "Old"], &[1]);
}

/// A synchronization that failed, and the alert that it opened.
fn trouble(lab: &Lab) {
    let source = text(&made(lab, &["sync", "status"]), "/source");
    made(lab, &["settings", "set", "source", "http://127.0.0.1:9"]);
    ended(lab, "CEN", &["sync", "now", "--wait"], &[1]);
    made(lab, &["settings", "set", "source", &source]);
    let alerts = made(lab, &["alerts", "list"]);
    value_at(&alerts, |alert| text(alert, "/kind") == "sync.failed");
}
