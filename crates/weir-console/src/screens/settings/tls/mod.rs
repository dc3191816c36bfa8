//! TLS: certificates of the listeners, how computers come, whether they have to come with TLS, and what a client sees.

mod check;
mod clients;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use weir_api::{
    access::Role,
    tls::{CollectionTransport, TlsCertificate, TlsReloaded, TlsShown, TlsStatus, TransportCounts, TransportSummary},
};

use super::may;
use crate::{
    Console,
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::help,
    texts::{certificates as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        form::Errors,
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// The page.
const HERE: &str = "/settings/tls";
/// A certificate that ends within so many days needs somebody, or needs somebody now.
const SOON: i64 = 30;
const NOW: i64 = 3;

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(show))
        .route("/settings/tls/reload", post(reload))
        .route(check::HERE, get(check::show).post(check::check))
        .route("/settings/tls/clients", get(clients::show).post(clients::save))
}

fn tabs(cx: &Cx, current: &str) -> Vec<Tab> {
    let pages = [
        ("certificates", HERE, None),
        ("transport", HERE, Some("transport")),
        ("clients", "/settings/tls/clients", None),
        ("check", check::HERE, None),
    ];
    pages
        .map(|(key, path, tab)| {
            let address = tab.map_or_else(|| cx.to(path), |tab| cx.to(path).with("tab", tab));
            Tab::link(t::tabs(cx, key), address, key == current)
        })
        .into()
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    match cx.address.value("tab") {
        None => page(&cx, &Errors::default()).await,
        Some("transport") => transport(&cx).await,
        Some(_) => Err(Failure::NotFound),
    }
}

async fn page(cx: &Cx, errors: &Errors) -> Result<Response, Failure> {
    let status: TlsStatus = cx.api.get("/tls", &()).await?;
    let body = html! {
        (errors.summary(cx))
        (failures(cx, &status))
        @for shown in &status.certificates { (certificate(cx, shown)) }
        section.panel { h2 { (t::authority(cx)) } p.quiet { (t::authority_help(cx)) } (facts(cx, &status.authority)) }
        section.panel {
            h2 { (t::versions(cx)) }
            (ui::facts([
                (t::minimum(cx).to_owned(), html! { "TLS " (status.minimum) }),
                (t::suites(cx).to_owned(), html! { @for suite in &status.suites { code { (suite) } br; } }),
            ]))
            @if let Some(guide) = help::guide("tls") { p { a href=(guide) { (t::guide(cx)) } } }
        }
    };
    let acts = html! {
        @if may(cx, Role::Operator) {
            form.inline method="post" action="/settings/tls/reload" { button type="submit" { (t::reload(cx)) } }
        }
    };
    Page::new(cx, s::places(cx, "tls"))
        .fact(t::clients(cx), html! { (t::modes(cx, &status.clients)) })
        .fact(t::without_tls(cx), share(cx, status.computers_plain_http, status.computers, status.plain_http_percent))
        .actions(acts)
        .tabs(tabs(cx, "certificates"))
        .body(ui::live("tls-live", "settings", body))
        .render()
        .await
}

/// What could not be read, so that what was before is still shown.
fn failures(cx: &Cx, status: &TlsStatus) -> Markup {
    html! {
        @for failure in &status.failures {
            div.panel.failure role="alert" { p { strong { (t::cannot_use(cx, t::planes(cx, &failure.subject))) } } p lang="en" { (failure.reason) } }
        }
    }
}

/// What the page on health says of certificates, and the way to all of it. None: REST does not tell the visitor.
pub(in crate::screens) fn panel(cx: &Cx, status: Option<&TlsStatus>) -> Markup {
    let title = t::tabs(cx, "certificates");
    let Some(status) = status else { return html! { section.panel { h2 { (title) } p { (t::unknown(cx)) } } } };
    let listeners = status.certificates.iter().map(|shown| (t::planes(cx, &shown.plane), brief(cx, shown)));
    let computers = share(cx, status.computers_plain_http, status.computers, status.plain_http_percent);
    html! {
        section.panel {
            h2 { (title) }
            (failures(cx, status))
            (ui::facts(listeners.chain([
                (t::tabs(cx, "clients"), html! { (t::modes(cx, &status.clients)) }),
                (t::without_tls(cx).to_owned(), computers),
            ])))
            p { a href=(cx.to(HERE)) { (t::to_certificates(cx)) } " · " a href=(cx.to(check::HERE)) { (t::to_check(cx)) } }
        }
    }
}

/// A certificate in a line.
fn brief(cx: &Cx, shown: &TlsShown) -> Markup {
    html! {
        @if let Some(first) = shown.chain.first() { (first.names.join(", ")) " " (left(cx, first)) }
        @if shown.key_exposed { " " (badge(Tone::Bad, t::exposed(cx))) }
        @for warning in &shown.warnings { div lang="en" { (warning) } }
    }
}

/// How many of the computers come without TLS.
fn share(cx: &Cx, plain: u64, all: u64, percent: f64) -> Markup {
    html! { (ui::number(cx, plain)) " / " (ui::number(cx, all)) @if all > 0 { " (" (ui::percent(cx, percent)) ")" } }
}

fn certificate(cx: &Cx, shown: &TlsShown) -> Markup {
    html! {
        section.panel {
            h2 { (t::planes(cx, &shown.plane)) @if let Some(first) = shown.chain.first() { " " (left(cx, first)) } }
            p.quiet { (t::plane_helps(cx, &shown.plane)) }
            @if shown.key_exposed { div.panel.warn { p { (t::key_exposed(cx)) } } }
            @for warning in &shown.warnings { div.panel.warn { p lang="en" { (warning) } } }
            @if let Some(first) = shown.chain.first() { (facts(cx, first)) }
            (ui::facts([
                (t::file(cx).to_owned(), html! { @match &shown.file { Some(file) => code { (file) }, None => (t::own(cx)) } }),
                (t::since(cx).to_owned(), ui::time(cx, shown.since)),
            ]))
            @if shown.chain.len() > 1 { (chain(cx, shown.chain.get(1..).unwrap_or_default())) }
        }
    }
}

/// The certificates above one.
fn chain(cx: &Cx, chain: &[TlsCertificate]) -> Markup {
    html! { details { summary { (t::chain(cx, chain.len() as u64)) } @for one in chain { h3 { (one.subject) } (facts(cx, one)) } } }
}

/// How long a certificate is valid.
fn left(cx: &Cx, one: &TlsCertificate) -> Markup {
    match one.days_left {
        days if days < 0 => badge(Tone::Bad, t::ended(cx)),
        days if days < NOW => badge(Tone::Bad, &t::days_left(cx, days.unsigned_abs())),
        days if days < SOON => badge(Tone::Warn, &t::days_left(cx, days.unsigned_abs())),
        days => badge(Tone::Good, &t::days_left(cx, days.unsigned_abs())),
    }
}

fn facts(cx: &Cx, one: &TlsCertificate) -> Markup {
    ui::facts([
        (t::subject(cx).to_owned(), html! { (one.subject) }),
        (t::issuer(cx).to_owned(), html! { (one.issuer) }),
        (t::names(cx).to_owned(), html! { @for name in &one.names { code { (name) } " " } }),
        (t::valid(cx).to_owned(), html! { (ui::time(cx, one.not_before)) " – " (ui::time(cx, one.not_after)) }),
        (t::key(cx).to_owned(), html! { (one.key) " · " (one.signature) }),
        (t::fingerprint(cx).to_owned(), html! { code { (one.fingerprint) } }),
    ])
}

/// Reads certificates again.
async fn reload(cx: Cx) -> Result<Response, Failure> {
    match cx.api.post::<TlsReloaded>("/tls/reload", &()).await {
        Ok(TlsReloaded { changed, failures }) => Ok(match (failures.len(), changed.is_empty()) {
            (0, true) => t::flash_nothing_new(),
            (0, false) => t::flash_reloaded(changed.join(", ")),
            (some, _) => t::flash_unusable(some as u64),
        }
        .to(HERE)),
        Err(failure) => page(&cx, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}

/// Computers by how their last call came, by collection.
async fn transport(cx: &Cx) -> Result<Response, Failure> {
    let summary: TransportSummary = cx.api.get("/computers/transport", &()).await?;
    let grid = grid(cx, &summary.collections);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = html! {
        section.panel { (counts(cx, &summary.total, summary.silent_days)) }
        (ui::live("transport-live", "computers", grid.render()))
    };
    drop(grid);
    Page::new(cx, s::places(cx, "tls"))
        .fact(t::without_tls(cx), share(cx, summary.total.http, summary.total.computers, summary.total.http_percent))
        .tabs(tabs(cx, "transport"))
        .body(body)
        .render()
        .await
}

/// All computers by how they come.
fn counts(cx: &Cx, total: &TransportCounts, silent_days: u32) -> Markup {
    let plain = Address::new("/computers").with("transport", "http");
    html! {
        @if total.computers > 0 {
            div.meter-row {
                span { (t::with_tls(cx)) } meter min="0" max=(total.computers) value=(total.https) aria-label=(t::with_tls(cx)) {}
                span.number { (ui::number(cx, total.https)) " / " (ui::number(cx, total.computers)) }
            }
        }
        (ui::facts([
            (t::with_tls(cx).to_owned(), html! { (ui::number(cx, total.https)) }),
            (t::without_tls(cx).to_owned(), html! { a href=(plain) { (ui::number(cx, total.http)) } @if total.computers > 0 { " (" (ui::percent(cx, total.http_percent)) ")" } }),
            (t::without_recent(cx, u64::from(silent_days)), html! { (ui::number(cx, total.http_recent)) }),
        ]))
        @if total.computers == 0 { p.quiet { (t::no_computers(cx)) } }
        @else if total.http == 0 { p { (badge(Tone::Good, t::all_with_tls(cx))) } }
    }
}

fn grid<'a>(cx: &'a Cx, rows: &'a [CollectionTransport]) -> Grid<'a, CollectionTransport> {
    let columns = vec![
        Column::new("collection", t::collection(cx), |row: &CollectionTransport| {
            let list = Address::new("/computers").with("collection", &row.collection.name).with("transport", "http");
            html! { a href=(list) { (row.collection.name) } }
        })
        .text(|row| row.collection.name.clone())
        .wide()
        .narrow(),
        Column::number(cx, "computers", t::computers(cx), |row: &CollectionTransport| row.counts.computers),
        Column::number(cx, "https", t::with_tls(cx), |row: &CollectionTransport| row.counts.https),
        Column::number(cx, "http", t::without_tls(cx), |row: &CollectionTransport| row.counts.http).narrow(),
        Column::number(cx, "recent", t::recent(cx), |row: &CollectionTransport| row.counts.http_recent),
        Column::new(
            "percent",
            t::share(cx),
            |row: &CollectionTransport| html! { (ui::percent(cx, row.counts.http_percent)) },
        )
        .text(|row| row.counts.http_percent.to_string())
        .numeric()
        .narrow(),
    ];
    Grid::new(cx, "transport", t::tabs(cx, "transport"), columns, rows).empty(html! { p { (t::no_computers(cx)) } })
}
