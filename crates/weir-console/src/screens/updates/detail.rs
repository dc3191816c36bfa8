//! One update: facts, relations, files, deployments, results, licence, document.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    Reference,
    access::Role,
    computer::StateCounts,
    deployment::{Deployment, DeploymentState},
    selection::LanguageQuery,
    update::{UpdateDetail, UpdateFile},
};

use super::{document, licence, list::marks, may_here, relations, results, stop};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::updates as t,
    ui::{
        self,
        badge::{Tone, badge, severity},
        chart,
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let language = LanguageQuery { language: cx.titles() };
    let address = path(&["updates", &id]);
    let (update, stopped) = tokio::join!(cx.api.get::<UpdateDetail>(&address, &language), stop::find(&cx, &id));
    let update = update?;
    let own = update.row.id.to_string();
    let tab = cx.address.value("tab");
    if wants_csv(&cx.address) {
        return match tab {
            Some("files") => Ok(files(&cx, &update).csv()),
            Some("deployments") => Ok(deployments(&cx, &update.deployed).csv()),
            Some("results") => results::csv(&cx, &own).await,
            Some("relations") => Ok(relations::csv(&cx, &relations::load(&cx, &update).await)),
            _ => Err(Failure::NotFound),
        };
    }
    let body = match tab {
        None => facts(&cx, &update),
        Some("relations") => relations::show(&cx, &relations::load(&cx, &update).await, &update),
        Some("files") => files(&cx, &update).render(),
        Some("deployments") => ui::live("deployments-live", "deployments", deployments(&cx, &update.deployed).render()),
        Some("results") => results::show(&cx, &own).await?,
        Some("licence") if update.eula.is_some() => licence::show(&cx, &id).await?,
        Some("document") => document::show(&cx, &id).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    let related = update.prerequisites.len()
        + update.bundles.len()
        + update.bundled_in.len()
        + update.supersedes.len()
        + update.superseded_by.len();
    let row = &update.row;
    let mut tabs = vec![
        Tab::new(&cx, "facts", true, t::tab_facts(&cx)),
        Tab::new(&cx, "relations", false, t::tab_relations(&cx)).number(related as u64),
        Tab::new(&cx, "files", false, t::tab_files(&cx)).number(update.files.len() as u64),
        Tab::new(&cx, "deployments", false, t::tab_deployments(&cx)).number(update.deployed.len() as u64),
        Tab::new(&cx, "results", false, t::tab_results(&cx)).number(row.needed + row.installed + row.failed),
    ];
    if update.eula.is_some() {
        tabs.push(Tab::new(&cx, "licence", false, t::licence(&cx)));
    }
    tabs.push(Tab::new(&cx, "document", false, t::tab_document(&cx)));
    let body = html! {
        @if let Some(stopped) = &stopped { (stop::panel(&cx, stopped)) }
        (body)
    };
    Page::new(&cx, &row.title)
        .fact(t::fact_needed(&cx), html! { (ui::number(&cx, row.needed)) })
        .fact(t::fact_failed(&cx), html! { (ui::number(&cx, row.failed)) })
        .fact(
            t::col_severity(&cx),
            html! { (severity(&cx, row.custom_severity.as_deref().or(row.severity.as_deref()))) (marks(&cx, row)) },
        )
        .tabs(tabs)
        .actions(acts(&cx, &update, stopped.is_some()))
        .body(body)
        .render()
        .await
}

fn acts(cx: &Cx, update: &UpdateDetail, stopped: bool) -> Markup {
    let row = &update.row;
    let decline = if row.declined { "undecline" } else { "decline" };
    let deployable = row.deployable && !row.declined && !row.expired;
    // with a licence that nobody accepted, the way to the deployment leads past it
    let awaited = update.eula.as_ref().is_some_and(|eula| !eula.accepted);
    html! {
        @if deployable && !awaited && cx.may(Role::SoftwareUpdateManager) {
            a.button.primary href=(Address::new("/deployments/new").with("update", row.id)) { (t::acts(cx, "deploy")) }
        }
        @if may_here(cx, Role::SoftwareUpdateManager) {
            form.inline method="post" action="/updates/change" data-dialog {
                input type="hidden" name="id" value=(row.id);
                input type="hidden" name="from" value=(cx.address);
                @if deployable && awaited { button.primary type="submit" name="act" value="deploy" { (t::acts(cx, "deploy")) } }
                @if row.deployable { button type="submit" name="act" value="group" { (t::acts(cx, "group")) } }
                button type="submit" name="act" value=(decline) { (t::acts(cx, decline)) }
                button type="submit" name="act" value="severity" { (t::acts(cx, "severity")) }
                button type="submit" name="act" value="run_time" { (t::acts(cx, "run_time")) }
            }
            @if row.deployable { (stop::link(cx, row.id, stopped)) }
        }
    }
}

fn facts(cx: &Cx, update: &UpdateDetail) -> Markup {
    let row = &update.row;
    let names = |references: &[Reference]| references.iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(", ");
    let text = |text: String| {
        if text.is_empty() {
            ui::none(cx)
        } else {
            html! { (text) }
        }
    };
    let run_time = if update.run_time_set {
        t::run_time_own(cx, row.max_run_time_minutes)
    } else {
        t::run_time_default(cx, row.max_run_time_minutes)
    };
    html! {
        @for lack in &update.lacks { div.panel.warn { p lang="en" { (lack.message) } } }
        @if update.metadata_only { div.panel.warn { p { (t::metadata_only(cx)) } } }
        div.columns {
            section.panel {
                h2 { (t::about(cx)) }
                @if let Some(description) = &update.description { p.description { (description) } }
                (ui::facts([
                    (t::col_kb(cx).to_owned(), text(row.kb.iter().map(|kb| format!("KB{kb}")).collect::<Vec<_>>().join(", "))),
                    (t::bulletins(cx).to_owned(), text(update.bulletins.join(", "))),
                    (t::col_classification(cx).to_owned(), text(row.classification.as_ref().map(|one| one.name.clone()).unwrap_or_default())),
                    (t::col_products(cx).to_owned(), text(names(&row.products))),
                    (t::severity_publisher(cx).to_owned(), severity(cx, row.severity.as_deref())),
                    (t::severity_own(cx).to_owned(), severity(cx, row.custom_severity.as_deref())),
                    (t::col_released(cx).to_owned(), ui::time_or(cx, row.created_at)),
                    (t::col_revised(cx).to_owned(), ui::time_or(cx, row.revised_at)),
                    (t::revisions(cx).to_owned(), html! {
                        @for revision in &update.revisions { a href=(path(&["updates", &format!("{}@{revision}", row.id)])) { (revision) } " " }
                    }),
                    (t::col_size(cx).to_owned(), html! { (ui::bytes(cx, row.size)) }),
                    (t::run_time_label(cx).to_owned(), html! { (run_time) }),
                    (t::licence(cx).to_owned(), match &update.eula {
                        None => ui::none(cx),
                        Some(eula) => html! {
                            @if eula.accepted { (badge(Tone::Good, t::licence_accepted(cx))) } @else { (badge(Tone::Warn, t::licence_awaited(cx))) }
                            " " a href=(cx.address.with("tab", "licence")) { (t::licence_read(cx)) }
                        },
                    }),
                    (t::languages(cx).to_owned(), text(update.languages.join(", "))),
                    (t::col_id(cx).to_owned(), html! { code { (row.id) "@" (row.revision) } }),
                ]))
                @if !update.more_info_urls.is_empty() || update.support_url.is_some() {
                    h3 { (t::more_info(cx)) }
                    // addresses come from the document: shown, and followed only if they are of the web
                    ul { @for url in update.more_info_urls.iter().chain(&update.support_url) {
                        li { @if web(url) { a href=(url) rel="noreferrer noopener external" { (url) } } @else { (url) } }
                    } }
                }
            }
            section.panel {
                (chart::states(cx, t::computers(cx), &counts(update), |state| {
                    Some(Address::new(path(&["updates", &row.id.to_string()])).with("tab", "results").with("state", state).to_string())
                }))
            }
        }
    }
}

/// What lists know of computers; the last daily record, in the results tab, knows every state.
fn counts(update: &UpdateDetail) -> StateCounts {
    let row = &update.row;
    StateCounts { required: row.needed, installed: row.installed, failed: row.failed, ..StateCounts::default() }
}

fn web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn files<'a>(cx: &'a Cx, update: &'a UpdateDetail) -> Grid<'a, UpdateFile> {
    let columns = vec![
        Column::new(
            "name",
            t::file_name(cx),
            |file: &UpdateFile| html! { (file.name) div.quiet { code { (file.digest) } } },
        )
        .text(|file| file.name.clone())
        .wide()
        .narrow(),
        Column::new("size", t::col_size(cx), |file: &UpdateFile| html! { (ui::bytes(cx, file.size)) })
            .numeric()
            .text(|file| file.size.to_string())
            .narrow(),
        Column::new("here", t::file_here(cx), |file: &UpdateFile| match (file.present, file.sources) {
            (true, _) => badge(Tone::Good, t::file_present(cx)),
            (false, 0) => badge(Tone::Bad, t::file_no_source(cx)),
            (false, _) => badge(Tone::Plain, t::file_absent(cx)),
        })
        .text(|file| file.present.to_string())
        .narrow(),
        Column::new("digest", t::file_digest(cx), |file: &UpdateFile| html! { code { (file.digest) } })
            .text(|file| file.digest.to_string())
            .hidden(),
    ];
    Grid::new(cx, "files", t::tab_files(cx), columns, &update.files).empty(html! { p { (t::no_files(cx)) } })
}

/// Deployments, of an update or of a group.
pub(super) fn deployments<'a>(cx: &'a Cx, rows: &'a [Deployment]) -> Grid<'a, Deployment> {
    let name = |one: &Deployment| if one.name.is_empty() { one.id.to_string() } else { one.name.clone() };
    let columns = vec![
        Column::new("name", t::deployment(cx), move |one: &Deployment| {
            html! { a href=(path(&["deployments", &one.id.to_string()])) { (name(one)) } }
        })
        .text(name)
        .wide()
        .narrow(),
        Column::new("collection", t::collection(cx), |one: &Deployment| html! { (one.collection.name) })
            .text(|one| one.collection.name.clone())
            .narrow(),
        Column::new("action", t::action(cx), |one: &Deployment| {
            html! { (t::deployment_action(cx, &ui::word(&one.action))) }
        })
        .text(|one| ui::word(&one.action)),
        Column::new("available", t::available(cx), |one: &Deployment| ui::time(cx, one.available))
            .text(|one| one.available.to_string()),
        Column::new("deadline", t::deadline(cx), |one: &Deployment| ui::time_or(cx, one.deadline))
            .text(|one| one.deadline.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("state", t::deployment_state(cx), |one: &Deployment| {
            let tone = match one.state {
                DeploymentState::Active => Tone::Good,
                DeploymentState::Disabled => Tone::Plain,
                DeploymentState::NotSent => Tone::Bad,
                DeploymentState::WaitingForAvailableTime | DeploymentState::WaitingForContent => Tone::Busy,
            };
            badge(tone, &t::deployment_states(cx, &ui::word(&one.state)))
        })
        .text(|one| ui::word(&one.state))
        .narrow(),
    ];
    Grid::new(cx, "deployments", t::tab_deployments(cx), columns, rows).empty(html! { p { (t::no_deployments(cx)) } })
}
