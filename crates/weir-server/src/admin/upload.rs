//! Uploads: the parts of a `multipart/form-data` body, one after the other, without holding any of them in memory.

use axum::extract::{Multipart, multipart::Field};
use bytes::{Bytes, BytesMut};
use http::StatusCode;

use super::AdminError;

/// Bytes that are handed on at once.
const CHUNK: usize = 1 << 20;
/// Parts of one upload.
pub(crate) const MOST_PARTS: usize = 1_000_000;
/// Characters kept of a file name.
const LONGEST_NAME: usize = 1_024;

/// The next part named `file`; parts of other names are an error.
pub(crate) async fn next<'a>(form: &'a mut Multipart, seen: &mut usize) -> Result<Option<Part<'a>>, AdminError> {
    let Some(field) = form.next_field().await.map_err(|error| broken(&error))? else { return Ok(None) };
    *seen += 1;
    if *seen > MOST_PARTS {
        return Err(AdminError::TooLarge(format!("more than {MOST_PARTS} files in one upload; send several uploads")));
    }
    let name = match (field.name(), field.file_name()) {
        (Some("file"), Some(name)) => name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect(),
        (name, _) => {
            let detail =
                format!("part {seen} is named {name:?}; every part must be named \"file\" and have a filename");
            return Err(AdminError::invalid("upload", detail));
        }
    };
    Ok(Some(Part { name, field }))
}

/// A file under way.
pub(crate) struct Part<'a> {
    /// Its name as the sender gave it: for messages only.
    pub(crate) name: String,
    field: Field<'a>,
}

impl Part<'_> {
    /// The next bytes, at most about a mebibyte; none at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, AdminError> {
        let mut gathered = BytesMut::new();
        while let Some(bytes) = self.field.chunk().await.map_err(|error| broken(&error))? {
            if gathered.is_empty() && bytes.len() >= CHUNK {
                return Ok(Some(bytes));
            }
            gathered.extend_from_slice(&bytes);
            if gathered.len() >= CHUNK {
                break;
            }
        }
        Ok((!gathered.is_empty()).then(|| gathered.freeze()))
    }
}

fn broken(error: &axum::extract::multipart::MultipartError) -> AdminError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return AdminError::TooLarge("the upload is larger than this server takes (limits in weir.toml)".to_owned());
    }
    AdminError::Invalid {
        code: "upload",
        detail: format!("the upload broke off or is no multipart/form-data: {}", error.body_text()),
        next_step: Some("send it again".to_owned()),
    }
}
