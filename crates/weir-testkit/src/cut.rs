//! A proxy that cuts a connection at one HTTP request, so that a test can walk through all of them.

use std::net::SocketAddr;

/// Where in a request the connection is cut.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Moment {
    /// The request arrives and goes nowhere.
    BeforeRequest,
    /// Half of the request reaches the server.
    MidRequest,
    /// The server answers, and nothing of the answer comes back.
    BeforeAnswer,
    /// Half of the answer comes back.
    MidAnswer,
    /// All of the answer comes back, then the connection is gone.
    AfterAnswer,
}

impl Moment {
    /// Every moment, in order.
    pub const ALL: &[Self] =
        &[Self::BeforeRequest, Self::MidRequest, Self::BeforeAnswer, Self::MidAnswer, Self::AfterAnswer];
}

/// A running proxy for plain HTTP/1.1. It serves on a thread of its own until it is dropped.
#[derive(Debug)]
pub struct CuttingProxy {
    address: SocketAddr,
}

impl CuttingProxy {
    /// Passes everything to the server at this address, `host:port`.
    pub fn to(server: &str) -> Self {
        let _ = server;
        unimplemented!()
    }

    /// Cuts the n-th request from now on (from 1) at this moment, and passes all others.
    pub fn cut(&self, request: usize, moment: Moment) {
        let _ = (request, moment);
        unimplemented!()
    }

    /// How many requests came since the last [`Self::cut`] or the start, cut ones included.
    pub fn requests(&self) -> usize {
        unimplemented!()
    }

    /// Whether the cut that was ordered last has happened.
    pub fn has_cut(&self) -> bool {
        unimplemented!()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
