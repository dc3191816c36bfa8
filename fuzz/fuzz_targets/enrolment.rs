//! Any enrolment code is read or refused; one that is read comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::enrolment::EnrolmentCode;

fuzz_target!(|text: &str| {
    if let Ok(code) = EnrolmentCode::decode(text) {
        assert_eq!(EnrolmentCode::decode(&code.encode()), Ok(code));
    }
});
