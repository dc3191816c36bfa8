//! Where a computer is: collections with the reason, its windows, and the client settings that come of them.

use maud::{Markup, html};
use weir_api::{
    Reference,
    client_settings::{ResultantClientSetting, ResultantClientSettings},
    collection::{CollectionWhy, WhyQuery},
    computer::ComputerDetail,
    window::NextWindow,
};

use super::super::{at, collection_at, collection_links, plain, rest};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::computers as t,
    ui::{
        self,
        badge::{Tone, badge},
    },
};

/// Collections of which it is told why.
const MOST: usize = 30;

/// All three.
pub(super) async fn show(cx: &Cx, computer: &ComputerDetail) -> Result<Markup, Failure> {
    let id = &computer.row.id;
    let shown: Vec<&Reference> = computer.row.collections.iter().take(MOST).collect();
    let questions =
        shown.iter().map(|one| (path(&["collections", &one.id.to_string(), "why"]), WhyQuery { computer: id.clone() }));
    let settings = path(&["computers", id, "client-settings"]);
    let (reasons, settings) = tokio::join!(
        rest::each::<WhyQuery, CollectionWhy>(cx, questions.collect()),
        cx.api.get::<ResultantClientSettings>(&settings, &()),
    );
    let settings = settings?;
    let collections = html! {
        section.panel {
            h2 { (t::collections(cx)) }
            table {
                caption.hide { (t::collections(cx)) }
                thead { tr { th scope="col" { (t::col_collection(cx)) } th scope="col" { (t::col_why(cx)) } } }
                tbody {
                    @for (at, one) in computer.row.collections.iter().enumerate() {
                        tr {
                            th scope="row" { a href=(collection_at(one)) { (one.name) } }
                            td lang="en" {
                                @if let Some(reason) = reasons.get(at).and_then(Option::as_ref) { @for line in reason.why.lines() { div { (line) } } }
                            }
                        }
                    }
                }
            }
            @if !computer.requested_groups.is_empty() {
                p { (t::requested(cx)) " " @for (at, group) in computer.requested_groups.iter().enumerate() { @if at > 0 { ", " } code { (group) } } }
            }
        }
    };
    Ok(html! {
        (ui::live("places-live", "collections computers", html! {
            (collections)
            section.panel { h2 { (t::windows(cx)) } (windows(cx, computer)) }
        }))
        (resulting(cx, &settings))
    })
}

/// When updates may install next, in few words.
pub(in super::super) fn next(cx: &Cx, window: Option<&NextWindow>) -> Markup {
    match window {
        None => ui::none(cx),
        Some(NextWindow { unrestricted: true, .. }) => html! { (t::window_any(cx)) },
        Some(NextWindow { open: true, ends_at, .. }) => html! {
            (badge(Tone::Good, t::window_open(cx)))
            @if let Some(at) = ends_at { " " (t::window_until(cx)) " " (ui::ago(cx, *at)) }
        },
        Some(window) => match window.starts_at {
            None => badge(Tone::Warn, t::window_never(cx)),
            Some(at) => ui::ago(cx, at),
        },
    }
}

fn windows(cx: &Cx, computer: &ComputerDetail) -> Markup {
    let zone = html! {
        @if let Some(window) = &computer.next_window { (window.zone) " " span.quiet lang="en" { "(" (window.zone_from) ")" } }
    };
    let own = computer.next_window.as_ref();
    html! {
        (ui::facts([
            (t::fact_window(cx).to_owned(), next(cx, own)),
            (t::window_begins(cx).to_owned(), ui::time_or(cx, own.and_then(|window| window.starts_at))),
            (t::window_ends(cx).to_owned(), ui::time_or(cx, own.and_then(|window| window.ends_at))),
            (t::window_local(cx).to_owned(), match own.and_then(|window| window.local_start.as_ref()) {
                None => ui::none(cx),
                Some(local) => html! { (local) },
            }),
            (t::zone_label(cx).to_owned(), zone),
            (t::windows_count(cx).to_owned(), match own.map(|window| window.windows.as_slice()) {
                None | Some([]) => ui::none(cx),
                Some(names) => html! { (names.join(", ")) },
            }),
        ]))
        p { a href={ (at(&computer.row.id)) "?tab=machine" } { (t::zone_change(cx)) } " · " a href="/deployments/windows" { (t::windows_all(cx)) } }
    }
}

/// Client settings that hold, those that somebody set first.
pub(in super::super) fn resulting(cx: &Cx, settings: &ResultantClientSettings) -> Markup {
    let (built_in, set): (Vec<_>, Vec<_>) = settings.settings.iter().partition(|one| one.origin == "built_in");
    html! {
        section.panel {
            h2 { (t::client_settings(cx)) }
            @for warning in &settings.warnings { div.panel.warn { p lang="en" { code { (warning.key) } " " (warning.message) } } }
            @if set.is_empty() { p { (t::settings_none(cx)) " " a href="/settings/client-settings" { (t::settings_sets(cx)) } } }
            @else { (table(cx, &set)) }
            @if !built_in.is_empty() {
                details {
                    summary { (t::settings_built_in(cx, built_in.len() as u64)) }
                    (table(cx, &built_in))
                }
            }
        }
    }
}

fn table(cx: &Cx, settings: &[&ResultantClientSetting]) -> Markup {
    html! {
        div.scroll {
            table {
                caption.hide { (t::client_settings(cx)) }
                thead { tr { @for head in [t::col_setting(cx), t::col_value(cx), t::col_origin(cx), t::collections(cx), t::col_beat(cx)] { th scope="col" { (head) } } } }
                tbody {
                    @for one in settings {
                        tr {
                            th scope="row" { code { (one.key) } }
                            td { (plain(&one.value)) }
                            td {
                                @if let Some(set) = &one.set { a href=(path(&["settings", "client-settings", &set.name])) { (set.name) } }
                                @else { (t::origin(cx, &one.origin)) }
                            }
                            td { (collection_links(cx, &one.collections)) }
                            td.quiet { @for beaten in &one.beat { div { (beaten.set) ": " (plain(&beaten.value)) } } }
                        }
                    }
                }
            }
        }
    }
}
