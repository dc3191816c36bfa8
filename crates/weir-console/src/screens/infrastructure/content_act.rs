//! Work on content that somebody starts: reading everything again, mending it, removing what nobody needs.

use axum::{Form, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use weir_api::{access::Role, content::ContentJob};

use super::may;
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    flash::see,
    layout::Page,
    texts::{infrastructure as t, infrastructure_files as f},
    ui::{
        self,
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// Where forms lead: answers to them have an address that can be asked for again.
const HERE: &str = "/infrastructure/content";
/// The tab of jobs.
const TAB: &str = "/infrastructure/content?tab=jobs";

/// The forms of the three.
pub(super) fn forms(cx: &Cx) -> Markup {
    let none = Errors::default();
    html! {
        @if may(cx, Role::Operator) {
            section.panel.stack {
                h2 { (f::look_after(cx)) }
                @for act in ["verify", "repair"] {
                    form.inline method="post" action=(HERE) {
                        button type="submit" name="act" value=(act) { (f::content_acts(cx, act)) }
                        span.quiet { (f::content_acts_help(cx, act)) }
                    }
                }
                details {
                    summary { (f::content_acts(cx, "gc")) }
                    form method="post" action=(HERE) data-dialog {
                        p.quiet { (f::content_acts_help(cx, "gc")) }
                        (Field::new("undeployed", f::undeployed(cx), &none).help(f::undeployed_help(cx)).switch(false))
                        (Field::new("min_age_hours", f::min_age(cx), &none).help(f::min_age_help(cx)).unit(f::hours_unit(cx)).input("number", ""))
                        div.buttons { button type="submit" name="act" value="gc" { (f::what_would_go(cx)) } }
                    }
                }
            }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    act: String,
    undeployed: String,
    min_age_hours: String,
    sure: String,
}

impl Sent {
    /// Where REST takes the removal.
    fn collect(&self) -> Address {
        let address = Address::new("/content/gc");
        let address = if self.undeployed == "1" { address.with("undeployed", "true") } else { address };
        let age = self.min_age_hours.trim();
        if age.is_empty() { address } else { address.with("min_age_hours", age) }
    }
}

/// Starts the work. Of a removal it is said first what would go.
pub(super) async fn start(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let address = match sent.act.as_str() {
        act @ ("verify" | "repair") => Address::new(path(&["content", act])),
        "gc" if sent.sure == "1" => sent.collect(),
        "gc" => return asked(&cx, &sent).await,
        _ => return Err(Failure::NotFound),
    };
    match cx.api.post::<ContentJob>(&address.to_string(), &Value::Null).await {
        Ok(job) => Ok(see(path(&["infrastructure", "content", "jobs", &job.id.to_string()]))),
        Err(failure) => refused(&cx, &Errors::of(&failure.into_problem()?, &["min_age_hours"])).await,
    }
}

async fn refused(cx: &Cx, errors: &Errors) -> Result<Response, Failure> {
    let body = html! { (errors.summary(cx)) p { a.button href=(TAB) { (f::content_tabs(cx, "jobs")) } } };
    Page::new(cx, f::look_after(cx)).crumb(t::content(cx), TAB).body(body).render().await
}

/// Asks before anything is removed: how much that would be, REST counted.
async fn asked(cx: &Cx, sent: &Sent) -> Result<Response, Failure> {
    let look = sent.collect().with("dry_run", "true").with("wait", "true");
    let job: ContentJob = match cx.api.post(&look.to_string(), &Value::Null).await {
        Ok(job) => job,
        Err(failure) => return refused(cx, &Errors::of(&failure.into_problem()?, &["min_age_hours"])).await,
    };
    // the count is a job itself: one that has not ended is followed
    let Some(found) = job.collected else {
        return Ok(see(path(&["infrastructure", "content", "jobs", &job.id.to_string()])));
    };
    let details = html! {
        (ui::facts([
            (t::size(cx).to_owned(), html! { (ui::bytes(cx, found.bytes)) }),
            (f::too_young(cx).to_owned(), html! { (ui::number(cx, found.young)) }),
        ]))
    };
    let confirm = Confirm::new(
        f::collect_sentence(cx, found.files, ui::bytes(cx, found.bytes)),
        f::collect_undo(cx),
        f::content_acts(cx, "gc"),
        HERE,
        TAB,
    )
    .details(details)
    .field("act", "gc")
    .field("undeployed", &sent.undeployed)
    .field("min_age_hours", &sent.min_age_hours)
    .field("sure", "1")
    .nothing(found.files == 0)
    .danger();
    Page::new(cx, f::content_acts(cx, "gc")).crumb(t::content(cx), TAB).body(confirm.render(cx)).render().await
}
