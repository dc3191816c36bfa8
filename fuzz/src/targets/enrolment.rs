//! Any enrolment code is read or refused; one that is read comes back. So does one that is made of any bytes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use weir_model::enrolment::EnrolmentCode;

/// What a code begins with.
const PREFIX: &str = "weir1-";

fn check(text: &str) -> bool {
    let Ok(code) = EnrolmentCode::decode(text) else { return false };
    assert_eq!(EnrolmentCode::decode(&code.encode()), Ok(code));
    true
}

/// The sum of a code (FNV-1a), which chance alone never finds.
fn sum(bytes: &[u8]) -> [u8; 4] {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash.to_le_bytes()
}

pub(super) fn run(data: &[u8]) -> bool {
    let is_code = check(&String::from_utf8_lossy(data));
    let summed = [&sum(data), data].concat();
    check(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(summed))) || is_code
}
