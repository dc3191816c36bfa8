//! What of a policy that computers have keeps them from scanning at a site: its values are pasted, or its file is given.

use axum::{
    extract::{Multipart, multipart::MultipartError},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{Markup, html};
use weir_api::policy::{PolicyCheck, PolicyChecked, PolicyScope};

use super::{show_finding, tabs, targets};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::given,
    texts::{policy as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        form::{Errors, Field},
    },
};

/// The command that writes the values of a computer to a file.
const COMMAND: &str = r"reg export HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate policy.reg /y";

/// What was sent.
#[derive(Clone, Debug, Default)]
struct Sent {
    text: String,
    file: Vec<u8>,
    user: bool,
    site: String,
    collection: String,
    url: String,
}

impl Sent {
    async fn read(mut form: Multipart) -> Result<Self, MultipartError> {
        let mut sent = Self::default();
        while let Some(part) = form.next_field().await? {
            let name = part.name().unwrap_or_default().to_owned();
            let bytes = part.bytes().await?;
            let text = || String::from_utf8_lossy(&bytes).into_owned();
            match name.as_str() {
                "text" => sent.text = text(),
                "file" => sent.file = bytes.to_vec(),
                "user" => sent.user = &bytes[..] == b"1",
                "for" => sent.site = text(),
                "collection" => sent.collection = text(),
                "url" => sent.url = text(),
                _ => {}
            }
        }
        Ok(sent)
    }

    /// The request for REST: the file if there is one, else the text.
    fn request(&self) -> PolicyCheck {
        let content = if self.file.is_empty() { self.text.trim_start().as_bytes() } else { &self.file };
        PolicyCheck {
            content: STANDARD.encode(content),
            scope: if self.user { PolicyScope::User } else { PolicyScope::Computer },
            site: given(&self.site),
            collection: given(&self.collection),
            url: given(&self.url),
        }
    }
}

/// The form.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Sent::default(), &Errors::default(), None).await
}

async fn page(cx: &Cx, sent: &Sent, errors: &Errors, checked: Option<&PolicyChecked>) -> Result<Response, Failure> {
    let (sites, collections) = targets(cx).await;
    let form = html! {
        form.panel method="post" action="/settings/policy/check" enctype="multipart/form-data" {
            (errors.summary(cx))
            p { (t::check_how(cx)) }
            (ui::command(cx, COMMAND))
            (Field::new("text", t::check_text(cx), errors).help(t::check_text_help(cx)).lines(&sent.text, 10))
            (Field::new("file", t::check_file(cx), errors).help(t::check_file_help(cx)).input("file", ""))
            (Field::new("user", t::check_user(cx), errors).help(t::check_user_help(cx)).switch(sent.user))
            (Field::new("for", t::check_site(cx), errors).choice(&sites, &sent.site))
            (Field::new("collection", t::collection(cx), errors).help(t::collection_help(cx)).choice(&collections, &sent.collection))
            (Field::new("url", t::url(cx), errors).help(t::url_help(cx)).input("text", &sent.url))
            div.buttons { button.primary type="submit" { (t::check(cx)) } }
        }
    };
    let result = checked
        .map_or_else(|| html! { section.panel { p.quiet { (t::check_hint(cx)) } } }, |checked| result(cx, checked));
    let body = html! {
        p.lead { (t::check_lead(cx)) }
        div.generator { div { (form) } div.stack aria-live="polite" { (result) } }
    };
    Page::new(cx, s::places(cx, "policy")).tabs(tabs(cx, "check")).body(body).render().await
}

fn result(cx: &Cx, checked: &PolicyChecked) -> Markup {
    let verdict = if checked.errors > 0 {
        badge(Tone::Bad, &t::check_errors(cx, checked.errors))
    } else if checked.warnings > 0 {
        badge(Tone::Warn, &t::check_warnings(cx, checked.warnings))
    } else {
        badge(Tone::Good, t::check_good(cx))
    };
    html! {
        section.panel {
            h2 { (verdict) }
            (ui::facts([
                (t::site(cx).to_owned(), html! { (checked.site) }),
                (t::addresses(cx).to_owned(), html! {
                    @if checked.addresses.is_empty() { (t::addresses_unknown(cx)) }
                    @for address in &checked.addresses { code { (address) } " " }
                }),
                (t::instructions(cx).to_owned(), html! { (ui::number(cx, checked.instructions)) }),
                (t::errors(cx).to_owned(), html! { (ui::number(cx, checked.errors)) " · " (t::check_warnings(cx, checked.warnings)) }),
            ]))
        }
        @if !checked.findings.is_empty() {
            section.panel { h2 { (t::findings(cx)) } @for finding in &checked.findings { (show_finding(cx, finding)) } }
        }
    }
}

/// Looks at what was sent.
pub(super) async fn check(cx: Cx, form: Multipart) -> Result<Response, Failure> {
    let sent = match Sent::read(form).await {
        Ok(sent) => sent,
        Err(error) => {
            let errors = Errors::default().field("file", error.body_text());
            return page(&cx, &Sent::default(), &errors, None).await;
        }
    };
    if sent.file.is_empty() && sent.text.trim().is_empty() {
        let errors = Errors::default().field("text", t::check_nothing(&cx));
        return page(&cx, &sent, &errors, None).await;
    }
    match cx.api.post::<PolicyChecked>("/policy/check", &sent.request()).await {
        Ok(checked) => page(&cx, &sent, &Errors::default(), Some(&checked)).await,
        Err(failure) => {
            let problem = failure.into_problem()?;
            let field = if sent.file.is_empty() { "text" } else { "file" };
            let errors = match problem.code.as_str() {
                "content" | "too_large" => Errors::default().field(field, problem.detail),
                "url" => Errors::default().field("url", problem.detail),
                _ => Errors::of(&problem, &["collection", "for=site"]),
            };
            page(&cx, &sent, &errors, None).await
        }
    }
}
