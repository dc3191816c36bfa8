//! Open connections by address.

use std::collections::BTreeMap;

use super::Network;

/// How many connections each address has. One address may have three quarters of all: an office behind one address, or a
/// balancer, is not hurt, and somebody who opens whatever can be opened leaves a quarter to everybody else.
#[derive(Clone, Debug)]
pub struct Connections {
    share: usize,
    by_address: BTreeMap<Network, usize>,
}

impl Connections {
    /// Of at most so many connections at one time.
    pub fn new(most: usize) -> Self {
        Self { share: (most - most / 4).max(1), by_address: BTreeMap::new() }
    }

    /// Takes a place for a connection; false if its address has its share. Who gets one gives it back with
    /// [`Connections::close`].
    pub fn open(&mut self, address: Network) -> bool {
        let count = self.by_address.entry(address).or_default();
        let granted = *count < self.share;
        if granted {
            *count += 1;
        }
        granted
    }

    /// A connection ended.
    pub fn close(&mut self, address: Network) {
        if let Some(count) = self.by_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }

    /// How many addresses have connections.
    pub fn addresses(&self) -> usize {
        self.by_address.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Network {
        Network::address([192, 0, 2, last].into())
    }

    #[test]
    fn one_address_leaves_a_quarter_to_others() {
        let mut open = Connections::new(20);
        let granted = (0..30).filter(|_| open.open(address(1))).count();
        assert_eq!(granted, 15);
        assert!((0..5).all(|_| open.open(address(2))), "a neighbour has places");
        open.close(address(1));
        assert!(open.open(address(1)) && !open.open(address(1)));
    }

    #[test]
    fn who_has_none_is_forgotten() {
        let mut open = Connections::new(1);
        assert!(open.open(address(1)) && !open.open(address(1)));
        assert_eq!(open.addresses(), 1);
        open.close(address(1));
        open.close(address(1));
        assert_eq!(open.addresses(), 0);
        assert!(open.open(address(1)));
    }
}
