//! Any of the forms.

use serde::{Deserialize, de::IgnoredAny};

use super::{Document, DocumentError, Fault, Limits, csaf, cvrf, json, kev, text};

/// What tells the forms of JSON apart.
#[derive(Deserialize)]
struct Probe {
    document: Option<IgnoredAny>,
    #[serde(rename = "DocumentTracking")]
    tracking: Option<IgnoredAny>,
    #[serde(rename = "catalogVersion")]
    catalogue: Option<IgnoredAny>,
}

/// Reads a CVRF document (XML or JSON), a CSAF 2.0 document or a KEV catalogue; which of them is seen from the text.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Document, DocumentError> {
    if bytes.len() > limits.bytes {
        return Err(DocumentError::limit("bytes", limits.bytes, "the file"));
    }
    let decoded = text::decode(bytes)?;
    let text = decoded.trim_start();
    if text.starts_with('<') {
        return cvrf::xml(text, limits);
    }
    if !text.starts_with('{') {
        let begins = text::cut(text.get(..text.floor_char_boundary(40)).unwrap_or_default(), 40);
        let what = if begins.is_empty() { "it is empty".to_owned() } else { format!("it begins with {begins:?}") };
        return Err(DocumentError::new(Fault::Form(what), "the file"));
    }
    json::check(text, limits)?;
    let probe: Probe = json::parse(text)?;
    match probe {
        Probe { document: Some(_), .. } => csaf::read(text, limits),
        Probe { tracking: Some(_), .. } => cvrf::json(text, limits),
        Probe { catalogue: Some(_), .. } => kev::read(text, limits),
        _ => {
            let what = "a JSON object without document, DocumentTracking or catalogVersion".to_owned();
            Err(DocumentError::new(Fault::Form(what), "the document"))
        }
    }
}
