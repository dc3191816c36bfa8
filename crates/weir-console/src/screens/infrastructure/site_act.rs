//! What is done with a site: a code that its server enrols with, removing it, leaving the tree.

use axum::{Form, extract::Path, response::Response};
use maud::html;
use serde::Deserialize;
use serde_json::Value;
use weir_api::site::{EnrolmentCode, EnrolmentRequest, LeaveQuery, Left, Site};

use super::{site::find, waits};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, infrastructure as t},
    ui::{
        self,
        confirm::{Confirm, matches},
        form::{Errors, Field},
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    addresses: String,
    typed: String,
    force: String,
}

fn own(site: &Site) -> String {
    path(&["infrastructure", "sites", &site.id.to_string()])
}

/// The form of a code: what it does, and other addresses than this server knows of.
pub(super) async fn inviting(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let (_, site) = find(&cx, &id).await?;
    invitation(&cx, &site, "", &Errors::default()).await
}

async fn invitation(cx: &Cx, site: &Site, addresses: &str, errors: &Errors) -> Result<Response, Failure> {
    let details = html! {
        (errors.summary(cx))
        @if site.enrolled_at.is_some() { div.panel.warn { p { (t::code_replaces(cx, &site.name)) } } }
        (Field::new("addresses", t::code_addresses(cx), errors).help(t::code_addresses_help(cx)).lines(addresses, 3))
    };
    let confirm = Confirm::new(
        t::code_sentence(cx, &site.name),
        t::code_undo(cx),
        t::enrol(cx),
        format!("{}/enrolment", own(site)),
        own(site),
    )
    .details(details);
    let confirm = if site.enrolled_at.is_some() { confirm.danger() } else { confirm };
    Page::new(cx, t::enrol(cx)).crumb(&site.name, own(site)).body(confirm.render(cx)).render().await
}

/// Makes a code and shows it, this once.
pub(super) async fn invite(cx: Cx, Path(id): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let addresses: Vec<String> = sent.addresses.split_whitespace().map(str::to_owned).collect();
    let made = cx.api.post(&path(&["sites", &id, "enrolment"]), &EnrolmentRequest { addresses }).await;
    let code: EnrolmentCode = match made {
        Ok(code) => code,
        Err(failure) => {
            let problem = failure.into_problem()?;
            let (_, site) = find(&cx, &id).await?;
            let errors = Errors::of(&problem, &["addresses=address", "addresses"]);
            return invitation(&cx, &site, &sent.addresses, &errors).await;
        }
    };
    let body = html! {
        div.panel.stack role="alert" {
            p { strong { (t::code_once(&cx)) } }
            div.secret {
                code { (code.code) }
                button type="button" data-copy=(code.code) data-copied=(common::copied(&cx)) hidden { (ui::icon::Icon::Copy.show()) (common::copy(&cx)) }
            }
            p { (t::code_run(&cx)) }
            (ui::command(&cx, &code.command))
            @if code.replaces { p { (t::code_replaces(&cx, &code.site.name)) } }
            (ui::facts([
                (t::code_expires(&cx).to_owned(), html! { (ui::time(&cx, code.expires_at)) " (" (ui::ago(&cx, code.expires_at)) ")" }),
                (t::code_addresses(&cx).to_owned(), html! { @for address in &code.addresses { code { (address) } br; } }),
                (t::fingerprint(&cx).to_owned(), html! { code { (code.fingerprint) } }),
            ]))
            p { a.button href=(path(&["infrastructure", "sites", &id])) { (t::code_kept(&cx)) } }
        }
    };
    Page::new(&cx, t::code_title(&cx, &code.site.name))
        .crumb(&code.site.name, path(&["infrastructure", "sites", &id]))
        .body(body)
        .render()
        .await
}

/// Asks for the name of a site that is to be removed.
pub(super) async fn removing(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let (_, site) = find(&cx, &id).await?;
    removal(&cx, &site, None, &Errors::default()).await
}

async fn removal(cx: &Cx, site: &Site, wrong: Option<String>, errors: &Errors) -> Result<Response, Failure> {
    let computers = site.point.as_ref().map_or(0, |point| point.computers);
    let details = html! {
        (errors.summary(cx))
        @if computers > 0 { p { (t::remove_computers(cx, computers)) } }
        p { (t::remove_server(cx)) }
    };
    let confirm = Confirm::new(
        t::remove_sentence(cx, &site.name),
        t::remove_undo(cx),
        t::remove(cx),
        format!("{}/remove", own(site)),
        own(site),
    )
    .details(details)
    .typed(&site.name, wrong);
    Page::new(cx, t::remove(cx)).crumb(&site.name, own(site)).body(confirm.render(cx)).render().await
}

/// Removes it when its name was typed.
pub(super) async fn remove(cx: Cx, Path(id): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let (_, site) = find(&cx, &id).await?;
    if !matches(&sent.typed, &site.name) {
        return removal(&cx, &site, Some(t::wrong_name(&cx).to_owned()), &Errors::default()).await;
    }
    match cx.api.delete::<Value>(&path(&["sites", &site.id.to_string()])).await {
        Ok(answer) => Ok(match waits(&answer) {
            Some(number) => t::flash_waits(number).to(own(&site)),
            None => t::flash_site_removed(&site.name).to("/infrastructure"),
        }),
        Err(failure) => removal(&cx, &site, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}

/// Asks for the name of the site above, which is to be left.
pub(super) async fn leaving(cx: Cx) -> Result<Response, Failure> {
    departure(&cx, None, &Errors::default(), false).await
}

async fn departure(cx: &Cx, wrong: Option<String>, errors: &Errors, force: bool) -> Result<Response, Failure> {
    let Some((here, above)) = place(cx).await? else { return Err(Failure::NotFound) };
    let none = Errors::default();
    let details = html! {
        (errors.summary(cx))
        p { (t::leave_keeps(cx)) }
        (Field::new("force", t::leave_force(cx), &none).help(t::leave_force_help(cx)).switch(force))
    };
    let back = own(&here);
    let confirm =
        Confirm::new(t::leave_sentence(cx, &above), t::leave_undo(cx), t::leave(cx), "/infrastructure/leave", back)
            .details(details)
            .typed(&above, wrong);
    Page::new(cx, t::leave(cx)).body(confirm.render(cx)).render().await
}

/// This server's site, and the name of the one above it.
async fn place(cx: &Cx) -> Result<Option<(Site, String)>, Failure> {
    let known = super::sites::Known::load(cx).await?;
    let here = known.sites.into_iter().find(|site| site.here);
    Ok(here.and_then(|here| Some((here.clone(), here.under?.name))))
}

/// Leaves the tree when the name of the site above was typed.
pub(super) async fn leave(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let Some((here, above)) = place(&cx).await? else { return Err(Failure::NotFound) };
    let force = sent.force == "1";
    if !matches(&sent.typed, &above) {
        return departure(&cx, Some(t::wrong_name(&cx).to_owned()), &Errors::default(), force).await;
    }
    let query = serde_urlencoded::to_string(LeaveQuery { force });
    let query = query.map_err(|error| Failure::internal("/parent", &error))?;
    match cx.api.delete::<Left>(&format!("/parent?{query}")).await {
        Ok(left) => Ok(t::flash_left(left.parent).to(own(&here))),
        Err(failure) => departure(&cx, None, &Errors::of(&failure.into_problem()?, &[]), force).await,
    }
}
