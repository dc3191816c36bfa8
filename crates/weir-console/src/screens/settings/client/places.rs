//! Where a set is deployed: to which collections, and taking it back.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    client_settings::{ClientSettingsCollections, ClientSettingsSet},
    collection::Collection,
};

use super::{HERE, address, find, frame, open};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::collections,
    texts::{client_settings as t, settings as s},
    ui::{
        self,
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// What the forms send.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    collection: String,
    sure: String,
}

fn tab(set: &ClientSettingsSet) -> String {
    format!("{}?tab=collections", address(set))
}

/// The tab.
pub(super) async fn show(cx: &Cx, set: &ClientSettingsSet, errors: &Errors) -> Result<Markup, Failure> {
    if set.default {
        return Ok(html! { section.panel { p { (t::default_everywhere(cx)) } } });
    }
    let open = open(cx, set);
    let all = collections(cx).await;
    let deployed = |one: &&Collection| set.collections.iter().any(|to| to.id == one.id);
    let options: Vec<(String, String)> = all
        .iter()
        .filter(|one| !deployed(one))
        .map(|one| (one.id.to_string(), format!("{} ({})", one.name, ui::number(cx, one.members_below))))
        .collect();
    let own = address(set);
    Ok(html! {
        (errors.summary(cx))
        section.panel {
            @if set.collections.is_empty() { p { (t::deploy_first(cx)) } }
            @else {
                table.plain {
                    caption.hide { (t::collections(cx)) }
                    thead { tr { th scope="col" { (t::collection(cx)) } th.number scope="col" { (t::computers_head(cx)) } @if open { th scope="col" { (t::acts(cx)) } } } }
                    tbody {
                        @for to in &set.collections {
                            tr {
                                th scope="row" { a href=(path(&["computers", "collections", &to.id.to_string()])) { (to.name) } }
                                td.number { @if let Some(one) = all.iter().find(|one| one.id == to.id) { (ui::number(cx, one.members_below)) } }
                                @if open {
                                    td {
                                        form.inline method="post" action={ (own) "/take-back" } data-dialog {
                                            input type="hidden" name="collection" value=(to.id);
                                            button type="submit" { (t::take_back(cx)) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if open && !options.is_empty() {
            form.panel method="post" action={ (own) "/deploy" } data-dialog {
                (Field::new("collection", t::deploy_to(cx), errors).help(t::deploy_help(cx)).choice(&options, ""))
                div.buttons { button.primary type="submit" { (t::deploy(cx)) } }
            }
        }
    })
}

/// Deploys it to a collection, after asking.
pub(super) async fn deploy(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    change(&cx, &name, &sent, true).await
}

/// Takes it back from a collection, after asking.
pub(super) async fn take_back(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    change(&cx, &name, &sent, false).await
}

async fn change(cx: &Cx, name: &str, sent: &Sent, add: bool) -> Result<Response, Failure> {
    let set = find(cx, name).await?;
    let to: Collection = cx.api.get(&path(&["collections", &sent.collection]), &()).await?;
    if sent.sure != "1" {
        return confirm(cx, &set, &to, add).await;
    }
    let body = ClientSettingsCollections { collections: vec![to.id.to_string()] };
    let resource = format!("/client-settings/{}/collections", set.id);
    let done = if add {
        cx.api.post::<ClientSettingsSet>(&resource, &body).await
    } else {
        cx.api.delete_with::<ClientSettingsSet>(&resource, &body).await
    };
    match done {
        Ok(set) => {
            let told =
                if add { t::flash_deployed(&set.name, &to.name) } else { t::flash_taken_back(&set.name, &to.name) };
            Ok(told.to(tab(&set)))
        }
        Err(failure) => {
            let errors = Errors::of(&failure.into_problem()?, &["collection"]);
            let body = show(cx, &set, &errors).await?;
            frame(cx, &set, Some("collections"), body).await
        }
    }
}

async fn confirm(cx: &Cx, set: &ClientSettingsSet, to: &Collection, add: bool) -> Result<Response, Failure> {
    let (sentence, undo, label, act) = if add {
        (t::deploy_sentence(cx, to.members_below, &set.name, &to.name), t::deploy_undo(cx), t::deploy(cx), "deploy")
    } else {
        let sentence = t::take_back_sentence(cx, to.members_below, &set.name, &to.name);
        (sentence, t::take_back_undo(cx), t::take_back(cx), "take-back")
    };
    let details = html! {
        p { (t::sets_so_many(cx, set.settings.len() as u64)) }
        ul.samples { @for (key, value) in &set.settings { li { code { (key) " = " (super::super::control::plain(value)) } } } }
        p.quiet { (t::when(cx)) }
    };
    let confirm = Confirm::new(sentence, undo, label, format!("{}/{act}", address(set)), tab(set))
        .details(details)
        .field("collection", to.id.to_string())
        .field("sure", "1");
    Page::new(cx, label)
        .crumb(s::places(cx, "client_settings"), HERE)
        .crumb(&set.name, tab(set))
        .body(confirm.render(cx))
        .render()
        .await
}
