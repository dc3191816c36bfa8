//! The parent's side of the site link.
//!
//! *Invariant:* everything but the enrolment answers only those whose certificate belongs to an enrolled site, and looks
//! that up with each request: a removed site is shut out at once.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequest as _, MatchedPath, Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;
use weir_model::{ids::Sha256Digest, site::SiteTree};
use weir_store::{Actor, ReadTx, StoreError, alert::AlertSeverity};

use super::{
    PATH, accept, cascade, feed,
    hub::Voice,
    link::{Enrol, Enrolled, Feed, FeedQuery, News, NotifyQuery, ParentFacts, REQUEST_BYTES, StatusPost, plain, tidy},
};
use crate::{
    admin::{AdminError, App, Body, Query},
    state::Connection,
    telemetry::{LINK_OPERATIONS, Observation, meters, note},
};

/// How long a request for news is held open.
const HOLD: Duration = Duration::from_secs(20);
/// Changes that come together are told together.
const SETTLE: Duration = Duration::from_millis(50);
/// Bytes of what a server that nobody knows yet may send.
const ENROL_BYTES: usize = 16 << 10;
/// The operation that waits for news: how long it takes says nothing.
const NOTIFY: &str = "notify";
/// Points of one status message.
const MOST_POINTS: usize = weir_model::site::MOST_SITES;

type Answer<T> = Result<Json<T>, AdminError>;

/// What the handlers share.
#[derive(Clone)]
struct Served {
    app: App,
    stop: watch::Receiver<bool>,
}

/// The child that a request comes from.
#[derive(Clone, Copy, Debug)]
struct Child {
    site: Uuid,
    fingerprint: Sha256Digest,
    connection: Connection,
}

/// The routes of the site link.
pub(super) fn router(app: App, stop: watch::Receiver<bool>) -> Router {
    let served = Served { app, stop };
    let enrolled = Router::new()
        .route(&format!("{PATH}/feed"), get(read_feed))
        .route(&format!("{PATH}/notify"), get(notify))
        .route(&format!("{PATH}/status"), post(take_status))
        .route_layer(middleware::from_fn_with_state(served.clone(), known));
    Router::new()
        .merge(enrolled)
        .route(&format!("{PATH}/enrolment"), post(enrol).layer(DefaultBodyLimit::max(ENROL_BYTES)))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(measure))
        .with_state(served)
}

/// Notes which operation a request is for, and how long it takes.
async fn measure(request: Request, next: Next) -> Response {
    let operation = {
        let matched = request.extensions().get::<MatchedPath>();
        let asked = matched.and_then(|path| path.as_str().rsplit('/').next()).unwrap_or_default();
        LINK_OPERATIONS.into_iter().find(|known| *known == asked).unwrap_or("other")
    };
    note(|seen| seen.call(operation));
    let begun = std::time::Instant::now();
    let response = next.run(request).await;
    if operation != NOTIFY {
        meters().link_calls.of(operation).record(begun.elapsed().as_secs_f64());
    }
    response
}

async fn nothing() -> AdminError {
    AdminError::NotFound {
        kind: "path of the site link",
        id: PATH.to_owned(),
        next_step: Some("the other server may be newer; update this one".to_owned()),
    }
}

fn shown(request: &Request) -> Result<(Connection, Sha256Digest), AdminError> {
    let connection = request.extensions().get::<Connection>().copied();
    connection
        .and_then(|connection| Some((connection, connection.certificate?)))
        .ok_or_else(|| AdminError::Internal("the site link is reached without a certificate".to_owned()))
}

/// What a server whose certificate belongs to no site is told.
fn stranger() -> AdminError {
    AdminError::Conflict {
        code: "not_enrolled",
        detail: "this server is not enrolled here: its site was removed, or another server took its place".to_owned(),
        next_step: Some(
            "make a new code here with `weir sites enrol NAME` and start that server once with --enrol CODE".to_owned(),
        ),
    }
}

/// Lets the server of an enrolled site through.
async fn known(State(served): State<Served>, mut request: Request, next: Next) -> Result<Response, AdminError> {
    let (connection, fingerprint) = shown(&request)?;
    let row = served.app.read(move |tx| tx.sites_enrolment_of_certificate(fingerprint)).await?;
    let site = row.ok_or_else(stranger)?.site;
    served.app.hub().heard(site);
    request.extensions_mut().insert(Child { site, fingerprint, connection });
    Ok(next.run(request).await)
}

async fn enrol(State(served): State<Served>, request: Request) -> Answer<Enrolled> {
    let (connection, fingerprint) = shown(&request)?;
    let Body(asked) = Body::<Enrol>::from_request(request, &()).await?;
    accept::enrol(&served.app, asked, fingerprint, connection).await.map(Json)
}

/// What this server says of itself to those below.
pub(super) fn facts(app: &App, tx: &ReadTx<'_>) -> Result<ParentFacts, StoreError> {
    let here = tx.sites_here()?.site;
    let tree = SiteTree::new(tx.sites_list()?.into_iter().map(|row| row.node));
    let name = here.and_then(|site| tree.site(site)).map(|node| node.name.clone()).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Ok(ParentFacts { server_id: app.state.server.0, name, version })
}

async fn read_feed(State(served): State<Served>, Query(query): Query<FeedQuery>) -> Answer<Feed> {
    let app = served.app.clone();
    let read = move |tx: &ReadTx<'_>| {
        let mut feed = feed::read(tx, query.since, facts(&app, tx)?)?;
        if !feed.more {
            feed.digests = Some(app.hub().digests(tx)?);
        }
        Ok(feed)
    };
    served.app.read(read).await.map(Json)
}

/// Answers as soon as there is something that the child has not heard of.
async fn notify(
    State(served): State<Served>,
    axum::Extension(child): axum::Extension<Child>,
    Query(query): Query<NotifyQuery>,
) -> Answer<News> {
    let Served { app, mut stop } = served;
    note(Observation::lasts);
    spoke(&app, child, query.instance).await?;
    let until = Instant::now() + HOLD;
    let mut changes = app.hub().changes();
    let _waiting = app.hub().wait(child.site);
    let mut seen = None;
    let mut news = News { feed: false, catalogue: 0 };
    loop {
        changes.mark_unchanged();
        let shared = app.clone();
        let look = app.read(move |tx| look(&shared, tx, child, query, seen)).await?.ok_or_else(stranger)?;
        if let Look::News(version, found) = look {
            (seen, news) = (Some(version), found);
            if news.feed || (news.catalogue != 0 && news.catalogue != query.catalogue) {
                return Ok(Json(news));
            }
        }
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_ok() {
                    tokio::time::sleep(SETTLE).await;
                }
            }
            () = sleep_until(until) => return Ok(Json(news)),
            () = async { let _ = stop.wait_for(|stop| *stop).await; } => return Ok(Json(news)),
        }
    }
}

/// What a look at the database found.
enum Look {
    /// The state of this number of changes.
    News((u64, u64), News),
    /// Nothing was written since the look before.
    Same,
}

/// Looks for what a child may not have heard of; none if it is not enrolled any more. Most of what is written is of no
/// interest to children, and there may be many of them: numbers tell first.
fn look(
    app: &App,
    tx: &ReadTx<'_>,
    child: Child,
    query: NotifyQuery,
    seen: Option<(u64, u64)>,
) -> Result<Option<Look>, StoreError> {
    let row = tx.sites_enrolment_of_certificate(child.fingerprint)?;
    if row.is_none_or(|row| row.site != child.site) {
        return Ok(None);
    }
    let version = (tx.catalogue_version()?.0, tx.sites_here()?.catalogue_version);
    if seen == Some(version) && !cascade::takes_turns(tx, child.site)? {
        return Ok(Some(Look::Same));
    }
    let news = News { feed: feed::is_newer(tx, query.feed)?, catalogue: cascade::offer(app, tx, child.site)? };
    Ok(Some(Look::News(version, news)))
}

/// Notes which process speaks for a child, and finds out when there are two.
async fn spoke(app: &App, child: Child, instance: Uuid) -> Result<(), AdminError> {
    match app.hub().spoke(child.site, instance, std::time::Instant::now()) {
        Voice::One => return Ok(()),
        Voice::OneAgain => {
            let actor = Actor::system("sites", Timestamp::now());
            let close = move |tx: &weir_store::WriteTx<'_>| {
                let row = tx.sites_list()?.into_iter().find(|row| row.node.id == child.site);
                row.map_or(Ok(false), |row| tx.alert_close(super::TWINS, &row.node.name))
            };
            app.state.write(actor, close).await?;
            return Ok(());
        }
        Voice::Twins => {}
    }
    let peer = child.connection.peer.ip().to_canonical();
    let actor = Actor::system("sites", Timestamp::now());
    let name = app
        .state
        .write(actor, move |tx| {
            let rows = tx.sites_list()?;
            let row = rows.into_iter().find(|row| row.node.id == child.site);
            let name = row.map(|row| row.node.name).unwrap_or_default();
            let message = format!(
                "two running servers have the identity of the site {name}, one of them at {peer}: a data folder was copied. \
                 Stop the copy, and enrol it with an empty data folder as a site of its own"
            );
            tx.alert_open(super::TWINS, &name, AlertSeverity::Critical, &message)?;
            Ok(name)
        })
        .await?;
    Err(AdminError::Conflict {
        code: "same_identity",
        detail: format!("another running server has the identity of the site {name} as well: a data folder was copied"),
        next_step: Some("stop the copy, and enrol it with an empty data folder as a site of its own".to_owned()),
    })
}

/// Takes what a child says of itself and of those below it.
async fn take_status(
    State(served): State<Served>,
    axum::Extension(child): axum::Extension<Child>,
    Body(mut post): Body<StatusPost>,
) -> Result<Json<()>, AdminError> {
    let app = served.app;
    spoke(&app, child, post.instance).await?;
    plain(&mut post.version, 64);
    post.points.truncate(MOST_POINTS);
    for report in &mut post.points {
        tidy(&mut report.point);
    }
    let now = Timestamp::now();
    let actor = Actor::system("sites", now);
    let work = move |tx: &weir_store::WriteTx<'_>| {
        let tree = SiteTree::new(tx.sites_list()?.into_iter().map(|row| row.node));
        tx.sites_contact(child.site, &post.version)?;
        for report in &post.points {
            // a child speaks for itself and for those below it, for nobody else
            if !tree.is_within(report.site, child.site) {
                continue;
            }
            let at = if report.site == child.site { now } else { report.at.min(now) };
            tx.sites_status_put(report.site, at, &serde_json::to_value(&report.point).unwrap_or_default())?;
        }
        Ok(())
    };
    app.state.write(actor, work).await?;
    app.hub().status_changed();
    // a replica may have ended its turn
    app.hub().nudge();
    Ok(Json(()))
}
