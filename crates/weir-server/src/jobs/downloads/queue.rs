//! What waits to be fetched, with what rests of it.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use weir_model::{ids::ContentDigest, skew::is_too_far};
use weir_store::{alert::AlertSeverity, content_request::ContentRest};

use super::{ALL, DOWNLOAD_FAILED, LONGEST_REST, Wanted, until_then, wanted};
use crate::{
    admin::{
        AdminError, App, Caller,
        setting::{CONTENT_CONCURRENCY, CONTENT_DOWNLOAD, CONTENT_RATE, Current},
    },
    content::{Space, policy},
};

/// Failures in a row from which on an alert tells of a file; a few are the way of networks.
const WORTH_TELLING: u32 = 3;

/// What waits to be fetched.
pub(super) struct Queue {
    /// Most urgent first.
    pub(super) wanted: Vec<Wanted>,
    pub(super) rests: HashMap<ContentDigest, ContentRest>,
    pub(super) space: Space,
    pub(super) paused: bool,
    pub(super) concurrency: usize,
    pub(super) kib_per_second: u64,
}

impl Queue {
    /// Files that are not at rest.
    pub(super) fn ready(&self, now: Timestamp) -> impl Iterator<Item = &Wanted> {
        self.wanted
            .iter()
            .filter(move |wanted| self.rests.get(&wanted.file.digest).is_none_or(|rest| is_over(rest, now)))
    }

    /// How long until the first rest ends.
    pub(super) fn next_rest(&self, now: Timestamp) -> Option<std::time::Duration> {
        self.rests.values().map(|rest| rest.until).min().map(|until| until_then(until, now))
    }

    pub(super) fn failures(&self, digest: ContentDigest) -> u32 {
        self.rests.get(&digest).map_or(0, |rest| rest.failures)
    }
}

/// Whether a file has rested long enough, or rests by a clock that has been set back since.
fn is_over(rest: &ContentRest, now: Timestamp) -> bool {
    let longest = SignedDuration::try_from(LONGEST_REST).unwrap_or(SignedDuration::MAX);
    rest.until <= now || is_too_far(rest.until, longest, now)
}

/// Reads what waits, and settles what does not any more: requests that were met, rests of files that nobody wants.
pub(super) async fn read(app: &App, caller: &Caller) -> Result<Queue, AdminError> {
    let content = app.state.content.clone();
    let (queue, settled, alerting) = app
        .read(move |tx| {
            let settings = Current::read(tx)?;
            let (wanted, settled) = wanted(tx, &policy(tx)?)?;
            let rests = tx.content_rest_list()?.into_iter().map(|rest| (rest.digest, rest)).collect();
            let alerting = tx.alert_list(false, 1_000)?.into_iter().find(|alert| alert.kind == DOWNLOAD_FAILED);
            let queue = Queue {
                wanted,
                rests,
                space: Space::read(tx, &content)?,
                paused: !settings.flag(CONTENT_DOWNLOAD),
                concurrency: settings.number(CONTENT_CONCURRENCY) as usize,
                kib_per_second: settings.number(CONTENT_RATE),
            };
            Ok((queue, settled, alerting.map(|alert| alert.message)))
        })
        .await?;
    gauges(&queue);
    let queue = settle(app, caller, queue, settled).await?;
    tell(app, caller, &queue, alerting).await?;
    Ok(queue)
}

fn gauges(queue: &Queue) {
    let bytes: u64 = queue.wanted.iter().map(|wanted| wanted.file.size).sum();
    metrics::gauge!("weir_content_missing_files").set(queue.wanted.len() as f64);
    metrics::gauge!("weir_content_missing_bytes").set(bytes as f64);
    metrics::gauge!("weir_content_resting_files").set(queue.rests.len() as f64);
    metrics::gauge!("weir_content_stored_bytes").set(queue.space.used as f64);
    metrics::gauge!("weir_content_free_bytes").set(queue.space.free as f64);
}

async fn settle(
    app: &App,
    caller: &Caller,
    mut queue: Queue,
    settled: Vec<ContentDigest>,
) -> Result<Queue, AdminError> {
    let wanted: HashSet<ContentDigest> = queue.wanted.iter().map(|wanted| wanted.file.digest).collect();
    let over: Vec<ContentDigest> = queue.rests.keys().copied().filter(|digest| !wanted.contains(digest)).collect();
    queue.rests.retain(|digest, _| wanted.contains(digest));
    if settled.is_empty() && over.is_empty() {
        return Ok(queue);
    }
    app.write(caller, move |tx| {
        for digest in settled {
            tx.content_request_clear(digest)?;
        }
        for digest in over {
            tx.content_rest_clear(digest)?;
        }
        Ok(())
    })
    .await?;
    Ok(queue)
}

/// One alert for all files that cannot be fetched.
async fn tell(app: &App, caller: &Caller, queue: &Queue, alerting: Option<String>) -> Result<(), AdminError> {
    let mut failing: Vec<&ContentRest> = queue.rests.values().filter(|rest| rest.failures >= WORTH_TELLING).collect();
    failing.sort_by_key(|rest| (std::cmp::Reverse(rest.failures), rest.digest));
    let message = failing.first().map(|first| {
        format!(
            "{} content files cannot be fetched, one of them because {}. They are tried again; weir content status, \
             weir content repair",
            failing.len(),
            first.reason
        )
    });
    if message == alerting {
        return Ok(());
    }
    app.write(caller, move |tx| {
        match message {
            Some(message) => tx.alert_open(DOWNLOAD_FAILED, ALL, AlertSeverity::Warning, &message)?,
            None => tx.alert_close(DOWNLOAD_FAILED, ALL)?,
        };
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_ahead_lets_no_file_rest_until_then() {
        let now = Timestamp::from_second(1_700_000_000).expect("in range");
        let over = |seconds: i64| {
            let until = now + SignedDuration::from_secs(seconds);
            is_over(&ContentRest { digest: ContentDigest([1; 20]), failures: 1, until, reason: "why".to_owned() }, now)
        };
        assert!(over(0) && !over(1) && !over(6 * 3_600));
        assert!(over(365 * 24 * 3_600));
    }
}
