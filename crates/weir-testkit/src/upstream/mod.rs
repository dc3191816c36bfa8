//! A scripted upstream server: MS-WSUSSS and content over plain HTTP on a loopback port, from a list of documents or from
//! recorded exchanges, with everything that can go wrong at any request.
//!
//! It does what real servers do where they differ from the specification if [`Served`] says so. It answers in the SOAP
//! version of the request, and never compresses.

mod answer;
mod content;
mod lists;
mod replay;
mod rollup;
mod serve;
mod served;
#[cfg(test)]
mod tests;
mod trouble;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use served::{Blobs, RolledUp, Served, ServedDeployment, ServedFile, ServedRevision};
pub use trouble::{At, Trouble};
use weir_wire::wsss::{Operation, Request};

use self::{replay::Recording, serve::State};
use crate::service::Loopback;

/// A request that was received.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its number, from 1.
    pub number: usize,
    /// Its method.
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
    server: Loopback,
    state: Arc<Mutex<State>>,
}

impl Upstream {
    /// Serves this.
    pub fn start(served: Served) -> Self {
        Self::with(State::new(served, None))
    }

    /// Answers with the recorded exchanges of a folder of captures, such as `captures/server-sync`: of each operation
    /// the recorded answer to the most similar request (of GetRevisionIdList: the same GetConfig, and an anchor or none);
    /// GetUpdateData with the recorded documents that are asked for, and with InternalServerError, as the recorded
    /// server, if one is not among them. What was not recorded is answered as by a server that holds nothing.
    ///
    /// # Panics
    ///
    /// If the captures are absent.
    pub fn replaying(folder: &str) -> Self {
        Self::with(State::new(Served::new(), Some(Recording::load(folder))))
    }

    /// The same, with lists cut down to what can be had: of what the recorded list of updates names, of which the source of
    /// the recording kept a small part, no document was recorded. Here that list names exactly the recorded documents, and
    /// the list of categories, of which none was recorded, is empty. Anchors and everything else are as recorded, so that
    /// a synchronization comes to its end.
    ///
    /// # Panics
    ///
    /// If the captures are absent.
    pub fn replaying_documents(folder: &str) -> Self {
        Self::with(State::new(Served::new(), Some(Recording::load(folder).cut())))
    }

    fn with(state: State) -> Self {
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = Loopback::start("scripted upstream", move |stream| serve::connection(stream, Arc::clone(&shared)));
        Self { server, state }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Changes (or looks at) what is served, between two requests.
    pub fn change<T>(&self, change: impl FnOnce(&mut Served) -> T) -> T {
        change(&mut lock(&self.state).served)
    }

    /// Lets something go wrong. Each trouble happens once, except at [`At::Every`]. Of several at the same request the
    /// one that was ordered first happens, after every [`Trouble::Change`].
    pub fn trouble(&self, at: At, trouble: Trouble) {
        lock(&self.state).troubles.push((at, trouble));
    }

    /// Forgets all troubles that did not happen yet.
    pub fn calm(&self) {
        lock(&self.state).troubles.clear();
    }

    /// Everything received until now.
    pub fn log(&self) -> Vec<Received> {
        lock(&self.state).log.clone()
    }

    /// The operations received until now, in order.
    pub fn operations(&self) -> Vec<Operation> {
        lock(&self.state).log.iter().filter_map(Received::operation).collect()
    }

    /// Forgets the log; numbers of [`At`] start anew.
    pub fn clear_log(&self) {
        lock(&self.state).log.clear();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
