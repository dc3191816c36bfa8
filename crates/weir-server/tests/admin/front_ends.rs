//! Two front ends on one database of PostgreSQL, in one process: what is asked of one is known at the other.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use weir_testkit::{
    Computer, Document, ScriptedAgent, Upstream,
    agent::AgentState,
    postgres::Database,
    upstream::{At, Trouble},
};
use weir_wire::wsss::Operation;

use crate::{
    harness::{Server, id, settings_on},
    sync::{served, synchronize, until, update},
};

/// How late one may be with what the other did, on a machine that others work on. How late it is where there is time for it, the tests of
/// the whole program and the benchmarks tell.
const LATEST: Duration = Duration::from_mins(1);

struct Pair {
    a: Server,
    b: Server,
    // goes when nobody uses it any more
    _database: Database,
}

impl Pair {
    async fn start() -> Self {
        let database = Database::fresh();
        let (a, b) = tokio::join!(front_end(database.url()), front_end(database.url()));
        until(&a, "health-report", "two", |health| health["front_ends"].as_array().is_some_and(|rows| rows.len() == 2))
            .await;
        Self { a, b, _database: database }
    }

    async fn stop(self) {
        tokio::join!(self.a.stop(), self.b.stop());
    }
}

async fn front_end(url: &str) -> Server {
    let data = tempfile::tempdir().expect("folder");
    let settings = settings_on(data.path(), Some(url.to_owned()));
    Server::start_with(data, settings).await
}

/// What one did just now is so at the other, in the first look that begins when it may be late no more.
async fn in_time(server: &Server, path: &str, is: impl Fn(&Value) -> bool) {
    let done = Instant::now();
    loop {
        let is_late = done.elapsed() > LATEST;
        let now = server.get(path).await;
        if now.status.is_success() && is(&now.body) {
            return;
        }
        assert!(!is_late, "{path} after {:?}: {now:?}", done.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Duties by the front end that tells: its own, and those of the other.
fn duties(health: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let of = |here: bool| {
        let rows = health["front_ends"].as_array().expect("front ends").iter().filter(|row| row["here"] == here);
        rows.flat_map(|row| row["duties"].as_array().expect("duties"))
            .map(|duty| duty.as_str().expect("a name").to_owned())
            .collect::<BTreeSet<_>>()
    };
    (of(true), of(false))
}

#[tokio::test]
async fn what_is_done_at_one_is_known_at_the_other() {
    let pair = Pair::start().await;
    let (a, b) = (&pair.a, &pair.b);
    // who has what
    let (one, two) = (a.get("health-report").await.ok(), b.get("health-report").await.ok());
    let (own, others) = duties(&one);
    assert_eq!(own.len() + others.len(), 14, "{one}");
    assert!(own.is_disjoint(&others), "{one}");
    assert_eq!(duties(&two), (others, own));

    // an import is a job that both know
    let document = Document::software(id(1), 1).title("One").to_xml();
    let import = a.import(&[("1.xml", document.as_bytes())]).await;
    assert_eq!(import["result"]["added"], 1);
    let same = b.get(&format!("imports/{}", import["id"])).await.ok();
    assert_eq!((&same["state"], &same["result"]["added"]), (&json!("done"), &json!(1)), "{same}");
    in_time(b, "status", |status| status["snapshot"]["revisions"] == 1).await;
    let more = b.import(&[("1.xml", document.as_bytes())]).await;
    assert_ne!(more["id"], import["id"]);

    // settings, collections, tokens
    a.call(Method::PUT, "settings/server.name", Some(json!({ "value": "updates.example.org" }))).await.ok();
    in_time(b, "settings/server.name", |setting| setting["value"] == "updates.example.org").await;
    b.post("collections", json!({ "name": "Ring" })).await.ok();
    a.get("collections/Ring").await.ok();
    assert_eq!(b.call_as(&a.token, Method::GET, "status", None).await.status, StatusCode::UNAUTHORIZED);
    let made = a.post("tokens", json!({ "name": "robot", "role": "software_update_manager" })).await.ok();
    let robot = made["secret"].as_str().expect("a secret");
    b.call_as(robot, Method::GET, "status", None).await.ok();
    // what was sent to one and is sent again to the other is carried out once
    let send = async |server: &Server| {
        let request = server.http.post(server.admin("/api/v1/groups")).bearer_auth(robot);
        let request = request.header("idempotency-key", "7f9c-1").json(&json!({ "name": "November" }));
        let answer = request.send().await.expect("an answer");
        let headers: HeaderMap = answer.headers().clone();
        (answer.status(), headers.contains_key("idempotent-replay"))
    };
    assert_eq!(send(a).await, (StatusCode::CREATED, false));
    assert_eq!(send(b).await, (StatusCode::CREATED, true));
    // files that one takes in, the other would not have
    let refused = a.upload("content", &[("file.cab", b"bytes")]).await;
    assert_eq!(refused.refused(409), "front_ends");
    pair.stop().await;
}

#[tokio::test]
async fn a_computer_may_come_to_another_one_with_every_call() {
    let pair = Pair::start().await;
    let (a, b) = (&pair.a, &pair.b);
    let documents: Vec<Document> = (1..20).map(|number| Document::software(id(number), 1).title("One")).collect();
    a.import_documents(&documents).await;
    let mut agent = ScriptedAgent::new(b.client(), Computer::numbered(1)).expect("an agent");
    // nothing of it is known at the other one a moment later, and nothing is refused
    agent.handshake().await.expect("a handshake");
    agent.move_to(a.client()).expect("an address");
    let first = agent.scan().await.expect("a scan");
    assert!(first.recovered.is_empty() && first.new_updates().count() == documents.len(), "{first:?}");
    agent.move_to(b.client()).expect("an address");
    agent.report_scan().await.expect("a report");
    for (number, server) in [a, b].into_iter().cycle().take(8).enumerate() {
        let create = json!({ "update": id(number as u128 + 1), "collection": "All Computers", "action": "install" });
        server.post("deployments", create).await.ok();
        // heard of at one, it is known at the other at once
        for (turn, front) in [server, a, b].into_iter().enumerate() {
            agent.move_to(front.client()).expect("an address");
            let scan = agent.scan().await.expect("a scan");
            assert!(scan.recovered.is_empty(), "{scan:?}");
            assert_eq!(scan.offered.len(), number + 1, "front end {turn} of deployment {number}: {scan:?}");
        }
    }
    // and both tell a new one the same
    let mut told = Vec::new();
    for front in [a, b] {
        agent.state = AgentState::default();
        agent.move_to(front.client()).expect("an address");
        let scan = agent.scan().await.expect("a scan");
        told.push((scan.pages, scan.offered, std::mem::take(&mut agent.state.cache)));
    }
    assert_eq!(told[0], told[1]);
    pair.stop().await;
}

#[tokio::test]
async fn a_synchronization_is_asked_for_and_stopped_where_it_does_not_run() {
    let upstream = Upstream::start(served([update(10, 1, "One")]));
    let pair = Pair::start().await;
    let (own, _) = duties(&pair.a.get("health-report").await.ok());
    let (runs, asks) = if own.contains("synchronization") { (&pair.a, &pair.b) } else { (&pair.b, &pair.a) };
    asks.call(Method::PUT, "settings/source", Some(json!({ "value": upstream.url() }))).await.ok();
    upstream.trouble(At::Operation(Operation::GetRevisionIdList, 1), Trouble::Hang);
    let asked = asks.post("sync", json!({})).await.ok();
    for server in [runs, asks] {
        let is_there = |status: &Value| status["current"]["progress"]["phase"] == "categories";
        let status = until(server, "sync", "asking for categories", is_there).await;
        assert_eq!(status["current"]["id"], asked["run"]["id"], "{status}");
    }
    let stopped = asks.delete("sync").await.ok();
    assert_eq!((&stopped["id"], &stopped["state"]), (&asked["run"]["id"], &json!("cancelled")), "{stopped}");
    until(runs, "sync", "stopped", |status| status["current"].is_null()).await;
    let done = synchronize(asks).await;
    assert_eq!(done["result"], "done", "{done}");
    let history = runs.get("sync/runs").await.ok();
    let states: Vec<&Value> = history["items"].as_array().expect("runs").iter().map(|run| &run["state"]).collect();
    assert_eq!(states, ["done", "cancelled"], "{history}");
    pair.stop().await;
}
