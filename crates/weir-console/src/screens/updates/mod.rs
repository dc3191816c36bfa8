//! Updates: the list, one in full, changes of many, saved searches; groups, exposure and clean-up below.

mod change;
mod cleanup;
mod deploy;
mod detail;
mod document;
mod exposure;
mod fetch;
mod filter;
mod groups;
mod licence;
mod list;
mod progress;
mod relations;
mod results;
mod rtf;
mod searches;
mod stop;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    routing::{get, post},
};
use weir_api::{Problem, access::Role};

use crate::{
    Console,
    cx::Cx,
    nav::Entry,
    texts::{cleanup as clean, exposure as risk, update_groups as grouped, updates as t},
    ui::form::Errors,
};

/// Its pages and forms.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/updates", get(list::show))
        .route("/updates/change", post(change::change))
        .route("/updates/fetch", get(fetch::show).post(fetch::fetch))
        .route("/updates/{id}", get(detail::show))
        .route("/updates/{id}/licence", post(licence::accept))
        .merge(searches::routes())
        .merge(groups::routes())
        .merge(exposure::routes())
        .merge(cleanup::routes())
}

/// What the rail lists of it.
pub(crate) fn entries(cx: &Cx) -> Vec<Entry> {
    vec![
        Entry::new("/updates", t::all_updates(cx)),
        Entry::new("/updates/groups", grouped::title(cx)),
        Entry::new("/updates/exposure", risk::title(cx)),
        Entry::new("/updates/cleanup", clean::title(cx)),
    ]
}

/// Whether the visitor may do what concerns the whole site: the role, not limited to collections.
pub(in crate::screens) fn may_here(cx: &Cx, role: Role) -> bool {
    cx.may(role) && cx.session.as_ref().is_none_or(|session| session.collections.is_empty())
}

/// What REST refused, beside the field that its code names (`name`, or `name=code` where they differ), else as its detail says.
fn refused(problem: &Problem, fields: &[&str]) -> Errors {
    let named = fields.iter().find_map(|field| {
        let (name, code) = field.split_once('=').unwrap_or((field, field));
        (code == problem.code).then_some(name)
    });
    match named {
        Some(name) => Errors::default().field(name, &problem.detail),
        None => Errors::of(problem, fields),
    }
}

/// What was typed, if it is more than blanks.
fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
