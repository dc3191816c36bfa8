//! One bundle: what is here of it, what it holds, taking it over or dropping it.

use axum::{extract::Path, response::Response};
use http::HeaderMap;
use maud::{Markup, html};
use weir_api::{
    access::Role,
    bundle::{Bundle, BundlePart, BundleResult, BundleState},
};

use super::{
    import::{bundle_state, signer},
    may,
    parts::{self, Refused},
    upload,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    relay,
    texts::{infrastructure as t, infrastructure_files as f},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::Errors,
        grid::{Column, Grid, wants_csv},
    },
};

/// The list that bundles are in.
const LIST: &str = "/infrastructure/import?tab=bundles";

fn own(bundle: &Bundle) -> String {
    path(&["infrastructure", "import", "bundles", &bundle.id.to_string()])
}

/// The page.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let bundle: Bundle = cx.api.get(&path(&["bundles", &id]), &()).await?;
    page(&cx, &bundle, &Refused::new()).await
}

/// The page, with files that were refused.
pub(super) async fn page(cx: &Cx, bundle: &Bundle, refused: &Refused) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        return Ok(grid(cx, &bundle.parts).csv());
    }
    let body = html! {
        @if !refused.is_empty() {
            div.panel.failure role="alert" {
                h2 { (f::why_refused(cx)) }
                ul.error-list { @for (file, why) in refused { li { @if !file.is_empty() { code { (file) } " " } (why) } } }
            }
        }
        (ui::live("bundle-live", "jobs updates content", standing(cx, bundle)))
        @if !bundle.missing.is_empty() && may(cx, Role::Operator) {
            section.panel {
                h2 { (f::bundle_awaits(cx, bundle.missing.len() as u64)) }
                p { (f::bundle_missing(cx, numbers(&bundle.missing))) }
                (upload::form(cx, &format!("{}/parts", own(bundle)), &parts::more_field(cx, true), &html! { button.primary type="submit" { (f::bundle_send(cx)) } }))
            }
        }
        (grid(cx, &bundle.parts).render())
    };
    Page::new(cx, f::bundle_name(cx, bundle.sequence, signer(bundle)))
        .crumb(t::import(cx), LIST)
        .fact(t::state(cx), bundle_state(cx, bundle.state))
        .fact(t::revisions(cx), html! { (ui::number(cx, bundle.revisions)) })
        .fact(t::size(cx), html! { (ui::bytes(cx, bundle.bytes)) })
        .actions(acts(cx, bundle))
        .body(body)
        .render()
        .await
}

/// Numbers, runs of them together.
fn numbers(numbers: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let runs =
        runs.iter().map(|(first, last)| if first == last { first.to_string() } else { format!("{first}–{last}") });
    runs.collect::<Vec<_>>().join(", ")
}

fn acts(cx: &Cx, bundle: &Bundle) -> Markup {
    let ready = bundle.missing.is_empty()
        && matches!(bundle.state, BundleState::Receiving | BundleState::Failed | BundleState::Committed);
    let unused = matches!(bundle.state, BundleState::Receiving | BundleState::Failed);
    html! {
        @if may(cx, Role::Operator) {
            @if ready { a.button.primary href={ (own(bundle)) "/apply" } { (f::bundle_apply(cx)) } }
            @if unused { a.button href={ (own(bundle)) "/forget" } { (f::bundle_forget(cx)) } }
        }
    }
}

fn standing(cx: &Cx, bundle: &Bundle) -> Markup {
    html! {
        @if let Some(phase) = &bundle.phase {
            section.panel {
                (ui::progress(cx, &f::bundle_phases(cx, &ui::word(phase)), bundle.done, bundle.total))
            }
        }
        @if let Some(error) = &bundle.error {
            div.panel.failure role="alert" { p { strong { (f::bundle_failed(cx)) } } p lang="en" { (error) } }
        }
        @if bundle.state == BundleState::Committed { div.panel.warn { p { (f::bundle_committed(cx)) } } }
        section.panel {
            h2 { (f::bundle_from(cx)) }
            (ui::facts([
                (f::signed_by(cx).to_owned(), html! { (signer(bundle)) }),
                (t::fingerprint(cx).to_owned(), html! { code { (bundle.signer) } }),
                (f::issuer(cx).to_owned(), html! { code { (bundle.issuer) } }),
                (f::made_at(cx).to_owned(), ui::time(cx, bundle.created_at)),
                (f::received_at(cx).to_owned(), ui::time(cx, bundle.received_at)),
            ]))
        }
        @if let Some(result) = &bundle.result { (outcome(cx, result)) }
    }
}

fn outcome(cx: &Cx, result: &BundleResult) -> Markup {
    let number = |number: u64| html! { (ui::number(cx, number)) };
    html! {
        section.panel {
            h2 { (f::bundle_outcome(cx)) }
            (ui::facts([
                (t::added(cx).to_owned(), number(result.added)),
                (f::unchanged(cx).to_owned(), number(result.unchanged)),
                (f::unresolved(cx).to_owned(), number(result.unresolved)),
                (f::decisions_applied(cx).to_owned(), number(result.objects_applied)),
                (f::decisions_unchanged(cx).to_owned(), number(result.objects_unchanged)),
                (f::files_added(cx).to_owned(), number(result.files_added)),
                (f::files_unchanged(cx).to_owned(), number(result.files_unchanged)),
            ]))
            @if !result.unknown.is_empty() { p { (f::bundle_unknown(cx)) " " (result.unknown.join(", ")) } }
        }
        @if !result.objects_refused.is_empty() {
            (ui::panel(f::decisions_refused(cx), &html! {
                p.quiet { (f::decisions_refused_help(cx)) }
                ul.error-list { @for one in &result.objects_refused { li { code { (one.kind) " " (one.id) } " " span lang="en" { (one.reason) } } } }
            }))
        }
    }
}

fn grid<'a>(cx: &'a Cx, parts: &'a [BundlePart]) -> Grid<'a, BundlePart> {
    let columns = vec![
        Column::new("number", f::part(cx), |part: &BundlePart| html! { (part.number) })
            .text(|part| part.number.to_string())
            .narrow(),
        Column::new("here", t::state(cx), |part: &BundlePart| {
            if part.here { badge(Tone::Good, f::is_here_already(cx)) } else { badge(Tone::Plain, f::awaited(cx)) }
        })
        .text(|part| part.here.to_string())
        .narrow(),
        Column::new("size", t::size(cx), |part: &BundlePart| html! { (ui::bytes(cx, part.size)) })
            .text(|part| part.size.to_string())
            .numeric()
            .narrow(),
        Column::new("sha256", "SHA-256", |part: &BundlePart| html! { code { (part.sha256) } })
            .text(|part| part.sha256.clone()),
    ];
    Grid::new(cx, "parts", f::parts(cx), columns, parts)
}

/// Asks before a bundle is taken over or dropped.
pub(super) async fn confirm(cx: Cx, Path((id, act)): Path<(String, String)>) -> Result<Response, Failure> {
    let bundle: Bundle = cx.api.get(&path(&["bundles", &id]), &()).await?;
    asked(&cx, &bundle, &act, &Errors::default()).await
}

async fn asked(cx: &Cx, bundle: &Bundle, act: &str, errors: &Errors) -> Result<Response, Failure> {
    let (sentence, undo, label) = match act {
        "apply" => (f::apply_sentence(cx, bundle.revisions, signer(bundle)), f::apply_undo(cx), f::bundle_apply(cx)),
        "forget" => (f::forget_sentence(cx, bundle.sequence, signer(bundle)), f::forget_undo(cx), f::bundle_forget(cx)),
        _ => return Err(Failure::NotFound),
    };
    let details = html! {
        (errors.summary(cx))
        p { (t::size(cx)) ": " (ui::bytes(cx, bundle.bytes)) " · " (f::made_at(cx)) " " (ui::time(cx, bundle.created_at)) }
        @if act == "apply" { p { (f::apply_details(cx)) } }
    };
    let confirm = Confirm::new(sentence, undo, label, format!("{}/{act}", own(bundle)), own(bundle)).details(details);
    let confirm = if act == "forget" { confirm.danger() } else { confirm };
    Page::new(cx, label).crumb(t::import(cx), LIST).body(confirm.render(cx)).render().await
}

/// Takes it over, or drops it.
pub(super) async fn act(cx: Cx, Path((id, act)): Path<(String, String)>) -> Result<Response, Failure> {
    let address = path(&["bundles", &id]);
    let done = match act.as_str() {
        "apply" => cx
            .api
            .post::<Bundle>(&format!("{address}/apply"), &serde_json::Value::Null)
            .await
            .map(|bundle| own(&bundle)),
        "forget" => cx.api.delete::<()>(&address).await.map(|()| LIST.to_owned()),
        _ => return Err(Failure::NotFound),
    };
    match done {
        Ok(to) if act == "forget" => Ok(f::flash_bundle_forgotten().to(to)),
        Ok(to) => Ok(f::flash_bundle_applying().to(to)),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let bundle: Bundle = cx.api.get(&address, &()).await?;
            asked(&cx, &bundle, &act, &Errors::of(&problem, &[])).await
        }
    }
}

/// What this site has, as a file for the one that makes bundles for it.
pub(super) async fn inventory(cx: Cx, headers: HeaderMap) -> Result<Response, Failure> {
    relay::down(&cx, &Address::new("/bundles/inventory"), Some("site.inventory"), &headers).await
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn parts_that_follow_each_other_are_one_run() {
        assert_eq!(numbers(&[1, 2, 3, 7, 9, 10]), "1–3, 7, 9–10");
        assert_eq!(numbers(&[]), "");
    }
}
