//! JSON within bounds: counted before anything is built from it.

use serde::de::DeserializeOwned;

use super::{DocumentError, Fault, Limits};

/// Counts values and depth of a text without building anything. What is not JSON is left to the parser.
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), DocumentError> {
    let (mut depth, mut values, mut line) = (0_usize, 1_usize, 1_usize);
    let (mut inside, mut escaped) = (false, false);
    for byte in text.bytes() {
        if inside {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => inside = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => inside = true,
            b'\n' => line += 1,
            b'[' | b'{' => {
                depth += 1;
                values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > limits.depth {
            return Err(DocumentError::limit("values inside each other", limits.depth, format!("line {line}")));
        }
        if values > limits.values {
            return Err(DocumentError::limit("values", limits.values, format!("line {line}")));
        }
    }
    Ok(())
}

/// Reads a text whose bounds were checked. What the type does not know is passed over.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    let mut source = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { "the document".to_owned() } else { super::text::cut(&path, 200) };
        DocumentError::new(Fault::Syntax(super::text::cut(&error.into_inner().to_string(), 300)), place)
    })?;
    source.end().map_err(|error| DocumentError::new(Fault::Syntax(error.to_string()), "after the document"))?;
    Ok(read)
}
