//! What a run would do now, under the rules or under others.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    cleanup::{Cleanup, CleanupAction, CleanupItem, CleanupPreview, CleanupPreviewQuery},
};

use super::{SETTINGS, rules, wait};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    screens::updates::given,
    texts::cleanup as t,
    ui::{
        self,
        badge::{Tone, badge},
        form::Errors,
        grid::{CSV_ROWS, Column, Grid},
    },
};

/// Waits that are offered for superseded updates.
const WAITS: [&str; 6] = ["off", "immediately", "months:1", "months:3", "months:6", "months:12"];
/// What tries other rules than those that are set.
const RULES: [&str; 5] = ["superseded", "superseded_features", "expired_days", "declined_days", "obsolete_days"];

fn query(cx: &Cx, cursor: Option<String>, limit: u32) -> CleanupPreviewQuery {
    let text = |name: &str| cx.address.value(name).and_then(given);
    let days = |name: &str| cx.address.value(name).and_then(|days| days.trim().parse().ok());
    CleanupPreviewQuery {
        superseded: text("superseded"),
        superseded_features: text("superseded_features"),
        expired_days: days("expired_days"),
        declined_days: days("declined_days"),
        obsolete_days: days("obsolete_days"),
        action: cx.address.value("action").and_then(|word| serde_json::from_value(word.into()).ok()),
        cursor,
        limit: Some(limit),
        ..CleanupPreviewQuery::default()
    }
}

async fn load(cx: &Cx, query: &CleanupPreviewQuery) -> Result<CleanupPreview, Failure> {
    cx.api.get("/cleanup/preview", query).await
}

/// All items as CSV.
pub(super) async fn csv(cx: &Cx) -> Result<Response, Failure> {
    let rows = cx
        .api
        .all(CSV_ROWS, |cursor| async move {
            let preview = load(cx, &query(cx, cursor, 1000)).await?;
            Ok(List { items: preview.items, next: preview.next })
        })
        .await?;
    Ok(grid(cx, &rows).csv())
}

/// The tab.
pub(super) async fn show(cx: &Cx, cleanup: &Cleanup) -> Result<Markup, Failure> {
    let asked = query(cx, cx.address.value("cursor").map(str::to_owned), 100);
    let (preview, errors) = match load(cx, &asked).await {
        Ok(preview) => (preview, Errors::default()),
        // rules that cannot be read are said above, and what the settings say is shown
        Err(failure) => {
            let errors = Errors::of(&failure.into_problem()?, &RULES);
            (load(cx, &CleanupPreviewQuery::default()).await?, errors)
        }
    };
    let other = preview.rules != cleanup.rules;
    let table = grid(cx, &preview.items).next(preview.next.as_deref()).render();
    Ok(html! {
        (errors.summary(cx))
        @if other { div.panel.warn { p { (t::other_rules(cx)) } p { a href=(cx.address.path()) { (t::set_rules(cx)) } } } }
        div.columns {
            (ui::live("cleanup-preview", "updates settings", html! {
                section.panel { h2 { (t::would(cx)) } (figures(cx, &preview)) }
            }))
            section.panel {
                h2 { (t::rules(cx)) }
                (rules(cx, &preview.rules))
                p { a href=(SETTINGS) { (t::settings(cx)) } }
            }
        }
        (ui::live("cleanup-items", "updates settings", table))
    })
}

/// What a run would do, in numbers.
pub(super) fn figures(cx: &Cx, preview: &CleanupPreview) -> Markup {
    ui::facts(
        [
            (t::looked_at(cx), ui::number(cx, preview.processed)),
            (t::declines(cx), ui::number(cx, preview.declines)),
            (t::removes(cx), t::revisions_of(cx, preview.revisions, ui::number(cx, preview.updates))),
            (t::bytes(cx), ui::bytes(cx, preview.bytes)),
            (t::kept(cx), ui::number(cx, preview.kept)),
        ]
        .map(|(label, value)| (label.to_owned(), html! { (value) })),
    )
}

fn grid<'a>(cx: &'a Cx, rows: &'a [CleanupItem]) -> Grid<'a, CleanupItem> {
    let columns = vec![
        Column::new("title", t::update(cx), |row: &CleanupItem| {
            html! {
                a href=(path(&["updates", &row.id.to_string()])) { (if row.title.is_empty() { row.id.to_string() } else { row.title.clone() }) }
                @if let Some(revision) = row.revision { " " span.quiet { (t::revision(cx, revision)) } }
            }
        })
        .text(|row| row.title.clone())
        .wide()
        .narrow(),
        Column::new("action", t::action(cx), |row: &CleanupItem| {
            let tone = match row.action {
                CleanupAction::Decline => Tone::Warn,
                CleanupAction::Remove => Tone::Bad,
                CleanupAction::Keep => Tone::Good,
            };
            badge(tone, &t::actions(cx, &ui::word(&row.action)))
        })
        .text(|row| ui::word(&row.action))
        .narrow(),
        Column::new("reason", t::reason(cx), |row: &CleanupItem| html! { span lang="en" { (row.reason) } })
            .text(|row| row.reason.clone())
            .wide()
            .narrow(),
        Column::new("other", t::because_of(cx), |row: &CleanupItem| {
            html! { @if let Some(other) = &row.other { a href=(path(&["updates", &other.id.to_string()])) { (other.name) } } }
        })
        .text(|row| row.other.as_ref().map(|other| other.name.clone()).unwrap_or_default())
        .wide(),
        Column::new("id", t::id(cx), |row: &CleanupItem| html! { code { (row.id) } }).text(|row| row.id.to_string()).hidden(),
    ];
    Grid::new(cx, "cleanup", t::preview(cx), columns, rows)
        .filters(filters(cx))
        .empty(ui::empty(t::preview_empty(cx), Some((t::settings(cx), SETTINGS))))
}

fn filters(cx: &Cx) -> Markup {
    let chosen = |name: &str, value: &str| cx.address.value(name) == Some(value);
    let number = |name: &'static str, label: &str| {
        html! { label { (label) " " input type="number" name=(name) min="0" max="3650" value=[cx.address.value(name)]; } }
    };
    let waits = |name: &'static str, label: &str| {
        html! {
            label { (label) " "
                select name=(name) {
                    option value="" { (t::as_set(cx)) }
                    @for one in WAITS { option value=(one) selected[chosen(name, one)] { (wait(cx, one)) } }
                }
            }
        }
    };
    html! {
        label { (t::action(cx)) " "
            select name="action" data-submit {
                option value="" { (t::any_action(cx)) }
                @for one in ["decline", "remove", "keep"] { option value=(one) selected[chosen("action", one)] { (t::actions(cx, one)) } }
            }
        }
        details.advanced open[RULES.into_iter().any(|name| cx.address.value(name).is_some())] {
            summary { (t::try_rules(cx)) }
            p.help { (t::try_rules_help(cx)) }
            div.inline {
                (waits("superseded", t::superseded(cx)))
                (waits("superseded_features", t::superseded_features(cx)))
                (number("expired_days", t::expired_days(cx)))
                (number("declined_days", t::declined_days(cx)))
                (number("obsolete_days", t::obsolete_days(cx)))
            }
        }
    }
}
