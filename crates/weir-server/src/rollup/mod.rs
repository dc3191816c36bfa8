//! Reporting roll-ups (MS-WSUSSS 3.1.4.13 to 3.1.4.17 and 3.2.4.5), both ways.
//!
//! [`answer`] takes what downstream servers report; [`send()`] reports to the upstream server after a synchronization.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::ComputerId,
    rollup::{ComputerChange, ComputerEntry, LastNumber, RollupConfiguration, ServerEntry, StatusEntry},
};

use crate::state::AppState;

/// A roll-up operation. The conversions from and to the messages of `weir_wire::wsss` are `From` implementations here.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// GetRollupConfiguration.
    Configuration,
    /// RollupDownstreamServers.
    Servers {
        /// The sender's clock.
        client_time: Timestamp,
        /// The servers; none if the element is absent.
        servers: Option<Vec<ServerEntry>>,
    },
    /// RollupComputers.
    Computers {
        /// The sender's clock.
        client_time: Timestamp,
        /// The computers; none if the element is absent.
        computers: Option<Vec<ComputerEntry>>,
    },
    /// GetOutOfSyncComputers.
    OutOfSync {
        /// The sender.
        parent: Uuid,
        /// Last numbers; none if the element is absent.
        numbers: Option<Vec<LastNumber>>,
    },
    /// RollupComputerStatus.
    Status {
        /// The sender's clock.
        client_time: Timestamp,
        /// The sender.
        parent: Uuid,
        /// Status of computers; none if the element is absent.
        computers: Option<Vec<StatusEntry>>,
    },
}

/// The answer of a [`Question`].
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

/// Why an operation is refused; `code` is that of the SOAP fault.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A parameter (InvalidParameters with its name).
    #[error("{0} is missing, too long or wrong")]
    Parameter(&'static str),
    /// Everything else (InternalServerError): an unknown parent, the setting `rollup.detailed`, the database.
    #[error("{0}")]
    Internal(String),
}

/// Takes a roll-up call of a downstream server that was admitted. `caller` is who that is, if admission knows. What is
/// acknowledged is durable.
pub async fn answer(state: &AppState, caller: Option<Uuid>, question: Question) -> Result<Reply, Fault> {
    let _ = (state, caller, question);
    unimplemented!()
}
