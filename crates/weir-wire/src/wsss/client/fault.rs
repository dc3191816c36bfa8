//! Faults as a downstream server reads them.

use std::fmt;

use quick_xml::{Reader, events::Event};
use uuid::Uuid;

use crate::soap::{ErrorCode, parse_guid, trim};

/// A fault that was received. Servers differ in its form, so whatever could be found is here.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ServerFault {
    /// What to act on, if it is one of the known codes.
    pub code: Option<ErrorCode>,
    /// The text of the first element named ErrorCode, as sent.
    pub code_text: Option<String>,
    /// Message of the detail: the parameter, or digests (see [`super::super::split_digests`]).
    pub message: Option<String>,
    /// ID of the detail, by which the other server finds it in its log.
    pub id: Option<Uuid>,
    /// Method of the detail, with its quotation marks.
    pub method: Option<String>,
    /// `faultcode`, or the value of SOAP 1.2's `Code`, without its prefix: `Client`, `Server`, `Sender`, `Receiver`.
    pub class: String,
    /// `faultstring`, or the text of SOAP 1.2's `Reason`.
    pub text: String,
}

impl fmt::Display for ServerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code_text.as_deref().unwrap_or("no ErrorCode"))?;
        match self.message.as_deref() {
            Some(message) if !message.is_empty() => write!(f, ": {message}"),
            _ if !self.text.is_empty() => write!(f, ": {}", self.text),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ServerFault {}

/// Longest text that is kept of any part.
const TEXT: usize = 16 << 10;

/// Reads the content of a Fault, well-formed and within limits, whatever the namespaces and the nesting are.
pub(super) fn read(content: &str) -> ServerFault {
    let mut fault = ServerFault::default();
    let mut reader = Reader::from_str(content);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut open = String::new();
    let mut text = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                tag.local_name().as_ref().clone_into(&mut open);
                text.clear();
            }
            Ok(Event::Text(part)) => keep(&mut text, &part.xml10_content()),
            Ok(Event::CData(part)) => keep(&mut text, &part.xml10_content()),
            Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                Ok(Some(c)) => keep(&mut text, c.encode_utf8(&mut [0; 4])),
                _ => keep(&mut text, quick_xml::escape::resolve_predefined_entity(&reference).unwrap_or_default()),
            },
            Ok(Event::End(_)) => {
                fault.take(&open, &text);
                open.clear();
                text.clear();
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    // Some servers name the code in the text only.
    if fault.code.is_none() && fault.code_text.is_none() {
        let mut words = fault.text.split(|c: char| !c.is_ascii_alphanumeric());
        fault.code = words.find_map(|word| word.parse().ok());
    }
    fault
}

fn keep(text: &mut String, part: &str) {
    if text.len() + part.len() <= TEXT {
        text.push_str(part);
    }
}

impl ServerFault {
    /// Keeps the text of an element; of several the first.
    fn take(&mut self, name: &str, text: &str) {
        let class = |text: &str| trim(text).rsplit(':').next().unwrap_or_default().to_owned();
        match name {
            "ErrorCode" if self.code_text.is_none() => {
                self.code = trim(text).parse().ok();
                self.code_text = Some(trim(text).to_owned());
            }
            "Message" if self.message.is_none() => self.message = Some(text.to_owned()),
            "ID" if self.id.is_none() => self.id = parse_guid(text).ok(),
            "Method" if self.method.is_none() => self.method = Some(text.to_owned()),
            "faultcode" | "Value" if self.class.is_empty() => self.class = class(text),
            "faultstring" | "Text" if self.text.is_empty() => text.clone_into(&mut self.text),
            _ => {}
        }
    }
}
