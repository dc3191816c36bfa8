//! Adding selected updates to a group, or to a new one.

use axum::response::Response;
use maud::html;
use weir_api::update_group::{GroupMembersChanged, MembersChange, UpdateGroupCreate, UpdateGroupCreated};

use super::{choice, key, named};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::{change::Sent, refused},
    texts::{update_groups as t, updates},
    ui::{
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// Asks for the group, or adds.
pub(in super::super) async fn join(cx: &Cx, sent: &Sent) -> Result<Response, Failure> {
    let name = sent.name.trim();
    let members = MembersChange { updates: sent.ids.clone(), accept_eula: sent.accept, ..MembersChange::default() };
    if !sent.sure || (name.is_empty() && sent.value.is_empty()) {
        let errors = if sent.sure { Errors::default().field("name", t::join_nothing(cx)) } else { Errors::default() };
        return ask(cx, sent, false, &errors).await;
    }
    let done = if name.is_empty() {
        let address = path(&["groups", &sent.value, "members"]);
        cx.api
            .post::<GroupMembersChanged>(&address, &members)
            .await
            .map(|changed| (changed.changed, sent.value.clone()))
    } else {
        let group = UpdateGroupCreate { name: name.to_owned(), description: None, members };
        cx.api
            .post::<UpdateGroupCreated>("/groups", &group)
            .await
            .map(|made| (made.members, named(&made.name, made.id)))
    };
    match done {
        Ok((count, group)) => {
            let page = path(&["updates", "groups", &group]);
            Ok(updates::flash_grouped(count, &group).to(page))
        }
        Err(failure) => {
            let problem = failure.into_problem()?;
            let licences = problem.code == "eula_not_accepted";
            let errors = refused(&problem, &["accept=eula_not_accepted", "name", "name=exists"]);
            ask(cx, sent, licences, &errors).await
        }
    }
}

async fn ask(cx: &Cx, sent: &Sent, licences: bool, errors: &Errors) -> Result<Response, Failure> {
    let groups = choice(cx).await?;
    let mut options = vec![(String::new(), t::join_new(cx).to_owned())];
    options.extend(groups.iter().map(|group| {
        let deployed = group.deployments.len() as u64;
        let label = if deployed == 0 { group.name.clone() } else { t::join_option(cx, deployed, &group.name) };
        (key(group), label)
    }));
    // the first group is proposed, a new one where there is none
    let first = groups.first().map(key).unwrap_or_default();
    let proposed = if sent.sure { sent.value.as_str() } else { &first };
    let details = html! {
        (errors.summary(cx))
        @if !groups.is_empty() {
            (Field::new("value", updates::group_label(cx), errors).help(updates::group_help(cx)).choice(&options, proposed))
        }
        (Field::new("name", t::join_name(cx), errors).help(t::join_name_help(cx)).input("text", &sent.name))
        @if licences || sent.accept {
            (Field::new("accept", updates::licences_accept(cx), errors).help(updates::licence_undo(cx)).switch(sent.accept))
        }
    };
    let sentence = updates::group_sentence(cx, sent.ids.len() as u64);
    let act = updates::acts(cx, "group");
    let confirm = Confirm::new(sentence, updates::group_undo(cx), &act, "/updates/change", &sent.from).details(details);
    Page::new(cx, &act).body(sent.carried(confirm).render(cx)).render().await
}
