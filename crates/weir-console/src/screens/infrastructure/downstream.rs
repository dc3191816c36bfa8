//! Servers that synchronize from this one: who they are, how far they are, and who may.

use std::collections::HashMap;

use axum::{Form, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;
use weir_api::{
    List,
    access::Role,
    compliance::{ServerSummary, ServerSummaryQuery},
    downstream::{Admission, DownstreamServer},
    list::ListQuery,
    setting::Setting,
};

use super::{may, span};
use crate::{
    address::{local, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, infrastructure as t},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::{Errors, Field},
        grid::{Action, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Where the list is.
pub(super) const HERE: &str = "/infrastructure/downstream";
/// Servers that are listed at most; a tree has no more.
const MOST: usize = 10_000;
/// Names that a confirmation lists.
const LISTED: usize = 20;

/// Every server, with the age of what it told of its computers.
struct Known {
    servers: Vec<DownstreamServer>,
    ages: HashMap<Uuid, u64>,
}

async fn load(cx: &Cx) -> Result<Known, Failure> {
    let servers = cx.api.all(MOST, |cursor| async move {
        cx.api.get::<List<DownstreamServer>>("/downstream", &ListQuery { cursor, limit: Some(1000) }).await
    });
    let asked = ServerSummaryQuery::default();
    let (servers, standing) = tokio::join!(servers, cx.api.get::<List<ServerSummary>>("/compliance/servers", &asked));
    let standing = standing.map(|list| list.items).unwrap_or_default();
    let ages = standing.into_iter().filter_map(|one| Some((one.server?.id, one.age_seconds?)));
    Ok(Known { servers: servers?, ages: ages.collect() })
}

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, "", &Errors::default()).await
}

async fn page(cx: &Cx, typed: &str, errors: &Errors) -> Result<Response, Failure> {
    let known = load(cx).await?;
    let tab = cx.address.value("tab").unwrap_or("all").to_owned();
    let in_tab = |server: &DownstreamServer, tab: &str| tab == "all" || ui::word(&server.admission) == tab;
    let text = cx.address.value("q").unwrap_or_default().to_lowercase();
    let rows: Vec<&DownstreamServer> = known
        .servers
        .iter()
        .filter(|server| in_tab(server, &tab) && server.name.to_lowercase().contains(&text))
        .collect();
    let grid = grid(cx, &known, &rows);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let policy = cx.api.get::<Setting>("/settings/downstream.policy", &()).await.ok();
    let body = html! {
        (ui::live("downstream-live", "sites compliance", grid.render()))
        @if may(cx, Role::FullAdministrator) { (allowing(cx, typed, errors)) }
    };
    drop(grid);
    let waiting = known.servers.iter().filter(|server| server.admission == Admission::Waiting).count() as u64;
    let mut tabs = vec![Tab::new(cx, "all", true, t::admission_tabs(cx, "all")).number(known.servers.len() as u64)];
    for key in ["waiting", "allowed", "refused", "reported"] {
        let count = known.servers.iter().filter(|server| in_tab(server, key)).count() as u64;
        tabs.push(Tab::new(cx, key, false, t::admission_tabs(cx, key)).number(count));
    }
    let mut page = Page::new(cx, t::downstream(cx)).tabs(tabs).body(body);
    if waiting > 0 {
        page = page.fact(t::waits_for_you(cx), badge(Tone::Warn, &ui::number(cx, waiting)));
    }
    if let Some(policy) = policy.as_ref().and_then(|policy| policy.value.as_str()) {
        page = page.fact(t::policy(cx), html! { a href="/settings" { (t::policies(cx, policy)) } });
    }
    page.render().await
}

/// The mark of what was decided about a server.
pub(super) fn admission(cx: &Cx, server: &DownstreamServer) -> Markup {
    let tone = match server.admission {
        Admission::Allowed => Tone::Good,
        Admission::Refused => Tone::Bad,
        Admission::Waiting => Tone::Warn,
        Admission::Reported => Tone::Plain,
    };
    let decided = server.admission == Admission::Allowed;
    html! {
        (badge(tone, &t::admissions(cx, &ui::word(&server.admission))))
        @if server.served && !decided { " " (badge(Tone::Good, t::served(cx))) }
    }
}

fn grid<'a>(cx: &'a Cx, known: &'a Known, rows: &'a [&'a DownstreamServer]) -> Grid<'a, &'a DownstreamServer> {
    let filters = html! {
        label.hide for="server-q" { (t::host(cx)) }
        input #server-q type="search" name="q" value=[cx.address.value("q")] placeholder=(t::host(cx)) maxlength="100";
    };
    let empty = if known.servers.is_empty() {
        html! { p { (t::no_downstream(cx)) } p { (t::no_downstream_help(cx)) } p { (ui::command(cx, "weir serve --downstream")) } }
    } else {
        ui::empty(t::no_such_server(cx), Some((t::downstream(cx), HERE)))
    };
    let grid = Grid::new(cx, "downstream", t::downstream(cx), columns(cx, known), rows).filters(filters).empty(empty);
    if may(cx, Role::FullAdministrator) {
        let acts = ["allow", "refuse", "remove"];
        let acts =
            acts.map(|act| Action { label: t::server_acts(cx, act), to: "/infrastructure/downstream/change", act });
        grid.select(|server| server.id.to_string(), acts.to_vec())
    } else {
        grid
    }
}

fn columns<'a>(cx: &'a Cx, known: &'a Known) -> Vec<Column<'a, &'a DownstreamServer>> {
    type Row<'a> = &'a DownstreamServer;
    vec![
        Column::new("name", t::host(cx), |server: &Row<'_>| {
            html! {
                a href=(path(&["infrastructure", "downstream", &server.id.to_string()])) { (called(server)) }
                @if let Some(site) = &server.site { " " span.quiet { (site) } }
            }
        })
        .text(|server| server.name.clone())
        .wide()
        .narrow(),
        Column::new("admission", t::state(cx), |server: &Row<'_>| admission(cx, server))
            .text(|server| ui::word(&server.admission))
            .narrow(),
        Column::new(
            "kind",
            t::kind_label(cx),
            |server: &Row<'_>| html! { (t::server_kinds(cx, &ui::word(&server.kind))) (mirrors(cx, server)) },
        )
        .text(|server| ui::word(&server.kind)),
        Column::new("contact", t::last_contact(cx), |server: &Row<'_>| ui::ago(cx, server.last_contact))
            .text(|server| server.last_contact.to_string())
            .narrow(),
        Column::new("sync", t::last_list(cx), |server: &Row<'_>| {
            server.last_sync.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at))
        })
        .text(|server| server.last_sync.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("behind", t::behind_label(cx), |server: &Row<'_>| match server.behind {
            None => ui::none(cx),
            Some(0) => html! { span.quiet { (t::in_step(cx)) } },
            Some(behind) => html! { (t::revisions_behind(cx, behind)) },
        })
        .text(|server| server.behind.map(|behind| behind.to_string()).unwrap_or_default()),
        Column::number(cx, "computers", t::computers(cx), |server: &Row<'_>| server.computers).narrow(),
        Column::new("age", t::age(cx), |server: &Row<'_>| {
            known.ages.get(&server.id).map_or_else(|| ui::none(cx), |age| html! { (span(cx, *age)) })
        })
        .text(|server| known.ages.get(&server.id).map(ToString::to_string).unwrap_or_default()),
        Column::new(
            "through",
            t::reported_by(cx),
            |server: &Row<'_>| html! { (server.reported_by.as_deref().unwrap_or_default()) },
        )
        .text(|server| server.reported_by.clone().unwrap_or_default())
        .hidden(),
        Column::new("address", t::address(cx), |server: &Row<'_>| html! { (server.address) })
            .text(|server| server.address.clone())
            .hidden(),
        Column::new(
            "version",
            t::version(cx),
            |server: &Row<'_>| html! { (server.version.as_deref().unwrap_or_default()) },
        )
        .text(|server| server.version.clone().unwrap_or_default())
        .hidden(),
        Column::new("id", t::identity(cx), |server: &Row<'_>| html! { code { (server.id) } })
            .text(|server| server.id.to_string())
            .hidden(),
    ]
}

fn mirrors(cx: &Cx, server: &DownstreamServer) -> Markup {
    html! { @if server.replica == Some(true) { " · " (t::replica(cx)) } }
}

/// Its name, else its GUID.
pub(super) fn called(server: &DownstreamServer) -> String {
    if server.name.is_empty() { server.id.to_string() } else { server.name.clone() }
}

/// The form that allows a server that never called.
fn allowing(cx: &Cx, typed: &str, errors: &Errors) -> Markup {
    ui::panel(
        t::allow_title(cx),
        &html! {
            p.quiet { (t::allow_help(cx)) }
            form method="post" action="/infrastructure/downstream/allow" {
                (errors.summary(cx))
                (Field::new("server", t::allow_server(cx), errors).help(t::allow_server_help(cx)).required().input("text", typed))
                div.buttons { button type="submit" { (t::server_acts(cx, "allow")) } }
            }
        },
    )
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Allow {
    server: String,
}

/// Allows a server by its GUID or name.
pub(super) async fn allow(cx: Cx, Form(sent): Form<Allow>) -> Result<Response, Failure> {
    let server = sent.server.trim();
    if server.is_empty() || server.contains('/') {
        let errors = Errors::default().field("server", t::allow_nothing(&cx));
        return page(&cx, server, &errors).await;
    }
    match cx.api.post::<DownstreamServer>(&path(&["downstream", server, "allow"]), &()).await {
        Ok(allowed) => Ok(t::flash_server_allowed(called(&allowed)).to(HERE)),
        Err(failure) => {
            let problem = failure.into_problem()?;
            page(&cx, server, &Errors::default().field("server", problem.detail)).await
        }
    }
}

/// What the selection and the confirmation send.
#[derive(Debug, Default)]
struct Sent {
    ids: Vec<Uuid>,
    act: String,
    from: String,
    sure: bool,
}

impl Sent {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut sent = Self { from: HERE.to_owned(), ..Self::default() };
        for (name, value) in pairs {
            match name.as_str() {
                "id" | "ids" => sent.ids.extend(value.split([',', ' ']).filter_map(|id| Uuid::parse_str(id).ok())),
                "act" => sent.act = value,
                "from" => sent.from = local(Some(&value)),
                "sure" => sent.sure = value == "1",
                _ => {}
            }
        }
        sent.ids.sort_unstable();
        sent.ids.dedup();
        sent
    }
}

/// Asks for confirmation, or acts on each server in turn.
pub(super) async fn change(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let sent = Sent::read(pairs);
    if !matches!(sent.act.as_str(), "allow" | "refuse" | "remove") {
        return Err(Failure::NotFound);
    }
    if sent.ids.is_empty() {
        return Ok(t::flash_no_servers_selected().to(&sent.from));
    }
    let known = load(&cx).await?;
    let rows: Vec<&DownstreamServer> = known.servers.iter().filter(|server| sent.ids.contains(&server.id)).collect();
    if !sent.sure {
        return confirm(&cx, &sent, &rows, &Errors::default()).await;
    }
    for (done, server) in rows.iter().enumerate() {
        let id = server.id.to_string();
        let answer = match sent.act.as_str() {
            "remove" => cx.api.delete::<()>(&path(&["downstream", &id])).await,
            act => cx.api.post::<DownstreamServer>(&path(&["downstream", &id, act]), &()).await.map(drop),
        };
        if let Err(failure) = answer {
            let errors = Errors::of(&failure.into_problem()?, &[]);
            return confirm(&cx, &sent, rows.get(done..).unwrap_or_default(), &errors).await;
        }
    }
    let from = if sent.act == "remove" { HERE } else { &sent.from };
    Ok(t::flash_servers_changed(rows.len() as u64, t::server_acts_done(&cx, &sent.act)).to(from))
}

async fn confirm(cx: &Cx, sent: &Sent, rows: &[&DownstreamServer], errors: &Errors) -> Result<Response, Failure> {
    let (servers, computers) = (rows.len() as u64, rows.iter().map(|server| server.computers).sum::<u64>());
    let (sentence, undo) = match sent.act.as_str() {
        "allow" => (t::allow_sentence(cx, servers), t::allow_undo(cx)),
        "refuse" => (t::refuse_sentence(cx, servers), t::refuse_undo(cx)),
        _ => (t::forget_servers_sentence(cx, servers), t::forget_servers_undo(cx)),
    };
    let details = html! {
        (errors.summary(cx))
        @if computers > 0 { p { (t::servers_computers(cx, computers)) } }
        ul.samples {
            @for server in rows.iter().take(LISTED) { li { (called(server)) " " span.quiet { (server.address) } } }
            @if rows.len() > LISTED { li { (common::more(cx, (rows.len() - LISTED) as u64)) } }
        }
    };
    let ids: Vec<String> = rows.iter().map(|server| server.id.to_string()).collect();
    let label = t::server_acts(cx, &sent.act);
    let confirm = Confirm::new(sentence, undo, &label, "/infrastructure/downstream/change", &sent.from)
        .details(details)
        .field("ids", ids.join(","))
        .field("act", &sent.act)
        .field("from", &sent.from)
        .field("sure", "1")
        .nothing(rows.is_empty());
    let confirm = if sent.act == "allow" { confirm } else { confirm.danger() };
    Page::new(cx, label).crumb(t::downstream(cx), HERE).body(confirm.render(cx)).render().await
}
