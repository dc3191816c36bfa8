//! Name, description and priority of a set; making and deleting one.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    Problem,
    client_settings::{ClientSettingsChange, ClientSettingsCreate, ClientSettingsSet},
};

use super::{HERE, address, find, frame, open, reach, reached, sets};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{collections, given},
    texts::{client_settings as t, common, settings as s},
    ui::{
        self,
        confirm::{Confirm, matches},
        form::{Errors, Field},
    },
};

/// What the forms send.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    name: String,
    description: String,
    priority: String,
    collection: String,
    typed: String,
}

impl Sent {
    fn of(set: &ClientSettingsSet) -> Self {
        Self {
            name: set.name.clone(),
            description: set.description.clone(),
            priority: set.priority.map(|priority| priority.to_string()).unwrap_or_default(),
            ..Self::default()
        }
    }

    fn priority(&self, cx: &Cx) -> Result<Option<u32>, Errors> {
        given(&self.priority)
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| Errors::default().field("priority", t::no_number(cx)))
    }
}

fn errors(problem: &Problem) -> Errors {
    match problem.code.as_str() {
        field @ ("name" | "description" | "priority") => Errors::default().field(field, &problem.detail),
        "exists" => Errors::default().field("name", &problem.detail),
        _ => Errors::of(problem, &["priority", "collection", "description", "name"]),
    }
}

/// The tab.
pub(super) fn show(cx: &Cx, set: &ClientSettingsSet, again: Option<&Sent>, errors: &Errors) -> Markup {
    let sent = again.cloned().unwrap_or_else(|| Sent::of(set));
    let changed = (
        t::changed(cx).to_owned(),
        html! {
            (ui::time_or(cx, set.changed_at)) " " (set.changed_by.as_deref().unwrap_or_default())
        },
    );
    html! {
        (errors.summary(cx))
        @if open(cx, set) {
            form.panel method="post" action={ (address(set)) "/about" } {
                (Field::new("name", t::name(cx), errors).help(t::name_help(cx)).required().input("text", &sent.name))
                (Field::new("description", t::description(cx), errors).lines(&sent.description, 2))
                @if !set.default {
                    (Field::new("priority", t::priority(cx), errors).help(t::priority_help(cx)).required().input("number", &sent.priority))
                }
                div.buttons { button.primary type="submit" { (t::save(cx)) } }
            }
        }
        section.panel { (ui::facts([changed, (t::id(cx).to_owned(), html! { code { (set.id) } })])) }
    }
}

/// Saves the tab.
pub(super) async fn save(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let set = find(&cx, &name).await?;
    let priority = match sent.priority(&cx) {
        Ok(priority) => priority,
        Err(errors) => return frame(&cx, &set, Some("about"), show(&cx, &set, Some(&sent), &errors)).await,
    };
    let change = ClientSettingsChange {
        name: Some(sent.name.trim().to_owned()).filter(|name| *name != set.name),
        description: Some(sent.description.trim().to_owned()).filter(|text| *text != set.description),
        priority: priority.filter(|priority| Some(*priority) != set.priority),
        ..ClientSettingsChange::default()
    };
    match cx.api.patch::<ClientSettingsSet>(&format!("/client-settings/{}", set.id), &change).await {
        Ok(set) => Ok(t::flash_saved(&set.name).to(format!("{}?tab=about", address(&set)))),
        Err(failure) => {
            let errors = errors(&failure.into_problem()?);
            frame(&cx, &set, Some("about"), show(&cx, &set, Some(&sent), &errors)).await
        }
    }
}

/// The form of a new set.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    let sent = Sent { collection: cx.address.value("collection").unwrap_or_default().to_owned(), ..Sent::default() };
    form(&cx, &sent, &Errors::default()).await
}

async fn form(cx: &Cx, sent: &Sent, errors: &Errors) -> Result<Response, Failure> {
    let (sets, collections) = tokio::join!(sets(cx), collections(cx));
    let sets = sets.unwrap_or_default();
    let nowhere = std::iter::once((String::new(), t::nowhere_yet(cx).to_owned()));
    let options: Vec<(String, String)> =
        nowhere.chain(collections.into_iter().map(|one| (one.id.to_string(), one.name))).collect();
    let beside = html! {
        h2 { (t::order(cx)) }
        p.quiet { (t::order_help(cx)) }
        ul.samples {
            @for set in &sets { li { (set.priority.map_or_else(|| t::weakest(cx).to_owned(), |priority| priority.to_string())) " · " (set.name) } }
        }
    };
    let form = html! {
        form.panel method="post" action={ (HERE) "/new" } {
            (errors.summary(cx))
            (Field::new("name", t::name(cx), errors).help(t::name_help(cx)).required().input("text", &sent.name))
            (Field::new("description", t::description(cx), errors).lines(&sent.description, 2))
            (Field::new("priority", t::priority(cx), errors).help(t::priority_new_help(cx)).input("number", &sent.priority))
            (Field::new("collection", t::collection(cx), errors).help(t::collection_help(cx)).choice(&options, &sent.collection))
            div.buttons { button.primary type="submit" { (t::make(cx)) } a.plain.button href=(HERE) { (common::cancel(cx)) } }
        }
    };
    Page::new(cx, t::new(cx))
        .crumb(s::places(cx, "client_settings"), HERE)
        .body(ui::form::with_preview(&form, &beside))
        .render()
        .await
}

/// Makes it, without settings: they come on its page.
pub(super) async fn create(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let priority = match sent.priority(&cx) {
        Ok(priority) => priority,
        Err(errors) => return form(&cx, &sent, &errors).await,
    };
    let create = ClientSettingsCreate {
        name: sent.name.trim().to_owned(),
        description: sent.description.trim().to_owned(),
        priority,
        collections: given(&sent.collection).into_iter().collect(),
        ..ClientSettingsCreate::default()
    };
    match cx.api.post::<ClientSettingsSet>("/client-settings", &create).await {
        Ok(set) => Ok(t::flash_made(&set.name).to(address(&set))),
        Err(failure) => form(&cx, &sent, &errors(&failure.into_problem()?)).await,
    }
}

/// Asks for the name of a set that is to be deleted.
pub(super) async fn deleting(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    deletion(&cx, &find(&cx, &name).await?, None, &Errors::default()).await
}

async fn deletion(
    cx: &Cx,
    set: &ClientSettingsSet,
    wrong: Option<String>,
    errors: &Errors,
) -> Result<Response, Failure> {
    let reach = reach(cx, set).await;
    let details = html! {
        (errors.summary(cx))
        (reached(cx, set, &reach))
        @if !set.settings.is_empty() {
            p { (t::delete_then(cx, set.settings.len() as u64)) }
            ul.samples { @for (key, value) in &set.settings { li { code { (key) " = " (super::super::control::plain(value)) } } } }
        }
    };
    let own = address(set);
    let confirm = Confirm::new(
        t::delete_sentence(cx, &set.name),
        t::delete_undo(cx),
        t::delete(cx),
        format!("{own}/delete"),
        &own,
    )
    .details(details)
    .typed(&set.name, wrong);
    Page::new(cx, t::delete(cx))
        .crumb(s::places(cx, "client_settings"), HERE)
        .crumb(&set.name, own)
        .body(confirm.render(cx))
        .render()
        .await
}

/// Deletes it when its name was typed.
pub(super) async fn delete(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let set = find(&cx, &name).await?;
    if !matches(&sent.typed, &set.name) {
        return deletion(&cx, &set, Some(s::wrong_name(&cx, &set.name)), &Errors::default()).await;
    }
    match cx.api.delete::<()>(&format!("/client-settings/{}", set.id)).await {
        Ok(()) => Ok(t::flash_deleted(&set.name).to(HERE)),
        Err(failure) => deletion(&cx, &set, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}
