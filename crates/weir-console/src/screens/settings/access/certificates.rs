//! Certificates by which a user is known.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use weir_api::{
    List,
    access::Role,
    user::{User, UserCertificate},
};

use super::{
    user::{find, page},
    users::{HERE, address},
};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{large, may},
    texts::{accounts as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// Those of a user; none where REST does not say.
pub(super) async fn load(cx: &Cx, name: &str) -> Option<Vec<UserCertificate>> {
    let resource = path(&["users", name, "certificates"]);
    let list: List<UserCertificate> = cx.api.get(&resource, &large(None)).await.ok()?;
    Some(list.items)
}

/// The part of the page of a user.
pub(super) fn panel(cx: &Cx, user: &User, certificates: Option<&[UserCertificate]>, errors: &Errors) -> Markup {
    let Some(certificates) = certificates else { return Markup::default() };
    let open = may(cx, Role::FullAdministrator);
    let here = address(&user.name);
    html! {
        section.panel {
            h2 { (t::certificates(cx)) }
            @if certificates.is_empty() { p.quiet { (t::certificates_none(cx)) } }
            @else {
                div.scroll {
                    table {
                        caption.hide { (t::certificates(cx)) }
                        thead { tr { @for head in [t::subject(cx), t::ends(cx), t::made(cx)] { th scope="col" { (head) } } @if open { th scope="col" { (t::acts(cx)) } } } }
                        tbody {
                            @for one in certificates {
                                tr {
                                    th scope="row" { (one.subject) div.quiet { code { (one.fingerprint) } } }
                                    td { (ui::time(cx, one.ends_at)) @if one.ends_at <= cx.now { " " (badge(Tone::Bad, t::expired(cx))) } }
                                    td { (ui::time(cx, one.created_at)) " · " (one.created_by) }
                                    @if open { td { a.button href=(remove_address(&user.name, &one.fingerprint)) { (t::certificate_remove(cx)) } } }
                                }
                            }
                        }
                    }
                }
            }
            @if open {
                details open[certificates.is_empty()] {
                    summary { (t::certificate_add(cx)) }
                    form method="post" action={ (here) "/certificates" } {
                        (Field::new("pem", t::pem(cx), errors).help(t::pem_help(cx)).required().lines("", 6))
                        button type="submit" { (t::certificate_add(cx)) }
                    }
                }
            }
        }
    }
}

fn remove_address(name: &str, fingerprint: &str) -> String {
    path(&["settings", "users", name, "certificates", fingerprint, "remove"])
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    pem: String,
}

/// Registers one.
pub(super) async fn add(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let resource = path(&["users", &name, "certificates"]);
    match cx.api.post::<Value>(&resource, &json!({ "pem": sent.pem })).await {
        Ok(_) => Ok(t::flash_certificate_added(&name).to(address(&name))),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let user = find(&cx, &name).await?;
            page(&cx, &user, None, &Errors::default().field("pem", problem.detail)).await
        }
    }
}

/// Asks whether one is to be forgotten.
pub(super) async fn removing(cx: Cx, Path((name, fingerprint)): Path<(String, String)>) -> Result<Response, Failure> {
    let here = address(&name);
    let details = html! { p { code { (fingerprint) } } };
    let action = remove_address(&name, &fingerprint);
    let confirm = Confirm::new(
        t::certificate_sentence(&cx, &name),
        t::certificate_undo(&cx),
        t::certificate_remove(&cx),
        action,
        &here,
    )
    .details(details)
    .danger();
    Page::new(&cx, t::certificate_remove(&cx))
        .crumb(s::places(&cx, "users"), HERE)
        .crumb(&name, here)
        .body(confirm.render(&cx))
        .render()
        .await
}

/// Forgets it.
pub(super) async fn remove(cx: Cx, Path((name, fingerprint)): Path<(String, String)>) -> Result<Response, Failure> {
    match cx.api.delete::<()>(&path(&["users", &name, "certificates", &fingerprint])).await {
        Ok(()) => Ok(t::flash_certificate_removed(&name).to(address(&name))),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let user = find(&cx, &name).await?;
            page(&cx, &user, None, &Errors::of(&problem, &[])).await
        }
    }
}
