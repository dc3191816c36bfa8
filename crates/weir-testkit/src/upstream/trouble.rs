//! What goes wrong, and when.

use weir_wire::wsss::Operation;

use super::Served;

/// Which request a [`Trouble`] befalls. Numbers count from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum At {
    /// The n-th request for a file, `/Content/...` or `/mu/...`.
    Content(usize),
    /// Every request for this operation.
    Every(Operation),
    /// The n-th request for this operation.
    Operation(Operation, usize),
    /// The n-th request of any kind.
    Request(usize),
}

/// What goes wrong.
pub enum Trouble {
    /// This body, with status 200 and the usual content type.
    Answer(String),
    /// Before the request is answered (as it should be), what is served changes: another configuration, other revisions,
    /// another incarnation of the server.
    Change(Box<dyn FnOnce(&mut Served) + Send>),
    /// The connection is closed without an answer.
    Close,
    /// An answer that never ends: a well-formed beginning, then the same element again and again until the peer gives
    /// up.
    Endless,
    /// A fault with this text as ErrorCode, a genuine code or not.
    Fault(String),
    /// A page that no protocol knows, with status 200.
    Garbage,
    /// No answer, and the connection stays open.
    Hang,
    /// This HTTP status and an empty page.
    Status(u16),
    /// The right answer, cut off in the middle, with the length of the whole.
    Truncated,
    /// The right file with one byte changed. Only for content.
    WrongContent,
}

impl Trouble {
    /// The same for another time, where that is possible.
    pub(super) fn again(&self) -> Option<Self> {
        Some(match self {
            Self::Answer(body) => Self::Answer(body.clone()),
            Self::Change(_) => return None,
            Self::Close => Self::Close,
            Self::Endless => Self::Endless,
            Self::Fault(code) => Self::Fault(code.clone()),
            Self::Garbage => Self::Garbage,
            Self::Hang => Self::Hang,
            Self::Status(status) => Self::Status(*status),
            Self::Truncated => Self::Truncated,
            Self::WrongContent => Self::WrongContent,
        })
    }
}

impl std::fmt::Debug for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Answer(_) => "Answer",
            Self::Change(_) => "Change",
            Self::Close => "Close",
            Self::Endless => "Endless",
            Self::Fault(code) => code,
            Self::Garbage => "Garbage",
            Self::Hang => "Hang",
            Self::Status(_) => "Status",
            Self::Truncated => "Truncated",
            Self::WrongContent => "WrongContent",
        })
    }
}
