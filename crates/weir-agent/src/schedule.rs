//! When the agent scans, what kind of scan that is, and what it does after a failure (features sections 10 and 11). Pure:
//! the time and chance are arguments.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::failure::Code;

/// The first scan after the agent learns of its server is at random within this time (SCN-1).
pub const FIRST_WITHIN: SignedDuration = SignedDuration::from_hours(2);
/// How long metadata is good: a scan that is not forced looks at what is here (SCN-6).
pub const METADATA_TIME_TO_LIVE: SignedDuration = SignedDuration::from_hours(24);
/// From a failure to the next try (SW-3).
pub const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// Tries of one server before the next one (SW-3).
pub const TRIES: u32 = 4;
/// From the last try of a server to the first of the next (SW-3).
pub const SWITCH_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// How long the server that scans ended well with is tried before another one is (SW-5).
pub const KNOWN_GOOD_FOR: SignedDuration = SignedDuration::from_mins(120);
/// How often events are sent again that were not acknowledged (STA-1).
pub const RESEND_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Scans are this far apart, times 0.8 to 1.0 (MS-WUSP product behaviour notes 60 and 61).
pub const SCAN_EVERY: SignedDuration = SignedDuration::from_hours(22);

/// The codes after which a scan is tried again, and in the end on another server (features 11.1).
pub const RETRY_CODES: [u32; 36] = [
    0x8004_0693,
    0x8007_2EFD,
    0x8007_2EFE,
    0x8024_001A,
    0x8024_001E,
    0x8024_4004,
    0x8024_4005,
    0x8024_4006,
    0x8024_4007,
    0x8024_4008,
    0x8024_4009,
    0x8024_400A,
    0x8024_400B,
    0x8024_400C,
    0x8024_400D,
    0x8024_400E,
    0x8024_4010,
    0x8024_4015,
    0x8024_4016,
    0x8024_4018,
    0x8024_4019,
    0x8024_401A,
    0x8024_401C,
    0x8024_401D,
    0x8024_401E,
    0x8024_401F,
    0x8024_4020,
    0x8024_4021,
    0x8024_4022,
    0x8024_4023,
    0x8024_4024,
    0x8024_4026,
    0x8024_4027,
    0x8024_402B,
    0x8024_402C,
    0x8024_F004,
];

/// Whether a scan that failed with this code is tried again soon.
pub fn is_retried(code: Code) -> bool {
    RETRY_CODES.contains(&code.0)
}

/// What starts a scan (features 10.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Trigger {
    /// The schedule of scans.
    Schedule,
    /// A user or an administrator asks for it.
    Action,
    /// The schedule on which deployments are evaluated again.
    Reevaluation,
    /// The files of a required deployment are about to be downloaded.
    BeforeDownload,
    /// A required deployment is about to be installed.
    BeforeInstall,
    /// Something was installed.
    AfterInstall,
    /// The computer restarted for what was installed.
    AfterRestart,
}

/// The kind of a scan (features 10.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Kind {
    /// Whether the server is asked, if metadata is too old or the scan is forced.
    pub online: bool,
    /// Whether it is done however fresh the metadata is. An online scan that is forced resets the time to live.
    pub forced: bool,
}

impl Trigger {
    /// The kind of scan that it starts.
    pub fn kind(self) -> Kind {
        match self {
            Self::Schedule | Self::Reevaluation | Self::BeforeDownload | Self::BeforeInstall => {
                Kind { online: true, forced: false }
            }
            Self::Action => Kind { online: true, forced: true },
            Self::AfterInstall | Self::AfterRestart => Kind { online: false, forced: true },
        }
    }

    /// Whether the server is asked now, given when metadata came the last time. A time in the future is of a clock that was
    /// wrong, and counts as never.
    pub fn asks_server(self, metadata: Option<Timestamp>, now: Timestamp) -> bool {
        let kind = self.kind();
        let fresh = metadata.is_some_and(|at| at <= now && now.duration_since(at) < METADATA_TIME_TO_LIVE);
        kind.online && (kind.forced || !fresh)
    }
}

/// What the agent remembers of servers and scans.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The server that it talks to: affinity keeps it (SW-2), whatever the order of the list.
    pub server: Option<String>,
    /// The server of the last scan that ended well.
    pub known_good: Option<String>,
    /// When the next scan is.
    pub next: Option<Timestamp>,
    /// Tries of the current server that failed, one after another.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
}

/// How a scan ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Well.
    Well,
    /// With this code.
    Failed(Code),
    /// The computer is off the network, or the scan was stopped: it counts as nothing (SW-4).
    Interrupted,
}

impl Memory {
    /// The server to talk to: that of before if it is still in the list, else the first one of the list. A list is shuffled by
    /// whoever hands it out (SW-1).
    pub fn server<'s>(&self, servers: &'s [String]) -> Option<&'s str> {
        let same = servers.iter().find(|server| Some(*server) == self.server.as_ref());
        same.or(servers.first()).map(String::as_str)
    }

    /// Begins to run: a first scan at random within two hours, unless the time of the next one is known. A time that is
    /// further away than scans are apart is of a clock that was wrong. `chance` is from 0 up to 1.
    pub fn begin(&mut self, now: Timestamp, every: SignedDuration, chance: f64) {
        let plausible = self.next.filter(|next| next.duration_since(now) <= every.max(FIRST_WITHIN));
        self.next = plausible.or_else(|| later(now, FIRST_WITHIN, chance.clamp(0.0, 1.0)));
    }

    /// Takes how a scan ended and sets when the next one is, and on which server. `chance` is from 0 up to 1.
    pub fn ended(&mut self, ended: Ended, servers: &[String], now: Timestamp, every: SignedDuration, chance: f64) {
        let current = self.server(servers).map(str::to_owned);
        self.server.clone_from(&current);
        match ended {
            Ended::Well => {
                self.known_good = current;
                self.failures = 0;
                self.failing_since = None;
                self.next = later(now, every, 0.8 + 0.2 * chance.clamp(0.0, 1.0));
            }
            Ended::Interrupted => self.next = now.checked_add(RETRY_AFTER).ok(),
            Ended::Failed(code) if !is_retried(code) => {
                self.failures = 0;
                self.failing_since = None;
                self.next = later(now, every, 0.8 + 0.2 * chance.clamp(0.0, 1.0));
            }
            Ended::Failed(_) => {
                self.failures = self.failures.saturating_add(1);
                let since = *self.failing_since.get_or_insert(now);
                if self.leaves(since, now) {
                    self.switch(servers);
                    self.next = now.checked_add(SWITCH_AFTER).ok();
                } else {
                    self.next = now.checked_add(RETRY_AFTER).ok();
                }
            }
        }
    }

    /// Goes to the next server of the list, as an administrator may ask for (SW-7).
    pub fn switch(&mut self, servers: &[String]) {
        let at = self.server.as_ref().and_then(|current| servers.iter().position(|server| server == current));
        let next = at.map_or(0, |at| (at + 1) % servers.len().max(1));
        self.server = servers.get(next).cloned();
        self.failures = 0;
        self.failing_since = None;
    }

    /// Whether the current server was tried enough.
    fn leaves(&self, since: Timestamp, now: Timestamp) -> bool {
        let known_good = self.known_good.is_some() && self.known_good == self.server;
        let long_enough = !known_good || now.duration_since(since) >= KNOWN_GOOD_FOR;
        self.failures >= TRIES && long_enough
    }
}

fn later(now: Timestamp, span: SignedDuration, share: f64) -> Option<Timestamp> {
    now.checked_add(SignedDuration::try_from_secs_f64(span.as_secs_f64() * share).ok()?).ok()
}
