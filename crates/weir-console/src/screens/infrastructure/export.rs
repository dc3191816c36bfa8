//! What is made for a server without a network: packages and bundles.

use axum::{
    body::Body,
    extract::{Multipart, multipart::MultipartRejection},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderValue, Method};
use maud::{Markup, html};
use weir_api::{
    access::Role,
    bundle::BundleKey,
    export::Export,
    job::{Job, JobKind},
    status::{Counts, Status},
};

use super::{import::job_state, jobs, may, must, parts, too_much, upload};
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
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Decisions that can go into a bundle, by the names of the interface.
const DECISIONS: [&str; 10] = [
    "deployments",
    "declines",
    "collections",
    "selections",
    "settings",
    "criteria",
    "rules",
    "windows",
    "searches",
    "client-settings",
];
/// Sizes of parts: what fits a CD, a FAT32 medium, a Blu-ray disc. Empty is what REST takes by itself.
const SIZES: [&str; 4] = ["", "700000000", "4000000000", "25000000000"];
/// Fields of the form, with room to spare.
const MOST_FIELDS: usize = 40;
/// Bytes of a field that is no file.
const LONGEST_FIELD: usize = 200;

/// What the form holds.
#[derive(Clone, Debug, Default)]
struct Filled {
    format: String,
    content: String,
    with: Vec<String>,
    part_bytes: String,
}

impl Filled {
    fn fresh() -> Self {
        let with = ["deployments", "declines"].map(str::to_owned).to_vec();
        Self { format: "bundle".to_owned(), content: "deployed".to_owned(), with, part_bytes: String::new() }
    }

    fn take(&mut self, name: &str, value: String) {
        match name {
            "format" => self.format = value,
            "content" => self.content = value,
            "with" => self.with.push(value),
            "part_bytes" => self.part_bytes = value,
            _ => {}
        }
    }

    /// What REST is asked for. A package holds the metadata of everything, and nothing else is said of it.
    fn address(&self) -> Address {
        let address = Address::new("/exports").with("format", &self.format);
        if self.format == "package" {
            return address;
        }
        let address = address.with("content", &self.content);
        let address = if self.with.is_empty() { address } else { address.with("with", self.with.join(",")) };
        if self.part_bytes.is_empty() { address } else { address.with("part_bytes", &self.part_bytes) }
    }
}

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Filled::fresh(), &Errors::default()).await
}

async fn page(cx: &Cx, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let tab = cx.address.value("tab");
    let jobs = jobs::of(cx, JobKind::Export).await;
    if wants_csv(&cx.address) {
        return Ok(grid(cx, &jobs).csv());
    }
    let body = match tab {
        None => {
            let status: Status = cx.api.get("/status", &()).await?;
            html! {
                (make(cx, &status.counts, filled, errors))
                @if !jobs.is_empty() { (ui::live("exports-live", "jobs", grid(cx, &jobs).render())) }
            }
        }
        Some("key") => key(cx).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    Page::new(cx, t::export(cx))
        .tabs(vec![
            Tab::new(cx, "make", true, f::export_tabs(cx, "make")),
            Tab::new(cx, "key", false, f::export_tabs(cx, "key")),
        ])
        .body(body)
        .render()
        .await
}

fn make(cx: &Cx, counts: &Counts, filled: &Filled, errors: &Errors) -> Markup {
    if !may(cx, Role::Operator) {
        return html! { section.panel { p { (f::export_forbidden(cx)) } } };
    }
    let options = |words: &[&str], word: fn(&Cx, &str) -> String| -> Vec<(String, String)> {
        words.iter().map(|value| ((*value).to_owned(), word(cx, value))).collect()
    };
    let base = Field::new("base", f::export_base(cx), errors).help(f::export_base_help(cx));
    let fields = html! {
        (errors.summary(cx))
        (Field::new("format", f::export_format(cx), errors).help(f::export_format_help(cx)).choice(&options(&["bundle", "package"], f::export_formats), &filled.format))
        (Field::new("content", f::export_content(cx), errors).help(f::export_content_help(cx)).choice(&options(&["deployed", "all", "none"], f::export_contents), &filled.content))
        fieldset.field {
            legend { (f::export_with(cx)) }
            p.help { (f::export_with_help(cx)) }
            @for decision in DECISIONS {
                label.check {
                    input type="checkbox" name="with" value=(decision) checked[filled.with.iter().any(|with| with == decision)];
                    (f::decisions(cx, decision))
                } " "
            }
        }
        (Field::new("part_bytes", f::export_part(cx), errors).help(f::export_part_help(cx)).choice(&options(&SIZES, f::export_parts), &filled.part_bytes))
        (base.input("file", ""))
    };
    let preview = html! {
        h2 { (f::export_holds(cx)) }
        (ui::facts([
            (t::revisions(cx).to_owned(), html! { (ui::number(cx, counts.revisions)) }),
            (f::unresolved(cx).to_owned(), html! { (ui::number(cx, counts.unresolved)) }),
            (t::content(cx).to_owned(), html! { (f::files_count(cx, counts.content_files)) " · " (ui::bytes(cx, counts.content_bytes)) }),
            (f::awaited(cx).to_owned(), html! { (f::files_count(cx, counts.content_waiting)) }),
            (f::deployments(cx).to_owned(), html! { (ui::number(cx, counts.deployments)) }),
        ]))
        p.quiet { (f::export_holds_help(cx)) }
        @if counts.content_waiting > 0 { p { a href="/infrastructure/content?tab=files&state=waiting" { (f::see_missing(cx)) } } }
    };
    let buttons = html! { button.primary type="submit" { (f::export_make(cx)) } };
    html! {
        div.form-preview {
            section.panel { (upload::form(cx, "/infrastructure/export/new", &fields, &buttons)) }
            aside.preview { (preview) }
        }
    }
}

/// The key that this site signs with. It is made when it is first looked at.
async fn key(cx: &Cx) -> Result<Markup, Failure> {
    if !may(cx, Role::Operator) {
        return Ok(html! { section.panel { p { (f::export_forbidden(cx)) } } });
    }
    let key: BundleKey = cx.api.get("/bundles/key", &()).await?;
    Ok(html! {
        section.panel.stack {
            p { (f::key_help(cx)) }
            h2 { (t::fingerprint(cx)) }
            (ui::command(cx, &key.fingerprint))
            h2 { (f::public_key(cx)) }
            (ui::command(cx, &key.public))
            p.quiet { (f::made_at(cx)) " " (ui::time(cx, key.created_at)) }
        }
    })
}

fn grid<'a>(cx: &'a Cx, jobs: &'a [Job]) -> Grid<'a, Job> {
    let columns = vec![
        Column::new("began", t::began(cx), |job: &Job| {
            html! { a href=(path(&["infrastructure", "export", &job.id])) { (ui::time_or(cx, job.started_at)) } }
        })
        .text(|job| job.started_at.map(|at| at.to_string()).unwrap_or_default())
        .narrow(),
        Column::new("what", f::export_format(cx), |job: &Job| html! { span lang="en" { (job.title) } })
            .text(|job| job.title.clone()),
        Column::new("state", t::state(cx), |job: &Job| job_state(cx, &ui::word(&job.state)))
            .text(|job| ui::word(&job.state))
            .narrow(),
        Column::new("result", t::result(cx), |job: &Job| {
            html! { span lang="en" { (job.error.as_deref().or(job.result.as_deref()).unwrap_or_default()) } }
        })
        .text(|job| job.error.clone().or_else(|| job.result.clone()).unwrap_or_default())
        .wide()
        .narrow(),
    ];
    Grid::new(cx, "exports", f::exports(cx), columns, jobs)
}

/// Begins an export. What it builds on is sent to REST while it comes; it is the last field of the form.
pub(super) async fn create(cx: Cx, form: Result<Multipart, MultipartRejection>) -> Result<Response, Failure> {
    must(&cx, Role::Operator)?;
    let mut filled = Filled::default();
    let mut made = None;
    let broken = |why: String| Errors::default().field("base", why);
    let mut form = match form {
        Ok(form) => form,
        Err(error) => return page(&cx, &Filled::fresh(), &broken(error.body_text())).await,
    };
    for seen in 0.. {
        if seen > MOST_FIELDS {
            return Err(too_much());
        }
        let mut field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => return page(&cx, &filled, &broken(error.body_text())).await,
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "base" {
            if field.file_name().is_some_and(|file| !file.is_empty()) {
                let begun = relay::pipe::<Export>(&cx, Method::POST, &filled.address(), Bytes::new(), &mut field).await;
                made = Some(begun);
            }
            continue;
        }
        match parts::whole(&mut field, LONGEST_FIELD).await {
            Ok(Some(value)) => filled.take(&name, String::from_utf8_lossy(&value).into_owned()),
            Ok(None) => return Err(too_much()),
            Err(error) => return page(&cx, &filled, &broken(error.body_text())).await,
        }
    }
    let made = match made {
        Some(made) => made,
        None => {
            let media = HeaderValue::from_static("application/octet-stream");
            relay::up::<Export>(&cx, Method::POST, &filled.address(), &media, Body::empty()).await
        }
    };
    match made {
        Ok(export) => Ok(see(path(&["infrastructure", "export", &export.id.to_string()]))),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let errors = match problem.code.as_str() {
                "base" => Errors::default().field("base", problem.detail),
                "part_size" => Errors::default().field("part_bytes", problem.detail),
                "with" | "content" => Errors::default().field("content", problem.detail),
                _ => Errors::of(&problem, &[]),
            };
            page(&cx, &filled, &errors).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Filled;

    #[test]
    fn a_package_is_asked_for_without_what_bundles_have() {
        let bundle = Filled { part_bytes: "700000000".to_owned(), ..Filled::fresh() };
        let asked = "/exports?format=bundle&content=deployed&with=deployments%2Cdeclines&part_bytes=700000000";
        assert_eq!(bundle.address().to_string(), asked);
        let package = Filled { format: "package".to_owned(), ..bundle };
        assert_eq!(package.address().to_string(), "/exports?format=package");
    }
}
