//! What a run of a rule would come to now.

use maud::{Markup, html};
use weir_api::rule::{RuleCreate, RulePreview, RulePreviewQuery};

use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    screens::deployments::{names, when},
    texts::{common, deployments as d, deployments_rules as t},
    ui::{self, form::Errors},
};

/// Updates that stand beside the form.
const BESIDE: usize = 15;

/// Of a stored rule.
pub(super) async fn stored(cx: &Cx, name: &str, updates: u32) -> Result<RulePreview, Failure> {
    let query = RulePreviewQuery { name: Some(name.to_owned()), rule: None, limit: Some(updates) };
    cx.api.post("/rules/preview", &query).await
}

/// Of a form, as far as it is filled in.
pub(super) async fn beside(cx: &Cx, asked: Result<RuleCreate, Errors>) -> Result<Markup, Failure> {
    let rule = match asked {
        Ok(rule) if rule.criteria.as_ref().is_some_and(|criteria| !criteria.is_empty()) => rule,
        Ok(_) => return Ok(html! { h2 { (d::preview(cx)) } p { (t::preview_criteria(cx)) } }),
        Err(errors) => return Ok(html! { h2 { (d::preview(cx)) } (errors.summary(cx)) }),
    };
    // a name makes the group's, and may come last
    let rule = if rule.name.trim().is_empty() { RuleCreate { name: t::unnamed(cx).to_owned(), ..rule } } else { rule };
    let query = RulePreviewQuery { name: None, rule: Some(rule), limit: Some(BESIDE as u32) };
    Ok(match cx.api.post::<RulePreview>("/rules/preview", &query).await {
        Ok(preview) => html! { h2 { (d::preview(cx)) } (show(cx, &preview)) (updates(cx, &preview, true)) },
        Err(failure) => {
            let problem = failure.into_problem()?;
            html! { h2 { (d::preview(cx)) } p.error lang="en" { (problem.detail) } @if let Some(next) = &problem.next_step { p.quiet lang="en" { (next) } } }
        }
    })
}

/// The figures: how many, into which group, deployed to whom.
pub(super) fn show(cx: &Cx, preview: &RulePreview) -> Markup {
    html! {
        div.foreseen {
            p.figure { (t::matched(cx, preview.matched)) }
            p.quiet { (t::looked_at(cx, preview.looked_at)) }
            @if let Some(problem) = &preview.problem { div.panel.warn { p lang="en" { (problem) } } }
            p { code { (preview.criteria_text) } }
            (ui::facts([
                (t::group_made(cx).to_owned(), preview.group.as_ref().map_or_else(|| ui::none(cx), |group| html! { (group) })),
                (t::bytes(cx).to_owned(), html! { (ui::bytes(cx, preview.bytes)) " · " (t::bytes_here(cx, ui::bytes(cx, preview.bytes_here))) }),
                (t::terms(cx).to_owned(), html! { (ui::number(cx, preview.accepts_terms)) }),
            ]))
            @if !preview.deployments.is_empty() {
                h3 { (t::col_targets(cx)) }
                ul { @for one in &preview.deployments {
                    li {
                        (names::collection_link(&one.collection)) ": " (names::action(cx, one.action)) ", "
                        (d::col_available(cx)) " " (ui::time(cx, one.available)) ", " (d::col_deadline(cx)) " " (when::show_or(cx, one.deadline, false))
                        @if !one.enabled { " · " (d::state(cx, "disabled")) }
                    }
                } }
            }
        }
    }
}

/// The first of the updates with their reasons, and why others are left out. `headed`: nothing above says what they are.
pub(super) fn updates(cx: &Cx, preview: &RulePreview, headed: bool) -> Markup {
    let more = preview.matched.saturating_sub(preview.updates.len() as u64);
    html! {
        div.foreseen {
            @if !preview.updates.is_empty() {
                @if headed { h3 { (t::updates(cx)) } }
                ul.reasons { @for one in &preview.updates {
                    li {
                        a href=(path(&["updates", &one.id.to_string()])) { (if one.title.is_empty() { one.id.to_string() } else { one.title.clone() }) }
                        div.quiet lang="en" { (one.reason) }
                    }
                } }
                @if more > 0 { p.quiet { (common::more(cx, more)) } }
            }
            @if !preview.rejected.is_empty() {
                details open[preview.matched == 0] {
                    summary { (t::rejected(cx)) }
                    table {
                        caption.hide { (t::rejected(cx)) }
                        tbody { @for one in &preview.rejected { tr { th scope="row" lang="en" { (one.reason) } td.number { (ui::number(cx, one.updates)) } } } }
                    }
                }
            }
        }
    }
}
