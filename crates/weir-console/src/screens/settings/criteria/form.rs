//! The form of a rule, with what it would do beside it.

use std::collections::BTreeMap;

use axum::{Form as Posted, extract::Path, response::Response};
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    List,
    access::Role,
    criteria::{Criterion, CriterionAction, CriterionPreview},
    selection::{Category, LanguageQuery},
};

use super::{
    HERE, address,
    filled::{Filled, change, errors, unambiguous},
    find,
};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::may,
    texts::{common, criteria as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        form::{self, Errors, Field, group},
    },
};

const ARCHITECTURES: [&str; 5] = ["x86", "x64", "arm", "arm64", "ia64"];
const EDITIONS: [&str; 12] =
    ["azure", "business", "consumer", "education", "embedded", "enterprise", "home", "iot", "ltsc", "n", "pro", "se"];
/// Updates that a preview lists.
const LISTED: usize = 20;

/// What a form has to choose from.
#[derive(Default)]
struct Choices {
    classifications: Vec<Category>,
    /// Titles of products by their ids.
    products: BTreeMap<String, String>,
}

impl Choices {
    async fn load(cx: &Cx) -> Self {
        let (english, query) = (LanguageQuery::default(), LanguageQuery { language: cx.titles() });
        let (products, classifications) = tokio::join!(
            // rules take the English titles
            cx.api.get::<List<Category>>("/products", &english),
            cx.api.get::<List<Category>>("/classifications", &query),
        );
        let mut named = Vec::new();
        names(&products.map(|list| list.items).unwrap_or_default(), &mut named);
        Self {
            classifications: classifications.map(|list| list.items).unwrap_or_default(),
            products: unambiguous(named),
        }
    }
}

fn names(categories: &[Category], out: &mut Vec<(Uuid, String)>) {
    for category in categories {
        out.push((category.id, category.title.clone()));
        names(&category.children, out);
    }
}

/// A new rule.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    fresh(&cx, &Filled::fresh(), &Errors::default()).await
}

async fn fresh(cx: &Cx, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let choices = Choices::load(cx).await;
    let form = form(cx, filled, errors, &choices, &format!("{HERE}/new"));
    let body = form::with_preview(&form, &beside(cx, None));
    Page::new(cx, t::new(cx)).crumb(s::places(cx, "criteria"), HERE).body(body).render().await
}

/// Adds it, or says beside the fields why not.
pub(super) async fn create(cx: Cx, Posted(pairs): Posted<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled::sent(&pairs);
    let rule = match filled.rule(&cx) {
        Ok(rule) => rule,
        Err(errors) => return fresh(&cx, &filled, &errors).await,
    };
    match cx.api.post::<Criterion>("/criteria", &rule).await {
        Ok(made) => Ok(t::flash_added(&made.rule.name).to(address(&made))),
        Err(failure) => fresh(&cx, &filled, &errors(&failure.into_problem()?)).await,
    }
}

/// One rule.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let criterion = find(&cx, &name).await?;
    page(&cx, &criterion, None, &Errors::default()).await
}

/// The page of a rule; `again` is a form that was refused.
pub(super) async fn page(
    cx: &Cx,
    criterion: &Criterion,
    again: Option<&Filled>,
    errors: &Errors,
) -> Result<Response, Failure> {
    let own = address(criterion);
    let stored = format!("/criteria/{}/preview", criterion.id);
    let (choices, preview) = tokio::join!(Choices::load(cx), cx.api.get::<CriterionPreview>(&stored, &()));
    let preview = preview.ok();
    let open = may(cx, Role::SoftwareUpdateManager) && !criterion.from_parent;
    let beside = beside(cx, preview.as_ref());
    let rule = &criterion.rule;
    let filled = again.cloned().unwrap_or_else(|| Filled::of(criterion, &choices.products));
    let main = html! {
        section.panel { h2 { (t::asks_for(cx)) } p lang="en" { (criterion.description) } }
        @if open { (form(cx, &filled, errors, &choices, &own)) } @else { (errors.summary(cx)) }
        @if criterion.from_parent { p.quiet { (t::from_parent_help(cx)) } }
    };
    let acts = html! {
        @if open {
            @if rule.action == CriterionAction::Decline && rule.enabled { a.button href={ (own) "/apply" } { (t::apply(cx)) } }
            form.inline method="post" action={ (own) "/switch" } {
                button type="submit" name="on" value=(if rule.enabled { "0" } else { "1" }) { (t::switches(cx, if rule.enabled { "off" } else { "on" })) }
            }
            a.button href={ (own) "/delete" } { (t::delete(cx)) }
        }
    };
    Page::new(cx, &rule.name)
        .crumb(s::places(cx, "criteria"), HERE)
        .fact(t::action(cx), html! { (t::actions(cx, &ui::word(&rule.action))) })
        .fact(t::state(cx), state(cx, rule.enabled))
        .fact(t::changed(cx), html! { (ui::time(cx, criterion.changed_at)) " · " (criterion.changed_by) })
        .actions(acts)
        .body(form::with_preview(&main, &beside))
        .render()
        .await
}

/// Whether a rule does something.
pub(super) fn state(cx: &Cx, enabled: bool) -> Markup {
    if enabled { badge(Tone::Good, t::on(cx)) } else { badge(Tone::Plain, t::off(cx)) }
}

/// Changes it, or says beside the fields why not.
pub(super) async fn save(
    cx: Cx,
    Path(name): Path<String>,
    Posted(pairs): Posted<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let criterion = find(&cx, &name).await?;
    let filled = Filled::sent(&pairs);
    let rule = match filled.rule(&cx) {
        Ok(rule) => rule,
        Err(errors) => return page(&cx, &criterion, Some(&filled), &errors).await,
    };
    let path = format!("/criteria/{}", criterion.id);
    match cx.api.patch::<Criterion>(&path, &change(&criterion.rule, rule)).await {
        Ok(changed) => Ok(t::flash_changed(&changed.rule.name).to(address(&changed))),
        Err(failure) => page(&cx, &criterion, Some(&filled), &errors(&failure.into_problem()?)).await,
    }
}

/// The preview of a form alone, for the module.
pub(super) async fn preview(cx: Cx, Posted(pairs): Posted<Vec<(String, String)>>) -> Result<Response, Failure> {
    let content = match Filled::sent(&pairs).previewed(&cx) {
        Err(errors) => errors.summary(&cx),
        Ok(rule) => match cx.api.post::<CriterionPreview>("/criteria-preview", &rule).await {
            Ok(preview) => beside(&cx, Some(&preview)),
            Err(failure) => {
                let problem = failure.into_problem()?;
                html! { h2 { (t::what_it_does(&cx)) } p.error lang="en" { (problem.detail) } }
            }
        },
    };
    let body = html! { aside id="preview" { (content) } };
    Page::new(&cx, t::what_it_does(&cx)).bare().body(body).render().await
}

fn beside(cx: &Cx, preview: Option<&CriterionPreview>) -> Markup {
    html! {
        h2 { (t::what_it_does(cx)) }
        @match preview {
            Some(preview) => (figures(cx, preview)),
            None => p.quiet { (t::preview_hint(cx)) },
        }
    }
}

/// What a rule would do to the catalogue as it is.
pub(super) fn figures(cx: &Cx, preview: &CriterionPreview) -> Markup {
    let fresh = preview.matched.saturating_sub(preview.declined + preview.taken_back);
    html! {
        p lang="en" { (preview.description) }
        (ui::facts([
            (t::looked_at(cx).to_owned(), html! { (ui::number(cx, preview.looked_at)) }),
            (t::matched(cx).to_owned(), html! { strong { (ui::number(cx, preview.matched)) } }),
            (t::declined_already(cx).to_owned(), html! { (ui::number(cx, preview.declined)) }),
            (t::taken_back(cx).to_owned(), html! { (ui::number(cx, preview.taken_back)) }),
            (t::not_yet(cx).to_owned(), html! { (ui::number(cx, fresh)) }),
            (t::files(cx).to_owned(), html! { (ui::number(cx, preview.files)) " · " (ui::bytes(cx, preview.bytes)) }),
            (t::bytes_here(cx).to_owned(), html! { (ui::bytes(cx, preview.bytes_here)) }),
        ]))
        @if !preview.samples.is_empty() {
            ul.samples {
                @for sample in preview.samples.iter().take(LISTED) {
                    li {
                        a href=(crate::address::path(&["updates", &sample.id.to_string()])) { (sample.title) }
                        span.quiet lang="en" { " " (sample.reason) }
                    }
                }
            }
            @let listed = preview.samples.len().min(LISTED) as u64;
            @if preview.matched > listed { p.quiet { (common::more(cx, preview.matched - listed)) } }
        }
        p.quiet lang="en" { (preview.note) }
    }
}

fn form(cx: &Cx, filled: &Filled, errors: &Errors, choices: &Choices, action: &str) -> Markup {
    let actions = ["decline", "skip"].map(|word| (word.to_owned(), t::action_choices(cx, word)));
    let previews =
        ["", "only", "not"].map(|word| (word.to_owned(), t::previews(cx, if word.is_empty() { "any" } else { word })));
    let architectures = ARCHITECTURES.map(|word| (word.to_owned(), word.to_owned()));
    let editions = EDITIONS.map(|word| (word.to_owned(), word.to_owned()));
    let classifications: Vec<(String, String)> =
        choices.classifications.iter().map(|one| (one.id.to_string(), one.title.clone())).collect();
    let first = html! {
        (Field::new("name", t::name(cx), errors).help(t::name_help(cx)).required().input("text", &filled.name))
        (Field::new("action", t::action(cx), errors).help(t::action_help(cx)).choice(&actions, &filled.action))
        (Field::new("enabled", t::enabled(cx), errors).help(t::enabled_help(cx)).switch(filled.enabled))
    };
    let condition = html! {
        p.help { (t::condition_help(cx)) }
        (Field::new("titles", t::titles(cx), errors).help(t::titles_help(cx)).lines(&filled.titles, 3))
        (checks("architectures", t::architectures(cx), t::architectures_help(cx), &architectures, &filled.architectures))
        (checks("editions", t::editions(cx), t::editions_help(cx), &editions, &filled.editions))
        (Field::new("preview", t::previews_label(cx), errors).choice(&previews, &filled.preview))
        (Field::new("superseded", t::superseded(cx), errors).help(t::superseded_help(cx)).unit(t::days(cx)).input("number", &filled.superseded))
        (Field::new("older", t::older(cx), errors).help(t::older_help(cx)).unit(t::days(cx)).input("number", &filled.older))
        (Field::new("languages", t::languages(cx), errors).help(t::languages_help(cx)).input("text", &filled.languages))
        (Field::new("others", t::others(cx), errors).help(t::others_help(cx)).input("text", &filled.others))
        (checks("classifications", t::classifications(cx), t::classifications_help(cx), &classifications, &filled.classifications))
        (Field::new("products", t::products(cx), errors).help(t::products_help(cx)).lines(&filled.products, 3))
    };
    let except = Field::new("except", t::except(cx), errors).help(t::except_help(cx)).lines(&filled.except, 3);
    html! {
        form.panel method="post" action=(action) data-preview={ (HERE) "/preview" } {
            (errors.summary(cx))
            (first)
            (group(t::condition(cx), &condition))
            (group(t::exceptions(cx), &except))
            div.buttons { button.primary type="submit" { (t::save(cx)) } a.plain.button href=(HERE) { (common::cancel(cx)) } }
        }
    }
}

fn checks(name: &str, label: &str, help: &str, options: &[(String, String)], on: &[String]) -> Markup {
    html! {
        @if !options.is_empty() {
            fieldset.field {
                legend { (label) }
                p.help { (help) }
                div.checks {
                    @for (value, text) in options {
                        label.check { input type="checkbox" name=(name) value=(value) checked[on.iter().any(|known| known.eq_ignore_ascii_case(value))]; (text) }
                    }
                }
            }
        }
    }
}
