//! The code that a new server enrols with: where its parent is, how that one is recognised, and a secret.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What every code begins with; the digit is the version of the form.
const PREFIX: &str = "weir1-";
/// Addresses in a code.
pub const MOST_ADDRESSES: usize = 8;
/// Bytes of an address.
pub const LONGEST_ADDRESS: usize = 255;
/// Characters of the longest code, blanks aside.
const LONGEST: usize = 4_096;

/// What a code says. The secret works once; it is kept out of debug output.
#[derive(Clone, Eq, PartialEq)]
pub struct EnrolmentCode {
    /// Where the parent is reached, the preferred address first: `https://host:port`, 1 to 8 of them.
    pub addresses: Vec<String>,
    /// SHA-256 of a certificate that the parent shows: its own or that of the authority that signed it.
    pub fingerprint: [u8; 32],
    /// What the parent knows the hash of.
    pub secret: [u8; 32],
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentCode").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Why a text is no code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CodeError {
    /// Its sum does not match, or it ends early.
    #[error("the enrolment code is incomplete or mistyped; copy all of it, from {PREFIX} to the end")]
    Damaged,
    /// Something else altogether.
    #[error("this is no enrolment code; one begins with {PREFIX} and is made by `weir sites enrol NAME` on the parent")]
    NotACode,
    /// From a later version.
    #[error("the enrolment code was made by a newer version of the parent; update this server first")]
    Version,
}

/// FNV-1a: it finds typing errors, and proves nothing.
fn sum(bytes: &[u8]) -> [u8; 4] {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash.to_le_bytes()
}

impl EnrolmentCode {
    /// The code as text. Addresses beyond the bounds are left out.
    pub fn encode(&self) -> String {
        let mut body = Vec::with_capacity(256);
        body.extend(self.fingerprint);
        body.extend(self.secret);
        let fits = |address: &&String| address.len() <= LONGEST_ADDRESS;
        for address in self.addresses.iter().filter(fits).take(MOST_ADDRESSES) {
            body.push(address.len() as u8);
            body.extend(address.as_bytes());
        }
        let mut bytes = sum(&body).to_vec();
        bytes.extend(body);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a code; blanks and line breaks of copying do not matter.
    pub fn decode(text: &str) -> Result<Self, CodeError> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).take(LONGEST + 1).collect();
        let Some(encoded) = text.strip_prefix(PREFIX) else {
            let other = text.strip_prefix("weir").and_then(|rest| rest.split_once('-'));
            let later = other.is_some_and(|(version, _)| version.parse::<u32>().is_ok_and(|version| version > 1));
            return Err(if later { CodeError::Version } else { CodeError::NotACode });
        };
        if text.len() > LONGEST {
            return Err(CodeError::Damaged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| CodeError::Damaged)?;
        let (check, body) = bytes.split_first_chunk::<4>().ok_or(CodeError::Damaged)?;
        if *check != sum(body) {
            return Err(CodeError::Damaged);
        }
        let (fingerprint, rest) = body.split_first_chunk::<32>().ok_or(CodeError::Damaged)?;
        let (secret, mut rest) = rest.split_first_chunk::<32>().ok_or(CodeError::Damaged)?;
        let mut addresses = Vec::new();
        while let Some((length, after)) = rest.split_first() {
            let (address, after) = after.split_at_checked(usize::from(*length)).ok_or(CodeError::Damaged)?;
            let address = std::str::from_utf8(address).map_err(|_| CodeError::Damaged)?;
            let plain = address.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
            if !plain || address.chars().any(char::is_control) || addresses.len() == MOST_ADDRESSES {
                return Err(CodeError::Damaged);
            }
            addresses.push(address.to_owned());
            rest = after;
        }
        if addresses.is_empty() {
            return Err(CodeError::Damaged);
        }
        Ok(Self { addresses, fingerprint: *fingerprint, secret: *secret })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code() -> EnrolmentCode {
        EnrolmentCode {
            addresses: vec!["https://cen.example:8531".to_owned(), "https://192.0.2.1:8531".to_owned()],
            fingerprint: [7; 32],
            secret: [9; 32],
        }
    }

    #[test]
    fn line_breaks_of_copying_do_not_matter() {
        let text = code().encode();
        let (first, second) = text.split_at(40);
        assert_eq!(EnrolmentCode::decode(&format!("  {first}\r\n {second}\n")), Ok(code()));
    }

    #[test]
    fn what_is_no_code_is_told_from_a_damaged_one() {
        let text = code().encode();
        assert_eq!(EnrolmentCode::decode(""), Err(CodeError::NotACode));
        assert_eq!(EnrolmentCode::decode("https://cen.example"), Err(CodeError::NotACode));
        assert_eq!(EnrolmentCode::decode("weir2-AAAA"), Err(CodeError::Version));
        assert_eq!(EnrolmentCode::decode(&text[..text.len() - 1]), Err(CodeError::Damaged));
        assert_eq!(EnrolmentCode::decode(&text.replacen('B', "C", 1)), Err(CodeError::Damaged));
        assert!(!format!("{:?}", code()).contains("9, 9"), "the secret stays out of logs");
    }

    #[test]
    fn only_https_is_accepted() {
        let plain = EnrolmentCode { addresses: vec!["http://cen.example:8530".to_owned()], ..code() };
        assert_eq!(EnrolmentCode::decode(&plain.encode()), Err(CodeError::Damaged));
    }

    proptest! {
        #[test]
        fn codes_come_back(
            fingerprint: [u8; 32],
            secret: [u8; 32],
            hosts in prop::collection::vec("[a-z0-9.:\\[\\]-]{1,240}", 1..=MOST_ADDRESSES),
        ) {
            let addresses = hosts.iter().map(|host| format!("https://{host}")).collect();
            let code = EnrolmentCode { addresses, fingerprint, secret };
            prop_assert_eq!(EnrolmentCode::decode(&code.encode()), Ok(code));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(weir1-)?[A-Za-z0-9_-]{0,400}") {
            let _ = EnrolmentCode::decode(&text);
        }

        #[test]
        fn any_bytes_below_a_right_sum_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut bytes = sum(&body).to_vec();
            bytes.extend(body);
            let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
            if let Ok(code) = EnrolmentCode::decode(&text) {
                prop_assert_eq!(code.encode(), text);
            }
        }
    }
}
