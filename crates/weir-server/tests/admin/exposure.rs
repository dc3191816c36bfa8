//! Exposure through REST: documents, joined to updates and to what computers report.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_testkit::{Computer, Document, ScriptedAgent, engine};

use crate::harness::{Server, id};

/// A file of `tests/exposure`.
pub(crate) fn file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/exposure").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The updates of the documents: 2 and 3 fix the first CVE on client and server, 4 replaces 2, 5 fixes the second CVE.
pub(crate) async fn ready() -> Server {
    let server = Server::start().await;
    let update = |number: u128, article: &str| {
        Document::software(id(number), 1).title(&format!("Fix {number}")).property_child("KBArticleID", article)
    };
    server
        .import_documents(&[
            update(2, "9000101"),
            update(3, "9000102"),
            update(4, "9000201").supersedes(id(2)),
            update(5, "9000110"),
        ])
        .await;
    server
}

/// A computer of a build that has and lacks what is said, and told.
pub(crate) async fn computer(
    server: &Server,
    number: u64,
    build: i32,
    installed: &[u128],
    not_applicable: &[u128],
) -> ScriptedAgent {
    let mut computer = Computer::numbered(number);
    computer.os_build = build;
    computer.installed = installed.iter().map(|number| id(*number)).collect();
    computer.not_applicable = not_applicable.iter().map(|number| id(*number)).collect();
    let mut agent = ScriptedAgent::new(server.client(), computer).expect("agent");
    agent.scan().await.expect("scan");
    agent.report_scan().await.expect("reported");
    agent
}

/// State and reason of one vulnerability, as the list of a computer has them.
async fn standing(server: &Server, cve: &str, agent: &ScriptedAgent) -> (String, String) {
    let all = server.get(&format!("exposure/computers/{}", agent.computer.client_id)).await.ok();
    let mut all = all["items"].as_array().expect("items").iter();
    let found = all.find(|it| it["cve"] == cve).expect("listed");
    (found["state"].as_str().expect("state").to_owned(), found["reason"].as_str().expect("reason").to_owned())
}

async fn spooler_of(server: &Server, agent: &ScriptedAgent) -> (String, String) {
    standing(server, "CVE-2031-10001", agent).await
}

pub(crate) fn outcomes(imported: &Value) -> Vec<&str> {
    imported["files"].as_array().expect("files").iter().filter_map(|file| file["outcome"].as_str()).collect()
}

#[tokio::test]
async fn documents_are_imported_once_and_never_go_back() {
    let server = ready().await;
    let empty = server.get("exposure/summary").await.ok();
    assert_eq!((&empty["documents"], &empty["cves"]), (&json!(0), &json!(0)));
    let (month, kev) = (file("msrc-form.xml"), file("kev.json"));
    let files: [(&str, &[u8]); 4] =
        [("2031-Jan.xml", &month), ("note.txt", b"not a document"), ("kev.json", &kev), ("again.xml", &month)];
    let imported = server.upload("exposure/imports", &files).await.ok();
    assert_eq!(outcomes(&imported), ["added", "rejected", "added", "unchanged"], "{imported:#}");
    assert!(imported["files"][1]["message"].as_str().expect("why").contains("begins with"), "{imported:#}");
    assert!(imported["files"][0]["message"].as_str().expect("one").contains("1 vulnerabilities without a CVE id"));
    // JSON of the same month and revision is the same document in other bytes
    let imported = server.upload("exposure/imports", &[("2031-Jan.json", &file("msrc-form.json"))]).await.ok();
    assert_eq!(outcomes(&imported), ["replaced"]);
    let text = String::from_utf8(month).expect("UTF-8");
    let newer = text.replace("CurrentReleaseDate>2021-01-20", "CurrentReleaseDate>2021-01-25");
    let newer = newer.replace("CVE-2031-10002", "CVE-2031-10009");
    let imported = server.upload("exposure/imports", &[("newer.xml", newer.as_bytes())]).await.ok();
    assert_eq!(outcomes(&imported), ["replaced"]);
    let imported = server.upload("exposure/imports", &[("2031-Jan.xml", text.as_bytes())]).await.ok();
    assert_eq!(outcomes(&imported), ["older"], "{imported:#}");
    assert!(imported["files"][0]["message"].as_str().expect("why").contains("weir exposure forget "), "{imported:#}");
    // what is dated far ahead would be newer than all that is genuine
    let kev = String::from_utf8(kev).expect("UTF-8");
    for year in ["9999", "0000"] {
        let odd = kev.replace("\"dateReleased\": \"2021", &format!("\"dateReleased\": \"{year}"));
        let imported = server.upload("exposure/imports", &[("kev.json", odd.as_bytes())]).await.ok();
        assert_eq!(outcomes(&imported), ["rejected"], "{imported:#}");
        assert!(imported["files"][0]["message"].as_str().expect("why").contains("current release"), "{imported:#}");
    }
    let listed = server.get("exposure/documents").await.ok();
    let ids: Vec<&str> = listed["items"].as_array().expect("items").iter().filter_map(|it| it["id"].as_str()).collect();
    assert_eq!(ids, ["2031-Jan", "KEV"]);
    assert_eq!(listed["items"][0]["source"], "newer.xml");
    assert_eq!(server.get("exposure/cves/CVE-2031-10009").await.ok()["title"], "Example Ledger Remote Code Execution");
    assert_eq!(server.get("exposure/cves/CVE-2031-10002").await.refused(404), "not_found");
    assert_eq!(server.get("exposure/cves/10002").await.refused(400), "cve");

    let no = listed["items"][0]["no"].as_u64().expect("a number");
    assert_eq!(server.delete(&format!("exposure/documents/{no}")).await.status, 204);
    assert_eq!(server.delete(&format!("exposure/documents/{no}")).await.refused(404), "not_found");
    assert_eq!(server.get("exposure/cves").await.ok()["items"], json!([]), "only KEV is left");
    let with = server.get("exposure/cves?kev_only=true").await.ok();
    assert_eq!(with["items"].as_array().expect("items").len(), 2);
    let audit = server.get("audit?limit=20").await.ok().to_string();
    for action in ["exposure.import", "exposure.document.delete"] {
        assert!(audit.contains(action), "{action}");
    }
    assert_eq!(server.upload("exposure/imports", &[]).await.refused(400), "upload");
    server.stop().await;
}

#[tokio::test]
async fn computers_are_exposed_fixed_or_unknown_and_it_says_why() {
    let server = ready().await;
    let files = [("month.xml", file("msrc-form.xml")), ("kev.json", file("kev.json"))];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    server.upload("exposure/imports", &files).await.ok();
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let needs = computer(&server, 1, 97_001, &[], &[3, 5]).await;
    let has = computer(&server, 2, 97_001, &[2], &[3, 4, 5]).await;
    let later = computer(&server, 3, 97_001, &[4], &[2, 3, 5]).await;
    let server_needs = computer(&server, 4, 98_001, &[5], &[2, 4]).await;
    let other = computer(&server, 5, 96_000, &[], &[2, 3, 4, 5]).await;
    let mut silent = Computer::numbered(6);
    silent.os_build = 97_001;
    let mut silent = ScriptedAgent::new(server.client(), silent).expect("agent");
    silent.scan().await.expect("scan");
    let ring = json!({ "computers": [needs.computer.client_id, has.computer.client_id] });
    server.post("collections/Ring/members", ring).await.ok();

    let spooler = server.get("exposure/cves/CVE-2031-10001").await.ok();
    let counts = json!({ "exposed": 2, "no_data": 2, "fixed": 2, "not_affected": 0 });
    assert_eq!(spooler["computers"], counts, "{spooler:#}");
    assert_eq!(
        (&spooler["severity"], &spooler["exploited"], &spooler["score"]),
        (&json!("critical"), &json!(true), &json!(8.8))
    );
    assert_eq!((&spooler["kev"]["ransomware"], &spooler["kev"]["added"]), (&json!(true), &json!("2021-01-16")));
    let remedies: Vec<&Value> =
        spooler["problems"].as_array().expect("problems").iter().map(|it| &it["remedies"][0]).collect();
    assert_eq!((&remedies[0]["kb"], &remedies[0]["build"]), (&json!("KB9000101"), &json!("10.0.97001.1000")));
    assert_eq!((&remedies[0]["updates"][0]["name"], &remedies[0]["superseders"]), (&json!("Fix 2"), &json!(1)));
    assert_eq!(spooler["documents"][0]["id"], "2031-Jan");

    let pair = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    assert_eq!(spooler_of(&server, &needs).await, pair("exposed", "needed"));
    assert_eq!(spooler_of(&server, &has).await, pair("fixed", "installed"));
    assert_eq!(spooler_of(&server, &later).await, pair("fixed", "later_installed"));
    assert_eq!(spooler_of(&server, &server_needs).await, pair("exposed", "needed"));
    assert_eq!(spooler_of(&server, &other).await, pair("no_data", "release_not_listed"));
    assert_eq!(spooler_of(&server, &silent).await, pair("no_data", "not_reported"));
    assert_eq!(
        standing(&server, "CVE-2031-10002", &server_needs).await,
        pair("fixed", "installed"),
        "for Mac is left out"
    );
    assert_eq!(standing(&server, "CVE-2031-10002", &needs).await, pair("not_affected", "not_applicable"));

    let path = "exposure/cves/cve-2031-10001/computers";
    let all = server.get(path).await.ok();
    assert_eq!(all["items"].as_array().expect("items").len(), 6);
    assert_eq!(all["items"][0]["state"], "exposed", "exposed ones first");
    assert_eq!(all["items"][0]["update"]["name"], "Fix 2");
    let page = server.get(&format!("{path}?limit=4")).await.ok();
    let rest = server.get(&format!("{path}?limit=4&cursor={}", page["next"].as_str().expect("more"))).await.ok();
    assert_eq!((rest["items"].as_array().expect("items").len(), &rest["next"]), (2, &Value::Null));
    let in_ring = server.get(&format!("{path}?collection=Ring&state=fixed")).await.ok();
    assert_eq!(in_ring["items"][0]["id"], has.computer.client_id.as_str());
    assert_eq!(in_ring["items"].as_array().expect("items").len(), 1);

    let summary = server.get("exposure/summary").await.ok();
    let expected = [
        ("documents", 2),
        ("cves", 2),
        ("cves_exposed", 1),
        ("cves_exploited", 1),
        ("computers", 6),
        ("computers_exposed", 2),
        ("computers_silent", 1),
    ];
    for (field, count) in expected {
        assert_eq!(summary[field], count, "{field}: {summary:#}");
    }
    // counts are those of a naive recount of what each computer says
    let mut recount = json!({ "exposed": 0, "no_data": 0, "fixed": 0, "not_affected": 0 });
    for agent in [&needs, &has, &later, &server_needs, &other, &silent] {
        let path = format!("exposure/computers/{}", agent.computer.client_id);
        for it in server.get(&path).await.ok()["items"].as_array().expect("items") {
            let state = it["state"].as_str().expect("state");
            recount[state] = json!(recount[state].as_u64().expect("a count") + 1);
        }
    }
    assert_eq!(summary["pairs"], recount, "{summary:#}");
    let ring = server.get("exposure/summary?collection=Ring").await.ok();
    assert_eq!((&ring["computers"], &ring["computers_exposed"]), (&json!(2), &json!(1)));
    assert_eq!(server.get("exposure/summary?collection=Nowhere").await.refused(404), "not_found");

    let names = async |query: &str| {
        let listed = server.get(&format!("exposure/cves?{query}")).await.ok();
        let items = listed["items"].as_array().expect("items").clone();
        items.iter().map(|it| it["cve"].as_str().expect("cve").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["CVE-2031-10001", "CVE-2031-10002"], "the exposed one first");
    assert_eq!(names("state=exposed").await, ["CVE-2031-10001"]);
    assert_eq!(names("text=LEDGER").await, ["CVE-2031-10002"]);
    assert_eq!(names("severity=moderate").await, ["CVE-2031-10002"]);
    assert_eq!(names("kb=KB9000102").await, ["CVE-2031-10001"]);
    assert_eq!(names("exploited=false").await, ["CVE-2031-10002"]);
    assert_eq!(names("kev_only=true&text=2030-31337").await, ["CVE-2030-31337"]);
    for (query, code) in [("severity=awful", "severity"), ("kb=x", "kb"), ("state=x", "query"), ("limit=0", "limit")] {
        assert_eq!(server.get(&format!("exposure/cves?{query}")).await.refused(400), code, "{query}");
    }
    // a computer that comes to have the update is fixed at once
    let mut needs = needs;
    needs.computer.installed.insert(id(2));
    needs.report_scan().await.expect("reported");
    assert_eq!(spooler_of(&server, &needs).await, pair("fixed", "installed"));
    let spooler = server.get("exposure/cves/CVE-2031-10001").await.ok();
    assert_eq!((&spooler["computers"]["exposed"], &spooler["computers"]["fixed"]), (&json!(1), &json!(3)));
    server.stop().await;
}

/// The document as if it had been published so many days ago.
fn published(days: i64) -> Vec<u8> {
    let day = (Timestamp::now() - SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let text = String::from_utf8(file("msrc-form.xml")).expect("UTF-8");
    let text = text.replace("2021-01-14T08:00:00", &day).replace("2021-01-18T08:00:00", &day);
    text.replace("2021-01-20T08:00:00", &day).into_bytes()
}

#[tokio::test]
async fn the_exact_build_of_a_scan_decides() {
    let server = ready().await;
    server.upload("exposure/imports", &[("month.xml", &file("msrc-form.xml"))]).await.ok();
    // to neither does any update apply that would tell
    let mut agents = Vec::new();
    for (number, revision) in [(1, 999), (2, 1_000)] {
        let mut computer = Computer::numbered(number);
        (computer.os_build, computer.os_revision) = (97_001, Some(revision));
        computer.not_applicable = [2, 3, 4, 5].map(id).into();
        agents.push(ScriptedAgent::new(server.client(), computer).expect("agent"));
    }
    for agent in &mut agents {
        agent.scan().await.expect("scan");
        agent.report_scan().await.expect("reported");
    }
    let pair = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    assert_eq!(spooler_of(&server, &agents[0]).await, pair("exposed", "build_older"));
    assert_eq!(spooler_of(&server, &agents[1]).await, pair("fixed", "build_reached"));
    let shown = server.get(&format!("computers/{}", agents[0].computer.client_id)).await.ok();
    assert!(shown["os"].as_str().expect("os").contains("10.0.97001.999"), "{}", shown["os"]);

    // the update that would fix it is known, so that an exception about it holds
    let excepted = json!({
        "update": id(2), "computer": agents[0].computer.client_id, "owner": "A. Person", "reason": "It breaks printing",
        "expires_at": Timestamp::now() + SignedDuration::from_hours(24),
    });
    server.post("exposure/exceptions", excepted).await.ok();
    let path = format!("exposure/computers/{}?state=exposed", agents[0].computer.client_id);
    assert_eq!(server.get(&path).await.ok()["items"][0]["level"], "excepted");

    // it is updated outside of Weir, restarts and scans again
    agents[0].computer.os_revision = Some(1_001);
    agents[0].scan().await.expect("scan");
    agents[0].report_scan().await.expect("reported");
    assert_eq!(spooler_of(&server, &agents[0]).await, pair("fixed", "build_reached"));
    let server = Server::start_in(server.stop().await).await;
    assert_eq!(spooler_of(&server, &agents[0]).await, pair("fixed", "build_reached"), "it was stored");
}

#[tokio::test]
async fn clocks_run_and_exceptions_hold_until_they_end() {
    let server = ready().await;
    server.upload("exposure/imports", &[("month.xml", &published(100))]).await.ok();
    let agent = computer(&server, 1, 97_001, &[], &[3, 5]).await;
    let path = format!("exposure/computers/{}?state=exposed", agent.computer.client_id);
    let level = async || server.get(&path).await.ok()["items"][0]["level"].as_str().expect("a level").to_owned();
    // published long ago, but the update arrived only now: the clock starts now
    assert_eq!(level().await, "within");
    let first = server.get(&path).await.ok()["items"][0].clone();
    let since: Timestamp = first["since"].as_str().expect("since").parse().expect("a time");
    assert!(since > Timestamp::now() - SignedDuration::from_mins(10), "{first:#}");
    let due: Timestamp = first["due_at"].as_str().expect("due").parse().expect("a time");
    assert_eq!(due.duration_since(since), SignedDuration::from_hours(24 * 14), "exploited, as the vendor says");
    let levels = server.get("exposure/levels").await.ok();
    assert_eq!((&levels["critical"], &levels["proposed"]), (&json!(15), &json!(true)));
    let changed = server.patch("exposure/levels", json!({ "exploited": 2 })).await.ok();
    assert_eq!(
        (&changed["exploited"], &changed["critical"], &changed["proposed"]),
        (&json!(2), &json!(15), &json!(false))
    );
    assert_eq!(level().await, "due_soon", "two days are within the last three");
    for (body, code) in [
        (json!({ "critical": 3651 }), "critical"),
        (json!({ "due_soon": 0 }), "due_soon"),
        (json!({ "exploited": -1 }), "body"),
        (json!({ "urgent": 1 }), "body"),
    ] {
        assert_eq!(server.patch("exposure/levels", body.clone()).await.refused(400), code, "{body}");
    }
    server.patch("exposure/levels", json!({ "exploited": 0, "critical": 0 })).await.ok();
    assert_eq!(level().await, "none");
    let proposed = server.delete("exposure/levels").await.ok();
    assert_eq!((&proposed["critical"], &proposed["proposed"]), (&json!(15), &json!(true)));

    let until = |days: i64| json!(Timestamp::now() + SignedDuration::from_hours(24 * days));
    let good = json!({
        "cve": "CVE-2031-10001", "collection": "All Computers", "owner": "A. Person", "reason": "It is switched off",
        "expires_at": until(30),
    });
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    for (body, status, code) in [
        (with("owner", json!(" ")), 400, "owner"),
        (with("reason", json!("")), 400, "reason"),
        (with("expires_at", until(-1)), 400, "expires_at"),
        (with("expires_at", until(800)), 400, "expires_at"),
        (with("expires_at", Value::Null), 400, "expires_at"),
        (with("update", json!(id(2))), 400, "cve"),
        (with("cve", Value::Null), 400, "cve"),
        (with("cve", json!("10001")), 400, "cve"),
        (with("cve", json!("CVE-2031-99999")), 404, "not_found"),
        (with("collection", json!("Nowhere")), 404, "not_found"),
        (with("computer", json!("pc-1")), 400, "collection"),
    ] {
        assert_eq!(server.post("exposure/exceptions", body.clone()).await.refused(status), code, "{body}");
    }
    let made = server.post("exposure/exceptions", good.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(
        (&made.body["cve"], &made.body["collection"]["name"]),
        (&json!("CVE-2031-10001"), &json!("All Computers"))
    );
    assert_eq!(level().await, "excepted");
    let spooler = server.get("exposure/cves/CVE-2031-10001").await.ok();
    assert_eq!((&spooler["levels"]["excepted"], &spooler["due_at"]), (&json!(1), &Value::Null), "{spooler:#}");
    let remove = format!("exposure/exceptions/{}", made.body["id"].as_str().expect("an id"));
    assert_eq!(server.delete(&remove).await.status, 204);
    assert_eq!(server.delete(&remove).await.refused(404), "not_found");
    assert_eq!(level().await, "within");
    // about another update it does not hold, about this one on this computer it does, and it ends by itself
    let update = |number: u128, expires: Value| {
        json!({
            "update": id(number), "computer": agent.computer.client_id, "owner": "A. Person", "reason": "It breaks printing",
            "expires_at": expires,
        })
    };
    server.post("exposure/exceptions", update(5, until(1))).await.ok();
    assert_eq!(level().await, "within");
    let soon = Timestamp::now() + SignedDuration::from_secs(3);
    server.post("exposure/exceptions", update(2, json!(soon))).await.ok();
    assert_eq!(level().await, "excepted");
    while Timestamp::now() < soon {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(level().await, "within", "it is over");
    assert_eq!(
        server.get("exposure/cves/CVE-2031-10001").await.ok()["levels"]["within"],
        1,
        "also where counts are kept"
    );
    let counting = server.get("exposure/exceptions").await.ok();
    assert_eq!(counting["items"].as_array().expect("items").len(), 1);
    let all = server.get("exposure/exceptions?expired=true").await.ok();
    assert_eq!(all["items"].as_array().expect("items").len(), 2);
    let audit = server.get("audit?limit=50").await.ok().to_string();
    for action in ["exposure.levels", "exposure.exception.create", "exposure.exception.remove"] {
        assert!(audit.contains(action), "{action}");
    }
    server.stop().await;
}

#[tokio::test]
async fn breaches_are_reported_until_they_are_excepted() {
    // as if the updates had been here for 200 days
    let data = ready().await.stop().await;
    let long = SignedDuration::from_hours(24 * 200).as_micros() as i64;
    engine::execute(data.path(), "UPDATE revision SET arrived_at = arrived_at - ?1", &[long.into()]);
    let server = Server::start_in(data).await;
    let report = async |query: &str| server.get(&format!("reports/service-level-breaches{query}")).await.ok();
    let needs = computer(&server, 1, 97_001, &[], &[3, 5]).await;
    let has = computer(&server, 2, 97_001, &[2], &[3, 4, 5]).await;
    let empty = report("").await;
    assert_eq!(empty["rows"], json!([]));
    assert!(empty["notes"][0].as_str().expect("a note").contains("weir exposure import"), "{empty:#}");

    server.upload("exposure/imports", &[("month.xml", &published(100))]).await.ok();
    let found = report("").await;
    assert_eq!((&found["total"], &found["notes"]), (&json!(1), &json!([])), "{found:#}");
    let row = &found["rows"][0];
    for (column, value) in [
        ("computer", needs.computer.client_id.clone()),
        ("site", "this".to_owned()),
        ("cve", "CVE-2031-10001".to_owned()),
        ("update", id(2).to_string()),
        ("article", "KB9000101".to_owned()),
        ("title", "Fix 2".to_owned()),
        ("service_level", "exploited".to_owned()),
    ] {
        assert_eq!(row[column], value.as_str(), "{column}: {row:#}");
    }
    // what exposure says of it, too
    let path = format!("exposure/computers/{}?state=exposed", needs.computer.client_id);
    let exposed = server.get(&path).await.ok()["items"][0].clone();
    assert_eq!((&exposed["level"], &exposed["due_at"]), (&json!("breached"), &row["due"]), "{exposed:#}");
    let days = |row: &Value| row["overdue"].as_i64().expect("seconds") / (24 * 60 * 60);
    assert_eq!(days(row), 100 - 14);
    assert_eq!(server.get("exposure/summary").await.ok()["levels"]["breached"], found["total"]);
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    server.post("collections/Ring/members", json!({ "computers": [has.computer.client_id] })).await.ok();
    assert_eq!(report("?collection=Ring").await["rows"], json!([]));
    assert_eq!(report("?site=this").await["total"], 1);

    server.patch("exposure/levels", json!({ "exploited": 0 })).await.ok();
    let row = report("").await["rows"][0].clone();
    assert_eq!((&row["service_level"], days(&row)), (&json!("critical"), 100 - 15));
    let exception = json!({
        "cve": "CVE-2031-10001", "computer": needs.computer.client_id, "owner": "A. Person", "reason": "It is switched off",
        "expires_at": Timestamp::now() + SignedDuration::from_hours(24),
    });
    assert_eq!(server.post("exposure/exceptions", exception).await.status, 201);
    let found = report("").await;
    assert_eq!((&found["rows"], &found["notes"]), (&json!([]), &json!([])), "{found:#}");
    server.stop().await;
}
