//! Errors of installations and scans, in groups.

pub(super) mod code;

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    failure::{ErrorGroup, ErrorsBy, ErrorsQuery},
};

use super::{Part, collection_at};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::computers as t,
    ui::{
        self,
        badge::{Tone, badge},
        form::Errors,
        grid::{Column, Grid},
        tabs::Tab,
    },
};

/// What groups are made by, in the order of the tabs.
const BY: [ErrorsBy; 5] = [ErrorsBy::Code, ErrorsBy::Update, ErrorsBy::Os, ErrorsBy::Site, ErrorsBy::Collection];
/// How long ago something may have begun to be new.
const SINCE: [&str; 4] = ["1d", "7d", "30d", "90d"];

/// The groups of the address.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let by = BY.into_iter().find(|by| cx.address.value("by") == Some(ui::word(by).as_str())).unwrap_or_default();
    let since = cx.address.value("since").map(str::to_owned);
    let asked = super::listed(&cx, |cursor, limit| {
        let query = ErrorsQuery {
            by,
            only_new: since.is_some() && cx.address.value("new") == Some("1"),
            since: since.clone(),
            collection: cx.address.value("collection").map(str::to_owned),
            server: cx.server(),
            cursor,
            limit,
        };
        let cx = &cx;
        async move { cx.api.get::<List<ErrorGroup>>("/compliance/errors", &query).await }
    });
    let (list, errors) = match asked.await {
        Ok(list) => (list, Errors::default()),
        Err(failure) => {
            let problem = failure.into_problem()?;
            (List { items: Vec::new(), next: None }, Errors::of(&problem, &["since", "collection", "cursor"]))
        }
    };
    let grid = Grid::new(&cx, "errors", t::errors(&cx), columns(&cx, by, since.is_some()), &list.items)
        .next(list.next.as_deref())
        .filters(filters(&cx, since.as_deref()))
        .empty(empty(&cx));
    let body = match Part::of(&cx, &grid, |grid| html! { (errors.summary(&cx)) (grid) }) {
        Part::Csv(csv) => return Ok(csv),
        Part::Page(body) => body,
    };
    let tabs = BY.into_iter().map(|each| {
        let address = cx.address.first().without("by");
        let address = if each == ErrorsBy::Code { address } else { address.with("by", ui::word(&each)) };
        Tab::link(t::errors_by(&cx, &ui::word(&each)), address, each == by)
    });
    Page::new(&cx, t::errors(&cx)).tabs(tabs.collect()).body(body).render().await
}

fn columns(cx: &Cx, by: ErrorsBy, since: bool) -> Vec<Column<'_, ErrorGroup>> {
    let mut columns = vec![
        Column::new(
            "what",
            t::errors_by(cx, &ui::word(&by)),
            move |group: &ErrorGroup| html! { (label(cx, by, group)) },
        )
        .text(|group| group.label.clone())
        .wide()
        .narrow(),
        Column::number(cx, "computers", t::title(cx), |group: &ErrorGroup| group.computers).narrow(),
        Column::number(cx, "failing", t::col_failing(cx), |group: &ErrorGroup| group.failing),
        Column::number(cx, "scans", t::col_scans(cx), |group: &ErrorGroup| group.scans),
    ];
    if since {
        columns.push(Column::number(cx, "new", t::col_new(cx), |group: &ErrorGroup| group.new_computers).narrow());
    }
    if by != ErrorsBy::Code {
        columns.push(
            Column::new("codes", t::col_codes(cx), |group: &ErrorGroup| codes(cx, group))
                .text(|group| group.codes.iter().filter_map(|count| count.code.clone()).collect::<Vec<_>>().join(" ")),
        );
    }
    columns.push(
        Column::new("first", t::col_first_error(cx), |group: &ErrorGroup| ui::time_or(cx, group.first_at))
            .text(|group| group.first_at.map(|at| at.to_string()).unwrap_or_default()),
    );
    columns.push(
        Column::new("last", t::col_last_error(cx), |group: &ErrorGroup| ui::ago(cx, group.last_at))
            .text(|group| group.last_at.to_string())
            .narrow(),
    );
    columns
}

/// What the errors have in common, with where that is.
fn label(cx: &Cx, by: ErrorsBy, group: &ErrorGroup) -> Markup {
    let address = match (by, &group.about, &group.code) {
        (ErrorsBy::Code, _, Some(code)) => Some(path(&["computers", "errors", code])),
        (ErrorsBy::Update, Some(update), _) => {
            Some(format!("{}?tab=results&state=failed", path(&["updates", &update.id.to_string()])))
        }
        (ErrorsBy::Collection, Some(collection), _) => Some(collection_at(collection)),
        (ErrorsBy::Site, Some(server), _) => Some(
            Address::new("/computers").and("f", "state:failed").and("f", format!("site:{}", server.name)).to_string(),
        ),
        (ErrorsBy::Site, None, _) => Some("/computers?f=state%3Afailed&f=site%3Athis".to_owned()),
        _ => None,
    };
    // what has no name of its own is called by REST in English
    let english = (group.about.is_none() && by != ErrorsBy::Os).then_some("en");
    html! {
        @match address {
            Some(address) => a href=(address) lang=[english] { (group.label) },
            None => span lang=[english] { (group.label) },
        }
        @if let Some(name) = group.name.as_ref().filter(|name| **name != group.label) { " " code { (name) } }
        @if group.new == Some(true) { " " (badge(Tone::Warn, t::new_errors(cx))) }
        @if let Some(meaning) = &group.meaning { div.quiet lang="en" { (meaning) } }
    }
}

fn codes(cx: &Cx, group: &ErrorGroup) -> Markup {
    html! {
        @for count in &group.codes {
            div {
                @match &count.code {
                    Some(code) => a href=(path(&["computers", "errors", code])) { code { (code) } },
                    None => (t::no_code(cx)),
                }
                " " span.quiet { (ui::number(cx, count.computers)) }
            }
        }
    }
}

fn filters(cx: &Cx, since: Option<&str>) -> Markup {
    let known = since.is_none_or(|since| SINCE.contains(&since));
    html! {
        label for="f-since" { (t::new_since(cx)) }
        select #f-since name="since" data-submit {
            option value="" { (t::any_time(cx)) }
            @for each in SINCE { option value=(each) selected[since == Some(each)] { (t::spans(cx, each)) } }
            @if let (false, Some(since)) = (known, since) { option value=(since) selected { (since) } }
        }
        @if since.is_some() {
            label.check { input type="checkbox" name="new" value="1" checked[cx.address.value("new") == Some("1")]; (t::only_new(cx)) }
        }
        label.hide for="f-collection" { (t::col_collection(cx)) }
        input #f-collection type="text" name="collection" value=[cx.address.value("collection")] placeholder=(t::col_collection(cx)) maxlength="256";
    }
}

fn empty(cx: &Cx) -> Markup {
    if ["collection", "new", "site"].into_iter().any(|name| cx.address.value(name).is_some()) {
        return ui::empty(t::errors_narrowed(cx), Some((t::errors_all(cx), "/computers/errors")));
    }
    ui::empty(t::errors_none(cx), Some((t::coverage(cx), "/computers/stale")))
}
