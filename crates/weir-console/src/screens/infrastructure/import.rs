//! What is brought by hand to a server without a network: packages, documents, content, bundles, and whose bundles are taken.

use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use weir_api::{
    List,
    access::Role,
    bundle::{Bundle, BundleState, TrustedSigner},
    job::{Job, JobKind},
    sync::SyncStatus,
};

use super::{jobs, may, parts, signers, source, upload};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{infrastructure as t, infrastructure_files as f, top},
    ui::{
        self,
        badge::{Tone, badge},
        form::{Errors, Field},
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Errors::default()).await
}

/// The page, with what was refused of one of its forms.
pub(super) async fn page(cx: &Cx, errors: &Errors) -> Result<Response, Failure> {
    let tab = cx.address.value("tab").filter(|_| cx.address.path() == "/infrastructure/import");
    let tab = match cx.address.path() {
        "/infrastructure/import/bundles" => Some("bundles"),
        "/infrastructure/import/signers" => Some("signers"),
        _ => tab,
    };
    let bundles = cx.api.get::<List<Bundle>>("/bundles", &());
    let signers = cx.api.get::<List<TrustedSigner>>("/bundles/trust", &());
    let (sync, bundles, signers) = tokio::join!(cx.api.get::<SyncStatus>("/sync", &()), bundles, signers);
    let (sync, bundles, signers) = (sync?, bundles?.items, signers?.items);
    if wants_csv(&cx.address) {
        return Ok(match tab {
            Some("signers") => signers::grid(cx, &signers).csv(),
            Some("bundles") => bundle_grid(cx, &bundles).csv(),
            _ => {
                let jobs = jobs::of(cx, JobKind::Import).await;
                import_grid(cx, &jobs).csv()
            }
        });
    }
    let body = match tab {
        None => documents(cx, &sync, errors).await,
        Some("bundles") => {
            html! { (brought(cx, &signers, errors)) (ui::live("bundles-live", "jobs updates", bundle_grid(cx, &bundles).render())) }
        }
        Some("signers") => signers::tab(cx, &signers, errors),
        Some(_) => return Err(Failure::NotFound),
    };
    let link = |key: &str| cx.to("/infrastructure/import").with("tab", key);
    Page::new(cx, t::import(cx))
        .fact(t::source(cx), html! { (source::name(cx, &sync.source)) })
        .tabs(vec![
            Tab::link(f::import_tabs(cx, "documents"), cx.to("/infrastructure/import"), tab.is_none()),
            Tab::link(f::import_tabs(cx, "bundles"), link("bundles"), tab == Some("bundles"))
                .number(bundles.len() as u64),
            Tab::link(f::import_tabs(cx, "signers"), link("signers"), tab == Some("signers"))
                .number(signers.len() as u64),
        ])
        .body(body)
        .render()
        .await
}

/// Packages and documents, then content; and which imports there were.
async fn documents(cx: &Cx, sync: &SyncStatus, errors: &Errors) -> Markup {
    let jobs = jobs::of(cx, JobKind::Import).await;
    let connected = sync.source != "none";
    let fields = html! {
        (upload::files(&Field::new("file", f::documents_file(cx), errors).help(f::documents_file_help(cx)).required(), None))
    };
    let buttons = html! {
        @if connected {
            button type="submit" formaction="/infrastructure/import/documents?force=1" { (f::import_beside(cx)) }
        } @else {
            button.primary type="submit" { (f::import_now(cx)) }
            button type="submit" formaction="/infrastructure/import/documents?strict=1" title=(f::import_strict_help(cx)) { (f::import_strict(cx)) }
        }
    };
    let files =
        upload::files(&Field::new("file", f::content_file(cx), errors).help(f::content_file_help(cx)).required(), None);
    // two fields of one name on one page: each has an id of its own
    let files = PreEscaped(files.0.replace("\"f-file\"", "\"f-content\"").replace("h-file", "h-content"));
    html! {
        (errors.summary(cx))
        @if let Some(parent) = &sync.parent { div.panel.warn { p { (f::import_replica(cx, parent)) } } }
        @else if connected { div.panel.warn { p { (f::import_connected(cx, source::name(cx, &sync.source))) } } }
        @if may(cx, Role::Operator) {
            div.two {
                div {
                    h2 { (f::step_content(cx)) }
                    p { (f::step_content_help(cx)) }
                    (upload::form(cx, "/infrastructure/import/content", &files, &html! { button.primary type="submit" { (f::add_files(cx)) } }))
                }
                @if sync.parent.is_none() {
                    div {
                        h2 { (f::step_documents(cx)) }
                        p { (f::step_documents_help(cx)) }
                        (upload::form(cx, "/infrastructure/import/documents", &fields, &buttons))
                    }
                }
            }
        }
        section.panel {
            h2 { (f::on_the_server(cx)) }
            p { (f::on_the_server_help(cx)) }
            (ui::command(cx, "weir content add /media/usb/WsusContent"))
            (ui::command(cx, "weir import catalogue.cab"))
            p { a href="/infrastructure/content?tab=jobs" { (f::content_repair_link(cx)) } }
        }
        @if !jobs.is_empty() { (ui::live("imports-live", "jobs", import_grid(cx, &jobs).render())) }
    }
}

fn import_grid<'a>(cx: &'a Cx, jobs: &'a [Job]) -> Grid<'a, Job> {
    let columns = vec![
        Column::new("began", t::began(cx), |job: &Job| {
            html! { a href=(path(&["infrastructure", "import", &job.id])) { (ui::time_or(cx, job.started_at)) } }
        })
        .text(|job| job.started_at.map(|at| at.to_string()).unwrap_or_default())
        .narrow(),
        Column::new("state", t::state(cx), |job: &Job| job_state(cx, &ui::word(&job.state)))
            .text(|job| ui::word(&job.state))
            .narrow(),
        Column::new("result", t::result(cx), |job: &Job| {
            html! { span lang="en" { (job.error.as_deref().or(job.result.as_deref()).unwrap_or_default()) } }
        })
        .text(|job| job.error.clone().or_else(|| job.result.clone()).unwrap_or_default())
        .wide()
        .narrow(),
        Column::new("ended", t::ended(cx), |job: &Job| ui::time_or(cx, job.ended_at))
            .text(|job| job.ended_at.map(|at| at.to_string()).unwrap_or_default()),
    ];
    Grid::new(cx, "imports", f::imports(cx), columns, jobs)
}

/// The mark of where a job is.
pub(super) fn job_state(cx: &Cx, state: &str) -> Markup {
    let tone = match state {
        "running" | "waiting" => Tone::Busy,
        "done" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Plain,
    };
    badge(tone, &top::job_states(cx, state))
}

/// A bundle: its manifest with the signature, and as many of its parts as are at hand.
fn brought(cx: &Cx, signers: &[TrustedSigner], errors: &Errors) -> Markup {
    html! {
        (errors.summary(cx))
        @if signers.is_empty() {
            div.panel.warn {
                p { (f::no_signer(cx)) }
                p { a href="/infrastructure/import?tab=signers" { (f::trust_one(cx)) } }
            }
        }
        @if may(cx, Role::Operator) {
            section.panel {
                h2 { (f::bundle_bring(cx)) }
                p { (f::bundle_bring_help(cx)) }
                (upload::form(cx, "/infrastructure/import/bundles", &parts::fields(cx, errors), &html! { button.primary type="submit" { (f::bundle_send(cx)) } }))
            }
        }
        section.panel {
            h2 { (f::inventory(cx)) }
            p { (f::inventory_help(cx)) }
            p { a.button href="/infrastructure/import/inventory" download { (ui::icon::Icon::Download.show()) (f::inventory_get(cx)) } }
        }
    }
}

/// The mark of how far a bundle is.
pub(super) fn bundle_state(cx: &Cx, state: BundleState) -> Markup {
    let tone = match state {
        BundleState::Applied => Tone::Good,
        BundleState::Applying | BundleState::Receiving => Tone::Busy,
        BundleState::Committed => Tone::Warn,
        BundleState::Failed => Tone::Bad,
    };
    badge(tone, &f::bundle_states(cx, &ui::word(&state)))
}

fn bundle_grid<'a>(cx: &'a Cx, bundles: &'a [Bundle]) -> Grid<'a, Bundle> {
    let columns = vec![
        Column::new("bundle", f::bundle(cx), |one: &Bundle| {
            html! { a href=(path(&["infrastructure", "import", "bundles", &one.id.to_string()])) { (f::bundle_name(cx, one.sequence, signer(one))) } }
        })
        .text(|one| one.id.to_string())
        .wide()
        .narrow(),
        Column::new("state", t::state(cx), |one: &Bundle| bundle_state(cx, one.state)).text(|one| ui::word(&one.state)).narrow(),
        Column::new("parts", f::parts(cx), |one: &Bundle| {
            html! { (f::parts_here(cx, one.parts.len() - one.missing.len(), one.parts.len())) }
        })
        .text(|one| format!("{}/{}", one.parts.len() - one.missing.len(), one.parts.len()))
        .narrow(),
        Column::number(cx, "revisions", t::revisions(cx), |one: &Bundle| one.revisions),
        Column::new("bytes", t::size(cx), |one: &Bundle| html! { (ui::bytes(cx, one.bytes)) })
            .text(|one| one.bytes.to_string())
            .numeric(),
        Column::new("made", f::made_at(cx), |one: &Bundle| ui::time(cx, one.created_at)).text(|one| one.created_at.to_string()),
        Column::new("received", f::received_at(cx), |one: &Bundle| ui::time(cx, one.received_at))
            .text(|one| one.received_at.to_string()),
    ];
    Grid::new(cx, "bundles", f::import_tabs(cx, "bundles"), columns, bundles).empty(html! { p { (f::no_bundles(cx)) } })
}

/// What a signer is called, else the beginning of its fingerprint.
pub(super) fn signer(bundle: &Bundle) -> String {
    if bundle.signer_name.is_empty() { bundle.signer.chars().take(16).collect() } else { bundle.signer_name.clone() }
}
