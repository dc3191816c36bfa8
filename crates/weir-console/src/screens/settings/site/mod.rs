//! The settings of the site: by group, found by a text, with what each takes, what holds and what holds by default.

mod group;
mod save;

use std::collections::BTreeMap;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use weir_api::{List, access::Role, setting::Setting};

use self::group::GROUPS;
use super::{
    control::{Change, Row, plain},
    may,
};
use crate::{
    Console,
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, settings as t},
    ui::{
        badge::{Tone, badge},
        form::Errors,
        tabs::Tab,
    },
};

/// The page.
pub(super) const HERE: &str = "/settings/site";

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new().route(HERE, get(show).post(save::save)).route("/settings/site/force", post(save::force))
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    let settings = load(&cx).await?;
    page(&cx, &settings, &Outcome::default()).await
}

async fn load(cx: &Cx) -> Result<Vec<Setting>, Failure> {
    Ok(cx.api.get::<List<Setting>>("/settings", &()).await?.items)
}

/// What became of a form that was sent.
#[derive(Debug, Default)]
struct Outcome {
    /// What was filled in.
    changes: Vec<Change>,
    /// What was refused, by setting, and what helps.
    refused: BTreeMap<String, (String, Option<String>)>,
    /// How many were set all the same.
    set: u64,
}

/// The settings that an address asks for: those of a group, or those that a text finds or that are not as by default.
fn asked<'a>(cx: &Cx, settings: &'a [Setting]) -> Vec<(&'static str, Vec<&'a Setting>)> {
    let text = cx.address.value("text").map(str::to_lowercase);
    let only = cx.address.value("only") == Some("set");
    let tab = cx.address.value("tab").unwrap_or("synchronization");
    let searched = text.is_some() || only;
    let fits = |setting: &&Setting| {
        let found = text.as_ref().is_none_or(|text| {
            setting.key.to_lowercase().contains(text) || setting.description.to_lowercase().contains(text)
        });
        found && (!only || setting.value != setting.default)
    };
    let of = |group: &'static str| {
        let mut list: Vec<&Setting> =
            settings.iter().filter(|setting| group::group(&setting.key) == group).filter(fits).collect();
        list.sort_by_key(|setting| setting.key.as_str());
        (group, list)
    };
    let groups = GROUPS.into_iter().filter(|group| searched || *group == tab).map(of);
    groups.filter(|(_, list)| !list.is_empty()).collect()
}

async fn page(cx: &Cx, settings: &[Setting], outcome: &Outcome) -> Result<Response, Failure> {
    let groups = asked(cx, settings);
    let open = may(cx, Role::FullAdministrator);
    let errors = outcome
        .refused
        .iter()
        .fold(Errors::default(), |errors, (key, (why, _))| errors.field(key, format!("{key}: {why}")));
    let set = settings.iter().filter(|setting| setting.value != setting.default).count() as u64;
    let from = cx.address.without("default").without("format");
    let sections = html! {
        @for (group, list) in &groups {
            section.panel.setting-list {
                h2 { (t::groups(cx, group)) }
                @for setting in list { (row(cx, setting, outcome, open)) }
            }
        }
    };
    let body = html! {
        (filters(cx))
        (errors.summary(cx))
        @if outcome.set > 0 { div.panel { p { (t::set_all_the_same(cx, outcome.set)) } } }
        @if groups.is_empty() {
            div.empty { p { (t::site_nothing(cx)) } p { a.button href=(HERE) { (t::site_all(cx)) } } }
        } @else if open {
            form method="post" action=(HERE) {
                input type="hidden" name="from" value=(from);
                (sections)
                div.buttons.foot { button.primary type="submit" { (t::save(cx)) } }
            }
        } @else { (sections) }
    };
    let searched = cx.address.value("text").is_some() || cx.address.value("only").is_some();
    let chosen = cx.address.value("tab").unwrap_or("synchronization");
    let tabs = GROUPS.into_iter().filter(|group| settings.iter().any(|one| group::group(&one.key) == *group));
    let tabs = tabs.map(|group| {
        let number = settings.iter().filter(|one| group::group(&one.key) == group).count() as u64;
        Tab::link(t::groups(cx, group), cx.to(HERE).with("tab", group), !searched && chosen == group).number(number)
    });
    Page::new(cx, t::places(cx, "site"))
        .fact(t::set_here(cx), html! { a href=(cx.to(HERE).with("only", "set")) { (crate::ui::number(cx, set)) } })
        .tabs(tabs.collect())
        .body(body)
        .render()
        .await
}

fn filters(cx: &Cx) -> Markup {
    html! {
        form.filters.alone method="get" action=(HERE) role="search" {
            label.hide for="text" { (t::site_search(cx)) }
            input id="text" type="search" name="text" value=[cx.address.value("text")] placeholder=(t::site_search(cx)) maxlength="100";
            label.check { input type="checkbox" name="only" value="set" checked[cx.address.value("only").is_some()]; (t::site_only_set(cx)) }
            button type="submit" { (common::filter(cx)) }
            @if cx.address.value("text").is_some() || cx.address.value("only").is_some() { a.button.plain href=(HERE) { (t::site_all(cx)) } }
        }
    }
}

fn row(cx: &Cx, setting: &Setting, outcome: &Outcome, open: bool) -> Markup {
    let key = setting.key.as_str();
    let was = plain(&setting.value);
    let typed = outcome.changes.iter().find(|change| change.key == key);
    let by_default = cx.address.value("default") == Some(key);
    let value = match typed {
        Some(change) => change.value.clone(),
        None if by_default => plain(&setting.default),
        None => was.clone(),
    };
    let refused = outcome.refused.get(key);
    let error = refused.map(|(why, next)| match next {
        Some(next) => format!("{why}. {next}"),
        None => why.clone(),
    });
    let changed = setting.value != setting.default;
    let back = cx.address.with("default", key);
    let more = html! {
        p.marks {
            @if changed { (badge(Tone::Busy, t::is_set(cx))) " " }
            @if changed && open && !by_default { a href={ (back) "#f-" (key) } { (t::back_to_default(cx)) } " " }
            @if by_default && changed { span.quiet { (t::default_filled_in(cx)) } " " }
            @if let Some((address, name)) = group::place(key) { a href=(Address::new(address)) { (t::looks(cx, name)) } }
        }
    };
    Row {
        key,
        meaning: &setting.description,
        values: &setting.values,
        default: &setting.default,
        was,
        value,
        unit: group::unit(key).map(|unit| t::units(cx, unit)),
        blank: None,
        error: error.as_deref(),
        more,
        open,
    }
    .show(cx)
}
