//! Files that are brought by hand: forms for them, and those that REST takes as they are sent.

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, Method, header};
use maud::{Markup, html};
use weir_api::{content::ContentAdded, import::Import};

use super::import;
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    flash::see,
    layout::Page,
    relay,
    texts::{infrastructure as t, infrastructure_files as f},
    ui::{
        self,
        form::{Errors, Field},
    },
};

/// A form with files. With the module it says how much of them has been sent.
pub(super) fn form(cx: &Cx, action: &str, fields: &Markup, buttons: &Markup) -> Markup {
    html! {
        form.stack method="post" enctype="multipart/form-data" action=(action) data-upload {
            (fields)
            div.buttons { (buttons) }
            div.progress data-sending hidden {
                progress max="1" value="0" aria-label=(f::sending(cx)) {}
                span role="status" data-sent=(f::sent(cx)) data-failed=(f::sending_failed(cx)) {}
                button.plain type="button" data-abort { (f::sending_stop(cx)) }
            }
        }
    }
}

/// Makes a field one for files: as many as one likes, of these kinds.
pub(super) fn files(field: &Field<'_>, accept: Option<&str>) -> Markup {
    let accept = accept.map(|kinds| format!(" accept=\"{kinds}\"")).unwrap_or_default();
    maud::PreEscaped(field.input("file", "").0.replacen("<input ", &format!("<input multiple{accept} "), 1))
}

fn media(headers: &HeaderMap) -> HeaderValue {
    headers.get(header::CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Packages and update documents: REST recognises what each file is. The page of the import follows.
pub(super) async fn documents(cx: Cx, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    let mut address = Address::new("/imports");
    for flag in ["strict", "force"] {
        if cx.address.value(flag) == Some("1") {
            address = address.with(flag, "true");
        }
    }
    match relay::up::<Import>(&cx, Method::POST, &address, &media(&headers), body).await {
        Ok(import) => Ok(see(path(&["infrastructure", "import", &import.id.to_string()]))),
        Err(failure) => import::page(&cx, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}

/// Content files: each is stored if an update names it.
pub(super) async fn content(cx: Cx, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    let address = Address::new("/content");
    let added = match relay::up::<ContentAdded>(&cx, Method::POST, &address, &media(&headers), body).await {
        Ok(added) => added,
        Err(failure) => return import::page(&cx, &Errors::of(&failure.into_problem()?, &[])).await,
    };
    let body = html! {
        section.panel {
            (ui::facts([
                (f::files_added(&cx).to_owned(), html! { (ui::number(&cx, added.added)) }),
                (f::files_unchanged(&cx).to_owned(), html! { (ui::number(&cx, added.unchanged)) }),
                (f::files_refused(&cx).to_owned(), html! { (ui::number(&cx, added.rejected)) }),
            ]))
        }
        @if !added.errors.is_empty() { (ui::panel(f::why_refused(&cx), &html! {
            ul.error-list { @for error in &added.errors { li { code { (error.file) } " " span lang="en" { (error.message) } } } }
            @if added.rejected > added.errors.len() as u64 { p { (crate::texts::common::more(&cx, added.rejected - added.errors.len() as u64)) } }
        })) }
        p { a.button href="/infrastructure/content" { (t::content(&cx)) } " " a.plain.button href="/infrastructure/import" { (f::import_more(&cx)) } }
    };
    Page::new(&cx, f::content_added_title(&cx))
        .crumb(t::import(&cx), "/infrastructure/import")
        .body(body)
        .render()
        .await
}
