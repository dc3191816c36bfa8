//! What the schema does not say about parameters.

use uuid::Uuid;

use super::Operation;
use crate::soap::{ErrorCode, Fault};

/// Why a request that was read is not carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Refusal {
    /// What the downstream server acts on.
    pub code: ErrorCode,
    /// The parameter, which the fault carries as its message; empty if none is to blame.
    pub path: &'static str,
    /// What is wrong.
    pub problem: &'static str,
}

impl Refusal {
    pub(super) fn parameter(path: &'static str, problem: &'static str) -> Self {
        Self { code: ErrorCode::InvalidParameters, path, problem }
    }

    pub(super) fn missing(path: &'static str) -> Self {
        Self::parameter(path, "missing or empty")
    }

    /// The fault to send.
    pub fn into_fault(self, operation: Operation, id: Uuid) -> Fault {
        fault(operation, self.code, self.path.to_owned(), id)
    }
}

/// A fault of an operation. The message is the name of the parameter that is to blame, a list of digests (see
/// [`super::join_digests`]), or empty.
pub fn fault(operation: Operation, code: ErrorCode, message: String, id: Uuid) -> Fault {
    Fault { code, message, method: operation.quoted_action(), id }
}
