//! Adding to a group what a filter or a saved search leaves.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    access::Role,
    search::SavedSearch,
    update::UpdateList,
    update_group::{GroupMembersChanged, MembersChange, UpdateGroup},
};

use super::{address, find, fitting};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::{given, may_here, refused, searches},
    texts::{common, update_groups as t, updates},
    ui::{
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    filter: String,
    #[serde(default)]
    saved: String,
    accept: Option<String>,
    sure: Option<String>,
}

impl Sent {
    fn filter(&self) -> Option<String> {
        given(&self.filter)
    }

    fn saved(&self) -> Option<String> {
        given(&self.saved)
    }
}

/// The form.
pub(super) async fn form(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let group = find(&cx, &name).await?;
    ask(&cx, &group, &Sent::default(), false, &Errors::default()).await
}

/// Searches that a group can be filled from: those that consist of a filter.
pub(super) fn options(cx: &Cx, searches: &[SavedSearch]) -> Vec<(String, String)> {
    let mut options = vec![(String::new(), t::no_search(cx).to_owned())];
    let fit = searches.iter().filter(|search| search.filter.is_some() && search.text.is_none());
    options.extend(fit.map(|search| (search.name.clone(), search.name.clone())));
    options
}

async fn ask(cx: &Cx, group: &UpdateGroup, sent: &Sent, licences: bool, errors: &Errors) -> Result<Response, Failure> {
    let options = options(cx, &searches::load(cx).await);
    let body = html! {
        (errors.summary(cx))
        section.panel {
            p { (t::add_help(cx)) " " a href="/updates" { (updates::all_updates(cx)) } }
            form method="post" action={ (address(group)) "/add" } {
                (Field::new("filter", updates::filter_expression(cx), errors).help(updates::filter_help(cx)).input("text", &sent.filter))
                @if options.len() > 1 {
                    (Field::new("saved", t::from_search(cx), errors).help(t::from_search_help(cx)).choice(&options, &sent.saved))
                }
                @if licences || sent.accept.is_some() {
                    (Field::new("accept", updates::licences_accept(cx), errors).help(updates::licence_undo(cx)).switch(sent.accept.is_some()))
                }
                @if may_here(cx, Role::SoftwareUpdateManager) {
                    div.buttons {
                        button.primary type="submit" { (t::add_look(cx)) }
                        a.button.plain href=(address(group)) { (common::cancel(cx)) }
                    }
                }
            }
        }
    };
    Page::new(cx, t::add(cx))
        .crumb(t::title(cx), "/updates/groups")
        .crumb(&group.name, address(group))
        .body(body)
        .render()
        .await
}

/// Says what would be added, or adds it.
pub(super) async fn add(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let group = find(&cx, &name).await?;
    if sent.filter().is_none() && sent.saved().is_none() {
        let errors = Errors::default().field("filter", t::add_nothing(&cx));
        return ask(&cx, &group, &sent, false, &errors).await;
    }
    if sent.sure.is_none() {
        return match fitting(&cx, sent.filter(), sent.saved()).await {
            Ok(list) => confirm(&cx, &group, &sent, &list).await,
            Err(failure) => {
                let errors = refused(&failure.into_problem()?, &["filter", "saved"]);
                ask(&cx, &group, &sent, false, &errors).await
            }
        };
    }
    let change = MembersChange {
        updates: Vec::new(),
        filter: sent.filter(),
        saved: sent.saved(),
        accept_eula: sent.accept.is_some(),
    };
    match cx.api.post::<GroupMembersChanged>(&path(&["groups", &group.id.to_string(), "members"]), &change).await {
        Ok(changed) => Ok(updates::flash_grouped(changed.changed, &group.name).to(address(&group))),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let licences = problem.code == "eula_not_accepted";
            let errors = refused(&problem, &["accept=eula_not_accepted", "filter", "saved"]);
            ask(&cx, &group, &sent, licences, &errors).await
        }
    }
}

/// The number of updates that a filter leaves, with the first of them.
pub(super) fn found(cx: &Cx, list: &UpdateList) -> Markup {
    let shown = list.items.len() as u64;
    html! {
        @if !list.items.is_empty() { ul.samples { @for row in &list.items { li { (row.title) } } } }
        @if list.updates > shown { p.quiet { (common::more(cx, list.updates - shown)) } }
        p.quiet { (t::add_left_out(cx)) }
    }
}

async fn confirm(cx: &Cx, group: &UpdateGroup, sent: &Sent, list: &UpdateList) -> Result<Response, Failure> {
    let details = html! {
        @if !group.deployments.is_empty() { p { (t::add_deployed(cx, group.deployments.len() as u64)) } }
        (found(cx, list))
    };
    let sentence = t::add_sentence(cx, list.updates, &group.name);
    let mut confirm =
        Confirm::new(sentence, updates::group_undo(cx), t::add(cx), format!("{}/add", address(group)), address(group))
            .details(details)
            .nothing(list.updates == 0)
            .field("filter", &sent.filter)
            .field("saved", &sent.saved)
            .field("sure", "1");
    if sent.accept.is_some() {
        confirm = confirm.field("accept", "1");
    }
    Page::new(cx, t::add(cx)).crumb(&group.name, address(group)).body(confirm.render(cx)).render().await
}
