//! The settings of deployments: as fields of a form, as REST takes them, and as people read them.

use maud::{Markup, html};
use serde_json::{Map, Value, json};
use weir_api::{
    List,
    deployment::{DeploymentSettingInfo, DeploymentSettings},
};

use super::filled::Filled;
use crate::{
    cx::Cx,
    failure::Failure,
    texts::deployments as t,
    ui::{
        self,
        form::{Errors, Field, group},
    },
};

/// Settings that are on or off, as REST names them.
const SWITCHES: [&str; 12] = [
    "outside_windows",
    "hold_until_window",
    "restart_outside_windows",
    "suppress_restart_servers",
    "suppress_restart_workstations",
    "grace",
    "metered",
    "fallback",
    "pre_download",
    "wake_on_lan",
    "commit_write_filter",
    "evaluate_after_restart",
];
/// Settings of one word among some, with these.
const CHOICES: [(&str, &[&str]); 2] =
    [("notifications", &["all", "restarts", "none"]), ("detail", &["all", "success_and_error", "error_only"])];
/// The settings of the alert.
const ALERT: [&str; 2] = ["alert_below_percent", "alert_minutes_after_deadline"];
/// All fields that a refusal may be about.
pub(super) const FIELDS: [&str; 16] = [
    "alert_below_percent=alert",
    "alert_minutes_after_deadline",
    "outside_windows",
    "hold_until_window",
    "restart_outside_windows",
    "suppress_restart_servers",
    "suppress_restart_workstations",
    "grace",
    "metered",
    "fallback",
    "pre_download",
    "wake_on_lan",
    "commit_write_filter",
    "evaluate_after_restart",
    "notifications",
    "detail",
];

/// What is known of every setting; nothing where REST does not say it.
pub(super) async fn known(cx: &Cx) -> Vec<DeploymentSettingInfo> {
    let list = cx.api.get::<List<DeploymentSettingInfo>>("/deployment-settings", &()).await;
    list.map(|list| list.items).unwrap_or_default()
}

/// Fills a form in with settings.
pub(super) fn fill(filled: &mut Filled, settings: &DeploymentSettings) -> Result<(), Failure> {
    let value = serde_json::to_value(settings).map_err(|error| Failure::internal("settings", &error))?;
    for name in SWITCHES {
        let default = name == "commit_write_filter";
        filled.switch(name, value.get(name).and_then(Value::as_bool).unwrap_or(default));
    }
    for (name, words) in CHOICES {
        let default = if name == "detail" { "success_and_error" } else { words.first().copied().unwrap_or_default() };
        filled.set(name, value.get(name).and_then(Value::as_str).unwrap_or(default));
    }
    filled.set("zone", if settings.local_time == Some(true) { "local" } else { "here" });
    let percent = settings.alert_below_percent.filter(|percent| *percent > 0);
    filled.set("alert_below_percent", percent.map(|percent| percent.to_string()).unwrap_or_default());
    let minutes = percent.and(settings.alert_minutes_after_deadline).filter(|minutes| *minutes > 0);
    filled.set("alert_minutes_after_deadline", minutes.map(|minutes| minutes.to_string()).unwrap_or_default());
    Ok(())
}

/// Whether the times of a form are times of day of each computer.
pub(super) fn is_local(filled: &Filled) -> bool {
    filled.text("zone") == "local"
}

/// The settings of a form, all of them. `takes_away` says that an alert that there was before goes if its field is empty.
pub(super) fn read(cx: &Cx, filled: &Filled, takes_away: bool) -> Result<DeploymentSettings, Errors> {
    let mut map = Map::new();
    map.insert("local_time".to_owned(), json!(is_local(filled)));
    for name in SWITCHES {
        map.insert(name.to_owned(), json!(filled.on(name)));
    }
    for (name, words) in CHOICES {
        if let Some(word) = words.iter().find(|word| **word == filled.text(name)) {
            map.insert(name.to_owned(), json!(word));
        }
    }
    let number = |name: &str| match filled.some(name).map(|text| text.parse::<u32>()) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(Errors::default().field(name, t::error_number(cx))),
    };
    match number("alert_below_percent")? {
        Some(percent @ 1..=100) => {
            map.insert("alert_below_percent".to_owned(), json!(percent));
            let minutes = number("alert_minutes_after_deadline")?.unwrap_or_default();
            map.insert("alert_minutes_after_deadline".to_owned(), json!(minutes));
        }
        Some(_) => return Err(Errors::default().field("alert_below_percent", t::error_percent(cx))),
        None if takes_away => drop(map.insert("alert_below_percent".to_owned(), json!(0))),
        None => {}
    }
    serde_json::from_value(Value::Object(map))
        .map_err(|error| Errors::default().field("notifications", error.to_string()))
}

/// The fields. `known` says who follows each.
pub(super) fn fields(cx: &Cx, filled: &Filled, errors: &Errors, known: &[DeploymentSettingInfo]) -> Markup {
    let help = |name: &str| {
        let fact =
            known.iter().find(|fact| fact.name == name).map(|fact| t::honoured_help(cx, &ui::word(&fact.honoured)));
        [t::setting_help(cx, name), fact.unwrap_or_default()].join(" ").trim().to_owned()
    };
    let switch =
        |name: &'static str| Field::new(name, t::setting(cx, name), errors).help(help(name)).switch(filled.on(name));
    let choice = |name: &'static str, words: &[&str]| {
        let options: Vec<(String, String)> =
            words.iter().map(|word| ((*word).to_owned(), t::setting_word(cx, word))).collect();
        Field::new(name, t::setting(cx, name), errors).help(help(name)).choice(&options, filled.text(name))
    };
    let [notifications, detail] = CHOICES;
    html! {
        (group(t::group_windows(cx), &html! {
            (switch("outside_windows")) (switch("restart_outside_windows")) (switch("hold_until_window"))
            (switch("suppress_restart_servers")) (switch("suppress_restart_workstations")) (switch("grace"))
        }))
        (group(t::group_people(cx), &html! { (choice(notifications.0, notifications.1)) (choice(detail.0, detail.1)) }))
        (group(t::group_alert(cx), &html! {
            (Field::new("alert_below_percent", t::setting(cx, "alert_below_percent"), errors).help(help("alert")).unit("%").input("number", filled.text("alert_below_percent")))
            (Field::new("alert_minutes_after_deadline", t::setting(cx, "alert_minutes_after_deadline"), errors).help(t::setting_help(cx, "alert_minutes_after_deadline")).unit(t::unit_minutes(cx)).input("number", filled.text("alert_minutes_after_deadline")))
        }))
        (group(t::group_content(cx), &html! { (switch("metered")) (switch("fallback")) (switch("pre_download")) }))
        (group(t::group_other(cx), &html! { (switch("wake_on_lan")) (switch("commit_write_filter")) (switch("evaluate_after_restart")) }))
    }
}

/// The value of a setting as people read it.
fn value(cx: &Cx, value: &Value) -> String {
    match value {
        Value::Bool(true) => t::yes(cx).to_owned(),
        Value::Bool(false) => t::no(cx).to_owned(),
        Value::String(word) => t::setting_word(cx, word),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// All settings with who follows each.
pub(super) fn table(
    cx: &Cx,
    settings: &DeploymentSettings,
    known: &[DeploymentSettingInfo],
) -> Result<Markup, Failure> {
    let values = serde_json::to_value(settings).map_err(|error| Failure::internal("settings", &error))?;
    let empty = Map::new();
    let values = values.as_object().unwrap_or(&empty);
    let fact = |name: &str| {
        let name = if name.starts_with("alert_") { "alert" } else { name };
        known.iter().find(|fact| fact.name == name)
    };
    Ok(html! {
        div.scroll {
            table {
                caption.hide { (t::tab_settings(cx)) }
                thead { tr { @for head in [t::col_setting(cx), t::col_value(cx), t::col_honoured(cx), t::col_note(cx)] { th scope="col" { (head) } } } }
                tbody {
                    @for (name, held) in values {
                        tr {
                            th scope="row" { (t::setting(cx, name)) div.quiet { (t::setting_help(cx, name)) } }
                            td { (value(cx, held)) }
                            @match fact(name) {
                                Some(fact) => {
                                    td { (t::honoured(cx, &ui::word(&fact.honoured))) }
                                    td lang="en" { (fact.note) }
                                },
                                None => { td {} td {} },
                            }
                        }
                    }
                }
            }
        }
    })
}

/// Whether two forms have other settings.
pub(super) fn is_other(one: &Filled, other: &Filled) -> bool {
    SWITCHES.iter().any(|name| one.on(name) != other.on(name))
        || CHOICES.iter().any(|(name, _)| one.text(name) != other.text(name))
        || ALERT.iter().any(|name| one.some(name) != other.some(name))
}

/// What differs between two forms: label, before, after.
pub(super) fn differences(cx: &Cx, before: &Filled, after: &Filled) -> Vec<(String, String, String)> {
    let mut rows = Vec::new();
    for name in SWITCHES {
        if before.on(name) != after.on(name) {
            let word = |on: bool| if on { t::yes(cx) } else { t::no(cx) };
            rows.push((t::setting(cx, name), word(before.on(name)).to_owned(), word(after.on(name)).to_owned()));
        }
    }
    for (name, _) in CHOICES {
        if before.text(name) != after.text(name) {
            let (old, new) = (t::setting_word(cx, before.text(name)), t::setting_word(cx, after.text(name)));
            rows.push((t::setting(cx, name), old, new));
        }
    }
    for name in ALERT {
        if before.some(name) != after.some(name) {
            let word = |filled: &Filled| filled.some(name).unwrap_or_else(|| t::none(cx).to_owned());
            rows.push((t::setting(cx, name), word(before), word(after)));
        }
    }
    rows
}
