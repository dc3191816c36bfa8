//! Maintenance windows and zones on the wire, with the server's clock moved on.

use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, UpdateId},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
    window::{Window, WindowKind},
};
use weir_store::{
    deployment::{Deployed, NewDeployment},
    intent::CollectionIntent,
};
use weir_testkit::{Document, ScriptedAgent};
use weir_wire::wusp::Action;

use crate::common::{Server, actor, id};

const WINDOW: Uuid = Uuid::from_u128(1);

fn told(agent: &ScriptedAgent, update: UpdateId) -> (Action, Option<Timestamp>) {
    let cached = agent.state.cache.values().find(|cached| cached.identity.update_id == update).expect("sent");
    (cached.action, cached.deadline)
}

/// A required deployment whose deadline has passed.
async fn require(server: &Server, update: UpdateId, to: CollectionId) {
    let now = Timestamp::now();
    server
        .deploy_as(NewDeployment {
            guid: Uuid::new_v4(),
            deployed: Deployed::Update { id: update, revision: None },
            collection: to,
            action: DeploymentAction::Install,
            available_at: now - SignedDuration::from_hours(2),
            deadline_at: Some(whole(now) - SignedDuration::from_hours(1)),
            origin: DeploymentOrigin::Local,
            active: false,
            terms: weir_model::deployment::Terms::default(),
        })
        .await;
}

/// To the minute.
fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() / 60 * 60).expect("in range")
}

async fn put(server: &Server, collection: CollectionId, schedule: &str) {
    let recurrence = schedule.parse().expect("a schedule");
    let window = Window::new("Window", recurrence, 240, WindowKind::AllDeployments).expect("a window");
    let written =
        server.state.store.write(&actor(), |tx| tx.window_put(WINDOW, collection, &window, DeploymentOrigin::Local));
    written.expect("a window");
    server.publish().await;
}

async fn ready() -> (Server, ScriptedAgent, CollectionId) {
    let server = Server::start().await;
    server
        .import(&[
            Document::software(id(10), 1).title("Required"),
            Document::software(id(11), 1).title("Elsewhere"),
            Document::software(id(12), 1).title("Not deployed"),
        ])
        .await;
    let ring = server.collection("Ring").await;
    let mut agent = server.agent(1);
    agent.scan().await.expect("scan");
    server.join(&agent, ring).await;
    (server, agent, ring)
}

#[tokio::test]
async fn a_deadline_is_in_the_window_and_goes_to_the_next_one_when_it_passed() {
    let (server, mut agent, ring) = ready().await;
    require(&server, id(10), ring).await;
    server.deploy(id(11), ring, DeploymentAction::Optional).await;
    let start = whole(Timestamp::now()) + SignedDuration::from_hours(24);
    let day = start.to_zoned(TimeZone::UTC);
    put(&server, ring, &format!("weekly {} at {} UTC", day.strftime("%A"), day.strftime("%H:%M"))).await;

    agent.scan().await.expect("scan");
    assert_eq!(told(&agent, id(10)), (Action::Install, Some(start)));
    assert_eq!(told(&agent, id(11)), (Action::OptionalInstall, None));
    let outcome = agent.scan().await.expect("scan");
    assert_eq!(outcome.changed, [0; 0], "told once");

    // in the window, and while an hour is left, it stays
    server.state.clock.advance(SignedDuration::from_hours(26));
    let outcome = agent.scan().await.expect("scan");
    assert_eq!((outcome.changed.len(), told(&agent, id(10)).1), (0, Some(start)));

    // the window has passed: the next one, a week later, and this is the only change
    server.state.clock.advance(SignedDuration::from_hours(2));
    let outcome = agent.scan().await.expect("scan");
    assert_eq!(outcome.changed.len(), 1);
    assert_eq!(told(&agent, id(10)), (Action::Install, Some(start + SignedDuration::from_hours(168))));
    assert_eq!(agent.scan().await.expect("scan").changed, [0; 0]);

    // a server that was started anew, as another front end, goes on from the cookie
    let server = server.restart(weir_server::state::ClientSettings::default()).await;
    agent.move_to(&server.base).expect("address");
    server.state.clock.advance(SignedDuration::from_hours(28 + 168));
    let outcome = agent.scan().await.expect("scan");
    assert_eq!(outcome.changed.len(), 1);
    assert_eq!(told(&agent, id(10)).1, Some(start + SignedDuration::from_hours(336)));

    // without windows the deadline is what it was
    server.state.store.write(&actor(), |tx| tx.window_delete(WINDOW)).expect("deleted");
    server.publish().await;
    agent.scan().await.expect("scan");
    let (action, deadline) = told(&agent, id(10));
    assert_eq!(action, Action::Install);
    assert!(deadline.is_some_and(|deadline| deadline < Timestamp::now()));
}

#[tokio::test]
async fn a_local_window_is_in_the_zone_of_the_collection() {
    let (server, mut agent, ring) = ready().await;
    require(&server, id(10), ring).await;
    put(&server, ring, "daily at 03:00").await;
    let zone = "Asia/Kathmandu";
    let collection = CollectionIntent {
        id: ring,
        name: "Ring".to_owned(),
        parent: None,
        kind: CollectionKind::TargetGroup,
        approved_only: false,
        time_zone: Some(zone.to_owned()),
    };
    server.state.store.write(&actor(), |tx| tx.collection_put(&collection)).expect("a zone");
    server.publish().await;
    agent.scan().await.expect("scan");
    let deadline = told(&agent, id(10)).1.expect("a deadline").to_zoned(TimeZone::get(zone).expect("a zone"));
    let now = Timestamp::now().to_zoned(TimeZone::get(zone).expect("a zone"));
    // the next 03:00, or that of today while it is open, or the deadline in the window that is open
    let open = deadline.time() > jiff::civil::time(3, 0, 0, 0) && deadline.time() < jiff::civil::time(6, 0, 0, 0);
    assert!(deadline.time() == jiff::civil::time(3, 0, 0, 0) || open, "{deadline}");
    assert!(deadline < now.checked_add(1.day()).expect("in range"));
}

#[tokio::test]
async fn what_no_window_can_hold_goes_out_as_a_check() {
    let (server, mut agent, ring) = ready().await;
    require(&server, id(10), ring).await;
    let recurrence = "daily at 03:00 UTC".parse().expect("a schedule");
    let short = Window::new("Short", recurrence, 59, WindowKind::SoftwareUpdates).expect("a window");
    let written = server.state.store.write(&actor(), |tx| tx.window_put(WINDOW, ring, &short, DeploymentOrigin::Local));
    written.expect("a window");
    server.publish().await;
    let outcome = agent.scan().await.expect("scan");
    assert_eq!(outcome.offered, []);
    assert_eq!(told(&agent, id(10)), (Action::PreDeploymentCheck, None));
}
