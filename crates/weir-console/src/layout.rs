//! The frame of every page: top bar, rail, breadcrumbs, title, the three facts that matter, tabs.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use weir_api::{
    List,
    alert::AlertCounts,
    site::Site,
    status::Status,
    sync::{SyncState, SyncStatus},
};

use crate::{
    cx::{Cx, Theme},
    failure::Failure,
    flash,
    nav::Area,
    texts::common as t,
    ui::{self, icon::Icon, tabs::Tab},
};

/// A page in the making.
pub(crate) struct Page<'a> {
    cx: &'a Cx,
    title: String,
    crumbs: Vec<(String, String)>,
    facts: Vec<(String, Markup)>,
    tabs: Vec<Tab>,
    actions: Option<Markup>,
    body: Markup,
    bare: bool,
}

impl<'a> Page<'a> {
    /// A page with a title.
    pub(crate) fn new(cx: &'a Cx, title: impl Into<String>) -> Self {
        Self {
            cx,
            title: title.into(),
            crumbs: Vec::new(),
            facts: Vec::new(),
            tabs: Vec::new(),
            actions: None,
            body: Markup::default(),
            bare: false,
        }
    }

    /// Something above it: its name and address. The area comes by itself.
    pub(crate) fn crumb(mut self, label: impl Into<String>, address: impl ToString) -> Self {
        self.crumbs.push((label.into(), address.to_string()));
        self
    }

    /// A fact that matters, below the title; three at most.
    pub(crate) fn fact(mut self, label: impl Into<String>, value: Markup) -> Self {
        self.facts.push((label.into(), value));
        self
    }

    /// Tabs.
    pub(crate) fn tabs(mut self, tabs: Vec<Tab>) -> Self {
        self.tabs = tabs;
        self
    }

    /// Buttons and links beside the title.
    pub(crate) fn actions(mut self, actions: Markup) -> Self {
        self.actions = Some(actions);
        self
    }

    /// What it shows.
    pub(crate) fn body(mut self, body: Markup) -> Self {
        self.body = body;
        self
    }

    /// Without rail and top bar: for those who are not signed in.
    pub(crate) fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Makes it.
    pub(crate) async fn render(self) -> Result<Response, Failure> {
        let cx = self.cx;
        let chrome = if self.bare { None } else { Some(Chrome::load(cx).await) };
        let page = self.document(chrome.as_ref());
        let mut response = page.into_response();
        if cx.flash.is_some() {
            let gone = format!("{}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict", flash::COOKIE);
            if let Ok(gone) = HeaderValue::from_str(&gone) {
                response.headers_mut().append(header::SET_COOKIE, gone);
            }
        }
        Ok(response)
    }

    fn document(&self, chrome: Option<&Chrome>) -> Markup {
        let cx = self.cx;
        let assets = cx.console().assets();
        let theme = match cx.theme {
            Theme::System => None,
            Theme::Light => Some("light"),
            Theme::Dark => Some("dark"),
        };
        html! {
            (DOCTYPE)
            html lang=(cx.words().tag) data-theme=[theme] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Weir" }
                    link rel="stylesheet" href=(assets.style());
                    link rel="icon" href=(assets.icon()) type="image/svg+xml";
                    script type="module" src=(assets.module()) {}
                }
                body.bare[self.bare] {
                    a.skip href="#main" { (t::skip(cx)) }
                    @if let Some(chrome) = chrome {
                        (chrome.top(cx))
                        (chrome.rail(cx))
                    }
                    main id="main" tabindex="-1" {
                        (self.head())
                        div.flashes role="status" aria-live="polite" {
                            @if let Some(text) = cx.flash.as_ref().and_then(|flash| flash.say(cx.words())) {
                                p.flash { (Icon::Check.show()) (text) }
                            }
                        }
                        (self.body)
                    }
                    @if chrome.is_some() { (crate::screens::help::dialog(cx)) }
                }
            }
        }
    }

    fn head(&self) -> Markup {
        let cx = self.cx;
        let area = Area::of(cx.address.path()).filter(|area| *area != Area::Overview);
        let area = area.filter(|area| area.path() != cx.address.path());
        html! {
            header.head {
                @if area.is_some() || !self.crumbs.is_empty() {
                    nav.crumbs aria-label=(t::breadcrumbs(cx)) {
                        ol {
                            @if let Some(area) = area { li { a href=(cx.to(area.path())) { (area.label(cx)) } } }
                            @for (label, address) in &self.crumbs { li { a href=(address) { (label) } } }
                        }
                    }
                }
                div.title {
                    h1 { (self.title) }
                    @if let Some(actions) = &self.actions { div.actions { (actions) } }
                    @if let Some(guide) = crate::screens::help::about(cx.address.path()).filter(|_| !self.bare) {
                        a.plain.button.ask href=(guide) title=(t::explained(cx)) aria-label=(t::explained(cx)) { "?" }
                    }
                }
                @if !self.facts.is_empty() {
                    dl.facts3 {
                        @for (label, value) in &self.facts { div { dt { (label) } dd { (value) } } }
                    }
                }
                @if !self.tabs.is_empty() { (ui::tabs::tabs(cx, &self.tabs)) }
            }
        }
    }
}

/// What top bar and rail show. What REST does not tell the visitor is left out.
struct Chrome {
    status: Option<Status>,
    alerts: Option<AlertCounts>,
    sync: Option<SyncStatus>,
    sites: Vec<Site>,
}

impl Chrome {
    async fn load(cx: &Cx) -> Self {
        let (status, alerts, sync, sites) = tokio::join!(
            cx.api.get("/status", &()),
            cx.api.get("/alert-counts", &()),
            cx.api.get("/sync", &()),
            cx.api.get::<List<Site>>("/sites", &()),
        );
        Self {
            status: status.ok(),
            alerts: alerts.ok(),
            sync: sync.ok(),
            sites: sites.map(|list| list.items).unwrap_or_default(),
        }
    }

    fn top(&self, cx: &Cx) -> Markup {
        let running = self.sync.as_ref().and_then(|sync| sync.current.as_ref());
        let running = running.filter(|run| run.state == SyncState::Running);
        let alerts = self.alerts.as_ref();
        html! {
            header.top {
                a.brand href="/" { (Icon::Weir.show()) span { "Weir" } }
                (self.site(cx))
                search.find {
                    form action="/search" method="get" {
                        label.hide for="q" { (t::search(cx)) }
                        (Icon::Search.show())
                        input #q type="search" name="q" value=[cx.address.value("q").filter(|_| cx.address.path() == "/search")]
                            placeholder=(t::search_hint(cx)) autocomplete="off" maxlength="256" data-search aria-controls="found";
                        kbd aria-hidden="true" { "/" }
                    }
                    div #found.found role="region" aria-label=(t::search_results(cx)) aria-live="polite" hidden {}
                }
                div.state {
                    (ui::live("top-jobs", "synchronization content jobs", html! {
                        a.chip.busy[running.is_some()] href="/jobs" title=(t::jobs(cx)) {
                            (Icon::Jobs.show())
                            span.hide { (t::jobs(cx)) }
                            @if let Some(run) = running {
                                span { (run.progress.as_ref().and_then(|progress| progress.percent).map_or_else(|| "…".to_owned(), |percent| format!("{percent} %"))) }
                            }
                        }
                    }))
                    (ui::live("top-alerts", "alerts", html! {
                        a.chip.bad[alerts.is_some_and(|counts| counts.critical > 0)]
                            .warn[alerts.is_some_and(|counts| counts.critical == 0 && counts.warning > 0)]
                            href="/alerts" title=(t::alerts(cx)) {
                            (Icon::Bell.show())
                            span.hide { (t::alerts(cx)) }
                            @if let Some(counts) = alerts.filter(|counts| counts.open > 0) { span { (ui::number(cx, counts.open)) } }
                        }
                    }))
                    (account(cx))
                }
            }
        }
    }

    fn site(&self, cx: &Cx) -> Markup {
        let here = self.sites.iter().find(|site| site.here);
        if self.sites.len() < 2 {
            return html! { @if let Some(here) = here { span.site { (here.name) } } };
        }
        let chosen = cx.address.value("site");
        html! {
            form.site method="get" action=(cx.address.path()) {
                label.hide for="site" { (t::site(cx)) }
                select #site name="site" data-submit {
                    option value="" { (t::all_sites(cx)) }
                    @for site in &self.sites {
                        @let value = if site.here { "this" } else { site.name.as_str() };
                        option value=(value) selected[chosen == Some(value)] {
                            (PreEscaped("&#8195;".repeat(site.depth.min(8) as usize))) (site.name)
                        }
                    }
                }
                @for (name, value) in cx.address.pairs().iter().filter(|(name, _)| name != "site" && name != "cursor") {
                    input type="hidden" name=(name) value=(value);
                }
                button.plain type="submit" data-noscript { (t::show(cx)) }
            }
        }
    }

    fn rail(&self, cx: &Cx) -> Markup {
        let current = Area::of(cx.address.path());
        let counts = self.status.as_ref().map(|status| &status.counts);
        let number = |area: Area| match area {
            Area::Updates => counts.map(|counts| counts.updates),
            Area::Deployments => counts.map(|counts| counts.deployments),
            Area::Computers => counts.map(|counts| counts.computers),
            _ => None,
        };
        html! {
            nav.rail aria-label=(t::areas(cx)) {
                ul {
                    @for area in Area::ALL {
                        li {
                            a href=(cx.to(area.path())) data-go=(area.letter()) aria-current=[(current == Some(area)).then_some("true")] {
                                (area.icon().show())
                                span.name { (area.label(cx)) }
                                @if let Some(number) = number(area).filter(|number| *number > 0) {
                                    span.number { (ui::short(cx, number)) }
                                }
                            }
                            @let entries = if current == Some(area) { area.entries(cx) } else { Vec::new() };
                            @if entries.len() > 1 {
                                ul {
                                    @let longest = entries.iter().filter(|entry| below(cx.address.path(), entry.path)).map(|entry| entry.path.len()).max();
                                    @for entry in &entries {
                                        @let here = below(cx.address.path(), entry.path) && longest == Some(entry.path.len());
                                        li { a href=(cx.to(entry.path)) aria-current=[here.then_some("page")] { (entry.label) } }
                                    }
                                }
                            }
                        }
                    }
                }
                p.version { a href="/about" { "Weir " (cx.console().version()) } }
            }
        }
    }
}

/// Whether a page is this entry of the rail or something below it.
fn below(path: &str, entry: &str) -> bool {
    path == entry || path.strip_prefix(entry).is_some_and(|rest| rest.starts_with('/'))
}

fn account(cx: &Cx) -> Markup {
    let session = cx.session.as_ref();
    html! {
        details.menu {
            summary.chip title=(t::account(cx)) {
                (Icon::Person.show())
                span.name { (session.map_or_else(|| t::account(cx), |session| session.display_name.as_str())) }
            }
            div.sheet {
                @if let Some(session) = session {
                    p { strong { (session.display_name) } br; (ui::role(cx, session.role)) }
                    @if !session.collections.is_empty() {
                        p.quiet { (t::limited_to(cx)) " " (session.collections.iter().map(|collection| collection.name.as_str()).collect::<Vec<_>>().join(", ")) }
                    }
                }
                form method="post" action="/preferences" {
                    input type="hidden" name="to" value=(cx.address);
                    label { (t::language_label(cx))
                        select name="language" {
                            @for words in cx.console().catalogue().languages() {
                                option value=(words.tag) lang=(words.tag) selected[words.tag == cx.words().tag] { (words.name) }
                            }
                        }
                    }
                    label { (t::theme(cx))
                        select name="theme" data-theme-choice {
                            option value="system" selected[cx.theme == Theme::System] { (t::theme_system(cx)) }
                            option value="light" selected[cx.theme == Theme::Light] { (t::theme_light(cx)) }
                            option value="dark" selected[cx.theme == Theme::Dark] { (t::theme_dark(cx)) }
                        }
                    }
                    button type="submit" { (t::apply(cx)) }
                }
                p { a href="/help" { (t::help(cx)) } " · " a href="/about" { (t::about(cx)) } }
                form method="post" action="/sign-out" { button type="submit" { (t::sign_out(cx)) } }
            }
        }
    }
}
