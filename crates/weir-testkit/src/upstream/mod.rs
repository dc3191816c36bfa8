//! A scripted upstream server: MS-WSUSSS and content over plain HTTP on a loopback port, from a list of documents or from
//! recorded exchanges, with everything that can go wrong at any request.

mod served;
mod trouble;

use std::net::SocketAddr;

pub use served::{Blobs, RolledUp, Served, ServedDeployment, ServedFile, ServedRevision};
pub use trouble::{At, Trouble};
use weir_wire::wsss::{Operation, Request};

/// A request that was received.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its number, from 1.
    pub number: usize,
    /// Its method and path.
    pub method: String,
    /// Its path as sent.
    pub path: String,
    /// Its headers in the order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
    /// What it asks, if it is a message of the protocol.
    pub request: Option<Request>,
    /// The HTTP status it was answered with; `None` if it was not.
    pub status: Option<u16>,
}

impl Received {
    /// The operation, if it is a message of the protocol.
    pub fn operation(&self) -> Option<Operation> {
        self.request.as_ref().map(Request::operation)
    }
}

/// A running upstream. It serves on a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
}

impl Upstream {
    /// Serves this.
    pub fn start(served: Served) -> Self {
        let _ = served;
        unimplemented!()
    }

    /// Answers with the recorded exchanges of a folder of captures, such as `captures/server-sync`: of each operation
    /// the recorded answer to the most similar request; GetUpdateData with the recorded documents that are asked for and
    /// InternalServerError if none is.
    pub fn replaying(folder: &str) -> Self {
        let _ = folder;
        unimplemented!()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what is served, between two requests.
    pub fn change<T>(&self, change: impl FnOnce(&mut Served) -> T) -> T {
        let _ = change;
        unimplemented!()
    }

    /// Lets something go wrong. Each trouble happens once, except at [`At::Every`].
    pub fn trouble(&self, at: At, trouble: Trouble) {
        let _ = (at, trouble);
        unimplemented!()
    }

    /// Forgets all troubles that did not happen yet.
    pub fn calm(&self) {
        unimplemented!()
    }

    /// Everything received until now.
    pub fn log(&self) -> Vec<Received> {
        unimplemented!()
    }

    /// The operations received until now, in order.
    pub fn operations(&self) -> Vec<Operation> {
        self.log().iter().filter_map(Received::operation).collect()
    }

    /// Forgets the log; numbers of [`At`] start anew.
    pub fn clear_log(&self) {
        unimplemented!()
    }
}
