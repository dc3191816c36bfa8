//! Takes the record of compliance of each day: every hour, and shortly before the day ends in the zone of the site, so that
//! a day's record is of its end. A start that was missed is a gap: what computers said then is not known any more.

use std::time::Duration;

use jiff::Timestamp;
use weir_model::history::Day;

use crate::{
    admin::{App, Caller, chain, history, setting::Current},
    telemetry::{self, Job},
};

/// How often at least.
const EVERY: Duration = Duration::from_hours(1);
/// So long before the end of a day its last record is taken.
const BEFORE_END: Duration = Duration::from_mins(2);
/// A pause after which nothing is taken twice in a row.
const SHORTEST: Duration = Duration::from_mins(1);

/// Runs until the process ends.
pub(super) async fn serve(app: &App) {
    let caller = Caller::system("history");
    let mut pruned = None;
    loop {
        match telemetry::job(Job::History, history::record(app, &caller)).await {
            Ok(recorded) => {
                tracing::debug!(subjects = recorded.subjects, changed = recorded.changed, "compliance was recorded");
                // what is too old changes with the day only
                if pruned != Some(recorded.day) {
                    match history::prune(app, &caller).await {
                        Ok(0) => pruned = Some(recorded.day),
                        Ok(years) => {
                            tracing::info!(years, "old history was dropped");
                            pruned = Some(recorded.day);
                        }
                        Err(error) => {
                            tracing::warn!(error = chain(&error), "dropping old history failed; it is tried again");
                        }
                    }
                }
            }
            Err(error) => tracing::warn!(error = chain(&error), "recording compliance failed; it is tried again"),
        }
        tokio::time::sleep(wait(app).await).await;
    }
}

/// Until the next record: an hour, or until the day is about to end.
async fn wait(app: &App) -> Duration {
    let Ok(current) = app.read(Current::read).await else { return EVERY };
    let (zone, now) = (current.zone(), Timestamp::now());
    let left = Day::at(now, &zone).end(&zone).duration_since(now);
    let left = Duration::try_from(left).unwrap_or(EVERY);
    until(left)
}

/// The pause if so much of the day is left.
fn until(left: Duration) -> Duration {
    match left.checked_sub(BEFORE_END) {
        Some(before_end) if before_end >= SHORTEST => before_end.min(EVERY),
        // its last record was just taken: the next is of the new day
        _ => left + SHORTEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_of_a_day_is_shortly_before_its_end() {
        let minutes = |minutes| Duration::from_mins(minutes);
        assert_eq!(until(minutes(600)), minutes(60));
        assert_eq!(until(minutes(40)), minutes(38));
        assert_eq!(until(minutes(2)), minutes(3), "into the next day");
        assert_eq!(until(Duration::ZERO), minutes(1));
        // from any time of the day on there is a record in its last five minutes
        for start in 0..1_440 {
            let (mut left, mut last) = (minutes(1_440 - start), minutes(1_440 - start));
            while let Some(next) = left.checked_sub(until(left)) {
                (left, last) = (next, next);
            }
            assert!(last <= minutes(3), "{start}: {last:?}");
        }
    }
}
