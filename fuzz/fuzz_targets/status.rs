//! Stored status of a computer: what decodes also encodes, to the same value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::status::ComputerStatus;

fuzz_target!(|data: &[u8]| {
    if let Ok(status) = ComputerStatus::decode(data) {
        assert_eq!(ComputerStatus::decode(&status.encode()), Ok(status));
    }
});
