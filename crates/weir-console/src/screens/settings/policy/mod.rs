//! The Windows policy by which computers are pointed at a site: made of choices, looked at, and every value that is known.

mod check;
mod choices;
mod known;

use axum::{Router, body::Body, extract::DefaultBodyLimit, response::Response, routing::get};
use http::{Request, header};
use http_body_util::BodyExt as _;
use maud::{Markup, html};
use weir_api::{
    List, PREFIX, Problem,
    policy::{Policy, PolicyFinding, PolicyFormat, PolicyRender},
    site::Site,
};

use self::choices::Choices;
use super::{collections, control::shown, listing};
use crate::{
    Console,
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{policy as t, settings as s},
    ui::{
        badge::{Tone, badge},
        form::{Errors, Field, group},
        tabs::Tab,
    },
};

/// The generator.
const HERE: &str = "/settings/policy";
/// Bytes of a form that brings a file to look at.
const MOST_BYTES: usize = 8 << 20;

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(show))
        .route("/settings/policy/file", get(file))
        .route("/settings/policy/check", get(check::show).post(check::check))
        .route("/settings/policy/values", get(known::show))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// Tabs of the three pages.
fn tabs(cx: &Cx, current: &str) -> Vec<Tab> {
    [("make", HERE), ("check", "/settings/policy/check"), ("values", "/settings/policy/values")]
        .map(|(key, path)| Tab::link(t::pages(cx, key), cx.to(path), key == current))
        .into()
}

/// Sites and collections to choose from; the first of both is none.
async fn targets(cx: &Cx) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let (sites, collections) = tokio::join!(cx.api.get::<List<Site>>("/sites", &()), collections(cx));
    let sites = sites.map(|list| list.items).unwrap_or_default().into_iter().filter(|site| !site.here);
    let here = std::iter::once((String::new(), t::this_site(cx).to_owned()));
    let all = std::iter::once((String::new(), t::all_computers(cx).to_owned()));
    (
        here.chain(sites.map(|site| (site.name.clone(), site.name))).collect(),
        all.chain(collections.into_iter().map(|one| (one.id.to_string(), one.name))).collect(),
    )
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    let choices = Choices::of(&cx.address);
    let request = choices.request(PolicyFormat::Json);
    let (sites, collections) = targets(&cx).await;
    let (made, errors) = match &request {
        Err(line) => (None, Errors::default().field("set", t::set_wrong(&cx, line))),
        Ok(request) => match cx.api.post::<Policy>("/policy/render", request).await {
            Ok(policy) => (Some(policy), Errors::default()),
            Err(failure) => (None, refusal(&failure.into_problem()?)),
        },
    };
    let result = match (&made, &request) {
        (Some(policy), Ok(request)) => result(&cx, policy, request).await?,
        _ => Markup::default(),
    };
    let body = html! {
        p.lead { (t::lead(&cx)) }
        div.generator {
            div { (form(&cx, &choices, &sites, &collections, &errors)) }
            div.stack { (result) }
        }
    };
    let page = Page::new(&cx, s::places(&cx, "policy")).tabs(tabs(&cx, "make")).body(body);
    let page = match &made {
        Some(policy) => page
            .fact(t::site(&cx), html! { (policy.site) })
            .fact(t::server(&cx), html! { code { (policy.server) } })
            .fact(t::values(&cx), html! { (crate::ui::number(&cx, policy.values.len() as u64)) }),
        None => page,
    };
    page.render().await
}

fn refusal(problem: &Problem) -> Errors {
    let field = match problem.code.as_str() {
        field @ ("url" | "status_url" | "alternate_url" | "set") => field,
        "group" => "groups",
        "policy_value" => "set",
        "address" => "url",
        _ => return Errors::of(problem, &["collection", "for=site", "groups=group"]),
    };
    let detail = match &problem.next_step {
        Some(next) => format!("{}. {next}", problem.detail),
        None => problem.detail.clone(),
    };
    Errors::default().field(field, detail)
}

fn form(
    cx: &Cx,
    choices: &Choices,
    sites: &[(String, String)],
    collections: &[(String, String)],
    errors: &Errors,
) -> Markup {
    let tls =
        ["", "1", "0"].map(|word| (word.to_owned(), t::tls_choices(cx, if word.is_empty() { "auto" } else { word })));
    let whom = html! {
        (Field::new("for", t::site(cx), errors).help(t::site_help(cx)).choice(sites, &choices.site))
        (Field::new("collection", t::collection(cx), errors).help(t::collection_help(cx)).choice(collections, &choices.collection))
    };
    let server = html! {
        (Field::new("https", t::tls(cx), errors).help(t::tls_help(cx)).choice(&tls, &choices.https))
        (Field::new("url", t::url(cx), errors).help(t::url_help(cx)).input("text", &choices.url))
        (Field::new("status_url", t::status_url(cx), errors).help(t::status_url_help(cx)).input("text", &choices.status_url))
        (Field::new("alternate_url", t::alternate_url(cx), errors).help(t::alternate_url_help(cx)).input("text", &choices.alternate_url))
    };
    let more = html! {
        (Field::new("groups", t::groups(cx), errors).help(t::groups_help(cx)).lines(&choices.groups, 2))
        (Field::new("no_internet", t::no_internet(cx), errors).help(t::no_internet_help(cx)).switch(choices.no_internet))
        (Field::new("remove_conflicts", t::remove_conflicts(cx), errors).help(t::remove_conflicts_help(cx)).switch(choices.remove_conflicts))
        (Field::new("no_sources", t::no_sources(cx), errors).help(t::no_sources_help(cx)).switch(choices.no_sources))
        (Field::new("set", t::set(cx), errors).help(t::set_help(cx)).lines(&choices.set, 3))
    };
    html! {
        form.panel method="get" action=(HERE) {
            (errors.summary(cx))
            @if let Some(form) = cx.address.value("as") { input type="hidden" name="as" value=(form); }
            (group(t::whom(cx), &whom))
            (group(t::which_server(cx), &server))
            (group(t::more(cx), &more))
            div.buttons { button.primary type="submit" { (t::make(cx)) } a.plain.button href=(HERE) { (t::as_first(cx)) } }
        }
    }
}

/// The policy in the form of the address: the values with where each comes from, or a file.
async fn result(cx: &Cx, policy: &Policy, request: &PolicyRender) -> Result<Markup, Failure> {
    let chosen = cx.address.value("as").filter(|form| FILES.iter().any(|(key, ..)| key == form));
    let base = cx.address.without("as");
    let tabs: Vec<Tab> = std::iter::once(Tab::link(t::forms(cx, "values"), base.clone(), chosen.is_none()))
        .chain(FILES.iter().map(|(key, ..)| Tab::link(t::forms(cx, key), base.with("as", key), chosen == Some(*key))))
        .collect();
    let content = match chosen {
        None => values(cx, policy),
        Some(key) => as_file(cx, policy, request, key).await?,
    };
    Ok(html! {
        section.panel {
            (crate::ui::tabs::called(cx, t::formats(cx), &tabs))
            (content)
        }
        @for finding in &policy.findings { (show_finding(cx, finding)) }
        @if !policy.notes.is_empty() {
            section.panel { h2 { (t::to_know(cx)) } ul lang="en" { @for note in &policy.notes { li { (note) } } } }
        }
        section.panel { h2 { (t::next(cx)) } p { (t::next_help(cx)) } p { a href="/settings/policy/check" { (t::pages(cx, "check")) } } }
    })
}

fn values(cx: &Cx, policy: &Policy) -> Markup {
    html! {
        div.scroll {
            table {
                caption.hide { (t::values(cx)) }
                thead { tr { @for head in [t::value_name(cx), t::value_data(cx), t::value_source(cx)] { th scope="col" { (head) } } } }
                tbody {
                    @for value in &policy.values {
                        tr {
                            th scope="row" {
                                code { (value.value) }
                                div.quiet { (value.key) }
                                div.quiet lang="en" { (value.policy) }
                            }
                            td {
                                @match &value.data {
                                    Some(data) => { (shown(cx, data)) div.quiet { (value.kind) } },
                                    None => (badge(Tone::Plain, t::removed(cx))),
                                }
                            }
                            td lang="en" { (value.source) }
                        }
                    }
                }
            }
        }
    }
}

/// Files: the word of REST and of the address, the form, the name of the file, whether it can be read.
const FILES: [(&str, PolicyFormat, &str, bool); 4] = [
    ("reg", PolicyFormat::Reg, "weir-policy.reg", true),
    ("pol", PolicyFormat::Pol, "Registry.pol", false),
    ("powershell", PolicyFormat::Powershell, "weir-policy.ps1", true),
    ("intune", PolicyFormat::Intune, "weir-policy.json", true),
];

async fn as_file(cx: &Cx, policy: &Policy, request: &PolicyRender, key: &str) -> Result<Markup, Failure> {
    let Some((_, format, name, readable)) = FILES.iter().find(|(known, ..)| *known == key) else {
        return Err(Failure::NotFound);
    };
    let download = download(&cx.address, key);
    let text = if *readable {
        let response = rendered(cx, &PolicyRender { format: *format, ..request.clone() }).await?;
        let bytes =
            response.into_body().collect().await.map_err(|error| Failure::internal("/policy/render", &error))?;
        Some(text(&bytes.to_bytes()))
    } else {
        None
    };
    Ok(html! {
        p { (t::form_helps(cx, key)) }
        p { a.button.primary href=(download) download { (crate::ui::icon::Icon::Download.show()) (t::download(cx, name)) } }
        @if let Some(text) = &text { (listing(cx, text)) }
        @if *format == PolicyFormat::Intune && !policy.without_csp.is_empty() {
            p { (t::without_csp(cx)) }
            ul.samples lang="en" { @for value in &policy.without_csp { li { (value) } } }
        }
    })
}

fn download(address: &Address, key: &str) -> Address {
    let pairs = address.pairs().iter().filter(|(name, _)| name != "as");
    pairs.fold(Address::new("/settings/policy/file"), |address, (name, value)| address.and(name, value)).with("as", key)
}

/// A file as text: files of the registry editor are UTF-16 with a mark at the beginning.
fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => {
            let units = rest.chunks_exact(2).map(|pair| match pair {
                [low, high] => u16::from_le_bytes([*low, *high]),
                _ => 0xFFFD,
            });
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// What REST answers to a request for a file.
async fn rendered(cx: &Cx, request: &PolicyRender) -> Result<Response, Failure> {
    let subject = "/policy/render";
    let json = serde_json::to_vec(request).map_err(|error| Failure::internal(subject, &error))?;
    let request = Request::post(format!("{PREFIX}{subject}")).header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(json)).map_err(|error| Failure::internal(subject, &error))?;
    let response = cx.api.send(request).await;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let bytes = response.into_body().collect().await.map_err(|error| Failure::internal(subject, &error))?.to_bytes();
    let problem = serde_json::from_slice(&bytes).unwrap_or_else(|_| Problem {
        status: status.as_u16(),
        code: "answer".to_owned(),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        detail: format!("{subject}: {status}"),
        next_step: None,
    });
    Err(Failure::refused(problem))
}

/// The file of the choices in the address.
async fn file(cx: Cx) -> Result<Response, Failure> {
    let wanted = cx.address.value("as").unwrap_or_default();
    let Some((_, format, ..)) = FILES.iter().find(|(known, ..)| *known == wanted) else {
        return Err(Failure::NotFound);
    };
    match Choices::of(&cx.address).request(*format) {
        Ok(request) => rendered(&cx, &request).await,
        Err(_) => Err(Failure::NotFound),
    }
}

/// Something that is not as it should be, with what to do.
fn show_finding(cx: &Cx, finding: &PolicyFinding) -> Markup {
    let tone = match finding.severity.as_str() {
        "error" => Tone::Bad,
        "warning" => Tone::Warn,
        _ => Tone::Plain,
    };
    html! {
        div.finding {
            p { (badge(tone, &t::severities(cx, &finding.severity))) " " code { (finding.value) } @if finding.value.is_empty() { code { (finding.key) } } " " span.quiet { (finding.code) } }
            p.quiet { (finding.key) }
            p { (t::found(cx)) " " @match &finding.found { Some(found) => code { (found) }, None => (t::absent(cx)) } }
            p lang="en" { (finding.breaks) }
            p lang="en" { strong { (crate::texts::common::next_step(cx)) } " " (finding.next_step) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_registry_editor_are_read() {
        let mut bytes = vec![0xFF, 0xFE];
        bytes.extend("Windows Registry Editor Version 5.00\r\né".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(text(&bytes), "Windows Registry Editor Version 5.00\r\né");
        assert_eq!(text("{\"a\":1}".as_bytes()), "{\"a\":1}");
        assert_eq!(text(&[0xFF, 0xFE, 0x41]), "");
    }
}
