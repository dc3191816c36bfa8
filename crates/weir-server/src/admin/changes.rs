//! What changes, for those who look: one look a second at a few numbers, while somebody follows, and none otherwise.
//!
//! [`weir_model::topic`] says which topics moved between two looks. Each topic has a number that goes up with it; a follower
//! compares those that it saw with those that there are, so it may be slow and still miss nothing.

use std::{collections::BTreeMap, convert::Infallible, pin::Pin, sync::OnceLock, time::Duration};

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use http::StatusCode;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use weir_api::{
    List,
    event::{Change, EventTopic},
};
use weir_model::topic::{Pulse, Topic, Topics};

use super::{AdminError, App, inside::Inside};
use crate::sync::run;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// How often a follower hears that the stream is alive, and is looked at whether he may still follow.
const BEAT: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(3);
/// Streams of one principal at once: tabs of a browser.
const MOST_EACH: usize = 16;
/// Streams of all at once.
const MOST: usize = 256;
/// Looks between two events with topics that computers move all the time.
const SLOW_LOOKS: u32 = 5;

/// A stream of events.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

/// How often each topic moved, in the order of [`Topic::ALL`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Versions([u64; Topic::ALL.len()]);

impl Versions {
    fn bump(&mut self, topics: Topics) {
        for (version, topic) in self.0.iter_mut().zip(Topic::ALL) {
            *version += u64::from(topics.has(topic));
        }
    }

    fn since(&self, seen: &Self) -> Topics {
        let pairs = self.0.iter().zip(&seen.0).zip(Topic::ALL);
        pairs.filter(|((now, seen), _)| now != seen).fold(Topics::default(), |set, (_, topic)| set.with(topic))
    }
}

/// Who follows, and what moved.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    versions: watch::Sender<Versions>,
    /// The last look; none while nobody looks.
    looked: tokio::sync::Mutex<Option<Pulse>>,
    /// Streams by principal.
    streams: Mutex<BTreeMap<String, usize>>,
    stop: OnceLock<watch::Receiver<bool>>,
}

impl Changes {
    /// Ends every stream when `stop` turns true.
    pub(crate) fn until(&self, stop: watch::Receiver<bool>) {
        // set once, when the server starts
        let _ = self.stop.set(stop);
    }

    /// Streams that are open.
    pub(crate) fn followers(&self) -> usize {
        self.streams.lock().values().sum()
    }

    fn is_followed(&self) -> bool {
        !self.streams.lock().is_empty()
    }
}

/// A place among those who follow; dropping it gives it back.
struct Seat {
    app: App,
    principal: String,
}

impl Seat {
    fn take(app: &App, principal: &str) -> Result<Self, AdminError> {
        let mut streams = app.shared().changes.streams.lock();
        let (own, all) = (streams.get(principal).copied().unwrap_or(0), streams.values().sum::<usize>());
        if own >= MOST_EACH || all >= MOST {
            return Err(AdminError::Convention {
                status: StatusCode::TOO_MANY_REQUESTS,
                code: "too_many_streams",
                detail: format!(
                    "{own} streams of yours and {all} in all are open; {MOST_EACH} and {MOST} are the most"
                ),
                next_step: Some("close one, such as a tab of the browser".to_owned()),
            });
        }
        *streams.entry(principal.to_owned()).or_default() += 1;
        Ok(Self { app: app.clone(), principal: principal.to_owned() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut streams = self.app.shared().changes.streams.lock();
        if let Some(count) = streams.get_mut(&self.principal) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.principal);
            }
        }
    }
}

/// The topics that there are.
pub(crate) fn topics() -> List<EventTopic> {
    let told = |topic: Topic| EventTopic { name: topic.name().to_owned(), meaning: topic.meaning().to_owned() };
    List { items: Topic::ALL.into_iter().map(told).collect(), next: None }
}

/// Reads the names of topics.
pub(crate) fn wanted(names: Option<&str>) -> Result<Topics, AdminError> {
    Topics::parse(names.unwrap_or_default()).map_err(|error| AdminError::Invalid {
        code: "topics",
        detail: error.to_string(),
        next_step: Some(format!("take some of {}", Topic::ALL.map(Topic::name).join(","))),
    })
}

/// Events about topics from now on, until the caller leaves or may not follow any more, or the server stops.
pub(super) async fn follow(app: &App, principal: &str, wanted: Topics, inside: Inside) -> Result<Events, AdminError> {
    let seat = Seat::take(app, principal)?;
    let changes = &app.shared().changes;
    {
        let mut looked = changes.looked.lock().await;
        if looked.is_none() {
            *looked = Some(look(app).await?);
            tokio::spawn(keep_looking(app.clone()));
        }
    }
    let mut versions = changes.versions.subscribe();
    let seen = *versions.borrow_and_update();
    let follower = Follower {
        _seat: seat,
        versions,
        seen,
        wanted,
        inside,
        stop: changes.stop.get().cloned(),
        beat: Instant::now() + BEAT,
        greeted: false,
    };
    Ok(Box::pin(stream::unfold(follower, next)))
}

struct Follower {
    _seat: Seat,
    versions: watch::Receiver<Versions>,
    seen: Versions,
    wanted: Topics,
    inside: Inside,
    stop: Option<watch::Receiver<bool>>,
    beat: Instant,
    greeted: bool,
}

async fn next(mut it: Follower) -> Option<(Result<Event, Infallible>, Follower)> {
    if !it.greeted {
        it.greeted = true;
        return Some((Ok(Event::default().retry(RETRY).comment("connected")), it));
    }
    loop {
        tokio::select! {
            () = stopped(&mut it.stop) => return None,
            changed = it.versions.changed() => {
                changed.ok()?;
                let now = *it.versions.borrow_and_update();
                let topics = now.since(&it.seen).within(it.wanted);
                it.seen = now;
                if !topics.is_empty() {
                    let topics = topics.iter().map(|topic| topic.name().to_owned()).collect();
                    let change = Change { topics, at: Timestamp::now() };
                    let text = serde_json::to_string(&change).unwrap_or_default();
                    return Some((Ok(Event::default().event("change").data(text)), it));
                }
            }
            () = sleep_until(it.beat) => {
                it.beat = Instant::now() + BEAT;
                if !it.inside.is_open().await {
                    return None;
                }
                return Some((Ok(Event::default().comment("still here")), it));
            }
        }
    }
}

/// Ready when the server stops.
async fn stopped(stop: &mut Option<watch::Receiver<bool>>) {
    match stop {
        // an error means that nobody can say so any more
        Some(stop) => drop(stop.wait_for(|stop| *stop).await),
        None => std::future::pending().await,
    }
}

/// Looks for as long as somebody follows.
async fn keep_looking(app: App) {
    let changes = &app.shared().changes;
    let mut stop = changes.stop.get().cloned();
    let (mut waiting, mut looks) = (Topics::default(), 0_u32);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = sleep(EVERY) => {}
        }
        let mut looked = changes.looked.lock().await;
        // asked under the lock, so that one who comes now either finds the look or makes his own
        if !changes.is_followed() {
            *looked = None;
            return;
        }
        let before = looked.clone().unwrap_or_default();
        match compare(&app, before).await {
            Ok((now, topics)) => {
                *looked = Some(now);
                waiting = waiting.and(topics);
            }
            Err(error) => tracing::debug!(error = super::chain(&error), "what changed could not be looked at"),
        }
        drop(looked);
        looks = looks.wrapping_add(1);
        let slow = if looks.is_multiple_of(SLOW_LOOKS) {
            Topics::default()
        } else {
            Topics::of(&[Topic::Compliance, Topic::Computers])
        };
        let told = waiting.without(slow);
        waiting = waiting.within(slow);
        if !told.is_empty() {
            changes.versions.send_modify(|versions| versions.bump(told));
        }
    }
}

async fn compare(app: &App, before: Pulse) -> Result<(Pulse, Topics), AdminError> {
    let now = look(app).await?;
    let (after, up_to) = (before.audit, now.audit);
    let actions = if after == up_to { Vec::new() } else { app.read(move |tx| tx.pulse_actions(after, up_to)).await? };
    let topics = now.moved(&before, actions.iter().map(String::as_str));
    Ok((now, topics))
}

/// One look.
async fn look(app: &App) -> Result<Pulse, AdminError> {
    let pulse = app.read(|tx| tx.pulse()).await?;
    let shared = app.shared();
    let (open, _) = run::recent(app).await?;
    let position = open.and_then(|run| run.progress);
    let running = shared.downloads.running();
    let membership = app.state.live.membership.progress();
    Ok(Pulse {
        published: app.state.live.current().change().0,
        work: mixed(&[shared.imports.pulse(), shared.exports.pulse(), membership.done, membership.total]),
        synchronization: position.map_or(0, |it| mixed(&[it.phase as u64 + 1, it.done, it.total, it.bytes])),
        fetched: running.map_or(0, |it| mixed(&[1, it.bytes, it.fetched, it.failed])),
        ..pulse
    })
}

/// One number of several that differs when one of them does; only for comparing.
pub(crate) fn mixed(numbers: &[u64]) -> u64 {
    /// As in FNV-1a: a large prime, so that small numbers do not cancel each other out.
    const PRIME: u64 = 0x0100_0000_01b3;
    numbers.iter().fold(0xcbf2_9ce4_8422_2325, |sum: u64, number| (sum ^ number).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_tell_what_moved_however_often() {
        let seen = Versions::default();
        let mut now = seen;
        assert!(now.since(&seen).is_empty());
        now.bump(Topics::of(&[Topic::Alerts]));
        now.bump(Topics::of(&[Topic::Alerts, Topic::Updates]));
        assert_eq!(now.since(&seen), Topics::of(&[Topic::Alerts, Topic::Updates]));
        let caught_up = now;
        now.bump(Topics::of(&[Topic::Jobs]));
        assert_eq!(now.since(&caught_up), Topics::of(&[Topic::Jobs]));
    }

    #[test]
    fn topics_are_asked_for_by_name() {
        assert_eq!(wanted(None).expect("all"), Topics::ALL);
        assert_eq!(wanted(Some("jobs")).expect("one"), Topics::of(&[Topic::Jobs]));
        let refusal = wanted(Some("colour")).expect_err("unknown").problem();
        assert_eq!(refusal.code, "topics");
        assert!(refusal.next_step.expect("advice").contains("alerts,"));
        assert_eq!(topics().items.len(), Topic::ALL.len());
    }
}
