//! Where a request comes from, as far as its address tells.

use std::net::IpAddr;

/// Where IPv4 addresses are among those of IPv6 (RFC 4291 2.5.5.2).
const MAPPED: u128 = 0xffff << 32;

/// What shares are counted by: a network, or one address of it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Network(u128);

impl Network {
    /// The network of an address: of IPv4 the /24, which is an office or a part of one; of IPv6 the /64, which is a link.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(MAPPED | u128::from(v4.to_bits() & 0xffff_ff00)),
            IpAddr::V6(v6) => Self(v6.to_bits() & !u128::from(u64::MAX)),
        }
    }

    /// The address alone; of IPv6 the /64, since a computer has all of those.
    pub fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(MAPPED | u128::from(v4.to_bits())),
            v6 @ IpAddr::V6(_) => Self::of(v6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_network() {
        let network = |text: &str| Network::of(text.parse().expect("address"));
        let cases = [
            ("192.0.2.1", "192.0.2.254", true),
            ("192.0.2.1", "192.0.3.1", false),
            ("192.0.2.1", "::ffff:192.0.2.9", true),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::1", "0.0.0.0", false),
        ];
        for (one, other, same) in cases {
            assert_eq!(network(one) == network(other), same, "{one} and {other}");
        }
    }

    #[test]
    fn an_address_is_less_than_its_network() {
        let address = |text: &str| Network::address(text.parse().expect("address"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("192.0.2.1"), address("::ffff:192.0.2.1"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::2"));
    }
}
