//! Faults as a client reads them.

use std::fmt;

use uuid::Uuid;

use crate::soap::{Cursor, ErrorCode, Malformed, Namespace, SoapVersion};

/// A fault that was received.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReceivedFault {
    /// `faultcode`, or the value of SOAP 1.2's `Code`, without its prefix: `Client`, `Server`, `Sender`, `Receiver`.
    pub class: String,
    /// `faultstring`, or the text of SOAP 1.2's `Reason`.
    pub text: String,
    /// `faultactor`, or SOAP 1.2's `Node`.
    pub actor: Option<String>,
    /// ErrorCode of the detail, as sent.
    pub error_code: Option<String>,
    /// Message of the detail.
    pub message: Option<String>,
    /// ID of the detail.
    pub id: Option<Uuid>,
    /// Method of the detail, with its quotation marks.
    pub method: Option<String>,
}

impl ReceivedFault {
    /// What to act on, if it is one of the known codes.
    pub fn code(&self) -> Option<ErrorCode> {
        self.error_code.as_deref().and_then(|text| text.parse().ok())
    }
}

impl fmt::Display for ReceivedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.error_code.as_deref().unwrap_or("no ErrorCode");
        write!(f, "{code}: {}", self.message.as_deref().unwrap_or(&self.text))
    }
}

impl std::error::Error for ReceivedFault {}

/// Reads the open Fault element. Strict about what a server of this protocol sends; other servers may add to the
/// detail.
pub(super) fn read(cursor: &mut Cursor<'_>, version: SoapVersion) -> Result<ReceivedFault, Malformed> {
    let mut fault = ReceivedFault::default();
    while let Some((namespace, name)) = cursor.any_child()? {
        match (version, namespace, name) {
            (SoapVersion::V11, Namespace::None, "faultcode") => fault.class = without_prefix(&cursor.text()?),
            (SoapVersion::V11, Namespace::None, "faultstring") => fault.text = cursor.text()?.into_owned(),
            (SoapVersion::V11, Namespace::None, "faultactor") => fault.actor = Some(cursor.text()?.into_owned()),
            (SoapVersion::V11, Namespace::None, "detail") => detail(cursor, &mut fault)?,
            (SoapVersion::V12, Namespace::Soap12, "Code") => fault.class = without_prefix(&first(cursor, "Value")?),
            (SoapVersion::V12, Namespace::Soap12, "Reason") => fault.text = first(cursor, "Text")?,
            (SoapVersion::V12, Namespace::Soap12, "Node") => fault.actor = Some(cursor.text()?.into_owned()),
            (SoapVersion::V12, Namespace::Soap12 | Namespace::None, "Detail") => detail(cursor, &mut fault)?,
            _ => return Err(cursor.wrong("not a part of a fault")),
        }
    }
    if fault.class.is_empty() { Err(cursor.wrong_child("faultcode", "missing")) } else { Ok(fault) }
}

fn detail(cursor: &mut Cursor<'_>, fault: &mut ReceivedFault) -> Result<(), Malformed> {
    while let Some((namespace, name)) = cursor.any_child()? {
        match (namespace, name) {
            (Namespace::None, "ErrorCode") => fault.error_code = Some(cursor.text()?.into_owned()),
            (Namespace::None, "Message") => fault.message = Some(cursor.text()?.into_owned()),
            (Namespace::None, "ID") => fault.id = Some(cursor.value(crate::soap::parse_guid)?),
            (Namespace::None, "Method") => fault.method = Some(cursor.text()?.into_owned()),
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

/// The text of the first child of this name; the others are skipped.
fn first(cursor: &mut Cursor<'_>, wanted: &str) -> Result<String, Malformed> {
    let mut found = None;
    while let Some((_, name)) = cursor.any_child()? {
        if name == wanted && found.is_none() {
            found = Some(cursor.text()?.into_owned());
        } else {
            cursor.skip()?;
        }
    }
    found.ok_or_else(|| cursor.wrong_child(wanted, "missing"))
}

fn without_prefix(text: &str) -> String {
    text.rsplit(':').next().unwrap_or_default().to_owned()
}
