//! Daily records of compliance: what they say, that a day has one, what is shown of days without, and times to a share.

use jiff::{SignedDuration, Timestamp, Zoned, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{
    history::{Day, Series, Subject},
    ids::CollectionId,
    status::Counts,
};
use weir_store::{Actor, Store};
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{self, Server, id};

/// A server in UTC with updates 1 and 2, a group of the first that is deployed to Pilot, and Pilot and Broad.
async fn ready() -> Server {
    let server = Server::start().await;
    server.call(reqwest::Method::PUT, "settings/site.time_zone", Some(json!({ "value": "UTC" }))).await.ok();
    let documents: Vec<_> = (1..=2).map(|number| Document::software(id(number), 1).title("Fix")).collect();
    server.import_documents(&documents).await;
    for name in ["Pilot", "Broad"] {
        server.post("collections", json!({ "name": name })).await.ok();
    }
    server.post("groups", json!({ "name": "March", "members": { "updates": [id(1)] } })).await.ok();
    let body = json!({ "group": "March", "collection": "Pilot", "action": "install" });
    server.post("deployments", body).await.ok();
    server
}

/// A computer of a collection that reported.
async fn member(server: &Server, number: u64, collection: &str) -> ScriptedAgent {
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
    agent.scan().await.expect("scan");
    let body = json!({ "computers": [agent.computer.client_id] });
    server.post(&format!("collections/{collection}/members"), body).await.ok();
    agent.scan().await.expect("scan");
    agent.report_scan().await.expect("reported");
    agent
}

async fn record(server: &Server) -> Value {
    server.post("compliance/history/record", json!({})).await.ok()
}

/// The last day of a history.
async fn today(server: &Server, of: &str) -> Value {
    let history = server.get(&format!("compliance/history?{of}")).await.ok();
    history["items"].as_array().expect("days").last().cloned().expect("today")
}

#[tokio::test]
async fn the_record_of_a_day_says_what_the_summary_says_and_the_last_counts() {
    let server = ready().await;
    let mut pilot = member(&server, 1, "Pilot").await;
    member(&server, 2, "Broad").await;
    record(&server).await;
    for (history, summary) in [
        ("", ""),
        ("collection=Pilot", "collection=Pilot"),
        ("collection=Broad", "collection=Broad"),
        ("server=this", "server=this"),
        ("group=March", "group=March"),
        ("group=March&collection=Pilot", "group=March&collection=Pilot"),
    ] {
        let (day, now) =
            (today(&server, history).await, server.get(&format!("compliance/summary?{summary}")).await.ok());
        assert_eq!(day["counts"], now["counts"], "{history}");
        assert_eq!((&day["computers"], &day["percent"]), (&now["computers"], &now["percent"]), "{history}");
        assert!(now["computers"].as_u64() > Some(0), "{history}: something was counted");
    }
    let of_update = today(&server, &format!("update={}", id(1))).await;
    let updates = server.get("compliance/updates").await.ok();
    let listed = updates["items"].as_array().expect("items").iter().find(|row| row["id"] == json!(id(1)));
    assert_eq!(of_update["counts"], listed.expect("listed")["counts"]);

    // once more changes nothing
    assert_eq!(record(&server).await["changed"], 0);
    // a computer installs: the record of the day is replaced
    pilot.computer.installed.insert(id(1));
    pilot.scan().await.expect("scan");
    pilot.report_scan().await.expect("reported");
    assert!(record(&server).await["changed"].as_u64() > Some(0));
    let ring = today(&server, "group=March&collection=Pilot").await;
    assert_eq!(
        (&ring["computers"], &ring["percent"], &ring["counts"]["installed"]),
        (&json!(1), &json!(100.0), &json!(1))
    );
    let history = server.get("compliance/history?group=March").await.ok();
    assert_eq!((&history["subject"]["days"], &history["time_zone"]), (&json!(1), &json!("UTC")), "{history:#}");
    assert_eq!(history["items"].as_array().expect("days").len(), 30, "those without a record are told, too");

    // a start records by itself and finds the same
    let data = server.stop().await;
    let server = Server::start_in(data).await;
    assert_eq!(record(&server).await["changed"], 0);
    assert_eq!(today(&server, "group=March&collection=Pilot").await, ring);
    server.stop().await;
}

#[tokio::test]
async fn what_is_recorded_is_listed_and_outlives_its_subject() {
    let server = ready().await;
    server.post("groups", json!({ "name": "Passing", "members": { "updates": [id(2)] } })).await.ok();
    member(&server, 1, "Pilot").await;
    record(&server).await;
    let list = server.get("compliance/history/subjects").await.ok();
    let told: Vec<(&str, &str)> = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|row| (row["kind"].as_str().expect("kind"), row["name"].as_str().expect("name")))
        .collect();
    assert_eq!(
        told,
        [
            ("collection", "All Computers"),
            ("collection", "Broad"),
            ("collection", "Pilot"),
            ("collection", "Unassigned Computers"),
            ("site", "this server"),
            ("group", "March"),
            ("group", "Passing"),
            ("group_in_collection", "March in Pilot"),
            ("update", "Fix"),
        ],
        "the update that is not deployed has none: {list:#}"
    );
    assert!(list["items"][0]["bytes"].as_u64().is_some_and(|bytes| bytes < 40), "{list:#}");
    let updates = server.get("compliance/history/subjects?kind=update&limit=1").await.ok();
    assert_eq!((&updates["items"][0]["id"], &updates["next"]), (&json!(id(1)), &Value::Null));

    server.delete("groups/Passing").await;
    assert_eq!(server.get("groups").await.ok()["items"].as_array().map(Vec::len), Some(1));
    record(&server).await;
    let kept = server.get("compliance/history?group=passing").await.ok();
    assert_eq!(kept["subject"]["days"], 1);
    assert!(kept["subject"]["gone_at"].is_string(), "{kept:#}");
    assert_eq!(server.get("compliance/time-to?group=passing").await.refused(400), "since");
    assert_eq!(server.get("compliance/history?group=Never").await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let server = ready().await;
    for (path, status, code) in [
        ("history?update=x", 400, "update"),
        ("history?server=this&group=March", 400, "subject"),
        ("history?server=this&collection=Pilot", 400, "subject"),
        ("history?from=2026-03-02&to=2026-03-01", 400, "from"),
        ("history?from=yesterday", 400, "query"),
        ("history?cursor=x", 400, "cursor"),
        ("history?limit=1001", 400, "limit"),
        ("history?collection=None", 404, "not_found"),
        ("history/subjects?kind=nothing", 400, "query"),
        ("trend", 400, "trend"),
        ("trend?phased=None", 404, "not_found"),
        ("trend?group=March&collections=,", 400, "collections"),
        ("trend?phased=x&group=March", 400, "trend"),
        ("time-to?collection=Pilot", 400, "since"),
        ("time-to?collection=Pilot&since=tomorrow", 400, "time"),
    ] {
        assert_eq!(server.get(&format!("compliance/{path}")).await.refused(status), code, "{path}");
    }
    // an update that is not deployed has no record, which is no error
    let none = server.get(&format!("compliance/history?update={}", id(2))).await.ok();
    assert_eq!((&none["subject"]["days"], &none["subject"]["first_day"]), (&json!(0), &Value::Null));
    server.stop().await;
}

fn utc_today() -> Date {
    Zoned::now().with_time_zone(TimeZone::UTC).date()
}

/// The database of a server that has just stopped: what it was doing may let go of it a moment later.
fn opened(data: &TempDir) -> Store {
    let began = std::time::Instant::now();
    loop {
        match Store::open(data.path(), &harness::store(data.path())) {
            Ok(store) => return store,
            Err(error) => assert!(began.elapsed() < std::time::Duration::from_secs(30), "{error}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Puts shares of so many days ago into the history of a subject, as records of a hundred computers.
fn write_past(data: &TempDir, subject: Subject, shares: &[(u32, u64)]) {
    let store = opened(data);
    let mut years: std::collections::BTreeMap<i16, Series> = std::collections::BTreeMap::new();
    for (ago, share) in shares {
        let day = Day::of(utc_today()).minus(*ago);
        let counts = Counts { installed: *share, required: 100 - share, ..Counts::default() };
        years.entry(day.date().year()).or_default().record(day, counts);
    }
    store
        .write(&Actor::system("test", Timestamp::now()), |tx| {
            let no = tx.history_subject_put(&subject, "as before")?;
            for (year, series) in &years {
                tx.history_put(no, *year, &series.encode())?;
            }
            Ok(())
        })
        .expect("writes");
}

fn uuid(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).expect("an id")
}

#[tokio::test]
async fn gaps_are_shown_and_times_to_a_share_are_told_as_far_as_they_are_known() {
    let server = ready().await;
    let group = uuid(&server.get("groups/March").await.ok()["id"]);
    let collections = server.get("collections").await.ok();
    let pilot = collections["items"].as_array().expect("items").iter().find(|row| row["name"] == "Pilot");
    let pilot = uuid(&pilot.expect("there")["id"]);
    let data = server.stop().await;
    write_past(&data, Subject::GroupIn(group, CollectionId(pilot)), &[(20, 0), (19, 40), (18, 60), (14, 96), (13, 96)]);
    // three years ago is too old, two years less a day is not
    write_past(&data, Subject::Collection(CollectionId::ALL_COMPUTERS), &[(1_095, 10), (731, 20), (730, 30)]);
    let server = Server::start_in(data).await;
    record(&server).await;

    let from = Day::of(utc_today()).minus(20);
    let path = format!("compliance/history?group=March&collection=Pilot&from={from}&limit=4");
    let page = server.get(&path).await.ok();
    let shares = |page: &Value| -> Vec<Value> {
        page["items"].as_array().expect("days").iter().map(|day| day["percent"].clone()).collect()
    };
    assert_eq!(shares(&page), [json!(0.0), json!(40.0), json!(60.0), Value::Null]);
    let next = page["next"].as_str().expect("goes on");
    let page = server.get(&format!("{path}&cursor={next}")).await.ok();
    assert_eq!(shares(&page), [Value::Null, Value::Null, json!(96.0), json!(96.0)]);

    let start = Day::of(utc_today()).minus(19).end(&TimeZone::UTC) - SignedDuration::from_hours(24);
    let told = server.get(&format!("compliance/time-to?group=March&collection=Pilot&since={start}")).await.ok();
    assert_eq!(told["start_is"], "given", "{told:#}");
    let reached = told["reached"].as_array().expect("three");
    let brief: Vec<_> =
        reached.iter().map(|it| (&it["percent"], &it["how"], &it["hours"], &it["missing_days"])).collect();
    assert_eq!(
        brief,
        [
            // 40 % after a day, 60 % after two: 36 hours
            (&json!(50), &json!("between"), &json!(36.0), &json!(0)),
            // 60 % after 48 hours, 96 % after 144, with three days missing: 48 + 96 * 30 / 36
            (&json!(90), &json!("between"), &json!(128.0), &json!(3)),
            (&json!(95), &json!("between"), &json!(141.3), &json!(3)),
        ],
        "{told:#}"
    );

    // without a time it counts from when the deployment became available, which is today: after all of these records
    let told = server.get("compliance/time-to?group=March&collection=Pilot").await.ok();
    assert_eq!((&told["start_is"], &told["reached"][0]["how"]), (&json!("available"), &json!("at_start")), "{told:#}");
    let told = server.get("compliance/time-to?group=March").await.ok();
    assert_eq!(told["start_is"], "available");
    let told = server.get(&format!("compliance/time-to?update={}", id(1))).await.ok();
    assert_eq!(told["start_is"], "published", "{told:#}");

    let whole = server.get("compliance/history?from=2020-01-01&limit=1000").await.ok();
    assert_eq!(whole["items"].as_array().expect("days").len(), 731, "two years with today");
    assert_eq!((&whole["items"][0]["percent"], &whole["kept_days"]), (&json!(30.0), &json!(731)));
    assert_eq!(whole["subject"]["days"], 2, "the oldest that is kept, and today");

    let trend = server.get("compliance/trend?group=March&collections=Pilot,Broad").await.ok();
    let rings = trend["rings"].as_array().expect("rings");
    assert_eq!(rings.len(), 2);
    assert_eq!((&rings[0]["collection"]["name"], &rings[1]["collection"]["name"]), (&json!("Pilot"), &json!("Broad")));
    assert!(rings[0]["start"].is_string() && rings[0]["latest"]["percent"] == 96.0, "{trend:#}");
    assert_eq!((&rings[1]["start"], &rings[1]["latest"]), (&Value::Null, &Value::Null));
    assert_eq!(server.get("compliance/trend?group=March").await.ok()["rings"].as_array().map(Vec::len), Some(1));
    let twice = server.get("compliance/trend?group=March&collections=Pilot,Broad,pilot").await.ok();
    assert_eq!(twice["rings"], trend["rings"], "a ring is shown once");
    server.stop().await;
}

#[tokio::test]
async fn the_phases_of_a_phased_deployment_are_rings() {
    let server = ready().await;
    server.post("groups", json!({ "name": "April", "members": { "updates": [id(2)] } })).await.ok();
    let phases = json!([{ "collection": "Pilot", "name": "First" }, { "collection": "Broad", "name": "Second" }]);
    server.post("phased", json!({ "name": "Rollout", "group": "April", "phases": phases })).await.ok();
    member(&server, 1, "Pilot").await;
    member(&server, 2, "Broad").await;
    record(&server).await;
    let trend = server.get("compliance/trend?phased=Rollout").await.ok();
    let rings = trend["rings"].as_array().expect("rings");
    let told: Vec<_> = rings.iter().map(|ring| (&ring["phase"], &ring["latest"]["computers"])).collect();
    // what will be a ring is recorded before it starts
    assert_eq!(told, [(&json!("First"), &json!(1)), (&json!("Second"), &json!(1))], "{trend:#}");
    assert!(rings[0]["start"].is_string() && rings[1]["start"].is_null(), "{trend:#}");
    assert_eq!(rings[0]["reached"].as_array().map(Vec::len), Some(3));
    assert_eq!(rings[1]["reached"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn days_are_those_of_the_site_and_as_many_are_kept_as_set() {
    let server = ready().await;
    let group = uuid(&server.get("groups/March").await.ok()["id"]);
    let data = server.stop().await;
    write_past(&data, Subject::Group(group), &[(60, 10), (40, 20), (5, 30)]);
    let server = Server::start_in(data).await;
    let set = |key: &'static str, value: Value| {
        let server = &server;
        async move {
            server.call(reqwest::Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await.ok();
        }
    };
    set("history.days", json!(50)).await;
    let history = server.get("compliance/history?group=March&from=2020-01-01&limit=1000").await.ok();
    assert_eq!((&history["subject"]["days"], &history["kept_days"]), (&json!(2), &json!(50)), "{history:#}");
    assert_eq!(history["items"].as_array().map(Vec::len), Some(50));
    let refused = server.call(reqwest::Method::PUT, "settings/history.days", Some(json!({ "value": 7 }))).await;
    assert_eq!(refused.refused(400), "setting_value");

    // fourteen hours ahead of UTC
    set("site.time_zone", json!("Pacific/Kiritimati")).await;
    let zone = TimeZone::get("Pacific/Kiritimati").expect("a zone");
    let recorded = record(&server).await;
    let there = || Timestamp::now().to_zoned(zone.clone()).date().to_string();
    assert_eq!(recorded["day"], there(), "no midnight passed there meanwhile");
    let history = server.get("compliance/history").await.ok();
    assert_eq!(history["time_zone"], "Pacific/Kiritimati");
    assert_eq!(history["items"].as_array().and_then(|days| days.last()).expect("today")["day"], recorded["day"]);
    server.stop().await;
}
