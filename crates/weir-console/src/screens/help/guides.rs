//! The guides: which there are, where a link in one leads, and which one is about a page.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};

use super::render::{self, Heading, Rendered};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, guides as t},
};

/// A guide, as the repository has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guide {
    /// Where it is in the repository, such as `docs/install.md`.
    pub(super) path: &'static str,
    /// What it says, in Markdown.
    pub(super) text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/guides.rs"));

/// The list of all guides.
pub(super) const INDEX: &str = "docs/README.md";

impl Guide {
    /// Where it is read: guides below `/help`, what stands beside them below `/help/project`.
    pub(super) fn address(self) -> String {
        let name = self.path.trim_end_matches(".md");
        match name.strip_prefix("docs/") {
            _ if self.path == INDEX => "/help".to_owned(),
            Some(name) => format!("/help/{name}"),
            None => path(&["help", "project", &name.to_lowercase()]),
        }
    }

    /// Its first heading.
    fn title(self) -> &'static str {
        let heading = self.text.lines().find_map(|line| line.strip_prefix("# "));
        heading.unwrap_or(self.path)
    }
}

/// Where a link leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Leads {
    /// To a page of this server.
    Here(String),
    /// Elsewhere.
    Out(String),
    /// To what is in the repository and not here.
    Nowhere,
}

/// Where a link in a guide leads.
pub(super) fn lead(from: &str, to: &str) -> Leads {
    if to.starts_with("https://") || to.starts_with("http://") || to.starts_with("mailto:") {
        return Leads::Out(to.to_owned());
    }
    let (file, anchor) = to.split_once('#').map_or((to, None), |(file, anchor)| (file, Some(anchor)));
    let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
    if file.is_empty() {
        return Leads::Here(anchor);
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                // nothing is above the repository
                if parts.pop().is_none() {
                    return Leads::Nowhere;
                }
            }
            part => parts.push(part),
        }
    }
    let target = parts.join("/");
    match GUIDES.iter().find(|guide| guide.path == target) {
        Some(guide) => Leads::Here(format!("{}{anchor}", guide.address())),
        None => Leads::Nowhere,
    }
}

/// The address of a guide by the name of its file, such as `install`; none if this release has none.
pub(crate) fn guide(name: &str) -> Option<String> {
    let file = format!("docs/{name}.md");
    GUIDES.iter().find(|guide| guide.path == file).map(|guide| guide.address())
}

/// What explains which pages: the beginning of their paths, a guide, a heading in it. The longest beginning counts.
pub(super) const ABOUT: [(&str, &str, &str); 38] = [
    ("/updates", "administration", "finding-updates"),
    ("/updates/cleanup", "administration", "keeping-the-catalogue-clean"),
    ("/updates/exposure", "exposure", ""),
    ("/updates/groups", "administration", "update-groups"),
    ("/updates/searches", "administration", "save-a-search"),
    ("/deployments", "administration", "deployments"),
    ("/deployments/phased", "administration", "phased-deployments"),
    ("/deployments/rules", "administration", "automatic-deployment-rules"),
    ("/deployments/stops", "administration", "stop-an-update-at-once"),
    ("/deployments/templates", "administration", "templates"),
    ("/deployments/windows", "administration", "maintenance-windows"),
    ("/computers", "compliance", ""),
    ("/computers/collections", "administration", "collections"),
    ("/computers/duplicates", "freshness", "several-machines-with-one-id"),
    ("/computers/errors", "compliance-history", "errors"),
    ("/computers/stale", "freshness", "retiring-computers-that-do-not-call"),
    ("/reports", "reports", ""),
    ("/reports/schedules", "reports", "by-schedule"),
    ("/infrastructure", "hierarchy", "sites"),
    ("/infrastructure/backups", "operations", "backup"),
    ("/infrastructure/content", "operations", "content"),
    ("/infrastructure/downstream", "hierarchy", "downstream-servers"),
    ("/infrastructure/export", "disconnected", ""),
    ("/infrastructure/health", "operations", "watching-it"),
    ("/infrastructure/import", "disconnected", ""),
    ("/infrastructure/synchronization", "operations", "synchronization"),
    ("/settings/approvals", "access", "a-second-person"),
    ("/settings/audit", "access", "the-audit-log"),
    ("/settings/client-settings", "administration", "client-settings"),
    ("/settings/criteria", "operations", "criteria"),
    ("/settings/notifications", "administration", "telling-people-by-e-mail"),
    ("/settings/policy", "administration", "windows-policy"),
    ("/settings/products", "first-day/3-choose-products", ""),
    ("/settings/site", "operations", "site-settings"),
    ("/settings/tls", "tls", ""),
    ("/settings/tokens", "access", "api-tokens"),
    ("/settings/users", "access", "users"),
    ("/alerts", "administration", "status-messages-and-alerts"),
];

/// The part of a guide that explains a page, if this release has it.
pub(crate) fn about(page: &str) -> Option<String> {
    let below = |begin: &str| page.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let found = ABOUT.iter().filter(|(begin, ..)| below(begin)).max_by_key(|(begin, ..)| begin.len());
    let (_, name, heading) = found?;
    let address = guide(name)?;
    Some(if heading.is_empty() { address } else { format!("{address}#{heading}") })
}

/// One guide.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let wanted = format!("/help/{name}");
    let Some(guide) = GUIDES.iter().find(|guide| guide.address() == wanted) else { return Err(Failure::NotFound) };
    let rendered = render::render(&cx, *guide);
    let title = if rendered.title.is_empty() { guide.path.to_owned() } else { rendered.title.clone() };
    Page::new(&cx, title).crumb(t::guides(&cx), "/help").body(read(&cx, &rendered)).render().await
}

/// A guide with its table of contents.
fn read(cx: &Cx, guide: &Rendered) -> Markup {
    html! {
        div.guide {
            @if guide.headings.len() > 1 {
                nav.contents aria-label=(t::contents(cx)) {
                    h2 { (t::contents(cx)) }
                    ul { @for heading in guide.headings.iter().filter(|heading| heading.level <= 3) { (entry(heading)) } }
                }
            }
            article.prose lang="en" { (guide.body) }
        }
    }
}

fn entry(heading: &Heading) -> Markup {
    html! { li.below[heading.level > 2] { a href={ "#" (heading.id) } lang="en" { (heading.text) } } }
}

/// The list of all guides, or those that have the text of the address.
pub(super) fn list(cx: &Cx) -> Markup {
    let text = cx.address.value("text").map(str::trim).filter(|text| !text.is_empty());
    html! {
        section.panel {
            h2 { (t::guides(cx)) }
            form.filters.alone method="get" action="/help" role="search" {
                label.hide for="text" { (t::find(cx)) }
                input id="text" type="search" name="text" value=[text] placeholder=(t::find(cx)) maxlength="100";
                button type="submit" { (common::search(cx)) }
                @if text.is_some() { a.button.plain href="/help" { (t::all(cx)) } }
            }
            @match (text, GUIDES.iter().find(|guide| guide.path == INDEX)) {
                (Some(text), _) => (found(cx, text)),
                (None, Some(index)) => div.prose lang="en" { (render::render(cx, *index).body) },
                (None, None) => ul lang="en" { @for guide in GUIDES { li { a href=(guide.address()) { (guide.title()) } } } },
            }
        }
    }
}

/// Parts of guides that have a text, those that have it in their heading first.
fn found(cx: &Cx, text: &str) -> Markup {
    const MOST: usize = 50;
    let wanted = text.to_lowercase();
    let mut parts = Vec::new();
    for guide in GUIDES {
        for part in render::parts(guide.text) {
            let (in_heading, times) =
                (part.heading.to_lowercase().contains(&wanted), part.text.to_lowercase().matches(&wanted).count());
            if in_heading || times > 0 {
                parts.push((!in_heading, std::cmp::Reverse(times), guide, part));
            }
        }
    }
    parts.sort_by_key(|found| (found.0, found.1));
    html! {
        @if parts.is_empty() { p { (t::nothing(cx, text)) } }
        @else {
            ul lang="en" {
                @for (_, _, guide, part) in parts.iter().take(MOST) {
                    li { a href=(guide.address() + &part.anchor()) { (part.heading) } span.quiet { " · " (guide.title()) } }
                }
            }
            @if parts.len() > MOST { p.quiet { (common::more(cx, (parts.len() - MOST) as u64)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Names of the headings of a guide.
    fn headings(guide: &Guide) -> BTreeSet<String> {
        render::parts(guide.text).into_iter().map(|part| part.id).collect()
    }

    #[test]
    fn links_lead_to_guides_or_elsewhere() {
        let here = |to: &str| Leads::Here(to.to_owned());
        assert_eq!(
            lead("docs/first-day/1-install-an-update-point.md", "../operations.md#backup"),
            here("/help/operations#backup")
        );
        assert_eq!(lead("docs/plan.md", "../CHANGELOG.md"), here("/help/project/changelog"));
        assert_eq!(lead("CHANGELOG.md", "docs/operations.md"), here("/help/operations"));
        assert_eq!(lead("docs/plan.md", "#later"), here("#later"));
        assert_eq!(lead("docs/plan.md", "https://example.org/"), Leads::Out("https://example.org/".to_owned()));
        for nowhere in ["../../etc/passwd", "../CONTRIBUTING.md", "javascript:alert(1)", "missing.md"] {
            assert_eq!(lead("docs/plan.md", nowhere), Leads::Nowhere, "{nowhere}");
        }
    }

    #[test]
    fn pages_are_explained_by_headings_that_there_are() {
        for (page, name, heading) in ABOUT {
            // a guide that a release does not have explains nothing
            let Some(guide) = GUIDES.iter().find(|guide| guide.path == format!("docs/{name}.md")) else { continue };
            assert!(heading.is_empty() || headings(guide).contains(heading), "{page}: {name}#{heading}");
        }
        assert_eq!(about("/updates/x"), Some("/help/administration#finding-updates".to_owned()));
        assert_eq!(about("/updatesx"), None);
    }
}
