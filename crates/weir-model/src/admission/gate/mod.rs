//! One thing of which there is only so much, and the queues of those who wait for it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Network;

/// Milliseconds over which it is counted how many are served.
const WINDOW: u64 = 5_000;
/// So many may wait however slowly they are served: a hiccup turns nobody away.
const ALWAYS: usize = 256;

/// The bounds of a gate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bounds {
    /// Units that may be in use at once, at least 1.
    pub capacity: u64,
    /// Requests that may wait.
    pub waiting: usize,
    /// Milliseconds for which a request waits at most: no more wait than are served in this time.
    pub patience: u64,
}

impl Bounds {
    /// Units that one network may use: three quarters, so that there is always room for another.
    fn share(&self) -> u64 {
        self.capacity - self.capacity / 4
    }

    /// Requests of one network that may wait.
    fn queue(&self) -> usize {
        self.waiting - self.waiting / 4
    }

    /// What a network gets with each turn.
    fn quantum(&self) -> u64 {
        (self.capacity / 256).max(1)
    }
}

/// Names one that waits. A gate gives each once.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(u64);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Offer {
    /// It goes on, with so many units, which are to be given back by [`Gate::release`].
    Granted(u64),
    /// There is no hope for it.
    Refused,
    /// It waits. If there was no place for one more, the newest of the longest queue is refused for it.
    Waits {
        /// Its own ticket.
        ticket: Ticket,
        /// The other one's.
        displaced: Option<Ticket>,
    },
}

/// One that waited and now goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    /// Which one.
    pub ticket: Ticket,
    /// Whose.
    pub network: Network,
    /// With so many units, which are to be given back by [`Gate::release`].
    pub units: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    ticket: Ticket,
    units: u64,
}

/// What is known of a network that uses something or waits.
#[derive(Debug, Default)]
struct Flow {
    queue: VecDeque<Waiting>,
    /// Units that it has not made use of in its turns.
    deficit: u64,
    held: u64,
}

/// How many that waited were served lately.
#[derive(Debug, Default)]
struct Pulse {
    /// Since when it is counted; none while nobody waits.
    since: Option<u64>,
    served: u64,
    /// Of the last whole window: how many, in how many milliseconds.
    last: Option<(u64, u64)>,
}

impl Pulse {
    fn served(&mut self, now: u64) {
        let Some(since) = self.since else { return };
        self.served += 1;
        let elapsed = now.saturating_sub(since);
        if elapsed >= WINDOW {
            *self = Self { since: Some(now), served: 0, last: Some((self.served, elapsed)) };
        }
    }
}

/// Grants units of one thing. Networks with something that waits take turns by deficit round robin: a turn is worth a number of
/// units, and what is dearer than that waits for more turns. Who looks for room gets it at once only while nobody waits.
///
/// After each [`Gate::offer`] that waits, each [`Gate::release`] and each [`Gate::leave`], call [`Gate::admit`] until it gives
/// nothing.
#[derive(Debug)]
pub struct Gate {
    bounds: Bounds,
    used: u64,
    flows: BTreeMap<Network, Flow>,
    /// Networks with something that waits; the one in front has the turn.
    ring: VecDeque<Network>,
    /// The one in front got what its turn is worth.
    turn: bool,
    /// The same networks by the lengths of their queues.
    lengths: BTreeSet<(usize, Network)>,
    waiting: usize,
    tickets: u64,
    pulse: Pulse,
}

impl Gate {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            used: 0,
            flows: BTreeMap::new(),
            ring: VecDeque::new(),
            turn: false,
            lengths: BTreeSet::new(),
            waiting: 0,
            tickets: 0,
            pulse: Pulse::default(),
        }
    }

    /// Sets other bounds. Who waits goes on waiting, and what is in use is not taken away.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Its bounds.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Units in use.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Requests that wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Networks that use something or wait.
    pub fn networks(&self) -> usize {
        self.flows.len()
    }

    /// Milliseconds after which those who wait now are served, as far as that is known; 0 if nobody waits.
    pub fn outlook(&self) -> u64 {
        match self.pulse.last {
            Some((served, elapsed)) => (self.waiting as u64).saturating_mul(elapsed) / served.max(1),
            None if self.waiting > 0 => self.bounds.patience / 2,
            None => 0,
        }
    }

    /// A request of a network asks for units. More than there are at all count as all.
    pub fn offer(&mut self, network: Network, wanted: u64, now: u64) -> Offer {
        let units = wanted.clamp(1, self.bounds.capacity.max(1));
        let (held, own) = self.flows.get(&network).map_or((0, 0), |flow| (flow.held, flow.queue.len()));
        let room = self.used + units <= self.bounds.capacity && self.has_share(held, units);
        if self.waiting == 0 && room {
            self.used += units;
            self.flows.entry(network).or_default().held += units;
            return Offer::Granted(units);
        }
        if own >= self.bounds.queue() {
            return Offer::Refused;
        }
        let mut displaced = None;
        if self.waiting >= self.places() {
            // not out of a queue that is no longer than its own would be
            match self.lengths.last().copied() {
                Some((length, longest)) if length > own + 1 => displaced = self.displace(longest),
                _ => return Offer::Refused,
            }
        }
        if self.waiting == 0 {
            self.pulse.since = Some(now);
        }
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.flows.entry(network).or_default().queue.push_back(Waiting { ticket, units });
        if own == 0 {
            self.ring.push_back(network);
        }
        self.resized(network, own, own + 1);
        Offer::Waits { ticket, displaced }
    }

    /// Whoever goes on now; none if nobody waits or there is no room.
    pub fn admit(&mut self, now: u64) -> Option<Grant> {
        let (mut passed, mut poor) = (0, false);
        loop {
            if passed >= self.ring.len() {
                if !poor {
                    return None;
                }
                // another round for those whose turns are worth too little yet
                (passed, poor) = (0, false);
            }
            let network = *self.ring.front()?;
            let Some(flow) = self.flows.get_mut(&network) else {
                self.forget_front();
                continue;
            };
            let Some(head) = flow.queue.front().copied() else {
                self.forget_front();
                continue;
            };
            if flow.held > 0 && flow.held + head.units > self.bounds.share() {
                // others go on while it uses its share
                self.next_turn();
                passed += 1;
                continue;
            }
            if !self.turn {
                self.turn = true;
                flow.deficit += self.bounds.quantum();
            }
            if flow.deficit < head.units {
                self.next_turn();
                passed += 1;
                poor = true;
                continue;
            }
            if self.used > 0 && self.used + head.units > self.bounds.capacity {
                // nobody smaller goes before it, or there would never be room for large ones
                return None;
            }
            flow.queue.pop_front();
            flow.deficit -= head.units;
            flow.held += head.units;
            self.used += head.units;
            let left = flow.queue.len();
            if left == 0 {
                flow.deficit = 0;
                self.forget_front();
            }
            self.pulse.served(now);
            self.resized(network, left + 1, left);
            return Some(Grant { ticket: head.ticket, network, units: head.units });
        }
    }

    /// Takes back what was granted.
    pub fn release(&mut self, network: Network, units: u64) {
        self.used = self.used.saturating_sub(units);
        if let Some(flow) = self.flows.get_mut(&network) {
            flow.held = flow.held.saturating_sub(units);
        }
        self.settle(network);
    }

    /// Somebody waits no longer; false if it did not wait any more.
    pub fn leave(&mut self, network: Network, ticket: Ticket) -> bool {
        let Some(flow) = self.flows.get_mut(&network) else { return false };
        let Ok(at) = flow.queue.binary_search_by_key(&ticket, |waiting| waiting.ticket) else { return false };
        flow.queue.remove(at);
        let left = flow.queue.len();
        self.shortened(network, left);
        true
    }

    /// Whether a network that holds so much may have more.
    fn has_share(&self, held: u64, units: u64) -> bool {
        held == 0 || held + units <= self.bounds.share()
    }

    /// How many may wait: as many as are served in time, if that is known.
    fn places(&self) -> usize {
        let most = self.bounds.waiting;
        match self.pulse.last {
            Some((served, elapsed)) => {
                let in_time = served.saturating_mul(self.bounds.patience) / elapsed.max(1);
                usize::try_from(in_time).unwrap_or(most).max(ALWAYS).min(most)
            }
            None => most,
        }
    }

    /// Takes the newest out of a queue.
    fn displace(&mut self, network: Network) -> Option<Ticket> {
        let flow = self.flows.get_mut(&network)?;
        let newest = flow.queue.pop_back()?;
        let left = flow.queue.len();
        self.shortened(network, left);
        Some(newest.ticket)
    }

    /// One that was not granted anything is out of a queue in which so many are left.
    fn shortened(&mut self, network: Network, left: usize) {
        if left == 0 {
            if self.ring.front() == Some(&network) {
                self.turn = false;
            }
            self.ring.retain(|known| *known != network);
            if let Some(flow) = self.flows.get_mut(&network) {
                flow.deficit = 0;
            }
        }
        self.resized(network, left + 1, left);
        self.settle(network);
    }

    fn resized(&mut self, network: Network, before: usize, after: usize) {
        self.lengths.remove(&(before, network));
        if after > 0 {
            self.lengths.insert((after, network));
        }
        self.waiting = (self.waiting + after).saturating_sub(before);
        if self.waiting == 0 {
            self.pulse = Pulse::default();
        }
    }

    /// Forgets a network that uses nothing and does not wait.
    fn settle(&mut self, network: Network) {
        if self.flows.get(&network).is_some_and(|flow| flow.held == 0 && flow.queue.is_empty()) {
            self.flows.remove(&network);
        }
    }

    fn next_turn(&mut self) {
        self.turn = false;
        if !self.ring.is_empty() {
            self.ring.rotate_left(1);
        }
    }

    fn forget_front(&mut self) {
        self.turn = false;
        self.ring.pop_front();
    }
}
