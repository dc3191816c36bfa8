//! Reporting roll-ups (MS-WSUSSS 3.1.4.13 to 3.1.4.17 and 3.2.4.5), both ways.
//!
//! [`answer`] takes what downstream servers report; [`send()`] reports to the upstream server after a synchronization,
//! and [`serve`] between them.
//! Computers of servers below are rows like any other, with their server's number as site: collections and compliance
//! cover the whole tree. They do not scan here, so the directory in memory and the offers leave them out.

mod between;
mod computers;
mod convert;
mod figures;
mod numbers;
mod receive;
mod send;
mod servers;
mod tree;
mod wire;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::ComputerId,
    rollup::{ComputerChange, ComputerEntry, LastNumber, RollupConfiguration, ServerEntry, StatusEntry},
};
use weir_wire::{
    soap::{self, ErrorCode},
    wsss,
};

pub(crate) use between::{serve, tell};
pub use receive::{Receiving, answer};
pub use send::{RollupOutcome, SendError, is_wanted, send, send_to};
pub(crate) use tree::CLAIM;
pub use tree::Reporter;
pub use wire::Calls;

/// Whether servers below may tell of computers, or only of themselves.
pub(crate) const DETAILED: &str = "rollup.detailed";

/// A roll-up operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// GetRollupConfiguration.
    Configuration,
    /// RollupDownstreamServers.
    Servers {
        /// The sender's clock.
        client_time: Timestamp,
        /// The servers.
        servers: Vec<ServerEntry>,
    },
    /// RollupComputers.
    Computers {
        /// The sender's clock.
        client_time: Timestamp,
        /// The computers.
        computers: Vec<ComputerEntry>,
    },
    /// GetOutOfSyncComputers.
    OutOfSync {
        /// The sender.
        parent: Uuid,
        /// Last numbers.
        numbers: Vec<LastNumber>,
    },
    /// RollupComputerStatus.
    Status {
        /// The sender's clock.
        client_time: Timestamp,
        /// The sender.
        parent: Uuid,
        /// Status of computers.
        computers: Vec<StatusEntry>,
    },
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// To GetRollupConfiguration.
    Configuration(RollupConfiguration),
    /// To RollupDownstreamServers.
    Servers,
    /// To RollupComputers: at most one per computer.
    Computers(Vec<(ComputerId, ComputerChange)>),
    /// To GetOutOfSyncComputers.
    OutOfSync(Vec<ComputerId>),
    /// To RollupComputerStatus: false if this server is busy and took nothing.
    Status(bool),
}

/// Why a roll-up call is refused. It changed nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A parameter is absent, too long or wrong.
    #[error(transparent)]
    Parameter(#[from] wsss::Refusal),
    /// Everything else: an unknown parent, the setting `rollup.detailed`, the database.
    #[error("{0}")]
    Internal(String),
}

impl Fault {
    /// The fault to answer.
    pub fn into_soap(self, operation: wsss::Operation, id: Uuid) -> soap::Fault {
        match self {
            Self::Parameter(refusal) => refusal.into_fault(operation, id),
            Self::Internal(_) => wsss::fault(operation, ErrorCode::InternalServerError, String::new(), id),
        }
    }
}
