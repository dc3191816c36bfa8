//! Every registry value of the policy that is known: what it does, where it is, from which Windows on.

use axum::response::Response;
use maud::html;
use weir_api::{List, policy::PolicyKnown};

use super::tabs;
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::large,
    texts::{policy as t, settings as s},
    ui::{
        self,
        grid::{Column, Grid, wants_csv},
    },
};

/// The list.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let all = cx.api.all(2000, |cursor| {
        let cx = &cx;
        async move { cx.api.get::<List<PolicyKnown>>("/policy/values", &large(cursor)).await }
    });
    let mut known = all.await?;
    if let Some(text) = cx.address.value("text").map(str::to_lowercase) {
        let has = |part: &str| part.to_lowercase().contains(&text);
        known.retain(|one| has(&one.name) || has(&one.meaning) || has(&one.policy) || has(&one.key));
    }
    let grid = grid(&cx, &known);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = grid.render();
    drop(grid);
    Page::new(&cx, s::places(&cx, "policy")).tabs(tabs(&cx, "values")).body(body).render().await
}

fn grid<'a>(cx: &'a Cx, known: &'a [PolicyKnown]) -> Grid<'a, PolicyKnown> {
    let columns = vec![
        Column::new("name", t::value_name(cx), |one: &PolicyKnown| {
            html! { code { (one.name) } div.quiet { (one.kind) ": " span lang="en" { (one.values) } } }
        })
        .text(|one| one.name.clone())
        .narrow(),
        Column::new("meaning", t::meaning(cx), |one: &PolicyKnown| {
            html! { span lang="en" { (one.meaning) } div.quiet lang="en" { (one.policy) } }
        })
        .text(|one| one.meaning.clone())
        .wide()
        .narrow(),
        Column::new("windows", t::windows(cx), |one: &PolicyKnown| html! { span lang="en" { (one.windows) } })
            .text(|one| one.windows.clone()),
        Column::new("csp", t::csp(cx), |one: &PolicyKnown| {
            html! {
                @match (&one.csp, &one.without_csp) {
                    (Some(csp), _) => code { (csp) },
                    (None, Some(why)) => span.quiet lang="en" { (why) },
                    (None, None) => (ui::none(cx)),
                }
            }
        })
        .text(|one| one.csp.clone().unwrap_or_default()),
        Column::new("evidence", t::evidence(cx), |one: &PolicyKnown| html! { (t::evidences(cx, &one.evidence)) })
            .text(|one| one.evidence.clone()),
        Column::new("key", t::key(cx), |one: &PolicyKnown| html! { code { (one.key) } })
            .text(|one| one.key.clone())
            .hidden(),
    ];
    let filters = html! {
        label.hide for="text" { (t::find_value(cx)) }
        input id="text" type="search" name="text" value=[cx.address.value("text")] placeholder=(t::find_value(cx)) maxlength="100";
    };
    Grid::new(cx, "policy-values", t::pages(cx, "values"), columns, known)
        .filters(filters)
        .empty(ui::empty(t::no_value(cx), Some((t::show_all(cx), "/settings/policy/values"))))
}
