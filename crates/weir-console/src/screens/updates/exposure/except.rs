//! Making an exception: what it is about, on which computers, who answers for it, why, until when.

use axum::{Form, response::Response};
use jiff::{Timestamp, ToSpan as _, civil::Date};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;
use weir_api::{
    List,
    collection::Collection,
    exposure::{CollectionQuery, CveDetail},
    exposure_level::{Exception, ExceptionCreate},
    list::ListQuery,
};

use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::{given, refused},
    texts::{common, exposure as t},
    ui::{
        self,
        confirm::Confirm,
        form::{Errors, Field, with_preview},
    },
};

/// Days that are proposed.
const PROPOSED: i64 = 30;
/// Collections that are offered.
const OFFERED: u32 = 1000;

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    cve: String,
    #[serde(default)]
    update: String,
    #[serde(default)]
    collection: String,
    #[serde(default)]
    computer: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    expires: String,
    sure: Option<String>,
}

/// The form; what it is about and where it holds can be in the address.
pub(super) async fn blank(cx: Cx) -> Result<Response, Failure> {
    let value = |name: &str| cx.address.value(name).unwrap_or_default().to_owned();
    let today = cx.now.to_zoned(cx.zone.clone()).date();
    let sent = Sent {
        cve: value("cve"),
        update: value("update"),
        collection: value("collection"),
        computer: value("computer"),
        owner: cx.session.as_ref().map(|session| session.display_name.clone()).unwrap_or_default(),
        expires: today.checked_add(PROPOSED.days()).map(|day| day.to_string()).unwrap_or_default(),
        ..Sent::default()
    };
    form(&cx, &sent, &Errors::default()).await
}

/// The same with another preview, for the module.
pub(super) async fn preview(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    form(&cx, &sent, &Errors::default()).await
}

async fn form(cx: &Cx, sent: &Sent, errors: &Errors) -> Result<Response, Failure> {
    let (collections, affected) = tokio::join!(collections(cx), affected(cx, sent));
    let mut options = vec![(String::new(), t::no_collection(cx).to_owned())];
    options.extend(collections.into_iter().map(|name| (name.clone(), name)));
    if !sent.collection.is_empty() && !options.iter().any(|(name, _)| *name == sent.collection) {
        options.push((sent.collection.clone(), sent.collection.clone()));
    }
    let fields = html! {
        form method="post" action="/updates/exposure/exceptions/new" data-preview="/updates/exposure/exceptions/new/preview" {
            (Field::new("cve", t::cve(cx), errors).help(t::exception_cve_help(cx)).input("text", &sent.cve))
            (Field::new("update", t::update(cx), errors).help(t::exception_update_help(cx)).input("text", &sent.update))
            (Field::new("collection", t::collection(cx), errors).help(t::exception_collection_help(cx)).choice(&options, &sent.collection))
            (Field::new("computer", t::computer(cx), errors).help(t::exception_computer_help(cx)).input("text", &sent.computer))
            (Field::new("owner", t::owner(cx), errors).help(t::owner_help(cx)).required().input("text", &sent.owner))
            (Field::new("reason", t::reason_head(cx), errors).help(t::exception_reason_help(cx)).required().lines(&sent.reason, 3))
            (Field::new("expires", t::expires(cx), errors).help(t::expires_help(cx)).required().input("date", &sent.expires))
            div.buttons {
                button.primary type="submit" { (t::exception_look(cx)) }
                a.button.plain href="/updates/exposure/exceptions" { (common::cancel(cx)) }
            }
        }
    };
    let body = html! { (errors.summary(cx)) (with_preview(&fields, &affected)) };
    Page::new(cx, t::exception_new(cx))
        .crumb(t::title(cx), "/updates/exposure")
        .crumb(t::exceptions(cx), "/updates/exposure/exceptions")
        .body(body)
        .render()
        .await
}

async fn collections(cx: &Cx) -> Vec<String> {
    let query = ListQuery { cursor: None, limit: Some(OFFERED) };
    let list = cx.api.get::<List<Collection>>("/collections", &query).await;
    list.map(|list| list.items.into_iter().map(|collection| collection.name).collect()).unwrap_or_default()
}

/// Whom it concerns now: exposures to the vulnerability in the collection.
async fn affected(cx: &Cx, sent: &Sent) -> Markup {
    let head = html! { h2 { (t::exception_preview(cx)) } };
    let (Some(cve), Some(collection)) = (given(&sent.cve), given(&sent.collection)) else {
        return html! { (head) p { (t::exception_preview_none(cx)) } };
    };
    let query = CollectionQuery { collection: Some(collection.clone()) };
    match cx.api.get::<CveDetail>(&path(&["exposure", "cves", &cve]), &query).await {
        Ok(detail) => {
            let levels = detail.cve.levels;
            html! {
                (head)
                p { strong { (t::exception_covers(cx, detail.cve.computers.exposed, &collection)) } }
                p { (t::exception_breached(cx, levels.breached)) }
                @if levels.excepted > 0 { p { (t::excepted(cx, levels.excepted)) } }
                p.quiet { (t::exception_stays(cx)) }
            }
        }
        Err(Failure::Refused(problem)) => html! { (head) p.error lang="en" { (problem.detail) } },
        Err(_) => head,
    }
}

/// The end of a day in the zone of the visitor.
fn end(cx: &Cx, day: &str) -> Option<Timestamp> {
    let day: Date = day.trim().parse().ok()?;
    let next = day.checked_add(1.day()).ok()?;
    next.to_zoned(cx.zone.clone()).ok().map(|at| at.timestamp())
}

/// Asks for confirmation, or makes it.
pub(super) async fn create(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let mut errors = Errors::default();
    let update = match given(&sent.update).map(|id| Uuid::parse_str(&id)) {
        Some(Err(_)) => {
            errors = errors.field("update", t::exception_update_wrong(&cx));
            None
        }
        Some(Ok(id)) => Some(id),
        None => None,
    };
    let expires_at = end(&cx, &sent.expires);
    if expires_at.is_none() {
        errors = errors.field("expires", t::expires_wrong(&cx));
    }
    for (field, value) in [("owner", &sent.owner), ("reason", &sent.reason)] {
        if value.trim().is_empty() {
            errors = errors.field(field, t::needed(&cx));
        }
    }
    if given(&sent.cve).is_some() == given(&sent.update).is_some() {
        errors = errors.field("cve", t::exception_one_subject(&cx));
    }
    if given(&sent.collection).is_some() == given(&sent.computer).is_some() {
        errors = errors.field("collection", t::exception_one_place(&cx));
    }
    if !errors.is_empty() {
        return form(&cx, &sent, &errors).await;
    }
    if sent.sure.is_none() {
        return confirm(&cx, &sent, expires_at).await;
    }
    let new = ExceptionCreate {
        cve: given(&sent.cve),
        update,
        collection: given(&sent.collection),
        computer: given(&sent.computer),
        owner: sent.owner.trim().to_owned(),
        reason: sent.reason.trim().to_owned(),
        expires_at,
    };
    match cx.api.post::<Exception>("/exposure/exceptions", &new).await {
        Ok(made) => Ok(t::flash_excepted().to(match &made.cve {
            Some(cve) => format!("{}?tab=exceptions", path(&["updates", "exposure", cve])),
            None => "/updates/exposure/exceptions".to_owned(),
        })),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let fields = ["owner", "reason", "expires=expires_at", "update", "computer", "cve", "collection"];
            form(&cx, &sent, &refused(&problem, &fields)).await
        }
    }
}

async fn confirm(cx: &Cx, sent: &Sent, expires_at: Option<Timestamp>) -> Result<Response, Failure> {
    let details = html! {
        (affected(cx, sent).await)
        (ui::facts([
            (t::owner(cx).to_owned(), html! { (sent.owner) }),
            (t::reason_head(cx).to_owned(), html! { (sent.reason) }),
            (t::expires(cx).to_owned(), ui::time_or(cx, expires_at)),
        ]))
    };
    let subject = given(&sent.cve).or_else(|| given(&sent.update)).unwrap_or_default();
    let place = given(&sent.collection).or_else(|| given(&sent.computer)).unwrap_or_default();
    let mut confirm = Confirm::new(
        t::exception_sentence(cx, subject, place),
        t::exception_undo(cx),
        t::exception_new(cx),
        "/updates/exposure/exceptions/new",
        "/updates/exposure/exceptions",
    )
    .details(details)
    .field("sure", "1");
    for (name, value) in [
        ("cve", &sent.cve),
        ("update", &sent.update),
        ("collection", &sent.collection),
        ("computer", &sent.computer),
        ("owner", &sent.owner),
        ("reason", &sent.reason),
        ("expires", &sent.expires),
    ] {
        confirm = confirm.field(name, value);
    }
    Page::new(cx, t::exception_new(cx)).body(confirm.render(cx)).render().await
}
