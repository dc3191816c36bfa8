//! Addresses and ranges of them.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// Addresses from one to another, both included, of one family. IPv4 addresses written as IPv6 are IPv4 ones.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && self.first <= address && address <= self.last
    }

    /// From one to another; none if they are of two families or the wrong way round.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        let canonical = (first.to_canonical(), last.to_canonical());
        let (first, last) = if canonical.0.is_ipv4() == canonical.1.is_ipv4() { canonical } else { (first, last) };
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Self { first, last })
    }

    fn network(address: IpAddr, prefix: u32) -> Option<Self> {
        match address {
            IpAddr::V4(address) => {
                let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
                let first = address.to_bits() & !hosts;
                let ends = (Ipv4Addr::from_bits(first), Ipv4Addr::from_bits(first | hosts));
                (prefix <= 32).then(|| Self::new(ends.0.into(), ends.1.into()))?
            }
            IpAddr::V6(address) => {
                let hosts = u128::MAX.checked_shr(prefix).unwrap_or(0);
                let first = address.to_bits() & !hosts;
                let ends = (Ipv6Addr::from_bits(first), Ipv6Addr::from_bits(first | hosts));
                (prefix <= 128).then(|| Self::new(ends.0.into(), ends.1.into()))?
            }
        }
    }

    /// The prefix length, if the range is a network.
    fn prefix(&self) -> Option<u32> {
        let (first, last, width) = match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => (first.to_bits().into(), last.to_bits().into(), 32),
            (IpAddr::V6(first), IpAddr::V6(last)) => (first.to_bits(), last.to_bits(), 128),
            _ => return None,
        };
        let hosts: u128 = first ^ last;
        let whole = hosts & hosts.wrapping_add(1) == 0 && first & hosts == 0;
        whole.then(|| width - hosts.count_ones())
    }
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            if let Some((address, prefix)) = text.split_once('/') {
                let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
                return Self::network(address.trim().parse().ok()?, prefix.parse().ok().filter(|_| digits)?);
            }
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            Self::new(first.trim().parse().ok()?, last.trim().parse().ok()?)
        };
        read()
            .ok_or_else(|| "an address, a network such as 10.1.0.0/16 or a range such as 10.1.0.5-10.1.0.80".to_owned())
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix() {
            _ if self.first == self.last => write!(f, "{}", self.first),
            Some(prefix) => write!(f, "{}/{prefix}", self.first),
            None => write!(f, "{}-{}", self.first, self.last),
        }
    }
}
