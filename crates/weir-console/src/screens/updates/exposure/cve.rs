//! One vulnerability: what is affected and what fixes it, which computers are where and why, exceptions.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    exposure::{CollectionQuery, ComputerQuery, CveComputer, CveComputerList, CveDetail, Problem, Remedy},
    exposure_level::Exception,
};

use super::{
    exceptions,
    words::{LEVELS, STATES, because, choice, chosen, level, marks, options, parts, reason, state},
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, exposure as t},
    ui::{
        self,
        badge::severity,
        chart,
        grid::{CSV_ROWS, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Updates of a remedy that are named.
const NAMED: usize = 6;

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx, Path(cve): Path<String>) -> Result<Response, Failure> {
    let query = CollectionQuery { collection: cx.address.value("collection").map(str::to_owned) };
    let address = path(&["exposure", "cves", &cve]);
    let (detail, excepted) = tokio::join!(cx.api.get::<CveDetail>(&address, &query), exceptions::load(&cx, false));
    let detail = detail?;
    let excepted: Vec<Exception> =
        excepted.unwrap_or_default().into_iter().filter(|one| concerns(one, &detail)).collect();
    let tab = cx.address.value("tab");
    if wants_csv(&cx.address) {
        return match tab {
            Some("computers") => Ok(computers_grid(&cx, &all(&cx, &detail.cve.cve).await?).csv()),
            Some("exceptions") => Ok(exceptions::grid(&cx, &excepted).csv()),
            _ => Err(Failure::NotFound),
        };
    }
    let body = match tab {
        None => facts(&cx, &detail),
        Some("computers") => computers(&cx, &detail.cve.cve).await?,
        Some("exceptions") => ui::live("cve-exceptions", "exposure", exceptions::grid(&cx, &excepted).render()),
        Some(_) => return Err(Failure::NotFound),
    };
    let row = &detail.cve;
    let counts = &row.computers;
    let known = counts.exposed + counts.no_data + counts.fixed + counts.not_affected;
    let tabs = vec![
        Tab::new(&cx, "facts", true, t::facts(&cx)),
        Tab::new(&cx, "computers", false, t::computers(&cx)).number(known),
        Tab::new(&cx, "exceptions", false, t::exceptions(&cx)).number(excepted.len() as u64),
    ];
    let acts = html! {
        @if cx.may(Role::SoftwareUpdateManager) {
            a.button href=(Address::new("/updates/exposure/exceptions/new").with("cve", &row.cve)) { (t::exception_new(&cx)) }
        }
    };
    Page::new(&cx, &row.cve)
        .crumb(t::title(&cx), cx.to("/updates/exposure"))
        .fact(t::exposed(&cx), html! { (ui::number(&cx, counts.exposed)) })
        .fact(t::breached(&cx), html! { (ui::number(&cx, row.levels.breached)) })
        .fact(t::severity(&cx), html! { (severity(&cx, row.severity.as_deref())) (marks(&cx, row)) })
        .tabs(tabs)
        .actions(acts)
        .body(body)
        .render()
        .await
}

/// Whether an exception is about a vulnerability, or about an update that fixes it.
fn concerns(one: &Exception, detail: &CveDetail) -> bool {
    let fixes = |id| {
        detail
            .problems
            .iter()
            .flat_map(|problem| &problem.remedies)
            .flat_map(|remedy| &remedy.updates)
            .any(|update| update.id == id)
    };
    one.cve.as_deref() == Some(detail.cve.cve.as_str()) || one.update.as_ref().is_some_and(|update| fixes(update.id))
}

fn facts(cx: &Cx, detail: &CveDetail) -> Markup {
    let row = &detail.cve;
    let here = Address::new(cx.address.path());
    let here = cx.address.value("collection").map_or(here.clone(), |collection| here.with("collection", collection));
    let in_state = |state: &str| Some(here.with("tab", "computers").with("state", state).to_string());
    html! {
        div.columns {
            div {
                section.panel {
                    h2 { (row.title) }
                    (ui::facts([
                        (t::severity(cx).to_owned(), severity(cx, row.severity.as_deref())),
                        (t::score(cx).to_owned(), html! {
                            @match row.score {
                                Some(score) => { (ui::decimal(cx, score)) " " @if let Some(vector) = &row.vector { code { (vector) } } },
                                None => (ui::none(cx)),
                            }
                        }),
                        (t::exploited(cx).to_owned(), html! { (t::exploited_choice(cx, if row.exploited { "true" } else { "false" })) }),
                        (t::kev(cx).to_owned(), match &row.kev {
                            None => ui::none(cx),
                            Some(kev) => html! {
                                (t::kev_since(cx, kev.added))
                                @if let Some(due) = kev.due { " · " (t::kev_due(cx, due)) }
                                @if kev.ransomware { " · " (t::ransomware(cx)) }
                            },
                        }),
                        (t::published(cx).to_owned(), ui::time_or(cx, row.published_at)),
                        (t::revised(cx).to_owned(), ui::time_or(cx, row.revised_at)),
                        (t::due(cx).to_owned(), ui::time_or(cx, row.due_at)),
                    ]))
                }
                (problems(cx, &detail.problems))
            }
            div {
                (ui::live("cve-states", "exposure compliance", html! {
                    section.panel {
                        (chart::stacked(cx, t::by_state(cx), &parts(cx, &row.computers, in_state)))
                        (reasons(cx, detail))
                    }
                }))
                (documents(cx, detail))
            }
        }
    }
}

fn reasons(cx: &Cx, detail: &CveDetail) -> Markup {
    html! {
        @if !detail.reasons.is_empty() {
            table {
                caption.hide { (t::reasons(cx)) }
                thead { tr { th scope="col" { (t::reason_head(cx)) } th.number scope="col" { (t::computers(cx)) } } }
                tbody {
                    @for one in &detail.reasons {
                        tr { th scope="row" { (state(cx, one.state)) div { (because(cx, &one.reason, &one.text)) } } td.number { (ui::number(cx, one.computers)) } }
                    }
                }
            }
        }
    }
}

fn problems(cx: &Cx, problems: &[Problem]) -> Markup {
    html! {
        section.panel {
            h2 { (t::problems(cx)) }
            @if problems.is_empty() { p { (t::problems_none(cx)) } }
            @for problem in problems {
                div.finding {
                    p { strong { @if problem.products.is_empty() { (t::products_unsaid(cx)) } @else { (problem.products.join(", ")) } } }
                    @if problem.remedies.is_empty() { p.quiet { (t::remedies_none(cx)) } }
                    @else { ul { @for remedy in &problem.remedies { li { (self::remedy(cx, remedy)) } } } }
                }
            }
        }
    }
}

fn remedy(cx: &Cx, remedy: &Remedy) -> Markup {
    html! {
        @if let Some(kb) = &remedy.kb { strong { (kb) } " " }
        @else if let Some(name) = &remedy.name { (name) " " }
        @if let Some(build) = &remedy.build { span.quiet { (t::build(cx, build)) " " } }
        @if remedy.updates.is_empty() { @if remedy.kb.is_some() { span.quiet { (t::not_in_catalogue(cx)) } } }
        @else {
            ul {
                @for update in remedy.updates.iter().take(NAMED) { li { a href=(path(&["updates", &update.id.to_string()])) { (update.name) } } }
                @if remedy.updates.len() > NAMED { li.quiet { (common::more(cx, (remedy.updates.len() - NAMED) as u64)) } }
            }
        }
        @if remedy.superseders > 0 { p.quiet { (t::superseders(cx, remedy.superseders)) } }
    }
}

fn documents(cx: &Cx, detail: &CveDetail) -> Markup {
    html! {
        section.panel {
            h2 { (t::documents(cx)) }
            ul {
                @for document in &detail.documents {
                    li { (document.title) div.quiet { (document.kind.to_uppercase()) " · " (document.issuer) " · " (ui::time(cx, document.current_at)) } }
                }
            }
        }
    }
}

fn query(cx: &Cx, cursor: Option<String>, limit: u32) -> ComputerQuery {
    ComputerQuery {
        state: chosen(cx, "state"),
        level: chosen(cx, "level"),
        text: cx.address.value("text").map(|text| text.chars().take(256).collect()),
        sort: cx.address.value("sort").map(str::to_owned),
        collection: cx.address.value("collection").map(str::to_owned),
        cursor,
        limit: Some(limit),
    }
}

async fn all(cx: &Cx, cve: &str) -> Result<Vec<CveComputer>, Failure> {
    let address = path(&["exposure", "cves", cve, "computers"]);
    cx.api
        .all(CSV_ROWS, |cursor| {
            let (query, address) = (query(cx, cursor, 1000), address.clone());
            async move { cx.api.get::<List<CveComputer>>(&address, &query).await }
        })
        .await
}

async fn computers(cx: &Cx, cve: &str) -> Result<Markup, Failure> {
    let asked = query(cx, cx.address.value("cursor").map(str::to_owned), 100);
    let list: CveComputerList = cx.api.get(&path(&["exposure", "cves", cve, "computers"]), &asked).await?;
    let table = computers_grid(cx, &list.items).next(list.next.as_deref()).total(list.total).render();
    Ok(ui::live("cve-computers", "exposure compliance", table))
}

fn computers_grid<'a>(cx: &'a Cx, rows: &'a [CveComputer]) -> Grid<'a, CveComputer> {
    let columns = vec![
        Column::new("name", t::computer(cx), |row: &CveComputer| {
            html! { a href=(path(&["computers", &row.id])) { (if row.name.is_empty() { &row.id } else { &row.name }) } }
        })
        .text(|row| if row.name.is_empty() { row.id.clone() } else { row.name.clone() })
        .sort("name")
        .wide()
        .narrow(),
        Column::new("state", t::state_head(cx), |row: &CveComputer| state(cx, row.standing.state))
            .text(|row| ui::word(&row.standing.state))
            .sort("state")
            .narrow(),
        Column::new("reason", t::reason_head(cx), |row: &CveComputer| reason(cx, &row.standing))
            .text(|row| row.standing.text.clone())
            .wide(),
        Column::new("update", t::update(cx), |row: &CveComputer| {
            html! { @if let Some(update) = &row.standing.update { a href=(path(&["updates", &update.id.to_string()])) { (update.name) } } }
        })
        .text(|row| row.standing.update.as_ref().map(|update| update.name.clone()).unwrap_or_default())
        .hidden(),
        Column::new("level", t::level_head(cx), |row: &CveComputer| level(cx, row.standing.level))
            .text(|row| row.standing.level.as_ref().map(ui::word).unwrap_or_default())
            .narrow(),
        Column::new("since", t::since(cx), |row: &CveComputer| ui::time_or(cx, row.standing.since))
            .text(|row| row.standing.since.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("due", t::due(cx), |row: &CveComputer| {
            row.standing.due_at.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at))
        })
        .text(|row| row.standing.due_at.map(|at| at.to_string()).unwrap_or_default())
        .sort("due"),
    ];
    let named = crate::texts::computers::filter_text(cx);
    let filters = html! {
        label.hide for="text" { (named) }
        input #text type="search" name="text" value=[cx.address.value("text")] placeholder=(named) maxlength="256";
        (choice(cx, "state", t::state_head(cx), t::any_state(cx), &options(&STATES, |word| t::state(cx, word))))
        (choice(cx, "level", t::level_head(cx), t::any_level(cx), &options(&LEVELS, |word| t::level(cx, word))))
        label { (t::filter_collection(cx)) " " input type="text" name="collection" value=[cx.address.value("collection")] size="24"; }
    };
    let base = cx.address.first().without("state").without("level").without("collection").to_string();
    let next = ["state", "level", "collection"].into_iter().any(|name| cx.address.value(name).is_some());
    let empty = ui::empty(t::computers_empty(cx), next.then(|| (common::facets_clear(cx), base.as_str())));
    Grid::new(cx, "cve-computers-grid", t::computers(cx), columns, rows).filters(filters).empty(empty)
}
