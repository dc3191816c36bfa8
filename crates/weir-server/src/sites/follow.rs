//! The child's side of the site link: it hears of news, takes over what the parent decides, and starts the runs that the
//! parent's success calls for.

use std::time::Duration;

use http_body_util::BodyExt as _;
use jiff::Timestamp;
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use weir_api::{Problem, sync::SyncTrigger};
use weir_store::{Actor, ReadTx, alert::AlertSeverity};

use super::{
    PATH, REFUSED, access,
    access::Parent,
    drift, feed,
    link::{ANSWER_BYTES, Feed, FeedQuery, News, NotifyQuery, ParentFacts, plain},
};
use crate::{
    admin::{AdminError, App, Caller, chain},
    intent::{Digests, Kind, Object},
    sync::{
        outbound::{self, OutboundError, Purpose},
        run,
    },
};

/// Time for an answer: more than the parent holds a request open.
const PATIENCE: Duration = Duration::from_secs(60);
/// First and longest wait before a parent that cannot be reached is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A parent that refuses this server is asked this often: it may take it in again.
const REFUSED_AGAIN: Duration = Duration::from_secs(60);
/// Without news the feed is read this often all the same.
const SLOWLY: Duration = Duration::from_secs(15 * 60);
/// Objects of one reading of the feed.
const MOST_OBJECTS: usize = 2_000_000;

/// Why the parent did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The answer is longer than any may be, or does not fit.
    #[error("the parent's answer is not understood: {0}")]
    Answer(String),
    /// The certificate is not valid at this time.
    #[error("the parent's certificate is not valid at this server's time, {now}; check the clocks of both machines")]
    Clock {
        /// This server's time.
        now: Timestamp,
    },
    /// No connection.
    #[error("{url} cannot be reached: {why}")]
    Connect {
        /// The address.
        url: String,
        /// The chain of causes.
        why: String,
    },
    /// Our own side.
    #[error(transparent)]
    Here(#[from] AdminError),
    /// There is nothing to try.
    #[error("no address of the parent is known")]
    NoAddress,
    /// No client can be made from the settings.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The parent says no, and why.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// Another server answers there.
    #[error("the server at {url} is not the parent that this server knows: its certificate is another")]
    Stranger {
        /// The address.
        url: String,
    },
}

/// Sends a request over the link and reads the answer within bounds.
pub(super) async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, LinkError> {
    let response = request.timeout(PATIENCE).send().await.map_err(failed)?;
    let status = response.status();
    let body = http_body_util::Limited::new(reqwest::Body::from(response), ANSWER_BYTES);
    let bytes = body.collect().await.map_err(|error| LinkError::Answer(error.to_string()))?.to_bytes();
    if status.is_success() {
        return serde_json::from_slice(&bytes).map_err(|error| LinkError::Answer(error.to_string()));
    }
    match serde_json::from_slice::<Problem>(&bytes) {
        Ok(mut problem) => {
            for text in [&mut problem.code, &mut problem.title, &mut problem.detail] {
                plain(text, 1_000);
            }
            if let Some(next) = &mut problem.next_step {
                plain(next, 1_000);
            }
            Err(LinkError::Refused(Box::new(problem)))
        }
        Err(_) => Err(LinkError::Answer(format!("status {status}; is it a Weir with its server plane on?"))),
    }
}

/// What a failed request means.
fn failed(error: reqwest::Error) -> LinkError {
    let url = error.url().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    if outbound::untrusted(&error).is_some() {
        return LinkError::Stranger { url };
    }
    let why = chain(&error.without_url());
    if ["NotValidYet", "Expired", "not valid yet", "expired"].iter().any(|word| why.contains(word)) {
        return LinkError::Clock { now: Timestamp::now() };
    }
    if why.contains("NoApplicationProtocol") || why.contains("no application protocol") {
        let why =
            "it does not offer the site link; its server plane is off, or another program answers there".to_owned();
        return LinkError::Connect { url, why };
    }
    LinkError::Connect { url, why }
}

/// A client for the link, and the address that answers.
pub(super) struct Link {
    client: reqwest::Client,
    urls: Vec<String>,
    good: usize,
}

impl Link {
    pub(super) async fn open(app: &App, parent: &Parent) -> Result<Self, LinkError> {
        let client = outbound::client(app, parent.terms(Purpose::Link)).await?;
        Ok(Self { client, urls: parent.urls.clone(), good: 0 })
    }

    /// Sends a request to the address that answered last, and if it does not, to the others.
    pub(super) async fn call<T: DeserializeOwned>(
        &mut self,
        request: impl Fn(&reqwest::Client, &str) -> RequestBuilder,
    ) -> Result<T, LinkError> {
        let mut first = None;
        for turn in 0..self.urls.len() {
            let index = (self.good + turn) % self.urls.len();
            let Some(url) = self.urls.get(index) else { break };
            match answer(request(&self.client, &format!("{url}{PATH}"))).await {
                Err(error @ (LinkError::Connect { .. } | LinkError::Stranger { .. })) => {
                    first.get_or_insert(error);
                }
                answered => {
                    self.good = index;
                    return answered;
                }
            }
        }
        Err(first.unwrap_or(LinkError::NoAddress))
    }

    /// The addresses, the one that answered last first, if that is news.
    fn reordered(&self) -> Option<Vec<String>> {
        if self.good == 0 {
            return None;
        }
        let mut urls = self.urls.clone();
        urls.rotate_left(self.good);
        Some(urls)
    }
}

/// Follows the parent for as long as there is one.
pub(super) async fn run(app: App) {
    let mut wait = BACK_OFF.0;
    loop {
        let mut changes = app.hub().changes();
        let parent = match access::parent(&app).await {
            Ok(Some(parent)) => parent,
            Ok(None) => {
                // until this server is enrolled, which takes a start
                let _ = changes.changed().await;
                continue;
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "the parent cannot be looked up");
                tokio::time::sleep(BACK_OFF.1).await;
                continue;
            }
        };
        let failed = match session(&app, &parent).await {
            Ok(()) => continue,
            Err(error) => error,
        };
        if app.hub().trouble().is_none() {
            // the parent answered until now
            wait = BACK_OFF.0;
        }
        let text = chain(&failed);
        if app.hub().set_trouble(Some(text.clone())) {
            tracing::warn!(parent = parent.name, error = text, "the parent cannot be followed; it is tried again");
            app.hub().status_changed();
        }
        let pause = if let LinkError::Refused(problem) = failed {
            refused(&app, &parent, &problem).await;
            REFUSED_AGAIN
        } else {
            wait
        };
        // not all children of a parent that restarts come at the same moment
        let jitter = u32::from(app.hub().instance().as_bytes()[0]) * 2;
        tokio::time::sleep(pause.mul_f64(0.8 + f64::from(jitter) / 1_275.0)).await;
        wait = (wait * 2).min(BACK_OFF.1);
    }
}

/// Follows the parent until something fails, or this server leaves the tree.
async fn session(app: &App, parent: &Parent) -> Result<(), LinkError> {
    let mut link = Link::open(app, parent).await?;
    let mut read = std::time::Instant::now();
    let mut position = take_feed(app, &mut link).await?;
    connected(app, parent, &link).await?;
    loop {
        let Some(row) = app.read(|tx| tx.sites_parent()).await? else { return Ok(()) };
        // a version that was offered and not brought yet is the run's to bring, which tries again by itself
        let catalogue = match app.hub().offered() {
            0 => row.done_version,
            offered => offered,
        };
        let query = NotifyQuery { feed: position, catalogue, instance: app.hub().instance() };
        let news: News = link.call(|client, base| client.get(format!("{base}/notify")).query(&query)).await?;
        connected(app, parent, &link).await?;
        if news.feed || read.elapsed() > SLOWLY {
            position = take_feed(app, &mut link).await?;
            read = std::time::Instant::now();
        }
        if news.catalogue != 0 && news.catalogue != catalogue {
            start(app, &parent.name, news.catalogue).await?;
        } else if app.hub().offered() == 0 && news.catalogue != 0 {
            app.hub().offer(news.catalogue);
            app.hub().status_changed();
        }
    }
}

/// The parent answers.
async fn connected(app: &App, parent: &Parent, link: &Link) -> Result<(), LinkError> {
    app.hub().set_answered(Some(Timestamp::now()));
    if app.hub().set_trouble(None) {
        tracing::info!(parent = parent.name, "following the parent");
        app.hub().status_changed();
    }
    if let Some(urls) = link.reordered().filter(|urls| *urls != parent.urls) {
        let name = parent.name.clone();
        let actor = Actor::system("sites", Timestamp::now());
        app.state.write(actor, move |tx| tx.sites_parent_named(&name, &urls)).await.map_err(AdminError::from)?;
    }
    Ok(())
}

/// Starts the run that brings a version.
async fn start(app: &App, parent: &str, version: u64) -> Result<(), LinkError> {
    app.hub().offer(version);
    app.hub().status_changed();
    let caller = Caller::system(&format!("parent {parent}"));
    tracing::info!(parent, version, "the parent has something new");
    run::request(app, &caller, SyncTrigger::Parent, false).await?;
    Ok(())
}

/// Reads the feed to its end and takes it over. Gives how far that is.
async fn take_feed(app: &App, link: &mut Link) -> Result<u64, LinkError> {
    let read = |tx: &ReadTx<'_>| Ok((tx.sites_parent()?, tx.sites_here()?, tx.sites_parent_deployments()?));
    let (parent, here, known) = app.read(read).await?;
    let (Some(parent), Some(here)) = (parent, here.site) else { return Ok(0) };
    let Read { objects, upto: since, facts, digests } = read_feed(link, parent.feed_since).await?;
    let mut name = facts.name;
    plain(&mut name, weir_model::site::LONGEST_NAME);
    let nothing = since == parent.feed_since && objects.is_empty() && name == parent.name;
    let deployments = digests.as_ref().is_some_and(|digests| digests.contains_key(Kind::Deployment.name()));
    if nothing && parent.feed_at.is_some() && parent.refused.is_none() && deployments == known {
        drift::compare(app, link, digests).await?;
        return Ok(since);
    }
    let caller = Caller::system(&format!("parent {}", parent.name));
    let taken = app
        .write(&caller, move |tx| {
            let taken = feed::take(tx, objects, since, here)?;
            if deployments != known {
                tx.sites_parent_set_deployments(deployments)?;
            }
            if !name.is_empty() && name != parent.name {
                tx.sites_parent_named(&name, &parent.urls)?;
            }
            if parent.refused.is_some() {
                tx.alert_close(REFUSED, "parent")?;
            }
            Ok(taken)
        })
        .await?;
    for unknown in &taken.applied.unknown_kinds {
        tracing::warn!(
            kind = unknown.kind,
            version = unknown.version,
            objects = unknown.objects,
            "the parent decides something that this version does not know; update this server"
        );
    }
    for refused in &taken.applied.refused {
        tracing::warn!(
            kind = refused.kind,
            id = refused.id,
            reason = refused.reason,
            "a decision of the parent does not fit here"
        );
    }
    for site in &taken.removed {
        app.hub().forget(*site);
    }
    if taken.changed {
        app.reload_settings().await?;
        app.publish().await?;
    }
    app.hub().nudge();
    app.hub().status_changed();
    drift::compare(app, link, digests).await?;
    Ok(since)
}

/// What the feed told, to its end.
pub(super) struct Read {
    pub(super) objects: Vec<Object>,
    pub(super) upto: u64,
    pub(super) facts: ParentFacts,
    pub(super) digests: Option<Digests>,
}

/// Reads the feed from a number to its end.
pub(super) async fn read_feed(link: &mut Link, mut since: u64) -> Result<Read, LinkError> {
    let mut objects = Vec::new();
    loop {
        let query = FeedQuery { since };
        let feed: Feed = link.call(|client, base| client.get(format!("{base}/feed")).query(&query)).await?;
        let more = feed.more && feed.upto > since;
        since = feed.upto;
        objects.extend(feed.objects);
        if objects.len() > MOST_OBJECTS {
            return Err(LinkError::Answer("it has more objects than a site can have".to_owned()));
        }
        if !more {
            return Ok(Read { objects, upto: since, facts: feed.parent, digests: feed.digests });
        }
    }
}

/// Reads the feed once, outside the usual order: somebody asks for something that may be on its way down.
pub(crate) async fn catch_up(app: &App) {
    let caught = async {
        if let Some(parent) = access::parent(app).await? {
            take_feed(app, &mut Link::open(app, &parent).await?).await?;
        }
        Ok::<(), LinkError>(())
    };
    if let Err(error) = caught.await {
        tracing::debug!(error = chain(&error), "the parent could not be asked");
    }
}

/// The parent does not want this server: an administrator must see to it.
async fn refused(app: &App, parent: &Parent, problem: &Problem) {
    let next = problem.next_step.as_deref().unwrap_or("see the parent's log");
    let text = format!("{}; {next}", problem.detail);
    let message =
        format!("the site above, {}, refuses this server: {text}. To go on alone: weir sites leave", parent.name);
    let actor = Actor::system("sites", Timestamp::now());
    let noted = app.state.write(actor, move |tx| {
        tx.sites_parent_refused(&text)?;
        tx.alert_open(REFUSED, "parent", AlertSeverity::Critical, &message)
    });
    if let Err(error) = noted.await {
        tracing::error!(error = chain(&error), "the refusal could not be noted");
    }
    app.hub().status_changed();
}
