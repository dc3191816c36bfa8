//! Whether the server plane is on, and who may use it.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
};

use jiff::Timestamp;

/// What the server plane keeps in memory. One per process.
#[derive(Debug, Default)]
pub struct Upstream {
    on: AtomicBool,
}

impl Upstream {
    /// Whether the server plane is served.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Serves the server plane from now on, or no longer: at the start by the process settings, later when the first site
    /// is enrolled.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// Whether a server was authorized from this address within the last 24 hours: roll-up calls carry no identity.
    pub fn is_authorized(&self, _address: IpAddr, _now: Timestamp) -> bool {
        unimplemented!()
    }
}
