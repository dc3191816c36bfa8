//! Recorded exchanges, read from the folder of captures and sent again.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::http::Answer;

/// One recorded exchange.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// Its number in the recording.
    pub number: u32,
    /// Operation.
    pub operation: String,
    /// Request path.
    pub path: String,
    /// Request headers in recorded order.
    pub request_headers: Vec<(String, String)>,
    /// Request body.
    pub request: String,
    /// Answer's status.
    pub status: u16,
    /// Answer's headers in recorded order.
    pub response_headers: Vec<(String, String)>,
    /// Answer's body, decoded.
    pub response: String,
}

/// What to replace in a recorded request by the present server's values. Absent: left as recorded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Substitutions {
    /// Expiration and EncryptedData of the cookie.
    pub cookie: Option<(String, String)>,
    /// CookieData of the authorization cookie.
    pub authorization_cookie: Option<String>,
    /// `lastChange`.
    pub last_change: Option<String>,
    /// `Host` header.
    pub host: Option<String>,
    /// RevisionIDs, recorded to present; ids without counterpart are left.
    pub revisions: BTreeMap<i32, i32>,
}

/// All exchanges of `captures/native-scan`, in order.
///
/// # Panics
///
/// If the captures are absent or unreadable.
pub fn native_scan() -> Vec<Recorded> {
    unimplemented!()
}

impl Recorded {
    /// The request's headers and body with these values replaced; Content-Length fits the new body.
    pub fn request_with(&self, substitutions: &Substitutions) -> (Vec<(String, String)>, String) {
        let _ = substitutions;
        unimplemented!()
    }

    /// Sends it to the server at `base` with these values replaced.
    pub async fn send(&self, base: &str, substitutions: &Substitutions) -> Result<Answer> {
        let _ = (base, substitutions);
        unimplemented!()
    }
}
