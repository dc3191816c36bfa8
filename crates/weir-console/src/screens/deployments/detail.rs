//! One deployment: the facts that matter, and a tab for each question about it.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    access::Role,
    deployment::{Deployment, DeploymentState},
    deployment_compliance::DeploymentCompliance,
};

use super::{audit, explain, history, names, status, terms, waits, when};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::deployments as t,
    ui::{self, grid::wants_csv, tabs::Tab},
};

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let id: i32 = id.parse().map_err(|_| Failure::NotFound)?;
    let (rest, standing) = (names::address(id), path(&["compliance", "deployments", &id.to_string()]));
    let tab = cx.address.value("tab");
    let wants_computers = tab.is_none() && !wants_csv(&cx.address);
    let computers = async { if wants_computers { Some(status::list(&cx, id).await) } else { None } };
    let (one, standing, computers) = tokio::join!(
        cx.api.get::<Deployment>(&rest, &()),
        cx.api.get::<DeploymentCompliance>(&standing, &()),
        computers,
    );
    let one = one?;
    if wants_csv(&cx.address) {
        return match tab {
            None => status::csv(&cx, id).await,
            Some("waits") => waits::csv(&cx, &one).await,
            Some("audit") => audit::csv(&cx, id).await,
            Some(_) => Err(Failure::NotFound),
        };
    }
    let shown = standing.as_ref().ok().cloned();
    let body = match tab {
        None => {
            let (standing, computers) = (standing?, computers.ok_or(Failure::NotFound)??);
            status::show(&cx, &standing, &computers, &facts(&cx, &one).await)
        }
        Some("waits") => waits::show(&cx, &one).await?,
        Some("explain") => explain::show(&cx, &one).await?,
        Some("settings") => {
            let table = terms::table(&cx, &one.settings, &terms::known(&cx).await)?;
            html! { section.panel { (table) } }
        }
        Some("history") => history::show(&cx, &one).await?,
        Some("audit") => audit::show(&cx, id).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    let compliant = shown.as_ref().filter(|standing| standing.computers > 0);
    let local = one.settings.local_time == Some(true);
    Page::new(&cx, names::title(&one))
        .fact(
            t::fact_compliant(&cx),
            match compliant {
                Some(standing) => html! {
                    (ui::percent(&cx, standing.percent))
                    span.quiet { " " (t::fact_of(&cx, standing.computers)) }
                },
                None => ui::none(&cx),
            },
        )
        .fact(t::col_state(&cx), names::state(&cx, one.state))
        .fact(t::col_deadline(&cx), when::show_or(&cx, one.deadline, local))
        .tabs(tabs(&cx, &one))
        .actions(acts(&cx, &one))
        .body(body)
        .render()
        .await
}

fn tabs(cx: &Cx, one: &Deployment) -> Vec<Tab> {
    let waiting = one.content.files.saturating_sub(one.content.files_present);
    let waits = Tab::new(cx, "waits", false, t::tab_waits(cx));
    let mut tabs = vec![
        Tab::new(cx, "status", true, t::tab_status(cx)),
        if waiting > 0 { waits.number(waiting) } else { waits },
        Tab::new(cx, "explain", false, t::tab_explain(cx)),
        Tab::new(cx, "settings", false, t::tab_settings(cx)),
    ];
    // records and the audit log are of the whole site
    if names::everywhere(cx) {
        tabs.push(Tab::new(cx, "history", false, t::tab_history(cx)));
        tabs.push(Tab::new(cx, "audit", false, t::tab_audit(cx)));
    }
    tabs
}

fn acts(cx: &Cx, one: &Deployment) -> Markup {
    let switch = if one.enabled { "disable" } else { "enable" };
    let template = Address::new("/deployments/templates/new").with("from", one.id);
    html! {
        // what the site above deploys is changed there
        @if cx.may(Role::SoftwareUpdateManager) && one.origin != "parent" {
            a.button href=(path(&["deployments", &one.id.to_string(), "edit"])) { (t::edit(cx)) }
            form.inline method="post" action="/deployments/change" data-dialog {
                input type="hidden" name="id" value=(one.id);
                input type="hidden" name="from" value=(cx.address);
                button type="submit" name="act" value=(switch) { (t::acts(cx, switch)) }
                button type="submit" name="act" value="delete" { (t::acts(cx, "delete")) }
            }
            @if let Some(update) = one.update.as_ref().filter(|_| names::everywhere(cx)) {
                a.button href=(Address::new("/deployments/stops/new").with("update", update.id)) { (t::stop(cx)) }
            }
            @if names::everywhere(cx) { a.button.plain href=(template) { (t::as_template(cx)) } }
        }
    }
}

/// Something with a name.
#[derive(Deserialize)]
struct Named {
    name: String,
}

/// The rule or phased deployment that made it, as a link. REST gives its id, not which of the two it is.
async fn source(cx: &Cx, one: &Deployment) -> Option<Markup> {
    let id = one.source?.to_string();
    let [rule, phased] = ["rules", "phased"].map(|kind| path(&[kind, &id]));
    let (rule, phased) = tokio::join!(cx.api.get::<Named>(&rule, &()), cx.api.get::<Named>(&phased, &()));
    let (page, Named { name }) = rule.map(|named| ("rules", named)).or(phased.map(|named| ("phased", named))).ok()?;
    Some(html! { a href=(path(&["deployments", page, &id])) { (name) } })
}

async fn facts(cx: &Cx, one: &Deployment) -> Markup {
    let source = source(cx, one).await;
    let local = one.settings.local_time == Some(true);
    let mut facts = vec![
        (t::col_what(cx).to_owned(), names::what(one)),
        (t::col_collection(cx).to_owned(), names::collection_link(&one.collection)),
        (t::col_action(cx).to_owned(), html! { (names::action(cx, one.action)) }),
        (t::col_available(cx).to_owned(), when::show(cx, one.available, local)),
        (t::col_deadline(cx).to_owned(), when::show_or(cx, one.deadline, local)),
        (
            t::col_state(cx).to_owned(),
            html! {
                (names::state(cx, one.state))
                @if one.state != DeploymentState::Active { div.quiet lang="en" { (one.state_text) } }
            },
        ),
        (t::col_created(cx).to_owned(), html! { (ui::time(cx, one.created_at)) " · " (one.created_by) }),
        (
            t::col_origin(cx).to_owned(),
            html! { (t::origin(cx, &one.origin)) @if let Some(source) = source { ": " (source) } },
        ),
        (t::col_id(cx).to_owned(), html! { (one.id) }),
    ];
    if !one.description.is_empty() {
        facts.insert(0, (t::col_description(cx).to_owned(), html! { (one.description) }));
    }
    ui::facts(facts)
}
