//! A gate that can be waited before: [`weir_model::admission::Gate`] with a lock around it and somebody to wake.

use std::{collections::HashMap, sync::Arc, time::Instant};

use parking_lot::Mutex;
use tokio::{
    sync::oneshot,
    time::{Instant as Deadline, timeout_at},
};
use weir_model::admission::{self, Bounds, Network, Offer, Ticket};

use crate::telemetry;

/// Why somebody does not get in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refused {
    /// Somebody of a shorter queue has its place.
    Displaced,
    /// There was no place to wait in.
    Full,
    /// Its time was over.
    Late,
}

/// The words of all of them.
pub(crate) const REFUSALS: [&str; 3] = ["displaced", "full", "late"];

impl Refused {
    /// The word in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Displaced => "displaced",
            Self::Full => "full",
            Self::Late => "late",
        }
    }
}

/// One gate. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: &'static str,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    gate: admission::Gate,
    /// Those who wait: who loses its sender is refused.
    waiters: HashMap<Ticket, oneshot::Sender<Permit>>,
}

/// How a gate is at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) capacity: u64,
    pub(super) used: u64,
    pub(super) waiting: usize,
    pub(super) networks: usize,
}

enum Asked<'g> {
    Granted(Permit),
    Waits(Waiter<'g>),
}

impl Gate {
    /// An open one; `name` is for metrics.
    pub(super) fn new(name: &'static str, bounds: Bounds) -> Self {
        let state = State { gate: admission::Gate::new(bounds), waiters: HashMap::new() };
        Self(Arc::new(Shared { name, began: Instant::now(), state: Mutex::new(state) }))
    }

    pub(super) fn name(&self) -> &'static str {
        self.0.name
    }

    pub(super) fn set_bounds(&self, bounds: Bounds) {
        let mut state = self.0.state.lock();
        state.gate.set_bounds(bounds);
        let going = self.going_on(&mut state);
        drop(state);
        hand_over(going);
    }

    pub(super) fn standing(&self) -> Standing {
        let state = self.0.state.lock();
        Standing {
            capacity: state.gate.bounds().capacity,
            used: state.gate.used(),
            waiting: state.gate.waiting(),
            networks: state.gate.networks(),
        }
    }

    /// Milliseconds after which those who wait now are served.
    pub(super) fn outlook(&self) -> u64 {
        self.0.state.lock().gate.outlook()
    }

    /// Gets units, if need be after waiting until a moment.
    pub(super) async fn enter(&self, network: Network, wanted: u64, until: Deadline) -> Result<Permit, Refused> {
        let mut waiter = match self.ask(network, wanted)? {
            Asked::Granted(permit) => return Ok(permit),
            Asked::Waits(waiter) => waiter,
        };
        let begun = Instant::now();
        let decided = match timeout_at(until, &mut waiter.decided).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(Refused::Displaced),
            Err(_) => Err(Refused::Late),
        };
        telemetry::note(|seen| seen.waited(begun.elapsed()));
        metrics::histogram!("weir_admission_wait_seconds", "gate" => self.0.name).record(begun.elapsed().as_secs_f64());
        decided
    }

    fn ask(&self, network: Network, wanted: u64) -> Result<Asked<'_>, Refused> {
        let mut state = self.0.state.lock();
        let now = self.now();
        match state.gate.offer(network, wanted, now) {
            Offer::Granted(units) => Ok(Asked::Granted(self.permit(network, units))),
            Offer::Refused => Err(Refused::Full),
            Offer::Waits { ticket, displaced } => {
                if let Some(displaced) = displaced {
                    state.waiters.remove(&displaced);
                }
                let (send, decided) = oneshot::channel();
                state.waiters.insert(ticket, send);
                let going = self.going_on(&mut state);
                drop(state);
                hand_over(going);
                Ok(Asked::Waits(Waiter { gate: self, network, ticket, decided }))
            }
        }
    }

    /// Takes out of the queues who goes on. A permit takes the lock when it is dropped, so that none may be dropped under it.
    fn going_on(&self, state: &mut State) -> Vec<(Option<oneshot::Sender<Permit>>, Permit)> {
        let mut going = Vec::new();
        if state.gate.waiting() > 0 {
            let now = self.now();
            while let Some(grant) = state.gate.admit(now) {
                going.push((state.waiters.remove(&grant.ticket), self.permit(grant.network, grant.units)));
            }
        }
        going
    }

    fn permit(&self, network: Network, units: u64) -> Permit {
        Permit { gate: self.clone(), network, units }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Gives permits to those who wait for them; what nobody takes any more is free again.
fn hand_over(going: Vec<(Option<oneshot::Sender<Permit>>, Permit)>) {
    for (send, permit) in going {
        if let Some(send) = send {
            let _ = send.send(permit);
        }
    }
}

/// Units of a gate, given back when this is dropped.
#[derive(Debug)]
pub struct Permit {
    gate: Gate,
    network: Network,
    units: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.0.state.lock();
        state.gate.release(self.network, self.units);
        let going = self.gate.going_on(&mut state);
        drop(state);
        hand_over(going);
    }
}

/// Somebody who waits. Whoever goes away leaves the queue, and a permit that comes too late is given back with the channel.
struct Waiter<'g> {
    gate: &'g Gate,
    network: Network,
    ticket: Ticket,
    decided: oneshot::Receiver<Permit>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.0.state.lock();
        if state.waiters.remove(&self.ticket).is_none() {
            return;
        }
        state.gate.leave(self.network, self.ticket);
        // the next one may be smaller
        let going = self.gate.going_on(&mut state);
        drop(state);
        hand_over(going);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;

    const HANG: Duration = Duration::from_secs(120);

    fn gate(capacity: u64) -> Gate {
        Gate::new("test", Bounds { capacity, waiting: 8, patience: 20_000 })
    }

    fn network(number: u8) -> Network {
        Network::of([10, 0, number, 1].into())
    }

    fn later() -> Deadline {
        Deadline::now() + HANG
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let gate = gate(1);
        let first = gate.enter(network(1), 1, later()).await.expect("free");
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.enter(network(2), 1, later()).await.is_ok() }
        });
        while gate.standing().waiting == 0 {
            tokio::task::yield_now().await;
        }
        drop(first);
        assert!(tokio::time::timeout(HANG, waiting).await.expect("woken").expect("no panic"));
        assert_eq!((gate.standing().used, gate.standing().networks), (0, 0));
    }

    #[tokio::test]
    async fn who_goes_away_leaves_nothing_behind() {
        let gate = gate(1);
        let first = gate.enter(network(1), 1, later()).await.expect("free");
        let mut gone = Box::pin(gate.enter(network(2), 1, later()));
        assert!(gone.as_mut().now_or_never().is_none(), "it waits");
        drop(gone);
        assert_eq!(gate.standing().waiting, 0);
        // one that goes away at the moment in which it is its turn
        let mut late = Box::pin(gate.enter(network(2), 1, later()));
        assert!(late.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(gate.standing().used, 1, "granted, and not taken yet");
        drop(late);
        assert_eq!((gate.standing().used, gate.standing().networks), (0, 0));
    }

    #[tokio::test]
    async fn time_and_displacement_refuse() {
        let gate = gate(1);
        let _first = gate.enter(network(1), 1, later()).await.expect("free");
        assert_eq!(gate.enter(network(2), 1, Deadline::now()).await.err(), Some(Refused::Late));
        let mut flood: Vec<_> = (0..6).map(|_| Box::pin(gate.enter(network(2), 1, later()))).collect();
        for one in &mut flood {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert_eq!(gate.enter(network(2), 1, later()).await.err(), Some(Refused::Full));
        let mut others: Vec<_> = (3..6).map(|from| Box::pin(gate.enter(network(from), 1, later()))).collect();
        for one in &mut others {
            assert!(one.as_mut().now_or_never().is_none());
        }
        let newest = flood.last_mut().expect("six").as_mut().now_or_never().expect("refused");
        assert_eq!(newest.err(), Some(Refused::Displaced));
        assert_eq!(gate.standing().waiting, 8);
    }

    #[tokio::test]
    async fn wider_bounds_let_more_in() {
        let gate = gate(1);
        let _first = gate.enter(network(1), 1, later()).await.expect("free");
        let mut second = Box::pin(gate.enter(network(2), 1, later()));
        assert!(second.as_mut().now_or_never().is_none());
        gate.set_bounds(Bounds { capacity: 2, waiting: 8, patience: 20_000 });
        assert!(second.now_or_never().expect("decided").is_ok());
    }
}
