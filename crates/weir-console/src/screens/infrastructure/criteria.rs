//! Rules by which a synchronization skips or declines updates: what there is, and what each would do to the catalogue as it is.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    criteria::{Criterion, CriterionPreview, CriterionSample},
    list::ListQuery,
};

use super::sync::HERE;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::infrastructure as t,
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid, wants_csv},
    },
};

/// Rules that a site has at most.
const MOST: u32 = 1000;

async fn rules(cx: &Cx) -> Result<List<Criterion>, Failure> {
    let query = ListQuery { cursor: cx.address.value("cursor").map(str::to_owned), limit: Some(MOST) };
    cx.api.get("/criteria", &query).await
}

/// The rules, as a tab of synchronization.
pub(super) async fn list(cx: &Cx) -> Result<Markup, Failure> {
    let list = rules(cx).await?;
    let add = "weir criteria add Itanium --action skip --architecture ia64";
    let grid = Grid::new(cx, "criteria", t::criteria(cx), columns(cx), &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::criteria_none(cx)) } p { (ui::command(cx, add)) } });
    Ok(html! {
        p.quiet { (t::criteria_help(cx)) }
        (grid.render())
    })
}

/// Their CSV.
pub(super) async fn csv(cx: &Cx) -> Result<Response, Failure> {
    let list = rules(cx).await?;
    Ok(Grid::new(cx, "criteria", t::criteria(cx), columns(cx), &list.items).csv())
}

fn columns(cx: &Cx) -> Vec<Column<'_, Criterion>> {
    vec![
        Column::new("name", t::rule(cx), |one: &Criterion| {
            html! { a href=(path(&["infrastructure", "synchronization", "criteria", &one.rule.name])) { (one.rule.name) } }
        })
        .text(|one| one.rule.name.clone())
        .narrow(),
        Column::new("asks", t::rule_asks(cx), |one: &Criterion| html! { span lang="en" { (one.description) } })
            .text(|one| one.description.clone())
            .wide()
            .narrow(),
        Column::new("action", t::rule_does(cx), |one: &Criterion| action(cx, one))
            .text(|one| ui::word(&one.rule.action))
            .narrow(),
        Column::new("state", t::state(cx), |one: &Criterion| {
            if one.rule.enabled { badge(Tone::Good, t::on(cx)) } else { badge(Tone::Plain, t::off(cx)) }
        })
        .text(|one| one.rule.enabled.to_string()),
        Column::new("changed", t::changed(cx), |one: &Criterion| html! { (one.changed_by) " " (ui::ago(cx, one.changed_at)) })
            .text(|one| one.changed_at.to_string()),
    ]
}

fn action(cx: &Cx, one: &Criterion) -> Markup {
    html! { (t::rule_acts(cx, &ui::word(&one.rule.action))) @if one.from_parent { " · " (t::from_above(cx)) } }
}

/// What a stored rule would do now. Nothing is changed.
pub(super) async fn preview(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one = path(&["criteria", &name]);
    let asked = path(&["criteria", &name, "preview"]);
    let (rule, preview) = tokio::join!(cx.api.get::<Criterion>(&one, &()), cx.api.get::<CriterionPreview>(&asked, &()));
    let (rule, preview) = (rule?, preview?);
    let columns = vec![
        Column::new("title", t::update(&cx), |sample: &CriterionSample| {
            html! { a href=(path(&["updates", &sample.id.to_string()])) { (sample.title) } }
        })
        .text(|sample| sample.title.clone())
        .wide()
        .narrow(),
        Column::new("why", t::why(&cx), |sample: &CriterionSample| html! { span lang="en" { (sample.reason) } })
            .text(|sample| sample.reason.clone())
            .narrow(),
    ];
    let grid = Grid::new(&cx, "matched", t::matched(&cx), columns, &preview.samples)
        .total(preview.matched)
        .empty(html! { p { (t::matches_nothing(&cx)) } });
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let number = |number: u64| html! { (ui::number(&cx, number)) };
    let body = html! {
        section.panel {
            p lang="en" { (preview.description) }
            (ui::facts([
                (t::rule_does(&cx).to_owned(), action(&cx, &rule)),
                (t::looked_at(&cx).to_owned(), number(preview.looked_at)),
                (t::matched(&cx).to_owned(), number(preview.matched)),
                (t::declined_already(&cx).to_owned(), number(preview.declined)),
                (t::taken_back(&cx).to_owned(), number(preview.taken_back)),
                (t::files_of(&cx).to_owned(), html! { (ui::number(&cx, preview.files)) " · " (ui::bytes(&cx, preview.bytes)) }),
                (t::stored_here(&cx).to_owned(), html! { (ui::bytes(&cx, preview.bytes_here)) }),
            ]))
            p.quiet lang="en" { (preview.note) }
            @if !rule.rule.except.is_empty() { p { (t::except(&cx)) " " (rule.rule.except.join(", ")) } }
        }
        (grid.render())
    };
    drop(grid);
    Page::new(&cx, t::rule_title(&cx, &rule.rule.name))
        .crumb(t::synchronization(&cx), HERE)
        .crumb(t::criteria(&cx), format!("{HERE}?tab=criteria"))
        .fact(t::matched(&cx), number(preview.matched))
        .body(body)
        .render()
        .await
}
