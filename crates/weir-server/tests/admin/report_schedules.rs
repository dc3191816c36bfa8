//! Reports that are made by themselves: into a folder, by e-mail, and what happens when that fails.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::{MailServer, MailTls};

use crate::{
    harness::{Server, id},
    reports::ready,
    sync::until,
};

async fn schedule(server: &Server, body: Value) -> Value {
    server.post("report-schedules", body).await.ok()
}

#[tokio::test]
async fn a_scheduled_report_is_written_to_a_folder_when_it_is_due() {
    let (server, _) = ready().await;
    let folder = server.data.path().join("reports/weekly/silent");
    let made = schedule(
        &server,
        json!({
            "name": "Needs", "report": "compliance-update-computers", "schedule": "weekly monday at 06:00 UTC",
            "parameters": { "update": id(4).to_string(), "state": "required" }, "format": "csv",
            "folder": "weekly/silent", "keep": 2, "limit": 2,
        }),
    )
    .await;
    assert_eq!((&made["enabled"], &made["last"], &made["running"]), (&json!(true), &Value::Null, &json!(false)));
    assert_eq!(made["path"], json!(folder.display().to_string()));
    assert!(made["next"].as_str().expect("a time").ends_with("T06:00:00Z"), "{made}");
    assert!(!folder.exists(), "nothing is due");
    // as if the server had been off for a fortnight
    let before = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 15);
    server.execute("UPDATE report_schedule SET since = ?1", &[before.as_microsecond().into()]);
    server.patch("report-schedules/needs", json!({ "keep": 3 })).await.ok();
    let made = until(&server, "report-schedules/Needs", "made", |row| row["last"].is_object()).await;
    assert_eq!(
        (&made["last"]["rows"], &made["last"]["total"], &made["last"]["error"]),
        (&json!(2), &json!(3), &Value::Null)
    );
    let file = made["last"]["file"].as_str().expect("a file");
    let text = fs::read_to_string(file).expect("the file");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(file.starts_with(&folder.display().to_string()) && file.contains("needs-"), "{file}");
    assert_eq!(fs::read_dir(&folder).expect("folder").count(), 1, "what was missed is made up for once");
    assert!(made["next"].as_str() > Some(jiff::Timestamp::now().to_string().as_str()), "{made}");

    server.call(Method::POST, "report-schedules/Needs/run", None).await.ok();
    assert_eq!(fs::read_dir(&folder).expect("folder").count(), 2);
    let audit = server.get("audit?limit=50").await.ok().to_string();
    for action in ["report_schedule.create", "report_schedule.change", "report_schedule.run"] {
        assert!(audit.contains(action), "{action}");
    }
    assert_eq!(server.delete("report-schedules/Needs").await.status, 204);
    assert_eq!(server.get("report-schedules").await.ok()["items"], json!([]));
    assert_eq!(fs::read_dir(&folder).expect("folder").count(), 2, "files stay");
    server.stop().await;
}

#[tokio::test]
async fn a_scheduled_report_comes_by_e_mail_and_a_failure_is_an_alert() {
    let (server, _) = ready().await;
    let set = async |key: &str, value: Value| {
        server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await.ok();
    };
    let body = json!({
        "name": "Mailed", "report": "compliance-overall", "schedule": "daily at 06:00", "format": "csv",
        "addresses": ["a@example.org", "b@example.org"],
    });
    let made = schedule(&server, body).await;
    assert_eq!((&made["folder"], &made["format"]), (&Value::Null, &json!("csv")));
    // nobody set a mail server up
    let failed = server.call(Method::POST, "report-schedules/Mailed/run", None).await.ok();
    assert!(failed["last"]["error"].as_str().expect("why").contains("mail.host"), "{failed}");
    assert_eq!(failed["failures"], 1);
    let alert = server.get("alerts?kind=report&state=open").await.ok()["items"][0].clone();
    assert_eq!((&alert["kind"], &alert["subject"]), (&json!("report.failed"), &json!("Mailed")));

    // with a folder, too, each occurrence has one file, however often its sending fails
    let body = json!({
        "name": "Both", "report": "compliance-overall", "schedule": "daily at 06:00", "format": "csv", "folder": "both",
        "keep": 2, "addresses": ["a@example.org"],
    });
    schedule(&server, body).await;
    let folder = server.data.path().join("reports/both");
    let files = || fs::read_dir(&folder).expect("folder").count();
    let mut first = Value::Null;
    for failures in 1..=3 {
        let failed = server.call(Method::POST, "report-schedules/Both/run", None).await.ok();
        assert_eq!((&failed["failures"], files()), (&json!(failures), 1), "{failed}");
        assert!(failed["last"]["error"].is_string() && failed["last"]["file"].is_string(), "{failed}");
        if failures == 1 {
            first = failed["last"]["file"].clone();
        }
        assert_eq!(failed["last"]["file"], first);
    }

    let post = MailServer::start(MailTls::None);
    set("mail.host", json!("127.0.0.1")).await;
    set("mail.port", json!(post.port())).await;
    set("mail.tls", json!("none")).await;
    set("mail.from", json!("weir@example.org")).await;
    let sent = server.call(Method::POST, "report-schedules/Mailed/run", None).await.ok();
    assert_eq!(
        (&sent["last"]["error"], &sent["last"]["rows"], &sent["failures"]),
        (&Value::Null, &json!(1), &json!(0))
    );
    let open = server.get("alerts?kind=report&state=open").await.ok()["items"].clone();
    assert_eq!((&open[0]["subject"], &open[1]), (&json!("Both"), &Value::Null), "the first is over");
    let received = post.received();
    let [mail] = received.as_slice() else { panic!("one") };
    assert_eq!(mail.to, ["a@example.org", "b@example.org"]);
    assert!(mail.header("Subject").expect("subject").contains("Overall compliance"), "{mail:?}");
    assert!(mail.part("text/plain").expect("text").contains("1 row."), "{mail:?}");
    let csv = mail.part("text/csv").expect("the file");
    assert!(csv.starts_with("group,group_name,") && csv.contains("November"), "{csv}");
    assert!(mail.text.contains("filename=\"mailed-"), "{}", mail.text);

    for (at, count) in [(0, 1), (1, 2)] {
        let sent = server.call(Method::POST, "report-schedules/Both/run", None).await.ok();
        assert_eq!((&sent["last"]["error"], files()), (&Value::Null, count), "{sent}");
        assert_eq!(sent["last"]["file"] == first, at == 0, "the next one has a file of its own");
    }
    assert_eq!(server.get("alerts?kind=report&state=open").await.ok()["items"], json!([]));

    // one receiver is refused: the others got it, and it is told
    post.refuse("b@example.org", 550);
    let partly = server.call(Method::POST, "report-schedules/Mailed/run", None).await.ok();
    assert!(partly["last"]["error"].as_str().expect("why").contains("not for b@example.org"), "{partly}");
    server.stop().await;
}

#[tokio::test]
async fn schedules_that_cannot_work_are_refused() {
    let (server, _) = ready().await;
    let good = json!({ "name": "Good", "report": "clients-silent", "schedule": "daily at 06:00" });
    let made = schedule(&server, good.clone()).await;
    assert_eq!((&made["folder"], &made["keep"], &made["format"]), (&json!(""), &json!(30), &json!("html")));
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body["name"] = json!("Other");
        body[key] = value;
        body
    };
    for (body, status, code) in [
        (with("name", json!("GOOD")), 409, "exists"),
        (with("name", json!("")), 400, "name"),
        (with("name", json!("x".repeat(101))), 400, "name"),
        (with("report", json!("nothing")), 404, "not_found"),
        (with("report", json!("enforcement")), 400, "parameter"),
        (with("parameters", json!({ "days": "0" })), 400, "parameter"),
        (with("parameters", json!({ "collection": "Nowhere" })), 404, "not_found"),
        (with("schedule", json!("sometimes")), 400, "schedule"),
        (with("format", json!("pdf")), 400, "format"),
        (with("limit", json!(0)), 400, "limit"),
        (with("keep", json!(0)), 400, "keep"),
        (with("folder", json!("../outside")), 400, "folder"),
        (with("folder", json!("/etc")), 400, "folder"),
        (with("addresses", json!(["nobody"])), 400, "addresses"),
        (with("colour", json!("red")), 400, "body"),
    ] {
        assert_eq!(server.post("report-schedules", body.clone()).await.refused(status), code, "{body}");
    }
    for (body, code) in [
        (json!({ "no_folder": true }), "addresses"),
        (json!({ "no_folder": true, "folder": "x" }), "folder"),
        (json!({ "report": "enforcement" }), "parameter"),
    ] {
        assert_eq!(server.patch("report-schedules/Good", body.clone()).await.refused(400), code, "{body}");
    }
    let changed = server.patch("report-schedules/good", json!({ "enabled": false, "name": "Better" })).await.ok();
    assert_eq!((&changed["name"], &changed["next"]), (&json!("Better"), &Value::Null));
    let by_id = server.get(&format!("report-schedules/{}", changed["id"].as_str().expect("an id"))).await.ok();
    assert_eq!(by_id["name"], "Better");
    assert_eq!(server.get("report-schedules/Good").await.refused(404), "not_found");
    server.stop().await;
}
