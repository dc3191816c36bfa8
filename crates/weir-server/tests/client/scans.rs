//! Scans end to end on a real store. The engine's own rules are tested in `weir-model`; here is what the server adds:
//! cookies, fragments, codings, publishing, waiting for content.

use jiff::{SignedDuration, Timestamp};
use weir_model::{
    ids::{CollectionId, UpdateId, UpdateIdentity},
    targeting::{DeploymentAction, DeploymentOrigin},
    update::CategoryKind,
};
use weir_store::deployment::{Deployed, NewDeployment};
use weir_testkit::{Document, Payload, ScriptedAgent, agent};
use weir_wire::wusp::{Action, SyncUpdateParameters, SyncUpdates};

use crate::common::{Server, id};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

fn identity(update: UpdateId, revision: u32) -> UpdateIdentity {
    UpdateIdentity::new(update, revision)
}

/// Product, detectoid, a bundle of one member with a file, and another product.
fn small(payload: &Payload) -> Vec<Document> {
    vec![
        Document::category(id(1), 1, CategoryKind::Product).title("Product"),
        Document::detectoid(id(2), 1).title("Detectoid"),
        Document::member(id(11), 1).title("Member").requires(id(2)).file(payload),
        Document::software(id(10), 1).title("Bundle").requires(id(2)).in_category(id(1)).bundles([identity(id(11), 1)]),
        Document::category(id(3), 1, CategoryKind::Product).title("Other product"),
    ]
}

fn action(agent: &ScriptedAgent, update: UpdateId) -> Option<Action> {
    agent.state.cache.values().find(|cached| cached.identity.update_id == update).map(|cached| cached.action)
}

#[tokio::test]
async fn an_update_is_offered_once_its_content_is_here() {
    let server = Server::start().await;
    let payload = Payload::random("update.exe", 3_000_000, 1);
    server.import(&small(&payload)).await;
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    let mut agent = server.agent(1);
    let outcome = agent.scan().await.expect("scan");
    assert_eq!(outcome.offered, []);
    assert!(outcome.driver_sync_not_needed);
    assert_eq!(action(&agent, id(10)), Some(Action::PreDeploymentCheck), "it waits for content");
    assert_eq!(action(&agent, id(11)), Some(Action::Bundle));
    assert_eq!(action(&agent, id(1)), Some(Action::Evaluate));

    server.add_content(&payload).await;
    let outcome = agent.scan().await.expect("scan");
    assert_eq!(outcome.changed.len(), 1);
    assert_eq!(outcome.offered, [identity(id(10), 1)]);
    let outcome = agent.scan().await.expect("scan");
    assert_eq!((outcome.changed.len(), outcome.new_updates().count()), (0, 0), "told once");

    let revisions: Vec<i32> = agent.state.cache.keys().copied().collect();
    let info = agent.extended_info(&revisions).await.expect("extended info");
    let file = info.files.values().flatten().next().expect("a file");
    assert!(file.url.starts_with(&format!("{}/Content/", server.base)), "{}", file.url);
    assert!(agent::download(file).await.expect("download") == payload.bytes);
    assert_eq!(agent.install_offered().await.expect("installed"), [identity(id(10), 1)]);
}

#[tokio::test]
async fn an_available_time_is_kept_without_anybody_doing_anything() {
    let server = Server::start().await;
    let payload = Payload::random("update.exe", 100, 1);
    server.import(&small(&payload)).await;
    server.add_content(&payload).await;
    let at = Timestamp::now() + SignedDuration::from_millis(1_500);
    server
        .deploy_as(NewDeployment {
            guid: uuid::Uuid::new_v4(),
            deployed: Deployed::Update { id: id(10), revision: None },
            collection: ALL,
            action: DeploymentAction::Install,
            available_at: at,
            deadline_at: Some(at + SignedDuration::from_hours(24)),
            origin: DeploymentOrigin::Local,
            active: false,
            terms: weir_model::deployment::Terms::default(),
        })
        .await;
    let mut agent = server.agent(1);
    assert_eq!(agent.scan().await.expect("scan").offered, []);
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_eq!(agent.scan().await.expect("scan").offered, [identity(id(10), 1)]);
}

#[tokio::test]
async fn c27_moves_and_declines_are_followed() {
    let server = Server::start().await;
    let payload = Payload::random("update.exe", 100, 1);
    server.import(&small(&payload)).await;
    server.add_content(&payload).await;
    let ring = server.collection("Ring").await;
    server.deploy(id(10), ring, DeploymentAction::Install).await;
    let mut agent = server.agent(1);
    assert_eq!(agent.scan().await.expect("scan").offered, []);
    server.join(&agent, ring).await;
    assert_eq!(agent.scan().await.expect("scan").offered, [identity(id(10), 1)], "the computer came into the group");
    server.leave(&agent, ring).await;
    assert_eq!(agent.scan().await.expect("scan").offered, []);
    server.decline(id(10)).await;
    let outcome = agent.scan().await.expect("scan");
    let gone: Vec<i32> = outcome.out_of_scope;
    assert!(!gone.is_empty());
    assert_eq!(action(&agent, id(10)), None);
}

#[tokio::test]
async fn a_category_scan_does_not_hide_changes_from_full_scans() {
    let server = Server::start().await;
    let payload = Payload::random("update.exe", 100, 1);
    let mut documents = small(&payload);
    documents.push(Document::software(id(20), 1).title("Elsewhere").requires(id(2)).in_category(id(3)));
    server.import(&documents).await;
    server.add_content(&payload).await;
    let mut agent = server.agent(1);
    agent.scan().await.expect("scan");
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    agent.category_scan(&[id(3)]).await.expect("scan of another product");
    assert_eq!(agent.scan().await.expect("scan").offered, [identity(id(10), 1)]);
}

#[tokio::test]
async fn c05_codings_agree_and_answers_repeat() {
    let server = Server::start().await;
    let mut documents = small(&Payload::random("update.exe", 100, 1));
    // copied, shared, with ready blocks, streamed
    for (number, size) in [(30, 3_000), (31, 12_000), (32, 100_000), (33, 700_000), (34, 1_500_000)] {
        documents.push(Document::software(id(number), 1).title("Sized").rules_of_size(size));
    }
    server.import(&documents).await;
    let mut agent = server.agent(1);
    agent.handshake().await.expect("handshake");
    let _ = agent.scan().await.expect("scan");
    let cookie = agent.state.cookie.clone();
    let request = SyncUpdates { cookie, parameters: Some(SyncUpdateParameters::new()) };
    let mut body = String::new();
    weir_wire::wusp::client::Call::encode(&request, &mut body, weir_wire::soap::SoapVersion::V11);
    let path = "/ClientWebService/client.asmx";
    let ask = |headers: &'static [(&str, &str)]| {
        let (server, body) = (&server, &body);
        async move {
            let answer = server.send("POST", path, headers, body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            // each answer seals its cookie anew
            let text = answer.text();
            let (before, rest) = text.split_once("<NewCookie>").expect("cookie");
            let after = rest.split_once("</NewCookie>").expect("cookie").1;
            (answer.header("content-encoding").map(str::to_owned), format!("{before}{after}"))
        }
    };
    let (none, plain) = ask(&[]).await;
    assert_eq!(none, None);
    let (coding, squeezed) = ask(&[("Accept-Encoding", "xpress")]).await;
    assert_eq!(coding.as_deref(), Some("xpress"));
    assert!(plain.len() > 2_300_000, "{}", plain.len());
    assert!(plain == squeezed, "both codings carry the same answer");
    assert!(plain == ask(&[]).await.1, "the same request gets the same answer");
}
