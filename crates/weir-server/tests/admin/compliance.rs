//! Counts from the index: who is in which state, deployments, servers, and the same answer as a recount while computers report.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use weir_model::ids::{UpdateId, UpdateIdentity};
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{Server, id};

const UPDATES: u128 = 12;

fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().expect("items").clone()
}

/// A server with updates that everybody is asked about, and computers that scanned.
async fn fleet(computers: u64) -> (Server, Vec<ScriptedAgent>) {
    let server = Server::start().await;
    let documents: Vec<Document> =
        (1..=UPDATES).map(|number| Document::software(id(number), 1).title(&format!("Update {number}"))).collect();
    server.import_documents(&documents).await;
    let mut agents = Vec::new();
    for number in 0..computers {
        let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
        agent.scan().await.expect("scan");
        agents.push(agent);
    }
    (server, agents)
}

fn list(tag: &str, updates: impl IntoIterator<Item = UpdateId>) -> String {
    format!("{tag}={}", updates.into_iter().map(|id| id.to_string()).collect::<Vec<_>>().join(";"))
}

/// A client status with these lists.
async fn says(agent: &mut ScriptedAgent, lists: &[String]) {
    let status = agent.event(156, None, 0, Vec::new(), lists.to_vec());
    agent.report(vec![status]).await.expect("reported");
}

/// Every update's states, counted from what is shown of each computer.
async fn recount(server: &Server) -> (BTreeMap<String, u64>, Vec<Value>) {
    let computers = items(&server.get("computers?limit=1000").await.ok());
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for computer in &computers {
        for (state, count) in computer["counts"].as_object().expect("counts") {
            *sums.entry(state.clone()).or_default() += count.as_u64().expect("count");
        }
    }
    (sums, computers)
}

/// The same from the index.
async fn counted(server: &Server) -> BTreeMap<String, u64> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for update in items(&server.get("compliance/updates?limit=1000").await.ok()) {
        for (state, count) in update["counts"].as_object().expect("counts") {
            *sums.entry(state.clone()).or_default() += count.as_u64().expect("count");
        }
    }
    sums
}

#[tokio::test]
async fn who_is_in_which_state() {
    let (server, mut agents) = fleet(3).await;
    says(&mut agents[0], &[list("U", [id(1)]), list("V", [id(2)])]).await;
    says(&mut agents[1], &[list("V", [id(1), id(2)])]).await;
    let of = |update: u128, more: &str| format!("compliance/computers?update={}{more}", id(update));
    let states = |list: Value| -> Vec<String> {
        items(&list).iter().map(|row| row["state"].as_str().expect("state").to_owned()).collect()
    };
    assert_eq!(states(server.get(&of(1, "")).await.ok()), ["required", "installed", "unknown"]);
    let needed = items(&server.get(&of(1, "&state=required")).await.ok());
    assert_eq!((needed.len(), &needed[0]["server"]), (1, &Value::Null));
    assert!(needed[0]["since"].is_string() && needed[0]["last_report"].is_string(), "{needed:?}");
    assert_eq!(states(server.get(&of(3, "&limit=1")).await.ok()), ["not_applicable"]);
    let first = server.get(&of(1, "&limit=2")).await.ok();
    let next = first["next"].as_str().expect("more").to_owned();
    assert_eq!(states(server.get(&of(1, &format!("&limit=2&cursor={next}"))).await.ok()), ["unknown"]);
    assert_eq!(states(server.get("compliance/computers").await.ok()), ["required", "installed", "unknown"]);

    let update = Some(UpdateIdentity::new(id(2), 1));
    let failure = agents[1].event(182, update, 0x8024_2014_u32.cast_signed(), Vec::new(), Vec::new());
    agents[1].report(vec![failure]).await.expect("reported");
    let failed = items(&server.get(&of(2, "&state=failed")).await.ok());
    assert_eq!((failed.len(), &failed[0]["error"]), (1, &json!("0x80242014")));

    server.post("groups", json!({ "name": "One", "members": { "updates": [id(1)] } })).await.ok();
    assert_eq!(states(server.get("compliance/computers?group=one").await.ok()), ["required", "installed", "unknown"]);
    for (query, status, code) in [
        (format!("update={}", id(404)), 404, "not_found"),
        ("update=x".to_owned(), 400, "update"),
        (format!("update={}&group=One", id(1)), 400, "group"),
        ("state=fine".to_owned(), 400, "query"),
        ("collection=none".to_owned(), 404, "not_found"),
        ("group=none".to_owned(), 404, "not_found"),
        ("limit=0".to_owned(), 400, "limit"),
        ("cursor=x".to_owned(), 400, "cursor"),
    ] {
        assert_eq!(server.get(&format!("compliance/computers?{query}")).await.refused(status), code, "{query}");
    }
    let servers = items(&server.get("compliance/servers").await.ok());
    assert_eq!((servers.len(), &servers[0]["server"], &servers[0]["computers"]), (1, &Value::Null, &json!(3)));
    assert_eq!(servers[0]["counts"]["failed"], 1);
    server.stop().await;
}

#[tokio::test]
async fn deployments_tell_how_far_computers_are() {
    let (server, mut agents) = fleet(5).await;
    server.post("groups", json!({ "name": "March", "members": { "updates": [id(1), id(2)] } })).await.ok();
    let group = json!({ "group": "March", "collection": "All Computers", "action": "install", "deadline": "+3d" });
    let deployed = server.post("deployments", group).await.ok()["id"].clone();
    says(&mut agents[0], &[list("V", [id(1), id(2)])]).await;
    says(&mut agents[1], &[list("U", [id(1)]), list("V", [id(2)])]).await;
    says(&mut agents[2], &[list("W", [id(1)]), list("V", [id(2)])]).await;
    says(&mut agents[3], &[list("g", [id(1)]), list("U", [id(2)])]).await;
    let shown = server.get(&format!("compliance/deployments/{deployed}")).await.ok();
    assert_eq!(shown["statuses"], json!({ "compliant": 1, "in_progress": 2, "error": 1, "unknown": 1 }), "{shown}");
    assert_eq!((&shown["computers"], &shown["percent"], &shown["updates"]), (&json!(5), &json!(20.0), &json!(2)));
    let at = |name: &str| {
        items(&json!({ "items": shown["enforcement"] }))
            .iter()
            .find(|it| it["enforcement"] == name)
            .map(|it| it["computers"].clone())
    };
    for name in ["success", "pending_installation", "pending_restart", "failed", "never_reported"] {
        assert_eq!(at(name), Some(json!(1)), "{name}");
    }
    assert_eq!(items(&server.get("compliance/deployments").await.ok())[0]["percent"], 20.0);
    let path = format!("compliance/deployments/{deployed}/computers");
    assert_eq!(items(&server.get(&path).await.ok()).len(), 5);
    let waiting = items(&server.get(&format!("{path}?enforcement=pending_installation")).await.ok());
    assert_eq!((waiting.len(), &waiting[0]["status"]), (1, &json!("in_progress")));
    assert_eq!(items(&server.get(&format!("{path}?status=error")).await.ok()).len(), 1);
    assert_eq!(server.get("compliance/deployments/999").await.refused(404), "not_found");
    assert_eq!(server.get("compliance/deployments?limit=201").await.refused(400), "limit");

    let removal = json!({ "update": id(2), "collection": "Unassigned Computers", "action": "uninstall" });
    let removed = server.post("deployments", removal).await;
    if removed.status.is_success() {
        let shown = server.get(&format!("compliance/deployments/{}", removed.body["id"])).await.ok();
        // installed is what is left to do; the one that needs it has no more to do
        assert_eq!(shown["statuses"]["in_progress"], 3, "{shown}");
        assert_eq!(shown["statuses"]["compliant"], 1, "{shown}");
    }
    server.stop().await;
}

#[tokio::test]
async fn counts_are_those_of_a_recount_while_computers_report() {
    const COMPUTERS: u64 = 24;
    let (server, agents) = fleet(COMPUTERS).await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let server = Arc::new(server);
    let done = Arc::new(AtomicBool::new(false));
    let mut reporting = Vec::new();
    for (number, mut agent) in (0..).zip(agents) {
        reporting.push(tokio::spawn(async move {
            let mut random = weir_testkit::Random::new(number);
            for _ in 0..15 {
                let mut lists = BTreeMap::new();
                for update in 1..=UPDATES {
                    let tag = ["V", "V", "U", "g", "W", "h", ""][random.below(7)];
                    lists.entry(tag).or_insert_with(Vec::new).push(id(update));
                }
                lists.remove("");
                let lists: Vec<_> = lists.into_iter().map(|(tag, updates)| list(tag, updates)).collect();
                says(&mut agent, &lists).await;
            }
            agent
        }));
    }
    let (asking, ended) = (Arc::clone(&server), Arc::clone(&done));
    let asker = tokio::spawn(async move {
        let mut questions = 0;
        while !ended.load(Ordering::Relaxed) {
            // each answer is of one moment: every computer is in it once
            let summary = asking.get("compliance/summary").await.ok();
            let states = summary["counts"].as_object().expect("counts").values();
            assert_eq!(states.map(|count| count.as_u64().expect("count")).sum::<u64>(), COMPUTERS, "{summary}");
            for update in items(&asking.get("compliance/updates?limit=1000").await.ok()) {
                let counts = update["counts"].as_object().expect("counts").values();
                assert_eq!(counts.map(|count| count.as_u64().expect("count")).sum::<u64>(), COMPUTERS, "{update}");
            }
            questions += 1;
        }
        questions
    });
    let mut agents = Vec::new();
    for agent in reporting {
        agents.push(agent.await.expect("reports"));
    }
    done.store(true, Ordering::Relaxed);
    assert!(asker.await.expect("asks") > 0);
    assert_eq!(counted(&server).await, recount(&server).await.0);

    // what moves beside reports: members, new and declined updates, computers that go
    let (_, computers) = recount(&server).await;
    let some: Vec<_> = computers.iter().step_by(3).map(|computer| computer["id"].clone()).collect();
    server.post("collections/Ring/members", json!({ "computers": some })).await.ok();
    let ring = server.get("compliance/summary?collection=Ring").await.ok();
    assert_eq!(ring["computers"], some.len());
    server.import_documents(&[Document::software(id(99), 1).title("New")]).await;
    server.post(&format!("updates/{}/decline", id(3)), json!({})).await.ok();
    assert_eq!(counted(&server).await, recount(&server).await.0);
    assert_eq!(counted(&server).await["unknown"], COMPUTERS, "nobody can have evaluated the new one");
    agents[1].scan().await.expect("scan");
    says(&mut agents[1], &[list("U", [id(99)])]).await;
    server.delete(&format!("computers/{}", computers[0]["id"].as_str().expect("id"))).await.ok();
    assert_eq!(counted(&server).await, recount(&server).await.0);
    assert_eq!(server.get("compliance/summary").await.ok()["computers"], COMPUTERS - 1);
    Arc::try_unwrap(server).ok().expect("nobody else has it").stop().await;
}
