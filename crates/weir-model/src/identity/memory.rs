//! Two machines with one id: what goes back and forth.

use jiff::{SignedDuration, Timestamp};

use super::Print;

/// Prints that are remembered of one computer and channel. Enough to see the returns of up to so many copies; of more, each is
/// new, which is as telling ([`CROWD`]).
pub const KEPT: usize = 8;
/// Returns that make a clone. A machine that is renamed is A, then B. One that is renamed and gets its name back is A, B, A:
/// one return. A, B, A, B is nothing that happens to one machine.
const RETURNS: u32 = 2;
/// Returns that make a clone suspected where the name stays the same: a virtual machine that moves between two hosts may
/// show the firmware of either, and test machines are set back to snapshots.
const QUIET_RETURNS: u32 = 4;
/// Steps back of the synchronization anchor that make a clone suspected.
const STEPS_BACK: u32 = 3;
/// So many different names within [`WINDOW`] make a clone, whether one returns or not: nobody renames a machine that often.
const CROWD: usize = 4;
/// What was last seen before is forgotten.
const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 30);
/// What did not happen again for so long is over: the copies have ids of their own now.
const OVER: SignedDuration = SignedDuration::from_hours(24 * 14);
/// The shortest time for which both prints must be known before a return counts.
const SETTLE: SignedDuration = SignedDuration::from_hours(2);

/// Where a print comes from. What one channel tells is only ever compared with the same channel: after a machine was renamed,
/// its cookie carries the old name until it expires while its registration carries the new one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Channel {
    /// The DNS name in the cookie, compared with each first call and whenever it changes.
    Name,
    /// The hardware sheet of RegisterComputer.
    Sheet,
    /// Reports with an older synchronization anchor than the report before; the print is empty.
    Anchor,
}

/// A print that was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sighting {
    /// Where.
    pub channel: Channel,
    /// What was seen.
    pub print: Print,
    /// For the first time, or the earliest time for which it is known to have held.
    pub first_seen: Timestamp,
    /// For the last time before another was seen.
    pub last_seen: Timestamp,
    /// How often it came back after another had been seen.
    pub returns: u32,
    /// When it last did.
    pub returned_at: Option<Timestamp>,
    /// Address of the call that brought it last.
    pub address: Option<String>,
}

/// What was seen before the print that is observed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// The print.
    pub print: Print,
    /// Since when it held at the latest.
    pub since: Timestamp,
    /// The last call with it.
    pub until: Timestamp,
    /// Address of that call.
    pub address: Option<String>,
}

/// Times that depend on the site.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    settle: SignedDuration,
}

impl Rule {
    /// With this lifetime of cookies: until a cookie expires, it carries the name of before. Twice that, and two hours at
    /// least, must have passed since the newer of two prints was first seen before a return counts.
    pub fn new(cookie_lifetime: SignedDuration) -> Self {
        Self { settle: SETTLE.max(cookie_lifetime.saturating_mul(2)) }
    }
}

/// How sure it is that an id is shared.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Certainty {
    /// It could be something else. Nobody is alerted.
    Suspected,
    /// Different names take turns.
    Certain,
}

/// Why an id counts as shared.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Evidence {
    /// Names take turns.
    NamesTakeTurns,
    /// Many names within a month.
    ManyNames,
    /// Hardware sheets with one name take turns.
    SheetsTakeTurns,
    /// Reports go back to older states of the catalogue again and again: there is more than one cache.
    AnchorsStepBack,
}

/// An id that several machines share.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cloned {
    /// How sure it is.
    pub certainty: Certainty,
    /// Why, the strongest first.
    pub evidence: Vec<Evidence>,
    /// When the second of the machines was first seen.
    pub since: Timestamp,
    /// When it was last seen to be so.
    pub last: Timestamp,
}

/// What is remembered of one computer: a few prints of each channel. Empty for nearly all computers, whose prints never
/// changed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Memory(Vec<Sighting>);

impl Memory {
    /// From what was stored.
    pub fn new(sightings: Vec<Sighting>) -> Self {
        Self(sightings)
    }

    /// What is remembered, in no particular order.
    pub fn sightings(&self) -> &[Sighting] {
        &self.0
    }

    /// Takes in that a computer shows another print than before. True if anything is remembered differently; equal prints
    /// change nothing, so that a computer which stays as it is costs nothing.
    pub fn observe(
        &mut self,
        channel: Channel,
        before: &Seen,
        print: &Print,
        address: Option<&str>,
        rule: &Rule,
        now: Timestamp,
    ) -> bool {
        // a computer that had not told its name (or sheet) yet did not change it
        if before.print == *print || before.print == Print::default() || *print == Print::default() {
            return false;
        }
        self.forget(now);
        let old = self.find(channel, &before.print, before.since.min(now));
        old.last_seen = old.last_seen.max(before.until.min(now));
        if old.address.is_none() {
            old.address.clone_from(&before.address);
        }
        let settled = |first_seen: Timestamp| now.duration_since(first_seen) > rule.settle;
        let old_settled = settled(old.first_seen);
        let is_known = self.0.iter().any(|seen| seen.channel == channel && seen.print == *print);
        let new = self.find(channel, print, now);
        if is_known && old_settled && settled(new.first_seen) {
            new.returns = new.returns.saturating_add(1);
            new.returned_at = Some(now);
        }
        new.last_seen = now;
        new.address = address.map(str::to_owned);
        self.trim(channel, print);
        true
    }

    /// Takes in that a report came with an older anchor than the one before. True if anything is remembered differently.
    pub fn step_back(&mut self, address: Option<&str>, rule: &Rule, now: Timestamp) -> bool {
        self.forget(now);
        let seen = self.find(Channel::Anchor, &Print::default(), now);
        // what waited to be sent comes in several batches: one step
        if seen.returned_at.is_some_and(|at| now.duration_since(at) <= rule.settle) {
            return false;
        }
        seen.returns = seen.returns.saturating_add(1);
        (seen.returned_at, seen.last_seen, seen.address) = (Some(now), now, address.map(str::to_owned));
        true
    }

    /// Whether the id is shared, as of now.
    pub fn judge(&self, now: Timestamp) -> Option<Cloned> {
        let mut evidence = Vec::new();
        let (mut since, mut last) = (None::<Timestamp>, None::<Timestamp>);
        let mut found = |what: Evidence, of: &[&Sighting], at: Timestamp| {
            if now.duration_since(at) > OVER {
                return;
            }
            evidence.push(what);
            // the machine that was there first is not the copy
            let mut firsts: Vec<Timestamp> = of.iter().map(|seen| seen.first_seen).collect();
            firsts.sort_unstable();
            let second = firsts.get(1).or(firsts.first()).copied();
            since = since.into_iter().chain(second).min();
            last = last.max(Some(at));
        };
        let of = |channel| self.0.iter().filter(move |seen| seen.channel == channel).collect::<Vec<_>>();
        let returned = |of: &[&Sighting], least: u32| {
            let returns = of.iter().fold(0_u32, |sum, seen| sum.saturating_add(seen.returns));
            of.iter().filter_map(|seen| seen.returned_at).max().filter(|_| returns >= least)
        };
        let (names, sheets) = (of(Channel::Name), of(Channel::Sheet));
        if let Some(at) = returned(&names, RETURNS) {
            found(Evidence::NamesTakeTurns, &names, at);
        }
        if let Some(at) = names.iter().map(|seen| seen.last_seen).max().filter(|_| names.len() >= CROWD) {
            found(Evidence::ManyNames, &names, at);
        }
        if let Some(at) = returned(&sheets, QUIET_RETURNS) {
            found(Evidence::SheetsTakeTurns, &sheets, at);
        }
        let anchor = self.0.iter().find(|seen| seen.channel == Channel::Anchor && seen.returns >= STEPS_BACK);
        if let Some((seen, at)) = anchor.and_then(|seen| Some((seen, seen.returned_at?))) {
            found(Evidence::AnchorsStepBack, &[seen], at);
        }
        let is_certain = |what: &Evidence| matches!(what, Evidence::NamesTakeTurns | Evidence::ManyNames);
        let certainty = if evidence.iter().any(is_certain) { Certainty::Certain } else { Certainty::Suspected };
        Some(Cloned { certainty, since: since?, last: last?, evidence })
    }

    /// The sighting of a print, which is made if there is none.
    fn find(&mut self, channel: Channel, print: &Print, since: Timestamp) -> &mut Sighting {
        let known = self.0.iter().position(|seen| seen.channel == channel && seen.print == *print);
        let at = known.unwrap_or(self.0.len());
        if known.is_none() {
            self.0.push(Sighting {
                channel,
                print: print.clone(),
                first_seen: since,
                last_seen: since,
                returns: 0,
                returned_at: None,
                address: None,
            });
        }
        #[expect(clippy::indexing_slicing, reason = "it was found, or is the last one")]
        &mut self.0[at]
    }

    /// Leaves out what is too old to say anything.
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|seen| now.duration_since(seen.last_seen) <= WINDOW);
        for seen in &mut self.0 {
            if seen.returned_at.is_some_and(|at| now.duration_since(at) > WINDOW) {
                (seen.returns, seen.returned_at) = (0, None);
            }
        }
    }

    /// Keeps a bounded number of a channel: the oldest goes, never the print that was just seen.
    fn trim(&mut self, channel: Channel, newest: &Print) {
        while self.0.iter().filter(|seen| seen.channel == channel).count() > KEPT {
            let others = self.0.iter().enumerate().filter(|(_, seen)| seen.channel == channel && seen.print != *newest);
            let Some((oldest, _)) = others.min_by_key(|(_, seen)| seen.last_seen) else { return };
            self.0.remove(oldest);
        }
    }
}
