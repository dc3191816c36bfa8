//! Settings: what is synchronized, what computers are told, how this site behaves, who may do what.

mod access;
mod approvals;
mod audit;
mod client;
mod control;
mod criteria;
mod index;
mod notify;
mod policy;
mod selection;
mod site;
#[cfg(test)]
mod tests;
pub(super) mod tls;

use axum::{Router, routing::get};
use maud::{Markup, PreEscaped, html};
use weir_api::{Reference, access::Role, collection::Collection, list::ListQuery};

use crate::{
    Console,
    cx::Cx,
    nav::Entry,
    texts::{common, settings as t},
    ui::icon::Icon,
};

/// Collections that lists to choose from have.
const MOST_COLLECTIONS: usize = 5_000;

/// Its pages and forms.
/// The largest page of a list, after a cursor.
pub(super) fn large(cursor: Option<String>) -> ListQuery {
    ListQuery { cursor, limit: Some(1000) }
}

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/settings", get(index::show))
        .merge(site::routes())
        .merge(selection::routes())
        .merge(criteria::routes())
        .merge(client::routes())
        .merge(policy::routes())
        .merge(notify::routes())
        .merge(access::routes())
        .merge(approvals::routes())
        .merge(audit::routes())
        .merge(tls::routes())
}

/// What the rail lists of it.
pub(crate) fn entries(cx: &Cx) -> Vec<Entry> {
    let places = index::open(cx).map(|place| Entry::new(place.path, t::places(cx, place.key)));
    std::iter::once(Entry::new("/settings", t::all(cx))).chain(places).collect()
}

/// Whether the visitor is not limited to collections, and so may see what concerns the whole site.
fn whole(cx: &Cx) -> bool {
    cx.session.as_ref().is_none_or(|session| session.collections.is_empty())
}

/// Whether the visitor may do what concerns the whole site.
fn may(cx: &Cx, role: Role) -> bool {
    cx.may(role) && whole(cx)
}

/// Tells password managers what a field is.
fn autocompleted(field: &Markup, kind: &str) -> Markup {
    PreEscaped(field.0.replacen("<input ", &format!("<input autocomplete=\"{kind}\" "), 1))
}

/// A secret that is shown this once, with a button that copies it.
fn secret(cx: &Cx, secret: &str) -> Markup {
    html! {
        div.secret {
            code { (secret) }
            button type="button" data-copy=(secret) data-copied=(common::copied(cx)) hidden { (Icon::Copy.show()) (common::copy(cx)) }
        }
    }
}

/// A text over several lines, with a button that copies it.
fn listing(cx: &Cx, text: &str) -> Markup {
    html! {
        div.listing {
            button type="button" data-copy=(text) data-copied=(common::copied(cx)) hidden { (Icon::Copy.show()) (common::copy(cx)) }
            pre tabindex="0" { (text) }
        }
    }
}

/// What somebody filled in, if it is more than blanks.
fn given(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The lines that say something.
fn lines(text: &str) -> Vec<String> {
    text.lines().filter_map(given).collect()
}

/// The first value of a field of a form.
fn field<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

/// All collections, by name; none where REST does not say.
async fn collections(cx: &Cx) -> Vec<Collection> {
    let all = cx.api.all(MOST_COLLECTIONS, |cursor| async move {
        cx.api.get::<weir_api::List<Collection>>("/collections", &large(cursor)).await
    });
    all.await.unwrap_or_default()
}

/// Names of collections, or that there is no limit to them.
fn limit(cx: &Cx, collections: &[Reference], limited: bool) -> Markup {
    match (collections, limited) {
        ([], false) => html! { (t::unlimited(cx)) },
        ([], true) => html! { span.quiet { (t::limit_gone(cx)) } },
        (some, _) => html! {
            @for (at, collection) in some.iter().enumerate() {
                @if at > 0 { ", " }
                a href=(crate::address::path(&["computers", "collections", &collection.id.to_string()])) { (collection.name) }
            }
        },
    }
}

/// The same as text.
fn limit_text(collections: &[Reference]) -> String {
    collections.iter().map(|collection| collection.name.as_str()).collect::<Vec<_>>().join(", ")
}
