//! What a set sets: a field for every setting there is, empty where the set leaves it to weaker ones.

use std::collections::BTreeMap;

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde_json::{Value, json};
use weir_api::{
    Problem,
    client_settings::{ClientSettingDefinition, ClientSettingsChange, ClientSettingsSet},
};

use super::{address, definitions, find, frame, open, reach, reached};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{
        control::{Change, Row, changes, plain, shown},
        field,
    },
    texts::{client_settings as t, common, settings as s},
    ui::{
        badge::{Tone, badge},
        confirm::Confirm,
        form::Errors,
    },
};

/// A form that comes back.
#[derive(Debug, Default)]
pub(super) struct Again {
    changes: Vec<Change>,
    refused: BTreeMap<String, String>,
    whole: Errors,
}

/// The tab.
pub(super) async fn show(cx: &Cx, set: &ClientSettingsSet, again: &Again) -> Result<Markup, Failure> {
    let definitions = definitions(cx).await?;
    let open = open(cx, set);
    let text = cx.address.value("text").map(str::to_lowercase);
    let only = cx.address.value("only") == Some("set");
    let fits = |one: &&ClientSettingDefinition| {
        let found =
            text.as_ref().is_none_or(|text| one.key.contains(text) || one.meaning.to_lowercase().contains(text));
        found && (!only || set.settings.contains_key(&one.key))
    };
    let shown: Vec<&ClientSettingDefinition> = definitions.iter().filter(fits).collect();
    let own = address(set);
    let errors =
        again.refused.iter().fold(again.whole.clone(), |errors, (key, why)| errors.field(key, format!("{key}: {why}")));
    let rows = html! { section.panel.setting-list { @for one in &shown { (row(cx, set, one, again, open)) } } };
    Ok(html! {
        form.filters.alone method="get" action=(own) role="search" {
            label.hide for="text" { (t::find(cx)) }
            input id="text" type="search" name="text" value=[cx.address.value("text")] placeholder=(t::find(cx)) maxlength="100";
            label.check { input type="checkbox" name="only" value="set" checked[only]; (t::only_set(cx)) }
            button type="submit" { (common::filter(cx)) }
            @if text.is_some() || only { a.button.plain href=(own) { (t::show_all(cx)) } }
        }
        (errors.summary(cx))
        @if shown.is_empty() { div.empty { p { (t::no_setting(cx)) } p { a.button href=(own) { (t::show_all(cx)) } } } }
        @else if open {
            form method="post" action=(own) {
                (rows)
                div.buttons.foot { button.primary type="submit" { (t::review(cx)) } }
            }
        } @else { (rows) }
    })
}

fn row(cx: &Cx, set: &ClientSettingsSet, one: &ClientSettingDefinition, again: &Again, open: bool) -> Markup {
    let here = set.settings.get(&one.key);
    let was = here.map(plain).unwrap_or_default();
    let typed = again.changes.iter().find(|change| change.key == one.key);
    let value = typed.map_or_else(|| was.clone(), |change| change.value.clone());
    let blank = if set.default { t::blank_default(cx) } else { t::blank(cx) };
    let more = html! {
        p.marks {
            @if here.is_some() { (badge(Tone::Busy, t::set_here(cx))) " " }
            @for who in &one.honoured { (honoured(cx, who)) " " }
        }
    };
    Row {
        key: &one.key,
        meaning: &one.meaning,
        values: &one.values,
        default: &one.default,
        was,
        value,
        unit: None,
        blank: Some(blank.to_owned()),
        error: again.refused.get(&one.key).map(String::as_str),
        more,
        open,
    }
    .show(cx)
}

/// Who acts upon a setting: `policy: NAMES`, `server: HOW` or `stored: WHY`.
fn honoured(cx: &Cx, who: &str) -> Markup {
    let (who, how) = who.split_once(": ").unwrap_or((who, ""));
    let tone = if who == "stored" { Tone::Plain } else { Tone::Good };
    html! { span.who { (badge(tone, &t::honoured(cx, who))) " " span.quiet lang="en" { (how) } } }
}

/// Asks whether the changes are meant, or makes them.
pub(super) async fn save(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let set = find(&cx, &name).await?;
    let changes = changes(&pairs);
    if changes.is_empty() {
        return Ok(s::flash_nothing_changed().to(address(&set)));
    }
    if field(&pairs, "sure") != "1" {
        return confirm(&cx, &set, &changes).await;
    }
    let (set_to, unset): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|change| !change.value.is_empty());
    let wanted = ClientSettingsChange {
        set: set_to.into_iter().map(|change| (change.key.clone(), json!(change.value))).collect(),
        unset: unset.into_iter().map(|change| change.key.clone()).collect(),
        ..ClientSettingsChange::default()
    };
    match cx.api.patch::<ClientSettingsSet>(&format!("/client-settings/{}", set.id), &wanted).await {
        Ok(set) => Ok(t::flash_set(changes.len() as u64, &set.name).to(address(&set))),
        Err(failure) => {
            let again = refusal(&failure.into_problem()?, changes);
            let cx = cx.at(Address::new(address(&set)));
            let body = show(&cx, &set, &again).await?;
            let mut response = frame(&cx, &set, None, body).await?;
            *response.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
    }
}

/// Puts a refusal beside the setting that it names.
fn refusal(problem: &Problem, changes: Vec<Change>) -> Again {
    let next = problem.next_step.as_deref().unwrap_or_default();
    let words = |text: &str, key: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').any(|word| word.trim_end_matches('.') == key)
    };
    let named = changes.iter().find(|change| words(next, &change.key) || words(&problem.detail, &change.key));
    let refused = named.map(|change| {
        let why = if next.is_empty() { problem.detail.clone() } else { format!("{}. {next}", problem.detail) };
        (change.key.clone(), why)
    });
    let whole = if refused.is_some() { Errors::default() } else { Errors::of(problem, &[]) };
    Again { refused: refused.into_iter().collect(), whole, changes }
}

async fn confirm(cx: &Cx, set: &ClientSettingsSet, changes: &[Change]) -> Result<Response, Failure> {
    let reach = reach(cx, set).await;
    let value = |text: &str| {
        html! { @if text.is_empty() { span.quiet { (t::left_to_others(cx)) } } @else { (shown(cx, &Value::String(text.to_owned()))) } }
    };
    let details = html! {
        table.plain {
            caption.hide { (t::changes(cx)) }
            thead { tr { @for head in [t::setting(cx), t::before(cx), t::after(cx)] { th scope="col" { (head) } } } }
            tbody { @for change in changes { tr { th scope="row" { code { (change.key) } } td { (value(&change.was)) } td { (value(&change.value)) } } } }
        }
        (reached(cx, set, &reach))
        p.quiet { (t::when(cx)) }
    };
    let own = address(set);
    let sentence = t::save_sentence(cx, changes.len() as u64, &set.name);
    let mut confirm =
        Confirm::new(sentence, t::save_undo(cx), t::save(cx), &own, &own).details(details).field("sure", "1");
    for change in changes {
        confirm = confirm.field(&format!("was:{}", change.key), &change.was).field(&change.key, &change.value);
    }
    Page::new(cx, t::review(cx))
        .crumb(s::places(cx, "client_settings"), super::HERE)
        .crumb(&set.name, own)
        .body(confirm.render(cx))
        .render()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_stands_beside_the_setting_that_it_names() {
        let change = |key: &str| Change { key: key.to_owned(), was: String::new(), value: "x".to_owned() };
        let problem = Problem {
            status: 400,
            code: "client_setting_value".to_owned(),
            title: String::new(),
            detail: "\"x\" is no number".to_owned(),
            next_step: Some("reminder.far_hours takes 1 to 999 hours".to_owned()),
        };
        let again = refusal(&problem, vec![change("scan.schedule"), change("reminder.far_hours")]);
        assert!(again.refused.contains_key("reminder.far_hours") && again.whole.is_empty());
        let problem = Problem { next_step: None, ..problem };
        let again = refusal(&problem, vec![change("scan.schedule")]);
        assert!(again.refused.is_empty() && !again.whole.is_empty());
    }
}
