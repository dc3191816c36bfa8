//! Clocks of servers that differ (MS-WSUSSS appendix A, notes 50, 54 and 61).

use jiff::{SignedDuration, Timestamp};

use crate::ids::ChangeNumber;

/// Differences up to this are left alone.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// How the times of a request are brought to the receiver's clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clock {
    /// The receiver's time.
    pub now: Timestamp,
    /// What is added to the sender's times.
    pub shift: SignedDuration,
}

impl Clock {
    /// `sender` is the sender's time, `before` what was added to its times last.
    ///
    /// The difference holds the time that the request was under way, so it is never the same twice. A shift that is about
    /// right is kept: else a time that is sent again would come out earlier, and as stale.
    pub fn new(now: Timestamp, sender: Timestamp, before: SignedDuration) -> Self {
        let difference = now.duration_since(sender);
        let near = |shift: SignedDuration| difference.saturating_sub(shift).abs() <= TOLERANCE;
        let shift = [SignedDuration::ZERO, before].into_iter().find(|shift| near(*shift));
        let whole = SignedDuration::from_millis(i64::try_from(difference.as_millis()).unwrap_or_default());
        Self { now, shift: shift.unwrap_or(whole) }
    }

    /// A time of the sender by the receiver's clock; nothing has happened in the future.
    pub fn time(&self, time: Timestamp) -> Timestamp {
        time.saturating_add(self.shift).unwrap_or(time).min(self.now)
    }

    /// The same for a time that may be never.
    pub fn moment(&self, time: Option<Timestamp>) -> Option<Timestamp> {
        time.map(|time| self.time(time))
    }
}

/// `EffectiveLastDetectionTime` to send: when the last synchronization began whose updates the computer has evaluated.
/// `synced` holds the beginning of each synchronization and the last change that was here afterwards, oldest first.
/// A computer that scans here has evaluated what came up to `anchor`; what another server told of one is `effective`.
pub fn effective_for(
    synced: &[(Timestamp, ChangeNumber)],
    anchor: Option<ChangeNumber>,
    effective: Option<Timestamp>,
) -> Option<Timestamp> {
    let covers = |(at, change): &&(Timestamp, ChangeNumber)| match anchor {
        Some(anchor) => *change <= anchor,
        None => effective.is_some_and(|effective| *at < effective),
    };
    synced.iter().rev().find(covers).map(|(at, _)| *at)
}
