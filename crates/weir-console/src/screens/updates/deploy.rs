//! The way from a selection to a new deployment: what cannot be deployed, licences that must be accepted first, a group for many.

use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    update::{UpdateQuery, UpdateRow},
    update_edit::Licence,
    update_group::{MembersChange, UpdateGroupCreate, UpdateGroupCreated},
};

use super::{
    change::Sent,
    list::{self, marks},
    refused,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    flash::go,
    layout::Page,
    texts::{common, updates as t},
    ui::{
        self,
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// Updates that a group may have which is deployed, as REST has it.
const MOST: usize = 1_000;
/// Ids that fit into one filter.
const IN_FILTER: usize = 90;
/// Titles that are shown of each kind.
const SHOWN: usize = 20;

/// The updates that were selected, as far as they are here.
#[derive(Debug, Default)]
struct Chosen {
    /// They can be deployed.
    fit: Vec<UpdateRow>,
    /// They cannot.
    left_out: Vec<UpdateRow>,
    /// Of those that can: nobody accepted the licence.
    licences: Vec<UpdateRow>,
}

impl Chosen {
    async fn look(cx: &Cx, ids: &[Uuid]) -> Result<Self, Failure> {
        let mut chosen = Self::default();
        for some in ids.chunks(IN_FILTER) {
            let quoted: Vec<String> = some.iter().map(|id| format!("\"{id}\"")).collect();
            let named = format!("id in ({})", quoted.join(", "));
            let (all, licensed) =
                tokio::join!(rows(cx, named.clone()), rows(cx, format!("{named} and eula = required")));
            let (fit, left_out): (Vec<_>, Vec<_>) =
                all?.into_iter().partition(|row| row.deployable && !row.declined && !row.expired);
            let fits = |row: &UpdateRow| fit.iter().any(|known| known.id == row.id);
            chosen.licences.extend(licensed?.into_iter().filter(fits));
            chosen.fit.extend(fit);
            chosen.left_out.extend(left_out);
        }
        Ok(chosen)
    }
}

async fn rows(cx: &Cx, filter: String) -> Result<Vec<UpdateRow>, Failure> {
    let query =
        UpdateQuery { filter: Some(filter), language: cx.titles(), limit: Some(1000), ..UpdateQuery::default() };
    list::all(cx, query, IN_FILTER).await
}

/// Asks for what the deployment needs, then goes on to its form. One update that needs nothing goes there at once.
pub(super) async fn deploy(cx: &Cx, sent: &Sent) -> Result<Response, Failure> {
    if sent.ids.len() > MOST {
        return Ok(t::flash_too_many_deployed(ui::number(cx, MOST as u64)).to(&sent.from));
    }
    let chosen = Chosen::look(cx, &sent.ids).await?;
    if !sent.sure {
        return match (chosen.fit.as_slice(), chosen.left_out.is_empty() && chosen.licences.is_empty()) {
            ([one], true) => Ok(go(&Address::new("/deployments/new").with("update", one.id))),
            _ => ask(cx, sent, &chosen, &Errors::default()).await,
        };
    }
    if chosen.fit.is_empty() {
        return ask(cx, sent, &chosen, &Errors::default()).await;
    }
    if !chosen.licences.is_empty() && !sent.accept {
        return ask(cx, sent, &chosen, &Errors::default().field("accept", t::licences_needed(cx))).await;
    }
    let name = sent.name.trim();
    if name.is_empty() && chosen.fit.len() > 1 {
        return ask(cx, sent, &chosen, &Errors::default().field("name", t::deploy_name_needed(cx))).await;
    }
    for row in &chosen.licences {
        let accepted = cx.api.post::<Licence>(&path(&["updates", &row.id.to_string(), "eula"]), &()).await;
        if let Err(failure) = accepted {
            return ask(cx, sent, &chosen, &Errors::of(&failure.into_problem()?, &[])).await;
        }
    }
    let new = Address::new("/deployments/new");
    if let [one] = chosen.fit.as_slice() {
        return Ok(go(&new.with("update", one.id)));
    }
    let updates = chosen.fit.iter().map(|row| row.id).collect();
    let group = UpdateGroupCreate {
        name: name.to_owned(),
        description: None,
        members: MembersChange { updates, ..MembersChange::default() },
    };
    match cx.api.post::<UpdateGroupCreated>("/groups", &group).await {
        Ok(made) => Ok(go(&new.with("group", made.name))),
        Err(failure) => ask(cx, sent, &chosen, &refused(&failure.into_problem()?, &["name", "name=exists"])).await,
    }
}

async fn ask(cx: &Cx, sent: &Sent, chosen: &Chosen, errors: &Errors) -> Result<Response, Failure> {
    let bytes = chosen.fit.iter().map(|row| row.size).sum();
    let proposed = t::deploy_name(cx, cx.now.to_zoned(cx.zone.clone()).strftime("%Y-%m-%d %H:%M"));
    let name = if sent.sure { sent.name.clone() } else { proposed };
    let details = html! {
        (errors.summary(cx))
        @if !chosen.fit.is_empty() { p { (t::deploy_bytes(cx)) " " strong { (ui::bytes(cx, bytes)) } } }
        (titles(cx, &chosen.fit))
        @if !chosen.left_out.is_empty() {
            p { (t::deploy_left_out(cx, chosen.left_out.len() as u64)) }
            (titles(cx, &chosen.left_out))
        }
        @if !chosen.licences.is_empty() {
            p { (t::licences_awaited(cx, chosen.licences.len() as u64)) }
            ul.samples {
                @for row in chosen.licences.iter().take(SHOWN) {
                    li { a href=(licence(row)) target="_blank" rel="noopener" { (row.title) } }
                }
            }
            (rest(cx, chosen.licences.len()))
            (Field::new("accept", t::licences_accept(cx), errors).help(t::licence_undo(cx)).switch(sent.accept))
        }
        @if chosen.fit.len() > 1 {
            (Field::new("name", t::deploy_name_label(cx), errors).help(t::deploy_name_help(cx)).required().input("text", &name))
        }
    };
    let sentence = t::deploy_sentence(cx, chosen.fit.len() as u64);
    let confirm = Confirm::new(sentence, t::deploy_undo(cx), t::deploy_go(cx), "/updates/change", &sent.from)
        .details(details)
        .nothing(chosen.fit.is_empty());
    Page::new(cx, t::acts(cx, "deploy")).body(sent.carried(confirm).render(cx)).render().await
}

fn licence(row: &UpdateRow) -> Address {
    Address::new(path(&["updates", &row.id.to_string()])).with("tab", "licence")
}

fn titles(cx: &Cx, rows: &[UpdateRow]) -> Markup {
    html! {
        @if !rows.is_empty() {
            ul.samples { @for row in rows.iter().take(SHOWN) { li { (row.title) (marks(cx, row)) } } }
            (rest(cx, rows.len()))
        }
    }
}

fn rest(cx: &Cx, all: usize) -> Markup {
    html! { @if all > SHOWN { p.quiet { (common::more(cx, (all - SHOWN) as u64)) } } }
}
