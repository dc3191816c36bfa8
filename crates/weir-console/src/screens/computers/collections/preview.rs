//! What a definition would do: who would be a member, who would come and go, and what that brings them.

use axum::{Form, response::Response};
use maud::{Markup, html};
use weir_api::collection::{CollectionPreview, PreviewList};

use super::{
    super::{collection_at, link},
    form::{Draft, Mode},
    rule::Rows,
};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{collections as t, common},
    ui::{self, form::Errors},
};

/// Computers that each list names.
const SHOWN: u32 = 10;
/// Deployments that are named.
const DEPLOYMENTS: usize = 10;

/// What REST says of a draft, or what it refuses.
#[derive(Debug)]
pub(super) enum Outlook {
    /// Nothing: a target group has no definition.
    Group,
    /// Nothing was tried yet: so many are members.
    Untried(u64),
    /// Nobody is named yet.
    Nobody,
    /// A row lacks its value: its number.
    Lacks(usize),
    /// Refused.
    Refused(Box<weir_api::Problem>),
    /// This would happen.
    Known(Box<CollectionPreview>),
}

/// Asks REST. Who is limited to collections may not ask it, and is told so.
pub(super) async fn outlook(cx: &Cx, draft: &Draft) -> Result<Outlook, Failure> {
    if !draft.by_rule {
        return Ok(Outlook::Group);
    }
    let rule = match draft.rule() {
        Ok(rule) => rule,
        Err(row) => return Ok(Outlook::Lacks(row)),
    };
    if draft.id.is_none() && rule.is_empty() && draft.includes.is_empty() {
        return Ok(Outlook::Nobody);
    }
    match cx.api.post::<CollectionPreview>("/collections/preview", &draft.previewed(&rule, SHOWN)).await {
        Ok(preview) => Ok(Outlook::Known(Box::new(preview))),
        Err(Failure::Refused(problem)) if problem.status == 403 => Ok(Outlook::Refused(problem)),
        Err(failure) => Ok(Outlook::Refused(Box::new(failure.into_problem()?))),
    }
}

/// The form as it is now, for the module: the element `preview` of the answer is shown beside it.
pub(super) async fn show(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let draft = Draft::read(&pairs);
    let outlook = outlook(&cx, &draft).await?;
    let body = ui::form::with_preview(&Markup::default(), &panel(&cx, &draft, &outlook));
    Page::new(&cx, t::preview_title(&cx)).bare().body(body).render().await
}

/// What stands beside the form.
pub(super) fn panel(cx: &Cx, draft: &Draft, outlook: &Outlook) -> Markup {
    html! {
        div.outlook {
            h2 { (t::preview_title(cx)) }
            @match outlook {
                Outlook::Group => p { (t::preview_group(cx)) },
                Outlook::Untried(members) => {
                    (written(cx, draft, None))
                    p { (t::preview_untried(cx, *members)) }
                },
                Outlook::Nobody => p { (t::preview_nobody(cx)) },
                Outlook::Lacks(row) => p.error { (t::row_lacks(cx, row)) },
                Outlook::Refused(problem) => {
                    (written(cx, draft, None))
                    div.errors { p lang="en" { (problem.detail) } @if let Some(next) = &problem.next_step { p lang="en" { (next) } } }
                },
                Outlook::Known(preview) => {
                    (written(cx, draft, preview.rule.as_deref()))
                    (known(cx, preview))
                },
            }
        }
    }
}

/// The other way to write the rule: the text of rows, the rows of a text.
fn written(cx: &Cx, draft: &Draft, canonical: Option<&str>) -> Markup {
    let text = draft.rule().unwrap_or_default();
    html! {
        @if !text.is_empty() {
            h3 { (t::rule_as_text(cx)) }
            p.rule { code { (canonical.unwrap_or(&text)) } }
            @if draft.mode == Mode::Text {
                @match Rows::of(&text) {
                    Some(rows) => {
                        h3 { (t::rule_as_rows(cx)) }
                        (spelled(cx, &rows))
                    },
                    None => p.quiet { (t::rule_no_rows(cx)) },
                }
            }
        }
    }
}

/// Rows, to be read.
fn spelled(cx: &Cx, rows: &Rows) -> Markup {
    html! {
        @if rows.groups.len() > 1 { p.quiet { (t::join(cx, rows.join.key())) } }
        ul.spelled {
            @for group in &rows.groups {
                li {
                    @if group.rows.len() > 1 { span.quiet { (t::join(cx, group.join.key())) } }
                    ul {
                        @for row in group.rows.iter().filter(|row| !row.field.is_empty()) {
                            li { (t::field(cx, &row.field)) " " (t::operator(cx, row.operator.key())) @if row.operator.takes_value() { " " strong { (row.value) } } }
                        }
                    }
                }
            }
        }
    }
}

/// Who and what.
pub(super) fn known(cx: &Cx, preview: &CollectionPreview) -> Markup {
    let new = preview.collection.is_none();
    html! {
        p.figure { strong { (ui::number(cx, preview.members.count)) } " " (t::members_of(cx, preview.computers)) }
        @if new { (list(cx, "", &preview.members)) }
        @else if preview.coming.count == 0 && preview.going.count == 0 { p { (t::nobody_moves(cx)) } }
        @else {
            (list(cx, &t::joins(cx, preview.coming.count), &preview.coming))
            (list(cx, &t::leaves(cx, preview.going.count), &preview.going))
        }
        @if !preview.others.is_empty() {
            h3 { (t::others(cx)) }
            ul {
                @for other in &preview.others {
                    li { a href=(collection_at(&other.collection)) { (other.collection.name) } " +" (ui::number(cx, other.coming)) " −" (ui::number(cx, other.going)) }
                }
            }
        }
        @if !preview.deployments.is_empty() {
            h3 { (t::brings(cx)) }
            ul {
                @for one in preview.deployments.iter().take(DEPLOYMENTS) {
                    li {
                        a href=(path(&["deployments", &one.id.to_string()])) { (one.title) }
                        " " span.quiet { (t::deployment_action(cx, &ui::word(&one.action))) " · " (one.collection.name) }
                    }
                }
            }
            @let more = preview.deployments.len().saturating_sub(DEPLOYMENTS);
            @if more > 0 { p.quiet { (common::more(cx, more as u64)) } }
        }
    }
}

fn list(cx: &Cx, title: &str, computers: &PreviewList) -> Markup {
    let more = computers.count.saturating_sub(computers.items.len() as u64);
    html! {
        @if computers.count > 0 {
            @if !title.is_empty() { h3 { (title) } }
            ul.samples { @for one in &computers.items { li { (link(&one.name, &one.id)) } } }
            @if more > 0 { p.quiet { (common::more(cx, more)) } }
        }
    }
}

/// What of it stands beside a field of the form.
pub(super) fn errors(cx: &Cx, outlook: &Outlook) -> Errors {
    match outlook {
        Outlook::Lacks(row) => Errors::default().field("rule", t::row_lacks(cx, row)),
        Outlook::Refused(problem) => super::edit::refused(problem),
        Outlook::Group | Outlook::Untried(_) | Outlook::Nobody | Outlook::Known(_) => Errors::default(),
    }
}
