use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Where a listener listens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Listen {
    /// At this address; port 0 takes a free one.
    At(SocketAddr),
    /// Not at all.
    Off,
}

impl Listen {
    /// Reads `ADDRESS:PORT`, `[V6]:PORT`, `PORT` (at `host`) or `off`.
    pub(super) fn parse(text: &str, host: IpAddr) -> Option<Self> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("off") {
            return Some(Self::Off);
        }
        if let Ok(port) = text.parse() {
            return Some(Self::At(SocketAddr::new(host, port)));
        }
        let named = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        named.map(|port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).or_else(|| text.parse().ok()).map(Self::At)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

/// The address at which this machine itself reaches a listener: loopback for a wildcard.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        // a wildcard of version 6 takes version 4 as well on every system we run on
        IpAddr::V6(ip) if ip == Ipv6Addr::UNSPECIFIED => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        _ => address,
    }
}
