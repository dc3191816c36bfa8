//! What can go wrong on the way, and the codes that Windows Update Agents give it.

use std::fmt;

use weir_wire::{
    soap::{ErrorCode, Reason},
    wusp::{
        Operation,
        client::{CallError, ReceivedFault},
    },
};

/// An error code as Windows writes it (HRESULT).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(pub u32);

impl Code {
    /// The number as events carry it.
    pub fn hresult(self) -> i32 {
        self.0.cast_signed()
    }

    /// Success.
    pub const OK: Self = Self(0);
    /// An entry without Deployment, or another answer that makes no sense.
    pub const INVALID_ANSWER: Self = Self(0x8007_0057);
    /// A connection cannot be made.
    pub const CANNOT_CONNECT: Self = Self(0x8007_2EFD);
    /// A connection ended early.
    pub const CONNECTION_ABORTED: Self = Self(0x8007_2EFE);
    /// The server did not answer in time.
    pub const TIMEOUT: Self = Self(0x8007_2EE2);
    /// The computer is off the network: nothing was tried.
    pub const DISCONNECTED: Self = Self(0x8007_2F83);
    /// The server's certificate is not trusted, or TLS failed in another way.
    pub const TLS: Self = Self(0x8007_2F8F);
    /// The server's name cannot be resolved.
    pub const NAME_NOT_RESOLVED: Self = Self(0x8024_402C);
    /// A fault that the agent cannot recover from.
    pub const SOAP_FAULT: Self = Self(0x8024_4007);
    /// A fault that cannot be read.
    pub const FAULT_UNREADABLE: Self = Self(0x8024_4008);
    /// An answer that cannot be read.
    pub const PARSE: Self = Self(0x8024_400A);
    /// More than 200 calls in one scan.
    pub const TOO_MANY_TRIPS: Self = Self(0x8024_4010);
    /// RefreshCache failed.
    pub const REFRESH_CACHE: Self = Self(0x8024_4015);
    /// The server wants registration and does not take it.
    pub const REGISTRATION: Self = Self(0x8024_4026);
    /// The authorization of the server does not work.
    pub const AUTH_PLUG_IN: Self = Self(0x8024_4027);
    /// A status of HTTP that has no code of its own.
    pub const HTTP_UNMAPPED: Self = Self(0x8024_402B);
    /// The server is busy.
    pub const SERVER_BUSY: Self = Self(0x8024_F004);
    /// The files of an update are not here.
    pub const NOT_DOWNLOADED: Self = Self(0x8024_6007);
    /// A file is not what the update says.
    pub const WRONG_HASH: Self = Self(0x8024_6002);
    /// The server gave no location of a file.
    pub const NO_LOCATION: Self = Self(0x8024_6005);

    /// The code of an HTTP status that is no answer (MS-WUSP agents: `0x80244016` for 400 to `0x80244024` for 505).
    pub fn of_status(status: u16) -> Self {
        Self(match status {
            400 => 0x8024_4016,
            401 => 0x8024_4017,
            403 => 0x8024_4018,
            404 => 0x8024_4019,
            405 => 0x8024_401A,
            407 => 0x8024_401B,
            408 => 0x8024_401C,
            409 => 0x8024_401D,
            410 => 0x8024_401E,
            500 => 0x8024_401F,
            501 => 0x8024_4020,
            502 => 0x8024_4021,
            503 => 0x8024_4022,
            504 => 0x8024_4023,
            505 => 0x8024_4024,
            _ => return Self::HTTP_UNMAPPED,
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}

/// Why a request has no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Failure {
    /// A connection cannot be made.
    #[error("cannot connect to {server}: {reason}")]
    Connect {
        /// Host and port.
        server: String,
        /// What the system says.
        reason: String,
        /// What kind.
        code: Code,
    },
    /// A connection ended before the answer was here.
    #[error("the connection ended before the answer was complete: {0}")]
    Cut(String),
    /// A fault.
    #[error("the server answered {0} with a fault: {1}")]
    Fault(Operation, Box<ReceivedFault>),
    /// An answer that is none.
    #[error("the server answered {operation} with something that is no answer: {reason}")]
    Malformed {
        /// What was asked.
        operation: Operation,
        /// What is wrong.
        reason: String,
    },
    /// An HTTP status that is no answer.
    #[error("the server answered {operation} with HTTP status {status}")]
    Status {
        /// What was asked.
        operation: Operation,
        /// The status.
        status: u16,
    },
    /// No answer in time.
    #[error("the server did not answer within {0} seconds")]
    Timeout(u64),
}

impl Failure {
    /// The fault's code, if it is a fault of a known code.
    pub fn fault(&self) -> Option<ErrorCode> {
        match self {
            Self::Fault(_, fault) => fault.code(),
            _ => None,
        }
    }

    /// The code that a Windows Update Agent gives it.
    pub fn code(&self) -> Code {
        match self {
            Self::Connect { code, .. } => *code,
            Self::Cut(_) => Code::CONNECTION_ABORTED,
            Self::Fault(_, fault) => match fault.code() {
                Some(ErrorCode::ServerBusy) => Code::SERVER_BUSY,
                _ => Code::SOAP_FAULT,
            },
            Self::Malformed { .. } => Code::PARSE,
            Self::Status { status, .. } => Code::of_status(*status),
            Self::Timeout(_) => Code::TIMEOUT,
        }
    }

    /// An answer that is none.
    pub fn malformed(operation: Operation, reason: impl fmt::Display) -> Self {
        Self::Malformed { operation, reason: reason.to_string() }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Fault { operation, fault } => Self::Fault(operation, fault),
            CallError::Malformed { operation, reason } => Self::Malformed { operation, reason: describe(&reason) },
        }
    }
}

fn describe(reason: &Reason) -> String {
    reason.to_string().chars().take(300).collect()
}

/// Why a scan or a report came to no good end.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text} ({code})")]
pub struct Problem {
    /// The code that a Windows Update Agent gives it.
    pub code: Code,
    /// What happened, for people.
    pub text: String,
}

impl Problem {
    /// A problem.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code(), text: failure.to_string() }
    }
}
