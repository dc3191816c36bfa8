//! Why a call to the upstream server did not succeed.

use reqwest::StatusCode;
use weir_wire::{
    soap::ErrorCode,
    wsss::{
        Operation,
        client::{CallError, ServerFault},
    },
};

use super::bounds::Extent;
use crate::{
    admin::AdminError,
    sync::{
        outbound::{OutboundError, UntrustedChain},
        progress::Cancelled,
    },
};

/// Why a call to the upstream server did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The source is no address.
    #[error("{0:?} cannot be synchronized from: it is no http or https address")]
    Address(String),
    /// What the server says about authorization cannot be used.
    #[error("the upstream server's way of authorization cannot be used: {0}")]
    Authorization(String),
    /// The run was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The answer comes in a content coding that was not asked for, or is damaged.
    #[error("the answer to {operation} cannot be decoded: {why}")]
    Coding {
        /// What was called.
        operation: Operation,
        /// What is wrong.
        why: String,
    },
    /// The server answered with a fault that no reaction helps against.
    #[error("the upstream server answered {operation} with a fault")]
    Fault {
        /// What was called.
        operation: Operation,
        /// What it said.
        #[source]
        fault: Box<ServerFault>,
    },
    /// Our own database.
    #[error(transparent)]
    Here(#[from] AdminError),
    /// The answer is not what the protocol says.
    #[error("the upstream server does not answer {operation} as the protocol says")]
    Malformed {
        /// What was called.
        operation: Operation,
        /// What is wrong.
        #[source]
        reason: CallError,
    },
    /// The network, or the server went away.
    #[error("{url} cannot be reached or broke off ({operation})")]
    Network {
        /// What was called.
        operation: Operation,
        /// Where.
        url: String,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// No client can be made from the settings.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The way to the server goes through a proxy, and no connection comes about.
    #[error("{url} cannot be reached through the proxy {proxy} (setting proxy.url; {operation})")]
    Proxy {
        /// What was called.
        operation: Operation,
        /// Where.
        url: String,
        /// The proxy.
        proxy: String,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// An answer of HTTP that is none of this protocol.
    #[error("{url} answers {status} to {operation}: it may not be an update server, or a proxy is in the way")]
    Status {
        /// What was called.
        operation: Operation,
        /// Where.
        url: String,
        /// The answer.
        status: StatusCode,
    },
    /// The answer is larger than is taken.
    #[error("the answer to {operation} is larger than {limit} bytes; it was cut off")]
    TooLarge {
        /// What was called.
        operation: Operation,
        /// What is taken.
        limit: usize,
    },
    /// The answer takes longer than is waited for.
    #[error("the answer to {operation} did not end within {seconds} seconds; it was cut off")]
    TooLong {
        /// What was called.
        operation: Operation,
        /// What is waited for.
        seconds: u64,
    },
    /// The server's certificate is not trusted.
    #[error(transparent)]
    Untrusted(UntrustedChain),
}

impl PeerError {
    /// The code of the fault, if the server answered with one that is known.
    pub fn fault_code(&self) -> Option<ErrorCode> {
        match self {
            Self::Fault { fault, .. } => fault.code,
            _ => None,
        }
    }

    /// Whether the server answered that it cannot serve one of the items that were asked for.
    pub fn is_refusal(&self) -> bool {
        matches!(self.fault_code(), Some(ErrorCode::InternalServerError | ErrorCode::InvalidParameters))
    }

    /// Whether one of several items that were asked for can be the reason.
    pub fn may_be_an_item(&self) -> bool {
        match self {
            Self::Fault { .. } => self.is_refusal(),
            Self::Coding { .. } | Self::Malformed { .. } | Self::TooLarge { .. } => true,
            _ => false,
        }
    }

    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "source_address",
            Self::Authorization(_) => "authorization",
            Self::Cancelled(_) => "cancelled",
            Self::Coding { .. } | Self::Malformed { .. } => "bad_answer",
            Self::Fault { .. } => match self.fault_code() {
                Some(ErrorCode::ServerBusy) => "server_busy",
                Some(ErrorCode::ServerChanged) => "server_changed",
                Some(ErrorCode::InvalidCookie | ErrorCode::InvalidAuthorizationCookie) => "not_authorized",
                Some(ErrorCode::IncompatibleProtocolVersion) => "protocol_version",
                _ => "fault",
            },
            Self::Here(_) => "internal",
            Self::Network { .. } => "network",
            Self::Proxy { .. } => "proxy",
            Self::Outbound(_) => "settings",
            Self::Status { .. } => "http_status",
            Self::TooLarge { .. } => "too_large",
            Self::TooLong { .. } => "too_long",
            Self::Untrusted(_) => "untrusted",
        }
    }

    /// What the administrator can do.
    pub fn next_step(&self) -> String {
        let text = match self {
            Self::Address(_) => "set another source: weir settings set source URL",
            Self::Authorization(_) => "see whether the source is an update server (WSUS or Weir)",
            Self::Cancelled(_) => "start it again: weir sync now",
            Self::Coding { .. } | Self::Malformed { .. } => {
                "see whether a proxy changes the answers; the upstream server's log may say more"
            }
            Self::Fault { .. } => match self.fault_code() {
                Some(ErrorCode::ServerBusy) => "it is tried again; the upstream server has too much to do now",
                Some(ErrorCode::InvalidCookie | ErrorCode::InvalidAuthorizationCookie) => {
                    "allow this server on the upstream server (on a Weir: weir downstream list, weir downstream allow)"
                }
                Some(ErrorCode::IncompatibleProtocolVersion) => {
                    "the upstream server is too old, or too new, for this one"
                }
                _ => "look for the fault's id in the upstream server's log, and whether this server is allowed there",
            },
            Self::Here(_) => "see the server's log",
            Self::Network { .. } => {
                "see whether the upstream server runs and whether a proxy is needed: weir settings show proxy.url"
            }
            Self::Proxy { .. } => {
                "see whether the proxy runs and lets this through (weir settings show proxy.url), or go without it: weir \
                 settings set proxy.sync false"
            }
            Self::Outbound(_) => "correct the setting that is named: weir settings list",
            Self::Status { .. } => "see whether address and port of the source are right: weir settings show source",
            Self::TooLarge { operation, .. } => match Extent::of(*operation) {
                Extent::Small => "see whether the source is an update server: none needs so much for this",
                Extent::List => {
                    "if the list is that long: weir settings set sync.memory_mib N, and sync.answer_mib if that is smaller"
                }
                Extent::Documents => "if it is right that it is so large: weir settings set sync.answer_mib N",
            },
            Self::TooLong { .. } => "if the line is that slow: weir settings set sync.timeout_seconds N",
            Self::Untrusted(_) => "weir settings set sync.ca_file PATH, with the root as PEM in that file",
        };
        text.to_owned()
    }

    /// Whether the same may succeed later without anyone doing something.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Network { .. } | Self::Proxy { .. } | Self::TooLong { .. } | Self::Coding { .. } => true,
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Fault { .. } => {
                matches!(self.fault_code(), None | Some(ErrorCode::InternalServerError | ErrorCode::ServerBusy))
            }
            Self::Malformed { .. } | Self::TooLarge { .. } => true,
            Self::Here(error) => error.problem().status == 503,
            Self::Address(_) | Self::Authorization(_) | Self::Cancelled(_) | Self::Outbound(_) | Self::Untrusted(_) => {
                false
            }
        }
    }
}
