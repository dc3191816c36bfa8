//! Lists that are narrowed, put into an order and counted by the server: deployments, update groups, exposure, computers.

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::{
    exposure::{computer, file, ready},
    harness::{Server, id},
};

/// A field of every row, in the order of the list.
fn all(list: &Value, field: &str) -> Vec<Value> {
    list["items"].as_array().expect("items").iter().map(|item| item[field].clone()).collect()
}

async fn agent(server: &Server, computer: Computer) -> ScriptedAgent {
    let mut agent = ScriptedAgent::new(server.client(), computer).expect("agent");
    agent.scan().await.expect("scan");
    agent
}

/// Two rings and three computers: the first has both updates, the second needs both, the third never reported. Of the deployments
/// the first goes out, the second's deadline is over, the third waits, the fourth is switched off, the fifth lacks something.
async fn deployed() -> (Server, Vec<i64>) {
    let server = Server::start().await;
    server
        .import_documents(&[
            Document::software(id(2), 1).title("Alpha"),
            Document::software(id(3), 1).title("Beta"),
            Document::software(id(4), 1).title("Gamma").requires(id(99)),
        ])
        .await;
    for name in ["Ring", "Pilot"] {
        server.post("collections", json!({ "name": name })).await.ok();
    }
    let members = json!({ "updates": [id(2), id(3)] });
    server.post("groups", json!({ "name": "Monthly", "description": "of the autumn", "members": members })).await.ok();
    server.post("groups", json!({ "name": "Nothing" })).await.ok();
    let deploy = async |body: Value| {
        let made = server.post("deployments", body.clone()).await;
        assert_eq!(made.status, 201, "{body}: {}", made.body);
        made.body["id"].as_i64().expect("a number")
    };
    let group =
        json!({ "group": "Monthly", "collection": "Ring", "action": "install", "deadline": "+7d", "name": "Autumn" });
    let past = json!({
        "update": id(2), "collection": "Pilot", "action": "install", "deadline": "2020-01-01T00:00:00Z", "name": "Alpha",
    });
    let waits = json!({
        "update": id(3), "collection": "Pilot", "action": "install", "available": "+2d", "deadline": "+9d", "name": "Beta 1",
    });
    let off = json!({ "update": id(3), "collection": "Ring", "action": "optional", "name": "Beta 2" });
    let lacking = json!({ "update": id(4), "collection": "Ring", "action": "install", "name": "Gamma" });
    let mut ids = Vec::new();
    for body in [group, past, waits, off, lacking] {
        ids.push(deploy(body).await);
    }
    server.patch(&format!("deployments/{}", ids[3]), json!({ "enabled": false })).await.ok();
    for (number, installed) in [(1, vec![2, 3]), (2, vec![]), (3, vec![])] {
        let mut computer = Computer::numbered(number);
        computer.installed = installed.into_iter().map(id).collect();
        let mut agent = agent(&server, computer).await;
        if number < 3 {
            agent.report_scan().await.expect("reported");
        }
        let member = json!({ "computers": [agent.computer.client_id] });
        server.post("collections/Ring/members", member).await.ok();
    }
    (server, ids)
}

#[tokio::test]
async fn deployments_are_narrowed_and_counted() {
    let (server, ids) = deployed().await;
    let whole = server.get("deployments").await.ok();
    let numbers = |list: &Value| all(list, "id").iter().map(|id| id.as_i64().expect("a number")).collect::<Vec<_>>();
    assert_eq!(numbers(&whole), ids, "by number");
    assert_eq!(all(&whole, "stage"), ["active", "expired", "waiting", "disabled", "not_sent"]);
    let stages = json!({ "active": 1, "waiting": 1, "expired": 1, "disabled": 1, "not_sent": 1 });
    assert_eq!((&whole["total"], &whole["stages"]), (&json!(5), &stages));
    assert_eq!(all(&whole, "compliance"), vec![Value::Null; 5], "not asked for");
    for (query, expected) in [
        ("stage=expired", vec![1]),
        ("enabled=false", vec![3]),
        ("enabled=true&collection=pilot", vec![1, 2]),
        ("action=optional", vec![3]),
        ("origin=local", vec![0, 1, 2, 3, 4]),
        ("origin=parent", vec![]),
        ("text=AUTUMN", vec![0]),
        ("text=monthly", vec![0]),
        ("text=beta", vec![2, 3]),
        ("text=pilot&stage=waiting", vec![2]),
        ("deadline_before=%2B8d", vec![0, 1]),
        ("deadline_after=%2B1d", vec![0, 2]),
        ("deadline_after=%2B1d&deadline_before=%2B8d", vec![0]),
        ("group=monthly", vec![0]),
        ("group=monthly&collection=Pilot", vec![]),
    ] {
        let list = server.get(&format!("deployments?{query}")).await.ok();
        let expected: Vec<i64> = expected.into_iter().map(|at: usize| ids[at]).collect();
        assert_eq!(numbers(&list), expected, "{query}");
        assert_eq!(list["total"], expected.len(), "{query}");
    }
    let of_update = server.get(&format!("deployments?update={}", id(2))).await.ok();
    assert_eq!(numbers(&of_update), ids[..2], "by itself and in a group");
    let to = server.get("deployments?text=beta&limit=1").await.ok();
    let names: Vec<&Value> = to["collections"].as_array().expect("a list").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["Ring", "Pilot"], "those of other pages, too; the one that got something first before others");
    // the other filters decide what each stage has
    let narrowed = server.get("deployments?stage=active&collection=Pilot").await.ok();
    assert_eq!((&narrowed["total"], &narrowed["stages"]["waiting"]), (&json!(0), &json!(1)), "{narrowed}");
    for (query, code) in [
        ("stage=some", "query"),
        ("origin=nowhere", "origin"),
        ("text=%00", "text"),
        ("deadline_before=soon", "time"),
        ("sort=colour", "sort"),
        ("cursor=x", "cursor"),
        ("colour=red", "query"),
    ] {
        assert_eq!(server.get(&format!("deployments?{query}")).await.refused(400), code, "{query}");
    }
    assert_eq!(server.get("deployments?collection=Nowhere").await.refused(404), "not_found");

    // what moves a stage is in the next answer
    server.patch(&format!("deployments/{}", ids[3]), json!({ "enabled": true })).await.ok();
    server.post(&format!("updates/{}/decline", id(2)), json!({})).await.ok();
    assert_eq!(
        all(&server.get("deployments").await.ok(), "stage"),
        ["active", "not_sent", "waiting", "active", "not_sent"],
        "one update of the group still goes out"
    );
    server.post(&format!("updates/{}/decline", id(3)), json!({})).await.ok();
    assert_eq!(server.get("deployments").await.ok()["stages"]["not_sent"], 5);
    server.stop().await;
}

#[tokio::test]
async fn deployments_are_sorted_and_paged() {
    let (server, ids) = deployed().await;
    let numbers = async |query: &str| {
        let list = server.get(&format!("deployments?{query}")).await.ok();
        let at = |id: &Value| ids.iter().position(|known| json!(known) == *id).expect("one of them");
        all(&list, "id").iter().map(at).collect::<Vec<_>>()
    };
    assert_eq!(numbers("sort=created").await, [4, 3, 2, 1, 0]);
    assert_eq!(numbers("sort=name").await, [1, 0, 2, 3, 4], "Alpha, Autumn, Beta 1, Beta 2, Gamma");
    assert_eq!(numbers("sort=deadline:asc").await, [1, 0, 2, 3, 4], "those without come last");
    assert_eq!(numbers("sort=deadline").await, [2, 0, 1, 3, 4], "also the other way");
    assert_eq!(numbers("sort=collection:desc").await, [4, 3, 0, 2, 1]);
    assert_eq!(numbers("sort=stage").await, [0, 2, 1, 3, 4]);
    for sort in ["id", "name:desc", "deadline", "stage"] {
        let (mut cursor, mut found) = (String::new(), Vec::new());
        loop {
            let page = server.get(&format!("deployments?sort={sort}&limit=2{cursor}")).await.ok();
            found.extend(all(&page, "id"));
            assert_eq!(page["total"], 5);
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, all(&server.get(&format!("deployments?sort={sort}")).await.ok(), "id"), "{sort}");
    }
    // by number a page follows whatever became of the row before it
    server.delete(&format!("deployments/{}", ids[1])).await;
    let rest = server.get(&format!("deployments?cursor={}", ids[1])).await.ok();
    assert_eq!(all(&rest, "id"), [json!(ids[2]), json!(ids[3]), json!(ids[4])]);
    let csv = server.get("deployments?format=csv&compliance=true&sort=name").await;
    assert_eq!(csv.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn deployments_and_groups_say_how_computers_stand_in_one_answer() {
    let (server, ids) = deployed().await;
    let list = server.get("deployments?compliance=true").await.ok();
    for (at, row) in list["items"].as_array().expect("items").iter().enumerate() {
        // what the answer about one says
        let one = server.get(&format!("compliance/deployments/{}", ids[at])).await.ok();
        let figures = &row["compliance"];
        for status in ["compliant", "in_progress", "error", "unknown"] {
            assert_eq!(figures[status], one["statuses"][status], "{status} of {at}: {row} {one}");
        }
        for field in ["computers", "silent", "not_reporting", "compliant_current"] {
            assert_eq!(figures[field], one[field], "{field} of {at}: {row} {one}");
        }
        assert_eq!(row["percent"], one["percent"], "{at}");
    }
    let autumn = &list["items"][0]["compliance"];
    assert_eq!(
        (&autumn["computers"], &autumn["compliant"], &autumn["in_progress"], &autumn["unknown"]),
        (&json!(3), &json!(1), &json!(1), &json!(1))
    );
    // a removal of several updates is looked at computer by computer
    let removal = json!({ "group": "Monthly", "collection": "Pilot", "action": "uninstall" });
    let removal = server.post("deployments", removal).await.ok()["id"].clone();
    let row = server.get("deployments?compliance=true&action=uninstall").await.ok()["items"][0].clone();
    let one = server.get(&format!("compliance/deployments/{removal}")).await.ok();
    assert_eq!((&row["compliance"]["computers"], &row["percent"]), (&one["computers"], &one["percent"]));

    let groups = server.get("groups?compliance=true").await.ok();
    assert_eq!((all(&groups, "name"), &groups["total"]), (vec![json!("Monthly"), json!("Nothing")], &json!(2)));
    let mut summary = server.get("compliance/summary?group=Monthly").await.ok();
    let mut own = groups["items"][0]["compliance"].clone();
    for time in [&mut summary, &mut own] {
        time["as_of"] = Value::Null;
    }
    assert_eq!((own, &groups["items"][1]["compliance"]), (summary, &Value::Null), "nothing of a group without updates");
    assert_eq!(all(&server.get("groups?deployed=false").await.ok(), "name"), ["Nothing"]);
    assert_eq!(all(&server.get("groups?text=AUTUMN").await.ok(), "name"), ["Monthly"], "in the description");
    assert_eq!(all(&server.get("groups?sort=name:desc").await.ok(), "name"), ["Nothing", "Monthly"]);
    assert_eq!(all(&server.get("groups?sort=members").await.ok(), "name"), ["Monthly", "Nothing"]);
    assert_eq!(server.get("groups?sort=colour").await.refused(400), "sort");
    assert_eq!(server.get("groups?server=nowhere&compliance=true").await.status, 404);

    // who is limited to a collection is told of that
    let token = json!({ "name": "limited", "role": "read_only_analyst", "collections": ["Pilot"] });
    let secret = server.post("tokens", token).await.ok()["secret"].as_str().expect("secret").to_owned();
    let limited = async |path: &str| server.call_as(&secret, Method::GET, path, None).await.ok();
    let list = limited("deployments?compliance=true").await;
    assert_eq!((&list["total"], &list["stages"]["disabled"]), (&json!(3), &json!(0)), "{list}");
    assert_eq!(limited("groups?compliance=true").await["items"][0]["compliance"]["computers"], 0);
    server.stop().await;
}

#[tokio::test]
async fn vulnerabilities_are_narrowed_sorted_and_counted() {
    let server = ready().await;
    let files = [("month.xml", file("msrc-form.xml")), ("kev.json", file("kev.json"))];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    server.upload("exposure/imports", &files).await.ok();
    computer(&server, 1, 97_001, &[], &[3, 5]).await;
    computer(&server, 2, 97_001, &[2], &[3, 4, 5]).await;
    let (first, second) = (json!("CVE-2031-10001"), json!("CVE-2031-10002"));
    let list = async |query: &str| server.get(&format!("exposure/cves?{query}")).await.ok();
    let both = list("").await;
    assert_eq!((&both["total"], &both["counts"]), (&json!(2), &Value::Null));
    let totals = &both["totals"];
    assert_eq!((&totals["exposed"], &totals["exploited"], &totals["kev"]), (&json!(1), &json!(1), &json!(1)), "{both}");
    assert_eq!(all(&list("sort=cve:desc").await, "cve"), [second.clone(), first.clone()]);
    assert_eq!(all(&list("sort=severity").await, "cve"), [first.clone(), second.clone()], "the worst first");
    assert_eq!(all(&list("sort=severity:asc").await, "cve"), [second.clone(), first.clone()]);
    assert_eq!(all(&list("sort=exposed&limit=1").await, "cve"), std::slice::from_ref(&first));
    assert_eq!(all(&list("kev=true").await, "cve"), std::slice::from_ref(&first));
    assert_eq!(all(&list("kev=false").await, "cve"), std::slice::from_ref(&second));
    assert_eq!(all(&list("age=older&text=10001").await, "cve"), std::slice::from_ref(&first));
    assert_eq!(list("age=week").await["items"], json!([]));
    assert_eq!(
        all(&list("published_before=2021-06-01T00:00:00Z&text=10001").await, "cve"),
        std::slice::from_ref(&first)
    );
    assert_eq!(list("published_after=30d").await["total"], 0);
    let counted = list("state=exposed&facets=true").await;
    assert_eq!(counted["counts"], json!([{ "severity": "critical", "age": "older", "cves": 1 }]));
    for (query, code) in
        [("sort=colour", "sort"), ("age=new", "query"), ("published_after=soon", "time"), ("kev=perhaps", "query")]
    {
        assert_eq!(server.get(&format!("exposure/cves?{query}")).await.refused(400), code, "{query}");
    }

    let names = all(&server.get("exposure/computers?sort=name").await.ok(), "name");
    let mut backwards = all(&server.get("exposure/computers?sort=name:desc").await.ok(), "name");
    backwards.reverse();
    assert_eq!((names.len(), &names), (2, &backwards));
    let exposed = server.get("exposure/computers?sort=exposed").await.ok();
    assert_eq!((&exposed["total"], &exposed["items"][0]["cves"]["exposed"]), (&json!(2), &json!(1)));
    assert_eq!(server.get("exposure/computers?text=nobody").await.ok()["total"], 0);
    assert_eq!(server.get("exposure/computers?sort=due").await.refused(400), "sort");
    let path = "exposure/cves/CVE-2031-10001/computers";
    let of_cve = server.get(&format!("{path}?sort=name&state=exposed")).await.ok();
    assert_eq!((&of_cve["total"], &of_cve["items"][0]["state"]), (&json!(1), &json!("exposed")));
    let one = exposed["items"][0]["id"].as_str().expect("an id");
    let of_one = server.get(&format!("exposure/computers/{one}?sort=cve:desc")).await.ok();
    assert_eq!((all(&of_one, "cve"), &of_one["total"]), (vec![second, first.clone()], &json!(2)));
    let rated = server.get(&format!("exposure/computers/{one}?severity=critical&exploited=true")).await.ok();
    assert_eq!(all(&rated, "cve"), [first]);
    assert_eq!(server.get(&format!("exposure/computers/{one}?severity=awful")).await.refused(400), "severity");
    server.stop().await;
}

#[tokio::test]
async fn computers_are_narrowed_by_an_expression() {
    let server = Server::start().await;
    server
        .import_documents(&[Document::software(id(2), 1).title("Fix").property_child("KBArticleID", "9000101")])
        .await;
    let mut machine = Computer::numbered(1);
    "Windows Server Datacenter".clone_into(&mut machine.os_description);
    (machine.os_build, machine.product_type) = (17_763, 3);
    let mut machine = agent(&server, machine).await;
    let mut pc = agent(&server, Computer::numbered(2)).await;
    pc.report_scan().await.expect("reported");
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    server.post("collections/Ring/members", json!({ "computers": [pc.computer.client_id] })).await.ok();

    let (machine_id, pc_id) =
        (json!(machine.computer.client_id.to_lowercase()), json!(pc.computer.client_id.to_lowercase()));
    let found = async |filter: &str| {
        let path = format!("computers?filter={}", filter.replace(' ', "%20").replace('"', "%22").replace('>', "%3E"));
        all(&server.get(&path).await.ok(), "id")
    };
    for (filter, expected) in [
        ("server", vec![&machine_id]),
        ("workstation", vec![&pc_id]),
        ("os ~ \"server 2019\" and ip in 127.0.0.0/8", vec![&machine_id]),
        ("build = 17763 or collection = Ring", vec![&machine_id, &pc_id]),
        ("not collection = ring", vec![&machine_id]),
        ("never_reported", vec![&machine_id]),
        ("needed > 0", vec![&pc_id]),
        ("needs = KB9000101 and workstation", vec![&pc_id]),
        ("server and needed > 0", vec![]),
        ("first_seen < 1 day", vec![&machine_id, &pc_id]),
        ("site = this", vec![&machine_id, &pc_id]),
    ] {
        let expected: Vec<Value> = expected.into_iter().cloned().collect();
        assert_eq!(found(filter).await, expected, "{filter}");
    }
    // what changes is in the next answer, and it holds for counts and for changes of many, too
    machine.report_scan().await.expect("reported");
    assert_eq!(found("needed > 0").await.len(), 2);
    machine.computer.installed.insert(id(2));
    machine.report_scan().await.expect("reported");
    assert_eq!(found("needed > 0").await, std::slice::from_ref(&pc_id));
    assert_eq!(server.get("computers-counts?filter=needed%20%3E%200").await.ok()["computers"], 1);
    let forget = json!({ "filter": { "filter": "needed > 0" }, "action": "delete", "preview": true });
    assert_eq!(server.post("computers-change", forget).await.ok()["matched"], 1);
    assert_eq!(found("server and collection = Ring").await, Vec::<Value>::new());
    server.delete(&format!("computers/{}", machine.computer.client_id)).await;
    assert_eq!(found("first_seen < 1 day").await, std::slice::from_ref(&pc_id));
    let zone = json!({ "time_zone": "Europe/Berlin" });
    server.patch(&format!("computers/{}", pc.computer.client_id), zone).await.ok();
    assert_eq!(found("zone = Europe/Berlin").await, std::slice::from_ref(&pc_id));

    for (filter, words) in [
        ("server%20and", "the filter is wrong at character 11"),
        ("colour%20=%20red", "the filter is wrong at character 1: there is no field \"colour\""),
        ("collection%20=%20Rink", "there is no collection \"Rink\""),
        ("collection%20is%20empty", "collection"),
    ] {
        for path in ["computers", "computers-counts"] {
            let refused = server.get(&format!("{path}?filter={filter}")).await;
            assert_eq!(refused.refused(400), "filter", "{filter}");
            assert!(refused.body["detail"].as_str().is_some_and(|text| text.contains(words)), "{}", refused.body);
        }
    }
    let long = "server%20or%20".repeat(400);
    assert_eq!(server.get(&format!("computers?filter={long}server")).await.refused(400), "filter");

    // collections that are not there for a principal cannot be named
    server.post("collections", json!({ "name": "Secret" })).await.ok();
    let token = json!({ "name": "limited", "role": "read_only_analyst", "collections": ["Ring"] });
    let secret = server.post("tokens", token).await.ok()["secret"].as_str().expect("secret").to_owned();
    let limited = async |path: &str| server.call_as(&secret, Method::GET, path, None).await;
    assert_eq!(all(&limited("computers?filter=workstation%20and%20collection%20=%20Ring").await.ok(), "id"), [pc_id]);
    let refused = limited("computers?filter=collection%20=%20Secret").await;
    assert_eq!(refused.refused(400), "filter");
    assert!(!refused.body.to_string().contains("did you mean \\\"Secret"), "{}", refused.body);
    let known = server.get("collections/Secret").await.ok()["id"].as_str().expect("an id").to_owned();
    assert_eq!(limited(&format!("computers?filter=collection%20=%20{known}")).await.refused(400), "filter");
    server.stop().await;
}
