//! The status page and the sign-in link: plain pages without any script.

use std::path::Path;

use axum::{
    extract::State,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderValue, Method, Request, StatusCode, header};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use weir_api::{
    alert::Alert,
    site::Site,
    status::{Status, quoted},
    sync::{SyncRun, SyncStatus},
};

use super::{
    AdminError, App, alert,
    auth::{self, COOKIE, SESSION},
    extract::Query,
    status, sync,
};
use crate::{sites, state::Connection};

const STYLE: &str = include_str!("style.css");

/// The style sheet of the pages.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Query of the sign-in link.
#[derive(Debug, Deserialize)]
pub(super) struct SignIn {
    #[serde(default)]
    code: String,
}

/// Uses the one-time code of a sign-in link and begins a session.
pub(super) async fn sign_in(
    State(app): State<App>,
    Query(query): Query<SignIn>,
    request: Request<axum::body::Body>,
) -> Result<Response, AdminError> {
    let connection = request.extensions().get::<Connection>().copied();
    let from = connection.map(|connection| connection.peer.ip().to_canonical().to_string());
    if request.method() == Method::HEAD {
        // programs that look at links before people open them must not use the code up
        return Ok(StatusCode::OK.into_response());
    }
    if let Some(secret) = auth::code_use(&app, &query.code, from, Timestamp::now()).await? {
        let cookie =
            format!("{COOKIE}={secret}; Path=/; Max-Age={}; HttpOnly; Secure; SameSite=Strict", SESSION.as_secs());
        let cookie = HeaderValue::from_str(&cookie).map_err(|error| AdminError::Internal(error.to_string()))?;
        // the page itself instead of a redirect: browsers do not send a strict cookie with a request that another
        // program's link began. From the page they go on to the address that can be reloaded
        let content = match content(&app).await {
            Ok(content) => content,
            Err(error) => {
                tracing::error!(error = super::chain(&error), "the status page could not be made");
                html! { h1 { "Signed in" } p { a href="/" { "Go to the status page" } } }
            }
        };
        let onward = html! { meta http-equiv="refresh" content="0; url=/"; };
        let page = framed("Weir", &onward, &content);
        return Ok(([(header::SET_COOKIE, cookie)], page).into_response());
    }
    metrics::counter!("weir_admin_refused_total").increment(1);
    if connection.is_some_and(|connection| auth::attempts_spent(&app, &connection)) {
        return Err(AdminError::TooMany);
    }
    let page = frame(
        "Not signed in",
        &html! {
            h1 { "This link does not work (any more)" }
            p { "A sign-in link works once, and for " (auth::SIGN_IN_CODE.as_hours()) " hours." }
            (new_link())
        },
    );
    Ok((StatusCode::UNAUTHORIZED, page).into_response())
}

/// The status page.
pub(super) async fn show(State(app): State<App>) -> Result<Response, AdminError> {
    Ok(frame("Weir", &content(&app).await?).into_response())
}

async fn content(app: &App) -> Result<Markup, AdminError> {
    let status = status::show(app).await?;
    let sync = sync::status(app).await?;
    let sites = sites::list(app).await?;
    let alerts = alert::newest(app, MOST_ALERTS).await?;
    Ok(body(&status, &sync, &sites, &alerts, &app.process.data))
}

/// What a browser without a session sees at the root.
pub(super) fn signed_out() -> Response {
    let page = frame(
        "Not signed in",
        &html! {
            h1 { "Not signed in" }
            p { "Open the sign-in link that the server printed when it started. It works once." }
            (new_link())
        },
    );
    (StatusCode::UNAUTHORIZED, page).into_response()
}

fn new_link() -> Markup {
    html! { p { "For a new one, on the server:" } pre { "weir admin sign-in" } }
}

fn frame(title: &str, content: &Markup) -> Html<String> {
    framed(title, &Markup::default(), content)
}

fn framed(title: &str, head: &Markup, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                (head)
                link rel="stylesheet" href="/style.css";
            }
            body { main { (content) } }
        }
    };
    Html(page.into_string())
}

fn body(status: &Status, sync: &SyncStatus, sites: &[Site], open: &[Alert], data: &Path) -> Markup {
    let data = format!("weir --data {} ", quoted(&data.to_string_lossy()));
    let counts = &status.counts;
    let next = status.steps.iter().find(|step| !step.done).map(|step| step.name.as_str());
    let numbers: [(&str, u64); 12] = [
        ("Updates", counts.updates),
        ("Revisions", counts.revisions),
        ("Unresolved revisions", counts.unresolved),
        ("Products selected", counts.products_selected),
        ("Classifications selected", counts.classifications_selected),
        ("Collections", counts.collections),
        ("Deployments", counts.deployments),
        ("Computers", counts.computers),
        ("Computers on plain HTTP", counts.computers_plain_http),
        ("Content files", counts.content_files),
        ("Files that deployments wait for", counts.content_waiting),
        ("Open alerts", counts.alerts),
    ];
    let listeners = [
        ("Client plane", &status.endpoints.client_http),
        ("Client plane, TLS", &status.endpoints.client_https),
        ("Server plane", &status.endpoints.server),
        ("Admin plane", &status.endpoints.admin),
    ];
    html! {
        h1 { "Weir" }
        p.quiet {
            "Version " (status.version) ", started " (second(status.started_at)) ", as of " (second(status.as_of))
        }
        h2 { "First steps" }
        ol {
            @for step in &status.steps {
                li.done[step.done] {
                    (step.title) " "
                    @if step.done { span.tag { "done" } }
                    @else if next == Some(step.name.as_str()) { span.tag.next { "next" } }
                    @if !step.done { pre { (step.command.replace("weir ", &data)) } }
                }
            }
        }
        @if !open.is_empty() {
            h2 { "Open alerts" }
            (alerts(open, counts.alerts))
        }
        h2 { "Synchronization" }
        (synchronization(sync))
        @if sites.len() > 1 {
            h2 { "Sites" }
            (tree(sites))
        }
        h2 { "What is here" }
        table {
            @for (name, number) in numbers {
                tr { th scope="row" { (name) } td.number { (number) } }
            }
        }
        h2 { "Addresses" }
        table {
            @for (name, address) in listeners {
                tr { th scope="row" { (name) } td { (address.as_deref().unwrap_or("off")) } }
            }
        }
        p.quiet { "Server " (status.server_id) ", catalogue change " (status.snapshot.change) }
    }
}

/// Alerts that the page shows; `weir alerts list` shows all.
const MOST_ALERTS: usize = 10;

/// What an administrator should see to.
fn alerts(open: &[Alert], all: u64) -> Markup {
    html! {
        table {
            tr {
                @for title in ["Severity", "Since", "What"] {
                    th scope="col" { (title) }
                }
            }
            @for alert in open {
                tr {
                    th scope="row" { (alert.severity) @if alert.acknowledged_at.is_some() { ", acknowledged" } }
                    td { (second(alert.opened_at)) }
                    td { (alert.kind) ": " (alert.message) }
                }
            }
        }
        @if all > open.len() as u64 { p.quiet { "All " (all) ": weir alerts list --state open --all" } }
    }
}

/// Sites that the page shows; `weir sites list` shows all.
const MOST_SITES: usize = 200;

/// The update points of the tree.
fn tree(sites: &[Site]) -> Markup {
    let word = |value: Option<serde_json::Value>| {
        value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().replace('_', " ")
    };
    html! {
        table {
            tr {
                @for title in ["Site", "Kind", "Configuration", "Synchronization", "Catalogue", "Last contact"] {
                    th scope="col" { (title) }
                }
            }
            @for site in sites.iter().take(MOST_SITES) {
                @let point = site.point.as_ref();
                tr {
                    th scope="row" { ("\u{2003}".repeat(site.depth as usize)) (site.name) }
                    td { (site.kind) }
                    td { (word(serde_json::to_value(site.configuration).ok())) }
                    td {
                        (word(point.and_then(|point| serde_json::to_value(point.sync.state).ok())))
                        @if point.is_some_and(|point| point.sync.warnings > 0) { ", with warnings" }
                        @if let Some(error) = point.and_then(|point| point.sync.error.as_ref()) { ": " (error) }
                    }
                    td {
                        @if let Some(point) = point { (point.catalogue_version) }
                        @if site.behind { ", behind for " (site.lag_seconds) " s" }
                    }
                    td {
                        @if site.here { "this server" } @else {
                            @if site.connected == Some(false) { "not connected; " }
                            (site.last_contact.map(second).unwrap_or_default())
                        }
                    }
                }
            }
        }
        @if sites.len() > MOST_SITES { p.quiet { "All " (sites.len()) ": weir sites list --all" } }
    }
}

fn synchronization(sync: &SyncStatus) -> Markup {
    let row = |label: &str, value: String| html! { tr { th scope="row" { (label) } td { (value) } } };
    let ended = |run: &SyncRun| {
        let at = run.ended_at.map(second).unwrap_or_default();
        let result = run.result.replace('_', " ");
        format!("{result} at {at}: {} added, {} revised, {} expired", run.added, run.revised, run.expired)
    };
    html! {
        table {
            (row("Source", sync.source.clone()))
            @if let Some(parent) = &sync.parent { (row("Parent", parent.clone())) }
            @if let Some(run) = &sync.current {
                @let at = run.progress.as_ref();
                @let done = at.map(|at| format!(", {} of {}", at.done, at.total)).unwrap_or_default();
                @let percent = at.and_then(|at| at.percent).map(|percent| format!(", {percent} %")).unwrap_or_default();
                (row("Now", format!("{}{done}{percent}", run.result)))
            }
            (row("Last", sync.last.as_ref().map_or_else(|| "never".to_owned(), ended)))
            (row("Last success", sync.last_success.map_or_else(|| "never".to_owned(), second)))
            (row("Schedule", sync.schedule.clone().unwrap_or_else(|| "off".to_owned())))
            @if let Some(next) = &sync.next { (row("Next", second(next.at))) }
        }
        @if let Some(error) = sync.last.as_ref().and_then(|run| run.error.as_ref()) {
            p { (error.message) }
            p.quiet { (error.explanation) }
        }
        @if let Some(next) = &sync.next_step { p { "Next: " (next) } }
    }
}

fn second(at: Timestamp) -> String {
    at.round(jiff::Unit::Second).unwrap_or(at).to_string()
}
