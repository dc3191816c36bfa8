//! The rule that retires computers, who would go by it, and going.

use axum::{Form, response::Response};
use maud::{Markup, html};
use weir_api::{
    Problem,
    access::Role,
    bulk::ItemResult,
    retirement::{RetirementDone, RetirementPreview, RetirementQuery, RetirementRun},
    setting::{Setting, SettingChange, SettingChanged},
};

use super::{
    super::{link, plain},
    HERE,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, computers as t},
    ui::{
        self,
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// Refusals that are shown.
const REFUSALS: usize = 50;
/// Settings of the rule, and their fields.
const RULE: [(&str, &str); 2] = [("computers.retire_days", "days"), ("computers.retire_percent", "percent")];

/// The rule, who would go, and the button.
pub(super) async fn show(cx: &Cx, errors: &Errors) -> Result<Markup, Failure> {
    let silent_days = cx.address.value("silent_days").and_then(|days| days.trim().parse().ok());
    let query = RetirementQuery { silent_days, duplicates: false };
    let [days_key, percent_key] = RULE.map(|(key, _)| path(&["settings", key]));
    let (preview, days, percent) = tokio::join!(
        cx.api.get::<RetirementPreview>("/computers/retirement", &query),
        cx.api.get::<Setting>(&days_key, &()),
        cx.api.get::<Setting>(&percent_key, &()),
    );
    let (preview, asked) = match preview {
        Ok(preview) => (Some(preview), Errors::default()),
        Err(failure) => (None, Errors::default().field("silent_days", failure.into_problem()?.detail)),
    };
    let days_now = preview.as_ref().and_then(|preview| preview.silent_days).or(silent_days);
    Ok(html! {
        div.columns {
            section.panel {
                h2 { (t::retire_who(cx)) }
                (asked.summary(cx))
                form method="get" action=(HERE) {
                    input type="hidden" name="tab" value="retirement";
                    (Field::new("silent_days", t::retire_days(cx), &asked).help(t::retire_days_help(cx)).unit(t::unit_days(cx))
                        .input("number", &days_now.map(|days| days.to_string()).unwrap_or_default()))
                    button type="submit" { (t::retire_look(cx)) }
                }
                @if let Some(preview) = &preview {
                    (due(cx, preview))
                    @if cx.may(Role::Operator) && preview.due > 0 {
                        form method="post" action=(HERE) data-dialog {
                            input type="hidden" name="silent_days" value=(preview.silent_days.map(|days| days.to_string()).unwrap_or_default());
                            button.primary type="submit" name="act" value="retire" { (t::retire_now(cx)) }
                        }
                    }
                }
            }
            section.panel {
                h2 { (t::retire_rule(cx)) }
                p { @if preview.as_ref().is_some_and(|preview| preview.by_rule) { (t::rule_on(cx)) } @else { (t::rule_off(cx)) } }
                @if let (Ok(days), Ok(percent)) = (&days, &percent) { (rule(cx, days, percent, errors)) }
                p.quiet { (t::retire_means(cx)) }
            }
        }
    })
}

fn rule(cx: &Cx, days: &Setting, percent: &Setting, errors: &Errors) -> Markup {
    let (days, percent) = (plain(&days.value), plain(&percent.value));
    html! {
        @if cx.may(Role::FullAdministrator) {
            (errors.summary(cx))
            form method="post" action=(HERE) {
                (Field::new("days", t::rule_days(cx), errors).help(t::rule_days_help(cx)).unit(t::unit_days(cx)).input("number", &days))
                (Field::new("percent", t::rule_percent(cx), errors).help(t::rule_percent_help(cx)).unit("%").input("number", &percent))
                button type="submit" name="act" value="rule" { (t::save(cx)) }
            }
        } @else {
            (ui::facts([
                (t::rule_days(cx).to_owned(), html! { (days) " " (t::unit_days(cx)) }),
                (t::rule_percent(cx).to_owned(), html! { (percent) "\u{a0}%" }),
            ]))
        }
    }
}

/// Who would go, the first of them by name.
pub(in super::super) fn due(cx: &Cx, preview: &RetirementPreview) -> Markup {
    let more = preview.due.saturating_sub(preview.first.len() as u64);
    html! {
        p { (t::retire_due(cx, preview.due, ui::number(cx, preview.computers), ui::percent(cx, preview.percent))) }
        @if let Some(at) = preview.as_of { p.quiet { (t::retire_as_of(cx)) " " (ui::ago(cx, at)) } }
        @if preview.needs_confirmation {
            div.panel.warn { p { (t::retire_many(cx, ui::number(cx, preview.most), ui::number(cx, preview.recent))) } }
        }
        @if !preview.first.is_empty() {
            ul.samples { @for one in &preview.first { li { (link(&one.name, &one.id)) " " span.quiet { (ui::ago(cx, one.last_contact)) } } } }
            @if more > 0 { p.quiet { (common::more(cx, more)) } }
        }
        @if preview.failed > 0 {
            p { (t::would_fail(cx, preview.failed)) }
            ul.samples {
                @for item in preview.items.iter().filter(|item| item.result == ItemResult::Failed).take(REFUSALS) {
                    li { (link("", &item.id)) " " span lang="en" { (item.detail.as_deref().unwrap_or_default()) } }
                }
            }
        }
    }
}

/// A retirement that somebody asks for.
pub(in super::super) struct Asked<'a> {
    /// Of whom.
    pub(in super::super) run: RetirementRun,
    /// Where the confirmation goes, with `act=retire`.
    pub(in super::super) to: &'static str,
    /// Where one goes back to.
    pub(in super::super) back: String,
    /// It was confirmed.
    pub(in super::super) sure: bool,
    /// So many were seen then.
    pub(in super::super) due: &'a str,
    /// What was typed, where more are due than may go at once.
    pub(in super::super) typed: &'a str,
}

/// Asks for confirmation, or retires. What is done is what was seen: if others are due by then, it is asked again.
pub(in super::super) async fn retire(cx: &Cx, asked: Asked<'_>) -> Result<Response, Failure> {
    let preview: RetirementPreview = if asked.run.ids.is_empty() {
        let query = RetirementQuery { silent_days: asked.run.silent_days, duplicates: asked.run.duplicates };
        cx.api.get("/computers/retirement", &query).await?
    } else {
        cx.api.post("/computers/retirement/preview", &asked.run).await?
    };
    let number = preview.due.to_string();
    let typed = !preview.needs_confirmation || asked.typed.trim() == number;
    let mut refused = None;
    if asked.sure && typed && asked.due == number {
        let silent_days = preview.silent_days;
        let run = RetirementRun { silent_days, confirm: Some(preview.due), ..asked.run.clone() };
        match cx.api.post::<RetirementDone>("/computers/retirement", &run).await {
            Ok(done) => return Ok(t::flash_retired(done.retired).to("/computers/stale?tab=retired")),
            Err(failure) => refused = Some(failure.into_problem()?),
        }
    }
    let wrong = (asked.sure && !typed).then(|| t::typed_wrong(cx).to_owned());
    let confirm = confirmation(cx, &preview, refused.as_ref(), wrong, &asked);
    Page::new(cx, t::retire_now(cx)).body(confirm.render(cx)).render().await
}

/// More than the site lets go at once wants the number typed.
fn confirmation(
    cx: &Cx,
    preview: &RetirementPreview,
    refused: Option<&Problem>,
    wrong: Option<String>,
    asked: &Asked<'_>,
) -> Confirm {
    let errors = refused.map(|problem| Errors::of(problem, &[])).unwrap_or_default();
    let days = preview.silent_days.map(|days| days.to_string()).unwrap_or_default();
    let sentence = t::retire_sentence(cx, preview.due);
    let confirm = Confirm::new(sentence, t::retire_undo(cx), t::retire_now(cx), asked.to, &asked.back)
        .details(html! { (errors.summary(cx)) (due(cx, preview)) })
        .field("act", "retire")
        .field("silent_days", days)
        .field("due", preview.due.to_string())
        .field("sure", "1")
        .nothing(preview.due == 0);
    let ids = &asked.run.ids;
    let confirm = if ids.is_empty() { confirm } else { confirm.field("ids", ids.join(",")).field("from", &asked.back) };
    if preview.needs_confirmation { confirm.typed(preview.due.to_string(), wrong) } else { confirm.danger() }
}

/// What the forms send.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(in super::super) struct Sent {
    act: String,
    silent_days: String,
    due: String,
    days: String,
    percent: String,
    sure: String,
    typed: String,
}

/// Retires, or changes the rule.
pub(in super::super) async fn act(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let tab = Address::new(HERE).with("tab", "retirement");
    match sent.act.as_str() {
        "retire" => {
            let silent_days = sent.silent_days.trim().parse().ok();
            let back = silent_days.map_or_else(|| tab.clone(), |days: u32| tab.with("silent_days", days)).to_string();
            let run = RetirementRun { silent_days, ..RetirementRun::default() };
            let (sure, due, typed) = (sent.sure == "1", sent.due.as_str(), sent.typed.as_str());
            retire(&cx, Asked { run, to: HERE, back, sure, due, typed }).await
        }
        "rule" => change_rule(&cx, &sent, &tab).await,
        _ => Err(Failure::NotFound),
    }
}

/// A rule that is on retires by itself: who would go at first is seen before.
async fn change_rule(cx: &Cx, sent: &Sent, tab: &Address) -> Result<Response, Failure> {
    let days = sent.days.trim();
    let refused = |field: &'static str, failure: Failure| {
        failure.into_problem().map(|problem| Errors::default().field(field, problem.detail))
    };
    if days != "0" && sent.sure != "1" {
        let Ok(number) = days.parse::<u32>() else {
            let errors = Errors::default().field("days", t::rule_days_help(cx));
            return super::page(&cx.at(tab.clone()), &errors).await;
        };
        let query = RetirementQuery { silent_days: Some(number), duplicates: false };
        let preview: RetirementPreview = match cx.api.get("/computers/retirement", &query).await {
            Ok(preview) => preview,
            Err(failure) => return super::page(&cx.at(tab.clone()), &refused("days", failure)?).await,
        };
        let sentence = t::rule_sentence(cx, u64::from(number));
        let confirm = Confirm::new(sentence, t::rule_undo(cx), t::save(cx), HERE, tab.to_string())
            .details(due(cx, &preview))
            .field("act", "rule")
            .field("days", days)
            .field("percent", sent.percent.trim())
            .field("sure", "1");
        return Page::new(cx, t::retire_rule(cx)).body(confirm.render(cx)).render().await;
    }
    // the brake before what it brakes
    for ((key, field), value) in RULE.into_iter().zip([days, sent.percent.trim()]).rev() {
        let change = SettingChange { value: value.to_owned().into(), force: false };
        if let Err(failure) = cx.api.put::<SettingChanged>(&path(&["settings", key]), &change).await {
            return super::page(&cx.at(tab.clone()), &refused(field, failure)?).await;
        }
    }
    Ok(t::flash_setting().to(tab))
}
