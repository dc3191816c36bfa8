//! The console over a large site: every screen that links lead to, from a signed-in browser's first byte to the last of the page. What
//! the site has to show is made by [`estate`]; routes of the console that no link led to are told.
//!
//! The baseline of a screen is the answer of `/healthz` on the same connection in the same round. What a browser needs beyond the
//! bytes (layout, script) is measured by `tests/console/measure.mjs`, where its folder is given, or by hand on the server that
//! `--hold` leaves running.

use std::{
    collections::{BTreeSet, VecDeque},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use reqwest::{Certificate, Client, header, redirect::Policy};

use crate::{
    Options, browser,
    engine::Engine,
    estate,
    fleet::Fleet,
    measure::{Limit, PAIRS, Row, exponent, median},
    screens::{self, shape},
    site::Site,
};

/// Updates of the catalogue, where nothing else is asked for.
pub(crate) const UPDATES: usize = 100_000;
/// Of these, computers report on so many.
const REPORTED: usize = 5_000;
/// What a screen may take until its first byte (design, section 9).
const BUDGET_MS: f64 = 100.0;
/// Kilobytes of style and script as they are sent.
const STYLE_KB: f64 = 60.0;
/// Screens at most: more means that links multiply.
const MOST: usize = 600;
/// Where every answer with a body begins to be none of ours.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long finding members of collections may take.
const SETTLED: Duration = Duration::from_mins(20);
/// Screens that begin the walk: whatever else there is, links lead to it.
const BEGIN: [&str; 9] = [
    "/",
    "/updates",
    "/deployments",
    "/computers",
    "/reports",
    "/infrastructure",
    "/settings",
    "/search?q=update",
    "/search?q=pc1",
];
/// Lists that are narrowed or ordered: screens that are there already, with questions of their own.
const QUESTIONS: [&str; 16] = [
    "/computers?f=state:failed",
    "/computers?f=freshness:silent",
    "/computers?f=transport:https",
    "/computers?f=collection:Office%201",
    "/computers?text=pc12",
    "/computers?sort=name",
    "/computers?filter=needed%20%3E%200",
    "/computers?filter=name%20~%20%22pc77%22",
    "/updates?text=cumulative",
    "/updates?view=needed&sort=needed:desc",
    "/updates?filter=kb%20%3D%205000100",
    "/deployments?text=deployment&sort=deadline",
    "/updates/exposure?sort=exposed:desc",
    "/updates/exposure/computers?sort=name",
    "/settings/audit?actor=anna",
    "/computers/errors?by=update",
];
/// Places that are no pages of the console.
const ELSEWHERE: [&str; 7] = ["/api/", "/assets/", "/metrics", "/healthz", "/readyz", "/sign-out", "/sign-in"];

/// Rows, and the exponent by which the median first byte grows with the fleet.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
}

/// Measures sites of these sizes; with `hold` the last one is left running until Ctrl+C.
pub(crate) async fn measure(
    engine: &Engine,
    folder: &Path,
    sizes: &[usize],
    updates: usize,
    options: &Options,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for (at, size) in sizes.iter().enumerate() {
        let home = engine.home(folder.join(format!("console-{size}")))?;
        let data = home.data();
        tell(&format!("console: storing {size} computers and {updates} updates"));
        let reported = REPORTED.min(updates);
        let fleet = Fleet::fill(&home, *size, reported, updates - reported).await?;
        fleet.deploy()?;
        estate::furnish(&fleet)?;
        drop(fleet);
        home.tidy()?;
        let started = Instant::now();
        let site = Site::start(&home, &[])?;
        let ready = started.elapsed().as_secs_f64();
        let visitor = Visitor::sign_in(&site, data).await?;
        estate::make(&site, tell);
        visitor.settle().await?;
        let screens = visitor.walk().await?;
        tell(&format!("console: {size} computers, {} screens", screens.len()));
        let missing = missing(&screens);
        if !missing.is_empty() {
            tell(&format!("console: no link leads to {}", missing.join(", ")));
        }
        let memory = site.watch();
        let (more, middle) = visitor.rows(&screens, *size).await?;
        rows.extend(more);
        let row = |case: &str, value: f64, unit| Row {
            case: case.to_owned(),
            revisions: *size,
            value,
            unit,
            ..Row::default()
        };
        rows.push(row("routes that no link leads to", missing.len() as f64, ""));
        rows.push(row("start until it listens", ready, "s"));
        rows.push(row("resident at most", memory.peak() as f64 / 1e6, "MB"));
        let bytes = visitor.style_and_script().await?;
        rows.push(row("style and script", bytes as f64 / 1e3, "kB").within([Limit::most(STYLE_KB)]));
        let opened = options.browser.as_ref().map(|(modules, packages)| {
            tell(&format!("console: {size} computers, in a browser"));
            let (out, link) = (data.join("browser"), link(&site)?);
            browser::measure(modules, packages, &browser::Target { admin: site.admin()?, data, link: &link, out: &out })
        });
        rows.push(browser::row(opened, *size));
        growth.push((*size as f64, middle));
        if options.hold && at + 1 == sizes.len() {
            tell(&format!(
                "console: {} runs on {} until Ctrl+C; a link: {}",
                site.admin()?,
                data.display(),
                link(&site)?
            ));
            tokio::signal::ctrl_c().await?;
        }
        drop(site);
        home.remove()?;
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

fn link(site: &Site) -> anyhow::Result<String> {
    let answer = site.weir(&["admin", "sign-in"])?;
    Ok(answer["url"].as_str().context("no sign-in link")?.to_owned())
}

/// A screen, and what its first byte took the first time that it was asked for.
struct Screen {
    address: String,
    first_ms: f64,
}

/// Routes of the console that none of these is at.
fn missing(seen: &[Screen]) -> Vec<&'static str> {
    let path = |screen: &Screen| screens::route(screen.address.split('?').next().unwrap_or_default());
    let seen: BTreeSet<&str> = seen.iter().filter_map(path).collect();
    let routes = screens::ROUTES.into_iter().filter(|route| !screens::ELSEWHERE.contains(route));
    routes.filter(|route| !seen.contains(route)).collect()
}

/// What a page took.
struct Loaded {
    first_byte_ms: f64,
    whole_ms: f64,
    page: String,
}

/// Somebody who is signed in.
struct Visitor {
    client: Client,
    base: String,
    cookie: String,
}

impl Visitor {
    async fn sign_in(site: &Site, data: &Path) -> anyhow::Result<Self> {
        let authority = Certificate::from_pem(&std::fs::read(data.join("tls/ca.pem"))?)?;
        let client = Client::builder()
            .tls_certs_only([authority])
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .no_proxy()
            .build()
            .context("a client")?;
        let response = client.get(link(site)?).send().await?;
        let set = response.headers().get(header::SET_COOKIE).context("the link does not sign in")?.to_str()?;
        let cookie = set.split(';').next().unwrap_or(set).to_owned();
        Ok(Self { client, base: site.admin()?.to_owned(), cookie })
    }

    /// Loads a page; none if it is no page, or leads elsewhere.
    async fn load(&self, address: &str) -> anyhow::Result<Option<Loaded>> {
        let started = Instant::now();
        let request = self
            .client
            .get(format!("{}{address}", self.base))
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT, "text/html");
        let mut response = request.send().await.with_context(|| address.to_owned())?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let page = kind.starts_with("text/html");
        if response.status().is_redirection() || (response.status().is_success() && !page) {
            return Ok(None);
        }
        ensure!(response.status().is_success(), "{address}: {}", response.status());
        let mut bytes = Vec::new();
        let mut first_byte_ms = 0.0;
        while let Some(chunk) = response.chunk().await? {
            if bytes.is_empty() {
                first_byte_ms = milliseconds(started);
            }
            bytes.extend_from_slice(&chunk);
        }
        let whole_ms = milliseconds(started);
        Ok(Some(Loaded { first_byte_ms, whole_ms, page: String::from_utf8(bytes)? }))
    }

    /// Waits until the members of collections by rule are found: that is work of a day, not of a page.
    async fn settle(&self) -> anyhow::Result<()> {
        let until = Instant::now() + SETTLED;
        loop {
            let request = self.client.get(format!("{}/api/v1/collections?limit=1000", self.base));
            let text = request.header(header::COOKIE, &self.cookie).send().await?.text().await?;
            let list: serde_json::Value = serde_json::from_str(&text)?;
            let items = list["items"].as_array().context("no list of collections")?;
            if items.iter().all(|one| one["evaluating"].is_null()) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "members of collections are still looked for");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// One address for every screen that links lead to, and the questions that are asked beside.
    async fn walk(&self) -> anyhow::Result<Vec<Screen>> {
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut next: VecDeque<String> = BEGIN.map(str::to_owned).into();
        let mut screens = Vec::new();
        while let Some(address) = next.pop_front() {
            if !known.insert(shape(&address)) {
                continue;
            }
            ensure!(known.len() <= MOST, "more than {MOST} screens; the last is {address}");
            let Some(loaded) = self.load(&address).await? else { continue };
            next.extend(links(&loaded.page));
            screens.push(Screen { address, first_ms: loaded.first_byte_ms });
        }
        ensure!(screens.len() > BEGIN.len() * 4, "links lead to {} screens only", screens.len());
        for address in QUESTIONS {
            let loaded = self.load(address).await?.with_context(|| format!("{address} is no page"))?;
            screens.push(Screen { address: address.to_owned(), first_ms: loaded.first_byte_ms });
        }
        Ok(screens)
    }

    /// The rows of a size, and the median first byte.
    async fn rows(&self, screens: &[Screen], size: usize) -> anyhow::Result<(Vec<Row>, f64)> {
        let mut measured = Vec::with_capacity(screens.len());
        for Screen { address, first_ms } in screens {
            let (mut first, mut whole, mut ratios, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
            for _ in 0..PAIRS {
                let null = self.null().await?;
                let Some(loaded) = self.load(address).await? else { continue };
                first.push(loaded.first_byte_ms);
                whole.push(loaded.whole_ms);
                ratios.push(null / loaded.first_byte_ms);
                bytes = loaded.page.len();
            }
            ensure!(!first.is_empty(), "{address} is no page any more");
            let most = first.iter().copied().fold(0.0, f64::max);
            let figures = (median(first), median(whole), median(ratios));
            measured.push((address, figures, (most, *first_ms), bytes));
        }
        measured.sort_by(|one, other| other.1.0.total_cmp(&one.1.0));
        let firsts: Vec<f64> = measured.iter().map(|row| row.1.0).collect();
        let over = firsts.iter().filter(|first| **first >= BUDGET_MS).count();
        let middle = median(firsts.clone());
        let row = |case: String, value: f64, budget: String| Row {
            case,
            revisions: size,
            value,
            unit: "ms",
            budget,
            ..Row::default()
        };
        let slowest = row(
            "first byte, slowest screen".to_owned(),
            firsts.first().copied().unwrap_or_default(),
            format!("{over} screens are above"),
        );
        let mut rows = vec![
            row("first byte, median of all screens".to_owned(), middle, format!("{} screens", screens.len())),
            slowest.within([Limit::most(BUDGET_MS)]),
        ];
        // all of them, the slowest first
        for (address, (first, whole, ratio), (most, the_first), bytes) in &measured {
            rows.push(Row {
                baseline: Some("the answer of /healthz"),
                ratio_null: Some(*ratio),
                pairs: PAIRS,
                met: Some(*first < BUDGET_MS),
                ..row(
                    format!("first byte of {address}"),
                    *first,
                    format!(
                        "whole page {whole:.1} ms, {} kB; slowest {most:.1} ms, the first time {the_first:.1} ms",
                        bytes / 1_000
                    ),
                )
            });
        }
        Ok((rows, middle))
    }

    /// Bytes of the style and the script of the first page as they are sent to a browser.
    async fn style_and_script(&self) -> anyhow::Result<u64> {
        let loaded = self.load("/").await?.context("the first page is no page")?;
        let mut bytes = 0;
        for address in assets(&loaded.page) {
            let request =
                self.client.get(format!("{}/assets/{address}", self.base)).header(header::ACCEPT_ENCODING, "gzip");
            let response = request.send().await?.error_for_status()?;
            let coding = response.headers().get(header::CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
            ensure!(coding == Some("gzip"), "{address} is not compressed");
            bytes += response.bytes().await?.len() as u64;
        }
        ensure!(bytes > 0, "the first page has neither style nor script");
        Ok(bytes)
    }

    /// Milliseconds of an answer that needs nothing.
    async fn null(&self) -> anyhow::Result<f64> {
        let started = Instant::now();
        let response = self.client.get(format!("{}/healthz", self.base)).send().await?;
        response.bytes().await?;
        Ok(milliseconds(started))
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Style sheets and scripts of a page, each once.
fn assets(page: &str) -> BTreeSet<&str> {
    let after = |mark: &'static str| page.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
    let all = after("href=\"/assets/").chain(after("src=\"/assets/"));
    let is = |name: &str, kind| Path::new(name).extension().is_some_and(|extension| extension == kind);
    all.filter(|name| is(name, "css") || is(name, "js")).collect()
}

/// The links of a page that lead to pages of the console.
fn links(page: &str) -> Vec<String> {
    let addresses = page.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(link, _)| link);
    addresses
        .map(|link| link.replace("&amp;", "&"))
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .filter(|link| link.starts_with('/') && !link.starts_with("//"))
        .filter(|link| !ELSEWHERE.iter().any(|place| link.starts_with(place)))
        .filter(|link| !link.contains("format=") && !link.contains("cursor="))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_asked_of_screens() {
        for address in BEGIN.into_iter().chain(QUESTIONS) {
            let path = address.split('?').next().unwrap_or_default();
            assert!(screens::route(path).is_some(), "{address}");
        }
        let seen = QUESTIONS.map(|address| Screen { address: address.to_owned(), first_ms: 0.0 });
        let missing = missing(&seen);
        assert!(!missing.contains(&"/computers") && missing.contains(&"/jobs") && !missing.contains(&"/sign-in"));
    }

    #[test]
    fn style_and_script_are_found_once() {
        let page = r#"<link rel="stylesheet" href="/assets/a.1.css"><link rel="icon" href="/assets/i.svg">
            <script type="module" src="/assets/b.2.js"></script><link href="/assets/a.1.css">"#;
        assert_eq!(assets(page).into_iter().collect::<Vec<_>>(), ["a.1.css", "b.2.js"]);
    }

    #[test]
    fn links_lead_to_pages() {
        let page = r##"<a href="/updates?f=a&amp;g=b#top">x</a><a href="#x">y</a><a href="//a/b">z</a>
            <link href="/assets/a.css"><a href="/updates?format=csv">c</a><a href="https://a/">d</a>"##;
        assert_eq!(links(page), ["/updates?f=a&g=b"]);
    }
}
