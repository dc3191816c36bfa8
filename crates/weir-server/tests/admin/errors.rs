//! Errors explained and put into groups.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_model::ids::UpdateIdentity;
use weir_testkit::{Computer, Document, ScriptedAgent, agent};

use crate::harness::{Server, id};

const ALL_FAILED: i32 = 0x8024_0022_u32.cast_signed();
const NO_SPACE: i32 = 0x8007_0070_u32.cast_signed();
const TIMEOUT: i32 = 0x8007_2EE2_u32.cast_signed();
const UNKNOWN: i32 = 0x8024_7777_u32.cast_signed();

async fn ready() -> Server {
    let server = Server::start().await;
    let documents =
        [(1, "Fix one"), (2, "Fix two")].map(|(number, title)| Document::software(id(number), 1).title(title));
    server.import_documents(&documents).await;
    server.post("collections", json!({ "name": "Pilot" })).await.ok();
    server
}

async fn computer(server: &Server, number: u64, build: i32) -> ScriptedAgent {
    let mut computer = Computer::numbered(number);
    "Windows 11 Enterprise".clone_into(&mut computer.os_description);
    computer.os_build = build;
    let mut agent = ScriptedAgent::new(server.client(), computer).expect("agent");
    agent.scan().await.expect("scan");
    agent
}

/// An installation that failed so long ago.
async fn fails(computer: &mut ScriptedAgent, update: u128, code: i32, days_ago: i64) {
    let at = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
    let of = Some(UpdateIdentity::new(id(update), 1));
    let event = agent::event(&computer.computer.client_id, at, 182, of, code, Vec::new(), Vec::new());
    computer.report(vec![event]).await.expect("reported");
}

/// Of each group: label, computers, failing, scans, new.
fn brief(list: &Value) -> Vec<(String, u64, u64, u64, Value)> {
    let number = |row: &Value, field: &str| row[field].as_u64().expect("a number");
    let rows = list["items"].as_array().expect("items").iter();
    rows.map(|row| {
        let label = row["label"].as_str().expect("label").to_owned();
        (label, number(row, "computers"), number(row, "failing"), number(row, "scans"), row["new"].clone())
    })
    .collect()
}

fn told(label: &str, computers: u64, failing: u64, scans: u64, new: Value) -> (String, u64, u64, u64, Value) {
    (label.to_owned(), computers, failing, scans, new)
}

#[tokio::test]
async fn errors_are_counted_by_code_update_system_server_and_collection() {
    let server = ready().await;
    assert_eq!(server.get("compliance/errors").await.ok()["items"], json!([]));
    let mut one = computer(&server, 1, 26_100).await;
    let mut two = computer(&server, 2, 26_100).await;
    let mut three = computer(&server, 3, 22_631).await;
    let body = json!({ "computers": [one.computer.client_id] });
    server.post("collections/Pilot/members", body).await.ok();
    fails(&mut one, 1, ALL_FAILED, 10).await;
    fails(&mut one, 2, NO_SPACE, 1).await;
    fails(&mut two, 1, ALL_FAILED, 1).await;
    let scan = three.event(148, None, TIMEOUT, Vec::new(), Vec::new());
    three.report(vec![scan]).await.expect("reported");
    fails(&mut three, 2, UNKNOWN, 1).await;

    let yes = || json!(true);
    let by_code = server.get("compliance/errors?since=5d").await.ok();
    assert_eq!(
        brief(&by_code),
        [
            told("0x80240022", 2, 2, 0, json!(false)),
            told("0x80070070", 1, 1, 0, yes()),
            told("0x80072ee2", 1, 0, 1, Value::Null),
            told("0x80247777", 1, 1, 0, yes()),
        ],
        "{by_code:#}"
    );
    let first = &by_code["items"][0];
    assert_eq!((&first["name"], &first["new_computers"]), (&json!("WU_E_ALL_UPDATES_FAILED"), &json!(1)));
    assert_eq!(by_code["items"][3]["name"], Value::Null);
    assert!(by_code["items"][3]["meaning"].as_str().is_some_and(|text| text.starts_with("Unknown code.")));

    let by_update = server.get("compliance/errors?by=update").await.ok();
    assert_eq!(
        brief(&by_update),
        [
            told("Fix one", 2, 2, 0, Value::Null),
            told("Fix two", 2, 2, 0, Value::Null),
            told("scans", 1, 0, 1, Value::Null),
        ],
        "{by_update:#}"
    );
    let by_os = server.get("compliance/errors?by=os").await.ok();
    assert_eq!(
        brief(&by_os),
        [
            told("Windows 11 Enterprise (10.0.26100)", 2, 2, 0, Value::Null),
            told("Windows 11 Enterprise (10.0.22631)", 1, 1, 1, Value::Null),
        ]
    );
    assert_eq!(
        by_os["items"][0]["codes"][0],
        json!({ "code": "0x80240022", "name": "WU_E_ALL_UPDATES_FAILED", "computers": 2 })
    );
    let by_site = server.get("compliance/errors?by=site").await.ok();
    assert_eq!(brief(&by_site), [told("this server", 3, 3, 1, Value::Null)]);
    let by_collection = server.get("compliance/errors?by=collection").await.ok();
    assert_eq!(
        brief(&by_collection),
        [
            told("All Computers", 3, 3, 1, Value::Null),
            told("Unassigned Computers", 2, 2, 1, Value::Null),
            told("Pilot", 1, 1, 0, Value::Null),
        ]
    );

    let pilot = server.get("compliance/errors?collection=Pilot&since=5d&only_new=true").await.ok();
    assert_eq!(brief(&pilot), [told("0x80070070", 1, 1, 0, yes())]);
    let page = server.get("compliance/errors?limit=1").await.ok();
    let next = page["next"].as_str().expect("goes on");
    let page = server.get(&format!("compliance/errors?limit=1&cursor={next}")).await.ok();
    assert_eq!(page["items"][0]["label"], "0x80070070");

    // it is installed: nothing of it is left
    two.computer.installed.extend([id(1), id(2)]);
    two.scan().await.expect("scan");
    two.report_scan().await.expect("reported");
    let by_code = server.get("compliance/errors").await.ok();
    assert_eq!(brief(&by_code)[0], told("0x80070070", 1, 1, 0, Value::Null), "{by_code:#}");
    // another failure takes the place of the one that was told before
    fails(&mut one, 2, UNKNOWN, 0).await;
    let by_code = server.get("compliance/errors").await.ok();
    assert_eq!(brief(&by_code)[0], told("0x80247777", 2, 2, 0, Value::Null), "{by_code:#}");
    server.stop().await;
}

#[tokio::test]
async fn a_failure_that_is_over_is_remembered_as_long_as_somebody_asks() {
    let server = ready().await;
    let mut one = computer(&server, 1, 26_100).await;
    let mut two = computer(&server, 2, 26_100).await;
    two.report_scan().await.expect("reported");
    fails(&mut one, 1, ALL_FAILED, 1).await;
    // the next report says that the update is needed, and nothing of the failure
    one.report_scan().await.expect("reported");
    let remembered = || [told("0x80240022", 1, 0, 0, Value::Null)];
    let errors = async |server: &Server| brief(&server.get("compliance/errors").await.ok());
    assert_eq!(errors(&server).await, remembered());
    let by_os = server.get("compliance/errors?by=os").await.ok();
    assert_eq!(brief(&by_os), [told("Windows 11 Enterprise (10.0.26100)", 1, 0, 0, Value::Null)]);
    // what computers reported is read anew
    let server = Server::start_in(server.stop().await).await;
    assert_eq!(errors(&server).await, remembered());
    server.post(&format!("updates/{}/decline", id(1)), json!({})).await.ok();
    assert!(errors(&server).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn an_error_is_explained_with_where_it_occurs() {
    let server = ready().await;
    let mut one = computer(&server, 1, 26_100).await;
    fails(&mut one, 1, ALL_FAILED, 1).await;
    for written in ["0x80240022", "80240022", "-2145124318", "2149842978", "wu_e_all_updates_failed"] {
        let detail = server.get(&format!("compliance/errors/{written}")).await.ok();
        let explanation = &detail["explanation"];
        assert_eq!((&explanation["code"], &explanation["known"]), (&json!("0x80240022"), &json!(true)), "{written}");
        assert_eq!(explanation["decimal"], -2_145_124_318_i64);
        assert_eq!(detail["occurs"]["computers"], 1, "{detail:#}");
        assert_eq!(detail["updates"][0]["label"], "Fix one");
        assert_eq!(detail["systems"][0]["label"], "Windows 11 Enterprise (10.0.26100)");
        assert_eq!(detail["sites"][0]["label"], "this server");
    }
    // a bare exit code is looked up as the HRESULT that is made of it, and nobody reports it
    let detail = server.get("compliance/errors/1603").await.ok();
    assert_eq!(detail["explanation"]["name"], "ERROR_INSTALL_FAILURE");
    assert_eq!((&detail["explanation"]["looked_up_as"], &detail["occurs"]), (&json!("0x80070643"), &Value::Null));
    let unknown = server.get("compliance/errors/0x80247777").await.ok();
    assert_eq!((&unknown["explanation"]["known"], &unknown["explanation"]["next_step"]), (&json!(false), &Value::Null));
    assert_eq!(unknown["explanation"]["layout"]["facility_name"], "FACILITY_WINDOWSUPDATE");
    let fault = server.get("compliance/errors/invalidcookie").await.ok();
    assert_eq!((&fault["explanation"]["name"], &fault["occurs"]), (&json!("InvalidCookie"), &Value::Null), "{fault:#}");
    assert_eq!((&fault["explanation"]["decimal"], &fault["explanation"]["layout"]), (&Value::Null, &Value::Null));
    assert!(fault["explanation"]["source"].as_str().expect("a source").contains("[MS-WUSP]"), "{fault:#}");
    assert_eq!(server.get("compliance/errors/nonsense").await.refused(400), "code");
    assert_eq!(server.get("compliance/errors?only_new=true").await.refused(400), "since");
    assert_eq!(server.get("compliance/errors?by=colour").await.refused(400), "query");

    // and where the computer is shown
    let shown = server.get(&format!("computers/{}", one.computer.client_id)).await.ok();
    assert_eq!(shown["failed"][0]["error"], "0x80240022");
    let meaning = shown["failed"][0]["error_meaning"].as_str().expect("explained");
    assert!(meaning.starts_with("WU_E_ALL_UPDATES_FAILED: "), "{meaning}");
    server.stop().await;
}
