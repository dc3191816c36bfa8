use proptest::prelude::*;

use super::*;

fn network(number: u8) -> Network {
    Network::of([10, 0, number, 1].into())
}

fn gate(capacity: u64, waiting: usize) -> Gate {
    Gate::new(Bounds { capacity, waiting, patience: 20_000 })
}

/// Offers one that must wait.
fn wait(gate: &mut Gate, from: u8, units: u64) -> Ticket {
    match gate.offer(network(from), units, 0) {
        Offer::Waits { ticket, displaced: None } => ticket,
        other => panic!("{other:?} for one of {from}"),
    }
}

/// Releases what is in use again and again: who goes on, in order. Each uses what it needs until the next one.
fn order(gate: &mut Gate, mut used: (Network, u64)) -> Vec<Network> {
    let mut order = Vec::new();
    loop {
        gate.release(used.0, used.1);
        let Some(grant) = gate.admit(0) else { return order };
        order.push(grant.network);
        used = (grant.network, grant.units);
        assert_eq!(gate.admit(0), None, "there is one place");
    }
}

#[test]
fn there_is_room_until_there_is_none() {
    let mut gate = gate(4, 10);
    assert_eq!(gate.offer(network(1), 2, 0), Offer::Granted(2));
    assert_eq!(gate.offer(network(2), 2, 0), Offer::Granted(2));
    let ticket = wait(&mut gate, 3, 1);
    assert_eq!((gate.used(), gate.waiting(), gate.admit(0)), (4, 1, None));
    gate.release(network(1), 2);
    assert_eq!(gate.admit(0), Some(Grant { ticket, network: network(3), units: 1 }));
    assert_eq!(gate.admit(0), None);
    gate.release(network(2), 2);
    gate.release(network(3), 1);
    assert_eq!((gate.used(), gate.waiting(), gate.networks()), (0, 0, 0), "nothing is left behind");
}

#[test]
fn networks_take_turns_however_much_one_sends() {
    let mut gate = gate(1, 100);
    assert_eq!(gate.offer(network(9), 1, 0), Offer::Granted(1));
    for _ in 0..20 {
        wait(&mut gate, 1, 1);
    }
    for quiet in [2, 3] {
        wait(&mut gate, quiet, 1);
        wait(&mut gate, quiet, 1);
    }
    let order = order(&mut gate, (network(9), 1));
    let expected: Vec<_> = [1, 2, 3, 1, 2, 3].into_iter().chain([1; 18]).map(network).collect();
    assert_eq!(order, expected);
}

#[test]
fn turns_are_worth_units_not_requests() {
    // a quantum of 4 units
    let mut gate = gate(1_024, 100);
    assert_eq!(gate.offer(network(9), 1_024, 0), Offer::Granted(1_024));
    for _ in 0..4 {
        wait(&mut gate, 1, 700);
    }
    for _ in 0..8 {
        wait(&mut gate, 2, 350);
    }
    gate.release(network(9), 1_024);
    let mut served = BTreeMap::new();
    for _ in 0..6 {
        let grant = gate.admit(0).expect("there is room");
        *served.entry(grant.network).or_insert(0) += grant.units;
        gate.release(grant.network, grant.units);
    }
    assert_eq!(served, BTreeMap::from([(network(1), 1_400), (network(2), 1_400)]));
}

#[test]
fn a_large_one_is_not_passed_by_small_ones_for_ever() {
    let mut gate = gate(100, 1_000);
    let mut in_use: VecDeque<(Network, u64)> = VecDeque::new();
    for from in 0..50_u8 {
        assert_eq!(gate.offer(network(from), 2, 0), Offer::Granted(2));
        in_use.push_back((network(from), 2));
    }
    let large = wait(&mut gate, 200, 80);
    for turn in 0..2_000_u32 {
        wait(&mut gate, (turn % 50) as u8, 2);
        let (from, units) = in_use.pop_front().expect("in use");
        gate.release(from, units);
        while let Some(grant) = gate.admit(0) {
            if grant.ticket == large {
                return;
            }
            in_use.push_back((grant.network, grant.units));
        }
        assert!(!in_use.is_empty(), "turn {turn}");
    }
    panic!("it still waits");
}

#[test]
fn a_network_leaves_room_for_others() {
    let mut gate = gate(8, 100);
    let granted = (0..8).filter(|_| gate.offer(network(1), 1, 0) == Offer::Granted(1)).count();
    assert_eq!((granted, gate.waiting(), gate.admit(0)), (6, 2, None));
    // it waits in nobody's way
    let ticket = wait(&mut gate, 2, 1);
    assert_eq!(gate.admit(0).map(|grant| grant.ticket), Some(ticket));
    assert_eq!(gate.admit(0), None);
    gate.release(network(1), 1);
    assert_eq!(gate.admit(0).map(|grant| grant.network), Some(network(1)));
}

#[test]
fn what_is_larger_than_everything_goes_alone() {
    let mut gate = gate(10, 10);
    assert_eq!(gate.offer(network(1), 1_000, 0), Offer::Granted(10));
    let next = wait(&mut gate, 2, 0);
    gate.release(network(1), 10);
    assert_eq!(gate.admit(0), Some(Grant { ticket: next, network: network(2), units: 1 }));
}

#[test]
fn the_longest_queue_loses_its_newest() {
    let mut gate = gate(1, 8);
    assert_eq!(gate.offer(network(9), 1, 0), Offer::Granted(1));
    let flood: Vec<Ticket> = (0..6).map(|_| wait(&mut gate, 1, 1)).collect();
    assert_eq!(gate.offer(network(1), 1, 0), Offer::Refused, "a network has three quarters of the places");
    for _ in 0..2 {
        wait(&mut gate, 2, 1);
    }
    for (turn, victim) in flood.iter().rev().take(2).enumerate() {
        match gate.offer(network(2), 1, 0) {
            Offer::Waits { displaced, .. } => assert_eq!(displaced, Some(*victim), "turn {turn}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(gate.waiting(), 8);
        assert!(!gate.leave(network(1), *victim), "it is out");
    }
    assert_eq!(gate.offer(network(2), 1, 0), Offer::Refused, "both are as long");
    assert!(matches!(gate.offer(network(3), 1, 0), Offer::Waits { displaced: Some(_), .. }), "a new one has a place");
}

#[test]
fn who_gives_up_is_not_served() {
    let mut gate = gate(1, 10);
    assert_eq!(gate.offer(network(9), 1, 0), Offer::Granted(1));
    let (first, second) = (wait(&mut gate, 1, 1), wait(&mut gate, 1, 1));
    assert!(gate.leave(network(1), first) && !gate.leave(network(1), first));
    assert!(!gate.leave(network(2), second), "another network's");
    gate.release(network(9), 1);
    assert_eq!(gate.admit(0).map(|grant| grant.ticket), Some(second));
    assert!(!gate.leave(network(1), second), "it goes on");
}

#[test]
fn no_more_wait_than_are_served_in_time() {
    let mut gate = gate(1, 10_000);
    assert_eq!(gate.offer(network(9), 1, 0), Offer::Granted(1));
    for _ in 0..1_000 {
        wait(&mut gate, 1, 1);
    }
    assert_eq!(gate.outlook(), 10_000, "nothing is known yet");
    // one in a tenth of a second: 200 in the 20 seconds of patience, and 256 in any case
    let mut used = network(9);
    for turn in 1..=60 {
        gate.release(used, 1);
        used = gate.admit(turn * 100).expect("one waits").network;
    }
    assert_eq!(gate.outlook(), 940 * 100);
    assert_eq!(gate.offer(network(1), 1, 6_000), Offer::Refused);
    assert!(matches!(gate.offer(network(2), 1, 6_000), Offer::Waits { displaced: Some(_), .. }));
    // what it was is forgotten with the queue
    while gate.waiting() > 0 {
        gate.release(used, 1);
        used = gate.admit(6_000).expect("one waits").network;
    }
    assert_eq!(gate.outlook(), 0);
    for _ in 0..1_000 {
        wait(&mut gate, 1, 1);
    }
}

#[test]
fn other_bounds_hold_from_then_on() {
    let mut gate = gate(4, 10);
    for from in 0..4 {
        assert_eq!(gate.offer(network(from), 1, 0), Offer::Granted(1));
    }
    wait(&mut gate, 5, 4);
    gate.set_bounds(Bounds { capacity: 1, waiting: 0, patience: 20_000 });
    assert_eq!(gate.offer(network(6), 1, 0), Offer::Refused);
    for from in 0..3 {
        gate.release(network(from), 1);
        assert_eq!(gate.admit(0), None, "three of one are too many");
    }
    gate.release(network(3), 1);
    assert_eq!(gate.admit(0).map(|grant| grant.units), Some(4), "nobody waits for ever");
}

#[derive(Clone, Debug)]
enum Act {
    Offer(u8, u64),
    Release(usize),
    Leave(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u8..5, 1_u64..30).prop_map(|(from, units)| Act::Offer(from, units)),
        3 => any::<usize>().prop_map(Act::Release),
        1 => any::<usize>().prop_map(Act::Leave),
    ]
}

/// What a gate says of itself, kept beside it.
#[derive(Debug, Default)]
struct Books {
    in_use: Vec<(Network, u64)>,
    waiting: BTreeMap<Ticket, Network>,
}

impl Books {
    fn queue(&self, of: Network) -> usize {
        self.waiting.values().filter(|known| **known == of).count()
    }

    fn longest(&self) -> usize {
        self.waiting.values().map(|of| self.queue(*of)).max().unwrap_or(0)
    }

    fn drain(&mut self, gate: &mut Gate) {
        while let Some(grant) = gate.admit(0) {
            assert_eq!(self.waiting.remove(&grant.ticket), Some(grant.network), "it waited");
            self.in_use.push((grant.network, grant.units));
        }
    }
}

proptest! {
    #[test]
    fn the_bounds_hold_whatever_comes(
        capacity in 1_u64..40,
        places in 0_usize..12,
        acts in proptest::collection::vec(act(), 0..200),
    ) {
        let bounds = Bounds { capacity, waiting: places, patience: 20_000 };
        let mut gate = Gate::new(bounds);
        let mut books = Books::default();
        for act in acts {
            match act {
                Act::Offer(from, units) => {
                    let from = network(from);
                    let (own, longest, full) = (books.queue(from), books.longest(), books.waiting.len() >= places);
                    match gate.offer(from, units, 0) {
                        Offer::Granted(units) => books.in_use.push((from, units)),
                        Offer::Refused => {
                            let first = full && own + 1 >= longest;
                            prop_assert!(first || own >= bounds.queue(), "refused with {own} of {longest} waiting");
                        }
                        Offer::Waits { ticket, displaced } => {
                            prop_assert_eq!(displaced.is_some(), full);
                            if let Some(displaced) = displaced {
                                let victim = books.waiting.get(&displaced).copied();
                                let victim = victim.expect("one that waits is displaced");
                                prop_assert_eq!(books.queue(victim), longest, "out of the longest queue");
                                prop_assert!(longest > own + 1);
                                books.waiting.remove(&displaced);
                            }
                            books.waiting.insert(ticket, from);
                        }
                    }
                }
                Act::Release(at) => {
                    if !books.in_use.is_empty() {
                        let (of, units) = books.in_use.swap_remove(at % books.in_use.len());
                        gate.release(of, units);
                    }
                }
                Act::Leave(at) => {
                    let chosen = books.waiting.iter().nth(at % books.waiting.len().max(1)).map(|(t, n)| (*t, *n));
                    if let Some((ticket, of)) = chosen {
                        prop_assert!(gate.leave(of, ticket));
                        books.waiting.remove(&ticket);
                    }
                }
            }
            books.drain(&mut gate);
            let used: u64 = books.in_use.iter().map(|(_, units)| units).sum();
            prop_assert_eq!(gate.used(), used);
            prop_assert!(used <= capacity);
            prop_assert_eq!(gate.waiting(), books.waiting.len());
            prop_assert!(gate.waiting() <= places);
            prop_assert!(used > 0 || gate.waiting() == 0, "nothing is in use, and somebody waits");
            for of in (0..5).map(network) {
                let held: Vec<u64> =
                    books.in_use.iter().filter(|(known, _)| *known == of).map(|(_, units)| *units).collect();
                prop_assert!(held.len() <= 1 || held.iter().sum::<u64>() <= bounds.share(), "{held:?} of {capacity}");
            }
        }
        // whoever waits is served in the end, and nothing is left behind
        while !books.in_use.is_empty() {
            let (of, units) = books.in_use.remove(0);
            gate.release(of, units);
            books.drain(&mut gate);
        }
        prop_assert!(books.waiting.is_empty());
        prop_assert_eq!((gate.used(), gate.waiting(), gate.networks()), (0, 0, 0));
    }

    #[test]
    fn nobody_starves_beside_a_flood(
        capacity in 1_u64..8,
        quiet in 1_u8..20,
        flood in 1_usize..200,
    ) {
        let mut gate = gate(capacity, 1_000);
        let mut in_use = VecDeque::new();
        for _ in 0..capacity {
            if let Offer::Granted(units) = gate.offer(network(200), 1, 0) {
                in_use.push_back((network(200), units));
            }
        }
        for _ in 0..flood {
            gate.offer(network(200), 1, 0);
        }
        let mut waiting: BTreeMap<Ticket, u8> = BTreeMap::new();
        let mut served = 0;
        for from in 0..quiet {
            if let Offer::Waits { ticket, .. } = gate.offer(network(from), 1, 0) {
                waiting.insert(ticket, from);
            }
        }
        // each of the others has its turn before the flood has as many and one more
        while !waiting.is_empty() {
            prop_assert!(served <= 2 * usize::from(quiet) + 1, "{} still wait", waiting.len());
            while let Some(grant) = gate.admit(0) {
                waiting.remove(&grant.ticket);
                served += 1;
                in_use.push_back((grant.network, 1));
            }
            if let Some((of, units)) = in_use.pop_front() {
                gate.release(of, units);
                // the flood goes on
                gate.offer(network(200), 1, 0);
            }
        }
    }
}
