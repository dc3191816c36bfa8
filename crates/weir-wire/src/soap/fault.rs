//! Faults (MS-WUSP 2.2.2.4, MS-WSUSSS 2.2.2.1) and why a request was refused.

use std::fmt;

use uuid::Uuid;

use super::{
    SoapVersion, Style, Xml,
    envelope::{close_envelope, open_envelope},
};
use crate::wusp::Operation;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The `ErrorCode` of a fault (MS-WUSP 2.2.2.4, MS-WSUSSS 2.2.2.1), spelled as the names are.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

error_codes! {
    /// The configuration changed since the cookie was made: the client asks for it again.
    ConfigChanged,
    /// The cookie is ours and too old.
    CookieExpired,
    /// DownloadFiles named files that this server does not know; Message lists their digests. Between servers only.
    FileDigestsMissing,
    /// Content moved: the client asks for its location again.
    FileLocationChanged,
    /// The version in the cookie has another major number. Between servers only.
    IncompatibleProtocolVersion,
    /// Something failed on this side.
    InternalServerError,
    /// The authorization cookie in GetCookie is missing, not single or not ours.
    InvalidAuthorizationCookie,
    /// The cookie is missing, empty, damaged, foreign or of another kind.
    InvalidCookie,
    /// A parameter is missing or wrong; Message names it.
    InvalidParameters,
    /// RegisterComputer was called although GetConfig did not ask for it.
    RegistrationNotRequired,
    /// The computer must call RegisterComputer first.
    RegistrationRequired,
    /// Come back later.
    ServerBusy,
    /// The server behind the address is another one, or was restored: the client refreshes its cache.
    ServerChanged,
    /// GetDriverSetData named too many driver sets. Between servers only.
    TooManyIds,
    /// As InternalServerError; other servers may send it.
    UssInternalError,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for ErrorCode {
    type Err = ();

    /// Reads the exact name, and `FileLocationsChanged`, the spelling of MS-WUSP 3.1.5.10.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "FileLocationsChanged" {
            return Ok(Self::FileLocationChanged);
        }
        Self::ALL.iter().copied().find(|code| code.name() == text).ok_or(())
    }
}

/// A fault to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// What the client acts on.
    pub code: ErrorCode,
    /// For InvalidParameters the path of the parameter, such as `parameters.InstalledNonLeafUpdateIDs`; may be empty.
    pub message: String,
    /// The action, with its quotation marks (see [`Operation::quoted_action`]); empty if the operation is unknown.
    pub method: String,
    /// A fresh id, which the server also logs.
    pub id: Uuid,
}

impl Fault {
    /// Appends the whole envelope. HTTP status is 500.
    ///
    /// `style` is that of the service (a service converts into it), `url` the address of the request as the client gave
    /// it, which all but the client service repeat as `faultactor`.
    pub fn write(&self, out: &mut String, style: impl Into<Style>, version: SoapVersion, url: &str) {
        let style = style.into();
        let prefix = style.prefix();
        let asmx = style == Style::Asmx;
        let server = asmx && matches!(self.code, ErrorCode::InternalServerError | ErrorCode::UssInternalError);
        open_envelope(out, style, version, true);
        let mut xml = Xml::new(out, style);
        match version {
            SoapVersion::V11 => {
                let class = if server { "Server" } else { "Client" };
                xml.raw(&format!("<{prefix}:Fault><faultcode>{prefix}:{class}</faultcode>"));
                xml.raw("<faultstring>Fault occurred</faultstring>");
                if asmx {
                    xml.element("faultactor", |xml| xml.text(url));
                }
                xml.element("detail", |xml| self.write_detail(xml, asmx));
            }
            SoapVersion::V12 => {
                let class = if server { "Receiver" } else { "Sender" };
                xml.raw(&format!("<{prefix}:Fault><{prefix}:Code><{prefix}:Value>{prefix}:{class}"));
                xml.raw(&format!("</{prefix}:Value></{prefix}:Code><{prefix}:Reason><{prefix}:Text xml:lang=\"en\">"));
                xml.raw(&format!("Fault occurred</{prefix}:Text></{prefix}:Reason>"));
                if asmx {
                    xml.raw(&format!("<{prefix}:Node>"));
                    xml.text(url);
                    xml.raw(&format!("</{prefix}:Node>"));
                }
                // Off-spec: SOAP 1.2 wants the detail in its own namespace; the servers of this family send it
                // without one (MS-WSUSSS 2.2.9.2), and their clients look for that.
                xml.element("Detail", |xml| self.write_detail(xml, asmx));
            }
        }
        xml.raw(&format!("</{prefix}:Fault>"));
        close_envelope(out, style);
    }

    fn write_detail(&self, xml: &mut Xml<'_>, asmx: bool) {
        xml.element("ErrorCode", |xml| xml.raw(self.code.name()));
        if self.message.is_empty() && asmx {
            xml.raw("<Message></Message>");
        } else if self.message.is_empty() {
            xml.empty("Message");
        } else {
            xml.element("Message", |xml| xml.text(&self.message));
        }
        xml.element("ID", |xml| xml.raw(&self.id.as_hyphenated().to_string()));
        xml.element("Method", |xml| xml.text(&self.method));
    }
}

/// Why a request was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Reason {
    /// A document type declaration, which is never read.
    #[error("document type declarations are not accepted")]
    DocumentType,
    /// Bytes that are not UTF-8.
    #[error("the body must be UTF-8")]
    Encoding,
    /// XML, but not a SOAP envelope with a body.
    #[error("no SOAP envelope: {0}")]
    Envelope(&'static str),
    /// One of the [`super::Limits`] was exceeded.
    #[error("too many or too much: {what}, at most {limit}")]
    Limit {
        /// Path of the parameter, or empty.
        path: String,
        /// What there is too much of.
        what: &'static str,
        /// How much is accepted.
        limit: usize,
    },
    /// An operation that this protocol knows and this address does not offer.
    #[error("{0} is not offered at this address")]
    NotOffered(Operation),
    /// A parameter is missing or has the wrong type or value.
    #[error("{path}: {problem}")]
    Parameter {
        /// The path, such as `parameters.InstalledNonLeafUpdateIDs`.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Not an operation of the service.
    #[error("unknown operation {0}")]
    UnknownOperation(String),
    /// Text that is not well-formed XML.
    #[error("the body is not well-formed XML near byte {position}")]
    Xml {
        /// Where reading stopped.
        position: usize,
    },
}

impl Reason {
    /// A short name for metric labels.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DocumentType => "document_type",
            Self::Encoding => "encoding",
            Self::Envelope(_) => "envelope",
            Self::Limit { .. } => "limit",
            Self::NotOffered(_) => "not_offered",
            Self::Parameter { .. } => "parameter",
            Self::UnknownOperation(_) => "unknown_operation",
            Self::Xml { .. } => "xml",
        }
    }
}

/// A refused request: the reason, and what is known for answering it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("request refused")]
pub struct Rejection<O = Operation> {
    /// Why.
    #[source]
    pub reason: Reason,
    /// The version to answer in.
    pub version: SoapVersion,
    /// The operation, as far as it was recognised.
    pub operation: Option<O>,
    /// The quoted action for the fault's `Method`; empty if unknown.
    pub method: String,
}

impl<O> Rejection<O> {
    /// The fault to send: InvalidParameters with the parameter's path, or with the reason where no parameter is to
    /// blame.
    pub fn into_fault(self, id: Uuid) -> Fault {
        let message = match &self.reason {
            Reason::Parameter { path, .. } | Reason::Limit { path, .. } if !path.is_empty() => path.clone(),
            reason => reason.to_string(),
        };
        Fault { code: ErrorCode::InvalidParameters, message, method: self.method, id }
    }
}
