//! Reports through REST: what each says agrees with what computers reported and with the other counts.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::{Value, json};
use weir_model::update::CategoryKind;
use weir_testkit::{Computer, Document, ScriptedAgent, agent::Installation};

use crate::harness::{Server, id};

const EVIL: &str = "=cmd|' /c calc'!a0,\"x\"";
const FAILURE: i32 = -2_145_124_318;

/// Four computers: one that needs everything, one that installed the first update and failed the second, one with a name that is
/// a formula, which needs everything, too, and one that scanned and reported nothing. Two updates are a group that is deployed to
/// Servers, where the first two computers are; the third update is deployed to nobody.
pub(crate) async fn ready() -> (Server, Vec<ScriptedAgent>) {
    let server = Server::start().await;
    server
        .import_documents(&[
            Document::category(id(90), 1, CategoryKind::Company).title("Contoso"),
            Document::category(id(91), 1, CategoryKind::Product).title("Contoso Reader").in_category(id(90)),
            Document::category(id(92), 1, CategoryKind::UpdateClassification).title("Security Updates"),
            Document::software(id(2), 1)
                .title("First <b>fix</b>")
                .property_child("KBArticleID", "5000002")
                .in_category(id(91))
                .in_category(id(92)),
            Document::software(id(3), 1).title("Second fix").in_category(id(91)).in_category(id(92)),
            Document::software(id(4), 1).title("Third fix"),
        ])
        .await;
    server.post("collections", json!({ "name": "Servers" })).await.ok();
    server.post("collections", json!({ "name": "Web", "parent": "Servers" })).await.ok();
    server.post("groups", json!({ "name": "November", "members": { "updates": [id(2), id(3)] } })).await.ok();
    let mut agents = Vec::new();
    for number in 1..=4 {
        let mut computer = Computer::numbered(number);
        if number == 3 {
            EVIL.clone_into(&mut computer.dns_name);
        }
        let mut agent = ScriptedAgent::new(server.client(), computer).expect("agent");
        agent.scan().await.expect("scan");
        agents.push(agent);
    }
    let ids: Vec<&str> = agents.iter().map(|agent| agent.computer.client_id.as_str()).collect();
    server.post("collections/Servers/members", json!({ "computers": [ids[0]] })).await.ok();
    server.post("collections/Web/members", json!({ "computers": [ids[1]] })).await.ok();
    let deployment = json!({
        "group": "November", "collection": "Servers", "action": "install", "deadline": "+7d", "name": "November servers",
    });
    server.post("deployments", deployment).await.ok();
    agents[1].computer.outcomes.insert(id(3), Installation::Fails(FAILURE));
    for agent in &mut agents[..3] {
        agent.scan().await.expect("scan");
        agent.report_scan().await.expect("reported");
    }
    assert_eq!(agents[1].install_offered().await.expect("installed").len(), 2);
    agents[1].scan().await.expect("scan");
    agents[1].report_scan().await.expect("reported");
    // the fourth could not be scanned
    let failed = agents[3].event(148, None, FAILURE, vec!["0x80240022".to_owned()], Vec::new());
    agents[3].report(vec![failed]).await.expect("reported");
    (server, agents)
}

async fn report(server: &Server, query: &str) -> Value {
    server.get(&format!("reports/{query}")).await.ok()
}

async fn rows(server: &Server, query: &str) -> Vec<Value> {
    report(server, query).await["rows"].as_array().expect("rows").clone()
}

/// A number for each word of a column.
fn by<'r>(rows: &'r [Value], key: &str, number: &str) -> BTreeMap<&'r str, u64> {
    rows.iter().map(|row| (row[key].as_str().expect(key), row[number].as_u64().expect(number))).collect()
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["name"].as_str().expect("a name")).collect()
}

/// What the reports of a registry entry are asked in the tests.
fn example(report: &Value, computer: &str) -> String {
    let mut query = String::new();
    for parameter in report["parameters"].as_array().expect("parameters") {
        let name = parameter["name"].as_str().expect("a name");
        if parameter["required"] != true {
            continue;
        }
        let value = match parameter["kind"].as_str().expect("a kind") {
            "update" => id(3).to_string(),
            "update_group" => "November".to_owned(),
            "collection" => "Servers".to_owned(),
            "computer" => computer.to_owned(),
            "deployment" => "November%20servers".to_owned(),
            "server" => "this".to_owned(),
            "code" => "0x80240022".to_owned(),
            "choice" => parameter["choices"]
                .as_array()
                .expect("choices")
                .iter()
                .find(|word| **word == "failed" || **word == "error")
                .unwrap_or(&parameter["choices"][0])
                .as_str()
                .expect("a word")
                .to_owned(),
            other => panic!("{other}"),
        };
        query.push_str(&format!("{}{name}={value}", if query.is_empty() { "?" } else { "&" }));
    }
    query
}

#[tokio::test]
async fn every_report_answers_in_every_format() {
    let (server, agents) = ready().await;
    let list = server.get("reports").await.ok();
    let items = list["items"].as_array().expect("items");
    assert_eq!(items.len(), 35);
    for item in items {
        let name = item["id"].as_str().expect("an id");
        let query = format!("{name}{}", example(item, &agents[1].computer.client_id));
        let result = report(&server, &query).await;
        assert_eq!((&result["report"], &result["columns"]), (&item["id"], &item["columns"]), "{name}");
        let keys: Vec<&str> =
            item["columns"].as_array().expect("columns").iter().filter_map(|it| it["id"].as_str()).collect();
        let found = result["rows"].as_array().expect("rows");
        for row in found {
            let row = row.as_object().expect("an object");
            assert!(row.len() == keys.len() && keys.iter().all(|key| row.contains_key(*key)), "{name}: {row:?}");
        }
        assert_eq!(result["total"].as_u64(), Some(found.len() as u64), "{name}");
        assert_eq!(result["truncated"], false, "{name}");
        // the reports of this scenario that have nothing to tell
        let quiet = ["content-missing", "content-missing-computers", "clients-silent", "service-level-breaches"];
        assert_eq!(found.is_empty(), quiet.contains(&name), "{name}: {result}");
        let join = if query.contains('?') { '&' } else { '?' };
        for (format, media) in [("csv", "text/csv"), ("html", "text/html"), ("txt", "text/plain")] {
            let url = server.admin(&format!("/api/v1/reports/{query}{join}format={format}"));
            let answer = server.http.get(url).bearer_auth(&server.token).send().await.expect("answer");
            assert_eq!(answer.status(), StatusCode::OK, "{name} {format}");
            assert!(answer.headers()["content-type"].to_str().expect("text").starts_with(media), "{name} {format}");
            assert_eq!(answer.headers()["weir-report-total"], found.len().to_string().as_str());
            let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
            let text = answer.text().await.expect("text");
            match format {
                "csv" => {
                    assert!(text.starts_with(&format!("{}\r\n", keys.join(","))), "{name}: {text}");
                    assert!(
                        !text.contains("\r\n=") && !text.contains(",=") && !text.contains(",\"="),
                        "{name}: {text}"
                    );
                }
                "html" => {
                    assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
                    assert_eq!(text.matches("<tr>").count(), found.len() + 2, "{name}: head, rows, how many");
                    assert!(!text.contains("<b>") && !text.contains("<script"), "{name}");
                }
                _ => assert!(!text.contains('\u{1b}'), "{name}"),
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn compliance_agrees_with_the_counts_of_everything_else() {
    let (server, agents) = ready().await;
    // a group as a whole
    for collection in ["All%20Computers", "Servers", "Web"] {
        let summary = server.get(&format!("compliance/summary?group=November&collection={collection}")).await.ok();
        let found = rows(&server, &format!("compliance-overall?collection={collection}")).await;
        let [row] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((&row["group_name"], &row["updates"]), (&json!("November"), &json!(2)));
        for key in ["computers", "compliant", "percent"] {
            assert_eq!(row[key], summary[key], "{collection} {key}");
        }
        for key in ["required", "failed", "unknown", "pending_restart", "downloaded"] {
            assert_eq!(row[key], summary["counts"][key], "{collection} {key}");
        }
        // and who that is
        for state in ["required", "failed", "unknown"] {
            let query = format!("compliance-group-computers?group=November&state={state}&collection={collection}");
            let count = rows(&server, &query).await.len();
            assert_eq!(json!(count), summary["counts"][state], "{collection} {state}");
        }
    }
    // one update
    let updates = server.get("compliance/updates").await.ok();
    for update in updates["items"].as_array().expect("items") {
        let known = update["id"].as_str().expect("an id");
        let states = rows(&server, &format!("compliance-update-states?update={known}")).await;
        for (state, count) in by(&states, "state", "computers") {
            assert_eq!(json!(count), update["counts"][state], "{known} {state}");
            let who = rows(&server, &format!("compliance-update-computers?update={known}&state={state}")).await;
            assert_eq!(who.len() as u64, count, "{known} {state}");
        }
        let month = rows(&server, "compliance-vendor-month").await;
        let row = month.iter().find(|row| row["update"] == known).expect("listed");
        for state in ["required", "failed", "installed", "unknown", "not_applicable"] {
            assert_eq!(row[state], update["counts"][state], "{known} {state}");
        }
    }
    let failed = rows(&server, &format!("compliance-update-computers?update={}&state=failed", id(3))).await;
    assert_eq!(failed[0]["computer"], json!(agents[1].computer.client_id));
    assert_eq!((&failed[0]["error"], &failed[0]["site"]), (&json!("0x80240022"), &json!("this")));
    let collections = rows(&server, &format!("compliance-update?update={}", id(2))).await;
    let computers = by(&collections, "collection_name", "computers");
    assert_eq!((computers["All Computers"], computers["Servers"], computers["Web"]), (4, 2, 1));
    assert_eq!(by(&collections, "collection_name", "installed")["Web"], 1);
    let own = rows(&server, &format!("compliance-computer?computer={}", agents[1].computer.client_id)).await;
    let states: Vec<_> = own.iter().map(|row| (row["title"].as_str(), row["state"].as_str())).collect();
    let title = Some("First <b>fix</b>");
    assert_eq!(
        states,
        [(Some("Second fix"), Some("failed")), (Some("Third fix"), Some("required")), (title, Some("installed"))]
    );
    assert_eq!(own[2]["article"], "KB5000002");
    let contoso = rows(&server, "compliance-vendor-month?vendor=CONTOSO").await;
    assert_eq!(contoso.len(), 2, "the third is of no vendor");
    assert_eq!(rows(&server, "compliance-vendor-month?vendor=Fabrikam").await.len(), 0);
    let health = rows(&server, "compliance-health").await;
    let items = by(&health, "item", "computers");
    assert_eq!((items["all"], items["current"], items["scan_failed"]), (4, 3, 1));
    assert_eq!((items["compliant"], items["not compliant"], items["unknown"]), (0, 3, 1));
    assert_eq!(items["Second fix"], 3);
    server.stop().await;
}

#[tokio::test]
async fn deployments_scans_and_errors_are_told() {
    let (server, agents) = ready().await;
    let deployments = rows(&server, "deployments-group?group=november").await;
    let [row] = deployments.as_slice() else { panic!("{deployments:?}") };
    assert_eq!((&row["state"], &row["updates"], &row["action"]), (&json!("active"), &json!(2), &json!("install")));
    let number = row["deployment"].as_str().expect("a number").to_owned();
    for query in ["deployments-collection?collection=Web", &format!("deployments-update?update={}", id(2))] {
        assert_eq!(rows(&server, query).await, deployments, "{query}");
    }
    assert_eq!(rows(&server, &format!("deployments-update?update={}", id(4))).await, Vec::<Value>::new());
    let computer = &agents[1].computer.client_id;
    let own = rows(&server, &format!("deployments-computer?computer={computer}")).await;
    assert_eq!((&own[0]["installed"], &own[0]["failed"], &own[0]["needed"]), (&json!(1), &json!(1), &json!(0)));
    let updates = rows(&server, &format!("deployment-updates?deployment={number}")).await;
    assert_eq!(updates.len(), 2);
    assert_eq!((&updates[0]["title"], &updates[0]["required"]), (&json!("Second fix"), &json!(1)));
    assert_eq!(updates[0]["classification"], "Security Updates");

    // nobody is brought the third update, and the group reaches only Servers
    let not = rows(&server, "updates-required-not-deployed").await;
    let needed = by(&not, "title", "computers");
    assert_eq!(needed, BTreeMap::from([("First <b>fix</b>", 1), ("Second fix", 1), ("Third fix", 3)]));
    let not = rows(&server, "updates-required-not-deployed?collection=Servers&vendor=contoso").await;
    assert_eq!(not, Vec::<Value>::new());
    let not = rows(&server, "updates-required-not-deployed?classification=security%20updates").await;
    assert_eq!(not.len(), 2);

    let states = rows(&server, &format!("enforcement?deployment={number}")).await;
    let counts = by(&states, "state", "computers");
    assert_eq!((counts["pending_installation"], counts["failed"]), (1, 1), "{counts:?}");
    assert_eq!(counts.values().sum::<u64>(), 2, "the others are outside of its collection");
    assert_eq!(states.iter().find(|row| row["state"] == "failed").expect("a row")["topic_301"], 6);
    for (state, count) in &counts {
        let who = rows(&server, &format!("enforcement-computers?deployment={number}&state={state}")).await;
        assert_eq!(who.len() as u64, *count, "{state}");
    }
    let window =
        json!({ "name": "Sundays", "collection": "Servers", "schedule": "monthly 28 at 03:00 from 2100-01-01" });
    server.post("windows", window).await.ok();
    let counts = rows(&server, &format!("enforcement?deployment={number}")).await;
    assert_eq!(by(&counts, "state", "computers")["waiting_for_window"], 1, "a window is awaited");
    let waiting = rows(&server, &format!("enforcement-computers?deployment={number}&state=waiting_for_window")).await;
    assert!(waiting[0]["window"].as_str().is_none_or(|at| at.starts_with("21")), "{waiting:?}");
    server.delete("windows/Sundays").await;
    let one = rows(&server, &format!("deployment-update-states?deployment={number}&update={}", id(2))).await;
    assert_eq!(by(&one, "state", "computers")["success"], 1);
    let outside = server.get(&format!("reports/deployment-update-states?deployment={number}&update={}", id(4))).await;
    assert_eq!(outside.refused(400), "update");
    let compliant = |state: &str| format!("deployment-computers?deployment={number}&state={state}");
    assert_eq!(rows(&server, &compliant("error")).await.len(), 1);
    assert_eq!(rows(&server, &compliant("in_progress")).await.len(), 1);
    assert_eq!(rows(&server, &compliant("compliant")).await.len(), 0);
    let evaluated = rows(&server, &format!("evaluation?deployment={number}")).await;
    assert_eq!(by(&evaluated, "state", "computers")["succeeded"], 2, "{evaluated:?}");
    let parts = rows(&server, &format!("deployment-computer?deployment={number}&computer={computer}")).await;
    let parts: Vec<_> = parts.iter().map(|row| (row["state"].as_str(), row["enforcement"].as_str())).collect();
    assert_eq!(parts, [(Some("failed"), Some("failed")), (Some("installed"), Some("success"))]);
    let stranger = &agents[2].computer.client_id;
    let result = report(&server, &format!("deployment-computer?deployment={number}&computer={stranger}")).await;
    assert!(result["notes"][0].as_str().expect("a note").contains("not in the collection"), "{result}");

    let scans = rows(&server, "scan-collections?collection=Servers").await;
    assert_eq!(scans.len(), 8, "four states of two collections");
    let all = rows(&server, "scan-sites").await;
    let expected = BTreeMap::from([("completed", 3), ("completed_with_errors", 0), ("failed", 1), ("unknown", 0)]);
    assert_eq!(by(&all, "state", "computers"), expected);
    assert_eq!(rows(&server, "scan-site-computers?site=this&state=failed").await.len(), 1);
    let failed = rows(&server, "scan-collection-computers?state=failed").await;
    assert_eq!(
        (&failed[0]["computer"], &failed[0]["error"]),
        (&json!(agents[3].computer.client_id), &json!("0x80240022"))
    );
    let errors = rows(&server, "scan-errors").await;
    assert_eq!((errors.len(), &errors[0]["computers"]), (1, &json!(1)));
    assert_eq!(rows(&server, "scan-error-computers?code=0x80240022").await.len(), 1);
    assert_eq!(rows(&server, "scan-error-computers?code=0x80240023").await.len(), 0);
    let errors = rows(&server, &format!("deployment-errors?deployment={number}")).await;
    assert_eq!((&errors[0]["code"], &errors[0]["updates"]), (&json!("0x80240022"), &json!(1)));
    let who = rows(&server, "deployment-error-computers?code=-2145124318").await;
    assert_eq!((&who[0]["computer"], &who[0]["title"]), (&json!(computer), &json!("Second fix")));

    let lacking = rows(&server, "approved-not-installed").await;
    assert_eq!((&lacking[0]["title"], &lacking[0]["missing"]), (&json!("Second fix"), &json!(2)));
    let failing = rows(&server, "failing-updates").await;
    assert_eq!((failing.len(), &failing[0]["failed"], &failing[0]["error"]), (1, &json!(1), &json!("0x80240022")));
    server.stop().await;
}

#[tokio::test]
async fn what_no_report_can_be_asked_is_refused_and_limits_cut() {
    let (server, _) = ready().await;
    assert_eq!(server.get("reports/a1").await.ok()["report"], "compliance-overall", "by its number");
    for (query, status, code) in [
        ("nothing", 404, "not_found"),
        ("service-level-breaches?collection=Nowhere", 404, "not_found"),
        ("compliance-update", 400, "parameter"),
        ("compliance-overall?colection=Servers", 400, "parameter"),
        ("compliance-overall?collection=Servers&collection=Web", 400, "parameter"),
        ("compliance-overall?collection=Nowhere", 404, "not_found"),
        ("compliance-overall?group=Nothing", 404, "not_found"),
        ("compliance-overall?site=nobody", 404, "not_found"),
        ("compliance-overall?format=pdf", 400, "format"),
        ("compliance-overall?limit=0", 400, "limit"),
        ("compliance-overall?limit=many", 400, "limit"),
        ("compliance-overall?limit=50001", 400, "limit"),
        ("compliance-update?update=6f2a9a40-0000-4000-8000-000000000001", 404, "not_found"),
        ("compliance-computer?computer=nobody", 404, "not_found"),
        ("enforcement?deployment=99", 404, "not_found"),
        ("enforcement?deployment=Nothing", 404, "not_found"),
        ("clients-silent?days=0", 400, "parameter"),
    ] {
        assert_eq!(server.get(&format!("reports/{query}")).await.refused(status), code, "{query}");
    }
    let wrong = server.get("reports/compliance-overall?colection=Servers").await;
    assert!(wrong.body["detail"].as_str().expect("detail").contains("did you mean \"collection\""), "{:?}", wrong.body);
    let path = format!("compliance-update-computers?update={}&state=required", id(4));
    let cut = report(&server, &format!("{path}&limit=1")).await;
    assert_eq!((&cut["total"], &cut["truncated"]), (&json!(3), &json!(true)));
    let whole = rows(&server, &path).await;
    assert_eq!(cut["rows"], json!([whole[0]]));
    assert_eq!(names(&whole)[0], EVIL, "by name");
    let csv = server.get(&format!("reports/{path}&limit=1&format=csv")).await.ok();
    assert!(csv.as_str().expect("text").contains("\"'=cmd|' /c calc'!a0,\"\"x\"\"\""), "{csv}");
    let page = server.get(&format!("reports/{path}&limit=1&format=html")).await.ok();
    assert!(page.as_str().expect("text").contains("The first 1 of 3 rows"), "{page}");
    // the header asks for a format, too
    let url = server.admin("/api/v1/reports/compliance-overall");
    let request = server.http.get(url).bearer_auth(&server.token).header("accept", "text/csv, */*");
    let answer = request.send().await.expect("answer");
    assert!(answer.text().await.expect("text").starts_with("group,group_name,"));
    server.stop().await;
}

#[tokio::test]
async fn compliance_is_exported_for_other_tools() {
    let (server, agents) = ready().await;
    server.post("groups", json!({ "name": "Empty" })).await.ok();
    let url = server.admin("/api/v1/compliance/export?format=parquet");
    let answer = server.http.get(url).bearer_auth(&server.token).send().await.expect("answer");
    assert_eq!(answer.headers()["content-type"], "application/vnd.apache.parquet");
    let bytes = answer.bytes().await.expect("bytes");
    let read: Value = serde_json::from_str(&weir_testkit::parquet::read(&bytes)).expect("JSON");
    let (text, time) = ("string", "timestamp[ms, tz=UTC]");
    assert_eq!(
        read["schema"],
        json!({
            "computer_id": text, "computer_name": text, "site": text, "update_id": text, "article": text, "title": text,
            "state": text, "changed": time, "error": "int32", "reported": time, "as_of": time,
        })
    );
    assert_eq!(read["nullable"], json!(["computer_name", "article", "title", "error", "reported"]));
    assert_eq!((&read["row_groups"], &read["compression"]), (&json!(1), &json!("ZSTD")));
    let mut states: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut errors = Vec::new();
    for row in read["rows"].as_array().expect("rows") {
        let text = |key: &str| row[key].as_str().unwrap_or_else(|| panic!("{key}: {row}")).to_owned();
        *states.entry((text("update_id"), text("state"))).or_default() += 1;
        if let Some(error) = row["error"].as_i64() {
            errors.push((text("computer_id"), text("title"), error));
        }
        assert!(text("changed") <= text("as_of") && text("reported") <= text("as_of"), "{row}");
        assert_eq!(row["article"] == "KB5000002", text("update_id") == id(2).to_string(), "only one has an article");
    }
    assert_eq!(errors, [(agents[1].computer.client_id.clone(), "Second fix".to_owned(), i64::from(FAILURE))]);
    assert!(read["rows"].as_array().expect("rows").iter().any(|row| row["computer_name"] == EVIL), "as it is");
    // the same as REST counts them
    let mut listed = 0;
    let updates = server.get("compliance/updates").await.ok();
    for update in updates["items"].as_array().expect("items") {
        for state in ["required", "downloaded", "installed", "failed", "pending_restart"] {
            let count = update["counts"][state].as_u64().expect("a count");
            let known = (update["id"].as_str().expect("an id").to_owned(), state.to_owned());
            assert_eq!(states.get(&known).copied().unwrap_or_default(), count, "{known:?}");
            listed += count;
        }
    }
    assert_eq!(states.values().sum::<u64>(), listed);

    let exported = async |query: &str| {
        let url = server.admin(&format!("/api/v1/compliance/export?{query}"));
        let answer = server.http.get(url).bearer_auth(&server.token).send().await.expect("answer");
        let bytes = answer.bytes().await.expect("bytes");
        serde_json::from_str::<Value>(&weir_testkit::parquet::read(&bytes)).expect("JSON")
    };
    // with all states what does not apply has rows, too, and what is listed is as before
    let all = exported("states=all").await;
    assert_eq!(all["nullable"], json!(["computer_name", "article", "title", "changed", "error", "reported"]));
    let mut every: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in all["rows"].as_array().expect("rows") {
        let text = |key: &str| row[key].as_str().unwrap_or_else(|| panic!("{key}: {row}")).to_owned();
        *every.entry((text("update_id"), text("state"))).or_default() += 1;
        let is_listed = !["unknown", "not_applicable"].contains(&text("state").as_str());
        assert_eq!(row["changed"].is_string(), is_listed, "{row}");
    }
    assert!(states.iter().all(|(key, count)| every.get(key) == Some(count)), "{states:?} {every:?}");
    for update in updates["items"].as_array().expect("items") {
        let known = (update["id"].as_str().expect("an id").to_owned(), "not_applicable".to_owned());
        let count = update["counts"]["not_applicable"].as_u64().expect("a count");
        assert_eq!(every.get(&known).copied().unwrap_or_default(), count, "{known:?}");
    }

    // a row for each computer, of which shares can be made
    let computers = exported("rows=computers").await;
    assert!(computers["schema"]["collections"].as_str().expect("a type").starts_with("list<"), "{computers}");
    assert_eq!(
        (
            &computers["schema"]["last_contact"],
            &computers["schema"]["compliant"],
            &computers["schema"]["updates_failed"]
        ),
        (&json!(time), &json!("bool"), &json!("int32"))
    );
    assert_eq!(computers["nullable"], json!(["computer_name", "os", "last_scan", "last_report"]));
    let rows = computers["rows"].as_array().expect("rows").clone();
    let summary = server.get("compliance/summary").await.ok();
    assert_eq!(json!(rows.len()), summary["computers"]);
    assert_eq!(json!(rows.iter().filter(|row| row["compliant"] == true).count()), summary["compliant"]);
    for row in &rows {
        let shown = server.get(&format!("computers/{}", row["computer_id"].as_str().expect("an id"))).await.ok();
        assert_eq!((&row["os"], &row["compliant"]), (&shown["os"], &shown["compliant"]), "{row} {shown}");
        for state in ["required", "downloaded", "pending_restart", "failed", "installed", "not_applicable", "unknown"] {
            assert_eq!(row[format!("updates_{state}")], shown["counts"][state], "{state}: {row}");
        }
        let names = shown["collections"].as_array().expect("some").iter().map(|it| it["name"].clone());
        assert_eq!(row["collections"], names.collect::<Value>(), "{row}");
        assert_eq!(row["reported"] == true, row["last_report"].is_string(), "{row}");
    }
    let of_nothing = exported("rows=computers&group=Empty").await;
    let of_nothing = of_nothing["rows"].as_array().expect("rows").clone();
    assert_eq!(of_nothing.len(), rows.len());
    assert!(of_nothing.iter().all(|row| row["state"] == "unknown" && row["compliant"] == false), "{of_nothing:?}");
    for (query, code) in [("rows=x", "rows"), ("states=x", "states"), ("rows=computers&states=all", "states")] {
        assert_eq!(server.get(&format!("compliance/export?{query}")).await.refused(400), code, "{query}");
    }

    let rows_of = async |query: &str| exported(query).await["rows"].as_array().expect("rows").len();
    assert_eq!(rows_of("collection=Web&group=November").await, 2);
    assert_eq!(rows_of("collection=Unassigned%20Computers&group=November&site=this").await, 2, "the third's");
    assert_eq!(rows_of("collection=Web&group=Empty").await, 0);
    assert_eq!(server.get("compliance/export?format=avro").await.refused(400), "format");
    assert_eq!(server.get("compliance/export?collection=Nowhere").await.refused(404), "not_found");
    server.stop().await;
}
