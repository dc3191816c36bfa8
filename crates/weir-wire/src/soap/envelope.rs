//! Envelopes of SOAP 1.1 and 1.2.

use super::{Cursor, Limits, Namespace, Reason, Rejection, Style};
use crate::wusp::{Operation, Service};

/// Which SOAP a message is in; answers are in that of the request.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SoapVersion {
    /// 1.1, which the agents speak.
    #[default]
    V11,
    /// 1.2.
    V12,
}

impl SoapVersion {
    /// The `Content-Type` of an answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml; charset=utf-8",
            Self::V12 => "application/soap+xml; charset=utf-8",
        }
    }

    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::V11 => Namespace::SOAP11,
            Self::V12 => Namespace::SOAP12,
        }
    }
}

/// What the HTTP headers say about a message. They are not needed to read one: the body decides. They only help to
/// answer a body that cannot be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'h> {
    /// `Content-Type`.
    pub content_type: Option<&'h str>,
    /// `SOAPAction`, with its quotation marks.
    pub soap_action: Option<&'h str>,
}

impl Hints<'_> {
    /// The version that a message seems to be in.
    pub fn version(self) -> SoapVersion {
        let kind = self.content_type.unwrap_or_default().trim_start();
        let soap12 = "application/soap+xml";
        match kind.get(..soap12.len()) {
            Some(start) if start.eq_ignore_ascii_case(soap12) => SoapVersion::V12,
            _ => SoapVersion::V11,
        }
    }

    /// The action as the client wrote it, if it may be repeated to it.
    fn method(self) -> String {
        let action = self.soap_action.unwrap_or_default();
        let plain = action.len() <= 200 && action.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if plain { action.to_owned() } else { String::new() }
    }
}

/// The first child of the body, opened.
pub(crate) struct Entered<'a> {
    pub(crate) cursor: Cursor<'a>,
    pub(crate) version: SoapVersion,
    pub(crate) namespace: Namespace,
    pub(crate) name: &'a str,
}

/// Opens a message down to the first child of its body.
pub(crate) fn enter<'a, O>(
    body: &'a [u8],
    hints: Hints<'_>,
    limits: &'a Limits,
    strict: bool,
) -> Result<Entered<'a>, Rejection<O>> {
    let mut version = hints.version();
    open(body, limits, strict, &mut version).map_err(|reason| Rejection {
        reason,
        version,
        operation: None,
        method: hints.method(),
    })
}

fn open<'a>(
    body: &'a [u8],
    limits: &'a Limits,
    strict: bool,
    version: &mut SoapVersion,
) -> Result<Entered<'a>, Reason> {
    let mut cursor = Cursor::new(body, limits, strict)?;
    let (soap, name) = cursor.root()?;
    *version = match soap {
        Namespace::Soap11 => SoapVersion::V11,
        Namespace::Soap12 => SoapVersion::V12,
        _ => return Err(Reason::Envelope("the root element is in no SOAP namespace")),
    };
    if name != "Envelope" {
        return Err(Reason::Envelope("the root element is not Envelope"));
    }
    loop {
        match cursor.any_child()? {
            Some((namespace, "Body")) if namespace == soap => break,
            // MS-WUSP 2.2.2 defines no header; one that comes is not needed.
            Some(_) => cursor.skip()?,
            None => return Err(Reason::Envelope("there is no Body")),
        }
    }
    match cursor.any_child()? {
        Some((namespace, name)) => {
            cursor.expect(namespace);
            Ok(Entered { cursor, version: *version, namespace, name })
        }
        None => Err(Reason::Envelope("the Body is empty")),
    }
}

/// Reads what follows the first child of the body, to the end.
pub(crate) fn finish(cursor: &mut Cursor<'_>) -> Result<(), Reason> {
    // What else is in the body, then what follows it in the envelope.
    for _ in 0..2 {
        while cursor.any_child()?.is_some() {
            cursor.skip()?;
        }
    }
    cursor.finish()
}

/// Appends everything before the payload of an answer.
pub(crate) fn open_envelope(out: &mut String, style: Style, version: SoapVersion, is_fault: bool) {
    const SCHEMA: &str =
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"";
    let namespace = version.namespace();
    match style {
        Style::Asmx => {
            out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"");
            out.push_str(namespace);
            out.push('"');
            out.push_str(SCHEMA);
            out.push_str("><soap:Body>");
        }
        Style::Client => {
            out.push_str("<s:Envelope xmlns:s=\"");
            out.push_str(namespace);
            out.push_str("\"><s:Body");
            if !is_fault {
                out.push_str(SCHEMA);
            }
            out.push('>');
        }
    }
}

/// Appends everything before the payload of a request, as the native agent does.
pub(crate) fn open_request(out: &mut String, version: SoapVersion) {
    out.push_str("<s:Envelope xmlns:s=\"");
    out.push_str(version.namespace());
    out.push_str("\"><s:Body>");
}

/// Appends everything behind the payload.
pub(crate) fn close_envelope(out: &mut String, style: Style) {
    out.push_str(match style {
        Style::Asmx => "</soap:Body></soap:Envelope>",
        Style::Client => "</s:Body></s:Envelope>",
    });
}

impl Entered<'_> {
    /// Refuses the message, with all that is known by now.
    pub(crate) fn reject<O: Copy>(
        &self,
        reason: Reason,
        operation: Option<O>,
        quoted_action: impl FnOnce(O) -> String,
        hints: Hints<'_>,
    ) -> Rejection<O> {
        let method = operation.map_or_else(|| hints.method(), quoted_action);
        Rejection { reason, version: self.version, operation, method }
    }

    /// The operation that the payload names.
    pub(crate) fn operation(&self, service: Service) -> Result<Operation, Reason> {
        let operation = Operation::find(service, self.name).filter(|_| self.service() == Some(service));
        operation.ok_or_else(|| self.unknown())
    }

    /// Refuses the payload, which is no operation of the service.
    pub(crate) fn unknown(&self) -> Reason {
        Reason::UnknownOperation(self.name.chars().take(80).collect())
    }

    /// The service in whose namespace the payload is.
    pub(crate) fn service(&self) -> Option<Service> {
        match self.namespace {
            Namespace::Client => Some(Service::Client),
            Namespace::Reporting => Some(Service::Reporting),
            Namespace::SimpleAuth => Some(Service::SimpleAuth),
            _ => None,
        }
    }
}

pub(crate) fn is_soap(namespace: Namespace) -> bool {
    matches!(namespace, Namespace::Soap11 | Namespace::Soap12)
}
