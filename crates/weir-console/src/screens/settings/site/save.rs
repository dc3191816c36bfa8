//! Setting what a form changes: each setting by itself, with its refusal beside it. What would give up something is confirmed
//! first, with what REST says of it.

use axum::{Form, response::Response};
use http::Uri;
use maud::html;
use serde_json::{Value, json};
use weir_api::{
    Problem,
    setting::{Setting, SettingChange},
};

use super::{HERE, Outcome, load, page};
use crate::{
    address::{Address, local, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{
        control::{Change, changes, plain},
        field,
    },
    texts::settings as t,
    ui::confirm::{Confirm, matches},
};

/// Where one comes from and goes back to: a view of the page.
fn origin(pairs: &[(String, String)]) -> String {
    let from = local(Some(field(pairs, "from")));
    if from == HERE || from.starts_with("/settings/site?") { from } else { HERE.to_owned() }
}

/// The page as it was when the form was made.
fn back(cx: &Cx, from: &str) -> Result<Cx, Failure> {
    let uri: Uri = from.parse().map_err(|error: http::uri::InvalidUri| Failure::internal("from", &error))?;
    Ok(cx.at(Address::of(&uri)))
}

/// Whether REST would do it if it were told so again.
fn can_be_forced(problem: &Problem) -> bool {
    problem.status == 409 && problem.next_step.as_ref().is_some_and(|next| next.contains("--force"))
}

async fn set(cx: &Cx, key: &str, value: &str, force: bool) -> Result<Value, Failure> {
    cx.api.put(&path(&["settings", key]), &SettingChange { value: json!(value), force }).await
}

/// Sets them.
pub(super) async fn save(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let from = origin(&pairs);
    let settings = load(&cx).await?;
    let mut outcome = Outcome { changes: changes(&pairs), ..Outcome::default() };
    let (mut waits, mut forced) = (None, None);
    for change in &outcome.changes {
        if let Some(now) = changed_meanwhile(&settings, change) {
            let why = t::set_meanwhile(&cx, &change.was, now);
            outcome.refused.insert(change.key.clone(), (why, None));
            continue;
        }
        match set(&cx, &change.key, &change.value, false).await {
            Ok(_) => outcome.set += 1,
            // the others do not wait for it
            Err(Failure::Waits(number)) => waits = Some(Failure::Waits(number)),
            Err(failure) => {
                let problem = failure.into_problem()?;
                if can_be_forced(&problem) && forced.is_none() {
                    forced = Some((change.clone(), problem.detail));
                } else {
                    outcome.refused.insert(change.key.clone(), (problem.detail, problem.next_step));
                }
            }
        }
    }
    if !outcome.refused.is_empty() {
        if let Some((change, detail)) = forced {
            outcome.refused.insert(change.key, (detail, None));
        }
        let settings = load(&cx).await?;
        let mut response = page(&back(&cx, &from)?, &settings, &outcome).await?;
        *response.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    }
    if let Some((change, detail)) = forced {
        return confirm(&cx, &change, &detail, &from, None).await;
    }
    if let Some(waits) = waits {
        return Err(waits);
    }
    Ok(if outcome.set == 0 { t::flash_nothing_changed() } else { t::flash_set(outcome.set) }.to(from))
}

/// What somebody else set since the form was made.
fn changed_meanwhile(settings: &[Setting], change: &Change) -> Option<String> {
    let now = plain(&settings.iter().find(|setting| setting.key == change.key)?.value);
    (now != change.was && now != change.value).then_some(now)
}

async fn confirm(
    cx: &Cx,
    change: &Change,
    detail: &str,
    from: &str,
    wrong: Option<String>,
) -> Result<Response, Failure> {
    let details = html! { div.panel.warn { p lang="en" { (detail) } } };
    let confirm = Confirm::new(
        t::force_sentence(cx, &change.key, &change.value),
        t::force_undo(cx, &change.key, &change.was),
        t::force(cx),
        "/settings/site/force",
        from,
    )
    .details(details)
    .field("key", &change.key)
    .field("value", &change.value)
    .field("was", &change.was)
    .field("detail", detail)
    .field("from", from)
    .typed(&change.key, wrong);
    Page::new(cx, t::force_title(cx, &change.key))
        .crumb(t::places(cx, "site"), HERE)
        .body(confirm.render(cx))
        .render()
        .await
}

/// Sets one although that gives something up, when its name was typed.
pub(super) async fn force(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let from = origin(&pairs);
    let text = |name: &str| field(&pairs, name).to_owned();
    let change = Change { key: text("key"), was: text("was"), value: text("value") };
    if !matches(field(&pairs, "typed"), &change.key) {
        let wrong = t::wrong_name(&cx, &change.key);
        return confirm(&cx, &change, field(&pairs, "detail"), &from, Some(wrong)).await;
    }
    match set(&cx, &change.key, &change.value, true).await {
        Ok(_) => Ok(t::flash_set(1).to(from)),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let mut outcome = Outcome::default();
            outcome.refused.insert(change.key.clone(), (problem.detail, problem.next_step));
            outcome.changes.push(change);
            let settings = load(&cx).await?;
            page(&back(&cx, &from)?, &settings, &outcome).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_rest_would_do_when_told_again_is_confirmed() {
        let problem = |status: u16, next: Option<&str>| Problem {
            status,
            code: "loses".to_owned(),
            title: String::new(),
            detail: String::new(),
            next_step: next.map(str::to_owned),
        };
        assert!(can_be_forced(&problem(409, Some("to lose that: weir settings set source none --force"))));
        assert!(!can_be_forced(&problem(409, Some("start the server with --client-https ADDRESS"))));
        assert!(!can_be_forced(&problem(400, None)));
    }
}
